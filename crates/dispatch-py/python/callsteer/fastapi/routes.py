"""The routes of the control plane: HTTP in, one command of the control plane, HTTP out."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Header, HTTPException, Path, Query, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, PlainTextResponse
from fastapi.security import HTTPBearer
from pydantic import AfterValidator

from . import live_page as live_page_files
from . import reports
from .control_plane import ControlPlane
from .guard import GuardedRoute
from .problems import Refusal
from .schemas import (
    MAX_ID,
    MAX_SET,
    MAX_TEXT,
    Bridge,
    Call,
    CallQuery,
    CallRequest,
    Capacity,
    Changes,
    DrainRequest,
    Explanation,
    Failed,
    Failure,
    Placed,
    Problem,
    Recent,
    ReportRequest,
    short,
)


def control_plane(request: Request) -> ControlPlane:
    """The control plane of this application, which its lifespan made."""
    plane: ControlPlane = request.app.state.callsteer
    return plane


Plane = Annotated[ControlPlane, Depends(control_plane)]
CallIdInPath = Annotated[
    str,
    Path(
        min_length=1,
        max_length=MAX_TEXT,
        description="The Call-ID, percent-encoded, `/` too; 1 to 256 bytes of UTF-8.",
        examples=["a84b4c76e66710@pc33"],
    ),
    AfterValidator(short),
]
BridgeInPath = Annotated[
    str,
    Path(
        min_length=1,
        max_length=MAX_ID,
        description="The bridge's id (`duid`, or the URI), percent-encoded.",
        examples=["b1"],
    ),
]
SetInQuery = Annotated[int, Query(alias="set", ge=0, le=MAX_SET)]

token = HTTPBearer(
    scheme_name="token",
    description="The token of the environment variable `CALLSTEER_TOKEN`. None is asked for where the "
    "control plane was started without one, which it is on a loopback address only.",
    auto_error=False,
)

NO_CONTENT: dict[str, Any] = {"status_code": 204, "response_class": Response}
SECONDS_TO_WAIT = {
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}}
}
REFUSALS: dict[int, dict[str, Any]] = {
    401: {
        "description": "`unauthorized`: no token, or another one. `invalid_signature`: of a report.",
        "headers": {
            "WWW-Authenticate": {
                "description": "`Bearer`, or `Callsteer-Signature`.",
                "schema": {"type": "string"},
            }
        },
    },
    404: {"description": "`no_such_call`, `no_such_destination` or `no_such_set`."},
    409: {"description": "`late_report`, `duplicate_report` or `replayed_report`: what was known stays."},
    413: {"description": "`too_large`: a body above 64 KiB, a list above 8 MiB."},
    415: {"description": "`unsupported_media_type`: a body of a type that is not read here."},
    422: {"description": "`invalid_request`, or the library's code of what is wrong, and where."},
    429: {"description": "`tenant_full` or `too_fast`.", "headers": SECONDS_TO_WAIT},
    503: {
        "description": "`full` or `all_down`; `no_engine`: the replica that has the call is not reached.",
        "headers": SECONDS_TO_WAIT,
    },
}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route may be refused with, for its documentation."""
    return {status: {"model": Problem, **REFUSALS[status]} for status in sorted(statuses)}


def changing(*statuses: int, also: dict[int | str, dict[str, Any]] | None = None) -> dict[str, Any]:
    """The options of a route that changes something: who may, and what it may be refused with."""
    return {"dependencies": [Depends(token)], "responses": (also or {}) | refusals(401, 413, *statuses)}


router = APIRouter(route_class=GuardedRoute, generate_unique_id_function=lambda route: route.name)


@router.post(
    "/calls",
    tags=["calls"],
    status_code=201,
    **changing(
        404,
        415,
        422,
        429,
        503,
        also={200: {"model": Placed, "description": "It is in progress already: the same answer."}},
    ),
)
async def begin_call(call: CallRequest, plane: Plane, response: Response) -> Placed:
    """Place a call: choose a bridge and count the call there."""
    placed, is_repeated = await plane.anywhere.begin(call)
    if is_repeated:
        response.status_code = 200
    return placed


@router.get("/calls/{call_id}", tags=["calls"], responses=refusals(404, 422, 503))
async def show_call(call_id: CallIdInPath, plane: Plane) -> Call:
    """Where a call is."""
    return await plane.anywhere.call(call_id)


@router.post("/calls/{call_id}/confirm", tags=["calls"], **NO_CONTENT, **changing(404, 422, 503))
async def confirm_call(call_id: CallIdInPath, plane: Plane) -> None:
    """Say that the bridge answered the call."""
    await plane.anywhere.confirm(call_id)


@router.post("/calls/{call_id}/fail", tags=["calls"], **changing(404, 415, 422, 503))
async def fail_call(call_id: CallIdInPath, failure: Failure, plane: Plane) -> Failed:
    """Say that the call failed at its bridge; it is moved on where another one may do better."""
    return await plane.anywhere.fail(call_id, failure)


@router.delete("/calls/{call_id}", tags=["calls"], **NO_CONTENT, **changing(422, 503))
async def end_call(call_id: CallIdInPath, plane: Plane) -> None:
    """End a call; also where it was over before."""
    await plane.anywhere.end(call_id)


@router.get("/bridges", tags=["bridges"])
async def list_bridges(plane: Plane) -> list[Bridge]:
    """Every bridge, also those that left and still have calls."""
    return plane.bridges()


@router.post(
    "/bridges/{bridge_id}/report",
    tags=["bridges"],
    **NO_CONTENT,
    openapi_extra={
        "parameters": [
            {
                "name": "callsteer-signature",
                "in": "header",
                "required": False,
                "description": "Who has a key signs: `t=MILLISECONDS,v1=HMAC`; `docs/control-plane.md` says "
                "of what. Such a report needs no token; without a key the header says nothing.",
                "schema": {"type": "string"},
            }
        ],
        "requestBody": {
            "description": "The own JSON, or the line of an HAProxy agent check; empty with the header.",
            "content": {
                "application/json": {"schema": ReportRequest.model_json_schema()},
                "text/plain": {"schema": {"type": "string"}, "example": "up 75%\n"},
            },
        },
    },
    **changing(404, 409, 415, 422),
)
async def report(
    bridge_id: BridgeInPath,
    plane: Plane,
    request: Request,
    in_set: SetInQuery = 1,
    orca: Annotated[
        str | None,
        Header(
            alias="endpoint-load-metrics",
            description="An ORCA report: `TEXT ...`, `JSON ...` or `BIN ...`. The body is then empty.",
            examples=["TEXT application_utilization=0.62, rps_fractional=3.5"],
        ),
    ] = None,
) -> None:
    """Take what a bridge says of its load."""
    plane.report(
        bridge_id, in_set, reports.read(await request.body(), request.headers.get("content-type", ""), orca)
    )


@router.post("/bridges/{bridge_id}/drain", tags=["bridges"], **NO_CONTENT, **changing(404, 415, 422))
async def drain_bridge(
    bridge_id: BridgeInPath,
    plane: Plane,
    in_set: SetInQuery = 1,
    drain: Annotated[DrainRequest | None, Body()] = None,
) -> None:
    """Give a bridge no new calls."""
    plane.drain(bridge_id, in_set, drain.deadline if drain else None)


@router.post("/bridges/{bridge_id}/enable", tags=["bridges"], **NO_CONTENT, **changing(404, 422))
async def enable_bridge(bridge_id: BridgeInPath, plane: Plane, in_set: SetInQuery = 1) -> None:
    """Switch a bridge on; this also ends a drain."""
    plane.set_enabled(bridge_id, in_set, enabled=True)


@router.post("/bridges/{bridge_id}/disable", tags=["bridges"], **NO_CONTENT, **changing(404, 422))
async def disable_bridge(bridge_id: BridgeInPath, plane: Plane, in_set: SetInQuery = 1) -> None:
    """Switch a bridge off: it gets no new calls, whatever probes say."""
    plane.set_enabled(bridge_id, in_set, enabled=False)


@router.post(
    "/list",
    tags=["bridges"],
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "text/plain": {
                    "schema": {"type": "string", "minLength": 1},
                    "example": "1 sip:10.0.0.1 0 0 duid=b1\n",
                }
            },
        }
    },
    **changing(415, 422),
)
async def replace_list(
    plane: Plane,
    request: Request,
    dry_run: Annotated[bool, Query(description="Say what would change, and change nothing.")] = False,
) -> Changes:
    """Take another dispatcher.list, all of it or nothing. Bridges that stay keep their calls and health."""
    text = await request.body()
    if not text:
        # Whoever sends a file that was not written would otherwise take every bridge out.
        raise Refusal(
            422, "invalid_request", "body: the list is empty; one without bridges has at least a line end"
        )
    return plane.replace_list(text, dry_run)


@router.get("/explain", tags=["looking"], responses=refusals(422))
async def explain(call: Annotated[CallQuery, Query()], plane: Plane) -> Explanation:
    """What would be done with a call, and why; parameters as the fields of `POST /calls`. Changes nothing."""
    return plane.explain(call)


@router.get("/recent", tags=["looking"])
async def recent(plane: Plane) -> list[Recent]:
    """The last 20 calls placed, the youngest first."""
    return plane.recent()


@router.get("/capacity", tags=["looking"], responses=refusals(404, 422))
async def capacity(plane: Plane, of_set: SetInQuery = 1) -> Capacity:
    """How full a set is. KEDA's `metrics-api` scaler reads it: `valueLocation: desired`."""
    return plane.capacity(of_set)


@router.get("/metrics", tags=["looking"], response_class=PlainTextResponse)
async def metrics(plane: Plane) -> Response:
    """Metrics in the text format of Prometheus, 0.0.4."""
    return PlainTextResponse(plane.metrics(), media_type="text/plain; version=0.0.4")


@router.get("/healthz", tags=["looking"], **NO_CONTENT)
async def healthz() -> None:
    """Nothing, while the process lives."""


@router.get("/", tags=["looking"], response_class=HTMLResponse)
async def live_page() -> FileResponse:
    """The live page."""
    return FileResponse(live_page_files.PAGE, media_type="text/html")


@router.get("/live/{name}", include_in_schema=False)
async def live_page_file(name: str) -> FileResponse:
    """What the live page loads."""
    file = live_page_files.FILES.get(name)
    if file is None:
        raise HTTPException(404, f"the live page has no file {name!r}")
    return FileResponse(file)

"""Refusals as `application/problem+json` (RFC 9457): which status an error has, and what it says."""

from __future__ import annotations

from http import HTTPStatus

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from callsteer import CallsteerError

from .schemas import Problem, SipAnswer


class Refusal(Exception):
    """A refusal of the control plane's own, not of the library."""

    def __init__(self, status: int, code: str, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.headers = status, code, detail, headers


def problem(
    status: int, code: str, detail: str, headers: dict[str, str] | None = None, sip: SipAnswer | None = None
) -> JSONResponse:
    """A refusal as it goes out."""
    body = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, code=code, sip=sip)
    content = body.model_dump(exclude_none=sip is None)
    return JSONResponse(content, status, headers, media_type="application/problem+json")


def of_the_library(error: CallsteerError) -> JSONResponse:
    """What the library refused; what refuses a call says what to answer its caller."""
    code = error.code or "invalid_request"
    status = STATUSES.get(code, 422)
    sip = None if error.status is None else SipAnswer(status=error.status, retry_after=error.retry_after)
    headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    return problem(status, code, str(error), headers, sip)


def of_a_request(error: RequestValidationError) -> JSONResponse:
    """A request that is not in the contract: the first thing that is wrong, and where."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    what = first["msg"].removeprefix("Value error, ")
    reason = first.get("ctx", {}).get("error", "") if first["type"] == "json_invalid" else ""
    return problem(422, "invalid_request", f"{where}: {what}{reason and f': {reason}'}")


def of_http(error: HTTPException, path: str) -> JSONResponse:
    """What Starlette and FastAPI refuse: no such path, no such method, a body that is no JSON at all."""
    headers = dict(error.headers or {})
    if error.status_code == 404:
        return problem(404, "no_such_path", f"there is no {path}", headers)
    if error.status_code == 405:
        return problem(
            405, "no_such_method", f"{path} knows {headers.get('Allow', 'other methods')} only", headers
        )
    return problem(422, "invalid_request", str(error.detail), headers)


STATUSES = {
    "no_such_call": 404,
    "no_such_destination": 404,
    "no_such_set": 404,
    "late_report": 409,
    "duplicate_report": 409,
    "tenant_full": 429,
    "too_fast": 429,
    "full": 503,
    "all_down": 503,
}
"""Of the library's codes; every other one is a value that cannot be: 422."""

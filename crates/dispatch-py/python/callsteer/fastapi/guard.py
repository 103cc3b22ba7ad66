"""What stands before every route: who may, how large a body may be, of which type; refusals in one form."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import Scope

from callsteer import CallsteerError
from callsteer.replicas import NoEngine

from . import problems, report_keys
from .problems import Refusal


class GuardedRoute(APIRoute):
    """A route whose refusals are those of the contract, in whatever application it is."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Looks at the path as it was sent, so that a `%2F` in a Call-ID is no `/` between two parts."""
        match, found = super().matches({**scope, "path": sent_path(scope).decode("latin-1")})
        if match is not Match.NONE:
            found["path_params"] = {name: unquote(value) for name, value in found["path_params"].items()}
        return match, found

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        limit = LARGE.get(self.name, MAX_BODY)
        types = self.types()

        async def allowed(request: Request) -> Request:
            plane = request.app.state.callsteer
            bridge_id = request.path_params.get("bridge_id") if self.name == "report" else None
            if bridge_id not in plane.report_keys:
                authorize(request, plane.settings.token)
                return await bounded(request, limit, types)
            # The signature stands in for the token; it is over the body, which is read first.
            request = await bounded(request, limit, types)
            plane.report_keys.check(bridge_id, request.headers.get(report_keys.HEADER), await sent(request))
            return request

        async def guarded(request: Request) -> Response:
            try:
                if request.method != "GET":
                    request = await allowed(request)
                return await handle(request)
            except Refusal as refusal:
                return problems.problem(refusal.status, refusal.code, refusal.detail, refusal.headers)
            except CallsteerError as error:
                return problems.of_the_library(error)
            except NoEngine as error:
                return problems.problem(503, "no_engine", str(error), {"Retry-After": "1"})
            except RequestValidationError as error:
                return problems.of_a_request(error)
            except HTTPException as error:
                return problems.of_http(error, request.url.path)

        return guarded

    def types(self) -> list[str]:
        """The types of a body that this route documents."""
        own: dict[str, Any] = (self.openapi_extra or {}).get("requestBody", {}).get("content", {})
        return list(own) or (["application/json"] if self.body_field else [])


def authorize(request: Request, token: str | None) -> None:
    """Refuses who may not change anything."""
    if token is None:
        if not is_local(request):
            raise unauthorized(
                "the control plane was started without a token, and is used on a loopback address only"
            )
        if not is_own_page(request):
            raise unauthorized(
                "a page of another site sent this, and the control plane was started without a token"
            )
        return
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    # Headers come as Latin-1; as texts only ASCII could be compared.
    same = hmac.compare_digest(credentials.strip().encode("latin-1"), token.encode())
    if scheme.lower() != "bearer" or not same:
        raise unauthorized("`Authorization: Bearer TOKEN` is missing, or has another token")


def is_own_page(request: Request) -> bool:
    """Whether a request is no browser's, or the live page's own: any other page can send here, too.

    The name must be one of this machine, too: whoever owns another one can make it lead here.
    """
    origin, host = request.headers.get("origin"), request.headers.get("host", "")
    name = urlsplit(f"http://{host}").hostname or ""
    return origin is None or (origin == f"http://{host}" and (name == "localhost" or is_loopback(name)))


def unauthorized(detail: str) -> Refusal:
    return Refusal(401, "unauthorized", detail, {"WWW-Authenticate": "Bearer"})


def is_local(request: Request) -> bool:
    """Whether the request came in on a loopback address, or over a socket of Unix."""
    host, port = request.scope.get("server") or ("", 0)
    return port is None or is_loopback(host)


def is_loopback(host: str) -> bool:
    """Whether an address is one that only this machine reaches."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def bounded(request: Request, limit: int, types: list[str]) -> Request:
    """The same request with its body read; refuses one that is too large, or of a type not read here."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise Refusal(413, "too_large", f"the body has more than {limit} bytes")
    kind = media_type(request)
    if body and types and kind not in types:
        raise Refusal(
            415, "unsupported_media_type", f"the body is {kind or 'of no type'}, not {' or '.join(types)}"
        )

    async def replay() -> dict[str, Any]:
        return {"type": "http.request", "body": bytes(body), "more_body": False}

    return Request(request.scope, replay)


async def sent(request: Request) -> report_keys.Sent:
    """What of a report is signed."""
    query = request.scope["query_string"]
    target = sent_path(request.scope) + (b"?" + query if query else b"")
    orca = request.headers.get("endpoint-load-metrics", "").encode("latin-1")
    return report_keys.Sent(request.method, target, media_type(request), orca, await request.body())


def sent_path(scope: Scope) -> bytes:
    """The path as it was sent, percent-encoded."""
    sent: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    return sent


def media_type(request: Request) -> str:
    """The type of the body without its parameters; empty where none is said."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


MAX_BODY = 64 * 1024
LARGE = {"replace_list": 8 * 1024 * 1024}
"""Bytes of a body at most; per route where it is another number."""

"""A control plane as an application of its own."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.routing import Match

from . import problems
from .control_plane import ControlPlane
from .openapi import document
from .routes import router


def create_app(plane: ControlPlane) -> FastAPI:
    """The control plane with its live page; for an application of your own include `router` instead."""
    app = FastAPI(lifespan=plane.lifespan, docs_url=None, redoc_url=None)
    app.include_router(router)

    def openapi() -> dict[str, Any]:
        return document()

    async def refuse(request: Request, error: HTTPException) -> Response:
        # What no route refused: a path that there is not, a method that a path does not have.
        if error.status_code == 405:
            known = [route for route in router.routes if route.matches(request.scope)[0] is not Match.NONE]
            methods = sorted(
                method for route in known if isinstance(route, APIRoute) for method in route.methods or ()
            )
            error.headers = {"Allow": ", ".join(methods)}
        return problems.of_http(error, request.url.path)

    app.openapi = openapi  # type: ignore[method-assign]
    app.exception_handler(HTTPException)(refuse)
    return app

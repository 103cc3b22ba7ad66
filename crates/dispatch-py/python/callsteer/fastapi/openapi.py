"""The OpenAPI document of the control plane; `examples/openapi.json` is a copy of it."""

from __future__ import annotations

from typing import Any, TypeAlias

from fastapi.openapi.utils import get_openapi

from .routes import router

Json: TypeAlias = "dict[str, Json] | list[Json] | str | float | bool | None"

ABOUT = (
    "Which bridge takes the next call, over HTTP. `docs/control-plane.md` says what it means. A body has at "
    "most 64 KiB, a dispatcher.list 8 MiB; a Call-ID, key, class or tenant has 1 to 256 bytes of UTF-8."
)


def document() -> dict[str, Any]:
    """The document of a control plane that stands alone."""
    openapi = get_openapi(
        title="Callsteer control plane", version="1", description=ABOUT, routes=router.routes
    )
    return tidied(with_problems(openapi))


def with_problems(openapi: dict[str, Any]) -> dict[str, Any]:
    """Says that refusals are `application/problem+json`, which FastAPI cannot be told route by route."""
    for path in openapi["paths"].values():
        for operation in path.values():
            for response in operation["responses"].values():
                content = response.get("content", {})
                if content.get("application/json", {}).get("schema") == PROBLEM:
                    content["application/problem+json"] = content.pop("application/json")
    return openapi


def tidied(part: dict[str, Json]) -> dict[str, Json]:
    """Without what says nothing: titles that repeat a name, null where there is none, 1.0 for 1."""
    is_schema = "type" in part or "anyOf" in part
    kept = {name: tidy(value) for name, value in part.items() if not (is_schema and is_title(name, value))}
    return not_null(kept) if "in" in part else kept


def tidy(part: Json) -> Json:
    if isinstance(part, dict):
        return tidied(part)
    if isinstance(part, list):
        return [tidy(item) for item in part]
    return int(part) if isinstance(part, float) and part.is_integer() else part


def is_title(name: str, value: Json) -> bool:
    return name == "title" and isinstance(value, str)


def not_null(parameter: dict[str, Any]) -> dict[str, Any]:
    """A parameter that may be missing: a URL and a header have no null."""
    schema = dict(parameter["schema"])
    [kind] = [kind for kind in schema.pop("anyOf", [{}]) if kind != {"type": "null"}]
    return parameter | {"schema": kind | schema}


PROBLEM = {"$ref": "#/components/schemas/Problem"}

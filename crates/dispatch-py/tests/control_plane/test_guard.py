"""Who may change something, how much may be sent, and refusals where no route is."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from callsteer.fastapi import ControlPlane, Settings, create_app, router

from .conftest import BRIDGES, TOKEN, served

CONTRACT = json.loads((Path(__file__).parents[4] / "examples" / "openapi.json").read_text())
EVERY = [(path, method.upper()) for path, methods in CONTRACT["paths"].items() for method in methods]


def test_every_change_needs_the_token_and_looking_needs_none(client: httpx.Client) -> None:
    for path, method in EVERY:
        url = path.format(call_id="a", bridge_id="b1")
        for credentials in (
            "",
            "Bearer",
            "Bearer wrong",
            f"Basic {TOKEN}",
            f"Bearer {TOKEN}x",
            "Bearer \xe9",
        ):
            answer = client.request(method, url, headers={b"authorization": credentials.encode("latin-1")})
            if method == "GET":
                assert answer.status_code != 401, url
            else:
                assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized"), (
                    url,
                    credentials,
                )
                assert answer.headers["www-authenticate"] == "Bearer"
        assert client.request(method, url, headers={"authorization": f"bearer {TOKEN}"}).status_code != 401


def test_the_contract_says_which_requests_need_the_token() -> None:
    for path, method in EVERY:
        operation = CONTRACT["paths"][path][method.lower()]
        assert operation.get("security") == (None if method == "GET" else [{"token": []}]), path


def test_without_a_token_only_a_loopback_address_is_served() -> None:
    async def status(url: str, headers: dict[str, str]) -> int:
        plane = ControlPlane(Settings(bridges=BRIDGES))
        app = create_app(plane)
        async with plane.lifespan(app), httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
            return (await client.post(url + "/bridges/b1/disable", headers=headers)).status_code

    def check(url: str, expected: int, **headers: str) -> None:
        assert asyncio.run(status(url, headers)) == expected, (url, headers)

    check("http://127.0.0.1:8080", 204)
    check("http://[::1]:8080", 204)
    check("http://10.0.0.1:8080", 401)
    check("http://127.0.0.1:8080", 204, origin="http://127.0.0.1:8080")
    check("http://127.0.0.1:8080", 204, origin="http://localhost:8080", host="localhost:8080")
    check("http://127.0.0.1:8080", 401, origin="http://127.0.0.1:3000")
    check("http://127.0.0.1:8080", 401, origin="https://evil.example")
    check("http://127.0.0.1:8080", 401, origin="null")
    check("http://127.0.0.1:8080", 401, origin="http://evil.example", host="evil.example")


def test_a_body_that_is_too_large_is_refused_and_one_that_just_fits_is_read(client: httpx.Client) -> None:
    def check(path: str, kind: str, size: int, status: int, *, chunked: bool = False) -> None:
        body = b"#" * (size - 1) + b"\n"
        content: Any = iter([body]) if chunked else body
        answer = client.post(path, content=content, headers={"content-type": kind})
        assert answer.status_code == status, answer.text
        if status == 413:
            assert answer.json()["code"] == "too_large"

    for chunked in (False, True):
        check("/calls", "application/json", 64 * 1024, 422, chunked=chunked)
        check("/calls", "application/json", 64 * 1024 + 1, 413, chunked=chunked)
        check("/bridges/b1/report", "text/plain", 64 * 1024 + 1, 413, chunked=chunked)
        check("/calls/a/confirm", "text/plain", 64 * 1024 + 1, 413, chunked=chunked)
        check("/list", "text/plain", 8 * 1024 * 1024 + 1, 413, chunked=chunked)
        check("/list?dry_run=true", "text/plain", 1_000, 200, chunked=chunked)
    check("/list?dry_run=true", "text/plain", 8 * 1024 * 1024, 422)


def test_who_sends_all_of_a_large_body_before_reading_is_told_too(client: httpx.Client) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", client.base_url.port)
    with contextlib.closing(connection):
        connection.request("POST", "/calls", b"#" * (12 * 1024 * 1024), {"Authorization": f"Bearer {TOKEN}"})
        assert connection.getresponse().status == 413


def test_a_body_of_another_type_is_refused(client: httpx.Client) -> None:
    for path in ("/calls", "/calls/a/fail", "/bridges/b1/drain", "/bridges/b1/report", "/list"):
        for headers in ({}, {"content-type": "text/html"}):
            refused = client.post(path, content=b"x", headers=headers)
            assert (refused.status_code, refused.json()["code"]) == (415, "unsupported_media_type"), path


def test_where_no_route_is_that_is_said_in_the_same_form(client: httpx.Client) -> None:
    def check(method: str, path: str, status: int, code: str) -> None:
        refused = client.request(method, path)
        assert (refused.status_code, refused.json()["code"]) == (status, code)
        assert refused.headers["content-type"] == "application/problem+json"

    check("GET", "/nothing", 404, "no_such_path")
    check("GET", "/live/nothing.js", 404, "no_such_path")
    check("GET", "/live/..%2F..%2Fapp.py", 404, "no_such_path")
    check("PUT", "/calls", 405, "no_such_method")
    check("DELETE", "/calls/", 404, "no_such_path")
    check("GET", "/calls/a/b", 404, "no_such_path")
    assert client.put("/calls/a").headers["allow"] == "DELETE, GET"


def test_the_router_fits_into_an_application_of_ones_own() -> None:
    plane = ControlPlane(Settings(bridges=BRIDGES, token=TOKEN))
    app = FastAPI(lifespan=plane.lifespan)
    app.include_router(router, prefix="/callsteer")

    @app.get("/own")
    async def own() -> int:
        return plane.dispatcher.stats().calls

    with served(app) as client:
        assert client.post("/callsteer/calls", json={"call_id": "a"}).status_code == 201
        assert client.get("/own").json() == 1
        assert client.post("/callsteer/calls", json={}).headers["content-type"] == "application/problem+json"
        assert (
            client.delete("/callsteer/calls/a", headers={"authorization": ""}).json()["code"]
            == "unauthorized"
        )
        assert "/callsteer/calls/{call_id}/confirm" in client.get("/openapi.json").json()["paths"]


def test_the_live_page_is_served_with_everything_that_it_loads(client: httpx.Client) -> None:
    folder = Path(__file__).parents[4] / "examples" / "live-page"
    page = client.get("/")
    assert page.headers["content-type"].startswith("text/html")
    assert page.content == (folder / "index.html").read_bytes()
    files = list((folder / "live").iterdir())
    assert files
    for file in files:
        assert client.get(f"/live/{file.name}").content == file.read_bytes(), file.name
    assert "javascript" in client.get("/live/main.js").headers["content-type"]

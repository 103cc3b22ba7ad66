"""Calls over HTTP: placed, confirmed, failed, ended, refused."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx
import pytest

from callsteer.fastapi import ControlPlane, Settings, control_plane
from callsteer.fastapi.schemas import CallRequest

from .conftest import BRIDGES, Serve

STRANGE = [
    "a/b/confirm",
    "100%",
    "a b",
    "?#&=",
    "caf\u00e9@\U0001f4de",
    "\x00\x1f\x7f",
    "x" * 256,
    "\u00e9" * 128,
]


def path(call_id: str) -> str:
    return f"/calls/{quote(call_id, safe='')}"


def begin(client: httpx.Client, call_id: str, **fields: Any) -> httpx.Response:
    return client.post("/calls", json={"call_id": call_id, **fields})


def bridge(client: httpx.Client, bridge_id: str) -> dict[str, Any]:
    found: dict[str, Any]
    [found] = [bridge for bridge in client.get("/bridges").json() if bridge["id"] == bridge_id]
    return found


def test_a_call_is_placed_shown_confirmed_and_ended(client: httpx.Client) -> None:
    placed = begin(client, "a")
    assert placed.status_code == 201
    destination = placed.json()["destination"]
    assert destination["uri"] == f"sip:127.0.0.1:509{destination['id'][1]}"
    assert placed.json() == {
        "call_id": "a",
        "lease": placed.json()["lease"],
        "destination": destination,
        "panic": False,
    }
    shown = client.get(path("a"))
    assert shown.status_code == 200
    assert shown.json() == {key: value for key, value in placed.json().items() if key != "panic"}
    assert client.post(path("a") + "/confirm").status_code == 204
    assert bridge(client, destination["id"])["calls"] == 1
    assert client.delete(path("a")).status_code == 204
    assert bridge(client, destination["id"])["calls"] == 0
    assert client.get(path("a")).json()["code"] == "no_such_call"
    assert client.delete(path("a")).status_code == 204


def test_the_same_call_again_gets_the_same_answer_and_counts_once(client: httpx.Client) -> None:
    first, again = begin(client, "a"), begin(client, "a")
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert sum(bridge["calls"] for bridge in client.get("/bridges").json()) == 1
    client.delete(path("a"))
    anew = begin(client, "a")
    assert anew.status_code == 201
    assert anew.json()["lease"] != first.json()["lease"]


def test_any_text_of_1_to_256_bytes_is_a_call_id(client: httpx.Client) -> None:
    for call_id in STRANGE:
        lives_and_ends(client, call_id)


def test_a_call_that_reached_its_deadline_is_placed_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(control_plane, "unix_time", lambda: lambda: now)
    plane = ControlPlane(Settings(bridges=BRIDGES, config={"setup_timeout": 60}))
    first, _ = plane.begin(CallRequest(call_id="a"))
    now = 160.0
    second, is_repeated = plane.begin(CallRequest(call_id="a"))
    assert not is_repeated
    assert second.lease != first.lease
    assert [call.at for call in plane.recent()] == [160, 100]


def lives_and_ends(client: httpx.Client, call_id: str) -> None:
    assert begin(client, call_id).json()["call_id"] == call_id
    assert client.get(path(call_id)).json()["call_id"] == call_id
    assert client.post(path(call_id) + "/confirm").status_code == 204
    assert client.post(path(call_id) + "/fail", json={"reply": 486}).json() == {
        "blame": "caller",
        "moved_to": None,
    }
    assert client.delete(path(call_id)).status_code == 204
    assert client.get(path(call_id)).status_code == 404


def test_what_is_no_call_is_refused_by_field(client: httpx.Client) -> None:
    def check(body: Any, detail: str) -> None:
        refused = client.post("/calls", json=body)
        assert refused.status_code == 422
        assert refused.headers["content-type"] == "application/problem+json"
        title = refused.json().pop("title")
        expected = {
            "type": "about:blank",
            "title": title,
            "status": 422,
            "detail": detail,
            "code": "invalid_request",
        }
        assert refused.json() == expected

    check({}, "body.call_id: Field required")
    check({"call_id": ""}, "body.call_id: String should have at least 1 character")
    check({"call_id": "\u00e9" * 129}, "body.call_id: has at most 256 bytes")
    check({"call_id": "a" * 257}, "body.call_id: String should have at most 256 characters")
    check({"call_id": 5}, "body.call_id: Input should be a valid string")
    check({"call_id": "a", "cls": "x"}, "body.cls: Extra inputs are not permitted")
    check({"call_id": "a", "class": "x" * 257}, "body.class: String should have at most 256 characters")
    check({"call_id": "a", "cost": 0}, "body.cost: Input should be greater than or equal to 1")
    check({"call_id": "a", "cost": 65_536}, "body.cost: Input should be less than or equal to 65535")
    check({"call_id": "a", "cost": True}, "body.cost: is a number")
    check({"call_id": "a", "set": "1"}, "body.set: is a number")
    check(
        {"call_id": "a", "set": 1.5},
        "body.set: Input should be a valid integer, got a number with a fractional part",
    )
    check([], "body: Input should be a valid dictionary or object to extract fields from")


def test_a_body_that_cannot_be_read_is_refused(client: httpx.Client) -> None:
    def check(body: bytes, detail: str) -> None:
        refused = client.post("/calls", content=body, headers={"content-type": "application/json"})
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request"), body[:20]
        assert refused.json()["detail"].startswith(detail)

    check(b"{", "body.1: JSON decode error: Expecting property name enclosed in double quotes")
    check(b"", "body: Field required")
    check(b'{"call_id": "\\ud800"}', "body.call_id: ")
    check(b'{"call_id": "\xff"}', "There was an error parsing the body")
    check(b"[" * 60_000, "There was an error parsing the body")
    check(b'{"call_id": "a", "cost": NaN}', "body.cost: Input should be a finite number")
    check(b'{"call_id": "a", "cost": ' + b"9" * 4_000 + b"}", "body.cost: ")


def test_a_refused_call_says_what_to_answer_its_caller(serve: Serve) -> None:
    def check(refused: httpx.Response, status: int, code: str, sip: Any) -> None:
        assert (refused.status_code, refused.json()["code"]) == (status, code), refused.text
        assert refused.json()["sip"] == sip
        wait = sip["retry_after"]
        assert refused.headers.get("retry-after") == (None if wait is None else str(wait))

    client = serve(retry_after=7, tenants={"sales": {"max_calls": 1}, "ads": {"max_rate": 1}})
    check(begin(client, "a", set=9), 404, "no_such_set", {"status": 480, "retry_after": None})
    assert begin(client, "a", tenant="sales").status_code == 201
    check(begin(client, "b", tenant="sales"), 429, "tenant_full", {"status": 503, "retry_after": 7})
    assert begin(client, "b", tenant="ads").status_code == 201
    check(begin(client, "c", tenant="ads"), 429, "too_fast", {"status": 503, "retry_after": 1})
    assert [begin(client, call_id).status_code for call_id in ("c", "d")] == [201, 201]
    check(begin(client, "e"), 503, "full", {"status": 503, "retry_after": 7})
    assert begin(client, "a", tenant="sales").status_code == 200
    for bridge_id in ("b1", "b2"):
        client.post(f"/bridges/{bridge_id}/disable")
    check(begin(client, "e"), 503, "all_down", {"status": 480, "retry_after": 7})


def test_a_failed_call_is_moved_on_until_every_bridge_was_tried(client: httpx.Client) -> None:
    first = begin(client, "a").json()["destination"]
    moved = client.post(path("a") + "/fail", json={"reply": "timeout"}).json()
    assert moved["blame"] == "destination"
    assert moved["moved_to"]["id"] != first["id"]
    assert client.get(path("a")).json()["destination"] == moved["moved_to"]
    full = client.post(path("a") + "/fail", json={"reply": 503, "retry_after": 20}).json()
    assert full == {"blame": "busy", "moved_to": None}
    assert bridge(client, moved["moved_to"]["id"])["standing"] == "busy"
    client.delete(path("a"))
    assert [bridge["calls"] for bridge in client.get("/bridges").json()] == [0, 0]


def test_a_call_that_is_not_there_can_neither_be_confirmed_nor_fail(client: httpx.Client) -> None:
    for refused in (client.post("/calls/x/confirm"), client.post("/calls/x/fail", json={"reply": 503})):
        assert (refused.status_code, refused.json()["code"]) == (404, "no_such_call")


def test_what_is_no_failure_changes_nothing(client: httpx.Client) -> None:
    before = begin(client, "a").json()["destination"]
    wrong = [
        {},
        {"reply": 200},
        {"reply": 700},
        {"reply": "busy"},
        {"reply": True},
        {"reply": 503, "retry_after": -1},
    ]
    for body in wrong:
        refused = client.post("/calls/a/fail", json=body)
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request"), body
    assert client.get("/calls/a").json()["destination"] == before


def test_classes_costs_keys_and_sets_reach_the_library(serve: Serve) -> None:
    client = serve(b"1 sip:a 32\n7 sip:b 32 0 duid=b\n7 sip:c 32 0 duid=c\n", algorithm="call_id_hash")
    assert begin(client, "a", set=7, key="k", cost=9, **{"class": "x"}).status_code == 201
    [there] = [bridge for bridge in client.get("/bridges").json() if bridge["calls"]]
    assert (there["set"], there["load"]) == (7, 9)
    for number in range(8):
        assert begin(client, f"n{number}", set=7, key="k").json()["destination"]["id"] == there["id"]

"""Bridges over HTTP: their reports, what the operator wants of them, and another list."""

from __future__ import annotations

from typing import Any

import httpx

from callsteer.events import Scale

from .conftest import Events, Serve

JSON = {"content-type": "application/json"}
TEXT = {"content-type": "text/plain"}


def bridge(client: httpx.Client, bridge_id: str = "b1") -> dict[str, Any]:
    found: dict[str, Any]
    [found] = [bridge for bridge in client.get("/bridges").json() if bridge["id"] == bridge_id]
    return found


def report(
    client: httpx.Client, body: bytes, headers: dict[str, str], bridge_id: str = "b1"
) -> httpx.Response:
    return client.post(f"/bridges/{bridge_id}/report", content=body, headers=headers)


def test_bridges_are_listed_as_described_and_as_they_are(serve: Serve) -> None:
    client = serve(b"3 sip:a.example 32 5 duid=b1;weight=7;maxload=9;maxrate=4;zone=eu\n")
    assert client.get("/bridges").json() == [
        {
            "id": "b1",
            "set": 3,
            "uri": "sip:a.example",
            "weight": 7,
            "max_calls": 9,
            "max_rate": 4,
            "priority": 5,
            "attrs": {"zone": "eu"},
            "standing": "candidate",
            "will": "enabled",
            "observed": "active",
            "calls": 0,
            "load": 0,
            "elsewhere": 0,
            "placed": 0,
            "ejected": 0,
            "score": None,
        }
    ]


def test_a_report_is_read_in_each_of_its_forms(client: httpx.Client) -> None:
    def check(body: bytes, headers: dict[str, str], score: float) -> None:
        assert report(client, body, headers).status_code == 204
        assert bridge(client)["score"] == score

    check(b'{"score": 0.5, "sequence": 1}', JSON, 0.5)
    check(b"up 25%\n", TEXT | {"content-type": "text/plain; charset=utf-8"}, 0.75)
    check(b"", {"endpoint-load-metrics": "TEXT application_utilization=0.62"}, 0.62)
    check(b"", {"endpoint-load-metrics": 'JSON {"application_utilization": 0.25}'}, 0.25)
    check(b'{"score": 1.5, "sequence": 2, "draining": true}', JSON, 1.5)
    assert bridge(client)["standing"] == "draining"


def test_a_report_that_cannot_be_is_refused_and_what_was_known_stays(client: httpx.Client) -> None:
    def check(body: bytes, headers: dict[str, str], status: int, code: str, detail: str) -> None:
        refused = report(client, body, headers)
        assert (refused.status_code, refused.json()["code"]) == (status, code), refused.text
        assert detail in refused.json()["detail"]
        assert bridge(client)["score"] == 0.5

    orca = {"endpoint-load-metrics": "TEXT application_utilization=0.62"}
    assert report(client, b'{"score": 0.5, "sequence": 5}', JSON).status_code == 204
    check(b'{"score": 0.5, "sequence": 5}', JSON, 409, "duplicate_report", "sequence of the last report")
    check(b'{"score": 0.9, "sequence": 4}', JSON, 409, "late_report", "before the last report")
    check(b'{"score": 0.9, "measured_at": 9999999999}', JSON, 422, "future_report", "after now")
    check(b'{"score": -1}', JSON, 422, "invalid_report", "score is a number from 0 to 1000")
    check(b'{"laod": 1}', JSON, 422, "unreadable_report", "column 7: unknown field `laod`")
    check(b"\xff", JSON, 422, "unreadable_report", "byte 1 is not UTF-8")
    check(b"up 25%", TEXT, 422, "incomplete_report", "the line has not ended")
    check(b"", {"endpoint-load-metrics": "TEXT x"}, 422, "unreadable_report", "")
    check(b"", JSON, 422, "invalid_request", "no report")
    check(b"{}", JSON | orca, 422, "invalid_request", "the body is empty")
    check(b"{}", {"content-type": "text/html"}, 415, "unsupported_media_type", "text/html")


def test_a_bridge_that_is_not_there_is_refused(client: httpx.Client) -> None:
    for refused in (
        report(client, b"{}", JSON, "b9"),
        client.post("/bridges/b1/report?set=2", json={}),
        client.post("/bridges/b9/drain"),
        client.post("/bridges/b9/enable"),
        client.post("/bridges/a%2Freport/disable"),
    ):
        assert (refused.status_code, refused.json()["code"]) == (404, "no_such_destination"), refused.text


def test_a_bridge_without_duid_is_named_by_its_uri(serve: Serve) -> None:
    client = serve(b"2 sip:[::1]:5091;transport=tcp 32\n")
    uri = "sip:[::1]:5091;transport=tcp"
    assert (
        client.post("/bridges/sip%3A%5B%3A%3A1%5D%3A5091%3Btransport%3Dtcp/disable?set=2").status_code == 204
    )
    assert bridge(client, uri)["will"] == "disabled"


def test_what_the_operator_wants_of_a_bridge_is_done(client: httpx.Client) -> None:
    def check(order: str, will: str, standing: str, **body: Any) -> None:
        assert client.post(f"/bridges/b1/{order}", **body).status_code == 204
        assert (bridge(client)["will"], bridge(client)["standing"]) == (will, standing)

    check("disable", "disabled", "disabled")
    check("enable", "enabled", "candidate")
    check("drain", "draining", "draining")
    check("drain", "draining", "draining", json={"deadline": 30})
    check("drain", "draining", "draining", json={"deadline": None})
    check("enable", "enabled", "candidate")
    refused = client.post("/bridges/b1/drain", json={"deadline": -1})
    assert (refused.status_code, bridge(client)["will"]) == (422, "enabled")


def test_another_list_is_planned_and_then_taken_as_a_whole(client: httpx.Client) -> None:
    call = client.post("/calls", json={"call_id": "a"}).json()
    [stays, goes] = sorted(("b1", "b2"), key=lambda name: name != call["destination"]["id"])
    text = f"1 {call['destination']['uri']} 32 0 duid={stays};weight=9;maxload=2\n1 sip:c 32\n".encode()
    changes = [
        f"- set 1: {goes} (calls that go on: 0)",
        f"~ set 1: {stays}, weight 1 -> 9",
        "+ set 1: sip:c (sip:c)",
        "= 0 stay as they are",
    ]
    before = client.get("/bridges").json()
    planned = client.post("/list?dry_run=true", content=text, headers=TEXT)
    assert (planned.status_code, planned.json()) == (200, {"changes": changes, "applied": False})
    assert client.get("/bridges").json() == before
    assert client.post("/list", content=text, headers=TEXT).json() == {"changes": changes, "applied": True}
    assert {bridge["id"]: bridge["calls"] for bridge in client.get("/bridges").json()} == {
        stays: 1,
        "sip:c": 0,
    }


def test_a_list_with_a_bad_line_is_refused_with_its_place_and_nothing_changes(client: httpx.Client) -> None:
    def check(text: bytes, code: str, detail: str) -> None:
        refused = client.post("/list", content=text, headers=TEXT)
        assert (refused.status_code, refused.json()["code"]) == (422, code), refused.text
        assert refused.json()["detail"].startswith(detail)
        assert [bridge["id"] for bridge in client.get("/bridges").json()] == ["b1", "b2"]

    check(b"1 sip:a\n1 sip:b:99999\n", "invalid_uri", "line 2, column 9: ")
    check(b"1 sip:a 64\n", "invalid_flags", "line 1, column 9: ")
    check(b"1 sip:a\n1 sip:a\n", "duplicate", "line 2")
    check(b"\xff\n", "not_utf8", "line 1")
    check(
        b"1 sip:b\n1 sip:a;transport=ws\n",
        "invalid_destination",
        "line 2: 'sip:a;transport=ws' has the transport ws",
    )
    check(b"1 sip:a 0 0 probe=http://h:x\n", "invalid_destination", "line 1: 'http://h:x' is not a URL: ")
    check(
        b"1 sip:a 0 0 probe=https:///health\n",
        "invalid_destination",
        "line 1: 'https:///health' names no host",
    )


def test_who_is_never_probed_may_have_any_transport(client: httpx.Client) -> None:
    assert client.post("/list", content=b"1 sip:a;transport=ws 32\n", headers=TEXT).status_code == 200


def test_the_capacity_of_a_set_is_told(serve: Serve) -> None:
    client = serve(b"1 sip:a 32 0 maxload=4\n1 sip:b 32 0 maxload=4\n2 sip:c 32\n")
    client.post("/calls", json={"call_id": "a"})
    told = {
        "utilisation": 0.125,
        "load": 1,
        "capacity": 8,
        "members": 2,
        "slots": 8,
        "busiest": 0.25,
        "desired": None,
    }
    assert client.get("/capacity").json() == told
    nobody = {
        "utilisation": None,
        "load": 0,
        "capacity": 0,
        "members": 0,
        "slots": 0,
        "busiest": None,
        "desired": None,
    }
    assert client.get("/capacity?set=2").json() == nobody
    refused = client.get("/capacity?set=3")
    assert (refused.status_code, refused.json()["code"]) == (404, "no_such_set")


def test_the_desired_size_is_told_where_scaling_is_configured(serve: Serve, events: Events) -> None:
    client = serve(b"1 sip:a 32 0 maxload=4\n", scaling={"min_members": 3, "hold": 0})
    events.wait_for(lambda event: isinstance(event, Scale))
    assert client.get("/capacity").json()["desired"] == 3


def test_explain_and_recent_say_why(client: httpx.Client) -> None:
    explained = client.get("/explain", params={"call_id": "a", "class": "healthcare", "cost": 2}).json()
    assert explained["code"] is None
    assert [row["destination"]["id"] for row in explained["rows"]] == ["b1", "b2"]
    assert {row["standing"] for row in explained["rows"]} == {"candidate"}
    assert [row["key"] for row in explained["rows"]] == [2, 2]
    assert client.get("/recent").json() == []
    placed = client.post("/calls", json={"call_id": "a", "cost": 2}).json()
    client.post("/calls", json={"call_id": "a", "cost": 2})
    [recent] = client.get("/recent").json()
    assert (recent["call_id"], recent["destination"]) == ("a", placed["destination"])
    assert placed["destination"] == explained["destination"]
    assert recent["rows"] == explained["rows"]
    # Of so many calls in a second not each one is explained, but each one is there.
    for number in range(21):
        client.post("/calls", json={"call_id": f"n{number}"})
        client.delete(f"/calls/n{number}")
    assert [recent["call_id"] for recent in client.get("/recent").json()] == [
        f"n{number}" for number in range(20, 0, -1)
    ]


def test_explain_says_why_not(client: httpx.Client) -> None:
    for bridge_id in ("b1", "b2"):
        client.post(f"/bridges/{bridge_id}/disable")
    explained = client.get("/explain?call_id=a").json()
    assert (explained["destination"], explained["code"]) == (None, "all_down")
    assert [row["standing"] for row in explained["rows"]] == ["disabled", "disabled"]
    assert client.get("/explain?call_id=a&set=9").json() == {
        "destination": None,
        "code": "no_such_set",
        "rows": [],
    }
    assert client.get("/explain").json()["detail"] == "query.call_id: Field required"
    assert (
        client.get("/explain?call_id=a&clas=x").json()["detail"]
        == "query.clas: Extra inputs are not permitted"
    )


def test_metrics_and_health_are_there(client: httpx.Client) -> None:
    metrics = client.get("/metrics")
    assert metrics.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert 'callsteer_decisions_total{outcome="placed"} 0\n' in metrics.text
    assert client.get("/healthz").status_code == 204

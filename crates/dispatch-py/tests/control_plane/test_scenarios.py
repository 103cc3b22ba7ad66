"""Every control plane does what `examples/contract.json` says: requests, and what comes back, in order."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import pytest

from callsteer.fastapi.report_keys import HEADER, Sent

from .conftest import Serve

SCENARIOS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[4] / "examples" / "contract.json").read_text()
)
Json: TypeAlias = "dict[str, Json] | list[Json] | str | float | bool | None"
SENT = {"about", "send", "headers", "json", "text", "bytes", "signs"}
KNOWN = SENT | {"status", "carries", "gives", "says", "problem"}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario["name"] for scenario in SCENARIOS])
def test_scenario(scenario: dict[str, Any], serve: Serve) -> None:
    config = {"probing": {"mode": "off"}} | scenario.get("config", {})
    keys = {bridge: key.encode() for bridge, key in scenario.get("report_keys", {}).items()}
    client = serve(scenario["list"].encode(), scenario.get("token"), keys, **config)
    # The exchanges show the token, or none, as they like.
    client.headers.pop("authorization", None)
    now = time.time_ns() // 1_000_000
    for number, exchange in enumerate(scenario["exchanges"], 1):
        assert exchange.keys() <= KNOWN
        check(send(client, exchange, now), exchange, f"exchange {number}: {exchange['send']}")


def send(client: httpx.Client, exchange: dict[str, Any], now: int) -> httpx.Response:
    method, target = exchange["send"].split(" ")
    headers, content = exchange.get("headers", {}), None
    if "json" in exchange:
        headers, content = {"content-type": "application/json"} | headers, json.dumps(exchange["json"])
    elif "text" in exchange:
        headers, content = {"content-type": "text/plain"} | headers, exchange["text"]
    elif "bytes" in exchange:
        content = "x" * exchange["bytes"]
    if "signs" in exchange:
        sent = {
            "target": target,
            "type": headers.get("content-type", ""),
            "orca": headers.get("endpoint-load-metrics", ""),
            "body": content or "",
        }
        headers = headers | {HEADER: signature(method, sent, now, **exchange["signs"])}
    return client.request(method, target, headers=headers, content=content)


def signature(
    method: str, sent: dict[str, str], now: int, key: str, at: int, said: int | None = None, **other: str
) -> str:
    """Of what is sent, or of something else that is named; `at` is in milliseconds from the beginning."""
    assert other.keys() <= sent.keys()
    target, kind, orca, body = (sent | other).values()
    signed = Sent(method, target.encode(), kind, orca.encode(), body.encode())
    value = signed.signature(key.encode(), now + at)
    return value if said is None else value.replace(f"t={now + at},", f"t={now + said},")


def check(answer: httpx.Response, exchange: dict[str, Any], where: str) -> None:
    assert answer.status_code == exchange["status"], f"{where}: {answer.text}"
    for name, value in exchange.get("carries", {}).items():
        assert answer.headers[name] == value, where
    if "problem" in exchange:
        assert answer.headers["content-type"] == "application/problem+json", where
        covers(answer.json(), {"status": exchange["status"], "code": exchange["problem"]}, where)
    if "gives" in exchange:
        covers(answer.json(), exchange["gives"], where)
    assert exchange.get("says", "") in answer.text, where


def covers(value: Any, expected: Json, where: str) -> None:
    """Whether a value has everything that is expected; arrays have as many items."""
    if isinstance(expected, list):
        assert len(value) == len(expected), f"{where}: {value}"
        for number, (one, other) in enumerate(zip(value, expected, strict=True)):
            covers(one, other, f"{where}[{number}]")
    elif isinstance(expected, dict):
        for name, item in expected.items():
            covers(value[name], item, f"{where}.{name}")
    else:
        assert value == expected, where

"""Signed reports: the bytes that are signed, keys as they are read, and the example's bridge."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from callsteer.fastapi import ControlPlane, Settings, SettingsError
from callsteer.fastapi.problems import Refusal
from callsteer.fastapi.report_keys import MAX_SKEW, ReportKeys, Sent, parse

from .conftest import BRIDGES, Serve, served
from .test_example import bridge_module, until

__all__ = ["bridge_module"]

ROOT = Path(__file__).parents[4]
VECTORS: list[dict[str, Any]] = json.loads((ROOT / "testdata/http/report_signatures.json").read_text())[
    "signatures"
]
KEY = b"6b1f0a2de84c4f7f9d3b5a7c2e9018d4"


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["about"] for vector in VECTORS])
def test_a_vector(vector: dict[str, Any], bridge_module: ModuleType) -> None:
    method, target, kind, orca, body = (vector[name] for name in ("method", "target", "type", "orca", "body"))
    sent = Sent(method, target.encode(), kind, orca.encode(), body.encode())
    key, at = vector["key"].encode(), vector["at"]
    assert vector["signed"] == "\n".join(["v1", method, target, str(at), kind, orca, body])
    assert sent.signature(key, at) == vector["signature"]
    if kind == "application/json":
        assert bridge_module.signature(vector["key"], at, target, body.encode()) == vector["signature"]
    ReportKeys({"b1": key}).check("b1", vector["signature"], sent, now=at / 1_000)


def test_the_documentation_has_the_first_vector() -> None:
    page = (ROOT / "docs/control-plane.md").read_text()
    assert f"```text\n{VECTORS[0]['signed']}\n```" in page
    assert f"Callsteer-Signature: {VECTORS[0]['signature']}" in page
    assert VECTORS[0]["key"] in page


def test_clocks_may_be_so_far_apart_and_no_further() -> None:
    sent = Sent("POST", b"/bridges/b1/report", "text/plain", b"", b"up\n")

    def check(seconds: float, code: str | None) -> None:
        at = 1_790_000_000_000
        try:
            ReportKeys({"b1": KEY}).check("b1", sent.signature(KEY, at), sent, at / 1_000 + seconds)
        except Refusal as refusal:
            assert (refusal.code, refusal.status) == (code, 401)
        else:
            assert code is None

    check(MAX_SKEW, None)
    check(-MAX_SKEW, None)
    check(MAX_SKEW + 1, "invalid_signature")
    check(-MAX_SKEW - 1, "invalid_signature")


def test_a_forged_report_does_not_keep_the_next_real_one_out() -> None:
    sent = Sent("POST", b"/bridges/b1/report", "text/plain", b"", b"up\n")
    keys, at = ReportKeys({"b1": KEY}), 1_790_000_000_000
    with pytest.raises(Refusal):
        keys.check("b1", sent.signature(KEY[::-1], at + 1), sent, at / 1_000)
    keys.check("b1", sent.signature(KEY, at), sent, at / 1_000)


def test_keys_are_read_with_what_is_wrong_and_where() -> None:
    def check(text: bytes, wrong: str) -> None:
        with pytest.raises(ValueError, match=wrong):
            parse(text)

    key, other = KEY, KEY[::-1]
    text = b"# of the fleet\n\nb1 %s\r\n  sip:10.0.0.1\t%s\n" % (key, other)
    assert parse(text) == {"b1": key, "sip:10.0.0.1": other}
    assert parse(b"") == {}
    check(b"b1\n", "line 1: is a bridge's id and its key")
    check(b"\nb1 %s x\n" % key, "line 2: is a bridge's id and its key")
    check(b"b1 %s\nb1 %s\n" % (key, other), "line 2: 'b1' stands there twice")
    check(b"b1 %s\n" % key[1:], "line 1: the key has 31 bytes, fewer than 32")
    check(b"\xff %s\n" % key, "utf-8")
    with pytest.raises(SettingsError, match="the report key of 'b1' has fewer than 32 bytes"):
        Settings(report_keys={"b1": key[1:]})


def test_a_key_of_no_bridge_is_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    ControlPlane(Settings(bridges=BRIDGES, report_keys={"b1": KEY, "b9": KEY}))
    assert [record.getMessage() for record in caplog.records] == [
        "there is a report key for 'b9', and no such bridge"
    ]


def test_the_bridge_of_the_example_signs(
    serve: Serve, bridge_module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    control = serve(report_keys={"b1": KEY})
    monkeypatch.setenv("CONTROL_URL", str(control.base_url))
    monkeypatch.setenv("REPORT_KEY", KEY.decode())
    monkeypatch.setenv("REPORT_INTERVAL", "0.01")
    with served(bridge_module.app, token=None):
        assert until(lambda: control.get("/bridges").json()[0]["score"] == 0)
    assert control.get("/bridges").json()[0]["standing"] == "draining"

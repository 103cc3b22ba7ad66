"""The example's bridge, with a control plane: what it reports is what it does, tool calls included."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from .conftest import TOKEN, Serve, served

BRIDGE = Path(__file__).parents[4] / "examples" / "fastapi" / "bridge.py"


@pytest.fixture
def bridge_module() -> ModuleType:
    """A bridge of its own: its application is made where the module is."""
    spec = importlib.util.spec_from_file_location("bridge", BRIDGE)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["bridge"] = module
    spec.loader.exec_module(module)
    return module


def until(said: Callable[[], Any]) -> Any:
    """Asks until the answer is true: what is waited for comes by itself."""
    while not (answer := said()):
        pass
    return answer


def test_a_bridge_answers_calls_and_reports_its_load(
    serve: Serve, bridge_module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    control = serve(algorithm="load_score")

    def b1() -> dict[str, Any]:
        found: dict[str, Any] = control.get("/bridges").json()[0]
        return found

    monkeypatch.setenv("CONTROL_URL", str(control.base_url))
    monkeypatch.setenv("CALLSTEER_TOKEN", TOKEN)
    monkeypatch.setenv("BRIDGE_CAPACITY", "2")
    monkeypatch.setenv("REPORT_INTERVAL", "0.01")
    with served(bridge_module.app, token=None) as bridge:
        assert until(lambda: b1()["score"] == 0)
        monkeypatch.setattr(
            bridge_module.app.state.bridge.settings, "tool_url", f"{bridge.base_url}/tools/orders"
        )
        talk = {"call_id": "a", "turns": 1_000, "turn": 60, "tool_share": 0}
        assert bridge.post("/calls", json=talk).status_code == 204
        assert bridge.post("/calls", json=talk).status_code == 204
        assert until(lambda: b1()["score"] == 0.5)
        # A tool call takes what two calls do: 1 + 1 + 2 of 2.
        assert bridge.post("/calls", json=talk | {"call_id": "b", "tool_share": 1}).status_code == 204
        assert until(lambda: b1()["score"] > 1.5)
        full = bridge.post("/calls", json=talk | {"call_id": "c"})
        assert (full.status_code, full.headers["retry-after"]) == (503, "5")
        assert bridge.delete("/calls/a").status_code == 204
        assert until(lambda: b1()["score"] == 0.5)
        assert bridge.get("/healthz").status_code == 204
    assert b1()["standing"] == "draining"


def test_a_bridge_without_a_control_plane_answers_all_the_same(
    bridge_module: ModuleType, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("CONTROL_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("REPORT_INTERVAL", "0.01")
    with served(bridge_module.app, token=None) as bridge:
        assert bridge.post("/calls", json={"call_id": "a"}).status_code == 204
        assert until(lambda: "the report did not arrive" in caplog.text)
        assert bridge.post("/calls", json={"call_id": ""}).status_code == 422


def test_the_list_of_the_example_is_read(serve: Serve) -> None:
    client: httpx.Client = serve((BRIDGE.parent / "dispatcher.list").read_bytes())
    assert [bridge["id"] for bridge in client.get("/bridges").json()] == ["b1", "b2"]

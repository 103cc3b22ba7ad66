"""What a control plane with `--state` remembers when it is started again."""

from __future__ import annotations

import contextlib
import json
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

import callsteer
from callsteer.fastapi import ControlPlane, Settings, SettingsError
from callsteer.fastapi.schemas import CallRequest, Failure
from callsteer.fastapi.store import StateError, Store

from .test_process import running

BRIDGES = b"1 sip:10.0.0.1 32\n1 sip:10.0.0.2 32\n"
OTHERS = b"1 sip:10.0.0.1 32\n1 sip:10.0.0.9 32\n"
OFF = {"probing": {"mode": "off"}}


def start(path: Path, bridges: bytes = BRIDGES, **config: object) -> ControlPlane:
    return ControlPlane(Settings(config=OFF | config, bridges=bridges, state=path))


def crash(plane: ControlPlane) -> None:
    """What is left of it is the file."""
    assert plane.kept
    plane.kept.crash()


def test_a_control_plane_that_is_killed_200_times_loses_nothing_that_it_answered(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.control_plane.killed", str(tmp_path / "state"), "200", "7"]
    done = subprocess.run(
        command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "200 kills survived" in done.stdout


def test_what_was_answered_over_http_is_known_after_a_kill(tmp_path: Path) -> None:
    (tmp_path / "list").write_bytes(BRIDGES)
    arguments = ["--list", str(tmp_path / "list"), "--state", str(tmp_path / "state"), "--port", "0"]
    answered: dict[str, object] = {}
    for life in range(3):
        with running(*arguments) as (process, url), httpx.Client(base_url=url) as client:
            for call_id, placed in answered.items():
                assert client.get(f"/calls/{call_id}").json()["destination"] == placed
                assert client.post("/calls", json={"call_id": call_id}).status_code == 200
            for number in range(20):
                answer = client.post("/calls", json={"call_id": f"call-{life}-{number}"})
                assert answer.status_code == 201
                answered[f"call-{life}-{number}"] = answer.json()["destination"]
            over, _ = answered.popitem()
            assert client.delete(f"/calls/{over}").status_code == 204
            process.kill()
    with running(*arguments) as (process, url), httpx.Client(base_url=url) as client:
        assert sum(bridge["calls"] for bridge in client.get("/bridges").json()) == len(answered)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0


def test_everything_that_was_done_is_there_again(tmp_path: Path) -> None:
    plane = start(tmp_path / "state", tenants={"sales": {"max_calls": 9}})
    for number in range(9):
        call = CallRequest.model_validate({"call_id": f"call-{number}", "tenant": "sales", "class": "voice"})
        plane.begin(call)
    with pytest.raises(callsteer.TenantFull):
        plane.begin(CallRequest(call_id="call-9", tenant="sales"))
    plane.confirm("call-0")
    plane.fail("call-1", Failure(reply=503))
    plane.fail("call-2", Failure(reply=486))
    plane.end("call-2")
    plane.report("sip:10.0.0.1", 1, callsteer.Report(score=0.4, active_calls=4, sequence=3))
    plane.drain("sip:10.0.0.1", 1, 600.0)
    plane.set_enabled("sip:10.0.0.2", 1, False)
    plane.replace_list(OTHERS, dry_run=False)
    plane.reconcile("sip:10.0.0.1", 1, [])
    before = dict(plane.dispatcher), plane.dispatcher.stats(), plane.dispatcher.tenant_calls("sales")
    crash(plane)
    again = start(tmp_path / "state", tenants={"sales": {"max_calls": 9}})
    after = dict(again.dispatcher), again.dispatcher.stats(), again.dispatcher.tenant_calls("sales")
    assert [(one.id, status) for one, status in before[0].items()] == [
        (one.id, status) for one, status in after[0].items()
    ]
    assert before[1:] == after[1:]


def test_a_list_that_was_posted_stays_until_another_one_is_named(tmp_path: Path) -> None:
    def ids(plane: ControlPlane) -> list[str]:
        return [bridge.id for bridge in plane.bridges()]

    plane = start(tmp_path / "state")
    plane.replace_list(OTHERS, dry_run=False)
    crash(plane)
    plane = start(tmp_path / "state")
    assert ids(plane) == ["sip:10.0.0.1", "sip:10.0.0.9"]
    crash(plane)
    plane = start(tmp_path / "state", b"1 sip:10.0.0.3 32\n")
    assert ids(plane) == ["sip:10.0.0.3"]
    crash(plane)


def test_where_nothing_can_be_written_nothing_is_answered_and_probes_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(bridges=b"1 sip:10.0.0.1\n", state=tmp_path / "state")
    plane = ControlPlane(settings)
    assert plane.kept
    start_of_it = plane.now()
    monkeypatch.setattr(plane.kept, "_clock", lambda: start_of_it + 20)

    def full(*_: object) -> None:
        raise StateError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(Store, "append", full)
        with pytest.raises(StateError, match="the disk is full"):
            plane.begin(CallRequest(call_id="a"))
        assert plane.dispatcher.stats().calls == 0
        assert plane.dispatcher.poll_probe() is not None
    plane.begin(CallRequest(call_id="b"))
    before = plane.dispatcher.snapshot_json()
    crash(plane)
    again = ControlPlane(settings)
    after = again.dispatcher.snapshot_json()
    assert json.loads(after)["state"]["rng"] == json.loads(before)["state"]["rng"]
    crash(again)


def test_an_end_in_order_leaves_nothing_to_do_again(tmp_path: Path) -> None:
    plane = start(tmp_path / "state")
    plane.begin(CallRequest(call_id="a"))
    assert plane.kept
    plane.kept.close()
    with contextlib.closing(sqlite3.connect(tmp_path / "state")) as file:
        assert file.execute("SELECT count(*) FROM operation").fetchone() == (0,)
    plane = start(tmp_path / "state")
    assert plane.dispatcher.stats().calls == 1
    crash(plane)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DELETE FROM operation WHERE number = 2", "is damaged: operation 2 is missing. Move it away"),
        ("UPDATE operation SET arguments = '[' WHERE number = 2", "is damaged: .*Move it away"),
        ("UPDATE operation SET name = '__init__' WHERE number = 2", "operation '__init__' is not known"),
        ("UPDATE snapshot SET data = substr(data, 1, length(data) - 1)", "is damaged: .*cut off"),
        ("DELETE FROM snapshot", "there is a journal, and no snapshot"),
        ("UPDATE snapshot SET version = '0.0.9'", "made by version 0.0.9, which ended in the middle"),
        ("PRAGMA user_version = 9", "has version 9 of the format, and 1 is read here"),
        ("PRAGMA application_id = 9", "is a database of something else"),
    ],
)
def test_a_damaged_state_is_refused_and_said(tmp_path: Path, statement: str, said: str) -> None:
    plane = start(tmp_path / "state")
    for call_id in "abc":
        plane.begin(CallRequest(call_id=call_id))
    crash(plane)
    with contextlib.closing(sqlite3.connect(tmp_path / "state", isolation_level=None)) as file:
        file.execute(statement)
    with pytest.raises(SettingsError, match=said):
        start(tmp_path / "state")


def test_what_is_no_state_or_another_one_s_is_refused_and_said(tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_bytes(b"1 sip:10.0.0.1\n" * 99)
    with pytest.raises(SettingsError, match="state is damaged: file is not a database. Move it away"):
        start(path)
    with pytest.raises(SettingsError, match="unable to open database file"):
        start(tmp_path / "nowhere" / "state")
    plane = start(tmp_path / "other")
    with pytest.raises(SettingsError, match="in use by another process"):
        start(tmp_path / "other")
    crash(plane)
    with pytest.raises(SettingsError, match="made with another configuration"):
        start(tmp_path / "other", seed=9)
    # Nothing of it was changed.
    crash(start(tmp_path / "other"))

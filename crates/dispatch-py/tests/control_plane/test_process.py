"""The command `python -m callsteer.fastapi`: what it says, and how it ends."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Generator
from pathlib import Path

import httpx
import pytest

from callsteer.fastapi import Settings, SettingsError
from callsteer.fastapi.__main__ import main

from .conftest import BRIDGES, TOKEN

COMMAND = [sys.executable, "-m", "callsteer.fastapi"]


def environment(token: str | None) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if name != "CALLSTEER_TOKEN"}
    return own if token is None else own | {"CALLSTEER_TOKEN": token}


@contextlib.contextmanager
def running(*arguments: str, token: str | None = None) -> Generator[tuple[subprocess.Popen[str], str]]:
    """The process, and where it says that it listens."""
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(token),
    )
    try:
        assert process.stdout
        line = process.stdout.readline()
        assert line.startswith("listening on http://"), line + process.communicate(timeout=30)[1]
        yield process, line.split()[-1]
    finally:
        process.kill()
        process.communicate(timeout=30)


Refused = Callable[..., str]


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Refused:
    """What it says where it does not start."""

    def start(*arguments: str, token: str | None = None) -> str:
        monkeypatch.delenv("CALLSTEER_TOKEN", raising=False)
        if token is not None:
            monkeypatch.setenv("CALLSTEER_TOKEN", token)
        try:
            status: str | int | None = main(list(arguments))
        except SystemExit as ended:
            status = ended.code
        said = capsys.readouterr()
        assert (status, said.out) == (2, "")
        return said.err.rstrip("\n")

    return start


def test_it_says_where_it_listens_and_ends_cleanly_when_asked(tmp_path: Path) -> None:
    bridges, config = tmp_path / "dispatcher.list", tmp_path / "callsteer.json"
    bridges.write_bytes(BRIDGES)
    config.write_text('{"algorithm": "round_robin", "retry_after": 3}')
    for ends in (signal.SIGTERM, signal.SIGINT):
        with running("--list", str(bridges), "--config", str(config), "--port", "0") as (process, url):
            placed = httpx.post(f"{url}/calls", json={"call_id": "a"}, trust_env=False)
            assert placed.status_code == 201
            process.send_signal(ends)
            _, said = process.communicate(timeout=30)
            assert process.returncode == 0, said
            assert "Traceback" not in said
            assert "Added" in said


def test_a_killed_one_can_be_started_again_at_its_port(tmp_path: Path) -> None:
    with running("--port", "0") as (process, url):
        with httpx.Client(trust_env=False) as client:
            assert client.get(f"{url}/healthz").status_code == 204
            process.kill()
            process.communicate(timeout=30)
        with running("--port", url.rsplit(":", 1)[1]) as (_, again):
            assert again == url
            assert httpx.get(f"{url}/bridges", trust_env=False).json() == []


def test_a_port_in_use_is_said(refused: Refused) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refused("--port", str(port))
        assert said == f"callsteer: cannot listen on 127.0.0.1, port {port}: Address already in use"


def test_an_address_that_is_not_here_is_said(refused: Refused) -> None:
    assert refused("--host", "192.0.2.1", token=TOKEN).startswith(
        "callsteer: cannot listen on 192.0.2.1, port 8080: "
    )
    assert refused("--host", "no.such.host.invalid").startswith(
        "callsteer: cannot listen on no.such.host.invalid"
    )
    for port in ("65536", "-1", "http"):
        assert refused(f"--port={port}").endswith(
            f"error: argument --port: a port is 0 to 65535, not {port!r}"
        )


def test_without_a_token_it_starts_on_a_loopback_address_only(refused: Refused) -> None:
    assert refused("--host", "0.0.0.0", "--port", "0") == (
        "callsteer: 0.0.0.0 is no loopback address: set CALLSTEER_TOKEN, which clients must then show"
    )
    assert refused("--host", "::", "--port", "0").startswith("callsteer: :: is no loopback address")
    for wrong in ("", "a b", "a\n", "\u00e9"):
        with pytest.raises(SettingsError):
            Settings(token=wrong)
        assert refused(token=wrong).startswith("callsteer: CALLSTEER_TOKEN is empty, or has a space")
    with running("--host", "0.0.0.0", "--port", "0", token=TOKEN) as (_, url):
        port = url.rsplit(":", 1)[1]
        here = f"http://127.0.0.1:{port}/calls"
        assert httpx.post(here, json={"call_id": "a"}, trust_env=False).status_code == 401
        allowed = httpx.post(
            here, json={"call_id": "a"}, headers={"authorization": f"Bearer {TOKEN}"}, trust_env=False
        )
        assert allowed.json()["code"] == "no_such_set"


def test_a_wrong_file_is_said_with_its_place(refused: Refused, tmp_path: Path) -> None:
    def check(option: str, text: bytes, expected: str) -> None:
        file = tmp_path / "file"
        file.write_bytes(text)
        assert refused(option, str(file), "--port", "0").startswith(f"callsteer: {file}: {expected}")

    check("--config", b'{"algorithm": "round_robbin"}', "algorithm: unknown variant `round_robbin`")
    check("--config", b'{"algoritm": "random"}', "algoritm: unknown field `algoritm`")
    check("--config", b'{"clock": 1}', "clock: ")
    check("--config", b'{"setup_timeout": 0}', "setup_timeout: is 1 ms to 10 years")
    check("--config", b'{"health": {"probing_threshold": "3"}}', "health.probing_threshold: invalid type")
    check("--config", b'{\n  "seed": 1,\n}', "line 3, column 1: ")
    check("--config", b'{"seed": 1, "seed": 2}', "seed stands there twice")
    check("--config", b"[]", "a configuration is an object of options")
    check("--config", b"\xff", "")
    check("--list", b"1 sip:a\n1 sip:b weight=0\n", "line 2, column 16: weight is 1 to 65535")
    check("--list", b"1 sip:a;transport=ws\n", "line 1: 'sip:a;transport=ws' has the transport ws")
    check("--report-keys", b"b1 short\n", "line 1: the key has 5 bytes, fewer than 32")
    missing = tmp_path / "missing"
    assert refused("--list", str(missing)) == f"callsteer: {missing}: No such file or directory"

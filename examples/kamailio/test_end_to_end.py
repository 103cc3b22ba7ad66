"""Kamailio with four workers, SIPp as caller and as four bridges: every call comes to its end, no count is left."""

import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator

import callsteer
import pytest

HERE = pathlib.Path(__file__).parent
SITE_PACKAGES = pathlib.Path(callsteer.__file__).parents[1]
# Probes so often, ejections so short, that a bridge comes and goes within seconds.
CONFIG = {
    "algorithm": "call_load",
    "probing": {"interval": 0.25, "timeout": 0.25},
    "ejection": {"base_time": 1},
    "warm_up": 0,
}
DEADLINE_SECONDS = 120


class Bench:
    """Everything that a test started; it ends with the test."""

    def __init__(self, folder: pathlib.Path, stack: contextlib.ExitStack) -> None:
        self.folder, self.stack = folder, stack
        self.ports = free_udp_ports(6)
        self.bridges = [f"sip:127.0.0.1:{port}" for port in self.ports[:4]]
        self.list = folder / "dispatcher.list"
        self.list.write_text("".join(f"1 {uri}\n" for uri in self.bridges))

    def start(self, name: str, *command: object, **settings: str) -> "subprocess.Popen[str]":
        output = (self.folder / f"{name}.log").open("w")
        self.stack.callback(output.close)
        process = subprocess.Popen(
            [str(word) for word in command],
            cwd=self.folder,
            env=os.environ | settings,
            stdout=subprocess.PIPE if name == "control-plane" else output,
            stderr=output,
            text=True,
        )
        self.stack.callback(stop, process)
        return process

    def bridge(self, index: int, scenario: str = "bridge") -> "subprocess.Popen[str]":
        port = self.ports[index]
        file = HERE / "scenarios" / f"{scenario}.xml"
        return self.start(f"bridge-{index}", "sipp", "-sf", file, "-i", "127.0.0.1", "-p", port, "-nostdin")

    def control_plane(self) -> str:
        config = self.folder / "config.json"
        config.write_text(json.dumps(CONFIG))
        options = ["--list", self.list, "--config", config, "--port", 0]
        process = self.start("control-plane", sys.executable, "-m", "callsteer.fastapi", *options)
        assert process.stdout is not None
        for line in process.stdout:
            if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                return found[0]
        raise AssertionError((self.folder / "control-plane.log").read_text())

    def kamailio(self, placement: str, url: str) -> None:
        run = self.folder / "kamailio"
        run.mkdir()
        options = ["-f", HERE / "kamailio.cfg", "-l", f"udp:127.0.0.1:{self.ports[4]}", "-DD", "-E", "-e"]
        options += ["-Y", run, "-P", run / "pid", "-m", 64, "-M", 16]
        options += ["-A", f'LIST="{self.list}"', "-A", f'SCRIPT="{HERE / "kemi.py"}"']
        self.start(
            "kamailio",
            "kamailio",
            *options,
            CALLSTEER_PLACEMENT=placement,
            CALLSTEER_URL=url,
            CALLSTEER_LIST=str(self.list),
            PYTHONPATH=str(SITE_PACKAGES),
        )
        self.wait_for_sip()

    def wait_for_sip(self) -> None:
        """Asks with OPTIONS until Kamailio answers."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            probe.settimeout(0.2)
            host, port = probe.getsockname()
            request = (
                f"OPTIONS sip:127.0.0.1:{self.ports[4]} SIP/2.0\r\nVia: SIP/2.0/UDP {host}:{port};branch=z9hG4bKready\r\n"
                f"From: <sip:test@{host}>;tag=1\r\nTo: <sip:127.0.0.1>\r\nCall-ID: ready@{host}\r\nCSeq: 1 OPTIONS\r\n"
                "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
            )
            for _ in range(100):
                with contextlib.suppress(TimeoutError, ConnectionRefusedError):
                    probe.sendto(request.encode(), ("127.0.0.1", self.ports[4]))
                    if probe.recv(4096).startswith(b"SIP/2.0 200"):
                        return
        raise AssertionError((self.folder / "kamailio.log").read_text()[-3000:])

    def caller(self, calls: int, per_second: int) -> "subprocess.Popen[str]":
        scenario = HERE / "scenarios" / "caller.xml"
        options = ["-i", "127.0.0.1", "-p", self.ports[5], "-m", calls, "-r", per_second, "-nostdin"]
        options += ["-trace_logs", "-log_file", "calls.log", "-trace_err", "-error_file", "errors.log"]
        return self.start("caller", "sipp", "-sf", scenario, f"127.0.0.1:{self.ports[4]}", *options)

    def ended(self) -> list[tuple[str, str, str]]:
        """How each call ended, its Call-ID, and the bridge that it was at (empty unless it was answered)."""
        lines = (self.folder / "calls.log").read_text().splitlines()
        fields = [(line + " ").split(" ") for line in lines]
        return [(how, call_id, uri) for how, call_id, uri, *_ in fields]


@pytest.fixture
def bench(tmp_path: pathlib.Path) -> Iterator[Bench]:
    with contextlib.ExitStack() as stack:
        yield Bench(tmp_path, stack)


def test_every_call_comes_to_its_end_though_bridges_refuse_and_die(bench: Bench) -> None:
    sound, refusing, dying, other = bench.bridges
    bench.bridge(0)
    bench.bridge(1, "refusing_bridge")
    doomed = bench.bridge(2)
    bench.bridge(3)
    url = bench.control_plane()
    bench.kamailio("control-plane", url)
    caller = bench.caller(calls=700, per_second=50)

    def bridges() -> dict[str, dict[str, object]]:
        return {bridge["uri"]: bridge for bridge in get(f"{url}/bridges")}

    def placed() -> int:
        return sum(int(bridge["placed"]) for bridge in bridges().values())

    while_running(caller, lambda: bridges()[dying]["calls"] >= 5)
    doomed.kill()
    while_running(caller, lambda: bridges()[dying]["observed"] == "inactive")
    known = bridges()[dying]["placed"]
    later = placed() + 100
    while_running(caller, lambda: placed() >= later)
    assert bridges()[dying]["placed"] == known, "a call went to a bridge that was known to be dead"

    bench.bridge(2)
    while_running(caller, lambda: bridges()[dying]["placed"] > known)
    assert caller.wait(DEADLINE_SECONDS) == 0, (bench.folder / "errors.log").read_text()[:3000]

    ended = bench.ended()
    assert len({call_id for _, call_id, _ in ended}) == len(ended) == 700
    hows = Counter(how for how, _, _ in ended)
    assert set(hows) <= {"completed", "cancelled", "lost"}, hows
    assert all(uri.startswith(dying) for how, _, uri in ended if how == "lost"), (
        "only the dead bridge loses calls"
    )
    took = Counter(uri for how, _, uri in ended if how == "completed")
    assert not any(uri.startswith(refusing) for uri in took)
    assert all(any(uri.startswith(bridge) for uri in took) for bridge in (sound, dying, other))
    assert bridges()[refusing]["ejected"] >= 1
    assert [(bridge["calls"], bridge["load"]) for bridge in bridges().values()] == [(0, 0)] * 4


@pytest.mark.parametrize("placement", ["by-hash", "control-plane"])
def test_without_a_control_plane_all_workers_send_a_call_where_its_hash_says(
    bench: Bench, placement: str
) -> None:
    bench.bridge(0)
    bench.bridge(1, "refusing_bridge")
    bench.bridge(2)  # and nobody is the fourth
    bench.kamailio(placement, f"http://127.0.0.1:{free_tcp_port()}")
    caller = bench.caller(calls=200, per_second=50)
    assert caller.wait(DEADLINE_SECONDS) == 0, (bench.folder / "errors.log").read_text()[:3000]

    ended = bench.ended()
    assert Counter(how for how, _, _ in ended).keys() == {"completed", "cancelled"}
    hashed = callsteer.Dispatcher(algorithm="call_id_hash", ejection={"enabled": False})
    for uri in bench.bridges:
        hashed.add(callsteer.Destination(uri))
    for call_id, uri in [(call_id, uri) for how, call_id, uri in ended if how == "completed"]:
        placed = hashed.begin(call_id)
        while placed.destination.uri in (bench.bridges[1], bench.bridges[3]):
            placed = hashed.next(placed.lease)
        assert uri.startswith(placed.destination.uri), call_id


def while_running(process: "subprocess.Popen[str]", condition: Callable[[], bool]) -> None:
    """Waits for a condition that must come true while the process runs."""
    while not condition():
        with contextlib.suppress(subprocess.TimeoutExpired):
            raise AssertionError(f"ended with {process.wait(0.02)} before that")


def get(url: str) -> list[dict[str, object]]:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def stop(process: "subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()


def free_udp_ports(count: int) -> list[int]:
    """SIPp and Kamailio take no port 0: these were free a moment ago."""
    with contextlib.ExitStack() as stack:
        sockets = [
            stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(count)
        ]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def free_tcp_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]

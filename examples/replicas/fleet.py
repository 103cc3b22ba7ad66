"""A Redis and control planes of both languages, each a process, for as long as a test lasts."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
"""Seconds that a condition is waited for until the test fails."""
SETTLES = 5.0
"""Seconds after the last call in which nobody counts any more: 5 full deltas, and more than `lost_after`."""


class Redis:
    """A real redis-server on a socket of its own, which can be killed, stopped and started again, empty."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "redis.sock"
        self.url = f"unix://{self.socket}"
        self._folder = folder
        self.start()

    def start(self) -> None:
        nothing_kept = ["--save", "", "--appendonly", "no", "--dir", str(self._folder)]
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", str(self.socket), *nothing_kept],
            stdout=subprocess.DEVNULL,
        )

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def hang(self) -> None:
        """It keeps its connections and answers nobody, as behind a network that loses everything."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def ask(self, *command: str) -> list[str]:
        """What it answers, line by line."""
        line = ["redis-cli", "-s", str(self.socket), *command]
        return subprocess.run(line, capture_output=True, text=True, check=True).stdout.splitlines()

    def places(self) -> int:
        """Places that are leased, of all bridges and replicas."""
        keys = self.ask("KEYS", "{callsteer}:places:*")
        return sum(int(held) for key in keys if key for held in self.ask("HVALS", key) if held)


class Way:
    """A way to the Redis that can be cut, for whoever takes it, or lose answers to commands."""

    def __init__(self, folder: Path, redis: Redis) -> None:
        self.socket = folder / "way.sock"
        self.url, self._redis = f"unix://{self.socket}", redis
        self._open: set[asyncio.StreamWriter] = set()
        self.loses: bytes | None = None
        """Commands with this reach the engine; their answers do not come back."""
        self.but_first: bytes | None = None
        """Nothing is lost before an answer with this came back."""
        self.lost = 0
        self._server: asyncio.Server | None = None

    async def mend(self) -> None:
        self._server = await asyncio.start_unix_server(self._carry, self.socket)

    async def cut(self) -> None:
        assert self._server
        self._server.close()
        for writer in self._open:
            writer.close()
        self._open.clear()
        self.socket.unlink(missing_ok=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there_reader, there_writer = await asyncio.open_unix_connection(self._redis.socket)
        except OSError:
            writer.close()
            return
        self._open |= {writer, there_writer}
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(self._ask(reader, there_writer, writer), self._answer(there_reader, writer))

    async def _ask(
        self, reader: asyncio.StreamReader, there: asyncio.StreamWriter, back: asyncio.StreamWriter
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                there.write(data)
                await there.drain()
                if self.loses and self.loses in data and self.but_first is None:
                    self.lost += 1
                    back.close()
                    return
        there.close()

    async def _answer(self, there: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await there.read(65_536):
                if self.but_first and self.but_first in data:
                    self.but_first = None
                back.write(data)
                await back.drain()
        back.close()


@dataclass
class Plane:
    """A control plane, and a client of it that keeps its connections."""

    name: str
    process: subprocess.Popen[str]
    url: str
    free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(
        default_factory=list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]
    )

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """The status and the JSON of an answer. Raises `OSError` where nobody answers."""
        content = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {len(content)}\r\n"
        kind = "content-type: application/json\r\n" if content else ""
        host, port = self.url.removeprefix("http://").split(":")
        reader, writer = self.free.pop() if self.free else await asyncio.open_connection(host, port)
        try:
            writer.write(f"{head}{kind}\r\n".encode() + content)
            status, length = int((await reader.readuntil(b"\r\n")).split()[1]), 0
            while (line := await reader.readuntil(b"\r\n")) != b"\r\n":
                name, _, value = line.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
            text = await reader.readexactly(length)
        except (OSError, EOFError, IndexError) as error:
            writer.close()
            raise ConnectionError(f"{self.name} does not answer") from error
        self.free.append((reader, writer))
        return status, json.loads(text) if text else None

    async def bridges(self) -> dict[str, dict[str, Any]]:
        _, bridges = await self.ask("GET", "/bridges")
        return {bridge["id"]: bridge for bridge in bridges}

    async def metric(self, name: str) -> float:
        reader, writer = await asyncio.open_connection(*self.url.removeprefix("http://").split(":"))
        writer.write(b"GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        text = (await reader.read()).decode()
        writer.close()
        return float(next(line.split()[-1] for line in text.splitlines() if line.startswith(name)))

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()
        self.close()

    def close(self) -> None:
        while self.free:
            self.free.pop()[1].close()


class Fleet:
    """Four control planes, two of each language, over the same bridges."""

    def __init__(self, folder: Path, redis: Redis, bridges: int, most: int, limits: str) -> None:
        self.redis, self.most = redis, most
        self._list, self._config = folder / "dispatcher.list", folder / "callsteer.json"
        lines = [f"1 sip:127.0.0.1:{6000 + n} 32 0 duid=b{n};maxload={most}\n" for n in range(bridges)]
        self._list.write_text("".join(lines))
        config = {"dispatchers": 4, "replicas": {"limits": limits, "lost_after": 3}, "hash_key": 7}
        self._config.write_text(json.dumps(config))
        self.planes: list[Plane] = []
        self.random = random.Random(7)
        self.left: list[tuple[str, str, int, int]] = []
        """Who still counts calls where, when that was last looked at."""

    def start(self, language: str, name: str, url: str | None = None) -> Plane:
        command = {
            "python": [sys.executable, "-m", "callsteer.fastapi"],
            "node": ["node", str(ROOT / "examples/node-control-plane/server.js")],
        }[language]
        options = ["--list", str(self._list), "--config", str(self._config), "--port", "0"]
        options += ["--replicas", url or self.redis.url, "--replica-id", name]
        environment = {key: value for key, value in os.environ.items() if key != "CALLSTEER_TOKEN"}
        process = subprocess.Popen(
            [*command, *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        assert process.stdout
        line = process.stdout.readline()
        assert line.startswith("listening on "), f"{name} did not start"
        plane = Plane(name, process, line.split()[-1])
        self.planes.append(plane)
        return plane

    def any(self) -> Plane:
        """As a balancer chooses that knows nothing of calls."""
        return self.random.choice(self.planes)

    async def until(self, condition: Callable[[], Awaitable[bool]], what: str) -> float:
        """Waits for it; how long that took, in seconds."""
        began = time.monotonic()
        while not await condition():
            assert time.monotonic() - began < PATIENCE, f"never: {what}; {self.left}"
            await asyncio.sleep(0.05)
        return time.monotonic() - began

    async def all_know(self, others: int) -> bool:
        """Whether each hears so many others, and reaches the engine."""
        heard = [await plane.metric('callsteer_replicas{state="heard"}') for plane in self.planes]
        up = [await plane.metric("callsteer_replica_engine_up") for plane in self.planes]
        return all(count == others for count in heard) and all(up)

    async def calls(self) -> dict[str, int]:
        """Calls per bridge, of all control planes, as each counts its own."""
        sums: dict[str, int] = {}
        for plane in self.planes:
            for name, bridge in (await plane.bridges()).items():
                sums[name] = sums.get(name, 0) + bridge["calls"]
        return sums

    async def settles(self) -> None:
        """The last call has ended: everybody soon knows."""
        took = await self.until(self.is_idle, "nobody counts a call any more")
        print(f"counts are zero {took:.2f} s after the last call")
        assert took < SETTLES

    async def is_idle(self) -> bool:
        """Whether nobody counts anything anywhere."""
        self.left = [
            (plane.name, bridge["id"], bridge["calls"], bridge["elsewhere"])
            for plane in self.planes
            for bridge in (await plane.bridges()).values()
            if bridge["calls"] or bridge["elsewhere"]
        ]
        return not self.left


@contextlib.asynccontextmanager
async def running(
    folder: Path, *, bridges: int = 16, most: int = 10, limits: str = "shares"
) -> AsyncGenerator[tuple[Fleet, Way]]:
    """Two control planes of each language that know each other; `p2` takes a way that can be cut."""
    redis = Redis(folder)
    fleet, way = Fleet(folder, redis, bridges, most, limits), Way(folder, redis)
    try:
        await way.mend()
        for language, name in (("python", "p1"), ("python", "p2"), ("node", "n1"), ("node", "n2")):
            # Not on the event loop, which carries what p2 says.
            await asyncio.to_thread(fleet.start, language, name, way.url if name == "p2" else None)
        await fleet.until(lambda: fleet.all_know(3), "all know each other")
        yield fleet, way
    finally:
        redis.go_on()
        for plane in fleet.planes:
            plane.kill()
        await way.cut()
        redis.kill()


@dataclass
class Truth:
    """Where calls really are, by the answers that callers got."""

    at: dict[str, str] = field(default_factory=dict[str, str])
    highest: dict[str, int] = field(default_factory=dict[str, int])
    _there: dict[str, int] = field(default_factory=dict[str, int])

    def begins(self, call: str, bridge: str) -> None:
        self.at[call] = bridge
        self._there[bridge] = self._there.get(bridge, 0) + 1
        self.highest[bridge] = max(self.highest.get(bridge, 0), self._there[bridge])

    def ends(self, call: str) -> None:
        self._there[self.at.pop(call)] -= 1


async def said(it: bool) -> bool:
    """What is known already, where something is waited for."""
    return it


def path(call: str) -> str:
    return f"/calls/{quote(call, safe='')}"


async def place(fleet: Fleet, truth: Truth, call: str) -> bool:
    """Begins a call somewhere; whether it has a bridge. Who gets no answer gives up."""
    try:
        status, said = await fleet.any().ask("POST", "/calls", {"call_id": call})
    except ConnectionError:
        await insist(fleet, "DELETE", path(call))
        return False
    if status == 201:
        truth.begins(call, said["destination"]["id"])
    else:
        assert status == 503, said
    return status == 201


async def end(fleet: Fleet, truth: Truth, call: str) -> None:
    """Ends a call anywhere, as often as it takes. It is over at its bridge before anybody is told."""
    truth.ends(call)
    await insist(fleet, "DELETE", path(call))


async def insist(fleet: Fleet, method: str, where: str, body: Any = None) -> tuple[int, Any]:
    """Asks any control plane, and another one where the one that has the call is not reached."""
    began = time.monotonic()
    while True:
        with contextlib.suppress(ConnectionError):
            status, said = await fleet.any().ask(method, where, body)
            if status != 503:
                return status, said
        assert time.monotonic() - began < PATIENCE, f"never done: {method} {where}"
        await asyncio.sleep(0.05)


class Traffic:
    """Calls, so many at a time, that begin and end at any control plane."""

    def __init__(self, fleet: Fleet, width: int = 200) -> None:
        self.fleet, self.truth = fleet, Truth()
        self.placed = self.refused = 0
        self._width, self._count = width, 0

    async def run(self, calls: int) -> None:
        """So many calls from begin to end. Who is refused tries again a little later, as another call."""
        enough = self.placed + calls

        async def caller() -> None:
            while self.placed < enough:
                self._count += 1
                await self._call(f"call/{self._count}@pc33")

        await asyncio.gather(*(caller() for _ in range(self._width)))

    async def _call(self, call: str) -> None:
        if not await place(self.fleet, self.truth, call):
            self.refused += 1
            await asyncio.sleep(0.05)
            return
        self.placed += 1
        status, said = await insist(self.fleet, "POST", f"{path(call)}/confirm")
        # One whose replica was killed before anybody else knew of it is not known; it is at its bridge.
        assert status in (204, 404), said
        await end(self.fleet, self.truth, call)

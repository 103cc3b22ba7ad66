"""One control plane of each language among replicas that the test plays: what comes late, or not at all."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Any

import pytest
from fleet import ROOT, Fleet, Plane, Redis, Way, path, said

PREFIX = "{callsteer}:"
pytestmark = pytest.mark.parametrize("language", ["python", "node"])


class Puppet:
    """A replica that says and hears what the test lets it."""

    def __init__(self, name: str, fleet: Fleet) -> None:
        self.name, self._socket = name, fleet.redis.socket
        self._writer: asyncio.StreamWriter | None = None

    def leave(self) -> None:
        if self._writer:
            self._writer.close()

    async def appear(self) -> None:
        delta = {"replica": self.name, "epoch": 1, "beat": 1, "full": True, "counts": [], "wishes": []}
        await self.say("deltas", delta)

    async def say(self, channel: str, what: dict[str, Any]) -> None:
        reader, writer = await asyncio.open_unix_connection(self._socket)
        await tell(reader, writer, "PUBLISH", PREFIX + channel, json.dumps(what))
        writer.close()

    async def listen(self, channel: str) -> None:
        self._reader, self._writer = await asyncio.open_unix_connection(self._socket)
        await tell(self._reader, self._writer, "SUBSCRIBE", PREFIX + channel)

    async def hear(self) -> dict[str, Any]:
        """The next message that is JSON."""
        while True:
            line = await self._reader.readline()
            assert line, "the engine is gone"
            if line.startswith(b'{"'):
                return json.loads(line)

    async def say_no(self, ask: dict[str, Any]) -> None:
        await self.say(f"to:{ask['from']}", {"answer": ask["ask"], "from": self.name, "no": True})


@contextlib.contextmanager
def puppets(fleet: Fleet, *names: str) -> Generator[list[Puppet]]:
    all_of_them = [Puppet(name, fleet) for name in names]
    try:
        yield all_of_them
    finally:
        for puppet in all_of_them:
            puppet.leave()


async def tell(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *words: str) -> None:
    """Tells the engine a command, and waits for the first line of its answer."""
    parts = [f"${len(word.encode())}\r\n{word}\r\n" for word in words]
    writer.write(f"*{len(words)}\r\n{''.join(parts)}".encode())
    assert not (await reader.readline()).startswith(b"-")


@contextlib.asynccontextmanager
async def one_plane(folder: Path, language: str) -> AsyncGenerator[tuple[Fleet, Plane, Way]]:
    redis = Redis(folder)
    planes, way = Fleet(folder, redis, bridges=1, most=0, limits="shares"), Way(folder, redis)
    try:
        await way.mend()
        plane = await asyncio.to_thread(planes.start, language, "plane", way.url)
        await planes.until(lambda: planes.all_know(0), "it reaches the engine")
        yield planes, plane, way
    finally:
        for plane in planes.planes:
            plane.kill()
        await way.cut()
        redis.kill()


def test_who_did_not_hear_of_an_end_is_told_later_whatever_others_hear(tmp_path: Path, language: str) -> None:
    async def scenario() -> None:
        async with one_plane(tmp_path, language) as (fleet, plane, _):
            await who_heard(fleet, plane)

    async def who_heard(fleet: Fleet, plane: Plane) -> None:
        with puppets(fleet, "listening", "deaf") as (listening, deaf):
            for puppet in (listening, deaf):
                await puppet.appear()
            await fleet.until(lambda: fleet.all_know(2), "both are known")
            await listening.listen("asks")
            first = asyncio.create_task(plane.ask("DELETE", path("first")))
            ask = await listening.hear()
            # Everybody hears of another call before it is known what became of the first one.
            await deaf.listen("asks")
            second = asyncio.create_task(plane.ask("DELETE", path("second")))
            for puppet in (listening, deaf):
                await puppet.say_no(await puppet.hear())
            assert (await second)[0] == 204
            await listening.say_no(ask)
            assert (await first)[0] == 204
            assert fleet.redis.ask("LRANGE", f"{PREFIX}missed:deaf@1", "0", "-1") == ["ended first"]
            assert fleet.redis.ask("EXISTS", f"{PREFIX}missed:listening@1") == ["0"]

    asyncio.run(scenario())


def test_a_call_that_was_taken_over_unheard_is_ended_by_who_asks_for_it(
    tmp_path: Path, language: str
) -> None:
    async def scenario() -> None:
        async with one_plane(tmp_path, language) as (fleet, plane, way):
            record = {"replica": "gone", "epoch": 1, "lease": 1, "set": 1, "id": "b0"}
            record |= {"uri": "sip:127.0.0.1:6000", "call": {}}
            fleet.redis.ask("SET", f"{PREFIX}call:x", json.dumps(record))
            way.loses = loaded(fleet, "take_over")
            assert (await plane.ask("POST", f"{path('x')}/confirm"))[0] == 503
            way.loses = None
            [text] = fleet.redis.ask("GET", f"{PREFIX}call:x")
            known = json.loads(text)
            assert known["replica"] == "plane", "the engine did it"
            with puppets(fleet, "other") as [other]:
                await other.listen("to:other")
                asks = {"ask": "1-1", "from": "other", "op": "end", "call_id": "x", "epoch": known["epoch"]}
                await fleet.until(lambda: listens(fleet, "plane"), "it listens again")
                await other.say("to:plane", asks)
                assert await other.hear() == {"answer": "1-1", "from": "plane", "ok": None}
            await two_beats(fleet, plane)
            assert (await plane.bridges())["b0"]["calls"] == 0

    asyncio.run(scenario())


def test_a_call_that_ended_unheard_and_came_again_is_the_new_one(tmp_path: Path, language: str) -> None:
    async def scenario() -> None:
        async with one_plane(tmp_path, language) as (fleet, plane, way):
            assert (await plane.ask("POST", "/calls", {"call_id": "x"}))[0] == 201
            way.loses = loaded(fleet, "release")
            assert (await plane.ask("DELETE", path("x")))[0] == 204
            await fleet.until(lambda: said(way.lost > 0), "nobody heard of the end")
            assert (await plane.ask("POST", "/calls", {"call_id": "x"}))[0] == 201
            is_known = ["1"]
            await fleet.until(
                lambda: said(fleet.redis.ask("EXISTS", f"{PREFIX}call:x") == is_known), "it is claimed"
            )
            way.loses = None
            await two_beats(fleet, plane)
            assert fleet.redis.ask("EXISTS", f"{PREFIX}call:x") == is_known
            assert (await plane.bridges())["b0"]["calls"] == 1

    asyncio.run(scenario())


def test_what_was_missed_is_done_also_where_answers_of_the_engine_are_lost(
    tmp_path: Path, language: str
) -> None:
    async def scenario() -> None:
        async with one_plane(tmp_path, language) as (fleet, plane, way):
            for call in ("x", "y"):
                assert (await plane.ask("POST", "/calls", {"call_id": call}))[0] == 201
                # Else it would end by itself.
                assert (await plane.ask("POST", f"{path(call)}/confirm"))[0] == 204
            [missed] = [f"{PREFIX}missed:{name}" for name in fleet.redis.ask("HKEYS", f"{PREFIX}seen")]

            async def counts(calls: int) -> bool:
                return (await plane.bridges())["b0"]["calls"] == calls

            way.loses, way.but_first = loaded(fleet, "beat"), b"ended x"
            fleet.redis.ask("RPUSH", missed, "ended x")
            await fleet.until(lambda: said(way.lost > 1), "beats are lost")
            assert await counts(1), "x has ended"
            fleet.redis.ask("RPUSH", missed, "ended y")
            way.loses = None
            await fleet.until(lambda: counts(0), "y has ended")

    asyncio.run(scenario())


async def two_beats(fleet: Fleet, plane: Plane) -> None:
    sent = await plane.metric("callsteer_replica_deltas_sent_total")

    async def later() -> bool:
        return await plane.metric("callsteer_replica_deltas_sent_total") >= sent + 2

    await fleet.until(later, "it goes on")


async def listens(fleet: Fleet, name: str) -> bool:
    return fleet.redis.ask("PUBSUB", "NUMSUB", f"{PREFIX}to:{name}")[1] == "1"


def loaded(fleet: Fleet, script: str) -> bytes:
    """By what name a replica calls a script, which the engine knows from now on."""
    text = (ROOT / f"crates/dispatch-node/lua/{script}.lua").read_text()
    fleet.redis.ask("SCRIPT", "LOAD", text)
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest().encode()

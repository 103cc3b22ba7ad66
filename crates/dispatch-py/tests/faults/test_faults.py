"""Faults, end to end: a control plane over HTTP, 16 bridges that are processes, and calls all the while.

Bridges are killed, paused, cut off, slowed, made to refuse and to lie; what comes next and to whom is drawn from a
seed. Times of the configuration are a twentieth of the defaults, so that half a minute is what ten are otherwise.
Nothing is expected within a time: a fault lasts until the control plane has said that it noticed.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from callsteer.events import AtDestination
from callsteer.fastapi import ControlPlane, Settings, create_app
from control_plane.conftest import SEED, served

from .fleet import Bridge
from .proxy import Call, Proxy
from .story import Story, is_busy, is_down, is_out

SCALE = 20
CONFIG: dict[str, Any] = {
    "algorithm": "load_score",
    "seed": SEED,
    "warm_up": 120 / SCALE,
    "probing": {"mode": "all", "interval": 10 / SCALE, "timeout": 10 / SCALE},
    "ejection": {"window": 60 / SCALE, "base_time": 30 / SCALE, "max_time": 300 / SCALE},
}
REPORT_INTERVAL = 10 / SCALE
BRIDGES, LANES, VICTIMS_PER_LANE = 16, 4, 3
"""So many faults are there at a time, each lane at bridges of its own; nothing happens to the last bridges."""

CALLERS = 44
FAULTS_PER_LANE = 5
CALLS_PER_FAULT = 30
"""Calls that a fault lasts at least, after it was noticed."""

BALANCE = 1.25
"""Of the bridges to which nothing happens, the mean calls of the busiest / the mean of all."""


@dataclass(frozen=True)
class Fault:
    """What is done to a bridge, what undoes it, and what the control plane says of it."""

    name: str
    begin: Callable[[Bridge], Any]
    heal: Callable[[Bridge, int], Any] = lambda bridge, _: bridge.tell()
    noticed: Callable[[AtDestination], bool] | None = None
    """None where it makes no difference to calls."""

    def is_noticed(self, events: list[AtDestination]) -> bool:
        return self.noticed is None or any(map(self.noticed, events))


def told(**faults: Any) -> Callable[[Bridge], None]:
    return lambda bridge: bridge.tell(**faults)


def restart(bridge: Bridge, control_port: int) -> Awaitable[None]:
    return bridge.start(control_port)


EVERYTHING = ["OPTIONS", "INVITE", "ACK", "BYE", "CANCEL"]
FAULTS = [
    Fault("killed", Bridge.kill, restart, is_down),
    Fault("paused", Bridge.pause, lambda bridge, _: bridge.resume(), is_down),
    Fault("cut off", told(deaf_to=EVERYTHING, reports="lost"), noticed=is_down),
    Fault("cut off from the prober", told(deaf_to=["OPTIONS"]), noticed=is_down),
    Fault("cut off from proxies", told(deaf_to=["INVITE"]), noticed=is_out),
    Fault("too slow", told(delay=1.5), noticed=is_down),
    Fault("refusing", told(invite="500 Server Internal Error"), noticed=is_out),
    Fault("full", told(invite="503 Service Unavailable,1"), noticed=is_busy),
    Fault("slow", told(delay=0.05)),
    Fault("lossy", told(loss=0.1)),
    Fault("clock ahead", told(clock=3_600.0)),
    Fault("clock behind", told(clock=-3_600.0)),
    Fault("reports lost", told(reports="lost")),
    Fault("reports late", told(reports="late")),
]


async def lane(faults: list[tuple[Fault, Bridge]], story: Story, proxy: Proxy, control_port: int) -> None:
    """One fault after another, each until it was noticed, and then until the bridge is well again."""
    for fault, bridge in faults:
        since, what = len(story.events), f"{bridge.name} {fault.name}"
        await done(fault.begin(bridge))
        await story.until(lambda: fault.is_noticed(story.of(bridge.name, since)), what)
        calls = len(proxy.calls) + CALLS_PER_FAULT
        await story.until(lambda: len(proxy.calls) >= calls, "calls go on")
        await done(fault.heal(bridge, control_port))
        await story.until(lambda: story.is_well(bridge.name), f"{what}, and well again")


async def done(what: Awaitable[None] | None) -> None:
    if what is not None:
        await what


def drawn(bridges: list[Bridge]) -> list[list[tuple[Fault, Bridge]]]:
    """Per lane: which fault at which bridge, each fault at least once."""
    chance = random.Random(SEED)
    faults = FAULTS + chance.choices(FAULTS, k=LANES * FAULTS_PER_LANE - len(FAULTS))
    chance.shuffle(faults)
    victims = [bridges[n * VICTIMS_PER_LANE :][:VICTIMS_PER_LANE] for n in range(LANES)]
    return [[(fault, chance.choice(victims[n])) for fault in faults[n::LANES]] for n in range(LANES)]


@pytest.mark.skipif(sys.platform != "linux", reason="every bridge has a loopback address of its own")
def test_every_call_is_placed_once_moved_or_refused_whatever_happens_to_bridges() -> None:
    asyncio.run(asyncio.wait_for(run(), 300))


async def run() -> None:
    story = Story()
    plane = ControlPlane(Settings(config=CONFIG), on_event=story.tell)
    net = f"127.{os.getpid() >> 8 & 0x7F | 0x80}.{os.getpid() & 0xFF}"
    bridges = [Bridge(f"b{n}", f"{net}.{n + 1}", REPORT_INTERVAL) for n in range(BRIDGES)]
    with served(create_app(plane), token=None) as control:
        proxy = Proxy(str(control.base_url), SEED, plane.now, story.wake)
        await asyncio.gather(*(bridge.start(control.base_url.port or 0) for bridge in bridges))
        try:
            text = "".join(bridge.line for bridge in bridges)
            assert control.post("/list", content=text, headers={"content-type": "text/plain"}).is_success
            await meanwhile(proxy.serve(CALLERS), what_happens(control, proxy, story, bridges))
            # While bridges live: the control plane goes on to probe them.
            check_counts(control, proxy)
            check_outages(proxy.calls, story)
            check_balance(proxy.calls, story, bridges)
        finally:
            print(summary(proxy, story, bridges))
            await asyncio.gather(*(bridge.stop() for bridge in bridges))
        # They have said everything.
        check_calls(proxy.calls, bridges)


async def meanwhile(*tasks: Awaitable[None]) -> None:
    """Waits for all of them; where one fails, the others are ended."""
    running = [asyncio.ensure_future(task) for task in tasks]
    try:
        await asyncio.gather(*running)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def what_happens(control: httpx.Client, proxy: Proxy, story: Story, bridges: list[Bridge]) -> None:
    """All the faults; then the operator takes every bridge out for a moment."""
    port = control.base_url.port or 0
    await meanwhile(*(lane(faults, story, proxy, port) for faults in drawn(bridges)))
    for bridge in bridges:
        assert control.post(f"/bridges/{bridge.name}/disable").is_success
    await story.until(lambda: proxy.said["all_down"] >= CALLERS, "calls are refused")
    for bridge in bridges:
        assert control.post(f"/bridges/{bridge.name}/enable").is_success
    calls = proxy.said["answered"] + CALLS_PER_FAULT
    await story.until(lambda: proxy.said["answered"] >= calls, "calls are answered again")
    proxy.is_closing = True
    await story.until(lambda: all(map(story.is_well, (bridge.name for bridge in bridges))), "all are well")


def summary(proxy: Proxy, story: Story, bridges: list[Bridge]) -> str:
    """What pytest shows of a run that failed, or of any with `-s`."""
    placed = Counter(placement.bridge for call in proxy.calls for placement in call.placements)
    told = Counter(event.kind for event in story.events)
    moved = sum(max(0, len(call.placements) - 1) for call in proxy.calls)
    return (
        f"the same faults again: CALLSTEER_SEED={SEED}\ncalls: {len(proxy.calls)}, of which {dict(proxy.said)}; moved {moved} times; repeated {proxy.repeated}\n"
        f"events: {dict(told)}\n"
        f"placed: {[placed[bridge.name] for bridge in bridges]}"
    )


def check_calls(calls: list[Call], bridges: list[Bridge]) -> None:
    """None is lost and none is twice: by what proxies know, and by what bridges know."""
    where = defaultdict[str, list[str]](list)
    for bridge in bridges:
        for call_id in bridge.acknowledged:
            where[call_id].append(bridge.name)
    for call in calls:
        tried = [placement.bridge for placement in call.placements]
        assert len(set(tried)) == len(tried), f"{call.id} came to a bridge twice: {tried}"
        if call.end == "answered":
            assert where[call.id] in ([], tried[-1:]), f"{call.id} is at {where[call.id]}, not {tried[-1]}"
        else:
            assert call.end in ("given up", "full", "all_down"), call
            assert bool(tried) == (call.end == "given up"), call
            assert not where[call.id], f"{call.id} is at {where[call.id]}, and was {call.end}"
    assert {call.id for call in calls} >= where.keys()


def check_outages(calls: list[Call], story: Story) -> None:
    """No call was placed on a bridge that was known to be down, or was ejected."""
    placements = [placement for call in calls for placement in call.placements]
    for placement in placements:
        for since, until, why in story.outages(placement.bridge):
            assert not (since < placement.asked and placement.told < until), f"{placement}, which was {why}"


def check_counts(control: httpx.Client, proxy: Proxy) -> None:
    """The control plane counted what proxies did, and nothing is left of it."""
    for bridge in control.get("/bridges").json():
        assert (bridge["calls"], bridge["load"], bridge["standing"]) == (0, 0, "candidate"), bridge
    text = control.get("/metrics").text
    count = defaultdict(
        int, {key: int(value) for key, value in re.findall(r"^(callsteer\S+) (\d+)$", text, re.MULTILINE)}
    )
    said, placed = proxy.said, [call.placements for call in proxy.calls if call.placements]
    refused = sum(said[code] for code in ("full", "all_down", "refused first", "refused twice"))
    outcome = {
        name: count[f'callsteer_decisions_total{{outcome="{name}"}}']
        for name in ("placed", "repeated", "full", "all_down")
    }
    assert outcome["placed"] == len(placed)
    assert outcome["repeated"] == proxy.repeated
    assert outcome["full"] + outcome["all_down"] == refused
    assert count["callsteer_calls"] == 0
    assert count['callsteer_calls_over_total{how="ended"}'] == len(placed)
    assert count["callsteer_confirmed_total"] == said["answered"]
    assert count["callsteer_moves_total"] == sum(len(placements) - 1 for placements in placed)


def check_balance(calls: list[Call], story: Story, bridges: list[Bridge]) -> None:
    """Bridges to which nothing happened had nearly as many calls at a time as one another."""
    busy: dict[str, float] = defaultdict(float)
    for call in calls:
        for placement in call.placements:
            busy[placement.bridge] += placement.left - placement.told
    untouched = [bridge.name for bridge in bridges[LANES * VICTIMS_PER_LANE :]]
    # A machine that stands still for a second takes the best of them out.
    well = [busy[name] for name in untouched if not story.outages(name)]
    print(
        f"balance: {max(well) / (sum(well) / len(well)):.3f}, of {len(well)}" if well else "nobody was well"
    )
    assert not well or max(well) <= BALANCE * sum(well) / len(well), busy

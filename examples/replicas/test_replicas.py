"""Control planes of both languages over one fleet: whatever breaks, limits hold and counts come back to zero."""

from __future__ import annotations

import asyncio
from pathlib import Path

from fleet import Fleet, Plane, Traffic, Way, insist, path, running, said

CALLS = 20_000


def test_leases_pass_no_limit_whatever_breaks(tmp_path: Path) -> None:
    """`limits = "leases"`: 20,000 calls, while a replica, the way to the engine and the engine fail."""

    async def scenario() -> None:
        async with running(tmp_path, limits="leases") as (fleet, way):
            traffic = Traffic(fleet)
            await traffic.run(CALLS // 4)
            await through_all_that_breaks(fleet, way, traffic)
            await traffic.run(CALLS // 20)
            await fleet.settles()
            assert max(traffic.truth.highest.values()) == fleet.most, "they were full, and no fuller"
            assert traffic.placed >= CALLS
            await fleet.until(lambda: said(fleet.redis.places() == 0), "no place is leased any more")

    asyncio.run(scenario())


def test_shares_pass_their_bound_never_whatever_breaks(tmp_path: Path) -> None:
    """`limits = "shares"`: four replicas pass a limit of 3 by 3 at most: a share is 3 / 4, rounded up."""

    async def scenario() -> None:
        async with running(tmp_path, most=3, limits="shares") as (fleet, way):
            traffic = Traffic(fleet, width=80)
            await through_all_that_breaks(fleet, way, traffic, calls=300)
            await traffic.run(100)
            await fleet.settles()
            assert max(traffic.truth.highest.values()) <= fleet.most + 3

    asyncio.run(scenario())


async def through_all_that_breaks(fleet: Fleet, way: Way, traffic: Traffic, calls: int = CALLS // 4) -> None:
    # A replica is killed while it has calls. The others end them.
    killed = fleet.planes.pop()
    work = asyncio.create_task(traffic.run(calls))
    placed = traffic.placed
    await fleet.until(lambda: said(traffic.placed > placed), "calls are placed")
    killed.kill()
    await work
    fleet.start("node", "n3")
    await fleet.until(lambda: fleet.all_know(3), "the new one is known, the killed one forgotten")
    # One does not reach the engine.
    await way.cut()
    [cut] = [plane for plane in fleet.planes if plane.name == "p2"]
    await fleet.until(lambda: is_alone(cut), "p2 is alone")
    work = asyncio.create_task(traffic.run(calls // 2))
    await work
    await way.mend()
    await fleet.until(lambda: fleet.all_know(3), "p2 is back")
    # The engine hangs; then it is killed, and comes back with nothing.
    fleet.redis.hang()
    work = asyncio.create_task(traffic.run(calls // 2))
    await fleet.until(lambda: all_alone(fleet), "all are alone")
    fleet.redis.go_on()
    await work
    await fleet.until(lambda: fleet.all_know(3), "all are back")
    # With its data an engine forgets whom it had to tell of calls that ended meanwhile.
    await fleet.until(fleet.is_idle, "all have heard what they missed")
    fleet.redis.kill()
    await fleet.until(lambda: all_alone(fleet), "all are alone")
    work = asyncio.create_task(traffic.run(calls))
    fleet.redis.start()
    await work
    await fleet.until(lambda: fleet.all_know(3), "all are back")


async def is_alone(plane: Plane) -> bool:
    return await plane.metric("callsteer_replica_engine_up") == 0


async def all_alone(fleet: Fleet) -> bool:
    return all([await is_alone(plane) for plane in fleet.planes])


def test_who_fails_calls_is_out_for_all_and_what_one_is_told_all_do(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path, most=0) as (fleet, _):
            # A bridge that refuses every call at once: first attempts that go there are lost.
            failed = 0

            async def caller(number: int) -> None:
                nonlocal failed
                for n in range(10):
                    call = f"{number}-{n}"
                    _, placed = await insist(fleet, "POST", "/calls", {"call_id": call})
                    if placed["destination"]["id"] == "b0":
                        failed += 1
                        _, moved = await insist(fleet, "POST", f"{path(call)}/fail", {"reply": 503})
                        assert moved["moved_to"]["id"] != "b0"
                    await insist(fleet, "POST", f"{path(call)}/confirm")
                    await insist(fleet, "DELETE", path(call))

            for batch in range(10):
                await asyncio.gather(*(caller(10 * batch + number) for number in range(10)))
            assert 3 <= failed <= 30, f"{failed} of 1000"

            async def stands(bridge: str, standing: str) -> bool:
                return all(
                    [(await plane.bridges())[bridge]["standing"] == standing for plane in fleet.planes]
                )

            assert await stands("b0", "ejected")
            # The operator, a bridge and a list speak to one of them.
            await fleet.planes[0].ask("POST", "/bridges/b1/drain")
            await fleet.until(lambda: stands("b1", "draining"), "all drain b1")
            await fleet.planes[3].ask("POST", "/bridges/b1/enable")
            await fleet.until(lambda: stands("b1", "candidate"), "all have b1 again")
            for plane, score in ((fleet.planes[0], 0.5), (fleet.planes[3], 0.75)):
                status, _ = await plane.ask("POST", "/bridges/b2/report", {"score": score})
                assert status == 204

                async def all_heard(score: float = score) -> bool:
                    return all([(await plane.bridges())["b2"]["score"] == score for plane in fleet.planes])

                await fleet.until(all_heard, f"all heard of {score}")

    asyncio.run(scenario())


def test_a_call_that_two_are_asked_for_has_one_bridge(tmp_path: Path) -> None:
    """Leases: a retransmitted INVITE that comes to another replica gets the same answer."""

    async def scenario() -> None:
        async with running(tmp_path, limits="leases") as (fleet, _):
            body = {"call_id": "twice", "class": "x"}

            async def placed() -> bool:
                # The engine gives no places at first, as it may have forgotten some.
                return (await fleet.planes[0].ask("POST", "/calls", body))[0] in (200, 201)

            await fleet.until(placed, "the engine gives places")
            answers = [await plane.ask("POST", "/calls", body) for plane in fleet.planes]
            assert [status for status, _ in answers] == [200] * 4
            assert len({answer["destination"]["id"] for _, answer in answers}) == 1
            shown = [await plane.ask("GET", path("twice")) for plane in fleet.planes]
            assert [status for status, _ in shown] == [200] * 4
            # Its replica is killed: another one goes on with it.
            fleet.planes.pop(0).kill()
            assert (await insist(fleet, "POST", f"{path('twice')}/confirm"))[0] == 204
            assert sum((await fleet.calls()).values()) == 1
            assert (await insist(fleet, "DELETE", path("twice")))[0] == 204
            assert (await insist(fleet, "GET", path("twice")))[0] == 404
            await fleet.until(lambda: said(fleet.redis.places() == 0), "its place is free")

    asyncio.run(scenario())

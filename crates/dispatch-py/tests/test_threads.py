"""Threads, asyncio and the garbage collector."""

import asyncio
import gc
import resource
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

from callsteer import Destination, Dispatcher, Full

THREADS, TASKS, CALLS_OF_A_TASK = 8, 64, 1_563


def fleet() -> Dispatcher:
    one = Dispatcher()
    for index in range(16):
        one.add(Destination(f"sip:10.0.0.{index}", max_calls=100))
    return one


async def task(one: Dispatcher, name: str, calls: int) -> None:
    for number in range(calls):
        with one.call(f"{name}-{number}") as call:
            await asyncio.sleep(0)
            if number % 10 == 0:
                call.failed(486)
            elif number % 7 == 0:
                call.failed("timeout")
            call.confirm()


async def tasks(one: Dispatcher, name: str, calls: int) -> None:
    await asyncio.gather(*(task(one, f"{name}-{index}", calls) for index in range(TASKS // THREADS)))


def run(one: Dispatcher, calls: int) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        runs = [pool.submit(asyncio.run, tasks(one, str(name), calls)) for name in range(THREADS)]
        for each in runs:
            each.result()


def test_tasks_and_threads_leave_nothing_behind() -> None:
    one = fleet()
    run(one, CALLS_OF_A_TASK // 10)  # What is cached is there from now on.
    gc.collect()
    tracemalloc.start()
    before, peak = tracemalloc.get_traced_memory()[0], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    run(one, CALLS_OF_A_TASK)
    gc.collect()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak
    stats = one.stats()
    assert stats.begun == stats.ended == TASKS * (CALLS_OF_A_TASK + CALLS_OF_A_TASK // 10)
    assert stats.calls == 0
    assert all(status.calls == status.load == 0 for _, status in one)
    assert after - before < 100_000, "bytes that Python still has"
    assert grown < 50_000, "KiB more than at the most before"


def test_calls_never_pass_a_limit_whoever_begins_them() -> None:
    one = Dispatcher()
    one.add(Destination("sip:a", max_calls=20))
    ready = threading.Barrier(THREADS)

    def begin(name: int) -> int:
        ready.wait()
        placed = 0
        for number in range(100):
            try:
                one.begin(f"{name}-{number}")
                placed += 1
            except Full:
                pass
        return placed

    with ThreadPoolExecutor(THREADS) as pool:
        assert sum(pool.map(begin, range(THREADS))) == 20
    assert one.stats().refused_full == THREADS * 100 - 20


def test_fleets_change_while_calls_are_placed() -> None:
    one = Dispatcher()
    one.add(Destination("sip:stays"))
    over = threading.Event()

    def change(name: int) -> None:
        for number in range(300):
            bridge = one.add(Destination(f"sip:{name}", attrs={"run": str(number)}))
            assert one.update(bridge, bridge.replace(weight=2)).weight == 2
            one.remove(bridge)

    def place(name: int) -> int:
        placed = 0
        while not over.is_set():
            placed += 1
            call = one.begin(f"{name}-{placed}")
            assert call.destination.uri.startswith("sip:")
            assert one.pick("x").destination.set == 1
            assert len(one.explain("x").rows) > 0
            one.end(call.lease)
        return placed

    with ThreadPoolExecutor(4) as pool:
        placing = [pool.submit(place, name) for name in range(2)]
        for each in [pool.submit(change, name) for name in range(2)]:
            each.result()
        over.set()
        placed = sum(each.result() for each in placing)
    assert one.stats().begun == placed
    assert [bridge.uri for bridge, _ in one] == ["sip:stays"]


def test_the_garbage_collector_may_come_at_any_time() -> None:
    one = fleet()

    class Noisy:
        def __del__(self) -> None:
            one.begin("from the collector")
            one.end_call("from the collector")

    threshold = gc.get_threshold()
    gc.set_threshold(1)
    try:
        for index in range(200):
            knot: list[object] = [Noisy()]
            knot.append(knot)
            del knot
            bridge = one.add(Destination(f"sip:{index}"))
            one.begin("1")
            one.update(bridge, bridge.replace(weight=2))
            one.remove(bridge)
            one.explain("2")
            list(one)
            while one.poll_event():
                pass
    finally:
        gc.set_threshold(*threshold)
    gc.collect()
    assert one.stats().begun > 100
    assert one.stats().calls == 1


def test_a_dispatcher_that_its_clock_holds_is_collected() -> None:
    class Host:
        def __init__(self) -> None:
            self.dispatcher = Dispatcher(clock=self.clock)

        def clock(self) -> float:
            return 1.0

    gc.collect()
    hosts = [Host() for _ in range(10)]
    del hosts
    gc.collect()
    assert not [each for each in gc.get_objects() if isinstance(each, Host)]


def test_every_thread_has_the_calls_that_it_began() -> None:
    one = fleet()

    def begin(name: int) -> bool:
        begun = [(number, one.begin(f"{name}-{number}")) for number in range(150)]
        return all(one.call_of(f"{name}-{number}") == placed.lease for number, placed in begun)

    with ThreadPoolExecutor(THREADS) as pool:
        assert all(pool.map(begin, range(THREADS)))

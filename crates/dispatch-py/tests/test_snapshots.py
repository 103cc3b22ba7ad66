"""What a dispatcher knows, saved and restored."""

import pickle
import subprocess
import sys

import pytest

import callsteer
from callsteer import Destination, Dispatcher


def fleet(start: float = 1_000.0) -> Dispatcher:
    dispatcher = Dispatcher(algorithm="weighted", seed=3, clock=lambda: start)
    for number in range(3):
        dispatcher.add(Destination(f"sip:10.0.0.{number}", weight=number + 1, attrs={"site": "x"}), now=start)
    for number in range(20):
        placed = dispatcher.begin(f"call-{number}", cls="voice", tenant="sales", now=start + number)
        if number % 3 == 0:
            dispatcher.confirm(placed.lease, now=start + number)
    return dispatcher


def test_a_restored_dispatcher_decides_as_the_first_one() -> None:
    first = fleet()
    for saved in (first.snapshot(), first.snapshot_json()):
        first = Dispatcher.restore(saved, now=1_019.0)
        second = Dispatcher.restore(saved, now=1_019.0)
        assert second.snapshot() == first.snapshot()
        for number in range(15, 40):
            one, other = (one.begin(f"call-{number}", now=1_020.0) for one in (first, second))
            assert (one.lease, one.destination.id) == (other.lease, other.destination.id)
        assert first.snapshot() == second.snapshot()
        assert first.stats() == second.stats()


def test_it_is_restored_in_another_process() -> None:
    first = fleet()
    program = """
import sys, callsteer
dispatcher = callsteer.Dispatcher.restore(sys.stdin.buffer.read(), away=2.5)
placed = dispatcher.begin("call-19")
print(placed.lease, placed.destination.uri, placed.destination.attrs["site"], dispatcher.stats().repeated)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], input=first.snapshot(), capture_output=True, check=True
    )
    lease = first.call_of("call-19")
    assert lease is not None
    there = first.destination_of(lease)
    assert there is not None
    assert done.stdout.decode().split() == [str(lease), there.uri, "x", "1"]


def test_spans_go_on_by_a_clock_that_began_anew() -> None:
    # The last set-up began at 1018, and the first confirmed call at 1000.
    saved = fleet().snapshot()
    check = Dispatcher.restore(saved, now=0.25)
    check.begin("later", now=57.0)
    assert check.stats().expired == 10, "set-ups up to 1015"
    check = Dispatcher.restore(saved, now=0.25, away=59.5)
    assert check.stats().expired == 12, "all but the last"
    assert [event.at for event in iter(lambda: check.poll_event(now=0.25), None)][-1] == pytest.approx(0.0)
    check = Dispatcher.restore(saved, clock=lambda: 7.0, away=7_200.0)
    assert check.stats().calls == 0
    check.resume(now=1_000_000.0)
    assert check.begin("again", now=1_000_001.0).lease


def test_what_is_no_snapshot_is_refused_and_said() -> None:
    saved = fleet().snapshot()
    cases: list[tuple[str | bytes, type[Exception], str]] = [
        (b"", callsteer.DamagedSnapshot, "shorter than its header"),
        (b"{}" * 20, callsteer.DamagedSnapshot, "no snapshot"),
        (saved[:-1], callsteer.DamagedSnapshot, "cut off"),
        (saved[:-1] + b"!", callsteer.DamagedSnapshot, "checksum"),
        (saved[:8] + b"\x09" + saved[9:], callsteer.SnapshotVersion, "version 9"),
        ("{}", callsteer.DamagedSnapshot, "callsteer_snapshot"),
        (
            fleet().snapshot_json().replace("sip:10.0.0.1", "sip:10.0.0.9"),
            callsteer.DamagedSnapshot,
            "checksum",
        ),
    ]
    for data, error, said in cases:
        with pytest.raises(error, match=said):
            Dispatcher.restore(data, now=0)
    with pytest.raises(TypeError):
        Dispatcher.restore(7, now=0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="seconds from 0 on"):
        Dispatcher.restore(saved, now=0, away=-1)


def test_a_dispatcher_is_not_pickled_by_accident() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(fleet())

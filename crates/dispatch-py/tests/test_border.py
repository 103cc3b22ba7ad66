"""Whatever comes in is refused with the right exception, and never a panic."""

import math
import pickle
import time
from collections.abc import Callable
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import callsteer
from callsteer import Destination, Dispatcher, Report


def dispatcher() -> Dispatcher:
    one = Dispatcher(clock=lambda: 1.0)
    one.add(Destination("sip:a"))
    return one


def check(error: type[Exception], act: Callable[[], object], says: str | None = None) -> None:
    with pytest.raises(error, match=says):
        act()


@pytest.mark.parametrize("lease", [0, 1, -1, 2**53, 2**64, 10**400])
def test_a_number_that_cannot_be_a_lease_is_refused(lease: int) -> None:
    one = dispatcher()
    for command in (one.end, one.confirm, one.next, one.destination_of):
        check(ValueError, lambda: command(lease))
    check(ValueError, lambda: one.fail(lease, 503))


@pytest.mark.parametrize("lease", [0.5, math.nan, 4294967296.0, True, None, "4294967296", b"", []])
def test_a_lease_is_an_integer(lease: Any) -> None:
    one = dispatcher()
    for command in (one.end, one.confirm, one.next, one.destination_of):
        check(TypeError, lambda: command(lease))


def test_a_lease_means_nothing_after_its_call() -> None:
    one = dispatcher()
    old = one.begin("1").lease
    one.end(old)
    assert one.begin("1").lease != old
    assert not one.end(old)
    assert one.destination_of(old) is None
    check(callsteer.NoSuchCall, lambda: one.confirm(old))
    check(callsteer.NoSuchCall, lambda: one.fail(old, 503))
    check(callsteer.NoSuchCall, lambda: one.next(old))
    assert one.stats().calls == 1


@pytest.mark.parametrize("now", [math.nan, math.inf, -math.inf, -1, -1e-9, 1e300])
def test_a_time_is_a_number_from_0_on(now: float) -> None:
    one = dispatcher()
    check(ValueError, lambda: one.begin("1", now=now), "seconds from 0 on")
    check(ValueError, lambda: one.fail(one.begin("1").lease, 503, retry_after=now))
    check(ValueError, lambda: Dispatcher(clock=lambda: now).begin("1"))


@pytest.mark.parametrize("now", [True, "1", [], 1j])
def test_a_time_is_no_other_type(now: Any) -> None:
    check(TypeError, lambda: dispatcher().begin("1", now=now))


def test_the_default_clock_is_time_monotonic() -> None:
    one = Dispatcher()
    before = time.monotonic()
    bridge = one.add(Destination("sip:a"))
    event = one.poll_event()
    assert event is not None
    assert before - 1e-6 <= event.at <= time.monotonic() + 1e-6
    # What was measured just now is never in the future.
    for _ in range(1_000):
        try:
            one.report(bridge, Report(score=0.5, measured_at=time.monotonic()))
        except callsteer.DuplicateReport:
            pass


def test_a_call_begins_at_the_last_tick_and_not_before_what_is_known() -> None:
    one = Dispatcher(setup_timeout=60)
    before = time.monotonic()
    one.add(Destination("sip:a"))
    one.begin("1")
    after = time.monotonic()
    (end,) = [
        event.at for event in iter(lambda: one.poll_event(now=after + 60), None) if event.kind == "expired"
    ]
    assert before - 1e-6 <= end - 60 <= after + 1e-6


def test_now_wins_over_the_clock_and_never_goes_back() -> None:
    one = Dispatcher(clock=lambda: 5.0)
    bridge = one.add(Destination("sip:a"), now=10)
    one.remove(bridge, now=3)
    one.add(Destination("sip:a"))
    assert [event.at for event in iter(one.poll_event, None)] == [10, 10, 10]


def test_a_clock_that_fails_fails_the_command() -> None:
    def broken() -> float:
        raise OSError("no clock")

    one = Dispatcher(clock=broken)
    check(OSError, lambda: one.add(Destination("sip:a")), "no clock")
    assert list(one) == []


def test_a_clock_may_use_its_own_dispatcher() -> None:
    seen: list[int] = []

    def clock() -> float:
        seen.append(one.stats().calls)
        return 1.0

    one = Dispatcher(clock=clock)
    one.add(Destination("sip:a"))
    one.begin("1")
    assert seen == [0, 0]


@pytest.mark.parametrize("call_id", ["", b""])
def test_a_call_id_is_not_empty(call_id: str | bytes) -> None:
    check(callsteer.InvalidCall, lambda: dispatcher().begin(call_id), "call_id")


def test_a_call_id_may_be_long() -> None:
    one = dispatcher()
    call_id = "x" * 10_000_000
    lease = one.begin(call_id).lease
    assert one.call_of(call_id.encode()) == lease
    assert one.end_call(call_id)


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb"])
def test_half_a_character_is_no_text(text: str) -> None:
    one = dispatcher()
    check(UnicodeEncodeError, lambda: one.begin(text))
    check(UnicodeEncodeError, lambda: one.begin("1", cls=text))
    check(UnicodeEncodeError, lambda: one.find(text))
    check(ValueError, lambda: Destination(text))
    check(ValueError, lambda: Destination("sip:a", attrs={"name": text}))
    assert one.stats().begun == 0


@pytest.mark.parametrize(
    ("error", "options", "says"),
    [
        (callsteer.InvalidConfig, {"sed": 1}, "unknown field `sed`"),
        (callsteer.InvalidConfig, {"seed": -1}, "seed"),
        (callsteer.InvalidConfig, {"max_duration": math.nan}, "max_duration"),
        (callsteer.InvalidConfig, {"setup_timeout": True}, "setup_timeout"),
        (callsteer.InvalidConfig, {"setup_timeout": 0}, "setup_timeout"),
        (callsteer.InvalidConfig, {"algorithm": "fastest"}, "fastest"),
        (callsteer.InvalidConfig, {"policies": {1: []}}, "policies"),
        (callsteer.InvalidConfig, {"policies": {1: [{"set": 1}]}}, r"policies.1\[0\]"),
        (callsteer.InvalidConfig, {"probing": {"interval": -1}}, "probing.interval"),
        (TypeError, {"seed": object()}, "object"),
        (TypeError, {"clock": 1.0}, "callable"),
    ],
)
def test_options_that_cannot_work_are_refused_by_name(
    error: type[Exception], options: dict[str, Any], says: str
) -> None:
    check(error, lambda: Dispatcher(**options).begin("1"), says)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"weight": 0}, "weight"),
        ({"weight": 65_536}, "weight"),
        ({"weight": 1.5}, "weight"),
        ({"wait": 1}, "unknown field `wait`"),
        ({"max_calls": -1}, "max_calls"),
        ({"attrs": {"a": 1}}, "attrs"),
        ({"starts": "asleep"}, "starts"),
    ],
)
def test_a_destination_that_cannot_work_is_refused_by_field(fields: dict[str, Any], says: str) -> None:
    check(callsteer.InvalidDestination, lambda: dispatcher().add(Destination("sip:b", **fields)), says)


def test_a_destination_means_something_to_its_own_dispatcher_only() -> None:
    one, other = dispatcher(), dispatcher()
    ((bridge, _),) = one
    for stranger in (Destination("sip:a"), bridge.replace(weight=2), pickle.loads(pickle.dumps(bridge))):
        check(callsteer.NoSuchDestination, lambda: one.drain(stranger), "described")
    check(callsteer.NoSuchDestination, lambda: other.drain(bridge), "another")
    check(callsteer.StalePlan, lambda: other.apply(one.plan([])), "another")
    one.remove(bridge)
    check(callsteer.NoSuchDestination, lambda: one.drain(bridge), "left")


def test_a_report_that_cannot_be_changes_nothing() -> None:
    one = dispatcher()
    ((bridge, _),) = one
    one.report(bridge, Report(score=0.5), now=1)
    for wrong in (Report(score=math.nan), Report(score=-0.1), Report(sustained=1e9)):
        check(callsteer.InvalidReport, lambda: one.report(bridge, wrong, now=9))
    check(callsteer.FutureReport, lambda: one.report(bridge, Report(score=0.1, measured_at=10), now=9))
    check(callsteer.DuplicateReport, lambda: one.report(bridge, Report(score=0.1, measured_at=1), now=9))
    check(ValueError, lambda: one.report(bridge, Report(score=0.1, active_calls=-1)))
    check(TypeError, lambda: one.report(bridge, cast(Any, {"score": 0.1})))
    status = one.status(bridge)
    assert status is not None
    assert status.score == 0.5


odd = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(), max_size=5),
    st.binary(max_size=5),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)
METHODS = sorted(name for name in dir(Dispatcher) if not name.startswith("_"))
FUNCTIONS = sorted(name for name in callsteer.__all__ if name[0].islower())
OPTIONS = ("set", "key", "cls", "cost", "tenant", "retry_after", "now")


@settings(max_examples=1_000, deadline=None)
@given(st.sampled_from(METHODS), st.lists(odd, max_size=2), st.dictionaries(st.sampled_from(OPTIONS), odd))
def test_any_arguments_are_taken_or_refused(name: str, arguments: list[Any], options: dict[str, Any]) -> None:
    one = dispatcher()
    try:
        method = getattr(one, name)
        method(*arguments, **options)
    except (TypeError, ValueError, callsteer.CallsteerError):
        pass
    assert one.stats().begun <= 1


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(FUNCTIONS), st.lists(odd, min_size=1, max_size=2))
def test_any_text_is_read_or_refused(name: str, arguments: list[Any]) -> None:
    try:
        getattr(callsteer, name)(*arguments)
    except (TypeError, ValueError, callsteer.CallsteerError):
        pass


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(Dispatcher().config)), odd))
def test_any_options_are_taken_or_refused(options: dict[str, Any]) -> None:
    try:
        Dispatcher(**options)
    except (TypeError, ValueError, callsteer.CallsteerError):
        pass

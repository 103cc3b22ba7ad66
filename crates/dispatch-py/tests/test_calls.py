"""Calls from begin to end."""

import pickle

import pytest

import callsteer
from callsteer import Destination, Dispatcher


def fleet(*ids: str, max_calls: int = 0) -> Dispatcher:
    dispatcher = Dispatcher(clock=lambda: 1.0)
    for id in ids:
        dispatcher.add(Destination(f"sip:{id}", id=id, max_calls=max_calls))
    return dispatcher


def test_a_call_is_counted_until_it_ends() -> None:
    dispatcher = fleet("a")
    placed = dispatcher.begin("1", cls="healthcare")
    assert placed.destination.uri == "sip:a"
    assert dispatcher.begin(b"1") == placed, "a Call-ID is its bytes"
    dispatcher.confirm(placed.lease)
    assert (dispatcher.stats().calls, dispatcher.stats().confirmed) == (1, 1)
    assert dispatcher.end(placed.lease)
    assert not dispatcher.end(placed.lease)
    assert dispatcher.stats().calls == 0


def test_a_with_statement_ends_its_call_on_any_exit() -> None:
    dispatcher = fleet("a", "b")
    call = dispatcher.call("1")
    with call:
        assert dispatcher.stats().calls == 1
        first = call.destination
        second = call.failed(503)
        assert second is call.destination
        assert second != first
        assert call.failed(486) is None
        call.confirm()
    assert dispatcher.stats().calls == 0
    with pytest.raises(RuntimeError), call:
        raise RuntimeError
    assert dispatcher.stats().ended == 2
    with pytest.raises(callsteer.Exhausted), call:
        call.failed("timeout")
        call.failed("timeout")
    assert dispatcher.stats().calls == 0
    with pytest.raises(RuntimeError, match="with"):
        _ = call.destination


def test_a_refusal_says_what_to_answer() -> None:
    dispatcher = fleet("a", max_calls=1)
    dispatcher.begin("1")
    with pytest.raises(callsteer.Full) as refused:
        dispatcher.begin("2")
    assert (refused.value.code, refused.value.status, refused.value.retry_after) == ("full", 503, 5)
    assert isinstance(refused.value, callsteer.CallsteerError)
    again = pickle.loads(pickle.dumps(refused.value))
    assert (type(again), again.retry_after, str(again)) == (callsteer.Full, 5, str(refused.value))


def test_destinations_come_back_as_the_same_object_until_they_are_described_anew() -> None:
    dispatcher = fleet("a")
    ((bridge, _status),) = dispatcher
    assert dispatcher.begin("1").destination is bridge
    assert dispatcher.pick("2") is dispatcher.pick("3")
    assert dispatcher.find("a") is bridge
    heavier = dispatcher.update(bridge, bridge.replace(weight=20))
    assert (bridge.weight, heavier.weight) == (1, 20)
    assert dispatcher.begin("1").destination is heavier
    dispatcher.drain(bridge)
    assert dispatcher.status(heavier) == dispatcher.status(bridge)


def test_a_call_that_somebody_has_stays_the_call_that_it_is() -> None:
    dispatcher = fleet("a", "b")
    held = [dispatcher.begin(str(number)) for number in range(100)]
    assert len({placed.lease for placed in held}) == 100
    assert [dispatcher.call_of(str(number)) for number in range(100)] == [placed.lease for placed in held]
    # An object that nobody has any more stands for another call.
    first = held.pop(0)
    lease, found = first.lease, {first: "first"}
    del first
    assert all(dispatcher.begin(f"later {number}").lease != lease for number in range(10))
    assert [placed.lease for placed in found] == [lease]
    assert {hash(placed) for placed in held} == {placed.lease for placed in held}

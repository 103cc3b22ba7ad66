"""What is given back: equal by value, picklable, and as it is written."""

import copy
import pickle
from dataclasses import asdict
from typing import Any

import pytest

import callsteer
from callsteer import Destination, Dispatcher, Report, events


def busy() -> Dispatcher:
    one = Dispatcher(clock=lambda: 1.0, scaling={})
    bridge = one.add(Destination("sip:a", id="a", max_calls=2, attrs={"zone": "x"}))
    one.add(Destination("sip:b"), set=2)
    one.begin("1")
    one.report(bridge, Report(score=0.5))
    return one


def values() -> list[Any]:
    one = busy()
    ((bridge, status), _) = one
    listed = callsteer.parse_list("1 sip:10.0.0.1 16 # old\n", lenient=True)
    return [
        bridge,
        status,
        Destination("sip:a", weight=3, probing="never", starts="trying"),
        one.stats(),
        one.capacity(),
        one.explain("2").rows,
        one.begin("2"),
        one.plan([]).changes,
        one.reconcile(bridge, 5),
        Report(score=0.5),
        callsteer.read_orca("TEXT cpu_utilization=0.3"),
        callsteer.read_agent_check("ready 75% maxconn:30 nonsense\n"),
        callsteer.read_heartbeat("Event-Name: HEARTBEAT\nSession-Count: 3\n"),
        listed.entries(),
        callsteer.parse_list("1 sip:10.0.0.1;weight=10\n").lint(),
        *iter(one.poll_event, None),
    ]


@pytest.mark.parametrize("value", values(), ids=lambda value: type(value).__name__)
def test_a_value_is_equal_after_a_journey(value: Any) -> None:
    again = pickle.loads(pickle.dumps(value))
    assert again == value
    assert repr(again) == repr(value)
    assert copy.deepcopy(value) == value
    assert value != object()
    if not isinstance(value, (list, callsteer.Orca)):
        assert hash(again) == hash(value)


def test_a_description_prints_as_it_is_written() -> None:
    bridge = Destination("sip:a", id="a", weight=3, attrs={"zone": "x"})
    assert repr(bridge) == "Destination('sip:a', id='a', weight=3, attrs={'zone': 'x'})"
    assert eval(repr(bridge)) == bridge
    assert bridge.replace(weight=1, id="b") == Destination("sip:a", id="b", attrs={"zone": "x"})
    assert len({bridge, bridge.replace(), bridge.replace(weight=4)}) == 2
    for name in ("uri", "weight", "other"):
        with pytest.raises(AttributeError):
            setattr(bridge, name, 1)


def test_a_dispatcher_and_a_call_in_progress_stay_where_they_are() -> None:
    for there in (busy(), busy().call("1"), busy().plan([])):
        with pytest.raises(TypeError, match="pickle"):
            pickle.dumps(there)


def test_answers_are_dataclasses() -> None:
    one = busy()
    assert asdict(one.stats())["begun"] == 1
    match one.poll_event():
        case events.Added(destination=bridge, at=at):
            assert (bridge.id, at) == ("a", 1.0)
        case other:
            pytest.fail(f"{other}")


def test_an_event_names_a_destination_that_is_gone() -> None:
    one = Dispatcher(clock=lambda: 1.0)
    for index in range(3):
        one.remove(one.add(Destination("sip:a", attrs={"run": str(index)})))
    seen = list(iter(one.poll_event, None))
    assert [event.kind for event in seen] == ["added", "removed"] * 3
    runs = [event.destination.attrs["run"] for event in seen if isinstance(event, events.AtDestination)]
    assert runs == ["0", "0", "1", "1", "2", "2"]


def test_the_configuration_makes_the_same_dispatcher_again() -> None:
    config = Dispatcher(algorithm={"call_id_hash": {"bound": 1.25}}).config
    again: Any = config
    assert Dispatcher(**again).config == config
    assert config["algorithm"] == {"call_id_hash": {"bound": 1.25}}


def test_a_list_is_planned_and_applied() -> None:
    one = Dispatcher(clock=lambda: 1.0)
    first = callsteer.parse_list(
        "# bridges\n1 sip:10.0.0.1 0 0 duid=a;weight=60\n1 sip:10.0.0.2 0 0 duid=b\n"
    )
    plan = one.plan(first.destinations())
    assert len(plan) == 2
    assert [change.kind for change in plan.changes] == ["add", "add"]
    one.apply(plan)
    with pytest.raises(callsteer.StalePlan):
        one.apply(plan)
    first.update(1, Destination("sip:10.0.0.2", id="b", weight=40))
    removed = first.remove(1, "a")
    assert removed
    assert (removed.set, removed.uri, removed.weight) == (1, "sip:10.0.0.1", 60)
    plan = one.plan(first.destinations())
    assert [(change.kind, change.id) for change in plan.changes] == [("remove", "a"), ("update", "b")]
    assert str(plan).splitlines()[1] == "~ set 1: b, weight 1 -> 40"
    one.apply(plan)
    assert [bridge.weight for bridge, _ in one] == [40]
    assert not one.plan(first.destinations())
    assert bytes(first) == b"# bridges\n1 sip:10.0.0.2 0 0 duid=b;weight=40\n"

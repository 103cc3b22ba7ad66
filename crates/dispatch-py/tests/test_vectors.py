"""testdata/*.json, the contract of all languages; testdata/README.md tells the format."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from callsteer import CallsteerError
from driver import Driver

TESTDATA = Path(__file__).parents[3] / "testdata"
VECTORS = sorted(TESTDATA.glob("*.json"))
EXPECTED = {"gives": None, "error": None, "answer": None, "says": "", "state": {}, "stats": {}}
VECTOR = {
    "name": "v",
    "about": "",
    "config": {},
    "steps": [
        {"do": "add", "destination": {"uri": "a"}},
        {"do": "begin", "call": "1", "gives": "a"},
        {"do": "report", "who": "a", "report": {"score": 1}},
        {
            "do": "score",
            "measured": {"cpu": 1},
            "gives": 1,
            "resources": {"resources": [{"name": "cpu", "full": 1}]},
        },
    ],
}


def changed(step: int, keys: dict[str, Any]) -> dict[str, Any]:
    """The vector with other keys in one step."""
    steps = [dict(each) for each in VECTOR["steps"]]
    steps[step] |= keys
    return VECTOR | {"steps": steps}


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_every_vector_holds(path: Path) -> None:
    run(json.loads(path.read_text()), path.stem)


def run(vector: dict[str, Any], stem: str) -> None:
    assert vector.keys() == {"name", "about", "config", "steps"}
    assert vector["name"] == stem
    driver = Driver(vector["config"])
    for number, step in enumerate(vector["steps"], 1):
        try:
            check(driver, dict(step))
        except Exception as error:
            raise AssertionError(f"{stem}.json, step {number}: {error!r}") from error


def check(driver: Driver, step: dict[str, Any]) -> None:
    driver.now = step.pop("at", driver.now)
    step.pop("about", None)
    wanted = EXPECTED | {key: step.pop(key) for key in EXPECTED if key in step}
    gives, code, answer, says = None, None, None, ""
    try:
        gives = driver.do(step.pop("do"), step)
    except CallsteerError as refused:
        code, answer, says = refused.code, [refused.status, refused.retry_after], str(refused)
    assert code == wanted["error"], f"refused as {code}: {says}"
    assert code or not (wanted["answer"] or wanted["says"]), "of which error?"
    assert same(gives, wanted["gives"]), f"gives {gives}"
    assert not wanted["answer"] or same(answer, wanted["answer"]), f"answer {answer}"
    assert wanted["says"] in says, f"says {says}"
    for who, parts in wanted["state"].items():
        state = driver.state(who)
        assert same(state and parts and {key: state[key] for key in parts}, parts), f"{who} is {state}"
    stats = asdict(driver.dispatcher.stats())
    assert same({key: stats[key] for key in wanted["stats"]}, wanted["stats"]), f"stats {stats}"
    over = stats["ended"] + stats["expired"] + stats["healed"]
    assert stats["begun"] + stats["adopted"] == stats["calls"] + over, stats


def same(one: Any, other: Any) -> bool:
    """Equal, where 1 and 1.0 are equal too, and numbers as close as one writes them by hand."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if {type(one), type(other)} <= {int, float}:
        return abs(one - other) <= 1e-9
    return type(one) is type(other) and one == other


@pytest.mark.parametrize(
    ("where", "vector"),
    [
        ("nowhere", VECTOR),
        ("the vector", VECTOR | {"x": 1}),
        ("the configuration", VECTOR | {"config": {"x": 1}}),
        ("a part of it", VECTOR | {"config": {"health": {"x": 1}}}),
        ("an algorithm", VECTOR | {"config": {"algorithm": {"call_id_hash": {"bond": 1.25}}}}),
        ("a destination", changed(0, {"destination": {"uri": "a", "x": 1}})),
        ("a command", changed(1, {"x": 1})),
        ("another command", changed(1, {"enabled": True})),
        ("a state", changed(1, {"state": {"a": {"x": 1}}})),
        ("the stats", changed(1, {"stats": {"x": 1}})),
        ("a report", changed(2, {"report": {"x": 1}})),
        ("a resource", changed(3, {"resources": {"resources": [{"name": "cpu", "full": 1, "x": 1}]}})),
        ("an answer", changed(1, {"gives": "b"})),
        ("an error", changed(1, {"error": "full"})),
    ],
)
def test_what_is_unknown_or_wrong_fails(where: str, vector: dict[str, Any]) -> None:
    if where == "nowhere":
        return run(vector, "v")
    with pytest.raises((AssertionError, CallsteerError)):
        run(vector, "v")

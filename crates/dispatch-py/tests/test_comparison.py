"""`callsteer.bench` on frames of pandas and of polars."""

import os
import signal
import threading
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import polars as pl
import pytest

import callsteer

CALLS: dict[str, list[Any]] = {
    "start": [float(second) for second in range(2_000)],
    "duration": [300.0 if second % 3 == 0 else 20.0 for second in range(2_000)],
    "kind": ["long" if second % 3 == 0 else "short" for second in range(2_000)],
    "price": [4.0 if second % 3 == 0 else 1.0 for second in range(2_000)],
}
FRAMES = [pd.DataFrame, pl.DataFrame]
OPTIONS: dict[str, Any] = {"bridges": 4, "replays": 2, "policies": ["call_load", "random"]}


@pytest.mark.parametrize("frame", FRAMES)
def test_a_frame_gives_a_frame_of_its_kind(frame: Any) -> None:
    told: list[tuple[int, int]] = []
    report = callsteer.bench(
        frame(CALLS), cls="kind", cost="price", progress=lambda done, of: told.append((done, of)), **OPTIONS
    )
    assert isinstance(report, frame)
    rows = dict(zip(report["policy"], report["cv"], strict=True))
    assert list(rows) == ["call_load", "random"], "the most even one first"
    assert 0 < rows["call_load"] < rows["random"]
    assert list(report["calls"]) == [report["calls"][0]] * 2
    assert told[-1] == (4, 4)


def test_both_libraries_and_both_ways_to_write_time_give_the_same() -> None:
    begin = datetime(2026, 1, 1)
    times = CALLS | {
        "start": [begin + timedelta(seconds=second) for second in CALLS["start"]],
        "duration": [timedelta(seconds=second) for second in CALLS["duration"]],
    }
    reports = [callsteer.bench(frame(calls), **OPTIONS) for frame in FRAMES for calls in (CALLS, times)]
    answers = [[list(report[column]) for column in report.columns] for report in reports]
    assert answers == [answers[0]] * 4


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize(
    ("change", "options", "error", "says"),
    [
        ({"start": [0.0, float("nan")]}, {}, ValueError, "row 2, start"),
        ({"duration": [1.0, None]}, {}, ValueError, "row 2, duration"),
        ({"duration": [1.0, -1.0]}, {}, ValueError, "row 2, duration: -1 is not from 0"),
        ({"start": ["1", "2"]}, {}, ValueError, "'start' is String, not a number"),
        ({}, {"cost": "prise"}, KeyError, "no column 'prise' among start, duration"),
        ({}, {"policies": ["fastest"]}, ValueError, 'no policy "fastest"'),
        ({}, {"bridges": 0}, ValueError, "1 to 4096 bridges"),
        ({}, {"weights": [0]}, ValueError, "weight"),
    ],
)
def test_what_cannot_be_is_refused(
    frame: Any, change: dict[str, Any], options: dict[str, Any], error: type[Exception], says: str
) -> None:
    calls = frame({"start": [0.0, 1.0], "duration": [1.0, 1.0]} | change)
    with pytest.raises(error, match=says):
        callsteer.bench(calls, **options)


@pytest.mark.parametrize("frame", FRAMES)
def test_there_are_calls(frame: Any) -> None:
    with pytest.raises(ValueError, match="no calls"):
        callsteer.bench(frame(CALLS).head(0))


def test_a_progress_that_raises_ends_the_bench() -> None:
    def stop(done: int, of: int) -> None:
        raise LookupError(f"{done} of {of}")

    with pytest.raises(LookupError, match="of 18"):
        callsteer.bench(pd.DataFrame(CALLS), replays=2, progress=stop)


def test_ctrl_c_ends_the_bench() -> None:
    # Long enough that nobody waits for its end.
    seconds = range(200_000)
    calls = pl.DataFrame({"start": [float(each) for each in seconds], "duration": [600.0] * len(seconds)})
    sent = threading.Event()

    def interrupt(done: int, of: int) -> None:
        if not sent.is_set():
            sent.set()
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        callsteer.bench(calls, replays=1_000, progress=interrupt)
    assert sent.is_set()


def test_other_threads_run_meanwhile() -> None:
    counted = 0
    over = threading.Event()

    def count() -> None:
        nonlocal counted
        while not over.is_set():
            counted += 1

    counting = threading.Thread(target=count)
    counting.start()
    before = counted
    callsteer.bench(pl.DataFrame(CALLS), **OPTIONS)
    assert counted > before
    over.set()
    counting.join()

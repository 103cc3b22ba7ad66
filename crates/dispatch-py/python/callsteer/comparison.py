"""`callsteer.bench`: what each algorithm would have made of recorded calls; needs `callsteer[pandas]` or `[polars]`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from callsteer._callsteer import run_bench

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from narwhals.typing import IntoDataFrameT


def bench(
    calls: IntoDataFrameT,
    *,
    start: str = "start",
    duration: str = "duration",
    cls: str | None = None,
    cost: str | None = None,
    bridges: int | None = None,
    weights: Sequence[int] | None = None,
    max_calls: int | None = None,
    capacity: float | None = None,
    policies: Sequence[str] | None = None,
    replays: int | None = None,
    seed: int | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> IntoDataFrameT:
    """Replays calls through each policy and says how evenly it spreads them over a fleet.

    It is what `callsteer bench --trace` does with a file, with the same defaults; docs/bench.md says what is
    measured. Other threads of Python run meanwhile, and Ctrl-C ends it.

    Args:
        calls: a frame of pandas, polars or whatever else narwhals knows, one row per call.
        start: the column of starts: times, or seconds since any moment.
        duration: the column of lengths: durations, or seconds.
        cls: the column of classes, texts. Default: all calls are of one class.
        cost: the column of costs, above 0 in any unit. Default: all cost the same.
        bridges: how many equal bridges there are.
        weights: or the weight of each bridge.
        max_calls: concurrent calls that a bridge is given at most; 0 is no limit.
        capacity: the load in average calls above which a bridge of mean weight answers 503.
        policies: names, as "call_load". Default: all that there are.
        replays: replays per policy, with the seeds `seed`, `seed` + 1 and so on.
        seed: the first seed.
        progress: is told how many replays are done and how many there are; what it raises ends the bench.

    Returns:
        A frame of the same library, the most even policy first: `policy`; `max_over_mean`, `cv` and
        `busiest_p99`, each with its `..._ci95`, half the width of the confidence interval; `calls`, `refused`,
        `moved`.

    Raises:
        ValueError: a row, a policy or an option that cannot be; says which.
        KeyError: there is no such column.
    """
    import narwhals as nw

    frame = nw.from_native(calls, eager_only=True)

    def column(name: str) -> nw.Series[Any]:
        if name not in frame.columns:
            raise KeyError(f"there is no column {name!r} among {', '.join(frame.columns)}")
        series = frame[name]
        missing = series.is_null().arg_true()
        if len(missing):
            raise ValueError(f"row {missing[0] + 1}, {name}: there is no value")
        return series

    def seconds(name: str) -> list[float]:
        series = column(name)
        if isinstance(series.dtype, nw.Datetime):
            series = series.dt.timestamp("us") / 1e6
        elif isinstance(series.dtype, nw.Duration):
            series = series.dt.total_microseconds() / 1e6
        return numbers(name, series)

    def numbers(name: str, series: nw.Series[Any]) -> list[float]:
        if not series.dtype.is_numeric():
            raise ValueError(f"column {name!r} is {series.dtype}, not a number")
        return cast("list[float]", series.cast(nw.Float64).to_list())

    rows = len(frame)
    report = run_bench(
        seconds(start),
        seconds(duration),
        column(cls).cast(nw.String).to_list() if cls else ["all"] * rows,
        numbers(cost, column(cost)) if cost else [1.0] * rows,
        bridges=bridges,
        weights=weights and list(weights),
        max_calls=max_calls,
        capacity=capacity,
        policies=policies and list(policies),
        replays=replays,
        seed=seed,
        progress=progress,
    )
    answers: dict[str, list[Any]] = {"policy": [row["policy"] for row in report["policies"]]}
    for figure in ("max_over_mean", "cv", "busiest_p99"):
        answers[figure] = [row[figure]["mean"] for row in report["policies"]]
        answers[f"{figure}_ci95"] = [row[figure]["ci95"] for row in report["policies"]]
    for count in ("calls", "refused", "moved"):
        answers[count] = [row["totals"][count] for row in report["policies"]]
    return cast("IntoDataFrameT", nw.from_dict(answers, backend=frame.implementation).to_native())

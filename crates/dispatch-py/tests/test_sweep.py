"""`callsteer.sweep`: the same bytes whoever runs the tasks, and whatever stops them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import callsteer
from callsteer._callsteer import Sweep, run_task

ROOT = Path(__file__).parents[3]
COMMAND = Path(os.environ.get("CALLSTEER_COMMAND", ROOT / "target/debug/callsteer"))

BASE = "name = 'short'\nabout = ''\n[measure]\nfrom = 60\nuntil = 80\n"
GRID = """\
name = 'test'
base = 'base.toml'
policies = ['load_score', 'random']
seeds = {seeds}
axes.fleet.dispatchers = [1, 4]
axes.fleet.shared_every = [1, 'never']
"""
JOINED = ("sweep.json", "sweep.csv")


def write(folder: Path, seeds: int = 2) -> Path:
    (folder / "base.toml").write_text(BASE)
    grid = folder / "grid.toml"
    grid.write_text(GRID.format(seeds=seeds))
    return grid


@pytest.fixture
def grid(tmp_path: Path) -> Path:
    return write(tmp_path)


@pytest.fixture
def joined(grid: Path) -> list[bytes]:
    """What the command joins; `cargo build --all-features --bin callsteer` makes it."""
    out = grid.parent / "by-the-command"
    subprocess.run(
        [COMMAND, "bench", "--sweep", grid, "--out", out, "--quiet"], check=True, capture_output=True
    )
    return [(out / name).read_bytes() for name in JOINED]


def of(out: Path) -> list[bytes]:
    return [(out / name).read_bytes() for name in JOINED]


def written(out: Path) -> dict[str, int]:
    return {file.name: file.stat().st_mtime_ns for file in (out / "results").glob("*.json")}


def test_threads_of_this_process_join_to_what_the_command_does(grid: Path, joined: list[bytes]) -> None:
    out = grid.parent / "out"
    told: list[tuple[int, int]] = []
    swept = callsteer.sweep(grid, out, progress=lambda done, of: told.append((done, of)))
    assert told[-1] == (16, 16)
    assert [axis["key"] for axis in swept["axes"]] == ["fleet.dispatchers", "fleet.shared_every"]
    assert swept["cells"][3]["values"] == [4, "never"]
    assert swept["cells"][3]["policies"][0]["excess"]["mean"] > 0
    assert of(out) == joined


def test_dask_joins_to_what_the_command_does(grid: Path, joined: list[bytes]) -> None:
    distributed: Any = import_module("distributed")
    told: list[tuple[int, int]] = []
    with distributed.Client(n_workers=2, threads_per_worker=1, dashboard_address=None):
        out = grid.parent / "out"
        callsteer.sweep(grid, out, on="dask", progress=lambda done, of: told.append((done, of)))
    assert told == [(done, 16) for done in range(1, 17)]
    assert of(out) == joined


@pytest.mark.filterwarnings("default")
def test_ray_joins_to_what_the_command_does(grid: Path, joined: list[bytes]) -> None:
    ray: Any = import_module("ray")
    told: list[tuple[int, int]] = []
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        out = grid.parent / "out"
        callsteer.sweep(grid, out, on="ray", progress=lambda done, of: told.append((done, of)))
    finally:
        ray.shutdown()
    assert told == [(done, 16) for done in range(1, 17)]
    assert of(out) == joined


def test_a_process_that_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    grid, out = write(tmp_path, seeds=10), tmp_path / "out"
    program = f"import callsteer; callsteer.sweep({str(grid)!r}, {str(out)!r})"
    with subprocess.Popen([sys.executable, "-c", program]) as process:
        while not written(out):
            assert process.poll() is None, "it ended without a result"
        process.send_signal(signal.SIGKILL)
    before = written(out)
    assert not (out / "sweep.json").exists()
    assert len(before) < 80, "it was killed after its end"

    told: list[int] = []
    callsteer.sweep(grid, out, progress=lambda done, of: told.append(of))
    assert told[-1] == 80 - len(before)
    assert before.items() <= written(out).items(), "a result was made again"
    callsteer.sweep(grid, tmp_path / "whole")
    assert of(out) == of(tmp_path / "whole")


def test_what_is_done_is_not_done_again(grid: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = grid.parent / "out"
    callsteer.sweep(grid, out)
    before = written(out)
    write(grid.parent, seeds=3)
    told: list[tuple[int, int]] = []
    callsteer.sweep(grid, out, progress=lambda done, of: told.append((done, of)))
    assert told[-1] == (8, 8)
    assert before.items() <= written(out).items()
    monkeypatch.setitem(sys.modules, "ray", None)
    callsteer.sweep(grid, out, on="ray")  # nothing is left to do, so nobody is asked


def test_a_damaged_result_is_named(grid: Path) -> None:
    out = grid.parent / "out"
    callsteer.sweep(grid, out)
    whole = of(out)
    result = next((out / "results").glob("*.json"))
    result.write_text(result.read_text()[:100])
    with pytest.warns(RuntimeWarning, match=f"{result.name}: this is no result: .*the task is run again"):
        callsteer.sweep(grid, out)
    assert of(out) == whole


def test_what_cannot_be_used_is_refused(grid: Path) -> None:
    out = grid.parent / "out"
    sweep = Sweep(grid, out)
    (task, *_), _ = sweep.waiting()
    with pytest.raises(ValueError, match="0 of 16 tasks have a result"):
        sweep.join()
    with pytest.raises(ValueError, match="or it was changed"):
        run_task(task.replace('"seed":1', '"seed":2'))
    with pytest.raises(ValueError, match="this is no task"):
        run_task("{}")
    result = run_task(task)
    with pytest.raises(ValueError, match="is no task of this sweep"):
        sweep.keep(result.replace('"seed":1', '"seed":2'))
    with pytest.raises(ValueError, match="this is no result"):
        sweep.keep(result[:50])
    sweep.keep(result)
    assert len(sweep.waiting()[0]) == 15

    grid.write_text(grid.read_text().replace("dispatchers", "dispachers"))
    with pytest.raises(
        ValueError, match=r"grid.toml:5:12: unknown key `dispachers`.* did you mean `dispatchers`\?"
    ):
        callsteer.sweep(grid, out)


@pytest.mark.parametrize("error", [LookupError("enough"), KeyboardInterrupt()])
def test_a_progress_that_raises_ends_the_sweep(grid: Path, error: BaseException) -> None:
    def stop(done: int, of: int) -> None:
        raise error

    with pytest.raises(type(error)):
        callsteer.sweep(grid, grid.parent / "out", progress=stop)
    assert not (grid.parent / "out/sweep.json").exists()


def test_other_threads_run_meanwhile(grid: Path) -> None:
    (task, *_), _ = Sweep(grid, grid.parent / "out").waiting()
    results: list[Any] = []
    threads = [threading.Thread(target=lambda: results.append(run_task(task))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [run_task(task)] * 4

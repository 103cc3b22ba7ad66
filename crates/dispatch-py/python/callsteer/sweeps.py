"""`callsteer.sweep`: a scenario with many values of its keys, on this machine, or a cluster of Ray or Dask.

Clusters need `callsteer[ray]` or `callsteer[dask]`, and Callsteer on every machine of theirs.
"""

from __future__ import annotations

import warnings
from contextlib import ExitStack, closing
from importlib import import_module
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

from callsteer._callsteer import Sweep, run_task

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from os import PathLike


def sweep(
    grid: str | PathLike[str],
    out: str | PathLike[str],
    *,
    on: Literal["local", "ray", "dask"] = "local",
    progress: Callable[[int, int], object] | None = None,
) -> dict[str, Any]:
    """Simulates every combination of the values in a grid, and joins what came out.

    It is what `callsteer bench --sweep` does, with the same files and the same bytes wherever tasks are run;
    docs/sweep.md describes grids and files. Results are kept one by one: called again after anything stopped it, it
    goes on with what is left. Other threads of Python run meanwhile, and Ctrl-C ends it.

    Args:
        grid: the TOML file of the grid.
        out: the folder where tasks and results go; only this process writes there.
        on: where tasks are run: on all processors of this machine, or on the cluster that Ray or Dask is connected
            to. Where it is connected to none, it is asked to connect as it is configured (RAY_ADDRESS,
            DASK_SCHEDULER_ADDRESS), which without an address means: processes on this machine.
        progress: is told how many tasks are done and how many there were to do; what it raises ends the sweep.

    Returns:
        What is written as `sweep.json`.

    Raises:
        ValueError: the grid is wrong, or the folder is that of another sweep; says what and where.
    """
    sweep = Sweep(grid, out)
    tasks, damaged = sweep.waiting()
    for what in damaged:
        warnings.warn(f"{what}: the task is run again", RuntimeWarning, stacklevel=2)
    if on == "local":
        sweep.run(progress)
    elif tasks:
        with closing({"ray": _on_ray, "dask": _on_dask}[on](tasks)) as results:
            for done, result in enumerate(results, start=1):
                sweep.keep(result)
                if progress is not None:
                    progress(done, len(tasks))
    return sweep.join()


def _on_ray(tasks: list[str]) -> Generator[str, None, None]:
    ray: Any = import_module("ray")
    if not ray.is_initialized():
        ray.init()
    run = ray.remote(_run)
    rest = iter(tasks)
    running = [run.remote(task) for task in islice(rest, _AHEAD)]
    try:
        while running:
            done, running = ray.wait(running)
            running += [run.remote(task) for task in islice(rest, len(done))]
            yield from ray.get(done)
    finally:
        for task in running:
            ray.cancel(task)


def _on_dask(tasks: list[str]) -> Generator[str, None, None]:
    distributed: Any = import_module("distributed")
    with ExitStack() as ours:
        try:
            client = distributed.Client.current()
        except ValueError:
            client = ours.enter_context(distributed.Client())
        running = client.map(_run, tasks, pure=False)
        try:
            for _, result in distributed.as_completed(running, with_results=True):
                yield result
        finally:
            client.cancel(running)


def _run(task: str) -> str:
    return run_task(task)


# So many tasks Ray is given before their turn.
_AHEAD = 1_000

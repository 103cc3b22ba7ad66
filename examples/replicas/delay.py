"""How long after a call was placed at one control plane another one counts it, by what both answer over HTTP.

    python examples/replicas/delay.py --calls 200

Calls are placed at random times, as they come; the interval between two deltas is most of the delay.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
import time
from pathlib import Path

from fleet import Fleet, Plane, path, running

PAIRS = [("p1", "p2"), ("p1", "n1"), ("n1", "p1"), ("n1", "n2")]


async def delay(fleet: Fleet, at: Plane, other: Plane) -> float:
    """Of one call, in seconds."""

    async def known() -> int:
        return sum(bridge["elsewhere"] for bridge in (await other.bridges()).values())

    await fleet.until(fleet.is_idle, "nobody counts a call")
    await asyncio.sleep(random.uniform(0, 0.2))
    status, _ = await at.ask("POST", "/calls", {"call_id": "one"})
    assert status == 201
    began = time.monotonic()
    while not await known():
        pass
    took = time.monotonic() - began
    await at.ask("DELETE", path("one"))
    return took


async def main(calls: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with running(Path(folder)) as (fleet, _):
            planes = {plane.name: plane for plane in fleet.planes}
            print(f"{calls} calls each; in ms{'p50':>10}{'p99':>8}{'most':>8}")
            for at, other in PAIRS:
                took = sorted([await delay(fleet, planes[at], planes[other]) for _ in range(calls)])
                shown = [took[int(share * (calls - 1))] * 1000 for share in (0.5, 0.99, 1)]
                print(f"{at} to {other:16}{shown[0]:10.0f}{shown[1]:8.0f}{shown[2]:8.0f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, default=200)
    asyncio.run(main(parser.parse_args().calls))

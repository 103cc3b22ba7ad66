"""What a call costs from Python, beside an empty method, `min()` over dicts and LiteLLM's router.

All in one process, in turns, in processor time: what else runs on the machine matters little.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
import timeit
from pathlib import Path

# It comes with a table of prices, and would ask for a newer one.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import litellm

from callsteer import Destination, Dispatcher

DESTINATIONS = 16

EMPTY, PICK, CALL = "empty PyO3 method", "pick", "begin + end_call"
DICTS, LITELLM = f"min() over {DESTINATIONS} dicts", "LiteLLM get_available_deployment"
# What is measured, and how often in one turn.
MEASURED = {
    EMPTY: ("empty()", 100_000),
    PICK: ("pick(call_id)", 50_000),
    CALL: ("begin(call_id); end_call(call_id)", 20_000),
    "with dispatcher.call()": ("with call(call_id): pass", 20_000),
    DICTS: ("min(bridges, key=calls)", 10_000),
    LITELLM: ("get_available_deployment('bridge')", 100),
}


def names() -> dict[str, object]:
    """What the statements name."""
    dispatcher = Dispatcher(algorithm="call_load")
    for index in range(DESTINATIONS):
        dispatcher.add(Destination(f"sip:10.0.0.{index}"))

    def deployment(index: int) -> dict[str, object]:
        there = {
            "model": f"openai/{index}",
            "api_base": f"http://10.0.0.{index}",
            "api_key": "none",
        }
        return {"model_name": "bridge", "litellm_params": there}

    deployments = [deployment(index) for index in range(DESTINATIONS)]
    router = litellm.Router(model_list=deployments, routing_strategy="simple-shuffle")
    return {
        "call_id": "a84b4c76e66710@pc33.example.com",
        # It takes nothing, and gives what is there.
        "empty": Destination("sip:10.0.0.1").__copy__,
        "pick": dispatcher.pick,
        "begin": dispatcher.begin,
        "end_call": dispatcher.end_call,
        "call": dispatcher.call,
        "bridges": [{"uri": f"sip:10.0.0.{index}", "calls": index % 7} for index in range(DESTINATIONS)],
        "calls": lambda bridge: bridge["calls"],
        "get_available_deployment": router.get_available_deployment,
    }


# So many times the one as long as the other: at most, or at least.
TARGETS = [
    (PICK, EMPTY, "at most", 2),
    (CALL, EMPTY, "at most", 8),
    (DICTS, PICK, "at least", 20),
    (DICTS, CALL, "at least", 20),
    (LITELLM, PICK, "at least", 500),
    (LITELLM, CALL, "at least", 500),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer turns, for a look")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was measured")
    options = parser.parse_args()

    known = names()
    timers = {
        name: (timeit.Timer(statement, timer=time.process_time, globals=known), times)
        for name, (statement, times) in MEASURED.items()
    }
    # One after another in each turn, so that a slow moment is everybody's.
    turns = [
        {name: timer.timeit(times) / times * 1e9 for name, (timer, times) in timers.items()}
        for _ in range(5 if options.quick else 25)
    ]
    medians = {name: statistics.median(turn[name] for turn in turns) for name in timers}

    print(f"Python {platform.python_version()}, {DESTINATIONS} destinations; medians of {len(turns)} turns\n")
    for name, nanoseconds in medians.items():
        print(f"{name:34} {nanoseconds:10,.0f} ns {nanoseconds / medians[EMPTY]:8.1f} x empty")
    print()
    ratios = []
    for one, other, bound, target in TARGETS:
        ratio = medians[one] / medians[other]
        met = ratio <= target if bound == "at most" else ratio >= target
        ratios.append(
            {
                "of": one,
                "to": other,
                "ratio": ratio,
                "bound": bound,
                "target": target,
                "met": met,
            }
        )
        print(f"{one} / {other}: {ratio:.1f}, {bound} {target}: {'met' if met else 'missed'}")
    if options.json:
        options.json.write_text(json.dumps({"nanoseconds": medians, "ratios": ratios}, indent=2))


if __name__ == "__main__":
    main()

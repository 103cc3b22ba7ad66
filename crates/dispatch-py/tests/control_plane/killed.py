"""`killed.py FILE KILLS SEED`: a control plane that is killed again and again, and never forgets what it answered.

Each life is a forked process that first compares what it knows with what was answered in the lives before, and is
reconciled with the bridges; then calls come and go until it is killed, whatever it is doing.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import traceback
from pathlib import Path

from callsteer import CallsteerError
from callsteer.fastapi import ControlPlane, Settings, SettingsError, kept
from callsteer.fastapi.schemas import CallRequest
from callsteer.fastapi.store import StateError, Sync

SYNC: list[Sync] = ["always", "second", "never"]
BRIDGES = b"1 sip:10.0.0.1 32\n1 sip:10.0.0.2 32\n1 sip:10.0.0.3 32\n"


class Truth:
    """What was answered, and what the bridges have."""

    def __init__(self) -> None:
        self.placed: dict[str, str] = {}
        """Where calls are whose begin was answered, and whose end was not asked for."""
        self.at_bridges: dict[str, str] = {}
        """Of these, those that their bridge confirmed."""
        self.over: set[str] = set()
        """Those that ended at their bridge."""
        self.ended: set[str] = set()
        """Those whose end was answered."""

    def note(self, line: str) -> None:
        match line.split():
            case ["begun", call_id, bridge]:
                self.placed[call_id] = bridge
            case ["confirmed", call_id]:
                self.at_bridges[call_id] = self.placed[call_id]
            case ["over", call_id]:
                del self.placed[call_id]
                self.at_bridges.pop(call_id, None)
                self.over.add(call_id)
            case ["ended", call_id]:
                self.ended.add(call_id)
            case ["checked"]:
                pass
            case _:
                raise ValueError(line)


def check(plane: ControlPlane, truth: Truth) -> None:
    dispatcher = plane.dispatcher
    for call_id, bridge in truth.placed.items():
        assert plane.call(call_id).destination.id == bridge, f"{call_id} was answered and is lost"
    for call_id in truth.ended:
        assert dispatcher.call_of(call_id) is None, f"{call_id} ended and is there"
    for destination, _ in dispatcher:
        there = [call_id for call_id, bridge in truth.at_bridges.items() if bridge == destination.id]
        done = plane.reconcile(destination.id, 1, there)
        assert (done.adopted, done.unknown) == (0, 0), "a bridge has nothing that is not known"
    counted = sum(status.calls for _, status in dispatcher)
    assert counted == dispatcher.stats().calls, "each counts once"
    # Besides, at most the one call whose answer did not get out in each life.
    known = [call_id for call_id in truth.over if dispatcher.call_of(call_id)]
    assert counted >= len(truth.placed) + len(known)


def live(path: Path, life: int, truth: Truth, out: int) -> None:
    chance = random.Random(life)
    settings = Settings(
        config={"probing": {"mode": "off"}, "setup_timeout": 3_600.0},
        bridges=BRIDGES,
        state=path,
        state_sync=chance.choices(SYNC, [1, 10, 10])[0],
    )
    plane = ControlPlane(settings)
    check(plane, truth)

    def say(*words: str) -> None:
        os.write(out, (" ".join(words) + "\n").encode())

    say("checked")
    calls = list(truth.placed)
    for number in range(1_000_000):
        if calls and chance.random() < 0.5:
            call_id = calls.pop(chance.randrange(len(calls)))
            say("over", call_id)
            plane.end(call_id)
            say("ended", call_id)
        else:
            call_id = f"call-{life}-{number}"
            placed, is_repeated = plane.begin(CallRequest(call_id=call_id))
            assert not is_repeated
            say("begun", call_id, placed.destination.id)
            if chance.random() < 0.8:
                # The bridge has it before anybody hears of that.
                say("confirmed", call_id)
                plane.confirm(call_id)
            calls.append(call_id)


def main() -> None:
    path, kills, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    # So that it is killed while it puts a snapshot in the place of the journal, too.
    kept.LONGEST = 25
    truth, chance = Truth(), random.Random(seed)
    for life in range(kills + 1):
        source, out = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(source)
            try:
                live(path, life, truth, out)
            except (AssertionError, CallsteerError, SettingsError, StateError):
                traceback.print_exc()
            finally:
                os._exit(1)
        os.close(out)
        with os.fdopen(source) as lines:
            wanted = 1 if life == kills else chance.randrange(1, 90)
            for _, line in zip(range(wanted), lines, strict=False):
                truth.note(line)
            os.kill(child, signal.SIGKILL)
            for line in lines:
                if line.endswith("\n"):
                    truth.note(line)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), f"life {life} ended by itself"
    print(f"{kills} kills survived: {len(truth.ended)} calls ended, {len(truth.placed)} in progress")


if __name__ == "__main__":
    main()

"""What every engine through which replicas share has in common, with none installed."""

from __future__ import annotations

from dataclasses import dataclass


class NoEngine(Exception):
    """A call is not here, and the engine or the replica that has it is not reached: try again soon."""


@dataclass(frozen=True)
class Elsewhere:
    """Where a call is, and which replica has it."""

    replica: str
    lease: int
    set: int
    id: str
    uri: str

"""What `Dispatcher.poll_event` gives: frozen dataclasses, for `match` or by their `kind`.

for event in iter(dispatcher.poll_event, None):
    match event:
        case events.Ejected(destination=bridge, until=until): ...
        case events.Scale(to="up", desired=desired): ...
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

if TYPE_CHECKING:
    from callsteer import Destination
    from callsteer.records import Observed


@dataclass(frozen=True)
class Event:
    """Something that happened and nobody asked for."""

    kind: ClassVar[str] = "event"
    """What happened, in one word."""
    at: float
    """When, in seconds of the dispatcher's clock."""


@dataclass(frozen=True)
class AtDestination(Event):
    """Something that happened to a destination."""

    destination: Destination
    """Which."""


@dataclass(frozen=True)
class Added(AtDestination):
    """A destination joined its set."""

    kind: ClassVar[str] = "added"


@dataclass(frozen=True)
class Removed(AtDestination):
    """A destination left its set and has no calls any more; it means nothing from now on."""

    kind: ClassVar[str] = "removed"


@dataclass(frozen=True)
class Health(AtDestination):
    """Probes changed what is known of a destination."""

    kind: ClassVar[str] = "health"
    observed: Observed
    """What they observe now."""
    failed_probes: int
    """Failed probes in a row where that is "trying", else 0."""


@dataclass(frozen=True)
class Busy(AtDestination):
    """A destination said that it is full."""

    kind: ClassVar[str] = "busy"
    until: float
    """Until when it gets no calls."""


@dataclass(frozen=True)
class Ejected(AtDestination):
    """Calls fail at a destination: it gets none for a while."""

    kind: ClassVar[str] = "ejected"
    cause: Literal["in_a_row", "share"]
    """So many calls failed in a row, or too large a share of those in the window."""
    failed: int
    """Failed calls."""
    of: int
    """All calls that were looked at."""
    until: float
    """Until when."""


@dataclass(frozen=True)
class Returned(AtDestination):
    """An ejection is over."""

    kind: ClassVar[str] = "returned"


@dataclass(frozen=True)
class Trust(AtDestination):
    """The score of a destination contradicts its calls and is ignored, or is believed again."""

    kind: ClassVar[str] = "trust"
    trusted: bool
    """Whether its score is believed."""


@dataclass(frozen=True)
class Drained(AtDestination):
    """A drain is over; said once per drain."""

    kind: ClassVar[str] = "drained"
    left: int
    """Calls that were still there at the deadline; 0 where the last one ended."""


@dataclass(frozen=True)
class Expired(AtDestination):
    """A call reached its deadline and ended."""

    kind: ClassVar[str] = "expired"
    lease: int
    """Which call."""
    confirmed: bool
    """Whether it had been confirmed."""


@dataclass(frozen=True)
class CommonCause(Event):
    """Most destinations of a set fail, so it is not they who are to blame: nobody is ejected."""

    kind: ClassVar[str] = "common_cause"
    set: int
    """Which set."""
    failing: int
    """Destinations with too many failures in the window."""
    of: int
    """Destinations with calls in the window."""


@dataclass(frozen=True)
class Scale(Event):
    """A set should have another number of destinations, by the option `scaling`."""

    kind: ClassVar[str] = "scale"
    set: int
    """Which set."""
    to: Literal["up", "down"]
    """Larger or smaller."""
    desired: int
    """How many destinations it should have."""


@dataclass(frozen=True)
class Lost(Event):
    """Nobody polled for so long that events were dropped, the oldest first."""

    kind: ClassVar[str] = "lost"
    count: int
    """How many."""

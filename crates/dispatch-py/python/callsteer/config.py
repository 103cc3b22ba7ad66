"""The options of `Dispatcher` that are dicts, as in configuration files. Every key may be missing."""

from __future__ import annotations

from typing import Literal, TypeAlias, TypedDict


class HashOptions(TypedDict, total=False):
    """Options of "call_id_hash"."""

    bound: float | None
    """Nobody above this multiple of the mean load; at least 1. None is no bound."""


class KamailioOptions(TypedDict, total=False):
    """Options of "kamailio"."""

    alg: int
    """Kamailio's number, which must be there: 0 to 11, 14 or 15."""
    use_default: bool
    """The last one of the order is spare."""
    unsigned_bytes: bool
    """Hash as Kamailio does where C's `char` has no sign, as on ARM."""


class CallIdHash(TypedDict):
    """ "call_id_hash" with options."""

    call_id_hash: HashOptions


class Kamailio(TypedDict):
    """Kamailio's own decisions, bit for bit."""

    kamailio: KamailioOptions


Algorithm: TypeAlias = (
    Literal[
        "call_load",
        "load_score",
        "round_robin",
        "weighted",
        "call_id_hash",
        "priority",
        "power_of_two",
        "random",
    ]
    | CallIdHash
    | Kamailio
)
"""How a destination is chosen; the README says what each one is good for."""


class Route(TypedDict):
    """One step of a policy: this set, by this algorithm."""

    set: int
    """The set whose destinations are tried."""
    algorithm: Algorithm
    """How one of them is chosen."""


class TenantLimits(TypedDict, total=False):
    """What one tenant may use at a time."""

    max_calls: int
    """Concurrent calls at most; 0 is no limit."""
    max_rate: int
    """New calls per second at most; 0 is no limit."""


class ReplicasConfig(TypedDict, total=False):
    """Who a dispatcher is among several over one fleet that share what they know."""

    id: str
    """Its name, which no other has at the same time. Must be there."""
    epoch: int
    """Greater each time that it starts; the time of the start will do. Must be there."""
    limits: Literal["shares", "leases"]
    """How `max_calls` is kept: each its own share, or by places leased of an engine."""
    lost_after: float
    """What a replica said that was not heard for so many seconds counts no more."""


class HealthConfig(TypedDict, total=False):
    """When probes take a destination down and bring it back."""

    probing_threshold: int
    """Failed probes in a row that take a destination down."""
    inactive_threshold: int
    """Answered probes in a row that bring it back."""
    max_retry_after: float
    """The longest Retry-After that is believed, in seconds."""
    panic_threshold: float
    """Below this share of healthy ones, 0 to 1, a set ignores health and says so; 0 is never."""


class EjectionConfig(TypedDict, total=False):
    """When calls that fail take a destination out for a while, whatever probes say."""

    enabled: bool
    """Whether anybody is ejected at all."""
    consecutive_failures: int
    """Failed calls in a row that eject."""
    failure_share: float
    """Share of failed calls in the window that ejects, above 0 to 1."""
    min_attempts: int
    """Calls in the window before their share counts."""
    window: float
    """How far back failures count, in seconds."""
    base_time: float
    """The first ejection lasts so many seconds, the n-th one in a row 2^(n-1) times as long."""
    max_time: float
    """No ejection lasts longer, in seconds."""
    max_share: float
    """The largest share of a set that may be out at a time, 0 to 1."""


class ReplyCodes(TypedDict, total=False):
    """Reply codes, by class (2 is 200 to 299) and one by one."""

    classes: list[int]
    """Classes, 1 to 6."""
    codes: list[int]
    """Codes, 100 to 699."""


class ProbingConfig(TypedDict, total=False):
    """How destinations are probed."""

    mode: Literal["off", "suspects", "all", "inactive", "flagged"]
    """Who is probed."""
    interval: float
    """From one probe of a destination to its next, in seconds; a tenth more or less."""
    timeout: float
    """A probe without result for so many seconds has failed."""
    accepted: ReplyCodes
    """The reply codes that mean "alive"."""


class Fixed(TypedDict):
    """A fleet may be full up to a utilisation."""

    fixed: float
    """Load divided by capacity, above 0 to 1."""


class TargetBlocking(TypedDict):
    """A fleet may be as full as so few calls find no room, by Erlang B."""

    target_blocking: float
    """The share of calls, above 0 and below 1."""


class ScalingConfig(TypedDict, total=False):
    """When a set should grow or shrink."""

    threshold: Fixed | TargetBlocking
    """A fleet above this should grow."""
    busiest: float | None
    """A fleet should grow, too, when its busiest destinations are above this share of their capacity."""
    low_share: float
    """A fleet should shrink to where it is below this share of the thresholds, 0 to below 1."""
    hold: float
    """How many seconds a fleet must be above a threshold before it grows."""
    hold_down: float
    """How many seconds it must be below before it shrinks."""
    lead_time: float
    """How many seconds a new bridge takes until it carries calls."""
    min_members: int
    """Never fewer."""
    max_members: int
    """Never more; 0 is no limit."""

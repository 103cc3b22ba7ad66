"""Answers: frozen dataclasses. They compare by value, can be pickled, and `dataclasses.asdict` takes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from callsteer import CallsteerError, Destination
    from callsteer.config import Algorithm

Standing: TypeAlias = Literal[
    "candidate", "removed", "disabled", "draining", "inactive", "ejected", "busy", "full", "too_fast"
]
"""Whether a destination can take a call, or the first reason why it cannot."""

Will: TypeAlias = Literal["enabled", "disabled", "draining"]
"""What the operator wants of a destination."""

Observed: TypeAlias = Literal["active", "trying", "inactive"]
"""What probes observed: up, still up after failed probes, down."""


@dataclass(frozen=True, slots=True)
class Status:
    """How a destination is, as of the last time seen."""

    set: int
    """Its set."""
    standing: Standing
    """Whether it can take a call, or why not."""
    will: Will
    """What the operator wants of it."""
    observed: Observed
    """What probes observed."""
    failed_probes: int
    """Failed probes in a row where `observed` is "trying", else 0."""
    busy_until: float | None
    """Until when it said that it is full, in seconds of the clock."""
    calls: int
    """Calls of this dispatcher in progress there."""
    load: int
    """The sum of the costs of these calls."""
    elsewhere: int
    """Calls that other replicas have there, as far as known."""
    placed: int
    """Calls placed there so far."""
    ejected: int
    """How often it has been ejected."""
    score: float | None
    """Its last score, over a minute or more where it reports that."""


@dataclass(frozen=True, slots=True)
class Replica:
    """What is known of another replica."""

    id: str
    """Its name."""
    epoch: int
    """Its start."""
    at: float
    """When it was heard for the last time, in seconds of the clock."""
    lost: bool
    """Whether that is so long ago that nothing of it counts."""
    calls: int
    """Its calls in progress, as it said last."""


@dataclass(frozen=True, slots=True)
class Stats:
    """Counts since the dispatcher was made.

    Always, begun + adopted = calls + ended + expired + healed.
    """

    calls: int
    """Calls in progress."""
    begun: int
    """Calls placed by `begin`, without repetitions."""
    repeated: int
    """Calls that `begin` found in progress already (a retransmitted INVITE)."""
    refused: int
    """Calls that `begin` refused."""
    refused_full: int
    """Of these: every destination that is up was full."""
    refused_all_down: int
    """Of these: no destination was up."""
    refused_no_such_set: int
    """Of these: the set has no destinations."""
    refused_tenant_full: int
    """Of these: the tenant had all its calls."""
    refused_too_fast: int
    """Of these: faster than a rate limit."""
    refused_invalid_call: int
    """Of these: nobody could place them."""
    confirmed: int
    """Calls confirmed; one that moved and was confirmed again counts again."""
    failed: int
    """Failures at a destination, whoever was to blame."""
    moved: int
    """Moves to another destination by `next`."""
    ended: int
    """Calls ended by `end`."""
    expired: int
    """Calls ended by their deadline."""
    healed: int
    """Calls ended by `reconcile`: they were not there any more."""
    adopted: int
    """Calls that `reconcile` found and nobody counted."""
    panics: int
    """Calls placed while health was ignored, because too few destinations were healthy."""
    reports: int
    """Reports taken."""
    reports_refused: int
    """Reports refused."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """How full a set is, as of the last time seen: over the destinations that are in service and healthy."""

    utilisation: float
    """Load / capacity. Above 1 where it is overloaded; 1 where nobody can carry anything."""
    desired: int | None
    """How many destinations the set should have; None without the option `scaling`."""
    load: float
    """What is used, in calls, or in score * weight."""
    capacity: float
    """What they can carry, in the same unit."""
    members: int
    """How many destinations these are."""
    slots: int
    """Calls that they can carry at a time."""
    arrival_rate: float
    """Calls that arrive, per second."""
    mean_duration: float | None
    """How long a call lasts in the mean, in seconds; None where it is not known."""
    busiest: float | None
    """The load of the busy ones divided by their capacity: the 99th percentile."""


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What `Dispatcher.reconcile` healed."""

    healed: int
    """Calls that were counted there and are not: they ended (a BYE was lost)."""
    adopted: int
    """Calls that are there and were not counted: they are now."""
    unknown: int
    """Calls that are there and stay uncounted here."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What "load_score" knows of the load of a destination, in units of score * weight."""

    predicted: float
    """What its calls should cost."""
    residual: float
    """How its reports differ from that: smoothed, decayed to now."""
    load: float
    """The estimate."""
    age: float | None
    """How old its last report is, in seconds."""
    trusted: bool
    """Whether its score is believed."""


@dataclass(frozen=True, slots=True)
class Row:
    """One destination of an `Explanation`."""

    route: int
    """The route, from 0."""
    algorithm: Algorithm
    """The algorithm of that route."""
    destination: Destination
    """Which destination."""
    standing: Standing
    """A candidate, or the reason why not."""
    key: float | None
    """What candidates are compared by, the least first; docs/python.md says what that is."""
    estimate: Estimate
    """What "load_score" knows of its load."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What `Dispatcher.begin` would do with a call, and why."""

    destination: Destination | None
    """Where the call would go, or is already."""
    error: CallsteerError | None
    """Why it would go nowhere; not raised."""
    rows: tuple[Row, ...]
    """Every destination on the call's routes, in the order of routes and of seats."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a `Plan`."""

    kind: Literal["add", "update", "remove"]
    """What happens to the destination."""
    set: int
    """Its set."""
    id: str
    """Its id."""
    before: Destination | None
    """The description that it has, where it is updated."""
    after: Destination | None
    """The description that it gets, where it is added or updated."""
    calls: int | None
    """Its calls that go on, where it is removed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a bridge says of its load, for `Dispatcher.report`. What it does not say stays as it was."""

    score: float | None = None
    """Its load divided by its capacity, 0 to 1000, where 1 is full; more than 1 is worth saying."""
    active_calls: int | None = None
    """Calls in progress there, of all dispatchers."""
    measured_at: float | None = None
    """When it was measured, in seconds of the dispatcher's clock. Default: now."""
    sequence: int | None = None
    """A number that grows with every report of this bridge, where clocks cannot be compared."""
    sustained: float | None = None
    """The score averaged over a minute or more. Decisions on capacity prefer it."""
    capacity: int | None = None
    """Calls that it can carry, by its own account."""
    draining: bool | None = None
    """Whether it wants no new calls; False takes an earlier True back."""


@dataclass(frozen=True, slots=True)
class Orca:
    """What an ORCA header says."""

    report: Report
    """What it means."""
    metrics: Mapping[str, float]
    """All metrics by name; `score` makes one number of several."""


@dataclass(frozen=True, slots=True)
class AgentCheck:
    """What the line of an HAProxy agent says."""

    report: Report
    """What it means; `operational` is not in it: feed "down", "fail", "stopped" as a failed probe."""
    percent: int | None
    """A weight in percent of the configured one."""
    weight: int | None
    """A weight in place of the configured one, 0 to 256."""
    maxconn: int | None
    """Calls that this dispatcher may send there."""
    admin: Literal["ready", "drain", "maint"] | None
    """What the agent wants done."""
    operational: Literal["up", "down", "fail", "stopped"] | None
    """How it finds the service."""
    description: str | None
    """What stands behind the first "#"."""
    unknown: tuple[str, int] | None
    """The first word that is not known, and its column from 1. The others count all the same."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What FreeSWITCH's event HEARTBEAT says. A session is one leg of a call."""

    report: Report
    """What it means."""
    session_count: int | None
    """Sessions in progress."""
    max_sessions: int | None
    """Sessions beyond this are refused."""
    idle_cpu: float | None
    """0 to 100 percent."""
    session_per_sec: int | None
    """How many more sessions it would start in the second of the event."""
    session_per_sec_last: int | None
    """Sessions that it started in the second before."""
    session_per_sec_max: int | None
    """The most sessions that it has started in a second."""
    uptime: float | None
    """Seconds since it started."""
    event_sequence: int | None
    """Counts the events of one run."""
    event_date: float | None
    """In Unix time."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a dispatcher.list that is a destination."""

    line: int
    """Which line, from 1."""
    set: int
    """The set of the destination."""
    destination: Destination
    """What the line says."""
    text: str
    """The line as it stands in the file, without its end."""


@dataclass(frozen=True, slots=True)
class Lint:
    """Something that a dispatcher.list may not mean."""

    line: int
    """The line, from 1."""
    column: int
    """The character of the line, from 1."""
    code: str
    """What it is: "weight_in_uri" ..."""
    severity: Literal["warning", "error"]
    """How bad it is."""
    message: str
    """What it is, in words."""
    fix: str
    """What to write instead."""

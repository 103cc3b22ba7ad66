"""Chooses the bridge that takes the next call, and keeps track of the call until it ends.

A `Dispatcher` holds destinations in sets, decides which of them takes a call, counts the call
there, moves it on when it fails, and notices when destinations come and go. It carries no SIP and
opens no socket: tell it what happens, ask it what to do.

    from callsteer import Destination, Dispatcher

    dispatcher = Dispatcher(algorithm="call_load")
    dispatcher.add(Destination("sip:10.0.0.1", max_calls=50))
    dispatcher.add(Destination("sip:10.0.0.2", max_calls=50))

    with dispatcher.call("a84b4c76e66710@pc33") as call:  # chosen and counted
        print("INVITE to", call.destination.uri)
        call.failed(503)                                  # another one
        call.confirm()                                    # 200 OK
                                                          # ended, on any exit

A call that does not live in one block: `begin` gives a `Placed` with a lease, and `confirm`, `fail`,
`next` and `end` take it; `confirm_call` and so on take the Call-ID.

Times are numbers of seconds, by `time.monotonic()` where `now` is not given. Every refusal is a
`CallsteerError` with a `code`; what refuses a call says what to answer its caller (`status`,
`retry_after`). A refused command changes nothing. All methods may be called from any thread.

    Dispatcher          commands, reports, polls and getters, in this order
    Destination         where calls go
    Report, read_*      what bridges say of their load, and the forms in which they say it
    parse_list, List    dispatcher.list: parsed, linted, planned, written back
    callsteer.events    what `Dispatcher.poll_event` gives
    callsteer.config    the options of `Dispatcher` that are dicts
    erlang_b, slots_for how many slots a fleet needs
    bench               what each algorithm would have made of recorded calls
    sweep               a scenario with many values of its keys, on this machine or a cluster

The guide is docs/python.md in the repository.
"""

from callsteer._callsteer import (
    AllDown,
    Call,
    CallsteerError,
    DamagedSnapshot,
    Destination,
    Dispatcher,
    Duplicate,
    DuplicateReport,
    Exhausted,
    Full,
    FutureReport,
    IdChanged,
    IncompleteReport,
    InconsistentSnapshot,
    InvalidCall,
    InvalidConfig,
    InvalidDelta,
    InvalidDestination,
    InvalidReply,
    InvalidReport,
    LateReport,
    List,
    NoSuchCall,
    NoSuchDestination,
    NoSuchSet,
    ParseError,
    Picked,
    Placed,
    Plan,
    SnapshotVersion,
    StalePlan,
    TenantFull,
    TooFast,
    TooMany,
    UnreadableReport,
    algorithm_of_kamailio,
    erlang_b,
    parse_list,
    read_agent_check,
    read_heartbeat,
    read_heartbeat_json,
    read_orca,
    read_orca_bin,
    read_report,
    score,
    slots_for,
)
from callsteer.comparison import bench
from callsteer.config import (
    EjectionConfig,
    HealthConfig,
    ProbingConfig,
    ReplicasConfig,
    ReplyCodes,
    Route,
    ScalingConfig,
    TenantLimits,
)
from callsteer.events import Event
from callsteer.records import (
    AgentCheck,
    Capacity,
    Change,
    Entry,
    Estimate,
    Explanation,
    Heartbeat,
    Lint,
    Orca,
    Reconciled,
    Replica,
    Report,
    Row,
    Stats,
    Status,
)
from callsteer.sweeps import sweep

__all__ = [
    "AgentCheck",
    "AllDown",
    "Call",
    "CallsteerError",
    "Capacity",
    "Change",
    "DamagedSnapshot",
    "Destination",
    "Dispatcher",
    "Duplicate",
    "DuplicateReport",
    "EjectionConfig",
    "Entry",
    "Estimate",
    "Event",
    "Exhausted",
    "Explanation",
    "Full",
    "FutureReport",
    "HealthConfig",
    "Heartbeat",
    "IdChanged",
    "IncompleteReport",
    "InconsistentSnapshot",
    "InvalidCall",
    "InvalidConfig",
    "InvalidDelta",
    "InvalidDestination",
    "InvalidReply",
    "InvalidReport",
    "LateReport",
    "Lint",
    "List",
    "NoSuchCall",
    "NoSuchDestination",
    "NoSuchSet",
    "Orca",
    "ParseError",
    "Picked",
    "Placed",
    "Plan",
    "ProbingConfig",
    "Reconciled",
    "Replica",
    "ReplicasConfig",
    "ReplyCodes",
    "Report",
    "Route",
    "Row",
    "ScalingConfig",
    "SnapshotVersion",
    "StalePlan",
    "Stats",
    "Status",
    "TenantFull",
    "TenantLimits",
    "TooFast",
    "TooMany",
    "UnreadableReport",
    "algorithm_of_kamailio",
    "bench",
    "erlang_b",
    "parse_list",
    "read_agent_check",
    "read_heartbeat",
    "read_heartbeat_json",
    "read_orca",
    "read_orca_bin",
    "read_report",
    "score",
    "slots_for",
    "sweep",
]

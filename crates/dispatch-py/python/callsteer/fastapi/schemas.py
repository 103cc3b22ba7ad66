"""What goes over HTTP: requests, answers and refusals, as `examples/openapi.json` has them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

MAX_TEXT = 256
"""Bytes of UTF-8 that a Call-ID, key, class or tenant may have."""

MAX_ID = 1_023
"""Characters that a bridge's id may have: no line of a dispatcher.list is longer."""

MAX_SET = 2_147_483_647
"""The highest set that a dispatcher.list can name."""

LONGEST = 315_360_000
"""Ten years, the longest time that the library takes, in seconds."""


def short(text: str) -> str:
    """Refuses what has more bytes than characters are allowed: a schema counts characters only."""
    if len(text.encode()) > MAX_TEXT:
        raise ValueError(f"has at most {MAX_TEXT} bytes")
    return text


def number(value: Any) -> Any:
    """Refuses what is no JSON number; a whole number may be written `5.0`, as JSON Schema has it."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("is a number")
    return value


def one_to_256_bytes(meaning: str) -> str:
    return f"{meaning}; 1 to 256 bytes of UTF-8."


CallId = Annotated[
    str,
    Field(
        min_length=1,
        max_length=MAX_TEXT,
        description=one_to_256_bytes("SIP's Call-ID, or what else identifies the call"),
    ),
    AfterValidator(short),
]
Text = Annotated[str, Field(min_length=1, max_length=MAX_TEXT), AfterValidator(short)]
SetNumber = Annotated[int, Field(ge=0, le=MAX_SET)]
Cost = Annotated[int, Field(ge=1, le=65_535)]
Seconds = Annotated[float, Field(ge=0, le=LONGEST, allow_inf_nan=False), BeforeValidator(number)]


class Request(BaseModel):
    """What a client sends: a field that is not known is refused, it may be a typing error."""

    model_config = ConfigDict(extra="forbid")


class CallRequest(Request):
    """A call that wants a bridge. What is missing or null has the library's default."""

    call_id: CallId
    set: Annotated[SetNumber, BeforeValidator(number)] | None = Field(
        default=None, description="Where the call wants to go."
    )
    key: Text | None = Field(default=None, description="What `call_id_hash` hashes in place of the Call-ID.")
    class_: Text | None = Field(
        default=None,
        alias="class",
        description="What kind of call it is: `load_score` learns what each kind costs.",
    )
    cost: Annotated[Cost, BeforeValidator(number)] | None = Field(
        default=None, description="What it adds to the load of its bridge."
    )
    tenant: Text | None = Field(default=None, description="Whose call it is, for limits.")


class CallQuery(CallRequest):
    """The same as parameters of a URL, where every value is a text."""

    set: SetNumber | None = Field(default=None, description="Where the call wants to go.")
    cost: Cost | None = Field(default=None, description="What it adds to the load of its bridge.")


class Failure(Request):
    """What happened to a call at its bridge."""

    reply: (
        Annotated[int, Field(ge=300, le=699), BeforeValidator(number)] | Literal["timeout", "unreachable"]
    ) = Field(description="The final reply's SIP status, or why there is none.")
    retry_after: Seconds | None = Field(default=None, description="The reply's Retry-After in seconds.")


class DrainRequest(Request):
    """How long to wait for the calls of a bridge that gets no new ones."""

    deadline: Seconds | None = Field(default=None, description="Seconds from now. Missing or null: for ever.")


class ReportRequest(Request):
    """What a bridge says about itself, in the own JSON. What is missing or null stays as it was."""

    score: Annotated[float, Field(ge=0, le=1_000)] | None = Field(
        default=None,
        description="Its load / its capacity, the mean over the last interval; 1 is full, more is overload.",
    )
    active_calls: Annotated[int, Field(ge=0, le=4_294_967_295)] | None = Field(
        default=None, description="Calls in progress there, of all dispatchers."
    )
    measured_at: Annotated[float, Field(ge=0, le=1e13)] | None = Field(
        default=None,
        description="When it was measured, in seconds since the epoch of Unix. Missing: when it comes. A "
        "clock that is ahead of the control plane's makes it a `future_report`: where clocks cannot be "
        "compared, send `sequence`.",
    )
    sequence: Annotated[int, Field(ge=0, le=9_007_199_254_740_991)] | None = Field(
        default=None, description="A number that grows with every report of this bridge."
    )
    sustained: Annotated[float, Field(ge=0, le=1_000)] | None = Field(
        default=None, description="The score averaged over a minute or more; decisions on capacity prefer it."
    )
    capacity: Annotated[int, Field(ge=0, le=4_294_967_295)] | None = Field(
        default=None, description="Calls that it can carry, by its own account."
    )
    draining: bool | None = Field(
        default=None, description="Whether it wants no new calls; false takes an earlier true back."
    )


class Destination(BaseModel):
    """A bridge, by what names it."""

    model_config = ConfigDict(from_attributes=True)

    id: str = Field(description="What identifies it in its set: `duid`, or the URI.")
    set: SetNumber
    uri: str = Field(description="Where the call is sent.")


class Call(BaseModel):
    """A call in progress."""

    call_id: str
    lease: int = Field(description="The library's handle of the call.", ge=1, le=9_007_199_254_740_991)
    destination: Destination


class Placed(Call):
    """A call that has a bridge and is counted there."""

    panic: bool = Field(description="So few bridges are healthy that health was ignored.")


class Failed(BaseModel):
    """What to do about a failure."""

    blame: Literal["destination", "busy", "caller"] = Field(description="Whom the failure counts against.")
    moved_to: Destination | None = Field(
        description="The bridge that the call was moved to. Null: answer the caller, and DELETE the call."
    )


Standing = Literal[
    "candidate", "removed", "disabled", "draining", "inactive", "ejected", "busy", "full", "too_fast"
]


class Trying(BaseModel):
    """Still up, after failed probes."""

    trying: int = Field(ge=1, description="How many failed in a row.")


class Bridge(Destination):
    """A bridge as its owner describes it, and how it is."""

    weight: int = Field(ge=1, le=65_535)
    max_calls: int = Field(ge=0, description="Concurrent calls at most; 0 is no limit.")
    max_rate: int = Field(ge=0, description="New calls per second at most; 0 is no limit.")
    priority: int
    attrs: dict[str, str] = Field(description="Whatever else its line says.")
    standing: Standing = Field(description="Whether it can take a call, or why not.")
    will: Literal["enabled", "disabled", "draining"] = Field(description="What the operator wants of it.")
    observed: Literal["active", "inactive"] | Trying = Field(description="What probes say.")
    calls: int = Field(ge=0, description="Calls of this control plane in progress there.")
    load: int = Field(ge=0, description="The sum of the costs of these calls.")
    elsewhere: int = Field(ge=0, description="Calls that other replicas have there, as far as known.")
    placed: int = Field(ge=0, description="Calls placed there so far.")
    ejected: int = Field(ge=0, description="How often it has been ejected.")
    score: float | None = Field(description="Its last score, sustained where it reports that.")


class Row(BaseModel):
    """One bridge on the routes of a call, and what it is compared by."""

    route: int = Field(ge=0, description="The route, from 0.")
    algorithm: str | dict[str, Any] = Field(description="The algorithm of that route, as in a configuration.")
    destination: Destination
    standing: Standing
    key: float | None = Field(
        description="What candidates are compared by, the least first; null where nothing is."
    )
    predicted: float = Field(description="P: what its calls should cost.")
    residual: float = Field(description="R: by what share its reports differ from that.")
    load: float = Field(description="L: the estimate.")
    age: float | None = Field(description="How old its last report is, in seconds.")
    trusted: bool = Field(description="Whether its score is believed.")


class Explanation(BaseModel):
    """What would be done with a call, and why."""

    destination: Destination | None = Field(
        description="Where the call would go; where it is, if it is in progress."
    )
    code: str | None = Field(description="Why it would go nowhere.")
    rows: list[Row]


class Recent(BaseModel):
    """A call that was placed, and what its bridge was compared by then."""

    at: float = Field(description="Seconds since the epoch of Unix.")
    call_id: str
    destination: Destination
    rows: list[Row] = Field(
        description="Empty where calls come faster than 20 a second: not each one is explained then."
    )


class Capacity(BaseModel):
    """How full a set is, and how large it should be. Bridges without a known capacity do not count."""

    utilisation: float | None = Field(description="Load / capacity; null where no bridge counts.")
    load: float = Field(ge=0)
    capacity: float = Field(ge=0)
    members: int = Field(ge=0, description="Bridges that count.")
    slots: int = Field(ge=0, description="Calls that they can carry at a time.")
    busiest: float | None = Field(description="The 99th percentile of load / capacity over the bridges.")
    desired: int | None = Field(
        description="How many bridges there should be; null without `scaling` in the configuration."
    )


class Changes(BaseModel):
    """What a new list changes."""

    changes: list[str] = Field(
        description="One line each: `+` joins, `-` leaves, `~` is described otherwise, `=` stay."
    )
    applied: bool


class SipAnswer(BaseModel):
    """What to answer the caller."""

    status: int = Field(ge=400, le=699)
    retry_after: int | None = Field(description="Seconds for Retry-After; null: none.")


class Problem(BaseModel):
    """A refusal (RFC 9457). Nothing was changed."""

    type: str = "about:blank"
    title: str = Field(description="What the status means.")
    status: int = Field(ge=400, le=599)
    detail: str = Field(description="What is wrong, and where.")
    code: str = Field(
        description="The library's code of the error, or `unauthorized`, `too_large`, `invalid_request` ..."
    )
    sip: SipAnswer | None = Field(default=None, description="Only with what refuses a call.")

"""A dispatcher that is written down: whatever changes it stands in a file before it is done."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import callsteer
from callsteer import CallsteerError, Destination, Dispatcher

from .store import GO_ON, Operation, Saved, StateError, Store

log = logging.getLogger("callsteer")


class Kept:
    """A dispatcher whose commands and reports go to a store first.

    What it does not know, it leaves to the dispatcher: getters, and polls for events, of which those since
    the last snapshot come again after a crash.
    """

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    def __init__(
        self, store: Store, config: Mapping[str, Any], bridges: bytes, clock: Callable[[], float]
    ) -> None:
        """Goes on where the process before ended, or begins. Raises `StateError` and `CallsteerError`."""
        self._store = store
        self._clock = clock
        self._config = json.dumps(dict(config), sort_keys=True)
        self._bridges = bridges
        saved = store.load()
        self.is_new = saved is None
        """Whether there was no state yet."""
        self.has_other_bridges = saved is None or saved.bridges != bridges
        """Whether it is started with another list of bridges than the time before."""
        self._is_behind = False
        """Whether something was done that could not be written down."""
        self._last = clock()
        """The last time that the dispatcher has seen."""
        if saved is None:
            self._dispatcher = Dispatcher(clock=clock, **config)
            # As after a restart: its time begins now.
            self._dispatcher.resume(now=self._last)
        else:
            self._check(saved)
            self._dispatcher = self._restored(saved)
        self.compact()

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            return getattr(self._dispatcher, name)

    def __iter__(self) -> Any:
        return iter(self._dispatcher)

    # What changes something

    def begin(self, call_id: str, **options: Any) -> Any:
        return self._do("begin", call_id, **options)

    def confirm_call(self, call_id: str) -> None:
        self._do("confirm_call", call_id)

    def fail_call(self, call_id: str, reply: Any, *, retry_after: float | None = None) -> Any:
        return self._do("fail_call", call_id, reply, retry_after=retry_after)

    def next_call(self, call_id: str) -> Any:
        return self._do("next_call", call_id)

    def end_call(self, call_id: str) -> Any:
        return self._do("end_call", call_id)

    def report(self, destination: Destination, report: callsteer.Report) -> None:
        self._do("report", destination, report)

    def drain(self, destination: Destination, *, deadline: float | None = None) -> None:
        self._do("drain", destination, deadline=deadline)

    def set_enabled(self, destination: Destination, enabled: bool) -> None:
        self._do("set_enabled", destination, enabled)

    def reconcile(self, destination: Destination, calls: list[str] | int) -> Any:
        return self._do("reconcile", destination, calls)

    def probe_result(self, destination: Destination, reply: Any, *, retry_after: float | None = None) -> None:
        self._do("probe_result", destination, reply, retry_after=retry_after)

    def apply_list(self, bridges: callsteer.List) -> None:
        """Takes these bridges, as a whole."""
        self._do("apply_list", bridges)

    def poll_probe(self) -> Destination | None:
        # Where none is due nothing changes; one that a crash loses is due again.
        self._last = self._clock()
        probe = self._dispatcher.poll_probe(now=self._last)
        if probe is not None:
            try:
                self._store.append(self._last, "poll_probe", NOTHING)
            except StateError as error:
                # Probes go on. The next snapshot has what the journal lacks.
                log.error("%s", error)
                self._is_behind = True
        return probe

    def poll_event(self) -> callsteer.Event | None:
        self._last = self._clock()
        return self._dispatcher.poll_event(now=self._last)

    # The file

    def compact(self) -> None:
        """Puts a snapshot in the place of what was written down so far."""
        snapshot = self._dispatcher.snapshot()
        self._store.replace(Saved(snapshot, self._last, VERSION, self._config, self._bridges))
        self._is_behind = False

    def sync(self) -> None:
        self._store.sync()

    def close(self) -> None:
        """Ends in order: the next start has nothing to do again."""
        self.compact()
        self._store.close()

    def crash(self) -> None:
        """Ends as a process does that is killed: for tests."""
        self._store.close()

    def _do(self, name: str, *positional: Any, **options: Any) -> Any:
        # A snapshot takes as long as there are calls: so many operations share it.
        if self._is_behind or self._store.length >= max(LONGEST, self._dispatcher.stats().calls):
            self.compact()
        now = self._clock()
        self._store.append(now, name, [[written(one) for one in positional], options])
        self._last = now
        return perform(self._dispatcher, name, positional, options, now)

    def _check(self, saved: Saved) -> None:
        path = self._store.path
        if saved.config != self._config:
            raise StateError(
                f"{path} was made with another configuration: start with that one, or with another file. {GO_ON}"
            )
        if saved.version != VERSION and self._store.length:
            raise StateError(
                f"{path} was made by version {saved.version}, which ended in the middle of its work: start that "
                f"one once, and end it in order. {GO_ON}"
            )

    def _restored(self, saved: Saved) -> Dispatcher:
        try:
            dispatcher = Dispatcher.restore(saved.snapshot, clock=self._clock, now=saved.at)
            last = saved.at
            for operation in self._store.operations():
                again(dispatcher, operation)
                last = max(last, operation.at)
        except (CallsteerError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise StateError(f"{self._store.path} is damaged: {error}. {GO_ON}") from error
        # The clock may have been set back meanwhile: nothing then waits until it is there again.
        dispatcher.resume(now=self._last, away=max(0.0, self._last - last))
        return dispatcher


def again(dispatcher: Dispatcher, operation: Operation) -> None:
    """Does what is written down so."""
    if operation.name not in NAMES:
        raise KeyError(f"operation {operation.name!r} is not known")
    positional, options = operation.arguments
    try:
        given = [read(one, dispatcher) for one in positional]
    except callsteer.NoSuchDestination:
        return
    # What was refused then is refused now.
    with contextlib.suppress(CallsteerError):
        perform(dispatcher, operation.name, given, options, operation.at)


def perform(
    dispatcher: Dispatcher, name: str, positional: Iterable[Any], options: Mapping[str, Any], now: float
) -> Any:
    if name == "apply_list":
        (bridges,) = positional
        return dispatcher.apply(dispatcher.plan(bridges.destinations()), now=now)
    return getattr(dispatcher, name)(*positional, **options, now=now)


def written(given: Any) -> Any:
    """An argument as JSON has it."""
    match given:
        case Destination():
            return {"destination": [given.id, given.set]}
        case callsteer.Report():
            return {"report": asdict(given)}
        case callsteer.List():
            return {"list": bytes(given).decode()}
        case _:
            return given


def read(said: Any, dispatcher: Dispatcher) -> Any:
    """The argument that was written so."""
    match said:
        case {"destination": [bridge_id, in_set]}:
            destination = dispatcher.find(bridge_id, set=in_set)
            if destination is None:
                raise callsteer.NoSuchDestination("the destination left, or never was")
            return destination
        case {"report": fields}:
            return callsteer.Report(**fields)
        case {"list": text}:
            return callsteer.parse_list(text)
        case _:
            return said


VERSION = version("callsteer")
LONGEST = 10_000
"""Operations that are done again after a crash at most, unless there are more calls than that."""
NOTHING: list[Any] = [[], {}]
NAMES = {
    "apply_list",
    "begin",
    "confirm_call",
    "drain",
    "end_call",
    "fail_call",
    "next_call",
    "poll_probe",
    "probe_result",
    "reconcile",
    "report",
    "set_enabled",
}

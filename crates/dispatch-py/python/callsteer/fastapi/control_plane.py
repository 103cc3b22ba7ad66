"""The one owner of the dispatcher: every command over HTTP comes here, and all runs on one event loop."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import dataclasses
import json
import logging
import time
from collections.abc import AsyncGenerator, Callable
from typing import Any, cast

from fastapi import FastAPI

import callsteer
from callsteer import CallsteerError, Dispatcher, Event

from . import answers
from .anywhere import Anywhere, among_replicas, replica_of
from .kept import Kept
from .prober import Prober, check_probeable
from .recent import RecentCalls
from .report_keys import ReportKeys
from .schemas import (
    Bridge,
    Call,
    CallRequest,
    Capacity,
    Changes,
    Explanation,
    Failed,
    Failure,
    Placed,
    Recent,
)
from .settings import Settings, SettingsError
from .sip_options import NotProbeable
from .store import StateError, Store

log = logging.getLogger("callsteer")


def log_event(event: Event) -> None:
    log.info("%s", event)


class ControlPlane:
    """A dispatcher that is asked over HTTP, and the prober of its bridges.

    Make one per process, give its `lifespan` to the application, and include `callsteer.fastapi.router`:

        plane = ControlPlane(Settings(config={"algorithm": "load_score"}, bridges=b"1 sip:10.0.0.1\\n"))
        app = FastAPI(lifespan=plane.lifespan)
        app.include_router(router, prefix="/callsteer")

    `on_event` is given every event (`callsteer.events`) and must not be slow; by default events are logged.
    `plane.dispatcher` may be used directly, on the same event loop; call `plane.wake()` after commands.
    Raises `SettingsError` where the settings cannot work.
    """

    def __init__(self, settings: Settings, on_event: Callable[[Event], None] = log_event) -> None:
        self.settings = settings
        self.now = unix_time()
        try:
            if "clock" in settings.config:
                raise callsteer.InvalidConfig("clock: a control plane has its own")
            self.kept = self._kept()
            dispatcher = self.kept or Dispatcher(clock=self.now, **among_replicas(settings))
            # Both are asked and told the same.
            self.dispatcher = cast("Dispatcher", dispatcher)
        except StateError as error:
            raise SettingsError(str(error)) from error
        except CallsteerError as error:
            raise SettingsError(f"{settings.config_name}: {error}") from error
        self.prober = Prober(self.dispatcher, self.now, on_event)
        self.report_keys = ReportKeys(settings.report_keys)
        self.replica = replica_of(self, settings)
        self.anywhere = Anywhere(self)
        self._recent = RecentCalls(self.now)
        try:
            # A list that was posted since stays, until this one is another than the time before.
            if self.kept is None or self.kept.has_other_bridges:
                self.replace_list(settings.bridges, dry_run=False)
        except CallsteerError as error:
            raise SettingsError(f"{settings.bridges_name}: {error}") from error
        known = {destination.id for destination, _ in self.dispatcher}
        for bridge_id in self.report_keys:
            if bridge_id not in known:
                log.warning("there is a report key for %r, and no such bridge", bridge_id)

    @contextlib.asynccontextmanager
    async def lifespan(self, app: FastAPI) -> AsyncGenerator[None]:
        """Probes the bridges while the application serves."""
        app.state.callsteer = self
        async with self.prober, self.replica or contextlib.nullcontext():
            syncing = asyncio.create_task(self._sync(), name="callsteer: sync")
            yield
            syncing.cancel()
        if self.kept:
            self.kept.close()

    def wake(self) -> None:
        """Says that a command may have made something due earlier."""
        self.prober.wake()

    # Calls

    def begin(self, call: CallRequest) -> tuple[Placed, bool]:
        """Places a call; whether it was in progress already."""
        known, why = self.before(call)
        placed = self.dispatcher.begin(**described(call))
        return self.begun(call, placed, known, why)

    def before(self, call: CallRequest) -> tuple[int | None, callsteer.Explanation | None]:
        """The lease of a call that is in progress here, or why another one will go where it goes."""
        known = self.dispatcher.call_of(call.call_id)
        why = None if known else self._recent.explain(lambda: self.dispatcher.explain(**described(call)))
        return known, why

    def begun(
        self,
        call: CallRequest,
        placed: callsteer.Placed,
        known: int | None,
        why: callsteer.Explanation | None,
    ) -> tuple[Placed, bool]:
        """What is answered to a call that was placed here."""
        is_repeated = placed.lease == known
        if not is_repeated:
            self._recent.add(call.call_id, placed.destination, why)
        self.wake()
        destination = answers.destination(placed.destination)
        answer = Placed(call_id=call.call_id, lease=placed.lease, destination=destination, panic=placed.panic)
        return answer, is_repeated

    def call(self, call_id: str) -> Call:
        """Where a call is. Raises `NoSuchCall`."""
        lease = self.dispatcher.call_of(call_id)
        destination = self.dispatcher.destination_of(lease) if lease else None
        if lease is None or destination is None:
            raise callsteer.NoSuchCall("the call has ended, or never was")
        return Call(call_id=call_id, lease=lease, destination=answers.destination(destination))

    def confirm(self, call_id: str) -> None:
        self.dispatcher.confirm_call(call_id)
        self.wake()

    def fail(self, call_id: str, failure: Failure) -> Failed:
        """Counts a failure, and moves the call on where another bridge may do better."""
        blame = self.dispatcher.fail_call(call_id, failure.reply, retry_after=failure.retry_after)
        moved = None
        if blame != "caller":
            with contextlib.suppress(callsteer.Exhausted):
                moved = answers.destination(self.dispatcher.next_call(call_id).destination)
        self.wake()
        return Failed(blame=blame, moved_to=moved)

    def end(self, call_id: str) -> None:
        self.dispatcher.end_call(call_id)
        self.wake()

    # Bridges

    def bridges(self) -> list[Bridge]:
        return [answers.bridge(destination, status) for destination, status in self.dispatcher]

    def report(self, bridge_id: str, in_set: int, report: callsteer.Report) -> None:
        self.dispatcher.report(self._find(bridge_id, in_set), report)
        if self.replica is not None:
            said = {name: value for name, value in dataclasses.asdict(report).items() if value is not None}
            self.replica.tell({"report": said, "id": bridge_id, "set": in_set})
        self.wake()

    def drain(self, bridge_id: str, in_set: int, deadline: float | None) -> None:
        self.dispatcher.drain(self._find(bridge_id, in_set), deadline=deadline)
        self.wake()

    def set_enabled(self, bridge_id: str, in_set: int, enabled: bool) -> None:
        self.dispatcher.set_enabled(self._find(bridge_id, in_set), enabled)
        self.wake()

    def reconcile(self, bridge_id: str, in_set: int, calls: list[str] | int) -> callsteer.Reconciled:
        """What a bridge has in progress, by Call-IDs or by their number: what it has not ends here, and what
        is not known here counts from now on."""
        done = self.dispatcher.reconcile(self._find(bridge_id, in_set), calls)
        self.wake()
        return done

    def replace_list(self, text: bytes, dry_run: bool) -> Changes:
        """Takes another list, as a whole or not at all."""
        bridges = callsteer.parse_list(text)
        probing: Any = self.dispatcher.config["probing"]
        if probing["mode"] != "off":
            check_every_probe(bridges)
        plan = self.dispatcher.plan(bridges.destinations())
        if not dry_run:
            if self.kept:
                self.kept.apply_list(bridges)
            else:
                self.dispatcher.apply(plan)
            if self.replica is not None:
                self.replica.tell({"list": base64.b64encode(text).decode()})
            self.wake()
        return Changes(changes=str(plan).splitlines(), applied=not dry_run)

    # Looking

    def explain(self, call: CallRequest) -> Explanation:
        return answers.explanation(self.dispatcher.explain(**described(call)))

    def recent(self) -> list[Recent]:
        return self._recent.show()

    def capacity(self, of_set: int) -> Capacity:
        """How full a set is. Raises `NoSuchSet` where nobody is in it."""
        if all(status.set != of_set or status.standing == "removed" for _, status in self.dispatcher):
            raise callsteer.NoSuchSet(f"set {of_set} has no destinations")
        return answers.capacity(self.dispatcher.capacity(set=of_set))

    def metrics(self) -> str:
        return self.dispatcher.metrics() + (self.replica.metrics() if self.replica else "")

    def hear(self, said: dict[str, Any]) -> None:
        """Takes what another replica was told: a report, a list."""
        try:
            if "report" in said:
                report = callsteer.read_report(json.dumps(said["report"]))
                self.dispatcher.report(self._find(said["id"], said["set"]), report)
            else:
                plan = self.dispatcher.plan(
                    callsteer.parse_list(base64.b64decode(said["list"])).destinations()
                )
                self.dispatcher.apply(plan)
        except (CallsteerError, LookupError) as error:
            log.info("what replica %s tells is refused: %s", said["from"], error)
        self.wake()

    def _kept(self) -> Kept | None:
        settings = self.settings
        if settings.state is None:
            return None
        store = Store(settings.state, settings.state_sync)
        try:
            return Kept(store, settings.config, settings.bridges, self.now)
        except (StateError, CallsteerError):
            store.close()
            raise

    async def _sync(self) -> None:
        while self.kept:
            await asyncio.sleep(1)
            self.kept.sync()

    def _find(self, bridge_id: str, in_set: int) -> callsteer.Destination:
        destination = self.dispatcher.find(bridge_id, set=in_set)
        if destination is None:
            raise callsteer.NoSuchDestination(f"set {in_set} has no destination {bridge_id!r}")
        return destination


def described(call: CallRequest) -> dict[str, Any]:
    """The arguments of the library, without what was left to it."""
    given = call.model_dump(exclude_none=True, by_alias=False)
    return {"cls" if name == "class_" else name: value for name, value in given.items()}


def check_every_probe(bridges: callsteer.List) -> None:
    """Raises `InvalidDestination` for the first line whose bridge nobody can probe: it would seem dead."""
    for entry in bridges.entries():
        try:
            check_probeable(entry.destination)
        except NotProbeable as error:
            raise callsteer.InvalidDestination(
                f"line {entry.line}: {error}; flag 32 says never to probe it"
            ) from error


def unix_time() -> Callable[[], float]:
    """A clock in seconds since the epoch of Unix which, unlike the system's, never runs back.

    The dispatcher runs by it, so that `measured_at` of a report means the same on both sides.
    """
    epoch = time.time() - time.monotonic()
    return lambda: epoch + time.monotonic()

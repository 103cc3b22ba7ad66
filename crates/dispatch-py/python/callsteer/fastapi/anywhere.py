"""Calls of a control plane among others: whichever of them has a call, any answers for it."""

from __future__ import annotations

import secrets
import socket
import time
from typing import TYPE_CHECKING, Any

import callsteer
from callsteer.replicas import Elsewhere

from .schemas import Call, CallRequest, Destination, Failed, Failure, Placed
from .settings import Settings, SettingsError

if TYPE_CHECKING:
    from callsteer.redis import Replica

    from .control_plane import ControlPlane


class Anywhere:
    """What is asked of calls. Raises as the control plane does, and `NoEngine`."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane

    async def begin(self, call: CallRequest) -> tuple[Placed, bool]:
        plane = self._plane
        if plane.replica is None:
            return plane.begin(call)
        known, why = plane.before(call)
        given = call.model_dump(exclude_none=True, by_alias=False)
        arguments = {"cls" if name == "class_" else name: value for name, value in given.items()}
        placed = await plane.replica.begin(**arguments)
        if isinstance(placed, callsteer.Placed):
            return plane.begun(call, placed, known, why)
        lease, to = placed.lease, destination(placed)
        return Placed(call_id=call.call_id, lease=lease, destination=to, panic=False), True

    async def call(self, call_id: str) -> Call:
        if (replica := self._plane.replica) is None:
            return self._plane.call(call_id)
        there = await replica.show(call_id)
        return Call(call_id=call_id, lease=there.lease, destination=destination(there))

    async def confirm(self, call_id: str) -> None:
        if (replica := self._plane.replica) is None:
            return self._plane.confirm(call_id)
        await replica.confirm(call_id)
        return self._plane.wake()

    async def fail(self, call_id: str, failure: Failure) -> Failed:
        if (replica := self._plane.replica) is None:
            return self._plane.fail(call_id, failure)
        blame, to = await replica.fail(call_id, failure.reply, retry_after=failure.retry_after)
        self._plane.wake()
        return Failed.model_validate({"blame": blame, "moved_to": to and destination(to)})

    async def end(self, call_id: str) -> None:
        if (replica := self._plane.replica) is None:
            return self._plane.end(call_id)
        await replica.end(call_id)
        return self._plane.wake()


def destination(there: Elsewhere) -> Destination:
    return Destination(id=there.id, set=there.set, uri=there.uri)


def among_replicas(settings: Settings) -> dict[str, Any]:
    """The configuration of the dispatcher, with its own name where it has others."""
    if settings.replicas is None:
        return dict(settings.config)
    own = {"epoch": time.time_ns() // 1_000_000} | dict(settings.config.get("replicas") or {})
    name = settings.replica_id or own.get("id") or f"{socket.gethostname()}-{secrets.token_hex(4)}"
    # Each draws its own random numbers; what must be the same, `hash_key`, is in the configuration.
    return {"seed": secrets.randbits(53)} | dict(settings.config) | {"replicas": own | {"id": name}}


def replica_of(plane: ControlPlane, settings: Settings) -> Replica | None:
    if settings.replicas is None:
        return None
    try:
        from callsteer.redis import Replica
    except ImportError as error:
        raise SettingsError(f"--replicas needs callsteer[redis]: {error}") from error
    try:
        return Replica(
            plane.dispatcher,
            settings.replicas,
            namespace=settings.namespace,
            on_news=plane.wake,
            on_told=plane.hear,
        )
    except ValueError as error:
        raise SettingsError(f"--replicas: {error}") from error

"""Asks bridges whether they live, when the dispatcher wants it, and tells it what came back."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any, Literal

import httpx

from callsteer import Destination, Dispatcher, Event, InvalidReply, NoSuchDestination

from .probes import Answer, NoAnswer, http_get, sip_options
from .sip_options import Address, NotProbeable

log = logging.getLogger("callsteer")


class Prober:
    """Probes and tells events while it is entered: `async with Prober(dispatcher, clock, on_event): ...`."""

    def __init__(
        self, dispatcher: Dispatcher, now: Callable[[], float], on_event: Callable[[Event], None]
    ) -> None:
        self._dispatcher = dispatcher
        self._now = now
        self._on_event = on_event
        self._woken = asyncio.Event()
        probing: Any = dispatcher.config["probing"]
        self._timeout: float = probing["timeout"]
        self._under_way: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Prober:
        # Not through a proxy: it is the bridge that is asked. `_probe` has the time-out.
        self._http = httpx.AsyncClient(trust_env=False, timeout=None)
        self._task = asyncio.create_task(self._run(), name="callsteer: prober")
        return self

    async def __aexit__(self, *_: object) -> None:
        tasks = [self._task, *self._under_way]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._http.aclose()

    def wake(self) -> None:
        """Says that something may be due earlier than it was."""
        self._woken.set()

    async def _run(self) -> None:
        while True:
            self._woken.clear()
            for destination in iter(self._dispatcher.poll_probe, None):
                self._begin(destination)
            for event in iter(self._dispatcher.poll_event, None):
                self._tell(event)
            await self._until(self._dispatcher.next_deadline())

    async def _until(self, deadline: float | None) -> None:
        """Waits for that time, or to be woken."""
        wait = None if deadline is None else max(0.0, deadline - self._now())
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._woken.wait(), wait)

    def _tell(self, event: Event) -> None:
        try:
            self._on_event(event)
        except Exception:
            # Probes go on, whatever somebody else does with events.
            log.exception("%s could not be told", event)

    def _begin(self, destination: Destination) -> None:
        task = asyncio.create_task(self._probe(destination), name=f"callsteer: probe of {destination.id}")
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _probe(self, destination: Destination) -> None:
        reply: int | Literal["timeout"]
        try:
            answer = await asyncio.wait_for(self._ask(probe_target(destination)), self._timeout)
            reply, retry_after = answer.status, answer.retry_after
        except (NoAnswer, NotProbeable, asyncio.TimeoutError) as error:
            reply, retry_after = "timeout", None
            reason = str(error) or f"no answer in {self._timeout:g} s"
            log.info("probe of %s in set %s: %s", destination.id, destination.set, reason)
        # It may have left meanwhile, or answered with a status that there is not: it is then timed out.
        with contextlib.suppress(NoSuchDestination, InvalidReply):
            self._dispatcher.probe_result(destination, reply, retry_after=retry_after)
        self.wake()

    async def _ask(self, target: str) -> Answer:
        if is_http(target):
            return await http_get(self._http, target)
        return await sip_options(target)


def probe_target(destination: Destination) -> str:
    """Whom to ask: the attribute `probe`, a URL or a SIP URI; without it the bridge itself."""
    return destination.attrs.get("probe", destination.uri)


def check_probeable(destination: Destination) -> None:
    """Raises `NotProbeable` where a destination wants to be probed and cannot be."""
    target = probe_target(destination)
    if destination.probing == "never":
        return
    if not is_http(target):
        Address.of(target)
        return
    try:
        host = httpx.URL(target).host
    except httpx.InvalidURL as error:
        raise NotProbeable(f"{target!r} is not a URL: {error}") from error
    if not host:
        raise NotProbeable(f"{target!r} names no host")


def is_http(target: str) -> bool:
    return target.lower().startswith(("http://", "https://"))

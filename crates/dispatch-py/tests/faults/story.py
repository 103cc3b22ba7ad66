"""What the control plane says happened, and who waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from callsteer.events import AtDestination, Busy, Ejected, Event, Health, Returned


class Story:
    """The events, in order, and who waits for one."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._loop = asyncio.get_running_loop()
        self._waiting: set[asyncio.Event] = set()

    def tell(self, event: Event) -> None:
        """From the thread of the control plane."""
        self._loop.call_soon_threadsafe(self._note, event)

    def _note(self, event: Event) -> None:
        self.events.append(event)
        self.wake()

    def wake(self) -> None:
        for waiting in self._waiting:
            waiting.set()

    async def until(self, so: Callable[[], bool], what: str) -> None:
        news = asyncio.Event()
        self._waiting.add(news)
        try:
            await asyncio.wait_for(self._asked_again(so, news), 60)
        except asyncio.TimeoutError:
            raise AssertionError(f"not in a minute: {what}") from None
        finally:
            self._waiting.discard(news)

    async def _asked_again(self, so: Callable[[], bool], news: asyncio.Event) -> None:
        while not so():
            await news.wait()
            news.clear()

    def of(self, bridge: str, since: int = 0) -> list[AtDestination]:
        return [
            event
            for event in self.events[since:]
            if isinstance(event, AtDestination) and event.destination.id == bridge
        ]

    def is_well(self, bridge: str) -> bool:
        """Whether it is up and not ejected, by its last events."""
        health = [event.observed for event in self.of(bridge) if isinstance(event, Health)]
        passive = [event for event in self.of(bridge) if isinstance(event, Ejected | Returned)]
        return health[-1:] in ([], ["active"]) and not (passive and isinstance(passive[-1], Ejected))

    def outages(self, bridge: str) -> list[tuple[float, float, str]]:
        """From when to when it could get no call, and why."""
        found: list[tuple[float, float, str]] = []
        since: dict[str, float] = {}
        for event in self.of(bridge):
            kind = "inactive" if isinstance(event, Health) else "ejected"
            if is_down(event) or is_out(event):
                assert kind not in since, f"{bridge} is {kind} twice"
                since[kind] = event.at
            elif kind in since and (isinstance(event, Returned) or is_up(event)):
                found.append((since.pop(kind), event.at, kind))
        assert not since, f"{bridge} never came back"
        return found


def is_down(event: AtDestination) -> bool:
    return isinstance(event, Health) and event.observed == "inactive"


def is_up(event: AtDestination) -> bool:
    return isinstance(event, Health) and event.observed == "active"


def is_out(event: AtDestination) -> bool:
    return isinstance(event, Ejected)


def is_busy(event: AtDestination) -> bool:
    return isinstance(event, Busy)

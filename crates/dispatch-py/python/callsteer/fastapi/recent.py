"""The last calls placed, and what their bridges were compared by then."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import callsteer

from . import answers
from .schemas import Recent


class RecentCalls:
    """To explain a call costs far more than to place it: under load not all are explained."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._calls: deque[tuple[float, str, callsteer.Destination, callsteer.Explanation | None]] = deque(
            maxlen=MOST
        )
        self._explained: deque[float] = deque([float("-inf")] * MOST, maxlen=MOST)

    def explain(self, explanation: Callable[[], callsteer.Explanation]) -> callsteer.Explanation | None:
        """The explanation, before the call is placed; none where `MOST` were made within a second."""
        now = self._now()
        if now - self._explained[0] < 1:
            return None
        self._explained.append(now)
        return explanation()

    def add(self, call_id: str, placed: callsteer.Destination, why: callsteer.Explanation | None) -> None:
        self._calls.appendleft((self._now(), call_id, placed, why))

    def show(self) -> list[Recent]:
        """The youngest first."""
        return [
            Recent(
                at=at,
                call_id=call_id,
                destination=answers.destination(placed),
                rows=answers.explanation(why).rows if why else [],
            )
            for at, call_id, placed, why in self._calls
        ]


MOST = 20

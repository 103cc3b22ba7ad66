"""Decides in the worker process, by the hash of the Call-ID: nothing is counted, so nothing is shared.

Every worker comes to the same answer by itself. Who is up is the one thing that they share; Kamailio's own
dispatcher module probes the bridges and keeps that in shared memory.
"""

import os

import callsteer
import KSR
from placement import Refused

SET = 1
UNTRIED = "$avp(callsteer_untried)"


class ByHash:
    """The bridges that are left for a call are kept in its transaction, where every worker finds them."""

    def __init__(self) -> None:
        # Nobody is ejected: a worker sees a part of the calls only.
        self.dispatcher = callsteer.Dispatcher(algorithm="call_id_hash", ejection={"enabled": False})
        with open(os.environ["CALLSTEER_LIST"], "rb") as file:
            bridges = callsteer.parse_list(file.read()).destinations()
        self.dispatcher.apply(self.dispatcher.plan(bridges))

    def place(self, call_id: str) -> str:
        up = [uri for uri in self.order(call_id) if KSR.dispatcher.ds_is_active_uri(SET, uri) > 0]
        if not up:
            raise Refused(480, "Temporarily Unavailable")
        KSR.pv.sets(UNTRIED, " ".join(up[1:]))
        return up[0]

    def confirmed(self, call_id: str) -> None:
        """Nothing is counted."""

    def failed(self, call_id: str, reply: "int | str", retry_after: int | None) -> str | None:
        if self.blame(call_id, reply, retry_after) == "caller":
            return None
        first, _, rest = (KSR.pv.get(UNTRIED) or "").partition(" ")
        KSR.pv.sets(UNTRIED, rest)
        return first or None

    def ended(self, call_id: str) -> None:
        """Nothing is counted."""

    def order(self, call_id: str) -> list[str]:
        """The home of the call, then where it fails over to."""
        placed = self.dispatcher.begin(call_id)
        order = []
        try:
            while True:
                order.append(placed.destination.uri)
                placed = self.dispatcher.next(placed.lease)
        except callsteer.Exhausted:
            return order
        finally:
            self.dispatcher.end(placed.lease)

    def blame(self, call_id: str, reply: "int | str", retry_after: int | None) -> str:
        """Whom the failure counts against: the caller's own errors fail elsewhere too."""
        placed = self.dispatcher.begin(call_id)
        try:
            return self.dispatcher.fail(placed.lease, reply, retry_after=retry_after)
        finally:
            self.dispatcher.end(placed.lease)

"""What a proxy does for its callers: it asks the control plane for a bridge, sends the INVITE there, and says what came of it."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias
from urllib.parse import quote

import httpx

from callsteer.fastapi.probes import Inbox
from callsteer.fastapi.sip_options import Address, Reply

INVITE_TIMEOUT = 1.0
RESEND = 0.2
"""Seconds until a request over UDP is sent again."""

TALK = 1.0
"""Seconds that a call lasts, in the mean."""

Outcome: TypeAlias = Reply | Literal["timeout", "unreachable"]


@dataclass
class Placement:
    """That the control plane named a bridge for a call; it did so between two times of its clock."""

    bridge: str
    asked: float
    told: float
    left: float = 0.0
    """When the call was over there."""


@dataclass
class Call:
    """What became of a call."""

    id: str
    placements: list[Placement] = field(default_factory=list[Placement])
    end: str = "in progress"
    """`answered`, `given up` after every bridge that the control plane named, or the code of its refusal."""


class Proxy:
    """Callers, each of whom has one call after another until `is_closing`."""

    def __init__(self, control: str, seed: int, now: Callable[[], float], on_end: Callable[[], None]) -> None:
        self.calls: list[Call] = []
        self.said: Counter[str] = Counter()
        """How many calls ended how."""
        self.repeated = 0
        self.is_closing = False
        self._control, self._now, self._on_end = control, now, on_end
        self._random = random.Random(seed)

    async def serve(self, callers: int) -> None:
        async with httpx.AsyncClient(base_url=self._control, timeout=60, trust_env=False) as self._http:
            await asyncio.gather(*(self._calls_of_one() for _ in range(callers)))

    async def _calls_of_one(self) -> None:
        while not self.is_closing:
            call = Call(f"{len(self.calls)}/{secrets.token_hex(4)}@faults")
            self.calls.append(call)
            call.end = await self._lead(call)
            self.said[call.end] += 1
            self._on_end()
            if call.end not in ("answered", "given up"):
                await asyncio.sleep(self._random.uniform(0, 2 * TALK))

    async def _lead(self, call: Call) -> str:
        destination, why_not = await self._begin(call)
        path = f"/calls/{quote(call.id, safe='')}"
        while destination is not None:
            async with Leg(destination["uri"], call.id) as leg:
                reply = await leg.ask("INVITE", INVITE_TIMEOUT)
                if isinstance(reply, Reply) and reply.status == 200:
                    leg.send("ACK")
                    await self._post(f"{path}/confirm", 204)
                    await asyncio.sleep(self._random.expovariate(1 / TALK))
                    await leg.ask("BYE", RESEND * 2)
                    why_not = "answered"
                    break
                if reply == "timeout":
                    await leg.ask("CANCEL", RESEND)
            failure = (
                {"reply": reply}
                if isinstance(reply, str)
                else {"reply": reply.status, "retry_after": reply.retry_after}
            )
            call.placements[-1].left = asked = self._now()
            destination = (await self._post(f"{path}/fail", 200, failure)).json()["moved_to"]
            if destination:
                call.placements.append(Placement(destination["id"], asked, self._now()))
            why_not = "given up"
        if call.placements:
            call.placements[-1].left = self._now()
            assert (await self._http.delete(path)).status_code == 204
        return why_not

    async def _begin(self, call: Call) -> tuple[dict[str, Any] | None, str]:
        """One INVITE in five comes twice, at the same time; the call has one bridge all the same."""
        asked = self._now()
        times = 2 if self._random.random() < 0.2 else 1
        answers = await asyncio.gather(
            *(self._http.post("/calls", json={"call_id": call.id}) for _ in range(times))
        )
        given = [answer.json() for answer in answers]
        placed = [answer for answer in given if "lease" in answer]
        codes = Counter(answer.status_code for answer in answers)
        if not placed:
            assert codes.keys() == {503}, given
            # Each of the two is counted as refused.
            self.said["refused twice"] += times - 1
            return None, given[0]["code"]
        assert codes[201] == 1, given
        assert all(answer["lease"] == placed[0]["lease"] for answer in placed)
        self.repeated += codes[200]
        self.said["refused first"] += codes[503]
        call.placements.append(Placement(placed[0]["destination"]["id"], asked, self._now()))
        return placed[0]["destination"], ""

    async def _post(self, path: str, status: int, body: Any = None) -> httpx.Response:
        answer = await self._http.post(path, json=body)
        assert answer.status_code == status, answer.text
        return answer


class Leg:
    """The way of a call to one bridge."""

    def __init__(self, uri: str, call_id: str) -> None:
        self._uri, self._call_id = uri, call_id

    async def __aenter__(self) -> Leg:
        address = Address.of(self._uri)
        loop = asyncio.get_running_loop()
        self._transport, self._inbox = await loop.create_datagram_endpoint(
            Inbox, remote_addr=(address.host, address.port)
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self._transport.close()

    def send(self, method: str, branch: str = "z9hG4bK0") -> None:
        self._transport.sendto(
            f"{method} {self._uri} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch={branch}\r\nFrom: <sip:a>;tag=1\r\n"
            f"To: <{self._uri}>\r\nCall-ID: {self._call_id}\r\nCSeq: 1 {method}\r\nContent-Length: 0\r\n\r\n".encode()
        )

    async def ask(self, method: str, timeout: float) -> Outcome:
        """Sends it until it is answered, or for so many seconds."""
        branch = f"z9hG4bK{secrets.token_hex(8)}"
        try:
            return await asyncio.wait_for(self._ask(method, branch), timeout)
        except asyncio.TimeoutError:
            return "timeout"

    async def _ask(self, method: str, branch: str) -> Outcome:
        while True:
            self.send(method, branch)
            try:
                return await asyncio.wait_for(self._reply_to(branch), RESEND)
            except asyncio.TimeoutError:
                continue

    async def _reply_to(self, branch: str) -> Outcome:
        while True:
            datagram = await self._inbox.datagrams.get()
            if isinstance(datagram, OSError):
                return "unreachable"
            reply = Reply.parse(datagram)
            if reply is not None and reply.branch == branch:
                return reply

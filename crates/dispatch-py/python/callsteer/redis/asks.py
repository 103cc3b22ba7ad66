"""What other replicas are asked to do, and who has answered."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import callsteer

from .engine import TIMEOUT, Engine

EVERYBODY = "asks"


class Gone(Exception):
    """Nobody has the name of a replica, or another process has it."""


class Nobody(Exception):
    """None of those that heard it has the call."""

    def __init__(self, heard: set[str]) -> None:
        super().__init__()
        self.heard = heard


@dataclass
class Asked:
    answer: asyncio.Future[dict[str, Any]]
    noes: list[str] = field(default_factory=list[str])
    """Who said that it has not the call."""
    count: int | None = None
    """How many heard it; None until that is known."""


class Asks:
    """Asks by number, until they are answered."""

    def __init__(self, engine: Engine, name: str, epoch: int) -> None:
        self._engine, self._name, self._epoch = engine, name, epoch
        self._open: dict[str, Asked] = {}
        self._count = 0

    async def ask(self, channel: str, what: dict[str, Any]) -> Any:
        """Lets whoever has the call do it. Raises what is refused there; `Gone`, `Nobody`."""
        self._count += 1
        number = f"{self._epoch}-{self._count}"
        asked = self._open[number] = Asked(asyncio.get_running_loop().create_future())
        try:
            asked.count = await self._engine.publish(channel, {"ask": number, "from": self._name} | what)
            if asked.count == 0 and channel != EVERYBODY:
                raise Gone
            _close_if_nobody(asked)
            said = await asyncio.wait_for(asked.answer, TIMEOUT)
        finally:
            del self._open[number]
        if said.get("gone"):
            raise Gone
        if refused := said.get("refused"):
            raise REFUSALS.get(refused["code"], callsteer.NoSuchCall)(refused["detail"])
        return said.get("ok")

    def hear(self, said: dict[str, Any]) -> None:
        """Takes an answer. One that has the call is enough; that nobody has it, all must say."""
        asked = self._open.get(said["answer"])
        if asked is None or asked.answer.done():
            return
        if said.get("no"):
            asked.noes.append(said.get("from", ""))
            _close_if_nobody(asked)
        else:
            asked.answer.set_result(said)

    def hear_own(self, ask: str) -> None:
        """Who asks everybody hears it too, if it listens."""
        self.hear({"answer": ask, "no": True, "from": self._name})


def _close_if_nobody(asked: Asked) -> None:
    if len(asked.noes) == asked.count and not asked.answer.done():
        asked.answer.set_exception(Nobody(set(asked.noes)))


def no_such_call() -> callsteer.NoSuchCall:
    return callsteer.NoSuchCall("the call has ended, or never was")


REFUSALS = {"no_such_call": callsteer.NoSuchCall, "invalid_reply": callsteer.InvalidReply}

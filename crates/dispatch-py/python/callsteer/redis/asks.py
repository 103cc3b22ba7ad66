"""What other replicas are asked to do, and who has answered."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import callsteer

from .engine import TIMEOUT, Engine

EVERYBODY = "asks"


class Gone(Exception):
    """Nobody has the name of a replica, or another process has it."""


@dataclass
class Asked:
    answer: asyncio.Future[dict[str, Any]]
    noes: int = 0
    asked: int | None = None
    """How many were asked; None until that is known."""


class Asks:
    """Asks by number, until they are answered."""

    def __init__(self, engine: Engine, name: str, epoch: int) -> None:
        self._engine, self._name, self._epoch = engine, name, epoch
        self._open: dict[str, Asked] = {}
        self.count = 0
        self.heard = 0
        """How many others everybody was, the last time that all were asked."""

    async def ask(self, channel: str, what: dict[str, Any]) -> Any:
        """Lets whoever has the call do it. Raises what is refused there; `Gone`, `NoSuchCall`."""
        self.count += 1
        number = f"{self._epoch}-{self.count}"
        asked = self._open[number] = Asked(asyncio.get_running_loop().create_future())
        try:
            heard = await self._engine.publish(channel, {"ask": number, "from": self._name} | what)
            # We are among everybody.
            asked.asked = heard - (channel == EVERYBODY)
            if channel == EVERYBODY:
                self.heard = asked.asked
            if asked.asked <= 0:
                raise no_such_call() if channel == EVERYBODY else Gone
            self._close_if_nobody(asked)
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
            asked.noes += 1
            self._close_if_nobody(asked)
        else:
            asked.answer.set_result(said)

    def _close_if_nobody(self, asked: Asked) -> None:
        if asked.noes == asked.asked and not asked.answer.done():
            asked.answer.set_exception(no_such_call())


def no_such_call() -> callsteer.NoSuchCall:
    return callsteer.NoSuchCall("the call has ended, or never was")


REFUSALS = {"no_such_call": callsteer.NoSuchCall, "invalid_reply": callsteer.InvalidReply}

"""A bridge to a realtime model, on FastAPI: it answers calls, and tells its load, tool calls included.

    BRIDGE_ID=b1 uvicorn bridge:app --port 9001

The model is simulated: the caller speaks, the model answers, and now and then it calls a tool first, over
HTTP, while the conversation goes on. The report of load is what a product would send.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import logging
import os
import random
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import quote

import httpx
from fastapi import FastAPI, HTTPException, Request
from pydantic import BaseModel, Field

log = logging.getLogger("bridge")


@dataclass
class Settings:
    """What the environment says."""

    id: str = field(default_factory=lambda: os.environ.get("BRIDGE_ID", "b1"))
    control: str = field(default_factory=lambda: os.environ.get("CONTROL_URL", "http://127.0.0.1:8080"))
    token: str = field(default_factory=lambda: os.environ.get("CALLSTEER_TOKEN", ""))
    report_key: str = field(default_factory=lambda: os.environ.get("REPORT_KEY", ""))
    """What the control plane's `--report-keys` has for this bridge; it then needs no token."""
    tool_url: str = field(
        default_factory=lambda: os.environ.get("TOOL_URL", "http://127.0.0.1:9001/tools/orders")
    )
    capacity: int = field(default_factory=lambda: int(os.environ.get("BRIDGE_CAPACITY", "50")))
    """Calls that it can carry while none of them calls a tool."""
    interval: float = field(default_factory=lambda: float(os.environ.get("REPORT_INTERVAL", "5")))
    """Seconds from one report to the next."""


class Answer(BaseModel):
    """A call that came in."""

    call_id: Annotated[str, Field(min_length=1, max_length=256)]
    turns: Annotated[int, Field(ge=1, le=1_000)] = 20
    """How often the caller says something."""
    turn: Annotated[float, Field(ge=0, le=60)] = 6.0
    """Seconds from one turn to the next."""
    tool_share: Annotated[float, Field(ge=0, le=1)] = 0.2
    """The share of turns for which the model calls a tool."""


class Meter:
    """The load of this bridge: what is there now, and its mean since it was last asked for."""

    TOOL = 2.0
    """A tool call under way takes what two calls do: parsing, retrieval, a second model."""

    def __init__(self, capacity: int) -> None:
        self.capacity, self.calls, self.tools = capacity, 0, 0
        self._clock = asyncio.get_running_loop().time
        self._begun = self._seen = self._clock()
        self._sum = 0.0

    @contextlib.contextmanager
    def call(self) -> Iterator[None]:
        self._change(calls=1)
        try:
            yield
        finally:
            self._change(calls=-1)

    @contextlib.contextmanager
    def tool(self) -> Iterator[None]:
        self._change(tools=1)
        try:
            yield
        finally:
            self._change(tools=-1)

    def mean(self) -> float:
        """Load / capacity, the mean over the time since this was last asked; 1 is full, more is overload."""
        self._change()
        span = self._seen - self._begun
        mean = self._sum / span if span else self._load()
        self._begun, self._sum = self._seen, 0.0
        return mean / self.capacity

    def _change(self, calls: int = 0, tools: int = 0) -> None:
        now = self._clock()
        self._sum += self._load() * (now - self._seen)
        self._seen = now
        self.calls += calls
        self.tools += tools

    def _load(self) -> float:
        return self.calls + self.TOOL * self.tools


class Bridge:
    """Calls in progress, and what is told of them."""

    def __init__(self, settings: Settings, http: httpx.AsyncClient) -> None:
        self.settings, self.http = settings, http
        self.meter = Meter(settings.capacity)
        self.is_draining = False
        # Greater than every number of the process before, if this one was restarted.
        self.sequence = int(time.time())
        self.signed_at = 0
        self.calls: dict[str, asyncio.Task[None]] = {}

    def answer(self, answer: Answer) -> None:
        """Takes a call; its conversation goes on in the background."""
        if answer.call_id in self.calls:
            return  # A retransmission.
        if self.is_draining or len(self.calls) >= self.settings.capacity:
            raise HTTPException(503, "no room", {"Retry-After": "5"})
        task = asyncio.create_task(self._converse(answer), name=answer.call_id)
        self.calls[answer.call_id] = task
        task.add_done_callback(lambda _: self.calls.pop(answer.call_id, None))

    def hang_up(self, call_id: str) -> None:
        if task := self.calls.get(call_id):
            task.cancel()

    async def report_for_ever(self) -> None:
        """Says how loaded it is. A report that does not arrive is not repeated: the next one is newer."""
        while True:
            try:
                await self.report()
            except httpx.HTTPError as error:
                log.warning("the report did not arrive: %s", error)
            await asyncio.sleep(self.settings.interval)

    async def report(self) -> None:
        self.sequence += 1
        report = {
            "score": round(self.meter.mean(), 4),
            "active_calls": self.meter.calls,
            "capacity": self.settings.capacity,
            "draining": self.is_draining,
            "sequence": self.sequence,
        }
        url = httpx.URL(f"{self.settings.control}/bridges/{quote(self.settings.id, safe='')}/report")
        body = json.dumps(report).encode()
        headers = {"Content-Type": "application/json"} | self._credentials(url.raw_path.decode(), body)
        response = await self.http.post(url, content=body, headers=headers)
        if response.is_error:
            log.warning("the report was refused: %s", response.text)

    async def _converse(self, answer: Answer) -> None:
        tools: set[asyncio.Task[None]] = set()
        with self.meter.call():
            try:
                for _ in range(answer.turns):
                    if random.random() < answer.tool_share:
                        # In the background: a caller who waits in silence hangs up.
                        tools.add(asyncio.create_task(self._call_tool(answer.call_id)))
                    await asyncio.sleep(answer.turn)
            finally:
                for tool in tools:
                    tool.cancel()

    async def _call_tool(self, call_id: str) -> None:
        with self.meter.tool():
            try:
                response = await self.http.post(self.settings.tool_url, json={"call_id": call_id})
                response.raise_for_status()
            except httpx.HTTPError as error:
                # The model is told, and says that it could not find out.
                log.warning("a tool of %s failed: %s", call_id, error)

    def _credentials(self, target: str, body: bytes) -> dict[str, str]:
        """A signature where there is a key, and otherwise the token."""
        if key := self.settings.report_key:
            # No two of one time, and none of a time before.
            self.signed_at = max(self.signed_at + 1, time.time_ns() // 1_000_000)
            return {"Callsteer-Signature": signature(key, self.signed_at, target, body)}
        return {"Authorization": f"Bearer {self.settings.token}"} if self.settings.token else {}


def signature(key: str, at: int, target: str, body: bytes) -> str:
    """Of a report in JSON, by `docs/control-plane.md`; `at` in milliseconds since the epoch of Unix."""
    signed = f"v1\nPOST\n{target}\n{at}\napplication/json\n\n".encode() + body
    return f"t={at},v1={hmac.new(key.encode(), signed, hashlib.sha256).hexdigest()}"


@contextlib.asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """A bridge that reports while it serves; one that goes says so first."""
    async with httpx.AsyncClient(timeout=10) as http:
        bridge = app.state.bridge = Bridge(Settings(), http)
        reports = asyncio.create_task(bridge.report_for_ever())
        yield
        reports.cancel()
        bridge.is_draining = True
        with contextlib.suppress(httpx.HTTPError):
            await bridge.report()
        for call in bridge.calls.values():
            call.cancel()


app = FastAPI(title="A bridge of Callsteer's example", lifespan=lifespan)


@app.post("/calls", status_code=204)
async def answer_call(answer: Answer, request: Request) -> None:
    """Answer a call."""
    request.app.state.bridge.answer(answer)


@app.delete("/calls/{call_id:path}", status_code=204)
async def hang_up(call_id: str, request: Request) -> None:
    """The caller hung up."""
    request.app.state.bridge.hang_up(call_id)


@app.get("/healthz", status_code=204)
async def healthz() -> None:
    """What the control plane's probe asks: `probe=http://.../healthz` in the dispatcher.list."""


@app.post("/tools/orders", status_code=204)
async def orders() -> None:
    """The tool that the simulated model calls, standing in for somebody else's service."""
    await asyncio.sleep(random.expovariate(1.0))

"""Control planes that serve on a port of their own while a test runs."""

from __future__ import annotations

import contextlib
import os
import queue
import random
import threading
from collections.abc import Callable, Generator, Iterator
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from callsteer.events import Event
from callsteer.fastapi import ControlPlane, Settings, create_app

SEED = int(os.environ.get("CALLSTEER_SEED", random.SystemRandom().randrange(2**32)))
"""Of the requests that are made up."""

TOKEN = "a-token"
BRIDGES = b"""\
1 sip:127.0.0.1:5091 32 0 duid=b1;maxload=2
1 sip:127.0.0.1:5092 32 0 duid=b2;maxload=2
"""
"""Two bridges that are never probed."""


class Server(uvicorn.Server):
    """Uvicorn, which says when it serves."""

    def __init__(self, app: FastAPI) -> None:
        # Longer than clients keep a connection that rests: none is closed while a request comes.
        config = uvicorn.Config(app, port=0, log_level="warning", access_log=False, timeout_keep_alive=60)
        super().__init__(config)
        self.serving = threading.Event()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.serving.set()

    @property
    def url(self) -> str:
        [server] = self.servers
        port: int = server.sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"


def pytest_report_header() -> str:
    return f"the same requests again: CALLSTEER_SEED={SEED}"


@contextlib.contextmanager
def served(app: FastAPI, token: str | None = TOKEN) -> Generator[httpx.Client]:
    """A client of an application that serves, with its token."""
    server = Server(app)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert server.serving.wait(30), "the server did not start"
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        with httpx.Client(base_url=server.url, headers=headers, timeout=30, trust_env=False) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join()


class Events(queue.Queue[Event]):
    """The events of a control plane, to be waited for."""

    def wait_for(self, wanted: Callable[[Event], bool]) -> Event:
        """Fails, by `queue.Empty`, where nothing comes for long."""
        while True:
            event = self.get(timeout=30)
            if wanted(event):
                return event


Serve = Callable[..., httpx.Client]


@pytest.fixture
def events() -> Events:
    return Events()


@pytest.fixture
def serve(events: Events) -> Iterator[Serve]:
    """Starts a control plane with these bridges and options, and gives a client of it."""
    with contextlib.ExitStack() as stack:

        def start(
            bridges: bytes = BRIDGES,
            token: str | None = TOKEN,
            report_keys: dict[str, bytes] | None = None,
            **config: Any,
        ) -> httpx.Client:
            settings = Settings(config=config, bridges=bridges, token=token, report_keys=report_keys or {})
            plane = ControlPlane(settings, on_event=events.put)
            return stack.enter_context(served(create_app(plane), token))

        yield start


@pytest.fixture
def client(serve: Serve) -> httpx.Client:
    """A client of a control plane with every default."""
    return serve()

"""The engine: Redis or Valkey, its keys and its scripts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from importlib.resources import files
from typing import Any, cast

from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import RedisError

LOST = (RedisError, OSError, asyncio.TimeoutError)
"""What is raised where the engine cannot be reached."""
CONNECTIONS = 32
"""Commands under way at most; more wait."""
TIMEOUT = 2.0
"""Seconds that the engine, or another replica, has to answer."""


class Engine:
    """A client with the keys of one fleet. The connection is made when it is needed, and again after that."""

    def __init__(self, url: str, namespace: str) -> None:
        self._prefix = f"{{{namespace}}}:"
        pool = cast("Any", BlockingConnectionPool).from_url(
            url,
            max_connections=CONNECTIONS,
            timeout=TIMEOUT,
            decode_responses=True,
            socket_timeout=TIMEOUT,
            socket_connect_timeout=TIMEOUT,
        )
        # Its answers have any type.
        self.redis: Any = Redis(connection_pool=pool)
        self._scripts = {
            name: self.redis.register_script(files("callsteer.redis").joinpath(f"{name}.lua").read_text())
            for name in ("beat", "claim", "release", "take", "take_over")
        }

    def key(self, *parts: object) -> str:
        return self._prefix + ":".join(map(str, parts))

    async def run(self, script: str, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
        return await self._scripts[script](keys=keys, args=arguments)

    async def record(self, call_id: str) -> tuple[str, dict[str, Any]] | None:
        """What is said of a call, as it stands there and read."""
        text = cast("str | None", await self.redis.get(self.key("call", call_id)))
        return None if text is None else (text, json.loads(text))

    async def publish(self, channel: str, said: dict[str, Any]) -> int:
        """How many heard it."""
        return int(await self.redis.publish(self.key(channel), json.dumps(said)))

    async def hear(self, *channels: str) -> AsyncGenerator[tuple[str, str]]:
        """What is said on these channels, until the engine is lost."""
        async with self.redis.pubsub(ignore_subscribe_messages=True) as pubsub:
            await pubsub.subscribe(*(self.key(channel) for channel in channels))
            while True:
                message: Any = await pubsub.get_message(timeout=TIMEOUT)
                if message is not None:
                    yield message["channel"].removeprefix(self._prefix), message["data"]

    async def close(self) -> None:
        await self.redis.aclose()

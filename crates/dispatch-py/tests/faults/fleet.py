"""Bridges as processes: started, killed, paused, and made to fail."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).with_name("bridge.py")
CAPACITY = 3


class Bridge:
    """One bridge, which keeps its address when its process is another one."""

    def __init__(self, name: str, host: str, report_interval: float) -> None:
        self.name, self.host, self.port = name, host, 0
        self.acknowledged: list[str] = []
        """The calls that it was told to have, over all its processes."""
        self._report_interval = report_interval

    @property
    def line(self) -> str:
        """Its line of the dispatcher.list."""
        return f"1 sip:{self.host}:{self.port} 0 0 duid={self.name};maxload={CAPACITY}\n"

    async def start(self, control_port: int = 0) -> None:
        """Starts it, again at the port that it had; without a control plane its reports go nowhere."""
        arguments = (SCRIPT, self.host, self.port, self.name, control_port, self._report_interval, CAPACITY)
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-S", *map(str, arguments), stdin=PIPE, stdout=PIPE
        )
        assert self.process.stdout
        self.port = int(await self.process.stdout.readline())
        self._reading = asyncio.create_task(self._read(self.process))

    async def _read(self, process: Process) -> None:
        assert process.stdout
        async for line in process.stdout:
            self.acknowledged.append(line.decode().strip())

    def tell(self, **faults: Any) -> None:
        """What goes wrong from now on, in place of what did."""
        assert self.process.stdin
        self.process.stdin.write(json.dumps(faults).encode() + b"\n")

    def pause(self) -> None:
        os.kill(self.process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.process.pid, signal.SIGCONT)

    async def kill(self) -> None:
        self.process.kill()
        await self.process.wait()
        await self._reading

    async def stop(self) -> None:
        """Ends it, in whatever state it is."""
        if self.process.returncode is None:
            self.resume()
        assert self.process.stdin
        self.process.stdin.close()
        await self._reading
        await self.process.wait()

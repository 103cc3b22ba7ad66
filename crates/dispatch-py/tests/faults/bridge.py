"""A small bridge, a process of its own: answers SIP over UDP, and reports its load over HTTP.

    python bridge.py HOST PORT ID CONTROL_PORT REPORT_INTERVAL CAPACITY

It says at which port it listens. Each line of its input is a JSON object of `Faults`, in place of the one before;
at the end of its input it ends. A line of its output each says of which call it got the ACK: only then does
the call exist on both sides.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Faults:
    """What goes wrong; nothing by default."""

    deaf_to: list[str] = field(default_factory=list[str])
    """Methods whose requests are lost on the way: `OPTIONS` is a prober's, all others are a proxy's."""
    loss: float = 0.0
    """The share of datagrams that are lost, each way."""
    delay: float = 0.0
    """Seconds from a request to its reply."""
    invite: str = "200 OK"
    """What an INVITE is answered, a Retry-After after a comma."""
    clock: float = 0.0
    """Seconds that its clock is ahead."""
    reports: str = "sent"
    """Or `lost`; or `late`: each is sent after the one that was made after it."""


class Bridge(asyncio.DatagramProtocol):
    """Calls in progress, and what comes in."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.faults = Faults()
        self.calls: set[str] = set()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        method, _, rest = data.decode().partition(" ")
        headers = dict(line.split(": ", 1) for line in rest.split("\r\n")[1:] if ": " in line)
        if method in self.faults.deaf_to or random.random() < self.faults.loss:
            return
        asyncio.get_running_loop().call_later(self.faults.delay, self.answer, method, headers, addr)

    def answer(self, method: str, headers: dict[str, str], addr: Any) -> None:
        call, status, more = headers["Call-ID"], "200 OK", ""
        if method == "INVITE":
            status, _, retry_after = self.faults.invite.partition(",")
            more = f"Retry-After: {retry_after}\r\n" if retry_after else ""
        elif method == "ACK":
            if call not in self.calls:
                self.calls.add(call)
                print(call, flush=True)
            return
        elif method in ("BYE", "CANCEL"):
            self.calls.discard(call)
        if random.random() >= self.faults.loss:
            copied = "".join(
                f"{name}: {headers[name]}\r\n" for name in ("Via", "From", "To", "Call-ID", "CSeq")
            )
            self.transport.sendto(
                f"SIP/2.0 {status}\r\n{copied}{more}Content-Length: 0\r\n\r\n".encode(), addr
            )

    async def report_for_ever(self, path: str, port: int, interval: float) -> None:
        sequence = int(time.time() * 1_000)
        kept: list[dict[str, float]] = []
        while True:
            await asyncio.sleep(interval)
            sequence += 1
            calls = len(self.calls)
            kept.append(
                {
                    "score": calls / self.capacity,
                    "active_calls": calls,
                    "measured_at": time.time() + self.faults.clock,
                    "sequence": sequence,
                }
            )
            if self.faults.reports == "late" and len(kept) == 1:
                continue
            if self.faults.reports != "lost":
                for report in reversed(kept):
                    await post(path, port, report)
            kept.clear()


async def post(path: str, port: int, report: dict[str, float]) -> None:
    """A report that does not arrive is not repeated, and one that is refused is none."""
    body = json.dumps(report)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n"
    )
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        await reader.read()
        writer.close()
    except OSError:
        pass


async def main(host: str, port: str, name: str, control: str, interval: str, capacity: str) -> None:
    loop = asyncio.get_running_loop()
    bridge = Bridge(int(capacity))
    transport, _ = await loop.create_datagram_endpoint(lambda: bridge, local_addr=(host, int(port)))
    print(transport.get_extra_info("sockname")[1], flush=True)
    reports = asyncio.create_task(
        bridge.report_for_ever(f"/bridges/{name}/report", int(control), float(interval))
    )
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        bridge.faults = Faults(**json.loads(line))
    reports.cancel()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

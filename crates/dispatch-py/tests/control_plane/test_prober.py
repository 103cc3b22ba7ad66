"""The prober against bridges that answer, late, wrongly or not at all: real sockets on a loopback address."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine
from typing import Any

import httpx
import pytest

from callsteer.events import Busy, Event, Health
from callsteer.fastapi import ControlPlane, Settings
from callsteer.fastapi.probes import Answer, NoAnswer, http_get, retry_after, sip_options

Script = Callable[[int, bytes], list[bytes]]
"""What a bridge sends when it gets a request: which one it is, from 1, and the request."""


def ok(request: bytes, status: str = "200 OK", *headers: str) -> bytes:
    text = request.decode()
    copied = [
        line for line in text.split("\r\n") if line.startswith(("Via:", "From:", "To:", "Call-ID:", "CSeq:"))
    ]
    return "\r\n".join([f"SIP/2.0 {status}", *copied, *headers, "Content-Length: 0", "", ""]).encode()


class Bridge(asyncio.DatagramProtocol):
    """A bridge on UDP that answers as its script says."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.requests: list[bytes] = []
        self.callers: list[Any] = []

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.requests.append(data)
        self.callers.append(addr)
        for answer in self.script(len(self.requests), data):
            self.transport.sendto(answer, addr)

    @property
    def uri(self) -> str:
        return f"sip:127.0.0.1:{self.transport.get_extra_info('sockname')[1]}"


async def bridge(script: Script) -> Bridge:
    _, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Bridge(script), local_addr=("127.0.0.1", 0)
    )
    return protocol


async def asked(script: Script, t1: float = 0.01) -> tuple[Answer, list[bytes]]:
    there = await bridge(script)
    try:
        return await sip_options(there.uri, t1), there.requests
    finally:
        there.transport.close()


def run(test: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(asyncio.wait_for(test, 30))


def test_a_bridge_that_answers_lives() -> None:
    answer, requests = run(asked(lambda _, request: [ok(request)], t1=30))
    assert (answer, len(requests)) == (Answer(200), 1)
    via = re.search(rb"Via: SIP/2.0/UDP 127.0.0.1:\d+;branch=z9hG4bK\w+;rport\r\n", requests[0])
    assert via, requests[0]


def test_what_is_lost_is_sent_again_and_is_the_same() -> None:
    answer, requests = run(asked(lambda number, request: [ok(request)] if number == 4 else []))
    assert answer == Answer(200)
    assert len(requests) >= 4
    assert len(set(requests)) == 1


def test_a_provisional_reply_is_no_answer_and_somebody_elses_is_none() -> None:
    def script(number: int, request: bytes) -> list[bytes]:
        other = request.replace(b"z9hG4bK", b"z9hG4bK0")
        return [
            b"noise",
            ok(other),
            request,
            ok(request, "100 Trying"),
            ok(request, "486 Busy Here"),
            ok(request),
        ]

    answer, _ = run(asked(script, t1=30))
    assert answer == Answer(486)


def test_a_bridge_that_is_full_says_for_how_long() -> None:
    answer, _ = run(asked(lambda _, request: [ok(request, "503 Full", "Retry-After: 20")], t1=30))
    assert answer == Answer(503, 20)


def test_silence_is_no_answer_after_64_times_t1() -> None:
    there: list[Bridge] = []

    async def ask() -> None:
        there.append(await bridge(lambda _, __: []))
        with pytest.raises(NoAnswer, match="no final reply in time"):
            await sip_options(there[0].uri, 0.001)
        there[0].transport.close()

    run(ask())
    # T1, 2 T1, 4 T1 ...: of 64 T1 there is room for seven.
    assert 1 <= len(there[0].requests) <= 7


def test_a_port_where_nobody_listens_is_no_answer_at_once() -> None:
    async def ask() -> None:
        there = await bridge(lambda _, __: [])
        uri = there.uri
        there.transport.close()
        await asyncio.sleep(0)
        for transport in ("udp", "tcp"):
            with pytest.raises(NoAnswer, match=r"[Rr]efused|failed"):
                await sip_options(f"{uri};transport={transport}", t1=30)

    run(ask())


def test_a_bridge_is_asked_over_tcp_too() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        assert b"Via: SIP/2.0/TCP " in request
        other = request.replace(b"z9hG4bK", b"z9hG4bK0")
        body = ok(other).replace(b"Content-Length: 0", b"Content-Length: 5") + b"v=0\r\n"
        writer.write(ok(request, "100 Trying") + body + ok(request, "503 Full", "Retry-After: 3"))
        await writer.drain()
        writer.close()

    async def ask() -> Answer:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            return await sip_options(f"sip:127.0.0.1:{port};transport=tcp")

    assert run(ask()) == Answer(503, 3)


def test_a_stream_that_brings_no_reply_is_no_answer() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"SIP/2.0 200 OK\r\n")
        writer.close()

    async def ask() -> None:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            with pytest.raises(NoAnswer, match="no SIP reply"):
                await sip_options(f"sip:127.0.0.1:{port};transport=tcp")

    run(ask())


def test_a_url_is_asked_by_get() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[0]
        status = {b"GET /up HTTP/1.1": "204 No Content", b"GET /moved HTTP/1.1": "302 Found\r\nLocation: /up"}
        full = "503 Full\r\nRetry-After: 9"
        writer.write(f"HTTP/1.1 {status.get(line, full)}\r\nContent-Length: 0\r\n\r\n".encode())
        writer.close()

    async def ask() -> None:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server, httpx.AsyncClient() as client:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            assert await http_get(client, f"{url}/up") == Answer(204)
            assert await http_get(client, f"{url}/moved") == Answer(302)
            assert await http_get(client, f"{url}/full") == Answer(503, 9)
        async with httpx.AsyncClient() as client:
            with pytest.raises(NoAnswer):
                await http_get(client, f"{url}/up")

    run(ask())


def test_retry_after_is_seconds_or_a_date() -> None:
    assert retry_after(None) is None
    assert retry_after("120") == 120
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert (retry_after("Wed, 21 Oct 2089 07:28:00 GMT") or 0) > 1e9
    assert retry_after("soon") is None
    assert retry_after("9" * 30) is None


def test_a_bridge_goes_down_and_comes_back_as_its_probes_say() -> None:
    async def watch() -> None:
        says = {"status": "200 OK"}
        there = await bridge(lambda _, request: [ok(request, says["status"])])
        events: asyncio.Queue[Event] = asyncio.Queue()
        settings = Settings(
            bridges=f"1 {there.uri}\n".encode(),
            config={
                "probing": {"interval": 0.01},
                "health": {"probing_threshold": 2, "inactive_threshold": 2},
            },
        )
        plane = ControlPlane(settings, on_event=events.put_nowait)

        async def observed() -> list[str]:
            while True:
                event = await events.get()
                if isinstance(event, Health):
                    return [event.observed, plane.bridges()[0].standing]

        async with plane.prober:
            says["status"] = "500 Broken"
            assert (await observed())[0] == "trying"
            assert await observed() == ["inactive", "inactive"]
            says["status"] = "200 OK"
            assert await observed() == ["active", "candidate"]
            there.transport.close()
            assert (await observed())[0] == "trying"

    run(watch())


def test_a_bridge_that_says_503_with_retry_after_is_busy_and_not_down() -> None:
    async def watch() -> None:
        there = await bridge(lambda _, request: [ok(request, "503 Full", "Retry-After: 60")])
        events: asyncio.Queue[Event] = asyncio.Queue()
        settings = Settings(bridges=f"1 {there.uri}\n".encode(), config={"probing": {"interval": 0.01}})
        plane = ControlPlane(settings, on_event=events.put_nowait)
        async with plane.prober:
            while not isinstance(await events.get(), Busy):
                pass
        assert plane.bridges()[0].standing == "busy"
        assert plane.bridges()[0].observed == "active"
        there.transport.close()

    run(watch())


def test_a_bridge_that_answers_too_late_is_down() -> None:
    async def watch() -> None:
        def script(number: int, _: bytes) -> list[bytes]:
            # Each request is answered when the next one comes: after its time.
            if number > 1:
                there.transport.sendto(ok(there.requests[-2]), there.callers[-2])
            return []

        there = await bridge(script)
        events: asyncio.Queue[Event] = asyncio.Queue()
        probing = {"interval": 0.05, "timeout": 0.01}
        plane = ControlPlane(
            Settings(bridges=f"1 {there.uri}\n".encode(), config={"probing": probing}),
            on_event=events.put_nowait,
        )
        async with plane.prober:
            seen: list[str] = []
            while "inactive" not in seen:
                event = await events.get()
                if isinstance(event, Health):
                    seen.append(event.observed)
        assert seen == ["trying", "trying", "inactive"]
        there.transport.close()

    run(watch())


def test_the_attribute_probe_says_whom_to_ask() -> None:
    async def watch() -> None:
        asked_for = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"GET /health HTTP/1.1\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            writer.close()
            asked_for.set()

        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/health"
            settings = Settings(
                bridges=f"1 sip:192.0.2.1 0 0 probe={url}\n".encode(), config={"probing": {"interval": 0.01}}
            )
            async with ControlPlane(settings).prober:
                await asked_for.wait()

    run(watch())


def test_whoever_fails_at_an_event_does_not_stop_the_prober(caplog: pytest.LogCaptureFixture) -> None:
    async def watch() -> None:
        asked = asyncio.Event()
        there = await bridge(lambda _, __: [asked.set() or b""])  # type: ignore[func-returns-value]

        def fail(event: Event) -> None:
            raise RuntimeError(f"no room for {type(event).__name__}")

        settings = Settings(bridges=f"1 {there.uri}\n".encode(), config={"probing": {"interval": 0.01}})
        async with ControlPlane(settings, on_event=fail).prober:
            await asked.wait()
        there.transport.close()

    run(watch())
    assert "no room for Added" in caplog.text


def test_a_command_wakes_the_prober() -> None:
    async def watch() -> None:
        there = await bridge(lambda _, request: [ok(request)])
        seen = asyncio.Event()
        there.script = lambda _, request: [seen.set() or ok(request)]  # type: ignore[func-returns-value]
        plane = ControlPlane(Settings(config={"probing": {"interval": 0.01}}))
        async with plane.prober:
            # Nothing is due: it sleeps until somebody says so.
            for _ in range(9):
                await asyncio.sleep(0)
            assert plane.dispatcher.next_deadline() is None
            plane.replace_list(f"1 {there.uri}\n".encode(), dry_run=False)
            await seen.wait()
        there.transport.close()

    run(watch())

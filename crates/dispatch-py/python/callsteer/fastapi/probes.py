"""One probe of one bridge: a SIP OPTIONS over UDP, TCP or TLS, or an HTTP GET; says what came back."""

from __future__ import annotations

import asyncio
import email.utils
import re
import time
from dataclasses import dataclass

import httpx

from .sip_options import Address, Options, Reply

T1 = 0.5
"""RFC 3261, 17.1.2.2: seconds until the first retransmission; each next one takes twice as long."""

T2 = 4.0
"""The longest time between two of them."""


SECONDS = re.compile(r"[0-9]{1,9}")


class NoAnswer(Exception):
    """Nobody answered, and nobody will: no route, nobody listens, nothing came in time."""


@dataclass(frozen=True)
class Answer:
    """A final reply: a status of SIP or HTTP, and its Retry-After in seconds."""

    status: int
    retry_after: float | None = None


async def sip_options(uri: str, t1: float = T1) -> Answer:
    """Asks a SIP URI. Raises `NotProbeable` where it cannot be asked, `NoAnswer` where nobody answers."""
    address = Address.of(uri)
    try:
        ask = over_udp if address.transport == "udp" else over_stream
        reply = await ask(uri, address, t1)
    except (OSError, UnicodeError) as error:
        raise NoAnswer(str(error)) from error
    return Answer(reply.status, reply.retry_after)


async def http_get(client: httpx.AsyncClient, url: str) -> Answer:
    """Asks a URL; redirects are not followed: a status of 302 is the answer. Raises `NoAnswer`."""
    try:
        async with client.stream("GET", url) as response:
            return Answer(response.status_code, retry_after(response.headers.get("retry-after")))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NoAnswer(str(error) or type(error).__name__) from error


def retry_after(value: str | None) -> float | None:
    """RFC 9110, 10.2.3: seconds, or a date."""
    if value is None:
        return None
    if SECONDS.fullmatch(value):
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


async def over_udp(uri: str, address: Address, t1: float) -> Reply:
    """RFC 3261, 17.1.2: a non-INVITE client transaction over a socket of its own.

    The socket is connected: others cannot answer, and ICMP's "nobody listens there" is heard at once.
    """
    loop = asyncio.get_running_loop()
    transport, inbox = await loop.create_datagram_endpoint(Inbox, remote_addr=(address.host, address.port))
    try:
        options = Options(uri, address.transport, transport.get_extra_info("sockname")[:2])
        deadline = loop.time() + 64 * t1
        pause = t1
        while (now := loop.time()) < deadline:
            transport.sendto(options.to_bytes())
            resend_at = min(now + pause, deadline)
            pause = min(2 * pause, T2)
            while reply := await inbox.reply_to(options, resend_at):
                if reply.is_final:
                    return reply
                # Whoever answers provisionally has the request: it is repeated slowly from here on.
                pause = T2
                resend_at = min(loop.time() + T2, deadline)
        raise NoAnswer("no final reply in time")
    finally:
        transport.close()


class Inbox(asyncio.DatagramProtocol):
    """What comes in at a socket."""

    def __init__(self) -> None:
        self.datagrams: asyncio.Queue[bytes | OSError] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.datagrams.put_nowait(data)

    def error_received(self, exc: Exception) -> None:
        if isinstance(exc, OSError):
            self.datagrams.put_nowait(exc)

    async def reply_to(self, options: Options, until: float) -> Reply | None:
        """The next reply to this request; None where none comes until then."""
        while (wait := until - asyncio.get_running_loop().time()) > 0:
            try:
                datagram = await asyncio.wait_for(self.datagrams.get(), wait)
            except asyncio.TimeoutError:
                return None
            if isinstance(datagram, OSError):
                raise datagram
            reply = Reply.parse(datagram)
            if reply is not None and options.is_answered_by(reply):
                return reply
        return None


async def over_stream(uri: str, address: Address, t1: float) -> Reply:
    """Over TCP or TLS, which repeat what is lost; a connection of its own, with the time of a transaction."""
    try:
        return await asyncio.wait_for(ask_over_stream(uri, address), 64 * t1)
    except asyncio.TimeoutError as error:
        raise NoAnswer("no final reply in time") from error
    except (EOFError, asyncio.LimitOverrunError) as error:
        raise NoAnswer("the connection brought no SIP reply") from error


async def ask_over_stream(uri: str, address: Address) -> Reply:
    tls = True if address.transport == "tls" else None
    reader, writer = await asyncio.open_connection(address.host, address.port, ssl=tls)
    try:
        options = Options(uri, address.transport, writer.get_extra_info("sockname")[:2])
        writer.write(options.to_bytes())
        while True:
            reply = Reply.parse(await reader.readuntil(b"\r\n\r\n"))
            if reply is not None and options.is_answered_by(reply) and reply.is_final:
                return reply
            await reader.readexactly(reply.content_length if reply else 0)
    finally:
        writer.close()

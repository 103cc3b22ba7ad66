"""SIP's OPTIONS as text: the address that a URI means, the request, and what a reply says (RFC 3261)."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field


class NotProbeable(Exception):
    """A URI that this prober cannot ask."""


@dataclass(frozen=True)
class Address:
    """Where a SIP URI leads: its host is not resolved yet."""

    host: str
    port: int
    transport: str

    @classmethod
    def of(cls, uri: str) -> Address:
        """Raises `NotProbeable` with what is wrong with the URI."""
        parts = SIP_URI.fullmatch(uri)
        if parts is None:
            raise NotProbeable(f"{uri!r} is not a SIP URI")
        parameters = parse_parameters(parts["parameters"])
        secure = parts["scheme"].lower() == "sips"
        transport = parameters.get("transport", "tls" if secure else "udp").lower()
        if secure and transport == "tcp":
            transport = "tls"
        if transport not in DEFAULT_PORTS:
            raise NotProbeable(f"{uri!r} has the transport {transport}; known are {', '.join(DEFAULT_PORTS)}")
        port = int(parts["port"] or DEFAULT_PORTS[transport])
        if not 1 <= port <= 65_535:
            raise NotProbeable(f"{uri!r} has the port {port}")
        return cls(parameters.get("maddr", parts["host"]).strip("[]"), port, transport)


@dataclass(frozen=True)
class Options:
    """One OPTIONS request: what is sent, and which replies are its own."""

    uri: str
    transport: str
    local: tuple[str, int]
    """The address that it leaves from."""
    branch: str = field(default_factory=lambda: MAGIC_COOKIE + secrets.token_hex(8))
    call_id: str = field(default_factory=lambda: secrets.token_hex(12))
    tag: str = field(default_factory=lambda: secrets.token_hex(4))

    def to_bytes(self) -> bytes:
        """The request; a retransmission is the same bytes."""
        host, port = self.local
        host = f"[{host}]" if ":" in host else host
        # RFC 3261, 19.1.1: a Request-URI has no headers and no method.
        uri = METHOD.sub("", self.uri.split("?")[0])
        lines = [
            f"OPTIONS {uri} SIP/2.0",
            f"Via: SIP/2.0/{self.transport.upper()} {host}:{port};branch={self.branch};rport",
            "Max-Forwards: 70",
            f"From: <sip:callsteer@{host}:{port}>;tag={self.tag}",
            f"To: <{uri}>",
            f"Call-ID: {self.call_id}",
            "CSeq: 1 OPTIONS",
            f"Contact: <sip:callsteer@{host}:{port};transport={self.transport}>",
            "Accept: application/sdp",
            "User-Agent: callsteer",
            "Content-Length: 0",
        ]
        return "\r\n".join([*lines, "", ""]).encode()

    def is_answered_by(self, reply: Reply) -> bool:
        """RFC 3261, 17.1.3: the branch of the topmost Via and the method of CSeq; and the Call-ID."""
        return (reply.branch, reply.call_id, reply.method) == (self.branch, self.call_id, "OPTIONS")


@dataclass(frozen=True)
class Reply:
    """What matters of a SIP reply."""

    status: int
    branch: str
    call_id: str
    method: str
    retry_after: int | None
    """Seconds."""

    content_length: int
    """Bytes that follow the head, where it came over a stream."""

    @property
    def is_final(self) -> bool:
        return self.status >= 200

    @classmethod
    def parse(cls, message: bytes) -> Reply | None:
        """None where it is not a SIP reply: an OPTIONS of the other side, a keep-alive, noise."""
        head = message.decode("utf-8", "replace").replace("\r\n", "\n").split("\n\n", 1)[0]
        first, *lines = FOLD.sub(" ", head).split("\n")
        status = STATUS_LINE.match(first)
        if status is None:
            return None
        headers: dict[str, str] = {}
        for line in lines:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            headers.setdefault(COMPACT.get(name, name), value.strip())
        via = parse_parameters(headers.get("via", "").split(",")[0])
        return cls(
            status=int(status[1]),
            branch=via.get("branch", ""),
            call_id=headers.get("call-id", ""),
            method=headers.get("cseq", "").rpartition(" ")[2],
            retry_after=leading_number(headers.get("retry-after")),
            content_length=leading_number(headers.get("content-length")) or 0,
        )


def parse_parameters(text: str) -> dict[str, str]:
    """`;name=value;flag` as a dictionary; names in lower case. Before the first `;` is no parameter."""
    pairs = (part.partition("=") for part in text.split(";")[1:])
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def leading_number(text: str | None) -> int | None:
    """RFC 3261, 20.33: `120 (I am in a meeting);duration=3600` is 120."""
    digits = re.match(r"[0-9]{1,9}", text or "")
    return int(digits[0]) if digits else None


DEFAULT_PORTS = {"udp": 5060, "tcp": 5060, "tls": 5061}
MAGIC_COOKIE = "z9hG4bK"
"""RFC 3261, 8.1.1.7: every branch starts with it."""

COMPACT = {"v": "via", "i": "call-id", "l": "content-length"}
FOLD = re.compile(r"\n[ \t]+")
METHOD = re.compile(r";method=[^;]*", re.IGNORECASE)
SIP_URI = re.compile(
    r"(?P<scheme>sips?):(?:[^@]*@)?(?P<host>\[[0-9A-Fa-f:.]+\]|[^\[\]:;?@]+)(?::(?P<port>\d{1,5}))?"
    r"(?P<parameters>(?:;[^?]*)?)(?:\?.*)?",
    re.IGNORECASE,
)
STATUS_LINE = re.compile(r"SIP/2\.0 ([1-6]\d\d)(?: |$)", re.IGNORECASE)

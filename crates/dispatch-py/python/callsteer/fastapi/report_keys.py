"""Reports that only their bridge can have sent: `docs/control-plane.md`, "Signed reports"."""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from .problems import Refusal

HEADER = "callsteer-signature"

MIN_KEY = 32
"""Bytes that a key has at least: as many as SHA-256 gives."""

MAX_SKEW = 300
"""Seconds that the clocks of a bridge and of the control plane may be apart, the way included."""


class Sent(NamedTuple):
    """What of a request says which report it is: all of this is signed."""

    method: str
    target: bytes
    """Path and query, as in the line of the request."""
    media_type: str
    orca: bytes
    """The header `endpoint-load-metrics`; empty where there is none."""
    body: bytes

    def digest(self, key: bytes, at: int) -> str:
        """HMAC-SHA256, in hexadecimal; `at` in milliseconds since the epoch of Unix."""
        lines = (b"v1", self.method.encode(), self.target, b"%d" % at, self.media_type.encode(), self.orca)
        return hmac.new(key, b"\n".join((*lines, self.body)), hashlib.sha256).hexdigest()

    def signature(self, key: bytes, at: int) -> str:
        """The value of the header."""
        return f"t={at},v1={self.digest(key, at)}"


class ReportKeys:
    """The keys of bridges by id, and when each last signed."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = dict(keys)
        self._last: dict[str, int] = {}

    def __contains__(self, bridge_id: str) -> bool:
        return bridge_id in self._keys

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def check(self, bridge_id: str, signature: str | None, sent: Sent, now: float | None = None) -> None:
        """Refuses what this bridge did not sign, or signed before what it sent last; `now` in seconds."""
        now = time.time() if now is None else now
        if signature is None:
            raise invalid(f"reports of {bridge_id!r} need a header `Callsteer-Signature`")
        read = SIGNATURE.fullmatch(signature)
        if read is None:
            raise invalid("`Callsteer-Signature` is `t=MILLISECONDS,v1=64 digits of hexadecimal`")
        at = int(read["at"])
        if not hmac.compare_digest(read["digest"], sent.digest(self._keys[bridge_id], at)):
            raise invalid("the signature is not that of this report by the bridge's key")
        if abs(at / 1_000 - now) > MAX_SKEW:
            raise invalid(f"was signed {now - at / 1_000:.0f} s ago; clocks may be {MAX_SKEW} s apart")
        if at <= self._last.get(bridge_id, -1):
            raise Refusal(409, "replayed_report", f"{bridge_id!r} signed this report, or a later one, before")
        self._last[bridge_id] = at


def parse(text: bytes) -> dict[str, bytes]:
    """Reads lines `ID KEY`, empty ones and comments (`#`). Raises `ValueError`, which says where."""
    keys: dict[str, bytes] = {}
    for number, line in enumerate(text.split(b"\n"), 1):
        words = line.split()
        if not words or words[0].startswith(b"#"):
            continue
        if len(words) != 2:
            raise ValueError(f"line {number}: is a bridge's id and its key")
        bridge_id, key = words[0].decode(), words[1]
        if bridge_id in keys:
            raise ValueError(f"line {number}: {bridge_id!r} stands there twice")
        if len(key) < MIN_KEY:
            raise ValueError(f"line {number}: the key has {len(key)} bytes, fewer than {MIN_KEY}")
        keys[bridge_id] = key
    return keys


def invalid(detail: str) -> Refusal:
    return Refusal(401, "invalid_signature", detail, {"WWW-Authenticate": "Callsteer-Signature"})


SIGNATURE = re.compile(r"t=(?P<at>[0-9]{1,15}),v1=(?P<digest>[0-9a-f]{64})")

"""Asks one control plane over loopback: every worker process sees the same calls, loads and limits."""

import http.client
import json
import os
import urllib.parse

import KSR
from by_hash import ByHash
from placement import Refused

# A worker waits for the answer, and places nothing meanwhile.
TIMEOUT_SECONDS = 1.0


class ControlPlane:
    """One connection per worker, kept open. While nobody answers, calls go by hash and are not counted."""

    def __init__(self) -> None:
        url = urllib.parse.urlsplit(os.environ.get("CALLSTEER_URL", "http://127.0.0.1:8080"))
        self.connection = http.client.HTTPConnection(url.hostname, url.port, timeout=TIMEOUT_SECONDS)
        self.headers = {"Content-Type": "application/json"}
        if token := os.environ.get("CALLSTEER_TOKEN"):
            self.headers["Authorization"] = f"Bearer {token}"
        self.alone = ByHash()

    def place(self, call_id: str) -> str:
        try:
            status, answer = self.ask("POST", "/calls", {"call_id": call_id})
        except OSError as error:
            KSR.err(f"callsteer: no answer ({error}): {call_id} goes by hash\n")
            return self.alone.place(call_id)
        if status in (200, 201):
            return answer["destination"]["uri"]
        sip = answer.get("sip", {})
        raise Refused(sip.get("status", 500), answer.get("title", "Server Error"), sip.get("retry_after"))

    def confirmed(self, call_id: str) -> None:
        self.tell("POST", path(call_id, "/confirm"))

    def failed(self, call_id: str, reply: "int | str", retry_after: int | None) -> str | None:
        failure = {"reply": reply} | ({} if retry_after is None else {"retry_after": retry_after})
        try:
            status, answer = self.ask("POST", path(call_id, "/fail"), failure)
        except OSError:
            status = None
        if status != 200:  # it was placed by hash, or nobody answers now
            return self.alone.failed(call_id, reply, retry_after)
        return answer["moved_to"] and answer["moved_to"]["uri"]

    def ended(self, call_id: str) -> None:
        self.tell("DELETE", path(call_id))

    def tell(self, method: str, target: str) -> None:
        """What the control plane also finds out by itself: by deadlines, or when it is reconciled."""
        try:
            self.ask(method, target)
        except OSError as error:
            KSR.err(f"callsteer: {method} {target}: {error}\n")

    def ask(self, method: str, target: str, body: "dict | None" = None) -> "tuple[int, dict]":
        """Status and answer. A connection that was closed while idle is opened again."""
        content = None if body is None else json.dumps(body)
        for attempt in (1, 2):
            try:
                self.connection.request(method, target, content, self.headers)
                response = self.connection.getresponse()
                answer = response.read()
                return response.status, json.loads(answer) if answer else {}
            except (http.client.HTTPException, OSError) as error:
                self.connection.close()
                closed = isinstance(error, (http.client.RemoteDisconnected, ConnectionError))
                if attempt == 2 or not closed:
                    raise OSError(str(error) or type(error).__name__) from error
        raise AssertionError


def path(call_id: str, what: str = "") -> str:
    return "/calls/" + urllib.parse.quote(call_id, safe="") + what

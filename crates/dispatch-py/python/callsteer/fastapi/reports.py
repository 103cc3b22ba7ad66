"""A report of load, in whichever form a bridge sends it."""

from __future__ import annotations

import callsteer

from .problems import Refusal


def read(body: bytes, content_type: str, orca: str | None) -> callsteer.Report:
    """Reads the own JSON, an agent-check line, or the header of ORCA: exactly one of them."""
    if orca is not None and body:
        raise Refusal(422, "invalid_request", "header.endpoint-load-metrics: with it the body is empty")
    if orca is not None:
        return callsteer.read_orca(orca).report
    if not body:
        raise Refusal(
            422, "invalid_request", "body: there is no report, and no header `endpoint-load-metrics`"
        )
    if content_type.partition(";")[0].strip().lower() == "text/plain":
        return callsteer.read_agent_check(body).report
    try:
        return callsteer.read_report(body.decode())
    except UnicodeDecodeError as error:
        raise Refusal(422, "unreadable_report", f"body: byte {error.start + 1} is not UTF-8") from error

"""The control plane against `examples/openapi.json`: the same document, and answers as it says."""

# Schemathesis is typed in part.
# pyright: basic

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck
from schemathesis.specs.openapi.checks import positive_data_acceptance

from callsteer.fastapi import ControlPlane, Settings, create_app
from callsteer.fastapi.openapi import document

from .conftest import SEED, TOKEN, served

CONTRACT = Path(__file__).parents[4] / "examples" / "openapi.json"
EXAMPLES = int(os.environ.get("CALLSTEER_EXAMPLES", "20"))
"""Requests per operation."""


def test_the_committed_document_is_that_of_the_application(client: httpx.Client) -> None:
    served = client.get("/openapi.json").json()
    assert served == document()
    assert json.loads(CONTRACT.read_text()) == served, "write it anew: python -m callsteer.fastapi --openapi"


SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much]
Case = schemathesis.Case[Any]
schema = schemathesis.openapi.from_path(CONTRACT)


@schema.auth()
class Token:
    """Shows the token, except where a check leaves it out to see what happens then."""

    def get(self, case: Case, context: schemathesis.AuthContext) -> str:
        return TOKEN

    def set(self, case: Case, data: str, context: schemathesis.AuthContext) -> None:
        case.headers["Authorization"] = f"Bearer {data}"


@schema.parametrize()
@hypothesis.seed(SEED)
@hypothesis.settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=SLOW)
def test_answers_are_as_the_document_says(case: Case, url: str) -> None:
    hypothesis.assume(not any(map(is_long_in_bytes_only, texts(case))))
    unsaid: list[Any] = [positive_data_acceptance] if case.path in NOT_ALL_SAID else []
    case.call_and_validate(base_url=url, excluded_checks=unsaid)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A control plane whose bridges have room: a 503 is then nobody's answer but a broken server's.

    `CALLSTEER_URL` is another control plane that is meant: it has the same bridges and `TOKEN`.
    """
    if other := os.environ.get("CALLSTEER_URL"):
        yield other
        return
    bridges = b"1 sip:a 32 0 duid=b1\n1 sip:b 32 0 duid=b2\n"
    with served(create_app(ControlPlane(Settings(bridges=bridges, token=TOKEN)))) as client:
        yield str(client.base_url)


def texts(case: Case) -> Iterator[str]:
    parts = (case.path_parameters, case.query, case.body)
    values = (value for part in parts if isinstance(part, dict) for value in part.values())
    return (value for value in values if isinstance(value, str))


def is_long_in_bytes_only(text: str) -> bool:
    """A schema counts characters; the control plane counts bytes, too."""
    return len(text) <= 256 < len(text.encode("utf-8", "surrogatepass"))


NOT_ALL_SAID = ["/bridges/{bridge_id}/report", "/list"]
"""Where a schema cannot say what is accepted: either a header or a body; a dispatcher.list."""

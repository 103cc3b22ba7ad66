"""Examples of the documentation run, and help reads like a page."""

import pydoc
from inspect import isclass, isdatadescriptor, isroutine
from pathlib import Path

import pytest

import callsteer
from callsteer import Call, Destination, Dispatcher, List, Picked, Placed, Plan, config, events, records
from examples import run

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("document", ["README.md", "crates/dispatch-py/README.md", "docs/python.md"])
def test_examples_run(document: str, capsys: pytest.CaptureFixture[str]) -> None:
    run(ROOT / document)
    assert "INVITE to sip:10.0.0." in capsys.readouterr().out


def test_help_reads_like_a_page() -> None:
    page = pydoc.plain(pydoc.render_doc(callsteer))
    for line in (
        "Chooses the bridge that takes the next call",
        "with dispatcher.call(",
        "class AllDown(CallsteerError)",
    ):
        assert line in page
    assert "_callsteer" not in page.split("PACKAGE CONTENTS")[0]


@pytest.mark.parametrize(
    "of", [callsteer, config, events, records, Call, Destination, Dispatcher, List, Picked, Placed, Plan]
)
def test_everything_is_documented(of: object) -> None:
    public = [name for name in getattr(of, "__all__", dir(of)) if not name.startswith("_")]
    assert public
    for name in public:
        one = getattr(of, name)
        if isroutine(one) or isclass(one) or isdatadescriptor(one):
            assert (one.__doc__ or "").strip(), name

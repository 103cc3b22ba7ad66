"""Examples of the documentation run, and help reads like a page."""

import pydoc
from inspect import isclass, isdatadescriptor, isroutine
from pathlib import Path

import pytest

import callsteer
from callsteer import Call, Destination, Dispatcher, List, Picked, Placed, Plan, config, events, records
from examples import run

ROOT = Path(__file__).parents[3]


DOCUMENTS = [
    document.relative_to(ROOT)
    for folder in (".", "docs", "crates/*", "examples/*")
    for document in sorted(ROOT.glob(f"{folder}/*.md"))
    if "```python\n" in document.read_text("utf-8")
]


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_examples_run(
    document: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir((ROOT / document).parent)
    monkeypatch.setenv("CALLSTEER_TOKEN", "secret")
    run(ROOT / document)
    if document.name in ("README.md", "python.md") and document.parts[0] != "examples":
        assert "INVITE to sip:10.0.0." in capsys.readouterr().out


def test_documents_with_examples_are_found() -> None:
    assert len(DOCUMENTS) > 7


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

"""The files of the live page, which both control planes serve.

They are links into `examples/live-page`; a wheel has the files themselves.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent / "live-page"
PAGE = FOLDER / "index.html"
FILES = {file.name: file for file in (FOLDER / "live").iterdir()}
"""What the page loads, by name: nothing else can be asked for."""

"""Runs the Python examples of Markdown files, without any other package."""

import re
import sys
from pathlib import Path


def run(document: Path) -> None:
    """Runs what stands between ```python and ```, one after another in one module."""
    examples: list[str] = re.findall(
        r"^```python\n(.*?)^```", document.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    if not examples:
        raise ValueError(f"{document} has no example")
    names: dict[str, object] = {}
    for example in examples:
        exec(compile(example, str(document), "exec"), names)


if __name__ == "__main__":
    for document in sys.argv[1:]:
        run(Path(document))

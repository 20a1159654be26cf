"""Run the examples of a guide, and put what they print below them.

Every ``python`` block of a page is run, in order and in one name space, in a folder that holds the examples and the
scenarios.  A ``text`` block right below one shows what it prints.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

_BLOCK = re.compile(r"^```python\n(?P<code>.*?)^```$(?:\n\n```text\n(?P<shown>.*?)^```$)?", re.MULTILINE | re.DOTALL)


# Pages beside these list calls, or show runs that take long.
_GUIDES = ("quickstart.md", "questions/*.md", "vi/*.md")


def pages() -> list[Path]:
    """Return the guides that hold an example."""
    guides = sorted(page for pattern in _GUIDES for page in DOCS.glob(pattern))
    return [page for page in guides if "```python\n" in page.read_text(encoding="utf-8")]


def language_of(page: Path) -> str:
    """Return the language a page is written in."""
    return "vi" if "vi" in page.relative_to(DOCS).parts else "en"


def rerun(page: Path) -> str:
    """Return the text of a page with the output that its examples have now.

    Whatever an example raises is raised; a warning is an error.
    """
    names: dict[str, Any] = {"__name__": "__page__"}
    with _workplace(language_of(page)), warnings.catch_warnings():
        warnings.simplefilter("error")
        return _BLOCK.sub(lambda found: _shown(found, names, page), page.read_text(encoding="utf-8"))


@contextlib.contextmanager
def _workplace(language: str) -> Iterator[None]:
    """Enter a folder of its own, in which the examples and the scenarios are at hand, and a language."""
    before = os.environ.get("CAPALLOC_LANG")
    os.environ["CAPALLOC_LANG"] = language
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for name in ("examples", "scenarios"):
            Path(name).symlink_to(ROOT / name, target_is_directory=True)
        try:
            yield
        finally:
            if before is None:
                del os.environ["CAPALLOC_LANG"]
            else:
                os.environ["CAPALLOC_LANG"] = before


def _shown(found: re.Match[str], names: dict[str, Any], page: Path) -> str:
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(compile(found["code"], str(page), "exec"), names)  # noqa: S102  # the page is ours
    block = f"```python\n{found['code']}```"
    if found["shown"] is None:
        return block
    lines = (line.rstrip() for line in output.getvalue().splitlines())
    return f"{block}\n\n```text\n{chr(10).join(lines).strip(chr(10))}\n```"

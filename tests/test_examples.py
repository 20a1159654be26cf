"""The examples run, and what the documents say they print is what they print."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
READMES = {"README.md": "en", "README.vi.md": "vi"}

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def printed(code, lang):
    """Run a program in a process of its own and return what it prints."""
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=os.environ | {"CAPALLOC_LANG": lang, "PYTHONIOENCODING": "utf-8"},
        cwd=ROOT,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")
    return run.stdout


def blocks(document):
    """Return the blocks of code of a document: the language of each, and its text."""
    return BLOCK.findall((ROOT / document).read_text(encoding="utf-8"))


def python_and_output(document):
    """Return the Python of a document and the block that follows it."""
    listed = blocks(document)
    position = [language for language, _ in listed].index("python")
    return listed[position][1], listed[position + 1][1]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
@pytest.mark.parametrize("lang", ["en", "vi"])
def test_an_example_runs_from_top_to_bottom(example, lang):
    """Without a warning, and it prints something."""
    assert printed(example.read_text(encoding="utf-8"), lang).strip()


@pytest.mark.parametrize("document", READMES)
def test_a_readme_prints_what_it_says(document):
    """The output shown is the real one, letter by letter."""
    code, output = python_and_output(document)
    assert printed(code, READMES[document]) == output


def test_the_readme_shows_the_first_example():
    """The file can be run as it stands in the document."""
    code, _ = python_and_output("README.md")
    text = (ROOT / "examples" / "first_plan.py").read_text(encoding="utf-8")
    assert text.partition('"""\n\n')[2] == code


@pytest.mark.parametrize("document", READMES)
def test_a_readme_names_only_files_that_exist(document):
    """A link that leads nowhere is a mistake."""
    links = re.findall(r"\]\(([^)#:]+)\)", (ROOT / document).read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_both_readmes_say_the_same_things():
    """The two languages have the same sections, and the same code in the table of what can be done."""

    def code_of(document):
        text = (ROOT / document).read_text(encoding="utf-8")
        rows = [line.rsplit("|", 2)[-2] for line in text.splitlines() if line.startswith("|")]
        return [re.findall(r"`([^`]+)`", row) for row in rows]

    assert code_of("README.md") == code_of("README.vi.md")
    assert [language for language, _ in blocks("README.md")] == [language for language, _ in blocks("README.vi.md")]

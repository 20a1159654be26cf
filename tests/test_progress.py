"""Runs watched live."""

import math
import sys
import types
from dataclasses import replace

import pytest

from capalloc import Progress
from capalloc.catalogue import speaking
from capalloc.progress import describe, watching
from sample import sample

FIRST = Progress(seconds=0.4, value=None, bound=math.inf, gap=math.inf)
LATER = Progress(seconds=61.6, value=1_234_567.5, bound=1_250_000.0, gap=0.0125)


@pytest.mark.parametrize(
    ("lang", "first", "later"),
    [
        ("en", "best none yet  bound ∞  gap ∞  0 s", "best 1,234,567  bound 1,250,000  gap 1.25%  62 s"),
        ("vi", "tốt nhất chưa có  cận trên ∞  sai lệch ∞  0 giây",
         "tốt nhất 1.234.567  cận trên 1.250.000  sai lệch 1,25%  62 giây"),
    ],
)  # fmt: skip
def test_a_report_is_one_line(lang, first, later):
    """Best value, proved bound, gap and seconds are in it, in the language in force."""
    with speaking(lang):
        assert (describe(FIRST), describe(LATER)) == (first, later)


@pytest.mark.parametrize(
    ("lang", "line"),
    [
        ("en", "class 2: best none yet  bound ∞  gap ∞  0 s"),
        ("vi", "thứ tự ưu tiên 2: tốt nhất chưa có  cận trên ∞  sai lệch ∞  0 giây"),
    ],
)
def test_a_report_about_a_class_names_it(lang, line):
    """Where classes come one after the other, the numbers are those of one of them."""
    with speaking(lang):
        assert describe(replace(FIRST, class_=2)) == line


@pytest.mark.parametrize("progress", [None, False])
def test_silence_is_silent(progress, capsys):
    """Without progress nothing is called and nothing is written."""
    sample().optimize(progress=progress)
    assert capsys.readouterr() == ("", "")


def test_a_callable_gets_the_reports_themselves(capsys):
    """A program may watch the run in its own way."""
    seen = []
    plan = sample().optimize(progress=seen.append)
    assert seen
    assert all(isinstance(report, Progress) for report in seen)
    assert (seen[-1].value, seen[-1].bound, seen[-1].gap) == (plan.value, plan.bound, plan.gap)
    assert capsys.readouterr() == ("", "")


def test_a_log_has_first_and_last_report(capsys):
    """Where standard error is no terminal, lines are few, but the last one is never lost."""
    with watching(True) as report:
        for seconds in range(100):
            report(Progress(seconds, 1.0, 2.0, 1.0))
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.rpartition("  ")[2] for line in err.splitlines()] == ["0 s", "99 s"]


@pytest.mark.parametrize("lang", ["en", "vi"])
def test_a_terminal_shows_a_live_line(lang, monkeypatch, capsys):
    """On a terminal the line changes in place, in the language of the one who asked."""
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("TERM", "xterm")
    with speaking(lang), watching(True) as report:
        report(LATER)
    out, err = capsys.readouterr()
    assert out == ""
    assert {"en": "bound 1,250,000", "vi": "cận trên 1.250.000"}[lang] in err


def test_the_terminal_is_left_as_it_was(monkeypatch, capsys):
    """The cursor is shown again when the run ends, also when it fails."""
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("TERM", "xterm")
    with pytest.raises(ValueError, match="engine"), watching(True):
        raise ValueError("engine")
    assert capsys.readouterr().err.rstrip().endswith("\x1b[?25h")


def test_a_notebook_shows_the_line_below_the_cell(monkeypatch, capsys):
    """Each report takes the place of the one before it."""
    shown = []

    class Handle:
        """What IPython gives to update an output."""

        def update(self, content, raw):
            """Replace the output."""
            shown.append((content["text/plain"], raw))

    display = types.ModuleType("IPython.display")
    display.display = lambda *_, **__: Handle()
    shell = types.ModuleType("IPython")
    shell.get_ipython = lambda: types.SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", shell)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    with watching(True) as report:
        report(LATER)
    assert shown == [(describe(LATER), True)]
    assert capsys.readouterr() == ("", "")

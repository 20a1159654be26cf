"""A run watched live: the best value, the proved bound, the gap and the seconds, on standard error or in a notebook."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from capalloc.answer import Answer
from capalloc.arguments import wrong_argument
from capalloc.catalogue import language, say, speaking, write_number, write_percent
from capalloc.model import Progress, ProgressReport

# Where nobody sees a line change in place, a new line at most this often keeps a log readable.
_SECONDS_BETWEEN_LINES = 5.0


def expect_watcher(progress: Any) -> None:
    """Let an argument pass that a run can be watched with.

    Raises
    ------
    InvalidInput
        When it is neither a truth, ``None`` nor callable.
    """
    if not (progress is None or isinstance(progress, bool) or callable(progress)):
        raise wrong_argument("progress", progress, "progress")


def describe(progress: Progress) -> str:
    """Return one report as a line of text.

    Examples
    --------
    >>> describe(Progress(seconds=2.0, value=90.0, bound=100.0, gap=1 / 9))
    'best 90  bound 100  gap 11.12%  2 s'
    """
    value = say("plan.progress.none") if progress.value is None else write_number(_short(progress.value, math.floor))
    bound = write_number(_short(progress.bound, math.ceil)) if math.isfinite(progress.bound) else "∞"
    gap = write_percent(max(progress.gap, 0.0), 2, "up") if math.isfinite(progress.gap) else "∞"
    line = say("plan.progress.line", value=value, bound=bound, gap=gap, seconds=round(progress.seconds))
    return line if progress.class_ is None else say("plan.progress.class", number=progress.class_, line=line)


def _short(number: float, whole: Callable[[float], int]) -> float:
    """Return enough digits to see the number move; a large one is made whole to the side that claims no more."""
    return whole(number) if abs(number) >= 10_000 else float(f"{number:.6g}")


@contextmanager
def watching(
    progress: bool | Callable[[Any], None] | None, wording: Callable[[Any], str] = describe
) -> Iterator[Callable[[Any], None] | None]:
    """Give what a work is to call with its progress while the ``with`` block lasts.

    Parameters
    ----------
    progress
        ``True`` shows the run on standard error (in a notebook, below the cell); a callable is called with each
        :class:`~capalloc.model.Progress`; ``None`` and ``False`` stay silent.
    wording
        Says a report as a line of text.  A report has the attribute ``seconds``.
    """
    if callable(progress):
        yield progress
    elif not progress:
        yield None
    else:
        with _display(wording) as report:
            yield report


def watched_answer(progress: bool | ProgressReport | None, solve: Callable[[ProgressReport | None], Answer]) -> Answer:
    """Return what a run answers that is watched as by :func:`watching`; its last report is about the plan itself."""
    with watching(progress) as report:
        answer = solve(report)
        if report is not None and answer.value is not None:
            last = answer.classes[-1].class_ if answer.classes else None
            report(Progress(answer.seconds, float(answer.value), answer.bound, answer.gap, answer.nodes, last))
    return answer


@contextmanager
def _display(wording: Callable[[Any], str]) -> Iterator[Callable[[Any], None]]:
    """A line that changes in place, below a cell or on a terminal; elsewhere, lines now and then."""
    from rich.console import Console

    console = Console(stderr=True)
    # A program that runs notebooks, or asks for kernels, has loaded ipykernel too without being one.
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if getattr(shell, "kernel", None) is not None:
        yield _Cell(wording)
    elif console.is_terminal:
        from rich.live import Live
        from rich.text import Text

        line = _Line(wording, lambda text: Text(text, no_wrap=True, overflow="ellipsis"))
        with Live(console=console, get_renderable=line.draw, refresh_per_second=4):
            yield line
    else:
        log = _Log(wording)
        yield log
        log.close()


class _Cell:
    """A line below the cell of a notebook that follows the reports."""

    def __init__(self, wording: Callable[[Any], str]) -> None:
        from IPython.display import display

        # Untyped where it is installed, and unknown where it is not.
        show: Any = display
        self.wording = wording
        self.handle = show({"text/plain": ""}, raw=True, display_id=True)

    def __call__(self, progress: Any) -> None:
        self.handle.update({"text/plain": self.wording(progress)}, raw=True)


class _Line:
    """The last report, drawn with the seconds that have passed since the start."""

    def __init__(self, wording: Callable[[Any], str], dress: Callable[[str], Any]) -> None:
        self.wording = wording
        self.dress = dress
        self.began = time.monotonic()
        self.last: Any = None if wording is not describe else Progress(0.0, None, math.inf, math.inf)
        self.language = language()

    def __call__(self, progress: Any) -> None:
        self.last = progress

    def draw(self) -> Any:
        # Drawn from a thread of its own, which does not know the language of the one that started it.
        with speaking(self.language):
            now = None if self.last is None else replace(self.last, seconds=time.monotonic() - self.began)
            return self.dress("" if now is None else self.wording(now))


class _Log:
    """Reports as lines of a log, none lost at the end."""

    def __init__(self, wording: Callable[[Any], str]) -> None:
        self.wording = wording
        self.written = -math.inf
        self.waiting: Any = None

    def __call__(self, progress: Any) -> None:
        self.waiting = progress
        if time.monotonic() - self.written >= _SECONDS_BETWEEN_LINES:
            self.close()

    def close(self) -> None:
        """Write the report that waits, if any."""
        if self.waiting is not None:
            sys.stderr.write(f"{self.wording(self.waiting)}\n")
            sys.stderr.flush()
            self.waiting, self.written = None, time.monotonic()

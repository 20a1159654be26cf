"""How a run of scenarios is getting on: how many are done, how fast, how many failed, and the time that is left."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from time import monotonic

from capalloc.catalogue import say, write_number
from capalloc.reporting import shown_down


@dataclass(frozen=True, slots=True)
class RunProgress:
    """One report of a run at work.

    Parameters
    ----------
    seconds
        Since the run began.
    done, of
        Scenarios that have an answer, those of earlier runs too, and all of them.
    failed
        Of those done, how many failed.
    rate
        Scenarios a minute in this run; 0 before the first.
    left
        Seconds that the rest will take at this rate; ``inf`` before the first.
    best, best_name
        The greatest value so far, and its scenario; ``None`` and empty before the first plan.
    """

    seconds: float
    done: int
    of: int
    failed: int
    rate: float
    left: float
    best: Fraction | None = None
    best_name: str = ""


class Headway:
    """Counts what comes of scenarios as it comes.

    Parameters
    ----------
    names
        The scenarios of the run by the id under which their results lie.
    """

    def __init__(self, names: dict[str, list[str]]) -> None:
        self._names = names
        self._began = monotonic()
        self._done = self._failed = self._fresh = 0
        self._best: Fraction | None = None
        self._best_name = ""

    def add(self, id_: str, state: str, value: str | None, *, fresh: bool = True) -> None:
        """Count one result; ``fresh`` when this run made it."""
        count = len(self._names[id_])
        self._done += count
        self._fresh += count if fresh else 0
        self._failed += count if state == "failed" else 0
        worth = None if value is None else Fraction(value)
        if worth is not None and (self._best is None or worth > self._best):
            self._best, self._best_name = worth, self._names[id_][0]

    def report(self) -> RunProgress:
        """Return how things stand now."""
        seconds = monotonic() - self._began
        of = sum(map(len, self._names.values()))
        rate = self._fresh / seconds * 60 if seconds else 0.0
        left = (of - self._done) / rate * 60 if rate else math.inf
        return RunProgress(seconds, self._done, of, self._failed, rate, left, self._best, self._best_name)


def describe_run(progress: RunProgress) -> str:
    """Return one report as a line of text.

    Examples
    --------
    >>> describe_run(RunProgress(30.0, 20, 200, 1, 40.0, 270.0, Fraction(7), "low"))
    '20 of 200 scenarios  best 7 (low)  1 failed  40 a minute  270 s left'
    """
    best = say("plan.progress.none") if progress.best is None else write_number(shown_down(progress.best))
    named = f"{best} ({progress.best_name})" if progress.best_name else best
    left = write_number(math.ceil(progress.left)) if math.isfinite(progress.left) else "–"
    rate = write_number(round(progress.rate, 0 if progress.rate >= 10 else 1))
    counts = {"done": progress.done, "of": progress.of, "failed": progress.failed}
    return say("run.progress", **counts, best=named, rate=rate, left=left)

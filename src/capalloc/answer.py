"""What a run found and what it proved, for the whole objective and for each priority class."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction

from capalloc.allocation import Allocation
from capalloc.audit import Audit
from capalloc.issues import NO_ISSUES, Issues
from capalloc.model import SolveOptions, Status, StoppedBy, relative_gap

NOISE = 1e-9
"""Relative error of a bound that an engine computes in floats."""

_LAST_DIGITS = 2.0**-44
"""What adding up floats may leave of the largest of them where nothing should be left."""


@dataclass(frozen=True, slots=True)
class ClassAnswer:
    """What a priority class reaches, and the most it can reach when the classes above it keep what they have."""

    class_: int
    value: Fraction
    bound: float
    status: Status

    @property
    def gap(self) -> float:
        """(bound − value) / |value|; 0 when equal, infinite when the value is 0."""
        return relative_gap(float(self.value), self.bound)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a run found and what it proved.

    ``allocation``, ``audit`` and ``value`` are ``None`` exactly when there is no plan.  A plan has no ``violations``; a
    hand-made list may (see :mod:`capalloc.evaluation`).  ``bound`` is in units of the objective: no plan is worth more.
    ``rejected`` counts selections that had no whole-unit financing.  ``classes`` is empty unless the goal is
    lexicographic; value and bound are then those of the last class, and the status holds for all of them.
    ``canonical`` says that the plan is proved to be the first, in the order of the tables, of all best plans.
    """

    status: Status
    stopped_by: StoppedBy
    allocation: Allocation | None
    audit: Audit | None
    bound: float
    engine: str
    options: SolveOptions
    seconds: float
    nodes: int = 0
    rejected: int = 0
    violations: Issues = NO_ISSUES
    classes: tuple[ClassAnswer, ...] = ()
    canonical: bool = False

    @property
    def value(self) -> Fraction | None:
        """What the objective adds up to, exactly."""
        return self.audit.value if self.audit else None

    @property
    def verdict(self) -> str:
        """The status, or ``broken`` where it is that of a hand-made list that breaks something."""
        return "broken" if self.violations else str(self.status)

    @property
    def gap(self) -> float:
        """(bound − value) / |value|; 0 when equal, infinite when there is no value or it is 0."""
        return relative_gap(None if self.value is None else float(self.value), self.bound)


def alone(answer: Answer) -> Answer:
    """Return the answer as one that proves nothing about other plans; one without a plan stays as it is."""
    if not answer.status.has_plan:
        return answer
    classes = tuple(replace(own, status=Status.FEASIBLE, bound=math.inf) for own in answer.classes)
    return replace(answer, status=Status.FEASIBLE, bound=math.inf, classes=classes)


def claimed(worth: Fraction, bound: float, step: float, gap: float, largest: float = 0.0) -> tuple[Status, float]:
    """Return what a value and a bound prove together, and the bound that may be stated.

    The values of plans differ by whole multiples of ``step``; a bound less than one step above the value leaves no
    better plan.  With a step of 0 they may differ by anything.  ``largest`` is the largest of what values add up: where
    they cancel out, a bound is not more exact than its last digits.
    """
    value = float(worth)
    noise = max(NOISE * max(abs(value), abs(bound)), _LAST_DIGITS * largest) if math.isfinite(bound) else 0.0
    step = step if noise < step / 4 else 0.0
    if bound - value <= noise or bound - value < step - noise:
        return Status.OPTIMAL, value
    return (Status.WITHIN_GAP if relative_gap(value, bound) <= gap else Status.FEASIBLE), bound

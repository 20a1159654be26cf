"""What envelopes must bear when costs rise, and the exact account of a plan that has to.

Γ-robust (Bertsimas and Sim 2004): in every envelope the plan fits when the Γ projects that would hurt it most all cost
``cost_high``.  CVaR (Rockafellar and Uryasev 2000): in the worst part of a sample of costs an envelope is passed by no
more than a given part of its room on average.  Both are the largest of many sums of payments,

    use + sum over projects of rise[j] · payments of j <= limit,

one for each choice of Γ projects, or of worst samples.  Rises are whole thousandths, rounded up; they act on what is
still to be paid.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from capalloc.allocation import Allocation
from capalloc.ceilings import find_carries, find_ceilings
from capalloc.history import first_open_year
from capalloc.model import Floats, Ints
from capalloc.stress import Dangers, draw, intervals
from capalloc.tables import Tables

GRAIN = 1000
"""Rises are whole numbers of so many parts of the cost."""

NOISE = Fraction(1, 10)
"""Million VND by which floats may let a protected envelope be passed."""


@dataclass(frozen=True, slots=True)
class Robust:
    """What an envelope must bear: ``gamma`` projects at their highest cost, and the worst samples on average.

    Parameters
    ----------
    gamma
        How many projects may cost the most at once in each envelope; ``None`` for no such demand.
    cvar
        The part of its room by which an envelope may be passed on average in the worst samples; ``None`` for no limit.
    level
        The part of the samples that are not among the worst.
    scenarios, seed
        How many samples of costs are drawn, and from which seed.
    """

    gamma: int | None = None
    cvar: Fraction | None = None
    level: Fraction = Fraction(9, 10)
    scenarios: int = 200
    seed: int = 0

    @property
    def tail(self) -> int:
        """How many samples are the worst ones: at least one."""
        return max(1, math.ceil((1 - self.level) * self.scenarios))


@dataclass(frozen=True, slots=True)
class Protection:
    """One envelope of a plan: what is paid in all, and what it comes to in the case it must bear, in million VND.

    ``allowed`` is what may be paid in that case: room and what is carried in, less what is carried out.
    """

    source: tuple[str, ...]
    period: str
    demand: str
    used: int
    protected: Fraction
    allowed: Fraction

    @property
    def slack(self) -> Fraction:
        """What is left in the case that the envelope must bear."""
        return self.allowed - self.protected


class Shield:
    """The sums of payments that an envelope must bear, for a compiled portfolio or for a plan."""

    def __init__(self, tables: Tables, robust: Robust) -> None:
        self.tables, self.robust = tables, robust
        self.rises = _whole_rises(np.array([[high - 1.0 for _, high in intervals(tables)]]))[0]
        self.samples = np.zeros((0, len(self.rises)), dtype=np.int64)
        if robust.cvar is not None:
            drawn = draw(tables, Dangers(), robust.scenarios, robust.seed)
            self.samples = _whole_rises(drawn.factors - 1.0)
        touched = (self.rises != 0) | (self.samples != 0).any(axis=0)
        self.projects: Ints = np.flatnonzero(touched)

    def worst(self, paid: Floats) -> Iterator[Case]:
        """Yield the worst case of each demand.

        Parameters
        ----------
        paid
            What is still paid for each project from one envelope, shape (projects,).
        """
        if self.robust.gamma is not None:
            rises = np.maximum(self.rises, 0)
            chosen = np.argsort(-(rises * paid), kind="stable")[: self.robust.gamma]
            kept = np.zeros_like(rises)
            kept[chosen] = rises[chosen]
            yield Case("gamma", kept, GRAIN, Fraction(1))
        if self.robust.cvar is not None:
            worst = np.argsort(-(self.samples @ paid), kind="stable")[: self.robust.tail]
            total: Ints = self.samples[worst].sum(axis=0)
            yield Case("cvar", total, GRAIN * self.robust.tail, 1 + self.robust.cvar)


@dataclass(frozen=True, slots=True)
class Case:
    """By how many parts of ``parts`` each project costs more, and what part of the room may be used then."""

    demand: str
    rises: Ints
    parts: int
    allowed: Fraction

    def added(self, paid: Sequence[int]) -> Fraction:
        """Return what is paid more in this case, exactly."""
        pairs = zip(self.rises.tolist(), paid, strict=True)
        return Fraction(sum(rise * amount for rise, amount in pairs), self.parts)


def _whole_rises(rises: Floats) -> Ints:
    """Rises in whole thousandths, rounded up but for the noise of floats."""
    return np.ceil(np.round(rises * GRAIN, 6)).astype(np.int64)


def still_paid(tables: Tables, allocation: Allocation) -> Floats:
    """What a plan still pays of each envelope for each project, shape (envelopes, projects)."""
    place = {project.id: number for number, project in enumerate(tables.projects)}
    paid = np.zeros((len(tables.envelopes), len(place)))
    first = first_open_year(tables.settings)
    for number, row in enumerate(tables.envelopes):
        period = tables.settings.known_period(row.period)
        for payment in allocation.payments:
            if payment.source in row.source and payment.year in period and payment.year >= first:
                paid[number, place[payment.project]] += payment.amount
    return paid


def protections(tables: Tables, allocation: Allocation, shield: Shield) -> Iterator[Protection]:
    """Yield what each envelope of a plan must bear in its worst cases, exactly, after the least that must be carried.

    It reads payments and envelopes and no row of a model.
    """
    paid, ceilings = still_paid(tables, allocation), list(find_ceilings(tables))
    used = [
        sum(p.amount for p in allocation.payments if p.source in row.source and p.year in ceiling.years)
        for row, ceiling in zip(tables.envelopes, ceilings, strict=True)
    ]
    amounts = [[round(amount) for amount in row] for row in paid.tolist()]
    cases = [list(shield.worst(row)) for row in paid]
    missing = [
        max(used[n] + case.added(amounts[n]) - case.allowed * ceilings[n].room for case in own) if own else Fraction(0)
        for n, own in enumerate(cases)
    ]
    carried = [Fraction(0)] * len(ceilings)
    for carry in reversed(list(find_carries(tables, ceilings))):
        moved = min(Fraction(max(math.ceil(missing[carry.taker] - carried[carry.taker]), 0)), Fraction(carry.most))
        carried[carry.taker] += moved
        carried[carry.giver] -= moved
    for number, row in enumerate(tables.envelopes):
        for case in cases[number]:
            protected = used[number] + case.added(amounts[number])
            allowed = case.allowed * ceilings[number].room + carried[number]
            yield Protection(row.source, row.period, case.demand, used[number], protected, allowed)

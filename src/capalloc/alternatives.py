"""Different plans that lose little: selections of projects, best first, each cut off once it is found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from capalloc.allocation import Allocation
from capalloc.answer import NOISE, Answer, alone
from capalloc.asking import WHOLE_VALUE, Floor, funded_by, gains_in_order, held, is_ordered, keeps, values_of
from capalloc.budget import Budget
from capalloc.catalogue import say
from capalloc.compiling import Compiled, compile_tables
from capalloc.engines import engine_named
from capalloc.engines.base import Engine
from capalloc.framing import typed_frame
from capalloc.holding import hold
from capalloc.lexicographic import solve_in_order
from capalloc.model import SolveOptions, Status
from capalloc.plan import Plan
from capalloc.rows import RowWriter, with_rows
from capalloc.searching import Aim, search
from capalloc.solving import solve_compiled
from capalloc.tables import Tables
from capalloc.telling import Told, enumerated
from capalloc.worth import class_columns, standing, worth_told

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class Alternatives(Told):
    """What :meth:`Portfolio.alternatives` answers.

    Parameters
    ----------
    tables
        The tables of the portfolio.
    within
        The part of the value that a plan may lose against the first.
    answers
        Plans of different selections of projects; each is the best found that none before it is, with the bound on all
        that were left.  Where classes are ordered, no class of any loses more than that part.
    complete
        Whether it is proved that no other selection loses so little.
    """

    tables: Tables
    within: Fraction
    answers: tuple[Answer, ...]
    complete: bool

    @property
    def plans(self) -> tuple[Plan, ...]:
        """The plans; of all but the first, what they prove is about the selections that were left."""
        return tuple(Plan(self.tables, answer) for answer in (*self.answers[:1], *map(alone, self.answers[1:])))

    @property
    def core(self) -> tuple[str, ...]:
        """The projects that all the plans fund."""
        return tuple(sorted(frozenset.intersection(*map(funded_by, self.answers)))) if self.answers else ()

    def __len__(self) -> int:
        return len(self.answers)

    def __iter__(self) -> Iterator[Plan]:
        return iter(self.plans)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a plan: plan, value, bound, loss, projects, cost, enters, leaves; changes are to the first."""
        best = self.answers[0] if self.answers else None
        first = funded_by(best) if best else frozenset()
        top = best.value if best and best.value is not None else Fraction(0)
        audits = [answer.audit for answer in self.answers if answer.audit is not None]
        return typed_frame(
            {
                "plan": ("int64", list(range(1, len(audits) + 1))),
                "value": ("float64", [float(audit.value) for audit in audits]),
                "bound": ("float64", [answer.bound for answer in self.answers]),
                "loss": ("float64", [float(top - audit.value) for audit in audits]),
                "projects": ("int64", [len(audit.projects) for audit in audits]),
                "cost": ("int64", [sum(row.cost for row in audit.projects) for audit in audits]),
                "enters": ("str", [", ".join(sorted(funded_by(a) - first)) for a in self.answers]),
                "leaves": ("str", [", ".join(sorted(first - funded_by(a))) for a in self.answers]),
                **class_columns(self.tables, self.answers),
            }
        )

    def statement(self) -> str:
        """Return how many selections lose little and what they share, as one paragraph."""
        if not self.answers:
            return say("why.alternatives.none" if self.complete else "why.alternatives.unknown")
        worth = worth_told(self.tables, self.answers[0])
        key = f"why.alternatives.{'complete' if self.complete else 'partial'}"
        key += "-one" if len(self.answers) == 1 else "-ordered" if is_ordered(self.tables) else ""
        words = say(key, count=len(self.answers), within=self.within, value=worth)
        if len(self.answers) == 1:
            return words
        some = frozenset.union(*map(funded_by, self.answers)) - frozenset(self.core)
        shared = say("why.alternatives.core", count=len(self.core), others=enumerated(sorted(some)))
        return f"{words} {shared}"


def alternatives(
    tables: Tables,
    most: int,
    within: Fraction,
    options: SolveOptions,
    engine: str,
    *,
    start: Allocation | None = None,
) -> Alternatives:
    """Return plans of different selections of projects, best first, that lose at most a part of the best value.

    Parameters
    ----------
    most
        How many plans, with the best.
    within
        The part of its absolute value by which a plan may be worth less than the first.
    start
        A plan to begin from.
    """
    compiled, solver = compile_tables(tables), engine_named(engine)
    budget = Budget(options, most + 1)
    best = solve_compiled(compiled, budget.next(), solver, start=start)
    if best.audit is None:
        return Alternatives(tables, within, (), complete=best.status is Status.INFEASIBLE)
    floor = {number: value - within * abs(value) for number, value in values_of(tables, best.audit).items()}
    found, left, complete = [best], _without(compiled, best), False
    while not complete:
        answer = _above(left, floor, budget.next(), solver)
        complete = _is_none(answer, floor)
        if answer.audit is None and not complete and not budget.spent:
            answer = _above(left, floor, replace(options, time_limit=budget.left), solver)
            complete = _is_none(answer, floor)
        if answer.audit is None or not keeps(tables, answer.audit, floor) or len(found) == most:
            break
        found.append(answer)
        left = _without(left, answer)
    # With a gap, or little time, one may be found before another that is a little better.
    ranked = sorted(found, key=lambda answer: standing(tables, answer), reverse=True)
    return Alternatives(tables, within, tuple(ranked), complete)


def _above(left: Compiled, floor: Floor, options: SolveOptions, engine: Engine) -> Answer:
    """The best of the plans that are left and do not fall below a floor."""
    if is_ordered(left.tables):
        own = [gains for gains in gains_in_order(left) if any(gains.amounts)]
        holds = [hold(gains, floor[gains.number], left.model.upper) for gains in own]
        return solve_in_order(left, options, engine, floors=holds)
    # The cuts are for the payments to obey as well; the floor is for the engine alone.
    return search(Aim(left, held(left.model, left, floor)), options, engine)


def _is_none(answer: Answer, floor: Floor) -> bool:
    """Whether it is proved that no plan reaches the floor."""
    least = floor.get(WHOLE_VALUE)
    if least is None:
        return answer.status is Status.INFEASIBLE
    noise = NOISE * max(1.0, abs(float(least)))
    return answer.status is Status.INFEASIBLE or answer.bound < float(least) - noise


def _without(compiled: Compiled, answer: Answer) -> Compiled:
    """The model without the plans of exactly the projects that a plan funds."""
    funded, options = funded_by(answer), compiled.options
    own = np.array([project.id in funded for project in compiled.tables.projects], dtype=bool)[options.project]
    writer = RowWriter("different")
    writer.add(tuple(sorted(funded)), -np.inf, len(funded) - 1, (np.arange(len(own)), np.where(own, 1, -1)))
    return replace(compiled, model=with_rows(compiled.model, writer.block()))

"""Plans and hand-made lists side by side on the same tables: what each obeys, is worth, and lacks to the best."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from capalloc.answer import Answer
from capalloc.arguments import expect, wrong_argument
from capalloc.asking import is_ordered
from capalloc.budget import Budget
from capalloc.catalogue import say
from capalloc.compiling import compile_tables
from capalloc.engines import engine_named
from capalloc.evaluation import Wish, evaluate
from capalloc.framing import typed_frame
from capalloc.issues import InvalidInput, Issue, error
from capalloc.limits import read_limits
from capalloc.listing import HandMade, read_list, wishes_of
from capalloc.model import SolveOptions
from capalloc.plan import Plan
from capalloc.reporting import shown_up
from capalloc.solving import DEFAULT_ENGINE, optimize
from capalloc.steadiness import grants, likeness_to, nearest_plan
from capalloc.tables import Tables
from capalloc.telling import Told, enumerated
from capalloc.worth import class_columns, gain_told, standing, worth_told

if TYPE_CHECKING:
    import pandas as pd

NEARLY = Fraction(99, 100)
"""The part of the best value that the smallest set of swaps must reach."""


@dataclass(frozen=True, slots=True)
class Swaps:
    """The fewest projects to change so that a list obeys and is nearly the best; ``least`` are needed, proved."""

    entered: tuple[str, ...]
    left: tuple[str, ...]
    moved: tuple[str, ...]
    value: Fraction
    least: int

    @property
    def count(self) -> int:
        """How many projects change."""
        return len(self.entered) + len(self.left) + len(self.moved)


@dataclass(frozen=True, slots=True)
class Compared:
    """One plan or list on the common tables."""

    name: str
    answer: Answer
    projects: tuple[str, ...]
    swaps: Swaps | None


@dataclass(frozen=True, slots=True, eq=False)
class Comparison(Told):
    """What :func:`compare` answers.

    ``leader`` is the best among them, ``best`` its value and ``bound`` what no plan passes.  Where classes are ordered,
    plans are told apart by one class after the other, and no single number says how far one is behind.
    """

    tables: Tables
    rows: tuple[Compared, ...]
    leader: Answer | None
    bound: float

    @property
    def best(self) -> Fraction | None:
        """What the best among them is worth."""
        return None if self.leader is None else self.leader.value

    def to_frame(self) -> pd.DataFrame:
        """Return one row a plan.

        The columns are plan, feasible, value, projects, cost, broken (how many statements), regret_least and
        regret_most (how far the best plan is above it), swaps (the fewest changed projects that reach 99 % of the
        best), swaps_least (proved), enter, leave and move.  Where classes are ordered, regrets and swaps are missing,
        value is that of the last class, and a column ``class_N`` has the value of each.
        """
        rows, known = self.rows, [row.answer.audit for row in self.rows]
        swaps = [row.swaps for row in rows]
        return typed_frame(
            {
                "plan": ("str", [row.name for row in rows]),
                "feasible": ("bool", [row.answer.status.has_plan for row in rows]),
                "value": ("Float64", [None if audit is None else float(audit.value) for audit in known]),
                "projects": ("int64", [len(row.projects) for row in rows]),
                "cost": ("Int64", [None if a is None else sum(p.cost for p in a.projects) for a in known]),
                "broken": ("int64", [len(row.answer.violations) for row in rows]),
                "regret_least": ("Float64", [self._regret(row)[0] for row in rows]),
                "regret_most": ("Float64", [self._regret(row)[1] for row in rows]),
                "swaps": ("Int64", [None if own is None else own.count for own in swaps]),
                "swaps_least": ("Int64", [None if own is None else own.least for own in swaps]),
                "enter": ("str", ["" if own is None else ", ".join(own.entered) for own in swaps]),
                "leave": ("str", ["" if own is None else ", ".join(own.left) for own in swaps]),
                "move": ("str", ["" if own is None else ", ".join(own.moved) for own in swaps]),
                **class_columns(self.tables, [row.answer for row in rows]),
            }
        )

    def broken(self) -> pd.DataFrame:
        """Return one row a broken statement: plan, statement, message, allowed, found and price.

        ``price`` is by how much it is broken: what it would have to give way for the list to stand, money in million
        VND; missing where a statement has no amount.
        """
        rows = [(row.name, issue) for row in self.rows for issue in row.answer.violations]
        amounts = {name: [_amount(issue, name) for _, issue in rows] for name in ("allowed", "found", "difference")}
        return typed_frame(
            {
                "plan": ("str", [name for name, _ in rows]),
                "statement": ("str", [issue.code for _, issue in rows]),
                "message": ("str", [issue.message for _, issue in rows]),
                "allowed": ("Float64", amounts["allowed"]),
                "found": ("Float64", amounts["found"]),
                "price": ("Float64", amounts["difference"]),
            }
        )

    def _regret(self, row: Compared) -> tuple[float | None, float | None]:
        if row.answer.value is None or self.best is None or is_ordered(self.tables):
            return None, None
        least, most = float(self.best - row.answer.value), self.bound - float(row.answer.value)
        return least, max(least, most) if math.isfinite(most) else None

    def statement(self) -> str:
        """Return the answer as one paragraph in the language in force."""
        return " ".join(self._sentence(row) for row in self.rows)

    def _sentence(self, row: Compared) -> str:
        if row.answer.value is None:
            text = say("sensitivity.compare.broken", name=row.name, count=len(row.answer.violations))
        elif self.leader is None or standing(self.tables, row.answer) == standing(self.tables, self.leader):
            text = say("sensitivity.compare.best", name=row.name, value=worth_told(self.tables, row.answer))
        else:
            regret = gain_told(self.tables, self.leader, row.answer, shown_up)
            text = say("sensitivity.compare.behind", name=row.name, regret=regret)
        if row.swaps is None or not row.swaps.count:
            return text
        names = {"entered": enumerated(row.swaps.entered), "left": enumerated(row.swaps.left)}
        counts = {"count": row.swaps.count, "least": row.swaps.least}
        told = say("sensitivity.compare.swaps", **counts, **names, moved=enumerated(row.swaps.moved))
        return f"{text} {told}"


def _amount(issue: Issue, name: str) -> float | None:
    found = issue.arguments.get(name)
    return float(found) if isinstance(found, int | float | Fraction) and not isinstance(found, bool) else None


def compare(
    plans: Mapping[str, Plan | HandMade],
    *,
    time_limit: float | None = 60.0,
    gap: float = 1e-4,
    threads: int = 2,
    seed: int = 0,
    engine: str = DEFAULT_ENGINE,
) -> Comparison:
    """Return plans and hand-made lists side by side, all judged by the tables of the first plan among them.

    For each that is not the best, or breaks something, the smallest set of swaps is sought that obeys every statement
    and reaches 99 % of the best value.  With ordered classes there are no swaps, as no single value tells plans apart.

    Parameters
    ----------
    plans
        Name to plan, or to a list as in :meth:`Portfolio.evaluate`; at least one must be a plan.
    time_limit, gap, threads, seed, engine
        As in :meth:`Portfolio.optimize`, for all swaps together.

    Raises
    ------
    InvalidInput
        When there is no plan among them, a list is none, or a limit makes no sense.
    UnknownName
        When a list names a project or mode that the tables do not have, or there is no such engine.
    """
    expect("plans", plans, Mapping, "plans")
    options, kind = read_limits(time_limit, gap, threads, seed, None), engine_named(engine)
    first = next((plan for plan in plans.values() if isinstance(plan, Plan)), None)
    if first is None:
        raise wrong_argument("plans", dict(plans), "plans")
    judged = {name: _judged(first.tables, name, plan) for name, plan in plans.items()}
    tables, held = first.tables, [answer for _, answer in judged.values() if answer.value is not None]
    best = max(held, key=lambda answer: standing(tables, answer), default=None)
    bound = min(plan.bound for plan in plans.values() if isinstance(plan, Plan) and plan.tables is first.tables)
    budget = Budget(options, len(judged) + 1)
    if not math.isfinite(bound):
        start = best.allocation if best else None
        bound = optimize(first.tables, budget.next(), engine, start=start).bound
    goal = None if best is None or is_ordered(tables) else best.value
    rows = tuple(
        Compared(
            name,
            answer,
            tuple(wish.project for wish in wishes),
            None if goal is None else _swaps(first.tables, wishes, answer, goal, budget.next(), kind),
        )
        for name, (wishes, answer) in judged.items()
    )
    return Comparison(tables, rows, best, bound)


def _judged(tables: Tables, name: str, plan: Plan | HandMade) -> tuple[tuple[Wish, ...], Answer]:
    """What a plan or list wishes, and how the tables judge it; the plan of these tables is judged already."""
    if not isinstance(plan, Plan):
        wishes = read_list(tables, plan, name)
        return wishes, evaluate(tables, wishes)
    if plan.answer.allocation is None:
        raise InvalidInput([error("list-without-plan", status=plan.status)])
    wishes = wishes_of(tables, plan.answer.allocation)
    return wishes, plan.answer if plan.tables is tables else evaluate(tables, wishes)


def _swaps(
    tables: Tables, wishes: tuple[Wish, ...], answer: Answer, best: Fraction, options: SolveOptions, engine: Any
) -> Swaps | None:
    goal = best * NEARLY if best >= 0 else best / NEARLY
    if answer.value is not None and answer.value >= goal:
        return Swaps((), (), (), answer.value, 0)
    compiled = compile_tables(tables)
    likeness = likeness_to(compiled, wishes)
    found = nearest_plan(compiled, likeness, options, engine, worth=goal)
    if found.allocation is None or found.audit is None:
        return None
    wanted = {wish.project: wish for wish in wishes}
    choices = found.allocation.choices
    now = {choice.project for choice in choices}
    return Swaps(
        tuple(choice.project for choice in choices if choice.project not in wanted),
        tuple(project for project in wanted if project not in now),
        tuple(c.project for c in choices if c.project in wanted and not grants(wanted[c.project], c)),
        found.audit.value,
        likeness.least(found.bound) if math.isfinite(found.bound) else 0,
    )

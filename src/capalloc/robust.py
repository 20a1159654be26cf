"""Robust plans: the best one found, what is proved of all of them, and what robustness costs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from capalloc.allocation import Allocation
from capalloc.answer import Answer, claimed
from capalloc.arguments import expect
from capalloc.bearing import Bearing, Protected, told_apart
from capalloc.budget import Budget
from capalloc.catalogue import say
from capalloc.compiling import compile_tables
from capalloc.engines.base import Engine
from capalloc.framing import typed_frame
from capalloc.issues import InvalidInput, UnknownName, error
from capalloc.limits import amount_issues, part_issues, whole_issues
from capalloc.model import ProgressReport, SolveOptions, Status
from capalloc.protection import NOISE, Protection, Robust, Shield, protections
from capalloc.reporting import shown_down, shown_up
from capalloc.solving import solve_compiled
from capalloc.tables import Tables
from capalloc.telling import Told
from capalloc.verification import verify

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class Robustness(Told):
    """What is proved about robust plans, and what robustness costs.

    ``answer`` is the best robust plan with a bound for robust plans; ``plain`` the best plan without the demand.
    """

    robust: Robust
    answer: Answer
    plain: Answer
    protections: tuple[Protection, ...]

    @property
    def price(self) -> tuple[float, float]:
        """What robustness costs at the least and at the most, in units of value; of ordered classes nothing is said."""
        if self.answer.value is None or self.plain.value is None or self.answer.classes:
            return 0.0, math.inf
        least = float(self.plain.value) - self.answer.bound
        return max(0.0, least), max(0.0, self.plain.bound - float(self.answer.value))

    def to_frame(self) -> pd.DataFrame:
        """Return one row an envelope and demand: source, period, demand, used, protected, allowed, slack."""
        rows = self.protections
        return typed_frame(
            {
                "source": ("str", ["+".join(row.source) for row in rows]),
                "period": ("str", [row.period for row in rows]),
                "demand": ("str", [row.demand for row in rows]),
                "used": ("int64", [row.used for row in rows]),
                **{n: ("float64", [float(getattr(row, n)) for row in rows]) for n in ("protected", "allowed", "slack")},
            }
        )

    def statement(self) -> str:
        """Return the answer as one paragraph in the language in force."""
        if self.answer.value is None:
            return say(f"sensitivity.robust.{self.answer.status}")
        parts = []
        if self.robust.gamma is not None:
            parts.append(say("sensitivity.robust.gamma", count=self.robust.gamma))
        if self.robust.cvar is not None:
            words = {"part": 1 - self.robust.level, "limit": self.robust.cvar, "runs": self.robust.scenarios}
            parts.append(say("sensitivity.robust.cvar", **words))
        least, most = self.price
        if not self.answer.classes:
            parts.append(say("sensitivity.robust.value", value=shown_down(self.answer.value)))
        if math.isfinite(most):
            parts.append(say("sensitivity.robust.price", least=shown_down(least), most=shown_up(most)))
        return " ".join(parts)


def robust_plan(
    tables: Tables,
    robust: Robust,
    options: SolveOptions,
    engine: Engine,
    *,
    plain: Answer | None = None,
    start: Allocation | None = None,
    progress: ProgressReport | None = None,
) -> Robustness:
    """Return the best plan found that bears what is asked, with a bound for all such plans.

    Parameters
    ----------
    plain
        The answer without the demand, if it is known.
    start
        A plan to begin from.

    Raises
    ------
    InvalidInput
        When the start does not bear what is asked.
    """
    budget = Budget(options, 1 if plain is not None else 3)
    shield = Shield(tables, robust)
    if start is not None:
        _expect_bearing(tables, start, shield)
    if plain is None:
        plain = solve_compiled(compile_tables(tables), budget.next(), engine, start=start, progress=progress)
    protected = Protected(compile_tables(told_apart(tables, shield)), shield)
    bearing = Bearing(engine, protected)
    answer, bound, floor = plain, plain.bound, -math.inf
    while answer.status.has_plan:
        limits = replace(options, time_limit=budget.left)
        answer = solve_compiled(protected.compiled, limits, bearing, start=start, progress=progress)
        bound = min(bound, max(answer.bound, floor))
        if answer.allocation is None:
            break
        held = protected.paid_so(answer.allocation)
        if held is not None:
            return Robustness(robust, _on(tables, answer, held, bound), plain, tuple(protections(tables, held, shield)))
        # That no payments were found is no proof that there are none.
        floor = max(floor, answer.bound)
        if budget.spent:
            break
        protected.refuse(answer.allocation)
    status = Status.INFEASIBLE if answer.status is Status.INFEASIBLE and floor == -math.inf else Status.UNKNOWN
    nothing = replace(answer, status=status, allocation=None, audit=None, bound=bound, classes=())
    return Robustness(robust, nothing, plain, ())


def _expect_bearing(tables: Tables, start: Allocation, shield: Shield) -> None:
    """Let a plan pass of which every envelope bears what is asked."""
    short = [row for row in protections(tables, start, shield) if row.slack < -NOISE]
    if short:
        facts = [
            {"source": "+".join(row.source), "period": row.period, "missing": math.ceil(-row.slack)} for row in short
        ]
        raise InvalidInput([error("robust-start", **own) for own in facts])


def _on(tables: Tables, answer: Answer, held: Allocation, bound: float) -> Answer:
    """The answer with payments that bear what is asked, verified on the tables as they are."""
    audit = verify(tables, held)
    if answer.classes:
        return replace(answer, allocation=held, audit=audit)
    status, bound = claimed(audit.value, bound, 0.0, answer.options.gap)
    if answer.status is Status.OPTIMAL and answer.value == audit.value and bound <= answer.bound:
        status, bound = Status.OPTIMAL, float(audit.value)
    return replace(answer, allocation=held, audit=audit, status=status, bound=bound)


def read_robust(asked: Any) -> Robust:
    """Return what is asked of envelopes, as a user gives it: a mapping with some of the names of :class:`Robust`.

    Raises
    ------
    InvalidInput
        When it is no mapping, asks for nothing, or a number makes no sense; everything at once.
    UnknownName
        When it has another name.
    """
    expect("robust", asked, Mapping, "robust")
    known = [field.name for field in fields(Robust)]
    for name in asked:
        if name not in known:
            raise UnknownName("option", str(name), known)
    wholes = {name: asked[name] for name in ("gamma", "seed") if asked.get(name) is not None}
    issues = whole_issues(wholes, 0)
    issues += whole_issues({name: asked[name] for name in ("scenarios",) if name in asked}, 1)
    issues += [issue for name in ("cvar",) if asked.get(name) is not None for issue in amount_issues(name, asked[name])]
    issues += [issue for name in ("level",) if name in asked for issue in part_issues(name, asked[name])]
    if asked.get("gamma") is None and asked.get("cvar") is None:
        issues.append(error("robust-nothing"))
    if issues:
        raise InvalidInput(issues)
    plain = Robust()
    return Robust(
        None if asked.get("gamma") is None else int(asked["gamma"]),
        None if asked.get("cvar") is None else Fraction(str(asked["cvar"])),
        Fraction(str(asked.get("level", plain.level))),
        int(asked.get("scenarios", plain.scenarios)),
        int(asked.get("seed", plain.seed)),
    )

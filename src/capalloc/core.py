"""Which projects are in whatever happens: near-optimal plans, other costs and other weights, each solved again.

Near-optimal plans are drawn by maximising random worths of projects while the value of the portfolio is held within the
loss asked for, exactly; so they spread over all plans that are nearly the best, not only over those next to it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from capalloc.allocation import Allocation
from capalloc.amending import Unplannable
from capalloc.answer import Answer
from capalloc.audit import Audit
from capalloc.budget import Budget
from capalloc.catalogue import say
from capalloc.compiling import Compiled, compile_tables
from capalloc.engines import engine_named
from capalloc.framing import typed_frame
from capalloc.holding import Gains, held_aim, hold
from capalloc.model import SolveOptions
from capalloc.reporting import base_costs, names_of
from capalloc.searching import search
from capalloc.solving import DEFAULT_ENGINE, optimize
from capalloc.steadiness import VALUE, value_gains
from capalloc.stress import Dangers, draw, sampled
from capalloc.tables import Tables
from capalloc.telling import Told, enumerated
from capalloc.tornado import funded

if TYPE_CHECKING:
    import pandas as pd

KINDS = ("plans", "costs", "weights")
"""What is varied: which of the nearly best plans, what projects cost, what classes weigh."""

_DRAWN = 3
_FINEST = 1000
_WORTH = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """How often one project is funded: in how many plans of each kind, and in all."""

    project: str
    shares: Mapping[str, float]
    share: float
    cost: int

    @property
    def verdict(self) -> str:
        """Core where every plan funds it, exterior where none does, else borderline."""
        return "core" if self.share == 1.0 else "exterior" if self.share == 0.0 else "borderline"

    @property
    def doubt(self) -> float:
        """The money that hangs on it: its cost times how far it is from being in or out always."""
        return min(self.share, 1.0 - self.share) * self.cost


@dataclass(frozen=True, slots=True, eq=False)
class CoreIndex(Told):
    """What :meth:`Portfolio.core_index` answers.

    ``plans`` is how many plans of each kind were found; shares are of these, so that they are counts and no proof.
    """

    tables: Tables
    rows: tuple[Standing, ...]
    plans: Mapping[str, int]
    within: Fraction
    asked: int

    def to_frame(self) -> pd.DataFrame:
        """Return one row a project: project, name, index, verdict, plans, costs, weights, cost, doubt.

        ``index`` is the share of all plans that fund it, ``plans``, ``costs`` and ``weights`` the shares by kind,
        missing where no such plan was found; ``doubt`` is the money that hangs on it.
        """
        rows, names = self.rows, names_of(self.tables.projects)
        kinds = {
            kind: ("Float64", [row.shares.get(kind) if self.plans[kind] else None for row in rows]) for kind in KINDS
        }
        return typed_frame(
            {
                "project": ("str", [row.project for row in rows]),
                "name": ("str", [names[row.project] for row in rows]),
                "index": ("float64", [row.share for row in rows]),
                "verdict": ("str", [row.verdict for row in rows]),
                **kinds,
                "cost": ("int64", [row.cost for row in rows]),
                "doubt": ("float64", [row.doubt for row in rows]),
            }
        )

    @property
    def next_number(self) -> tuple[str, str] | None:
        """The project whose decision hangs on most money, and what moves it most: plans, costs or weights."""
        row = max(self.rows, key=lambda row: row.doubt, default=None)
        if row is None or not row.doubt:
            return None
        return row.project, max(KINDS, key=lambda kind: _doubt(row.shares.get(kind, 0.0)))

    def statement(self) -> str:
        """Return the answer as one paragraph in the language in force."""
        found = sum(self.plans.values())
        if not found:
            return say("sensitivity.core.none")
        sets = {v: [row.project for row in self.rows if row.verdict == v] for v in ("core", "borderline", "exterior")}
        counts = {name: len(members) for name, members in sets.items()}
        parts = [say("sensitivity.core.counts", plans=found, within=self.within, **counts)]
        if sets["borderline"]:
            doubtful = sorted((r for r in self.rows if r.verdict == "borderline"), key=lambda r: -r.doubt)
            parts.append(say("sensitivity.core.borderline", names=enumerated([row.project for row in doubtful])))
        if self.next_number is not None:
            project, kind = self.next_number
            parts.append(say(f"sensitivity.core.next.{kind}", project=project, name=self._name(project)))
        if found < self.asked:
            parts.append(say("sensitivity.cut-short", count=self.asked - found))
        return " ".join(parts)

    def _name(self, project: str) -> str:
        return names_of(self.tables.projects)[project]


def _doubt(share: float) -> float:
    return min(share, 1.0 - share)


def core_index(
    given: Tables,
    in_force: Tables,
    options: SolveOptions,
    *,
    samples: int,
    within: Fraction,
    engine: str = DEFAULT_ENGINE,
    start: Allocation | None = None,
) -> CoreIndex:
    """Count in how many plans each project is funded.

    Parameters
    ----------
    samples
        How many plans of each kind are sought: nearly best ones, best ones of drawn costs, and best ones of drawn class
        weights.  With ordered classes only costs are drawn; without class weights no weights.
    within
        By what part of its value a plan may fall behind the best one found.
    start
        A plan to begin from.
    """
    weights = in_force.settings.objective.class_weights
    ordered = in_force.settings.objective.goal == "lexicographic"
    counts = {
        "plans": 0 if ordered else samples,
        "costs": samples,
        "weights": samples if weights and not ordered else 0,
    }
    budget = Budget(options, 1 + sum(counts.values()))
    base = optimize(in_force, budget.next(), engine, start=start)
    found: dict[str, list[tuple[str, ...]]] = {kind: [] for kind in KINDS}
    if base.value is not None:
        found["plans"] = list(_near(in_force, base, within, budget, counts["plans"], engine))
        found["costs"] = list(_dear(given, budget, counts["costs"], options.seed, engine))
        found["weights"] = list(_weighed(in_force, base, budget, counts["weights"], options.seed, engine))
    rows = tuple(_standings(in_force, found))
    return CoreIndex(in_force, rows, {kind: len(plans) for kind, plans in found.items()}, within, sum(counts.values()))


def _standings(tables: Tables, found: Mapping[str, list[tuple[str, ...]]]) -> Iterator[Standing]:
    costs, total = base_costs(tables), sum(len(plans) for plans in found.values())
    for project in tables.projects:
        times = {kind: sum(project.id in plan for plan in plans) for kind, plans in found.items()}
        shares = {kind: times[kind] / len(plans) for kind, plans in found.items() if plans}
        yield Standing(project.id, shares, sum(times.values()) / total if total else 0.0, costs[project.id])


def _near(
    tables: Tables, base: Answer, within: Fraction, budget: Budget, count: int, engine: str
) -> Iterator[tuple[str, ...]]:
    """Nearly best plans: the best one, then the best of random worths among those that keep the value."""
    if not count or base.value is None:
        return
    yield funded(base)
    compiled, kind = compile_tables(tables), engine_named(engine)
    least = base.value - abs(base.value) * within
    held = hold(value_gains(compiled), least, compiled.model.upper)
    generator = np.random.default_rng(budget.next().seed)
    for _ in range(count - 1):
        if budget.spent:
            return
        worth = generator.integers(-_DRAWN, _DRAWN + 1, len(tables.projects))
        gains = _worths(compiled, worth.tolist())

        def read(allocation: Allocation, audit: Audit, worth: tuple[int, ...] = tuple(worth.tolist())) -> Read:
            place = {project.id: number for number, project in enumerate(tables.projects)}
            return {
                _WORTH: Fraction(sum(worth[place[c.project]] for c in allocation.choices)),
                VALUE: audit.value,
            }

        aim = held_aim(compiled, gains, [held], read)
        answer = search(aim, replace(budget.next(), gap=0.05), kind, start=base.allocation)
        if answer.allocation is not None:
            yield funded(answer)


Read = Mapping[int, Fraction]


def _worths(compiled: Compiled, worth: list[int]) -> Gains:
    """A worth for each project, whichever of its options is taken."""
    amounts = [0] * len(compiled.model.objective)
    for option, project in enumerate(compiled.options.project.tolist()):
        amounts[option] = worth[project]
    return Gains(_WORTH, tuple(amounts), Fraction(1))


def _dear(given: Tables, budget: Budget, count: int, seed: int, engine: str) -> Iterator[tuple[str, ...]]:
    """The best plans of drawn costs; costs that leave no plan count as none found."""
    if not count:
        return
    drawn = draw(given, Dangers(), count, seed)
    for run in range(count):
        if budget.spent:
            return
        limits = budget.next()
        try:
            answer = optimize(sampled(given, drawn, run), limits, engine)
        except Unplannable:
            continue
        if answer.allocation is not None:
            yield funded(answer)


def _weighed(
    tables: Tables, base: Answer, budget: Budget, count: int, seed: int, engine: str
) -> Iterator[tuple[str, ...]]:
    """The best plans of drawn class weights, each between half and twice its own."""
    from scipy.stats import qmc

    if not count:
        return
    objective = tables.settings.objective
    numbers = tuple(objective.class_weights)
    cube = qmc.LatinHypercube(d=len(numbers), rng=seed).random(count)
    for row in (2.0 ** (2.0 * cube - 1.0)).tolist():
        if budget.spent:
            return
        drawn = {
            number: Decimal(math.ceil(float(objective.class_weights[number]) * factor * _FINEST)) / _FINEST
            for number, factor in zip(numbers, row, strict=True)
        }
        changed = tables.settings.model_copy(
            update={"objective": objective.model_copy(update={"class_weights": drawn})}
        )
        answer = optimize(replace(tables, settings=changed), budget.next(), engine, start=base.allocation)
        if answer.allocation is not None:
            yield funded(answer)

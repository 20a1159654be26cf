"""The value of the best plan at chosen amounts of one or two envelopes, and the best split of what a source has."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from capalloc.allocation import Allocation
from capalloc.amounts import Opened, may_harm, open_amounts, paid_at, with_amounts, with_columns
from capalloc.answer import Answer
from capalloc.asking import WHOLE_VALUE, funded_by, gains_in_order
from capalloc.budget import Budget
from capalloc.catalogue import say
from capalloc.chaining import Chain
from capalloc.engines import engine_named
from capalloc.framing import typed_frame
from capalloc.model import Floats, LinearModel, SolveOptions, Status
from capalloc.money import round_half_up
from capalloc.reporting import shown_down, shown_up
from capalloc.rows import RowWriter, with_rows
from capalloc.solving import optimize
from capalloc.statements import envelope_in_words, sources_in_words
from capalloc.tables import Tables
from capalloc.telling import Told, enumerated
from capalloc.worth import bound_told, class_columns, standing, worth_told

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class Frontier(Told):
    """What :meth:`Portfolio.frontier` answers.

    Parameters
    ----------
    tables
        The tables of the portfolio.
    numbers
        The places of the envelopes that vary.
    points
        The amounts of these envelopes, in million VND, each with the plan at them.
    """

    tables: Tables
    numbers: tuple[int, ...]
    points: tuple[tuple[tuple[int, ...], Answer], ...]

    def to_frame(self) -> pd.DataFrame:
        """Return one row a point: an amount an envelope, under its source and period; status, value, bound, projects.

        ``projects`` is how many are funded; value and projects are missing where there is no plan.  Where classes are
        ordered, value and bound are those of the last, and a column ``class_N`` has the value of each.
        """
        heads = [f"{'+'.join(self.tables.envelopes[n].source)} {self.tables.envelopes[n].period}" for n in self.numbers]
        columns: dict[str, tuple[str, list[Any]]] = {
            head: ("int64", [amounts[place] for amounts, _ in self.points]) for place, head in enumerate(heads)
        }
        answers = [answer for _, answer in self.points]
        columns["status"] = ("str", [str(answer.status) for answer in answers])
        columns["value"] = ("Float64", [None if a.value is None else float(a.value) for a in answers])
        columns["bound"] = ("float64", [answer.bound for answer in answers])
        columns["projects"] = ("Int64", [len(funded_by(a)) if a.allocation else None for a in answers])
        return typed_frame(columns | class_columns(self.tables, answers))

    def statement(self) -> str:
        """Return how far the value moves with the money, as one paragraph."""
        names = "; ".join(envelope_in_words(self.tables, number) for number in self.numbers)
        found = [(amounts, answer) for amounts, answer in self.points if answer.value is not None]
        open_ = sum(answer.value is None and answer.status is not Status.INFEASIBLE for _, answer in self.points)
        if not found:
            return say("why.frontier.unknown" if open_ else "why.frontier.none", names=names)
        worst = min(found, key=lambda point: standing(self.tables, point[1]))
        best = max(found, key=lambda point: standing(self.tables, point[1]))
        told = say(
            "why.frontier.span",
            names=names,
            count=len(self.points),
            found=len(found),
            low=worth_told(self.tables, worst[1]),
            high=worth_told(self.tables, best[1]),
            bound=bound_told(self.tables, best[1]),
            where=" + ".join(f"{say('why.frontier.amount', amount=amount)}" for amount in best[0]),
        )
        return f"{told} {say('why.frontier.open', count=open_)}" if open_ else told


def frontier(
    tables: Tables,
    numbers: Sequence[int],
    factors: Sequence[Fraction],
    options: SolveOptions,
    engine: str,
    *,
    start: Allocation | None = None,
) -> Frontier:
    """Return the best plan at each multiple of the amounts of some envelopes, in all combinations.

    Parameters
    ----------
    start
        A plan of the tables as they are, to begin from where it stands.
    """
    amounts = [[round_half_up(tables.envelopes[number].amount * factor) for factor in factors] for number in numbers]
    grid = list(product(*amounts))
    budget, points, chain = Budget(options, len(grid)), [], Chain(engine)
    for point in grid:
        changed = with_amounts(tables, dict(zip(numbers, point, strict=True)))
        points.append((point, chain.answer(changed, budget.next(), start=start)))
    return Frontier(tables, tuple(numbers), tuple(points))


@dataclass(frozen=True, slots=True, eq=False)
class Rephasing(Told):
    """What :meth:`Portfolio.rephase` answers: the same money, split better between the periods of a source.

    Parameters
    ----------
    tables
        The tables of the portfolio.
    amounts
        The amount of each envelope of the source by its place, in million VND; their sum is what it was.
    before, after
        The best plans found with the amounts as they are, and as they are here.
    bound
        What no plan passes at any split.
    """

    tables: Tables
    amounts: Mapping[int, int]
    before: Answer
    after: Answer
    bound: float

    def to_frame(self) -> pd.DataFrame:
        """Return one row an envelope: source, period, amount, rephased, moved."""
        rows = [(self.tables.envelopes[number], amount) for number, amount in self.amounts.items()]
        return typed_frame(
            {
                "source": ("str", ["+".join(row.source) for row, _ in rows]),
                "period": ("str", [row.period for row, _ in rows]),
                "amount": ("int64", [row.amount for row, _ in rows]),
                "rephased": ("int64", [amount for _, amount in rows]),
                "moved": ("int64", [amount - row.amount for row, amount in rows]),
            }
        )

    def statement(self) -> str:
        """Return what another split would bring, as one paragraph."""
        first = self.tables.envelopes[next(iter(self.amounts))]
        source = sources_in_words(self.tables, first.source)
        bound = shown_up(self.bound) if math.isfinite(self.bound) else None
        if self.after.value is None:
            return say("why.rephase.none", source=source)
        value = shown_down(self.after.value)
        moved = [(number, amount - self.tables.envelopes[number].amount) for number, amount in self.amounts.items()]
        if self.before.value is not None and self.after.value <= self.before.value:
            parts = [say("why.rephase.same", source=source, value=value)]
        else:
            told = "; ".join(
                say(
                    f"why.rephase.{'more' if more > 0 else 'less'}",
                    period=self.tables.envelopes[number].period,
                    amount=abs(more),
                )
                for number, more in moved
                if more
            )
            gain = None if self.before.value is None else shown_down(self.after.value - self.before.value)
            key = "why.rephase.first" if gain is None else "why.rephase.better"
            entering = enumerated(sorted(funded_by(self.after) - funded_by(self.before)))
            parts = [say(key, source=source, moved=told, value=value, gain=gain or 0, enters=entering)]
        parts.append(say("why.rephase.open") if bound is None else say("why.rephase.bound", bound=bound))
        return " ".join(parts)


def rephase(
    tables: Tables,
    numbers: Sequence[int],
    most: int | None,
    options: SolveOptions,
    engine: str,
    *,
    known: Answer | None = None,
) -> Rephasing:
    """Return the best split of what some envelopes hold together.

    Parameters
    ----------
    numbers
        The places of envelopes of the same sources in different periods.
    most
        How much may move in all, in million VND; ``None`` for any amount.
    known
        The best plan of the tables as they are, if it is known.
    """
    budget = Budget(options, 3)
    before = known if known and known.allocation else optimize(tables, budget.next(), engine)
    total = sum(tables.envelopes[number].amount for number in numbers)
    own = {number: tables.envelopes[number].amount for number in numbers}
    reach = total if most is None else most
    spans = {number: (max(0, amount - reach), min(total, amount + reach)) for number, amount in own.items()}
    opened = open_amounts(tables, spans)
    (gains,) = (own for own in gains_in_order(opened.compiled) if own.number == WHOLE_VALUE)
    model = _one_total(opened, own, reach)
    padding = np.zeros(len(model.objective) - len(gains.amounts))
    model = replace(model, objective=np.concatenate([np.array(gains.amounts, dtype=np.float64), padding]))
    solver = engine_named(engine)
    outcome = solver.solve(model, budget.next(), start=_unmoved(opened, model, before, own))
    # Rules that are held against an amount stand at its greatest: where that asks for more, splits are left out.
    harmed = any(may_harm(tables, tables.envelopes[number]) for number in numbers)
    bound = math.inf if harmed else outcome.bound * float(gains.unit)
    if outcome.x is None:
        return Rephasing(tables, own, before, before, bound)
    amounts = _split(opened, outcome.x, own, reach)
    paid = paid_at(opened, outcome.x, amounts, options, solver)
    start = None if paid is None else paid.allocation
    after = optimize(with_amounts(tables, amounts), budget.next(), engine, start=start)
    if after.value is None or (before.value is not None and after.value <= before.value):
        return Rephasing(tables, own, before, before, bound)
    return Rephasing(tables, amounts, before, after, bound)


def _one_total(opened: Opened, own: Mapping[int, int], most: int) -> LinearModel:
    """The model in which the amounts add up to what they were, and what some gain is at most so much.

    With m what an amount is above its least one l, and g >= a − own what it gains: sum of m = total − sum of l and sum
    of g <= most.
    """
    model, columns = opened.model, np.array([opened.columns[number] for number in own])
    least = sum(opened.lows.values())
    gains = len(model.objective) + np.arange(len(own))
    writer = RowWriter("split")
    writer.add(tuple(own), sum(own.values()) - least, sum(own.values()) - least, (columns, 1))
    for number, column, gain in zip(own, columns.tolist(), gains.tolist(), strict=True):
        above = float(own[number] - opened.lows[number])
        writer.add((number,), -np.inf, above, (np.array([column]), 1), (np.array([gain]), -1))
    writer.add(("gains", *own), -np.inf, float(most), (gains, 1))
    return with_rows(with_columns(model, "gain", [(number,) for number in own], most), writer.block())


def _unmoved(opened: Opened, model: LinearModel, before: Answer, own: Mapping[int, int]) -> Floats | None:
    """The point of the model that stands for a plan at the amounts as they are."""
    point = None if before.allocation is None else opened.point(before.allocation, own)
    return None if point is None else np.concatenate([point, np.zeros(len(model.objective) - len(point))])


def _split(opened: Opened, x: Floats, own: Mapping[int, int], most: int) -> dict[int, int]:
    """What a point needs of each envelope, rounded up as long as the whole, and what may move, lasts."""
    amounts = opened.amounts(x)
    gaining = [number for number, amount in amounts.items() if amount > own[number]]
    excess = sum(amounts[number] - own[number] for number in gaining) - most
    for number in gaining:
        less = max(0, min(amounts[number] - own[number], excess))
        amounts[number], excess = amounts[number] - less, excess - less
    losing = [number for number in amounts if number not in gaining] or gaining
    amounts[losing[-1]] += sum(own.values()) - sum(amounts.values())
    return amounts

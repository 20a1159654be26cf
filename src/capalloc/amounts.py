"""The amounts of envelopes as unknowns: the least of one with which a plan reaches a value, and the best split of many.

An amount is a column: what it is above the least that is looked at, m.  With p/q the part of the envelope that can be
spent, (1 − reserve) × disbursement, and a the least amount, the row of the envelope reads

    q·(used + carried out − carried in) − p·m <= p·a − q·paid,

and what it may carry is bound in the same way by its cap, and by its room.  The columns are not whole, because engines
mistake whole columns of such size; what is used is whole, and an amount is rounded up to what it needs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from capalloc.allocation import Allocation
from capalloc.answer import Answer
from capalloc.asking import Bracket, Floor, Question, Reply, ask, bracket, halved, held, keeps, reached_by
from capalloc.budget import Budget
from capalloc.ceilings import carried_part, spent_part
from capalloc.compiling import Compiled, compile_tables
from capalloc.engines.base import Engine
from capalloc.engines.highs import relaxation
from capalloc.financing import finance
from capalloc.measures import Measure, read_rules
from capalloc.model import Block, Floats, Ints, LinearModel, SolveOptions, Status, StoppedBy
from capalloc.records import Envelope
from capalloc.reducing import reduced
from capalloc.rows import RowWriter, with_rows
from capalloc.tables import Tables
from capalloc.verification import verify

_ROUNDING = 1e-3
"""How far an engine's amount may be from a whole one, in million VND."""

_STEPS_A_PROJECT = 2
"""Into how many steps what a project typically takes is cut, to come near the least amount at first."""

_HALVINGS = 4
"""Into how many parts the time for an interval is cut."""


@dataclass(frozen=True)
class Opened:
    """A model in which the amounts of some envelopes are columns; its first columns are those of ``compiled``.

    ``compiled`` has the greatest amounts.  ``lows`` are the least ones, by the place of the envelope, and ``columns``
    what the amount is above that.
    """

    compiled: Compiled
    model: LinearModel
    columns: Mapping[int, int]
    lows: Mapping[int, int]

    def amounts(self, x: Floats) -> dict[int, int]:
        """Return the amounts that a point needs, rounded up to whole million VND."""
        return {n: self.lows[n] + max(0, math.ceil(float(x[c]) - _ROUNDING)) for n, c in self.columns.items()}

    def point(self, allocation: Allocation, amounts: Mapping[int, int]) -> Floats | None:
        """Return the point that stands for an allocation at some amounts; ``None`` for unknown options."""
        point = self.compiled.point(allocation)
        return None if point is None else np.concatenate([point, [amounts[n] - self.lows[n] for n in self.columns]])


def with_amounts(tables: Tables, amounts: Mapping[int, int]) -> Tables:
    """Return tables in which some envelopes, by their places, have other amounts."""
    rows = tuple(replace(row, amount=amounts.get(number, row.amount)) for number, row in enumerate(tables.envelopes))
    return replace(tables, envelopes=rows)


def envelope_named(tables: Tables, source: str, period: str) -> int | None:
    """Return the place of an envelope; several sources are joined by ``+``, in any order."""
    names = frozenset(part.strip() for part in source.split("+"))
    for number, row in enumerate(tables.envelopes):
        if frozenset(row.source) == names and row.period == period:
            return number
    return None


def enough_for_all(tables: Tables, number: int) -> int:
    """Return an amount of an envelope with which it binds no plan; its own amount where no amount gives any room."""
    compiled = compile_tables(tables)
    greatest = np.zeros(len(tables.projects), dtype=np.int64)
    np.maximum.at(greatest, compiled.options.project, compiled.options.cost)
    row = tables.envelopes[number]
    part = spent_part(tables, row)
    paid = compiled.accounts.ceilings[number].paid
    return max(row.amount, math.ceil((int(greatest.sum()) + paid + 1) / part)) if part else row.amount


def open_amounts(tables: Tables, spans: Mapping[int, tuple[int, int]]) -> Opened:
    """Return the model in which the amounts of some envelopes lie between two bounds.

    Parameters
    ----------
    spans
        The least and the greatest amount of each envelope, by its place.
    """
    compiled = compile_tables(with_amounts(tables, {number: high for number, (_, high) in spans.items()}))
    most = [float(high - low) for low, high in spans.values()]
    model, columns = with_columns(compiled.model, "amount", [(number,) for number in spans], most), {}
    for place, number in enumerate(spans):
        columns[number] = len(compiled.model.objective) + place
    kinds = np.array([block.kind for block in model.rows for _ in block.keys])
    rows = np.flatnonzero(kinds == "envelope")
    model = _without_limits(model, [int(rows[number]) for number in spans])
    writer = RowWriter("amount")
    for number, (low, _) in spans.items():
        _limit(writer, compiled, (number, columns[number]), low, int(rows[number]))
    return Opened(compiled, with_rows(model, writer.block()), columns, {n: low for n, (low, _) in spans.items()})


def with_columns(model: LinearModel, kind: str, keys: Sequence[tuple[Any, ...]], most: Any) -> LinearModel:
    """Return the model with more columns, not whole, from 0 to ``most`` (for all or one each), in no row yet."""
    from scipy.sparse import csr_array

    rows, columns = model.matrix.shape
    parts = (model.matrix.data, model.matrix.indices, model.matrix.indptr)
    return replace(
        model,
        objective=np.concatenate([model.objective, np.zeros(len(keys))]),
        matrix=csr_array(parts, shape=(rows, columns + len(keys))),
        lower=np.concatenate([model.lower, np.zeros(len(keys))]),
        upper=np.concatenate([model.upper, np.full(len(keys), most)]),
        integer=np.concatenate([model.integer, np.zeros(len(keys), dtype=bool)]),
        columns=(*model.columns, Block(kind, keys)),
    )


def _without_limits(model: LinearModel, rows: Sequence[int]) -> LinearModel:
    upper = model.row_upper.copy()
    upper[list(rows)] = np.inf
    return replace(model, row_upper=upper)


def _limit(writer: RowWriter, compiled: Compiled, place: tuple[int, int], low: int, row: int) -> None:
    """Bind what an envelope pays and carries to its amount."""
    number, column = place
    tables, accounts = compiled.tables, compiled.accounts
    own = tables.envelopes[number]
    used = compiled.model.matrix[[row]].tocoo()
    terms = (used.coords[1].astype(np.int64), used.data)
    spent = spent_part(tables, own)
    _at_most(writer, (number, "room"), terms, (spent, low, column), accounts.ceilings[number].paid)
    for carried, carry in enumerate(accounts.carries):
        if carry.giver == number:
            moved = (np.array([len(compiled.options) + len(accounts) + carried]), np.ones(1))
            _at_most(writer, (number, "carry"), moved, (carried_part(tables, own), low, column))
            _at_most(writer, (number, "carried"), moved, (spent, low, column))


def _at_most(
    writer: RowWriter, key: tuple[int, str], terms: tuple[Ints, Floats], of: tuple[Fraction, int, int], paid: int = 0
) -> None:
    part, low, column = of
    top, bottom = part.numerator, part.denominator
    writer.add(key, -np.inf, top * low - bottom * paid, (terms[0], bottom * terms[1]), (np.array([column]), -top))


def least_amount(
    tables: Tables, number: int, floor: Floor, most: int, options: SolveOptions, engine: Engine
) -> Bracket:
    """Return the least amount of an envelope, from its own on, with which a plan does not fall below a floor.

    The linear relaxation says at once what is too little; larger amounts are then asked of the tables until one does;
    from there an integer program looks for the least one, and what it leaves open is halved.  What it finds is paid in
    whole units and verified, and that one million less does not do is asked again of the tables themselves.  Where
    rules are held against the amount, which move with it, the tables alone are asked; and where these then ask for
    more, nothing is claimed about amounts that were not.

    Parameters
    ----------
    most
        The greatest amount to look at.
    """
    own = tables.envelopes[number].amount
    budget = Budget(replace(options, gap=0.0), _HALVINGS)

    def question(amount: int, limits: SolveOptions) -> Reply:
        return ask(with_amounts(tables, {number: amount}), floor, limits, engine)

    if _in_rules(tables, tables.envelopes[number]):
        look = _looked_for if may_harm(tables, tables.envelopes[number]) else _asked
        return look(question, own, most, budget)
    opened = open_amounts(tables, {number: (own, most)})
    model = _least(opened, floor)
    solved = relaxation(model, budget.next())
    failing = own - 1 if solved is None else own + max(0, math.ceil(-solved.value - _ROUNDING)) - 1
    if failing < own and (first := question(own, budget.next())).reached is not None:
        if first.reached:
            return Bracket(own - 1, own, first.answer)
        failing = own
    found = reached_by(question, failing, most, _first_step(opened, number), budget)
    if found.working is None:
        return found
    found = _narrowed(opened, model, found, floor, budget, engine)
    if not found.exact:
        return halved(question, found, _rest(budget))
    return _checked(found, question(found.failing, _rest(budget).next()))


def _first_step(opened: Opened, number: int) -> int:
    """A part of what a project typically takes of an envelope."""
    compiled = opened.compiled
    kinds = np.array([block.kind for block in compiled.model.rows for _ in block.keys])
    taken = compiled.model.matrix[[int(np.flatnonzero(kinds == "envelope")[number])]].data
    return max(1, int(np.median(taken)) // _STEPS_A_PROJECT) if len(taken) else 1


def _narrowed(  # one argument a part of the question
    opened: Opened, model: LinearModel, known: Bracket, floor: Floor, budget: Budget, engine: Engine
) -> Bracket:
    """A bracket as narrow as an integer program can make it in half of the time that is left."""
    (number,), (low,) = opened.columns, opened.lows.values()
    if known.working is None or known.answer is None:
        return known
    upper = model.upper.copy()
    upper[opened.columns[number]] = float(known.working - low)
    limits = budget.next()
    part = None if budget.left is None else budget.left / 2
    options = replace(limits, time_limit=part)
    within = reduced(replace(model, upper=upper), float(low - known.working), options)
    start = None if known.answer.allocation is None else opened.point(known.answer.allocation, {number: known.working})
    outcome = engine.solve(within or replace(model, upper=upper), options, start=start)
    failing, working, answer = known.failing, known.working, known.answer
    if math.isfinite(outcome.bound):
        failing = max(failing, min(working, low + math.ceil(-outcome.bound - _ROUNDING)) - 1)
    if outcome.x is not None:
        amount = opened.amounts(outcome.x)[number]
        better = paid_at(opened, outcome.x, {number: amount}, limits, engine) if amount < working else None
        if better is not None and better.audit is not None and keeps(opened.compiled.tables, better.audit, floor):
            working, answer = amount, better
    return Bracket(min(failing, working - 1), working, answer)


def _asked(question: Question, own: int, most: int, budget: Budget) -> Bracket:
    first = question(own, budget.next())
    if first.reached:
        return Bracket(own - 1, own, first.answer)
    if most <= own:
        return Bracket(own if first.reached is False else own - 1, None)
    return bracket(question, own, most, _rest(budget))


def _looked_for(question: Question, own: int, most: int, budget: Budget) -> Bracket:
    """An amount that does, where a greater one may do again what a smaller one does not.

    That nothing below it does is claimed only where there is nothing between it and what there is.
    """
    first = question(own, budget.next())
    if first.reached or most <= own:
        return Bracket(own - 1, own if first.reached else None, first.answer)
    found = reached_by(question, own, most, 1, budget)
    if found.working is not None:
        found = halved(question, found, _rest(budget))
    is_next = found.working == own + 1 and first.reached is False
    return replace(found, failing=own if is_next else own - 1)


def _rest(budget: Budget) -> Budget:
    """All the time that is left, in parts for halving."""
    return Budget(replace(budget.next(), time_limit=budget.left), _HALVINGS)


def _least(opened: Opened, floor: Floor) -> LinearModel:
    """The model that keeps the floor with as little money as can be, over all amounts that are open.

    Values are kept within the tolerance of the engine; every plan is held against the floor exactly.
    """
    cost = np.zeros(len(opened.model.objective))
    cost[list(opened.columns.values())] = -1.0
    return held(replace(opened.model, objective=cost), opened.compiled, floor, nearly=True)


def _checked(found: Bracket, below: Reply) -> Bracket:
    """What one million less answers: where that does, too, it is what works."""
    if found.working is None:
        return found
    if below.reached:
        return Bracket(min(found.failing, found.working - 2), found.working - 1, below.answer)
    return replace(found, failing=found.working - 1) if below.reached is False else found


def least_amounts(
    tables: Tables, numbers: Sequence[int], options: SolveOptions, engine: Engine
) -> tuple[dict[int, int], int, Answer] | None:
    """Return amounts of envelopes, none less than it is, with which there is a plan, and that add up to the least.

    The second is what all of them together need at the least.  ``None`` where no plan was found in time, or greater
    amounts may be worse.
    """
    if any(may_harm(tables, tables.envelopes[number]) for number in numbers):
        return None
    spans = {number: (tables.envelopes[number].amount, enough_for_all(tables, number)) for number in numbers}
    opened = open_amounts(tables, spans)
    outcome = engine.solve(_least(opened, {}), replace(options, gap=0.0))
    if outcome.x is None:
        return None
    amounts = opened.amounts(outcome.x)
    answer = paid_at(opened, outcome.x, amounts, options, engine)
    least = sum(low for low, _ in spans.values()) + math.ceil(-outcome.bound - _ROUNDING)
    return None if answer is None else (amounts, least, answer)


def paid_at(
    opened: Opened, x: Floats, amounts: Mapping[int, int], options: SolveOptions, engine: Engine
) -> Answer | None:
    """Return the plan that a point stands for at some amounts, paid in whole units; ``None`` where it is none."""
    tables = with_amounts(opened.compiled.tables, amounts)
    compiled = compile_tables(tables)
    count = len(opened.compiled.model.objective)
    allocation = finance(compiled, x[:count]) if len(compiled.model.objective) == count else None
    if allocation is None:
        return None
    audit = verify(tables, allocation)
    facts = (math.inf, engine.name, options, 0.0)
    return None if audit.violations else Answer(Status.FEASIBLE, StoppedBy.GAP, allocation, audit, *facts)


def _in_rules(tables: Tables, row: Envelope) -> bool:
    """Whether a rule in force is held against the amount of an envelope."""
    return any(_is_about(row)(measure) for rule in read_rules(tables) for measure, _ in rule.measures)


def may_harm(tables: Tables, row: Envelope) -> bool:
    """Return whether a greater amount of an envelope may be worse than a smaller one: a rule then asks for more."""
    return any(rule.tightened(_is_about(row), rises=True) for rule in read_rules(tables))


def _is_about(row: Envelope) -> Callable[[Measure], bool]:
    return lambda measure: measure.kind == "envelope" and set(measure.names) == set(row.source)

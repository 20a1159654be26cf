"""The amounts of envelopes as unknowns: the least of one with which a plan reaches a value, and the best split of many.

With the amount a of an envelope as a whole column, its room r, another, is bound by ``q·r − p·a <= 0``, where p/q is
(1 − reserve) × disbursement; as r is whole, it is at most floor(a·p/q).  The row of the envelope reads
``used + carried out − carried in − r <= −paid``, and what it may carry is bound by its cap of a, and by r.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from capalloc.answer import Answer
from capalloc.asking import Bracket, Floor, Question, Reply, ask, bracket, halved, held, keeps
from capalloc.budget import Budget
from capalloc.ceilings import carried_part, spent_part
from capalloc.compiling import Compiled, compile_tables
from capalloc.engines.base import Engine
from capalloc.financing import finance
from capalloc.measures import read_rules
from capalloc.model import Block, Floats, LinearModel, SolveOptions, Status, StoppedBy
from capalloc.records import Envelope
from capalloc.rows import RowWriter, with_rows
from capalloc.tables import Tables
from capalloc.verification import verify

_ROUNDING = 1e-3
"""How far an engine's whole amount may be from one, in million VND."""

_HALVINGS = 6
"""Into how many parts the time for halving an interval is cut."""


@dataclass(frozen=True)
class Opened:
    """A model in which the amounts of some envelopes are columns; its first columns are those of ``compiled``.

    ``compiled`` has the greatest amounts.  ``columns`` are the amounts, in the order in which they were asked for.
    """

    compiled: Compiled
    model: LinearModel
    columns: tuple[int, ...]


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
    rooms, amounts, lows, highs = [], [], [], []
    first = len(compiled.model.objective)
    for place, (number, (low, high)) in enumerate(spans.items()):
        part = spent_part(tables, tables.envelopes[number])
        rooms.append(first + 2 * place)
        amounts.append(first + 2 * place + 1)
        lows += [math.floor(low * part), low]
        highs += [math.floor(high * part), high]
    model = _with_rooms(compiled, list(spans), rooms, (lows, highs))
    return Opened(compiled, with_rows(model, _ties(compiled, list(spans), rooms, amounts).block()), tuple(amounts))


def _with_rooms(
    compiled: Compiled, numbers: Sequence[int], rooms: Sequence[int], bounds: tuple[Sequence[int], Sequence[int]]
) -> LinearModel:
    """The model with two more whole columns an envelope, its room and its amount, the first of them in its row."""
    from scipy.sparse import csr_array

    model, ceilings = compiled.model, compiled.accounts.ceilings
    every = [block.kind for block in model.rows for _ in block.keys]
    own = [every.index("envelope") + number for number in numbers]
    upper = model.row_upper.copy()
    upper[own] = [-float(ceilings[number].paid) for number in numbers]
    count = len(bounds[0])
    shape = (len(upper), len(model.objective) + count)
    parts = (model.matrix.data, model.matrix.indices, model.matrix.indptr)
    matrix = csr_array(parts, shape=shape) + csr_array((np.full(len(own), -1.0), (own, rooms)), shape=shape)
    return replace(
        model,
        objective=np.concatenate([model.objective, np.zeros(count)]),
        matrix=matrix.tocsr(),
        row_upper=upper,
        lower=np.concatenate([model.lower, np.array(bounds[0], dtype=np.float64)]),
        upper=np.concatenate([model.upper, np.array(bounds[1], dtype=np.float64)]),
        integer=np.concatenate([model.integer, np.ones(count, dtype=bool)]),
        columns=(*model.columns, Block("amount", [(n, what) for n in numbers for what in ("room", "amount")])),
    )


def _ties(compiled: Compiled, numbers: Sequence[int], rooms: Sequence[int], amounts: Sequence[int]) -> RowWriter:
    """The rows that tie rooms, and what is carried, to the amounts."""
    tables, writer = compiled.tables, RowWriter("amount")
    carried = len(compiled.options) + len(compiled.accounts)
    for number, room, amount in zip(numbers, rooms, amounts, strict=True):
        row = tables.envelopes[number]
        _at_most(writer, (number, "room"), room, spent_part(tables, row), amount)
        for place, carry in enumerate(compiled.accounts.carries):
            if carry.giver == number:
                _at_most(writer, (number, "carry"), carried + place, carried_part(tables, row), amount)
                _at_most(writer, (number, "carried"), carried + place, Fraction(1), room)
    return writer


def _at_most(writer: RowWriter, key: tuple[int, str], column: int, part: Fraction, of: int) -> None:
    writer.add(key, -np.inf, 0, (np.array([column]), part.denominator), (np.array([of]), -part.numerator))


def least_amount(
    tables: Tables, number: int, floor: Floor, most: int, options: SolveOptions, engine: Engine
) -> Bracket:
    """Return the least amount of an envelope, from its own on, with which a plan does not fall below a floor.

    An integer program minimises the amount; what it finds is paid in whole units and verified, and that one million
    less does not do is asked again of the tables themselves.  Where rules are held against the amount, which move with
    it, the tables alone are asked.

    Parameters
    ----------
    most
        The greatest amount to look at.
    """
    own = tables.envelopes[number].amount
    budget = Budget(replace(options, gap=0.0), 3)

    def question(amount: int, limits: SolveOptions) -> Reply:
        return ask(with_amounts(tables, {number: amount}), floor, limits, engine)

    if _in_rules(tables, tables.envelopes[number]):
        return _asked(question, own, most, budget)
    opened = open_amounts(tables, {number: (own, most)})
    outcome = engine.solve(_least(opened, floor), budget.next())
    if outcome.status is Status.INFEASIBLE:
        return Bracket(most, None)
    failing = max(own, math.ceil(-outcome.bound - _ROUNDING)) - 1 if math.isfinite(outcome.bound) else own - 1
    if outcome.x is None:
        # The least amount is hard to come by; that the most does may be seen at once, and then be halved.
        return bracket(question, failing, most, _rest(budget))
    amount = max(own, round(float(outcome.x[opened.columns[0]])))
    answer = paid_at(opened, outcome.x, {number: amount}, options, engine)
    if answer is None or answer.audit is None or not keeps(tables, answer.audit, floor):
        reply = question(amount, budget.next())
        answer = reply.answer if reply.reached else None
    found = Bracket(failing, None if answer is None else amount, answer)
    if answer is None or amount == own:
        return found
    if found.exact:
        return _checked(found, question(amount - 1, budget.next()))
    return halved(question, found, _rest(budget))


def _asked(question: Question, own: int, most: int, budget: Budget) -> Bracket:
    first = question(own, budget.next())
    if first.reached:
        return Bracket(own - 1, own, first.answer)
    if most <= own:
        return Bracket(own if first.reached is False else own - 1, None)
    return bracket(question, own, most, _rest(budget))


def _rest(budget: Budget) -> Budget:
    """All the time that is left, in parts for halving."""
    return Budget(replace(budget.next(), time_limit=budget.left), _HALVINGS)


def _least(opened: Opened, floor: Floor) -> LinearModel:
    """The model that keeps the floor with as little money as can be, over all amounts that are open."""
    cost = np.zeros(len(opened.model.objective))
    cost[list(opened.columns)] = -1.0
    return held(replace(opened.model, objective=cost), opened.compiled, floor)


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

    The second is what all of them together need at the least.  ``None`` where no plan was found in time.
    """
    spans = {number: (tables.envelopes[number].amount, enough_for_all(tables, number)) for number in numbers}
    opened = open_amounts(tables, spans)
    outcome = engine.solve(_least(opened, {}), replace(options, gap=0.0))
    if outcome.x is None:
        return None
    amounts = {number: round(float(outcome.x[column])) for number, column in zip(numbers, opened.columns, strict=True)}
    answer = paid_at(opened, outcome.x, amounts, options, engine)
    return None if answer is None else (amounts, math.ceil(-outcome.bound - _ROUNDING), answer)


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
    return any(
        measure.kind == "envelope" and set(measure.names) == set(row.source)
        for rule in read_rules(tables)
        for measure, _ in rule.measures
    )

"""By how little a rule or a target must give so that there is a plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from capalloc.allocation import Allocation
from capalloc.answer import Answer
from capalloc.audit import Audit
from capalloc.compiling import compile_tables
from capalloc.engines.base import Engine
from capalloc.holding import gains_of, held_aim
from capalloc.measures import read_rule
from capalloc.model import SolveOptions, Status
from capalloc.records import Rule
from capalloc.searching import search
from capalloc.statements import Statement
from capalloc.tables import Tables

_BREACH = -1


@dataclass(frozen=True, slots=True)
class Breach:
    """The least excess with which there is a plan, in the unit of the statement; ``least`` says that it is proved."""

    amount: Fraction
    is_money: bool
    least: bool
    answer: Answer


def least_breach(tables: Tables, statement: Statement, options: SolveOptions, engine: Engine) -> Breach | None:
    """Return by how little a hard rule or target must give; ``None`` where that leaves no plan, or none was found.

    The statement is given the price of 1 a unit, and nothing else any value.
    """
    soft = _priced(tables, statement)
    compiled = compile_tables(soft)
    extra = {
        compiled.extras.first + place: column.gain
        for place, column in enumerate(compiled.extras.columns)
        if column.kind.startswith(f"{statement.kind}-") and column.key == statement.key
    }
    nothing = np.empty(0, dtype=np.int64)
    gains = gains_of(_BREACH, compiled, (nothing, []), extra)

    def read(_: Allocation, audit: Audit) -> Mapping[int, Fraction]:
        return {_BREACH: -_missed(audit, statement)}

    answer = search(held_aim(compiled, gains, [], read), replace(options, gap=0.0), engine)
    if answer.audit is None:
        return None
    is_money = statement.kind == "rule" and read_rule(tables, _rule(tables, statement)).measure.is_money
    return Breach(_missed(answer.audit, statement), is_money, answer.status is Status.OPTIMAL, answer)


def _priced(tables: Tables, statement: Statement) -> Tables:
    one = Fraction(1)
    if statement.kind == "rule":
        rules = tuple(replace(row, price=one) if row.id == statement.key[0] else row for row in tables.rules)
        return replace(tables, rules=rules)
    targets = tuple(
        replace(row, price=one) if (row.indicator, row.by_year) == statement.key else row for row in tables.targets
    )
    return replace(tables, targets=targets)


def _rule(tables: Tables, statement: Statement) -> Rule:
    return next(row for row in tables.rules if row.id == statement.key[0])


def _missed(audit: Audit, statement: Statement) -> Fraction:
    if statement.kind == "rule":
        return next(row.violation for row in audit.rules if row.id == statement.key[0])
    return next(row.shortfall for row in audit.targets if (row.indicator, row.by_year) == statement.key)

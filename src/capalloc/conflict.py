"""Why a portfolio has no plan: a minimal set of its statements that conflict, and what would mend it.

The set is found by dividing the statements (QuickXplain; Junker 2004), and each of its parts is asked of an engine as a
portfolio of its own, so that it is minimal also where projects are indivisible: together the statements leave no plan,
and without any one of them there is one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from capalloc.amounts import enough_for_all, least_amount, least_amounts
from capalloc.asking import ask
from capalloc.breaching import least_breach
from capalloc.budget import Budget
from capalloc.catalogue import say
from capalloc.engines.base import Engine
from capalloc.framing import typed_frame
from capalloc.model import SolveOptions
from capalloc.reporting import base_costs
from capalloc.statements import Statement, envelope_in_words, in_words, statements_of, without
from capalloc.tables import Tables
from capalloc.telling import Told, enumerated

if TYPE_CHECKING:
    import pandas as pd

_TOLD = 3

_TESTS = 24
"""Into how many parts the time for one question is cut at the beginning."""


@dataclass(frozen=True, slots=True)
class Repair:
    """One way to mend a conflict: ``raise`` an envelope, ``ease`` a rule or target, or ``drop`` a statement.

    ``money`` is what it moves, in million VND: what an envelope needs more, what a rule about money must give, what a
    project costs that need no longer be funded; ``None`` where it moves no money of its own.  ``amount`` is how far a
    rule or target must give, in its own unit.  ``least`` says that it is proved that no less would do, and ``enough``
    that the whole portfolio then has a plan; else there are other conflicts besides.
    """

    kind: str
    statement: Statement
    money: int | None
    amount: Fraction | None
    least: bool
    enough: bool


@dataclass(frozen=True, slots=True, eq=False)
class Conflict(Told):
    """What :meth:`Portfolio.conflict` answers.

    Parameters
    ----------
    tables
        The tables of the portfolio.
    possible
        Whether there is a plan: ``None`` where that could not be decided in time.
    statements
        The statements that conflict; empty unless ``possible`` is ``False``.
    minimal
        Whether it is proved that without any one of them there would be a plan of the others.
    repairs
        Single changes that mend the conflict, those that make the portfolio possible first, the least money first.
        Statements of law are never among them.
    together
        Where no single envelope is enough: by how much each must be raised so that all of them need the least money.
    together_least
        What they need together at the least, in million VND, as far as proved.
    """

    tables: Tables
    possible: bool | None
    statements: tuple[Statement, ...] = ()
    minimal: bool = False
    repairs: tuple[Repair, ...] = ()
    together: tuple[tuple[int, int], ...] = ()
    together_least: int = 0

    def to_frame(self) -> pd.DataFrame:
        """Return one row a statement: kind, statement, law, repair, money, amount, least, enough."""
        of = {repair.statement: repair for repair in self.repairs}
        own = [(statement, of.get(statement)) for statement in self.statements]
        return typed_frame(
            {
                "kind": ("str", [statement.kind for statement, _ in own]),
                "statement": ("str", [in_words(self.tables, statement) for statement, _ in own]),
                "law": ("bool", [statement.law for statement, _ in own]),
                "repair": ("str", [repair.kind if repair else None for _, repair in own]),
                "money": ("Int64", [repair.money if repair else None for _, repair in own]),
                "amount": (
                    "Float64",
                    [float(repair.amount) if repair and repair.amount is not None else None for _, repair in own],
                ),
                "least": ("boolean", [repair.least if repair else None for _, repair in own]),
                "enough": ("boolean", [repair.enough if repair else None for _, repair in own]),
            }
        )

    def statement(self) -> str:
        """Return what conflicts and what would mend it, as one paragraph."""
        if self.possible is not False:
            return say("why.conflict.none" if self.possible else "why.conflict.unknown")
        if not self.statements:
            return say("why.conflict.facts")
        names = "; ".join(self._named())
        parts = [say("why.conflict.minimal" if self.minimal else "why.conflict.found", names=names)]
        enough = [repair for repair in self.repairs if repair.enough]
        partial = [repair for repair in self.repairs if repair.kind == "drop"]
        told = "; ".join(_repair_in_words(self.tables, repair) for repair in enough or partial)
        if told:
            parts.append(say("why.conflict.repairs" if enough else "why.conflict.partial", repairs=told))
        if self.together:
            raised = [(envelope_in_words(self.tables, number), more) for number, more in self.together]
            words = "; ".join(say("why.conflict.raised", envelope=name, money=more) for name, more in raised)
            total = sum(more for _, more in self.together)
            parts.append(say("why.conflict.together", raised=words, money=total, least=self.together_least))
        if any(statement.law for statement in self.statements):
            parts.append(say("why.conflict.law"))
        return " ".join(parts)

    def _named(self) -> Iterator[str]:
        """What conflicts; many mandatory projects in one breath."""
        must = [str(statement.key[0]) for statement in self.statements if statement.kind == "mandatory"]
        if len(must) > _TOLD:
            yield say("why.conflict.mandatory", count=len(must), projects=enumerated(must))
        for statement in self.statements:
            if statement.kind != "mandatory" or len(must) <= _TOLD:
                yield in_words(self.tables, statement)


def _repair_in_words(tables: Tables, repair: Repair) -> str:
    name = in_words(tables, repair.statement)
    if repair.kind == "raise":
        return say("why.conflict.raise" if repair.least else "why.conflict.raise-enough", name=name, money=repair.money)
    if repair.kind == "ease":
        return say("why.conflict.ease", name=name, amount=repair.amount)
    if repair.money is not None:
        return say("why.conflict.drop-money", name=name, money=repair.money)
    return say("why.conflict.drop", name=name)


def find_conflict(
    tables: Tables, given: Tables | None, options: SolveOptions, engine: Engine, fixed: Statement | None = None
) -> Conflict:
    """Return a minimal set of statements that conflict, or that there is a plan.

    Parameters
    ----------
    given
        The tables before statutory rules were put in force, where these changed them.
    fixed
        A statement that is taken for a fact.
    """
    budget = Budget(options, 2)
    every = [statement for statement in statements_of(tables, given) if statement != fixed]
    search = _Search(tables, every, budget.next(), engine)
    possible = search.holds(search.every)
    if possible is not False:
        return Conflict(tables, possible)
    if search.holds(()) is False:
        return Conflict(tables, possible=False)
    found = search.smallest()
    minimal = search.holds(found) is False and all(
        search.holds([other for other in found if other != one]) for one in found
    )
    repairs = _Repairs(tables, budget.next(), engine, len(found)).of(found)
    conflict = Conflict(tables, possible=False, statements=found, minimal=minimal, repairs=repairs)
    if any(repair.enough and repair.kind == "raise" for repair in repairs):
        return conflict
    numbers = list(range(len(tables.envelopes)))
    joint = least_amounts(tables, numbers, budget.next(), engine) if numbers and not budget.spent else None
    if joint is None:
        return conflict
    amounts, least, _ = joint
    more = tuple((n, a - tables.envelopes[n].amount) for n, a in amounts.items() if a > tables.envelopes[n].amount)
    before = sum(row.amount for row in tables.envelopes)
    return replace(conflict, together=more, together_least=least - before)


class _Search:
    """Asks which sets of statements leave a plan, each set once."""

    def __init__(self, tables: Tables, every: Sequence[Statement], options: SolveOptions, engine: Engine) -> None:
        self.tables, self.every, self.engine = tables, tuple(every), engine
        self.budget = Budget(options, _TESTS)
        self._known: dict[frozenset[Statement], bool | None] = {}

    def holds(self, kept: Sequence[Statement]) -> bool | None:
        """Return whether there is a plan that obeys these statements alone; ``None`` where it is not decided."""
        key = frozenset(kept)
        if key not in self._known:
            dropped = [statement for statement in self.every if statement not in key]
            limits = self.budget.next()
            known = None if self.budget.spent else ask(without(self.tables, dropped), {}, limits, self.engine).reached
            self._known[key] = known
        return self._known[key]

    def smallest(self) -> tuple[Statement, ...]:
        """Return statements that conflict and of which none can be spared, where every question is decided."""
        found = set(self._divided((), (), self.every))
        return tuple(statement for statement in self.every if statement in found)

    def _divided(
        self, kept: tuple[Statement, ...], added: tuple[Statement, ...], rest: tuple[Statement, ...]
    ) -> tuple[Statement, ...]:
        if added and self.holds(kept) is False:
            return ()
        if len(rest) == 1:
            return rest
        half = len(rest) // 2
        one, other = rest[:half], rest[half:]
        second = self._divided((*kept, *one), one, other)
        first = self._divided((*kept, *second), second, one)
        return (*first, *second)


class _Repairs:
    """Looks for the least single changes with which the whole portfolio has a plan."""

    def __init__(self, tables: Tables, options: SolveOptions, engine: Engine, count: int) -> None:
        self.tables, self.engine, self.budget = tables, engine, Budget(options, count)
        self.costs = base_costs(tables)

    def of(self, found: Sequence[Statement]) -> tuple[Repair, ...]:
        """Return a repair for each statement that is not law."""
        repairs = [self._repair(statement) for statement in found if not statement.law]
        return tuple(sorted(repairs, key=lambda own: (not own.enough, math.inf if own.money is None else own.money)))

    def _repair(self, statement: Statement) -> Repair:
        if statement.kind == "envelope":
            return self._raised(statement)
        if statement.kind in ("rule", "target"):
            breach = least_breach(self.tables, statement, self.budget.next(), self.engine)
            if breach is not None:
                money = math.ceil(breach.amount) if breach.is_money else None
                return Repair("ease", statement, money, breach.amount, breach.least, enough=True)
        else:
            answer = ask(without(self.tables, [statement]), {}, self.budget.next(), self.engine)
            cost = self.costs[str(statement.key[0])] if statement.kind in ("mandatory", "committed") else None
            return Repair("drop", statement, cost, None, least=False, enough=answer.reached is True)
        return Repair("drop", statement, None, None, least=False, enough=False)

    def _raised(self, statement: Statement) -> Repair:
        number = int(statement.key[0])
        most = enough_for_all(self.tables, number)
        found = least_amount(self.tables, number, {}, most, self.budget.next(), self.engine)
        own = self.tables.envelopes[number].amount
        more = None if found.working is None else found.working - own
        return Repair("raise", statement, more, None, least=found.exact, enough=found.working is not None)

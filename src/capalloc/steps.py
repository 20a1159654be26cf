"""The value of the best plan as a step function of one envelope, exactly: what the next money buys, and from when on.

Two questions take turns: the most value at an amount, and the least amount for more value.  Between two amounts found
so nothing changes, because projects are indivisible; what a linear relaxation says one more million is worth is given
beside it, and is no more than an indication.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from capalloc.allocation import Allocation
from capalloc.amounts import least_amount, with_amounts
from capalloc.answer import Answer
from capalloc.asking import Bracket, Floor, floors_above, funded_by, is_ordered
from capalloc.budget import Budget
from capalloc.catalogue import say
from capalloc.ceilings import room_of
from capalloc.compiling import compile_tables
from capalloc.engines import engine_named
from capalloc.engines.highs import relaxation
from capalloc.framing import typed_frame
from capalloc.model import SolveOptions, Status
from capalloc.reporting import shown_up
from capalloc.solving import solve_compiled
from capalloc.statements import envelope_in_words
from capalloc.tables import Tables
from capalloc.telling import Told, enumerated
from capalloc.worth import bound_told, class_columns, gain_told, worth_told

if TYPE_CHECKING:
    import pandas as pd

_TOLD = 3


@dataclass(frozen=True, slots=True)
class Step:
    """One step: from ``amount`` on, in million VND, a plan is worth ``value``.

    ``earliest`` is proved: with less, no plan is worth more than the one of the step before.  ``answer`` is the plan at
    the amount, its bound what no plan at this amount passes.  ``price`` is what the linear relaxation gains by one more
    million; ``None`` where classes are ordered, because they have no one relaxation.
    """

    amount: int
    room: int
    earliest: int
    answer: Answer
    enters: tuple[str, ...]
    leaves: tuple[str, ...]
    price: float | None

    @property
    def value(self) -> Fraction:
        """What the plan at the amount is worth, in the last class where classes are ordered."""
        return self.answer.value or Fraction(0)

    @property
    def exact(self) -> bool:
        """Whether it is proved that the step begins here, and that no plan here is worth more."""
        return self.amount == self.earliest and self.answer.status is Status.OPTIMAL


@dataclass(frozen=True, slots=True, eq=False)
class EnvelopeSteps(Told):
    """What :meth:`Portfolio.envelope_steps` answers.

    Parameters
    ----------
    tables
        The tables of the portfolio.
    number
        The place of the envelope in `envelopes`.
    low, high
        The amounts between which was looked, in million VND.
    steps
        From the least amount on; the first is what the least amount buys.  Empty where it leaves no plan.
    complete
        Whether no further step was left to find up to ``high``.
    gain
        A rise of value by less than this is no step; 0 where every rise is one.
    """

    tables: Tables
    number: int
    low: int
    high: int
    steps: tuple[Step, ...]
    complete: bool
    gain: Fraction = Fraction(0)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a step: amount, room, more, value, bound, gain, earliest, exact, enters, leaves, price.

        ``more`` is the money since the step before, ``gain`` the value; ``price`` is indicative only.  Where classes
        are ordered, value, bound and gain are those of the last, and a column ``class_N`` has the value of each.
        """
        rows = list(self.steps)
        before = [None, *rows[:-1]]
        pairs = list(zip(rows, before, strict=True)) if rows else []
        columns: dict[str, tuple[str, list[Any]]] = {
            "amount": ("int64", [step.amount for step in rows]),
            "room": ("int64", [step.room for step in rows]),
            "more": ("Int64", [None if last is None else step.amount - last.amount for step, last in pairs]),
            "value": ("float64", [float(step.value) for step in rows]),
            "bound": ("float64", [step.answer.bound for step in rows]),
            "gain": ("Float64", [None if last is None else float(step.value - last.value) for step, last in pairs]),
            "earliest": ("int64", [step.earliest for step in rows]),
            "exact": ("bool", [step.exact for step in rows]),
            "enters": ("str", [", ".join(step.enters) for step in rows]),
            "leaves": ("str", [", ".join(step.leaves) for step in rows]),
            "price": ("Float64", [step.price for step in rows]),
        }
        return typed_frame(columns | class_columns(self.tables, [step.answer for step in rows]))

    def statement(self) -> str:
        """Return what the next money buys, as one paragraph."""
        name = envelope_in_words(self.tables, self.number)
        if not self.steps:
            return say("why.steps.none", name=name, low=self.low)
        parts = [say("why.steps.first", name=name, low=self.low, value=worth_told(self.tables, self.steps[0].answer))]
        parts += [self._told(step, last) for last, step in self._pairs()][:_TOLD]
        if len(self.steps) > _TOLD + 1:
            parts.append(say("why.steps.more", count=len(self.steps) - 1 - _TOLD))
        if self.complete:
            key = "why.steps.complete-least" if self.gain else "why.steps.complete"
            parts.append(say(key, high=self.high, least=shown_up(self.gain)))
        else:
            parts.append(say("why.steps.open", last=self.steps[-1].amount, high=self.high))
        return " ".join(parts)

    def _pairs(self) -> Iterator[tuple[Step, Step]]:
        return zip(self.steps[:-1], self.steps[1:], strict=True)

    def _told(self, step: Step, last: Step) -> str:
        words = {"enters": enumerated(step.enters), "leaves": enumerated(step.leaves)}
        gain = gain_told(self.tables, step.answer, last.answer)
        numbers = {"more": step.amount - last.amount, "amount": step.amount, "gain": gain}
        if step.exact and last.exact:
            key, nothing = "why.steps.step-least" if self.gain else "why.steps.step", step.amount - last.amount - 1
            return say(key, nothing=nothing, least=shown_up(self.gain), **numbers, **words)
        bound = bound_told(self.tables, step.answer)
        if step.earliest <= last.amount:
            return say("why.steps.step-found", bound=bound, **numbers, **words)
        return say("why.steps.step-open", earliest=step.earliest, bound=bound, **numbers, **words)


def envelope_steps(
    tables: Tables,
    number: int,
    span: tuple[int, int],
    most: int,
    gain: Fraction,
    options: SolveOptions,
    engine: str,
    *,
    start: Answer | None = None,
) -> EnvelopeSteps:
    """Return the steps of the value against the amount of one envelope.

    Parameters
    ----------
    span
        The least and the greatest amount, in million VND.
    most
        How many steps to take after the first.
    gain
        A rise of value by less than this is no step; 0 for every rise.
    start
        A plan at the least amount to begin from.
    """
    low, high = span
    walk = _Walk(tables, number, gain, Budget(replace(options, gap=0.0), 3 * most + 2), engine)
    first = walk.at(low, low, None, start)
    if first is None:
        return EnvelopeSteps(tables, number, low, high, (), complete=False, gain=gain)
    steps, complete = [first], False
    while len(steps) <= most and not walk.budget.spent:
        following = walk.after(steps, high)
        if following is None:
            complete = walk.at_end
            break
        if following.amount == steps[-1].amount:
            # The plan before was not the best of its amount.
            steps[-1] = following
        else:
            steps.append(following)
    return EnvelopeSteps(tables, number, low, high, tuple(steps), complete, gain)


class _Walk:
    """One walk along an envelope."""

    def __init__(self, tables: Tables, number: int, gain: Fraction, budget: Budget, engine: str) -> None:
        self.tables, self.number, self.budget, self.engine = tables, number, budget, engine_named(engine)
        self.gain, self.at_end = gain, False

    def at(self, amount: int, earliest: int, last: Step | None, start: Answer | None = None) -> Step | None:
        """The best plan at an amount; ``None`` where it has none."""
        tables = with_amounts(self.tables, {self.number: amount})
        compiled = compile_tables(tables)
        known: Allocation | None = start.allocation if start else None
        answer = solve_compiled(compiled, self.budget.next(), self.engine, start=known)
        if answer.allocation is None:
            return None
        now, then = funded_by(answer), funded_by(last.answer) if last else funded_by(answer)
        changes = tuple(sorted(now - then)), tuple(sorted(then - now))
        room = room_of(tables, tables.envelopes[self.number])
        return Step(amount, room, earliest, answer, *changes, self._price(compiled))

    def after(self, steps: Sequence[Step], high: int) -> Step | None:
        """The next step up to an amount; ``None`` where there is none, or none was found in time."""
        last = steps[-1]
        if last.amount >= high or last.answer.audit is None:
            self.at_end = True
            return None
        compiled = compile_tables(with_amounts(self.tables, {self.number: last.amount}))
        failing, working, answer = high, None, None
        for floor in floors_above(compiled, last.answer.audit, self.gain):
            most = high if working is None else working
            if most > last.amount:
                found = self._least(compiled.tables, floor, most)
                failing = min(failing, found.failing)
                working, answer = (working, answer) if found.working is None else (found.working, found.answer)
        if working is None:
            self.at_end = failing >= high
            return None
        if working == last.amount:
            return self.at(last.amount, last.earliest, steps[-2] if len(steps) > 1 else None, answer)
        return self.at(working, failing + 1, last, answer)

    def _least(self, tables: Tables, floor: Floor, most: int) -> Bracket:
        """The least amount with which a plan reaches a floor, asked until it is decided or the time is up."""
        found = least_amount(tables, self.number, floor, most, self.budget.next(), self.engine)
        while found.working is None and found.failing < most and not self.budget.spent:
            found = least_amount(tables, self.number, floor, most, self.budget.next(), self.engine)
        return found

    def _price(self, compiled: Any) -> float | None:
        """What the linear relaxation gains by one more million of the room; ``None`` of ordered classes."""
        if is_ordered(self.tables):
            return None
        limits = self.budget.next()
        solved = relaxation(compiled.model, limits)
        if solved is None:
            return None
        kinds = [block.kind for block in compiled.model.rows for _ in block.keys]
        dual = float(solved.row_duals[kinds.index("envelope") + self.number])
        return dual * float(compiled.unit)

"""One question to an engine: is there a plan that is worth at least so much?  Answered with yes, no, or not decided."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from threading import Event
from typing import TypeAlias

import numpy as np

from capalloc.allocation import Allocation
from capalloc.answer import NOISE, Answer
from capalloc.audit import Audit
from capalloc.budget import Budget
from capalloc.classes import class_weights, every_class
from capalloc.compiling import Compiled, compile_tables
from capalloc.engines.base import Engine
from capalloc.holding import Gains, gains_of, held_aim, hold
from capalloc.lexicographic import class_gains
from capalloc.model import LinearModel, Progress, SolveOptions, Status, StoppedBy
from capalloc.records import Commitment
from capalloc.reducing import reduced
from capalloc.searching import Aim, search
from capalloc.settings import VALUE_GRID
from capalloc.tables import Tables

WHOLE_VALUE = 0
"""The number of the value of the whole objective; classes count from 1."""

_NOTHING = -1

Floor: TypeAlias = Mapping[int, Fraction]
"""What a plan must be worth at least: by class where classes are ordered, else under :data:`WHOLE_VALUE`."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The best plan found, and whether one reaches the floor: ``None`` when that could not be decided in time."""

    answer: Answer
    reached: bool | None


def is_ordered(tables: Tables) -> bool:
    """Return whether classes come one after the other."""
    return tables.settings.objective.goal == "lexicographic" and bool(every_class(tables))


def values_of(tables: Tables, audit: Audit) -> Floor:
    """Return what a plan is worth, as a floor that no plan may fall below."""
    if is_ordered(tables):
        return {row.class_: row.value for row in audit.classes}
    return {WHOLE_VALUE: audit.value}


def keeps(tables: Tables, audit: Audit, floor: Floor) -> bool:
    """Return whether a plan breaks nothing and does not fall below a floor."""
    values = values_of(tables, audit)
    return not audit.violations and all(values[number] >= least for number, least in floor.items())


def ask(tables: Tables, floor: Floor, options: SolveOptions, engine: Engine, start: Allocation | None = None) -> Reply:
    """Return whether the tables have a plan that does not fall below a floor; an empty floor asks for any plan.

    The run ends as soon as the question is settled, and looks only where a plan that reaches the floor can be: what its
    answer proves is about such plans.
    """
    if not floor or is_ordered(tables):
        return _any_plan(tables, floor, options, engine)
    (target,) = floor.values()
    compiled = compile_tables(tables)
    budget, stop, settled = Budget(replace(options, gap=0.0), 1), Event(), Event()
    model = reduced(compiled.model, float(target / compiled.unit), options)
    if model is None:
        return Reply(_nothing(options, engine), reached=False)

    def look(seen: Progress) -> None:
        if _settles(seen.value, seen.bound, target):
            settled.set()
            stop.set()

    aim = Aim(compiled, model)
    answer = search(aim, budget.next(), engine, start=start, progress=look, stop=stop)
    if answer.stopped_by is StoppedBy.INTERRUPT and not settled.is_set():
        raise KeyboardInterrupt
    reached = _reached(answer, target)
    if reached is None and settled.is_set():
        # What the engine had in fractions could not be paid in whole units.
        answer = search(aim, budget.next(), engine, start=start)
        reached = _reached(answer, target)
    return Reply(answer, reached)


def _nothing(options: SolveOptions, engine: Engine) -> Answer:
    return Answer(Status.INFEASIBLE, StoppedBy.PROOF, None, None, -math.inf, engine.name, options, 0.0)


def _settles(value: float | None, bound: float, target: Fraction) -> bool:
    noise = NOISE * max(abs(float(target)), 1.0)
    return (value is not None and value >= float(target) + noise) or bound < float(target) - noise


def _reached(answer: Answer, target: Fraction) -> bool | None:
    if answer.value is not None and answer.value >= target:
        return True
    if answer.status in (Status.INFEASIBLE, Status.OPTIMAL):
        return False
    return False if answer.bound < float(target) - NOISE * max(abs(float(target)), 1.0) else None


def _any_plan(tables: Tables, floor: Floor, options: SolveOptions, engine: Engine) -> Reply:
    compiled = compile_tables(tables)
    none = Gains(_NOTHING, (0,) * len(compiled.model.objective), VALUE_GRID)
    holds = [
        hold(gains, floor[gains.number], compiled.model.upper)
        for gains in gains_in_order(compiled)
        if gains.number in floor and (any(gains.amounts) or floor[gains.number] > 0)
    ]

    def read(_: Allocation, audit: Audit) -> Mapping[int, Fraction]:
        return {**values_of(tables, audit), _NOTHING: Fraction(0)}

    answer = search(held_aim(compiled, none, holds, read), replace(options, gap=0.0), engine)
    if answer.stopped_by is StoppedBy.INTERRUPT:
        raise KeyboardInterrupt
    return Reply(answer, True if answer.status.has_plan else False if answer.status is Status.INFEASIBLE else None)


def gains_in_order(compiled: Compiled) -> tuple[Gains, ...]:
    """Return what each column adds to the value, or to that of each class where classes are ordered."""
    tables = compiled.tables
    if is_ordered(tables):
        return class_gains(compiled)
    weights = class_weights(tables)
    worth = zip(compiled.options.value.tolist(), compiled.classes.tolist(), strict=True)
    extra = {compiled.extras.first + place: column.gain for place, column in enumerate(compiled.extras.columns)}
    multiples = [weights[own] * value for value, own in worth]
    return (gains_of(WHOLE_VALUE, compiled, (np.arange(len(multiples)), multiples), extra),)


def floors_above(compiled: Compiled, audit: Audit, gain: Fraction) -> tuple[Floor, ...]:
    """Return the floors that exactly the better plans reach: one, or where classes are ordered one a class.

    A class is to rise while those above it keep what they have; what becomes of those below it is open.

    Parameters
    ----------
    gain
        A rise by less than this is none; 0 for every rise.
    """
    values, kept, floors = values_of(compiled.tables, audit), dict[int, Fraction](), list[Floor]()
    for gains in gains_in_order(compiled):
        if gains.number in values and any(gains.amounts):
            floors.append(kept | {gains.number: values[gains.number] + max(gain, gains.step or VALUE_GRID)})
        kept[gains.number] = values.get(gains.number, Fraction(0))
    return tuple(floors)


def held(model: LinearModel, compiled: Compiled, floor: Floor, *, nearly: bool = False) -> LinearModel:
    """Return a model, whose first columns are those of ``compiled``, with rows that keep the values at a floor.

    Parameters
    ----------
    nearly
        Within the tolerance of the engine will do, where that makes the rows easier.
    """
    for gains in gains_in_order(compiled):
        if gains.number in floor:
            own = hold(gains, floor[gains.number], compiled.model.upper)
            model = own.plain(model) if nearly and own.exact else own.safe(model)
    return model


def with_decision(tables: Tables, project: str, decision: str) -> Tables:
    """Return tables in which a project is committed to be in or out; what was committed about it otherwise stays."""
    rows = [row for row in tables.committed if row.project != project]
    own = next((row for row in tables.committed if row.project == project), Commitment(project=project))
    changed = replace(own, decision=decision)
    kept = tables.projects
    if decision == "out":
        kept = tuple(replace(row, mandatory=False) if row.id == project else row for row in kept)
    return replace(tables, projects=kept, committed=(*rows, changed))


def proved_bound(answer: Answer) -> Fraction | None:
    """Return what no plan passes, exactly where the plan is the best; ``None`` where nothing is proved."""
    if answer.status is Status.OPTIMAL and answer.value is not None:
        return answer.value
    if not math.isfinite(answer.bound):
        return None
    return max(Fraction(answer.bound), answer.value or Fraction(answer.bound))


def funded_by(answer: Answer) -> frozenset[str]:
    """Return the projects that an answer funds; none where it has no plan."""
    return frozenset(choice.project for choice in answer.allocation.choices) if answer.allocation else frozenset()


Question: TypeAlias = Callable[[int, SolveOptions], Reply]
"""Whether a number, such as an amount, does."""


@dataclass(frozen=True, slots=True)
class Bracket:
    """Where a question turns from no to yes: ``failing`` does not do, ``working`` does.

    ``working`` is ``None`` where nothing tried does; what lies between the two is not decided.
    """

    failing: int
    working: int | None
    answer: Answer | None = None

    @property
    def exact(self) -> bool:
        """Whether nothing between the two is left open."""
        return self.working is not None and self.working - self.failing == 1


def bracket(question: Question, failing: int, most: int, budget: Budget) -> Bracket:
    """Return where the answers of a question, no from some number down and yes from one up, turn from no to yes.

    Parameters
    ----------
    failing
        A number below ``most`` of which it is known that it does not do; no less does either.
    most
        The greatest number to try.
    """
    first = question(most, budget.next())
    if not first.reached:
        return Bracket(most if first.reached is False else failing, None)
    return halved(question, Bracket(failing, most, first.answer), budget)


def reached_by(question: Question, failing: int, most: int, step: int, budget: Budget) -> Bracket:
    """Return a bracket between a number that does not do and the first that does, in steps each four times the last.

    Parameters
    ----------
    failing
        As for :func:`bracket`; what is found between two steps is left to be halved.
    step
        The first step, at least 1.
    """
    number = failing
    while number < most:
        number = min(failing + step, most)
        step *= 4
        reply = question(number, budget.next())
        if reply.reached:
            return Bracket(failing, number, reply.answer)
        if reply.reached is False:
            failing = number
        elif budget.spent:
            break
    return Bracket(failing, None)


def halved(question: Question, known: Bracket, budget: Budget) -> Bracket:
    """Return a narrower bracket: its interval is halved until nothing is left of it, or of the time.

    Where a number is not decided in its time, what lies on either side of it is halved on.
    """
    failing, working, answer, open_ = known.failing, known.working, known.answer, range(0)
    while working is not None and not budget.spent:
        middle = _middle(failing, working, open_)
        if middle is None:
            break
        reply = question(middle, budget.next())
        if reply.reached is None:
            open_ = range(min(open_.start, middle), max(open_.stop, middle + 1)) if open_ else range(middle, middle + 1)
        elif reply.reached:
            working, answer = middle, reply.answer
            open_ = open_ if open_.stop <= middle else range(0)
        else:
            failing = middle
            open_ = open_ if open_.start > middle else range(0)
    return Bracket(failing, working, answer)


def _middle(failing: int, working: int, open_: range) -> int | None:
    """The number to try next, outside of what was not decided; ``None`` when there is none."""
    gaps = [(failing, working)] if not open_ else [(failing, open_.start), (open_.stop - 1, working)]
    low, high = max(gaps, key=lambda gap: gap[1] - gap[0])
    return (low + high) // 2 if high - low > 1 else None

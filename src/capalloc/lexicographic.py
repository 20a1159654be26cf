"""Class after class: the first is given the best, held at what the plan reached, then the second, and so on.

A class is held by the row ``gains @ x >= reached`` in whole units, its coefficients divided by their greatest common
divisor.  What is too large for the tolerance of an engine is held by two rows of smaller numbers: with
``gains = D·h + l``, ``reached = D·H + L`` and a whole column c, the carry of an addition in base D,

    h @ x + c >= H   and   l @ x − D·c >= L

have a solution c exactly where the one row holds and gains @ x is whole.  Every plan is besides held against the exact
values that the verifier finds, so that nothing is given up within a tolerance.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from threading import Event
from time import perf_counter

import numpy as np

from capalloc.allocation import Allocation
from capalloc.answer import Answer, ClassAnswer, claimed
from capalloc.audit import Audit
from capalloc.catalogue import say
from capalloc.classes import every_class
from capalloc.compiling import Compiled
from capalloc.engines.base import Engine
from capalloc.issues import EngineFailed
from capalloc.model import Block, Floats, LinearModel, ProgressReport, SolveOptions, Status, StoppedBy
from capalloc.rows import EXACT, RowWriter, with_rows
from capalloc.searching import Aim, search
from capalloc.settings import VALUE_GRID
from capalloc.sums import common_unit

_LARGEST_SUM = 2**29
"""Of rows that add up to more, HiGHS may take a single unit for nothing."""

_WORST_FIRST = (Status.FEASIBLE, Status.WITHIN_GAP, Status.OPTIMAL)


@dataclass(frozen=True)
class Gains:
    """What each column adds to a class, in whole units that are worth ``unit`` each."""

    class_: int
    amounts: tuple[int, ...]
    unit: Fraction

    def total(self, point: Floats) -> Fraction:
        """Return the value of the class at a whole point, exactly."""
        columns = np.flatnonzero(point).tolist()
        return sum(self.amounts[column] * round(float(point[column])) for column in columns) * self.unit


def class_gains(compiled: Compiled) -> tuple[Gains, ...]:
    """Return the gains of every class, the first class first."""
    classes = every_class(compiled.tables)
    return tuple(_gains(compiled, number, classes[-1]) for number in classes)


def _gains(compiled: Compiled, class_: int, last: int) -> Gains:
    own = np.flatnonzero(compiled.classes == class_)
    values = compiled.options.value[own].tolist()
    extra = {
        compiled.extras.first + place: column.gain
        for place, column in enumerate(compiled.extras.columns)
        if (column.class_ or last) == class_
    }
    unit = common_unit([VALUE_GRID * math.gcd(*values), *extra.values()])
    step = VALUE_GRID / unit
    amounts = [0] * len(compiled.model.objective)
    for column, value in zip(own.tolist(), values, strict=True):
        amounts[column] = value * step.numerator // step.denominator
    for column, gain in extra.items():
        amounts[column] = int(gain / unit)
    return Gains(class_, tuple(amounts), unit)


@dataclass(frozen=True)
class Hold:
    """A class that must not fall below ``reached`` units of its gains.

    ``base`` is the base D of the digits in which the row is written, 0 where one row is safe; ``most`` is the largest
    carry.
    """

    gains: Gains
    reached: int
    base: int
    most: int

    @property
    def exact(self) -> bool:
        """Whether floats tell the numbers of the one row apart."""
        return max(abs(self.reached), *map(abs, self.gains.amounts)) < EXACT

    def plain(self, model: LinearModel) -> LinearModel:
        """Return the model with the class held by one row."""
        writer = RowWriter("held")
        columns = np.flatnonzero(self.gains.amounts)
        writer.add((self.gains.class_,), self.reached, np.inf, (columns, [self.gains.amounts[c] for c in columns]))
        return with_rows(model, writer.block())

    def safe(self, model: LinearModel) -> LinearModel:
        """Return the model with the class held in numbers that engines tell apart."""
        if not self.base:
            return self.plain(model)
        columns, (high, low) = np.flatnonzero(self.gains.amounts), self._digits()
        carry = np.array([len(model.objective)])
        writer = RowWriter("held")
        writer.add((self.gains.class_, "high"), self.reached // self.base, np.inf, (columns, high), (carry, 1))
        writer.add((self.gains.class_, "low"), self.reached % self.base, np.inf, (columns, low), (carry, -self.base))
        return with_rows(_with_column(model, self.gains.class_, self.most), writer.block())

    def carry(self, point: Floats) -> list[int]:
        """Return the carry at a whole point, where there is a column for it."""
        if not self.base:
            return []
        columns, (_, low) = np.flatnonzero(self.gains.amounts), self._digits()
        total = sum(digit * round(float(x)) for digit, x in zip(low, point[columns], strict=True))
        return [(total - self.reached % self.base) // self.base]

    def _digits(self) -> tuple[list[int], list[int]]:
        amounts = [amount for amount in self.gains.amounts if amount]
        return [amount // self.base for amount in amounts], [amount % self.base for amount in amounts]


def hold(gains: Gains, reached: Fraction, upper: Floats) -> Hold:
    """Return the hold of a class at a value.

    Parameters
    ----------
    upper
        The upper bound of every column, shape (n,).
    """
    units = int(reached / gains.unit)
    reach = [
        (abs(amount), math.ceil(most)) for amount, most in zip(gains.amounts, upper.tolist(), strict=True) if amount
    ]
    if max(sum(amount * most for amount, most in reach), abs(units)) < _LARGEST_SUM:
        return Hold(gains, units, 0, 0)
    base = 2 ** ((max(amount for amount, _ in reach).bit_length() + 1) // 2)
    return Hold(gains, units, base, sum(most for _, most in reach))


def _with_column(model: LinearModel, class_: int, most: int) -> LinearModel:
    """The model with one more whole column, from −1 to ``most``, that is in no row yet."""
    from scipy.sparse import csr_array

    rows, columns = model.matrix.shape
    parts = (model.matrix.data, model.matrix.indices, model.matrix.indptr)
    return replace(
        model,
        objective=np.append(model.objective, 0.0),
        matrix=csr_array(parts, shape=(rows, columns + 1)),
        lower=np.append(model.lower, -1.0),
        upper=np.append(model.upper, float(most)),
        integer=np.append(model.integer, True),
        columns=(*model.columns, Block("held", [(class_,)])),
    )


@dataclass(frozen=True)
class ClassAim(Aim):
    """One class to maximise, while those above it keep what they have; see :class:`~capalloc.searching.Aim`.

    The compiled model holds them by plain rows, for the payments to obey; the engine is given ``model``.
    """

    gains: Gains
    holds: tuple[Hold, ...]

    def modelled(self, point: Floats) -> Fraction:
        """Return the value of the class at a whole point of the compiled model."""
        return self.gains.total(point)

    def verified(self, audit: Audit) -> Fraction:
        """Return the value of the class in a plan."""
        return _value_in(audit, self.gains.class_)

    def point(self, allocation: Allocation) -> Floats | None:
        """Return the point of the engine's model that stands for an allocation; ``None`` when there is none."""
        point = self.compiled.point(allocation)
        if point is None:
            return None
        return np.concatenate([point, *(hold.carry(point) for hold in self.holds)])

    def stands(self, audit: Audit) -> bool:
        """Return whether a plan breaks nothing and leaves the classes above what they have, exactly."""
        kept = (_value_in(audit, h.gains.class_) >= h.reached * h.gains.unit for h in self.holds)
        return not audit.violations and all(kept)


def _value_in(audit: Audit, class_: int) -> Fraction:
    return next(account.value for account in audit.classes if account.class_ == class_)


def _aim(compiled: Compiled, gains: Gains, holds: Sequence[Hold]) -> ClassAim:
    model = replace(compiled.model, objective=np.array(gains.amounts, dtype=np.float64))
    plain = safe = model
    for held in holds:
        plain = held.plain(plain) if held.exact else plain
        safe = held.safe(safe)
    return ClassAim(replace(compiled, model=plain, unit=gains.unit), safe, gains, tuple(holds))


def solve_in_order(
    compiled: Compiled,
    options: SolveOptions,
    engine: Engine,
    *,
    start: Allocation | None = None,
    progress: ProgressReport | None = None,
    stop: Event | None = None,
) -> Answer:
    """Maximise class after class and return the last plan, with what each class has and the most it can have.

    Of the time left each class may take half, the last of them all; the node limit holds for each run.
    """
    clock = perf_counter()
    every = class_gains(compiled)
    runs: dict[int, Answer] = {}
    holds: list[Hold] = []
    live = [gains for gains in every if any(gains.amounts)] or [every[-1]]
    for gains in live:
        aim = _aim(compiled, gains, holds)
        run = _run(aim, (options, clock), engine, start, progress, stop, last=gains is live[-1])
        if run.allocation is None or run.audit is None:
            if runs:
                raise EngineFailed(say("engine.contradiction", engine=engine.name))
            return replace(run, options=options, seconds=perf_counter() - clock)
        start, runs[gains.class_] = run.allocation, run
        if run.stopped_by is StoppedBy.INTERRUPT:
            break
        holds.append(hold(gains, aim.verified(run.audit), compiled.model.upper))
    return _joined(every, runs, {gains.class_ for gains in live}, options, perf_counter() - clock)


def _run(
    aim: ClassAim,
    limits: tuple[SolveOptions, float],
    engine: Engine,
    start: Allocation | None,
    progress: ProgressReport | None,
    stop: Event | None,
    *,
    last: bool,
) -> Answer:
    """Maximise one class in its share of the time; with all of the time left where that found no plan."""
    options, clock = limits
    left = _left(options, clock)
    limited = replace(options, time_limit=left if left is None or last else left / 2)
    run = search(aim, limited, engine, start=start, progress=progress, stop=stop)
    if run.allocation is None and run.stopped_by is StoppedBy.TIME_LIMIT and not last:
        limited = replace(options, time_limit=_left(options, clock))
        run = search(aim, limited, engine, start=start, progress=progress, stop=stop)
    return run


def _left(options: SolveOptions, clock: float) -> float | None:
    return None if options.time_limit is None else max(0.0, options.time_limit - (perf_counter() - clock))


def _joined(
    every: Sequence[Gains], runs: dict[int, Answer], live: set[int], options: SolveOptions, seconds: float
) -> Answer:
    """The last plan with what is proved of every class; a class that no run was about has no bound."""
    final = list(runs.values())[-1]
    if final.audit is None:
        raise ValueError("no run holds a plan")
    classes = []
    for gains in every:
        value = _value_in(final.audit, gains.class_)
        bound = runs[gains.class_].bound if gains.class_ in runs else (math.inf if gains.class_ in live else 0.0)
        status, bound = claimed(value, bound, float(gains.unit), options.gap)
        classes.append(ClassAnswer(gains.class_, value, bound, status))
    status = min((c.status for c in classes), key=_WORST_FIRST.index)
    open_ = [run.stopped_by for run in runs.values() if run.stopped_by is not StoppedBy.PROOF]
    return replace(
        final,
        status=status,
        stopped_by=StoppedBy.PROOF if status is Status.OPTIMAL or not open_ else open_[-1],
        bound=classes[-1].bound,
        options=options,
        seconds=seconds,
        nodes=sum(run.nodes for run in runs.values()),
        rejected=sum(run.rejected for run in runs.values()),
        classes=tuple(classes),
    )

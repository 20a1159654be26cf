"""Values that a run must not give up: what each column adds to one, and the rows that hold it to the last unit.

A value is held by the row ``gains @ x >= reached`` in whole units, its coefficients divided by their greatest common
divisor.  What is too large for the tolerance of an engine is held by two rows of smaller numbers: with
``gains = D·h + l``, ``reached = D·H + L`` and a whole column c, the carry of an addition in base D,

    h @ x + c >= H   and   l @ x − D·c >= L

have a solution c exactly where the one row holds and gains @ x is whole.  A value with the scales of programmes in it
is not whole: it is held by one row, multiplied by what makes ``reached`` whole if floats can hold that, else by the
float below it.  Every plan is besides held against the exact values that the verifier finds, so that nothing is given
up within a tolerance.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TypeAlias

import numpy as np

from capalloc.allocation import Allocation
from capalloc.audit import Audit
from capalloc.compiling import Compiled
from capalloc.extras import Exact
from capalloc.model import Block, Floats, Ints, LinearModel
from capalloc.rows import EXACT, RowWriter, with_rows
from capalloc.searching import Aim, Judged
from capalloc.settings import VALUE_GRID
from capalloc.sums import common_unit
from capalloc.verification import verify

_LARGEST_SUM = 2**29
"""Of rows that add up to more, HiGHS may take a single unit for nothing."""

Reading: TypeAlias = Callable[[Allocation, Audit], Mapping[int, Fraction]]
"""What a plan is worth in each of several values, by their numbers, as the verifier has it."""


@dataclass(frozen=True)
class Gains:
    """What each column adds to one value, in whole units worth ``unit`` each; ``number`` tells values apart.

    ``whole`` says that the columns of a plan are, and so the value.
    """

    number: int
    amounts: tuple[int, ...]
    unit: Fraction
    whole: bool = True

    @property
    def step(self) -> Fraction:
        """What the values of any two plans differ by, if they do, or a whole multiple of it; 0 where nothing is."""
        return self.unit if self.whole else Fraction(0)

    def total(self, point: Exact) -> Fraction:
        """Return the value at a point in exact numbers."""
        columns = np.flatnonzero(point).tolist()
        return Fraction(sum(self.amounts[column] * point[column] for column in columns)) * self.unit


def gains_of(
    number: int, compiled: Compiled, worth: tuple[Ints, Sequence[Fraction | int]], extra: Mapping[int, Fraction]
) -> Gains:
    """Return gains from the worth of options, in multiples of the grid of values, and from that of extra columns.

    Parameters
    ----------
    worth
        The options that gain, and the multiple of the grid that each gains.
    extra
        Column to gain.
    """
    multiples = [Fraction(multiple) for multiple in worth[1]]
    unit = common_unit([common_unit(multiples) * VALUE_GRID if any(multiples) else Fraction(0), *extra.values()])
    step = VALUE_GRID / unit
    amounts = [0] * len(compiled.model.objective)
    carriers = compiled.scales.carriers(len(compiled.options))[worth[0]]
    for column, multiple in zip(carriers.tolist(), multiples, strict=True):
        amounts[column] = int(multiple * step)
    for column, gain in extra.items():
        amounts[column] = int(gain / unit)
    return Gains(number, tuple(amounts), unit, whole=compiled.adds_up_whole(np.flatnonzero(amounts)))


@dataclass(frozen=True)
class Hold:
    """A value that must not fall below ``reached`` units of its gains, a whole number where the gains are.

    ``base`` is the base D of the digits in which the row is written, 0 where one row is safe; ``most`` is the largest
    carry.
    """

    gains: Gains
    reached: Fraction
    base: int
    most: int

    @property
    def exact(self) -> bool:
        """Whether floats tell the numbers of the one row apart."""
        return self._largest < EXACT

    @property
    def _largest(self) -> Fraction:
        return max(abs(self.reached), Fraction(max(map(abs, self.gains.amounts))))

    def plain(self, model: LinearModel) -> LinearModel:
        """Return the model with the value held by one row."""
        writer = RowWriter("held")
        columns = np.flatnonzero(self.gains.amounts)
        times = self.reached.denominator
        if times * self._largest < EXACT:
            amounts, least = [self.gains.amounts[c] * times for c in columns], float(self.reached * times)
        else:
            amounts, least = [self.gains.amounts[c] for c in columns], _float_below(self.reached)
        writer.add((self.gains.number,), least, np.inf, (columns, amounts))
        return with_rows(model, writer.block())

    def safe(self, model: LinearModel) -> LinearModel:
        """Return the model with the value held in numbers that engines tell apart."""
        if not self.base:
            return self.plain(model)
        columns, (high, low) = np.flatnonzero(self.gains.amounts), self._digits()
        carry = np.array([len(model.objective)])
        writer = RowWriter("held")
        high_, low_ = divmod(int(self.reached), self.base)
        writer.add((self.gains.number, "high"), high_, np.inf, (columns, high), (carry, 1))
        writer.add((self.gains.number, "low"), low_, np.inf, (columns, low), (carry, -self.base))
        return with_rows(_with_column(model, self.gains.number, self.most), writer.block())

    def carry(self, point: Floats) -> list[int]:
        """Return the carry at a whole point, where there is a column for it."""
        if not self.base:
            return []
        columns, (_, low) = np.flatnonzero(self.gains.amounts), self._digits()
        total = sum(digit * round(float(x)) for digit, x in zip(low, point[columns], strict=True))
        return [(total - int(self.reached) % self.base) // self.base]

    def _digits(self) -> tuple[list[int], list[int]]:
        amounts = [amount for amount in self.gains.amounts if amount]
        return [amount // self.base for amount in amounts], [amount % self.base for amount in amounts]


def hold(gains: Gains, reached: Fraction, upper: Floats) -> Hold:
    """Return the hold of a value at what was reached.

    Parameters
    ----------
    upper
        The upper bound of every column, shape (n,).
    """
    units = reached / gains.unit
    if not gains.whole:
        return Hold(gains, units, 0, 0)
    units = Fraction(math.ceil(units))
    reach = [
        (abs(amount), math.ceil(most)) for amount, most in zip(gains.amounts, upper.tolist(), strict=True) if amount
    ]
    if max(sum(amount * most for amount, most in reach), abs(units)) < _LARGEST_SUM:
        return Hold(gains, units, 0, 0)
    base = 2 ** ((max(amount for amount, _ in reach).bit_length() + 1) // 2)
    return Hold(gains, units, base, sum(most for _, most in reach))


def _float_below(number: Fraction) -> float:
    """The greatest float that is not above a number."""
    near = float(number)
    return near if Fraction(near) <= number else math.nextafter(near, -math.inf)


def _with_column(model: LinearModel, number: int, most: int) -> LinearModel:
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
        columns=(*model.columns, Block("held", [(number,)])),
    )


@dataclass(frozen=True)
class HeldAim(Aim):
    """One value to maximise, while others are held; see :class:`~capalloc.searching.Aim`.

    The compiled model holds them by plain rows, for the payments to obey; the engine is given ``model``.
    """

    gains: Gains
    holds: tuple[Hold, ...]
    read: Reading

    def modelled(self, point: Floats) -> Fraction:
        """Return the value at a whole point of the compiled model."""
        return self.gains.total(self.compiled.exact(point))

    def point(self, allocation: Allocation) -> Floats | None:
        """Return the point of the engine's model that stands for an allocation; ``None`` for unknown options."""
        point = self.compiled.point(allocation)
        if point is None:
            return None
        return np.concatenate([point, *(hold.carry(point) for hold in self.holds)])

    def judge(self, allocation: Allocation) -> Judged | None:
        """Return a plan with its value, or ``None`` when it breaks the tables or gives up what is held."""
        audit = verify(self.compiled.tables, allocation)
        if audit.violations:
            return None
        values = self.read(allocation, audit)
        if any(values[held.gains.number] < held.reached * held.gains.unit for held in self.holds):
            return None
        return Judged(allocation, audit, values[self.gains.number])


def held_aim(compiled: Compiled, gains: Gains, holds: Sequence[Hold], read: Reading) -> HeldAim:
    """Return the aim to maximise one value while others are held."""
    model = replace(compiled.model, objective=np.array(gains.amounts, dtype=np.float64))
    plain = safe = model
    for held in holds:
        plain = held.plain(plain) if held.exact or not held.gains.whole else plain
        safe = held.safe(safe)
    return HeldAim(replace(compiled, model=plain, unit=gains.unit), safe, gains, tuple(holds), read)

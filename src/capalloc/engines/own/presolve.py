"""Reductions that lose no best point, and the way back: what cannot be taken, what need not be, rows that say nothing.

What cannot be taken beside the least of everything else is dropped, time and again, since each drop may leave less room
for the next (Savelsbergh 1994, with groups instead of single columns).  An option is dominated by another of its group
that is worth as much and asks no more of any row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from capalloc.engines.own.structure import Activity, Groups, activity, find_groups
from capalloc.model import Floats, Ints, LinearModel, Truths

if TYPE_CHECKING:
    from scipy.sparse import csc_array

# Sums of whole numbers are exact; those with other columns are off by less than this part of their size.
_NOISE = 1e-9

_ROUNDS = 100

# What the rounding of a sum and a quotient can amount to, as a part of the noise.
_ROUNDING = 1e-3

# Bounds are narrowed only by at least this part of what lies between them.
_WORTH_NARROWING = 0.1


@dataclass(frozen=True, slots=True)
class Reduced:
    """A smaller model with the same best value, and how its points are those of the model it came from.

    Parameters
    ----------
    model
        Its objective lacks ``offset``, what the dropped columns are worth.
    columns
        The columns kept, in the numbers of the larger model.
    base
        The values of the dropped columns, 0 at the kept ones; shape of the larger model.
    rows
        The rows kept, likewise.
    instead
        One entry a column of the larger model: the column that is as good; itself where none is, −1 where none
        need be taken.
    """

    model: LinearModel
    columns: Ints
    rows: Ints
    base: Floats
    instead: Ints
    offset: float

    def restored(self, x: Floats) -> Floats:
        """Return the point of the larger model that a point of the smaller one stands for."""
        point = self.base.copy()
        point[self.columns] = x
        return point

    def shrunk(self, point: Floats) -> Floats | None:
        """Return a point of the smaller model no worse than this point of the larger one; ``None`` without one."""
        moved = self._moved(point)
        dropped = np.ones(len(point), dtype=bool)
        dropped[self.columns] = False
        return None if (moved[dropped] != self.base[dropped]).any() else moved[self.columns]

    def nearest(self, point: Floats) -> Floats:
        """Return what is left of a point, which need not be one of either model, in the columns of the smaller one."""
        moved: Floats = np.clip(self._moved(point)[self.columns], self.model.lower, self.model.upper)
        return moved

    def _moved(self, point: Floats) -> Floats:
        """The point with options in the place of those that they are as good as."""
        moved = point.copy()
        for column in np.flatnonzero((self.instead != np.arange(len(point))) & (point > 0.5)).tolist():
            moved[column] = 0.0
            last = self._last(column)
            if last >= 0:
                moved[last] = 1.0
        return moved

    def _last(self, column: int) -> int:
        while column >= 0 and self.instead[column] != column:
            column = int(self.instead[column])
        return column


def reduce(model: LinearModel) -> Reduced | None:
    """Return the model without what cannot or need not be taken; ``None`` when no point exists."""
    from scipy.sparse import csr_array

    matrix = csr_array(model.matrix)
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    work = _Work(replace(model, matrix=matrix), find_groups(replace(model, matrix=matrix)))
    if not work.tighten():
        return None
    while work.drop_dominated():
        if not work.tighten():
            return None
    return None if work.stuck() else work.reduced()


def valued_in_parts(model: LinearModel) -> bool:
    """Return whether columns that need not be whole are worth something, as with programmes and soft rules."""
    return bool((~model.integer & (model.objective != 0)).any())


def unreduced(model: LinearModel) -> Reduced:
    """Return the model as it is, in the place of a smaller one."""
    columns, rows = np.arange(len(model.objective)), np.arange(len(model.row_upper))
    return Reduced(model, columns, rows, np.zeros(len(columns)), columns, 0.0)


class _Work:
    """A model whose bounds are being tightened."""

    def __init__(self, model: LinearModel, groups: Groups) -> None:
        self.model, self.groups = model, groups
        self.exact = valued_in_parts(model)
        self.lower, self.upper = model.lower.copy(), model.upper.copy()
        whole = model.integer
        self.lower[whole], self.upper[whole] = np.ceil(self.lower[whole]), np.floor(self.upper[whole])
        self.instead = np.arange(len(model.objective))
        self.rows: Truths = np.ones(len(model.row_upper), dtype=bool)
        size = abs(model.matrix) @ np.maximum(1.0, _finite(np.maximum(np.abs(self.lower), np.abs(self.upper))))
        self.slack = _NOISE * np.maximum(1.0, size)

    def tighten(self) -> bool:
        """Shut what no point takes; false when no point exists."""
        for _ in range(_ROUNDS):
            before = (self.lower.copy(), self.upper.copy())
            if not self._round() or (self.lower > self.upper).any():
                return False
            if np.array_equal(before[0], self.lower) and np.array_equal(before[1], self.upper):
                return True
        return True

    def _round(self) -> bool:
        model, groups, matrix = self.model, self.groups, self.model.matrix
        if not matrix.nnz:
            return not ((model.row_lower > 0) | (model.row_upper < 0)).any()
        with np.errstate(invalid="ignore"):
            sums = activity(matrix, groups, self.lower, self.upper)
            if ((sums.least > model.row_upper + self.slack) | (sums.most < model.row_lower - self.slack)).any():
                return False
            self.rows = ~((sums.most <= model.row_upper) & (sums.least >= model.row_lower))
            self.rows[self._stating()] = True
            counts = np.diff(matrix.indptr)
            above = np.repeat(model.row_upper + self.slack, counts)
            below = np.repeat(model.row_lower - self.slack, counts)
            binary = groups.binary[matrix.indices]
            never = binary & ((sums.least_with > above) | (sums.most_with < below))
            self.upper[matrix.indices[never]] = 0.0
            self._force(sums, above, below)
            self._squeeze(sums.least_with, sums.most_with, ~binary)
        return self._decide()

    def _force(self, sums: Activity, above: Floats, below: Floats) -> None:
        """Take the 0/1 columns without which a row cannot be kept, whatever else of their groups is taken."""
        data, columns = self.model.matrix.data, self.model.matrix.indices
        needed = (sums.least_with - data > above) | (sums.most_with - data < below)
        self.lower[columns[sums.alone & needed]] = 1.0

    def _stating(self) -> Ints:
        """The rows that state groups of which a choice is left; what other rows add up to rests on them."""
        free = self.groups.binary & (self.upper > self.lower)
        left = np.bincount(self.groups.of[free], minlength=self.groups.count)
        return self.groups.row[(self.groups.row >= 0) & (left > 1)]

    def _squeeze(self, least_without: Floats, most_without: Floats, other: Truths) -> None:
        """Narrow the columns that are not 0/1 ones to what their rows leave them."""
        matrix, model = self.model.matrix, self.model
        if self.exact:
            # Bounds of other columns are rounded; what they lack in the last digit would stand in the value.
            other = other & model.integer[matrix.indices]
        if not other.any():
            return
        rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))[other]
        column, value = matrix.indices[other], matrix.data[other]
        above = (model.row_upper[rows] - least_without[other]) / value
        below = (model.row_lower[rows] - most_without[other]) / value
        # Quotients may be rounded; sums and differences of whole numbers are not.  A bound further out would let HiGHS
        # pass the row by more than its tolerance.
        slack = np.where(np.abs(value) == 1, 0.0, self.slack[rows] * _ROUNDING / np.abs(value))
        high, low = np.where(value > 0, above, below) + slack, np.where(value > 0, below, above) - slack
        whole = model.integer[column]
        high, low = np.where(whole, np.floor(high), high), np.where(whole, np.ceil(low), low)
        most, least = self.upper.copy(), self.lower.copy()
        np.fmin.at(most, column, high)
        np.fmax.at(least, column, low)
        # What is left between two bounds that pass one another by less than the noise is a single value.
        noise = _NOISE * np.maximum(1.0, np.abs(least))
        most = np.where((most < least) & (most > least - noise), least, most)
        # Small steps could go on for ever.
        worth = np.maximum(self.upper - self.lower, 1.0) * _WORTH_NARROWING
        worth = np.where(np.isfinite(worth), worth, 1.0)
        shut = most <= least
        self.upper = np.where(shut | (self.upper - most > worth), most, self.upper)
        self.lower = np.where(shut | (least - self.lower > worth), least, self.lower)

    def _decide(self) -> bool:
        """Take what is left alone in a group that is due, and shut the others of a group from which one is taken."""
        groups = self.groups
        taken = groups.binary & (self.lower > 0.5)
        owners = np.bincount(groups.of[taken], minlength=groups.count)
        if (owners > 1).any():
            return False
        self.upper[groups.binary & ~taken & (owners[groups.of] > 0)] = 0.0
        free = groups.binary & (self.upper > 0.5)
        left = np.bincount(groups.of[free], minlength=groups.count)
        if (groups.due & (left == 0)).any():
            return False
        self.lower[free & groups.due[groups.of] & (left[groups.of] == 1)] = 1.0
        return True

    def stuck(self) -> bool:
        """Whether nothing is left to choose and a row is broken by what was taken."""
        used = self.model.matrix @ self.lower
        broken = (used > self.model.row_upper + self.slack) | (used < self.model.row_lower - self.slack)
        return bool((self.upper <= self.lower).all() and broken.any())

    def drop_dominated(self) -> bool:
        """Drop options that a neighbour in their group, or taking none of it, is never worse than."""
        from scipy.sparse import csc_array

        model, groups = self.model, self.groups
        live = np.flatnonzero(groups.binary & (self.lower < 0.5) & (self.upper > 0.5))
        live = live[np.argsort(groups.of[live], kind="stable")]
        columns = csc_array(model.matrix)
        side = _Sides(np.isfinite(model.row_upper) & self.rows, np.isfinite(model.row_lower) & self.rows)
        gain = model.objective
        nothing = live[(gain[live] <= 0) & ~groups.due[groups.of[live]] & ~side.broken(columns[:, live])]
        self._replace(nothing, np.full(len(nothing), -1))
        live = live[self.upper[live] > 0.5]
        paired = np.flatnonzero(groups.of[live[1:]] == groups.of[live[:-1]])
        early, late = live[paired], live[paired + 1]
        change = columns[:, late] - columns[:, early]
        to_late = (gain[late] >= gain[early]) & ~side.broken(-change)
        to_early = (gain[early] >= gain[late]) & ~side.broken(change) & ~to_late
        self._replace(early[to_late], late[to_late])
        self._replace(late[to_early], early[to_early])
        return bool(len(nothing) or to_late.any() or to_early.any())

    def _replace(self, dropped: Ints, better: Ints) -> None:
        self.upper[dropped] = 0.0
        self.instead[dropped] = better

    def reduced(self) -> Reduced:
        """Return the model without fixed columns and without rows that say nothing."""
        model = self.model
        kept = np.flatnonzero(self.upper > self.lower)
        base = np.where(self.upper > self.lower, 0.0, self.lower)
        used = model.matrix @ base
        rows = np.flatnonzero(self.rows)
        smaller = LinearModel(
            objective=model.objective[kept],
            matrix=model.matrix[rows][:, kept],
            row_lower=model.row_lower[rows] - used[rows],
            row_upper=model.row_upper[rows] - used[rows],
            lower=self.lower[kept],
            upper=self.upper[kept],
            integer=model.integer[kept],
        )
        return Reduced(smaller, kept, rows, base, self.instead, float(model.objective @ base))


@dataclass(frozen=True, slots=True)
class _Sides:
    """Which rows limit from above and from below."""

    above: Truths
    below: Truths

    def broken(self, saved: csc_array) -> Truths:
        """Return which columns, taken away, may break a row: one that holds up a row, or keeps another from rising."""
        harmful = np.where(saved.data < 0, self.above[saved.indices], self.below[saved.indices] & (saved.data > 0))
        owner = np.repeat(np.arange(saved.shape[1]), np.diff(saved.indptr))
        return np.bincount(owner, harmful, minlength=saved.shape[1]) > 0


def _finite(amounts: Floats) -> Floats:
    return np.where(np.isfinite(amounts), amounts, 0.0)

"""Columns that need not be whole and are worth nothing are left out: what they make possible is said by rows alone.

A column that an equation gives is put in its place; of another, each row that wants it large is added to each that
wants it small (Fourier 1826, Motzkin 1936), where no more rows come of it.  The sums that payments are pooled into end
so: what a source and a year have room for is then a plain row of options, without an equation that every option must
keep and that small changes of a point break.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from capalloc.model import Floats, Ints, LinearModel, Truths

if TYPE_CHECKING:
    from scipy.sparse import csr_array


@dataclass(frozen=True, slots=True)
class Step:
    """A column left out: ``matrix @ x <= room`` for all points of the model before, and its entry in each row."""

    column: int
    matrix: csr_array
    entries: Floats
    room: Floats

    def value(self, x: Floats) -> float:
        """Return the least that the rows allow for the column, which is 0 in ``x``."""
        room = (self.room - self.matrix @ x) / self.entries
        least = float(room[self.entries < 0].max())
        return min(least, float(room[self.entries > 0].min(initial=np.inf)))


@dataclass(frozen=True, slots=True)
class Eliminated:
    """A model without some columns, and the way back.

    Parameters
    ----------
    kept
        The columns kept, in the numbers of the larger model.
    steps
        In the order in which columns were left out.
    origins
        Shape (rows, rows of the larger model): what rows each row was added up from.
    """

    model: LinearModel
    kept: Ints
    steps: tuple[Step, ...]
    origins: csr_array

    def shrunk(self, point: Floats) -> Floats:
        """Return the point of the smaller model that this one of the larger stands for."""
        shrunk: Floats = point[self.kept]
        return shrunk

    def restored(self, x: Floats) -> Floats:
        """Return a point of the larger model."""
        point = np.zeros(len(self.kept) + len(self.steps))
        point[self.kept] = x
        for step in reversed(self.steps):
            point[step.column] = step.value(point)
        return point

    def multipliers(self, of_rows: Floats) -> Floats:
        """Return multipliers of the larger model that prove what these prove of the smaller one."""
        found: Floats = self.origins.T @ of_rows
        return found


def eliminate(
    model: LinearModel, columns: Ints, known: csr_array, rooms: Floats, is_over: Callable[[], bool] = lambda: False
) -> Eliminated:
    """Return the model without those of the columns that can be left out.

    Parameters
    ----------
    columns
        Columns that need not be whole and are worth nothing.  Those whose entries are not 1 or −1 where rows are added
        up stay, since other rows would have to be multiplied first.
    known, rooms
        Sums of rows of the model: ``known @ x <= rooms`` for all its points, and need not be said once more.
    is_over
        Whether to leave in what has not been left out by now.
    """
    work = _Work(model, columns, known, rooms)
    for equation in (True, False):
        for column in columns.tolist():
            if is_over():
                return work.eliminated()
            if column not in work.gone:
                work.leave_out(column, equation=equation)
    return work.eliminated()


class _Work:
    """Rows being added up: each side as a row of entries, then what it has room for, then the rows it came from."""

    def __init__(self, model: LinearModel, columns: Ints, known: csr_array, rooms: Floats) -> None:
        self.model, self.size = model, len(model.objective)
        self.known = {_said(known[[row]], float(room)) for row, room in enumerate(rooms)}
        chosen = np.zeros(self.size, dtype=bool)
        chosen[columns] = True
        self.touched: Truths = (
            np.bincount(_rows_of(model.matrix), chosen[model.matrix.indices], len(model.row_upper)) > 0
        )
        self.equations: list[csr_array] = []
        self.sides: list[csr_array] = []
        self.gone: list[int] = []
        self.steps: list[Step] = []
        for row in np.flatnonzero(self.touched).tolist():
            self._open(row, float(model.row_lower[row]), float(model.row_upper[row]))

    def _open(self, row: int, low: float, high: float) -> None:
        entries = self.model.matrix[[row]]
        if low == high:
            self.equations.append(self._side(entries, high, row))
            return
        self.sides += [self._side(entries, high, row)] if np.isfinite(high) else []
        self.sides += [-self._side(entries, low, row)] if np.isfinite(low) else []

    def _side(self, entries: csr_array, room: float, row: int | None = None) -> csr_array:
        from scipy.sparse import csr_array

        own = ([], []) if row is None else ([1.0], [self.size + 1 + row])
        data = np.concatenate((entries.data, [room], own[0]))
        places = np.concatenate((entries.indices, [self.size], own[1])).astype(np.int64)
        width = self.size + 1 + len(self.model.row_upper)
        return csr_array((data, places, [0, len(data)]), shape=(1, width))

    def leave_out(self, column: int, *, equation: bool) -> None:
        """Leave a column out, with an equation that gives it, or by all pairs of sides where these are few."""
        giving = next((row for row in self.equations if _entry(row, column)), None)
        if (giving is not None) != equation:
            return
        sides = [side for side in self.sides if _entry(side, column)] + self._bounds(column)
        rest = [row for row in self.equations if row is not giving and _entry(row, column)]
        above, below = ([side for side in sides if _entry(side, column) * sign > 0] for sign in (1, -1))
        added = [giving] if giving is not None else sides
        if rest or any(abs(_entry(row, column)) != 1.0 for row in added):
            return
        if giving is not None:
            giving = giving * _entry(giving, column)
            above, below, pairs = [giving], [-giving], [side - giving * _entry(side, column) for side in sides]
        else:
            pairs = [one + other for one in above for other in below]
        new = [pair for pair in map(_cleaned, pairs) if not self._idle(pair)]
        if giving is None and len(new) > len(above) + len(below):
            return
        self._note(column, [*above, *below])
        self.equations = [row for row in self.equations if not _entry(row, column)]
        self.sides = [side for side in self.sides if not _entry(side, column)] + new
        self.gone.append(column)

    def _bounds(self, column: int) -> list[csr_array]:
        """The bounds of a column as sides, the upper one only where no other side keeps the column below it."""
        from scipy.sparse import csr_array

        one = csr_array(([1.0], [column], [0, 1]), shape=(1, self.size))
        lower, upper = float(self.model.lower[column]), float(self.model.upper[column])
        bounds = [self._side(-one, -lower)] if np.isfinite(lower) else []
        kept = any(_entry(side, column) > 0 and self._least_room(side) <= upper for side in self.sides)
        return bounds if kept or not np.isfinite(upper) else [*bounds, self._side(one, upper)]

    def _least_room(self, side: csr_array) -> float:
        """What a side leaves a column at the most, where no other takes room away: its bounds then never matter."""
        entries, inside = self._entries(side)
        fills = (entries >= 0).all() and (self.model.lower[inside] >= 0).all()
        return _room(side, self.size) if fills else np.inf

    def _idle(self, side: csr_array) -> bool:
        """Whether a side holds whatever the columns are, or is known to."""
        entries, inside = self._entries(side)
        most = np.where(entries > 0, entries * self.model.upper[inside], entries * self.model.lower[inside])
        room = _room(side, self.size)
        return bool(most.sum() <= room) or _said(side[:, : self.size], room) in self.known

    def _entries(self, side: csr_array) -> tuple[Floats, Ints]:
        own = side.indices < self.size
        return side.data[own], side.indices[own]

    def _note(self, column: int, sides: list[csr_array]) -> None:
        from scipy.sparse import csr_array, vstack

        rows = csr_array(vstack(sides))
        entries = np.array([_entry(side, column) for side in sides])
        room = np.array([_room(side, self.size) for side in sides])
        self.steps.append(Step(column, csr_array(rows[:, : self.size]), entries, room))

    def eliminated(self) -> Eliminated:
        """Return the model that is left."""
        from scipy.sparse import csr_array, eye_array, vstack

        model, size, count = self.model, self.size, len(self.model.row_upper)
        kept = np.setdiff1d(np.arange(size), np.array(self.gone, dtype=np.int64))
        stays = np.flatnonzero(~self.touched)
        new = [*self.equations, *self.sides]
        low = [_room(row, size) for row in self.equations] + [-np.inf] * len(self.sides)
        high = [_room(row, size) for row in new]
        none = csr_array((0, size + 1 + count))
        added = csr_array(vstack([none, *new]))
        smaller = LinearModel(
            objective=model.objective[kept],
            matrix=csr_array(vstack([model.matrix[stays], added[:, :size]]))[:, kept],
            row_lower=np.concatenate((model.row_lower[stays], low)),
            row_upper=np.concatenate((model.row_upper[stays], high)),
            lower=model.lower[kept],
            upper=model.upper[kept],
            integer=model.integer[kept],
        )
        origins = csr_array(vstack([csr_array(eye_array(count))[stays], added[:, size + 1 :]]))
        return Eliminated(smaller, kept, tuple(self.steps), origins)


def _rows_of(matrix: csr_array) -> Ints:
    return np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))


def _entry(side: csr_array, column: int) -> float:
    return float(side.data[side.indices == column].sum())


def _room(side: csr_array, size: int) -> float:
    return _entry(side, size)


def _said(entries: csr_array, room: float) -> bytes:
    """Return what a side says, so that sides which say the same can be told by it."""
    entries.sort_indices()
    places: Ints = entries.indices.astype(np.int64)
    return places.tobytes() + np.append(entries.data, room + 0.0).tobytes()


def _cleaned(side: csr_array) -> csr_array:
    side.eliminate_zeros()
    return side

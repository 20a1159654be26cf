"""A walk over points of 0/1 columns: an option is forced in, what stands in its way goes, and the room left is filled.

Where years are tight and options few, restricted trees are slow to find what thousands of such small steps find in
seconds.  A step is kept when it loses little, and less and less is little: simulated annealing (Kirkpatrick, Gelatt and
Vecchi 1983), with steps that ruin and recreate (Schrimpf, Schneider, Stamm-Wilbrandt and Dueck 2000).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from capalloc.engines.own.problem import Problem
from capalloc.model import Floats, Ints, Truths

if TYPE_CHECKING:
    from scipy.sparse import csr_array

# Every step looks at all entries; with more, trees in neighbourhoods find more.
_MOST_ENTRIES = 60_000

# A step forces an option in, or else drops some of those that share a row, so many at most.
_FORCED = 0.9
_DROPPED = 4

# Options that must come with a forced one, such as those it waits for.
_COMPANIONS = 4

# How much chance there is in what is dropped and what fills the room.
_NOISE_OF_DROPS = 0.5
_NOISE_OF_FILLS = 0.1

# In so many orders options fill the room, drawn once: to draw them anew would take longer than a step.
_RANKS = 100

# A loss of so much of a mean option is little in the beginning, and of this part of it at the end.
_HEAT = 0.5
_COOLED = 0.02

# Gains for what an option uses at the prices of the relaxation are not told apart beyond this.
_BEST_RATIO = 50.0

# Others wait for so many steps.
_SLICE = 200

# Whole rows are exact; others may be passed by this part of what they hold.
_NOISE = 1e-9


def walkable(problem: Problem) -> bool:
    """Whether every column is a 0/1 one and a step takes well below a millisecond."""
    return bool(problem.groups.binary.all()) and problem.model.matrix.nnz <= _MOST_ENTRIES


@dataclass(frozen=True, slots=True)
class _Rows:
    """All sides of rows as upper ones: entries by row, the same by column, what fits, and what counts as full.

    Each column stands in the last row, which never fills, so that none is without entries.
    """

    by_row: csr_array
    begin: Ints
    row: Ints
    entry: Floats
    room: Floats
    noise: Floats

    def of(self, column: int) -> slice:
        """Where the entries of a column are."""
        return slice(int(self.begin[column]), int(self.begin[column + 1]))


def _rows(problem: Problem) -> _Rows:
    """Return the sides of all rows but those that state groups, which every step keeps."""
    from scipy.sparse import csr_array, vstack

    model = problem.model
    other = np.ones(len(model.row_upper), dtype=bool)
    other[_kept_by_groups(problem)] = False
    above = np.flatnonzero(other & np.isfinite(model.row_upper))
    below = np.flatnonzero(other & np.isfinite(model.row_lower))
    last = csr_array(np.ones((1, problem.size)))
    matrix = vstack([model.matrix[above], -model.matrix[below], last], format="csr")
    room = np.concatenate((model.row_upper[above], -model.row_lower[below], [np.inf]))
    columns = matrix.tocsc()
    noise = _NOISE * np.maximum(1.0, np.where(np.isfinite(room), np.abs(room), 1.0))
    return _Rows(matrix, columns.indptr, columns.indices, columns.data, room, noise)


def _kept_by_groups(problem: Problem) -> Ints:
    """Return the rows that say of one group that at most one column is taken, or exactly one if it is due."""
    model, groups = problem.model, problem.groups
    number = np.flatnonzero(groups.row >= 0)
    rows = groups.row[number]
    owners = [groups.of[model.matrix.indices[slice(*model.matrix.indptr[row : row + 2])]] for row in rows]
    alone = np.array([bool((of == group).all()) for of, group in zip(owners, number, strict=True)], dtype=bool)
    kept: Ints = rows[alone & (groups.due[number] | (model.row_lower[rows] <= 0))]
    return kept


class Walk:
    """Walks from point to point of one problem.

    Parameters
    ----------
    prices
        Shape (m,): what room in each row is worth, as a relaxation has it.
    """

    def __init__(self, problem: Problem, prices: Floats, rng: np.random.Generator) -> None:
        self.problem, self.rng = problem, rng
        self.rows = _rows(problem)
        self.gain = problem.model.objective
        used = problem.model.matrix.T @ prices
        ratio = np.divide(self.gain, used, out=np.full(len(used), _BEST_RATIO), where=used > 0)
        self.ratio = np.clip(np.where(self.gain > 0, ratio, 0.0), 0.0, _BEST_RATIO)
        self.open = problem.model.upper > 0.5
        self.useful = self.open & ((self.gain > 0) | problem.groups.due[problem.groups.of])
        self.helps = np.minimum.reduceat(self.rows.entry, self.rows.begin[:-1]) < 0
        self._noise = self.rows.noise[self.rows.row]
        self.taken: Truths = np.zeros(problem.size, dtype=bool)
        self.room: Floats = self.rows.room
        self.of_group: Ints = np.full(problem.groups.count, -1)
        self._ranks = self.ratio * np.exp(_NOISE_OF_FILLS * rng.standard_normal((_RANKS, problem.size)))

    def go(self, start: Floats, steps: int, rest: Callable[[], bool]) -> Floats | None:
        """Walk from a point and return the best one on the way, or ``None`` where nothing but the start holds.

        Parameters
        ----------
        rest
            Called every few steps, to let others work; true when the walk is to end.
        """
        self._stand_at(start)
        value = best = float(self.gain @ start)
        found: Truths | None = None
        heat = _HEAT * float(self.gain[self.gain > 0].mean()) if (self.gain > 0).any() else 0.0
        for step in range(steps):
            if step % _SLICE == 0 and rest():
                break
            before = self.taken.copy(), self.room.copy(), self.of_group.copy()
            new = float(self.gain @ self.taken) if self._changed() else -np.inf
            if new >= value - heat * _COOLED ** (step / steps) * self.rng.exponential():
                value = new
                if value > best:
                    best, found = value, self.taken.copy()
            else:
                self.taken, self.room, self.of_group = before
        return None if found is None else self.problem.point(found.astype(np.float64))

    def _stand_at(self, point: Floats) -> None:
        self.taken = point > 0.5
        self.room = self.rows.room - self.rows.by_row @ self.taken
        self.of_group = np.full(self.problem.groups.count, -1)
        chosen = np.flatnonzero(self.taken)
        self.of_group[self.problem.groups.of[chosen]] = chosen

    def _changed(self) -> bool:
        """Change the point a little, and say whether it holds."""
        forced = self._forced() if self.rng.random() < _FORCED else self._ruined()
        if not forced:
            return False
        self._fill()
        return bool((self.of_group[self.problem.groups.due] >= 0).all())

    def _forced(self) -> bool:
        """Put an option in, with those it cannot do without, and drop what then breaks a row."""
        column = int(self.rng.integers(self.problem.size))
        if self.taken[column] or not self.open[column]:
            return False
        self._put(column)
        held = np.zeros(self.problem.size, dtype=bool)
        held[column] = True
        return self._repaired(held)

    def _ruined(self) -> bool:
        """Drop a few of the options that share a row with one that is taken."""
        taken = np.flatnonzero(self.taken)
        if not len(taken):
            return True
        rows = self.rows.row[self.rows.of(int(self.rng.choice(taken)))]
        among = self._in_row(int(self.rng.choice(rows)))[0]
        sharing = self.rng.permutation(among[self.taken[among]])
        for column in sharing[: int(self.rng.integers(1, _DROPPED + 1))].tolist():
            self._drop(column)
        return self._repaired(np.zeros(self.problem.size, dtype=bool))

    def _in_row(self, row: int) -> tuple[Ints, Floats]:
        inside = slice(self.rows.by_row.indptr[row], self.rows.by_row.indptr[row + 1])
        return self.rows.by_row.indices[inside], self.rows.by_row.data[inside]

    def _repaired(self, held: Truths) -> bool:
        """Drop what breaks rows, but not what is held, until all hold; that gets what it cannot do without."""
        companions = 0
        while True:
            broken = np.flatnonzero(self.room < -self.rows.noise)
            if not len(broken):
                return True
            row = int(broken[self.rng.integers(len(broken))])
            columns, entries = self._in_row(row)
            asking = self.taken[columns] & (entries > 0) & ~held[columns]
            if asking.any():
                self._drop(self._cheapest(columns[asking], entries[asking], -self.room[row]))
            elif companions < _COMPANIONS and (helper := self._helper(columns[entries < 0], held)) is not None:
                self._put(helper)
                held[helper] = True
                companions += 1
            else:
                return False

    def _cheapest(self, columns: Ints, entries: Floats, lack: float) -> int:
        """The option that gains least for what it frees of the lack, more or less."""
        price = self.gain[columns] / np.minimum(entries, lack)
        price *= np.exp(_NOISE_OF_DROPS * self.rng.standard_normal(len(columns)))
        return int(columns[np.argmin(price)])

    def _helper(self, columns: Ints, held: Truths) -> int | None:
        """An option that makes room in a row, of a group of which nothing is held."""
        of = self.problem.groups.of
        usable = columns[~self.taken[columns] & self.open[columns] & ~np.isin(of[columns], of[held])]
        return int(self.rng.choice(usable)) if len(usable) else None

    def _fill(self) -> None:
        """Take what fits and gains most for what it uses, more or less, until nothing fits."""
        rank = self._ranks[int(self.rng.integers(len(self._ranks)))]
        helped = True
        while helped:
            helped = False
            spare = self.room[self.rows.row] - self.rows.entry + self._noise
            fits = np.minimum.reduceat(spare, self.rows.begin[:-1]) >= 0
            fitting = np.flatnonzero(fits & self.useful & (self.of_group < 0)[self.problem.groups.of])
            for column in fitting[np.argsort(-rank[fitting])].tolist():
                if self._fits(column):
                    self._put(column)
                    helped = helped or bool(self.helps[column])

    def _fits(self, column: int) -> bool:
        inside = self.rows.of(column)
        spare = self.room[self.rows.row[inside]] - self.rows.entry[inside] + self._noise[inside]
        return self.of_group[self.problem.groups.of[column]] < 0 and bool((spare >= 0).all())

    def _put(self, column: int) -> None:
        """Take an option in place of what its group has."""
        group = self.problem.groups.of[column]
        if self.of_group[group] >= 0:
            self._drop(int(self.of_group[group]))
        inside = self.rows.of(column)
        self.room[self.rows.row[inside]] -= self.rows.entry[inside]
        self.taken[column] = True
        self.of_group[group] = column

    def _drop(self, column: int) -> None:
        inside = self.rows.of(column)
        self.room[self.rows.row[inside]] += self.rows.entry[inside]
        self.taken[column] = False
        self.of_group[self.problem.groups.of[column]] = -1

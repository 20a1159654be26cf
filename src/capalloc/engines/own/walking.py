"""A walk over points of 0/1 columns: an option is forced in, what stands in its way goes, and the room left is filled.

Where years are tight, restricted trees are slow to find what thousands of such small steps find in seconds.  A step is
kept when it loses little, and less and less is little: simulated annealing (Kirkpatrick, Gelatt and
Vecchi 1983), with steps that ruin and recreate (Schrimpf, Schneider, Stamm-Wilbrandt and Dueck 2000).
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from capalloc.engines.own.problem import Problem
from capalloc.model import Floats, Ints, Truths

if TYPE_CHECKING:
    from scipy.sparse import csr_array

# With more entries, trees in neighbourhoods find more.
_MOST_ENTRIES = 150_000

# Of the options a walk looks at the part that loses least in the relaxation; the others are hardly ever in good points.
_NEAR = 0.65

# A step forces an option in, or else drops some of those that share a row, so many at most.
_FORCED = 0.9
_DROPPED = 4

# Options that must come with a forced one, such as those it waits for.
_COMPANIONS = 4

# How much chance there is in what is dropped and what fills the room.
_NOISE_OF_DROPS = 1.5
_NOISE_OF_FILLS = 0.1

# In so many orders options fill the room, drawn once: to draw them anew would take longer than a step.
_RANKS = 100

# A loss of so much of a mean option is little in the beginning, and of this part of it at the end.  A walk that begins
# hotter loses in large models what good points have, and does not find back.
_HEAT = 0.02
_COOLED = 0.04

# Gains for what an option uses at the prices of the relaxation are not told apart beyond this.
_BEST_RATIO = 50.0

# Others wait for so many steps.
_SLICE = 200

# Whole rows are exact; others may be passed by this part of what they hold.
_NOISE = 1e-9

# So many entries of each option are compared for all options at once, those that cost most first.
_PASSES = 16


def walkable(problem: Problem) -> bool:
    """Whether every column is a 0/1 one and a step takes about a millisecond at most."""
    return bool(problem.groups.binary.all()) and problem.model.matrix.nnz <= _MOST_ENTRIES


@dataclass(frozen=True, slots=True)
class _Rows:
    """All sides of rows as upper ones: entries by row and by column, and what fits, a little more than exact."""

    by_row: csr_array
    entries: list[list[tuple[int, float]]]
    room: Floats
    price: Floats


def _rows(problem: Problem, prices: Floats) -> _Rows:
    """Return the sides of all rows but those that state groups, which every step keeps."""
    from scipy.sparse import csr_array, vstack

    model = problem.model
    other = np.ones(len(model.row_upper), dtype=bool)
    other[_kept_by_groups(problem)] = False
    above = np.flatnonzero(other & np.isfinite(model.row_upper))
    below = np.flatnonzero(other & np.isfinite(model.row_lower))
    matrix = csr_array(vstack([model.matrix[above], -model.matrix[below]], format="csr"))
    room = np.concatenate((model.row_upper[above], -model.row_lower[below]))
    columns = matrix.tocsc()
    whole = list(zip(columns.indices.tolist(), columns.data.tolist(), strict=True))
    entries = [whole[begin:end] for begin, end in zip(columns.indptr[:-1], columns.indptr[1:], strict=True)]
    price = np.abs(np.concatenate((prices[above], prices[below])))
    return _Rows(matrix, entries, room + _NOISE * np.maximum(1.0, np.abs(room)), price)


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
        self.rows = _rows(problem, prices)
        self.group: list[int] = problem.groups.of.tolist()
        self.gains = problem.model.objective
        self.gain: list[float] = self.gains.tolist()
        used = problem.model.matrix.T @ prices
        ratio = np.divide(self.gains, used, out=np.full(len(used), _BEST_RATIO), where=used > 0)
        ratio = np.clip(np.where(self.gains > 0, ratio, 0.0), 0.0, _BEST_RATIO)
        self._ranks = ratio * np.exp(_NOISE_OF_FILLS * rng.standard_normal((_RANKS, problem.size)))
        self.near = self._near(used)
        self.due: list[int] = np.flatnonzero(problem.groups.due).tolist()
        useful = (self.gains > 0) | problem.groups.due[problem.groups.of]
        self._asking = _Asking(self.rows, self.near[useful[self.near]])
        self._owner = problem.groups.of[self._asking.columns]
        self.value = 0.0

    def _near(self, used: Floats) -> Ints:
        """Return the options that lose little, and all of groups that must have one."""
        groups = self.problem.groups
        loss = np.maximum(used - self.gains, 0.0)
        little = (loss <= np.quantile(loss, _NEAR)) | groups.due[groups.of]
        return np.flatnonzero(little & (self.problem.model.upper > 0.5))

    def go(self, start: Floats, steps: int, rest: Callable[[], bool]) -> Floats | None:
        """Walk from a point and return the best one on the way, or ``None`` where nothing but the start holds.

        Parameters
        ----------
        rest
            Called every few steps, to let others work; true when the walk is to end.
        """
        self._stand_at(start)
        best, found = self.value, None
        heat = _HEAT * float(self.gains[self.gains > 0].mean()) if (self.gains > 0).any() else 0.0
        for step in range(steps):
            if step % _SLICE == 0 and rest():
                break
            self.done.clear()
            before = self.value
            loses = heat * _COOLED ** (step / steps) * self.rng.exponential()
            if not self._changed() or self.value < before - loses:
                self._go_back()
                self.value = before
            elif self.value > best:
                best, found = self.value, [column for column in self.of_group if column >= 0]
        if found is None:
            return None
        x = np.zeros(self.problem.size)
        x[found] = 1.0
        return self.problem.point(x)

    def _stand_at(self, point: Floats) -> None:
        """Take what a point takes: the option of each group, the room left in each row, and who takes it."""
        self.room = array("d", self.rows.room.tolist())
        self.takers: list[dict[int, float]] = [{} for _ in self.room]
        self.of_group = [-1] * self.problem.groups.count
        self.none = bytearray(b"\1" * self.problem.groups.count)
        self.value = 0.0
        self.done: list[int] = []
        for column in np.flatnonzero(point > 0.5).tolist():
            self._put(column)

    def _go_back(self) -> None:
        """Undo the step."""
        while self.done:
            column = self.done.pop()
            if self.of_group[self.group[column]] == column:
                self._drop(column)
            else:
                self._put(column)
            self.done.pop()

    def _changed(self) -> bool:
        """Change the point a little, and say whether it holds."""
        forced = self._forced() if self.rng.random() < _FORCED else self._ruined()
        if not forced:
            return False
        self._fill()
        return all(self.of_group[group] >= 0 for group in self.due)

    def _forced(self) -> bool:
        """Put an option in, with those it cannot do without, and drop what then breaks a row."""
        column = self._one_of(self.near)
        if self.of_group[self.group[column]] == column:
            return False
        self._put(column)
        return self._repaired({column})

    def _ruined(self) -> bool:
        """Drop a few of the options that share a row with one that is taken."""
        taken = [column for column in self.of_group if column >= 0]
        rows = self.rows.entries[self._one_of(taken)] if taken else []
        if rows:
            sharing = self.rng.permutation(list(self.takers[rows[int(self.rng.random() * len(rows))][0]]))
            for column in sharing[: int(self.rng.integers(1, _DROPPED + 1))].tolist():
                self._drop(column)
        return self._repaired(set())

    def _one_of(self, columns: Ints | list[int]) -> int:
        return int(columns[int(self.rng.random() * len(columns))])

    def _repaired(self, held: set[int]) -> bool:
        """Drop what breaks rows, but not what is held, until all hold; that gets what it cannot do without."""
        companions, seen = 0, 0
        broken: list[int] = []
        while broken := self._broken(broken, self.done[seen:]):
            seen = len(self.done)
            row = self._one_of(broken)
            cheapest = self._cheapest(row, held)
            if cheapest is not None:
                self._drop(cheapest)
            elif companions < _COMPANIONS and (helper := self._helper(row, held)) is not None:
                self._put(helper)
                held.add(helper)
                companions += 1
            else:
                return False
        return True

    def _broken(self, before: list[int], changed: Iterable[int]) -> list[int]:
        """The rows that are broken of those that were and those that a change touches."""
        entries, room = self.rows.entries, self.room
        touched = dict.fromkeys(before) | dict.fromkeys(row for column in changed for row, _ in entries[column])
        return [row for row in touched if room[row] < 0]

    def _cheapest(self, row: int, held: set[int]) -> int | None:
        """The option that gains least for what it frees of what a row lacks, more or less."""
        takers, lack = self.takers[row], -self.room[row]
        chances = self.rng.random(len(takers)).tolist()
        price = {
            column: self.gain[column] / min(entry, lack) * (1.0 + _NOISE_OF_DROPS * chance)
            for (column, entry), chance in zip(takers.items(), chances, strict=True)
            if column not in held
        }
        return min(price, key=price.__getitem__, default=None)

    def _helper(self, row: int, held: set[int]) -> int | None:
        """An option that makes room in a row, of a group of which nothing is held."""
        inside = slice(*self.rows.by_row.indptr[row : row + 2])
        columns = self.rows.by_row.indices[inside][self.rows.by_row.data[inside] < 0]
        groups = {self.group[column] for column in held}
        usable = [
            column
            for column in columns.tolist()
            if self.group[column] not in groups
            and self.of_group[self.group[column]] != column
            and self.problem.model.upper[column] > 0.5
        ]
        return self._one_of(usable) if usable else None

    def _fill(self) -> None:
        """Take what fits and gains most for what it uses, more or less, until nothing fits."""
        rank = self._ranks[int(self.rng.random() * len(self._ranks))]
        helped = True
        while helped:
            helped = False
            free = np.frombuffer(self.none, dtype=np.bool_)[self._owner]
            fitting = self._asking.fitting(np.frombuffer(self.room), free)
            for column in fitting[np.argsort(-rank[fitting])].tolist():
                if self.of_group[self.group[column]] < 0 and self._fits(column):
                    self._put(column)
                    helped = helped or any(entry < 0 for _, entry in self.rows.entries[column])

    def _fits(self, column: int) -> bool:
        room = self.room
        for row, entry in self.rows.entries[column]:  # noqa: SIM110  # a generator would take twice as long
            if room[row] < entry:
                return False
        return True

    def _put(self, column: int) -> None:
        """Take an option in place of what its group has."""
        group = self.group[column]
        if self.of_group[group] >= 0:
            self._drop(self.of_group[group])
        for row, entry in self.rows.entries[column]:
            self.room[row] -= entry
            if entry > 0:
                self.takers[row][column] = entry
        self.value += self.gain[column]
        self.of_group[group] = column
        self.none[group] = 0
        self.done.append(column)

    def _drop(self, column: int) -> None:
        for row, entry in self.rows.entries[column]:
            self.room[row] += entry
            if entry > 0:
                del self.takers[row][column]
        self.value -= self.gain[column]
        self.of_group[self.group[column]] = -1
        self.none[self.group[column]] = 1
        self.done.append(column)


class _Asking:
    """What some options ask of rows, entry after entry, to tell for all of them at once which may fit.

    Of each option the entries that cost most are compared first, and those beyond the first few not at all.
    """

    def __init__(self, rows: _Rows, columns: Ints) -> None:
        self.columns = columns
        entries = rows.by_row[:, columns].tocoo()
        asking = entries.data > 0
        row, column, ask = entries.row[asking], entries.col[asking], entries.data[asking]
        order = np.lexsort((-ask * rows.price[row], column))
        row, column, ask = row[order], column[order], ask[order]
        place = np.arange(len(column)) - np.searchsorted(column, column)
        deepest = min(_PASSES, int(place.max(initial=-1)) + 1)
        kept = place < deepest
        self._row = np.zeros((deepest, len(columns)), dtype=np.int64)
        self._ask = np.full((deepest, len(columns)), -np.inf)
        self._row[place[kept], column[kept]] = row[kept]
        self._ask[place[kept], column[kept]] = ask[kept]

    def fitting(self, room: Floats, free: Truths) -> Ints:
        """Return those of the free options that may fit."""
        left = np.flatnonzero(free)
        for row, ask in zip(self._row, self._ask, strict=True):
            left = left[room[row[left]] >= ask[left]]
        fitting: Ints = self.columns[left]
        return fitting

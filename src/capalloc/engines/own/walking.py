"""A walk over points of 0/1 columns: an option is forced in, what stands in its way goes, and the room left is filled.

Where years are tight, restricted trees are slow to find what thousands of such small steps find in seconds.  A step is
kept when it loses little, and less and less is little: simulated annealing (Kirkpatrick, Gelatt and
Vecchi 1983), with steps that ruin and recreate (Schrimpf, Schneider, Stamm-Wilbrandt and Dueck 2000).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

import numpy as np

from capalloc.engines.own.fitting import Fitting
from capalloc.engines.own.problem import Problem
from capalloc.model import Floats, Ints

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

# A loss of so much of a mean option is little in the beginning of a cool walk, which keeps what its start has; and of
# so much at the end of any.
COOL = 0.02
_COLD = 0.0008

# Gains for what an option uses at the prices of the relaxation are not told apart beyond this.
_BEST_RATIO = 50.0

# Others wait for so many steps.
_SLICE = 200

# Whole rows are exact; others may be passed by this part of what they hold.
_NOISE = 1e-9


def walkable(problem: Problem) -> bool:
    """Whether every column is a 0/1 one and a step takes about a millisecond at most."""
    return bool(problem.groups.binary.all()) and problem.model.matrix.nnz <= _MOST_ENTRIES


@dataclass(frozen=True, slots=True)
class _Rows:
    """All sides of rows as upper ones: entries by row and by column, and what fits, a little more than exact.

    ``asks`` and ``gives`` are the entries above and below 0.
    """

    by_row: csr_array
    entries: list[list[tuple[int, float]]]
    asks: list[list[tuple[int, float]]]
    gives: list[list[tuple[int, float]]]
    room: list[float]


def _rows(problem: Problem) -> _Rows:
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
    asks = [[(row, entry) for row, entry in column if entry > 0] for column in entries]
    gives = [[(row, entry) for row, entry in column if entry < 0] for column in entries]
    return _Rows(matrix, entries, asks, gives, (room + _NOISE * np.maximum(1.0, np.abs(room))).tolist())


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
        self.problem = problem
        self.chance = Random(int(rng.integers(2**62)))  # noqa: S311  # draws a number ten times as fast as numpy
        self.rows = _rows(problem)
        self.group: list[int] = problem.groups.of.tolist()
        self.gains = problem.model.objective
        self.gain: list[float] = self.gains.tolist()
        used = problem.model.matrix.T @ prices
        ratio = np.divide(self.gains, used, out=np.full(len(used), _BEST_RATIO), where=used > 0)
        ratio = np.clip(np.where(self.gains > 0, ratio, 0.0), 0.0, _BEST_RATIO)
        self._ranks = ratio * np.exp(_NOISE_OF_FILLS * rng.standard_normal((_RANKS, problem.size)))
        self.near: list[int] = self._near(used).tolist()
        self.due: list[int] = np.flatnonzero(problem.groups.due).tolist()
        useful = (self.gains > 0) | problem.groups.due[problem.groups.of]
        self._fitting = Fitting(
            self.rows.by_row, np.array([column for column in self.near if useful[column]], dtype=int)
        )
        self._bits = [0] * problem.groups.count
        for place, column in enumerate(self._fitting.columns):
            self._bits[self.group[column]] |= 1 << place
        self.value = 0.0

    def _near(self, used: Floats) -> Ints:
        """Return the options that lose little, and all of groups that must have one."""
        groups = self.problem.groups
        loss = np.maximum(used - self.gains, 0.0)
        little = (loss <= np.quantile(loss, _NEAR)) | groups.due[groups.of]
        return np.flatnonzero(little & (self.problem.model.upper > 0.5))

    def go(self, start: Floats, steps: int, rest: Callable[[], bool], heat: float = COOL) -> Floats | None:
        """Walk from a point and return the best one on the way, or ``None`` where nothing but the start holds.

        Parameters
        ----------
        rest
            Called every few steps, to let others work; true when the walk is to end.
        heat
            How much of a mean option is little to lose in the beginning; a walk that begins hot forgets its start.
        """
        self._stand_at(start)
        best, found = self.value, None
        mean = float(self.gains[self.gains > 0].mean()) if (self.gains > 0).any() else 0.0
        cooled = _COLD / heat
        for step in range(steps):
            if step % _SLICE == 0 and rest():
                break
            before = self.value
            loses = mean * heat * cooled ** (step / steps) * self.chance.expovariate(1.0)
            kept = self._changed() and self.value >= before - loses
            self._go_on() if kept else self._go_back()
            if self.value > best:
                best, found = self.value, [column for column in self.of_group if column >= 0]
        if found is None:
            return None
        x = np.zeros(self.problem.size)
        x[found] = 1.0
        return self.problem.point(x)

    def _stand_at(self, point: Floats) -> None:
        """Take what a point takes: the option of each group, the room left in each row, and who takes it.

        Who takes room of a row may also name options that are no longer taken, until the step ends.
        """
        self.room = self.rows.room.copy()
        self.takers: list[dict[int, float]] = [{} for _ in self.room]
        self.of_group = [-1] * self.problem.groups.count
        self.none = sum(self._bits)
        self.value = 0.0
        self.done: list[int] = []
        self.suspect: list[int] = []
        for column in np.flatnonzero(point > 0.5).tolist():
            self._put(column)
        self._fitting.open(self.room)
        self._settle()

    def _settle(self) -> None:
        """Keep the point as the one to go back to."""
        self._kept = (self.room.copy(), self.of_group.copy(), self.none, self.value)
        self._fitting.keep()
        self.done.clear()
        self.suspect.clear()

    def _go_on(self) -> None:
        """Keep the step, which has filled the room."""
        self._forget()
        self._fitting.change(self._touched(0), self.room)
        self._settle()

    def _go_back(self) -> None:
        """Undo the step."""
        self.room[:], self.of_group[:], self.none, self.value = self._kept
        self._forget()
        self._fitting.go_back()
        self.done.clear()
        self.suspect.clear()

    def _touched(self, since: int) -> set[int]:
        """The rows that the step has touched since it made so many changes."""
        entries = self.rows.entries
        return {row for column in self.done[since:] for row, _ in entries[column]}

    def _forget(self) -> None:
        """Let no row name an option that is not taken."""
        for column in self.done:
            if self.of_group[self.group[column]] != column:
                for row, _ in self.rows.asks[column]:
                    self.takers[row].pop(column, None)

    def _changed(self) -> bool:
        """Change the point a little, and say whether it holds."""
        forced = self._forced() if self.chance.random() < _FORCED else self._ruined()
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
            sharing = self._taking(rows[int(self.chance.random() * len(rows))][0])
            for column in self.chance.sample(sharing, min(len(sharing), self.chance.randint(1, _DROPPED))):
                self._drop(column)
        return self._repaired(set())

    def _one_of(self, columns: list[int]) -> int:
        return columns[int(self.chance.random() * len(columns))]

    def _repaired(self, held: set[int]) -> bool:
        """Drop what breaks rows, but not what is held, until all hold; that gets what it cannot do without."""
        companions = 0
        broken: list[int] = []
        while broken := self._broken(broken):
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

    def _broken(self, before: list[int]) -> list[int]:
        """The rows that are broken of those that were and those that the last changes ask more of."""
        room, suspect = self.room, self.suspect
        broken = [row for row in dict.fromkeys(before + suspect) if room[row] < 0]
        suspect.clear()
        return broken

    def _taking(self, row: int) -> list[int]:
        """The options that take room of a row."""
        return [column for column in self.takers[row] if self.of_group[self.group[column]] == column]

    def _cheapest(self, row: int, held: set[int]) -> int | None:
        """The option that gains least for what it frees of what a row lacks, more or less."""
        lack, gain, chance = -self.room[row], self.gain, self.chance.random
        group, of_group = self.group, self.of_group
        least, cheapest = float("inf"), None
        for column, entry in self.takers[row].items():
            if of_group[group[column]] != column or column in held:
                continue
            part = entry if entry < lack else lack  # noqa: FURB136  # a call would take three times as long
            price = gain[column] / part * (1.0 + _NOISE_OF_DROPS * chance())
            if price < least:
                least, cheapest = price, column
        return cheapest

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
        rank = self._ranks[int(self.chance.random() * len(self._ranks))]
        seen, helped = 0, True
        while helped:
            helped = False
            self._fitting.change(self._touched(seen), self.room)
            seen = len(self.done)
            for column in sorted(self._fitting.among(self.none), key=rank.__getitem__, reverse=True):
                if self.of_group[self.group[column]] < 0 and self._fits(column):
                    self._put(column)
                    helped = helped or bool(self.rows.gives[column])

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
        room, takers = self.room, self.takers
        for row, entry in self.rows.asks[column]:
            room[row] -= entry
            takers[row][column] = entry
            if room[row] < 0:
                self.suspect.append(row)
        for row, entry in self.rows.gives[column]:
            room[row] -= entry
        self.value += self.gain[column]
        self.of_group[group] = column
        self.none &= ~self._bits[group]
        self.done.append(column)

    def _drop(self, column: int) -> None:
        room, group = self.room, self.group[column]
        for row, entry in self.rows.asks[column]:
            room[row] += entry
        for row, entry in self.rows.gives[column]:
            room[row] += entry
            if room[row] < 0:
                self.suspect.append(row)
        self.value -= self.gain[column]
        self.of_group[group] = -1
        self.none |= self._bits[group]
        self.done.append(column)

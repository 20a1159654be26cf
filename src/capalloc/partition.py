"""A partition of all points of a model whose parts prove a bound together, each by multipliers of its rows.

Best-first branch and bound on linear relaxations, with nothing in it that could not be checked afterwards: HiGHS finds
the multipliers, and what they prove is computed from them alone (see :mod:`capalloc.check_certificate`).  A split says
that some columns of one group add up to at most k, or to at least k + 1 (special ordered sets: Beale and Tomlin 1970).
Where to split is tried out on few steps of the dual simplex method and then remembered (pseudo-costs after strong
branching: Achterberg, Koch and Martin 2005).
"""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Any

import numpy as np

from capalloc.effort import Effort
from capalloc.engines.base import Watch, watched_run
from capalloc.engines.points import refuse_bad_numbers
from capalloc.engines.scaling import scaling_of
from capalloc.model import Floats, LinearModel, SolveOptions
from capalloc.relaxing import relaxation_of, stated_groups

_WHOLE = 1e-6

# How many new splits are tried at a leaf, and how many steps each side is given.
_TRIED = 6
_STEPS = 40


@dataclass(frozen=True, slots=True)
class Branch:
    """One side of a split: the columns add up to at most ``at``, or, where ``high``, to at least ``at + 1``."""

    columns: tuple[int, ...]
    at: int
    high: bool


@dataclass(slots=True)
class Part:
    """A part of the partition: the branches that lead to it and, while it is a leaf, what its relaxation says.

    ``multipliers`` has one entry a row of the model, then one a branch; those of an ``empty`` part prove that it has
    no point.  A part that was divided has ``split`` and the numbers of its two ``sides``, the low one first.
    """

    path: tuple[Branch, ...]
    bound: float
    x: Floats
    multipliers: Floats
    empty: bool = False
    split: Branch | None = None
    sides: tuple[int, int] = (0, 0)


def divide(
    model: LinearModel, enough: float, leaves: int, effort: Effort, time_limit: float | None = None
) -> list[Part]:
    """Return a partition of the points of a model, the whole first; a part comes before the parts it is divided into.

    It ends where no leaf passes ``enough``, at so many leaves, when the effort is spent, or after so many seconds;
    without a limit in seconds the same model gives the same partition.

    Raises
    ------
    KeyboardInterrupt
        When the user stops it.
    """
    refuse_bad_numbers(model)
    watch = Watch(SolveOptions(time_limit=time_limit), Event())
    parts = watched_run(lambda: _Search(model, enough, leaves, effort, watch).run(), watch, None)
    if watch.stop.is_set():
        raise KeyboardInterrupt
    return parts


@dataclass(slots=True)
class _Gains:
    """What splits have lowered the bound by so far, for each unit they were away from whole."""

    total: dict[tuple[Any, bool], float] = field(default_factory=lambda: defaultdict(float))
    count: dict[tuple[Any, bool], int] = field(default_factory=lambda: defaultdict(int))

    def learn(self, side: Branch, gain: float, distance: float) -> None:
        key = ((side.columns, side.at), side.high)
        self.total[key] += gain / distance
        self.count[key] += 1

    def known(self, split: Branch) -> bool:
        return all(self.count[(split.columns, split.at), high] for high in (False, True))

    def expect(self, split: Branch, away: float) -> float:
        """The score of a split that is ``away`` above its lower side."""
        key = (split.columns, split.at)
        down, up = (self.total[key, high] / max(1, self.count[key, high]) for high in (False, True))
        return max(down * away, 1e-9) * max(up * (1 - away), 1e-9)


class _Search:
    """One search; ``parts`` grow from the whole to the leaves."""

    def __init__(self, model: LinearModel, enough: float, leaves: int, effort: Effort, watch: Watch) -> None:
        self.model, self.enough, self.leaves, self.effort, self.watch = model, enough, leaves, effort, watch
        self.relaxation = _Relaxation(model, effort)
        self.gains = _Gains()
        self.parts: list[Part] = []

    def run(self) -> list[Part]:
        self.parts = [self.relaxation.part(())]
        waiting = [(-self.parts[0].bound, 0)] if self.parts[0].x.size else []
        leaves = 1
        while waiting and leaves < self.leaves and -waiting[0][0] > self.enough:
            if self.effort.spent or self.watch.ended_by is not None:
                break
            number = heapq.heappop(waiting)[1]
            split = self._choose(self.parts[number])
            if split is None:
                break  # nothing is left to divide: the relaxation is a plan
            for place in self._split(number, split):
                if self.parts[place].x.size:
                    heapq.heappush(waiting, (-self.parts[place].bound, place))
            leaves += 1
        return self.parts

    def _split(self, number: int, split: Branch) -> tuple[int, int]:
        part = self.parts[number]
        away = float(part.x[list(split.columns)].sum()) - split.at
        for high in (False, True):
            side = replace(split, high=high)
            child = self.relaxation.part((*part.path, side))
            if not child.empty and child.bound >= part.bound:
                # What bounds a part bounds what is in it.
                child.bound, child.multipliers = part.bound, np.append(part.multipliers, 0.0)
            if math.isfinite(child.bound):
                self.gains.learn(side, part.bound - child.bound, max(1e-6, 1 - away if high else away))
            self.parts.append(child)
        part.split, part.sides = split, (len(self.parts) - 2, len(self.parts) - 1)
        part.x = np.zeros(0)
        return part.sides

    def _choose(self, part: Part) -> Branch | None:
        """The split that promises most, ``None`` where every column is whole already."""
        splits = sorted(self.relaxation.splits(part.x), key=lambda pair: abs(pair[1] - 0.5))
        fresh = [pair for pair in splits if not self.gains.known(pair[0])][:_TRIED]
        if len(splits) > 1:
            for split, away in fresh:
                for high in (False, True):
                    side = replace(split, high=high)
                    reached = self.relaxation.tried((*part.path, side))
                    gain = min(max(0.0, part.bound - reached), abs(part.bound) + 1.0)
                    self.gains.learn(side, gain, 1 - away if high else away)
        known = [pair for pair in splits if self.gains.known(pair[0])] or splits
        return max(known, key=lambda pair: self.gains.expect(*pair))[0] if known else None


class _Relaxation:
    """The linear relaxation in HiGHS, kept warm while bounds change."""

    def __init__(self, model: LinearModel, effort: Effort) -> None:
        self.model, self.effort = model, effort
        self.scaling = scaling_of(model)
        self.solver = relaxation_of(model, self.scaling)
        self.lower, self.upper = model.lower.copy(), model.upper.copy()
        self.due: set[int] = set()
        self.groups = dict(stated_groups(model))
        self.group_of = {column: row for row, columns in self.groups.items() for column in columns}

    def part(self, path: tuple[Branch, ...]) -> Part:
        """Return the part at the end of a path, with the multipliers that bound it."""
        crossed = self._go_to(path)
        nothing = np.zeros(len(self.model.row_upper) + len(path))
        if crossed:
            return Part(path, -math.inf, np.zeros(0), nothing, empty=True)
        self.solver.setOptionValue("simplex_iteration_limit", 2**31 - 1)
        self.solver.run()
        self.effort.spend(self.solver, self.model.matrix.nnz)
        ending = self.solver.getModelStatus().name
        if ending == "kInfeasible":
            return self._empty(path, nothing)
        if ending != "kOptimal":
            return Part(path, math.inf, np.zeros(0), nothing)
        solution = self.solver.getSolution()
        x = np.array(solution.col_value) * self.scaling.columns
        y = -np.array(solution.row_dual) * self.scaling.rows / self.scaling.objective
        return Part(path, float(self.model.objective @ x), x, self._shared(y, path, self.model.objective))

    def tried(self, path: tuple[Branch, ...]) -> float:
        """Return the bound at the end of a path after a few steps, ``-inf`` where nothing is left."""
        if self._go_to(path):
            return -math.inf
        self.solver.setOptionValue("simplex_iteration_limit", _STEPS)
        self.solver.run()
        self.effort.spend(self.solver, self.model.matrix.nnz)
        if self.solver.getModelStatus().name == "kInfeasible":
            return -math.inf
        return -float(self.solver.getInfo().objective_function_value) / self.scaling.objective

    def splits(self, x: Floats) -> Iterator[tuple[Branch, float]]:
        """Yield the splits of what is not whole at a point, each with how far it is above its lower side."""
        apart = np.flatnonzero(self.model.integer & (np.abs(x - np.rint(x)) > _WHOLE)).tolist() if x.size else []
        for row in dict.fromkeys(self.group_of[c] for c in apart if c in self.group_of):
            yield _split_of(self.groups[row], x)
        for column in apart:
            if column not in self.group_of:
                yield Branch((column,), math.floor(x[column]), high=False), x[column] - math.floor(x[column])

    def _go_to(self, path: tuple[Branch, ...]) -> bool:
        """Set the bounds of a path; true where they cross, so that nothing is left."""
        lower, upper, due = self.model.lower.copy(), self.model.upper.copy(), set()
        for branch in path:
            columns = np.array(branch.columns)
            low, high = lower[columns], upper[columns]
            if branch.high:
                lower[columns] = np.maximum(low, branch.at + 1 - high.sum() + high)
                row = self.group_of.get(branch.columns[0])
                if row is not None:
                    due.add(row)
                    upper[np.setdiff1d(self.groups[row], columns)] = 0.0
            else:
                upper[columns] = np.minimum(high, branch.at - low.sum() + low)
        if (lower > upper).any():
            return True
        changed = np.flatnonzero((lower != self.lower) | (upper != self.upper)).astype(np.int32)
        counts = self.scaling.columns[changed]
        self.solver.changeColsBounds(len(changed), changed, lower[changed] / counts, upper[changed] / counts)
        for row in due ^ self.due:
            least = 1.0 if row in due else self.model.row_lower[row]
            self.solver.changeRowBounds(row, least * self.scaling.rows[row], self.scaling.rows[row])
        self.lower, self.upper, self.due = lower, upper, due
        return False

    def _empty(self, path: tuple[Branch, ...], nothing: Floats) -> Part:
        """A part without a point, and why; where HiGHS does not say why, a part that nothing is known about."""
        _, found, ray = self.solver.getDualRay()
        if found:
            y = np.array(ray) * self.scaling.rows
            y /= np.abs(y).max(initial=1e-300)
            for sign in (1.0, -1.0):
                multipliers = self._shared(sign * y, path, np.zeros_like(self.model.objective))
                if self._most(multipliers, path) < 0:
                    return Part(path, -math.inf, np.zeros(0), multipliers, empty=True)
        return Part(path, math.inf, np.zeros(0), nothing)

    def _most(self, multipliers: Floats, path: tuple[Branch, ...]) -> float:
        """What multipliers prove nothing at all to be at most on the part whose bounds are set."""
        model, own, moved = self.model, multipliers[: -len(path) or None], multipliers[len(self.model.row_upper) :]
        worth = -(model.matrix.T @ own)
        used = np.flatnonzero(own)
        total = float(own[used] @ np.where(own > 0, model.row_upper, model.row_lower)[used])
        for branch, number in zip(path, moved.tolist(), strict=True):
            worth[list(branch.columns)] -= number
            total += number * (branch.at + branch.high)
        return total + float(np.where(worth > 0, worth * self.upper, worth * self.lower).sum())

    def _shared(self, y: Floats, path: tuple[Branch, ...], gains: Floats) -> Floats:
        """Divide the multipliers between the rows of the model and the branches of a path.

        In the relaxation a high branch within a group is the row of the group, held at 1, with the rest of the group
        shut.  What that row proves from below is due to the branch; and as much as is needed to shut the rest is added
        to the row and taken from the branch, which changes nothing else.
        """
        model = self.model
        own = np.where(np.where(y > 0, np.isfinite(model.row_upper), np.isfinite(model.row_lower)), y, 0.0)
        moved = np.zeros(len(path))
        taken: set[int] = set()
        worth = gains - model.matrix.T @ own
        for place, branch in enumerate(path):
            row = self.group_of.get(branch.columns[0]) if branch.high else None
            if row is None:
                continue
            if row not in taken and own[row] == 0.0 > y[row]:
                moved[place] = y[row]
                worth[list(branch.columns)] -= y[row]
            taken.add(row)
            rest = np.setdiff1d(self.groups[row], branch.columns)
            extra = 1.001 * max(0.0, float(worth[rest].max(initial=0.0))) if rest.size else 0.0
            own[row] += extra
            moved[place] -= extra
            worth[self.groups[row]] -= extra
            worth[list(branch.columns)] += extra
        return np.concatenate([own, moved])


def _split_of(columns: Any, x: Floats) -> tuple[Branch, float]:
    """Whether anything of a group is taken, where that is open; else the first columns of it against the others."""
    total = float(x[columns].sum())
    if _WHOLE < total < 1 - _WHOLE:
        return Branch(tuple(columns.tolist()), 0, high=False), total
    sums = np.cumsum(x[columns])
    open_ = np.flatnonzero((sums > _WHOLE) & (sums < 1 - _WHOLE))
    end = int(open_[np.argmin(np.abs(sums[open_] - 0.5))])
    return Branch(tuple(columns[: end + 1].tolist()), 0, high=False), float(sums[end])

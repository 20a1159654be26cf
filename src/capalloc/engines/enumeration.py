"""The referee: every choice of whole columns tried in exact arithmetic, for models small enough."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from threading import Event
from typing import TypeAlias

import numpy as np

from capalloc.catalogue import say
from capalloc.engines.base import NO_POINT_EXISTS, Feature, Finding, Watch, conclude, watched_run
from capalloc.engines.exact_simplex import Unbounded, maximise
from capalloc.engines.points import crossed, refuse_bad_numbers, value_of
from capalloc.issues import EngineFailed
from capalloc.model import Floats, LinearModel, Outcome, ProgressReport, SolveOptions, StoppedBy

# Past this many combinations even a search that cuts most of them off may take hours.
MOST_PATTERNS = 10**8

_NODES_BETWEEN_LOOKS = 256

# Exact; the only floats among them are the infinities of open sides.
Number: TypeAlias = int | float | Fraction


class Enumeration:
    """Tries every combination, cutting off those that break a row or cannot be better; exact, so never within a gap."""

    name = "enumeration"
    features = frozenset({Feature.TIME_LIMIT, Feature.NODE_LIMIT, Feature.STOP, Feature.BOUND})

    def solve(
        self,
        model: LinearModel,
        options: SolveOptions,
        *,
        start: Floats | None = None,
        progress: ProgressReport | None = None,
        stop: Event | None = None,
    ) -> Outcome:
        """Return the best point; see :meth:`capalloc.engines.base.Engine.solve`.

        Raises
        ------
        EngineFailed
            When there are more than :data:`MOST_PATTERNS` combinations, or the value has no limit.
        """
        watch = Watch(options, stop)
        found = watched_run(lambda: _find(model, options, watch), watch, progress)
        return conclude(self, model, options, start, watch, found)


def _find(model: LinearModel, options: SolveOptions, watch: Watch) -> Finding:
    refuse_bad_numbers(model)
    if crossed(model):
        return NO_POINT_EXISTS
    exact = _Exact(model)
    branches = list(_branches(exact))
    patterns = math.prod(len(branch) for branch in branches)
    if patterns > MOST_PATTERNS:
        raise EngineFailed(say("engine.too-many-patterns", most=MOST_PATTERNS))
    try:
        return _Search(exact, branches, options.node_limit, watch).finding()
    except Unbounded:
        raise EngineFailed(say("engine.unbounded", engine=Enumeration.name)) from None


def _number(amount: float) -> Number:
    if math.isinf(amount):
        return amount
    return int(amount) if amount == int(amount) else Fraction(amount)


class _Exact:
    """The model in exact numbers; gains are whole, counted in one ``unit`` of the objective."""

    def __init__(self, model: LinearModel) -> None:
        gains = [Fraction(gain) for gain in model.objective.tolist()]
        self.model = model
        self.unit = Fraction(1, math.lcm(*(gain.denominator for gain in gains)))
        self.gains = [int(gain / self.unit) for gain in gains]
        self.lower = [_number(bound) for bound in model.lower.tolist()]
        self.upper = [_number(bound) for bound in model.upper.tolist()]
        self.row_lower = [_number(bound) for bound in model.row_lower.tolist()]
        self.row_upper = [_number(bound) for bound in model.row_upper.tolist()]
        self.columns: list[dict[int, Number]] = [{} for _ in gains]
        entries = model.matrix.tocoo()
        for row, column, entry in zip(*(part.tolist() for part in (*entries.coords, entries.data)), strict=True):
            self.columns[column][row] = self.columns[column].get(row, 0) + _number(entry)

    def choose(self, values: dict[int, int]) -> _Choice:
        """Return what these values move."""
        moves: dict[int, Number] = {}
        for column, value in values.items():
            for row, entry in self.columns[column].items():
                moves[row] = moves.get(row, 0) + entry * value
        return _Choice(values, sum(self.gains[column] * value for column, value in values.items()), moves)


@dataclass(frozen=True, slots=True)
class _Choice:
    """Values for the columns of one branch; those not named are 0."""

    values: dict[int, int]
    gain: int
    moves: dict[int, Number]


def _branches(exact: _Exact) -> Iterator[list[_Choice]]:
    """Yield what is chosen: a column of an at-most-one row or none of them, and a value of every other whole column."""
    model = exact.model
    free = set(np.flatnonzero(model.integer).tolist())
    for members in _packings(model):
        group = [column for column in members if column in free]
        if len(group) > 1:
            free.difference_update(group)
            yield [exact.choose({}), *(exact.choose({column: 1}) for column in group)]
    for column in sorted(free):
        low, high = model.lower[column], model.upper[column]
        if high - low >= MOST_PATTERNS:
            raise EngineFailed(say("engine.too-many-patterns", most=MOST_PATTERNS))
        yield [exact.choose({column: value}) for value in range(math.ceil(low), math.floor(high) + 1)]


def _packings(model: LinearModel) -> list[list[int]]:
    """Return the columns of each row that lets at most one of them be 1, the longest first."""
    binary = model.integer & (model.lower == 0) & (model.upper == 1)
    found = []
    for row in range(model.matrix.shape[0]):
        entries = slice(model.matrix.indptr[row], model.matrix.indptr[row + 1])
        columns, sizes = model.matrix.indices[entries], model.matrix.data[entries]
        if columns.size and binary[columns].all() and sizes.min() > 0 and model.row_upper[row] < 2 * sizes.min():
            found.append(columns.tolist())
    return sorted(found, key=len, reverse=True)


class _Search:
    """A walk through the branches, depth first, the choice that gains most first."""

    def __init__(self, exact: _Exact, branches: list[list[_Choice]], most_nodes: int | None, watch: Watch) -> None:
        self.exact = exact
        self.watch = watch
        self.most_nodes = most_nodes
        self.nodes = 0
        self.best: Number | None = None
        self.point: Floats | None = None
        self.rest = _Rest(exact)
        self.branches = [sorted(branch, key=lambda choice: -choice.gain) for branch in branches]
        self.branches.sort(key=lambda branch: -max((choice.gain for choice in branch), default=0))
        self.touched = [sorted({row for choice in branch for row in choice.moves}) for branch in self.branches]
        self.lowest, self.highest, self.hopes = self._suffixes()
        self.activity: list[Number] = [0] * len(exact.row_lower)
        self.values: dict[int, int] = {}

    def finding(self) -> Finding:
        """Walk to the end or to a limit; the bound of a walk cut short is what no point at all could pass."""
        ended = self._run()
        if ended is not StoppedBy.PROOF:
            hope = math.nextafter(float(self.hopes[0] * self.exact.unit), math.inf)
            return Finding(ended, self.point, hope, self.nodes)
        if self.point is None:
            return Finding(ended, None, -math.inf, self.nodes)
        return Finding(ended, self.point, value_of(self.exact.model, self.point), self.nodes)

    def _run(self) -> StoppedBy:
        try:
            if all(self.branches) and self._open(0, range(len(self.activity))):
                self._walk(0, 0)
        except InterruptedError:
            return self.watch.ended_by or StoppedBy.NODE_LIMIT
        return StoppedBy.PROOF

    def _suffixes(self) -> tuple[list[list[Number]], list[list[Number]], list[Number]]:
        """Return the least and the most that branch k and all after it add to each row, and their greatest gain."""
        lowest, highest = [self.rest.lowest], [self.rest.highest]
        hopes: list[Number] = [self.rest.hope]
        for branch, touched in zip(reversed(self.branches), reversed(self.touched), strict=True):
            low, high = list(lowest[0]), list(highest[0])
            for row in touched:
                moves = [choice.moves.get(row, 0) for choice in branch]
                low[row] += min(moves)
                high[row] += max(moves)
            lowest.insert(0, low)
            highest.insert(0, high)
            hopes.insert(0, hopes[0] + max((choice.gain for choice in branch), default=0))
        return lowest, highest, hopes

    def _walk(self, level: int, value: int) -> None:
        self._count()
        if level == len(self.branches):
            self._finish(value)
            return
        for choice in self.branches[level]:
            worth = value + choice.gain
            if self.best is not None and worth + self.hopes[level + 1] <= self.best:
                continue
            self.values.update(choice.values)
            for row, move in choice.moves.items():
                self.activity[row] += move
            if self._open(level + 1, self.touched[level]):
                self._walk(level + 1, worth)
            for row, move in choice.moves.items():
                self.activity[row] -= move
            for column in choice.values:
                del self.values[column]

    def _count(self) -> None:
        looking = self.nodes % _NODES_BETWEEN_LOOKS == 0
        if self.nodes == self.most_nodes or (looking and self.watch.ended_by):
            raise InterruptedError
        self.nodes += 1

    def _open(self, level: int, rows: Iterable[int]) -> bool:
        """Return whether what is still to be chosen can bring these rows between their sides."""
        lowest, highest = self.lowest[level], self.highest[level]
        return all(
            self.activity[row] + lowest[row] <= self.exact.row_upper[row]
            and self.activity[row] + highest[row] >= self.exact.row_lower[row]
            for row in rows
        )

    def _finish(self, value: int) -> None:
        answer = self.rest.best(self.activity, self.watch)
        if answer is None or (self.best is not None and value + answer[0] <= self.best):
            return
        self.best = value + answer[0]
        point = np.zeros(len(self.exact.gains))
        for column, amount in (*self.values.items(), *answer[1].items()):
            point[column] = float(amount)
        self.point = point
        self.watch.tell(value_of(self.exact.model, point), float(self.hopes[0] * self.exact.unit), self.nodes)


@dataclass(frozen=True, slots=True)
class _Part:
    """A column that need not be whole, written as ``origin + sign * y`` with ``0 <= y <= room``."""

    column: int
    sign: int
    origin: Number
    room: Number


class _Rest:
    """The columns that need not be whole: how far they can move each row and the value, and their best exact values."""

    def __init__(self, exact: _Exact) -> None:
        self.exact = exact
        columns = np.flatnonzero(~exact.model.integer).tolist()
        self.parts = [part for column in columns for part in _parts(column, exact.lower[column], exact.upper[column])]
        self.rows = sorted({row for column in columns for row in exact.columns[column]})
        self.lowest: list[Number] = [0] * len(exact.row_lower)
        self.highest: list[Number] = [0] * len(exact.row_lower)
        self.hope: Number = 0
        for column in columns:
            self.hope += self._range(exact.gains[column], column)[1]
            for row, entry in exact.columns[column].items():
                low, high = self._range(entry, column)
                self.lowest[row] += low
                self.highest[row] += high

    def _range(self, entry: Number, column: int) -> tuple[Number, Number]:
        if not entry:
            return 0, 0
        ends = entry * self.exact.lower[column], entry * self.exact.upper[column]
        return min(ends), max(ends)

    def best(self, activity: Sequence[Number], watch: Watch) -> tuple[Number, dict[int, Number]] | None:
        """Return the greatest gain beside this activity of the rows, and the values that reach it."""
        if not self.parts:
            return 0, {}
        gains = [Fraction(part.sign * self.exact.gains[part.column]) for part in self.parts]
        optimum = maximise(gains, list(self._rows(activity)), lambda: watch.ended_by is not None)
        if optimum is None:
            return None
        values: dict[int, Number] = {}
        for part, amount in zip(self.parts, optimum.point, strict=True):
            values[part.column] = values.get(part.column, part.origin) + part.sign * amount
        return sum(self.exact.gains[column] * value for column, value in values.items()), values

    def _rows(self, activity: Sequence[Number]) -> Iterator[tuple[list[Fraction], Fraction]]:
        for row in self.rows:
            entries = [self.exact.columns[part.column].get(row, 0) for part in self.parts]
            begun = activity[row] + sum(entry * part.origin for entry, part in zip(entries, self.parts, strict=True))
            slopes = [Fraction(entry * part.sign) for entry, part in zip(entries, self.parts, strict=True)]
            if not math.isinf(self.exact.row_upper[row]):
                yield slopes, Fraction(self.exact.row_upper[row] - begun)
            if not math.isinf(self.exact.row_lower[row]):
                yield [-slope for slope in slopes], Fraction(begun - self.exact.row_lower[row])
        for position, part in enumerate(self.parts):
            if not math.isinf(part.room):
                yield [Fraction(int(other == position)) for other in range(len(self.parts))], Fraction(part.room)


def _parts(column: int, lower: Number, upper: Number) -> Iterator[_Part]:
    if not math.isinf(lower):
        yield _Part(column, 1, lower, upper - lower)
    elif not math.isinf(upper):
        yield _Part(column, -1, upper, math.inf)
    else:
        yield _Part(column, 1, 0, math.inf)
        yield _Part(column, -1, 0, math.inf)

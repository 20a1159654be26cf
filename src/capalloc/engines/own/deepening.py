"""Problems of few rows are proved by asking for points of ever lower value, until there is one.

What is asked of a point falls from the bound of the relaxation (Korf 1985 deepens searches so); the first answers, and
what is found on the way to them, are the best there is.  Where it is open from how many groups something is taken, each
such number is asked apart: with it as one more row, multipliers say more.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from capalloc.engines.highs import program_of
from capalloc.engines.own.board import Board
from capalloc.engines.own.problem import Problem
from capalloc.engines.own.rounding import rounded_down
from capalloc.engines.own.sieving import Choices, Sieve, choices_of
from capalloc.engines.own.simplex import pass_model, silent_solver
from capalloc.model import Floats, Ints, Truths

# The largest problems: how many columns, and how many rows that do not only state groups.
_MOST_COLUMNS = 2_000
_MOST_ROWS = 60

# Where so many choices are looked at, one set of multipliers is enough; beyond, so many are used, of problems in which
# a row has room for so many mean entries more or less.
_QUICK = 4_000
_SETS = 12
_SHIFT = 5.0

# What is asked falls at first by what may be lost in so many groups, and at least by this part of the way down to the
# best known; then time and again by this factor, or by the larger one while so few choices are looked at.
_GROUPS_AT_FIRST = 8
_LEAST_FALL = 1e-4
_FALL = 1.35
_FALL_WHILE_QUICK = 2.0
_FEW = 60_000

# Whole numbers up to this are exact however they are added up.
_EXACT = 2.0**40

# What the relaxation solved once more counts for, with what each of its entries adds to that; and what counts for as
# much as a node of a tree.
_RELAXATION = 1_500
_ENTRY = 1.5
CHOICES_A_NODE = 1_000


def sievable(problem: Problem) -> bool:
    """Return whether a problem has nothing but 0/1 columns, and not too many."""
    groups, model = problem.groups, problem.model
    rows = len(model.row_upper) - int((groups.row >= 0).sum())
    open_ = groups.binary & (model.lower < 0.5) & (model.upper > 0.5)
    small = problem.size <= _MOST_COLUMNS and rows <= _MOST_ROWS
    exact = step_of(model.objective) > 0 and float(np.abs(model.matrix.data).max(initial=0.0)) <= _EXACT
    return small and exact and bool(open_.all())


@dataclass(frozen=True, slots=True)
class _Part:
    """All points, or those that take something from so many groups: ``bound`` is what none of them exceeds."""

    choices: Choices
    multipliers: Floats
    bound: float

    @property
    def slope(self) -> float:
        """What one more group adds to the bound, by the same multipliers."""
        return float(self.multipliers[-2] - self.multipliers[-1])


class Deepening:
    """The proof of one problem, a piece at a time.

    Attributes
    ----------
    worked
        How many choices were looked at, and what counts for as much.
    multipliers
        What room in each row is worth in the relaxation.
    """

    def __init__(self, board: Board) -> None:
        self.board, self.problem = board, board.problem
        self.worked = 0
        self._step = step_of(self.problem.model.objective)
        self._least = self._bound = float("inf")
        self.multipliers = np.zeros(len(self.problem.model.row_upper))
        self._passes: list[tuple[float, int]] = []
        groups = self.problem.groups
        free = ~groups.due
        self._numbers = int(free.sum())
        self._prices = _Prices(self.problem, free[groups.of])
        self._choices = choices_of(self.problem)
        taking = (self._choices.column >= 0) & free[groups.of[self._choices.column]]
        self._counted = _counting(self._choices, taking, len(self.problem.model.row_upper))
        self._parts: dict[int, _Part] = {}
        self._varied: dict[int, Floats] = {}
        self._pieces = self._all()
        self._looked = 0

    def proved(self, most: int) -> bool:
        """Go on until so many choices were looked at in all; true when no point is better than the best."""
        before = self.worked
        most = min(most, before + self.board.nodes_left * CHOICES_A_NODE)
        try:
            while self.worked < most and not self.board.over:
                next(self._pieces)
        except StopIteration:
            return True
        finally:
            self.board.count(-(-(self.worked - before) // CHOICES_A_NODE))
        return False

    @property
    def prospect(self) -> float:
        """How many choices the last pass will look at, if they become more as in those so far."""
        (before, fewer), (fall, more) = [(1.0, 1), (2.0, 1), *self._passes][-2:]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            power = max(0.0, np.log(more / fewer) / np.log(fall / before))
            grown = float(more * max(1.0, (self._bound - self._lowest) / fall) ** power)
        return max(grown, self._looked)

    @property
    def _beyond(self) -> float:
        """What a better point than the best is worth at least."""
        return self.board.value + self._step

    @property
    def _lowest(self) -> float:
        """The least that is worth asking for: no point is worth less than the worst choices together."""
        worst = float(np.minimum.reduceat(self._choices.gain, self._choices.begins).sum())
        return max(self._beyond, worst)

    def _solved(self) -> tuple[Floats, Floats] | None:
        """Solve the relaxation as it is set."""
        self.worked += _RELAXATION + round(_ENTRY * self.problem.model.matrix.nnz)
        return self._prices.solved()

    def _all(self) -> Iterator[None]:
        """Ask for less and less, a piece at a time, until nothing is better than the best."""
        x, multipliers = self._solved() or (np.zeros(self.problem.size), np.zeros(self._prices.last + 1))
        self.multipliers = multipliers[:-1]
        self.board.offer(rounded_down(self.problem, x))
        whole = _part(self._choices, self._choices.priced(multipliers))
        self._bound, middle = whole.bound, min(self._prices.taken(x), self._numbers)
        fall = self._first_fall(whole)
        while True:
            before, self._looked, self._least = self.worked, 0, max(whole.bound - fall, self._lowest)
            for key, part in (yield from self._asked(whole, middle)):
                yield from self._sieved(key, part)
            if self._least <= self._lowest:
                return
            self.board.lower(self._least)
            self._passes.append((fall, max(1, self._looked)))
            fall *= _FALL_WHILE_QUICK if self.worked - before < _FEW else _FALL

    def _first_fall(self, whole: _Part) -> float:
        """What is lost by a wrong choice in any of the groups where it loses least."""
        regrets = whole.choices.regrets(whole.choices.losses(whole.multipliers[None, :])[1][:, 0])
        regrets = np.sort(regrets[np.isfinite(regrets)])[:_GROUPS_AT_FIRST]
        return float(max(regrets.max(initial=0.0), self._step, _LEAST_FALL * (whole.bound - self._lowest)))

    def _asked(self, whole: _Part, middle: int) -> Generator[None, None, list[tuple[int, _Part]]]:
        """Return the parts that may hold what is asked, the most promising first; a relaxation is a piece."""
        if self._numbers < 2:
            return [(-1, whole)]
        upward, downward = range(middle, self._numbers + 1), range(middle - 1, -1, -1)
        asked = yield from self._worth(upward, 1, whole)
        asked += yield from self._worth(downward, -1, self._parts[middle])
        return sorted(asked, key=lambda pair: -pair[1].bound)

    def _worth(self, numbers: range, way: int, beside: _Part) -> Generator[None, None, list[tuple[int, _Part]]]:
        """Return the parts of these numbers that may hold what is asked."""
        found = []
        for number in numbers:
            beside = self._part(number, beside)
            yield
            if beside.bound >= self._least:
                found.append((number, beside))
            elif beside.slope * way <= 0:
                # By the same multipliers all further ones are worth even less.
                break
        return found

    def _part(self, number: int, beside: _Part) -> _Part:
        """The points that take something from so many groups; multipliers of the part beside it will do."""
        if number not in self._parts:
            self._prices.take(number)
            found = self._solved()
            choices = replace(self._counted, room=np.concatenate((self._choices.room, [number, -number])))
            other = np.append(beside.multipliers, np.zeros(len(choices.room) - len(beside.multipliers)))
            self._parts[number] = _part(choices, other if found is None else choices.priced(found[1]))
        return self._parts[number]

    def _sieved(self, key: int, part: _Part) -> Iterator[None]:
        """Search a part, with more multipliers where one set does not tell enough."""
        if key not in self._varied:
            sieve = Sieve(part.choices, part.multipliers[None, :], self._least)
            yield from self._some(sieve, _QUICK)
            if sieve.done:
                return
            self._varied[key] = self._variations(key, part)
        yield from self._some(Sieve(part.choices, self._varied[key], self._least), float("inf"))

    def _some(self, sieve: Sieve, most: float) -> Iterator[None]:
        while not sieve.done and sieve.worked < most:
            self._least = max(self._least, self._beyond)
            sieve.raise_to(self._least)
            worked, looked = sieve.worked, sieve.looked
            sieve.go(partial(self._take, sieve))
            self.worked += sieve.worked - worked
            self._looked += sieve.looked - looked
            self.board.beat()
            yield

    def _take(self, sieve: Sieve, columns: Ints) -> None:
        x = np.zeros(self.problem.size)
        x[columns] = 1.0
        self.board.offer(self.problem.point(x))
        sieve.raise_to(self._beyond)

    def _variations(self, number: int, part: _Part) -> Floats:
        """Multipliers of the part, and of what it would be with more or less room in one of its rows that bind."""
        if number >= 0:
            self._prices.take(number)
        sets = [part.multipliers]
        sides = part.choices.sides[part.multipliers > 0]
        for row in np.unique(np.where(sides >= 0, sides, ~sides)).tolist():
            if row < self._prices.last and len(sets) < _SETS:
                for more in (_SHIFT, -_SHIFT):
                    with self._prices.room(row, more):
                        found = self._solved()
                    sets += [] if found is None else [part.choices.priced(found[1])]
        return np.array(sets)


class _Prices:
    """The relaxation with one more row, how many groups something is taken from."""

    def __init__(self, problem: Problem, counted: Truths) -> None:
        from scipy.sparse import csr_array, vstack

        self.problem, self.counted = problem, counted
        model = problem.scaled
        self.last = len(model.row_upper)
        self.solver = silent_solver(small_matrix_value=1e-12, solver="simplex")
        pass_model(
            self.solver,
            program_of(
                replace(
                    model,
                    matrix=csr_array(vstack([model.matrix, csr_array(counted[None, :].astype(np.float64))])),
                    row_lower=np.append(model.row_lower, -np.inf),
                    row_upper=np.append(model.row_upper, np.inf),
                    integer=np.zeros(problem.size, dtype=bool),
                )
            ),
        )

    def take(self, number: int) -> None:
        """Have something taken from so many groups."""
        self.solver.changeRowBounds(self.last, number, number)

    def taken(self, x: Floats) -> int:
        """Return from how many groups a relaxed point takes something, more or less."""
        return round(float(x[self.counted].sum()))

    @contextmanager
    def room(self, row: int, more: float) -> Iterator[None]:
        """Let a row have room for so many mean entries more."""
        model = self.problem.scaled
        lower, upper = float(model.row_lower[row]), float(model.row_upper[row])
        by = more * float(np.abs(model.matrix[[row]].data).mean())
        self.solver.changeRowBounds(row, lower + by, upper + by)
        yield
        self.solver.changeRowBounds(row, lower, upper)

    def solved(self) -> tuple[Floats, Floats] | None:
        """Return the point of the relaxation and what each row is worth; ``None`` where HiGHS finds none."""
        self.solver.run()
        if self.solver.getModelStatus().name != "kOptimal":
            return None
        solution, scaling = self.solver.getSolution(), self.problem.scaling
        multipliers = -np.array(solution.row_dual) / scaling.objective
        multipliers[: self.last] *= scaling.rows
        return np.array(solution.col_value), multipliers


def _part(choices: Choices, multipliers: Floats) -> _Part:
    return _Part(choices, multipliers, float(choices.losses(multipliers[None, :])[0][0]))


def _counting(choices: Choices, taking: Truths, row: int) -> Choices:
    """Return the choices with the two sides of one more row that counts some of them, as yet without room."""
    one = taking.astype(np.float64)
    sides = np.concatenate((choices.sides, [row, ~row]))
    return replace(choices, asks=np.column_stack((choices.asks, one, -one)), sides=sides)


def step_of(gains: Floats) -> float:
    """Return what values of points differ by at least; 0 where that is not known."""
    whole = np.abs(gains[gains != 0])
    if not len(whole) or (whole != np.rint(whole)).any() or whole.sum() > _EXACT:
        return 0.0
    return float(np.gcd.reduce(whole.astype(np.int64)))

"""A known point made one of another problem, and better: options change places one, two or three at a time.

No linear program is solved and no tree searched, so that this takes milliseconds; columns that are not 0/1 ones keep
their values.  After a change of a few rooms it often is all that is needed.

Which changes are worth combining, prices of the shared rows say.  A change loses what it uses at these prices, less
what it gains; all the room that is left is worth so much at the same prices; and changes together gain only what that
room is worth beyond their losses.  So those that lose more need not be looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from capalloc.engines.own.problem import Problem
from capalloc.model import Floats, Ints, Truths

if TYPE_CHECKING:
    from scipy.sparse import csc_array

# Rows that tie at least so many groups together are looked at for all moves at once, if they are not too many, and for
# several moves together where that is quick.
_MANY = 8
_LARGEST = 4_000_000
_SMALL = 100_000

# Moves that lose least, of which two and of which three are tried together; and the best such answers that are held
# against every row, in all and of the threes that share their last move.
_IN_PAIRS = 600
_IN_THREES = 150
_ANSWERS = 40
_OF_EACH = 5

_REPAIRS = 400

# Whole rows are exact; others may be passed by this part of what they hold.
_NOISE = 1e-9

# A gain below this part of the value is not worth a change.
_LITTLE = 1e-7


def exchanged(
    problem: Problem,
    point: Floats,
    enough: float,
    prices: Floats,
    most_threes: int = _REPAIRS,
    over: Callable[[], bool] = lambda: False,
) -> Floats | None:
    """Return a point that holds, as good as changes of three options make the given one; ``None`` when it stays broken.

    What is paid in parts follows first what is taken, in the proportions that the point has.

    Parameters
    ----------
    point
        Shape (n,), within the bounds of the columns; it may break rows.
    enough
        A value with which there is no need to go on.
    prices
        Shape (m,): what room in each row is worth, as a relaxation has it.
    most_threes
        How often three options may be changed together, which takes ten times as long to find as two.
    over
        Says whether there is no time left to go on.
    """
    state = _State(problem, _followed(problem, point))
    if not state.dense or not state.repaired(over):
        return None
    state.threes = most_threes
    while state.value < enough and not over() and (state.step() or (state.small and state.combine(prices))):
        pass
    return problem.point(state.x)


@dataclass(frozen=True, slots=True)
class _Moves:
    """Every way to change one group: what is taken instead of what, −1 for nothing, and what it gains and uses."""

    into: Ints
    out: Ints
    group: Ints
    gain: Floats
    use: Floats


@dataclass(frozen=True, slots=True)
class _Offers:
    """Moves that may gain something together, those first that lose least at the prices of the shared rows.

    ``use`` has a row for each shared row; together they must stay between ``below`` and ``above``, and lose less than
    ``room``, what all that is left is worth.
    """

    move: Ints
    use: Floats
    gain: Floats
    group: Ints
    loss: Floats
    below: Floats
    above: Floats
    room: float

    def best_pairs(self, little: float) -> Iterator[tuple[int, ...]]:
        """Yield two moves of different groups that gain more than ``little``, the best first."""
        first, second = self._pairs(len(self.move))
        gain = self.gain[first] + self.gain[second]
        found = self._fitting((first, second), np.flatnonzero(gain > little))
        for pair in found[np.argsort(-gain[found], kind="stable")][:_ANSWERS].tolist():
            yield int(self.move[first[pair]]), int(self.move[second[pair]])

    def _pairs(self, count: int) -> tuple[Ints, Ints]:
        """Which two of the first so many moves lose less than the room is worth, the one that loses less in front."""
        places, loss = np.arange(count), self.loss[:count]
        counts = np.maximum(np.searchsorted(loss, self.room - loss) - places - 1, 0)
        first = np.repeat(places, counts)
        return first, first + 1 + np.arange(len(first)) - np.repeat(np.cumsum(counts) - counts, counts)

    def _fitting(self, parts: tuple[Ints, ...], among: Ints) -> Ints:
        """Which combinations, listed by ``parts``, keep every shared row within its sides and move each group once."""
        for row, below, above in zip(self.use, self.below, self.above, strict=True):
            used = sum(row[part[among]] for part in parts)
            among = among[(used >= below) & (used <= above)]
        for place, part in enumerate(parts):
            for other in parts[:place]:
                among = among[self.group[part[among]] != self.group[other[among]]]
        return among

    def best_threes(self, little: float) -> Iterator[tuple[int, ...]]:
        """Yield three moves, likewise."""
        count = min(len(self.move), _IN_THREES)
        first, second = self._pairs(count)
        gain, loss = self.gain[first] + self.gain[second], self.loss[first] + self.loss[second]
        found: list[tuple[float, tuple[int, ...]]] = []
        for last in range(2, count):
            third = np.full(len(first), last)
            among = (second < last) & (loss < self.room - self.loss[last]) & (gain > little - self.gain[last])
            fitting = self._fitting((first, second, third), np.flatnonzero(among))
            for three in fitting[np.argsort(-gain[fitting], kind="stable")][:_OF_EACH].tolist():
                moves = (first[three], second[three], last)
                found.append((-float(gain[three] + self.gain[last]), tuple(self.move[list(moves)].tolist())))
        yield from (moves for _, moves in sorted(found)[:_ANSWERS])


class _State:
    """A point on its way, with what each row adds up to."""

    def __init__(self, problem: Problem, point: Floats) -> None:
        from scipy.sparse import csc_array, hstack

        self.problem, self.model, self.x = problem, problem.model, point.copy()
        self.columns: csc_array = csc_array(self.model.matrix)
        binary = problem.groups.binary
        self.x[binary] = self.x[binary] > 0.5
        self.free = np.flatnonzero(binary & (self.model.upper > self.model.lower))
        self.sums: Floats = self.model.matrix @ self.x
        self.noise = _NOISE * np.maximum(1.0, abs(self.model.matrix) @ np.abs(self.x))
        self.shared = self._shared()
        self.dense = len(self.shared) * len(self.free) <= _LARGEST
        self.small = len(self.shared) * len(self.free) <= _SMALL
        self.value = problem.worth(self.x)
        self.threes = 0
        if self.dense:
            self.uses: Floats = self.columns[self.shared].toarray().T
            self.moves = self._moves()
        if self.small:
            self.others = np.setdiff1d(np.arange(len(self.sums)), self.shared)
            local = self.columns.tocsr()[self.others]
            # The last column, which −1 finds, is taking nothing.
            self.local: csc_array = hstack([local, csc_array((len(self.others), 1))], format="csc")

    def _shared(self) -> Ints:
        matrix, groups = self.model.matrix, self.problem.groups
        rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
        pairs = np.unique(rows * groups.count + groups.of[matrix.indices])
        return np.flatnonzero(np.bincount(pairs // groups.count, minlength=matrix.shape[0]) >= _MANY)

    def _moves(self) -> _Moves:
        of, due, free = self.problem.groups.of, self.problem.groups.due, self.free
        taken = np.full(self.problem.groups.count, -1, dtype=np.int64)
        chosen = free[self.x[free] > 0.5]
        taken[of[chosen]] = chosen
        # Where a held column of the group is taken, the group has no move.
        held = self.problem.groups.binary & (self.x > 0.5)
        held[free] = False
        shut = np.zeros(len(taken), dtype=bool)
        shut[of[held]] = True
        into = free[(self.x[free] < 0.5) & ~shut[of[free]]]
        dropped = chosen[~due[of[chosen]]]
        into, out = np.concatenate([into, np.full(len(dropped), -1)]), np.concatenate([taken[of[into]], dropped])
        gain = _at(self.model.objective, into) - _at(self.model.objective, out)
        use = _at(self.uses, into) - _at(self.uses, out)
        return _Moves(into, out, of[np.where(into >= 0, into, out)], gain, use)

    def repaired(self, over: Callable[[], bool]) -> bool:
        """Change one group after the other until every row holds, those first that lose least for what they mend."""
        for _ in range(_REPAIRS):
            lack = self._lack(self.sums)
            if not (lack > self.noise).any():
                return True
            if over():
                return False
            size = np.maximum(1.0, np.abs(self.sums))[self.shared]
            before = (lack[self.shared] / size).sum()
            after = (self._lack_shared(self.sums[self.shared] + self.moves.use) / size).sum(axis=1)
            helps = np.flatnonzero(after < before)
            price = -self.moves.gain[helps] / (before - after[helps])
            for move in helps[np.argsort(price, kind="stable")].tolist():
                if self._harmless(move):
                    self._apply(move)
                    break
            else:
                return False
        return False

    def step(self) -> bool:
        """Make the single change that gains most, if one gains."""
        moves = self.moves
        found = np.flatnonzero(self._fit(moves.use) & (moves.gain > self._little))
        for move in found[np.argsort(-moves.gain[found], kind="stable")][:_ANSWERS].tolist():
            if self._holds((move,)):
                self._apply(move)
                return True
        return False

    def combine(self, prices: Floats) -> bool:
        """Make the two changes that gain most together, or else three, where some gain."""
        offers = self._offers(prices)
        if self._made(offers.best_pairs(self._little)):
            return True
        self.threes -= 1
        return self.threes >= 0 and self._made(offers.best_threes(self._little))

    def _made(self, offered: Iterator[tuple[int, ...]]) -> bool:
        """Make the first of some combinations that every row bears."""
        moves = next(filter(self._holds, offered), None)
        if moves is not None:
            self._apply(*moves)
        return moves is not None

    def _offers(self, prices: Floats) -> _Offers:
        moves, rows, noise = self.moves, self.shared, self.noise[self.shared]
        above = self.model.row_upper[rows] - self.sums[rows] + noise
        below = self.model.row_lower[rows] - self.sums[rows] - noise
        prices = np.where(np.isfinite(np.where(prices[rows] > 0, above, below)), prices[rows], 0.0)
        left = np.where(prices > 0, above, below)
        room = float((prices * np.where(prices == 0, 0.0, left)).sum())
        loss = moves.use @ prices - moves.gain
        kept = np.flatnonzero(self._harmless_alone())
        kept = kept[np.argsort(loss[kept], kind="stable")][:_IN_PAIRS]
        use = np.ascontiguousarray(moves.use[kept].T)
        return _Offers(kept, use, moves.gain[kept], moves.group[kept], loss[kept], below, above, room)

    def _harmless_alone(self) -> Truths:
        """Which moves keep every row that is not shared."""
        change = (self.local[:, self.moves.into] - self.local[:, self.moves.out]).tocsc()
        rows = self.others[change.indices]
        sums = self.sums[rows] + change.data
        broken = (sums > self.model.row_upper[rows] + self.noise[rows]) | (
            sums < self.model.row_lower[rows] - self.noise[rows]
        )
        owner = np.repeat(np.arange(change.shape[1]), np.diff(change.indptr))
        harmless: Truths = np.bincount(owner, broken, minlength=change.shape[1]) == 0
        return harmless

    @property
    def _little(self) -> float:
        return _LITTLE * max(1.0, abs(self.value))

    def _fit(self, use: Floats) -> Truths:
        rows, noise = self.shared, self.noise[self.shared]
        sums = self.sums[rows]
        above, below = self.model.row_upper[rows] - sums + noise, self.model.row_lower[rows] - sums - noise
        fits: Truths = ((use <= above) & (use >= below)).all(axis=1)
        return fits

    def _lack(self, sums: Floats) -> Floats:
        return np.maximum(0.0, np.maximum(sums - self.model.row_upper, self.model.row_lower - sums))

    def _lack_shared(self, sums: Floats) -> Floats:
        upper, lower = self.model.row_upper[self.shared], self.model.row_lower[self.shared]
        return np.maximum(0.0, np.maximum(sums - upper, lower - sums))

    def _change(self, moves: tuple[int, ...]) -> tuple[Ints, Floats]:
        """The rows that moves touch, each once, and what they add to them."""
        rows, amounts = [], []
        for move in moves:
            for column, sign in ((self.moves.into[move], 1.0), (self.moves.out[move], -1.0)):
                if column >= 0:
                    inside = slice(self.columns.indptr[column], self.columns.indptr[column + 1])
                    rows.append(self.columns.indices[inside])
                    amounts.append(sign * self.columns.data[inside])
        touched, place = np.unique(np.concatenate(rows), return_inverse=True)
        added: Floats = np.bincount(place, np.concatenate(amounts), minlength=len(touched)).astype(np.float64)
        return touched, added

    def _holds(self, moves: tuple[int, ...]) -> bool:
        rows, amounts = self._change(moves)
        sums = self.sums[rows] + amounts
        above, below = self.model.row_upper[rows] + self.noise[rows], self.model.row_lower[rows] - self.noise[rows]
        return bool(((sums <= above) & (sums >= below)).all())

    def _harmless(self, move: int) -> bool:
        """Whether a move lets no row lack more than it does."""
        rows, amounts = self._change((move,))
        before, after = self.sums.copy(), self.sums.copy()
        after[rows] += amounts
        return bool((self._lack(after)[rows] <= self._lack(before)[rows] + self.noise[rows]).all())

    def _apply(self, *moves: int) -> None:
        rows, amounts = self._change(moves)
        self.sums[rows] += amounts
        for move in moves:
            if self.moves.out[move] >= 0:
                self.x[self.moves.out[move]] = 0.0
            if self.moves.into[move] >= 0:
                self.x[self.moves.into[move]] = 1.0
            self.value += self.moves.gain[move]
        self.moves = self._moves()


def _followed(problem: Problem, point: Floats) -> Floats:
    """The point with its options whole, and with the parts scaled that a row has to make up for what is taken."""
    model, binary = problem.model, problem.groups.binary
    x = np.where(binary, (point > 0.5).astype(np.float64), point)
    if binary.all():
        return x
    parts, matrix = np.where(binary, 0.0, x), model.matrix.tocsr()
    paid = matrix @ parts
    owed = model.row_upper - matrix @ np.where(binary, x, 0.0)
    due = np.flatnonzero((model.row_lower == model.row_upper) & (paid != 0.0))
    factor = np.ones(len(x))
    rows = matrix[due]
    factor[rows.indices] = np.repeat(np.maximum(0.0, owed[due] / paid[due]), np.diff(rows.indptr))
    moved: Floats = np.where(binary, x, np.clip(x * factor, model.lower, model.upper))
    return moved


def _at(numbers: Floats, columns: Ints) -> Floats:
    """The numbers of columns, 0 where there is none."""
    found = numbers[columns]
    found[columns < 0] = 0.0
    return found

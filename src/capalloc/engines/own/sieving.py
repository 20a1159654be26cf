"""Every point that could be better than the best, sieved out group by group, thousands side by side.

Multipliers of the rows say what each choice in a group loses at least, whatever is chosen in the others (Dantzig,
Fulkerson and Johnson 1954 fix single columns so).  A point that is worth enough loses no more in all than the bound
lies above that, by each of several sets of multipliers at once, and in problems of few rows few choices can be combined
so.  Groups are gone through one after the other, those first in which a wrong choice loses most; what is left of all
combinations so far is kept in arrays, as in dynamic programming with bounds (Marsten and Morin 1978).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from capalloc.engines.own.problem import Problem
from capalloc.model import Floats, Ints, Truths

# A row of whole columns is missed by one or not at all.
_ROW_NOISE = 0.25

# Sums of gains and losses are rounded by less than this part of their size.
_NOISE = 1e-11

# Combinations that are gone on with side by side, and how many more could be for what a step takes in any case.
_WIDE = 8_000
_BESIDE = 100

# Numbers that all combinations that wait may hold, half a gigabyte of them; and after how many looks others may see to
# the limits.
_MOST_NUMBERS = 60_000_000
_PIECE = 400_000

# A choice counts once with so many sides and multipliers, and more often with more.
_LIGHT = 30


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be chosen in each group, one option or none, and what that gains and asks for.

    Parameters
    ----------
    begins
        Shape (groups,): where the choices of each group begin.
    column
        Shape (choices,): the option; −1 for none.
    gain
        Shape (choices,).
    asks
        Shape (choices, sides): what it takes of each side of a row, negative where it gives.
    room
        Shape (sides,): what all choices together may ask for.
    sides
        Shape (sides,): the row whose upper side it is, or ``~row`` where it is the lower one.
    """

    begins: Ints
    column: Ints
    gain: Floats
    asks: Floats
    room: Floats
    sides: Ints

    @property
    def sizes(self) -> Ints:
        """How many choices each group has."""
        return np.diff(self.begins, append=len(self.column))

    def only(self, kept: Truths) -> Choices | None:
        """Return what is left of the choices; ``None`` where a group is left without one."""
        counts = np.add.reduceat(kept.astype(np.int64), self.begins)
        if not counts.all():
            return None
        begins = np.cumsum(counts) - counts
        return replace(self, begins=begins, column=self.column[kept], gain=self.gain[kept], asks=self.asks[kept])

    def losses(self, multipliers: Floats) -> tuple[Floats, Floats]:
        """Return what no point exceeds, and what each choice takes from that at least, by weak duality.

        The bounds include what rounding may have taken from them, which is much where large terms cancel.

        Parameters
        ----------
        multipliers
            Shape (sets, sides), none below 0.  Any prove a bound.

        Returns
        -------
        bounds, losses
            Shapes (sets,) and (choices, sets).
        """
        gains = self.gain - multipliers @ self.asks.T
        best = np.maximum.reduceat(gains, self.begins, axis=1)
        losses = np.ascontiguousarray((np.repeat(best, self.sizes, axis=1) - gains).T)
        terms = np.abs(self.gain) + multipliers @ np.abs(self.asks).T
        size = multipliers @ np.abs(self.room) + np.maximum.reduceat(terms, self.begins, axis=1).sum(axis=1)
        return multipliers @ self.room + best.sum(axis=1) + _NOISE * size, losses

    def regrets(self, losses: Floats) -> Floats:
        """Return what is lost at least in each group where the best choice is not taken; infinity without another."""
        spans = zip(self.begins.tolist(), (self.begins + self.sizes).tolist(), strict=True)
        return np.array([np.inf if end == begin + 1 else np.partition(losses[begin:end], 1)[1] for begin, end in spans])

    def priced(self, multipliers: Floats) -> Floats:
        """Return what room in each side is worth, by what it is worth in each row."""
        of_rows = multipliers[np.where(self.sides >= 0, self.sides, ~self.sides)]
        return np.maximum(np.where(self.sides >= 0, of_rows, -of_rows), 0.0)


def choices_of(problem: Problem) -> Choices:
    """Return the choices of a problem of 0/1 columns, and those sides of rows that can be passed."""
    model, groups = problem.model, problem.groups
    above, below = np.flatnonzero(np.isfinite(model.row_upper)), np.flatnonzero(np.isfinite(model.row_lower))
    entries = model.matrix.toarray()
    by_column = np.concatenate((entries[above], -entries[below])).T
    free = np.flatnonzero(~groups.due)
    group = np.concatenate((groups.of, free))
    order = np.argsort(group, kind="stable")
    column = np.concatenate((np.arange(problem.size), np.full(len(free), -1)))[order]
    begins = np.flatnonzero(np.diff(group[order], prepend=-1))
    some = column >= 0
    asks = np.where(some[:, None], by_column[column], 0.0)
    room = np.concatenate((model.row_upper[above], -model.row_lower[below]))
    passable = np.maximum.reduceat(asks, begins, axis=0).sum(axis=0) > room + _ROW_NOISE
    sides = np.concatenate((above, ~below))
    gain = np.where(some, model.objective[column], 0.0)
    return Choices(begins, column, gain, asks[:, passable], room[passable], sides[passable])


@dataclass(frozen=True, slots=True)
class _Trail:
    """Which combination each one came from, and what it chose; through it all that was chosen is found again."""

    before: _Trail | None
    parent: Ints
    choice: Ints | None

    def choices(self, place: int) -> list[int]:
        """Return all choices of one combination."""
        found: list[int] = []
        trail: _Trail | None = self
        while trail is not None:
            if trail.choice is not None:
                found.append(int(trail.choice[place]))
            place = int(trail.parent[place])
            trail = trail.before
        return found


@dataclass(frozen=True, slots=True)
class _Some:
    """Combinations of choices in the first so many groups: their bounds, the room they leave and what they gain."""

    level: int
    bounds: Floats
    room: Floats
    gain: Floats
    trail: _Trail | None = None

    def part(self, places: Ints) -> _Some:
        """Return some of these."""
        trail = _Trail(self.trail, places, None)
        return _Some(self.level, self.bounds[places], self.room[places], self.gain[places], trail)


class Sieve:
    """The search for the points worth at least so much, a piece at a time.

    Parameters
    ----------
    multipliers
        Shape (sets, sides), none below 0: what room in each side is worth.  Any are right, and good ones quick.
    least
        What a point must be worth.

    Attributes
    ----------
    looked
        How many choices were looked at.
    worked
        As many, and more where looking at one takes longer or a few are looked at on their own.
    wide
        How many combinations are gone on with side by side.
    """

    def __init__(self, choices: Choices, multipliers: Floats, least: float) -> None:
        self.bounds, losses = choices.losses(multipliers)
        self.noise = _NOISE * float(np.abs(self.bounds).max(initial=0.0) + np.abs(choices.gain).sum())
        self.least = least - self.noise
        self.looked = self.worked = 0
        self.wide = _WIDE
        self._weight = max(1.0, (len(choices.room) + len(multipliers)) / _LIGHT)
        self._left: list[_Some] = []
        kept: Truths = np.all(losses <= self.bounds - self.least, axis=1)
        left = choices.only(kept) if (self.bounds >= self.least).all() else None
        if left is not None:
            self._begin(left, losses[kept])

    def raise_to(self, least: float) -> None:
        """Ask more of a point."""
        self.least = max(self.least, least - self.noise)

    @property
    def done(self) -> bool:
        """Whether no point is left."""
        return not self._left

    def go(self, found: Callable[[Ints], None]) -> None:
        """Search one more piece.

        Parameters
        ----------
        found
            Called with the columns of a point that is worth enough; it may ask more of the next.
        """
        some, end = self._left.pop(), self.worked + _PIECE
        while some.level < len(self._spans) and 0 < len(some.gain) <= self.wide and self.worked < end:
            some = self._next(some)
        if some.level == len(self._spans):
            for place in np.argsort(-some.gain, kind="stable").tolist():
                if some.gain[place] < self.least:
                    break
                chosen = [*self._always.tolist(), *([] if some.trail is None else some.trail.choices(place))]
                column = self._choices.column[chosen]
                found(column[column >= 0])
        elif 0 < len(some.gain) <= self.wide:
            self._left.append(some)
        elif len(some.gain):
            # The better half first: what it holds may spare the other.
            rank = np.argsort(some.bounds.min(axis=1), kind="stable")
            self._left += [some.part(rank[: len(rank) // 2]), some.part(rank[len(rank) // 2 :])]

    def _begin(self, choices: Choices, losses: Floats) -> None:
        """Take what is left alone in its group, and put the other groups in order."""
        single = choices.sizes == 1
        self._choices, self._losses, self._always = choices, losses, choices.begins[single]
        spans = list(zip(choices.begins.tolist(), (choices.begins + choices.sizes).tolist(), strict=True))
        order = np.argsort(-choices.regrets(losses[:, 0]), kind="stable")[int(single.sum()) :]
        self._spans = [spans[place] for place in order.tolist()]
        least = np.minimum.reduceat(choices.asks, choices.begins, axis=0)[order]
        # At each level as many as there are choices in its group may wait, each with a number for each side and bound.
        numbers = sum(end - begin for begin, end in self._spans) * (len(choices.room) + len(self.bounds))
        self.wide = max(1, min(_WIDE, _MOST_NUMBERS // max(1, numbers)))
        self._room_after = np.cumsum(least[::-1], axis=0)[::-1] - least - _ROW_NOISE
        bounds = self.bounds - losses[self._always].sum(axis=0)
        room = choices.room - choices.asks[self._always].sum(axis=0)
        if (bounds >= self.least).all() and (room >= least.sum(axis=0) - _ROW_NOISE).all():
            gain = choices.gain[self._always].sum(keepdims=True)
            self._left = [_Some(0, bounds[None, :], room[None, :], gain)]

    def _next(self, some: _Some) -> _Some:
        """Go on to the next group."""
        choices, after = self._choices, self._room_after[some.level]
        begin, end = self._spans[some.level]
        self.looked += len(some.gain) * (end - begin)
        self.worked += round((len(some.gain) + _BESIDE) * (end - begin) * self._weight)
        bounds, rooms, gains, parents = [], [], [], []
        for choice in range(begin, end):
            bound = some.bounds - self._losses[choice]
            room = some.room - choices.asks[choice]
            kept = np.flatnonzero((bound >= self.least).all(axis=1) & (room >= after).all(axis=1))
            bounds.append(bound[kept])
            rooms.append(room[kept])
            gains.append(some.gain[kept] + choices.gain[choice])
            parents.append(kept.astype(np.int32))
        chosen = np.repeat(np.arange(begin, end, dtype=np.int32), [len(kept) for kept in parents])
        trail = _Trail(some.trail, np.concatenate(parents), chosen)
        return _Some(some.level + 1, np.concatenate(bounds), np.concatenate(rooms), np.concatenate(gains), trail)

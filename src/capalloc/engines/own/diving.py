"""Fix options one after the other where the relaxation wants them, the most valuable undecided project first."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from capalloc.engines.own.problem import Problem, dual_bound
from capalloc.engines.own.simplex import Relaxed, Simplex
from capalloc.model import Floats, Ints, Truths

_WHOLE = 1e-6

# A step that costs more than this part of the value is thought over.
_MUCH = 1e-4

# A dive that has cost so much of it has decided badly about something large.
_TOO_MUCH = 2e-3


@dataclass(frozen=True, slots=True)
class Dive:
    """Where a dive ended: the last relaxation that had a point, its reduced gains, and the groups it decided."""

    relaxed: Relaxed
    gains: Floats
    decided: Truths


def undecided(problem: Problem, x: Floats) -> Ints:
    """Return the groups that a relaxed point takes a part of."""
    return np.unique(problem.groups.of[in_part(problem, x)])


def in_part(problem: Problem, x: Floats) -> Truths:
    """Return the 0/1 columns that a relaxed point takes a part of."""
    part: Truths = problem.groups.binary & (x > _WHOLE) & (x < 1 - _WHOLE)
    return part


def near(problem: Problem, x: Floats, gains: Floats, share: float) -> Ints:
    """Return the columns that the relaxation takes or loses little by, a ``share`` of all 0/1 ones."""
    loss = np.where(problem.groups.binary, np.abs(gains), 0.0)
    limit = np.quantile(loss, share) if len(loss) else 0.0
    return np.flatnonzero((loss <= limit) | (x > _WHOLE) | (problem.model.lower > 0))


def best_dive(
    root: Relaxed,
    lp: Callable[[], Simplex],
    steps: int,
    batch: int,
    rng: np.random.Generator,
    *,
    others: int,
    patience: float = float("inf"),
    doubting: bool = False,
) -> Dive:
    """Return where a dive ends; where that costs the relaxation much, the best of several that leave some to chance.

    A project of great value that a plan would do better without stays in every plan near to the end of a dive that took
    it, so that more depends on it than on all that comes after.

    Parameters
    ----------
    lp
        Makes the relaxation that a dive needs for itself.
    others
        How many more dives there may be.
    patience
        Seconds of work after which no other is begun.
    doubting
        Leave projects to chance in the first dive too.
    """
    began = time.thread_time()
    best = dive(root, lp(), steps, batch, rng, doubting=doubting)
    for _ in range(others):
        other = lp()
        bearable = root.value - best.relaxed.value <= _TOO_MUCH * max(abs(root.value), 1.0)
        if bearable or time.thread_time() - began > patience or other.board.over:
            break
        best = max(best, dive(root, other, steps, batch, rng, doubting=True), key=lambda ended: ended.relaxed.value)
    return best


def dive(
    root: Relaxed, lp: Simplex, steps: int, batch: int, rng: np.random.Generator, *, doubting: bool = False
) -> Dive:
    """Return where a dive from the root relaxation ends.

    In each step the undecided projects of the greatest relaxed values, blurred a little, take their options of the
    greatest part.  Where that costs the relaxation its point, or much of its value, only the first takes it, or is
    forbidden it, whichever costs less.  A dive to the bottom ends in dead ends, so it stops after ``steps`` projects.

    Parameters
    ----------
    lp
        The relaxation over columns near to being taken; its bounds are left as the dive has set them.
    batch
        How many projects are decided at once.
    doubting
        Take a project only as likely as the relaxation takes it, and nothing of it otherwise.
    """
    walk = _Walk(lp, root, np.exp(rng.uniform(-0.1, 0.1, lp.problem.size)), rng if doubting else None)
    while walk.decided.sum() < steps and not lp.board.over:
        taken = walk.most_valuable(batch)
        if not len(taken) or not walk.step(taken):
            break
    walk.settle()
    return Dive(walk.last, dual_bound(lp.problem, walk.last.multipliers)[1], walk.decided)


class _Walk:
    def __init__(self, lp: Simplex, root: Relaxed, blur: Floats, doubts: np.random.Generator | None) -> None:
        problem = lp.problem
        self.problem, self.lp, self.last, self.blur, self.doubts = problem, lp, root, blur, doubts
        self.left_out = np.zeros(problem.groups.count, dtype=bool)
        self.decided = np.zeros(problem.groups.count, dtype=bool)
        self.forbidden = np.zeros(problem.size, dtype=bool)
        self.much = _MUCH * max(abs(root.value), 1.0)

    def step(self, taken: Ints) -> bool:
        """Decide on some options; false at a dead end."""
        self._doubt(taken)
        answer = self._with(taken, 1.0)
        if len(taken) > 1 and self._costly(answer, len(taken)):
            self._open(taken)
            taken = taken[:1]
            answer = self._with(taken, 1.0)
        if self._costly(answer, 1):
            self._open(taken)
            other = self._with(taken, 0.0)
            if other is not None and (answer is None or other.value >= answer.value):
                self.last = other
                return True
            answer = self._with(taken, 1.0) if answer is not None else None
        if answer is None:
            return False
        self.decided[self.problem.groups.of[taken]] = True
        self.last = answer
        return True

    def _doubt(self, taken: Ints) -> None:
        """Leave out what chance does not take of a project, the less likely the more the relaxation takes."""
        groups = self.problem.groups
        if self.doubts is None:
            return
        whole = np.bincount(groups.of[groups.binary], self.last.x[groups.binary], groups.count)
        of = groups.of[taken]
        self.left_out[of] = ~groups.due[of] & (self.doubts.random(len(taken)) > whole[of])

    def settle(self) -> None:
        """Solve the relaxation once more with the rows that its point breaks."""
        self.last = self.lp.solve() or self.last

    def _costly(self, answer: Relaxed | None, count: int) -> bool:
        return answer is None or self.last.value - answer.value > self.much * count

    def _with(self, taken: Ints, value: float) -> Relaxed | None:
        """The relaxation when some options are taken, and their siblings not, or when they are forbidden.

        Of a project that is left out nothing is taken.
        """
        if value:
            siblings = self._siblings(taken)
            fixed = np.where(np.isin(siblings, taken) & ~self.left_out[self.problem.groups.of[siblings]], value, 0.0)
            self.lp.bound(siblings, fixed, fixed)
        else:
            self.lp.bound(taken, np.zeros(len(taken)), np.zeros(len(taken)))
            self.forbidden[taken] = True
        return self.lp.solve(passing=True)

    def _open(self, taken: Ints) -> None:
        siblings = self._siblings(taken)
        model = self.problem.model
        self.lp.bound(siblings, model.lower[siblings], np.where(self.forbidden[siblings], 0.0, model.upper[siblings]))

    def _siblings(self, taken: Ints) -> Ints:
        groups = self.problem.groups
        return np.flatnonzero(np.isin(groups.of, groups.of[taken]) & groups.binary)

    def most_valuable(self, count: int) -> Ints:
        """The options of the greatest part in the undecided groups of the greatest value."""
        problem, x = self.problem, self.last.x
        part = np.flatnonzero(in_part(problem, x))
        group = problem.groups.of[part]
        worth = np.bincount(group, (problem.model.objective * x * self.blur)[part], problem.groups.count)
        order = np.lexsort((-x[part], group, -worth[group]))
        _, first = np.unique(group[order], return_index=True)
        return part[order[np.sort(first)[:count]]]

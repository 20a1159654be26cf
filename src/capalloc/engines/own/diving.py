"""Fix options one after the other where the relaxation wants them, the most valuable undecided project first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capalloc.engines.base import Watch
from capalloc.engines.own.problem import Problem, dual_bound
from capalloc.engines.own.simplex import Relaxed, Simplex
from capalloc.model import Floats, Ints, Truths

_WHOLE = 1e-6


@dataclass(frozen=True, slots=True)
class Dive:
    """Where a dive ended: the last relaxation that had a point, its reduced gains, and the groups it decided."""

    relaxed: Relaxed
    gains: Floats
    decided: Truths


def undecided(problem: Problem, x: Floats) -> Ints:
    """Return the groups that a relaxed point takes a part of."""
    part = problem.groups.binary & (x > _WHOLE) & (x < 1 - _WHOLE)
    return np.unique(problem.groups.of[part])


def near(problem: Problem, x: Floats, gains: Floats, share: float) -> Ints:
    """Return the columns that the relaxation takes or loses little by, a ``share`` of all 0/1 ones."""
    loss = np.where(problem.groups.binary, np.abs(gains), 0.0)
    limit = np.quantile(loss, share) if len(loss) else 0.0
    return np.flatnonzero((loss <= limit) | (x > _WHOLE) | (problem.model.lower > 0))


def dive(
    problem: Problem, root: Relaxed, gains: Floats, depth: float, watch: Watch, rng: np.random.Generator, share: float
) -> Dive:
    """Return where a dive from the root relaxation ends.

    In each step the undecided project of the greatest relaxed value, blurred a little, takes its option of the
    greatest part.  An option that leaves the relaxation without a point is forbidden, the project stays free.  A dive
    to the bottom ends in dead ends; it stops after ``depth`` times as many steps as projects are undecided at the root.

    Parameters
    ----------
    share
        The part of the columns that the relaxations of the dive are solved over.
    """
    lp = Simplex(problem, watch, near(problem, root.x, gains, share))
    decided = np.zeros(problem.groups.count, dtype=bool)
    last = lp.solve() or root
    steps = round(depth * max(4, len(undecided(problem, root.x))))
    blur = rng.uniform(0.9, 1.1, problem.size)
    for _ in range(steps):
        taken = _most_valuable(problem, last.x, blur)
        if taken < 0 or watch.ended_by:
            break
        group = problem.groups.of[taken]
        siblings = np.flatnonzero(problem.groups.of == group)
        lp.bound(siblings, (siblings == taken) * 1.0, (siblings == taken) * 1.0)
        answer = lp.solve()
        if answer is None:
            if watch.ended_by:
                break
            lp.bound(siblings, np.zeros(len(siblings)), problem.model.upper[siblings] * (siblings != taken))
            answer = lp.solve()
            if answer is None:
                break
        else:
            decided[group] = True
        last = answer
    return Dive(last, dual_bound(problem, last.multipliers)[1], decided)


def _most_valuable(problem: Problem, x: Floats, blur: Floats) -> int:
    """The option of the greatest part in the undecided group of the greatest value; −1 when all are decided."""
    groups = undecided(problem, x)
    if not len(groups):
        return -1
    binary = problem.groups.binary
    worth = np.bincount(problem.groups.of[binary], (problem.model.objective * x * blur)[binary], problem.groups.count)
    group = groups[np.argmax(worth[groups])]
    members = np.flatnonzero((problem.groups.of == group) & binary)
    return int(members[np.argmax(x[members])])

"""A good plan within the first second: round, exchange, dive once, and search two small cores where the dive ends.

A tree that begins with a good point to compare with fixes and cuts more at its root, so that this is worth a delay.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from capalloc.engines.own.board import Board
from capalloc.engines.own.diving import Dive, best_dive, in_part, near, undecided
from capalloc.engines.own.exchange import exchanged
from capalloc.engines.own.neighbourhoods import freed
from capalloc.engines.own.restricted import Effort, search_among
from capalloc.engines.own.rounding import rounded_down
from capalloc.engines.own.simplex import Relaxed, Simplex
from capalloc.engines.own.walking import walkable
from capalloc.model import Floats

# Options near to being taken, over which the dive solves its relaxations; how many times as deep it goes as projects
# are undecided at the root, and how many it decides at once.
NEAR = 0.5
DEPTH = 1.25
BATCH = 3

# Where a dive costs much, so many others are tried within so many seconds; where points can be walked over, walks mend
# it sooner.
OTHERS = 12
PATIENCE = 2.0

# Options that the cores set free, and the seconds and nodes for each.
CORES = (80, 160)
SECONDS = 0.4
NODES = 200

# Cores end at this gap: a tree that is to come needs a good point and not the best.
GAP = 1e-5


def opened(board: Board, relaxed: Relaxed, gains: Floats, lp: Simplex, pace: Callable[[float], None]) -> None:
    """Put the first good points on the board.

    Parameters
    ----------
    relaxed, gains, lp
        The root relaxation, what each column gains in it, and the solver that holds its basis.
    pace
        Called before each core with the seconds it may take; returns when these may be spent.
    """
    problem = board.problem
    first = rounded_down(problem, relaxed.x)
    if first is not None:
        board.offer(first)
        board.offer(_exchanged(board, first, relaxed))
    if board.over:
        return
    columns = near(problem, relaxed.x, gains, NEAR)

    def near_lp() -> Simplex:
        made = Simplex(board, columns)
        made.adopt(lp)
        return made

    steps = round(DEPTH * max(4, len(undecided(problem, relaxed.x))))
    others = 0 if walkable(problem) else OTHERS
    patience = PATIENCE if board.options.node_limit is None else float("inf")
    rng = np.random.default_rng([board.options.seed, 1])
    ended = best_dive(relaxed, near_lp, steps, BATCH, rng, others=others, patience=patience)
    board.offer(_exchanged(board, _rounded(board, ended.relaxed.x), relaxed))
    held: Floats | None = None
    for size in CORES:
        pace(SECONDS)
        if board.over:
            return
        held, _ = core_after(board, ended, held, size, 0.0, _effort(board))


def core_after(
    board: Board, ended: Dive, held: Floats | None, size: int, loose: float, effort: Effort
) -> tuple[Floats | None, bool]:
    """Search among the options that lose least where a dive ended; what it decided stays.

    Parameters
    ----------
    held
        A point to search around; without one, what is not free is rounded.
    loose
        What the loss of an option of an undecided project counts: such options matter more than their gains say.

    Returns
    -------
    held, closed
        The best point of the core, and whether it has none better.
    """
    problem, x = board.problem, ended.relaxed.x
    rank = np.abs(ended.gains) * np.where(np.isin(problem.groups.of, undecided(problem, x)), loose, 1.0)
    rank[in_part(problem, x)] = -1.0
    rank[ended.decided[problem.groups.of]] = np.inf
    begin = _rounded(board, x) if held is None else held
    free = freed(problem, x if held is None else held, rank, size) | ~problem.groups.binary
    found = search_among(board, begin, free, effort, start=held is not None)
    board.offer(found.point)
    return (held if found.point is None else found.point), found.closed


def _exchanged(board: Board, point: Floats, relaxed: Relaxed) -> Floats | None:
    return exchanged(board.problem, point, board.enough, relaxed.multipliers, over=lambda: board.over)


def _rounded(board: Board, x: Floats) -> Floats:
    return np.where(board.problem.groups.binary, np.rint(x), x)


def _effort(board: Board) -> Effort:
    seconds = SECONDS if board.options.node_limit is None else float("inf")
    return Effort(seconds, NODES, GAP, board.options.seed, enough=board.enough)

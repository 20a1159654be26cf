"""HiGHS's branch and cut on the whole problem: it proves bounds, and trades points with the other searches.

A proof is begun anew once searches for plans have brought value and bound much nearer to one another than it had them
of its own: what HiGHS fixes and cuts at the root beside a good point is worth more than the tree it leaves.

As value and bound of the root relaxation meet, its gains fix more and more columns for every point that is still better
(Dantzig, Fulkerson and Johnson 1954); once many are, what is left is reduced again and searched anew.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from capalloc.engines.highs import NO_POINT, UNSOUND_RULES, Run
from capalloc.engines.own.board import Board
from capalloc.engines.own.presolve import Reduced, reduce, unreduced
from capalloc.engines.own.selecting import selecting, unselected
from capalloc.engines.own.turns import Turns
from capalloc.model import Floats

NAME = "prover"

# Others wait at least so many seconds for the prover.
_SLICE = 0.3

# A search is begun anew once no more than this part of its columns is open, looked at every so many seconds.
_FEW_LEFT = 0.6
_PAUSE = 1.0

# Or once value and bound are nearer to one another than this part of the distance to what it started from or found.
_MUCH_NEARER = 0.5


def prove(board: Board, turns: Turns, ripe: Callable[[], bool], opened: Callable[[], bool]) -> bool:
    """Search until the run is over; true when no point is better than the best on the board.

    Parameters
    ----------
    ripe
        Says whether a better point may be reason enough to begin anew.
    opened
        Says, once, that the first good points have been found.
    """
    part: Reduced | None = unreduced(board.problem.model)
    while not board.over:
        if part is None or not part.columns.size:
            if part is not None:
                board.offer(board.problem.point(part.base))
            return _closed(board)
        proof = Proof(board, turns, part, ripe, opened)
        if proof.closed():
            return _closed(board)
        if not proof.again:
            return False
        lower, upper = board.narrowed()
        part = reduce(replace(board.problem.model, lower=lower, upper=upper))
    return False


def _closed(board: Board) -> bool:
    board.lower(board.value)
    return True


class Proof(Run):
    """A run of HiGHS on what the board leaves open, working only when it has its turn."""

    def __init__(
        self, board: Board, turns: Turns, part: Reduced, ripe: Callable[[], bool], opened: Callable[[], bool]
    ) -> None:
        # Where a relaxation takes long, a tree is never large enough to profit from better branches.
        self.wide = unselected(part.model) if board.problem.large else selecting(part.model)
        super().__init__(self.wide.model, replace(board.options, threads=1, gap=0.0, node_limit=None), board.watch)
        self.board, self.turns, self.part = board, turns, part
        self.ripe, self.opened = ripe, opened
        self.again = False
        self._own = board.value
        self._given: Floats | None = None
        self._seen = 0
        self._looked = time.thread_time()
        self.set("mip_max_nodes", board.nodes_left)
        self.set("presolve_rule_off", UNSOUND_RULES)
        if board.problem.large:
            # The small searches of these heuristics do not look up for the stop sign, and others look for plans.
            self.set("mip_heuristic_effort", 0.0)
        self.hear(self.solver.cbMipImprovingSolution, self._take)
        self.hear(self.solver.cbMipUserSolution, self._give)

    def closed(self) -> bool:
        """Search; true when nothing better is left in this part."""
        point = None if self.board.best is None else self.part.shrunk(self.board.best)
        if point is not None:
            self.offer(self.wide.extended(point))
        ending = self.go()
        if ending in NO_POINT:
            # What presolve alone calls impossible is believed only without it.
            self.set("presolve", "off")
            ending = self.go()
        self._count(self.solver.getInfo().mip_node_count)
        if ending in NO_POINT:
            return True
        found = self.finding(ending)
        if found.x is not None:
            self.board.offer(self.board.problem.point(self.part.restored(self.wide.cut(found.x))))
        if self.whole:
            self._lower(found.bound)
        return ending == "kOptimal"

    def heed(self, event: Any) -> None:
        """Stop when the run is over or much is fixed, and let others work when it is their turn."""
        self.board.beat()
        self.board.proving = time.thread_time()
        self.turns.let_others(NAME, _SLICE)
        opened = self.opened()
        if opened or time.thread_time() - self._looked > _PAUSE:
            lower, upper = self.board.narrowed()
            few = int((lower < upper).sum()) < _FEW_LEFT * self.part.columns.size
            self.again = few or (not opened and self._outdone())
            self._looked = time.thread_time()
        if self.board.over or self.again:
            event.interrupt()

    def _outdone(self) -> bool:
        """Whether this proof had, of its own, much poorer points to compare with than there are."""
        board = self.board
        nearer = board.bound - board.value < _MUCH_NEARER * (board.bound - self._own)
        return board.best is not None and nearer and self.ripe()

    def look_up(self, event: Any) -> None:
        """Take the bound of a running search."""
        self._lower(self.unscaled(event.data_out.mip_dual_bound))
        self._count(event.data_out.mip_node_count)
        self.heed(event)

    def _lower(self, bound: float) -> None:
        """Take a bound of this part; what was left out of it is no better than the best."""
        self.board.lower(max(bound + self.part.offset, self.board.value))

    def _count(self, nodes: int) -> None:
        if nodes > self._seen:
            self.board.count(nodes - self._seen)
            self._seen = nodes

    def _take(self, event: Any) -> None:
        x: Floats = np.array(event.data_out.mip_solution) * self.scaling.columns
        point = self.board.problem.point(self.part.restored(self.wide.cut(x)))
        if self.board.offer(point) and point is not None:
            self._own = self.board.problem.worth(point)

    def _give(self, event: Any) -> None:
        best, value = self.board.best, self.board.value
        own = self.unscaled(event.data_out.mip_primal_bound) + self.part.offset
        if best is None or best is self._given or own >= value:
            return
        self._given = best
        point = self.part.shrunk(best)
        if point is not None:
            event.data_in.setSolution(self.wide.extended(point) / self.scaling.columns)

"""HiGHS's branch and cut on the whole problem: it proves bounds, and trades points with the other searches."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from capalloc.engines.base import Finding
from capalloc.engines.highs import NO_POINT, Run
from capalloc.engines.own.board import Board
from capalloc.engines.own.turns import Turns
from capalloc.model import Floats

NAME = "prover"

# Others wait at least so long for the prover.
_SLICE = 0.3


class Prover(Run):
    """A run of HiGHS that reports to a board, takes points from it, and works only when it has its turn."""

    def __init__(self, board: Board, turns: Turns) -> None:
        super().__init__(board.problem.model, replace(board.options, threads=1, gap=0.0, node_limit=None), board.watch)
        self.board, self.turns = board, turns
        self._given = float("-inf")
        self._seen = 0
        self.set("mip_max_nodes", min(board.nodes_left, 2**31 - 1))
        self.solver.cbMipImprovingSolution.subscribe(self._take)
        self.solver.cbMipUserSolution.subscribe(self._give)

    def prove(self) -> Finding:
        """Search until the run is over, or until nothing is left to search."""
        self.offer(self.board.best)
        ending = self.go()
        if ending in NO_POINT:
            self.set("presolve", "off")
            ending = self.go()
        found = self.finding(ending)
        self.board.count(max(0, found.nodes - self._seen))
        self.board.offer(found.x)
        self.board.lower(found.bound)
        return found

    def heed(self, event: Any) -> None:
        """Stop when the run is over, and let others work when it is their turn."""
        self.board.beat()
        self.turns.let_others(NAME, _SLICE)
        if self.board.over:
            event.interrupt()

    def look_up(self, event: Any) -> None:
        """Take the bound of a running search."""
        data = event.data_out
        self.board.lower(self.unscaled(data.mip_dual_bound))
        nodes = max(0, int(data.mip_node_count))
        if nodes > self._seen:
            self.board.count(nodes - self._seen)
            self._seen = nodes
        self.heed(event)

    def _take(self, event: Any) -> None:
        x: Floats = np.array(event.data_out.mip_solution) * self.scaling.columns
        self.board.offer(self.board.problem.point(x))

    def _give(self, event: Any) -> None:
        best, value = self.board.best, self.board.value
        own = self.unscaled(event.data_out.mip_primal_bound)
        if best is not None and value > self._given and not own >= value:
            self._given = value
            event.data_in.setSolution(best / self.scaling.columns)

"""A search for points of a problem too large to be searched whole: in cores of it, each a problem of its own.

Nearly all projects are decided by the prices of the rows that couple them; where they are not, a few thousand columns
lose little at these prices.  Such a core, all others held, is searched like any smaller problem (kernel search:
Angelelli, Mansini and Speranza 2010); then another around the best point, drawn by chance among what loses little.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from capalloc.engines.own.blocks import Blocks
from capalloc.engines.own.board import Board
from capalloc.engines.own.improver import Improver, Root
from capalloc.engines.own.neighbourhoods import surroundings
from capalloc.engines.own.presolve import Reduced, reduce
from capalloc.engines.own.problem import dual_bound, problem_of
from capalloc.engines.own.sifting import near
from capalloc.engines.own.simplex import Relaxed, Simplex
from capalloc.model import Floats, Ints, LinearModel, Truths

# Columns of a core that are not taken.
SIZE = 10_000

# A core is left when nothing has come of it for so many seconds, or for this part of the time it was searched; where
# nodes count, after this part of what is left of them.
STILL = 8.0
STILL_PART = 0.3
PART_OF_NODES = 0.25

_WHOLE = 1e-6


class CoreBoard(Board):
    """The board of a core: what it finds goes to the board of the whole, whose limits it keeps.

    Its bound is one of the core alone and stays here.
    """

    def __init__(self, whole: Board, reduced: Reduced, columns: Ints, held: Floats) -> None:
        super().__init__(problem_of(reduced.model), 0.0, replace(whole.options, gap=0.0), whole.watch)
        self.whole, self.reduced, self.columns, self.held = whole, reduced, columns, held
        self.began = self.improved_at = whole.watch.seconds
        self.most_nodes = max(1, round(PART_OF_NODES * whole.nodes_left))

    @property
    def over(self) -> bool:
        """Whether this core is done with."""
        return self._finished.is_set() or self.whole.over or self._exhausted

    @property
    def spent(self) -> bool:
        """Whether the nodes of the whole run are used up."""
        return self.whole.spent

    @property
    def nodes_left(self) -> int:
        """Nodes that may still be searched in the whole run."""
        return self.whole.nodes_left

    @property
    def _exhausted(self) -> bool:
        if self.options.node_limit is not None:
            return self.nodes >= self.most_nodes
        now = self.watch.seconds
        return self.best is not None and now - self.improved_at > max(STILL, STILL_PART * (now - self.began))

    def count(self, nodes: int) -> None:
        """Add nodes to those of the core and of the whole run."""
        super().count(nodes)
        self.whole.count(nodes)

    def _tell(self) -> None:
        if self.best is not None and self.gap <= 0.0:
            self._finished.set()

    def _take(self, point: Floats) -> bool:
        better = super()._take(point)
        if better:
            full = self.held.copy()
            full[self.columns] = self.reduced.restored(point)
            if self.whole.problem.worth(full) > self.whole.value:
                self.whole.offer(self.whole.problem.point(full))
        return better


class Cores:
    """A search of one core after the other; several may run side by side, each with a number of its own.

    Parameters
    ----------
    relaxed, gains
        The relaxation of the whole, and what each column gains in it.
    rest
        As for :class:`~capalloc.engines.own.improver.Improver`.
    """

    def __init__(
        self, board: Board, relaxed: Relaxed, gains: Floats, rest: Callable[[float], None], number: int
    ) -> None:
        self.board, self.relaxed, self.gains, self.rest, self.number = board, relaxed, gains, rest, number
        self.rng = np.random.default_rng([board.options.seed, number, 3])

    def go_on(self) -> None:
        """Search cores until the run is over, or the whole has no point either."""
        size, turn = SIZE << self.number, 0
        while not self.board.over:
            self.rest(0.0)
            best = self.board.best
            held = self.relaxed.x if best is None or not turn else best
            core = self._core(held, size, blurred=turn > 0)
            if core is None or not self._search(core, best):
                if size >= self.board.problem.size:
                    return
                size *= 2
            turn += 1

    def _core(self, held: Floats, size: int, *, blurred: bool) -> CoreBoard | None:
        problem = self.board.problem
        assert problem.blocks is not None  # noqa: S101  # only large problems are searched in cores
        blur = self.rng.normal(0.0, 1.0, problem.size) if blurred else np.zeros(problem.size)
        part = problem.groups.binary & (np.abs(held - np.rint(held)) > _WHOLE)
        lower, upper = self.board.narrowed()
        loss = np.where(part, -1.0, np.abs(self.gains) * np.exp(blur))
        loss[lower >= upper] = np.inf
        columns = self._with_payments(problem.blocks, near(problem.blocks, held, loss, size))
        base = np.where(problem.groups.binary, np.rint(held), held)
        base[columns] = 0.0
        reduced = reduce(_restricted(problem.model, columns, base))
        return None if reduced is None or not reduced.columns.size else CoreBoard(self.board, reduced, columns, base)

    def _with_payments(self, blocks: Blocks, columns: Ints) -> Ints:
        """Add the columns that need not be whole of the same blocks, so that whatever is chosen can be paid for."""
        within = np.zeros(blocks.count, dtype=bool)
        within[blocks.of[columns]] = True
        added = ~self.board.problem.groups.binary & within[blocks.of]
        added[columns] = True
        return np.flatnonzero(added)

    def _search(self, core: CoreBoard, best: Floats | None) -> bool:
        """Search a core; false when it has no point at all."""
        if best is not None:
            core.offer(self._within(core, best))
        lp = Simplex(core)
        relaxed = lp.solve()
        if relaxed is None:
            return core.best is not None
        bound, gains = dual_bound(core.problem, relaxed.multipliers)
        core.root = (bound, gains)
        core.lower(max(bound, core.value))
        if core.problem.groups.binary.any():
            around = surroundings(core.problem, relaxed.multipliers)
            improver = Improver(core, Root(relaxed, gains, lp, around), self.rest, self.number)
            improver.begin()
            improver.go_on()
        return core.best is not None

    def _within(self, core: CoreBoard, best: Floats) -> Floats | None:
        """Return the best point as one of the core; ``None`` where it differs outside."""
        outside: Truths = np.ones(len(best), dtype=bool)
        outside[core.columns] = False
        if (best[outside] != core.held[outside]).any():
            return None
        shrunk = core.reduced.shrunk(best[core.columns])
        return None if shrunk is None else core.problem.point(shrunk)


def _restricted(model: LinearModel, columns: Ints, held: Floats) -> LinearModel:
    """Return the model over some columns, all others held."""
    used = model.matrix @ held
    matrix = model.matrix[:, columns]
    rows = np.flatnonzero(np.diff(matrix.indptr))
    return LinearModel(
        objective=model.objective[columns],
        matrix=matrix[rows],
        row_lower=(model.row_lower - used)[rows],
        row_upper=(model.row_upper - used)[rows],
        lower=model.lower[columns],
        upper=model.upper[columns],
        integer=model.integer[columns],
    )

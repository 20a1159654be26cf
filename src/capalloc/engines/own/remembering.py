"""The own engine with a memory: a run begins from what the ones before it found and proved of models like its own.

What is remembered is used in the order of its price: the points that still hold and the bound that old multipliers
prove of the new numbers; the relaxation, from where the last one ended, and cores around it; what reduced gains leave
open to anything better than the gap asked for lets pass; and at last the engine as it always works.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from threading import Event

import numpy as np

from capalloc.engines.base import (
    NO_POINT_EXISTS,
    Feature,
    Finding,
    Watch,
    conclude,
    nothing_to_choose,
    usable_start,
    watched_run,
)
from capalloc.engines.highs import made_whole
from capalloc.engines.own.board import Board
from capalloc.engines.own.diving import in_part, undecided
from capalloc.engines.own.engine import Capalloc
from capalloc.engines.own.memory import Basis, Memory
from capalloc.engines.own.neighbourhoods import freed
from capalloc.engines.own.presolve import Reduced, reduce
from capalloc.engines.own.problem import dual_bound, problem_of
from capalloc.engines.own.restricted import Effort, search_among
from capalloc.engines.own.simplex import Relaxed, Simplex
from capalloc.engines.points import crossed, refuse_bad_numbers
from capalloc.model import Floats, LinearModel, Outcome, Progress, ProgressReport, SolveOptions, StoppedBy

# Options set free around the relaxation, one core after the other, and how long one may be searched.
CORES = (100, 250, 600)
NODES = 500
SECONDS = 5.0

# What reduced gains leave open is searched to its end where it is no more than this.
FEW = 1_500

# A search may end at this part of the distance that the gap asked for allows.
PART = 0.5


class Remembering:
    """The own engine, beginning from what it remembers.

    Attributes
    ----------
    memory
        What the runs so far left; ``None`` before the first.
    """

    name = "capalloc"
    features = frozenset(Feature)

    def __init__(self, memory: Memory | None = None) -> None:
        self.memory = memory

    def solve(
        self,
        model: LinearModel,
        options: SolveOptions,
        *,
        start: Floats | None = None,
        progress: ProgressReport | None = None,
        stop: Event | None = None,
    ) -> Outcome:
        """Return the best point and the bound; see :meth:`capalloc.engines.base.Engine.solve`."""
        watch = Watch(options, stop)
        known = Memory(model.rows, model.columns) if self.memory is None else self.memory.on(model)
        begin = usable_start(model, start)
        if begin is not None:
            known = known.with_point(begin)
        found, self.memory = watched_run(lambda: _find(model, options, known, watch), watch, progress)
        return conclude(self, model, options, begin, watch, found)


def _find(model: LinearModel, options: SolveOptions, known: Memory, watch: Watch) -> tuple[Finding, Memory]:
    refuse_bad_numbers(model)
    found = _at_once(model, watch)
    if found is not None:
        return found, known
    if (~model.integer & (model.objective != 0)).any():
        # Bounds and gains of what is worth something by parts lack something in their last digits.
        return _at_length(model, known, options, watch, Finding(StoppedBy.GAP))
    reduced = reduce(model)
    if reduced is None:
        return NO_POINT_EXISTS, known
    if not reduced.columns.size:
        x = made_whole(model, reduced.base, Remembering.name)
        return Finding(StoppedBy.PROOF, x, float(model.objective @ x)), known.with_point(x)
    work = _Resumed(model, reduced, known, Board(problem_of(reduced.model), reduced.offset, options, watch))
    work.run()
    found = work.finding()
    return (found, work.known) if work.board.over else _at_length(model, work.known, options, watch, found)


def _at_once(model: LinearModel, watch: Watch) -> Finding | None:
    """What is to be said without a search."""
    if crossed(model):
        return NO_POINT_EXISTS
    if not model.objective.size:
        return nothing_to_choose(model)
    return None if watch.ended_by is None else Finding(watch.ended_by)


class _Resumed:
    """One run that begins from what is known."""

    def __init__(self, model: LinearModel, reduced: Reduced, known: Memory, board: Board) -> None:
        self.model, self.reduced, self.known, self.board = model, reduced, known, board
        self.problem = board.problem

    def run(self) -> None:
        """Try what is known, each step only where the ones before it do not answer."""
        for step in (self._recall, self._relax, self._mend):
            step()
            if self.board.over:
                return

    def finding(self) -> Finding:
        """Return what is held so far."""
        board = self.board
        x = None
        if board.best is not None:
            x = made_whole(self.model, self.reduced.restored(board.best), Remembering.name)
            self.known = self.known.with_point(x)
        ending = StoppedBy.NODE_LIMIT if board.spent else board.watch.ended_by or StoppedBy.GAP
        return Finding(ending, x, board.bound + self.reduced.offset, board.nodes)

    def _recall(self) -> None:
        """Take the known points that hold and the bounds that known multipliers prove here."""
        for point in self.known.points:
            begin = usable_start(self.model, point)
            if begin is not None:
                self.board.offer(self.reduced.shrunk(begin))
        for multipliers in self.known.multipliers:
            self._learn(multipliers[self.reduced.rows])

    def _learn(self, multipliers: Floats) -> None:
        board = self.board
        bound, gains = dual_bound(self.problem, multipliers)
        if board.root is None or bound < board.root[0]:
            board.root = (bound, gains)
        board.lower(max(bound, board.value))

    def _relax(self) -> None:
        """Solve the relaxation from where the last one ended, and search cores around it."""
        lp = Simplex(self.board)
        if self.known.basis is not None:
            _begin_from(lp, self.known.basis, self.reduced)
        relaxed = lp.solve()
        if relaxed is None:
            return
        self._learn(relaxed.multipliers)
        multipliers = np.zeros(len(self.model.row_upper))
        multipliers[self.reduced.rows] = relaxed.multipliers
        self.known = self.known.with_relaxation(multipliers, _basis_of(lp, self.reduced, len(self.model.row_upper)))
        gains = dual_bound(self.problem, relaxed.multipliers)[1]
        for size in CORES:
            if self.board.over:
                return
            self._core(relaxed, gains, size)

    def _core(self, relaxed: Relaxed, gains: Floats, size: int) -> None:
        """Search among the options that lose least in the relaxation."""
        problem, x = self.problem, relaxed.x
        loose = np.isin(problem.groups.of, undecided(problem, x))
        rank = np.abs(gains) * np.where(loose, 0.1, 1.0)
        rank[in_part(problem, x)] = -1.0
        held = np.where(problem.groups.binary, np.rint(x), x)
        found = search_among(self.board, held, freed(problem, x, rank, size), self._effort(), start=False)
        self.board.offer(found.point)

    def _allowed(self) -> float:
        """What the gap asked for lets the bound be above the best value."""
        return self.board.options.gap * abs(self.board.value + self.board.offset)

    def _effort(self) -> Effort:
        board = self.board
        allowed = PART * board.options.gap * abs((board.bound if board.best is None else board.value) + board.offset)
        return Effort(SECONDS, NODES, 0.0, board.options.seed, allowed)

    def _mend(self) -> None:
        """Search to the end what reduced gains leave open to anything that the gap asked for does not let pass."""
        board, problem = self.board, self.problem
        while board.best is not None and board.root is not None and not board.over:
            value, passed = board.value, board.value + self._allowed()
            lower, upper = board.narrowed(passed)
            free = problem.groups.binary & (lower < upper)
            if free.sum() > FEW:
                return
            agrees = bool(((board.best >= lower) & (board.best <= upper))[~free & problem.groups.binary].all())
            held = np.where(free, board.best, lower)
            found = search_among(board, held, free, self._effort(), start=agrees)
            board.offer(found.point)
            board.lower(max(found.bound, passed, board.value))
            if not found.closed or board.value <= value:
                return


def _at_length(
    model: LinearModel, known: Memory, options: SolveOptions, watch: Watch, found: Finding
) -> tuple[Finding, Memory]:
    """Let the engine work as it always does, from the best point that is known."""
    left = replace(
        options,
        time_limit=None if options.time_limit is None else watch.left,
        node_limit=None if options.node_limit is None else max(1, options.node_limit - found.nodes),
    )

    def tell(seen: Progress) -> None:
        watch.tell(seen.value, min(seen.bound, found.bound), found.nodes + seen.nodes)

    start = found.x if found.x is not None else next(_holding(model, known), None)
    outcome = Capalloc().solve(model, left, start=start, progress=tell, stop=watch.stop)
    if "root_multipliers" in outcome.details and known.basis is not None:
        known = known.with_relaxation(outcome.details["root_multipliers"], known.basis)
    if outcome.x is not None:
        known = known.with_point(outcome.x)
    bound = min(found.bound, outcome.bound)
    return Finding(outcome.stopped_by, outcome.x, bound, found.nodes + outcome.nodes, outcome.details), known


def _holding(model: LinearModel, known: Memory) -> Iterator[Floats]:
    points = (usable_start(model, point) for point in known.points)
    yield from sorted((p for p in points if p is not None), key=lambda p: -float(model.objective @ p))


def _basis_of(lp: Simplex, reduced: Reduced, count: int) -> Basis:
    """The basis of a relaxation in the rows and columns of the model that was reduced."""
    ended = lp.solver.getBasis()
    columns = np.zeros(len(reduced.base), dtype=np.int8)
    rows = np.ones(count, dtype=np.int8)
    columns[reduced.columns] = [int(status) for status in ended.col_status]
    rows[reduced.rows] = [int(status) for status in ended.row_status]
    return Basis(columns, rows)


def _begin_from(lp: Simplex, known: Basis, reduced: Reduced) -> None:
    """Let a relaxation begin from a basis, completed where rows or columns are new in it."""
    import highspy

    statuses = [highspy.HighsBasisStatus(number) for number in range(5)]
    basis = highspy.HighsBasis()
    basis.col_status = [statuses[number] for number in known.columns[reduced.columns].tolist()]
    basis.row_status = [statuses[number] for number in known.rows[reduced.rows].tolist()]
    basis.valid, basis.alien = True, True
    lp.solver.setBasis(basis)

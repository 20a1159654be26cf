"""The own engine with a memory: a run begins from what the ones before it found and proved of models like its own.

What is remembered is used in the order of its price: the points that still hold and the bound that old multipliers
prove of the new numbers; the relaxation, from where the last one ended, and cores around it; what reduced gains leave
open to anything better than the gap asked for lets pass; and at last the engine as it always works.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
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
from capalloc.engines.own.diving import Dive, dive, in_part, near, undecided
from capalloc.engines.own.engine import Capalloc
from capalloc.engines.own.exchange import exchanged
from capalloc.engines.own.memory import Basis, Memory
from capalloc.engines.own.neighbourhoods import freed
from capalloc.engines.own.presolve import Reduced, reduce
from capalloc.engines.own.problem import dual_bound, problem_of
from capalloc.engines.own.restricted import Effort, search_among
from capalloc.engines.own.simplex import Relaxed, Simplex
from capalloc.engines.points import crossed, refuse_bad_numbers
from capalloc.model import Floats, LinearModel, Outcome, Progress, ProgressReport, SolveOptions, StoppedBy

# Known points that are mended and made better, the last one at first.
STARTS = 1

# Of more options the best of several starts is not looked for: a dive is sooner at its end.
LARGEST = 2_000

# How often three options are changed together before a search is tried.
THREES = 3

# A point is searched around where its gap is no more than this many times the one asked for.
NEARLY = 2.5

# Quick dives, whose ends are rounded: as many times as deep as projects are undecided, and so many decided at once.
PLUNGES = ((0.7, 3), (1.25, 2), (2.0, 3))

# Dives from the relaxation, as many times as deep as projects are undecided there, so many decided at once, over this
# part of the options.
FIRST_DEPTHS = (1.25, 2.0)
MORE_DEPTHS = (4.0, 1.25, 2.0, 4.0, 1.25, 2.0, 4.0)
BATCH = 3
NEAR = 0.5

# Options set free around a point, and where a dive ended, one search after the other; and how long one may take, the
# first ones around a point less.
AROUND = (50, 120)
CORES = (80, 160, 320)
NODES = 200
SECONDS = 0.8
QUICK = 0.1

# What reduced gains leave open is searched to its end where it is no more than this.
FEW = 1_500

# A known point and a relaxation that differ by less than this agree.
_APART = 0.01

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


@dataclass(frozen=True, slots=True)
class _Root:
    """The relaxation of the problem, what each column gains in it, and the solver that holds its basis."""

    relaxed: Relaxed
    gains: Floats
    lp: Simplex


class _Resumed:
    """One run that begins from what is known."""

    def __init__(self, model: LinearModel, reduced: Reduced, known: Memory, board: Board) -> None:
        self.model, self.reduced, self.known, self.board = model, reduced, known, board
        self.problem = board.problem
        self.root: _Root | None = None

    def run(self) -> None:
        """Try what is known, each step only where the ones before it do not answer."""
        self._recall()
        if self.problem.blocks is not None:
            # One run of the simplex method would take longer than the engine does, which never solves such a one whole.
            return
        first, more = (partial(self._dive, depths) for depths in (FIRST_DEPTHS, MORE_DEPTHS))
        for step in (self._relax, self._round, self._plunge, self._exchange, first, self._adapt, self._close, more):
            if self.board.over:
                return
            step()

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
        """Solve the relaxation from where the last one ended."""
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
        self.root = _Root(relaxed, dual_bound(self.problem, relaxed.multipliers)[1], lp)

    def _round(self) -> None:
        """Round the relaxation, mend that by small changes, and make it better."""
        if self.root is not None:
            self._mend(self.root.relaxed.x, 0)

    def _plunge(self) -> None:
        """Dive from the relaxation to where few are undecided, and round and mend what is there."""
        rng, binary = np.random.default_rng(self.board.options.seed), self.problem.groups.binary
        # Small changes move no payment, so that where there are payments a rounded point is rarely mended.
        for depth, batch in PLUNGES if binary.all() else PLUNGES[:1]:
            if self.root is None or self.board.over or not binary.any():
                return
            self._mend(self._dived(self.root, depth, batch, rng).relaxed.x, 0)

    def _dived(self, root: _Root, depth: float, batch: int, rng: np.random.Generator) -> Dive:
        problem, x = self.problem, root.relaxed.x
        lp = Simplex(self.board, near(problem, x, root.gains, NEAR))
        lp.adopt(root.lp)
        return dive(root.relaxed, lp, round(depth * max(4, len(undecided(problem, x)))), batch, rng)

    def _exchange(self) -> None:
        """Mend the last known points likewise, where that is quick, and then take longer over the best."""
        if self.problem.size > LARGEST:
            return
        for point in self.known.points[:STARTS]:
            self._mend(self.reduced.nearest(point), 0)
            if self.board.over:
                return
        self._mend(self.board.best)

    def _mend(self, point: Floats | None, threes: int = THREES) -> None:
        if self.root is not None and point is not None:
            prices = self.root.relaxed.multipliers
            offered = exchanged(self.problem, point, self.board.enough, prices, threes, lambda: self.board.over)
            self.board.offer(offered)

    def _adapt(self) -> None:
        """Search around a point that nearly does, among what the relaxation has otherwise and what loses little."""
        board, problem = self.board, self.problem
        if self.root is None or board.best is None or board.gap > NEARLY * board.options.gap:
            return
        for size in AROUND:
            apart = np.abs(board.best - self.root.relaxed.x)
            rank = np.where(apart > _APART, -apart, np.abs(self.root.gains))
            count = max(size, int((problem.groups.binary & (apart > _APART)).sum()))
            free = freed(problem, board.best, rank, count) | ~problem.groups.binary
            if board.offer(search_among(board, board.best, free, self._effort(QUICK)).point) and not board.over:
                self._mend(board.best)
            if board.over:
                return

    def _dive(self, depths: tuple[float, ...]) -> None:
        """Dive from the relaxation, and search cores around where that ends."""
        if self.root is None or not self.problem.groups.binary.any():
            return
        rng = np.random.default_rng([self.board.options.seed, len(depths)])
        for depth in depths:
            ended = self._dived(self.root, depth, BATCH, rng)
            held: Floats | None = None
            for size in CORES:
                if self.board.over:
                    return
                held = self._core(ended, held, size)

    def _core(self, ended: Dive, held: Floats | None, size: int) -> Floats | None:
        """Search among the options that lose least where a dive ended, around what was found there before."""
        problem, x = self.problem, ended.relaxed.x
        rank = np.abs(ended.gains)
        rank[np.isin(problem.groups.of, undecided(problem, x))] = 0.0
        rank[in_part(problem, x)] = -1.0
        rank[ended.decided[problem.groups.of]] = np.inf
        begin = np.where(problem.groups.binary, np.rint(x), x) if held is None else held
        free = freed(problem, x if held is None else held, rank, size) | ~problem.groups.binary
        found = search_among(self.board, begin, free, self._effort(), start=held is not None)
        self.board.offer(found.point)
        if not self.board.over:
            self._mend(found.point)
        return held if found.point is None else found.point

    def _allowed(self) -> float:
        """What the gap asked for lets the bound be above the best value."""
        return self.board.options.gap * abs(self.board.value + self.board.offset)

    def _effort(self, seconds: float = SECONDS) -> Effort:
        board = self.board
        seconds = seconds if board.options.node_limit is None else float("inf")
        allowed = PART * board.options.gap * abs((board.bound if board.best is None else board.value) + board.offset)
        return Effort(seconds, NODES, 0.0, board.options.seed, allowed, self.board.enough)

    def _close(self) -> None:
        """Search to the end what reduced gains leave open to anything that the gap asked for does not let pass."""
        board, problem = self.board, self.problem
        while board.best is not None and board.root is not None and not board.over:
            value, passed = board.value, board.value + self._allowed()
            lower, upper = board.narrowed(passed)
            binary = problem.groups.binary
            # Payments are always open: a proof about held ones would say nothing about other ways to pay.
            free = ~binary | (lower < upper)
            if (free & binary).sum() > FEW:
                return
            agrees = bool(((board.best >= lower) & (board.best <= upper))[~free].all())
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
    if "root_multipliers" in outcome.details:
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

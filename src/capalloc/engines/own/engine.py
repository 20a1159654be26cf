"""The own engine: reduce, relax, and let searches for points and for a bound work side by side."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextvars import copy_context
from threading import Event as Flag
from threading import Thread
from typing import Any

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
from capalloc.engines.own.improver import Improver, Root
from capalloc.engines.own.neighbourhoods import surroundings
from capalloc.engines.own.presolve import Reduced, reduce
from capalloc.engines.own.problem import dual_bound, problem_of
from capalloc.engines.own.prover import NAME as PROVER
from capalloc.engines.own.prover import Prover
from capalloc.engines.own.simplex import Simplex
from capalloc.engines.own.turns import Turns
from capalloc.engines.points import crossed, refuse_bad_numbers
from capalloc.model import Floats, LinearModel, Outcome, ProgressReport, SolveOptions, StoppedBy


# What the proof gets of the threads beside a share of one for each search for plans.  Where the relaxation alone takes
# more than so many seconds, a tree of them will not be searched to its end soon, and plans matter more.
SHARE_OF_PROOF = 4.0
SHARE_OF_A_LARGE_PROOF = 0.4
LONG_RELAXATION = 0.3


class Capalloc:
    """Reduces a model on its structure, then improves plans and proves a bound side by side.

    With one thread and a limit of nodes a run can be repeated: searches then follow one another.
    """

    name = "capalloc"
    features = frozenset(Feature)

    def solve(
        self,
        model: LinearModel,
        options: SolveOptions,
        *,
        start: Floats | None = None,
        progress: ProgressReport | None = None,
        stop: Flag | None = None,
    ) -> Outcome:
        """Return the best point and the bound; see :meth:`capalloc.engines.base.Engine.solve`."""
        watch = Watch(options, stop)
        found = watched_run(lambda: _find(model, options, start, watch), watch, progress)
        return conclude(self, model, options, start, watch, found)


def _find(model: LinearModel, options: SolveOptions, start: Floats | None, watch: Watch) -> Finding:
    refuse_bad_numbers(model)
    if crossed(model):
        return NO_POINT_EXISTS
    if not model.objective.size:
        return nothing_to_choose(model)
    if watch.ended_by:
        return Finding(watch.ended_by)
    reduced = reduce(model)
    if reduced is None:
        return NO_POINT_EXISTS
    if not reduced.columns.size:
        x = made_whole(model, reduced.base, "capalloc")
        return Finding(StoppedBy.PROOF, x, float(model.objective @ x))
    board = Board(problem_of(reduced.model), reduced.offset, options, watch)
    begin = usable_start(model, start)
    if begin is not None:
        board.offer(reduced.shrunk(begin))
    return _Session(board, reduced, model).finding()


class _Session:
    """The searches of one run."""

    def __init__(self, board: Board, reduced: Reduced, model: LinearModel) -> None:
        self.board, self.reduced, self.model = board, reduced, model
        options = board.options
        self.improvers = 1 if options.threads < 2 else options.threads
        shares = {PROVER: SHARE_OF_PROOF} | {f"improver {number}": 1.0 for number in range(self.improvers)}
        self.turns = Turns(options.threads, shares)
        self.proved: Finding | None = None
        self.root: Root | None = None
        self.rooted = Flag()

    def finding(self) -> Finding:
        """Run all searches to the end and return what they found."""
        board = self.board
        if board.options.node_limit is not None:
            self._improve(0)
            self._prove()
        else:
            works = [self._prove] + [lambda number=number: self._improve(number) for number in range(self.improvers)]
            _side_by_side(works)
        nodes, details = board.nodes, {}
        if self.proved is not None and self.proved.stopped_by is StoppedBy.PROOF and self.proved.x is None:
            return Finding(StoppedBy.PROOF, None, float("-inf"), nodes, details)
        x = None if board.best is None else made_whole(self.model, self.reduced.restored(board.best), "capalloc")
        return Finding(self._ending(), x, board.bound + self.reduced.offset, nodes, details)

    def _ending(self) -> StoppedBy:
        board = self.board
        if self.proved is not None and self.proved.stopped_by is StoppedBy.PROOF:
            return StoppedBy.PROOF
        if board.spent:
            return StoppedBy.NODE_LIMIT
        return board.watch.ended_by or StoppedBy.GAP

    def _prove(self) -> None:
        self.turns.begin(PROVER)
        try:
            self.proved = Prover(self.board, self.turns).prove()
        finally:
            self.turns.end(PROVER)
        if self.proved.stopped_by is StoppedBy.PROOF:
            self.board.finish()

    def _improve(self, number: int) -> None:
        name = f"improver {number}"
        if number:
            self.rooted.wait()
        self.turns.begin(name)
        try:
            if not number:
                self._solve_root()
            if self.root is not None and self.board.problem.groups.binary.any():
                Improver(self.board, self.root, self.turns, name, number).run(dives=2)
        finally:
            self.rooted.set()
            self.turns.end(name)

    def _solve_root(self) -> None:
        board = self.board
        began = time.thread_time()
        lp = Simplex(board)
        relaxed = lp.solve()
        if time.thread_time() - began > LONG_RELAXATION:
            self.turns.shares[PROVER] = SHARE_OF_A_LARGE_PROOF
        if relaxed is not None:
            bound, gains = dual_bound(board.problem, relaxed.multipliers)
            board.lower(bound)
            self.root = Root(relaxed, gains, lp, surroundings(board.problem, relaxed.multipliers))
        self.rooted.set()


def _side_by_side(works: list[Callable[[], None]]) -> None:
    """Run each in a thread of its own, and raise the first failure when all have ended."""
    failures: list[BaseException] = []

    def guarded(work: Callable[[], None], done: Flag) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001  # carried over to the calling thread
            failures.append(error)
        finally:
            done.set()

    flags: list[Any] = []
    for work in works:
        done = Flag()
        flags.append(done)
        Thread(target=copy_context().run, args=(guarded, work, done), name="capalloc-search", daemon=True).start()
    for done in flags:
        done.wait()
    if failures:
        raise failures[0]

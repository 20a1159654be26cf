"""The own engine: reduce, relax, and let searches for points and for a bound work side by side."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from threading import Event as Flag
from typing import Any

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
from capalloc.engines.highs import PATIENCE, PATIENCE_PER_ENTRY, made_whole
from capalloc.engines.own.board import Board
from capalloc.engines.own.cores import Cores
from capalloc.engines.own.deepening import CHOICES_A_NODE, Deepening, sievable
from capalloc.engines.own.exchange import exchanged
from capalloc.engines.own.improver import Improver, Root
from capalloc.engines.own.lightening import Lightened, lighten
from capalloc.engines.own.neighbourhoods import surroundings
from capalloc.engines.own.opening import opened
from capalloc.engines.own.presolve import Reduced, reduce, valued_in_parts
from capalloc.engines.own.problem import dual_bound, problem_of
from capalloc.engines.own.prover import NAME as PROVER
from capalloc.engines.own.prover import prove
from capalloc.engines.own.sifting import Sifting
from capalloc.engines.own.simplex import Relaxed, Simplex
from capalloc.engines.own.turns import Turns
from capalloc.engines.points import crossed, refuse_bad_numbers
from capalloc.engines.threads import launch
from capalloc.model import Floats, LinearModel, Outcome, ProgressReport, SolveOptions, StoppedBy

# What the proof gets of the threads beside a share of one for each search for plans, at first and when plans no longer
# improve, and what it gets while they do, or when neither gets on.
SHARE_OF_PROOF = 4.0
SHARE_NEAR_ITS_END = 12.0
SHARE_BESIDE_PLANS = 0.4
SHARE_OF_ALL_ALIKE = 1.0

# What keeps it a thread of its own, where there are several.
SHARE_OF_A_THREAD = 1e9

# What it gets on a single thread while the dives look for a first good plan, with which it is begun anew.
SHARE_BESIDE_DIVES = 0.05

# A proof that has not closed so much of the root's gap after so many seconds of work is not about to end; one that has
# a thread of its own may try for longer.
TRIAL = 5.0
TRIAL_BESIDE = 10.0
PROMISING = 0.2

# One that has closed so much, or leaves so small a gap that plans can gain nothing more, is; but after the trial only
# if what it closed in the later half of its work is more than this part of what it leaves.
CLOSED = 0.4
NEARLY = 1e-4
PACE = 0.25

# One that has closed less than this part of what it leaves in that time hardly moves.
MOVING = 0.01

# Nodes searched within the head start in a tree that may be searched to its end.
QUICK = 1_000

# Plans no longer improve when nothing has come for so many seconds, or for this part of the run.
STILL = 5.0
STILL_PART = 0.25

# When the limit or the stop sign has come, a search may work on for so many seconds, and so many for each entry: steps
# of HiGHS that do not look up, such as presolve and the searches inside its own heuristics, can take that long.
WORK_BEYOND = 2.0
WORK_BEYOND_PER_ENTRY = 1e-5

# The proof of a large problem begins once so few columns are open, looked at every so many seconds.
FEW_COLUMNS = 20_000
LOOK = 1.0

# The opening begins so many seconds of work after the proof, which may need no more; what ends within them depends on
# no clock, whatever the number of threads.
HEAD_START = 0.2

# On a single thread it begins later, and its cores only once the proof has worked so many times as long as the opening
# has and will: models that the proof ends by itself are ended hardly later.
HEAD_START_ALONE = 0.5
TIMES_THE_OPENING = 7.0

# On a single thread the proof has worked so many seconds before the dives begin, and so many where it seems about to
# end.
UNDISTURBED = 5.0
FINISHING = 10.0


# Choices that the proof by deepening looks at before anything else begins, which takes a few hundredths of a second,
# and in all if its last pass seems to need no more than so many; then, once HiGHS has had its head start, before it
# takes turns with the others; between two turns; before it is given up since more than the most seem to be needed, as
# they do while the best point is poor; and in all, where no limit of nodes says less, of which it may use a part.
SIEVED_AT_ONCE = 150_000
SIEVED_SOON = 1_200_000
SOON = 400_000
SIEVED_ALONE = 2_000_000
SIEVED_IN_A_TURN = 1_000_000
SIEVED_IN_GOOD_FAITH = 15_000_000
SIEVED_AT_MOST = 60_000_000
SIEVED_OF_NODES = 0.25


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
    light = lighten(model, lambda: watch.ended_by is not None)
    reduced = reduce(light.model)
    if reduced is None:
        return NO_POINT_EXISTS
    if not reduced.columns.size:
        x = made_whole(model, light.restored(reduced.base), "capalloc", anew=valued_in_parts(model))
        return Finding(StoppedBy.PROOF, x, float(model.objective @ x))
    board = Board(problem_of(reduced.model), reduced.offset, options, watch)
    begin = usable_start(model, start)
    if begin is not None:
        board.offer(reduced.shrunk(light.shrunk(begin)))
    return _Session(board, reduced, light, model).finding()


class _Session:
    """The searches of one run."""

    def __init__(self, board: Board, reduced: Reduced, light: Lightened, model: LinearModel) -> None:
        self.board, self.reduced, self.light, self.model = board, reduced, light, model
        names = [f"improver {number}" for number in range(max(1, board.options.threads))]
        self.improvers = names
        # Two threads or more: the last search for plans stands back until the proof gives up its thread.
        self.spare = names[-1] if len(names) > 1 and not board.problem.large else None
        self.turns = Turns(
            board.options.threads,
            {PROVER: self._share_at_first()} | dict.fromkeys(names, 1.0),
        )
        self.deepening = Deepening(board) if sievable(board.problem) else None
        nodes = board.options.node_limit
        self.most_sieved = SIEVED_AT_MOST if nodes is None else int(SIEVED_OF_NODES * nodes * CHOICES_A_NODE)
        self.proved = self.sieving = False
        self.diving = set(names)
        self.searching = set(names[:1] if board.options.node_limit is not None else names)
        self.relaxed: Relaxed | None = None
        self.quick = False
        self.root: Root | None = None
        self.opened = False
        self.rooted, self.proof_ended = Flag(), Flag()

    def finding(self) -> Finding:
        """Run all searches to the end and return what they found."""
        board = self.board
        details: dict[str, Any] = {"columns": self.reduced.columns.size, "rows": self.reduced.rows.size}
        self._sieve_first()
        if self.proved or board.over:
            pass
        elif board.options.node_limit is not None:
            self._one_after_the_other(board.options.node_limit)
        else:
            _side_by_side(
                [self._prove, *(partial(self._improve, number) for number in range(len(self.improvers)))], board
            )
        prices = self.relaxed or self.deepening
        if prices is not None:
            multipliers = np.zeros(len(self.light.model.row_upper))
            multipliers[self.reduced.rows] = prices.multipliers
            details |= {"root_multipliers": self.light.multipliers(multipliers)}
        # A search that was left alone may still write on the board: what is claimed is read before the point, so that
        # the point is never worse than the one it was claimed of.
        ending, bound = self._ending(), self._bound()
        if board.best is None:
            return Finding(ending, None, float("-inf") if ending is StoppedBy.PROOF else bound, board.nodes, details)
        best = self.light.restored(self.reduced.restored(board.best))
        x = made_whole(self.model, best, "capalloc", anew=valued_in_parts(self.model))
        return Finding(ending, x, bound, board.nodes, details)

    def _bound(self) -> float:
        return self.board.bound + self.reduced.offset

    def _ending(self) -> StoppedBy:
        board = self.board
        if self.proved:
            return StoppedBy.PROOF
        if board.spent:
            return StoppedBy.NODE_LIMIT
        return board.watch.ended_by or StoppedBy.GAP

    def _one_after_the_other(self, nodes: int) -> None:
        """Prove with a quarter of the nodes, look for plans with another half, and prove with what is left."""
        board = self.board
        for part, work in (
            (nodes // 4, self._prove),
            (3 * nodes // 4, partial(self._improve, 0)),
            (nodes, self._prove),
        ):
            board.budget = part
            if not self.proved:
                work()

    def _sieve(self, most: int) -> None:
        """Ask for points of ever lower value, up to so many choices, in problems of the kind that this proves."""
        if self.deepening is not None and self.deepening.proved(min(most, self.most_sieved)):
            self.board.lower(self.board.value)
            self.proved = True
            self.board.finish()

    def _sieve_first(self) -> None:
        """Let that go on for a moment, and for a few more where a good point says that it is about to end."""
        board, deepening = self.board, self.deepening
        self._sieve(SIEVED_AT_ONCE)
        if deepening is None or board.over or board.best is None:
            return
        board.offer(exchanged(board.problem, board.best, board.enough, deepening.multipliers))
        if deepening.prospect < SOON:
            self._sieve(SIEVED_SOON)

    def _sieve_on(self, name: str) -> None:
        """Go on with that: at first alone, then in turns, as long as the end is in sight."""
        self.sieving = True
        most, deepening = SIEVED_ALONE, self.deepening
        while deepening is not None and not self.board.over and self._in_sight(deepening):
            self._sieve(most)
            most = deepening.worked + SIEVED_IN_A_TURN
            self._rest(name, 0.0)
        self.sieving = False

    def _in_sight(self, deepening: Deepening) -> bool:
        near = deepening.worked < SIEVED_IN_GOOD_FAITH or deepening.prospect < SIEVED_AT_MOST
        return near and deepening.worked < self.most_sieved

    def _prove(self) -> None:
        if self.board.problem.blocks is not None and not self._narrowed():
            return
        self.turns.begin(PROVER)
        try:
            if prove(self.board, self.turns, self._ripe, self._just_opened):
                self.proved = True
        finally:
            self.turns.end(PROVER)
            self.proof_ended.set()
        if self.proved:
            self.board.finish()

    def _narrowed(self) -> bool:
        """Wait until the relaxation leaves few columns of a large problem open, or nothing else; false when neither."""
        board = self.board
        self.proof_ended.set()
        while not board.over:
            lower, upper = board.narrowed()
            if not self.searching or int((lower < upper).sum()) <= FEW_COLUMNS:
                return True
            if board.options.node_limit is not None:
                return False
            time.sleep(LOOK)
        return False

    def _improve(self, number: int) -> None:
        name = self.improvers[number]
        if number:
            self.rooted.wait()
        else:
            self._let_the_proof_begin()
        if name == self.spare:
            self._stand_back()
        self.turns.begin(name)
        try:
            if not number:
                self._sieve_on(name)
            if not number and not self.board.over:
                self._solve_root()
                self._open(name)
                self._let_the_proof_end(name)
            rest = partial(self._rest, name)
            if self.relaxed is not None and self.board.root is not None and self.root is None:
                Cores(self.board, self.relaxed, self.board.root[1], rest, number).go_on()
            elif self.root is not None and self.board.problem.groups.binary.any():
                improver = Improver(self.board, self.root, rest, number)
                improver.begin()
                self.diving.discard(name)
                improver.go_on()
        finally:
            self.rooted.set()
            self.searching.discard(name)
            self.diving.discard(name)
            self.turns.end(name)

    def _open(self, name: str) -> None:
        """Find a good plan quickly, which the proof takes up."""
        root, board = self.root, self.board
        if root is not None and not board.problem.large and board.problem.groups.binary.any():
            opened(board, root.relaxed, root.gains, root.lp, partial(self._pace, name, time.thread_time()))
            self.opened = True

    def _pace(self, name: str, began: float, seconds: float) -> None:
        """Leave the only thread to the proof for some seconds, or several times as many as the opening will have."""
        worked = time.thread_time() - began + seconds
        if self._alone:
            self._leave_to_the_proof(name, lambda: self.board.proving > min(UNDISTURBED, TIMES_THE_OPENING * worked))

    def _leave_to_the_proof(self, name: str, enough: Callable[[], bool]) -> None:
        """Wait until the proof has worked enough, or needs no more."""
        self.turns.end(name)
        while not (enough() or self.board.over or self.proof_ended.is_set()):
            self.proof_ended.wait(0.02)
        self._weigh()
        self.turns.begin(name)

    def _let_the_proof_begin(self) -> None:
        """Wait until the proof has ended or had its head start, in seconds of work."""
        start = HEAD_START_ALONE if self._alone else HEAD_START
        end = time.process_time() + (HEAD_START if self.deepening else start)
        while time.process_time() < end and not self.board.over and not self.proof_ended.is_set():
            self.proof_ended.wait(0.02)

    def _let_the_proof_end(self, name: str) -> None:
        """Leave the only thread to the proof for a while, and longer where it seems about to end."""
        if self._alone:
            self._leave_to_the_proof(name, self._had_its_time)
        self._weigh()

    def _had_its_time(self) -> bool:
        worked = self.board.proving
        return worked > FINISHING or (worked > UNDISTURBED and not self._near_its_end())

    def _weigh(self) -> None:
        self.quick = self.board.nodes >= QUICK
        self.turns.shares[PROVER] = self._share_of_proof()

    def _stand_back(self) -> None:
        """Wait until the proof gives up the thread it has for itself."""
        while not self.board.over and self.searching and self._share_of_proof() == SHARE_OF_A_THREAD:
            time.sleep(0.02)

    def _near_its_end(self) -> bool:
        return (self._closed() >= CLOSED and self._gets_on()) or self.board.gap <= NEARLY

    @property
    def _tried(self) -> bool:
        return self.board.proving > (TRIAL_BESIDE if self.spare else TRIAL)

    def _gets_on(self) -> bool:
        """Whether the proof is in its trial, or would end soon if it went on as in the later half of its work."""
        return not self._tried or self.board.pace > PACE

    def _ripe(self) -> bool:
        """Whether a proof that found only poor points is better begun anew."""
        return self._alone and not self.diving and self._closed() < CLOSED

    def _just_opened(self) -> bool:
        """Whether the opening has ended since it was asked last."""
        just, self.opened = self.opened, False
        return just

    def _rest(self, name: str, after: float) -> None:
        """Weigh proof and plans anew, and let others work."""
        self.turns.shares[PROVER] = self._share_of_proof()
        self.turns.let_others(name, after)

    @property
    def _alone(self) -> bool:
        """Whether all searches share one thread, and a proof can be begun anew at little cost."""
        return self.board.options.threads == 1 and not self.board.problem.large

    def _share_at_first(self) -> float:
        if self.spare:
            return SHARE_OF_A_THREAD
        return SHARE_BESIDE_PLANS if self.board.problem.large else SHARE_OF_PROOF

    def _share_of_proof(self) -> float:
        now, large = self.board.watch.seconds, self.board.problem.large
        whole = SHARE_OF_A_THREAD if self.spare else 0.0
        if self._near_its_end():
            return whole or SHARE_NEAR_ITS_END
        if self.sieving:
            return whole or SHARE_OF_ALL_ALIKE
        promising = (self._closed() >= PROMISING and self._gets_on()) or (self.quick and not self._tried)
        if self.diving and self._alone and not promising:
            return SHARE_BESIDE_DIVES
        improving = bool(self.diving) or now - self.board.improved_at < max(STILL, STILL_PART * now)
        if improving and (large or (self._tried and not promising)):
            return SHARE_BESIDE_PLANS
        if self._alone and self._tried and not promising:
            return SHARE_OF_ALL_ALIKE if self.board.pace > MOVING else SHARE_BESIDE_PLANS
        return whole or SHARE_OF_PROOF

    def _closed(self) -> float:
        """Return which part of the gap there was at the root the proof has closed."""
        board = self.board
        if board.root is None or board.best is None:
            return 0.0
        return (board.root[0] - board.bound) / max(board.root[0] - board.value, 1e-9)

    def _solve_root(self) -> None:
        board, problem = self.board, self.board.problem
        lp = Simplex(board) if problem.blocks is None else None
        self.relaxed = relaxed = Sifting(board).solve() if lp is None else lp.solve()
        if relaxed is not None:
            bound, gains = dual_bound(problem, relaxed.multipliers)
            board.root = (bound, gains)
            board.lower(max(bound, board.value))
            if lp is not None:
                self.root = Root(relaxed, gains, lp, surroundings(problem, relaxed.multipliers))
        self.rooted.set()


def _side_by_side(works: list[Callable[[], None]], board: Board) -> None:
    """Run each in a thread of its own until all have ended, and raise the first failure.

    HiGHS 1.15.1 can go round in presolve for ever, blind to limits (ERGO-Code/HiGHS#2226): a search that does not end
    with the run is left alone.
    """
    failures: list[BaseException] = []

    def guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001  # carried over to the calling thread
            failures.append(error)
            board.finish()

    flags = [launch(partial(guarded, work), board.watch.stop, "capalloc-search") for work in works]
    for done in flags:
        while not done.wait(0.1) and not board.over:
            pass
    entries = board.problem.model.matrix.nnz
    last = time.process_time() + WORK_BEYOND + entries * WORK_BEYOND_PER_ENTRY
    for done in flags:
        patience = time.monotonic() + PATIENCE + entries * PATIENCE_PER_ENTRY
        while not done.wait(0.05) and time.monotonic() < patience:
            if board.watch.ended_by and time.process_time() > last:
                break
    if failures:
        raise failures[0]

"""The engine on HiGHS: the whole model in one run of its branch and cut, or of its simplex."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Event
from typing import TYPE_CHECKING, Any

import numpy as np

from capalloc.catalogue import say
from capalloc.engines.base import (
    NO_POINT_EXISTS,
    Feature,
    Finding,
    Silent,
    Watch,
    conclude,
    nothing_to_choose,
    usable_start,
    watched_run,
)
from capalloc.engines.points import broken_rows, crossed, holds, refuse_bad_numbers, settled, value_of
from capalloc.engines.scaling import scaled, scaling_of
from capalloc.issues import EngineFailed
from capalloc.model import Floats, LinearModel, Outcome, ProgressReport, SolveOptions, StoppedBy

if TYPE_CHECKING:
    from highspy import Highs as Solver

# Rows are scaled so that one unit of a row of whole columns is far above this; HiGHS's own 1e-6 would let a budget of
# 10**7 be passed by whole units once the columns are rounded.
TOLERANCE = 1e-9

# Entries this far below the largest of a row are dropped by HiGHS; it says so, and then the model is refused.
SMALLEST_ENTRY = 1e-12

# Presolve reports nothing while it works; on the largest models it takes seconds for each million entries.
PATIENCE = 10.0
PATIENCE_PER_ENTRY = 1e-4

# Two rules of the presolve of HiGHS 1.15.1 can lose the best point.  The one on parallel rows and columns (13), which
# may also never end, merges payments of sources that nothing tells apart; the aggregator (12) has called a worse plan
# the best where money is carried over.
UNSOUND_RULES = 1 << 13 | 1 << 12

ENDINGS = {
    "kOptimal": StoppedBy.PROOF,
    "kTimeLimit": StoppedBy.TIME_LIMIT,
    "kSolutionLimit": StoppedBy.NODE_LIMIT,
    "kInterrupt": StoppedBy.INTERRUPT,
    "kInfeasible": StoppedBy.PROOF,
    "kUnboundedOrInfeasible": StoppedBy.PROOF,
}
NO_POINT = ("kInfeasible", "kUnboundedOrInfeasible")


class Highs:
    """Solves a model in one run of HiGHS, in a thread of its own.

    An optimum is proved up to 1e-9 of the size of a row: of amounts beyond 10**9 HiGHS may take a single unit for
    nothing.  What breaks a row by that unit is never given back.
    """

    name = "highs"
    features = frozenset(Feature)

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
        try:
            silence = PATIENCE + model.matrix.nnz * PATIENCE_PER_ENTRY
            found = watched_run(lambda: _find(model, options, start, watch), watch, progress, silence)
        except Silent:
            # HiGHS 1.15.1 can go round in presolve for ever, blind to limits (ERGO-Code/HiGHS#2226).
            plain = Watch(replace(options, time_limit=None if options.time_limit is None else watch.left), watch.stop)
            found = watched_run(lambda: _find(model, options, start, plain, presolve=False), plain, progress)
        return conclude(self, model, options, start, watch, found)


@dataclass(frozen=True, slots=True)
class Relaxation:
    """The best value when nothing must be whole, a point that has it, and what each row and column is worth.

    ``row_duals[i]`` is what one more unit of room in row i adds to the value: at least 0 where its upper side binds, at
    most 0 where its lower side does.  ``column_duals`` likewise for the bounds of columns.
    """

    value: float
    x: Floats
    row_duals: Floats
    column_duals: Floats


def relaxation(model: LinearModel, options: SolveOptions, stop: Event | None = None) -> Relaxation | None:
    """Return the solved relaxation, or ``None`` when it has no point or a limit came first.

    Raises
    ------
    EngineFailed
        When HiGHS fails, or the value has no bound.
    """
    loose = replace(model, integer=np.zeros_like(model.integer))
    watch = Watch(options, stop)
    return watched_run(lambda: _relax(loose, options, watch), watch, None)


def made_whole(model: LinearModel, x: Floats, engine: str, *, anew: bool = False) -> Floats:
    """Return the point with its whole columns exactly whole and every row kept.

    Rounding a column from 0.9999999 to 1 moves what its row asks of the others; these are then chosen anew, the whole
    columns held.

    Parameters
    ----------
    engine
        Whose point it is, for the message.
    anew
        Choose the other columns anew in any case, since they were read with few digits.

    Raises
    ------
    EngineFailed
        When rows stay broken.
    """
    point = settled(model, x)
    if not model.integer.all() and (anew or broken_rows(model, point).any()):
        lower, upper = np.where(model.integer, point, model.lower), np.where(model.integer, point, model.upper)
        # A stopped run may still end with this short linear program, so it has a clock of its own.
        answer = relaxation(replace(model, lower=lower, upper=upper), SolveOptions(time_limit=None))
        point = point if answer is None else settled(model, answer.x)
    if broken := int(broken_rows(model, point).sum()):
        raise EngineFailed(say("engine.point-broken", engine=engine, rows=broken))
    return point


def _find(
    model: LinearModel, options: SolveOptions, start: Floats | None, watch: Watch, *, presolve: bool = True
) -> Finding:
    refuse_bad_numbers(model)
    if crossed(model):
        return NO_POINT_EXISTS
    if not model.objective.size:
        return nothing_to_choose(model)
    run = Run(model, options, watch)
    run.offer(usable_start(model, start))
    run.set("presolve_rule_off", UNSOUND_RULES)
    if not presolve:
        run.set("presolve", "off")
    ending = run.go()
    if ending in NO_POINT and presolve:
        # HiGHS 1.15.1 can lose every point in presolve (ERGO-Code/HiGHS#3296): believe it only without.
        run.set("presolve", "off")
        ending = run.go()
    return run.finding(ending)


def _relax(model: LinearModel, options: SolveOptions, watch: Watch) -> Relaxation | None:
    refuse_bad_numbers(model)
    if crossed(model):
        return None
    if not model.objective.size:
        nothing = np.zeros(0)
        return Relaxation(0.0, nothing, np.zeros_like(model.row_upper), nothing) if holds(model, nothing) else None
    run = Run(model, options, watch)
    if run.go() != "kOptimal":
        return None
    solution = run.solver.getSolution()
    x = settled(model, np.array(solution.col_value) * run.scaling.columns)
    # HiGHS minimises the negated and scaled objective.
    rows = -np.array(solution.row_dual) * run.scaling.rows / run.scaling.objective
    columns = -np.array(solution.col_dual) / run.scaling.columns / run.scaling.objective
    return Relaxation(value_of(model, x), x, rows + 0.0, columns + 0.0)


class Run:
    """One model in HiGHS: scaled, negated to a minimisation, limited, watched, and read back in the user's sense.

    HiGHS is always given a minimisation, since parts of it mistake the sense of a maximisation.  It must be made and
    used in one thread, whose number of threads is fixed by its first run.
    """

    def __init__(self, model: LinearModel, options: SolveOptions, watch: Watch) -> None:
        import highspy

        self.model = model
        self.options = options
        self.watch = watch
        self.scaling = scaling_of(model)
        self.whole = bool(model.integer.any())
        self._failure: BaseException | None = None
        self.solver: Solver = highspy.Highs()  # type: ignore[no-untyped-call]  # highspy leaves it untyped
        self.solver.silent()
        self.set("small_matrix_value", SMALLEST_ENTRY)
        status = self.solver.passModel(program_of(scaled(model, self.scaling)))
        if status != highspy.HighsStatus.kOk:
            raise EngineFailed(say("engine.numbers-refused", engine="HiGHS"))
        self._limit()

    def set(self, option: str, value: Any) -> None:
        """Set an option of HiGHS, or fail."""
        import highspy

        if self.solver.setOptionValue(option, value) != highspy.HighsStatus.kOk:
            raise EngineFailed(say("engine.option-refused", engine="HiGHS", option=option, found=value))

    def _limit(self) -> None:
        self.set("threads", self.options.threads)
        self.set("random_seed", self.options.seed)
        self.set("mip_rel_gap", self.options.gap)
        self.set("mip_abs_gap", 0.0)
        self.set("mip_feasibility_tolerance", TOLERANCE)
        self.set("primal_feasibility_tolerance", TOLERANCE)
        if self.options.node_limit is not None:
            self.set("mip_max_nodes", self.options.node_limit)
        self.hear(self.solver.cbMipInterrupt, self.look_up)
        self.hear(self.solver.cbMipImprovingSolution, self.look_up)
        self.hear(self.solver.cbSimplexInterrupt, self.heed)
        self.hear(self.solver.cbIpmInterrupt, self.heed)

    def hear(self, news: Any, listener: Callable[[Any], None]) -> None:
        """Have a listener called with some kind of news of HiGHS; what it raises ends the run and comes out after it.

        Thrown through HiGHS itself, it would lose the best point, or end the program where HiGHS does not expect it.
        """

        def heard(event: Any) -> None:
            if self._failure is None:
                try:
                    listener(event)
                except BaseException as error:  # noqa: BLE001  # raised again when HiGHS has returned
                    self._failure = error
            if self._failure is not None:
                event.interrupt()

        news.subscribe(heard)

    def offer(self, start: Floats | None) -> None:
        """Give HiGHS a point to start from, a whole one: it may take twice the time limit to complete a part of one."""
        import highspy

        if start is None or not self.whole:
            return
        given = highspy.HighsSolution()
        given.col_value = (start / self.scaling.columns).tolist()
        if self.solver.setSolution(given) == highspy.HighsStatus.kError:
            raise EngineFailed(say("engine.gave-up", engine="HiGHS", status="setSolution"))

    def go(self) -> str:
        """Run for the time that is left and return the name of HiGHS's model status."""
        import highspy

        self.set("time_limit", self.watch.left)
        try:
            status = self.solver.run()
        finally:
            highspy.Highs.resetGlobalScheduler(False)
        if self._failure is not None:
            raise self._failure
        ending = str(self.solver.getModelStatus().name)
        if ending == "kUnbounded":
            raise EngineFailed(say("engine.unbounded", engine="HiGHS"))
        if status == highspy.HighsStatus.kError or ending not in ENDINGS:
            raise EngineFailed(say("engine.gave-up", engine="HiGHS", status=ending))
        return ending

    def finding(self, ending: str) -> Finding:
        """Return what HiGHS holds after a run that ended so."""
        nodes = max(0, self.solver.getInfo().mip_node_count)
        details = {"status": ending, "version": self.solver.version()}
        if ending in NO_POINT:
            return replace(NO_POINT_EXISTS, nodes=nodes, details=details)
        x = self._point()
        return Finding(ENDINGS[ending], x, self._bound(ending, x), nodes, details)

    def _point(self) -> Floats | None:
        import highspy

        if self.solver.getInfo().primal_solution_status != highspy.kSolutionStatusFeasible:
            return None
        x = np.array(self.solver.getSolution().col_value) * self.scaling.columns
        return made_whole(self.model, x, "HiGHS")

    def _bound(self, ending: str, x: Floats | None) -> float:
        if self.whole:
            return self.unscaled(self.solver.getInfo().mip_dual_bound)
        return value_of(self.model, x) if ending == "kOptimal" and x is not None else float("inf")

    def unscaled(self, amount: float) -> float:
        """Return a value of HiGHS in the sense and the units of the model."""
        return float("inf") if np.isnan(amount) else -float(amount) / self.scaling.objective + 0.0

    def heed(self, event: Any) -> None:
        """Stop a run at the stop sign."""
        self.watch.alive_at = self.watch.seconds
        if self.watch.stop.is_set():
            event.interrupt()

    def look_up(self, event: Any) -> None:
        """Take the news of a running search, and stop it at the stop sign."""
        self.heed(event)
        data = event.data_out
        value = self.unscaled(data.mip_primal_bound) if np.isfinite(data.mip_primal_bound) else None
        self.watch.tell(value, self.unscaled(data.mip_dual_bound), data.mip_node_count)


def program_of(model: LinearModel) -> Any:
    """Return the model as HiGHS's own linear program, which minimises the negated value."""
    import highspy

    matrix = model.matrix.tocsc()
    program = highspy.HighsLp()
    program.num_row_, program.num_col_ = matrix.shape
    program.sense_ = highspy.ObjSense.kMinimize
    program.col_cost_ = -model.objective
    program.col_lower_, program.col_upper_ = model.lower, model.upper
    program.row_lower_, program.row_upper_ = model.row_lower, model.row_upper
    entries = program.a_matrix_
    entries.format_ = highspy.MatrixFormat.kColwise
    entries.num_row_, entries.num_col_ = matrix.shape
    entries.start_, entries.index_ = matrix.indptr.astype(np.int32), matrix.indices.astype(np.int32)
    entries.value_ = matrix.data
    if model.integer.any():
        kinds = np.array([highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger])
        program.integrality_ = kinds[model.integer.astype(np.int64)].tolist()
    return program

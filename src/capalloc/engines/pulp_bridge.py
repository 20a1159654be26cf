"""The only file that imports PuLP: its solvers as engines, and models as problems that people can read and add to.

What PuLP reports is not taken at its word: statuses come from ``sol_status`` and the solver's own log, points are read
by our own list of variables and judged on the arrays, and values are worked out anew.
"""

from __future__ import annotations

import contextlib
import inspect
import math
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import numpy as np

from capalloc.catalogue import say
from capalloc.engines.base import (
    NO_POINT_EXISTS,
    Feature,
    Finding,
    Watch,
    conclude,
    nothing_to_choose,
    refuse_limits_beyond,
    usable_start,
    watched_run,
)
from capalloc.engines.cbc import (
    cbc_options,
    ending_in,
    lower_bound_in,
    news_in,
    preprocessing_doubted_in,
    run_cbc,
    says_infeasible,
)
from capalloc.engines.highs import ENDINGS, NO_POINT, SMALLEST_ENTRY, TOLERANCE, made_whole
from capalloc.engines.naming import readable_names
from capalloc.engines.points import (
    breaks_an_empty_row,
    crossed,
    largest_whole_entry,
    mixed_rows,
    refuse_bad_numbers,
    settled,
    value_of,
)
from capalloc.engines.scaling import scaled, scaling_of, tidied
from capalloc.issues import EngineFailed, UnknownName
from capalloc.model import Floats, LinearModel, Outcome, ProgressReport, SolveOptions, StoppedBy

if TYPE_CHECKING:
    import pulp

_BROUGHT_CBC = "PULP_CBC_CMD"
_ALIASES = {"CBC": _BROUGHT_CBC}
_CBC = (_BROUGHT_CBC, "COIN_CMD")

# What the constructors of PuLP's solvers call the features they have.
_ARGUMENTS = {
    Feature.TIME_LIMIT: "timeLimit",
    Feature.NODE_LIMIT: "maxNodes",
    Feature.GAP: "gapRel",
    Feature.THREADS: "threads",
    Feature.START: "warmStart",
}

_DIGITS = 1e-7

# Beyond this, tried on random rows, CBC takes one unit more or less for nothing and calls wrong points optimal.
_LARGEST_IN_CBC = 2.0**28

# A value this far from a whole number is not what is left of rounding.
_NOT_WHOLE = 1e-4


class PulpEngine:
    """Solves a model with a solver that PuLP drives.

    ``features`` says what can be asked of the solver: what its constructor in PuLP has an argument for.  CBC besides
    stops when told, has a seed and gives a bound; so does HiGHS, which PuLP can give no start and no limit of nodes.
    Without a bound of its own a solver's claim of an optimum is worth the gap it was given.

    Parameters
    ----------
    name
        The solver's name in PuLP, or ``CBC`` for the CBC that PuLP brings.

    Raises
    ------
    UnknownName
        When PuLP has no such solver, or it is not installed.
    """

    def __init__(self, name: str) -> None:
        self.name = f"pulp:{name}"
        self.solver_name = _ALIASES.get(name, name)
        self.features = _features(self.solver_name)

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
        refuse_limits_beyond(self, options)
        watch = Watch(options, stop)
        found = watched_run(lambda: self._find(model, options, start, watch), watch, progress)
        return conclude(self, model, options, start, watch, found)

    def _find(self, model: LinearModel, options: SolveOptions, start: Floats | None, watch: Watch) -> Finding:
        refuse_bad_numbers(model)
        if self.solver_name in _CBC and largest_whole_entry(model) > _LARGEST_IN_CBC:
            raise EngineFailed(say("engine.numbers-refused", engine=self.name))
        if crossed(model) or breaks_an_empty_row(model):
            return NO_POINT_EXISTS
        if not model.objective.size:
            return nothing_to_choose(model)
        run = _Run(self, model, options, usable_start(model, start), watch)
        answer = _believable(run)
        if answer.values is None and answer.ending is StoppedBy.PROOF:
            return NO_POINT_EXISTS
        bound = answer.bound / run.scaling.objective
        if answer.values is None:
            return Finding(answer.ending, None, bound)
        said = answer.values * run.scaling.columns
        # Most solvers of PuLP write eight digits into a file: enough for whole numbers, not for amounts that count.
        x = made_whole(model, said, self.name, anew=bool(model.objective[~model.integer].any()))
        if answer.within is not None:
            claimed, value = value_of(model, said), value_of(model, x)
            best = claimed if claimed - value > _DIGITS * abs(claimed) else value
            bound = min(bound, best + answer.within * abs(best))
        return Finding(answer.ending, x, bound)


def _believable(run: _Run) -> _Answer:
    """Return the solver's answer, given without presolve where presolve is in doubt or has left no point at all."""
    first = run.go(careful=False)
    if not first.doubted:
        return first
    second = run.go(careful=True)
    if second.ending in (StoppedBy.PROOF, StoppedBy.GAP) or first.values is None:
        return second
    return replace(first, ending=second.ending, bound=min(first.bound, second.bound))


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a solver says of the scaled model: a bound in the user's sense, and the gap of an optimum it claims."""

    ending: StoppedBy
    values: Floats | None = None
    bound: float = float("inf")
    within: float | None = None
    doubted: bool = False


class _Run:
    """One model as a problem of PuLP: scaled, negated to a minimisation, with names of our own."""

    def __init__(
        self, engine: PulpEngine, model: LinearModel, options: SolveOptions, start: Floats | None, watch: Watch
    ) -> None:
        import pulp

        self.engine = engine
        self.solver_name = engine.solver_name
        self.options = options
        self.watch = watch
        # PuLP hands a model over in thirteen digits, enough for whole numbers as they are but not for their parts.
        scaling = scaling_of(model)
        self.scaling = replace(scaling, rows=np.where(mixed_rows(model), scaling.rows, 1.0))
        arrays = scaled(model, self.scaling)
        columns = [f"x{column}" for column in range(arrays.objective.size)]
        rows = [f"r{row}" for row in range(arrays.row_lower.size)]
        self.whole = bool(model.integer.any())
        self.resting = np.clip(0.0, arrays.lower, arrays.upper)
        self.problem, self.variables = _problem(arrays, -arrays.objective, pulp.LpMinimize, columns, rows)
        self.has_start = start is not None
        if start is not None:
            for variable, value in zip(self.variables, (start / self.scaling.columns).tolist(), strict=True):
                variable.varValue = value

    def go(self, *, careful: bool) -> _Answer:
        """Let the solver run for the time that is left; ``careful`` leaves presolve out."""
        import pulp

        if self.watch.ended_by:
            return _Answer(self.watch.ended_by)
        drive = _DRIVERS.get(self.solver_name, _drive_any)
        try:
            return drive(self, careful)
        except pulp.PulpError as error:
            raise self.failed(str(error)) from error

    def failed(self, status: object) -> EngineFailed:
        """Return the error for a solver that ended without an answer."""
        return EngineFailed(say("engine.gave-up", engine=self.engine.name, status=str(status)))

    def values(self) -> Floats:
        """Return the values of our columns; one that PuLP never met rests at its bound nearest to 0."""
        held = [variable.varValue for variable in self.variables]
        return np.array([rest if value is None else value for value, rest in zip(held, self.resting, strict=True)])

    def tell(self, value: float | None, lower_bound: float | None) -> None:
        """Pass on news of the scaled minimisation."""
        best = None if value is None else -value / self.scaling.objective
        self.watch.tell(best, float("inf") if lower_bound is None else -lower_bound / self.scaling.objective, 0)

    def overhear(self, line: str) -> None:
        """Pass on the news in a line of CBC's log."""
        self.tell(*news_in(line))

    def ending(self) -> StoppedBy | None:
        """Return which limit ended a run whose solver does not say."""
        if self.watch.ended_by:
            return self.watch.ended_by
        # A solver's clock may run a little before ours.
        if self.watch.left < 1.0:
            return StoppedBy.TIME_LIMIT
        return None if self.options.node_limit is None else StoppedBy.NODE_LIMIT


def _drive_cbc(run: _Run, careful: bool) -> _Answer:
    with tempfile.TemporaryDirectory(prefix="capalloc-") as place:
        folder = Path(place)
        model, solution, log = folder / "model.mps", folder / "model.sol", folder / "model.log"
        solver = _solver(run.solver_name, msg=False)
        variables, columns, rows, _ = run.problem.writeMPS(str(model), rename=1)
        command = [solver.path, str(model), *cbc_options(run.options, run.watch.left, careful=careful)]
        if run.has_start:
            solver.writesol(str(folder / "model.mst"), run.problem, variables, columns, rows)
            command += ["-mips", str(folder / "model.mst")]
        command.append("-solve")
        writing = ["-printingOptions", "all", "-solution", str(solution)]
        text = run_cbc([*command, *writing], log, run.watch, run.overhear)
        if not solution.exists() or solution.stat().st_size == 0:
            if ending := run.ending():
                return _Answer(ending)
            # Without preprocessing CBC 2.10.3 falls over writing what it has of a model without points.
            text = run_cbc(command, log, run.watch, run.overhear)
            if says_infeasible(text):
                return _Answer(StoppedBy.PROOF, doubted=not careful)
            raise run.failed(text[-200:])
        status, values, _, _, _, sol_status = solver.readsol_MPS(str(solution), run.problem, variables, columns, rows)
    for variable in run.variables:
        variable.varValue = values.get(variable.name)
    return _cbc_answer(run, careful, (status, sol_status), text)


def _cbc_answer(run: _Run, careful: bool, statuses: tuple[int, int], log: str) -> _Answer:
    import pulp

    status, sol_status = statuses
    if sol_status == pulp.LpSolutionUnbounded:
        raise EngineFailed(say("engine.unbounded", engine=run.engine.name))
    if status == pulp.LpStatusInfeasible:
        return _Answer(run.watch.ended_by or StoppedBy.PROOF, doubted=not careful)
    bound = -lower_bound_in(log)
    ending = run.ending() or ending_in(log) or StoppedBy.TIME_LIMIT
    if preprocessing_doubted_in(log):
        return _Answer(ending, run.values(), bound, doubted=True)
    if sol_status == pulp.LpSolutionOptimal:
        exact = ending_in(log) is not StoppedBy.GAP
        return _Answer(StoppedBy.PROOF, run.values(), bound, 0.0 if exact else None)
    held = sol_status == pulp.LpSolutionIntegerFeasible
    return _Answer(ending, run.values() if held else None, bound)


def _drive_highs(run: _Run, careful: bool) -> _Answer:
    import pulp
    from highspy import cb, kSolutionStatusFeasible

    def look_up(kind: object, message: str, news: Any, orders: Any, data: object) -> None:  # noqa: ARG001  # HiGHS's own
        orders.user_interrupt = run.watch.stop.is_set()
        if kind == cb.HighsCallbackType.kCallbackMipInterrupt:
            run.tell(news.mip_primal_bound if np.isfinite(news.mip_primal_bound) else None, news.mip_dual_bound)

    kinds = cb.HighsCallbackType
    solver = _solver(
        run.solver_name,
        msg=False,
        timeLimit=run.watch.left if np.isfinite(run.watch.left) else None,
        gapRel=run.options.gap,
        gapAbs=0.0,
        threads=run.options.threads,
        callbackTuple=(look_up, None),
        callbacksToActivate=[kinds.kCallbackMipInterrupt, kinds.kCallbackSimplexInterrupt, kinds.kCallbackIpmInterrupt],
        random_seed=run.options.seed,
        mip_feasibility_tolerance=TOLERANCE,
        primal_feasibility_tolerance=TOLERANCE,
        small_matrix_value=SMALLEST_ENTRY,
        presolve="off" if careful else "choose",
    )
    run.problem.solve(solver)
    highs = run.problem.solverModel
    highs.resetGlobalScheduler(False)
    status, info = highs.getModelStatus().name, highs.getInfo()
    if run.problem.sol_status == pulp.LpSolutionUnbounded:
        raise EngineFailed(say("engine.unbounded", engine=run.engine.name))
    if status not in ENDINGS:
        raise run.failed(status)
    if status in NO_POINT:
        return _Answer(StoppedBy.PROOF, doubted=not careful)
    held = info.primal_solution_status == kSolutionStatusFeasible
    bound = -info.mip_dual_bound if run.whole and not np.isnan(info.mip_dual_bound) else float("inf")
    solved = status == "kOptimal" and not run.whole
    return _Answer(ENDINGS[status], run.values() if held else None, bound, 0.0 if solved else None)


def _drive_any(run: _Run, careful: bool) -> _Answer:  # noqa: ARG001  # what PuLP cannot ask of every solver
    import pulp

    asked: dict[Feature, object] = {
        # Some solvers count in whole seconds.
        Feature.TIME_LIMIT: max(1, math.ceil(run.watch.left)) if np.isfinite(run.watch.left) else None,
        Feature.NODE_LIMIT: run.options.node_limit,
        Feature.GAP: run.options.gap,
        Feature.THREADS: run.options.threads,
        Feature.START: run.has_start or None,
    }
    known = {_ARGUMENTS[feature]: value for feature, value in asked.items() if feature in run.engine.features}
    with tempfile.TemporaryDirectory(prefix="capalloc-") as folder, _hushed():
        solver = _solver(
            run.solver_name, msg=False, **{name: value for name, value in known.items() if value is not None}
        )
        if isinstance(solver, pulp.LpSolver_CMD):
            solver.tmpDir = folder
        run.problem.solve(solver)
    ending = run.ending()
    if run.problem.sol_status == pulp.LpSolutionUnbounded:
        raise EngineFailed(say("engine.unbounded", engine=run.engine.name))
    if run.problem.sol_status == pulp.LpSolutionOptimal:
        gap = run.options.gap if Feature.GAP in run.engine.features else 0.0
        return _Answer(StoppedBy.PROOF, run.values(), within=gap)
    if run.problem.sol_status == pulp.LpSolutionIntegerFeasible:
        return _Answer(ending or StoppedBy.GAP, run.values())
    if run.problem.sol_status == pulp.LpSolutionInfeasible and run.watch.ended_by is None:
        return _Answer(StoppedBy.PROOF)
    if ending is None:
        raise run.failed(pulp.LpSolution.get(run.problem.sol_status, run.problem.sol_status))
    return _Answer(ending)


_DRIVERS: dict[str, Callable[[_Run, bool], _Answer]] = {
    _BROUGHT_CBC: _drive_cbc,
    "COIN_CMD": _drive_cbc,
    "HiGHS": _drive_highs,
}


def _features(name: str) -> frozenset[Feature]:
    import pulp

    try:
        with _hushed():
            solver = _solver(name, msg=False)
            installed = solver.available()
    except pulp.PulpError:
        installed = False
    if not installed:
        raise UnknownName("solver", name, installed_solvers())
    arguments = inspect.signature(type(solver).__init__).parameters
    features = {feature for feature, argument in _ARGUMENTS.items() if argument in arguments}
    own = {Feature.SEED, Feature.STOP, Feature.BOUND} if name in _DRIVERS else set()
    return frozenset(features | own)


def installed_solvers() -> list[str]:
    """Return the names of the solvers that PuLP can drive on this machine; the CBC it brings is ``CBC``."""
    import pulp

    names = {brought: alias for alias, brought in _ALIASES.items()}
    with _hushed():
        return [names.get(name, name) for name in pulp.listSolvers(onlyAvailable=True)]


def _solver(name: str, **arguments: object) -> Any:
    import pulp

    if name == _BROUGHT_CBC:
        arguments["_skip_v4_deprecation"] = True
    return pulp.getSolver(name, **arguments)


@contextlib.contextmanager
def _hushed() -> Iterator[None]:
    """Send what solvers print, from Python or below it, to standard error: standard output is for results."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def _problem(
    model: LinearModel, objective: Floats, sense: int, columns: Sequence[str], rows: Sequence[str]
) -> tuple[pulp.LpProblem, list[pulp.LpVariable]]:
    """Return a problem of PuLP and its variables in the order of the columns, all of them in its objective."""
    import pulp

    problem = pulp.LpProblem("capalloc", sense)
    kinds = [pulp.LpInteger if whole else pulp.LpContinuous for whole in model.integer.tolist()]
    bounds = zip(map(_side, model.lower.tolist()), map(_side, model.upper.tolist()), strict=True)
    variables = [
        problem.add_variable(name, low, high, kind)
        for name, (low, high), kind in zip(columns, bounds, kinds, strict=True)
    ]
    problem.setObjective(pulp.LpAffineExpression(list(zip(variables, objective.tolist(), strict=True))))
    matrix = model.matrix
    for row, name in enumerate(rows):
        entries = slice(matrix.indptr[row], matrix.indptr[row + 1])
        places, amounts = matrix.indices[entries].tolist(), matrix.data[entries].tolist()
        terms = [(variables[column], amount) for column, amount in zip(places, amounts, strict=True)]
        sides = _side(model.row_lower[row]), _side(model.row_upper[row])
        for constraint in _constraints(name, terms, *sides) if terms else ():
            problem.addConstraint(constraint)
    return problem, variables


def _side(bound: float) -> float | None:
    return None if np.isinf(bound) else float(bound)


def _constraints(
    name: str, terms: list[tuple[pulp.LpVariable, float]], low: float | None, high: float | None
) -> Iterator[pulp.LpConstraint]:
    import pulp

    expression = pulp.LpAffineExpression(terms)
    if low is not None and low == high:
        yield pulp.LpConstraint(expression, pulp.LpConstraintEQ, name, low)
        return
    two = low is not None and high is not None
    if high is not None:
        yield pulp.LpConstraint(expression, pulp.LpConstraintLE, f"{name}__most" if two else name, high)
    if low is not None:
        yield pulp.LpConstraint(expression, pulp.LpConstraintGE, f"{name}__least" if two else name, low)


def to_pulp(model: LinearModel, columns: Sequence[str], rows: Sequence[str]) -> pulp.LpProblem:
    """Return the model as a maximisation in PuLP, to add to by hand.

    Parameters
    ----------
    columns, rows
        One label a column and a row; names are made of them by :func:`~capalloc.engines.naming.readable_names`.  A row
        with two sides becomes two, named ``…__least`` and ``…__most``; one without entries is left out.
    """
    import pulp

    refuse_bad_numbers(model)
    tidy = replace(model, matrix=tidied(model.matrix))
    names = readable_names(columns), readable_names(rows)
    return _problem(tidy, model.objective, pulp.LpMaximize, *names)[0]


def point_of(problem: pulp.LpProblem, model: LinearModel, columns: Sequence[str]) -> Floats | None:
    """Return the point that a solved problem of :func:`to_pulp` holds, or ``None`` when it holds none.

    Variables and rows added by hand are passed over.  The point is settled, and what need not be whole is chosen anew
    where rounding made it miss a row; rows may still be broken, since the problem may have been changed.

    Parameters
    ----------
    columns
        The labels that the problem was made with.
    """
    import pulp

    if problem.sol_status not in (pulp.LpSolutionOptimal, pulp.LpSolutionIntegerFeasible):
        return None
    held = {variable.name: variable.varValue for variable in problem.variables()}
    resting = np.clip(0.0, model.lower, model.upper)
    values = [held.get(name) for name in readable_names(columns)]
    x = np.array([rest if value is None else value for value, rest in zip(values, resting, strict=True)])
    if not np.isfinite(x).all() or (np.abs(x - np.rint(x))[model.integer] > _NOT_WHOLE).any():
        return None
    try:
        return made_whole(model, x, "PuLP")
    except EngineFailed:
        return settled(model, x)

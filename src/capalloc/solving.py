"""The pipeline from tables to a verified plan: compile, solve, pay in whole units, verify."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from threading import Event
from time import perf_counter

import numpy as np

from capalloc.allocation import Allocation
from capalloc.audit import Audit
from capalloc.catalogue import say
from capalloc.compiling import Compiled, compile_tables
from capalloc.engines import engine_named
from capalloc.engines.base import Engine
from capalloc.financing import finance
from capalloc.issues import NO_ISSUES, EngineFailed, Issues
from capalloc.model import (
    Floats,
    LinearModel,
    Outcome,
    Progress,
    ProgressReport,
    SolveOptions,
    Status,
    StoppedBy,
    relative_gap,
)
from capalloc.rows import RowWriter, with_rows
from capalloc.tables import Tables
from capalloc.verification import verify

DEFAULT_ENGINE = "highs"

_NOISE = 1e-9
"""Relative error of a bound that an engine computes in floats."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a run found and what it proved.

    ``allocation``, ``audit`` and ``value`` are ``None`` exactly when there is no plan.  A plan has no ``violations``; a
    hand-made list may (see :mod:`capalloc.evaluation`).  ``bound`` is in units of the objective: no plan is worth more.
    ``rejected`` counts selections that had no whole-unit financing.
    """

    status: Status
    stopped_by: StoppedBy
    allocation: Allocation | None
    audit: Audit | None
    bound: float
    engine: str
    options: SolveOptions
    seconds: float
    nodes: int = 0
    rejected: int = 0
    violations: Issues = NO_ISSUES

    @property
    def value(self) -> Fraction | None:
        """What the objective adds up to, exactly."""
        return self.audit.value if self.audit else None

    @property
    def gap(self) -> float:
        """(bound − value) / |value|; 0 when equal, infinite when there is no value or it is 0."""
        return relative_gap(None if self.value is None else float(self.value), self.bound)


def optimize(
    tables: Tables,
    options: SolveOptions | None = None,
    engine: str = DEFAULT_ENGINE,
    *,
    start: Allocation | None = None,
    progress: ProgressReport | None = None,
    stop: Event | None = None,
) -> Answer:
    """Return the best plan an engine finds within its limits, verified, and the bound it proved.

    A selection that has no whole-unit financing, or that the verifier does not pass, is cut off and the rest solved
    again; the bounds of all rounds are valid for the portfolio, so the smallest counts.

    Raises
    ------
    UnknownName
        When there is no such engine.
    EngineFailed
        When the engine itself fails.
    """
    options = options or SolveOptions()
    compiled = compile_tables(tables)
    return solve_compiled(compiled, options, engine_named(engine), start=start, progress=progress, stop=stop)


def solve_compiled(
    compiled: Compiled,
    options: SolveOptions,
    engine: Engine,
    *,
    start: Allocation | None = None,
    progress: ProgressReport | None = None,
    stop: Event | None = None,
) -> Answer:
    """Solve a compiled portfolio; see :func:`optimize`."""
    clock = perf_counter()
    point = compiled.point(start) if start is not None else None
    unit = float(compiled.unit)
    model, bound, rejected, nodes = compiled.model, math.inf, 0, 0
    while True:
        left = replace(options, time_limit=_left(options, clock))
        outcome = engine.solve(model, left, start=point, progress=_in_units(progress, unit, clock), stop=stop)
        nodes, bound = nodes + outcome.nodes, min(bound, outcome.bound)
        allocation, audit = _verified(compiled, outcome)
        if outcome.x is None or audit is not None or outcome.status is Status.FEASIBLE:
            break
        rejected += 1
        model, point = _without(model, compiled, outcome.x), None
    seconds = perf_counter() - clock
    answer = Answer(
        outcome.status,
        outcome.stopped_by,
        allocation,
        audit,
        bound * unit,
        engine.name,
        options,
        seconds,
        nodes,
        rejected,
    )
    if outcome.x is None or audit is None:
        return replace(answer, status=Status.INFEASIBLE if outcome.status is Status.INFEASIBLE else Status.UNKNOWN)
    _agree(compiled, outcome.x, audit.value)
    return _claimed(answer, unit)


def _left(options: SolveOptions, clock: float) -> float | None:
    return None if options.time_limit is None else max(0.0, options.time_limit - (perf_counter() - clock))


def _in_units(progress: ProgressReport | None, unit: float, clock: float) -> ProgressReport | None:
    """Pass an engine's reports on in units of the portfolio, timed from the beginning."""
    if progress is None:
        return None

    def report(seen: Progress) -> None:
        value = None if seen.value is None else seen.value * unit
        progress(replace(seen, seconds=perf_counter() - clock, value=value, bound=seen.bound * unit))

    return report


def _verified(compiled: Compiled, outcome: Outcome) -> tuple[Allocation | None, Audit | None]:
    """The plan at the engine's point with its account, or nothing when it cannot be paid or breaks a statement."""
    if outcome.x is None:
        return None, None
    allocation = finance(compiled, outcome.x)
    if allocation is None:
        return None, None
    audit = verify(compiled.tables, allocation)
    return (None, None) if audit.violations else (allocation, audit)


def _without(model: LinearModel, compiled: Compiled, x: Floats) -> LinearModel:
    """Cut off exactly the selection of a point: at least one option must change."""
    taken = compiled.taken(x)
    every = np.arange(len(compiled.options))
    sign = np.full(len(every), -1.0)
    sign[taken] = 1.0
    writer = RowWriter("rejected")
    writer.add((len(model.rows),), -np.inf, len(taken) - 1, (every, sign))
    return with_rows(model, writer.block())


def _agree(compiled: Compiled, x: Floats, verified: Fraction) -> None:
    """Withhold a plan whose value the compiler and the verifier do not agree on to the last unit."""
    modelled = compiled.value(compiled.taken(x))
    if modelled != verified:
        raise EngineFailed(say("error.values-disagree", modelled=modelled, verified=verified))


def _claimed(answer: Answer, unit: float) -> Answer:
    """State what the value and the bound prove together.

    Every plan's value is a whole multiple of ``unit``; a bound less than one step above the value leaves no better
    plan.
    """
    value = float(answer.value or 0)
    noise = _NOISE * max(abs(value), abs(answer.bound)) if math.isfinite(answer.bound) else 0.0
    if answer.bound - value <= noise or answer.bound - value < unit - noise:
        return replace(answer, status=Status.OPTIMAL, stopped_by=StoppedBy.PROOF, bound=value)
    within = relative_gap(value, answer.bound) <= answer.options.gap
    return replace(answer, status=Status.WITHIN_GAP if within else Status.FEASIBLE)

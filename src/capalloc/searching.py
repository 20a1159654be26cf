"""One run of an engine towards one aim: solve, pay in whole units, verify, and cut off what does not stand."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from threading import Event
from time import perf_counter

import numpy as np

from capalloc.allocation import Allocation
from capalloc.answer import NOISE, Answer, claimed
from capalloc.audit import Audit
from capalloc.catalogue import say
from capalloc.compiling import Compiled
from capalloc.engines.base import Engine
from capalloc.financing import finance, fitted
from capalloc.fitting import fit
from capalloc.issues import EngineFailed
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
from capalloc.verification import verify

_ENGINES_PART = 7 / 8
"""The part of the asked gap left to the engine where programmes lose value in whole units."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A verified plan and what it is worth."""

    allocation: Allocation
    audit: Audit
    worth: Fraction


@dataclass(frozen=True)
class Aim:
    """What one run maximises: the objective of ``model``, whose first columns are those of ``compiled.model``.

    One unit of either objective is worth ``compiled.unit``.
    """

    compiled: Compiled
    model: LinearModel

    def modelled(self, point: Floats) -> Fraction:
        """Return what a whole point of the compiled model is worth, as the compiler has it."""
        return self.compiled.value(point)

    def point(self, allocation: Allocation) -> Floats | None:
        """Return the point of ``model`` that stands for an allocation; ``None`` when it takes unknown options."""
        return self.compiled.point(allocation)

    def judge(self, allocation: Allocation) -> Judged | None:
        """Return a plan with what the verifier finds it worth, or ``None`` when it breaks the tables."""
        audit = verify(self.compiled.tables, allocation)
        return None if audit.violations else Judged(allocation, audit, audit.value)


def search(
    aim: Aim,
    options: SolveOptions,
    engine: Engine,
    *,
    start: Allocation | None = None,
    progress: ProgressReport | None = None,
    stop: Event | None = None,
) -> Answer:
    """Return the best plan an engine finds within its limits, verified, and the bound it proved.

    A selection that has no whole-unit financing, or that the verifier does not pass, is cut off and the rest solved
    again; so is one that is worth less in whole units than in the engine's fractions, the best of which is kept.  What
    could not be proved about a selection that was cut off stays in the bound.  The bounds of all rounds are valid for
    the portfolio, so the smallest counts.  A start that is a plan is the least that is given back.

    Raises
    ------
    EngineFailed
        When the engine itself fails, or compiler and verifier do not agree.
    """
    clock, stop = perf_counter(), stop or Event()
    point = aim.point(start) if start is not None else None
    unit = float(aim.compiled.unit)
    model, bound, cut_off, rejected, nodes = aim.model, math.inf, -math.inf, 0, 0
    gap = options.gap * (_ENGINES_PART if len(aim.compiled.scales) else 1)
    held = None if start is None else aim.judge(start)
    while True:
        limits = replace(options, time_limit=_left(options, clock), gap=gap)
        outcome = engine.solve(model, limits, start=point, progress=_in_units(progress, unit, clock), stop=stop)
        left = 0.0 if outcome.stopped_by is StoppedBy.INTERRUPT else _left(options, clock)
        found, most = _verified(aim, outcome, replace(options, time_limit=left), held, stop)
        held = _better(held, found)
        nodes, bound = nodes + outcome.nodes, min(bound, _joint_bound(held, max(outcome.bound * unit, cut_off)))
        if outcome.x is None or outcome.status is Status.FEASIBLE or _settles(found, outcome, model, unit):
            break
        if held is not None and relative_gap(float(held.worth), bound) <= options.gap:
            break
        rejected, cut_off = rejected + (found is None), max(cut_off, most)
        model, point = _without(model, aim.compiled, outcome.x), None
    facts = (engine.name, options, perf_counter() - clock, nodes, rejected)
    if held is None:
        status = Status.INFEASIBLE if outcome.status is Status.INFEASIBLE else Status.UNKNOWN
        return Answer(status, outcome.stopped_by, None, None, bound, *facts)
    _agree(aim, held)
    largest = float(np.abs(aim.model.objective).max(initial=0.0)) * unit
    status, bound = claimed(held.worth, bound, float(aim.compiled.step), options.gap, largest)
    stopped_by = StoppedBy.PROOF if status is Status.OPTIMAL else outcome.stopped_by
    return Answer(status, stopped_by, held.allocation, held.audit, bound, *facts)


def _verified(
    aim: Aim, outcome: Outcome, limits: SolveOptions, held: Judged | None, stop: Event
) -> tuple[Judged | None, float]:
    """The plan at the engine's point, or nothing when it cannot be paid or does not stand.

    With it comes what no other plan of its selection passes, ``−inf`` where it has no other or the plan is the best.
    """
    if outcome.x is None:
        return None, -math.inf
    compiled, point = aim.compiled, outcome.x[: len(aim.compiled.model.objective)]
    if not len(compiled.scales):
        allocation = finance(compiled, point)
        return None if allocation is None else aim.judge(allocation), -math.inf
    best = fit(compiled, point, limits, stop=stop)
    allocation = fitted(compiled, point, best)
    found = None if allocation is None else aim.judge(allocation)
    if allocation is not None and found is None and held is not None:
        # Floats do not hold a value to its last digit: the amounts of a plan that has it do.
        again = fit(compiled, point, limits, _amounts_held(compiled, point, held), stop)
        allocation = fitted(compiled, point, again)
        found = None if allocation is None else aim.judge(allocation)
    return found, best.bound * float(compiled.unit)


def _amounts_held(compiled: Compiled, x: Floats, held: Judged) -> dict[int, int]:
    """The whole amounts of the programmes that count in a value that is held, where both plans take the same option."""
    point, scales = compiled.point(held.allocation), compiled.scales
    if point is None:
        return {}
    marks = np.concatenate([np.full(len(block.keys), block.kind == "held") for block in compiled.model.rows])
    counted = np.flatnonzero(np.diff(compiled.model.matrix[marks][:, scales.amounts].tocsc().indptr))
    before, now = scales.totals_of(point), scales.totals_of(x)
    return {number: before[number] for number in counted.tolist() if number in before and number in now}


def _better(held: Judged | None, found: Judged | None) -> Judged | None:
    if held is None or found is None:
        return held or found
    return found if found.worth > held.worth else held


def _joint_bound(held: Judged | None, bound: float) -> float:
    """What no plan passes: neither those still looked for, nor those cut off after the best of them was held."""
    return bound if held is None else max(bound, float(held.worth))


def _settles(found: Judged | None, outcome: Outcome, model: LinearModel, unit: float) -> bool:
    """Whether the plan at the engine's point is worth what the engine claims.

    It is worth less where a soft statement charges for what whole payments lack and fractions did not.
    """
    if found is None or outcome.x is None:
        return False
    promised = math.fsum((model.objective * outcome.x).tolist()) * unit
    return promised - float(found.worth) <= NOISE * max(abs(promised), 1.0)


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


def _without(model: LinearModel, compiled: Compiled, x: Floats) -> LinearModel:
    """Cut off exactly the selection of a point: at least one option must change."""
    taken = compiled.taken(x)
    every = np.arange(len(compiled.options))
    sign = np.full(len(every), -1.0)
    sign[taken] = 1.0
    writer = RowWriter("rejected")
    writer.add((len(model.rows),), -np.inf, len(taken) - 1, (every, sign))
    return with_rows(model, writer.block())


def _agree(aim: Aim, held: Judged) -> None:
    """Withhold a plan whose value the compiler and the verifier do not agree on to the last unit."""
    point = aim.compiled.point(held.allocation)
    modelled = None if point is None else aim.modelled(point)
    if modelled != held.worth:
        raise EngineFailed(say("error.values-disagree", modelled=modelled, verified=held.worth))

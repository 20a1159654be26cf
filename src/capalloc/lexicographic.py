"""Class after class: the first is given the best, held at what the plan reached, then the second, and so on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from threading import Event
from time import perf_counter

import numpy as np

from capalloc.allocation import Allocation
from capalloc.answer import Answer, ClassAnswer, claimed
from capalloc.audit import Audit
from capalloc.catalogue import say
from capalloc.classes import every_class
from capalloc.compiling import Compiled
from capalloc.engines.base import Engine
from capalloc.holding import Gains, HeldAim, Hold, gains_of, held_aim, hold
from capalloc.issues import EngineFailed
from capalloc.model import Progress, ProgressReport, SolveOptions, Status, StoppedBy
from capalloc.searching import search

_WORST_FIRST = (Status.FEASIBLE, Status.WITHIN_GAP, Status.OPTIMAL)


def class_gains(compiled: Compiled) -> tuple[Gains, ...]:
    """Return the gains of every class, the first class first; their numbers are those of the classes."""
    classes = every_class(compiled.tables)
    return tuple(_gains(compiled, number, classes[-1]) for number in classes)


def _gains(compiled: Compiled, class_: int, last: int) -> Gains:
    own = np.flatnonzero(compiled.classes == class_)
    extra = {
        compiled.extras.first + place: column.gain
        for place, column in enumerate(compiled.extras.columns)
        if (column.class_ or last) == class_
    }
    return gains_of(class_, compiled, (own, compiled.options.value[own].tolist()), extra)


def _values(_: Allocation, audit: Audit) -> Mapping[int, Fraction]:
    return {account.class_: account.value for account in audit.classes}


def solve_in_order(
    compiled: Compiled,
    options: SolveOptions,
    engine: Engine,
    *,
    start: Allocation | None = None,
    progress: ProgressReport | None = None,
    stop: Event | None = None,
    floors: Sequence[Hold] = (),
) -> Answer:
    """Maximise class after class and return the last plan, with what each class has and the most it can have.

    Of the time left each class may take half, the last of them all; the node limit holds for each run.  With
    ``floors`` only plans count that keep them.
    """
    clock = perf_counter()
    every = class_gains(compiled)
    runs: dict[int, Answer] = {}
    holds = list(floors)
    live = [gains for gains in every if any(gains.amounts)] or [every[-1]]
    for gains in live:
        aim = held_aim(compiled, gains, holds, _values)
        report = _about_class(progress, gains.number, clock)
        run = _run(aim, (options, clock), engine, start, report, stop, last=gains is live[-1])
        if run.allocation is None or run.audit is None:
            if runs:
                raise EngineFailed(say("engine.contradiction", engine=engine.name))
            return replace(run, options=options, seconds=perf_counter() - clock)
        start, runs[gains.number] = run.allocation, run
        if run.stopped_by is StoppedBy.INTERRUPT:
            break
        reached = _values(run.allocation, run.audit)[gains.number]
        holds.append(hold(gains, reached, compiled.model.upper))
    return _joined(every, runs, {gains.number for gains in live}, options, perf_counter() - clock)


def _run(
    aim: HeldAim,
    limits: tuple[SolveOptions, float],
    engine: Engine,
    start: Allocation | None,
    progress: ProgressReport | None,
    stop: Event | None,
    *,
    last: bool,
) -> Answer:
    """Maximise one class in its share of the time; with all of the time left where that found no plan."""
    options, clock = limits
    left = _left(options, clock)
    limited = replace(options, time_limit=left if left is None or last else left / 2)
    run = search(aim, limited, engine, start=start, progress=progress, stop=stop)
    if run.allocation is None and run.stopped_by is StoppedBy.TIME_LIMIT and not last:
        limited = replace(options, time_limit=_left(options, clock))
        run = search(aim, limited, engine, start=start, progress=progress, stop=stop)
    return run


def _about_class(progress: ProgressReport | None, number: int, clock: float) -> ProgressReport | None:
    """Pass reports on with the class that they are about, timed from the first class on."""
    if progress is None:
        return None

    def report(seen: Progress) -> None:
        progress(replace(seen, class_=number, seconds=perf_counter() - clock))

    return report


def _left(options: SolveOptions, clock: float) -> float | None:
    return None if options.time_limit is None else max(0.0, options.time_limit - (perf_counter() - clock))


def _joined(
    every: Sequence[Gains], runs: dict[int, Answer], live: set[int], options: SolveOptions, seconds: float
) -> Answer:
    """The last plan with what is proved of every class; a class that no run was about has no bound."""
    final = list(runs.values())[-1]
    if final.allocation is None or final.audit is None:
        raise ValueError("no run holds a plan")
    values = _values(final.allocation, final.audit)
    classes = []
    for gains in every:
        value = values[gains.number]
        bound = runs[gains.number].bound if gains.number in runs else (math.inf if gains.number in live else 0.0)
        status, bound = claimed(value, bound, float(gains.step), options.gap)
        classes.append(ClassAnswer(gains.number, value, bound, status))
    status = min((c.status for c in classes), key=_WORST_FIRST.index)
    open_ = [run.stopped_by for run in runs.values() if run.stopped_by is not StoppedBy.PROOF]
    return replace(
        final,
        status=status,
        stopped_by=StoppedBy.PROOF if status is Status.OPTIMAL or not open_ else open_[-1],
        bound=classes[-1].bound,
        options=options,
        seconds=seconds,
        nodes=sum(run.nodes for run in runs.values()),
        rejected=sum(run.rejected for run in runs.values()),
        classes=tuple(classes),
    )

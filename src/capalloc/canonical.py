"""Of equally good plans the one that comes first in the order of the tables: settled project by project, each proved.

The first project takes the first of its options that any of the best plans takes, modes in the order of the tables and
start years from the earliest, rather none than nothing of it; then the second project, given the first, and so on.  A
few projects at a time are settled as digits of one number, so that no number is too large for an engine to tell apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from time import perf_counter

import numpy as np

from capalloc.allocation import Allocation
from capalloc.answer import Answer
from capalloc.asking import WHOLE_VALUE, gains_in_order, values_of
from capalloc.audit import Audit
from capalloc.compiling import Compiled
from capalloc.engines.base import Engine
from capalloc.evaluation import Wish, evaluate
from capalloc.holding import Gains, Hold, held_aim, hold
from capalloc.issues import EngineFailed
from capalloc.model import Ints, SolveOptions, Status
from capalloc.reducing import reduced
from capalloc.searching import search

_ORDER = -1

_LARGEST = 2**20
"""Numbers of which an engine proves the greatest to the last unit."""


def first_of_equals(compiled: Compiled, best: Answer, options: SolveOptions, engine: Engine) -> Answer:
    """Return the first plan, in the order of the tables, of all that are worth what the best one is.

    The answer is ``canonical`` where that is proved within the limits; else it is a plan of the same value.

    Parameters
    ----------
    best
        A plan that is proved to be the best; any other answer comes back as it is.
    """
    if best.status is not Status.OPTIMAL or best.allocation is None or best.audit is None:
        return best
    clock = perf_counter()
    values = values_of(compiled.tables, best.audit)
    every = [gains for gains in gains_in_order(compiled) if any(gains.amounts)]
    holds = [hold(gains, values[gains.number], compiled.model.upper) for gains in every]
    narrowed, held, settled = _narrowed(compiled, values, options), best, True
    for block in _blocks(narrowed):
        left = None if options.time_limit is None else options.time_limit - (perf_counter() - clock)
        limits = replace(options, time_limit=left, gap=0.0)
        found = _settled(narrowed, block, holds, held, limits, engine)
        if found is None:
            settled = False
            break
        held = found
        narrowed = _fixed(narrowed, block, held)
    left = None if options.time_limit is None else max(0.0, options.time_limit - (perf_counter() - clock))
    paid = _paid(compiled, held, values, replace(options, time_limit=left))
    found = paid or held
    seconds = best.seconds + perf_counter() - clock
    canonical = settled and paid is not None
    return replace(best, allocation=found.allocation, audit=found.audit, seconds=seconds, canonical=canonical)


def _narrowed(compiled: Compiled, values: Mapping[int, Fraction], options: SolveOptions) -> Compiled:
    """The model without the options that no plan of such a value takes, as far as its relaxation says so."""
    if WHOLE_VALUE not in values:
        return compiled
    model = reduced(compiled.model, float(values[WHOLE_VALUE] / compiled.unit), options)
    return compiled if model is None else replace(compiled, model=model)


def _blocks(compiled: Compiled) -> Iterator[dict[int, int]]:
    """Yield the open options of projects one after the other, each with its number: the first of all the greatest.

    Each project is a digit: as many as it has options for the first of them, 1 for the last, and 0 for none.
    """
    count = len(compiled.options)
    rows: list[Ints] = []
    largest = 1
    open_ = np.flatnonzero(compiled.model.upper[:count] > 0)
    of = compiled.options.project[open_]
    for project in np.unique(of).tolist():
        own = open_[of == project]
        if rows and largest * (len(own) + 1) > _LARGEST:
            yield _digits(rows)
            rows, largest = [], 1
        rows.append(own)
        largest *= len(own) + 1
    if rows:
        yield _digits(rows)


def _digits(rows: Sequence[Ints]) -> dict[int, int]:
    numbers, worth = dict[int, int](), 1
    for own in reversed(rows):
        numbers |= {option: (len(own) - place) * worth for place, option in enumerate(own.tolist())}
        worth *= len(own) + 1
    return numbers


def _settled(
    compiled: Compiled,
    block: Mapping[int, int],
    holds: Sequence[Hold],
    held: Answer,
    limits: SolveOptions,
    engine: Engine,
) -> Answer | None:
    """The plan that makes the number of a block the greatest; ``None`` where that is not proved."""
    amounts = [0] * len(compiled.model.objective)
    for option, number in block.items():
        amounts[option] = number
    taken = _taken(compiled, held.allocation)
    projects = compiled.options.project[list(block)]
    greatest = sum(max(n for n, of in zip(block.values(), projects, strict=True) if of == p) for p in set(projects))
    if sum(amounts[option] for option in taken) == greatest:
        return held
    if limits.time_limit is not None and limits.time_limit <= 0:
        return None

    def read(allocation: Allocation, audit: Audit) -> Mapping[int, Fraction]:
        number = sum(amounts[option] for option in _taken(compiled, allocation))
        return {**values_of(compiled.tables, audit), _ORDER: Fraction(number)}

    aim = held_aim(compiled, Gains(_ORDER, tuple(amounts), Fraction(1)), holds, read)
    try:
        answer = search(aim, limits, engine, start=held.allocation)
    except EngineFailed:
        # The plan that is known stays the best one, whichever of its equals it is.
        return None
    return answer if answer.status is Status.OPTIMAL else None


def _taken(compiled: Compiled, allocation: Allocation | None) -> list[int]:
    point = None if allocation is None else compiled.point(allocation)
    if point is None:
        raise ValueError("a plan takes the options of its model")
    found: list[int] = compiled.taken(point).tolist()
    return found


def _fixed(compiled: Compiled, block: Mapping[int, int], held: Answer) -> Compiled:
    """The model in which the options of a block are decided as a plan has them."""
    taken = set(_taken(compiled, held.allocation))
    lower, upper = compiled.model.lower.copy(), compiled.model.upper.copy()
    for option in block:
        lower[option] = upper[option] = float(option in taken)
    return replace(compiled, model=replace(compiled.model, lower=lower, upper=upper))


def _paid(compiled: Compiled, held: Answer, values: Mapping[int, Fraction], options: SolveOptions) -> Answer | None:
    """The plan of the same choices with the payments that follow from these alone, not from how they were found."""
    choices = held.allocation.choices if held.allocation else ()
    wishes = [Wish(choice.project, choice.mode, choice.start) for choice in choices]
    found = evaluate(compiled.tables, wishes, replace(options, gap=0.0, threads=1))
    return found if found.audit is not None and values_of(compiled.tables, found.audit) == values else None

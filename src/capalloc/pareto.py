"""The exact front of two values: all that can be had of one for what is given up of the other.

The ε-constraint method, point by point in the order of the first value: maximise the first while the second is at least
one step of the resolution above the last point; then maximise the second while the first keeps what it reached.  Each
point is found by constraints and not by weights, so that none is missed because it lies inside the hull of others
(Haimes, Lasdon and Wismer 1971; Chankong and Haimes 1983).  Both values are held exactly (:mod:`capalloc.holding`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from numbers import Integral, Real
from time import perf_counter

import numpy as np

from capalloc.allocation import Allocation
from capalloc.answer import Answer
from capalloc.audit import Audit
from capalloc.classes import class_weights
from capalloc.compiling import Compiled, compile_tables
from capalloc.engines.base import Engine
from capalloc.holding import Gains, HeldAim, gains_of, held_aim, hold
from capalloc.issues import Issue, error
from capalloc.model import SolveOptions, Status
from capalloc.options import expand
from capalloc.searching import search
from capalloc.settings import VALUE_GRID
from capalloc.tables import Tables
from capalloc.verification import verify

FIRST, SECOND = 1, 2


@dataclass(frozen=True, slots=True)
class Point:
    """A plan that no other passes in one value without falling behind in the other, by more than the resolution."""

    first: Fraction
    second: Fraction
    answer: Answer


@dataclass(frozen=True, slots=True)
class Front:
    """The points found, the best of the first value at first; ``complete`` says that no other point exists."""

    points: tuple[Point, ...]
    complete: bool


def check_front(tables: Tables, first: str, second: str, resolution: float, most: int | None) -> Iterator[Issue]:
    """What stands against a front of two sets of criteria."""
    objective, where = tables.settings.objective, tables.place("settings", column="objective")
    if objective.value_from not in ("score", "score_size"):
        yield error("front-without-scores", where, value_from=objective.value_from)
    if objective.goal == "lexicographic":
        yield error("front-of-ordered-classes", where)
    if first == second:
        yield error("front-of-one-set", name=first)
    if not (isinstance(resolution, Real) and 0 <= resolution < math.inf):
        yield error("limit-negative", name="resolution", found=resolution)
    if most is not None and not (isinstance(most, Integral) and most >= 1):
        yield error("limit-not-whole", name="most", found=most, least=1)


def tables_for(tables: Tables, criteria: str) -> Tables:
    """Return the tables with one set of criteria as the objective."""
    objective = tables.settings.objective.model_copy(update={"criteria": criteria, "sets": {}})
    return replace(tables, settings=tables.settings.model_copy(update={"objective": objective}))


def front_of(
    tables: Tables,
    sets: tuple[str, str],
    options: SolveOptions,
    engine: Engine,
    *,
    resolution: Fraction = Fraction(0),
    most: int | None = None,
) -> Front:
    """Return the front of two sets of criteria.

    Rules are read as the tables have them; only the objective is exchanged.

    Parameters
    ----------
    resolution
        Points whose second values differ by less than this count as one; 0 for the finest step there is, which with
        programmes is the grid of values.
    most
        Stop after so many points; ``None`` for all.
    """
    found = []
    walk = _Walk(tables, sets, options, engine, resolution)
    for point in walk.points():
        found.append(point)
        if len(found) == most:
            break
    return Front(tuple(found), walk.complete)


class _Walk:
    """One walk along the front."""

    def __init__(
        self, tables: Tables, sets: tuple[str, str], options: SolveOptions, engine: Engine, resolution: Fraction
    ) -> None:
        self.clock, self.options, self.engine = perf_counter(), replace(options, gap=0.0), engine
        self.compiled = compile_tables(tables)
        self.tables = tuple(tables_for(tables, name) for name in sets)
        self.first, self.second = (
            _gains(self.compiled, own, number) for own, number in zip(self.tables, (FIRST, SECOND), strict=True)
        )
        self.step = max(resolution, self.second.step or VALUE_GRID)
        self.complete = False

    def points(self) -> Iterator[Point]:
        """Yield the points; ``complete`` is set once there is no other."""
        least: Fraction | None = None
        while True:
            best = self._run(self.first, {} if least is None else {SECOND: least})
            if best is None:
                return
            values = self._values_of(best)
            point = self._run(self.second, {FIRST: values[FIRST]}, best.allocation)
            if point is None:
                return
            values = self._values_of(point)
            yield Point(values[FIRST], values[SECOND], point)
            least = values[SECOND] + self.step

    def _run(self, gains: Gains, held: Mapping[int, Fraction], start: Allocation | None = None) -> Answer | None:
        """The best plan for one value, proved, while the other is held; ``None`` when there is none, or no proof."""
        upper = self.compiled.model.upper
        of = {FIRST: self.first, SECOND: self.second}
        aim: HeldAim = held_aim(
            self.compiled, gains, [hold(of[number], least, upper) for number, least in held.items()], self._read
        )
        limit = self.options.time_limit
        left = None if limit is None else max(0.0, limit - (perf_counter() - self.clock))
        answer = search(aim, replace(self.options, time_limit=left), self.engine, start=start)
        self.complete = answer.status is Status.INFEASIBLE
        return answer if answer.status is Status.OPTIMAL else None

    def _read(self, allocation: Allocation, _: Audit) -> Mapping[int, Fraction]:
        return {number: verify(own, allocation).value for number, own in zip((FIRST, SECOND), self.tables, strict=True)}

    def _values_of(self, answer: Answer) -> Mapping[int, Fraction]:
        if answer.allocation is None or answer.audit is None:
            raise ValueError("an optimal answer has a plan")
        return self._read(answer.allocation, answer.audit)


def _gains(compiled: Compiled, tables: Tables, number: int) -> Gains:
    """What each column adds to the objective of some tables that differ in values alone."""
    weights = class_weights(tables)
    worth = zip(expand(tables).value.tolist(), compiled.classes.tolist(), strict=True)
    extra = {compiled.extras.first + place: column.gain for place, column in enumerate(compiled.extras.columns)}
    multiples = [weights[own] * value for value, own in worth]
    return gains_of(number, compiled, (np.arange(len(multiples)), multiples), extra)

"""How far a plan is from another: the projects that are decided otherwise, counted in the columns of a model.

A project counts once when it enters, leaves, or takes another mode or start year; how much of a programme is done and
who pays may change freely.  With K the options that the other plan takes and N all options of projects that it does not
fund, a plan x changes

    |K| − sum of x over K + sum of x over N

projects, so that few changes are a sum to maximise or a row to hold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from capalloc.allocation import Allocation, Choice
from capalloc.answer import Answer
from capalloc.audit import Audit
from capalloc.classes import class_weights
from capalloc.compiling import Compiled
from capalloc.engines.base import Engine
from capalloc.evaluation import Wish
from capalloc.holding import Gains, gains_of, held_aim, hold
from capalloc.model import Ints, SolveOptions
from capalloc.rows import RowWriter, with_rows
from capalloc.searching import search

LIKENESS, VALUE = 1, 2


@dataclass(frozen=True)
class Likeness:
    """The wishes that a plan is held against, and where they stand in a model."""

    wishes: tuple[Wish, ...]
    kept: Ints
    new: Ints

    def changes(self, allocation: Allocation) -> int:
        """Return how many projects an allocation decides otherwise."""
        wanted = {wish.project: wish for wish in self.wishes}
        kept = sum(grants(wanted.get(choice.project), choice) for choice in allocation.choices)
        moved = sum(choice.project in wanted for choice in allocation.choices) - kept
        return len(wanted) + len(allocation.choices) - 2 * kept - moved

    def least(self, bound: float) -> int:
        """Return the fewest changes there can be when the sum to maximise is at most ``bound``."""
        return max(0, len(self.wishes) - int(np.floor(bound + 1e-6)))

    def gains(self, compiled: Compiled) -> Gains:
        """Return the sum to maximise: what is kept less what is new."""
        amounts = np.zeros(len(compiled.model.objective), dtype=np.int64)
        amounts[self.kept], amounts[self.new] = 1, -1
        return Gains(LIKENESS, tuple(amounts.tolist()), Fraction(1))

    def within(self, compiled: Compiled, most: int) -> Compiled:
        """Return the model with at most so many changes."""
        writer = RowWriter("changes")
        writer.add((most,), len(self.wishes) - most, np.inf, (self.kept, 1), (self.new, -1))
        return replace(compiled, model=with_rows(compiled.model, writer.block()))


def grants(wish: Wish | None, choice: Choice) -> bool:
    """Return whether a choice is what was wished, which may leave mode and start open."""
    return wish is not None and wish.mode in (None, choice.mode) and wish.start in (None, choice.start)


def wishes_for(choices: Sequence[Choice]) -> tuple[Wish, ...]:
    """Return the wish for each choice, its scale left open."""
    return tuple(Wish(choice.project, choice.mode, choice.start) for choice in choices)


def likeness_to(compiled: Compiled, wishes: Sequence[Wish]) -> Likeness:
    """Return what makes plans of a compiled portfolio like some wishes, which may be a plan of another portfolio."""
    wanted = {wish.project: wish for wish in wishes}
    found = [compiled.choice(option) for option in range(len(compiled.options))]
    kept = [number for number, own in enumerate(found) if grants(wanted.get(own.project), own)]
    new = [number for number, own in enumerate(found) if own.project not in wanted]
    return Likeness(tuple(wishes), np.array(kept, dtype=np.int64), np.array(new, dtype=np.int64))


def nearest_plan(
    compiled: Compiled,
    likeness: Likeness,
    options: SolveOptions,
    engine: Engine,
    *,
    worth: Fraction | None = None,
    start: Allocation | None = None,
) -> Answer:
    """Return the plan with the fewest changes; with ``worth``, among those worth at least so much.

    The answer's bound is about what is kept less what is new; :meth:`Likeness.least` reads it.  Its status is about the
    number of changes.  ``worth`` is not for ordered classes.
    """
    held = [] if worth is None else [hold(value_gains(compiled), worth, compiled.model.upper)]

    def read(allocation: Allocation, audit: Audit) -> Mapping[int, Fraction]:
        like = Fraction(len(likeness.wishes) - likeness.changes(allocation))
        return {LIKENESS: like, VALUE: audit.value}

    aim = held_aim(compiled, likeness.gains(compiled), held, read)
    return search(aim, replace(options, gap=0.0), engine, start=start)


def value_gains(compiled: Compiled) -> Gains:
    """Return what each column adds to the value of the portfolio; not for ordered classes."""
    weights = class_weights(compiled.tables)
    worth = zip(compiled.options.value.tolist(), compiled.classes.tolist(), strict=True)
    multiples = [weights[own] * value for value, own in worth]
    extra = {compiled.extras.first + place: column.gain for place, column in enumerate(compiled.extras.columns)}
    return gains_of(VALUE, compiled, (np.arange(len(multiples)), multiples), extra)

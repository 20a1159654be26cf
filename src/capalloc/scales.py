"""Programmes at the scale that a plan gives them: what is possible, and what is left of cost and value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import accumulate, pairwise
from math import ceil, floor
from typing import Any

from capalloc.bookkeeping import shown
from capalloc.issues import Issue, error
from capalloc.recount import Counted
from capalloc.tables import Tables

_HALF = Fraction(1, 2)


def at_scale(option: Counted, scale: Any) -> Counted:
    """Return an option as far as it is funded; works, and a programme whose scale is none, are shown whole.

    What is paid by the end of each year is the scaled part of what the whole would be paid by then, rounded half up.
    The value is scaled exactly.
    """
    if option.project.kind != "programme" or not _is_scale(scale):
        return option
    years = sorted(option.costs)
    reached = [floor(scale * whole + _HALF) for whole in accumulate(option.costs[year] for year in years)]
    paid = [after - before for before, after in pairwise([0, *reached])]
    return replace(
        option,
        costs={year: amount for year, amount in zip(years, paid, strict=True) if amount},
        value=option.value * scale,
        scale=Fraction(scale),
    )


def broken_scale(tables: Tables, option: Counted, scale: Any) -> Iterator[Issue]:
    """Works are done whole; a programme is funded with a whole amount, from its least scale up to all of its cost.

    ``option`` is the whole.
    """
    project, cost = option.project, option.cost
    if project.kind != "programme":
        if scale != 1:
            yield error("broken-scale", project=project.id, found=shown(scale))
        return
    where, lowest = tables.place("projects", project, "min_scale"), project.min_scale or Fraction(0)
    if not _is_scale(scale):
        yield error("broken-scale-range", where, project=project.id, found=shown(scale), share=lowest)
        return
    funded, least = scale * cost, ceil(lowest * cost)
    if funded.denominator != 1:
        near = max(ceil(funded), least)
        yield error("broken-scale-part", where, project=project.id, found=Fraction(scale), cost=cost, allowed=near)
    elif funded < least:
        yield error(
            "broken-scale-least",
            where,
            project=project.id,
            found=int(funded),
            cost=cost,
            allowed=least,
            difference=int(least - funded),
            share=lowest,
        )


def _is_scale(scale: Any) -> bool:
    """Whether something is an exact number that can be a scale: above 0 and up to 1."""
    return isinstance(scale, int | Fraction) and not isinstance(scale, bool) and 0 < scale <= 1

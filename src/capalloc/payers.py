"""Who may pay for a project, and between which bounds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from capalloc.history import payments_made
from capalloc.model import Ints
from capalloc.options import Variant
from capalloc.records import Share, Source
from capalloc.selection import parse_selection
from capalloc.tables import Tables


@dataclass(frozen=True, slots=True)
class Limit:
    """Bounds on what several sources together pay of a cost, over its life or in each year.

    ``row`` is its place in the `shares` table.  ``paid`` is what the sources of that row paid before the plan, which
    counts in their part of the life.  Of a ``legal`` cap the greatest whole amount is rounded down.
    """

    sources: tuple[int, ...]
    low: Fraction
    high: Fraction
    yearly: bool
    row: int
    paid: int = 0
    legal: bool = False


@dataclass(frozen=True, slots=True)
class Payers:
    """The sources that may pay, in the order of `sources`, and the limits that bind them."""

    sources: tuple[int, ...]
    limits: tuple[Limit, ...]


def shares_of(limits: Sequence[Limit], bound: Ints, cost: Ints) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return the least and the most that limits leave to be paid of costs: of each, the one at its place in ``bound``.

    The least is floor(min · cost), the most ceil(max · cost), or floor(max · cost) where a cap is legal, both less what
    was paid.  They are whole numbers of any length where 64 bits may not hold what leads to them.
    """
    terms = [
        (*each.low.as_integer_ratio(), *each.high.as_integer_ratio(), not each.legal, each.paid) for each in limits
    ]
    longest = max((max(map(abs, each)) for each in terms), default=0)
    kind = np.int64 if (longest + 1) * (int(cost.max(initial=0)) + 1) < 2**62 else object
    top, bottom, high, parts, up, paid = np.array(terms, dtype=kind).reshape(-1, 6).T[:, bound]
    cost = cost.astype(kind)
    return top * cost // bottom - paid, (high * cost + up * (parts - 1)) // parts - paid


def find_payers(tables: Tables, variants: Sequence[Variant]) -> tuple[Payers, ...]:
    """Return the payers of each variant.

    A source may pay when its ``eligible`` selection holds the project and it is on the state side or a `shares` row
    with a positive ``max`` names it.  Rows that name no source that may pay bind only where their ``min`` is above 0,
    or where something was paid before the plan; a row whose ``max`` is 0 bars its sources and says nothing else.
    """
    index = {source.id: number for number, source in enumerate(tables.sources)}
    may = [*zip(*(_eligible(tables, source) for source in tables.sources), strict=True)] or [()] * len(tables.projects)
    rows, limits = _rows_by_project(tables), [_limit(index, row) for row in enumerate(tables.shares)]
    before = _paid_before(tables, index, variants)
    made: dict[tuple[object, ...], Payers] = {}
    payers = []
    for variant in variants:
        number = variant.project
        listed = rows.get(number)
        mine = tuple(row for mode, row in listed if mode in ("", variant.mode)) if listed else ()
        key = (may[number], mine, before.get(number, ()))
        if key not in made:
            able = tuple(source for source, eligible in enumerate(may[number]) if eligible)
            made[key] = _payers(tables, able, tuple(limits[row] for row in mine), dict(before.get(number, ())))
        payers.append(made[key])
    return tuple(payers)


def _paid_before(
    tables: Tables, index: Mapping[str, int], variants: Sequence[Variant]
) -> Mapping[int, tuple[tuple[int, int], ...]]:
    """What each source paid before the plan, for each project that goes on."""
    begun = {tables.projects[variant.project].id: variant.project for variant in variants if variant.past is not None}
    paid: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for row in payments_made(tables):
        if row.project in begun:
            paid[begun[row.project]][index[row.source]] += row.amount
    return {project: tuple(amounts.items()) for project, amounts in paid.items()}


def _payers(tables: Tables, able: tuple[int, ...], rows: tuple[Limit, ...], paid: Mapping[int, int]) -> Payers:
    named = {source for row in rows for source in row.sources}
    barred = {source for row in rows if row.high == 0 for source in row.sources}
    sources = tuple(
        source
        for source in able
        if source not in barred and (source in named or tables.sources[source].side == "state")
    )
    return Payers(sources, tuple(_limits(sources, rows, paid)))


def _limits(sources: tuple[int, ...], rows: Sequence[Limit], paid: Mapping[int, int]) -> Iterator[Limit]:
    """The rows that say more than that each of the sources pays between nothing and all."""
    for row in rows:
        bound = tuple(source for source in row.sources if source in sources)
        covers_all = len(bound) == len(sources)
        if paid and not row.yearly and row.high > 0:
            # What was paid by others, or by sources that may not pay any more, moves these shares, too.
            if row.low > 0 or row.high < 1:
                yield replace(row, sources=bound, paid=sum(paid.get(source, 0) for source in set(row.sources)))
        elif (row.low > 0 and not covers_all) or (row.high < 1 and bound):
            yield replace(row, sources=bound)


def _eligible(tables: Tables, source: Source) -> list[bool]:
    return list(map(parse_selection(source.eligible).matches, tables.projects))


def _limit(index: Mapping[str, int], row: tuple[int, Share]) -> Limit:
    number, share = row
    sources = tuple(index[source] for source in share.source)
    return Limit(sources, share.min, share.max, share.per == "year", number, legal=share.legal)


def _rows_by_project(tables: Tables) -> Mapping[int, list[tuple[str, int]]]:
    """The mode and the place of every `shares` row, for each project that it names or selects."""
    numbers = {project.id: number for number, project in enumerate(tables.projects)}
    rows: dict[int, list[tuple[str, int]]] = defaultdict(list)
    for place, share in enumerate(tables.shares):
        for project in _projects(tables, numbers, share):
            rows[project].append((share.mode, place))
    return rows


def _projects(tables: Tables, numbers: Mapping[str, int], share: Share) -> list[int]:
    if share.project in numbers:
        return [numbers[share.project]]
    selection = parse_selection(share.project)
    return [number for number, project in enumerate(tables.projects) if selection.matches(project)]

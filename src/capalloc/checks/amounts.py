"""Costs and values: nothing that the plan adds up is missing, contradicts itself or is too large to be exact."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import product

from capalloc.checks.timing import Way, ways
from capalloc.costing import Costing
from capalloc.history import first_open_year
from capalloc.issues import Issue, Place, error, warning
from capalloc.money import round_half_up
from capalloc.reading import NONE
from capalloc.records import ProfileShare, Use
from capalloc.settings import VALUE_GRID
from capalloc.tables import Tables

LARGEST_TOTAL = 2**53
"""From here on a float no longer tells whole numbers apart."""

_MONEY = {
    "projects": ("cost", "cost_low", "cost_high"),
    "modes": ("cost",),
    "costs": ("amount",),
    "envelopes": ("amount",),
    "paid": ("amount",),
}


def needs_costs(tables: Tables) -> bool:
    """Return whether every project must have a cost: someone pays, or the costs of others are known."""
    own = (row.cost for rows in (tables.projects, tables.modes) for row in rows)
    return "sources" in tables.origins or bool(tables.costs) or any(cost is not None for cost in own)


def place_of(tables: Tables, way: Way, column: str) -> Place:
    """Return the cell of the mode, or of the project where it has no modes."""
    return tables.place("modes", way.mode, column) if way.mode else tables.place("projects", way.project, column)


def still_due(tables: Tables, costing: Costing, way: Way) -> Mapping[int, int | Fraction]:
    """Return what a project with a history is still to be paid by year, at the prices of the tables."""
    first = first_open_year(tables.settings)
    if way.past is None or way.past.start is None:
        return {}
    paid = sum(way.past.paid.values())
    left = costing.remaining(way.project, way.mode, way.duration, (way.past.start, first), paid)
    return {first + offset: amount for offset, amount in enumerate(left) if amount}


def cell_of(tables: Tables, way: Way, column: str) -> Place:
    """Return the cell that holds for the way: that of its mode where it is filled, else that of the project."""
    own = way.mode is not None and getattr(way.mode, column) not in ("", None)
    return tables.place("modes", way.mode, column) if own else tables.place("projects", way.project, column)


def check_costs(tables: Tables) -> Iterator[Issue]:
    """Every project has one cost, told once or twice alike."""
    streams: dict[tuple[str, str], int] = defaultdict(int)
    for row in tables.costs:
        streams[row.project, row.mode] += row.amount
    needed = needs_costs(tables)
    for way in ways(tables):
        total = way.mode.cost if way.mode else way.project.cost
        stream = streams.get((way.project.id, way.name))
        where = place_of(tables, way, "cost")
        if total is not None and stream is not None and total != stream:
            yield error("cost-mismatch", where, project=way.project.id, total=total, stream=stream)
        elif needed and total is None and stream is None and way.project.cost is None:
            yield error("missing-cost", where, project=way.project.id)


def check_cost_ranges(tables: Tables) -> Iterator[Issue]:
    """The cost lies between its low and its high estimate."""
    for project in tables.projects:
        low, cost, high = project.cost_low, project.cost, project.cost_high
        if low is not None and cost is not None and low > cost:
            yield error("cost-range", tables.place("projects", project, "cost_low"), low=low, high=cost)
        elif high is not None and cost is not None and high < cost:
            yield error("cost-range", tables.place("projects", project, "cost_high"), low=cost, high=high)
        elif low is not None and high is not None and low > high:
            yield error("cost-range", tables.place("projects", project, "cost_high"), low=low, high=high)


def check_totals(tables: Tables) -> Iterator[Issue]:
    """Every amount, and all costs together, stay below the amounts that the engines tell apart."""
    told = False
    for table, columns in _MONEY.items():
        for row, column in product(tables.rows(table), columns):
            amount = getattr(row, column) or 0
            if amount >= LARGEST_TOTAL:
                told |= table != "envelopes"
                yield error("money-too-large", tables.place(table, row, column), found=amount, most=LARGEST_TOTAL - 1)
    total = sum(row.amount for row in tables.costs) + sum(mode.cost or 0 for mode in tables.modes)
    total += sum(row.amount for row in tables.paid)
    total += sum(max(p.cost or 0, p.cost_low or 0, p.cost_high or 0, p.size or 0) for p in tables.projects)
    if total >= LARGEST_TOTAL and not told:
        yield error("money-too-large", tables.place("projects", column="cost"), found=total, most=LARGEST_TOTAL - 1)


def check_uses(tables: Tables) -> Iterator[Issue]:
    """The uses of a resource, counted in their finest fraction, stay below what the engines tell apart."""
    uses: dict[str, list[Use]] = defaultdict(list)
    for use in tables.uses:
        uses[use.resource].append(use)
    for resource, rows in uses.items():
        scale = math.lcm(*(row.amount.denominator for row in rows))
        if sum(row.amount for row in rows) * scale >= LARGEST_TOTAL:
            finest = max(rows, key=lambda row: row.amount.denominator)
            where = tables.place("uses", finest, "amount")
            yield error("use-too-fine", where, resource=resource, found=finest.amount)


def check_profile_sums(tables: Tables) -> Iterator[Issue]:
    """The shares of a profile and duration add to exactly 1."""
    sums: dict[tuple[str, int], Fraction] = defaultdict(Fraction)
    first_rows: dict[tuple[str, int], ProfileShare] = {}
    for row in tables.profiles:
        key = (row.profile, row.duration)
        sums[key] += row.share
        first_rows.setdefault(key, row)
    for key, total in sums.items():
        if total != 1:
            where = tables.place("profiles", first_rows[key], "share")
            yield error("profile-sum", where, profile=key[0], duration=key[1], found=total)


def check_values(tables: Tables) -> Iterator[Issue]:
    """Where values come from the column `value`, no project is without one."""
    if tables.settings.objective.value_from != "column":
        return
    values = [(way, _value(way)) for way in ways(tables)]
    if values and all(value is None for _, value in values):
        yield error("no-values", tables.place("projects", column="value"))
        return
    for way, value in values:
        if value is None:
            yield error("missing-value", place_of(tables, way, "value"), project=way.project.id)
        elif value and round_half_up(value / VALUE_GRID) == 0:
            yield warning("value-vanishes", place_of(tables, way, "value"), project=way.project.id, grid=VALUE_GRID)


def _value(way: Way) -> Fraction | None:
    return way.mode.value if way.mode and way.mode.value is not None else way.project.value


def check_benefits(tables: Tables) -> Iterator[Issue]:
    """Where values come from benefits, every project has some."""
    if tables.settings.objective.value_from != "benefits":
        return
    given = {(row.project, row.mode) for row in tables.benefits}
    if not given:
        yield error("no-benefits", tables.place("settings", column="objective.value_from"))
        return
    for way in ways(tables):
        if (way.project.id, way.name) not in given:
            yield error("missing-benefits", place_of(tables, way, "id" if way.mode is None else "mode"), **named(way))


def named(way: Way) -> Mapping[str, str]:
    """Return the project and the mode of a way, for a message."""
    return {"project": way.project.id, "mode": way.name or NONE}

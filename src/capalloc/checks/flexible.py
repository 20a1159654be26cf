"""Projects whose yearly payments the plan decides: what they need, and what their yearly bounds leave possible."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import groupby

from capalloc.checks.amounts import cell_of
from capalloc.checks.funding import Selected
from capalloc.checks.timing import Way, ways
from capalloc.costing import FLEXIBLE
from capalloc.issues import Issue, Place, error
from capalloc.tables import Tables

_BOUNDS = ("year_min", "year_max")


def check_reserved_profile(tables: Tables) -> Iterator[Issue]:
    """The profile that lets the plan decide has no shares of its own."""
    for row in tables.profiles:
        if row.profile == FLEXIBLE:
            yield error("flexible-reserved", tables.place("profiles", row, "profile"))
            return


def _flexible(tables: Tables) -> Iterator[Way]:
    named = {row.profile for row in tables.projects} | {row.profile for row in tables.modes}
    return (way for way in ways(tables) if way.is_flexible) if FLEXIBLE in named else iter(())


def check_sources(tables: Tables) -> Iterator[Issue]:
    """There is someone whose yearly payments the plan can decide."""
    if "sources" not in tables.origins:
        for where, way in _by_cell(tables):
            yield error("flexible-unfinanced", where, project=way.project.id)


def _by_cell(tables: Tables) -> Iterator[tuple[Place, Way]]:
    """The cells that ask for the profile, each once with the first way that it is about."""
    cells: dict[Place, Way] = {}
    for way in _flexible(tables):
        cells.setdefault(cell_of(tables, way, "profile"), way)
    return iter(cells.items())


def check_costs(tables: Tables) -> Iterator[Issue]:
    """What the plan decides by year is not told by year as well."""
    flexible = {(way.project.id, way.name) for way in _flexible(tables)}
    for row in tables.costs:
        if (row.project, row.mode) in flexible:
            flexible.remove((row.project, row.mode))
            yield error("flexible-with-costs", tables.place("costs", row, "offset"), project=row.project)


def check_shares(tables: Tables) -> Iterator[Issue]:
    """No share of a year is asked for where the yearly amounts are open."""
    flexible: dict[str, set[str]] = {}
    for way in _flexible(tables):
        flexible.setdefault(way.project.id, set()).add(way.name)
    selected = Selected(tables)
    for row in tables.shares:
        if row.per == "year":
            met = (p for p in selected(row.project) if p in flexible and (not row.mode or row.mode in flexible[p]))
            project = min(met, default=None)
            if project is not None:
                yield error("flexible-yearly-share", tables.place("shares", row, "per"), project=project)


def check_prices(tables: Tables) -> Iterator[Issue]:
    """A total that is paid when the plan likes is not indexed by the year of payment."""
    if tables.settings.prices == "nominal":
        for where, way in _by_cell(tables):
            yield error("flexible-nominal", where, project=way.project.id)


def check_needless_bounds(tables: Tables) -> Iterator[Issue]:
    """Yearly bounds stand only where the plan decides the yearly amounts."""
    if all(getattr(row, column) is None for row in (*tables.projects, *tables.modes) for column in _BOUNDS):
        return
    for _, own in groupby(ways(tables), key=lambda way: way.project.id):
        alternatives = list(own)
        project = alternatives[0].project
        for column in _BOUNDS:
            if getattr(project, column) is not None and not any(way.is_flexible for way in alternatives):
                yield error("bounds-of-fixed", tables.place("projects", project, column), project=project.id)
            for way in alternatives:
                if way.mode is not None and getattr(way.mode, column) is not None and not way.is_flexible:
                    yield error("bounds-of-fixed", tables.place("modes", way.mode, column), project=project.id)


def check_bounds(tables: Tables) -> Iterator[Issue]:
    """The yearly bounds let the whole cost be paid over the years of work, and no more than that."""
    told: set[Place] = set()
    for way in _flexible(tables):
        for code, column, arguments in _bound_faults(way):
            where = cell_of(tables, way, column)
            if where not in told:
                told.add(where)
                yield error(code, where, project=way.project.id, **arguments)


def _bound_faults(way: Way) -> Iterator[tuple[str, str, Mapping[str, object]]]:
    least, most = _bound(way, "year_min", Fraction(0)), _bound(way, "year_max", Fraction(1))
    if least > most:
        own = way.mode is not None and way.mode.year_min is not None and way.mode.year_max is None
        column = "year_min" if own else "year_max"
        yield "year-bounds-reversed", column, {"least": least, "most": most}
    elif way.cost is not None:
        low, high = math.floor(least * way.cost) * way.duration, math.ceil(most * way.cost) * way.duration
        years = {"duration": way.duration, "cost": way.cost}
        if high < way.cost:
            yield "year-max-too-low", "year_max", {"found": high, **years}
        if low > way.cost:
            yield "year-min-too-high", "year_min", {"found": low, **years}


def _bound(way: Way, column: str, default: Fraction) -> Fraction:
    for row in (way.mode, way.project):
        own: Fraction | None = getattr(row, column, None)
        if own is not None:
            return own
    return default

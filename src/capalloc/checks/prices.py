"""The price index: there where prices are nominal, above 0, and complete for every year in which something is paid."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from capalloc.checks.amounts import LARGEST_TOTAL, place_of, still_due
from capalloc.checks.timing import Way, ways
from capalloc.costing import Costing
from capalloc.issues import Issue, error, warning
from capalloc.records import Commitment
from capalloc.tables import Tables


def check_price_index(tables: Tables) -> Iterator[Issue]:
    """Every index is above 0, and given where prices are nominal and nowhere else."""
    for row in tables.price_index:
        if row.index <= 0:
            yield error("index-not-positive", tables.place("price_index", row, "index"), found=row.index)
    nominal = tables.settings.prices == "nominal"
    if nominal and not tables.price_index:
        yield error("no-price-index", tables.place("settings", column="prices"))
    if tables.price_index and not nominal:
        yield warning("unused-price-index", tables.place("price_index"), prices=tables.settings.prices)


def check_price_years(tables: Tables) -> Iterator[Issue]:
    """Where prices are nominal, the year of a project's prices and every year it may be paid in have an index."""
    if tables.settings.prices != "nominal" or not tables.price_index:
        return
    index = {row.year: row.index for row in tables.price_index}
    for project in tables.projects:
        if project.price_year is not None and project.price_year not in index:
            where = tables.place("projects", project, "price_year")
            yield error("price-year-without-index", where, project=project.id, year=project.price_year)
    for year, project_id in sorted(_years_paid(tables).items()):
        if year not in index:
            yield error("no-index-for-year", tables.place("price_index", column="year"), year=year, project=project_id)


def _years_paid(tables: Tables) -> dict[int, str]:
    """Every year in which some project may cost something that prices bear on, and the first such project."""
    costing = Costing(tables)
    decided = {row.project: row for row in tables.committed}
    paid: dict[int, str] = {}
    for way in ways(tables):
        commitment = decided.get(way.project.id, Commitment())
        if way.is_flexible or commitment.decision == "out" or commitment.mode not in ("", way.name):
            continue
        years = still_due(tables, costing, way) if way.past else _years_of_start(tables, costing, way, commitment.start)
        for year in years:
            paid.setdefault(year, way.project.id)
    return paid


def _years_of_start(tables: Tables, costing: Costing, way: Way, decided: int | None) -> set[int]:
    starts = [year for year in way.starts(tables.settings) if decided in (None, year)]
    amounts = costing.amounts(way.project, way.mode, way.duration)
    return {start + offset for start in starts for offset, amount in enumerate(amounts) if amount}


def check_nominal_totals(tables: Tables) -> Iterator[Issue]:
    """Also at the highest prices, all costs together stay below the amounts that the engines tell apart."""
    if tables.settings.prices != "nominal" or not tables.price_index:
        return
    costing = Costing(tables)
    index = {row.year: row.index for row in tables.price_index if row.index > 0}
    highest, total = max(index.values(), default=Fraction(0)), Fraction(0)
    for way in ways(tables):
        if way.is_flexible:
            continue
        base = Fraction(1) if way.project.price_year is None else index.get(way.project.price_year, Fraction(1))
        total += sum(costing.amounts(way.project, way.mode, way.duration)) * highest / base
        if total >= LARGEST_TOTAL:
            where = place_of(tables, way, "cost")
            yield error("nominal-too-large", where, project=way.project.id, found=total, most=LARGEST_TOTAL - 1)
            return

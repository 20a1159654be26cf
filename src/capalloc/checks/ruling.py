"""Rules, targets and synergies: every measure means something, and nothing that is asked for goes unused."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from capalloc.issues import Issue, error, info, warning
from capalloc.measures import BadMeasure, Measure, read_measure, read_share
from capalloc.records import Rule
from capalloc.tables import Tables

_CELLS: tuple[tuple[str, Callable[[Tables, Rule], Measure | None]], ...] = (
    ("measure", read_measure),
    ("share_of", read_share),
)


def check_measures(tables: Tables) -> Iterator[Issue]:
    """Every rule measures something that these tables have; a rule that is switched off is told."""
    for rule in tables.rules:
        if not rule.enabled:
            yield info("rule-off", tables.place("rules", rule, "enabled"), rule=rule.id)
        for cell, read in _CELLS:
            try:
                measure = read(tables, rule)
            except BadMeasure as fault:
                # A fault of a cell that both measures share is told once, one of the column `period` with all periods.
                if fault.column != "period" and cell in ("measure", fault.column):
                    yield error(fault.code, tables.place("rules", rule, fault.column), **fault.arguments)
                continue
            if measure is not None and measure.kind == "envelope" and not _envelopes(tables, measure):
                years = f"{measure.period.first}:{measure.period.last}"
                names = {"sources": "+".join(measure.names), "period": measure.period.name or years}
                yield error("envelope-of-nothing", tables.place("rules", rule, cell), **names)


def check_parts(tables: Tables) -> Iterator[Issue]:
    """No rule holds a measure against a part of itself."""
    for rule in tables.rules:
        try:
            same = read_measure(tables, rule) == read_share(tables, rule)
        except BadMeasure:
            continue
        if same:
            yield warning("rule-of-itself", tables.place("rules", rule, "share_of"), rule=rule.id)


def _envelopes(tables: Tables, measure: Measure) -> bool:
    """Whether an envelope of exactly these sources lies inside the period."""
    for row in tables.envelopes:
        years = tables.settings.period(row.period)
        inside = years and years.first in measure.period and years.last in measure.period
        if inside and set(row.source) == set(measure.names):
            return True
    return False


def check_target_years(tables: Tables) -> Iterator[Issue]:
    """Every target is for a year of the portfolio."""
    horizon = tables.settings.horizon
    for row in tables.targets:
        if row.by_year not in horizon:
            where = tables.place("targets", row, "by_year")
            yield error("target-year", where, found=row.by_year, first=horizon.first, last=horizon.last)


def check_indicators(tables: Tables) -> Iterator[Issue]:
    """Some project adds to every indicator, and a target or a rule asks for it."""
    added = {row.indicator for row in tables.contributions}
    asked = {row.indicator for row in tables.targets}
    for rule in tables.rules:
        for _, read in _CELLS:
            try:
                measure = read(tables, rule)
            except BadMeasure:
                continue
            asked |= set(measure.names) if measure is not None and measure.kind == "indicator" else set()
    for indicator in tables.indicators:
        where = tables.place("indicators", indicator, "id")
        if indicator.id not in added:
            yield warning("unused-row", where, name=indicator.id)
        elif indicator.id not in asked:
            yield warning("unused-indicator", where, indicator=indicator.id)

"""The checks across tables: every fault at its cell, and no fault told twice under another name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from functools import partial
from typing import Any

from capalloc.checks import (
    amounts,
    flexible,
    funding,
    history,
    lawful,
    lettering,
    lookalikes,
    opposing,
    ordering,
    passing,
    prices,
    programmes,
    references,
    ruling,
    scoring,
    timing,
    usage,
)
from capalloc.consequences import EVERY, Faults, part_of
from capalloc.issues import Issue, Issues
from capalloc.records import RECORDS
from capalloc.tables import Tables


@dataclass(frozen=True, slots=True)
class Check:
    """One check, and the parts of the input that must be free of errors for its findings to mean anything.

    ``sound`` names tables (``"costs"``), columns (``"costs.amount"``), tables with all their columns (``"costs.*"``),
    and ``years``, their part ``horizon`` (what start years depend on), ``past`` (what is decided, where projects have
    begun) and ``objective`` for those settings. Nothing is found where such a table or column is missing as a
    whole. Where single cells of a column are at fault, those findings are left out that are about a project, group,
    resource or profile of their rows, or about nothing that tells them apart. A finding is also left out when its own
    cell is at fault, or one ``beside`` it in its row; of a check ``by_row``, when any cell of its row is.
    """

    find: Callable[[Tables], Iterator[Issue]]
    sound: tuple[str, ...] = ()
    by_row: bool = False
    beside: tuple[str, ...] = ()


# The names first: what a wrong name stands for is not judged further.
NAME_CHECKS = (
    Check(lookalikes.check_looks),
    Check(references.check_ids),
    Check(references.check_modes, ("modes.project", "modes.mode")),
    Check(references.check_periods, ("years",)),
    Check(references.check_profiles, ("profiles.profile", "profiles.duration")),
    Check(references.check_selections),
)
_PAST = ("past", "projects.status", "paid.project", "committed.start", "committed.mode")
_WAYS = ("projects", "modes.project", "modes.mode")
_STARTS = (*_WAYS, *_PAST)
_WINDOW = ("earliest_start", "latest_start", "duration", "mandatory", "status")
_DECIDED = ("projects", "committed.project", "committed.decision", *_PAST)
_PRICED = (*_STARTS, "years", "modes.*", "costs.*", "profiles.*")
_GONE_ON = (*_WAYS, "horizon", "past", "modes.*", "committed.*", "projects.status", "paid.project")
_BOUNDED = (*_WAYS, "modes.*")
# Then what kind of project each is: what is said of one kind is not judged as if it were another.
KIND_CHECKS = (
    Check(history.check_years, ("horizon", "past")),
    Check(history.check_starts, _GONE_ON, beside=("status", "earliest_start", "latest_start")),
    Check(history.check_modes, _GONE_ON, beside=("status",)),
    Check(history.check_kinds, _GONE_ON, beside=("status", "kind", "profile")),
    Check(history.check_amounts, (*_GONE_ON, "costs.*", "paid.*"), beside=("status", "cost")),
    Check(history.check_explicit, (*_GONE_ON, "costs.*", "paid.*"), beside=("status",)),
    Check(flexible.check_reserved_profile),
    Check(flexible.check_sources, _BOUNDED),
    Check(flexible.check_costs, _BOUNDED, by_row=True),
    Check(flexible.check_shares, _BOUNDED, beside=("per", "project", "mode")),
    Check(flexible.check_prices, _BOUNDED),
    Check(flexible.check_needless_bounds, _BOUNDED, beside=("profile",)),
    Check(flexible.check_bounds, _BOUNDED, beside=("year_min", "year_max", "cost", "duration")),
    Check(programmes.check_scales, ("projects",), beside=("kind",)),
    Check(programmes.check_costs, (*_WAYS, "modes.*", "costs.*"), beside=("kind",)),
    Check(programmes.check_profiles, _BOUNDED, beside=("kind",)),
)
CHECKS = (
    Check(usage.check_something_to_plan, ("projects",)),
    Check(lawful.check_preset, ("years", "projects")),
    Check(timing.check_reversed, ("projects",)),
    Check(timing.check_windows, (*_STARTS, *_DECIDED, "horizon"), beside=_WINDOW),
    Check(timing.check_commitments, (*_STARTS, "horizon", "modes.*"), by_row=True),
    Check(history.check_windows_past, _GONE_ON, by_row=True),
    Check(history.check_unknown_starts, _GONE_ON, beside=_WINDOW),
    Check(timing.check_dependencies),
    Check(timing.check_cycles),
    Check(
        timing.check_chains,
        (*_STARTS, *_DECIDED, "horizon", "modes.*", "costs.*", "profiles.*", "dependencies.*"),
        beside=_WINDOW,
    ),
    Check(timing.check_decided_pairs, _DECIDED),
    Check(opposing.check_opposed, (*_DECIDED, "dependencies.*")),
    Check(timing.check_groups, ("groups.*",)),
    Check(timing.check_group_numbers, (*_DECIDED, "groups.*")),
    Check(amounts.check_costs, (*_WAYS, "costs.*")),
    Check(amounts.check_cost_ranges, ("projects",)),
    Check(amounts.check_totals),
    Check(amounts.check_uses, ("uses.*",)),
    Check(amounts.check_profile_sums, ("profiles.*",)),
    Check(amounts.check_values, (*_WAYS, "objective")),
    Check(amounts.check_benefits, (*_WAYS, "objective", "benefits.project", "benefits.mode")),
    Check(scoring.check_criteria, ("criteria.*",)),
    Check(scoring.check_sets, ("objective", "criteria.set")),
    Check(scoring.check_score_range, ("criteria.*",)),
    Check(
        scoring.check_scores,
        (*_WAYS, "objective", "criteria.*", "scores.project", "scores.mode", "scores.criterion"),
    ),
    Check(ordering.check_classes, (*_PRICED, "objective", "priorities.*")),
    Check(ordering.check_class_weights, ("projects", "objective")),
    Check(ordering.check_unused_classes, ("objective",)),
    Check(prices.check_price_index, ("price_index.*",)),
    Check(prices.check_price_years, (*_PRICED, "price_index.*", *_DECIDED)),
    Check(prices.check_nominal_totals, (*_PRICED, "price_index.*")),
    Check(funding.check_shares),
    Check(funding.check_share_sums, ("projects", "shares")),
    Check(funding.check_payers, (*_DECIDED, "sources.*", "shares.*", "modes.*", "costs.*", "profiles.*", "paid.*")),
    Check(funding.check_paid_sources, ("projects", "sources.*", "shares.*", "paid.project", "paid.source")),
    Check(funding.check_envelope_gaps, ("years", "sources.unlimited", "envelopes.source", "envelopes.period")),
    Check(funding.check_paid_rooms, ("years", "sources.*", "envelopes.*", "paid.*")),
    Check(funding.check_same_period, ("years",), by_row=True),
    Check(passing.check_carrying, ("years", "envelopes.source", "envelopes.period", "envelopes.carry_cap")),
    Check(passing.check_tails, (*_PRICED, "rules.*")),
    Check(
        funding.check_capacity_gaps,
        (*_PRICED, "uses.*", "capacities.resource", "capacities.period"),
    ),
    Check(ruling.check_measures, ("years", "sources", "envelopes", "indicators", "resources")),
    Check(ruling.check_parts, ("years", "sources", "indicators", "resources"), by_row=True),
    Check(ruling.check_target_years, ("years",)),
    Check(ruling.check_indicators, ("contributions.indicator", "targets.indicator", "rules.*")),
    Check(usage.check_unused_tables, ("objective",)),
    Check(usage.check_unused_rows),
    Check(usage.check_totals),
    Check(usage.check_own_headings),
    # Of every table apart, since what changes from one portfolio to the next is rarely a text.
    *(Check(partial(lettering.check_lettering, table)) for table in RECORDS),
    *(Check(partial(lettering.check_lost_letters, table)) for table in RECORDS),
)


class Findings:
    """What each check found last, and in which parts of the tables: where these are the same, it is not made again."""

    def __init__(self) -> None:
        self._known: dict[Callable[[Tables], Iterator[Issue]], tuple[dict[str, Any], tuple[Issue, ...]]] = {}

    def of(self, check: Check, tables: Tables) -> tuple[Issue, ...]:
        """Return what a check finds in the tables."""
        parts, found = self._known.get(check.find, (None, ()))
        if parts is not None and all(getattr(tables, name) is part for name, part in parts.items()):
            return found
        seen = seen_through(tables)
        found = tuple(check.find(seen))
        self._known[check.find] = ({name: getattr(tables, name) for name in seen.parts_seen}, found)
        return found


class _Seen(Tables):
    """Tables that note which of their parts are looked at."""

    __slots__ = ("parts_seen",)
    parts_seen: set[str]

    def __new__(cls, **parts: Any) -> Any:
        """Return plain tables: those that a check makes of these with `replace` are its own."""
        return Tables(**parts)

    def __getattribute__(self, name: str) -> Any:
        if name in _PARTS:
            object.__getattribute__(self, "parts_seen").add(name)
        return object.__getattribute__(self, name)


_PARTS = frozenset(field.name for field in fields(Tables))


def seen_through(tables: Tables) -> _Seen:
    """Return the same tables, noting what is looked at."""
    seen = object.__new__(_Seen)
    object.__setattr__(seen, "parts_seen", set())
    for name in _PARTS:
        object.__setattr__(seen, name, getattr(tables, name))
    return seen


def check(tables: Tables, read: Iterable[Issue] = (), findings: Findings | None = None) -> Issues:
    """Return everything that is wrong or doubtful in the tables, in the order of tables and rows.

    Parameters
    ----------
    tables
        As they were read.
    read
        What reading them found; it is part of the answer, and what merely follows from it is left out.
    findings
        What was found before, in these or other tables.
    """
    known = Faults(tables)
    found = list(read)
    known.add(found)
    findings = findings or Findings()
    for checks in (NAME_CHECKS, KIND_CHECKS, CHECKS):
        fresh = [issue for check in checks for issue in _findings(check, tables, known, findings)]
        found += fresh
        known.add(fresh)
    return Issues(sorted(found, key=lambda issue: _position(issue, tables)))


def _findings(check: Check, tables: Tables, known: Faults, findings: Findings) -> Iterator[Issue]:
    if all(known.is_sound(part) for part in check.sound):
        cells = EVERY if check.by_row else check.beside
        yield from (issue for issue in findings.of(check, tables) if not known.explain(issue, check.sound, cells))


def _position(issue: Issue, tables: Tables) -> tuple[int, int]:
    """Return the place of an issue in the order of the input: settings, tables, rows."""
    order = {name: number for number, name in enumerate(RECORDS)}
    return order.get(part_of(issue, tables), -1), -1 if issue.where.row is None else issue.where.row

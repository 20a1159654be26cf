"""The checks across tables: every fault at its cell, and no fault told twice under another name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from capalloc.checks import amounts, funding, references, timing, usage
from capalloc.issues import Issue, Issues, Severity
from capalloc.records import RECORDS
from capalloc.tables import Tables

# Without these rows or settings, names that refer to them prove nothing.
_INCOMPLETE = {
    "bad-csv",
    "bad-toml",
    "duplicate-heading",
    "empty-file",
    "missing-column",
    "no-projects",
    "no-settings",
    "not-a-frame",
    "not-utf8",
    "unreadable-file",
}
_ABOUT_PROJECTS = {"empty-selection", "unknown-column-in-selection"}
_YEARS = ("first_year", "last_year", "phases", "may_", "decide_from")


@dataclass(frozen=True, slots=True)
class Check:
    """One check, and the parts of the input that must be free of errors for its findings to mean anything.

    ``sound`` names tables, whose headings must be in order (``"costs"``), columns (``"costs.amount"``), tables with all
    their cells (``"costs.*"``), and ``years`` and ``objective`` for those settings. A finding is left out when its own
    cell is at fault; of a check ``by_row``, which compares the cells of a row, when any cell of its row is.
    """

    find: Callable[[Tables], Iterator[Issue]]
    sound: tuple[str, ...] = ()
    by_row: bool = False


# The names first: what a wrong name stands for is not judged further.
NAME_CHECKS = (
    Check(references.check_ids),
    Check(references.check_modes, ("modes.project", "modes.mode")),
    Check(references.check_periods, ("years",)),
    Check(references.check_profiles, ("profiles.profile", "profiles.duration")),
    Check(references.check_selections),
)
_WAYS = ("projects", "modes.project", "modes.mode")
_DECIDED = ("projects", "committed.project", "committed.decision")
CHECKS = (
    Check(usage.check_something_to_plan, ("projects",)),
    Check(usage.check_not_yet),
    Check(timing.check_reversed, ("projects",)),
    Check(timing.check_windows, (*_WAYS, *_DECIDED, "years"), by_row=True),
    Check(timing.check_commitments, (*_WAYS, "years", "modes.*"), by_row=True),
    Check(timing.check_dependencies),
    Check(timing.check_cycles),
    Check(
        timing.check_chains,
        (*_WAYS, *_DECIDED, "years", "modes.*", "costs.*", "profiles.*", "dependencies.*"),
        by_row=True,
    ),
    Check(timing.check_decided_pairs, _DECIDED),
    Check(timing.check_groups, (*_DECIDED, "groups.*"), by_row=True),
    Check(amounts.check_costs, (*_WAYS, "costs.*")),
    Check(amounts.check_cost_ranges, ("projects",)),
    Check(amounts.check_totals),
    Check(amounts.check_uses, ("uses.*",)),
    Check(amounts.check_profile_sums, ("profiles.*",)),
    Check(amounts.check_values, (*_WAYS, "objective")),
    Check(amounts.check_benefits, (*_WAYS, "objective", "benefits.project", "benefits.mode")),
    Check(amounts.check_criteria, ("criteria.*",)),
    Check(amounts.check_score_range, ("criteria.*",)),
    Check(
        amounts.check_scores,
        (*_WAYS, "objective", "criteria.criterion", "scores.project", "scores.mode", "scores.criterion"),
    ),
    Check(amounts.check_class_weights, ("projects", "objective")),
    Check(funding.check_shares),
    Check(funding.check_share_sums, ("projects", "shares")),
    Check(funding.check_payers, (*_DECIDED, "sources.*", "shares.*", "modes.*", "costs.*")),
    Check(funding.check_envelope_gaps, ("years", "sources.unlimited", "envelopes.source", "envelopes.period")),
    Check(funding.check_same_period, ("years",), by_row=True),
    Check(
        funding.check_capacity_gaps,
        (*_WAYS, "years", "modes.*", "costs.*", "profiles.*", "uses.*", "capacities.resource", "capacities.period"),
    ),
    Check(usage.check_unused_tables, ("objective",)),
    Check(usage.check_unused_rows),
)


def check(tables: Tables, read: Iterable[Issue] = ()) -> Issues:
    """Return everything that is wrong or doubtful in the tables, in the order of tables and rows.

    Parameters
    ----------
    tables
        As they were read.
    read
        What reading them found; it is part of the answer, and what merely follows from it is left out.
    """
    known = _Faults(tables)
    found = list(read)
    known.add(found)
    for checks in (NAME_CHECKS, CHECKS):
        fresh = [issue for check in checks for issue in _findings(check, tables, known)]
        found += fresh
        known.add(fresh)
    return Issues(sorted(found, key=known.position))


def _findings(check: Check, tables: Tables, known: _Faults) -> Iterator[Issue]:
    if all(known.is_sound(part) for part in check.sound):
        yield from (issue for issue in check.find(tables) if not known.explains(issue, check))


@dataclass
class _Faults:
    """The errors known so far, by where they stand."""

    source: Tables
    unsound: set[str] = field(default_factory=set)
    incomplete: set[str] = field(default_factory=set)
    rows: set[tuple[str, int | None]] = field(default_factory=set)
    cells: set[tuple[str, int | None, str]] = field(default_factory=set)

    def add(self, issues: Iterable[Issue]) -> None:
        for issue in issues:
            if issue.severity is Severity.ERROR:
                self._add(issue)

    def _add(self, issue: Issue) -> None:
        where, table = issue.where, self.part(issue)
        self.unsound |= {f"{table}.*", f"{table}.{where.column}"}
        if issue.code in _INCOMPLETE:
            self.incomplete.add(table)
            self.unsound |= {"years", "objective"} if table == "settings" else {table}
        if where.row is None or not where.column:
            self.unsound.add(table)
        if where.row is not None:
            self.rows.add((where.file, where.row))
            self.cells.add((where.file, where.row, where.column))

    def is_sound(self, part: str) -> bool:
        """Return whether a table, a column, or the years or the objective of the settings, are free of errors."""
        return self.unsound.isdisjoint({part, part.partition(".")[0]})

    def explains(self, issue: Issue, check: Check) -> bool:
        """Return whether a finding merely follows from an error that is known."""
        where = issue.where
        if issue.code == "unknown-id" and issue.arguments["table"] in self.incomplete:
            return True
        if issue.code in _ABOUT_PROJECTS and not self.is_sound("projects.*"):
            return True
        if issue.code.startswith("unused-") and self.unsound:
            return True
        if check.by_row:
            return (where.file, where.row) in self.rows
        return not self.cells.isdisjoint({(where.file, where.row, where.column), (where.file, where.row, "")})

    def part(self, issue: Issue) -> str:
        """Return the table of an issue, or the part of the settings."""
        where = issue.where
        if where.file != self.source.place("settings").file:
            return Path(where.file).stem.lower()
        is_slip = issue.code == "unknown-setting" and issue.arguments["found"] == where.column
        key = issue.arguments["near"] if is_slip else where.column
        if key.startswith(_YEARS):
            return "years"
        return "objective" if key.startswith("objective") else "settings"

    def position(self, issue: Issue) -> tuple[int, int]:
        """Return the place of an issue in the order of the input: settings, tables, rows."""
        order = {name: number for number, name in enumerate(RECORDS)}
        row = -1 if issue.where.row is None else issue.where.row
        return order.get(self.part(issue), -1), row

"""The checks across tables: every fault at its cell, and no fault told twice under another name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from capalloc.checks import amounts, funding, references, timing, usage
from capalloc.issues import Issue, Issues, Severity
from capalloc.records import RECORDS
from capalloc.tables import Tables

_INCOMPLETE = {"bad-csv", "duplicate-heading", "empty-file", "missing-column", "not-a-frame", "not-utf8"}
_ABOUT_PROJECTS = {"empty-selection", "unknown-column-in-selection"}
_YEARS = ("first_year", "last_year", "phases", "may_", "decide_from")


@dataclass(frozen=True, slots=True)
class Check:
    """One check, and the parts of the input that must be free of errors for its findings to mean anything.

    ``whole`` names tables, or ``years`` and ``objective`` for those settings; ``projects`` stands for its headings
    only, since a fault in a row of it is told by that row. A check ``by_cell`` looks at one cell at a time, so that a
    fault elsewhere in the row does not matter to it.
    """

    find: Callable[[Tables], Iterator[Issue]]
    whole: tuple[str, ...] = ()
    by_cell: bool = False


# The names first: what a wrong name stands for is not judged further.
NAME_CHECKS = (
    Check(references.check_ids, by_cell=True),
    Check(references.check_modes, ("modes",), by_cell=True),
    Check(references.check_periods, ("years",), by_cell=True),
    Check(references.check_profiles, ("profiles",), by_cell=True),
    Check(references.check_selections, by_cell=True),
)
CHECKS = (
    Check(usage.check_something_to_plan, ("projects",)),
    Check(usage.check_not_yet),
    Check(timing.check_reversed, ("projects",)),
    Check(timing.check_windows, ("projects", "years", "modes", "costs", "profiles", "committed")),
    Check(timing.check_commitments, ("projects", "years", "modes", "costs", "profiles")),
    Check(timing.check_dependencies),
    Check(timing.check_cycles, ("dependencies",)),
    Check(timing.check_chains, ("projects", "years", "modes", "costs", "profiles", "committed", "dependencies")),
    Check(timing.check_decided_pairs, ("projects", "committed")),
    Check(timing.check_groups, ("projects", "groups", "committed")),
    Check(amounts.check_costs, ("projects", "costs", "modes")),
    Check(amounts.check_cost_ranges, ("projects",)),
    Check(amounts.check_totals),
    Check(amounts.check_profile_sums, ("profiles",)),
    Check(amounts.check_values, ("projects", "objective", "modes")),
    Check(amounts.check_benefits, ("projects", "objective", "modes", "benefits")),
    Check(amounts.check_criteria, ("criteria",)),
    Check(amounts.check_score_range, ("criteria",)),
    Check(amounts.check_scores, ("projects", "objective", "modes", "criteria", "scores")),
    Check(amounts.check_class_weights, ("projects", "objective")),
    Check(funding.check_shares),
    Check(funding.check_share_sums, ("projects", "shares")),
    Check(funding.check_payers, ("projects", "sources", "shares", "committed", "modes", "costs")),
    Check(funding.check_envelope_gaps, ("years", "sources", "envelopes")),
    Check(funding.check_same_period, ("years",)),
    Check(
        funding.check_capacity_gaps,
        ("projects", "years", "modes", "costs", "profiles", "uses", "capacities", "resources"),
    ),
    Check(usage.check_unused_tables, ("objective",)),
    Check(usage.check_unused_rows, ("projects", "modes", "scores", "uses")),
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
    if known.unsound.isdisjoint(check.whole):
        yield from (issue for issue in check.find(tables) if not known.explains(issue, check))


@dataclass
class _Faults:
    """The errors known so far, by where they stand."""

    source: Tables
    parts: set[str] = field(default_factory=set)
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
        self.parts.add(table)
        if table != "projects" or where.row is None:
            self.unsound.add(table)
        if issue.code in _INCOMPLETE:
            self.incomplete.add(table)
        if where.row is not None:
            self.rows.add((where.file, where.row))
            self.cells.add((where.file, where.row, where.column))

    def explains(self, issue: Issue, check: Check) -> bool:
        """Return whether a finding merely follows from an error that is known."""
        where = issue.where
        if issue.code == "unknown-id" and issue.arguments["table"] in self.incomplete:
            return True
        if issue.code in _ABOUT_PROJECTS and "projects" in self.parts:
            return True
        if where.row is None:
            return False
        if check.by_cell:
            return not self.cells.isdisjoint({(where.file, where.row, where.column), (where.file, where.row, "")})
        return (where.file, where.row) in self.rows

    def part(self, issue: Issue) -> str:
        """Return the table of an issue, or the part of the settings."""
        where = issue.where
        if where.file != self.source.place("settings").file:
            return Path(where.file).stem.lower()
        key = issue.arguments.get("near", where.column) if issue.code == "unknown-setting" else where.column
        if key.startswith(_YEARS):
            return "years"
        return "objective" if key.startswith("objective") else "settings"

    def position(self, issue: Issue) -> tuple[int, int]:
        """Return the place of an issue in the order of the input: settings, tables, rows."""
        order = {name: number for number, name in enumerate(RECORDS)}
        row = -1 if issue.where.row is None else issue.where.row
        return order.get(self.part(issue), -1), row

"""What merely follows from faults that are known: told by the row they stand in and the names that row bears."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from capalloc.issues import Issue, Severity
from capalloc.reading import NONE
from capalloc.records import RECORDS, SCHEMAS, UNDER_WAY, Row
from capalloc.schema import Kind, field_name
from capalloc.selection import parse_selection
from capalloc.tables import Origin, Tables

# Without these rows or settings, names that refer to them prove nothing.
_INCOMPLETE = {
    "bad-csv",
    "bad-toml",
    "duplicate-heading",
    "empty-file",
    "folder-for-file",
    "headings-lower",
    "long-cell",
    "missing-column",
    "no-file-behind",
    "no-projects",
    "no-projects-sheet",
    "no-headings",
    "no-settings",
    "no-settings-sheet",
    "not-a-frame",
    "not-utf8",
    "unreadable-file",
}
_YEARS = ("first_year", "last_year", "phases", "may_", "decide_from")

# The words by which issues name what they are about, what they are about in the first place first.
_NAMED = {
    "group": "groups",
    "resource": "resources",
    "source": "sources",
    "profile": "profiles",
    "project": "projects",
}

EVERY = ("*",)
"""All columns of a row."""

Names = Mapping[str, set[str]]
"""Names by the table of the things they name; a kind of thing that is absent is not known, an empty set is none."""


@dataclass
class Faults:
    """The errors known so far: by the cells they stand in, and by the names of those rows."""

    tables: Tables
    any_known: bool = False
    incomplete: set[str] = field(default_factory=set)
    headings: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    rows: dict[str, dict[int, set[str]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(set)))
    meant: dict[tuple[str, int], list[tuple[str, str]]] = field(default_factory=lambda: defaultdict(list))
    faulty_names: dict[str, list[Names]] = field(default_factory=dict)

    def add(self, issues: Iterable[Issue]) -> None:
        """Take note of the errors among the issues."""
        for issue in issues:
            if issue.severity is Severity.ERROR:
                self.any_known = True
                self._add(issue)
        self.faulty_names.clear()

    def _add(self, issue: Issue) -> None:
        where, table = issue.where, part_of(issue, self.tables)
        if issue.code in _INCOMPLETE and table == "settings":
            self.incomplete |= {"years", "horizon", "objective", "past"}
        elif table == "years":
            about_phases = where.column.startswith("phases") and self.tables.settings.may_cross_phase
            is_horizon = not (about_phases or where.column == "decide_from")
            self.incomplete |= {"years", "horizon"} if is_horizon else {"years"}
            self.incomplete |= {"past"} if self._has_history and not about_phases else set()
            self.headings[table].add(where.column)
        elif issue.code in _INCOMPLETE or table not in RECORDS or (where.row is None and not where.column):
            self.incomplete |= {table, issue.arguments["near"]} if issue.code == "unknown-table" else {table}
        elif where.row is None:
            self.headings[table] |= self._columns_lost(issue, table)
        else:
            self.rows[table][where.row].add(where.column)
            if issue.code == "unknown-id":
                self.meant[table, where.row].append((issue.arguments["table"], issue.arguments["near"]))

    def _columns_lost(self, issue: Issue, table: str) -> set[str]:
        """Return the column that stands under a wrong heading, unless it stands under its own as well."""
        column = issue.arguments.get("near", issue.where.column)
        origin = self.tables.origins.get(table, Origin())
        return set() if column == NONE or field_name(column) in origin.headings else {column}

    def is_sound(self, part: str) -> bool:
        """Return whether a table or a column is there, or the years or the objective of the settings free of errors."""
        table, _, column = part.partition(".")
        lost = self.headings[table]
        return table not in self.incomplete and not (lost if column == "*" else column in lost)

    def explain(self, issue: Issue, builds_on: Sequence[str], beside: Sequence[str]) -> bool:
        """Return whether a finding merely follows from an error that is known.

        Parameters
        ----------
        builds_on
            Tables and columns whose rows the finding was made from.
        beside
            Columns whose cells in its row it also builds on.
        """
        if issue.code == "unknown-id" and issue.arguments["table"] in self.incomplete:
            return True
        if issue.code.startswith("unused-") and self.any_known:
            return True
        if self._selection_fails(issue) or self._cell_fails(issue, beside):
            return True
        return any(self._shares_a_name(part, issue) for part in builds_on)

    def _selection_fails(self, issue: Issue) -> bool:
        """Whether a selection finds nothing because a column of the projects is at fault."""
        if issue.code not in ("empty-selection", "unknown-column-in-selection"):
            return False
        faulty = self.headings["projects"]
        if issue.code == "empty-selection":
            faulty = faulty.union(*self.rows["projects"].values())
            named = {"", *parse_selection(issue.arguments["text"]).columns}
        else:
            named = {issue.arguments["found"]}
        return "projects" in self.incomplete or not named.isdisjoint(faulty)

    def _cell_fails(self, issue: Issue, beside: Sequence[str]) -> bool:
        """Whether the cell of a finding, one beside it, or one that stands for it while it is empty, is at fault."""
        where, table = issue.where, part_of(issue, self.tables)
        if where.column in self.headings[table]:
            return True
        if where.row is None:
            return any(where.column in columns for columns in self.rows[table].values())
        faulty = self.rows[table].get(where.row, set())
        if not faulty.isdisjoint({where.column, "", *beside}) or (faulty and beside == EVERY):
            return True
        return table == "modes" and any(self._cell_fails(own, beside) for own in self._cells_of_owners(issue))

    def _cells_of_owners(self, issue: Issue) -> Iterator[Issue]:
        """Yield a finding about a mode as one about its project, whose cell an empty cell of the mode takes."""
        owners = self._names_at("modes", issue.where.row).get("projects", set())
        for project in self.tables.projects:
            if project.id in owners:
                yield replace(issue, where=self.tables.place("projects", project, issue.where.column))

    def _shares_a_name(self, part: str, issue: Issue) -> bool:
        """Whether a faulty row of the part bears a name of the finding, or none by which to tell them apart."""
        table, _, column = part.partition(".")
        if table not in self.rows:
            return False
        faulty = self._faulty_names(table, column)
        about = self._about(issue) if faulty else {}
        for names in faulty:
            kind = next((kind for kind in about if kind in names), None)
            if kind is None or not about[kind].isdisjoint(names[kind]):
                return True
        return False

    def _faulty_names(self, table: str, column: str) -> list[Names]:
        """Return the names in the faulty rows of a part, those of rows that name the same kinds of things together."""
        part = f"{table}.{column}"
        if part not in self.faulty_names:
            gathered: dict[frozenset[str], dict[str, set[str]]] = {}
            for number, columns in self.rows[table].items():
                if column == "*" or not columns.isdisjoint({column, ""}):
                    names = self._names_at(table, number)
                    together = gathered.setdefault(frozenset(names), {kind: set() for kind in names})
                    for kind, found in names.items():
                        together[kind] |= found
            self.faulty_names[part] = list(gathered.values())
        return self.faulty_names[part]

    def _about(self, issue: Issue) -> Names:
        """What a finding is about: what its text and its row name, and what these depend on."""
        about: dict[str, set[str]] = {}
        for word, kind in _NAMED.items():
            if word in issue.arguments:
                about[kind] = {str(issue.arguments[word])}
        for kind, names in self._names_at(part_of(issue, self.tables), issue.where.row).items():
            about[kind] = about.get(kind, set()) | names
        for kind, users in self._users.items():
            for name in about.get(kind, ()):
                about["projects"] = about.get("projects", set()) | users.get(name, set())
        if issue.code == "chain-too-long":
            about["projects"] |= self._waited_for(about["projects"])
        if "projects" in about:
            profiles = (self._profiles.get(project, set()) for project in about["projects"])
            about["profiles"] = about.get("profiles", set()).union(*profiles)
        return about

    def _names_at(self, table: str, number: int | None) -> dict[str, set[str]]:
        position = self._positions.get(table, {}).get(number)
        if position is None or number is None:
            return {}
        names = _names_in(self.tables, table, position)
        for kind, near in self.meant.get((table, number), ()):
            names.setdefault(kind, set()).add(near)
        return names

    @cached_property
    def _positions(self) -> Mapping[str, Mapping[int | None, int]]:
        return {t: {row.row: position for position, row in enumerate(self.tables.rows(t))} for t in RECORDS}

    @cached_property
    def _has_history(self) -> bool:
        """Whether it depends on the years which projects began before them."""
        return bool(self.tables.paid) or any(project.status in UNDER_WAY for project in self.tables.projects)

    @cached_property
    def _users(self) -> Mapping[str, Mapping[str, set[str]]]:
        """The projects that use each resource, and those in each group."""
        users: dict[str, dict[str, set[str]]] = {"resources": defaultdict(set), "groups": defaultdict(set)}
        for use in self.tables.uses:
            users["resources"][use.resource].add(use.project)
        for membership in self.tables.groups:
            users["groups"][membership.group].add(membership.project)
        return users

    @cached_property
    def _profiles(self) -> Mapping[str, set[str]]:
        """The profiles that each project and its modes name."""
        profiles: dict[str, set[str]] = defaultdict(set)
        for project in self.tables.projects:
            profiles[project.id].add(project.profile)
        for mode in self.tables.modes:
            profiles[mode.project].add(mode.profile)
        return profiles

    def _waited_for(self, projects: Iterable[str]) -> set[str]:
        """Return the projects that must come before any of these, directly or through others."""
        found, waiting = set[str](), set(projects)
        while waiting:
            found |= waiting
            waiting = {row.first for row in self.tables.dependencies if row.then in waiting} - found
        return found


def part_of(issue: Issue, tables: Tables) -> str:
    """Return the table of an issue, or the part of the settings."""
    where = issue.where
    settings = tables.place("settings")
    if where.sheet and where.sheet != settings.sheet:
        return next((name for name, own in tables.origins.items() if own.sheet == where.sheet), "")
    if where.file != settings.file:
        return Path(where.file).stem.lower()
    is_slip = issue.code == "unknown-setting" and issue.arguments["found"] == where.column
    key = issue.arguments["near"] if is_slip else where.column
    if key.startswith(_YEARS):
        return "years"
    return "objective" if key.startswith("objective") else "settings"


def _names_in(tables: Tables, table: str, position: int) -> dict[str, set[str]]:
    """Return what a row names; an empty cell, as merged cells leave it, may stand for its neighbour above or below."""
    rows, names = tables.rows(table), dict[str, set[str]]()
    for heading, column in SCHEMAS[table].columns.items():
        if not (column.refers_to or (column.key and column.kind is Kind.ID and heading == SCHEMAS[table].key[0])):
            continue
        cells = _cells(rows[position], heading)
        if not cells:
            cells |= next(filter(None, (_cells(rows[i], heading) for i in range(position, -1, -1))), set())
            cells |= next(filter(None, (_cells(rows[i], heading) for i in range(position, len(rows)))), set())
        if column.kind is Kind.PROJECTS:
            # A selection may be about any project.
            cells = {cell for cell in cells if any(cell == project.id for project in tables.projects)}
        if cells:
            kind = column.refers_to or table
            names[kind] = names.get(kind, set()) | cells
    return names


def _cells(row: Row, heading: str) -> set[str]:
    cell = getattr(row, field_name(heading))
    return set(cell) if isinstance(cell, tuple) else {cell} - {""}

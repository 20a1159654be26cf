"""Every name in a cell is the name of something: ids, modes, periods, profiles, selections."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from capalloc.characters import difference, look
from capalloc.costing import FLEXIBLE
from capalloc.issues import Issue, Place, error, nearest
from capalloc.measures import split_share
from capalloc.reading import NONE
from capalloc.records import RECORDS, SCHEMAS, Row
from capalloc.schema import Column, Kind, field_name
from capalloc.selection import (
    BadSelection,
    Holds,
    Selection,
    attribute_columns,
    looks_like_selection,
    parse_selection,
)
from capalloc.tables import Tables

# Looking for the nearest name takes a while; whoever has more wrong names than this has another problem than spelling.
_MOST_GUESSES = 50

_ONE_MODE_TABLES = ("costs", "benefits", "uses", "scores", "contributions")
_ANY_MODE_TABLES = ("priorities", "committed", "shares")


class _Names:
    """The names of one kind of thing, and the nearest of them to a wrong one."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = dict.fromkeys(names)
        self.looks = {look(name): name for name in self.names}
        self.guesses: dict[str, str] = {}

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def near(self, wrong: str) -> str:
        if wrong not in self.guesses and len(self.guesses) < _MOST_GUESSES:
            self.guesses[wrong] = nearest(wrong, self.names) or NONE
        return self.guesses.get(wrong, NONE)


def check_ids(tables: Tables) -> Iterator[Issue]:
    """Every id that a row refers to is in the table it refers to."""
    names = {table: _Names(_ids(tables, table)) for table in RECORDS}
    for table, schema in SCHEMAS.items():
        for heading, column in schema.columns.items():
            if column.refers_to and column.kind is not Kind.PROJECTS:
                yield from _unknown_ids(tables, table, heading, column, names[column.refers_to])


def _ids(tables: Tables, table: str) -> Iterator[str]:
    key = SCHEMAS[table].key
    if len(key) == 1 and SCHEMAS[table].columns[key[0]].kind is Kind.ID:
        yield from (getattr(row, key[0]) for row in tables.rows(table))


def _unknown_ids(tables: Tables, table: str, heading: str, column: Column, known: _Names) -> Iterator[Issue]:
    name = field_name(heading)
    for row in tables.rows(table):
        value = getattr(row, name)
        for found in value if isinstance(value, tuple) else (value,):
            if found not in known:
                yield _unknown_id(found, tables.place(table, row, heading), column.refers_to, known)


def _unknown_id(found: str, where: Place, table: str, known: _Names) -> Issue:
    twin = known.looks.get(look(found))
    if twin is not None:
        return error("unknown-twin", where, found=found, table=table, near=twin, **difference(found, twin))
    return error("unknown-id", where, found=found, table=table, near=known.near(found))


def modes_by_project(tables: Tables) -> Mapping[str, list[str]]:
    """Return the names of the modes of each project that has any."""
    modes: dict[str, list[str]] = defaultdict(list)
    for row in tables.modes:
        modes[row.project].append(row.mode)
    return modes


def check_modes(tables: Tables) -> Iterator[Issue]:
    """A row names a mode of its project exactly where the project has modes."""
    modes = modes_by_project(tables)
    projects = {project.id for project in tables.projects}
    for table in (*_ONE_MODE_TABLES, *_ANY_MODE_TABLES):
        for row in tables.rows(table):
            project, mode = getattr(row, "project", ""), getattr(row, "mode", "")
            if project not in projects:
                continue
            known = modes.get(project, [])
            where = tables.place(table, row, "mode")
            names = {"project": project, "known": ", ".join(known) or NONE}
            if mode and mode not in known:
                yield error("unknown-mode", where, found=mode, near=nearest(mode, known) or NONE, **names)
            elif not mode and known and table in _ONE_MODE_TABLES:
                yield error("missing-mode", where, **names)


def check_periods(tables: Tables) -> Iterator[Issue]:
    """Every period is a phase, a year or a run of years inside the horizon."""
    settings = tables.settings
    phases = [phase.name for phase in settings.phases]
    years = {"first": settings.first_year, "last": settings.last_year}
    for table, column in (("envelopes", "period"), ("capacities", "period"), ("rules", "period")):
        for row in tables.rows(table):
            found = getattr(row, column)
            if found and settings.period(found) is None:
                near = nearest(found, phases) or NONE
                yield error("unknown-period", tables.place(table, row, column), found=found, near=near, **years)
    for priority in tables.priorities:
        if priority.phase not in phases:
            near = nearest(priority.phase, phases) or NONE
            where = tables.place("priorities", priority, "phase")
            yield error("unknown-period", where, found=priority.phase, near=near, **years)


def check_profiles(tables: Tables) -> Iterator[Issue]:
    """Every profile named is in `profiles`, for the duration of the project that names it."""
    durations: dict[str, set[int]] = defaultdict(set)
    for share in tables.profiles:
        durations[share.profile].add(share.duration)
    names = _Names({*durations, FLEXIBLE})
    for table in ("projects", "modes"):
        for row in tables.rows(table):
            profile = getattr(row, "profile", "")
            if profile not in ("", FLEXIBLE) and profile not in durations:
                where = tables.place(table, row, "profile")
                yield error("unknown-profile", where, found=profile, near=names.near(profile))
    for table, row, profile, duration in _profiles_needed(tables):
        if profile in durations and duration not in durations[profile]:
            known = ", ".join(str(years) for years in sorted(durations[profile]))
            where = tables.place(table, row, "profile")
            yield error("no-profile-for-duration", where, profile=profile, duration=duration, known=known)


def _profiles_needed(tables: Tables) -> Iterator[tuple[str, Row, str, int]]:
    explicit = {(row.project, row.mode) for row in tables.costs}
    with_modes = modes_by_project(tables)
    projects = {project.id: project for project in tables.projects}
    for project in tables.projects:
        if project.id not in with_modes and (project.id, "") not in explicit:
            yield "projects", project, project.profile, project.duration
    for mode in tables.modes:
        owner = projects.get(mode.project)
        if owner is not None and (mode.project, mode.mode) not in explicit:
            yield "modes", mode, mode.profile or owner.profile, mode.duration or owner.duration


def check_selections(tables: Tables) -> Iterator[Issue]:
    """Every selection can be read, names columns that there are, and selects something."""
    attributes = attribute_columns(tables.projects)
    ids = _Names(project.id for project in tables.projects)
    verdicts: dict[str, BadSelection | None] = {}
    for table, column in (
        ("sources", "eligible"),
        ("shares", "project"),
        ("rules", "selection"),
        ("rules", "share_of"),
    ):
        for row in tables.rows(table):
            text: str = getattr(row, column)
            text = split_share(text)[1] if column == "share_of" else text
            if not text or (table == "shares" and text in ids):
                continue
            if text not in verdicts:
                verdicts[text] = _verdict(tables, text, attributes)
            fault = verdicts[text]
            where = tables.place(table, row, column)
            if fault is not None and table == "shares" and not looks_like_selection(text):
                yield _unknown_id(text, where, "projects", ids)
            elif fault is not None:
                yield error(fault.code, where, **fault.arguments)


def _verdict(tables: Tables, text: str, attributes: Mapping[str, Holds]) -> BadSelection | None:
    try:
        selection: Selection = parse_selection(text)
        selection.check(attributes)
    except BadSelection as fault:
        return fault
    if tables.projects and not any(selection.matches(project) for project in tables.projects):
        return BadSelection("empty-selection", text=text)
    return None

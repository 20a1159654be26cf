"""What was given but is not used."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from capalloc.excel.naming import column_codes, folded
from capalloc.issues import Issue, error, warning
from capalloc.reading import nearest_column
from capalloc.records import SCHEMAS, Project
from capalloc.schema import field_name
from capalloc.tables import Origin, Tables

# What the last line of a list is called in a spreadsheet.
_TOTALS = {"tổng", "tổng cộng", "tổng số", "cộng", "total", "grand total", "sum"}

# How the sections of a list are numbered, above the projects that they hold.
_SECTION = re.compile(r"[A-HIVX]|[IVX]{2,6}")

# The tables that serve only one way to find values.
_VALUE_TABLES = {
    "benefits": ("benefits",),
    "criteria": ("score", "score_size"),
    "scores": ("score", "score_size"),
}


def check_unused_tables(tables: Tables) -> Iterator[Issue]:
    """Values are not given in a way that the objective does not read."""
    value_from = tables.settings.objective.value_from
    for table, uses in _VALUE_TABLES.items():
        if tables.rows(table) and value_from not in uses:
            yield warning("unused-table", tables.place(table), table=table, value_from=value_from)
    if value_from != "column":
        for table in ("projects", "modes"):
            if any(getattr(row, "value", None) is not None for row in tables.rows(table)):
                yield warning("unused-table", tables.place(table, column="value"), table="value", value_from=value_from)


def check_unused_rows(tables: Tables) -> Iterator[Issue]:
    """Every profile, criterion, resource and capacity serves some project."""
    named = {row.profile for row in tables.projects} | {row.profile for row in tables.modes}
    told: set[str] = set()
    for share in tables.profiles:
        if share.profile not in named | told:
            told.add(share.profile)
            yield warning("unused-row", tables.place("profiles", share, "profile"), name=share.profile)
    used = {
        "criteria": ("criterion", {row.criterion for row in tables.scores}),
        "resources": ("id", {row.resource for row in tables.uses}),
    }
    for table, (column, names) in used.items():
        for row in tables.rows(table):
            name: str = getattr(row, field_name(column))
            if name not in names:
                yield warning("unused-row", tables.place(table, row, column), name=name)


def check_something_to_plan(tables: Tables) -> Iterator[Issue]:
    """There is at least one project."""
    if not tables.projects:
        yield error("no-rows", tables.place("projects"), table=SCHEMAS["projects"].name)


def check_totals(tables: Tables) -> Iterator[Issue]:
    """No row of totals stands among the projects."""
    for project in tables.projects:
        for column in ("id", "name"):
            text: str = getattr(project, column)
            if text.strip(" :.").casefold() in _TOTALS:
                yield error("row-of-totals", tables.place("projects", project, column), found=text)
    for project, count in _subtotals(tables.projects):
        yield warning(
            "row-of-subtotals",
            tables.place("projects", project, "id"),
            project=project.id,
            cost=project.cost,
            count=count,
        )


def check_own_headings(tables: Tables) -> Iterator[Issue]:
    """No column of the user's own is called what workbooks call a column that is missing."""
    origin, known = tables.origins.get("projects", Origin()), column_codes("projects")
    read = {*origin.headings.values(), *origin.cells}
    for name in dict.fromkeys(name for project in tables.projects for name in project.attributes):
        code = known.get(folded(name))
        # What is near to a name of the schema is an error already.
        if code is not None and code not in read and not nearest_column(name, SCHEMAS["projects"]):
            yield warning("own-heading", tables.place("projects", column=name), found=name, near=code)


def _subtotals(projects: Sequence[Project]) -> Iterator[tuple[Project, int]]:
    """The rows that number a section, I or A, and cost what the rows below them cost in all, with their count."""
    sections = [n for n, project in enumerate(projects) if _SECTION.fullmatch(project.id)]
    for start, end in pairwise([*sections, len(projects)]):
        below = [project.cost or 0 for project in projects[start + 1 : end]]
        if below and projects[start].cost == sum(below):
            yield projects[start], len(below)

"""The chapters that list projects: all of them, to be searched and sorted, and why those without money have none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from capalloc.audit import ProjectAudit
from capalloc.catalogue import say, write_number
from capalloc.figures import NAMELESS
from capalloc.records import Project
from capalloc.report.pieces import Cell, Chapter, Column, Line, Table, money_cells, percent
from capalloc.report.plan_chapters import Planned, sides_paid
from capalloc.report.quality import basis_cell, cost_basis
from capalloc.reporting import base_costs, names_of
from capalloc.screening import screen
from capalloc.tables import Tables

_FACETS = ("result", "sector", "location", "class")


def projects_chapter(planned: Planned) -> Chapter:
    """Return the table of all candidates."""
    tables, unit = planned.tables, planned.unit
    funded, costs = {row.project: row for row in planned.audit.projects}, base_costs(tables)
    amounts = [funded[p.id].cost if p.id in funded else costs[p.id] for p in tables.projects]
    cells, paid, names = money_cells(amounts, unit), sides_paid(planned), names_of(tables.projects)
    state = money_cells([paid[project.id]["state"] for project in tables.projects], unit)
    modes = {(row.project, row.mode): row.name or row.mode for row in tables.modes}
    with_sides = any(source.side != "state" for source in tables.sources)
    lines = tuple(
        Line(
            (
                Cell(project.id),
                Cell(_named(names[project.id], funded.get(project.id), modes), names[project.id], below=_kin(project)),
                *_years(funded.get(project.id)),
                Cell(project.sector or NAMELESS),
                Cell(project.location or NAMELESS),
                _class(project, funded.get(project.id)),
                cells[n],
                *((state[n] if paid[project.id]["state"] else Cell(NAMELESS, order="0"),) if with_sides else ()),
                basis_cell(cost_basis(project)),
            ),
            facets=_facets(project, project.id in funded),
            amount=amounts[n],
        )
        for n, project in enumerate(tables.projects)
    )
    facets = {
        key: say(f"report.facet.{key}") for key in _FACETS if len({line.facets[key] for line in lines} - {""}) > 1
    }
    table = Table(say("report.table.projects", unit=unit.name), tuple(_columns(with_sides)), lines, facets, unit=unit)
    return Chapter("projects", say("report.chapter.projects"), (say("report.lead.projects"),), (table,))


def _columns(with_sides: bool) -> Iterator[Column]:
    yield Column(say("report.column.id"))
    yield Column(say("word.project"))
    yield Column(say("report.column.start"), number=True)
    yield Column(say("report.column.finish"), number=True)
    yield Column(say("report.column.sector"), wide_only=True)
    yield Column(say("report.column.location"), wide_only=True)
    yield Column(say("report.column.class-short"), number=True, wide_only=True)
    yield Column(say("report.column.cost"), number=True)
    if with_sides:
        yield Column(say("report.column.by-state"), number=True, wide_only=True)
    yield Column(say("report.column.cost-basis"), wide_only=True)


def _named(name: str, row: ProjectAudit | None, modes: Mapping[tuple[str, str], str]) -> str:
    """A project with its mode, and the part of it that is funded where that is not the whole."""
    extra = [modes[row.project, row.mode]] if row and row.mode else []
    extra += [percent(row.scale)] if row and row.scale != 1 else []
    return f"{name} – {', '.join(extra)}" if extra else name


def _kin(project: Project) -> str:
    return " · ".join(filter(None, (project.sector, project.location)))


def _years(row: ProjectAudit | None) -> tuple[Cell, Cell]:
    if row is None:
        return Cell(NAMELESS, order="9999"), Cell(NAMELESS, order="9999")
    return Cell(str(row.start)), Cell(str(row.finish))


def _class(project: Project, row: ProjectAudit | None) -> Cell:
    number = row.class_ if row else project.priority
    return Cell(NAMELESS if number is None else write_number(number), order=str(number or 10**9))


def _facets(project: Project, is_funded: bool) -> Mapping[str, str]:
    return {
        "result": say("report.funded" if is_funded else "report.not-funded"),
        "sector": project.sector,
        "location": project.location,
        "class": "" if project.priority is None else str(project.priority),
    }


def funded_table(planned: Planned) -> Table:
    """Return the funded projects with their years and costs, for a plan among others."""
    tables, unit, names = planned.tables, planned.unit, names_of(planned.tables.projects)
    own = {project.id: project for project in tables.projects}
    modes = {(row.project, row.mode): row.name or row.mode for row in tables.modes}
    rows = planned.audit.projects
    cells = money_cells([row.cost for row in rows], unit)
    lines = tuple(
        Line(
            (
                Cell(row.project),
                Cell(_named(names[row.project], row, modes), names[row.project]),
                *_years(row),
                _class(own[row.project], row),
                cells[n],
            )
        )
        for n, row in enumerate(rows)
    )
    columns = (
        Column(say("report.column.id")),
        Column(say("word.project")),
        Column(say("report.column.start"), number=True),
        Column(say("report.column.finish"), number=True),
        Column(say("report.column.class-short"), number=True, wide_only=True),
        Column(say("report.column.cost"), number=True),
    )
    return Table(say("report.table.funded", unit=unit.name), columns, lines)


def unfunded_chapter(planned: Planned) -> Chapter | None:
    """Return the projects without money, each with a reason; ``None`` where there is none."""
    tables, unit = planned.tables, planned.unit
    funded, costs, names = (
        {row.project for row in planned.audit.projects},
        base_costs(tables),
        names_of(tables.projects),
    )
    out = [project for project in tables.projects if project.id not in funded]
    if not out:
        return None
    reasons, cells = reasons_out(tables, funded), money_cells([costs[project.id] for project in out], unit)
    lines = tuple(
        Line(
            (
                Cell(project.id),
                Cell(names[project.id], below=_kin(project)),
                _class(project, None),
                cells[n],
                Cell(reasons[project.id]),
            )
        )
        for n, project in enumerate(out)
    )
    columns = (
        Column(say("report.column.id")),
        Column(say("word.project")),
        Column(say("report.column.class-short"), number=True, wide_only=True),
        Column(say("report.column.cost"), number=True),
        Column(say("report.column.reason")),
    )
    lead = say("report.lead.unfunded", count=len(out), amount=unit.told(sum(costs[project.id] for project in out)))
    table = Table(say("report.table.unfunded", unit=unit.name), columns, lines)
    return Chapter("unfunded", say("report.chapter.unfunded"), (lead,), (table,))


def reasons_out(tables: Tables, funded: set[str]) -> Mapping[str, str]:
    """Return one sentence for each project without money: what is known for certain, else that others were chosen."""
    reasons = {project.id: say("report.reason.others") for project in tables.projects}
    # Where there are several, the last one counts: the more certain it is, the later it stands.
    for known in (_needs, _excluded, _outdone, _never, _decided):
        reasons |= dict(known(tables, funded))
    return reasons


def _needs(tables: Tables, funded: set[str]) -> Iterator[tuple[str, str]]:
    for row in tables.dependencies:
        if row.kind != "excludes" and row.first not in funded:
            yield row.then, say("report.reason.needs", other=row.first)
        if row.kind == "together" and row.then not in funded:
            yield row.first, say("report.reason.needs", other=row.then)


def _excluded(tables: Tables, funded: set[str]) -> Iterator[tuple[str, str]]:
    for row in tables.dependencies:
        for own, other in ((row.first, row.then), (row.then, row.first)):
            if row.kind == "excludes" and other in funded:
                yield own, say("report.reason.excluded", other=other)


def _outdone(tables: Tables, funded: set[str]) -> Iterator[tuple[str, str]]:
    """Projects of a group that has the one project it may have."""
    chosen = {row.group: row.project for row in tables.groups if row.project in funded}
    for row in tables.groups:
        if row.kind in ("one_of", "exactly_one_of") and row.group in chosen:
            yield row.project, say("report.reason.one-of", other=chosen[row.group])


def _never(tables: Tables, _: set[str]) -> Iterator[tuple[str, str]]:
    for issue in screen(tables):
        if issue.code.startswith("never-"):
            yield issue.arguments["project"], issue.message


def _decided(tables: Tables, _: set[str]) -> Iterator[tuple[str, str]]:
    for row in tables.committed:
        if row.decision == "out":
            yield row.project, say("report.reason.decided", why=row.reason).strip()

"""Projects that began before the plan decides: when they started, in which mode, and what was paid for them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from capalloc.checks.amounts import cell_of
from capalloc.checks.past import Past, beginnings, histories
from capalloc.checks.references import modes_by_project
from capalloc.checks.timing import Way, barred, ways
from capalloc.history import first_open_year
from capalloc.issues import Issue, Place, error, warning
from capalloc.records import Mode, Project
from capalloc.tables import Tables


def check_years(tables: Tables) -> Iterator[Issue]:
    """Payments that were made lie before the years that the plan decides."""
    first = first_open_year(tables.settings)
    for row in tables.paid:
        if row.year >= first:
            yield error("paid-not-before", tables.place("paid", row, "year"), project=row.project, first=first)


def check_starts(tables: Tables) -> Iterator[Issue]:
    """A project for which something was paid has a known start before the years that the plan decides."""
    first = first_open_year(tables.settings)
    for project, past in _going_on(tables):
        paid = [year for year in past.paid if year < first]
        if not paid or (past.start is not None and past.start < first):
            continue
        where = _place_of_start(tables, project)
        names = {"project": project.id, "year": min(paid), "first": first}
        if past.start is None:
            yield error("past-start-unknown", where, **names)
        else:
            yield error("past-start-late", where, found=past.start, **names)


def _going_on(tables: Tables) -> Iterator[tuple[Project, Past]]:
    """The projects with a history that were not stopped."""
    pasts = histories(tables)
    for project in tables.projects:
        past = pasts.get(project.id)
        if past is not None and not past.stopped:
            yield project, past


def _place_of_start(tables: Tables, project: Project) -> Place:
    """The cell that tells the start of a project with a history, or in which it would best be told."""
    for commitment in tables.committed:
        if commitment.project == project.id and commitment.start is not None:
            return tables.place("committed", commitment, "start")
    return tables.place("projects", project, "earliest_start")


def check_modes(tables: Tables) -> Iterator[Issue]:
    """Of a project with a history and modes it is known in which mode it goes on."""
    modes, decided = modes_by_project(tables), {row.project: row for row in tables.committed}
    for project, past in _going_on(tables):
        if past.mode is None:
            row = decided.get(project.id)
            where = tables.place("committed", row, "mode") if row else tables.place("projects", project, "id")
            yield error("past-mode-unknown", where, project=project.id, known=", ".join(modes[project.id]))


def check_kinds(tables: Tables) -> Iterator[Issue]:
    """No project with a history is a programme or pays as the plan decides."""
    pasts = histories(tables)
    for project in tables.projects:
        if project.id in pasts and project.kind == "programme":
            yield error("past-programme", tables.place("projects", project, "kind"), project=project.id)
    told: set[Place] = set()
    for way in ways(tables) if pasts else ():
        is_due = way.past is not None and (way.past.stopped or way.past.mode == way.name)
        where = cell_of(tables, way, "profile")
        if is_due and way.is_flexible and way.project.kind != "programme" and where not in told:
            told.add(where)
            yield error("past-flexible", where, project=way.project.id)


def check_amounts(tables: Tables) -> Iterator[Issue]:
    """No more was paid than the project costs in all, where its cost is told as a total."""
    explicit = _explicit(tables)
    for way in _known(tables):
        paid = sum(way.past.paid.values()) if way.past else 0
        if way.cost is not None and (way.project.id, way.name) not in explicit and paid > way.cost:
            where = cell_of(tables, way, "cost")
            yield error("paid-over-cost", where, project=way.project.id, paid=paid, cost=way.cost)


def check_explicit(tables: Tables) -> Iterator[Issue]:
    """Where yearly costs are told, those of the years that are over agree with what was paid."""
    explicit, first = _explicit(tables), first_open_year(tables.settings)
    for way in _known(tables):
        stream = explicit.get((way.project.id, way.name))
        if stream is None or way.past is None or way.past.start is None:
            continue
        start, paid = way.past.start, sum(way.past.paid.values())
        told = sum(amount for offset, amount in stream.items() if start + offset < first)
        if told != paid:
            row = next(row for row in tables.costs if (row.project, row.mode) == (way.project.id, way.name))
            where = tables.place("costs", row, "amount")
            yield warning("paid-differs", where, project=way.project.id, told=told, paid=paid, first=first)


def _known(tables: Tables) -> Iterator[Way]:
    """The one way in which each project with a history goes on."""
    return (way for way in ways(tables) if way.goes_on) if histories(tables) else iter(())


def _explicit(tables: Tables) -> Mapping[tuple[str, str], Mapping[int, int]]:
    streams: dict[tuple[str, str], dict[int, int]] = defaultdict(dict)
    for row in tables.costs:
        streams[row.project, row.mode][row.offset] = row.amount
    return streams


def check_windows_past(tables: Tables) -> Iterator[Issue]:
    """Where a project with a history still has a window, the start that was decided lies in it."""
    pasts, projects = histories(tables), {project.id: project for project in tables.projects}
    modes = {(mode.project, mode.mode): mode for mode in tables.modes}
    for row in tables.committed:
        if row.project in pasts and row.project in projects and row.start is not None:
            project, mode = projects[row.project], modes.get((row.project, row.mode), Mode())
            earliest = mode.earliest_start or project.earliest_start or row.start
            latest = mode.latest_start or project.latest_start or row.start
            if not earliest <= row.start <= latest:
                window = {"earliest": earliest, "latest": latest}
                where = tables.place("committed", row, "start")
                yield warning("past-outside-window", where, project=row.project, found=row.start, **window)


def check_unknown_starts(tables: Tables) -> Iterator[Issue]:
    """A project that is under way, or has debts, says when it began."""
    pasts, out, told = histories(tables), barred(tables), beginnings(tables)
    first = first_open_year(tables.settings)
    for project in tables.projects:
        start, _ = told.get(project.id, (first, None))
        if start is None and project.id not in pasts and project.id not in out:
            where = tables.place("projects", project, "status")
            yield warning("under-way-anew", where, project=project.id, status=project.status, first=first)

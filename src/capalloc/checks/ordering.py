"""Priority classes: every project has one where the objective goes by classes, and none is given to no purpose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from capalloc.checks.timing import Way, ways
from capalloc.classes import every_class
from capalloc.issues import Issue, error, warning
from capalloc.tables import Tables


def check_classes(tables: Tables) -> Iterator[Issue]:
    """Where classes are weighed or ordered, every project has a class in every phase in which it can start."""
    objective = tables.settings.objective
    if objective.goal == "weighted" and not objective.class_weights:
        return
    classes = every_class(tables) if objective.goal == "lexicographic" else sorted(objective.class_weights)
    by_phase = {(row.project, row.mode, row.phase) for row in tables.priorities}
    told: set[str] = set()
    for way in ways(tables):
        unclassed = way.project.priority is None and way.project.id not in told
        if unclassed and any(not _named(way, phase, by_phase) for phase in _phases(tables, way)):
            told.add(way.project.id)
            where = tables.place("projects", way.project, "priority")
            known = ", ".join(map(str, classes)) or "1, 2, 3"
            yield error("missing-priority", where, project=way.project.id, known=known)


def _phases(tables: Tables, way: Way) -> set[str]:
    """The phases in which a project can start in a mode; the empty name for a start in none."""
    phases = {year: phase.name for phase in tables.settings.phases for year in range(phase.first, phase.last + 1)}
    return {phases.get(year, "") for year in way.starts(tables.settings)}


def _named(way: Way, phase: str, by_phase: set[tuple[str, str, str]]) -> bool:
    return (way.project.id, way.name, phase) in by_phase or (way.project.id, "", phase) in by_phase


def check_class_weights(tables: Tables) -> Iterator[Issue]:
    """Every class has a weight where classes are weighed, and every weight a project."""
    objective = tables.settings.objective
    weights: Mapping[int, object] = objective.class_weights
    if not weights:
        return
    if objective.goal == "lexicographic":
        yield warning("weights-beside-order", tables.place("settings", column="objective.class_weights"))
        return
    known = ", ".join(str(number) for number in sorted(weights))
    for project in tables.projects:
        if project.priority is not None and project.priority not in weights:
            where = tables.place("projects", project, "priority")
            yield error("no-class-weight", where, found=project.priority, known=known)
    for row in tables.priorities:
        if row.class_ not in weights:
            yield error("no-class-weight", tables.place("priorities", row, "class"), found=row.class_, known=known)
    used = {project.priority for project in tables.projects} | {row.class_ for row in tables.priorities}
    for number in weights:
        if number not in used:
            where = tables.place("settings", column=f"objective.class_weights.{number}")
            yield warning("unused-class-weight", where, found=number)


def check_unused_classes(tables: Tables) -> Iterator[Issue]:
    """Classes by phase are not given to an objective that knows no classes."""
    objective = tables.settings.objective
    if tables.priorities and objective.goal == "weighted" and not objective.class_weights:
        yield warning("unused-priorities", tables.place("priorities"))

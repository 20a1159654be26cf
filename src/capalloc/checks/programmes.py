"""Programmes: each has a least scale above 0 and a cost that can be scaled; works have neither a scale nor a part."""

from __future__ import annotations

from collections.abc import Iterator

from capalloc.checks.amounts import cell_of, place_of
from capalloc.checks.timing import Way, ways
from capalloc.issues import Issue, error
from capalloc.tables import Tables


def check_scales(tables: Tables) -> Iterator[Issue]:
    """A programme says how small it may become, and only a programme does."""
    for project in tables.projects:
        where = tables.place("projects", project, "min_scale")
        if project.kind != "programme":
            if project.min_scale is not None:
                yield error("scale-of-works", where, project=project.id)
        elif project.min_scale is None:
            yield error("scale-missing", where, project=project.id)
        elif project.min_scale == 0:
            yield error("scale-zero", where, project=project.id)


def check_costs(tables: Tables) -> Iterator[Issue]:
    """A programme costs something in every mode: its scale is the part of its cost that is paid."""
    streams: dict[tuple[str, str], int] = {}
    for row in tables.costs:
        streams[row.project, row.mode] = streams.get((row.project, row.mode), 0) + row.amount
    for way in _programmes(tables):
        cost = streams.get((way.project.id, way.name), way.cost)
        if not cost:
            yield error("programme-free", place_of(tables, way, "cost"), project=way.project.id)


def check_profiles(tables: Tables) -> Iterator[Issue]:
    """The yearly amounts of a programme follow from its scale; the plan does not choose them besides."""
    told = set()
    for way in _programmes(tables):
        where = cell_of(tables, way, "profile")
        if way.is_flexible and where not in told:
            told.add(where)
            yield error("programme-flexible", where, project=way.project.id)


def _programmes(tables: Tables) -> Iterator[Way]:
    programmes = {project.id for project in tables.projects if project.kind == "programme"}
    return (way for way in ways(tables) if way.project.id in programmes) if programmes else iter(())

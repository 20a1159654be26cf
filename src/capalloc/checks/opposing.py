"""Statements that together leave a project no way to be funded, though each of them can be obeyed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from capalloc.checks.timing import must_be_funded
from capalloc.issues import Issue, error, warning
from capalloc.tables import Tables

if TYPE_CHECKING:
    import networkx as nx


def check_opposed(tables: Tables) -> Iterator[Issue]:
    """No project needs, itself or through others, both sides of an exclusion.

    A plan can obey such statements by leaving the project out, so that it is an error only where it must be funded.
    """
    import networkx as nx

    exclusions = [row for row in tables.dependencies if row.kind == "excludes" and row.first != row.then]
    if not exclusions:
        return
    needs, must = _needs(tables), must_be_funded(tables)
    order = {project.id: number for number, project in enumerate(tables.projects)}
    for row in exclusions:
        if not {row.first, row.then} <= must:
            takers = [{name, *nx.ancestors(needs, name)} for name in (row.first, row.then)]
            lost = sorted(takers[0] & takers[1] & order.keys(), key=order.__getitem__)
            where, pair = tables.place("dependencies", row, "then"), {"first": row.first, "then": row.then}
            for tell, some in ((error, must.intersection(lost)), (warning, set(lost) - must)):
                if some:
                    yield tell("opposed", where, projects=", ".join(id_ for id_ in lost if id_ in some), **pair)


def _needs(tables: Tables) -> nx.DiGraph:
    """Return the graph from each project to those without which it is not funded."""
    import networkx as nx

    graph = nx.DiGraph()
    graph.add_nodes_from(project.id for project in tables.projects)
    for row in tables.dependencies:
        if row.kind != "excludes":
            graph.add_edge(row.then, row.first)
        if row.kind == "together":
            graph.add_edge(row.first, row.then)
    return graph

"""The preset of statutory rules and what the settings change of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from capalloc.issues import Issue, Place, error, nearest, warning
from capalloc.law.statutes import Statute, faults_of, statutes_of
from capalloc.selection import BadSelection, attribute_columns, parse_selection
from capalloc.tables import Tables

_SELECTIONS = ("always_a", "wider", "disadvantaged", "transport", "classes", "exempt")
"""The parameters that select projects."""


def check_preset(tables: Tables) -> Iterator[Issue]:
    """The preset exists, and each override is of a rule and a figure it has."""
    found = list(faults_of(tables.settings))
    for key, issue in found:
        where = tables.place("settings", column=key)
        yield Issue(issue.severity, issue.code, where, issue.arguments)
    if found:
        return
    for statute in statutes_of(tables.settings):
        where = tables.place("settings", column=f"law.{statute.id}")
        if statute.in_force and statute.reliability == "memory":
            yield warning("law-memory-rule", where, rule=statute.name, article=statute.reference)
        for name in _SELECTIONS:
            for text in _texts(statute.parameters.get(name, "")):
                if not _selects(tables, text):
                    yield error("law-bad-selection", where, rule=statute.name, found=text)
        yield from _unknown_sources(tables, statute, where)


def _unknown_sources(tables: Tables, statute: Statute, where: Place) -> Iterator[Issue]:
    """A rule names only sources of the public investment plan."""
    known = [source.id for source in tables.sources if source.public_investment]
    for name in statute.parameters.get("sources", ()):
        if name not in known:
            near = nearest(name, known) or "—"
            yield error("law-unknown-source", where, rule=statute.name, found=name, near=near)


def _texts(given: Any) -> Iterator[str]:
    values = given.values() if isinstance(given, Mapping) else (given,)
    yield from (str(value) for value in values if value)


def _selects(tables: Tables, text: str) -> bool:
    try:
        selection = parse_selection(text)
        selection.check(attribute_columns(tables.projects))
    except BadSelection:
        return False
    return any(selection.matches(project) for project in tables.projects)

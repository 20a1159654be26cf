"""What is decided before the plan begins: the projects that have begun, and what was paid in the years before it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from capalloc.records import UNDER_WAY, Commitment, Mode, Paid, Project
from capalloc.settings import Settings
from capalloc.tables import Tables


@dataclass(frozen=True, slots=True)
class Past:
    """A project with history: its mode, its start year, and what was paid for it by year, in million VND."""

    mode: str
    start: int
    paid: Mapping[int, int]


def first_open_year(settings: Settings) -> int:
    """Return the first year that the plan decides; what lies before it is as it is."""
    return settings.first_year if settings.decide_from is None else settings.decide_from


def find_past(tables: Tables) -> Mapping[str, Past]:
    """Return the projects with history, but not those that are stopped: committed to be out."""
    decided, modes = first_open_year(tables.settings), {(row.project, row.mode): row for row in tables.modes}
    commitments = {row.project: row for row in tables.committed}
    paid: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for row in tables.paid:
        paid[row.project][row.year] += row.amount
    found = {}
    for project in tables.projects:
        if project.status not in UNDER_WAY and project.id not in paid:
            continue
        commitment = commitments.get(project.id, Commitment())
        start = _start(project, modes.get((project.id, commitment.mode)), commitment)
        if commitment.decision != "out" and start is not None and start < decided:
            found[project.id] = Past(commitment.mode, start, paid.get(project.id, {}))
    return found


def _start(project: Project, mode: Mode | None, commitment: Commitment) -> int | None:
    """The start year where it is known: committed, or the only one of the window."""
    if commitment.start is not None:
        return commitment.start
    earliest = (mode.earliest_start if mode else None) or project.earliest_start
    latest = (mode.latest_start if mode else None) or project.latest_start
    return earliest if earliest == latest else None


def payments_made(tables: Tables) -> tuple[Paid, ...]:
    """Return what was paid before the plan, also for projects that are stopped; rows of nothing are left out."""
    return tuple(row for row in tables.paid if row.amount)


def due_projects(tables: Tables) -> frozenset[int]:
    """Return the places of the projects that every plan funds: mandatory, committed to be in, or with history."""
    due = {row.project for row in tables.committed if row.decision == "in"} | find_past(tables).keys()
    return frozenset(number for number, project in enumerate(tables.projects) if project.mandatory or project.id in due)

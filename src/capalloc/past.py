"""What is decided before a plan begins: projects under way and what was paid for them, read for the verifier."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from capalloc.records import UNDER_WAY, Commitment, Mode, Project
from capalloc.settings import Settings
from capalloc.tables import Tables


@dataclass(frozen=True, slots=True)
class Past:
    """What is settled of a project: its start year, and what was paid for it in each year, in million VND.

    ``start`` is ``None`` where the tables do not say it, which checked tables do for all but stopped projects.
    """

    start: int | None
    paid: Mapping[int, int]


def opening_year(settings: Settings) -> int:
    """Return the first year that the plan decides; what came before is as it was."""
    return settings.first_year if settings.decide_from is None else settings.decide_from


def read_pasts(tables: Tables) -> dict[str, Past]:
    """Return the past of every project that has one.

    A project has a past when something of it stands in `paid`, or when its status says that it was begun and its start
    is known to lie before the plan.
    """
    paid: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for row in tables.paid:
        paid[row.project][row.year] += row.amount
    committed = {row.project: row for row in tables.committed if row.decision == "in"}
    modes = {(row.project, row.mode): row for row in tables.modes}
    opening, pasts = opening_year(tables.settings), {}
    for project in tables.projects:
        start = _known_start(project, committed.get(project.id), modes)
        begun = project.status in UNDER_WAY and start is not None and start < opening
        if begun or project.id in paid:
            pasts[project.id] = Past(start, dict(paid.get(project.id, {})))
    return pasts


def _known_start(project: Project, committed: Commitment | None, modes: Mapping[tuple[str, str], Mode]) -> int | None:
    """The start year that the tables leave no choice about."""
    if committed is not None and committed.start is not None:
        return committed.start
    variant = modes.get((project.id, committed.mode if committed else ""), Mode())
    earliest = project.earliest_start if variant.earliest_start is None else variant.earliest_start
    latest = project.latest_start if variant.latest_start is None else variant.latest_start
    return earliest if earliest == latest else None

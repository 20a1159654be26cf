"""What is decided already: which projects have a history, since when, and what was paid for them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from capalloc.history import first_open_year
from capalloc.records import UNDER_WAY, Commitment, Mode, Project
from capalloc.tables import Tables


@dataclass(frozen=True, slots=True)
class Past:
    """The history of a project, as far as the tables tell it.

    ``start`` and ``mode`` are ``None`` where they do not tell it; the mode is empty where the project has none.
    ``paid`` holds all payments by year, in million VND.  A project that is ``stopped`` was committed out.
    """

    start: int | None
    mode: str | None
    paid: Mapping[int, int]
    stopped: bool

    @property
    def is_known(self) -> bool:
        """Whether the one way in which the project goes on is known."""
        return self.start is not None and self.mode is not None and not self.stopped


def histories(tables: Tables) -> Mapping[str, Past]:
    """Return the projects with a history: what was paid for them says so, or their status and their start do."""
    paid: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for row in tables.paid:
        paid[row.project][row.year] += row.amount
    first = first_open_year(tables.settings)
    out = {row.project for row in tables.committed if row.decision == "out"}
    return {
        project: Past(start, mode, paid.get(project, {}), project in out)
        for project, (start, mode) in beginnings(tables, paid).items()
        if project in paid or (start is not None and start < first)
    }


def beginnings(tables: Tables, paid: Collection[str] = ()) -> Mapping[str, tuple[int | None, str | None]]:
    """Return start and mode, as far as they are told, of what is under way or has debts, and of the projects given."""
    modes: dict[str, dict[str, Mode]] = defaultdict(dict)
    for row in tables.modes:
        modes[row.project][row.mode] = row
    decided = {row.project: row for row in tables.committed}
    found: dict[str, tuple[int | None, str | None]] = {}
    for project in tables.projects:
        if project.id in paid or project.status in UNDER_WAY:
            commitment, own = decided.get(project.id, Commitment()), modes.get(project.id, {})
            mode = own.get(commitment.mode)
            name = "" if not own else commitment.mode if mode else None
            found[project.id] = _start(project, mode or Mode(), commitment), name
    return found


def _start(project: Project, mode: Mode, commitment: Commitment) -> int | None:
    if commitment.start is not None:
        return commitment.start
    earliest = mode.earliest_start or project.earliest_start
    return earliest if earliest == (mode.latest_start or project.latest_start) else None

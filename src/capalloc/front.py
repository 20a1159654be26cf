"""The front of two sets of criteria as the user holds it: its points, each with its plan."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from capalloc.catalogue import say, write_number
from capalloc.framing import typed_frame
from capalloc.model import Status
from capalloc.pareto import Front
from capalloc.plan import Plan
from capalloc.reporting import Section, as_html, as_text, shown_down
from capalloc.tables import Tables

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class ParetoFront:
    """What :meth:`Portfolio.pareto` answers: plans that no plan passes in one value without loss in the other.

    Parameters
    ----------
    tables
        The portfolio's tables.
    first, second
        The sets of criteria.
    front
        The points with their proofs, the best of ``first`` at first.
    """

    tables: Tables
    first: str
    second: str
    front: Front

    @property
    def complete(self) -> bool:
        """Whether it is proved that no other point exists, at the resolution asked for."""
        return self.front.complete

    @property
    def plans(self) -> tuple[Plan, ...]:
        """The plan of each point; about the portfolio's own objective nothing is proved by it."""
        answers = (point.answer for point in self.front.points)
        return tuple(Plan(self.tables, replace(a, status=Status.FEASIBLE, bound=math.inf)) for a in answers)

    @property
    def points(self) -> pd.DataFrame:
        """One row a point: the two values under the names of their sets, projects (how many are funded), cost."""
        audits = [plan.verify() for plan in self.plans]
        return typed_frame(
            {
                self.first: ("float64", [float(point.first) for point in self.front.points]),
                self.second: ("float64", [float(point.second) for point in self.front.points]),
                "projects": ("int64", [len(audit.projects) for audit in audits]),
                "cost": ("int64", [sum(row.cost for row in audit.projects) for audit in audits]),
            }
        )

    def __len__(self) -> int:
        return len(self.front.points)

    def __iter__(self) -> Iterator[Plan]:
        return iter(self.plans)

    def _sections(self) -> Iterable[Section]:
        names = {"first": self.first, "second": self.second}
        known = "pareto.complete" if self.complete else "pareto.partial"
        rows = tuple(
            (str(number), write_number(shown_down(point.first)), write_number(shown_down(point.second)))
            for number, point in enumerate(self.front.points, start=1)
        )
        heads = (say("pareto.point"), self.first, self.second)
        yield Section(say("pareto.heading", **names), (say(known, count=len(self)),), heads if rows else (), rows)

    def __str__(self) -> str:
        return as_text(self._sections())

    def __repr__(self) -> str:
        return f"<ParetoFront {self.first!r}, {self.second!r}: {len(self)} points>"

    def _repr_html_(self) -> str:
        return as_html(self._sections())

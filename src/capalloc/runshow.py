"""Many scenarios as pictures and as a page."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from capalloc.arguments import path_given
from capalloc.differing import Difference
from capalloc.plan import Plan
from capalloc.plotting import drawn, known_language
from capalloc.report.page import write_page
from capalloc.report.plan_chapters import Planned
from capalloc.report.run_chapters import Batch, Scenario, batch_edition
from capalloc.run_figures import hanging_figure, values_figure

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

_ONE_BY_ONE = 24


@dataclass(frozen=True, slots=True)
class RunPlots:
    """The charts of scenarios; see :class:`capalloc.plotting.PlanPlots` for how they are saved and for ``lang``."""

    frame: pd.DataFrame
    projects_table: pd.DataFrame

    def values(self, *, lang: str | None = None) -> alt.Chart:
        """Return how much the value of each scenario's plan differs from that of the first."""
        return drawn(lambda: values_figure(self.frame), lang)

    def projects(self, *, lang: str | None = None) -> alt.Chart:
        """Return which scenarios fund each project that not all of them treat alike, up to 60 of each."""
        return drawn(lambda: hanging_figure(self.projects_table), lang)


class ShownRuns(ABC):
    """What can be shown of scenarios beyond their tables."""

    __slots__ = ()

    @abstractmethod
    def to_frame(self) -> pd.DataFrame:
        """Return one row a scenario."""

    @abstractmethod
    def table(self, name: str) -> pd.DataFrame:
        """Return a table of all plans."""

    @abstractmethod
    def plans(self, scenario: str) -> Plan:
        """Return the plan of a scenario."""

    @abstractmethod
    def diff(self, scenario: str, other: str) -> Difference:
        """Return in what two plans differ."""

    @property
    def plot(self) -> RunPlots:
        """The charts of the scenarios: ``plot.values()`` and ``plot.projects()``."""
        return RunPlots(self.to_frame(), self.table("projects"))

    def report(self, path: str | Path, lang: str | None = None) -> None:
        """Write the scenarios as one HTML file, as :meth:`Plan.report` does: side by side, and each to be chosen.

        The first 24 scenarios that have a plan can be chosen one by one; the tables hold all.

        Raises
        ------
        CapallocError
            When ``path`` is no path, or there is no such language.
        OSError
            When the file cannot be written.
        """
        target, opens = path_given("path", path), known_language(lang)
        frame = self.to_frame()
        shown = tuple(self._scenarios(frame))
        title = shown[0].planned.tables.settings.title if shown else ""
        batch = Batch(title, frame, self.table("projects"), shown)
        write_page(target, lambda: batch_edition(batch), opens)

    def _scenarios(self, frame: pd.DataFrame) -> Iterator[Scenario]:
        """The first scenarios that have a plan, each told by what it changes in the first."""
        rows = frame[frame["value"].notna()].head(_ONE_BY_ONE).to_dict("records")
        for row in rows:
            name, plan = row["scenario"], self.plans(row["scenario"])
            allocation, audit = plan.answer.allocation, plan.answer.audit
            if allocation is not None and audit is not None:
                told = self.diff(rows[0]["scenario"], name).statement if row is not rows[0] else str
                yield Scenario(name, row["why"] or "", Planned(plan.tables, allocation, audit), plan.answer, told)

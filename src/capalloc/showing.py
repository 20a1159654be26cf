"""A plan as pictures and pages: the charts of a plan and its report."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from capalloc.answer import Answer
from capalloc.arguments import path_given
from capalloc.catalogue import say, speaking
from capalloc.excel.writing import write_plan_book
from capalloc.issues import CapallocError
from capalloc.plotting import PlanPlots, known_language
from capalloc.report.answer_chapters import expect_answers
from capalloc.report.documents import write_report
from capalloc.tables import Tables
from capalloc.telling import Told


class Shown:
    """What can be shown of a plan beyond its tables."""

    __slots__ = ()

    tables: Tables
    answer: Answer
    given: Tables | None

    @property
    def plot(self) -> PlanPlots:
        """The charts of the plan: ``plot.envelopes()``, ``plot.funding()``, ``plot.schedule()``, ``plot.classes()``.

        Raises
        ------
        CapallocError
            When there is no plan.
        """
        if self.answer.allocation is None or self.answer.audit is None:
            raise self._nothing()
        return PlanPlots(self.tables, self.answer.allocation, self.answer.audit)

    def report(self, path: str | Path, lang: str | None = None, *, answers: Mapping[str, Told] | None = None) -> None:
        """Write the plan as one HTML file that a council can read: no network is needed to open it.

        It holds both languages, charts that answer to the pointer, a table of projects to search and sort, why projects
        have no money, compliance, what is assumed, and what is proved.

        Parameters
        ----------
        lang
            The language in which it opens, ``"vi"`` or ``"en"``; the language in force where it is left out.
        answers
            What was asked beyond the plan, under the names that a sensitivity report gives its parts: ``"tornado"``,
            ``"core"``, ``"why-not:P017"``, ``"steps:state 2026-2030"`` and so on.

        Raises
        ------
        CapallocError
            When there is no plan, ``path`` is no path, or there is no such language or part.
        OSError
            When the file cannot be written.
        """
        target, opens = path_given("path", path), known_language(lang)
        if not self.answer.status.has_plan:
            raise self._nothing()
        expect_answers(answers or {})
        write_report(target, self.tables, self.answer, opens, answers)

    def to_excel(self, path: str | Path, lang: str | None = None) -> None:
        """Write the plan as a workbook in the manner of a budget annex, whose sums are live formulas.

        It holds a summary, projects by source and phase, payments by year, envelopes, rules, targets and resources,
        compliance, projects without money with their reasons, and what costs rest on; charts; and the tables of the
        portfolio, so that :func:`capalloc.load` reads it back.  Money is in million VND in the sheets of the plan.

        Parameters
        ----------
        lang
            The language of sheets and headings, ``"vi"`` or ``"en"``; the language in force where it is left out.

        Raises
        ------
        CapallocError
            When there is no plan, ``path`` is no path, or there is no such language.
        InvalidInput
            When a number of the tables has no end as a decimal, or a text is too long for a cell.
        OSError
            When the file cannot be written.
        """
        target, spoken = path_given("path", path), known_language(lang)
        if self.answer.allocation is None or self.answer.audit is None:
            raise self._nothing()
        with speaking(spoken):
            held = self.answer.allocation, self.answer.audit
            write_plan_book(target, self.tables, self.given or self.tables, self.answer, held)

    def _nothing(self) -> CapallocError:
        return CapallocError(say("plan.none", status=say(f"plan.status.{self.answer.verdict}")))

"""Charts of plans and of what they owe to their numbers: Altair charts that are saved without a browser."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from capalloc.allocation import Allocation
from capalloc.audit import Audit
from capalloc.catalogue import LANGUAGES, speaking
from capalloc.drawing import Spec, as_chart
from capalloc.figures import classes_figure, envelopes_figure, funding_figure, projects_figure, years_figure
from capalloc.issues import UnknownName
from capalloc.sensitivity_figures import core_figure, frontier_figure, steps_figure, tornado_figure
from capalloc.statements import sources_in_words
from capalloc.tables import Tables
from capalloc.telling import Told

if TYPE_CHECKING:
    import altair as alt


def drawn(make: Callable[[], Spec], lang: str | None) -> alt.Chart:
    """Return the chart of a figure that is made in a language; ``None`` is the one in force."""
    with speaking(known_language(lang)):
        return as_chart(make())


def known_language(lang: str | None) -> str | None:
    """Return a language that the user asks for; ``None`` is the one in force.

    Raises
    ------
    UnknownName
        When the catalogue does not speak it.
    """
    if lang is not None and lang not in LANGUAGES:
        raise UnknownName("language", str(lang), LANGUAGES)
    return lang


@dataclass(frozen=True, slots=True)
class PlanPlots:
    """The charts of a plan; ``chart.save("name.png")``, ``.svg`` or ``.html`` writes one.

    ``lang`` is ``"vi"`` or ``"en"``, and the language in force where it is left out.  Money is shown in billion VND, or
    in million VND where that is more readable; the data of a chart carry whole million VND as ``amount``.

    Raises
    ------
    UnknownName
        When there is no such language.
    """

    tables: Tables
    allocation: Allocation
    audit: Audit

    def envelopes(self, *, lang: str | None = None) -> alt.Chart:
        """Return what becomes of each envelope: used, carried out, left, not expected to be paid out, held back."""
        return drawn(lambda: envelopes_figure(self.tables, self.audit), lang)

    def funding(self, *, lang: str | None = None) -> alt.Chart:
        """Return what each source pays in each year, with what was paid before the plan."""
        return drawn(lambda: funding_figure(self.tables, self.allocation), lang)

    def schedule(self, by: Literal["year", "project"] = "year", *, lang: str | None = None) -> alt.Chart:
        """Return how many projects begin and end each year, or when each of them is at work.

        Raises
        ------
        UnknownName
            When ``by`` is neither ``"year"`` nor ``"project"``.
        """
        ways = {"year": years_figure, "project": projects_figure}
        if by not in ways:
            raise UnknownName("view", str(by), ways)
        return drawn(lambda: ways[by](self.tables, self.audit), lang)

    def classes(self, *, lang: str | None = None) -> alt.Chart:
        """Return what of the money that the projects of each priority class ask for is funded."""
        return drawn(lambda: classes_figure(self.tables, self.audit), lang)


@dataclass(frozen=True, slots=True)
class SensitivityPlots:
    """The charts of a sensitivity report; see :class:`PlanPlots` for how they are saved and for ``lang``.

    Parameters
    ----------
    tables
        The portfolio's tables.
    value
        What the plan is worth.
    answers
        The parts of the report that have an answer, by name.

    Raises
    ------
    UnknownName
        When the report has no such part, or the language is not known.
    """

    tables: Tables
    value: float
    answers: Mapping[str, Told]

    def tornado(self, *, lang: str | None = None) -> alt.Chart:
        """Return how the value changes when each number is low or high, those that move it most at the top."""
        answer = self._answer("tornado", None)
        return drawn(lambda: tornado_figure(self.tables, answer.to_frame(), self.value), lang)

    def core(self, *, lang: str | None = None) -> alt.Chart:
        """Return in how many of the plans each undecided project is, those on which most money hangs at the top."""
        answer = self._answer("core", None)
        return drawn(lambda: core_figure(answer.to_frame()), lang)

    def frontier(self, about: str | None = None, *, lang: str | None = None) -> alt.Chart:
        """Return the value of the best plan against the amount of one envelope.

        Parameters
        ----------
        about
            The source and the period of the envelope, such as ``"state 2026-2030"``; the first one where left out.
        """
        name = self._named("frontier", about)
        answer = self._answer("frontier", name)
        return drawn(lambda: frontier_figure(answer.to_frame(), envelope_called(self.tables, name)), lang)

    def steps(self, about: str | None = None, *, lang: str | None = None) -> alt.Chart:
        """Return the value as a step function of the amount of one envelope; ``about`` as for :meth:`frontier`."""
        name = self._named("steps", about)
        answer = self._answer("steps", name)
        return drawn(lambda: steps_figure(answer.to_frame(), envelope_called(self.tables, name)), lang)

    def _named(self, kind: str, about: str | None) -> str:
        own = [name.partition(":")[2] for name in self.answers if name.partition(":")[0] == kind]
        return about if about is not None else next(iter(own), "")

    def _answer(self, kind: str, about: str | None) -> Told:
        name = kind if about is None else f"{kind}:{about}"
        if name not in self.answers:
            raise UnknownName("part", name, self.answers)
        return self.answers[name]


def envelope_called(tables: Tables, about: str) -> str:
    """Return what the envelope of a part is called, in the language in force."""
    for row in tables.envelopes:
        if about == f"{'+'.join(row.source)} {row.period}":
            return f"{sources_in_words(tables, row.source)}, {row.period}"
    return about

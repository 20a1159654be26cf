"""Legal groups of projects, A, B or C, by sector and cost, under the law of the year they start in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction

from capalloc.law.statutes import BILLION, Statute
from capalloc.records import Project
from capalloc.selection import parse_selection

GROUPS = ("A", "B", "C")

B_OR_C = "B/C"
"""Below group A, where the law's border between B and C is not known."""

CLASS_COLUMN = "law_class"
"""The column of `projects` that tells the class of sector, 1 to 4, in the law's lists."""


class Grouping:
    """The groups of one regime.

    A project's own ``legal_group`` counts as it stands.  Else the group follows from the cost and the class of its
    sector: the column ``law_class``, or the first of the rule's ``classes`` whose selection holds the project.  The law
    has no groups of programmes, so a programme has one only where its row names it.
    """

    def __init__(self, statutes: Iterable[Statute], regime: str) -> None:
        rule = next((s for s in statutes if s.form == "groups" and s.regime == regime and s.in_force), None)
        parameters: Mapping[str, object] = rule.parameters if rule else {}
        self._a = _thresholds(parameters.get("a"))
        self._b = _thresholds(parameters.get("b"))
        selections = parameters.get("classes")
        self._classes = (
            [(name, parse_selection(text)) for name, text in selections.items() if text]
            if isinstance(selections, Mapping)
            else []
        )
        always = str(parameters.get("always_a", ""))
        self._always_a = parse_selection(always) if always else None

    def group(self, project: Project, cost: int) -> str:
        """Return the group of a project that costs so many million VND; empty where it cannot be told."""
        if project.legal_group:
            return project.legal_group
        if self._always_a is not None and self._always_a.matches(project):
            return "A"
        sector = self._class_of(project)
        if sector not in self._a:
            return ""
        if cost >= self._a[sector]:
            return "A"
        if sector not in self._b:
            return B_OR_C
        return "B" if cost >= self._b[sector] else "C"

    def _class_of(self, project: Project) -> str:
        if project.kind == "programme":
            return ""
        own = project.attributes.get(CLASS_COLUMN)
        if own not in (None, ""):
            return str(own)
        return next((name for name, selection in self._classes if selection.matches(project)), "")


def _thresholds(given: object) -> Mapping[str, int]:
    """Thresholds in million VND by class of sector."""
    if not isinstance(given, Mapping):
        return {}
    return {str(name): int(Fraction(amount) * BILLION) for name, amount in given.items()}

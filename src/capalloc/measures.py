"""Measures: what a rule adds up, over which projects and years, as the cells of its row say it.

``starts``, ``completions``, ``active``, ``cost``, ``tail``, ``value``; ``paid`` or ``paid:SOURCE+…``;
``envelope:SOURCE+…``; ``indicator:ID`` and ``resource:ID``, or the bare id where nothing else has that name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from capalloc.issues import nearest
from capalloc.records import MEASURES, MONEY_MEASURES, Rule
from capalloc.selection import parse_selection
from capalloc.settings import Period
from capalloc.tables import Tables

_OF_THINGS = {"indicator": "indicators", "resource": "resources"}
_OF_SOURCES = ("paid", "envelope")

_WHOLE_HORIZON = ""


class BadMeasure(ValueError):
    """A cell of a rule has no meaning; ``code``, ``column`` and ``arguments`` are those of its issue."""

    def __init__(self, code: str, column: str, **arguments: str) -> None:
        self.code = code
        self.column = column
        self.arguments = arguments
        super().__init__(code)


@dataclass(frozen=True, slots=True)
class Measure:
    """What is added up, over the projects of a selection in a period.

    ``names`` are the sources of `paid` and `envelope` (all sources where none is named), or the one indicator or
    resource.  ``selection`` is a text as in the tables; an empty one means every project.
    """

    kind: str
    names: tuple[str, ...]
    selection: str
    period: Period

    @property
    def is_money(self) -> bool:
        """Whether it counts million VND."""
        return self.kind in MONEY_MEASURES

    def projects(self, tables: Tables) -> frozenset[int]:
        """Return the places of the selected projects in `projects`."""
        selection = parse_selection(self.selection)
        return frozenset(number for number, project in enumerate(tables.projects) if selection.matches(project))


@dataclass(frozen=True, slots=True)
class Statement:
    """A rule as it is meant: ``measure`` compared with a number, or with that number times ``share_of``."""

    rule: Rule
    measure: Measure
    share_of: Measure | None

    @property
    def measures(self) -> Iterator[tuple[Measure, Fraction]]:
        """Each measure with its factor: their sum is compared with :attr:`limit`."""
        yield self.measure, Fraction(1)
        if self.share_of is not None:
            yield self.share_of, -Fraction(self.rule.amount)

    @property
    def limit(self) -> Fraction:
        """What the sum of the measures is compared with; money in million VND."""
        return Fraction(0) if self.share_of is not None else Fraction(self.rule.amount)

    def tightened(self, concerns: Callable[[Measure], bool], *, rises: bool) -> bool:
        """Return whether the rule asks for more when the measures concerned rise, or fall, and nothing else does."""
        factors = [factor for measure, factor in self.measures if factor and concerns(measure)]
        return any(
            self.rule.sense == "==" or (factor > 0) == ((self.rule.sense == "<=") == rises) for factor in factors
        )


def read_rules(tables: Tables) -> Iterator[Statement]:
    """Yield the rules of checked tables that are in force."""
    for rule in tables.rules:
        if rule.enabled:
            yield read_rule(tables, rule)


def read_rule(tables: Tables, rule: Rule) -> Statement:
    """Return what a rule means.

    Raises
    ------
    BadMeasure
        At the first of its cells that has no meaning.
    """
    return Statement(rule, read_measure(tables, rule), read_share(tables, rule))


def read_measure(tables: Tables, rule: Rule) -> Measure:
    """Return what a rule measures; see :func:`read_rule`."""
    period = _period(tables, rule.period, "period")
    kind, names = parse_measure(tables, rule.measure, "measure")
    if kind == "envelope" and rule.selection:
        raise BadMeasure("envelope-selection", "selection", found=rule.selection)
    return Measure(kind, names, rule.selection, period)


def read_share(tables: Tables, rule: Rule) -> Measure | None:
    """Return the measure that a rule is held against a share of, if any; see :func:`read_rule`.

    What its cell leaves out is that of the row; but an envelope has no projects, whichever the row selects.
    """
    if not rule.share_of.strip():
        return None
    text, selection, when = split_share(rule.share_of)
    kind, names = parse_measure(tables, text or rule.measure, "share_of" if text else "measure")
    if kind == "envelope" and selection:
        raise BadMeasure("envelope-selection", "share_of", found=selection)
    period = _period(tables, when or rule.period, "share_of" if when else "period")
    return Measure(kind, names, "" if kind == "envelope" else selection or rule.selection, period)


def split_share(text: str) -> tuple[str, str, str]:
    """Return the measure, the selection and the period that a cell of ``share_of`` names, empty where it does not.

    Examples
    --------
    >>> split_share('cost; sector == "road"; 2026:2030'), split_share("envelope:state")
    (('cost', 'sector == "road"', '2026:2030'), ('envelope:state', '', ''))
    """
    measure, first, rest = text.partition(";")
    selection, second, period = rest.rpartition(";") if first else ("", "", "")
    if first and not second:
        selection, period = rest, ""
    return measure.strip(), selection.strip(), period.strip()


def parse_measure(tables: Tables, text: str, column: str) -> tuple[str, tuple[str, ...]]:
    """Return the kind of a measure, and the sources, the indicator or the resource it names.

    Raises
    ------
    BadMeasure
        When the text is no measure of these tables.
    """
    text = text.strip()
    word, colon, rest = (part.strip() for part in text.partition(":"))
    if word in _OF_SOURCES:
        return word, _sources(tables, word, rest, colon, column)
    if word in MEASURES and not colon:
        return word, ()
    if word in _OF_THINGS and colon:
        return word, (_known(rest, _ids(tables, _OF_THINGS[word]), _OF_THINGS[word], column),)
    kinds = [kind for kind, table in _OF_THINGS.items() if text in _ids(tables, table)]
    if len(kinds) == 1:
        return kinds[0], (text,)
    if kinds:
        raise BadMeasure("ambiguous-measure", column, found=text)
    words = (*MEASURES, *_OF_THINGS, *(name for table in _OF_THINGS.values() for name in _ids(tables, table)))
    raise BadMeasure("unknown-measure", column, found=text, near=nearest(text, words) or nearest(word, words) or "—")


def _sources(tables: Tables, word: str, rest: str, colon: str, column: str) -> tuple[str, ...]:
    if word == "paid" and not tables.sources:
        raise BadMeasure("paid-without-sources", column)
    if not colon and word == "paid":
        return ()
    names = tuple(part.strip() for part in rest.split("+"))
    if not rest:
        raise BadMeasure("measure-without-source", column, found=word)
    return tuple(dict.fromkeys(_known(name, _ids(tables, "sources"), "sources", column) for name in names))


def _known(name: str, known: Iterable[str], table: str, column: str) -> str:
    known = tuple(known)
    if name not in known:
        raise BadMeasure("unknown-id", column, found=name, table=table, near=nearest(name, known) or "—")
    return name


def _ids(tables: Tables, table: str) -> tuple[str, ...]:
    return tuple(getattr(row, "id", "") for row in tables.rows(table))


def _period(tables: Tables, text: str, column: str) -> Period:
    settings = tables.settings
    if text == _WHOLE_HORIZON:
        return settings.horizon
    period = settings.period(text)
    if period is None:
        near = nearest(text, [phase.name for phase in settings.phases]) or "—"
        years = {"first": str(settings.first_year), "last": str(settings.last_year)}
        raise BadMeasure("unknown-period", column, found=text, near=near, **years)
    return period

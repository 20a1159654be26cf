"""The statements that a portfolio is made of, by name: what each is called, and the portfolio without some of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain

from capalloc.catalogue import say
from capalloc.history import find_past
from capalloc.records import Envelope, Mode, Project, Rule
from capalloc.rulebook import Rulebook, called
from capalloc.tables import Tables

_NOT_WAIVABLE = ("", "false", "no", "0", "không")


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement: its kind, and the key that names it among those of its kind.

    Of an envelope, a dependency or a share the key is the place of its row; of other kinds it is the ids of theirs.
    ``law`` says that nobody who makes the plan may set the statement aside.
    """

    kind: str
    key: tuple[str | int, ...]
    law: bool = False


def statements_of(tables: Tables, given: Tables | None = None) -> tuple[Statement, ...]:
    """Return every statement that a plan could break: what must be funded first, the years of projects last.

    What has begun, what a project costs, who may pay at all and the years of the plan are facts, and no statements.

    Parameters
    ----------
    given
        The tables before statutory rules were put in force; what those changed is law.
    """
    given = given or tables
    parts = (
        _decisions(tables, given),
        _of_money(tables),
        _between_projects(tables),
        _of_outcomes(tables),
        _of_years(tables, given),
    )
    return tuple(chain.from_iterable(parts))


def _decisions(tables: Tables, given: Tables) -> Iterator[Statement]:
    past = find_past(tables).keys()
    before = {project.id: project for project in given.projects}
    for project in tables.projects:
        if project.mandatory and project.id not in past:
            was = before.get(project.id, project)
            yield Statement("mandatory", (project.id,), law=not was.mandatory)
    for row in tables.committed:
        if row.project not in past:
            yield Statement("committed", (row.project,))


def _between_projects(tables: Tables) -> Iterator[Statement]:
    for number in range(len(tables.dependencies)):
        yield Statement("dependency", (number,))
    for name in dict.fromkeys(row.group for row in tables.groups):
        yield Statement("group", (name,))


def _of_years(tables: Tables, given: Tables) -> Iterator[Statement]:
    if not tables.settings.may_cross_phase and tables.settings.phases:
        yield Statement("phases", ())
    past = find_past(tables).keys()
    before = {project.id: project for project in given.projects}
    for project in tables.projects:
        own = _windows(tables, project)
        if project.id not in past and any(own):
            yield Statement("window", (project.id,), law=own != _windows(given, before.get(project.id, project)))


def _windows(tables: Tables, project: Project) -> tuple[int | None, ...]:
    modes = [(row.earliest_start, row.latest_start) for row in tables.modes if row.project == project.id]
    return tuple(chain((project.earliest_start, project.latest_start), *modes))


def _of_money(tables: Tables) -> Iterator[Statement]:
    for number in range(len(tables.envelopes)):
        yield Statement("envelope", (number,))
    for number, share in enumerate(tables.shares):
        if share.min > 0 or share.max < 1:
            yield Statement("share", (number,), law=share.legal)
    for row in tables.capacities:
        yield Statement("resource", (row.resource, row.period))


def _of_outcomes(tables: Tables) -> Iterator[Statement]:
    for rule in tables.rules:
        if rule.enabled and rule.price is None:
            yield Statement("rule", (rule.id,), law=_is_law(rule))
    for target in tables.targets:
        if target.price is None:
            yield Statement("target", (target.indicator, target.by_year))


def _is_law(rule: Rule) -> bool:
    lawful = bool(rule.legal_ref) or rule.id.startswith("law/")
    return lawful and rule.waivable.strip().casefold() in _NOT_WAIVABLE


def without(tables: Tables, dropped: Collection[Statement]) -> Tables:
    """Return tables that do not ask for some statements.

    An envelope keeps its amount, against which rules may be held, but no longer limits what is paid.
    """
    if not dropped:
        return tables
    keys: dict[str, set[tuple[str | int, ...]]] = {}
    for statement in dropped:
        keys.setdefault(statement.kind, set()).add(statement.key)

    def gone(kind: str, *key: str | int) -> bool:
        return key in keys.get(kind, ())

    return replace(
        tables,
        settings=tables.settings.model_copy(
            update={"may_cross_phase": tables.settings.may_cross_phase or gone("phases")}
        ),
        projects=tuple(_loosened(row, gone("mandatory", row.id), gone("window", row.id)) for row in tables.projects),
        modes=tuple(_unbound(row) if gone("window", row.project) else row for row in tables.modes),
        committed=tuple(row for row in tables.committed if not gone("committed", row.project)),
        dependencies=tuple(row for n, row in enumerate(tables.dependencies) if not gone("dependency", n)),
        groups=tuple(row for row in tables.groups if not gone("group", row.group)),
        envelopes=tuple(_opened(row) if gone("envelope", n) else row for n, row in enumerate(tables.envelopes)),
        shares=tuple(
            replace(row, min=Fraction(0), max=Fraction(1), legal=False) if gone("share", n) else row
            for n, row in enumerate(tables.shares)
        ),
        capacities=tuple(row for row in tables.capacities if not gone("resource", row.resource, row.period)),
        rules=tuple(row for row in tables.rules if not gone("rule", row.id)),
        targets=tuple(row for row in tables.targets if not gone("target", row.indicator, row.by_year)),
    )


def _loosened(row: Project, free: bool, any_year: bool) -> Project:
    row = replace(row, mandatory=False) if free else row
    return replace(row, earliest_start=None, latest_start=None) if any_year else row


def _unbound(row: Mode) -> Mode:
    return replace(row, earliest_start=None, latest_start=None)


_BEYOND = 10**9


def _opened(row: Envelope) -> Envelope:
    # A reserve below nothing gives room without a change of the amount, against which rules may be held.
    return replace(
        row, amount=max(row.amount, 1), reserve=1 - Fraction(_BEYOND, max(row.amount, 1)), disbursement=Fraction(1)
    )


def in_words(tables: Tables, statement: Statement) -> str:
    """Return what a statement is called, in the language in force."""
    kind, key = statement.kind, statement.key
    if kind in _ROWS:
        return _ROWS[kind](tables, key[0])
    if kind == "target":
        row = next(row for row in tables.targets if (row.indicator, row.by_year) == key)
        name = next((called(own) for own in tables.indicators if own.id == row.indicator), row.indicator)
        return say("why.statement.target", name=name, amount=row.at_least, year=row.by_year)
    if kind == "resource":
        name = next((called(own) for own in tables.resources if own.id == key[0]), str(key[0]))
        return say("why.statement.resource", name=name, period=key[1])
    return say("why.statement.phases")


def project_in_words(tables: Tables, name: str) -> str:
    """Return the id of a project with what it is called, in the language in force."""
    own = next(row for row in tables.projects if row.id == name)
    title = called(own)
    return name if title == name else f"{name} ({title})"


def sources_in_words(tables: Tables, sources: Collection[str]) -> str:
    """Return what the sources of an envelope or a share are called, in the language in force."""
    names = {row.id: called(row) for row in tables.sources}
    return " + ".join(names.get(source, source) for source in sources)


def _committed(tables: Tables, project: str | int) -> str:
    row = next(row for row in tables.committed if row.project == project)
    return say(f"why.statement.committed-{row.decision}", project=project_in_words(tables, row.project))


def _dependency(tables: Tables, number: str | int) -> str:
    row = tables.dependencies[int(number)]
    first, then = (project_in_words(tables, name) for name in (row.first, row.then))
    return say(f"why.statement.{row.kind}", first=first, then=then, lag=row.lag)


def envelope_in_words(tables: Tables, number: str | int) -> str:
    """Return the sources, the period and the amount of an envelope, in the language in force."""
    row = tables.envelopes[int(number)]
    return say(
        "why.statement.envelope",
        source=sources_in_words(tables, row.source),
        period=row.period,
        amount=row.amount,
    )


def _share(tables: Tables, number: str | int) -> str:
    row = tables.shares[int(number)]
    known = {project.id for project in tables.projects}
    return say(
        "why.statement.share",
        source=sources_in_words(tables, row.source),
        project=project_in_words(tables, row.project) if row.project in known else row.project,
        low=row.min,
        high=row.max,
    )


def _mandatory(tables: Tables, project: str | int) -> str:
    return say("why.statement.mandatory", project=project_in_words(tables, str(project)))


def _window(tables: Tables, project: str | int) -> str:
    return say("why.statement.window", project=project_in_words(tables, str(project)))


def _rule(tables: Tables, rule: str | int) -> str:
    return say("why.statement.rule", rule=rule, sentence=str(Rulebook(tables)[str(rule)]))


def _group(_: Tables, name: str | int) -> str:
    return say("why.statement.group", name=name)


_ROWS: Mapping[str, Callable[[Tables, str | int], str]] = {
    "mandatory": _mandatory,
    "window": _window,
    "rule": _rule,
    "group": _group,
    "committed": _committed,
    "dependency": _dependency,
    "envelope": envelope_in_words,
    "share": _share,
}

"""The chapters that tell a plan: its money, its years, its classes, sectors and places."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from capalloc.allocation import Allocation
from capalloc.audit import Audit, EnvelopeAudit
from capalloc.catalogue import say, write_number
from capalloc.characters import dictionary_order
from capalloc.drawing import MoneyUnit, money_unit
from capalloc.figures import NAMELESS, classes_figure, envelopes_figure, funding_figure, projects_figure, years_figure
from capalloc.leverage import TOTAL, leverage_of
from capalloc.records import Project
from capalloc.report.pieces import (
    Cell,
    Chapter,
    Column,
    Figure,
    Line,
    Table,
    money_cells,
    number_cell,
    percent_down,
)
from capalloc.report.quality import basis_cell
from capalloc.reporting import ENVELOPE, base_costs, names_of
from capalloc.tables import Tables

_ALWAYS = ("amount", "room", "used", "slack")


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan as the chapters read it."""

    tables: Tables
    allocation: Allocation
    audit: Audit

    @property
    def unit(self) -> MoneyUnit:
        """The unit in which the report shows money."""
        return money_unit([sum(row.cost for row in self.audit.projects)])


def plan_chapters(planned: Planned) -> Iterator[Chapter]:
    """Yield the chapters that every plan has, but its projects and its proof."""
    if planned.audit.envelopes:
        yield _envelopes(planned)
    if planned.allocation.payments:
        yield _funding(planned)
    yield _schedule(planned)
    if any(project.priority is not None for project in planned.tables.projects):
        yield _classes(planned)
    places = [table for table in _groups(planned) if len(table.lines) > 1]
    if places:
        yield Chapter("places", say("report.chapter.places"), (say("report.lead.places"),), tuple(places))


def _envelopes(planned: Planned) -> Chapter:
    tables, audit, unit = planned.tables, planned.audit, planned.unit
    names, rows = names_of(tables.sources), audit.envelopes
    grounds = {(row.source, row.period): row for row in tables.envelopes}
    shown = [name for name in ENVELOPE if name in _ALWAYS or any(getattr(row, name) for row in rows)]
    money = {name: money_cells([getattr(row, name) for row in rows], unit) for name in shown}
    lines = tuple(
        Line(
            (
                Cell(" + ".join(names[source] for source in row.source)),
                Cell(row.period),
                *(money[name][n] for name in shown),
                _part_used(row),
                basis_cell(grounds[row.source, row.period].basis),
            )
        )
        for n, row in enumerate(rows)
    )
    columns = (
        Column(say("column.source")),
        Column(say("column.period")),
        *(Column(say(f"column.{name}"), number=True, wide_only=name not in ("amount", "used")) for name in shown),
        Column(say("report.column.part-used"), number=True),
        Column(say("report.column.basis"), wide_only=True),
    )
    table = Table(say("report.table.envelopes", unit=unit.name), columns, lines)
    pieces: list[Table | Figure | Chapter] = [Figure(envelopes_figure(tables, audit)), table]
    if any(source.side != "state" for source in tables.sources):
        pieces.append(_leverage(planned))
    return Chapter("envelopes", say("report.chapter.envelopes"), (say("report.lead.envelopes"),), tuple(pieces))


def _part_used(row: EnvelopeAudit) -> Cell:
    """The part of an envelope that is used; nothing where the envelope is empty."""
    if not row.amount:
        return Cell(NAMELESS, order="0")
    part = Fraction(row.used, row.amount)
    return Cell(percent_down(part), repr(float(part)), float(part))


def _leverage(planned: Planned) -> Table:
    rows = leverage_of(planned.tables, planned.allocation)
    state = money_cells([row.state for row in rows], planned.unit)
    others = money_cells([row.non_state for row in rows], planned.unit)
    lines = tuple(
        Line(
            (
                Cell(say("plan.all-years") if row.period == TOTAL else row.period),
                *(state[n], others[n]),
                Cell(NAMELESS) if row.ratio is None else number_cell(row.ratio, 2),
            )
        )
        for n, row in enumerate(rows)
    )
    heads = ("state", "non_state", "leverage")
    columns = (Column(say("column.period")), *(Column(say(f"column.{name}"), number=True) for name in heads))
    return Table(say("report.table.leverage", unit=planned.unit.name), columns, lines)


def _funding(planned: Planned) -> Chapter:
    table = _years_by_source(planned)
    return Chapter(
        "funding",
        say("report.chapter.funding"),
        (say("report.lead.funding"),),
        (Figure(funding_figure(planned.tables, planned.allocation), table),),
    )


def _years_by_source(planned: Planned) -> Table:
    """What each source pays in each year; sums along both sides."""
    paid: dict[tuple[int, str], int] = defaultdict(int)
    for payment in planned.allocation.payments:
        paid[payment.year, payment.source] += payment.amount
    years, sources = sorted({year for year, _ in paid}), [source.id for source in planned.tables.sources]
    grid = [[paid[year, source] for source in sources] for year in years]
    sums = [[*row, sum(row)] for row in grid]
    last = [sum(column) for column in zip(*sums, strict=True)]
    cells = money_cells([amount for row in [*sums, last] for amount in row], planned.unit)
    width = len(sources) + 1
    lines = tuple(Line((Cell(str(year)), *cells[n * width : (n + 1) * width])) for n, year in enumerate(years))
    names = names_of(planned.tables.sources)
    titles = (*(names[source] for source in sources), say("report.column.sum"))
    columns = (Column(say("report.column.year")), *(Column(title, number=True) for title in titles))
    total = (Cell(say("report.column.sum")), *cells[-width:])
    return Table(say("report.table.funding", unit=planned.unit.name), columns, lines, total=total)


def _schedule(planned: Planned) -> Chapter:
    rows = planned.audit.projects
    begin, end = (Counter(getattr(row, name) for row in rows) for name in ("start", "finish"))
    years = sorted({*begin, *end})
    lines = tuple(
        Line(
            (
                Cell(str(year)),
                _count(begin[year]),
                _count(end[year]),
                _count(sum(row.start <= year <= row.finish for row in rows)),
            )
        )
        for year in (range(years[0], years[-1] + 1) if years else ())
    )
    titles = ("starts", "finishes", "active")
    columns = (Column(say("report.column.year")), *(Column(say(f"report.{name}"), number=True) for name in titles))
    table = Table(say("report.table.schedule"), columns, lines)
    figures: tuple[Figure, ...] = (Figure(years_figure(planned.tables, planned.audit), table),)
    if rows:
        figures += (Figure(projects_figure(planned.tables, planned.audit), folded=True),)
    told: tuple[str, ...] = (say("report.lead.schedule"),)
    if not planned.tables.settings.discount_rate:
        told += (say("portfolio.no-hurry"),)
    return Chapter("schedule", say("report.chapter.schedule"), told, figures)


def _count(number: int) -> Cell:
    return Cell(write_number(number) if number else NAMELESS, order=str(number))


def _classes(planned: Planned) -> Chapter:
    def name(project: Project) -> str:
        return NAMELESS if project.priority is None else str(project.priority)

    figure = Figure(classes_figure(planned.tables, planned.audit), _group_table(planned, "class", name))
    return Chapter("classes", say("report.chapter.classes"), (say("report.lead.classes"),), (figure,))


def _groups(planned: Planned) -> Iterator[Table]:
    """The tables of places, sectors and agencies, in words alone: no map is needed."""
    groups: tuple[tuple[str, Callable[[Project], str]], ...] = (
        ("location", lambda project: project.location or NAMELESS),
        ("sector", lambda project: project.sector or NAMELESS),
    )
    for title, group in groups:
        yield _group_table(planned, title, group)


def _group_table(planned: Planned, title: str, group: Callable[[Project], str]) -> Table:
    """Candidates and funded projects by what they have in common: how many, at what cost, and the part funded."""
    unit, costs = planned.unit, base_costs(planned.tables)
    funded = {row.project: row.cost for row in planned.audit.projects}
    members: dict[str, list[str]] = defaultdict(list)
    for project in planned.tables.projects:
        members[group(project)].append(project.id)
    names = sorted(members, key=dictionary_order)
    taken = {name: [project for project in members[name] if project in funded] for name in names}
    asked = [sum(costs[project] for project in members[name]) for name in names]
    spent = [sum(funded[project] for project in taken[name]) for name in names]
    wanted, got = (
        money_cells([*asked, sum(asked)], unit),
        money_cells([*spent, sum(spent)], unit, max(spent, default=0)),
    )
    counts = [(len(taken[name]), len(members[name])) for name in names]
    lines = tuple(
        Line((Cell(name), _of(*counts[n]), wanted[n], got[n], _share(spent[n], asked[n])))
        for n, name in enumerate(names)
    )
    sums = (sum(first for first, _ in counts), sum(second for _, second in counts))
    total = (
        Cell(say("report.column.sum")),
        *(_of(*sums), wanted[-1], Cell(got[-1].text), _share(sum(spent), sum(asked))),
    )
    columns = (
        Column(say(f"report.column.{title}")),
        Column(say("report.column.funded-of"), number=True),
        Column(say("report.column.asked"), number=True, wide_only=True),
        Column(say("report.column.spent"), number=True),
        Column(say("report.column.share"), number=True),
    )
    return Table(say(f"report.table.{title}", unit=unit.name), columns, lines, total=total)


def _of(funded: int, every: int) -> Cell:
    return Cell(say("report.of", funded=funded, every=every), order=str(funded))


def _share(spent: int, asked: int) -> Cell:
    if not asked:
        return Cell(NAMELESS, order="0")
    part = Fraction(spent, asked)
    return Cell(percent_down(part), order=repr(float(part)))


def sides_paid(planned: Planned) -> dict[str, dict[str, int]]:
    """Return what the sources of each side pay for each project over its life."""
    side = {source.id: source.side for source in planned.tables.sources}
    paid: dict[str, dict[str, int]] = defaultdict(lambda: {"state": 0, "non_state": 0})
    for payment in planned.allocation.payments:
        paid[payment.project][side[payment.source]] += payment.amount
    return paid

"""How good the data are: what each number rests on, said wherever it is shown."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from capalloc.audit import Audit
from capalloc.catalogue import say, write_number
from capalloc.drawing import money_unit
from capalloc.records import BASES, RECORDS, Project, Row
from capalloc.report.pieces import Cell, Chapter, Column, Line, Table, money_cells
from capalloc.reporting import base_costs
from capalloc.tables import Tables

COST_BASIS = "cost_basis"
"""A further column of `projects`: what the cost rests on, where that is not what the project itself rests on."""

_TONES = {"assumed": "open", "": "bad", "unit-cost": "quiet", "public": "good", "seed": "good"}


def cost_basis(project: Project) -> str:
    """Return what the cost of a project rests on: one of the known grounds, or nothing where none is told."""
    own = project.attributes.get(COST_BASIS)
    return own if isinstance(own, str) and own in BASES else project.basis


def basis_cell(basis: str) -> Cell:
    """Return a ground in words."""
    return Cell(say(f"report.basis.{basis or 'none'}"), tone=_TONES[basis])


def quality_chapter(tables: Tables, audit: Audit) -> Chapter:
    """Return what the costs and the rows of every table rest on."""
    lines = (say("report.lead.quality"),)
    return Chapter("data", say("report.chapter.data"), lines, (_cost_table(tables, audit), _row_table(tables)))


def _cost_table(tables: Tables, audit: Audit) -> Table:
    """Candidates and funded projects by what their costs rest on."""
    costs, funded = base_costs(tables), {row.project: row.cost for row in audit.projects}
    unit = money_unit(costs.values())
    own: dict[str, list[Project]] = defaultdict(list)
    for project in tables.projects:
        own[cost_basis(project)].append(project)
    order = [basis for basis in (*BASES, "") if own[basis]]
    asked = money_cells([sum(costs[p.id] for p in own[b]) for b in order], unit)
    taken = [[project for project in own[basis] if project.id in funded] for basis in order]
    spent = money_cells([sum(funded[p.id] for p in group) for group in taken], unit, sum(funded.values()))
    rows = tuple(
        Line((basis_cell(basis), _count(len(own[basis])), asked[n], _count(len(taken[n])), spent[n]))
        for n, basis in enumerate(order)
    )
    columns = (
        Column(say("report.column.cost-basis")),
        Column(say("report.column.candidates"), number=True),
        Column(say("report.column.their-cost"), number=True),
        Column(say("report.column.funded"), number=True),
        Column(say("report.column.their-cost"), number=True),
    )
    return Table(say("report.table.cost-basis", unit=unit.name), columns, rows)


def _row_table(tables: Tables) -> Table:
    """The rows of every table by their ground, and how many of them name their source."""
    rows = tuple(Line(tuple(_grounds(name, tables.rows(name)))) for name in RECORDS if tables.rows(name))
    titles = [say(f"report.basis.{basis or 'none'}") for basis in (*BASES, "")]
    columns = (
        Column(say("word.table")),
        Column(say("report.column.rows"), number=True),
        *(Column(title, number=True, wide_only=True) for title in titles),
        Column(say("report.column.with-source"), number=True),
    )
    return Table(say("report.table.grounds"), columns, rows)


def _grounds(name: str, rows: tuple[Row, ...]) -> Iterator[Cell]:
    counts = Counter(row.basis for row in rows)
    yield Cell(say(f"report.tables.{name}"))
    yield _count(len(rows))
    yield from (_count(counts[basis]) for basis in (*BASES, ""))
    yield _count(sum(bool(row.source_ref) for row in rows))


def _count(number: int) -> Cell:
    return Cell(write_number(number) if number else "–", order=str(number))

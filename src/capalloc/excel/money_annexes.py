"""Who pays for which project when, and what becomes of the envelopes; every sum is a formula over the payments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from capalloc.catalogue import say
from capalloc.excel.annex import FIRST, Annex, Formula, Title, roman
from capalloc.excel.naming import word
from capalloc.excel.styles import Styles
from capalloc.figures import NAMELESS
from capalloc.records import Project
from capalloc.report.plan_chapters import Planned
from capalloc.report.quality import cost_basis
from capalloc.reporting import names_of

if TYPE_CHECKING:
    from xlsxwriter import Workbook

_PROJECT, _SOURCE, _SUM, _YEARS = 1, 3, 5, 6
_BEFORE_MONEY = 9


@dataclass
class Ledger:
    """The sheet of payments: one row a project and source, one column a year; every other sum refers to it.

    ``rows`` tells the row of each project and source, ``years`` what the columns stand for.
    """

    annex: Annex
    years: range
    rows: dict[tuple[str, str], int] = field(default_factory=dict)
    amounts: dict[tuple[str, str], dict[int, int]] = field(default_factory=dict)

    @property
    def last(self) -> int:
        """The last row of payments."""
        return FIRST + len(self.rows)

    def of_project(self, project: str, years: Sequence[int]) -> Formula | None:
        """Return what is paid for a project in some years that follow each other."""
        own = [row for (name, _), row in self.rows.items() if name == project]
        if not own or not years:
            return None
        total = sum(self.paid(project, source, years) for name, source in self.rows if name == project)
        first, last = (_YEARS + year - self.years[0] for year in (years[0], years[-1]))
        return Formula(f"SUM({self.annex.extent((own[0], first), (own[-1], last), outside=True)})", total)

    def of_source(self, sources: Sequence[str], years: Sequence[int], *, outside: bool = True) -> Formula:
        """Return what sources, by their ids, pay in some years that follow each other."""
        first, last = (_YEARS + year - self.years[0] for year in (years[0], years[-1]))
        block = self.annex.extent((FIRST + 1, first), (self.last, last), outside=outside)
        ids = self.annex.extent((FIRST + 1, _SOURCE), (self.last, _SOURCE), outside=outside)
        # EXACT, and no SUMIFS: an id may begin with a sign that SUMIFS takes for a comparison.
        parts = (f"SUMPRODUCT(EXACT({ids},{_quoted(source)})*({block}))" for source in sources)
        total = sum(self.paid(project, source, years) for project, source in self.rows if source in sources)
        return Formula("+".join(parts), total)

    def paid(self, project: str, source: str, years: Sequence[int]) -> int:
        """Return what a source pays for a project in some years, as the plan has it."""
        return sum(amount for year, amount in self.amounts[project, source].items() if year in years)


def write_ledger(book: Workbook, styles: Styles, planned: Planned, under: str) -> Ledger:
    """Write the payments, projects in their order, and the total of each year above them."""
    payments, tables = planned.allocation.payments, planned.tables
    seen = {row.year for row in payments} | {tables.settings.first_year, tables.settings.last_year}
    years = range(min(seen), max(seen) + 1)
    titles = [Title(say("excel.plan.column.number"), 6), Title(say("excel.plan.column.id"), 11)]
    titles += [Title(say("excel.plan.column.name"), 46), Title(say("excel.plan.column.source-id"), 13)]
    titles += [Title(say("excel.plan.column.source"), 26), Title(say("excel.plan.column.sum"), 14)]
    titles += [Title(str(year), 12) for year in years]
    ledger = Ledger(Annex(book, styles, "years", under, titles), years)
    amounts: dict[tuple[str, str], dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for row in payments:
        amounts[row.project, row.source][row.year] += row.amount
    order = {project.id: place for place, project in enumerate(tables.projects)}
    ranks = {source.id: place for place, source in enumerate(tables.sources)}
    keys = sorted(amounts, key=lambda key: (order[key[0]], ranks[key[1]]))
    ledger.amounts |= amounts
    ledger.rows |= {key: FIRST + 1 + place for place, key in enumerate(keys)}
    _total_of_years(ledger)
    names, payers, annex = names_of(tables.projects), names_of(tables.sources), ledger.annex
    for number, (project, source) in enumerate(keys, start=1):
        cells = [amounts[project, source].get(year) for year in years]
        extent = annex.extent((annex.row, _YEARS), (annex.row, _YEARS + len(years) - 1))
        whole = Formula(f"SUM({extent})", sum(cell or 0 for cell in cells))
        looks = ["centre", "code", "text", "code", "text", "whole", *["whole"] * len(years)]
        annex.line([number, project, names[project], source, payers[source], whole, *cells], looks)
    annex.sheet.autofilter(FIRST - 1, 0, max(annex.row - 1, FIRST), annex.width - 1)
    annex.close()
    return ledger


def _total_of_years(ledger: Ledger) -> None:
    annex, years = ledger.annex, ledger.years
    sums = [Formula(f"SUM({annex.extent((FIRST, _YEARS), (FIRST, _YEARS + len(years) - 1))})", 0)]
    for place, year in enumerate(years):
        column = annex.extent((FIRST + 1, _YEARS + place), (ledger.last, _YEARS + place))
        sums.append(Formula(f"SUM({column})", sum(ledger.paid(*key, [year]) for key in ledger.rows)))
    sums[0] = Formula(sums[0].text, sum(each.value for each in sums[1:]))
    cells = ["", "", say("excel.plan.total"), "", "", *sums]
    annex.line(cells, ["total", "total", "total", "total", "total", *["total-whole"] * len(sums)])


def write_projects(book: Workbook, styles: Styles, planned: Planned, ledger: Ledger, under: str) -> Annex:
    """Write the funded projects by sector, what they cost and what each source and phase gives, summed from below."""
    tables = planned.tables
    paying = [source for source in tables.sources if any(source.id == payer for _, payer in ledger.rows)]
    phases = [(phase.name, range(phase.first, phase.last + 1)) for phase in tables.settings.phases]
    phases = phases if ledger.rows else []
    names = ("number", "id", "name", "location", "class", "start", "finish", "basis", "cost")
    widths = (6, 11, 48, 18, 9, 9, 9, 14, 14)
    titles = [Title(say(f"excel.plan.column.{name}"), width) for name, width in zip(names, widths, strict=True)]
    titles += [Title(say("excel.plan.column.sum"), 14)] if ledger.rows else []
    titles += [Title(names_of(tables.sources)[source.id], 15) for source in paying]
    titles += [Title(say("excel.plan.column.phase", name=name), 14) for name, _ in phases]
    annex = Annex(book, styles, "projects-funded", under, titles)
    groups = _groups(planned, ledger)
    total, annex.row = annex.row, annex.row + 1
    heads = []
    for number, (sector, projects) in enumerate(groups, start=1):
        head, annex.row = annex.row, annex.row + 1
        lines = [list(_project_cells(planned, ledger, project, [s.id for s in paying], phases)) for project in projects]
        for place, cells in enumerate(lines, start=1):
            looks = ["centre", "code", "text", "text", "year", "year", "year", "text", *["whole"] * (annex.width - 8)]
            annex.line([place, *cells], looks)
        sums = [
            _sum(annex, column, range(head + 1, annex.row), [line[column - 1] for line in lines])
            for column in range(8, annex.width)
        ]
        _sum_line(annex, head, "group", [roman(number), "", sector], sums)
        heads.append((head, sums))
    whole = [
        Formula(
            "+".join(annex.at(head, column) for head, _ in heads) or "0",
            sum(sums[column - 8].value for _, sums in heads),
        )
        for column in range(8, annex.width)
    ]
    _sum_line(annex, total, "total", ["", "", say("excel.plan.total")], whole)
    annex.close()
    return annex


def _sum(annex: Annex, column: int, rows: range, cells: Sequence[object]) -> Formula:
    value = sum(cell.value if isinstance(cell, Formula) else int(str(cell or 0)) for cell in cells)
    return Formula(f"SUM({annex.at(rows[0], column)}:{annex.at(rows[-1], column)})", value)


def _sum_line(annex: Annex, row: int, look: str, opening: list[str], sums: Sequence[Formula]) -> None:
    cells = [*opening, *[""] * (8 - len(opening)), *sums]
    looks = [f"{look}-centre", *[look] * 7, *[f"{look}-whole"] * len(sums)]
    for column, (cell, own) in enumerate(zip(cells, looks, strict=True)):
        annex.put(row, column, cell, own)


def _groups(planned: Planned, ledger: Ledger) -> list[tuple[str, list[Project]]]:
    """The sectors in the order in which they first appear, with their projects that are funded or were paid for."""
    held = {row.project for row in planned.audit.projects} | {project for project, _ in ledger.rows}
    groups: dict[str, list[Project]] = defaultdict(list)
    for project in planned.tables.projects:
        if project.id in held:
            groups[project.sector or NAMELESS].append(project)
    return list(groups.items())


def _project_cells(
    planned: Planned, ledger: Ledger, project: Project, sources: Sequence[str], phases: Sequence[tuple[str, range]]
) -> Iterator[object]:
    row = next((row for row in planned.audit.projects if row.project == project.id), None)
    yield from (project.id, project.name or project.id, project.location)
    yield from (row.class_, row.start, row.finish) if row else (project.priority, None, None)
    basis = cost_basis(project)
    yield word(basis) if basis else say("report.basis.none")
    yield row.cost if row else None
    if ledger.rows:
        yield ledger.of_project(project.id, ledger.years)
    for source in sources:
        at = ledger.rows.get((project.id, source))
        paid = ledger.paid(project.id, source, ledger.years) if at is not None else 0
        yield Formula(ledger.annex.at(at, _SUM, outside=True), paid) if at is not None else None
    for _, years in phases:
        yield ledger.of_project(project.id, years)


def write_envelopes(book: Workbook, styles: Styles, planned: Planned, ledger: Ledger, under: str) -> Annex:
    """Write each envelope from its amount to what is left, and a chart of it."""
    names = (
        "source",
        "period",
        "amount",
        "reserve",
        "undisbursed",
        "room",
        "carried_in",
        "carried_out",
        "used",
        "slack",
    )
    titles = [Title(say(f"excel.plan.column.{name}"), 34 if name == "source" else 15) for name in names]
    titles += [Title(say("excel.plan.column.part-used"), 12)]
    annex = Annex(book, styles, "envelopes-used", under, titles)
    payers = names_of(planned.tables.sources)
    for row in planned.audit.envelopes:
        period = planned.tables.settings.known_period(row.period)
        at = [annex.at(annex.row, column) for column in range(11)]
        room = Formula(f"{at[2]}-{at[3]}-{at[4]}", row.room)
        slack = Formula(f"{at[5]}+{at[6]}-{at[7]}-{at[8]}", row.slack)
        whole = f"({at[5]}+{at[6]}-{at[7]})"
        part = Formula(f"IF({whole}=0,0,ROUNDDOWN({at[8]}/{whole},4))", _part(row.used, row.used + row.slack))
        used = ledger.of_source(row.source, range(period.first, period.last + 1)) if ledger.rows else row.used
        given = [row.amount, row.reserve, row.undisbursed, room, row.carried_in, row.carried_out, used, slack, part]
        named = " + ".join(payers[source] for source in row.source)
        annex.line([named, row.period, *given], ["text", "code", *["whole"] * 8, "part"])
    _chart_envelopes(annex)
    annex.close()
    return annex


def _quoted(text: str) -> str:
    """A text inside a formula."""
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


def _part(used: int, of: int) -> float:
    # As in the HTML report, what is not used to the last million is not called full.
    return used * 10_000 // of / 10_000 if of else 0


def _chart_envelopes(annex: Annex) -> None:
    if annex.row == FIRST:
        return
    chart = annex.book.add_chart({"type": "bar", "subtype": "stacked"})
    for column, colour in ((8, "#2B6CB0"), (9, "#CBD5E0")):
        chart.add_series(
            {
                "name": f"={annex.extent((FIRST - 2, column), (FIRST - 2, column), outside=True)}",
                "categories": f"={annex.extent((FIRST, 0), (annex.row - 1, 1), outside=True)}",
                "values": f"={annex.extent((FIRST, column), (annex.row - 1, column), outside=True)}",
                "fill": {"color": colour},
            }
        )
    chart.set_y_axis({"reverse": True})
    chart.set_x_axis({"num_format": "#,##0"})
    chart.set_legend({"position": "bottom"})
    chart.set_size({"width": 900, "height": 140 + 44 * (annex.row - FIRST)})
    annex.sheet.insert_chart(annex.row + 1, 0, chart)
    annex.row += 12 + 2 * (annex.row - FIRST)


def write_years(annex: Annex, planned: Planned, ledger: Ledger) -> None:
    """Write what each source pays in each year below what a sheet holds, with a chart."""
    sources = [source for source in planned.tables.sources if any(source.id == payer for _, payer in ledger.rows)]
    if not sources:
        return
    annex.row += 1
    head = annex.row
    titles = [say("excel.plan.column.source"), say("excel.plan.column.sum"), *(str(year) for year in ledger.years)]
    annex.line(titles, ["head"] * len(titles))
    for source in sources:
        cells = [ledger.of_source([source.id], [year]) for year in ledger.years]
        extent = annex.extent((annex.row, 2), (annex.row, 1 + len(cells)))
        whole = Formula(f"SUM({extent})", sum(cell.value for cell in cells))
        annex.line([names_of(sources)[source.id], whole, *cells], ["text", *["whole"] * (1 + len(cells))])
    sums = []
    for column in range(1, 2 + len(ledger.years)):
        years = ledger.years if column == 1 else [ledger.years[column - 2]]
        total = sum(ledger.paid(*key, years) for key in ledger.rows)
        sums.append(Formula(f"SUM({annex.at(head + 1, column)}:{annex.at(annex.row - 1, column)})", total))
    annex.line([say("excel.plan.total"), *sums], ["total", *["total-whole"] * len(sums)])
    chart = annex.book.add_chart({"type": "column", "subtype": "stacked"})
    for row in range(head + 1, annex.row - 1):
        chart.add_series(
            {
                "name": f"={annex.extent((row, 0), (row, 0), outside=True)}",
                "categories": f"={annex.extent((head, 2), (head, 1 + len(ledger.years)), outside=True)}",
                "values": f"={annex.extent((row, 2), (row, 1 + len(ledger.years)), outside=True)}",
            }
        )
    chart.set_title({"name": say("excel.plan.chart.years"), "name_font": {"size": 12}})
    chart.set_y_axis({"num_format": "#,##0"})
    chart.set_legend({"position": "bottom"})
    chart.set_size({"width": 1000, "height": 320})
    annex.sheet.insert_chart(annex.row + 1, 0, chart)
    annex.row += 19

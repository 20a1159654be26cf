"""What the plan obeys and reaches, which projects have no money and why, and what its numbers rest on."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from capalloc.answer import Answer
from capalloc.catalogue import say
from capalloc.excel.annex import Annex, Formula, Title
from capalloc.excel.money_annexes import Ledger, write_years
from capalloc.excel.naming import word
from capalloc.excel.styles import Styles
from capalloc.law.compliance import Verdict, comply
from capalloc.law.lawbook import demand
from capalloc.records import BASES
from capalloc.report.plan_chapters import Planned
from capalloc.report.project_chapters import reasons_out
from capalloc.report.quality import cost_basis
from capalloc.reporting import base_costs, class_lines, names_of, proof_lines
from capalloc.rulebook import Rulebook
from capalloc.storing import fingerprint, versions

if TYPE_CHECKING:
    from xlsxwriter import Workbook

_SIGNS = {"<=": "≤", ">=": "≥", "==": "="}
_LOOKS = {Verdict.PASSED: "good", Verdict.FAILED: "bad"}


def write_summary(book: Workbook, styles: Styles, planned: Planned, answer: Answer, ledger: Ledger, under: str) -> None:
    """Write what is proved, the greatest sums, and what each source pays in each year."""
    years = len(ledger.years) if ledger.rows else 2
    annex = Annex(book, styles, "summary", under, [Title("", 34), Title("", 15), *[Title("", 12)] * years])
    annex.row = 5
    for line in (*proof_lines(answer), *class_lines(answer)):
        annex.says(line)
    audit = planned.audit
    facts = [("funded", len(audit.projects)), ("candidates", len(planned.tables.projects))]
    facts += [("total-cost", sum(row.cost for row in audit.projects))]
    for name, value in facts:
        annex.line([say(f"excel.plan.fact.{name}"), value], ["text", "whole"])
    if ledger.rows:
        paid = sum(ledger.paid(*key, ledger.years) for key in ledger.rows)
        whole = Formula(ledger.annex.at(7, 5, outside=True), paid)
        annex.line([say("excel.plan.fact.total-paid"), whole], ["text", "whole"])
        write_years(annex, planned, ledger)
    told = ", ".join(f"{name} {number}" for name, number in versions().items())
    annex.says(say("excel.plan.made-by", versions=told, fingerprint=fingerprint(planned.tables)))
    annex.close(on_one_page=True)


def write_outcomes(book: Workbook, styles: Styles, planned: Planned, under: str) -> None:
    """Write classes, rules, targets and resources: what is held against what, and what is left."""
    names = ("what", "period", "sense", "limit", "reached", "left", "charge")
    widths = (70, 14, 9, 16, 16, 16, 12)
    titles = [Title(say(f"excel.plan.column.{name}"), width) for name, width in zip(names, widths, strict=True)]
    annex = Annex(book, styles, "outcomes", under, titles)
    for part, lines in (
        ("classes", list(_classes(planned))),
        ("rules", list(_rules(planned))),
        ("targets", list(_targets(planned))),
        ("resources", list(_resources(planned))),
    ):
        if lines:
            annex.line([say(f"excel.plan.part.{part}"), *[""] * 6], ["group"] * 7)
        for what, period, sense, limit, reached, charge in lines:
            at = [annex.at(annex.row, column) for column in range(7)]
            left = None
            if limit is not None and sense in ("<=", ">="):
                text = f"{at[3]}-{at[4]}" if sense == "<=" else f"{at[4]}-{at[3]}"
                left = Formula(text, float(limit - reached if sense == "<=" else reached - limit))
            cells = [what, period, _SIGNS.get(sense, ""), _number(limit), _number(reached), left, _number(charge)]
            annex.line(cells, ["text", "code", "centre", "number", "number", "number", "number"])
    annex.close()


_Line = tuple[str, str, str, Fraction | None, Fraction, Fraction | None]


def _classes(planned: Planned) -> Iterator[_Line]:
    for row in planned.audit.classes:
        yield say("excel.plan.class", number=row.class_), "", "", None, row.value, None


def _rules(planned: Planned) -> Iterator[_Line]:
    book = Rulebook(planned.tables)
    periods = {rule.id: rule.period for rule in planned.tables.rules}
    for row in planned.audit.rules:
        yield str(book[row.id]), periods.get(row.id, ""), row.sense, row.amount, row.used, row.paid or None


def _targets(planned: Planned) -> Iterator[_Line]:
    names = {
        row.id: f"{row.name or row.id} ({row.unit})" if row.unit else row.name or row.id
        for row in planned.tables.indicators
    }
    for row in planned.audit.targets:
        yield names[row.indicator], str(row.by_year), ">=", row.at_least, row.reached, row.paid or None


def _resources(planned: Planned) -> Iterator[_Line]:
    names = {
        row.id: f"{row.name or row.id} ({row.unit})" if row.unit else row.name or row.id
        for row in planned.tables.resources
    }
    for row in planned.audit.resources:
        yield names[row.resource], row.period, "<=", row.amount, row.used, None


def _number(value: Fraction | int | None) -> float | int | None:
    if value is None:
        return None
    return int(value) if Fraction(value).denominator == 1 else float(value)


def write_compliance(book: Workbook, styles: Styles, planned: Planned, under: str) -> None:
    """Write how the plan stands to each statutory rule."""
    names = ("statute", "verdict", "found", "limit", "breaking", "article", "waiver")
    widths = (64, 18, 14, 14, 30, 44, 26)
    titles = [Title(say(f"excel.plan.column.{name}"), width) for name, width in zip(names, widths, strict=True)]
    annex = Annex(book, styles, "compliance", under, titles)
    for row in comply(planned.tables, planned.allocation, planned.audit):
        known = row.measured
        broken = ", ".join((*known.breaking, *known.unknown)) if known else ""
        found, limit = (_number(known.found), _number(known.limit)) if known else (None, None)
        verdict = say(f"law.verdict.{row.verdict}")
        cells = [demand(row.statute), verdict, found, limit, broken, row.statute.reference, row.statute.waived]
        annex.line(cells, ["text", _LOOKS.get(row.verdict, "centre"), "number", "number", "text", "text", "text"])
    annex.close()


def write_unfunded(book: Workbook, styles: Styles, planned: Planned, under: str) -> None:
    """Write the projects without money, each with what is known of the reason, and their cost in all."""
    tables, costs = planned.tables, base_costs(planned.tables)
    funded = {row.project for row in planned.audit.projects}
    out = [project for project in tables.projects if project.id not in funded]
    names = ("number", "id", "name", "sector", "location", "class", "cost", "reason")
    widths = (6, 11, 48, 22, 18, 9, 15, 60)
    titles = [Title(say(f"excel.plan.column.{name}"), width) for name, width in zip(names, widths, strict=True)]
    annex = Annex(book, styles, "unfunded", under, titles)
    first, last = annex.at(annex.row + 1, 6), annex.at(annex.row + max(len(out), 1), 6)
    whole = Formula(f"SUM({first}:{last})", sum(costs[project.id] for project in out))
    total = ["", "", say("excel.plan.total"), "", "", "", whole, ""]
    annex.line(total, ["total", "total", "total", "total", "total", "total", "total-whole", "total"])
    reasons = reasons_out(tables, funded)
    called = names_of(tables.projects)
    for number, own in enumerate(out, start=1):
        cells = [number, own.id, called[own.id], own.sector, own.location, own.priority, costs[own.id], reasons[own.id]]
        annex.line(cells, ["centre", "code", "text", "text", "text", "year", "whole", "text"])
    annex.close()


def write_grounds(book: Workbook, styles: Styles, planned: Planned, under: str) -> None:
    """Write what the costs of the funded projects rest on: sums by ground, then every project with its reference."""
    names = ("number", "id", "name", "basis", "cost", "reference", "note")
    widths = (6, 11, 46, 20, 15, 60, 50)
    titles = [Title(say(f"excel.plan.column.{name}"), width) for name, width in zip(names, widths, strict=True)]
    annex = Annex(book, styles, "grounds", under, titles)
    rows = {row.project: row for row in planned.audit.projects}
    own = [project for project in planned.tables.projects if project.id in rows]
    grounds = {project.id: cost_basis(project) for project in own}
    kinds = [basis for basis in (*BASES, "") if basis in grounds.values()]
    first = annex.row + 1 + len(kinds)
    span = (first, max(first, first + len(own) - 1))
    costs, bases = (annex.extent((span[0], column), (span[1], column)) for column in (4, 3))
    looks = ["total", "total", "total", "total", "total-whole", "total", "total"]
    whole = Formula(f"SUM({costs})", sum(row.cost for row in rows.values()))
    annex.line(["", "", say("excel.plan.total"), "", whole, "", ""], looks)
    for basis in kinds:
        told = word(basis) if basis else say("report.basis.none")
        value = sum(rows[name].cost for name, ground in grounds.items() if ground == basis)
        part = Formula(f"SUMPRODUCT(EXACT({bases},{annex.at(annex.row, 3)})*{costs})", value)
        looks = ["group", "group", "group", "group", "group-whole", "group", "group"]
        annex.line(["", "", say("excel.plan.of-which"), told, part, "", ""], looks)
    for number, project in enumerate(own, start=1):
        told = word(grounds[project.id]) if grounds[project.id] else say("report.basis.none")
        cells = [number, project.id, project.name or project.id, told, rows[project.id].cost]
        looks = ["centre", "code", "text", "text", "whole", "text", "text"]
        annex.line([*cells, project.source_ref, project.note], looks)
    annex.close()

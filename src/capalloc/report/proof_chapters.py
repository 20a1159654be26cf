"""The chapters that say what the plan obeys and what is proved: law, rules, targets, resources, proof."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from fractions import Fraction

from capalloc.answer import Answer
from capalloc.catalogue import say, write_number, write_percent
from capalloc.law.compliance import Finding, Verdict, comply
from capalloc.law.lawbook import demand
from capalloc.model import Status
from capalloc.report.pieces import Cell, Chapter, Column, Line, Table
from capalloc.report.plan_chapters import Planned
from capalloc.reporting import class_lines, proof_lines
from capalloc.rulebook import Rulebook
from capalloc.storing import fingerprint, fingerprints, versions
from capalloc.tables import Tables

_TONES = {
    Verdict.PASSED: "good",
    Verdict.FAILED: "bad",
    Verdict.WAIVED: "open",
    Verdict.OPEN: "open",
    Verdict.OFF: "quiet",
    Verdict.NOT_ASSESSED: "quiet",
}
_SIGNS = {"<=": "≤", ">=": "≥", "==": "="}


def compliance_chapter(planned: Planned) -> Chapter | None:
    """Return how the plan stands to each statutory rule; ``None`` where no preset is in force."""
    if not planned.tables.settings.statutory:
        return None
    found = comply(planned.tables, planned.allocation, planned.audit)
    titles = ("statute", "verdict", "found", "limit")
    columns = (
        *(Column(say(f"column.{name}"), number=name in ("found", "limit")) for name in titles),
        Column(say("column.article"), wide_only=True),
    )
    table = Table(
        say("law.title", preset=planned.tables.settings.statutory),
        columns,
        tuple(Line(tuple(_judged(row))) for row in found),
    )
    return Chapter("compliance", say("report.chapter.compliance"), (say("report.lead.compliance"),), (table,))


def _judged(row: Finding) -> Iterator[Cell]:
    known = row.measured
    broken = ", ".join((*known.breaking, *known.unknown)) if known else ""
    demanded = demand(row.statute)
    yield Cell(demanded, below=say("report.about", projects=broken) if broken else "")
    yield Cell(say(f"law.verdict.{row.verdict}"), tone=_TONES[row.verdict])
    yield _number(known.found if known else None)
    yield _number(known.limit if known else None)
    yield Cell(row.statute.reference)


def _number(value: Fraction | None) -> Cell:
    return Cell("–") if value is None else Cell(write_number(value), order=repr(float(value)))


def rules_chapter(planned: Planned) -> Chapter | None:
    """Return the rules, targets and resources of the portfolio; ``None`` where there are none."""
    tables, audit = planned.tables, planned.audit
    pieces: list[Table] = []
    if audit.rules:
        book = Rulebook(tables)
        rules = tuple(
            Line(
                (
                    Cell(str(book[row.id]), below=row.id),
                    _number(row.used),
                    Cell(f"{_SIGNS[row.sense]} {write_number(row.amount)}"),
                    _number(row.slack),
                    _number(row.paid),
                )
            )
            for row in audit.rules
        )
        heads = tuple(Column(say(f"column.{name}"), number=True) for name in ("used", "limit", "slack", "paid"))
        pieces.append(Table(say("plan.rules"), (Column(say("word.rule")), *heads), rules))
    pieces += _targets(planned)
    if audit.resources:
        names = {row.id: row.name or row.id for row in tables.resources}
        units = {row.id: row.unit for row in tables.resources}
        resources = tuple(
            Line(
                (
                    Cell(names[row.resource], below=units[row.resource]),
                    Cell(row.period),
                    *map(_number, (row.amount, row.used, row.slack)),
                )
            )
            for row in audit.resources
        )
        heads = tuple(Column(say(f"column.{name}"), number=True) for name in ("amount", "used", "slack"))
        columns = (Column(say("column.resource")), Column(say("column.period")), *heads)
        pieces.append(Table(say("plan.resources"), columns, resources))
    if not pieces:
        return None
    return Chapter("rules", say("report.chapter.rules"), (say("report.lead.rules"),), tuple(pieces))


def _targets(planned: Planned) -> Iterator[Table]:
    if not planned.audit.targets:
        return
    indicators = {row.id: row for row in planned.tables.indicators}
    lines = tuple(
        Line(
            (
                Cell(indicators[row.indicator].name or row.indicator, below=indicators[row.indicator].unit),
                Cell(str(row.by_year)),
                *map(_number, (row.at_least, row.reached, row.slack, row.paid)),
            )
        )
        for row in planned.audit.targets
    )
    titles = ("indicator", "by_year", "at_least", "reached", "slack", "paid")
    columns = tuple(Column(say(f"column.{name}"), number=n > 0) for n, name in enumerate(titles))
    yield Table(say("plan.targets"), columns, lines)


def proof_chapter(tables: Tables, answer: Answer) -> Chapter:
    """Return what is proved, how it was found, with which versions, and from which tables."""
    options, dash = answer.options, "–"
    facts: Mapping[str, str] = {
        "status": say(f"report.status.{answer.status}"),
        "value": dash if answer.value is None else write_number(answer.value),
        "bound": write_number(answer.bound) if math.isfinite(answer.bound) else dash,
        "gap": write_percent(max(answer.gap, 0.0), toward="up") if math.isfinite(answer.gap) else dash,
        "stopped": say(
            "report.proof.ended" if answer.status is Status.OPTIMAL else f"plan.stopped.{answer.stopped_by}"
        ),
        "engine": answer.engine or dash,
        "seconds": write_number(round(answer.seconds, 1)),
        "nodes": write_number(answer.nodes),
        "threads": write_number(options.threads),
        "seed": str(options.seed),
        "versions": ", ".join(f"{name} {version}" for name, version in versions().items()),
        "portfolio": fingerprint(tables),
    }
    told = tuple(Line((Cell(say(f"report.proof.{name}")), Cell(fact))) for name, fact in facts.items())
    columns = (Column(say("report.column.fact")), Column(say("report.column.finding")))
    hashes = tuple(
        Line((Cell(say(f"report.tables.{name}")), Cell(write_number(len(tables.rows(name)))), Cell(digest)))
        for name, digest in fingerprints(tables).items()
    )
    heads = (Column(say("word.table")), Column(say("report.column.rows"), number=True), Column("SHA-256"))
    return Chapter(
        "proof",
        say("report.chapter.proof"),
        (*proof_lines(answer), *class_lines(answer)),
        (Table(say("report.table.proof"), columns, told), Table(say("report.table.hashes"), heads, hashes)),
        notes=(say("report.proof.note"),),
    )

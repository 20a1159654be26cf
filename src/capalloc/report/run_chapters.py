"""The report of many scenarios: side by side, what hangs on them, and each by itself to be chosen."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from capalloc.answer import Answer
from capalloc.catalogue import say, write_number
from capalloc.drawing import money_unit
from capalloc.figures import NAMELESS, envelopes_figure, funding_figure
from capalloc.report.page import Edition
from capalloc.report.pieces import Cell, Chapter, Choice, Column, Figure, Line, Table, money_cells, percent_up
from capalloc.report.plan_chapters import Planned
from capalloc.report.project_chapters import funded_table
from capalloc.report.summary import headlines
from capalloc.reporting import proof_lines, shown_down
from capalloc.run_figures import hanging, hanging_figure, listed_starts, values_figure
from capalloc.storing import fingerprint, versions
from capalloc.telling import enumerated

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario with a plan; ``told`` says in the language in force how it differs from the first."""

    name: str
    why: str
    planned: Planned
    answer: Answer
    told: Callable[[], str]


@dataclass(frozen=True, slots=True)
class Batch:
    """Scenarios as the report reads them: the table of all, that of their projects, and some with their plans."""

    title: str
    frame: pd.DataFrame
    projects: pd.DataFrame
    shown: Sequence[Scenario]


def batch_edition(batch: Batch) -> Edition:
    """Return the report in the language in force."""
    chapters = [_side_by_side(batch)]
    if len(batch.projects) and hanging(batch.projects):
        chapters.append(_hanging(batch))
    if batch.shown:
        chapters += [_one_by_one(batch), _proof(batch)]
    under = (say("report.batch.under", count=len(batch.frame)),)
    title = batch.title or say("portfolio.untitled")
    return Edition(title, under, (), tuple(_summary(batch)), tuple(chapters))


def _summary(batch: Batch) -> Iterator[str]:
    rows = batch.frame.to_dict("records")
    planned = [row for row in rows if _known(row["value"])]
    yield say("report.batch.planned", count=len(planned), of=len(rows))
    if planned:
        best, worst = (pick(planned, key=lambda row: row["value"]) for pick in (max, min))
        numbers = {"high": shown_down(best["value"]), "low": shown_down(worst["value"])}
        yield say("report.batch.range", best=best["scenario"], worst=worst["scenario"], **numbers)
    if len(batch.projects):
        every = batch.projects["project"].nunique()
        mixed = len(hanging(batch.projects))
        always = batch.projects.groupby("project")["funded"].all().sum()
        yield say("report.batch.hanging", mixed=mixed, always=int(always), never=every - mixed - int(always))
    without = [row["scenario"] for row in rows if not _known(row["value"])]
    if without:
        yield say("report.batch.without", names=enumerated(without))


def _side_by_side(batch: Batch) -> Chapter:
    rows = batch.frame.to_dict("records")
    costs = [int(row["cost"]) if _known(row["cost"]) else 0 for row in rows]
    unit = money_unit(costs)
    cells = money_cells(costs, unit)
    lines = tuple(
        Line(
            (
                Cell(row["scenario"], below=" – ".join(filter(None, (row["why"], row["reason"])))),
                Cell(say(f"run.status.{row['status']}")),
                _value(row["value"]),
                _gap(row["gap"]),
                Cell(write_number(int(row["projects"])), str(row["projects"])) if _known(row["projects"]) else _none(),
                cells[n] if _known(row["cost"]) else _none(),
            )
        )
        for n, row in enumerate(rows)
    )
    columns = (
        Column(say("run.column.scenario")),
        Column(say("run.column.status"), wide_only=True),
        Column(say("run.column.value"), number=True),
        Column(say("run.column.gap"), number=True, wide_only=True),
        Column(say("run.column.projects"), number=True),
        Column(say("report.column.cost"), number=True),
    )
    table = Table(say("report.batch.table", unit=unit.name), columns, lines)
    pieces: tuple[Figure | Table, ...] = (table,)
    if any(_known(row["value"]) for row in rows):
        pieces = (Figure(values_figure(batch.frame)), table)
    return Chapter("scenarios", say("report.chapter.scenarios"), (say("report.lead.scenarios"),), pieces)


def _hanging(batch: Batch) -> Chapter:
    rows, count = hanging(batch.projects), batch.projects["scenario"].nunique()
    unit = money_unit(row["cost"] for row in rows)
    cells = money_cells([row["cost"] for row in rows], unit)
    lines = tuple(
        Line(
            (
                Cell(row["project"]),
                Cell(row["name"] or NAMELESS),
                Cell(say("report.of", funded=len(row["starts"]), every=count), order=str(len(row["starts"]))),
                Cell(listed_starts(row["starts"])),
                cells[n],
            )
        )
        for n, row in enumerate(rows)
    )
    columns = (
        Column(say("report.column.id")),
        Column(say("word.project")),
        Column(say("report.column.scenarios"), number=True),
        Column(say("report.column.start"), number=True),
        Column(say("report.column.cost"), number=True),
    )
    table = Table(say("report.batch.hanging-table", unit=unit.name), columns, lines)
    figure = Figure(hanging_figure(batch.projects), table)
    return Chapter("hanging", say("report.chapter.hanging"), (say("report.lead.hanging"),), (figure,))


def _one_by_one(batch: Batch) -> Chapter:
    with_plan = int(batch.frame["value"].notna().sum())
    notes = (say("report.batch.first", shown=len(batch.shown), of=with_plan),) if len(batch.shown) < with_plan else ()
    options = tuple(_option(scenario) for scenario in batch.shown)
    choice = Choice(say("report.batch.choose"), options)
    return Chapter("one", say("report.chapter.one"), (say("report.lead.one"),), (choice,), notes)


def _proof(batch: Batch) -> Chapter:
    """How each of the scenarios that can be chosen was planned, and from which tables."""
    lines = tuple(
        Line(
            (
                Cell(own.name),
                Cell(say(f"report.status.{own.answer.status}")),
                Cell(write_number(round(own.answer.seconds, 1)), order=repr(own.answer.seconds)),
                Cell(fingerprint(own.planned.tables)),
            )
        )
        for own in batch.shown
    )
    columns = (
        Column(say("run.column.scenario")),
        Column(say("run.column.status")),
        Column(say("report.proof.seconds"), number=True),
        Column(say("report.proof.portfolio"), wide_only=True),
    )
    used = say("report.proof.versions") + ": " + ", ".join(f"{name} {number}" for name, number in versions().items())
    notes = (say("report.proof.note"), f"{used[:1].upper()}{used[1:]}.")
    return Chapter("proof", say("report.chapter.proof"), (), (Table(say("report.table.proof"), columns, lines),), notes)


def _option(scenario: Scenario) -> Chapter:
    planned, answer = scenario.planned, scenario.answer
    lines = (*((scenario.why,) if scenario.why else ()), scenario.told(), " ".join(proof_lines(answer)))
    pieces: list[Figure | Table] = []
    if planned.audit.envelopes:
        pieces.append(Figure(envelopes_figure(planned.tables, planned.audit), still=False))
    if planned.allocation.payments:
        pieces.append(Figure(funding_figure(planned.tables, planned.allocation), still=False))
    pieces.append(funded_table(planned))
    numbers = tuple(headlines(planned.tables, answer, planned.allocation, planned.audit))
    return Chapter(scenario.name, scenario.name, tuple(filter(None, lines)), tuple(pieces), headlines=numbers)


def _value(value: float) -> Cell:
    return Cell(write_number(shown_down(value)), repr(float(value))) if _known(value) else _none()


def _gap(gap: float) -> Cell:
    return Cell(percent_up(max(gap, 0.0)), repr(float(gap))) if _known(gap) and math.isfinite(gap) else _none()


def _none() -> Cell:
    return Cell(NAMELESS, order="-1")


def _known(cell: object) -> bool:
    import pandas as pd

    return not (cell is None or cell is pd.NA or cell != cell)  # noqa: PLR0124

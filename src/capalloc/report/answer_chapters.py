"""The chapters about what the plan owes to its numbers: each answer as a paragraph, a chart and a table."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from capalloc.arguments import expect
from capalloc.catalogue import say, write_number
from capalloc.drawing import MoneyUnit, money_unit
from capalloc.issues import UnknownName
from capalloc.plotting import envelope_called
from capalloc.report.pieces import Cell, Chapter, Column, Figure, Line, Table, percent
from capalloc.reporting import names_of
from capalloc.sensitivity_figures import core_figure, frontier_figure, number_in_words, steps_figure, tornado_figure
from capalloc.tables import Tables
from capalloc.telling import Told

if TYPE_CHECKING:
    import pandas as pd

Answers = Mapping[str, Told | str]
"""The parts of a sensitivity report by name: an answer, or why there is none."""

ORDER = (
    "conflict",
    "steps",
    "frontier",
    "rephase",
    "core",
    "why-not",
    "why",
    "tornado",
    "stress",
    "robust",
    "alternatives",
)
"""The kinds of answers, as a reader meets them."""
_WHOLE = 10_000

# The columns that a reader is shown of each kind of answer, under their titles.
_SHOWN: Mapping[str, tuple[str, ...]] = {
    "tornado": ("parameter", "setting", "change", "change_least", "change_most"),
    "stress": ("source", "period", "room", "planned", "expected", "holds", "overrun", "overrun_95"),
    "core": ("project", "name", "verdict", "index", "cost"),
    "alternatives": ("plan", "value", "loss", "projects", "cost", "enters", "leaves"),
    "steps": ("amount", "more", "value", "gain", "bound", "price", "enters", "leaves"),
    "rephase": ("source", "period", "amount", "rephased", "moved"),
    "conflict": ("statement", "money"),
}
_MONEY = {
    "room",
    "planned",
    "expected",
    "overrun",
    "overrun_95",
    "cost",
    "amount",
    "more",
    "rephased",
    "moved",
    "money",
}
_PARTS = {"holds", "index"}
_WIDE = {"setting", "room", "expected", "overrun", "bound", "price", "cost", "enters", "leaves"}
_WORDS = {"parameter", "setting", "source", "period", "project", "name", "verdict", "enters", "leaves", "statement"}


def expect_answers(answers: Any) -> None:
    """Let answers pass that a report can show.

    Raises
    ------
    InvalidInput
        When they are no dict from parts to answers.
    UnknownName
        When a part has a name that no part has.
    """
    expect("answers", answers, Mapping, "answers")
    for name, answer in answers.items():
        if _kind(str(name)) not in ORDER:
            raise UnknownName("part", str(name), ORDER)
        expect(f"answers[{name!r}]", answer, Told, "answer")


def answers_chapter(tables: Tables, value: float, answers: Answers) -> Chapter | None:
    """Return every answer that was given; ``None`` where there is none."""
    if not answers:
        return None
    told = sorted(answers.items(), key=lambda item: ORDER.index(_kind(item[0])))
    pieces = tuple(_part(tables, value, name, answer) for name, answer in told)
    return Chapter("answers", say("report.chapter.answers"), (say("report.lead.answers"),), pieces)


def _kind(name: str) -> str:
    return name.partition(":")[0]


def _part(tables: Tables, value: float, name: str, answer: Told | str) -> Chapter:
    kind, _, about = name.partition(":")
    called = about_in_words(tables, kind, about)
    lines = (str(answer),)
    pieces = () if isinstance(answer, str) else tuple(_pieces(tables, value, kind, called, answer.to_frame()))
    return Chapter(f"answer-{name}", say(f"sensitivity.part.{kind}", about=called), lines, pieces)


def about_in_words(tables: Tables, kind: str, about: str) -> str:
    """Return what a part is about: an envelope, a source or a project by its name."""
    if kind in ("steps", "frontier"):
        return " + ".join(envelope_called(tables, name) for name in about.split(" + "))
    if kind == "rephase":
        return names_of(tables.sources).get(about, about)
    name = names_of(tables.projects).get(about, about)
    return name if name == about else f"{about} ({name})"


def _pieces(tables: Tables, value: float, kind: str, called: str, frame: pd.DataFrame) -> Iterator[Figure | Table]:
    table = _table(tables, kind, called, frame) if kind in _SHOWN and len(frame) else None
    if kind == "tornado" and frame["change"].notna().any():
        yield Figure(tornado_figure(tables, frame, value), table)
    elif kind == "core" and (frame["verdict"] == "borderline").any():
        yield Figure(core_figure(frame), table)
    elif any(name.startswith("class_") for name in frame.columns):
        # Of ordered classes one line would show only the last; the paragraph has them all.
        return
    elif kind == "frontier" and frame.columns[1] == "status":
        # With a second envelope beside it the points are a field, and no line.
        yield Figure(frontier_figure(frame, called))
    elif kind == "steps" and len(frame) > 1:
        yield Figure(steps_figure(frame, called), table)
    elif table is not None and kind != "steps":
        yield table


def _table(tables: Tables, kind: str, called: str, frame: pd.DataFrame) -> Table:
    amounts = [int(a) for name in _SHOWN[kind] if name in _MONEY for a in frame[name].dropna() if math.isfinite(a)]
    unit = money_unit(amounts)
    lines = tuple(
        Line(tuple(_cell(tables, unit, name, row[name]) for name in _SHOWN[kind])) for row in frame.to_dict("records")
    )
    columns = tuple(
        Column(say(f"report.column.{_title(name)}"), number=name not in _WORDS, wide_only=name in _WIDE)
        for name in _SHOWN[kind]
    )
    title = say(f"sensitivity.part.{kind}", about=called)
    return Table(say("report.table.answer", title=title, unit=unit.name), columns, lines)


def _cell(tables: Tables, unit: MoneyUnit, name: str, found: Any) -> Cell:
    if _empty(found):
        return Cell("–")
    if name in _WORDS:
        return Cell(_word(tables, name, str(found)))
    order = repr(float(found))
    if name in _PARTS:
        return Cell(percent(Fraction(order)), order)
    return Cell(unit.short(round(found)) if name in _MONEY else _number(found), order)


def _word(tables: Tables, name: str, found: str) -> str:
    """A word of a table as a reader knows it."""
    if name == "source":
        names = names_of(tables.sources)
        return " + ".join(names.get(source, source) for source in found.split("+"))
    if name == "parameter":
        return number_in_words(tables, found)
    return say(f"report.verdict.{found}") if name == "verdict" else found


def _title(name: str) -> str:
    return name.replace("_", "-")


def _number(value: float) -> str:
    """A value with as many digits as a reader can use."""
    if not math.isfinite(value):
        return "–"
    return write_number(round(value) if abs(value) >= _WHOLE else round(value, 3))


def _empty(found: Any) -> bool:
    import pandas as pd

    return found is None or found is pd.NA or found == "" or found != found  # noqa: PLR0124

"""The figures of what a plan owes to its numbers, each made from the table of an answer."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from capalloc.catalogue import say, shown_part, write_number, write_percent
from capalloc.core import KINDS
from capalloc.drawing import (
    BLUE,
    GREY,
    ORANGE,
    PALE,
    SHORT_LABELS,
    SKY,
    Spec,
    coloured,
    figure,
    hover,
    money_unit,
    quantity,
    short_label,
)
from capalloc.paths import row_path
from capalloc.records import SCHEMAS
from capalloc.reporting import names_of
from capalloc.tables import Tables
from capalloc.tornado import COSTS

if TYPE_CHECKING:
    import pandas as pd

MOST = 40
"""How many undecided projects a chart shows, those on which most money hangs."""

_DIGITS = 4


def tornado_figure(tables: Tables, frame: pd.DataFrame, value: float) -> Spec:
    """Return how the value changes when each number is low or high, those that move it most at the top.

    Parameters
    ----------
    frame
        The table of :meth:`Portfolio.tornado`.
    value
        The value of the plan, of which changes are shown as a part; where it is 0, they are shown as they are.
    """
    part = abs(value) or 1.0
    words = {"low": say("report.low"), "high": say("report.high")}
    rows = [row for row in frame.to_dict("records") if not _missing(row["change"])]
    data = [
        {
            "parameter": number_in_words(tables, str(row["parameter"])),
            "side": words[str(row["side"])],
            "setting": str(row["setting"]),
            "change": row["change"],
            "shown": row["change"] / part,
            "told": _told(row["change"], value),
            "low": row["change_least"] / part,
            "high": row["change_most"] / part,
        }
        for row in rows
        if math.isfinite(row["change_least"]) and math.isfinite(row["change_most"])
    ]
    axis = {"format": "+.1~%"} if value else {}
    title = say("report.change-of-value")
    # The names stand above the bars, where a narrow page has room for them.
    place = {"field": "parameter", "type": "nominal", "sort": None, "axis": None, "scale": {"paddingInner": 0.25}}
    beside = {"field": "side", "scale": {"domain": ["", *words.values()]}}
    label = {
        "mark": {"type": "text", "align": "left", "fontSize": 12},
        "transform": [{"filter": {"field": "side", "equal": words["low"]}}],
        "encoding": {
            "x": {"value": 0},
            "y": place,
            "yOffset": {"datum": "", "scale": beside["scale"]},
            "text": {"field": "parameter"},
        },
    }
    told = {"parameter": "report.number", "side": "report.side", "setting": "report.setting", "told": "report.change"}
    colours = coloured("side", None, {words["low"]: ORANGE, words["high"]: BLUE})
    shared = {"y": place, "yOffset": beside, "tooltip": hover(**{field: say(key) for field, key in told.items()})}
    bars = {
        "mark": {"type": "bar", "opacity": 0.9},
        "encoding": {"x": quantity("shown", title, axis=axis), "color": colours, **shared},
    }
    ends = {"x": quantity("low", title, axis=axis), "x2": {"field": "high"}}
    proved = {"mark": {"type": "rule", "strokeWidth": 1.4, "color": GREY}, "encoding": {**ends, **shared}}
    description = say("report.figure.tornado-told")
    return figure(say("report.figure.tornado"), data, description, height={"step": 17}, layer=[bars, proved, label])


def number_in_words(tables: Tables, path: str) -> str:
    """Return what a number that was varied is called, by its path, in the language in force.

    A path that is none of the usual ones stands for itself.
    """
    names = names_of(tables.sources)
    for row in tables.envelopes:
        if path == row_path(SCHEMAS["envelopes"], row, "amount"):
            source = " + ".join(names[name] for name in row.source)
            return say("report.number-of.envelope", source=source, period=row.period)
    if path == COSTS:
        return say("report.number-of.costs")
    if path == "settings.discount_rate":
        return say("report.number-of.rate")
    weight = path.removeprefix("settings.objective.class_weights.")
    return path if weight == path else say("report.number-of.weight", number=weight)


def frontier_figure(frame: pd.DataFrame, about: str) -> Spec:
    """Return the value of the best plan against the amount of one envelope, and the bound that is proved.

    Parameters
    ----------
    frame
        The table of :meth:`Portfolio.frontier` for one envelope.
    about
        What the envelope is called.
    """
    amounts = [int(amount) for amount in frame.iloc[:, 0]]
    unit = money_unit(amounts)
    words = {"value": say("report.value"), "bound": say("report.bound")}
    rows = list(zip(amounts, frame.to_dict("records"), strict=True))
    data = [
        {
            "amount": amount,
            "shown": unit.of(amount),
            "what": words[name],
            "kind": name,
            "value": row[name],
            "money": unit.told(amount),
            "told": _rounded(row[name]),
            "projects": "" if _missing(row["projects"]) else write_number(int(row["projects"])),
        }
        for amount, row in rows
        for name in words
        if not _missing(row[name]) and math.isfinite(row[name])
    ]
    legend = {"orient": "top", "symbolType": "stroke", "symbolSize": 300}
    told = {"money": "column.amount", "what": "report.what", "told": "report.value", "projects": "column.projects"}
    return figure(
        say("report.figure.frontier", about=about, unit=unit.name),
        data,
        say("report.figure.frontier-told"),
        height=260,
        mark={"type": "line", "point": {"filled": True, "size": 48}, "strokeWidth": 2},
        encoding={
            "x": quantity("shown", unit.name, scale={"zero": False, "nice": False, "padding": 12}),
            "y": quantity("value", say("report.value"), scale={"zero": False}),
            "color": coloured("what", None, {words["value"]: BLUE, words["bound"]: ORANGE}, **legend),
            "strokeDash": {
                "field": "what",
                "title": None,
                "legend": legend | {"title": None},
                "scale": {"domain": list(words.values()), "range": [[1, 0], [5, 4]]},
            },
            "tooltip": hover(**{field: say(key) for field, key in told.items()}),
        },
    )


def steps_figure(frame: pd.DataFrame, about: str) -> Spec:
    """Return the value as a step function of the amount of an envelope; each step says what enters and leaves.

    Parameters
    ----------
    frame
        The table of :meth:`Portfolio.envelope_steps`.
    about
        What the envelope is called.
    """
    rows = frame.to_dict("records")
    unit = money_unit(int(row["amount"]) for row in rows)
    words = {True: say("report.step-exact"), False: say("report.step-found")}
    data = [
        {
            "amount": int(row["amount"]),
            "shown": unit.of(int(row["amount"])),
            "value": row["value"],
            "money": unit.told(int(row["amount"])),
            "told": _rounded(row["value"]),
            "what": words[row["exact"]],
            "enters": row["enters"] or "–",
            "leaves": row["leaves"] or "–",
        }
        for row in rows
    ]
    across = quantity("shown", unit.name, scale={"zero": False, "nice": False, "padding": 12})
    up = quantity("value", say("report.value"), scale={"zero": False})
    told = {"money": "column.amount", "told": "report.value", "what": "report.proved", "enters": "report.enters"}
    line = {
        "mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 2, "color": BLUE},
        "encoding": {"x": across, "y": up},
    }
    points = {
        "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1},
        "encoding": {
            "x": across,
            "y": up,
            "color": coloured("what", None, {words[True]: BLUE, words[False]: ORANGE}),
            "tooltip": hover(**{field: say(key) for field, key in told.items()}, leaves=say("report.leaves")),
        },
    }
    title = say("report.figure.steps", about=about, unit=unit.name)
    return figure(title, data, say("report.figure.steps-told"), height=260, layer=[line, points])


def core_figure(frame: pd.DataFrame) -> Spec:
    """Return in how many of the plans each undecided project is, those on which most money hangs at the top.

    Parameters
    ----------
    frame
        The table of :meth:`Portfolio.core_index`.
    """
    undecided = frame[frame["verdict"] == "borderline"].sort_values("doubt", ascending=False, kind="stable")
    rows = undecided.head(MOST).to_dict("records")
    unit = money_unit(int(row["cost"]) for row in rows)
    data = list(_core_rows(rows, unit.told))
    told = {"name": "word.project", "told": "report.share-of-plans", "money": "column.cost"}
    share = quantity("index", say("report.share-of-plans"), axis={"format": ".0%"}, scale={"domain": [0, 1]})
    place = {"field": "label", "type": "nominal", "title": None, "sort": None, "axis": SHORT_LABELS}
    kinds = {kind: say(f"report.of-{kind}") for kind in KINDS}
    hovered = hover(**{field: say(key) for field, key in told.items()}, **kinds)
    whole = {
        "mark": {"type": "bar", "height": 3, "color": PALE, "opacity": 0.6},
        "encoding": {"x": {"datum": 0}, "x2": {"datum": 1}, "y": place},
    }
    dots = {
        "mark": {"type": "bar", "height": {"band": 0.6}, "color": SKY},
        "encoding": {"x": share, "y": place, "tooltip": hovered},
    }
    title = say("report.figure.core")
    return figure(title, data, say("report.figure.core-told"), height={"step": 18}, layer=[whole, dots])


def _core_rows(rows: Sequence[Mapping[Any, Any]], told: Any) -> Iterator[dict[str, Any]]:
    for row in rows:
        shares = {kind: "–" if _missing(row[kind]) else write_percent(row[kind], 1) for kind in KINDS}
        yield {
            "project": row["project"],
            "name": row["name"],
            "label": short_label(row["project"], row["name"]),
            "index": row["index"],
            "told": write_percent(row["index"], 1),
            "money": told(int(row["cost"])),
            **shares,
        }


def _told(change: float, value: float) -> str:
    """A change of the value as a reader sees it: itself, and as a part of the value."""
    if not value:
        return _rounded(change)
    return say("report.change-told", change=round(change), part=shown_part(change / abs(value), 1))


def _rounded(number: float) -> str:
    """A value with as many digits as a reader can use."""
    return write_number(round(number) if abs(number) >= 10_000 else round(number, _DIGITS))


def _missing(cell: Any) -> bool:
    import pandas as pd

    return cell is None or cell is pd.NA or cell != cell  # noqa: PLR0124

"""The figures of many scenarios: what each is worth beside the first, and which projects hang on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from capalloc.catalogue import say, write_number
from capalloc.drawing import (
    BLUE,
    FAINT,
    GREY,
    ORANGE,
    SHORT_LABELS,
    Spec,
    coloured,
    figure,
    hover,
    quantity,
    short_label,
)

if TYPE_CHECKING:
    import pandas as pd

MOST = 60
"""How many projects, and how many scenarios, the figure of projects shows."""

_BAR, _WHOLE = 17, 10_000


def values_figure(frame: pd.DataFrame) -> Spec:
    """Return how much the value of each scenario's plan differs from that of the first, as a part of it.

    Where the first has no plan, or one worth nothing, the values are shown as they are.  Scenarios without a plan have
    no bar.

    Parameters
    ----------
    frame
        One row a scenario, with scenario, value and bound.
    """
    rows = [row for row in frame.to_dict("records") if _is_number(row["value"])]
    first = frame["value"].iloc[0] if len(frame) and _is_number(frame["value"].iloc[0]) else None
    base = float(first) if first else 0.0

    def shown(number: float) -> float:
        return (number - base) / abs(base) if base else number

    data = [
        {
            "scenario": row["scenario"],
            "value": float(row["value"]),
            "shown": shown(row["value"]),
            "most": shown(row["bound"]) if _is_number(row["bound"]) else shown(row["value"]),
            "told": _rounded(row["value"]),
            "bound": _rounded(row["bound"]) if _is_number(row["bound"]) else "–",
            "sign": "more" if row["value"] >= base else "less",
        }
        for row in rows
    ]
    axis = {"format": "+.2~%"} if base else {}
    title = say("report.change-to-base" if base else "report.value")
    # The names stand above the bars, where a narrow page has room for them.
    place = {"field": "scenario", "type": "nominal", "sort": None, "axis": None}
    told = hover(scenario=say("run.column.scenario"), told=say("report.value"), bound=say("report.bound"))
    colours = {"domain": ["more", "less"], "range": [BLUE, ORANGE]}
    bars = {
        "mark": {"type": "bar", "height": _BAR, "yOffset": 9},
        "encoding": {
            "x": quantity("shown", title, axis=axis),
            "y": place,
            "color": {"field": "sign", "type": "nominal", "scale": colours, "legend": None},
            "tooltip": told,
        },
    }
    bound = {
        "mark": {"type": "tick", "size": _BAR + 4, "thickness": 2, "color": GREY, "yOffset": 9},
        "encoding": {"x": quantity("most", title, axis=axis), "y": place, "tooltip": told},
    }
    label = {
        "mark": {"type": "text", "align": "left", "baseline": "bottom", "yOffset": -3, "fontSize": 12},
        "encoding": {"x": {"value": 0}, "y": place, "text": {"field": "scenario"}},
    }
    heading = say("report.figure.values" if base else "report.figure.values-alone")
    return figure(heading, data, say("report.figure.values-told"), height={"step": 46}, layer=[bars, bound, label])


def hanging_figure(projects: pd.DataFrame) -> Spec:
    """Return which scenarios fund each project that not all of them treat alike, those of the greatest cost first.

    Parameters
    ----------
    projects
        The table of projects of all scenarios.
    """
    names = list(dict.fromkeys(projects["scenario"]))[:MOST]
    rows = hanging(projects)[:MOST]
    words = {True: say("report.funded"), False: say("report.not-funded")}
    data = [
        {
            "project": row["project"],
            "label": short_label(row["project"], row["name"] or row["project"]),
            "scenario": name,
            "what": words[name in row["starts"]],
            "start": str(row["starts"].get(name, "–")),
        }
        for row in rows
        for name in names
    ]
    told = hover(
        label=say("word.project"),
        scenario=say("run.column.scenario"),
        what=say("report.what"),
        start=say("report.starts"),
    )
    return figure(
        say("report.figure.hanging"),
        data,
        say("report.figure.hanging-told"),
        height={"step": 19},
        mark="rect",
        encoding={
            "x": {
                "field": "scenario",
                "type": "nominal",
                "sort": None,
                "title": None,
                "scale": {"paddingInner": 0.02},
                "axis": {"orient": "top", "labelAngle": -40, "labelLimit": 140, "labelOverlap": False},
            },
            "y": {
                "field": "label",
                "type": "nominal",
                "sort": None,
                "title": None,
                "scale": {"paddingInner": 0.1},
                "axis": SHORT_LABELS,
            },
            "color": coloured("what", None, {words[True]: BLUE, words[False]: FAINT}),
            "tooltip": told,
        },
    )


def hanging(projects: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the projects that some scenarios with a plan fund and some do not, those of the greatest cost first.

    Each is project, name, cost (the greatest) and starts, the first year of it in each scenario that funds it.
    """
    scenarios = set(projects["scenario"])
    found: dict[str, dict[str, Any]] = {}
    for row in projects.to_dict("records"):
        own = found.setdefault(str(row["project"]), _blank(row))
        if row["funded"]:
            own["starts"][row["scenario"]] = int(row["start"])
            own["cost"] = max(own["cost"], int(row["cost"]))
    mixed = [own for own in found.values() if 0 < len(own["starts"]) < len(scenarios)]
    return sorted(mixed, key=lambda own: -own["cost"])


def _blank(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {"project": row["project"], "name": str(row["name"] or ""), "cost": 0, "starts": {}}


def _rounded(number: float) -> str:
    return write_number(round(number) if abs(number) >= _WHOLE else round(number, 4))


def _is_number(cell: Any) -> bool:
    import pandas as pd

    return not (cell is None or cell is pd.NA or cell != cell)  # noqa: PLR0124


def listed_starts(starts: Mapping[str, int]) -> str:
    """Return the years in which a project starts, from the first to the last."""
    years: Sequence[int] = sorted(set(starts.values()))
    return str(years[0]) if len(years) == 1 else f"{years[0]}–{years[-1]}"

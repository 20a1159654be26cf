"""The chart of a comparison: value and bound of every contender over time, as distances to the best bound."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd

from benchmarks.contenders import CONTENDERS
from benchmarks.standings import Heat

# Distances of a thousandth of a percent and of ten percent are seen side by side; below this the scale is linear.
NEAR = 0.01
MOST = 20.0
EARLIEST = 0.05
MOST_CASES = 12


def draw(heats: list[Heat], path: Path) -> None:
    """Write the chart as an SVG file: one field a case, its first seed, those first where most is left open."""
    firsts = {heat.case: heat for heat in reversed(heats)}
    open_first = sorted(firsts.values(), key=lambda heat: min(record.proved for record in heat.records))
    rows = [row for heat in open_first[:MOST_CASES] for row in _moments(heat)]
    frame = pd.DataFrame(rows, columns=["case", "engine", "what", "seconds", "percent"])
    chart_of(frame).save(str(path))


def chart_of(frame: pd.DataFrame) -> Any:
    """Return the chart of a frame with a row a moment."""
    base = (
        alt.Chart(frame)
        .mark_line(interpolate="step-after", strokeWidth=1.5, clip=True)
        .encode(
            x=alt.X(
                "seconds:Q",
                scale=alt.Scale(type="log", nice=False),
                axis=alt.Axis(format="~g", tickCount=6),
                title="seconds",
            ),
            y=alt.Y(
                "percent:Q",
                scale=alt.Scale(type="symlog", constant=NEAR, domain=[-MOST, MOST]),
                axis=alt.Axis(values=[-10, -1, -0.1, 0, 0.1, 1, 10], format="~g"),
                title="% above or below the best bound",
            ),
            color=alt.Color("engine:N", sort=list(CONTENDERS), scale=alt.Scale(domain=list(CONTENDERS))),
            strokeDash=alt.StrokeDash("what:N", title="", sort=["value", "bound"]),
        )
        .properties(width=280, height=220)
    )
    return base.facet(facet=alt.Facet("case:N", title=None), columns=3).resolve_scale(x="independent")


def _moments(heat: Heat) -> Iterator[tuple[str, str, str, float, float]]:
    best = heat.best_bound
    for record in heat.records:
        for seconds, value, bound in record.curve:
            for what, amount in (("value", value), ("bound", bound)):
                if amount is not None and abs(amount - best) <= abs(best):
                    percent = 100 * (amount - best) / max(abs(best), 1e-9)
                    yield heat.case, record.contender, what, max(seconds, EARLIEST), percent

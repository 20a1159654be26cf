"""Portfolios of eight departments whose budgets bind in every year: small, and the hardest for every solver tried."""

from __future__ import annotations

import numpy as np
import pandas as pd

from benchmarks.draw import Draw, Floats, Ints
from benchmarks.instances import Instance

FIRST_YEAR = 2021
YEARS = 10
DEPARTMENTS = tuple(f"department-{number}" for number in range(1, 9))

# How many departments a project draws on, and the part of its cost that each of them bears.
BEARERS = ((1.0,), (0.7, 0.3), (0.5, 0.3, 0.2))

# Costs spread like e**(0.8 z) of a normal z, around a hundred; one cost in a hundred is beyond six hundred.
SPREAD, MIDDLE = 0.8, 100.0

# Of what all candidates ask of a department, this part is there, evenly over the years.
AFFORDED = 0.5


def tight_portfolio(draw: Draw, count: int, title: str) -> Instance:
    """Return the settings and tables of ``count`` candidates over 2021-2030, with a budget a department and year.

    A project takes one to four years, may start in one of the first four years or later, and draws on one to three
    departments; it is worth what it costs, give or take half.  Every second project waits for another, with a lag of
    up to two years.
    """
    duration, earliest = draw.integers(1, 4, count), FIRST_YEAR + draw.integers(0, 3, count)
    cost = np.maximum(1, np.rint(MIDDLE * np.exp(SPREAD * _normal(draw, count)))).astype(np.int64)
    ids = np.array([f"P{number:04}" for number in range(1, count + 1)], dtype=object)
    uses = _uses(draw, ids, cost, duration)
    frames = {
        "projects": pd.DataFrame(
            {
                "id": ids,
                "duration": duration,
                "earliest_start": earliest,
                "value": cost * draw.integers(50, 150, count) // 10,
            }
        ),
        "resources": pd.DataFrame({"id": list(DEPARTMENTS)}),
        "uses": uses,
        "capacities": _capacities(uses),
        "dependencies": _dependencies(draw, ids),
    }
    settings = {"title": title, "first_year": FIRST_YEAR, "last_year": FIRST_YEAR + YEARS - 1, "discount_rate": 0.05}
    return settings, frames


def _normal(draw: Draw, count: int) -> Floats:
    # The sum of twelve fractions has the variance of a normal and, unlike its tails, no dependence on a library.
    return np.sum([draw.fractions(count) for _ in range(12)], axis=0) - 6.0


def _uses(draw: Draw, ids: np.ndarray, cost: Ints, duration: Ints) -> pd.DataFrame:
    """Spread each cost evenly over the years of the work and over the departments that bear it, in whole units."""
    rows = []
    bearers, places = draw.integers(1, len(BEARERS), len(ids)), draw.fractions(len(ids) * len(DEPARTMENTS))
    for number, order in enumerate(places.reshape(len(ids), len(DEPARTMENTS)).argsort(axis=1, kind="stable")):
        parts = BEARERS[bearers[number] - 1]
        for department, part in zip(order, parts, strict=False):
            yearly = max(1, round(10 * cost[number] * part / duration[number]))
            rows += [(ids[number], DEPARTMENTS[department], offset, yearly) for offset in range(duration[number])]
    return pd.DataFrame(rows, columns=["project", "resource", "offset", "amount"])


def _capacities(uses: pd.DataFrame) -> pd.DataFrame:
    asked = uses.groupby("resource")["amount"].sum()
    rows = [
        (department, str(FIRST_YEAR + year), int(asked.get(department, 0) * AFFORDED / YEARS))
        for department in DEPARTMENTS
        for year in range(YEARS)
    ]
    return pd.DataFrame(rows, columns=["resource", "period", "amount"])


def _dependencies(draw: Draw, ids: np.ndarray) -> pd.DataFrame:
    count = len(ids) // 2
    then = draw.integers(1, len(ids) - 1, count)
    first = np.maximum(then - draw.integers(1, 20, count), 0)
    kind = draw.choices(("finish_start", "start_start"), count)
    frame = pd.DataFrame({"kind": kind, "first": ids[first], "then": ids[then], "lag": draw.integers(0, 2, count)})
    return frame.drop_duplicates(["first", "then"], ignore_index=True)

"""Portfolios of one year and one or two envelopes, whose best plans can be told by hand."""

import pandas as pd

from capalloc import Portfolio

SETTINGS = {"first_year": 2026, "last_year": 2027, "phases": [{"name": "P", "first": 2026, "last": 2027}]}


def few(projects, room, settings=(), **tables):
    """Return projects given as id → columns, of which each costs a year's money of one state envelope for the phase."""
    rows = pd.DataFrame([{"id": name, **columns} for name, columns in projects.items()])
    frames = {
        "projects": rows,
        "sources": pd.DataFrame({"id": ["state"], "side": ["state"]}),
        "envelopes": pd.DataFrame({"source": ["state"], "period": ["P"], "amount": [room]}),
    }
    given = {name: pd.DataFrame(columns) for name, columns in tables.items()}
    return Portfolio.from_tables(SETTINGS | dict(settings), frames | given)


def funded(plan):
    """Return the ids of what a plan funds."""
    return [choice.project for choice in plan.answer.allocation.choices]

"""Portfolios under a statutory preset, and what a plan is told about one of its rules."""

import pandas as pd
import pytest

from capalloc import InvalidInput, Portfolio

PHASES = [{"name": "2021-2025", "first": 2021, "last": 2025}, {"name": "2026-2030", "first": 2026, "last": 2030}]


def rows(text):
    """Return a frame of a heading and rows apart by semicolons."""
    heading, *lines = text.strip().split(";")
    frame = pd.DataFrame([line.split(",") for line in lines], columns=heading.split(","))
    return frame.replace("", None)


def portfolio(projects, *, law=None, preset="vn-2021-2030", terms=(), **tables):
    """Return a portfolio of two phases, of billion VND, with a provincial budget of 1,000 in each."""
    settings = {"first_year": 2021, "last_year": 2030, "phases": PHASES, "money": "billion VND", "statutory": preset}
    given = {
        "sources": "id,side,public_investment;budget,state,true;other,state,false;investor,non_state,false",
        "envelopes": "source,period,amount;budget,2021-2025,1000;budget,2026-2030,1000;other,2021:2030,9000"
        ";investor,2021:2030,9000",
        **tables,
    }
    frames = {name: rows(text) for name, text in {"projects": projects, **given}.items()}
    return Portfolio.from_tables(settings | ({"law": law} if law else {}) | dict(terms), frames)


def optimum(given):
    """Return the best plan, solved without a gap."""
    return given.optimize(gap=0, engine="highs")


def verdict(plan, rule):
    """Return the row of one rule in the compliance of a plan."""
    frame = plan.compliance().set_index("rule")
    return frame.loc[rule]


def funded(plan):
    """Return the ids of the funded projects."""
    return plan.projects.loc[plan.projects.funded, "project"].tolist()


def issue_of(code, action):
    """Return the only issue with a code that an action raises."""
    with pytest.raises(InvalidInput) as caught:
        action()
    (issue,) = caught.value.issues.of(code)
    return issue


ONE = "id,cost,value,duration;A,100,1,2"

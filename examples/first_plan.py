"""Four projects and a budget for each year: what to fund, when to start it, and what is proved about the answer."""

import pandas as pd

import capalloc as ca

projects = pd.DataFrame(
    {
        "id": ["road", "bridge", "school", "clinic"],
        "cost": [900, 600, 350, 250],  # million VND
        "duration": [3, 2, 1, 1],  # years
        "value": [30, 24, 11, 6],
    }
)
sources = pd.DataFrame({"id": ["state"], "side": ["state"]})
budget = pd.DataFrame({"source": "state", "period": range(2026, 2031), "amount": 550})
order = pd.DataFrame({"kind": ["finish_start"], "first": ["road"], "then": ["bridge"]})
settings = {"title": "First plan", "first_year": 2026, "last_year": 2030, "discount_rate": 0.05}

tables = {"projects": projects, "sources": sources, "envelopes": budget, "dependencies": order}
portfolio = ca.Portfolio.from_tables(settings, tables)
plan = portfolio.optimize()
print(plan)
print(plan.projects[["project", "funded", "start", "finish", "cost"]].to_string(index=False))

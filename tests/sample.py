"""A portfolio small enough to be planned by hand, as tables and as files.

The state has 1,600 million VND of which 5% stay back, so 1,520; ODA has 100 for roads.  A and B cost 1,501 and are
worth 16; B and C cost 1,300 and are worth 13; C needs B; all three cost 2,301.  So A and B are the best plan.
"""

import pandas as pd

from capalloc import Portfolio

SETTINGS = {
    "title": "Ba dự án",
    "first_year": 2026,
    "last_year": 2030,
    "phases": [{"name": "2026-2030", "first": 2026, "last": 2030}],
}

TOML = """title = "Ba dự án"
first_year = 2026
last_year = 2030
phases = [{name = "2026-2030", first = 2026, last = 2030}]
"""

COLUMNS = {
    "projects": {
        "id": ["A", "B", "C"],
        "name": ["Đường A", "Trường B", "Cầu C"],
        "sector": ["road", "school", "road"],
        "priority": [1, 2, 2],
        "latest_start": [2026, 2026, 2026],
        "duration": [2, 1, 1],
        "cost": [1001, 500, 800],
        "value": [10, 6, 7],
    },
    "sources": {
        "id": ["state", "oda"],
        "name": ["Ngân sách", "Vốn ODA"],
        "side": ["state", "state"],
        "eligible": ["", 'sector == "road"'],
        "reserve": [0.05, 0],
    },
    "envelopes": {
        "source": ["state", "oda"],
        "period": ["2026-2030", "2026-2030"],
        "amount": [1600, 100],
    },
    "dependencies": {"kind": ["requires"], "first": ["B"], "then": ["C"]},
    "resources": {"id": ["land"], "unit": ["ha"]},
    "uses": {"project": ["A", "B"], "resource": ["land", "land"], "amount": [3.5, 2]},
    "capacities": {"resource": ["land"], "period": ["2026-2030"], "amount": [6]},
}


def frames(**changed):
    """Return the tables as DataFrames; a table given by name replaces the sample's, ``None`` drops it."""
    return {name: pd.DataFrame(columns) for name, columns in (COLUMNS | changed).items() if columns is not None}


def sample(settings=(), **changed):
    """Return the portfolio, with some settings and tables replaced."""
    return Portfolio.from_tables(SETTINGS | dict(settings), frames(**changed))


def write_sample(folder, settings=TOML, **changed):
    """Write the portfolio as a folder of files and return the folder."""
    folder.mkdir(exist_ok=True)
    (folder / "portfolio.toml").write_text(settings, encoding="utf-8")
    for name, table in frames(**changed).items():
        table.to_csv(folder / f"{name}.csv", index=False)
    return folder

"""A review in the middle of a plan, with all three at once: a project that goes on, one whose years are open, a part.

The years are 2024 to 2027, of which the plan decides from 2025 on.  There are 1,000 million VND in all and 310 in 2025.
A goes on: it costs 400, of which 150 were paid, so that 250 are due in 2025.  B costs 300 over 2025 to 2027, from 60 to
150 a year, so that 60 are left for it in 2025.  C is a programme of 500, at least half of it, worth 10 as a whole: 300
are left for it, worth 6.  With A worth 5 and B worth 9 that makes 20; C as a whole instead of B would make 15.
"""

import json
import subprocess
import sys

import pandas as pd
import pytest

import capalloc
from capalloc import InvalidInput, Status

TABLES = {
    "projects": {
        "id": ["A", "B", "C"],
        "name": ["Đường A", "Cầu B", "Chương trình C"],
        "kind": ["works", "works", "programme"],
        "min_scale": [None, None, 0.5],
        "status": ["under_way", "proposed", "proposed"],
        "earliest_start": [2024, None, None],
        "latest_start": [2024, 2025, 2025],
        "duration": [2, 3, 2],
        "profile": ["", "flexible", "late"],
        "year_min": [None, 0.2, None],
        "year_max": [None, 0.5, None],
        "cost": [400, 300, 500],
        "value": [5, 9, 10],
    },
    "profiles": {"profile": ["late"], "duration": [2], "offset": [1], "share": [1]},
    "sources": {"id": ["state"], "side": ["state"]},
    "envelopes": {"source": ["state"] * 2, "period": ["2024:2027", "2025"], "amount": [1000, 310]},
    "paid": {"project": ["A"], "source": ["state"], "year": [2024], "amount": [150]},
}
SETTINGS = 'title = "Giữa kỳ"\nfirst_year = 2024\nlast_year = 2027\ndecide_from = 2025\n'


@pytest.fixture
def folder(tmp_path):
    """Return the portfolio as a folder of files."""
    path = tmp_path / "review"
    path.mkdir()
    (path / "portfolio.toml").write_text(SETTINGS, encoding="utf-8")
    for name, columns in TABLES.items():
        pd.DataFrame(columns).to_csv(path / f"{name}.csv", index=False)
    return path


@pytest.fixture
def portfolio(folder):
    """Return the portfolio."""
    return capalloc.load(folder)


def paid(plan):
    """Return what is paid, by project and year."""
    return {(row.project, row.year): row.amount for row in plan.funding.itertuples()}


@pytest.mark.parametrize("engine", ["highs", "pulp:CBC", "enumeration"])
def test_the_plan_is_the_one_found_by_hand(portfolio, engine):
    """What was paid is part of it, 2025 leaves B the least it takes, and C is done in the part that is left."""
    plan = portfolio.optimize(gap=0, engine=engine)
    assert (plan.status, plan.value, plan.bound) == (Status.OPTIMAL, 20, 20)
    assert plan.projects["scale"].tolist() == [1, 1, 0.6]
    assert plan.projects["cost"].tolist() == [400, 300, 300]
    assert plan.projects["value"].tolist() == [5, 9, 6]
    amounts = paid(plan)
    assert (amounts["A", 2024], amounts["A", 2025], amounts["B", 2025], amounts["C", 2026]) == (150, 250, 60, 300)
    assert min(amounts["B", 2026], amounts["B", 2027]) >= 60
    assert plan.envelopes["used"].tolist() == [1000, 310]
    assert plan.verify().violations == ()


def test_the_shell_says_and_writes_it(folder, portfolio, tmp_path):
    """Summary, JSON, CSV files and a plan that loads back, in Vietnamese and in English."""
    command = [sys.executable, "-c", "from capalloc.shell import main; main()", "optimize", str(folder), "--quiet"]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    assert (answer["value"], [row["scale"] for row in answer["projects"]]) == (20, [1, 1, 0.6])
    done = subprocess.run(
        [*command, "--lang", "vi", "--out", str(tmp_path / "out")],
        capture_output=True, text=True, check=True, encoding="utf-8",
    )  # fmt: skip
    cells = [line.split("  ") for line in done.stdout.splitlines()]
    assert "Trong đó đã chi trước năm 2025: 150 triệu đồng; còn phải chi 850 triệu đồng." in done.stdout
    assert ["Chương trình C", "300", "500", "60%"] in [[cell.strip() for cell in row if cell.strip()] for row in cells]
    written = pd.read_csv(tmp_path / "out" / "projects.csv")
    assert written["scale"].tolist() == [1, 1, 0.6]
    again = capalloc.load_plan(tmp_path / "out" / "plan.json", portfolio)
    assert again.projects["scale"].tolist() == [1, 1, 0.6]
    assert "Of it, 150 million VND were paid before 2025; 850 are left to pay." in again.summary()


def test_a_plan_keeps_its_exact_scale_in_a_file(portfolio, tmp_path):
    """300 of 501 has no decimal form; the file has it all the same."""
    dearer = portfolio.with_changes({"projects.C.cost": "+1"})
    plan = dearer.optimize(gap=0)
    plan.save(tmp_path / "plan.json")
    stored = json.loads((tmp_path / "plan.json").read_text(encoding="utf-8"))
    assert [choice["scale"] for choice in stored["choices"]] == ["1", "1", "100/167"]
    again = capalloc.load_plan(tmp_path / "plan.json", dearer)
    assert again.projects.equals(plan.projects)


@pytest.mark.parametrize(
    ("change", "value"),
    [
        ({"projects.B.year_max": 0.4}, 20),  # 60 + 120 + 120
        ({"projects.C.min_scale": 0.7}, 15),  # 350 no longer fit beside B: all of C instead
        ({"paid.A.state.2024.amount": "+50"}, 20),
        ({"envelopes.state.2025.amount": "-1"}, 15),  # B cannot be paid its least in 2025
        ({"projects.B.profile": ""}, 15),  # nor its even part
        ({"projects.C.kind": "works", "projects.C.min_scale": None}, 15),
    ],
)
def test_new_cells_are_changed_by_path(portfolio, change, value):
    """Bounds, least scales, payments and kinds; the plan follows."""
    if "projects.B.profile" in change:
        change = change | {"projects.B.year_min": None, "projects.B.year_max": None}
    assert portfolio.with_changes(change).optimize(gap=0).value == value


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"projects.B.year_max": 0.3}, "year-max-too-low"),
        ({"projects.C.min_scale": None}, "scale-missing"),
        ({"settings.decide_from": 2024}, "paid-not-before"),
        ({"paid.A.state.2024.amount": 401}, "paid-over-cost"),
        ({"envelopes.state.2025.amount": "*0.8"}, "never-envelope"),
        ({"settings.prices": "nominal"}, "flexible-nominal"),
    ],
)
def test_a_change_that_makes_the_portfolio_wrong_is_told(portfolio, change, code):
    """As it would have been in the files."""
    with pytest.raises(InvalidInput) as wrong:
        portfolio.with_changes(change)
    assert code in [issue.code for issue in wrong.value.issues]


def test_a_list_may_fix_the_scale(portfolio):
    """As a plan, as its table edited by hand, or as a table with the column left out: then the scale is the best."""
    plan = portfolio.optimize(gap=0)
    table = plan.projects
    assert portfolio.evaluate(plan).value == portfolio.evaluate(table).value == 20
    table.loc[2, "scale"] = 0.55
    assert portfolio.evaluate(table).value == 5 + 9 + 5.5
    assert portfolio.evaluate(table.drop(columns="scale")).value == 20
    assert portfolio.evaluate(["A", "B", "C"]).value == 20
    assert portfolio.optimize(start=table, node_limit=1).value >= 19.5


@pytest.mark.parametrize(
    ("project", "scale", "code"),
    [
        (2, 0.7, "broken-envelope"),  # 50 too much
        (2, 0.5501, "broken-scale-part"),  # 275.05
        (2, 0.4, "broken-scale-least"),
        (0, 0.5, "broken-scale"),  # works are whole
    ],
)
def test_a_scale_that_cannot_be_is_told(portfolio, project, scale, code):
    """The list is infeasible, and the first thing to be said is what is wrong with the scale."""
    table = portfolio.optimize(gap=0).projects
    table.loc[project, "scale"] = scale
    plan = portfolio.evaluate(table)
    assert plan.status is Status.INFEASIBLE
    assert code in [issue.code for issue in plan.violations]


def test_a_scale_read_back_from_a_float_is_the_whole_amount_it_came_from(portfolio):
    """100/167 of 501 is 300, also from the decimals that a file shows of it."""
    dearer = portfolio.with_changes({"projects.C.cost": "+1"})
    table = dearer.optimize(gap=0).projects
    assert dearer.evaluate(table).projects["cost"].tolist() == [400, 300, 300]
    table["scale"] = [str(part) for part in table["scale"]]
    assert dearer.evaluate(table).projects["cost"].tolist() == [400, 300, 300]

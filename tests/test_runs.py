"""Runs reopened: tables, plans, comparisons, groups and files."""

import json
import sys

import pandas as pd
import pytest

import capalloc as ca
from capalloc.catalogue import speaking
from capalloc.differing import difference
from capalloc.runstore import StoreFailed
from sample import sample

AMOUNT = "envelopes.state.2026-2030.amount"

# 1,600 is the base. With 1,000 the state has room for 950, and ODA pays 51 of A, so that A alone is the best plan.
# With 3,000 all three fit.
SCENARIOS = {
    "low": {AMOUNT: 1000},
    "high": {AMOUNT: 3000, "projects.C.cost": "+5"},
    "none": {AMOUNT: 1, "projects.A.mandatory": True},
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Return the runs of the scenarios."""
    return ca.run(sample(), SCENARIOS, store=tmp_path_factory.mktemp("runs") / "r.sqlite", workers=1)


def test_the_frame_says_what_came_of_each_scenario(runs):
    """Status, value, bound, gap, projects, cost and reason, and what was changed as it was written."""
    frame = runs.to_frame().set_index("scenario")
    assert frame["status"].to_dict() == {"base": "optimal", "low": "optimal", "high": "optimal", "none": "infeasible"}
    assert frame["value"].to_dict() == {"base": 16, "low": 10, "high": 23, "none": None}
    assert frame.loc["high", ["projects", "cost", "gap"]].tolist() == [3, 2306, 0.0]
    assert frame.loc["low", "bound"] == 10
    assert frame[AMOUNT].tolist()[1:] == ["1000", "3000", "1"]
    assert frame.loc["high", "projects.C.cost"] == "+5"
    assert "Project A can never be funded" in frame.loc["none", "reason"]


def test_a_store_is_reopened_as_it_was(runs):
    """Another process, another day."""
    again = ca.load_runs(runs.path)
    assert again.names == ("base", "low", "high", "none")
    pd.testing.assert_frame_equal(again.to_frame(), runs.to_frame())


@pytest.mark.parametrize("name", ["projects", "funding", "envelopes", "resources", "classes"])
def test_tables_are_those_of_the_plans(runs, name):
    """One below the other, with the scenario before each row and the types of the plan's columns."""
    table = getattr(runs, name)
    assert list(dict.fromkeys(table["scenario"])) == ["base", "low", "high"]
    for scenario, rows in table.groupby("scenario"):
        own = rows.drop(columns="scenario").reset_index(drop=True)
        pd.testing.assert_frame_equal(own, runs.plans(scenario).table(name))


def test_a_table_that_no_plan_has_is_empty(runs):
    """The sample has no targets; a table that does not exist is told."""
    assert runs.targets.empty
    assert "targets" not in runs.table_names
    with pytest.raises(ca.UnknownName, match="Did you mean"):
        runs.table("fundin")


def test_a_plan_comes_back_verified(runs):
    """With its portfolio, which has all changes made."""
    plan = runs.plans("high")
    assert (plan.value, plan.status) == (23, "optimal")
    assert plan.verify().value == 23
    assert runs.portfolio("high").fingerprint == sample().with_changes(SCENARIOS["high"]).fingerprint
    assert [str(change) for change in runs.difference("high")] == [
        "envelopes.state.2026-2030.amount: 1,600 → 3,000",
        "projects.C.cost: 800 → 805",
    ]


def test_a_scenario_without_a_plan_says_why(runs):
    """Instead of a plan, its status and reason."""
    with pytest.raises(ca.CapallocError, match=r"none has no plan \(without any plan\)\. Reason: ERROR"):
        runs.plans("none")
    with pytest.raises(ca.UnknownName, match=r"'lwo'.*Did you mean 'low'"):
        runs.plans("lwo")


def test_plans_are_compared_on_the_tables_of_the_first(runs):
    """The plan of high costs more than the base has; without names, all that have a plan."""
    frame = runs.compare("base", "low").to_frame().set_index("plan")
    assert frame["value"].to_dict() == {"base": 16, "low": 10}
    assert runs.compare().to_frame()["feasible"].tolist() == [True, True, False]


def test_the_difference_of_two_plans_is_told(runs):
    """Who enters and leaves, what sources pay, and what it is worth, in both languages."""
    found = runs.diff("low", "high")
    assert found.to_frame()[["project", "change", "cost"]].values.tolist() == [
        ["B", "enters", 500],
        ["C", "enters", 805],
    ]
    assert found.funding()["change"].sum() == 1305
    assert "The value rises from 10 to 23, by 13. 2 projects enter: B, C." in str(found)
    with speaking("vi"):
        assert "Giá trị tăng từ 10 lên 23, tức thêm 13. 2 dự án được đưa vào kế hoạch: B, C." in str(found)
    assert "The value falls from 23 to 10, by 13. 2 projects leave: B, C." in str(runs.diff("high", "low"))


def test_a_plan_differs_from_itself_in_nothing(runs):
    """And says so."""
    plan = runs.plans("base")
    assert str(difference(plan, plan)) == (
        "The value stays at 16. The projects, their years and who pays are the same."
    )
    with pytest.raises(ca.InvalidInput, match="other is 7"):
        difference(plan, 7)


def test_scenarios_are_filtered(runs):
    """By a pattern, by names, by a column of truths, and by a function of the frame."""
    frame = runs.to_frame()
    assert runs.filter("*o*").names == ("low", "none")
    assert runs.filter(["high", "base"]).names == ("base", "high")
    assert runs.filter(frame["value"] > 12).names == ("base", "high")
    assert runs.filter(lambda rows: rows["status"] == "infeasible").names == ("none",)
    assert set(runs.filter("low").projects["scenario"]) == {"low"}
    for wrong in ("lwo*", ["lwo"]):
        with pytest.raises(ca.UnknownName):
            runs.filter(wrong)
    with pytest.raises(ca.InvalidInput, match="which is"):
        runs.filter([True])


def test_scenarios_are_grouped(runs):
    """By any column of the frame: how many, how many plans, and their least, mean and greatest value."""
    groups = runs.group("status").set_index("status")
    assert groups.loc["optimal", ["scenarios", "plans", "value_least", "value_most"]].tolist() == [3, 3, 10, 23]
    assert groups.loc["infeasible", "plans"] == 0
    with pytest.raises(ca.UnknownName):
        runs.group("stat")


def test_files_hold_the_same(runs, tmp_path):
    """CSV and Parquet, a file a table and one of the runs."""
    runs.to_csv(tmp_path / "csv")
    written = runs.to_parquet(tmp_path / "parquet")
    assert {path.stem for path in written} == {"runs", *runs.table_names}
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "parquet" / "projects.parquet"), runs.projects)
    funding = pd.read_csv(tmp_path / "csv" / "funding.csv")
    assert funding["amount"].tolist() == runs.funding["amount"].tolist()
    assert list(pd.read_csv(tmp_path / "csv" / "runs.csv")["scenario"]) == list(runs)


def test_parquet_without_its_package_says_what_to_install(runs, tmp_path, monkeypatch):
    """And nothing is written."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ca.CapallocError, match=r"pip install \"capalloc\[parquet\]\""):
        runs.to_parquet(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_summary_is_read_in_both_languages(runs):
    """How many there are of each kind, and a row a scenario."""
    assert "r.sqlite: 4 scenarios" in str(runs)
    assert "3 optimal" in runs.summary()
    assert "<table" in runs._repr_html_()  # what a notebook asks for
    with speaking("vi"):
        assert "4 kịch bản" in str(runs)


def test_differences_of_many_cells_are_told_by_the_first(tmp_path):
    """All costs of five projects are one line, two amounts are two."""
    columns = {"id": list("ABCDE"), "cost": [10] * 5, "value": [1] * 5}
    base = sample(
        projects=columns, **dict.fromkeys(("sources", "envelopes", "dependencies", "uses", "capacities", "resources"))
    )
    runs = ca.run(base, {"dear": {"projects.*.cost": "*2"}}, store=tmp_path / "r.sqlite", workers=1)
    assert "dear: projects.*.cost: 5 cells, the first projects.A.cost: 10 → 20" in runs.told_differences()


def test_what_was_run_before_is_found_again(tmp_path):
    """Names are those of the last run; results of earlier ones stay, and are not made again."""
    store = tmp_path / "r.sqlite"
    first = ca.run(sample(), {"low": SCENARIOS["low"]}, store=store, workers=1)
    second = ca.run(sample(), {"high": SCENARIOS["high"]}, store=store, workers=1)
    assert ca.load_runs(store).names == ("base", "high")
    third = ca.run(sample(), {"low": SCENARIOS["low"]}, store=store, workers=1)
    ended = [[own.row["ended"] for own in found.held] for found in (first, second, third)]
    assert ended[0] == ended[2]
    assert ended[0][0] == ended[1][0]


def test_no_store_is_told(tmp_path):
    """A path where nothing is."""
    with pytest.raises(ca.InvalidInput, match="There is no store of runs here"):
        ca.load_runs(tmp_path / "r.sqlite")


@pytest.mark.parametrize("name", ["mine.csv", "folder", "."])
def test_what_is_no_store_is_left_as_it_is(name, tmp_path):
    """A file of another kind and a folder are told before anything is run, and nothing is left beside them."""
    (tmp_path / "mine.csv").write_text("id,cost\nA,5\n", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    with pytest.raises(StoreFailed, match=r"is no store of runs|cannot be written \(Is a directory\)"):
        ca.run(sample(), {}, store=tmp_path / name)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["folder", "mine.csv"]
    assert (tmp_path / "mine.csv").read_text(encoding="utf-8") == "id,cost\nA,5\n"


def test_an_empty_path_is_not_the_folder_one_is_in(tmp_path, monkeypatch):
    """Where a path was meant and nothing is given, nothing is read and nothing written."""
    monkeypatch.chdir(tmp_path)
    for act in (ca.load, sample().optimize().save, lambda path: ca.run(sample(), {}, store=path)):
        with pytest.raises(ca.InvalidInput, match=r"\[wrong-argument\].* is ''"):
            act("")
    assert list(tmp_path.iterdir()) == []


def test_a_record_is_plain_json(runs):
    """For programs that read the shell's answer."""
    record = json.loads(json.dumps(runs.record()))
    assert record["interrupted"] is False
    assert [row["value"] for row in record["scenarios"]] == [16.0, 10.0, 23.0, None]

"""The core index: shares of plans are counts of what the runs funded, and the doubtful project is named."""

from dataclasses import replace

import pytest

from capalloc import InvalidInput
from capalloc.catalogue import speaking
from few import few

EXACT = {"gap": 0.0, "threads": 1}


def found(**more):
    """A is in every plan, D in none; B and C are worth the same and only one of them fits."""
    projects = {
        "A": {"cost": 5, "value": 100},
        "B": {"cost": 5, "value": 10},
        "C": {"cost": 5, "value": 10},
        "D": {"cost": 11, "value": 500},
    }
    return few(projects, 10).core_index(samples=8, **(EXACT | more))


def test_projects_are_core_borderline_or_exterior():
    """Nearly best plans take B or C beside A; D costs more than there is."""
    rows = {row.project: row for row in found().rows}
    assert {name: row.verdict for name, row in rows.items()} == {
        "A": "core",
        "B": "borderline",
        "C": "borderline",
        "D": "exterior",
    }
    assert rows["B"].shares["plans"] + rows["C"].shares["plans"] == 1


def test_runs_that_there_was_no_time_for_are_counted():
    """What was asked for and found is not told to be missing."""
    index = few({"A": {"cost": 5, "value": 1}}, 10).core_index(samples=1, **EXACT)
    plans = sum(index.plans.values())
    assert "time was up" not in replace(index, asked=plans).statement()
    assert replace(index, asked=plans + 2).statement().endswith("The time was up before 2 more runs.")


def test_without_a_loss_only_the_best_plans_count():
    """A project worth 1 % less than another is in no nearly best plan within 0, and in some within 1 %."""
    projects = {"B": {"cost": 5, "value": 100}, "C": {"cost": 5, "value": 99}}
    none, some = (
        few(projects, 5).core_index(samples=12, within=within, **EXACT).to_frame().set_index("project")["plans"]["C"]
        for within in (0.0, 0.01)
    )
    assert none == 0
    assert 0 < some < 1


def test_a_loss_of_a_value_below_nothing_lies_below_it():
    """One of B, C and D is demanded: of −100, 1 % less is −101, and −102 is too little."""
    projects = {name: {"cost": 5, "value": value} for name, value in (("B", -100), ("C", -101), ("D", -102))}
    groups = {"group": ["g"] * 3, "project": [*projects], "kind": ["exactly_one_of"] * 3}
    index = few(projects, 5, groups=groups).core_index(samples=12, within=0.01, **EXACT)
    shares = {row.project: row.shares["plans"] for row in index.rows}
    assert (shares["B"] > 0, shares["C"] > 0, shares["D"]) == (True, True, 0)
    assert shares["B"] + shares["C"] == 1


def test_costs_and_weights_move_what_they_should():
    """A dear A leaves no room for it; a class that weighs more brings its project in."""
    projects = {
        "A": {"cost": 1000, "cost_low": 1000, "cost_high": 1400, "value": 9},
        "B": {"cost": 1000, "value": 1},
    }
    index = few(projects, 1100).core_index(samples=10, within=0.0, **EXACT)
    rows = {row.project: row for row in index.rows}
    assert 0 < rows["A"].shares["costs"] < 1
    assert rows["A"].shares["plans"] == 1
    assert index.next_number in (("A", "costs"), ("B", "costs"))
    settings = {"objective": {"class_weights": {"1": 1, "2": 1}}}
    projects = {"A": {"cost": 10, "value": 10, "priority": 1}, "B": {"cost": 10, "value": 9, "priority": 2}}
    index = few(projects, 10, settings).core_index(samples=10, within=0.0, **EXACT)
    assert index.plans == {"plans": 10, "costs": 10, "weights": 10}
    assert 0 < {row.project: row for row in index.rows}["B"].shares["weights"] < 1


def test_the_paragraph_says_that_it_is_a_count():
    """Both languages tell the numbers and what to study next."""
    index = found()
    assert "all fund 1 project, some fund 2 more, and none funds 1" in str(index)
    assert "not a proof" in str(index)
    with speaking("vi"):
        assert "Nên nghiên cứu kỹ" in str(index)
    assert list(index.to_frame()["verdict"]) == ["core", "borderline", "borderline", "exterior"]


def test_the_same_seed_gives_the_same_index():
    """Draws follow the seed."""
    assert found(seed=2).rows == found(seed=2).rows


def test_numbers_that_make_no_sense_are_refused():
    """No samples, and a loss of more than everything."""
    with pytest.raises(InvalidInput, match="samples must be a whole number of 1"):
        few({"A": {"cost": 1, "value": 1}}, 1).core_index(samples=0)
    with pytest.raises(InvalidInput, match="within must be a number from 0 to 1"):
        few({"A": {"cost": 1, "value": 1}}, 1).core_index(within=2)

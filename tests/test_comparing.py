"""Plans and lists side by side: what each obeys and lacks, and the fewest projects to change."""

import pytest

import capalloc as ca
from capalloc.catalogue import speaking
from few import few

EXACT = {"gap": 0.0, "threads": 1}


def candidates():
    """A, B and C fill 12 and are worth 17; D costs 6 and is worth 1."""
    return few(
        {
            "A": {"cost": 6, "value": 10},
            "B": {"cost": 3, "value": 4},
            "C": {"cost": 3, "value": 3},
            "D": {"cost": 6, "value": 1},
        },
        12,
    )


def compared(**plans):
    """Compare lists with the best plan."""
    return ca.compare({"best": candidates().optimize(**EXACT), **plans}, **EXACT)


def test_regret_is_what_the_best_plan_is_worth_more():
    """A and D are worth 11, which is 6 less; nothing is left open."""
    rows = compared(mine=["A", "D"]).to_frame().set_index("plan")
    assert rows.loc["mine", ["value", "regret_least", "regret_most"]].tolist() == [11, 6, 6]
    assert rows.loc["best", ["value", "regret_least", "swaps"]].tolist() == [17, 0, 0]
    assert rows["feasible"].all()


def test_the_smallest_set_of_swaps_reaches_nearly_the_best():
    """D must leave, B and C come in: three changes, and fewer do not do."""
    (_, mine) = compared(mine=["A", "D"]).rows
    assert (mine.swaps.entered, mine.swaps.left, mine.swaps.moved) == (("B", "C"), ("D",), ())
    assert (mine.swaps.count, mine.swaps.least, mine.swaps.value) == (3, 3, 17)


def test_a_broken_rule_has_its_price():
    """All four cost 18 where there is room for 12: 6 too much; leaving D out mends it."""
    found = compared(mine=["A", "B", "C", "D"])
    row = found.to_frame().set_index("plan").loc["mine"]
    assert (row["feasible"], row["broken"], row["swaps"], row["leave"]) == (False, 1, 1, "D")
    (broken,) = found.broken().to_dict("records")
    assert (broken["plan"], broken["allowed"], broken["found"], broken["price"]) == ("mine", 12, 18, 6)
    assert "it breaks 1 statement" in str(found)


def test_a_plan_of_other_tables_is_judged_by_the_first():
    """What was planned for 9 leaves 3 of the 12 unused."""
    low = candidates().with_changes({"envelopes.state.P.amount": 9}).optimize(**EXACT)
    found = compared(low=low).to_frame().set_index("plan")
    assert found.loc["low", ["value", "regret_least", "swaps", "enter"]].tolist() == [14, 3, 1, "C"]


def test_a_start_left_open_is_no_change():
    """A list without years is like any plan of its projects."""
    found = compared(mine={"A": None, "B": None, "C": None}).rows[1]
    assert (found.answer.value, found.swaps.count) == (17, 0)


def test_the_paragraph_speaks_both_languages():
    """The best one is named, and what to change in the other."""
    found = compared(mine=["A", "D"])
    assert "best is the best of them, worth 17" in str(found)
    with speaking("vi"):
        assert "mine thực hiện được và có giá trị kém phương án tốt nhất trong số này 6" in str(found)


def test_nearly_the_best_of_a_value_below_nothing_lies_below_it():
    """All of B, C and D are demanded and worth −100 at best: −101 is nearly that, and −102 is not."""
    rows = {
        "B": {"cost": 1, "value": -100},
        "C": {"cost": 1, "value": -101},
        "D": {"cost": 1, "value": -102},
    }
    groups = {"group": ["g"] * 3, "project": [*rows], "kind": ["exactly_one_of"] * 3}
    best = few(rows, 9, groups=groups).optimize(**EXACT)
    found = ca.compare({"best": best, "near": ["C"], "far": ["D"]}, **EXACT)
    assert [row.swaps.count for row in found.rows] == [0, 0, 2]


def test_of_ordered_classes_the_first_decides_which_plan_is_the_best():
    """A alone is worth 4 in class 1; B alone nothing there, and 9 in class 2, which does not count against it."""
    rows = {"A": {"cost": 5, "value": 4, "priority": 1}, "B": {"cost": 5, "value": 9, "priority": 2}}
    portfolio = few(rows, 5, {"objective": {"goal": "lexicographic"}})
    found = ca.compare({"plan": portfolio.optimize(**EXACT), "mine": ["B"]}, **EXACT)
    assert (found.best, found.to_frame()["class_1"].tolist()) == (0, [4, 0])
    assert found.to_frame()[["regret_least", "regret_most", "swaps"]].isna().all(axis=None)
    assert str(found) == (
        "plan is the best of them, worth class 1: 4, class 2: 0. mine can be carried out and is worth 4 in class 1 less"
        " than the best of them."
    )


def test_something_must_be_a_plan():
    """Lists alone have no tables to be judged by; a project that does not exist is named."""
    with pytest.raises(ca.InvalidInput, match="at least one plan"):
        ca.compare({"mine": ["A"]})
    with pytest.raises(ca.UnknownName, match="Z"):
        compared(mine=["Z"])

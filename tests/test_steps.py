"""The value against the money: steps, chosen amounts, and a better split, all against trying everything."""

from dataclasses import replace
from fractions import Fraction
from itertools import combinations, product

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capalloc import InvalidInput, Portfolio, Status, UnknownName
from capalloc.catalogue import speaking
from capalloc.frontier import rephase
from capalloc.model import SolveOptions
from capalloc.worth import standing
from few import few
from sample import sample
from strategies import cases

SETTINGS = {
    "first_year": 2026,
    "last_year": 2027,
    "phases": [{"name": "I", "first": 2026, "last": 2026}, {"name": "II", "first": 2027, "last": 2027}],
}


def portfolio(costs, values, years, rooms, reserve=0, **settings):
    """Return projects of one year each, and an envelope of the state for each of two years."""
    ids = [f"P{number}" for number in range(len(costs))]
    frames = {
        "projects": pd.DataFrame(
            {"id": ids, "cost": costs, "value": values, "earliest_start": years, "latest_start": years}
        ),
        "sources": pd.DataFrame({"id": ["state"], "side": ["state"], "reserve": [reserve]}),
        "envelopes": pd.DataFrame({"source": ["state"] * 2, "period": ["I", "II"], "amount": rooms}),
    }
    return Portfolio.from_tables(SETTINGS | settings, frames)


def best(costs, values, room):
    """Return the greatest value of any selection that fits."""
    fits = (
        sum(value * x for value, x in zip(values, taken, strict=True))
        for taken in product((0, 1), repeat=len(costs))
        if sum(cost * x for cost, x in zip(costs, taken, strict=True)) <= room
    )
    return max(fits)


def test_each_step_says_what_enters_and_what_leaves():
    """The state keeps 5% back, and ODA pays 100 of roads: B enters at 527, and so on to all three at 2,317."""
    steps = sample().envelope_steps("state", "2026-2030", 0, 2600, threads=1)
    frame = steps.to_frame()
    assert frame["amount"].tolist() == [0, 527, 949, 1264, 1475, 2317]
    assert frame["room"].tolist() == [0, 500, 901, 1200, 1401, 2201]
    assert frame["value"].tolist() == [0, 6, 10, 13, 16, 23]
    assert frame["enters"].tolist() == ["", "B", "A", "B, C", "A", "C"]
    assert frame["leaves"].tolist() == ["", "", "B", "A", "C", ""]
    assert frame["exact"].all()
    assert frame["price"].iloc[-1] == 0
    assert steps.complete
    assert str(steps).startswith(
        "With 0 million VND in the envelope of Ngân sách for 2026-2030 (1,600 million VND) the best plan found is worth"
        " 0. The next 526 million VND buy nothing; with 527 more (527) the value rises by 6: in come B, out go –."
    )
    with speaking("vi"):
        assert "Thêm 526 triệu đồng nữa thì chưa được gì; thêm 527 (thành 527) thì giá trị tăng 6" in str(steps)


def test_with_a_least_rise_smaller_ones_are_not_called_nothing():
    """Of rises of 6, 4, 3, 3 and 7 only those that add up to 6 and more are steps."""
    steps = sample().envelope_steps("state", "2026-2030", 0, 2600, gain=6, threads=1)
    assert steps.to_frame()["value"].tolist() == [0, 6, 13, 23]
    assert "The next 526 million VND raise the value by less than 6; with 527 more (527) it rises by 6" in str(steps)
    assert str(steps).endswith("Up to 2,600 million VND there is no other step of at least 6.")


@cases(20)
@given(
    costs=st.lists(st.integers(0, 6), min_size=1, max_size=5),
    values=st.lists(st.integers(-1, 7), min_size=5, max_size=5),
    reserve=st.sampled_from([0, 0.1, 0.5]),
)
def test_the_steps_are_those_of_trying_every_amount(costs, values, reserve):
    """At every amount from 0 to 30 the last step up to it has the value that trying everything finds."""
    values = values[: len(costs)]
    asked = portfolio(costs, values, [2026] * len(costs), [0, 0], reserve)
    steps = asked.envelope_steps("state", "I", 0, 30, threads=1)
    assert steps.complete
    assert all(step.exact for step in steps.steps)
    for amount in range(31):
        room = int(amount * (1 - Fraction(str(reserve))))
        last = [step for step in steps.steps if step.amount <= amount][-1]
        assert last.value == best(costs, values, room)
    assert len({step.value for step in steps.steps}) == len(steps.steps)


def test_a_gain_that_is_too_small_is_no_step():
    """Steps to 6, 10, 13, 16 and 23; of at least 6 at once, those to 6, 13 and 23 (16 is only 3 more)."""
    steps = sample().envelope_steps("state", "2026-2030", 0, 2600, gain=6, threads=1)
    assert steps.to_frame()["value"].tolist() == [0, 6, 13, 23]


def test_the_walk_ends_where_it_is_told_to():
    """Two steps and no more, and it is said that there may be others."""
    steps = sample().envelope_steps("state", "2026-2030", 0, 2600, most=2, threads=1)
    assert (len(steps.steps), steps.complete) == (3, False)
    assert "Between 949 and 2,600 million VND the steps were not looked at to the end." in str(steps)


def test_without_a_plan_at_the_least_amount_there_are_no_steps():
    """A mandatory project of 5 million and nothing to pay it."""
    asked = portfolio([5], [1], [2026], [9, 9]).with_changes({"projects.P0.mandatory": True})
    steps = asked.envelope_steps("state", "I", 0, 9, threads=1)
    assert steps.steps == ()
    assert str(steps) == "No plan was found with 0 million VND in the envelope of state for I (9 million VND)."


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"low": 5, "high": 4}, "The least amount 5 is above the greatest, 4."),
        ({"low": -1}, "low is -1"),
        ({"low": "1"}, "low is '1'"),
        ({"high": 2.5}, "high is 2.5"),
        ({"most": 0}, "most is 0"),
        ({"gain": -1}, "gain is -1"),
        ({"time_limit": 0}, "time_limit is 0"),
    ],
)
def test_a_span_that_makes_no_sense_is_refused(arguments, message):
    """Each in the user's words."""
    with pytest.raises(InvalidInput, match=message):
        sample().envelope_steps("state", "2026-2030", **arguments)


def test_an_envelope_that_does_not_exist_is_told_with_those_there_are():
    """Source and period together name an envelope."""
    with pytest.raises(UnknownName, match="Did you mean 'state 2026-2030'"):
        sample().envelope_steps("state", "2026-203")


def in_order(rows, room=0):
    """Return a portfolio of ordered classes: projects as cost, value and class, and one envelope for them."""
    return few(
        {f"P{n}": {"cost": c, "value": v, "priority": k} for n, (c, v, k) in enumerate(rows)},
        room,
        {"objective": {"goal": "lexicographic"}},
    )


def test_of_ordered_classes_a_step_is_a_rise_of_the_first_class_that_can():
    """3 buys class 2 alone; at 5 class 1 comes in its place, at 8 both."""
    steps = in_order([(5, 4, 1), (3, 9, 2)]).envelope_steps("state", "P", 0, 10, threads=1)
    frame = steps.to_frame()
    assert frame["amount"].tolist() == [0, 3, 5, 8]
    assert (frame["class_1"].tolist(), frame["class_2"].tolist()) == ([0, 0, 4, 4], [0, 9, 0, 9])
    assert frame["enters"].tolist() == ["", "P1", "P0", "P1"]
    assert all(step.exact for step in steps.steps)
    assert frame["price"].isna().all()
    told = "The next 1 million VND buy nothing; with 2 more (5) the value rises by 4 in class 1: in come P0, out go P1."
    assert told in str(steps)
    with speaking("vi"):
        assert "thứ tự ưu tiên 1: 0, thứ tự ưu tiên 2: 0" in str(steps)


@cases(10)
@given(rows=st.lists(st.tuples(st.integers(0, 6), st.integers(-1, 5), st.integers(1, 3)), min_size=1, max_size=4))
def test_the_steps_of_ordered_classes_are_those_of_trying_every_amount(rows):
    """At every amount the last step up to it has the values that trying everything finds, class after class."""
    steps = in_order(rows).envelope_steps("state", "P", 0, 20, threads=1)
    classes = sorted({k for _, _, k in rows})
    assert steps.complete
    assert all(step.exact for step in steps.steps)

    def worth(chosen):
        return tuple(sum(v for _, v, k in chosen if k == number) for number in classes)

    for amount in range(21):
        every = (c for size in range(len(rows) + 1) for c in combinations(rows, size))
        best_ = max(worth(c) for c in every if sum(cost for cost, _, _ in c) <= amount)
        last = [step for step in steps.steps if step.amount <= amount][-1]
        assert standing(steps.tables, last.answer) == best_


def test_a_frontier_of_ordered_classes_tells_every_class():
    """At half of 10 class 1 alone, at all of it class 2 as well."""
    front = in_order([(5, 4, 1), (3, 9, 2)], 10).frontier("state", "P", [0.5, 1], threads=1)
    assert front.to_frame()[["class_1", "class_2"]].to_numpy().tolist() == [[4, 0], [4, 9]]
    assert "the value runs from class 1: 4, class 2: 0 to class 1: 4, class 2: 9" in str(front)


def test_of_ordered_classes_no_split_is_sought():
    """A split that serves one class may harm the next."""
    with pytest.raises(InvalidInput, match="rephase seeks the split at which one value is the greatest"):
        sample({"objective": {"goal": "lexicographic"}}).rephase("state")


def test_a_frontier_solves_every_combination_of_two_envelopes():
    """The state at half and full, ODA at nothing and full: B alone, A without ODA's 100, and so on."""
    front = sample().frontier("state", "2026-2030", [0.5, 1], beside=("oda", "2026-2030"), threads=1)
    frame = front.to_frame()
    assert frame["state 2026-2030"].tolist() == [800, 800, 1600, 1600]
    assert frame["oda 2026-2030"].tolist() == [50, 100, 50, 100]
    # A costs 1,001: 760 + 100 do not pay it, and C needs B.
    assert frame["value"].tolist() == [6, 6, 16, 16]
    assert frame["bound"].tolist() == [6, 6, 16, 16]
    assert frame["projects"].tolist() == [1, 1, 2, 2]
    assert "the value runs from 6 to 16" in str(front)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"points": []}, "points is \\[\\]"),
        ({"points": None}, "points is None"),
        ({"points": 1.0}, "points is 1.0"),
        ({"beside": "oda"}, "beside is 'oda'"),
        ({"beside": ("state", "2026-2030")}, "Give source and period of another envelope"),
    ],
)
def test_points_and_a_second_envelope_are_what_they_must_be(arguments, message):
    """A list that is not empty, and an envelope that is not the first again."""
    with pytest.raises(InvalidInput, match=message):
        sample().frontier("state", "2026-2030", **arguments)


def test_a_multiple_below_nothing_is_refused():
    """An envelope cannot hold less than nothing."""
    with pytest.raises(InvalidInput, match=r"points is -0\.5"):
        sample().frontier("state", "2026-2030", [-0.5])


def test_the_same_money_split_otherwise_buys_more():
    """P0 costs 6 in the first year and P1 5 in the second; of 5 and 6, one each lies where it is not needed."""
    asked = portfolio([6, 5], [3, 2], [2026, 2027], [5, 6])
    better = asked.rephase("state", threads=1)
    assert better.to_frame()["moved"].tolist() == [1, -1]
    assert (better.before.value, better.after.value, better.bound) == (2, 5, 5)
    assert str(better) == (
        "With what state has split otherwise (I: 1 million VND more; II: 1 million VND less) the value rises by 3 to 5;"
        " these come in: P0. At no split is a plan worth more than 5."
    )


@cases(20)
@given(
    costs=st.lists(st.integers(0, 6), min_size=2, max_size=5),
    values=st.lists(st.integers(0, 7), min_size=5, max_size=5),
    rooms=st.tuples(st.integers(0, 9), st.integers(0, 9)),
)
def test_no_split_is_better_than_the_one_found(costs, values, rooms):
    """Every split of the same total is tried."""
    years = [2026 + number % 2 for number in range(len(costs))]
    values = values[: len(costs)]
    found = portfolio(costs, values, years, rooms).rephase("state", threads=1)
    parts = [[row for row in zip(costs, values, years, strict=True) if row[2] == year] for year in (2026, 2027)]

    def value(first):
        amounts = (first, sum(rooms) - first)
        pairs = zip(parts, amounts, strict=True)
        return sum(best([c for c, _, _ in rows], [v for _, v, _ in rows], room) for rows, room in pairs)

    assert found.after.value == max(value(first) for first in range(sum(rooms) + 1)) == found.bound
    assert sum(found.amounts.values()) == sum(rooms)


def test_a_source_with_one_envelope_cannot_be_split_otherwise():
    """The state of the sample has one phase; a source that is not there is told."""
    with pytest.raises(InvalidInput, match="The source state has no two envelopes"):
        sample().rephase("state")
    with pytest.raises(UnknownName, match="There is no envelope 'stat'"):
        sample().rephase("stat")


@pytest.mark.parametrize(("most", "moved", "value"), [(0, [0, 0], 2), (1, [1, -1], 5), (None, [1, -1], 5)])
def test_no_more_money_moves_than_is_allowed(most, moved, value):
    """P0 needs 6 in the first year, which has 5: one million from the second lets it in, nothing does not."""
    found = portfolio([6, 5], [3, 2], [2026, 2027], [5, 6]).rephase("state", most=most, threads=1)
    assert (found.to_frame()["moved"].tolist(), found.after.value, found.bound) == (moved, value, value)


def test_what_moves_stays_within_what_is_allowed_where_amounts_are_rounded_up():
    """A third stays back: 6 of room need 9, where 7 are; 2 may move, and 1 may not."""
    asked = portfolio([6, 2], [3, 2], [2026, 2027], [7, 5], reserve=Fraction(1, 3))
    found = {most: asked.rephase("state", most=most, threads=1) for most in (1, 2)}
    assert [found[most].after.value for most in (1, 2)] == [2, 5]
    assert found[2].to_frame()["rephased"].tolist() == [9, 3]


def test_how_much_may_move_is_no_negative_number():
    """It is refused as any other limit."""
    with pytest.raises(InvalidInput, match="most is -1"):
        portfolio([6, 5], [3, 2], [2026, 2027], [5, 6]).rephase("state", most=-1)


def test_amounts_without_an_answer_are_not_said_to_leave_no_plan():
    """What the time did not settle is told apart from what is proved."""
    front = portfolio([6], [3], [2026], [6, 0]).frontier("state", "I", [0.5, 1], threads=1)
    ((_, full),) = front.points[1:]
    open_ = replace(full, status=Status.UNKNOWN, allocation=None, audit=None)
    none = replace(open_, status=Status.INFEASIBLE)
    told = [
        str(replace(front, points=(((3,), one), ((6,), two))))
        for one, two in ((open_, none), (none, none), (open_, full))
    ]
    assert told[0].startswith("No plan was found in the time at any of the amounts")
    assert told[1].startswith("No amount of")
    assert told[2].endswith("At 1 of the amounts no plan was found in the time.")


def test_a_plan_that_is_known_is_not_sought_again():
    """The split is held against the plan that is given, here one that funds nothing."""
    asked = portfolio([6, 5], [3, 2], [2026, 2027], [6, 5])
    known = asked.evaluate([]).answer
    found = rephase(asked.tables, [0, 1], None, SolveOptions(60.0, 0.0, 1), "highs", known=known)
    assert (found.before, found.after.value, dict(found.amounts)) == (known, 5, {0: 6, 1: 5})

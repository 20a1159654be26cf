"""Different plans that lose little: all of them, best first, or it is said that there may be more."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from brute import every_selection, payments_of
from capalloc import InvalidInput, Status
from capalloc.alternatives import alternatives
from capalloc.catalogue import speaking
from capalloc.model import SolveOptions
from few import few, funded
from sample import sample
from strategies import cases, portfolios

EXACT = SolveOptions(time_limit=60, gap=0.0, threads=1)
PLAIN = frozenset({"carry", "disbursement", "synergies", "targets"})


def chosen(found):
    """Return value and projects of each plan."""
    return [(answer.value, {choice.project for choice in answer.allocation.choices}) for answer in found.answers]


def test_every_selection_within_the_loss_is_found_best_first():
    """A and B are worth 16, B and C 13, A alone 10 and B alone 6; half of 16 is 8."""
    found = sample().alternatives(within=0.5, threads=1)
    assert chosen(found) == [(16, {"A", "B"}), (13, {"B", "C"}), (10, {"A"})]
    assert found.complete
    frame = found.to_frame()
    assert frame["loss"].tolist() == [0, 3, 6]
    assert frame["enters"].tolist() == ["", "C", ""]
    assert frame["leaves"].tolist() == ["", "A", "B"]
    assert str(found) == (
        "3 selections of projects lose at most 50% of the best value found, 16; there is no other. All of them"
        " fund the same 0 projects; they differ in A, B, C."
    )
    with speaking("vi"):
        assert str(found).startswith(
            "Có 3 cách chọn dự án giảm nhiều nhất 50% so với giá trị tốt nhất tìm được là 16; không còn"
        )


def test_a_list_that_was_cut_short_says_so():
    """Of three, two were asked for; with three asked for, that there is no fourth is proved."""
    found = sample().alternatives(n=2, within=0.5, threads=1)
    assert (len(found), found.complete) == (2, False)
    assert "there may be others" in str(found)
    assert sample().alternatives(n=3, within=0.5, threads=1).complete


def test_the_plans_are_plans():
    """Each is verified; of all but the best nothing is claimed about other plans."""
    first, second = sample().alternatives(within=0.2, threads=1)
    assert (first.status, second.status) == (Status.OPTIMAL, Status.FEASIBLE)
    assert not second.verify().violations
    assert second.value == 13


def test_without_a_plan_there_is_nothing_to_choose():
    """A and C, both mandatory, cost more than there is."""
    changed = {"projects.A.mandatory": True, "projects.C.mandatory": True}
    found = sample().with_changes(changed).alternatives(threads=1)
    assert (len(found), found.complete, str(found)) == (0, True, "There is no plan.")


@cases(20)
@given(data=st.data())
def test_the_list_is_complete_by_enumeration(data):
    """Every set of projects that some plan within the loss funds is there, with the best value that it can have."""
    drawn = data.draw(portfolios(with_sources=True, features=PLAIN))
    within = data.draw(st.sampled_from([Fraction(0), Fraction(1, 10), Fraction(1, 2)]))
    best = {}
    for value, choices in every_selection(drawn):
        funded = frozenset(choice.project for choice in choices)
        if value > best.get(funded, value - 1) and payments_of(drawn, choices) is not None:
            best[funded] = value
    assume(best)
    found = alternatives(drawn, 40, within, EXACT, "highs")
    assert found.complete
    top = max(best.values())
    wanted = {funded: value for funded, value in best.items() if value >= top - within * abs(top)}
    assert {frozenset(projects): value for value, projects in chosen(found)} == wanted
    values = [value for value, _ in chosen(found)]
    assert values == sorted(values, reverse=True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"n": 0}, "n is 0"), ({"within": -1}, "within is -1"), ({"gap": -1}, "gap is -1")],
)
def test_numbers_that_make_no_sense_are_refused(arguments, message):
    """Each in the user's words."""
    with pytest.raises(InvalidInput, match=message):
        sample().alternatives(**arguments)


def test_of_ordered_classes_none_may_lose_more_than_its_part():
    """Class 1 is worth 10 or 9; with 10 % to lose B may stand for A, and only beside C, of class 2."""
    rows = {
        "A": {"cost": 5, "value": 10, "priority": 1},
        "B": {"cost": 5, "value": 9, "priority": 1},
        "C": {"cost": 5, "value": 7, "priority": 2},
    }
    groups = {"group": ["g", "g"], "project": ["A", "B"], "kind": ["one_of"] * 2}
    portfolio = few(rows, 10, {"objective": {"goal": "lexicographic"}}, groups=groups)
    found = portfolio.alternatives(within=0.1, threads=1)
    assert found.complete
    assert [funded(plan) for plan in found.plans] == [["A", "C"], ["B", "C"]]
    assert found.to_frame()[["class_1", "class_2"]].to_numpy().tolist() == [[10, 7], [9, 7]]
    assert [plan.status for plan in found.plans] == ["optimal", "feasible"]
    assert "lose at most 10% in every class of the best plan found (class 1: 10, class 2: 7)" in str(found)
    with speaking("vi"):
        assert "ở mỗi thứ tự ưu tiên giảm nhiều nhất 10%" in str(found)


def test_within_no_time_nothing_is_claimed():
    """Not even that there is no plan."""
    found = alternatives(sample().tables, 3, Fraction(1), replace(EXACT, time_limit=1e-9), "highs")
    assert not found.complete


def test_a_loss_is_a_part_of_the_size_of_a_value_below_nothing():
    """The mandatory A is worth −10 and B −1: a tenth of 10 may be lost, so that A with B counts."""
    rows = {"A": {"cost": 1, "value": -10, "mandatory": True}, "B": {"cost": 1, "value": -1}}
    found = few(rows, 5).alternatives(within=0.1, threads=1)
    assert (found.complete, chosen(found)) == (True, [(-10, {"A"}), (-11, {"A", "B"})])
    assert len(few(rows, 5).alternatives(within=0.09, threads=1)) == 1


def test_where_there_is_no_other_selection_it_is_said_so():
    """A alone is worth 10 and nothing else nearly that: proved, or not found in the time."""
    found = few({"A": {"cost": 5, "value": 10}}, 5).alternatives(threads=1)
    assert str(found) == "No selection of projects but that of the best plan (10) loses at most 1%."
    assert "was found in the time; there may be some" in str(replace(found, complete=False))

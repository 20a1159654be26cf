"""Counting changed projects: what a wish grants, what a plan changes, and the rows that hold it."""

import numpy as np
import pytest

from capalloc.allocation import Allocation, Choice
from capalloc.compiling import compile_tables
from capalloc.engines.highs import Highs
from capalloc.evaluation import Wish
from capalloc.model import SolveOptions, Status
from capalloc.steadiness import grants, likeness_to, nearest_plan
from few import few

LIMITS = SolveOptions(60.0, 0.0, 1)


def compiled():
    """A and B, each in 2026 or 2027, in a room for both."""
    return compile_tables(few({"A": {"cost": 1, "value": 3}, "B": {"cost": 1, "value": 2}}, 2).tables)


@pytest.mark.parametrize(
    ("wish", "granted"),
    [
        (Wish("A"), True),  # mode and start are open
        (Wish("A", "", 2026), True),
        (Wish("A", None, 2027), False),
        (Wish("A", "m", None), False),
        (None, False),
    ],
)
def test_a_wish_is_granted_in_what_it_says(wish, granted):
    """What it leaves open does not count."""
    assert grants(wish, Choice("A", "", 2026)) is granted


@pytest.mark.parametrize(
    ("choices", "count"),
    [
        ([("A", 2026)], 0),
        ([], 1),  # A leaves
        ([("A", 2027)], 1),  # A moves
        ([("A", 2026), ("B", 2026)], 1),  # B enters
        ([("A", 2027), ("B", 2026)], 2),
        ([("B", 2026)], 2),
    ],
)
def test_entering_leaving_and_moving_count_once_each(choices, count):
    """In the plan, and as the sum over the columns of the model."""
    model = compiled()
    likeness = likeness_to(model, [Wish("A", "", 2026)])
    allocation = Allocation(tuple(Choice(project, "", start) for project, start in choices), ())
    assert likeness.changes(allocation) == count
    point = model.point(allocation)
    kept = float(np.array(likeness.gains(model).amounts) @ point)
    assert len(likeness.wishes) - kept == count
    assert likeness.least(kept) == count
    row = likeness.within(model, 1).model
    assert bool((row.matrix @ point)[-1] >= row.row_lower[-1]) == (count <= 1)


def test_the_nearest_plan_worth_enough_changes_least():
    """To be worth 5, B must enter; at 3 nothing must change, and 6 cannot be had."""
    model = compiled()
    likeness = likeness_to(model, [Wish("A", "", 2026)])
    for worth, changes in ((3, 0), (5, 1)):
        found = nearest_plan(model, likeness, LIMITS, Highs(), worth=worth)
        assert likeness.changes(found.allocation) == changes == likeness.least(found.bound)
    assert nearest_plan(model, likeness, LIMITS, Highs(), worth=6).status is Status.INFEASIBLE

"""Elastic models: what is broken least, what may not break, and how wide rows are made for a point."""

from dataclasses import replace

import numpy as np
import pytest

from capalloc.elasticity import elastic, firm_rows, row_sizes, stretched
from capalloc.engines.highs import Highs
from capalloc.model import Block, SolveOptions, Status
from small_models import INF, model_of

EXACT = SolveOptions(gap=0.0, threads=1)


def contradiction():
    """Return two things of 3 and 5 that must both be chosen, of which a budget of 4 allows one."""
    model = model_of([9, 9], [([3, 5], -INF, 4), ([1, 1], 2, 2)])
    return replace(model, rows=(Block("budget", [("b",)]), Block("must", [("m",)])))


def test_the_rows_of_some_kinds_are_firm():
    """Kinds are those of the blocks, which may hold several rows; a model without rows has none."""
    model = replace(contradiction(), rows=(Block("budget", [("a",), ("b",)]), Block("must", [("m",)])))
    assert firm_rows(model, {"budget"}).tolist() == [True, True, False]
    assert firm_rows(model, ()).tolist() == [False, False, False]
    assert firm_rows(model_of([1]), {"budget"}).tolist() == []


def test_the_size_of_a_row_is_its_largest_coefficient():
    """In absolute terms; 0 where the row is empty."""
    rows = [([3, -7], -INF, 1), ([0, 0], -INF, 1), ([0.5, 0], -INF, 1)]
    assert row_sizes(model_of([1, 1], rows)).tolist() == [7, 0, 0.5]
    assert row_sizes(model_of([], [((), 1, 1)])).tolist() == [0]


@pytest.mark.parametrize(
    ("firm", "taken", "price"),
    [
        # Both cost 8 and pass the budget by 4 of 5; one alone misses the other row by 1 of 1.
        ((), [1, 1], 4 / 5),
        (("must",), [1, 1], 4 / 5),
        (("budget",), [1, 0], 1),
    ],
)
def test_what_must_break_breaks_least(firm, taken, price):
    """An excess is measured against the largest coefficient of its row; firm rows hold."""
    found = Highs().solve(elastic(contradiction(), firm), EXACT)
    assert found.status is Status.OPTIMAL
    assert found.x[:2].tolist() == taken
    assert found.bound == pytest.approx(-price)


def test_every_open_side_of_a_row_that_is_not_firm_may_break():
    """An equation breaks upwards and downwards, an inequality one way; a row of small entries weighs like one of 1."""
    model = model_of([9, 9], [([3, 5], -INF, 4), ([1, 1], 2, 2), ([0.5, 0], 0.25, INF)])
    model = elastic(replace(model, rows=(Block("any", [(1,), (2,), (3,)]),)), ())
    assert model.objective == pytest.approx([0, 0, -1 / 5, -1, -1, -1])
    assert model.matrix.toarray()[:, 2:].tolist() == [[-1, 0, 0, 0], [0, -1, 1, 0], [0, 0, 0, 1]]
    assert model.lower.tolist() == [0] * 6
    assert model.upper.tolist() == [1, 1, INF, INF, INF, INF]
    assert model.integer.tolist() == [True, True, False, False, False, False]


def test_firm_rows_that_cannot_hold_have_no_elastic_answer():
    """Nothing is broken that may not be."""
    found = Highs().solve(elastic(contradiction(), ("budget", "must")), EXACT)
    assert found.status is Status.INFEASIBLE


def test_rows_that_can_hold_are_not_broken():
    """The elastic optimum is 0 exactly when every row holds."""
    model = replace(contradiction(), row_upper=np.array([8.0, 2.0]))
    assert Highs().solve(elastic(model, ()), EXACT).bound == 0


def test_rows_are_stretched_to_whole_units_around_a_point():
    """A side that holds stays where it is; a firm row never moves."""
    rows = [([1, 0], -INF, 4), ([1, 0], 0, 9), ([1, 0], 8, 9), ([-1, 0], -6, 0), ([0, 1], 3, 3)]
    model = model_of([1, 1], rows, upper=INF, whole=False)
    model = replace(model, rows=(Block("loose", [(n,) for n in range(4)]), Block("firm", [("f",)])))
    wide = stretched(model, np.array([6.5, 5.0]), ("firm",))
    assert wide.row_lower.tolist() == [-INF, 0, 6, -7, 3]
    assert wide.row_upper.tolist() == [7, 9, 9, 0, 3]

"""The narrow waist: origins of rows and columns, what a status claims, and the gap."""

from dataclasses import replace

import numpy as np
import pytest

from capalloc.model import Block, Keys, Origin, SolveOptions, Status, relative_gap
from small_models import INF, model_of

MODEL = replace(
    model_of([1, 1, 1], [([1, 0, 0], 0, 1), ([0, 1, 0], 0, 1), ([0, 0, 1], 0, 1)]),
    rows=(Block("choice", [("P",)]), Block("group", []), Block("envelope", [(("S",), "A"), (("S", "T"), "2022")])),
    columns=(Block("option", [("P", "", 2021), ("P", "", 2022)]), Block("payment", [(0, "S", 2021)])),
)


def test_every_row_knows_the_statement_it_comes_from():
    """Blocks follow each other, one without rows takes no number."""
    assert [MODEL.row_origin(row) for row in range(3)] == [
        Origin("choice", ("P",)),
        Origin("envelope", (("S",), "A")),
        Origin("envelope", (("S", "T"), "2022")),
    ]


def test_every_column_knows_what_it_stands_for():
    """Options first, payments after them."""
    assert [MODEL.column_origin(column) for column in range(3)] == [
        Origin("option", ("P", "", 2021)),
        Origin("option", ("P", "", 2022)),
        Origin("payment", (0, "S", 2021)),
    ]


def test_a_row_or_column_that_there_is_not_has_no_origin():
    """The first number past the end is refused."""
    with pytest.raises(IndexError):
        MODEL.row_origin(3)
    with pytest.raises(IndexError):
        MODEL.column_origin(3)


def test_three_statuses_come_with_a_plan():
    """Infeasible and unknown come with none."""
    assert {status.value for status in Status if status.has_plan} == {"optimal", "within_gap", "feasible"}
    assert {status.value for status in Status if not status.has_plan} == {"infeasible", "unknown"}


@pytest.mark.parametrize(
    ("value", "bound", "gap"),
    [
        (100.0, 110.0, 0.1),
        (-100.0, -90.0, 0.1),
        (100.0, 100.0, 0.0),
        (0.0, 0.0, 0.0),
        (0.0, 1.0, INF),
        (None, 5.0, INF),
        (5.0, INF, INF),
    ],
)
def test_the_gap_is_relative_to_the_size_of_the_value(value, bound, gap):
    """None where bound and value meet; without end where there is no value, or one of 0 below its bound."""
    assert relative_gap(value, bound) == gap


def test_a_run_has_the_limits_of_the_contract_unless_told_otherwise():
    """A minute, a gap of a hundredth of a percent, two threads, seed 0, any number of nodes."""
    assert SolveOptions() == SolveOptions(time_limit=60.0, gap=1e-4, threads=2, seed=0, node_limit=None)


def test_keys_are_tuples_of_plain_values():
    """Read one by one, from the end, or all; there is none behind the last."""
    keys = Keys(np.array([7, 8]), np.array(["a", None], dtype=object))
    assert (len(keys), keys[0], keys[-1], list(keys)) == (2, (7, "a"), (8, None), [(7, "a"), (8, None)])
    assert type(keys[0][0]) is int
    with pytest.raises(IndexError):
        keys[2]


def test_keys_are_equal_where_each_of_them_is():
    """Also where they are arrays of their own; of other length, other parts or another kind they are others."""
    names = [np.array(["A", "B"], dtype=object) for _ in range(2)]
    years = np.array([2026, 2027])
    assert Keys(names[0], years) == Keys(names[1], years.copy())
    assert Block("row", Keys(names[0])) == Block("row", Keys(names[1]))
    for other in (Keys(names[0]), Keys(names[0], years + 1), Keys(names[0][:1], years[:1]), [("A", 2026), ("B", 2027)]):
        assert Keys(names[0], years) != other

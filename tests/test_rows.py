"""Blocks of rows: written one at a time, put one below the other, exact or refused."""

import numpy as np
import pytest

from capalloc.model import Block, Origin
from capalloc.rows import EXACT, RowBlock, RowWriter, stack, with_rows
from small_models import INF, model_of


def block(kind="some", *entries, lower=(0.0,), upper=(1.0,)):
    """Return a block of as many rows as it has bounds; each entry is (row, column, value)."""
    row, column, value = zip(*entries, strict=True) if entries else ((), (), ())
    return RowBlock(
        kind,
        [(kind, number) for number in range(len(lower))],
        np.array(row, dtype=np.int64),
        np.array(column, dtype=np.int64),
        np.array(value, dtype=np.float64),
        np.array(lower),
        np.array(upper),
    )


def test_a_row_is_written_term_by_term():
    """A coefficient for all columns of a term, or one each; bounds and keys in the order of writing."""
    writer = RowWriter("share")
    writer.add(("a",), 0, INF, (np.array([4, 2]), 1), (np.array([0, 1]), np.array([-3.0, -5.0])))
    writer.add(("b", 2021), -INF, 7, (np.array([1]), -1))
    written = writer.block()
    assert (written.kind, written.keys) == ("share", [("a",), ("b", 2021)])
    assert written.row.tolist() == [0, 0, 0, 0, 1]
    assert written.column.tolist() == [4, 2, 0, 1, 1]
    assert written.value.tolist() == [1, 1, -3, -5, -1]
    assert (written.lower.tolist(), written.upper.tolist()) == ([0, -INF], [INF, 7])


def test_a_row_without_columns_is_a_row():
    """Its bounds alone decide it; without any row a block is empty."""
    writer = RowWriter("group")
    assert [len(part) for part in (writer.block().keys, writer.block().row, writer.block().lower)] == [0, 0, 0]
    writer.add(("g",), 1, 1, (np.array([], dtype=np.int64), 1))
    written = writer.block()
    assert (written.keys, written.row.tolist(), written.lower.tolist()) == ([("g",)], [], [1])


def test_blocks_stand_one_below_the_other():
    """Two rows of one kind and one of another, over three columns."""
    first = block("a", (1, 2, 5), (0, 0, 1), lower=(0, -INF), upper=(2, 3))
    second = block("b", (0, 1, -4), lower=(-6,), upper=(INF,))
    matrix, lower, upper, rows = stack([first, second], 3)
    assert matrix.toarray().tolist() == [[1, 0, 0], [0, 0, 5], [0, -4, 0]]
    assert (lower.tolist(), upper.tolist()) == ([0, -INF, -6], [2, 3, INF])
    assert rows == (Block("a", [("a", 0), ("a", 1)]), Block("b", [("b", 0)]))


def test_repeated_places_add_up_and_nothing_is_not_stored():
    """3 and 4 of a column are 7 of it; 2 and −2, or 0, are no entry."""
    matrix, *_ = stack([block("a", (0, 1, 3), (0, 0, 2), (0, 1, 4), (0, 0, -2), (0, 2, 0))], 3)
    assert matrix.toarray().tolist() == [[0, 7, 0]]
    assert matrix.nnz == 1


def test_no_blocks_are_no_rows():
    """The columns stay."""
    matrix, lower, upper, rows = stack([], 2)
    assert (matrix.shape, len(lower), len(upper), rows) == ((0, 2), 0, 0, ())


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("place", ["coefficient", "lower", "upper"])
def test_a_number_that_may_not_be_exact_is_refused(place, sign):
    """Up to 2**53 − 1 every whole number is a float, from 2**53 on not; an open side is no number."""

    def stacked(size):
        given = {"coefficient": 1.0, "lower": -INF, "upper": INF, place: float(sign * size)}
        return stack([block("a", (0, 0, given["coefficient"]), lower=(given["lower"],), upper=(given["upper"],))], 1)

    matrix, lower, upper, _ = stacked(EXACT - 1)
    assert sign * (2**53 - 1) in {matrix[0, 0], lower[0], upper[0]}
    with pytest.raises(OverflowError, match="9007199254740992"):
        stacked(EXACT)


def test_rows_are_added_below_a_model():
    """The model given stays as it is, columns and origins of its rows are kept."""
    model = model_of([1, 2], [([1, 1], -INF, 1)])
    more = with_rows(model, block("cut", (0, 1, 3), lower=(-INF,), upper=(2,)))
    assert more.matrix.toarray().tolist() == [[1, 1], [0, 3]]
    assert (more.row_lower.tolist(), more.row_upper.tolist()) == ([-INF, -INF], [1, 2])
    assert model.matrix.shape == (1, 2)
    again = with_rows(with_rows(model_of([1, 2]), block("a", (0, 0, 1))), block("cut", (0, 1, 3)))
    assert [again.row_origin(0), again.row_origin(1)] == [Origin("a", ("a", 0)), Origin("cut", ("cut", 0))]
    assert (again.objective.tolist(), again.upper.tolist()) == ([1, 2], [1, 1])

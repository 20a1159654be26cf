"""Sums of rows for cuts: what floats foresee of a cut is what exact numbers then derive, and rows that state groups."""

from fractions import Fraction
from math import lcm

import numpy as np
import pytest

from capalloc.check_certificate import Program, Row, derived
from capalloc.combining import Vertex, combinations
from capalloc.cutting import separate
from capalloc.effort import Effort
from capalloc.relaxing import stated_groups
from small_models import INF, model_of


def vertex(rows, x, prices, *, upper=1, whole=True, counts=1):
    """Return a vertex of columns from 0; each row is (entries, lower side, upper side)."""
    model = model_of([0] * len(x), rows, upper=upper, whole=whole)
    point = np.array(x, dtype=np.float64)
    added = model.matrix @ point
    return Vertex(
        matrix=model.matrix,
        row_lower=model.row_lower,
        row_upper=model.row_upper,
        row_whole=np.array([model.integer[np.flatnonzero(entries)].all() for entries, _, _ in rows]),
        lower=model.lower,
        upper=model.upper,
        whole=model.integer,
        counts=np.broadcast_to(np.float64(counts), len(x)).copy(),
        x=point,
        prices=np.array(prices, dtype=np.float64),
        binding=(added == model.row_lower) | (added == model.row_upper),
        top=point > model.upper / 2,
    )


def exactly(at, found):
    """Return the entries, the upper side and the scale of the cut that exact numbers derive from a combination."""
    simple = [Fraction(number).limit_denominator(1000) for number in found.multipliers.tolist()]
    scale = lcm(*(number.denominator for number in simple))
    multipliers = [[row, int(number * scale)] for row, number in zip(found.rows.tolist(), simple, strict=True)]
    program = Program([0] * len(at.x), [int(most) for most in at.upper], at.whole.tolist(), [], {})
    rows = [
        Row(
            [(c, int(entry)) for c, entry in enumerate(line) if entry], *(None if np.isinf(s) else int(s) for s in side)
        )
        for line, *side in zip(at.matrix.toarray(), at.row_lower, at.row_upper, strict=True)
    ]
    cut = derived({"rows": multipliers, "scale": scale, "top": found.top.tolist(), "unit": 1}, rows, program)
    entries = np.zeros(len(at.x))
    for column, entry in cut.entries:
        entries[column] = entry
    return entries, float(cut.upper), scale


KNAPSACK = vertex([((5, 5, 5), -INF, 9)], (1, 0.8, 0), [1])
SCALED = vertex([((5, 5, 5), -INF, 9)], (1, 0.8, 0), [1], counts=(1, 2, 4))
COVERED = vertex([((2, 2), 3, INF)], (1, 0.5), [-1], upper=5)
PAID = vertex([((6, 5, -1), -INF, 0), ((0, 0, 1), -INF, 8)], (1, 0.4, 8), [1, 1], upper=(1, 1, 20), whole=(1, 1, 0))
BENT = vertex([((2, -1), -INF, 3)], (1.5, 0), [1], upper=(3, 1), whole=(1, 0))
COVERING = vertex([((1, 1, 0, 0), -INF, 1), ((3, 4, 5, 6), -INF, 8)], (0, 1, 0.8, 0), [1, 1])
GROUPED = vertex([((1, 1, 0), -INF, 1), ((5, 4, 5), -INF, 8)], (0.45, 0.5, 0.75), [0, 1])


@pytest.mark.parametrize(
    ("at", "groups", "entries"),
    [
        (KNAPSACK, {}, (1, 1, 1)),  # of three that take 5 each only one fits
        (SCALED, {}, (1, 1, 1)),
        (COVERED, {}, (-1, -1)),  # x + y >= 2
        (PAID, {}, (4, 3, 0)),  # what is paid cancels out: 6x + 5y <= 8
        (BENT, {}, (1, -1)),  # x <= 1 + s
        (COVERING, {0: np.array([0, 1])}, (0, 1, 1, 1)),  # of three only one fits
        (GROUPED, {0: np.array([0, 1])}, (1, 1, 1)),  # whichever of the group is taken, the third does not fit
    ],
    ids=["knapsack", "counted", "from below", "paid", "in part", "covering", "grouped"],
)
def test_what_is_foreseen_of_a_cut_is_what_follows_exactly(at, groups, entries):
    """Direction, depth and size; the vertex is beyond the cut."""
    (found,) = combinations(at, iter(()), groups)
    exact, upper, scale = exactly(at, found)
    counted = exact * at.counts
    length = float(np.linalg.norm(counted))
    assert exact.tolist() == list(entries)
    assert found.entries == pytest.approx(counted / length)
    assert found.depth == pytest.approx((exact @ at.x - upper) / length)
    assert found.depth > 0
    assert found.size == pytest.approx(length / scale)


def test_a_row_of_the_tableau_gives_the_cut_of_its_column():
    """Half of 2x <= 3 + s says that x is 1.5 + s/2, of which x <= 1 + s follows."""
    assert [cut.entries.tolist() for cut in combinations(BENT, iter([np.array([0.5])]), {})] == [
        pytest.approx([0.5**0.5, -(0.5**0.5)])
    ] * 2


def test_a_vertex_that_is_whole_gives_no_cut():
    """Nothing is to be rounded."""
    assert list(combinations(vertex([((5, 5, 5), -INF, 10)], (1, 1, 0), [1]), iter(()), {})) == []


@pytest.mark.parametrize("unit", [1.0, 2.0, 8.0])
def test_the_unit_in_which_rows_are_counted_changes_no_cut(unit):
    """Of 5x + 5y + 5z <= 9, also counted in twos or eights, x + y + z <= 1 follows, and the bound is 3."""
    model = model_of([3, 3, 2], [([5 / unit] * 3, -INF, 9 / unit)])
    row = Row([(0, 5), (1, 5), (2, 5)], None, 9)
    program = Program([0] * 3, [1] * 3, [True] * 3, [row], {})
    (cut,) = separate(model, np.array([unit]), program, [row], 3, 3.0, Effort(1))
    assert (sorted(cut.row.entries), cut.row.upper) == ([(0, 1), (1, 1), (2, 1)], 1)


def test_a_row_states_a_group_where_it_lets_one_of_its_own_be_taken():
    """Not where it counts in twos or parts, has room for one and a half, or names what is in another group already."""
    rows = [
        ([1, 1, 0, 0, 0, 0, 0, 0], -INF, 1),
        ([0, 1, 1, 1, 0, 0, 0, 0], -INF, 1),
        ([0, 0, 0, 0, 2, 2, 0, 0], -INF, 2),
        ([0, 0, 0, 0, 0, 0, 1, 1], -INF, 1.5),
        ([0, 0, 0, 0, 0, 0, 0, 0, 0.75, 0.75], -INF, 1),
    ]
    model = model_of([1] * 10, [((*entries, *[0] * (10 - len(entries))), *sides) for entries, *sides in rows])
    assert [(row, columns.tolist()) for row, columns in stated_groups(model)] == [(0, [0, 1])]

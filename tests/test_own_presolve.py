"""The reductions of the own engine against enumeration: no best point is lost, and the way back is exact."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capalloc.engines import engine_named
from capalloc.engines.own.presolve import reduce
from capalloc.engines.own.structure import activity, find_groups
from capalloc.engines.points import holds, value_of
from capalloc.model import SolveOptions, Status
from small_models import INF, financed_model, model_of


def points_of(model):
    """All points of a model whose columns are whole."""
    ranges = [range(int(low), int(high) + 1) for low, high in zip(model.lower, model.upper, strict=True)]
    every = (np.array(point, dtype=float) for point in itertools.product(*ranges))
    return [point for point in every if holds(model, point)]


def best_of(model):
    """The greatest value of a model whose columns are whole; ``None`` without a point."""
    return max((value_of(model, point) for point in points_of(model)), default=None)


entries = st.integers(-4, 6)


@st.composite
def models(draw):
    """Two to four projects of up to three options, links between them, and shared rows with one or two sides."""
    sizes = draw(st.lists(st.integers(1, 3), min_size=2, max_size=4))
    count = sum(sizes)
    starts = np.cumsum([0, *sizes])
    rows = []
    for first, last in itertools.pairwise(starts):
        inside = [int(first <= column < last) for column in range(count)]
        rows.append((inside, draw(st.sampled_from([-INF, -INF, 0, 1])), 1))
    for _ in range(draw(st.integers(0, 4))):
        row = draw(st.lists(entries, min_size=count, max_size=count))
        low, high = draw(st.sampled_from([(-INF, 1), (-INF, 4), (0, INF), (-2, 3), (0, 0), (1, 2)]))
        rows.append((row, low, high))
    values = draw(st.lists(st.integers(-3, 9), min_size=count, max_size=count))
    upper = draw(st.lists(st.sampled_from([1, 1, 1, 0, 2]), min_size=count, max_size=count))
    return model_of(values, draw(st.permutations(rows)), upper=upper)


@given(models())
def test_no_best_point_is_lost(model):
    """The smaller model has the same best value, found at a point that the larger one has too."""
    best = best_of(model)
    reduced = reduce(model)
    if reduced is None:
        assert best is None
        return
    smaller = best_of(reduced.model)
    assert (smaller is None) == (best is None)
    if best is not None:
        assert smaller + reduced.offset == best


def test_a_row_counts_what_must_be_taken():
    """Three of four columns must be 1 and the fourth is 0; together they weigh 15, and 14 is all the room there is."""
    model = model_of([1, 1, 1, 1], [([4, 5, 6, 0], -INF, 14), ([1, 1, 1, 1], 3, INF), ([0, 0, 0, 1], 0, 0)])
    assert reduce(model) is None
    assert engine_named("capalloc").solve(model, SolveOptions(time_limit=None)).status is Status.INFEASIBLE


@given(models())
def test_every_point_of_the_smaller_model_is_one_of_the_larger(model):
    """The way back adds what the dropped columns are worth, and nothing else."""
    reduced = reduce(model)
    for point in [] if reduced is None else points_of(reduced.model):
        restored = reduced.restored(point)
        assert holds(model, restored)
        assert value_of(model, restored) == value_of(reduced.model, point) + reduced.offset


@given(models())
def test_a_point_of_the_larger_model_shrinks_to_one_no_worse(model):
    """What a start takes of the dropped options is replaced by what they were dropped for."""
    reduced = reduce(model)
    for point in [] if reduced is None else points_of(model):
        shrunk = reduced.shrunk(point)
        assert shrunk is not None
        assert holds(reduced.model, shrunk)
        assert value_of(reduced.model, shrunk) + reduced.offset >= value_of(model, point)


@given(models())
def test_rows_add_up_within_what_is_said_of_them(model):
    """The least and the most of every row, and of every row with a column at 1, enclose what points show."""
    groups = find_groups(model)
    sums = activity(model.matrix, groups, model.lower, model.upper)
    rows = np.repeat(np.arange(model.matrix.shape[0]), np.diff(model.matrix.indptr))
    columns = model.matrix.indices
    for point in points_of(model):
        added = model.matrix @ point
        assert (sums.least <= added).all()
        assert (sums.most >= added).all()
        taken = groups.binary[columns] & (point[columns] == 1)
        assert (sums.least_with[taken] <= added[rows[taken]]).all()
        assert (sums.most_with[taken] >= added[rows[taken]]).all()


def test_a_group_is_due_only_where_all_of_its_row_are_in_it():
    """One of the last three must be taken, and the first of them belongs to another group: it alone may do."""
    model = model_of([0, 5, 1, 1], [([1, 1, 0, 0], -INF, 1), ([0, 1, 1, 1], 1, 1)])
    groups = find_groups(model)
    assert (groups.of.tolist(), groups.due.tolist(), groups.row.tolist()) == ([0, 0, 1, 1], [False, False], [0, 1])
    reduced = reduce(model)
    assert max(value_of(reduced.model, point) for point in points_of(reduced.model)) + reduced.offset == 5


def test_an_option_that_cannot_be_afforded_goes_with_what_waits_for_it():
    """The first project costs 9 of 8; the second may start only after it, and so it never does."""
    model = model_of([9, 7, 5, 4], [([9, 3, 4, 5], -INF, 8), ([-1, 1, 0, 0], -INF, 0)])
    reduced = reduce(model)
    assert reduced.columns.tolist() == [2, 3]


def test_what_else_must_be_paid_leaves_less_room():
    """The mandatory project takes at least 5 of 8, so 4 more cannot be afforded, though it could be alone."""
    model = model_of([2, 3, 9, 8, 7], [([1, 1, 0, 0, 0], 1, 1), ([5, 6, 4, 3, 3], -INF, 8), ([0, 1, 1, 0, 1], -INF, 2)])
    assert 2 not in reduce(model).columns


def test_of_two_options_that_ask_the_same_the_worse_goes():
    """The later start is worth less and uses the same room."""
    model = model_of([9, 8, 7], [([1, 1, 0], -INF, 1), ([4, 4, 3], -INF, 6)])
    reduced = reduce(model)
    assert reduced.columns.tolist() == [0, 2]
    assert reduced.shrunk(np.array([0.0, 1, 0])).tolist() == [1, 0]


def test_an_option_that_others_need_is_not_dominated():
    """The earlier start lets another project begin; the later, worth more, does not."""
    model = model_of([8, 9, 7], [([1, 1, 0], -INF, 1), ([4, 4, 3], -INF, 8), ([-1, 0, 1], -INF, 0), ([3, 3, 5], 0, 9)])
    assert reduce(model).columns.tolist() == [0, 1, 2]


def test_a_row_that_cannot_bind_goes():
    """Of each project one option at most is paid: 4 + 3 = 7 fit into 7, though all together do not."""
    model = model_of([5, 4, 6], [([1, 1, 0], -INF, 1), ([4, 4, 3], -INF, 7), ([5, 2, 3], -INF, 7)])
    assert reduce(model).model.matrix.toarray().tolist() == [[1, 1, 0], [5, 2, 3]]


def test_the_last_option_of_a_mandatory_project_is_taken():
    """One of the two cannot be afforded, so the other is taken and its cost leaves the row."""
    model = model_of([5, 4, 6, 3], [([1, 1, 0, 0], 1, 1), ([9, 4, 4, 2], -INF, 8), ([1, 1, 3, 3], -INF, 6)])
    reduced = reduce(model)
    assert reduced.base.tolist() == [0, 1, 0, 0]
    assert reduced.offset == 4


def test_payments_of_what_cannot_be_taken_go_too():
    """With 4 in one source and nothing in the other, neither the 7 nor the 5 can be paid."""
    model = financed_model()
    model.row_upper[2:] = [4, 0]
    reduced = reduce(model)
    assert reduced.columns.size == 0
    assert reduced.base.tolist() == [0] * 6


def test_a_model_without_a_point_is_known_for_it():
    """Both projects are mandatory and do not fit together."""
    model = model_of([5, 4], [([1, 0], 1, 1), ([0, 1], 1, 1), ([3, 3], -INF, 5)])
    assert reduce(model) is None


def test_what_is_worth_something_by_parts_keeps_its_bounds():
    """Of 7 units a payment at 3 each takes 2.333…; as a bound that would be rounded, and stand in the value."""
    model = model_of([5, 1.0], [([0, 3], -INF, 7), ([4, 1], -INF, 5)], whole=[True, False], upper=[1, 10])
    assert reduce(model).model.upper.tolist() == [1, 10]
    unvalued = replace(model, objective=np.array([5.0, 0.0]))
    assert reduce(unvalued).model.upper[-1] == pytest.approx(7 / 3)


def test_choices_that_force_one_another_beyond_a_room_leave_no_point():
    """Three projects must be taken for the last row, and together cost 12 of a room of 9."""
    groups = [([int(column // 2 == project) for column in range(8)], -INF, 1) for project in range(4)]
    room, forced = ([6, 6, 3, 3, 3, 3, 6, 6], -INF, 9), ([0, 1, 0, 1, 0, 1, -1, -1], 3, INF)
    assert reduce(model_of([10, 10, 4, 4, 3, 3, 6, 6], [*groups, room, forced])) is None

"""The walk over options of the own engine: every point it ends in holds, and chance takes it to good ones."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from capalloc.engines.own.problem import problem_of
from capalloc.engines.own.walking import Walk, walkable
from capalloc.engines.points import holds
from small_models import INF, financed_model, model_of
from test_own_presolve import models, points_of


def walked(model, start, steps, seed=0):
    """Return the best point of a walk without prices."""
    walk = Walk(problem_of(model), np.zeros(len(model.row_upper)), np.random.default_rng(seed))
    return walk.go(np.array(start), steps, lambda: False)


def test_an_option_is_forced_in_and_what_stands_in_its_way_goes():
    """Two small options fill a room that one of greater value needs whole."""
    model = model_of([3, 3, 7], [([1, 1, 2], -INF, 2)])
    assert walked(model, [1.0, 1.0, 0.0], 50).tolist() == [0, 0, 1]


def test_an_option_brings_what_it_waits_for():
    """The second may only be taken with the first, which gains nothing and would not be taken for itself."""
    model = model_of([-1, 5, 2], [([-1, 1, 0], -INF, 0), ([1, 1, 1], -INF, 2)])
    assert walked(model, [0.0, 0.0, 1.0], 50).tolist() == [1, 1, 0]


def test_what_is_due_is_never_left_out():
    """Of the first two options one is due although both lose."""
    model = model_of([-4, -3, 2], [([1, 1, 0], 1, 1), ([0, 2, 2], -INF, 3)])
    assert walked(model, [0.0, 1.0, 0.0], 80).tolist() == [1, 0, 1]


def test_what_leaves_no_room_for_what_is_due_is_never_taken():
    """One of the first two options is due, and beside either the third, worth more than both, does not fit."""
    model = model_of([-4, -3, 9], [([1, 1, 0], 1, 1), ([2, 2, 2], -INF, 3)])
    assert walked(model, [1.0, 0.0, 0.0], 80).tolist() == [0, 1, 0]
    assert walked(model, [0.0, 1.0, 0.0], 80) is None


def test_of_a_group_one_option_comes_in_the_place_of_another():
    """No other row keeps the two of a project apart."""
    model = model_of([3, 2, 1], [([1, 1, 0], -INF, 1), ([1, 1, 1], -INF, 3)])
    assert walked(model, [0.0, 1.0, 1.0], 60).tolist() == [1, 0, 1]


def test_a_row_over_two_groups_is_kept_although_it_states_one():
    """The second row makes a group of the first two, and says besides that they exclude the others."""
    model = model_of(
        [4, 4, 3, 3, 1], [([0, 0, 1, 1, 0], -INF, 1), ([1, 1, 1, 1, 0], -INF, 1), ([3, 3, 3, 3, 2], -INF, 9)]
    )
    assert model.objective @ walked(model, np.zeros(5), 40) == 5


def test_a_walk_that_finds_nothing_better_says_so():
    """The start is the best point, so there is nothing to give back."""
    assert walked(model_of([3, 2], [([1, 1], -INF, 1)]), [1.0, 0.0], 30) is None


def test_a_walk_ends_when_it_is_told():
    """No step is made once the run is over."""
    model = model_of([3, 3, 7], [([1, 1, 2], -INF, 2)])
    walk = Walk(problem_of(model), np.zeros(1), np.random.default_rng(0))
    assert walk.go(np.array([1.0, 1.0, 0.0]), 50, lambda: True) is None


def test_the_same_seed_walks_the_same_way():
    """Chance is drawn from the seed alone."""
    gains = [float(7 + (5 * number) % 11) for number in range(30)]
    model = model_of(gains, [([1 + (3 * number) % 7 for number in range(30)], -INF, 40)])
    first, second = (walked(model, np.zeros(30), 20, seed=4) for _ in range(2))
    assert np.array_equal(first, second)


def test_only_models_of_nothing_but_options_are_walked():
    """Payments would have to follow at every step."""
    assert walkable(problem_of(model_of([3, 2], [([1, 1], -INF, 1)])))
    assert not walkable(problem_of(financed_model()))


@given(models(), st.integers(0, 5))
def test_a_walk_ends_in_a_point_that_holds_and_improves(model, seed):
    """From any point of any model of 0/1 columns; and no point is worth more than the best of all."""
    points = points_of(model)
    if not walkable(problem_of(model)) or not len(points):
        return
    start = np.array(points[0], dtype=float)
    found = walked(model, start, 60, seed)
    if found is not None:
        assert holds(model, found)
        assert model.objective @ start < model.objective @ found <= max(model.objective @ np.array(p) for p in points)

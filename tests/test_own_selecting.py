"""The columns of the own engine for what is selected: they change neither points nor values."""

import numpy as np
from hypothesis import given, settings

from capalloc.engines import engine_named
from capalloc.engines.own.selecting import selecting, unselected
from capalloc.engines.points import holds, value_of
from capalloc.model import SolveOptions
from small_models import INF, model_of
from test_own_presolve import models, points_of


def two_projects(due):
    """Two projects of two options, of which one must be taken where it is due, and a budget."""
    rows = [([1, 1, 0, 0], 1 if due else -INF, 1), ([0, 0, 1, 1], -INF, 1), ([5, 4, 3, 2], -INF, 7)]
    return model_of([9, 6, 5, 4], rows)


@given(models())
def test_points_and_values_stay_what_they_are(model):
    """Every point of a model has one in the wider model that is worth the same and leads back to it."""
    wide = selecting(model)
    for point in points_of(model):
        more = wide.extended(point)
        assert holds(wide.model, more)
        assert value_of(wide.model, more) == value_of(model, point)
        assert np.array_equal(wide.cut(more), point)


@settings(max_examples=30)
@given(models())
def test_the_best_value_stays_what_it_is(model):
    """HiGHS finds the same best value with the additional columns as without."""
    engine, options = engine_named("highs"), SolveOptions(gap=0.0)
    plain, wide = engine.solve(model, options), engine.solve(selecting(model).model, options)
    assert plain.status == wide.status
    if plain.x is not None and wide.x is not None:
        assert value_of(model, plain.x) == value_of(model, selecting(model).cut(wide.x))


def test_a_project_that_is_due_gets_no_column():
    """Only of a group from which nothing need be taken there is something to select."""
    assert selecting(two_projects(due=False)).model.matrix.shape == (5, 6)
    assert selecting(two_projects(due=True)).model.matrix.shape == (4, 5)


def test_a_column_says_whether_its_project_is_taken():
    """The column of a project is 1 with any of its options, and 0 with none; a tree may decide about it."""
    wide = selecting(two_projects(due=False))
    assert wide.model.integer.all()
    assert wide.extended(np.array([0.0, 1.0, 0.0, 0.0])).tolist() == [0, 1, 0, 0, 1, 0]
    assert not holds(wide.model, np.array([0.0, 1.0, 0.0, 0.0, 0.0, 0.0]))


def test_a_model_may_stay_as_it_is():
    """Without further columns points lead to themselves."""
    model = two_projects(due=False)
    point = np.array([0.0, 1.0, 1.0, 0.0])
    assert unselected(model).model is model
    assert unselected(model).cut(unselected(model).extended(point)).tolist() == point.tolist()

"""What is HiGHS's own: the relaxation and its duals, scaling, and the limits that must reach it."""

import numpy as np
import pytest

from capalloc.engines.highs import Highs, relaxation
from capalloc.engines.points import broken_rows, holds, mixed_rows
from capalloc.engines.scaling import scaled, scaling_of
from capalloc.issues import EngineFailed
from capalloc.model import SolveOptions
from small_models import INF, financed_model, hard_model, model_of

OPTIONS = SolveOptions(threads=1)


def test_the_relaxation_bounds_the_value():
    """With 50 units of room the half item fills what the whole ones leave: 60 + 100 + 20/30 * 120."""
    answer = relaxation(model_of([60, 100, 120], [([10, 20, 30], -INF, 50)]), OPTIONS)

    assert answer.value == pytest.approx(240)
    assert answer.x == pytest.approx([1, 1, 2 / 3])


def test_a_dual_says_what_one_more_unit_of_room_is_worth():
    """The marginal item is worth 120 / 30 = 4 a unit, and the next unit indeed adds 4."""
    room = relaxation(model_of([60, 100, 120], [([10, 20, 30], -INF, 50)]), OPTIONS)
    more = relaxation(model_of([60, 100, 120], [([10, 20, 30], -INF, 51)]), OPTIONS)

    assert room.row_duals == pytest.approx([4])
    assert more.value - room.value == pytest.approx(4)
    # A column at its upper bound is worth its value less what its room is worth.
    assert room.column_duals == pytest.approx([60 - 40, 100 - 80, 0])


def test_the_dual_of_a_lower_side_is_negative():
    """Having to take one more unit of what costs 3 lowers the value by 3."""
    answer = relaxation(model_of([-3, -5], [([1, 1], 1, INF)], upper=9), OPTIONS)
    assert (answer.value, answer.row_duals.tolist()) == (-3, [-3])


def test_duals_survive_scaling():
    """One more of money, beside costs of millions, is worth what the marginal project earns a unit."""
    model = model_of(
        [8, 3, 0],
        [([-8_000_000, -4_000_000, 1], 0, 0), ([0, 0, 1], -INF, 9_000_000)],
        upper=[1, 1, INF],
        whole=[True, True, False],
    )

    answer = relaxation(model, OPTIONS)

    assert answer.value == pytest.approx(8 + 3 / 4)
    assert answer.row_duals == pytest.approx([-3 / 4e6, 3 / 4e6])


@pytest.mark.parametrize(
    "model",
    [model_of([1], [([1], 2, 3)]), model_of([1], lower=1, upper=0), model_of([], [([], 1, 1)])],
    ids=["no point", "crossed bounds", "an empty row"],
)
def test_no_relaxation_of_an_impossible_model(model):
    """``None`` says that there is no point."""
    assert relaxation(model, OPTIONS) is None


def test_the_relaxation_of_a_model_without_columns_is_zero():
    """A row that nothing enters is worth nothing."""
    answer = relaxation(model_of([], [([], -1, 1)]), OPTIONS)
    assert (answer.value, answer.row_duals.tolist()) == (0, [0])


def test_a_relaxation_without_limit_is_told():
    """As in a run on whole numbers."""
    with pytest.raises(EngineFailed, match="HiGHS finds no limit to the value"):
        relaxation(model_of([1], upper=INF), OPTIONS)


def test_an_option_out_of_range_is_refused():
    """A seed that HiGHS does not take is not dropped in silence."""
    with pytest.raises(EngineFailed, match="refuses the value -1 of random_seed"):
        Highs().solve(model_of([1]), SolveOptions(seed=-1))


def test_numbers_too_far_apart_are_refused():
    """An entry that HiGHS would drop changes the model, so the model is refused."""
    with pytest.raises(EngineFailed, match="declare a larger unit"):
        Highs().solve(model_of([1, 1], [([2.0**52, 1], -INF, 2.0**52)]), OPTIONS)


def test_the_version_and_status_of_highs_are_kept():
    """A doubter can see what ran."""
    details = Highs().solve(financed_model(), OPTIONS).details
    assert details["status"] == "kOptimal"
    assert details["version"].startswith("1.")


def test_scaling_brings_money_near_one_and_loses_nothing():
    """Factors are powers of two, whole columns stay as they are, and scaling back gives the same numbers."""
    model = model_of(
        [3, 0, 0],
        [([-7_654_321, 1, 1], 0, 0), ([0, 1, 0], -INF, 4_000_000)],
        upper=[1, 7_654_321, 7_654_321],
        whole=[True, False, False],
    )

    scaling = scaling_of(model)
    small = scaled(model, scaling)

    for factors in (scaling.rows, scaling.columns, np.array([scaling.objective])):
        assert (np.frexp(factors)[0] == 0.5).all()
    assert scaling.columns[0] == 1
    assert np.abs(small.matrix.data).min() > 0.1
    assert np.abs(small.matrix.data).max() < 10
    assert (small.matrix.toarray() / scaling.rows[:, None] / scaling.columns == model.matrix.toarray()).all()
    assert (small.row_upper / scaling.rows == model.row_upper).all()
    assert (small.upper * scaling.columns == model.upper).all()


def test_small_rows_of_whole_columns_are_not_scaled():
    """One unit in them stays one unit, far above any tolerance."""
    model = hard_model(3, 10)
    assert scaling_of(model).rows.tolist() == [1, 1, 1]


def test_a_point_is_judged_exactly_where_all_is_whole():
    """One unit in ten million too much breaks a row; a row with money in it is kept up to the noise of floats."""
    whole = model_of([1, 1], [([10**7, 1], -INF, 10**7)])
    mixed = model_of([1, 1], [([10**7, 1], -INF, 10**7)], upper=[1, 1], whole=[True, False])

    assert broken_rows(whole, np.array([1.0, 1.0])).tolist() == [True]
    assert holds(whole, np.array([1.0, 0.0]))
    assert broken_rows(mixed, np.array([1.0, 1.0])).tolist() == [True]
    assert holds(mixed, np.array([1.0, 1e-4]))
    assert (mixed_rows(whole).tolist(), mixed_rows(mixed).tolist()) == ([False], [True])


@pytest.mark.parametrize(
    "point", [[0.5, 0], [2, 0], [-1, 0], [float("nan"), 0], [0]], ids=["half", "above", "below", "NaN", "short"]
)
def test_a_point_outside_its_columns_does_not_hold(point):
    """Whole columns are whole, bounds are kept, and there is one entry a column."""
    assert not holds(model_of([1, 1]), np.array(point, dtype=float))


def test_payments_that_nothing_tells_apart_do_not_cost_the_best_point():
    """When it merges two sources of one account, HiGHS 1.15.1 calls 236,111 the most; the last option is worth more."""
    model = model_of(
        [180_556, 236_111, 2_388_889, 2_388_889, 1_250_000, 0, 0, 0, 0, 0],
        [
            ([0, 0, 1, 1, 1, 0, 0, 0, 0, 0], -INF, 1),
            ([1, 1, 1, 1, 1, 0, 0, 0, 0, 0], 1, 1),
            ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 0, 0),
            ([-1, 0, 0, 0, 0, 0, 0, 0, 1, 0], 0, 0),
            ([-3, -4, 0, 0, 0, 0, 0, 0, 0, 1], 0, 0),
            ([0, 0, 0, 0, 3, 1, 1, 1, 1, 0], -INF, 3),
            ([0, 0, -5, -5, 0, 1, 1, 1, 0, 0], 0, 0),
            ([0, 0, -5, 0, 0, 1, 0, 0, 0, 0], -INF, 0),
            ([0, 0, 0, -5, 0, 0, 0, 1, 0, 0], -INF, 0),
        ],
        upper=[1, 1, 1, 1, 1, 5, 5, 5, 5, 7],
        whole=[True] * 5 + [False] * 5,
    )

    answer = Highs().solve(model, OPTIONS)

    assert (answer.status, model.objective @ answer.x, answer.bound) == ("optimal", 1_250_000, 1_250_000)


def test_money_that_is_carried_over_does_not_cost_the_best_point():
    """When it aggregates payments, HiGHS 1.15.1 calls 1 the most; the second option is worth 2 and can be paid."""
    model = model_of(
        [1, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        [
            ([0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0], -INF, 1),
            ([-1, -4, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0], 0, 0),
            ([0, -3, -4, 0, 0, 1, 1, 0, 0, 0, 0, 0], 0, 0),
            ([0, 0, -3, 0, 0, 0, 0, 1, 1, 0, 0, 0], 0, 0),
            ([0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0, 0], -INF, 5),
            ([0, 0, 0, 0, 0, 1, 1, 0, 0, -1, 1, 0], -INF, 2),
            ([0, 0, 0, 0, 0, 0, 0, 1, 1, 0, -1, 0], -INF, 2),
            ([0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, -1], 0, 0),
        ],
        upper=[1, 1, 1, 5, 5, 3, 3, 3, 3, 1, 1, 1],
        whole=[True] * 3 + [False] * 8 + [True],
    )

    answer = Highs().solve(model, OPTIONS)

    assert (answer.status, model.objective @ answer.x, answer.bound) == ("optimal", 2, 2)

"""The referee: exact where floats are not, honest about what is too much for it."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capalloc.engines.enumeration import Enumeration
from capalloc.engines.exact_simplex import Unbounded, maximise
from capalloc.engines.points import value_of
from capalloc.issues import EngineFailed
from capalloc.model import SolveOptions, Status, StoppedBy
from small_models import INF, hard_model, model_of

OPTIONS = SolveOptions()


def fractions(numbers):
    """Return the numbers as exact ones."""
    return [Fraction(number) for number in numbers]


def test_a_third_is_a_third():
    """The simplex method works in rationals: x + y with 3 x <= 1 and 3 y <= 2 is 1 exactly."""
    answer = maximise(fractions([1, 1]), [(fractions([3, 0]), Fraction(1)), (fractions([0, 3]), Fraction(2))])
    assert (answer.value, answer.point) == (1, (Fraction(1, 3), Fraction(2, 3)))


def test_a_first_point_is_found_when_zero_is_none():
    """At least 2 and at most 3 of x, less of it being better."""
    answer = maximise(fractions([-1]), [(fractions([-1]), Fraction(-2)), (fractions([1]), Fraction(3))])
    assert (answer.value, answer.point) == (-2, (2,))


def test_no_point_is_none():
    """At least 2 and at most 1 of x."""
    assert maximise(fractions([1]), [(fractions([-1]), Fraction(-2)), (fractions([1]), Fraction(1))]) is None


def test_an_unbounded_value_is_told():
    """More of x is always better."""
    with pytest.raises(Unbounded):
        maximise(fractions([1]), [(fractions([-1]), Fraction(0))])


def test_no_columns_and_no_rows():
    """Nothing to choose is worth nothing; a row that asks for more than nothing has no point."""
    assert maximise([], []).value == 0
    assert maximise([], [([], Fraction(-1))]) is None


def test_a_run_that_is_stopped_says_so():
    """The clock is looked at before every step."""
    with pytest.raises(InterruptedError):
        maximise(fractions([1]), [(fractions([1]), Fraction(1))], lambda: True)


def test_a_cycle_is_left():
    """Beale's example, on which the ordinary rule goes in circles."""
    rows = [
        (fractions([Fraction(1, 4), -60, Fraction(-1, 25), 9]), Fraction(0)),
        (fractions([Fraction(1, 2), -90, Fraction(-1, 50), 3]), Fraction(0)),
        (fractions([0, 0, 1, 0]), Fraction(1)),
    ]
    assert maximise(fractions([Fraction(3, 4), -150, Fraction(1, 50), -6]), rows).value == Fraction(1, 20)


numbers = st.integers(-6, 8)


@given(st.data(), st.integers(1, 4), st.integers(0, 5))
def test_strong_duality_holds_exactly(data, columns, rows):
    """The optimum of a linear program is the optimum of its dual, to the last digit."""
    entries = [[Fraction(data.draw(numbers)) for _ in range(columns)] for _ in range(rows)]
    room = [Fraction(data.draw(numbers)) for _ in range(rows)]
    gains = [Fraction(data.draw(numbers)) for _ in range(columns)]
    dual_rows = [([-entries[i][j] for i in range(rows)], -gains[j]) for j in range(columns)]
    try:
        answer = maximise(gains, list(zip(entries, room, strict=True)))
    except Unbounded:
        assert maximise([Fraction(0)] * rows, dual_rows) is None
        return
    if answer is None:
        return
    assert answer.value == -maximise([-amount for amount in room], dual_rows).value
    assert all(amount >= 0 for amount in answer.point)
    for line, most in zip(entries, room, strict=True):
        assert sum(entry * amount for entry, amount in zip(line, answer.point, strict=True)) <= most


def test_two_to_the_fifty_and_one():
    """Where floats of 53 bits just reach, the referee is exact: the second column does not fit."""
    model = model_of([1, 1], [([2**50, 1], -INF, 2**50)])
    outcome = Enumeration().solve(model, OPTIONS)
    assert outcome.x.tolist() == [1, 0]


def test_free_columns_and_columns_open_below():
    """Without bounds of their own they are held by the rows: y <= -2 x and z = y - 1."""
    model = model_of(
        [1, 1, 1],
        [([2, 1, 0], -INF, 0), ([0, 1, -1], 1, 1)],
        lower=[0, -INF, -INF],
        upper=[1, INF, 5],
        whole=[True, False, False],
    )
    outcome = Enumeration().solve(model, OPTIONS)
    assert outcome.x.tolist() == [0, 0, -1]


def test_a_fraction_of_a_unit_is_no_whole_number():
    """Bounds between whole numbers leave those inside; none inside is no point."""
    assert Enumeration().solve(model_of([1], lower=0.5, upper=2.5), OPTIONS).x.tolist() == [2]
    assert Enumeration().solve(model_of([1], lower=0.2, upper=0.8), OPTIONS).status is Status.INFEASIBLE


@pytest.mark.parametrize("upper", [1, INF], ids=["thirty columns", "a column without end"])
def test_too_many_combinations_are_refused(upper):
    """Two to the thirtieth is beyond the limit, and the message says where to go."""
    with pytest.raises(EngineFailed, match=r"more than the 100,000,000 combinations.*choose the engine highs"):
        Enumeration().solve(model_of([1] * 30, upper=upper), OPTIONS)


def test_groups_keep_the_number_of_combinations_small():
    """Ten groups of at most one in five are 6**10 combinations and not 2**50, and few are visited."""
    rows = [([int(column // 5 == group) for column in range(50)], -INF, 1) for group in range(10)]
    with pytest.raises(EngineFailed, match="more than"):
        Enumeration().solve(model_of(range(50), rows[:9]), OPTIONS)
    outcome = Enumeration().solve(model_of(range(50), rows), OPTIONS)
    assert outcome.bound == sum(range(4, 50, 5))
    assert outcome.nodes < 100


def test_a_walk_cut_short_has_a_safe_bound():
    """The bound is what no point could pass, and the best point so far is kept."""
    model = hard_model(3, 26)

    outcome = Enumeration().solve(model, SolveOptions(node_limit=2_000))

    assert (outcome.status, outcome.stopped_by) == (Status.FEASIBLE, StoppedBy.NODE_LIMIT)
    assert value_of(model, outcome.x) <= outcome.bound <= np.sum(model.objective) * (1 + 1e-12)
    assert outcome.nodes == 2_000


def test_a_time_limit_ends_the_walk():
    """Also in the middle of it."""
    outcome = Enumeration().solve(hard_model(3, 26), SolveOptions(time_limit=0.3))
    assert outcome.stopped_by is StoppedBy.TIME_LIMIT
    assert outcome.seconds < 5

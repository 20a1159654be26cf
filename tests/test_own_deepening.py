"""The proof of the own engine for problems of few rows, against enumeration: what it claims to be the best is."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capalloc.engines import engine_named
from capalloc.engines.base import Watch
from capalloc.engines.own import sieving
from capalloc.engines.own.board import Board
from capalloc.engines.own.deepening import Deepening, sievable, step_of
from capalloc.engines.own.presolve import reduce
from capalloc.engines.own.problem import problem_of
from capalloc.engines.own.sieving import Sieve, choices_of
from capalloc.engines.points import holds, value_of
from capalloc.model import SolveOptions, Status, StoppedBy
from small_models import INF, financed_model, model_of
from test_own_presolve import models

ENOUGH = 10**9


def board_of(model):
    """A board for a model as it is."""
    options = SolveOptions(gap=0.0, time_limit=None)
    return Board(problem_of(model), 0.0, options, Watch(options, None))


def kept(model):
    """All points of a model of 0/1 columns, one a row."""
    every = np.array(list(itertools.product((0.0, 1.0), repeat=len(model.objective))))
    used = every @ model.matrix.toarray().T
    return every[((used <= model.row_upper) & (used >= model.row_lower)).all(axis=1)]


def greatest(model):
    """The greatest value of a model of 0/1 columns; ``None`` without a point."""
    points = kept(model)
    return max((points @ model.objective).tolist(), default=None)


def proved_best(model, most=ENOUGH):
    """The best value by deepening, in pieces of so many choices; ``None`` without a point."""
    board = board_of(model)
    deepening = Deepening(board)
    while not deepening.proved(deepening.worked + most):
        assert not board.over or board.best is not None
        if board.over:
            break
    if board.best is None:
        return None
    assert holds(model, board.best)
    assert board.bound >= board.value - 1e-9
    return value_of(model, board.best)


@st.composite
def knapsacks(draw, most=8):
    """A few columns in one to three rows, in groups or alone."""
    count = draw(st.integers(2, most))
    numbers = st.lists(st.integers(0, 12), min_size=count, max_size=count)
    rows = [(draw(numbers), -INF, draw(st.integers(0, 30))) for _ in range(draw(st.integers(1, 3)))]
    if draw(st.booleans()):
        rows.append(([1, 1] + [0] * (count - 2), draw(st.sampled_from([-INF, 1])), 1))
    if draw(st.booleans()):
        rows.append(([1] * count, draw(st.integers(0, 3)), INF))
    values = draw(st.lists(st.integers(-2, 20), min_size=count, max_size=count))
    return model_of([*values[:-1], values[-1] or 1], rows)


@settings(max_examples=60)
@given(knapsacks())
def test_the_best_of_a_knapsack_is_proved(model):
    """What deepening calls the best is the best of all points, and no point is where it finds none."""
    best = greatest(model)
    found = proved_best(model)
    assert (found is None) == (best is None)
    assert best is None or found == pytest.approx(best, abs=1e-9)


@settings(max_examples=60)
@given(models())
def test_the_best_of_any_model_of_0_1_columns_is_proved(model):
    """Projects that are due, links and rows with two sides included."""
    reduced = reduce(model)
    if reduced is None or not reduced.columns.size or not sievable(problem_of(reduced.model)):
        return
    assert proved_best(reduced.model) == greatest(reduced.model)


@settings(max_examples=60)
@given(knapsacks())
def test_a_point_one_step_below_the_best_hides_it_from_nobody(model):
    """Where the best is worth exactly what is asked for, no rounding of prices such as thirds loses it."""
    points = kept(model)
    worth = points @ model.objective
    near = points[worth == worth.max(initial=-INF) - step_of(model.objective)]
    if len(near):
        board = board_of(model)
        board.offer(near[0])
        assert Deepening(board).proved(ENOUGH)
        assert board.value == worth.max()


@settings(max_examples=15)
@given(model=knapsacks(most=6), wide=st.sampled_from([1, 3, 7]), most=st.sampled_from([1, 3_000]))
def test_pieces_lose_nothing(model, wide, most):
    """However little is gone on with at once, and however often it is interrupted, the best stays the best."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sieving, "_WIDE", wide)
        patch.setattr(sieving, "_PIECE", most)
        best, found = greatest(model), proved_best(model, most)
        assert (found is None) == (best is None)
        assert best is None or found == pytest.approx(best, abs=1e-9)


@settings(max_examples=40)
@given(model=knapsacks(), prices=st.lists(st.integers(0, 9), min_size=12, max_size=12), least=st.integers(-5, 60))
def test_a_sieve_loses_no_point_by_any_multipliers(model, prices, least):
    """Every point that is worth enough comes through, whatever multipliers it is sieved with."""
    problem = problem_of(model)
    choices = choices_of(problem)
    multipliers = np.resize(np.array(prices, dtype=float), (2, len(choices.room)))
    sieve, found = Sieve(choices, multipliers, float(least)), []
    while not sieve.done:
        sieve.go(lambda columns: found.append(tuple(sorted(columns.tolist()))))
    points = {tuple(np.flatnonzero(point).tolist()): point @ model.objective for point in kept(model)}
    assert {columns for columns, worth in points.items() if worth >= least} <= set(found)
    assert all(points.get(columns, least) >= least - 1e-9 for columns in found)


def test_a_relaxation_may_take_more_than_one_of_a_group():
    """A row of twos with room for three states a group, of which a relaxed point takes one and a half."""
    model = model_of([3, 4, 5, 6], [([2, 2, 0, 0], -INF, 3), ([0, 0, 2, 2], -INF, 3), ([1, 1, 1, 1], 0, 5)])
    assert proved_best(model) == greatest(model) == 10


@pytest.mark.parametrize(
    ("values", "weights", "room"),
    [
        ([1, 12, 27, 12, 12], [4, 6, 2, 5, 5], 11),
        ([1, 18, 12, 6, 15, 9, 24, 24], [1, 1, 7, 9, 5, 2, 3, 4], 16),
        ([7, 12, 24, 6, 18, 24, 15], [4, 1, 7, 2, 2, 6, 8], 15),
    ],
)
def test_a_plan_one_below_the_best_is_not_called_the_best(values, weights, room):
    """The bound of those that take so many options is the best value itself there, which rounding may put below it."""
    model = model_of(values, [(weights, -INF, room)])
    best = greatest(model)
    for start in (point for point in kept(model) if point @ model.objective == best - 1):
        found = engine_named("capalloc").solve(model, SolveOptions(gap=0.0), start=start)
        assert value_of(model, found.x) == best


@pytest.mark.parametrize("price", [0.3, 1 / 3, 0.7, 1.1])
def test_large_terms_that_cancel_lose_no_point(price):
    """Costs of 10^12 and a little more, one of each group: bounds of a few units are differences of such amounts."""
    draw = np.random.default_rng(7)
    for _ in range(50):
        weights, values = 10**12 + draw.integers(0, 10, 9), draw.integers(1, 10, 9)
        groups = [(np.repeat(np.arange(3) == group, 3), 1, 1) for group in range(3)]
        model = model_of(values, [(weights, -INF, 3 * 10**12 + 9), *groups])
        best, choices, found = greatest(model), choices_of(problem_of(model)), []
        if best is not None:
            sieve = Sieve(choices, np.full((1, len(choices.room)), price), best)
            while not sieve.done:
                sieve.go(lambda columns, model=model, found=found: found.append(model.objective[columns].sum()))
            assert max(found, default=None) == best


def test_the_prospect_is_told_without_a_warning():
    """Also where the first pass asks for exactly two less than the bound."""
    deepening = Deepening(board_of(knapsack(5, 60, 1)))
    deepening._passes = [(2.0, 5)]  # noqa: SLF001  # no small model has its first pass there and another to come
    deepening.proved(1)
    assert deepening.prospect > 0


def test_few_combinations_wait_where_each_holds_many_numbers(monkeypatch):
    """A group of thousands of choices, or a thousand rows, does not take more memory than there is."""
    monkeypatch.setattr(sieving, "_MOST_NUMBERS", 100_000)
    rows = [(row, -INF, 60) for row in np.random.default_rng(1).integers(1, 100, (6, 200))]
    choices = choices_of(problem_of(model_of(np.full(200, 5), rows)))
    sieve = Sieve(choices, np.full((12, len(choices.room)), 0.01), 5.0)
    assert 1 <= sieve.wide <= 100_000 // (200 * 18)


def test_values_of_points_lie_a_step_apart():
    """Whole values are multiples of what divides all of them; of others nothing is known."""
    assert step_of(np.array([6.0, -9.0, 0.0])) == 3
    assert step_of(np.array([6.0, 9.5])) == 0
    assert step_of(np.array([2.0**60, 1.0])) == 0
    assert step_of(np.zeros(2)) == 0


def test_only_few_rows_of_whole_columns_are_sieved():
    """Payments, many rows that do more than state groups, and values that no step divides are left to the tree."""
    assert sievable(problem_of(model_of([3, 4], [([2, 3], -INF, 4)])))
    assert not sievable(problem_of(financed_model()))
    many = [([2, 3, 4], -INF, 5 + row % 3) for row in range(100)]
    assert not sievable(problem_of(model_of([3, 4, 5], many)))
    assert not sievable(problem_of(model_of([3.5, 4], [([2, 3], -INF, 4)])))
    assert not sievable(problem_of(model_of([1, 10**15], [([2, 3], -INF, 4)])))
    groups = [([int(column // 2 == group) for column in range(200)], -INF, 1) for group in range(100)]
    assert sievable(problem_of(model_of([1] * 200, groups)))


def knapsack(rows, columns, seed):
    """A knapsack in which what an item asks for says nothing about what it is worth."""
    draw = np.random.default_rng(seed)
    weights = draw.integers(5, 100, (rows, columns))
    return model_of(draw.integers(5, 100, columns), [(row, -INF, row.sum() // 3) for row in weights])


def test_an_easy_knapsack_is_proved_before_any_tree():
    """The engine ends it at once, at the value that HiGHS proves, and with the same plan whatever the seed."""
    model = knapsack(2, 40, 5)
    plans = [engine_named("capalloc").solve(model, SolveOptions(gap=0.0, seed=seed)) for seed in (1, 2)]
    other = engine_named("highs").solve(model, SolveOptions(gap=0.0))
    assert [plan.status for plan in plans] == [Status.OPTIMAL, Status.OPTIMAL]
    assert np.array_equal(plans[0].x, plans[1].x)
    assert value_of(model, plans[0].x) == value_of(model, other.x)


def test_what_cannot_be_is_proved_too():
    """Two of three items have to be taken and no two fit together, as rows of other items' weights hide."""
    rows = [([5, 6, 7, 1], -INF, 10), ([1, 1, 1, 0], 2, INF), ([2, 2, 2, 3], -INF, 9)]
    assert proved_best(model_of([1, 2, 3, 4], rows)) is None
    assert engine_named("capalloc").solve(model_of([1, 2, 3, 4], rows), SolveOptions()).status is Status.INFEASIBLE


def test_a_limit_of_nodes_ends_deepening():
    """What is sieved counts as nodes, so that a limit ends it, and the same limit leads to the same plan."""
    model = knapsack(5, 80, 3)
    options = SolveOptions(gap=0.0, node_limit=40, time_limit=None)
    first, second = (engine_named("capalloc").solve(model, options) for _ in range(2))
    assert first.stopped_by is StoppedBy.NODE_LIMIT
    assert np.array_equal(first.x, second.x)
    assert first.bound == second.bound


def test_most_of_few_nodes_is_left_to_the_search_for_plans():
    """A limit of nodes is kept, and a quarter of it is all that deepening may use."""
    model = knapsack(5, 80, 3)
    for nodes in (20, 40):
        outcome = engine_named("capalloc").solve(model, SolveOptions(gap=0.0, node_limit=nodes, time_limit=None))
        assert outcome.nodes == nodes
        assert value_of(model, outcome.x) > 0.99 * outcome.bound


def test_a_stop_is_heeded_before_the_parts_are_known():
    """What had no time to be asked is not taken for asked in vain."""
    board = board_of(knapsack(5, 60, 1))
    deepening = Deepening(board)
    assert not deepening.proved(1)
    board.finish()
    assert not deepening.proved(ENOUGH)
    assert deepening.worked < 100_000


def test_the_bound_falls_while_nothing_is_found():
    """What was asked for in vain is a bound, no less than the best."""
    board = board_of(knapsack(5, 60, 1))
    deepening = Deepening(board)
    deepening.proved(60_000)
    between = board.bound
    assert deepening.prospect > 0
    assert deepening.proved(ENOUGH)
    assert board.value <= between
    assert Fraction(board.value).denominator == 1

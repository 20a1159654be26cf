"""The engine with a memory: what it knows of a model helps with the next and never claims anything of it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capalloc.engines import engine_named
from capalloc.engines.own import problem, remembering
from capalloc.engines.own.exchange import exchanged
from capalloc.engines.own.memory import MOST_MULTIPLIERS, MOST_POINTS, Basis, Memory, memory_of, memory_text
from capalloc.engines.own.problem import problem_of
from capalloc.engines.own.remembering import Remembering
from capalloc.engines.points import holds, value_of
from capalloc.model import Block, SolveOptions, Status, StoppedBy
from small_models import INF, financed_model, hard_model, model_of
from strategies import cases
from test_own_presolve import models, points_of

TO_THE_END = SolveOptions(time_limit=None, gap=0, threads=1)


def knapsack(room, values=(9, 7, 6, 3, 2)):
    """Five projects of costs 8, 7, 5, 4, 2 that share a room, with names."""
    model = model_of(values, [([8, 7, 5, 4, 2], -INF, room)])
    return replace(model, rows=(Block("envelope", [("state",)]),), columns=(Block("option", [(n,) for n in "ABCDE"]),))


def best_of(model):
    """The greatest value of any point, ``None`` without one."""
    return max((value_of(model, point) for point in points_of(model)), default=None)


@st.composite
def changed(draw, model):
    """The model with other row sides, another objective, or both."""
    moves = st.integers(-3, 3)
    rows, columns = len(model.row_upper), len(model.objective)
    sides = np.array(draw(st.lists(moves, min_size=rows, max_size=rows)), dtype=float)
    gains = np.array(draw(st.lists(moves, min_size=columns, max_size=columns)), dtype=float)
    return replace(
        model,
        row_upper=np.maximum(model.row_upper + sides, model.row_lower),
        objective=model.objective + gains * draw(st.booleans()) * (model.objective != 0),
    )


@cases(40)
@given(st.data())
def test_every_model_of_a_family_is_solved_as_by_trying_everything(data):
    """With other sides and values, one after the other, the answer is the best point and the bound is its value."""
    engine, model = Remembering(), data.draw(models())
    for _ in range(4):
        outcome = engine.solve(model, TO_THE_END)
        best = best_of(model)
        if best is None:
            assert outcome.status is Status.INFEASIBLE
        else:
            assert outcome.status is Status.OPTIMAL
            assert value_of(model, outcome.x) == pytest.approx(best)
            assert holds(model, outcome.x)
        model = data.draw(changed(model))


@cases(40)
@given(st.data(), st.sampled_from([0.01, 0.1, 0.5]))
def test_a_bound_is_never_below_the_best_point(data, gap):
    """However little of the work is done, what is claimed of a changed model is true of it."""
    engine, model = Remembering(), data.draw(models())
    for _ in range(4):
        outcome, best = engine.solve(model, replace(TO_THE_END, gap=gap)), best_of(model)
        if best is not None:
            assert outcome.bound >= best - 1e-9 * max(1, abs(best))
            assert value_of(model, outcome.x) >= best - gap * abs(best) / (1 - gap) - 1e-9
        model = data.draw(changed(model))


@cases(40)
@given(models(), models())
def test_what_is_known_of_another_model_does_no_harm(first, second):
    """A memory of a model with which this one has nothing in common, not even the size, changes no answer."""
    engine = Remembering()
    engine.solve(first, TO_THE_END)
    outcome, best = engine.solve(second, TO_THE_END), best_of(second)
    assert (outcome.status is Status.INFEASIBLE) == (best is None)
    if best is not None:
        assert outcome.status is Status.OPTIMAL
        assert value_of(second, outcome.x) == pytest.approx(best)


def test_a_known_point_and_known_multipliers_answer_at_once(monkeypatch):
    """Where the old plan still holds and the old multipliers still bound it within the gap, nothing is solved."""
    engine = Remembering()
    engine.solve(knapsack(15), TO_THE_END)

    def fail(*_):
        raise AssertionError("nothing had to be solved")

    monkeypatch.setattr(remembering, "Simplex", fail)
    monkeypatch.setattr(remembering, "search_among", fail)
    monkeypatch.setattr(remembering, "Capalloc", fail)
    outcome = engine.solve(knapsack(16), SolveOptions(gap=0.1, threads=1))
    assert outcome.status is Status.WITHIN_GAP
    assert value_of(knapsack(16), outcome.x) == 17
    assert 17 < outcome.bound <= 18.7


def test_columns_and_rows_are_found_again_by_their_names():
    """The plan and the price of the room are remembered although a project is new and the others changed places."""
    engine = Remembering()
    engine.solve(knapsack(15), TO_THE_END)
    other = model_of([1, 2, 3, 6, 7, 9], [([1] * 6, -INF, 6), ([1, 2, 4, 5, 7, 8], -INF, 15)])
    other = replace(
        other,
        rows=(Block("group", [("few",)]), Block("envelope", [("state",)])),
        columns=(Block("option", [(n,) for n in "FEDCBA"]),),
    )
    known = engine.memory.on(other)
    assert known.points[0].tolist() == [0, 1, 0, 1, 0, 1]
    assert known.multipliers[0].tolist() == [0, *engine.memory.multipliers[0]]
    assert len(known.basis.columns) == 6
    assert len(known.basis.rows) == 2
    assert value_of(other, engine.solve(other, TO_THE_END).x) == 17


def test_what_has_another_shape_is_not_remembered():
    """A model without origins is known by its shape: points, multipliers and bases of another one say nothing of it."""
    model = model_of([1, 2], [([1, 1], -INF, 1)])
    right = Memory((), (), (np.ones(2),), (np.ones(1),), Basis(np.zeros(2, np.int8), np.zeros(1, np.int8)))
    assert right.on(model) is right
    for wrong in (
        replace(right, points=(np.ones(3),)),
        replace(right, multipliers=(np.ones(1), np.ones(2))),
        replace(right, basis=Basis(np.zeros(3, np.int8), np.zeros(1, np.int8))),
        replace(right, basis=Basis(np.zeros(2, np.int8), np.zeros(2, np.int8))),
    ):
        assert wrong.on(model) == Memory((), ())


def test_a_memory_forgets_the_oldest():
    """However many models there are, a memory holds so many points and multipliers and no more."""
    engine = Remembering()
    for room in range(2, 27):
        engine.solve(knapsack(room), TO_THE_END)
    assert len(engine.memory.points) <= MOST_POINTS
    assert len(engine.memory.multipliers) <= MOST_MULTIPLIERS


def test_a_memory_can_be_sent_elsewhere():
    """Written down and given to another engine, it is as good as at first."""
    engine = Remembering()
    engine.solve(knapsack(15), TO_THE_END)
    other = Remembering(memory_of(memory_text(engine.memory)))
    assert [point.tolist() for point in other.memory.points] == [point.tolist() for point in engine.memory.points]
    assert (other.memory.rows, other.memory.columns) == (engine.memory.rows, engine.memory.columns)
    assert value_of(knapsack(13), other.solve(knapsack(13), TO_THE_END).x) == 15


def test_what_was_never_solved_is_sent_as_nothing():
    """A bench that has not begun remembers nothing, and says so."""
    assert memory_of(memory_text(None)) is None


def test_the_same_models_in_the_same_order_give_the_same_points():
    """Nothing in it hangs on chance or on the clock while the limits are not met."""

    def run():
        engine, limits = Remembering(), SolveOptions(time_limit=None, gap=0.02, threads=1)
        model = hard_model(3, 30)
        return [
            engine.solve(replace(model, row_upper=np.floor(model.row_upper * part)), limits).x.tolist()
            for part in (0.9, 1.0, 1.05)
        ]

    assert run() == run()


def test_payments_are_chosen_anew_for_a_known_selection():
    """A source has less and the other more: the project stays, paid otherwise."""
    engine, model = Remembering(), financed_model()
    first = engine.solve(model, TO_THE_END)
    other = replace(model, row_upper=np.array([0.0, 0, 2, 6]))
    second = engine.solve(other, TO_THE_END)
    assert value_of(model, first.x) == value_of(other, second.x) == 10
    assert holds(other, second.x)


def test_a_time_that_is_up_is_said():
    """Without time there is nothing but what was given, and the reason."""
    outcome = Remembering().solve(hard_model(), SolveOptions(time_limit=0.0, gap=0), start=np.zeros(100))
    assert outcome.stopped_by is StoppedBy.TIME_LIMIT
    assert outcome.x.tolist() == [0] * 100


def test_progress_never_falls_back():
    """Values only rise and bounds only fall, also where the engine at length takes over."""
    seen = []
    Remembering().solve(hard_model(3, 30), SolveOptions(time_limit=20, gap=0, threads=1), progress=seen.append)
    values = [report.value for report in seen if report.value is not None]
    assert values == sorted(values)
    assert [report.bound for report in seen] == sorted((report.bound for report in seen), reverse=True)


def test_an_empty_memory_is_like_none():
    """A memory of nothing is what a first run begins with."""
    model = knapsack(15)
    outcome = Remembering(Memory(model.rows, model.columns)).solve(model, TO_THE_END)
    assert value_of(model, outcome.x) == value_of(model, engine_named("highs").solve(model, TO_THE_END).x)


def test_three_changes_are_made_at_once_where_two_gain_nothing():
    """One that fills the room gives way to two that are worth more together, and neither alone."""
    uses, gains = [4, 2, 2, *[9] * 7], [10, 6, 6, *[1] * 7]
    model = model_of(gains, [(uses, -INF, 4)])
    point = np.eye(10)[0]
    for price in (0.0, 2.5, 3.0):
        found = exchanged(problem_of(model), point, np.inf, np.array([price]))
        assert model.objective @ found == 12


def test_what_is_paid_follows_what_is_taken():
    """Two payments that have to make up for an option keep their proportion when the option costs more, or is left."""
    model = model_of([5, 1, 0, 0], [([10, 0, -1, -1], 0, 0), ([0, 0, 1, 0], -INF, 8)], upper=[1, 1, 20, 20])
    model = replace(model, integer=np.array([True, True, False, False]))
    found = exchanged(problem_of(model), np.array([1.0, 0, 3, 2]), np.inf, np.zeros(2))
    assert found.tolist() == pytest.approx([1, 1, 6, 4])
    left = exchanged(
        problem_of(replace(model, objective=-model.objective)), np.array([0.4, 0, 3, 1]), np.inf, np.zeros(2)
    )
    assert left.tolist() == pytest.approx([0, 0, 0, 0])


def shared_costs(dear):
    """Thirty projects, each paid by two sources that have half of what all cost; the first pays at least a fifth."""
    count = 30
    cost = np.round(np.array([7 + (11 * number) % 23 for number in range(count)]) * dear, 2)
    eye, none = np.eye(count), np.zeros((count, count))
    balance = [(row, 0, 0) for row in np.hstack([-cost * eye, eye, eye])]
    share = [(row, -INF, 0) for row in np.hstack([0.2 * cost * eye, -eye, none])]
    rooms = [(np.repeat(marks, count), -INF, 110.0) for marks in ([0, 1, 0], [0, 0, 1])]
    gains = np.concatenate([[5 + (7 * number) % 17 for number in range(count)], np.zeros(2 * count)])
    upper = np.concatenate([np.ones(count), cost, cost])
    return model_of(gains, [*balance, *share, *rooms], upper=upper, whole=[*[True] * count, *[False] * 2 * count])


def test_costs_that_change_are_paid_by_several_without_the_whole_engine(monkeypatch):
    """Options that two payers share are chosen and paid anew in small searches, however their costs move."""
    monkeypatch.setattr(remembering, "Capalloc", None)
    engine, limits = Remembering(), SolveOptions(gap=0.02, threads=1, time_limit=None, node_limit=10_000)
    for dear in (1.0, 1.03, 1.05, 1.02, 0.98):
        model = shared_costs(dear)
        outcome = engine.solve(model, limits)
        best = engine_named("highs").solve(model, TO_THE_END)
        assert holds(model, outcome.x)
        assert value_of(model, outcome.x) >= 0.98 * outcome.bound
        assert outcome.bound >= value_of(model, best.x) - 1e-6


def test_a_model_too_large_for_one_run_of_the_simplex_method_is_not_given_to_one(monkeypatch):
    """What is known of it still counts, and the rest is left to the engine without a memory."""
    engine = Remembering()
    engine.solve(knapsack(13), TO_THE_END)
    monkeypatch.setattr(problem, "_VAST", 0)
    monkeypatch.setattr(remembering, "Simplex", None)
    for room in (14, 15, 16):
        found = engine.solve(knapsack(room), TO_THE_END)
        assert found.x @ knapsack(room).objective == best_of(knapsack(room)) == found.bound

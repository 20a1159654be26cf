"""The parts of the own engine: bounds that hold for any multipliers, restricted searches, shared boards and turns."""

import itertools
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capalloc.engines import engine_named
from capalloc.engines.base import Watch
from capalloc.engines.own import diving
from capalloc.engines.own import engine as own_engine
from capalloc.engines.own.board import Board
from capalloc.engines.own.diving import Dive, dive
from capalloc.engines.own.neighbourhoods import component, freed, loosened, surroundings, window
from capalloc.engines.own.opening import opened
from capalloc.engines.own.problem import dual_bound, problem_of
from capalloc.engines.own.restricted import Effort, search_among
from capalloc.engines.own.rounding import rounded_down
from capalloc.engines.own.simplex import Simplex
from capalloc.engines.own.turns import Turns
from capalloc.engines.points import holds, value_of
from capalloc.model import SolveOptions, Status, StoppedBy
from small_models import INF, financed_model, hard_model, model_of
from test_own_presolve import models, points_of

TO_THE_END = SolveOptions(time_limit=None, gap=0, threads=1)
LONG = Effort(seconds=60.0, nodes=10_000, gap=0.0)


def board_of(model, options=TO_THE_END):
    """A board for a model as it is."""
    return Board(problem_of(model), 0.0, options, Watch(options, None))


def choices():
    """Three projects of two options each: 7 + 6 + 3 = 16 in 10 + 9 = 19 units of room is the best, without the dearest.

    The first options use the first row, the second ones the second.
    """
    groups = [([int(column // 2 == project) for column in range(6)], -INF, 1) for project in range(3)]
    return model_of([7, 6, 9, 6, 4, 3], [*groups, ([6, 0, 9, 0, 5, 0], -INF, 10), ([0, 5, 0, 7, 0, 4], -INF, 9)])


@given(models(), st.lists(st.integers(-6, 6), min_size=12, max_size=12))
def test_any_multipliers_bound_every_point(model, multipliers):
    """Weak duality: no point is worth more, however bad the multipliers, and gains say what fixing a column costs."""
    bound, gains = dual_bound(problem_of(model), np.array(multipliers[: len(model.row_upper)], dtype=float) / 2)
    for point in points_of(model):
        away = np.where(gains > 0, model.upper - point, point - model.lower)
        assert value_of(model, point) <= bound - (np.abs(gains) * away).max(initial=0) + 1e-9


@given(models())
def test_narrowed_bounds_keep_every_better_point(model):
    """What the root relaxation's gains fix is the same at every point worth more than the best on the board."""
    points = points_of(model)
    if not points:
        return
    board = board_of(model)
    lp = Simplex(board)
    board.root = dual_bound(board.problem, lp.solve().multipliers)
    board.offer(points[0])
    lower, upper = board.narrowed()
    for point in points:
        if value_of(model, point) > value_of(model, points[0]):
            assert (lower <= point).all()
            assert (point <= upper).all()


def test_a_restricted_search_agrees_with_what_is_held():
    """The first project's held option stays; of the points that have it the best is found, and said to be."""
    model = choices()
    board = board_of(model)
    held = np.array([1.0, 0, 0, 0, 0, 0])
    free = np.array([False, False, True, True, True, True])

    found = search_among(board, held, free, LONG)

    best = max(value_of(model, point) for point in points_of(model) if point[0] == 1 and point[1] == 0)
    assert value_of(model, found.point) == best
    assert found.point[0] == 1
    assert found.closed


def test_payments_are_set_free_with_the_options_that_ask_for_them():
    """With an option go the payments of its project; those of a project that is held stay, but for so many others."""
    board = board_of(financed_model())
    around = surroundings(board.problem, np.zeros(len(board.problem.model.row_upper)))
    best = np.array([0.0, 1, 0, 0, 2, 3])
    second = np.array([False, True] + [False] * 4)
    first = np.array([True, False] + [False] * 4)

    def loose(free, others):
        return loosened(around, best, free, others, np.random.default_rng(0)).tolist()

    assert loose(first, 0) == [True, False, True, True, False, False]
    assert loose(second, 0) == [False, True, False, False, True, True]
    assert loose(first, 1) == [True, False, True, True, True, True]


def test_what_is_held_may_fill_a_row_to_the_last_digit():
    """Held payments that pass a row by what rounding leaves do not make the rest impossible."""
    rows = [([0, 900, 1], -INF, 1_000_000_000)]
    model = model_of([1, 1, 0], rows, upper=[1, 1, 2_000_000_000], whole=[True, True, False])
    held = np.array([0.0, 0, 1_000_000_000.9])
    found = search_among(board_of(model), held, np.array([True, True, False]), LONG)
    assert found.point[:2].tolist() == [1, 0]


def test_payments_change_with_the_options_of_a_restricted_search():
    """The second project is set free; to pay for it, what the first was paid from changes too."""
    board = board_of(financed_model())
    found = search_among(board, np.zeros(6), np.array([True, False] + [True] * 4), LONG)
    assert value_of(board.problem.model, found.point) == 10
    assert found.point[2:].tolist() == pytest.approx([found.point[2], 7 - found.point[2], 0, 0])


def test_a_held_point_that_leaves_no_room_has_nothing_to_find():
    """Values that break a row on their own are no point, whatever is free."""
    board = board_of(model_of([1, 1, 1], [([4, 4, 1], -INF, 5)]))
    found = search_among(board, np.array([1.0, 1, 0]), np.array([False, False, True]), LONG, start=False)
    assert found.point is None
    assert found.closed


def test_a_dive_decides_projects_and_keeps_the_relaxation():
    """Each decided project takes an option wholly, and the relaxation never gains by a decision."""
    board = board_of(hard_model(3, 30))
    lp = Simplex(board)
    root = lp.solve()
    ended = dive(root, lp, 5, 1, np.random.default_rng(0))
    decided = ended.decided[board.problem.groups.of]
    assert 1 <= ended.decided.sum() <= 5
    assert (ended.relaxed.x[decided] > 1 - 1e-6).all()
    assert ended.relaxed.value <= root.value + 1e-6


@pytest.mark.parametrize("seed", range(4))
def test_a_dive_that_leaves_projects_to_chance_keeps_what_is_due(seed):
    """What it decided is taken wholly or left out, and a project that must have an option never is left out."""
    model = model_of(
        [7, 6, 9, 6, 4, 3],
        [
            *(([1, 1, 0, 0, 0, 0], 1, 1), ([0, 0, 1, 1, 0, 0], -INF, 1), ([0, 0, 0, 0, 1, 1], -INF, 1)),
            *(([6, 0, 9, 0, 5, 0], -INF, 10), ([0, 5, 0, 7, 0, 4], -INF, 9)),
        ],
    )
    board = board_of(model)
    lp = Simplex(board)
    ended = dive(lp.solve(), lp, 6, 2, np.random.default_rng(seed), doubting=True)
    groups = board.problem.groups
    assert ended.relaxed.x[groups.of == groups.of[0]].sum() == pytest.approx(1)
    assert [min(part, 1 - part) for part in ended.relaxed.x[ended.decided[groups.of]]] == pytest.approx(
        [0] * int(ended.decided[groups.of].sum()), abs=1e-6
    )


@pytest.mark.parametrize(
    ("values", "taken", "dived"), [([99.9, 50.0], 99.9, 1), ([90.0, 80, 95, 99.9, 100], 99.9, 4), ([90.0] * 9, 90.0, 6)]
)
def test_dives_are_tried_until_one_costs_little(monkeypatch, values, taken, dived):
    """Of a relaxation worth 100, a dive may cost 0.2; of five others after one that costs more the best is taken."""
    board = board_of(hard_model(3, 30))
    root = replace(Simplex(board).solve(), value=100.0)
    ends = iter(values)
    doubts = []

    def told(root, lp, steps, batch, rng, *, doubting):
        doubts.append(doubting)
        return Dive(replace(root, value=next(ends)), np.zeros(0), np.zeros(0, dtype=bool))

    monkeypatch.setattr(diving, "dive", told)
    best = diving.best_dive(root, lambda: Simplex(board), 5, 1, np.random.default_rng(0), others=5)
    assert best.relaxed.value == taken
    assert doubts == [False] + [True] * (dived - 1)


def test_a_relaxation_takes_in_the_rows_that_it_breaks():
    """Begun without the rows that are slack, it ends where the whole one does, whatever is held at 0 since then."""
    rng = np.random.default_rng(0)
    rows = [(rng.integers(1, 20, 30), -INF, int(side)) for side in rng.integers(60, 120, 12)]
    board = board_of(model_of(rng.integers(5, 20, 30), rows))
    whole = Simplex(board)
    whole.solve()
    few = Simplex(board, rows=whole.binding())
    few.adopt(whole)
    began = len(few.rows)
    for column in range(0, board.problem.size, 3):
        held, none = np.array([column]), np.zeros(1)
        for lp in (whole, few):
            lp.bound(held, none, none)
        relaxed = few.solve()
        assert relaxed.value == pytest.approx(whole.solve().value)
        assert dual_bound(board.problem, relaxed.multipliers)[0] >= relaxed.value - 1e-6
    assert len(few.rows) > began


def test_a_relaxation_in_passing_leaves_broken_rows_to_the_next():
    """What it gives back may break a row it was begun without, but the next one keeps that."""
    board = board_of(model_of([2, 1], [([1, 1], -INF, 1)]))
    lp = Simplex(board, rows=np.array([], dtype=int))
    assert lp.solve(passing=True).value == pytest.approx(3)
    assert lp.solve(passing=True).value == pytest.approx(2)


def test_a_neighbourhood_frees_what_the_point_takes_of_the_same_projects():
    """A project can only change its option when the one it has may go."""
    problem = problem_of(choices())
    best = np.array([1.0, 0, 0, 1, 0, 0])
    free = freed(problem, best, np.array([5.0, 0, 1, 9, 9, 9]), 2)
    assert free.tolist() == [True, True, True, True, False, False]


def test_a_window_ranks_what_shares_rows_first():
    """From the option that is taken, those of the same row come before those of the other one."""
    draw = np.random.default_rng(3)
    weights = draw.integers(2, 9, 20)
    early, late = np.repeat([1, 0], 10) * weights, np.repeat([0, 1], 10) * weights
    problem = problem_of(model_of(weights, [(early, -INF, 30), (late, -INF, 30)]))
    best = np.zeros(20)
    best[0] = 1
    rank = window(surroundings(problem, np.ones(2)), best, np.ones(20), draw)
    assert rank[:10].max() < rank[10:].min()


def test_a_component_follows_the_links():
    """Projects that wait for one another are set free together."""
    chain = [([0] * first + [-1, 1] + [0] * (6 - first), -INF, 0) for first in range(7)]
    problem = problem_of(model_of([1] * 8, [*chain[:3], *chain[4:]]))
    rank = component(surroundings(problem, np.zeros(6)), np.ones(8), 4, np.random.default_rng(0))
    first = np.isfinite(rank)
    assert first.tolist() in ([True] * 4 + [False] * 4, [False] * 4 + [True] * 4)


def test_two_changes_of_one_point_are_put_together():
    """Of two searches that began alike each changed another project; the board holds both changes."""
    model = model_of([5, 4, 3], [([1, 1, 1], -INF, 2)])
    board = board_of(model)
    begin = np.zeros(3)
    board.offer(begin)
    since = board.best
    assert board.offer(np.array([1.0, 0, 0]), since)
    assert board.offer(np.array([0.0, 1, 0]), since)
    assert board.best.tolist() == [1, 1, 0]
    assert not board.offer(np.array([0.0, 0, 1]), since)


def test_turns_let_only_so_many_work():
    """Three searches on two threads: never three at once, and all get their turns."""
    turns = Turns(2, dict.fromkeys("abc", 1.0))
    at_work, most, done = set(), [], []

    def work(name):
        for _ in range(20):
            turns.begin(name)
            at_work.add(name)
            most.append(len(at_work))
            time.sleep(0.001)
            at_work.discard(name)
            turns.end(name)
        done.append(name)

    threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) <= 2
    assert sorted(done) == ["a", "b", "c"]


def test_turns_keep_to_the_shares():
    """Of two searches on one thread the one with three times the share works about three times as long."""
    now = {"a": 0.0, "b": 0.0}
    names = {}
    turns = Turns(1, {"a": 3.0, "b": 1.0}, lambda: now[names[threading.get_ident()]])
    over = threading.Event()

    def work(name):
        names[threading.get_ident()] = name
        turns.begin(name)
        while not over.is_set():
            now[name] += 1.0
            time.sleep(0.0005)
            if sum(now.values()) >= 400:
                over.set()
            turns.let_others(name, 1.0)
        turns.end(name)

    threads = [threading.Thread(target=work, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert now["a"] / now["b"] == pytest.approx(3, rel=0.15)


def test_a_new_share_counts_from_then_on():
    """A search that was given much more than the others does not wait until they have caught up."""
    now = [0.0]
    turns = Turns(1, {"a": 100.0, "b": 1.0}, lambda: now[0])
    turns.begin("a")
    now[0] = 100.0
    turns.let_others("a", 1.0)
    turns.shares["a"] = 1.0
    worked = threading.Event()

    def work():
        turns.begin("b")
        now[0] += 2.0
        worked.set()
        turns.end("b")

    thread = threading.Thread(target=work)
    thread.start()
    while not worked.is_set() and now[0] < 110:
        now[0] += 1.0
        turns.let_others("a", 1.0)
        time.sleep(0.001)
    turns.end("a")
    thread.join()
    assert 102 <= now[0] < 110


def test_the_pace_of_a_proof_is_that_of_the_later_half_of_its_work():
    """A bound that fell from 90 to 40 at once, above a value of 0, has no pace left when nothing more comes."""
    board = board_of(choices())
    board.offer(np.zeros(6))
    for worked, bound in ((1.0, 90.0), (2.0, 40.0)):
        board.proving = worked
        board.lower(bound)

    board.proving = 3.0
    assert board.pace == (90 - 40) / 40
    board.proving = 30.0
    assert board.pace == 0
    board.lower(30.0)
    assert board.pace == (40 - 30) / 30


def test_the_root_multipliers_prove_a_bound():
    """Recomputed on the model given, they bound every point by what the relaxation is worth."""
    model = hard_model()
    outcome = engine_named("capalloc").solve(model, SolveOptions(time_limit=None, threads=1, node_limit=40))
    y = outcome.details["root_multipliers"]
    bound = (y * model.row_upper).sum() + np.maximum(0, model.objective - model.matrix.T @ y).sum()
    assert value_of(model, outcome.x) <= bound <= 1.1 * value_of(model, outcome.x)


def test_a_search_that_works_on_blindly_is_left_alone_after_a_little_work(monkeypatch):
    """Where the limit has come, seconds of work are waited for and not the patience for a search that merely waits."""
    monkeypatch.setattr(own_engine, "PATIENCE", 60.0)
    monkeypatch.setattr(own_engine, "WORK_BEYOND", 0.1)
    over = threading.Event()

    def work(_):
        while not over.is_set():
            sum(range(1000))

    monkeypatch.setattr(own_engine, "Simplex", work)
    outcome = engine_named("capalloc").solve(hard_model(10, 300), SolveOptions(time_limit=1, gap=0))
    over.set()
    assert outcome.stopped_by is StoppedBy.TIME_LIMIT
    assert outcome.seconds < 30


def test_a_search_that_hangs_is_left_alone(monkeypatch):
    """When the run is over, an answer comes even if one search never ends."""
    monkeypatch.setattr(own_engine, "PATIENCE", 0.2)
    forever = threading.Event()
    monkeypatch.setattr(own_engine, "Simplex", lambda _: forever.wait())
    model = hard_model(3, 60)

    outcome = engine_named("capalloc").solve(model, SolveOptions(time_limit=2, gap=0))

    assert outcome.status in (Status.FEASIBLE, Status.OPTIMAL)
    assert holds(model, outcome.x)
    assert outcome.seconds < 10


def test_a_proof_that_ends_too_late_claims_nothing(monkeypatch):
    """A search left alone may find and prove the best plan while the run is concluded: no plan is then not a proof."""

    class LateBoard(Board):
        late = None

        @property
        def best(self):
            found = self.__dict__.get("_found")
            if self.late:
                self.late.pop()()
            return found

        @best.setter
        def best(self, point):
            self.__dict__["_found"] = point

    def left_alone(works, board):
        board.late = [lambda: setattr(works[0].__self__, "proved", True)]

    monkeypatch.setattr(own_engine, "sievable", lambda _: False)
    monkeypatch.setattr(own_engine, "Board", LateBoard)
    monkeypatch.setattr(own_engine, "_side_by_side", left_alone)
    outcome = engine_named("capalloc").solve(hard_model(), TO_THE_END)
    assert outcome.x is None
    assert outcome.status is Status.UNKNOWN


def test_what_one_search_fails_of_comes_out(monkeypatch):
    """A failure in a thread is not swallowed, and the other searches end."""

    def fail(_):
        raise ArithmeticError("no root")

    monkeypatch.setattr(own_engine, "Simplex", fail)
    with pytest.raises(ArithmeticError, match="no root"):
        engine_named("capalloc").solve(hard_model(), SolveOptions(time_limit=60))


@given(models())
def test_the_own_engine_finds_the_best_point(model):
    """On every small model it agrees with going through all points."""
    outcome = engine_named("capalloc").solve(model, TO_THE_END)
    best = max((value_of(model, point) for point in points_of(model)), default=None)
    assert outcome.status is (Status.INFEASIBLE if best is None else Status.OPTIMAL)
    if best is not None:
        assert value_of(model, outcome.x) == best
        assert outcome.bound == best


@pytest.mark.parametrize("threads", [1, 2])
def test_a_run_on_any_threads_ends_with_the_same_proof(threads):
    """However the searches share the threads, the optimum is the optimum."""
    values = {
        value_of(model, engine_named("capalloc").solve(model, SolveOptions(gap=0, threads=threads)).x)
        for model in itertools.repeat(hard_model(3, 25), 2)
    }
    assert len(values) == 1


def test_rounding_down_leaves_out_what_cannot_stay():
    """The first project is only half taken, so what needs it goes too, and what needs that."""
    chain = [([-1, 1, 0, 0], -INF, 0), ([0, -1, 1, 0], -INF, 0)]
    problem = problem_of(model_of([5, 4, 3, 2], [*chain, ([3, 0, 0, 2], -INF, 4)]))
    assert rounded_down(problem, np.array([0.5, 1, 1, 1])).tolist() == [0, 0, 0, 1]


def test_rounding_down_keeps_to_the_room():
    """What is taken wholly may still be too much together; the least valuable goes."""
    problem = problem_of(model_of([5, 4, 9], [([3, 3, 3], -INF, 6)]))
    assert rounded_down(problem, np.ones(3)).tolist() == [1, 0, 1]


def test_rounding_down_cannot_mend_a_row_that_asks_for_more():
    """One of two must be taken, each only in part: leaving out does not help."""
    problem = problem_of(model_of([5, 4], [([1, 1], 1, 1)]))
    assert rounded_down(problem, np.array([0.5, 0.5])) is None


def test_rounding_down_pays_for_what_is_left():
    """The payments of the project that goes are given back."""
    problem = problem_of(financed_model())
    point = rounded_down(problem, np.array([1, 0.4, 4, 3, 0, 2.0]))
    assert point.tolist() == pytest.approx([1, 0, point[2], 7 - point[2], 0, 0])
    assert holds(problem.model, point)


def test_the_opening_puts_good_points_on_the_board():
    """Exchanges, a dive and two small cores come within a hundredth of the best value, and beyond mere rounding."""
    board = board_of(hard_model(3, 30))
    lp = Simplex(board)
    relaxed = lp.solve()
    bound, gains = dual_bound(board.problem, relaxed.multipliers)
    board.lower(bound)

    opened(board, relaxed, gains, lp, lambda _: None)

    best = engine_named("highs").solve(board.problem.model, TO_THE_END).bound
    rounded = rounded_down(board.problem, relaxed.x)
    assert holds(board.problem.model, board.best)
    assert board.problem.worth(rounded) < board.value
    assert board.value > 0.99 * best


def test_a_core_tells_of_a_point_that_ends_the_run():
    """A point within the gap asked for is on the board although nobody has offered what the core gave back."""
    model = choices()
    board = board_of(model, SolveOptions(time_limit=None, gap=0.2, threads=1))
    board.lower(17.0)

    search_among(board, np.zeros(6), np.ones(6, dtype=bool), LONG)

    assert board.over
    assert board.value >= board.enough

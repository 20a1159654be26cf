"""Problems too large for one simplex run: blocks, the relaxation sifted from them, and plans from cores."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

import capalloc as ca
from benchmarks.generator import generate
from capalloc.compiling import compile_tables
from capalloc.engines import engine_named
from capalloc.engines.base import Watch
from capalloc.engines.highs import relaxation
from capalloc.engines.own import cores, engine, problem, sifting
from capalloc.engines.own.blocks import find_blocks
from capalloc.engines.own.board import Board
from capalloc.engines.own.presolve import reduce
from capalloc.engines.own.problem import dual_bound, problem_of
from capalloc.engines.own.sifting import Sifting
from capalloc.engines.own.structure import find_groups
from capalloc.engines.points import holds, value_of
from capalloc.model import SolveOptions, Status
from small_models import INF, model_of
from test_own_presolve import models, points_of

TO_THE_END = SolveOptions(time_limit=None, gap=0, threads=1)


def portfolio_model(family, projects, seed):
    """The reduced model of a generated portfolio."""
    return reduce(compile_tables(ca.Portfolio.from_tables(*generate(family, projects, seed)).tables).model).model


def sifted(model, most, options=TO_THE_END):
    """The problem of a model in blocks of so many columns, its board, and its relaxation."""
    parts = find_blocks(model, find_groups(model), most)
    board = Board(replace(problem_of(model), blocks=parts), 0.0, options, Watch(options, None))
    return board, Sifting(board).solve()


@pytest.fixture
def _small(monkeypatch):
    """Let small models count as large ones, and samples and cores be smaller than they are."""
    monkeypatch.setattr(problem, "_VAST", 0)
    monkeypatch.setattr(sifting, "FEWEST", 400)
    monkeypatch.setattr(cores, "SIZE", 300)
    monkeypatch.setattr(engine, "FEW_COLUMNS", 100)


@settings(deadline=None, max_examples=40)
@given(models())
def test_only_coupling_rows_leave_their_block(model):
    """Every row lies in the block of all its columns, or is a coupling row; a shared column is in no other row."""
    parts = find_blocks(model, find_groups(model), most=4)
    for row, block in enumerate(parts.row_of.tolist()):
        columns = model.matrix[[row]].nonzero()[1]
        assert block < 0 or set(parts.of[columns].tolist()) == {block}
        assert block < 0 or not parts.shared[columns].any()


def test_what_rows_of_few_tie_together_is_one_block():
    """Two projects tied by a dependency are a block; the budget that all four share couples them with the others."""
    rows = [([3, 4, 5, 6], -INF, 9), ([-1, 1, 0, 0], -INF, 0)]
    parts = find_blocks(model_of([1, 1, 1, 1], rows), find_groups(model_of([1, 1, 1, 1], rows)), most=3)
    assert parts.of[0] == parts.of[1]
    assert len(set(parts.of.tolist())) == 3
    assert parts.coupling.tolist() == [0]


@settings(deadline=None, max_examples=40)
@given(models())
def test_a_sifted_bound_holds_and_its_point_is_one_of_the_relaxation(model):
    """No point is worth more than the bound, nor the relaxed point more than the relaxation, whatever is sifted."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sifting, "FEWEST", 2)
        board, answer = sifted(model, most=3)
    whole = relaxation(model, TO_THE_END)
    if answer is None:
        assert not points_of(model) or whole is None
        return
    bound, _ = dual_bound(board.problem, answer.multipliers)
    noise = 1e-6 * max(1.0, abs(whole.value))
    assert bound >= whole.value - noise
    assert answer.value <= whole.value + noise
    activity = model.matrix @ answer.x
    assert (activity <= model.row_upper + 1e-6).all()
    assert (activity >= model.row_lower - 1e-6).all()
    for point in points_of(model):
        assert value_of(model, point) <= bound + noise


@pytest.mark.usefixtures("_small")
@pytest.mark.parametrize("family", ["phase", "yearly"])
def test_a_sifted_relaxation_is_close_to_the_one_of_the_simplex_method(family):
    """Bound and point enclose the relaxation of a portfolio within a thousandth, though no program holds all of it."""
    model = portfolio_model(family, 150, 1)
    whole = relaxation(model, TO_THE_END).value
    board, answer = sifted(model, most=60)
    bound, _ = dual_bound(board.problem, answer.multipliers)
    assert board.problem.blocks.count > 20
    assert 0.999 * whole <= answer.value <= whole * (1 + 1e-9)
    assert whole * (1 - 1e-9) <= bound <= 1.001 * whole
    assert board.bound <= 1.001 * whole


@pytest.mark.usefixtures("_small")
def test_the_same_seed_sifts_the_same(monkeypatch):
    """Threads share the blocks and change nothing; another seed draws another sample."""
    model = portfolio_model("yearly", 100, 2)
    alone = sifted(model, 60)[1]
    together = sifted(model, 60, replace(TO_THE_END, threads=2))[1]
    assert np.array_equal(alone.x, together.x)
    assert np.array_equal(alone.multipliers, together.multipliers)
    monkeypatch.setattr(sifting, "ROUNDS", 1)
    drawn = [sifted(model, 60, replace(TO_THE_END, seed=seed))[1].multipliers for seed in (0, 1)]
    assert not np.array_equal(*drawn)


@pytest.mark.usefixtures("_small")
@pytest.mark.parametrize(("family", "projects"), [("phase", 100), ("yearly", 40)])
def test_plans_from_cores_are_close_to_the_bound(family, projects):
    """In a model that counts as too large the engine finds a point near the relaxation, and bounds it truly."""
    model = portfolio_model(family, projects, 3)
    whole = relaxation(model, TO_THE_END).value

    found = engine_named("capalloc").solve(model, replace(TO_THE_END, gap=0.02, node_limit=40))

    assert holds(model, found.x)
    assert 0.8 * whole <= value_of(model, found.x) <= found.bound
    assert found.bound <= 1.01 * whole


@pytest.mark.usefixtures("_small")
def test_the_same_seed_and_nodes_find_the_same_plan_in_cores():
    """With one thread and a budget of nodes a run can be repeated, and ends."""
    model = portfolio_model("phase", 80, 4)
    options = SolveOptions(time_limit=None, gap=1e-2, threads=1, node_limit=30)
    one, other = (engine_named("capalloc").solve(model, options) for _ in range(2))
    assert np.array_equal(one.x, other.x)
    assert one.bound == other.bound


@pytest.mark.usefixtures("_small")
def test_a_large_model_without_a_point_is_known_for_it():
    """Two of three projects must be funded, and two budgets hold no two of them, though each holds any one."""
    rows = [([3, 5, 7], -INF, 8), ([7, 5, 3], -INF, 8), ([1, 1, 1], 2, 3)]
    found = engine_named("capalloc").solve(model_of([1, 1, 1], rows), TO_THE_END)
    assert found.status is Status.INFEASIBLE

"""Fewer payments: made one where nothing tells them apart, left out where rows can say it; nothing is lost by that."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from capalloc.engines import engine_named
from capalloc.engines.highs import relaxation
from capalloc.engines.own import lightening
from capalloc.engines.own.eliminating import eliminate
from capalloc.engines.own.lightening import lighten
from capalloc.engines.own.pooling import pool
from capalloc.engines.own.problem import dual_bound, problem_of
from capalloc.engines.points import broken_rows, settled
from capalloc.model import SolveOptions
from small_models import INF, financed_model, model_of

OPTIONS = SolveOptions(gap=0.0)


@st.composite
def portfolios(draw):
    """Two to four projects paid by two or three sources.

    What the last one pays of a project may be limited, and what the first pays of all to a part of what others pay.
    """
    count, sources = draw(st.integers(2, 4)), draw(st.integers(2, 3))
    costs = draw(st.lists(st.integers(2, 9), min_size=count, max_size=count))
    payers = [draw(st.sets(st.integers(0, sources - 1), min_size=1)) for _ in range(count)]
    columns = [(project, source) for project in range(count) for source in sorted(payers[project])]
    rows = []
    for project, cost in enumerate(costs):
        rows.append(([-cost * (c == project) for c in range(count)] + [int(p == project) for p, _ in columns], 0, 0))
        if sources - 1 in payers[project] and draw(st.booleans()):
            most = draw(st.integers(0, cost))
            row = [-most * (c == project) for c in range(count)]
            rows.append((row + [int(pair == (project, sources - 1)) for pair in columns], -INF, 0))
    for source in range(sources):
        room = draw(st.integers(0, sum(costs)))
        rows.append(([0] * count + [int(s == source) for _, s in columns], -INF, room))
    if draw(st.booleans()):
        own, others = draw(st.integers(1, 3)), draw(st.integers(1, 3))
        rows.append(([0] * count + [-others if s else own for _, s in columns], -INF, 0))
    upper = [1] * count + [draw(st.sampled_from([costs[p], costs[p], costs[p], 2])) for p, _ in columns]
    values = draw(st.lists(st.integers(1, 9), min_size=count, max_size=count))
    whole = [True] * count + [False] * len(columns)
    return model_of([*values, *[0] * len(columns)], draw(st.permutations(rows)), upper=upper, whole=whole)


def paid(model, choice):
    """A point of the model that makes this choice of its first columns; ``None`` where it cannot be paid."""
    lower, upper = model.lower.copy(), model.upper.copy()
    lower[: len(choice)] = upper[: len(choice)] = choice
    answer = relaxation(replace(model, lower=lower, upper=upper), OPTIONS)
    return None if answer is None else answer.x


@pytest.mark.parametrize("make", [pool, lighten])
@settings(max_examples=30)
@given(portfolios())
def test_the_same_choices_can_be_paid(make, model):
    """What can be paid in sums, or left to rows, can be paid of each project, and the other way round."""
    pooled = make(model)
    count = int(model.integer.sum())
    for choice in product((0.0, 1.0), repeat=count):
        own, summed = paid(model, choice), paid(pooled.model, choice)
        assert (own is None) == (summed is None)
        if own is None or summed is None:
            continue
        back, there = settled(model, pooled.restored(summed)), settled(pooled.model, pooled.shrunk(own))
        assert back[:count].tolist() == list(choice)
        assert not broken_rows(model, back).any()
        assert not broken_rows(pooled.model, there).any()
        assert pooled.model.objective @ there == model.objective @ own


@pytest.mark.parametrize("make", [pool, lighten])
@settings(max_examples=30)
@given(portfolios())
def test_what_is_proved_of_fewer_payments_is_proved_of_all(make, model):
    """Multipliers of the smaller model become some of the larger that prove the same bound."""
    pooled = make(model)
    multipliers = relaxation(pooled.model, OPTIONS).row_duals
    bound = dual_bound(problem_of(pooled.model), multipliers)[0]
    assert dual_bound(problem_of(model), pooled.multipliers(multipliers))[0] == pytest.approx(bound, abs=1e-7)


def test_two_projects_with_the_same_sources_have_one_account():
    """Of four payments two sums are left, and one balance: 7 and 5 are asked, 4 and 5 are there."""
    pooled = pool(financed_model())
    assert pooled.kept.tolist() == [0, 1]
    assert pooled.model.matrix.toarray()[-1].tolist() == [-7, -5, 1, 1]
    assert pooled.model.matrix.toarray()[2:4].tolist() == [[0, 0, 1, 0], [0, 0, 0, 1]]
    assert pooled.model.upper.tolist() == [1, 1, 12, 12]


def test_each_project_gets_its_part_of_a_sum():
    """Of 12 asked 7 are the first project's: it gets 7 twelfths of what each source pays."""
    pooled = pool(financed_model())
    assert pooled.restored(np.array([1.0, 1.0, 4.8, 7.2])).tolist() == pytest.approx([1, 1, 2.8, 4.2, 2.0, 3.0])
    assert pooled.restored(np.zeros(4)).tolist() == [0] * 6


def test_payments_with_limits_of_their_own_stay():
    """What a source pays of the first project is at most 2; the other source's payments are summed all the same."""
    model = financed_model()
    model.upper[2] = 2
    pooled = pool(model)
    assert pooled.kept.tolist() == [0, 1, 2, 4]
    assert pooled.model.matrix.toarray()[:2].tolist() == [[-7, 0, 1, 0, 0], [0, -5, 0, 1, 0]]
    assert (pooled.model.row_lower[:2] == -INF).all()


@pytest.mark.parametrize(("part", "said"), [("objective", 1), ("lower", 1), ("integer", True), ("upper", 6)])
def test_a_payment_of_which_more_is_said_than_what_it_adds_up_to_stays(part, said):
    """What it is worth, a least or a most of it, or that it is whole, is said of it alone and not of a sum."""
    model = financed_model()
    getattr(model, part)[2] = said
    assert pool(model).kept.tolist() == [0, 1, 2, 4]


@pytest.mark.parametrize("row", [([1, 0, 1, 0, 0, 0], 1, 1), ([0, 0, 2, 0, 1, 0], -INF, 4)], ids=str)
def test_payments_that_count_otherwise_elsewhere_stay(row):
    """One that is part of a second balance, or counts twice in a row where the other counts once."""
    asked = [([-7, 0, 1, 1, 0, 0], 0, 0), ([0, -5, 0, 0, 1, 1], 0, 0)]
    model = financed_model()
    given = model_of(model.objective, [*asked, row], upper=model.upper, whole=model.integer)
    assert pool(given).kept.tolist() == [0, 1, 2, 4]


def test_payments_that_are_taken_off_a_balance_stay():
    """What is asked, less what is paid, is nothing: a sum would have to be handed out the other way round."""
    model = financed_model()
    model.matrix[:2] *= -1
    assert pool(model).kept.tolist() == [0, 1, 2, 3, 4, 5]


def test_what_is_asked_for_whatever_is_taken_is_part_of_the_sum():
    """The second project is decided: its 5 are to be paid, whatever is paid for the first."""
    asked = [([-7, 0, 1, 1, 0, 0], 0, 0), ([0, 0, 0, 0, 1, 1], 5, 5)]
    rooms = [([0, 0, 1, 0, 1, 0], -INF, 5), ([0, 0, 0, 1, 0, 1], -INF, 9)]
    model = financed_model()
    pooled = pool(model_of(model.objective, [*asked, *rooms], upper=model.upper, whole=model.integer))
    assert (pooled.model.row_lower[-1], pooled.model.row_upper[-1]) == (5, 5)
    assert pooled.restored(np.array([1.0, 1.0, 4.8, 7.2])).tolist() == pytest.approx([1, 1, 2.8, 4.2, 2.0, 3.0])


def test_without_payments_a_model_stays_as_it_is():
    """Whole columns are never summed up."""
    model = model_of([3, 2], [([1, -1], 0, 0), ([1, 1], -INF, 2)])
    pooled = pool(model)
    assert pooled.model.matrix.toarray().tolist() == model.matrix.toarray().tolist()
    assert pooled.restored(np.array([1.0, 1.0])).tolist() == [1, 1]


def test_what_sources_have_together_is_a_row_of_options():
    """The sums of two sources with 4 and 5 go: 7 and 5 must fit into 9, and no payment is left."""
    light = lighten(financed_model())
    assert light.model.integer.all()
    reduced = {
        (*row, side) for row, side in zip(light.model.matrix.toarray().tolist(), light.model.row_upper, strict=True)
    }
    assert (7.0, 5.0, 9.0) in reduced


def test_what_is_left_out_is_found_again():
    """Of 7 the first source pays what the other, with 5, does not."""
    light = lighten(financed_model())
    point = light.restored(np.array([1.0, 0.0]))
    assert point[:2].tolist() == [1, 0]
    assert not broken_rows(financed_model(), point).any()
    assert light.shrunk(point).tolist() == [1, 0]


def test_a_column_of_many_pairs_stays():
    """Three rows keep a column small, three and a bound keep it large: twelve pairs would be more rows than seven."""
    wants = [([5, 0, 0, 1], -INF, 4), ([0, 5, 0, 1], -INF, 4), ([0, 0, 5, 1], -INF, 4)]
    asks = [([3, 0, 0, -1], -INF, 1), ([0, 3, 0, -1], -INF, 1), ([0, 0, 3, -1], -INF, 1)]
    model = model_of([1, 1, 1, 0], [*wants, *asks], upper=[1, 1, 1, 9], whole=[True, True, True, False])
    nothing = (csr_array((0, 4)), np.zeros(0))
    assert eliminate(model, np.array([3]), *nothing).kept.tolist() == [0, 1, 2, 3]
    fewer = model_of([1, 1, 1, 0], [*wants[:2], asks[0]], upper=[1, 1, 1, 9], whole=[True, True, True, False])
    assert eliminate(fewer, np.array([3]), *nothing).kept.tolist() == [0, 1, 2]


def test_sums_of_several_units_in_a_rule_stay():
    """The first source pays 2/5 of all at most, 3 of its own to 2 of the other: both projects can be paid, 3 and 9."""
    limit = ([0, 0, 3, -2, 3, -2], -INF, 0)
    model = financed_model()
    rooms = [([0, 0, 1, 0, 1, 0], -INF, 4), ([0, 0, 0, 1, 0, 1], -INF, 9)]
    asked = [([-7, 0, 1, 1, 0, 0], 0, 0), ([0, -5, 0, 0, 1, 1], 0, 0)]
    limited = model_of(model.objective, [*asked, *rooms, limit], upper=model.upper, whole=model.integer)
    outcome = engine_named("capalloc").solve(limited, OPTIONS)
    assert outcome.x[:2].tolist() == [1, 1]
    assert outcome.bound == pytest.approx(18)
    light = lighten(limited)
    assert paid(light.model, (1.0, 1.0)) is not None


def test_what_a_source_has_to_pay_at_least_is_still_asked():
    """The first source pays at least 6: with the first project, of 7, it can, and without it there is too little."""
    asked = [([-7, 0, 1, 1, 0, 0], 0, 0), ([0, -5, 0, 0, 1, 1], 0, 0)]
    rooms = [([0, 0, 1, 0, 1, 0], 6, 9), ([0, 0, 0, 1, 0, 1], -INF, 9)]
    model = financed_model()
    light = lighten(model_of(model.objective, [*asked, *rooms], upper=model.upper, whole=model.integer))
    assert paid(light.model, (1.0, 0.0)) is not None
    assert paid(light.model, (0.0, 1.0)) is None


def test_too_many_sums_stay(monkeypatch):
    """With room for one sum, the two of the sources stay in the model, and payments are found from them."""
    monkeypatch.setattr(lightening, "MOST_SUMS", 1)
    light = lighten(financed_model())
    assert light.model.integer.tolist() == [True, True, False, False]
    point = light.restored(np.array([1.0, 0.0, 4.0, 3.0]))
    assert point.tolist() == [1, 0, 4, 3, 0, 0]
    assert light.shrunk(point).tolist() == [1, 0, 4, 3]


def test_payments_stay_apart_where_parts_are_worth_something():
    """The first project is a programme: what is paid of it says how much of it is done."""
    model = replace(financed_model(), integer=np.array([False, True, False, False, False, False]))
    assert lighten(model).model.matrix.toarray().tolist() == model.matrix.toarray().tolist()
    assert lighten(model).restored(model.upper).tolist() == model.upper.tolist()


def test_the_engine_gives_back_what_each_project_is_paid():
    """The first project fits, paid with 4 and 3 or another split of its 7."""
    outcome = engine_named("capalloc").solve(financed_model(), OPTIONS)
    assert outcome.x[:2].tolist() == [1, 0]
    assert outcome.x[2:4].sum() == pytest.approx(7)
    assert outcome.x[4:].tolist() == [0, 0]
    assert len(outcome.details.get("root_multipliers", np.zeros(4))) == 4

"""The front of two sets of criteria: every point of it, also those inside the hull of others, and nothing else."""

from fractions import Fraction
from itertools import product

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capalloc import InvalidInput, Portfolio, Status, UnknownName
from capalloc.catalogue import speaking
from strategies import cases

ENGINES = ["highs", "enumeration", "pulp:CBC"]
SETTINGS = {"first_year": 2026, "last_year": 2026, "objective": {"value_from": "score", "criteria": "growth"}}


def portfolio(scores, costs, room):
    """Return projects with a growth and an equity score out of 10 each, and costs within a room."""
    ids = [f"P{number}" for number in range(len(scores))]
    frames = {
        "projects": pd.DataFrame({"id": ids, "cost": costs}),
        "criteria": pd.DataFrame(
            {"criterion": ["jobs", "poor"], "set": ["growth", "equity"], "weight": [1, 1], "high": [10, 10]}
        ),
        "scores": pd.DataFrame(
            {
                "project": [name for name in ids for _ in range(2)],
                "criterion": ["jobs", "poor"] * len(ids),
                "score": [score for pair in scores for score in pair],
            }
        ),
        "sources": pd.DataFrame({"id": ["state"], "side": ["state"]}),
        "envelopes": pd.DataFrame({"source": ["state"], "period": ["2026"], "amount": [room]}),
    }
    return Portfolio.from_tables(SETTINGS, frames)


def values(front):
    """Return the two values of each point in tenths."""
    return [(point.first * 10, point.second * 10) for point in front.front.points]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_point_that_no_weights_would_find_is_found(engine):
    """Of one project only: (10, 0) and (0, 10) beat (6, 3) at any weights, and yet it gives up less of each."""
    front = portfolio([(10, 0), (6, 3), (0, 10), (5, 3)], [1] * 4, 1).pareto("growth", "equity", engine=engine)
    assert values(front) == [(10, 0), (6, 3), (0, 10)]
    assert front.complete
    assert [plan.answer.allocation.choices[0].project for plan in front] == ["P0", "P1", "P2"]
    assert front.points.to_dict("list") == {
        "growth": [1.0, 0.6, 0.0],
        "equity": [0.0, 0.3, 1.0],
        "projects": [1, 1, 1],
        "cost": [1, 1, 1],
    }


@cases(25)
@given(
    scores=st.lists(st.tuples(st.integers(0, 10), st.integers(0, 10)), min_size=1, max_size=5),
    costs=st.lists(st.integers(1, 5), min_size=5, max_size=5),
    room=st.integers(0, 12),
)
def test_the_front_is_what_trying_everything_leaves(scores, costs, room):
    """Every selection that fits is tried; the front is what no other selection passes."""
    costs = costs[: len(scores)]
    reached = set()
    for taken in product((0, 1), repeat=len(scores)):
        if sum(cost * x for cost, x in zip(costs, taken, strict=True)) <= room:
            reached.add(tuple(sum(pair[k] * x for pair, x in zip(scores, taken, strict=True)) for k in (0, 1)))
    best = {a for a in reached if not any(b != a and b[0] >= a[0] and b[1] >= a[1] for b in reached)}
    front = portfolio(scores, costs, room).pareto("growth", "equity", threads=1)
    assert values(front) == sorted(best, reverse=True)
    assert front.complete


def test_both_directions_give_the_same_points():
    """The front from equity to growth is the front from growth to equity, read backwards."""
    given_ = portfolio([(10, 0), (6, 3), (0, 10), (2, 8), (4, 4)], [3, 2, 3, 2, 1], 5)
    forth, back = given_.pareto("growth", "equity"), given_.pareto("equity", "growth")
    assert values(forth) == [(second, first) for first, second in reversed(values(back))]
    assert len(forth) > 2


def test_a_resolution_takes_points_closer_than_it_for_one():
    """At a step of half a score, (6, 3) is too near (10, 0) in equity."""
    wanted = portfolio([(10, 0), (6, 3), (0, 10)], [1] * 3, 1)
    assert values(wanted.pareto("growth", "equity", resolution=0.5)) == [(10, 0), (0, 10)]
    assert values(wanted.pareto("growth", "equity", resolution=0.3)) == [(10, 0), (6, 3), (0, 10)]


def test_class_weights_count_in_both_values():
    """What plan.value would be with one set alone is what the front shows."""
    frames = portfolio([(10, 0), (0, 10)], [1, 1], 1).to_frames()
    frames["projects"]["priority"] = [1, 2]
    objective = SETTINGS["objective"] | {"class_weights": {1: 3, 2: 1}}
    weighed = Portfolio.from_tables(SETTINGS | {"objective": objective}, frames)
    assert values(weighed.pareto("growth", "equity")) == [(30, 0), (0, 10)]


def test_a_walk_that_is_cut_short_says_so():
    """What was found stays exact; that there is no other point is not claimed."""
    front = portfolio([(10, 0), (6, 3), (0, 10)], [1] * 3, 1).pareto("growth", "equity", most=2)
    assert values(front) == [(10, 0), (6, 3)]
    assert not front.complete
    assert "behind in the other: 2; there may be more." in str(front)
    assert "there may be more" in str(front)
    with speaking("vi"):
        assert "có thể còn kế hoạch khác" in str(front)


def test_a_walk_without_time_claims_nothing():
    """That nothing was found is no proof that nothing is there."""
    front = portfolio([(10, 0), (0, 10)], [1, 1], 1).pareto("growth", "equity", time_limit=1e-9)
    assert (len(front), front.complete) == (0, False)


def test_no_plan_at_all_is_an_empty_front():
    """Two mandatory projects of which only one has room leave no point."""
    frames = portfolio([(1, 1), (1, 1)], [1, 1], 1).to_frames()
    frames["projects"]["mandatory"] = [True, True]
    front = Portfolio.from_tables(SETTINGS, frames).pareto("growth", "equity")
    assert (len(front), front.complete) == (0, True)
    assert "<th" not in front._repr_html_()


def test_the_plans_claim_nothing_about_the_own_objective():
    """A plan that is best for equity says nothing about the objective of the portfolio, which is growth."""
    plans = portfolio([(10, 0), (0, 10)], [1, 1], 1).pareto("growth", "equity").plans
    assert [plan.value for plan in plans] == [1.0, 0.0]
    assert all(plan.status is Status.FEASIBLE and plan.bound == float("inf") for plan in plans)


def test_what_stands_against_a_front_is_told_at_once():
    """Values from scores, two sets that there are, all their scores, and limits that make sense."""
    wanted = portfolio([(10, 0)], [1], 1)
    with pytest.raises(InvalidInput, match="between 'growth' and itself") as wrong:
        wanted.pareto("growth", "growth", resolution=-1, most=0)
    assert len(wrong.value.issues) == 3
    with pytest.raises(InvalidInput) as worse:
        wanted.pareto("growth", "equity", resolution="fine", most=1.5)
    assert [issue.code for issue in worse.value.issues] == ["limit-negative", "limit-not-whole"]
    with pytest.raises(UnknownName, match=r"no set of criteria 'equality'\. Did you mean 'equity'"):
        wanted.pareto("growth", "equality")
    ordered = wanted.with_changes({"settings.objective.goal": "lexicographic", "projects.P0.priority": 1})
    with pytest.raises(InvalidInput, match="while the goal is lexicographic"):
        ordered.pareto("growth", "equity")
    frames = wanted.to_frames()
    frames["scores"] = frames["scores"][:1]
    with pytest.raises(InvalidInput, match="has no score on: poor"):
        Portfolio.from_tables(SETTINGS, frames).pareto("growth", "equity")


def test_values_of_points_are_exact():
    """Thirds are rounded once to the grid, and the front holds what was rounded."""
    frames = portfolio([(1, 0), (0, 1)], [1, 1], 1).to_frames()
    frames["criteria"]["high"] = [3, 3]
    front = Portfolio.from_tables(SETTINGS, frames).pareto("growth", "equity")
    assert [point.first for point in front.front.points] == [Fraction(333333, 10**6), 0]

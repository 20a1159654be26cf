"""Every feature alone and any three together: engines, verifier and trying everything say the same."""

from itertools import combinations

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from brute import best_by_enumeration, best_lexicographic, front_by_enumeration, is_plan, payments_of
from capalloc.allocation import Allocation
from capalloc.engines import engine_named
from capalloc.model import SolveOptions, Status
from capalloc.pareto import front_of
from capalloc.solving import optimize
from capalloc.verification import verify
from strategies import EVERYTHING, altered, cases, choices_of, portfolios, portfolios_of_two_sets

EXACT = SolveOptions(time_limit=60, gap=0.0, threads=1)
SETS = ("growth", "equity")
THREE = [frozenset(three) for three in combinations(sorted(EVERYTHING), 3)]


def agrees(tabled, engine):
    """Assert that an engine finds the value that trying everything finds, and a plan of it."""
    best = best_by_enumeration(tabled)
    answer = optimize(tabled, EXACT, engine)
    note(f"{answer}\n{best}")
    if best is None:
        assert answer.status is Status.INFEASIBLE
        return
    assert answer.status is Status.OPTIMAL
    assert answer.value == best[0]
    assert is_plan(tabled, answer.allocation)
    if tabled.settings.objective.goal == "lexicographic":
        assert [account.value for account in answer.audit.classes] == best_lexicographic(tabled)


@pytest.mark.parametrize("feature", sorted(EVERYTHING))
@cases(15)
@given(st.data())
def test_every_feature_alone(feature, data):
    """One feature beside the ordinary rules, on the own engine."""
    agrees(data.draw(portfolios(features=frozenset({feature}))), "capalloc")


@pytest.mark.parametrize("engine", ["capalloc", "highs", "enumeration", "pulp:CBC"])
@cases(50)
@given(st.data())
def test_any_three_features_together(engine, data):
    """Three features beside the ordinary rules, on every engine."""
    agrees(data.draw(portfolios(features=data.draw(st.sampled_from(THREE)))), engine)


@cases(150)
@given(st.data())
def test_the_verifier_accepts_exactly_the_plans(data):
    """Right and wrong scales, histories and payments: what the verifier lets pass is what the referee does."""
    tabled = data.draw(portfolios())
    best = best_by_enumeration(tabled)
    choices = data.draw(choices_of(tabled))
    allocation = Allocation(choices, payments_of(tabled, choices) or ())
    if best is not None and data.draw(st.booleans()):
        allocation = best[1]
    allocation = data.draw(altered(tabled, allocation))
    violations = verify(tabled, allocation).violations
    note(f"{allocation}\n{[issue.message for issue in violations]}")
    assert (violations == ()) == is_plan(tabled, allocation)


@cases(30)
@given(portfolios_of_two_sets(features=EVERYTHING - {"order", "rules", "payment rules"}))
def test_the_front_of_two_sets_is_what_trying_everything_leaves(tabled):
    """Every plan that no other passes in one of two values without falling behind in the other, and no other."""
    front = front_of(tabled, SETS, EXACT, engine_named("highs"))
    assert [(point.first, point.second) for point in front.points] == front_by_enumeration(tabled, SETS)
    assert front.complete
    assert all(is_plan(tabled, point.answer.allocation) for point in front.points)

"""Questions of yes and no: whether a plan reaches a value, and where an answer turns."""

from dataclasses import replace
from fractions import Fraction

import pytest

from building import project, tables
from capalloc.asking import WHOLE_VALUE, Bracket, Reply, ask, bracket, reached_by, values_of, with_decision
from capalloc.budget import Budget
from capalloc.engines import engine_named
from capalloc.model import SolveOptions
from capalloc.records import Commitment, Envelope, Source
from capalloc.solving import optimize

EXACT = SolveOptions(time_limit=60, gap=0.0, threads=1)
MONEY = {"sources": (Source(id="state"),), "envelopes": (Envelope(source=("state",), period="2021:2024", amount=10),)}


def given(**more):
    """Return A worth 5 and B worth 4, of which 10 pays only one."""
    rows = (project("A", 6, value=Fraction(5), priority=1), project("B", 6, value=Fraction(4), priority=2))
    return tables(*rows, **MONEY, **more)


@pytest.mark.parametrize("engine", ["highs", "pulp:CBC"])
@pytest.mark.parametrize(("least", "reached"), [(4, True), (5, True), (Fraction(51, 10), False)])
def test_a_value_is_reached_or_it_is_proved_that_it_is_not(engine, least, reached):
    """The best plan is worth 5: a floor of 5 is reached, one of 5.1 is not."""
    assert ask(given(), {WHOLE_VALUE: Fraction(least)}, EXACT, engine_named(engine)).reached is reached


def test_without_a_floor_any_plan_will_do():
    """A portfolio that asks for both projects has no plan; one that asks for none has."""
    both = with_decision(with_decision(given(), "A", "in"), "B", "in")
    assert ask(given(), {}, EXACT, engine_named("highs")).reached is True
    assert ask(both, {}, EXACT, engine_named("highs")).reached is False


def test_of_ordered_classes_none_may_fall():
    """A plan with B has nothing in class 1, so that it does not keep what the best plan has there."""
    ordered = given(objective={"goal": "lexicographic"})
    floor = values_of(ordered, optimize(ordered, EXACT).audit)
    assert floor == {1: 5, 2: 0}
    assert ask(ordered, floor, EXACT, engine_named("highs")).reached is True
    assert ask(with_decision(ordered, "B", "in"), floor, EXACT, engine_named("highs")).reached is False


def test_a_decision_keeps_what_else_was_committed():
    """A mode and start year that were decided stay; the opposite decision replaces the other."""
    decided = replace(given(), committed=(Commitment(project="A", decision="out", start=2022),))
    assert with_decision(decided, "A", "in").committed == (Commitment(project="A", decision="in", start=2022),)


def answers(turn, open_=()):
    """Return a question that is yes from a number on, and undecided at some numbers."""
    answer = optimize(given(), EXACT)

    def question(number, _):
        return Reply(answer, None if number in open_ else number >= turn)

    return question


@pytest.mark.parametrize("turn", [1, 2, 37, 99, 100])
def test_halving_finds_where_the_answer_turns(turn):
    """The least number that does and the one before it."""
    found = bracket(answers(turn), 0, 100, Budget(EXACT, 20))
    assert (found.failing, found.working, found.exact) == (turn - 1, turn, True)


def test_what_is_not_decided_stays_open():
    """Where 40 to 60 cannot be decided and the answer turns at 50, both ends of what is open are found."""
    found = bracket(answers(50, range(40, 61)), 0, 100, Budget(EXACT, 20))
    assert (found.failing, found.working, found.exact) == (39, 61, False)


def test_where_nothing_does_the_greatest_number_fails():
    """The answer never turns up to 100."""
    assert bracket(answers(101), 0, 100, Budget(EXACT, 20)) == Bracket(100, None)


@pytest.mark.parametrize(("turn", "failing", "working"), [(1, 0, 2), (3, 2, 10), (11, 10, 42), (99, 42, 100)])
def test_steps_that_grow_come_near_where_the_answer_turns(turn, failing, working):
    """From 0 in steps of 2, 8, 32 and what is left to 100."""
    found = reached_by(answers(turn), 0, 100, 2, Budget(EXACT, 20))
    assert (found.failing, found.working) == (failing, working)


def test_a_step_that_is_not_decided_proves_nothing():
    """2 is open, 8 does: only 0 is known to fail.  Where nothing does, the greatest number fails."""
    found = reached_by(answers(5, [2]), 0, 100, 2, Budget(EXACT, 20))
    assert (found.failing, found.working) == (0, 8)
    assert reached_by(answers(101), 0, 100, 2, Budget(EXACT, 20)) == Bracket(100, None)
    assert reached_by(answers(101, range(101)), 0, 100, 2, Budget(EXACT, 20)) == Bracket(0, None)


@pytest.mark.parametrize(("failing", "working", "exact"), [(4, 5, True), (3, 5, False), (4, None, False)])
def test_a_bracket_is_exact_where_nothing_lies_between(failing, working, exact):
    """One number apart, and one that works."""
    assert Bracket(failing, working).exact is exact

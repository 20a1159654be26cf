"""A tie broken: of all best plans the first in the order of the tables, whoever found one of them."""

from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import assume, given

from brute import every_selection, payments_of
from capalloc import EngineFailed, InvalidInput, Portfolio, canonical
from capalloc.canonical import first_of_equals
from capalloc.compiling import compile_tables
from capalloc.engines import engine_named
from capalloc.model import SolveOptions
from capalloc.solving import solve_compiled
from few import few, funded
from strategies import cases, portfolios

EXACT = {"gap": 0.0, "threads": 1}
LIMITS = SolveOptions(60.0, 0.0, 1)
PLAIN = frozenset({"carry", "disbursement", "rules", "targets", "synergies"})


def chosen(plan):
    """Return project, mode and start of what a plan funds."""
    return [(choice.project, choice.mode, choice.start) for choice in plan.answer.allocation.choices]


@pytest.mark.parametrize("names", ["ABC", "CBA", "BAC"])
@pytest.mark.parametrize("engine", ["capalloc", "highs"])
def test_of_equal_projects_the_first_of_the_table_are_funded(names, engine):
    """Two of three fit; all are worth the same and may start in either year."""
    portfolio = few({name: {"cost": 5, "value": 3} for name in names}, 10)
    plan = portfolio.optimize(tie_break=True, engine=engine, **EXACT)
    assert chosen(plan) == [(names[0], "", 2026), (names[1], "", 2026)]
    assert plan.canonical


def test_a_better_plan_comes_before_the_first():
    """C is worth more than A and B apart, which cost as much together: the value decides, not the order."""
    rows = {"A": {"cost": 5, "value": 3}, "B": {"cost": 5, "value": 3}, "C": {"cost": 10, "value": 7}}
    assert funded(few(rows, 10).optimize(tie_break=True, **EXACT)) == ["C"]


def test_a_plan_from_which_it_begins_does_not_matter():
    """Begun from B and C, the plan of A and B comes out, with the same payments as without a start."""
    portfolio = few({name: {"cost": 5, "value": 3} for name in "ABC"}, 10)
    begun = portfolio.optimize(tie_break=True, start=["B", "C"], **EXACT)
    assert begun.answer.allocation == portfolio.optimize(tie_break=True, **EXACT).answer.allocation


def test_what_was_decided_of_the_first_stays_when_the_next_are_decided(monkeypatch):
    """One project after the other: A and B are in, so that C is out, though it would be the first in its turn."""
    monkeypatch.setattr(canonical, "_LARGEST", 1)
    portfolio = few({name: {"cost": 5, "value": 3, "latest_start": 2026} for name in "ABC"}, 10)
    assert funded(portfolio.optimize(tie_break=True, start=["B", "C"], **EXACT)) == ["A", "B"]


def test_without_payments_that_follow_from_the_choices_alone_a_plan_is_not_the_first_of_all(monkeypatch):
    """Its choices are, but how they are paid hangs on how they were found."""
    monkeypatch.setattr(canonical, "_paid", lambda *_: None)
    plan = few({name: {"cost": 5, "value": 3} for name in "ABC"}, 10).optimize(tie_break=True, **EXACT)
    assert (funded(plan), plan.canonical) == (["A", "B"], False)


def test_what_adds_nothing_is_funded_rather_than_not():
    """A is worth nothing and there is money for it: of the two best plans the one that funds it is the first."""
    rows = {"A": {"cost": 5, "value": 0}, "B": {"cost": 5, "value": 3}}
    assert funded(few(rows, 10).optimize(tie_break=True, **EXACT)) == ["A", "B"]


def test_of_ordered_classes_every_class_keeps_what_it_has():
    """B and C, of class 1, are worth the same; with C there is room for D, of class 2, so that B is out."""
    rows = {
        "B": {"cost": 8, "value": 3, "priority": 1},
        "C": {"cost": 5, "value": 3, "priority": 1},
        "D": {"cost": 5, "value": 1, "priority": 2},
        "E": {"cost": 5, "value": 1, "priority": 2},
    }
    plan = few(rows, 10, {"objective": {"goal": "lexicographic"}}).optimize(tie_break=True, **EXACT)
    assert (funded(plan), plan.canonical) == (["C", "D"], True)


def test_without_a_proof_nothing_is_called_the_first():
    """No plan, and a plan that was not asked to be the first."""
    portfolio = few({"A": {"cost": 5, "value": 3, "mandatory": True}}, 5)
    assert portfolio.optimize(**EXACT).canonical is False
    none = few({"A": {"cost": 5, "value": 3, "mandatory": True}, "B": {"cost": 5, "value": 1, "mandatory": True}}, 5)
    assert none.optimize(tie_break=True, **EXACT).canonical is False


def test_time_that_runs_out_leaves_a_plan_of_the_same_value():
    """With nothing left for it, the plan found is kept, and not called the first."""
    compiled = compile_tables(few({name: {"cost": 5, "value": 3} for name in "ABC"}, 10).tables)
    engine = engine_named("highs")
    start = few({name: {"cost": 5, "value": 3} for name in "ABC"}, 10).evaluate(["B", "C"]).answer.allocation
    best = replace(solve_compiled(compiled, LIMITS, engine), allocation=start)
    found = first_of_equals(compiled, best, replace(LIMITS, time_limit=0.0), engine)
    assert ([choice.project for choice in found.allocation.choices], found.canonical) == (["B", "C"], False)


def test_robust_plans_have_no_order():
    """The two are refused together."""
    with pytest.raises(InvalidInput, match="tie_break was given with robust"):
        few({"A": {"cost": 5, "cost_high": 6, "value": 3}}, 10).optimize(robust={"gamma": 1}, tie_break=True)


@cases(15)
@given(tables=portfolios(features=PLAIN))
def test_no_plan_of_the_best_value_comes_before_it(tables):
    """Among all best plans of trying everything, it has the first option of the first project, then of the second."""
    compiled, engine = compile_tables(tables), engine_named("highs")
    best = solve_compiled(compiled, LIMITS, engine)
    assume(best.allocation is not None)
    found = first_of_equals(compiled, best, LIMITS, engine)
    assert (found.canonical, found.value) == (True, best.value)
    plans = [rank(tables, ways) for value, ways in every_selection(tables) if value == best.value]
    plans.sort(key=lambda plan: plan[0])
    first = next(way for way, choices in plans if payments_of(tables, choices) is not None)
    assert rank(tables, found.allocation.choices)[0] == first


def rank(tables, choices):
    """Return the place of what a plan does with each project among its options, and the choices."""
    modes = {(row.project, row.mode): number for number, row in enumerate(tables.modes)}
    taken = {choice.project: (0, modes.get((choice.project, choice.mode), 0), choice.start) for choice in choices}
    return [taken.get(project.id, (1, 0, 0)) for project in tables.projects], choices


class Failing:
    """An engine that fails whatever it is given."""

    name = "failing"

    def solve(self, *_, **__):
        """Fail."""
        raise EngineFailed("broken")


def test_an_engine_that_fails_to_break_a_tie_leaves_the_best_plan():
    """That B is as good as A is not settled then; the plan that was proved to be the best is the answer."""
    compiled = compile_tables(few({name: {"cost": 5, "value": 3} for name in "AB"}, 5).tables)
    best = solve_compiled(compiled, LIMITS, engine_named("highs"))
    found = first_of_equals(compiled, best, LIMITS, Failing())
    assert (found.status, found.value, found.canonical) == (best.status, best.value, False)


HELD_BESIDE_A_MISSED_TARGET = {
    "projects": {
        "id": ["A", "B"],
        "cost": [1, 30],
        "duration": [1, 1],
        "value": [15, 18],
        "priority": [3, 1],
        "latest_start": [2022, 2022],
        "mandatory": [False, True],
    },
    "sources": {
        "id": ["S0", "S1", "S2"],
        "side": ["state", "state", "non_state"],
        "disbursement": [None, 0.9, None],
        "unlimited": [False, True, False],
    },
    "envelopes": {"source": ["S0", "S2"], "period": ["2021:2023"] * 2, "amount": [19, 19]},
    "shares": {"project": ["True"], "source": ["S2"], "min": [0], "max": [0.5]},
    "indicators": {"id": ["km"], "baseline": [3]},
    "contributions": {"project": ["B"], "indicator": ["km"], "amount": [1]},
    "targets": {"indicator": ["km"], "by_year": [2021], "at_least": [6], "price": [3]},
    "rules": {"id": ["r"], "measure": ["paid:S0"], "sense": [">="], "amount": [5], "price": [0.01]},
}


def test_what_is_held_is_held_in_whole_payments_beside_a_target_that_is_missed():
    """The rest of a value that a missed target costs is no room for payments: the first start year is not cut off.

    Who pays less than 5 from S0 loses value, which the class holds; in fractions the engine pays them otherwise.
    """
    settings = {"first_year": 2021, "last_year": 2023, "phases": [], "objective": {"goal": "lexicographic"}}
    tables = {name: pd.DataFrame(columns) for name, columns in HELD_BESIDE_A_MISSED_TARGET.items()}
    plan = Portfolio.from_tables(settings, tables).optimize(tie_break=True, seed=5, **EXACT)
    assert chosen(plan) == [("A", "", 2021), ("B", "", 2021)]
    assert plan.canonical

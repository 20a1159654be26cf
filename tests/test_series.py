"""Related portfolios one after the other: each plan is what a run of its own finds, whatever came before it."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import brute
import capalloc as ca
from capalloc.chaining import Chain
from capalloc.issues import InvalidInput, UnknownName
from capalloc.model import SolveOptions, Status
from capalloc.series import Series
from strategies import cases, portfolios

EXACTLY = SolveOptions(time_limit=None, gap=0, threads=1)

DISTRICT = Path(__file__).parents[1] / "examples" / "district"

PHASE = {"name": "2026-2030", "first": 2026, "last": 2030}
AMOUNT = "envelopes.state.2026-2030.amount"


def small():
    """Four projects of costs 40, 30, 20, 10 and values 9, 8, 5, 1, and 60 to spend."""
    projects = pd.DataFrame({"id": list("ABCD"), "cost": [40, 30, 20, 10], "value": [9, 8, 5, 1]})
    sources = pd.DataFrame({"id": ["state"], "side": ["state"]})
    envelopes = pd.DataFrame({"source": ["state"], "period": ["2026-2030"], "amount": [60]})
    settings = {"first_year": 2026, "last_year": 2030, "phases": [PHASE]}
    return ca.Portfolio.from_tables(settings, {"projects": projects, "sources": sources, "envelopes": envelopes})


@cases(25)
@given(st.data())
def test_envelopes_that_move_change_nothing_about_what_is_best(data):
    """One chain over several amounts of the envelopes finds what trying everything finds for each."""
    tables = data.draw(portfolios(with_sources=True))
    chain = Chain("capalloc")
    for _ in range(3):
        answer, best = chain.answer(tables, EXACTLY), brute.best_by_enumeration(tables)
        if tables.settings.objective.goal != "lexicographic":
            assert answer.value == (None if best is None else best[0])
            assert best is None or answer.status is Status.OPTIMAL
            assert best is None or answer.bound >= float(best[0])
        rows = tuple(replace(row, amount=data.draw(st.integers(0, 2 * row.amount))) for row in tables.envelopes)
        tables = replace(tables, envelopes=rows)


@pytest.mark.parametrize("engine", ["capalloc", "highs"])
def test_a_sweep_gives_the_plans_of_runs_of_their_own(engine):
    """Step by step the value is that of a cold run, and so is what is proved."""
    portfolio = small()
    amounts = [{AMOUNT: amount} for amount in (60, 50, 30, 0, 100, 90)]
    found = list(ca.sweep(portfolio, amounts, gap=0, threads=1, engine=engine))
    cold = [portfolio.with_changes(each).optimize(gap=0, threads=1, engine="highs") for each in amounts]
    assert [plan.value for plan in found] == [plan.value for plan in cold] == [14, 13, 8, 0, 23, 22]
    assert [plan.status for plan in found] == ["optimal"] * 6
    assert [plan.bound for plan in found] == [plan.value for plan in cold]
    assert [plan.verify().violations for plan in found] == [()] * 6


@pytest.mark.parametrize("factors", [("*0.9", "*1.2"), ("*1.2", "*0.9"), ("*1.1", "*0.8", "*1.2")])
def test_what_a_sweep_calls_optimal_is_so_whoever_pays(factors):
    """Two sources that pay for the same projects may split a better plan otherwise than the one known so far."""
    portfolio = ca.load(DISTRICT)
    changes = [{"envelopes.province.2026-2030.amount": factor} for factor in factors]
    found = [plan.value for plan in ca.sweep(portfolio, changes, gap=0, threads=1)]
    best = {"*0.8": 333.06107, "*0.9": 365.918214, "*1.1": 421.881932, "*1.2": 449.999846}
    assert found == [best[factor] for factor in factors]


def test_costs_values_and_projects_that_change_are_taken_up():
    """A series takes any portfolio: dearer projects, other values, a project more, and the first one again."""
    series, portfolio = Series(), small()
    dearer = portfolio.with_changes({"projects.A.cost": "*1.5", "projects.C.value": "+9"})
    frames = portfolio.to_frames()
    frames["projects"] = pd.concat([pd.DataFrame({"id": ["X"], "cost": [5], "value": [7]}), frames["projects"]])
    larger = ca.Portfolio.from_tables({"first_year": 2026, "last_year": 2030, "phases": [PHASE]}, frames)
    found = [series.optimize(each, gap=0, threads=1) for each in (portfolio, dearer, larger, portfolio)]
    assert [plan.value for plan in found] == [14, 23, 20, 14]
    assert [plan.status for plan in found] == ["optimal"] * 4


def test_the_value_of_each_step_is_within_the_gap_asked_for():
    """With a gap the value may lack a part of the bound, and the bound is never below what is best."""
    portfolio = small()
    amounts = [{AMOUNT: amount} for amount in range(0, 101, 10)]
    for plan, changes in zip(ca.sweep(portfolio, amounts, gap=0.1, threads=1), amounts, strict=True):
        best = portfolio.with_changes(changes).optimize(gap=0, threads=1, engine="highs").value
        assert plan.value <= best <= plan.bound
        assert plan.bound - plan.value <= Fraction(1, 10) * plan.value


def test_a_step_that_cannot_be_made_says_why_when_its_turn_comes():
    """The steps before it are answered, and a series goes on after it."""
    portfolio, series = small(), Series()
    steps = ca.sweep(portfolio, [{AMOUNT: 30}, {"envelopes.state.2026-2030.amuont": 1}], threads=1)
    assert next(steps).value == 8
    with pytest.raises(InvalidInput, match="amuont"):
        next(steps)
    series.optimize(portfolio, threads=1)
    with pytest.raises(InvalidInput, match="gap is -1"):
        series.optimize(portfolio, gap=-1)
    assert series.optimize(portfolio, threads=1).value == 14


def test_a_sweep_refuses_what_it_cannot_work_with_at_once():
    """A wrong portfolio, wrong changes, a wrong limit and an unknown engine are told before the first step."""
    portfolio = small()
    with pytest.raises(InvalidInput, match="Give a Portfolio"):
        ca.sweep("lai-chau", [])
    with pytest.raises(InvalidInput, match="such as a list of dicts"):
        ca.sweep(portfolio, 5)
    with pytest.raises(InvalidInput, match="gap is -1"):
        ca.sweep(portfolio, [], gap=-1)
    with pytest.raises(UnknownName, match="gurobi"):
        ca.sweep(portfolio, [], engine="gurobi")


def test_another_series_begins_with_what_one_remembers():
    """The memory is all that has to be sent to go on elsewhere."""
    first = Series()
    first.optimize(small(), gap=0, threads=1)
    second = Series(memory=first.memory)
    assert [point.tolist() for point in second.memory.points] == [point.tolist() for point in first.memory.points]
    assert second.optimize(small(), gap=0, threads=1).value == 14
    assert Series("highs").memory is None


def test_progress_of_a_series_ends_with_the_plan():
    """The last report is the plan's own value and bound."""
    seen = []
    plan = Series().optimize(small(), gap=0, threads=1, progress=seen.append)
    assert (seen[-1].value, seen[-1].bound) == (plan.value, plan.bound)
    with pytest.raises(InvalidInput, match="progress"):
        Series().optimize(small(), progress="yes")

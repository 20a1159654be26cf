"""Models taken away, added to and brought back."""

import math

import pulp
import pytest

from capalloc import InvalidInput, Status
from sample import COLUMNS, sample


@pytest.fixture
def solver():
    """Return the CBC that PuLP brings, silent."""
    return pulp.getSolver("PULP_CBC_CMD", msg=False, _skip_v4_deprecation=True)


def row_names(problem):
    """Return the names of the rows of a problem."""
    return [row.name for row in problem.constraints()]


def test_a_problem_has_readable_names_and_the_value_of_the_plan(solver):
    """Solved by another solver it is worth what the plan is worth, in the portfolio's units."""
    weighted = sample({"objective": {"class_weights": {1: 0.5, 2: 1}}})
    problem = weighted.to_pulp()
    names = {variable.name for variable in problem.variables()}
    assert {"fund_A_2026", "fund_B_2026", "fund_C_2026"} <= names
    assert {"resource_land_2026_2030", "requires_B_C", "envelope_state_2026_2030"} <= set(row_names(problem))
    problem.solve(solver)
    assert pulp.value(problem.objective) == weighted.optimize(gap=0).value == 13


def test_a_solution_comes_back_as_a_verified_plan(solver):
    """Paid in whole units, but without a claim about other plans."""
    portfolio = sample()
    problem = portfolio.to_pulp()
    problem.solve(solver)
    plan = portfolio.plan_from_pulp(problem)
    assert (plan.status, plan.value, plan.bound) == (Status.FEASIBLE, 16, math.inf)
    assert plan.funding["amount"].sum() == 1501
    assert not plan.verify().violations


def test_a_row_added_by_hand_is_obeyed(solver):
    """A user may ask for what the tables cannot say."""
    portfolio = sample()
    problem = portfolio.to_pulp()
    problem += problem.variablesDict()["fund_A_2026"] == 0
    problem.solve(solver)
    plan = portfolio.plan_from_pulp(problem)
    assert plan.projects["funded"].tolist() == [False, True, True]
    assert plan.value == 13


def test_what_the_tables_do_not_allow_comes_back_as_violations(solver):
    """Rows made harmless by hand are still in the tables."""
    portfolio = sample()
    problem = portfolio.to_pulp()
    for row in problem.constraints():
        if row.name.startswith(("requires", "envelope")):
            row.changeRHS(1_000_000)
    problem.solve(solver)
    plan = portfolio.plan_from_pulp(problem)
    assert plan.status is Status.INFEASIBLE
    assert [issue.code for issue in plan.violations] == ["broken-envelope"]


def test_a_problem_without_a_solution_is_refused(solver):
    """Unsolved and infeasible problems hold no plan."""
    portfolio = sample()
    problem = portfolio.to_pulp()
    with pytest.raises(InvalidInput, match=r"\[problem-without-solution\]"):
        portfolio.plan_from_pulp(problem)
    problem += problem.variablesDict()["fund_C_2026"] >= 2
    problem.solve(solver)
    with pytest.raises(InvalidInput, match=r"\[problem-without-solution\]"):
        portfolio.plan_from_pulp(problem)


def test_an_mps_file_is_the_same_model(tmp_path):
    """Read by HiGHS it is worth the value of the plan, negated."""
    import highspy

    sample().write_mps(tmp_path / "plan.mps")
    assert "fund_A_2026" in (tmp_path / "plan.mps").read_text(encoding="utf-8")
    reader = highspy.Highs()
    reader.silent()
    reader.readModel(str(tmp_path / "plan.mps"))
    reader.run()
    assert reader.getInfo().objective_function_value == -16


def test_every_kind_of_row_has_a_name_in_words():
    """Modes, shares, groups and dependencies with a lag are named by the ids of the tables."""
    portfolio = sample(
        projects=COLUMNS["projects"] | {"latest_start": [2029, 2029, 2029]},
        shares={"project": ["A"], "source": ["oda"], "min": [0.05], "max": [0.2]},
        dependencies={"kind": ["finish_start", "together"], "first": ["B", "A"], "then": ["C", "B"]},
        groups={"group": ["g", "g"], "project": ["A", "B"], "kind": ["at_least", "at_least"], "k": [1, 1]},
    )
    names = " ".join(row_names(portfolio.to_pulp()))
    wanted = ["finish_start_B_C_2026", "together_A_B", "group_g", "share_A_oda_min", "share_A_oda_max", "paid_A"]
    assert [name for name in wanted if name not in names] == []

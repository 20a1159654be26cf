"""Portfolios: what can be asked of them."""

import math
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

import capalloc
from capalloc import InvalidInput, Portfolio, Status, UnknownName
from sample import COLUMNS, SETTINGS, frames, sample, write_sample


def test_files_and_frames_make_the_same_portfolio(tmp_path):
    """The path of the folder does, and so does that of its TOML file."""
    folder = write_sample(tmp_path / "sample")
    assert capalloc.load(folder) == capalloc.load(str(folder / "portfolio.toml")) == sample()


def test_wrong_tables_do_not_become_a_portfolio():
    """All that is wrong in cells and across tables is told at once."""
    projects = COLUMNS["projects"] | {"cost": [1001, -500, "many"]}
    with pytest.raises(InvalidInput) as wrong:
        sample(
            {"first_yaer": 2026}, projects=projects, dependencies={"kind": ["requires"], "first": ["Z"], "then": ["C"]}
        )
    codes = {issue.code for issue in wrong.value.issues.errors}
    assert {"unknown-setting", "below-least", "not-a-number"} <= codes
    assert "Z" in str(wrong.value)


def test_equal_portfolios_are_one_in_a_set():
    """Equality and hash are those of the content."""
    assert len({sample(), sample(), sample({"title": "Khác"})}) == 2
    assert sample() != "Ba dự án"


def test_a_table_is_looked_up_by_name():
    """A table that was not given is empty, one that cannot be is an error."""
    assert sample()["projects"]["id"].tolist() == ["A", "B", "C"]
    assert sample()["rules"].empty
    with pytest.raises(UnknownName, match=r"no table 'project'\. Did you mean 'projects'"):
        sample()["project"]


def test_check_tells_what_can_never_be_funded():
    """A project dearer than all money is found before optimising."""
    issues = sample().with_changes({"projects.C.cost": 9000}).check()
    assert not issues.errors
    assert any("C" in issue.message for issue in issues)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"time_limit": 0}, r"\[limit-not-positive\].*time_limit is 0.*above 0"),
        ({"time_limit": "60"}, r"\[limit-not-positive\].*time_limit is '60'"),
        ({"gap": -0.1}, r"\[limit-negative\].*gap is -0\.1"),
        ({"gap": math.nan}, r"\[limit-negative\].*gap is nan"),
        ({"gap": math.inf}, r"\[limit-negative\].*gap is inf\..*finite"),
        ({"time_limit": math.inf}, r"\[limit-not-positive\].*time_limit is inf"),
        ({"threads": 100_000}, r"\[limit-too-high\].*threads is 100000.*at most 256"),
        ({"threads": 0}, r"\[limit-not-whole\].*threads is 0.*1 or more"),
        ({"threads": 1.5}, r"\[limit-not-whole\].*threads is 1\.5"),
        ({"seed": -1}, r"\[limit-not-whole\].*seed is -1.*0 or more"),
        ({"node_limit": 0}, r"\[limit-not-whole\].*node_limit is 0"),
        ({"seed": True}, r"\[limit-not-whole\].*seed is True"),
        ({"threads": True}, r"\[limit-not-whole\].*threads is True"),
        ({"node_limit": True}, r"\[limit-not-whole\].*node_limit is True"),
        ({"time_limit": True}, r"\[limit-not-positive\].*time_limit is True"),
        ({"gap": False}, r"\[limit-negative\].*gap is False"),
        ({"threads": None}, r"\[limit-not-whole\].*threads is None"),
        ({"seed": None}, r"\[limit-not-whole\].*seed is None"),
        ({"seed": 2**31 - 1}, r"\[limit-too-high\].*seed is 2147483647.*at most 2147483646"),
        ({"node_limit": 2**31}, r"\[limit-too-high\].*node_limit is 2147483648.*at most 2147483647"),
        ({"time_limit": 10**400}, r"\[limit-not-positive\].*time_limit is 1000.*0…"),
        ({"gap": 10**5000}, r"\[limit-negative\].*gap is int"),
    ],
)
def test_limits_that_make_no_sense_are_refused(limits, message):
    """The message says which, what was given, and what it must be."""
    with pytest.raises(InvalidInput, match=message):
        sample().optimize(**limits)


@pytest.mark.parametrize("engine", ["highs", "pulp:CBC"])
def test_limits_may_be_any_kind_of_number_up_to_the_largest(engine):
    """Numbers of numpy and fractions do as well as Python's own, and the largest seed is one that engines take."""
    limits = {"seed": np.int64(2**31 - 2), "threads": np.int32(1), "gap": Fraction(1, 10), "time_limit": np.float64(9)}
    plan = sample().optimize(engine=engine, **limits)
    assert plan.status.has_plan
    assert "Optimal" in plan.summary() or "10%" in plan.summary()


def test_all_wrong_limits_are_told_at_once():
    """They are issues like those of the tables."""
    with pytest.raises(InvalidInput) as wrong:
        sample().optimize(time_limit=-1, gap=-1, threads=0)
    assert len(wrong.value.issues) == 3


def test_an_unknown_engine_is_told_with_the_nearest():
    """Before anything is computed."""
    with pytest.raises(UnknownName, match=r"no engine 'higs'\. Did you mean 'highs'"):
        sample().optimize(engine="higs")


@pytest.mark.parametrize("engine", ["highs", "enumeration"])
def test_engines_find_the_plan_made_by_hand(engine):
    """A and B are worth 16, and nothing is worth more."""
    plan = sample().optimize(engine=engine, gap=0)
    assert (plan.status, plan.value) == (Status.OPTIMAL, 16)


def test_a_run_may_start_from_a_plan_or_a_list():
    """The start is never worse than what comes out; a plan of the portfolio before a change will do."""
    portfolio = sample()
    plan = portfolio.optimize()
    richer = portfolio.with_changes({"envelopes.state.2026-2030.amount": "*2"})
    assert portfolio.optimize(start=plan).value == 16
    assert portfolio.optimize(start=["B", "C"]).value == 16
    assert richer.optimize(start=plan).value == 23


def test_a_start_that_breaks_the_tables_is_refused():
    """It is not dropped in silence."""
    with pytest.raises(InvalidInput, match=r"\[start-infeasible\](.|\n)*\[broken-envelope\]"):
        sample().optimize(start=["A", "B", "C"])
    stuck = sample().with_changes({"projects.A.mandatory": True, "projects.C.mandatory": True}).optimize()
    with pytest.raises(InvalidInput, match=r"\[start-without-plan\].*infeasible"):
        sample().optimize(start=stuck)


def test_a_hand_made_list_is_judged_like_a_plan():
    """Exactly the listed projects are funded, and nothing is claimed about others."""
    plan = sample().evaluate(["B", "C"])
    assert (plan.status, plan.value, plan.bound) == (Status.FEASIBLE, 13, math.inf)
    assert plan.projects["funded"].tolist() == [False, True, True]
    assert "The projects were given; no others were looked for." in plan.summary()


@pytest.mark.parametrize(
    ("listed", "message"),
    [
        (["C"], "Project C may be funded only if B is"),
        (["A", "B", "C"], r"envelope has room for \d"),
        ({"A": 2027}, "latest start is 2026"),
    ],
)
def test_a_list_that_breaks_the_tables_says_what_it_breaks(listed, message):
    """The answer is infeasible, with the violations in words; there are no tables."""
    plan = sample().evaluate(listed)
    assert plan.status is Status.INFEASIBLE
    assert plan.projects is None
    assert len(plan.violations) >= 1
    with pytest.raises(InvalidInput, match=message):
        raise InvalidInput(plan.violations)
    assert str(plan.violations[0]) in plan.summary()


def test_a_plan_is_a_list_too():
    """Its own projects, modes and years are judged, also against other tables; one without projects is refused."""
    plan = sample().optimize()
    assert sample().evaluate(plan).value == 16
    poorer = sample().with_changes({"envelopes.state.2026-2030.amount": 1000})
    assert [issue.code for issue in poorer.evaluate(plan).violations] == ["broken-envelope"]
    with pytest.raises(InvalidInput, match=r"\[list-without-plan\].*infeasible"):
        sample().evaluate(poorer.evaluate(plan))


def test_a_plan_edited_in_a_frame_is_judged_again():
    """The table of a plan is a list too; rows that are not funded do not count."""
    projects = sample().optimize().projects
    projects.loc[projects["project"] == "A", "funded"] = False
    assert sample().evaluate(projects).value == 6


def test_dependencies_are_a_graph():
    """Nodes carry the columns of their project, edges kind and lag; several of a pair are one edge."""
    dependencies = {
        "kind": ["requires", "finish_start", "excludes"],
        "first": ["B", "B", "A"],
        "then": ["C", "C", "C"],
        "lag": [None, 1, None],
    }
    projects = COLUMNS["projects"] | {"people": [10, 20, 30], "latest_start": [2030, 2030, 2030]}
    graph = sample(projects=projects, dependencies=dependencies).graph()
    assert list(graph.nodes) == ["A", "B", "C"]
    assert graph.nodes["A"]["name"] == "Đường A"
    assert graph.nodes["A"]["people"] == 10
    assert graph.edges["B", "C"] == {"kind": "requires+finish_start", "lag": 1}
    assert graph.edges["A", "C"] == {"kind": "excludes", "lag": 0}


def test_a_portfolio_without_sources_is_costed_and_not_financed():
    """Costs are reported; there are no payments and no envelopes."""
    portfolio = Portfolio.from_tables(SETTINGS, {"projects": frames()["projects"]})
    plan = portfolio.optimize()
    assert plan.value == 23
    assert plan.projects["cost"].sum() == 2301
    assert plan.funding.empty
    assert plan.envelopes.empty


def test_a_notebook_shows_what_is_in_a_portfolio():
    """The display is HTML, the short form one line."""
    assert sample()._repr_html_().startswith("<div><h4>Ba dự án</h4>")
    assert repr(sample()) == "<Portfolio 'Ba dự án': 3 projects>"


def test_numbers_of_numpy_are_numbers():
    """A frame computed by pandas loads as well as one typed in."""
    doubled = pd.DataFrame(COLUMNS["projects"])
    doubled["cost"] *= 2
    assert sample(projects=doubled.to_dict("list"))["projects"]["cost"].tolist() == [2002, 1000, 1600]

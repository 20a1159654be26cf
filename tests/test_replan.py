"""Replanning: the fewest changed projects first, the best value second, and a log that says what became of each."""

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from brute import every_selection, payments_of
from capalloc import InvalidInput, Status
from capalloc.catalogue import speaking
from capalloc.model import SolveOptions
from capalloc.records import Commitment
from capalloc.replan import replan
from capalloc.solving import optimize
from few import few, funded
from strategies import cases, portfolios

EXACT = {"gap": 0.0, "threads": 1}
LIMITS = SolveOptions(60.0, 0.0, 1)


def planned():
    """Return the plan A, B, C of a room of 12; D would be worth more than B and C together at 6."""
    return few(
        {
            "A": {"name": "Cầu A", "cost": 6, "value": 10, "latest_start": 2026},
            "B": {"name": "Đường B", "cost": 3, "value": 4, "latest_start": 2026},
            "C": {"name": "Trường C", "cost": 3, "value": 3, "latest_start": 2026},
            "D": {"name": "Chợ D", "cost": 6, "value": 6},
        },
        12,
    ).optimize(**EXACT)


def changes(revision):
    """Return what became of each project."""
    return {entry.project: entry.change for entry in revision.revised.log}


def test_a_cut_takes_out_as_few_projects_as_can_be():
    """With 9, B or C must go, and C is worth less; D in place of both would be worth less still."""
    plan = planned()
    assert funded(plan) == ["A", "B", "C"]
    found = plan.replan({"envelopes.state.P.amount": "-3"}, **EXACT)
    assert changes(found) == {"A": "kept", "B": "kept", "C": "left"}
    assert (found.changes, found.least, found.allowed) == (1, 1, 1)
    assert found.plan.value == 14
    assert found.revised.answer.status is Status.OPTIMAL


def test_few_changes_come_before_value():
    """D becomes worth 20; nothing forces a change, so nothing changes, until changes are allowed."""
    plan = planned()
    found = plan.replan({"projects.D.value": 20}, **EXACT)
    assert (found.changes, found.plan.value) == (0, 17)
    found = plan.replan({"projects.D.value": 20}, max_changes=3, **EXACT)
    assert changes(found) == {"A": "kept", "B": "left", "C": "left", "D": "entered"}
    assert (found.changes, found.least, found.plan.value) == (3, 0, 30)
    found = plan.replan({"projects.D.value": 20}, max_changes=2, **EXACT)
    assert changes(found) == {"A": "left", "B": "kept", "C": "kept", "D": "entered"}
    assert found.plan.value == 27


def test_what_may_not_be_is_said():
    """Within no change there is no plan of a smaller envelope; one change is needed at least."""
    found = planned().replan({"envelopes.state.P.amount": "-3"}, max_changes=0, **EXACT)
    assert (found.plan.projects, found.allowed, found.least) == (None, None, 1)
    assert "at least 1 change is needed" in str(found)


def test_a_commitment_of_the_changed_tables_is_kept():
    """D becomes mandatory: C and B must make room for it."""
    found = planned().replan({"projects.D.mandatory": True}, **EXACT)
    assert changes(found) == {"A": "left", "B": "kept", "C": "kept", "D": "entered"}
    assert found.changes == 2


def test_what_has_started_before_the_first_open_year_stays():
    """A starts in 2026 and is kept, although leaving it out would be the fewest changes."""
    plan = planned()
    found = plan.replan({"envelopes.state.P.amount": "-6"}, **EXACT)
    assert changes(found) == {"A": "left", "B": "kept", "C": "kept"}
    found = plan.replan({"envelopes.state.P.amount": "-6"}, since=2027, **EXACT)
    assert found.plan.projects is None or "A" in funded(found.plan)
    assert found.plan.projects is None


def test_nothing_else_starts_before_decisions_are_open():
    """With more money A could start in 2026, beside B; from 2027 on it cannot, and B stays alone."""
    rows = {"B": {"cost": 3, "value": 4, "latest_start": 2026}, "A": {"cost": 3, "value": 3, "latest_start": 2026}}
    plan = few(rows, 3).optimize(**EXACT)
    more = {"envelopes.state.P.amount": "+3"}
    assert changes(plan.replan(more, max_changes=1, **EXACT)) == {"B": "kept", "A": "entered"}
    assert changes(plan.replan(more, max_changes=1, since=2027, **EXACT)) == {"B": "kept"}


def test_what_starts_in_the_first_open_year_is_open():
    """A may leave the plan where decisions are open from 2026 on, the year in which it starts, and not from 2027 on."""
    less = {"envelopes.state.P.amount": "-6"}
    assert changes(planned().replan(less, since=2026, **EXACT)) == {"A": "left", "B": "kept", "C": "kept"}
    rows = {"A": {"cost": 6, "value": 1, "latest_start": 2026}, "B": {"cost": 6, "value": 9, "earliest_start": 2027}}
    plan = few(rows, 6).optimize(start=["B"], **EXACT)
    found = plan.replan({"projects.B.value": 0}, max_changes=2, since=2026, **EXACT)
    assert changes(found) == {"A": "entered", "B": "left"}


def test_a_project_that_starts_in_another_year_has_moved():
    """The window of B closes in 2026: it moves a year, which is one change."""
    portfolio = few({"B": {"cost": 3, "value": 4, "earliest_start": 2026, "latest_start": 2026}}, 3)
    found = portfolio.optimize(**EXACT).replan(
        {"projects.B.latest_start": 2027, "projects.B.earliest_start": 2027}, **EXACT
    )
    assert changes(found) == {"B": "moved"}
    assert found.annex().splitlines() == [
        "Start year or variant adjusted: 1 project",
        "1. B, B: starts in 2027 instead of 2026; cost 3 → 3 million VND.",
    ]


def test_the_log_reads_like_the_annex_of_a_decision():
    """What leaves comes before what enters, each with its name, year and cost, in the language in force."""
    found = planned().replan({"projects.D.mandatory": True}, **EXACT)
    with speaking("vi"):
        lines = found.annex().splitlines()
    assert lines[0] == "Đưa ra khỏi kế hoạch: 1 dự án"
    assert lines[1].startswith("1. A, Cầu A: đưa ra khỏi kế hoạch; trước đây dự kiến khởi công năm 202")
    assert lines[2] == "Bổ sung vào kế hoạch: 1 dự án"
    assert lines[3].startswith("2. D, Chợ D: bổ sung; khởi công năm 202")
    assert list(found.to_frame()["change"]) == ["left", "kept", "kept", "entered"]


def test_changes_that_cannot_be_made_are_refused():
    """A wrong path, and a number of changes below 0."""
    with pytest.raises(InvalidInput, match="matches no row"):
        planned().replan({"projects.Z.cost": 1})
    with pytest.raises(InvalidInput, match="max_changes must be a whole number of 0"):
        planned().replan({}, max_changes=-1)


@cases(8)
@given(tables=portfolios(with_sources=False), data=st.data())
def test_the_fewest_changes_are_those_of_trying_everything(tables, data):
    """Against another plan of the same projects: the count, and the best value with it."""
    assume(tables.settings.objective.goal != "lexicographic")
    assume(all(project.kind != "programme" for project in tables.projects))
    before = optimize(tables, LIMITS)
    assume(before.allocation is not None and before.allocation.choices)
    out = data.draw(st.sampled_from(before.allocation.choices)).project
    assume(not next(project for project in tables.projects if project.id == out).mandatory)
    assume(out not in {row.project for row in (*tables.committed, *tables.paid)})
    barred = replace(tables, committed=(*tables.committed, Commitment(project=out, decision="out")))
    plans = [(value, choices) for value, choices in every_selection(barred) if payments_of(barred, choices) is not None]
    found = replan(barred, before, LIMITS)
    if not plans:
        assert found.answer.allocation is None
        return
    fewest = min(_changed(before.allocation.choices, choices) for _, choices in plans)
    assert (found.least, found.allowed) == (fewest, fewest)
    best = max(value for value, choices in plans if _changed(before.allocation.choices, choices) == fewest)
    assert found.answer.value == best


def _changed(before, after):
    was = {choice.project: (choice.mode, choice.start) for choice in before}
    now = {choice.project: (choice.mode, choice.start) for choice in after}
    return sum(was.get(name) != now.get(name) for name in was.keys() | now.keys())

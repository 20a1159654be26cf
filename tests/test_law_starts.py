"""What the law asks of projects that begin: their tail, their group, the years in which they are paid."""

from dataclasses import replace

import pytest

from capalloc.law.compliance import comply
from capalloc.verification import verify
from laws import ONE, funded, issue_of, optimum, portfolio, verdict


def test_the_tail_after_a_phase_is_held_to_a_share_of_its_public_capital():
    """20% of 1,000 is 200: of two projects that leave 150 each, one may start before the border."""
    projects = "id,cost,value,duration,earliest_start,latest_start;A,300,5,2,2025,2025;B,300,4,2,2025,2025"
    law = {"tail-cap": {"enabled": True}, "completion-share": {"enabled": False}}
    plan = optimum(portfolio(projects, law=law))
    assert funded(plan) == ["A"]
    row = verdict(plan, "tail-cap/2021-2025")
    assert (row.verdict, row.found, row.limit, row.slack) == ("passed", 150_000, 200_000, 50_000)
    free = optimum(portfolio(projects, law={"completion-share": {"enabled": False}}))
    assert funded(free) == ["A", "B"]
    row = verdict(free, "tail-cap/2021-2025")
    assert (row.verdict, row.found, row.slack) == ("off", 300_000, -100_000)


def test_what_begins_after_the_plan_is_not_in_its_tail():
    """B is begun and paid in the next phase: only the 150 of A are left over from the first."""
    projects = "id,cost,value,duration,earliest_start,latest_start;A,300,5,2,2025,2025;B,300,4,2,2027,2027"
    law = {"tail-cap": {"enabled": True}, "completion-share": {"enabled": False}}
    plan = optimum(portfolio(projects, law=law))
    assert funded(plan) == ["A", "B"]
    assert verdict(plan, "tail-cap/2021-2025").found == 150_000


def test_the_tail_is_free_where_the_plan_has_no_envelope():
    """A share of nothing known is no cap."""
    given = portfolio(
        "id,cost,value,duration,latest_start,earliest_start;A,300,5,2,2025,2025",
        law={"tail-cap": {"enabled": True}, "completion-share": {"enabled": False}},
        sources="id,side,public_investment,unlimited;budget,state,true,true",
        envelopes="source,period,amount",
    )
    plan = optimum(given)
    assert funded(plan) == ["A"]
    assert verdict(plan, "tail-cap/2021-2025").verdict == "not_assessed"


def test_projects_named_as_exempt_leave_no_tail():
    """Of 200, B leaves 100; the 250 of A, a national important project, are not held to the cap."""
    projects = "id,cost,value,duration,earliest_start,latest_start;A,500,5,2,2025,2025;B,200,4,2,2025,2025"
    law = {"tail-cap": {"enabled": True, "exempt": 'id == "A"'}, "completion-share": {"enabled": False}}
    plan = optimum(portfolio(projects, law=law))
    assert funded(plan) == ["A", "B"]
    row = verdict(plan, "tail-cap/2021-2025")
    assert (row.verdict, row.found) == ("passed", 100_000)
    assert row.statement.endswith('Projects with id == "A" are exempt.')


def test_a_start_that_would_be_paid_for_longer_than_its_group_allows_is_barred():
    """Five years are too long for group B under the law of 2021-2025; that of 2026-2030 is from memory and off."""
    projects = "id,cost,value,duration,legal_group;A,100,1,5,B;C,100,1,3,C"
    given = portfolio(projects, law={"completion-share": {"enabled": False}})
    (told,) = given.findings.of("law-bars-starts")
    assert (told.arguments["rule"], told.arguments["projects"]) == ("funding-years/2021-2025", "A")
    plan = optimum(given)
    starts = plan.projects.set_index("project").start
    assert starts["A"] == 2026
    assert verdict(plan, "funding-years/2021-2025").verdict == "passed"
    waived = portfolio(projects, law={"funding-years": {"waived": "Nghị quyết 12"}})
    assert not waived.findings.of("law-bars-starts")
    assert verdict(optimum(waived), "funding-years/2021-2025").verdict == "waived"


@pytest.mark.parametrize(
    ("cost", "sector", "years", "barred"),
    [
        (2_300, "1", 6, False),  # group A: six years
        (2_299, "1", 5, True),  # below: B or C, four at most
        (2_299, "1", 4, False),
        (2_299, "", 9, False),  # no class of sector: the group cannot be told
    ],
)
def test_the_group_follows_from_class_of_sector_and_cost(cost, sector, years, barred):
    """Group A of class 1 begins at 2,300 billion VND in the law of 2021-2025."""
    given = portfolio(
        f"id,cost,value,duration,law_class;A,{cost},1,{years},{sector}",
        sources="id,side,public_investment;budget,state,true",
        envelopes="source,period,amount;budget,2021-2025,9000;budget,2026-2030,9000",
    )
    assert bool(given.findings.of("law-bars-starts")) is barred


@pytest.mark.parametrize(
    ("row", "years", "barred"),
    [
        ("A,239,1,4,1,road,", "4", True),  # class 1: group B from 240
        ("A,240,1,4,1,road,", "4", False),
        ("A,10,1,6,4,park,", "6", False),  # a park is of group A whatever it costs
        ("A,10,1,6,4,road,", "6", True),
        ("A,10,1,6,4,road,A", "6", False),  # the group the tables name counts first
        ("A,1600,1,5,,school,", "5", False),  # class 4 by the settings: group A from 1,600
        ("A,1599,1,5,,school,", "5", True),
    ],
)
def test_groups_of_2026_2030_follow_the_thresholds_of_their_class(row, years, barred):
    """The border of group B is known there, a selection can tell the class, and parks are always of group A."""
    given = portfolio(
        f"id,cost,value,duration,law_class,sector,legal_group;{row}",
        law={
            "funding-years": {"enabled": True},
            "groups": {"always_a": 'id == "A"' if "park" in row else "", "classes": {"4": 'sector != ""'}},
        },
        sources="id,side,public_investment;budget,state,true",
        envelopes="source,period,amount;budget,2021-2025,9000;budget,2026-2030,9000",
        preset="vn-2026-2030",
    )
    assert bool(given.findings.of("law-bars-starts")) is barred


def test_a_project_is_of_another_group_under_the_other_law():
    """3,000 billion VND of class 1 is group A from 2,300 on, and B once that begins at 4,600: six years no more."""
    given = portfolio(
        "id,cost,value,duration,law_class;A,3000,1,5,1",
        law={"funding-years": {"enabled": True}},
        sources="id,side,public_investment;budget,state,true",
        envelopes="source,period,amount;budget,2021-2025,9000;budget,2026-2030,9000",
    )
    (told,) = given.findings.of("law-bars-starts")
    assert told.arguments["rule"] == "funding-years/2026-2030"


def test_a_project_whose_group_cannot_be_told_is_named_unless_the_group_does_not_matter():
    """Three years are allowed in any group; four only in A and B."""
    projects = "id,cost,value,duration,latest_start;A,100,1,3,2022;B,100,1,4,2021"
    plan = optimum(portfolio(projects, law={"completion-share": {"enabled": False}}))
    row = verdict(plan, "funding-years/2021-2025")
    assert (row.verdict, row.unknown, row.breaking) == ("not_assessed", "B", "")
    row = verdict(plan, "groups/2021-2025")
    assert (row.verdict, row.found, row.limit, row.unknown) == ("not_assessed", 0, 2, "A, B")
    off = {"completion-share": {"enabled": False}, "groups": {"always_a": 'id != ""', "enabled": False}}
    assert verdict(optimum(portfolio(projects, law=off)), "funding-years/2021-2025").unknown == "B"
    told = optimum(
        portfolio(projects, law={"completion-share": {"enabled": False}, "groups": {"always_a": 'id != ""'}})
    )
    assert verdict(told, "groups/2021-2025").verdict == "passed"
    assert verdict(told, "funding-years/2021-2025").verdict == "passed"


def test_only_the_years_in_which_capital_is_paid_count():
    """Nothing is paid in the first of five years, so a project of group B is paid in four; a slow mode takes five."""
    shares = ";".join(f"late,5,{offset},{0.25 if offset else 0}" for offset in range(5))
    law = {"completion-share": {"enabled": False}}
    tables = {"profiles": f"profile,duration,offset,share;{shares}"}
    given = portfolio(
        "id,cost,value,duration,legal_group,profile,latest_start;A,100,1,5,B,late,2021", law=law, **tables
    )
    assert not given.findings.of("law-bars-starts")
    assert verdict(optimum(given), "funding-years/2021-2025").verdict == "passed"
    modes = "project,mode,cost,duration;A,fast,100,3;A,slow,100,5"
    given = portfolio("id,cost,value,duration,legal_group;A,100,1,3,B", law=law, modes=modes)
    assert given.findings.of("law-bars-starts")[0].arguments["projects"] == "A (slow)"


@pytest.mark.parametrize(("rule", "verdict_"), [({}, "passed"), ({"funding-years": {"enabled": False}}, "off")])
def test_a_pause_between_two_payments_counts_as_years_of_capital(rule, verdict_):
    """Half in the first and half in the fifth year are five years of capital: one too many for group B."""
    given = portfolio(
        "id,value,duration,legal_group,latest_start;A,1,5,B,2021",
        costs="project,offset,amount;A,0,50;A,4,50",
        law={"completion-share": {"enabled": False}, **rule},
    )
    assert [told.arguments["projects"] for told in given.findings.of("law-bars-starts")] == [] if rule else ["A"]
    row = verdict(optimum(given), "funding-years/2021-2025")
    assert (row.verdict, row.breaking) == (verdict_, "A" if rule else "")


@pytest.mark.parametrize(("change", "breaking"), [(0, ""), (-1, "A"), (1, "A")])
def test_what_begins_is_paid_to_the_last_unit(change, breaking):
    """A million too little leaves a project unfinished, and one too much is not its cost."""
    plan = optimum(portfolio(ONE))
    first, *others = plan.answer.allocation.payments
    paid = replace(plan.answer.allocation, payments=(replace(first, amount=first.amount + change), *others))
    found = comply(plan.tables, paid, verify(plan.tables, paid))
    (row,) = (row for row in found if row.statute.name == "fund-to-finish/2021-2025")
    assert row.measured.breaking == ((breaking,) if breaking else ())


def test_what_the_law_leaves_of_a_window_is_still_the_window_of_the_project():
    """Its slow mode may not start by 2025, and the project not before 2027."""
    given = portfolio(
        "id,cost,value,duration,legal_group,earliest_start;A,100,1,3,C,2027",
        modes="project,mode,cost,duration;A,slow,100,5",
    )
    assert [row.earliest_start for row in given.tables.modes] == [2027]


def test_what_was_begun_is_not_held_to_the_years_of_a_new_start():
    """The law of new starts does not undo what is under way, nor what lies before the years it bars."""
    law = {"completion-share": {"enabled": False}, "funding-years": {"enabled": True}}
    given = portfolio("id,cost,value,duration,legal_group,status,latest_start;A,100,1,5,C,under_way,2021", law=law)
    row = verdict(optimum(given), "funding-years/2021-2025")
    assert (row.verdict, row.breaking) == ("passed", "")
    given = portfolio(
        "id,cost,value,duration,legal_group;A,100,1,4,C",
        law={"funding-years": {"enabled": True}},
        preset="vn-2026-2030",
    )
    assert given.tables.projects[0].latest_start == 2025


def test_what_was_paid_for_before_the_plan_has_begun_whatever_its_status_says():
    """A first payment in 2021 makes five years of capital a fact that no law of new starts undoes."""
    given = portfolio(
        "id,cost,value,duration,legal_group,status,earliest_start,latest_start;A,100,1,5,C,decided,2021,2021",
        paid="project,source,year,amount;A,budget,2021,20",
        law={"completion-share": {"enabled": False}, "funding-years": {"enabled": True}},
        terms={"decide_from": 2022},
    )
    assert not given.findings.of("law-bars-starts")
    assert funded(optimum(given)) == ["A"]


def test_programmes_have_no_group():
    """The law puts projects in groups; five years of a programme break nothing, unless its row names a group."""
    projects = "id,cost,value,duration,kind,min_scale,law_class,latest_start;P,100,1,5,programme,0.5,2,2021"
    law = {"completion-share": {"enabled": False}}
    given = portfolio(projects, law=law)
    assert not given.findings.of("law-bars-starts")
    plan = optimum(given)
    row = verdict(plan, "funding-years/2021-2025")
    assert (row.verdict, row.unknown) == ("passed", "")
    named = portfolio(projects.replace("law_class", "legal_group").replace(",2,2021", ",C,2025"), law=law)
    assert named.findings.of("law-bars-starts")


@pytest.mark.parametrize("earliest", ["", 2019])
def test_a_project_that_must_be_funded_and_may_not_start_is_an_error_that_names_the_rule(earliest):
    """Its only start lies in the years the law bars; that it could once have started earlier helps nobody."""
    projects = (
        f"id,cost,value,duration,legal_group,mandatory,earliest_start,latest_start;A,100,1,5,C,true,{earliest},2025"
    )
    issue = issue_of("law-bars-project", lambda: portfolio(projects))
    assert (issue.where.column, issue.arguments["rules"]) == ("id", "funding-years/2021-2025")

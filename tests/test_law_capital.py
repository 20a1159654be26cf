"""What the law asks of capital: its order, its reserve, its line for preparation, how much of it is paid out."""

import pytest

from capalloc import InvalidInput
from capalloc.law.enacting import bound_projects, plan_envelopes
from laws import ONE, funded, issue_of, optimum, portfolio, verdict


def test_capital_goes_to_arrears_before_new_starts():
    """A project in arrears is funded though a new start of more value would take its money."""
    projects = "id,cost,value,duration,status;OLD,900,1,1,arrears;NEW,900,50,1,decided"
    tables = {"envelopes": "source,period,amount;budget,2021-2025,1000;other,2021:2030,0;investor,2021:2030,0"}
    with pytest.raises(InvalidInput, match="envelope"):
        portfolio(projects, **tables)
    tables["envelopes"] += ";budget,2026-2030,0"
    plan = optimum(portfolio(projects, law={"reserve": {"enabled": False}}, **tables))
    assert funded(plan) == ["OLD"]
    row = verdict(plan, "priority-order/2021-2025")
    assert (row.verdict, row.found, row.limit) == ("passed", 1, 1)
    free = portfolio(projects, law={"priority-order": {"enabled": False}}, **tables)
    assert funded(optimum(free)) == ["NEW"]


def test_the_order_is_kept_among_equals_and_in_the_years_of_its_law():
    """One stopped project beside another of its rank breaks no order; a new start of 2026 breaks that of its years."""
    projects = "id,cost,value,duration,status,latest_start;OLD,100,1,1,under_way,2021;TOO,100,1,1,under_way,2021"
    stopped = {"committed": "project,decision;OLD,out"}
    plan = optimum(portfolio(projects, **stopped))
    assert funded(plan) == ["TOO"]
    assert verdict(plan, "priority-order/2021-2025").verdict == "passed"
    later = (
        "id,cost,value,duration,status,earliest_start,latest_start;OLD,9,1,1,under_way,,2021;NEW,9,1,1,decided,2026,"
    )
    plan = optimum(portfolio(later, **stopped))
    assert funded(plan) == ["NEW"]
    assert verdict(plan, "priority-order/2021-2025").verdict == "passed"
    assert verdict(plan, "priority-order/2026-2030").breaking == "OLD"


def test_leaving_out_what_is_under_way_for_a_new_start_breaks_the_order_and_the_inheritance():
    """A decision to stop a project is carried out and told; what is due before it is funded."""
    projects = "id,cost,value,duration,status,latest_start;OLD,100,1,1,under_way,2021;NEW,100,1,1,decided,2021"
    plan = optimum(portfolio(projects, committed="project,decision;OLD,out"))
    assert funded(plan) == ["NEW"]
    row = verdict(plan, "priority-order/2021-2025")
    assert (row.verdict, row.found, row.limit, row.breaking) == ("failed", 0, 1, "OLD")
    row = verdict(plan, "inherit/2021-2025")
    assert (row.verdict, row.breaking) == ("failed", "OLD")
    assert verdict(optimum(portfolio(projects)), "inherit/2021-2025").verdict == "passed"


def test_the_reserve_is_held_back_where_the_tables_name_none():
    """10% of 2026-2030 by a resolution of low reliability; 2021-2025 is from memory and keeps its whole room."""
    given = portfolio(ONE)
    envelopes = optimum(given).envelopes.set_index(["source", "period"])
    assert envelopes.loc[("budget", "2026-2030"), "reserve"] == 100_000
    assert envelopes.loc[("budget", "2021-2025"), "reserve"] == 0
    assert envelopes.loc[("other", "2021:2030"), "reserve"] == 0
    assert "reserve" not in given["envelopes"] or given["envelopes"].reserve.isna().all()
    own = portfolio(
        ONE,
        envelopes="source,period,amount,reserve;budget,2021-2025,1000,0.05;budget,2026-2030,1000,0.05"
        ";other,2021:2030,9000,;investor,2021:2030,9000,",
    )
    row = verdict(optimum(own), "reserve/2026-2030")
    assert (row.verdict, row.found, row.limit) == ("failed", 0.05, 0.1)
    two = portfolio(
        ONE,
        sources="id,side,public_investment;budget,state,true;more,state,true",
        envelopes="source,period,amount,reserve;budget,2021:2025,9,;more,2021:2025,9,;budget,2026-2030,1000,0.05"
        ";more,2026-2030,1000,0.2",
    )
    assert verdict(optimum(two), "reserve/2026-2030").found == 0.05


def test_what_is_not_expected_to_be_paid_out_is_no_reserve():
    """5% held back and 90% paid out leave 145 unspent, of which 50 are a reserve: half of what the law asks."""
    slow = portfolio(
        ONE,
        envelopes="source,period,amount,reserve,disbursement;budget,2021-2025,1000,0.05,;budget,2026-2030,1000,0.05,0.9"
        ";other,2021:2030,9000,,;investor,2021:2030,9000,,",
    )
    row = verdict(optimum(slow), "reserve/2026-2030")
    assert (row.verdict, row.found, row.limit) == ("failed", 0.05, 0.1)


def test_a_reserve_in_parts_of_a_million_is_held_back_to_the_next_one():
    """A tenth of 1,005 million is 100.5: 101 are held back, and the law is kept."""
    odd = portfolio(
        "id,cost,value;A,0.5,1",
        envelopes="source,period,amount;budget,2021-2025,1.0050;budget,2026-2030,1.0050"
        ";other,2021:2030,9000;investor,2021:2030,9000",
    )
    plan = optimum(odd)
    assert plan.envelopes.set_index(["source", "period"]).loc[("budget", "2026-2030"), "reserve"] == 101
    assert verdict(plan, "reserve/2026-2030").verdict == "passed"


def test_the_law_binds_what_public_capital_may_pay():
    """Every project but B, which it may not pay at all, and D, which it is not for; of C it may pay another mode."""
    given = portfolio(
        "id,cost,value,duration,sector;A,10,1,1,road;B,10,1,1,road;C,10,1,1,road;D,10,1,1,town",
        sources="id,side,public_investment,eligible;budget,state,true,sector == 'road';other,state,false,",
        envelopes="source,period,amount;budget,2021:2030,900;other,2021:2030,9000",
        modes="project,mode,cost;C,ppp,10;C,public,10",
        shares="project,mode,source,min,max;B,,budget,0,0;C,ppp,budget,0,0",
    )
    assert [project.id for project in bound_projects(given.tables)] == ["A", "C"]


def test_projects_that_were_finished_before_the_plan_are_not_in_it():
    """A is completed in 2021: B alone is at work in 2026-2030."""
    projects = "id,cost,value,duration,earliest_start,latest_start;A,10,2,1,2021,2021;B,10,1,1,2026,2026"
    plan = optimum(portfolio(projects, law={"fewer-projects": {"previous": 2}}))
    assert funded(plan) == ["A", "B"]
    assert verdict(plan, "fewer-projects/2026-2030").found == 1


def test_a_reserve_that_a_source_names_itself_stays():
    """So does an envelope over both laws, and one shared with a source that the rule does not name."""
    given = portfolio(
        ONE,
        law={"reserve": {"enabled": True}, "vn-2026-2030": {"reserve": {"sources": ["own", "a"]}}},
        sources="id,side,public_investment,reserve;own,state,true,0.05;long,state,true,;a,state,true,;b,state,true,",
        envelopes="source,period,amount;own,2021-2025,100;own,2026-2030,100;long,2021:2030,100;a+b,2026-2030,100"
        ";a+b,2021-2025,0",
    )
    held = optimum(given).envelopes.set_index(["source", "period"]).reserve
    assert held[("own", "2021-2025")] == held[("own", "2026-2030")] == 5_000
    assert held[("long", "2021:2030")] == held[("a+b", "2026-2030")] == 0


def test_a_limit_on_the_pace_of_capital_holds_nothing_back():
    """Of 1,000 for five years 100 is the reserve; that at most 600 is spent in the first three stays as it is."""
    envelopes = "source,period,amount;budget,2021-2025,1000;budget,2026-2030,1000;budget,2026:2028,600"
    given = portfolio(ONE, sources="id,side,public_investment;budget,state,true", envelopes=envelopes)
    held = optimum(given).envelopes.set_index("period").reserve
    assert held.to_dict() == {"2021-2025": 0, "2026-2030": 100_000, "2026:2028": 0}


def test_envelopes_of_single_years_hold_back_the_share_where_none_is_for_the_whole_plan():
    """Each source has its own way; two sources together count where neither has an envelope of its own."""
    years = "".join(f";budget,{year},100" for year in range(2026, 2031))
    envelopes = f"source,period,amount;budget,2021-2025,500{years};a+b,2026-2030,300;a+b,2021-2025,0"
    given = portfolio(
        "id,cost,value,duration,earliest_start;A,100,1,2,2026",
        sources="id,side,public_investment;budget,state,true;a,state,true;b,state,true",
        envelopes=envelopes,
        law={"tail-cap": {"enabled": True}},
    )
    plan = optimum(given)
    held = plan.envelopes.set_index(["source", "period"]).reserve
    assert (held[("budget", "2026")], held[("budget", "2030")], held[("a+b", "2026-2030")]) == (10_000, 10_000, 30_000)
    assert verdict(plan, "tail-cap/2026-2030").limit == 160_000


def test_a_limit_on_two_sources_together_is_no_capital_of_its_own():
    """100 and 200 are the capital of the plan; that both together are at most 250 adds nothing and holds nothing."""
    envelopes = "source,period,amount;a,2026-2030,100;b,2026-2030,200;a+b,2026-2030,250;a+b,2021-2025,0"
    given = portfolio(
        "id,cost,value,duration,earliest_start;A,10,1,2,2026",
        sources="id,side,public_investment;a,state,true;b,state,true",
        envelopes=envelopes,
        law={"tail-cap": {"enabled": True}},
    )
    plan = optimum(given)
    assert verdict(plan, "tail-cap/2026-2030").limit == 60_000
    assert plan.envelopes.set_index(["source", "period"]).reserve[("a+b", "2026-2030")] == 0


def test_what_public_capital_shares_with_other_capital_is_not_all_of_it():
    """900 for the budget and an enterprise together say nothing of how much of it is public."""
    given = portfolio(
        "id,cost,value,duration,earliest_start;A,10,1,2,2026",
        sources="id,side,public_investment;budget,state,true;other,state,false",
        envelopes="source,period,amount;budget,2021:2030,100;other,2021:2030,800;budget+other,2026-2030,900",
        law={"tail-cap": {"enabled": True}},
    )
    statute = given.law["tail-cap/2026-2030"].statute
    assert plan_envelopes(given.tables, statute) == ()
    assert verdict(optimum(given), "tail-cap/2026-2030").verdict == "not_assessed"


@pytest.mark.parametrize(
    ("shares", "bound"),
    [
        ("A,,budget,0;A,,aid,0", False),  # no public capital at all
        ("A,,budget,0;A,ppp,aid,1", True),  # in one of its modes it may
        ("A,,budget,0;cost > 0,,budget,1", False),  # both rows hold, whichever comes first
        ("A,ppp,budget,0", True),  # in the other mode it may
    ],
)
def test_a_project_is_bound_where_shares_let_public_capital_pay_for_a_mode(shares, bound):
    """What `shares` bar for every mode is barred; what they bar or let in for one mode says nothing of the others."""
    given = portfolio(
        "id,cost,value;A,100,1",
        sources="id,side,public_investment;budget,state,true;aid,non_state,true;other,state,false",
        envelopes="source,period,amount;budget,2021:2030,900;aid,2021:2030,900;other,2021:2030,900",
        modes="project,mode,cost;A,ppp,400;A,own,400",
        shares=f"project,mode,source,max;{shares}",
    )
    assert [project.id for project in bound_projects(given.tables)] == ["A"] * bound


def test_the_reserve_can_be_that_of_named_sources():
    """The rate is that of the central budget: other capital of the plan keeps what its tables say."""
    sources = "id,side,public_investment;central,state,true;local,state,true"
    envelopes = (
        "source,period,amount;central,2021-2025,100;central,2026-2030,100;local,2021-2025,100;local,2026-2030,100"
    )
    law = {"reserve": {"sources": ["central"]}}
    plan = optimum(portfolio(ONE, sources=sources, envelopes=envelopes, law=law))
    held = plan.envelopes.set_index(["source", "period"]).reserve
    assert (held[("central", "2026-2030")], held[("local", "2026-2030")]) == (10_000, 0)
    row = verdict(plan, "reserve/2026-2030")
    assert row.verdict == "passed"
    assert row.statement.endswith("Here it holds for central.")
    wrong = {"vn-2026-2030": {"reserve": {"sources": ["centre"]}}}
    issue = issue_of("law-unknown-source", lambda: portfolio(ONE, sources=sources, envelopes=envelopes, law=wrong))
    assert (issue.arguments["found"], issue.arguments["near"]) == ("centre", "central")


def test_the_line_for_preparation_is_held_back_beside_the_reserve():
    """10% and 5% of 1,000 are 150, unless the reserve is off."""
    law = {"preparation-line": {"share": 0.05}}
    plan = optimum(portfolio(ONE, law=law))
    held = plan.envelopes.set_index(["source", "period"]).reserve
    assert held[("budget", "2026-2030")] == 150_000
    row = verdict(plan, "preparation-line/2026-2030")
    assert (row.verdict, row.found, row.limit) == ("passed", 0.15, 0.15)
    both = optimum(portfolio(ONE, law=law | {"reserve": {"enabled": True}}))
    assert verdict(both, "preparation-line/2026-2030").limit == 0.15
    plan = optimum(portfolio(ONE, law=law | {"reserve": {"enabled": False}}))
    row = verdict(plan, "preparation-line/2026-2030")
    assert (row.verdict, row.found, row.limit) == ("passed", 0.05, 0.05)


def test_the_capital_to_be_disbursed_leaves_the_reserve_out():
    """855 of 900 is 95%; 800 is not. What other sources pay does not count."""
    for cost, found in ((855, "passed"), (800, "failed")):
        plan = optimum(
            portfolio(
                f"id,cost,value,duration,earliest_start,latest_start;A,{cost},1,1,2026,2026;B,90,1,1,2021,2021",
                sources="id,side,public_investment;budget,state,true",
                envelopes="source,period,amount;budget,2021-2025,100;budget,2026-2030,1000",
            )
        )
        row = verdict(plan, "disbursement/2026-2030")
        assert (row.verdict, row.found) == (found, pytest.approx(cost / 900))


def test_four_of_five_projects_at_work_are_completed_in_the_phase():
    """A project that would pass the border cannot be added to one that ends before it."""
    projects = "id,cost,value,duration,earliest_start,latest_start;A,10,1,1,2021,2021;B,10,1,2,2025,2025"
    plan = optimum(portfolio(projects))
    assert funded(plan) == ["A"]
    row = verdict(plan, "completion-share/2021-2025")
    assert (row.verdict, row.found, row.limit) == ("passed", 1, 0.8)
    lower = portfolio(projects, law={"completion-share": {"share": 0.5}})
    plan = optimum(lower)
    assert funded(plan) == ["A", "B"]
    assert verdict(plan, "completion-share/2021-2025").found == 0.5


def test_fewer_projects_than_the_plan_before_need_its_number():
    """15% fewer than 2 is at most 1.7; without the number the rule cannot be assessed."""
    projects = "id,cost,value,duration,earliest_start;A,10,1,1,2026;B,10,1,1,2026"
    plan = optimum(portfolio(projects))
    assert verdict(plan, "fewer-projects/2026-2030").verdict == "not_assessed"
    fewer = portfolio(projects).with_changes({"settings.law.fewer-projects.previous": 2})
    plan = optimum(fewer)
    assert len(funded(plan)) == 1
    row = verdict(plan, "fewer-projects/2026-2030")
    assert (row.verdict, row.found, row.limit) == ("passed", 1, 1.7)


def test_fewer_projects_counts_those_that_go_on_too():
    """The plan of 2026-2030 holds A, begun in 2025, so B may not be added where one project is the most."""
    projects = "id,cost,value,duration,earliest_start,latest_start;A,10,2,2,2025,2025;B,10,1,1,2026,2026"
    law = {"completion-share": {"enabled": False}, "fewer-projects": {"previous": 2}}
    plan = optimum(portfolio(projects, law=law))
    assert funded(plan) == ["A"]
    assert verdict(plan, "fewer-projects/2026-2030").found == 1

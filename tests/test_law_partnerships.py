"""What the law asks of partnerships with private capital, and of decisions on policy."""

from fractions import Fraction

import pytest

from laws import optimum, portfolio, verdict

PARTNERSHIP = {
    "modes": "project,mode,cost;A,ppp,400;A,public,400",
    "shares": "project,mode,source,min,max;A,ppp,investor,0,1",
}


def test_the_state_pays_at_most_half_of_a_partnership():
    """200 of 400; a project named as disadvantaged may get 70% when it starts under the amended law."""
    projects = "id,cost,value,duration,location;A,400,1,1,Mường Tè"
    committed = {"committed": "project,decision,mode,start;A,in,ppp,2026"}
    plan = optimum(portfolio(projects, **PARTNERSHIP, **committed))
    state = plan.funding.set_index("source").amount.drop("investor").sum()
    assert state <= 200_000
    assert verdict(plan, "ppp-state-share/2026-2030").verdict == "passed"
    half = {**PARTNERSHIP, "shares": "project,mode,source,min,max;A,ppp,investor,0,0.5"}
    row = verdict(optimum(portfolio(projects, **half, **committed)), "ppp-state-share/2026-2030")
    assert (row.verdict, row.found) == ("passed", 0.5)
    own = {**PARTNERSHIP, "shares": PARTNERSHIP["shares"] + ";A,ppp,budget+other,0,0.3"}
    (capped,) = (row for row in portfolio(projects, **own).tables.shares if len(row.source) == 2)
    assert (capped.max, capped.legal) == (Fraction(3, 10), True)
    shares = portfolio(projects, **PARTNERSHIP).tables.shares
    assert [(row.source, row.max) for row in shares if row.source == ("budget", "other")] == [
        (("budget", "other"), 0.5)
    ]
    wider = portfolio(
        projects + "",
        law={"ppp-state-share": {"wider": 'location == "Mường Tè"'}},
        modes="project,mode,cost,earliest_start;A,ppp,400,2026;A,public,400,2026",
        shares=PARTNERSHIP["shares"],
    )
    assert [float(row.max) for row in wider.tables.shares if row.source == ("budget", "other")] == [0.7]


def test_without_a_source_of_the_state_no_share_is_capped():
    """What investors pay alone asks nothing of the state."""
    given = portfolio(
        "id,cost,value;A,400,1",
        sources="id,side;investor,non_state",
        envelopes="source,period,amount;investor,2021:2030,9000",
        modes="project,mode,cost;A,ppp,400",
        shares="project,mode,source,min,max;A,ppp,investor,0,1",
    )
    assert [row.source for row in given.tables.shares] == [("investor",)]


@pytest.mark.parametrize(("wider", "breaking"), [("", "A"), ('id == "A"', "")])
def test_a_wider_cap_is_what_a_partnership_is_held_against(wider, breaking):
    """The state pays 240 of 400: more than half, and less than the 70% of a disadvantaged area."""
    given = portfolio(
        "id,cost,value,duration,earliest_start;A,400,1,1,2026",
        modes="project,mode,cost;A,ppp,400",
        shares="project,mode,source,min,max;A,ppp,investor,0.4,0.4",
        law={"ppp-state-share": {"enabled": False, "wider": wider}},
    )
    row = verdict(optimum(given), "ppp-state-share/2026-2030")
    assert (row.verdict, row.found, row.breaking) == ("off", 0.6, breaking)


@pytest.mark.parametrize(("cost", "breaking"), [(199, "A"), (200, "")])
def test_a_partnership_of_exactly_the_least_size_is_large_enough(cost, breaking):
    """200 billion VND, also where the rule is off and only judged."""
    given = portfolio(
        f"id,cost,value,duration,latest_start;A,{cost},1,1,2021",
        modes=f"project,mode,cost;A,ppp,{cost}",
        shares=PARTNERSHIP["shares"],
        law={"ppp-least-size": {"enabled": False}},
    )
    assert verdict(optimum(given), "ppp-least-size/2021-2025").breaking == breaking


def test_a_partnership_that_is_too_small_cannot_start_under_the_law_of_2020():
    """200 billion VND is the least until the limit was lifted."""
    projects = "id,cost,value,duration;A,150,1,1"
    given = portfolio(projects, modes="project,mode,cost;A,ppp,150", shares=PARTNERSHIP["shares"])
    (told,) = given.findings.of("law-bars-starts")
    assert (told.arguments["rule"], told.arguments["projects"]) == ("ppp-least-size/2021-2025", "A (ppp)")
    assert optimum(given).projects.start.min() >= 2026
    off = {"ppp-least-size": {"enabled": False}}
    projects = "id,cost,value,duration,latest_start;A,150,1,1,2021"
    given = portfolio(projects, modes="project,mode,cost;A,ppp,150", shares=PARTNERSHIP["shares"], law=off)
    row = verdict(optimum(given), "ppp-least-size/2021-2025")
    assert (row.verdict, row.found, row.breaking) == ("off", 1, "A")


@pytest.mark.parametrize(
    ("law", "cost", "barred"),
    [
        ({"disadvantaged": 'id == "A"'}, 100, False),
        ({"disadvantaged": 'id == "A"'}, 99, True),
        ({"transport": 'id == "A"'}, 1_499, True),
        ({"transport": 'id == "A"'}, 1_500, False),
    ],
)
def test_the_least_size_of_a_partnership_differs_in_hard_areas_and_in_transport(law, cost, barred):
    """100 billion VND in a disadvantaged area, 1,500 in transport, until the limits were lifted."""
    tables = {"modes": f"project,mode,cost;A,ppp,{cost}", "shares": PARTNERSHIP["shares"]}
    given = portfolio(f"id,cost,value,duration;A,{cost},1,1", law={"ppp-least-size": law}, **tables)
    assert bool(given.findings.of("law-bars-starts")) is barred


def test_a_state_share_above_the_cap_breaks_the_law_where_it_is_not_put_in_force():
    """Off, the rule still shows what the plan makes of it: the state pays 360 of 400."""
    shares = "project,mode,source,min,max;A,ppp,investor,0,0.1"
    off = {"ppp-state-share": {"enabled": False}}
    given = portfolio(
        "id,cost,value,duration,latest_start;A,400,1,1,2021;B,900,1,1,2021",
        modes="project,mode,cost;A,ppp,400",
        shares=shares,
        law=off,
    )
    row = verdict(optimum(given), "ppp-state-share/2021-2025")
    assert (row.verdict, row.limit, row.breaking) == ("off", 0.5, "A")
    assert 0.9 <= row.found <= 1


def test_projects_without_a_decided_policy_are_still_to_be_met():
    """A plan may hold them, and the compliance names them."""
    plan = optimum(portfolio("id,cost,value,duration,status,latest_start;A,10,1,1,proposed,2025;B,10,1,1,decided,2025"))
    row = verdict(plan, "investment-policy/2021-2025")
    assert (row.verdict, row.breaking) == ("open", "A")


def test_projects_that_public_capital_does_not_pay_are_not_bound():
    """A state enterprise is of the state, and its capital is not that of the public investment plan."""
    given = portfolio(
        "id,cost,value,duration,legal_group;A,100,1,9,C",
        sources="id,side,public_investment;other,state,false",
        envelopes="source,period,amount;other,2021:2030,9000",
    )
    assert not given.findings.of("law-bars-starts")
    plan = optimum(given)
    verdicts = plan.compliance().set_index("rule").verdict
    assert verdicts["tail-cap/2021-2025"] == "off"
    assert verdicts["completion-share/2021-2025"] == "not_assessed"
    assert verdicts["funding-years/2021-2025"] == "not_assessed"
    assert not plan.tables.rules

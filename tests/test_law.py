"""Statutory presets: what they put in force, what a portfolio overrides, and how a plan is judged by each rule."""

from dataclasses import replace
from fractions import Fraction

import pandas as pd
import pytest

from capalloc import InvalidInput, Portfolio
from capalloc.catalogue import speaking
from capalloc.law.compliance import comply
from capalloc.law.enacting import bound_projects, plan_envelopes
from capalloc.law.statutes import PRESETS, RELIABILITIES, regime
from capalloc.verification import verify

PHASES = [{"name": "2021-2025", "first": 2021, "last": 2025}, {"name": "2026-2030", "first": 2026, "last": 2030}]


def rows(text):
    """Return a frame of a heading and rows apart by semicolons."""
    heading, *lines = text.strip().split(";")
    frame = pd.DataFrame([line.split(",") for line in lines], columns=heading.split(","))
    return frame.replace("", None)


def portfolio(projects, *, law=None, preset="vn-2021-2030", terms=(), **tables):
    """Return a portfolio of two phases, of billion VND, with a provincial budget of 1,000 in each."""
    settings = {"first_year": 2021, "last_year": 2030, "phases": PHASES, "money": "billion VND", "statutory": preset}
    given = {
        "sources": "id,side,public_investment;budget,state,true;other,state,false;investor,non_state,false",
        "envelopes": "source,period,amount;budget,2021-2025,1000;budget,2026-2030,1000;other,2021:2030,9000"
        ";investor,2021:2030,9000",
        **tables,
    }
    frames = {name: rows(text) for name, text in {"projects": projects, **given}.items()}
    return Portfolio.from_tables(settings | ({"law": law} if law else {}) | dict(terms), frames)


def optimum(given):
    """Return the best plan, solved without a gap."""
    return given.optimize(gap=0, engine="highs")


def verdict(plan, rule):
    """Return the row of one rule in the compliance of a plan."""
    frame = plan.compliance().set_index("rule")
    return frame.loc[rule]


def funded(plan):
    """Return the ids of the funded projects."""
    return plan.projects.loc[plan.projects.funded, "project"].tolist()


def issue_of(code, action):
    """Return the only issue with a code that an action raises."""
    with pytest.raises(InvalidInput) as caught:
        action()
    (issue,) = caught.value.issues.of(code)
    return issue


ONE = "id,cost,value,duration;A,100,1,2"


def test_every_rule_has_its_article_reliability_and_sentence_in_both_languages():
    """The data of each regime are complete."""
    names = {name for regimes in PRESETS.values() for name in regimes}
    for name in names:
        for rule in regime(name)["rule"]:
            assert set(rule["article"]) == {"vi", "en"}
            assert rule["reliability"] in RELIABILITIES
            assert set(rule.get("waivable_by", {"vi", "en"})) == {"vi", "en"}
    given = portfolio(ONE)
    for lang in ("en", "vi"):
        with speaking(lang):
            assert all("{" not in str(text) for text in given.law.values())


def test_figures_from_memory_are_off_until_they_are_asked_for_and_then_say_so():
    """The cap on what is left after a phase is from memory in both laws."""
    given = portfolio(ONE)
    assert not given.law["tail-cap/2021-2025"].statute.enabled
    assert "Not in force here." in str(given.law["tail-cap/2021-2025"])
    asked = given.with_changes({"settings.law.tail-cap.enabled": True})
    assert "law/tail-cap/2021-2025" in asked.rules
    assert {issue.arguments["rule"] for issue in asked.findings.of("law-memory-rule")} == {
        "tail-cap/2021-2025",
        "tail-cap/2026-2030",
    }


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


@pytest.mark.parametrize(
    ("settings", "code", "near"),
    [
        ({"preset": "vn-2021-2052"}, "unknown-preset", "vn-2021-2025"),
        ({"law": {"tailcap": {"share": 0.1}}}, "unknown-statute", "tail-cap"),
        ({"law": {"tail-cap": {"shares": 0.1}}}, "unknown-parameter", "share"),
        ({"law": {"tail-cap": {"share": "a fifth"}}}, "law-bad-value", None),
        ({"law": {"tail-cap": {"share": -1}}}, "law-bad-value", None),
        ({"law": {"priority-order": {"waived": "Nghị quyết 12"}}}, "law-not-waivable", None),
        ({"law": {"groups": {"always_a": "sector = 'park'"}}}, "law-bad-selection", None),
        ({"law": {"groups": {"always_a": 'sector == "park"'}}}, "law-bad-selection", None),
        ({"law": {"tail-cap": {"share": 0.1}}, "preset": ""}, "law-without-preset", None),
        ({"law": {"vn-2021-2025": {"fewer-projects": {"previous": 9}}}}, "unknown-statute", None),
    ],
)
def test_a_wrong_override_is_answered_with_what_would_be_right(settings, code, near):
    """Each fault of the settings is an issue of its own, with the nearest name."""
    with pytest.raises(InvalidInput) as caught:
        portfolio(ONE, **settings)
    issues = caught.value.issues.of(code)
    assert issues
    assert near is None or issues[0].arguments["near"] == near


def test_a_phase_may_not_lie_on_both_sides_of_a_change_of_law():
    """The law of 2021-2025 ends with 2025."""
    settings = {
        "first_year": 2024,
        "last_year": 2028,
        "phases": [{"name": "M", "first": 2024, "last": 2028}],
        "statutory": "vn-2021-2030",
    }
    with pytest.raises(InvalidInput) as caught:
        Portfolio.from_tables(settings, {"projects": pd.DataFrame({"id": ["A"]})})
    (issue,) = caught.value.issues.of("law-phase")
    assert (issue.where.column, issue.arguments["last"]) == ("phases[0]", 2025)


def test_a_phase_that_begins_in_the_last_year_of_a_law_lies_on_both_sides_of_it():
    """2025 is of the law of 2021-2025, 2026 is not."""
    settings = {
        "first_year": 2025,
        "last_year": 2027,
        "phases": [{"name": "M", "first": 2025, "last": 2027}],
        "statutory": "vn-2021-2025",
    }
    issue_of("law-phase", lambda: Portfolio.from_tables(settings, {"projects": pd.DataFrame({"id": ["A"]})}))


def test_only_the_laws_of_the_planned_years_are_put_in_force():
    """A plan of 2026-2030 has nothing to do with the law before."""
    settings = {"first_year": 2026, "last_year": 2030, "phases": PHASES[1:], "statutory": "vn-2021-2030"}
    given = Portfolio.from_tables(
        settings, {"projects": pd.DataFrame({"id": ["A"], "cost": [1], "duration": [1], "value": [1]})}
    )
    assert {name.partition("/")[2] for name in given.law} == {"2026-2030"}


def test_what_is_said_of_one_law_counts_before_what_is_said_of_both():
    """Also no share at all is a figure."""
    law = {"tail-cap": {"share": 0}, "vn-2026-2030": {"tail-cap": {"share": 0.3}}}
    given = portfolio(ONE, law=law)
    shares = [given.law[f"tail-cap/{years}"].statute.share() for years in ("2021-2025", "2026-2030")]
    assert [float(share) for share in shares] == [0, 0.3]


def test_a_waiver_is_told_instead_of_who_may_waive():
    """The sentence names the decision."""
    text = str(portfolio(ONE, law={"funding-years": {"waived": "Nghị quyết 12"}}).law["funding-years/2021-2025"])
    assert "Waived: Nghị quyết 12." in text
    assert "May be waived" not in text


def test_an_override_of_one_law_leaves_the_other_alone():
    """A regime may be named before the rule."""
    given = portfolio(ONE, law={"vn-2026-2030": {"reserve": {"share": 0.2}}})
    reserves = optimum(given).envelopes.set_index(["source", "period"]).reserve
    assert reserves[("budget", "2026-2030")] == 200_000
    assert given.law["reserve/2021-2025"].statute.share() == pytest.approx(0.1)


def test_the_law_stands_in_the_summary_and_the_files_of_a_plan(tmp_path):
    """The verdicts are read with the plan and written beside its tables."""
    plan = optimum(portfolio(ONE))
    assert "Order of capital, 2021-2025" in plan.summary()
    names = [path.name for path in plan.to_csv(tmp_path)]
    assert "compliance.csv" in names
    with speaking("vi"):
        assert "chưa đánh giá được" in plan.summary()


def test_the_rules_are_printed_by_how_they_stand():
    """First what is in force, law by law; then what waits for a figure, what is waived, off, and what is only told."""
    law = {"tail-cap": {"enabled": True}, "funding-years": {"waived": "Nghị quyết 12"}}
    given = portfolio(ONE, law=law)
    chapters = {heading: [rule.statute.name for rule in rules] for heading, rules in given.law.chapters()}
    assert list(chapters) == [
        "In force in 2021–2025:",
        "In force in 2026–2030:",
        "In force, but without effect until a figure is given:",
        "Waived:",
        "Not in force here:",
        "For information; no plan is judged by these:",
    ]
    assert "tail-cap/2021-2025" in chapters["In force in 2021–2025:"]
    assert chapters["In force, but without effect until a figure is given:"] == [
        "preparation-line/2026-2030",
        "fewer-projects/2026-2030",
    ]
    assert chapters["Waived:"] == ["funding-years/2021-2025"]
    assert "funding-years/2026-2030" in chapters["Not in force here:"]
    assert "capital-expires/2021-2025" in chapters["For information; no plan is judged by these:"]
    names = [name for names in chapters.values() for name in names]
    assert sorted(names) == sorted(given.law)
    text = given.summary()
    assert text.index("In force in 2026–2030:") < text.index("Not in force here:")
    assert "    Basis: Resolution 29/2021/QH15. Reliability: read in a source." in text.splitlines()

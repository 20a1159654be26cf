"""Checks across tables: every fault at its cell, told once, and nothing told that is no fault."""

import re
from decimal import Decimal
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from capalloc.catalogue import speaking
from capalloc.checking import CHECKS, KIND_CHECKS, NAME_CHECKS, check
from capalloc.checks.funding import written
from capalloc.loading import read_folder, read_frames
from capalloc.records import RECORDS

BROKEN = sorted(path.parent for path in (Path(__file__).parent / "broken").glob("*/issues.txt"))

YEARS = {"first_year": 2021, "last_year": 2030}
PHASES = [{"name": "2021-2025", "first": 2021, "last": 2025}, {"name": "2026-2030", "first": 2026, "last": 2030}]


def issues_of(settings=None, **tables):
    """Return what reading and checking find in tables given as text: headings, then rows, separated by `;`."""
    frames = {}
    for name, text in tables.items():
        headings, *rows = [[cell.strip() for cell in line.split(",")] for line in text.split(";")]
        frames[name] = pd.DataFrame(rows, columns=headings, dtype=object)
    read, issues = read_frames(YEARS | (settings or {}), frames)
    return check(read, issues)


def told(issues):
    """Return code and place of issues, as the files `issues.txt` write them."""
    return [f"{i.code} {i.where.file}:{'' if i.where.row is None else i.where.row}:{i.where.column}" for i in issues]


def codes(settings=None, **tables):
    """Return the codes of what is found."""
    return [issue.code for issue in issues_of(settings, **tables)]


@pytest.mark.parametrize("folder", BROKEN, ids=lambda folder: folder.name)
def test_a_broken_folder_is_answered_with_exactly_its_faults(folder):
    """Every fault at its file, row and column, in the order of the input; no other, and no traceback."""
    tables, read = read_folder(folder)
    found = check(tables, read)
    assert told(found) == (folder / "issues.txt").read_text(encoding="utf-8").splitlines()
    for lang in ("en", "vi"):
        with speaking(lang):
            assert all(issue.message and issue.remedy for issue in found)


def test_enough_is_broken():
    """The folders stand for the ways in which real tables go wrong."""
    assert len(BROKEN) >= 35


def test_every_check_is_listed_once():
    """A check that no list names would never run; one of a single table is listed once for each."""
    finds = [one.find for one in (*NAME_CHECKS, *KIND_CHECKS, *CHECKS)]
    apart = [(find.func, *find.args) for find in finds if isinstance(find, partial)]
    assert sorted(table for _, table in apart) == sorted([*RECORDS, *RECORDS])
    assert len(apart) == len(set(apart))
    listed = [find for find in finds if not isinstance(find, partial)] + list({find for find, _ in apart})
    assert len(listed) == len(set(listed))
    modules = {find.__module__: __import__(find.__module__, fromlist=["x"]) for find in listed}
    written_down = {getattr(m, name) for m in modules.values() for name in dir(m) if name.startswith("check_")}
    assert written_down == set(listed)


def test_a_sound_portfolio_is_without_fault():
    """Every table of this version used, and nothing to say."""
    found = issues_of(
        {"phases": PHASES, "may_cross_phase": False, "objective": {"class_weights": {1: 2, 2: 1}}},
        projects="id,sector,priority,mandatory,profile,duration,cost,value;"
        "A,road,1,true,front,2,100,5;B,road,2,,,1,,3;C,school,2,,,1,40,3",
        modes="project,mode,cost,value;B,public,60,3;B,ppp,50,2",
        costs="project,mode,offset,amount;B,public,0,30;B,public,1,30",
        profiles="profile,duration,offset,share;front,2,0,0.7;front,2,1,0.3",
        sources="id,side,eligible;state,state,;private,non_state,sector == 'road'",
        envelopes="source,period,amount;state,2021-2025,100;state+private,2026-2030,200;private,2021:2025,5",
        shares="project,mode,source,max;sector == 'road',,private,0.5;B,ppp,private,1",
        committed="project,decision,mode,start;B,in,ppp,2024",
        dependencies="kind,first,then,lag;finish_start,A,C,1;requires,A,B,",
        groups="group,project,kind,k;g,A,at_least,2;g,B,at_least,2;g,C,at_least,2",
        resources="id;land",
        uses="project,mode,resource,offset,amount;A,,land,0,2.5;B,ppp,land,1,1",
        capacities="resource,period,amount;land,2021:2030,10",
    )
    assert told(found) == []


def test_what_follows_from_a_faulty_cell_is_not_told_again():
    """A project whose id cannot be read is named elsewhere, and its cost is not called missing besides."""
    assert told(
        issues_of(
            projects="id,cost,value;A+B,x,1;C,5,1",
            costs="project,offset,amount;A+B,0,5",
        )
    ) == ["plus-in-id projects:0:id", "not-a-number projects:0:cost", "plus-in-id costs:0:project"]


def test_a_fault_in_another_column_of_the_row_does_not_hide_a_wrong_name():
    """Two faults of one row that have nothing to do with each other both come at once."""
    assert told(issues_of(projects="id,cost,profile,value;A,abc,fron,1;B,5,,1")) == [
        "not-a-number projects:0:cost",
        "unknown-profile projects:0:profile",
    ]


def test_a_name_from_a_table_that_cannot_be_read_is_not_called_unknown():
    """Without the ids of the projects no reference to one can be judged."""
    found = issues_of(projects="name,value;A,1", costs="project,offset,amount;A,0,5")
    assert told(found) == ["missing-column projects::id"]


def test_warnings_about_unused_rows_wait_for_the_errors():
    """A profile that only a misspelt cell would have used is not unused."""
    tables = {"profiles": "profile,duration,offset,share;front,1,0,1", "projects": "id,value,profile;A,1,"}
    assert codes(**tables) == ["unused-row"]
    assert codes(**(tables | {"projects": "id,value,profile;A,1,frnt"})) == ["unknown-profile"]


def test_the_nearest_name_is_offered():
    """A wrong id, mode, period and profile are answered with the one that was meant."""
    found = issues_of(
        {"phases": PHASES},
        projects="id,value,profile;LC-001,1,fornt;LC-002,2,front",
        profiles="profile,duration,offset,share;front,1,0,1",
        modes="project,mode,value;LC-002,public,1",
        benefits="project,mode,offset,amount;LC-01,,0,1;LC-002,pubic,0,1",
        sources="id,side;state,state",
        envelopes="source,period,amount;state,2021–2025,5",
    )
    assert {issue.code: issue.arguments["near"] for issue in found if "near" in issue.arguments} == {
        "unknown-id": "LC-001",
        "unknown-mode": "public",
        "unknown-period": "2021-2025",
        "unknown-profile": "front",
    }


def test_a_window_without_start_stops_only_a_mandatory_project():
    """Another project is merely never funded, which a scenario with fewer years may well ask for."""
    tables = "id,mandatory,duration,value;A,{},11,1"
    assert issues_of(projects=tables.format("false")).errors == ()
    assert [issue.code for issue in issues_of(projects=tables.format("true")).errors] == ["no-start"]


def test_a_project_with_one_open_mode_can_be_mandatory():
    """Only when every mode is shut is there no way to fund it."""
    modes = "project,mode,duration;A,slow,11;A,fast,{}"
    assert issues_of(projects="id,mandatory,value;A,true,1", modes=modes.format(2)).errors == ()
    assert len(issues_of(projects="id,mandatory,value;A,true,1", modes=modes.format(12)).errors) == 2


def test_costs_after_completion_count_for_the_horizon():
    """A retention paid in the year after the work must still fall inside the plan."""
    projects = "id,mandatory,earliest_start,cost,value;A,true,2030,10,1"
    costs = "project,offset,amount;A,0,9;A,1,{}"
    assert codes(projects=projects, costs=costs.format(1)) == ["no-start"]
    assert codes({"may_run_over": True}, projects=projects, costs=costs.format(1)) == ["tail-unlimited"]
    assert codes(projects=projects, costs="project,offset,amount;A,0,10;A,1,0") == []


def test_a_cycle_names_its_projects():
    """The circle is shown as the user would walk it."""
    found = issues_of(
        projects="id,value;A,1;B,1;C,1;D,1",
        dependencies="kind,first,then;finish_start,A,B;requires,B,C;start_start,C,A;requires,A,D;together,D,C",
    )
    (issue,) = found
    assert issue.arguments["circle"] == "A → B → C → A"


def test_together_and_excludes_make_no_cycle():
    """Only what waits for something else has an order."""
    dependencies = "kind,first,then;together,A,B;together,B,A;excludes,A,C;excludes,C,A"
    assert codes(projects="id,value;A,1;B,1;C,1", dependencies=dependencies) == []


def test_a_chain_is_followed_with_its_lags():
    """A takes three years from 2024, B waits one more, so C starts in 2030 at the earliest."""
    tables = {
        "projects": "id,earliest_start,latest_start,duration,mandatory,value;A,2024,,3,,1;B,,,2,,1;C,,{},1,true,1",
        "dependencies": "kind,first,then,lag;finish_start,A,B,1;finish_start,B,C,0",
    }
    assert codes(**(tables | {"projects": tables["projects"].format(2030)})) == []
    (issue,) = issues_of(**(tables | {"projects": tables["projects"].format(2029)}))
    assert (issue.code, issue.arguments["soonest"]) == ("chain-too-long", 2030)


def test_a_cost_told_twice_must_agree():
    """The total and the sum of the years are one amount."""
    projects = "id,cost,value;A,100,1"
    assert codes(projects=projects, costs="project,offset,amount;A,0,60;A,1,40") == []
    assert codes(projects=projects, costs="project,offset,amount;A,0,60;A,1,41") == ["cost-mismatch"]


def test_costs_may_be_left_out_altogether_where_nothing_is_financed():
    """A portfolio of values and resources only is one too."""
    assert codes(projects="id,value;A,1;B,2") == []
    assert codes(projects="id,cost,value;A,5,1;B,,2") == ["missing-cost"]


def test_profile_shares_add_to_exactly_one():
    """Three times 0.333 is not the whole cost."""
    profiles = "profile,duration,offset,share;p,3,0,0.333;p,3,1,0.333;p,3,2,{}"
    projects = "id,duration,profile,value;A,3,p,1"
    assert codes(projects=projects, profiles=profiles.format("0.334")) == []
    assert codes(projects=projects, profiles=profiles.format("0.333")) == ["profile-sum"]


def test_a_source_without_shares_that_is_not_of_the_state_is_of_no_use():
    """Nothing lets it pay, so its envelope would stay full in silence."""
    (issue,) = issues_of(
        projects="id,cost,value;A,5,1",
        sources="id,side;state,state;private,non_state",
        envelopes="source,period,amount;state+private,2021:2030,5",
    )
    assert (issue.code, str(issue.severity), issue.arguments["source"]) == ("unused-source", "warning", "private")


def test_least_shares_of_overlapping_rows_are_not_added_twice():
    """Half from the state and all from state and local together is no contradiction."""
    tables = {
        "projects": "id,cost,value;A,5,1",
        "sources": "id,side;state,state;local,state",
        "envelopes": "source,period,amount;state+local,2021:2030,5",
    }
    shares = "project,source,min;A,state,0.5;A,state+local,1"
    assert codes(**tables, shares=shares) == []
    assert codes(**tables, shares=shares + ";A,local,0.51") == ["shares-over-one"]


def test_every_year_has_an_envelope_unless_the_source_is_unlimited():
    """A year that was forgotten is neither free nor closed."""
    sources = "id,side,unlimited;state,state,{}"
    tables = {"projects": "id,cost,value;A,5,1", "envelopes": "source,period,amount;state,2022:2028,5"}
    (issue,) = issues_of(**tables, sources=sources.format("no"))
    assert (issue.code, issue.arguments["years"]) == ("envelope-gap", "2021, 2029–2030")
    assert codes(**tables, sources=sources.format("yes")) == []


def test_a_resource_needs_capacity_in_every_year_in_which_it_can_be_used():
    """A project that starts in 2025 or 2026 uses land one year later."""
    tables = {
        "projects": "id,earliest_start,latest_start,value;A,2025,2026,1",
        "resources": "id;land",
        "uses": "project,resource,offset,amount;A,land,1,5",
    }
    assert codes(**tables, capacities="resource,period,amount;land,2026:2027,5") == []
    (issue,) = issues_of(**tables, capacities="resource,period,amount;land,2025:2026,5")
    assert (issue.code, issue.arguments["years"]) == ("capacity-gap", "2027")


def test_issues_stand_in_the_order_of_the_input():
    """Settings first, then the tables as the contract lists them, each from its first row to its last."""
    found = issues_of(
        {"titel": "x"},
        sources="id,side;state,stat",
        projects="id,cost,value,profile;A,5,x,;B,5,1,p;C,5,,",
    )
    assert told(found) == [
        "unknown-setting settings::titel",
        "not-a-number projects:0:value",
        "unknown-profile projects:1:profile",
        "missing-value projects:2:value",
        "unknown-choice sources:0:side",
        "envelope-gap sources:0:id",
    ]


def test_checking_alone_judges_tables_that_were_changed():
    """After a change of cells nothing was read, and everything is checked."""
    tables, _ = read_frames(YEARS, {"projects": pd.DataFrame({"id": ["A"], "value": [None]})})
    assert [issue.code for issue in check(tables)] == ["no-values"]


@pytest.mark.parametrize(
    ("years", "text"), [([], ""), ([2021], "2021"), ([2021, 2022], "2021–2022"), ([2021, 2023], "2021, 2023")]
)
def test_years_are_written_in_runs(years, text):
    """Ten years in a row are two numbers."""
    assert written(years) == text


def test_classes_by_phase_need_an_objective_that_goes_by_classes():
    """An objective that neither weighs nor orders classes would pass them over in silence."""
    tables = {"projects": "id,priority,value;A,1,1", "priorities": "project,phase,class;A,2021-2025,2"}
    assert codes({"phases": PHASES}, **tables) == ["unused-priorities"]
    for objective in ({"goal": "lexicographic"}, {"class_weights": {1: 2, 2: 1}}):
        assert codes({"phases": PHASES, "objective": objective}, **tables) == []


def test_a_class_of_a_phase_is_that_of_every_mode_without_its_own():
    """The project has no class; a row for its phase gives it one in both modes, a row for one mode in that alone."""
    settings = {"phases": PHASES, "objective": {"goal": "lexicographic"}}
    own = {
        "projects": "id,value,cost,latest_start;A,1,1,2025",
        "modes": "project,mode,cost;A,small,1;A,large,2",
    }
    every, one = "project,phase,class;A,2021-2025,2", "project,mode,phase,class;A,small,2021-2025,2"
    assert codes(settings, **own, priorities=every) == []
    assert codes(settings, **own, priorities=one) == ["missing-priority"]


def test_an_order_of_classes_needs_classes():
    """Where no project has a class, each is told, with classes to choose from."""
    found = issues_of({"objective": {"goal": "lexicographic"}}, projects="id,value;A,1;B,1")
    assert [(issue.code, issue.arguments["known"]) for issue in found] == [("missing-priority", "1, 2, 3")] * 2


def test_sets_of_criteria_without_scores_are_told():
    """Values from a column use no criteria."""
    objective = {"sets": {"growth": 1}}
    (issue,) = issues_of({"objective": objective}, projects="id,value;A,1")
    assert (issue.code, str(issue.severity), issue.arguments["key"]) == ("unused-sets", "warning", "sets")


def test_what_a_project_waits_for_may_explain_its_chain():
    """B may be quicker in the mode that was meant for it; C, which waits for others, is still told."""
    tables = {
        "projects": "id,mandatory,latest_start,duration,value;A,,,1,1;B,,,9,1;D,,,9,1;C,yes,2022,1,1;E,yes,2022,1,1",
        "dependencies": "kind,first,then;finish_start,A,B;finish_start,B,C;finish_start,D,E",
        "modes": "project,mode,duration;B,slow,9;B,quick,x",
    }
    assert told(issues_of(**tables)) == ["chain-too-long projects:4:latest_start", "not-a-number modes:1:duration"]


def test_faults_of_an_unlike_name_hide_nothing():
    """A row of costs about a project that is not in the list says nothing about the others."""
    projects = "id,cost,value;Road,100,1;School,50,1"
    costs = "project,offset,amount;{},0,99;Road,0,99;School,0,49"
    assert told(issues_of(projects=projects, costs=costs.format("X")))[:2] == [
        "cost-mismatch projects:0:cost",
        "cost-mismatch projects:1:cost",
    ]
    assert told(issues_of(projects=projects, costs=costs.format("Raod")))[:1] == ["cost-mismatch projects:1:cost"]


def test_a_window_with_one_end_outside_the_horizon_is_told():
    """The other end, which was left open, does not turn it into a reversed one."""
    found = issues_of(projects="id,mandatory,earliest_start,latest_start,value;A,yes,2031,,1;B,yes,,2020,1")
    assert told(found) == ["no-start projects:0:earliest_start", "no-start projects:1:latest_start"]


def test_a_thousand_faulty_rows_hide_none_of_a_thousand_other_faults():
    """Every second project has a cell that cannot be read, and every other one costs that do not agree."""
    count = 2000
    projects = "id,cost,value;" + ";".join(f"P{i},{i},1" for i in range(count))
    costs = "project,offset,amount;" + ";".join(f"P{i},{'x' if i % 2 else 0},{i + 1}" for i in range(count))
    found = codes(projects=projects, costs=costs)
    assert (found.count("cost-mismatch"), found.count("not-a-number")) == (count // 2, count // 2)


def test_an_invisible_character_in_an_id_is_told_once():
    """Rows that name the project as it looks are not called wrong too."""
    found = issues_of(
        {"phases": [{"name": "2021-\u200b2030", "first": 2021, "last": 2030}]},
        projects="id,cost,value;A\u200b,5,1",
        costs="project,offset,amount;A,0,5",
    )
    assert told(found) == ["invisible-character settings::phases[0]", "invisible-character projects:0:id"]


def test_numbers_are_shown_as_they_were_written():
    """No type of Python's, and no fraction where a decimal was written."""
    found = issues_of(
        {"last_year": Decimal("2030.5")},
        projects="id,value,profile,year_min,year_max;A,1,flexible,0.6,0.125",
        sources="id,side;state,state",
    )
    messages = {issue.code: issue.message for issue in found}
    assert messages["setting-not-whole"] == "last_year must be a whole number, not 2030.5."
    assert "at least 60% and at most 12.5%" in messages["year-bounds-reversed"]


@pytest.mark.parametrize("lang", ["en", "vi"])
def test_texts_with_a_number_read_well_for_one(lang):
    """No text counts one thing as several."""
    plural = re.compile(r"\b1 (years|places|rows|cells|projects)\b")
    tables = {
        "projects": "id,mandatory,earliest_start,duration,profile,value;A,true,2031,1,,1;B,,,2,p,1;C,,,1,q,1",
        "profiles": "profile,duration,offset,share;p,1,0,1;q,1,0,0.5",
    }
    with speaking(lang):
        found = issues_of(**tables)
        assert {issue.code for issue in found} == {"no-start", "no-profile-for-duration", "profile-sum"}
        assert [issue.message for issue in found if plural.search(issue.message)] == []


BUDGET = {"sources": "id,side;state,state", "envelopes": "source,period,amount;state,2021:2030,900"}
DECIDED = {"decide_from": 2023, "phases": PHASES, "may_cross_phase": False}


def test_what_has_begun_passes_every_border_without_a_word():
    """Its start lies before the first year, its end after the phase and the horizon; a year later it would be new."""
    projects = "id,status,earliest_start,latest_start,duration,cost,value;A,under_way,{0},{0},{1},100,1"
    for start, duration in ((2015, 4), (2022, 6), (2020, 14)):
        assert codes(DECIDED, projects=projects.format(start, duration), **BUDGET) == []
    assert codes(DECIDED, projects=projects.format(2023, 6), **BUDGET) == ["no-start"]


def test_a_new_project_starts_in_the_first_year_that_is_open():
    """Not before, whatever its window says; the years that are over leave it too little time."""
    projects = "id,earliest_start,latest_start,duration,cost,value;A,{},{},3,100,1"
    assert codes(DECIDED, projects=projects.format(2021, 2023), **BUDGET) == []
    (issue,) = issues_of(DECIDED, projects=projects.format(2021, 2022), **BUDGET)
    assert (issue.code, issue.where.column, issue.arguments["first"]) == ("no-start", "latest_start", 2023)


def test_what_goes_on_counts_as_funded_and_what_was_stopped_does_not():
    """Both are under way and exclude each other; once one was stopped, nothing is wrong."""
    tables = {
        "projects": "id,status,earliest_start,latest_start,cost,value;"
        "A,under_way,2022,2022,9,1;B,arrears,2021,2021,9,1",
        "dependencies": "kind,first,then;excludes,A,B",
    }
    assert codes(DECIDED, **tables, **BUDGET) == ["mandatory-excluded"]
    assert codes(DECIDED, **tables, **BUDGET, committed="project,decision;B,out") == []


def test_a_project_that_is_paid_for_needs_no_payer():
    """Nobody may pay for schools any more; one of them is paid in full, the other is not."""
    tables = {
        "projects": "id,status,sector,earliest_start,latest_start,cost,value;"
        "A,under_way,school,2022,2022,9,1;B,under_way,school,2022,2022,9,1;C,,road,,,9,1",
        "sources": "id,side,eligible;state,state,sector == 'road'",
        "envelopes": BUDGET["envelopes"],
        "paid": "project,source,year,amount;A,state,2022,9;B,state,2022,8",
    }
    found = issues_of(DECIDED, **tables)
    assert told(found.errors) == ["no-payer projects:1:id"]
    assert told(found.warnings) == ["paid-by-barred paid:0:source", "paid-by-barred paid:1:source"]


def test_history_is_judged_by_the_mode_it_began_in():
    """The window, the cost and the profile of the other mode say nothing about it."""
    tables = {
        "projects": "id,status,cost,value;A,under_way,,1",
        "modes": "project,mode,cost,earliest_start,latest_start,profile;"
        "A,small,50,2022,2022,;A,large,90,2021,2024,flexible",
        "committed": "project,decision,mode;A,in,{}",
        "paid": "project,source,year,amount;A,state,2022,60",
        **BUDGET,
    }
    small = issues_of(DECIDED, **(tables | {"committed": tables["committed"].format("small")}))
    assert told(small) == ["paid-over-cost modes:0:cost"]
    large = issues_of(DECIDED, **(tables | {"committed": tables["committed"].format("large")}))
    assert told(large) == ["past-start-unknown projects:0:earliest_start", "past-flexible modes:1:profile"]


def test_a_class_is_needed_for_what_began_before_all_phases():
    """No row of `priorities` can be about a start there."""
    tables = {
        "projects": "id,status,priority,earliest_start,latest_start,cost,value;A,under_way,{},{},{},9,1",
        "priorities": "project,phase,class;A,2021-2025,1",
    }
    settings = DECIDED | {"objective": {"goal": "lexicographic"}}
    for start, priority, expected in ((2022, "", []), (2019, "", ["missing-priority"]), (2019, 1, [])):
        written_ = tables["projects"].format(priority, start, start)
        assert codes(settings, **(tables | BUDGET | {"projects": written_})) == expected


def test_prices_are_needed_only_where_something_is_still_paid():
    """Paid amounts are not indexed; two years before the plan need no index, the two that are left do."""
    tables = {
        "projects": "id,status,earliest_start,latest_start,duration,cost,value;A,under_way,2021,2021,4,100,1",
        "paid": "project,source,year,amount;A,state,2021,{}",
        **BUDGET,
    }
    index = "year,index;2023,1"
    settings = DECIDED | {"prices": "nominal"}
    found = issues_of(settings, **(tables | {"paid": tables["paid"].format(60)}), price_index=index)
    assert [(issue.code, issue.arguments["year"]) for issue in found] == [("no-index-for-year", 2024)]
    assert codes(settings, **(tables | {"paid": tables["paid"].format(100)}), price_index=index) == []


def test_a_wrong_year_of_decision_hides_nothing_but_what_hangs_on_it():
    """The window that is reversed is told; whether the payment was too late is not."""
    found = issues_of(
        {"decide_from": 2040},
        projects="id,status,earliest_start,latest_start,cost,value;A,under_way,2022,2022,9,1;B,,2025,2024,9,1",
        paid="project,source,year,amount;A,state,2022,5",
        **BUDGET,
    )
    assert told(found) == ["year-outside settings::decide_from", "window-reversed projects:1:latest_start"]


def test_a_status_that_cannot_be_read_is_all_that_is_wrong():
    """Under way, the project would go on; taken for a new one it could not start."""
    projects = "id,status,earliest_start,latest_start,cost,value;A,{},2020,2020,9,1"
    assert codes(DECIDED, projects=projects.format("under_way"), **BUDGET) == []
    assert codes(DECIDED, projects=projects.format("undr_way"), **BUDGET) == ["unknown-choice"]
    assert codes(DECIDED, projects=projects.format("proposed"), **BUDGET) == ["no-start"]


def test_yearly_bounds_may_come_from_the_project_and_the_mode():
    """The mode's own bound counts; both limits leave room for exactly the cost at their edge."""
    tables = {
        "projects": "id,duration,cost,profile,year_min,year_max,value;A,4,10,flexible,{},{},1",
        "modes": "project,mode,year_max;A,a,{};A,b,0.3",
        **BUDGET,
    }

    def found(least, most, own):
        given = {"projects": tables["projects"].format(least, most), "modes": tables["modes"].format(own)}
        return told(issues_of(DECIDED, **(tables | given)))

    # ceil(0.25 · 10) = 3 a year for four years; floor(0.29 · 10) = 2 a year.
    assert found(0.29, 0.25, 0.3) == []
    assert found("", 0.2, "") == ["year-max-too-low projects:0:year_max"]
    assert found(0.3, "", 1) == ["year-min-too-high projects:0:year_min"]
    assert found(0.2, "", 0.1) == ["year-bounds-reversed modes:0:year_max"]


def test_prices_and_profiles_say_nothing_of_years_that_the_plan_decides():
    """A flexible project asks for no row of `profiles`, and one that is not flexible may still name one."""
    projects = "id,duration,cost,profile,value;A,2,9,flexible,1;B,2,9,front,1"
    profiles = "profile,duration,offset,share;front,2,0,1"
    assert codes(DECIDED, projects=projects, profiles=profiles, **BUDGET) == []

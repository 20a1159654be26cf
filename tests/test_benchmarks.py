"""The readers of public instances, the generator and the command, on instances small enough to check by hand."""

import json
from fractions import Fraction

import pandas as pd
import pytest

import capalloc as ca
from benchmarks.__main__ import main
from benchmarks.cases import CASES, select
from benchmarks.generator import generate
from benchmarks.instances import read_logos, read_mkp, read_mmkp, read_named_mkp, read_nrp, read_ppssp
from benchmarks.referee import judge_ppssp

# Items worth 5, 4 and 3.  The first two fill both capacities; all three exceed the first.
KNAPSACK = "3 2 9\n5 4 3\n2 3 1\n4 1 2\n5 5\n"
NAMED_KNAPSACK = (
    " problem TINY.DAT\n\n +++++\n 2 3\n 5 4 3\n 5 5\n 2 3 1\n 4 1 2\n\n 9\n\n +++++\n\n problem NEXT.DAT\n"
)

# Two groups of two items and 5 units of one resource: 10 + 8 would take 7; 10 + 3 = 13 and 6 + 8 = 14 take 5.
CHOICES = "2 2 1\n5\n1\n10.00 4\n6.00 2\n2\n8.00 3\n3.00 1\n Solutions by HEU\n 1 0 14.00"

# Requirements cost 3, 2 and 4, the third needs the first.  Customers: 10 for the third, 6 for the second, 5 for both of
# the first two (the second is listed twice).
RELEASE = "2\n2\n3 2\n1\n4\n1\n1 3\n3\n10 1 3\n6 1 2\n5 3 1 2 2\n"

CAPITAL = """<Logos>
<Sets>
<investments>A, B</investments><time_periods>y1 y2</time_periods>
<options index='investments'>now later; only</options>
</Sets>
<Parameters>
<net_present_values index='options'>5.75 4.5 -1</net_present_values>
<costs index='options, time_periods'>5.5 0  0 3.0  1.25 0</costs>
<available_capitals index='time_periods'>5.5 3</available_capitals>
</Parameters>
<Settings><mandatory>B</mandatory></Settings>
</Logos>"""


def scheduling(**changes):
    """Return an instance of two start years and three budget years; a year discounts by a fifth."""
    work = {"prerequisite_list": [], "exclusion_list": [], "capability_stream": 0}
    return {
        "identifier": "tiny",
        "planning_window": 2,
        "budget_window": 3,
        "discount_rate": 0.25,
        "initiation_range": [1, 3],
        "budget": [3, 4, 4],
        "initiation_budget": [3, 2, 0],
        "ongoing_budget": [0, 1, 1],
        "capability_stream_budgets": [3, 2],
        "projects": [
            work | {"duration": 1, "cost": [3], "value": [8]},
            work
            | {"duration": 2, "cost": [2, 1], "value": [0, 10], "prerequisite_list": [0], "capability_stream": 1}
            | {"exclusion_list": [2]},
            work | {"duration": 1, "cost": [2], "value": [5], "exclusion_list": [1]},
        ],
    } | changes


def solved(instance):
    """Return the plan of an instance, proved optimal."""
    settings, frames = instance
    plan = ca.Portfolio.from_tables(settings, frames).optimize(engine="highs", gap=0, threads=1)
    assert plan.status == "optimal"
    return plan


def funded(plan):
    """Return the mode and start year of each funded project."""
    rows = plan.projects[plan.projects["funded"]]
    return {row.project: (row.mode, row.start) for row in rows.itertuples()}


@pytest.fixture
def written(tmp_path):
    """Return a function that writes a text to a file and returns its path."""

    def write(text, name="instance"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_knapsack_is_solved_as_a_portfolio(written):
    """Items become projects and capacities resources, so the best two of three items are funded."""
    plan = solved(read_mkp(written(f"2\n1 1 7\n7\n1\n1\n{KNAPSACK}"), number=2).portfolio("tiny"))
    assert plan.value == 9
    assert set(funded(plan)) == {"1", "2"}


def test_a_knapsack_is_found_by_its_name(written):
    """The older file names its problems and puts the capacities before the rows."""
    assert solved(read_named_mkp(written(NAMED_KNAPSACK), "TINY").portfolio("tiny")).value == 9


def test_an_unknown_knapsack_is_answered_with_the_names_there_are(written):
    """A typing error in a name shows what could have been meant."""
    with pytest.raises(ValueError, match="no problem TINNY; it has TINY"):
        read_named_mkp(written(NAMED_KNAPSACK), "TINNY")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"1\n{KNAPSACK} 8", "holds \\+1 numbers against"),  # one left over
        (f"2\n{KNAPSACK}", "ends after 15 numbers"),  # the second problem is missing
        (f"1\n{KNAPSACK[:-3]}", "ends after 14 numbers"),  # the last capacity is missing
    ],
)
def test_a_knapsack_file_of_the_wrong_length_is_refused(written, text, message):
    """Numbers that are missing or left over mean that the others were read in the wrong place."""
    with pytest.raises(ValueError, match=message):
        read_mkp(written(text), number=1)


def test_choices_of_the_wrong_length_are_refused(written):
    """A fourth number in an item would shift all that follow."""
    with pytest.raises(ValueError, match="holds \\+1 numbers against"):
        read_mmkp(written(CHOICES.replace("10.00 4", "10.00 4 1")))


def test_a_release_that_ends_early_is_refused(written):
    """A customer whose list is cut off would be served too cheaply."""
    with pytest.raises(ValueError, match="holds -1 numbers against"):
        read_nrp(written(RELEASE[:-2]), Fraction(1, 2))


def test_one_item_of_each_group_is_chosen(written):
    """Groups are mandatory projects with modes; the answers written below the data are not read."""
    plan = solved(read_mmkp(written(CHOICES)))
    assert plan.value == 14
    assert {project: mode for project, (mode, _) in funded(plan).items()} == {"1": "2", "2": "1"}


# 1/2 of 9 is 4.5, rounded to 5: customers 2 and 3 are served.  With 4 only customer 2 could be.
# 4/5 of 9 is 7.2: the third requirement with its prerequisite would take all 7, for 10 instead of 11.
@pytest.mark.parametrize(("ratio", "budget"), [(Fraction(1, 2), 5), (Fraction(4, 5), 7)])
def test_customers_are_served_within_the_budget(written, ratio, budget):
    """A requirement is paid for once, whoever asks for it, and brings its prerequisites with it."""
    instance = read_nrp(written(RELEASE), ratio)
    assert instance[1]["envelopes"]["amount"].tolist() == [budget]
    plan = solved(instance)
    assert plan.value == 11
    assert set(funded(plan)) == {"r1", "r2", "c2", "c3"}


def test_shifted_options_are_chosen_within_the_capital_of_each_year(written):
    """The mandatory investment takes what the immediate option would need, so the later one is chosen."""
    plan = solved(read_logos(written(CAPITAL)))
    assert plan.value == 3.5
    assert {project: mode for project, (mode, _) in funded(plan).items()} == {"A": "later", "B": "only"}


def test_doing_nothing_can_be_an_option_that_must_be_chosen(written):
    """Where doing nothing is an option with a value of its own, no investment may be left without an option."""
    penalised = CAPITAL.replace("<mandatory>B</mandatory>", "<nonSelection>True</nonSelection>")
    plan = solved(read_logos(written(penalised.replace("5.75 4.5 -1", "-5.75 -4.5 -1"))))
    assert plan.value == -5.5


def test_several_resources_are_refused(written):
    """Costs due to resources by name are not what sources pay together."""
    two = CAPITAL.replace("<time_periods>", "<resources>money, staff</resources><time_periods>")
    with pytest.raises(ValueError, match="several resources"):
        read_logos(written(two))


def test_capital_of_the_wrong_length_is_refused(written):
    """One amount too many shows that the cost rows mean something else."""
    with pytest.raises(ValueError, match="available_capitals holds 3 numbers instead of 2"):
        read_logos(written(CAPITAL.replace("5.5 3<", "5.5 3 3<")))


def test_a_schedule_is_worth_its_discounted_benefits(written):
    """The stream pays for its second project only because the cost after the last start is not counted."""
    path = written(json.dumps(scheduling()))
    plan = solved(read_ppssp(path))
    assert plan.value == 14.4  # 8 at once, 10 two years later at 0.8 * 0.8
    assert {project: start - 2001 for project, (_, start) in funded(plan).items()} == {"1": 0, "2": 1}
    judgement = judge_ppssp(path, {"1": 0, "2": 1})
    assert judgement.value == pytest.approx(14.4)
    assert judgement.breaches == ()


def test_budgets_with_all_the_digits_of_a_float_are_read(written):
    """Published budgets are computed numbers; their last digits change no plan and overflow nothing."""
    plan = solved(read_ppssp(written(json.dumps(scheduling(budget=[3.0000000000000004, 4, 4])))))
    assert plan.value == 14.4


@pytest.mark.parametrize(
    ("starts", "breach"),
    [
        ({"1": 0, "3": 1}, "capability_stream_budgets 0: 5.0 is spent of 3"),
        ({"1": 1}, "initiation_budget 1: 3.0 is spent of 2"),
        ({"2": 1}, "chosen without its prerequisite 1"),
        ({"1": 0, "2": 0}, "starts before its prerequisite 1 is finished"),
        ({"1": 0, "2": 1, "3": 1}, "projects 2 and 3 exclude each other"),
        ({"3": 2}, "project 3 starts in year 2, outside the window"),
    ],
)
def test_the_referee_names_what_a_schedule_breaks(written, starts, breach):
    """Each statement of the file is read again, apart from the tables."""
    breaches = judge_ppssp(written(json.dumps(scheduling())), starts).breaches
    assert [sentence for sentence in breaches if breach in sentence]


def test_a_limit_on_starts_is_refused(written):
    """A row that the tables do not say must not be left out in silence."""
    with pytest.raises(ValueError, match="limits the projects started"):
        read_ppssp(written(json.dumps(scheduling(initiation_range=[1, 2]))))


@pytest.mark.parametrize("family", ["phase", "yearly", "tight"])
def test_a_seed_gives_the_same_portfolio(family):
    """Two calls agree in every cell, and another seed gives something else."""
    (settings, once), (again, twice) = generate(family, 40, seed=3), generate(family, 40, seed=3)
    assert settings == again
    assert list(once) == list(twice)
    for table, frame in once.items():
        pd.testing.assert_frame_equal(frame, twice[table])
    assert not once["projects"].equals(generate(family, 40, seed=4)[1]["projects"])


def test_a_seed_gives_the_same_portfolio_on_every_machine():
    """Measurements of different days and machines speak of the same candidates."""
    frames = generate("phase", 40, seed=3)[1]
    assert frames["projects"]["cost"].head(4).tolist() == [17700, 31310, 82110, 62390]
    assert frames["envelopes"]["amount"].tolist() == [181988, 181988, 74143, 74143, 16850, 16850]


@pytest.mark.parametrize(("family", "envelopes"), [("phase", 6), ("yearly", 32)])
def test_a_generated_portfolio_has_the_announced_parts(family, envelopes):
    """Three sources in ten years, a dependency for every two projects, one project in fifty mandatory."""
    frames = generate(family, 100, seed=1)[1]
    assert len(frames["envelopes"]) == envelopes
    assert 40 <= len(frames["dependencies"]) <= 50
    assert frames["projects"]["mandatory"].sum() == 2
    assert (
        frames["envelopes"].query("source != 'local+central'")["amount"].sum() < 0.41 * frames["projects"]["cost"].sum()
    )


@pytest.mark.parametrize("family", ["phase", "yearly", "tight"])
def test_a_generated_portfolio_has_a_plan(family):
    """The tables are accepted, and some but not all candidates are funded."""
    plan = solved(generate(family, 20, seed=1))
    assert 0 < len(funded(plan)) < 20


@pytest.mark.parametrize(("family", "projects", "message"), [("monthly", 10, "no family"), ("phase", 1, "2 or more")])
def test_the_generator_refuses_what_it_cannot_make(family, projects, message):
    """There are three families, and a single project has no dependencies."""
    with pytest.raises(ValueError, match=message):
        generate(family, projects, seed=1)


def test_a_tight_portfolio_affords_half_of_what_is_asked_of_each_department():
    """Eight departments have ten equal years each, with half of all uses in them, and every use is a whole number."""
    frames = generate("tight", 60, seed=1)[1]
    asked, there = (frames[table].groupby("resource")["amount"].sum() for table in ("uses", "capacities"))
    assert len(frames["capacities"]) == 80
    assert ((there <= asked / 2) & (there > asked / 2 - 10)).all()
    assert frames["uses"]["amount"].ge(1).all()
    assert frames["projects"]["value"].head(4).tolist() == [1020, 800, 1413, 2333]


def test_large_cases_are_solved_only_by_name():
    """A command without patterns ends on the day it began."""
    assert {case.name for case in CASES if case.large} == {
        f"generated/{family}-{size}" for family in ("phase", "yearly", "tight") for size in (10_000, 20_000, 100_000)
    }
    assert [case for case in select([]) if case.large] == []
    assert [case.name for case in select(["generated/tight-100000"])] == ["generated/tight-100000"]


def test_cases_have_their_own_names_and_sound_answers():
    """No plan published is worth more than the bound published."""
    assert len({case.name for case in CASES}) == len(CASES)
    assert {case.family for case in CASES} == {"mkp", "mmkp", "nrp", "logos", "ppssp", "scenarios", "generated"}
    assert [case.name for case in CASES if case.answer and case.answer.best > case.answer.bound] == []


def test_cases_are_selected_by_pattern():
    """Patterns keep the order of the registry; one that matches nothing is answered with the names there are."""
    assert [case.name for case in select(["nrp/nrp1-*", "mmkp/I01"])] == [
        "mmkp/I01",
        "nrp/nrp1-30",
        "nrp/nrp1-50",
        "nrp/nrp1-70",
    ]
    with pytest.raises(ValueError, match="No case matches mmkp/I04; there are mkp/mknap1-1"):
        select(["mmkp/*", "mmkp/I04"])


def test_the_command_agrees_with_a_published_optimum(written, tmp_path, capsys):
    """A plan of the published value is printed without remark."""
    written("1\n2 1 0\n24381 5\n1 1\n1\n", "mkp/mknapcb1.txt")
    assert main(["--instances", str(tmp_path), "mkp/5.100-00"]) == 0
    printed = capsys.readouterr().out
    assert printed.splitlines()[1].split()[:5] == ["mkp/5.100-00", "optimal", "24,381", "24,381", "24,381"]
    assert "1 cases, 0 contradictions" in printed


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (24380, "claims that nothing exceeds 24,380, but a plan of 24,381 is published"),
        (24382, "claims 24,382, but it is proved that nothing exceeds 24,381"),
    ],
)
def test_the_command_says_when_an_answer_contradicts_what_is_published(written, tmp_path, capsys, value, sentence):
    """A wrong value is printed beside the case and fails the command."""
    written(f"1\n2 1 0\n{value} 5\n1 1\n1\n", "mkp/mknapcb1.txt")
    assert main(["--instances", str(tmp_path), "mkp/5.100-00"]) == 1
    assert f"WRONG: {sentence}" in capsys.readouterr().out


def test_the_command_says_when_a_published_answer_is_called_infeasible(written, tmp_path, capsys):
    """Mandatory investments that fit alone and not together leave no plan, although one is published."""
    both = CAPITAL.replace("<mandatory>B<", "<mandatory>A, B<").replace("1.25 0<", "1.25 1<")
    written(both, "logos/test_p16.xml")
    assert main(["--instances", str(tmp_path), "logos/test_p16"]) == 1
    assert "WRONG: called infeasible, but a plan of -68.432 is published" in capsys.readouterr().out


def test_the_command_lets_the_referee_judge(written, tmp_path, capsys):
    """A schedule within the published bound is printed with its value, and its file agrees with it."""
    written(json.dumps(scheduling()), "ppssp/PI_1.json")
    assert main(["--instances", str(tmp_path), "ppssp/PI_1"]) == 1  # 14.4 is far below the best published
    printed = capsys.readouterr().out
    assert printed.count("WRONG") == 1
    assert "14.4" in printed


def test_the_command_names_the_files_a_folder_lacks(tmp_path, capsys):
    """A wrong folder is answered before anything is solved."""
    assert main(["--instances", str(tmp_path / "nowhere"), "mmkp/I01", "mmkp/I02"]) == 2
    assert "nowhere does not hold mmkp/I01, mmkp/I02" in capsys.readouterr().err


def test_the_command_says_that_public_instances_are_left_out(capsys):
    """Without a folder nothing public is solved, and silence would look like success."""
    assert main(["mmkp/*"]) == 2
    streams = capsys.readouterr()
    assert "3 public instances are left out: no folder was given (--instances DIR)" in streams.out
    assert "Nothing is left to solve" in streams.err

"""Plans: their tables, their text and their files."""

import math
from dataclasses import replace
from fractions import Fraction

import pandas as pd
import pytest

from capalloc import CapallocError, Status, StoppedBy
from capalloc.catalogue import speaking
from capalloc.plan import Plan
from sample import sample


@pytest.fixture(scope="module")
def plan():
    """Return the best plan of the sample: A and B."""
    return sample().optimize()


@pytest.fixture
def no_plan():
    """Return the answer to a portfolio whose mandatory projects cost more together than there is."""
    return sample().with_changes({"projects.A.mandatory": True, "projects.C.mandatory": True}).optimize()


def test_a_plan_says_what_is_proved(plan):
    """Value, bound and gap agree with the plan made by hand."""
    assert (plan.status, plan.stopped_by) == (Status.OPTIMAL, StoppedBy.PROOF)
    assert (plan.value, plan.bound, plan.gap) == (16, 16, 0)
    assert not plan.violations


def test_the_table_of_projects_has_one_row_a_project(plan):
    """Projects stand in the order of the portfolio; what does not apply to an unfunded one is missing."""
    projects = plan.projects
    assert list(projects.columns) == [
        "project", "name", "funded", "mode", "start", "finish", "scale", "priority", "cost", "value", "weighted_value",
    ]  # fmt: skip
    assert projects["project"].tolist() == ["A", "B", "C"]
    assert projects["funded"].tolist() == [True, True, False]
    assert projects["finish"][:2].tolist() == [2027, 2026]
    assert projects.loc[2, ["start", "finish", "scale", "cost", "value"]].isna().all()
    assert projects["priority"].tolist() == [1, 2, 2]
    assert str(projects["cost"].dtype) == "Int64"


def test_weighted_values_add_up_to_the_value_of_the_plan(plan):
    """A counts 2.5 times 10 and B 0.3 times 6; without weights both columns are the same."""
    weights = {"objective": {"class_weights": {1: "2.5", 2: "0.3"}}}
    weighted = sample(weights).optimize()
    rows = weighted.projects.set_index("project")
    assert rows["value"].dropna().to_dict() == {"A": 10, "B": 6}
    assert rows["weighted_value"].dropna().to_dict() == {"A": 25, "B": 1.8}
    assert weighted.value == rows["weighted_value"].sum() == 26.8
    audit = weighted.verify()
    assert sum(row.weighted_value for row in audit.projects) == audit.value == Fraction("26.8")
    assert "times the weight of its priority class" in weighted.summary()
    assert plan.projects["weighted_value"].sum() == plan.projects["value"].sum() == plan.value
    assert "weight" not in plan.summary()


def test_money_adds_up_to_the_last_unit(plan):
    """Payments are integers whose sums are the costs of the projects and the used part of the envelopes."""
    funding, projects, envelopes = plan.funding, plan.projects.set_index("project"), plan.envelopes
    assert funding["amount"].dtype == "int64"
    assert funding.groupby("project")["amount"].sum().to_dict() == {"A": 1001, "B": 500}
    assert projects["cost"].sum() == funding["amount"].sum() == envelopes["used"].sum()
    assert funding.groupby("source")["amount"].sum().reindex(envelopes["source"]).fillna(0).tolist() == (
        envelopes["used"].tolist()
    )
    assert (envelopes["slack"] == envelopes["room"] - envelopes["used"]).all()
    assert envelopes.loc[0, ["amount", "reserve", "room"]].tolist() == [1600, 80, 1520]


def test_resources_are_accounted_for(plan):
    """A uses 3.5 and B 2 of the 6 hectares."""
    assert plan.resources.to_dict("records") == [
        {"resource": "land", "period": "2026-2030", "amount": 6.0, "used": 5.5, "slack": 0.5}
    ]


def test_a_table_is_made_afresh_each_time(plan):
    """What a user does to a table does not change the plan."""
    projects = plan.projects
    projects.loc[0, "funded"] = False
    assert plan.projects["funded"][0]


def test_a_plan_is_verified_again_on_request(plan):
    """The account is that of the verifier."""
    assert plan.verify().value == 16
    assert not plan.verify().violations


def test_a_list_that_breaks_something_says_nothing_of_other_plans():
    """There are plans, although this list is none."""
    judged = sample().evaluate([("A", 2040)])
    assert judged.status is Status.INFEASIBLE
    assert judged.violations
    with pytest.raises(CapallocError) as refused:
        judged.verify()
    for text in (judged.summary(), str(refused.value)):
        assert "The list cannot be carried out as it is" in text
        assert "no plan can keep" not in text


def test_without_a_plan_there_are_no_tables(no_plan):
    """``projects`` is ``None`` exactly when there is no plan, and nothing can be written or verified."""
    assert no_plan.status is Status.INFEASIBLE
    assert no_plan.projects is no_plan.funding is no_plan.envelopes is no_plan.resources is no_plan.value is None
    assert (no_plan.bound, no_plan.gap) == (-math.inf, math.inf)
    assert "Infeasible: no plan can keep every statement" in no_plan.summary()
    with pytest.raises(CapallocError, match=r"There is no plan.*Infeasible"):
        no_plan.verify()


@pytest.mark.parametrize("write", [Plan.to_csv, Plan.save])
def test_without_a_plan_nothing_is_written(no_plan, write, tmp_path):
    """A file of an empty plan would pass for one."""
    with pytest.raises(CapallocError, match="There is no plan"):
        write(no_plan, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_summary_says_value_envelopes_and_counts(plan):
    """The text names the status, the money by source and period, and what is funded by sector and class."""
    text = plan.summary()
    assert "Optimal: no better plan exists." in text
    assert "Funded: 2 of 3 projects, 1,501 million VND over their life." in text
    lines = [line.split() for line in text.splitlines()]
    state = plan.envelopes.set_index("source").loc["state"]
    used, left = f"{state['used']:,}", f"{state['slack']:,}"
    assert ["Ngân", "sách", "2026-2030", "1,600", "80", "1,520", used, left] in lines
    assert ["school", "1", "1", "500"] in lines
    assert str(plan) == text


def test_the_summary_speaks_vietnamese(plan):
    """Texts and numbers are in the language in force."""
    with speaking("vi"):
        text = plan.summary()
    assert "Tối ưu: không có kế hoạch nào tốt hơn." in text
    assert "Bố trí vốn cho 2 trong số 3 dự án, tổng chi phí 1.501 triệu đồng." in text


@pytest.mark.parametrize(
    ("status", "bound", "sentences"),
    [
        (Status.WITHIN_GAP, 16.001, ["Proved within the gap asked for, 0.01%.", "no plan is worth more than 16.001"]),
        (Status.FEASIBLE, 20.0, ["ended at its time limit", "worth more than 20: at most 25% (4) better"]),
        (Status.FEASIBLE, math.inf, ["Nothing is proved about how much better"]),
        (Status.UNKNOWN, math.inf, ["no plan was found, and none is ruled out", "ended at its time limit"]),
    ],
)
def test_the_summary_claims_no_more_than_is_proved(plan, status, bound, sentences):
    """Each status has its own sentence, with the bound as far as there is one."""
    answer = replace(plan.answer, status=status, stopped_by=StoppedBy.TIME_LIMIT, bound=bound)
    if status is Status.UNKNOWN:
        answer = replace(answer, allocation=None, audit=None)
    text = Plan(plan.tables, answer).summary()
    assert [sentence for sentence in sentences if sentence not in text] == []
    assert "no better plan exists" not in text


def test_a_notebook_shows_tables_and_escapes_what_users_wrote():
    """A title with markup stays text."""
    shown = sample({"title": "<script>x</script>"}).optimize()._repr_html_()
    assert "&lt;script&gt;" in shown
    assert "<script>" not in shown
    assert "<table>" in shown


def test_csv_files_hold_the_tables(plan, tmp_path):
    """The files read back as the tables, with the mark by which spreadsheet programs know UTF-8."""
    paths = plan.to_csv(tmp_path / "a" / "b")
    names = ("projects", "funding", "envelopes", "resources", "classes")
    assert [path.name for path in paths] == [f"{name}.csv" for name in names]
    assert all(path.read_bytes().startswith(b"\xef\xbb\xbf") for path in paths)
    projects = pd.read_csv(paths[0], dtype={"cost": "Int64"})
    assert projects["name"].tolist() == ["Đường A", "Trường B", "Cầu C"]
    assert projects["cost"].tolist()[:2] == [1001, 500]
    assert b"1001.0" not in paths[0].read_bytes()
    assert pd.read_csv(paths[1])["amount"].sum() == 1501


def test_values_before_class_weights_are_shown_by_project():
    """The value of a project is its own; the plan's value has the class weights in it."""
    weighted = sample({"objective": {"class_weights": {1: 3, 2: 1}}}).optimize()
    assert weighted.projects["value"][:2].tolist() == [10, 6]
    assert weighted.answer.value == Fraction(36)


def test_classes_are_listed_with_what_is_proved_of_each():
    """A is of class 1, B and C of class 2; in order, A comes first and leaves 519 for B."""
    portfolio = sample({"objective": {"goal": "lexicographic"}})
    assert "a lower class never costs a higher one anything" in portfolio.summary()
    ordered = portfolio.optimize()
    assert ordered.classes.to_dict("list") == {
        "class": [1, 2],
        "value": [10, 6],
        "bound": [10, 6],
        "gap": [0, 0],
        "status": ["optimal", "optimal"],
    }
    assert (ordered.value, ordered.bound, ordered.gap) == (6, 6, 0)
    assert "Class 1: 10, the most it can get." in ordered.summary()
    weighed = sample().optimize()
    assert weighed.classes["value"].tolist() == [10, 6]
    assert weighed.classes["bound"].isna().all()


def test_a_list_judged_in_order_proves_nothing_of_other_plans():
    """What B reaches alone says nothing about what class 1 could reach."""
    judged = sample({"objective": {"goal": "lexicographic"}}).evaluate(["B"])
    assert judged.classes["value"].tolist() == [0, 6]
    assert judged.classes["bound"].tolist() == [math.inf, math.inf]
    assert "Class 2: 6. Nothing is proved about how much more it could get." in judged.summary()


def test_leverage_is_what_others_pay_for_each_unit_of_the_state():
    """An investor pays a fifth of A at least; of 1,001 that is 200 or 201, and B is paid by the state alone."""
    shares = {"project": ["A", "A"], "source": ["investor", "state"], "min": [0.2, 0.7], "max": [0.2, 1]}
    sources = {"id": ["state", "investor"], "side": ["state", "non_state"], "reserve": [0.05, 0]}
    envelopes = {"source": ["state", "investor"], "period": ["2026-2030", "2026-2030"], "amount": [1600, 1000]}
    plan = sample(shares=shares, sources=sources, envelopes=envelopes).optimize(gap=0)
    (phase, total) = plan.leverage.to_dict("records")
    assert (phase["period"], total["period"]) == ("2026-2030", "total")
    assert phase["non_state"] in (200, 201)
    assert phase["state"] + phase["non_state"] == 1501
    assert total["leverage"] == phase["non_state"] / phase["state"]
    shown = dict(zip(plan.leverage.columns, plan.leverage.iloc[-1], strict=True))
    assert "leverage" in plan.table_names
    heading = "Money of others that follows money of the state (million VND)"
    (line,) = [line for line in plan.summary().split(heading)[1].splitlines() if line.startswith("all years")]
    assert line.split()[2:] == [f"{shown['state']:,}", f"{shown['non_state']:,}", f"{round(shown['leverage'], 3)}"]
    unpaid = sample(sources=None, envelopes=None).optimize()
    assert "leverage" not in unpaid.table_names
    assert unpaid.leverage["leverage"].isna().all()

"""Rules, targets and synergies from the user's tables to the tables of a plan."""

from fractions import Fraction

import pandas as pd
import pulp
import pytest

from capalloc import InvalidInput, Portfolio
from capalloc.catalogue import speaking
from sample import SETTINGS, sample

# Of the sample, A and B are worth 10 and 6 at 1,001 and 500, C 7 at 800; C needs B.
RULES = {
    "id": ["road", "schools", "off"],
    "enabled": [True, True, False],
    "measure": ["cost", "starts", "starts"],
    "selection": ['sector == "road"', 'sector == "school"', None],
    "sense": ["<=", ">=", "<="],
    "amount": [1000, 1, 0],
    "price": [0.5, None, None],
}


def test_a_plan_tells_of_each_rule_what_is_used_left_and_paid():
    """A takes the roads 1 beyond their 1,000, at 0.5; the one school asked for is there; what is off is not told."""
    plan = sample(rules=RULES).optimize(gap=0)
    assert plan.value == 16 - 0.5
    rows = plan.rules.set_index("rule")
    assert list(rows.index) == ["road", "schools"]
    assert rows.loc["road", ["limit", "used", "slack", "violation", "price", "paid"]].tolist() == [
        1000,
        1001,
        -1,
        1,
        0.5,
        0.5,
    ]
    assert rows.loc["schools", ["limit", "used", "slack", "violation", "paid"]].tolist() == [1, 1, 0, 0, 0]
    assert pd.isna(rows.loc["schools", "price"])
    assert rows["binding"].tolist() == [True, True]
    assert "must be at least 1." in rows.loc["schools", "sentence"]


def test_a_plan_tells_of_each_target_what_is_reached():
    """C adds 3 to a baseline of 1, so that 2 are reached without it only to 1, at 1/4."""
    given = {
        "indicators": {"id": ["bridges"], "baseline": [1]},
        "contributions": {"project": ["C"], "indicator": ["bridges"], "amount": [3]},
        "targets": {"indicator": ["bridges"], "by_year": [2030], "at_least": [2], "price": [0.25]},
    }
    (row,) = sample(**given).optimize(gap=0).targets.to_dict("records")
    assert row == {
        "indicator": "bridges",
        "by_year": 2030,
        "at_least": 2.0,
        "reached": 1.0,
        "slack": -1.0,
        "shortfall": 1.0,
        "price": 0.25,
        "paid": 0.25,
    }


def test_the_summary_tells_what_rules_and_synergies_come_to_in_both_languages():
    """Gross value, synergies and penalties stand apart, and the rules in a table of their own."""
    plan = sample(rules=RULES, synergies={"id": ["s"], "projects": ["A+B"], "value": [2]}).optimize(gap=0)
    assert plan.value == 16 + 2 - 0.5
    assert "the projects are worth 16, synergies add 2, and missed rules and targets take away 0.5" in plan.summary()
    with speaking("vi"):
        assert "hiệu ứng cộng hưởng thêm 2, phần bị trừ do chưa đạt quy tắc và mục tiêu là 0,5" in plan.summary()
        assert "Quy tắc (tiền tính bằng triệu đồng)" in plan.summary()


def test_the_files_of_a_plan_hold_rules_and_targets_only_where_there_are_some(tmp_path):
    """A file without rows would tell nothing."""
    names = {path.name for path in sample(rules=RULES).optimize().to_csv(tmp_path / "with")}
    assert "rules.csv" in names
    assert "targets.csv" not in names
    assert "rules.csv" not in {path.name for path in sample().optimize().to_csv(tmp_path / "without")}


def test_amounts_of_money_are_in_the_declared_unit_and_others_are_not():
    """1.5 billion is 1,500 million; 1 start is one start, and half of another measure is half."""
    rules = {
        "id": ["money", "count", "share"],
        "measure": ["cost", "starts", "cost"],
        "sense": ["<="] * 3,
        "amount": [1.5, 3, 0.5],
        "share_of": [None, None, "envelope:state"],
    }
    given = sample({"money": "billion VND"}, rules=rules)
    assert [row.amount for row in given.tables.rules] == [1500, 3, Fraction(1, 2)]


def test_a_fraction_of_a_million_is_refused_or_rounded_and_told():
    """As every other amount of money."""
    rules = {"id": ["r"], "measure": ["tail"], "sense": ["<="], "amount": [0.0015]}
    with pytest.raises(InvalidInput, match="fraction-of-a-million"):
        sample({"money": "billion VND"}, rules=rules)
    rounded = sample({"money": "billion VND", "rounding": "nearest"}, rules=rules)
    assert rounded.tables.rules[0].amount == 2
    assert [i.where.column for i in rounded.findings if i.code == "rounded" and i.where.file == "rules"] == ["amount"]


def test_a_changed_amount_of_money_is_in_the_declared_unit_too():
    """Set to 2 billion it is 2,000 million; a tenth less of an odd amount is rounded and told; counts stay counts."""
    rules = {"id": ["money", "count"], "measure": ["cost", "starts"], "sense": ["<="] * 2, "amount": [1.505, 3]}
    given = sample({"money": "billion VND"}, rules=rules)
    changed = given.with_changes({"rules.money.amount": "*0.9", "rules.count.amount": 2})
    assert [row.amount for row in changed.tables.rules] == [1355, 2]
    assert changed.changes[0].exact == Fraction(2709, 2)
    assert given.with_changes({"rules.money.amount": 2}).tables.rules[0].amount == 2000


def test_the_rules_of_a_portfolio_are_said_by_their_ids():
    """A rule that is switched off says so."""
    given = sample(rules=RULES)
    assert str(given.rules["off"]).endswith("Switched off.")
    with speaking("vi"):
        assert str(given.rules["schools"]) == (
            "Số dự án có lĩnh vực là “school” khởi công trong cả thời kỳ 2026–2030 phải đạt ít nhất 1."
        )


def test_a_frame_of_rules_makes_the_same_portfolio_again():
    """What `to_frames` gives in million VND is read back as it was."""
    given = sample(rules=RULES, synergies={"id": ["s"], "projects": ["A+B"], "value": [2]})
    again = Portfolio.from_tables(SETTINGS, given.to_frames())
    assert [row.amount for row in again.tables.rules] == [row.amount for row in given.tables.rules]
    assert again == given


def test_a_rule_can_make_the_plan_impossible_and_the_hand_made_list_is_told_why():
    """No road may be built, and the list has one."""
    rules = {"id": ["none"], "measure": ["starts"], "selection": ['sector == "road"'], "sense": ["<="], "amount": [0]}
    plan = sample(rules=rules).evaluate(["A"])
    assert plan.status == "infeasible"
    assert [issue.code for issue in plan.violations] == ["broken-rule"]


def test_the_model_handed_to_pulp_holds_rules_and_synergies_and_comes_back():
    """Solved through PuLP the problem gives the plan and its value."""
    given = sample(rules=RULES, synergies={"id": ["s"], "projects": ["A+B"], "value": [2]})
    problem = given.to_pulp()
    problem.solve(pulp.HiGHS(msg=False))
    assert given.plan_from_pulp(problem).value == 17.5
    assert problem.objective.value() == pytest.approx(17.5)


@pytest.mark.parametrize(
    ("share_of", "period", "told"),
    [
        ("cost", None, True),
        ("cost; ; 2026:2030", "2026:2030", True),
        ("cost; True", None, False),
        ("value", None, False),
    ],
)
def test_a_rule_that_is_held_against_a_part_of_itself_is_told(share_of, period, told):
    """What `share_of` leaves out is that of the row, so that bare `cost` is the cost of the roads again."""
    row = {"id": ["r"], "measure": ["cost"], "selection": ['sector == "road"'], "period": [period], "sense": ["<="]}
    found = sample(rules={**row, "amount": [0.5], "share_of": [share_of]}).findings
    assert bool(found.of("rule-of-itself")) is told

"""Statutory presets: what they put in force, what a portfolio overrides, and how they are told."""

import pandas as pd
import pytest

from capalloc import InvalidInput, Portfolio
from capalloc.catalogue import speaking
from capalloc.law.statutes import PRESETS, RELIABILITIES, regime
from laws import ONE, PHASES, issue_of, optimum, portfolio


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

"""Lạng Sơn's targets to 2030: what can be assessed, what cannot, and the cheapest way to the former."""

import re

import pytest

import capalloc
from documents import SCENARIOS, expected_of, readings_of, stands_as

FOLDER = SCENARIOS / "lang-son"
EXPECTED = expected_of(FOLDER)
READINGS = readings_of(FOLDER)


@pytest.fixture(scope="module")
def portfolio():
    """Return the portfolio as its tables say."""
    return capalloc.load(FOLDER)


@pytest.fixture(scope="module")
def plan(portfolio):
    """Return a plan proved within 0.01 %."""
    return portfolio.optimize(time_limit=60, gap=1e-4)


def test_the_only_warning_is_of_what_begins_before_the_plan(portfolio):
    """Programmes of 2025 may go on into the plan of 2026–2030, and the document limits that nowhere."""
    assert [issue.code for issue in portfolio.findings if issue.severity != "info"] == ["tail-unlimited"]


def test_no_programme_is_passed_off_as_real(portfolio):
    """The plan names no project, so each programme says that it and its cost are assumed."""
    for project in portfolio.tables.projects:
        assert (project.basis, project.attributes["cost_basis"]) == ("assumed", "assumed")
        assert project.name.endswith("(giả định)")
        assert "mục II.2" in project.source_ref


def test_only_targets_with_a_starting_point_are_asked(portfolio):
    """A target needs a published baseline, or be a change from today, or a part of what is missing."""
    least = {row.indicator: float(row.at_least) for row in portfolio.tables.targets}
    assert least == {"new-rural": 140, "advanced-rural": 53, "forest-cover": 3, "electricity": 100}
    starts = {row.id: (float(row.baseline), row.basis) for row in portfolio.tables.indicators if row.id in least}
    assert starts["new-rural"] == (106, "public")
    assert starts["advanced-rural"] == (28, "public")
    assert starts["forest-cover"] == (0, "seed")


def test_every_target_that_can_be_assessed_is_reached_by_2030(plan):
    """The four targets are hard, and the plan reaches them."""
    assert set(plan.targets["by_year"].astype(int)) == {2030}
    assert (plan.targets["reached"].astype(float) >= plan.targets["at_least"].astype(float)).all()


def test_the_value_is_what_the_plan_costs(plan):
    """The best plan is the cheapest one: its value is minus its cost in billion VND."""
    funded = plan.projects[plan.projects["funded"]]
    assert float(plan.value) == -funded["cost"].astype(int).sum() / 1000


def test_the_plan_is_the_expected_one(plan):
    """The value lies between what was proved before and what is proved now, and the decisions shown hold."""
    stands_as(plan, EXPECTED)


@pytest.mark.parametrize("reading", sorted(READINGS))
def test_every_other_case_can_be_asked(portfolio, reading):
    """The cases of the description change the tables without an error."""
    changed = portfolio.with_changes(READINGS[reading]["set"])
    assert changed.changes


@pytest.mark.parametrize("readme", ["README.md", "README.vi.md"])
def test_the_readme_names_what_there_is(portfolio, readme):
    """Every group of programmes in the description has rows, and every target in it is a row."""
    text = (FOLDER / readme).read_text(encoding="utf-8")
    groups = {row.id.rpartition("-")[0] for row in portfolio.tables.projects}
    named = set(re.findall(r"`(LS-[A-Z]+)`", text))
    assert len(named) == 7
    assert named <= groups
    assert {row.indicator for row in portfolio.tables.targets} <= set(re.findall(r"`([a-z-]+)` ≥", text))


def test_the_law_is_kept_as_the_readme_says(plan):
    """No rule fails; programmes have no group, and disbursement is switched off."""
    verdicts = plan.compliance().set_index("rule").verdict
    found = {name: set(verdicts.index[verdicts == name]) for name in ("failed", "open", "passed")}
    assert found == {
        "failed": set(),
        "open": set(),
        "passed": {
            "priority-order/2026-2030",
            "reserve/2026-2030",
            "local-share/2026-2030",
        },
    }

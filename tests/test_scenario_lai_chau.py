"""Lai Châu 2021–2030: what its documents leave open is open and said to be, and what its plan is."""

import re
from fractions import Fraction

import pytest

import capalloc
from documents import SCENARIOS, expected_of, stands_as

FOLDER = SCENARIOS / "lai-chau"
EXPECTED = expected_of(FOLDER)


@pytest.fixture(scope="module")
def portfolio():
    """Return the portfolio as its tables say."""
    return capalloc.load(FOLDER)


@pytest.fixture(scope="module")
def plan(portfolio):
    """Return a plan proved within 0.01 %."""
    return portfolio.optimize(time_limit=60, gap=1e-4)


def land_of(portfolio):
    """Return the most land that each project can take."""
    most = {}
    for row in portfolio.tables.uses:
        most[row.project] = max(Fraction(row.amount), most.get(row.project, Fraction(0)))
    return most


def test_the_open_quota_is_the_land_of_all_candidates_in_each_phase(portfolio):
    """No hectares are in the documents, so no quota is invented: both phases could hold every candidate."""
    total = sum(land_of(portfolio).values())
    assert {row.period: row.amount for row in portfolio.tables.capacities} == {"2021-2025": total, "2026-2030": total}
    assert {row.basis for row in portfolio.tables.capacities} == {"assumed"}


@pytest.mark.parametrize(
    ("project", "hectares"),
    [("LC-052", "8"), ("LC-053", "5.4"), ("LC-101", "6.57"), ("LC-122", "167"), ("LC-123", "180"), ("LC-156", "152")],
)
def test_projects_take_the_land_that_was_published_or_follows_from_their_size(portfolio, project, hectares):
    """Published areas, the hectares of a park, and 2 ha for each MW of hydropower."""
    assert land_of(portfolio)[project] == Fraction(hectares)


def test_every_area_says_where_it_comes_from(portfolio):
    """Nine areas are published and name a page; the others are assumed and say how."""
    uses = portfolio["uses"]
    published = uses[uses["basis"] == "public"].drop_duplicates("project")
    assert len(published) == 9
    assert published["source_ref"].str.contains("https://").all()
    assert set(uses["basis"]) == {"public", "assumed"}
    assert uses["note"].str.strip().ne("").all()


def test_an_assigned_quota_binds_once_it_is_in_place_of_the_open_one(portfolio, plan):
    """The same plan cannot be carried out where 1,000 ha are assigned, and the land is named."""
    assigned = portfolio.with_changes({"capacities.land.2026-2030.amount": 1000})
    judged = assigned.evaluate(plan)
    assert judged.status == "infeasible"
    assert any("land" in str(violation) for violation in judged.violations)
    assert portfolio.evaluate(plan).status == "feasible"


def test_the_caps_on_new_starts_are_off_until_they_are_switched_on(portfolio, plan):
    """The text has no number of works: the assumed one binds nothing by default, and both phases when it is on."""
    assert [row.enabled for row in portfolio.tables.rules] == [False, False]
    judged = portfolio.with_changes({"rules.max-new-starts*.enabled": True}).evaluate(plan)
    named = {rule for rule in ("max-new-starts-2021-2025", "max-new-starts") if rule in str(judged.violations)}
    assert judged.status == "infeasible"
    assert named == {"max-new-starts-2021-2025", "max-new-starts"}


def test_capital_to_be_mobilised_is_not_called_a_public_investment_plan(portfolio):
    """Footnote 1 makes the state side wider than any public investment plan, and the document does not split it."""
    assert [row.public_investment for row in portfolio.tables.sources] == [False, False]


def test_the_envelopes_hold_the_shares_of_the_document(portfolio):
    """36 and 31 % for the state, 64 and 69 % for the others, to the percent."""
    amounts = {(row.source[0], row.period): row.amount for row in portfolio.tables.envelopes}
    for phase, percent in (("2021-2025", 36), ("2026-2030", 31)):
        state, other = amounts["state", phase], amounts["non_state", phase]
        assert round(100 * state / (state + other)) == percent


def test_the_plan_is_the_expected_one(plan):
    """The value lies between what was proved before and what is proved now, and the decisions shown hold."""
    stands_as(plan, EXPECTED)


@pytest.mark.parametrize("readme", ["README.md", "README.vi.md"])
def test_the_readme_names_the_blank_quota_and_the_rules_that_are_off(portfolio, readme):
    """Whoever reads the description finds the number of the blank, the decisions that fill it and both rules."""
    text = (FOLDER / readme).read_text(encoding="utf-8")
    total = f"{float(sum(land_of(portfolio).values())):,.2f}"
    assert total.translate(str.maketrans(",.", ".,")) in text or total in text
    assert {f"{number}/QĐ-TTg" for number in (326, 227, 95, 47)} <= set(re.findall(r"\d+/QĐ-TTg", text))
    assert {row.id for row in portfolio.tables.rules} <= set(re.findall(r"`(max-new-starts[\w-]*)`", text))


def test_the_law_is_kept_as_the_readme_says(plan):
    """Nothing there is a public investment plan; partnerships are within their caps and of the least size."""
    verdicts = plan.compliance().set_index("rule").verdict
    found = {name: set(verdicts.index[verdicts == name]) for name in ("failed", "open", "passed")}
    assert found == {
        "failed": set(),
        "open": set(),
        "passed": {
            "ppp-state-share/2021-2025",
            "ppp-least-size/2021-2025",
            "ppp-state-share/2026-2030",
        },
    }

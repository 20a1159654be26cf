"""Changes told by path."""

from decimal import Decimal
from fractions import Fraction

import pytest

from capalloc import InvalidInput
from capalloc.catalogue import speaking
from sample import COLUMNS, sample


def changed(path, change, **more):
    """Return the single change that a path and a change make."""
    (done,) = sample(**more).with_changes({path: change}).changes
    return done


@pytest.mark.parametrize(
    ("path", "change", "after"),
    [
        ("projects.A.cost", "*1.05", 1051),  # 1,051.05
        ("projects.B.cost", "*1.005", 503),  # 502.5 rounds up
        ("projects.A.cost", "+100", 1101),
        ("projects.A.cost", "-100", 901),
        ("projects.A.cost", 1200, 1200),
        ("projects.A.cost", "1200", 1200),
        ("projects.A.cost", "=1.200", None),  # two meanings
        ("projects.A.value", -5, Fraction(-5)),
        ("projects.A.value", "=-5", Fraction(-5)),
        ("projects.A.value", "-5", Fraction(5)),
        ("projects.A.value", 0.1, Fraction(1, 10)),
        ("projects.A.duration", "*1.5", 3),
        ("projects.A.mandatory", True, True),
        ("projects.A.name", "+ Đường", "+ Đường"),
        ("projects.A.sector", "school", "school"),
        ("sources.state.reserve", "*2", Fraction(1, 10)),
        ("envelopes.state.2026-2030.amount", "*0.95", 1520),
        ("uses.A.land.amount", "+0.5", Fraction(4)),
        ("capacities.land.2026-2030.amount", "*2", Fraction(12)),
    ],
)
def test_a_change_is_an_operator_or_a_plain_value(path, change, after):
    """Money and whole numbers round half up, other numbers stay exact, texts are plain."""
    if after is None:
        with pytest.raises(InvalidInput, match="ambiguous-number"):
            changed(path, change)
    else:
        assert changed(path, change).after == after


def test_a_change_tells_the_exact_result_beside_the_rounded_one():
    """Nothing is rounded in silence."""
    done = changed("projects.A.cost", "*1.05")
    assert (done.before, done.after, done.exact) == (1001, 1051, Fraction("1051.05"))
    assert done.was_rounded
    assert str(done) == "projects.A.cost: 1,001 → 1,051 (rounded from 1,051.05)"
    with speaking("vi"):
        assert str(done) == "projects.A.cost: 1.001 → 1.051 (làm tròn từ 1.051,05)"


def test_plain_money_is_in_the_declared_unit():
    """In a portfolio in billions, 2 and +1 are billions; a factor has no unit."""
    billions = sample({"money": "billion VND"})
    assert billions["projects"]["cost"][0] == 1_001_000
    done = billions.with_changes({"projects.A.cost": 2, "projects.B.cost": "+1", "projects.C.cost": "*2"}).changes
    assert [change.after for change in done] == [2_000, 501_000, 1_600_000]


@pytest.mark.parametrize(
    ("path", "change", "told"),
    [
        ("projects.A.latest_start", 2027, "2026 → 2027"),
        ("settings.decide_from", 2027, "– → 2027"),
        ("projects.A.cost", 2027, "1,001 → 2,027"),
    ],
)
def test_a_year_is_told_without_a_mark_between_its_digits(path, change, told):
    """An amount has one, a year is no amount."""
    assert str(changed(path, change)) == f"{path}: {told}"


def test_changes_apply_in_the_order_given():
    """The second change builds on what the first one left."""
    portfolio = sample().with_changes({"projects.*.cost": "*2", "projects.A.cost": "+1"})
    assert list(portfolio["projects"]["cost"]) == [2003, 1000, 1600]
    assert [change.path for change in portfolio.changes] == [f"projects.{p}.cost" for p in "ABCA"]


def test_the_changed_portfolio_is_another():
    """The portfolio that was changed stays as it was, and its changes add up over generations."""
    base = sample()
    once = base.with_changes({"projects.A.cost": "+1"})
    twice = once.with_changes({"projects.B.cost": "+1"})
    assert list(base["projects"]["cost"]) == [1001, 500, 800]
    assert len(twice.changes) == 2
    assert base != once
    assert twice.with_changes({"projects.?.cost": "+0"}) == twice


def test_size_keeps_the_cost_of_the_base_case():
    """A dearer project is not worth more because its score is multiplied by its size."""
    assert sample().with_changes({"projects.A.cost": "*2"})["projects"]["size"][0] == 1001


def test_settings_change_by_name():
    """A path that begins with ``settings`` names a key of portfolio.toml."""
    portfolio = sample({"discount_rate": 0.05}).with_changes(
        {
            "settings.discount_rate": "*2",
            "settings.objective.at": "completion",
            "settings.may_run_over": True,
        }
    )
    assert portfolio.settings.discount_rate == Decimal("0.1")
    assert portfolio.settings.objective.at == "completion"
    assert [(change.before, change.after) for change in portfolio.changes][2] == (False, True)


def test_a_column_of_the_users_own_changes_too():
    """Attributes are columns like others."""
    projects = COLUMNS["projects"] | {"people": [10, None, 30], "commune": ["X", "Y", "Z"]}
    portfolio = sample(projects=projects).with_changes({"projects.A.people": "*1.5", "projects.B.commune": "X"})
    assert portfolio.tables.projects[0].attributes == {"people": Fraction(15), "commune": "X"}
    assert portfolio.tables.projects[1].attributes == {"commune": "X"}


def test_empty_cells_under_a_wildcard_are_reported():
    """An operator has nothing to build on in an empty cell; the portfolio says how many there were."""
    projects = COLUMNS["projects"] | {"cost_high": [2000, None, None]}
    portfolio = sample(projects=projects).with_changes({"projects.*.cost_high": "*1.1"})
    assert [change.path for change in portfolio.changes] == ["projects.A.cost_high"]
    assert "Of the cells that 'projects.*.cost_high' matches, those that are empty (2) stayed so." in str(
        portfolio.findings
    )


def test_a_cell_can_be_emptied():
    """``None`` takes a value away where none is needed."""
    assert changed("projects.A.latest_start", None).after is None
    with pytest.raises(InvalidInput, match=r"\[change-empties-required\].*envelopes\.oda\.2026-2030\.amount"):
        sample().with_changes({"envelopes.oda.2026-2030.amount": None})


@pytest.mark.parametrize(
    ("path", "change", "message"),
    [
        ("project.A.cost", 1, r"\[path-unknown-table\].*'project'.*Did you mean: projects\?"),
        ("discount_rate", 0.1, r"\[path-unknown-table\].*Did you mean: settings\.discount_rate\?"),
        ("discont_rate", 0.1, r"Did you mean: settings\.discount_rate\?"),
        ("objective.at", "completion", r"Did you mean: settings\.objective\.at\?"),
        ("projects.A.cots", 1, r"\[path-unknown-column\].*'cots'.*Did you mean: cost\?"),
        ("projects.D.cost", 1, r"\[path-no-match\].*matches no row.*projects\.[ABC]\.cost"),
        ("envelopes.stat.2026-2030.amount", 1, r"Did you mean: envelopes\.state\.2026-2030\.amount\?"),
        ("projects.A.id", "Z", r"\[path-key-column\].*would change id"),
        ("projects.cost", 1, r"\[path-key-count\].*projects\.id\.column"),
        ('projects."A.cost', 1, r"\[path-malformed\]"),
        ("settings.discount_rat", 1, r"\[path-unknown-setting\].*discount_rate"),
        ("settings.phases", 1, r"\[path-unknown-setting\]"),
        ("settings.money", "VND", r"\[setting-read-once\].*money"),
        ("settings.discount_rate", -2, r"\[setting-out-of-range\].*discount_rate.*-2"),
        ("settings.discount_rate", "*x", r"\[bad-factor\]"),
        ("projects.A.cost", "*x", r"\[bad-factor\].*decimal point"),
        ("projects.A.cost", "*1,05", r"\[bad-factor\]"),
        ("projects.A.cost", "+x", r"\[not-a-number\].*\+x"),
        ("projects.A.cost", "-2000", r"\[below-least\].*-999"),
        ("projects.A.cost", float("nan"), r"\[not-a-number\]"),
        ("projects.A.cost", True, r"\[not-a-number\]"),
        ("projects.A.mandatory", "maybe", r"\[not-a-truth\]"),
        ("projects.A.status", "propsed", r"\[unknown-choice\].*proposed"),
        ("projects.A.duration", 1.5, r"\[not-a-whole-number\]"),
        ("sources.state.reserve", "*30", r"\[not-a-fraction\].*1\.5"),
        ("projects.A.cost_high", "*2", r"\[change-of-nothing\].*projects\.A\.cost_high is empty"),
        ("projects.*.cost_high", "*2", r"\[path-only-empty\]"),
    ],
)
def test_a_change_that_cannot_be_made_is_told_with_its_path(path, change, message):
    """The message names the path, what is wrong and the nearest valid name."""
    with pytest.raises(InvalidInput, match=message):
        sample().with_changes({path: change})


def test_all_wrong_changes_are_told_at_once():
    """Nothing has to be corrected twice."""
    with pytest.raises(InvalidInput) as wrong:
        sample().with_changes({"project.A.cost": 1, "projects.A.cost": "*x", "settings.nothing": 1})
    assert [issue.code for issue in wrong.value.issues] == ["path-unknown-table", "bad-factor", "path-unknown-setting"]


def test_the_changed_portfolio_is_checked_again():
    """A change that is fine by itself may make the tables disagree."""
    with pytest.raises(InvalidInput, match="population"):
        sample().with_changes({"sources.oda.eligible": "population > 3"})

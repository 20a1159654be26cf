"""Settings: periods, discount factors, and every fault in them said at its key."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from capalloc.configuring import settings_from_mapping, settings_from_toml
from capalloc.settings import Period, Settings

PHASES = [{"name": "2021-2025", "first": 2021, "last": 2025}, {"name": "2026-2030", "first": 2026, "last": 2030}]
YEARS = {"first_year": 2021, "last_year": 2030}


def read(**given):
    """Return the settings and the codes and keys of what is wrong with them."""
    settings, issues = settings_from_mapping(YEARS | given, "portfolio.toml")
    return settings, [(issue.code, issue.where.column) for issue in issues]


def test_a_period_is_a_phase_a_year_or_a_run_of_years():
    """The three ways to name years, and nothing outside the horizon."""
    settings, _ = read(phases=PHASES)
    assert settings.period("2026-2030") == Period("2026-2030", 2026, 2030)
    assert list(settings.period("2023")) == [2023]
    assert list(settings.period("2023:2025")) == [2023, 2024, 2025]
    for text in ("2020", "2023:2031", "2025:2023", "2021-2024", "soon", ""):
        assert settings.period(text) is None, text


def test_discount_factors_are_exact():
    """Five percent over one year is 20/21, not a float near it."""
    settings, issues = read(discount_rate=0.05)
    assert settings.discount(2022) == Fraction(20, 21)
    assert settings.discount(2021) == 1
    assert issues == []


def test_plain_and_numpy_values_are_taken_alike():
    """A dictionary made from a spreadsheet holds numpy numbers."""
    settings, issues = read(
        first_year=np.int64(2021),
        discount_rate=np.float64(0.07),
        phases=[{"name": "2021-2030", "first": np.int32(2021), "last": 2030}],
        objective={"class_weights": {1: 4, "2": np.float64(2.5)}},
    )
    assert issues == []
    assert settings.discount_rate == Decimal("0.07")
    assert settings.objective.class_weights == {1: 4, 2: Decimal("2.5")}


def test_names_of_phases_are_composed():
    """A phase typed on another keyboard is the same phase."""
    settings, _ = read(phases=[{"name": "\u0111o\u031b\u0323t 1", "first": 2021, "last": 2030}])
    assert settings.period("\u0111\u1ee3t 1") is not None


@pytest.mark.parametrize(
    ("given", "code", "key"),
    [
        ({"titel": "x"}, "unknown-setting", "titel"),
        ({"objective": {"goals": "weighted"}}, "unknown-setting", "objective.goals"),
        ({"phases": [{"name": "a", "first": 2021, "last": 2030, "end": 1}]}, "unknown-setting", "phases[0].end"),
        ({"objective": {"goal": "wieghted"}}, "setting-choice", "objective.goal"),
        ({"money": "VNĐ"}, "setting-choice", "money"),
        ({"first_year": "soon"}, "setting-not-whole", "first_year"),
        ({"first_year": 2021.5}, "setting-not-whole", "first_year"),
        ({"first_year": 21}, "setting-out-of-range", "first_year"),
        ({"first_year": None}, "setting-not-whole", "first_year"),
        ({"discount_rate": "5%"}, "setting-not-a-number", "discount_rate"),
        ({"discount_rate": float("nan")}, "setting-not-a-number", "discount_rate"),
        ({"discount_rate": -1}, "setting-out-of-range", "discount_rate"),
        ({"discount_rate": -0.01}, "setting-out-of-range", "discount_rate"),
        ({"discount_rate": 5e20}, "setting-out-of-range", "discount_rate"),
        ({"may_run_over": "perhaps"}, "setting-not-a-truth", "may_run_over"),
        ({"title": 7}, "setting-not-a-text", "title"),
        ({"phases": "2021-2025"}, "setting-not-a-list", "phases"),
        ({"phases": ["2021-2025"]}, "setting-not-a-table", "phases[0]"),
        ({"phases": [{"name": "", "first": 2021, "last": 2030}]}, "setting-empty", "phases[0].name"),
        ({"phases": [{"name": "a", "first": 2021}]}, "missing-setting", "phases[0].last"),
        ({"objective": "weighted"}, "setting-not-a-table", "objective"),
        ({"objective": {"class_weights": {"first": 1}}}, "setting-not-whole", "objective.class_weights.first"),
        ({"objective": {"class_weights": {0: 1}}}, "setting-out-of-range", "objective.class_weights.0"),
        ({"objective": {"class_weights": {1: -4}}}, "setting-out-of-range", "objective.class_weights.1"),
        ({"last_year": 2020}, "years-reversed", "last_year"),
        ({"decide_from": 2031}, "year-outside", "decide_from"),
    ],
)
def test_a_fault_is_told_at_its_key(given, code, key):
    """Whatever is wrong in the settings is said in the user's words, at the key as it is written."""
    assert read(**given)[1] == [(code, key)]


@pytest.mark.parametrize(
    ("phases", "codes"),
    [
        ([("a", 2021, 2030)], []),
        ([("a", 2021, 2025)], ["phases-end-early"]),
        ([("a", 2022, 2030)], ["phase-gap"]),
        ([("a", 2021, 2025), ("b", 2027, 2030)], ["phase-gap"]),
        ([("a", 2021, 2025), ("b", 2025, 2030)], ["phase-overlap"]),
        ([("b", 2026, 2030), ("a", 2021, 2025)], ["phase-gap", "phase-overlap"]),
        ([("a", 2025, 2021)], ["phase-reversed", "phase-gap"]),
        ([("a", 2021, 2025), ("a", 2026, 2030)], ["phase-twice"]),
        ([("a", 2020, 2030)], ["phase-outside"]),
        ([("2021", 2021, 2030)], ["phase-named-like-years"]),
        ([("2021:2030", 2021, 2030)], []),
    ],
)
def test_phases_cover_the_years_of_the_plan_once_and_in_order(phases, codes):
    """A year belongs to exactly one phase, or no envelope and no border could be placed."""
    given = [dict(zip(("name", "first", "last"), phase, strict=True)) for phase in phases]
    assert [code for code, _ in read(phases=given)[1]] == codes


def test_all_faults_come_at_once_and_the_rest_still_holds():
    """The sound settings are kept, so that the tables can be read and their faults told too."""
    settings, issues = read(title="Plan", money="dong", may_run_ovr=True, discount_rate="x")
    assert [key for _, key in issues] == ["money", "discount_rate", "may_run_ovr"]
    assert (settings.title, settings.money, settings.first_year) == ("Plan", "million VND", 2021)


def test_the_nearest_setting_is_offered():
    """A slip in a key is answered with the key that was meant."""
    _, issues = settings_from_mapping({"frist_year": 2021, "last_year": 2030}, "portfolio.toml")
    assert [(i.code, i.arguments.get("near")) for i in issues] == [
        ("missing-setting", None),
        ("unknown-setting", "first_year"),
    ]


@pytest.mark.parametrize(
    ("text", "row", "column"),
    [('title = "Lai Châu\n', 1, "18"), ("first_year = 2021\nlast_year =\n", 2, "12"), ("phases = [", 1, "")],
)
def test_broken_toml_is_told_at_its_line(text, row, column):
    """The place that the TOML reader gives is passed on as row and column."""
    _, issues = settings_from_toml(text.encode(), "portfolio.toml")
    assert [(i.code, i.where.row, i.where.column) for i in issues] == [("bad-toml", row, column)]


def test_decimals_of_toml_are_exact():
    """A rate with many digits keeps them all."""
    text = "first_year = 2021\nlast_year = 2030\ndiscount_rate = 0.0512345678901234567\n"
    settings, issues = settings_from_toml(text.encode(), "portfolio.toml")
    assert issues == []
    assert settings.discount_rate == Decimal("0.0512345678901234567")


def test_settings_have_the_defaults_of_the_contract():
    """What is left out means a plan in million VND, undiscounted, that may cross phases and not run over."""
    settings = Settings(first_year=2021, last_year=2030)
    assert (settings.money, settings.discount_rate) == ("million VND", 0)
    assert (settings.may_cross_phase, settings.may_run_over) == (True, False)
    assert (settings.objective.goal, settings.objective.value_from, settings.objective.at) == (
        "weighted",
        "column",
        "start",
    )

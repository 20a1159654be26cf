"""Percentages: nothing is rounded to a certainty that was not there."""

from __future__ import annotations

from fractions import Fraction

import pytest

from capalloc.catalogue import say, shown_part, speaking, write_percent
from capalloc.excel.money_annexes import _part
from capalloc.progress import Progress, describe


@pytest.mark.parametrize("toward", ["nearest", "down", "up"])
@pytest.mark.parametrize("part", [1e-12, 0.00004, 0.4999, 0.99994, 0.99995, 0.999999, 1 - 1e-12])
def test_what_lies_between_nothing_and_all_is_never_shown_as_either(part, toward):
    """A chance of 99.996% is not 100%, and a gap of 0.00004% is not 0%, however few decimals are asked for."""
    for decimals in (0, 1, 2, 6):
        assert 0 < shown_part(part, decimals, toward) < 1


def test_nothing_and_all_are_shown_as_what_they_are():
    """Where it is exact, 0% and 100% are written."""
    assert [write_percent(part, 1, "up") for part in (0.0, Fraction(1))] == ["0%", "100%"]


def test_decimals_are_added_only_where_they_are_needed():
    """One decimal is enough for most; the second and third come where the first would say all."""
    shown = [write_percent(part, 1) for part in (0.98765, 0.99949, 0.9995, 0.99996, 0.0004)]
    assert shown == ["98.8%", "99.9%", "99.95%", "99.996%", "0.04%"]


def test_a_gap_is_rounded_up_and_a_part_used_down():
    """Neither direction claims more than is known; 10% stays 10% although no float is exactly that."""
    assert [write_percent(part, 3, "up") for part in (0.1, 0.0027632)] == ["10%", "0.277%"]
    assert [write_percent(Fraction(part, 1000), 0, "down") for part in (19, 996)] == ["1%", "99%"]


def test_percentages_are_written_in_the_form_of_the_language():
    """Vietnamese has a decimal comma, also in a sentence of the catalogue."""
    with speaking("vi"):
        assert write_percent(0.99996, 1) == "99,996%"
        assert "chiết khấu 5,25%" in say("portfolio.prices", prices="2025", rate=Fraction("0.0525"))


def test_a_run_that_is_watched_shows_no_gap_of_0_before_the_proof():
    """While a millionth is open, the line of progress says so."""
    line = describe(Progress(seconds=1.0, value=1e6, bound=1e6 + 1, gap=1e-6))
    assert "gap 0.01%" in line


def test_the_workbook_calls_no_envelope_full_that_has_a_million_left():
    """Its column of parts used has two decimals of a percent, which are rounded down."""
    assert [_part(used, 100_000) for used in (99_999, 100_000)] == [0.9999, 1.0]
    assert _part(0, 0) == 0

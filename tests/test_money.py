"""Numbers and money are read exactly, in either format, and never guessed."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capalloc.money import MILLIONS, BadNumber, NumberFormat, round_half_up, whole_millions


@pytest.mark.parametrize(
    ("style", "text", "number"),
    [
        ("", "12", "12"),
        ("", " -7 ", "-7"),
        ("", "\u22127", "-7"),  # a typographic minus
        ("", "0,05", "0.05"),
        ("", "0.125", "0.125"),
        ("", "1.5", "1.5"),
        ("", "1.234.567", "1234567"),
        ("", "1,234,567", "1234567"),
        ("", "1.234.567,8", "1234567.8"),
        ("", "1,234.5", "1234.5"),
        ("", "1.234,5", "1234.5"),
        ("", "1234.567", "1234.567"),
        ("", "1 234 567", "1234567"),
        ("", "1\u00a0234,5", "1234.5"),
        ("", ".5", "0.5"),
        ("vi", "1.234", "1234"),
        ("vi", "1,234", "1.234"),
        ("en", "1,234", "1234"),
        ("en", "1.234", "1.234"),
    ],
)
def test_a_number_is_read_in_the_format_it_is_written_in(style, text, number):
    """Vietnamese and English marks are told apart by where they stand, or by what is declared."""
    assert NumberFormat(style).read(text) == Fraction(number)


@pytest.mark.parametrize("text", ["1.234", "12,345", "-999.000"])
def test_a_number_of_two_meanings_is_refused(text):
    """One and a quarter or a thousand: only the user knows."""
    with pytest.raises(BadNumber, match="ambiguous-number"):
        NumberFormat().read(text)


@pytest.mark.parametrize(
    ("style", "cell"),
    [
        ("", ""),
        ("", "abc"),
        ("", "5%"),
        ("", "12 tỷ"),
        ("", "1e6"),
        ("", "nan"),
        ("", "1.23.4"),
        ("", "1,2,3"),
        ("", "--1"),
        ("vi", "1.5"),
        ("en", "1,5"),
        ("", True),
        ("", None),
        ("", float("nan")),
        ("", float("inf")),
        ("", Decimal("NaN")),
        ("", object()),
    ],
)
def test_what_is_no_number_is_refused(style, cell):
    """Units, percent signs and marks in the wrong place are not interpreted."""
    with pytest.raises(BadNumber, match="not-a-number"):
        NumberFormat(style).read(cell)


def test_a_float_means_the_digits_it_shows():
    """0.1 typed in a frame is a tenth, not its binary neighbour."""
    assert NumberFormat().read(0.1) == Fraction(1, 10)


def test_a_float_too_large_to_be_exact_is_refused():
    """A spreadsheet has already lost digits there."""
    with pytest.raises(BadNumber, match="inexact-number"):
        NumberFormat().read(2.0**53)


@given(st.integers(-(10**15), 10**15))
def test_every_whole_number_survives_both_formats(number):
    """Writing a number with thousands marks and reading it back changes nothing."""
    english = f"{number:,}"
    assert NumberFormat("en").read(english) == number
    assert NumberFormat("vi").read(english.replace(",", ".")) == number


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9))
def test_every_decimal_is_read_exactly(number):
    """No digit is lost between the text and the number."""
    assert NumberFormat("en").read(f"{number:.4f}") == Fraction(number)


@pytest.mark.parametrize(
    ("unit", "amount"),
    [("VND", 1_500_000), ("million VND", "1.5"), ("billion VND", "0.0015"), ("trillion VND", "0.0000015")],
)
def test_a_million_and_a_half_is_the_same_in_every_unit(unit, amount):
    """The declared unit only moves the mark."""
    assert Fraction(amount) * MILLIONS[unit] == Fraction(3, 2)


def test_a_fraction_of_a_million_is_refused_unless_rounding_is_asked_for():
    """Money is whole millions; rounding is a choice of the user, and told."""
    for amount in (Fraction(3, 2), Fraction(-3, 2)):
        with pytest.raises(BadNumber, match="fraction-of-a-million"):
            whole_millions(amount, "million VND")
    assert whole_millions(Fraction(3, 2), "million VND", "nearest") == (2, True)
    assert whole_millions(Fraction(4, 3), "million VND", "nearest") == (1, True)
    assert whole_millions(Fraction(4, 3), "million VND", "up") == (2, True)
    assert whole_millions(Fraction(2), "million VND", "up") == (2, False)


@given(st.fractions(-(10**6), 10**6))
def test_rounding_half_up_moves_by_at_most_a_half(amount):
    """The nearest whole number, and of two equally near the greater."""
    assert Fraction(-1, 2) < round_half_up(amount) - amount <= Fraction(1, 2)

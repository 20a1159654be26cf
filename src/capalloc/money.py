"""Money and numbers, read exactly: no float on the way from a cell to a whole number of million VND."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from numbers import Integral, Rational, Real
from types import MappingProxyType
from typing import Any

MILLIONS: Mapping[str, Fraction] = MappingProxyType(
    {
        "VND": Fraction(1, 1_000_000),
        "million VND": Fraction(1),
        "billion VND": Fraction(1_000),
        "trillion VND": Fraction(1_000_000),
    }
)

ROUNDINGS = ("exact", "nearest", "up")

# The largest float whose neighbours are all whole numbers: beyond it a spreadsheet no longer holds the digits shown.
_EXACT_FLOAT = 2**53

_PLAIN = re.compile(r"[+-]?\d+")
_ONE_MARK = re.compile(r"(?P<sign>[+-]?)(?P<head>\d*)(?P<mark>[.,])(?P<tail>\d+)")
# No group begins with a zero: 0.125 is an eighth in either form, or no number.
_GROUPED = {
    "vi": re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+(,\d+)?"),
    "en": re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?"),
}
# Blanks within a line: two numbers below each other in a cell are not one.
_SPACED = re.compile(r"(?<=\d)[ \u00a0\u2009\u202f](?=\d{3}(\D|$))")


class BadNumber(ValueError):
    """A cell does not hold a number; ``code`` says why: ``not-a-number``, ``ambiguous-number``, ``inexact-number``."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """How numbers are written in the files: ``"vi"`` 1.234.567,8, ``"en"`` 1,234,567.8, or ``""`` when not declared.

    Where the format is not declared, a cell that reads differently in the two (``1.234``) is refused rather than
    guessed.
    """

    style: str = ""

    def read(self, cell: Any) -> Fraction:
        """Return the exact number in a cell.

        Raises
        ------
        BadNumber
            When the cell holds no finite number, one of two meanings, or a float too large to be exact.

        Examples
        --------
        >>> NumberFormat().read("1.234.567,8")
        Fraction(6172839, 5)
        >>> NumberFormat("en").read("1,234")
        Fraction(1234, 1)
        >>> NumberFormat().read("1,234")
        Traceback (most recent call last):
        capalloc.money.BadNumber: ambiguous-number
        """
        if isinstance(cell, str):
            return self._read_text(cell.strip())
        if isinstance(cell, bool) or not isinstance(cell, Real | Decimal):
            raise BadNumber("not-a-number")
        if isinstance(cell, Integral | Rational):
            return Fraction(int(cell)) if isinstance(cell, Integral) else Fraction(cell)
        if not math.isfinite(cell):
            raise BadNumber("not-a-number")
        if isinstance(cell, Decimal):
            return Fraction(cell)
        if abs(float(cell)) >= _EXACT_FLOAT:
            raise BadNumber("inexact-number")
        # The shortest decimal that reads back as this float is what the user typed.
        return Fraction(repr(float(cell)))

    def _read_text(self, text: str) -> Fraction:
        text = _SPACED.sub("", text.replace("−", "-"))
        if _PLAIN.fullmatch(text):
            return Fraction(int(text))
        for style, pattern in _GROUPED.items():
            if pattern.fullmatch(text) and self.style in ("", style) and not self._has_two_meanings(text):
                return Fraction(_plain_decimal(text, style))
        match = _ONE_MARK.fullmatch(text)
        if match is None:
            raise BadNumber("not-a-number")
        if self._has_two_meanings(text):
            raise BadNumber("ambiguous-number")
        mark = {"vi": ",", "en": "."}.get(self.style, match["mark"])
        if match["mark"] != mark:
            raise BadNumber("not-a-number")
        return Fraction(f"{match['sign']}{match['head'] or '0'}.{match['tail']}")

    def _has_two_meanings(self, text: str) -> bool:
        match = _ONE_MARK.fullmatch(text)
        if match is None or self.style:
            return False
        return len(match["tail"]) == 3 and 1 <= len(match["head"]) <= 3 and match["head"] != "0"


def _plain_decimal(text: str, style: str) -> str:
    group, mark = (".", ",") if style == "vi" else (",", ".")
    return text.replace(group, "").replace(mark, ".")


def whole_millions(amount: Fraction, unit: str, rounding: str = "exact") -> tuple[int, bool]:
    """Return an amount of money as whole million VND, and whether it was rounded.

    Parameters
    ----------
    amount
        In ``unit``, one of :data:`MILLIONS`.
    rounding
        ``"exact"`` allows none; ``"nearest"`` rounds half up, ``"up"`` to the next million.

    Raises
    ------
    BadNumber
        ``fraction-of-a-million`` when the amount is no whole number of millions and ``rounding`` is ``"exact"``.

    Examples
    --------
    >>> whole_millions(Fraction(168), "trillion VND")
    (168000000, False)
    >>> whole_millions(Fraction(1_500_000), "VND", "nearest")
    (2, True)
    """
    millions = amount * MILLIONS[unit]
    if millions.denominator == 1:
        return millions.numerator, False
    if rounding == "exact":
        raise BadNumber("fraction-of-a-million")
    return (round_half_up(millions) if rounding == "nearest" else math.ceil(millions)), True


def round_half_up(amount: Fraction) -> int:
    """Return the nearest whole number, halves upwards.

    Examples
    --------
    >>> round_half_up(Fraction(5, 2)), round_half_up(Fraction(-5, 2))
    (3, -2)
    """
    return math.floor(amount + Fraction(1, 2))

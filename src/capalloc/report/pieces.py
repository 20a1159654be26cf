"""What the chapters of a report are made of: sentences, tables and figures, in one language and ready to be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from capalloc.catalogue import language, write_percent
from capalloc.characters import dictionary_order
from capalloc.drawing import MoneyUnit, Spec
from capalloc.money import round_half_up

_MOST_DECIMALS = 3


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table.

    Parameters
    ----------
    text
        What is read.
    order
        What the column is sorted by; the text where it is empty.
    part
        From 0 to 1, drawn as a bar behind the text; ``None`` for none.
    tone
        ``good``, ``bad``, ``open`` or ``quiet`` for a verdict; empty for plain text.
    below
        A second line: what narrow screens do not show in columns of their own.
    """

    text: str
    order: str = ""
    part: float | None = None
    tone: str = ""
    below: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading, whether it holds numbers, and whether it is left out on narrow screens."""

    title: str
    number: bool = False
    wide_only: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a table; ``facets`` are the values by which the reader may choose rows, ``amount`` what is added up."""

    cells: tuple[Cell, ...]
    facets: Mapping[str, str] = field(default_factory=dict)
    amount: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its first column names the row.

    ``facets`` gives, by key, the title of each choice; a table without them is not filtered.  ``total`` is a last row,
    ``unit`` that of the amounts of its lines.
    """

    caption: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    facets: Mapping[str, str] = field(default_factory=dict)
    total: tuple[Cell, ...] = ()
    unit: MoneyUnit | None = None

    def choices(self, key: str) -> list[str]:
        """Return the values of a facet in the order of a dictionary."""
        return sorted({line.facets[key] for line in self.lines if line.facets.get(key)}, key=dictionary_order)


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart with the table of its numbers, for those who do not see it or want them exactly.

    A ``still`` one is there as a picture too, for readers that run no scripts; a ``folded`` one never is.
    """

    spec: Spec
    table: Table | None = None
    folded: bool = False
    still: bool = True


@dataclass(frozen=True, slots=True)
class Headline:
    """A number that stands large in the summary, under its name, with a line that explains it."""

    name: str
    number: str
    told: str


@dataclass(frozen=True, slots=True)
class Chapter:
    """A part of the report: its place name, heading, sentences, notes, pieces in their order, and numbers above all."""

    name: str
    title: str
    lines: tuple[str, ...] = ()
    pieces: tuple[Table | Figure | Chapter | Choice, ...] = ()
    notes: tuple[str, ...] = ()
    headlines: tuple[Headline, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """Parts of which the reader chooses one: what is asked, and the parts, the first of which is shown."""

    label: str
    options: tuple[Chapter, ...]


def number_cell(value: int | Fraction, decimals: int = 0, part: float | None = None) -> Cell:
    """Return a number with a fixed count of decimals in the form of the language, rounded half up."""
    shown = Fraction(round_half_up(Fraction(value) * 10**decimals), 10**decimals)
    return Cell(fixed(shown, decimals), order=repr(float(value)), part=part)


def money_cells(amounts: Sequence[int], unit: MoneyUnit, whole: int = 0) -> tuple[Cell, ...]:
    """Return amounts of million VND in a unit, exactly, each with as many decimals as the longest of them needs.

    Parameters
    ----------
    whole
        Where given, each cell carries a bar: its part of this amount.
    """
    decimals = decimals_of(amounts, unit)
    parts = [amount / whole if whole else None for amount in amounts]
    return tuple(number_cell(Fraction(a, unit.size), decimals, part) for a, part in zip(amounts, parts, strict=True))


def decimals_of(amounts: Sequence[int], unit: MoneyUnit) -> int:
    """Return how many decimals it takes to write every amount exactly in a unit.

    Examples
    --------
    >>> decimals_of([1500, 20_000], MoneyUnit(1000, "billion VND"))
    1
    """
    fits = (d for d in range(_MOST_DECIMALS) if all(amount * 10**d % unit.size == 0 for amount in amounts))
    return next(fits, _MOST_DECIMALS)


def fixed(value: Fraction, decimals: int) -> str:
    """Return a number with exactly so many decimals, in the form of the language.

    Examples
    --------
    >>> fixed(Fraction(3, 2), 2)
    '1.50'
    """
    from babel.numbers import format_decimal

    pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
    return format_decimal(Decimal(value.numerator) / Decimal(value.denominator), format=pattern, locale=language())


def percent(part: float | Fraction, decimals: int = 1) -> str:
    """Return a part of a whole in percent, with at most so many decimals unless it takes more to tell it from all."""
    return write_percent(part, decimals)


def percent_down(part: Fraction) -> str:
    """Return a part of a whole in percent with one decimal, never more than it is: all is said of all alone."""
    return write_percent(part, 1, "down")


def percent_up(part: float | Fraction, decimals: int = 3) -> str:
    """Return a gap in percent, never less than it is: what is proved is not to be bettered by rounding.

    Examples
    --------
    >>> percent_up(0.0027632)
    '0.277%'
    """
    return write_percent(part, decimals, "up")

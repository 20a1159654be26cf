"""The settings of a portfolio: years, phases, money, prices and objective."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

VALUE_GRID = Fraction(1, 1_000_000)
"""Option values are rounded once, half up, to whole multiples of this, and used so everywhere."""

_CONTEXT_DIGITS = 28
_CLOSED = ConfigDict(extra="forbid", frozen=True, strict=False, str_strip_whitespace=True)


def _no_float_noise(value: Any) -> Any:
    # repr gives the decimal the user typed; Decimal(0.05) would give its binary neighbour.
    number = Decimal(repr(value)) if isinstance(value, float) else value
    is_short = isinstance(number, Decimal) and number.is_finite() and len(number.as_tuple().digits) <= _CONTEXT_DIGITS
    # 0.70 and 0.7 are one number, and no workbook tells them apart.
    return Decimal(f"{number.normalize():f}") if is_short else number


def _exact(value: Any) -> Any:
    """Floats inside tables and lists as the decimals the user typed."""
    if isinstance(value, dict):
        return {key: _exact(inner) for key, inner in value.items()}
    return [_exact(inner) for inner in value] if isinstance(value, list) else _no_float_noise(value)


ExactDecimal = Annotated[Decimal, BeforeValidator(_no_float_noise), PlainSerializer(str, when_used="json")]
Year = Annotated[int, Field(ge=1900, le=2200)]


@dataclass(frozen=True, slots=True)
class Period:
    """A run of years, both ends included, under the name the user gave it."""

    name: str
    first: int
    last: int

    def __contains__(self, year: object) -> bool:
        return isinstance(year, int) and self.first <= year <= self.last

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.first, self.last + 1))


class PhaseSettings(BaseModel):
    """A named run of years."""

    model_config = _CLOSED
    name: Annotated[str, Field(min_length=1)]
    first: Year
    last: Year


class ObjectiveSettings(BaseModel):
    """What the plan maximises.

    Scores use the criteria of the set ``criteria``, or of several ``sets``, each with its weight.
    """

    model_config = _CLOSED
    goal: Literal["weighted", "lexicographic"] = "weighted"
    value_from: Literal["column", "score", "score_size", "benefits"] = "column"
    at: Literal["start", "completion"] = "start"
    class_weights: dict[int, Annotated[ExactDecimal, Field(ge=0)]] = {}
    criteria: str = ""
    sets: dict[str, Annotated[ExactDecimal, Field(ge=0)]] = {}


class Settings(BaseModel):
    """Everything that is said once for the whole portfolio.

    ``numbers`` declares how the files write numbers (``"vi"`` or ``"en"``); left out, a number of two meanings is
    refused. ``rounding`` says what to do with a fraction of a million VND. ``law`` overrides rules of the preset
    ``statutory``. ``format`` is the version of the tables and settings, for the day when there is another one.
    """

    model_config = _CLOSED
    title: str = ""
    first_year: Year
    last_year: Year
    phases: tuple[PhaseSettings, ...] = ()
    decide_from: Year | None = None
    money: Literal["VND", "million VND", "billion VND", "trillion VND"] = "million VND"
    rounding: Literal["exact", "nearest", "up"] = "exact"
    numbers: Literal["", "vi", "en"] = ""
    prices: str = ""
    discount_rate: Annotated[ExactDecimal, Field(ge=0)] = Decimal(0)
    may_cross_phase: bool = True
    may_run_over: bool = False
    statutory: str = ""
    law: Annotated[dict[str, dict[str, Any]], BeforeValidator(_exact)] = {}
    objective: ObjectiveSettings = ObjectiveSettings()
    format: Literal[1] = 1

    @property
    def horizon(self) -> Period:
        """From ``first_year`` to ``last_year``."""
        return Period("", self.first_year, self.last_year)

    def period(self, text: str) -> Period | None:
        """Return the period that a cell names: a phase, a year, or ``FIRST:LAST``; ``None`` when it names none.

        Examples
        --------
        >>> Settings(first_year=2021, last_year=2030).period("2026:2030")
        Period(name='2026:2030', first=2026, last=2030)
        """
        for phase in self.phases:
            if phase.name == text:
                return Period(text, phase.first, phase.last)
        first, _, last = text.partition(":")
        if not first.strip().isdecimal() or (last and not last.strip().isdecimal()):
            return None
        start, end = int(first), int(last or first)
        return Period(text, start, end) if start <= end and start in self.horizon and end in self.horizon else None

    def known_period(self, text: str) -> Period:
        """Return the period that a checked cell names.

        Raises
        ------
        KeyError
            When it names none; checked tables have no such cell.
        """
        period = self.period(text)
        if period is None:
            raise KeyError(text)
        return period

    def discount(self, year: int) -> Fraction:
        """Return the exact discount factor of a year: (1 + rate) to the power of first_year − year."""
        return Fraction(1 + Fraction(self.discount_rate)) ** (self.first_year - year)

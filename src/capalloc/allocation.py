"""What a plan decides, in plain data: which option of which project, and who pays what in which year."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Choice:
    """A funded project: its mode (empty where it has none), start year and scale."""

    project: str
    mode: str
    start: int
    scale: Fraction = Fraction(1)


@dataclass(frozen=True, slots=True)
class Payment:
    """What one source pays for one project in one year, in whole million VND."""

    project: str
    source: str
    year: int
    amount: int


@dataclass(frozen=True, slots=True)
class Allocation:
    """The choices in the order of the projects, and the payments in the order of project, year and source."""

    choices: tuple[Choice, ...]
    payments: tuple[Payment, ...]

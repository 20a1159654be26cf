"""What a project in a mode costs year by year: at the prices of the tables, and at the prices of the years it is paid.

A flexible project has no yearly costs of its own: the plan decides them, within bounds.

Amounts are exact until the sums reached by the end of each year are rounded half up; yearly amounts are the differences
of these sums, so that nothing is lost to rounding.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from operator import sub
from typing import TypeVar

from capalloc.records import Mode, Project
from capalloc.tables import Tables

T = TypeVar("T", int, Fraction)

FLEXIBLE = "flexible"
"""The profile whose yearly amounts the plan decides."""


@dataclass(frozen=True, slots=True)
class Leeway:
    """What a flexible project costs in all, and the least and the most of it that is paid in a year of work."""

    total: int
    least: int
    most: int


class Costing:
    """The cost rows, totals, profiles and price index of the tables, opened at each project and mode."""

    def __init__(self, tables: Tables) -> None:
        self._explicit: dict[tuple[str, str], dict[int, int]] = defaultdict(dict)
        for row in tables.costs:
            self._explicit[row.project, row.mode][row.offset] = row.amount
        self._profiles: dict[tuple[str, int], dict[int, Fraction]] = defaultdict(dict)
        for share in tables.profiles:
            self._profiles[share.profile, share.duration][share.offset] = share.share
        self._index = {row.year: row.index for row in tables.price_index}
        self._spread: dict[tuple[str, int], Sequence[Fraction]] = {}
        self._reached: dict[tuple[str, int], tuple[Sequence[int], int]] = {}

    def amounts(self, project: Project, mode: Mode | None, duration: int) -> Sequence[int | Fraction]:
        """Return the exact amounts by offset from the start year, at the prices of the tables."""
        explicit = self._explicit.get((project.id, mode.mode if mode else ""))
        if explicit is not None:
            return _dense(explicit, 0)
        total = _total(project, mode)
        if not _profile(project, mode):
            return [Fraction(total, duration)] * duration
        return [total * share for share in self._shares(project, mode, duration)]

    def costs(self, project: Project, mode: Mode | None, duration: int) -> tuple[int, ...]:
        """Return :meth:`amounts` in whole units, as :func:`whole_amounts` does."""
        explicit = self._explicit.get((project.id, mode.mode if mode else ""))
        if explicit is not None:
            return _dense(explicit, 0)
        key = (_profile(project, mode), duration)
        if key not in self._reached:
            self._reached[key] = _reached(self._shares(project, mode, duration))
        (reached, parts), total = self._reached[key], 2 * _total(project, mode)
        sums = [(total * share + parts) // (2 * parts) for share in reached]
        return tuple(map(sub, sums, [0, *sums]))

    def leeway(self, project: Project, mode: Mode | None) -> Leeway | None:
        """Return the bounds of a flexible project in whole units, floor(year_min · cost) and ceil(year_max · cost)."""
        if _profile(project, mode) != FLEXIBLE:
            return None
        own, total = mode or Mode(), _total(project, mode)
        least = project.year_min if own.year_min is None else own.year_min
        most = project.year_max if own.year_max is None else own.year_max
        return Leeway(total, math.floor((least or 0) * total), total if most is None else math.ceil(most * total))

    def remaining(
        self, project: Project, mode: Mode | None, duration: int, years: tuple[int, int], paid: int
    ) -> Sequence[int | Fraction]:
        """Return the exact amounts of a project with history by offset from the first year that is open.

        They are its `costs` rows of these years; without any, what is left of the total, spread like the parts of the
        profile that fall into these years, or all at once where none does.

        Parameters
        ----------
        years
            The start, and the first year that is open.
        paid
            What was paid before.
        """
        gone = years[1] - years[0]
        explicit = self._explicit.get((project.id, mode.mode if mode else ""))
        if explicit is not None:
            return _dense(explicit, 0)[gone:]
        left = _total(project, mode) - paid
        shares = self._shares(project, mode, duration)[gone:]
        whole = sum(shares)
        return [left * share / whole for share in shares] if whole else [left]

    def _shares(self, project: Project, mode: Mode | None, duration: int) -> Sequence[Fraction]:
        """The shares of the profile by offset from the start year."""
        key = (_profile(project, mode), duration)
        if key not in self._spread:
            even = [Fraction(1, duration)] * duration
            self._spread[key] = _dense(self._profiles[key], Fraction(0)) if key[0] else even
        return self._spread[key]

    def nominal(self, amounts: Sequence[int | Fraction], start: int, price_year: int | None) -> tuple[int, ...] | None:
        """Return the whole amounts that are paid when the start is in a given year.

        Parameters
        ----------
        amounts
            As :meth:`amounts` returns them, at the prices of ``price_year``; without one, at prices whose index is 1.

        Returns
        -------
        tuple of int or None
            ``None`` when something is to be paid in a year that has no index.
        """
        base = Fraction(1) if price_year is None else self._index[price_year]
        if any(amount and start + offset not in self._index for offset, amount in enumerate(amounts)):
            return None
        return whole_amounts(
            amount * self._index[start + offset] / base if amount else 0 for offset, amount in enumerate(amounts)
        )


def whole_amounts(amounts: Iterable[int | Fraction]) -> tuple[int, ...]:
    """Return yearly amounts in whole units: the differences of the sums reached, each rounded half up.

    Examples
    --------
    >>> whole_amounts([Fraction(10, 3)] * 3)
    (3, 4, 3)
    """
    reached, parts = _reached(tuple(amounts))
    sums = [(2 * amount + parts) // (2 * parts) for amount in reached]
    return tuple(map(sub, sums, [0, *sums]))


def _reached(amounts: Sequence[int | Fraction]) -> tuple[Sequence[int], int]:
    """The sums of the first amounts as so many parts of one, and how many parts one has."""
    # Over one common denominator, since reducing a fraction for each sum would cost more than the sums.
    parts = math.lcm(*(amount.denominator for amount in amounts))
    return tuple(accumulate(amount.numerator * (parts // amount.denominator) for amount in amounts)), parts


def _total(project: Project, mode: Mode | None) -> int:
    own = mode.cost if mode else None
    return (project.cost if own is None else own) or 0


def _profile(project: Project, mode: Mode | None) -> str:
    return (mode.profile if mode else "") or project.profile


def _dense(stream: Mapping[int, T], nothing: T) -> tuple[T, ...]:
    return tuple(stream.get(offset, nothing) for offset in range(max(stream, default=-1) + 1))

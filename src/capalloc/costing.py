"""What a project in a mode costs year by year: at the prices of the tables, and at the prices of the years it is paid.

Amounts are exact until the sums reached by the end of each year are rounded half up; yearly amounts are the differences
of these sums, so that nothing is lost to rounding.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import TypeVar

from capalloc.money import round_half_up
from capalloc.records import Mode, Project
from capalloc.tables import Tables

T = TypeVar("T", int, Fraction)


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

    def amounts(self, project: Project, mode: Mode | None, duration: int) -> Sequence[int | Fraction]:
        """Return the exact amounts by offset from the start year, at the prices of the tables."""
        explicit = self._explicit.get((project.id, mode.mode if mode else ""))
        if explicit is not None:
            return _dense(explicit, 0)
        own = mode.cost if mode else None
        total = (project.cost if own is None else own) or 0
        profile = (mode.profile if mode else "") or project.profile
        if profile:
            return [total * share for share in _dense(self._profiles[profile, duration], Fraction(0))]
        return [Fraction(total, duration)] * duration

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
    whole, paid, reached = [], 0, Fraction(0)
    for amount in amounts:
        reached += amount
        cumulative = round_half_up(reached)
        whole.append(cumulative - paid)
        paid = cumulative
    return tuple(whole)


def _dense(stream: Mapping[int, T], nothing: T) -> tuple[T, ...]:
    return tuple(stream.get(offset, nothing) for offset in range(max(stream, default=-1) + 1))

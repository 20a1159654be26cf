"""Linear programs solved in exact arithmetic, for the referee: slow, small, and never in doubt.

The simplex method on a condensed tableau of whole numbers over one common denominator (the integer pivoting of Edmonds
and Bareiss), with Bland's rule, which cannot cycle.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm


class Unbounded(ArithmeticError):
    """The value of a linear program has no limit."""


@dataclass(frozen=True, slots=True)
class Optimum:
    """The best value and a point that has it."""

    value: Fraction
    point: tuple[Fraction, ...]


def maximise(
    gains: Sequence[Fraction],
    rows: Sequence[tuple[Sequence[Fraction], Fraction]],
    stopped: Callable[[], bool] = lambda: False,
) -> Optimum | None:
    """Return the best ``y >= 0`` with ``coefficients @ y <= room`` for each row, or ``None`` when there is none.

    Parameters
    ----------
    gains
        What one unit of each column is worth, shape (n,).
    rows
        Pairs of coefficients, shape (n,), and room.
    stopped
        Asked before each step; once true, the run ends.

    Raises
    ------
    Unbounded
        When the value has no limit.
    InterruptedError
        When ``stopped`` says so.

    Examples
    --------
    >>> half = Fraction(1, 2)
    >>> maximise([Fraction(3), Fraction(2)], [([Fraction(1), Fraction(1)], half)])
    Optimum(value=Fraction(3, 2), point=(Fraction(1, 2), Fraction(0, 1)))
    """
    tableau = _Tableau(len(gains), rows, stopped)
    if not tableau.reach_a_point():
        return None
    tableau.climb(gains)
    point = tableau.point(len(gains))
    return Optimum(sum((gain * amount for gain, amount in zip(gains, point, strict=True)), Fraction(0)), point)


def _whole(amounts: Sequence[Fraction]) -> list[int]:
    """Return the amounts times their least common denominator."""
    denominator = lcm(*(amount.denominator for amount in amounts))
    return [int(amount * denominator) for amount in amounts]


class _Tableau:
    """Rows ``basic + sum(entry * nonbasic) / denominator = last / denominator``; nonbasic variables are 0.

    Variables are numbered: the columns first, then one slack a row.
    """

    def __init__(
        self, columns: int, rows: Sequence[tuple[Sequence[Fraction], Fraction]], stopped: Callable[[], bool]
    ) -> None:
        self.entries = [_whole([*coefficients, room]) for coefficients, room in rows]
        self.denominator = 1
        self.nonbasic = list(range(columns))
        self.basic = list(range(columns, columns + len(rows)))
        self.stopped = stopped

    def reach_a_point(self) -> bool:
        """Make every basic variable at least 0, by an artificial variable in all rows that is then driven out."""
        if all(row[-1] >= 0 for row in self.entries):
            return True
        artificial = -1  # before all others, so that Bland's rule drives it out first
        for row in self.entries:
            row.insert(len(self.nonbasic), -1)
        self.nonbasic.append(artificial)
        lowest = min(range(len(self.entries)), key=lambda i: self.entries[i][-1])
        self._pivot(lowest, len(self.nonbasic) - 1)
        self._improve({artificial: -1})
        return self._drop(artificial)

    def climb(self, gains: Sequence[Fraction]) -> None:
        """Walk to the best point."""
        self._improve(dict(enumerate(_whole(gains))))

    def point(self, columns: int) -> tuple[Fraction, ...]:
        """Return the values of the columns."""
        held = {variable: row[-1] for variable, row in zip(self.basic, self.entries, strict=True)}
        return tuple(Fraction(held.get(column, 0), self.denominator) for column in range(columns))

    def _improve(self, gains: dict[int, int]) -> None:
        self.entries.append(self._gain_row(gains))
        while (column := self._entering()) is not None:
            if self.stopped():
                raise InterruptedError
            self._pivot(self._leaving(column), column)
        self.entries.pop()

    def _gain_row(self, gains: dict[int, int]) -> list[int]:
        """Return the value written in the nonbasic variables; a negative entry is a gain."""
        row = [-self.denominator * gains.get(variable, 0) for variable in self.nonbasic] + [0]
        for variable, entries in zip(self.basic, self.entries, strict=True):
            if gain := gains.get(variable, 0):
                row = [total + gain * entry for total, entry in zip(row, entries, strict=True)]
        return row

    def _entering(self) -> int | None:
        gaining = [j for j, entry in enumerate(self.entries[-1][:-1]) if entry < 0]
        return min(gaining, key=self.nonbasic.__getitem__, default=None)

    def _leaving(self, column: int) -> int:
        limiting = [i for i, row in enumerate(self.entries[:-1]) if row[column] > 0]
        if not limiting:
            raise Unbounded
        return min(limiting, key=lambda i: (Fraction(self.entries[i][-1], self.entries[i][column]), self.basic[i]))

    def _pivot(self, row: int, column: int) -> None:
        old, pivot = self.denominator, self.entries[row][column]
        sign = 1 if pivot > 0 else -1
        lead = self.entries[row]
        for i, entries in enumerate(self.entries):
            if i != row:
                factor = entries[column]
                entries[:] = [
                    sign * (entry * pivot - factor * other) // old for entry, other in zip(entries, lead, strict=True)
                ]
                entries[column] = -sign * factor
        self.entries[row] = [sign * entry for entry in lead]
        self.entries[row][column] = sign * old
        self.denominator = sign * pivot
        self.basic[row], self.nonbasic[column] = self.nonbasic[column], self.basic[row]

    def _drop(self, artificial: int) -> bool:
        """Take the artificial variable out; ``False`` when it is still needed, so that no point exists."""
        if artificial in self.basic:
            row = self.basic.index(artificial)
            if self.entries[row][-1]:
                return False
            self._pivot(row, next(j for j in range(len(self.nonbasic)) if self.entries[row][j]))
        column = self.nonbasic.index(artificial)
        del self.nonbasic[column]
        for entries in self.entries:
            del entries[column]
        return True

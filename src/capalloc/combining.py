"""Which rows to add up, with which multipliers, for a cut that a vertex of the relaxation breaks; all in floats.

Two kinds of sums are tried: rows of the simplex tableau in which a column that should be whole is not (Gomory 1960),
and sums in which only columns that must be whole are left: one row of them, or rows tied together by payments, at the
prices that the relaxation has for them.  The latter are divided by one of their entries, and columns that are nearly
taken are counted from above (Marchand and Wolsey 2001), or, in a group, from the room of the group.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from capalloc.model import Floats, Ints, Truths

if TYPE_CHECKING:
    from scipy.sparse import csr_array

# A column this near to a whole number is taken for one.
_APART = 1e-4

# What is smaller than this beside the largest of its kind is noise.
_NOISE = 1e-9
_TINY = 1e-13

# A sum whose total is nearer to a whole number than this makes a shallow cut, and one of large numbers.
_FRACTION = 1e-3

# Cuts must be this deep, and no longer than this.
_DEEP = 1e-5
_LONGEST = 1500

# By how many of its entries a sum is divided in turn.
_DIVISORS = 16


@dataclass(frozen=True, slots=True)
class Vertex:
    """A vertex of the relaxation.

    Parameters
    ----------
    matrix, row_lower, row_upper, row_whole
        The rows in force, and which of them leave a whole room at every whole point.
    lower, upper, whole, counts
        Of the columns: bounds, which must be whole, and in which counts they are compared.
    x, prices
        The point, and the multipliers of the rows that bound it.
    binding, top
        The rows that determine it, and the columns that are at their upper bound.
    """

    matrix: csr_array
    row_lower: Floats
    row_upper: Floats
    row_whole: Truths
    lower: Floats
    upper: Floats
    whole: Truths
    counts: Floats
    x: Floats
    prices: Floats
    binding: Truths
    top: Truths

    @property
    def apart(self) -> Floats:
        """How far each column that must be whole is from it."""
        return np.where(self.whole, np.abs(self.x - np.rint(self.x)), 0.0)

    def fractional(self) -> Ints:
        """Return the columns that should be whole and are not, the farthest first."""
        apart = self.apart
        order: Ints = np.argsort(-apart, kind="stable")
        return order[apart[order] > _APART]


@dataclass(frozen=True, slots=True)
class Combination:
    """Rows with their multipliers, the columns counted from above, and the cut that follows.

    ``entries`` are those of the cut in the counts of the vertex, of length one; ``depth`` is how far it is beyond it,
    and ``size`` how long the cut would be before it is divided by one less the fraction of its total.
    """

    rows: Ints
    multipliers: Floats
    top: Ints
    entries: Floats
    depth: float
    size: float


def combinations(vertex: Vertex, tableau: Iterator[Floats], groups: Mapping[int, Any]) -> Iterator[Combination]:
    """Yield the cuts found for a vertex: at most one for each row of the tableau and for each sum of whole columns."""
    for row in tableau:
        multipliers = np.where(vertex.binding & (np.abs(row) > _TINY * np.abs(row).max(initial=0.0)), row, 0.0)
        yield from _deep(vertex, multipliers, vertex.top)
    for multipliers in _sums(vertex):
        found = [cut for sums, top in _counted(vertex, multipliers, groups) for cut in _divided(vertex, sums, top)]
        if found:
            yield max(found, key=lambda cut: cut.depth)


def _sums(vertex: Vertex) -> Iterator[Floats]:
    """Yield multipliers under which columns that need not be whole cancel out, or are left with nothing to lose."""
    from scipy.sparse.csgraph import connected_components

    prices = np.where(np.abs(vertex.prices) > _NOISE * np.abs(vertex.prices).max(initial=0.0), vertex.prices, 0.0)
    money = vertex.matrix[:, np.flatnonzero(~vertex.whole)]
    mixed = np.diff(money.indptr) > 0
    priced = np.flatnonzero(mixed & (prices != 0))
    part = abs(money[priced])
    for number in range((tied := connected_components(part @ part.T, directed=False))[0]):
        multipliers = np.zeros(len(prices))
        multipliers[priced[tied[1] == number]] = prices[priced[tied[1] == number]]
        yield multipliers / np.abs(multipliers).max()
    largest = abs(vertex.matrix).max(axis=1).toarray().ravel()
    for row in np.flatnonzero(~mixed & vertex.binding & (largest > 1)).tolist():
        multipliers = np.zeros(len(prices))
        multipliers[row] = 1.0 if np.isfinite(vertex.row_upper[row]) else -1.0
        yield multipliers


def _counted(vertex: Vertex, multipliers: Floats, groups: Mapping[int, Any]) -> Iterator[tuple[Floats, Truths]]:
    """Yield a sum with what is nearly taken counted from above, and with groups counted from their room."""
    middle = (vertex.lower + vertex.upper) / 2
    top = np.where(vertex.whole, vertex.x > middle, vertex.top)
    yield multipliers, top
    entries = vertex.matrix.T @ multipliers
    changed, rest = multipliers.copy(), top.copy()
    for row, columns in groups.items():
        most = columns[np.argmax(vertex.x[columns])]
        if entries[most] > 0 and vertex.x[columns].sum() > 0.5:
            changed[row] -= entries[most]
            rest[columns] = False
    if (changed != multipliers).any():
        yield changed, rest


def _divided(vertex: Vertex, multipliers: Floats, top: Truths) -> Iterator[Combination]:
    entries = np.abs(vertex.matrix.T @ multipliers)
    open_ = (vertex.apart > _APART) & (entries > _NOISE)
    for divisor in np.unique(np.round(entries[open_], 9))[::-1][:_DIVISORS].tolist():
        yield from _deep(vertex, multipliers / divisor, top)


def _deep(vertex: Vertex, multipliers: Floats, top: Truths) -> Iterator[Combination]:
    """Yield the cut that follows from a sum of rows, if the vertex is well beyond it."""
    rows = np.flatnonzero(multipliers)
    high = np.isfinite(vertex.row_upper[rows])
    signs, sides = np.where(high, 1.0, -1.0), np.where(high, vertex.row_upper[rows], vertex.row_lower[rows])
    ends, bounds = np.where(top, 1.0, -1.0), np.where(top, vertex.upper, vertex.lower)
    sums = vertex.matrix.T @ multipliers
    total = float(multipliers[rows] @ sides - sums @ bounds)
    fraction = total - np.floor(total)
    if not _FRACTION < fraction < 1 - _FRACTION:
        return
    kept_rows = _kept(signs * multipliers[rows], vertex.row_whole[rows], fraction) * signs
    kept = _kept(-ends * sums, vertex.whole, fraction) * ends
    back = np.zeros(len(multipliers))
    back[rows] = kept_rows
    entries = -(vertex.matrix.T @ back) - kept
    most = np.floor(total) - kept_rows @ sides - kept @ bounds
    counted = entries * vertex.counts
    counted[np.abs(counted) < _NOISE * np.abs(counted).max(initial=0.0)] = 0.0
    length = float(np.linalg.norm(counted))
    if not 0 < np.count_nonzero(counted) <= _LONGEST:
        return
    depth = float(entries @ vertex.x - most) / length
    if depth > _DEEP:
        above = np.flatnonzero(top & (sums != 0))
        yield Combination(rows, multipliers[rows], above, counted / length, depth, length * (1 - fraction))


def _kept(sums: Floats, whole: Truths, fraction: float) -> Floats:
    """What rounding keeps of each multiplier of a room."""
    near = np.rint(sums)
    sums = np.where(np.abs(sums - near) < _NOISE, near, sums)
    floors = np.floor(sums)
    rounded = floors + np.maximum(0.0, sums - floors - fraction) / (1 - fraction)
    return np.where(whole, rounded, np.minimum(sums, 0.0) / (1 - fraction))

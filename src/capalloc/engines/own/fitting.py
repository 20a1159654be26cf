"""Which options may fit into the room of all rows at once, told by the bits of whole numbers.

Each row has one such number for each of a few stretches of its room: a bit for every option that asks for no more than
the end of that stretch.  What all rows leave is what these numbers share.  Rows that few steps change are met again in
the products of blocks of rows, so that a step takes as long as the rows it touches and not as long as all of them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from functools import reduce
from math import isqrt
from operator import and_
from typing import TYPE_CHECKING

import numpy as np

from capalloc.model import Floats, Ints

if TYPE_CHECKING:
    from scipy.sparse import csr_array

# Stretches that a row is divided into, as many as there are different asks and as these bytes allow.
_STRETCHES = 64
_BYTES = 32_000_000


class Fitting:
    """The options that may fit as rooms change; an option that is not named does not fit.

    Parameters
    ----------
    matrix
        Shape (rows, n): what each option asks of each row; what is negative asks for nothing.
    columns
        The options looked at.
    """

    def __init__(self, matrix: csr_array, columns: Ints) -> None:
        self.columns: list[int] = columns.tolist()
        asked = matrix[:, columns].tocsr()
        self._rows = [_row(asked, row) for row in range(asked.shape[0])]
        stretches = _affordable([len(asks) for asks, _ in self._rows], len(columns))
        everything = (1 << len(columns)) - 1
        made = [_stretched(asks, places, everything, stretches) for asks, places in self._rows]
        self._ends = [ends for ends, _ in made]
        self._masks = [masks for _, masks in made]
        self._size = max(8, isqrt(len(made)))
        self._of_row = [masks[-1] for masks in self._masks]
        self._of_block = [everything] * -(-len(made) // self._size)
        self._before: list[tuple[int, int]] = []
        self._blocks_before: list[tuple[int, int]] = []

    def open(self, room: list[float]) -> None:
        """Begin with these rooms."""
        self._of_row = [masks[-1] for masks in self._masks]
        self._of_block = [(1 << len(self.columns)) - 1] * len(self._of_block)
        self.change(range(len(room)), room)
        self.keep()

    def change(self, rows: Iterable[int], room: list[float]) -> None:
        """Take in that the rooms of some rows have changed."""
        of_row, masks, ends, size = self._of_row, self._masks, self._ends, self._size
        blocks = set()
        for row in rows:
            mask = masks[row][bisect_right(ends[row], room[row])]
            if mask is not of_row[row]:
                self._before.append((row, of_row[row]))
                of_row[row] = mask
                blocks.add(row // size)
        for block in blocks:
            self._blocks_before.append((block, self._of_block[block]))
            self._of_block[block] = reduce(and_, of_row[block * size : (block + 1) * size])

    def keep(self) -> None:
        """Keep all changes so far as what to go back to."""
        self._before.clear()
        self._blocks_before.clear()

    def go_back(self) -> None:
        """Undo all changes that are not kept."""
        for row, mask in reversed(self._before):
            self._of_row[row] = mask
        for block, mask in reversed(self._blocks_before):
            self._of_block[block] = mask
        self.keep()

    def among(self, free: int) -> list[int]:
        """Return those that may fit of the options whose bits are given."""
        left = reduce(and_, self._of_block, free)
        found = []
        while left:
            lowest = left & -left
            found.append(self.columns[lowest.bit_length() - 1])
            left ^= lowest
        return found


def _row(asked: csr_array, row: int) -> tuple[Floats, Ints]:
    """Return what is asked of a row in growing order, and by which option."""
    inside = slice(*asked.indptr[row : row + 2])
    asks, places = asked.data[inside], asked.indices[inside]
    order = np.argsort(asks, kind="stable")
    order = order[asks[order] > 0]
    return asks[order], places[order]


def _affordable(lengths: list[int], count: int) -> int:
    """Return into how many stretches rows may be divided within the bytes there are for them."""
    stretches = _STRETCHES
    while stretches > 1 and sum(min(length, stretches) for length in lengths) * count / 8 > _BYTES:
        stretches //= 2
    return stretches


def _stretched(asks: Floats, places: Ints, everything: int, stretches: int) -> tuple[list[float], list[int]]:
    """Return where the stretches of a row end, and the options that may fit within each."""
    ends = np.unique(asks)
    if len(ends) > stretches:
        ends = ends[np.linspace(0, len(ends) - 1, stretches).astype(np.int64)]
    mask = everything
    for place in places.tolist():
        mask ^= 1 << place
    masks, begin = [], 0
    for end in np.searchsorted(asks, ends).tolist():
        for place in places[begin:end].tolist():
            mask |= 1 << place
        begin = end
        masks.append(mask)
    masks.append(everything)
    return ends.tolist(), masks

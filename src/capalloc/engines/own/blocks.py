"""Parts of a problem that hang together through a few rows only, and the rows that couple many of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from capalloc.engines.own.structure import Groups
from capalloc.model import Ints, LinearModel, Truths

if TYPE_CHECKING:
    from scipy.sparse import csr_array

# A row joins what it touches to one block as long as the block has no more columns than this.
MOST_COLUMNS = 2_000


@dataclass(frozen=True, slots=True)
class Blocks:
    """A partition of the columns into blocks that only the coupling rows tie together.

    Parameters
    ----------
    of
        Shape (n,): the number of the block of each column.
    row_of
        Shape (m,): the block that a row lies in; −1 for a coupling row.
    shared
        Shape (n,): true for the columns that need not be whole and lie in coupling rows only, such as the payments of
        many projects together.
    """

    of: Ints
    row_of: Ints
    shared: Truths

    @property
    def count(self) -> int:
        """How many blocks there are."""
        return int(self.of.max(initial=-1)) + 1

    @property
    def coupling(self) -> Ints:
        """The rows that lie in no block."""
        return np.flatnonzero(self.row_of < 0)


def find_blocks(model: LinearModel, groups: Groups, most: int = MOST_COLUMNS) -> Blocks:
    """Return the blocks of a model, rows that tie few groups joining theirs first.

    Parameters
    ----------
    most
        Columns of the largest block that a row may make; one group with what serves it alone may have more.
    """
    own = _with_servants(model, groups)
    ties = _incidence(model, own)
    weight = np.bincount(own, minlength=ties.shape[1])
    block_of = _joined(ties, weight, most)
    of = block_of[own]
    rows = np.repeat(np.arange(model.matrix.shape[0]), np.diff(model.matrix.indptr))
    lowest, highest = np.full(model.matrix.shape[0], len(weight)), np.full(model.matrix.shape[0], -1)
    np.minimum.at(lowest, rows, of[model.matrix.indices])
    np.maximum.at(highest, rows, of[model.matrix.indices])
    row_of = np.where(lowest == highest, lowest, -1)
    inside = np.bincount(model.matrix.indices, row_of[rows] >= 0, minlength=len(of)) > 0
    return Blocks(of, row_of, ~groups.binary & ~inside)


def _with_servants(model: LinearModel, groups: Groups) -> Ints:
    """Number the groups, each with the columns that need not be whole and share rows with no other group's options."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    rows = np.repeat(np.arange(model.matrix.shape[0]), np.diff(model.matrix.indptr))
    group = groups.of[model.matrix.indices]
    binary = groups.binary[model.matrix.indices]
    lowest, highest = np.full(model.matrix.shape[0], groups.count), np.full(model.matrix.shape[0], -1)
    np.minimum.at(lowest, rows[binary], group[binary])
    np.maximum.at(highest, rows[binary], group[binary])
    inside = (lowest == highest)[rows]
    ends = (lowest[rows[inside]], group[inside])
    pairs = csr_array((np.ones(int(inside.sum()), dtype=bool), ends), shape=(groups.count, groups.count))
    _, number = connected_components(pairs, directed=False)
    return np.asarray(number, dtype=np.int64)[groups.of]


def _incidence(model: LinearModel, own: Ints) -> csr_array:
    """Which rows touch which of the numbered parts, each once; shape (m, parts)."""
    from scipy.sparse import csr_array

    count = int(own.max(initial=-1)) + 1
    rows = np.repeat(np.arange(model.matrix.shape[0]), np.diff(model.matrix.indptr))
    row, part = np.divmod(np.unique(rows * count + own[model.matrix.indices]), max(count, 1))
    return csr_array((np.ones(len(row), dtype=bool), (row, part)), shape=(model.matrix.shape[0], count))


def _joined(ties: csr_array, weight: Ints, most: int) -> Ints:
    """Join the parts that a row ties, rows of few parts first, while what comes of it has no more than ``most``."""
    parent, size = list(range(len(weight))), weight.tolist()

    def top(part: int) -> int:
        while parent[part] != part:
            parent[part] = part = parent[parent[part]]
        return part

    count = np.diff(ties.indptr)
    for row in np.argsort(count, kind="stable").tolist():
        if not 1 < count[row] <= most:
            continue
        tied = {top(part) for part in ties.indices[ties.indptr[row] : ties.indptr[row + 1]].tolist()}
        total = sum(size[part] for part in tied)
        if len(tied) > 1 and total <= most:
            first = min(tied)
            size[first] = total
            for part in tied:
                parent[part] = first
    number = np.unique([top(part) for part in range(len(weight))], return_inverse=True)[1]
    return np.asarray(number, dtype=np.int64)

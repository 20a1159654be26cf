"""Payments that nothing tells apart are made one: what many projects get from one source in one year.

Each project's balance says that its payments add up to what it asks for.  Payments of two projects that stand in the
same other rows with the same entries, such as the envelopes of their source, may be exchanged: only their sum matters,
so that one column for the sum and one balance for all of them leave fewer choices and the same plans.  The relaxation
stays what it was.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from capalloc.engines.own.structure import activity, find_groups
from capalloc.model import Floats, Ints, LinearModel, Truths

if TYPE_CHECKING:
    from scipy.sparse import csr_array


@dataclass(frozen=True, slots=True)
class Pooled:
    """A model with sums in the place of payments, and the way back.

    Its rows are those of the model it came from, of which balances are left to say that what is to be paid is not
    negative, and behind them one balance for each pool; its columns are those kept, and behind them the sums.

    Parameters
    ----------
    model
        The smaller model.
    kept
        The columns kept, in the numbers of the larger model.
    parts
        Shape (sums, columns of the larger model): 1 where a column is a part of a sum.
    merged
        Shape (pools, rows of the larger model): 1 where a balance went into that of a pool.
    balance
        One entry a column of the larger model: its balance, −1 for the columns kept.
    """

    model: LinearModel
    kept: Ints
    parts: csr_array
    merged: csr_array
    balance: Ints

    def shrunk(self, point: Floats) -> Floats:
        """Return the point of the smaller model that this one of the larger stands for."""
        return np.concatenate((point[self.kept], self.parts @ point))

    def restored(self, x: Floats) -> Floats:
        """Return a point of the larger model: of each sum every balance gets the part that it is of its pool."""
        count, rows = len(self.kept), self.merged.shape[1]
        point = np.zeros(len(self.balance))
        point[self.kept] = x[:count]
        asked = self.model.row_upper[:rows] - self.model.matrix[:rows, :count] @ x[:count]
        asked = np.where(self.merged.sum(axis=0) > 0, np.maximum(asked, 0.0), 0.0)
        whole = self.merged.T @ (self.merged @ asked)
        # The last, that of what is in no balance, is also there where no balance is.
        share = np.append(np.divide(asked, whole, out=np.zeros(rows), where=whole > 0), 0.0)
        restored: Floats = point + self.parts.T @ x[count:] * share[self.balance]
        return restored

    def sums(self) -> tuple[csr_array, Floats]:
        """Return what the balances of each pool say together: that what is to be paid is not negative."""
        rows, count = self.merged.shape[1], len(self.kept)
        stays = self.model.matrix[:rows].copy()
        stays.data[stays.indices >= count] = 0.0
        entries = self.merged @ stays
        entries.eliminate_zeros()
        return entries, self.model.row_upper[rows:]

    def multipliers(self, of_rows: Floats) -> Floats:
        """Return multipliers of the larger model that prove what these prove of the smaller one."""
        rows = self.merged.shape[1]
        of_all: Floats = of_rows[:rows] + self.merged.T @ of_rows[rows:]
        return of_all


def pool(model: LinearModel) -> Pooled:
    """Return the model with sums in the place of columns that nothing tells apart."""
    return _merged(model, _pools(_kinds(model, _balances(model))))


def unpooled(model: LinearModel) -> Pooled:
    """Return the model as it is, in the place of a smaller one."""
    return _merged(model, [])


def _balances(model: LinearModel) -> Ints:
    """Return the row that each column may be a part of: −1 where its value or its bounds say more than its rows do."""
    from scipy.sparse import csc_array

    columns, size = csc_array(model.matrix), len(model.objective)
    equal = model.row_lower == model.row_upper
    stands = equal[columns.indices]
    column = np.repeat(np.arange(size), np.diff(columns.indptr))
    loose = ~model.integer & (model.objective == 0) & (model.lower == 0)
    loose &= (np.bincount(column, stands, minlength=size) == 1) & _implied(model)
    balance = np.full(size, -1, dtype=np.int64)
    own = stands & loose[column] & (columns.data > 0)
    balance[column[own]] = columns.indices[own]
    return balance


def _implied(model: LinearModel) -> Truths:
    """Return for each column whether one of its balances keeps it below its upper bound."""
    matrix = model.matrix
    counts = np.diff(matrix.indptr)
    equal = np.repeat(model.row_lower == model.row_upper, counts)
    # What has no end on either side says nothing, and is not known to keep a column anywhere.
    with np.errstate(invalid="ignore"):
        sums = activity(matrix, find_groups(model), model.lower, model.upper)
        room = np.repeat(model.row_upper, counts) - sums.least_with
        kept = equal & (matrix.data > 0) & (room <= matrix.data * model.upper[matrix.indices])
    implied: Truths = np.bincount(matrix.indices, kept, minlength=matrix.shape[1]) > 0
    return implied


def _kinds(model: LinearModel, balance: Ints) -> dict[int, dict[bytes, int]]:
    """Return for each balance its columns by what they do elsewhere; of two that do the same only one."""
    from scipy.sparse import csc_array

    columns = csc_array(model.matrix)
    columns.sort_indices()
    kinds: dict[int, dict[bytes, int]] = defaultdict(dict)
    for column in np.flatnonzero(balance >= 0).tolist():
        inside = slice(columns.indptr[column], columns.indptr[column + 1])
        rows, entries = columns.indices[inside], columns.data[inside]
        elsewhere = np.where(rows == balance[column], -1, rows)
        # The entry in the own balance stands first, whatever its row.
        order = np.argsort(elsewhere, kind="stable")
        kind = elsewhere[order].astype(np.int64).tobytes() + entries[order].tobytes()
        kinds[int(balance[column])][kind] = column
    return kinds


def _pools(kinds: dict[int, dict[bytes, int]]) -> list[dict[int, list[int]]]:
    """Return the balances that can be made one, each with the columns that are summed up, in the same order."""
    often = Counter(kind for columns in kinds.values() for kind in columns)
    pools: dict[tuple[bytes, ...], dict[int, list[int]]] = defaultdict(dict)
    for row, columns in kinds.items():
        shared = sorted(kind for kind in columns if often[kind] > 1)
        if shared:
            pools[tuple(shared)][row] = [columns[kind] for kind in shared]
    return [balances for balances in pools.values() if len(balances) > 1]


def _merged(model: LinearModel, pools: list[dict[int, list[int]]]) -> Pooled:
    """Return the model with one balance for those of each pool, and one column for those in the same place of them."""
    rows, size = model.matrix.shape
    into = [(number, row) for number, balances in enumerate(pools) for row in balances]
    groups = [
        (number, group) for number, balances in enumerate(pools) for group in zip(*balances.values(), strict=True)
    ]
    merged = _ones(into, (len(pools), rows))
    parts = _ones([(k, column) for k, (_, group) in enumerate(groups) for column in group], (len(groups), size))
    owner = np.array([number for number, _ in groups], dtype=np.int64)
    first = np.array([group[0] for _, group in groups], dtype=np.int64)
    balance = np.full(size, -1, dtype=np.int64)
    for balances in pools:
        for row, columns in balances.items():
            balance[columns] = row
    kept = np.flatnonzero(balance < 0)
    return Pooled(_smaller(model, merged, parts, kept, owner, first), kept, parts, merged, balance)


def _smaller(
    model: LinearModel, merged: csr_array, parts: csr_array, kept: Ints, owner: Ints, first: Ints
) -> LinearModel:
    """Write the smaller model; each sum does in other rows what the first of its parts does there."""
    from scipy.sparse import csc_array, csr_array, hstack, vstack

    inside = merged.sum(axis=0) > 0
    stays, sums = csr_array(model.matrix[:, kept]), csc_array(model.matrix[:, first])
    number = np.repeat(np.arange(len(first)), np.diff(sums.indptr))
    own = inside[sums.indices]
    beside = csr_array((sums.data[~own], (sums.indices[~own], number[~own])), shape=sums.shape)
    place = (owner[number[own]], number[own])
    balances = csr_array((sums.data[own], place), shape=(merged.shape[0], len(first)))
    total, nothing = merged @ np.where(inside, model.row_upper, 0.0), np.zeros(len(first))
    return LinearModel(
        objective=np.concatenate((model.objective[kept], nothing)),
        matrix=csr_array(vstack([hstack([stays, beside]), hstack([merged @ stays, balances])])),
        row_lower=np.concatenate((np.where(inside, -np.inf, model.row_lower), total)),
        row_upper=np.concatenate((model.row_upper, total)),
        lower=np.concatenate((model.lower[kept], nothing)),
        upper=np.concatenate((model.upper[kept], parts @ model.upper)),
        integer=np.concatenate((model.integer[kept], nothing > 0)),
    )


def _ones(places: list[tuple[int, int]], shape: tuple[int, int]) -> csr_array:
    from scipy.sparse import csr_array

    rows, columns = np.array(places, dtype=np.int64).reshape(-1, 2).T
    return csr_array((np.ones(len(places)), (rows, columns)), shape=shape)

"""What stands in the rows of a plain model: groups of which at most one column is taken, and what rows add up to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from capalloc.model import Floats, Ints, LinearModel, Truths

if TYPE_CHECKING:
    from scipy.sparse import csr_array


@dataclass(frozen=True, slots=True)
class Groups:
    """A partition of the columns; of the 0/1 columns of one group at most one is 1.

    Parameters
    ----------
    of
        Shape (n,): the number of the group of each column.  A column that no row puts into a group is alone in one.
    due
        Shape (groups,): true where exactly one column must be 1.
    binary
        Shape (n,): true for whole columns between 0 and 1.
    row
        Shape (groups,): the row that states the group; −1 for a column alone.
    """

    of: Ints
    due: Truths
    binary: Truths
    row: Ints

    @property
    def count(self) -> int:
        """How many groups there are."""
        return len(self.due)


def find_groups(model: LinearModel) -> Groups:
    """Return the groups that the rows of a model state, the first row that names a column deciding.

    Such a row has the same positive entry for 0/1 columns only and room for one of them.
    """
    binary = model.integer & (model.lower >= 0) & (model.upper <= 1)
    matrix = model.matrix
    of = np.full(matrix.shape[1], -1, dtype=np.int64)
    due: list[bool] = []
    stated: list[int] = []
    for row in _choosing_rows(model, binary):
        columns = matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]]
        free = columns[of[columns] < 0]
        if len(free) > 1:
            of[free] = len(due)
            due.append(len(free) == len(columns) and bool(model.row_lower[row] > 0))
            stated.append(row)
    alone = np.flatnonzero(of < 0)
    of[alone] = len(due) + np.arange(len(alone))
    row_of = np.array(stated + [-1] * len(alone), dtype=np.int64)
    return Groups(of, np.array(due + [False] * len(alone), dtype=bool), binary, row_of)


def _choosing_rows(model: LinearModel, binary: Truths) -> list[int]:
    matrix = model.matrix
    count = matrix.shape[0]
    owner = np.repeat(np.arange(count), np.diff(matrix.indptr))
    least, most, other = np.full(count, np.inf), np.full(count, -np.inf), np.zeros(count)
    np.minimum.at(least, owner, matrix.data)
    np.maximum.at(most, owner, matrix.data)
    np.add.at(other, owner, ~binary[matrix.indices])
    alike = (least == most) & (most > 0) & (other == 0)
    return np.flatnonzero(alike & (model.row_upper >= most) & (model.row_upper < 2 * most)).tolist()


@dataclass(frozen=True, slots=True)
class Activity:
    """The least and the most that each row adds up to when of every group at most one column is taken.

    Parameters
    ----------
    least, most
        Shape (m,).
    least_with, most_with
        One entry an entry of the matrix: what its row then adds up to at least and at most when its column is 1; for
        other columns than 0/1 ones, what the row adds up to without them.
    alone
        One entry an entry of the matrix: true where its column can be 1 and no other of its group that can has an
        entry in the row.
    """

    least: Floats
    most: Floats
    least_with: Floats
    most_with: Floats
    alone: Truths


def activity(matrix: csr_array, groups: Groups, lower: Floats, upper: Floats) -> Activity:
    """Return what the rows can add up to within the bounds of the columns."""
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    columns, values = matrix.indices, matrix.data
    open_ = groups.binary[columns] & (upper[columns] > 0)
    shut = groups.binary[columns] & ~open_
    low, high = values * lower[columns], values * upper[columns]
    low, high = np.minimum(low, high), np.maximum(low, high)
    low[open_], high[open_] = values[open_], values[open_]
    # Of a group from which one is taken, those that are shut say nothing.
    low[shut], high[shut] = np.inf, -np.inf
    key = rows * groups.count + groups.of[columns]
    order = np.argsort(key, kind="stable")
    begins = np.flatnonzero(np.diff(key[order], prepend=-1))
    least, most = np.minimum.reduceat(low[order], begins), np.maximum.reduceat(high[order], begins)
    # Where none of the group need be taken, or one outside of the row may be, the group may add nothing.
    due = groups.due.copy()
    due[groups.of[groups.binary & (lower > 0)]] = True
    counts = np.diff(np.append(begins, len(key)))
    members = np.bincount(groups.of[groups.binary & (upper > 0)], minlength=groups.count)
    held = np.add.reduceat((open_ | ~groups.binary[columns])[order].astype(np.int64), begins)
    group = groups.of[columns[order[begins]]]
    single = ~groups.binary[columns[order[begins]]]
    forced = single | (due[group] & (held == members[group]))
    least, most = np.where(forced, least, np.minimum(least, 0.0)), np.where(forced, most, np.maximum(most, 0.0))
    row_of = rows[order[begins]]
    count = matrix.shape[0]
    total_least = np.bincount(row_of, least, minlength=count).astype(np.float64)
    total_most = np.bincount(row_of, most, minlength=count).astype(np.float64)
    back = np.empty(len(key), dtype=np.int64)
    back[order] = np.repeat(np.arange(len(begins)), counts)
    own_least, own_most = np.where(open_, values, 0.0), np.where(open_, values, 0.0)
    return Activity(
        total_least,
        total_most,
        total_least[rows] - least[back] + own_least,
        total_most[rows] - most[back] + own_most,
        open_ & (held[back] == 1),
    )

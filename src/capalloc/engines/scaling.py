"""Powers of two that bring the numbers of a model near one, so that an engine's absolute tolerances mean something.

Multiplying by a power of two is exact in floats, so scaling there and back changes no number.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from capalloc.engines.points import mixed_rows
from capalloc.model import Floats, LinearModel, Truths

if TYPE_CHECKING:
    from scipy.sparse import csr_array

# The largest objective coefficient becomes 2**10 to 2**11: an engine's absolute tolerance of 1e-6 is then less than
# 1e-9 of it.
_OBJECTIVE_EXPONENT = 11

# In a row of whole-numbered columns one unit has to stay well above an engine's tolerance, so its largest entry may be
# this power of two; smaller rows stay as they are.
_WHOLE_ROW_EXPONENT = 15

# A row whose entries stay far apart is brought down no further than this: an engine drops what is below 1e-12.
_MIXED_ROW_EXPONENT = 10

# Columns are only ever counted in larger units, as money is; counted in smaller ones their gains would fade away.
_COLUMN_EXPONENTS = (0, 30)

_ROUNDS = 6


@dataclass(frozen=True, slots=True)
class Scaling:
    """Column j of the scaled model counts in ``columns[j]``, row i is multiplied by ``rows[i]``.

    All are powers of two; ``columns`` is 1 where a column must be whole.
    """

    rows: Floats
    columns: Floats
    objective: float


def scaling_of(model: LinearModel) -> Scaling:
    """Return factors that bring the entries of rows and columns near one, geometric means taken in turns."""
    matrix = model.matrix
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    present = matrix.data != 0
    entries = _Entries(rows[present], matrix.indices[present], np.log2(np.abs(matrix.data[present])), matrix.shape)
    columns = entries.column_exponents(~model.integer)
    exponents = entries.row_exponents(columns, mixed_rows(model))
    factors = np.exp2(columns)
    _, exponent = np.frexp(np.abs(model.objective * factors).max(initial=0.0))
    objective = float(np.exp2(_OBJECTIVE_EXPONENT - int(exponent))) if model.objective.any() else 1.0
    return Scaling(np.exp2(exponents), factors, objective)


def scaled(model: LinearModel, scaling: Scaling) -> LinearModel:
    """Return the model in the counts of the scaling, tidied."""
    matrix = tidied(model.matrix)
    matrix.data *= np.repeat(scaling.rows, np.diff(matrix.indptr)) * scaling.columns[matrix.indices]
    return replace(
        model,
        objective=model.objective * scaling.columns * scaling.objective,
        matrix=matrix,
        row_lower=model.row_lower * scaling.rows,
        row_upper=model.row_upper * scaling.rows,
        lower=model.lower / scaling.columns,
        upper=model.upper / scaling.columns,
    )


def tidied(matrix: csr_array) -> csr_array:
    """Return a copy that has each entry once and none that is zero."""
    copied = matrix.copy()
    copied.sum_duplicates()
    copied.eliminate_zeros()
    return copied


@dataclass(frozen=True, slots=True)
class _Entries:
    """The entries that are not zero: their rows, their columns and the binary logarithms of their sizes."""

    rows: np.ndarray[tuple[int], np.dtype[np.integer]]
    columns: np.ndarray[tuple[int], np.dtype[np.integer]]
    logs: Floats
    shape: tuple[int, int]

    def column_exponents(self, free: Truths) -> Floats:
        """Return the exponent of each column, 0 for those that are not ``free``."""
        exponents = np.zeros(self.shape[1])
        if not free[self.columns].any():
            return exponents
        for _ in range(_ROUNDS):
            by_row = _middles(self.rows, self.logs + exponents[self.columns], self.shape[0])
            by_column = _middles(self.columns, self.logs - by_row[self.rows], self.shape[1])
            exponents = np.where(free, -by_column, 0.0)
        return np.clip(np.rint(exponents), *_COLUMN_EXPONENTS)

    def row_exponents(self, columns: Floats, mixed: Truths) -> Floats:
        """Return the exponent of each row, given those of the columns."""
        logs = self.logs + columns[self.columns]
        tops = np.zeros(self.shape[0])
        tops[self.rows] = -np.inf
        np.maximum.at(tops, self.rows, logs)
        middles = np.maximum(_middles(self.rows, logs, self.shape[0]), tops - _MIXED_ROW_EXPONENT)
        return -np.ceil(np.where(mixed, middles, np.maximum(0.0, tops - _WHOLE_ROW_EXPONENT)))


def _middles(groups: np.ndarray[tuple[int], np.dtype[np.integer]], logs: Floats, count: int) -> Floats:
    highest, lowest = np.zeros(count), np.zeros(count)
    highest[groups], lowest[groups] = -np.inf, np.inf
    np.maximum.at(highest, groups, logs)
    np.minimum.at(lowest, groups, logs)
    middles: Floats = (highest + lowest) / 2
    return middles

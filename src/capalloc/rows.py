"""Blocks of rows under construction: coefficients as coordinates, bounds, and the statement each row comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from capalloc.model import Block, Floats, Ints, LinearModel

if TYPE_CHECKING:
    from scipy.sparse import csr_array

EXACT = 2**53
"""Whole numbers below this are exact as floats."""


@dataclass(frozen=True, slots=True)
class RowBlock:
    """Rows of one kind: ``lower <= sum of value·x[column] over the entries of the row <= upper``.

    ``row``, ``column`` and ``value`` have one entry a coefficient, in any order; repeated places add up.
    """

    kind: str
    keys: Sequence[tuple[Any, ...]]
    row: Ints
    column: Ints
    value: Floats
    lower: Floats
    upper: Floats


@dataclass(slots=True)
class RowWriter:
    """Collects rows that are written one at a time."""

    kind: str
    keys: list[tuple[Any, ...]] = field(default_factory=list)
    _row: list[int] = field(default_factory=list)
    _column: list[Ints] = field(default_factory=list)
    _value: list[Any] = field(default_factory=list)
    _lower: list[float] = field(default_factory=list)
    _upper: list[float] = field(default_factory=list)

    def add(self, key: tuple[Any, ...], lower: float, upper: float, *terms: tuple[Ints, Any]) -> None:
        """Add one row; each term is the columns and their coefficient, one for all or one each."""
        for columns, value in terms:
            self._row.append(len(self.keys))
            self._column.append(columns)
            self._value.append(value)
        self.keys.append(key)
        self._lower.append(lower)
        self._upper.append(upper)

    def block(self) -> RowBlock:
        """Return all rows added."""
        # Rows come by the thousand and are short: one array for all of them costs less than one for each.
        lengths = [len(columns) for columns in self._column]
        return RowBlock(
            self.kind,
            self.keys,
            np.repeat(np.array(self._row, dtype=np.int64), lengths),
            _joined(self._column, np.int64),
            _filled(self._value, lengths),
            np.array(self._lower, dtype=np.float64),
            np.array(self._upper, dtype=np.float64),
        )


def _joined(parts: list[Any], dtype: Any) -> Any:
    return np.concatenate(parts).astype(dtype) if parts else np.empty(0, dtype=dtype)


def _filled(values: list[Any], lengths: list[int]) -> Floats:
    """Give each term its coefficients, one for all of its columns or one each."""
    whole = [value if isinstance(value, (int, float)) else 0.0 for value in values]
    filled: Floats = np.repeat(np.array(whole, dtype=np.float64), lengths)
    first = 0
    for value, length in zip(values, lengths, strict=True):
        if not isinstance(value, (int, float)):
            filled[first : first + length] = np.asarray(value, dtype=np.float64)
        first += length
    return filled


def stack(blocks: Sequence[RowBlock], columns: int) -> tuple[csr_array, Floats, Floats, tuple[Block, ...]]:
    """Return the matrix, the bounds and the origins of all blocks, one below the other.

    Raises
    ------
    OverflowError
        When a coefficient or bound is too large to be exact as a float.
    """
    from scipy.sparse import csr_array

    above = np.cumsum([0, *(len(block.keys) for block in blocks)])
    row = _joined([block.row + first for block, first in zip(blocks, above[:-1], strict=True)], np.int64)
    column = _joined([block.column for block in blocks], np.int64)
    value = _joined([block.value for block in blocks], np.float64)
    lower = _joined([block.lower for block in blocks], np.float64)
    upper = _joined([block.upper for block in blocks], np.float64)
    largest = max((float(np.abs(a[np.isfinite(a)]).max(initial=0.0)) for a in (value, lower, upper)), default=0.0)
    if largest >= EXACT:
        raise OverflowError(largest)
    matrix = csr_array((value, (row, column)), shape=(int(above[-1]), columns))
    matrix.eliminate_zeros()
    return matrix, lower, upper, tuple(Block(block.kind, block.keys) for block in blocks)


def with_rows(model: LinearModel, block: RowBlock) -> LinearModel:
    """Return the model with more rows below its own."""
    from scipy.sparse import vstack

    matrix, lower, upper, names = stack([block], model.matrix.shape[1])
    return replace(
        model,
        matrix=vstack([model.matrix, matrix], format="csr"),
        row_lower=np.concatenate([model.row_lower, lower]),
        row_upper=np.concatenate([model.row_upper, upper]),
        rows=(*model.rows, *names),
    )

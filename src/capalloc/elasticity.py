"""Elastic models: the same statements, each of which may be broken at a price, so that what cannot hold shows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from capalloc.model import Floats, LinearModel, Truths


def firm_rows(model: LinearModel, kinds: Collection[str]) -> Truths:
    """Return which rows are of the given kinds, shape (m,)."""
    marks = [np.full(len(block.keys), block.kind in kinds) for block in model.rows]
    return np.concatenate(marks) if marks else np.zeros(0, dtype=bool)


def elastic(model: LinearModel, firm: Collection[str]) -> LinearModel:
    """Return a model that keeps the rows of the firm kinds and breaks the others as little as it can.

    A unit of excess in a row costs 1 divided by the largest coefficient of the row, so that amounts of money and
    counts of projects weigh alike.  The first columns are those of ``model``; its objective is left out.
    """
    from scipy.sparse import csr_array, hstack

    kept = firm_rows(model, firm)
    over = np.flatnonzero(np.isfinite(model.row_upper) & ~kept)
    under = np.flatnonzero(np.isfinite(model.row_lower) & ~kept)
    rows = np.concatenate([over, under])
    size = np.maximum(row_sizes(model), 1.0)[rows]
    sign = np.concatenate([-np.ones(len(over)), np.ones(len(under))])
    slack = csr_array((sign, (rows, np.arange(len(rows)))), shape=(len(kept), len(rows)))
    return replace(
        model,
        objective=np.concatenate([np.zeros(len(model.objective)), -1.0 / size]),
        matrix=hstack([model.matrix, slack], format="csr"),
        lower=np.concatenate([model.lower, np.zeros(len(rows))]),
        upper=np.concatenate([model.upper, np.full(len(rows), np.inf)]),
        integer=np.concatenate([model.integer, np.zeros(len(rows), dtype=bool)]),
        columns=(),
    )


def row_sizes(model: LinearModel) -> Floats:
    """Return the largest coefficient of each row, in absolute terms; 0 for an empty row."""
    sizes = np.zeros(model.matrix.shape[0])
    rows = np.repeat(np.arange(len(sizes)), np.diff(model.matrix.indptr))
    np.maximum.at(sizes, rows, np.abs(model.matrix.data))
    return sizes


def stretched(model: LinearModel, x: Floats, firm: Collection[str]) -> LinearModel:
    """Return the model with every row that is not firm made wide enough for ``x``, to whole units."""
    activity = model.matrix @ x
    kept = firm_rows(model, firm)
    lower = np.where(kept, model.row_lower, np.minimum(model.row_lower, np.floor(activity)))
    upper = np.where(kept, model.row_upper, np.maximum(model.row_upper, np.ceil(activity)))
    return replace(model, row_lower=lower, row_upper=upper)

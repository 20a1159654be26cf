"""Models for the tests of engines: small ones that can be solved by hand, and one too hard to finish."""

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_array

from capalloc.model import LinearModel

INF = float("inf")

Row = tuple[Sequence[float], float, float]


def model_of(
    objective: Sequence[float],
    rows: Sequence[Row] = (),
    *,
    lower: float | Sequence[float] = 0,
    upper: float | Sequence[float] = 1,
    whole: bool | Sequence[bool] = True,
) -> LinearModel:
    """Return a model; each row is (entries, lower side, upper side)."""
    columns = len(objective)
    entries = np.array([row[0] for row in rows], dtype=np.float64).reshape(len(rows), columns)
    return LinearModel(
        objective=np.array(objective, dtype=np.float64),
        matrix=csr_array(entries),
        row_lower=np.array([row[1] for row in rows], dtype=np.float64),
        row_upper=np.array([row[2] for row in rows], dtype=np.float64),
        lower=np.broadcast_to(np.array(lower, dtype=np.float64), columns).copy(),
        upper=np.broadcast_to(np.array(upper, dtype=np.float64), columns).copy(),
        integer=np.broadcast_to(np.array(whole, dtype=np.bool_), columns).copy(),
    )


def financed_model() -> LinearModel:
    """Return two projects, of cost 7 and 5 and value 10 and 8, paid by sources that have 4 and 5: only one fits.

    Columns: the two projects, then what each source pays for each of them.
    """
    return model_of(
        [10, 8, 0, 0, 0, 0],
        [
            ([-7, 0, 1, 1, 0, 0], 0, 0),
            ([0, -5, 0, 0, 1, 1], 0, 0),
            ([0, 0, 1, 0, 1, 0], -INF, 4),
            ([0, 0, 0, 1, 0, 1], -INF, 5),
        ],
        upper=[1, 1, 7, 7, 5, 5],
        whole=[True, True, False, False, False, False],
    )


def hard_model(rows: int = 10, columns: int = 100) -> LinearModel:
    """Return a multiple knapsack whose values follow its weights, which no engine finishes within a minute."""
    draw = np.random.default_rng(0)
    weights = draw.integers(5, 995, (rows, columns))
    values = weights.sum(axis=0) + 10 * draw.integers(0, 100, columns)
    return model_of(values, [(row, -INF, row.sum() // 2) for row in weights])

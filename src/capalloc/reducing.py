"""The part of a model in which a plan of at least some value must lie, by the prices of its linear relaxation.

With L the best value of the relaxation and d what one column loses when it leaves its bound, a plan in which it does is
worth at most L − d.  Columns that lose more than what L is above the value asked for stay where they are.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from capalloc.engines.highs import relaxation
from capalloc.model import LinearModel, SolveOptions

_CARE = 1e-6
"""Part of the value by which prices in floats are mistrusted."""


def reduced(model: LinearModel, least: float, options: SolveOptions) -> LinearModel | None:
    """Return the model with all columns held that no point worth at least ``least`` moves; ``None``: there is no such.

    Parameters
    ----------
    least
        In units of the model's objective.
    """
    solved = relaxation(model, options)
    if solved is None:
        return model
    slack = solved.value - least + _CARE * max(1.0, abs(least))
    if slack < 0:
        return None
    whole = model.integer & (model.lower == 0) & (model.upper == 1)
    out, in_ = whole & (solved.column_duals < -slack), whole & (solved.column_duals > slack)
    return replace(model, lower=np.where(in_, model.upper, model.lower), upper=np.where(out, model.lower, model.upper))

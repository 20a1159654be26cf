"""Points of a model: what one is worth and whether it holds, judged on the arrays and not by an engine."""

from __future__ import annotations

import math

import numpy as np

from capalloc.catalogue import say
from capalloc.issues import EngineFailed
from capalloc.model import Floats, LinearModel, Truths

# Entries are whole numbers, so a row of whole-numbered columns is missed by one or not at all.
_WHOLE_ROW_TOLERANCE = 0.25
_MIXED_ROW_TOLERANCE = 1e-9


def value_of(model: LinearModel, x: Floats) -> float:
    """Return ``objective @ x``, rounded once, so that the same point has the same value whoever found it."""
    return math.fsum((model.objective * x).tolist())


def settled(model: LinearModel, x: Floats) -> Floats:
    """Return the point with whole-numbered columns rounded and the others moved onto a bound they pass."""
    whole = np.where(model.integer, np.rint(x), x)
    # Adding zero turns the negative zero of rounding into a plain one.
    return np.where(model.integer, whole, np.clip(whole, model.lower, model.upper)) + 0.0


def holds(model: LinearModel, x: Floats) -> bool:
    """Return whether a settled point keeps every bound and every row.

    A row of whole-numbered columns is kept exactly; one with other columns up to the noise of floats, 1e-9 of the sum
    of its terms.
    """
    if x.shape != model.objective.shape or not np.isfinite(x).all():
        return False
    inside = (x >= model.lower) & (x <= model.upper)
    whole = ~model.integer | (x == np.rint(x))
    return bool((inside & whole).all()) and not broken_rows(model, x).any()


def broken_rows(model: LinearModel, x: Floats) -> Truths:
    """Return, for each row, whether a settled point breaks it."""
    activity = model.matrix @ x
    size = np.maximum(1.0, abs(model.matrix) @ np.abs(x))
    tolerance = np.where(mixed_rows(model), _MIXED_ROW_TOLERANCE * size, _WHOLE_ROW_TOLERANCE)
    broken: Truths = (activity > model.row_upper + tolerance) | (activity < model.row_lower - tolerance)
    return broken


def mixed_rows(model: LinearModel) -> Truths:
    """Return, for each row, whether a column that need not be whole has an entry in it."""
    mixed: Truths = (model.matrix != 0) @ (~model.integer).astype(np.int64) > 0
    return mixed


def largest_whole_entry(model: LinearModel) -> float:
    """Return the size of the largest entry in a row of whole-numbered columns; 0 without one."""
    whole = np.repeat(~mixed_rows(model), np.diff(model.matrix.indptr))
    return float(np.abs(model.matrix.data[whole]).max(initial=0.0))


def breaks_an_empty_row(model: LinearModel) -> bool:
    """Return whether a row without entries cannot be kept, since it is always 0."""
    empty = (model.matrix != 0).sum(axis=1) == 0
    return bool((empty & ((model.row_lower > 0) | (model.row_upper < 0))).any())


def crossed(model: LinearModel) -> bool:
    """Return whether a lower bound lies above its upper bound, so that no point can hold."""
    return bool((model.lower > model.upper).any() or (model.row_lower > model.row_upper).any())


def refuse_bad_numbers(model: LinearModel) -> None:
    """Raise :class:`EngineFailed` when a coefficient is not finite or a bound is no number.

    Solvers take a NaN in silence and answer with a wrong point.
    """
    finite = np.isfinite(model.objective).all() and np.isfinite(model.matrix.data).all()
    bounds = (model.lower, model.upper, model.row_lower, model.row_upper)
    if not finite or any(np.isnan(bound).any() for bound in bounds):
        raise EngineFailed(say("engine.not-a-number"))

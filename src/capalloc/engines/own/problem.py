"""A reduced model with everything its solvers share: groups, columns by column, and numbers brought near one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from capalloc.engines.highs import made_whole
from capalloc.engines.own.blocks import Blocks, find_blocks
from capalloc.engines.own.structure import Groups, find_groups
from capalloc.engines.points import holds, settled
from capalloc.engines.scaling import Scaling, scaled, scaling_of
from capalloc.issues import EngineFailed
from capalloc.model import Floats, LinearModel

if TYPE_CHECKING:
    from scipy.sparse import csc_array

# Entries of a large model.
_LARGE = 200_000

# Rows of a model whose relaxation takes one run of the simplex method long.
_VAST = 20_000


@dataclass(frozen=True, slots=True)
class Problem:
    """A model, its groups, and the same model in the counts of a solver, by rows and by columns.

    Points are in the counts of ``model`` everywhere.  ``blocks`` are found only where the model is too large for one
    run of the simplex method.
    """

    model: LinearModel
    groups: Groups
    scaling: Scaling
    scaled: LinearModel
    columns: csc_array
    blocks: Blocks | None = None

    @property
    def large(self) -> bool:
        """Whether a single relaxation takes long, so that a tree of them will not be searched to its end soon."""
        return bool(self.model.matrix.nnz > _LARGE)

    @property
    def size(self) -> int:
        """How many columns there are."""
        return len(self.model.objective)

    def point(self, x: Floats) -> Floats | None:
        """Return a solver's answer as a point that keeps every row, other columns chosen anew where needed."""
        point = settled(self.model, x)
        if holds(self.model, point):
            return point
        if self.model.integer.all():
            return None
        try:
            return made_whole(self.model, point, "HiGHS")
        except EngineFailed:
            return None

    def worth(self, x: Floats) -> float:
        """Return what a point is worth, quickly; :func:`~capalloc.engines.points.value_of` rounds only once."""
        return float(self.model.objective @ x)


def problem_of(model: LinearModel) -> Problem:
    """Return the problem that a model poses."""
    from scipy.sparse import csc_array

    scaling = scaling_of(model)
    counted = scaled(model, scaling)
    groups = find_groups(model)
    blocks = find_blocks(model, groups) if len(model.row_upper) > _VAST else None
    return Problem(model, groups, scaling, counted, csc_array(counted.matrix), blocks)


def dual_bound(problem: Problem, multipliers: Floats) -> tuple[float, Floats]:
    """Return what no point exceeds, and what each column is worth beyond its rows, by weak duality.

    Any multipliers give a bound; those with the wrong sign for a row that is open on that side are taken as 0.

    Parameters
    ----------
    multipliers
        Shape (m,): what one more unit of room in each row is worth.

    Returns
    -------
    bound, gains
        ``gains`` has shape (n,).
    """
    model = problem.model
    usable = np.where(multipliers > 0, np.isfinite(model.row_upper), np.isfinite(model.row_lower))
    y = np.where(usable, multipliers, 0.0)
    gains = model.objective - model.matrix.T @ y
    with np.errstate(invalid="ignore"):
        rows = np.where(y > 0, y * model.row_upper, y * model.row_lower)
        columns = np.where(gains > 0, gains * model.upper, gains * model.lower)
    total = float(rows[y != 0].sum() + columns[gains != 0].sum())
    return (float("inf") if np.isnan(total) else total), gains

"""A first point from a relaxed one: leave out what it takes only a part of, and then what cannot stay without that."""

from __future__ import annotations

import numpy as np

from capalloc.engines.own.problem import Problem
from capalloc.engines.points import broken_rows, mixed_rows
from capalloc.model import Floats

_WHOLE = 1e-6


def rounded_down(problem: Problem, x: Floats) -> Floats | None:
    """Return a point that takes only what a relaxed one takes wholly; ``None`` when leaving out mends no row.

    In every row that asks for less, the least valuable column that takes from it is left out, time and again.  Other
    columns than 0/1 ones are chosen at the end.
    """
    model, binary = problem.model, problem.groups.binary
    point = np.where(binary, np.floor(x + _WHOLE), x)
    mixed = mixed_rows(model)
    rows = np.repeat(np.arange(len(model.row_upper)), np.diff(model.matrix.indptr))
    columns, entries = model.matrix.indices, model.matrix.data
    for _ in range(len(point)):
        broken = broken_rows(model, point) & ~mixed
        if not broken.any():
            return problem.point(point)
        above = model.matrix @ point > model.row_upper
        takes = broken[rows] & above[rows] & (entries > 0) & (point[columns] > 0.5) & binary[columns]
        takes &= model.lower[columns] < 0.5
        if not takes.any():
            return None
        order = np.lexsort((model.objective[columns[takes]], rows[takes]))
        row, column = rows[takes][order], columns[takes][order]
        point[column[np.diff(row, prepend=-1) > 0]] = 0.0
    return None

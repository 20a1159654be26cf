"""The linear relaxation of a model as a program that stays warm, and the rows in it that let at most one be taken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from capalloc.engines.highs import program_of
from capalloc.engines.own.structure import find_groups
from capalloc.engines.scaling import Scaling, scaled
from capalloc.model import LinearModel


def relaxation_of(model: LinearModel, scaling: Scaling) -> Any:
    """Return HiGHS's simplex method, silent and on one thread, with the relaxation of a model in scaled counts."""
    import highspy

    program = scaled(replace(model, integer=np.zeros_like(model.integer)), scaling)
    solver = highspy.Highs()  # type: ignore[no-untyped-call]  # highspy leaves it untyped
    solver.silent()
    settings: dict[str, Any] = {"threads": 1, "solver": "simplex", "presolve": "off", "small_matrix_value": 1e-12}
    for name, value in settings.items():
        solver.setOptionValue(name, value)
    solver.passModel(program_of(program))
    return solver


def stated_groups(model: LinearModel) -> Iterator[tuple[int, Any]]:
    """Yield the rows that let at most one of some 0/1 columns be taken, each with its columns; no column twice."""
    groups = find_groups(model)
    matrix = model.matrix
    for row in groups.row[groups.row >= 0].tolist():
        inside = slice(matrix.indptr[row], matrix.indptr[row + 1])
        columns = matrix.indices[inside]
        plain = (matrix.data[inside] == 1).all() and model.row_upper[row] == 1
        if plain and len(np.unique(groups.of[columns])) == 1:
            yield row, np.sort(columns)

"""One more 0/1 column for each group: whether anything of it is taken.

A tree that decides about single options moves a project to its next year and has hardly said anything; one that may
decide first whether the project is taken at all says as much in a branch as in ten.  The relaxation stays what it was.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from capalloc.engines.own.structure import find_groups
from capalloc.model import Floats, LinearModel

if TYPE_CHECKING:
    from scipy.sparse import csr_array


@dataclass(frozen=True, slots=True)
class Selecting:
    """A model with columns for what is selected behind its own, and rows that tie them to their groups.

    Parameters
    ----------
    model
        The larger model; a point of the one it came from has exactly one here, worth the same.
    members
        Shape (groups, columns of the smaller model): 1 where a column belongs to a group that got a column.
    """

    model: LinearModel
    members: csr_array

    def extended(self, point: Floats) -> Floats:
        """Return the point of the larger model that is this one of the smaller."""
        return np.concatenate((point, self.members @ point))

    def cut(self, x: Floats) -> Floats:
        """Return the values of the smaller model's columns."""
        return x[: self.members.shape[1]]


def unselected(model: LinearModel) -> Selecting:
    """Return the model as it is, in the place of a larger one."""
    from scipy.sparse import csr_array

    return Selecting(model, csr_array((0, len(model.objective))))


def selecting(model: LinearModel) -> Selecting:
    """Return the model with a column for each group of two or more of which nothing need be taken."""
    from scipy.sparse import csr_array, eye_array, hstack, vstack

    groups = find_groups(model)
    sizes = np.bincount(groups.of, minlength=groups.count)
    chosen = np.flatnonzero((groups.row >= 0) & ~groups.due & (sizes > 1))
    count, size = len(chosen), len(model.objective)
    place = np.full(groups.count, -1)
    place[chosen] = np.arange(count)
    inside = np.flatnonzero(place[groups.of] >= 0)
    members = csr_array((np.ones(len(inside)), (place[groups.of[inside]], inside)), shape=(count, size))
    beside = csr_array((len(model.row_upper), count))
    rows = vstack([hstack([model.matrix, beside]), hstack([members, -eye_array(count)])])
    nothing, one = np.zeros(count), np.ones(count)
    return Selecting(
        replace(
            model,
            objective=np.concatenate((model.objective, nothing)),
            matrix=csr_array(rows),
            row_lower=np.concatenate((model.row_lower, nothing)),
            row_upper=np.concatenate((model.row_upper, nothing)),
            lower=np.concatenate((model.lower, nothing)),
            upper=np.concatenate((model.upper, one)),
            integer=np.concatenate((model.integer, one > 0)),
        ),
        members,
    )

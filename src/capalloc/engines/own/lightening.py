"""A model with as few payments as its plans need: pooled where nothing tells them apart, and the sums left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from capalloc.engines.own.eliminating import Eliminated, eliminate
from capalloc.engines.own.pooling import Pooled, pool, unpooled
from capalloc.engines.own.presolve import valued_in_parts
from capalloc.model import Floats, LinearModel

# With more sums they stay: each is looked for in all rows of the others, which takes longer than it saves.
MOST_SUMS = 1_000


@dataclass(frozen=True, slots=True)
class Lightened:
    """A model with fewer payments that has the same best value, and the way back."""

    pooled: Pooled
    eliminated: Eliminated

    @property
    def model(self) -> LinearModel:
        """The smaller model."""
        return self.eliminated.model

    def shrunk(self, point: Floats) -> Floats:
        """Return the point of the smaller model that this one of the larger stands for."""
        return self.eliminated.shrunk(self.pooled.shrunk(point))

    def restored(self, x: Floats) -> Floats:
        """Return a point of the larger model that one of the smaller stands for."""
        return self.pooled.restored(self.eliminated.restored(x))

    def multipliers(self, of_rows: Floats) -> Floats:
        """Return multipliers of the larger model's rows that prove what these prove of the smaller one."""
        return self.pooled.multipliers(self.eliminated.multipliers(of_rows))


def lighten(model: LinearModel, is_over: Callable[[], bool] = lambda: False) -> Lightened:
    """Return the model with fewer payments; as it is where none can be spared, or where parts are worth something.

    What is paid of programmes says how much of them is done, and HiGHS proves more of it with all payments told apart.
    The sums not left out by the time that ``is_over`` says so stay.
    """
    pooled = unpooled(model) if valued_in_parts(model) or model.integer.all() else pool(model)
    sums = np.arange(len(pooled.kept), len(pooled.model.objective))
    few = sums if len(sums) <= MOST_SUMS else sums[:0]
    return Lightened(pooled, eliminate(pooled.model, few, *pooled.sums(), is_over))

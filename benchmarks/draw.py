"""Random numbers that are the same on every machine and with every version of numpy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Draw:
    """Random numbers made from the raw bits of a generator, whose sequence numpy promises never to change."""

    bits: np.random.PCG64

    def fractions(self, count: int) -> Floats:
        """Return ``count`` numbers of [0, 1)."""
        return np.asarray((self.bits.random_raw(count) >> np.uint64(11)) * 2.0**-53, dtype=np.float64)

    def integers(self, low: int, high: int, count: int) -> Ints:
        """Return ``count`` whole numbers from ``low`` to ``high``, both included."""
        return low + np.floor(self.fractions(count) * (high - low + 1)).astype(np.int64)

    def choices(self, things: tuple[str, ...], count: int) -> npt.NDArray[np.object_]:
        """Return ``count`` of the things."""
        return np.array(things, dtype=object)[self.integers(0, len(things) - 1, count)]

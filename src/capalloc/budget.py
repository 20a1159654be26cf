"""A time limit spread over the parts of a longer work, so that no part takes the time of those behind it."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter

from capalloc.model import SolveOptions


class Budget:
    """What is left of a time limit, in equal shares for the parts that are still to come.

    Parameters
    ----------
    options
        The limits of the whole work.
    parts
        How many parts it has, at least 1.
    """

    def __init__(self, options: SolveOptions, parts: int) -> None:
        self._options, self._parts, self._clock = options, max(1, parts), perf_counter()

    @property
    def left(self) -> float | None:
        """The seconds that are left of the whole limit; ``None`` for no limit."""
        limit = self._options.time_limit
        return None if limit is None else max(0.0, limit - (perf_counter() - self._clock))

    @property
    def spent(self) -> bool:
        """Whether nothing is left."""
        return self.left == 0.0

    def next(self) -> SolveOptions:
        """Return the limits of the next part; what a part does not use, the ones behind it get."""
        left, parts = self.left, self._parts
        self._parts = max(1, parts - 1)
        return replace(self._options, time_limit=None if left is None else left / parts)

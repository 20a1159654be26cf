"""The protocol every engine follows, and how a run is watched, interrupted and given back."""

from __future__ import annotations

from threading import Event
from typing import Protocol

from capalloc.model import Floats, LinearModel, Outcome, ProgressReport, SolveOptions


class Engine(Protocol):
    """Solves a model within limits; statuses, senses, bounds and gaps mean the same in every engine."""

    name: str

    def solve(
        self,
        model: LinearModel,
        options: SolveOptions,
        *,
        start: Floats | None = None,
        progress: ProgressReport | None = None,
        stop: Event | None = None,
    ) -> Outcome:
        """Return the best point found and the bound proved; never raises for infeasible or for a limit.

        Parameters
        ----------
        start
            A point to start from, shape (n,); one that breaks a row is not used.
        progress
            Called with each improvement, from the calling thread.
        stop
            Once set, the engine ends soon and gives back the best point so far.

        Raises
        ------
        EngineFailed
            When the engine itself fails.
        """
        ...

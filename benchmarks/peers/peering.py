"""What all peers share: the clock, the numbers they are handed, and what may be claimed about what they find."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from threading import Event
from typing import TypeAlias

from capalloc.engines.base import (
    NO_POINT_EXISTS,
    Feature,
    Finding,
    Watch,
    conclude,
    nothing_to_choose,
    refuse_limits_beyond,
    watched_run,
)
from capalloc.engines.highs import made_whole
from capalloc.engines.points import crossed, refuse_bad_numbers
from capalloc.engines.scaling import Scaling, scaled, scaling_of
from capalloc.issues import EngineFailed
from capalloc.model import Floats, LinearModel, Outcome, ProgressReport, SolveOptions

Drive: TypeAlias = Callable[[LinearModel, SolveOptions, Watch], Finding]


@dataclass(frozen=True)
class Peer:
    """An engine made of a function that hands a model to a solver and reads the answer."""

    name: str
    drive: Drive
    features: frozenset[Feature] = frozenset(Feature) - {Feature.NODE_LIMIT, Feature.START}

    def solve(
        self,
        model: LinearModel,
        options: SolveOptions,
        *,
        start: Floats | None = None,
        progress: ProgressReport | None = None,
        stop: Event | None = None,
    ) -> Outcome:
        """Return the best point and the bound; see :meth:`capalloc.engines.base.Engine.solve`."""
        refuse_limits_beyond(self, options)
        watch = Watch(options, stop)
        found = watched_run(lambda: self._find(model, options, watch), watch, progress)
        return conclude(self, model, options, start, watch, found)

    def _find(self, model: LinearModel, options: SolveOptions, watch: Watch) -> Finding:
        refuse_bad_numbers(model)
        if crossed(model):
            return NO_POINT_EXISTS
        if not model.objective.size:
            return nothing_to_choose(model)
        return self.drive(model, options, watch)


@dataclass(frozen=True)
class Handed:
    """A model as it is handed to a solver in floats: the numbers HiGHS gets, with the objective to be maximised."""

    given: LinearModel
    model: LinearModel
    scaling: Scaling

    def value(self, amount: float) -> float:
        """Return a value of the handed model in the units of the given one."""
        return amount / self.scaling.objective

    def best(self, points: Iterable[Floats], name: str) -> Floats | None:
        """Return the first point that holds on the given numbers; a solver's tolerances may let others pass.

        Raises
        ------
        EngineFailed
            When there are points and none holds.
        """
        failure: EngineFailed | None = None
        for point in points:
            try:
                return made_whole(self.given, point * self.scaling.columns, name)
            except EngineFailed as error:
                failure = error
        if failure is not None:
            raise failure
        return None


def handed(model: LinearModel) -> Handed:
    """Scale a model as the engine on HiGHS does, so that a tolerance means the same to every solver."""
    scaling = scaling_of(model)
    return Handed(model, scaled(model, scaling), scaling)

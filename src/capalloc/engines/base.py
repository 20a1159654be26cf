"""The protocol every engine follows, and how a run is watched, interrupted and given back."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from queue import SimpleQueue
from threading import Event
from typing import Any, Protocol, TypeVar

import numpy as np

from capalloc.catalogue import say
from capalloc.engines.points import holds, settled, value_of
from capalloc.engines.threads import launch
from capalloc.issues import EngineFailed
from capalloc.model import (
    Floats,
    LinearModel,
    Outcome,
    Progress,
    ProgressReport,
    SolveOptions,
    Status,
    StoppedBy,
    relative_gap,
)

T = TypeVar("T")

# Below this part of the value (or of the largest coefficient) a distance between value and bound is noise of floats.
_NOISE = 1e-9

_SECONDS_BETWEEN_NEWS = 0.25

# An engine that has not answered the first Ctrl-C within these seconds may be left by a second one.
_PATIENCE = 3.0


class Feature(StrEnum):
    """What an engine can do besides solving.

    A ``time_limit`` or ``node_limit`` that an engine cannot honour is refused.  Of the rest, ``gap`` unheeded means
    that more than asked is proved; ``threads`` and ``seed`` are used by the engines that have them; a ``start``
    unheeded is still the least that is given back; a ``stop`` unheeded waits for the end of the run.
    """

    TIME_LIMIT = "time_limit"
    NODE_LIMIT = "node_limit"
    GAP = "gap"
    THREADS = "threads"
    SEED = "seed"
    START = "start"
    STOP = "stop"
    BOUND = "bound"


class Engine(Protocol):
    """Solves a model within limits; statuses, senses, bounds and gaps mean the same in every engine."""

    name: str
    features: frozenset[Feature]

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
            A point to start from, shape (n,); one that breaks a row is not used, and nothing worse than one that
            holds is given back.
        progress
            Called with each improvement, from the calling thread.
        stop
            Once set, the engine ends soon and gives back the best point so far.  Ctrl-C in the calling thread sets it.

        Raises
        ------
        EngineFailed
            When the engine itself fails, or cannot honour a limit it is given.
        """
        ...


@dataclass(frozen=True, slots=True)
class Finding:
    """What an engine holds at its end, in the user's sense.

    ``x`` of ``None`` with ``stopped_by`` PROOF says that no point exists.
    """

    stopped_by: StoppedBy
    x: Floats | None = None
    bound: float = float("inf")
    nodes: int = 0
    details: dict[str, Any] = field(default_factory=dict)


NO_POINT_EXISTS = Finding(StoppedBy.PROOF, bound=float("-inf"))


def nothing_to_choose(model: LinearModel) -> Finding:
    """Return what is to be said of a model without columns."""
    point = np.zeros(0)
    return Finding(StoppedBy.PROOF, point, 0.0) if holds(model, point) else NO_POINT_EXISTS


class Watch:
    """The clock, the stop sign and the news of one run, shared by the thread that solves and the thread that waits."""

    def __init__(self, options: SolveOptions, stop: Event | None) -> None:
        self.stop = stop or Event()
        self.news: SimpleQueue[Progress] = SimpleQueue()
        self._limit = options.time_limit
        self._begun = time.monotonic()
        self._told: tuple[float | None, float] = (None, float("inf"))
        self._told_at = float("-inf")
        self.alive_at = 0.0

    @property
    def seconds(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self._begun

    @property
    def left(self) -> float:
        """Seconds left, never negative; ``inf`` without a limit."""
        return float("inf") if self._limit is None else max(0.0, self._limit - self.seconds)

    @property
    def ended_by(self) -> StoppedBy | None:
        """Why the run must end now, or ``None`` while it may go on."""
        if self.stop.is_set():
            return StoppedBy.INTERRUPT
        return None if self.left else StoppedBy.TIME_LIMIT

    def tell(self, value: float | None, bound: float, nodes: int) -> None:
        """Put news in line for the calling thread: a better point at once, a better bound now and then."""
        best, least = self._told
        told = (best if value is None or (best is not None and value < best) else value, min(least, bound))
        if told[0] != best or (told != self._told and self.seconds - self._told_at > _SECONDS_BETWEEN_NEWS):
            self._told, self._told_at = told, self.seconds
            self.news.put(Progress(self.seconds, *told, relative_gap(*told), nodes))


class Silent(Exception):  # a state of the run, not a fault of the caller's
    """A run has shown no sign of life for too long, and was left alone in its thread."""


def watched_run(
    work: Callable[[], T], watch: Watch, progress: ProgressReport | None, silence: float = float("inf")
) -> T:
    """Run ``work`` in a thread of its own and return what it returns, while the calling thread stays awake.

    The calling thread passes the news on to ``progress`` and turns Ctrl-C into the stop sign; then it waits for the
    best point.  A second Ctrl-C, later than three seconds after the first, leaves at once.

    Parameters
    ----------
    silence
        How many seconds ``work`` may go on without setting ``watch.alive_at``.

    Raises
    ------
    Silent
        When it went on longer.
    BaseException
        Whatever ``work`` or ``progress`` raises; in the second case the work is stopped first.
    """
    answer: list[T] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            answer.append(work())
        except BaseException as error:  # noqa: BLE001  # carried over to the calling thread
            failure.append(error)

    done = launch(run, watch.stop, "capalloc-engine")
    if not _stay_awake(done, watch, progress, silence):
        raise Silent
    if failure:
        raise failure[0]
    return answer[0]


def _stay_awake(done: Event, watch: Watch, progress: ProgressReport | None, silence: float) -> bool:
    """Wait until the work is done; false when it fell silent instead."""
    # An Event and not Thread.join: in CPython 3.11 a Ctrl-C inside join marks a living thread as dead.
    interrupted: float | None = None
    finished = False
    while not finished:
        if watch.seconds - watch.alive_at > silence:
            return False
        try:
            finished = done.wait(0.05)
            while not watch.news.empty():
                news = watch.news.get()
                if progress is not None:
                    progress(news)
        except KeyboardInterrupt:
            watch.stop.set()
            interrupted = interrupted or time.monotonic()
            if time.monotonic() - interrupted > _PATIENCE:
                raise
        except BaseException:
            watch.stop.set()
            done.wait()
            raise
    return True


def refuse_limits_beyond(engine: Engine, options: SolveOptions) -> None:
    """Raise :class:`EngineFailed` for a limit that the engine has no way to honour."""
    asked = {Feature.TIME_LIMIT: options.time_limit, Feature.NODE_LIMIT: options.node_limit}
    for feature, limit in asked.items():
        if limit is not None and feature not in engine.features:
            raise EngineFailed(say("engine.cannot-honour", engine=engine.name, option=str(feature)))


def conclude(
    engine: Engine, model: LinearModel, options: SolveOptions, start: Floats | None, watch: Watch, found: Finding
) -> Outcome:
    """Return what may be claimed about a finding; a start that holds is the least that is given back.

    Raises
    ------
    EngineFailed
        When the engine says that no point exists although the start is one.
    """
    x = _better(model, found.x, start)
    facts: dict[str, Any] = {"nodes": found.nodes, "seconds": watch.seconds, "details": found.details}
    if found.x is None and found.stopped_by is StoppedBy.PROOF:
        if x is not None:
            raise EngineFailed(say("engine.contradiction", engine=engine.name))
        return Outcome(Status.INFEASIBLE, StoppedBy.PROOF, None, float("-inf"), **facts)
    if x is None:
        return Outcome(Status.UNKNOWN, found.stopped_by, None, found.bound, **facts)
    value = value_of(model, x)
    bound = max(found.bound, value)
    if bound - value <= _NOISE * max(abs(value), float(np.abs(model.objective).max(initial=0.0))):
        return Outcome(Status.OPTIMAL, StoppedBy.PROOF, x, value, **facts)
    if relative_gap(value, bound) <= options.gap * (1 + _NOISE):
        return Outcome(Status.WITHIN_GAP, StoppedBy.GAP, x, bound, **facts)
    return Outcome(Status.FEASIBLE, found.stopped_by, x, bound, **facts)


def _better(model: LinearModel, x: Floats | None, start: Floats | None) -> Floats | None:
    other = usable_start(model, start)
    if x is None or other is None:
        return other if x is None else x
    return other if value_of(model, other) > value_of(model, x) else x


def usable_start(model: LinearModel, start: Floats | None) -> Floats | None:
    """Return the start, settled, when it is a point of the model."""
    if start is None or np.shape(start) != model.objective.shape or not np.isfinite(start).all():
        return None
    point = settled(model, np.asarray(start, dtype=np.float64))
    return point if holds(model, point) else None

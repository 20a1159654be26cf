"""What the searches of one run share: the best point, the bound, and what is left of the limits."""

from __future__ import annotations

from threading import Event, Lock

import numpy as np

from capalloc.engines.base import Watch
from capalloc.engines.own.problem import Problem
from capalloc.engines.points import holds, settled
from capalloc.model import Floats, SolveOptions, relative_gap

_MOST_KEPT = 12

# Values closer than this part of one another are the same.
_SAME = 1e-10


class Board:
    """Points and bounds as they are found, in the counts of one problem; safe to use from several threads.

    Parameters
    ----------
    offset
        What the problem's value lacks towards the value the user sees.

    Attributes
    ----------
    budget
        How many nodes may have been searched before every search ends; ``None`` for any number.
    root
        The bound of the root relaxation and what each column gains in it beyond its rows.
    proving
        Seconds that the proof has worked.
    falls
        Each bound there was, and how long the proof had worked by then.
    """

    def __init__(self, problem: Problem, offset: float, options: SolveOptions, watch: Watch) -> None:
        self.problem, self.offset, self.options, self.watch = problem, offset, options, watch
        self.best: Floats | None = None
        self.value = float("-inf")
        self.bound = float("inf")
        self.nodes = 0
        self.budget = options.node_limit
        self.root: tuple[float, Floats] | None = None
        self.improved_at = 0.0
        self.proving = 0.0
        self.falls: list[tuple[float, float]] = []
        self.kept: list[tuple[float, Floats]] = []
        self._finished = Event()
        self._lock = Lock()

    @property
    def left(self) -> float:
        """Seconds left; 0 when the run is over."""
        return 0.0 if self.over else self.watch.left

    @property
    def over(self) -> bool:
        """Whether every search must end: a limit, the stop sign, or nothing left to find."""
        return self._finished.is_set() or self.watch.ended_by is not None or self.spent

    @property
    def spent(self) -> bool:
        """Whether the nodes that may be searched so far are used up."""
        return self.budget is not None and self.nodes >= self.budget

    @property
    def nodes_left(self) -> int:
        """Nodes that may still be searched."""
        return 2**31 - 1 if self.budget is None else max(0, self.budget - self.nodes)

    @property
    def gap(self) -> float:
        """The relative gap the user sees."""
        return relative_gap(None if self.best is None else self.value + self.offset, self.bound + self.offset)

    @property
    def pace(self) -> float:
        """How far the bound fell in the later half of the proof's work, as a part of what is left of the gap."""
        before = next((bound for worked, bound in reversed(self.falls) if worked <= self.proving / 2), float("inf"))
        return (before - self.bound) / max(self.bound - self.value, _SAME)

    @property
    def enough(self) -> float:
        """The value with which the bound so far is within the gap asked for."""
        bound, gap = self.bound + self.offset, self.options.gap
        return (bound / (1 + gap) if bound > 0 else bound / max(1 - gap, 1e-9)) - self.offset

    def beat(self) -> None:
        """Say that the run is alive."""
        self.watch.alive_at = self.watch.seconds

    def finish(self) -> None:
        """End every search."""
        self._finished.set()

    def count(self, nodes: int) -> None:
        """Add nodes to those of the whole run."""
        with self._lock:
            self.nodes += nodes

    def lower(self, bound: float) -> None:
        """Take a bound that is proved for the whole problem."""
        with self._lock:
            if bound < self.bound:
                self.bound = bound
                self.falls.append((self.proving, bound))
            self._tell()

    def offer(self, point: Floats | None, since: Floats | None = None) -> bool:
        """Take a point of the problem; true when it is the best so far.

        Parameters
        ----------
        since
            The point that a search began from.  Where another search has found better meanwhile, what this one changed
            is changed in that too, if it holds.
        """
        if point is None:
            return False
        with self._lock:
            better = self._take(point)
            if not better and since is not None and self.best is not None and self.best is not since:
                model = self.problem.model
                both = settled(model, self.best + point - since)
                better = self.problem.worth(both) > self.value and holds(model, both) and self._take(both)
            return better

    def narrowed(self, than: float | None = None) -> tuple[Floats, Floats]:
        """Return the bounds of the columns at points better than the best, as the root relaxation proves them.

        With ``than`` at points of a greater value than that.  A column whose gain takes the bound below it stays
        where the relaxation has it.
        """
        model, groups = self.problem.model, self.problem.groups
        if self.root is None or self.best is None:
            return model.lower, model.upper
        bound, gains = self.root
        # The sums behind bound and gains are rounded.
        room = bound - (self.value if than is None else than) + _SAME * max(1.0, abs(bound))
        upper = np.where(groups.binary & (gains < -room), 0.0, model.upper)
        lower = np.where(groups.binary & (gains > room), 1.0, model.lower)
        return np.minimum(lower, upper), upper

    def _take(self, point: Floats) -> bool:
        value = self.problem.worth(point)
        if self._is_new(value, point):
            self.kept.append((value, point))
            self.kept.sort(key=lambda pair: -pair[0])
            del self.kept[_MOST_KEPT:]
        if value <= self.value:
            return False
        self.value, self.best = value, point
        self.improved_at = self.watch.seconds
        self._tell()
        return True

    def _is_new(self, value: float, point: Floats) -> bool:
        near = _SAME * max(1.0, abs(value))
        return not any(abs(value - other) <= near and np.array_equal(point, old) for other, old in self.kept)

    def _tell(self) -> None:
        value = None if self.best is None else self.value + self.offset
        self.watch.tell(value, self.bound + self.offset, self.nodes)
        if self.gap <= self.options.gap:
            self._finished.set()

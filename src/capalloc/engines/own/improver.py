"""A search for better points: dives, restricted cores, then neighbourhoods, those that have gained most more often."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from capalloc.engines.own.board import Board
from capalloc.engines.own.diving import Dive, best_dive, near, undecided
from capalloc.engines.own.neighbourhoods import (
    Surroundings,
    around_gains,
    component,
    crossover,
    freed,
    induced,
    loosened,
    scattered,
    window,
)
from capalloc.engines.own.opening import OTHERS, PATIENCE, core_after
from capalloc.engines.own.problem import dual_bound
from capalloc.engines.own.restricted import Effort, Found, search_among
from capalloc.engines.own.rounding import rounded_down
from capalloc.engines.own.simplex import Relaxed, Simplex
from capalloc.engines.own.walking import COOL, Walk, walkable
from capalloc.model import Floats, Ints

# How many times as many projects as are undecided at the root dives decide, one after the other.
DEPTHS = (1.25, 2.0)
DEPTHS_WHEN_LARGE = (2.0, 3.0)

# Options that cores set free after a dive, and the seconds for each.  In large models HiGHS finds what it does within
# the first second or two, by heuristics at the root, and the rest goes into trying out branches.
CORES = ((400, 3.0), (700, 4.0), (1000, 5.0))
CORES_WHEN_LARGE = ((400, 1.5), (500, 1.5), (700, 2.0))

# What the loss of an option of an undecided project counts in a core, one search after the other.
LOOSE = (0.0, 0.1)
LOOSE_WHEN_LARGE = (0.1, 1.0)

# Options and seconds of a core at the root, for a first plan.
FIRST_CORE = (300, 1.5)

# A neighbourhood begins with so many free options; a search in one takes so many seconds, or nodes, at most.
FIRST_SIZE = 250
SECONDS = 1.5
SECONDS_WHEN_LARGE = 2.0
NODES = 1_000
NODES_OF_A_BUDGET = 100
PART_OF_STILLNESS = 0.2

# Projects whose payments are chosen anew in a neighbourhood although their options are held.
OTHERS_PAYING = 40

# A search dives anew when nothing has come for so many seconds; where it can walk, as rarely as in large models.
STILL_BEFORE_DIVE = 4.0
STILL_BEFORE_DIVE_RARELY = 15.0

# What a walk is called among the neighbourhoods.
WALK = "walk"

# Steps of the first cool walk; each later one takes twice as many, up to the most.  A node of a budget is so many
# steps.
FIRST_WALK = 20_000
LONGEST_WALK = 160_000
STEPS_A_NODE = 100

# In turn with cool walks go hot ones, which begin anew.  They need so many steps for each option, and more the more
# options there are; each later one takes twice as many, up to so many times as many as the first; and they are worth
# while only where so many of the first could end in the time there is for walks.
HEATS = (1.0, 0.3)
HOT_STEPS = 80
HOT_OPTIONS = 1_000
LONGEST_HOT = 4
WORTH_WHILE = 3

# In a model of no more entries walks get this part of what the search works: a step takes a fraction of a millisecond
# there, and long walks find what neither short ones nor trees do.
QUICK_TO_WALK = 60_000
PART_OF_WALKS = 0.7

# Others wait at least so many seconds for a dive.
_SLICE = 0.5

# Options near to being taken, over which dives and induced neighbourhoods solve their relaxations.
NEAR = 0.5

# Restricted searches end at this gap, or at this part of the gap of the whole where that is less.
GAP = 2e-5
PART_OF_GAP = 0.05


@dataclass(frozen=True, slots=True)
class Root:
    """The root relaxation, what each option gains in it, and the solver that holds its basis."""

    relaxed: Relaxed
    gains: Floats
    lp: Simplex
    around: Surroundings


@dataclass(slots=True)
class Record:
    """How one neighbourhood has fared: its size, and a running mean of what it gains for what it takes."""

    size: float = FIRST_SIZE
    rate: float = float("inf")

    def reckon(self, rate: float) -> None:
        """Take in what one more search gained for what it took."""
        self.rate = rate if self.rate == float("inf") else 0.8 * self.rate + 0.2 * rate

    def learn(self, rate: float, found: Found, quick: bool) -> None:
        """Take in one more search: larger next time when this one was closed, smaller when it was not."""
        self.reckon(rate)
        self.size *= (1.25 if quick else 1.08) if found.closed else 0.95 if rate > 0 else 0.8


class Improver:
    """One search at work; several may run side by side on one board, each with a number of its own.

    Parameters
    ----------
    rest
        Called between searches, and with the seconds that should have passed between the steps of one, to let others
        work.
    """

    def __init__(self, board: Board, root: Root, rest: Callable[[float], None], number: int) -> None:
        self.board, self.root, self.rest, self.number = board, root, rest, number
        self.problem = board.problem
        self.rng = np.random.default_rng([board.options.seed, number])
        self.budgeted = board.options.node_limit is not None
        self.depths = DEPTHS_WHEN_LARGE if self.problem.large else DEPTHS
        self.cores = CORES_WHEN_LARGE if self.problem.large else CORES
        self.loose = LOOSE_WHEN_LARGE if self.problem.large else LOOSE
        self.seconds = SECONDS_WHEN_LARGE if self.problem.large else SECONDS
        self.losses = [np.abs(root.gains)]
        self.dived_at = 0.0
        self.ways: dict[str, Callable[[int], Floats]] = {
            "near": lambda _: around_gains(self._loss(), self.rng, 1.0),
            "crossover": self._crossed,
            "window": lambda _: window(root.around, self._best, self._loss(), self.rng),
            "component": lambda size: component(root.around, self._loss(), size, self.rng),
            "induced": self._induced,
            "scattered": lambda _: scattered(self.problem, self._loss(), self.rng),
        }
        self.records = {way: Record() for way in self.ways}
        self.walk = Walk(self.problem, root.relaxed.multipliers, self.rng) if walkable(self.problem) else None
        self.steps = FIRST_WALK
        self.hotter = 1
        self.walks = 0
        self.steps_walked = 0
        self.walked = 0.0
        self.begun = self._worked()
        if self.walk is not None:
            self.records[WALK] = Record()
        self.lp = self._near_lp()

    def begin(self) -> None:
        """Round the relaxation down for a first point, and walk from there; dive once where that gains nothing."""
        if not self.number and self.board.best is None:
            first = rounded_down(self.problem, self.root.relaxed.x)
            self.board.offer(first)
            nothing_decided = np.zeros(self.problem.groups.count, dtype=bool)
            self._core(Dive(self.root.relaxed, self.root.gains, nothing_decided), first, *FIRST_CORE)
        before = self.board.value
        if self.walk is not None and self.board.best is not None and not self.board.over:
            self._walk(self.walk)
        if self.board.value <= before:
            self._dive(0)

    def go_on(self) -> None:
        """Search neighbourhoods until the run is over; dive again as long as there is no point, and where all is still.

        Another dive leads to where neighbourhoods of the best point do not reach, and gives what to cross it with.
        """
        attempt = 1
        self.dived_at = self.board.watch.seconds
        while not self.board.over:
            self.rest(0.0)
            if self.board.best is None:
                self._dive(attempt)
                attempt += 1
            elif self.walk is not None and self._behind_in_walks():
                self._walk(self.walk)
            elif self._still():
                self._dive(1)
                self.dived_at = self.board.watch.seconds
            elif (chosen := self._chosen()) == WALK and self.walk is not None:
                self._walk(self.walk)
            else:
                self._try(chosen)

    def _still(self) -> bool:
        """Whether nothing has come for long since the last dive; a run of limited nodes has no clock."""
        rarely = self.problem.large or self.walk is not None
        patience = STILL_BEFORE_DIVE_RARELY if rarely else STILL_BEFORE_DIVE
        since = max(self.dived_at, self.board.improved_at)
        return not self.budgeted and self.board.watch.seconds - since > patience

    def _worked(self) -> float:
        """Seconds of work, or nodes where these are limited."""
        return float(self.board.nodes) if self.budgeted else time.thread_time()

    def _behind_in_walks(self) -> bool:
        """Whether walks have had less than their part, where steps are quick."""
        quick = self.problem.model.matrix.nnz <= QUICK_TO_WALK
        return quick and self.walked < PART_OF_WALKS * (self._worked() - self.begun)

    @property
    def _best(self) -> Floats:
        assert self.board.best is not None  # noqa: S101  # neighbourhoods begin with the first point
        return self.board.best

    def _loss(self) -> Floats:
        return self.losses[int(self.rng.integers(len(self.losses)))]

    def _near_lp(self) -> Simplex:
        columns = near(self.problem, self.root.relaxed.x, self.root.gains, NEAR)
        lp = Simplex(self.board, columns, rows=self._needed_rows() if self.problem.large else None)
        lp.adopt(self.root.lp)
        lp.rest = lambda: self.rest(_SLICE)
        return lp

    def _needed_rows(self) -> Ints:
        """The rows that bind in the root relaxation, state groups or are shared by many; most others never bind."""
        stated = self.problem.groups.row
        return np.unique(np.concatenate((self.root.lp.binding(), stated[stated >= 0], self.root.around.many)))

    def _dive(self, attempt: int) -> None:
        """Dive, and search cores around where it ended; each further attempt dives less deep and frees more."""
        if self.board.over:
            return
        undecided_at_root = max(4, len(undecided(self.problem, self.root.relaxed.x)))
        depth = self.depths[(self.number + attempt) % len(self.depths)] / max(1, attempt)
        steps = round(depth * undecided_at_root)
        others = 0 if self.problem.large or self.walk is not None else OTHERS
        doubting = attempt > 0 and not self.problem.large
        patience = float("inf") if self.budgeted else PATIENCE
        ended = best_dive(
            *(self.root.relaxed, self._near_lp, steps, 3, self.rng),
            others=others,
            patience=patience,
            doubting=doubting,
        )
        self.losses.append(np.abs(ended.gains))
        held: Floats | None = None
        for size, seconds in self.cores:
            self.rest(0.0)
            if self.board.over:
                return
            before = self.board.value
            held, closed = self._core(ended, held, size << (attempt if held is None else 0), seconds)
            if not (closed or self.problem.large or self.board.value > before):
                return

    def _core(self, ended: Dive, held: Floats | None, size: int, seconds: float) -> tuple[Floats | None, bool]:
        """Search around where a dive ended; how much more undecided projects matter there differs between searches."""
        loose = self.loose[self.number % len(self.loose)]
        return core_after(self.board, ended, held, size, loose, self._effort(seconds))

    def _effort(self, seconds: float) -> Effort:
        gap = min(GAP, PART_OF_GAP * self.board.gap)
        seed = int(self.rng.integers(2**31 - 1))
        if self.budgeted:
            return Effort(float("inf"), NODES_OF_A_BUDGET, gap, seed, enough=self.board.enough)
        return Effort(seconds, NODES, gap, seed, enough=self.board.enough)

    def _chosen(self) -> str:
        """A neighbourhood: the untried ones first, then by what they gained, one in four by chance."""
        names = list(self.records)
        untried = [name for name in names if self.records[name].rate == float("inf")]
        if untried:
            return untried[int(self.rng.integers(len(untried)))]
        if self.rng.random() < 0.25:
            return names[int(self.rng.integers(len(names)))]
        rates = np.array([self.records[name].rate for name in names])
        chances = rates + 0.05 * rates.max() + 1e-12
        return names[int(self.rng.choice(len(names), p=chances / chances.sum()))]

    def _try(self, name: str) -> None:
        record, before = self.records[name], self._best
        began, value = time.thread_time(), self.board.value
        rank = self.ways[name](round(record.size))
        lower, upper = self.board.narrowed()
        rank = np.where(lower < upper, rank, np.inf)
        free = freed(self.problem, before, rank, max(20, round(record.size)))
        # The longer nothing has come, the more is worth trying on one neighbourhood.
        seconds = max(self.seconds, PART_OF_STILLNESS * (self.board.watch.seconds - self.board.improved_at))
        free = loosened(self.root.around, before, free, OTHERS_PAYING, self.rng)
        found = search_among(self.board, before, free, self._effort(seconds))
        self.board.offer(found.point, before)
        gained = 0.0 if found.point is None else max(0.0, self.problem.worth(found.point) - value)
        took = found.nodes + 1.0 if self.budgeted else time.thread_time() - began
        quick = found.nodes <= 10 if self.budgeted else took < seconds / 4
        record.learn(gained / max(took, 1e-3), found, quick)

    def _walk(self, walk: Walk) -> None:
        """Walk from the best point: cool first, and then a hot walk and a cool one in turn."""
        began, value = time.thread_time(), self.board.value
        before = self._worked()
        heat, steps = self._hot(walk) or (COOL, self.steps)
        if heat == COOL:
            self.steps = min(2 * self.steps, LONGEST_WALK)
        if self.budgeted:
            steps = min(steps, STEPS_A_NODE * self.board.nodes_left)
            self.board.count(steps // STEPS_A_NODE)
        self.walks += 1
        point = walk.go(self._best, steps, self._rested, heat)
        self.walked += self._worked() - before
        self.steps_walked += steps
        self.board.offer(point)
        gained = 0.0 if point is None else max(0.0, self.problem.worth(point) - value)
        self.records[WALK].reckon(gained / max(time.thread_time() - began, 1e-3))

    def _hot(self, walk: Walk) -> tuple[float, int] | None:
        """The heat and the steps of a hot walk, where it is the turn of one and it can come to its end in time."""
        count = len(walk.near)
        first = HOT_STEPS * count * max(1.0, count / HOT_OPTIONS)
        most = self._steps_left()
        if self.walks % 2 == 0 or most < WORTH_WHILE * first:
            return None
        steps = int(min(self.hotter * first, most))
        self.hotter = min(2 * self.hotter, LONGEST_HOT)
        return HEATS[self.walks // 2 % len(HEATS)], steps

    def _steps_left(self) -> float:
        """How many steps walks may still take, as far as that is known."""
        if self.budgeted:
            return STEPS_A_NODE * self.board.nodes_left
        return PART_OF_WALKS * self.board.left * self.steps_walked / max(self.walked, 1e-3)

    def _rested(self) -> bool:
        self.rest(0.0)
        return self.board.over

    def _crossed(self, _: int) -> Floats:
        others = [point for _, point in self.board.kept if point is not self._best]
        other = others[int(self.rng.integers(len(others)))] if others else self._best
        return crossover(self.problem, self._best, other, self._loss(), self.rng)

    def _induced(self, _: int) -> Floats:
        """Solve the relaxation with random projects held, and rank by what it and the point do not share."""
        problem, best = self.problem, self._best
        held = self.rng.random(problem.groups.count) < self.rng.uniform(0.3, 0.7)
        columns = np.flatnonzero(held[problem.groups.of] & problem.groups.binary)
        self.lp.bound(columns, best[columns], best[columns])
        relaxed = self.lp.solve(2 * SECONDS_WHEN_LARGE)
        self.lp.bound(columns, problem.model.lower[columns], problem.model.upper[columns])
        if relaxed is None:
            return around_gains(self._loss(), self.rng, 1.0)
        loss = np.abs(dual_bound(problem, relaxed.multipliers)[1])
        return induced(problem, best, relaxed.x, loss, self.rng)

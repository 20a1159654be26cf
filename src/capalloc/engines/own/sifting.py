"""The relaxation of a problem too large for one simplex run: blocks priced exactly, and a core that couples them.

For given prices of the coupling rows every block is a small relaxation of its own, and what all of them add up to is a
bound.  The columns that lose little at these prices, all others held, are a small relaxation, too, whose answer is a
point of the whole and whose multipliers are better prices.  So columns are sifted (Bixby, Gregory, Lustig, Marsten and
Shanno 1992), but priced together with the rows of their block; and prices move a part of the way only, which keeps
them from swinging (Wentges 1997).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from capalloc.engines.highs import program_of
from capalloc.engines.own.blocks import Blocks, find_blocks
from capalloc.engines.own.board import Board
from capalloc.engines.own.problem import dual_bound
from capalloc.engines.own.simplex import Relaxed, Simplex, pass_model, silent_solver
from capalloc.model import Floats, Ints, Truths

# Columns of blocks that are handed to HiGHS together.
BATCH = 4_000

# Columns of the sample that the first prices come from, and of a core: so many, or this part of all.
FEWEST = 15_000
PART = 0.1

# The relaxation is known when point and bound are this close; it is not worth more rounds than these.
CLOSE = 3e-5
ROUNDS = 15

# How far prices go from the best so far to those of the last core, and how this part changes where that was better or
# worse.
STEP = 0.5
FURTHER, SHORTER = 1.5, 0.6

_WHOLE = 1e-6


def near(blocks: Blocks, x: Floats, loss: Floats, size: int) -> Ints:
    """Return so many columns that a point does not take, those of the least loss, with what it takes in their blocks.

    Asked for as many as there are, it returns every column.  Columns of an infinite loss are left out otherwise; other
    columns than 0/1 ones that no block owns are always among them.
    """
    if size >= len(x):
        return np.arange(len(x))
    taken = np.abs(x) > _WHOLE
    other = np.flatnonzero((~taken | (loss < 0)) & np.isfinite(loss))
    size = min(size, len(other))
    chosen = blocks.shared.copy()
    if size:
        chosen[other[np.argpartition(loss[other], size - 1)[:size]]] = True
    within = np.zeros(blocks.count, dtype=bool)
    within[blocks.of[chosen & ~blocks.shared]] = True
    return np.flatnonzero(chosen | (taken & within[blocks.of]))


class Sifting:
    """The relaxation of a board's problem, block by block."""

    def __init__(self, board: Board) -> None:
        self.board, self.problem = board, board.problem
        self.blocks = self.problem.blocks or find_blocks(self.problem.model, self.problem.groups)
        self.rng = np.random.default_rng([board.options.seed, 2])
        self.size = max(FEWEST, round(PART * self.problem.size))

    def solve(self) -> Relaxed | None:
        """Return a point of the relaxation, with multipliers that bound it closely.

        The bound goes to the board as it is found.  ``None`` when the run is over before there is a point, or there
        is none.
        """
        prices = self._first_prices()
        if prices is None:
            return None
        last: Relaxed | None = None
        least, step = float("inf"), STEP
        with _Oracle(self.board, self.blocks) as oracle:
            for _ in range(ROUNDS):
                priced = oracle.solve(prices)
                if priced is None:
                    return last
                bound, gains = dual_bound(self.problem, priced.multipliers)
                step = min(1.0, step * (FURTHER if bound < least else SHORTER))
                if bound < least:
                    best, least = priced, bound
                    self.board.lower(max(bound, self.board.value))
                if last is not None and least - last.value <= CLOSE * abs(least):
                    break
                answer = self._core(priced if last is None else last, priced, gains)
                if answer is None:
                    return last
                last = replace(answer, multipliers=best.multipliers)
                prices = best.multipliers + step * (answer.multipliers - best.multipliers)
        return None if last is None else replace(last, multipliers=best.multipliers)

    def _first_prices(self) -> Floats | None:
        """Multipliers from some blocks, drawn by chance, with their part of the room of the coupling rows."""
        order = self.rng.permutation(self.blocks.count)
        upto = np.cumsum(np.bincount(self.blocks.of, minlength=self.blocks.count)[order])
        size = self.size
        while not self.board.over:
            drawn = self.blocks.shared | np.isin(self.blocks.of, order[: int(np.searchsorted(upto, size)) + 1])
            answer = self._sampled(drawn)
            if answer is not None or drawn.all():
                return None if answer is None else answer.multipliers
            size *= 2
        return None

    def _sampled(self, drawn: Truths) -> Relaxed | None:
        problem, coupling, shared = self.problem, self.blocks.coupling, self.blocks.shared
        scaled = problem.scaled
        weight = abs(scaled.matrix[coupling])
        whole = weight @ (~shared).astype(np.float64)
        part = np.divide(
            weight @ (drawn & ~shared).astype(np.float64), whole, out=np.ones(len(coupling)), where=whole > 0
        )
        row_lower, row_upper = scaled.row_lower.copy(), scaled.row_upper.copy()
        row_lower[coupling] *= np.where(np.isfinite(row_lower[coupling]), part, 1.0)
        row_upper[coupling] *= np.where(np.isfinite(row_upper[coupling]), part, 1.0)
        upper = np.where(shared, scaled.upper * drawn.mean(), scaled.upper)
        smaller = replace(scaled, row_lower=row_lower, row_upper=row_upper, upper=upper)
        nothing = Relaxed(0.0, np.where(drawn, 0.0, problem.model.lower), np.zeros(len(row_upper)))
        return Simplex(
            self.board, np.flatnonzero(drawn), around=nothing, problem=replace(problem, scaled=smaller)
        ).solve()

    def _core(self, around: Relaxed, priced: Relaxed, gains: Floats) -> Relaxed | None:
        """Solve over what loses least and what the blocks would have otherwise, all else held as it is ``around``."""
        problem = self.problem
        differ = np.abs(around.x - priced.x) > _WHOLE
        loss = np.where(differ, -1.0, np.abs(gains) / self._dearness(priced.multipliers))
        around = replace(around, multipliers=priced.multipliers)
        size = self.size
        while not self.board.over:
            columns = near(self.blocks, around.x, loss, size)
            answer = Simplex(self.board, columns, around=around).solve()
            if answer is not None or len(columns) == problem.size:
                return answer
            size *= 2
        return None

    def _dearness(self, multipliers: Floats) -> Floats:
        """What each column takes of the coupling rows, at their prices: prices must move by loss / dearness for it."""
        coupling = self.blocks.coupling
        taken = abs(self.problem.model.matrix[coupling]).T @ np.abs(multipliers[coupling])
        return np.where(taken > 0, taken, np.maximum(np.abs(self.problem.model.objective), 1.0))


@dataclass(frozen=True, slots=True)
class _Batch:
    """Some blocks in one HiGHS, with their columns and rows."""

    solver: Any
    columns: Ints
    rows: Ints


class _Oracle:
    """The blocks at given prices, each batch of them kept warm from one set of prices to the next."""

    def __init__(self, board: Board, blocks: Blocks) -> None:
        self.board, self.problem, self.blocks = board, board.problem, blocks
        self.coupled = self.problem.scaled.matrix[blocks.coupling].T.tocsr()
        self.batches = [self._batch(columns, rows) for columns, rows in _packed(blocks)]
        self.pool = ThreadPoolExecutor(max(1, board.options.threads))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.pool.shutdown(cancel_futures=True)

    def _batch(self, columns: Ints, rows: Ints) -> _Batch:
        scaled = self.problem.scaled
        part = replace(
            scaled,
            objective=scaled.objective[columns],
            matrix=self.problem.columns[:, columns].tocsr()[rows],
            row_lower=scaled.row_lower[rows],
            row_upper=scaled.row_upper[rows],
            lower=scaled.lower[columns],
            upper=scaled.upper[columns],
            integer=np.zeros(len(columns), dtype=bool),
        )
        solver = silent_solver(random_seed=0, small_matrix_value=1e-12, solver="simplex")
        pass_model(solver, program_of(part))
        return _Batch(solver, columns, rows)

    def solve(self, multipliers: Floats) -> Relaxed | None:
        """Return what the blocks take where the coupling rows have these prices, and what their own rows are worth."""
        model, scaling, coupling = self.problem.model, self.problem.scaling, self.blocks.coupling
        given = multipliers[coupling]
        # A row that is open on a side has no price for that side, whatever the noise of a solver says.
        priced = np.where(given > 0, np.isfinite(model.row_upper[coupling]), np.isfinite(model.row_lower[coupling]))
        prices = np.where(priced, given, 0.0) / scaling.rows[coupling] * scaling.objective
        costs = self.problem.scaled.objective - self.coupled @ prices
        x, worth = np.zeros(self.problem.size), np.zeros(len(multipliers))
        worth[coupling] = prices
        answers = self.pool.map(lambda batch: self._run(batch, costs), self.batches)
        for batch, answer in zip(self.batches, answers, strict=True):
            if answer is None:
                return None
            x[batch.columns], worth[batch.rows] = answer
        x *= scaling.columns
        return Relaxed(self.problem.worth(x), x, worth * scaling.rows / scaling.objective)

    def _run(self, batch: _Batch, costs: Floats) -> tuple[Floats, Floats] | None:
        if self.board.over:
            return None
        self.board.beat()
        count = len(batch.columns)
        batch.solver.changeColsCost(count, np.arange(count, dtype=np.int32), -costs[batch.columns])
        batch.solver.run()
        if batch.solver.getModelStatus().name != "kOptimal":
            return None
        solution = batch.solver.getSolution()
        return np.array(solution.col_value), -np.array(solution.row_dual)


def _packed(blocks: Blocks) -> list[tuple[Ints, Ints]]:
    """The columns and the rows of each batch of blocks."""
    batch_of = np.cumsum(np.bincount(blocks.of, minlength=blocks.count)) // BATCH
    inside = np.flatnonzero(blocks.row_of >= 0)
    columns, rows = batch_of[blocks.of], batch_of[blocks.row_of[inside]]
    by_column, by_row = np.argsort(columns, kind="stable"), inside[np.argsort(rows, kind="stable")]
    numbers = np.unique(columns)
    column_ends = np.searchsorted(np.sort(columns), numbers, side="right")
    row_ends = np.searchsorted(np.sort(rows), numbers, side="right")
    return list(zip(np.split(by_column, column_ends[:-1]), np.split(by_row, row_ends[:-1]), strict=True))

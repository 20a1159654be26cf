"""The relaxation of a problem in HiGHS's simplex method, kept warm from one change of bounds to the next."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from capalloc.catalogue import say
from capalloc.engines.highs import program_of
from capalloc.engines.own.board import Board
from capalloc.engines.own.problem import Problem
from capalloc.issues import EngineFailed
from capalloc.model import Floats, Ints, LinearModel

if TYPE_CHECKING:
    from highspy import Highs as Solver


@dataclass(frozen=True, slots=True)
class Relaxed:
    """A solved relaxation: its value, its point, and what room in each row is worth."""

    value: float
    x: Floats
    multipliers: Floats


def solver_for(board: Board, seconds: float, **settings: Any) -> Solver:
    """Return a silent HiGHS of one thread that ends when the run is over, or after so many seconds of work.

    Only work of the thread that made it counts, so that a busy machine does not change what is found much.
    """
    solver = silent_solver(**settings)
    end = time.thread_time() + seconds

    def heed(event: Any) -> None:
        board.beat()
        if board.over or time.thread_time() > end:
            event.interrupt()

    solver.cbSimplexInterrupt.subscribe(heed)
    solver.cbMipInterrupt.subscribe(heed)
    return solver


def silent_solver(**settings: Any) -> Solver:
    """Return a silent HiGHS of one thread that heeds nothing but its settings."""
    import highspy

    solver: Solver = highspy.Highs()  # type: ignore[no-untyped-call]  # highspy leaves it untyped
    solver.silent()
    for name, value in {"threads": 1, **settings}.items():
        if solver.setOptionValue(name, value) != highspy.HighsStatus.kOk:
            raise EngineFailed(say("engine.option-refused", engine="HiGHS", option=name, found=value))
    return solver


def pass_model(solver: Solver, program: Any) -> None:
    """Hand a program to HiGHS."""
    import highspy

    if solver.passModel(program) == highspy.HighsStatus.kError:
        raise EngineFailed(say("engine.numbers-refused", engine="HiGHS"))


class Simplex:
    """The relaxation over some of the columns.

    Parameters
    ----------
    columns
        Those left to choose; every one when left out.
    around
        Where all other columns stay, and what rows are worth that none of the chosen columns enters; without it they
        stay at 0.
    problem
        Where it is not the one of the board.
    """

    def __init__(
        self,
        board: Board,
        columns: Ints | None = None,
        seed: int = 0,
        *,
        around: Relaxed | None = None,
        problem: Problem | None = None,
    ) -> None:
        self.board = board
        self.problem = problem = problem or board.problem
        self.rest: Callable[[], None] = lambda: None
        self.columns = np.arange(problem.size) if columns is None else columns
        self.rows = np.arange(len(problem.model.row_upper))
        self.around = around
        self.solver = solver_for(board, float("inf"), random_seed=seed, small_matrix_value=1e-12, solver="simplex")
        pass_model(self.solver, program_of(self._part()))
        self.place = np.full(problem.size, -1, dtype=np.int32)
        self.place[self.columns] = np.arange(len(self.columns), dtype=np.int32)

    def _part(self) -> LinearModel:
        model, chosen = self.problem.scaled, self.columns
        matrix = self.problem.columns[:, chosen]
        row_lower, row_upper = model.row_lower, model.row_upper
        if self.around is not None:
            held = self.around.x / self.problem.scaling.columns
            held[chosen] = 0.0
            used = model.matrix @ held
            matrix = matrix.tocsr()
            self.rows = np.flatnonzero(np.diff(matrix.indptr))
            matrix = matrix[self.rows]
            row_lower, row_upper = (row_lower - used)[self.rows], (row_upper - used)[self.rows]
        return replace(
            model,
            objective=model.objective[chosen],
            matrix=matrix,
            row_lower=row_lower,
            row_upper=row_upper,
            lower=model.lower[chosen],
            upper=model.upper[chosen],
            integer=np.zeros(len(chosen), dtype=bool),
        )

    def bound(self, columns: Ints, lower: Floats, upper: Floats) -> None:
        """Set the bounds of some columns; those outside of the part are passed over."""
        place = self.place[columns]
        inside = place >= 0
        counts = self.problem.scaling.columns[columns[inside]]
        self.solver.changeColsBounds(int(inside.sum()), place[inside], lower[inside] / counts, upper[inside] / counts)

    def adopt(self, other: Simplex) -> None:
        """Begin from the basis where another relaxation of the same problem ended."""
        import highspy

        theirs = other.solver.getBasis()
        status = np.array(theirs.col_status, dtype=object)
        basis = highspy.HighsBasis()
        basis.col_status = status[other.place[self.columns]].tolist()
        basis.row_status = theirs.row_status
        basis.valid = True
        self.solver.setBasis(basis)

    def solve(self, limit: float = float("inf")) -> Relaxed | None:
        """Return the solved relaxation; ``None`` when it has no point or the seconds of ``limit`` were too few."""
        self.rest()
        left = min(limit, self.board.left)
        # HiGHS counts the seconds of all runs of one object together.
        self.solver.setOptionValue("time_limit", self.solver.getRunTime() + left)
        self.solver.run()
        if self.solver.getModelStatus().name != "kOptimal":
            return None
        solution = self.solver.getSolution()
        scaling = self.problem.scaling
        x = np.zeros(self.problem.size) if self.around is None else self.around.x.copy()
        x[self.columns] = np.array(solution.col_value) * scaling.columns[self.columns]
        multipliers = np.zeros(len(scaling.rows)) if self.around is None else self.around.multipliers.copy()
        multipliers[self.rows] = -np.array(solution.row_dual) * scaling.rows[self.rows] / scaling.objective
        return Relaxed(self.problem.worth(x), x, multipliers)

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

# What a relaxation may break a row by that it was solved without, as a part of the row's size.
_BROKEN = 1e-6


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
    limited = seconds < float("inf")

    def heed(event: Any) -> None:
        # HiGHS asks at each step of the simplex method; what a thread has worked takes long to find out.
        board.beat()
        if board.over or (limited and time.thread_time() > end):
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
    rows
        Those to begin with, where most never bind; a relaxation that breaks others takes them in and is solved again.
    """

    def __init__(
        self,
        board: Board,
        columns: Ints | None = None,
        seed: int = 0,
        *,
        around: Relaxed | None = None,
        problem: Problem | None = None,
        rows: Ints | None = None,
    ) -> None:
        self.board = board
        self.problem = problem = problem or board.problem
        self.rest: Callable[[], None] = lambda: None
        self.columns = np.arange(problem.size) if columns is None else columns
        self.rows = np.arange(len(problem.model.row_upper)) if rows is None else rows
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
            row_lower, row_upper = row_lower - used, row_upper - used
        if len(self.rows) < len(row_upper):
            matrix = matrix.tocsr()[self.rows]
        return replace(
            model,
            objective=model.objective[chosen],
            matrix=matrix,
            row_lower=row_lower[self.rows],
            row_upper=row_upper[self.rows],
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
        """Begin from the basis where another relaxation of the same problem ended; its binding rows must be here."""
        import highspy

        theirs = other.solver.getBasis()
        status = np.array(theirs.col_status, dtype=object)
        basis = highspy.HighsBasis()
        basis.col_status = status[other.place[self.columns]].tolist()
        place = np.full(len(self.problem.model.row_upper), -1, dtype=np.int32)
        place[other.rows] = np.arange(len(other.rows), dtype=np.int32)
        basis.row_status = np.array(theirs.row_status, dtype=object)[place[self.rows]].tolist()
        basis.valid = True
        self.solver.setBasis(basis)

    def binding(self) -> Ints:
        """Return the rows that the basis of the last solution holds at one of their sides."""
        import highspy

        free = highspy.HighsBasisStatus.kBasic
        return self.rows[[status != free for status in self.solver.getBasis().row_status]]

    def solve(self, limit: float = float("inf"), *, passing: bool = False) -> Relaxed | None:
        """Return the solved relaxation; ``None`` when it has no point or the seconds of ``limit`` were too few.

        Parameters
        ----------
        passing
            Where rows are broken that were left out, leave them to the next solution.
        """
        self.rest()
        left = min(limit, self.board.left)
        # HiGHS counts the seconds of all runs of one object together.
        self.solver.setOptionValue("time_limit", self.solver.getRunTime() + left)
        while True:
            self.solver.run()
            if self.solver.getModelStatus().name != "kOptimal":
                return None
            relaxed = self._relaxed()
            if not self._takes_in_broken(relaxed.x) or passing:
                return relaxed

    def _relaxed(self) -> Relaxed:
        solution = self.solver.getSolution()
        scaling = self.problem.scaling
        x = np.zeros(self.problem.size) if self.around is None else self.around.x.copy()
        x[self.columns] = np.array(solution.col_value) * scaling.columns[self.columns]
        multipliers = np.zeros(len(scaling.rows)) if self.around is None else self.around.multipliers.copy()
        multipliers[self.rows] = -np.array(solution.row_dual) * scaling.rows[self.rows] / scaling.objective
        return Relaxed(self.problem.worth(x), x, multipliers)

    def _takes_in_broken(self, x: Floats) -> bool:
        """Add the rows that a point breaks and that are not here yet; false when there are none."""
        model = self.problem.scaled
        if self.around is not None or len(self.rows) == len(model.row_upper):
            return False
        used = model.matrix @ (x / self.problem.scaling.columns)
        size = _BROKEN * np.maximum(1.0, np.abs(used))
        broken = (used > model.row_upper + size) | (used < model.row_lower - size)
        broken[self.rows] = False
        rows = np.flatnonzero(broken)
        if not len(rows):
            return False
        matrix = model.matrix[rows][:, self.columns]
        lower, upper = model.row_lower[rows], model.row_upper[rows]
        self.solver.addRows(len(rows), lower, upper, matrix.nnz, matrix.indptr, matrix.indices, matrix.data)
        self.rows = np.concatenate((self.rows, rows))
        return True

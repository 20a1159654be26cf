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
from capalloc.issues import EngineFailed
from capalloc.model import Floats, Ints

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
    import highspy

    solver: Solver = highspy.Highs()  # type: ignore[no-untyped-call]  # highspy leaves it untyped
    solver.silent()
    for name, value in {"threads": 1, **settings}.items():
        if solver.setOptionValue(name, value) != highspy.HighsStatus.kOk:
            raise EngineFailed(say("engine.option-refused", engine="HiGHS", option=name, found=value))

    end = time.thread_time() + seconds

    def heed(event: Any) -> None:
        board.beat()
        if board.over or time.thread_time() > end:
            event.interrupt()

    solver.cbSimplexInterrupt.subscribe(heed)
    solver.cbMipInterrupt.subscribe(heed)
    return solver


def pass_model(solver: Solver, program: Any) -> None:
    """Hand a program to HiGHS."""
    import highspy

    if solver.passModel(program) == highspy.HighsStatus.kError:
        raise EngineFailed(say("engine.numbers-refused", engine="HiGHS"))


class Simplex:
    """The relaxation over some of the columns; all others stay at a bound of 0."""

    def __init__(self, board: Board, columns: Ints | None = None, seed: int = 0) -> None:
        self.board, self.problem = board, board.problem
        self.rest: Callable[[], None] = lambda: None
        problem = board.problem
        self.columns = np.arange(problem.size) if columns is None else columns
        model = problem.scaled
        part = replace(
            model,
            objective=model.objective[self.columns],
            matrix=problem.columns[:, self.columns],
            lower=model.lower[self.columns],
            upper=model.upper[self.columns],
            integer=np.zeros(len(self.columns), dtype=bool),
        )
        self.solver = solver_for(board, float("inf"), random_seed=seed, small_matrix_value=1e-12, solver="simplex")
        pass_model(self.solver, program_of(part))
        self.place = np.full(problem.size, -1, dtype=np.int32)
        self.place[self.columns] = np.arange(len(self.columns), dtype=np.int32)

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
        x = np.zeros(self.problem.size)
        x[self.columns] = np.array(solution.col_value) * scaling.columns[self.columns]
        multipliers = -np.array(solution.row_dual) * scaling.rows / scaling.objective
        return Relaxed(self.problem.worth(x), x, multipliers)

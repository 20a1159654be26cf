"""A problem with most options held as a point has them, and HiGHS on what is left free."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from capalloc.engines.highs import TOLERANCE, UNSOUND_RULES, program_of
from capalloc.engines.own.board import Board
from capalloc.engines.own.problem import Problem
from capalloc.engines.own.simplex import pass_model, solver_for
from capalloc.model import Floats, Ints, LinearModel, Truths

# Held columns use up round numbers of room; what is beyond this part of a row's size is a real lack of it.
_NOISE = 1e-9


@dataclass(frozen=True, slots=True)
class Effort:
    """How long one search may take: seconds, nodes of the tree, and the gap at which it is good enough.

    ``allowance`` is that gap as a distance of values, where it is to be one of the whole problem; with a point worth
    ``enough`` the search ends.
    """

    seconds: float
    nodes: int
    gap: float
    seed: int = 0
    allowance: float = 0.0
    enough: float = float("inf")


@dataclass(frozen=True, slots=True)
class Found:
    """The best point of a restricted problem, whether none of its points is better, and the nodes it took.

    ``closed`` and ``bound``, what no point of the restriction exceeds, say nothing about the points outside of it.
    """

    point: Floats | None
    closed: bool
    nodes: int
    bound: float = float("inf")


def search_among(board: Board, held: Floats, free: Truths, effort: Effort, *, start: bool = True) -> Found:
    """Return the best point found that agrees with ``held`` on all columns that are not free.

    Parameters
    ----------
    held
        Shape (n,), a point or, with ``start`` false, values for the columns that are not free.
    start
        Give HiGHS the held point to start from; nothing worse is returned then.
    """
    problem = board.problem
    part = _Part(problem, held, free, point=start)
    if part.model is None:
        board.count(1)
        return Found(None, True, 0, float("-inf"))
    solver = _solver(effort, board, effort.enough - problem.worth(part.base))
    solver.cbMipImprovingSolution.subscribe(partial(_tell, board, part))
    pass_model(solver, program_of(part.model))
    if start:
        _offer(solver, held[part.kept] / problem.scaling.columns[part.kept])
    solver.run()
    found = _found(problem, solver, part)
    board.count(max(1, found.nodes))
    return found


class _Part:
    """The columns left to choose, and the rows with the room that the held ones leave."""

    def __init__(self, problem: Problem, held: Floats, free: Truths, *, point: bool) -> None:
        self.problem = problem
        self.base = np.where(free, 0.0, held)
        scaled = problem.scaled
        used = scaled.matrix @ (self.base / problem.scaling.columns)
        self.kept: Ints = np.flatnonzero(free)
        lower, upper = scaled.row_lower - used, scaled.row_upper - used
        if point:
            # Held payments are rounded; what the point leaves in a row must still hold what it takes there.
            taken = scaled.matrix @ (np.where(free, held, 0.0) / problem.scaling.columns)
            lower, upper = np.minimum(lower, taken), np.maximum(upper, taken)
        self.model = self._sliced(lower, upper)

    def point(self, values: Floats) -> Floats:
        """Return the whole point of the solver's values for the columns left to choose."""
        x = self.base.copy()
        x[self.kept] = values * self.problem.scaling.columns[self.kept]
        return x

    def _sliced(self, row_lower: Floats, row_upper: Floats) -> LinearModel | None:
        scaled, kept = self.problem.scaled, self.kept
        lower, upper = scaled.lower[kept], scaled.upper[kept].copy()
        columns = self.problem.columns[:, kept].tocsr()
        rows = np.repeat(np.arange(columns.shape[0]), np.diff(columns.indptr))
        low, high = columns.data * lower[columns.indices], columns.data * upper[columns.indices]
        least = np.bincount(rows, np.minimum(low, high), minlength=columns.shape[0])
        most = np.bincount(rows, np.maximum(low, high), minlength=columns.shape[0])
        size = _NOISE * np.maximum(1.0, np.abs(row_upper))
        if ((least > row_upper + size) | (most < row_lower - size)).any():
            return None
        # A single entry that does not fit beside the least of the others shuts its column.
        beside = least[rows] - np.minimum(low, high) + columns.data
        stuck = self.problem.groups.binary[kept][columns.indices] & (beside > row_upper[rows] + size[rows])
        upper[columns.indices[stuck]] = 0.0
        binding = np.flatnonzero((most > row_upper) | (least < row_lower))
        open_ = np.flatnonzero(upper > lower)
        self.base[kept] = np.where(upper > lower, 0.0, lower * self.problem.scaling.columns[kept])
        shift = columns[binding] @ np.where(upper > lower, 0.0, lower)
        self.kept = kept[open_]
        return LinearModel(
            objective=scaled.objective[self.kept],
            matrix=columns[binding][:, open_],
            row_lower=row_lower[binding] - shift,
            row_upper=row_upper[binding] - shift,
            lower=lower[open_],
            upper=upper[open_],
            integer=scaled.integer[self.kept],
        )


def _solver(effort: Effort, board: Board, enough: float) -> Any:
    return solver_for(
        board,
        effort.seconds,
        random_seed=effort.seed,
        time_limit=board.left,
        mip_max_nodes=min(effort.nodes, board.nodes_left),
        mip_rel_gap=effort.gap,
        objective_target=-enough * board.problem.scaling.objective,
        mip_abs_gap=effort.allowance * board.problem.scaling.objective,
        mip_allow_restart=False,
        presolve_rule_off=UNSOUND_RULES,
        mip_feasibility_tolerance=TOLERANCE,
        primal_feasibility_tolerance=TOLERANCE,
        small_matrix_value=1e-12,
    )


def _tell(board: Board, part: _Part, event: Any) -> None:
    """Put a point on the board at once that ends the run or is its first."""
    x = part.point(np.array(event.data_out.mip_solution))
    if board.best is None or board.problem.worth(x) >= board.enough:
        board.offer(board.problem.point(x))


def _offer(solver: Any, values: Floats) -> None:
    import highspy

    given = highspy.HighsSolution()
    given.col_value = values.tolist()
    solver.setSolution(given)


def _found(problem: Problem, solver: Any, part: _Part) -> Found:
    import highspy

    ending = solver.getModelStatus().name
    info = solver.getInfo()
    closed = ending in ("kOptimal", "kInfeasible")
    nodes = max(0, int(info.mip_node_count))
    bound = problem.worth(part.base) - float(info.mip_dual_bound) / problem.scaling.objective
    if info.primal_solution_status != highspy.kSolutionStatusFeasible:
        return Found(None, closed, nodes, float("-inf") if ending == "kInfeasible" else bound)
    return Found(problem.point(part.point(np.array(solver.getSolution().col_value))), closed, nodes, bound)

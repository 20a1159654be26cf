"""Gurobi with the licence that comes with its package, for models of at most 2,000 columns and 2,000 rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gurobipy
import numpy as np
from gurobipy import GRB

from benchmarks.peers.peering import Handed, Peer, handed
from capalloc.engines.base import NO_POINT_EXISTS, Finding, Watch
from capalloc.engines.highs import TOLERANCE
from capalloc.issues import EngineFailed
from capalloc.model import LinearModel, SolveOptions, StoppedBy

ENDINGS = {
    GRB.OPTIMAL: StoppedBy.PROOF,
    GRB.TIME_LIMIT: StoppedBy.TIME_LIMIT,
    GRB.INTERRUPTED: StoppedBy.INTERRUPT,
    GRB.INFEASIBLE: StoppedBy.PROOF,
    GRB.INF_OR_UNBD: StoppedBy.PROOF,
}


def gurobi() -> Peer:
    """Return Gurobi as an engine."""
    return Peer("gurobi", drive)


def drive(model: LinearModel, options: SolveOptions, watch: Watch) -> Finding:
    """Hand the model to Gurobi, and read the answer."""
    given = handed(model)
    with gurobipy.Env(empty=True) as environment:
        environment.setParam("OutputFlag", 0)
        environment.start()
        with gurobipy.Model(env=environment) as solver:
            columns = fill(solver, given.model)
            limit(solver, options, watch)
            solver.optimize(lambda running, where: look(running, where, given, watch))
            return finding(solver, columns, given)


def fill(solver: Any, model: LinearModel) -> Any:
    """Add columns and rows; return the columns."""
    kinds = np.where(model.integer, GRB.INTEGER, GRB.CONTINUOUS)
    columns = solver.addMVar(len(kinds), lb=model.lower, ub=model.upper, obj=model.objective, vtype=kinds)
    equal = model.row_lower == model.row_upper
    above, below = np.isfinite(model.row_lower) & ~equal, np.isfinite(model.row_upper) & ~equal
    for rows, sense, sides in (
        (equal, "=", model.row_upper),
        (below, "<", model.row_upper),
        (above, ">", model.row_lower),
    ):
        if rows.any():
            solver.addMConstr(model.matrix[rows], columns, sense, sides[rows])
    solver.ModelSense = GRB.MAXIMIZE
    return columns


def limit(solver: Any, options: SolveOptions, watch: Watch) -> None:
    """Set limits, threads, seed and tolerances."""
    parameters = {
        "Threads": options.threads,
        "Seed": options.seed,
        "MIPGap": options.gap,
        "MIPGapAbs": 0.0,
        "FeasibilityTol": TOLERANCE,
        "IntFeasTol": TOLERANCE,
    }
    if np.isfinite(watch.left):
        parameters["TimeLimit"] = watch.left
    for name, value in parameters.items():
        solver.setParam(name, value)


def look(running: Any, where: int, given: Handed, watch: Watch) -> None:
    """Take the news of a running search, and stop it at the stop sign."""
    if where not in (GRB.Callback.MIP, GRB.Callback.MIPSOL):
        return
    best, bound = (
        (GRB.Callback.MIP_OBJBST, GRB.Callback.MIP_OBJBND)
        if where == GRB.Callback.MIP
        else (GRB.Callback.MIPSOL_OBJBST, GRB.Callback.MIPSOL_OBJBND)
    )
    value = running.cbGet(best)
    watch.tell(given.value(value) if abs(value) < GRB.INFINITY else None, upper(running.cbGet(bound), given), 0)
    if watch.stop.is_set():
        running.terminate()


def finding(solver: Any, columns: Any, given: Handed) -> Finding:
    """Return what Gurobi holds at its end."""
    if solver.Status not in ENDINGS:
        raise EngineFailed(f"Gurobi ended with status {solver.Status}")
    ending, nodes = ENDINGS[solver.Status], int(solver.NodeCount)
    if solver.Status in (GRB.INFEASIBLE, GRB.INF_OR_UNBD):
        return replace(NO_POINT_EXISTS, nodes=nodes)
    x = given.best([columns.X] if solver.SolCount else [], "Gurobi")
    return Finding(ending, x, upper(solver.ObjBound, given), nodes)


def upper(bound: float, given: Handed) -> float:
    """Return a bound in the units of the model."""
    return float("inf") if abs(bound) >= GRB.INFINITY else given.value(bound)

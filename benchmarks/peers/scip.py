"""SCIP through pyscipopt."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import highspy
import numpy as np
import pyscipopt

from benchmarks.peers.peering import Handed, Peer, handed
from capalloc.engines.base import NO_POINT_EXISTS, Finding, Watch
from capalloc.engines.highs import TOLERANCE, program_of
from capalloc.issues import EngineFailed
from capalloc.model import Floats, LinearModel, SolveOptions, StoppedBy

ENDINGS = {
    "optimal": StoppedBy.PROOF,
    "gaplimit": StoppedBy.GAP,
    "timelimit": StoppedBy.TIME_LIMIT,
    "userinterrupt": StoppedBy.INTERRUPT,
    "infeasible": StoppedBy.PROOF,
    "inforunbd": StoppedBy.PROOF,
}

SEEN = (
    pyscipopt.SCIP_EVENTTYPE.BESTSOLFOUND,
    pyscipopt.SCIP_EVENTTYPE.NODESOLVED,
    pyscipopt.SCIP_EVENTTYPE.FIRSTLPSOLVED,
)


class News(pyscipopt.Eventhdlr):
    """Passes on every better point and bound, and stops SCIP at the stop sign."""

    def __init__(self, given: Handed, watch: Watch) -> None:
        self.given, self.watch = given, watch

    def eventinit(self) -> None:
        """Ask for the events."""
        for event in SEEN:
            self.model.catchEvent(event, self)

    def eventexec(self, _event: Any) -> None:
        """Take the news."""
        least = self.model.getPrimalbound()
        value = None if self.model.isInfinity(abs(least)) else self.given.value(-least)
        self.watch.tell(value, bound_of(self.model, self.given), self.model.getNTotalNodes())
        if self.watch.stop.is_set():
            self.model.interruptSolve()


def scip() -> Peer:
    """Return SCIP as an engine."""
    return Peer("scip", drive)


def drive(model: LinearModel, options: SolveOptions, watch: Watch) -> Finding:
    """Hand the model to SCIP as a minimisation, and read the answer."""
    given = handed(model)
    solver = read(given)
    # Kept in a name of its own: SCIP holds it only weakly.
    news = News(given, watch)
    solver.includeEventhdlr(news, "news", "better points and bounds")
    parameters = {
        "numerics/feastol": TOLERANCE,
        "limits/gap": options.gap,
        "randomization/randomseedshift": options.seed,
        "parallel/maxnthreads": options.threads,
        "lp/threads": options.threads,
    }
    if np.isfinite(watch.left):
        parameters["limits/time"] = watch.left
    solver.setParams(parameters)
    solver.optimizeNogil()
    ending = solver.getStatus()
    if ending not in ENDINGS:
        raise EngineFailed(f"SCIP ended with {ending}")
    nodes = solver.getNTotalNodes()
    if ending in ("infeasible", "inforunbd"):
        return replace(NO_POINT_EXISTS, nodes=nodes)
    return Finding(ENDINGS[ending], given.best(points(solver), "SCIP"), bound_of(solver, given), nodes)


def read(given: Handed) -> Any:
    """Return a solver that holds the model; an MPS file is the fastest way in for many entries."""
    program = program_of(given.model)
    program.col_names_ = [f"x{column}" for column in range(program.num_col_)]
    program.row_names_ = [f"r{row}" for row in range(program.num_row_)]
    writer = highspy.Highs()
    writer.silent()
    solver = pyscipopt.Model()
    solver.hideOutput()
    with tempfile.TemporaryDirectory(prefix="capalloc-") as folder:
        path = str(Path(folder) / "model.mps")
        passed = writer.passModel(program)
        if passed != highspy.HighsStatus.kOk or writer.writeModel(path) != highspy.HighsStatus.kOk:
            raise EngineFailed("The model could not be written for SCIP")
        solver.readProblem(path)
    return solver


def points(solver: Any) -> Iterator[Floats]:
    """Yield SCIP's points, the best first."""
    variables = sorted(solver.getVars(), key=lambda variable: int(variable.name[1:]))
    for solution in solver.getSols():
        yield np.array([solution[variable] for variable in variables])


def bound_of(solver: Any, given: Handed) -> float:
    """Return the proved upper bound, ``inf`` before there is one."""
    least = solver.getDualbound()
    return float("inf") if solver.isInfinity(abs(least)) else given.value(-least)

"""The process CP-SAT runs in, since ortools and highspy cannot be loaded together; it imports nothing else of ours.

It says ``{"ready": …}`` once ortools is loaded.  Each line it reads then names an ``.npz`` file of a model in whole
numbers; it answers with a line a better point or bound, and at last with one that has a ``status``, after writing the
point beside the model.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import ortools
from ortools.sat.python import cp_model


def say(**facts: Any) -> None:
    """Write one line."""
    print(json.dumps(facts), flush=True)


class News(cp_model.CpSolverSolutionCallback):
    """Says what every better point is worth."""

    def on_solution_callback(self) -> None:
        """Say it."""
        say(value=self.objective_value, bound=self.best_objective_bound)


def model_of(given: Any) -> tuple[cp_model.CpModel, list[Any]]:
    """Return the model and its columns."""
    model = cp_model.CpModel()
    bounds = zip(given["lower"].tolist(), given["upper"].tolist(), strict=True)
    columns = [model.new_int_var(low, high, "") for low, high in bounds]
    start, index, entries = given["indptr"].tolist(), given["indices"].tolist(), given["data"].tolist()
    sides = zip(given["row_lower"].tolist(), given["row_upper"].tolist(), strict=True)
    for row, (low, high) in enumerate(sides):
        part = slice(start[row], start[row + 1])
        terms = cp_model.LinearExpr.weighted_sum([columns[j] for j in index[part]], entries[part])
        model.add_linear_constraint(terms, low, high)
    model.maximize(cp_model.LinearExpr.weighted_sum(columns, given["objective"].tolist()))
    return model, columns


def solve(path: Path, *, time_limit: float | None, gap: float, threads: int, seed: int) -> None:
    """Solve the model of a file and say the outcome."""
    model, columns = model_of(np.load(path))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = threads
    solver.parameters.random_seed = seed
    solver.parameters.relative_gap_limit = gap
    if time_limit is not None:
        solver.parameters.max_time_in_seconds = time_limit
    solver.best_bound_callback = lambda bound: say(value=None, bound=bound)
    status = solver.solve(model, News())
    name = solver.status_name(status)
    found = name in ("OPTIMAL", "FEASIBLE")
    if found:
        np.save(path.with_suffix(".npy"), np.array([solver.value(column) for column in columns], dtype=np.int64))
    say(status=name, found=found, bound=solver.best_objective_bound, nodes=solver.num_branches)


def main() -> None:
    """Answer until the input ends."""
    say(ready=ortools.__version__)
    for line in sys.stdin:
        task = json.loads(line)
        solve(Path(task.pop("path")), **task)


if __name__ == "__main__":
    main()

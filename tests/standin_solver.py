"""Stands in for the process of CP-SAT: the same lines in and out, and a search through all points."""

import itertools
import json
import sys
from pathlib import Path

import numpy as np


def say(**facts):
    """Write one line."""
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def solve(path):
    """Say each better point, then the outcome, and write the best point beside the model."""
    given = np.load(path)
    matrix = np.zeros((len(given["row_upper"]), len(given["objective"])), dtype=np.int64)
    rows = np.repeat(np.arange(len(matrix)), np.diff(given["indptr"]))
    matrix[rows, given["indices"]] = given["data"]
    ranges = [range(low, high + 1) for low, high in zip(given["lower"], given["upper"], strict=True)]
    best, most = None, int(np.abs(given["objective"]).sum())
    for point in itertools.product(*ranges):
        activity = matrix @ np.array(point)
        holds = ((given["row_lower"] <= activity) & (activity <= given["row_upper"])).all()
        value = int(given["objective"] @ np.array(point))
        if holds and (best is None or value > best):
            best = value
            np.save(path.with_suffix(".npy"), np.array(point))
            say(value=value, bound=most)
    found = best is not None
    say(status="OPTIMAL" if found else "INFEASIBLE", found=found, bound=best, nodes=7)


if __name__ == "__main__":
    say(ready="stand-in")
    for line in sys.stdin:
        solve(Path(json.loads(line)["path"]))

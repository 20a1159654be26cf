"""CP-SAT of ortools, in a process of its own: see :mod:`benchmarks.peers.cpsat_worker`."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.peering import Peer
from capalloc.engines.base import NO_POINT_EXISTS, Finding, Watch
from capalloc.engines.highs import made_whole
from capalloc.engines.scaling import tidied
from capalloc.issues import EngineFailed
from capalloc.model import Floats, Ints, LinearModel, SolveOptions, StoppedBy

WORKER = (sys.executable, "-m", "benchmarks.peers.cpsat_worker")

# CP-SAT takes a side beyond this for an open one.
OPEN = 2**62


class Worker:
    """The process, which takes one model after another; loading ortools takes seconds that no run is charged with."""

    def __init__(self, command: Sequence[str] = WORKER) -> None:
        # The command is ours, and no shell reads it.
        self.process = subprocess.Popen(  # noqa: S603
            list(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )
        self.hear()

    def hear(self) -> dict[str, Any]:
        """Return the next thing the process says."""
        line = self.process.stdout.readline() if self.process.stdout else ""
        if not line:
            code = self.process.wait()
            self.close()
            raise EngineFailed(f"CP-SAT ended without an answer (code {code})")
        return dict(json.loads(line))

    def ask(self, **task: Any) -> None:
        """Give the process a task."""
        if self.process.stdin is None:
            raise EngineFailed("CP-SAT hears nothing")
        self.process.stdin.write(json.dumps(task) + "\n")
        self.process.stdin.flush()

    def close(self) -> None:
        """End the process."""
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()
        self.process.terminate()
        self.process.wait()

    def drive(self, model: LinearModel, options: SolveOptions, watch: Watch) -> Finding:
        """Hand the model to CP-SAT in whole numbers, and read the answer."""
        with tempfile.TemporaryDirectory(prefix="capalloc-") as folder:
            path = Path(folder) / "model.npz"
            np.savez(path, **whole_numbers(model))
            limit = watch.left if np.isfinite(watch.left) else None
            self.ask(path=str(path), time_limit=limit, gap=options.gap, threads=options.threads, seed=options.seed)
            said = self._listen(watch)
            x = np.load(path.with_suffix(".npy")).astype(np.float64) if said["found"] else None
        return _finding(model, said, x)

    def _listen(self, watch: Watch) -> dict[str, Any]:
        while "status" not in (said := self.hear()):
            watch.tell(said["value"], said["bound"], 0)
            if watch.stop.is_set():
                self.close()
        return said


def cp_sat() -> Peer:
    """Start the process and return it as an engine."""
    return Peer("cp-sat", Worker().drive)


def whole_numbers(model: LinearModel) -> dict[str, Ints]:
    """Return the model as arrays of whole numbers.

    A column that need not be whole and has no value is a payment, and is whole in every plan.

    Raises
    ------
    EngineFailed
        When something else need not be whole, or has no bound: CP-SAT knows only whole numbers in bounds.
    """
    if (~model.integer & (model.objective != 0)).any():
        raise EngineFailed("CP-SAT knows only whole numbers, and something has a value by parts")
    matrix = tidied(model.matrix)
    numbers = {"objective": model.objective, "data": matrix.data, "lower": model.lower, "upper": model.upper}
    numbers |= {"row_lower": np.maximum(model.row_lower, -OPEN), "row_upper": np.minimum(model.row_upper, OPEN)}
    for name, values in numbers.items():
        if not np.isfinite(values).all() or (values != np.rint(values)).any():
            raise EngineFailed(f"CP-SAT knows only whole numbers in bounds, and {name} has another")
    arrays = {name: values.astype(np.int64) for name, values in numbers.items()}
    return arrays | {"indptr": matrix.indptr.astype(np.int64), "indices": matrix.indices.astype(np.int64)}


def _finding(model: LinearModel, said: dict[str, Any], x: Floats | None) -> Finding:
    if said["status"] == "INFEASIBLE":
        return replace(NO_POINT_EXISTS, nodes=said["nodes"])
    if said["status"] not in ("OPTIMAL", "FEASIBLE", "UNKNOWN"):
        raise EngineFailed(f"CP-SAT ended with {said['status']}")
    # At a limit CP-SAT says "feasible", whether of time or of the gap: what it proved decides.
    ending = StoppedBy.PROOF if said["status"] == "OPTIMAL" else StoppedBy.TIME_LIMIT
    if x is None:
        return Finding(ending, None, nodes=said["nodes"])
    return Finding(ending, made_whole(model, x, "CP-SAT"), said["bound"], said["nodes"])

"""How fast a portfolio becomes arrays, against PuLP building the same model, and how fast ``import capalloc`` is.

``python -m benchmarks.compile`` writes the figures into ``RESULTS.md``.  Seconds are those of work, which are the same
on a machine that does other things besides.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import process_time
from typing import TypeAlias

import numpy as np
import pulp

from benchmarks.generator import generate
from benchmarks.page import PAGE, replace_part, table
from capalloc.compiling import compile_tables
from capalloc.model import LinearModel
from capalloc.portfolio import Portfolio
from capalloc.rows import RowBlock, stack
from capalloc.tables import Tables

Column: TypeAlias = tuple[float, float, bool, float]
Row: TypeAlias = tuple[list[int], list[float], float, float]

SIZES = (300, 1_000, 3_000)
TIMES = 5


def compile_seconds(tables: Tables, times: int = TIMES) -> tuple[float, LinearModel]:
    """Return the median of the seconds that compiling takes, and the model."""
    taken = []
    for _ in range(times):
        began = process_time()
        model = compile_tables(tables).model
        taken.append(process_time() - began)
    return median(taken), model


def stack_seconds(model: LinearModel, times: int = TIMES) -> float:
    """Return the median of the seconds of the last step of compiling: from numbers, as PuLP gets, to a matrix."""
    entries = model.matrix.tocoo()
    row, column = entries.row.astype(np.int64), entries.col.astype(np.int64)
    keys = [(number,) for number in range(len(model.row_upper))]
    block = RowBlock("row", keys, row, column, entries.data, model.row_lower, model.row_upper)
    taken = []
    for _ in range(times):
        began = process_time()
        stack([block], len(model.objective))
        taken.append(process_time() - began)
    return median(taken)


def pulp_seconds(model: LinearModel, times: int = TIMES) -> tuple[float, pulp.LpProblem]:
    """Return the median of the seconds that PuLP takes to build the model with ``lpSum``, and the problem.

    The numbers are lists of Python's own beforehand: what is timed is variables, sums and rows alone.
    """
    lists = lists_of(model)
    taken = []
    for _ in range(times):
        began = process_time()
        problem = build(*lists)
        taken.append(process_time() - began)
    return median(taken), problem


def lists_of(model: LinearModel) -> tuple[list[Column], list[Row]]:
    """Return columns and rows as lists of numbers."""
    sides = zip(model.lower.tolist(), model.upper.tolist(), model.integer.tolist(), strict=True)
    columns = [(*side, worth) for side, worth in zip(sides, model.objective.tolist(), strict=True)]
    start, indices, entries = model.matrix.indptr.tolist(), model.matrix.indices.tolist(), model.matrix.data.tolist()
    limits = zip(model.row_lower.tolist(), model.row_upper.tolist(), strict=True)
    rows = [
        (indices[start[row] : start[row + 1]], entries[start[row] : start[row + 1]], low, high)
        for row, (low, high) in enumerate(limits)
    ]
    return columns, rows


def build(columns: list[Column], rows: list[Row]) -> pulp.LpProblem:
    """Build the problem as PuLP's own documentation does."""
    problem = pulp.LpProblem("portfolio", pulp.LpMaximize)
    variables = [
        problem.add_variable(f"x{number}", low, None if high == np.inf else high, "Integer" if whole else "Continuous")
        for number, (low, high, whole, _) in enumerate(columns)
    ]
    problem += pulp.lpSum(worth * variable for variable, (*_, worth) in zip(variables, columns, strict=True))
    for indices, entries, low, high in rows:
        activity = pulp.lpSum(entry * variables[column] for column, entry in zip(indices, entries, strict=True))
        if low == high:
            problem += activity == low
            continue
        if high != np.inf:
            problem += activity <= high
        if low != -np.inf:
            problem += activity >= low
    return problem


def import_seconds(times: int = TIMES) -> float:
    """Return the median of what ``import capalloc`` takes in a new interpreter, after a first one that compiled it."""
    code = "from time import process_time as t; b = t(); import capalloc; print(t() - b)"
    with TemporaryDirectory(prefix="capalloc-") as folder:
        warm = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        taken = [
            float(
                subprocess.run(  # noqa: S603  # our own code
                    [sys.executable, "-c", code],
                    env=warm | {"PYTHONPYCACHEPREFIX": folder},
                    check=True,
                    capture_output=True,
                    text=True,
                ).stdout
            )
            for _ in range(times + 1)
        ]
    return median(taken[1:])


def measured(sizes: list[int], times: int) -> str:
    """Return the part of the page."""
    rows = []
    for family in ("phase", "yearly", "tight"):
        for size in sizes:
            portfolio = Portfolio.from_tables(*generate(family, size, seed=1))
            ours, model = compile_seconds(portfolio.tables, times)
            theirs, _ = pulp_seconds(model, times)
            last = stack_seconds(model, times)
            rows.append(
                [
                    f"{family}-{size}",
                    *(f"{number:,}" for number in (*reversed(model.matrix.shape), model.matrix.nnz)),
                    f"{ours:.3f}",
                    f"{theirs:.3f}",
                    f"{theirs / ours:.1f}",
                    f"{last:.4f}",
                    f"{theirs / last:.0f}",
                ]
            )
    headings = ["portfolio", "columns", "rows", "entries", "compile s", "PuLP s", "ratio", "last step s", "ratio"]
    words = "".join(f" {size}" for size in sizes if tuple(sizes) != SIZES)
    method = (
        "Compiling goes from checked tables to arrays: every option, its exact cost and value, who may pay, the rows; "
        f"its last step puts numbers into a matrix. PuLP {pulp.__version__} gets lists of the finished numbers and "
        "builds the same model with `lpSum`, which is the work of that last step. "
        f"Seconds of work, medians of {times}, Python {platform.python_version()}."
    )
    return "\n\n".join(
        [
            "## Compiling and importing",
            f"```\npython -m benchmarks.compile{words}\n```",
            method,
            table(headings, rows),
            f"`import capalloc`, warm: {import_seconds(times):.2f} s of work.",
        ]
    )


def main(arguments: list[str] | None = None) -> int:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compile", description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=list(SIZES), help="projects (default: %(default)s)")
    parser.add_argument("--times", type=int, default=TIMES, help="how often each is done (default: %(default)s)")
    parser.add_argument("--page", type=Path, default=PAGE, help="default: benchmarks/RESULTS.md")
    options = parser.parse_args(arguments)
    text = measured(options.sizes, options.times)
    print(text)
    replace_part(options.page, "compiling", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())

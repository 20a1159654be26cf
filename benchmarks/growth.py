"""Measure how time and memory grow with the number of projects, from tables to a verified plan and its tables."""

from __future__ import annotations

import argparse
import resource
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from time import perf_counter, process_time
from typing import TypeVar, get_args

import capalloc as ca
from benchmarks.generator import Family, generate
from capalloc.compiling import compile_tables
from capalloc.verification import verify

T = TypeVar("T")

SIZES = (300, 1_000, 3_000, 10_000, 20_000, 100_000)
STAGES = ("generate", "load", "compile", "optimize", "verify", "tables")
SEED = 0


@dataclass(frozen=True, slots=True)
class Growth:
    """One portfolio measured.

    Parameters
    ----------
    seconds
        What each stage took, as time that passed and as time its threads worked.  ``optimize`` compiles and verifies
        once more.
    memory
        The most memory the process held, in GB.
    """

    family: Family
    projects: int
    entries: int
    seconds: dict[str, tuple[float, float]]
    memory: float
    value: float | None
    bound: float
    gap: float

    def line(self) -> str:
        """Return the row of the table, in Markdown."""
        times = [f"{passed:.1f} ({worked:.1f})" for passed, worked in map(self.seconds.__getitem__, STAGES)]
        value = "" if self.value is None else f"{self.value:,.0f}"
        cells = [self.family, f"{self.projects:,}", f"{self.entries:,}", *times, f"{self.memory:.2f}"]
        return f"| {' | '.join([*cells, value, f'{self.bound:,.0f}', f'{self.gap:.4%}'])} |"


HEAD = (
    f"| family | projects | entries | {' | '.join(STAGES)} | GB | value | bound | gap |\n|{'---|' * (len(STAGES) + 7)}"
)


def measure(family: Family, projects: int, time_limit: float, gap: float, threads: int) -> Growth:
    """Generate, load, compile, optimise, verify and tabulate one portfolio in this process."""
    seconds: dict[str, tuple[float, float]] = {}

    def timed(stage: str, work: Callable[[], T]) -> T:
        passed, worked = perf_counter(), process_time()
        answer = work()
        seconds[stage] = perf_counter() - passed, process_time() - worked
        return answer

    settings, frames = timed("generate", lambda: generate(family, projects, SEED))
    portfolio = timed("load", lambda: ca.Portfolio.from_tables(settings, frames))
    entries = timed("compile", lambda: compile_tables(portfolio.tables)).model.matrix.nnz
    plan = timed(
        "optimize",
        lambda: portfolio.optimize(engine="capalloc", time_limit=time_limit, gap=gap, threads=threads, seed=SEED),
    )
    allocation = plan.answer.allocation
    timed("verify", lambda: None if allocation is None else verify(portfolio.tables, allocation))
    timed("tables", lambda: (plan.projects, plan.funding, plan.envelopes))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e9 if sys.platform == "darwin" else 1e6)
    value = None if plan.value is None else float(plan.value)
    return Growth(family, projects, entries, seconds, memory, value, float(plan.bound), plan.gap)


def main(arguments: list[str] | None = None) -> int:
    """Measure each size in a process of its own and print the table; return 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, help="how many projects (300 to 100,000)")
    parser.add_argument("--family", choices=get_args(Family), default="yearly")
    parser.add_argument("--time-limit", type=float, default=300.0, help="seconds for optimising (300)")
    parser.add_argument("--gap", type=float, default=1e-3, help="stop at this gap (0.001)")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args(arguments)
    print(HEAD, flush=True)
    for projects in options.sizes or SIZES:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
            terms = (options.family, projects, options.time_limit, options.gap, options.threads)
            print(alone.submit(measure, *terms).result().line(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Solve benchmark cases, hold the answers against what is known, and print what was measured."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import capalloc as ca
from benchmarks.cases import Case, select
from benchmarks.judging import disagreements, number

HEADINGS = ("case", "status", "value", "best known", "known bound", "gap", "load s", "solve s")
LAYOUT = "{:<24} {:<11} {:>15} {:>15} {:>15} {:>8} {:>7} {:>8}"


@dataclass(frozen=True, slots=True)
class Run:
    """One case solved: the plan and how long loading and solving took."""

    case: Case
    plan: ca.Plan
    loaded: float
    solved: float

    def line(self) -> str:
        """Return the row of the table."""
        known = self.case.answer
        return LAYOUT.format(
            self.case.name,
            self.plan.status,
            number(self.plan.value),
            number(known.best if known else None),
            number(known.bound if known else None),
            f"{self.plan.gap:.3%}",
            f"{self.loaded:.2f}",
            f"{self.solved:.1f}",
        )


def solve(case: Case, folder: Path, options: argparse.Namespace) -> Run:
    """Load and optimise one case."""
    began = perf_counter()
    portfolio = case.portfolio(folder)
    loaded = perf_counter()
    plan = portfolio.optimize(
        engine=options.engine, time_limit=options.time_limit, gap=options.gap, threads=options.threads
    )
    return Run(case, plan, loaded - began, perf_counter() - loaded)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return 0 when nothing contradicts what is known, 1 when something does, 2 when nothing ran."""
    options = _parser().parse_args(arguments)
    try:
        cases = _runnable(select(options.patterns), options.instances)
    except ValueError as problem:
        print(problem, file=sys.stderr)
        return 2
    print(LAYOUT.format(*HEADINGS))
    wrong = 0
    for case in cases:
        run = solve(case, options.instances or Path(), options)
        print(run.line(), flush=True)
        for sentence in disagreements(case, run.plan, options.instances or Path()):
            wrong += 1
            print(f"    WRONG: {sentence}")
    print(f"{len(cases)} cases, {wrong} contradictions")
    return 1 if wrong else 0


def _runnable(cases: list[Case], folder: Path | None) -> list[Case]:
    if folder is None:
        kept = [case for case in cases if not case.file]
        if len(kept) < len(cases):
            print(f"{len(cases) - len(kept)} public instances are left out: no folder was given (--instances DIR).")
        if not kept:
            raise ValueError("Nothing is left to solve; benchmarks/README.md says where to get the public instances.")
        return kept
    missing = sorted({case.file for case in cases if case.file and not (folder / case.file).is_file()})
    if missing:
        raise ValueError(
            f"{folder} does not hold {', '.join(missing)}; benchmarks/README.md says where to get the public instances."
        )
    return cases


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("patterns", nargs="*", help="cases to run, such as 'mkp/*' (default: all)")
    parser.add_argument("--instances", type=Path, help="folder of the public instances; see benchmarks/README.md")
    parser.add_argument("--engine", default="highs", help="default: %(default)s")
    parser.add_argument("--time-limit", type=float, default=60.0, help="seconds a case (default: %(default)s)")
    parser.add_argument("--gap", type=float, default=0.0, help="stop at this gap (default: prove the optimum)")
    parser.add_argument("--threads", type=int, default=2, help="default: %(default)s")
    return parser


if __name__ == "__main__":
    sys.exit(main())

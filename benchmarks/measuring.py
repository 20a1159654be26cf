"""One run of one contender on one case, in a process of its own: ``python -m benchmarks.measuring CASE CONTENDER``."""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import capalloc as ca
from benchmarks.cases import CASES, Case
from benchmarks.contenders import CONTENDERS, Contender
from benchmarks.judging import TOLERANCE, disagreements
from benchmarks.records import FOLDER, Moment, Record, Terms, keep, path_of, thinned
from capalloc.answer import Answer
from capalloc.compiling import Compiled, compile_tables
from capalloc.model import Progress, SolveOptions
from capalloc.solving import solve_compiled
from capalloc.verification import verify


def measure(case: Case, contender: Contender, terms: Terms, folder: Path) -> Record:
    """Return what a contender does on a case within the terms; its failure is a result, not an error.

    Parameters
    ----------
    folder
        Of the public instances.
    """
    began = perf_counter()
    portfolio = case.portfolio(folder, terms.seed)
    loaded = perf_counter()
    compiled = compile_tables(portfolio.tables)
    model = compiled.model
    record = Record(
        case=case.name,
        contender=contender.name,
        version=contender.version or "",
        terms=terms,
        status="unfit",
        loading=loaded - began,
        compiling=perf_counter() - loaded,
        size=(*reversed(model.matrix.shape), model.matrix.nnz),
    )
    if contender.most is not None and max(model.matrix.shape) > contender.most:
        return replace(record, remark=f"more than {contender.most} columns or rows")
    return replace(_solved(record, case, contender, compiled, folder), megabytes=_megabytes())


def _solved(record: Record, case: Case, contender: Contender, compiled: Compiled, folder: Path) -> Record:
    seen: list[Progress] = []
    engine = contender.make()
    terms = record.terms
    options = SolveOptions(time_limit=terms.time_limit, gap=0.0, threads=terms.threads, seed=terms.seed)
    clock = perf_counter()
    try:
        answer = solve_compiled(compiled, options, engine, progress=seen.append)
    except ca.EngineFailed as failure:
        return replace(record, status="failed", remark=str(failure), seconds=perf_counter() - clock)
    seconds = perf_counter() - clock
    value = None if answer.value is None else float(answer.value)
    return replace(
        record,
        status=str(answer.status),
        value=value,
        bound=_finite(answer.bound),
        seconds=seconds,
        curve=thinned(_curve(seen, (seconds, value, _finite(answer.bound)))),
        wrong=(*_broken(compiled, answer), *disagreements(case, ca.Plan(compiled.tables, answer), folder)),
    )


def _broken(compiled: Compiled, answer: Answer) -> Iterator[str]:
    """Yield what the verifier finds wrong with a plan, asked once more and apart from the run."""
    if answer.allocation is None or answer.value is None:
        return
    audit = verify(compiled.tables, answer.allocation)
    yield from (str(issue) for issue in audit.violations)
    if audit.value != answer.value:
        yield f"claims {answer.value}, but the verifier makes it {audit.value}"
    if answer.bound < float(answer.value) - TOLERANCE * max(1.0, abs(answer.bound)):
        yield f"claims {answer.value} and that nothing exceeds {answer.bound}"


def _curve(seen: list[Progress], last: Moment) -> list[Moment]:
    """The best value and the least bound at each moment; those of single classes say nothing about the whole.

    Where a selection was cut off and the rest solved again, a bound below the last one holds for the rest only.
    """
    moments: list[Moment] = []
    value, bound = -math.inf, math.inf
    for news in seen:
        if news.class_ is None:
            value = max(value, -math.inf if news.value is None else news.value)
            bound = min(bound, max(news.bound, -math.inf if last[2] is None else last[2]))
            moments.append((news.seconds, _finite(value), _finite(bound)))
    return [*moments, last]


def _finite(amount: float) -> float | None:
    return amount if math.isfinite(amount) else None


def _megabytes() -> int:
    try:
        import resource
    except ImportError:  # Windows has no such module
        return 0
    own, children = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return (own + children) // (1024 if sys.platform != "darwin" else 1024**2)


def main(arguments: list[str] | None = None) -> int:
    """Measure one run and keep it."""
    options = _parser().parse_args(arguments)
    if options.cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, options.cores)
    terms = Terms(options.time_limit, options.threads, options.seed)
    case = next(case for case in CASES if case.name == options.case)
    record = measure(case, CONTENDERS[options.contender], terms, options.instances)
    keep(record, path_of(options.results, case.name, options.contender, terms))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.measuring", description=__doc__)
    parser.add_argument("case", choices=[case.name for case in CASES], metavar="CASE")
    parser.add_argument("contender", choices=list(CONTENDERS), metavar="CONTENDER")
    parser.add_argument("--instances", type=Path, default=Path())
    parser.add_argument("--results", type=Path, default=FOLDER)
    parser.add_argument("--time-limit", type=float, default=60.0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cores", type=int, nargs="*", help="the processors it may use (default: any)")
    return parser


if __name__ == "__main__":
    sys.exit(main())

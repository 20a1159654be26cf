"""Sweep an envelope of a portfolio: re-optimised step after step, against cold runs of HiGHS to the same gap."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median
from time import process_time

import capalloc as ca
from benchmarks.cases import select

CASES = ("scenarios/lai-chau", "generated/yearly-1000")
LOW, HIGH = 0.8, 1.2

HEADINGS = ("case", "steps", "re-optimised s", "median", "first", "cold", "mean s", "in gap", "times as fast")
LAYOUT = "{:<24} {:>6} {:>15} {:>7} {:>7} {:>5} {:>7} {:>7} {:>14}"

TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its changes, the plan, and the seconds of work that it took, changing and checking included."""

    changes: dict[str, str]
    plan: ca.Plan
    seconds: float


def steps_of(portfolio: ca.Portfolio, count: int) -> list[dict[str, str]]:
    """Return the changes of a sweep: all envelopes of the first source, from 80 to 120 % of what they are."""
    source = "+".join(portfolio.tables.envelopes[0].source)
    factors = [LOW + (HIGH - LOW) * step / max(1, count - 1) for step in range(count)]
    return [{f"envelopes.{source}.*.amount": f"*{factor:.6f}"} for factor in factors]


def swept(portfolio: ca.Portfolio, changes: list[dict[str, str]], options: argparse.Namespace) -> Iterator[Step]:
    """Yield the steps of a sweep, each begun from those before it."""
    limits = {"gap": options.gap, "time_limit": options.time_limit, "threads": options.threads}
    plans = ca.sweep(portfolio, changes, **limits)
    for each in changes:
        began = process_time()
        plan = next(plans)
        yield Step(each, plan, process_time() - began)


def cold(portfolio: ca.Portfolio, changes: list[dict[str, str]], options: argparse.Namespace) -> Iterator[Step]:
    """Yield what HiGHS finds for the same changes, each on its own."""
    for each in changes:
        began = process_time()
        plan = portfolio.with_changes(each).optimize(
            engine="highs", gap=options.gap, time_limit=options.time_limit, threads=options.threads
        )
        yield Step(each, plan, process_time() - began)


def contradictions(step: Step, other: Step) -> Iterator[str]:
    """Yield a sentence for each claim of one run of a portfolio that the other refutes."""
    for one, two in ((step, other), (other, step)):
        if two.plan.value is not None and one.plan.bound < two.plan.value - TOLERANCE * abs(two.plan.value):
            yield f"{one.changes}: nothing is said to exceed {one.plan.bound:,.4f}, but there is {two.plan.value:,.4f}"


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return 0 when no claim is refuted, 1 when one is, 2 when there is no such case."""
    options = parser().parse_args(arguments)
    try:
        cases = select(options.cases or list(CASES))
    except ValueError as problem:
        print(problem, file=sys.stderr)
        return 2
    print(LAYOUT.format(*HEADINGS), flush=True)
    wrong = 0
    for case in cases:
        portfolio = case.portfolio(Path())
        changes = steps_of(portfolio, options.steps)
        steps = list(swept(portfolio, changes, options))
        others = list(cold(portfolio, changes[:: options.every], options))
        print(_line(case.name, steps, others, options.gap), flush=True)
        for step, other in zip(steps[:: options.every], others, strict=True):
            for sentence in contradictions(step, other):
                wrong += 1
                print(f"    WRONG: {sentence}")
        for step in steps:
            if step.plan.gap > options.gap:
                print(f"    not within the gap: {step.changes}, {step.plan.gap:.3%}")
    return 1 if wrong else 0


def _line(name: str, steps: list[Step], others: list[Step], gap: float) -> str:
    whole, each = sum(step.seconds for step in steps), mean(other.seconds for other in others)
    reached = sum(other.plan.gap <= gap for other in others)
    return LAYOUT.format(
        name,
        len(steps),
        f"{whole:.2f}",
        f"{median(step.seconds for step in steps):.3f}",
        f"{steps[0].seconds:.2f}",
        len(others),
        f"{each:.2f}",
        reached,
        f"{each * len(steps) / whole:.1f}",
    )


def parser() -> argparse.ArgumentParser:
    """Return the reader of the command's arguments."""
    reader = argparse.ArgumentParser(prog="python -m benchmarks.sweep", description=__doc__)
    reader.add_argument("cases", nargs="*", help=f"cases to sweep (default: {', '.join(CASES)})")
    reader.add_argument("--steps", type=int, default=50, help="how many steps (default: %(default)s)")
    reader.add_argument("--every", type=int, default=1, help="run HiGHS at every so many steps (default: %(default)s)")
    reader.add_argument("--gap", type=float, default=1e-3, help="the gap of every step (default: %(default)s)")
    reader.add_argument("--time-limit", type=float, default=60.0, help="seconds a step (default: %(default)s)")
    reader.add_argument("--threads", type=int, default=1, help="threads (default: %(default)s)")
    return reader


if __name__ == "__main__":
    sys.exit(main())

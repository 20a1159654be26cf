"""How many scenarios an hour: sweeps of envelopes and costs, against plain loops: ``python -m benchmarks.throughput``.

A sweep is a grid of state envelopes and costs.  ``capalloc.run`` solves all of it; the plain loops solve every so many
of its scenarios, one after the other and each from nothing, and are counted at that speed.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from time import perf_counter
from typing import TypeAlias

import capalloc as ca
from benchmarks.generator import generate

Sweep: TypeAlias = Mapping[str, Mapping[str, str]]
Ends: TypeAlias = dict[str, tuple[float, float]]

LAI_CHAU = Path(__file__).parents[1] / "scenarios" / "lai-chau"
PLAIN = ("highs", "pulp:PULP_CBC_CMD")
LAYOUT = "{:<12} {:<26} {:>9} {:>9} {:>9} {:>9} {:>7} {:>14}"
HEADINGS = ("portfolio", "method", "scenarios", "seconds", "work", "an hour", "times", "times in work")

# A bound and a value of two runs may differ by the last digits of floats.
NOISE = 1e-6


@dataclass(frozen=True, slots=True)
class Speed:
    """How long a method took for so many scenarios, and between which value and bound each of them ended.

    ``work`` counts the seconds of the processors, of all processes together.
    """

    method: str
    scenarios: int
    seconds: float
    work: float
    ends: Ends

    @property
    def an_hour(self) -> float:
        """Scenarios an hour."""
        return 3600 * self.scenarios / self.seconds


class Watch:
    """Seconds by the clock and of work since it was made; work counts of processes that have ended."""

    def __init__(self) -> None:
        self._began, self._worked = perf_counter(), sum(os.times()[:4])

    def read(self) -> tuple[float, float]:
        """Return both."""
        return perf_counter() - self._began, sum(os.times()[:4]) - self._worked


def portfolios(names: list[str]) -> Iterator[tuple[str, ca.Portfolio]]:
    """Yield the portfolios by their names: ``lai-chau``, or how many projects are generated."""
    for name in names:
        if name == "lai-chau":
            yield name, ca.load(LAI_CHAU)
        else:
            yield f"phase-{name}", ca.Portfolio.from_tables(*generate("phase", int(name), seed=1))


def sweep(envelopes: int, costs: int) -> Sweep:
    """Return a grid: money from 85 to 115 % of what it is, costs from 95 to 110 %."""
    money = [f"*{0.85 + 0.3 * step / max(1, envelopes - 1):.4f}" for step in range(envelopes)]
    dear = [f"*{0.95 + 0.15 * step / max(1, costs - 1):.4f}" for step in range(costs)]
    return {
        f"{amount} {cost}": {"envelopes.*.*.amount": amount, "projects.*.cost": cost}
        for cost, amount in product(dear, money)
    }


def together(portfolio: ca.Portfolio, scenarios: Sweep, options: argparse.Namespace) -> Speed:
    """Run a sweep by ``capalloc.run``, into a store that is thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        watch = Watch()
        runs = ca.run(
            portfolio,
            scenarios,
            store=Path(folder) / "runs.sqlite",
            workers=int(options.workers) if options.workers.isdecimal() else options.workers,
            gap=options.gap,
            time_limit=options.time_limit,
            progress=options.progress,
        )
        spent = watch.read()
        frame = runs.to_frame().iloc[1:]
    ends = {row.scenario: (row.value, row.bound) for row in frame.dropna(subset=["value"]).itertuples()}
    return Speed("capalloc.run", len(scenarios), *spent, ends)


def alone(portfolio: ca.Portfolio, scenarios: Sweep, engine: str, options: argparse.Namespace) -> Speed:
    """Run every so many scenarios of a sweep in a loop, each from nothing."""
    ends: Ends = {}
    asked = list(scenarios.items())[:: options.every]
    watch = Watch()
    for name, changes in asked:
        plan = portfolio.with_changes(changes).optimize(
            engine=engine, gap=options.gap, threads=options.threads, time_limit=options.time_limit
        )
        if plan.value is not None:
            ends[name] = (plan.value, plan.bound)
    return Speed(f"loop of {engine}", len(asked), *watch.read(), ends)


def contradictions(speeds: list[Speed]) -> Iterator[str]:
    """Yield a sentence for each scenario whose value by one method passes the bound by another."""
    for one, other in product(speeds, speeds):
        for name, (value, _) in one.ends.items():
            bound = other.ends.get(name, (0.0, float("inf")))[1]
            if value > bound + NOISE * abs(value):
                yield f"{name}: {one.method} reaches {value:,.2f}, {other.method} proves at most {bound:,.2f}"


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return 0, or 1 when two methods contradict each other."""
    options = _parser().parse_args(arguments)
    print(LAYOUT.format(*HEADINGS), flush=True)
    wrong = 0
    for name, portfolio in portfolios(options.portfolios):
        scenarios = sweep(options.envelopes, options.costs)
        speeds = [together(portfolio, scenarios, options)]
        for speed in _measured(speeds, portfolio, scenarios, options):
            print(LAYOUT.format(name, speed.method, speed.scenarios, *_cells(speed, speeds[0])), flush=True)
        for sentence in contradictions(speeds):
            wrong += 1
            print(f"    WRONG: {sentence}")
    return 1 if wrong else 0


def _cells(speed: Speed, first: Speed) -> Iterator[str]:
    """What is shown of a method: its seconds and rate, and how many times as fast the first is."""
    yield f"{speed.seconds:.1f}"
    yield f"{speed.work:.1f}"
    yield f"{speed.an_hour:,.0f}"
    yield f"{first.an_hour / speed.an_hour:.1f}"
    yield f"{speed.work / speed.scenarios / (first.work / first.scenarios):.1f}"


def _measured(
    speeds: list[Speed], portfolio: ca.Portfolio, scenarios: Sweep, options: argparse.Namespace
) -> Iterator[Speed]:
    """Yield what is measured as soon as it is, and keep it."""
    yield speeds[0]
    for engine in options.plain:
        speeds.append(alone(portfolio, scenarios, engine, options))
        yield speeds[-1]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.throughput", description=__doc__)
    parser.add_argument("portfolios", nargs="*", default=["lai-chau", "1000"], help="lai-chau, or a number of projects")
    parser.add_argument("--envelopes", type=int, default=20, help="steps of the envelopes (default: %(default)s)")
    parser.add_argument("--costs", type=int, default=10, help="steps of the costs (default: %(default)s)")
    parser.add_argument("--every", type=int, default=10, help="plain loops take every so many (default: %(default)s)")
    parser.add_argument("--plain", nargs="*", default=PLAIN, help="engines of the plain loops (default: %(default)s)")
    parser.add_argument("--gap", type=float, default=1e-3, help="default: %(default)s")
    parser.add_argument("--time-limit", type=float, default=60.0, help="seconds a scenario (default: %(default)s)")
    parser.add_argument("--workers", default="2", help="of capalloc.run: a number, or dask://host:port (default: 2)")
    parser.add_argument("--threads", type=int, default=2, help="of the plain loops (default: %(default)s)")
    parser.add_argument("--progress", action="store_true", help="show the run live")
    return parser


if __name__ == "__main__":
    sys.exit(main())

"""What contradicts a plan: what is published about its case, and the case's own file read by the referee."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import capalloc as ca
from benchmarks.cases import Case
from benchmarks.instances import FIRST_YEAR

# Published values are rounded, and ours to a millionth an option.
TOLERANCE = 1e-6


def disagreements(case: Case, plan: ca.Plan, folder: Path) -> Iterator[str]:
    """Yield a sentence for everything about a plan that contradicts what is published."""
    known = case.answer
    if known is not None:
        slack = TOLERANCE * max(1.0, abs(float(known.best)))
        if plan.status == "infeasible":
            yield f"called infeasible, but a plan of {number(known.best)} is published"
        elif plan.bound < known.best - slack:
            yield f"claims that nothing exceeds {number(plan.bound)}, but a plan of {number(known.best)} is published"
        if plan.value is not None and plan.value > known.bound + slack:
            yield f"claims {number(plan.value)}, but it is proved that nothing exceeds {number(known.bound)}"
    if case.referee is not None and plan.projects is not None:
        funded = plan.projects[plan.projects["funded"]]
        starts = {
            project: int(start) - FIRST_YEAR for project, start in zip(funded["project"], funded["start"], strict=True)
        }
        judgement = case.referee(folder / case.file, starts)
        yield from judgement.breaches
        if plan.value is None or abs(judgement.value - plan.value) > TOLERANCE * abs(judgement.value):
            yield f"claims {number(plan.value)}, but the file makes it {judgement.value:,.4f}"


def number(amount: Fraction | float | None) -> str:
    """Return a number with at most four decimals, ``-`` for none."""
    if amount is None:
        return "-"
    return f"{float(amount):,.4f}".rstrip("0").rstrip(".")

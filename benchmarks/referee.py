"""A reading of a published instance that shares nothing with the tables: what a plan is worth and what it breaks."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

Referee: TypeAlias = Callable[[Path, Mapping[str, int]], "Judgement"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """The value of a plan, and one sentence for every statement of the instance that it breaks."""

    value: float
    breaches: tuple[str, ...]


def judge_ppssp(path: Path, starts: Mapping[str, int]) -> Judgement:
    """Judge a schedule against the JSON file of a project selection and scheduling instance.

    Parameters
    ----------
    path
        The file.
    starts
        Of each chosen project, numbered from 1 in the order of the file, the year of its start, 0 for the first.
    """
    raw = json.loads(path.read_text(encoding="utf-8"))
    chosen = {int(name) - 1: start for name, start in starts.items()}
    growth = 1 + raw["discount_rate"]
    value = math.fsum(
        benefit / growth ** (start + offset)
        for index, start in chosen.items()
        for offset, benefit in enumerate(raw["projects"][index]["value"])
    )
    return Judgement(value, (*_broken_budgets(raw, chosen), *_broken_orders(raw, chosen)))


def _broken_budgets(raw: dict[str, Any], chosen: dict[int, int]) -> Iterator[str]:
    spent: dict[tuple[str, int], float] = defaultdict(float)
    for index, start in chosen.items():
        project = raw["projects"][index]
        for offset, cost in enumerate(project["cost"]):
            year = start + offset
            spent["budget", year] += cost
            spent["initiation_budget" if offset == 0 else "ongoing_budget", year] += cost
            if year < raw["planning_window"]:
                spent["capability_stream_budgets", project["capability_stream"]] += cost
    for (row, place), amount in spent.items():
        if amount > raw[row][place]:
            yield f"{row} {place}: {amount} is spent of {raw[row][place]}"


def _broken_orders(raw: dict[str, Any], chosen: dict[int, int]) -> Iterator[str]:
    for index, start in chosen.items():
        project = raw["projects"][index]
        if not 0 <= start < raw["planning_window"]:
            yield f"project {index + 1} starts in year {start}, outside the window"
        for first in project["prerequisite_list"]:
            if first not in chosen:
                yield f"project {index + 1} is chosen without its prerequisite {first + 1}"
            elif chosen[first] + raw["projects"][first]["duration"] > start:
                yield f"project {index + 1} starts before its prerequisite {first + 1} is finished"
        for other in project["exclusion_list"]:
            if other in chosen:
                yield f"projects {index + 1} and {other + 1} exclude each other"

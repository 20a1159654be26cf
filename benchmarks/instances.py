"""Readers of public instance formats: each returns the settings and the tables of a portfolio.

The data themselves are not part of this project; README.md says where each family was published.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeAlias
from xml.etree import ElementTree as ET

import numpy as np
import numpy.typing as npt
import pandas as pd

Instance: TypeAlias = tuple[dict[str, Any], dict[str, pd.DataFrame]]

FIRST_YEAR = 2001
"""The instances count years from 0 or 1, or have none; this is the calendar year of the first."""


@dataclass(frozen=True, slots=True)
class Knapsack:
    """Choose items of the greatest value within every capacity.

    Parameters
    ----------
    values
        Shape (n,).
    uses
        Shape (m, n): what each item takes of each capacity.
    capacities
        Shape (m,).
    """

    values: npt.NDArray[np.float64]
    uses: npt.NDArray[np.float64]
    capacities: npt.NDArray[np.float64]

    def portfolio(self, title: str) -> Instance:
        """Return the knapsack as a portfolio of one year: items are projects, capacities are resources."""
        rows, items = np.nonzero(self.uses)
        uses = pd.DataFrame(
            {
                "project": _ids(len(self.values))[items],
                "resource": _ids(len(self.capacities))[rows],
                "amount": self.uses[rows, items],
            }
        )
        frames = {
            "projects": pd.DataFrame({"id": _ids(len(self.values)), "value": self.values}),
            **_resources_of_one_year(self.capacities),
            "uses": uses,
        }
        return _settings(title, years=1), frames


def read_mkp(path: Path, number: int) -> Knapsack:
    """Read one problem, counted from 1, of an OR-Library file such as ``mknap1.txt`` or ``mknapcb1.txt``.

    Raises
    ------
    ValueError
        When the file ends before the problem does, or holds more numbers than its problems announce.
    """
    numbers = np.array(path.read_text(encoding="utf-8").split(), dtype=float)
    problems = []
    at = 1
    for _ in range(int(numbers[0])):
        n, m, _optimum = (int(number) for number in _cut(numbers, at, (3,), path)[0])
        parts = _cut(numbers, at + 3, (n, m * n, m), path)
        problems.append(Knapsack(parts[0], parts[1].reshape(m, n), parts[2]))
        at += 3 + n + m * n + m
    _expect_end(numbers, at, path)
    return problems[number - 1]


def read_named_mkp(path: Path, name: str) -> Knapsack:
    """Read the problem of a name from an OR-Library file such as ``mknap2.txt``.

    Raises
    ------
    ValueError
        When the file has no such problem, or the problem has not the numbers its first line announces.
    """
    found = dict(re.findall(r"problem\s+(\S+)\.DAT\s+\++\s+([^+]*)", path.read_text(encoding="utf-8")))
    if name not in found:
        raise ValueError(f"{path} has no problem {name}; it has {', '.join(found)}")
    numbers = np.array(found[name].split(), dtype=float)
    m, n = int(numbers[0]), int(numbers[1])
    values, capacities, uses, _optimum = _cut(numbers, 2, (n, m, m * n, 1), path)
    _expect_end(numbers, 2 + n + m + m * n + 1, path)
    return Knapsack(values, uses.reshape(m, n), capacities)


def read_mmkp(path: Path) -> Instance:
    """Read a multiple-choice knapsack of Khan: exactly one item of each group, within every capacity.

    A group is a mandatory project, its items are the project's modes.
    """
    # What follows the data, in words, are answers; the files write them after the last number on the same page.
    numbers = np.array(re.split(r"[A-Za-z]", path.read_text(encoding="utf-8"), maxsplit=1)[0].split(), dtype=float)
    groups, items, resources = (int(number) for number in numbers[:3])
    capacities, rest = _cut(numbers, 3, (resources, groups * (1 + items * (1 + resources))), path)
    _expect_end(numbers, 3 + resources + len(rest), path)
    body = rest.reshape(groups, -1)[:, 1:].reshape(groups * items, 1 + resources)
    project = np.repeat(_ids(groups), items)
    mode = np.tile(_ids(items), groups)
    option, resource = np.nonzero(body[:, 1:])
    frames = {
        "projects": pd.DataFrame({"id": _ids(groups), "mandatory": True}),
        "modes": pd.DataFrame({"project": project, "mode": mode, "value": body[:, 0]}),
        **_resources_of_one_year(capacities),
        "uses": pd.DataFrame(
            {
                "project": project[option],
                "mode": mode[option],
                "resource": _ids(resources)[resource],
                "amount": body[option, 1 + resource],
            }
        ),
    }
    return _settings(path.name, years=1), frames


def read_nrp(path: Path, ratio: Fraction) -> Instance:
    """Read a next release problem: which customers to serve when each needs requirements and the budget is short.

    Requirements cost and are worth nothing; customers are worth their profit, cost nothing and require all they asked
    for.  A requirement requires its prerequisites.  The budget is ``ratio`` times the cost of all requirements, rounded
    half up.
    """
    numbers = [int(word) for word in path.read_text(encoding="utf-8").split()]
    costs, at = [], 1
    for _ in range(numbers[0]):
        costs += numbers[at + 1 : at + 1 + numbers[at]]
        at += 1 + numbers[at]
    pairs = np.array(numbers[at + 1 : at + 1 + 2 * numbers[at]], dtype=int).reshape(-1, 2)
    at += 1 + 2 * numbers[at]
    profits, asked = _read_customers(numbers[at:], path)
    requirement = _ids(len(costs), "r")
    customer = _ids(len(profits), "c")
    requires = pd.concat(
        [
            pd.DataFrame({"first": requirement[pairs[:, 0] - 1], "then": requirement[pairs[:, 1] - 1]}),
            pd.DataFrame({"first": requirement[asked[:, 1] - 1], "then": customer[asked[:, 0]]}),
        ]
    )
    frames = {
        "projects": pd.DataFrame(
            {
                "id": np.concatenate([requirement, customer]),
                "cost": np.concatenate([costs, np.zeros(len(profits), dtype=int)]),
                "value": np.concatenate([np.zeros(len(costs), dtype=int), profits]),
            }
        ),
        # A customer may ask for the same requirement twice.
        "dependencies": requires.drop_duplicates(ignore_index=True).assign(kind="requires"),
        "sources": pd.DataFrame({"id": ["budget"], "side": ["state"]}),
        "envelopes": pd.DataFrame(
            {
                "source": ["budget"],
                "period": [str(FIRST_YEAR)],
                "amount": [int(ratio * sum(costs) + Fraction(1, 2))],
            }
        ),
    }
    return _settings(f"{path.stem} {float(ratio):.0%}", years=1), frames


def _read_customers(numbers: list[int], path: Path) -> tuple[list[int], npt.NDArray[np.int64]]:
    profits: list[int] = []
    asked: list[tuple[int, int]] = []
    at = 1
    for customer in range(numbers[0]):
        profit, count = numbers[at : at + 2]
        profits.append(profit)
        asked += [(customer, requirement) for requirement in numbers[at + 2 : at + 2 + count]]
        at += 2 + count
    _expect_end(numbers, at, path)
    return profits, np.array(asked, dtype=np.int64).reshape(-1, 2)


def read_logos(path: Path) -> Instance:
    """Read a capital budgeting case of LOGOS: one option of each investment, yearly capital, mandatory investments.

    Options are modes; all start in the first year, so that an option delayed by a year is a mode whose first cost is 0.
    The capital is a source with an envelope each year.  Without years there is one.

    Raises
    ------
    ValueError
        When the case has several resources: a cost is paid by the sources of a project together, so that amounts due to
        each of them by name would have to become uses of resources instead.
    """
    root = ET.parse(path).getroot()  # noqa: S314 - a local file that the caller names
    investments = _words(root, "Sets/investments")
    if len(_words(root, "Sets/resources")) > 1:
        raise ValueError(f"{path} has several resources; only cases with one are read")
    years = len(_words(root, "Sets/time_periods")) or 1
    listed = [_split(part) for part in (root.findtext("Sets/options") or "").split(";") if part.strip()]
    options = listed or [["1"]] * len(investments)
    project = np.repeat(np.array(investments, dtype=object), [len(names) for names in options])
    mode = np.array([name for names in options for name in names], dtype=object)
    costs = _decimals(root, "Parameters/costs", len(mode) * years)
    capital = _decimals(root, "Parameters/available_capitals", years)
    whole = all(amount == int(amount) for amount in [*costs, *capital])
    # One option each is forced on the mandatory, and on all where doing nothing is an option of its own.
    forced = set(
        investments if root.findtext("Settings/nonSelection") == "True" else _words(root, "Settings/mandatory")
    )
    frames = {
        "projects": pd.DataFrame(
            {
                "id": investments,
                "duration": years,
                "mandatory": [name in forced for name in investments],
            }
        ),
        "modes": pd.DataFrame(
            {
                "project": project,
                "mode": mode,
                "value": _decimals(root, "Parameters/net_present_values", len(mode)),
            }
        ),
        "costs": pd.DataFrame(
            {
                "project": np.repeat(project, years),
                "mode": np.repeat(mode, years),
                "offset": np.tile(np.arange(years), len(mode)),
                "amount": costs,
            }
        ),
        "sources": pd.DataFrame({"id": ["capital"], "side": ["state"]}),
        "envelopes": pd.DataFrame({"source": "capital", "period": _years(years), "amount": capital}),
    }
    return _settings(path.stem, years, money="million VND" if whole else "billion VND"), frames


def _words(root: ET.Element, where: str) -> list[str]:
    return _split(root.findtext(where) or "")


def _split(text: str) -> list[str]:
    return text.replace(",", " ").split()


def _decimals(root: ET.Element, where: str, count: int) -> list[Decimal]:
    numbers = [Decimal(word) for word in _words(root, where)]
    if len(numbers) != count:
        raise ValueError(f"{where} holds {len(numbers)} numbers instead of {count}")
    return numbers


def read_ppssp(path: Path) -> Instance:
    """Read a project selection and scheduling instance of Liu and others.

    Every cost is a use of three yearly resources (all costs; those of first years; those of later years) and of the
    stream the project belongs to, whose budget covers the years in which projects may start.  A prerequisite finishes
    before its successor starts; excluded pairs are not both chosen; benefits are discounted from the first year.

    Raises
    ------
    ValueError
        When the instance limits how many projects start in a year, which no instance published does.
    """
    raw = json.loads(path.read_text(encoding="utf-8"))
    projects = raw["projects"]
    if raw["initiation_range"][1] < len(projects):
        raise ValueError(f"{path} limits the projects started in a year; that limit is not read")
    ids = _ids(len(projects))
    durations = np.array([project["duration"] for project in projects])
    owner = np.repeat(np.arange(len(projects)), durations)
    offset = np.concatenate([np.arange(duration) for duration in durations])
    amount = np.concatenate([project["cost"] for project in projects])
    benefit = np.concatenate([project["value"] for project in projects])
    frames = {
        "projects": pd.DataFrame(
            {
                "id": ids,
                "duration": durations,
                "latest_start": FIRST_YEAR + raw["planning_window"] - 1,
            }
        ),
        "benefits": pd.DataFrame({"project": ids[owner], "offset": offset, "amount": benefit}),
        "dependencies": _ppssp_dependencies(projects, ids),
        "resources": pd.DataFrame({"id": ["all", "first", "later", *_streams(raw)]}),
        "uses": _ppssp_uses(projects, owner, offset, amount),
        "capacities": _ppssp_capacities(raw),
    }
    settings = _settings(raw["identifier"], years=raw["budget_window"])
    settings |= {"discount_rate": raw["discount_rate"], "objective": {"value_from": "benefits"}}
    return settings, frames


def _streams(raw: dict[str, Any]) -> list[str]:
    return [f"stream-{stream}" for stream in range(len(raw["capability_stream_budgets"]))]


def _ppssp_uses(
    projects: list[dict[str, Any]],
    owner: npt.NDArray[np.int64],
    offset: npt.NDArray[np.int64],
    amount: npt.NDArray[np.float64],
) -> pd.DataFrame:
    stream = np.array([f"stream-{project['capability_stream']}" for project in projects], dtype=object)
    cost = pd.DataFrame({"project": _ids(len(projects))[owner], "offset": offset, "amount": amount})
    phase_of_work = np.where(offset == 0, "first", "later")
    uses = [cost.assign(resource=resource) for resource in ("all", phase_of_work, stream[owner])]
    together = pd.concat(uses, ignore_index=True)
    return together[together["amount"] > 0].reset_index(drop=True)


def _ppssp_capacities(raw: dict[str, Any]) -> pd.DataFrame:
    window, horizon = raw["planning_window"], raw["budget_window"]
    yearly = {"all": raw["budget"], "first": raw["initiation_budget"], "later": raw["ongoing_budget"]}
    rows = [pd.DataFrame({"resource": name, "period": _years(horizon), "amount": row}) for name, row in yearly.items()]
    starts = f"{FIRST_YEAR}:{FIRST_YEAR + window - 1}"
    rows.append(pd.DataFrame({"resource": _streams(raw), "period": starts, "amount": raw["capability_stream_budgets"]}))
    if horizon > window:
        # A stream has no budget after the starts; all that its projects can cost never binds.
        later = f"{FIRST_YEAR + window}:{FIRST_YEAR + horizon - 1}"
        ample = sum(sum(project["cost"]) for project in raw["projects"])
        rows.append(pd.DataFrame({"resource": _streams(raw), "period": later, "amount": ample}))
    return pd.concat(rows, ignore_index=True)


def _ppssp_dependencies(projects: list[dict[str, Any]], ids: npt.NDArray[np.object_]) -> pd.DataFrame:
    before = [(first, then) for then, project in enumerate(projects) for first in project["prerequisite_list"]]
    # An exclusion may be written at one end or at both.
    apart = sorted(
        {
            (min(pair), max(pair))
            for index, project in enumerate(projects)
            for pair in ((index, other) for other in project["exclusion_list"])
        }
    )
    pairs = np.array(before + apart, dtype=int).reshape(-1, 2)
    kind = ["finish_start"] * len(before) + ["excludes"] * len(apart)
    return pd.DataFrame({"kind": kind, "first": ids[pairs[:, 0]], "then": ids[pairs[:, 1]]})


def _settings(title: str, years: int, money: str = "million VND") -> dict[str, Any]:
    return {"title": title, "first_year": FIRST_YEAR, "last_year": FIRST_YEAR + years - 1, "money": money}


def _years(count: int) -> list[str]:
    return [str(FIRST_YEAR + year) for year in range(count)]


def _ids(count: int, prefix: str = "") -> npt.NDArray[np.object_]:
    return np.array([f"{prefix}{number}" for number in range(1, count + 1)], dtype=object)


def _resources_of_one_year(capacities: npt.NDArray[np.float64]) -> dict[str, pd.DataFrame]:
    ids = _ids(len(capacities))
    return {
        "resources": pd.DataFrame({"id": ids}),
        "capacities": pd.DataFrame({"resource": ids, "period": str(FIRST_YEAR), "amount": capacities}),
    }


def _cut(
    numbers: npt.NDArray[np.float64], at: int, lengths: tuple[int, ...], path: Path
) -> list[npt.NDArray[np.float64]]:
    ends = at + np.cumsum(lengths)
    if ends[-1] > len(numbers):
        raise ValueError(f"{path} ends after {len(numbers)} numbers, in the middle of a problem")
    return np.split(numbers[at : ends[-1]], ends[:-1] - at)


def _expect_end(numbers: Sequence[float] | npt.NDArray[np.float64], at: int, path: Path) -> None:
    if at != len(numbers):
        raise ValueError(f"{path} holds {len(numbers) - at:+} numbers against what its first lines announce")

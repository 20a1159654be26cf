"""The benchmark cases: each has a name, builds its portfolio, and knows the published answer where there is one."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from fractions import Fraction
from functools import partial
from pathlib import Path

import capalloc as ca
from benchmarks.generator import Family, generate
from benchmarks.instances import (
    Instance,
    read_logos,
    read_mkp,
    read_mmkp,
    read_named_mkp,
    read_nrp,
    read_ppssp,
)
from benchmarks.referee import Referee, judge_ppssp

SIZES = (100, 300, 1_000, 3_000)
LARGE = (10_000, 20_000, 100_000)
GENERATED: tuple[tuple[Family, int], ...] = tuple(
    (family, size) for size in SIZES + LARGE for family in ("phase", "yearly", "tight")
)

SCENARIOS = Path(__file__).parents[1] / "scenarios"


@dataclass(frozen=True, slots=True)
class Answer:
    """The value of the best plan published, and the least published bound; equal when the plan is proved optimal."""

    best: Fraction
    bound: Fraction


@dataclass(frozen=True, slots=True)
class Case:
    """One portfolio to solve.

    Parameters
    ----------
    name
        ``family/instance``.
    read
        From the folder of the instances and a seed to its portfolio; only a generated case heeds the seed.
    file
        Inside the folder of the instances; empty for a generated case and for a scenario.
    answer
        ``None`` where nothing is published.
    referee
        Judges a plan from the file itself; ``None`` where the value of the plan says enough.
    large
        Whether it is solved only when it is asked for by name.
    """

    name: str
    read: Callable[[Path, int], ca.Portfolio]
    file: str
    answer: Answer | None
    referee: Referee | None = None
    large: bool = False

    @property
    def family(self) -> str:
        """The part of the name before the stroke."""
        return self.name.partition("/")[0]

    def portfolio(self, folder: Path, seed: int = 1) -> ca.Portfolio:
        """Return the portfolio, read from ``folder`` or generated from ``seed``."""
        return self.read(folder / self.file, seed)


def select(patterns: list[str]) -> list[Case]:
    """Return the cases whose name matches one of the patterns (``mkp/*``), in their own order.

    Without patterns these are all but the large ones.

    Raises
    ------
    ValueError
        When a pattern matches no case.
    """
    names = [case.name for case in CASES]
    idle = [pattern for pattern in patterns if not any(fnmatch(name, pattern) for name in names)]
    if idle:
        raise ValueError(f"No case matches {', '.join(idle)}; there are {', '.join(names)}")
    return [
        case
        for case in CASES
        if (any(fnmatch(case.name, pattern) for pattern in patterns) if patterns else not case.large)
    ]


def _answers() -> dict[str, Answer]:
    with Path(__file__).with_name("answers.csv").open(encoding="utf-8", newline="") as file:
        return {row["case"]: Answer(Fraction(row["best"]), Fraction(row["bound"])) for row in csv.DictReader(file)}


def _cases() -> Iterator[Case]:
    answers = _answers()
    for name, answer in answers.items():
        family, _, instance = name.partition("/")
        file, read, referee = _reading(family, instance)
        yield Case(name, partial(_published, read), f"{family}/{file}", answer, referee)
    for folder in sorted(path.parent for path in SCENARIOS.glob("*/portfolio.toml")):
        yield Case(f"scenarios/{folder.name}", partial(_scenario, folder), "", _expected(folder))
    for kind, projects in GENERATED:
        name = f"generated/{kind}-{projects}"
        yield Case(name, partial(_generated, kind, projects), "", None, large=projects in LARGE)


def _reading(family: str, instance: str) -> tuple[str, Callable[[Path], Instance], Referee | None]:
    """Return the file of an instance in its family's folder, its reader and its referee."""
    if family == "mmkp":
        return instance, read_mmkp, None
    if family == "logos":
        return f"{instance}.xml", read_logos, None
    if family == "ppssp":
        return f"{instance}.json", read_ppssp, judge_ppssp
    if family == "nrp":
        stem, _, percent = instance.rpartition("-")
        return f"{stem}.txt", partial(_released, Fraction(int(percent), 100)), None
    return *_knapsack(instance), None


def _knapsack(instance: str) -> tuple[str, Callable[[Path], Instance]]:
    stem, _, number = instance.rpartition("-")
    if stem == "mknap1":
        return "mknap1.txt", partial(_numbered_knapsack, int(number), instance)
    if stem == "5.100":
        return "mknapcb1.txt", partial(_numbered_knapsack, int(number) + 1, instance)
    return "mknap2.txt", partial(_named_knapsack, instance)


def _numbered_knapsack(number: int, title: str, path: Path) -> Instance:
    return read_mkp(path, number).portfolio(title)


def _named_knapsack(name: str, path: Path) -> Instance:
    return read_named_mkp(path, name).portfolio(name)


def _released(ratio: Fraction, path: Path) -> Instance:
    return read_nrp(path, ratio)


def _published(read: Callable[[Path], Instance], path: Path, _seed: int) -> ca.Portfolio:
    return ca.Portfolio.from_tables(*read(path))


def _scenario(folder: Path, _path: Path, _seed: int) -> ca.Portfolio:
    return ca.load(folder)


def _expected(folder: Path) -> Answer:
    known = tomllib.loads((folder / "expected.toml").read_text(encoding="utf-8"), parse_float=Fraction)["plan"]
    return Answer(known["value"], known["bound"])


def _generated(family: Family, projects: int, _path: Path, seed: int) -> ca.Portfolio:
    return ca.Portfolio.from_tables(*generate(family, projects, seed))


CASES = tuple(_cases())

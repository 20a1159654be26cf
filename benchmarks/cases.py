"""The benchmark cases: each has a name, builds its portfolio, and knows the published answer where there is one."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from fractions import Fraction
from functools import partial
from pathlib import Path

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
GENERATED: tuple[tuple[Family, int], ...] = tuple((family, size) for size in SIZES for family in ("phase", "yearly"))


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
        From its file to its portfolio; a generated case reads none.
    file
        Inside the folder of the instances; empty for a generated case.
    answer
        ``None`` where nothing is published.
    referee
        Judges a plan from the file itself; ``None`` where the value of the plan says enough.
    """

    name: str
    read: Callable[[Path], Instance]
    file: str
    answer: Answer | None
    referee: Referee | None = None

    @property
    def family(self) -> str:
        """The part of the name before the stroke."""
        return self.name.partition("/")[0]

    def build(self, folder: Path) -> Instance:
        """Return settings and tables, read from ``folder`` unless the case is generated."""
        return self.read(folder / self.file)


def select(patterns: list[str]) -> list[Case]:
    """Return the cases whose name matches one of the patterns (``mkp/*``), in their own order; all without patterns.

    Raises
    ------
    ValueError
        When a pattern matches no case.
    """
    names = [case.name for case in CASES]
    idle = [pattern for pattern in patterns if not any(fnmatch(name, pattern) for name in names)]
    if idle:
        raise ValueError(f"No case matches {', '.join(idle)}; there are {', '.join(names)}")
    return [case for case in CASES if not patterns or any(fnmatch(case.name, pattern) for pattern in patterns)]


def _answers() -> dict[str, Answer]:
    with Path(__file__).with_name("answers.csv").open(encoding="utf-8", newline="") as file:
        return {row["case"]: Answer(Fraction(row["best"]), Fraction(row["bound"])) for row in csv.DictReader(file)}


def _cases() -> Iterator[Case]:
    answers = _answers()
    for name, answer in answers.items():
        family, _, instance = name.partition("/")
        file, read, referee = _reading(family, instance)
        yield Case(name, read, f"{family}/{file}", answer, referee)
    for kind, projects in GENERATED:
        yield Case(f"generated/{kind}-{projects}", partial(_generated, kind, projects), "", None)


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


def _generated(family: Family, projects: int, _path: Path) -> Instance:
    return generate(family, projects, seed=1)


CASES = tuple(_cases())

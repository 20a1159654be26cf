"""The compiled model handed to the user as a problem of PuLP or an MPS file, in the portfolio's words; and back."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from capalloc.answer import Answer
from capalloc.arguments import expect
from capalloc.compiling import Compiled, compile_tables
from capalloc.engines.mps import mps_text
from capalloc.engines.pulp_bridge import point_of, to_pulp
from capalloc.evaluation import Wish, evaluate
from capalloc.financing import finance
from capalloc.issues import InvalidInput, error
from capalloc.model import Block, LinearModel, SolveOptions, Status, StoppedBy
from capalloc.tables import Tables
from capalloc.verification import verify
from capalloc.writing import write_atomically

if TYPE_CHECKING:
    import pulp


def to_problem(tables: Tables) -> pulp.LpProblem:
    """Return the model as a maximisation in PuLP whose objective is the value of the plan."""
    compiled = compile_tables(tables)
    return to_pulp(_in_units(compiled), *labels(compiled))


def write_model(tables: Tables, path: Path) -> None:
    """Write the model as an MPS file that minimises the negated value of the plan."""
    compiled = compile_tables(tables)
    write_atomically(path, mps_text(_in_units(compiled), *labels(compiled)))


def from_problem(tables: Tables, problem: pulp.LpProblem) -> Answer:
    """Return what a solved problem of :func:`to_problem` says, paid in whole units and verified.

    Nothing is claimed about other plans, because the problem may have been changed.  Choices that the tables do not
    allow are judged like a hand-made list.

    Raises
    ------
    InvalidInput
        When the problem holds no solution of this portfolio's model.
    """
    import pulp

    expect("problem", problem, pulp.LpProblem, "problem")
    clock = perf_counter()
    compiled = compile_tables(tables)
    x = point_of(problem, compiled.model, labels(compiled)[0])
    if x is None:
        raise InvalidInput([error("problem-without-solution")])
    allocation = finance(compiled, x)
    audit = verify(tables, allocation) if allocation is not None else None
    if allocation is None or audit is None or audit.violations:
        scales = compiled.scales
        parts = {
            int(scales.option[n]): Fraction(total, int(scales.cost[n])) for n, total in scales.totals_of(x).items()
        }
        choices = ((compiled.choice(option), parts.get(option)) for option in compiled.taken(x).tolist())
        return evaluate(tables, [Wish(choice.project, choice.mode, choice.start, part) for choice, part in choices])
    return Answer(
        status=Status.FEASIBLE,
        stopped_by=StoppedBy.PROOF,
        allocation=allocation,
        audit=audit,
        bound=math.inf,
        engine="pulp",
        options=SolveOptions(time_limit=None),
        seconds=perf_counter() - clock,
    )


def _in_units(compiled: Compiled) -> LinearModel:
    """The model with its objective in the portfolio's units, as whoever adds to it by hand expects."""
    return replace(compiled.model, objective=compiled.model.objective * float(compiled.unit))


def labels(compiled: Compiled) -> tuple[list[str], list[str]]:
    """Return what each column and each row of the model stands for, in the portfolio's words."""
    words = _Words(compiled)
    return words.of(compiled.model.columns), words.of(compiled.model.rows)


class _Words:
    """Says the keys of rows and columns, which count projects, rows and accounts, by the names of the tables."""

    def __init__(self, compiled: Compiled) -> None:
        self.compiled = compiled
        self.tables = compiled.tables
        self.sayings: Mapping[str, Callable[..., Iterable[Any]]] = {
            "option": lambda project, mode, start: ("fund", project, mode, start),
            "payment": lambda account, source, year: ("pay", self.account(account), source, year),
            "balance": lambda account, cell: ("paid", self.account(account), *self.cell(account, cell)),
            "yearly": lambda account, year, side: ("paid", self.account(account), year, side),
            "dependency": lambda row, year: (*self.dependency(row), year),
            "share": lambda row, variant, *rest: ("share", self.variant(variant), *self.share(row), *rest),
        }

    def of(self, blocks: Iterable[Block]) -> list[str]:
        """Return one label a key."""
        return [" ".join(_texts(self.say(block.kind, key))) for block in blocks for key in block.keys]

    def say(self, kind: str, key: tuple[Any, ...]) -> Iterable[Any]:
        return self.sayings[kind](*key) if kind in self.sayings else (kind, *key)

    def account(self, number: int) -> str:
        variants = self.compiled.accounts.items[number].variants
        return self.variant(variants[0]) if len(variants) == 1 else f"pool {number}"

    def cell(self, account: int, number: int | None) -> tuple[int, ...]:
        if number is None:
            return ()
        years = self.compiled.accounts.items[account].cells[number]
        return (years[0], years[-1]) if len(years) > 1 else (years[0],)

    def variant(self, number: int) -> str:
        variant = self.compiled.options.variants[number]
        return f"{self.tables.projects[variant.project].id} {variant.mode}".strip()

    def dependency(self, row: int) -> tuple[str, ...]:
        dependency = self.tables.dependencies[row]
        return dependency.kind, dependency.first, dependency.then

    def share(self, row: int) -> tuple[str, ...]:
        return self.tables.shares[row].source


def _texts(parts: Iterable[Any]) -> Iterable[str]:
    for part in parts:
        if isinstance(part, tuple):
            yield from _texts(part)
        elif part is not None and part != "":
            yield str(part)

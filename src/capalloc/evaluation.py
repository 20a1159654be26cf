"""A hand-made list judged like a plan: which statements it breaks, and by how much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from time import perf_counter

import numpy as np

from capalloc.allocation import Allocation, Choice, Payment
from capalloc.answer import Answer
from capalloc.compiling import Compiled, compile_tables
from capalloc.elasticity import elastic, stretched
from capalloc.engines.highs import Highs
from capalloc.financing import finance
from capalloc.history import payments_made
from capalloc.issues import Issues
from capalloc.model import Ints, SolveOptions, Status, StoppedBy
from capalloc.rows import RowWriter, with_rows
from capalloc.solving import solve_compiled
from capalloc.tables import Tables
from capalloc.verification import verify

_FIRM = ("balance", "yearly", "scale", "listed")

_UNPAID = ("broken-cost-short", "broken-share-under", "broken-share-under-year")

_WHOLE = Fraction(1, 10**6)
"""How far from a whole amount a scale that was once a float may lie, in million VND."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One line of a hand-made list; a mode, start year or scale of ``None`` is left to the evaluation."""

    project: str
    mode: str | None = None
    start: int | None = None
    scale: Fraction | None = None


def evaluate(tables: Tables, wishes: Sequence[Wish], options: SolveOptions | None = None) -> Answer:
    """Return the best plan that funds exactly the listed projects, or what stands against them.

    Modes and start years that the list leaves open are chosen for the best value.  When nothing obeys every
    statement, the answer is ``infeasible``, and ``violations`` tells what the least breaking way to do the list
    breaks, as the verifier reads it: least in the sum of all excesses, each measured against the largest project in
    its statement.
    """
    options = options or SolveOptions()
    clock = perf_counter()
    place = {project.id: number for number, project in enumerate(tables.projects)}
    compiled = _only(compile_tables(tables), wishes, place)
    possible = {int(project) for project in compiled.options.project[compiled.model.upper[: len(compiled.options)] > 0]}
    impossible = [wish for wish in wishes if place[wish.project] not in possible]
    if not impossible:
        answer = solve_compiled(compiled, options, Highs())
        if answer.status is not Status.INFEASIBLE:
            return answer
    allocation = _least_breaking(compiled, wishes, place, options)
    missing = tuple(_as_listed(compiled, wish, place) for wish in impossible)
    choices = tuple(sorted((*allocation.choices, *missing), key=lambda choice: place[choice.project]))
    audit = verify(tables, replace(allocation, choices=choices))
    return Answer(
        status=Status.INFEASIBLE,
        stopped_by=StoppedBy.PROOF,
        allocation=None,
        audit=None,
        bound=-np.inf,
        engine=Highs.name,
        options=options,
        seconds=perf_counter() - clock,
        violations=_without_consequences(audit.violations),
    )


def _without_consequences(violations: Issues) -> Issues:
    """What stands against a list, without what is only missing because a scale that cannot be is not paid."""
    wrong = {issue.arguments["project"] for issue in violations if issue.code.startswith("broken-scale")}
    return Issues(issue for issue in violations if not (issue.code in _UNPAID and issue.arguments["project"] in wrong))


def _as_listed(compiled: Compiled, wish: Wish, place: Mapping[str, int]) -> Choice:
    """A wish that no plan grants, as it stands; the verifier says what is wrong with it."""
    tables, unpaid = compiled.tables, _columns(compiled, wish, place)
    if len(unpaid):
        return compiled.choice(int(unpaid[0]), wish.scale or Fraction(1))
    project = tables.projects[place[wish.project]]
    modes = [mode.mode for mode in tables.modes if mode.project == wish.project]
    mode = wish.mode if wish.mode is not None else (modes[0] if modes else "")
    start = wish.start if wish.start is not None else (project.earliest_start or tables.settings.first_year)
    return Choice(wish.project, mode, start, wish.scale or Fraction(1))


def _only(compiled: Compiled, wishes: Sequence[Wish], place: Mapping[str, int]) -> Compiled:
    """The model with only the options that the list allows, each listed project once and as far as listed."""
    count = len(compiled.options)
    allowed = np.zeros(count, dtype=bool)
    upper = compiled.model.upper.copy()
    writer = RowWriter("listed")
    for wish in wishes:
        columns = _columns(compiled, wish, place)
        # What nobody may pay for stays out: no row of the model would ask for its money.
        columns = columns[compiled.model.upper[columns] > 0]
        if wish.scale is not None:
            totals = _totals(compiled, columns, wish.scale)
            columns = np.array(sorted(totals), dtype=np.int64)
            for option, (column, total) in totals.items():
                upper[column] = total
                writer.add((wish.project, option), 0, np.inf, (np.array([column]), 1), (np.array([option]), -total))
        allowed[columns] = True
        if len(columns):
            writer.add((wish.project,), 1, 1, (columns, 1))
    model = with_rows(compiled.model, writer.block())
    upper[:count] = allowed
    return replace(compiled, model=replace(model, upper=upper))


def _totals(compiled: Compiled, columns: Ints, scale: Fraction) -> dict[int, tuple[int, int]]:
    """Of the options that can be done at a scale, the column of the whole amount and that amount."""
    scales = compiled.scales
    number_of = {option: number for number, option in enumerate(scales.option.tolist())}
    found = {}
    for option in columns.tolist():
        number = number_of.get(option)
        if number is None:
            if scale == 1:
                found[option] = option, 1
            continue
        exact = scale * int(scales.cost[number])
        total = round(exact)
        if abs(exact - total) <= _WHOLE and scales.least[number] <= total <= scales.cost[number]:
            found[option] = int(scales.totals[number]), total
    return found


def _columns(compiled: Compiled, wish: Wish, place: Mapping[str, int]) -> Ints:
    options, project = compiled.options, place[wish.project]
    first, end = np.searchsorted(options.project, (project, project + 1))
    own = np.arange(first, end)
    if wish.start is not None:
        own = own[options.start[own] == wish.start]
    if wish.mode is not None:
        own = own[[options.variants[variant].mode == wish.mode for variant in options.variant[own].tolist()]]
    return own


def _least_breaking(
    compiled: Compiled, wishes: Sequence[Wish], place: Mapping[str, int], options: SolveOptions
) -> Allocation:
    """Choose for every listed project the option, and for every account the payments, that break least."""
    every = ~compiled.scales.holds(np.arange(len(compiled.model.objective)))
    # Fractions first, which are quick; only where no whole units follow from them is everything whole.
    for integer in (compiled.model.integer, every):
        outcome = Highs().solve(elastic(replace(compiled.model, integer=integer), _FIRM), options)
        if outcome.x is None:
            break
        x = outcome.x[: len(compiled.model.objective)]
        financed = finance(replace(compiled, model=stretched(compiled.model, x, _FIRM)), x)
        if financed is not None:
            return financed
    paid = (Payment(row.project, row.source, row.year, row.amount) for row in payments_made(compiled.tables))
    return Allocation(tuple(_as_listed(compiled, wish, place) for wish in wishes), tuple(paid))

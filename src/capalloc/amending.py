"""Changed tables on their way back into force: checked again, with their statutory rules, and judged possible."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import accumulate
from typing import Any

from capalloc.changes import apply_changes
from capalloc.checking import check
from capalloc.groundwork import Groundwork
from capalloc.history import payments_made
from capalloc.issues import NO_ISSUES, InvalidInput, Issues
from capalloc.money import round_half_up
from capalloc.records import Cost
from capalloc.screening import screen_mandatory
from capalloc.tables import Tables


class Unplannable(InvalidInput):
    """The tables are right, but ask for a project that can never be funded: there is no plan."""


def put_in_force(tables: Tables, read: Issues = NO_ISSUES, ground: Groundwork | None = None) -> tuple[Tables, Issues]:
    """Return checked tables with the statutory rules in force, and all warnings and notes.

    Parameters
    ----------
    ground
        What was worked out about tables that these come from, or others.

    Raises
    ------
    InvalidInput
        With everything that is wrong.
    Unplannable
        When a project must be funded that never can be.
    """
    ground = ground or Groundwork()
    found = check(tables, read, ground.findings)
    if found.errors:
        raise InvalidInput(found)
    in_force, told = ground.enacted(tables)
    found = Issues((*found, *told))
    if told.errors:
        raise InvalidInput(found)
    if impossible := screen_mandatory(in_force, ground.compiled):
        raise Unplannable((*found, *impossible))
    return in_force, found


def amended(given: Tables, changes: Mapping[str, Any], ground: Groundwork | None = None) -> Tables:
    """Return tables as they were given with some cells changed, in force again; see :func:`put_in_force`.

    Raises
    ------
    InvalidInput
        When a path matches nothing, a change cannot be made, or the changed tables are wrong.
    Unplannable
        When a project must be funded that never can be.
    """
    tables, _, notes = apply_changes(given, changes)
    return put_in_force(tables, notes, ground)[0]


def with_cost_factors(tables: Tables, factors: Mapping[str, Fraction]) -> Tables:
    """Return tables in which some projects cost other amounts, in all their modes and years.

    Amounts are multiplied and rounded half up; those of a stream by their sums up to each year, so that nothing is lost
    in the rounding.  No total falls below what was paid before the plan.

    Parameters
    ----------
    factors
        Project to factor, 0 or more.
    """
    paid: dict[str, int] = {}
    for row in payments_made(tables):
        paid[row.project] = paid.get(row.project, 0) + row.amount
    streams: dict[tuple[str, str], list[Cost]] = {}
    for cost in tables.costs:
        streams.setdefault((cost.project, cost.mode), []).append(cost)
    moved = {key: _stream(rows, factors.get(key[0], Fraction(1))) for key, rows in streams.items()}
    totals = {key: sum(row.amount for row in rows) for key, rows in moved.items()}

    def total(project: str, mode: str, cost: int | None) -> int | None:
        if cost is None:
            return None
        scaled = round_half_up(cost * factors.get(project, Fraction(1)))
        return max(totals.get((project, mode), scaled), paid.get(project, 0))

    return replace(
        tables,
        projects=tuple(replace(row, cost=total(row.id, "", row.cost)) for row in tables.projects),
        modes=tuple(replace(row, cost=total(row.project, row.mode, row.cost)) for row in tables.modes),
        costs=tuple(row for rows in moved.values() for row in rows),
    )


def _stream(rows: list[Cost], factor: Fraction) -> list[Cost]:
    ordered = sorted(rows, key=lambda row: row.offset)
    sums = [round_half_up(total * factor) for total in accumulate(row.amount for row in ordered)]
    before = [0, *sums[:-1]]
    return [replace(row, amount=now - then) for row, now, then in zip(ordered, sums, before, strict=True)]

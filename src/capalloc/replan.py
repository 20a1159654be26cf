"""A plan carried over into changed tables: the fewest changed projects first, the best value second."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from capalloc.allocation import Allocation, Choice
from capalloc.amending import put_in_force
from capalloc.answer import Answer
from capalloc.arguments import expect
from capalloc.audit import Audit
from capalloc.budget import Budget
from capalloc.catalogue import say
from capalloc.changes import apply_changes
from capalloc.compiling import Compiled, compile_tables
from capalloc.engines import engine_named
from capalloc.framing import typed_frame
from capalloc.issues import InvalidInput
from capalloc.limits import whole_issues
from capalloc.model import SolveOptions, Status
from capalloc.reporting import names_of
from capalloc.rows import RowWriter, with_rows
from capalloc.solving import DEFAULT_ENGINE, solve_compiled
from capalloc.steadiness import Likeness, likeness_to, nearest_plan, wishes_for
from capalloc.tables import Tables
from capalloc.telling import Told
from capalloc.worth import bound_told, worth_told

if TYPE_CHECKING:
    import pandas as pd

CHANGES = ("left", "entered", "moved", "rescaled", "repaid", "kept")
"""What may become of a project, in the order in which a decision names it."""

COUNTED = ("left", "entered", "moved")

PlanT = TypeVar("PlanT")


@dataclass(frozen=True, slots=True)
class Entry:
    """What becomes of one project; a choice is ``None`` where it is not funded, costs are in million VND."""

    project: str
    change: str
    before: Choice | None
    after: Choice | None
    cost_before: int
    cost_after: int


@dataclass(frozen=True, slots=True)
class Revised:
    """What was found: the plan, the fewest changes that are proved to be needed, and the log.

    ``answer`` is the best plan within ``allowed`` changes, its bound about such plans alone; ``least`` changes are
    needed by every plan of the changed tables.
    """

    answer: Answer
    allowed: int | None
    least: int
    log: tuple[Entry, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Revision(Told, Generic[PlanT]):
    """What :meth:`Plan.replan` answers: the new plan, and what becomes of every project.

    Parameters
    ----------
    plan
        The new plan; its bound is about plans with at most :attr:`allowed` changes.
    tables
        The changed tables.
    revised
        What was found and proved.
    """

    plan: PlanT
    tables: Tables
    revised: Revised

    @property
    def changes(self) -> int:
        """How many projects enter, leave or move."""
        return sum(entry.change in COUNTED for entry in self.revised.log)

    @property
    def least(self) -> int:
        """How many changes every plan of the changed tables needs at the least, proved."""
        return self.revised.least

    @property
    def allowed(self) -> int | None:
        """Within how many changes the value is the best; ``None`` when no plan was found."""
        return self.revised.allowed

    def to_frame(self) -> pd.DataFrame:
        """Return the log: project, name, change, start and mode before and after, cost before and after.

        ``change`` is left, entered, moved (another start or mode), rescaled, repaid (only who pays what and when) or
        kept.
        """
        rows, names = self.revised.log, names_of(self.tables.projects)
        return typed_frame(
            {
                "project": ("str", [row.project for row in rows]),
                "name": ("str", [names.get(row.project, row.project) for row in rows]),
                "change": ("str", [row.change for row in rows]),
                "start_before": ("Int64", [row.before.start if row.before else None for row in rows]),
                "start_after": ("Int64", [row.after.start if row.after else None for row in rows]),
                "mode_before": ("str", [row.before.mode or None if row.before else None for row in rows]),
                "mode_after": ("str", [row.after.mode or None if row.after else None for row in rows]),
                "cost_before": ("Int64", [row.cost_before for row in rows]),
                "cost_after": ("Int64", [row.cost_after for row in rows]),
            }
        )

    def annex(self) -> str:
        """Return the log as the annex of a decision: one numbered line a project that is not kept as it was."""
        return "\n".join(self._annex_lines())

    def _annex_lines(self) -> Iterator[str]:
        names, number = names_of(self.tables.projects), 0
        for change in CHANGES[:-1]:
            rows = [row for row in self.revised.log if row.change == change]
            if rows:
                yield say(f"sensitivity.annex.heading.{change}", count=len(rows))
            for row in rows:
                number += 1
                words = {"number": number, "project": row.project, "name": names.get(row.project, row.project)}
                yield say(f"sensitivity.annex.line.{change}", **words, **_words_of(row))

    def statement(self) -> str:
        """Return the answer as one paragraph in the language in force."""
        answer = self.revised.answer
        if answer.value is None:
            return say(f"sensitivity.replan.{answer.status}", least=self.least)
        count = {change: sum(row.change == change for row in self.revised.log) for change in CHANGES}
        parts = [say("sensitivity.replan.changes", changes=self.changes, **count)]
        if self.changes > self.least:
            parts.append(say("sensitivity.replan.least", least=self.least))
        else:
            parts.append(say("sensitivity.replan.fewest"))
        bound = {"value": worth_told(self.tables, answer), "allowed": self.allowed}
        if answer.status is Status.OPTIMAL:
            parts.append(say("sensitivity.replan.best", **bound))
        elif np.isfinite(answer.bound):
            parts.append(say("sensitivity.replan.bound", **bound, bound=bound_told(self.tables, answer)))
        return " ".join(parts)


def _words_of(row: Entry) -> dict[str, object]:
    before, after = row.before or row.after, row.after or row.before
    if before is None or after is None:
        return {}
    return {
        "before": before.start,
        "after": after.start,
        "mode_before": f" ({before.mode})" if before.mode else "",
        "mode_after": f" ({after.mode})" if after.mode else "",
        "cost_before": row.cost_before,
        "cost_after": row.cost_after,
    }


def changed_tables(
    given: Tables, changes: Mapping[str, Any], max_changes: int | None, since: int | None
) -> tuple[Tables | None, Tables]:
    """Return changed tables as they are given, ``None`` where no rule of law changes them, and in force.

    Raises
    ------
    InvalidInput
        When a change cannot be made, the changed tables are wrong, or a number makes no sense.
    """
    expect("changes", changes, Mapping, "changes")
    wholes = {"max_changes": max_changes, "since": since}
    if issues := whole_issues({name: found for name, found in wholes.items() if found is not None}, 0):
        raise InvalidInput(issues)
    changed, _, notes = apply_changes(given, changes)
    tables, _ = put_in_force(changed, notes)
    return None if tables is changed else changed, tables


def replan(
    tables: Tables,
    before: Answer,
    options: SolveOptions,
    *,
    max_changes: int | None = None,
    since: int | None = None,
    engine: str = DEFAULT_ENGINE,
) -> Revised:
    """Return the best plan of changed tables among those with the fewest changes, or with at most ``max_changes``.

    Parameters
    ----------
    tables
        The changed tables, in force.
    before
        The plan so far, which has an allocation and an audit.
    since
        The first year in which decisions are open: what the plan so far starts earlier stays, and nothing else starts
        earlier.
    """
    allocation, audit = before.allocation, before.audit
    if allocation is None or audit is None:
        raise ValueError("a plan is replanned, not the lack of one")
    compiled, kind = compile_tables(tables), engine_named(engine)
    likeness = likeness_to(compiled, wishes_for(allocation.choices))
    if since is not None:
        compiled = _frozen(compiled, likeness, since)
    budget = Budget(options, 2)
    nearest = nearest_plan(compiled, likeness, budget.next(), kind)
    least = likeness.least(nearest.bound) if np.isfinite(nearest.bound) else 0
    if nearest.allocation is None and (max_changes is None or nearest.status is Status.INFEASIBLE):
        return Revised(nearest, None, least, ())
    fewest = likeness.changes(nearest.allocation) if nearest.allocation else least
    allowed = fewest if max_changes is None else max_changes
    start = nearest.allocation if fewest <= allowed else None
    answer = solve_compiled(likeness.within(compiled, allowed), budget.next(), kind, start=start)
    if answer.allocation is None or answer.audit is None:
        return Revised(answer, None, least, ())
    return Revised(answer, allowed, least, tuple(_log(tables, (allocation, audit), (answer.allocation, answer.audit))))


def _frozen(compiled: Compiled, likeness: Likeness, since: int) -> Compiled:
    """The model in which all that starts before a year is as it was."""
    options = compiled.options
    early = np.flatnonzero(options.start < since)
    started = np.intersect1d(likeness.kept, early)
    upper = compiled.model.upper.copy()
    upper[np.setdiff1d(early, started)] = 0.0
    writer = RowWriter("begun")
    for option in started.tolist():
        writer.add((option,), 1, 1, (np.array([option]), 1))
    return replace(compiled, model=with_rows(replace(compiled.model, upper=upper), writer.block()))


Held = tuple[Allocation, Audit]


def _log(tables: Tables, before: Held, after: Held) -> Iterator[Entry]:
    """What becomes of every project that either plan funds, in the order of projects."""
    (old, old_costs, old_pay), (new, new_costs, new_pay) = _facts(before), _facts(after)
    order = {project.id: number for number, project in enumerate(tables.projects)}
    for project in sorted(old.keys() | new.keys(), key=lambda name: (order.get(name, len(order)), name)):
        was, now = old.get(project), new.get(project)
        change = _change(was, now)
        if change == "kept" and old_pay.get(project) != new_pay.get(project):
            change = "repaid"
        yield Entry(project, change, was, now, old_costs.get(project, 0), new_costs.get(project, 0))


Facts = tuple[Mapping[str, Choice], Mapping[str, int], Mapping[str, Mapping[tuple[str, int], int]]]


def _facts(held: Held) -> Facts:
    allocation, audit = held
    paid: dict[str, dict[tuple[str, int], int]] = {}
    for row in allocation.payments:
        if row.amount:
            paid.setdefault(row.project, {})[row.source, row.year] = row.amount
    return (
        {choice.project: choice for choice in allocation.choices},
        {row.project: row.cost for row in audit.projects},
        paid,
    )


def _change(was: Choice | None, now: Choice | None) -> str:
    if was is None or now is None:
        return "entered" if was is None else "left"
    if (was.mode, was.start) != (now.mode, now.start):
        return "moved"
    return "kept" if was.scale == now.scale else "rescaled"

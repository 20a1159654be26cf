"""In what one plan differs from another: projects, years, money and value, as tables and in sentences."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from capalloc.allocation import Payment
from capalloc.arguments import expect
from capalloc.audit import ProjectAudit
from capalloc.catalogue import say, write_number
from capalloc.framing import typed_frame
from capalloc.plan import Plan
from capalloc.reporting import Section, as_text, shown_down
from capalloc.telling import Told, enumerated

if TYPE_CHECKING:
    import pandas as pd

ENTERS, LEAVES, MOVES, COSTS = "enters", "leaves", "moves", "costs"


@dataclass(frozen=True, slots=True)
class Differing:
    """A project that two plans treat differently; what it is in a plan that does not fund it is ``None``.

    ``change`` is enters, leaves, moves (another mode or start year) or costs (the same, but for another amount).
    """

    project: str
    name: str
    change: str
    before: ProjectAudit | None
    after: ProjectAudit | None


@dataclass(frozen=True, slots=True, eq=False)
class Difference(Told):
    """What :func:`difference` answers.

    ``money`` has, by source and year, what the two plans pay, where that is not the same.
    """

    rows: tuple[Differing, ...]
    money: tuple[tuple[str, int, int, int], ...]
    before: Fraction
    after: Fraction

    def to_frame(self) -> pd.DataFrame:
        """Return one row a project: project, name, change, mode_before, mode, start_before, start, cost_before, cost.

        ``change`` is enters, leaves, moves (another mode or start year) or costs (the same, but for another amount).
        """
        columns: dict[str, tuple[str, Sequence[Any]]] = {
            "project": ("str", [row.project for row in self.rows]),
            "name": ("str", [row.name for row in self.rows]),
            "change": ("str", [row.change for row in self.rows]),
        }
        for name, kind in (("mode", "str"), ("start", "Int64"), ("cost", "Int64")):
            columns[f"{name}_before"] = (kind, [getattr(row.before, name, None) for row in self.rows])
            columns[name] = (kind, [getattr(row.after, name, None) for row in self.rows])
        return typed_frame(columns)

    def funding(self) -> pd.DataFrame:
        """Return what sources pay in which year, where it differs: source, year, before, after, change; million VND."""
        return typed_frame(
            {
                "source": ("str", [source for source, _, _, _ in self.money]),
                "year": ("int64", [year for _, year, _, _ in self.money]),
                "before": ("int64", [before for _, _, before, _ in self.money]),
                "after": ("int64", [after for _, _, _, after in self.money]),
                "change": ("int64", [after - before for _, _, before, after in self.money]),
            }
        )

    def record(self) -> dict[str, Any]:
        """Return the difference as plain JSON."""
        tables = {"projects": self.to_frame(), "funding": self.funding()}
        rows = {name: json.loads(frame.to_json(orient="records")) for name, frame in tables.items()}
        values = {"value_before": float(self.before), "value": float(self.after)}
        return {"statement": self.statement()} | values | rows

    def to_text(self) -> str:
        """Return the projects that differ as lines of text in the language in force."""
        heads = tuple(say(f"diff.column.{name}") for name in ("project", "name", "change", "before", "after"))
        rows = tuple(
            (row.project, row.name, say(f"diff.word.{row.change}"), _shown(row.before), _shown(row.after))
            for row in self.rows
        )
        return as_text([Section(say("diff.heading"), (), heads, rows)]) if rows else ""

    def of(self, change: str) -> tuple[str, ...]:
        """Return the projects that change in this way."""
        return tuple(row.project for row in self.rows if row.change == change)

    def statement(self) -> str:
        """Return the difference as one paragraph in the language in force."""
        sentences = [self._value()]
        for change in (ENTERS, LEAVES, MOVES, COSTS):
            names = self.of(change)
            if names:
                sentences.append(say(f"diff.{change}", count=len(names), projects=enumerated(names)))
        sums: Counter[str] = Counter()
        for source, _, before, after in self.money:
            sums[source] += after - before
        for source, amount in sums.items():
            key = "diff.more" if amount > 0 else "diff.less" if amount < 0 else "diff.other-years"
            sentences.append(say(key, source=source, amount=abs(amount)))
        if not self.rows and not self.money:
            sentences.append(say("diff.nothing"))
        return " ".join(sentences)

    def _value(self) -> str:
        if self.after == self.before:
            return say("diff.same", value=write_number(shown_down(self.after)))
        key = "diff.rises" if self.after > self.before else "diff.falls"
        numbers = {"before": self.before, "after": self.after, "change": abs(self.after - self.before)}
        return say(key, **{name: write_number(shown_down(number)) for name, number in numbers.items()})


def difference(plan: Plan, other: Plan) -> Difference:
    """Return in what ``other`` differs from ``plan``; both may be plans of different portfolios.

    Raises
    ------
    InvalidInput
        When one of them is no plan.
    CapallocError
        When one of them holds none.
    """
    expect("plan", plan, Plan, "plan")
    expect("other", other, Plan, "plan")
    audits = plan.verify(), other.verify()
    before, after = ({row.project: row for row in audit.projects} for audit in audits)
    names = {row.id: row.name for tables in (plan.tables, other.tables) for row in tables.projects}
    changes = ((name, _change(before.get(name), after.get(name))) for name in names)
    rows = tuple(
        Differing(name, names[name], change, before.get(name), after.get(name)) for name, change in changes if change
    )
    return Difference(rows, _money(_payments(plan), _payments(other)), audits[0].value, audits[1].value)


def _shown(row: ProjectAudit | None) -> str:
    """Start year, mode and cost of a project in one of the plans."""
    if row is None:
        return "–"
    return " · ".join(filter(None, [str(row.start), row.mode, write_number(row.cost)]))


def _change(before: ProjectAudit | None, after: ProjectAudit | None) -> str:
    if before is None or after is None:
        return "" if before is after else ENTERS if before is None else LEAVES
    if (before.mode, before.start) != (after.mode, after.start):
        return MOVES
    return COSTS if before.cost != after.cost else ""


def _payments(plan: Plan) -> Sequence[Payment]:
    return () if plan.answer.allocation is None else plan.answer.allocation.payments


def _money(before: Sequence[Payment], after: Sequence[Payment]) -> tuple[tuple[str, int, int, int], ...]:
    sums: dict[tuple[str, int], list[int]] = {}
    for place, payments in enumerate((before, after)):
        for payment in payments:
            sums.setdefault((payment.source, payment.year), [0, 0])[place] += payment.amount
    return tuple((*key, then, now) for key, (then, now) in sorted(sums.items()) if then != now)

"""What the tables of a plan hold, as typed columns: for the frames a user sees, and for stores that need no frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from capalloc.allocation import Allocation
from capalloc.answer import Answer
from capalloc.audit import Audit
from capalloc.law.compliance import comply
from capalloc.law.lawbook import demand
from capalloc.leverage import leverage_of
from capalloc.reporting import ENVELOPE
from capalloc.rulebook import Rulebook
from capalloc.tables import Tables

Columns: TypeAlias = Mapping[str, tuple[str, list[Any]]]
"""The pandas type and the cells of each column; ``None`` is a missing cell."""


def plan_columns(name: str, tables: Tables, answer: Answer) -> Columns | None:
    """Return a table of a plan by its name; ``None`` when there is no plan."""
    if answer.allocation is None or answer.audit is None:
        return None
    return _READERS[name](tables, answer, answer.allocation, answer.audit)


def _projects(tables: Tables, _: Answer, __: Allocation, audit: Audit) -> Columns:
    funded = {row.project: row for row in audit.projects}
    rows = [(project, funded.get(project.id)) for project in tables.projects]
    return {
        "project": ("str", [project.id for project, _ in rows]),
        "name": ("str", [project.name for project, _ in rows]),
        "funded": ("bool", [row is not None for _, row in rows]),
        "mode": ("str", [row.mode or None if row else None for _, row in rows]),
        "start": ("Int64", [row.start if row else None for _, row in rows]),
        "finish": ("Int64", [row.finish if row else None for _, row in rows]),
        "scale": ("Float64", [float(row.scale) if row else None for _, row in rows]),
        "priority": ("Int64", [row.class_ if row else project.priority for project, row in rows]),
        "cost": ("Int64", [row.cost if row else None for _, row in rows]),
        "value": ("Float64", [float(row.value) if row else None for _, row in rows]),
        "weighted_value": ("Float64", [float(row.weighted_value) if row else None for _, row in rows]),
    }


def _funding(_: Tables, __: Answer, allocation: Allocation, ___: Audit) -> Columns:
    rows = allocation.payments
    return {
        "project": ("str", [row.project for row in rows]),
        "source": ("str", [row.source for row in rows]),
        "year": ("int64", [row.year for row in rows]),
        "amount": ("int64", [row.amount for row in rows]),
    }


def _envelopes(_: Tables, __: Answer, ___: Allocation, audit: Audit) -> Columns:
    rows = audit.envelopes
    columns: dict[str, tuple[str, list[Any]]] = {
        "source": ("str", ["+".join(row.source) for row in rows]),
        "period": ("str", [row.period for row in rows]),
    }
    return columns | {name: ("int64", [getattr(row, name) for row in rows]) for name in ENVELOPE}


def _resources(_: Tables, __: Answer, ___: Allocation, audit: Audit) -> Columns:
    rows = audit.resources
    columns: dict[str, tuple[str, list[Any]]] = {
        "resource": ("str", [row.resource for row in rows]),
        "period": ("str", [row.period for row in rows]),
    }
    numbers = ("amount", "used", "slack")
    return columns | {name: ("float64", [float(getattr(row, name)) for row in rows]) for name in numbers}


def _rules(tables: Tables, _: Answer, __: Allocation, audit: Audit) -> Columns:
    rows, book = audit.rules, Rulebook(tables)
    return {
        "rule": ("str", [row.id for row in rows]),
        "sentence": ("str", [str(book[row.id]) for row in rows]),
        "sense": ("str", [row.sense for row in rows]),
        "limit": ("float64", [float(row.amount) for row in rows]),
        "used": ("float64", [float(row.used) for row in rows]),
        "slack": ("float64", [float(row.slack) for row in rows]),
        "binding": ("bool", [row.binding for row in rows]),
        "violation": ("float64", [float(row.violation) for row in rows]),
        "price": ("Float64", [None if row.price is None else float(row.price) for row in rows]),
        "paid": ("float64", [float(row.paid) for row in rows]),
    }


def _targets(_: Tables, __: Answer, ___: Allocation, audit: Audit) -> Columns:
    rows = audit.targets
    columns: dict[str, tuple[str, list[Any]]] = {
        "indicator": ("str", [row.indicator for row in rows]),
        "by_year": ("int64", [row.by_year for row in rows]),
    }
    numbers = ("at_least", "reached", "slack", "shortfall")
    columns |= {name: ("float64", [float(getattr(row, name)) for row in rows]) for name in numbers}
    columns["price"] = ("Float64", [None if row.price is None else float(row.price) for row in rows])
    return columns | {"paid": ("float64", [float(row.paid) for row in rows])}


def _classes(_: Tables, answer: Answer, __: Allocation, audit: Audit) -> Columns:
    proved = {row.class_: row for row in answer.classes}
    rows = [(row, proved.get(row.class_)) for row in audit.classes]
    return {
        "class": ("int64", [row.class_ for row, _ in rows]),
        "value": ("float64", [float(row.value) for row, _ in rows]),
        "bound": ("Float64", [own.bound if own else None for _, own in rows]),
        "gap": ("Float64", [own.gap if own else None for _, own in rows]),
        "status": ("str", [str(own.status) if own else None for _, own in rows]),
    }


def _leverage(tables: Tables, _: Answer, allocation: Allocation, __: Audit) -> Columns:
    rows = leverage_of(tables, allocation)
    return {
        "period": ("str", [row.period for row in rows]),
        "state": ("int64", [row.state for row in rows]),
        "non_state": ("int64", [row.non_state for row in rows]),
        "leverage": ("Float64", [None if row.ratio is None else float(row.ratio) for row in rows]),
    }


def _compliance(tables: Tables, _: Answer, allocation: Allocation, audit: Audit) -> Columns:
    rows = comply(tables, allocation, audit)
    seen = [row.measured for row in rows]

    def numbers(name: str) -> list[float | None]:
        values = [getattr(own, name, None) for own in seen]
        return [None if value is None else float(value) for value in values]

    return {
        "rule": ("str", [row.statute.name for row in rows]),
        "statement": ("str", [demand(row.statute) for row in rows]),
        "verdict": ("str", [str(row.verdict) for row in rows]),
        "found": ("Float64", numbers("found")),
        "limit": ("Float64", numbers("limit")),
        "slack": ("Float64", numbers("slack")),
        "breaking": ("str", [", ".join(own.breaking) if own else "" for own in seen]),
        "unknown": ("str", [", ".join(own.unknown) if own else "" for own in seen]),
        "article": ("str", [row.statute.reference for row in rows]),
        "reliability": ("str", [row.statute.reliability for row in rows]),
        "waiver": ("str", [row.statute.waived for row in rows]),
    }


_READERS: Mapping[str, Callable[[Tables, Answer, Allocation, Audit], Columns]] = {
    "projects": _projects,
    "funding": _funding,
    "envelopes": _envelopes,
    "resources": _resources,
    "rules": _rules,
    "targets": _targets,
    "classes": _classes,
    "leverage": _leverage,
    "compliance": _compliance,
}

TABLES = tuple(_READERS)
"""The tables of a plan, in the order in which they are written."""

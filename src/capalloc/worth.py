"""What plans are worth, in words and in columns: one value, or one for each class where classes are ordered."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from capalloc.answer import Answer
from capalloc.asking import is_ordered, values_of
from capalloc.catalogue import say, write_number
from capalloc.reporting import shown_down, shown_up
from capalloc.tables import Tables


def standing(tables: Tables, answer: Answer) -> tuple[Fraction, ...]:
    """Return what tells plans apart, the greatest the best: the value, or those of the classes one after the other."""
    values = {} if answer.audit is None else values_of(tables, answer.audit)
    return tuple(values[number] for number in sorted(values))


def worth_told(tables: Tables, answer: Answer) -> str:
    """Return what a plan is worth in the language in force, the value of each class where classes are ordered."""
    if answer.audit is None:
        return "–"
    if not is_ordered(tables):
        return write_number(shown_down(answer.audit.value))
    return _classes_told({row.class_: shown_down(row.value) for row in answer.audit.classes})


def bound_told(tables: Tables, answer: Answer) -> str:
    """Return what no plan passes; of each ordered class, when those above it keep what they have."""
    if not is_ordered(tables):
        return _bound_told(answer.bound, answer.value)
    return ", ".join(
        say("why.class-value", number=row.class_, value=_bound_told(row.bound, row.value)) for row in answer.classes
    )


def _bound_told(bound: float, value: Fraction | None) -> str:
    bound = max(bound, float(value)) if value is not None else bound
    return write_number(shown_up(bound)) if math.isfinite(bound) else "∞"


def gain_told(tables: Tables, now: Answer, before: Answer, shown: Callable[[Fraction], Fraction] = shown_down) -> str:
    """Return by how much a plan is worth more than another; of ordered classes, by how much the first that differs."""
    changed = first_change(tables, now, before)
    if changed is None:
        return write_number(shown((now.value or Fraction(0)) - (before.value or Fraction(0))))
    number, gain = changed
    return say("why.class-gain", number=number, gain=write_number(shown(gain)))


def first_change(tables: Tables, now: Answer, before: Answer) -> tuple[int, Fraction] | None:
    """Return the first ordered class that is worth something else, and by how much; the last where none is.

    ``None`` where classes are not ordered, or there is no plan to compare.
    """
    if not is_ordered(tables) or now.audit is None or before.audit is None:
        return None
    was = values_of(tables, before.audit)
    changes = [(row.class_, row.value - was[row.class_]) for row in now.audit.classes if row.class_ in was]
    return next((change for change in changes if change[1]), changes[-1] if changes else None)


def class_columns(tables: Tables, answers: Sequence[Answer]) -> dict[str, tuple[str, list[Any]]]:
    """Return a column ``class_N`` with the value of each ordered class; none where classes are not ordered."""
    if not is_ordered(tables):
        return {}
    rows = [{} if a.audit is None else values_of(tables, a.audit) for a in answers]
    numbers = sorted({number for row in rows for number in row})
    return {f"class_{n}": ("Float64", [float(row[n]) if n in row else None for row in rows]) for n in numbers}


def _classes_told(values: Mapping[int, Fraction]) -> str:
    told = (say("why.class-value", number=number, value=write_number(value)) for number, value in values.items())
    return ", ".join(told)

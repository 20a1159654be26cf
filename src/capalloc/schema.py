"""What a column of a table may hold, declared beside the field that receives it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from keyword import iskeyword
from typing import Any


class Kind(StrEnum):
    """What a cell of a column holds."""

    ID = "id"  # the name of a thing: text, never a number
    TEXT = "text"
    INTEGER = "integer"
    YEAR = "year"
    MONEY = "money"  # in the declared unit; whole million VND inside
    NUMBER = "number"  # an exact rational
    FRACTION = "fraction"  # an exact rational between 0 and 1
    TRUTH = "truth"
    CHOICE = "choice"
    PERIOD = "period"  # a phase, a year, or FIRST:LAST
    SELECTION = "selection"  # an expression over the columns of `projects`
    PROJECTS = "projects"  # a project id, or a selection
    IDS = "ids"  # one id, or several joined by +


@dataclass(frozen=True, slots=True)
class Column:
    """One column: what it holds and what is allowed in it.

    ``refers_to`` names the table whose ids the column must hold.  ``least`` is the smallest number allowed.
    ``required`` means that no cell may be empty.
    """

    kind: Kind
    key: bool = False
    required: bool = False
    refers_to: str = ""
    least: int | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TableSchema:
    """The name of a table, the record of its rows, its columns in order, and which of them are the key."""

    name: str
    record: type
    columns: Mapping[str, Column]

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that name a row."""
        return tuple(name for name, column in self.columns.items() if column.key)


def column(
    kind: Kind,
    *,
    key: bool = False,
    required: bool = False,
    refers_to: str = "",
    least: int | None = None,
    choices: tuple[str, ...] = (),
    default: Any = None,
) -> Any:
    """Declare a dataclass field as a column; an absent column gives every row the ``default``."""
    return field(default=default, metadata={"column": Column(kind, key, required, refers_to, least, choices)})


def field_name(heading: str) -> str:
    """Return the field of a record for a heading; Python's own words take a trailing underscore.

    Examples
    --------
    >>> field_name("class"), field_name("cost")
    ('class_', 'cost')
    """
    return f"{heading}_" if iskeyword(heading) else heading


def table_schema(name: str, record: type) -> TableSchema:
    """Return the schema that the fields of a record declare; fields that are not columns are left out."""
    columns = {f.name.rstrip("_"): f.metadata["column"] for f in fields(record) if "column" in f.metadata}
    own = {k: c for k, c in columns.items() if k not in _LAST}
    return TableSchema(name, record, own | {k: columns[k] for k in _LAST if k in columns})


_LAST = ("basis", "source_ref", "note")

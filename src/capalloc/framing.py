"""Tables as DataFrames: typed columns, whole numbers that stay whole where some are missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from capalloc.records import SCHEMAS, Project, Row
from capalloc.schema import Kind, field_name
from capalloc.tables import Tables

if TYPE_CHECKING:
    import pandas as pd

_TYPES = {
    Kind.MONEY: "Int64",
    Kind.INTEGER: "Int64",
    Kind.YEAR: "Int64",
    Kind.NUMBER: "Float64",
    Kind.FRACTION: "Float64",
    Kind.TRUTH: "boolean",
}


def typed_frame(columns: Mapping[str, tuple[str, Sequence[Any]]]) -> pd.DataFrame:
    """Return a frame of columns given as pandas type and cells; ``None`` is a missing cell."""
    import pandas as pd

    return pd.DataFrame({name: pd.Series(list(cells), dtype=kind) for name, (kind, cells) in columns.items()})


def table_frame(tables: Tables, name: str) -> pd.DataFrame:
    """Return a table as a frame: its key, what must be there, and every other column that says something.

    Amounts of money are whole million VND, whatever the unit of the files; other numbers are floats.
    """
    schema, rows = SCHEMAS[name], tables.rows(name)
    columns: dict[str, tuple[str, Sequence[Any]]] = {}
    for heading, column in schema.columns.items():
        default = schema.record.__dataclass_fields__[field_name(heading)].default  # type: ignore[attr-defined]
        values = [getattr(row, field_name(heading)) for row in rows]
        if column.key or column.required or any(value != default for value in values):
            columns[heading] = (_TYPES.get(column.kind, "str"), [as_cell(value) for value in values])
    if name == "projects":
        columns |= _attribute_columns(tables.projects)
    return typed_frame(columns)


def _attribute_columns(projects: Sequence[Project]) -> dict[str, tuple[str, Sequence[Any]]]:
    columns: dict[str, tuple[str, Sequence[Any]]] = {}
    for name in dict.fromkeys(name for project in projects for name in project.attributes):
        values = [project.attributes.get(name) for project in projects]
        numeric = any(isinstance(value, Fraction) for value in values)
        columns[name] = ("Float64" if numeric else "str", [as_cell(value) for value in values])
    return columns


def row_cells(name: str, row: Row) -> dict[str, Any]:
    """Return the filled cells of a row by heading."""
    cells = {heading: as_cell(getattr(row, field_name(heading))) for heading in SCHEMAS[name].columns}
    if isinstance(row, Project):
        cells |= {heading: as_cell(value) for heading, value in row.attributes.items()}
    return {heading: cell for heading, cell in cells.items() if cell is not None}


def as_cell(value: Any) -> Any:
    """Return a value of a record as what a frame holds: a plain number or text, ``None`` for an empty one."""
    if isinstance(value, tuple):
        return "+".join(value)
    if isinstance(value, Fraction):
        return float(value)
    return None if value == "" else value

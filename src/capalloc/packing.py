"""Tables packed into JSON text, exact and complete, and back: what stores keep and other processes are given."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from capalloc.formats import FORMATS, newer_format
from capalloc.issues import NOWHERE, InvalidInput, Place
from capalloc.records import RECORDS, Row
from capalloc.settings import Settings
from capalloc.tables import Origin, Tables

# What JSON has no form for, under the name by which it is told apart.
_FRACTION, _DECIMAL, _MAPPING = "fraction", "decimal", "mapping"

_FORMAT = "capalloc portfolio"


def pack(tables: Tables) -> str:
    """Return everything that the tables hold as JSON text that :func:`unpack` reads back."""
    content = {
        "format": _FORMAT,
        "version": FORMATS["portfolio"],
        "settings": _packed(tables.settings.model_dump()),
        "tables": {name: _packed_rows(tables.rows(name)) for name in RECORDS if tables.rows(name)},
        "origins": {name: _packed_origin(held) for name, held in tables.origins.items()},
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def unpack(text: str, where: Place = NOWHERE) -> Tables:
    """Return the tables that :func:`pack` packed; ``where`` is the file that they come from.

    Raises
    ------
    InvalidInput
        When the text was packed by a version that came after this one.
    ValueError, TypeError, KeyError
        When the text was not packed by this version of the format.
    """
    content = json.loads(text)
    if issue := newer_format("portfolio", content.get("version"), where):
        raise InvalidInput([issue])
    tables: dict[str, Any] = {name: _unpacked_rows(RECORDS[name], held) for name, held in content["tables"].items()}
    origins = {
        name: Origin(file, sheet, MappingProxyType(headings), _unpacked_cells(cells), header)
        for name, (file, sheet, headings, cells, header) in content["origins"].items()
    }
    settings = Settings.model_validate(_unpacked(content["settings"], dict, list))
    return Tables(settings=settings, origins=MappingProxyType(origins), **tables)


def _packed_origin(held: Origin) -> list[Any]:
    return [
        held.file,
        held.sheet,
        dict(held.headings),
        {name: list(at) for name, at in held.cells.items()},
        held.header,
    ]


def _unpacked_cells(cells: Mapping[str, list[str]]) -> Mapping[str, tuple[str, str]]:
    return MappingProxyType({name: (letters, title) for name, (letters, title) in cells.items()})


def _packed_rows(rows: tuple[Row, ...]) -> dict[str, list[Any]]:
    """The columns of a table that say something, each as a list of cells."""
    plain = type(rows[0])()
    columns = {field.name: [getattr(row, field.name) for row in rows] for field in fields(plain)}
    said = {name: cells for name, cells in columns.items() if any(cell != getattr(plain, name) for cell in cells)}
    return {name: [_packed(cell) for cell in cells] for name, cells in (said or columns).items()}


def _unpacked_rows(record: type[Row], columns: Mapping[str, list[Any]]) -> tuple[Row, ...]:
    cells = zip(*([_unpacked(cell) for cell in column] for column in columns.values()), strict=True)
    return tuple(record(**dict(zip(columns, row, strict=True))) for row in cells)


def _packed(value: Any) -> Any:
    if isinstance(value, Fraction):
        return {_FRACTION: str(value)}
    if isinstance(value, Decimal):
        return {_DECIMAL: str(value)}
    if isinstance(value, Mapping):
        return {_MAPPING: {str(key): _packed(inner) for key, inner in value.items()}}
    return [_packed(inner) for inner in value] if isinstance(value, tuple | list) else value


def _unpacked(value: Any, mapping: Callable[..., Any] = MappingProxyType, row: Callable[..., Any] = tuple) -> Any:
    if isinstance(value, list):
        return row(_unpacked(inner, mapping, row) for inner in value)
    if not isinstance(value, dict):
        return value
    ((kind, inner),) = value.items()
    if kind == _MAPPING:
        return mapping({key: _unpacked(part, mapping, row) for key, part in inner.items()})
    return Fraction(inner) if kind == _FRACTION else Decimal(inner)

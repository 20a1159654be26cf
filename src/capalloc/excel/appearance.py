"""What people see of a number, where it is not what is read: a format can divide it, hide it or give it a unit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from capalloc.excel.naming import unit_named
from capalloc.excel.opening import Sheet
from capalloc.excel.scanning import Shown, letters_of
from capalloc.issues import Issue, error, warning
from capalloc.money import MILLIONS
from capalloc.schema import Kind, TableSchema
from capalloc.settings import Settings
from capalloc.tables import Origin

_NUMBERS = {Kind.INTEGER, Kind.YEAR, Kind.MONEY, Kind.NUMBER, Kind.FRACTION}


def shown_issues(
    sheet: Sheet,
    rows: Iterable[int],
    columns: Sequence[tuple[int, str]],
    schema: TableSchema,
    settings: Settings,
    origin: Origin,
) -> Iterator[Issue]:
    """Yield what the formats of a table's numbers hide, once a column and kind; rows count from 1, columns from 0.

    A unit in a format says of a number what a unit in a heading says of all, and so must be that of the settings.
    """
    shown, own = sheet.scan.shown, set(rows)
    for number, code in columns:
        column = schema.columns.get(code)
        if not column or column.kind not in _NUMBERS:
            continue
        found: dict[tuple[str, object], list[int]] = {}
        for row in sorted(row for row, at in shown if at == number + 1 and row in own):
            told = _told(shown[row, number + 1], settings.money if column.kind is Kind.MONEY else "")
            if told:
                found.setdefault(told, []).append(row)
        for (what, fact), cells in found.items():
            at = replace(origin.place(cells[0], code), cell=f"{letters_of(number + 1)}{cells[0]}")
            if what == "unit":
                yield error("unit-differs", at, found=fact, expected=settings.money)
            else:
                yield warning(what, at, count=len(cells), factor=fact)


def shown_settings(sheet: Sheet, origin: Origin) -> Iterator[Issue]:
    """Yield what the formats of the numbers in the settings hide; none of them is money."""
    places = {cell: path for path, (cell, _) in origin.cells.items()}
    for (row, column), shown in sorted(sheet.scan.shown.items()):
        path, told = places.get(f"{letters_of(column)}{row}"), _told(shown, "")
        if path and told:
            yield warning(told[0], origin.place(None, path), count=1, factor=told[1])


def _told(shown: Shown, money: str) -> tuple[str, object] | None:
    """What is to be told of a format: in which unit its numbers are, that it divides them, or shows nothing of them."""
    named = unit_named(shown.words) if money else None
    if named and named not in MILLIONS:
        return "unit", named
    if named:
        size = MILLIONS[named] / 1000**shown.thousands
        if size == MILLIONS[money]:
            return None
        unit = next((unit for unit, own in MILLIONS.items() if own == size), None)
        if unit:
            return "unit", unit
    if shown.thousands:
        return "scaled-cells", 1000**shown.thousands
    return ("unseen-cells", 1) if shown.digitless else None

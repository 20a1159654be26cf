"""Raw tables: headings and cells as they stand in a CSV file or a DataFrame, before anything is read into them."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from io import StringIO
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import numpy as np

from capalloc.issues import Issue, Place, error
from capalloc.records import SCHEMAS
from capalloc.tables import Origin

if TYPE_CHECKING:
    import pandas as pd

DELIMITERS = (",", ";", "\t")
EMPTY = ""

_SEPARATOR_LINE = re.compile(r"\A\"?sep=[,;\t]\"?\r?\n", re.IGNORECASE)
_TITLE_ROWS = 10

# What spreadsheet programs write into a CSV file for a cell whose formula fails.
_ERRORS = frozenset(("#REF!", "#N/A", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!"))


@dataclass(frozen=True, slots=True)
class RawTable:
    """The cells of one table, column by column.

    A cell is a text, a truth or a number. An empty cell is the empty text, whatever its source wrote for it; a text
    is trimmed and in Unicode form NFC. ``rows`` holds the number of each row as the user sees it. Rows in ``torn``
    have too few or too many cells: what stands in which column is not known there. ``origin`` is where it stands in a
    workbook.
    """

    name: str
    file: str
    headings: tuple[str, ...]
    rows: Sequence[int]
    columns: tuple[Sequence[Any], ...]
    torn: frozenset[int] = frozenset()
    origin: Origin | None = None

    def place(self, row: int | None = None, column: str = "") -> Place:
        """Return where a cell, a heading or the table stands in the user's input."""
        return (self.origin or Origin(self.file)).place(row, column)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """In the place of a cell of which is known already what is wrong: the code of the issue, and what was found."""

    code: str
    found: str

    def __str__(self) -> str:
        return self.found


def tidy(text: str) -> str:
    """Return a text without blanks around it and in Unicode form NFC.

    Examples
    --------
    >>> tidy("  Lai Cha\u0302u ") == "Lai Châu"
    True
    """
    text = text.strip()
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def decoded(data: bytes, file: str) -> tuple[str, list[Issue]]:
    """Return the text of a UTF-8 file, with or without byte order mark, or the issue that it is no such file."""
    try:
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError as fault:
        row = data.count(b"\n", 0, fault.start) + 1
        return "", [error("not-utf8", Place(file, row=row), byte=fault.start + 1, found=f"0x{data[fault.start]:02X}")]


def table_from_csv(
    name: str, file: str, data: bytes, known: Collection[str] | None = None
) -> tuple[RawTable | None, list[Issue]]:
    """Return the table in a CSV file whose first row holds the headings.

    Cells are separated by commas, semicolons or tabs, whichever splits the headings into most known columns. Rows are
    numbered as a spreadsheet shows them; a row without any text is passed over.

    Parameters
    ----------
    name
        The name of the table, whose columns tell the separator.
    file
        The name of the file, for the places of issues.
    data
        The bytes of the file.
    known
        The columns that the headings are told by; those of the schema, unless given.
    """
    known = SCHEMAS[name].columns if known is None else known
    text, issues = decoded(data, file)
    if issues:
        return None, issues
    # Excel hides this line of its own from whoever opens the file.
    text = _SEPARATOR_LINE.sub("", text, count=1)
    if not text.strip():
        return None, [error("empty-file", Place(file))]
    lines: list[list[str]] = []
    try:
        lines.extend(csv.reader(StringIO(text, newline=""), delimiter=_delimiter(known, text), strict=True))
    except csv.Error as fault:
        lines, unreadable = _lines_before(text, _delimiter(known, text))
        where = Place(file, row=unreadable)
        is_long = str(fault).startswith("field larger")
        issues = [
            error("long-cell", where, most=csv.field_size_limit())
            if is_long
            else error("bad-csv", where, found=str(fault))
        ]
    if not lines:
        return None, issues
    headings, *body = ([tidy(cell) for cell in line] for line in lines)
    if lower := _lower_headings(known, headings, body):
        return None, [*issues, error("headings-lower", Place(file, row=lower), table=name)]
    return _table_from_lines(name, file, headings, body, issues)


def _lower_headings(known: Collection[str], headings: list[str], body: list[list[str]]) -> int:
    """The row in which the headings stand below titles; 0 where they are in the first row, or nowhere."""
    if any(heading in known for heading in headings):
        return 0
    rows = enumerate(body[:_TITLE_ROWS], start=2)
    return next((row for row, line in rows if sum(cell in known for cell in line) > 1), 0)


def _delimiter(known: Collection[str], text: str) -> str:
    def score(delimiter: str) -> tuple[int, int]:
        try:
            headings = next(csv.reader(StringIO(text, newline=""), delimiter=delimiter))
        except csv.Error:
            return 0, 0
        return sum(tidy(heading) in known for heading in headings), len(headings)

    return max(DELIMITERS, key=score)


def _lines_before(text: str, delimiter: str) -> tuple[list[list[str]], int]:
    lines: list[list[str]] = []
    try:
        for line in csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True):
            lines.append(line)  # noqa: PERF402  what came before the fault is kept
    except csv.Error:
        pass
    return lines, len(lines) + 1


def _table_from_lines(
    name: str, file: str, headings: list[str], body: list[list[str]], issues: list[Issue]
) -> tuple[RawTable, list[Issue]]:
    kept = [(number, line) for number, line in enumerate(body, start=2) if any(line)]
    torn = set()
    width = len(headings)
    for number, line in kept:
        extra = any(line[width:])
        if len(line) < width or extra:
            code = "too-many-cells" if extra else "too-few-cells"
            issues.append(error(code, Place(file, row=number), found=len(line), expected=width))
            torn.add(number)
    columns = tuple(zip_longest(headings, *(line[:width] for _, line in kept), fillvalue=EMPTY))
    return _without_blank_columns(
        RawTable(
            name,
            file,
            tuple(headings),
            [number for number, _ in kept],
            tuple(_without_errors(column[1:]) for column in columns),
            frozenset(torn),
        ),
        issues,
    )


def _without_errors(cells: Sequence[str]) -> Sequence[Any]:
    """Return the cells of a column, those marked in which a spreadsheet program left an error."""
    if _ERRORS.isdisjoint(cells):
        return cells
    return [Unreadable("error-cell", cell) if cell in _ERRORS else cell for cell in cells]


def table_from_frame(name: str, frame: pd.DataFrame) -> tuple[RawTable, list[Issue]]:
    """Return the table in a DataFrame; its index is no part of the table, and rows are numbered from 0.

    What pandas calls missing (NaN, NaT, None, NA) is an empty cell.
    """
    headings = tuple(tidy(str(heading)) for heading in frame.columns)
    columns = tuple(_cells(frame.iloc[:, position]) for position in range(frame.shape[1]))
    return _without_blank_columns(RawTable(name, name, headings, range(len(frame)), columns), [])


def _cells(series: pd.Series[Any]) -> list[Any]:
    missing = series.isna().tolist()
    # A narrow float would come back with the noise of its binary neighbour: its own shortest digits are what was meant.
    narrow = series.dtype.kind == "f" and getattr(series.dtype, "itemsize", 8) != 8
    values = list(series.array) if narrow else series.tolist()
    return [EMPTY if gone else plain(value) for gone, value in zip(missing, values, strict=True)]


def plain(value: Any) -> Any:
    """Return a value as Python's own number, with the digits it was written with, or else as its text."""
    if isinstance(value, str):
        return tidy(value)
    if isinstance(value, np.floating) and not isinstance(value, np.float64):
        return Decimal(str(value))
    if isinstance(value, np.generic):
        value = value.item()
    return value if isinstance(value, int | float | Decimal | Fraction) else tidy(str(value))


def _without_blank_columns(table: RawTable, issues: list[Issue]) -> tuple[RawTable, list[Issue]]:
    """Leave out the blank columns that spreadsheets write, and report repeated and missing headings."""
    kept: list[int] = []
    seen: set[str] = set()
    for position, heading in enumerate(table.headings):
        where = Place(table.file, column=heading)
        if heading in seen:
            issues.append(error("duplicate-heading", where, found=heading))
        elif heading:
            kept.append(position)
        elif any(cell != EMPTY for cell in table.columns[position]):
            issues.append(error("empty-heading", Place(table.file), position=position + 1))
        seen.add(heading or "\0")
    headings = tuple(table.headings[position] for position in kept)
    columns = tuple(table.columns[position] for position in kept)
    return RawTable(table.name, table.file, headings, table.rows, columns, table.torn), issues

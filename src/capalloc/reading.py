"""From cells to records: every cell is read by what its column holds, and every fault is reported at its cell."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from decimal import Decimal
from fractions import Fraction
from functools import partial
from types import MappingProxyType
from typing import Any

from capalloc.catalogue import write_number
from capalloc.characters import BREAKS, invisible, look, visible
from capalloc.issues import Issue, error, info, nearest
from capalloc.money import BadNumber, NumberFormat, whole_millions
from capalloc.rawtable import EMPTY, RawTable, Unreadable
from capalloc.records import SCHEMAS, Row, Rule
from capalloc.schema import Column, Kind, TableSchema, field_name
from capalloc.settings import Settings
from capalloc.tables import Origin

FIRST_YEAR, LAST_YEAR = 1900, 2200
LONGEST_TIME = LAST_YEAR - FIRST_YEAR
LARGEST_COUNT = 1_000_000

NONE = "—"
"""What a text shows where no known name is near."""

_TRUTHS: Mapping[str, bool] = {
    **dict.fromkeys(("true", "yes", "1", "có"), True),
    **dict.fromkeys(("false", "no", "0", "không"), False),
}
_TIMES = ("duration", "offset", "lag")
# Nobody types more digits; beyond some thousands Python itself refuses to read them.
_LONGEST_NUMBER = 60
_LARGEST_EXPONENT = 30
_LEADING_ZERO = re.compile(r"[+-]?0\d")


class BadCell(ValueError):
    """A cell does not hold what its column must; ``code`` and ``arguments`` are those of the issue to report."""

    def __init__(self, code: str, **arguments: Any) -> None:
        self.code = code
        self.arguments = arguments
        super().__init__(code)


Reader = Callable[[Any], Any]


def read_table(raw: RawTable, settings: Settings) -> tuple[tuple[Row, ...], Origin, list[Issue]]:
    """Return the records of a table, where it came from, and everything that is wrong in its headings and cells.

    A row with a faulty cell is still returned, the default in the place of that cell, so that other tables can name it.
    Without one of the columns that must be there no row is returned.
    """
    schema = SCHEMAS[raw.name]
    raw, issues = _with_visible_headings(raw)
    known = MappingProxyType({field_name(h): h for h in raw.headings if h in schema.columns})
    origin = replace(raw.origin or Origin(raw.file), headings=known)
    issues += _heading_issues(raw, schema)
    sheet = _Sheet(raw, settings)
    values = {
        field_name(heading): sheet.read(heading, cells, schema.columns[heading])
        for heading, cells in zip(raw.headings, raw.columns, strict=True)
        if heading in schema.columns
    }
    if raw.name == "projects":
        values["attributes"] = sheet.attributes(schema)
    if raw.name == "rules" and "measure" in values and "amount" in values:
        sheet.count_in_millions(values)
    issues += sheet.issues
    if any(issue.code == "missing-column" for issue in issues):
        return (), origin, issues
    names = tuple(values)
    rows = tuple(
        schema.record(row=number, **dict(zip(names, row, strict=True)))
        for number, *row in zip(raw.rows, *values.values(), strict=True)
    )
    issues += _duplicate_issues(rows, schema, raw, sheet.faulty)
    position = {heading: place for place, heading in enumerate(raw.headings)}
    issues.sort(key=lambda i: (-1 if i.where.row is None else i.where.row, position.get(i.where.column, -1)))
    return rows, origin, issues


def _with_visible_headings(raw: RawTable) -> tuple[RawTable, list[Issue]]:
    """Read headings without what nobody sees in them, and report it."""
    headings = tuple(map(visible, raw.headings))
    issues = [
        error("invisible-character", raw.place(column=seen), found=heading, **fault)
        for heading, seen in zip(raw.headings, headings, strict=True)
        if (fault := invisible(heading))
    ]
    return (replace(raw, headings=headings) if len(set(headings)) == len(headings) else raw), issues


def _heading_issues(raw: RawTable, schema: TableSchema) -> Iterator[Issue]:
    for heading in raw.headings:
        if heading not in schema.columns:
            near = (
                nearest_column(heading, schema) if raw.name == "projects" else nearest(heading, schema.columns) or NONE
            )
            if near:
                where = raw.place(column=heading)
                known = ", ".join(schema.columns)
                yield error("unknown-column", where, found=heading, near=near, known=known, table=raw.name)
    for name, column in schema.columns.items():
        if column.required and name not in raw.headings:
            yield error("missing-column", raw.place(column=name), column=name, table=raw.name)


def nearest_column(heading: str, schema: TableSchema) -> str:
    """Return the column that a heading of the user's own is most likely a slip for, or an empty text.

    Examples
    --------
    >>> nearest_column("prioritty", SCHEMAS["projects"]), nearest_column("population", SCHEMAS["projects"])
    ('priority', '')
    """
    squeezed = re.sub(r"[\s_.-]+", "", look(heading)).casefold()
    for name in schema.columns:
        bare = name.replace("_", "")
        if squeezed == bare or sorted(squeezed) == sorted(bare):
            return name
    close = nearest(squeezed, [name.replace("_", "") for name in schema.columns])
    alike = {name.replace("_", ""): name for name in schema.columns}
    return alike[close] if close and _likeness(squeezed, close) >= 0.85 else ""


def _likeness(one: str, other: str) -> float:
    from difflib import SequenceMatcher

    return SequenceMatcher(None, one, other).ratio()


class _Sheet:
    """Reads the columns of one raw table, collecting issues and the cells that are at fault."""

    def __init__(self, raw: RawTable, settings: Settings) -> None:
        self.raw = raw
        self.settings = settings
        self.format = NumberFormat(settings.numbers)
        self.defaults = {field.name: field.default for field in fields(SCHEMAS[raw.name].record)}
        self.issues: list[Issue] = []
        self.faulty: set[tuple[int, str]] = set()

    def read(self, heading: str, cells: Sequence[Any], column: Column) -> list[Any]:
        """Return the values of a column; the record's default stands for an empty cell and for a faulty one."""
        default = self.defaults[field_name(heading)]
        read = reader_of(heading, column, self.format, self.settings)
        known: dict[str, Any] = {EMPTY: default}
        values = []
        for row, cell in zip(self.raw.rows, cells, strict=True):
            if cell.__class__ is str and cell in known:
                value = known[cell]
                if cell == EMPTY and column.required:
                    self.fault(row, heading, BadCell("empty-cell", column=heading))
            else:
                try:
                    value = read(_readable(cell))
                except BadCell as fault:
                    self.fault(row, heading, fault, found=cell)
                    value = _best_guess(cell, column, default, read)
                else:
                    if isinstance(value, _Rounded):
                        value = self.rounded(row, heading, value)
                    elif cell.__class__ is str:
                        known[cell] = value
            values.append(value)
        return values

    def fault(self, row: int, heading: str, fault: BadCell, **found: Any) -> None:
        self.faulty.add((row, heading))
        if row not in self.raw.torn:
            self.issues.append(error(fault.code, self.raw.place(row, heading), **found | fault.arguments))

    def rounded(self, row: int, heading: str, value: _Rounded) -> int:
        where = self.raw.place(row, heading)
        self.issues.append(info("rounded", where, before=value.before, after=value.after))
        return value.after

    def count_in_millions(self, values: dict[str, list[Any]]) -> None:
        """Turn the amounts of those rules that are about money into million VND."""
        amounts = values["amount"]
        shares = values.get("share_of", [EMPTY] * len(amounts))
        for place, (measure, share) in enumerate(zip(values["measure"], shares, strict=True)):
            row = self.raw.rows[place]
            if not Rule(measure=measure, share_of=share).is_money or (row, "amount") in self.faulty:
                continue
            try:
                found = in_millions(amounts[place], self.settings)
            except BadCell as fault:
                self.fault(row, "amount", fault, found=write_number(amounts[place]))
            else:
                whole = self.rounded(row, "amount", found) if isinstance(found, _Rounded) else found
                amounts[place] = Fraction(whole)

    def attributes(self, schema: TableSchema) -> list[Mapping[str, str | Fraction]]:
        """Return the attributes of each row: the columns of `projects` that are the user's own."""
        own = [
            (heading, self.attribute(heading, cells))
            for heading, cells in zip(self.raw.headings, self.raw.columns, strict=True)
            if heading not in schema.columns
        ]
        return [
            MappingProxyType({heading: cell for heading, cells in own if (cell := cells[i]) is not None})
            for i in range(len(self.raw.rows))
        ]

    def attribute(self, heading: str, cells: Sequence[Any]) -> list[str | Fraction | None]:
        """Return a column as numbers when every filled cell is one beyond doubt, else as texts."""
        filled = [cell for cell in cells if cell != EMPTY]
        numbers = [_number_beyond_doubt(cell, self.format) for cell in filled]
        if filled and all(number is not None for number in numbers):
            remaining = iter(numbers)
            return [None if cell == EMPTY else next(remaining) for cell in cells]
        for row, cell in zip(self.raw.rows, cells, strict=True):
            if isinstance(cell, Unreadable):
                self.fault(row, heading, BadCell(cell.code, found=cell.found))
            elif isinstance(cell, float) and not math.isfinite(cell):
                self.fault(row, heading, BadCell("not-a-number"), found=cell)
            elif isinstance(cell, str) and (hidden := invisible(cell, BREAKS)):
                self.fault(row, heading, BadCell("invisible-character", **hidden), found=cell)
        return [EMPTY if isinstance(cell, Unreadable) else _text(cell) for cell in cells]


def _readable(cell: Any) -> Any:
    if isinstance(cell, Unreadable):
        raise BadCell(cell.code, found=cell.found)
    return cell


class _Rounded:
    """An amount that became whole by rounding, in the declared unit before and in million VND after."""

    def __init__(self, before: Fraction, after: int) -> None:
        self.before = before
        self.after = after


def reader_of(heading: str, column: Column, numbers: NumberFormat, settings: Settings) -> Reader:
    """Return the function that reads one cell of a column; it raises :class:`BadCell` on a cell that is at fault."""
    read_number = partial(_number, numbers=numbers)
    whole = partial(_whole, read_number=read_number)
    readers: Mapping[Kind, Reader] = {
        Kind.ID: _id,
        Kind.PROJECTS: _id_or_selection,
        Kind.IDS: _ids,
        Kind.TEXT: _free_text,
        Kind.SELECTION: _line,
        Kind.PERIOD: _period,
        Kind.TRUTH: _truth,
        Kind.CHOICE: partial(_choice, choices=column.choices),
        Kind.YEAR: partial(_year, whole=whole),
        Kind.INTEGER: partial(_count, whole=whole, most=LONGEST_TIME if heading in _TIMES else LARGEST_COUNT),
        Kind.NUMBER: read_number,
        Kind.FRACTION: partial(_fraction, read_number=read_number),
        Kind.MONEY: partial(_money, read_number=read_number, settings=settings),
    }
    read = readers[column.kind]
    return read if column.least is None else partial(_at_least, read=read, least=column.least)


def _number(cell: Any, numbers: NumberFormat) -> Fraction:
    if isinstance(cell, str) and len(cell) > _LONGEST_NUMBER:
        raise BadCell("not-a-number")
    if isinstance(cell, Decimal) and (not cell.is_finite() or abs(cell.adjusted()) > _LARGEST_EXPONENT):
        raise BadCell("not-a-number")
    try:
        return numbers.read(cell)
    except BadNumber as fault:
        raise BadCell(fault.code) from None


def _whole(cell: Any, read_number: Reader) -> int:
    number: Fraction = read_number(cell)
    if number.denominator != 1:
        raise BadCell("not-a-whole-number")
    return number.numerator


def _count(cell: Any, whole: Reader, most: int) -> int:
    number: int = whole(cell)
    if number > most:
        raise BadCell("too-large", most=most)
    return number


def _year(cell: Any, whole: Reader) -> int:
    number: int = whole(cell)
    if not FIRST_YEAR <= number <= LAST_YEAR:
        raise BadCell("not-a-year", first=FIRST_YEAR, last=LAST_YEAR)
    return number


def _fraction(cell: Any, read_number: Reader) -> Fraction:
    number: Fraction = read_number(cell)
    if not 0 <= number <= 1:
        raise BadCell("not-a-fraction")
    return number


def _money(cell: Any, read_number: Reader, settings: Settings) -> int | _Rounded:
    return in_millions(read_number(cell), settings)


def in_millions(amount: Fraction, settings: Settings) -> int | _Rounded:
    """Return an amount in the declared unit as whole million VND, with both where it had to be rounded.

    Raises
    ------
    BadCell
        When it is no whole number and the settings allow no rounding.
    """
    try:
        millions, was_rounded = whole_millions(amount, settings.money, settings.rounding)
    except BadNumber as fault:
        raise BadCell(fault.code, unit=settings.money) from None
    return _Rounded(amount, millions) if was_rounded else millions


def _at_least(cell: Any, read: Reader, least: int) -> Any:
    value = read(cell)
    if (value.before if isinstance(value, _Rounded) else value) < least:
        raise BadCell("below-least", least=least)
    return value


def _id(cell: Any) -> str:
    if isinstance(cell, int) and not isinstance(cell, bool):
        return str(cell)
    if not isinstance(cell, str):
        raise BadCell("not-an-id")
    if "+" in cell:
        raise BadCell("plus-in-id")
    if sign := next((sign for sign in "*?" if sign in cell), ""):
        raise BadCell("wildcard-in-id", sign=sign)
    return _line(cell)


def _id_or_selection(cell: Any) -> str:
    return _line(cell) if isinstance(cell, str) else _id(cell)


def _ids(cell: Any) -> tuple[str, ...]:
    if not isinstance(cell, str):
        return (_id(cell),)
    ids = tuple(part.strip() for part in _line(cell).split("+"))
    if not all(ids):
        raise BadCell("empty-part")
    repeated = next((name for place, name in enumerate(ids) if name in ids[:place]), None)
    if repeated is not None:
        raise BadCell("repeated-id", name=repeated)
    return ids


def _period(cell: Any) -> str:
    # pandas turns a column of years into floats when one of its cells is empty.
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else _line(cell)


def _truth(cell: Any) -> bool:
    known = cell.casefold() in _TRUTHS if isinstance(cell, str) else cell in (0, 1)
    if not known:
        raise BadCell("not-a-truth")
    return _TRUTHS[cell.casefold()] if isinstance(cell, str) else bool(cell)


def _choice(cell: Any, choices: tuple[str, ...]) -> str:
    text = _text(cell)
    if text not in choices:
        raise BadCell("unknown-choice", near=nearest(text, choices) or NONE, known=", ".join(choices))
    return text


def _text(cell: Any) -> str:
    return cell if isinstance(cell, str) else str(cell)


def _line(cell: Any) -> str:
    return _all_visible(_text(cell))


def _free_text(cell: Any) -> str:
    return _all_visible(_text(cell), BREAKS)


def _all_visible(text: str, allowed: str = "") -> str:
    if hidden := invisible(text, allowed):
        raise BadCell("invisible-character", **hidden)
    return text


def _best_guess(cell: Any, column: Column, default: Any, read: Reader) -> Any:
    """Return what a faulty cell was probably meant to hold, so that rows that name it are not called faulty too."""
    if isinstance(cell, str) and visible(cell) != cell:
        try:
            value = read(visible(cell))
        except BadCell:
            return default
        return default if isinstance(value, _Rounded) else value
    if column.kind is Kind.ID and not isinstance(cell, Unreadable):
        return _text(cell)
    # A word that was not understood must not act as the default word.
    return "" if column.kind is Kind.CHOICE else default


def _number_beyond_doubt(cell: Any, numbers: NumberFormat) -> Fraction | None:
    if isinstance(cell, str) and _LEADING_ZERO.match(cell):
        return None
    try:
        return _number(cell, numbers)
    except BadCell:
        return None


def _duplicate_issues(
    rows: Sequence[Row], schema: TableSchema, raw: RawTable, faulty: set[tuple[int, str]]
) -> Iterator[Issue]:
    fields_of_key = [field_name(name) for name in schema.key]
    at_fault = raw.torn | {row for row, column in faulty if column in schema.key}
    first_rows: dict[tuple[Any, ...], int | None] = {}
    for row in rows:
        if row.row in at_fault:
            continue
        values = [getattr(row, name) for name in fields_of_key]
        key = tuple(tuple(sorted(value)) if isinstance(value, tuple) else value for value in values)
        if key in first_rows:
            where = raw.place(row.row, schema.key[0])
            written = ", ".join("+".join(value) if isinstance(value, tuple) else str(value) for value in values)
            yield error("duplicate-row", where, key=written, first=first_rows[key], table=schema.name)
        first_rows.setdefault(key, row.row)

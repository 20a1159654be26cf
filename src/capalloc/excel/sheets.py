"""From a sheet as people lay it out to a raw table: titles above, headings of two lines, numbered columns."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from types import MappingProxyType
from typing import Any

from capalloc.characters import look
from capalloc.excel.appearance import shown_issues
from capalloc.excel.hiding import hidden_issues
from capalloc.excel.naming import column_codes, first_names, folded, unit_in, word_codes
from capalloc.excel.opening import Book, Sheet
from capalloc.excel.scanning import letters_of
from capalloc.issues import Issue, Place, error
from capalloc.rawtable import EMPTY, RawTable, Unreadable, tidy
from capalloc.records import SCHEMAS
from capalloc.schema import Kind, TableSchema
from capalloc.settings import Settings
from capalloc.tables import Origin

_TITLE_ROWS = 25
"""Among how many rows with something in them the headings are looked for."""

_WHOLE = 2.0**53
_ALIKE = 0.86
_NUMBERED = re.compile(r"\(?(\d{1,3}|[A-Z])\)?(\s*=.*)?")
_PADDED = {Kind.ID, Kind.IDS, Kind.PROJECTS, Kind.TEXT}
_DATED = {Kind.TEXT}

Grid = list[list[Any]]


@dataclass(frozen=True, slots=True)
class Laid:
    """Where the table of a sheet stands: the rows of its headings, and the heading of each column, from 0."""

    first: int
    last: int
    titles: tuple[str, ...]


def grid_of(book: Book, sheet: Sheet) -> Grid:
    """Return the values of a sheet from its cell A1, with what cannot be read marked."""
    values = book.values_of(sheet)
    grid = values.to_python(skip_empty_area=False)
    width = max(map(len, grid), default=0)
    for (row, column), formula in sheet.scan.uncomputed.items():
        _put(grid, width, row, column, Unreadable("formula-without-value", formula))
    for (row, column), found in sheet.scan.errors.items():
        _put(grid, width, row, column, Unreadable("error-cell", found))
    return grid


def _put(grid: Grid, width: int, row: int, column: int, cell: Unreadable) -> None:
    """Set a cell of which the reader of values says nothing; it may lie beyond what that reader saw."""
    while len(grid) < row:
        grid.append([EMPTY] * width)
    line = grid[row - 1]
    line.extend([EMPTY] * (column - len(line)))
    line[column - 1] = cell


def table_of(book: Book, sheet: Sheet, name: str, settings: Settings) -> tuple[RawTable | None, list[Issue]]:
    """Return the table that a sheet holds; ``None`` where it holds no row, or no headings of this table.

    Parameters
    ----------
    name
        The table of the schema that the sheet is named after.
    settings
        Tell the unit of money, with which a unit in a heading must agree.
    """
    grid, schema = grid_of(book, sheet), SCHEMAS[name]
    if not any(_filled(cell) for line in grid for cell in line):
        return None, []
    laid = _headings(grid, column_codes(name))
    if laid is None:
        return None, [error("no-headings", Place(book.file, sheet.title), table=name, known=", ".join(schema.columns))]
    columns, issues = _columns(laid, schema, Place(book.file, sheet.title))
    issues += _headings_above(grid, laid, column_codes(name), Place(book.file, sheet.title))
    cells = {code: (letters_of(number + 1), laid.titles[number]) for number, code in columns}
    origin = Origin(book.file, sheet.title, cells=MappingProxyType(cells), header=laid.last + 1)
    issues += _unit_issues(grid, laid, columns, schema, settings, origin)
    rows = [number for number in range(_body(grid, laid), len(grid)) if any(map(_filled, grid[number]))]
    issues += hidden_issues(sheet, origin.place(), (row + 1 for row in rows), (number + 1 for number, _ in columns))
    issues += shown_issues(sheet, (row + 1 for row in rows), columns, schema, settings, origin)
    merged = dict(_merged(book, sheet, rows))
    issues += [
        error("merged-cells", replace(origin.place(row + 1), cell=extent.partition(":")[0]), found=extent)
        for row, extent in merged.items()
        if extent
    ]
    if not rows:
        return (None if name != "projects" else _raw(name, origin, columns, [], grid)), issues
    issues += _unheaded(grid, laid, rows, origin)
    raw = _raw(name, origin, columns, rows, _readable(grid, sheet, columns, schema, rows))
    return replace(raw, torn=frozenset(row + 1 for row in merged)), issues


def lists_projects(book: Book, sheet: Sheet) -> bool:
    """Return whether a sheet, whatever its name, has the headings of a list of projects with their costs."""
    grid, known = grid_of(book, sheet), column_codes("projects")
    laid = _headings(grid, known)
    return laid is not None and {"id", "cost"} <= {known.get(folded(title)) for title in laid.titles}


def _raw(name: str, origin: Origin, columns: Sequence[tuple[int, str]], rows: Sequence[int], grid: Grid) -> RawTable:
    cells = tuple([_at(grid[row], number) for row in rows] for number, _ in columns)
    return RawTable(name, origin.file, tuple(code for _, code in columns), [r + 1 for r in rows], cells, origin=origin)


def _headings(grid: Grid, known: Mapping[str, str]) -> Laid | None:
    """The row, or two rows one below the other, in which most headings are known; one and the upper where it is equal.

    In two rows the lower one counts, and where it is empty the upper one, of which cells are merged downwards.
    """
    filled = [number for number, line in enumerate(grid) if any(map(_filled, line))][:_TITLE_ROWS]
    best: tuple[tuple[int, int], Laid] | None = None
    for first in filled:
        for last in (first, first + 1):
            if last < len(grid):
                titles = _titles(grid, first, last)
                count = len({known[folded(title)] for title in titles if folded(title) in known})
                rank = count, first - last
                if count and (best is None or rank > best[0]):
                    best = rank, Laid(first, last, titles)
    return best[1] if best else None


def _headings_above(grid: Grid, laid: Laid, known: Mapping[str, str], where: Place) -> Iterator[Issue]:
    """Headings of another block above, with rows of its own: only the block whose headings are known best is read."""
    above = [row for row in range(laid.first) if any(map(_filled, grid[row]))]
    for row in above[:-1]:
        if len({known[title] for cell in grid[row] if (title := folded(_title(cell))) in known}) > 1:
            place = replace(where, row=row + 1, cell=f"A{row + 1}")
            yield error("headings-above", place, headings=laid.first + 1, last=laid.first)


def _titles(grid: Grid, first: int, last: int) -> tuple[str, ...]:
    width = max(map(len, grid))
    lower = [_title(_at(grid[last], number)) for number in range(width)]
    upper = [_title(_at(grid[first], number)) for number in range(width)]
    return tuple(low or high for low, high in zip(lower, upper, strict=True))


def _title(cell: Any) -> str:
    return " ".join(tidy(cell).split()) if isinstance(cell, str) else "" if cell is None else tidy(str(cell))


def _body(grid: Grid, laid: Laid) -> int:
    """The first row of the table itself, after a row that only numbers the columns."""
    after = laid.last + 1
    if after < len(grid):
        filled = [_title(_at(grid[after], number)) for number, title in enumerate(laid.titles) if title]
        marks = [mark.removesuffix(".0") for mark in filled if mark]
        if len(marks) > 1 and all(_NUMBERED.fullmatch(mark) for mark in marks) and _is_count(marks):
            return after + 1
    return after


def _is_count(marks: Sequence[str]) -> bool:
    """Whether marks such as A, B, 1, 2, 3 count the columns."""
    numbers = [int(mark.strip("()").partition("=")[0]) for mark in marks if mark.strip("()")[:1].isdigit()]
    return len(numbers) > 1 and numbers == list(range(numbers[0], numbers[0] + len(numbers))) and numbers[0] <= 1


def _columns(laid: Laid, schema: TableSchema, where: Place) -> tuple[list[tuple[int, str]], list[Issue]]:
    """The places of the columns with the codes of their headings; those of the user's own keep what they are called."""
    known, columns, issues, seen = column_codes(schema.name), [], [], set[str]()
    for number, title in enumerate(laid.titles):
        if not title:
            continue
        code = known.get(folded(title), title)
        if code in seen and schema.name == "projects" and folded(title) not in first_names(schema.name, code):
            # A lesser name of a column that is there already is a column of the user's own.
            code = title
        place = replace(where, column=code, cell=f"{letters_of(number + 1)}{laid.last + 1}", title=title)
        near = "" if code in schema.columns else _slip(title, known)
        if code in seen:
            issues.append(error("duplicate-heading", place, found=title))
        elif near:
            names = ", ".join(schema.columns)
            issues.append(error("unknown-column", place, found=title, near=known[near], known=names, table=schema.name))
        else:
            columns.append((number, code))
        seen.add(code)
    return columns, issues


def _slip(title: str, known: Mapping[str, str]) -> str:
    """The heading of which another one is most likely a slip; nothing where it is a column of the user's own."""
    name = folded(look(title))
    if name != folded(title) and name in known:
        return name
    ratios = {alias: SequenceMatcher(None, name, alias).ratio() for alias in known if len(alias) > 5}
    near = max(ratios, key=lambda alias: ratios[alias], default="")
    return near if near and ratios[near] >= _ALIKE else ""


def _unit_issues(
    grid: Grid, laid: Laid, columns: Sequence[tuple[int, str]], schema: TableSchema, settings: Settings, origin: Origin
) -> Iterator[Issue]:
    """Units of money, in a heading or in a line above, that are not the one that the settings declare."""
    for number, code in columns:
        if code in schema.columns and schema.columns[code].kind is Kind.MONEY:
            for title in (laid.titles[number], _group(grid, laid, number)):
                found = unit_in(title)
                if found and found != settings.money:
                    yield error("unit-differs", origin.place(None, code), found=found, expected=settings.money)
    holds_money = any(column.kind is Kind.MONEY for column in schema.columns.values())
    for row in range(laid.first):
        for number, cell in enumerate(grid[row]):
            found = unit_in(cell) if isinstance(cell, str) and holds_money else None
            if found and found != settings.money:
                place = replace(origin.place(), cell=f"{letters_of(number + 1)}{row + 1}")
                yield error("unit-differs", place, found=found, expected=settings.money)


def _group(grid: Grid, laid: Laid, number: int) -> str:
    """The upper heading that stands over a column and others beside it, where headings take two rows."""
    if laid.first == laid.last or not _title(_at(grid[laid.last], number)):
        return ""
    over = next((n for n in range(number, -1, -1) if _title(_at(grid[laid.first], n))), number)
    return _title(_at(grid[laid.first], over)) if _title(_at(grid[laid.last], over)) else ""


def _merged(book: Book, sheet: Sheet, rows: Sequence[int]) -> Iterator[tuple[int, str]]:
    """The rows of the table that merged cells run through; the first of each with their extent."""
    own = set(rows)
    for (top, left), (bottom, right) in book.values_of(sheet).merged_cell_ranges or ():
        extent = f"{letters_of(left + 1)}{top + 1}:{letters_of(right + 1)}{bottom + 1}"
        for row in range(top, bottom + 1):
            if row in own:
                yield row, extent
                extent = ""


def _unheaded(grid: Grid, laid: Laid, rows: Sequence[int], origin: Origin) -> Iterator[Issue]:
    """Columns that hold something but have no heading, each at its first cell."""
    for number in range(max(len(grid[row]) for row in rows)):
        if number >= len(laid.titles) or not laid.titles[number]:
            row = next((row for row in rows if _filled(_at(grid[row], number))), None)
            if row is not None:
                address = f"{letters_of(number + 1)}{row + 1}"
                yield error("empty-heading", replace(origin.place(row + 1), cell=address), position=number + 1)


def _readable(
    grid: Grid, sheet: Sheet, columns: Sequence[tuple[int, str]], schema: TableSchema, rows: Sequence[int]
) -> Grid:
    """The rows of the table with every cell as plain Python has it, in the words of the schema."""
    read = [[EMPTY] * (columns[-1][0] + 1 if columns else 0)] * (rows[-1] + 1 if rows else 0)
    for row in rows:
        line: list[Any] = [EMPTY] * (columns[-1][0] + 1)
        for number, code in columns:
            column = schema.columns.get(code)
            kind = column.kind if column else Kind.TEXT
            cell = _at(grid[row], number)
            shown = sheet.scan.shown.get((row + 1, number + 1))
            if shown and shown.digits and kind in _PADDED and isinstance(cell, float) and cell.is_integer():
                line[number] = f"{int(cell):0{shown.digits}d}"
            else:
                plain = plain_cell(cell, kind)
                is_word = column is not None and column.choices and isinstance(plain, str)
                line[number] = word_codes(column.choices).get(folded(plain), plain) if column and is_word else plain
        read[row] = line
    return read


def plain_cell(cell: Any, kind: Kind = Kind.TEXT) -> Any:
    """Return a value of a workbook as a plain number or text; a date where none belongs is marked as unreadable.

    Numbers have the 15 digits that a spreadsheet program shows: what stands behind them is no one's doing but its own.
    """
    if isinstance(cell, bool | Unreadable) or cell is None:
        return EMPTY if cell is None else cell
    if isinstance(cell, float):
        if cell.is_integer() and abs(cell) < _WHOLE:
            return int(cell)
        return cell if abs(cell) >= _WHOLE else float(f"{cell:.15g}")
    if isinstance(cell, dt.date | dt.time | dt.timedelta):
        return cell_text(cell) if kind in _DATED else Unreadable("date-cell", cell_text(cell))
    return tidy(cell) if isinstance(cell, str) else cell


def cell_text(cell: Any) -> str:
    """Return a date or a time as text: a day without its midnight."""
    if isinstance(cell, dt.datetime) and cell.time() == dt.time():
        cell = cell.date()
    return str(cell)


def _at(line: Sequence[Any], number: int) -> Any:
    return line[number] if number < len(line) else EMPTY


def _filled(cell: Any) -> bool:
    return cell is not None and (not isinstance(cell, str) or bool(tidy(cell)))

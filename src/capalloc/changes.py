"""Changes to single cells and settings of a portfolio, told by path.

A change is a plain value (a number, a text, ``True`` or ``False``; ``None`` empties the cell) or a text with an
operator: ``"*1.05"`` multiplies, ``"+100"`` and ``"-100"`` add and take away, ``"=-5"`` sets.  A text that begins
with ``+`` or ``-`` is therefore never a plain number: write ``-5`` as a number or as ``"=-5"``.  Operators act on
columns that hold numbers; in the other columns every text is plain.  The factor of ``*`` is written with a decimal
point; other numbers in texts as in the files.  Amounts of money are in the unit that the portfolio declares.  Money
and whole numbers round half up, and every change tells the exact result beside the rounded one.  The changes apply in
the order given, each to what the ones before it left.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from itertools import islice
from operator import is_
from types import MappingProxyType
from typing import Any

from capalloc.catalogue import say, write_number
from capalloc.configuring import settings_from_mapping
from capalloc.issues import InvalidInput, Issue, Issues, Place, error, info, nearest
from capalloc.law.statutes import with_figure
from capalloc.money import MILLIONS, NumberFormat, round_half_up
from capalloc.paths import BadPath, CellPath, key_limits, row_path, split_path
from capalloc.rawtable import plain
from capalloc.reading import BadCell, reader_of
from capalloc.records import SCHEMAS, Project, Row, Rule
from capalloc.schema import Column, Kind, field_name
from capalloc.selection import Holds, attribute_columns
from capalloc.settings import Settings
from capalloc.tables import Tables

_NUMERIC = (Kind.MONEY, Kind.NUMBER, Kind.FRACTION, Kind.INTEGER, Kind.YEAR)
_WHOLE = (Kind.MONEY, Kind.INTEGER, Kind.YEAR)
_FACTOR = re.compile(r"[+-]?\d+(\.\d+)?")

# What says how the files are read has done its work once they are read.
_READ_ONCE = ("money", "numbers", "rounding", "format")

_YEARS = ("first_year", "last_year", "decide_from")

# Of so many paths the last change is remembered.
_PATHS_KEPT = 8


@dataclass(frozen=True, slots=True)
class Change:
    """One cell or setting before and after; ``exact`` is the result before rounding. Money is in million VND."""

    path: str
    before: Any
    after: Any
    exact: Fraction | None = None

    @property
    def was_rounded(self) -> bool:
        """Whether the result had to be rounded."""
        return self.exact is not None and self.exact != self.after

    def __str__(self) -> str:
        key = "portfolio.change-rounded" if self.was_rounded else "portfolio.change"
        exact = "" if self.exact is None else write_number(self.exact)
        before, after = (_written(cell, is_year=_is_year(self.path)) for cell in (self.before, self.after))
        return say(key, path=self.path, before=before, after=after, exact=exact)


def _is_year(path: str) -> bool:
    """Whether a path leads to a year, which is written without a mark between its digits."""
    table, column = path.partition(".")[0], path.rpartition(".")[2]
    if table == "settings":
        return column in _YEARS
    known = SCHEMAS[table].columns.get(column) if table in SCHEMAS else None
    return known is not None and known.kind is Kind.YEAR


def _written(value: Any, *, is_year: bool) -> str:
    if value is None or value == "":
        return "–"
    if is_year:
        return str(value)
    if isinstance(value, int | Fraction | Decimal) and not isinstance(value, bool):
        return write_number(value)
    return "+".join(value) if isinstance(value, tuple) else str(value)


class Edits:
    """Remembers what the last change at each of a few paths made of which rows, for changes that are made again."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[tuple[Any, ...], _Edited]] = {}

    def of(self, tables: Tables, cell: CellPath, path: str, change: Any) -> _Edited:
        """Return what a change makes of the rows of a table, which depends on them and on the settings alone."""
        asked = (tables.rows(cell.table), tables.settings, type(change), change)
        known = self._known.pop(path, None)
        same = known is not None and known[0][3] == change and all(map(is_, known[0][:3], asked[:3]))
        edited = known[1] if known is not None and same else _edited(tables, cell, path, change)
        # The path asked for last stands last; the first is the one to be forgotten.
        self._known[path] = (asked, edited)
        if len(self._known) > _PATHS_KEPT:
            self._known.pop(next(iter(self._known)), None)
        return edited


@dataclass(frozen=True, slots=True)
class _Edited:
    """The rows of a table after a change, the cells that changed, and notes."""

    rows: tuple[Row, ...]
    made: tuple[Change, ...]
    notes: tuple[Issue, ...]


def apply_changes(
    tables: Tables, changes: Mapping[str, Any], edits: Edits | None = None
) -> tuple[Tables, tuple[Change, ...], Issues]:
    """Return the changed tables, what changed cell by cell, and notes about cells that could not be meant.

    The tables are not checked again.

    Parameters
    ----------
    edits
        What is remembered of changes that were made before.

    Raises
    ------
    InvalidInput
        When a path matches nothing or a change cannot be made; everything at once.
    """
    made: list[Change] = []
    issues: list[Issue] = []
    edits = edits or Edits()
    for path, change in changes.items():
        try:
            tables, done, found_empty = _apply(tables, path, None if change is None else plain(change), edits)
        except InvalidInput as fault:
            issues += fault.issues
        except (BadPath, BadCell) as fault:
            found = {"path": path, "change": change, "found": change} | fault.arguments
            issues.append(error(fault.code, Place(file=str(path)), **found))
        else:
            made += done
            issues += found_empty
    notes = Issues(issues)
    if notes.errors:
        raise InvalidInput(notes)
    return tables, tuple(made), notes


def _apply(tables: Tables, path: str, change: Any, edits: Edits) -> tuple[Tables, Iterable[Change], Iterable[Issue]]:
    if not isinstance(path, str):
        raise BadPath("path-malformed")
    parts = split_path(path)
    if parts[0] == "settings":
        settings, done = _change_setting(tables.settings, parts[1:], change)
        return replace(tables, settings=settings), [done], []
    cell = _cell_path(parts, tables.settings)
    edited = edits.of(tables, cell, path, change)
    changed: dict[str, Any] = {cell.table: edited.rows}
    return replace(tables, **changed), edited.made, edited.notes


def _edited(tables: Tables, cell: CellPath, path: str, change: Any) -> _Edited:
    column = _column(tables, cell)
    rows = list(tables.rows(cell.table))
    positions = list(cell.rows(tables))
    if not positions:
        paths = {row_path(SCHEMAS[cell.table], row, cell.column) for row in rows}
        raise BadPath("path-no-match", known=_suggestion(path, paths))
    editors = {
        kind: _Editor(tables.settings, cell.column, replace(column, kind=kind)) for kind in (column.kind, Kind.MONEY)
    }
    made, empty = [], 0
    for position in positions:
        row = rows[position]
        about_money = isinstance(row, Rule) and cell.column == "amount" and row.is_money
        editor = editors[Kind.MONEY if about_money else column.kind]
        before = _read(row, cell.column)
        if before is None and editor.has_operator(change) and cell.has_wildcard:
            empty += 1
            continue
        after, exact = editor.edit(before, change)
        rows[position] = _replaced(row, cell.column, after)
        made.append(Change(row_path(SCHEMAS[cell.table], row, cell.column), before, after, exact))
    if not made:
        raise BadPath("path-only-empty")
    notes = (info("change-skips-empty", path=path, count=empty),) if empty else ()
    return _Edited(tuple(rows), tuple(made), notes)


def _cell_path(parts: tuple[str, ...], settings: Settings) -> CellPath:
    """Return the path that the parts spell, once its table and the number of its parts are known to be right."""
    table = parts[0]
    if table not in SCHEMAS:
        raise BadPath("path-unknown-table", table=table, known=_meant(parts, settings))
    least, most = key_limits(SCHEMAS[table])
    if not least <= len(parts) - 2 <= most:
        form = ".".join((table, *SCHEMAS[table].key, "column"))
        raise BadPath("path-key-count", form=form)
    return CellPath(table, parts[1:-1], parts[-1])


def _meant(parts: tuple[str, ...], settings: Settings) -> str:
    """The setting that a path without ``settings`` names or nearly names, or else the nearest tables."""
    name, names = ".".join(parts), {".".join(map(str, path)) for path in _setting_paths(settings.model_dump())}
    setting = name if name in names else "" if nearest(parts[0], SCHEMAS) else nearest(name, names)
    return f"settings.{setting}" if setting else _suggestion(parts[0], {*SCHEMAS, "settings"})


def _column(tables: Tables, path: CellPath) -> Column:
    schema = SCHEMAS[path.table]
    if path.column in schema.key:
        raise BadPath("path-key-column", column=path.column)
    if path.column in schema.columns:
        return schema.columns[path.column]
    own = attribute_columns(tables.projects) if path.table == "projects" else {}
    if path.column not in own:
        known = {name for name in (*schema.columns, *own) if name not in schema.key}
        raise BadPath(
            "path-unknown-column", column=path.column, table=path.table, known=_suggestion(path.column, known)
        )
    return Column(Kind.NUMBER if own[path.column] is Holds.NUMBER else Kind.TEXT)


def _suggestion(found: str, known: set[str]) -> str:
    """The nearest of the known names, or else the first few of them."""
    return nearest(found, known) or ", ".join(islice(sorted(known), 8)) or "–"


def _read(row: Row, column: str) -> Any:
    if isinstance(row, Project) and column not in SCHEMAS["projects"].columns:
        return row.attributes.get(column)
    return getattr(row, field_name(column))


def _replaced(row: Row, column: str, value: Any) -> Row:
    if isinstance(row, Project) and column not in SCHEMAS["projects"].columns:
        rest = {name: cell for name, cell in row.attributes.items() if name != column}
        return replace(row, attributes=MappingProxyType(rest if value is None else rest | {column: value}))
    if value is None:
        value = row.__dataclass_fields__[field_name(column)].default
    return replace(row, **{field_name(column): value})


class _Editor:
    """Makes changes in one column."""

    def __init__(self, settings: Settings, heading: str, column: Column) -> None:
        self.column = column
        numbers = NumberFormat(settings.numbers)
        self.read_number = reader_of(heading, Column(Kind.NUMBER), numbers, settings)
        self.unit = MILLIONS[settings.money] if column.kind is Kind.MONEY else Fraction(1)
        # The result of a change in money is in million VND already.
        checked = replace(column, kind=Kind.NUMBER) if column.kind is Kind.MONEY else column
        self.check = reader_of(heading, checked, numbers, settings)

    def has_operator(self, change: Any) -> bool:
        """Whether the change builds on what the cell holds."""
        return self.column.kind in _NUMERIC and isinstance(change, str) and change[:1] in ("*", "+", "-")

    def edit(self, before: Any, change: Any) -> tuple[Any, Fraction | None]:
        """Return the new value of a cell and, for a number, the exact result before rounding.

        Raises
        ------
        BadCell
            When the change is none, or its result is not allowed in the column.
        """
        if change is None or change == "":
            if self.column.required:
                raise BadCell("change-empties-required")
            return None, None
        if self.column.kind not in _NUMERIC:
            return self.check(change), None
        exact = self._exact(before, change)
        if self.column.kind is Kind.MONEY or (self.column.kind in _WHOLE and self.has_operator(change)):
            return self._allowed(round_half_up(exact)), exact
        return self._allowed(exact), exact

    def _allowed(self, result: Fraction | int) -> Any:
        try:
            allowed = self.check(result)
        except BadCell as fault:
            raise BadCell(fault.code, **{"found": write_number(result)} | fault.arguments) from None
        return round_half_up(allowed) if self.column.kind is Kind.MONEY else allowed

    def _exact(self, before: Any, change: Any) -> Fraction:
        if not self.has_operator(change):
            return Fraction(
                self.read_number(change.removeprefix("=") if isinstance(change, str) else change) * self.unit
            )
        if before is None:
            raise BadCell("change-of-nothing")
        sign, number = change[0], change[1:].strip()
        if sign == "*":
            if not _FACTOR.fullmatch(number):
                raise BadCell("bad-factor")
            return Fraction(before * _factor(number))
        amount = self.read_number(number) * self.unit
        return Fraction(before + amount if sign == "+" else before - amount)


@lru_cache(maxsize=16)
def _factor(number: str) -> Fraction:
    return Fraction(number)


def _change_setting(settings: Settings, parts: tuple[str, ...], change: Any) -> tuple[Settings, Change]:
    """Return the settings with the value at a path changed, and read again."""
    content = settings.model_dump()
    if parts[0] == "law":
        content["law"] = with_figure(settings, parts[1:])
    known = {".".join(map(str, path)): path for path in _setting_paths(content)}
    name = ".".join(parts)
    if name not in known:
        raise BadPath("path-unknown-setting", known=_suggestion(name, set(known)))
    if parts[0] in _READ_ONCE:
        raise BadPath("setting-read-once", setting=name)
    *outer, last = known[name]
    place = content
    for part in outer:
        place = place[part]
    before = place[last]
    place[last] = _changed_setting(before, change)
    changed, issues = settings_from_mapping(content, "settings")
    if issues:
        raise InvalidInput(issues)
    after: Any = changed.model_dump()
    for part in known[name]:
        after = after[part]
    return changed, Change(f"settings.{name}", before, after)


def _setting_paths(content: Mapping[Any, Any], before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    for name, value in content.items():
        if isinstance(value, Mapping):
            yield from _setting_paths(value, (*before, name))
        elif not isinstance(value, tuple):
            yield (*before, name)


def _changed_setting(before: Any, change: Any) -> Any:
    is_number = isinstance(before, int | Decimal) and not isinstance(before, bool)
    if not (is_number and isinstance(change, str) and change[:1] in ("*", "+", "-", "=")):
        return change
    if not _FACTOR.fullmatch(change[1:].strip()):
        raise BadCell("bad-factor")
    number = Decimal(change[1:].strip())
    results = {"*": before * number, "+": before + number, "-": before - number, "=": number}
    return results[change[0]]

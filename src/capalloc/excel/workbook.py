"""From a workbook to the tables of a portfolio."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

from capalloc.configuring import fallback_settings, settings_from_mapping
from capalloc.excel.appearance import shown_settings
from capalloc.excel.hiding import hidden_issues
from capalloc.excel.naming import (
    KEYED_SETTINGS,
    SETTINGS,
    folded,
    known_settings,
    own_titles,
    setting_headings,
    setting_path,
    sheet_codes,
    sheet_title,
    word,
    word_codes,
)
from capalloc.excel.opening import Book, Refused, Sheet, open_book
from capalloc.excel.scanning import letters_of
from capalloc.excel.sheets import grid_of, lists_projects, plain_cell, table_of
from capalloc.issues import Issue, Issues, Place, error, nearest, warning
from capalloc.loading import assembled, no_file_issue
from capalloc.money import MILLIONS, ROUNDINGS, BadNumber, NumberFormat
from capalloc.rawtable import EMPTY, RawTable, Unreadable
from capalloc.reading import NONE
from capalloc.records import RECORDS
from capalloc.settings import Settings
from capalloc.tables import Origin, Tables

SUFFIXES = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")
"""How files are named that spreadsheet programs write; only the first two can be read, the others are told apart."""

_CHOICES = {
    "money": tuple(MILLIONS),
    "rounding": ROUNDINGS,
    "objective.goal": ("weighted", "lexicographic"),
    "objective.value_from": ("column", "score", "score_size", "benefits"),
    "objective.at": ("start", "completion"),
    "may_cross_phase": ("true", "false"),
    "may_run_over": ("true", "false"),
}
_TRUTHS = {"true": True, "false": False}
_NUMBERS = ("discount_rate", *(f"{keyed}." for keyed in KEYED_SETTINGS))
_TEXTS = ("title", "prices", "statutory", "objective.criteria")


def is_workbook(path: Path) -> bool:
    """Return whether a path bears the name of a workbook, readable or not."""
    return path.suffix.lower() in SUFFIXES and not path.is_dir()


def read_workbook(path: Path) -> tuple[Tables | None, Issues]:
    """Read a portfolio from a workbook with one sheet a table, and one for the settings.

    Sheets and headings may bear their names of the schema or what the catalogue calls them, in either language; titles
    may stand above the headings, and headings may take two rows.  Cells are read by the value that was last saved.

    Returns
    -------
    tuple
        The tables, or ``None`` when the file is no workbook that can be read; and everything found wrong, each at its
        sheet and cell.
    """
    if not path.is_file() and (issue := no_file_issue(path)):
        return None, Issues([issue])
    if not path.exists():
        beside = [other.name for other in path.parent.iterdir()] if path.parent.is_dir() else []
        near = nearest(path.name, beside) or NONE
        return None, Issues([error("no-such-path", Place(str(path)), path=str(path), near=near)])
    book, issues = open_book(path)
    if book is None:
        return None, Issues(issues)
    try:
        return _read(book, issues)
    except Refused as refused:
        return None, Issues([*issues, refused.issue])


def _read(book: Book, issues: list[Issue]) -> tuple[Tables, Issues]:
    sheets, found = _named_sheets(book)
    issues += found
    settings, origin, settings_issues = _settings(book, sheets.get(SETTINGS))
    raws: dict[str, RawTable | None] = {}
    for name in RECORDS:
        if name in sheets:
            raws[name], found = table_of(book, sheets[name], name, settings)
            issues += found
    if "projects" not in sheets:
        issues.append(error("no-projects-sheet", Place(book.file), sheet=sheet_title("projects")))
    tables, every = assembled(settings, origin, settings_issues, raws, issues)
    every = Issues(_in_own_words(issue) for issue in every)
    # Where a sheet gave no table, what is wrong with it must still be known by its name.
    lost = [name for name, raw in raws.items() if raw is None and _faulty(every, sheets[name])]
    given = {name: Origin(book.file, sheets[name].title) for name in lost}
    return replace(tables, origins=MappingProxyType(given | dict(tables.origins))), every


def _in_own_words(issue: Issue) -> Issue:
    """The issue, where it lists the words that a cell may hold, with the words that a workbook has for them."""
    if issue.code not in ("unknown-choice", "setting-choice") or not issue.where.cell:
        return issue
    words = [word(code) for code in str(issue.arguments["known"]).split(", ")]
    near = nearest(str(issue.arguments["found"]), words) or NONE
    told = dict(issue.arguments) | {"known": "; ".join(words), "near": near}
    return replace(issue, arguments=MappingProxyType(told))


def _faulty(issues: Issues, sheet: Sheet) -> bool:
    return any(issue.where.sheet == sheet.title for issue in issues.errors)


def _named_sheets(book: Book) -> tuple[dict[str, Sheet], list[Issue]]:
    """The sheets by the tables that they are named after, and what is wrong with their names."""
    codes, sheets, issues = sheet_codes(), dict[str, Sheet](), list[Issue]()
    for sheet in book.sheets:
        place, name = Place(book.file, sheet.title), codes.get(folded(sheet.title))
        if name in sheets:
            issues.append(error("sheet-twice", place, table=name, first=sheets[str(name)].title))
        elif name is not None:
            sheets[name] = sheet
            if sheet.is_hidden and sheet.scan.last_row:
                issues.append(warning("hidden-sheet", place, table=name))
        elif folded(sheet.title) not in own_titles() and sheet.scan.last_row:
            near = nearest(folded(sheet.title), codes)
            if near:
                title = sheet_title(codes[near])
                issues.append(error("unknown-sheet", place, found=sheet.title, near=title))
            else:
                code = "unread-projects" if lists_projects(book, sheet) else "unread-sheet"
                issues.append(warning(code, place, found=sheet.title, sheet=sheet_title("projects")))
    return sheets, issues


@dataclass
class _Read:
    """The settings as they are read: the tree they make, where each stands, and what is wrong."""

    origin: Origin
    tree: dict[str, Any] = field(default_factory=dict)
    cells: dict[str, tuple[str, str]] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)

    def put(self, path: str, value: Any) -> None:
        """Set the value at a path of keys between dots."""
        *branches, leaf = _keys(path)
        tree = self.tree
        for branch in branches:
            tree = tree.setdefault(branch, {})
        tree[leaf] = value


def _settings(book: Book, sheet: Sheet | None) -> tuple[Settings, Origin, list[Issue]]:
    title = sheet_title(SETTINGS)
    if sheet is None:
        return (
            fallback_settings(),
            Origin(book.file, title),
            [error("no-settings-sheet", Place(book.file), sheet=title)],
        )
    read = _Read(Origin(book.file, sheet.title))
    read.issues += hidden_issues(sheet, read.origin.place(), range(1, sheet.scan.last_row + 1), range(1, 5))
    for row, line in enumerate(grid_of(book, sheet), start=1):
        cells = [plain_cell(cell) for cell in line]
        filled = [number for number, cell in enumerate(cells) if cell != EMPTY]
        if filled:
            _read_setting(read, row, filled[0], cells)
    settings, issues = settings_from_mapping(read.tree, book.file)
    origin = replace(read.origin, cells=MappingProxyType(read.cells))
    read.issues += shown_settings(sheet, origin)
    # A setting whose cell is at fault is there, and is not called missing too.
    told = {issue.where.column for issue in read.issues}
    issues = [issue for issue in issues if issue.code != "missing-setting" or issue.where.column not in told]
    placed = [replace(issue, where=_nearest_place(origin, issue.where.column)) for issue in issues]
    return settings, origin, [*read.issues, *placed]


def _nearest_place(origin: Origin, path: str) -> Place:
    """Where a setting stands, or the one that it is part of; the sheet where it is missing."""
    known = path
    while known and known not in origin.cells:
        known = known.rpartition(".")[0]
    return replace(origin.place(None, known), column=path)


def _read_setting(read: _Read, row: int, first: int, cells: Sequence[Any]) -> None:
    label, values = str(cells[first]), [*cells[first + 1 :], EMPTY, EMPTY, EMPTY][:3]
    path = setting_path(label)
    at = (f"{letters_of(first + 2)}{row}", label)
    if path is not None and (beside := _beside(path, values)):
        place = Place(read.origin.file, read.origin.sheet, row, path, f"{letters_of(first + 2 + beside)}{row}", label)
        read.issues.append(error("setting-beside", place, found=str(values[beside]), setting=label, cell=at[0]))
        return
    if values[0] == EMPTY and isinstance(cells[first], str):
        return
    if path is None:
        _unknown_setting(read, label, row, first)
    elif unreadable := next((value for value in values if isinstance(value, Unreadable)), None):
        place = Place(read.origin.file, read.origin.sheet, row, path, *at)
        read.issues.append(error(unreadable.code, place, found=unreadable.found))
    elif path == "phases":
        phases = read.tree.setdefault("phases", [])
        keys = ("name", "first", "last")
        for number, key in enumerate(keys):
            read.cells[f"phases[{len(phases)}].{key}"] = (f"{letters_of(first + 2 + number)}{row}", label)
        read.cells[f"phases[{len(phases)}]"] = read.cells.setdefault("phases", at)
        phases.append(
            {"name": str(values[0])} | {k: v for k, v in zip(keys[1:], values[1:], strict=True) if v != EMPTY}
        )
    elif path in read.cells:
        place = Place(read.origin.file, read.origin.sheet, row, path, *at)
        read.issues.append(error("setting-twice", place, found=label, first=read.cells[path][0]))
    else:
        read.cells[path] = at
        read.put(path, _value(path, values[0]))


def _beside(path: str, values: Sequence[Any]) -> int:
    """Which cell beside that of a value seems to hold one too, or the only one; 0 where none does.

    Beside a value a text is a remark.  Where there is none, as when the name of the setting is merged over its cell,
    no text is taken for a remark.
    """
    if path == "phases" and values[0] != EMPTY:
        return 0
    counts = [value != EMPTY and (values[0] == EMPTY or not isinstance(value, str)) for value in values]
    return next((number for number in (1, 2) if counts[number]), 0)


def _unknown_setting(read: _Read, label: str, row: int, first: int) -> None:
    """A line whose first cell names no setting: the headings are none, and neither are titles, which stand alone."""
    if folded(label) in {folded(text) for text in setting_headings()}:
        return
    place = Place(read.origin.file, read.origin.sheet, row, label, f"{letters_of(first + 1)}{row}")
    near = nearest(label, known_settings()) or NONE
    read.issues.append(error("unknown-setting", place, found=label, near=near, known=", ".join(known_settings())))


def _value(path: str, cell: Any) -> Any:
    """The value of a setting, in the words of the schema where it is one of a few words."""
    if path in _CHOICES:
        text = ("true" if cell else "false") if isinstance(cell, bool) else str(cell)
        code = word_codes(_CHOICES[path]).get(folded(text), cell)
        return _TRUTHS.get(code, code) if isinstance(code, str) else code
    if path.startswith("law."):
        return _law_value(cell)
    if path.startswith(_TEXTS):
        return str(cell)
    if isinstance(cell, str) and path.startswith(_NUMBERS):
        try:
            number = NumberFormat().read(cell)
        except BadNumber:
            return cell
        return Decimal(number.numerator) / Decimal(number.denominator)
    return cell


def _law_value(cell: Any) -> Any:
    """A value of a statutory rule: lists, tables and truths are written as JSON."""
    if isinstance(cell, str) and (cell in _TRUTHS or cell[:1] in ("[", "{")):
        try:
            return json.loads(cell, parse_float=Decimal)
        except ValueError:
            return cell
    return cell


def _keys(path: str) -> list[str]:
    """The keys of a path; class weights and sets are called by whatever follows, dots or not."""
    for keyed in KEYED_SETTINGS:
        if path.startswith(f"{keyed}."):
            return [*keyed.split("."), path.removeprefix(f"{keyed}.")]
    return path.split(".")

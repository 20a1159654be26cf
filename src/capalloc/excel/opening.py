"""Opening a workbook that nobody vouches for: its sizes are looked at before anything in it is read."""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from capalloc.excel.scanning import BadXml, Scan, Shown, feed, scan_sheet, scan_styles
from capalloc.issues import Issue, Place, error, warning

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

MOST_BYTES = 512 * 1024 * 1024
"""The most that all parts of a workbook may take when unpacked."""

MOST_CELLS = 20_000_000
"""The most cells that the rectangle of what a sheet holds may have: they are laid out in memory."""

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_RELATIONS = "xl/_rels/workbook.xml.rels"


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet: its title, whether it is shown, and what a first look found in it."""

    title: str
    is_hidden: bool
    scan: Scan


@dataclass(frozen=True, slots=True)
class Book:
    """An open workbook: its file name, its sheets of cells, and the reader of their values."""

    file: str
    sheets: tuple[Sheet, ...]
    values: CalamineWorkbook

    def values_of(self, sheet: Sheet) -> CalamineSheet:
        """Return the values of a sheet.

        Raises
        ------
        Refused
            When its cells name texts that the workbook does not hold, or are damaged otherwise.
        """
        from python_calamine import CalamineError

        try:
            return self.values.get_sheet_by_name(sheet.title)
        except CalamineError:
            raise Refused(error("workbook-damaged", Place(self.file, sheet.title))) from None


class Refused(Exception):
    """A file that is no workbook that can be read; carries the issue to report."""

    def __init__(self, issue: Issue) -> None:
        self.issue = issue
        super().__init__(str(issue))


def open_book(path: Path) -> tuple[Book | None, list[Issue]]:
    """Return the workbook at a path, or ``None`` with the issue that says why it cannot be read."""
    place = Place(path.name)
    try:
        _look(path, place)
        with zipfile.ZipFile(path) as parts:
            return _opened(path, parts, place)
    except Refused as refused:
        return None, [refused.issue]
    except OSError as failure:
        return None, [error("unreadable-file", place, reason=failure.strerror or failure)]
    except (zipfile.BadZipFile, BadXml, KeyError, EOFError, RuntimeError, ValueError, zlib.error):
        # A runtime error is what zipfile has for packings, and versions of the format, that it does not know.
        return None, [error("workbook-damaged", place)]


def _look(path: Path, place: Place) -> None:
    """Tell from its first bytes what a file is that bears the name of a workbook."""
    with path.open("rb") as file:
        opening = file.read(8)
        if opening == _OLE:
            is_locked = _ENCRYPTED in file.read(4 * 1024 * 1024)
            raise Refused(error("workbook-protected" if is_locked else "workbook-old", place))
    if opening[:4] != b"PK\x03\x04":
        raise Refused(error("empty-file" if not opening else "not-a-workbook", place))


def _opened(path: Path, parts: zipfile.ZipFile, place: Place) -> tuple[Book, list[Issue]]:
    entries = parts.infolist()
    names = {entry.filename for entry in entries}
    if len(names) < len(entries):
        # Of two parts with one name every program may choose another one.
        raise Refused(error("workbook-damaged", place))
    if sum(entry.file_size for entry in entries) > MOST_BYTES:
        raise Refused(error("workbook-too-large", place, most=MOST_BYTES // 1024**2))
    if any(entry.flag_bits & 1 for entry in entries):
        raise Refused(error("workbook-protected", place))
    if "xl/workbook.bin" in names or "mimetype" in names:
        raise Refused(error("workbook-old", place))
    if "xl/workbook.xml" not in names or _RELATIONS not in names:
        raise Refused(error("not-a-workbook", place))
    # Parts that are longer than they say, or that were changed by a broken disk, are found here.
    if parts.testzip() is not None:
        raise Refused(error("workbook-damaged", place))
    sheets = tuple(_sheets(parts, names))
    for sheet in sheets:
        if sheet.scan.last_row * sheet.scan.last_column > MOST_CELLS:
            raise Refused(error("sheet-too-large", Place(path.name, sheet.title), **_extent(sheet.scan)))
    issues = [warning("external-link", place)] if any(name.startswith("xl/externalLinks/") for name in names) else []
    return Book(path.name, sheets, _values(path, place)), issues


def _extent(scan: Scan) -> dict[str, int]:
    return {"rows": scan.last_row, "columns": scan.last_column}


def _sheets(parts: zipfile.ZipFile, names: set[str]) -> Any:
    """Yield the sheets of cells in their order; sheets that hold only a chart have no cells."""
    targets, listed = dict[str, str](), list[dict[str, str]]()

    def relation(name: str, attributes: dict[str, str]) -> None:
        if name == "Relationship" and attributes.get("Type", "").endswith("/worksheet"):
            targets[attributes["Id"]] = attributes["Target"]

    def sheet(name: str, attributes: dict[str, str]) -> None:
        if name == "sheet":
            listed.append(attributes)

    with parts.open(_RELATIONS) as part:
        feed(part, relation)
    with parts.open("xl/workbook.xml") as part:
        feed(part, sheet)
    styles: dict[int, Shown] = {}
    if "xl/styles.xml" in names:
        with parts.open("xl/styles.xml") as part:
            styles = scan_styles(part)
    for attributes in listed:
        key = next((value for name, value in attributes.items() if name.endswith(":id")), "")
        if key in targets:
            target = targets[key]
            with parts.open(target.lstrip("/") if target.startswith("/") else f"xl/{target}") as part:
                is_hidden = attributes.get("state", "visible") != "visible"
                yield Sheet(attributes["name"], is_hidden, scan_sheet(part, styles))


def _values(path: Path, place: Place) -> CalamineWorkbook:
    from python_calamine import CalamineError, load_workbook

    try:
        return load_workbook(str(path))
    except CalamineError:
        raise Refused(error("workbook-damaged", place)) from None

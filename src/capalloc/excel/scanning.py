"""What a sheet holds that its values do not tell: formulas never computed, errors, what a format makes of a number."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import IO, Any
from xml.parsers import expat

_ADDRESS = re.compile(r"([A-Z]{1,3})(\d{1,7})")
_ZEROS = re.compile(r"0{2,}")
# A number format: literals in quotes, after a stroke or as a currency; conditions and colours; a blank as wide as a
# sign, or one that fills the cell; and the pattern itself.
_FORMAT = re.compile(r'"([^"]*)"?|\\(.)|\[\$([^\]-]*)[^\]]*\]|\[[^\]]*\]|[_*].|(.)', re.DOTALL)
_CURRENCIES = "$€£¥"
_THOUSANDS = re.compile(r"[0#?](,+)(?![0#?,])")
_CHUNK = 1 << 16


class BadXml(ValueError):
    """A part of the workbook is no XML that a spreadsheet program writes."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a number format makes of a number.

    ``digits`` is how many it shows at least, where it is made of zeros alone; ``thousands`` how often it divides by a
    thousand first.  ``digitless`` says that it shows none of them, and ``words`` what it shows beside them.
    """

    digits: int = 0
    thousands: int = 0
    digitless: bool = False
    words: str = ""


_PLAIN = Shown()


@dataclass
class Scan:
    """What was found in a sheet; cells are (row, column) from 1.

    ``uncomputed`` are formulas without a saved value, ``errors`` cells that hold an error such as ``#REF!``, and
    ``shown`` numbers whose format shows more or less than their digits.  ``hidden_rows`` and
    ``hidden_columns``, the latter as runs, are not shown, by a filter or on purpose.
    """

    uncomputed: dict[tuple[int, int], str] = field(default_factory=dict)
    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    shown: dict[tuple[int, int], Shown] = field(default_factory=dict)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: list[tuple[int, int]] = field(default_factory=list)
    last_row: int = 0
    last_column: int = 0


def letters_of(column: int) -> str:
    """Return the letters of a column, counted from 1.

    Examples
    --------
    >>> letters_of(1), letters_of(28)
    ('A', 'AB')
    """
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def scan_sheet(part: IO[bytes], styles: dict[int, Shown]) -> Scan:
    """Read a sheet once, without keeping it.

    Parameters
    ----------
    styles
        What each cell style makes of a number, for those that do not just show it.

    Raises
    ------
    BadXml
        When the sheet is broken, or declares a document type, which no spreadsheet program does.
    """
    reader = _Reader(styles)
    feed(part, reader.start, reader.end, reader.text)
    return reader.scan


def scan_styles(part: IO[bytes]) -> dict[int, Shown]:
    """Return what each cell style makes of a number, for those that do not just show it."""
    formats: dict[str, Shown] = {}
    styles: list[Shown] = []
    inside = False

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal inside
        if name == "numFmt":
            formats[attributes.get("numFmtId", "")] = shown_by(attributes.get("formatCode", ""))
        elif name == "cellXfs":
            inside = True
        elif name == "xf" and inside:
            styles.append(formats.get(attributes.get("numFmtId", ""), _PLAIN))

    def end(name: str) -> None:
        nonlocal inside
        inside = inside and name != "cellXfs"

    feed(part, start, end)
    return {number: shown for number, shown in enumerate(styles) if shown != _PLAIN}


def shown_by(code: str) -> Shown:
    """Return what a number format makes of a number above 0, which is what its first section is about.

    Examples
    --------
    >>> shown_by("000"), shown_by('#,##0,," tỷ"').thousands, shown_by('#,##0" tỷ"').words, shown_by(";;;").digitless
    (Shown(digits=3, thousands=0, digitless=False, words=''), 2, ' tỷ', True)
    """
    pattern = words = ""
    for quoted, escaped, currency, sign in (match.groups("") for match in _FORMAT.finditer(code)):
        if sign == ";":
            break
        pattern += sign
        words += quoted + escaped + currency + (sign if sign in _CURRENCIES else "")
    # Without a digit there may be letters: those of a date, of General or of a text.
    is_letterless = not any(letter.isalpha() or letter in "0#?@" for letter in pattern)
    return Shown(
        digits=len(code) if _ZEROS.fullmatch(code) else 0,
        thousands=sum(len(commas) for commas in _THOUSANDS.findall(pattern)),
        digitless=bool(code) and is_letterless,
        words=words if words.strip() else "",
    )


def feed(part: IO[bytes], start: Any, end: Any = None, text: Any = None) -> None:
    """Read an XML part in pieces, telling what opens and closes by its name without a prefix.

    Raises
    ------
    BadXml
        When it is broken, or declares a document type.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = lambda name, attributes: start(name.rpartition(":")[2], attributes)
    if end:
        parser.EndElementHandler = lambda name: end(name.rpartition(":")[2])
    if text:
        parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = _refuse
    try:
        while chunk := part.read(_CHUNK):
            parser.Parse(chunk, False)
        parser.Parse(b"", True)
    except (expat.ExpatError, ValueError) as fault:
        raise BadXml(str(fault)) from None


def _refuse(*_: object) -> None:
    raise BadXml("DOCTYPE")


class _Reader:
    """Follows rows and cells, whether or not they carry their addresses."""

    def __init__(self, styles: dict[int, Shown]) -> None:
        self.scan = Scan()
        self.styles = styles
        self.row = self.column = 0
        self.kind = self.held = ""
        self.style = 0
        self.has_formula = self.has_content = self.reading = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "c":
            self.enter_cell(attributes.get("r", ""))
            self.kind, self.style = attributes.get("t", "n"), int(attributes.get("s", 0))
            self.has_formula = self.has_content = False
            self.held = ""
        elif name == "row":
            self.enter_row(int(attributes.get("r", self.row + 1)))
            if _is_hidden(attributes, "ht"):
                self.scan.hidden_rows.add(self.row)
        elif name == "col" and _is_hidden(attributes, "width"):
            self.scan.hidden_columns.append((int(attributes["min"]), int(attributes["max"])))
        elif name == "f":
            self.has_formula = True
        elif name == "v":
            self.reading = True
        elif name == "is":
            self.has_content = True

    def enter_row(self, row: int) -> None:
        # Rows and cells that come twice, or in another order, are read one way by one program and otherwise by another.
        if row <= self.row:
            raise BadXml(f"row {row} after {self.row}")
        self.row, self.column = row, 0

    def enter_cell(self, written: str) -> None:
        address = _ADDRESS.fullmatch(written)
        column, row = (_number(address[1]), int(address[2])) if address else (self.column + 1, self.row)
        if column <= self.column or row != self.row:
            raise BadXml(f"cell {written} in row {self.row} after column {self.column}")
        self.column = column

    def text(self, data: str) -> None:
        if self.reading:
            self.held += data

    def end(self, name: str) -> None:
        if name == "v":
            self.reading = False
        elif name == "c" and (self.held or self.has_formula or self.has_content):
            self.keep((self.row, self.column))

    def keep(self, place: tuple[int, int]) -> None:
        scan = self.scan
        scan.last_row, scan.last_column = max(scan.last_row, place[0]), max(scan.last_column, place[1])
        if self.has_formula and not self.held and self.kind != "str":
            scan.uncomputed[place] = "="
        elif self.kind == "e":
            scan.errors[place] = self.held
        elif self.kind == "n" and self.style in self.styles:
            scan.shown[place] = self.styles[self.style]


def _is_hidden(attributes: dict[str, str], size: str) -> bool:
    """Whether a row or a column is not shown: marked so, or drawn together to nothing."""
    return attributes.get("hidden", "0") in ("1", "true") or float(attributes.get(size, 1)) == 0


def _number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number

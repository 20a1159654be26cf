"""The frame of a budget annex: its number, title and unit above, numbered columns, one line a row."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from capalloc.catalogue import say
from capalloc.excel.naming import sheet_title
from capalloc.excel.scanning import letters_of
from capalloc.excel.styles import Styles

if TYPE_CHECKING:
    from xlsxwriter import Workbook

HEAD, NUMBERS, FIRST = 5, 6, 7
"""The rows of the headings, of the numbers of the columns, and of the first line, from 0."""

_LINE = 15.0
"""The height of a line of text, which programs do not work out for rows that they did not write."""


@dataclass(frozen=True, slots=True)
class Formula:
    """A live formula, and the value that the plan has for it."""

    text: str
    value: int | float


@dataclass(frozen=True, slots=True)
class Title:
    """A column of an annex: its heading and its width in characters."""

    text: str
    width: float = 14


class Annex:
    """One sheet of the plan, written line after line."""

    def __init__(self, book: Workbook, styles: Styles, name: str, under: str, titles: Sequence[Title]) -> None:
        self.book, self.styles, self.name = book, styles, name
        self.title = sheet_title(name)
        self.sheet = book.get_worksheet_by_name(self.title) or book.add_worksheet(self.title)
        self.width = len(titles)
        self.row = FIRST
        self.widths = [title.width for title in titles]
        last = self.width - 1
        number = "" if name == "summary" else " ".join(self.title.split()[:2])
        self.sheet.write_string(0, last, number, styles["number-of-table"])
        for row, (text, look) in enumerate(((say(f"excel.plan.title.{name}"), "title"), (under, "subtitle")), start=1):
            self.sheet.merge_range(row, 0, row, last, "", styles[look])
            self.sheet.write_string(row, 0, text, styles[look])
        self.sheet.write_string(3, last, say("excel.plan.unit"), styles["unit"])
        if any(title.text for title in titles):
            self.head(titles, HEAD)
        for column, title in enumerate(titles):
            self.sheet.set_column(column, column, title.width)

    def head(self, titles: Sequence[Title], row: int) -> None:
        """Write headings and the numbers of their columns."""
        for column, title in enumerate(titles):
            self.sheet.write_string(row, column, title.text, self.styles["head"])
            self.sheet.write_string(row + 1, column, f"({column + 1})", self.styles["mark"])
        self.sheet.set_row(row, 46)

    def line(self, cells: Sequence[Any], looks: Sequence[str]) -> int:
        """Write a line and return its row: texts as texts, numbers as numbers, formulas with their values."""
        row = self.row
        for column, (cell, look) in enumerate(zip(cells, looks, strict=True)):
            self.put(row, column, cell, look)
        texts = zip(cells, self.widths, strict=False)
        lines = max(math.ceil(len(cell) * 1.08 / width) for cell, width in texts if isinstance(cell, str))
        if lines > 1:
            self.sheet.set_row(row, _LINE * lines)
        self.row += 1
        return row

    def put(self, row: int, column: int, cell: Any, look: str) -> None:
        """Write one cell."""
        style = self.styles[look]
        if isinstance(cell, Formula):
            self.sheet.write_formula(row, column, f"={cell.text}", style, cell.value)
        elif cell is None or cell == "":
            self.sheet.write_blank(row, column, None, style)
        elif isinstance(cell, str):
            self.sheet.write_string(row, column, cell, style)
        else:
            self.sheet.write_number(row, column, cell, style)

    def says(self, text: str) -> None:
        """Write a sentence over the whole width."""
        self.sheet.merge_range(self.row, 0, self.row, self.width - 1, "", self.styles["line"])
        self.sheet.write_string(self.row, 0, text, self.styles["line"])
        self.sheet.set_row(self.row, 16 * (1 + len(text) // 120))
        self.row += 1

    def at(self, row: int, column: int, *, outside: bool = False) -> str:
        """Return the address of a cell, from 0; from other sheets with the name of this one."""
        return f"{self._own() if outside else ''}{letters_of(column + 1)}{row + 1}"

    def extent(self, first: tuple[int, int], last: tuple[int, int], *, outside: bool = False) -> str:
        """Return the address of a rectangle of cells, fixed."""
        corners = (f"${letters_of(column + 1)}${row + 1}" for row, column in (first, last))
        return f"{self._own() if outside else ''}{':'.join(corners)}"

    def _own(self) -> str:
        return f"'{self.title}'!"

    def close(self, *, on_one_page: bool = False) -> None:
        """Set the sheet up for printing: A4 across, as wide as the page, the headings on every page."""
        sheet = self.sheet
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, int(on_one_page))
        sheet.set_margins(0.4, 0.4, 0.6, 0.6)
        sheet.print_area(0, 0, max(self.row - 1, FIRST), self.width - 1)
        if not on_one_page:
            sheet.repeat_rows(HEAD, NUMBERS)
        sheet.set_footer("&C&P/&N")
        sheet.freeze_panes(FIRST, min(3, self.width - 1))
        sheet.hide_gridlines(2)


def roman(number: int) -> str:
    """Return a number as budget annexes count their groups.

    Examples
    --------
    >>> roman(4), roman(19)
    ('IV', 'XIX')
    """
    signs = ((40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))
    text = ""
    for size, sign in signs:
        text, number = text + sign * (number // size), number % size
    return text

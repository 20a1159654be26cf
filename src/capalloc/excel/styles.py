"""How the sheets look: one font, thin borders, headings that wrap, numbers in the form of the reader's own program."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from capalloc.writing import replacing

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format

FONT = "Times New Roman"
_CELL = {"font_name": FONT, "font_size": 11, "valign": "vcenter"}
_BOXED = _CELL | {"border": 1, "border_color": "#8C8C8C"}
_BOLD = {"bold": True}
_WHOLE, _EXACT = '#,##0;-#,##0;"–"', "#,##0.############"
_HEAD = {"bold": True, "align": "center", "text_wrap": True, "bg_color": "#DDE6F0"}
_GROUP = {"bold": True, "bg_color": "#F3F6FA"}
_TOTAL = {"bold": True, "bg_color": "#FFF6DD"}

_LOOKS: Mapping[str, Mapping[str, Any]] = {
    "title": _CELL | _BOLD | {"font_size": 14, "align": "center", "text_wrap": True},
    "subtitle": _CELL | {"align": "center", "italic": True, "text_wrap": True},
    "number-of-table": _CELL | _BOLD | {"align": "right"},
    "unit": _CELL | {"align": "right", "italic": True},
    "line": _CELL | {"text_wrap": True, "valign": "top"},
    "strong": _CELL | _BOLD | {"text_wrap": True, "valign": "top"},
    "head": _BOXED | _HEAD,
    "needed": _BOXED | _HEAD | {"bg_color": "#FFE3B8"},
    "mark": _BOXED | {"align": "center", "italic": True, "font_size": 9},
    "text": _BOXED | {"text_wrap": True},
    "centre": _BOXED | {"align": "center", "text_wrap": True},
    "whole": _BOXED | {"num_format": _WHOLE},
    "number": _BOXED | {"num_format": _EXACT},
    "plain": _BOXED,
    "part": _BOXED | {"num_format": "0.00%"},
    "code": _BOXED | {"num_format": "@"},
    "year": _BOXED | {"num_format": "0", "align": "center"},
    "group": _BOXED | _GROUP | {"text_wrap": True},
    "group-centre": _BOXED | _GROUP | {"align": "center"},
    "group-whole": _BOXED | _GROUP | {"num_format": _WHOLE},
    "total": _BOXED | _TOTAL | {"text_wrap": True},
    "total-centre": _BOXED | _TOTAL | {"align": "center"},
    "total-whole": _BOXED | _TOTAL | {"num_format": _WHOLE},
    "good": _BOXED | {"align": "center", "font_color": "#1E6B3A"},
    "bad": _BOXED | {"align": "center", "font_color": "#A61B1B", "bold": True},
}


class Styles:
    """The formats of a workbook, each made when it is first used."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._made: dict[str, Format] = {}

    def __getitem__(self, look: str) -> Format:
        if look not in self._made:
            self._made[look] = self._book.add_format(dict(_LOOKS[look]))
        return self._made[look]


@contextmanager
def writing_book(path: Path) -> Iterator[Workbook]:
    """Give a workbook to write that takes its name when the ``with`` block ends well, and is gone when it does not.

    Raises
    ------
    OSError
        When it cannot be written.
    """
    from xlsxwriter import Workbook
    from xlsxwriter.exceptions import FileCreateError

    # No text of the tables is ever a formula, a link or a number by what it begins with.
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with replacing(path) as part:
        book = Workbook(str(part), options)
        try:
            yield book
            book.close()
        except FileCreateError as failure:
            raise failure.args[0] from None

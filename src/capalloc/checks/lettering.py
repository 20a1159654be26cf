"""Vietnamese that came out of an old font or a wrong conversion: letters, but not those that were meant."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from capalloc.issues import Issue, warning
from capalloc.records import SCHEMAS
from capalloc.schema import Kind, field_name
from capalloc.tables import Tables

# Pairs of characters that these three leave in nearly every Vietnamese name, and that no language writes.
_VNI = r"[öÖ][ôÔøùûïÔØÙÛÏ]|[aeouiyôAEOUIYÔ][øØ]|[aeoAEO][äÄåÅ]"
_TCVN3 = r"[®§][a-z\u00ad]|[A-Za-z][¸¶µ¾¬]"
_UTF8_AS_WESTERN = r"á[º»]|Æ[°¡]|Ä[\u0090\u0091‘]"
_FOREIGN = re.compile(f"{_VNI}|{_TCVN3}|{_UTF8_AS_WESTERN}")

_LOST = "\ufffd"

# Letters that only Unicode has: where one of them stands, the text was meant as it is.
_MEANT = re.compile("[ăĂđĐơƠưƯ\u1ea0-\u1ef9]")


def check_lettering(table: str, tables: Tables) -> Iterator[Issue]:
    """No column of a table holds Vietnamese as TCVN3 or VNI fonts write it, or UTF-8 read as another encoding."""
    yield from _columns_with(_is_foreign, "foreign-lettering", table, tables)


def check_lost_letters(table: str, tables: Tables) -> Iterator[Issue]:
    """No text of a table holds the sign that programs write where a letter was lost."""
    yield from _columns_with(lambda text: _LOST in text, "lost-letters", table, tables)


def _columns_with(is_wrong: Callable[[str], bool], code: str, table: str, tables: Tables) -> Iterator[Issue]:
    for heading, column in SCHEMAS[table].columns.items():
        if column.kind in (Kind.TEXT, Kind.ID):
            name = field_name(heading)
            rows = [row for row in tables.rows(table) if is_wrong(getattr(row, name))]
            if rows:
                where = tables.place(table, rows[0], heading)
                yield warning(code, where, found=getattr(rows[0], name), count=len(rows))


def _is_foreign(text: str) -> bool:
    return not text.isascii() and bool(_FOREIGN.search(text)) and not _MEANT.search(text)

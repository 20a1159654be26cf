"""Vietnamese that came out of an old font or a wrong conversion: letters, but not those that were meant."""

from __future__ import annotations

import re
from collections.abc import Iterator

from capalloc.issues import Issue, warning
from capalloc.records import RECORDS, SCHEMAS
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


def check_lettering(tables: Tables) -> Iterator[Issue]:
    """No column holds Vietnamese as TCVN3 or VNI fonts write it, or UTF-8 that was read as another encoding."""
    for table in RECORDS:
        for heading, column in SCHEMAS[table].columns.items():
            if column.kind in (Kind.TEXT, Kind.ID):
                name = field_name(heading)
                rows = [row for row in tables.rows(table) if _is_foreign(getattr(row, name))]
                if rows:
                    where = tables.place(table, rows[0], heading)
                    yield warning("foreign-lettering", where, found=getattr(rows[0], name), count=len(rows))


def check_lost_letters(tables: Tables) -> Iterator[Issue]:
    """No text holds the sign that programs write where a letter was lost."""
    for table in RECORDS:
        for heading, column in SCHEMAS[table].columns.items():
            if column.kind in (Kind.TEXT, Kind.ID):
                name = field_name(heading)
                rows = [row for row in tables.rows(table) if _LOST in getattr(row, name)]
                if rows:
                    where = tables.place(table, rows[0], heading)
                    yield warning("lost-letters", where, found=getattr(rows[0], name), count=len(rows))


def _is_foreign(text: str) -> bool:
    return not text.isascii() and bool(_FOREIGN.search(text)) and not _MEANT.search(text)

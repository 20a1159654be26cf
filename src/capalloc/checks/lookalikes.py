"""Two ids that no eye can tell apart must be one."""

from __future__ import annotations

from collections.abc import Iterator

from capalloc.characters import difference, look
from capalloc.issues import Issue, error
from capalloc.records import RECORDS, SCHEMAS
from capalloc.schema import Kind
from capalloc.tables import Tables


def check_looks(tables: Tables) -> Iterator[Issue]:
    """No id of a table looks like another one of it: by letters of another script, wide letters, dashes or blanks."""
    for table in RECORDS:
        key = SCHEMAS[table].key
        if len(key) == 1 and SCHEMAS[table].columns[key[0]].kind is Kind.ID:
            seen: dict[str, str] = {}
            for row in tables.rows(table):
                name: str = getattr(row, key[0])
                other = seen.setdefault(look(name), name)
                if other != name:
                    place = tables.place(table, row, key[0])
                    # Seen from the one that is written with the stranger letter.
                    found, twin = (name, other) if other.isascii() or not name.isascii() else (other, name)
                    yield error("look-alike-id", place, found=found, other=twin, **difference(found, twin))

"""Paths to cells: ``table.key[.key…].column``, with quotes around parts that hold dots or spaces, and wildcards."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Any

from capalloc.records import SCHEMAS, Row
from capalloc.schema import TableSchema, field_name
from capalloc.tables import Tables

# One part: quoted (a quote inside is written twice or after a backslash) or bare up to the next dot.
_PART = re.compile(
    r"""\s*(?:"(?P<double>(?:[^"\\]|\\.|"")*)"|'(?P<single>(?:[^'\\]|\\.|'')*)'|(?P<bare>[^."']*))\s*(?:\.|$)"""
)

_TO_QUOTE = re.compile(r"""[.\s"'\\]""")


class BadPath(ValueError):
    """A path has no meaning; ``code`` and ``arguments`` are those of the issue to report."""

    def __init__(self, code: str, **arguments: Any) -> None:
        self.code = code
        self.arguments = arguments
        super().__init__(code)


@dataclass(frozen=True, slots=True)
class CellPath:
    """A table, one pattern a key column, and a column."""

    table: str
    keys: tuple[str, ...]
    column: str

    @property
    def has_wildcard(self) -> bool:
        """Whether a key part may match more than one name."""
        return any("*" in key or "?" in key for key in self.keys)

    def rows(self, tables: Tables) -> Iterator[int]:
        """Yield the positions of the rows that the path matches.

        A key column that may be left out of the file (``mode``, ``per``, ``offset``) may be left out of the path
        where the row has its default.
        """
        schema = SCHEMAS[self.table]
        spare = len(schema.key) - len(self.keys)
        omissions = list(
            combinations([i for i, name in enumerate(schema.key) if _may_be_left_out(schema, name)], spare)
        )
        patterns = [_Pattern(key) for key in self.keys]
        for position, row in enumerate(tables.rows(self.table)):
            cells = key_cells(schema, row)
            if any(_matches(schema, cells, patterns, omitted) for omitted in omissions):
                yield position


def split_path(path: str) -> tuple[str, ...]:
    """Return the parts of a path.

    Raises
    ------
    BadPath
        When a quote is not closed or a part is followed by something else than a dot.

    Examples
    --------
    >>> split_path('envelopes.state."2026-2030".amount')
    ('envelopes', 'state', '2026-2030', 'amount')
    """
    text = unicodedata.normalize("NFC", path)
    parts, position = [], 0
    while True:
        match = _PART.match(text, position)
        if match is None:
            raise BadPath("path-malformed")
        parts.append(_unquoted(match))
        if match.end() == len(text) and not match[0].endswith("."):
            return tuple(parts)
        position = match.end()


def _unquoted(match: re.Match[str]) -> str:
    if match["bare"] is not None:
        return match["bare"].strip()
    quote = '"' if match["double"] is not None else "'"
    text = match["double"] if match["double"] is not None else match["single"]
    return re.sub(r"\\(.)", r"\1", text.replace(quote * 2, quote))


def join_path(parts: Sequence[str]) -> str:
    """Return the path of the parts, quoted where they must be.

    Examples
    --------
    >>> join_path(("envelopes", "state", "2026-2030", "amount")), join_path(("rules", "no. 5", "amount"))
    ('envelopes.state.2026-2030.amount', 'rules."no. 5".amount')
    """
    return ".".join(_quoted(part) for part in parts)


def _quoted(part: str) -> str:
    if part and not _TO_QUOTE.search(part):
        return part
    escaped = part.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def key_cells(schema: TableSchema, row: Row) -> tuple[str, ...]:
    """Return the key of a row as it is written in a path, one text a key column."""
    values = [getattr(row, name) for name in _key_fields(schema.name)]
    return tuple("+".join(value) if isinstance(value, tuple) else str(value) for value in values)


def row_path(schema: TableSchema, row: Row, column: str) -> str:
    """Return the path of one cell; key columns at their default are left out where the file may leave them out."""
    parts = zip(key_cells(schema, row), _spare(schema.name), _defaults(schema.name), strict=True)
    kept = (cell for cell, spare, default in parts if not (spare and cell == default))
    return join_path((schema.name, *kept, column))


def key_limits(schema: TableSchema) -> tuple[int, int]:
    """Return how many key parts a path into the table has: at least and at most."""
    spare = sum(_may_be_left_out(schema, name) for name in schema.key)
    return len(schema.key) - spare, len(schema.key)


@cache
def _key_fields(table: str) -> tuple[str, ...]:
    return tuple(field_name(name) for name in SCHEMAS[table].key)


@cache
def _spare(table: str) -> tuple[bool, ...]:
    """Which key columns of a table may be left out of the file."""
    return tuple(_may_be_left_out(SCHEMAS[table], name) for name in SCHEMAS[table].key)


@cache
def _defaults(table: str) -> tuple[str, ...]:
    """What is written for each key column of a table where it is left out."""
    record = SCHEMAS[table].record
    return tuple(str(record.__dataclass_fields__[field_name(name)].default) for name in SCHEMAS[table].key)  # type: ignore[attr-defined]


def _may_be_left_out(schema: TableSchema, name: str) -> bool:
    return not schema.columns[name].required


def _matches(schema: TableSchema, cells: Sequence[str], patterns: Sequence[_Pattern], omitted: Sequence[int]) -> bool:
    if any(cells[i] != _defaults(schema.name)[i] for i in omitted):
        return False
    named = [cell for i, cell in enumerate(cells) if i not in omitted]
    return all(pattern.matches(cell) for pattern, cell in zip(patterns, named, strict=True))


class _Pattern:
    """A part of a path with ``*`` for any text and ``?`` for any letter; capitals count."""

    def __init__(self, part: str) -> None:
        wild = {"*": ".*", "?": "."}
        self.names = frozenset(part.split("+"))
        self.joined = "+" in part
        self.any = part == "*"
        self.expression = re.compile("".join(wild.get(letter, re.escape(letter)) for letter in part), re.DOTALL)

    def matches(self, cell: str) -> bool:
        # Joined sources are a set: a+b is b+a.
        return (
            self.any
            or bool(self.expression.fullmatch(cell))
            or (self.joined and self.names == frozenset(cell.split("+")))
        )

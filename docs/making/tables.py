"""Write the pages that describe the tables, in both languages, from the schema and from what its columns mean."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from capalloc.records import SCHEMAS
from capalloc.schema import Column, Kind, TableSchema
from docs.making.pages import DOCS

PAGES = {"en": DOCS / "tables.md", "vi": DOCS / "vi" / "bang-du-lieu.md"}

_HERE = Path(__file__).parent
_LANGUAGES = tuple(PAGES)
_HEADINGS = {"en": ("column", "holds", "meaning"), "vi": ("cột", "kiểu", "ý nghĩa")}
_REQUIRED = {"en": "required", "vi": "bắt buộc"}
_REFERS = {"en": "of `{}`", "vi": "thuộc `{}`"}
_KINDS = {
    Kind.ID: ("id", "mã"),
    Kind.TEXT: ("text", "chữ"),
    Kind.INTEGER: ("whole number", "số nguyên"),
    Kind.YEAR: ("year", "năm"),
    Kind.MONEY: ("money", "số tiền"),
    Kind.NUMBER: ("number", "số"),
    Kind.FRACTION: ("part of 1", "tỷ lệ từ 0 đến 1"),
    Kind.TRUTH: ("true or false", "đúng hoặc sai"),
    Kind.CHOICE: ("one of", "một trong"),
    Kind.PERIOD: ("period", "thời kỳ"),
    Kind.SELECTION: ("selection", "điều kiện chọn"),
    Kind.PROJECTS: ("id or selection", "mã hoặc điều kiện chọn"),
    Kind.IDS: ("ids", "các mã"),
}

Words = Mapping[str, Mapping[str, list[str]]]


def words() -> Words:
    """Return what each table and column means: table → column → the text in each language."""
    return tomllib.loads((_HERE / "columns.toml").read_text(encoding="utf-8"))


def described(language: str) -> str:
    """Return the page of a language: what stands before the tables, then every table of the schema."""
    meanings = words()
    lead = (_HERE / f"tables.{language}.txt").read_text(encoding="utf-8").rstrip()
    tables = ("\n".join(_table(schema, meanings, language)) for schema in SCHEMAS.values())
    return "\n\n".join((lead, *tables)) + "\n"


def _table(schema: TableSchema, meanings: Words, language: str) -> Iterator[str]:
    number = _LANGUAGES.index(language)
    yield f"### {schema.name}\n"
    yield f"{meanings[schema.name]['_'][number]}\n"
    yield f"| {' | '.join(_HEADINGS[language])} |"
    yield "|---|---|---|"
    for name, column in schema.columns.items():
        meaning = meanings[schema.name].get(name) or meanings["any"][name]
        heading = f"**`{name}`**" if column.key else f"`{name}`"
        yield f"| {heading} | {_holds(column, language)} | {meaning[number]} |"


def _holds(column: Column, language: str) -> str:
    number = _LANGUAGES.index(language)
    said = _KINDS[column.kind][number]
    if column.choices:
        said += " " + ", ".join(f"`{choice}`" for choice in column.choices)
    if column.refers_to:
        said += " " + _REFERS[language].format(column.refers_to)
    return said + (f"; {_REQUIRED[language]}" if column.required else "")

"""What sheets, headings, settings and words are called in a workbook, in either language."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from capalloc.catalogue import LANGUAGES, has_text, say, texts
from capalloc.records import RECORDS, SCHEMAS

SETTINGS = "settings"

PLAIN_SETTINGS = (
    "title",
    "first_year",
    "last_year",
    "phases",
    "decide_from",
    "money",
    "rounding",
    "numbers",
    "prices",
    "discount_rate",
    "may_cross_phase",
    "may_run_over",
    "statutory",
    "objective.goal",
    "objective.value_from",
    "objective.at",
    "objective.criteria",
    "format",
)
"""Settings that hold one value, or several rows of one kind (phases)."""

KEYED_SETTINGS = ("objective.class_weights", "objective.sets")
"""Settings that hold one value for each of the user's own names."""

UNITS = ("VND", "million VND", "billion VND", "trillion VND")

OWN_SHEETS = (
    "instructions",
    "summary",
    "projects-funded",
    "years",
    "envelopes-used",
    "outcomes",
    "compliance",
    "unfunded",
    "grounds",
    "lists",
)
"""Sheets that a template or a written plan has beside those of the schema."""

_BETWEEN = "|"
_BRACKETS = re.compile(r"\(([^()]*)\)")
# Units of several columns, one after the other; a comma within 1,000 VND is none.
_LISTED = re.compile(r"[;,](?=\s|$)")
_SPACES = re.compile(r"[\s_]+")


def folded(text: str) -> str:
    """Return a name as it is compared: without case, accents, units in brackets, stars and doubled blanks.

    Examples
    --------
    >>> folded("Tổng mức đầu tư (tỷ đồng) *") == folded("tong  muc dau tu")
    True
    """
    bare = _SPACES.sub(" ", _BRACKETS.sub(" ", text).replace("*", " ")).strip().casefold().replace("đ", "d")
    return "".join(letter for letter in unicodedata.normalize("NFD", bare) if not unicodedata.combining(letter))


def sheet_title(name: str) -> str:
    """Return what a sheet of the schema is called in the language in force."""
    return _first(say(f"excel.sheet.{name}"))


def heading(table: str, column: str) -> str:
    """Return what a column is called in the language in force."""
    own = f"excel.own.{table}.{column}"
    return _first(say(own if has_text(own) else f"excel.heading.{column}"))


def about(column: str) -> str:
    """Return what a column holds, as a sentence or two in the language in force."""
    return say(f"excel.about.{column}")


def setting_label(path: str) -> str:
    """Return what a setting is called in the language in force."""
    for keyed in KEYED_SETTINGS:
        if path.startswith(f"{keyed}."):
            return f"{_first(say(f'excel.setting.{keyed}'))} {path.removeprefix(f'{keyed}.')}"
    return _first(say(f"excel.setting.{path}")) if path in PLAIN_SETTINGS else path


def word(code: str) -> str:
    """Return a word of a closed vocabulary in the language in force."""
    key = f"excel.word.{code}"
    return _first(say(key)) if has_text(key) else code


@cache
def sheet_codes() -> Mapping[str, str]:
    """Return the tables, and the settings, by what their sheets may be called."""
    return dict(_known((name, [name, *_aliases(f"excel.sheet.{name}")]) for name in (SETTINGS, *RECORDS)))


@cache
def own_titles() -> frozenset[str]:
    """Return what the sheets are called that hold no input, as they are compared."""
    return frozenset(folded(alias) for name in OWN_SHEETS for alias in _aliases(f"excel.sheet.{name}"))


@cache
def column_codes(table: str) -> Mapping[str, str]:
    """Return the columns of a table by what they may be called."""
    return dict(_known((name, [name, *_heading_aliases(table, name)]) for name in SCHEMAS[table].columns))


def first_names(table: str, column: str) -> set[str]:
    """Return the names of a column that are no lesser ones: that of the schema, and what it is called when written."""
    own = f"excel.own.{table}.{column}"
    key = own if has_text(own) else f"excel.heading.{column}"
    return {folded(column), *(folded(_first(texts(lang)[key])) for lang in LANGUAGES)}


@cache
def word_codes(words: tuple[str, ...]) -> Mapping[str, str]:
    """Return the words of a closed vocabulary by how they may be written."""
    return dict(_known((code, [code, *_aliases(f"excel.word.{code}")]) for code in words if code))


def setting_path(label: str) -> str | None:
    """Return the setting that a label of the settings sheet names: ``objective.goal`` or what it is called.

    Examples
    --------
    >>> setting_path("Năm đầu"), setting_path("Weight of class 2"), setting_path("law.vn-2026-2030.tail.off")
    ('first_year', 'objective.class_weights.2', 'law.vn-2026-2030.tail.off')
    """
    text = label.strip()
    if text in PLAIN_SETTINGS or text.startswith(("law.", *(f"{keyed}." for keyed in KEYED_SETTINGS))):
        return text
    name = folded(text)
    if name in _setting_codes():
        return _setting_codes()[name]
    for keyed in KEYED_SETTINGS:
        for alias in map(folded, _aliases(f"excel.setting.{keyed}")):
            if name.startswith(f"{alias} "):
                return f"{keyed}.{text.split()[-1]}"
    return None


def known_settings() -> list[str]:
    """Return what the settings are called in the language in force."""
    return [setting_label(path) for path in PLAIN_SETTINGS]


def setting_headings() -> list[str]:
    """Return what may stand above the column of the settings' names."""
    return _aliases("excel.heading.setting")


def unit_in(text: str) -> str | None:
    """Return the unit of money that stands in brackets, or after a colon, in a heading or a line above the table.

    A unit that no amount can be given in, such as thousands of VND, is returned as it is written.  Other units may
    stand beside it.

    Examples
    --------
    >>> unit_in("Tổng mức đầu tư (tỷ đồng)"), unit_in("Đơn vị: triệu đồng"), unit_in("Tổng mức đầu tư")
    ('billion VND', 'million VND', None)
    >>> unit_in("Tổng mức đầu tư (tỷ)"), unit_in("(Đơn vị tính nghìn đồng)")
    ('billion VND', 'nghìn đồng')
    >>> unit_in("ĐVT: triệu đồng; km"), unit_in("Chiều dài và chi phí (km, tỷ đồng)")
    ('million VND', 'billion VND')
    """
    told = [part for piece in (*_BRACKETS.findall(text), text) for part in (piece, *_after_lead(piece))]
    parts = [part.strip() for piece in told for part in (piece, *_LISTED.split(piece))]
    # A single letter is more often the mark of a column, or metres.
    units = (unit_named(part) if len(folded(part)) > 1 else _other_unit(part) for part in parts)
    return next(filter(None, units), None)


def _after_lead(text: str) -> Iterator[str]:
    """What follows a colon, or the words that announce a unit."""
    yield text.partition(":")[2]
    for lead in _aliases("excel.unit.lead"):
        if text.strip().casefold().startswith(f"{lead.casefold()} "):
            yield text.strip()[len(lead) :].strip(" :")


def unit_named(words: str) -> str | None:
    """Return the unit of money that the number format of a cell names, in full or for short, as :func:`unit_in` does.

    Examples
    --------
    >>> unit_named(" tỷ"), unit_named("₫"), unit_named("$"), unit_named(" km")
    ('billion VND', 'VND', '$', None)
    """
    short = _known((unit, _aliases(f"excel.short.{unit}")) for unit in UNITS)
    return (dict(word_codes(UNITS)) | dict(short)).get(folded(words)) or _other_unit(words)


def _other_unit(words: str) -> str | None:
    """The words, where they are a unit of money in which no amount can be given."""
    return words.strip() if folded(words) in map(folded, _aliases("excel.unit.other")) else None


@cache
def _setting_codes() -> Mapping[str, str]:
    return dict(_known((path, [path, *_aliases(f"excel.setting.{path}")]) for path in PLAIN_SETTINGS))


def _heading_aliases(table: str, column: str) -> list[str]:
    own = f"excel.own.{table}.{column}"
    return _aliases(own if has_text(own) else f"excel.heading.{column}")


def _aliases(key: str) -> list[str]:
    return [part for lang in LANGUAGES for part in texts(lang).get(key, "").split(_BETWEEN) if part]


def _known(names: Iterable[tuple[str, list[str]]]) -> Iterator[tuple[str, str]]:
    for code, aliases in names:
        yield from ((folded(alias), code) for alias in aliases)


def _first(text: str) -> str:
    return text.partition(_BETWEEN)[0]

"""The tables of a portfolio as sheets that are read back: drop-down lists, units in headings, comments that explain."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from capalloc.catalogue import say
from capalloc.excel.naming import (
    KEYED_SETTINGS,
    PLAIN_SETTINGS,
    SETTINGS,
    about,
    heading,
    setting_label,
    sheet_title,
    word,
)
from capalloc.excel.scanning import letters_of
from capalloc.excel.styles import Styles
from capalloc.issues import InvalidInput, Place, error
from capalloc.money import MILLIONS
from capalloc.reading import FIRST_YEAR, LAST_YEAR
from capalloc.records import RECORDS, SCHEMAS, Row, Rule
from capalloc.schema import Column, Kind, field_name
from capalloc.settings import Settings
from capalloc.tables import Tables

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.worksheet import Worksheet

TITLE_ROW, HEAD_ROW, FIRST_ROW = 0, 1, 2
"""The rows of a sheet of input, from 0."""

_SPARE_ROWS = 500
_LONGEST_TEXT = 32_767
_DIGITS = 15
_WIDTHS = {"id": 12, "name": 44, "name_en": 30, "source_ref": 40, "note": 40, "selection": 34, "eligible": 34}
_USUAL_WIDTH = 15
_LOOKS = {
    Kind.YEAR: "year",
    Kind.INTEGER: "year",
    Kind.MONEY: "number",
    Kind.NUMBER: "plain",
    Kind.FRACTION: "plain",
    Kind.ID: "code",
    Kind.PERIOD: "code",
    Kind.TEXT: "plain",
}


@dataclass
class Inputs:
    """Writes the sheets of a portfolio into a workbook, in the language in force.

    Parameters
    ----------
    tables
        As they were given, before statutory rules were put in force.
    is_template
        Whether all tables and columns are written, with comments, though nothing is in them.
    """

    book: Workbook
    styles: Styles
    tables: Tables
    is_template: bool = False
    lists: dict[tuple[str, ...], str] = field(default_factory=dict)

    def write(self) -> None:
        """Write the settings and every table, then the words that may be chosen.

        Raises
        ------
        InvalidInput
            When a number or a text does not fit into a cell.
        """
        issues = [issue for name in RECORDS for issue in _misfits(self.tables, name)]
        if issues:
            raise InvalidInput(issues)
        self.settings()
        for name in RECORDS:
            if self.is_template or self.tables.rows(name):
                self.table(name)
        self.choices()

    def settings(self) -> None:
        """Write one setting a row: its name, its value, the years of a phase, and what it means."""
        sheet, styles = self.book.add_worksheet(sheet_title(SETTINGS)), self.styles
        sheet.set_column(0, 0, 34)
        sheet.set_column(1, 1, 34)
        sheet.set_column(2, 3, 11)
        sheet.set_column(4, 4, 60)
        sheet.write_string(0, 0, sheet_title(SETTINGS), styles["strong"])
        for number, name in enumerate(("setting", "setting-value", "setting-first", "setting-last", "setting-about")):
            sheet.write_string(HEAD_ROW, number, say(f"excel.heading.{name}").partition("|")[0], styles["head"])
        rows = list(_setting_rows(self.tables.settings, self.is_template))
        for row, (path, cells) in enumerate(rows, start=FIRST_ROW):
            sheet.write_string(row, 0, setting_label(path), styles["text"])
            for number in range(3):
                self.put(sheet, (row, number + 1), cells[number] if number < len(cells) else None, "plain")
            told = "objective.class_weights" if path.startswith("objective.class_weights") else path
            has_about = told in PLAIN_SETTINGS or told == "objective.class_weights"
            sheet.write_string(row, 4, say(f"excel.about.setting.{told}") if has_about else "", styles["text"])
            if path in _CHOICES:
                self.limit_to(sheet, (row, row), 1, _CHOICES[path])
        sheet.freeze_panes(FIRST_ROW, 1)
        page(sheet, FIRST_ROW + len(rows), 5)

    def table(self, name: str) -> None:
        """Write a table: its name, its headings with their units, and its rows."""
        title, settings = sheet_title(name), self.tables.settings
        sheet, schema, rows = self.book.add_worksheet(title), SCHEMAS[name], self.tables.rows(name)
        columns = [*_columns(name, rows, self.is_template)]
        own = [*_attributes(self.tables)] if name == "projects" else []
        sheet.write_string(TITLE_ROW, 0, title, self.styles["strong"])
        last = FIRST_ROW + max(len(rows) - 1, _SPARE_ROWS if self.is_template else 0)
        for number, code in enumerate([*columns, *own]):
            column = schema.columns.get(code)
            text = heading(name, code) if column else code
            unit = f" ({word(settings.money)})" if column and column.kind is Kind.MONEY else ""
            needed = column is not None and column.required
            sheet.write_string(HEAD_ROW, number, f"{text}{unit}", self.styles["needed" if needed else "head"])
            sheet.set_column(number, number, _WIDTHS.get(code, _USUAL_WIDTH), self.column_style(column))
            if column and self.is_template:
                sheet.write_comment(HEAD_ROW, number, f"{about(code)}\n[{code}]", {"x_scale": 2, "font_size": 9})
            if column:
                self.guide(sheet, (FIRST_ROW, last), number, column)
        for line, row in enumerate(rows, start=FIRST_ROW):
            for number, code in enumerate(columns):
                look = _LOOKS.get(schema.columns[code].kind, "plain")
                self.put(sheet, (line, number), cell_of(row, code, schema.columns[code], settings), look)
            for number, code in enumerate(own, start=len(columns)):
                self.put(sheet, (line, number), _plain(row.attributes.get(code), settings.numbers), "plain")  # type: ignore[attr-defined]
        sheet.set_row(HEAD_ROW, 48)
        sheet.freeze_panes(FIRST_ROW, 1)
        page(sheet, FIRST_ROW + len(rows), len(columns) + len(own))

    def column_style(self, column: Column | None) -> Any:
        """The style of the empty cells of a column: ids and periods are text, so that no leading zero is lost."""
        return self.styles["code"] if column and column.kind in (Kind.ID, Kind.PERIOD) and self.is_template else None

    def put(self, sheet: Worksheet, place: tuple[int, int], value: Any, look: str) -> None:
        """Write a cell by what it holds: a number as a number, everything else as text, whatever it begins with."""
        style = self.styles[look]
        if value is None or value == "":
            sheet.write_blank(*place, None, style)
        elif isinstance(value, str):
            sheet.write_string(*place, value, style)
        else:
            sheet.write_number(*place, value, style)

    def guide(self, sheet: Worksheet, rows: tuple[int, int], number: int, column: Column) -> None:
        """Let the cells of a column take only what the column may hold."""
        if column.choices or column.kind is Kind.TRUTH:
            self.limit_to(sheet, rows, number, column.choices or ("true", "false"))
        elif column.kind is Kind.ID and column.refers_to:
            source = f"='{sheet_title(column.refers_to)}'!$A${FIRST_ROW + 1}:$A${FIRST_ROW + 3000}"
            # A new id may be typed before the row that explains it.
            found = {"validate": "list", "source": source, "error_type": "warning"}
            if self.is_template or self.tables.rows(column.refers_to):
                sheet.data_validation(rows[0], number, rows[1], number, found)
        elif limits := _limits(column):
            kind = "integer" if column.kind in (Kind.YEAR, Kind.INTEGER) else "decimal"
            sheet.data_validation(rows[0], number, rows[1], number, {"validate": kind, **limits})

    def limit_to(self, sheet: Worksheet, rows: tuple[int, int], number: int, words: tuple[str, ...]) -> None:
        """Offer words to choose from; they stand on a sheet of their own, because some hold commas."""
        column = letters_of(list(self.lists).index(words) + 1 if words in self.lists else len(self.lists) + 1)
        extent = f"='{sheet_title('lists')}'!${column}$1:${column}${len(words)}"
        self.lists[words] = extent
        sheet.data_validation(rows[0], number, rows[1], number, {"validate": "list", "source": extent})

    def choices(self) -> None:
        """Write the words of the drop-down lists."""
        sheet = self.book.add_worksheet(sheet_title("lists"))
        for number, words in enumerate(self.lists):
            sheet.set_column(number, number, 28)
            for row, code in enumerate(words):
                sheet.write_string(row, number, word(code), self.styles["text"])


_CHOICES: Mapping[str, tuple[str, ...]] = {
    "money": tuple(MILLIONS),
    "rounding": ("exact", "nearest", "up"),
    "may_cross_phase": ("true", "false"),
    "may_run_over": ("true", "false"),
    "objective.goal": ("weighted", "lexicographic"),
    "objective.value_from": ("column", "score", "score_size", "benefits"),
    "objective.at": ("start", "completion"),
}


def page(sheet: Worksheet, rows: int, columns: int, portrait: bool = False) -> None:
    """Set a sheet up for printing on A4, as wide as the page, the headings on every page."""
    sheet.set_paper(9)
    if not portrait:
        sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.set_margins(0.5, 0.5, 0.6, 0.6)
    sheet.print_area(0, 0, max(rows - 1, 0), max(columns - 1, 0))
    sheet.repeat_rows(0, FIRST_ROW - 1)
    sheet.set_footer("&C&P/&N")


def cell_of(row: Row, code: str, column: Column, settings: Settings) -> Any:
    """Return what a cell of a row holds, as it is written: money in the declared unit, words in the language spoken."""
    value = getattr(row, field_name(code))
    if column.kind is Kind.MONEY or (isinstance(row, Rule) and code == "amount" and row.is_money):
        value = None if value is None else Fraction(value) / MILLIONS[settings.money]
    if isinstance(value, bool):
        return word("true" if value else "false")
    if isinstance(value, tuple):
        return "+".join(value)
    return word(value) if column.choices and isinstance(value, str) else _plain(value, settings.numbers)


def _plain(value: Any, numbers: str = "") -> Any:
    """A number that a cell holds exactly, else its digits as text."""
    if not isinstance(value, Fraction):
        return value
    digits = _decimal(value)
    if digits is None:
        return None
    if len(digits.lstrip("-0.").replace(".", "")) <= _DIGITS:
        return int(value) if value.denominator == 1 else float(value)
    return digits.replace(".", ",") if numbers == "vi" else digits


def _decimal(value: Fraction) -> str | None:
    """All digits of a number; ``None`` where they do not end."""
    twos = fives = 0
    rest = value.denominator
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    if rest != 1:
        return None
    places = max(twos, fives)
    text = str(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
    sign = "-" if value < 0 else ""
    return f"{sign}{text[:-places]}.{text[-places:]}" if places else f"{sign}{text}"


def _misfits(tables: Tables, name: str) -> Iterator[Any]:
    """What no cell can hold exactly: numbers whose digits do not end, texts longer than Excel allows."""
    for row in tables.rows(name):
        cells = {code: getattr(row, field_name(code)) for code in SCHEMAS[name].columns}
        for code, value in (cells | dict(getattr(row, "attributes", {}))).items():
            place = Place(name, row=row.row, column=code)
            if isinstance(value, Fraction) and _decimal(value) is None:
                yield error("endless-number", place, found=str(value))
            elif isinstance(value, str) and len(value) > _LONGEST_TEXT:
                yield error("text-too-long", place, length=len(value), most=_LONGEST_TEXT)


def _columns(name: str, rows: Sequence[Row], every: bool) -> Iterator[str]:
    """The columns to write: the key, what must be there, and every other one that says something."""
    schema = SCHEMAS[name]
    for code, column in schema.columns.items():
        default = schema.record.__dataclass_fields__[field_name(code)].default  # type: ignore[attr-defined]
        if every or column.key or column.required or any(getattr(row, field_name(code)) != default for row in rows):
            yield code


def _attributes(tables: Tables) -> Iterator[str]:
    yield from dict.fromkeys(name for project in tables.projects for name in project.attributes)


def _limits(column: Column) -> Mapping[str, Any]:
    if column.kind is Kind.YEAR:
        return {"criteria": "between", "minimum": FIRST_YEAR, "maximum": LAST_YEAR}
    if column.kind is Kind.FRACTION:
        return {"criteria": "between", "minimum": 0, "maximum": 1}
    if column.least is not None:
        return {"criteria": ">=", "value": column.least}
    return {}


def _setting_rows(settings: Settings, every: bool) -> Iterator[tuple[str, list[Any]]]:
    """Each setting with its cells; those that say nothing only where all are wanted."""
    tree = settings.model_dump()
    for path in PLAIN_SETTINGS:
        if path == "phases":
            yield from (("phases", [phase.name, phase.first, phase.last]) for phase in settings.phases)
            continue
        branch, _, leaf = path.rpartition(".")
        value = (tree[branch] if branch else tree)[leaf]
        if value not in (None, "") or every:
            yield path, [_setting_cell(path, value)]
    for keyed in KEYED_SETTINGS:
        branch, _, leaf = keyed.partition(".")
        yield from ((f"{keyed}.{key}", [_setting_cell(keyed, value)]) for key, value in tree[branch][leaf].items())
    yield from _law_rows("law", settings.law)


def _setting_cell(path: str, value: Any) -> Any:
    if isinstance(value, bool):
        return word("true" if value else "false")
    if isinstance(value, str):
        return word(value) if path in _CHOICES else value
    return value if value is None or isinstance(value, int) else _plain(Fraction(value))


def _law_rows(path: str, value: Any) -> Iterator[tuple[str, list[Any]]]:
    """Settings of statutory rules, one a row; lists and tables as JSON."""
    if isinstance(value, Mapping) and path.count(".") < 3 and value:
        for key, inner in value.items():
            yield from _law_rows(f"{path}.{key}", inner)
    elif path != "law":
        plain = float(value) if isinstance(value, Decimal) else value
        is_plain = isinstance(plain, str | int | float) and not isinstance(plain, bool)
        yield path, [plain if is_plain else json.dumps(plain, ensure_ascii=False, default=float)]

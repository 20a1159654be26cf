"""Workbooks and folders to begin a portfolio in, empty or with an example."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from capalloc.catalogue import say
from capalloc.configuring import settings_from_mapping
from capalloc.excel.inputs import Inputs
from capalloc.excel.naming import sheet_title
from capalloc.excel.styles import Styles, writing_book
from capalloc.formats import FORMATS
from capalloc.issues import CapallocError
from capalloc.loading import SETTINGS_FILE, assembled
from capalloc.rawtable import table_from_csv
from capalloc.records import SCHEMAS
from capalloc.tables import Origin, Tables
from capalloc.writing import write_atomically

if TYPE_CHECKING:
    from xlsxwriter import Workbook

_LINES = 9
_TEXT_WIDTH = 110

_SETTINGS: Mapping[str, Any] = MappingProxyType(
    {
        "format": FORMATS["portfolio"],
        "first_year": 2026,
        "last_year": 2030,
        "phases": [{"name": "2026-2030", "first": 2026, "last": 2030}],
        "money": "billion VND",
    }
)
_EXAMPLE_SETTINGS: Mapping[str, Any] = MappingProxyType({"title": "Ví dụ 2026-2030", "prices": "constant 2025"})

_EXAMPLE: Mapping[str, str] = MappingProxyType(
    {
        "projects": """\
id,name,sector,location,agency,kind,status,priority,mandatory,earliest_start,latest_start,duration,cost,value,basis
DA-01,Đường nối trung tâm xã với quốc lộ,Giao thông,Xã A,Ban QLDA tỉnh,works,decided,1,true,2026,2027,3,420,90,assumed
DA-02,Cầu qua sông,Giao thông,Xã B,Ban QLDA tỉnh,works,policy_decided,1,false,2026,2028,2,180,55,assumed
DA-03,Trường phổ thông dân tộc nội trú,Giáo dục,Xã A,Ban QLDA xã,works,proposed,1,false,2026,2029,2,95,40,assumed
DA-04,Trạm y tế xã,Y tế,Xã C,Ban QLDA xã,works,proposed,2,false,2026,2030,1,25,12,assumed
DA-05,Hồ chứa nước thủy lợi,Nông nghiệp,Xã B,Ban QLDA tỉnh,works,proposed,2,false,2026,2028,3,310,60,assumed
DA-06,Kè chống sạt lở,Nông nghiệp,Xã C,Ban QLDA tỉnh,works,proposed,2,false,2026,2030,1,70,22,assumed
""",
        "sources": """\
id,name,side,public_investment,reserve
NSTW,Ngân sách trung ương,state,true,0.1
NSDP,Ngân sách địa phương,state,true,0.1
""",
        "envelopes": """\
source,period,amount,basis
NSTW,2026-2030,600,assumed
NSDP,2026-2030,250,assumed
""",
        "dependencies": """\
kind,first,then,lag,note
finish_start,DA-01,DA-04,0,Có đường mới xây được trạm y tế
""",
    }
)
_FOLDER_TABLES = ("projects", "sources", "envelopes", "dependencies")


def write_template(path: Path, *, example: bool = False) -> None:
    """Write a workbook to fill in, in the language in force.

    Raises
    ------
    CapallocError
        When there is something at the path already, or it does not end in ``.xlsx``.
    OSError
        When it cannot be written.
    """
    _expect_free(path)
    if path.suffix.lower() != ".xlsx":
        raise CapallocError(say("excel.only-xlsx", path=path))
    with writing_book(path) as book:
        styles = Styles(book)
        _instructions(book, styles)
        Inputs(book, styles, template_tables(example=example), is_template=True).write()


def write_folder(folder: Path, *, example: bool = False) -> None:
    """Write a folder to fill in: ``portfolio.toml`` and the tables that most portfolios have.

    Raises
    ------
    CapallocError
        When there is something at the path already.
    OSError
        When it cannot be written.
    """
    _expect_free(folder)
    folder.mkdir(parents=True)
    settings = _settings(example=example)
    write_atomically(folder / SETTINGS_FILE, "".join(f"{key} = {_toml(value)}\n" for key, value in settings.items()))
    for name in _FOLDER_TABLES:
        text = _EXAMPLE[name] if example else ",".join(SCHEMAS[name].columns) + "\n"
        write_atomically(folder / f"{name}.csv", text, encoding="utf-8-sig")


def template_tables(*, example: bool) -> Tables:
    """Return the tables that a template begins with."""
    settings, _ = settings_from_mapping(_settings(example=example), "settings")
    given = _EXAMPLE if example else {}
    raws = {name: table_from_csv(name, name, text.encode())[0] for name, text in given.items()}
    return assembled(settings, Origin("settings"), [], raws, [])[0]


def _settings(*, example: bool) -> dict[str, Any]:
    return {**_EXAMPLE_SETTINGS, **_SETTINGS} if example else dict(_SETTINGS)


def _expect_free(path: Path) -> None:
    if path.exists():
        raise CapallocError(say("excel.exists", path=path))


def _instructions(book: Workbook, styles: Styles) -> None:
    sheet = book.add_worksheet(sheet_title("instructions"))
    sheet.set_column(0, 0, 4)
    sheet.set_column(1, 1, _TEXT_WIDTH)
    sheet.hide_gridlines(2)
    sheet.write_string(0, 0, sheet_title("instructions"), styles["strong"])
    names = {name: sheet_title(name) for name in ("settings", "projects", "sources", "envelopes")}
    for number in range(1, _LINES + 1):
        text = say(f"excel.instructions.{number}", **names)
        sheet.write_number(number, 0, number, styles["line"])
        sheet.write_string(number, 1, text, styles["line"])
        sheet.set_row(number, 16 * (1 + len(text) // _TEXT_WIDTH))
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)


def _toml(value: Any) -> str:
    if isinstance(value, list):
        tables = (", ".join(f"{key} = {_toml(inner)}" for key, inner in each.items()) for each in value)
        return f"[{', '.join(f'{{{table}}}' for table in tables)}]"
    return f'"{value}"' if isinstance(value, str) else str(value)

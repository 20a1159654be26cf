"""Give a reader bytes that atheris makes up, until one is answered with anything but tables or issues.

``python fuzz/readers.py csv -max_total_time=600``; further arguments are those of libFuzzer.  What it finds is kept as
a case of ``tests/bad_inputs`` or an example of ``tests/test_fuzz.py``.  Of a workbook the zip around it stays whole,
and the sheet of projects is made up.
"""

import contextlib
import sys
import tempfile
import zipfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["capalloc"]):
    from capalloc import InvalidInput
    from capalloc.check_certificate import Refused
    from capalloc.check_certificate import read as read_certificate
    from capalloc.configuring import settings_from_toml
    from capalloc.excel.workbook import read_workbook
    from capalloc.issues import Place
    from capalloc.packing import unpack
    from capalloc.rawtable import table_from_csv
    from capalloc.reading import read_table
    from capalloc.scenariofile import read_scenario_file
    from capalloc.selection import BadSelection, parse_selection
    from capalloc.settings import Settings
    from capalloc.storing import read_plan_text
    from capalloc.tables import Tables

SETTINGS = Settings(first_year=2024, last_year=2027)

_RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
BOOK = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATED}"><sheets>'
    '<sheet name="projects" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    f'<Relationship Id="rId1" Type="{_RELATED}/worksheet" Target="sheet1.xml"/></Relationships>',
}


def csv(data: bytes) -> None:
    """A table of projects, down to its records."""
    table, _ = table_from_csv("projects", "projects.csv", data)
    if table is not None:
        read_table(table, SETTINGS)


def settings(data: bytes) -> None:
    """The settings."""
    settings_from_toml(data, "portfolio.toml")


def selection(data: bytes) -> None:
    """A selection."""
    with contextlib.suppress(BadSelection):
        parse_selection(data.decode("utf-8", "replace"))


def scenarios(data: bytes) -> None:
    """A scenario file."""
    with tempfile.TemporaryDirectory() as place, contextlib.suppress(InvalidInput):
        path = Path(place) / "scenarios.toml"
        path.write_bytes(data)
        read_scenario_file(path)


def plan(data: bytes) -> None:
    """The file of a plan."""
    with contextlib.suppress(InvalidInput):
        read_plan_text(data.decode("utf-8", "replace"), Tables(settings=SETTINGS), Place("plan.json"))


def certificate(data: bytes) -> None:
    """A certificate."""
    with tempfile.TemporaryDirectory() as place, contextlib.suppress(Refused):
        path = Path(place) / "plan.cert.json"
        path.write_bytes(data)
        read_certificate(path)


def workbook(data: bytes) -> None:
    """The sheet of projects of a workbook."""
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "book.xlsx"
        with zipfile.ZipFile(path, "w") as parts:
            for name, content in BOOK.items():
                parts.writestr(name, content)
            parts.writestr("xl/sheet1.xml", data)
        read_workbook(path)


def packed(data: bytes) -> None:
    """The tables of a pack of evidence; what is wrong with them is told by whoever loads it."""
    with contextlib.suppress(InvalidInput, ValueError, TypeError, LookupError, AttributeError, ArithmeticError):
        unpack(data.decode("utf-8", "replace"))


READERS = {one.__name__: one for one in (csv, settings, selection, scenarios, plan, certificate, workbook, packed)}

if __name__ == "__main__":
    atheris.Setup([sys.argv[0], *sys.argv[2:]], READERS[sys.argv[1]])
    atheris.Fuzz()

"""Give a reader bytes that atheris makes up, until one is answered with anything but tables or issues.

``python fuzz/readers.py csv -max_total_time=600``; further arguments are those of libFuzzer.  It begins with a file
that is right, where ``tests/formats`` keeps one.  What it finds is kept as a case of ``tests/bad_inputs`` or an example
of ``tests/test_fuzz.py``.  Of a workbook the zip around it stays whole, and the sheet of projects is made up.
"""

import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["capalloc"]):
    from capalloc import InvalidInput, load
    from capalloc.check_certificate import Refused, check, digest
    from capalloc.check_certificate import read as read_certificate
    from capalloc.configuring import settings_from_toml
    from capalloc.excel.workbook import read_workbook
    from capalloc.issues import Place
    from capalloc.packing import pack
    from capalloc.rawtable import table_from_csv
    from capalloc.reading import read_table
    from capalloc.scenariofile import read_scenario_file
    from capalloc.selection import BadSelection, parse_selection
    from capalloc.settings import Settings
    from capalloc.storing import read_plan_text

SETTINGS = Settings(first_year=2024, last_year=2027)

_RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
KEPT = Path(__file__).parents[1] / "tests" / "formats"
PORTFOLIO = load(KEPT / "1" / "portfolio")
BOOK = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATED}"><sheets>'
    '<sheet name="projects" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    f'<Relationship Id="rId1" Type="{_RELATED}/worksheet" Target="sheet1.xml"/></Relationships>',
}
SHEET = (
    f'<worksheet xmlns="{_MAIN}"><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>id</t></is></c>'
    '<c r="B1" t="inlineStr"><is><t>cost</t></is></c></row><row r="2"><c r="A2" t="inlineStr"><is><t>A</t></is></c>'
    '<c r="B2" s="1"><v>500</v></c></row></sheetData><mergeCells><mergeCell ref="A4:B5"/></mergeCells></worksheet>'
)


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
    with suppress(BadSelection):
        parse_selection(data.decode("utf-8", "replace"))


def scenarios(data: bytes) -> None:
    """A scenario file."""
    with file_of("scenarios.toml", data) as path, suppress(InvalidInput):
        read_scenario_file(path)


def plan(data: bytes) -> None:
    """The file of a plan."""
    with suppress(InvalidInput):
        read_plan_text(data.decode("utf-8", "replace"), PORTFOLIO.tables, Place("plan.json"))


def certificate(data: bytes) -> None:
    """A certificate, and what its parts say once the hashes are made to match."""
    with file_of("plan.cert.json", data) as path, suppress(Refused):
        found = read_certificate(path)
        check(found | {"hashes": {part: digest(content) for part, content in found.items()}})


def workbook(data: bytes) -> None:
    """The sheet of projects of a workbook."""
    with file_of("book.xlsx", b"") as path:
        with zipfile.ZipFile(path, "w") as parts:
            for name, content in BOOK.items():
                parts.writestr(name, content)
            parts.writestr("xl/sheet1.xml", data)
        read_workbook(path)


def packed(data: bytes) -> None:
    """The tables of a pack of evidence."""
    with file_of("portfolio.json", data) as path, suppress(InvalidInput):
        load(path)


@contextmanager
def file_of(name: str, data: bytes) -> Iterator[Path]:
    """Give the path of a file that holds the bytes, for as long as it is read."""
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / name
        path.write_bytes(data)
        yield path


# What each reader takes: bytes made of nothing seldom get past the first bracket.
SEEDS = {
    "csv": [(KEPT / "1" / "portfolio" / "projects.csv").read_bytes()],
    "settings": [(KEPT / "1" / "portfolio" / "portfolio.toml").read_bytes()],
    "selection": [b'sector == "road" and priority <= 2 and location in ["Lai Ch\xc3\xa2u"]'],
    "scenarios": [(KEPT / "1" / "scenarios.toml").read_bytes()],
    "plan": [(KEPT / "1" / "plan.json").read_bytes()],
    "certificate": [path.read_bytes() for path in sorted(KEPT.glob("*/plan.cert.json"))],
    "workbook": [SHEET.encode()],
    "packed": [pack(PORTFOLIO.tables).encode()],
}
READERS = {one.__name__: one for one in (csv, settings, selection, scenarios, plan, certificate, workbook, packed)}

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(SEEDS[sys.argv[1]]):
            (Path(corpus) / str(number)).write_bytes(seed)
        atheris.Setup([sys.argv[0], *sys.argv[2:], corpus], READERS[sys.argv[1]])
        atheris.Fuzz()

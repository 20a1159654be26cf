"""Workbooks become portfolios: what people leave in cells is read or told at its sheet and cell, all at once."""

import datetime as dt
import os
import zipfile

import pytest

import capalloc
from books import PROJECTS, SETTINGS, write_book
from capalloc import InvalidInput
from capalloc.catalogue import LANGUAGES, speaking, texts
from capalloc.excel.inputs import Inputs
from capalloc.excel.marking import write_marked
from capalloc.excel.naming import column_codes, folded, sheet_codes
from capalloc.excel.styles import Styles, writing_book
from capalloc.excel.templates import write_folder, write_template
from capalloc.excel.workbook import read_workbook
from capalloc.packing import pack, unpack
from capalloc.records import SCHEMAS
from sample import sample


@pytest.fixture
def path(tmp_path):
    """Return where a test writes its workbook."""
    return tmp_path / "plan.xlsx"


def issues_of(path, lang="en", **sheets):
    """Return the issues that loading a workbook raises; a workbook is written first where sheets are given."""
    if sheets:
        write_book(path, **sheets)
    with speaking(lang), pytest.raises(InvalidInput) as wrong:
        capalloc.load(path)
    return wrong.value.issues


def told(issues):
    """Return code, sheet and cell of issues."""
    return [(issue.code, issue.where.sheet, issue.where.cell) for issue in issues]


def test_a_workbook_with_the_names_of_the_schema_is_a_portfolio(path):
    """One sheet a table, the settings one a row."""
    portfolio = capalloc.load(write_book(path))
    assert [project.id for project in portfolio.tables.projects] == ["A", "B"]
    assert portfolio.settings.phases[0].last == 2030
    assert portfolio.optimize().value == 7


def test_sheets_and_headings_may_be_vietnamese(path):
    """With titles above, stars, units in brackets, and without regard to case, accents and blanks at the end."""
    projects = [
        ["DANH MỤC DỰ ÁN ĐỀ XUẤT"],
        ["", "", "", "Đơn vị: tỷ đồng"],
        ["Mã dự án *", "TÊN DỰ ÁN", "Tổng mức đầu tư (tỷ đồng) ", "Gia tri", "Tình trạng"],
        ["007 ", "  Đường A", "1.234.567,8", "3", "Đã có quyết định đầu tư"],
    ]
    settings = [["Năm đầu", 2026], ["Năm cuối", 2030], ["Đơn vị tiền", "tỷ đồng"], ["Tỷ lệ chiết khấu", "0,05"]]
    book = write_book(path, settings=None, projects=None, **{"Thiết lập": settings, "Dự án": projects})
    (project,) = capalloc.load(book).tables.projects
    assert (project.id, project.name, project.cost, project.value) == ("007", "Đường A", 1_234_567_800, 3)
    assert project.status == "decided"


def test_headings_may_take_two_rows_and_columns_be_numbered(path):
    """Cells merged over headings lie to the right and below their value; the row 1, 2, 3 is no project."""
    projects = [
        ["Mã dự án", "Tên dự án", "Khởi công", None, "Tổng mức đầu tư", "Giá trị"],
        [None, None, "Khởi công sớm nhất", "Khởi công muộn nhất"],
        ["(1)", "(2)", "(3)", "(4)", "(5)", "(6)"],
        ["A", "Đường", 2026, 2028, 500, 3],
    ]

    def merge(book, sheets):
        for extent, text in (("A1:A2", "Mã dự án"), ("B1:B2", "Tên dự án"), ("C1:D1", "Khởi công")):
            sheets["projects"].merge_range(extent, text)

    (project,) = capalloc.load(write_book(path, projects=projects, look=merge)).tables.projects
    assert (project.id, project.earliest_start, project.latest_start, project.cost) == ("A", 2026, 2028, 500)


@pytest.mark.parametrize("first", [[1, 2026, 2027, 9000], [2, 3, 4, 5], [1, 1, 1, 1]], ids=str)
def test_a_row_of_numbers_that_does_not_count_the_columns_is_a_row_of_the_table(path, first):
    """A project whose id is a number is none of the numbered columns, however its other numbers rise."""
    projects = [["id", "cost", "size", "value"], first, [8, 5, 1, 4]]
    found = capalloc.load(write_book(path, projects=projects)).tables.projects
    assert [project.id for project in found] == [str(first[0]), "8"]


def test_what_is_wrong_in_cells_is_told_all_at_once_at_sheet_and_cell(path):
    """Dates, errors, uncomputed formulas, NA, ambiguous and merged cells, each where it stands."""
    projects = [
        ["id", "name", "earliest_start", "cost", "value"],
        ["A", "NA", dt.date(2026, 1, 1), {"formula": "=#REF!", "value": "#REF!"}, 1],
        ["B", "b", {"number": 2026, "format": "dd/mm/yyyy"}, {"formula": "=1+1", "value": ""}, "NA"],
        ["C", "c", 26, "1.234", 1],
        ["D", "d", 2026, 500, 1],
        [None, "d2", 2026, 500, 1],
    ]
    issues = issues_of(
        path,
        projects=projects,
        look=lambda _, sheets: sheets["projects"].merge_range("A5:A6", "D"),
        Sources=[["id"]],
    )
    assert told(issues) == [
        ("date-cell", "projects", "C2"),
        ("error-cell", "projects", "D2"),
        ("date-cell", "projects", "C3"),
        ("formula-without-value", "projects", "D3"),
        ("not-a-number", "projects", "E3"),
        ("not-a-year", "projects", "C4"),
        ("ambiguous-number", "projects", "D4"),
        ("merged-cells", "projects", "A5"),
    ]
    assert "plan.xlsx, projects!D2, column cost: The cell holds the error #REF!." in str(issues)
    assert "holds a date or time (1905-07-18)" in str(issues)
    with speaking("vi"):
        assert "projects!C2, cột earliest_start: Ô chứa ngày hoặc giờ (2026-01-01) ở chỗ không dùng" in str(issues)
        assert "Ô có công thức nhưng chưa có kết quả tính." in str(issues)
        assert "Các ô A5:A6 bị gộp trong bảng" in str(issues)


def test_what_the_checks_find_is_told_at_its_cell_too(path):
    """An unknown source is found long after reading, and still stands in a cell."""
    envelopes = [["source", "period", "amount"], ["stat", "2026-2030", 5]]
    issues = issues_of(path, sources=[["id", "side"], ["state", "state"]], envelopes=envelopes)
    assert ("unknown-id", "envelopes", "A2") in told(issues)


def test_zeros_that_a_format_shows_belong_to_the_id(path):
    """007 typed as a number with the format 000 is what the user sees; NA in a name is a name."""
    padded = {"number": 7, "format": "000"}
    projects = [["id", "name", "value", "code"], [padded, "NA", 1, padded], [12, "x", 2, "01"]]
    portfolio = capalloc.load(write_book(path, projects=projects))
    assert [(p.id, p.name, p.attributes["code"]) for p in portfolio.tables.projects] == [
        ("007", "NA", "007"),
        ("12", "x", "01"),
    ]


def test_the_noise_of_computed_numbers_is_not_read(path):
    """0.1 + 0.2 is 0.3 to a spreadsheet program and to its reader."""
    formula = {"formula": "=0.1+0.2", "value": 0.30000000000000004}
    portfolio = capalloc.load(write_book(path, projects=[["id", "value"], ["A", formula]]))
    assert float(portfolio.tables.projects[0].value) == 0.3


def test_beyond_2_to_the_53_a_workbook_holds_no_digits(path):
    """The last number that is exact is read; the next one may have been another."""
    portfolio = capalloc.load(write_book(path, projects=[["id", "value"], ["A", 2**53 - 1]]))
    assert portfolio.tables.projects[0].value == 2**53 - 1
    (issue,) = issues_of(path, projects=[["id", "value"], ["A", 2**53]])
    assert issue.code == "inexact-number"


def test_units_that_disagree_are_told(path):
    """A heading in billions beside settings in millions, and a line above the table."""
    projects = [["Đơn vị: nghìn tỷ đồng"], ["Mã dự án", "Chi phí (tỷ đồng)", "value"], ["A", 5, 1]]
    assert told(issues_of(path, projects=projects)) == [
        ("unit-differs", "projects", "B2"),
        ("unit-differs", "projects", "A1"),
    ]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("Đơn vị tính: nghìn đồng", "nghìn đồng"),
        ("(Đơn vị: 1.000 đồng)", "1.000 đồng"),
        ("ĐVT: tỷ đồng", "billion VND"),
        ("Đơn vị tính tỷ đồng", "billion VND"),
        ("Unit: thousand VND", "thousand VND"),
        ("ĐVT: tỷ VNĐ", "billion VND"),
        ("Unit: VND billion", "billion VND"),
        ("Đơn vị tính: nghìn VNĐ", "nghìn VNĐ"),
        ("ĐVT: nghìn đồng, km", "nghìn đồng"),
        ("(Đơn vị: km; tỷ đồng)", "billion VND"),
        ("ĐVT: triệu đồng; km", None),
        ("Đơn vị tính: tr.đ", None),
        ("Đơn vị tính: Tr.đồng", None),
        ("Đơn vị thực hiện: Sở Tài chính", None),
        ("Danh mục dự án (kèm theo Nghị quyết)", None),
        ("Chiều dài (m)", None),
    ],
)
def test_a_unit_above_the_table_is_the_one_of_the_settings(path, line, found):
    """Also one that amounts cannot be given in: thousands read as millions make everything a thousand times dearer."""
    issues = read_workbook(write_book(path, projects=[[line], *PROJECTS]))[1]
    assert [(i.code, i.where.cell, i.arguments["found"]) for i in issues] == (
        [("unit-differs", "A1", found)] if found else []
    )


@pytest.mark.parametrize("heading", ["Tổng mức đầu tư (tỷ)", "Cost (thousand VND)", "Cost (USD)"])
def test_a_unit_in_a_heading_may_be_written_short(path, heading):
    """It is told at the heading, which names the column all the same."""
    (issue,) = issues_of(path, projects=[["id", "name", heading, "value"], *PROJECTS[1:]])
    assert (issue.code, issue.where.cell) == ("unit-differs", "C1")


def test_units_are_told_in_the_language_of_the_message(path):
    """The settings write million VND, which nobody says in Vietnamese."""
    with speaking("vi"):
        (issue,) = issues_of(path, projects=[["id", "name", "Tổng mức đầu tư (tỷ đồng)", "value"], *PROJECTS[1:]])
        assert issue.message == "Đơn vị ghi ở đây là tỷ đồng, nhưng trang thiết lập ghi triệu đồng."


def test_headings_are_told_at_their_cells(path):
    """A slip, a heading that stands twice, a column without one, and a sheet without any."""
    projects = [["id", "Tổng mức đầu tưu", "value", "Giá trị", None], ["A", 5, 1, 1, "x"]]
    issues = issues_of(path, projects=projects, sources=[["Bảng"], ["x"]])
    assert told(issues) == [
        ("unknown-column", "projects", "B1"),
        ("duplicate-heading", "projects", "D1"),
        ("empty-heading", "projects", "E2"),
        ("no-headings", "sources", ""),
    ]


def test_sheets_that_are_not_read_are_told(path):
    """A slip in a sheet's name is an error; a sheet of notes and a hidden table are warnings."""
    issues = issues_of(path, Envelops=[["source"]], projets=[["id"]])
    assert [(issue.code, issue.where.sheet) for issue in issues.errors][:2] == [
        ("unknown-sheet", "Envelops"),
        ("unknown-sheet", "projets"),
    ]
    book = write_book(
        path,
        **{
            "Họp giao ban": [["x"]],
            "Sở Y tế": [["Danh mục"], ["Tổng mức đầu tư (tỷ đồng)", "Mã dự án"], [5, "Y1"]],
            "price index": [["year", "index"], [2026, 1]],
        },
        look=lambda _, s: s["price index"].hide(),
    )
    findings = [(issue.code, issue.where.sheet) for issue in capalloc.load(book).findings]
    assert ("unread-sheet", "Họp giao ban") in findings
    assert ("unread-projects", "Sở Y tế") in findings
    assert ("hidden-sheet", "price index") in findings


def test_what_is_no_file_is_told_and_never_waited_for(tmp_path):
    """A pipe, a link that leads to itself and one that leads nowhere, under the name of a workbook or of none."""
    for suffix in (".xlsx", ""):
        pipe, loop, gone = (tmp_path / f"{name}{suffix}" for name in ("pipe", "loop", "gone"))
        os.mkfifo(pipe)
        loop.symlink_to(loop)
        gone.symlink_to(tmp_path / "nowhere")
        for path in (pipe, loop, gone):
            (issue,) = issues_of(path)
            assert issue.code == "no-file-behind"


def harmed(path, name, before, after):
    """Write a workbook of which one part has other bytes in it; the part is left out where ``after`` is ``None``."""
    write_book(path)
    with zipfile.ZipFile(path) as parts:
        kept = {part: parts.read(part) for part in parts.namelist()}
    assert before in kept[name]
    with zipfile.ZipFile(path, "w") as parts:
        for part, content in kept.items():
            if part != name:
                parts.writestr(part, content)
            elif after is not None:
                parts.writestr(part, content.replace(before, after, 1))
    return path


@pytest.mark.parametrize(
    ("name", "before", "after", "sheet"),
    [
        ("xl/sharedStrings.xml", b"", None, "settings"),
        ("xl/worksheets/sheet2.xml", b'r="C2"><v>500', b'r="C2" t="n"><v>abc', "projects"),
        ("xl/worksheets/sheet2.xml", b'encoding="UTF-8"', b'encoding="UTF-16"', ""),
        ("xl/worksheets/sheet2.xml", b'r="C2"><v>500', b'r="B2"><v>1</v></c><c r="C2"><v>500', ""),
        ("xl/worksheets/sheet2.xml", b'r="C2"><v>500', b'r="C3"><v>500', ""),
        ("xl/worksheets/sheet2.xml", b'<row r="3"', b'<row r="2"', ""),
        ("xl/worksheets/sheet2.xml", b'<row r="2"', b'<row r="two"', ""),
        ("xl/worksheets/sheet1.xml", b"<sheetData>", b"<sheetData><row r='0'></row>", ""),
    ],
)
def test_a_damaged_sheet_is_told(path, name, before, after, sheet):
    """Texts that are missing, numbers that are none, and cells that come twice or in the wrong row."""
    (issue,) = issues_of(harmed(path, name, before, after))
    assert (issue.code, issue.where.sheet) == ("workbook-damaged", sheet)


def test_two_parts_with_one_name_are_damage(path):
    """Which of them counts would depend on who reads."""
    write_book(path)
    with zipfile.ZipFile(path, "a") as parts, pytest.warns(UserWarning, match="Duplicate name"):
        parts.writestr("xl/worksheets/sheet2.xml", "<worksheet/>")
    assert told(issues_of(path)) == [("workbook-damaged", "", "")]


def test_what_is_hidden_is_told(path):
    """Rows and columns that nobody sees are read, whether they were filtered away, drawn together or hidden."""
    rows = [PROJECTS[0], *([f"P{number}", "Đường", 5, 1] for number in range(1, 9))]

    def hide(book, sheets):
        for row in (2, 4, 5, 6):
            sheets["projects"].set_row(row, None, None, {"hidden": True})
        sheets["projects"].set_row(8, 0)
        sheets["projects"].set_column("B:C", None, None, {"hidden": True})
        sheets["projects"].set_column("F:G", None, None, {"hidden": True})
        sheets["projects"].set_row(40, None, None, {"hidden": True})
        sheets["settings"].set_row(1, None, None, {"hidden": True})

    book = write_book(path, projects=rows, look=hide)
    found = [(i.code, i.where.sheet, i.where.cell, i.message) for i in capalloc.load(book).findings.warnings]
    assert [found[0][:3], found[1][:3], found[2][:3]] == [
        ("hidden-rows", "settings", "A2"),
        ("hidden-rows", "projects", "A3"),
        ("hidden-columns", "projects", "B1"),
    ]
    assert found[1][3].startswith("Rows of the table that are hidden or filtered away (5 in all)")
    assert found[1][3].endswith(": 3, 5-7, 9.")
    assert found[2][3].startswith("Columns of the table that are hidden (2 in all)")
    assert found[2][3].endswith(": B-C.")
    assert len(capalloc.load(book).tables.projects) == 8


@pytest.mark.parametrize(
    ("shape", "money", "told"),
    [
        ("#,##0,", "million VND", ("warning", "scaled-cells", "by 1,000 (2 in all)")),
        ('#,##0.0,,;-#,##0.0,,;"–"', "VND", ("warning", "scaled-cells", "by 1,000,000 (2 in all)")),
        (";;;", "million VND", ("warning", "unseen-cells", "shows nothing of their number (2 in all)")),
        ('"chưa có"', "million VND", ("warning", "unseen-cells", "(2 in all)")),
        ('#,##0" tỷ"', "million VND", ("error", "unit-differs", "here is billion VND")),
        ('_-* #,##0\\ "₫"_-', "million VND", ("error", "unit-differs", "here is VND")),
        ("[$₫-42A]#,##0", "million VND", ("error", "unit-differs", "here is VND")),
        ('#,##0,," triệu đồng"', "million VND", ("error", "unit-differs", "here is VND")),
        ("$#,##0", "million VND", ("error", "unit-differs", "here is $,")),
        ("[$$-409]#,##0.00", "million VND", ("error", "unit-differs", "here is $,")),
        ('#,##0" nghìn đồng"', "million VND", ("error", "unit-differs", "here is nghìn đồng,")),
        ('#,##0,," triệu đồng"', "VND", None),
        ('#,##0" triệu"', "million VND", None),
        ('#,##0;-#,##0;"–"', "million VND", None),
        ("0.000,00", "million VND", None),
        ('#,##0" km"', "million VND", None),
        ("[>=1000]#,##0;General", "million VND", None),
    ],
)
def test_a_format_that_shows_another_number_is_told(path, shape, money, told):
    """A number divided, hidden or given another unit by its format is another one to whoever looks at it."""
    costs = [{"number": number * 10**6, "format": shape} for number in (500, 700)]
    book = write_book(
        path,
        settings=[*SETTINGS, ["money", money]],
        projects=[PROJECTS[0], *([id_, id_, cost, 3] for id_, cost in zip("AB", costs, strict=True))],
    )
    issues = read_workbook(book)[1]
    assert [(i.severity, i.code, i.where.cell) for i in issues] == ([(*told[:2], "C2")] if told else [])
    if told:
        assert told[2] in issues[0].message


def test_zeros_and_units_of_other_columns_are_no_matter(path):
    """An id with leading zeros, a text, and a length in km are what they are."""
    book = write_book(
        path,
        projects=[
            [*PROJECTS[0], "km", "duration"],
            [{"number": 7, "format": "000"}, "A", 500, 3, {"number": 12, "format": '0" tỷ"'}, 2],
        ],
    )
    tables, issues = read_workbook(book)
    assert (issues, tables.projects[0].id) == ((), "007")


def test_a_table_in_two_sheets_and_a_setting_in_two_rows_are_told(path):
    """Nobody could say which of them counts."""
    settings = [*SETTINGS, ["Năm đầu", 2027], ["Mục tiu", 1]]
    issues = issues_of(path, settings=settings, **{"Dự án": PROJECTS})
    assert {("sheet-twice", "Dự án", ""), ("setting-twice", "settings", "B4")} <= set(told(issues))
    assert ("unknown-setting", "settings", "A5") in told(issues)


def test_settings_are_told_at_their_cells(path):
    """A year that is none, a phase that is reversed, and a sheet that is missing."""
    settings = [["first_year", "năm"], ["last_year", 2030], ["title", ""], ["Mục tiêu", "nhiều"]]
    found = told(issues_of(path, settings=settings))
    assert {("setting-not-whole", "settings", "B1"), ("setting-choice", "settings", "B4")} <= set(found)
    phases = [["first_year", 2026], ["last_year", 2030], ["phases", "a", 2028, 2026]]
    assert ("phase-reversed", "settings", "B3") in told(issues_of(path, settings=phases))
    assert "no-settings-sheet" in [code for code, *_ in told(issues_of(path, settings=None))]
    assert "no-projects-sheet" in [code for code, *_ in told(issues_of(path, settings=SETTINGS, projects=None))]


@pytest.mark.parametrize(
    ("content", "code", "english", "vietnamese"),
    [
        (b"id,name\nA,x\n", "not-a-workbook", "named like a workbook but is none", "không phải là tệp Excel"),
        (b"", "empty-file", "The file is empty", "Tệp trống"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
            "workbook-old",
            "another format than .xlsx",
            "định dạng khác",
        ),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le"),
            "workbook-protected",
            "protected by a password",
            "bảo vệ bằng mật khẩu",
        ),
        (b"PK\x03\x04" + bytes(100), "workbook-damaged", "damaged", "bị hỏng"),
    ],
)
def test_files_that_only_bear_the_name_are_told_apart(path, content, code, english, vietnamese):
    """A renamed CSV or .xls, a password, half a file: one clear sentence, in either language."""
    path.write_bytes(content)
    (issue,) = issues_of(path)
    assert issue.code == code
    assert english in str(issue)
    with speaking("vi"):
        assert vietnamese in str(issue)


def rewritten(path, changes):
    """Write the workbook again with some of its parts changed or added; ``None`` takes one away."""
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()} | changes
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in parts.items():
            if content is not None:
                new.writestr(name, content)
    return path


SHEET = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'
)


def test_a_zip_bomb_is_not_opened(path, monkeypatch):
    """The sizes are looked at first; a part that is longer than it says is found before it is laid out."""
    monkeypatch.setattr("capalloc.excel.opening.MOST_BYTES", 1_000_000)
    rewritten(write_book(path), {"xl/media/image1.png": bytes(2_000_000)})
    (issue,) = issues_of(path)
    assert issue.code == "workbook-too-large"
    data = bytearray(rewritten(write_book(path), {"xl/media/image1.png": bytes(2_000_000)}).read_bytes())
    size = (2_000_000).to_bytes(4, "little")
    while size in data:
        data[data.index(size) : data.index(size) + 4] = (10).to_bytes(4, "little")
    path.write_bytes(data)
    assert [issue.code for issue in issues_of(path)] == ["workbook-damaged"]


def test_a_million_empty_rows_with_formats_are_passed_over(path):
    """Somebody coloured the whole sheet: what is filled is still two rows."""
    rows = "".join(f'<row r="{row}" s="1" customFormat="1"/>' for row in range(3, 1_048_577))
    cells = (
        '<row r="1"><c r="A1" t="inlineStr"><is><t>id</t></is></c>'
        '<c r="B1" t="inlineStr"><is><t>value</t></is></c></row>'
        '<row r="2"><c r="A2" t="inlineStr"><is><t>A</t></is></c><c r="B2"><v>5</v></c></row>'
    )
    book = rewritten(write_book(path), {"xl/worksheets/sheet2.xml": SHEET.format(cells + rows).encode()})
    assert [project.id for project in capalloc.load(book).tables.projects] == ["A"]


def test_a_lone_cell_in_the_last_corner_does_not_fill_the_memory(path):
    """The rectangle of all cells would have seventeen thousand million of them."""
    corner = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    rewritten(write_book(path), {"xl/worksheets/sheet2.xml": SHEET.format(corner).encode()})
    (issue,) = issues_of(path)
    assert (issue.code, issue.where.sheet, issue.arguments["columns"]) == ("sheet-too-large", "projects", 16_384)


@pytest.mark.parametrize(
    "broken",
    [
        {"xl/worksheets/sheet2.xml": b"<worksheet><sheetData><row>"},
        {"xl/worksheets/sheet2.xml": b'<!DOCTYPE x [<!ENTITY a "aaaa">]><worksheet>&a;</worksheet>'},
        {"xl/worksheets/sheet2.xml": None},
        {"xl/sharedStrings.xml": b"<sst"},
        {"xl/styles.xml": b"<styles"},
    ],
)
def test_broken_parts_are_told_without_a_traceback(path, broken):
    """Half a part, entities, or none of it."""
    rewritten(write_book(path), broken)
    assert [issue.code for issue in issues_of(path)] == ["workbook-damaged"]


def test_other_formats_under_the_name_are_told(path):
    """OpenDocument and the binary format are zip files too."""
    for name in ("mimetype", "xl/workbook.bin"):
        with zipfile.ZipFile(path, "w") as book:
            book.writestr(name, "application/vnd.oasis.opendocument.spreadsheet")
        assert [issue.code for issue in issues_of(path)] == ["workbook-old"]
    with zipfile.ZipFile(path, "w") as book:
        book.writestr("word/document.xml", "<x/>")
    assert [issue.code for issue in issues_of(path)] == ["not-a-workbook"]


def test_links_to_other_files_are_told(path):
    """Their values are those of the last time the workbook was saved."""
    book = rewritten(write_book(path), {"xl/externalLinks/externalLink1.xml": b"<externalLink/>"})
    assert [issue.code for issue in capalloc.load(book).findings if issue.code == "external-link"] == ["external-link"]


def test_a_workbook_that_is_not_there_is_answered_with_the_nearest(tmp_path):
    """As for folders."""
    write_book(tmp_path / "plan.xlsx")
    (issue,) = issues_of(tmp_path / "plam.xlsx")
    assert (issue.code, issue.arguments["near"]) == ("no-such-path", "plan.xlsx")


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("example", [False, True])
def test_templates_are_read_back(tmp_path, lang, example):
    """The example has a plan; the empty one asks for projects and nothing else."""
    path = tmp_path / "new.xlsx"
    with speaking(lang):
        write_template(path, example=example)
        if example:
            assert capalloc.load(path).optimize().projects["funded"].sum() >= 4
        else:
            assert [issue.code for issue in issues_of(path, lang)] == ["no-rows"]


def test_a_template_folder_is_read_back(tmp_path):
    """It says the same as the example workbook."""
    write_folder(tmp_path / "new", example=True)
    write_template(tmp_path / "new.xlsx", example=True)
    assert capalloc.load(tmp_path / "new") == capalloc.load(tmp_path / "new.xlsx")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_whatever_a_portfolio_holds_comes_back_from_its_sheets(tmp_path, lang):
    """Names that begin like formulas, leading zeros, units and exact numbers, in either language."""
    projects = {
        "id": ["=A1", "-B", "@C"],
        "name": ["=cmd|' /C calc'!A0", "+Trường B", "'Cầu C"],
        "sector": ["road", "school", "road"],
        "priority": [1, 2, 2],
        "latest_start": [2026, 2026, 2026],
        "duration": [2, 1, 1],
        "cost": ["1,001", "0,5", "800"],
        "value": ["0,1234567890123456789", "6", "7"],
        "mã": ["001", "02", "x"],
    }
    uses = {"project": ["=A1", "-B"], "resource": ["land", "land"], "amount": [3.5, 2]}
    given = sample(
        {"money": "billion VND", "numbers": "vi", "discount_rate": 0.05},
        projects=projects,
        uses=uses,
        dependencies=None,
    )
    path = tmp_path / "plan.xlsx"
    with speaking(lang), writing_book(path) as book:
        Inputs(book, Styles(book), given.tables).write()
    assert capalloc.load(path) == given


@pytest.mark.parametrize("table", SCHEMAS)
def test_no_two_columns_of_a_table_have_a_name_in_common(table):
    """In neither language: a heading means one column."""
    for lang in LANGUAGES:
        names = [
            folded(part)
            for column in SCHEMAS[table].columns
            for part in texts(lang)[
                f"excel.own.{table}.{column}"
                if f"excel.own.{table}.{column}" in texts(lang)
                else f"excel.heading.{column}"
            ].split("|")
        ]
        assert len(names) == len(set(names)), names
    assert set(column_codes(table).values()) == set(SCHEMAS[table].columns)


def test_no_two_sheets_have_a_name_in_common():
    """Neither among the tables nor with the sheets that a plan writes beside them."""
    for lang in LANGUAGES:
        names = [
            folded(part)
            for key, text in texts(lang).items()
            if key.startswith("excel.sheet.")
            for part in text.split("|")
        ]
        assert len(names) == len(set(names))
        assert all(
            len(text.partition("|")[0]) <= 31 for key, text in texts(lang).items() if key.startswith("excel.sheet.")
        )
    assert len(set(sheet_codes().values())) == len(SCHEMAS) + 1


def test_places_outlive_packing(path):
    """Tables that went to another process still know their cells."""
    tables = capalloc.load(write_book(path)).tables
    again = unpack(pack(tables))
    assert str(again.place("projects", again.projects[1], "cost")) == "plan.xlsx, projects!C3, column cost"


def test_faulty_cells_are_marked_in_a_copy(path, tmp_path):
    """Coloured, with a comment, and listed on a first sheet; the workbook itself stays as it is."""
    from openpyxl import load_workbook

    issues = issues_of(path, projects=[["id", "cost", "value"], ["A", "=many", 1], ["A", 5, 1]])
    before = path.read_bytes()
    assert write_marked(path, tmp_path / "marked.xlsx", issues) == 2
    assert path.read_bytes() == before
    marked = load_workbook(tmp_path / "marked.xlsx")
    assert marked["projects"]["B2"].fill.start_color.rgb == "FFFFC7CE"
    assert "is not a number" in marked["projects"]["B2"].comment.text
    assert "row 2" in marked["projects"]["A3"].comment.text
    assert marked.sheetnames[0] == "Issues"
    assert marked["Issues"]["B2"].hyperlink.location or marked["Issues"]["B2"].hyperlink.target


def test_the_words_a_cell_may_hold_are_told_as_a_workbook_has_them(path):
    """Whoever fills in Vietnamese words is offered Vietnamese words, the nearest first."""
    projects = [["id", "name", "cost", "value", "duration", "status"], ["A", "Đường", 1, 1, 1, "Đã có chủ trương"]]
    (issue,) = issues_of(path, "vi", projects=projects)
    with speaking("vi"):
        assert "Gần nhất: đã có chủ trương đầu tư." in issue.remedy
        assert "đề xuất; đã có chủ trương đầu tư; đã có quyết định đầu tư" in issue.remedy

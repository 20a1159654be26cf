"""A first look at the parts of a workbook: written by hand, as programs other than the usual ones write them."""

import io
import zipfile

import pytest

import capalloc
from books import SETTINGS, write_book
from capalloc.catalogue import speaking
from capalloc.excel.naming import setting_label
from capalloc.excel.scanning import BadXml, scan_sheet


def scan(rows, zeros=None):
    """Return what is found in a sheet of these rows."""
    return scan_sheet(io.BytesIO(f"<worksheet>{rows}</worksheet>".encode()), zeros or {})


def rows(*cells):
    """Return cells as one row."""
    return f'<sheetData><row r="1">{"".join(cells)}</row></sheetData>'


def test_a_formula_whose_text_is_empty_was_computed():
    """`=""` has an empty text for its value; a formula with no value at all was never computed."""
    computed, never = '<c r="A1" t="str"><f>""</f><v></v></c>', '<c r="B1"><f>1+1</f></c>'
    assert scan(rows(computed, never)).uncomputed == {(1, 2): "="}


def test_what_is_drawn_together_to_nothing_is_hidden():
    """A row of no height and columns of no width, without a word that they are hidden."""
    found = scan('<cols><col min="2" max="3" width="0"/></cols><sheetData><row r="4" ht="0"/></sheetData>')
    assert (found.hidden_rows, found.hidden_columns) == ({4}, [(2, 3)])


def test_rows_and_cells_without_addresses_follow_one_another():
    """The error stands in the second cell of the second row."""
    found = scan('<sheetData><row/><row><c/><c t="e"><v>#REF!</v></c></row></sheetData>')
    assert (found.errors, found.last_row, found.last_column) == ({(2, 2): "#REF!"}, 2, 2)


@pytest.mark.parametrize(
    "twice",
    [
        '<sheetData><row r="1"/><row r="1"/></sheetData>',
        '<sheetData><row r="2"/><row r="1"/></sheetData>',
        rows('<c r="A1"/>', '<c r="A1"/>'),
        rows('<c r="B1"/>', '<c r="A1"/>'),
        rows('<c r="A2"/>'),
    ],
)
def test_rows_and_cells_that_come_twice_or_backwards_are_refused(twice):
    """Every program may read them its own way."""
    with pytest.raises(BadXml):
        scan(twice)


def test_a_number_that_a_format_fills_up_with_zeros_keeps_its_worth(tmp_path):
    """As an id 7 is 007; as a cost and a year 0500 and 02026 are numbers like any other."""
    projects = [
        ["id", "earliest_start", "cost", "value"],
        [{"number": 7, "format": "000"}, {"number": 2026, "format": "00000"}, {"number": 500, "format": "0000"}, 3],
    ]
    (project,) = capalloc.load(write_book(tmp_path / "plan.xlsx", projects=projects)).tables.projects
    assert (project.id, project.earliest_start, project.cost) == ("007", 2026, 500)


def test_a_part_may_be_named_from_the_root_of_the_workbook(tmp_path):
    """Some programs write /xl/worksheets/sheet1.xml where others write worksheets/sheet1.xml."""
    path, changed = tmp_path / "plan.xlsx", tmp_path / "rooted.xlsx"
    write_book(path)
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            part = old.read(name)
            if name == "xl/_rels/workbook.xml.rels":
                part = part.replace(b'Target="worksheets/', b'Target="/xl/worksheets/')
            new.writestr(name, part)
    assert [project.id for project in capalloc.load(changed).tables.projects] == ["A", "B"]


@pytest.mark.parametrize("sheet", ["price_index", "settings"])
@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
def test_a_sheet_that_no_menu_shows_is_told_like_any_hidden_one(state, sheet, tmp_path):
    """A workbook's author may hide a sheet so far that its reader cannot find it."""
    path, changed = tmp_path / "plan.xlsx", tmp_path / "hidden.xlsx"
    write_book(path, price_index=[["year", "index"], [2026, 1]])
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            part = old.read(name)
            if name == "xl/workbook.xml":
                part = part.replace(f'name="{sheet}"'.encode(), f'name="{sheet}" state="{state}"'.encode())
            new.writestr(name, part)
    found = capalloc.load(changed).findings
    assert [issue.where.sheet for issue in found.of("hidden-sheet")] == [sheet]


def test_a_setting_whose_format_divides_it_is_told(tmp_path):
    """As with the cells of any table, what is seen is not what is read."""
    book = write_book(
        tmp_path / "plan.xlsx",
        settings=[*SETTINGS, ["discount_rate", {"number": 0.05, "format": "0.00,"}]],
    )
    (issue,) = capalloc.load(book).findings.of("scaled-cells")
    assert (issue.where.sheet, issue.where.cell) == ("settings", f"B{len(SETTINGS) + 1}")


def test_settings_are_called_what_they_are_called_in_the_language_in_force():
    """A setting of the law, and whatever no catalogue names, keeps its path."""
    with speaking("vi"):
        assert setting_label("first_year") == "Năm đầu"
        assert setting_label("objective.class_weights.2").endswith(" 2")
        assert setting_label("law.tail-cap.share") == "law.tail-cap.share"

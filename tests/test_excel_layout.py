"""Sheets as departments lay them out: what is not read where it stands is told, never passed over."""

import pytest

import capalloc
from books import PROJECTS, SETTINGS, write_book
from capalloc import InvalidInput
from sample import COLUMNS, sample


def issues_of(path, **sheets):
    """Return the issues with which a workbook is refused, each as its code and cell."""
    with pytest.raises(InvalidInput) as refusal:
        capalloc.load(write_book(path / "plan.xlsx", **sheets))
    return [(issue.code, issue.where.cell) for issue in refusal.value.issues]


@pytest.mark.parametrize(
    ("line", "cell"),
    [
        (["discount_rate", None, 0.05], "C4"),
        (["Đơn vị tiền", None, "tỷ đồng"], "C4"),
        (["Tỷ lệ chiết khấu", None, None, "5%"], "D4"),
        (["discount_rate", 0.05, 0.1], "C4"),
        (["phases", None, 2026, 2030], "C4"),
    ],
    ids=str,
)
def test_a_value_beside_the_cell_of_its_setting_is_told(line, cell, tmp_path):
    """A setting whose name is merged over its cell, that has two values, or a phase without a name, is not left out."""
    assert ("setting-beside", cell) in issues_of(tmp_path, settings=[*SETTINGS, line])


def test_a_line_of_settings_that_begins_with_a_number_is_told(tmp_path):
    """Where lines are numbered, the number stands where the name of the setting must."""
    assert issues_of(tmp_path, settings=[*SETTINGS, [4, "discount_rate", 0.05]]) == [("unknown-setting", "A4")]


def test_remarks_beside_settings_are_passed_over(tmp_path):
    """A text beside a value is a remark, and so is one far from a cell that is left empty."""
    lines = [["discount_rate", 0.05, "theo hướng dẫn"], ["decide_from", None, None, None, "năm bắt đầu quyết định"]]
    portfolio = capalloc.load(write_book(tmp_path / "plan.xlsx", settings=[*SETTINGS, *lines]))
    assert float(portfolio.tables.settings.discount_rate) == 0.05
    assert portfolio.tables.settings.decide_from is None


def test_a_block_above_the_headings_that_are_read_is_told(tmp_path):
    """Two lists one below the other, the lower with more headings: the projects of the upper one are not lost."""
    upper = [["id", "name", "cost"], ["A", "Đường A", 500], []]
    found = issues_of(
        tmp_path, projects=[["Danh mục"], *upper, ["id", "name", "cost", "value"], ["B", "Cầu B", 700, 4]]
    )
    assert found == [("headings-above", "A2")]


@pytest.mark.parametrize("over", [["Kinh phí (tỷ đồng)"], ["Kinh phí (tỷ đồng)", None], [None, "Đơn vị: tỷ đồng"]])
def test_the_unit_of_a_group_of_headings_is_the_one_of_its_columns(over, tmp_path):
    """A thousand times too little would be read where the unit stands over a column and others beside it."""
    projects = [["id", "name", *over], [None, None, "size", "cost"], ["A", "Đường A", 500, 500]]
    costed = [place for place, title in enumerate(over) if title] == [0]
    cells = [cell for code, cell in issues_of(tmp_path, projects=projects) if code == "unit-differs"]
    assert cells == (["C2", "D2"] if costed else ["D2"])


def test_a_unit_over_other_columns_is_no_matter(tmp_path):
    """What a column of the user's own is counted in says nothing about the money of the next one."""
    projects = [["id", "Dư nợ (tỷ đồng)", None, "Vốn", "value"], [None, "gốc", "lãi", "cost"], ["A", 1, 2, 500, 3]]
    (project,) = capalloc.load(write_book(tmp_path / "plan.xlsx", projects=projects)).tables.projects
    assert project.cost == 500


def test_a_row_that_adds_up_its_section_is_told(tmp_path):
    """I costs what the two projects below it cost; II has one project that costs something else."""
    lines = [["I", "Giao thông", 1200, 7], *PROJECTS[1:], ["II", "Y tế", 90, 1], ["C", "Trạm C", 80, 1]]
    lines = [[f"DA-{line[0]}" if line[0] in "ABC" else line[0], *line[1:]] for line in lines]
    portfolio = capalloc.load(write_book(tmp_path / "plan.xlsx", projects=[PROJECTS[0], *lines]))
    told = [(issue.code, issue.where.cell) for issue in portfolio.check() if issue.code == "row-of-subtotals"]
    assert told == [("row-of-subtotals", "A2")]


def test_a_csv_heading_that_only_workbooks_have_is_told():
    """In a folder or a frame it is a column of the user's own, and nothing is mandatory; in a workbook it is read."""
    told = sample(projects=COLUMNS["projects"] | {"Bắt buộc": ["có", "", ""]}).check()
    assert [(issue.code, issue.where.column) for issue in told if issue.code == "own-heading"] == [
        ("own-heading", "Bắt buộc")
    ]
    both = COLUMNS["projects"] | {"Bắt buộc": ["có", "", ""], "mandatory": [True, False, False]}
    assert "own-heading" not in {issue.code for issue in sample(projects=both).check()}

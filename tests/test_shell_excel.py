"""Workbooks from the shell: a template, a plan written beside the tables, faults marked in a copy."""

from openpyxl import load_workbook

import capalloc
from books import write_book
from test_shell import run


def test_a_template_becomes_a_plan_in_a_workbook(tmp_path):
    """Begin with the example, optimise, and read the workbook of the plan back."""
    made = run("new", tmp_path / "new.xlsx", "--example", "--lang", "vi")
    assert (made.returncode, made.stdout) == (0, "")
    assert "capalloc check" in made.stderr
    done = run("optimize", tmp_path / "new.xlsx", "--out", tmp_path / "out", "--excel", "--quiet", "--lang", "vi")
    assert done.returncode == 0
    assert capalloc.load(tmp_path / "out" / "plan.xlsx") == capalloc.load(tmp_path / "new.xlsx")


def test_nothing_is_written_over(tmp_path):
    """Neither a template over what is there, nor a workbook into no folder."""
    (tmp_path / "new.xlsx").write_text("mine", encoding="utf-8")
    refused = run("new", tmp_path / "new.xlsx", "--lang", "vi")
    assert refused.returncode == 2
    assert "hãy chọn tên khác" in refused.stderr
    assert (tmp_path / "new.xlsx").read_text(encoding="utf-8") == "mine"
    assert run("optimize", tmp_path, "--excel").returncode == 2


def test_faults_are_marked_in_a_copy(tmp_path):
    """The exit code is that of wrong input, and the copy shows where."""
    book = write_book(tmp_path / "plan.xlsx", projects=[["id", "cost", "value"], ["A", "many", 1]])
    done = run("check", book, "--mark", tmp_path / "marked.xlsx")
    assert done.returncode == 2
    assert "plan.xlsx, projects!B2, column cost: 'many' is not a number." in done.stderr
    assert "marked.xlsx" in done.stderr
    assert "not a number" in load_workbook(tmp_path / "marked.xlsx")["projects"]["B2"].comment.text
    itself = run("check", book, "--mark", book)
    assert (itself.returncode, "Traceback" in itself.stderr) == (2, False)

"""Issues: their texts in both languages, their places, and the table a notebook shows."""

import tomllib
from pathlib import Path

import pytest

import capalloc
from capalloc.catalogue import has_text, speaking
from capalloc.issues import InvalidInput, Issue, Issues, Place, Severity, UnknownName, error, info, nearest, warning

CATALOGUE = Path(capalloc.__file__).parent / "catalogue"
CODES = sorted(tomllib.loads((CATALOGUE / "en" / "issues.toml").read_text(encoding="utf-8"))["issue"])

MISSING = error("missing-cost", Place("projects.csv", row=3, column="cost"), project="B")
ROUNDED = info("rounded", Place("projects.csv", row=2, column="cost"), before=1, after=1)
UNUSED = warning("unused-row", Place("profiles.csv", row=2, column="profile"), name="front")


@pytest.mark.parametrize("code", CODES)
def test_every_issue_says_what_was_found_and_what_to_do(code):
    """An issue without a remedy leaves the user alone with it."""
    assert has_text(f"issue.{code}.message")
    assert has_text(f"issue.{code}.remedy")


def test_an_issue_is_said_in_the_language_in_force():
    """The same issue object speaks both languages, for its texts are made when it is shown."""
    assert str(MISSING) == (
        "ERROR [missing-cost] projects.csv, row 3, column cost: The project 'B' has no cost. "
        "Fill in cost, or give its yearly costs in the table costs; write 0 where it costs nothing."
    )
    with speaking("vi"):
        assert str(MISSING).startswith("LỖI [missing-cost] projects.csv, dòng 3, cột cost: Dự án 'B' chưa có tổng mức")


def test_a_place_shows_only_what_is_known():
    """A table has no row, a setting no sheet, and row 0 of a frame is a row."""
    assert str(Place("projects.csv")) == "projects.csv"
    assert str(Place("book.xlsx", "projects", 4, "cost")) == "book.xlsx, sheet projects, row 4, column cost"
    assert str(Place("projects", row=0)) == "projects, row 0"
    assert str(Place()) == ""


def test_issues_are_sorted_out_by_how_much_they_matter():
    """Errors stop the work; the others only tell."""
    issues = Issues([ROUNDED, MISSING, UNUSED])
    assert issues.errors == (MISSING,)
    assert issues.warnings == (UNUSED,)
    assert issues.of("rounded") == (ROUNDED,)
    assert ROUNDED.severity is Severity.INFO


def test_issues_become_a_table():
    """A notebook shows one row an issue, with its place in columns of its own."""
    frame = Issues([MISSING, ROUNDED]).to_frame()
    assert frame.columns.tolist() == ["severity", "code", "file", "sheet", "row", "column", "cell", "message", "remedy"]
    assert frame["code"].tolist() == ["missing-cost", "rounded"]
    assert frame["row"].tolist() == [3, 2]


def test_what_a_user_wrote_cannot_break_the_table_of_a_notebook():
    """Names come from files and may hold anything."""
    html = Issues([error("unused-row", name="<script>")])._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_no_issues_say_so():
    """An empty list would look like a list that was not made."""
    assert str(Issues()) == "Nothing to report."


def test_invalid_input_carries_everything_at_once():
    """Whoever catches the error can show all faults, and its text already does."""
    fault = InvalidInput([MISSING, Issue(Severity.ERROR, "no-rows", arguments={"table": "projects"})])
    assert [issue.code for issue in fault.issues] == ["missing-cost", "no-rows"]
    assert str(fault).count("\n") == 1


@pytest.mark.parametrize(
    ("name", "known", "near"),
    [
        ("enveloppes", ["envelopes", "sources"], "envelopes"),
        ("STATE", ["state", "local"], "state"),
        ("Lai Chau", ["Lai Châu", "Sơn La"], "Lai Châu"),
        ("xyz", ["state"], ""),
        ("state", [], ""),
    ],
)
def test_the_nearest_name_is_found_or_none(name, known, near):
    """A suggestion helps only when it is near."""
    assert nearest(name, known) == near


def test_an_unknown_name_is_answered_with_the_nearest_or_with_all():
    """An argument that names nothing is told what there is."""
    assert str(UnknownName("engine", "higs", ["highs", "enumeration"])) == (
        "There is no engine 'higs'. Did you mean 'highs'?"
    )
    assert "Known: enumeration, highs." in str(UnknownName("engine", "gurobi-like", ["highs", "enumeration"]))


def test_a_number_of_any_length_can_be_said():
    """A message about an amount that is too large must not fail over that amount."""
    assert "100,000,000,000,000,000,000,000,000,000 million" in error("money-too-large", found=10**29, most=1).message

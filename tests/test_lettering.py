"""Texts that were spoilt before they came here, and statements that leave a project out: warned of, never guessed."""

from dataclasses import replace

import pytest

from building import project, tables
from capalloc.checking import check
from capalloc.issues import Severity
from capalloc.records import Dependency


def warned(tabled, code):
    """Return the warnings of a kind, as the cell they are at and what they say."""
    return [(issue.where.column, issue.message) for issue in check(tabled).warnings if issue.code == code]


def named(*names):
    """Return the tables of projects that are called so."""
    return tables(*(replace(project(f"P{number}", 5), name=name) for number, name in enumerate(names)))


@pytest.mark.parametrize(
    "name",
    [
        "Ñöôøng tænh 101",
        "Beänh vieän ña khoa huyeän",
        "BÖnh viÖn ®a khoa",
        "Tr¬ng tiÓu häc x· B×nh L",
        "ÄÆ°á»ng tá»‰nh 101",
    ],
)
def test_vietnamese_of_old_fonts_is_told(name):
    """As VNI and TCVN3 fonts write it, and as UTF-8 looks when it is read as something else."""
    ((column, message),) = warned(named(name, "Cầu B", name), "foreign-lettering")
    assert column == "name"
    assert message.startswith(
        f"Cells of this column (2 in all, the first {name!r}) look like Vietnamese in an old encoding"
    )


@pytest.mark.parametrize(
    "name",
    ["Đường tỉnh 101", "Trụ sở Đảng uỷ", "Müller & Søn", "Château d'Eau", "Đèo Ä ø®a", "São Paulo", "300 m² ± 5 °C"],
)
def test_other_letters_are_left_alone(name):
    """Vietnamese as it is, and the letters of other languages."""
    assert warned(named(name), "foreign-lettering") == []


def test_letters_that_were_lost_are_told():
    """No program can bring them back."""
    ((column, message),) = warned(named("\ufffd\ufffdng 101", "Cầu B"), "lost-letters")
    assert column == "name"
    assert message.startswith("Cells of this column (1 in all, the first '\ufffd\ufffdng 101') hold \ufffd")


def opposed(*rows, **more):
    """Return what is said of the dependencies between five projects, given as kind, first and then."""
    five = [project(name, 5) for name in "ABCDE"]
    given = tables(
        *five, dependencies=tuple(Dependency(kind=kind, first=first, then=then) for kind, first, then in rows), **more
    )
    return [message.partition(":")[0] for _, message in warned(given, "opposed")]


def test_projects_that_need_both_sides_of_an_exclusion_are_told():
    """Together with what it excludes, before it, or through others; what merely excludes is not among them."""
    assert opposed(("together", "A", "B"), ("excludes", "B", "A")) == ["Project A, B can never be funded"]
    assert opposed(("requires", "A", "B"), ("excludes", "A", "B")) == ["Project B can never be funded"]
    long = ("finish_start", "A", "B"), ("start_start", "B", "C"), ("requires", "C", "D"), ("together", "D", "E")
    assert opposed(*long, ("excludes", "A", "C")) == ["Project C, D, E can never be funded"]
    assert opposed(*long[:3], ("excludes", "C", "E")) == []
    assert opposed(("requires", "A", "C"), ("requires", "B", "D"), ("excludes", "A", "B")) == []


def test_a_project_that_must_be_funded_is_told_as_an_error_and_the_others_as_before():
    """C, D and E cannot be funded, of which D must be: it alone makes the tables wrong."""
    links = (("requires", "A", "C"), ("requires", "C", "D"), ("requires", "C", "E"), ("excludes", "A", "C"))
    given = tables(
        *(project(name, 5, mandatory=name == "D") for name in "ABCDE"),
        dependencies=tuple(Dependency(kind=kind, first=first, then=then) for kind, first, then in links),
    )
    told = [(issue.severity, issue.arguments["projects"]) for issue in check(given) if issue.code == "opposed"]
    assert sorted(told) == [(Severity.ERROR, "D"), (Severity.WARNING, "C, E")]

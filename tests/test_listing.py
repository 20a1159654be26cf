"""Hand-made lists."""

import pandas as pd
import pytest

from capalloc import InvalidInput, UnknownName
from capalloc.evaluation import Wish
from capalloc.listing import read_list
from sample import COLUMNS, sample

NO_RESOURCES = {"resources": None, "uses": None, "capacities": None}
WISHES = (Wish("A", None, 2026), Wish("B"))


@pytest.mark.parametrize(
    "listed",
    [
        ["B", ("A", None, 2026)],
        ["B", ("A", None, 2026.0)],
        ["B", ("A", 2026)],
        [("B",), ["A", 2026.0]],
        {"B": None, "A": 2026},
        {"B": float("nan"), "A": 2026},
        pd.DataFrame({"project": ["B", "A"], "start": [None, 2026]}),
        pd.DataFrame({"project": ["B", "A", "C"], "start": [pd.NA, 2026, 2026], "funded": [True, True, False]}),
        pd.DataFrame({"project": ["B", "A", "C"], "start": ["", 2026, 2026], "funded": ["yes", "true", "no"]}),
    ],
)
def test_every_form_of_a_list_says_the_same(listed):
    """A list, a dict and a frame are read in the order of the portfolio."""
    assert read_list(sample().tables, listed) == WISHES


def test_a_single_text_is_one_project():
    """Its letters are not taken for projects."""
    assert read_list(sample().tables, "A") == (Wish("A"),)


def test_a_mode_is_taken_as_listed():
    """A project with modes may be listed in one of them."""
    modes = {"project": ["A", "A"], "mode": ["full", "half"], "cost": [1001, 500]}
    assert read_list(sample(modes=modes, **NO_RESOURCES).tables, [("A", "half")]) == (Wish("A", "half", None),)


def test_an_unknown_project_or_mode_is_told_with_the_nearest():
    """A slip of the pen is not dropped."""
    projects = COLUMNS["projects"] | {"id": ["road-1", "B", "C"]}
    renamed = sample(projects=projects, **NO_RESOURCES)
    with pytest.raises(UnknownName, match=r"no project 'road1'\. Did you mean 'road-1'"):
        read_list(renamed.tables, ["road1"])
    with pytest.raises(UnknownName, match="no mode 'half'"):
        read_list(sample().tables, [("A", "half")])
    with pytest.raises(UnknownName, match=r"no mode '2026': there is no mode here at all\.$"):
        read_list(sample().tables, [("A", "2026")])
    with pytest.raises(UnknownName, match=r"no project \"\['A'\]\""):
        read_list(sample().tables, [[["A"]]])
    with pytest.raises(UnknownName, match=r"no column 'years'\. Known: funded, mode, project, scale, start"):
        read_list(sample().tables, pd.DataFrame({"project": ["A"], "years": [2026]}))


@pytest.mark.parametrize(
    ("listed", "message"),
    [
        (["A", "A"], r"\[listed-twice\].*project A"),
        ({"A": "soon"}, r"\[start-not-a-year\].*'soon'"),
        ({"A": True}, r"\[start-not-a-year\].*True"),
        ({"A": 2026.5}, r"\[start-not-a-year\].*2026\.5"),
        ([("A", None, 2026, 1)], r"\[list-entry\]"),
        ([3], r"\[list-entry\].*3 is no entry"),
        (pd.DataFrame({"project": ["A"], "funded": ["perhaps"]}), r"\[not-a-truth\].*funded.*perhaps"),
    ],
)
def test_what_is_no_list_is_told(listed, message):
    """The message names the entry."""
    with pytest.raises(InvalidInput, match=message):
        read_list(sample().tables, listed)

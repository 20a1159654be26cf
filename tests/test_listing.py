"""Hand-made lists."""

from decimal import Decimal
from fractions import Fraction

import pandas as pd
import pytest

from capalloc import InvalidInput, UnknownName
from capalloc.allocation import Allocation, Choice
from capalloc.evaluation import Wish
from capalloc.listing import read_list, wishes_of
from capalloc.loading import read_frames
from sample import COLUMNS, SETTINGS, frames, sample

NO_RESOURCES = {"resources": None, "uses": None, "capacities": None}
WISHES = (Wish("A", None, 2026), Wish("B"))


def with_a_programme():
    """Return the tables of the sample, where A is a programme that may be funded from a quarter on."""
    projects = COLUMNS["projects"] | {"kind": ["programme", "works", "works"], "min_scale": [0.25, None, None]}
    return read_frames(SETTINGS, frames(projects=projects))[0]


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


def test_a_frame_may_say_how_much_of_a_programme_is_funded():
    """A decimal is taken as it is written; an empty cell leaves the scale open, and works are whole in any case."""
    tables = with_a_programme()
    for written in (0.3, "0.3", Fraction(3, 10), Decimal("0.3")):
        listed = pd.DataFrame({"project": ["A", "B"], "scale": [written, 1.0]}, dtype=object)
        assert read_list(tables, listed) == (Wish("A", scale=Fraction(3, 10)), Wish("B"))
    assert read_list(tables, pd.DataFrame({"project": ["A"], "scale": [None]})) == (Wish("A"),)
    assert read_list(tables, pd.DataFrame({"project": ["A"], "scale": [1]})) == (Wish("A", scale=Fraction(1)),)
    assert read_list(tables, pd.DataFrame({"project": ["B"], "scale": [0.5]})) == (Wish("B", scale=Fraction(1, 2)),)


def test_a_plan_wishes_what_it_holds():
    """Also its exact scales."""
    tables = with_a_programme()
    chosen = (Choice("B", "", 2026), Choice("A", "", 2026, Fraction(500, 1001)))
    wishes = (Wish("A", None, 2026, Fraction(500, 1001)), Wish("B", None, 2026))
    assert wishes_of(tables, Allocation(chosen, ())) == wishes
    with pytest.raises(UnknownName, match="no project 'X'"):
        wishes_of(tables, Allocation((Choice("X", "", 2026),), ()))


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
        (pd.DataFrame({"project": ["A"], "scale": [0]}), r"\[scale-not-a-part\].*project A the scale 0,"),
        (pd.DataFrame({"project": ["A"], "scale": [1.5]}), r"\[scale-not-a-part\].*1\.5"),
        (pd.DataFrame({"project": ["A"], "scale": ["half"]}), r"\[scale-not-a-part\].*'half'"),
        (pd.DataFrame({"project": ["A"], "scale": [True]}), r"\[scale-not-a-part\].*True"),
        (pd.DataFrame({"project": ["A"], "funded": ["perhaps"]}), r"\[not-a-truth\].*funded.*perhaps"),
    ],
)
def test_what_is_no_list_is_told(listed, message):
    """The message names the entry."""
    with pytest.raises(InvalidInput, match=message):
        read_list(sample().tables, listed)

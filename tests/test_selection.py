"""Selections: what they say, what they refuse, and that numbers in them are exact."""

from fractions import Fraction

import pytest

from capalloc.records import Project
from capalloc.selection import BadSelection, Holds, attribute_columns, looks_like_selection, parse_selection

ROAD = Project(
    id="A",
    sector="road",
    location="Lai Châu",
    priority=1,
    cost=1_000,
    mandatory=True,
    value=Fraction(1, 10),
    attributes={"people": Fraction(250), "ward": "Tả Lèng"},
)
SCHOOL = Project(id="B", sector="school", priority=None)


@pytest.mark.parametrize(
    ("text", "selects_road", "selects_school"),
    [
        ("", True, True),
        ("True", True, True),
        ('sector == "road"', True, False),
        ('"road" == sector', True, False),
        ('sector != "road"', False, True),
        ('sector in ["road", "rail"]', True, False),
        ('sector not in ("road", "rail")', False, True),
        ("priority in [1, 2]", True, False),
        ("mandatory", True, False),
        ("not mandatory", False, True),
        ("mandatory == False", False, True),
        ('sector == "road" and priority <= 2', True, False),
        ('priority > 2 or (sector == "school" and not mandatory)', False, True),
        ("1 <= priority <= 3", True, False),
        ("people > 249.5 and people < 1000", True, False),
        ('ward == "Tả Lèng"', True, False),
        ('location == "Lai Cha\u0302u"', True, False),  # decomposed, as some keyboards type it
        ("value == 0.1", True, False),
        ("value == 0.1000000000000000055", False, False),  # what a float would make of 0.1
        ("cost >= -1", True, False),
        ('id == "A"', True, False),
        ("priority == priority", True, True),
    ],
)
def test_a_selection_selects(text, selects_road, selects_school):
    """Comparisons, membership and logic mean what they mean in Python, on exact numbers and composed texts."""
    selection = parse_selection(text)
    assert (selection.matches(ROAD), selection.matches(SCHOOL)) == (selects_road, selects_school)


@pytest.mark.parametrize("text", ["priority < 1", "priority >= 1", "priority == 1", "not priority != 1"])
def test_an_empty_number_equals_nothing_and_has_no_order(text):
    """A project without a priority is neither before nor after any class."""
    assert not parse_selection(text).matches(SCHOOL)


@pytest.mark.parametrize(
    ("text", "piece"),
    [
        ('sector = "road"', "="),
        ('(sector == "road"', "("),
        ('__import__("os")', '__import__("os")'),
        ('sector.startswith("r") == True', 'sector.startswith("r")'),
        ("priority + 1 == 2", "priority + 1"),
        ("priority == 1 if mandatory else 2", "priority == 1 if mandatory else 2"),
        ("[p for p in sector]", "[p for p in sector]"),
        ("sector is None", "sector is None"),
        ('sector == b"road"', 'b"road"'),
        ('f"{sector}" == sector', 'f"{sector}"'),
        ("priority == 1e3", "1e3"),
        ("priority == 1j", "1j"),
        ("lambda: 1", "lambda: 1"),
        ('sector == "\\d"', '"\\d"'),
        ('"road"', '"road"'),
        ("1", "1"),
        ('sector in "road"', '"road"'),
        ('sector in ["road", id]', "id"),
        ("(x := 1) == 1", "x := 1"),
        ("priority == -(-True)", "-True"),
    ],
)
def test_anything_else_is_refused_with_the_piece_that_has_no_meaning(text, piece):
    """Nothing but comparisons and logic is read, so nothing can be run."""
    with pytest.raises(BadSelection) as caught:
        parse_selection(text)
    assert caught.value.code == "bad-selection"
    assert caught.value.arguments["piece"].startswith(piece[:10])


@pytest.mark.parametrize(
    "text",
    [
        "not " * 4_000 + "mandatory",
        "(" * 3_000 + "mandatory" + ")" * 3_000,
        "-" * 15_000 + "1 == priority",
        "mandatory" + " and mandatory" * 1_300 + " )",
        "priority == " + "9" * 5_000,
        'sector == "a\x00b"',
    ],
)
def test_a_monstrous_selection_is_refused_and_does_not_crash(text):
    """Depth and length beyond reason end in an ordinary issue."""
    with pytest.raises(BadSelection, match="cannot be read"):
        parse_selection(text)


def test_a_selection_has_a_greatest_length():
    """A text longer than any that someone writes is not even parsed."""
    with pytest.raises(BadSelection, match="the most is 20000"):
        parse_selection("mandatory or " * 2_000 + "mandatory")


ATTRIBUTES = {"people": Holds.NUMBER, "ward": Holds.TEXT}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('secter == "road"', "unknown-column-in-selection"),
        ('note == "x"', "unknown-column-in-selection"),
        ('priority == "1"', "bad-comparison"),
        ("sector == 1", "bad-comparison"),
        ("sector", "bad-comparison"),
        ("mandatory == 1", "bad-comparison"),
        ('people == "many"', "bad-comparison"),
        ("sector == priority", "bad-comparison"),
        ('sector in ["road", 1]', "bad-comparison"),
        ('ward < "Z"', "bad-order"),
        ("mandatory < True", "bad-order"),
    ],
)
def test_columns_and_their_kinds_are_checked(text, code):
    """A column that is not there, or compared with something of another kind, would select by accident."""
    with pytest.raises(BadSelection) as caught:
        parse_selection(text).check(ATTRIBUTES)
    assert caught.value.code == code


def test_the_nearest_column_is_offered():
    """A slip in a column is answered with the column that was meant."""
    with pytest.raises(BadSelection) as caught:
        parse_selection('secter == "road"').check(ATTRIBUTES)
    assert caught.value.arguments["near"] == "sector"


@pytest.mark.parametrize("text", ["cost_low < cost", 'people >= 3 and ward == "x"', "not mandatory", "True"])
def test_a_sound_selection_passes(text):
    """Columns of the same kind may be compared with each other and with values of that kind."""
    parse_selection(text).check(ATTRIBUTES)


def test_attributes_are_found_with_what_they_hold():
    """The user's own columns may be named like any other."""
    assert attribute_columns([ROAD, SCHOOL]) == ATTRIBUTES


def test_an_id_is_not_taken_for_a_selection():
    """A misspelt id should be answered as an id."""
    assert [looks_like_selection(cell) for cell in ("LC-003", "Road", "a == 1", "not mandatory")] == [
        False,
        False,
        True,
        True,
    ]

"""Cells become records exactly, and every fault is told at its cell."""

import datetime as dt
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from capalloc.rawtable import table_from_csv, table_from_frame
from capalloc.reading import nearest_column, read_table
from capalloc.records import SCHEMAS
from capalloc.settings import Settings

SETTINGS = Settings(first_year=2021, last_year=2030)
BILLIONS = Settings(first_year=2021, last_year=2030, money="billion VND", numbers="vi", rounding="nearest")


def read_csv(text, table="projects", settings=SETTINGS):
    """Return the rows of a CSV text, and code, row and column of each issue."""
    raw, issues = table_from_csv(table, f"{table}.csv", text.encode() if isinstance(text, str) else text)
    if raw is None:
        return (), told(issues)
    rows, _, found = read_table(raw, settings)
    return rows, told([*issues, *found])


def read_frame(columns, table="projects", settings=SETTINGS):
    """Return the rows of a DataFrame, and code, row and column of each issue."""
    raw, issues = table_from_frame(table, columns if isinstance(columns, pd.DataFrame) else pd.DataFrame(columns))
    rows, _, found = read_table(raw, settings)
    return rows, told([*issues, *found])


def told(issues):
    """Return code, row and column of issues."""
    return [(issue.code, issue.where.row, issue.where.column) for issue in issues]


def test_a_row_is_read_by_what_its_columns_hold():
    """Every kind of cell arrives as the value it says."""
    (project,), issues = read_csv(
        "id,name,kind,mandatory,priority,earliest_start,cost,value,min_scale\n"
        "007, Đường  nối ,works,yes,2,2023,1500,0.125,\n"
    )
    assert issues == []
    assert (project.id, project.name, project.mandatory, project.priority) == ("007", "Đường  nối", True, 2)
    assert (project.earliest_start, project.cost, project.value, project.min_scale) == (
        2023,
        1500,
        Fraction(1, 8),
        None,
    )
    assert project.row == 2


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_the_separator_is_told_from_the_headings(mark):
    """Excel writes semicolons where the comma is the decimal mark."""
    (project,), issues = read_csv(f'id{mark}name{mark}value\nA{mark}"x, y; z"{mark}"0,5"\n')
    assert issues == []
    assert (project.name, project.value) == ("x, y; z", Fraction(1, 2))


def test_the_separator_is_the_one_that_makes_known_headings():
    """A heading of the user's own may hold more commas than there are semicolons between headings."""
    (project,), issues = read_csv("id;who, when, where and why\nA;x\n")
    assert (project.id, project.attributes, issues) == ("A", {"who, when, where and why": "x"}, [])


def test_one_column_needs_no_separator():
    """A list of ids is a table."""
    rows, issues = read_csv("id\nA\nB\n")
    assert issues == []
    assert [row.id for row in rows] == ["A", "B"]


def test_text_is_composed_and_trimmed():
    """The same name typed on two keyboards is one name."""
    (project,), _ = read_csv("\ufeffid,name\n Đ1 ,Lai Cha\u0302u\u00a0\n")
    assert (project.id, project.name) == ("Đ1", "Lai Châu")


def test_rows_are_numbered_as_a_spreadsheet_shows_them():
    """A cell with line breaks is one row, and an empty row is counted though it says nothing."""
    rows, issues = read_csv('id,name\nA,"one\ntwo\nthree"\n\n,\nB,x\n')
    assert issues == []
    assert [(row.id, row.row) for row in rows] == [("A", 2), ("B", 5)]


def test_blank_columns_and_cells_at_the_end_are_passed_over():
    """Spreadsheets leave them behind, and nothing is lost with them."""
    rows, issues = read_csv("id,name,,\nA,x,,\nB,y,,,,\n")
    assert issues == []
    assert [row.name for row in rows] == ["x", "y"]


def test_a_column_without_a_heading_that_holds_anything_is_told():
    """One cell of two is enough."""
    assert read_csv("id,\nA,x\nB,\n")[1] == [("empty-heading", None, "")]


def test_torn_rows_are_told_once_and_their_other_cells_left_alone():
    """Where cells have moved, what is wrong in which column is not known."""
    rows, issues = read_csv("id,priority,cost\nA,1,2,3\nB,x\nC,1,1\n")
    assert issues == [("too-many-cells", 2, ""), ("too-few-cells", 3, "")]
    assert [row.id for row in rows] == ["A", "B", "C"]


@pytest.mark.parametrize(
    ("data", "issue"),
    [
        (b"", ("empty-file", None, "")),
        (b"\xef\xbb\xbf \n", ("empty-file", None, "")),
        ("id,name\nA,x\nB,Trường\n".encode("utf-16"), ("not-utf8", 1, "")),
        (b"id,name\nA,x\nB," + b"Tr\xfd\n", ("not-utf8", 3, "")),
        (b'id,name\nA,x\nB,"y\n', ("bad-csv", 3, "")),
        (b'id,name\nA,"x"y\n', ("bad-csv", 2, "")),
    ],
)
def test_a_file_that_cannot_be_read_is_told_where_it_ends(data, issue):
    """No encoding is guessed and no quotation mark closed."""
    assert issue in read_csv(data)[1]


def test_the_byte_that_is_not_utf8_is_named():
    """An editor can go to a byte."""
    _, (issue,) = table_from_csv("projects", "projects.csv", b"id\nA\nB\xff\n")
    assert (issue.arguments["byte"], issue.arguments["found"]) == (7, "0xFF")


def test_headings_are_checked():
    """Each heading stands once, is known, and none that is needed is missing."""
    _, issues = read_csv("source,amount,amount,peroid,\nstate,1,1,2021,x\n", "envelopes")
    assert issues == [
        ("duplicate-heading", None, "amount"),
        ("empty-heading", None, ""),
        ("unknown-column", None, "peroid"),
        ("missing-column", None, "period"),
    ]


def test_without_a_needed_column_no_row_is_made():
    """Rows without an id would be found wrong again by every other table."""
    rows, issues = read_csv("name\nA\nB\n")
    assert (rows, issues) == ((), [("missing-column", None, "id")])


@pytest.mark.parametrize(
    ("heading", "near"),
    [
        ("prioritty", "priority"),
        ("earliest start", "earliest_start"),
        ("Cost", "cost"),
        ("cots", "cost"),
        ("Earliest-Start", "earliest_start"),
        ("population", ""),
        ("category", ""),
        ("state_payer", ""),
        ("cost_basis", ""),
        ("price", ""),
    ],
)
def test_a_slip_in_a_heading_of_projects_is_no_attribute(heading, near):
    """A heading that is nearly a known one would otherwise be passed over in silence."""
    assert nearest_column(heading, SCHEMAS["projects"]) == near


def test_columns_of_the_users_own_become_attributes():
    """A column is numeric when every filled cell is a number beyond doubt, else text."""
    (one, two), issues = read_csv("id,people,code,ward,area,blank\nA,250,007,Tả Lèng,1.234,\nB,,10,5,2.5,\n")
    assert issues == []
    assert one.attributes == {
        "people": Fraction(250),
        "code": "007",
        "ward": "Tả Lèng",
        "area": "1.234",
        "blank": "",
    }
    assert two.attributes == {"code": "10", "ward": "5", "area": "2.5", "blank": ""}


@pytest.mark.parametrize(
    ("column", "cell", "code"),
    [
        ("cost", "abc", "not-a-number"),
        ("cost", "12 tỷ", "not-a-number"),
        ("cost", "nan", "not-a-number"),
        ("cost", "9" * 5_000, "not-a-number"),
        ("cost", "1.234", "ambiguous-number"),
        ("cost", "0.5", "fraction-of-a-million"),
        ("cost", "-1", "below-least"),
        ("duration", "0", "below-least"),
        ("duration", "301", "too-large"),
        ("priority", "1.5", "not-a-whole-number"),
        ("priority", "1000001", "too-large"),
        ("earliest_start", "21", "not-a-year"),
        ("min_scale", "1.01", "not-a-fraction"),
        ("min_scale", "50%", "not-a-number"),
        ("mandatory", "maybe", "not-a-truth"),
        ("mandatory", "2", "not-a-truth"),
        ("kind", "Works", "unknown-choice"),
        ("profile", "a+b", "plus-in-id"),
    ],
)
def test_a_faulty_cell_is_told(column, cell, code):
    """The code says what is wrong, the place where, and the row is kept for other tables to name."""
    (project,), issues = read_csv(f"id,{column}\nA,{cell}\n")
    assert issues == [(code, 2, column)]
    assert project.id == "A"


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("duration", "300"),
        ("priority", "1000000"),
        ("earliest_start", "1900"),
        ("latest_start", "2200"),
        ("cost", "0"),
        ("min_scale", "0"),
        ("min_scale", "1"),
    ],
)
def test_the_last_number_that_is_allowed_is_allowed(column, cell):
    """One further is a fault."""
    (project,), issues = read_csv(f"id,{column}\nA,{cell}\n")
    assert (getattr(project, column), issues) == (int(cell), [])


@pytest.mark.parametrize(
    ("cell", "code"),
    [("state+", "empty-part"), ("+", "empty-part"), ("state + state", "repeated-id"), ("", "empty-cell")],
)
def test_joined_ids_are_told_apart(cell, code):
    """Each part is one id, and each id stands once."""
    _, issues = read_csv(f"source,period,amount\n{cell},2021,5\n", "envelopes")
    assert issues == [(code, 2, "source")]


def test_a_word_that_is_not_understood_does_not_stand_for_the_usual_one():
    """The project is neither works nor a programme, so that no check speaks of it as one."""
    (project,), issues = read_csv("id,kind\nA,Works\n")
    assert (project.kind, issues) == ("", [("unknown-choice", 2, "kind")])


@pytest.mark.parametrize("cell", [2, -1, 0.5], ids=repr)
def test_of_numbers_only_0_and_1_are_truths(cell):
    """A number that Python takes for true may as well have been meant for another column."""
    assert read_frame({"id": ["A"], "mandatory": [cell]})[1] == [("not-a-truth", 0, "mandatory")]


def test_joined_ids_are_a_tuple_in_the_order_given():
    """Blanks around the plus sign do not matter."""
    (envelope,), issues = read_csv("source,period,amount\nstate + local,2021,5\n", "envelopes")
    assert issues == []
    assert envelope.source == ("state", "local")


def test_a_column_that_is_a_word_of_python_is_read():
    """The heading is `from`, the field `from_`."""
    (benefit,), issues = read_csv("project,offset,amount,from\nA,0,5,completion\n", "benefits")
    assert issues == []
    assert benefit.from_ == "completion"


def test_the_same_key_twice_names_the_first_row():
    """Also when the ids of a joined cell stand in another order."""
    raw, _ = table_from_csv("envelopes", "envelopes.csv", b"source,period,amount\na+b,2021,5\nb+a,2021,6\n")
    _, _, (issue,) = read_table(raw, SETTINGS)
    assert (issue.code, issue.where.row, issue.arguments["first"]) == ("duplicate-row", 3, 2)


def test_a_row_with_another_fault_is_a_duplicate_all_the_same():
    """However far apart the two stand."""
    _, issues = read_csv("id,cost\nA,abc\nB,1\nA,1\n")
    assert issues == [("not-a-number", 2, "cost"), ("duplicate-row", 4, "id")]


def test_rows_whose_key_is_at_fault_are_not_called_duplicates():
    """Two empty ids are two faults, not four."""
    assert read_csv("id,name\n,x\n,y\n")[1] == [("empty-cell", 2, "id"), ("empty-cell", 3, "id")]


def test_money_is_exact_in_its_unit():
    """Billions with a decimal comma are whole millions, and a rounding is told with both amounts."""
    raw, _ = table_from_csv("projects", "projects.csv", b"id;cost\nA;1.234,5\nB;0,0015\nC;0,0015\n")
    rows, _, issues = read_table(raw, BILLIONS)
    assert [row.cost for row in rows] == [1_234_500, 2, 2]
    assert [(i.code, i.where.row, i.arguments["before"], i.arguments["after"]) for i in issues] == [
        ("rounded", 3, Fraction(3, 2000), 2),
        ("rounded", 4, Fraction(3, 2000), 2),
    ]


def test_less_than_nothing_is_not_rounded_to_nothing():
    """−0.4 million is below 0, though the nearest whole million is not."""
    assert read_csv("id;cost\nA;-0,0004\n", settings=BILLIONS)[1] == [("below-least", 2, "cost")]


def test_a_float_is_read_by_its_digits():
    """A tenth typed into a frame is a tenth, also in narrow floats."""
    rows, issues = read_frame({"id": ["A", "B"], "value": [0.1, 2.5]})
    assert issues == []
    assert [row.value for row in rows] == [Fraction(1, 10), Fraction(5, 2)]
    rows, issues = read_frame({"id": ["A"], "value": np.array([0.1], dtype=np.float32)})
    assert [row.value for row in rows] == [Fraction(1, 10)]


def test_rows_of_a_frame_are_numbered_from_zero_whatever_its_index():
    """The index is no part of the table."""
    frame = pd.DataFrame({"id": ["A", "B"], "cost": [1, -1]}, index=["x", "y"])
    rows, issues = read_frame(frame)
    assert [row.row for row in rows] == [0, 1]
    assert issues == [("below-least", 1, "cost")]


@pytest.mark.parametrize("missing", [None, float("nan"), np.nan, pd.NA, pd.NaT, "", "  "])
def test_whatever_pandas_calls_missing_is_an_empty_cell(missing):
    """Empty where it may be, an issue where it must not."""
    (project, _), issues = read_frame({"id": ["A", "B"], "name": [missing, "x"], "cost": [missing, 5]})
    assert issues == []
    assert (project.name, project.cost) == ("", None)
    _, issues = read_frame({"id": ["A", missing]})
    assert issues == [("empty-cell", 1, "id")]


def test_a_text_that_says_nan_is_no_number():
    """A column turned into text by mistake has lost its numbers."""
    assert read_frame({"id": ["A"], "cost": ["nan"]})[1] == [("not-a-number", 0, "cost")]


@pytest.mark.parametrize(
    "cell", [float("inf"), -float("inf"), Decimal("1E+999999"), Decimal("1E+31"), Decimal("1E-31"), True, [1], "∞"]
)
def test_no_infinity_and_no_object_passes_for_a_number(cell):
    """What cannot be added up is told."""
    _, issues = read_frame({"id": ["A", "B"], "value": pd.Series([cell, 1], dtype=object)})
    assert issues == [("not-a-number", 0, "value")]


def test_infinity_is_told_in_the_users_own_columns_too():
    """An attribute is compared by selections."""
    assert read_frame({"id": ["A", "B"], "people": [1.0, float("inf")]})[1] == [("not-a-number", 1, "people")]


@pytest.mark.parametrize(
    ("cell", "outcome"),
    [(7, "7"), (np.int64(7), "7"), ("007", "007"), (7.0, "not-an-id"), (True, "not-an-id")],
)
def test_ids_are_texts(cell, outcome):
    """A whole number is an id; a float may have lost a zero, and True is no name."""
    (project,), issues = read_frame({"id": pd.Series([cell], dtype=object)})
    assert (issues[0][0] if issues else project.id) == outcome


@pytest.mark.parametrize(
    ("column", "cell", "value"),
    [
        ("earliest_start", 2025.0, 2025),
        ("mandatory", np.True_, True),
        ("mandatory", 1.0, True),
        ("mandatory", "không", False),
        ("cost", np.int32(5), 5),
        ("cost", Decimal(5), 5),
        ("value", Fraction(1, 3), Fraction(1, 3)),
        ("value", Decimal("0.10"), Fraction(1, 10)),
        ("name", 5, "5"),
    ],
)
def test_values_of_numpy_and_python_are_taken_alike(column, cell, value):
    """A frame may hold any of them."""
    (project,), issues = read_frame({"id": ["A"], column: pd.Series([cell], dtype=object)})
    assert issues == []
    assert getattr(project, column) == value


@pytest.mark.parametrize("dtype", ["Int64", "category", "string", "object"])
def test_every_dtype_of_pandas_is_read(dtype):
    """Categories, nullable integers and strings hold the same cells."""
    cells = [2021, 2023] if dtype == "Int64" else ["2021", "2023"]
    rows, issues = read_frame({"id": ["A", "B"], "earliest_start": pd.Series(cells, dtype=dtype)})
    assert issues == []
    assert [row.earliest_start for row in rows] == [2021, 2023]


def test_a_date_is_no_year():
    """Which year of a date would be meant is not guessed."""
    frame = {"id": ["A"], "earliest_start": [dt.datetime(2021, 5, 1)]}  # noqa: DTZ001  as pandas makes them
    assert read_frame(frame)[1] == [("not-a-number", 0, "earliest_start")]


def test_years_that_became_floats_name_their_period():
    """Pandas turns years into floats when a cell of the column is empty."""
    (envelope,), issues = read_frame({"source": ["s"], "period": [2021.0], "amount": [5]}, "envelopes")
    assert issues == []
    assert envelope.period == "2021"


def test_duplicate_headings_of_a_frame_are_told():
    """A frame may have two columns of one name."""
    frame = pd.DataFrame([["A", 1, 2]], columns=["id", "cost", "cost"])
    assert read_frame(frame)[1] == [("duplicate-heading", None, "cost")]


@pytest.mark.parametrize("letter", ["\0", "\x1f", "\x7f", "\u200b", "\u200d", "\u00ad", "\ufeff", "\u202e", "\ud800"])
def test_a_character_that_nobody_sees_is_refused_everywhere(letter):
    """Two names that look the same are the same, and what is printed is what was written."""
    columns = {"id": [f"A{letter}1"], "name": [f"Đường{letter} A"], "profile": [f"s{letter}s"], "ward": [f"x{letter}y"]}
    # Only a column of plain objects holds half a character: beside pyarrow, pandas keeps text as UTF-8.
    rows, issues = read_frame(pd.DataFrame(columns | {"value": [1]}, dtype=object))
    assert issues == [("invisible-character", 0, heading) for heading in ("id", "name", "profile", "ward")]
    assert (rows[0].id, rows[0].name, rows[0].profile) == ("A1", "Đường A", "ss")


@pytest.mark.parametrize("letter", ["\n", "\r", "\t", "\u2028"])
def test_free_text_may_run_over_several_lines(letter):
    """An id may not; nor a name in a list of ids, nor a selection."""
    columns = {"id": [f"A{letter}1"], "name": [f"Đường{letter}A"], "note": [f"x{letter}y"], "ward": [f"x{letter}y"]}
    rows, issues = read_frame(columns)
    assert issues == [("invisible-character", 0, "id")]
    assert (rows[0].name, rows[0].attributes["ward"]) == (f"Đường{letter}A", f"x{letter}y")
    envelope = {"source": [f"state+o{letter}da"], "period": [f"2021{letter}:2025"], "amount": [5]}
    assert read_frame(envelope, "envelopes")[1] == [("invisible-character", 0, name) for name in ("source", "period")]
    sources = {"id": ["state"], "side": ["state"], "eligible": [f"sector =={letter}'road'"]}
    assert read_frame(sources, "sources")[1] == [("invisible-character", 0, "eligible")]
    assert read_frame({"project": [f"A{letter}1"], "source": ["state"]}, "shares")[1][0][2] == "project"


def test_an_invisible_character_is_told_by_its_code_point_and_place():
    """The user can look for it, and sees what the text would be without it."""
    raw, _ = table_from_frame("projects", pd.DataFrame({"id": ["A\u200b1"]}))
    (issue,) = read_table(raw, SETTINGS)[2]
    assert issue.message == "'A\\u200b1' holds a character that nobody sees, U+200B ZERO WIDTH SPACE, at place 2."


def test_a_heading_is_read_without_its_invisible_characters():
    """One fault, and not a missing column besides."""
    rows, issues = read_frame({"\ufeffid": ["A"], "va\u200blue": [5]})
    assert issues == [("invisible-character", None, "id"), ("invisible-character", None, "value")]
    assert (rows[0].id, rows[0].value) == ("A", 5)


def test_all_that_can_be_seen_is_allowed():
    """Vietnamese letters, signs and rare scripts are text like any other."""
    columns = {"id": ["Đ-1/ß №5 “a”"], "name": ["Cầu Nậm Na – km 12⁺³⁵⁰ (中) 🏫"], "ward": ["Mường Tè"]}
    assert read_frame(columns)[1] == []

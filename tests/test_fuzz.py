"""Readers given anything at all: each answers with tables or with issues, never with another exception."""

import datetime as dt
import json
import zipfile
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import books
from bad_inputs import PROJECT, csv_text, portfolio_files, saved_plan
from capalloc import InvalidInput, load, load_plan
from capalloc.check_certificate import Refused
from capalloc.check_certificate import read as read_certificate
from capalloc.checking import check
from capalloc.configuring import settings_from_toml
from capalloc.excel.workbook import read_workbook
from capalloc.loading import read_folder
from capalloc.rawtable import table_from_csv
from capalloc.scenariofile import read_scenario_file
from capalloc.selection import BadSelection, parse_selection
from strategies import cases

WORDS = ["sector", "priority", "==", "<=", "in", "not", "and", "or", "(", ")", "[", "]", "'road'", "1", ",", "."]
CELLS = [
    "",
    "-1",
    "0",
    "1e9",
    "1.234",
    "1,5",
    "9" * 25,
    "nan",
    "2024",
    "state",
    "A",
    "B",
    "<=",
    "true",
    "=1+1",
    "\0",
    "ạ",
]
CELLS += [
    "2024:2027",
    "2027:2024",
    "state+state",
    "sector == 'road'",
    "starts",
    "\u202e",
    "0.5",
    "requires",
    "Đường",
    "*",
]
HEADINGS = {"dependencies": "kind,first,then,lag", "groups": "group,project,kind,k", "rules": "id,measure,sense,amount"}
HEADINGS |= {
    "envelopes": "source,period,amount",
    "shares": "project,source,min,max",
    "modes": "project,mode,cost,value",
}
HEADINGS |= {"paid": "project,source,year,amount", "costs": "project,mode,offset,amount"}


@cases(100)
@given(st.binary(max_size=200))
@example(b"\xff\xfe")
@example(b'"')
@example(b"id\r\nA\rB\n")
def test_any_bytes_are_a_table_or_an_issue(data):
    """As a table of projects."""
    table, issues = table_from_csv("projects", "projects.csv", data)
    assert table is not None or issues


@cases(100)
@given(st.binary(max_size=120) | st.text(max_size=120).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_settings_or_an_issue(data):
    """Settings need their years, so nearly all of it is at fault."""
    settings, issues = settings_from_toml(data, "portfolio.toml")
    assert settings.first_year <= settings.last_year or issues


@cases(200)
@given(st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join) | st.text(max_size=30))
@example("((((")
@example("sector == 'a\n'")
@example("priority == 1_0")
def test_any_text_is_a_selection_or_a_bad_one(text):
    """Nothing in it is run."""
    with suppress(BadSelection):
        parse_selection(text)


@st.composite
def folders(draw):
    """A sound portfolio of which one table is filled with whatever comes."""
    name = draw(st.sampled_from([*HEADINGS, "projects"]))
    cells = st.sampled_from(CELLS) | st.text(st.characters(codec="utf-8"), max_size=4)
    if name == "projects":
        rows = [{key: draw(cells | st.just(value)) for key, value in PROJECT.items()} for _ in range(2)]
    else:
        headings = HEADINGS[name].split(",")
        rows = [{key: draw(cells) for key in headings} for _ in range(draw(st.integers(1, 3)))]
    return portfolio_files({name: csv_text(*rows)})


@cases(100)
@given(folders())
def test_any_cells_are_tables_or_issues(files):
    """All checks run on whatever could be read."""
    with TemporaryDirectory() as place:
        for name, content in files.items():
            (Path(place) / name).write_bytes(content)
        for issue in check(*read_folder(place)):
            assert issue.message
            assert issue.remedy


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def portfolio(tmp_path_factory):
    """Return the portfolio that the plan is about."""
    folder = tmp_path_factory.mktemp("portfolio")
    for name, content in portfolio_files({}).items():
        (folder / name).write_bytes(content)
    return load(folder)


@cases(60)
@given(data=st.data())
def test_a_plan_with_anything_in_it_is_read_or_refused(portfolio, data):
    """A value at any place, or something else at the place of the whole."""
    content = json.loads(saved_plan())
    key = data.draw(st.sampled_from([*content, "choices.0", "payments.0", ""]))
    new = data.draw(json_values)
    name, _, inner = key.partition(".")
    if inner:
        content[name][0] = content[name][0] | {data.draw(st.sampled_from([*content[name][0]])): new}
    elif name:
        content[name] = new
    with TemporaryDirectory() as place:
        path = Path(place) / "plan.json"
        path.write_text(json.dumps(content if name else new), encoding="utf-8")
        with suppress(InvalidInput):
            assert load_plan(path, portfolio).verify().violations == ()


@cases(60)
@given(st.binary(max_size=80) | json_values.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_no_certificate(data):
    """The reader of the stand-alone checker says so, as does ours, which is the same."""
    with TemporaryDirectory() as place:
        path = Path(place) / "plan.cert.json"
        path.write_bytes(data)
        with pytest.raises(Refused):
            read_certificate(path)


LINES = ['base = "."', "[scenario.low]", "[scenario.low.set]", 'extends = "low"', '"projects.A.cost" = "*2"', "[grid]"]
LINES += ['"projects.A.cost" = ["*1", 2]', "[samples]", 'file = "a.csv"', 'why = "x"', "x = 1", "[[scenario]]", "="]


@cases(100)
@given(st.lists(st.sampled_from(LINES) | st.text(max_size=12), max_size=8).map("\n".join))
def test_any_lines_are_scenarios_or_issues(text):
    """Lines in any order, among others that mean nothing."""
    with TemporaryDirectory() as place:
        path = Path(place) / "scenarios.toml"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        with suppress(InvalidInput):
            read_scenario_file(path)


FORMULAS = [{"formula": "=A1", "value": value} for value in ("", 0, "#REF!", "#N/A", "text")]
ANY_CELL = (
    st.sampled_from([*CELLS, None, True, *FORMULAS, {"number": 7, "format": "0000"}])
    | st.integers(-(10**9), 10**18)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.dates(dt.date(1950, 1, 1), dt.date(2100, 1, 1))
)


@st.composite
def sheets(draw):
    """Sheets of tables under their own headings or others, cells of every kind, some rows and columns out of sight."""
    made = {}
    for name in draw(
        st.lists(st.sampled_from([*HEADINGS, "settings", "projects"]), min_size=1, max_size=2, unique=True)
    ):
        headings = HEADINGS.get(name, ",".join(PROJECT)).split(",")
        headings = draw(st.permutations(headings)) + draw(st.lists(ANY_CELL, max_size=1))
        rows = draw(st.lists(st.lists(ANY_CELL, max_size=len(headings)), max_size=3))
        made[name] = [*([["x"]] * draw(st.integers(0, 1))), headings, *rows]
    return made, draw(st.sets(st.integers(0, 4), max_size=2)), draw(st.integers(0, 6))


@cases(60)
@given(sheets())
def test_any_cells_of_a_workbook_are_tables_or_issues(given_sheets):
    """Numbers, truths, dates, formulas without a value, errors: each is read or told, and none is an exception."""
    made, hidden, merged = given_sheets

    def look(book, own):
        sheet = own[next(iter(made))]
        for row in hidden:
            sheet.set_row(row, None, None, {"hidden": True})
        sheet.merge_range(merged, 1, merged + 1, 2, "x")

    with TemporaryDirectory() as place:
        path = books.write_book(Path(place) / "b.xlsx", look=look, **made)
        for issue in check(*read_workbook(path)):
            assert issue.message
            assert issue.remedy


@pytest.fixture(scope="module")
def sound_book(tmp_path_factory):
    """Return the parts of a workbook that is right, by their names."""
    path = books.write_book(tmp_path_factory.mktemp("book") / "b.xlsx")
    with zipfile.ZipFile(path) as parts:
        return {name: parts.read(name) for name in parts.namelist()}


@cases(100)
@given(data=st.data())
def test_any_harm_to_a_workbook_is_a_portfolio_or_an_issue(sound_book, data):
    """A part taken out, cut off or with some of its letters changed; the file itself is whole."""
    name = data.draw(st.sampled_from(sorted(sound_book)))
    content = sound_book[name]
    place = data.draw(st.integers(0, len(content) - 1))
    new = data.draw(st.binary(max_size=3) | st.sampled_from([b"<", b"-1", b"99999999999", b'"', b"x", b"NaN"]))
    harmed = {
        **sound_book,
        name: content[:place] + new + content[place + data.draw(st.sampled_from([0, len(new), 999])) :],
    }
    kept = {part: text for part, text in harmed.items() if part != name or data.draw(st.booleans())}
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as parts:
        for part, text in kept.items():
            parts.writestr(part, text)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "b.xlsx"
        path.write_bytes(file.getvalue())
        tables, issues = read_workbook(path)
        assert tables is not None or issues.errors

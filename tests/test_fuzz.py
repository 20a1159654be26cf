"""Readers given anything at all: each answers with tables or with issues, never with another exception."""

import json
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bad_inputs import PROJECT, csv_text, portfolio_files, saved_plan
from capalloc import InvalidInput, load, load_plan
from capalloc.check_certificate import Refused
from capalloc.check_certificate import read as read_certificate
from capalloc.checking import check
from capalloc.configuring import settings_from_toml
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

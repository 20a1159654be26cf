"""Folders and DataFrames become tables: which files are read, which are refused, and nothing in silence."""

from fractions import Fraction
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capalloc.catalogue import speaking
from capalloc.checking import check
from capalloc.loading import read_folder, read_frames
from capalloc.rawtable import table_from_csv
from capalloc.reading import read_table
from capalloc.records import RECORDS
from capalloc.settings import Settings

YEARS = {"first_year": 2021, "last_year": 2030}
TOML = "first_year = 2021\nlast_year = 2030\n"


def folder(path, **files):
    """Write files, named by their stems, into a folder; tables are CSV."""
    for name, text in files.items():
        file = path / (name.replace("__", ".") if "__" in name else f"{name}.csv")
        file.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def told(issues):
    """Return code, file, row and column of issues."""
    return [(issue.code, issue.where.file, issue.where.row, issue.where.column) for issue in issues]


def frames(**tables):
    """Return DataFrames of dictionaries of columns."""
    return {name: pd.DataFrame(columns) for name, columns in tables.items()}


def test_a_folder_becomes_tables_with_their_origin(tmp_path):
    """The rows know their row, the tables their file, and the settings theirs."""
    path = folder(tmp_path, portfolio__toml=TOML, projects="id,cost\nA,5\n", sources="id,side\ns,state\n")
    tables, issues = read_folder(path)
    assert issues == ()
    assert [project.id for project in tables.projects] == ["A"]
    assert str(tables.place("projects", tables.projects[0], "cost")) == "projects.csv, row 2, column cost"
    assert tables.place("settings", column="money").file == "portfolio.toml"
    assert tables.envelopes == ()


def test_the_settings_file_itself_may_be_given(tmp_path):
    """A second settings file beside the tables is another portfolio of the same tables."""
    path = folder(tmp_path, portfolio__toml="broken", low__toml=TOML + 'title = "low"\n', projects="id\nA\n")
    tables, issues = read_folder(path / "low.toml")
    assert issues == ()
    assert tables.settings.title == "low"


def test_a_path_may_be_text(tmp_path):
    """Notebooks give paths as text."""
    tables, _ = read_folder(str(folder(tmp_path, portfolio__toml=TOML, projects="id\nA\n")))
    assert len(tables.projects) == 1


def test_a_path_that_is_not_there_is_answered_with_the_nearest(tmp_path):
    """A slip in the name of a folder is the most common of all."""
    (tmp_path / "lai-chau").mkdir()
    tables, (issue,) = read_folder(tmp_path / "lai-chua")
    assert tables is None
    assert (issue.code, issue.arguments["near"]) == ("no-such-path", "lai-chau")
    assert told(read_folder(tmp_path / "no" / "such" / "folder")[1])[0][0] == "no-such-path"


def test_a_file_that_holds_no_settings_is_refused(tmp_path):
    """A table is not a portfolio."""
    path = folder(tmp_path, projects="id\nA\n")
    assert told(read_folder(path / "projects.csv")[1]) == [("not-a-portfolio", "projects.csv", None, "")]


def test_without_settings_the_tables_are_still_read(tmp_path):
    """The faults in the cells are told together with the missing file."""
    path = folder(tmp_path, portfolo__toml=TOML, projects="id,priority\nA,x\n")
    _, issues = read_folder(path)
    assert told(issues) == [
        ("no-settings", "portfolio.toml", None, ""),
        ("not-a-number", "projects.csv", 2, "priority"),
    ]
    assert issues[0].arguments["near"] == "portfolo.toml"


def test_a_file_that_may_not_be_read_is_an_issue_of_that_file(tmp_path, monkeypatch):
    """Names that refer to rows that could not be seen are not judged; the other tables are."""
    path = folder(
        tmp_path, portfolio__toml=TOML, projects="id\nA\n", sources="id,side\ns,stat\n", committed="project\nA\n"
    )
    read = Path.read_bytes

    def guarded(file):
        if file.name in {"portfolio.toml", "projects.csv"}:
            raise PermissionError(13, "Permission denied")
        return read(file)

    monkeypatch.setattr(Path, "read_bytes", guarded)
    tables, issues = read_folder(path)
    assert told(check(tables, issues)) == [
        ("unreadable-file", "portfolio.toml", None, ""),
        ("unreadable-file", "projects.csv", None, ""),
        ("unknown-choice", "sources.csv", 2, "side"),
        ("missing-column", "committed.csv", None, "decision"),
    ]
    assert "Permission denied" in issues[0].message


def test_amounts_are_not_judged_while_their_unit_is_unknown(tmp_path):
    """An amount that looks wrong may only be in the unit that could not be read."""
    path = folder(tmp_path, portfolio__toml=TOML + 'money = "billions"\n', projects="id,cost\nA,1.5\nB,1.234\n")
    assert [code for code, *_ in told(read_folder(path)[1])] == ["setting-choice"]


def test_every_csv_file_must_be_a_table(tmp_path):
    """A misnamed table would be left out in silence; documents and hidden files are no tables."""
    path = folder(
        tmp_path,
        portfolio__toml=TOML,
        projects="id\nA\n",
        enveloppes="source\ns\n",
        envelopes__xlsx="",
        README__md="",
        expected__toml="",
    )
    (path / ".~lock.projects.csv").touch()
    (path / "~$costs.xlsx").touch()
    (path / "old.csv").mkdir()
    _, issues = read_folder(path)
    assert told(issues) == [("unread-file", "envelopes.xlsx", None, ""), ("unknown-table", "enveloppes.csv", None, "")]
    assert issues[1].arguments["near"] == "envelopes"


def test_samples_that_a_scenario_file_of_the_folder_names_are_no_table(tmp_path):
    """They lie where their scenario file does; any other CSV file is still a table with a slip in its name."""
    path = folder(
        tmp_path,
        portfolio__toml=TOML,
        projects="id\nA\n",
        draws="scenario,projects.A.value\ns1,2\n",
        costs_2026="scenario,projects.A.value\ns1,2\n",
        years__toml='base = "."\n[samples]\nfile = "draws.csv"\n',
        notes__toml="samples = 3\n",
    )
    (path / "torn.toml").write_bytes(b"\xff[")
    assert told(read_folder(path)[1]) == [("unknown-table", "costs_2026.csv", None, "")]


@pytest.mark.parametrize("name", ["projects.csv", "portfolio.toml"])
@pytest.mark.parametrize("make", ["mkdir", "link"])
def test_what_stands_in_the_place_of_a_file_is_told_by_its_name(tmp_path, name, make):
    """A folder or a link that leads nowhere is not passed over as if nothing were there."""
    path = folder(tmp_path, portfolio__toml=TOML, projects="id,value\nA,1\n")
    (path / name).unlink()
    if make == "mkdir":
        (path / name).mkdir()
    else:
        (path / name).symlink_to(path / "moved")
    tables, issues = read_folder(path)
    assert told(check(tables, issues)) == [("folder-for-file" if make == "mkdir" else "no-file-behind", name, None, "")]


def test_a_cell_too_long_to_be_read_is_told_as_such(tmp_path):
    """It is no quotation mark inside a quoted cell."""
    path = folder(tmp_path, portfolio__toml=TOML, projects=f"id,note\nA,\nB,{'x' * 200_000}\n")
    _, issues = read_folder(path)
    assert told(issues) == [("long-cell", "projects.csv", 3, "")]
    assert "131,072 characters" in issues[0].message
    assert "shorten the cell" in issues[0].remedy


def test_capital_letters_in_a_file_name_do_not_matter_but_two_files_of_a_table_do(tmp_path):
    """Systems differ in whether they tell such names apart."""
    path = folder(tmp_path, portfolio__toml=TOML, Projects__CSV="id\nA\n")
    tables, issues = read_folder(path)
    assert issues == ()
    assert len(tables.projects) == 1
    folder(path, projects="id\nB\n")
    assert [code for code, *_ in told(read_folder(path)[1])] == ["table-twice"]


def test_frames_become_the_same_tables_as_files(tmp_path):
    """The two ways in differ only in how rows are numbered."""
    path = folder(
        tmp_path, portfolio__toml=TOML, projects="id,cost,people\nA,5,10\n", costs="project,offset,amount\nA,0,5\n"
    )
    from_files, _ = read_folder(path)
    from_frames, issues = read_frames(
        YEARS,
        frames(
            projects={"id": ["A"], "cost": [5], "people": [10]}, costs={"project": ["A"], "offset": [0], "amount": [5]}
        ),
    )
    assert issues == ()
    assert from_frames.settings == from_files.settings
    for name in RECORDS:
        one, other = from_files.rows(name), from_frames.rows(name)
        assert [repr(row).partition(",")[2] for row in one] == [repr(row).partition(",")[2] for row in other]


def test_what_is_no_table_among_frames_is_told():
    """An unknown name, something that is no DataFrame, and no projects at all."""
    _, issues = read_frames(YEARS, {"porjects": pd.DataFrame({"id": ["A"]}), "costs": [{"project": "A"}]})
    assert told(issues) == [
        ("unknown-table", "porjects", None, ""),
        ("not-a-frame", "costs", None, ""),
        ("no-projects", "projects", None, ""),
    ]
    assert issues[0].arguments["near"] == "projects"


def test_a_frame_without_columns_is_no_traceback():
    """An empty frame misses its columns."""
    assert told(read_frames(YEARS, {"projects": pd.DataFrame()})[1]) == [("missing-column", "projects", None, "id")]


def test_an_empty_size_is_the_cost_as_first_read():
    """Of the project, else of its first mode, told as a total or year by year."""
    tables, issues = read_frames(
        YEARS,
        frames(
            projects={"id": [*"ABCDEF"], "cost": [10, None, None, None, None, 8], "size": [3, *5 * [None]]},
            modes={"project": ["C", "C", "D", "F"], "mode": ["one", "two", "one", "one"], "cost": [7, 9, None, 6]},
            costs={
                "project": ["B", "B", "D", "D"],
                "mode": [None, None, "one", "one"],
                "offset": [0, 1, 0, 1],
                "amount": [4, 5, 1, 1],
            },
        ),
    )
    assert issues == ()
    assert [project.size for project in tables.projects] == [3, 9, 7, 2, None, 8]


def test_settings_may_be_plain_values():
    """A dictionary with lists and whole-number keys says what the TOML file says."""
    given = YEARS | {
        "phases": [{"name": "all", "first": 2021, "last": 2030}],
        "discount_rate": 0.05,
        "objective": {"class_weights": {1: 4}},
    }
    tables, issues = read_frames(given, frames(projects={"id": ["A"], "priority": [1], "value": [1]}))
    assert issues == ()
    assert tables.settings.discount(2022) == Fraction(20, 21)


SETTINGS = Settings(first_year=2021, last_year=2030)


@given(st.sampled_from(sorted(RECORDS)), st.binary(max_size=200))
def test_no_bytes_make_reading_crash(name, data):
    """Whatever stands in a file, the answer is rows or issues, in both languages."""
    raw, issues = table_from_csv(name, f"{name}.csv", data)
    if raw is not None:
        issues = [*issues, *read_table(raw, SETTINGS)[2]]
    for lang in ("en", "vi"):
        with speaking(lang):
            assert all(str(issue) for issue in issues)


CELLS = st.one_of(
    st.sampled_from(
        ["", "A", "B", "1", "0", "-1", "0.5", "2021", "2022:2025", "A+B", "in", "out", "requires", "state"]
    ),
    st.text(max_size=6),
    st.none(),
    st.floats(),
    st.integers(),
    st.booleans(),
)


@given(st.data())
def test_no_frames_make_reading_and_checking_crash(data):
    """Tables of arbitrary cells under the right headings end in issues, never in a traceback."""
    names = data.draw(st.sets(st.sampled_from(sorted(RECORDS)), max_size=4)) | {"projects"}
    given_frames = {}
    for name in sorted(names):
        headings = sorted(heading for heading in _headings(name))
        rows = data.draw(st.lists(st.lists(CELLS, min_size=len(headings), max_size=len(headings)), max_size=3))
        given_frames[name] = pd.DataFrame(rows, columns=headings, dtype=object)
    tables, issues = read_frames(YEARS, given_frames)
    assert all(str(issue) for issue in check(tables, issues))


def _headings(name):
    return [field.rstrip("_") for field in RECORDS[name].__dataclass_fields__ if field not in ("row", "attributes")]


SCENARIOS = sorted((Path(__file__).parents[1] / "scenarios").glob("*/portfolio.toml"))


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.parent.name)
def test_the_scenarios_are_without_fault(path):
    """What the package ships passes its own checks."""
    tables, issues = read_folder(path.parent)
    assert check(tables, issues).errors == ()

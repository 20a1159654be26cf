"""Scenario files: what may stand in them, and how a wrong one is answered."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from capalloc import InvalidInput, scenariofile
from capalloc.catalogue import speaking
from capalloc.scenariofile import read_scenario_file, samples_of, schema

SCHEMA = Path(__file__).parents[1] / "docs" / "schema" / "scenario.schema.json"
AMOUNT = "envelopes.state.2026-2030.amount"

FILE = f"""base = "portfolio"

[scenario.low]
extends = "base"
why = "revenue shortfall"
[scenario.low.set]
"{AMOUNT}" = "*0.9"
"projects.A.cost" = 900

[grid]
extends = ["base", "low"]
"{AMOUNT}" = ["*0.8", "*1.1"]
"projects.*.cost" = ["*1.0", "*1.05", "*1.1"]

[samples]
file = "samples.csv"
"""


@pytest.fixture
def file(tmp_path):
    """Return the path of a scenario file with its samples beside it."""
    (tmp_path / "scenarios.toml").write_text(FILE, encoding="utf-8")
    (tmp_path / "samples.csv").write_text(
        f"scenario;why;{AMOUNT};projects.A.cost\nlean;a bad year;*0.7;\n;;;*1.2\n", encoding="utf-8"
    )
    return tmp_path / "scenarios.toml"


def answer_to(tmp_path, text):
    """Return what is said about a scenario file of this text."""
    path = tmp_path / "scenarios.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInput) as wrong:
        read_scenario_file(path)
    return wrong.value.issues


def test_a_file_says_its_base_and_scenarios(file):
    """The base lies beside the file; named scenarios, a grid for each parent, and a sample a row."""
    base, written = read_scenario_file(file)
    assert base == file.parent / "portfolio"
    grid = [f"{start}grid-{number}" for start in ("", "low-") for number in range(1, 7)]
    assert [entry.name for entry in written] == ["low", *grid, "lean", "sample-2"]
    low = written[0]
    assert (low.extends, low.why) == ("base", "revenue shortfall")
    assert low.changes == {AMOUNT: "*0.9", "projects.A.cost": 900}


@pytest.mark.parametrize(("most", "is_refused"), [(12, False), (11, True)])
def test_a_grid_of_too_many_scenarios_is_refused_with_all_that_it_extends(file, monkeypatch, most, is_refused):
    """Two amounts, three costs and two parents make twelve."""
    monkeypatch.setattr(scenariofile, "MOST_SCENARIOS", most)
    if is_refused:
        with pytest.raises(InvalidInput, match="12"):
            read_scenario_file(file)
    else:
        assert len(read_scenario_file(file)[1]) == 15


def test_a_grid_is_every_combination(file):
    """The last path moves fastest."""
    _, written = read_scenario_file(file)
    grid = [entry.changes for entry in written if entry.name.startswith("grid")]
    found = [(changes[AMOUNT], changes["projects.*.cost"]) for changes in grid]
    assert found == [(amount, cost) for amount in ("*0.8", "*1.1") for cost in ("*1.0", "*1.05", "*1.1")]


def test_samples_leave_alone_what_they_do_not_say(file):
    """An empty cell is no change; names and reasons may be given."""
    lean, second = read_scenario_file(file)[1][-2:]
    assert (lean.why, dict(lean.changes)) == ("a bad year", {AMOUNT: "*0.7"})
    assert (second.name, dict(second.changes)) == ("sample-2", {"projects.A.cost": "*1.2"})
    assert (lean.place(AMOUNT).file, lean.place(AMOUNT).row) == ("samples.csv", 2)


def test_a_frame_is_read_like_samples():
    """Missing cells, whatever pandas calls them, change nothing."""
    frame = pd.DataFrame({AMOUNT: ["*0.9", None, float("nan")], "projects.A.cost": [pd.NA, 5, 6]})
    changes = [dict(entry.changes) for entry in samples_of(frame)]
    assert changes == [{AMOUNT: "*0.9"}, {"projects.A.cost": 5}, {"projects.A.cost": 6}]


def test_every_change_knows_its_line(file):
    """An error about a path points to where it was written, in its own table."""
    written = {entry.name: entry for entry in read_scenario_file(file)[1]}
    assert (written["low"].place(AMOUNT).row, written["low"].place("projects.A.cost").row) == (7, 8)
    assert (written["grid-1"].place(AMOUNT).row, written["grid-1"].place("projects.*.cost").row) == (12, 13)


def test_everything_wrong_is_told_at_once_at_its_line(tmp_path):
    """Unknown keys with the nearest known one, missing ones, paths without quotes, what is no change and no list."""
    issues = answer_to(
        tmp_path,
        """bas = "portfolio"
[scenario.low]
extend = "base"
why = 3
[scenario.low.set]
envelopes.state.2026-2030.amount = "*0.9"
"projects.A.cost" = 2026-01-01
[scenarios.high]
[grid]
"projects.A.cost" = "*0.8"
"projects.B.cost" = []
[samples]
fil = "samples.csv"
""",
    )
    found = {(issue.code, issue.where.row) for issue in issues}
    assert found == {
        ("scenarios-key-missing", None),
        ("scenarios-unknown-key", 1),
        ("scenarios-unknown-key", 3),
        ("scenarios-not-a-text", 4),
        ("scenarios-path-unquoted", 6),
        ("scenarios-no-change", 7),
        ("scenarios-unknown-key", 8),
        ("scenarios-grid-list", 10),
        ("scenarios-grid-list", 11),
        ("scenarios-key-missing", 12),
        ("scenarios-unknown-key", 13),
    }
    text = str(issues)
    assert "scenarios.toml, row 1, column bas: There is no key 'bas' here. Nearest key: base." in text
    assert "There is no key 'extend' here. Nearest key: extends." in text
    assert "There is no key 'scenarios' here. Nearest key: scenario." in text
    assert 'Write it in quotes: "envelopes.state.2026-2030.amount"' in text


def test_the_answer_is_vietnamese_where_that_is_asked(tmp_path):
    """The same words that a colleague would use."""
    with speaking("vi"):
        issues = answer_to(tmp_path, 'bse = "danh-muc"\n')
        assert "Ở đây không có khóa 'bse'. Khóa có tên gần nhất: base." in str(issues)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('base = "p"\nbase = "q"\n', "scenarios.toml, row 2, column"),
        ('base = "p"\n[samples]\nfile = "gone.csv"\n', "scenarios.toml, row 3, column samples.file: The file"),
        ('base = "p"\n[scenario]\nlow = 3\n', "row 3, column scenario.low: low must be a table; found 3."),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(tmp_path, text, message):
    """A fault of TOML, a file of samples that is not there, a value where a table belongs."""
    assert message in str(answer_to(tmp_path, text))


def test_a_file_that_is_not_there_is_named(tmp_path):
    """With the reason that the system gives."""
    with pytest.raises(InvalidInput, match=r"gone\.toml cannot be read: No such file or directory"):
        read_scenario_file(tmp_path / "gone.toml")


def test_the_published_schema_is_current():
    """``capalloc schema`` prints it anew."""
    command = "from capalloc.shell import main; main()"
    done = subprocess.run([sys.executable, "-c", command, "schema"], capture_output=True, text=True, check=True)
    assert done.stdout == SCHEMA.read_text(encoding="utf-8")
    assert json.loads(done.stdout) == schema()


def test_the_schema_holds_what_a_file_may_say():
    """An editor knows the keys of a scenario, and that a grid lists changes."""
    entries = schema()["$defs"]
    assert set(entries["ScenarioEntry"]["properties"]) == {"extends", "why", "set"}
    assert entries["ScenarioEntry"]["additionalProperties"] is False
    assert entries["GridEntry"]["additionalProperties"]["type"] == "array"

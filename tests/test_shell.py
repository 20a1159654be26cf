"""The command line, run for real: streams, exit codes and files."""

import json
import os
import random
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

import capalloc
from capalloc.shell import language_of
from sample import sample, write_sample

COMMAND = [sys.executable, "-c", "from capalloc.shell import main; main()"]
PLAN_FILES = {
    "projects.csv",
    "funding.csv",
    "envelopes.csv",
    "resources.csv",
    "classes.csv",
    "plan.json",
    "summary.txt",
}


def run(*arguments, **environment):
    """Run ``capalloc`` and return the finished process, with its output as text."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("CAPALLOC", "LC_", "LANG"))}
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=plain | environment,
        check=False,
    )


@pytest.fixture
def folder(tmp_path):
    """Return the sample as a folder of files."""
    return write_sample(tmp_path / "sample")


def make_infeasible(folder, dearest=800):
    """Make A and C mandatory, which cost more together than there is; ``dearest`` is the cost of C."""
    projects = pd.read_csv(folder / "projects.csv")
    projects["mandatory"] = [True, False, True]
    projects.loc[2, "cost"] = dearest
    projects.to_csv(folder / "projects.csv", index=False)


def test_optimize_prints_the_plan_and_writes_its_files(folder, tmp_path):
    """Exit code 0; the summary on standard output, progress and the place of the files on standard error."""
    done = run("optimize", folder, "--out", tmp_path / "deep" / "out")
    assert done.returncode == 0
    assert "Optimal: no better plan exists." in done.stdout
    assert "gap 0%" in done.stderr
    assert "Written to" in done.stderr
    assert {file.name for file in (tmp_path / "deep" / "out").iterdir()} == PLAN_FILES
    plan = capalloc.load_plan(tmp_path / "deep" / "out" / "plan.json", sample())
    assert plan.value == 16
    assert (tmp_path / "deep" / "out" / "summary.txt").read_text(encoding="utf-8") == done.stdout


def test_json_is_all_there_is_on_standard_output(folder):
    """The plan's tables, status, value, bound and gap in one JSON document."""
    done = run("optimize", folder, "--json")
    answer = json.loads(done.stdout)
    assert done.returncode == 0
    assert (answer["status"], answer["value"], answer["bound"], answer["gap"]) == ("optimal", 16.0, 16.0, 0.0)
    assert [row["funded"] for row in answer["projects"]] == [True, True, False]
    assert answer["projects"][2]["cost"] is None
    assert sum(row["amount"] for row in answer["funding"]) == 1501
    assert answer["portfolio"]["fingerprint"] == sample().fingerprint
    assert "gap" in done.stderr


def test_no_plan_is_exit_code_1(folder, tmp_path):
    """The answer says infeasible; files of an earlier plan are taken away, for they would pass for this one's.

    What ``check`` knows of the reason is told too.
    """
    assert run("optimize", folder, "--out", tmp_path / "out").returncode == 0
    make_infeasible(folder)
    done = run("optimize", folder, "--json", "--out", tmp_path / "out")
    answer = json.loads(done.stdout)
    assert done.returncode == 1
    assert answer["status"] == "infeasible"
    assert answer["projects"] is answer["value"] is answer["bound"] is answer["gap"] is None
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["summary.txt"]
    assert "There is no plan" in done.stderr
    assert "[mandatory-together]" in done.stderr


def test_wrong_input_is_told_whole_with_exit_code_2(folder):
    """Every error with file, row and column, on standard error, and no traceback."""
    (folder / "envelopes.csv").write_text("source,period,amount\nstat,2026-2030,1600\noda,2031,-1\n", encoding="utf-8")
    for command in ("check", "optimize"):
        done = run(command, folder)
        assert (done.returncode, done.stdout) == (2, "")
        assert "envelopes.csv, row 2, column source" in done.stderr
        assert "envelopes.csv, row 3, column amount" in done.stderr
        assert "Nothing was computed." in done.stderr
        assert "Traceback" not in done.stderr


def test_wrong_input_as_json(folder):
    """The same issues, for a program to read."""
    (folder / "projects.csv").write_text("id,cost\nA,many\n", encoding="utf-8")
    done = run("check", folder, "--json")
    issues = json.loads(done.stdout)["issues"]
    assert done.returncode == 2
    place = {"code": "not-a-number", "file": "projects.csv", "row": 2, "column": "cost", "severity": "error"}
    assert any(place.items() <= issue.items() for issue in issues)


def test_check_says_what_is_in_a_portfolio(folder):
    """Exit code 0 and the contents; as JSON, the issues."""
    done = run("check", folder)
    assert done.returncode == 0
    assert "Projects: 3, with a cost of 2,301 million VND" in done.stdout
    as_json = run("check", folder, "--json")
    assert (as_json.returncode, as_json.stderr) == (0, "")
    assert json.loads(as_json.stdout)["portfolio"]["projects"] == 3


@pytest.mark.parametrize("command", ["check", "optimize"])
def test_a_mandatory_project_that_can_never_be_funded_is_wrong_input(folder, command):
    """C alone takes all 1,520 of the state and 3,480 of ODA, which has 100: exit code 2 and its row."""
    make_infeasible(folder, dearest=5000)
    done = run(command, folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert "[never-envelope] projects.csv, row 4, column mandatory: Project C can never be funded" in done.stderr


def test_check_warns_of_mandatory_projects_that_do_not_fit_together(folder):
    """Each can be funded alone, so the portfolio is no wrong input."""
    make_infeasible(folder)
    done = run("check", folder)
    assert done.returncode == 0
    assert "WARNING [mandatory-together]" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["optimize", "{folder}", "--gap", "-1"], "gap is -1.0"),
        (["optimize", "{folder}", "--engine", "higs"], "Did you mean 'highs'"),
        (["optimize", "{folder}", "--threads", "many"], "--threads"),
        (["optimize", "{folder}", "--out", "{folder}"], "holds a portfolio"),
        (["optimize", "{folder}", "--out", "{folder}/projects.csv/out"], "cannot be written"),
        (["optimize", "{folder}", "--lang", "fr"], "no language 'fr'"),
        (["optimise", "{folder}"], "optimise"),
        (["check"], "PATH"),
        (["check", "{folder}/none"], "There is no file or folder"),
        ([], "Usage"),
        (["optimize", "{folder}", "--out", ""], "--out ''"),
        (["optimize", "{folder}", "--out="], "An argument is empty"),
        (["check", ""], "An argument is empty: check ''"),
    ],
)
def test_a_wrong_command_is_exit_code_2(folder, arguments, message):
    """The message names what is wrong; nothing is solved, and there is no traceback."""
    done = run(*(argument.format(folder=folder) for argument in arguments))
    assert done.returncode == 2
    assert message in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    assert "Funded" not in done.stdout


def test_messages_are_in_the_language_asked_for(folder):
    """``--lang``, else ``CAPALLOC_LANG``, else a Vietnamese locale; else English."""
    vietnamese, english = "Tối ưu: không có kế hoạch nào tốt hơn.", "Optimal: no better plan exists."
    assert vietnamese in run("optimize", folder, "--lang", "vi").stdout
    assert vietnamese in run("optimize", folder, "--lang=vi", LANG="en_US.UTF-8").stdout
    assert vietnamese in run("optimize", folder, CAPALLOC_LANG="vi").stdout
    assert vietnamese in run("optimize", folder, LANG="vi_VN.UTF-8").stdout
    assert english in run("optimize", folder, "--lang", "en", CAPALLOC_LANG="vi").stdout
    assert [language_of([], {}, told) for told in ("vi_VN", "Vietnamese_Vietnam", "en_US", "")] == [
        "vi",
        "vi",
        "en",
        "en",
    ]
    assert language_of([], {"LANG": "en_US.UTF-8"}, "Vietnamese_Vietnam") == "en"
    assert english in run("optimize", folder).stdout


def test_vietnamese_survives_an_ascii_console(folder):
    """What is printed is UTF-8 whatever the environment says."""
    done = run("optimize", folder, "--lang", "vi", PYTHONIOENCODING="ascii", LC_ALL="C")
    assert done.returncode == 0
    assert "Ba dự án" in done.stdout


def test_help_is_in_both_languages():
    """Help and version need no portfolio."""
    assert "Find the best plan" in run("--help").stdout
    assert "Tìm kế hoạch tốt nhất" in run("--help", CAPALLOC_LANG="vi").stdout
    assert "bộ" in run("optimize", "--help", "--lang", "vi").stdout
    assert run("--version").stdout == f"capalloc {capalloc.__version__}\n"
    assert json.loads(run("--version", "--json").stdout)["capalloc"] == capalloc.__version__


def test_quiet_leaves_standard_error_empty(folder):
    """Neither progress nor warnings."""
    done = run("optimize", folder, "--quiet")
    assert (done.returncode, done.stderr) == (0, "")


def hard_portfolio(folder):
    """Write a portfolio that no engine solves to the end in the time of a test: 10 resources, 150 projects."""
    numbers = random.Random(7)  # noqa: S311  fixed numbers, no secret
    names = [f"P{i}" for i in range(150)]
    uses = [(p, f"R{r}", numbers.randint(100, 999)) for p in names for r in range(10)]
    value = {p: sum(u for q, _, u in uses if q == p) // 10 + numbers.randint(0, 400) for p in names}
    folder.mkdir()
    (folder / "portfolio.toml").write_text("first_year = 2026\nlast_year = 2026\n", encoding="utf-8")
    tables = {
        "projects": pd.DataFrame({"id": names, "value": value.values()}),
        "resources": pd.DataFrame({"id": [f"R{r}" for r in range(10)]}),
        "uses": pd.DataFrame(uses, columns=["project", "resource", "amount"]),
        "capacities": pd.DataFrame({"resource": [f"R{r}" for r in range(10)], "period": 2026, "amount": 40_000}),
    }
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    return folder


@pytest.fixture
def heeding_interrupts():
    """Let processes started here heed Ctrl-C, which whatever runs in the background ignores."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeding_interrupts")
def test_an_interrupt_keeps_the_best_plan(tmp_path):
    """Ctrl-C ends the run with exit code 130, after the best plan so far is written and printed."""
    folder = hard_portfolio(tmp_path / "hard")
    arguments = ["optimize", str(folder), "--gap", "0", "--time-limit", "120", "--out", str(tmp_path / "out"), "--json"]
    process = subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )
    assert "best" in process.stderr.readline()
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    answer = json.loads(out)
    assert process.returncode == 130, err
    assert (answer["status"], answer["stopped_by"]) == ("feasible", "interrupt")
    assert answer["value"] <= answer["bound"]
    assert {file.name for file in (tmp_path / "out").iterdir()} == PLAN_FILES - {"classes.csv"}
    assert capalloc.load_plan(tmp_path / "out" / "plan.json", capalloc.load(folder)).value == answer["value"]


def test_an_interruption_before_anything_is_found_leaves_no_empty_folder(folder, tmp_path):
    """A folder that was made for the plan is taken away again, one that was there stays."""
    stop = "import capalloc.portfolio as p\ndef stop(*_, **__): raise KeyboardInterrupt\np.solve_compiled = stop\n"
    command = [sys.executable, "-c", stop + COMMAND[2], "optimize", str(folder), "--out"]
    (tmp_path / "mine").mkdir()
    for out in (tmp_path / "deep" / "out", tmp_path / "mine" / "out"):
        assert subprocess.run([*command, str(out)], capture_output=True, check=False).returncode == 130
    assert not (tmp_path / "deep").exists()
    assert list((tmp_path / "mine").iterdir()) == []
    refused = run("optimize", folder, "--out", tmp_path / "deep" / "out", "--seed", -1)
    assert refused.returncode == 2
    assert not (tmp_path / "deep").exists()


def test_a_file_that_cannot_be_written_is_told(folder, tmp_path):
    """A folder in the place of a table is found only at the end; there is no traceback."""
    (tmp_path / "out" / "projects.csv").mkdir(parents=True)
    done = run("optimize", folder, "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "The folder" in done.stderr
    assert "Traceback" not in done.stderr


def test_ties_are_broken_where_it_is_asked_for(folder):
    """Standard error says whether it is proved, and so does the JSON."""
    done = run("optimize", folder, "--tie-break", "--json", "--quiet")
    assert json.loads(done.stdout)["canonical"] is True
    assert "this is the first in the order of the projects" in done.stderr
    assert json.loads(run("optimize", folder, "--json").stdout)["canonical"] is False


def test_a_time_limit_is_kept(tmp_path):
    """The run stops in time with the best plan and an honest bound."""
    done = run("optimize", hard_portfolio(tmp_path / "hard"), "--gap", "0", "--time-limit", "2", "--json")
    answer = json.loads(done.stdout)
    assert done.returncode == 0
    assert (answer["status"], answer["stopped_by"]) == ("feasible", "time_limit")
    assert answer["seconds"] < 20
    assert answer["bound"] > answer["value"]


SCENARIO_FILE = """base = "sample"
[scenario.low]
why = "less money"
[scenario.low.set]
"envelopes.state.2026-2030.amount" = "*0.6"
[grid]
"envelopes.state.2026-2030.amount" = [1600, 2600]
"""


@pytest.fixture
def scenario_file(folder, tmp_path):
    """Return the path of a scenario file beside the sample."""
    (tmp_path / "years.toml").write_text(SCENARIO_FILE, encoding="utf-8")
    return tmp_path / "years.toml"


def test_run_runs_the_scenarios_of_a_file(scenario_file, tmp_path):
    """Exit code 0; a row a scenario, progress and differences on standard error, the store and the tables as files."""
    done = run("run", scenario_file, "--store", tmp_path / "r.sqlite", "--workers", 1, "--out", tmp_path / "out")
    assert done.returncode == 0
    assert "r.sqlite: 4 scenarios" in done.stdout
    assert "4 of 4 scenarios  best 23 (grid-2)  0 failed" in done.stderr
    assert "low: envelopes.state.2026-2030.amount: 1,600 → 960" in done.stderr
    assert "The results are in" in done.stderr
    assert (tmp_path / "out" / "runs.csv").is_file()
    assert set(pd.read_csv(tmp_path / "out" / "projects.csv")["scenario"]) == {"base", "low", "grid-1", "grid-2"}
    told = run("diff", tmp_path / "r.sqlite", "low", "grid-2")
    assert told.returncode == 0
    assert "The value rises from 10 to 23, by 13. 2 projects enter: B, C." in told.stdout
    assert "Projects that differ" in told.stdout


def test_run_as_json_says_what_failed(folder, scenario_file, tmp_path):
    """Exit code 1 when a scenario has no plan; the document holds a row each."""
    make_infeasible(folder)
    done = run("run", scenario_file, "--store", tmp_path / "r.sqlite", "--workers", 1, "--json", "--quiet")
    answer = json.loads(done.stdout)
    assert done.returncode == 1
    assert [row["status"] for row in answer["scenarios"]] == ["infeasible", "infeasible", "infeasible", "optimal"]


def test_a_wrong_scenario_file_is_answered_like_a_person(scenario_file, tmp_path):
    """Exit code 2, each error at its line with the nearest name, no traceback, nothing run and no store made."""
    text = SCENARIO_FILE.replace("why", "wy").replace("2026-2030.amount", "2026-2030.amont")
    scenario_file.write_text(text, encoding="utf-8")
    done = run("run", scenario_file, "--store", tmp_path / "r.sqlite")
    assert (done.returncode, done.stdout) == (2, "")
    assert "years.toml, row 3, column scenario.low.wy: There is no key 'wy' here. Nearest key: why." in done.stderr
    scenario_file.write_text(text.replace("wy", "why"), encoding="utf-8")
    done = run("run", scenario_file, "--store", tmp_path / "r.sqlite", "--lang", "vi")
    assert (done.returncode, done.stdout) == (2, "")
    assert "years.toml, dòng 5" in done.stderr
    assert "years.toml, dòng 7" in done.stderr
    assert "Có phải ý bạn là: amount?" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "r.sqlite").exists()


def test_diff_of_two_plans_of_a_portfolio(folder, tmp_path):
    """Two plan.json of the same tables; the same plan differs in nothing."""
    assert run("optimize", folder, "--out", tmp_path / "one", "--quiet").returncode == 0
    plan = tmp_path / "one" / "plan.json"
    done = run("diff", folder, plan, plan, "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["projects"] == []
    assert "the same" in json.loads(done.stdout)["statement"]


@pytest.mark.usefixtures("heeding_interrupts")
def test_an_interrupted_run_is_exit_code_130(scenario_file, tmp_path):
    """Ctrl-C at any moment after the start: what is done is kept, and there is no traceback."""
    text = (
        'base = "sample"\n[grid]\n"envelopes.state.2026-2030.amount" = ['
        + ", ".join(map(str, range(900, 1400)))
        + "]\n"
    )
    scenario_file.write_text(text, encoding="utf-8")
    store = tmp_path / "r.sqlite"
    process = subprocess.Popen(
        [*COMMAND, "run", str(scenario_file), "--store", str(store), "--workers", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in process.stderr:
        if "best" in line and not line.startswith("0 of"):
            break
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert "Traceback" not in told
    assert 0 < sum(bool(own.row) for own in capalloc.load_runs(store).held) < 501

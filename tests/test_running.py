"""Scenarios run for real: by processes that are killed, into stores that are full, by two runs at once."""

import contextlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import pandas as pd
import psutil
import pytest

import capalloc as ca
from capalloc.headway import RunProgress
from capalloc.runstore import Reader, StoreFailed, Writer
from sample import sample

AMOUNT = "envelopes.state.2026-2030.amount"

DRIVER = """
import sys
import pandas as pd
import capalloc as ca
sys.path.insert(0, {tests!r})
from sample import sample
frame = pd.DataFrame({{{path!r}: range(900, 900 + int(sys.argv[2]))}})
ca.run(sample(), frame, store=sys.argv[1], workers=2)
"""


def few(count, first=900):
    """Return scenarios of as many different amounts of the state's envelope."""
    return pd.DataFrame({AMOUNT: range(first, first + count)})


def answers(runs):
    """Return what comes of each scenario: status and value."""
    frame = runs.to_frame()
    values = [None if pd.isna(value) else value for value in frame["value"]]
    return dict(zip(frame["scenario"], zip(frame["status"], values, strict=True), strict=True))


@pytest.fixture(scope="module")
def expected():
    """Return what each of 24 amounts leads to, told by a run of its own."""
    base = sample()
    plans = {f"sample-{n + 1:02}": base.with_changes({AMOUNT: 900 + n}).optimize() for n in range(24)}
    return {"base": ("optimal", 16.0)} | {name: (plan.status, plan.value) for name, plan in plans.items()}


def start_driver(store, count):
    """Start a run as a program of its own, without a guard against being imported."""
    text = DRIVER.format(tests=str(Path(__file__).parent), path=AMOUNT)
    return subprocess.Popen([sys.executable, "-c", text, str(store), str(count)], stderr=subprocess.PIPE, text=True)


def results_in(store):
    """Return how many results a store holds, 0 as long as there is none."""
    with contextlib.suppress(ca.CapallocError, sqlite3.Error), contextlib.closing(Reader(store)) as reader:
        return sum(bool(own.row) for own in reader.held())
    return 0


def wait_for(store, count):
    """Wait until a store holds so many results."""
    limit = time.monotonic() + 120
    while results_in(store) < count:
        assert time.monotonic() < limit
        time.sleep(0.01)


def test_results_are_those_of_runs_alone(tmp_path, expected):
    """One worker and two give what each portfolio gives alone, and a second run has nothing left to do."""
    for workers in (1, 2):
        runs = ca.run(sample(), few(24), store=tmp_path / f"{workers}.sqlite", workers=workers)
        assert answers(runs) == expected
    reports = []
    again = ca.run(sample(), few(24), store=tmp_path / "2.sqlite", progress=reports.append)
    assert answers(again) == expected
    assert [(report.done, report.of) for report in reports] == [(25, 25)]


def test_progress_tells_rate_best_failures_and_the_time_left(tmp_path):
    """A report a scenario; a scenario that two names share counts for both."""
    reports = []
    scenarios = {"low": {AMOUNT: 1000}, "same": {AMOUNT: "-600"}, "wrong": {"projects.A.earliest_start": 2027}}
    ca.run(sample(), scenarios, store=tmp_path / "r.sqlite", workers=1, progress=reports.append)
    assert all(isinstance(report, RunProgress) for report in reports)
    assert [report.done for report in reports] in ([0, 1, 3, 4], [0, 1, 2, 4])
    last = reports[-1]
    assert (last.of, last.failed, last.best, last.best_name, last.left) == (4, 1, 16, "base", 0.0)
    assert last.rate > 0


def test_a_scenario_that_cannot_be_run_is_a_row_with_its_reason(tmp_path):
    """Wrong tables fail, a project that can never be funded is infeasible; the others have their plans."""
    scenarios = {
        "wrong": {"projects.A.earliest_start": 2027},
        "never": {"projects.A.mandatory": True, "projects.A.cost": 9000},
        "fine": {AMOUNT: "*0.9"},
    }
    runs = ca.run(sample(), scenarios, store=tmp_path / "r.sqlite", workers=1)
    frame = runs.to_frame().set_index("scenario")
    assert frame["status"].to_dict() == {
        "base": "optimal",
        "wrong": "failed",
        "never": "infeasible",
        "fine": "optimal",
    }
    assert "The latest start 2026 comes before the earliest start 2027" in frame.loc["wrong", "reason"]
    assert "Project A can never be funded" in frame.loc["never", "reason"]
    assert not runs.all_planned


def test_a_killed_run_goes_on_where_it_was(tmp_path, expected):
    """``kill -9`` of the driver at a random moment, twice: nothing is lost, and nothing is written twice."""
    store, chance = tmp_path / "r.sqlite", random.Random(7)  # noqa: S311
    for most in (8, 20):
        driver = start_driver(store, 24)
        wait_for(store, chance.randrange(1, most))
        driver.kill()
        driver.communicate()
    kept = {own.id: own.row["ended"] for own in ca.load_runs(store).held if own.row}
    runs = ca.run(sample(), few(24), store=store)
    assert answers(runs) == expected
    assert kept.items() <= {own.id: own.row["ended"] for own in runs.held}.items()


def test_killed_workers_are_replaced(tmp_path, expected):
    """``kill -9`` of every worker, again and again: each scenario is tried once more and none is lost."""
    killed, others = [], set(psutil.Process().children())

    def kill(report):
        if report.done in (1, 4, 9):
            # A browser that other tests share is a child of this process too.
            children = set(psutil.Process().children()) - others
            killed.extend(child.pid for child in children)
            for child in children:
                child.kill()

    runs = ca.run(sample(), few(12), store=tmp_path / "r.sqlite", progress=kill)
    assert len(killed) >= 3
    assert answers(runs) == {name: expected[name] for name in runs.names}


def harmed(home, harm):
    """Return a folder that does harm to ``working``, the module of that name, in each process that has it on its path.

    Python imports ``sitecustomize`` before anything else; it waits there until the module is imported.
    """
    home.mkdir()
    waiting = """
        import builtins
        real = __import__
        def watching(name, *rest, **more):
            module = real(name, *rest, **more)
            if name == "capalloc.working":
                builtins.__import__ = real
                harm(module)
            return module
        builtins.__import__ = watching
    """
    body = "def harm(working):\n" + textwrap.indent(textwrap.dedent(harm).strip(), "    ")
    (home / "sitecustomize.py").write_text(f"{body}\n{textwrap.dedent(waiting)}", encoding="utf-8")
    return home


def test_a_scenario_that_kills_its_workers_fails_alone(tmp_path, monkeypatch):
    """After three workers have died of it, it is a failed row that says so; ``again`` runs it once more."""
    harm = """
        import os
        do = working.Workbench.do
        working.Workbench.do = lambda self, task: os._exit(9) if "937" in str(task.steps) else do(self, task)
    """
    monkeypatch.setenv("PYTHONPATH", str(harmed(tmp_path / "deadly", harm)), prepend=os.pathsep)
    scenarios = {"deadly": {AMOUNT: 937}, "fine": {AMOUNT: 938}}
    runs = ca.run(sample(), scenarios, store=tmp_path / "r.sqlite", workers=1)
    frame = runs.to_frame().set_index("scenario")
    assert frame["status"].to_dict() == {"base": "optimal", "deadly": "failed", "fine": "optimal"}
    assert frame.loc["deadly", "attempts"] == 3
    assert "The process that worked on the scenario ended (code 9" in frame.loc["deadly", "reason"]
    monkeypatch.delenv("PYTHONPATH")
    assert ca.run(sample(), scenarios, store=tmp_path / "r.sqlite").to_frame()["status"].tolist()[1] == "failed"
    mended = ca.run(sample(), scenarios, store=tmp_path / "r.sqlite", again=True, workers=1)
    assert mended.to_frame()["status"].tolist() == ["optimal"] * 3


def test_a_scenario_that_needs_more_memory_than_there_is_fails_alone(tmp_path, monkeypatch):
    """Its worker, which may take no more than a limit, goes on with the others; the row says why, in words."""
    harm = """
        import resource
        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
        changed = working.changed
        working.changed = lambda base, steps: bytearray(8 << 30) if "937" in str(steps) else changed(base, steps)
    """
    monkeypatch.setenv("PYTHONPATH", str(harmed(tmp_path / "greedy", harm)), prepend=os.pathsep)
    scenarios = {"greedy": {AMOUNT: 937}, "fine": {AMOUNT: 938}}
    frame = ca.run(sample(), scenarios, store=tmp_path / "r.sqlite", workers=1).to_frame().set_index("scenario")
    assert frame["status"].to_dict() == {"base": "optimal", "greedy": "failed", "fine": "optimal"}
    assert frame.loc["greedy", "attempts"] == 1
    assert frame.loc["greedy", "reason"].startswith("The memory of the machine was not enough for this scenario.")


def test_two_runs_cannot_write_one_store(tmp_path):
    """The second is refused with the first one's machine, process and time; readers are welcome."""
    store = tmp_path / "r.sqlite"
    with Writer(store):
        with pytest.raises(StoreFailed, match=rf"being written by another run \(.*, {os.getpid()}, "):
            ca.run(sample(), few(2), store=store)
        assert ca.load_runs(store).names == ()
    assert ca.run(sample(), few(1), store=store, workers=1).complete


def test_a_full_disk_keeps_what_was_written(tmp_path):
    """The run says so in a sentence; with room again, the same run goes on."""
    store = tmp_path / "r.sqlite"
    text = DRIVER.format(tests=str(Path(__file__).parent), path=AMOUNT)
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))\n"
    body = textwrap.indent(text.strip(), "    ")
    caught = f"{limit}try:\n{body}\nexcept ca.CapallocError as failure:\n    print(failure)\n"
    done = subprocess.run([sys.executable, "-c", caught, str(store), "24"], capture_output=True, text=True, check=True)
    assert "cannot take more" in done.stdout
    kept = results_in(store)
    assert 0 < kept < 25
    runs = ca.run(sample(), few(24), store=store)
    assert runs.complete
    assert len(runs) == 25


@pytest.fixture
def closed_folder(tmp_path):
    """Return a folder with a store in it that nobody may write while the test runs, not even the superuser."""
    folder = Path(tempfile.mkdtemp())
    ca.run(sample(), few(1), store=folder / "r.sqlite", workers=1)
    folder.chmod(0o555)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    yield folder
    os.seteuid(user)
    shutil.rmtree(folder)


def test_a_folder_that_cannot_be_written_is_told(closed_folder, tmp_path):
    """Before anything is run, with the path and what to do."""
    for path in (closed_folder / "new.sqlite", tmp_path / "gone" / "r.sqlite"):
        with pytest.raises(StoreFailed, match=r"cannot be written .* Choose a folder that may be written"):
            ca.run(sample(), few(2), store=path)


def test_a_store_that_may_only_be_read_is_read(closed_folder):
    """What stands in it can still be looked at."""
    runs = ca.load_runs(closed_folder / "r.sqlite")
    assert answers(runs) == {"base": ("optimal", 16.0), "sample-1": ("optimal", 6.0)}
    assert runs.plans("sample-1").value == 6


def test_another_file_is_not_overwritten(tmp_path):
    """Neither a text nor somebody else's database becomes a store."""
    (tmp_path / "notes.txt").write_text("Do not touch. " * 100, encoding="utf-8")
    with contextlib.closing(sqlite3.connect(tmp_path / "other.sqlite")) as other:
        other.execute("CREATE TABLE mine (a)")
        other.commit()
    with pytest.raises(StoreFailed, match="is no store of runs"):
        ca.run(sample(), few(1), store=tmp_path / "notes.txt")
    with pytest.raises(ca.InvalidInput, match="The file is no store of runs"):
        ca.run(sample(), few(1), store=tmp_path / "other.sqlite")
    assert (tmp_path / "notes.txt").read_text(encoding="utf-8").startswith("Do not touch.")


def test_what_stops_a_run_as_it_opens_its_store_leaves_the_guard_to_others(tmp_path, monkeypatch):
    """Another run may hold it by now: taken away, a third could hold a new one beside it."""

    def stopped(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Writer, "_opened", stopped)
    with pytest.raises(KeyboardInterrupt):
        Writer(tmp_path / "r.sqlite")
    assert [file.name for file in tmp_path.iterdir()] == ["r.sqlite.lock"]


def test_ctrl_c_stops_at_once_and_keeps_what_is_done(tmp_path, expected):
    """The answer says what waits; the next run does it."""

    def interrupt(report):
        if report.done == 5:
            os.kill(os.getpid(), signal.SIGINT)

    runs = ca.run(sample(), few(24), store=tmp_path / "r.sqlite", progress=interrupt)
    assert runs.interrupted
    assert not runs.complete
    statuses = runs.to_frame()["status"].tolist()
    assert 5 <= len(statuses) - statuses.count("waiting") < 25
    assert answers(ca.run(sample(), few(24), store=tmp_path / "r.sqlite")) == expected


def test_the_time_limit_is_one_for_each_scenario(tmp_path):
    """Where nothing can be found in it, the row says that it is not decided, and is no failure."""
    runs = ca.run(sample(), few(2), store=tmp_path / "r.sqlite", workers=1, time_limit=1e-9)
    assert set(runs.to_frame()["stopped_by"]) <= {"time_limit", "proof"}
    assert set(runs.to_frame()["status"]) <= {"unknown", "feasible", "optimal"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"workers": 0}, "workers is 0"),
        ({"workers": "dask:/host"}, "workers is 'dask:/host'"),
        ({"workers": True}, "workers is True"),
        ({"scenarios": 7}, "scenarios is 7"),
        ({"scenarios": {"low": 7}}, "low is 7"),
        ({"gap": -1}, "gap is -1"),
        ({"store": 7}, "store is 7"),
        ({"scenarios": {"low": {"envelops.state.2026-2030.amount": 1}}}, "Did you mean: envelopes?"),
    ],
)
def test_wrong_arguments_are_told_before_anything_is_written(tmp_path, arguments, message):
    """In the user's words, and no store is made."""
    given = {"scenarios": {}, "store": tmp_path / "r.sqlite"} | arguments
    with pytest.raises(ca.InvalidInput) as wrong:
        ca.run(sample(), given.pop("scenarios"), **given)
    assert message in str(wrong.value).replace("\n", " ")
    assert list(tmp_path.iterdir()) == []

"""The report of all questions: every part is there or says why not, in its time, and it can be written and read."""

import json
from time import perf_counter

import pytest

from capalloc import InvalidInput
from capalloc.catalogue import speaking
from few import few
from sample import sample, write_sample
from test_shell import make_infeasible, run

NAMES = [
    "tornado",
    "stress",
    "core",
    "alternatives",
    "steps:state 2026-2030",
    "frontier:state 2026-2030",
    "steps:oda 2026-2030",
    "frontier:oda 2026-2030",
    "frontier:state 2026-2030 + oda 2026-2030",
    "why-not:C",
]


@pytest.fixture(scope="module")
def report():
    """The report of the sample, and the parts that were announced."""
    told = []
    found = sample().sensitivity_report(120.0, gap=0.0, threads=1, progress=told.append)
    return found, told


def test_every_question_is_asked_in_turn(report):
    """One part an envelope and a rejected project; each is announced before it begins."""
    found, told = report
    assert [part.name for part in found.parts] == NAMES
    assert [(part.name, part.number, part.of) for part in told] == [
        (name, number, len(NAMES)) for number, name in enumerate(NAMES, start=1)
    ]


def test_each_part_is_the_answer_of_its_method(report):
    """The report says nothing that the single question would not say."""
    found, _ = report
    alone = sample().tornado(gap=0.0, threads=1)
    assert found.statements["tornado"] == str(alone)
    assert found.frames["tornado"].equals(alone.to_frame())
    assert str(found["why-not:C"]).startswith("With C (Cầu C) in it, the best plan found is worth 13 instead of 16")
    assert set(found.frames) == set(NAMES)


def test_the_report_is_written_as_text_tables_and_json(report, tmp_path):
    """One CSV file a part; the JSON holds the same tables."""
    found, _ = report
    names = {path.name for path in found.save(tmp_path / "out")}
    assert {"sensitivity.txt", "sensitivity.json", "tornado.csv", "why-not-C.csv", "steps-oda-2026-2030.csv"} <= names
    record = json.loads((tmp_path / "out" / "sensitivity.json").read_text(encoding="utf-8"))
    assert [part["name"] for part in record["parts"]] == NAMES
    assert len(record["parts"][0]["table"]) == len(found.frames["tornado"])
    assert record["value"] == record["bound"] == 16


def test_the_report_speaks_the_language_in_force(report):
    """Titles and paragraphs alike."""
    found, _ = report
    assert "One number at a time" in str(found)
    with speaking("vi"):
        assert "Sức chịu đựng của kế hoạch" in str(found)
        assert "Vì sao không bố trí vốn cho C" in found._repr_html_()


def test_the_parts_are_about_the_plan_of_the_report(report):
    """No part seeks the plan again, which in little time might find a worse one."""
    found, _ = report
    assert found["tornado"].base is found.plan.answer
    assert found["steps:state 2026-2030"].steps[0].value == found.plan.answer.value


def test_a_part_is_headed_by_what_it_is_about(report):
    """Envelopes and projects stand under their names, not under ids alone."""
    found, _ = report
    headings = found.summary().splitlines()
    assert "Why not C (Cầu C)" in headings
    assert "What more money buys: Ngân sách, 2026-2030" in headings


def test_nothing_is_asked_about_an_envelope_without_money():
    """A tenth more of nothing is nothing: 2027 is in no part of its own."""
    envelopes = {"source": ["state", "state"], "period": ["2026", "2027"], "amount": [5, 0]}
    found = few({"A": {"cost": 5, "value": 1}}, 5, envelopes=envelopes).sensitivity_report(60.0, gap=0.0, threads=1)
    assert [part.name for part in found.parts][-2:] == ["steps:state 2026", "frontier:state 2026"]
    assert set(found.frames["tornado"]["parameter"]) == {"envelopes.state.2026.amount"}


def test_a_question_that_cannot_be_asked_says_why():
    """With ordered classes no better split over time is sought; the other parts are answered."""
    settings = {"objective": {"goal": "lexicographic"}}
    envelopes = {"source": ["state", "state"], "period": ["2026", "2027"], "amount": [1, 1]}
    portfolio = few({"A": {"cost": 1, "value": 1, "priority": 1}}, 1, settings, envelopes=envelopes)
    found = portfolio.sensitivity_report(60.0, gap=0.0, threads=1)
    assert "lexicographic" in found.statements["rephase:state"]
    assert "rephase:state" not in found.frames
    assert {"stress", "alternatives", "steps:state 2026", "frontier:state 2027"} <= found.frames.keys()


def test_where_costs_may_rise_a_plan_that_bears_it_is_sought():
    """A of 10 may cost 15 in a room of 20: beside B of 10 it does not fit then."""
    projects = {"A": {"cost": 10, "cost_high": 15, "value": 3}, "B": {"cost": 10, "value": 2}}
    found = few(projects, 20).sensitivity_report(60.0, gap=0.0, threads=1)
    assert found["robust"].answer.value == 3
    assert "Every envelope holds when any 5 of its projects cost the most" in found.statements["robust"]
    assert not [part.name for part in found.parts if " + " in part.name]


def test_without_a_plan_only_what_conflicts_is_asked():
    """Two projects that exclude each other are both mandatory."""
    projects = {name: {"cost": 1, "value": 1, "mandatory": True} for name in "AB"}
    portfolio = few(projects, 1)
    found = portfolio.sensitivity_report(60.0, threads=1)
    assert [part.name for part in found.parts] == ["conflict"]
    assert found.plan.projects is None
    assert found.record()["value"] is None


def test_the_time_limit_is_kept():
    """Parts that come too late are cut short and say so, or have no answer; none is left out in silence."""
    projects = {f"P{n}": {"cost": 7 * n + 3, "cost_high": 8 * n + 9, "value": 5 * n + 2} for n in range(12)}
    clock = perf_counter()
    found = few(projects, 100).sensitivity_report(1.0, threads=1)
    assert perf_counter() - clock < 15
    assert all(found.statements.values())
    with pytest.raises(InvalidInput, match="time_limit"):
        few(projects, 100).sensitivity_report(0.0)


def test_the_shell_writes_the_report_and_shows_its_progress(tmp_path):
    """Statements on standard output, parts on standard error, files in the folder; exit code 0."""
    folder = write_sample(tmp_path / "sample")
    done = run("sensitivity", folder, "--time-limit", 60, "--threads", 1, "--out", tmp_path / "out", "--lang", "vi")
    assert done.returncode == 0
    assert "Biến động từng số liệu" in done.stdout
    assert "10/10" in done.stderr
    assert (tmp_path / "out" / "tornado.csv").exists()


def test_the_shell_prints_json_and_nothing_else(tmp_path):
    """What conflicts is the report of a portfolio without a plan; exit code 1."""
    folder = write_sample(tmp_path / "sample")
    make_infeasible(folder)
    done = run("sensitivity", folder, "--time-limit", 30, "--threads", 1, "--json", "--quiet")
    record = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (1, "")
    assert [part["name"] for part in record["parts"]] == ["conflict"]


def test_a_watcher_that_cannot_be_called_is_refused():
    """As any other argument of the wrong type."""
    with pytest.raises(InvalidInput, match="progress is 3"):
        sample().sensitivity_report(progress=3)

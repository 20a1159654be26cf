"""The comparison of engines: its runs, what is kept of them, and the page that is written."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pulp
import pytest
from scipy.sparse import csr_array

import capalloc as ca
from benchmarks import compare, contenders
from benchmarks.cases import CASES
from benchmarks.compile import build, lists_of, main
from benchmarks.contenders import CONTENDERS
from benchmarks.generator import generate
from benchmarks.measuring import measure
from benchmarks.page import comparison, replace_part
from benchmarks.peers.cpsat import Worker
from benchmarks.peers.peering import Peer, handed
from benchmarks.records import Record, Terms, keep, path_of, read
from benchmarks.standings import heats, part_of_best_peer, standings
from capalloc.compiling import compile_tables
from capalloc.engines.base import Finding
from capalloc.model import LinearModel, SolveOptions, Status, StoppedBy
from capalloc.solving import solve_compiled

STAND_IN = (sys.executable, str(Path(__file__).with_name("standin_solver.py")))
TERMS = Terms(time_limit=0.5, threads=1, seed=1)


def record(contender, value, bound, **facts):
    """Return a run on a generated case that found a value and proved a bound."""
    facts = {"case": "generated/tight-100", "terms": TERMS, "status": "feasible", "version": "1"} | facts
    return Record(contender=contender, value=value, bound=bound, **facts)


def model_of(objective, matrix, row_upper, integer=True):
    """Return a model of columns from 0 to 1 whose rows are limited from above."""
    count = len(objective)
    return LinearModel(
        objective=np.array(objective, dtype=float),
        matrix=csr_array(np.array(matrix, dtype=float)),
        row_lower=np.full(len(row_upper), -np.inf),
        row_upper=np.array(row_upper, dtype=float),
        lower=np.zeros(count),
        upper=np.ones(count),
        integer=np.full(count, integer),
    )


@pytest.fixture
def worker():
    """Return the process of the stand-in, ended after the test."""
    made = Worker(STAND_IN)
    yield made
    made.close()


@pytest.mark.parametrize("name", ["generated/phase-100", "generated/yearly-100", "generated/tight-100"])
@pytest.mark.parametrize("contender", ["capalloc", "highs", "cbc"])
def test_a_generated_case_is_measured(name, contender):
    """Every family is loaded, compiled, solved for a moment and judged; nothing contradicts the verifier."""
    case = next(case for case in CASES if case.name == name)
    run = measure(case, CONTENDERS[contender], TERMS, Path())
    assert run.wrong == ()
    assert run.status in ("feasible", "optimal", "unknown")
    assert (run.value is None) == (run.status == "unknown")
    assert run.curve[-1] == (run.seconds, run.value, run.bound)
    assert all(size > 0 for size in run.size)


def test_a_published_optimum_is_held_against_the_run(tmp_path):
    """A plan worth more than what is proved to be the most is wrong, whoever found it."""
    folder = tmp_path / "mkp"
    folder.mkdir()
    (folder / "mknapcb1.txt").write_text("1\n2 1 0\n24382 5\n1 1\n1\n", encoding="utf-8")
    case = next(case for case in CASES if case.name == "mkp/5.100-00")
    run = measure(case, CONTENDERS["highs"], TERMS, tmp_path)
    assert run.wrong == ("claims 24,382, but it is proved that nothing exceeds 24,381",)


def test_a_model_beyond_a_licence_is_unfit():
    """A contender that may not take the model is not counted as one that found nothing."""
    case = next(case for case in CASES if case.name == "generated/phase-100")
    run = measure(case, replace(CONTENDERS["highs"], most=50), TERMS, Path())
    assert (run.status, run.remark) == ("unfit", "more than 50 columns or rows")


def test_a_run_is_kept_and_read_again(tmp_path):
    """What was written is what is read, under the terms that may be compared."""
    run = record("highs", 1.5, None, curve=((0.1, None, 2.0), (0.5, 1.5, None)), wrong=("so",), size=(1, 2, 3))
    path = path_of(tmp_path, run.case, run.contender, run.terms)
    keep(run, path)
    assert read(path) == run
    assert path == tmp_path / "0.5s-1t" / "generated_tight-100--highs--1.json"


def test_cp_sat_is_handed_whole_numbers_and_its_plan_is_verified(worker):
    """The process finds the best plan of a small portfolio, which is paid and verified like any other."""
    frames = {
        "projects": pd.DataFrame({"id": ["A", "B", "C"], "cost": [6, 5, 4], "duration": 1, "value": [9, 8, 5]}),
        "sources": pd.DataFrame({"id": ["state"], "side": ["state"]}),
        "envelopes": pd.DataFrame({"source": "state", "period": ["2021", "2022"], "amount": [6, 9]}),
    }
    settings = {"first_year": 2021, "last_year": 2022, "discount_rate": 0.1}
    compiled = compile_tables(ca.Portfolio.from_tables(settings, frames).tables)
    news = []
    answer = solve_compiled(
        compiled, SolveOptions(gap=0.0), Peer("cp-sat", worker.drive), progress=lambda seen: news.append(seen.value)
    )
    # A takes all of the first year, B and C all of the second: 9 + 8/1.1 + 5/1.1.
    assert answer.status is Status.OPTIMAL
    assert float(answer.value) == pytest.approx(20.818182)
    assert news[-1] == pytest.approx(20.818182)


def test_one_process_takes_one_model_after_another(worker):
    """A second model is answered as well, and one without a point is called infeasible."""
    peer = Peer("cp-sat", worker.drive)
    small = model_of([3, 2], [[1, 1]], [1])
    assert peer.solve(small, SolveOptions()).x.tolist() == [1, 0]
    impossible = replace(small, row_lower=np.array([3.0]), row_upper=np.array([4.0]))
    assert peer.solve(impossible, SolveOptions()).status is Status.INFEASIBLE


def test_cp_sat_refuses_what_is_not_whole(worker):
    """A value by parts cannot be said in whole numbers, and is not rounded in silence."""
    with pytest.raises(ca.EngineFailed, match="something has a value by parts"):
        Peer("cp-sat", worker.drive).solve(model_of([1], [[1]], [1], integer=False), SolveOptions())
    with pytest.raises(ca.EngineFailed, match="whole numbers in bounds, and data has another"):
        Peer("cp-sat", worker.drive).solve(model_of([1], [[0.5]], [1]), SolveOptions())


def test_a_process_that_ends_is_a_failure():
    """A process that dies before it answers is not waited for."""
    with pytest.raises(ca.EngineFailed, match=r"ended without an answer \(code 3\)"):
        Worker((sys.executable, "-c", "raise SystemExit(3)"))


def test_a_point_that_breaks_a_row_is_passed_over():
    """Of a solver's points the first that holds counts; when none does, the solver has failed."""
    model = model_of([3, 2], [[1, 1]], [1])
    given = handed(model)
    assert given.best([np.array([1.0, 1.0]), np.array([0.0, 1.0])], "peer").tolist() == [0, 1]
    assert given.best([], "peer") is None
    with pytest.raises(ca.EngineFailed):
        given.best([np.array([1.0, 1.0])], "peer")


def test_a_peer_is_not_asked_about_a_model_without_a_point():
    """Bounds that cross are answered before any solver sees them."""

    def drive(_model, _options, _watch):
        return Finding(StoppedBy.PROOF)

    crossed = replace(model_of([1], [[1]], [1]), lower=np.array([2.0]))
    assert Peer("peer", drive).solve(crossed, SolveOptions()).status is Status.INFEASIBLE


def test_distances_are_taken_to_the_best_bound_of_all():
    """Our distance is a part of that of the best peer, both to the least bound anyone proved."""
    runs = [record("capalloc", 99.0, 120.0), record("highs", 96.0, 100.0), record("cbc", 90.0, 110.0)]
    sides = standings(heats(runs))["generated/tight-100"]
    assert {name: side.distance for name, side in sides.items()} == pytest.approx(
        {"capalloc": 0.01, "highs": 0.04, "cbc": 0.1}
    )
    assert part_of_best_peer(sides) == pytest.approx(0.25)


def test_seeds_are_summed_up_by_their_median():
    """One unlucky seed of three does not move the middle."""
    runs = [
        record("highs", value, 100.0, terms=replace(TERMS, seed=seed))
        for seed, value in enumerate((99.0, 98.0, 10.0), 1)
    ]
    assert standings(heats(runs))["generated/tight-100"]["highs"].distance == pytest.approx(0.02)


def test_a_bound_below_a_plan_of_another_is_a_contradiction():
    """A verified plan refutes every bound below it, and every claim that there is no plan."""
    runs = [record("highs", 90.0, 95.0), record("cbc", 96.0, 99.0), record("scip", None, None, status="infeasible")]
    (heat,) = heats(runs)
    assert list(heat.contradictions()) == [
        "generated/tight-100, seed 1, highs: claims that nothing exceeds 95, but cbc holds a verified plan of 96",
        "generated/tight-100, seed 1, scip: claims that nothing exceeds -, but cbc holds a verified plan of 96",
    ]


def test_the_page_names_who_is_absent_and_how_to_get_it(monkeypatch):
    """A peer that is not installed is missing from the table for a reason that can be read."""
    gone = replace(CONTENDERS["scip"], package="no-such-solver")
    monkeypatch.setitem(contenders.CONTENDERS, "scip", gone)
    text = comparison(heats([record("highs", 99.0, 100.0)]), TERMS, "command", "A machine.", "chart.svg")
    assert "**Absent: scip**, because no-such-solver is not installed (`pip install 'capalloc[bench]'`)" in text
    assert "| generated/tight-100 | 1 | 1.00% |" in text


def test_the_page_says_proved_unfit_failed_and_no_plan():
    """Four ways of having no distance are told apart."""
    runs = [
        record("capalloc", 99.0, 99.0, status="optimal", seconds=2.0),
        record("highs", None, 100.0, status="unknown"),
        record("cbc", None, None, status="failed", remark="fell over"),
        record("gurobi", None, None, status="unfit"),
    ]
    text = comparison(heats(runs), TERMS, "command", "A machine.", "chart.svg")
    assert "| generated/tight-100 | 1 | proved 2.0 s | no plan | failed | unfit |" in text
    assert "- generated/tight-100, cbc: fell over" in text


def test_a_part_of_the_page_is_replaced_and_the_others_stay(tmp_path):
    """Two commands write into one page."""
    page = tmp_path / "RESULTS.md"
    for name, text in (("one", "first"), ("two", "second"), ("one", "third")):
        replace_part(page, name, text)
    written = page.read_text(encoding="utf-8")
    assert "third" in written
    assert "second" in written
    assert "first" not in written
    assert written.count("<!-- one -->") == 1


def test_the_command_measures_what_is_not_kept_and_writes_page_and_chart(tmp_path, capsys):
    """A second call repeats nothing and writes the same table."""
    words = ["generated/phase-100", "--engines", "highs", "--seeds", "1", "--time-limit", "0.5"]
    words += ["--results", str(tmp_path / "kept"), "--page", str(tmp_path / "PAGE.md")]
    assert compare.main(words) == 0
    assert "1 runs, of which 0 are kept" in capsys.readouterr().out
    first = (tmp_path / "PAGE.md").read_text(encoding="utf-8")
    assert "generated/phase-100" in first
    assert "<svg" in (tmp_path / "page-0.5s-1t.svg").read_text(encoding="utf-8")
    assert compare.main(words) == 0
    assert "1 runs, of which 1 are kept" in capsys.readouterr().out
    assert (tmp_path / "PAGE.md").read_text(encoding="utf-8") == first


def test_the_command_says_what_it_cannot_run(tmp_path, capsys):
    """Unknown contenders, too many processors and public instances without a folder are named before anything runs."""
    kept = ["--results", str(tmp_path), "--page", str(tmp_path / "PAGE.md")]
    assert compare.main(["generated/phase-100", "--engines", "cplex", *kept]) == 2
    assert "There is no contender cplex; there are capalloc, highs" in capsys.readouterr().err
    assert compare.main(["generated/phase-100", "--jobs", "1000", *kept]) == 2
    assert "1000 runs of 1 threads at a time need 1000 processors" in capsys.readouterr().err
    assert compare.main(["mmkp/I01", *kept]) == 2
    assert "mmkp/I01 is left out: --instances was not given" in capsys.readouterr().out


def test_a_run_that_falls_over_is_kept_as_failed(tmp_path):
    """What a process says last is the remark of its run."""
    case = replace(next(case for case in CASES if case.name == "generated/phase-100"), name="generated/none")
    options = compare.options_of(["--results", str(tmp_path)])
    run = compare.carry_out(compare.Run(case, CONTENDERS["highs"], TERMS), options, [0], compare.Field())
    assert run.status == "failed"
    assert "invalid choice: 'generated/none'" in run.remark


def test_pulp_builds_the_model_that_we_compile():
    """What is timed against each other has the same best value."""
    compiled = compile_tables(ca.Portfolio.from_tables(*generate("phase", 12, seed=1)).tables)
    problem = build(*lists_of(compiled.model))
    problem.solve(pulp.HiGHS(msg=False))
    plan = ca.Portfolio(compiled.tables).optimize(engine="highs", gap=0)
    assert pulp.value(problem.objective) * float(compiled.unit) == pytest.approx(float(plan.value))


def test_compiling_is_measured_and_written(tmp_path, capsys):
    """The command prints what it writes, with a row a family and size."""
    assert main(["10", "--times", "1", "--page", str(tmp_path / "PAGE.md")]) == 0
    written = (tmp_path / "PAGE.md").read_text(encoding="utf-8")
    assert [line.split(" | ")[0] for line in written.splitlines() if "-10 |" in line] == [
        "| phase-10",
        "| yearly-10",
        "| tight-10",
    ]
    assert "`import capalloc`, warm:" in capsys.readouterr().out

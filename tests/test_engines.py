"""All engines through the same tests: a status, a bound and a point mean the same in each."""

import json
import subprocess
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capalloc.catalogue import speaking
from capalloc.engines import engine_named
from capalloc.engines.points import holds, value_of
from capalloc.issues import EngineFailed, UnknownName
from capalloc.model import SolveOptions, Status, StoppedBy, relative_gap
from small_models import INF, financed_model, hard_model, model_of
from strategies import cases

NAMES = ["highs", "capalloc", "enumeration", "pulp:CBC", "pulp:HiGHS"]
SOLVERS = [name for name in NAMES if name != "enumeration"]
TO_THE_END = SolveOptions(gap=0, threads=1)

SOLVABLE = {
    # 20 + 30 = 50 fills the knapsack; the densest item, 10, would leave room unused.
    "knapsack": (model_of([60, 100, 120], [([10, 20, 30], -INF, 50)]), 220),
    # One start year of each project; the two early starts together cost 9 > 8.
    "at most one of a group": (
        model_of([9, 6, 7, 5], [([1, 1, 0, 0], -INF, 1), ([0, 0, 1, 1], -INF, 1), ([5, 0, 4, 0], -INF, 8)]),
        14,
    ),
    "paid by two sources": (financed_model(), 10),
    "exactly one": (model_of([3, 5, 4], [([1, 1, 1], 1, 1), ([0, 1, 0], -INF, 0)]), 4),
    "at least one of what costs value": (model_of([-3, -5], [([1, 1], 1, INF)]), -3),
    "a row with two sides": (model_of([2, 3, 4], [([1, 1, 1], 2, 2)]), 7),
    "no rows": (model_of([3, -2, 0]), 3),
    "a row without entries": (model_of([3], [([0], -1, 1)]), 3),
    "nothing to gain": (model_of([0, 0], [([1, 1], 1, 1)]), 0),
    "all columns fixed": (model_of([3, 4], [([1, 1], -INF, 2)], lower=1, upper=1), 7),
    "no columns": (model_of([], [([], -1, 1)]), 0),
    "whole numbers beyond one": (model_of([5, 4], [([6, 4], -INF, 24), ([1, 2], -INF, 6)], upper=9), 20),
    "negative lower bounds": (model_of([-1, 1], [([1, -1], -1, INF)], lower=-3, upper=3), 1),
    # The corner 2 x + y = 4, x + 2 y = 4 lies at 4/3 and 4/3.
    "nothing must be whole": (
        model_of([1, 1], [([2, 1], -INF, 4), ([1, 2], -INF, 4)], upper=INF, whole=False),
        8 / 3,
    ),
    # Among amounts of 10**7 one unit more than the room is still too much.
    "one unit beyond ten millions": (
        model_of([2, 1, 1], [([10_000_001, 1, 0], -INF, 10_000_001), ([0, 10_000_000, 1], -INF, 10_000_000)]),
        3,
    ),
    # CBC 2.10.3 calls 3 the optimum of this one.
    "an optimum that preprocessing loses": (
        model_of(
            [2, 9, -8, 4, -9],
            [([-1, 2, 1, 1, -4], -INF, -1)],
            lower=[1, -2, 0, 1, 0],
            upper=[4, -1, 3, 2, 1],
            whole=[True, False, True, True, False],
        ),
        7,
    ),
}

IMPOSSIBLE = {
    "more than there is": model_of([1, 1], [([1, 1], 3, INF)]),
    "no whole number fits": model_of([1, 1], [([2, 2], 1, 1)]),
    "crossed bounds": model_of([1], lower=1, upper=0),
    "crossed sides": model_of([1], [([1], 1, 0)]),
    "an empty row that must be one": model_of([1], [([0], 1, 1)]),
    "an empty row among no columns": model_of([], [([], 1, 1)]),
    "no payment adds up": replace(financed_model(), lower=np.array([1.0, 1, 0, 0, 0, 0])),
}


@pytest.fixture(params=NAMES)
def engine(request):
    """Each engine that every installation has."""
    return engine_named(request.param)


@pytest.fixture(params=SOLVERS)
def solver(request):
    """Each engine that can take on a large model."""
    return engine_named(request.param)


@pytest.mark.parametrize("case", SOLVABLE)
def test_the_best_value_is_found_and_proved(engine, case):
    """Each engine gives the optimum worked out by hand, a point that holds, and a bound equal to its value."""
    model, best = SOLVABLE[case]

    outcome = engine.solve(model, TO_THE_END)

    assert (outcome.status, outcome.stopped_by) == (Status.OPTIMAL, StoppedBy.PROOF)
    assert value_of(model, outcome.x) == pytest.approx(best, rel=1e-9)
    assert outcome.bound == value_of(model, outcome.x)
    assert holds(model, outcome.x)


@pytest.mark.parametrize("case", IMPOSSIBLE)
def test_an_impossible_model_has_no_point(engine, case):
    """No point is handed out, whatever values a solver still holds, and the bound says that none can come."""
    outcome = engine.solve(IMPOSSIBLE[case], TO_THE_END)

    assert (outcome.status, outcome.stopped_by) == (Status.INFEASIBLE, StoppedBy.PROOF)
    assert outcome.x is None
    assert outcome.bound == -INF


@pytest.mark.parametrize("name", ["highs", "capalloc", "enumeration", "pulp:HiGHS"])
def test_one_unit_beyond_a_trillion_is_still_too_much(name):
    """A trillion and one in one row: the room for the first leaves none for the second."""
    outcome = engine_named(name).solve(model_of([3, 2], [([10**12, 1], -INF, 10**12)]), TO_THE_END)
    assert (outcome.status, outcome.x.tolist()) == (Status.OPTIMAL, [1, 0])


def test_no_limit_of_time_is_a_limit_too(engine):
    """``time_limit=None`` lets an engine run to the end."""
    outcome = engine.solve(financed_model(), SolveOptions(time_limit=None, gap=0))
    assert outcome.status is Status.OPTIMAL


def test_what_pays_for_a_project_adds_up(engine):
    """Columns that need not be whole agree with the rounded ones."""
    outcome = engine.solve(financed_model(), TO_THE_END)

    assert outcome.x[:2].tolist() == [1, 0]
    assert outcome.x[2] + outcome.x[3] == pytest.approx(7, abs=1e-8)
    assert outcome.x[4:].tolist() == [0, 0]


def test_a_value_without_limit_is_told(engine):
    """A model that can grow for ever is a fault of the model, not an answer."""
    with pytest.raises(EngineFailed, match="no limit to the value"):
        engine.solve(model_of([1, 1], [([1, -1], -INF, 1)], upper=[1, INF], whole=[True, False]), TO_THE_END)


@pytest.mark.parametrize(
    "model",
    [
        model_of([float("nan")]),
        model_of([1], [([float("nan")], 0, 1)]),
        model_of([INF]),
        model_of([1], [([1], float("nan"), 1)]),
        model_of([1], upper=float("nan")),
    ],
    ids=["value", "entry", "infinite value", "side", "bound"],
)
def test_what_is_not_a_number_is_refused(engine, model):
    """A NaN would be taken in silence by a solver and answered with a wrong point."""
    with pytest.raises(EngineFailed, match="not finite"):
        engine.solve(model, TO_THE_END)


def test_no_time_proves_nothing(engine):
    """Without time there is no point, and nothing is called optimal or infeasible."""
    outcome = engine.solve(hard_model(3, 20), SolveOptions(time_limit=0))

    assert (outcome.status, outcome.stopped_by) == (Status.UNKNOWN, StoppedBy.TIME_LIMIT)
    assert outcome.x is None
    assert outcome.bound >= 0


@pytest.mark.parametrize("name", ["highs", "capalloc", "enumeration", "pulp:CBC"])
def test_no_nodes_proves_little(name):
    """Without a node a point may be held, but never a proof on a model that needs a search."""
    outcome = engine_named(name).solve(hard_model(5, 25), SolveOptions(node_limit=0, time_limit=20))

    assert outcome.status in (Status.UNKNOWN, Status.FEASIBLE)
    assert outcome.stopped_by is StoppedBy.NODE_LIMIT


def test_a_start_is_the_least_that_is_given_back(engine):
    """With no time at all, the start is still a plan."""
    model = hard_model(3, 20)
    start = np.zeros(20)
    start[3] = 1

    outcome = engine.solve(model, SolveOptions(time_limit=0), start=start)

    assert (outcome.status, outcome.stopped_by) == (Status.FEASIBLE, StoppedBy.TIME_LIMIT)
    assert outcome.x.tolist() == start.tolist()
    assert outcome.bound >= value_of(model, outcome.x)


@pytest.mark.parametrize("start", [[1, 1, 1], [float("nan"), 0, 0], [0, 0]], ids=["breaks a row", "NaN", "too short"])
def test_a_start_that_is_no_point_is_not_used(engine, start):
    """The answer is as if it had not been given."""
    model = model_of([60, 100, 120], [([10, 20, 30], -INF, 50)])
    outcome = engine.solve(model, TO_THE_END, start=np.array(start, dtype=float))
    assert outcome.x.tolist() == [0, 1, 1]


def test_a_good_start_does_not_spoil_the_proof(engine):
    """Starting from the optimum, it is proved."""
    model = model_of([60, 100, 120], [([10, 20, 30], -INF, 50)])
    outcome = engine.solve(model, TO_THE_END, start=np.array([0.0, 1, 1]))
    assert (outcome.status, outcome.bound) == (Status.OPTIMAL, 220)


def test_a_time_limit_gives_the_best_so_far(solver):
    """A run cut short is feasible, never optimal, and its bound lies above its value."""
    model = hard_model()

    outcome = solver.solve(model, SolveOptions(time_limit=1, gap=0))

    assert (outcome.status, outcome.stopped_by) == (Status.FEASIBLE, StoppedBy.TIME_LIMIT)
    assert holds(model, outcome.x)
    assert value_of(model, outcome.x) < outcome.bound < INF
    assert outcome.seconds < 10


def test_a_gap_ends_the_run(solver):
    """Within the asked gap the engine ends early and says how far it may be from the best."""
    model = hard_model()

    outcome = solver.solve(model, SolveOptions(time_limit=60, gap=0.05))

    assert (outcome.status, outcome.stopped_by) == (Status.WITHIN_GAP, StoppedBy.GAP)
    assert 0 < relative_gap(value_of(model, outcome.x), outcome.bound) <= 0.05


def test_a_bound_is_never_below_what_others_find():
    """The bounds of all engines lie above the best point of all."""
    model = hard_model()
    outcomes = [engine_named(name).solve(model, SolveOptions(time_limit=1)) for name in SOLVERS]
    assert min(outcome.bound for outcome in outcomes) >= max(value_of(model, outcome.x) for outcome in outcomes)


def test_a_stop_sign_keeps_the_best(solver):
    """An event set from another thread ends the run soon, with the best point so far."""
    model, stop = hard_model(), threading.Event()
    timer = threading.Timer(1, stop.set)
    timer.start()

    outcome = solver.solve(model, SolveOptions(time_limit=60, gap=0), stop=stop)

    timer.join()
    assert (outcome.status, outcome.stopped_by) == (Status.FEASIBLE, StoppedBy.INTERRUPT)
    assert holds(model, outcome.x)
    assert outcome.seconds < 20


def test_a_stop_sign_set_before_ends_at_once(engine):
    """Nothing is begun after the stop."""
    stop = threading.Event()
    stop.set()

    outcome = engine.solve(hard_model(3, 20), SolveOptions(), stop=stop)

    assert outcome.stopped_by is StoppedBy.INTERRUPT
    assert outcome.seconds < 10


INTERRUPTED = """
import _thread, json, signal, sys, threading
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored by what runs in the background
sys.path.insert(0, {tests!r})
from small_models import hard_model
from capalloc.engines import engine_named
from capalloc.engines.points import holds
from capalloc.model import SolveOptions
model = hard_model()
threading.Timer(1.5, _thread.interrupt_main).start()
outcome = engine_named({name!r}).solve(model, SolveOptions(time_limit=60, gap=0))
print(json.dumps([outcome.status, outcome.stopped_by, holds(model, outcome.x)]))
"""


@pytest.mark.parametrize("name", SOLVERS)
def test_ctrl_c_keeps_the_best(name):
    """Ctrl-C is no exception: the caller gets the best point so far, and standard output stays clean."""
    code = INTERRUPTED.format(tests=str(__file__.rpartition("/")[0]), name=name)
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(run.stdout) == ["feasible", "interrupt", True]


LEAVING = """
import sys, threading, time
sys.path.insert(0, {tests!r})
from small_models import hard_model
from capalloc.engines import engine_named
from capalloc.model import SolveOptions
run = dict(model=hard_model(), options=SolveOptions(time_limit=60, gap=0))
threading.Thread(target=engine_named({name!r}).solve, kwargs=run, daemon=True).start()
time.sleep({seconds})
sys.exit(3)
"""


@pytest.mark.parametrize("name", ["highs", "capalloc"])
@pytest.mark.parametrize("seconds", [0.5, 2.0])
def test_a_program_may_end_while_an_engine_is_at_work(name, seconds):
    """It ends soon, with its own exit code, and is not aborted when the solver comes back."""
    code = LEAVING.format(tests=str(__file__.rpartition("/")[0]), name=name, seconds=seconds)
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert (run.returncode, run.stdout, run.stderr) == (3, "", "")


@pytest.mark.parametrize("name", ["highs", "capalloc"])
def test_what_goes_wrong_inside_of_a_run_comes_out_of_it(name, monkeypatch):
    """HiGHS is ended first, and nothing is thrown through it."""

    def fail(run, event):
        raise ArithmeticError("no news")

    monkeypatch.setattr("capalloc.engines.highs.Run.heed", fail)
    monkeypatch.setattr("capalloc.engines.own.prover.Proof.heed", fail)
    with pytest.raises(ArithmeticError, match="no news"):
        engine_named(name).solve(hard_model(), SolveOptions(time_limit=60, gap=0))


@pytest.mark.parametrize("name", ["highs", "capalloc"])
def test_progress_comes_in_the_calling_thread_and_only_gets_better(name):
    """Each report has a value no lower and a bound no higher than the one before."""
    reports, threads = [], set()

    def hear(progress):
        reports.append(progress)
        threads.add(threading.current_thread())

    outcome = engine_named(name).solve(hard_model(), SolveOptions(time_limit=1, gap=0), progress=hear)

    values = [report.value for report in reports if report.value is not None]
    bounds = [report.bound for report in reports]
    assert threads == {threading.current_thread()}
    assert values == sorted(values)
    assert bounds == sorted(bounds, reverse=True)
    assert values[-1] == pytest.approx(value_of(hard_model(), outcome.x))
    assert reports[-1].gap == relative_gap(reports[-1].value, reports[-1].bound)


@pytest.mark.parametrize("name", ["highs", "capalloc"])
def test_an_error_of_the_listener_ends_the_run(name):
    """What ``progress`` raises comes out, and no engine is left at work."""

    def fail(progress):
        raise LookupError("no terminal")

    before = threading.active_count()
    with pytest.raises(LookupError, match="no terminal"):
        engine_named(name).solve(hard_model(), SolveOptions(time_limit=60), progress=fail)
    assert threading.active_count() == before


@pytest.mark.parametrize("name", ["highs", "capalloc"])
def test_engines_run_outside_the_main_thread(name):
    """A batch may solve in threads of its own."""
    outcomes = []
    threads = [
        threading.Thread(target=lambda: outcomes.append(engine_named(name).solve(financed_model(), TO_THE_END)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [outcome.bound for outcome in outcomes] == [10, 10, 10]


@pytest.mark.parametrize("name", ["highs", "capalloc", "pulp:HiGHS"])
def test_the_number_of_threads_may_change_between_runs(name):
    """HiGHS fixes it by the first run of a thread; each run has a thread of its own."""
    engine = engine_named(name)
    statuses = [engine.solve(hard_model(2, 12), SolveOptions(threads=threads)).status for threads in (1, 2, 1)]
    assert statuses == [Status.OPTIMAL] * 3


@pytest.mark.parametrize("name", ["highs", "capalloc", "pulp:CBC"])
def test_the_same_seed_and_nodes_give_the_same_point(name):
    """With one thread and a limit of nodes a run can be repeated."""
    options = SolveOptions(time_limit=None, threads=1, node_limit=20, seed=3)
    first, second = (engine_named(name).solve(hard_model(5, 40), options) for _ in range(2))
    assert first.x.tolist() == second.x.tolist()
    assert first.bound == second.bound


def test_a_solver_says_nothing_on_standard_output(solver, capfd):
    """Standard output belongs to results."""
    solver.solve(financed_model(), TO_THE_END)
    assert capfd.readouterr().out == ""


def test_naming_an_engine_loads_only_what_it_needs():
    """The heavy packages are loaded by the first run, and PuLP only for its own engines."""
    code = (
        "import sys, capalloc.engines as engines; engines.engine_named('highs'); engines.engine_named('enumeration');"
        "print([name for name in ('highspy', 'pulp', 'scipy') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("higs", "no engine 'higs'. Did you mean 'highs'"),
        ("pulp:", "Did you mean 'pulp:CBC'|Known: .*pulp:CBC"),
        ("pulp:HIGHSS", "no PuLP solver 'HIGHSS'. Did you mean 'HiGHS'"),
        ("quantum", "Known: capalloc, enumeration, highs, pulp:CBC, pulp:HiGHS"),
    ],
)
def test_an_unknown_engine_is_answered_with_the_nearest(name, message):
    """The message names what there is."""
    with pytest.raises(UnknownName, match=message):
        engine_named(name)


money = st.integers(1, 10**7)
values = st.integers(-9, 30)


@st.composite
def financed_projects(draw):
    """Up to four projects, each in one of two years, paid by two sources with a ceiling each over both years."""
    count = draw(st.integers(1, 4))
    costs = [draw(money) for _ in range(count)]
    ceilings = [draw(st.integers(0, sum(costs))) for _ in range(2)]
    columns = 4 * count  # early and late start, then what each source pays
    rows = []
    for project, cost in enumerate(costs):
        once, paid = [0] * columns, [0] * columns
        once[2 * project] = once[2 * project + 1] = 1
        paid[2 * project] = paid[2 * project + 1] = -cost
        paid[2 * (count + project)] = paid[2 * (count + project) + 1] = 1
        rows += [(once, draw(st.sampled_from([0, 0, 1])), 1), (paid, 0, 0)]
    for source, ceiling in enumerate(ceilings):
        rows.append(([0] * (2 * count) + [int(place == source) for place in (0, 1)] * count, -INF, ceiling))
    if count > 1 and draw(st.booleans()):
        rows.append(([1, 1, -1, -1] + [0] * (columns - 4), -INF, 0))  # the first only with the second
    return model_of(
        [draw(values) for _ in range(2 * count)] + [0] * (2 * count),
        rows,
        upper=[1] * (2 * count) + [cost for cost in costs for _ in range(2)],
        whole=[True] * (2 * count) + [False] * (2 * count),
    )


def agree(model, names):
    """Assert that engines give the referee's status and, values being whole numbers, exactly its value."""
    referee = engine_named("enumeration").solve(model, TO_THE_END)
    for name in names:
        outcome = engine_named(name).solve(model, TO_THE_END)
        assert outcome.status is referee.status
        if referee.x is not None:
            assert value_of(model, outcome.x) == value_of(model, referee.x)
            assert holds(model, outcome.x)


@given(financed_projects())
def test_highs_agrees_with_the_referee(model):
    """On every small model of projects and payments HiGHS finds the exact optimum, alone and in the own engine."""
    agree(model, ["highs", "capalloc"])


@cases(25)
@given(financed_projects())
def test_pulp_agrees_with_the_referee(model):
    """So do the solvers that PuLP drives."""
    agree(model, ["pulp:CBC", "pulp:HiGHS"])


def test_an_engine_speaks_the_language_of_whoever_calls_it():
    """The thread in which it works takes over the language in force."""
    model = model_of([1] * 60, [([1] * 60, -INF, 30)])
    with speaking("vi"), pytest.raises(EngineFailed, match=r"nhiều hơn .* tổ hợp"):
        engine_named("enumeration").solve(model, SolveOptions(time_limit=None))

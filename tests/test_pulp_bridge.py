"""What PuLP gets wrong never comes through: statuses, values, bounds, names; and models go out and come back."""

import os
from typing import ClassVar

import numpy as np
import pulp
import pytest

from capalloc.engines import engine_named
from capalloc.engines.base import Feature
from capalloc.engines.cbc import cbc_options, ending_in, lower_bound_in, news_in
from capalloc.engines.naming import readable_names
from capalloc.engines.points import value_of
from capalloc.engines.pulp_bridge import PulpEngine, installed_solvers, point_of, to_pulp
from capalloc.issues import EngineFailed, UnknownName
from capalloc.model import SolveOptions, Status, StoppedBy
from small_models import INF, financed_model, hard_model, model_of

KNAPSACK = model_of([60, 100, 120], [([10, 20, 30], -INF, 50)])
COLUMNS = ["road [2024]", "road [2025]", "Trường học"]
ROWS = ["hạn mức"]


class Stub(pulp.LpSolver):
    """A solver that says what a test tells it to."""

    name = "STUB"
    says = (pulp.LpStatusOptimal, pulp.LpSolutionOptimal)
    values = (0.0, 1.0, 1.0)
    installed = True
    heard: ClassVar[dict[str, object]] = {}

    def __init__(self, mip=True, msg=True, timeLimit=None, gapRel=None, maxNodes=None, warmStart=False):
        super().__init__(mip=mip, msg=msg, timeLimit=timeLimit)
        self.heard.update(timeLimit=timeLimit, gapRel=gapRel, maxNodes=maxNodes, warmStart=warmStart)

    def available(self):
        """Return whether PuLP finds it."""
        return self.installed

    def actualSolve(self, lp):  # noqa: N802  # PuLP's name
        """Put the values told into the variables, and say what was told."""
        print("Stub solver, version 1")  # noqa: T201  # as solvers do
        os.write(1, b"printed below Python\n")
        by_name = {f"x{place}": value for place, value in enumerate(self.values)}
        for variable in lp.variables():
            variable.varValue = by_name.get(variable.name)
        lp.assignStatus(*self.says)
        return self.says[0]


@pytest.fixture
def stub(monkeypatch):
    """The stub, known to PuLP like any solver it can drive."""
    monkeypatch.setattr(pulp.apis, "_all_solvers", [Stub, pulp.PULP_CBC_CMD])


def told(monkeypatch, says, values=(0.0, 1.0, 1.0)):
    """Let the stub say this."""
    monkeypatch.setattr(Stub, "says", says)
    monkeypatch.setattr(Stub, "values", values)


def test_an_optimum_without_a_bound_is_worth_the_gap_it_was_given(stub):
    """PuLP tells no bound: an engine asked for 1 % that says "optimal" has proved 1 %."""
    outcome = PulpEngine("STUB").solve(KNAPSACK, SolveOptions(gap=0.01))
    assert (outcome.status, outcome.stopped_by) == (Status.WITHIN_GAP, StoppedBy.GAP)
    assert outcome.bound == pytest.approx(220 * 1.01)


def test_an_optimum_at_gap_zero_is_one(stub):
    """Asked for the best and saying so, it is believed."""
    outcome = PulpEngine("STUB").solve(KNAPSACK, SolveOptions(gap=0))
    assert (outcome.status, outcome.bound) == (Status.OPTIMAL, 220)


def test_optimal_at_a_time_limit_is_only_feasible(stub, monkeypatch):
    """PuLP calls a run cut short "Optimal"; its other status tells the truth."""
    told(monkeypatch, (pulp.LpStatusOptimal, pulp.LpSolutionIntegerFeasible))
    outcome = PulpEngine("STUB").solve(KNAPSACK, SolveOptions(time_limit=0.5))
    assert (outcome.status, outcome.stopped_by, outcome.bound) == (Status.FEASIBLE, StoppedBy.TIME_LIMIT, INF)


def test_values_after_infeasible_are_not_read(stub, monkeypatch):
    """A solver may leave anything in the variables."""
    told(monkeypatch, (pulp.LpStatusInfeasible, pulp.LpSolutionInfeasible), (0.5, 7.0, 1.0))
    outcome = PulpEngine("STUB").solve(KNAPSACK, SolveOptions())
    assert (outcome.status, outcome.x) == (Status.INFEASIBLE, None)


def test_nothing_found_in_time_is_unknown(stub, monkeypatch):
    """No point and no proof."""
    told(monkeypatch, (pulp.LpStatusNotSolved, pulp.LpSolutionNoSolutionFound), (0.8, 0.8, 0.8))
    outcome = PulpEngine("STUB").solve(KNAPSACK, SolveOptions(time_limit=0.5))
    assert (outcome.status, outcome.stopped_by, outcome.x) == (Status.UNKNOWN, StoppedBy.TIME_LIMIT, None)


def test_nothing_found_before_any_limit_is_a_failure(stub, monkeypatch):
    """The engine stopped for a reason of its own."""
    told(monkeypatch, (pulp.LpStatusUndefined, pulp.LpSolutionNoSolutionFound))
    with pytest.raises(EngineFailed, match="pulp:STUB stopped without an answer, with its status 'No Solution Found'"):
        PulpEngine("STUB").solve(KNAPSACK, SolveOptions(time_limit=60))


def test_an_unbounded_value_is_told(stub, monkeypatch):
    """As by every engine."""
    told(monkeypatch, (pulp.LpStatusUnbounded, pulp.LpSolutionUnbounded))
    with pytest.raises(EngineFailed, match="no limit to the value"):
        PulpEngine("STUB").solve(KNAPSACK, SolveOptions())


def test_a_point_that_breaks_a_row_is_not_given_back(stub, monkeypatch):
    """Whatever the solver calls optimal: 10 + 20 + 30 is more than 50."""
    told(monkeypatch, Stub.says, (1.0, 1.0, 1.0))
    with pytest.raises(EngineFailed, match=r"breaks rows of the model \(1 in all\)"):
        PulpEngine("STUB").solve(KNAPSACK, SolveOptions())


def test_infeasible_beside_a_start_that_holds_is_a_contradiction(stub, monkeypatch):
    """A wrong proof is caught by the start."""
    told(monkeypatch, (pulp.LpStatusInfeasible, pulp.LpSolutionInfeasible))
    with pytest.raises(EngineFailed, match="no plan obeys every rule, yet the plan it was given"):
        PulpEngine("STUB").solve(KNAPSACK, SolveOptions(), start=np.array([1.0, 0, 0]))


def test_a_column_that_is_never_met_rests(stub, monkeypatch):
    """PuLP leaves it without a value; it takes its bound nearest to 0."""
    told(monkeypatch, Stub.says, (0.0, 1.0, None))
    model = model_of([60, 100, 0], [([10, 20, 0], -INF, 20)], lower=[0, 0, -3], upper=[1, 1, -2])
    assert PulpEngine("STUB").solve(model, SolveOptions(gap=0)).x.tolist() == [0, 1, -2]


def test_limits_reach_the_solver_by_its_own_words(stub):
    """What its constructor has an argument for is passed on, in whole seconds."""
    PulpEngine("STUB").solve(
        KNAPSACK, SolveOptions(time_limit=7.5, gap=0.02, node_limit=9), start=np.array([1.0, 0, 0])
    )
    assert Stub.heard == {"timeLimit": 8, "gapRel": 0.02, "maxNodes": 9, "warmStart": True}


def test_a_limit_the_solver_cannot_honour_is_refused(stub, monkeypatch):
    """Better refused than dropped in silence."""
    engine = PulpEngine("STUB")
    monkeypatch.setattr(engine, "features", frozenset({Feature.GAP}))
    with pytest.raises(EngineFailed, match="engine pulp:STUB cannot honour time_limit"):
        engine.solve(KNAPSACK, SolveOptions())
    with pytest.raises(EngineFailed, match="engine pulp:STUB cannot honour node_limit"):
        engine.solve(KNAPSACK, SolveOptions(time_limit=None, node_limit=5))


def test_chatter_goes_to_standard_error(stub, capfd):
    """What a solver prints, in Python or below it, stays away from results."""
    PulpEngine("STUB").solve(KNAPSACK, SolveOptions())
    captured = capfd.readouterr()
    assert captured.out == ""
    assert "printed below Python" in captured.err


def test_a_solver_that_is_not_installed_is_unknown(stub, monkeypatch):
    """The message lists those that are."""
    monkeypatch.setattr(Stub, "installed", False)
    with pytest.raises(UnknownName, match=r"no PuLP solver 'STUB'\. Known: CBC\."):
        PulpEngine("STUB")


def test_what_comes_with_pulp_and_highs_is_installed():
    """CBC goes by its short name."""
    assert {"CBC", "HiGHS"} <= set(installed_solvers())
    assert PulpEngine("PULP_CBC_CMD").solve(KNAPSACK, SolveOptions(gap=0)).bound == 220


def test_features_say_what_can_be_asked():
    """CBC can all; HiGHS, driven by PuLP, takes no start and no limit of nodes."""
    assert engine_named("pulp:CBC").features == frozenset(Feature)
    assert frozenset(Feature) - engine_named("pulp:HiGHS").features == {Feature.START, Feature.NODE_LIMIT}
    with pytest.raises(EngineFailed, match="pulp:HiGHS cannot honour node_limit"):
        engine_named("pulp:HiGHS").solve(KNAPSACK, SolveOptions(node_limit=5))


def test_cbc_starts_from_a_start():
    """A start with half the nodes it needs beats none, and is improved on."""
    model = hard_model()
    first = engine_named("pulp:CBC").solve(model, SolveOptions(time_limit=2, gap=0))
    again = engine_named("pulp:CBC").solve(model, SolveOptions(node_limit=1, time_limit=20), start=first.x)
    assert value_of(model, again.x) >= value_of(model, first.x)
    assert again.stopped_by is StoppedBy.NODE_LIMIT


def test_amounts_too_large_for_cbc_are_refused():
    """On amounts like these CBC 2.10.3 calls a model without points that has some."""
    with pytest.raises(EngineFailed, match=r"pulp:CBC refuses the numbers.*larger unit"):
        engine_named("pulp:CBC").solve(model_of([3, 2], [([10**12, 1], -INF, 10**12)]), SolveOptions())


def test_cbc_leaves_no_files_behind(monkeypatch, tmp_path):
    """All it writes is in a folder of its own, gone at the end."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    engine_named("pulp:CBC").solve(financed_model(), SolveOptions())
    assert list(tmp_path.iterdir()) == []


def test_cbc_is_told_a_gap_measured_its_way():
    """(b - v) / b <= g / (1 + g) is (b - v) / v <= g; a seed of 0 would be the time of day."""
    words = cbc_options(SolveOptions(gap=0.25, seed=0, threads=1), INF, careful=False)
    options = dict(zip(words[::2], words[1::2], strict=True))
    assert options["-ratio"] == "0.2"
    assert options["-randomCbcSeed"] == "1"
    assert "-sec" not in options


@pytest.mark.parametrize(
    ("log", "ending"),
    [
        ("Result - Stopped on node limit", StoppedBy.NODE_LIMIT),
        ("Result - User ctrl-cuser ctrl-c", StoppedBy.INTERRUPT),
        ("Result - Optimal solution found (within gap tolerance)\n", StoppedBy.GAP),
        ("Result - Optimal solution found\n", StoppedBy.PROOF),
        ("Result - Something new", None),
        ("", None),
    ],
)
def test_the_end_is_read_from_the_log(log, ending):
    """What is not known stays unknown."""
    assert ending_in(log) is ending


def test_a_bound_in_the_log_is_moved_to_the_safe_side():
    """CBC prints eight digits; where preprocessing is in doubt only the first linear program counts."""
    log = "Continuous objective value is -7 - 0.00 seconds\nLower bound:    -5.000\n"
    doubt = "Cgl0014I Postprocessing changed objective from 6 to -3 - possible tolerance issue\n"
    no_point = "Cgl0014I Postprocessing changed objective from 1.2823514e+15 to -29039.5\n"

    assert lower_bound_in(log) == pytest.approx(-5, rel=2e-7)
    assert lower_bound_in(log) < -5
    assert lower_bound_in(log + doubt) == pytest.approx(-7, rel=2e-7)
    assert lower_bound_in(log + no_point) == lower_bound_in(log)
    assert lower_bound_in("Lower bound:   garbage") == -INF


def test_news_is_read_from_the_log():
    """New points and better bounds, as CBC tells them."""
    line = "Cbc0010I After 100 nodes, 50 on tree, -28930.6 best solution, best possible -29266.22 (0.52 seconds)"
    assert news_in(line) == (None, -29266.22)
    assert news_in("Cbc0038I Pass 1") == (None, None)


def test_names_are_readable_and_different():
    """Letters of any language stay; what comes out alike is told apart; nothing can be read as a number."""
    names = readable_names(["Cầu (mới)", "Cầu mới", "12 km", "e5", "", "a" * 300])
    assert names[:5] == ["Cầu_mới__0", "Cầu_mới__1", "n_12_km", "n_e5", "n"]
    assert len(set(names)) == len(names)
    assert max(map(len, names)) < 255


def test_a_model_goes_out_and_comes_back():
    """As a maximisation with readable names, solved by PuLP's own hands, and read by our own map."""
    problem = to_pulp(KNAPSACK, COLUMNS, ROWS)

    assert problem.sense == pulp.LpMaximize
    assert [variable.name for variable in problem.variables()] == ["Trường_học", "road_2024", "road_2025"]
    assert [constraint.name for constraint in problem.constraints()] == ["hạn_mức"]
    assert point_of(problem, KNAPSACK, COLUMNS) is None

    problem.solve(pulp.HiGHS(msg=False))
    assert pulp.value(problem.objective) == pytest.approx(220)
    assert point_of(problem, KNAPSACK, COLUMNS).tolist() == [0, 1, 1]


def test_rows_and_columns_added_by_hand_are_passed_over():
    """The user forbids the school and adds a column of his own."""
    problem = to_pulp(KNAPSACK, COLUMNS, ROWS)
    school = next(variable for variable in problem.variables() if variable.name == "Trường_học")
    extra = problem.add_variable("extra", 0, 1)
    problem += school + extra <= 0
    problem.solve(pulp.PULP_CBC_CMD(msg=False, _skip_v4_deprecation=True))
    assert point_of(problem, KNAPSACK, COLUMNS).tolist() == [1, 1, 0]


def test_a_row_with_two_sides_goes_out_as_two():
    """PuLP's rows have one side; open rows and rows without entries are left out."""
    model = model_of([1, 2], [([1, 1], 1, 2), ([1, 1], 1, 1), ([1, 0], -INF, INF), ([0, 0], -1, 1)])
    problem = to_pulp(model, ["a", "b"], ["both", "equal", "open", "empty"])
    assert [constraint.name for constraint in problem.constraints()] == ["both__most", "both__least", "equal"]


def test_amounts_come_back_whole_and_adding_up():
    """CBC writes eight digits; what pays for a project is worked out anew."""
    model = model_of(
        [1, 0, 0],
        [([-123_456_789, 1, 1], 0, 0), ([0, 1, 0], -INF, 100_000_001)],
        upper=[1, INF, INF],
        whole=[True, False, False],
    )
    problem = to_pulp(model, ["x", "a", "b"], ["pay", "room"])
    problem.solve(pulp.PULP_CBC_CMD(msg=False, _skip_v4_deprecation=True))
    point = point_of(problem, model, ["x", "a", "b"])
    assert point[0] == 1
    assert point[1] + point[2] == pytest.approx(123_456_789, abs=0.01)


@pytest.mark.parametrize("value", [0.5, float("nan")])
def test_what_is_not_whole_is_no_point(value):
    """Values that were relaxed by hand are not rounded in silence."""
    problem = to_pulp(KNAPSACK, COLUMNS, ROWS)
    for variable in problem.variables():
        variable.varValue = value
    problem.assignStatus(pulp.LpStatusOptimal, pulp.LpSolutionOptimal)
    assert point_of(problem, KNAPSACK, COLUMNS) is None


def test_a_point_of_a_changed_problem_may_break_rows():
    """A row taken out by hand is for the verifier to judge."""
    problem = to_pulp(KNAPSACK, COLUMNS, ROWS)
    for variable in problem.variables():
        variable.varValue = 1.0
    problem.assignStatus(pulp.LpStatusOptimal, pulp.LpSolutionOptimal)
    assert point_of(problem, KNAPSACK, COLUMNS).tolist() == [1, 1, 1]

"""From tables to a verified plan: every engine against the referee, and what is claimed of bounds and limits."""

import math
import time
from dataclasses import replace
from fractions import Fraction
from itertools import product
from threading import Event

import numpy as np
import pytest
from hypothesis import given, note

from brute import best_by_enumeration, best_lexicographic
from building import plan, project, tables
from capalloc.answer import claimed
from capalloc.compiling import compile_tables
from capalloc.engines.base import Feature
from capalloc.issues import EngineFailed, UnknownName
from capalloc.model import Outcome, Progress, SolveOptions, Status, StoppedBy
from capalloc.records import Commitment, Dependency, Envelope, Source
from capalloc.solving import optimize, solve_compiled
from strategies import carrying_portfolios, portfolios

EXACT = SolveOptions(time_limit=60, gap=0.0, threads=1)
ENGINES = ["capalloc", "highs", "enumeration", "pulp:CBC"]


@pytest.mark.parametrize("engine", ENGINES)
@given(tables=portfolios() | carrying_portfolios())
def test_every_engine_finds_the_value_that_enumeration_finds(engine, tables):
    """On small portfolios that mix all features, every engine agrees with trying everything."""
    best = best_by_enumeration(tables)
    answer = optimize(tables, EXACT, engine)
    note(f"{answer}\n{best}")
    if best is None:
        assert answer.status is Status.INFEASIBLE
        assert answer.allocation is None
    else:
        assert answer.status is Status.OPTIMAL
        assert answer.value == best[0]
        if tables.settings.objective.goal == "lexicographic":
            assert [account.value for account in answer.audit.classes] == best_lexicographic(tables)
        assert answer.bound == float(best[0])


class Scripted:
    """An engine that gives chosen outcomes one after the other, and keeps what it was asked."""

    name = "scripted"
    features = frozenset(Feature)

    def __init__(self, *outcomes, news=(), seconds=0.0):
        self.outcomes, self.news, self.seconds, self.asked = iter(outcomes), news, seconds, []

    def solve(self, model, options, *, start=None, progress=None, stop=None):
        """Return the next outcome."""
        self.asked.append({"model": model, "options": options, "start": start, "stop": stop})
        for news in self.news:
            progress(news)
        time.sleep(self.seconds)
        return next(self.outcomes)


def feasible(x, bound, stopped_by=StoppedBy.TIME_LIMIT):
    """Return an outcome that holds a point and claims nothing."""
    return Outcome(Status.FEASIBLE, stopped_by, np.array(x, dtype=float), bound)


def optimal(x, bound):
    """Return an outcome that claims a proof."""
    return Outcome(Status.OPTIMAL, StoppedBy.PROOF, np.array(x, dtype=float), bound)


def free(name, value, **more):
    """Return a project that can only start in 2021."""
    return project(name, 1, latest_start=2021, value=Fraction(value), **more)


def pair():
    """Return P worth 10 and Q worth 4, compiled: every plan is worth a multiple of 2, the unit of the model."""
    compiled = compile_tables(tables(free("P", 10), free("Q", 4)))
    assert (compiled.unit, compiled.model.objective.tolist()) == (2, [5, 2])
    return compiled


BOTH = (1, 1)


@pytest.mark.parametrize(
    ("bound", "gap", "status", "claimed"),
    [
        (7.0, 0.0, Status.OPTIMAL, 14.0),
        (7.0 + 1e-12, 0.0, Status.OPTIMAL, 14.0),
        (7.0 - 1e-12, 0.0, Status.OPTIMAL, 14.0),
        (7.99, 0.0, Status.OPTIMAL, 14.0),  # no plan is worth more than 14 and at most 15.98
        (8.0, 0.0, Status.FEASIBLE, 16.0),
        (8.0, 0.142, Status.FEASIBLE, 16.0),
        (8.0, 1 / 7, Status.WITHIN_GAP, 16.0),
        (8.0, 0.143, Status.WITHIN_GAP, 16.0),
        (math.inf, 1e6, Status.FEASIBLE, math.inf),
    ],
)
def test_the_status_says_what_value_and_bound_prove(bound, gap, status, claimed):
    """Value 14, in steps of 2: below one step nothing better is left; the gap asked is reached or not."""
    answer = solve_compiled(pair(), SolveOptions(gap=gap), Scripted(feasible(BOTH, bound)))
    assert (answer.status, answer.value, answer.bound) == (status, 14, claimed)
    assert answer.gap == (claimed - 14) / 14
    assert answer.stopped_by is (StoppedBy.PROOF if status is Status.OPTIMAL else StoppedBy.TIME_LIMIT)
    assert (answer.engine, answer.rejected, answer.violations) == ("scripted", 0, ())


@pytest.mark.parametrize(("bound", "status", "gap"), [(0.5, Status.OPTIMAL, 0.0), (1.0, Status.FEASIBLE, math.inf)])
def test_of_a_plan_worth_nothing_no_gap_is_ever_reached(bound, status, gap):
    """It is optimal, or its gap is infinite."""
    answer = solve_compiled(pair(), SolveOptions(gap=1e6), Scripted(feasible((0, 0), bound)))
    assert (answer.status, answer.value, answer.gap) == (status, 0, gap)


@pytest.mark.parametrize(("better", "status"), [(500, Status.OPTIMAL), (-500, Status.OPTIMAL), (2000, Status.FEASIBLE)])
def test_where_one_step_is_less_than_the_noise_of_floats_the_noise_counts(better, status):
    """A value of 10**6 in steps of 10**-6: a distance of half a thousandth is noise, of two thousandths is not."""
    compiled = compile_tables(tables(free("P", "1000000.000001"), free("Q", 1)))
    assert compiled.unit == Fraction(1, 10**6)
    worth = float(compiled.model.objective.sum())
    answer = solve_compiled(compiled, SolveOptions(gap=0.0), Scripted(feasible(BOTH, worth + better)))
    assert answer.status is status
    assert answer.bound >= float(answer.value)


@pytest.mark.parametrize("stopped_by", [StoppedBy.TIME_LIMIT, StoppedBy.NODE_LIMIT, StoppedBy.INTERRUPT])
def test_without_a_point_nothing_is_known_but_the_bound(stopped_by):
    """The bound is in units of the portfolio."""
    answer = solve_compiled(pair(), SolveOptions(), Scripted(Outcome(Status.UNKNOWN, stopped_by, None, 9.0)))
    assert (answer.status, answer.stopped_by) == (Status.UNKNOWN, stopped_by)
    assert (answer.value, answer.bound, answer.gap) == (None, 18.0, math.inf)
    assert answer.allocation is answer.audit is None


def test_a_proof_that_there_is_no_point_makes_the_portfolio_infeasible():
    """The bound says that no plan is worth anything."""
    nothing = Outcome(Status.INFEASIBLE, StoppedBy.PROOF, None, -math.inf)
    answer = solve_compiled(pair(), SolveOptions(), Scripted(nothing))
    assert (answer.status, answer.stopped_by) == (Status.INFEASIBLE, StoppedBy.PROOF)
    assert (answer.value, answer.bound) == (None, -math.inf)
    assert answer.allocation is answer.audit is None


def test_a_plan_that_model_and_verifier_value_differently_is_withheld():
    """To the last unit: 14 by the tables, 14.000001 by a model that says otherwise."""
    compiled = pair()
    worth = compiled.options.value + np.array([1, 0])
    other = replace(compiled, options=replace(compiled.options, value=worth))
    with pytest.raises(EngineFailed, match=r"14\.000001.*14"):
        solve_compiled(other, SolveOptions(), Scripted(optimal(BOTH, 7.0)))


def exclusive(kind="excludes"):
    """Return P worth 10 and Q worth 4, of which one may be funded, with a model that knows nothing of that."""
    rows = (Dependency(kind=kind, first="P", then="Q"),)
    return replace(pair(), tables=tables(free("P", 10), free("Q", 4), dependencies=rows))


def test_a_plan_that_breaks_the_tables_is_cut_off_and_the_rest_solved_again():
    """The next best plan holds, the smallest bound counts, and the nodes of both rounds add up."""
    engine = Scripted(replace(optimal(BOTH, 7.0), nodes=2), replace(optimal((1, 0), 5.0), nodes=3))
    answer = solve_compiled(exclusive(), SolveOptions(gap=0.0), engine)
    assert (answer.status, answer.value, answer.bound) == (Status.OPTIMAL, 10, 10.0)
    assert (answer.rejected, answer.nodes) == (1, 5)


@pytest.mark.parametrize(("kind", "wrong"), [("excludes", (1, 1)), ("requires", (0, 1)), ("together", (1, 0))])
def test_exactly_one_selection_is_cut_off(kind, wrong):
    """What takes more, or less, or other options stays."""
    engine = Scripted(optimal(wrong, 7.0), optimal((0, 0), 0.0))
    solve_compiled(exclusive(kind), SolveOptions(), engine)
    first, second = (asked["model"] for asked in engine.asked)
    cut = second.matrix[[-1]].toarray().ravel()
    assert second.matrix.shape[0] == first.matrix.shape[0] + 1
    assert second.row_origin(second.matrix.shape[0] - 1).kind == "rejected"
    selections = product((0, 1), repeat=2)
    kept = {point for point in selections if second.row_lower[-1] <= cut @ point <= second.row_upper[-1]}
    assert {(0, 0), (0, 1), (1, 0), (1, 1)} - kept == {wrong}


def test_the_bounds_of_all_rounds_hold():
    """A later round that proves less does not raise the bound, and one that proves more lowers it."""
    rounds = (optimal(BOTH, 7.0), feasible((0, 1), 9.0))
    answer = solve_compiled(exclusive(), SolveOptions(gap=0.0), Scripted(*rounds))
    assert (answer.status, answer.value, answer.bound) == (Status.FEASIBLE, 4, 14.0)
    rounds = (optimal(BOTH, 7.0), feasible((0, 1), 5.0))
    answer = solve_compiled(exclusive(), SolveOptions(gap=0.0), Scripted(*rounds))
    assert (answer.status, answer.value, answer.bound) == (Status.FEASIBLE, 4, 10.0)


def test_nothing_left_after_a_cut_is_infeasible():
    """The proof of the last round holds for all, since what was cut off is no plan either."""
    rounds = (optimal(BOTH, 7.0), Outcome(Status.INFEASIBLE, StoppedBy.PROOF, None, -math.inf))
    answer = solve_compiled(exclusive(), SolveOptions(), Scripted(*rounds))
    assert (answer.status, answer.bound, answer.rejected) == (Status.INFEASIBLE, -math.inf, 1)


def test_a_point_that_is_no_plan_at_the_end_of_the_limits_is_not_given_out():
    """Nothing is known then but the bound; no second round is run."""
    engine = Scripted(feasible(BOTH, 8.0))
    answer = solve_compiled(exclusive(), SolveOptions(), engine)
    assert (answer.status, answer.stopped_by, answer.bound) == (Status.UNKNOWN, StoppedBy.TIME_LIMIT, 16.0)
    assert answer.allocation is answer.audit is answer.value is None
    assert len(engine.asked) == 1


def test_the_rounds_share_the_time_limit():
    """What a round has taken is not there for the next one, and less than nothing is never left."""
    engine = Scripted(optimal(BOTH, 7.0), optimal((1, 0), 5.0), seconds=0.02)
    solve_compiled(exclusive(), SolveOptions(time_limit=100.0), engine)
    first, second = (asked["options"].time_limit for asked in engine.asked)
    assert 99 < first <= 100
    assert 99 < second <= first - 0.02
    engine = Scripted(optimal(BOTH, 7.0), optimal((1, 0), 5.0), seconds=0.02)
    solve_compiled(exclusive(), SolveOptions(time_limit=0.01), engine)
    assert engine.asked[1]["options"].time_limit == 0
    engine = Scripted(optimal(BOTH, 7.0))
    solve_compiled(pair(), SolveOptions(time_limit=None, seed=7), engine)
    assert engine.asked[0]["options"] == SolveOptions(time_limit=None, seed=7)


def test_an_engine_starts_from_the_plan_that_is_given():
    """A plan becomes a point once; after a cut it is no longer offered, and what is no option is no start."""
    engine = Scripted(optimal(BOTH, 7.0), optimal((1, 0), 5.0))
    solve_compiled(exclusive(), SolveOptions(), engine, start=plan(("Q", 2021)))
    assert engine.asked[0]["start"].tolist() == [0, 1]
    assert engine.asked[1]["start"] is None
    engine = Scripted(optimal(BOTH, 7.0))
    solve_compiled(pair(), SolveOptions(), engine, start=plan(("Q", 2024)))
    assert engine.asked[0]["start"] is None


def test_progress_is_told_in_units_of_the_portfolio():
    """An engine's 7 of at most 8 is a plan of 14 of at most 16; seconds count from the beginning of all rounds."""
    told = []
    news = (Progress(99.0, None, math.inf, math.inf), Progress(99.0, 7.0, 8.0, 1 / 7, nodes=5))
    solve_compiled(pair(), SolveOptions(), Scripted(optimal(BOTH, 7.0), news=news), progress=told.append)
    assert [(seen.value, seen.bound, seen.nodes) for seen in told] == [(None, math.inf, 0), (14.0, 16.0, 5)]
    assert [seen.gap for seen in told] == [math.inf, 1 / 7]
    assert all(0 <= seen.seconds < 50 for seen in told)


def test_the_stop_sign_reaches_the_engine():
    """It is the caller's own."""
    stop = Event()
    engine = Scripted(optimal(BOTH, 7.0))
    solve_compiled(pair(), SolveOptions(), engine, stop=stop)
    assert engine.asked[0]["stop"] is stop


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "empty",
    [
        tables(),
        tables(sources=(Source(id="S", unlimited=True),)),
        tables(project("P", 1, duration=9, value=Fraction(1))),
        tables(project("P", 1, value=Fraction(1)), committed=(Commitment(project="P", decision="out"),)),
        tables(project("P", 1, value=Fraction(-5))),
        tables(project("P", 1, value=Fraction(0), latest_start=2021, duration=4)),
    ],
)
def test_where_nothing_is_worth_funding_the_best_plan_is_worth_nothing(engine, empty):
    """No project, no option, none that is allowed, or none of value: optimal, with a gap of 0."""
    answer = optimize(empty, EXACT, engine)
    assert (answer.status, answer.value, answer.bound, answer.gap) == (Status.OPTIMAL, 0, 0.0, 0.0)
    assert answer.audit.violations == ()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_value_may_be_negative(engine):
    """A mandatory project worth −5 and one worth 2 make −3, and that is proved."""
    answer = optimize(tables(free("P", -5, mandatory=True), free("Q", 2), free("R", -1)), EXACT, engine)
    assert (answer.status, answer.value, answer.bound, answer.gap) == (Status.OPTIMAL, -3, -3.0, 0.0)
    assert answer.allocation == plan(("P", 2021), ("Q", 2021))


@pytest.mark.parametrize("engine", ENGINES)
def test_without_sources_costs_are_not_paid(engine):
    """Everything of value is funded, and there are no payments."""
    answer = optimize(tables(free("P", 10), free("Q", 4)), EXACT, engine)
    assert (answer.status, answer.value, answer.allocation.payments) == (Status.OPTIMAL, 14, ())


@pytest.mark.parametrize("engine", ENGINES)
def test_a_start_in_whole_is_the_least_that_comes_out(engine):
    """A start that is the best plan already comes back, also when it needs payments."""
    given_ = tables(
        free("P", 10),
        free("Q", 4),
        sources=(Source(id="A"), Source(id="B")),
        envelopes=tuple(Envelope(source=(name,), period="2021:2024", amount=1) for name in "AB"),
    )
    start = plan(("P", 2021), ("Q", 2021), paid=[("P", "A", 2021, 1), ("Q", "B", 2021, 1)])
    answer = optimize(given_, EXACT, engine, start=start)
    assert (answer.status, answer.value) == (Status.OPTIMAL, 14)


def test_an_unknown_engine_is_told_by_name():
    """Nothing is solved."""
    with pytest.raises(UnknownName, match="'gurobi'"):
        optimize(tables(), EXACT, "gurobi")


@pytest.mark.parametrize(
    ("value", "bound", "largest", "status"),
    [
        (0, 2**-52, 1, Status.OPTIMAL),  # 1/3 + 2/3 − 1 in floats
        (0, 2**-42, 1024, Status.OPTIMAL),
        (0, 2**-40, 1, Status.FEASIBLE),  # more than floats lose
        (0, 2**-52, 0, Status.FEASIBLE),  # nothing is added up, so that nothing is lost
        (10**9, 10**9 + 0.5, 1, Status.OPTIMAL),  # the error of a large bound is that of the bound itself
        (1, 1 + 2**-20, 1, Status.FEASIBLE),
        (0, math.inf, 1, Status.FEASIBLE),
    ],
)
def test_a_bound_is_not_more_exact_than_the_last_digits_of_what_it_adds_up(value, bound, largest, status):
    """Where gains and penalties cancel out, what floats leave of them is no hope of a better plan."""
    assert claimed(Fraction(value), bound, 0.0, 0.0, largest) == (status, value if status is Status.OPTIMAL else bound)

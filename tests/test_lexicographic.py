"""Ordered classes: the first is given the best, held exactly, then the second; with what is proved of each."""

import math
from dataclasses import replace
from fractions import Fraction

import pytest

from building import project, tables
from capalloc import lexicographic
from capalloc.classes import option_classes
from capalloc.compiling import compile_tables
from capalloc.holding import hold
from capalloc.lexicographic import class_gains
from capalloc.model import SolveOptions, Status, StoppedBy
from capalloc.options import expand
from capalloc.records import Envelope, Mode, Priority, Rule, Source, Synergy
from capalloc.searching import search
from capalloc.solving import optimize

EXACT = SolveOptions(time_limit=60, gap=0.0, threads=1)
ENGINES = ["capalloc", "highs", "enumeration", "pulp:CBC"]
ORDERED = {"goal": "lexicographic"}
MONEY = {"sources": (Source(id="state"),), "envelopes": (Envelope(source=("state",), period="2021:2024", amount=10),)}


def worth(name, cost, value, priority):
    """Return a project of 2021 with a cost, a value and a class."""
    return project(name, cost, value=Fraction(value), priority=priority, latest_start=2021)


def classes(answer):
    """Return class, value, bound and status of each class."""
    return [(c.class_, c.value, c.bound, str(c.status)) for c in answer.classes]


def funded(answer):
    """Return the projects of the plan."""
    return [choice.project for choice in answer.allocation.choices]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_higher_class_is_never_traded_for_a_lower_one(engine):
    """Of 10, A of class 1 takes 6 for a value of 1; B, which is worth 1000 in class 2, no longer fits; C does."""
    given = tables(
        worth("A", 6, 1, 1),
        worth("B", 10, 1000, 2),
        worth("C", 4, 3, 2),
        worth("D", 3, 2, 3),
        objective=ORDERED,
        **MONEY,
    )
    answer = optimize(given, EXACT, engine)
    assert funded(answer) == ["A", "C"]
    assert classes(answer) == [(1, 1, 1.0, "optimal"), (2, 3, 3.0, "optimal"), (3, 0, 0.0, "optimal")]
    assert (answer.status, answer.stopped_by, answer.value, answer.bound) == (Status.OPTIMAL, StoppedBy.PROOF, 0, 0)


@pytest.mark.parametrize("engine", ENGINES)
def test_among_equal_plans_of_the_first_class_the_second_decides(engine):
    """A and B are worth 5 each and both leave room for one of C and D; A leaves more, so that D fits."""
    given = tables(
        worth("A", 6, 5, 1), worth("B", 8, 5, 1), worth("C", 2, 1, 2), worth("D", 4, 2, 2), objective=ORDERED, **MONEY
    )
    answer = optimize(given, EXACT, engine)
    assert funded(answer) == ["A", "D"]
    assert [c.value for c in answer.classes] == [5, 2]


@pytest.mark.parametrize("engine", ENGINES)
def test_the_least_step_of_the_grid_in_a_higher_class_outweighs_all_below(engine):
    """A is worth a millionth more than B among values of 10**7; floats compare such sums badly, the hold does not."""
    large = 10**7
    given = tables(
        worth("A", 10, large + Fraction(1, 10**6), 1),
        worth("B", 5, large, 1),
        worth("C", 5, 10**6, 2),
        objective=ORDERED,
        **MONEY,
    )
    answer = optimize(given, EXACT, engine)
    assert funded(answer) == ["A"]
    assert [c.value for c in answer.classes] == [large + Fraction(1, 10**6), 0]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_class_follows_the_phase_of_the_start(engine):
    """From 2023 on A is of class 1, until then of class 2, where it is worth more; so it waits."""
    objective = ORDERED | {"value_from": "column"}
    given = tables(
        project("A", value=Fraction(3), priority=2),
        project("B", value=Fraction(1), priority=2),
        priorities=(Priority(project="A", phase="B", class_=1),),
        discount_rate=1,
        objective=objective,
    )
    answer = optimize(given, EXACT, engine)
    assert [(c.project, c.start) for c in answer.allocation.choices] == [("A", 2023), ("B", 2021)]
    # 3 discounted by two years at 100 per cent.
    assert [c.value for c in answer.classes] == [Fraction(3, 4), 1]


def test_the_class_of_a_mode_goes_before_that_of_its_project():
    """In phase A mode a is of class 1 and the other of class 2, whichever row stands first."""
    rows = (Priority(project="P", phase="A", class_=2), Priority(project="P", mode="a", phase="A", class_=1))
    modes = (Mode(project="P", mode="a"), Mode(project="P", mode="b"))
    for priorities in (rows, rows[::-1]):
        given = tables(project("P", 1, priority=3, latest_start=2021), modes=modes, priorities=priorities)
        assert option_classes(given, expand(given)).tolist() == [1, 2]


def test_class_weights_weigh_an_option_by_the_phase_of_its_start():
    """A counts four times when it starts in the second phase, a mode of its own three times."""
    given = tables(
        project("A", value=Fraction(1), priority=2),
        priorities=(Priority(project="A", phase="B", class_=1),),
        objective={"class_weights": {1: 4, 2: 1}},
    )
    answer = optimize(given, EXACT, "enumeration")
    assert answer.value == 4
    assert answer.allocation.choices[0].start in (2023, 2024)


@pytest.mark.parametrize("engine", ENGINES)
def test_synergies_and_penalties_count_in_their_own_class_else_in_the_last(engine):
    """The synergy of class 1 is worth more than A alone; the soft rule, of no class, only takes from class 2."""
    given = tables(
        worth("A", 5, 3, 1),
        worth("B", 5, 1, 1),
        worth("C", 5, 2, 1),
        worth("D", 0, 7, 2),
        synergies=(Synergy(id="BC", projects=("B", "C"), value=Fraction(10), class_=1),),
        rules=(Rule(id="few", measure="starts", sense="<=", amount=Fraction(1), price=Fraction(2)),),
        objective=ORDERED,
        **MONEY,
    )
    answer = optimize(given, EXACT, engine)
    assert funded(answer) == ["B", "C", "D"]
    # Two starts too many cost 4 of the 7.
    assert [c.value for c in answer.classes] == [13, 3]
    assert answer.status is Status.OPTIMAL


@pytest.mark.parametrize("engine", ENGINES)
def test_payments_keep_what_a_higher_class_has(engine):
    """Class 1 loses for what the state pays beyond a third of 10, class 2 for what oda pays beyond 2: 3 and 7."""
    given = tables(
        worth("A", 10, 1, 1),
        worth("B", 0, 1, 2),
        sources=(Source(id="state"), Source(id="oda")),
        envelopes=(
            Envelope(source=("state",), period="2021:2024", amount=10),
            Envelope(source=("oda",), period="2021:2024", amount=10),
        ),
        rules=(
            Rule(
                id="r",
                measure="paid:state",
                sense="<=",
                amount=Fraction(1, 3),
                share_of="cost",
                price=Fraction(1, 100),
                class_=1,
            ),
            Rule(id="s", measure="paid:oda", sense="<=", amount=Fraction(2), price=Fraction(1, 3), class_=2),
        ),
        objective=ORDERED,
    )
    answer = optimize(given, EXACT, engine)
    paid = {payment.source: payment.amount for payment in answer.allocation.payments}
    assert paid == {"state": 3, "oda": 7}
    assert [c.value for c in answer.classes] == [1, 1 - Fraction(5, 3)]
    assert (answer.status, answer.rejected) == (Status.OPTIMAL, 0)


def test_no_plan_is_no_plan_in_any_order():
    """A mandatory project beyond the envelope leaves nothing to order."""
    given = tables(replace(worth("A", 11, 1, 1), mandatory=True), worth("B", 1, 1, 2), objective=ORDERED, **MONEY)
    answer = optimize(given, EXACT)
    assert (answer.status, answer.allocation, answer.classes) == (Status.INFEASIBLE, None, ())


def test_a_class_without_projects_is_optimal_at_nothing():
    """Class 2 is named by a rule alone."""
    given = tables(
        worth("A", 1, 1, 1),
        worth("B", 1, 1, 3),
        rules=(Rule(id="r", measure="starts", sense="<=", amount=Fraction(9), class_=2),),
        objective=ORDERED,
        **MONEY,
    )
    answer = optimize(given, EXACT)
    assert classes(answer) == [(1, 1, 1.0, "optimal"), (2, 0, 0.0, "optimal"), (3, 1, 1.0, "optimal")]


def test_a_start_is_never_given_up():
    """Without any time, the plan to start from is the answer, and nothing is proved about its classes."""
    given = tables(worth("A", 6, 1, 1), worth("B", 10, 1000, 2), worth("C", 4, 3, 2), objective=ORDERED, **MONEY)
    first = optimize(given, EXACT).allocation
    answer = optimize(given, SolveOptions(time_limit=1e-9, gap=0.0, threads=1), start=first)
    assert answer.allocation == first
    assert [c.value for c in answer.classes] == [1, 3]


@pytest.mark.parametrize("reached", [Fraction(3), Fraction(2**34 + 5), Fraction(-(2**33) + 1)])
def test_digits_hold_exactly_what_one_row_would(reached):
    """Every selection of four large gains keeps the two rows of digits if and only if it reaches the value."""
    gains = [2**34 + 3, 2**34 + 5, -(2**33), 1]
    given = tables(*(worth(f"P{n}", 0, gain, 1) for n, gain in enumerate(gains)), objective=ORDERED)
    compiled = compile_tables(given)
    (own,) = class_gains(compiled)
    held = hold(own, reached, compiled.model.upper)
    assert held.base
    model = held.safe(compiled.model)
    for pattern in range(16):
        point = [(pattern >> n) & 1 for n in range(4)]
        total = sum(gain * x for gain, x in zip(gains, point, strict=True))
        carries = range(int(model.lower[-1]), int(model.upper[-1]) + 1)
        kept = any(((model.matrix @ [*point, c])[-2:] >= model.row_lower[-2:]).all() for c in carries)
        assert kept == (total >= reached)


def test_progress_names_the_class_that_is_being_solved():
    """One class after the other, never back, each with seconds since the first."""
    given = tables(worth("A", 6, 1, 1), worth("C", 4, 3, 2), worth("D", 3, 2, 3), objective=ORDERED, **MONEY)
    seen = []
    optimize(given, EXACT, "highs", progress=seen.append)
    told = [report.class_ for report in seen]
    assert (sorted(told), set(told)) == (told, {1, 2, 3})
    seconds = [report.seconds for report in seen]
    assert seconds == sorted(seconds)


def changed_once(monkeypatch, **changes):
    """Let the first run end otherwise than it does, and return the list of the time that each run is given."""
    given = []

    def timed(aim, options, *more, **named):
        given.append(options.time_limit)
        run = search(aim, options, *more, **named)
        return replace(run, **changes) if len(given) == 1 else run

    monkeypatch.setattr(lexicographic, "search", timed)
    return given


def test_a_class_takes_half_of_the_time_and_all_of_it_where_no_plan_came_of_that(monkeypatch):
    """Of an hour the first class gets half, then what is left; and so does the last."""
    seconds = changed_once(monkeypatch, allocation=None, audit=None, stopped_by=StoppedBy.TIME_LIMIT)
    given = tables(worth("A", 6, 1, 1), worth("C", 4, 3, 2), objective=ORDERED, **MONEY)
    answer = optimize(given, replace(EXACT, time_limit=3600.0), "enumeration")
    assert [c.value for c in answer.classes] == [1, 3]
    assert [round(limit, -2) for limit in seconds] == [1800, 3600, 3600]


def test_of_a_class_that_no_run_came_to_nothing_is_proved(monkeypatch):
    """Stopped after the first class, which is proved: the whole is only as good as the second."""
    changed_once(monkeypatch, stopped_by=StoppedBy.INTERRUPT)
    given = tables(worth("A", 6, 1, 1), worth("C", 4, 3, 2), objective=ORDERED, **MONEY)
    answer = optimize(given, EXACT, "enumeration")
    assert [(c.bound, c.status) for c in answer.classes] == [(1, Status.OPTIMAL), (math.inf, Status.FEASIBLE)]
    assert (answer.status, answer.bound, answer.stopped_by) == (Status.FEASIBLE, math.inf, StoppedBy.INTERRUPT)

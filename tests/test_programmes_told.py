"""Programmes in large numbers, on fronts, in lists and other programs, and what checks and points say of parts."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pandas as pd
import pulp
import pytest

from building import project, tables
from capalloc import Portfolio
from capalloc.allocation import Allocation, Choice
from capalloc.checking import check
from capalloc.compiling import compile_tables
from capalloc.engines.highs import Highs
from capalloc.evaluation import Wish, evaluate
from capalloc.exporting import from_problem, labels, to_problem
from capalloc.fitting import fit
from capalloc.model import SolveOptions, Status
from capalloc.pareto import front_of
from capalloc.records import (
    Contribution,
    Criterion,
    Indicator,
    Score,
    Share,
    Target,
)
from capalloc.screening import screen
from capalloc.solving import optimize
from capalloc.verification import verify
from parts import ENGINES, EXACT, HALF, S, T, paid, portfolio, programme, scales, solved, state, works


def test_large_classes_are_held_where_floats_cannot_hold_their_fractions():
    """What five programmes of millions reach together is a fraction beyond all floats; class 2 keeps it even so."""
    costs = (9_999_991, 9_999_973, 9_999_971, 9_999_943, 9_999_937)
    first = [
        programme(f"P{n}", cost, 7 + n, least=Fraction(1, 10 + n), duration=2, mandatory=True, priority=1)
        for n, cost in enumerate(costs)
    ]
    given = portfolio(
        *first,
        programme("Q", 7_654_321, 5, least=Fraction(1, 100), priority=2),
        rooms={"2021": 9_000_001, "2022": 17_000_003},
        objective={"goal": "lexicographic"},
    )
    answer = optimize(given, SolveOptions(time_limit=60, gap=1e-6, threads=1))
    alone = optimize(replace(given, projects=given.projects[:5]), SolveOptions(time_limit=60, gap=1e-6, threads=1))
    assert answer.status.has_plan
    assert alone.status.has_plan
    assert answer.classes[0].value >= alone.classes[0].value * (1 - Fraction(1, 10**6))
    assert answer.classes[0].gap <= 1e-6


def test_a_front_trades_parts_of_programmes():
    """Two programmes of 2 and room for 3: every split of the 3 units is a point, at fractions of the scores."""
    given = portfolio(
        programme("P", 2, None or 0, least=HALF),
        programme("Q", 2, 0, least=HALF),
        rooms={"2021": 3},
        criteria=tuple(
            Criterion(criterion=name, set=name, weight=Fraction(1), direction="max", low=Fraction(0), high=Fraction(1))
            for name in ("growth", "equity")
        ),
        scores=tuple(
            Score(project=p, criterion=c, score=Fraction(score))
            for p, c, score in (("P", "growth", 1), ("P", "equity", 0), ("Q", "growth", 0), ("Q", "equity", 1))
        ),
        objective={"value_from": "score", "criteria": "growth"},
    )
    front = front_of(given, ("growth", "equity"), EXACT, Highs())
    assert [(point.first, point.second) for point in front.points] == [(1, HALF), (HALF, 1)]
    assert front.complete


def test_a_list_fixes_the_scale_or_leaves_it_open():
    """With a scale the list is judged at it; without one as much is done as there is room for."""
    given = portfolio(programme("P", 10, least=HALF), rooms={"2021": 8})
    assert scales(evaluate(given, [Wish("P")], EXACT)) == {"P": Fraction(8, 10)}
    assert scales(evaluate(given, [Wish("P", scale=Fraction(6, 10))], EXACT)) == {"P": Fraction(6, 10)}
    assert scales(evaluate(given, [Wish("P", scale=Fraction(0.7))], EXACT)) == {"P": Fraction(7, 10)}


@pytest.mark.parametrize(
    ("scale", "code"),
    [
        (Fraction(9, 10), "broken-envelope"),
        (Fraction(4, 10), "broken-scale-least"),
        (Fraction(55, 100), "broken-scale-part"),
    ],
)
def test_a_list_with_a_scale_that_cannot_be_is_told_why(scale, code):
    """Too much for the room, less than the least, or no whole amount; not that what cannot be is not paid."""
    given = portfolio(programme("P", 10, least=HALF), rooms={"2021": 8})
    answer = evaluate(given, [Wish("P", scale=scale)], EXACT)
    assert answer.status is Status.INFEASIBLE
    assert [issue.code for issue in answer.violations] == [code]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_half_is_paid_in_the_earlier_year(engine):
    """One of 2 million, a half a year: 1/2 is rounded up to 1 in the first year, for which alone there is room."""
    given = portfolio(programme("P", 2, duration=2), rooms={"2021": 1, "2022": 0})
    answer = solved(given, engine)
    assert (scales(answer), paid(answer)) == ({"P": HALF}, [("P", 2021, 1)])


def test_works_listed_in_part_are_told_that_they_are_done_whole():
    """A scale below 1 is a violation of works."""
    answer = evaluate(portfolio(works("W", 10)), [Wish("W", scale=HALF)], EXACT)
    assert answer.violations[0].code == "broken-scale"
    assert evaluate(portfolio(works("W", 10)), [Wish("W", scale=Fraction(1))], EXACT).value == 10


def test_a_plan_goes_to_pulp_and_back_with_its_scale():
    """The solved problem of PuLP says the same scale and payments."""
    given = portfolio(programme("P", 7, 10, least=Fraction(1, 7), duration=2), rooms={"2021": 3})
    problem = to_problem(given)
    problem.solve(pulp.getSolver("PULP_CBC_CMD", msg=False, _skip_v4_deprecation=True))
    answer = from_problem(given, problem)
    assert answer.status is Status.FEASIBLE
    assert answer.allocation == optimize(given, EXACT).allocation


def test_a_cap_added_by_hand_is_kept_when_amounts_are_made_whole():
    """At most half of 7 means at most 3, not 4."""
    given = portfolio(programme("P", 7, 10, least=Fraction(1, 7)))
    problem = to_problem(given)
    (scale,) = [variable for variable in problem.variables() if variable.name.startswith("scale")]
    problem += scale <= 0.5
    problem.solve(pulp.getSolver("PULP_CBC_CMD", msg=False, _skip_v4_deprecation=True))
    assert scales(from_problem(given, problem)) == {"P": Fraction(3, 7)}


def test_every_column_and_row_has_a_label_of_its_own():
    """Labels name the programme, its years and what they are about."""
    columns, rows = labels(compile_tables(portfolio(programme("P", 7, duration=2))))
    assert columns == ["fund P 2021", "scale P 2021", "sum P 2021 2021", "sum P 2021 2022"]
    assert [row for row in rows if row.startswith("scale")] == [
        *(f"scale P 2021 {side}" for side in ("total", "min", "max")),
        *(f"scale P 2021 2021 {side}" for side in ("down", "up")),
    ]


def test_what_cannot_be_afforded_at_its_least_is_said_before():
    """Half of 100 does not fit into 49, half of 98 does."""
    given = portfolio(programme("P", 100), programme("Q", 98), rooms={"2021": 49})
    assert [(issue.code, issue.arguments["project"]) for issue in screen(given)] == [("never-envelope", "P")]


def test_the_load_of_a_mandatory_programme_is_that_of_its_least_scale():
    """At the least 50 of 100 are taken from the envelope."""
    given = portfolio(programme("P", 100, mandatory=True), rooms={"2021": 80})
    loads = [issue.arguments["least"] for issue in screen(given) if issue.code == "mandatory-load"]
    assert loads == [50, 50]


def test_a_point_stands_for_a_plan_with_its_scale_and_no_other():
    """Scales below the least, above 1 or of no whole amount are no points; works have none but 1."""
    compiled = compile_tables(portfolio(programme("P", 10, least=HALF, duration=2), works("W", 3)))
    point = compiled.point(Allocation((Choice("P", "", 2021, Fraction(7, 10)), Choice("W", "", 2021)), ()))
    assert compiled.exact(point).tolist() == [1, 1, Fraction(7, 10), 4, 7]
    for scale in (Fraction(4, 10), Fraction(11, 10), Fraction(55, 100)):
        assert compiled.point(Allocation((Choice("P", "", 2021, scale),), ())) is None
    assert compiled.point(Allocation((Choice("W", "", 2021, HALF),), ())) is None


def test_every_whole_plan_is_a_point_of_the_relaxation():
    """All amounts from the least to the whole, in all roundings, keep every row of the model."""
    given = portfolio(programme("P", 23, least=Fraction(1, 23), duration=4), rooms={"2021": 6})
    compiled = compile_tables(given)
    for total in range(1, 24):
        choice = Choice("P", "", 2021, Fraction(total, 23))
        point = compiled.point(Allocation((choice,), ()))
        activity = compiled.model.matrix @ point
        first = (2 * total * 6 + 23) // 46
        assert (activity <= compiled.model.row_upper + 1e-9).all() == (first <= 6)
        assert (activity >= compiled.model.row_lower - 1e-9).all()


@pytest.mark.parametrize("step", [-1, 1])
def test_the_relaxation_pays_by_a_year_what_is_due_up_to_half_a_unit(step):
    """Of 23 over four years no part of a sum is exactly half a million, so one million more or less is too far off."""
    compiled = compile_tables(portfolio(programme("P", 23, least=Fraction(1, 23), duration=4)))
    for total in range(1, 24):
        choice = Choice("P", "", 2021, Fraction(total, 23))
        for column in compiled.scales.sums[:-1]:
            point = compiled.point(Allocation((choice,), ()))
            point[column] += step
            activity = compiled.model.matrix @ point
            above, below = activity - compiled.model.row_upper, compiled.model.row_lower - activity
            assert max(above.max(), below.max()) > 0.01


@pytest.mark.parametrize("engine", ENGINES)
def test_a_cap_of_law_on_all_who_may_pay_leaves_nothing_to_do(engine):
    """Of 1 million, 3/4 rounded up is the whole; a cap of law is rounded down, and somebody else must be found."""
    for legal, done in ((False, {"P": Fraction(1, 4)}), (True, {})):
        cap = Share(project="P", source=("S",), min=Fraction(0), max=Fraction(3, 4), legal=legal)
        given = portfolio(programme("P", 4, least=Fraction(1, 4)), rooms={"2021": 1}, shares=(cap,))
        assert scales(solved(given, engine)) == done


def test_a_selection_without_whole_amounts_is_proved_to_have_none():
    """The least half of 3, 2 of them, costs 2 in 2021 by rounding where 1.5 was promised."""
    given = portfolio(
        programme("P", 3, least=HALF, duration=2), costs=(), rooms={"2021": 1}, sources=(S,), objective={}
    )
    compiled = compile_tables(given)
    # 2 of 3: floor(2·2/3 + 1/2) = 1 in 2021, so it fits; all 3 cost 2 in 2021.
    point = Highs().solve(compiled.model, EXACT).x
    found = fit(compiled, point, EXACT)
    assert found.totals == {0: 2}
    assert found.bound * float(compiled.unit) == pytest.approx(20 / 3)


def test_of_a_selection_that_nothing_can_pay_it_is_proved_that_it_is_worth_nothing_at_all():
    """P is to be done whole, at 7, and there are 6."""
    compiled = compile_tables(portfolio(programme("P", 7, least=Fraction(1, 7)), rooms={"2021": 6}))
    point = Highs().solve(compiled.model, EXACT).x
    found = fit(compiled, point, EXACT, pinned={0: 7})
    assert (found.payments, found.totals, found.bound) == (None, {}, -np.inf)


def test_whole_amounts_that_are_pinned_stay():
    """P stays at 3 of 7 although there is room for more, and Q takes what is left."""
    given = portfolio(programme("P", 7, least=Fraction(1, 7)), programme("Q", 9), rooms={"2021": 11})
    compiled = compile_tables(given)
    point = Highs().solve(compiled.model, EXACT).x
    assert fit(compiled, point, EXACT, pinned={0: 3}).totals == {0: 3, 1: 8}


def test_many_large_programmes_end_quickly_at_the_gap():
    """Thirty programmes of millions over several years and sources are planned within the asked gap in one round."""
    random = np.random.default_rng(7)
    projects = [
        programme(
            f"P{n}",
            int(random.integers(10**5, 10**7)),
            int(random.integers(1, 1000)),
            least=Fraction(int(random.integers(1, 9)), 10),
            duration=int(random.integers(1, 4)),
        )
        for n in range(30)
    ]
    given = tables(
        *projects,
        sources=(S, T),
        envelopes=(*(state(10**7, str(year)) for year in (2021, 2022, 2023, 2024)), state(9 * 10**6, source=("T",))),
    )
    answer = optimize(given, SolveOptions(time_limit=30, gap=1e-4, threads=1))
    assert answer.status in (Status.WITHIN_GAP, Status.OPTIMAL)
    assert verify(given, answer.allocation).violations == ()


def test_check_finds_nothing_to_say_against_a_programme():
    """Programmes are planned, not refused."""
    settings = {"first_year": 2021, "last_year": 2024}
    frames = {
        "projects": pd.DataFrame(
            {
                "id": ["P"],
                "kind": ["programme"],
                "min_scale": [0.5],
                "cost": [100],
                "value": [10],
                "latest_start": [2021],
            }
        ),
        "sources": pd.DataFrame({"id": ["S"], "side": ["state"]}),
        "envelopes": pd.DataFrame({"source": ["S"], "period": ["2021:2024"], "amount": [70]}),
    }
    portfolio_ = Portfolio.from_tables(settings, frames)
    assert [issue for issue in check(portfolio_.tables) if issue.severity == "error"] == []
    plan_ = portfolio_.optimize(gap=0)
    assert plan_.projects["scale"].tolist() == [0.7]
    assert portfolio_.evaluate(plan_.projects).value == 7
    assert portfolio_.evaluate(plan_).value == 7


def test_where_a_price_follows_a_scale_values_differ_by_parts():
    """The programme itself is worth nothing; what it lacks of 3 classrooms, of which a seventh costs 1, is charged."""
    goal = {
        "indicators": (Indicator(id="rooms"),),
        "contributions": (Contribution(project="P", indicator="rooms", amount=Fraction(3)),),
        "targets": (Target(indicator="rooms", by_year=2024, at_least=Fraction(3), price=Fraction(1)),),
    }
    whole = compile_tables(tables(project("P", 7), project("Q", 1, value=Fraction(3)), **goal))
    scaled = compile_tables(tables(programme("P", 7, value=0), project("Q", 1, value=Fraction(3)), **goal))
    assert (whole.step, scaled.step) == (3, 0)

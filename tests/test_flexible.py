"""Flexible projects: what the plan pays for them year by year, and the rows that hold it."""

from fractions import Fraction

import pandas as pd
import pulp
import pytest

from building import broken, plan, project, tables
from capalloc import InvalidInput, Portfolio
from capalloc.accounts import column_bounds, open_accounts
from capalloc.compiling import compile_tables
from capalloc.costing import Leeway
from capalloc.engines.highs import Highs
from capalloc.exporting import from_problem, labels, to_problem
from capalloc.financing import finance
from capalloc.limiting import payable
from capalloc.model import SolveOptions, Status
from capalloc.options import expand
from capalloc.payers import find_payers
from capalloc.records import Envelope, Mode, Rule, Share, Source
from capalloc.screening import screen
from capalloc.solving import optimize
from small_models import INF
from written import written

EXACT = SolveOptions(time_limit=60, gap=0.0, threads=1)
ENGINES = ("highs", "enumeration", "pulp:PULP_CBC_CMD")
HALF, THIRD = Fraction(1, 2), Fraction(1, 3)
S, T = Source(id="S"), Source(id="T")


def flexible(name="P", cost=10, **more):
    """Return a flexible project of three years that starts in 2021 unless told otherwise."""
    more = {"duration": 3, "latest_start": 2021, "value": Fraction(5)} | more
    return project(name, cost, profile="flexible", **more)


def envelope(source, period, amount):
    """Return a row of envelopes."""
    return Envelope(source=(source,), period=period, amount=amount)


def rule(measure, sense, amount, **more):
    """Return a rule."""
    return Rule(id="r", measure=measure, sense=sense, amount=Fraction(amount), **more)


def paid_by_year(given, engine="highs"):
    """Return what the best plan pays in each year."""
    answer = optimize(given, EXACT, engine)
    assert answer.status is Status.OPTIMAL
    years = {}
    for payment in answer.allocation.payments:
        years[payment.year] = years.get(payment.year, 0) + payment.amount
    return years


@pytest.mark.parametrize(
    ("own", "mode", "leeway"),
    [
        ({}, None, Leeway(10, 0, 10)),
        ({"year_min": THIRD, "year_max": HALF}, None, Leeway(10, 3, 5)),
        ({"year_min": Fraction(0), "year_max": THIRD}, None, Leeway(10, 0, 4)),
        ({"year_min": THIRD, "year_max": HALF}, {}, Leeway(10, 3, 5)),
        ({"year_min": THIRD, "year_max": HALF}, {"year_min": Fraction(0), "cost": 7}, Leeway(7, 0, 4)),
        ({"year_min": THIRD}, {"profile": "front"}, None),
    ],
)
def test_a_year_takes_from_floor_to_ceil_of_its_share_of_the_cost(own, mode, leeway):
    """Nothing to all where no bound is given; a mode has its own bounds, cost and profile, or the project's."""
    modes = () if mode is None else (Mode(project="P", mode="m", **mode),)
    (variant,) = expand(tables(flexible(**own), modes=modes, sources=(S,))).variants
    assert variant.leeway == leeway


def test_a_flexible_project_has_a_cost_but_no_yearly_costs():
    """Its years are those of its work, also for the border of the horizon."""
    options = expand(tables(flexible(latest_start=None), project("Q", 4), sources=(S,)))
    assert options.cost.tolist() == [10, 10, 4, 4, 4, 4]
    assert options.due.tolist() == [10, 10, 4, 4, 4, 4]
    assert options.start.tolist() == [2021, 2022, 2021, 2022, 2023, 2024]
    assert [costs.tolist() for costs in options.cost_entries] == [[2, 3, 4, 5], [2021, 2022, 2023, 2024], [4, 4, 4, 4]]
    assert [variant.span for variant in options.variants] == [3, 1]
    assert options.variants[0].cost == 10


def test_every_flexible_project_has_an_account_with_a_cell_a_year():
    """Also where one source alone may pay, because it matters when; two of them are never pooled."""
    given = tables(flexible(latest_start=2022), flexible("Q", 4, duration=1), flexible("F", 0), sources=(S,))
    options = expand(given)
    accounts = open_accounts(given, options, find_payers(given, options.variants))
    assert [(item.variants, item.cells, item.direct) for item in accounts.items] == [
        ((0,), ((2021,), (2022,), (2023,), (2024,)), False),
        ((1,), ((2021,),), False),
    ]
    assert column_bounds(options, accounts).tolist() == [10, 10, 10, 10, 4]
    assert payable(options, accounts).all()


def test_the_sum_over_all_years_is_the_cost_and_each_year_keeps_its_bounds():
    """A year counts the options that are at work in it; what bounds nothing has no row."""
    given = tables(flexible(duration=2, latest_start=2022, year_min=THIRD), sources=(S,))
    model = compile_tables(given).model
    every = {f"S {year} #0": 1 for year in (2021, 2022, 2023)}
    assert written(model, "balance") == [((0, None), 0, {**every, "P 2021": -10, "P 2022": -10}, 0)]
    first, second = {"S 2021 #0": 1, "P 2021": -3}, {"S 2023 #0": 1, "P 2022": -3}
    assert written(model, "yearly") == [
        ((0, 2021, "min"), 0, first, INF),
        ((0, 2021, "max"), -INF, first | {"P 2021": -10}, 0),
        ((0, 2022, "min"), 0, {"S 2022 #0": 1, "P 2021": -3, "P 2022": -3}, INF),
        ((0, 2023, "min"), 0, second, INF),
        ((0, 2023, "max"), -INF, second | {"P 2022": -10}, 0),
    ]


def test_bounds_that_meet_are_one_row():
    """A third of 9 at least and at most: 3 every year."""
    given = tables(flexible(cost=9, year_min=THIRD, year_max=THIRD), sources=(S,))
    terms = [{f"S {year} #0": 1, "P 2021": -3} for year in (2021, 2022, 2023)]
    keys = [(0, year, "exactly") for year in (2021, 2022, 2023)]
    assert written(compile_tables(given).model, "yearly") == [
        (key, 0, row, 0) for key, row in zip(keys, terms, strict=True)
    ]
    assert paid_by_year(given) == {2021: 3, 2022: 3, 2023: 3}


@pytest.mark.parametrize("engine", ENGINES)
def test_the_plan_pays_when_there_is_money(engine):
    """Of 10 the years leave 2, 5 and 3: no even stream would fit, and no other one does."""
    years = tuple(envelope("S", str(year), room) for year, room in ((2021, 2), (2022, 5), (2023, 3)))
    given = tables(flexible(), sources=(S,), envelopes=years)
    assert paid_by_year(given, engine) == {2021: 2, 2022: 5, 2023: 3}
    even = tables(project("P", 10, duration=3, latest_start=2021, value=Fraction(5)), sources=(S,), envelopes=years)
    assert optimize(even, EXACT, engine).allocation.choices == ()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_year_beyond_its_bound_is_not_paid(engine):
    """At most half of 10 in a year, at least a fifth: 6 in 2021 would do, but 5 and the rest where there is room."""
    years = (envelope("S", "2021", 6), envelope("S", "2022", 2), envelope("S", "2023", 9))
    given = tables(flexible(year_min=Fraction(1, 5), year_max=HALF), sources=(S,), envelopes=years)
    years = paid_by_year(given, engine)
    assert sum(years.values()) == 10
    assert years[2022] == 2
    assert {years[2021], years[2023]} <= {3, 4, 5}


@pytest.mark.parametrize(("most", "funded"), [(HALF, True), (THIRD, False)])
def test_no_year_bends_for_another(most, funded):
    """There is nothing in 2022: half of 9 (5) and the rest do, a third (3) each leaves 3 unpaid."""
    given = tables(flexible(cost=9, year_max=most), sources=(S,), envelopes=(envelope("S", "2022", 0),))
    assert bool(optimize(given, EXACT).allocation.choices) is funded


def test_the_share_of_a_life_is_of_the_whole_cost():
    """T pays at most 3 of 10, or 4 of 12, in whichever years; S has 7 in all."""
    shares = (Share(project="P", source=("T",), max=Fraction(3, 10)),)
    years = (envelope("S", "2021", 0), envelope("S", "2022", 4), envelope("S", "2023", 3))
    given = tables(flexible(), sources=(S, T), shares=shares, envelopes=years)
    payments = optimize(given, EXACT).allocation.payments
    assert sum(p.amount for p in payments if p.source == "T") == 3
    dear = tables(flexible(cost=12), sources=(S, T), shares=shares, envelopes=years)
    assert optimize(dear, EXACT).allocation.choices == ()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("statement", "value"),
    [
        (rule("cost", "<=", 4, period="2021"), 5),
        (rule("paid:S", "<=", 4, period="A"), 5),
        (rule("cost", "==", 7, period="2022"), 5),
        (rule("cost", ">=", 11, period="A"), None),
        (rule("tail", "<=", 0, period="A"), 5),
        (rule("tail", "<=", 0, period="2021", price=Fraction(1)), 5),
        (rule("cost", "<=", 3, period="2021:2023", price=HALF), Fraction(3, 2)),
        (rule("cost", "<=", 3, period="2021:2023", price=Fraction(1)), 0),
    ],
)
def test_rules_count_what_is_paid_in_a_year(engine, statement, value):
    """4 of 10 in 2021, the rest later; nothing after the phase; 7 too much at a price of a half each, or not at all."""
    answer = optimize(tables(flexible(), sources=(S,), rules=(statement,)), EXACT, engine)
    assert (answer.audit.value if answer.audit else None) == value


@pytest.mark.parametrize("engine", ENGINES)
def test_a_tail_is_not_of_what_starts_after_the_period(engine):
    """At most 1 of 10 may follow 2021: a start in 2021 leaves 2 over, a start in 2022 has no tail at all."""
    given = tables(
        flexible(duration=2, latest_start=2022, year_max=Fraction(4, 5)),
        sources=(S,),
        rules=(rule("tail", "<=", 1, period="2021"),),
    )
    assert [choice.start for choice in optimize(given, EXACT, engine).allocation.choices] == [2022]
    open_ = tables(flexible(duration=2, latest_start=2022), sources=(S,), rules=(rule("tail", "==", 4, period="2021"),))
    assert paid_by_year(open_, engine) == {2021: 6, 2022: 4}


def test_payments_come_back_as_they_are():
    """Column by column, and the point of a plan holds them again."""
    given = tables(flexible(), sources=(S, T), envelopes=(envelope("S", "2021", 4), envelope("T", "2022", 4)))
    compiled = compile_tables(given)
    paid = (("P", "S", 2021, 3), ("P", "T", 2021, 1), ("P", "T", 2022, 4), ("P", "S", 2023, 2))
    allocation = plan(("P", 2021), paid=paid)
    point = compiled.point(allocation)
    assert finance(compiled, point) == allocation
    assert broken(given, allocation) == []
    assert compiled.value(point) == 5


def test_fractions_are_paid_in_whole_units():
    """Two thirds of 1 in each of three years become whole units, with none in the year that has no room."""
    given = tables(flexible(cost=2), sources=(S,), envelopes=(envelope("S", "2022", 0),))
    compiled = compile_tables(given)
    outcome = Highs().solve(compiled.model, EXACT)
    point = outcome.x.copy()
    point[1:4] = (2 / 3, 2 / 3, 2 / 3)
    payments = finance(compiled, point).payments
    assert sum(payment.amount for payment in payments) == 2
    assert all(payment.year != 2022 for payment in payments)


def test_screening_knows_a_flexible_project_that_never_fits():
    """Of 10 the envelope of the whole time has 9; the bounds of its years are not to blame."""
    given = tables(flexible(), sources=(S,), envelopes=(envelope("S", "2021:2024", 9),))
    (issue,) = [issue for issue in screen(given) if issue.code.startswith("never")]
    assert issue.code == "never-envelope"
    assert (issue.arguments["needed"], issue.arguments["room"]) == (10, 9)
    assert not any(issue.code.startswith("never") for issue in screen(tables(flexible(), sources=(S,))))


def test_the_model_goes_out_to_pulp_and_comes_back():
    """Its rows have names that tell the project and the year."""
    given = tables(
        flexible(year_max=HALF), sources=(S,), envelopes=(envelope("S", "2021", 2), envelope("S", "2022", 4))
    )
    names = labels(compile_tables(given))[1]
    assert [name for name in names if "P" in name] == ["paid P", *(f"paid P {year} max" for year in (2021, 2022, 2023))]
    problem = to_problem(given)
    problem.solve(pulp.getSolver("PULP_CBC_CMD", msg=False, _skip_v4_deprecation=True))
    answer = from_problem(given, problem)
    assert answer.status is Status.FEASIBLE
    assert answer.audit.value == 5


def test_a_misspelt_flexible_profile_is_told_its_name():
    """The word is written in small letters."""
    projects = pd.DataFrame({"id": ["P"], "cost": [3], "value": [1], "profile": ["Flexible"]})
    with pytest.raises(InvalidInput, match=r"no profile 'Flexible'\. Nearest: flexible\."):
        Portfolio.from_tables({"first_year": 2021, "last_year": 2024}, {"projects": projects})

"""Compiling: every statement of the tables as a row, the objective in whole units, and the way back."""

from decimal import Decimal
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from brute import every_selection, payments_of
from building import plan, project, tables
from capalloc.allocation import Allocation, Choice, Payment
from capalloc.compiling import compile_tables
from capalloc.records import (
    Capacity,
    Commitment,
    Cost,
    Dependency,
    Envelope,
    Membership,
    Mode,
    Resource,
    Source,
    Use,
)
from small_models import INF
from strategies import portfolios
from written import column_names, written

HALF = Fraction(1, 2)
T_YEARS = {"T 2021": 1, "T 2022": 1, "T 2023": 1, "T 2024": 1}


def rows(kind, *projects, **more):
    """Return the compiled rows of one kind."""
    return written(compile_tables(tables(*projects, **more)).model, kind)


def short(name, **more):
    """Return a project that costs 1 and starts in 2021 or 2022."""
    return project(name, 1, latest_start=2022, **more)


def single(name, value=None, **more):
    """Return a project that costs 1 and starts in 2021."""
    return project(name, 1, latest_start=2021, value=None if value is None else Fraction(value), **more)


def test_a_project_is_done_at_most_once_and_once_if_it_must():
    """P must, C is committed, Q may; R has one way that its column bounds, O is out, M must and cannot."""
    found = rows(
        "choice",
        short("P", mandatory=True),
        short("Q"),
        single("R"),
        project("C", 1),
        project("O", 1),
        project("M", 1, latest_start=2020, mandatory=True),
        committed=(
            Commitment(project="C", decision="in", start=2023),
            Commitment(project="O", decision="out"),
        ),
    )
    assert found == [
        (("P",), 1, {"P 2021": 1, "P 2022": 1}, 1),
        (("Q",), -INF, {"Q 2021": 1, "Q 2022": 1}, 1),
        (("C",), 1, {"C 2023": 1}, 1),
        (("M",), 1, {}, 1),
    ]


def test_all_modes_of_a_project_count_as_one_project():
    """One of two modes in one of two years."""
    found = rows("choice", short("P"), modes=(Mode(project="P", mode="a"), Mode(project="P", mode="b")))
    assert found == [(("P",), -INF, {"P/a 2021": 1, "P/a 2022": 1, "P/b 2021": 1, "P/b 2022": 1}, 1)]


@pytest.mark.parametrize(
    ("kind", "lower", "sign", "upper"), [("requires", -INF, -1, 0), ("together", 0, -1, 0), ("excludes", -INF, 1, 1)]
)
def test_a_dependency_that_knows_no_years_is_one_row(kind, lower, sign, upper):
    """Then less first is at most 0, or 0; both are at most 1.  Modes and years of a project are added up."""
    found = rows(
        "dependency",
        short("T"),
        short("F"),
        modes=(Mode(project="F", mode="a", latest_start=2021), Mode(project="F", mode="b", earliest_start=2022)),
        dependencies=(Dependency(kind=kind, first="F", then="T"),),
    )
    assert found == [((0, None), lower, {"T 2021": 1, "T 2022": 1, "F/a 2021": sign, "F/b 2022": sign}, upper)]


def up_to(year):
    """Return the options of T that start by a year."""
    return {name: value for name, value in T_YEARS.items() if int(name[2:]) <= year}


@pytest.mark.parametrize(
    ("kind", "lag", "expected"),
    [
        # F takes two years and may start until 2023: its start in 2021 lets T start from 2023 on.
        ("finish_start", 0, {2022: [], 2023: [2021], 2024: [2021, 2022]}),
        ("finish_start", 1, {2023: [], 2024: [2021]}),
        ("finish_start", 2, {2024: []}),
        # The last start of F lets T start from 2023 on, so that the row of 2024 implies that of 2023.
        ("start_start", 0, {2021: [2021], 2022: [2021, 2022], 2024: [2021, 2022, 2023]}),
        ("start_start", 1, {2021: [], 2022: [2021], 2023: [2021, 2022], 2024: [2021, 2022, 2023]}),
        ("start_start", 2, {2022: [], 2023: [2021], 2024: [2021, 2022]}),
        ("start_start", 3, {2023: [], 2024: [2021]}),
    ],
)
def test_an_order_has_a_row_for_each_year_in_which_more_is_let_in(kind, lag, expected):
    """What starts by a year is at most what lets it; a row that the next implies is left out."""
    found = rows(
        "dependency",
        project("T", 1),
        project("F", 2, duration=2),
        dependencies=(Dependency(kind=kind, first="F", then="T", lag=lag),),
    )
    assert found == [
        ((0, year), -INF, up_to(year) | {f"F {start}": -1 for start in ready}, 0) for year, ready in expected.items()
    ]


def test_an_order_looks_at_the_finish_of_each_mode():
    """The fast mode lets T start in 2023 if it starts by 2022, the slow one only if it starts in 2021."""
    found = rows(
        "dependency",
        project("F", 1),
        project("T", 1, earliest_start=2023, latest_start=2023),
        modes=(Mode(project="F", mode="slow", duration=2), Mode(project="F", mode="fast", duration=1)),
        dependencies=(Dependency(kind="finish_start", first="F", then="T"),),
    )
    assert found == [((0, 2023), -INF, {"T 2023": 1, "F/slow 2021": -1, "F/fast 2021": -1, "F/fast 2022": -1}, 0)]


def test_what_waits_for_something_that_cannot_be_done_is_barred():
    """F has no option, so that T has none to follow; and what cannot start needs no row."""
    found = rows(
        "dependency",
        project("T", 1),
        project("F", 1, latest_start=2020),
        dependencies=(
            Dependency(kind="start_start", first="F", then="T"),
            Dependency(kind="finish_start", first="T", then="F"),
            Dependency(kind="requires", first="F", then="T"),
        ),
    )
    assert found == [((0, 2024), -INF, T_YEARS, 0), ((2, None), -INF, T_YEARS, 0)]


@pytest.mark.parametrize(
    ("kind", "k", "lower", "upper"),
    [
        ("one_of", None, -INF, 1),
        ("exactly_one_of", None, 1, 1),
        ("at_least", 2, 2, INF),
        ("at_most", 2, -INF, 2),
        ("at_most", 0, -INF, 0),
    ],
)
def test_a_group_counts_its_members(kind, k, lower, upper):
    """Each member with all its modes and years; X is in another group, whose rows stand between."""
    names = [("g", "C"), ("h", "X"), ("g", "A")]
    found = rows(
        "group",
        short("A"),
        single("X"),
        project("C", 1, latest_start=2021),
        modes=(Mode(project="C", mode="a"), Mode(project="C", mode="b")),
        groups=tuple(Membership(group=g, project=name, kind=kind, k=k) for g, name in names),
    )
    assert found == [
        (("g",), lower, {"A 2021": 1, "A 2022": 1, "C/a 2021": 1, "C/b 2021": 1}, upper),
        (("h",), lower, {"X 2021": 1}, upper),
    ]


def test_a_resource_is_counted_in_whole_parts():
    """Sixths of land: P uses 2/3 in its first and second year, Q 1/6.  Of 3/2 there are 9, of 4/5 only 4 whole ones."""
    found = rows(
        "resource",
        project("P", 1),
        project("Q", 1),
        resources=(Resource(id="land"), Resource(id="staff"), Resource(id="idle")),
        uses=(
            Use(project="P", resource="land", offset=0, amount=Fraction(2, 3)),
            Use(project="Q", resource="staff", offset=2, amount=Fraction(3)),
            Use(project="P", resource="land", offset=1, amount=Fraction(2, 3)),
            Use(project="Q", resource="land", offset=0, amount=Fraction(1, 6)),
        ),
        capacities=(
            Capacity(resource="land", period="A", amount=Fraction(3, 2)),
            Capacity(resource="staff", period="2021:2024", amount=Fraction(2)),
            Capacity(resource="land", period="2022", amount=Fraction(4, 5)),
        ),
    )
    assert found == [
        (("land", "A"), -INF, {"P 2021": 8, "P 2022": 4, "Q 2021": 1, "Q 2022": 1}, 9),
        (("land", "2022"), -INF, {"P 2021": 4, "P 2022": 4, "Q 2022": 1}, 4),
        (("staff", "2021:2024"), -INF, {"Q 2021": 3, "Q 2022": 3}, 2),
    ]


def test_each_mode_uses_its_own():
    """Mode a uses 1, mode b 2 and c nothing."""
    found = rows(
        "resource",
        single("P"),
        modes=tuple(Mode(project="P", mode=mode) for mode in "abc"),
        resources=(Resource(id="land"),),
        uses=(
            Use(project="P", mode="a", resource="land", amount=Fraction(1)),
            Use(project="P", mode="b", resource="land", amount=Fraction(2)),
        ),
        capacities=(Capacity(resource="land", period="2021", amount=Fraction(1)),),
    )
    assert found == [(("land", "2021"), -INF, {"P/a 2021": 1, "P/b 2021": 2}, 1)]


def test_a_capacity_beyond_all_uses_is_no_large_number():
    """It never binds, however large it is in the parts of the uses."""
    found = rows(
        "resource",
        single("P"),
        single("Q"),
        resources=(Resource(id="land"),),
        uses=(
            Use(project="P", resource="land", amount=Fraction(3, 2)),
            Use(project="Q", resource="land", amount=Fraction(2)),
        ),
        capacities=(Capacity(resource="land", period="A", amount=Fraction(10**30)),),
    )
    assert found == [(("land", "A"), -INF, {"P 2021": 3, "Q 2021": 4}, 8)]


@pytest.mark.parametrize(
    ("weights", "objective", "unit"),
    [
        ({}, [3, 4, -2], HALF),
        # 3/2 · 3/2 = 9/4, 4 · 2 = 8, 4 · −1 = −4.
        ({1: 4, 2: Decimal("1.5")}, [9, 32, -16], Fraction(1, 4)),
        # 3/2 · 3 = 9/2, and nothing.
        ({1: 0, 2: 3}, [1, 0, 0], Fraction(9, 2)),
        ({1: 0, 2: 0}, [0, 0, 0], 1),
        # 3/2 · 1/10 = 3/20, 2 · 1/4 = 10/20: neither weight is whole in the parts of the other.
        ({1: Decimal("0.25"), 2: Decimal("0.1")}, [3, 10, -5], Fraction(1, 20)),
    ],
)
def test_the_objective_counts_in_the_largest_unit_that_leaves_whole_numbers(weights, objective, unit):
    """P in class 2 is worth 3/2, Q in class 1 worth 2, R in class 1 worth −1."""
    given = tables(
        single("P", Fraction(3, 2), priority=2),
        single("Q", 2, priority=1),
        single("R", -1, priority=1),
        objective={"class_weights": weights},
    )
    compiled = compile_tables(given)
    assert (compiled.model.objective.tolist(), compiled.unit) == (objective, unit)


def test_the_value_of_options_is_exact_and_weighted():
    """0.1 · 1/3 to six digits, and 4 · 2 with a first class."""
    given = tables(
        single("P", Fraction(1, 3), priority=2),
        single("Q", 2, priority=1),
        objective={"class_weights": {1: 4, 2: Decimal("0.1")}},
    )
    compiled = compile_tables(given)
    assert compiled.value(np.array([1.0, 0.0])) == Fraction(333_333, 10_000_000)
    assert compiled.value(np.array([1.0, 1.0])) == 8 + Fraction(333_333, 10_000_000)
    assert compiled.value(np.zeros(2)) == 0


def test_without_class_weights_every_project_counts_once():
    """A class alone changes nothing."""
    compiled = compile_tables(tables(single("P", 1, priority=3), single("Q", 1)))
    assert compiled.value(np.ones(2)) == 2


def financed(**more):
    """Return P of 3 and 1 from 2021 or 2022 and Q of 2 from 2022, paid by S and T, with an envelope of 5 in phase A."""
    return tables(
        project("P", latest_start=2022, value=Fraction(3)),
        project("Q", 2, earliest_start=2022, latest_start=2022, value=Fraction(4)),
        costs=(Cost(project="P", offset=0, amount=3), Cost(project="P", offset=1, amount=1)),
        sources=(Source(id="S"), Source(id="T")),
        envelopes=(Envelope(source=("S",), period="A", amount=5),),
        **more,
    )


def test_columns_are_options_then_payments():
    """Options are taken or not, payments are amounts without value."""
    model = compile_tables(financed()).model
    assert column_names(model) == [
        "P 2021", "P 2022", "Q 2022", "S 2021 #0", "T 2021 #0", "S 2023 #0", "T 2023 #0",
    ]  # fmt: skip
    assert model.objective.tolist() == [3, 3, 4, 0, 0, 0, 0]
    assert model.lower.tolist() == [0] * 7
    assert model.upper.tolist() == [1, 1, 1, 6, 6, 1, 1]
    assert model.integer.tolist() == [True] * 3 + [False] * 4
    assert [block.kind for block in model.rows] == ["choice", "balance", "envelope"]


def test_an_option_that_nobody_may_pay_cannot_be_taken():
    """It stays a column, bounded by 0; one that costs nothing needs no payer."""
    given = tables(single("P"), project("F", 0, latest_start=2021), sources=(Source(id="S", side="non_state"),))
    assert compile_tables(given).model.upper.tolist() == [0, 1]


def test_a_portfolio_without_any_option_is_a_model_without_columns():
    """A project that must be done leaves a row that cannot hold."""
    late = project("P", 1, latest_start=2020, mandatory=True)
    compiled = compile_tables(tables(late, sources=(Source(id="S"),)))
    assert compiled.model.matrix.shape == (1, 0)
    assert (compiled.unit, compiled.value(np.empty(0))) == (1, 0)


def test_a_choice_becomes_an_option_and_comes_back():
    """Every option is the choice it stands for; a column above a half is taken, payments are no options."""
    compiled = compile_tables(financed())
    assert [compiled.choice(option) for option in range(3)] == [
        Choice("P", "", 2021),
        Choice("P", "", 2022),
        Choice("Q", "", 2022),
    ]
    assert compiled.taken(np.array([0.0, 0.999_999, 0.000_001, 5.0, 1.0, 1.0, 1.0])).tolist() == [1]


def test_a_plan_becomes_a_point():
    """S pays 3 for P in 2021, S 1 and T 0 in 2022; Q is paid by both: S 5 of the cell together, T 1."""
    compiled = compile_tables(financed())
    paid = [("P", "S", 2021, 3), ("P", "S", 2022, 1), ("Q", "S", 2022, 1), ("Q", "T", 2022, 1)]
    point = compiled.point(plan(("P", 2021), ("Q", 2022), paid=paid))
    assert point.tolist() == [1, 0, 1, 5, 1, 0, 0]
    assert compiled.point(plan()).tolist() == [0] * 7


def test_a_payment_without_a_column_is_left_out_of_the_point():
    """S alone pays, in the envelope directly."""
    given = tables(single("P"), sources=(Source(id="S"),), envelopes=(Envelope(source=("S",), period="A", amount=5),))
    compiled = compile_tables(given)
    assert compiled.point(plan(("P", 2021), paid=[("P", "S", 2021, 1)])).tolist() == [1]


@pytest.mark.parametrize(
    "choice", [Choice("P", "", 2023), Choice("P", "a", 2021), Choice("X", "", 2021), Choice("P", "", 2021, HALF)]
)
def test_a_plan_that_takes_no_option_of_the_tables_has_no_point(choice):
    """Another year, another mode, another project, or a part of one."""
    compiled = compile_tables(financed())
    assert compiled.point(Allocation((Choice("Q", "", 2022), choice), (Payment("Q", "S", 2022, 2),))) is None


def holds(model, points):
    """Return for each point, a column of the array, whether it keeps all rows and bounds."""
    activity = model.matrix @ points
    kept = (model.row_lower[:, None] <= activity) & (activity <= model.row_upper[:, None])
    inside = (model.lower[:, None] <= points) & (points <= model.upper[:, None])
    return kept.all(axis=0) & inside.all(axis=0)


@given(portfolios(with_sources=False, features=frozenset()))
def test_the_rows_let_through_exactly_what_the_tables_do(tabled):
    """Without money, the selections that keep every row are those that trying everything accepts, at the same value."""
    compiled = compile_tables(tabled)
    ways = [[None] for _ in tabled.projects]
    for option, number in enumerate(compiled.options.project.tolist()):
        ways[number].append(option)
    selections = [[option for option in drawn if option is not None] for drawn in product(*ways)]
    points = np.zeros((len(compiled.model.objective), len(selections)))
    for number, selection in enumerate(selections):
        points[selection, number] = 1
    found = {
        (compiled.value(points[:, number]), tuple(map(compiled.choice, selections[number])))
        for number in np.flatnonzero(holds(compiled.model, points))
    }
    assert found == set(every_selection(tabled))


@given(st.data())
def test_every_plan_is_a_point_that_keeps_all_rows_and_comes_back(data):
    """Any selection that can be paid: its point keeps rows and bounds, has its exact value and takes its choices."""
    tabled = data.draw(portfolios(features=frozenset()))
    selections = list(every_selection(tabled))
    compiled = compile_tables(tabled)
    for value, choices in data.draw(st.lists(st.sampled_from(selections), max_size=5)) if selections else []:
        payments = payments_of(tabled, choices)
        point = compiled.point(Allocation(choices, payments or ()))
        taken = compiled.taken(point)
        note(f"{choices} {payments} {point}")
        assert tuple(map(compiled.choice, taken)) == choices
        assert compiled.value(point) == value
        assert sum((Fraction(w) for w in compiled.model.objective[taken]), Fraction(0)) * compiled.unit == value
        if payments is not None:
            assert holds(compiled.model, point[:, None]).all()


@given(portfolios(with_sources=True))
def test_no_option_that_could_be_paid_is_barred(tabled):
    """Where the bound of an option is 0, no whole amounts pay for it even alone."""
    compiled = compile_tables(tabled)
    barred = np.flatnonzero(compiled.model.upper[: len(compiled.options)] == 0).tolist()
    assert [payments_of(tabled, (compiled.choice(option),)) for option in barred] == [None] * len(barred)

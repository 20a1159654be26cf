"""Options: which modes and start years are left, what they cost in each year, and what they are worth."""

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from building import project, tables
from capalloc.issues import InvalidInput
from capalloc.options import Variant, expand, modes_of, round_products, spread
from capalloc.records import Benefit, Commitment, Cost, Criterion, Mode, ProfileShare, Score
from strategies import cases

GRID = 10**6
ALL = [2021, 2022, 2023, 2024]
HALF = Fraction(1, 2)


def starts(given, name="P", mode=""):
    """Return the start years of a project in a mode."""
    options = expand(given)
    variants = [options.variants[v] for v in options.variant]
    return [
        int(year)
        for variant, year in zip(variants, options.start, strict=True)
        if (given.projects[variant.project].id, variant.mode) == (name, mode)
    ]


def costs(given):
    """Return the yearly costs of every variant."""
    return [variant.costs for variant in expand(given).variants]


def values(given):
    """Return the values of all options in multiples of the grid."""
    return expand(given).value.tolist()


def profile(name, *shares):
    """Return the rows of a profile that lasts as many years as it has shares."""
    return tuple(
        ProfileShare(profile=name, duration=len(shares), offset=offset, share=Fraction(share))
        for offset, share in enumerate(shares)
    )


def test_options_follow_projects_then_modes_then_years():
    """Modes in the order of their table, whichever project's rows stand first there."""
    given = tables(
        project("P", 1, latest_start=2022),
        project("Q", duration=3),
        project("R", 1, earliest_start=2024, duration=1),
        modes=(
            Mode(project="Q", mode="slow", cost=4),
            Mode(project="Q", mode="fast", cost=5, duration=2, earliest_start=2023),
        ),
    )
    options = expand(given)
    assert [(v.project, v.mode, v.duration) for v in options.variants] == [
        (0, "", 1),
        (1, "slow", 3),
        (1, "fast", 2),
        (2, "", 1),
    ]
    assert len(options) == 6
    assert options.variant.tolist() == [0, 0, 1, 1, 2, 3]
    assert options.project.tolist() == [0, 0, 1, 1, 1, 2]
    assert options.start.tolist() == [2021, 2022, 2021, 2022, 2023, 2024]
    assert options.finish.tolist() == [2021, 2022, 2023, 2024, 2024, 2024]


def test_a_project_without_modes_has_the_one_mode_without_a_name():
    """It is listed as none; a project with modes has no other way to be done."""
    given = tables(project("P", 1), project("Q"), modes=(Mode(project="Q", mode="a", cost=1),))
    assert modes_of(given) == {"P": [None], "Q": [given.modes[0]]}


@pytest.mark.parametrize(
    ("own", "of_mode", "expected"),
    [
        ((None, None), (None, None), ALL),
        ((2022, None), (None, None), [2022, 2023, 2024]),
        ((None, 2023), (None, None), [2021, 2022, 2023]),
        ((2022, 2022), (None, None), [2022]),
        ((2022, 2023), (2021, None), [2021, 2022, 2023]),
        ((2022, 2023), (None, 2024), [2022, 2023, 2024]),
        ((2000, 2100), (None, None), ALL),
        ((2025, None), (None, None), []),
        ((None, 2020), (None, None), []),
        ((2023, 2022), (None, None), []),
    ],
)
def test_the_window_is_the_mode_s_or_else_the_project_s_within_the_horizon(own, of_mode, expected):
    """Either end that the mode leaves open is the project's."""
    names = ("earliest_start", "latest_start")
    given = tables(
        project("P", 1, **dict(zip(names, own, strict=True))),
        modes=(Mode(project="P", mode="a", **dict(zip(names, of_mode, strict=True))),),
    )
    assert starts(given, mode="a") == expected


@pytest.mark.parametrize(
    ("duration", "paid", "kept", "over"),
    [
        (1, (5,), ALL, ALL),
        (3, (5,), [2021, 2022], ALL),
        (1, (0, 0, 5), [2021, 2022], ALL),
        (1, (5, 0, 0), ALL, ALL),
        (2, (0, 0, 0, 5), [2021], ALL),
        (5, (5,), [], ALL),
    ],
)
def test_work_and_payment_end_within_the_horizon_unless_they_may_run_over(duration, paid, kept, over):
    """The last year of work or with a cost counts, whichever is later; a cost of 0 is no payment."""
    rows = tuple(Cost(project="P", offset=offset, amount=amount) for offset, amount in enumerate(paid))
    one = project("P", duration=duration)
    assert starts(tables(one, costs=rows)) == kept
    assert starts(tables(one, costs=rows, may_run_over=True)) == over


@pytest.mark.parametrize(
    ("duration", "paid", "within", "over"),
    [
        (1, (5,), ALL, ALL),
        (2, (5,), [2021, 2023], [2021, 2023]),
        (1, (5, 5), [2021, 2023], [2021, 2023]),
        (3, (5,), [], []),
    ],
)
def test_work_and_payment_end_in_the_phase_of_the_start_unless_they_may_cross(duration, paid, within, over):
    """Phases of two years; running over the last year would leave the last phase too."""
    rows = tuple(Cost(project="P", offset=offset, amount=amount) for offset, amount in enumerate(paid))
    one = project("P", duration=duration)
    assert starts(tables(one, costs=rows, may_cross_phase=False)) == within
    assert starts(tables(one, costs=rows, may_cross_phase=False, may_run_over=True)) == over


def test_without_phases_no_border_can_be_crossed():
    """Barring projects from crossing phases bars nothing where there are none."""
    assert starts(tables(project("P", 1, duration=4), phases=(), may_cross_phase=False)) == [2021]


@pytest.mark.parametrize(
    ("row", "a", "b"),
    [
        ({"decision": "in"}, [2022, 2023], [2023, 2024]),
        ({"decision": "in", "mode": "a"}, [2022, 2023], []),
        ({"decision": "in", "start": 2023}, [2023], [2023]),
        ({"decision": "in", "start": 2022}, [2022], []),
        ({"decision": "in", "mode": "b", "start": 2024}, [], [2024]),
        ({"decision": "in", "start": 2021}, [], []),
        ({"decision": "out"}, [], []),
        ({"decision": "out", "mode": "a", "start": 2022}, [], []),
    ],
)
def test_a_commitment_leaves_what_was_decided(row, a, b):
    """In a mode and year if they are named, never outside the window; out is out in every mode; others are free."""
    given = tables(
        project("P", 1),
        project("Q", 1),
        modes=(
            Mode(project="P", mode="a", earliest_start=2022, latest_start=2023),
            Mode(project="P", mode="b", earliest_start=2023, latest_start=2024),
        ),
        committed=(Commitment(project="P", **row),),
    )
    assert (starts(given, mode="a"), starts(given, mode="b"), starts(given, "Q")) == (a, b, ALL)


@pytest.mark.parametrize(
    ("total", "years", "expected"),
    [
        (12, 3, (4, 4, 4)),
        (10, 4, (3, 2, 3, 2)),  # 2.5, 5, 7.5, 10
        (1, 2, (1, 0)),  # 0.5, 1
        (1, 3, (0, 1, 0)),  # 0.33, 0.67, 1
        (5, 3, (2, 1, 2)),  # 1.67, 3.33, 5
        (0, 2, (0, 0)),
        (None, 2, (0, 0)),
    ],
)
def test_a_total_without_profile_is_spread_evenly_and_adds_up(total, years, expected):
    """What is paid by the end of each year is rounded half up, so that the years add up to the total."""
    assert costs(tables(project("P", total, duration=years))) == [expected]


def test_a_total_follows_its_profile_of_that_duration():
    """A third of 10 by the first year, two thirds by the second; nothing where the profile has a share of 0 or none."""
    given = tables(
        project("P", 10, duration=3, profile="x"),
        project("Q", 10, duration=2, profile="x"),
        project("R", 10, duration=4, profile="gap"),
        profiles=(
            *profile("x", Fraction(1, 3), Fraction(1, 3), Fraction(1, 3)),
            *profile("x", Fraction(1, 4), Fraction(3, 4)),
            ProfileShare(profile="gap", duration=4, offset=3, share=Fraction(1, 4)),
            ProfileShare(profile="gap", duration=4, offset=1, share=Fraction(3, 4)),
        ),
    )
    assert costs(given) == [(3, 4, 3), (3, 7), (0, 8, 0, 2)]


def test_a_mode_has_its_own_cost_duration_and_profile():
    """What it leaves open is the project's; a cost of 0 is not open."""
    given = tables(
        project("P", 8, duration=2, profile="early"),
        modes=(
            Mode(project="P", mode="same"),
            Mode(project="P", mode="dear", cost=16),
            Mode(project="P", mode="long", duration=3),
            Mode(project="P", mode="late", profile="late"),
            Mode(project="P", mode="free", cost=0),
        ),
        profiles=(
            *profile("early", Fraction(3, 4), Fraction(1, 4)),
            *profile("early", Fraction(1, 2), Fraction(1, 4), Fraction(1, 4)),
            *profile("late", Fraction(1, 4), Fraction(3, 4)),
        ),
    )
    assert costs(given) == [(6, 2), (12, 4), (4, 2, 2), (2, 6), (0, 0)]


def test_explicit_costs_count_from_the_start_and_only_in_their_mode():
    """In any order of rows, with years of nothing in between, beyond the duration if so written."""
    given = tables(
        project("P", 9, duration=1),
        project("Q", 9),
        modes=(Mode(project="P", mode="a"), Mode(project="P", mode="b")),
        costs=(Cost(project="P", mode="a", offset=3, amount=2), Cost(project="P", mode="a", offset=1, amount=7)),
    )
    assert costs(given) == [(0, 7, 0, 2), (9,), (9,)]
    variant = expand(given).variants[0]
    assert (variant.cost, variant.span) == (9, 4)


@pytest.mark.parametrize(("duration", "paid", "span"), [(3, (1,), 3), (1, (0, 1), 2), (1, (1, 0), 1), (2, (), 2)])
def test_the_span_is_of_work_and_payment(duration, paid, span):
    """From the start to the last year of either."""
    assert Variant(0, "", duration, paid, range(0), Fraction(0)).span == span


def test_costs_by_year_are_listed_option_after_option_without_zeros():
    """The option, the year and the amount of every positive cost."""
    rows = tuple(Cost(project="P", offset=offset, amount=amount) for offset, amount in enumerate((4, 0, 3)))
    given = tables(project("P"), project("F", 0), project("Q", 5, duration=2, earliest_start=2023), costs=rows)
    option, year, amount = expand(given).cost_entries
    assert list(zip(option.tolist(), year.tolist(), amount.tolist(), strict=True)) == [
        (0, 2021, 4),
        (0, 2023, 3),
        (1, 2022, 4),
        (1, 2024, 3),
        (6, 2023, 3),
        (6, 2024, 2),
    ]


def test_every_option_gets_the_stream_of_its_variant():
    """Streams of two, none and one entry, given to four options."""
    option, offset, amount = spread(np.array([2, 0, 1, 0]), np.array([2, 0, 1]), np.array([7, 8, 9]))
    assert option.tolist() == [0, 1, 1, 3, 3]
    assert offset.tolist() == [0, 0, 1, 0, 1]
    assert amount.tolist() == [9, 7, 8, 7, 8]


@pytest.mark.parametrize(
    ("at", "expected"), [("start", [8 * GRID, 4 * GRID, 2 * GRID]), ("completion", [4 * GRID, 2 * GRID, GRID])]
)
def test_a_value_counts_in_the_year_of_start_or_of_completion(at, expected):
    """8 in 2021, half of it with each year that passes; the project takes two years."""
    given = tables(project("P", 1, duration=2, value=Fraction(8)), discount_rate=1, objective={"at": at})
    assert values(given) == expected


def test_completion_is_that_of_the_mode():
    """The longer mode brings the same value a year later."""
    given = tables(
        project("P", 1, value=Fraction(8), latest_start=2021),
        modes=(Mode(project="P", mode="a"), Mode(project="P", mode="b", duration=2)),
        discount_rate=1,
        objective={"at": "completion"},
    )
    assert values(given) == [8 * GRID, 4 * GRID]


def test_a_mode_s_value_comes_before_the_project_s():
    """Also where it is 0; a project without a value is worth nothing."""
    given = tables(
        project("P", 1, value=Fraction(5), latest_start=2021),
        project("Q", 1, latest_start=2021),
        modes=tuple(Mode(project="P", mode=m, value=v) for m, v in (("a", None), ("b", Fraction(0)), ("c", -HALF))),
    )
    assert values(given) == [5 * GRID, 0, -GRID // 2, 0]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (Fraction(1, 2), 1),
        (Fraction(499, 1000), 0),
        (Fraction(3, 2), 2),
        (Fraction(-1, 2), 0),
        (Fraction(-501, 1000), -1),
        (Fraction(-3, 2), -1),
        (Fraction(1, 3), 0),
        (Fraction(-4), -4),
    ],
)
def test_a_value_is_rounded_half_up_to_the_grid(steps, expected):
    """A half step goes up, also below zero."""
    assert values(tables(project("P", 1, value=steps / GRID, latest_start=2021))) == [expected]


def test_a_value_is_rounded_once_after_discounting():
    """Half a step is a whole one in 2021, but a quarter of a step is none in 2022; 1/1.1 keeps six digits."""
    assert values(tables(project("P", 1, value=HALF / GRID, latest_start=2022), discount_rate=1)) == [1, 0]
    assert values(tables(project("P", 1, value=Fraction(1)), discount_rate=Decimal("0.1"))) == [
        1_000_000,
        909_091,
        826_446,
        751_315,
    ]


SCORED = {
    "criteria": (
        Criterion(criterion="growth", weight=Fraction(1, 3), low=Fraction(0), high=Fraction(10)),
        Criterion(criterion="harm", weight=Fraction(2, 3), direction="min", low=Fraction(-1), high=Fraction(5)),
    ),
    "scores": tuple(
        Score(project="P", mode=mode, criterion=criterion, score=Fraction(score))
        for mode, criterion, score in (("a", "growth", 5), ("a", "harm", 1), ("b", "growth", 10), ("b", "harm", -1))
    ),
}


@pytest.mark.parametrize(
    ("value_from", "expected"), [("score", [611_111, GRID]), ("score_size", [5_500_000, 9 * GRID])]
)
def test_a_score_adds_up_places_on_scales_and_may_count_by_size(value_from, expected):
    """In mode a 1/3 of 1/2 and 2/3 of 2/3, 11/18 together; in mode b the best of both; the size is 9."""
    given = tables(
        project("P", 1, size=9, latest_start=2021, value=Fraction(99)),
        modes=(Mode(project="P", mode="a"), Mode(project="P", mode="b", cost=7)),
        objective={"value_from": value_from},
        **SCORED,
    )
    assert values(given) == expected


def test_a_score_is_discounted_like_a_value():
    """Mode b, worth 1, takes three years: a quarter when it is completed, less with each later start."""
    given = tables(
        project("P", 1, size=9),
        modes=(Mode(project="P", mode="b", duration=3),),
        discount_rate=1,
        objective={"value_from": "score", "at": "completion"},
        **SCORED,
    )
    assert values(given) == [GRID // 4, GRID // 8]


@pytest.mark.parametrize("at", ["start", "completion"])
def test_benefits_count_in_the_years_they_come(at):
    """From a start in 2021: 8 that year, 1/3 a year later; from completion in 2022: 6 that year, −4 two years later.

    8 + 1/6 + 3 − 1/2 = 32/3, half of it with each later start, whatever ``at`` says of other values.
    """
    rows = (("start", 0, 8), ("start", 1, Fraction(1, 3)), ("completion", 0, 6), ("completion", 2, -4))
    given = tables(
        project("P", 1, duration=2, value=Fraction(99)),
        project("Q", 1, latest_start=2021),
        discount_rate=1,
        objective={"value_from": "benefits", "at": at},
        benefits=tuple(
            Benefit(project="P", offset=offset, amount=Fraction(amount), from_=from_) for from_, offset, amount in rows
        ),
    )
    assert values(given) == [10_666_667, 5_333_333, 2_666_667, 0]


def test_benefits_belong_to_their_mode():
    """Each mode brings its own, from its own completion."""
    given = tables(
        project("P", 1, latest_start=2021),
        modes=(Mode(project="P", mode="a"), Mode(project="P", mode="b", duration=4)),
        discount_rate=1,
        objective={"value_from": "benefits"},
        benefits=tuple(
            Benefit(project="P", mode=mode, offset=0, amount=Fraction(8), from_="completion") for mode in "ab"
        ),
    )
    assert values(given) == [8 * GRID, GRID]


@pytest.mark.parametrize("sign", [1, -1])
def test_a_value_too_large_to_be_exact_is_refused(sign):
    """A million million is still counted to the last step of the grid, one step more is not."""
    most = Fraction(10**12)
    assert values(tables(project("P", 1, value=sign * most, latest_start=2021))) == [sign * 10**18]
    with pytest.raises(InvalidInput) as refused:
        expand(tables(project("P", 1, value=sign * (most + Fraction(1, GRID)), latest_start=2021)))
    (issue,) = refused.value.issues
    assert issue.code == "value-too-large"
    assert (issue.arguments["found"], issue.arguments["most"]) == (most + Fraction(1, GRID), most)


@cases(200)
@given(
    st.lists(st.fractions() | st.integers(-(10**22), 10**22).map(lambda n: Fraction(n, 2)), min_size=1, max_size=6),
    st.lists(st.fractions(min_value=0) | st.just(Fraction(1)), min_size=1, max_size=3),
)
def test_products_in_bulk_are_rounded_as_one_by_one(left, right):
    """Half up whatever their size, also where two neighbouring floats stand on either side of a half."""
    first, second = (part.ravel() for part in np.indices((len(left), len(right))))
    pairs = [left[i] * right[j] for i, j in zip(first, second, strict=True)]
    assert round_products(left, right, first, second).tolist() == [math.floor(p + Fraction(1, 2)) for p in pairs]


@pytest.mark.parametrize(
    ("number", "rounded"),
    [
        (Fraction(1, 2), 1),
        (Fraction(-1, 2), 0),
        (Fraction(1, 2) - Fraction(1, 10**40), 0),
        (Fraction(10**17 + 1, 2), (10**17 + 2) // 2),
        (Fraction(2**53 + 1), 2**53 + 1),
        (Fraction(10**400), 10**400),
        (Fraction(-1, 10**400), 0),
    ],
)
def test_what_floats_cannot_tell_is_rounded_exactly(number, rounded):
    """A half, what is nearly one, what has more digits than a float, and what is beyond them all."""
    one = np.array([0])
    assert round_products([number], [Fraction(1)], one, one).tolist() == [rounded]

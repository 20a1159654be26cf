"""What the verifier counts for one option, each figure worked out by hand."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from building import broken, plan, project, tables
from capalloc.options import expand
from capalloc.records import Benefit, Cost, Criterion, Mode, PriceIndex, ProfileShare, Score, Use
from capalloc.recount import Recount, recount_of

HALF, THIRD = Fraction(1, 2), Fraction(1, 3)


def option(given, mode="", start=2021):
    """Return the figures of the project P."""
    return Recount(given).option("P", mode, start)


def test_a_total_without_profile_is_spread_evenly():
    """10 over three years: 3.33, 6.67 and 10 by the end of each year round to 3, 7 and 10."""
    counted = option(tables(project("P", 10, duration=3)), start=2022)
    assert counted.costs == {2022: 3, 2023: 4, 2024: 3}
    assert (counted.cost, counted.finish, counted.end) == (10, 2024, 2024)


def test_cumulative_halves_round_up():
    """1 over two years is 0.5 by the end of the first, so the whole million falls in the first year."""
    assert option(tables(project("P", 1, duration=2))).costs == {2021: 1}


def test_a_profile_is_looked_up_by_name_and_duration():
    """7 at 2/3 and 1/3 is 4.67 by the end of the first year, so 5 and 2; the rows may stand in any order."""
    rows = [
        ("front", 2, 1, THIRD),
        ("front", 2, 0, 2 * THIRD),
        ("front", 1, 0, 1),
        ("late", 2, 0, 0),
        ("late", 2, 1, 1),
    ]
    profiles = tuple(ProfileShare(profile=p, duration=d, offset=o, share=Fraction(s)) for p, d, o, s in rows)
    counted = option(tables(project("P", 7, duration=2, profile="front"), profiles=profiles))
    assert counted.costs == {2021: 5, 2022: 2}


def test_explicit_costs_may_go_on_after_the_last_year_of_work():
    """Settlement a year after a project of one year: it finishes in 2021 and is paid until 2023."""
    costs = tuple(Cost(project="P", offset=offset, amount=amount) for offset, amount in ((0, 4), (1, 0), (2, 1)))
    counted = option(tables(project("P"), costs=costs))
    assert counted.costs == {2021: 4, 2023: 1}
    assert (counted.finish, counted.end, counted.cost) == (2021, 2023, 5)


@pytest.mark.parametrize("size", [None, 0])
def test_a_score_times_no_size_is_worth_nothing(size):
    """Full marks for nothing."""
    given = tables(
        project("P", size=size),
        criteria=(Criterion(criterion="c", weight=Fraction(1), high=Fraction(10)),),
        scores=(Score(project="P", criterion="c", score=Fraction(10)),),
        objective={"value_from": "score_size"},
    )
    assert option(given).value == expand(given).value[0] == 0


def test_a_mode_that_says_0_does_not_leave_it_to_its_project():
    """Whatever the project costs and is worth, this mode of it costs nothing and is worth nothing."""
    modes = (Mode(project="P", mode="a", cost=0, value=Fraction(0)),)
    given = tables(project("P", 10, value=Fraction(5)), modes=modes)
    counted, options = option(given, "a"), expand(given)
    assert (counted.cost, counted.value) == (0, 0)
    assert (options.cost[0], options.value[0]) == (0, 0)


def test_a_project_without_cost_costs_nothing():
    """Without a `sources` table a cost may be left out."""
    counted = option(tables(project("P", duration=2)))
    assert (counted.costs, counted.cost, counted.end) == ({}, 0, 2022)


def test_a_mode_takes_what_it_leaves_out_from_the_project():
    """`small` says everything itself, `plain` nothing."""
    given = tables(
        project("P", 8, duration=2, value=Fraction(5), earliest_start=2022, latest_start=2023),
        modes=(
            Mode(
                project="P", mode="small", cost=3, duration=1, value=Fraction(0), earliest_start=2021, latest_start=2024
            ),
            Mode(project="P", mode="plain"),
        ),
    )
    small, plain = option(given, "small"), option(given, "plain")
    assert (small.cost, small.finish, small.value, small.earliest, small.latest) == (3, 2021, 0, 2021, 2024)
    assert (plain.cost, plain.finish, plain.value, plain.earliest, plain.latest) == (8, 2022, 5, 2022, 2023)


def test_the_window_is_cut_to_the_horizon():
    """Nothing may start before 2021 or after 2024."""
    counted = option(tables(project("P", 1, earliest_start=2000, latest_start=2100)))
    assert (counted.earliest, counted.latest) == (2021, 2024)


@pytest.mark.parametrize(
    ("at", "worth"),
    [
        ("start", Fraction(100)),  # 110 a year from the first
        ("completion", Fraction("90.909091")),  # 110 / 1.21, cut at the grid
    ],
)
def test_a_value_counts_when_the_project_starts_or_finishes(at, worth):
    """At 10 %, 110 is worth 100 a year later; a project of two years from 2022 finishes two years later."""
    given = tables(project("P", 1, duration=2, value=Fraction(110)), objective={"at": at}, discount_rate=Decimal("0.1"))
    assert option(given, start=2022).value == worth


@pytest.mark.parametrize(
    ("exact", "rounded"),
    [
        (Fraction(1, 2_000_000), Fraction(1, 1_000_000)),
        (Fraction(-1, 2_000_000), Fraction(0)),  # half up, not away from zero
        (Fraction(1, 3), Fraction("0.333333")),
        (Fraction(-2, 3), Fraction("-0.666667")),
    ],
)
def test_values_are_rounded_half_up_to_the_grid(exact, rounded):
    """The grid is a millionth."""
    assert option(tables(project("P", 1, value=exact))).value == rounded


@pytest.mark.parametrize(("kind", "worth"), [("score", Fraction("0.583333")), ("score_size", Fraction("5.833333"))])
def test_a_score_weighs_the_place_on_each_scale(kind, worth):
    """4 of 0…8 is 1/2; 2 of 1…5 where less is better is 3/4; at 2/3 and 1/3 that makes 7/12, times a size of 10."""
    given = tables(
        project("P", 1, size=10),
        objective={"value_from": kind},
        criteria=(
            Criterion(criterion="need", weight=2 * THIRD, high=Fraction(8)),
            Criterion(criterion="risk", weight=THIRD, direction="min", low=Fraction(1), high=Fraction(5)),
        ),
        scores=(
            Score(project="P", criterion="need", score=Fraction(4)),
            Score(project="P", criterion="risk", score=Fraction(2)),
        ),
    )
    assert option(given).value == worth


@pytest.mark.parametrize(
    ("objective", "worth"),
    [
        ({}, 1),
        ({"criteria": "growth"}, HALF),
        ({"criteria": "equity"}, Fraction(1, 4)),
        ({"sets": {"growth": Decimal("0.6"), "equity": Decimal("0.4")}}, Fraction("0.4")),
        ({"sets": {"growth": Decimal("0.6"), "": Decimal("0.4")}}, Fraction("0.7")),
    ],
)
def test_only_the_chosen_sets_of_criteria_count(objective, worth):
    """Growth 1/2, equity 1/4 (of two criteria, one of them at its worst), and 1 in the set without a name."""
    rows = [
        ("need", "", 1, 1),
        ("income", "growth", 1, HALF),
        ("poor", "equity", HALF, HALF),
        ("far", "equity", HALF, 0),
    ]
    given = tables(
        project("P", 1),
        objective={"value_from": "score", **objective},
        criteria=tuple(Criterion(criterion=c, set=name, weight=Fraction(weight)) for c, name, weight, _ in rows),
        scores=tuple(Score(project="P", criterion=c, score=Fraction(score)) for c, _, _, score in rows),
    )
    assert option(given).value == worth


def test_benefits_count_from_the_start_or_from_the_finish():
    """At 100 % each year halves: 8 in 2022 is 4, 8 in the year after the finish is 1, −2 in the finish year is −1/2."""
    given = tables(
        project("P", 1, duration=2),
        objective={"value_from": "benefits", "at": "completion"},
        discount_rate=1,
        benefits=(
            Benefit(project="P", offset=0, amount=Fraction(8)),
            Benefit(project="P", offset=1, amount=Fraction(8), from_="completion"),
            Benefit(project="P", offset=0, amount=Fraction(-2), from_="completion"),
        ),
    )
    assert option(given, start=2022).value == 4 + 1 - HALF


def test_uses_are_shifted_to_the_start():
    """Half a unit in the second year of a project from 2023 is used in 2024."""
    recount = Recount(tables(project("P", 1), uses=(Use(project="P", resource="land", offset=1, amount=HALF),)))
    assert list(recount.uses(recount.option("P", "", 2023))) == [("land", 2024, HALF)]


def test_a_project_without_modes_has_one_without_a_name():
    """The other has the modes of its rows."""
    given = tables(project("P"), project("Q"), modes=(Mode(project="Q", mode="a"), Mode(project="Q", mode="b")))
    assert [Recount(given).modes(name) for name in ("P", "Q")] == [[""], ["a", "b"]]


def nominal(*projects, index=(100, 110, 121, 130), **more):
    """Return tables in nominal prices with an index from 2021 on."""
    rows = tuple(PriceIndex(year=2021 + k, index=Fraction(level)) for k, level in enumerate(index))
    return tables(*projects, prices="nominal", price_index=rows, **more)


@pytest.mark.parametrize(
    ("start", "costs"),
    [
        (2021, {2021: 5, 2022: 6}),  # 5, and 5.5 more: 10.5 rounds up to 11
        (2022, {2022: 6, 2023: 6}),  # 5.5 rounds up to 6, and 6.05 more: 11.55 rounds up to 12
        (2023, {2023: 6, 2024: 7}),  # 6.05, and 6.5 more: 12.55 rounds up to 13
    ],
)
def test_nominal_costs_follow_the_index_before_rounding(start, costs):
    """10 at prices of 2021 over two years."""
    assert option(nominal(project("P", 10, duration=2, price_year=2021)), start=start).costs == costs


def test_prices_of_another_year_are_the_base():
    """11 at prices of 2022 are 10 in 2021."""
    assert option(nominal(project("P", 11, price_year=2022))).costs == {2021: 10}


def test_without_a_price_year_the_index_is_a_factor():
    """3 at an index of 1.5 is 4.5."""
    assert option(nominal(project("P", 3), index=[Fraction(3, 2)])).costs == {2021: 5}


def test_explicit_costs_follow_the_index_too():
    """4 in 2021, nothing in 2022, 5 × 1.21 in 2023: 10.05 in all; the rows may stand in any order."""
    costs = tuple(Cost(project="P", offset=offset, amount=amount) for offset, amount in ((2, 5), (0, 4), (1, 0)))
    counted = option(nominal(project("P", price_year=2021), index=(100, 0, 121), costs=costs))
    assert counted.costs == {2021: 4, 2023: 6}


def test_constant_prices_leave_the_index_alone():
    """Of whatever year they are."""
    given = tables(project("P", 10, price_year=2024), prices="constant 2025", price_index=(PriceIndex(year=2021),))
    assert option(given).costs == {2021: 10}


@pytest.mark.parametrize(
    ("index", "found"), [([1, 1], None), ([1], "2022"), ([1, 0], "2022"), ([0, 1], "2021"), ([], "2021")]
)
def test_a_year_without_index_is_a_violation(index, found):
    """Ten over two years from 2021; the option is left out of the account, for its costs are not known."""
    given = nominal(project("P", 10, duration=2, price_year=2021), index=index)
    assert broken(given, plan(("P", 2021))) == ([] if found is None else [("broken-price-index", int(found))])


def test_the_year_of_the_prices_needs_an_index_too():
    """Ten at prices of 2020, of which an index that begins in 2021 says nothing."""
    assert broken(nominal(project("P", 10, price_year=2020)), plan(("P", 2021))) == [("broken-price-index", 2020)]


def test_a_size_stays_at_the_prices_of_the_tables():
    """The value of a score times size does not grow with the index."""
    given = nominal(
        project("P", 10, size=10, price_year=2021),
        objective={"value_from": "score_size"},
        criteria=(Criterion(criterion="need", weight=Fraction(1)),),
        scores=(Score(project="P", criterion="need", score=HALF),),
    )
    assert (option(given, start=2022).value, option(given, start=2022).cost) == (5, 11)


def test_what_was_counted_is_counted_again_only_where_it_changed():
    """Envelopes have no part in it; a cost or a score that changes is counted as it is now."""
    rows = {"criteria": (Criterion(criterion="need", weight=Fraction(1), low=Fraction(0), high=Fraction(10)),)}
    scored = {"scores": (Score(project="P", criterion="need", score=Fraction(5)),)}
    given = tables(project("P", 10), objective={"value_from": "score"}, **rows, **scored)
    counted = recount_of(given).option("P", "", 2021)
    assert recount_of(replace(given, envelopes=())).option("P", "", 2021) is counted
    dear = recount_of(replace(given, projects=(project("P", 12),))).option("P", "", 2021)
    assert (dear.cost, dear.value) == (12, counted.value) != (12, 0)
    better = replace(given, scores=(Score(project="P", criterion="need", score=Fraction(10)),))
    assert recount_of(better).option("P", "", 2021).value == 2 * counted.value
    assert recount_of(given).option("P", "", 2021) == counted

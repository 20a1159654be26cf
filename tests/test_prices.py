"""Nominal prices: what a project costs follows the index of the years in which it is paid."""

from dataclasses import replace
from fractions import Fraction

import pandas as pd
import pytest

from building import project, tables
from capalloc import InvalidInput, Portfolio
from capalloc.model import SolveOptions, Status
from capalloc.options import expand
from capalloc.records import Cost, Envelope, PriceIndex, Source
from capalloc.solving import optimize

EXACT = SolveOptions(time_limit=60, gap=0.0, threads=1)
INDEX = tuple(PriceIndex(year=2020 + k, index=Fraction(11, 10) ** k) for k in range(6))
FUNDED = {
    "sources": (Source(id="state"),),
    "envelopes": (
        Envelope(source=("state",), period="A", amount=110),
        Envelope(source=("state",), period="B", amount=110),
    ),
}


def nominal(given):
    """Return the same tables with nominal prices."""
    return replace(given, settings=given.settings.model_copy(update={"prices": "nominal"}))


def streams(given):
    """Return start and costs of every option."""
    options = expand(given)
    return [(int(start), options.costs(number)) for number, start in enumerate(options.start)]


def test_a_total_is_spread_and_then_follows_the_index_of_each_year():
    """100 over two years from 2021: 55 and 60.5, together 115.5; from 2022: 60.5 and 66.55."""
    given = tables(project("A", 100, duration=2, latest_start=2022, price_year=2020), price_index=INDEX)
    assert streams(given) == [(2021, (50, 50)), (2022, (50, 50))]
    # 55 | 115.5 rounds to 116; 60.5 rounds to 61 | 127.05 to 127.
    assert streams(nominal(given)) == [(2021, (55, 61)), (2022, (61, 66))]


def test_explicit_costs_follow_the_index_from_the_year_of_their_prices():
    """At prices of 2021 the cost of 2021 stays, that of 2023 grows by 21 per cent."""
    given = tables(
        project("A", latest_start=2021, price_year=2021),
        costs=(Cost(project="A", offset=0, amount=10), Cost(project="A", offset=2, amount=100)),
        price_index=INDEX,
    )
    assert streams(nominal(given)) == [(2021, (10, 0, 121))]


def test_without_a_price_year_the_index_itself_is_the_factor():
    """Prices whose index is 1 are the base."""
    given = tables(project("A", 1000, latest_start=2021), price_index=INDEX)
    assert streams(nominal(given)) == [(2021, (1100,))]


def test_the_other_prices_leave_every_option_its_cost():
    """An index that is given beside constant prices does nothing."""
    given = tables(project("A", 1000), price_index=INDEX)
    assert [costs for _, costs in streams(given)] == [(1000,)] * 4


def test_a_start_whose_last_payment_vanishes_at_low_prices_is_inside_the_horizon():
    """Of 3 paid two years later nothing is left when prices fall to a tenth, so that 2024 is a start as well."""
    given = tables(
        project("A", earliest_start=2024),
        costs=(Cost(project="A", offset=0, amount=10), Cost(project="A", offset=1, amount=3)),
        price_index=(PriceIndex(year=2024, index=Fraction(1)), PriceIndex(year=2025, index=Fraction(1, 10))),
    )
    assert streams(given) == []
    assert streams(nominal(given)) == [(2024, (10, 0))]


@pytest.mark.parametrize("engine", ["highs", "enumeration", "pulp:CBC"])
def test_a_plan_at_nominal_prices_starts_while_it_is_still_affordable(engine):
    """With 110 in each phase and prices rising by a tenth a year, 100 at prices of 2020 fit in 2021 alone."""
    given = nominal(
        tables(
            project("A", 100, value=Fraction(1), price_year=2020),
            project("B", 100, value=Fraction(1), price_year=2020),
            price_index=INDEX,
            **FUNDED,
        )
    )
    answer = optimize(given, EXACT, engine)
    assert (answer.status, answer.value) == (Status.OPTIMAL, 1)
    assert [choice.start for choice in answer.allocation.choices] == [2021]
    assert [payment.amount for payment in answer.allocation.payments] == [110]


def test_an_index_that_lacks_a_year_of_payment_is_told():
    """Two years from 2027 on are paid until 2029; the index ends in 2028."""
    frames = {
        "projects": pd.DataFrame({"id": ["A"], "cost": [10], "duration": [2], "latest_start": [2028], "value": [1]}),
        "price_index": pd.DataFrame({"year": [2026, 2027, 2028], "index": [1, 1.1, 1.2]}),
    }
    settings = {"first_year": 2026, "last_year": 2030, "prices": "nominal"}
    with pytest.raises(InvalidInput, match="Costs may be paid in 2029, such as those of project 'A'"):
        Portfolio.from_tables(settings, frames)
    with pytest.raises(InvalidInput, match="there is no price index"):
        Portfolio.from_tables(settings, {"projects": frames["projects"]})


@pytest.mark.parametrize(
    ("row", "is_told"),
    [
        ({}, True),
        ({"decision": "out"}, False),  # never paid
        ({"decision": "in", "mode": "quick"}, False),  # paid in 2026 alone
        ({"decision": "in", "mode": "slow"}, True),
        ({"decision": "in", "mode": "slow", "start": 2027}, True),
    ],
)
def test_what_a_commitment_rules_out_needs_no_index(row, is_told):
    """The quick mode is paid in 2026, the slow one until 2028, for which there is no index."""
    frames = {
        "projects": pd.DataFrame({"id": ["A"], "cost": [10], "value": [1], "latest_start": [2026]}),
        "modes": pd.DataFrame(
            {"project": ["A", "A"], "mode": ["quick", "slow"], "duration": [1, 2], "latest_start": [None, 2027]}
        ),
        "price_index": pd.DataFrame({"year": [2026, 2027], "index": [1, 1.1]}),
    }
    if row:
        frames["committed"] = pd.DataFrame([{"project": "A"} | row])
    settings = {"first_year": 2026, "last_year": 2030, "prices": "nominal"}
    if is_told:
        with pytest.raises(InvalidInput, match="Costs may be paid in 2028"):
            Portfolio.from_tables(settings, frames)
    else:
        Portfolio.from_tables(settings, frames)


def test_an_index_beside_constant_prices_is_warned_of():
    """Nothing that is given is passed over in silence."""
    frames = {
        "projects": pd.DataFrame({"id": ["A"], "value": [1]}),
        "price_index": pd.DataFrame({"year": [2026], "index": [1]}),
    }
    portfolio = Portfolio.from_tables({"first_year": 2026, "last_year": 2026, "prices": "constant 2025"}, frames)
    assert [issue.code for issue in portfolio.check()] == ["unused-price-index"]


def test_costs_that_are_not_exact_at_the_highest_prices_are_refused():
    """An index of a billion is a slip, not an inflation."""
    frames = {
        "projects": pd.DataFrame({"id": ["A"], "cost": [10**9], "latest_start": [2026], "value": [1]}),
        "price_index": pd.DataFrame({"year": [2026], "index": [10**9]}),
    }
    with pytest.raises(InvalidInput, match="At the highest prices of the index"):
        Portfolio.from_tables({"first_year": 2026, "last_year": 2026, "prices": "nominal"}, frames)

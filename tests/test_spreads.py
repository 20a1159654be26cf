"""Projects whose yearly amounts the plan decides, as the verifier reads them."""

from fractions import Fraction

import pytest

from building import broken, plan, project, tables
from capalloc.audit import ProjectAudit
from capalloc.bookkeeping import as_paid, keep_books
from capalloc.catalogue import speaking
from capalloc.records import Envelope, Mode, PriceIndex, ProfileShare, Rule, Share, Source
from capalloc.recount import Recount, Spread
from capalloc.verification import verify

STATE, BANK = Source(id="state"), Source(id="bank", side="non_state")
QUARTER, HALF = Fraction(1, 4), Fraction(1, 2)


def flexible(cost=10, *, low=None, high=None, duration=3, **more):
    """Return tables in which the plan decides what P is paid each year; it takes three years."""
    return tables(
        project("P", cost, duration=duration, profile="flexible", year_min=low, year_max=high, value=Fraction(7)),
        **{"sources": (STATE, BANK), **more},
    )


def pay(*amounts, first=2021, start=2021):
    """Return a plan in which the state pays these amounts from a first year on."""
    return plan(("P", start), paid=[("P", "state", first + k, amount) for k, amount in enumerate(amounts)])


@pytest.mark.parametrize("amounts", [(10,), (0, 0, 10), (1, 8, 1), (3, 3, 4)])
def test_the_plan_may_pay_the_cost_as_it_likes(amounts):
    """Without bounds, in any years of work; the account shows the cost of 10 and the value as usual."""
    audit = verify(flexible(), pay(*amounts))
    assert audit.violations == ()
    assert audit.projects == (ProjectAudit("P", "", 2021, 2023, Fraction(1), 10, Fraction(7), Fraction(7)),)


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [
        ((2, 3, 4), [("broken-spread-short", 9, 10, 1)]),
        ((4, 5, 4), [("broken-spread-over", 13, 10, 3)]),
        ((2, 3, 4, 1), [("broken-spread-outside", 1)]),
        ((2, 3, 4, 2), [("broken-spread-over", 11, 10, 1), ("broken-spread-outside", 2)]),
        ((3, 3, 4, 0), []),
    ],
)
def test_all_years_of_work_together_pay_the_cost(amounts, expected):
    """No other year pays anything, also when the total is right; the account shows what it costs, not what is paid."""
    assert broken(flexible(), pay(*amounts)) == expected
    assert verify(flexible(), pay(*amounts)).projects[0].cost == 10


def test_a_year_before_the_start_pays_nothing_either():
    """A project from 2022 on, of which 1 is paid in 2021; what lies before the plan is no payment of the plan."""
    given = flexible(duration=2)
    paid = pay(1, 4, 5, start=2022)
    assert broken(given, paid) == [("broken-spread-outside", 1)]
    assert broken(given, pay(1, 5, 5, first=2020)) == [("broken-paid", 1, 0, 1)]


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [
        ((2, 3, 5), []),
        ((5, 3, 2), []),
        ((1, 4, 5), [("broken-spread-year-short", 1, 2, 1)]),
        ((2, 2, 6), [("broken-spread-year-over", 6, 5, 1)]),
        ((5, 5), [("broken-spread-year-short", 0, 2, 2)]),
        ((0, 7, 3), [("broken-spread-year-short", 0, 2, 2), ("broken-spread-year-over", 7, 5, 2)]),
    ],
)
def test_every_year_of_work_lies_in_its_bounds(amounts, expected):
    """A quarter of 10 is 2.5, of which whole units may be 2; 9/20 are 4.5, of which they may be 5."""
    assert broken(flexible(low=QUARTER, high=Fraction(9, 20)), pay(*amounts)) == expected


def test_a_plan_without_payments_for_it_says_so_once():
    """Not year by year; and a project that costs nothing needs no payment."""
    (issue,) = verify(flexible(low=QUARTER), pay()).violations
    assert (issue.code, issue.arguments["allowed"]) == ("broken-spread-unpaid", 10)
    assert issue.message == (
        "The plan pays nothing for project P, whose yearly amounts it decides; "
        "its cost of 10 million VND is due from 2021 to 2023."
    )
    with speaking("vi"):
        assert issue.message == (
            "Kế hoạch không ghi khoản chi nào cho dự án P, là dự án do kế hoạch quyết định mức vốn hằng năm; "
            "chi phí 10 triệu đồng phải được chi từ năm 2021 đến năm 2023."
        )
    assert broken(flexible(low=QUARTER), pay(0, 0)) == [("broken-spread-unpaid", 10)]
    assert broken(flexible(0), pay()) == []


def test_a_mode_has_its_own_profile_cost_and_bounds():
    """Mode a is flexible by itself and takes one bound of its own; b is so by the project; c is not."""
    given = tables(
        project("P", 10, duration=2, profile="flexible", year_min=QUARTER, year_max=HALF),
        project("Q", 10, duration=2),
        modes=(
            Mode(project="P", mode="a", cost=7, year_max=Fraction(1)),
            Mode(project="P", mode="b", year_min=Fraction(0)),
            Mode(project="P", mode="c", profile="own"),
            Mode(project="Q", mode="a", profile="flexible", year_min=HALF),
            Mode(project="Q", mode="b"),
        ),
        profiles=tuple(ProfileShare(profile="own", duration=2, offset=k, share=HALF) for k in range(2)),
    )
    recount = Recount(given)
    spreads = [recount.option("P", mode, 2021).spread for mode in "abc"]
    assert spreads == [Spread(7, 1, 7), Spread(10, 0, 5), None]
    assert [recount.option("Q", mode, 2021).spread for mode in "ab"] == [Spread(10, 5, 10), None]


def test_several_sources_pay_a_year_together():
    """2 and 3 are 5 of 2021, within the most of half; the bank may pay a quarter of 10, so at most 3."""
    given = flexible(high=HALF, shares=(Share(project="P", source=("bank",), max=QUARTER),))
    for bank, expected in ((3, []), (4, [("broken-share-over", 4, 3, 1)])):
        paid = [
            ("P", "state", 2021, 5 - bank),
            ("P", "bank", 2021, bank),
            ("P", "state", 2022, 5),
        ]
        assert broken(given, plan(("P", 2021), paid=paid)) == expected


@pytest.mark.parametrize(
    ("measure", "period", "expected"),
    [
        ("cost", "A", 1 + 2),
        ("cost", "", 10),
        ("tail", "A", 7),
        ("tail", "2021", 9),
        ("paid", "2022", 2),
        ("value", "A", 7),
        ("completions", "2023", 1),
    ],
)
def test_rules_measure_what_the_plan_pays(measure, period, expected):
    """1, 2 and 7 in 2021 to 2023."""
    given = flexible(rules=(Rule(id="r", measure=measure, period=period, amount=Fraction(99)),))
    assert verify(given, pay(1, 2, 7)).rules[0].used == expected


def test_a_year_without_payment_costs_nothing():
    """3 and 7 in 2021 and 2023, and an entry of 0 between."""
    given, allocation = flexible(), pay(3, 0, 7)
    option = as_paid(Recount(given).option("P", "", 2021), keep_books(given, allocation.payments))
    assert option.costs == {2021: 3, 2023: 7}


def test_the_span_of_a_project_is_its_years_of_work():
    """From 2023 it would run over, however early it is paid; a phase is crossed by work alone."""
    assert broken(flexible(), pay(10, first=2023, start=2023)) == [("broken-run-over", 2025, 2024, 1)]
    assert broken(flexible(), pay(9, 0, 0, 1, first=2022, start=2022)) == [("broken-spread-outside", 1)]
    assert broken(flexible(duration=2, may_cross_phase=False), pay(10, first=2022, start=2022)) == [
        ("broken-phase", 2023)
    ]
    assert broken(flexible(duration=2, may_cross_phase=False), pay(4, 6, first=2023, start=2023)) == []


def test_envelopes_hold_what_is_paid():
    """6 of 5 in phase A."""
    given = flexible(envelopes=(Envelope(source=("state",), period="A", amount=5),))
    assert broken(given, pay(2, 3, 5)) == []
    assert broken(given, pay(2, 4, 4)) == [("broken-envelope", 6, 5, 1)]


def test_without_sources_nobody_has_to_pay():
    """As for every project."""
    assert broken(flexible(sources=()), pay()) == []


def test_the_prices_of_the_years_are_left_alone():
    """What the plan decides is in the money of the table, and needs no index."""
    given = flexible(prices="nominal", price_index=(PriceIndex(year=2021, index=Fraction(2)),))
    assert broken(given, pay(2, 3, 5)) == []

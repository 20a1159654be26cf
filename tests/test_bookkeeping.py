"""The rules of money: each with a plan that keeps it to the last million, and one that misses it by one."""

from fractions import Fraction

import pytest

from building import broken, plan, project, tables
from capalloc.audit import EnvelopeAudit
from capalloc.bookkeeping import shown
from capalloc.catalogue import speaking
from capalloc.records import Cost, Envelope, Mode, Share, Source
from capalloc.verification import verify

STATE, BANK = Source(id="state"), Source(id="bank", side="non_state")
THIRD = Fraction(1, 3)


def financed(*projects, sources=(STATE, BANK), envelopes=(), shares=(), **more):
    """Return tables with a state source and one outside the state side."""
    return tables(*projects, sources=sources, envelopes=envelopes, shares=shares, **more)


def share(source, low=0, high=1, per="life", of="P", mode=""):
    """Return a row of `shares`."""
    return Share(project=of, mode=mode, source=tuple(source.split("+")), min=Fraction(low), max=Fraction(high), per=per)


def envelope(source, period, amount, reserve=None):
    """Return a row of `envelopes`."""
    return Envelope(source=tuple(source.split("+")), period=period, amount=amount, reserve=reserve)


# Costs: 10 over two years, 5 in 2021 and 5 in 2022.
ROAD = project("P", 10, duration=2)


def test_payments_that_equal_the_cost_of_each_year_break_nothing():
    """Two sources may share a year; a payment of 0 is allowed in any year."""
    given = financed(ROAD, shares=(share("bank"),))
    paid = [
        ("P", "state", 2021, 3),
        ("P", "bank", 2021, 2),
        ("P", "state", 2022, 5),
        ("P", "bank", 2023, 0),
    ]
    assert broken(given, plan(("P", 2021), paid=paid)) == []


@pytest.mark.parametrize(
    ("paid", "expected"),
    [
        ({2021: 5, 2022: 4}, [("broken-cost-short", 4, 5, 1)]),
        ({2021: 5, 2022: 6}, [("broken-cost-over", 6, 5, 1)]),
        ({2021: 4, 2022: 6}, [("broken-cost-short", 4, 5, 1), ("broken-cost-over", 6, 5, 1)]),  # right in total only
        ({2021: 5, 2022: 5, 2023: 1}, [("broken-cost-over", 1, 0, 1)]),
        ({}, [("broken-cost-short", 0, 5, 5)] * 2),
    ],
)
def test_every_year_is_paid_exactly_its_cost(paid, expected):
    """One million less or more in any year is a violation, also when the total is right."""
    given = financed(ROAD, sources=(STATE,))
    rows = [("P", "state", year, amount) for year, amount in paid.items()]
    assert broken(given, plan(("P", 2021), paid=rows)) == expected


def test_without_sources_nothing_is_paid():
    """Costs are reported and not financed; a payment then names no source."""
    given = tables(ROAD)
    assert broken(given, plan(("P", 2021))) == []
    assert broken(given, plan(("P", 2021), paid=[("P", "state", 2021, 5)])) == [("broken-payment-source",)]


def test_only_funded_projects_are_paid():
    """A payment for a project that the plan does not fund is named with its amount; one of 0 does no harm."""
    given = financed(ROAD)
    assert broken(given, plan(paid=[("P", "state", 2021, 1)])) == [("broken-payment-unfunded", 1)]
    assert broken(given, plan(paid=[("P", "state", 2021, 0)])) == []
    to_and_fro = [("P", "state", 2021, 1), ("P", "state", 2022, -1)]
    assert ("broken-payment-unfunded", 0) in broken(given, plan(paid=to_and_fro))


@pytest.mark.parametrize(
    ("payment", "code"),
    [
        (("Q", "state", 2021, 1), "broken-payment-project"),
        (("P", "lottery", 2021, 1), "broken-payment-source"),
        (("P", "state", 2021.0, 1), "broken-payment-year"),
        (("P", "state", 10**9, 1), "broken-payment-year"),
        (("P", "state", 2021, 1.0), "broken-payment-amount"),
        (("P", "state", 2021, True), "broken-payment-amount"),
        (("P", "state", 2021, 10**18), "broken-payment-amount"),
        (("P", "state", 2021, Fraction(1, 2)), "broken-payment-amount"),
    ],
)
def test_a_payment_that_cannot_be_entered_is_left_out(payment, code):
    """It names no project, source or year, or is no whole amount; the account shows nothing of it."""
    given = financed(project("P", 0), envelopes=(envelope("state", "2021:2024", 0),))
    audit = verify(given, plan(("P", 2021), paid=[payment]))
    assert [issue.code for issue in audit.violations] == [code]
    assert audit.envelopes[0].used == 0


def test_a_negative_payment_is_broken_even_when_the_sum_is_right():
    """6 less 1 is the cost of 5, but nobody pays −1."""
    given = financed(project("P", 5), sources=(STATE, Source(id="district")))
    paid = [("P", "state", 2021, 6), ("P", "district", 2021, -1)]
    assert broken(given, plan(("P", 2021), paid=paid)) == [("broken-payment-negative", -1)]


@pytest.mark.parametrize(("first", "second"), [(2, 3), (3, 3), (6, 0)])
def test_two_payments_of_one_source_in_one_year_are_one_too_many(first, second):
    """Both count, so that the cost is met, but a plan has one number for each."""
    given = financed(project("P", first + second))
    paid = [("P", "state", 2021, first), ("P", "state", 2021, second)]
    assert broken(given, plan(("P", 2021), paid=paid)) == [("broken-payment-twice", second)]


def test_a_source_pays_only_for_eligible_projects():
    """The state pays for roads only; the amount is all it pays for the school."""
    roads = Source(id="state", eligible='sector == "road"')
    given = financed(project("P", 5, sector="road"), project("Q", 7, sector="school"), sources=(roads,))
    paid = [("P", "state", 2021, 5), ("Q", "state", 2022, 7)]
    assert broken(given, plan(("P", 2021), paid=paid[:1])) == []
    assert broken(given, plan(("P", 2021), ("Q", 2022), paid=paid)) == [("broken-payer-ineligible", 7)]


def test_a_source_outside_the_state_side_pays_only_where_a_row_lets_it():
    """A row for another project or another mode does not let it."""
    given = financed(
        project("P", 5),
        project("Q", 5),
        modes=(Mode(project="P", mode="a"), Mode(project="P", mode="b")),
        shares=(share("bank", mode="a"),),
    )
    paid = [("P", "bank", 2021, 5)]
    assert broken(given, plan(("P", 2021, "a"), paid=paid)) == []
    assert broken(given, plan(("P", 2021, "b"), paid=paid)) == [("broken-payer-uninvited", 5)]
    assert broken(given, plan(("Q", 2021), paid=[("Q", "bank", 2021, 5)])) == [("broken-payer-uninvited", 5)]


def test_a_row_that_allows_nothing_lets_nobody_in():
    """A greatest share of 0 is exceeded by the first million."""
    given = financed(project("P", 5), shares=(share("bank", high=0),))
    paid = [("P", "state", 2021, 4), ("P", "bank", 2021, 1)]
    assert broken(given, plan(("P", 2021), paid=paid)) == [("broken-share-over", 1, 0, 1)]


@pytest.mark.parametrize(
    ("bank", "expected"),
    [
        (2, [("broken-share-under", 2, 3, 1)]),
        (3, []),
        (4, []),
        (5, [("broken-share-over", 5, 4, 1)]),
    ],
)
def test_a_share_of_the_life_lies_between_the_floor_and_the_ceiling(bank, expected):
    """A third of 10 is 3.33: whole units may be 3 or 4."""
    given = financed(ROAD, shares=(share("bank", THIRD, THIRD),))
    paid = [("P", "bank", 2021, bank), ("P", "state", 2021, 5 - bank), ("P", "state", 2022, 5)]
    assert broken(given, plan(("P", 2021), paid=paid)) == expected


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (1, 2, []),
        (2, 1, []),
        (0, 2, [("broken-share-under-year", 0, 1, 1)]),
        (1, 3, [("broken-share-over-year", 3, 2, 1)]),
    ],
)
def test_a_share_of_each_year_binds_every_year(first, second, expected):
    """A third of the 5 of a year is 1.67: 1 or 2 in 2021 and in 2022, although 3 or 4 of 10 would do for the life."""
    given = financed(ROAD, shares=(share("bank", THIRD, THIRD, per="year"),))
    paid = [
        ("P", "bank", 2021, first),
        ("P", "state", 2021, 5 - first),
        ("P", "bank", 2022, second),
        ("P", "state", 2022, 5 - second),
    ]
    assert broken(given, plan(("P", 2021), paid=paid)) == expected


@pytest.mark.parametrize(("joined", "expected"), [(5, []), (6, [("broken-share-over", 6, 5, 1)])])
def test_a_joined_share_bounds_the_sum_of_its_sources(joined, expected):
    """Bank and fund together pay at most half of 10."""
    fund = Source(id="fund", side="non_state")
    given = financed(project("P", 10), sources=(STATE, BANK, fund), shares=(share("bank+fund", high=Fraction(1, 2)),))
    paid = [("P", "state", 2021, 10 - joined), ("P", "bank", 2021, 2), ("P", "fund", 2021, joined - 2)]
    assert broken(given, plan(("P", 2021), paid=paid)) == expected


def test_a_share_of_a_selection_binds_each_project_that_it_selects():
    """At least half of every road comes from the bank, and nothing is said of the school."""
    row = share("bank", low=Fraction(1, 2), of='sector == "road"')
    given = financed(project("P", 4, sector="road"), project("Q", 4, sector="school"), shares=(row,))
    paid = [("P", "state", 2021, 4), ("Q", "state", 2021, 4)]
    assert broken(given, plan(("P", 2021), ("Q", 2021), paid=paid)) == [("broken-share-under", 0, 2, 2)]


def test_an_envelope_holds_what_its_reserve_leaves():
    """15 less a reserve of 10 % of the source is 13.5, so room for 13; 13 fit and 14 do not."""
    source = Source(id="state", reserve=Fraction(1, 10))
    given = financed(
        project("P", 13), project("Q", 14), sources=(source,), envelopes=(envelope("state", "2021:2024", 15),)
    )
    audit = verify(given, plan(("P", 2021), paid=[("P", "state", 2021, 13)]))
    assert audit.violations == ()
    assert audit.envelopes == (EnvelopeAudit(("state",), "2021:2024", 15, 2, 13, 13),)
    assert audit.envelopes[0].slack == 0
    assert broken(given, plan(("Q", 2022), paid=[("Q", "state", 2022, 14)])) == [("broken-envelope", 14, 13, 1)]


def test_the_reserve_of_a_row_stands_before_that_of_its_source():
    """A row that says 0 keeps nothing back; an envelope of several sources inherits no reserve."""
    sources = (Source(id="state", reserve=THIRD), BANK)
    rows = (
        envelope("state", "A", 9),
        envelope("state", "A", 9, Fraction(0)),
        envelope("state", "A", 9, Fraction(1, 2)),
        envelope("state+bank", "A", 9),
        envelope("state+bank", "A", 9, THIRD),
    )
    audit = verify(financed(ROAD, sources=sources, envelopes=rows), plan())
    assert [account.room for account in audit.envelopes] == [6, 9, 4, 9, 6]
    assert [account.reserve for account in audit.envelopes] == [3, 0, 5, 0, 3]


def test_every_envelope_that_covers_a_year_binds():
    """2022 lies in phase A, in 2022 itself and in 2021:2024; a joined envelope counts both sources."""
    given = financed(
        project("P", 8),
        shares=(share("bank"),),
        envelopes=(
            envelope("state", "A", 5),
            envelope("state", "2022", 4),
            envelope("state", "2021:2024", 5),
            envelope("state+bank", "2022:2023", 7),
            envelope("bank", "A", 2),
            envelope("state", "B", 0),
        ),
    )
    paid = [("P", "state", 2022, 5), ("P", "bank", 2022, 3)]
    audit = verify(given, plan(("P", 2022), paid=paid))
    assert [(account.used, account.slack) for account in audit.envelopes] == [
        (5, 0),
        (5, -1),
        (5, 0),
        (8, -1),
        (3, -1),
        (0, 0),
    ]
    assert broken(given, plan(("P", 2022), paid=paid)) == [
        ("broken-envelope", 5, 4, 1),
        ("broken-envelope", 8, 7, 1),
        ("broken-envelope", 3, 2, 1),
    ]


def test_years_after_the_horizon_have_no_envelope():
    """What a project that may run over is paid in 2025 counts nowhere."""
    given = financed(
        project("P"),
        costs=(Cost(project="P", offset=0, amount=1), Cost(project="P", offset=1, amount=9)),
        envelopes=(envelope("state", "2021:2024", 1),),
        may_run_over=True,
    )
    paid = [("P", "state", 2024, 1), ("P", "state", 2025, 9)]
    assert broken(given, plan(("P", 2024), paid=paid)) == []


def test_the_remedy_of_an_envelope_names_the_smallest_project_that_is_enough():
    """6 of 4 is 2 too much: Q at 2 is enough, P at 3 is more than that, R at 1 less, and N is paid in another year."""
    costs = {"N": 2, "P": 3, "Q": 2, "R": 1}
    given = financed(
        *(project(name, cost) for name, cost in costs.items()),
        sources=(STATE,),
        envelopes=(envelope("state", "2021", 4),),
    )
    choices = [("N", 2022), ("P", 2021), ("Q", 2021), ("R", 2021)]
    paid = [(name, "state", year, costs[name]) for name, year in choices]
    (issue,) = verify(given, plan(*choices, paid=paid)).violations
    assert issue.message == "state pays 6 million VND in 2021; the envelope has room for 4, exceeded by 2."
    assert issue.remedy.endswith("grows by 2 million VND, or drop a project it pays for, such as Q.")
    assert (issue.where.file, issue.where.column) == ("envelopes", "amount")
    with speaking("vi"):
        assert issue.message == "state chi 6 triệu đồng trong 2021; hạn mức vốn chỉ còn cho phép 4, vượt 2."


def test_shares_are_told_in_percent_and_money_in_the_form_of_the_language():
    """The message of a share names the bound as it stands in the table and as whole units."""
    given = financed(project("P", 12_345), shares=(share("bank", high=Fraction(1, 8)),))
    paid = [("P", "bank", 2021, 2_000), ("P", "state", 2021, 10_345)]
    (issue,) = verify(given, plan(("P", 2021), paid=paid)).violations
    assert issue.message == (
        "bank pays 2,000 million VND of project P, 456 above the most allowed, 1,544 (12.5% of its cost)."
    )
    with speaking("vi"):
        assert issue.message == (
            "bank chi 2.000 triệu đồng cho dự án P, vượt 456 so với mức tối đa 1.544 (12,5% chi phí)."
        )


def test_anything_found_in_a_plan_can_be_shown():
    """Also a number that Python refuses to write."""
    for found in (10**5000, Fraction(1, 10**5000), float("nan"), None, [1], "text"):
        assert 0 < len(shown(found)) < 60


def test_a_share_of_a_mode_says_nothing_of_projects_without_modes():
    """Of what is built with a partner the state pays half; the road without any mode it pays for alone."""
    half = Share(project='sector == "road"', mode="ppp", source=("state",), min=Fraction(0), max=Fraction(1, 2))
    given = financed(project("P", 5, sector="road"), shares=(half,))
    assert broken(given, plan(("P", 2021), paid=[("P", "state", 2021, 5)])) == []

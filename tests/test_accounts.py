"""Accounts: which costs are paid together, who pays them in which years, and the rows that say so."""

from fractions import Fraction

import pytest

from building import project, tables
from capalloc.accounts import Account, column_bounds, open_accounts
from capalloc.ceilings import Ceiling, find_ceilings
from capalloc.compiling import compile_tables
from capalloc.limiting import payable
from capalloc.options import expand
from capalloc.payers import Limit, Payers, find_payers
from capalloc.records import Cost, Envelope, Mode, Share, Source
from small_models import INF
from written import column_names, written

HALF, THIRD = Fraction(1, 2), Fraction(1, 3)
S, T, N = Source(id="S"), Source(id="T"), Source(id="N", side="non_state")
YEARS = ((2021,), (2022,), (2023,), (2024,))


def envelope(source, period, amount=100, reserve=None):
    """Return a row of envelopes of one source, or of several joined by +."""
    return Envelope(source=tuple(source.split("+")), period=period, amount=amount, reserve=reserve)


def share(source, low=0, high=1, project="P", **more):
    """Return a row of shares of one source, or of several joined by +."""
    return Share(project=project, source=tuple(source.split("+")), min=Fraction(low), max=Fraction(high), **more)


def stream(name, *amounts, mode=""):
    """Return explicit costs, the first in the year of the start."""
    return tuple(Cost(project=name, mode=mode, offset=o, amount=a) for o, a in enumerate(amounts))


def opened(given):
    """Return the options and accounts of the tables."""
    options = expand(given)
    return options, open_accounts(given, options, find_payers(given, options.variants))


def rows(given, kind):
    """Return the compiled rows of one kind."""
    return written(compile_tables(given).model, kind)


@pytest.mark.parametrize(
    ("row", "room", "years"),
    [
        (envelope("S", "A", 99), 89, range(2021, 2023)),  # 89.1
        (envelope("S", "2023", 99, Fraction(1, 3)), 66, range(2023, 2024)),
        (envelope("S", "2022:2024", 99, Fraction(0)), 99, range(2022, 2025)),
        (envelope("T", "B", 99), 99, range(2023, 2025)),
        (envelope("S+T", "A", 99), 99, range(2021, 2023)),
        (envelope("T+S", "A", 7, HALF), 3, range(2021, 2023)),
        (envelope("S", "A", 7, Fraction(1)), 0, range(2021, 2023)),
    ],
)
def test_the_room_of_an_envelope_is_what_its_reserve_leaves_in_whole_units(row, room, years):
    """Its own reserve, or else that of its single source, here a tenth; several together hold nothing back."""
    sources = (Source(id="S", reserve=Fraction(1, 10)), T)
    number = {"S": 0, "T": 1}
    (ceiling,) = find_ceilings(tables(project("P", 1), sources=sources, envelopes=(row,)))
    assert ceiling == Ceiling((row.source, row.period), tuple(number[s] for s in row.source), years, room)


def test_projects_that_the_same_sources_may_pay_share_an_account():
    """P and R are pooled, Q has fewer payers, L a limit of its own; F costs nothing and nobody may pay for X."""
    given = tables(
        project("P", 1, sector="road"),
        project("Q", 1, sector="school"),
        project("R", 1, sector="road"),
        project("F", 0, sector="road"),
        project("X", 1, sector="none"),
        project("L", 1, sector="road"),
        sources=(Source(id="S", eligible='sector != "none"'), Source(id="T", eligible='sector == "road"')),
        shares=(share("T", high=HALF, project="L"),),
    )
    _, accounts = opened(given)
    together = (tuple(year for (year,) in YEARS),)
    assert accounts.items == (
        Account((5,), Payers((0, 1), (Limit((1,), Fraction(0), HALF, False, 0),)), together),
        Account((0, 2), Payers((0, 1), ()), together),
        Account((1,), Payers((0,), ()), together),
    )
    assert accounts.of_variant.tolist() == [1, 2, 1, -1, -1, 0]
    assert [account.direct for account in accounts.items] == [False, False, True]


def test_an_account_with_one_payer_and_a_limit_has_columns():
    """Only without limits are costs entered in the envelopes directly."""
    given = tables(project("P", 1), sources=(S,), shares=(share("S", high=HALF),))
    _, accounts = opened(given)
    assert not accounts.items[0].direct
    assert len(accounts) == 1


def test_without_sources_there_are_no_accounts():
    """Costs are reported, not financed, and every option may be taken."""
    given = tables(project("P", 1), project("Q", 2))
    options, accounts = opened(given)
    assert (accounts.items, len(accounts), accounts.of_variant.tolist()) == ((), 0, [-1, -1])
    assert compile_tables(given).model.upper.tolist() == [1.0] * len(options)


@pytest.mark.parametrize(
    ("envelopes", "cells"),
    [
        ([], ((2021, 2022, 2023, 2024, 2025),)),
        ([envelope("S", "2021:2024")], ((2021, 2022, 2023, 2024), (2025,))),
        ([envelope("S", "A"), envelope("S", "B")], ((2021, 2022), (2023, 2024), (2025,))),
        ([envelope("S", str(year)) for (year,) in YEARS], (*YEARS, (2025,))),
        ([envelope("S", "A"), envelope("S+N", "2022:2023")], ((2021,), (2022,), (2023,), (2024, 2025))),
        ([envelope("T", "2022"), envelope("S", "2021:2022")], ((2021,), (2022,), (2023, 2024, 2025))),
        ([envelope("N", "2022")], ((2021, 2022, 2023, 2024, 2025),)),
    ],
)
def test_years_that_no_envelope_of_the_payers_tells_apart_form_a_cell(envelopes, cells):
    """By phase, by year, cut by an envelope of several sources; one of a source that does not pay cuts nothing."""
    given = tables(
        project("P"), costs=stream("P", 1, 1), may_run_over=True, sources=(S, T, N), envelopes=tuple(envelopes)
    )
    _, accounts = opened(given)
    assert accounts.items[0].cells == cells


@pytest.mark.parametrize(("per", "cells"), [("year", ((2021,), (2022,), (2024,))), ("life", ((2021, 2022, 2024),))])
def test_a_yearly_limit_makes_every_year_a_cell(per, cells):
    """A limit of the whole life does not; a year without any cost is in no cell."""
    given = tables(
        project("P", latest_start=2021),
        costs=stream("P", 1, 1, 0, 1),
        sources=(S, T),
        shares=(share("S", high=HALF, per=per),),
    )
    _, accounts = opened(given)
    assert accounts.items[0].cells == cells


def test_payments_have_a_column_for_each_cell_and_payer():
    """P alone with a limit, Q and R pooled; a column is found by variant, source and any year of its cell."""
    given = tables(
        project("P", 2, latest_start=2021),
        project("Q", 2, latest_start=2022),
        project("R", 2, earliest_start=2023),
        sources=(S, T),
        envelopes=(envelope("S", "A"),),
        shares=(share("S", high=HALF),),
    )
    _, accounts = opened(given)
    columns = zip(accounts.account, accounts.source, accounts.cell, accounts.year, strict=True)
    assert [tuple(map(int, column)) for column in columns] == [
        (0, 0, 0, 2021),
        (0, 1, 0, 2021),
        (1, 0, 0, 2021),
        (1, 1, 0, 2021),
        (1, 0, 1, 2023),
        (1, 1, 1, 2023),
    ]
    assert len(accounts) == 6
    assert [accounts.column_of(variant, 1, year) for variant, year in ((0, 2021), (1, 2022), (2, 2024))] == [1, 3, 5]
    # No cost of P in 2023, no cell with 2025, no such source.
    assert [accounts.column_of(*asked) for asked in ((0, 0, 2023), (1, 0, 2025), (1, 2, 2021))] == [None] * 3


def test_what_needs_no_column_has_none():
    """Neither a project that one source alone pays nor one that costs nothing."""
    _, accounts = opened(tables(project("P", 1), project("F", 0), sources=(S,)))
    assert len(accounts) == 0
    assert [accounts.column_of(variant, 0, 2021) for variant in (0, 1)] == [None, None]


@pytest.mark.parametrize(
    ("rows", "cost", "expected"),
    [
        ((), (4,), True),
        ((), (0,), True),
        ((share("S+T", high=HALF),), (4,), False),
        ((share("S+T", high=HALF),), (1,), True),
        ((share("S+T", high=HALF),), (1, 1), False),
        ((share("S+T", high=HALF, per="year"),), (1, 1), True),
        ((share("S+T", high=HALF, per="year"),), (1, 4), False),
        ((share("S", high=HALF),), (4,), True),
        ((share("S", high=0),), (4,), True),
        ((share("S+T", high=0),), (4,), False),
        ((share("S+T", high=0),), (0,), True),
    ],
)
def test_an_option_can_be_paid_when_its_payers_may_pay_all_of_it(rows, cost, expected):
    """At most half of 4 is not all of it, at most half of 1 rounds up to all; what costs nothing needs nobody."""
    given = tables(project("P", latest_start=2021), costs=stream("P", *cost), sources=(S, T), shares=rows)
    assert payable(*opened(given)).tolist() == [expected]
    assert compile_tables(given).model.upper[0] == expected


def test_a_payment_is_at_most_the_greatest_cost_of_its_cell():
    """In phase A: P costs 3 + 1 from 2021 or 3 from 2022, R 5 once; in phase B: 4 or 1 of P, nothing of R."""
    given = tables(
        project("P", latest_start=2023),
        project("R", 5, latest_start=2022),
        costs=stream("P", 3, 1),
        sources=(S, T),
        envelopes=(envelope("S", "A"), envelope("S", "B")),
    )
    options, accounts = opened(given)
    assert column_bounds(options, accounts).tolist() == [9, 9, 4, 4]
    model = compile_tables(given).model
    assert (model.lower[len(options) :].tolist(), model.upper[len(options) :].tolist()) == ([0] * 4, [9, 9, 4, 4])


def test_the_sources_of_an_account_pay_its_costs_in_every_cell():
    """P from 2021 or 2022 costs 3 and 1, Q from 2022 costs 2; in 2022 and before the costs of P are 4 or 3."""
    given = tables(
        project("P", latest_start=2022),
        project("Q", 2, earliest_start=2022, latest_start=2022),
        costs=stream("P", 3, 1),
        sources=(S, T),
        envelopes=(envelope("S", "A"),),
    )
    assert rows(given, "balance") == [
        ((0, 0), 0, {"S 2021 #0": 1, "T 2021 #0": 1, "P 2021": -4, "P 2022": -3, "Q 2022": -2}, 0),
        ((0, 1), 0, {"S 2023 #0": 1, "T 2023 #0": 1, "P 2022": -1}, 0),
    ]


def test_only_what_several_may_pay_has_a_balance():
    """Costs that one source pays are left out, earlier and later than the others; and costs that nobody may pay."""
    given = tables(
        project("Q", 3, latest_start=2021, sector="school"),
        project("P", 2, earliest_start=2024, sector="road"),
        project("R", 4, earliest_start=2024, duration=2, sector="port"),
        project("X", 5, earliest_start=2024),
        may_run_over=True,
        sources=(
            Source(id="S", eligible='sector in ["road", "school"]'),
            Source(id="T", eligible='sector == "road"'),
            Source(id="U", eligible='sector == "port"'),
        ),
    )
    assert rows(given, "balance") == [((1, 0), 0, {"S 2024 #1": 1, "T 2024 #1": 1, "P 2024": -2}, 0)]


@pytest.mark.parametrize(
    ("low", "high", "cost", "expected"),
    [
        # Between 2 and 4 of 7.
        (THIRD, HALF, 7, [("min", 0, -2, INF), ("max", -INF, -4, 0)]),
        (0, HALF, 7, [("max", -INF, -4, 0)]),
        (THIRD, 1, 7, [("min", 0, -2, INF)]),
        # Exactly half of 6, between 3 and 4 of 7.
        (HALF, HALF, 6, [("exactly", 0, -3, 0)]),
        (HALF, HALF, 7, [("min", 0, -3, INF), ("max", -INF, -4, 0)]),
        (1, 1, 7, [("exactly", 0, -7, 0)]),
        # A third of 2 rounds down to nothing.
        (THIRD, HALF, 2, [("max", -INF, -1, 0)]),
        (THIRD, 1, 2, []),
    ],
)
def test_a_share_of_the_life_bounds_the_payments_of_all_years(low, high, cost, expected):
    """From the floor of the least to the ceiling of the most of the whole cost, in one row where they are the same."""
    given = tables(
        project("P", cost, duration=3),
        sources=(S, T),
        envelopes=(envelope("S", "A"), envelope("S", "B")),
        shares=(share("S", low, high),),
    )
    assert rows(given, "share") == [
        (
            (0, 0, None, side),
            lower,
            {"S 2021 #0": 1, "S 2023 #0": 1, "P 2021": amount, "P 2022": amount},
            upper,
        )
        for side, lower, amount, upper in expected
    ]


def test_a_yearly_share_bounds_each_year_by_what_the_options_cost_in_it():
    """Costs of 7 and 2, from 2021 or 2022: at least a third is 2 of 7 and nothing of 2, at most half 4 and 1."""
    given = tables(
        project("P", latest_start=2022),
        costs=stream("P", 7, 2),
        sources=(S, T),
        shares=(share("S", THIRD, HALF, per="year"),),
    )
    assert rows(given, "share") == [
        ((0, 0, 2021, "min"), 0, {"S 2021 #0": 1, "P 2021": -2}, INF),
        ((0, 0, 2021, "max"), -INF, {"S 2021 #0": 1, "P 2021": -4}, 0),
        ((0, 0, 2022, "min"), 0, {"S 2022 #0": 1, "P 2022": -2}, INF),
        ((0, 0, 2022, "max"), -INF, {"S 2022 #0": 1, "P 2021": -1, "P 2022": -4}, 0),
        ((0, 0, 2023, "max"), -INF, {"S 2023 #0": 1, "P 2022": -1}, 0),
    ]


def test_shares_of_modes_and_of_sources_together_have_rows_of_their_own():
    """A row for both modes is written for each, after its cost; the second row is only for mode b."""
    given = tables(
        project("P", latest_start=2021),
        modes=(Mode(project="P", mode="a", cost=4), Mode(project="P", mode="b", cost=6)),
        sources=(S, T, N),
        shares=(share("N+T", HALF, HALF), share("N", high=THIRD, mode="b")),
    )
    assert rows(given, "share") == [
        ((0, 0, None, "exactly"), 0, {"T 2021 #0": 1, "N 2021 #0": 1, "P/a 2021": -2}, 0),
        ((0, 1, None, "exactly"), 0, {"T 2021 #1": 1, "N 2021 #1": 1, "P/b 2021": -3}, 0),
        ((1, 1, None, "max"), -INF, {"N 2021 #1": 1, "P/b 2021": -2}, 0),
    ]


def test_a_share_of_all_payers_has_no_row():
    """The balance decides it: they pay all, or the option is barred."""
    given = tables(project("P", 4, latest_start=2021), sources=(S, T), shares=(share("S+T", high=HALF),))
    assert rows(given, "share") == []
    assert compile_tables(given).model.upper[0] == 0


def test_a_share_that_nobody_may_pay_bars_what_it_is_at_least_a_unit_of():
    """Half of 4 would be 2, half of 1 is nothing."""
    barred = tables(
        project("P", 4, latest_start=2021),
        project("Q", 1, latest_start=2021),
        sources=(S, Source(id="T", eligible="cost > 100")),
        shares=(share("T", HALF), share("T", HALF, project="Q")),
    )
    assert rows(barred, "share") == [((0, 0, None, "min"), 0, {"P 2021": -2}, INF)]


def test_envelopes_hold_direct_costs_and_payments():
    """S alone pays Q, S and T pay P; the joined envelope of 2022 cuts phase A for both."""
    given = tables(
        project("P", 2, latest_start=2021, duration=2, sector="road"),
        project("Q", latest_start=2022),
        costs=stream("Q", 3, 5),
        sources=(S, Source(id="T", eligible='sector == "road"')),
        envelopes=(envelope("S", "A", 20), envelope("T+S", "2022", 30), envelope("T", "B", 40)),
    )
    assert rows(given, "envelope") == [
        ((("S",), "A"), -INF, {"Q 2021": 8, "Q 2022": 3, "S 2021 #0": 1, "S 2022 #0": 1}, 20),
        ((("T", "S"), "2022"), -INF, {"Q 2021": 5, "Q 2022": 3, "S 2022 #0": 1, "T 2022 #0": 1}, 30),
        ((("T",), "B"), -INF, {}, 40),
    ]


def test_years_after_the_last_have_no_envelope():
    """What is paid in 2025 is paid, but from no room of the plan."""
    given = tables(
        project("P", earliest_start=2024),
        costs=stream("P", 3, 5),
        may_run_over=True,
        sources=(S, T),
        envelopes=(envelope("S", "B", 20), envelope("T", "2021:2024", 30)),
    )
    assert rows(given, "balance") == [
        ((0, 0), 0, {"S 2024 #0": 1, "T 2024 #0": 1, "P 2024": -3}, 0),
        ((0, 1), 0, {"S 2025 #0": 1, "T 2025 #0": 1, "P 2024": -5}, 0),
    ]
    assert rows(given, "envelope") == [
        ((("S",), "B"), -INF, {"S 2024 #0": 1}, 20),
        ((("T",), "2021:2024"), -INF, {"T 2024 #0": 1}, 30),
    ]


def test_payment_columns_are_named_after_account_source_and_year():
    """They follow the options, and are the only ones that need not be whole."""
    given = tables(project("P", 1, latest_start=2021), sources=(S, T), envelopes=(envelope("T", "B"),))
    model = compile_tables(given).model
    assert column_names(model) == ["P 2021", "S 2021 #0", "T 2021 #0"]
    assert model.integer.tolist() == [True, False, False]

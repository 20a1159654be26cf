"""Envelopes that pass money on: each with a plan that fits to the last million, and one that misses it by one."""

from fractions import Fraction

import pytest

from building import broken, plan, project, tables
from capalloc.catalogue import speaking
from capalloc.records import Envelope, Source
from capalloc.verification import verify

THREE = (
    {"name": "A", "first": 2021, "last": 2022},
    {"name": "B", "first": 2023, "last": 2023},
    {"name": "C", "first": 2024, "last": 2024},
)
HALF = Fraction(1, 2)


def envelope(period, amount, cap=None, source="state", **more):
    """Return a row of `envelopes`."""
    return Envelope(source=tuple(source.split("+")), period=period, amount=amount, carry_cap=cap, **more)


def spending(*envelopes, phases=THREE, **source):
    """Return tables with a project a year that costs nothing: what is paid for it is too much, but is paid."""
    projects = [project(f"{year}", 0) for year in range(2021, 2025)]
    return tables(
        *projects, sources=(Source(id="state", **source), Source(id="lot")), envelopes=envelopes, phases=phases
    )


def spent(given, source="state", **years):
    """Return what is carried into and out of each envelope, and the violations of money, when so much is spent."""
    paid = [(year[1:], source, int(year[1:]), amount) for year, amount in years.items()]
    allocation = plan(*((name, int(name)) for name, *_ in paid), paid=paid)
    carried = [(account.carried_in, account.carried_out) for account in verify(given, allocation).envelopes]
    return carried, [issue for issue in broken(given, allocation) if issue[0] != "broken-cost-over"]


@pytest.mark.parametrize(
    ("later", "carried", "expected"),
    [
        (5, 0, []),
        (6, 1, []),
        (8, 3, []),
        (9, 3, [("broken-envelope-carried", 9, 8, 1)]),
    ],
)
def test_a_phase_spends_what_the_one_before_may_pass_on(later, carried, expected):
    """Of 10, at most floor(0.35 × 10) = 3 move to a phase with room for 5; no more moves than is needed."""
    given = spending(envelope("A", 10, Fraction(35, 100)), envelope("B", 5))
    assert spent(given, _2021=7, _2023=later) == ([(0, carried), (carried, 0)], expected)


@pytest.mark.parametrize(("first", "expected"), [(8, []), (9, [("broken-carry", 2, 1, 1)])])
def test_only_what_is_left_can_be_carried(first, expected):
    """2 are missing in B; with 8 of 10 spent in A they are there, with 9 they are not."""
    given = spending(envelope("A", 10, HALF), envelope("B", 5))
    assert spent(given, _2022=first, _2023=7) == ([(0, 2), (2, 0)], expected)


def test_a_phase_that_is_exceeded_itself_has_nothing_to_carry():
    """11 of 10 are spent in A, and 2 are missing in B: both are told."""
    given = spending(envelope("A", 10, HALF), envelope("B", 5))
    assert spent(given, _2021=11, _2023=7)[1] == [("broken-envelope", 11, 10, 1), ("broken-carry", 2, 0, 2)]


def test_carried_money_does_not_move_twice():
    """All of A moves to B and frees all of B for C, but no more: B itself has 4."""
    given = spending(envelope("A", 10, Fraction(1)), envelope("B", 4, Fraction(1)), envelope("C", 0))
    assert spent(given, _2023=10, _2024=4) == ([(0, 10), (10, 4), (4, 0)], [])
    assert spent(given, _2023=10, _2024=5)[1] == [("broken-envelope-carried", 5, 4, 1)]
    assert spent(given, _2023=11, _2024=4)[1] == [("broken-carry", 4, 3, 1)]
    assert spent(given, _2024=5) == ([(0, 0), (0, 4), (4, 0)], [("broken-envelope-carried", 5, 4, 1)])


def test_what_is_passed_on_may_be_replaced_by_what_comes_in():
    """B has room for 4, spends 3 and passes 2 on, because 1 comes from A."""
    given = spending(envelope("A", 10, Fraction(1)), envelope("B", 4, HALF), envelope("C", 0))
    assert spent(given, _2021=9, _2023=3, _2024=2) == ([(0, 1), (1, 2), (2, 0)], [])
    assert spent(given, _2021=10, _2023=3, _2024=2)[1] == [("broken-carry", 1, 0, 1)]


def test_the_cap_is_a_share_of_the_amount_and_the_reserve_does_not_move():
    """Half of 10 could move, but a reserve of 60 % leaves room for 4."""
    given = spending(envelope("A", 10, HALF, reserve=Fraction(6, 10)), envelope("B", 0))
    assert spent(given, _2023=4) == ([(0, 4), (4, 0)], [])
    assert spent(given, _2023=5)[1] == [("broken-envelope-carried", 5, 4, 1)]


def test_the_cap_of_a_row_stands_before_that_of_its_source():
    """A source that may carry all lends its cap to its own rows, not to rows with another source."""
    own = spending(envelope("A", 10), envelope("B", 0), carry_cap=Fraction(1))
    assert spent(own, _2023=10)[1] == []
    assert spent(own, _2023=11)[1] == [("broken-envelope-carried", 11, 10, 1)]
    barred = spending(envelope("A", 10, Fraction(0)), envelope("B", 0), carry_cap=Fraction(1))
    assert spent(barred, _2023=1)[1] == [("broken-envelope", 1, 0, 1)]
    joined = spending(
        envelope("A", 10, source="state+lot"), envelope("B", 0, source="lot+state"), carry_cap=Fraction(1)
    )
    assert spent(joined, _2023=1)[1] == [("broken-envelope", 1, 0, 1)]


def test_sources_together_carry_together():
    """In whatever order the two rows name them."""
    given = spending(envelope("A", 10, HALF, source="state+lot"), envelope("B", 0, source="lot+state"))
    assert spent(given, _2021=5, _2023=5) == ([(0, 5), (5, 0)], [])
    assert spent(given, _2021=6, _2023=5)[1] == [("broken-carry", 5, 4, 1)]


@pytest.mark.parametrize(
    "rows",
    [
        (envelope("2022", 10, HALF), envelope("2023", 0)),
        (envelope("2021:2022", 10, HALF), envelope("B", 0)),
        (envelope("A", 10, HALF), envelope("2023", 0)),
        (envelope("A", 10, HALF), envelope("C", 0)),
        (envelope("B", 10, HALF), envelope("A", 0)),
        (envelope("A", 10, HALF), envelope("B", 0, source="lot")),
    ],
    ids=["years", "a run of years", "from a phase to a year", "two phases on", "backwards", "another source"],
)
def test_only_the_next_phase_of_the_same_sources_is_raised(rows):
    """A million where there is no room stays a million too much."""
    taker = rows[1]
    year = {"2023": 2023, "B": 2023, "C": 2024, "A": 2021}[taker.period]
    given = spending(*rows)
    assert spent(given, taker.source[0], **{f"_{year}": 1})[1] == [("broken-envelope", 1, 0, 1)]


@pytest.mark.parametrize(
    ("source", "row", "reserve", "room"),
    [
        ({}, {}, 0, 15),
        ({"disbursement": Fraction(9, 10)}, {}, 0, 13),
        ({"disbursement": Fraction(9, 10)}, {"disbursement": Fraction(1)}, 0, 15),
        ({"disbursement": Fraction(9, 10), "reserve": Fraction(1, 10)}, {}, 2, 12),  # 15 × 0.9 × 0.9 = 12.15
        ({"disbursement": Fraction(9, 10)}, {"source": ("state", "lot")}, 0, 15),
        ({}, {"source": ("state", "lot"), "disbursement": HALF}, 0, 7),
    ],
)
def test_only_what_is_expected_to_be_paid_out_is_room(source, row, reserve, room):
    """The row's share stands before the source's; the reserve is shown apart, and all is cut to whole millions once."""
    given = spending(Envelope(**{"source": ("state",), "period": "A", "amount": 15, **row}), **source)
    (account,) = verify(given, plan()).envelopes
    assert (account.reserve, account.room) == (reserve, room)
    assert spent(given, _2021=room)[1] == []
    assert spent(given, _2021=room + 1)[1] == [("broken-envelope", room + 1, room, 1)]


def test_slack_counts_what_came_in_and_what_went_out():
    """8 of 5 with 3 from before leave nothing; 10 less 6 and less 3 leave 1."""
    given = spending(envelope("A", 10, HALF), envelope("B", 5))
    allocation = plan(("2021", 2021), ("2023", 2023), paid=[("2021", "state", 2021, 6), ("2023", "state", 2023, 8)])
    assert [account.slack for account in verify(given, allocation).envelopes] == [1, 0]


def test_the_texts_say_what_was_carried():
    """In both languages, with the project that would mend it."""
    given = spending(envelope("A", 10, Fraction(3, 10)), envelope("B", 5))
    allocation = plan(("2021", 2021), ("2023", 2023), paid=[("2021", "state", 2021, 8), ("2023", "state", 2023, 9)])
    carry, over = (issue for issue in verify(given, allocation).violations if issue.code != "broken-cost-over")
    assert carry.message == (
        "For what it pays later, state would have to carry 3 million VND out of A, where 2 are left, 1 too few."
    )
    assert over.message == (
        "state pays 9 million VND in B; the envelope has room for 8, 3 carried in included, exceeded by 1."
    )
    assert over.remedy.endswith("such as 2023.")
    with speaking("vi"):
        assert over.message == (
            "state chi 9 triệu đồng trong B; hạn mức vốn chỉ còn cho phép 8, "
            "gồm cả 3 chuyển nguồn từ giai đoạn trước, vượt 1."
        )
        assert carry.message == (
            "Để đủ chi cho giai đoạn sau, state phải chuyển nguồn 3 triệu đồng từ A, trong khi chỉ còn lại 2: thiếu 1."
        )

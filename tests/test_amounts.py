"""Amounts of envelopes as columns: how much is enough for all, and what is not asked of a model."""

from fractions import Fraction

import pytest

from building import project, tables
from capalloc.amounts import enough_for_all, least_amounts, with_amounts
from capalloc.bookkeeping import keep_books
from capalloc.engines.highs import Highs
from capalloc.model import SolveOptions
from capalloc.records import Envelope, Rule, Source
from capalloc.rooms import envelope_accounts

EXACT = SolveOptions(time_limit=60, gap=0.0, threads=1)


def given(reserve, amount=5, **more):
    """Return two projects of 6 and 4, of which the second must be funded, and an envelope that holds a share back."""
    return tables(
        project("P", 6, value=Fraction(1)),
        project("Q", 4, mandatory=True),
        sources=(Source(id="S"),),
        envelopes=(Envelope(source=("S",), period="2021:2024", amount=amount, reserve=reserve),),
        **more,
    )


@pytest.mark.parametrize("reserve", [Fraction(0), Fraction(1, 10), Fraction(1, 2), Fraction(9, 10)])
def test_enough_for_all_leaves_room_for_all_beside_the_reserve(reserve):
    """10 and 1 are to be left of it, whatever part is held back."""
    enough = with_amounts(given(reserve), {0: enough_for_all(given(reserve), 0)})
    (account,) = envelope_accounts(enough, keep_books(enough, ()))
    assert account.room >= 11
    assert account.amount - 1 < 11 / (1 - reserve)


def test_where_all_is_held_back_no_amount_is_enough():
    """The envelope's own amount is as good as any."""
    assert enough_for_all(given(Fraction(1)), 0) == 5


def test_an_amount_that_is_large_already_is_enough():
    """It is not made smaller."""
    assert enough_for_all(given(Fraction(0), amount=100), 0) == 100


def test_the_least_amounts_are_those_of_what_must_be_funded():
    """Half of 8 is 4."""
    amounts, least, answer = least_amounts(given(Fraction(1, 2)), [0], EXACT, Highs())
    assert (amounts, least) == ({0: 8}, 8)
    assert [choice.project for choice in answer.allocation.choices] == ["Q"]


def test_where_more_money_may_be_worse_no_least_amount_is_named():
    """9 of 10 of an envelope must be paid: with more of it there may be no plan any more."""
    spend = Rule(id="spend", measure="paid", sense=">=", amount=Fraction(9, 10), share_of="envelope:S")
    assert least_amounts(given(Fraction(0), rules=(spend,)), [0], EXACT, Highs()) is None

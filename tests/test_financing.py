"""Financing: whole amounts for a fixed selection, or none; and their way to projects and years."""

from itertools import combinations

import numpy as np
from hypothesis import given, note
from hypothesis import strategies as st

from brute import every_selection, payments_of, settles
from building import broken, plan, project, tables
from capalloc.allocation import Allocation, Choice, Payment
from capalloc.compiling import compile_tables
from capalloc.financing import finance, hand_out, whole_payments
from capalloc.records import Cost, Envelope, Source
from strategies import portfolios

S, T = Source(id="S"), Source(id="T")


def handed_out(given, choices, *amounts):
    """Return what is handed out of the amounts of the payment columns for some choices."""
    compiled = compile_tables(given)
    taken = compiled.taken(compiled.point(plan(*choices)))
    return hand_out(compiled, taken, np.array(amounts, dtype=np.int64))


def pooled():
    """Return P of 3 and 1 from 2021 on and Q of 2 in 2022; phase A is one cell, paid by S (columns 0) and T (1)."""
    return tables(
        project("P", latest_start=2021),
        project("Q", 2, earliest_start=2022, latest_start=2022),
        costs=(Cost(project="P", offset=0, amount=3), Cost(project="P", offset=1, amount=1)),
        sources=(S, T),
        envelopes=(Envelope(source=("S",), period="A", amount=5),),
    )


def test_what_an_account_pays_is_handed_out_cost_by_cost():
    """S pays 5 of 6: all of P, 1 of the 2 of Q; the payments come in the order of project, year and source."""
    assert handed_out(pooled(), [("P", 2021), ("Q", 2022)], 5, 1) == (
        Payment("P", "S", 2021, 3),
        Payment("P", "S", 2022, 1),
        Payment("Q", "S", 2022, 1),
        Payment("Q", "T", 2022, 1),
    )


def test_a_source_that_pays_nothing_is_passed_over():
    """All of Q from T, with no payment of 0 for anybody."""
    assert handed_out(pooled(), [("Q", 2022)], 0, 2) == (Payment("Q", "T", 2022, 2),)


def test_a_single_source_pays_every_cost_in_its_year():
    """There are no columns to hand out from."""
    given = tables(
        project("P", latest_start=2021),
        costs=(Cost(project="P", offset=0, amount=3), Cost(project="P", offset=2, amount=1)),
        sources=(S,),
    )
    assert handed_out(given, [("P", 2021)]) == (Payment("P", "S", 2021, 3), Payment("P", "S", 2023, 1))


def test_without_sources_nothing_is_handed_out():
    """Costs are reported, not financed."""
    assert handed_out(tables(project("P", 3)), [("P", 2021)]) == ()


def test_fractions_become_whole_amounts_near_them():
    """2.4 and 3.6 of 6 within an envelope of 5 for S: whole amounts that add up to the same 6."""
    compiled = compile_tables(pooled())
    amounts = whole_payments(compiled, np.array([1.0, 1.0, 2.4, 3.6]))
    assert amounts.sum() == 6
    assert amounts.tolist() in [[2, 4], [3, 3]]


def test_whole_amounts_are_found_far_from_a_point_without_payments():
    """2 of T at least, though the point gives none to anybody."""
    compiled = compile_tables(pooled())
    s, t = whole_payments(compiled, np.array([1.0, 1.0, 0.0, 0.0])).tolist()
    assert (s + t, s <= 5) == (6, True)


def test_a_selection_that_only_fractions_can_pay_has_no_financing():
    """Of three sources each two have 1 together, so that half of each pays 1.5, and whole units 1; twice that is 3."""
    names = ["A", "B", "C"], ["D", "E", "F"]
    given = tables(
        project("P", 3, latest_start=2021),
        project("Q", 2, latest_start=2021),
        sources=tuple(Source(id=name) for name in "ABCDEF"),
        envelopes=tuple(
            Envelope(source=pair, period="A", amount=1) for three in names for pair in combinations(three, 2)
        ),
    )
    compiled = compile_tables(given)
    halves = np.array([1.0, 0.0] + [0.5] * 6)
    model = compiled.model
    activity = model.matrix @ halves
    assert ((model.row_lower <= activity) & (activity <= model.row_upper)).all()
    assert finance(compiled, halves) is None
    second = finance(compiled, np.array([0.0, 1.0] + [1 / 3] * 6))
    assert second.choices == (Choice("Q", "", 2021),)
    assert sorted(payment.amount for payment in second.payments) == [1, 1]


def test_rows_without_payments_are_not_looked_at():
    """S alone pays 6 with an envelope of 5, directly: the verifier says so of the payments handed out."""
    given = pooled()
    direct = tables(*given.projects, costs=given.costs, sources=(S,), envelopes=given.envelopes)
    allocation = finance(compile_tables(direct), np.array([1.0, 1.0]))
    assert allocation.payments == (
        Payment("P", "S", 2021, 3),
        Payment("P", "S", 2022, 1),
        Payment("Q", "S", 2022, 2),
    )
    assert broken(direct, allocation) == [("broken-envelope", 6, 5, 1)]


def keeps_rows_without_payments(compiled, point):
    """Return whether the options of a point are in their bounds and keep all rows that have no payments."""
    model, count = compiled.model, len(compiled.options)
    alone = np.diff(model.matrix[:, count:].tocsr().indptr) == 0
    kept = model.matrix @ point <= model.row_upper
    return bool(kept[alone].all() and (point <= model.upper).all())


@given(st.data())
def test_a_selection_is_paid_exactly_when_trying_every_split_pays_it(data):
    """Starting from a point without payments; what is handed out settles every cost, limit and envelope."""
    tabled = data.draw(portfolios(with_sources=True))
    compiled = compile_tables(tabled)
    selections = list(every_selection(tabled))
    for _, choices in data.draw(st.lists(st.sampled_from(selections), max_size=5)) if selections else []:
        point, payments = compiled.point(Allocation(choices, ())), payments_of(tabled, choices)
        if not keeps_rows_without_payments(compiled, point):
            assert payments is None
            continue
        allocation = finance(compiled, point)
        note(f"{choices} {payments} {allocation}")
        assert (allocation is None) == (payments is None)
        if allocation is not None:
            assert allocation.choices == choices
            assert settles(tabled, choices, {(p.project, p.year, p.source): p.amount for p in allocation.payments})

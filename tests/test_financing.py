"""Financing: whole amounts for a fixed selection, or none; and their way to projects and years."""

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from brute import best_by_enumeration, every_selection, payments_of, settles
from building import broken, plan, project, tables
from capalloc.allocation import Allocation, Choice, Payment
from capalloc.compiling import compile_tables
from capalloc.engines.highs import Highs, relaxation
from capalloc.financing import finance, hand_out, whole_payments
from capalloc.model import SolveOptions, Status
from capalloc.records import Cost, Envelope, Rule, Share, Source
from capalloc.solving import optimize
from capalloc.verification import verify
from strategies import EVERYTHING, portfolios

EXACT = SolveOptions(time_limit=60, gap=0.0, threads=1)
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


def test_whole_amounts_lose_least_where_a_statement_has_a_price():
    """Of 6 S pays 3.4, which 3 is near; but each beyond 2 is charged for, and T can pay 4."""
    rule = Rule(id="little", measure="paid: S", amount=Fraction(2), price=Fraction(1))
    given = tables(project("P", 6, latest_start=2021), sources=(S, T), rules=(rule,))
    s, t = whole_payments(compile_tables(given), np.array([1.0, 3.4, 2.6, 1.4])).tolist()
    assert (s + t, s <= 2) == (6, True)


def test_no_more_is_carried_than_may_be_whatever_a_point_says():
    """Phase B lacks 2 of the 12 that P costs, and of the 10 of phase A only 1 may be carried."""
    envelopes = (
        Envelope(source=("S",), period="A", amount=10, carry_cap=Fraction(1, 10)),
        Envelope(source=("S",), period="B", amount=10),
    )
    given = tables(project("P", 12, earliest_start=2023, latest_start=2023), sources=(S,), envelopes=envelopes)
    compiled = compile_tables(given)
    for carried in (1.0, 2.0):
        assert whole_payments(compiled, np.array([1.0, carried])) is None


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


def financed(*projects, rooms, **more):
    """Return tables whose envelopes are given as {(sources joined by +, period): amount}."""
    names = dict.fromkeys(name for joined, _ in rooms for name in joined.split("+"))
    envelopes = (Envelope(source=tuple(s.split("+")), period=p, amount=room) for (s, p), room in rooms.items())
    return tables(*projects, sources=tuple(Source(id=name) for name in names), envelopes=tuple(envelopes), **more)


def only_in_halves(*projects, value=10):
    """Return tables whose project P can be paid in halves and not in whole units.

    P costs 2 in 2021 and 2 in 2022.  Of A, B and C any two pay at most 1 a year, so all three pay 3/2 at most, in whole
    units 1; T has to pay the rest of both years, 1/2 + 1/2 or 1 + 1, and has 1.
    """
    pairs = {(pair, year): 1 for year in ("2021", "2022") for pair in ("A+B", "A+C", "B+C")}
    hard = project("P", 4, duration=2, latest_start=2021, value=Fraction(value))
    return financed(hard, *projects, rooms=pairs | {("T", "2021:2022"): 1})


def one_bill(cost, *rooms):
    """Return a project that is due in 2021 and may be paid by sources with these rooms, compiled."""
    sources = {(f"S{number}", "2021:2024"): room for number, room in enumerate(rooms)}
    return compile_tables(financed(project("P", cost, latest_start=2021), rooms=sources))


@pytest.mark.parametrize(
    ("rooms", "fractions", "expected"),
    [
        ((2, 2), (1.5, 1.5), None),
        ((1, 2), (0.5, 2.5), [1, 2]),
        ((3, 3), (2.0, 1.0), [2, 1]),
        ((3, 3), (2.0000000004, 0.9999999996), [2, 1]),
        ((2, 2), (1.0, 1.0), None),
    ],
)
def test_fractions_become_whole_units_close_by(rooms, fractions, expected):
    """A cost of 3 is paid exactly, within the rooms, and no source is moved by more than 2."""
    found = whole_payments(one_bill(3, *rooms), np.array([1, *fractions]))
    assert found.sum() == 3
    assert all(found <= rooms)
    assert all(abs(found - fractions) <= 2)
    assert expected is None or found.tolist() == expected


@pytest.mark.parametrize("fractions", [(0.0, 0.0), (0.3, 0.4), (10.0, 0.0), (100.0, 0.0), (-50.0, 50.0)])
def test_whole_units_are_looked_for_far_off_when_there_are_none_close_by(fractions):
    """Two sources of 5 each have to pay a cost of 10, wherever the engine's payments stand."""
    assert whole_payments(one_bill(10, 5, 5), np.array([1, *fractions])).tolist() == [5, 5]


def test_payments_that_are_whole_already_stay():
    """Of many ways to pay, the engine's own is kept."""
    assert whole_payments(one_bill(10, 9, 9), np.array([1.0, 7.0, 3.0])).tolist() == [7, 3]


def test_nothing_taken_is_paid_nothing():
    """The payments of options that are not taken are no more than what they cost: nothing."""
    compiled = one_bill(3, 2, 2)
    assert whole_payments(compiled, np.zeros(3)).tolist() == [0, 0]
    assert finance(compiled, np.zeros(3)) == Allocation((), ())


def test_what_is_handed_out_stands_in_the_order_of_project_year_and_source():
    """Also where a later project is paid from a direct account and an earlier one from a pool."""
    compiled = compile_tables(
        tables(
            project("P", 2, latest_start=2021, sector="road"),
            project("Q", 3, latest_start=2021),
            project("R", 2, latest_start=2021, sector="road"),
            sources=(Source(id="Z"), Source(id="A", eligible='sector == "road"')),
            envelopes=(
                Envelope(source=("Z",), period="2021:2024", amount=9),
                Envelope(source=("A",), period="2021:2024", amount=9),
            ),
        )
    )
    x = compiled.point(
        plan(
            ("P", 2021), ("Q", 2021), ("R", 2021), paid=[("P", "Z", 2021, 1), ("P", "A", 2021, 1), ("R", "A", 2021, 2)]
        )
    )
    assert finance(compiled, x).payments == (
        Payment("P", "Z", 2021, 1),
        Payment("P", "A", 2021, 1),
        Payment("Q", "Z", 2021, 3),
        Payment("R", "A", 2021, 2),
    )


def test_thirds_of_a_life_become_whole_units():
    """Each of three sources pays from 1 to 2 of a cost of 4, a third of it; the second has no more than 1."""
    shares = tuple(Share(project="P", source=(name,), min=Fraction(1, 3), max=Fraction(1, 3)) for name in "ABC")
    rooms = {("A", "2021:2024"): 9, ("B", "2021:2024"): 1, ("C", "2021:2024"): 9}
    tabled = financed(project("P", 4, latest_start=2021, value=Fraction(1)), rooms=rooms, shares=shares)
    compiled = compile_tables(tabled)
    allocation = finance(compiled, np.array([1, 4 / 3, 4 / 3, 4 / 3]))
    paid = {payment.source: payment.amount for payment in allocation.payments}
    assert sum(paid.values()) == 4
    assert paid["B"] == 1
    assert {paid["A"], paid["C"]} == {1, 2}
    assert verify(tabled, allocation).violations == ()


def test_a_selection_payable_in_fractions_only_has_no_financing():
    """The relaxation pays P in halves; in whole units nobody can, as trying everything says too."""
    tabled = only_in_halves()
    compiled = compile_tables(tabled)
    assert relaxation(compiled.model, EXACT).value == compiled.model.objective.sum()
    found = Highs().solve(compiled.model, EXACT)
    assert found.status is Status.OPTIMAL
    assert found.x[0] == 1
    assert whole_payments(compiled, found.x) is None
    assert finance(compiled, found.x) is None
    assert payments_of(tabled, plan(("P", 2021)).choices) is None


@pytest.mark.parametrize("engine", ["highs", "enumeration", "pulp:CBC"])
def test_a_selection_without_whole_financing_is_cut_off_and_the_next_best_plan_is_found(engine):
    """P with and without the free R are refused in turn; Q with R is worth 4, and nothing payable is worth more."""
    tabled = only_in_halves(
        project("Q", 1, latest_start=2021, value=Fraction(3)), project("R", 0, latest_start=2021, value=Fraction(1))
    )
    answer = optimize(tabled, EXACT, engine)
    assert (answer.status, answer.value, answer.bound, answer.gap) == (Status.OPTIMAL, 4, 4.0, 0.0)
    assert answer.rejected == 2
    assert [choice.project for choice in answer.allocation.choices] == ["Q", "R"]
    assert best_by_enumeration(tabled)[0] == 4


def test_a_portfolio_payable_in_fractions_only_is_infeasible_when_it_must_be_funded():
    """A mandatory P leaves no plan, after one selection was refused."""
    tabled = only_in_halves()
    must = tables(
        project("P", 4, duration=2, latest_start=2021, mandatory=True),
        sources=tabled.sources,
        envelopes=tabled.envelopes,
    )
    answer = optimize(must, EXACT)
    assert (answer.status, answer.allocation, answer.bound) == (Status.INFEASIBLE, None, -np.inf)
    assert answer.rejected == 1


def keeps_rows_without_payments(compiled, point):
    """Return whether the options of a point are in their bounds and keep all rows that have no payments."""
    model, count = compiled.model, len(compiled.options)
    alone = np.diff(model.matrix[:, count:].tocsr().indptr) == 0
    kept = model.matrix @ point <= model.row_upper
    return bool(kept[alone].all() and (point <= model.upper).all())


@given(st.data())
def test_a_selection_is_paid_exactly_when_trying_every_split_pays_it(data):
    """Starting from a point without payments; what is handed out settles every cost, limit and envelope.

    Without programmes, whose amounts are chosen together with the payments.
    """
    tabled = data.draw(portfolios(with_sources=True, features=EVERYTHING - {"programmes"}))
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

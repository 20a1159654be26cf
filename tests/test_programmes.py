"""Programmes: plans that do part of one, checked by hand, on every engine."""

from fractions import Fraction
from math import floor

import pytest
from hypothesis import given as given_any
from hypothesis import strategies as st

from building import tables
from capalloc.allocation import Choice
from capalloc.model import Status
from capalloc.records import (
    Capacity,
    Contribution,
    Cost,
    Dependency,
    Indicator,
    Membership,
    Mode,
    Resource,
    Rule,
    Share,
    Synergy,
    Target,
    Use,
)
from capalloc.scaled_shares import nearest_below
from capalloc.solving import optimize
from parts import ENGINES, EXACT, HALF, THIRD, S, T, paid, portfolio, programme, scales, solved, state, works


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("room", "expected"),
    [
        (200, {"P": Fraction(1)}),
        (100, {"P": Fraction(1)}),
        (70, {"P": Fraction(7, 10)}),
        (51, {"P": Fraction(51, 100)}),
        (50, {"P": HALF}),
        (49, {}),
    ],
)
def test_an_envelope_limits_the_scale_down_to_the_least(engine, room, expected):
    """Of a programme of 100 as much is done as the room pays for, and nothing where not even half of it can be."""
    answer = solved(portfolio(programme("P", 100), rooms={"2021": room}), engine)
    assert scales(answer) == expected
    assert answer.value == 10 * sum(expected.values())
    assert paid(answer) == [("P", 2021, 100 * scale) for scale in expected.values()]


@pytest.mark.parametrize("engine", ENGINES)
def test_the_least_amount_is_rounded_up(engine):
    """A third of 100 is 34 at least: 33 will not do."""
    assert scales(solved(portfolio(programme("P", 100, least=THIRD), rooms={"2021": 33}), engine)) == {}
    assert scales(solved(portfolio(programme("P", 100, least=THIRD), rooms={"2021": 34}), engine)) == {
        "P": Fraction(34, 100)
    }


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("room", "amounts"),
    [
        # The whole is 4 + 3 a year; of k of 7, floor(4k/7 + 1/2) falls in 2021: 1, 1, 2, 2, 3, 3, 4.
        (0, None),
        (1, (1, 1)),
        (2, (2, 2)),
        (3, (3, 3)),
        (4, (4, 3)),
    ],
)
def test_yearly_amounts_are_differences_of_rounded_sums(engine, room, amounts):
    """The year 2021 has room for some of the first year's amount only, and as much is done as that allows."""
    given = portfolio(programme("P", 7, least=Fraction(1, 7), duration=2), rooms={"2021": room})
    answer = solved(given, engine)
    assert [amount for _, _, amount in paid(answer)] == list(amounts or ())
    assert answer.value == Fraction(10 * sum(amounts or ()), 7)


@pytest.mark.parametrize("engine", ENGINES)
def test_what_works_leave_is_left_to_programmes(engine):
    """Works of 60 are worth more than what 60 of a programme of 100 are; 40 are left, and of the other least 30."""
    projects = works("W", 60, 9), programme("P", 100, 10, least=Fraction(3, 10))
    answer = solved(portfolio(*projects, rooms={"2021": 100}), engine)
    assert scales(answer) == {"W": 1, "P": Fraction(4, 10)}
    assert answer.value == 13


@pytest.mark.parametrize("engine", ENGINES)
def test_a_mandatory_programme_without_merit_is_done_as_little_as_may_be(engine):
    """A negative value asks for the least scale, ceil(1/3 · 100) of 100."""
    answer = solved(portfolio(programme("P", 100, -10, least=THIRD, mandatory=True)), engine)
    assert scales(answer) == {"P": Fraction(34, 100)}
    assert answer.value == Fraction(-34, 10)


@pytest.mark.parametrize("engine", ENGINES)
def test_without_sources_amounts_are_whole_all_the_same(engine):
    """Land for half of the programme, at most, and half of 7 is no whole amount: 3 of 7 are done."""
    given = tables(
        programme("P", 7, 7, least=Fraction(1, 7)),
        resources=(Resource(id="land"),),
        uses=(Use(project="P", resource="land", amount=Fraction(2)),),
        capacities=(Capacity(resource="land", period="2021:2024", amount=Fraction(1)),),
    )
    answer = solved(given, engine)
    assert scales(answer) == {"P": Fraction(3, 7)}
    assert answer.value == 3
    assert answer.audit.projects[0].cost == 3


@pytest.mark.parametrize("engine", ENGINES)
def test_a_fine_capacity_counts_in_full_where_parts_may_use_it(engine):
    """Of 3 ha the period has 17/10, so 5 of 10 may be done for 3/2 ha, and not the 3 that 1 ha would allow."""
    given = portfolio(
        programme("P", 10, least=Fraction(1, 10)),
        resources=(Resource(id="land"),),
        uses=(Use(project="P", resource="land", amount=Fraction(3)),),
        capacities=(Capacity(resource="land", period="2021:2024", amount=Fraction(17, 10)),),
    )
    assert scales(solved(given, engine)) == {"P": HALF}


@pytest.mark.parametrize("engine", ENGINES)
def test_dependencies_groups_and_counts_see_funded_or_not(engine):
    """The least part of a programme lets works follow that need it, counts in a group and as one start."""
    given = portfolio(
        programme("P", 100, 1, least=Fraction(2, 10)),
        works("W", 80, 9),
        works("G", 1, 5),
        rooms={"2021": 100},
        dependencies=(Dependency(kind="requires", first="P", then="W"),),
        groups=tuple(Membership(group="g", project=name, kind="one_of") for name in ("P", "G")),
        rules=(Rule(id="r", measure="starts", sense=">=", amount=Fraction(2)),),
    )
    assert scales(solved(given, engine)) == {"P": Fraction(2, 10), "W": 1}


@pytest.mark.parametrize("engine", ENGINES)
def test_a_synergy_counts_in_full_beside_a_part(engine):
    """Half of the programme and the works together are worth 100 more than their own values."""
    given = portfolio(
        programme("P", 100, 2),
        works("W", 50, 3),
        rooms={"2021": 100},
        synergies=(Synergy(id="s", projects=("P", "W"), value=Fraction(100)),),
    )
    answer = solved(given, engine)
    assert scales(answer) == {"P": HALF, "W": 1}
    assert answer.value == 104


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("rows", "room", "scale", "amounts"),
    [
        # T has 3 and pays a third at least, floor(k/3), S has 6 and pays 2/3 at most: of 10, 1 would be missing.
        (
            (("T", THIRD, 1), ("S", 0, Fraction(2, 3))),
            {"S": 6, "T": 3},
            Fraction(9, 10),
            {"S": 6, "T": 3},
        ),
        # Of S at most a half, ceil(k/2) = 3 of 5 or 6, and T has 2: k = 5.
        ((("S", 0, HALF),), {"T": 2}, HALF, {"S": 3, "T": 2}),
        # T has 3 and pays a third at least, which of 10 is no more than 3.
        ((("T", THIRD, 1),), {"T": 3}, 1, {"S": 7, "T": 3}),
        # Both together at most 3/4, which rounds up to all of 3 and not to all of 4.
        ((("S+T", 0, Fraction(3, 4)),), 10, Fraction(3, 10), {"S": 3}),
    ],
)
def test_shares_bound_parts_of_what_is_done(engine, rows, room, scale, amounts):
    """Bounds are floor(min·k) and ceil(max·k) of the amount k that is done of 10."""
    shares = tuple(
        Share(project="P", source=tuple(name.split("+")), min=Fraction(low), max=Fraction(high))
        for name, low, high in rows
    )
    rooms = {"S": 100, "T": 100} | (room if isinstance(room, dict) else {"S": room})
    given = tables(
        programme("P", 10, least=Fraction(1, 10)),
        sources=(S, T),
        envelopes=tuple(state(amount, source=(name,)) for name, amount in rooms.items()),
        shares=shares,
    )
    answer = solved(given, engine)
    assert scales(answer) == {"P": scale}
    totals = {}
    for payment in answer.allocation.payments:
        totals[payment.source] = totals.get(payment.source, 0) + payment.amount
    if len(rows) == 1 and "+" in rows[0][0]:
        assert sum(totals.values()) == sum(amounts.values())
    else:
        assert totals == amounts


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("legal", "done"), [(False, 31), (True, 29)])
def test_a_share_of_many_digits_is_kept_as_it_is_written(engine, legal, done):
    """Of S at most 0.333… of k, T has 20: 11 + 20 rounded up; 9 + 20 rounded down, for 0.333… of 30 is below 10."""
    third = Fraction("0.3333333333333333")
    given = tables(
        programme("P", 100, least=Fraction(1, 10)),
        sources=(S, T),
        envelopes=(state(100), state(20, source=("T",))),
        shares=(Share(project="P", source=("S",), min=Fraction(0), max=third, legal=legal),),
    )
    assert scales(solved(given, engine)) == {"P": Fraction(done, 100)}


@given_any(st.fractions(-2, 2, max_denominator=300), st.integers(1, 40))
def test_the_nearest_share_below_is_the_greatest_of_all(share, most):
    """Among the greatest multiples of 1, 1/2, 1/3, … not above the share."""
    every = [Fraction(floor(share * bottom), bottom) for bottom in range(1, most + 1)]
    assert nearest_below(share, most) == max(every)


@pytest.mark.parametrize("engine", ENGINES)
def test_yearly_shares_bound_the_yearly_parts(engine):
    """S pays at most half of each year, ceil of it, and T has 1 a year: at most 2 + 1 a year, so 6 of 10."""
    given = tables(
        programme("P", 10, least=Fraction(1, 10), duration=2),
        sources=(S, T),
        envelopes=(state(100), *(state(1, str(year), ("T",)) for year in (2021, 2022, 2023, 2024))),
        shares=(Share(project="P", source=("S",), min=Fraction(0), max=HALF, per="year"),),
    )
    answer = solved(given, engine)
    # k = 6 is 3 + 3; of 3 ceil(3/2) = 2 are of S and 1 is of T.
    assert scales(answer) == {"P": Fraction(6, 10)}
    assert paid(answer) == [("P", 2021, 2), ("P", 2021, 1), ("P", 2022, 2), ("P", 2022, 1)]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_mode_is_chosen_with_its_own_whole(engine):
    """With room for 6: 6/20 of the large one are worth 6, the small one in full is worth 5."""
    modes = (
        Mode(project="P", mode="small", cost=5, value=Fraction(5)),
        Mode(project="P", mode="large", cost=20, value=Fraction(20)),
    )
    given = portfolio(programme("P", None, least=Fraction(1, 10)), modes=modes, rooms={"2021": 6})
    (choice,) = solved(given, engine).allocation.choices
    assert choice == Choice("P", "large", 2021, Fraction(6, 20))
    (choice,) = solved(
        portfolio(programme("P", None, least=HALF), modes=modes, rooms={"2021": 6}), engine
    ).allocation.choices
    assert choice == Choice("P", "small", 2021)


@pytest.mark.parametrize("engine", ENGINES)
def test_targets_count_parts_of_contributions(engine):
    """12 km of the 30 that the whole adds: 4 of 10 is enough, and what money is left goes to the works."""
    given = portfolio(
        programme("P", 10, 1, least=Fraction(1, 10)),
        works("W", 6, 9),
        rooms={"2021": 10},
        indicators=(Indicator(id="km"),),
        contributions=(Contribution(project="P", indicator="km", amount=Fraction(30)),),
        targets=(Target(indicator="km", by_year=2024, at_least=Fraction(12)),),
    )
    assert scales(solved(given, engine)) == {"P": Fraction(4, 10), "W": 1}


@pytest.mark.parametrize("engine", ENGINES)
def test_a_soft_target_is_charged_for_the_part_that_is_missing(engine):
    """Half of the programme adds 5 of 8 that are asked for, 2 a unit: value 10/2 less 6."""
    given = portfolio(
        programme("P", 10, 10, least=HALF, mandatory=True),
        rooms={"2021": 5},
        indicators=(Indicator(id="km"),),
        contributions=(Contribution(project="P", indicator="km", amount=Fraction(10)),),
        targets=(Target(indicator="km", by_year=2024, at_least=Fraction(8), price=Fraction(2)),),
    )
    answer = solved(given, engine)
    assert scales(answer) == {"P": HALF}
    assert answer.value == -1


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("measure", "amount", "scale"),
    [
        ("cost", 7, Fraction(7, 10)),
        ("paid:S", 6, Fraction(6, 10)),
        ("value", Fraction(11, 2), Fraction(1, 2)),  # 55 hundredths of 10, of which whole amounts make 5
        ("resource:land", Fraction(13, 2), Fraction(3, 10)),  # 20 ha for the whole
        ("indicator:km", Fraction(2), Fraction(4, 10)),  # 5 km for the whole
    ],
)
def test_rules_measure_parts(engine, measure, amount, scale):
    """A rule that caps what the programme costs, is worth, uses or adds, caps its scale."""
    given = portfolio(
        programme("P", 10, 10, least=Fraction(1, 10)),
        resources=(Resource(id="land"),),
        uses=(Use(project="P", resource="land", amount=Fraction(20)),),
        indicators=(Indicator(id="km"),),
        contributions=(Contribution(project="P", indicator="km", amount=Fraction(5)),),
        rules=(Rule(id="r", measure=measure, sense="<=", amount=Fraction(amount)),),
    )
    assert scales(solved(given, engine)) == {"P": scale}


@pytest.mark.parametrize("engine", ENGINES)
def test_a_tail_is_that_of_the_part(engine):
    """The tail after 2021 is at most 2: with costs 4 and 6, 3 of 10 leave floor(3·4/10 + 1/2) = 1 behind 2."""
    given = portfolio(
        programme("P", None, least=Fraction(1, 10), duration=2),
        costs=(Cost(project="P", offset=0, amount=4), Cost(project="P", offset=1, amount=6)),
        rules=(Rule(id="r", measure="tail", period="2021", sense="<=", amount=Fraction(2)),),
    )
    # k = 4: floor(16/10 + 1/2) = 2 in 2021, 2 later; k = 5: 2 and 3.
    answer = solved(given, engine)
    assert paid(answer) == [("P", 2021, 2), ("P", 2022, 2)]


@pytest.mark.parametrize("engine", ENGINES)
def test_several_programmes_share_room_in_whole_units(engine):
    """P and Q in thirds and fifths of money: trying every pair of amounts finds nothing better."""
    given = portfolio(
        programme("P", 7, 10, least=Fraction(1, 7), duration=2),
        programme("Q", 5, 9, least=Fraction(1, 5), duration=3),
        rooms={"2021": 3, "2022:2024": 5},
    )
    answer = solved(given, engine)

    def worth(k, m):
        choices = [Choice("P", "", 2021, Fraction(k, 7))] * bool(k) + [Choice("Q", "", 2021, Fraction(m, 5))] * bool(m)
        first = (2 * k * 4 + 7) // 14 + (2 * m * 2 + 5) // 10
        return (Fraction(10 * k, 7) + Fraction(9 * m, 5)) * (first <= 3 and k + m - first <= 5) if choices else 0

    assert answer.value == max(worth(k, m) for k in range(8) for m in range(6))


@pytest.mark.parametrize("engine", ["highs", "enumeration"])
def test_classes_are_held_exactly_with_parts(engine):
    """Class 1 gets all it can, 5/7 of P; class 2 lives on what that leaves, to the last unit."""
    given = portfolio(
        programme("P", 7, 10, least=Fraction(1, 7), duration=2, priority=1),
        programme("Q", 9, 10, least=Fraction(1, 9), priority=2),
        works("W", 4, 3, priority=2, latest_start=2022),
        rooms={"2021": 3, "2022": 4},
        objective={"goal": "lexicographic"},
    )
    answer = optimize(given, EXACT, engine)
    assert answer.status is Status.OPTIMAL
    # P: at most 3 in 2021, so k = 6 (3 and 3); then 1 is left in 2022 and none in 2021.
    assert scales(answer) == {"P": Fraction(6, 7)}
    assert [account.value for account in answer.classes] == [Fraction(60, 7), 0]


@pytest.mark.parametrize("engine", ["highs", "enumeration"])
def test_a_class_held_at_a_fraction_leaves_room_for_the_next(engine):
    """P is held at 3/7 by its land; the money it leaves is spent on Q, of which 8 of 9 can be paid."""
    given = portfolio(
        programme("P", 7, 10, least=Fraction(1, 7), priority=1),
        programme("Q", 9, 10, least=Fraction(1, 9), priority=2),
        rooms={"2021": 11},
        resources=(Resource(id="land"),),
        uses=(Use(project="P", resource="land", amount=Fraction(2)),),
        capacities=(Capacity(resource="land", period="2021:2024", amount=Fraction(1)),),
        objective={"goal": "lexicographic"},
    )
    answer = optimize(given, EXACT, engine)
    assert answer.status is Status.OPTIMAL
    assert scales(answer) == {"P": Fraction(3, 7), "Q": Fraction(8, 9)}
    assert [account.value for account in answer.classes] == [Fraction(30, 7), Fraction(80, 9)]

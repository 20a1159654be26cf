"""Trying everything, tried itself: tiny portfolios whose best plan is found with a pencil."""

from decimal import Decimal
from fractions import Fraction

import pytest

from brute import best_by_enumeration, every_selection, is_plan
from building import plan, project, tables
from capalloc.allocation import Allocation, Choice, Payment
from capalloc.records import (
    Commitment,
    Contribution,
    Cost,
    Envelope,
    Indicator,
    Mode,
    Paid,
    PriceIndex,
    ProfileShare,
    Rule,
    Share,
    Source,
    Target,
)

HALF, THIRD = Fraction(1, 2), Fraction(1, 3)


def financed(*projects, rooms, **more):
    """Return tables whose envelopes are given as {(sources joined by +, period): amount}."""
    names = dict.fromkeys(name for joined, _ in rooms for name in joined.split("+"))
    envelopes = tuple(Envelope(source=tuple(s.split("+")), period=p, amount=room) for (s, p), room in rooms.items())
    return tables(*projects, sources=tuple(Source(id=name) for name in names), envelopes=envelopes, **more)


def by_year(*rooms, source="S"):
    """Return the rooms of one source from 2021 on."""
    return {(source, str(2021 + number)): room for number, room in enumerate(rooms)}


def paid_by_year(tabled):
    """Return what the best plan pays, by project and year, or ``None`` without a plan."""
    best = best_by_enumeration(tabled)
    if best is None:
        return None
    found = {}
    for payment in best[1].payments:
        found[payment.project, payment.year] = found.get((payment.project, payment.year), 0) + payment.amount
    return found


def flexible(cost, duration, **more):
    """Return a project F worth 10 that starts in 2021 and whose yearly amounts the plan decides."""
    more = {"latest_start": 2021, "value": Fraction(10)} | more
    return project("F", cost, duration=duration, profile="flexible", **more)


def test_flexible_years_follow_the_money():
    """A cost of 6 in three years of which each has its own room: 1, 4 and 1."""
    assert paid_by_year(financed(flexible(6, 3), rooms=by_year(1, 4, 1, 9))) == {
        ("F", 2021): 1,
        ("F", 2022): 4,
        ("F", 2023): 1,
    }
    assert paid_by_year(financed(flexible(6, 3), rooms=by_year(1, 3, 1, 9))) == {}


@pytest.mark.parametrize(
    ("limits", "rooms", "expected"),
    [
        # Half of 5 is 2 at least in a year, and 3 at most.
        ({"year_max": HALF}, (5, 5), [(2, 3), (3, 2)]),
        ({"year_max": HALF}, (2, 5), [(2, 3)]),
        ({"year_max": HALF}, (5, 1), []),
        ({"year_min": HALF}, (9, 2), [(3, 2)]),
        ({"year_min": HALF}, (9, 1), []),
        ({"year_min": Fraction(2, 5), "year_max": Fraction(3, 5)}, (9, 2), [(3, 2)]),
        ({}, (5, 0), [(5,)]),
    ],
)
def test_a_flexible_year_has_bounds(limits, rooms, expected):
    """A cost of 5 in two years: fractions of it are widened to whole amounts."""
    found = paid_by_year(financed(flexible(5, 2, **limits), rooms=by_year(*rooms, 0, 0)))
    assert tuple(found.values()) in (expected or [()])


def test_flexible_costs_are_moved_away_from_a_rule_that_counts_them():
    """A rule that 2021 costs at most 1, and a price of 1 on what costs in phase B: 1, 4 and 1 there, for 10 - 1."""
    rules = (
        Rule(id="first", measure="cost", period="2021", sense="<=", amount=Fraction(1)),
        Rule(id="tail", measure="tail", period="A", sense="<=", amount=Fraction(0), price=Fraction(1)),
    )
    tabled = financed(flexible(6, 3), rooms=by_year(9, 4, 9, 9), rules=rules)
    assert best_by_enumeration(tabled)[0] == 9
    assert paid_by_year(tabled) == {("F", 2021): 1, ("F", 2022): 4, ("F", 2023): 1}


def test_life_shares_of_a_flexible_project_count_all_years():
    """T pays at least half of 4 and has its money in 2022 only, S in 2021 only."""
    rooms = by_year(9, 0, 0, 0) | by_year(0, 2, 9, 9, source="T")
    rows = (Share(project="F", source=("T",), min=HALF),)
    assert paid_by_year(financed(flexible(4, 2), rooms=rooms, shares=rows)) == {("F", 2021): 2, ("F", 2022): 2}
    short = rooms | {("T", "2022"): 1}
    assert paid_by_year(financed(flexible(4, 2), rooms=short, shares=rows)) == {}


def test_a_mode_may_be_flexible_where_another_is_not():
    """Even years need 2 and 2, where 2021 has 1; the flexible mode is worth less and fits."""
    modes = (Mode(project="P", mode="even"), Mode(project="P", mode="free", profile="flexible", value=Fraction(3)))
    plain = project("P", 4, duration=2, value=Fraction(5), latest_start=2021)
    tabled = financed(plain, rooms=by_year(1, 9, 9, 9), modes=modes)
    value, allocation = best_by_enumeration(tabled)
    assert (value, allocation.choices) == (3, (Choice("P", "free", 2021),))


def test_flexible_payments_are_judged():
    """Whole cost, within the years and their bounds, and nothing else."""
    tabled = financed(flexible(4, 2, year_max=Fraction(3, 4)), rooms=by_year(9, 9, 9, 9))

    def holds(*amounts):
        return is_plan(tabled, plan(("F", 2021), paid=[("F", "S", 2021 + n, k) for n, k in enumerate(amounts)]))

    assert [holds(1, 3), holds(3, 1), holds(2, 2)] == [True] * 3
    assert [holds(4), holds(0, 4), holds(2, 1), holds(2, 3), holds(2, 1, 1), holds(5, -1)] == [False] * 6


def history(cost=None, *rows, **more):
    """Return one project H from 2020 on, worth 5, what S paid for it by year, and 2022 as the first open year."""
    given = {"earliest_start": 2020, "latest_start": 2020, "value": Fraction(5), "duration": 4} | more
    paid = tuple(Paid(project="H", source="S", year=year, amount=amount) for year, amount in rows)
    return {"projects": (project("H", cost, **given),), "paid": paid, "decide_from": 2022}


def planned(given, rooms, **more):
    """Return tables of a project with history."""
    return financed(*given["projects"], rooms=rooms, paid=given["paid"], decide_from=given["decide_from"], **more)


def test_what_is_left_is_spread_over_the_years_that_are_left():
    """Of 10 from 2020 to 2023, 3 were paid; 2022 and 2023 bear the other 7 evenly: 4, then 3."""
    tabled = planned(history(10, (2020, 1), (2021, 2)), by_year(2, 4, 3, 0))
    assert paid_by_year(tabled) == {("H", 2020): 1, ("H", 2021): 2, ("H", 2022): 4, ("H", 2023): 3}
    # What was paid in 2021 needs its room too, and what was paid before the horizon does not.
    assert paid_by_year(planned(history(10, (2020, 1), (2021, 2)), by_year(1, 4, 3, 0))) is None


def test_what_is_left_follows_the_profile():
    """A third of the total in 2022, a sixth in 2023: two thirds of the rest of 6, then one."""
    parts = enumerate((Fraction(1, 4), Fraction(1, 4), THIRD, Fraction(1, 6)))
    profiles = tuple(ProfileShare(profile="p", duration=4, offset=offset, share=share) for offset, share in parts)
    tabled = planned(history(8, (2019, 2), profile="p"), by_year(0, 9, 9, 9), profiles=profiles)
    assert paid_by_year(tabled) == {("H", 2019): 2, ("H", 2022): 4, ("H", 2023): 2}


def test_arrears_are_due_in_the_first_open_year():
    """Two years from 2020 on are over by 2022: all that is left is due then."""
    given = history(8, (2020, 5), duration=2)
    assert paid_by_year(planned(given, by_year(0, 3, 0, 0))) == {("H", 2020): 5, ("H", 2022): 3}
    assert paid_by_year(planned(given, by_year(9, 2, 9, 9))) is None


def test_explicit_costs_before_the_first_open_year_are_replaced_by_what_was_paid():
    """Planned were 4, 4, 4 from 2020 on; paid were 1 and 0, and 4 are still due in 2022."""
    costs = tuple(Cost(project="H", offset=offset, amount=4) for offset in range(3))
    tabled = planned(history(None, (2020, 1), (2021, 0)), by_year(0, 4, 0, 0), costs=costs)
    assert paid_by_year(tabled) == {("H", 2020): 1, ("H", 2022): 4}


def test_what_was_paid_is_never_indexed():
    """Of 6, 2 were paid; the other 4 cost 6 at prices of 2022."""
    index = tuple(PriceIndex(year=year, index=Fraction(3, 2)) for year in range(2021, 2028))
    tabled = planned(history(6, (2021, 2), duration=3), by_year(2, 9, 9, 9), price_index=index, prices="nominal")
    assert paid_by_year(tabled) == {("H", 2021): 2, ("H", 2022): 6}


def test_a_project_with_history_is_funded_in_its_mode_from_its_start():
    """Without any payment its status and its start make it so; the value of 2020 counts 1.1 at a rate of 10 %."""
    given = history(4, status="under_way")
    value, allocation = best_by_enumeration(planned(given, by_year(0, 9, 9, 9), discount_rate=Decimal("0.1")))
    assert (value, allocation.choices) == (Fraction("5.5"), (Choice("H", "", 2020),))
    modes = tuple(Mode(project="H", mode=mode, cost=cost) for mode, cost in (("a", 4), ("b", 2)))
    row = (Commitment(project="H", decision="in", mode="a", start=2021),)
    tabled = planned(history(4, (2021, 1)), by_year(9, 9, 9, 9), modes=modes, committed=row)
    assert [choices for _, choices in every_selection(tabled)] == [(Choice("H", "a", 2021),)]


def test_what_was_paid_for_a_stopped_project_counts_and_the_rest_is_saved():
    """H stands still after 3 of 10, which an envelope of 2 cannot have paid and one of 3 can."""
    row = (Commitment(project="H", decision="out"),)
    given = history(10, (2021, 3))
    assert best_by_enumeration(planned(given, by_year(2, 0, 0, 0), committed=row)) is None
    value, allocation = best_by_enumeration(planned(given, by_year(3, 0, 0, 0), committed=row))
    assert (value, allocation.choices) == (0, ())
    assert allocation.payments == (Payment("H", "S", 2021, 3),)


def test_life_shares_count_what_was_paid_and_yearly_shares_do_not():
    """T pays at most half of 4 and has paid 2 of them already: S pays the rest, though T may pay half of each year."""
    paid = (Paid(project="H", source="T", year=2021, amount=2),)
    rows = (
        Share(project="H", source=("T",), max=HALF),
        Share(project="H", source=("T",), max=HALF, per="year"),
    )
    given = history(4, duration=3) | {"paid": paid}
    rooms = by_year(9, 9, 9, 9) | by_year(9, 9, 9, 9, source="T")
    _, allocation = best_by_enumeration(planned(given, rooms, shares=rows))
    assert allocation.payments == (Payment("H", "T", 2021, 2), Payment("H", "S", 2022, 2))


def test_a_share_of_nothing_bars_from_now_on():
    """T paid 2 of 4 and may not pay any more: S pays the rest; a quarter at most would be too late."""
    paid = (Paid(project="H", source="T", year=2021, amount=2),)
    given = history(4, duration=3) | {"paid": paid}
    rooms = by_year(9, 9, 9, 9) | by_year(9, 9, 9, 9, source="T")

    def best(most):
        return best_by_enumeration(planned(given, rooms, shares=(Share(project="H", source=("T",), max=most),)))

    assert best(Fraction(0))[1].payments == (Payment("H", "T", 2021, 2), Payment("H", "S", 2022, 2))
    assert best(Fraction(1, 4)) is None


def test_projects_without_history_start_when_it_is_open():
    """From 2022 on, though the window begins in 2021."""
    tabled = tables(project("P", 1, latest_start=2023, value=Fraction(1)), decide_from=2022)
    assert {choices[0].start for _, choices in every_selection(tabled) if choices} == {2022, 2023}


def test_history_is_judged():
    """What was paid stands in the plan as it was; another start or nothing at all is no plan."""
    tabled = planned(history(4, (2021, 1), duration=3), by_year(9, 9, 9, 9))
    right = [("H", "S", 2021, 1), ("H", "S", 2022, 3)]
    assert is_plan(tabled, plan(("H", 2020), paid=right))
    assert not is_plan(tabled, plan(("H", 2022), paid=right))
    assert not is_plan(tabled, plan(("H", 2020), paid=right[1:]))
    assert not is_plan(tabled, plan(("H", 2020), paid=[("H", "S", 2021, 2), ("H", "S", 2022, 2)]))
    assert not is_plan(tabled, plan(paid=right[:1]))


def programme(cost=None, least=HALF, **more):
    """Return a programme G worth 10 that starts in 2021."""
    more = {"latest_start": 2021, "value": Fraction(10)} | more
    return project("G", cost, kind="programme", min_scale=least, **more)


@pytest.mark.parametrize(("room", "scale"), [(7, 1), (6, Fraction(6, 7)), (4, Fraction(4, 7)), (3, None)])
def test_a_programme_takes_what_there_is_from_its_least_scale_on(room, scale):
    """Half of 7 is 4 at least; value and scale are exact."""
    value, allocation = best_by_enumeration(financed(programme(7), rooms={("S", "2021:2024"): room}))
    assert value == 10 * (scale or 0)
    assert allocation.choices == ((Choice("G", "", 2021, scale),) if scale else ())


def test_the_years_of_a_programme_are_rounded_in_sum():
    """2, 2, 1 at 3/5: 1.2, 2.4 and 3 in sum are 1, 2 and 3."""
    costs = tuple(Cost(project="G", offset=offset, amount=amount) for offset, amount in enumerate((2, 2, 1)))
    tabled = financed(programme(least=Fraction(1, 5)), rooms={("S", "2021:2024"): 3}, costs=costs)
    assert paid_by_year(tabled) == {("G", 2021): 1, ("G", 2022): 1, ("G", 2023): 1}


def test_the_shares_of_a_programme_are_those_of_its_part():
    """S pays at most a third: of 4 it is 2, which is widened, with 2 of T."""
    rooms = {("S", "2021:2024"): 9, ("T", "2021:2024"): 2}
    rows = (Share(project="G", source=("S",), max=THIRD),)
    value, _ = best_by_enumeration(financed(programme(5, least=Fraction(1, 5)), rooms=rooms, shares=rows))
    assert value == 10 * Fraction(4, 5)


def test_uses_and_contributions_of_a_programme_come_in_its_part():
    """A target of 2 out of 3 needs 4 of 6; the rule on value sees 10 × 5/6 at most."""
    more = {
        "indicators": (Indicator(id="km"),),
        "contributions": (Contribution(project="G", indicator="km", amount=Fraction(3)),),
        "targets": (Target(indicator="km", by_year=2024, at_least=Fraction(2)),),
        "rules": (Rule(id="r", measure="value", sense="<=", amount=Fraction(9)),),
    }
    tabled = tables(programme(6, least=Fraction(1, 6)), **more)
    found = sorted(choices[0].scale for _, choices in every_selection(tabled))
    assert found == [Fraction(4, 6), Fraction(5, 6)]


def test_a_programme_is_funded_or_not_where_projects_are_counted():
    """Half of it counts as one start."""
    rows = (Rule(id="r", measure="starts", sense="==", amount=Fraction(1)),)
    tabled = tables(programme(2), rules=rows)
    assert [choices[0].scale for _, choices in every_selection(tabled)] == [HALF, 1]


def test_scales_are_judged():
    """Whole amounts from the least on for programmes, and one for works."""
    tabled = tables(programme(4), project("P", 4, value=Fraction(1)))

    def holds(name, scale):
        return is_plan(tabled, Allocation((Choice(name, "", 2021, scale),), ()))

    assert [holds("G", Fraction(k, 4)) for k in range(1, 6)] == [False, True, True, True, False]
    assert not holds("G", Fraction(5, 8))
    assert [holds("P", scale) for scale in (HALF, 1)] == [False, True]

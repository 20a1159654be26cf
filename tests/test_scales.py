"""Programmes, as the verifier reads them: what is left of cost, value, uses and contributions at a scale."""

from fractions import Fraction

import pytest

from building import broken, plan, project, tables
from capalloc.allocation import Allocation, Choice, Payment
from capalloc.answer import Answer
from capalloc.audit import ProjectAudit
from capalloc.catalogue import speaking
from capalloc.model import SolveOptions, Status, StoppedBy
from capalloc.plan import Plan
from capalloc.records import (
    Capacity,
    Contribution,
    Cost,
    Dependency,
    Envelope,
    Indicator,
    Membership,
    Mode,
    PriceIndex,
    Resource,
    Rule,
    Share,
    Source,
    Synergy,
    Target,
    Use,
)
from capalloc.verification import verify

STATE, BANK = Source(id="state"), Source(id="bank", side="non_state")
THIRD, HALF = Fraction(1, 3), Fraction(1, 2)


def programme(cost=10, *, duration=2, least=THIRD, others=(), **more):
    """Return tables of a programme P worth 7, which costs 10 over two years unless told otherwise."""
    own = {name: more.pop(name) for name in ("priority", "price_year") if name in more}
    row = project("P", cost, kind="programme", duration=duration, min_scale=least, value=Fraction(7), **own)
    return tables(row, *others, **more)


def funded(amount, cost=10, *, start=2021, mode="", paid=()):
    """Return a plan that funds an amount of the cost of P."""
    choice = Choice("P", mode, start, Fraction(amount, cost))
    return Allocation((choice,), tuple(Payment("P", *payment) for payment in paid))


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        (3, [("broken-scale-least", 3, 4, 1)]),
        (4, []),  # a third of 10 is 3.33, so at least 4
        (7, []),
        (10, []),
    ],
)
def test_a_programme_is_funded_from_its_least_scale_to_the_whole(amount, expected):
    """In whole million."""
    assert broken(programme(), funded(amount)) == expected


def test_the_account_of_a_programme_is_what_is_funded():
    """7 of 10, and 7/10 of a value of 7; class weight 2 counts it twice."""
    audit = verify(programme(priority=1, objective={"class_weights": {1: 2}}), funded(7))
    share = Fraction(7, 10)
    assert audit.projects == (ProjectAudit("P", "", 2021, 2022, share, 7, 7 * share, 14 * share, 1),)
    assert audit.value == Fraction(49, 5)
    assert audit.classes[0].value == Fraction(49, 10)


def test_the_table_of_projects_shows_the_scale_and_what_is_funded():
    """7 of 10 million, and 49/10 of a value of 7."""
    given, allocation = programme(), funded(7)
    answer = Answer(
        Status.FEASIBLE, StoppedBy.PROOF, allocation, verify(given, allocation), 7.0, "highs", SolveOptions(), 0.0
    )
    row = Plan(given, answer).projects.loc[0]
    assert (row["scale"], row["cost"], row["value"], row["weighted_value"]) == (0.7, 7, 4.9, 4.9)


def test_a_value_is_rounded_to_the_grid_before_the_scale_and_not_after():
    """2/3 is 0.666667 on the grid, and a third of that is told exactly."""
    row = project("P", 3, kind="programme", min_scale=THIRD, value=Fraction(2, 3))
    assert verify(tables(row), funded(1, 3)).value == Fraction(666667, 3_000_000)


@pytest.mark.parametrize("scale", [0, -1, Fraction(-1, 2), Fraction(11, 10), 2, 0.5, True, "1", None, Fraction(10**40)])
def test_a_scale_is_an_exact_number_above_zero_and_up_to_one(scale):
    """Else the programme is shown whole."""
    audit = verify(programme(), Allocation((Choice("P", "", 2021, scale),), ()))
    assert [issue.code for issue in audit.violations] == ["broken-scale-range"]
    assert (audit.projects[0].cost, audit.projects[0].scale, audit.value) == (10, 1, 7)


def test_one_as_an_integer_is_a_scale():
    """The whole programme."""
    audit = verify(programme(), Allocation((Choice("P", "", 2021, 1),), ()))
    assert (audit.violations, audit.projects[0].cost) == ((), 10)


@pytest.mark.parametrize(
    ("scale", "near"),
    [
        (Fraction(1, 4), 4),  # 2.5 of 10: 3 would be below the least
        (Fraction(9, 20), 5),
        (Fraction(99, 100), 10),
        (Fraction(1, 10**5000), 4),
    ],
)
def test_what_is_funded_is_whole(scale, near):
    """The nearest amount above that is possible is named."""
    (issue,) = verify(programme(), Allocation((Choice("P", "", 2021, scale),), ())).violations
    assert (issue.code, issue.arguments["allowed"]) == ("broken-scale-part", near)
    assert issue.remedy.startswith(f"Fund P with a whole amount, such as {near} of 10 million VND")


def test_a_scale_that_is_too_small_is_told_in_money_and_percent():
    """With the place of its least scale, in both languages."""
    row = project("P", 12_345, kind="programme", min_scale=Fraction(1, 8), row=3)
    (issue,) = verify(tables(row), funded(1_000, 12_345)).violations
    assert (issue.where.file, issue.where.row, issue.where.column) == ("projects", 3, "min_scale")
    assert issue.message == (
        "Programme P is funded with 1,000 of 12,345 million VND, 544 below the least, 1,544 (12.5% of its cost)."
    )
    with speaking("vi"):
        assert issue.message == (
            "Chương trình P được bố trí 1.000 trong tổng mức 12.345 triệu đồng, "
            "thiếu 544 so với mức tối thiểu 1.544 (12,5% tổng mức)."
        )


def test_works_have_no_scale():
    """Half of a road is a violation, whatever its cost, and is shown whole."""
    audit = verify(tables(project("P", 10, min_scale=THIRD, value=Fraction(7))), funded(5))
    assert [issue.code for issue in audit.violations] == ["broken-scale"]
    assert (audit.projects[0].cost, audit.projects[0].scale, audit.value) == (10, 1, 7)


def pay(**amounts):
    """Return payments of the state by year, such as y2021=4."""
    return [("state", int(year[1:]), amount) for year, amount in amounts.items()]


@pytest.mark.parametrize(
    ("cost", "amount", "duration", "expected"),
    [
        (10, 7, 2, {"y2021": 4, "y2022": 3}),  # 3.5 by the end of the first rounds up
        (10, 5, 3, {"y2021": 2, "y2022": 2, "y2023": 1}),  # half of 3, 7 and 10: 1.5, 3.5 and 5
        (10, 4, 3, {"y2021": 1, "y2022": 2, "y2023": 1}),  # 1.2, 2.8 and 4
        (2, 1, 4, {"y2021": 1}),  # the whole pays 1 in 2021 and 1 in 2023: 0.5 and 1
    ],
)
def test_what_is_paid_by_the_end_of_each_year_is_the_scaled_part_rounded_half_up(cost, amount, duration, expected):
    """Of the whole units of the programme; one million elsewhere is a violation."""
    given = programme(cost, duration=duration, sources=(STATE,))
    assert broken(given, funded(amount, cost, paid=pay(**expected))) == []
    moved = {**expected, "y2021": expected["y2021"] - 1, "y2024": 1}
    codes = [code for code, *_ in broken(given, funded(amount, cost, paid=pay(**moved)))]
    assert codes == ["broken-cost-short", "broken-cost-over"]


def test_explicit_costs_and_the_prices_of_the_years_are_scaled_after_rounding():
    """6 and 4 at an index of 1.5 and 2 are 9 and 8; 6 of 17 are 3.18 by 2021, so 3 and 3."""
    given = programme(
        None,
        costs=(Cost(project="P", offset=0, amount=6), Cost(project="P", offset=1, amount=4)),
        prices="nominal",
        price_index=(PriceIndex(year=2021, index=Fraction(3, 2)), PriceIndex(year=2022, index=Fraction(2))),
        sources=(STATE,),
    )
    assert broken(given, funded(6, 17, paid=pay(y2021=3, y2022=3))) == []
    assert broken(given, funded(5, 17, paid=pay(y2021=3, y2022=2))) == [("broken-scale-least", 5, 6, 1)]


def test_the_rows_of_costs_may_stand_in_any_order():
    """6 and 4: half of them are 3 by 2021 and 5 by 2022."""
    rows = (Cost(project="P", offset=1, amount=4), Cost(project="P", offset=0, amount=6))
    given = programme(None, costs=rows, sources=(STATE,))
    assert broken(given, funded(5, paid=pay(y2021=3, y2022=2))) == []


def test_the_mode_says_what_the_whole_is():
    """A mode at 6 may be funded with 2, one at 9 with 3."""
    modes = (Mode(project="P", mode="a", cost=6), Mode(project="P", mode="b", cost=9))
    assert broken(programme(None, modes=modes), funded(2, 6, mode="a")) == []
    assert broken(programme(None, modes=modes), funded(2, 9, mode="b")) == [("broken-scale-least", 2, 3, 1)]


@pytest.mark.parametrize(
    ("bank", "expected"),
    [(1, [("broken-share-under", 1, 2, 1)]), (2, []), (3, []), (4, [("broken-share-over", 4, 3, 1)])],
)
def test_shares_are_of_what_is_funded(bank, expected):
    """A third of 7 is 2.33: whole units may be 2 or 3, where 10 would allow 4."""
    given = programme(
        duration=1, sources=(STATE, BANK), shares=(Share(project="P", source=("bank",), min=THIRD, max=THIRD),)
    )
    paid = [("bank", 2021, bank), ("state", 2021, 7 - bank)]
    assert broken(given, funded(7, paid=paid)) == expected


def test_shares_of_a_year_are_of_what_that_year_costs_at_the_scale():
    """4 and 3: half of 4 is 2, half of 3 is 1 or 2."""
    row = Share(project="P", source=("bank",), min=HALF, max=HALF, per="year")
    given = programme(sources=(STATE, BANK), shares=(row,))
    paid = [("bank", 2021, 2), ("state", 2021, 2), ("bank", 2022, 1), ("state", 2022, 2)]
    assert broken(given, funded(7, paid=paid)) == []
    paid = [("bank", 2021, 3), ("state", 2021, 1), ("bank", 2022, 0), ("state", 2022, 3)]
    assert broken(given, funded(7, paid=paid)) == [
        ("broken-share-over-year", 3, 2, 1),
        ("broken-share-under-year", 0, 1, 1),
    ]


def test_envelopes_hold_what_is_funded():
    """4 of 4 in 2021, though the whole would pay 5."""
    given = programme(sources=(STATE,), envelopes=(Envelope(source=("state",), period="2021", amount=4),))
    assert broken(given, funded(7, paid=pay(y2021=4, y2022=3))) == []


def test_uses_and_contributions_are_scaled_exactly():
    """7/10 of 2 hectares and of 5 kilometres; the baseline is not scaled."""
    given = programme(
        resources=(Resource(id="land"),),
        uses=(Use(project="P", resource="land", amount=Fraction(2)),),
        capacities=(Capacity(resource="land", period="A", amount=Fraction(1)),),
        indicators=(Indicator(id="km", baseline=Fraction(3)),),
        contributions=(Contribution(project="P", indicator="km", amount=Fraction(5)),),
        targets=(Target(indicator="km", by_year=2022, at_least=Fraction(7), price=Fraction(2)),),
    )
    audit = verify(given, funded(7))
    assert (audit.resources[0].used, audit.targets[0].reached) == (Fraction(7, 5), Fraction(13, 2))
    assert audit.value == 7 * Fraction(7, 10) - 2 * HALF
    assert broken(given, funded(7)) == [("broken-resource", Fraction(7, 5), 1, Fraction(2, 5))]
    assert broken(given, funded(5)) == []


@pytest.mark.parametrize(
    ("measure", "period", "expected"),
    [
        ("starts", "", 1),
        ("completions", "", 1),
        ("active", "", 1),
        ("cost", "", 7),
        ("cost", "2021", 4),
        ("tail", "2021", 3),
        ("paid", "2022", 3),
        ("value", "", Fraction(49, 10)),
        ("km", "", Fraction(7, 2)),
        ("land", "", Fraction(7, 5)),
    ],
)
def test_rules_measure_the_scale_and_count_the_programme_once(measure, period, expected):
    """7 of 10 in the years 2021 and 2022."""
    given = programme(
        sources=(STATE,),
        resources=(Resource(id="land"),),
        uses=(Use(project="P", resource="land", amount=Fraction(2)),),
        indicators=(Indicator(id="km", baseline=Fraction(3)),),
        contributions=(Contribution(project="P", indicator="km", amount=Fraction(5)),),
        rules=(Rule(id="r", measure=measure, period=period, amount=Fraction(99)),),
    )
    audit = verify(given, funded(7, paid=pay(y2021=4, y2022=3)))
    assert (audit.violations, audit.rules[0].used) == ((), expected)


def test_dependencies_groups_and_synergies_see_funded_or_not():
    """At 4 of 10 the programme is done, for all that waits for it."""
    given = programme(
        others=(project("Q", 1),),
        dependencies=(Dependency(kind="finish_start", first="P", then="Q"),),
        groups=tuple(Membership(group="g", project=name, kind="at_least", k=2) for name in "PQ"),
        synergies=(Synergy(id="s", projects=("P", "Q"), value=Fraction(5)),),
    )
    choices = (*funded(4).choices, Choice("Q", "", 2023))
    audit = verify(given, Allocation(choices, ()))
    assert (audit.violations, audit.synergies) == ((), 5)
    assert audit.value == 5 + 7 * Fraction(2, 5)


def test_a_programme_that_is_no_option_is_told_by_its_mode_or_year_alone():
    """Its scale is of a cost that is not known then."""
    assert broken(programme(), funded(1, mode="x")) == [("broken-unknown-mode", "x")]
    assert broken(programme(), plan(("P", 1999))) == [("broken-start-year", "1999")]

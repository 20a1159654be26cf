"""Rules, targets, synergies and classes: what each measures in a plan made by hand, and where it begins to bind."""

from fractions import Fraction

import pytest

from building import broken, plan, project, tables
from capalloc.audit import ClassAudit, RuleAudit, TargetAudit
from capalloc.catalogue import speaking
from capalloc.records import (
    Benefit,
    Contribution,
    Cost,
    Envelope,
    Indicator,
    Mode,
    Priority,
    Resource,
    Rule,
    Source,
    Synergy,
    Target,
    Use,
)
from capalloc.verification import verify

HALF, THIRD = Fraction(1, 2), Fraction(1, 3)

# R: a road of two years, 4 in 2021, 3 in 2022 and 2 in 2023 after it is finished.
# S: a school of two years from 2022 to 2023, 5 and 6; T: a school of one year, 7 in 2024 and 8 in 2025.
COSTS = {"R": (4, 3, 2), "S": (5, 6), "T": (7, 8)}
CHOICES = (("R", 2021), ("S", 2022), ("T", 2024))


def town(*rules, projects=None, **more):
    """Return tables of a road and two schools with all that can be measured, and rules over them."""
    return tables(
        *(
            projects
            or (
                project("R", sector="road", duration=2, value=Fraction(10)),
                project("S", sector="school", duration=2, value=Fraction(20)),
                project("T", sector="school", value=Fraction(40)),
                project("U", sector="road", value=Fraction(80)),
            )
        ),
        costs=tuple(Cost(project=name, offset=k, amount=n) for name, row in COSTS.items() for k, n in enumerate(row)),
        indicators=(Indicator(id="pupils", baseline=Fraction(100)), Indicator(id="km")),
        contributions=(
            Contribution(project="R", indicator="km", amount=Fraction(5, 2)),
            Contribution(project="S", indicator="pupils", amount=Fraction(30)),
            Contribution(project="S", indicator="km", amount=THIRD),
            Contribution(project="T", indicator="pupils", amount=Fraction(-7)),
            Contribution(project="U", indicator="pupils", amount=Fraction(1000)),
        ),
        resources=(Resource(id="land"),),
        uses=(
            Use(project="R", resource="land", amount=HALF),
            Use(project="S", resource="land", offset=1, amount=Fraction(2)),
        ),
        rules=rules,
        may_run_over=True,
        **more,
    )


def rule(measure="starts", selection="", period="", sense="<=", amount=0, **more):
    """Return a row of `rules`."""
    return Rule(
        id="r", measure=measure, selection=selection, period=period, sense=sense, amount=Fraction(amount), **more
    )


def used(row, **more):
    """Return what a rule measures in the plan of all three."""
    return verify(town(row, **more), plan(*CHOICES)).rules[0].used


SCHOOLS = 'sector == "school"'


@pytest.mark.parametrize(
    ("measure", "selection", "period", "expected"),
    [
        ("starts", "", "", 3),
        ("starts", "", "A", 2),
        ("starts", "", "2022", 1),
        ("starts", SCHOOLS, "2021", 0),
        ("completions", "", "A", 1),
        ("completions", "", "B", 2),
        ("completions", SCHOOLS, "2023", 1),
        ("active", "", "2021", 1),
        ("active", "", "2022", 2),
        ("active", "", "2023", 1),
        ("active", "", "B", 2),
        ("active", "", "2021:2024", 3),  # each once
        ("cost", "", "", 4 + 3 + 2 + 5 + 6 + 7),  # 2025 is no year of the horizon
        ("cost", "", "2022", 3 + 5),
        ("cost", SCHOOLS, "A", 5),
        ("tail", "", "A", 2 + 6),
        ("tail", "", "2021", 3 + 2),  # S has not started
        ("tail", "", "B", 8),
        ("tail", "", "", 8),
        ("tail", SCHOOLS, "A", 6),
        ("value", "", "", 10 + 20 + 40),
        ("value", "", "A", 10 + 20),
        ("value", SCHOOLS, "2024", 40),
        ("indicator:pupils", "", "", 30 - 7),
        ("pupils", "", "2023", 30),
        (" km ", "", "B", THIRD),
        ("indicator: km", "", "A", Fraction(5, 2)),
        ("resource:land", "", "", HALF + 2),
        ("land", "", "2023", 2),
        ("land", 'sector == "road"', "2023", 0),
    ],
)
def test_what_a_rule_measures(measure, selection, period, expected):
    """Counted by hand from the years and costs above; U is not funded and never counts."""
    assert used(rule(measure, selection, period)) == expected


@pytest.mark.parametrize(("at", "expected"), [("start", 10 + 20), ("completion", 10)])
def test_a_value_is_measured_where_it_counts(at, expected):
    """S starts in phase A and finishes in phase B."""
    assert used(rule("value", period="A"), objective={"at": at}) == expected


def test_benefits_are_measured_at_the_start():
    """Whatever `at` says: the stream of S begins in 2022."""
    benefits = (Benefit(project="S", offset=0, amount=Fraction(6), from_="completion"),)
    objective = {"value_from": "benefits", "at": "completion"}
    assert used(rule("value", period="A"), objective=objective, benefits=benefits) == 6


def test_class_weights_do_not_change_the_measure_of_value():
    """10 counts as 10, though class 1 weighs 4."""
    row = rule("value")
    given = town(row, projects=(project("R", value=Fraction(10), priority=1),), objective={"class_weights": {1: 4}})
    audit = verify(given, plan(("R", 2021)))
    assert (audit.rules[0].used, audit.value) == (10, 40)


PAYING = {
    "sources": (Source(id="state"), Source(id="lot")),
    "envelopes": (
        Envelope(source=("state",), period="A", amount=10, reserve=HALF),
        Envelope(source=("state",), period="2023", amount=7),
        Envelope(source=("lot",), period="B", amount=100),
        Envelope(source=("state", "lot"), period="2021:2024", amount=1000),
    ),
}
PAID = [
    ("R", "state", 2021, 4),
    ("R", "state", 2022, 1),
    ("R", "lot", 2022, 2),
    ("R", "lot", 2023, 2),
    ("S", "state", 2022, 5),
    ("S", "lot", 2023, 6),
]


@pytest.mark.parametrize(
    ("measure", "selection", "period", "expected"),
    [
        ("paid", "", "", 20),
        ("paid:state", "", "", 10),
        ("paid: lot", "", "A", 2),
        ("paid:state+lot", SCHOOLS, "", 11),
        ("paid:lot", 'sector == "road"', "2023", 2),
        ("envelope:state", "", "", 17),  # the amounts, reserve and all
        ("envelope:state", "", "A", 10),
        ("envelope:state", "", "B", 7),
        ("envelope:state", "", "2021", 0),
        ("envelope:lot", "", "B", 100),
        ("envelope:lot + state", "", "", 1000),
        ("envelope:lot+state", "", "B", 0),
    ],
)
def test_what_a_rule_measures_in_money_paid_and_held(measure, selection, period, expected):
    """Payments of the named sources, and envelopes of exactly the named sources inside the period."""
    given = town(rule(measure, selection, period), **PAYING)
    assert verify(given, plan(("R", 2021), ("S", 2022), paid=PAID)).rules[0].used == expected


def test_only_payments_for_funded_projects_are_measured():
    """What is paid for S without funding it breaks another rule, and does not help this one."""
    audit = verify(town(rule("paid"), **PAYING), plan(("R", 2021), paid=PAID))
    assert audit.rules[0].used == 9
    assert "broken-payment-unfunded" in [issue.code for issue in audit.violations]


@pytest.mark.parametrize(
    ("sense", "amount", "expected"),
    [
        ("<=", 27, []),
        ("<=", 26, [("broken-rule-money", 27, 26, 1)]),
        (">=", 27, []),
        (">=", 28, [("broken-rule-money", 27, 28, 1)]),
        ("==", 27, []),
        ("==", 26, [("broken-rule-money", 27, 26, 1)]),
        ("==", 28, [("broken-rule-money", 27, 28, 1)]),
    ],
)
def test_a_hard_rule_is_broken_by_the_first_unit(sense, amount, expected):
    """The plan costs 27 in the horizon."""
    assert broken(town(rule("cost", sense=sense, amount=amount)), plan(*CHOICES)) == expected


def test_counts_are_told_without_money():
    """3 starts of at most 2."""
    assert broken(town(rule(amount=2)), plan(*CHOICES)) == [("broken-rule", 3, 2, 1)]


@pytest.mark.parametrize(
    ("share_of", "limit"),
    [
        ("cost", Fraction(27, 3)),  # all parts of the row: its selection and period too
        ("cost; True", Fraction(27, 3)),
        ("cost; ; A", Fraction(12, 3)),
        (" ; True ; 2022", Fraction(8, 3)),
        ("starts;;B", THIRD),
        ("envelope:lot; ; B", Fraction(100, 3)),
        ('cost; name == ";" or sector == "road"; A', Fraction(7, 3)),
    ],
)
def test_a_rule_may_be_held_against_a_share_of_another_measure(share_of, limit):
    """A third of it; what the cell leaves out is that of the row."""
    row = rule("cost", amount=THIRD, share_of=share_of, price=Fraction(0))
    assert verify(town(row, **PAYING), plan(*CHOICES)).rules[0].amount == limit


def test_a_share_takes_the_selection_and_the_period_of_its_row():
    """Schools cost 18 in the horizon and 13 in phase B."""
    row = rule("starts", SCHOOLS, "B", amount=HALF, share_of="cost", price=Fraction(0))
    assert verify(town(row), plan(*CHOICES)).rules[0].amount == Fraction(13, 2)


@pytest.mark.parametrize(("share", "expected"), [("2/3", []), ("17/27", [("broken-rule-money", 18, 17, 1)])])
def test_a_hard_share_is_exact(share, expected):
    """Schools cost 18 of 27: exactly two thirds."""
    row = rule("cost", SCHOOLS, amount=Fraction(share), share_of="cost; True")
    assert broken(town(row), plan(*CHOICES)) == expected


def test_a_rule_that_is_not_enabled_does_nothing():
    """It is neither broken nor in the account."""
    audit = verify(town(rule(amount=0, enabled=False)), plan(*CHOICES))
    assert (audit.violations, audit.rules) == ((), ())


@pytest.mark.parametrize(
    ("sense", "amount", "violation"),
    [("<=", 3, 0), ("<=", 2, 1), ("<=", 1, 2), (">=", 3, 0), (">=", 5, 2), ("==", 3, 0), ("==", 5, 2), ("==", 1, 2)],
)
def test_a_soft_rule_is_charged_for_every_unit(sense, amount, violation):
    """3 starts, at 1.5 a start too many or too few; the rule is not broken."""
    price = Fraction(3, 2)
    audit = verify(town(rule(sense=sense, amount=amount, price=price)), plan(*CHOICES))
    assert audit.violations == ()
    assert audit.rules == (
        RuleAudit("r", sense, Fraction(amount), Fraction(3), Fraction(violation), price, violation * price),
    )
    assert (audit.gross, audit.penalties, audit.value) == (70, violation * price, 70 - violation * price)


def test_a_penalty_is_neither_discounted_nor_weighed():
    """At 100 % a project of 2024 is worth an eighth, four times; the price stays 1."""
    row = rule(amount=0, price=Fraction(1), class_=1)
    given = town(
        row,
        projects=(project("T", value=Fraction(40), priority=1),),
        objective={"class_weights": {1: 4}},
        discount_rate=1,
    )
    audit = verify(given, plan(("T", 2024)))
    assert (audit.gross, audit.penalties, audit.value) == (20, 1, 19)


def test_a_price_of_nothing_is_still_a_price():
    """A rule at price 0 is watched and never broken."""
    audit = verify(town(rule(amount=0, price=Fraction(0))), plan(*CHOICES))
    assert (audit.violations, audit.penalties, audit.rules[0].violation) == ((), 0, 3)


@pytest.mark.parametrize(
    ("indicator", "year", "at_least", "expected"),
    [
        ("pupils", 2023, 130, []),
        ("pupils", 2023, 131, [("broken-target", 130, 131, 1)]),
        ("pupils", 2022, 100, []),  # the baseline alone: S is completed in 2023
        ("pupils", 2022, 101, [("broken-target", 100, 101, 1)]),
        ("pupils", 2024, 123, []),  # T takes 7 away
        ("pupils", 2024, 124, [("broken-target", 123, 124, 1)]),
        ("km", 2024, Fraction(17, 6), []),
    ],
)
def test_a_target_counts_what_is_completed_by_the_end_of_its_year(indicator, year, at_least, expected):
    """100 before the plan, 30 from S in 2023, −7 from T in 2024."""
    row = Target(indicator=indicator, by_year=year, at_least=Fraction(at_least))
    assert broken(town(targets=(row,)), plan(*CHOICES)) == expected


def test_a_target_with_a_price_is_charged_for_its_shortfall():
    """5 short at 2 each; the one that is reached costs nothing."""
    rows = (
        Target(indicator="pupils", by_year=2023, at_least=Fraction(135), price=Fraction(2)),
        Target(indicator="pupils", by_year=2021, at_least=Fraction(90), price=Fraction(2)),
    )
    audit = verify(town(targets=rows), plan(*CHOICES))
    two = Fraction(2)
    assert audit.targets == (
        TargetAudit("pupils", 2023, Fraction(135), Fraction(130), Fraction(5), two, Fraction(10)),
        TargetAudit("pupils", 2021, Fraction(90), Fraction(100), Fraction(0), two, Fraction(0)),
    )
    assert (audit.violations, audit.penalties, audit.value) == ((), 10, 60)


def test_contributions_are_those_of_the_mode():
    """The large road brings 9 km, the small one 1."""
    given = tables(
        project("P"),
        modes=(Mode(project="P", mode="small", cost=1), Mode(project="P", mode="large", cost=1)),
        indicators=(Indicator(id="km"),),
        contributions=(
            Contribution(project="P", mode="small", indicator="km", amount=Fraction(1)),
            Contribution(project="P", mode="large", indicator="km", amount=Fraction(9)),
        ),
        targets=(Target(indicator="km", by_year=2024, at_least=Fraction(9)),),
    )
    assert broken(given, plan(("P", 2021, "large"))) == []
    assert broken(given, plan(("P", 2021, "small"))) == [("broken-target", 1, 9, 8)]


@pytest.mark.parametrize(("names", "expected"), [("RST", 70 + 5), ("RS", 30), ("T", 40), ("", 0)])
def test_a_synergy_counts_once_all_its_projects_are_funded(names, expected):
    """5 for all three together, in whatever years; −2 for U and R never counts."""
    synergies = (
        Synergy(id="x", projects=("T", "R", "S"), value=Fraction(5)),
        Synergy(id="y", projects=("R", "U"), value=Fraction(-2)),
    )
    chosen = [choice for choice in CHOICES if choice[0] in names]
    audit = verify(town(synergies=synergies), plan(*chosen))
    assert audit.value == expected
    assert audit.synergies == expected - audit.gross


def test_a_synergy_may_take_value_away():
    """Two projects that serve the same people: undiscounted and unweighted."""
    given = tables(
        project("P", 1, value=Fraction(8), priority=1),
        project("Q", 1, value=Fraction(8), priority=1),
        synergies=(Synergy(id="x", projects=("P", "Q"), value=Fraction(-3)),),
        discount_rate=1,
        objective={"class_weights": {1: 2}},
    )
    assert verify(given, plan(("P", 2022), ("Q", 2022))).value == 2 * 4 + 2 * 4 - 3


CLASSED = (
    project("P", 1, value=Fraction(5), priority=1),
    project("Q", 1, value=Fraction(7), priority=2),
    project("R", 1, value=Fraction(9), priority=3),
)


def test_classes_add_up_their_own():
    """What names no class belongs to the last: the synergy of 100 and the target; the others to the class they name."""
    given = tables(
        *CLASSED,
        synergies=(
            Synergy(id="x", projects=("P", "Q"), value=Fraction(100)),
            Synergy(id="y", projects=("P", "Q"), value=Fraction(10), class_=1),
        ),
        rules=(
            Rule(id="a", measure="starts", sense=">=", amount=Fraction(3), price=Fraction(1), class_=2),
            Rule(id="b", measure="starts", sense=">=", amount=Fraction(4), price=Fraction(1, 2)),
        ),
        indicators=(Indicator(id="km"),),
        targets=(Target(indicator="km", by_year=2024, at_least=Fraction(1), price=Fraction(4)),),
        objective={"class_weights": {1: 3, 2: 2, 3: 1}},
    )
    audit = verify(given, plan(("P", 2021), ("Q", 2021)))
    assert audit.classes == (
        ClassAudit(1, Fraction(5 + 10)),
        ClassAudit(2, Fraction(7 - 1)),
        ClassAudit(3, Fraction(100 - 1 - 4)),
    )
    assert (audit.gross, audit.synergies, audit.penalties) == (3 * 5 + 2 * 7, 110, 6)
    assert audit.value == 29 + 110 - 6


def test_where_classes_are_ordered_the_value_is_that_of_the_last():
    """Weights do not count; the gross value is the sum of all."""
    given = tables(*CLASSED, objective={"goal": "lexicographic", "class_weights": {1: 100, 2: 10, 3: 1}})
    audit = verify(given, plan(("P", 2021), ("R", 2021)))
    assert [account.value for account in audit.classes] == [5, 0, 9]
    assert (audit.value, audit.gross) == (9, 14)


def test_a_class_that_only_a_synergy_names_comes_last_too():
    """Class 9 has the synergy, and what belongs to no class."""
    given = tables(
        *CLASSED,
        synergies=(Synergy(id="x", projects=("P", "Q"), value=Fraction(2), class_=9),),
        rules=(Rule(id="a", measure="starts", amount=Fraction(0), price=Fraction(1)),),
    )
    audit = verify(given, plan(("P", 2021), ("Q", 2021)))
    assert [(account.class_, account.value) for account in audit.classes] == [(1, 5), (2, 7), (3, 0), (9, 0)]


def test_without_classes_there_are_none():
    """A portfolio without priorities has no classes to account for."""
    assert verify(tables(project("P", 1)), plan(("P", 2021))).classes == ()


@pytest.mark.parametrize(
    ("start", "mode", "class_", "value"),
    [(2021, "a", 1, 100), (2022, "b", 2, 10), (2023, "a", 3, 1), (2024, "b", 3, 1)],
)
def test_the_class_follows_the_phase_of_the_start(start, mode, class_, value):
    """In phase A mode a is of class 1 and any other of class 2; in phase B the project's own priority holds."""
    given = tables(
        project("P", 1, value=Fraction(1), priority=3),
        modes=(Mode(project="P", mode="a"), Mode(project="P", mode="b")),
        priorities=(
            Priority(project="P", phase="A", class_=2),
            Priority(project="P", mode="a", phase="A", class_=1),
            Priority(project="Q", phase="B", class_=1),
        ),
        objective={"class_weights": {1: 100, 2: 10, 3: 1}},
    )
    audit = verify(given, plan(("P", start, mode)))
    assert (audit.projects[0].class_, audit.value) == (class_, value)


def test_the_texts_of_rules_and_targets():
    """They name the rule with what it measures, and where it stands."""
    rows = (
        Rule(id="floor", measure="cost", selection=SCHOOLS, period="A", sense=">=", amount=Fraction(1500), row=4),
        Rule(id="few", measure="starts", sense="<=", amount=Fraction(2)),
    )
    target = Target(indicator="pupils", by_year=2023, at_least=Fraction(1200, 7))
    floor, few, short = verify(town(*rows, targets=(target,)), plan(*CHOICES)).violations
    assert floor.message == (
        'Rule floor asks for cost · sector == "school" · A ≥ 1,500 million VND; the plan has 5, 1,495 off.'
    )
    assert (floor.where.row, floor.where.column) == (4, "amount")
    assert few.message == "Rule few asks for starts ≤ 2; the plan has 3, 1 off."
    assert short.message == (
        "Indicator pupils reaches 130 by the end of 2023, 41.428571 short of its target of 171.428571."
    )
    with speaking("vi"):
        assert few.message == "Quy tắc few yêu cầu starts ≤ 2; kế hoạch có 3, lệch 1."
        assert floor.message.endswith("≥ 1.500 triệu đồng; kế hoạch có 5, lệch 1.495.")
        assert short.message.startswith("Đến hết năm 2023, chỉ tiêu pupils đạt 130,")


def test_a_measure_that_is_none_is_no_rule_to_verify():
    """Checked tables have none; a name of two things or of nothing is not guessed at."""
    with pytest.raises(ValueError, match="no measure 'hospitals'"):
        verify(town(rule("hospitals")), plan())

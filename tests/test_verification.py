"""The rules of choice: each with a plan that just keeps it and one that just misses it; and any plan at all."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brute import (
    accepts,
    best_by_enumeration,
    best_lexicographic,
    differences,
    payments_of,
    rules_of_money,
    settles,
    ways_of,
    worth,
)
from brute_money import Room
from building import broken, plan, project, tables
from capalloc.allocation import Allocation, Choice, Payment
from capalloc.audit import ProjectAudit, ResourceAudit
from capalloc.catalogue import speaking
from capalloc.issues import Severity
from capalloc.records import (
    Capacity,
    Commitment,
    Cost,
    Dependency,
    Membership,
    Mode,
    Resource,
    Use,
)
from capalloc.verification import verify
from strategies import absurd_allocations, carrying_portfolios, cases, choices_of, payments_for, portfolios

MONEY = ("payment", "cost", "payer", "share", "envelope", "carry", "paid", "spread")


def test_the_account_lists_what_is_funded_and_adds_up_the_objective():
    """In the order of the tables: 3 × 1.5 for class 2, and 2 a year later at 10 % and class weight 4 for class 1."""
    tabled = tables(
        project("P", 7, duration=2, value=Fraction("2.2"), priority=1),
        project("Q", 5, value=Fraction(1), priority=1),
        project("R", 4, value=Fraction(3), priority=2),
        objective={"class_weights": {1: 4, 2: Decimal("1.5")}},
        discount_rate=Decimal("0.1"),
    )
    audit = verify(tabled, plan(("R", 2021), ("P", 2022)))
    assert audit.violations == ()
    assert audit.projects == (
        ProjectAudit("P", "", 2022, 2023, Fraction(1), 7, Fraction(2), Fraction(8), 1),
        ProjectAudit("R", "", 2021, 2021, Fraction(1), 4, Fraction(3), Fraction(9, 2), 2),
    )
    assert audit.value == 4 * 2 + Fraction("1.5") * 3


def test_without_class_weights_every_value_counts_once():
    """A priority alone changes nothing."""
    audit = verify(
        tables(project("P", 1, value=Fraction(5), priority=2), project("Q", 1, value=Fraction(2))), plan(("P", 2021))
    )
    assert audit.value == 5


def test_an_empty_plan_of_free_projects_breaks_nothing():
    """Nothing is funded, nothing is worth anything."""
    audit = verify(tables(project("P", 1, value=Fraction(1))), plan())
    assert (audit.value, audit.projects, audit.violations) == (0, (), ())


@pytest.mark.parametrize(
    ("choices", "expected"),
    [
        ([("P", 2021), ("P", 2022)], [("broken-chosen-twice",)]),
        ([("P", 2025), ("P", 2022)], [("broken-start-year", "2025"), ("broken-chosen-twice",)]),
        ([("X", 2021)], [("broken-unknown-project",)]),
        ([(None, 2021)], [("broken-unknown-project",)]),
        ([("P", 2021, "a")], [("broken-unknown-mode", "a")]),
        ([("M", 2021, "")], [("broken-unknown-mode", "")]),
        ([("M", 2021, "a")], []),
        ([("P", 2020)], [("broken-start-year", "2020")]),
        ([("P", 2025)], [("broken-start-year", "2025")]),
        ([("P", 2021.0)], [("broken-start-year", "2021.0")]),
        ([("M", None, 7)], [("broken-unknown-mode", "7"), ("broken-start-year", "None")]),
    ],
)
def test_a_choice_names_one_option_of_the_tables(choices, expected):
    """A known project, once, one of its modes and a year of the horizon."""
    tabled = tables(project("P", 1), project("M"), modes=(Mode(project="M", mode="a", cost=1),))
    assert broken(tabled, plan(*choices)) == expected


def test_a_project_that_is_decided_to_be_out_is_funded_by_no_option_whatever():
    """Not by one of its own, and not by one that the tables do not have."""
    tabled = tables(project("P", 1), committed=(Commitment(project="P", decision="out"),))
    assert broken(tabled, plan(("P", 2021))) == [("broken-out",)]
    assert broken(tabled, plan(("P", 2025))) == [("broken-start-year", "2025"), ("broken-out",)]


def test_what_is_no_option_is_left_out_of_the_account():
    """The project counts as funded for the other rules, but has neither years nor value."""
    tabled = tables(project("P", 1, mandatory=True, value=Fraction(5)))
    audit = verify(tabled, plan(("P", 1900)))
    assert (audit.projects, audit.value, len(audit.violations)) == ((), 0, 1)


@pytest.mark.parametrize("scale", [Fraction(1, 2), 0, 2, -1])
def test_works_are_done_whole(scale):
    """A part of a project is a violation, and the account shows the whole."""
    audit = verify(tables(project("P", 8)), Allocation((Choice("P", "", 2021, scale),), ()))
    assert [issue.code for issue in audit.violations] == ["broken-scale"]
    assert audit.projects[0].cost == 8


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (2021, [("broken-start-early", 2021, 2022, 1)]),
        (2022, []),
        (2023, []),
        (2024, [("broken-start-late", 2024, 2023, 1)]),
    ],
)
def test_a_project_starts_in_its_window(start, expected):
    """From 2022 to 2023, both included."""
    tabled = tables(project("P", 1, earliest_start=2022, latest_start=2023))
    assert broken(tabled, plan(("P", start))) == expected


@pytest.mark.parametrize(
    ("name", "start", "expected"),
    [
        ("work", 2022, []),
        ("work", 2023, [("broken-run-over", 2025, 2024, 1)]),
        ("payment", 2023, []),
        ("payment", 2024, [("broken-run-over", 2025, 2024, 1)]),
        ("unpaid", 2024, []),  # a cost of 0 after the last year is no payment
    ],
)
def test_work_and_payment_end_by_the_last_year(name, start, expected):
    """Three years of work, one year paid over two, or one year with an empty second payment."""
    rows = [("payment", 0, 1), ("payment", 1, 1), ("unpaid", 0, 1), ("unpaid", 1, 0)]
    costs = tuple(Cost(project=p, offset=offset, amount=amount) for p, offset, amount in rows)
    projects = (project("work", 3, duration=3), project("payment"), project("unpaid"))
    assert broken(tables(*projects, costs=costs), plan((name, start))) == expected
    assert broken(tables(*projects, costs=costs, may_run_over=True), plan((name, start))) == []


@pytest.mark.parametrize(
    ("name", "start", "expected"),
    [
        ("work", 2021, []),
        ("work", 2022, [("broken-phase", 2023)]),
        ("work", 2023, []),
        ("work", 2024, [("broken-phase", 2025)]),
        ("payment", 2021, []),
        ("payment", 2022, [("broken-phase", 2023)]),
        ("short", 2022, []),
    ],
)
def test_work_and_payment_end_in_the_phase_of_the_start(name, start, expected):
    """Two years of work, or one year paid over two; the last phase ends with the horizon."""
    costs = tuple(Cost(project="payment", offset=offset, amount=1) for offset in (0, 1))
    projects = (project("work", 2, duration=2), project("payment"), project("short", 1))
    barred = tables(*projects, costs=costs, may_cross_phase=False, may_run_over=True)
    assert broken(barred, plan((name, start))) == expected
    free = tables(*projects, costs=costs, may_run_over=True)
    assert broken(free, plan((name, start))) == []


def test_without_phases_there_is_no_border_to_cross():
    """The setting alone bars nothing."""
    tabled = tables(project("P", 4, duration=4), phases=(), may_cross_phase=False)
    assert broken(tabled, plan(("P", 2021))) == []


def test_mandatory_projects_are_funded():
    """Leaving one out is a violation that names it."""
    tabled = tables(project("P", 1, mandatory=True), project("Q", 1))
    assert broken(tabled, plan(("P", 2024))) == []
    assert broken(tabled, plan(("Q", 2021))) == [("broken-mandatory",)]


@pytest.mark.parametrize(
    ("row", "choices", "expected"),
    [
        ({"decision": "in"}, [("P", 2024, "b")], []),
        ({"decision": "in"}, [], [("broken-in",)]),
        ({"decision": "in", "mode": "a", "start": 2022}, [("P", 2022, "a")], []),
        ({"decision": "in", "mode": "a"}, [("P", 2022, "b")], [("broken-in-mode", "b", "a")]),
        ({"decision": "in", "start": 2022}, [("P", 2024, "b")], [("broken-in-start", 2024, 2022, 2)]),
        ({"decision": "in", "start": 2022}, [("P", 2021, "b")], [("broken-in-start", 2021, 2022, 1)]),
        ({"decision": "in", "mode": "a", "start": 2022}, [], [("broken-in",)]),
        ({"decision": "out"}, [], []),
        ({"decision": "out", "mode": "b", "start": 2022}, [("P", 2021, "a")], [("broken-out",)]),
        ({"decision": "out"}, [("P", 2021, "a")], [("broken-out",)]),
    ],
)
def test_commitments_are_kept(row, choices, expected):
    """In as decided, in the mode and the year decided if any; or out."""
    modes = tuple(Mode(project="P", mode=mode, cost=1) for mode in "ab")
    tabled = tables(project("P"), modes=modes, committed=(Commitment(project="P", **row),))
    assert broken(tabled, plan(*choices)) == expected


BOTH, FIRST, THEN = [("F", 2021), ("T", 2024)], [("F", 2021)], [("T", 2024)]


@pytest.mark.parametrize(
    ("kind", "lag", "choices", "expected"),
    [
        ("requires", 0, BOTH, []),
        ("requires", 0, FIRST, []),
        ("requires", 0, THEN, [("broken-requires",)]),
        ("requires", 0, [("F", 2023), ("T", 2021)], []),
        ("together", 0, BOTH, []),
        ("together", 0, [], []),
        ("together", 0, FIRST, [("broken-together",)]),
        ("together", 0, THEN, [("broken-together",)]),
        ("excludes", 0, FIRST, []),
        ("excludes", 0, THEN, []),
        ("excludes", 0, BOTH, [("broken-excludes",)]),
        ("finish_start", 0, [("F", 2021), ("T", 2023)], []),
        ("finish_start", 0, [("F", 2021), ("T", 2022)], [("broken-order", 2022, 2023, 1)]),
        ("finish_start", 1, BOTH, []),
        ("finish_start", 1, [("F", 2021), ("T", 2023)], [("broken-order", 2023, 2024, 1)]),
        ("finish_start", 0, FIRST, []),
        ("finish_start", 0, THEN, [("broken-requires",)]),
        ("start_start", 0, [("F", 2022), ("T", 2022)], []),
        ("start_start", 0, [("F", 2022), ("T", 2021)], [("broken-order", 2021, 2022, 1)]),
        ("start_start", 2, [("F", 2022), ("T", 2024)], []),
        ("start_start", 2, [("F", 2022), ("T", 2023)], [("broken-order", 2023, 2024, 1)]),
        ("start_start", 0, THEN, [("broken-requires",)]),
    ],
)
def test_dependencies_are_kept(kind, lag, choices, expected):
    """F takes two years, T one."""
    row = Dependency(kind=kind, first="F", then="T", lag=lag)
    tabled = tables(project("T", 1), project("F", 2, duration=2), dependencies=(row,))
    assert broken(tabled, plan(*choices)) == expected


@pytest.mark.parametrize(
    ("kind", "k", "wrong"),
    [
        ("one_of", None, {2: ("broken-group-over", 2, 1, 1), 3: ("broken-group-over", 3, 1, 2)}),
        (
            "exactly_one_of",
            None,
            {
                0: ("broken-group-under", 0, 1, 1),
                2: ("broken-group-over", 2, 1, 1),
                3: ("broken-group-over", 3, 1, 2),
            },
        ),
        ("at_least", 2, {0: ("broken-group-under", 0, 2, 2), 1: ("broken-group-under", 1, 2, 1)}),
        ("at_most", 2, {3: ("broken-group-over", 3, 2, 1)}),
        ("at_most", 0, {count: ("broken-group-over", count, 0, count) for count in (1, 2, 3)}),
    ],
)
def test_groups_are_kept(kind, k, wrong):
    """Of three members, none to three are funded; a project outside the group does not count."""
    tabled = tables(
        *(project(name, 1) for name in "ABCX"),
        groups=tuple(Membership(group="g", project=name, kind=kind, k=k) for name in "ABC"),
    )
    for count in range(4):
        choices = [(name, 2021) for name in "X" + "ABC"[:count]]
        assert broken(tabled, plan(*choices)) == ([wrong[count]] if count in wrong else [])


def test_resources_are_used_within_capacity():
    """Two thirds in 2021 and in 2022 from P, one sixth in 2022 from Q: 3/2 fits in phase A, 5/6 not in 4/5 of 2022."""
    tabled = tables(
        project("P", 1),
        project("Q", 1),
        resources=(Resource(id="land"),),
        uses=(
            Use(project="P", resource="land", offset=0, amount=Fraction(2, 3)),
            Use(project="P", resource="land", offset=1, amount=Fraction(2, 3)),
            Use(project="Q", resource="land", offset=0, amount=Fraction(1, 6)),
        ),
        capacities=(
            Capacity(resource="land", period="A", amount=Fraction(3, 2)),
            Capacity(resource="land", period="2022", amount=Fraction(4, 5)),
            Capacity(resource="land", period="2024", amount=Fraction(2, 3)),
        ),
    )
    audit = verify(tabled, plan(("P", 2021), ("Q", 2022)))
    assert audit.resources == (
        ResourceAudit("land", "A", Fraction(3, 2), Fraction(3, 2)),
        ResourceAudit("land", "2022", Fraction(4, 5), Fraction(5, 6)),
        ResourceAudit("land", "2024", Fraction(2, 3), Fraction(0)),
    )
    assert broken(tabled, plan(("P", 2021), ("Q", 2022))) == [
        ("broken-resource", Fraction(5, 6), Fraction(4, 5), Fraction(1, 30))
    ]
    assert broken(tabled, plan(("P", 2021), ("Q", 2021))) == []
    assert broken(tabled, plan(("P", 2024))) == []  # what is used in 2025 is outside


def test_everything_that_is_broken_is_told_at_once_and_with_its_place():
    """A plan of several faults gets them all, each with its row; the texts are whole in both languages."""
    row = Dependency(kind="requires", first="P", then="Q", row=4)
    tabled = tables(project("P", 1, mandatory=True, row=2), project("Q", 1), dependencies=(row,))
    issues = verify(tabled, plan(("Q", 2021), ("X", 2021))).violations
    assert [issue.code for issue in issues] == ["broken-unknown-project", "broken-mandatory", "broken-requires"]
    assert [issue.where.row for issue in issues] == [None, 2, 4]
    assert all(issue.severity is Severity.ERROR for issue in issues)
    assert issues[1].message == "Project P is mandatory, but the plan does not fund it."
    assert issues[2].remedy == "Fund P too, or drop Q."
    with speaking("vi"):
        assert issues[2].remedy == "Bố trí vốn cho cả P, hoặc đưa Q ra khỏi kế hoạch."


def test_the_texts_name_what_may_be_chosen_instead():
    """The members of a group that are still out, and the modes of a project, a dash where it has none."""
    tabled = tables(
        *(project(name, 1) for name in "ABC"),
        groups=tuple(Membership(group="g", project=name, kind="at_least", k=2) for name in "ABC"),
    )
    mode, group = verify(tabled, plan(("B", 2021, "wide"))).violations
    assert mode.message == "Project B has no mode 'wide'. It has: —."
    assert group.remedy == "Fund 1 more of A, C, or change k or kind of the group."


@given(portfolios(), absurd_allocations)
def test_no_plan_is_too_absurd_to_be_judged(tabled, allocation):
    """Whatever a plan holds, it gets its account, and every violation has its texts in both languages."""
    audit = verify(tabled, allocation)
    for lang in ("en", "vi"):
        with speaking(lang):
            assert all(issue.message and issue.remedy for issue in audit.violations)


@cases(300)
@given(portfolios() | carrying_portfolios())
def test_the_best_plan_by_enumeration_breaks_nothing(tabled):
    """Two readings of the tables that share no code agree on the rules, on the value and on that of each class."""
    best = best_by_enumeration(tabled)
    if best is not None:
        value, allocation = best
        audit = verify(tabled, allocation)
        assert audit.violations == ()
        assert audit.value == value
        if tabled.settings.objective.goal == "lexicographic":
            assert [account.value for account in audit.classes] == best_lexicographic(tabled)
        else:
            assert audit.value == audit.gross + audit.synergies - audit.penalties


@cases(400)
@given(st.data())
def test_both_readings_count_the_same(data):
    """Any choices, paid in any way: costs, values, classes, rooms, every rule and target, and what all is worth."""
    tabled = data.draw(portfolios())
    choices = data.draw(choices_of(tabled, right=True))
    paid = data.draw(payments_for(tabled, choices))
    payments = tuple(Payment(project, source, year, amount) for (project, year, source), amount in paid.items())
    audit = verify(tabled, Allocation(choices, payments))
    found = [(row.project, row.finish, row.cost, row.value, row.class_, row.scale) for row in audit.projects]
    ways = ways_of(tabled, choices)
    costs = [way.flexible[0] if way.flexible else sum(way.costs.values()) for way in ways]
    expected = [(w.project.id, w.finish, cost, w.worth, w.class_, w.scale) for w, cost in zip(ways, costs, strict=True)]
    assert found == expected
    assert [row.room for row in audit.envelopes] == [Room(tabled, row, []).room for row in tabled.envelopes]
    missed = [row.used - row.amount for row in audit.rules] + [row.reached - row.at_least for row in audit.targets]
    assert missed == differences(tabled, choices, paid)
    ordered = tabled.settings.objective.goal == "lexicographic"
    values = [account.value for account in audit.classes] if ordered else [audit.value]
    assert values == list(worth(tabled, choices, paid))


def about_money(tabled, choices, issue):
    """Whether a violation is one of payments, not of choices alone."""
    if issue.code.startswith("broken-rule"):
        return issue.arguments["rule"] in rules_of_money(tabled, choices)
    return issue.code.removeprefix("broken-").startswith(MONEY)


@cases(200)
@given(st.data())
def test_both_readings_accept_the_same_choices(data):
    """Any choices break a rule other than those of money exactly when the enumeration refuses them."""
    tabled = data.draw(portfolios())
    choices = data.draw(choices_of(tabled))
    violations = verify(tabled, Allocation(choices, ())).violations
    found = [issue.code for issue in violations if not about_money(tabled, choices, issue)]
    assert (found == []) == accepts(tabled, choices), found


@cases(200)
@given(st.data())
def test_both_readings_accept_the_same_payments(data):
    """Payments as the enumeration found them, or with some millions moved to another source, year or project."""
    tabled = data.draw(portfolios(with_sources=True) | carrying_portfolios())
    choices = data.draw(choices_of(tabled, right=True))
    found = {(p.project, p.year, p.source): p.amount for p in payments_of(tabled, choices) or ()}
    sources = [source.id for source in tabled.sources]
    moves = data.draw(st.lists(st.integers(0, 3), max_size=2)) if found else []
    for amount in moves:
        payer, receiver = (data.draw(st.sampled_from(sorted(found))) for _ in range(2))
        receiver = data.draw(st.sampled_from([receiver, *((*payer[:2], source) for source in sources)]))
        found[payer] -= amount
        found[receiver] = found.get(receiver, 0) + amount
    payments = tuple(Payment(project, source, year, amount) for (project, year, source), amount in found.items())
    violations = verify(tabled, Allocation(choices, payments)).violations
    broken_rules = [issue.code for issue in violations if about_money(tabled, choices, issue)]
    assert (broken_rules == []) == settles(tabled, choices, found), broken_rules

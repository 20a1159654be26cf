"""Projects that were begun before the plan, as the verifier reads them; every figure is worked out by hand."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from building import broken, plan, project, tables
from capalloc.audit import EnvelopeAudit
from capalloc.catalogue import speaking
from capalloc.checks.past import Past, histories
from capalloc.records import (
    Capacity,
    Commitment,
    Cost,
    Dependency,
    Envelope,
    Membership,
    Mode,
    Paid,
    PriceIndex,
    Priority,
    ProfileShare,
    Resource,
    Rule,
    Share,
    Source,
    Synergy,
    Use,
)
from capalloc.recount import Recount
from capalloc.verification import verify

STATE, BANK = Source(id="state"), Source(id="bank", side="non_state")

# P costs 10 over four years from 2020; the state paid 1 in 2020 and the bank 2 in 2021; the plan decides from 2022 on.
PAID = (("P", "state", 2020, 1), ("P", "bank", 2021, 2))
AHEAD = (("P", "state", 2022, 4), ("P", "state", 2023, 3))


def begun(cost=10, *, duration=4, start=2020, paid=PAID, others=(), **more):
    """Return tables in which P was begun in 2020 and the plan decides from 2022 on."""
    own = {name: more.pop(name) for name in ("profile", "price_year", "value", "priority", "mandatory") if name in more}
    status = more.pop("status", "under_way")
    return tables(
        project("P", cost, duration=duration, earliest_start=start, latest_start=start, status=status, **own),
        *others,
        **{
            "sources": (STATE, BANK),
            "decide_from": 2022,
            "paid": tuple(Paid(project=p, source=s, year=y, amount=a) for p, s, y, a in paid),
            **more,
        },
    )


def costs(given, start=2020, mode=""):
    """Return what P costs by year."""
    return Recount(given).option("P", mode, start).costs


def profile(*shares):
    """Return the rows of a profile of four years."""
    return tuple(
        ProfileShare(profile="own", duration=4, offset=k, share=Fraction(share)) for k, share in enumerate(shares)
    )


def stream(*amounts):
    """Return rows of costs of P, by offset."""
    return tuple(Cost(project="P", offset=k, amount=amount) for k, amount in enumerate(amounts))


def test_a_project_under_way_costs_what_was_paid_and_the_rest_evenly():
    """7 of 10 are left for 2022 and 2023: 3.5 by the end of the first rounds up to 4."""
    given = begun()
    assert costs(given) == {2020: 1, 2021: 2, 2022: 4, 2023: 3}
    audit = verify(given, plan(("P", 2020), paid=PAID + AHEAD))
    assert audit.violations == ()
    (account,) = audit.projects
    assert (account.start, account.finish, account.cost) == (2020, 2023, 10)


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        (("2/5", 0, "1/5", "2/5"), {2022: 2, 2023: 5}),  # a third and two thirds of 7: 2.33 rounds to 2
        (("1/2", "1/4", "1/4", 0), {2022: 7}),
        (("1/2", "1/2", 0, 0), {2022: 7}),  # no share is left
    ],
)
def test_the_rest_follows_the_years_of_the_profile_that_are_left(shares, expected):
    """Their shares are stretched to one."""
    assert costs(begun(profile="own", profiles=profile(*shares))) == {2020: 1, 2021: 2, **expected}


def test_where_no_year_of_work_is_left_the_rest_is_due_at_once():
    """A project of one year, finished in 2020 and not paid in full."""
    given = begun(duration=1, status="completed_unpaid")
    assert costs(given) == {2020: 1, 2021: 2, 2022: 7}
    paid = (*PAID, ("P", "state", 2022, 7))
    assert broken(given, plan(("P", 2020), paid=paid)) == []


def test_what_is_paid_in_full_costs_no_more():
    """Nothing is due from 2022 on; a row of 0 is no payment."""
    assert costs(begun(3)) == {2020: 1, 2021: 2}
    assert costs(begun(paid=[("P", "state", 2021, 0)])) == {2022: 5, 2023: 5}


def test_several_payments_of_a_year_add_up():
    """1 and 2 by two sources in 2021."""
    assert costs(begun(4, paid=[("P", "state", 2021, 1), ("P", "bank", 2021, 2)])) == {2021: 3, 2022: 1}


def test_explicit_costs_count_from_the_first_year_of_the_plan():
    """5 and 1 in 2020 and 2021 are replaced by what was paid; the life costs 8 then."""
    given = begun(None, costs=stream(5, 1, 4, 0, 1))
    assert costs(given) == {2020: 1, 2021: 2, 2022: 4, 2024: 1}
    assert Recount(given).option("P", "", 2020).cost == 8


def nominal(**more):
    """Return tables in nominal prices: 100 in 2021, 110, 121 and 130, and nothing for 2020."""
    index = tuple(PriceIndex(year=2021 + k, index=Fraction(level)) for k, level in enumerate((100, 110, 121, 130)))
    return begun(prices="nominal", price_index=index, price_year=2021, **more)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, {2022: 4, 2023: 4}),  # 3.5 × 1.1 = 3.85, and 3.5 × 1.21 more are 8.085
        ({"cost": None, "costs": stream(5, 1, 4, 0, 1)}, {2022: 4, 2024: 2}),  # 4.4, and 1.3 more are 5.7
        ({"cost": None, "costs": stream(5, 1, 4, 0, 1, 0)}, {2022: 4, 2024: 2}),  # 2025 needs no index for nothing
        ({"duration": 1}, {2022: 8}),  # 7 × 1.1 = 7.7
    ],
)
def test_what_was_paid_is_not_indexed_and_the_rest_is(more, expected):
    """The rest itself is at the prices of the table; the years before the plan need no index."""
    given = nominal(**more)
    assert costs(given) == {2020: 1, 2021: 2, **expected}
    assert "broken-price-index" not in [code for code, *_ in broken(given, plan(("P", 2020)))]


@pytest.mark.parametrize(
    ("more", "start"),
    [
        ({"status": "under_way"}, 2020),
        ({"status": "completed_unpaid"}, 2020),
        ({"status": "arrears"}, 2020),
        ({"status": "advance"}, 2020),
        ({"status": "proposed"}, None),
        ({"status": "decided"}, None),
        ({"status": "under_way", "latest": 2021}, None),  # when it was begun is not known
        ({"status": "under_way", "earliest": None, "latest": None}, None),
        ({"status": "under_way", "earliest": 2022, "latest": 2022}, None),  # it will begin with the plan
        ({"status": "under_way", "earliest": 2021, "latest": 2021}, 2021),
        ({"status": "under_way", "committed": 2021}, 2021),
        ({"status": "under_way", "earliest": None, "latest": None, "committed": 2019}, 2019),
        ({"status": "under_way", "committed": 2023}, None),
    ],
)
def test_a_status_tells_a_project_that_was_begun(more, start):
    """With a start that is known and lies before the plan, which the commitment tells before the window."""
    row = project(
        "P", 4, status=more["status"], earliest_start=more.get("earliest", 2020), latest_start=more.get("latest", 2020)
    )
    decided = (Commitment(project="P", decision="in", start=more["committed"]),) if "committed" in more else ()
    past = Recount(tables(row, decide_from=2022, committed=decided)).pasts.get("P")
    assert (past and past.start) == start


def test_a_decision_to_stop_tells_no_start():
    """Only a project that is in is begun in the year of its commitment."""
    row = project("P", 4, status="under_way")
    for decision, begins in (("in", ["P"]), ("out", [])):
        decided = (Commitment(project="P", decision=decision, start=2020),)
        assert list(Recount(tables(row, decide_from=2022, committed=decided)).pasts) == begins


def test_a_payment_tells_a_project_that_was_begun_whatever_its_status():
    """Also one of 0; a project that nothing was paid for has no past."""
    given = begun(paid=[("P", "state", 2021, 0)], status="proposed", others=(project("Q", 1),))
    assert list(Recount(given).pasts) == ["P"]


def test_the_start_of_a_mode_goes_before_that_of_the_project():
    """The mode is the one that is decided; a mode without years takes those of the project."""
    modes = (
        Mode(project="P", mode="a", earliest_start=2021, latest_start=2021, cost=5),
        Mode(project="P", mode="b", cost=6),
    )
    for mode, start in (("a", 2021), ("b", 2020)):
        given = begun(None, modes=modes, committed=(Commitment(project="P", decision="in", mode=mode),))
        assert Recount(given).pasts["P"].start == start
    assert costs(given, mode="b") == {2020: 1, 2021: 2, 2022: 2, 2023: 1}


@pytest.mark.parametrize("start", [2019, 2021, 2022, "2020", 2020.0])
def test_a_project_that_was_begun_starts_when_it_did(start):
    """No other year is possible, also none of the horizon."""
    (issue, *_) = verify(begun(paid=()), plan(("P", start))).violations
    assert (issue.code, issue.arguments["allowed"]) == ("broken-start-past", 2020)
    assert issue.message == f"Project P was begun in 2020, but the plan starts it in {start}."
    with speaking("vi"):
        assert issue.message == f"Dự án P đã khởi công năm 2020, nhưng kế hoạch ghi năm khởi công là {start}."


@pytest.mark.parametrize(
    ("start", "earliest", "expected"),
    [
        (2020, None, [("broken-start-year", "2020")]),
        (2021, None, [("broken-start-decided", 2021, 2022, 1)]),
        (2021, 2022, [("broken-start-early", 2021, 2022, 1)]),
        (2021, 2024, [("broken-start-early", 2021, 2024, 3)]),
        (2022, None, []),
    ],
)
def test_any_other_project_starts_in_a_year_that_the_plan_decides(start, earliest, expected):
    """From 2022 on, or from its own earliest start."""
    assert broken(tables(project("Q", 1, earliest_start=earliest), decide_from=2022), plan(("Q", start))) == expected


def test_the_plan_decides_from_the_first_year_when_nothing_else_is_said():
    """What was paid in 2020 is a fact, and the rest of 10 is due from 2021 on."""
    given = begun(paid=[("P", "state", 2020, 4)], decide_from=None)
    assert costs(given) == {2020: 4, 2021: 2, 2022: 2, 2023: 2}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, ["broken-continued"]),
        ({"mandatory": True}, ["broken-mandatory"]),
        ({"committed": (Commitment(project="P", decision="in"),)}, ["broken-in"]),
        ({"committed": (Commitment(project="P", decision="out"),)}, []),
    ],
)
def test_a_project_that_was_begun_is_carried_on_unless_it_is_stopped(more, expected):
    """Leaving it out is told once."""
    assert [code for code, *_ in broken(begun(**more), plan(paid=PAID))] == expected


def test_a_stopped_project_is_not_funded_but_its_payments_count():
    """The bank paid 2 in 2021, which lies in the envelope; carrying the project on is a violation."""
    given = begun(
        committed=(Commitment(project="P", decision="out"),),
        envelopes=(Envelope(source=("state", "bank"), period="A", amount=5),),
        rules=(Rule(id="r", measure="paid", amount=Fraction(9)),),
    )
    audit = verify(given, plan(paid=PAID))
    assert (audit.violations, audit.projects, audit.value) == ((), (), 0)
    assert audit.envelopes == (EnvelopeAudit(("state", "bank"), "A", 5, 0, 5, 2),)
    assert audit.rules[0].used == 0  # no funded project was paid anything
    assert broken(given, plan()) == [("broken-paid", 0, 1, 1), ("broken-paid", 0, 2, 2)]
    late = (*PAID, ("P", "state", 2022, 3))
    assert broken(given, plan(paid=late)) == [("broken-payment-unfunded", 3)]
    assert ("broken-out",) in broken(given, plan(("P", 2020), paid=PAID + AHEAD))


@pytest.mark.parametrize(
    ("paid", "expected"),
    [
        ([("P", "state", 2020, 1), ("P", "bank", 2021, 1)], [("broken-paid", 1, 2, 1)]),
        ([("P", "state", 2020, 4), ("P", "bank", 2021, 2)], [("broken-paid", 4, 1, 3)]),
        ([("P", "state", 2020, 1)], [("broken-paid", 0, 2, 2)]),
        ([("P", "state", 2020, 1), ("P", "state", 2021, 2)], [("broken-paid", 0, 2, 2), ("broken-paid", 2, 0, 2)]),
        ([*PAID, ("P", "state", 2019, 1)], [("broken-paid", 1, 0, 1)]),
        ([*PAID, ("P", "state", 2021, 0)], []),
    ],
)
def test_payments_before_the_plan_are_those_of_the_table(paid, expected):
    """To the million, by source and year; the right total is not enough."""
    assert broken(begun(), plan(("P", 2020), paid=[*paid, *AHEAD])) == expected


def test_no_other_project_is_paid_before_the_plan():
    """Neither one that starts later nor one that is not funded."""
    given = begun(others=(project("Q", 2), project("R", 1)))
    paid = [*PAID, *AHEAD, ("Q", "state", 2021, 1), ("Q", "state", 2022, 2), ("R", "state", 2021, 1)]
    assert broken(given, plan(("P", 2020), ("Q", 2022), paid=paid)) == [("broken-paid", 1, 0, 1)] * 2


def test_a_payment_that_differs_is_named_in_both_languages():
    """With its row of the table."""
    row = Paid(project="P", source="state", year=2021, amount=1500, row=7)
    given = replace(begun(1500), paid=(row,))
    (issue,) = verify(given, plan(("P", 2020), paid=[("P", "state", 2021, 300)])).violations
    assert (issue.where.file, issue.where.row, issue.where.column) == ("paid", 7, "amount")
    assert issue.message == (
        "By the table paid, state paid 1,500 million VND for project P in 2021; the plan has 300, off by 1,200."
    )
    with speaking("vi"):
        assert issue.message == (
            "Theo bảng paid, năm 2021 state đã chi 1.500 triệu đồng cho dự án P; kế hoạch ghi 300, lệch 1.200."
        )


@pytest.mark.parametrize(
    ("year", "amount", "expected"),
    [(2022, 3, ("broken-cost-short", 3, 4, 1)), (2023, 4, ("broken-cost-over", 4, 3, 1))],
)
def test_from_the_first_year_of_the_plan_on_the_cost_is_paid_exactly(year, amount, expected):
    """4 are due in 2022 and 3 in 2023."""
    amounts = {2022: 4, 2023: 3, year: amount}
    paid = [*PAID, *(("P", "state", y, a) for y, a in amounts.items())]
    assert broken(begun(), plan(("P", 2020), paid=paid)) == [expected]


def test_who_paid_before_the_plan_needs_no_permission_and_who_pays_later_does():
    """The bank paid 2 in 2021 without a row of shares and not eligible; 1 more in 2022 is a violation of 1."""
    paid = [*PAID, ("P", "state", 2022, 3), ("P", "bank", 2022, 1), ("P", "state", 2023, 3)]
    barred = Source(id="bank", eligible='sector == "road"')
    for sources, code in (((STATE, BANK), "broken-payer-uninvited"), ((STATE, barred), "broken-payer-ineligible")):
        given = begun(sources=sources)
        assert broken(given, plan(("P", 2020), paid=PAID + AHEAD)) == []
        assert broken(given, plan(("P", 2020), paid=paid)) == [(code, 1)]


def share(source, low=0, high=1, per="life"):
    """Return a row of shares of P."""
    return Share(project="P", source=(source,), min=Fraction(low), max=Fraction(high), per=per)


@pytest.mark.parametrize(
    ("row", "bank", "expected"),
    [
        (share("bank", high=Fraction(3, 10)), 1, []),
        (share("bank", high=Fraction(3, 10)), 2, [("broken-share-over", 4, 3, 1)]),
        (share("bank", low=Fraction(3, 10)), 1, []),
        (share("bank", low=Fraction(3, 10)), 0, [("broken-share-under", 2, 3, 1)]),
        (share("bank", high=0), 0, []),  # bars the bank from now on
        (share("bank", high=0), 1, [("broken-share-over", 1, 0, 1)]),
        (share("state", low=Fraction(3, 4), per="year"), 1, []),  # nothing in 2021
        (share("state", low=Fraction(3, 4), per="year"), 2, [("broken-share-under-year", 2, 3, 1)]),
    ],
)
def test_shares_of_the_life_count_what_was_paid_and_shares_of_a_year_do_not(row, bank, expected):
    """The bank paid 2 of 10 before the plan, and pays some more of the 4 of 2022."""
    given = begun(shares=(share("bank"), row) if row.source == ("state",) else (row,))
    paid = [*PAID, ("P", "state", 2022, 4 - bank), ("P", "bank", 2022, bank), ("P", "state", 2023, 3)]
    assert broken(given, plan(("P", 2020), paid=paid)) == expected


def test_a_share_of_the_life_is_of_what_the_life_comes_to():
    """Paid 3 and 5 ahead by explicit rows are 8, of which half is 4; the total of the rows is 11."""
    given = begun(None, costs=stream(5, 1, 4, 0, 1), shares=(share("state", high=Fraction(1, 2)), share("bank")))
    paid = [*PAID, ("P", "state", 2022, 4), ("P", "state", 2024, 1)]
    assert broken(given, plan(("P", 2020), paid=paid)) == [("broken-share-over", 6, 4, 2)]


def test_envelopes_count_what_was_paid_in_their_years():
    """2 in 2021 and 4 in 2022 are in phase A; what was paid in 2020 lies before all envelopes."""
    given = begun(
        envelopes=(
            Envelope(source=("state", "bank"), period="A", amount=6),
            Envelope(source=("bank",), period="2021", amount=1),
            Envelope(source=("state",), period="2021:2024", amount=6),
        ),
        others=(project("Q", 0),),
    )
    audit = verify(given, plan(("P", 2020), paid=[*PAID, *AHEAD, ("Q", "bank", 2021, 0)]))
    assert [account.used for account in audit.envelopes] == [6, 2, 7]
    past, open_ = audit.violations
    assert (past.code, past.arguments["difference"]) == ("broken-envelope-past", 1)
    assert past.message.endswith("exceeded by 1. All of it was paid before the plan begins.")
    assert (open_.code, open_.arguments["project"]) == ("broken-envelope", "P")
    with speaking("vi"):
        assert past.message.endswith("vượt 1. Toàn bộ số vốn này đã được chi trước kỳ kế hoạch.")


def test_a_project_whose_money_is_spent_is_no_remedy_for_an_envelope():
    """S was paid 5 in 2021 and is stopped; Q at 2 in 2022 is what may be dropped."""
    given = begun(
        paid=[("P", "state", 2021, 5)],
        committed=(Commitment(project="P", decision="out"),),
        others=(project("Q", 2),),
        envelopes=(Envelope(source=("state",), period="A", amount=5),),
    )
    paid = [("P", "state", 2021, 5), ("Q", "state", 2022, 2)]
    (issue,) = verify(given, plan(("Q", 2022), paid=paid)).violations
    assert (issue.code, issue.arguments["project"]) == ("broken-envelope", "Q")


def test_a_project_that_was_begun_may_cross_every_border():
    """It ends in 2025, after its phase and after the horizon."""
    given = begun(3, duration=6, may_cross_phase=False)
    assert broken(given, plan(("P", 2020), paid=PAID)) == []
    assert Recount(given).option("P", "", 2020).end == 2025


def test_a_value_before_the_first_year_is_worth_more():
    """At 10 %, 100 at the start in 2020 are 110 in 2021, and at the finish in 2023 as usual less."""
    for at, worth in (("start", 110), ("completion", Fraction("82.644628"))):
        given = begun(value=Fraction(100), discount_rate=Decimal("0.1"), objective={"at": at})
        assert Recount(given).option("P", "", 2020).value == worth


def test_a_start_before_all_phases_has_the_class_of_the_project():
    """Phase A would give class 1."""
    rows = (Priority(project="P", phase="A", class_=1),)
    assert Recount(begun(priority=2, priorities=rows)).option("P", "", 2020).class_ == 2
    assert Recount(begun(start=2021, priority=2, priorities=rows)).option("P", "", 2021).class_ == 1


@pytest.mark.parametrize(
    ("measure", "period", "expected"),
    [
        ("starts", "", 0),
        ("completions", "B", 1),
        ("active", "2021", 1),
        ("cost", "A", 2 + 4),
        ("cost", "", 2 + 4 + 3),
        ("paid", "A", 2 + 4),
        ("paid:bank", "A", 2),
        ("tail", "A", 3),
        ("value", "", 0),
        ("land", "2021", 3),
    ],
)
def test_what_a_rule_measures_of_a_project_that_was_begun(measure, period, expected):
    """Its value counted in 2020, and its start."""
    given = begun(
        value=Fraction(5),
        resources=(Resource(id="land"),),
        uses=(Use(project="P", resource="land", offset=1, amount=Fraction(3)),),
        capacities=(Capacity(resource="land", period="A", amount=Fraction(2)),),
        rules=(Rule(id="r", measure=measure, period=period, amount=Fraction(99)),),
    )
    audit = verify(given, plan(("P", 2020), paid=PAID + AHEAD))
    assert audit.rules[0].used == expected
    assert [issue.code for issue in audit.violations] == ["broken-resource"]  # 3 of 2 in 2021


def test_order_groups_and_synergies_see_a_project_that_was_begun():
    """P ends in 2023, so that Q may follow in 2024."""
    given = begun(
        3,
        others=(project("Q", 0),),
        dependencies=(Dependency(kind="finish_start", first="P", then="Q"),),
        groups=tuple(Membership(group="g", project=name, kind="at_least", k=2) for name in "PQ"),
        synergies=(Synergy(id="s", projects=("P", "Q"), value=Fraction(9)),),
    )
    audit = verify(given, plan(("P", 2020), ("Q", 2024), paid=PAID))
    assert (audit.violations, audit.synergies) == ((), 9)
    assert broken(given, plan(("P", 2020), ("Q", 2023), paid=PAID)) == [("broken-order", 2023, 2024, 1)]


def test_a_mode_other_than_the_one_decided_is_a_violation():
    """P was begun in mode a."""
    given = begun(
        None,
        paid=(),
        modes=(Mode(project="P", mode="a", cost=0), Mode(project="P", mode="b", cost=0)),
        committed=(Commitment(project="P", decision="in", mode="a", start=2019),),
    )
    assert broken(given, plan(("P", 2019, "a"))) == []
    assert broken(given, plan(("P", 2019, "b"))) == [("broken-in-mode", "b", "a")]
    assert broken(given, plan(("P", 2020, "a"))) == [("broken-start-past", "2020", 2019)]


def test_without_sources_the_whole_cost_is_ahead():
    """Nothing was paid, so that 10 are due in 2022 and 2023; nobody has to pay them."""
    given = begun(paid=(), sources=())
    assert costs(given) == {2022: 5, 2023: 5}
    assert broken(given, plan(("P", 2020))) == []


@pytest.mark.parametrize(
    ("start", "mode", "stopped", "known"),
    [(2020, "", False, True), (None, "", False, False), (2020, None, False, False), (2020, "", True, False)],
)
def test_how_a_project_goes_on_is_known_by_start_and_mode_unless_it_is_stopped(start, mode, stopped, known):
    """One of them alone is not enough."""
    assert Past(start, mode, {}, stopped).is_known is known


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"status": ""}, {"P": 2020}),
        ({"paid": ()}, {"P": 2020}),
        ({"status": "", "paid": ()}, {}),
        ({"start": None}, {"P": None}),
        ({"start": None, "committed": (Commitment(project="P", decision="in", start=2020),)}, {"P": 2020}),
    ],
)
def test_payments_or_the_status_tell_that_a_project_was_begun(given, expected):
    """Since when, its window tells, or what was decided; a project that nothing tells of is a new one."""
    assert {name: past.start for name, past in histories(begun(**given)).items()} == expected

"""History: what is decided before the plan begins, and what it leaves of money, shares and rules."""

from fractions import Fraction

import pytest

from building import broken, plan, project, tables
from capalloc.accounts import open_accounts
from capalloc.allocation import Payment
from capalloc.compiling import compile_tables
from capalloc.engines import engine_named
from capalloc.evaluation import Wish, evaluate
from capalloc.history import Past, due_projects, find_past, first_open_year
from capalloc.limiting import payable
from capalloc.model import SolveOptions, Status
from capalloc.options import expand
from capalloc.payers import find_payers
from capalloc.records import (
    Capacity,
    Commitment,
    Cost,
    Dependency,
    Envelope,
    Mode,
    Paid,
    PriceIndex,
    Priority,
    ProfileShare,
    Resource,
    Rule,
    Share,
    Source,
    Use,
)
from capalloc.screening import screen
from capalloc.solving import optimize
from small_models import INF
from written import written

EXACT = SolveOptions(time_limit=60, gap=0.0, threads=1)
ENGINES = ("highs", "enumeration", "pulp:PULP_CBC_CMD")
HALF = Fraction(1, 2)
S, T, N = Source(id="S"), Source(id="T"), Source(id="N", side="non_state")


def begun(name="P", cost=10, start=2020, **more):
    """Return a project of four years that began in 2020 unless told otherwise."""
    more = {"duration": 4, "status": "under_way", "value": Fraction(5)} | more
    return project(name, cost, earliest_start=start, latest_start=start, **more)


def paid(source, year, amount, name="P"):
    """Return a row of what was paid."""
    return Paid(project=name, source=source, year=year, amount=amount)


def envelope(source, period, amount, **more):
    """Return a row of envelopes."""
    return Envelope(source=(source,), period=period, amount=amount, **more)


def share(source, low=0, high=1, **more):
    """Return a row of shares."""
    return Share(project="P", source=tuple(source.split("+")), min=Fraction(low), max=Fraction(high), **more)


def rule(measure, sense, amount, **more):
    """Return a rule."""
    return Rule(id="r", measure=measure, sense=sense, amount=Fraction(amount), **more)


def stopped(name="X"):
    """Return the decision to stop a project."""
    return Commitment(project=name, decision="out")


def yearly(given):
    """Return what the only option costs in each calendar year."""
    options = expand(given)
    assert len(options) == 1
    _, year, amount = options.cost_entries
    return dict(zip(year.tolist(), amount.tolist(), strict=True))


def answered(given, engine="highs"):
    """Return status and value of the best plan."""
    answer = optimize(given, EXACT, engine)
    return answer.status, answer.audit.value if answer.audit else None


def test_the_plan_decides_from_its_first_year_on_unless_told_otherwise():
    """Payments before the first year can be told, too."""
    assert first_open_year(tables().settings) == 2021
    assert first_open_year(tables(decide_from=2023).settings) == 2023


@pytest.mark.parametrize(
    ("own", "rows", "expected"),
    [
        ({}, {}, Past("", 2020, {})),
        ({"status": "arrears"}, {}, Past("", 2020, {})),
        ({"status": "decided"}, {}, None),
        ({"start": 2021}, {}, None),
        ({"latest_start": 2021}, {}, None),
        ({"status": "decided"}, {"paid": (paid("S", 2019, 2),)}, Past("", 2020, {2019: 2})),
        ({"status": "decided"}, {"paid": (paid("S", 2020, 0),)}, Past("", 2020, {2020: 0})),
        ({}, {"paid": (paid("S", 2020, 2), paid("T", 2020, 3))}, Past("", 2020, {2020: 5})),
        ({}, {"committed": (stopped("P"),)}, None),
        ({"start": 2022}, {"committed": (Commitment(project="P", decision="in", start=2019),)}, Past("", 2019, {})),
        (
            {"start": 2022},
            {
                "modes": (Mode(project="P", mode="m", earliest_start=2018, latest_start=2018),),
                "committed": (Commitment(project="P", decision="in", mode="m"),),
            },
            Past("m", 2018, {}),
        ),
    ],
)
def test_a_project_has_begun_when_it_was_paid_or_its_status_and_start_say_so(own, rows, expected):
    """Its start is that of the commitment, else the only one of its window, of the mode first; one may be stopped."""
    start = {"latest_start": own.pop("latest_start")} if "latest_start" in own else {}
    one = begun(**own)
    one = project("P", 10, **{f: getattr(one, f) for f in ("status", "earliest_start", "latest_start")} | start)
    assert find_past(tables(one, sources=(S, T), **rows)).get("P") == expected


def test_what_has_begun_is_due_like_what_is_mandatory_or_committed():
    """Of five projects one may be left out, and one is stopped."""
    given = tables(
        begun("P"),
        project("Q", 1, mandatory=True),
        project("R", 1),
        project("C", 1),
        begun("X"),
        committed=(Commitment(project="C", decision="in"), stopped()),
    )
    assert due_projects(given) == {0, 1, 3}


def test_a_project_that_has_begun_has_one_option_and_others_start_when_the_plan_decides():
    """In the past, whatever the horizon and its borders say; the stopped one has none."""
    given = tables(
        begun(duration=6),
        project("Q", 1),
        begun("X"),
        sources=(S,),
        committed=(stopped(),),
        decide_from=2023,
        may_cross_phase=False,
    )
    options = expand(given)
    assert options.project.tolist() == [0, 1, 1]
    assert options.start.tolist() == [2020, 2023, 2024]
    assert options.finish.tolist() == [2025, 2023, 2024]
    assert written(compile_tables(given).model, "choice") == [
        (("P",), 1, {"P 2020": 1}, 1),
        (("Q",), -INF, {"Q 2023": 1, "Q 2024": 1}, 1),
    ]


@pytest.mark.parametrize(
    ("own", "rows", "expected"),
    [
        # Even over 2020 to 2023, of which three are open: 10 in parts of 3 1/3.
        ({}, {}, {2021: 3, 2022: 4, 2023: 3}),
        ({}, {"paid": (paid("S", 2020, 1),)}, {2020: 1, 2021: 3, 2022: 3, 2023: 3}),
        (
            {},
            {"paid": (paid("S", 2018, 2), paid("S", 2020, 1), paid("T", 2020, 1))},
            {2018: 2, 2020: 2, 2021: 2, 2022: 2, 2023: 2},
        ),
        ({}, {"paid": (paid("S", 2020, 10),)}, {2020: 10}),
        # Nothing of the profile is left: all at once.
        ({"start": 2010}, {"paid": (paid("S", 2015, 3),)}, {2015: 3, 2021: 7}),
        ({"profile": "early"}, {}, {2021: 10}),
        ({"profile": "late"}, {"paid": (paid("S", 2020, 1),)}, {2020: 1, 2021: 4, 2022: 5}),
        # Explicit amounts of open years stay, those of the past give way to what was paid.
        ({"cost": None}, {"costs": (2, 3, 4), "paid": (paid("S", 2020, 9),)}, {2020: 9, 2021: 3, 2022: 4}),
        ({"cost": None}, {"costs": (2, 3, 4)}, {2021: 3, 2022: 4}),
    ],
)
def test_what_was_paid_stands_and_the_rest_follows(own, rows, expected):
    """By calendar year."""
    early = (ProfileShare(profile="early", duration=4, offset=0, share=Fraction(1)),)
    late = tuple(ProfileShare(profile="late", duration=4, offset=o, share=Fraction(o + 1, 6)) for o in range(3))
    costs = tuple(Cost(project="P", offset=o, amount=a) for o, a in enumerate(rows.pop("costs", ())))
    given = tables(begun(**own), sources=(S, T), profiles=early + late, costs=costs, **rows)
    assert yearly(given) == expected
    options = expand(given)
    assert options.cost.tolist() == [sum(expected.values())]
    assert options.due.tolist() == [sum(amount for year, amount in expected.items() if year >= 2021)]


def test_what_was_paid_is_never_indexed():
    """Of 10 at prices of 2020, 4 are paid and 6 left, two a year: 1.5 times, twice and twice as much then."""
    index = {2020: 1, 2021: Fraction(3, 2), 2022: 2, 2023: 2}
    given = tables(
        begun(price_year=2020),
        sources=(S,),
        paid=(paid("S", 2020, 4),),
        price_index=tuple(PriceIndex(year=y, index=Fraction(i)) for y, i in index.items()),
        prices="nominal",
    )
    assert yearly(given) == {2020: 4, 2021: 3, 2022: 4, 2023: 4}
    assert answered(given) == (Status.OPTIMAL, 5)


def test_a_value_counts_when_it_counted():
    """At 10%, 100 of 2020 are 110 when the plan begins; no phase holds the start, so the class is the project's."""
    given = tables(
        begun(value=Fraction(100), priority=2),
        sources=(S,),
        discount_rate="0.1",
        priorities=(Priority(project="P", phase="A", class_=1),),
    )
    assert expand(given).value.tolist() == [110_000_000]
    assert compile_tables(given).classes.tolist() == [2]
    assert answered(given) == (Status.OPTIMAL, 110)


@pytest.mark.parametrize("engine", ENGINES)
def test_what_was_paid_takes_room_also_for_what_is_stopped(engine):
    """Phase A has 9: 3 were paid for P and 2 for X, so that 4 are left, which P and Q of 1 to 3 need."""
    rows = {
        "sources": (S,),
        "envelopes": (envelope("S", "A", 9),),
        "paid": (paid("S", 2021, 3), paid("S", 2021, 2, "X"), paid("S", 2020, 50, "X")),
        "committed": (stopped(),),
        "decide_from": 2022,
    }
    p, x = begun(cost=5, duration=3), begun("X", 60)
    fits = tables(p, x, project("Q", 2, value=Fraction(1), latest_start=2022), **rows)
    too_much = tables(p, x, project("Q", 3, value=Fraction(1), latest_start=2022), **rows)
    assert answered(fits, engine) == (Status.OPTIMAL, 6)
    assert answered(too_much, engine) == (Status.OPTIMAL, 5)
    found = written(compile_tables(fits).model, "envelope")
    assert found == [((("S",), "A"), -INF, {"P 2020": 2, "Q 2022": 2}, 4)]


@pytest.mark.parametrize("engine", ENGINES)
def test_more_paid_than_there_was_leaves_no_plan(engine):
    """2 were paid of 1 for a stopped project: nobody can mend that, and no engine stumbles over a row of nothing."""
    given = tables(
        project("Q", 1, value=Fraction(1)),
        begun("X"),
        sources=(S,),
        envelopes=(envelope("S", "2021", 1),),
        paid=(paid("S", 2021, 2, "X"),),
        committed=(stopped(),),
        decide_from=2022,
    )
    assert written(compile_tables(given).model, "envelope") == [((("S",), "2021"), -INF, {}, -1)]
    assert answered(given, engine) == (Status.INFEASIBLE, None)
    assert [issue.code for issue in evaluate(given, [Wish("Q")]).violations] == ["broken-envelope-past"]


def test_what_was_paid_counts_before_money_is_carried():
    """Phase A has 5 and 2 were paid, so that 3 of them can move; B has 4 and needs 7."""
    given = tables(
        begun(cost=9, start=2021, duration=4),
        sources=(S,),
        envelopes=(envelope("S", "A", 5, carry_cap=Fraction(1)), envelope("S", "B", 4)),
        paid=(paid("S", 2021, 2),),
        decide_from=2023,
    )
    answer = optimize(given, EXACT)
    assert answer.status is Status.OPTIMAL
    assert [(row.used, row.carried_in, row.carried_out) for row in answer.audit.envelopes] == [(2, 0, 3), (7, 3, 0)]
    compiled = compile_tables(given)
    point = compiled.point(answer.allocation)
    assert point[-1] == 3
    dear = tables(
        begun(cost=10, start=2021), **{n: getattr(given, n) for n in ("sources", "envelopes", "paid")}, decide_from=2023
    )
    assert answered(dear) == (Status.INFEASIBLE, None)


@pytest.mark.parametrize(
    ("rows", "possible"),
    [
        ((), range(7)),
        ((share("T", 0, HALF),), range(3)),
        ((share("T", HALF),), range(2, 7)),
        ((share("T", 0, Fraction(3, 10)),), [0]),
        ((share("T", 0, Fraction(1, 5)),), []),
        ((share("T", Fraction(4, 5)),), [5, 6]),
        ((share("T", 1),), []),
        ((share("S", 0, Fraction(3, 10)),), range(3, 7)),
        ((share("S+T", 0, Fraction(9, 10)),), range(7)),
        ((share("S+T", 0, Fraction(4, 5)),), []),
        ((share("S+N", 0, HALF),), range(2, 7)),
        ((share("N", Fraction(1, 10), Fraction(1, 5)),), range(7)),
        ((share("N", Fraction(3, 10)),), range(5)),
        ((share("T", 0, HALF, per="year"),), range(4)),
        ((share("T", 0, 0),), [0]),
        ((share("N", 0, 0), share("S", 0, 0)), [6]),
    ],
)
def test_shares_count_what_was_paid_in_the_whole_life(rows, possible):
    """Of 10, T paid 3 and N 1, and 6 are left for S and T, and for N where a row asks it.

    A half of T leaves it 2 of them; a year counts alone; who is barred from now on may have paid before.
    """
    rest = {"sources": (S, T, N), "shares": rows, "paid": (paid("T", 2020, 3), paid("N", 2020, 1))}
    for amount in range(8):
        given = tables(begun(duration=2), rules=(rule("paid:T", "==", amount, period="2021"),), **rest)
        expected = Status.OPTIMAL if amount in possible else Status.INFEASIBLE
        assert [optimize(given, EXACT, engine).status for engine in ENGINES[:2]] == [expected] * 2, amount


def test_who_may_not_pay_any_more_may_have_paid():
    """N is invited by no row and S by no selection; what they paid stands, and T pays the rest."""
    given = tables(
        begun(cost=6, start=2020, duration=2),
        sources=(Source(id="S", eligible='sector == "road"'), T, N),
        paid=(paid("S", 2020, 1), paid("N", 2020, 2)),
    )
    answer = optimize(given, EXACT)
    assert answer.allocation.payments == (
        Payment("P", "N", 2020, 2),
        Payment("P", "S", 2020, 1),
        Payment("P", "T", 2021, 3),
    ) or answer.allocation.payments == (
        Payment("P", "S", 2020, 1),
        Payment("P", "N", 2020, 2),
        Payment("P", "T", 2021, 3),
    )
    assert broken(given, answer.allocation) == []


@pytest.mark.parametrize(("low", "able"), [(HALF, True), (Fraction(4, 5), False)])
def test_shares_of_what_is_wholly_paid_hold_or_do_not(low, able):
    """S paid 6 of 10 and T 4: there is nothing left to pay, and nothing to mend."""
    given = tables(
        begun(start=2020, duration=1),
        sources=(S, T),
        shares=(share("S", low),),
        paid=(paid("S", 2020, 6), paid("T", 2020, 4)),
    )
    options = expand(given)
    accounts = open_accounts(given, options, find_payers(given, options.variants))
    assert payable(options, accounts).tolist() == [able]
    assert answered(given)[0] is (Status.OPTIMAL if able else Status.INFEASIBLE)
    assert [issue.code for issue in screen(given) if issue.code.startswith("never")] == [*["never-share"] * (not able)]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("statement", "least"),
    [
        (rule("starts", ">=", 1, period="A"), None),
        (rule("starts", "<=", 0), 5),
        (rule("active", ">=", 2, period="A"), None),
        (rule("active", ">=", 1, period="2023"), 5),
        (rule("completions", "==", 1, period="2023"), 5),
        (rule("cost", "==", 7, period="A"), 5),
        (rule("cost", "==", 2, period="2021"), 5),
        (rule("tail", "==", 8, period="2021"), 5),
        (rule("paid", "==", 7, period="A"), 5),
        (rule("paid:S", ">=", 5, period="A"), 5),
        (rule("paid:S", ">=", 6, period="A"), None),
        (rule("paid:T", "==", 2, period="2021"), 5),
        (rule("paid:T", "<=", 1, period="2021"), None),
        (rule("paid:T", "<=", 1, period="2021", price=Fraction(2)), 3),
        (rule("paid:S", ">=", 6, period="A", price=Fraction(2)), 3),
        (rule("value", "==", 0), 5),
    ],
)
def test_rules_count_what_is_decided(engine, statement, least):
    """P began in 2020, was paid 1 by S then and 2 by T in 2021 and 5 in 2022; X was stopped and counts nowhere."""
    given = tables(
        begun(cost=None),
        begun("X"),
        sources=(S, T),
        costs=tuple(Cost(project="P", offset=o, amount=a) for o, a in enumerate((9, 9, 5, 3))),
        paid=(paid("S", 2020, 1), paid("T", 2021, 2), paid("T", 2021, 4, "X"), paid("S", 2021, 4, "X")),
        committed=(stopped(),),
        rules=(statement,),
        decide_from=2022,
    )
    assert answered(given, engine) == (Status.INFEASIBLE if least is None else Status.OPTIMAL, least)


def test_uses_of_the_past_count_in_their_period():
    """P uses 2 a year from 2020 on, 4 of them in phase A; Q wants 1 of the 5 there are."""
    uses = tuple(Use(project="P", resource="R", offset=o, amount=Fraction(2)) for o in range(3))
    for want, value in ((1, 6), (2, 5)):
        given = tables(
            begun(duration=3),
            project("Q", 1, value=Fraction(1), latest_start=2022),
            sources=(S,),
            resources=(Resource(id="R"),),
            uses=(*uses, Use(project="Q", resource="R", amount=Fraction(want))),
            capacities=(Capacity(resource="R", period="A", amount=Fraction(5)),),
            decide_from=2022,
        )
        assert answered(given) == (Status.OPTIMAL, value)


@pytest.mark.parametrize(("lag", "starts"), [(0, [2020, 2024]), (1, [2020])])
def test_dependencies_know_when_it_began(lag, starts):
    """P is finished in 2023, so that Q can start in 2024."""
    given = tables(
        begun(),
        project("Q", 1, value=Fraction(1)),
        sources=(S,),
        dependencies=(Dependency(kind="finish_start", first="P", then="Q", lag=lag),),
    )
    assert [choice.start for choice in optimize(given, EXACT).allocation.choices] == starts


def test_a_plan_holds_what_was_paid_and_its_point_does_not():
    """The payments of the past are in the plan, in the order of project, year and source."""
    given = tables(
        begun(cost=9, duration=3),
        begun("X"),
        sources=(S, T),
        paid=(paid("T", 2020, 2), paid("S", 2020, 1), paid("S", 2020, 0, "X"), paid("T", 2019, 3, "X")),
        committed=(stopped(),),
        envelopes=(envelope("S", "2021", 2), envelope("T", "2022", 0)),
    )
    answer = optimize(given, EXACT)
    before = [payment for payment in answer.allocation.payments if payment.year < 2021]
    assert before == [Payment("P", "S", 2020, 1), Payment("P", "T", 2020, 2), Payment("X", "T", 2019, 3)]
    compiled = compile_tables(given)
    point = compiled.point(answer.allocation)
    activity = compiled.model.matrix @ point
    assert ((compiled.model.row_lower <= activity) & (activity <= compiled.model.row_upper)).all()
    assert compiled.value(point) == 5
    assert broken(given, plan(("P", 2020), paid=())) != []


def test_a_list_that_leaves_out_what_has_begun_is_no_plan():
    """It is judged like one that leaves out a mandatory project; with it, it stands."""
    given = tables(begun(), project("Q", 1, value=Fraction(1)), sources=(S,), paid=(paid("S", 2020, 4),))
    without = evaluate(given, [Wish("Q")])
    assert without.status is Status.INFEASIBLE
    assert evaluate(given, [Wish("P"), Wish("Q")]).audit.value == 6


def test_the_load_of_what_has_begun_is_told():
    """3 of 9 were paid and 4 are due in phase A: 2 are left for all others."""
    given = tables(
        begun(cost=7, duration=3),
        sources=(S,),
        envelopes=(envelope("S", "A", 9),),
        paid=(paid("S", 2021, 3),),
        decide_from=2022,
    )
    (load,) = [issue for issue in screen(given) if issue.code == "mandatory-load"]
    assert [load.arguments[name] for name in ("least", "room", "left")] == [7, 9, 2]


def test_engines_take_what_has_begun_as_it_is():
    """Every engine answers the same one option."""
    compiled = compile_tables(tables(begun(), sources=(S,)))
    for engine in ENGINES:
        assert compiled.taken(engine_named(engine).solve(compiled.model, EXACT).x).tolist() == [0]

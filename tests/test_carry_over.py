"""Carry-over and disbursement: portfolios that can be planned by hand, by every engine."""

from fractions import Fraction

import pytest

from building import plan, project, tables
from capalloc.catalogue import speaking
from capalloc.ceilings import Carry, Ceiling, find_carries, find_ceilings, least_carried, reserve_of
from capalloc.checking import check
from capalloc.compiling import compile_tables
from capalloc.evaluation import Wish, evaluate
from capalloc.financing import finance
from capalloc.model import SolveOptions, Status
from capalloc.plan import Plan
from capalloc.records import Cost, Envelope, Rule, Share, Source
from capalloc.screening import screen
from capalloc.solving import optimize

EXACT = SolveOptions(time_limit=60, gap=0.0, threads=1)
ENGINES = ["highs", "enumeration", "pulp:CBC"]
STATE = (Source(id="S"),)
THREE = tuple({"name": name, "first": year, "last": year} for name, year in (("A", 2021), ("B", 2022), ("C", 2023)))
FOUR = (*THREE, {"name": "D", "first": 2024, "last": 2024})


def state(amounts, cap=None, source=("S",), **more):
    """Return one envelope a phase, all with the same cap on what may be carried."""
    last = list(amounts)[-1]
    return tuple(
        Envelope(source=source, period=name, amount=amount, carry_cap=None if name == last else cap, **more)
        for name, amount in amounts.items()
    )


def portfolio(*projects, envelopes, sources=STATE, **more):
    """Return tables whose projects each have a single start year."""
    return tables(*projects, sources=sources, envelopes=envelopes, **more)


def single(name, year, cost, value=1, **more):
    """Return a project of one year that can start in no other year."""
    return project(name, cost, value=Fraction(value), earliest_start=year, latest_start=year, **more)


def funded(answer):
    """Return the ids of what is funded."""
    return [row.project for row in answer.audit.projects]


def carried(answer):
    """Return what each envelope gets and passes on."""
    return [(row.carried_in, row.carried_out) for row in answer.audit.envelopes]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("cost", "expected"),
    [(100, ["late"]), (119, ["late"]), (120, ["late"]), (121, [])],
)
def test_unspent_room_pays_in_the_next_phase_up_to_the_cap(engine, cost, expected):
    """A fifth of 100 may be carried: with 100 of its own, the second phase has 120 and not a million more."""
    given = portfolio(single("late", 2023, cost), envelopes=state({"A": 100, "B": 100}, Fraction(1, 5)))
    answer = optimize(given, EXACT, engine)
    assert (answer.status, funded(answer)) == (Status.OPTIMAL, expected)
    moved = max(0, cost - 100) if expected else 0
    assert carried(answer) == [(0, moved), (moved, 0)]


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_spent_cannot_be_carried(engine):
    """Of 100 the first phase needs 85 for a project worth more than what the 20 carried would allow."""
    given = portfolio(
        single("early", 2021, 85, 5),
        single("late", 2023, 116, 3),
        single("small", 2023, 115, 2),
        envelopes=state({"A": 100, "B": 100}, Fraction(1, 5)),
    )
    answer = optimize(given, EXACT, engine)
    assert (answer.value, funded(answer), carried(answer)) == (7, ["early", "small"], [(0, 15), (15, 0)])


@pytest.mark.parametrize("engine", ENGINES)
def test_the_cap_is_rounded_down(engine):
    """A third of 100 is 33: 133 can be paid, 134 cannot."""
    for cost, value in ((133, 1), (134, 0)):
        given = portfolio(single("late", 2023, cost), envelopes=state({"A": 100, "B": 100}, Fraction(1, 3)))
        assert optimize(given, EXACT, engine).value == value


@pytest.mark.parametrize("engine", ENGINES)
def test_the_reserve_does_not_carry(engine):
    """Of 100 with a reserve of 0.9 only 10 are there to be carried, although the cap is 20."""
    for cost, value in ((110, 1), (111, 0)):
        kept = Envelope(source=("S",), period="A", amount=100, carry_cap=Fraction(1, 5), reserve=Fraction(9, 10))
        given = portfolio(single("late", 2023, cost), envelopes=(kept, Envelope(source=("S",), period="B", amount=100)))
        assert optimize(given, EXACT, engine).value == value


@pytest.mark.parametrize("engine", ENGINES)
def test_money_that_was_carried_is_spent_first_and_does_not_move_again(engine):
    """Phase B has no money of its own, so that what A passes on can be spent in B and never reaches C."""
    envelopes = state({"A": 50, "B": 0, "C": 10}, Fraction(1))
    for year, value in ((2022, 1), (2023, 0)):
        given = portfolio(single("P", year, 50), envelopes=envelopes, phases=THREE)
        assert optimize(given, EXACT, engine).value == value


@pytest.mark.parametrize("engine", ENGINES)
def test_a_chain_of_phases_passes_on_its_own_money_only(engine):
    """B spends what comes from A first and so keeps its own 30 for C: A gives 30 to B and B gives 30 to C."""
    envelopes = state({"A": 50, "B": 30, "C": 10}, Fraction(1))
    answer = optimize(
        portfolio(single("in-b", 2022, 30), single("in-c", 2023, 40), envelopes=envelopes, phases=THREE), EXACT, engine
    )
    assert (answer.value, carried(answer)) == (2, [(0, 30), (30, 30), (30, 0)])
    assert [row.slack for row in answer.audit.envelopes] == [20, 0, 0]
    beyond = portfolio(single("in-b", 2022, 30), single("in-c", 2023, 41), envelopes=envelopes, phases=THREE)
    assert optimize(beyond, EXACT, engine).value == 1


@pytest.mark.parametrize("engine", ENGINES)
def test_sources_that_share_an_envelope_carry_together(engine):
    """The joined envelope passes 20 on; each source has room enough of its own, and neither carries."""
    sources = (Source(id="S"), Source(id="T"))
    own = (*state({"A": 500, "B": 500}, None), *state({"A": 500, "B": 500}, None, source=("T",)))
    for cost, value in ((120, 1), (121, 0)):
        # The order in which the sources are named makes no difference.
        joined = (
            Envelope(source=("S", "T"), period="A", amount=100, carry_cap=Fraction(1, 5)),
            Envelope(source=("T", "S"), period="B", amount=100),
        )
        given = portfolio(single("P", 2023, cost), sources=sources, envelopes=(*own, *joined))
        answer = optimize(given, EXACT, engine)
        assert answer.value == value
        assert carried(answer)[-2:] == ([(0, 20), (20, 0)] if value else [(0, 0), (0, 0)])


@pytest.mark.parametrize("engine", ENGINES)
def test_a_source_says_the_cap_of_its_own_envelopes_and_not_of_joined_ones(engine):
    """The source's half counts for its own envelopes; the row's own tenth goes before it; the joined one has none."""
    sources = (Source(id="S", carry_cap=Fraction(1, 2)), Source(id="T"))
    for cap, cost, value in ((None, 150, 1), (None, 151, 0), (Fraction(1, 10), 110, 1), (Fraction(1, 10), 111, 0)):
        given = portfolio(single("P", 2023, cost), sources=sources[:1], envelopes=state({"A": 100, "B": 100}, cap))
        assert optimize(given, EXACT, engine).value == value
    joined = state({"A": 100, "B": 100}, None, source=("S", "T"))
    both = tuple(row for name in ("S", "T") for row in state({"A": 500, "B": 500}, Fraction(0), source=(name,)))
    given = portfolio(single("P", 2023, 101), sources=sources, envelopes=(*both, *joined))
    assert optimize(given, EXACT, engine).value == 0


@pytest.mark.parametrize("engine", ENGINES)
def test_a_year_is_not_raised_by_what_the_phase_was_given(engine):
    """The phase could pay 120, but its year 2023 keeps its ceiling of 110."""
    for cost, value in ((110, 1), (111, 0)):
        year = Envelope(source=("S",), period="2023", amount=110)
        envelopes = (*state({"A": 100, "B": 100}, Fraction(1, 5)), year)
        given = portfolio(single("P", 2023, cost), envelopes=envelopes)
        assert optimize(given, EXACT, engine).value == value


@pytest.mark.parametrize("engine", ENGINES)
def test_a_project_across_the_border_is_paid_in_the_years_that_are_due(engine):
    """Costs 60 a year from 2022: the first phase keeps 40 of 100 and passes 20 on, the second pays 120 with 100."""
    crossing = single("P", 2022, 180, duration=3)
    sources = (Source(id="S"), Source(id="T"))
    nothing = state({"A": 0, "B": 0}, None, source=("T",))
    given = portfolio(crossing, sources=sources, envelopes=(*state({"A": 100, "B": 100}, Fraction(1, 5)), *nothing))
    answer = optimize(given, EXACT, engine)
    assert [(p.source, p.year, p.amount) for p in answer.allocation.payments] == [
        ("S", 2022, 60), ("S", 2023, 60), ("S", 2024, 60),
    ]  # fmt: skip
    assert carried(answer)[:2] == [(0, 20), (20, 0)]


@pytest.mark.parametrize("engine", ENGINES)
def test_shares_and_carrying_together_come_out_in_whole_units(engine):
    """T pays a third of 100, floor 33 to ceil 34; S has 60 and gets 6 or 7 carried, so 66 and 34, or 67 and 33."""
    sources = (Source(id="S"), Source(id="T"))
    shares = (Share(project="P", source=("T",), min=Fraction(1, 3), max=Fraction(1, 3)),)
    for carried_most, value in ((7, 1), (6, 1), (5, 0)):
        first = Envelope(source=("S",), period="A", amount=carried_most, carry_cap=Fraction(1))
        second = Envelope(source=("S",), period="B", amount=60)
        others = state({"A": 0, "B": 50}, None, source=("T",))
        given = portfolio(single("P", 2023, 100), sources=sources, envelopes=(first, second, *others), shares=shares)
        answer = optimize(given, EXACT, engine)
        assert answer.value == value
        if value:
            paid = {p.source: p.amount for p in answer.allocation.payments}
            assert sum(paid.values()) == 100
            assert paid["T"] in (33, 34)
            assert answer.audit.envelopes[0].carried_out == paid["S"] - 60


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("row", "own", "room"),
    [(None, Fraction(9, 10), 85), (Fraction(1, 2), Fraction(9, 10), 47), (None, Fraction(1), 95)],
)
def test_only_what_is_expected_to_be_paid_out_can_be_planned(engine, row, own, room):
    """Of 100 with a reserve of 0.05, floor(95 · 0.9) = 85 can be planned; the row's own factor goes before it."""
    sources = (Source(id="S", reserve=Fraction(1, 20), disbursement=own),)
    for cost, value in ((room, 1), (room + 1, 0)):
        envelopes = (Envelope(source=("S",), period="2021:2024", amount=100, disbursement=row),)
        answer = optimize(portfolio(single("P", 2021, cost), sources=sources, envelopes=envelopes), EXACT, engine)
        # Nothing was proposed that the verifier had to turn down.
        assert (answer.value, answer.rejected) == (value, 0)
        (account,) = answer.audit.envelopes
        assert (account.reserve, account.undisbursed, account.room) == (5, 95 - room, room)


def test_joined_envelopes_do_not_take_the_factor_of_a_source():
    """Two sources with different factors say nothing of what they hold together."""
    sources = (Source(id="S", disbursement=Fraction(1, 2)), Source(id="T"))
    given = portfolio(sources=sources, envelopes=(Envelope(source=("S", "T"), period="A", amount=9),))
    assert [ceiling.room for ceiling in find_ceilings(given)] == [9]


def test_what_may_be_carried_is_bounded_by_cap_and_room():
    """floor(0.5 · 9) = 4 out of A; out of B no more than its room of 2; C is the last phase."""
    envelopes = (
        Envelope(source=("S",), period="A", amount=9, carry_cap=Fraction(1, 2)),
        Envelope(source=("S",), period="B", amount=9, carry_cap=Fraction(1, 2), reserve=Fraction(7, 9)),
        Envelope(source=("S",), period="C", amount=9),
    )
    given = portfolio(envelopes=envelopes, phases=THREE)
    assert list(find_carries(given, list(find_ceilings(given)))) == [Carry(0, 1, 4), Carry(1, 2, 2)]


def test_sources_that_share_an_envelope_pass_nothing_on_and_hold_nothing_back_unless_it_says_so():
    """Of 10 nothing may be carried and nothing is reserved; with a cap of a tenth a single million may be carried."""
    sources = tuple(Source(id=name, carry_cap=Fraction(1, 2), reserve=Fraction(1, 2)) for name in "ST")
    for cap, carries in ((None, []), (Fraction(1, 10), [Carry(0, 1, 1)])):
        rows = state({"A": 10, "B": 10}, cap=cap, source=("S", "T"))
        given = portfolio(envelopes=rows, sources=sources)
        assert list(find_carries(given, tuple(find_ceilings(given)))) == carries
        assert reserve_of(given, rows[0]) == 0


def test_phases_pass_on_in_the_order_of_their_years():
    """However the settings list them, and past a phase without an envelope nothing moves."""
    envelopes = state({"C": 5, "A": 5, "D": 5, "B": 5}, Fraction(1))
    envelopes = tuple(row for row in envelopes if row.period != "C")
    given = portfolio(envelopes=envelopes, phases=FOUR[::-1], sources=(Source(id="S", carry_cap=Fraction(1)),))
    assert list(find_carries(given, list(find_ceilings(given)))) == [Carry(0, 2, 5)]


def test_the_least_that_must_move_is_found_backwards():
    """C lacks 3 and B, beside what it gives, 2 + 3; A lends 5 and keeps the rest."""
    ceilings = [Ceiling((("S",), name), (0,), range(1), room) for name, room in (("A", 10), ("B", 10), ("C", 10))]
    carries = [Carry(0, 1, 10), Carry(1, 2, 10)]
    assert least_carried(ceilings, carries, [4, 12, 13]) == [5, 3]
    assert least_carried(ceilings, carries, [4, 7, 12]) == [0, 2]
    assert least_carried(ceilings, carries, [0, 0, 0]) == [0, 0]


def test_a_plan_can_be_started_from_with_what_it_carries():
    """The point of a plan satisfies every row, and paying it again gives the same plan."""
    given = portfolio(single("late", 2023, 115), envelopes=state({"A": 100, "B": 100}, Fraction(1, 5)))
    compiled = compile_tables(given)
    x = compiled.point(plan(("late", 2023), paid=[("late", "S", 2023, 115)]))
    activity = compiled.model.matrix @ x
    assert (compiled.model.row_lower <= activity).all()
    assert (activity <= compiled.model.row_upper).all()
    assert finance(compiled, x).payments == plan(paid=[("late", "S", 2023, 115)]).payments
    start = finance(compiled, x)
    assert optimize(given, EXACT, start=start).value == 1


def test_the_columns_say_what_they_carry():
    """Behind options and payments follows one column an envelope that may pass something on."""
    given = portfolio(single("P", 2023, 9), envelopes=state({"A": 100, "B": 100}, Fraction(1, 5)))
    model = compile_tables(given).model
    (column,) = [n for n in range(len(model.objective)) if model.column_origin(n).kind == "carry"]
    assert model.column_origin(column).key == (("S",), "A")
    assert (model.lower[column], model.upper[column]) == (0, 20)


def test_what_does_not_fit_even_with_all_that_may_be_carried_is_told():
    """The second phase has 100 and may get 20; a project of 121 can never be funded, one of 120 can."""
    envelopes = state({"A": 100, "B": 100}, Fraction(1, 5))
    given = portfolio(single("P", 2023, 121), single("Q", 2023, 120), envelopes=envelopes)
    (issue,) = screen(given)
    assert issue.code == "never-envelope"
    assert {name: issue.arguments[name] for name in ("project", "period", "needed", "room")} == {
        "project": "P", "period": "B", "needed": 121, "room": 120,
    }  # fmt: skip


def test_mandatory_projects_draw_what_is_left_of_the_room_after_carrying():
    """Of 115 due in the second phase, 15 must and 20 can come from the first: the second gives at least 95."""
    given = portfolio(single("P", 2023, 115, mandatory=True), envelopes=state({"A": 100, "B": 100}, Fraction(1, 5)))
    loads = [(issue.arguments["period"], issue.arguments["least"], issue.arguments["left"]) for issue in screen(given)]
    assert loads == [("A", 15, 85), ("B", 95, 5)]


def test_a_list_by_hand_is_told_what_it_lacks_beyond_what_can_be_carried():
    """125 where 100 and 20 carried are to be had: 5 are missing."""
    given = portfolio(single("P", 2023, 125), envelopes=state({"A": 100, "B": 100}, Fraction(1, 5)))
    answer = evaluate(given, [Wish("P")], EXACT)
    assert answer.status is Status.INFEASIBLE
    (issue,) = answer.violations
    assert "exceeded by 5" in issue.message
    assert evaluate(portfolio(single("P", 2023, 115), envelopes=given.envelopes), [Wish("P")], EXACT).value == 1


def test_a_plan_shows_what_is_carried():
    """The columns of an envelope add up, and the text shows carrying only where there is any."""
    given = portfolio(single("P", 2023, 115), envelopes=state({"A": 100, "B": 100}, Fraction(1, 5)))
    made = Plan(given, optimize(given, EXACT))
    frame = made.envelopes
    assert list(frame.columns) == [
        "source", "period", "amount", "reserve", "undisbursed", "room", "carried_in", "carried_out", "used", "slack",
    ]  # fmt: skip
    assert frame[["carried_in", "carried_out", "used", "slack"]].values.tolist() == [[0, 15, 0, 85], [15, 0, 115, 0]]
    assert (frame["room"] + frame["carried_in"] - frame["carried_out"] - frame["used"] == frame["slack"]).all()
    lines = made.summary().splitlines()
    assert any("carried in  carried out" in line for line in lines)
    assert not any("not disbursed" in line for line in lines)
    with speaking("vi"):
        assert "chuyển sang kỳ sau" in made.summary()


def test_what_goes_on_after_a_phase_wants_a_rule():
    """The doubt is told where a project can pass the border, and not where it cannot or where a rule limits it."""

    def doubts(*projects, **more):
        return [
            issue.arguments["count"] for issue in check(tables(*projects, **more)) if issue.code == "tail-unlimited"
        ]

    long, short = project("P", 10, duration=2, value=Fraction(1)), project("Q", 10, value=Fraction(1))
    limit = Rule(id="tails", measure="tail", period="A", sense="<=", amount=Fraction(5))
    off = Rule(id="tails", measure="tail", period="A", sense="<=", amount=Fraction(5), enabled=False)
    least = Rule(id="tails", measure="tail", period="A", sense=">=", amount=Fraction(5))
    assert doubts(long, short) == [1]
    assert doubts(short) == []
    assert doubts(long, short, may_cross_phase=False) == []
    assert doubts(long, short, rules=(limit,)) == []
    assert doubts(long, short, rules=(off,)) == [1]
    assert doubts(long, short, rules=(least,)) == [1]
    # A retention after the work is a tail, too; a window that leaves time enough has none.
    assert doubts(short, costs=(Cost(project="Q", offset=0, amount=9), Cost(project="Q", offset=1, amount=1))) == [1]
    assert doubts(project("P", 10, duration=2, latest_start=2021, value=Fraction(1))) == []
    assert doubts(long, may_run_over=True, may_cross_phase=False, phases=()) == [1]

"""Why a project is in a plan or not: every number is one that lets it in, or out, and one less is not."""

import math
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from brute import best_by_enumeration
from building import PHASES, project, tables
from capalloc import CapallocError, InvalidInput, Portfolio, UnknownName
from capalloc.amending import with_cost_factors
from capalloc.asking import with_decision
from capalloc.catalogue import speaking
from capalloc.model import SolveOptions, Status
from capalloc.plan import Plan
from capalloc.records import Commitment, Dependency, Envelope, Membership, Rule, Source
from capalloc.reporting import base_costs
from capalloc.solving import optimize
from capalloc.why import why
from capalloc.whynot import why_not
from sample import sample
from strategies import cases, portfolios

EXACT = SolveOptions(time_limit=60, gap=0.0, threads=1)
PLAIN = frozenset({"carry", "disbursement", "rules", "targets", "synergies"})


def envelope(amount, period="2021:2024", **more):
    """Return an envelope of the state."""
    return Envelope(source=("state",), period=period, amount=amount, **more)


def given_tables(*projects, amount=10, **more):
    """Return tables of the state with one envelope for all years."""
    more = {"sources": (Source(id="state"),), "envelopes": (envelope(amount),)} | more
    return tables(*projects, **more)


def worth(name, cost, value, **more):
    """Return a project of 2021."""
    return project(name, cost, value=Fraction(value), **{"latest_start": 2021} | more)


def routes(answer):
    """Return kind, key, least that does and most that does not, of each way in."""
    return [(r.kind, r.statement.key if r.statement else (), r.working, r.failing) for r in answer.routes]


def asked(given, name):
    """Return why a project is not in the best plan."""
    return why_not(given, optimize(given, EXACT), name, EXACT, "highs")


def test_each_way_in_is_told_with_the_number_that_does_and_the_one_that_does_not():
    """A costs 6 for 5 and B 6 for 4, of 10: B needs 1 more of value, 2 more of money, or to cost 2 less."""
    found = asked(given_tables(worth("A", 6, 5), worth("B", 6, 4)), "B")
    assert (found.extra_enough, found.extra_too_little) == (1, 1)
    assert found.leaves == ("A",)
    # With 2 more, both are in; no plan of 11 has B and is worth 5.
    assert routes(found) == [("envelope", (0,), 2, 1), ("cost", (), 2, 1)]
    assert str(found) == (
        "With B in it, the best plan found is worth 4 instead of 5, and A would leave. If the project were worth 1"
        " more, no plan without it would be better. With a rise of less than 1 every plan with it stays behind this"
        " plan. It gets in with 2 million VND more in the envelope of state for 2021:2024 (10 million VND), at no"
        " loss; with 1 it does not. It gets in if it costs 2 million VND less; 1 less is not enough."
    )


def test_the_rise_of_an_envelope_counts_its_reserve():
    """A tenth stays back: 12 of room need an amount of 14, floor(13.3…) being 11 at 13."""
    given = given_tables(worth("A", 6, 5), worth("B", 6, 4), envelopes=(envelope(10, reserve=Fraction(1, 10)),))
    assert routes(asked(given, "B"))[0] == ("envelope", (0,), 4, 3)


def test_the_rise_of_an_envelope_counts_what_it_passes_on():
    """B costs 6 in the second phase, which has 2; half of what is left of the first may be carried there.

    The first has 10, of which A takes 5; with 10 no more than 5 are carried, and B needs 4 of them: it is in.
    With 8, of which A takes 5, only 3 are left: one more lets 4 pass, as half of 9.
    """
    rows = (worth("A", 5, 5), worth("B", 6, 4, earliest_start=2023, latest_start=2023))
    envelopes = (envelope(8, "A", carry_cap=Fraction(1, 2)), envelope(2, "B"))
    found = asked(given_tables(*rows, phases=PHASES, envelopes=envelopes), "B")
    assert routes(found)[:2] == [("envelope", (0,), 1, 0), ("envelope", (1,), 1, 0)]


def test_a_rule_that_bars_a_project_alone_is_named():
    """Money for both, but only one may start, and B is worth less; no money lets it in, without the rule it is."""
    rule = Rule(id="one-start", measure="starts", amount=Fraction(1))
    found = asked(given_tables(worth("A", 6, 5), worth("B", 6, 4), amount=20, rules=(rule,)), "B")
    assert [(r.kind, r.reached, r.working) for r in found.routes] == [
        ("envelope", False, None),
        ("cost", False, None),
        ("statement", True, None),
    ]
    assert found.routes[2].statement.key == ("one-start",)
    assert "On its own this keeps it out: the rule one-start: “The number of projects" in str(found)


def test_a_rule_of_law_is_named_and_not_offered():
    """The same rule with an article that nobody may waive."""
    rule = Rule(id="one-start", measure="starts", amount=Fraction(1), legal_ref="Article 1")
    found = asked(given_tables(worth("A", 6, 5), worth("B", 6, 4), amount=20, rules=(rule,)), "B")
    assert "It is law, and is not for the plan to set aside." in str(found)


def test_a_project_that_no_plan_can_have_is_told_with_what_stands_against_it():
    """B excludes A, and A is mandatory; money has nothing to do with it."""
    rows = (worth("A", 6, 5, mandatory=True), worth("B", 6, 4))
    found = asked(given_tables(*rows, amount=20, dependencies=(Dependency(kind="excludes", first="A", then="B"),)), "B")
    assert {(s.kind, s.key) for s in found.conflict.statements} == {
        ("mandatory", ("A",)),
        ("dependency", (0,)),
    }
    assert str(found).startswith("No plan funds B, whatever is given up for it; with it in every plan the")


def test_a_project_decided_out_is_told_so():
    """The decision and its reason come first; the rest says what would be without it."""
    out = Commitment(project="B", decision="out", reason="no site")
    found = asked(given_tables(worth("A", 6, 5), worth("B", 6, 4), committed=(out,)), "B")
    assert str(found).startswith("B is decided not to be funded (no site)")
    assert found.extra_enough == 1


def test_among_equal_plans_nothing_keeps_a_project_out():
    """A and B are alike: the plan has one of them, and the other is as good."""
    given = given_tables(worth("A", 6, 5), worth("B", 6, 5))
    answer = optimize(given, EXACT)
    other = ({"A", "B"} - {choice.project for choice in answer.allocation.choices}).pop()
    found = why_not(given, answer, other, EXACT, "highs")
    assert found.is_tie
    assert found.routes == ()
    assert "nothing keeps the project out" in str(found)


def test_nothing_is_claimed_that_the_bound_of_the_plan_does_not_prove():
    """With no bound on plans of B, it is not said what would be too little; the rise that is enough grows."""
    given = given_tables(worth("A", 6, 5), worth("B", 6, 4))
    exact = asked(given, "B")
    open_ = {"status": Status.FEASIBLE}
    answer, forced = replace(exact.answer, bound=7.0, **open_), replace(exact.forced, bound=6.0, **open_)
    loose = replace(exact, answer=answer, forced=forced)
    assert (loose.extra_enough, loose.extra_too_little) == (3, 0)
    assert "How much less would not do could not be decided." in str(loose)


def test_a_cut_of_nothing_is_not_called_too_little():
    """Where only the plan as it is is known not to do, the paragraph says that less may do."""
    exact = asked(given_tables(worth("A", 6, 5), worth("B", 6, 4)), "B")
    envelope_, cost = exact.routes
    loose = replace(exact, routes=(replace(envelope_, failing=0), replace(cost, working=5, failing=1)))
    assert "(10 million VND), at no loss; whether less would do could not be decided." in str(loose)
    assert "costs 5 million VND less; 1 less is not enough, and what lies between could not be decided." in str(loose)


@cases(15)
@given(data=st.data())
def test_an_envelope_raised_by_the_stated_amount_lets_the_project_in_and_by_one_less_does_not(data):
    """Whatever the portfolio: trying everything agrees, at the amount and at one million less."""
    drawn = data.draw(portfolios(with_sources=True, features=PLAIN))
    answer = optimize(drawn, EXACT)
    assume(answer.audit is not None)
    funded = {choice.project for choice in answer.allocation.choices}
    rejected = [row.id for row in drawn.projects if row.id not in funded]
    assume(rejected)
    found = why_not(drawn, answer, data.draw(st.sampled_from(rejected)), EXACT, "highs")
    decided = [*(row for row in drawn.committed if row.project != found.project)]
    own = next((row for row in drawn.committed if row.project == found.project), Commitment(project=found.project))
    inside = replace(drawn, committed=(*decided, replace(own, decision="in")))
    best = best_by_enumeration(inside)
    assert (best is None) == (found.forced.value is None)
    if best is None:
        assert found.conflict is not None
        return
    # A project that was decided out may make the plan better: it then lacks nothing.
    lacking = max(answer.value - best[0], 0)
    assert found.extra_enough == found.extra_too_little == lacking
    assert {*found.enters, *funded, found.project} - {*found.leaves} == {
        c.project for c in found.forced.allocation.choices
    }
    for route in found.routes:
        if route.kind not in ("envelope", "cost"):
            continue
        assert route.exact or route.reached is False or (route.working, route.failing) == (0, -1)

        def reaches(number, route=route):
            changed = best_by_enumeration(eased(inside, found.project, route, number))
            return changed is not None and changed[0] >= answer.value

        if route.reached:
            assert reaches(route.working)
        if route.failing >= 0:
            assert not reaches(route.failing)


def eased(given, project, route, number):
    """Return tables with an envelope raised, or the cost of the project cut, by so much."""
    if route.kind == "cost":
        whole = base_costs(given)[project]
        return with_cost_factors(given, {project: Fraction(whole - number, whole)})
    rows, (place,) = list(given.envelopes), route.statement.key
    rows[place] = replace(rows[place], amount=rows[place].amount + number)
    return replace(given, envelopes=tuple(rows))


@cases(15)
@given(data=st.data())
def test_a_funded_project_is_worth_what_trying_everything_says(data):
    """The loss is that of the best plan without it; up to the stated rise of its cost it holds its own, beyond not."""
    drawn = data.draw(portfolios(with_sources=True, features=PLAIN))
    answer = optimize(drawn, EXACT)
    assume(answer.audit is not None)
    assume(answer.allocation.choices)
    name = data.draw(st.sampled_from([choice.project for choice in answer.allocation.choices]))
    found = why(drawn, answer, name, EXACT, "highs")
    without = best_by_enumeration(with_decision(drawn, name, "out"))
    assert (without is None) == (found.without.value is None)
    if without is None:
        return
    assert found.loss_least == found.loss_most == answer.value - without[0]
    if found.rise is None:
        return
    inside, whole = with_decision(drawn, name, "in"), base_costs(drawn)[name]

    def holds(rise):
        dearer = best_by_enumeration(with_cost_factors(inside, {name: Fraction(whole + rise, whole)}))
        return dearer is not None and dearer[0] >= without[0]

    assert holds(found.rise.failing)
    assert found.rise.working is None or (found.rise.exact and not holds(found.rise.working))


def test_what_a_funded_project_is_worth_and_when_it_falls_out():
    """Without A, worth 5, comes B, worth 4: A may lose 1 of value, and 4 of cost, 6 being paid of 10."""
    given = given_tables(worth("A", 6, 5), worth("B", 6, 4))
    found = why(given, optimize(given, EXACT), "A", EXACT, "highs")
    assert (found.loss_least, found.loss_most, found.falls_out) == (1, 1, 1)
    assert (found.rise.failing, found.rise.working) == (4, 5)
    assert (found.enters, found.leaves) == (("B",), ())
    assert str(found) == (
        "Without A the plan loses 1: no plan without it loses less. In its place come: B; with it leave: –. If its"
        " value falls by more than 1, no best plan funds it. Its cost may rise by 4 million VND before it falls out;"
        " with 5 the best plan without it is better."
    )


def test_a_project_that_must_be_funded_may_cost_the_plan_value():
    """B is mandatory and keeps A out, which is worth 1 more."""
    given = given_tables(worth("A", 6, 5), worth("B", 6, 4, mandatory=True))
    found = why(given, optimize(given, EXACT), "B", EXACT, "highs")
    assert found.must
    assert str(found).startswith("Every plan has to fund B: it is mandatory, committed or under way.")
    assert "a plan was found that is worth 1 more" in str(found)


def test_a_project_without_which_there_is_no_plan_is_told_so():
    """A group asks for exactly one of A alone."""
    group = (Membership(group="G", project="A", kind="exactly_one_of"),)
    given = given_tables(worth("A", 6, 5), groups=group)
    assert "Without A there is no plan at all." in str(why(given, optimize(given, EXACT), "A", EXACT, "highs"))


def test_of_ordered_classes_no_single_extra_value_is_named():
    """B of class 2 would leave class 1 with less; more money lets it in."""
    rows = (worth("A", 6, 5, priority=1), worth("B", 6, 4, priority=2))
    found = asked(given_tables(*rows, objective={"goal": "lexicographic"}), "B")
    assert found.extra_enough is None
    assert routes(found) == [("envelope", (0,), 2, 1), ("cost", (), 2, 1)]
    assert "Classes are ordered" in str(found)


def test_a_plan_answers_by_project_id():
    """`why_not` is asked about what is left out, `why` about what is funded; anything else is told what to ask."""
    portfolio: Portfolio = sample()
    plan: Plan = portfolio.optimize(threads=1)
    assert plan.why_not("C", threads=1).to_frame()["route"].tolist() == ["value", "envelope", "envelope", "cost"]
    assert plan.why("A", threads=1).to_frame()["rise_out"].tolist() == [120]
    with pytest.raises(InvalidInput, match=r"The plan funds the project A.*plan\.why\('A'\)"):
        plan.why_not("A")
    with pytest.raises(InvalidInput, match=r"does not fund the project C.*plan\.why_not\('C'\)"):
        plan.why("C")
    with pytest.raises(UnknownName, match="There is no project 'Z'"):
        plan.why_not("Z")
    with pytest.raises(InvalidInput, match="project is 3"):
        plan.why(3)
    with pytest.raises(CapallocError, match="There is no plan to show"):
        portfolio.evaluate(["A", "B", "C"]).why_not("C")


def test_the_answers_are_said_in_vietnamese_too():
    """Sentences and numbers in the form of the language."""
    plan = sample().optimize(threads=1)
    found, kept = plan.why_not("C", threads=1), plan.why("A", threads=1)
    with speaking("vi"):
        assert "Dự án vào được kế hoạch nếu chi phí giảm 681 triệu đồng; giảm 680 thì chưa đủ." in str(found)
        assert "Nếu bỏ A (Đường A), kế hoạch giảm giá trị 3" in str(kept)
        assert "hạn mức vốn từ Ngân sách, thời kỳ 2026-2030 (1.600 triệu đồng)" in found._repr_html_()


def test_what_was_not_decided_in_time_is_not_claimed():
    """Where no plan with B, or without A, was found nor excluded, neither is said to exist or not."""
    given = given_tables(worth("A", 6, 5), worth("B", 6, 4))
    open_ = {"status": Status.UNKNOWN, "allocation": None, "audit": None, "bound": math.inf}
    found, kept = asked(given, "B"), why(given, optimize(given, EXACT), "A", EXACT, "highs")
    found = replace(found, forced=replace(found.forced, **open_), routes=())
    kept = replace(kept, without=replace(kept.without, **open_), rise=None)
    assert (found.extra_enough, found.extra_too_little, kept.loss_least, kept.loss_most) == (None,) * 4
    assert str(found) == "Whether any plan can fund B could not be decided within the time limit."
    assert str(kept) == "What a plan without A would be worth could not be decided within the time limit."


def test_a_loss_lies_between_what_both_bounds_leave_open():
    """A plan of 5 with a bound of 7, and of 4 without A with one of 4.5: the loss is 0.5 to 1, the fall 3."""
    given = given_tables(worth("A", 6, 5), worth("B", 6, 4))
    kept = why(given, optimize(given, EXACT), "A", EXACT, "highs")
    open_ = {"status": Status.FEASIBLE}
    loose = replace(
        kept, answer=replace(kept.answer, bound=7.0, **open_), without=replace(kept.without, bound=4.5, **open_)
    )
    assert (loose.loss_least, loose.loss_most, loose.falls_out) == (Fraction(1, 2), 1, 3)


@pytest.mark.parametrize(("cost", "known"), [(1, (True, 1, 0)), (2, (None, None, 0))])
def test_what_a_greater_amount_breaks_again_is_not_called_impossible(cost, known):
    """99/100 of the envelope of 10 must be paid: A gets in beside B with as much more as it costs, and with no more.

    That is found for 1 more; the 2 more are passed over, and then it is undecided, and not impossible.
    """
    floor = Rule(id="spend", measure="paid", sense=">=", amount=Fraction(99, 100), share_of="envelope:state")
    rest = worth("C", 10 - cost, Fraction(1, 2))
    given = given_tables(worth("A", cost, 4), worth("B", 10, 5), rest, rules=(floor,))
    found = asked(given, "A")
    (route,) = [own for own in found.routes if own.kind == "envelope"]
    assert (route.reached, route.working, route.failing) == known
    assert ("Whether a rise of one of these envelopes alone lets it in could not be decided" in str(found)) == (
        cost == 2
    )


def test_where_a_rule_asks_for_costs_no_cut_is_called_useless():
    """A fits beside B at a cut of 2 or 3: less is too dear for 15, and more spends less than the 14 that are asked."""
    given = given_tables(
        worth("A", 8, 4),
        worth("B", 9, 5),
        worth("C", 14, 6),
        worth("D", 6, Fraction(1, 2)),
        amount=15,
        rules=(Rule(id="spend", measure="cost", sense=">=", amount=Fraction(14)),),
        dependencies=tuple(Dependency(kind="excludes", first=one, then=other) for one, other in ("AC", "BD")),
    )
    found = asked(given, "A")
    (route,) = [own for own in found.routes if own.kind == "cost"]
    assert (route.reached, route.working) == (None, None)
    assert "Whether a cut of its cost lets it in could not be decided." in str(found)


def test_where_a_rule_asks_for_costs_a_cut_is_not_called_the_least():
    """P fits beside Q1 at a cut of 430 and beside R at one of 980; between them too little is spent."""
    given = given_tables(
        worth("P", 1000, 6),
        worth("Q1", 400, 5),
        worth("Q2", 700, 9),
        worth("R", 980, 10),
        amount=1000,
        rules=(Rule(id="spend", measure="cost", sense=">=", amount=Fraction(970)),),
    )
    found = asked(given, "P")
    (route,) = [own for own in found.routes if own.kind == "cost"]
    assert route.working is not None
    assert not route.exact
    assert f"{route.working - 1} less is not enough" not in str(found)


def test_without_a_plan_that_has_it_all_time_goes_into_one(monkeypatch):
    """The first run finds nothing, the second has what time is left; no way in is looked for without a plan."""
    given, limits = given_tables(worth("A", 6, 5), worth("B", 6, 4)), []
    answer = optimize(given, EXACT)

    def nothing(tables, options, engine, **_):
        limits.append(options.time_limit)
        return replace(answer, status=Status.UNKNOWN, allocation=None, audit=None)

    monkeypatch.setattr("capalloc.whynot.optimize", nothing)
    found = why_not(given, answer, "B", EXACT, "highs")
    assert limits[1] > 3 * limits[0]
    assert (found.routes, found.forced.value) == ((), None)
    assert "could not be decided" in str(found)


def test_when_the_time_is_up_the_envelopes_that_are_left_are_not_asked(monkeypatch):
    """A portfolio of many envelopes keeps its limit: what was not asked is undecided."""
    given = given_tables(worth("A", 6, 5), worth("B", 6, 4))
    answer = optimize(given, EXACT)
    monkeypatch.setattr("capalloc.whynot.Budget.spent", True)
    monkeypatch.setattr("capalloc.whynot.least_amount", None)
    found = why_not(given, answer, "B", EXACT, "highs")
    assert [own.reached for own in found.routes if own.kind == "envelope"] == [None]

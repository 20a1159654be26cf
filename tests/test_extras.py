"""Rules, targets and synergies in the model: every engine plans small portfolios whose answers one can see."""

from fractions import Fraction

import pytest

from building import project, tables
from capalloc.compiling import compile_tables
from capalloc.engines import engine_named
from capalloc.issues import InvalidInput
from capalloc.model import SolveOptions, Status
from capalloc.records import (
    Contribution,
    Envelope,
    Indicator,
    Resource,
    Rule,
    Share,
    Source,
    Synergy,
    Target,
    Use,
)
from capalloc.solving import optimize

ENGINES = ["highs", "enumeration", "pulp:CBC"]
EXACT = SolveOptions(time_limit=60, gap=0.0, threads=1)


@pytest.fixture(params=ENGINES)
def plan(request):
    """Plan tables with one engine: value and funded projects with their start years, or the status without a plan.

    The model alone, before anything is verified or cut off, promises exactly that; unless ``fractions`` says that its
    payments, which need not be whole, promise more.
    """

    def best(given, fractions=False):
        answer, compiled = optimize(given, EXACT, request.param), compile_tables(given)
        promised = engine_named("highs").solve(compiled.model, EXACT).bound * float(compiled.unit)
        assert fractions or promised == pytest.approx(answer.bound)
        if answer.audit is None:
            return answer.status
        assert answer.status is Status.OPTIMAL
        assert answer.bound == float(answer.value)
        return answer.value, {row.project: row.start for row in answer.audit.projects}

    return best


def funded(found):
    """Return value and funded projects, whatever their start years."""
    return found[0], "".join(found[1])


def two(**more):
    """Return P, worth 5 at a cost of 3, and Q, worth 4 at a cost of 2; both may start in any year."""
    more.setdefault("discount_rate", 0)
    return tables(project("P", 3, value=Fraction(5)), project("Q", 2, value=Fraction(4)), **more)


def rule(measure, sense, amount, price=None, **more):
    """Return a rule; the amount and the price may be texts such as 1/2."""
    return Rule(
        id="r",
        measure=measure,
        sense=sense,
        amount=Fraction(amount),
        price=None if price is None else Fraction(price),
        **more,
    )


def test_a_synergy_counts_only_when_all_its_projects_are_funded(plan):
    """P and Q cannot both be paid, so the 9 for both stay out; where they can, 5 + 4 + 9."""
    synergies = (Synergy(id="s", projects=("P", "Q"), value=Fraction(9)),)
    assert plan(two(synergies=synergies, rules=(rule("cost", "<=", 4),)))[0] == 5
    assert plan(two(synergies=synergies))[0] == 18


def test_a_negative_synergy_is_weighed_against_what_it_would_spoil(plan):
    """Together P and Q are worth 9 − 9/2, less than P alone; with − 7/2 they are worth more."""
    assert plan(two(synergies=(Synergy(id="s", projects=("P", "Q"), value=Fraction(-9, 2)),)))[0] == 5
    assert plan(two(synergies=(Synergy(id="s", projects=("P", "Q"), value=Fraction(-7, 2)),)))[0] == Fraction(11, 2)


def test_a_synergy_of_projects_that_exclude_each_other_is_never_reached(plan):
    """Its column cannot be taken for itself."""
    given = two(synergies=(Synergy(id="s", projects=("P", "Q"), value=Fraction(9)),), rules=(rule("active", "<=", 1),))
    assert plan(given)[0] == 5


def test_counts_are_by_the_year_of_start_the_year_of_completion_or_any_year_between(plan):
    """P and Q last two years; at most one may start, be completed or be under way in 2022."""
    long = [project(name, value=Fraction(1), duration=2, latest_start=2022) for name in "PQ"]
    for measure, sense, amount, possible in (
        ("starts", ">=", 2, {2022}),
        ("starts", "<=", 0, {2021}),
        ("completions", ">=", 2, {2021}),
        ("completions", "<=", 0, {2022}),
        ("active", ">=", 2, {2021, 2022}),
    ):
        value, starts = plan(tables(*long, rules=(rule(measure, sense, amount, period="2022"),)))
        assert value == 2
        assert set(starts.values()) <= possible
    assert plan(tables(*long, rules=(rule("active", "<=", 1, period="2022"),)))[0] == 1
    early = [project(name, value=Fraction(1), duration=2, latest_start=2021) for name in "PQ"]
    assert plan(tables(*early, rules=(rule("active", "<=", 1, period="2022"),)))[0] == 1
    assert plan(tables(*early, rules=(rule("active", "<=", 1, period="2023"),)))[0] == 2


def test_the_cost_of_a_period_is_that_of_its_years(plan):
    """P costs 4 in two years; 2 may be spent in 2021, so that P may start; 1 may not."""
    given = project("P", 4, value=Fraction(5), duration=2, latest_start=2021)
    assert plan(tables(given, rules=(rule("cost", "<=", 2, period="2021"),))) == (5, {"P": 2021})
    assert plan(tables(given, rules=(rule("cost", "<=", 1, period="2021"),))) == (0, {})


def test_a_tail_is_what_projects_started_by_the_end_of_a_phase_cost_after_it(plan):
    """P costs 2 a year for two years: started in 2022 it leaves 2 for phase B, started in B it leaves no tail to A."""
    given = project("P", 4, value=Fraction(5), duration=2, earliest_start=2022, latest_start=2022)
    assert plan(tables(given, rules=(rule("tail", "<=", 2, period="A"),))) == (5, {"P": 2022})
    assert plan(tables(given, rules=(rule("tail", "<=", 1, period="A"),))) == (0, {})
    later = project("P", 4, value=Fraction(5), duration=2, earliest_start=2023)
    assert plan(tables(later, rules=(rule("tail", "<=", 0, period="A"),)))[0] == 5


def test_the_value_of_a_selection_may_be_asked_for(plan):
    """At least 4 from projects other than P means Q, though P alone fits the money and is worth more."""
    rules = (
        rule("value", ">=", 4, selection='id != "P"'),
        Rule(id="m", measure="cost", sense="<=", amount=Fraction(3)),
    )
    assert funded(plan(two(rules=rules))) == (4, "Q")


def test_value_falls_into_the_year_in_which_it_counts(plan):
    """P, two years from 2021, is of 2021 where values count at the start and of 2022 where they count at completion."""
    given = project("P", value=Fraction(5), duration=2, latest_start=2021)
    for at, year in (("start", 2021), ("completion", 2022)):
        none = (rule("value", "<=", 0, period=str(year)),)
        other = (rule("value", "<=", 0, period=str(4043 - year)),)
        assert plan(tables(given, objective={"at": at}, rules=none))[0] == 0
        assert plan(tables(given, objective={"at": at}, rules=other))[0] == 5


def test_a_share_of_another_measure_follows_it(plan):
    """Q costs 2 of 5 together, 40 %: a floor of 2/5 holds with both, one a trifle higher drops P."""
    floor = {"measure": "cost", "sense": ">=", "selection": 'id == "Q"', "share_of": "cost; True"}
    assert plan(two(rules=(rule(amount="2/5", **floor),)))[0] == 9
    assert plan(two(rules=(rule(amount="41/100", **floor),)))[0] == 4


def test_an_envelope_is_a_number_to_compare_with(plan):
    """Of the 10 of the state half may go to P and Q, which cost 5; with less than half one of them does without."""
    money = {
        "sources": (Source(id="s", side="state"),),
        "envelopes": (
            Envelope(source=("s",), period="A", amount=4),
            Envelope(source=("s",), period="B", amount=6),
        ),
    }
    assert plan(two(rules=(rule("cost", "<=", "1/2", share_of="envelope:s"),), **money))[0] == 9
    assert plan(two(rules=(rule("cost", "<=", "49/100", share_of="envelope:s"),), **money))[0] == 5
    # In phase A alone there are 4, so 2 for the projects that start there; B has 3.
    rules = (
        Rule(id="a", measure="cost", period="A", sense="<=", amount=Fraction(1, 2), share_of="envelope:s"),
        Rule(id="b", measure="starts", period="B", sense="<=", amount=Fraction(0)),
    )
    assert plan(two(rules=rules, **money))[0] == 4


MONEY = {
    "sources": (Source(id="s", side="state"), Source(id="o", side="state")),
    "envelopes": tuple(
        Envelope(source=(name,), period=period, amount=20) for name in ("s", "o") for period in ("A", "B")
    ),
}


def test_payments_of_a_source_for_some_projects_are_told_apart_in_a_shared_pool(plan):
    """The ODA must pay at least 3 for P and nothing for Q: possible, although both draw on the same pool."""
    rules = (
        Rule(id="p", measure="paid:o", selection='id == "P"', sense=">=", amount=Fraction(3)),
        Rule(id="q", measure="paid:o", selection='id == "Q"', sense="<=", amount=Fraction(0)),
    )
    assert plan(two(rules=rules, **MONEY))[0] == 9
    more = (*rules, Rule(id="more", measure="paid:o", sense=">=", amount=Fraction(4)))
    assert plan(two(rules=more, **MONEY)) is Status.INFEASIBLE


def test_payments_are_told_apart_by_year(plan):
    """P, 2 a year in 2021 and 2022, gets exactly 1 from o in 2021 and 2 in 2022."""
    given = project("P", 4, value=Fraction(5), duration=2, latest_start=2021)
    rules = (
        Rule(id="a", measure="paid:o", period="2021", sense="==", amount=Fraction(1)),
        Rule(id="b", measure="paid:o", period="2022", sense="==", amount=Fraction(2)),
    )
    answer = optimize(tables(given, rules=rules, **MONEY), EXACT)
    assert sorted((p.year, p.source, p.amount) for p in answer.allocation.payments) == [
        (2021, "o", 1),
        (2021, "s", 1),
        (2022, "o", 2),
    ]
    assert plan(tables(given, rules=rules, **MONEY)) == (5, {"P": 2021})


def test_what_one_source_alone_may_pay_counts_as_its_payment(plan):
    """With the only source barred from paying more than 3, one of the two is left."""
    money = {"sources": MONEY["sources"][:1], "envelopes": MONEY["envelopes"][:2]}
    assert funded(plan(two(rules=(rule("paid:s", "<=", 3),), **money))) == (5, "P")
    assert plan(two(rules=(rule("paid", "<=", 4),), **money))[0] == 5


def test_private_money_must_follow_public_money(plan):
    """For every 2 of the state 1 private: P costs 3 and the private source may pay a third of it."""
    sources = (Source(id="s", side="state"), Source(id="x", side="non_state", unlimited=True))
    given = {
        "sources": sources,
        "envelopes": MONEY["envelopes"][:2],
        "shares": (Share(project="P", source=("x",), max=Fraction(1, 3)),),
    }
    rules = (rule("paid:x", ">=", "1/2", share_of="paid:s"),)
    assert funded(plan(two(rules=rules, **given))) == (5, "P")


def test_a_soft_rule_is_broken_when_that_pays(plan):
    """Q costs 2 beyond the 3 allowed: at 1 a unit both are worth 9 − 2, at 3 a unit P alone is better."""
    assert plan(two(rules=(rule("cost", "<=", 3, 1),)))[0] == 7
    assert plan(two(rules=(rule("cost", "<=", 3, 3),)))[0] == 5
    # Exactly 4 is missed by 1 from either side: P and Q spend 1 more, P alone 1 less.
    assert plan(two(rules=(rule("cost", "==", 4, "1/3"),)))[0] == Fraction(26, 3)
    assert plan(two(rules=(rule("cost", "==", 4, 5),)))[0] == 4


def test_a_soft_rule_about_payments_charges_for_whole_amounts(plan):
    """Half of P's 3 from o would be free in fractions; whole payments miss by 1/2, at 8 a unit for 4."""
    rules = (rule("paid:o", "==", "1/2", 8, selection='id == "P"', share_of="cost"),)
    assert funded(plan(two(rules=rules, **MONEY), fractions=True)) == (5, "PQ")


def test_where_whole_amounts_cost_more_another_selection_is_better(plan):
    """Missing by 1/2 at 12 a unit costs 6, more than P is worth, although in fractions P would be free."""
    rules = (rule("paid:o", "==", "1/2", 12, selection='id == "P"', share_of="cost"),)
    assert funded(plan(two(rules=rules, **MONEY), fractions=True)) == (4, "Q")


def test_a_hard_rule_that_no_whole_payment_keeps_leaves_the_project_out(plan):
    """Exactly half of 3 cannot be paid in whole units, half of 2 can."""
    rules = (rule("paid:o", "==", "1/2", selection='id == "P"', share_of="cost"),)
    assert funded(plan(two(rules=rules, **MONEY), fractions=True)) == (4, "Q")
    assert plan(two(rules=(rule("paid:o", "==", "1/2", selection='id == "Q"', share_of="cost"),), **MONEY))[0] == 9


JOBS = {
    "indicators": (Indicator(id="jobs", baseline=Fraction(10)),),
    "contributions": (
        Contribution(project="P", indicator="jobs", amount=Fraction(3, 2)),
        Contribution(project="Q", indicator="jobs", amount=Fraction(5)),
    ),
}


def test_a_target_counts_the_baseline_and_what_is_completed_in_time(plan):
    """11.5 by 2022 needs P or Q by then, 15 needs Q, 16.5 both and 16.6 cannot be reached."""
    one = rule("starts", "<=", 1)

    def reach(amount, **more):
        target = Target(indicator="jobs", by_year=2022, at_least=Fraction(amount), **more)
        return plan(two(targets=(target,), rules=(one,), **JOBS))

    assert reach("23/2")[0] == 5
    assert reach(15)[0] == 4
    assert reach("33/2") is Status.INFEASIBLE
    # At 1/5 a unit P alone, 7/2 short of 15, costs 7/10, less than the 1 that P is worth more than Q.
    assert reach(15, price=Fraction(1, 5))[0] == Fraction(43, 10)
    assert reach(15, price=Fraction(1))[0] == 4


def test_an_indicator_counts_in_a_rule_without_its_baseline(plan):
    """Completed in phase A: at most 5 means Q alone there, and P in phase B."""
    given = two(rules=(rule("jobs", "<=", 5, period="A"), rule("starts", ">=", 1, period="A")), **JOBS)
    value, starts = plan(given)
    assert value == 9
    assert sorted(year > 2022 for year in starts.values()) == [False, True]


def test_a_resource_counts_the_uses_in_the_years_of_the_period(plan):
    """P uses 1.5 in the year after its start; not more than 1 in 2022 keeps it from starting in 2021."""
    given = two(
        resources=(Resource(id="land"),),
        uses=(Use(project="P", resource="land", offset=1, amount=Fraction(3, 2)),),
        rules=(rule("resource:land", "<=", 1, period="2022"), rule("starts", "<=", 0, period="2022:2024")),
    )
    assert plan(given) == (4, {"Q": 2021})


def test_a_rule_that_is_switched_off_does_nothing(plan):
    """It is neither kept nor charged."""
    assert plan(two(rules=(rule("starts", "<=", 0, enabled=False),)))[0] == 9


def test_a_rule_that_nothing_can_keep_is_infeasible(plan):
    """Three starts of two projects; and a rule about nothing at all."""
    assert plan(two(rules=(rule("starts", ">=", 3),))) is Status.INFEASIBLE
    assert plan(two(rules=(rule("starts", ">=", "1/2", selection='id == "none"'),))) is Status.INFEASIBLE
    assert plan(two(rules=(rule("starts", ">=", "1/2", 2, selection='id == "none"'),)))[0] == 8


def test_numbers_too_far_apart_to_be_added_up_are_refused_at_the_rule():
    """A value in millionths and an amount with thirty digits need more than a float holds."""
    given = two(rules=(rule("value", "<=", Fraction(10**24 + 1, 10**12), 1),))
    with pytest.raises(InvalidInput, match="rule-too-fine"):
        compile_tables(given)


def test_the_model_and_the_verifier_agree_to_the_last_unit_on_any_point():
    """The compiled value of an allocation counts its synergies and what its whole payments miss."""
    given = two(
        synergies=(Synergy(id="s", projects=("P", "Q"), value=Fraction(1, 3)),),
        rules=(rule("paid:o", "==", "1/2", "1/7", share_of="cost"),),
        **MONEY,
    )
    answer, compiled = optimize(given, EXACT), compile_tables(given)
    point = compiled.point(answer.allocation)
    # 5 cost, so 5/2 asked from o and missed by 1/2.
    assert compiled.value(point) == 9 + Fraction(1, 3) - Fraction(1, 14) == answer.value


def test_values_in_millionths_of_many_start_years_are_not_too_fine():
    """Only one start of a project counts, so that what all its options add up to need not fit."""
    given = tables(project("P", 3, value=Fraction(10**9) + Fraction(1, 10**6)), rules=(rule("value", "<=", 10**9),))
    assert optimize(given, EXACT).value == 0
    compiled = compile_tables(given)
    assert compiled.model.row_upper[-1] == 0

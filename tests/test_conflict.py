"""Conflicts: a set of statements that leaves no plan, none of which can be spared, and what mends it."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from brute import best_by_enumeration
from building import project, tables
from capalloc import InvalidInput
from capalloc.catalogue import speaking
from capalloc.conflict import find_conflict
from capalloc.engines import engine_named
from capalloc.model import SolveOptions
from capalloc.records import (
    Capacity,
    Commitment,
    Contribution,
    Dependency,
    Envelope,
    Indicator,
    Membership,
    Resource,
    Rule,
    Share,
    Source,
    Target,
    Use,
)
from capalloc.statements import Statement, in_words, statements_of, without
from sample import sample
from strategies import cases, portfolios

EXACT = SolveOptions(time_limit=60, gap=0.0, threads=1)
PLAIN = frozenset({"rules", "targets"})


def conflict(given, before=None, options=EXACT):
    """Return what conflicts."""
    return find_conflict(given, before, options, engine_named("highs"))


def names(found):
    """Return kind and key of what conflicts."""
    return {(statement.kind, statement.key) for statement in found.statements}


def must(name, cost, **more):
    """Return a mandatory project."""
    return project(name, cost, mandatory=True, **more)


def money(*amounts):
    """Return the state with an envelope a phase."""
    rows = zip(amounts, ("2021:2024",) if len(amounts) == 1 else ("A", "B"), strict=True)
    envelopes = tuple(Envelope(source=("state",), period=period, amount=amount) for amount, period in rows)
    return {"sources": (Source(id="state"),), "envelopes": envelopes}


def test_mandatory_projects_that_cost_too_much_together_conflict_with_their_envelope():
    """A and B cost 6 each, of 10; C costs nothing to speak of and is no part of it."""
    found = conflict(tables(must("A", 6), must("B", 6), must("C", 1), project("D", 5), **money(11)))
    assert found.possible is False
    assert found.minimal
    assert names(found) == {("mandatory", ("A",)), ("mandatory", ("B",)), ("envelope", (0,))}


def test_what_mends_it_is_ranked_by_money():
    """Of 10, A needs 6, B 7 and C 1: the envelope lacks 4; without A or B the rest fits."""
    found = conflict(tables(must("A", 6), must("B", 7), must("C", 1), **money(10)))
    assert [(r.kind, r.statement.kind, r.statement.key, r.money, r.least, r.enough) for r in found.repairs] == [
        ("raise", "envelope", (0,), 4, True, True),
        ("drop", "mandatory", ("A",), 6, False, True),
        ("drop", "mandatory", ("B",), 7, False, True),
    ]
    assert str(found) == (
        "These statements conflict, and without any one of them the others leave a plan: A is mandatory; B is"
        " mandatory; the envelope of state for 2021:2024 (10 million VND). Any one of these changes is enough, the"
        " least money first: raise the envelope of state for 2021:2024 (10 million VND) by 4 million VND (no less"
        " will do); set this aside: A is mandatory (6 million VND over its life); set this aside: B is mandatory (7"
        " million VND over its life)."
    )


def test_many_mandatory_projects_are_told_in_one_breath():
    """Seven of 2 and room for 13: the paragraph counts them, the table names each."""
    found = conflict(tables(*(must(f"P{number}", 2) for number in range(7)), **money(13)))
    assert len(found.to_frame()) == 8
    assert "leave a plan: 7 projects are mandatory (P0, P1, P2, P3, P4 and 2 more); the envelope" in str(found)


def test_a_rule_of_law_is_part_of_a_conflict_and_never_offered_for_change():
    """At least two starts, of which only one can be paid; the rule has an article and nobody may waive it."""
    rule = Rule(id="two", measure="starts", sense=">=", amount=Fraction(2), legal_ref="Article 5")
    given = tables(project("A", 6), project("B", 6), rules=(rule,), **money(10))
    found = conflict(given)
    assert names(found) == {("rule", ("two",)), ("envelope", (0,))}
    assert [r.kind for r in found.repairs] == ["raise"]
    assert str(found).endswith("Statements of law are not offered for change.")


def test_a_rule_that_may_be_waived_gives_by_the_least_that_is_needed():
    """The same rule, waivable: one start less is enough."""
    rule = Rule(id="two", measure="starts", sense=">=", amount=Fraction(2), legal_ref="A 5", waivable="the council")
    found = conflict(tables(project("A", 6), project("B", 6), rules=(rule,), **money(10)))
    assert [(r.kind, r.amount, r.money) for r in found.repairs] == [("raise", None, 2), ("ease", 1, None)]


def test_a_rule_about_money_gives_in_million():
    """A costs 6 and may cost at most 4 in all: 2 million less of the rule."""
    rule = Rule(id="cap", measure="cost", sense="<=", amount=Fraction(4))
    found = conflict(tables(must("A", 6), rules=(rule,), **money(10)))
    assert names(found) == {("mandatory", ("A",)), ("rule", ("cap",))}
    assert [(r.kind, r.money, r.amount) for r in found.repairs] == [("ease", 2, 2), ("drop", 6, None)]


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("dependency", {"dependencies": (Dependency(kind="excludes", first="A", then="B"),)}),
        ("group", {"groups": tuple(Membership(group="G", project=p, kind="one_of") for p in "AB")}),
        (
            "resource",
            {
                "resources": (Resource(id="land"),),
                "uses": tuple(Use(project=p, resource="land", amount=Fraction(2)) for p in "AB"),
                "capacities": (Capacity(resource="land", period="2021:2024", amount=Fraction(3)),),
            },
        ),
    ],
)
def test_any_statement_that_keeps_two_mandatory_projects_apart_is_named(kind, more):
    """An exclusion, a group of which one may be, or land for one of them."""
    found = conflict(tables(must("A", 1), must("B", 1), **money(10), **more))
    assert {name for name, _ in names(found)} == {"mandatory", kind}
    assert len(found.statements) == 3
    assert found.minimal


def test_a_target_and_the_deadline_that_a_window_sets_conflict():
    """Ten kilometres by 2022 need A, which may start in 2023 at the earliest."""
    given = tables(
        project("A", 6, earliest_start=2023),
        indicators=(Indicator(id="km", name="roads"),),
        contributions=(Contribution(project="A", indicator="km", amount=Fraction(10)),),
        targets=(Target(indicator="km", by_year=2022, at_least=Fraction(10)),),
        **money(10),
    )
    found = conflict(given)
    assert names(found) == {("target", ("km", 2022)), ("window", ("A",))}
    assert "the start years of A" in str(found)


def test_what_the_law_bars_is_law():
    """The tables as given leave every year open; those in force do not, so that the window is law."""
    given = tables(must("A", 6, earliest_start=2024), project("B", 1), **money(10))
    before = replace(given, projects=(must("A", 6), project("B", 1)))
    laws = {statement.kind: statement.law for statement in statements_of(given, before)}
    assert laws == {"mandatory": False, "envelope": False, "window": True}


def test_where_two_envelopes_lack_money_both_are_raised_together():
    """A needs 6 in the first phase, which has 4; B needs 6 in the second, which has 5; 3 in all and no less."""
    rows = (must("A", 6, latest_start=2022), must("B", 6, earliest_start=2023))
    found = conflict(tables(*rows, **money(4, 5)))
    assert not any(repair.enough for repair in found.repairs)
    assert found.together == ((0, 2), (1, 1))
    assert found.together_least == 3
    assert "in all 3 million VND, and no less than 3 will do" in str(found)


def test_a_portfolio_with_a_plan_has_no_conflict():
    """Nothing to tell; and within no time nothing is claimed."""
    assert sample().conflict(threads=1).possible is True
    assert str(sample().conflict(threads=1)) == "There is no conflict: a plan that obeys every statement exists."


def test_nothing_is_said_that_time_did_not_allow_to_decide():
    """A limit that is over before the first question leaves it open."""
    given = tables(must("A", 6), must("B", 6), **money(10))
    found = conflict(given, options=replace(EXACT, time_limit=1e-9))
    assert (found.possible, found.statements) == (None, ())
    assert str(found) == "Whether there is a plan could not be decided within the time limit."


def test_a_limit_that_makes_no_sense_is_refused():
    """As in optimize."""
    with pytest.raises(InvalidInput, match="time_limit is 0"):
        sample().conflict(time_limit=0)


EVERY_KIND = tables(
    must("A", 6, latest_start=2022, name_en="Road A"),
    project("B", 6),
    committed=(Commitment(project="B"), Commitment(project="A", decision="out")),
    dependencies=tuple(
        Dependency(kind=kind, first="A", then="B", lag=1)
        for kind in ("requires", "finish_start", "start_start", "together", "excludes")
    ),
    groups=(Membership(group="G", project="A"),),
    resources=(Resource(id="land", name="Đất"),),
    capacities=(Capacity(resource="land", period="A", amount=Fraction(3)),),
    indicators=(Indicator(id="km", name="Đường"),),
    targets=(Target(indicator="km", by_year=2022, at_least=Fraction(10)),),
    rules=(Rule(id="r", measure="starts", amount=Fraction(1)),),
    shares=(Share(project="A", source=("state",), max=Fraction(1, 2)),),
    may_cross_phase=False,
    **money(10),
)


@pytest.mark.parametrize("lang", ["en", "vi"])
def test_every_kind_of_statement_has_words(lang):
    """No two statements are called the same, in either language."""
    with speaking(lang):
        said = [in_words(EVERY_KIND, statement) for statement in statements_of(EVERY_KIND)]
    assert len(set(said)) == len(said) == 16


def test_without_every_statement_everything_can_be_funded():
    """Each statement set aside is gone from the tables; the amounts of envelopes stay for rules to be held against."""
    free = without(EVERY_KIND, statements_of(EVERY_KIND))
    assert statements_of(free) == (Statement("envelope", (0,)),)
    assert free.envelopes[0].amount == 10
    assert conflict(free).possible is True


@cases(20)
@given(data=st.data())
def test_conflicts_are_minimal_by_enumeration(data):
    """Trying everything: the set leaves no plan, and without any one of its statements there is one."""
    drawn = data.draw(portfolios(with_sources=True, features=PLAIN))
    drawn = replace(drawn, projects=tuple(replace(p, mandatory=True) for p in drawn.projects), committed=())
    assume(best_by_enumeration(drawn) is None)
    found = conflict(drawn)
    assert found.possible is False
    if not found.statements:
        return
    assert found.minimal
    all_ = statements_of(drawn)

    def possible(kept):
        return best_by_enumeration(without(drawn, [s for s in all_ if s not in kept])) is not None

    assert not possible(found.statements)
    for one in found.statements:
        assert possible([s for s in found.statements if s != one])


@cases(20)
@given(data=st.data())
def test_what_is_said_to_mend_a_conflict_does(data):
    """The envelope raised by the stated amount leaves a plan, and by one million less none."""
    drawn = data.draw(portfolios(with_sources=True, features=PLAIN))
    drawn = replace(drawn, projects=tuple(replace(p, mandatory=True) for p in drawn.projects), committed=())
    found = conflict(drawn)
    assume(found.possible is False)
    for repair in found.repairs:
        if not repair.enough:
            continue
        if repair.kind == "drop":
            assert best_by_enumeration(without(drawn, [repair.statement])) is not None
        if repair.kind == "raise":
            number = repair.statement.key[0]
            for more, works in ((repair.money, True), (repair.money - 1, False)):
                rows = list(drawn.envelopes)
                rows[number] = replace(rows[number], amount=rows[number].amount + more)
                assert (best_by_enumeration(replace(drawn, envelopes=tuple(rows))) is not None) == works

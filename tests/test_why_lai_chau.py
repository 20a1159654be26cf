"""Why not, on Lai Châu: every number that is told is asked again of another engine, at the number and one below it.

All but the urban projects are decided as in a plan of the province, so that each question is settled to the last
million.
"""

from dataclasses import replace
from fractions import Fraction

import pytest

import capalloc
from capalloc.amending import with_cost_factors
from capalloc.asking import with_decision
from capalloc.catalogue import speaking
from capalloc.model import SolveOptions
from capalloc.records import Commitment
from capalloc.solving import optimize
from capalloc.whynot import why_not
from documents import SCENARIOS

EXACT = SolveOptions(time_limit=None, gap=0.0, threads=1)
OUT = "LC-107"


@pytest.fixture(scope="module")
def decided():
    """Return the tables in which only urban projects are open, and the best plan of them."""
    tables = capalloc.load(SCENARIOS / "lai-chau").tables
    whole = optimize(tables, replace(EXACT, gap=2e-3))
    funded = {choice.project: choice for choice in whole.allocation.choices}
    rows = tuple(
        Commitment(project=row.id, decision="in", mode=funded[row.id].mode, start=funded[row.id].start)
        if row.id in funded
        else Commitment(project=row.id, decision="out")
        for row in tables.projects
        if row.sector != "Đô thị" and not row.mandatory
    )
    tables = replace(tables, committed=rows)
    return tables, optimize(tables, EXACT)


@pytest.fixture(scope="module")
def found(decided):
    """Return why an urban project is left out."""
    tables, answer = decided
    return why_not(tables, answer, OUT, EXACT, "highs")


def reaches(tables, value):
    """Return whether another engine finds a plan that is worth so much; if not, that it proves there is none."""
    answer = optimize(tables, EXACT, "capalloc")
    assert answer.value is None or answer.value >= value or answer.bound < float(value)
    return answer.value is not None and answer.value >= value


def test_each_envelope_lets_the_project_in_at_the_amount_and_not_at_one_million_less(decided, found):
    """All four envelopes, with the other three as they are."""
    tables, answer = decided
    inside = with_decision(tables, OUT, "in")
    routes = [route for route in found.routes if route.kind == "envelope"]
    assert len(routes) == 4
    for route in routes:
        assert route.exact
        (number,) = route.statement.key

        def raised(more, number=number):
            rows = list(inside.envelopes)
            rows[number] = replace(rows[number], amount=rows[number].amount + more)
            return replace(inside, envelopes=tuple(rows))

        assert reaches(raised(route.working), answer.value)
        assert not reaches(raised(route.failing), answer.value)


def test_the_cut_of_its_cost_lets_it_in_and_one_million_less_does_not(decided, found):
    """In proportion over its years."""
    tables, answer = decided
    inside = with_decision(tables, OUT, "in")
    (route,) = [route for route in found.routes if route.kind == "cost"]
    whole = next(row.cost or row.size for row in tables.projects if row.id == OUT)
    assert route.exact
    for cut, lets_in in ((route.working, True), (route.failing, False)):
        cheaper = with_cost_factors(inside, {OUT: Fraction(whole - cut, whole)})
        assert reaches(cheaper, answer.value) is lets_in


def test_the_value_that_is_missing_is_what_the_best_plan_with_it_is_worth_less(decided, found):
    """Another engine finds the same two values; what leaves is what that plan does not fund."""
    tables, answer = decided
    forced = optimize(with_decision(tables, OUT, "in"), EXACT, "capalloc")
    assert found.extra_enough == found.extra_too_little == answer.value - forced.value
    assert found.leaves
    assert OUT not in found.enters


def test_the_legal_group_is_said_to_stay(found):
    """A cheaper project may fall into another group of the law; in both languages."""
    assert "Its legal group, and what the law asks of that group, are taken as they are" in str(found)
    with speaking("vi"):
        assert "Nhóm của dự án theo pháp luật đầu tư công" in str(found)

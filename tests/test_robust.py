"""Robust envelopes: the best robust plan is that of trying everything, and it bears every case it must."""

from dataclasses import replace
from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from capalloc import InvalidInput, Status, UnknownName
from capalloc.bearing import Protected
from capalloc.catalogue import speaking
from capalloc.engines.highs import Highs
from capalloc.model import SolveOptions
from capalloc.protection import NOISE, Robust, Shield
from capalloc.records import Envelope, Project, Source
from capalloc.robust import robust_plan
from capalloc.settings import Settings
from capalloc.tables import Tables
from capalloc.verification import verify
from few import few, funded
from strategies import cases, portfolios

EXACT = {"gap": 0.0, "threads": 1}


def rising():
    """Four projects of 10 that may cost 15, 14, 12 and 10, in a room of 40."""
    highs = {"A": 15, "B": 14, "C": 12, "D": 10}
    return few({p: {"cost": 10, "cost_high": high, "value": 10 + n} for n, (p, high) in enumerate(highs.items())}, 40)


@pytest.mark.parametrize(
    ("gamma", "projects"),
    [
        (0, ["A", "B", "C", "D"]),  # nothing rises
        (1, ["B", "C", "D"]),  # all four need 45; of three any rise fits, and A is worth least
        (4, ["B", "C", "D"]),  # 14 + 12 + 10
    ],
)
def test_every_envelope_holds_when_the_worst_projects_rise(gamma, projects):
    """The best plan that bears Γ rises, and what it would come to then."""
    plan = rising().optimize(robust={"gamma": gamma}, **EXACT)
    assert funded(plan) == projects
    found = plan.robustness
    assert found.answer.status is Status.OPTIMAL
    (row,) = found.protections
    rises = sorted(
        (high - 10 for p, high in {"A": 15, "B": 14, "C": 12, "D": 10}.items() if p in projects), reverse=True
    )
    assert row.protected == 10 * len(projects) + sum(rises[:gamma])
    assert row.slack == 40 - row.protected


def test_the_price_of_robustness_is_what_the_plain_plan_is_worth_more():
    """46 without the demand, 36 with it; about other plans the plan itself claims only the plain bound."""
    plan = rising().optimize(robust={"gamma": 1}, **EXACT)
    assert plan.robustness.price == (10.0, 10.0)
    assert (plan.status, plan.value, plan.bound) == (Status.FEASIBLE, 36, 46)
    assert "costs between 10 and 10" in str(plan.robustness)
    with speaking("vi"):
        assert "Mọi hạn mức vốn vẫn được bảo đảm" in str(plan.robustness)
    assert list(plan.robustness.to_frame()["demand"]) == ["gamma"]


def test_the_worst_runs_of_drawn_costs_fit_on_average():
    """With no excess allowed, the mean cost of the dearest tenth of the runs lies within the room."""
    portfolio = rising()
    robust = {"cvar": 0.0, "level": 0.9, "scenarios": 50}
    plan = portfolio.optimize(robust=robust, **EXACT)
    shield = Shield(portfolio.tables, Robust(cvar=Fraction(0), scenarios=50))
    chosen = [number for number, p in enumerate("ABCD") if p in funded(plan)]
    totals = sorted((10 * (1000 + shield.samples[:, chosen])).sum(axis=1).tolist(), reverse=True)
    assert sum(totals[:5]) <= 5 * 40_000
    assert funded(plan) == ["B", "C", "D"]
    loose = portfolio.optimize(robust=robust | {"cvar": 0.3}, **EXACT)
    assert funded(loose) == ["A", "B", "C", "D"]


def test_no_plan_that_bears_what_is_asked_is_said():
    """A mandatory project that may cost more than there is."""
    portfolio = few({"A": {"cost": 10, "cost_high": 12, "value": 1, "mandatory": True}}, 10)
    plan = portfolio.optimize(robust={"gamma": 1}, **EXACT)
    assert plan.projects is None
    assert plan.robustness.answer.status is Status.INFEASIBLE
    assert str(plan.robustness) == "No plan bears what is asked."


def test_two_sources_share_what_rises():
    """Of 20, each source has 12: with a rise of 4 both together still pay; with 6 they do not."""
    tables = {
        "sources": {"id": ["s", "t"], "side": ["state", "state"]},
        "envelopes": {"source": ["s", "t"], "period": ["P", "P"], "amount": [12, 12]},
    }
    for high, fits in ((24, True), (26, False)):
        portfolio = few({"A": {"cost": 20, "cost_high": high, "value": 1}}, 0, **tables)
        plan = portfolio.optimize(robust={"gamma": 1}, **EXACT)
        assert funded(plan) == (["A"] if fits else [])
        assert all(row.slack >= 0 for row in plan.robustness.protections)
        assert plan.verify().violations == ()


@pytest.mark.parametrize(
    ("asked", "text"),
    [({}, "asks for nothing"), ({"gamma": -1}, "gamma must be a whole"), ({"cvar": -1}, "cvar must be"), (3, "dict")],
)
def test_demands_that_make_no_sense_are_refused(asked, text):
    """In the user's words, before any run."""
    with pytest.raises(InvalidInput, match=text):
        rising().optimize(robust=asked)
    with pytest.raises(UnknownName, match="gamma"):
        rising().optimize(robust={"gama": 1})


@cases(20)
@given(
    rows=st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9), st.integers(1, 9)), min_size=1, max_size=6),
    room=st.integers(5, 30),
    gamma=st.integers(0, 3),
)
def test_the_best_robust_plan_is_that_of_trying_everything(rows, room, gamma):
    """Rises in whole thousandths of the cost, rounded up."""
    projects = {
        f"P{n}": {"cost": cost, "cost_high": cost + more, "value": value} for n, (cost, more, value) in enumerate(rows)
    }
    plan = few(projects, room).optimize(robust={"gamma": gamma}, **EXACT)
    best = 0
    for count in range(len(rows) + 1):
        for chosen in combinations(rows, count):
            rises = sorted((cost * -(-1000 * more // cost) for cost, more, _ in chosen), reverse=True)
            if 1000 * sum(cost for cost, _, _ in chosen) + sum(rises[:gamma]) <= 1000 * room:
                best = max(best, sum(value for _, _, value in chosen))
    # Floats may let an envelope be passed by a tenth of a million; thousandths rounded up pass by less than that.
    assert plan.value == best
    assert plan.robustness.answer.status is Status.OPTIMAL


def test_what_a_source_without_limit_pays_needs_no_room():
    """The one envelope holds nothing; two projects are paid by a source that has no ceiling, beside it."""
    projects = (Project(id="A", cost=1, cost_high=2, value=1), Project(id="B", cost=2, cost_high=3, value=1))
    settings = Settings(first_year=2026, last_year=2026)
    sources = (Source(id="state", side="state"), Source(id="open", side="state", unlimited=True))
    envelope = Envelope(source=("state",), period="2026", amount=0)
    asked = Tables(settings=settings, projects=projects, sources=sources, envelopes=(envelope,))
    found = robust_plan(asked, Robust(gamma=1), SolveOptions(60.0, 0.0, 1), Highs())
    assert (found.answer.status, found.answer.value) == (Status.OPTIMAL, 2)


@cases(10)
@given(tables=portfolios(with_sources=True))
def test_a_robust_plan_of_any_portfolio_stands_and_bears(tables):
    """Its payments obey the tables, every envelope bears its worst case, and to bear nothing costs nothing."""
    limits = SolveOptions(60.0, 0.0, 1)
    dear = tuple(replace(p, cost_high=p.cost + p.cost // 3 + 1) if p.cost else p for p in tables.projects)
    tables = replace(tables, projects=dear)
    found = robust_plan(tables, Robust(gamma=1, cvar=Fraction(1, 10), scenarios=10), limits, Highs())
    assume(found.answer.allocation is not None)
    assert verify(tables, found.answer.allocation).violations == ()
    assert all(row.slack >= -NOISE for row in found.protections)
    assert found.answer.classes or found.answer.value <= found.plain.value
    assert robust_plan(tables, Robust(gamma=0), limits, Highs()).answer.value == found.plain.value


def test_a_robust_plan_does_not_answer_what_is_solved_again_without_its_demand():
    """Why, why not and replanning are refused, each by its name."""
    plan = rising().optimize(robust={"gamma": 1}, **EXACT)
    for question, ask in (
        ("why_not", lambda: plan.why_not("A")),
        ("why", lambda: plan.why("B")),
        ("replan", lambda: plan.replan({"projects.B.cost": 11})),
    ):
        with pytest.raises(InvalidInput, match=f"{question} solves again without the demand"):
            ask()


@pytest.mark.parametrize("robust", [{"gamma": 0}, {"gamma": 1}, {"gamma": 9}, {"cvar": 0.0, "scenarios": 20}])
def test_a_robust_plan_may_begin_from_one_that_bears_the_demand(robust, monkeypatch):
    """C and D bear every case: the engine is given a point that obeys every row, and finds what it finds without."""
    begun, solve = [], Highs.solve

    def watched(self, model, options, *, start=None, **more):
        if start is not None and len(start) == len(model.objective):
            rows = model.matrix @ start
            begun.append(((rows >= model.row_lower - 1e-6) & (rows <= model.row_upper + 1e-6)).all())
        return solve(self, model, options, start=start, **more)

    monkeypatch.setattr(Highs, "solve", watched)
    plan = rising().optimize(robust=robust, start=["C", "D"], engine="highs", **EXACT)
    assert begun
    assert all(begun)
    assert plan.value == rising().optimize(robust=robust, **EXACT).value


def test_a_start_that_does_not_bear_the_demand_is_refused():
    """All four cost 45 when A is at its highest, in a room of 40."""
    with pytest.raises(InvalidInput, match="5 million VND are missing in the envelope of state for P"):
        rising().optimize(robust={"gamma": 1}, start=["A", "B", "C", "D"], **EXACT)


def test_the_run_of_a_robust_plan_is_watched():
    """Both runs tell how far they are: the plan without the demand is worth 46, the robust one 36."""
    seen = []
    rising().optimize(robust={"gamma": 1}, progress=seen.append, **EXACT)
    assert {46.0, 36.0} <= {report.value for report in seen}


def test_a_plan_for_which_no_payments_were_found_stays_below_the_bound(monkeypatch):
    """The best of 36 is refused as if it could not be paid: the next is worth less, and the bound stays at 36."""
    asked, limits, tried = rising().with_changes({"projects.*.latest_start": 2026}), SolveOptions(60.0, 0.0, 1), []
    pay = Protected.paid_so

    def refuse_first(self, allocation):
        tried.append(allocation)
        return None if len(tried) == 1 else pay(self, allocation)

    monkeypatch.setattr(Protected, "paid_so", refuse_first)
    found = robust_plan(asked.tables, Robust(gamma=1), limits, Highs()).answer
    assert (found.value, found.bound, found.status) == (35, 36.0, Status.FEASIBLE)

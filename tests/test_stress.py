"""Stress: chances and overruns against closed forms, and the same runs from the same seed."""

import pytest
from scipy.stats import triang

from capalloc import InvalidInput
from capalloc.catalogue import speaking
from capalloc.stress import interval
from few import few

RUNS = 2000


def one(room=115, low=90, high=130):
    """A project of 100 that may cost from 90 to 130, in an envelope."""
    return few({"A": {"cost": 100, "cost_low": low, "cost_high": high, "value": 1}}, room)


def test_the_chance_that_an_envelope_holds_is_that_of_the_triangle():
    """Of one project it is the distribution function of its cost at the room, and the overrun its upper mean."""
    (strain,) = one().stress(runs=RUNS, seed=1).strains
    cost = triang((100 - 90) / 40, loc=90, scale=40)
    assert strain.holds == pytest.approx(cost.cdf(115), abs=1e-3)
    # The mean of (c − 115)+ for a density of 2 (130 − c) / (40 · 30) beyond 115 is (130 − 115)³ / (3 · 40 · 30).
    assert strain.overrun == pytest.approx(15**3 / 3600, abs=0.02)
    assert strain.expected == pytest.approx((90 + 100 + 130) / 3, abs=0.05)
    assert strain.worst == pytest.approx(cost.ppf(0.95) - 115, abs=0.1)
    assert strain.holds_low < strain.holds < strain.holds_high


def test_without_intervals_a_plan_that_fits_always_holds():
    """Nothing is drawn that could break it."""
    found = few({"A": {"cost": 10, "value": 1}}, 10).stress(runs=50)
    assert [(s.holds, s.overrun, s.planned, s.room) for s in found.strains] == [(1.0, 0.0, 10, 10)]
    assert found.all_hold == 1.0


def test_missing_money_shrinks_the_envelopes_of_its_side():
    """Of a room of 100, 80 are used; between 50 and 100 % comes, so that it holds with a chance of 40 %."""
    portfolio = few({"A": {"cost": 80, "value": 1}}, 100)
    (strain,) = portfolio.stress(runs=RUNS, disbursement=(0.5, 1.0)).strains
    assert strain.holds == pytest.approx(0.4, abs=1e-3)
    assert strain.overrun == pytest.approx(100 * 0.3**2 / 2 / 0.5, abs=0.05)
    (strain,) = portfolio.stress(runs=50, private=(0.5, 1.0)).strains
    assert strain.holds == 1.0


def test_a_delay_moves_payments_to_later_years():
    """With a chance of 30 % the money falls due in 2027, where there is room for none of it."""
    envelopes = {"source": ["state", "state"], "period": ["2026", "2027"], "amount": [10, 0]}
    portfolio = few({"A": {"cost": 10, "value": 1}}, 10, envelopes=envelopes)
    first, second = portfolio.stress(runs=RUNS, delays={1: 0.3}).strains
    assert (first.holds, second.holds) == (1.0, pytest.approx(0.7, abs=1e-3))
    assert first.expected == pytest.approx(7, abs=0.01)
    assert second.overrun == pytest.approx(3, abs=0.01)


def test_costs_that_rise_together_fill_an_envelope_more_often():
    """Twenty projects drawn apart even out; drawn together they are one large project, with its chance."""
    ids = {f"P{n}": {"cost": 10, "cost_low": 9, "cost_high": 13, "value": 1} for n in range(20)}
    portfolio = few(ids, 230)
    (apart,) = portfolio.stress(runs=RUNS).strains
    (together,) = portfolio.stress(runs=RUNS, together=True).strains
    assert together.holds == pytest.approx(triang(1 / 4, loc=9, scale=4).cdf(11.5), abs=1e-3)
    assert apart.holds > 0.99


def test_money_carried_to_the_next_phase_helps_it_hold():
    """The first phase leaves 5, of which 3 may move: a use of 13 in the second fits into 10."""
    settings = {
        "phases": [{"name": "P", "first": 2026, "last": 2026}, {"name": "Q", "first": 2027, "last": 2027}],
    }
    envelopes = {"source": ["state"] * 2, "period": ["P", "Q"], "amount": [10, 10], "carry_cap": [0.3, None]}
    projects = {
        "A": {"cost": 5, "value": 1, "latest_start": 2026},
        "B": {"cost": 13, "value": 1, "earliest_start": 2027},
    }
    found = few(projects, 0, settings, envelopes=envelopes).stress(runs=10)
    assert [strain.holds for strain in found.strains] == [1.0, 1.0]
    # No more than 3 may move, whatever the first phase leaves: all that costs more than 13 is too much.
    projects["B"]["cost_high"] = 15
    found = few(projects, 0, settings, envelopes=envelopes).stress(runs=10)
    assert [strain.holds for strain in found.strains] == [1.0, 0.0]


def begun(cost, low, high, paid):
    """Return the strain of the open year of a project that began in 2026, of which so much was paid then."""
    portfolio = few(
        {"A": {"cost": cost, "cost_low": low, "cost_high": high, "value": 1, "duration": 2}},
        paid,
        {"decide_from": 2027},
        envelopes={"source": ["state", "state"], "period": ["2026", "2027"], "amount": [paid, 100]},
        paid={"project": ["A"], "source": ["state"], "year": [2026], "amount": [paid]},
        committed={"project": ["A"], "decision": ["in"], "start": [2026]},
    )
    return portfolio.stress(runs=RUNS, seed=1).strains


def test_all_that_a_cost_turns_out_different_falls_on_what_is_still_due():
    """Of 10 to 16, 12 on average, 4 were paid: what was paid stays, and 8 are due on average, not 6 times 12 / 10."""
    before, open_ = begun(10, 10, 16, 4)
    assert (before.expected, before.holds, open_.planned) == (4, 1.0, 6)
    assert open_.expected == pytest.approx(8, abs=0.01)


def test_a_project_that_turns_out_cheaper_than_what_was_paid_pays_nothing_back():
    """Of 0 to 5 with the peak at 5, 4 were paid: the mean of (c − 4)+ for a density of 2 c / 25 is 14 / 75."""
    before, open_ = begun(5, 0, 5, 4)
    assert (before.expected, open_.planned) == (4, 1)
    assert open_.expected == pytest.approx(14 / 75, abs=1e-3)


def test_the_same_seed_draws_the_same_runs():
    """And another one draws others."""
    first, again, other = (one().stress(runs=64, seed=seed).strains[0] for seed in (3, 3, 4))
    assert first == again
    assert first != other


def test_runs_planned_again_are_worth_what_their_costs_allow():
    """Where A comes out above 110,000 only B, worth less, can be funded in its place."""
    projects = {
        "A": {"cost": 100_000, "cost_low": 100_000, "cost_high": 140_000, "value": 9},
        "B": {"cost": 100_000, "value": 4},
    }
    found = few(projects, 110_000).stress(runs=40, replans=40, gap=0.0)
    assert {float(run.value) for run in found.replanned} == {9.0, 4.0}
    # A cost within half a million of the room rounds into it.
    assert found.strains[0].holds == pytest.approx(sum(run.value == 9 for run in found.replanned) / 40, abs=1 / 39)
    assert list(found.replans().columns) == ["run", "value", "bound", "entered", "left"]


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"runs": 0}, "runs must be a whole number of 1"),
        ({"private": (0.9, 0.5)}, "goes from 0.9 to 0.5"),
        ({"disbursement": (0.5, 1.5)}, "disbursement must be a number from 0 to 1"),
        ({"delays": {1: 0.7, 2: 0.7}}, "chances add up to at most 1"),
        ({"delays": {-1: 0.1}}, "delays must be a whole number"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(wrong, text):
    """All are told in the user's words."""
    with pytest.raises(InvalidInput, match=text):
        one().stress(**wrong)


def test_a_plan_of_another_portfolio_is_refused():
    """Its projects would not be found here."""
    with pytest.raises(InvalidInput, match="another portfolio"):
        one().stress(one().optimize())


def test_the_paragraph_names_the_weakest_envelope():
    """In both languages, with its chance."""
    found = one().stress(runs=100)
    assert "the envelope of state for P" in str(found)
    with speaking("vi"):
        assert "Hạn mức vốn dễ bị vượt nhất là của state" in str(found)


def test_the_interval_of_a_share_lies_around_it():
    """It reaches neither below 0 nor above 1."""
    assert interval(0.0, 10)[0] == 0.0
    assert interval(1.0, 10)[1] == pytest.approx(1.0)
    low, high = interval(0.3, 1000)
    assert 0.27 < low < 0.3 < high < 0.33

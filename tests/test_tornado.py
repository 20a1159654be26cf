"""One number at a time: the change of the best value is what solving the changed portfolio says."""

import math
from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace

import pytest
from hypothesis import assume, given

from brute import best_by_enumeration
from capalloc import InvalidInput, Status
from capalloc.answer import Answer, ClassAnswer
from capalloc.catalogue import speaking
from capalloc.model import SolveOptions, StoppedBy
from capalloc.tornado import Bar, Parameter, change_of, tornado
from few import few
from strategies import cases, portfolios

EXACT = {"gap": 0.0, "threads": 1}


def three():
    """A and B fill the envelope of 10; C would need 11 of it."""
    return few(
        {
            "A": {"cost": 6, "cost_low": 5, "cost_high": 9, "value": 6},
            "B": {"cost": 4, "value": 4},
            "C": {"cost": 11, "value": 11},
        },
        10,
    )


def bars(found):
    """Return parameter and side to status, change and direction."""
    return {(bar.path, bar.side): (bar.status, bar.change, bar.direction) for bar in found.bars}


def test_the_usual_numbers_are_envelopes_and_cost_intervals():
    """With 9 only A is funded, with 11 C instead of both; A at 9 pushes B out, at 5 nothing changes."""
    found = three().tornado(**EXACT)
    assert found.base.value == 10
    assert bars(found) == {
        ("envelopes.state.P.amount", "low"): (Status.OPTIMAL, -4, "falls"),
        ("envelopes.state.P.amount", "high"): (Status.OPTIMAL, 1, "rises"),
        ("projects.*.cost", "low"): (Status.OPTIMAL, 0, "same"),
        ("projects.*.cost", "high"): (Status.OPTIMAL, -4, "falls"),
    }
    assert found.bars[1].entered == ("C",)
    assert found.bars[1].left == ("A", "B")


def test_the_discount_rate_and_class_weights_are_varied_where_there_are_any():
    """A rate of 5 % goes to 3 % and 7 %, each weight to 0.8 and 1.2 of itself."""
    settings = {"discount_rate": 0.05, "objective": {"class_weights": {"1": 2}}}
    found = few({"A": {"cost": 1, "value": 10, "priority": 1}}, 1, settings).tornado(**EXACT)
    changes = {key: (setting.change, setting.setting) for key, setting in zip(bars(found), found.bars, strict=True)}
    assert changes["settings.objective.class_weights.1", "low"] == (-4, "*0.8")
    assert changes["settings.objective.class_weights.1", "high"] == (4, "*1.2")
    assert {key[0] for key in changes} >= {"settings.discount_rate"}


def test_named_parameters_are_the_only_ones_varied():
    """A path is changed as `with_changes` would."""
    found = three().tornado({"projects.B.value": ("*0.5", "+10")}, **EXACT)
    assert {(bar.setting, bar.change) for bar in found.bars} == {("+10", 10), ("*0.5", -2)}


def test_a_side_without_a_plan_says_so():
    """A mandatory project that the envelope no longer holds leaves no plan, and no value."""
    portfolio = few({"A": {"cost": 10, "value": 1, "mandatory": True}}, 10)
    found = portfolio.tornado({"envelopes.state.P.amount": ("*0.9", "*1.1")}, **EXACT)
    low = next(bar for bar in found.bars if bar.side == "low")
    assert (low.status, low.value, low.bound) == (Status.INFEASIBLE, None, -math.inf)
    assert "envelopes.state.P.amount *0.9" in str(found)


def test_a_change_that_cannot_be_made_is_refused():
    """A path that matches nothing is an error of the user, not a bar."""
    with pytest.raises(InvalidInput, match="projects"):
        three().tornado({"projects.Z.value": ("*0.5", "*2")})
    with pytest.raises(InvalidInput, match="low, high"):
        three().tornado({"projects.A.value": "*0.5"})


def test_the_paragraph_says_what_is_proved_in_both_languages():
    """The greatest change is told with the bounds on it."""
    found = three().tornado(**EXACT)
    assert "between -4 and -4" in str(found)
    with speaking("vi"):
        assert "Đã chứng minh" in str(found)
    assert list(found.to_frame()["parameter"]) == [bar.path for bar in found.bars]


@cases(8)
@given(tables=portfolios(with_sources=True))
def test_changes_agree_with_trying_everything(tables):
    """The value at half of all envelopes, and what it changes, are those of enumeration."""
    halved = replace(tables, envelopes=tuple(replace(row, amount=row.amount // 2) for row in tables.envelopes))
    assume(tables.settings.objective.goal != "lexicographic")
    before, after = best_by_enumeration(tables), best_by_enumeration(halved)
    parameter = Parameter("half", "low", "high", lambda side: halved if side == "low" else tables)
    found = tornado(tables, (parameter,), SolveOptions(60.0, 0.0, 1))
    low, high = sorted(found.bars, key=lambda bar: bar.side, reverse=True)
    assert found.base.value == high.value == (before[0] if before else None)
    assert low.value == (after[0] if after else None)
    if before and after:
        assert low.change == after[0] - before[0]
        assert low.least - 1e-6 <= float(low.change) <= low.most + 1e-6


@pytest.mark.parametrize(
    ("least", "most", "direction"),
    [(0.0, 0.0, "same"), (0.0, 1.0, "open"), (0.5, 1.0, "rises"), (-1.0, 0.0, "open"), (-1.0, -0.5, "falls")],
)
def test_a_direction_is_claimed_only_where_it_is_proved(least, most, direction):
    """A change that may be none is open."""
    bar = Bar("p", "low", "*0.9", Status.FEASIBLE, Fraction(1), 1.0, Fraction(0), least, most, (), ())
    assert bar.direction == direction


class Prepared:
    """Stands in for the chain of runs: the answers of a base worth 10 of at most 12, and of changes worth 11."""

    def __init__(self, _):
        self.answers = iter([(10, 12.0), (11, 11.5), (11, 15.0)])

    def answer(self, _, options, **__):
        """Return the next answer."""
        value, bound = next(self.answers)
        audit = SimpleNamespace(value=Fraction(value), violations=())
        allocation = SimpleNamespace(choices=())
        return Answer(Status.FEASIBLE, StoppedBy.TIME_LIMIT, allocation, audit, bound, "none", options, 0.0)


def test_what_the_base_leaves_open_is_part_of_what_a_change_leaves_open(monkeypatch):
    """A base of 10 to 12 and a change of 11 to 11.5: between 1 less and 1.5 more, so that no direction is claimed."""
    monkeypatch.setattr("capalloc.tornado.Chain", Prepared)
    given = three().tables
    low, high = tornado(given, (Parameter("p", "low", "high", lambda _: given),), SolveOptions(1.0, 0.0, 1)).bars
    assert (low.change, low.least, low.most, low.direction) == (1, -1.0, 1.5, "open")
    assert (high.least, high.most) == (-1.0, 5.0)


def test_of_ordered_classes_the_first_that_changes_is_told():
    """With less money class 1 falls by 4 and class 2 rises by 9; with more, class 2 alone rises."""
    rows = {"A": {"cost": 5, "value": 4, "priority": 1}, "B": {"cost": 3, "value": 9, "priority": 2}}
    portfolio = few(rows, 5, {"objective": {"goal": "lexicographic"}})
    found = portfolio.tornado({"envelopes.state.P.amount": ("-1", "+3")}, **EXACT)
    told = {bar.side: (bar.class_, bar.change, bar.least, bar.most, bar.direction) for bar in found.bars}
    assert told == {"low": (1, -4, -4.0, -4.0, "falls"), "high": (2, 9, 9.0, 9.0, "rises")}
    assert found.to_frame()["class"].tolist() == [1, 2]
    assert "changes by -4 in class 1" in str(found)


def test_of_ordered_classes_nothing_encloses_a_change_below_an_open_class():
    """Class 1 is the same in both plans, but one of them may lack some of it: class 2 may then be worth anything."""
    base, changed = (
        Answer(Status.FEASIBLE, StoppedBy.TIME_LIMIT, None, None, 9.0, "none", None, 0.0, classes=classes)
        for classes in (
            (ClassAnswer(1, Fraction(4), 5.0, Status.FEASIBLE), ClassAnswer(2, Fraction(3), 3.0, Status.OPTIMAL)),
            (ClassAnswer(1, Fraction(4), 4.0, Status.OPTIMAL), ClassAnswer(2, Fraction(7), 7.0, Status.OPTIMAL)),
        )
    )
    assert change_of(base, changed) == (2, 4, -math.inf, math.inf)


def test_a_side_of_which_the_time_settled_nothing_is_counted():
    """Neither a plan nor a proof that there is none: it is said, and not passed over."""
    found = three().tornado({"envelopes.state.P.amount": ("*0.9", "*1.1")}, **EXACT)
    open_ = replace(found.bars[0], status=Status.UNKNOWN, value=None, change=None)
    assert "For 1 of them no plan was found in the time." in str(replace(found, bars=(open_, found.bars[1])))

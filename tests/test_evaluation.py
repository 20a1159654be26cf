"""Hand-made lists: the best way to carry them out, or what stands against them, to the last million."""

import math
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brute import accepts, best_by_enumeration, payments_of
from building import project, tables
from capalloc.allocation import Choice
from capalloc.evaluation import Wish, evaluate
from capalloc.model import SolveOptions, Status, StoppedBy
from capalloc.records import Commitment, Dependency, Envelope, Membership, Mode, Share, Source
from strategies import EVERYTHING, cases, choices_of, portfolios

EXACT = SolveOptions(time_limit=60, gap=0.0, threads=1)
STATE = Source(id="S")


def financed(*projects, rooms, **more):
    """Return tables with one state source, whose envelopes are given by period."""
    envelopes = tuple(Envelope(source=("S",), period=period, amount=room) for period, room in rooms.items())
    return tables(*projects, sources=(STATE,), envelopes=envelopes, **more)


def judged(given_, *wishes):
    """Return the answer to a list of (project, mode, start), the end of which may be left out."""
    return evaluate(given_, [Wish(*(wish if isinstance(wish, tuple) else (wish,))) for wish in wishes], EXACT)


def faults(answer):
    """Return code, found, allowed and difference of everything a list breaks; without amounts the code alone."""
    assert (answer.status, answer.stopped_by, answer.bound) == (Status.INFEASIBLE, StoppedBy.PROOF, -math.inf)
    assert answer.allocation is answer.audit is answer.value is None
    assert answer.engine == "highs"
    names = ("found", "allowed", "difference")
    return [(i.code, *(i.arguments[name] for name in names if name in i.arguments)) for i in answer.violations]


def one_a_year():
    """Return P worth 10 and Q worth 5, 10 % less a year later; a year has money for one of them, or for R."""
    rooms = dict.fromkeys(("2021", "2022", "2023", "2024"), 4)
    worth = {"P": Fraction(10), "Q": Fraction(5), "R": Fraction(100)}
    projects = (project(name, 4, value=value) for name, value in worth.items())
    return financed(*projects, rooms=rooms, discount_rate=Decimal("0.1"))


def test_what_a_list_leaves_open_is_chosen_for_the_best_value():
    """The dearer P first, Q a year later for 5 / 1.1, rounded to a millionth; R is not listed and not funded."""
    answer = judged(one_a_year(), "P", "Q")
    assert answer.status is Status.OPTIMAL
    assert answer.allocation.choices == (Choice("P", "", 2021), Choice("Q", "", 2022))
    assert answer.value == 10 + Fraction("4.545455")
    assert answer.violations == ()
    assert [(p.project, p.year, p.amount) for p in answer.allocation.payments] == [("P", 2021, 4), ("Q", 2022, 4)]


def test_a_start_that_is_given_is_kept():
    """The other project takes the best year that is left."""
    answer = judged(one_a_year(), ("P", None, 2022), "Q")
    assert answer.allocation.choices == (Choice("P", "", 2022), Choice("Q", "", 2021))
    assert answer.value == Fraction("9.090909") + 5


def test_a_mode_that_is_given_is_kept():
    """Left open, the better of the modes is taken."""
    modes = tuple(Mode(project="P", mode=mode, cost=1, value=Fraction(worth)) for mode, worth in (("a", 1), ("b", 2)))
    given_ = tables(project("P"), modes=modes)
    assert (judged(given_, "P").value, judged(given_, ("P", "a")).value) == (2, 1)
    assert judged(given_, ("P", "a", 2023)).allocation.choices == (Choice("P", "a", 2023),)


def test_an_empty_list_funds_nothing():
    """Where nothing must be funded it is a plan, worth 0."""
    answer = judged(one_a_year())
    assert (answer.status, answer.value, answer.allocation.choices) == (Status.OPTIMAL, 0, ())


def test_too_much_for_an_envelope_is_told_to_the_last_million():
    """P and Q cost 12 together where 5 are: 7 too much."""
    given_ = financed(project("P", 8), project("Q", 4), rooms={"2021:2024": 5})
    assert faults(judged(given_, "P", "Q")) == [("broken-envelope", 12, 5, 7)]


def test_of_several_ways_the_one_that_breaks_least_is_told():
    """P costs 10 and may start in a year with room for 5 or in one with room for 8: there 2 are missing."""
    given_ = financed(project("P", 10, latest_start=2022), rooms={"2021": 5, "2022": 8, "2023": 99, "2024": 99})
    assert faults(judged(given_, "P")) == [("broken-envelope", 10, 8, 2)]
    assert faults(judged(given_, ("P", None, 2021))) == [("broken-envelope", 10, 5, 5)]


def test_a_reserve_is_no_room():
    """Of 13, 5 % stay back: the room is 12, and 13 are 1 too many."""
    given_ = tables(
        project("P", 13),
        sources=(Source(id="S", reserve=Fraction(1, 20)),),
        envelopes=(Envelope(source=("S",), period="2021:2024", amount=13),),
    )
    assert faults(judged(given_, "P")) == [("broken-envelope", 13, 12, 1)]


def test_a_start_outside_the_window_is_told_with_the_years():
    """The others of the list are judged as well, and break nothing."""
    given_ = financed(project("P", 1, earliest_start=2022, latest_start=2022), project("Q", 1), rooms={"2021:2024": 1})
    late, early = judged(given_, ("P", None, 2024)), judged(given_, ("P", None, 2021))
    assert faults(late)[0] == ("broken-start-late", 2024, 2022, 2)
    assert faults(early)[0] == ("broken-start-early", 2021, 2022, 1)
    both = judged(given_, ("P", None, 2024), "Q")
    assert [issue.arguments["project"] for issue in both.violations] == ["P", "P"]
    assert [code for code, *_ in faults(both)] == ["broken-start-late", "broken-cost-short"]


def test_a_listed_project_without_any_option_is_told_as_it_would_run():
    """Five years of work from 2021 end a year after the plan; a mode that is given is named."""
    modes = (Mode(project="M", mode="quick", cost=1), Mode(project="M", mode="slow", cost=1, duration=6))
    given_ = tables(project("P", 1, duration=5), project("M"), modes=modes)
    assert faults(judged(given_, "P")) == [("broken-run-over", 2025, 2024, 1)]
    assert faults(judged(given_, ("M", "slow"))) == [("broken-run-over", 2026, 2024, 2)]
    assert judged(given_, "M").allocation.choices[0].mode == "quick"


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (None, [("broken-mandatory",)]),
        (Commitment(project="M", decision="in"), [("broken-mandatory",), ("broken-in",)]),
    ],
)
def test_what_must_be_funded_and_is_not_listed_is_told(row, expected):
    """A mandatory project that the list leaves out, committed or not."""
    given_ = tables(project("M", 1, mandatory=True), project("P", 1), committed=(row,) if row else ())
    assert faults(judged(given_, "P")) == expected
    assert faults(judged(given_)) == expected
    assert judged(given_, "P", "M").status is Status.OPTIMAL


def test_what_is_decided_to_be_out_stays_out():
    """A list that has it breaks the decision and nothing else."""
    given_ = tables(project("P", 1), committed=(Commitment(project="P", decision="out"),))
    assert faults(judged(given_, "P")) == [("broken-out",)]


@pytest.mark.parametrize(
    ("kind", "listed", "expected"),
    [
        ("requires", ["T"], [("broken-requires",)]),
        ("together", ["F"], [("broken-together",)]),
        ("excludes", ["F", "T"], [("broken-excludes",)]),
        ("finish_start", [("F", None, 2023), ("T", None, 2023)], [("broken-order", 2023, 2024, 1)]),
    ],
)
def test_broken_dependencies_are_told(kind, listed, expected):
    """Each with its own words."""
    given_ = tables(project("F", 1), project("T", 1), dependencies=(Dependency(kind=kind, first="F", then="T"),))
    assert faults(judged(given_, *listed)) == expected


def test_a_group_that_is_not_filled_is_told_with_what_is_missing():
    """One of three is listed where two are asked for."""
    groups = tuple(Membership(group="g", project=name, kind="at_least", k=2) for name in "ABC")
    given_ = tables(*(project(name, 1) for name in "ABC"), groups=groups)
    assert faults(judged(given_, "A")) == [("broken-group-under", 1, 2, 1)]


def test_a_listed_project_that_nobody_may_pay_for_is_told_at_once():
    """The free projects beside it could start in any year, and none of these ways is tried one by one."""
    rows = (Envelope(source=("S",), period="2021:2024", amount=99),)
    given_ = tables(
        project("P", 2, sector="road"),
        *(project(f"F{number}", 1) for number in range(9)),
        sources=(Source(id="S", eligible='sector == ""'),),
        envelopes=rows,
    )
    answer = judged(given_, *(row.id for row in given_.projects))
    assert faults(answer) == [("broken-cost-short", 0, 2, 2)]
    assert answer.violations[0].arguments["project"] == "P"
    assert answer.rejected == 0


def test_the_unpaid_start_in_the_window_of_their_mode():
    """What is told is that nobody pays; the start that was left open is no fault of the list."""
    given_ = tables(
        project("P", earliest_start=2021),
        modes=(Mode(project="P", mode="late", cost=2, earliest_start=2023),),
        sources=(Source(id="S", side="non_state", unlimited=True),),
    )
    assert faults(judged(given_, "P")) == [("broken-cost-short", 0, 2, 2)]


def test_a_list_payable_in_fractions_only_breaks_by_whole_units():
    """Of A, B and C any two pay at most 1 a year, T pays 1: 4 are due, and whole units reach 3 with no pair over."""
    pairs = [(pair, year) for year in ("2021", "2022") for pair in (("A", "B"), ("A", "C"), ("B", "C"))]
    given_ = tables(
        project("P", 4, duration=2, latest_start=2021),
        sources=tuple(Source(id=name) for name in "ABCT"),
        envelopes=(
            *(Envelope(source=pair, period=year, amount=1) for pair, year in pairs),
            Envelope(source=("T",), period="2021:2022", amount=1),
        ),
    )
    assert faults(judged(given_, "P")) == [("broken-envelope", 2, 1, 1)]


def test_shares_that_cannot_be_kept_are_told_by_how_much():
    """Half of 4 is to come from B, which has 1; breaking the share by 1 weighs half as much as the envelope."""
    given_ = tables(
        project("P", 4),
        sources=(STATE, Source(id="B")),
        envelopes=tuple(Envelope(source=(s,), period="2021:2024", amount=room) for s, room in (("S", 9), ("B", 1))),
        shares=(Share(project="P", source=("B",), min=Fraction(1, 2)),),
    )
    assert faults(judged(given_, "P")) == [("broken-share-under", 1, 2, 1)]


@given(st.data())
def test_a_list_is_a_plan_exactly_when_trying_everything_says_so(data):
    """Any mode, start and scale: obeyed rules and whole-unit payments make a plan of them, else they break."""
    given_ = data.draw(portfolios())
    choices = data.draw(choices_of(given_))
    answer = evaluate(given_, [Wish(c.project, c.mode, c.start, c.scale) for c in choices], EXACT)
    possible = accepts(given_, choices) and payments_of(given_, choices) is not None
    assert answer.status is (Status.OPTIMAL if possible else Status.INFEASIBLE)
    if possible:
        assert answer.allocation.choices == choices
        assert answer.audit.violations == ()
    else:
        assert answer.violations


@cases(50)
@given(st.data())
def test_what_a_list_leaves_open_is_what_trying_everything_would_choose(data):
    """Any projects, with neither mode nor start nor scale: the best plan of exactly these, or none."""
    given_ = data.draw(portfolios(features=EVERYTHING - {"order"}))
    listed = data.draw(st.lists(st.sampled_from([row.id for row in given_.projects]), unique=True))
    best = best_by_enumeration(given_, set(listed))
    answer = evaluate(given_, [Wish(name) for name in listed], EXACT)
    assert answer.value == (None if best is None else best[0])

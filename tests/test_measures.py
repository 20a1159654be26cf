"""What the cells of a rule mean."""

from fractions import Fraction

import pytest

from building import project, tables
from capalloc.measures import BadMeasure, read_rule, split_share
from capalloc.model import SolveOptions, Status
from capalloc.records import Benefit, Envelope, Indicator, Resource, Rule, Source
from capalloc.solving import optimize

GIVEN = tables(
    project("P", 3),
    sources=(Source(id="state", side="state"), Source(id="oda", side="state")),
    envelopes=(Envelope(source=("state",), period="A", amount=5),),
    indicators=(Indicator(id="jobs"), Indicator(id="both")),
    resources=(Resource(id="land"), Resource(id="both")),
)


def read(measure, **more):
    """Return kind and names of the measure, and of what it is held against."""
    statement = read_rule(GIVEN, Rule(id="r", measure=measure, **more))
    return [(part.kind, part.names) for part, _ in statement.measures]


@pytest.mark.parametrize(
    ("text", "kind", "names"),
    [
        ("starts", "starts", ()),
        (" paid ", "paid", ()),
        ("paid:state + oda", "paid", ("state", "oda")),
        ("envelope:state", "envelope", ("state",)),
        ("indicator:both", "indicator", ("both",)),
        ("jobs", "indicator", ("jobs",)),
        ("land", "resource", ("land",)),
    ],
)
def test_a_measure_is_a_word_with_the_names_it_is_about(text, kind, names):
    """An id alone will do where only one thing has it."""
    assert read(text) == [(kind, names)]


@pytest.mark.parametrize(
    ("text", "code", "near"),
    [
        ("start", "unknown-measure", "starts"),
        ("cost:state", "unknown-measure", "cost"),
        ("jobz", "unknown-measure", "jobs"),
        ("both", "ambiguous-measure", None),
        ("envelope", "measure-without-source", None),
        ("paid:", "measure-without-source", None),
        ("paid:stat", "unknown-id", "state"),
        ("indicator:job", "unknown-id", "jobs"),
    ],
)
def test_a_text_that_is_no_measure_is_refused_with_the_nearest_that_is(text, code, near):
    """The fault is of the column that holds the text."""
    with pytest.raises(BadMeasure) as refused:
        read(text)
    assert (refused.value.code, refused.value.column, refused.value.arguments.get("near")) == (code, "measure", near)


def test_nobody_pays_where_there_are_no_sources():
    """A rule about payments then measures nothing."""
    with pytest.raises(BadMeasure, match="paid-without-sources"):
        read_rule(tables(project("P", 3)), Rule(id="r", measure="paid"))


def test_what_a_share_leaves_out_is_that_of_the_row():
    """Measure, selection and period each; an envelope alone has no projects, whatever the row selects."""
    row = Rule(id="r", measure="cost", selection='id == "P"', period="A", amount=Fraction(1, 2))

    def other(share):
        measure = read_rule(GIVEN, Rule(**{name: getattr(row, name) for name in NAMES}, share_of=share)).share_of
        return measure.kind, measure.selection, measure.period.name

    assert other("starts") == ("starts", 'id == "P"', "A")
    assert other("; True") == ("cost", "True", "A")
    assert other("paid:oda;; B") == ("paid", 'id == "P"', "B")
    assert other("envelope:state") == ("envelope", "", "A")


NAMES = ("id", "measure", "selection", "period", "amount")


def test_a_selection_inside_a_share_may_hold_a_semicolon():
    """The measure stands before the first semicolon, the period behind the last."""
    assert split_share('cost; name == "a;b"; A') == ("cost", 'name == "a;b"', "A")


def test_an_envelope_takes_no_selection():
    """It belongs to sources, not to projects."""
    with pytest.raises(BadMeasure, match="envelope-selection"):
        read("envelope:state", selection='id == "P"')
    with pytest.raises(BadMeasure, match="envelope-selection"):
        read("cost", share_of='envelope:state; id == "P"')


def test_a_share_compares_the_measure_less_the_fraction_of_the_other_with_nothing():
    """A cost <= 1/4 of what is paid is cost − 1/4 paid <= 0."""
    statement = read_rule(GIVEN, Rule(id="r", measure="cost", amount=Fraction(1, 4), share_of="paid"))
    assert [factor for _, factor in statement.measures] == [1, Fraction(-1, 4)]
    assert statement.limit == 0


@pytest.mark.parametrize(
    ("value_from", "at", "year"),
    [("column", "start", "2021"), ("column", "completion", "2022"), ("benefits", "completion", "2021")],
)
def test_a_value_is_measured_in_the_year_it_counts_in(value_from, at, year):
    """That of the start or of the finish; benefits, which have years of their own, in that of the start."""
    for period in ("2021", "2022"):
        given = tables(
            project("P", 1, duration=2, latest_start=2021, value=Fraction(5)),
            benefits=(Benefit(project="P", offset=0, amount=Fraction(5)),),
            rules=(Rule(id="r", measure="value", period=period, sense=">=", amount=Fraction(5)),),
            objective={"value_from": value_from, "at": at},
        )
        expected = Status.OPTIMAL if period == year else Status.INFEASIBLE
        assert optimize(given, SolveOptions(gap=0.0, threads=1), "highs").status is expected

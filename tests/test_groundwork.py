"""What was worked out about tables and is used for others: it never makes a difference to what is found."""

import pickle
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import capalloc as ca
from capalloc.changes import Edits, apply_changes
from capalloc.checking import Check, Findings, check
from capalloc.compiling import compile_tables
from capalloc.groundwork import Groundwork
from capalloc.issues import InvalidInput
from capalloc.model import LinearModel
from capalloc.recompiling import differ_in_amounts, recompiled
from capalloc.records import RECORDS
from capalloc.tables import kept
from strategies import cases, portfolios

LAI_CHAU = "scenarios/lai-chau"


def moved(data, tables):
    """The tables with other amounts in their envelopes."""
    rows = tuple(replace(row, amount=data.draw(st.integers(0, 2 * row.amount + 3))) for row in tables.envelopes)
    return replace(tables, envelopes=rows)


def same_model(one, other):
    """Whether two models agree in every number and name."""
    for field in fields(LinearModel):
        mine, theirs = getattr(one, field.name), getattr(other, field.name)
        if field.name == "matrix":
            assert (mine != theirs).nnz == 0
        elif isinstance(mine, np.ndarray):
            assert np.array_equal(mine, theirs), field.name
        else:
            assert [(b.kind, list(b.keys)) for b in mine] == [(b.kind, list(b.keys)) for b in theirs]


@cases(60)
@given(st.data())
def test_a_model_with_other_rooms_is_the_one_compiled_anew(data):
    """Row by row and column by column, and the way back is the same, too."""
    tables = data.draw(portfolios(with_sources=True))
    known = compile_tables(tables)
    other = moved(data, tables)
    assert differ_in_amounts(tables, other)
    found, anew = recompiled(known, other), compile_tables(other)
    same_model(found.model, anew.model)
    assert found.tables is other
    assert found.accounts.ceilings == anew.accounts.ceilings
    assert found.accounts.carries == anew.accounts.carries
    assert (found.unit, found.step) == (anew.unit, anew.step)


@cases(20)
@given(portfolios(), portfolios())
def test_findings_of_other_tables_are_not_taken_for_these(first, second):
    """Whatever was checked before, and before that, every check finds what it finds alone."""
    findings = Findings()
    for tables in (first, second, replace(first, projects=second.projects), first):
        assert [str(issue) for issue in check(tables, (), findings)] == [str(issue) for issue in check(tables)]


def test_a_check_is_made_again_only_where_what_it_looked_at_changed():
    """A check of projects and sources is made anew for other sources and not for other envelopes."""
    tables, made, findings = ca.load(LAI_CHAU).given, [], Findings()

    def find(seen):
        made.append(len(seen.projects) + len(replace(seen, envelopes=()).sources))
        return iter(())

    one = Check(find)
    for each in (tables, replace(tables, sources=tables.sources[:1]), tables, tables):
        findings.of(one, each)
    assert len(made) == 3

    alone = Check(lambda seen: made.append(len(seen.projects)) or iter(()))
    for each in (tables, replace(tables, envelopes=()), replace(tables, projects=())):
        findings.of(alone, each)
    assert len(made) == 5


def test_changed_portfolios_are_those_read_from_the_start():
    """Change after change from the same portfolio, money, costs and law: what is said and in force is the same."""
    portfolio = ca.load(LAI_CHAU)
    every = [
        {"envelopes.state.2026-2030.amount": "*0.9"},
        {"envelopes.state.2026-2030.amount": "*1.1", "envelopes.non_state.2021-2025.amount": "+5"},
        {"projects.*.cost": "*1.05"},
        {"settings.discount_rate": 0.07},
        {"envelopes.*.*.amount": "*0.5"},
    ]
    for changes in every:
        made, anew = portfolio.with_changes(changes), ca.load(LAI_CHAU).with_changes(changes)
        assert made == anew
        assert made.tables == replace(anew.tables, origins=made.tables.origins)
        assert str(made.findings) == str(anew.findings)
        same_model(made.ground.compiled(made.tables).model, compile_tables(anew.tables).model)


def test_a_change_that_is_wrong_is_told_whatever_is_known():
    """A groundwork that knows sound tables hides no fault of others, and goes on to serve."""
    portfolio = ca.load(LAI_CHAU)
    with pytest.raises(InvalidInput, match="-1"):
        portfolio.with_changes({"envelopes.state.2026-2030.amount": "=-1"})
    assert portfolio.with_changes({"envelopes.state.2026-2030.amount": "*1.0"}) == portfolio


def test_a_portfolio_sent_elsewhere_leaves_its_groundwork():
    """A pickled portfolio is as good as before and does not carry its model along."""
    portfolio = ca.load(LAI_CHAU)
    portfolio.ground.compiled(portfolio.tables)
    text = pickle.dumps(portfolio.ground)
    assert len(text) < 200
    other = pickle.loads(text)  # noqa: S301  # its own
    assert other.compiled(portfolio.tables).tables is portfolio.tables


def test_costs_that_change_as_before_are_the_same_rows_and_the_same_model():
    """With the costs of the scenario before, only rooms are new; with other costs all is as worked out alone."""
    base = ca.load(LAI_CHAU)
    steps = [("*1.05", "*0.9"), ("*1.05", "*0.95"), ("*1.02", "*0.95"), ("*1.05", "*0.95")]
    made = []
    for cost, amount in steps:
        changes = {"envelopes.*.*.amount": amount, "projects.*.cost": cost}
        found, alone = base.with_changes(changes), ca.load(LAI_CHAU).with_changes(changes)
        assert found == alone
        assert [str(issue) for issue in found.findings] == [str(issue) for issue in alone.findings]
        same_model(found.ground.compiled(found.tables).model, compile_tables(alone.tables).model)
        made.append(found.given or found.tables)
    assert made[1].projects is made[0].projects
    assert made[2].projects is not made[1].projects


@cases(20)
@given(portfolios(), portfolios())
def test_tables_that_share_parts_with_others_say_what_they_said(first, second):
    """Whatever was given before, the rows and their places are those of the tables."""
    ground = Groundwork()
    for tables in (first, second, replace(first, projects=second.projects), first):
        shared = ground.shared(tables)
        assert shared == tables
        for name in RECORDS:
            assert [row.row for row in shared.rows(name)] == [row.row for row in tables.rows(name)]


def test_a_change_made_again_gives_the_very_same_rows_and_tells_of_them_again():
    """With other rows before it, a change is worked out anew."""
    tables, edits = ca.load(LAI_CHAU).tables, Edits()
    dear = {"projects.*.cost": "*1.05"}
    first, told, _ = apply_changes(tables, dear, edits)
    again, told_again, _ = apply_changes(replace(tables, envelopes=()), dear, edits)
    assert again.projects is first.projects
    assert told_again == told
    twice, _, _ = apply_changes(first, dear, edits)
    assert twice.projects == apply_changes(first, dear)[0].projects != first.projects


def test_changes_of_many_paths_are_forgotten_in_turn():
    """However many paths are asked for, what comes of each is what comes of it alone."""
    tables, edits = ca.load(LAI_CHAU).tables, Edits()
    paths = [f"projects.{row.id}.cost" for row in tables.projects[:30]]
    for path in [*paths, *paths]:
        changes = {path: "+7"}
        assert apply_changes(tables, changes, edits)[0] == apply_changes(tables, changes)[0]


def test_an_answer_about_tables_is_kept_while_what_it_reads_is_the_same():
    """Other parts may differ; where one it reads is another object, it is asked again."""
    asked = []

    @kept("projects", "shares")
    def count(tables):
        asked.append(tables)
        return len(tables.projects)

    tables = ca.load(LAI_CHAU).tables
    fewer = replace(tables, projects=tables.projects[1:])
    answers = [count(given) for given in (tables, replace(tables, envelopes=()), fewer, fewer, tables)]
    assert answers == [214, 214, 213, 213, 214]
    assert len(asked) == 3

"""A portfolio is changed in a way whose effect on the best plan is known: the answer must move as theory says."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from building import project, tables
from capalloc.issues import EngineFailed
from capalloc.model import SolveOptions, Status
from capalloc.records import Commitment, Dependency, Envelope, Membership, Project, Rule, Source, Synergy
from capalloc.solving import optimize
from strategies import cases

TO_THE_END = SolveOptions(time_limit=None, gap=0, threads=1)
YEARS = range(2021, 2025)


@st.composite
def portfolios(draw):
    """Three to six projects of one source, with links, a group, a synergy and a rule now and then."""
    count = draw(st.integers(3, 6))
    names = [f"P{number}" for number in range(count)]
    own = tuple(
        project(
            name,
            draw(st.integers(0, 9)),
            value=Fraction(draw(st.integers(-2, 9))),
            priority=draw(st.integers(1, 2)),
            duration=draw(st.integers(1, 2)),
        )
        for name in names
    )
    pairs = st.tuples(st.sampled_from(names), st.sampled_from(names)).filter(lambda pair: pair[0] < pair[1])
    kinds = st.sampled_from(["requires", "excludes", "together", "finish_start"])
    links = {pair: draw(kinds) for pair in draw(st.sets(pairs, max_size=2))}
    most = draw(st.integers(1, count))
    return tables(
        *own,
        sources=(Source(id="s", side="state"),),
        envelopes=(
            Envelope(source=("s",), period="A", amount=draw(st.integers(0, 15))),
            Envelope(source=("s",), period="B", amount=draw(st.integers(0, 15))),
        ),
        dependencies=tuple(Dependency(kind=kind, first=pair[0], then=pair[1]) for pair, kind in links.items()),
        groups=tuple(
            Membership(group="g", project=name, kind="at_most", k=1) for name in names[:2] if draw(st.booleans())
        ),
        rules=(Rule(id="r", measure="starts", sense="<=", amount=Fraction(most)),),
        synergies=(Synergy(id="y", projects=tuple(names[:2]), value=Fraction(draw(st.integers(0, 4)))),),
        discount_rate=draw(st.sampled_from(["0", "0.1"])),
    )


def best(given, engine="capalloc"):
    """Return the value of the best plan, which is proved; nothing where there is none."""
    answer = optimize(given, TO_THE_END, engine)
    assert answer.status in (Status.OPTIMAL, Status.INFEASIBLE)
    return answer.value if answer.status is Status.OPTIMAL else None


def at_most(first, second):
    """Whether a best value is at most another, where having no plan at all is worse than any."""
    return first is None or (second is not None and first <= second)


def times(given, factor):
    """Return the portfolio with all money multiplied."""
    return replace(
        given,
        projects=tuple(replace(row, cost=row.cost * factor) for row in given.projects),
        envelopes=tuple(replace(row, amount=row.amount * factor) for row in given.envelopes),
    )


def renamed(given, name):
    """Return the portfolio with other ids for its projects."""
    return replace(
        given,
        projects=tuple(replace(row, id=name(row.id)) for row in given.projects),
        dependencies=tuple(replace(row, first=name(row.first), then=name(row.then)) for row in given.dependencies),
        groups=tuple(replace(row, project=name(row.project)) for row in given.groups),
        synergies=tuple(replace(row, projects=tuple(map(name, row.projects))) for row in given.synergies),
    )


@cases(25)
@given(portfolios(), st.sampled_from([2, 7, 1000]))
def test_the_unit_of_money_does_not_matter(given, factor):
    """Costs and envelopes that are multiplied alike admit the same plans; what cannot be halved is halved no more."""
    even = times(given, 2)
    assert best(times(even, factor)) == best(even)


@cases(25)
@given(portfolios(), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(given, chance):
    """Rows in any order say the same."""
    shuffled = {}
    for name in ("projects", "envelopes", "dependencies", "groups"):
        rows = list(getattr(given, name))
        chance.shuffle(rows)
        shuffled[name] = tuple(rows)
    assert best(replace(given, **shuffled)) == best(given)


@cases(25)
@given(portfolios())
def test_what_projects_are_called_does_not_matter(given):
    """Ids are names and no more, whatever stands in them."""
    assert best(renamed(given, lambda name: f"Dự án «{name[::-1]}», x")) == best(given)


@cases(25)
@given(portfolios())
def test_a_useless_project_changes_nothing(given):
    """What costs money and is worth nothing is left out."""
    useless = Project(id="none", cost=5, value=Fraction(0), priority=1)
    assert best(replace(given, projects=(*given.projects, useless))) == best(given)


@cases(25)
@given(portfolios(), st.integers(1, 9))
def test_a_higher_envelope_is_never_worse(given, more):
    """Every plan of before is still one."""
    first, *others = given.envelopes
    assert at_most(best(given), best(replace(given, envelopes=(replace(first, amount=first.amount + more), *others))))


@cases(25)
@given(portfolios())
def test_a_tighter_rule_is_never_better(given):
    """Every plan that is left was one before."""
    (rule,) = given.rules
    assert at_most(best(replace(given, rules=(replace(rule, amount=rule.amount - 1),))), best(given))


@cases(25)
@given(portfolios(), st.integers(1, 5))
def test_a_project_of_more_value_adds_at_most_that_value(given, more):
    """And takes nothing away; without discounts, since a value counts in the year in which it comes about."""
    plain = replace(given, settings=given.settings.model_copy(update={"discount_rate": 0}))
    first, *others = plain.projects
    richer = replace(plain, projects=(replace(first, value=first.value + more), *others))
    before, after = best(plain), best(richer)
    assert (before is None) == (after is None)
    assert before is None or before <= after <= before + more


@cases(25)
@given(portfolios())
def test_a_project_split_in_two_that_go_together_is_the_same(given):
    """Halves of cost and value that are all or none, in the same years, make the whole."""
    whole = times(replace(given, rules=(), groups=()), 4)
    first, *others = (replace(row, latest_start=2021, earliest_start=2021) for row in whole.projects)
    fixed = replace(whole, projects=(first, *others))
    half = replace(first, cost=first.cost // 2, value=first.value / 2)
    split = replace(
        fixed,
        projects=(half, replace(half, id="half"), *others),
        dependencies=(*fixed.dependencies, Dependency(kind="together", first=first.id, then="half")),
    )
    assert best(split) == best(fixed)


@cases(25)
@given(portfolios())
def test_deciding_for_or_against_a_project_covers_all_plans(given):
    """The better of the two best plans, with it and without it, is the best plan."""
    ways = [
        best(replace(given, committed=(Commitment(project=given.projects[0].id, decision=word),)))
        for word in ("in", "out")
    ]
    assert max((value for value in ways if value is not None), default=None) == best(given)


def one_envelope(*projects, room):
    """Return projects of one year that share an envelope of four years."""
    return tables(
        *projects,
        sources=(Source(id="s", side="state"),),
        envelopes=(Envelope(source=("s",), period="2021:2024", amount=room),),
    )


@pytest.mark.parametrize("engine", ["capalloc", "highs"])
def test_one_and_a_quadrillion_together(engine):
    """Beside 10¹⁵ million VND one is below what floats tell apart: the answer is right, or refused with the reason."""
    huge, tiny = project("huge", 10**15, value=5), project("tiny", 1, value=1)
    assert best(one_envelope(huge, tiny, room=10**15 + 1), engine) == 6
    for room, value in ((10**15, 5), (10**15 - 1, 1)):
        with pytest.raises(EngineFailed, match="declare a larger unit"):
            best(one_envelope(huge, tiny, room=room), engine)
        assert best(one_envelope(huge, tiny, room=room), "enumeration") == value


def test_equal_ratios_are_no_reason_to_stop():
    """Value is cost in each: only 6 + 10 + 15 fills 31, and no ratio says so."""
    own = [project(f"P{cost}", cost, value=cost) for cost in (6, 10, 15, 25, 35)]
    assert best(one_envelope(*own, room=31)) == 31
    assert best(one_envelope(*own, room=30)) == 25


def test_what_costs_nothing_and_what_is_worth_nothing():
    """A gift is taken even where there is no money; what is worth nothing is not in the way; both may be."""
    own = [project("gift", 0, value=3), project("void", 4, value=0), project("both", 0, value=0)]
    assert best(one_envelope(*own, room=0)) == 3
    assert best(one_envelope(*own, project("paid", 4, value=2), room=4)) == 5


def test_ten_thousand_ties():
    """However many projects are alike, as many are funded as there is money for, and it is proved."""
    own = [project(f"P{number}", 3, value=2, latest_start=2021) for number in range(10_000)]
    assert best(one_envelope(*own, room=10_000)) == 2 * 3333


def test_a_thin_set_of_plans_is_found():
    """Costs 2⁰ to 2¹² and envelopes that must be spent to the last million leave one plan of all 8,192."""
    own = [project(f"P{power}", 2**power, value=1, latest_start=2021) for power in range(13)]
    thin = one_envelope(*own, room=5461)
    spent = Rule(id="spent", measure="paid:s", sense=">=", amount=Fraction(5461))
    assert best(replace(thin, rules=(spent,))) == (5461).bit_count()

"""Public-private partnership with the tables as they are: a cap on the public share, and shares by mode."""

from dataclasses import replace
from fractions import Fraction

import pytest

from building import broken, plan, project, tables
from capalloc.model import SolveOptions
from capalloc.records import Envelope, Mode, Rule, Share, Source
from capalloc.solving import optimize

EXACT = SolveOptions(time_limit=60, gap=0.0, threads=1)
ENGINES = ["capalloc", "highs", "enumeration", "pulp:CBC"]

SOURCES = (
    Source(id="central", side="state"),
    Source(id="province", side="state"),
    Source(id="investor", side="non_state", unlimited=True),
)
PUBLIC = ("central", "province")
HALF = Fraction(1, 2)


def envelopes(central, province):
    """Return what the two public sources have over all years."""
    amounts = {"central": central, "province": province}
    return tuple(Envelope(source=(name,), period="2021:2024", amount=amount) for name, amount in amounts.items())


def capped(share, *more):
    """Return shares by which the public sources together pay at most a share and the investor pays the rest."""
    return (
        Share(project="road", source=PUBLIC, max=share),
        Share(project="road", source=("investor",)),
        *more,
    )


def single(name, cost, value=1, **more):
    """Return a project of one year that starts in 2021."""
    return project(name, cost, value=Fraction(value), earliest_start=2021, latest_start=2021, **more)


def paid(answer, name="road"):
    """Return what each source pays for a project."""
    totals = {}
    for row in answer.allocation.payments:
        if row.project == name:
            totals[row.source] = totals.get(row.source, 0) + row.amount
    return totals


@pytest.mark.parametrize("engine", ENGINES)
def test_the_public_sources_together_stay_under_the_cap(engine):
    """Of 101 at most ceil(50.5) = 51 are public, however the two share it; the investor pays at least 50."""
    given = tables(single("road", 101), sources=SOURCES, envelopes=envelopes(30, 500), shares=capped(HALF))
    answer = optimize(given, EXACT, engine)
    amounts = paid(answer)
    assert sum(amounts.values()) == 101
    assert amounts["investor"] >= 50
    assert sum(amounts.get(name, 0) for name in PUBLIC) <= 51


def test_the_verifier_holds_the_cap_to_the_last_unit():
    """51 public are allowed and 52 are one too many, from whichever of the two sources they come."""
    given = tables(single("road", 101), sources=SOURCES, envelopes=envelopes(30, 500), shares=capped(HALF))
    kept = [("road", "central", 2021, 30), ("road", "province", 2021, 21), ("road", "investor", 2021, 50)]
    over = [("road", "central", 2021, 30), ("road", "province", 2021, 22), ("road", "investor", 2021, 49)]
    assert broken(given, plan(("road", 2021), paid=kept)) == []
    assert broken(given, plan(("road", 2021), paid=over)) == [("broken-share-over", 52, 51, 1)]


@pytest.mark.parametrize("engine", ENGINES)
def test_without_an_investor_a_capped_project_cannot_be_paid(engine):
    """No row lets the investor in, so that the public half is all there is."""
    given = tables(
        single("road", 100), single("school", 10), sources=SOURCES, envelopes=envelopes(500, 500),
        shares=capped(HALF)[:1],
    )  # fmt: skip
    assert [row.project for row in optimize(given, EXACT, engine).audit.projects] == ["school"]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("central", "province", "value"), [(20, 20, 2), (20, 19, 1), (0, 40, 2)])
def test_private_money_frees_public_money(engine, central, province, value):
    """A least public share of 30 in 100 and a school of 10 take 40 public; with 39 one of the two must go."""
    least = Share(project="road", source=PUBLIC, min=Fraction(3, 10), max=HALF)
    given = tables(
        single("road", 100), single("school", 10), sources=SOURCES, envelopes=envelopes(central, province),
        shares=(least, Share(project="road", source=("investor",))),
    )  # fmt: skip
    answer = optimize(given, EXACT, engine)
    assert answer.value == value
    if value == 2:
        assert paid(answer)["investor"] == 70
        assert sum(row.amount for row in answer.allocation.payments if row.source in PUBLIC) == 40


@pytest.mark.parametrize("engine", ENGINES)
def test_a_cap_by_year_binds_every_year(engine):
    """100 in two years at most half public: 25 of each year's 50, which an average over both years would not say."""
    by_year = (
        Share(project="road", source=PUBLIC, max=HALF, per="year"),
        Share(project="road", source=("investor",)),
    )
    given = tables(single("road", 100, duration=2), sources=SOURCES, envelopes=envelopes(500, 0), shares=by_year)
    answer = optimize(given, EXACT, engine)
    for year in (2021, 2022):
        public = sum(row.amount for row in answer.allocation.payments if row.year == year and row.source in PUBLIC)
        assert public <= 25
    first = [("road", "central", 2021, 50), ("road", "investor", 2022, 50)]
    assert broken(given, plan(("road", 2021), paid=first)) == [("broken-share-over-year", 50, 25, 25)]
    whole = tables(single("road", 100, duration=2), sources=SOURCES, envelopes=envelopes(500, 0), shares=capped(HALF))
    assert broken(whole, plan(("road", 2021), paid=first)) == []


def either(central, value_of_ppp):
    """Return a road that is built with public money alone, or dearer with an investor who pays at least 60 of 100."""
    return tables(
        single("road", None),
        single("school", 50, 5),
        modes=(
            Mode(project="road", mode="public", cost=80, value=Fraction(10)),
            Mode(project="road", mode="ppp", cost=120, value=Fraction(value_of_ppp)),
        ),
        sources=SOURCES,
        envelopes=envelopes(central, 0),
        shares=(
            Share(project="road", mode="ppp", source=("investor",), min=Fraction(3, 5)),
            Share(project="road", mode="ppp", source=PUBLIC, min=Fraction(1, 4), max=Fraction(2, 5)),
        ),
    )


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("central", "chosen"),
    [
        (130, {"road": "public", "school": ""}),  # 80 + 50, and public is worth more
        (129, {"road": "ppp", "school": ""}),  # the investor makes room for the school: at least 30 of 120 public
        (80, {"road": "ppp", "school": ""}),  # 30 + 50
        (79, {"road": "ppp"}),  # 8 beats 5; public would take 80
        (29, {}),
    ],
)
def test_public_or_private_is_a_choice_of_two_modes(engine, central, chosen):
    """The plan takes the mode that is worth most within the public money there is; shares bind their mode alone."""
    answer = optimize(either(central, 8), EXACT, engine)
    assert {row.project: row.mode for row in answer.audit.projects} == chosen
    if chosen.get("road") == "public":
        assert paid(answer) == {"central": 80}
    if chosen.get("road") == "ppp":
        amounts = paid(answer)
        assert amounts["investor"] >= 72
        assert 30 <= amounts["central"] <= 48


def test_the_investor_may_pay_in_the_private_mode_alone():
    """A row for one mode lets nobody in for the other."""
    given = either(130, 8)
    allocation = plan(("road", 2021, "public"), paid=[("road", "central", 2021, 79), ("road", "investor", 2021, 1)])
    assert broken(given, allocation) == [("broken-payer-uninvited", 1)]


def test_a_private_mode_holds_the_public_side_to_its_cap():
    """49 of 120 public are one more than two fifths, and 29 one less than a quarter."""
    given = either(130, 8)
    for public, code in ((48, []), (49, ["broken-share-over", "broken-share-under"]), (29, ["broken-share-under"])):
        lines = [("road", "central", 2021, public), ("road", "investor", 2021, 120 - public)]
        found = broken(given, plan(("road", 2021, "ppp"), paid=lines))
        assert sorted(issue[0] for issue in found) == code


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("ratio", "value"), [(Fraction(1, 2), 2), (Fraction(3, 5), 1)])
def test_private_money_that_must_follow_public_money_is_a_rule(engine, ratio, value):
    """The investor's 40 of 100 and a public school of 20 make 40 to 80: half will do, three fifths asks 48."""
    most = Share(project="road", source=("investor",), max=Fraction(2, 5))
    follow = Rule(id="r", measure="paid:investor", sense=">=", amount=ratio, share_of="paid:central+province")
    given = tables(
        single("road", 100, 1), single("school", 20, 1), sources=SOURCES, envelopes=envelopes(500, 0),
        shares=(most,), rules=(follow,),
    )  # fmt: skip
    answer = optimize(given, EXACT, engine)
    assert answer.value == value
    if value == 2:
        assert paid(answer) == {"central": 60, "investor": 40}
    else:
        assert [row.project for row in answer.audit.projects] == ["road"]


@pytest.mark.parametrize(("legal", "most"), [(False, 3), (True, 2)])
def test_a_cap_of_law_is_never_passed_by_rounding(legal, most):
    """A third of 7 is between 2 and 3: other shares end at the next unit above, a cap of law at the one below."""
    given = tables(
        project("P", 7, value=1),
        sources=(Source(id="state", side="state"), Source(id="investor", side="non_state")),
        envelopes=(
            Envelope(source=("state",), period="2021:2024", amount=9),
            Envelope(source=("investor",), period="2021:2024", amount=7 - most),
        ),
        shares=(
            Share(project="P", source=("investor",), max=Fraction(1)),
            Share(project="P", source=("state",), max=Fraction(1, 3), legal=legal),
        ),
    )
    for engine in ENGINES:
        answer = optimize(given, EXACT, engine)
        assert {row.source: row.amount for row in answer.allocation.payments} == {"state": most, "investor": 7 - most}
    tighter = replace(given, envelopes=(given.envelopes[0], replace(given.envelopes[1], amount=6 - most)))
    assert optimize(tighter, EXACT, "highs").allocation.choices == ()
    over = plan(("P", 2021), paid=[("P", "state", 2021, most + 1), ("P", "investor", 2021, 6 - most)])
    assert [code for code, *_ in broken(given, over)] == ["broken-share-over"]

"""Before optimising: every reason why a project can never be funded, and what mandatory projects take at least."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given

import capalloc
from brute import best_by_enumeration
from building import project, tables
from capalloc import InvalidInput, screening
from capalloc.catalogue import speaking
from capalloc.compiling import compile_tables
from capalloc.engines.highs import Highs
from capalloc.issues import Place, Severity
from capalloc.records import (
    Capacity,
    Commitment,
    Dependency,
    Envelope,
    Membership,
    Mode,
    Resource,
    Share,
    Source,
    Use,
)
from capalloc.screening import find_never, screen, screen_mandatory
from sample import COLUMNS, sample, write_sample
from strategies import portfolios


def financed(*projects, rooms, shares=(), sources=None, **more):
    """Return tables whose envelopes are given as {(sources joined by +, period): amount}."""
    names = dict.fromkeys(name for joined, _ in rooms for name in joined.split("+"))
    envelopes = tuple(Envelope(source=tuple(s.split("+")), period=p, amount=room) for (s, p), room in rooms.items())
    sources = sources or tuple(Source(id=name) for name in names)
    return tables(*projects, sources=sources, envelopes=envelopes, shares=shares, **more)


def found(tabled):
    """Return severity, code and arguments of everything that screening finds."""
    return [(issue.severity.value, issue.code, dict(issue.arguments)) for issue in screen(tabled)]


def only(reason, **arguments):
    """Return what screening finds when P can never be funded and nothing else is to be said."""
    return [("info", f"never-{reason}", {"project": "P", **arguments})]


def share(source, low=0, high=1, per="life"):
    """Return a row of `shares` for P."""
    return Share(project="P", source=tuple(source.split("+")), min=Fraction(low), max=Fraction(high), per=per)


PLENTY = {("S", "2021:2024"): 999}


def test_of_what_can_be_funded_nothing_is_said():
    """Alone each project fits; that they do not fit together is for the plan to settle."""
    assert found(financed(project("P", 7), project("Q", 7), rooms={("S", "2021:2024"): 7})) == []
    assert found(tables(project("P", 7))) == found(tables()) == []


def test_never_because_it_was_decided():
    """With the reason as it was written."""
    rows = (Commitment(project="P", decision="out", reason="Land is disputed."),)
    assert found(tables(project("P", 1), committed=rows)) == only("decided", why="Land is disputed.")


@pytest.mark.parametrize(
    ("given_", "years", "earliest"),
    [
        (tables(project("P", 1, duration=5)), 5, 2021),
        (tables(project("P", 1, duration=2, earliest_start=2024)), 2, 2024),
        (tables(project("P", 1, duration=3), may_cross_phase=False), 3, 2021),
        (
            tables(
                project("P", duration=9),
                modes=tuple(Mode(project="P", mode=name, cost=1, duration=n) for name, n in (("a", 6), ("b", 5))),
            ),
            5,
            2021,
        ),
    ],
)
def test_never_because_it_does_not_end_in_time(given_, years, earliest):
    """Its shortest mode, from its earliest start, ends after 2024 or crosses the border of a phase of two years."""
    assert found(given_) == only("window", years=years, earliest=earliest, last=2024)


@pytest.mark.parametrize("decide_from", [None, 2022])
def test_never_because_its_window_is_over(decide_from):
    """It ends before the first year that the plan decides, however short the work is."""
    given_ = tables(project("P", 1, earliest_start=2018, latest_start=2020), decide_from=decide_from)
    assert found(given_) == only("past", latest=2020, first=decide_from or 2021)
    open_mode = Mode(project="P", mode="a", latest_start=2021, duration=5)
    given_ = tables(project("P", 1, latest_start=2020), modes=(Mode(project="P", mode="b"), open_mode))
    assert found(given_) == only("window", years=1, earliest=2021, last=2024)


def test_never_because_its_window_comes_too_late():
    """It begins after the last year."""
    assert found(tables(project("P", 1, earliest_start=2025))) == only("late", earliest=2025, last=2024)


def test_never_because_nobody_may_pay():
    """No source is eligible, or none on the state side and no row of shares lets another one pay."""
    roads = (Source(id="S", eligible='sector == "road"'),)
    assert found(financed(project("P", 1), rooms=PLENTY, sources=roads)) == only("payer")
    bank = (Source(id="S", side="non_state"),)
    assert found(financed(project("P", 1), rooms=PLENTY, sources=bank)) == only("payer")
    assert found(financed(project("P", 0), rooms=PLENTY, sources=bank)) == []


@pytest.mark.parametrize(
    ("rooms", "period", "needed", "room"),
    [
        ({("S", "2021:2024"): 9}, "2021:2024", 10, 9),
        ({("S", "A"): 3, ("S", "B"): 7}, "B", 10, 7),
        ({("S", "2021"): 0, ("S", "2022"): 8, ("S", "B"): 1}, "2022", 10, 8),
    ],
)
def test_never_because_it_is_dearer_than_an_envelope(rooms, period, needed, room):
    """In the year where least is missing; what it needs there is told beside the room."""
    expected = only("envelope", source="S", period=period, needed=needed, room=room)
    assert found(financed(project("P", 10), rooms=rooms)) == expected


def test_never_because_several_sources_together_have_too_little():
    """A has room for 4 and B for 5, and together for 8: one of 9 is too dear, one of 8 is not."""
    rooms = {("A", "2021:2024"): 4, ("B", "2021:2024"): 5, ("A+B", "2021:2024"): 8}
    assert found(financed(project("P", 9), rooms=rooms)) == only(
        "envelope", source="A+B", period="2021:2024", needed=9, room=8
    )
    assert found(financed(project("P", 8), rooms=rooms)) == []


@pytest.mark.parametrize(("room", "never"), [(45_000_001, False), (45_000_000, True)])
def test_a_single_million_counts_also_in_a_very_large_project(room, never):
    """85,000,001 from two sources of which one has 40,000,000."""
    rooms = {("S", "2021:2024"): 40_000_000, ("T", "2021:2024"): room}
    codes = [code for _, code, _ in found(financed(project("P", 85_000_001), rooms=rooms))]
    assert codes == ["never-envelope"] * never


@pytest.mark.parametrize(
    ("shares", "source", "low", "high"),
    [
        # All who may pay are not allowed to pay all.
        ([share("S", high="1/2"), share("B", high=0)], "S", 0, "1/2"),
        ([share("S", high="1/2"), share("B", high="1/3")], "S", 0, "1/2"),
        ([share("S+B", high="1/2"), share("S", high="1/4")], "S+B", 0, "1/2"),
        ([share("S+B", high="3/4"), share("S+B", high="1/2", per="year")], "S+B", 0, "1/2"),
        # Half has to come from B, which has 1 for 2.
        ([share("B", low="1/2")], "B", "1/2", 1),
        ([share("B", low="1/2", per="year")], "B", "1/2", 1),
    ],
)
def test_never_because_the_shares_cannot_be_kept(shares, source, low, high):
    """P costs 4, S has plenty, B has 1."""
    rooms = PLENTY | {("B", "2021:2024"): 1}
    given_ = financed(project("P", 4), rooms=rooms, shares=tuple(shares))
    assert found(given_) == only("share", source=source, low=Fraction(low), high=Fraction(high))


def test_never_because_the_shares_ask_for_more_than_the_cost():
    """Three quarters from A and three quarters from B; that C may pay without end does not help."""
    shares = tuple(share(name, low="3/4", high="3/4") for name in "AB")
    sources = tuple(Source(id=name, unlimited=True) for name in "ABC")
    codes = [code for _, code, _ in found(tables(project("P", 4), sources=sources, shares=shares))]
    assert codes == ["never-share"]


def test_shares_that_round_to_the_whole_cost_are_kept():
    """A third and a third and a third of 1: every source may pay the whole million."""
    rooms = {(name, "2021:2024"): 1 for name in "ABC"}
    shares = tuple(share(name, low="1/3", high="1/3") for name in "ABC")
    assert found(financed(project("P", 1), rooms=rooms, shares=shares)) == []


def test_never_because_a_resource_is_too_scarce():
    """3/2 of a staff that has 4/3; a start in the other phase would do, and is not allowed."""
    staff = {
        "resources": (Resource(id="staff"),),
        "uses": (Use(project="P", resource="staff", offset=0, amount=Fraction(3, 2)),),
        "capacities": tuple(
            Capacity(resource="staff", period=phase, amount=amount)
            for phase, amount in (("A", Fraction(4, 3)), ("B", Fraction(3, 2)))
        ),
    }
    early = tables(project("P", 1, latest_start=2022), **staff)
    assert found(early) == only("resource", resource="staff", period="A")
    assert found(tables(project("P", 1), **staff)) == []


@pytest.mark.parametrize("must", [{"mandatory": True}, {}])
@pytest.mark.parametrize("kind", ["excludes", "one_of", "exactly_one_of"])
def test_never_because_it_stands_against_what_must_be_funded(kind, must):
    """A dependency or a group, whichever of the two is written first, and a mandatory or a committed project."""
    committed = () if must else (Commitment(project="M", decision="in"),)
    for first, then in (("M", "P"), ("P", "M")):
        if kind == "excludes":
            rows = {"dependencies": (Dependency(kind=kind, first=first, then=then),)}
        else:
            rows = {"groups": tuple(Membership(group="g", project=name, kind=kind) for name in (first, then))}
        given_ = tables(project("P", 1), project("M", 1, **must), committed=committed, **rows)
        assert found(given_) == only("excluded", other="M")


def test_rivals_of_what_need_not_be_funded_may_be_funded():
    """Also where the number of a group leaves room beside what must be."""
    rows = tuple(Membership(group="g", project=name, kind="at_most", k=2) for name in "MP")
    assert found(tables(project("P", 1), project("M", 1, mandatory=True), groups=rows)) == []
    row = Dependency(kind="excludes", first="P", then="Q")
    assert found(tables(project("P", 1), project("Q", 1), dependencies=(row,))) == []


@pytest.mark.parametrize("kind", ["requires", "finish_start", "start_start", "together"])
def test_never_because_what_it_needs_never_is(kind):
    """Through any number of projects; of two that go together each needs the other."""
    rows = (Dependency(kind=kind, first="F", then="P"), Dependency(kind="requires", first="P", then="R"))
    given_ = tables(project("R", 1), project("P", 1), project("F", 1, duration=9), dependencies=rows)
    assert {issue.arguments["project"]: issue.code for issue in screen(given_)} == {
        "F": "never-window",
        "P": "never-first",
        "R": "never-first",
    }
    assert found(given_)[:2] == [
        ("info", "never-first", {"project": "R", "first": "P"}),
        ("info", "never-first", {"project": "P", "first": "F"}),
    ]


def test_the_first_of_two_goes_with_the_second():
    """`together` has no direction, `requires` has."""
    for kind, never in (("together", ["P", "Q"]), ("requires", ["Q"])):
        row = Dependency(kind=kind, first="P", then="Q")
        given_ = tables(project("P", 1), project("Q", 1, duration=9), dependencies=(row,))
        assert [issue.arguments["project"] for issue in screen(given_)] == never


@pytest.mark.parametrize(
    ("kind", "lag", "duration", "ready"),
    [("finish_start", 0, 2, 2023), ("finish_start", 1, 1, 2023), ("start_start", 2, 3, 2023)],
)
def test_never_because_it_may_start_too_late(kind, lag, duration, ready):
    """F starts in 2021 at the earliest, and P in 2022 at the latest; a year more for P, and it can."""
    row = Dependency(kind=kind, first="F", then="P", lag=lag)
    for latest, expected in ((2022, only("order", first="F", ready=ready, last=2022)), (2023, [])):
        given_ = tables(project("P", 1, latest_start=latest), project("F", 1, duration=duration), dependencies=(row,))
        assert found(given_) == expected


def test_a_chain_adds_up():
    """One year each, C after B after A: C can start in 2023."""
    rows = tuple(Dependency(kind="finish_start", first=first, then=then) for first, then in ("AB", "BP"))
    given_ = tables(project("P", 1, latest_start=2022), project("A", 1), project("B", 1), dependencies=rows)
    assert found(given_) == only("order", first="B", ready=2023, last=2022)


def test_a_shorter_mode_may_let_it_start_in_time():
    """The soonest end counts, over all modes."""
    row = Dependency(kind="finish_start", first="F", then="P")
    modes = tuple(Mode(project="F", mode=name, cost=1, duration=n) for name, n in (("a", 3), ("b", 1)))
    given_ = tables(project("P", 1, latest_start=2022), project("F"), modes=modes, dependencies=(row,))
    assert found(given_) == []


def test_a_mandatory_project_that_never_can_is_an_error_at_its_row():
    """Any other is only told; where nothing is mandatory, nothing is wrong."""
    rows = {"committed": (Commitment(project="C", decision="in"),)}
    projects = [
        project("M", 1, duration=9, mandatory=True, row=2),
        project("C", 1, duration=9, row=3),
        project("P", 1, duration=9, row=4),
    ]
    issues = screen(tables(*projects, **rows))
    assert [issue.severity for issue in issues] == [Severity.ERROR, Severity.ERROR, Severity.INFO]
    assert [(issue.where.row, issue.where.column) for issue in issues] == [(2, "mandatory"), (3, "id"), (4, "id")]
    assert screen_mandatory(tables(*projects, **rows)) == issues.errors
    assert screen_mandatory(tables(project("P", 1, duration=9))) == ()


@pytest.mark.parametrize("needed", ["first", "dear", "group"])
def test_what_a_mandatory_project_needs_is_judged_with_it(needed):
    """M needs F, which costs 10 where 9 are; F may also stand behind another project that M needs."""
    rows = {
        "first": [Dependency(kind="requires", first="F", then="M")],
        "dear": [
            Dependency(kind="requires", first="F", then="G"),
            Dependency(kind="start_start", first="G", then="M"),
        ],
        "group": [Dependency(kind="together", first="M", then="F")],
    }[needed]
    projects = project("M", 1, mandatory=True), project("F", 10), project("G", 1), project("P", 10)
    given_ = financed(*projects, rooms={("S", "2021:2024"): 9}, dependencies=tuple(rows))
    issues = screen_mandatory(given_)
    assert [(issue.code, issue.arguments["project"]) for issue in issues] == [("never-first", "M")]


def loads(tabled):
    """Return what mandatory projects take at least of each envelope: {(source, period): (least, room, left)}."""
    issues = screen(tabled)
    assert {(issue.severity, issue.code) for issue in issues} == {(Severity.INFO, "mandatory-load")}
    rows = [issue.arguments for issue in issues]
    return {(row["source"], row["period"]): (row["least"], row["room"], row["left"]) for row in rows}


def must(cost, name="M", **more):
    """Return a mandatory project."""
    return project(name, cost, mandatory=True, **more)


@pytest.mark.parametrize(
    ("projects", "rooms", "expected"),
    [
        # A single payer pays everything, whatever else could be funded.
        ([must(6), project("P", 3)], {("S", "2021:2024"): 9}, [(6, 9, 3)]),
        ([must(6), must(1, "N")], {("S", "2021:2024"): 7}, [(7, 7, 0)]),
        # The other source takes what it can.
        ([must(6)], {("S", "2021:2024"): 4, ("T", "2021:2024"): 5}, [(1, 4, 3), (2, 5, 3)]),
        ([must(6)], {("S", "2021:2024"): 6, ("T", "2021:2024"): 6}, [(0, 6, 6), (0, 6, 6)]),
        # So does the other phase, where the start is free.
        ([must(6)], {("S", "A"): 6, ("S", "B"): 8}, [(0, 6, 6), (0, 8, 8)]),
        ([must(6, latest_start=2022)], {("S", "A"): 6, ("S", "B"): 8}, [(6, 6, 0), (0, 8, 8)]),
        ([must(6), must(5, "N")], {("S", "A"): 6, ("S", "B"): 8}, [(5, 6, 1), (5, 8, 3)]),
        # Two years from 2022 on at the latest: at least the first half falls into phase A.
        ([must(6, duration=2, latest_start=2022)], {("S", "A"): 6, ("S", "B"): 8}, [(3, 6, 3), (0, 8, 8)]),
        ([must(0)], {("S", "2021:2024"): 9}, [(0, 9, 9)]),
    ],
)
def test_mandatory_projects_take_at_least_what_no_choice_avoids(projects, rooms, expected):
    """Of each envelope by itself: the least over all sources and start years."""
    assert list(loads(financed(*projects, rooms=rooms)).values()) == expected


def test_the_load_of_shares_and_reserves_is_counted():
    """A third of 10 at least comes from S, 3 in whole units; of the 20 of S a tenth stays back."""
    given_ = tables(
        must(10),
        sources=(Source(id="S", reserve=Fraction(1, 10)), Source(id="T")),
        envelopes=tuple(Envelope(source=(name,), period="2021:2024", amount=20, row=4) for name in "ST"),
        shares=(Share(project="M", source=("S",), min=Fraction(1, 3)),),
    )
    assert loads(given_) == {("S", "2021:2024"): (3, 18, 15), ("T", "2021:2024"): (0, 20, 20)}
    assert all((issue.where.row, issue.where.column) == (4, "amount") for issue in screen(given_))


def test_a_load_is_at_least_what_is_whole():
    """Of A, B and C any two pay at most 1, so all three 3/2 of a cost of 2; the other half of T is 1 in whole units."""
    pairs = {("A+B", "2021:2024"): 1, ("A+C", "2021:2024"): 1, ("B+C", "2021:2024"): 1, ("T", "2021:2024"): 9}
    assert loads(financed(must(2), rooms=pairs))["T", "2021:2024"] == (1, 9, 8)


@pytest.mark.parametrize(
    ("rows", "least"),
    [
        ({}, 6),
        ({"dependencies": (Dependency(kind="requires", first="F", then="M"),)}, 8),
        ({"dependencies": (Dependency(kind="requires", first="M", then="F"),)}, 6),
        ({"dependencies": (Dependency(kind="together", first="M", then="F"),)}, 8),
        ({"groups": tuple(Membership(group="g", project=name, kind="at_least", k=1) for name in "FG")}, 7),
        ({"groups": tuple(Membership(group="g", project=name, kind="exactly_one_of") for name in "FG")}, 7),
        ({"groups": tuple(Membership(group="g", project=name, kind="at_least", k=1) for name in "MG")}, 6),
        ({"groups": tuple(Membership(group="g", project=name, kind="at_most", k=1) for name in "FG")}, 6),
        ({"committed": (Commitment(project="G", decision="in"),)}, 7),
    ],
)
def test_what_mandatory_projects_and_groups_need_is_part_of_the_load(rows, least):
    """M costs 6, F costs 2 and G costs 1."""
    given_ = financed(must(6), project("F", 2), project("G", 1), rooms={("S", "2021:2024"): 9}, **rows)
    assert loads(given_) == {("S", "2021:2024"): (least, 9, 9 - least)}


@pytest.mark.parametrize(
    "given_",
    [
        financed(must(6), must(5, "N"), rooms={("S", "2021:2024"): 10}),
        tables(
            must(1),
            must(1, "N"),
            resources=(Resource(id="staff"),),
            uses=tuple(Use(project=name, resource="staff", amount=Fraction(2, 3)) for name in "MN"),
            capacities=(Capacity(resource="staff", period="2021:2024", amount=Fraction(1)),),
        ),
        tables(must(1), must(1, "N"), dependencies=(Dependency(kind="excludes", first="M", then="N"),)),
    ],
)  # fmt: skip
def test_mandatory_projects_that_do_not_fit_together_are_a_warning(given_):
    """Too little money, too little of a resource, or one excludes the other; also where there are no envelopes."""
    assert found(given_) == [("warning", "mandatory-together", {"count": 2})]


def test_what_mandatory_projects_meet_counts_also_where_they_have_no_part_in_it():
    """Of A and B, whose windows are too short for their work, one would have to be funded beside M."""
    group = tuple(Membership(group="g", project=name, kind="at_least", k=1) for name in "AB")
    given_ = tables(must(1), project("A", 1, duration=9), project("B", 1, duration=9), groups=group)
    assert [code for _, code, _ in found(given_)] == ["never-window", "never-window", "mandatory-together"]
    assert screen_mandatory(given_) == ()


def test_what_never_can_comes_before_the_load():
    """A load says nothing where a mandatory project can never be funded."""
    given_ = financed(must(6), must(1, "N", duration=9), rooms={("S", "2021:2024"): 10})
    assert [code for _, code, _ in found(given_)] == ["never-window"]


@given(portfolios())
def test_what_can_never_be_funded_is_in_no_plan(tabled):
    """Committing such a project leaves no plan, as trying everything says; `mandatory` may stand in selections."""
    decided = {row.project for row in tabled.committed}
    for number in find_never(compile_tables(tabled)):
        name = tabled.projects[number].id
        asked = tabled if name in decided else replace(tabled, committed=(Commitment(project=name), *tabled.committed))
        best = best_by_enumeration(asked)
        assert best is None or name not in {choice.project for choice in best[1].choices}


@given(portfolios())
def test_every_finding_has_its_words(tabled):
    """Screening comes through whatever the tables hold, and says in both languages what it finds."""
    issues = screen(tabled)
    assert screen_mandatory(tabled) == issues.errors
    for lang in ("en", "vi"):
        with speaking(lang):
            assert all(issue.message and issue.remedy for issue in issues)


@given(portfolios(with_sources=True))
def test_no_plan_takes_less_of_an_envelope_than_the_load(tabled):
    """With a room one below the load, or where they do not fit together, trying everything finds no plan."""
    issues = screen(tabled)
    if issues.of("mandatory-together"):
        assert best_by_enumeration(tabled) is None
    for issue, row in zip(issues.of("mandatory-load"), tabled.envelopes, strict=False):
        least = issue.arguments["least"]
        assert (issue.arguments["source"], issue.arguments["period"]) == ("+".join(row.source), row.period)
        if least:
            less = replace(row, amount=least - 1, reserve=Fraction(0))
            rows = tuple(less if other is row else other for other in tabled.envelopes)
            assert best_by_enumeration(replace(tabled, envelopes=rows)) is None


class Counting:
    """An engine that counts how often it is asked."""

    asked = 0

    def solve(self, *arguments):
        """Pass on to HiGHS."""
        Counting.asked += 1
        return Highs().solve(*arguments)


@pytest.fixture
def engine(monkeypatch):
    """Return the count of what screening asks its engine."""
    monkeypatch.setattr(screening, "Highs", Counting)
    monkeypatch.setattr(Counting, "asked", 0)
    return Counting


def test_projects_that_surely_fit_are_not_solved_one_by_one(engine):
    """Each pays a third to a half from B: 4 of 10 fits into every room, however many projects there are."""
    rows = tuple(
        Share(project=f"P{number}", source=("B",), min=Fraction(1, 3), max=Fraction(1, 2)) for number in range(50)
    )
    rooms = {("S", "2021:2024"): 10, ("B", "2021:2024"): 10}
    given_ = financed(*(project(f"P{number}", 10) for number in range(50)), rooms=rooms, shares=rows)
    assert screen(given_) == ()
    assert engine.asked == 0


def test_loading_solves_only_for_what_must_be_funded(engine):
    """Fifty projects are too dear; one of them is mandatory, and it alone is looked at."""
    projects = [project(f"P{number}", 10, mandatory=number == 7) for number in range(50)]
    given_ = financed(*projects, rooms={("S", "2021:2024"): 9})
    assert [issue.arguments["project"] for issue in screen_mandatory(given_)] == ["P7"]
    assert engine.asked == 1
    assert screen_mandatory(financed(*projects[:7], rooms={("S", "2021:2024"): 9})) == ()
    assert engine.asked == 1


DEAR = r"\[never-envelope\].*Project C can never be funded: even alone it needs 3,480 million VND from oda"


@pytest.mark.parametrize("must_be", ["mandatory", "committed"])
def test_a_portfolio_that_asks_for_what_can_never_be_funded_is_refused(must_be, tmp_path):
    """From frames, from files and after a change; C costs 5,000, of which the state has 1,520 and ODA 100."""
    asked = {"committed": {"project": ["C"], "decision": ["in"]}} if must_be == "committed" else {}
    columns = COLUMNS["projects"] | ({"mandatory": [False, False, True]} if must_be == "mandatory" else {})
    dear = columns | {"cost": [1001, 500, 5000]}
    with pytest.raises(InvalidInput, match=DEAR) as wrong:
        sample(projects=dear, **asked)
    assert [issue.code for issue in wrong.value.issues.errors] == ["never-envelope"]
    with pytest.raises(InvalidInput, match=DEAR) as wrong:
        capalloc.load(write_sample(tmp_path / "sample", projects=dear, **asked))
    column = "mandatory" if must_be == "mandatory" else "id"
    assert wrong.value.issues.errors[0].where == Place("projects.csv", "", 4, column)
    with pytest.raises(InvalidInput, match=DEAR):
        sample(projects=columns, **asked).with_changes({"projects.C.cost": 5000})


def test_a_refusal_tells_the_warnings_too():
    """A takes nine years of five, which is no fault of the portfolio, and is told beside the error about C."""
    projects = COLUMNS["projects"] | {"mandatory": [False, False, True], "cost": [1001, 500, 5000]}
    with pytest.raises(InvalidInput) as wrong:
        sample(projects=projects | {"duration": [9, 1, 1]})
    assert [issue.code for issue in wrong.value.issues] == ["no-start", "never-envelope"]


def test_check_has_everything_that_screening_says():
    """What can never be funded, and the load: C needs B, and of their 1,300 the state pays all but the 100 of ODA."""
    portfolio = sample(projects=COLUMNS["projects"] | {"mandatory": [False, False, True], "cost": [9000, 500, 800]})
    issues = portfolio.check()
    assert [dict(issue.arguments)["project"] for issue in issues.of("never-envelope")] == ["A"]
    least = {issue.arguments["source"]: issue.arguments["least"] for issue in issues.of("mandatory-load")}
    assert least == {"state": 1200, "oda": 0}
    assert not issues.errors


def part_of(least, **more):
    """Return P as a programme of 10 over two years, which may be done from some part of it on."""
    return project("P", 10, kind="programme", min_scale=Fraction(least), duration=2, **more)


def test_a_programme_is_judged_by_its_least_part():
    """Half of 10 fits into 5; more than half of it does not, and 6 is what it needs."""
    assert found(financed(part_of("1/2"), rooms={("S", "2021:2024"): 5})) == []
    given_ = financed(part_of("11/20"), rooms={("S", "2021:2024"): 5})
    assert found(given_) == only("envelope", source="S", period="2021:2024", needed=6, room=5)


def test_a_programme_uses_a_part_of_its_resources():
    """Half of 8 hectares."""
    resources = {"resources": (Resource(id="land"),), "uses": (Use(project="P", resource="land", amount=Fraction(8)),)}
    for capacity, expected in ((4, []), (3, only("resource", resource="land", period="2021:2024"))):
        capacities = (Capacity(resource="land", period="2021:2024", amount=Fraction(capacity)),)
        assert found(tables(part_of("1/2"), capacities=capacities, **resources)) == expected


def test_the_load_of_a_mandatory_programme_is_its_least_part():
    """5 of 10; what it takes of the years after its own is nothing."""
    given_ = financed(
        part_of("1/2", mandatory=True, latest_start=2021), rooms={("S", "2021:2022"): 9, ("S", "2023:2024"): 1}
    )
    loads = [(severity, code, args["least"], args["left"]) for severity, code, args in found(given_)]
    assert loads == [("info", "mandatory-load", 5, 4), ("info", "mandatory-load", 0, 1)]

"""Hypothesis strategies: small random portfolios that mix every feature, given straight as records."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import combinations

from hypothesis import settings as profile
from hypothesis import strategies as st

from brute_costs import RUNNING, begun, cell, first_open_year, flexible_years, is_stopped, scales_of
from capalloc.allocation import Allocation, Choice, Payment
from capalloc.records import (
    STATUSES,
    Benefit,
    Capacity,
    Commitment,
    Contribution,
    Cost,
    Criterion,
    Dependency,
    Envelope,
    Indicator,
    Membership,
    Mode,
    PriceIndex,
    Priority,
    ProfileShare,
    Project,
    Resource,
    Rule,
    Score,
    Share,
    Source,
    Synergy,
    Target,
    Use,
)
from capalloc.settings import ObjectiveSettings, PhaseSettings, Settings
from capalloc.tables import Tables
from drafts import FIRST_YEAR, HALF, KINDS, LONGEST, THIRD, drafts, draw_begun, draw_kinds, draw_paid, one_in, suit

# None of these cuts a small cost into whole amounts by itself.
PROFILES = {
    "front": {1: (1,), 2: (Fraction(2, 3), THIRD), 3: (HALF, Fraction(2, 7), Fraction(3, 14))},
    "late": {1: (1,), 2: (Fraction(1, 7), Fraction(6, 7)), 3: (Fraction(1, 6), THIRD, HALF)},
}
# The first project matches each of them, so that none selects nothing.
SELECTIONS = ("", 'sector == "road"', "priority <= 2", 'location in ["A", "C"] and not mandatory')

SETS = ("", "growth", "equity")
SET_CHOICES = (
    {},
    {"criteria": "growth"},
    {"sets": {"growth": Decimal("0.6"), "equity": Decimal("0.4")}},
    {"sets": {"": Decimal("0.1"), "equity": Decimal("0.9")}},
)
COUNTS = ("starts", "completions", "active")
AMOUNTS = ("cost", "tail", "value")
CAPS = (None, Fraction(0), THIRD, Fraction(2, 3), Fraction(1))

values = st.fractions(-4, 12, max_denominator=6)
prices = st.sampled_from([None, None, Fraction(0), HALF, HALF, Fraction(1), Fraction(5, 3)])  # of a rule or a target
shares = st.sampled_from([Fraction(0), Fraction(1, 7), Fraction(1, 4), THIRD, HALF, Fraction(2, 3), Fraction(1)])


# What portfolios may have besides; a test may ask for fewer.
EVERYTHING = KINDS | {
    "prices",
    "carry",
    "disbursement",
    "priorities",
    "order",
    "rules",
    "payment rules",
    "targets",
    "synergies",
    "sets",
}


def cases(count):
    """So many cases of a test in the ordinary run, and as many times more in the nightly one as of any other test."""
    return profile(max_examples=count * profile().max_examples // 100)


@st.composite
def settings(draw, features=EVERYTHING):
    """Two to four years, in no phase or in two or three, with any kind of value."""
    last = FIRST_YEAR + draw(st.integers(1, 3))
    border = draw(st.one_of(st.none(), *[st.integers(FIRST_YEAR, last - 1)] * (3 if "carry" in features else 1)))
    phases = () if border is None else (("A", FIRST_YEAR, border), ("B", border + 1, last))
    if "carry" in features and phases and border + 1 < last and not draw(one_in(4)):
        phases = (phases[0], ("B", border + 1, last - 1), ("C", last, last))
    return Settings(
        first_year=FIRST_YEAR,
        last_year=last,
        phases=tuple(PhaseSettings(name=name, first=first, last=end) for name, first, end in phases),
        decide_from=draw(st.none() | st.integers(FIRST_YEAR, last)) if "history" in features else None,
        discount_rate=draw(st.sampled_from([Decimal(0), Decimal("0.05"), Decimal("0.1")])),
        may_cross_phase=border is None or draw(st.booleans()),
        may_run_over=draw(st.booleans()),
        prices="nominal" if "prices" in features and draw(one_in(3)) else "",
        objective=ObjectiveSettings(
            goal="lexicographic" if "order" in features and draw(one_in(5)) else "weighted",
            value_from=draw(st.sampled_from(["column", "score", "score_size", "benefits"])),
            at=draw(st.sampled_from(["start", "completion"])),
            **draw(st.sampled_from(SET_CHOICES if "sets" in features else SET_CHOICES[:1])),
            class_weights=draw(st.sampled_from([{}, {1: Decimal(4), 2: Decimal("1.5"), 3: Decimal("0.1")}])),
        ),
    )


@st.composite
def portfolios(draw, with_sources=None, features=EVERYTHING):
    """Tables of two to five projects, one of them perhaps with two or three modes.

    ``with_sources`` says whether there is a `sources` table; left out, there mostly is.  ``features`` says what may
    come besides.
    """
    general = draw(settings(features))
    count = draw(st.integers(2, 5))
    ids = [f"P{number}" for number in range(1, count + 1)]
    financed = draw(st.sampled_from([True] * 7 + [False])) if with_sources is None else with_sources
    # Few ways to do each project, so that every plan of a portfolio can be tried.
    widest = 4 if count <= 3 else 2
    kinds = draw_kinds(draw, general, ids, features, financed=financed)
    ordinary = drafts(general, widest, explicit=True)
    total = {name: draw(drafts(general, widest, explicit=False)) for name in ids}
    plain = {name: draw(ordinary) for name in ids}
    modes = {name: _mode_names(draw, name, count) for name in ids}
    own = {name: total[name] if modes[name] else plain[name] for name in ids}
    variants = {(name, mode): draw(ordinary) for name in ids for mode in modes[name]}
    for name, kind in kinds.items():
        suit(draw, general, kind, name, own, variants)
    # A total beside explicit costs would have to agree with them.
    streamed = {name for (name, _), draft in variants.items() if draft.stream}
    own |= {name: replace(own[name], cost=None) for name in streamed}
    pairs = [(name, mode) for name in ids for mode in modes[name] or ("",)]
    done = {pair: variants.get(pair) or own[pair[0]] for pair in pairs}
    mandatory = draw(st.sampled_from([*[""] * 5, ids[-1]]))
    began = [name for name, kind in kinds.items() if kind == "history"]
    committed = tuple(row for row in _committed(draw, done, ids[0]) if row.project not in began)
    committed += draw_begun(draw, own, done, began)
    if any((row.project, row.decision) == (mandatory, "out") for row in committed):
        mandatory = ""
    tables = Tables(
        settings=general,
        projects=tuple(draw(_project(name, own[name], kinds.get(name), name == mandatory)) for name in ids),
        modes=tuple(
            _mode(draw, name, mode, draft, may_inherit=name not in streamed) for (name, mode), draft in variants.items()
        ),
        costs=tuple(
            Cost(project=name, mode=mode, offset=offset, amount=amount)
            for (name, mode), draft in done.items()
            for offset, amount in draft.stream
        ),
        profiles=tuple(
            ProfileShare(profile=profile, duration=duration, offset=offset, share=Fraction(share))
            for profile, table in PROFILES.items()
            for duration, row in table.items()
            for offset, share in enumerate(row)
        ),
        committed=committed,
        dependencies=_dependencies(draw, ids),
        groups=_groups(draw, ids),
        **_values(draw, general, pairs),
        **_money(draw, general, done, kinds, features, financed=financed),
        **_resources(draw, general, pairs),
        **_prices(draw, general),
        **_priorities(draw, general, pairs, features),
        **_outcomes(draw, general, pairs, features),
        **_synergies(draw, ids, features),
    )
    tables = replace(tables, paid=tuple(row for name in began for row in draw_paid(draw, tables, name)))
    tables = replace(
        tables, projects=tuple(_with_status(draw, tables, row, began, features) for row in tables.projects)
    )
    return replace(tables, rules=_rules(draw, tables, features))


def _with_status(draw, tables, project, began, features):
    """Any status, but one that says so where no payment tells that a project has begun."""
    told = project.id not in began or any(row.project == project.id for row in tables.paid)
    return (
        replace(project, status=draw(st.sampled_from(STATUSES if told else RUNNING)))
        if "history" in features
        else project
    )


def _mode_names(draw, name, count):
    """Modes for the second project alone, or for the first two of few."""
    if name not in (("P1", "P2") if count <= 3 else ("P2",)):
        return ()
    return draw(st.sampled_from([(), ("small", "large")] + ([("a", "b", "c")] if count == 2 else [])))


@st.composite
def _project(draw, name, draft, kind, mandatory):
    first = name == "P1"
    least_scales = st.sampled_from([Fraction(1, 7), Fraction(1, 7), THIRD, HALF, Fraction(1)])
    return Project(
        id=name,
        sector="road" if first else draw(st.sampled_from(["road", "school"])),
        location="A" if first else draw(st.sampled_from(["A", "B"])),
        priority=1 if first else draw(st.integers(1, 3)),
        mandatory=mandatory,
        earliest_start=draft.earliest,
        latest_start=draft.latest,
        duration=draft.duration,
        cost=draft.cost,
        size=draw(st.integers(1, 5)),
        price_year=draw(st.none() | st.integers(FIRST_YEAR, FIRST_YEAR + 1)),
        profile=draft.profile,
        value=draw(values),
        kind="programme" if kind == "programmes" else "works",
        min_scale=draw(least_scales) if kind == "programmes" else None,
        year_min=draft.least,
        year_max=draft.most,
    )


def _mode(draw, name, mode, draft, *, may_inherit):
    return Mode(
        project=name,
        mode=mode,
        cost=None if may_inherit and draft.profile != "flexible" and draw(st.booleans()) else draft.cost,
        duration=draft.duration,
        profile=draft.profile,
        value=draw(st.none() | values),
        earliest_start=draft.starts[0],
        latest_start=draft.starts[-1],
        year_min=draft.least,
        year_max=draft.most,
    )


def _committed(draw, done, project):
    decision = draw(st.sampled_from([None] * 6 + ["in", "in", "out"]))
    if decision is None:
        return ()
    mode, draft = draw(st.sampled_from([(mode, draft) for (name, mode), draft in done.items() if name == project]))
    if decision == "out" or draw(st.booleans()):
        return (Commitment(project=project, decision=decision),)
    start = draw(st.none() | st.sampled_from(draft.starts))
    return (Commitment(project=project, decision="in", mode=mode, start=start),)


def _dependencies(draw, ids):
    """At most two rows over different pairs, the earlier project first, so that there is no cycle."""
    pairs = draw(st.lists(st.sampled_from(list(combinations(ids, 2))), max_size=2, unique=True))
    rows = []
    for first, then in pairs:
        kind = draw(st.sampled_from(["requires", "finish_start", "start_start", "together", "excludes"]))
        lag = draw(st.integers(0, 1)) if kind.endswith("_start") else 0
        rows.append(Dependency(kind=kind, first=first, then=then, lag=lag))
    return tuple(rows)


def _groups(draw, ids):
    rows = []
    for group in draw(st.sampled_from([(), (), ("g",), ("g", "h")])):
        members = draw(st.lists(st.sampled_from(ids), min_size=2, max_size=len(ids), unique=True))
        kind = draw(st.sampled_from(["one_of", "exactly_one_of", "at_least", "at_most"]))
        k = draw(st.integers(1, len(members) - 1)) if kind.startswith("at_") else None
        rows += [Membership(group=group, project=name, kind=kind, k=k) for name in members]
    return tuple(rows)


def _sets_of(general):
    return general.objective.sets or [general.objective.criteria]


@st.composite
def _criteria(draw, name):
    """A set of one to three criteria; their weights add to 1."""
    weights = draw(st.sampled_from([(Fraction(1),), (THIRD, Fraction(2, 3)), (HALF, Fraction(1, 6), THIRD)]))
    directions = draw(st.lists(st.sampled_from(["max", "min"]), min_size=3, max_size=3))
    return [
        Criterion(
            criterion=f"c{name}{number}",
            set=name,
            weight=weight,
            direction=direction,
            low=Fraction(-1),
            high=Fraction(5),
        )
        for number, (weight, direction) in enumerate(zip(weights, directions, strict=False))
    ]


def _values(draw, general, pairs):
    """The tables that the kind of value asks for."""
    kind = general.objective.value_from
    if kind == "benefits":
        keys = [(pair, offset) for pair in pairs for offset in range(draw(st.integers(1, 2)))]
        return {
            "benefits": tuple(
                Benefit(
                    project=name,
                    mode=mode,
                    offset=offset,
                    amount=draw(values),
                    from_=draw(st.sampled_from(["start", "completion"])),
                )
                for (name, mode), offset in keys
            )
        }
    if kind == "column":
        return {}
    criteria = tuple(
        row for name in SETS for row in draw(_criteria(name)) if name in _sets_of(general) or draw(one_in(4))
    )
    scores = tuple(
        Score(project=name, mode=mode, criterion=row.criterion, score=draw(st.fractions(-1, 5, max_denominator=4)))
        for name, mode in pairs
        for row in criteria
    )
    return {"criteria": criteria, "scores": scores}


def _money(draw, general, done, kinds, features, *, financed):
    if not financed:
        return {}
    names = ["S1", "S2", "S3"][: draw(st.integers(1, 3))]
    sources = tuple(
        Source(
            id=name,
            # The first is on the state side, or nothing could be paid without a row of shares.
            side="state" if name == "S1" else draw(st.sampled_from(["state", "non_state"])),
            eligible="" if name == "S1" else draw(st.sampled_from(SELECTIONS)),
            reserve=draw(st.sampled_from([Fraction(0), Fraction(1, 10), THIRD])),
            disbursement=draw(st.sampled_from([Fraction(1), Fraction(9, 10)] if "disbursement" in features else [1])),
            carry_cap=draw(st.sampled_from(CAPS[1:] if "carry" in features else [Fraction(0)])),
            unlimited=draw(st.sampled_from([False] * 5 + [True])),
        )
        for name in names
    )
    rows = [
        row
        for source in sources
        if not source.unlimited
        for row in _envelopes(draw, general, (source.id,), features, kinds)
    ]
    if len(names) > 1 and draw(st.booleans()):
        joined = tuple(draw(st.lists(st.sampled_from(names), min_size=2, max_size=len(names), unique=True)))
        both = list(_envelopes(draw, general, joined, features, kinds))
        # Only the rows of all phases can pass money on to each other.
        rows += both if "carry" in features and draw(st.booleans()) else [draw(st.sampled_from(both))]
    return {"sources": sources, "envelopes": tuple(rows), "shares": _shares(draw, names, list(done), kinds)}


def _envelopes(draw, general, source, features, kinds):
    """One envelope over all years, or one a phase or a year; together they cover every year."""
    whole = [f"{general.first_year}:{general.last_year}"]
    yearly = [str(year) for year in general.horizon]
    phases = [phase.name for phase in general.phases] or whole
    carries = "carry" in features
    # Where a programme can be cut there should be reason to.
    plenty = draw(st.sampled_from([3, 7])) if "programmes" in kinds.values() else 16
    for period in draw(st.sampled_from([whole, phases, phases, yearly] + [phases] * 3 * carries)):
        passes_on = carries and period in phases[:-1]
        # Where money can be carried there should be reason to.
        scarce = carries and period in phases[1:] and not draw(one_in(4))
        yield Envelope(
            source=source,
            period=period,
            amount=draw(st.integers(0, 3) if scarce else st.integers(0, plenty)),
            reserve=draw(st.sampled_from([None, None, Fraction(1, 8)])),
            disbursement=draw(st.sampled_from([None, None, Fraction(3, 4)])) if "disbursement" in features else None,
            carry_cap=draw(st.sampled_from(CAPS)) if passes_on else None,
        )


def _shares(draw, names, pairs, kinds):
    """Rows over a project or a selection, a mode or all, one source or several, of the life or of each year."""
    rows, ids = {}, list(dict.fromkeys(name for name, _ in pairs))
    # Limits by year are not allowed where the plan decides what a year costs.
    barred = {name for name, kind in kinds.items() if kind == "flexible"}
    barred |= set(SELECTIONS) if barred else set()
    for _ in range(draw(st.integers(0, 4))):
        project, mode = draw(
            st.sampled_from([*[(name, "") for name in ids], *pairs, *[(s, "") for s in SELECTIONS[1:]]])
        )
        source = tuple(draw(st.lists(st.sampled_from(names), min_size=1, max_size=len(names), unique=True)))
        per = draw(st.sampled_from(["life", "year"])) if project not in barred else "life"
        low, high = sorted([draw(st.just(Fraction(0)) | shares), draw(shares)])
        rows[project, mode, source, per] = Share(
            project=project, mode=mode, source=source, min=low, max=high, per=per, legal=draw(one_in(3))
        )
    return tuple(rows.values())


def _resources(draw, general, pairs):
    """At most one resource, used in fractions that do not add up to round numbers."""
    if draw(st.booleans()):
        return {}
    periods = draw(
        st.sampled_from(
            [
                [f"{general.first_year}:{general.last_year}"],
                [str(year) for year in general.horizon],
            ]
        )
    )
    users = draw(st.lists(st.sampled_from(pairs), min_size=1, max_size=3, unique=True))
    return {
        "resources": (Resource(id="staff"),),
        "uses": tuple(
            Use(
                project=name,
                mode=mode,
                resource="staff",
                offset=offset,
                amount=draw(st.fractions(0, 3, max_denominator=6)),
            )
            for name, mode in users
            for offset in range(draw(st.integers(1, 2)))
        ),
        "capacities": tuple(
            Capacity(resource="staff", period=period, amount=draw(st.fractions(1, 5, max_denominator=6)))
            for period in periods
        ),
    }


def _prices(draw, general):
    """An index of every year that anything can be paid in."""
    if general.prices != "nominal":
        return {}
    levels = st.sampled_from([Fraction(1), Fraction(11, 10), Fraction(4, 5), Fraction(7, 6)])
    years = range(general.first_year, general.last_year + LONGEST + 1)
    return {"price_index": tuple(PriceIndex(year=year, index=draw(levels)) for year in years)}


def _priorities(draw, general, pairs, features):
    """Classes of a few projects that start in a phase, in one mode or in any."""
    if "priorities" not in features or not general.phases or draw(st.booleans()):
        return {}
    keys = [(name, m, phase.name) for name, mode in pairs for m in {"", mode} for phase in general.phases]
    named = draw(st.lists(st.sampled_from(sorted(keys)), min_size=1, max_size=3, unique=True))
    rows = (Priority(project=p, mode=m, phase=phase, class_=draw(st.integers(1, 3))) for p, m, phase in named)
    return {"priorities": tuple(rows)}


def _outcomes(draw, general, pairs, features):
    """An indicator that a few projects add to or take from, and at most two targets for it."""
    if not features & {"rules", "targets"} or draw(st.booleans()):
        return {}
    adding = draw(st.lists(st.sampled_from(pairs), min_size=1, max_size=4, unique=True))
    amounts = st.fractions(-1, 4, max_denominator=4)
    charges = prices.filter(lambda price: price is not None) | prices
    years = draw(st.lists(st.sampled_from(list(general.horizon)), max_size=2, unique=True))
    targets = (
        Target(indicator="km", by_year=year, at_least=draw(st.fractions(0, 4, max_denominator=4)), price=draw(charges))
        for year in years
    )
    return {
        "indicators": (Indicator(id="km", baseline=draw(st.sampled_from([Fraction(0), Fraction(1, 2)]))),),
        "contributions": tuple(
            Contribution(project=name, mode=mode, indicator="km", amount=draw(amounts)) for name, mode in adding
        ),
        "targets": tuple(targets) if "targets" in features else (),
    }


def _synergies(draw, ids, features):
    """Two or three projects that are worth more or less together."""
    if "synergies" not in features or draw(st.booleans()):
        return {}
    rows = []
    for number in range(draw(st.integers(1, 2))):
        together = draw(st.lists(st.sampled_from(ids), min_size=2, max_size=3, unique=True))
        class_ = draw(st.none() | st.integers(1, 4))
        rows.append(Synergy(id=f"s{number}", projects=tuple(together), value=draw(values), class_=class_))
    return {"synergies": tuple(rows)}


def _rules(draw, tables, features):
    """At most three rules over anything that can be measured here, hard or priced, against a number or a share."""
    measures = list(COUNTS) + list(AMOUNTS)
    measures += ["indicator:km", "km"] if tables.indicators else []
    measures += ["staff", "resource:staff"] if tables.resources else []
    measures += ["envelope:S1"] if tables.envelopes else []
    payers = [source.id for source in tables.sources][:2]
    if "payment rules" in features and payers:
        # Often, because these are the rules that payments decide.
        measures += ["paid", *(f"paid:{source}" for source in payers), f"paid:{'+'.join(payers)}"] * 3
    if "rules" not in features:
        return ()
    return tuple(_rule(draw, tables, f"r{number}", measures) for number in range(draw(st.integers(0, 3))))


def _rule(draw, tables, name, measures):
    measure = draw(st.sampled_from(measures))
    general = tables.settings
    periods = ["", *(phase.name for phase in general.phases), *map(str, general.horizon)]
    share_of = ""
    if draw(one_in(3)):
        other = draw(st.sampled_from(["", *measures]))
        ceiling = (other or measure).startswith("envelope")
        selection = "" if ceiling else draw(st.sampled_from(("", "True", *SELECTIONS[1:])))
        share_of = f"{other}; {selection}; {draw(st.sampled_from(periods))}"
    most = 3 if measure in COUNTS else 12
    amount = draw(st.sampled_from([Fraction(0), Fraction(1, 4), HALF, Fraction(2)])) if share_of else None
    price = draw(prices)
    # Few plans would be left if most rules were to be met exactly.
    senses = ["<=", ">=", "=="] if price is not None else ["<="] * 4 + [">=", "=="]
    return Rule(
        id=name,
        enabled=not draw(one_in(8)),
        measure=measure,
        selection="" if measure.startswith("envelope") else draw(st.sampled_from(SELECTIONS)),
        period=draw(st.sampled_from(periods)),
        sense=draw(st.sampled_from(senses)),
        amount=Fraction(draw(st.integers(0, most))) if amount is None else amount,
        share_of=share_of,
        price=price,
        class_=draw(st.none() | st.integers(1, 4)),
    )


@st.composite
def carrying_portfolios(draw):
    """Three phases of which the later ones are poor, and projects that may start late only."""
    phases = (("A", 2021, 2021), ("B", 2022, 2022), ("C", 2023, 2024))
    # Every amount that may be carried is tried, so there is not much of it.
    keys = draw(st.sampled_from([[("S1",)], [("S1",)], [("S1", "S2")], [("S1",), ("S2",)]]))
    names = sorted({name for key in keys for name in key})
    most = {"A": 12, "B": 6, "C": 3}
    ids = [f"P{number}" for number in range(1, draw(st.integers(2, 5 - len(keys))) + 1)]
    first = {name: draw(st.integers(FIRST_YEAR, FIRST_YEAR + 2)) for name in ids}
    return Tables(
        settings=Settings(
            first_year=FIRST_YEAR,
            last_year=FIRST_YEAR + 3,
            phases=tuple(PhaseSettings(name=name, first=start, last=end) for name, start, end in phases),
        ),
        projects=tuple(
            Project(
                id=name,
                cost=draw(st.integers(1, 7)),
                duration=draw(st.integers(1, 2)),
                value=draw(st.fractions(1, 9, max_denominator=3)),
                earliest_start=first[name],
                latest_start=first[name] + draw(st.integers(0, 1)),
            )
            for name in ids
        ),
        sources=tuple(Source(id=name, reserve=draw(st.sampled_from([Fraction(0), Fraction(1, 10)]))) for name in names),
        envelopes=tuple(
            Envelope(
                source=key,
                period=period,
                amount=draw(st.integers(0, most[period])),
                carry_cap=None if period == "C" else draw(st.sampled_from(CAPS[2:])),
            )
            for key in keys
            for period in most
        ),
    )


@st.composite
def portfolios_of_two_sets(draw, features):
    """Portfolios with a growth and an equity score of every project and mode, and growth as the objective."""
    tables = draw(portfolios(features=features))
    general = tables.settings
    objective = general.objective.model_copy(
        update={"value_from": draw(st.sampled_from(["score", "score_size"])), "criteria": "growth", "sets": {}}
    )
    criteria = tuple(row for name in ("growth", "equity") for row in draw(_criteria(name)))
    scores = tuple(
        Score(
            project=project.id, mode=mode, criterion=row.criterion, score=draw(st.fractions(-1, 5, max_denominator=4))
        )
        for project in tables.projects
        for mode in [row.mode for row in tables.modes if row.project == project.id] or [""]
        for row in criteria
    )
    settings_ = general.model_copy(update={"objective": objective})
    return replace(tables, settings=settings_, benefits=(), criteria=criteria, scores=scores)


@st.composite
def choices_of(draw, tables, *, right=False):
    """Any mode and start year of any of the projects, allowed or not, at most one a project.

    With ``right``, what is decided is what it was, and the part of a programme one that it may have.
    """
    chosen = []
    for project in tables.projects:
        names = [row.mode for row in tables.modes if row.project == project.id] or [""]
        first = first_open_year(tables) if right else tables.settings.first_year
        done = [(mode, year) for mode in names for year in range(first, tables.settings.last_year + 1)]
        history = begun(tables, project)
        if history is not None and (right or draw(one_in(2))):
            done = [] if history[1] is None or (right and is_stopped(tables, project)) else [history]
        if not done or draw(one_in(3)):
            continue
        mode, start = draw(st.sampled_from(done))
        scales = scales_of(tables, project, mode, start)
        if not right:
            scales = scales * 5 + [HALF, Fraction(4, 9)]
        chosen.append(Choice(project.id, mode, start, draw(st.sampled_from(scales))))
    return tuple(chosen)


def payments_for(tables, choices):
    """Any amounts from any sources in any years for some of the choices, by project, year and source.

    Where the plan decides what a year costs, only in the years of work.
    """
    general, free = tables.settings, {}
    for project in tables.projects:
        for choice in choices:
            if choice.project == project.id and flexible_years(tables, project, choice.mode):
                length = cell(tables, project, choice.mode, "duration")
                free[project.id] = range(choice.start, choice.start + length)
    keys = [
        (choice.project, year, source.id)
        for choice in choices
        for year in free.get(choice.project, range(general.first_year - 1, general.last_year + 2))
        for source in tables.sources
    ]
    if not keys:
        return st.just({})
    before = {(row.project, row.year, row.source): row.amount for row in tables.paid}
    return st.dictionaries(st.sampled_from(keys), st.integers(0, 6), max_size=4).flatmap(
        lambda drawn: st.sampled_from([drawn, before | drawn])
    )


@st.composite
def altered(draw, tables, allocation):
    """A plan in which perhaps a scale is another, a few millions moved, or a payment is gone or new."""
    choices, paid = list(allocation.choices), {(p.project, p.year, p.source): p.amount for p in allocation.payments}
    sources = [source.id for source in tables.sources]
    for what in draw(st.lists(st.sampled_from(["scale", "move", "drop", "pay", "leave"]), max_size=2)):
        if what in ("scale", "leave") and choices:
            number = draw(st.integers(0, len(choices) - 1))
            part = draw(st.sampled_from([HALF, THIRD, Fraction(3, 4), Fraction(4, 5), Fraction(1), Fraction(7, 6)]))
            choices[number : number + 1] = [replace(choices[number], scale=part)] * (what == "scale")
        elif what == "pay" and choices and sources:
            name, source = draw(st.sampled_from(choices)).project, draw(st.sampled_from(sources))
            year = draw(st.integers(FIRST_YEAR - 2, tables.settings.last_year + 1))
            paid[name, year, source] = draw(st.integers(1, 3))
        elif what in ("move", "drop") and paid:
            payer = draw(st.sampled_from(sorted(paid)))
            amount = draw(st.integers(1, max(1, paid[payer])))
            paid[payer] -= amount
            if what == "move":
                near = [(payer[0], payer[1] + ahead, source) for ahead in (-1, 0, 1) for source in sources]
                receiver = draw(st.sampled_from(near))
                paid[receiver] = paid.get(receiver, 0) + amount
    payments = (Payment(project, source, year, amount) for (project, year, source), amount in paid.items())
    return Allocation(tuple(choices), tuple(payments))


anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.just(10**5000),
    st.floats(),
    st.fractions(),
    st.text(max_size=3),
    st.sampled_from(["P1", "P2", "S1", "S2", "", "small"]),
    st.integers(FIRST_YEAR - 1, FIRST_YEAR + 5),
    st.lists(st.integers(), max_size=1),
)


absurd_allocations = st.builds(
    Allocation,
    st.lists(st.builds(Choice, anything, anything, anything, anything), max_size=5).map(tuple),
    st.lists(st.builds(Payment, anything, anything, anything, anything), max_size=5).map(tuple),
)

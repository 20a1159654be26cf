"""Hypothesis strategies: how a project can be done, whatever its kind, before it is written down as rows."""

from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, floor

from hypothesis import strategies as st

from capalloc.records import Commitment, Paid

FIRST_YEAR = 2021
LONGEST = 3
HALF, THIRD = Fraction(1, 2), Fraction(1, 3)

# Kinds of projects other than works of which nothing has begun and every year is given.
KINDS = frozenset({"flexible", "history", "programmes"})
BOUNDS = (None, None, Fraction(0), Fraction(1, 4), THIRD, HALF, Fraction(2, 3), Fraction(1))

small_costs = st.integers(0, 6)


@dataclass(frozen=True)
class Draft:
    """How one project can be done in one mode: what its row says, and its explicit cost rows."""

    duration: int
    cost: int | None
    profile: str
    stream: tuple[tuple[int, int], ...]
    earliest: int | None
    latest: int | None
    starts: tuple[int, ...]
    least: Fraction | None = None
    most: Fraction | None = None


def one_in(count):
    """True once in so many cases."""
    return st.integers(1, count).map(lambda number: number == count)


def draw_kinds(draw, general, ids, features, *, financed):
    """What is special about none, one or two of the projects."""
    possible = features & KINDS
    if not financed or general.prices == "nominal":
        possible -= {"flexible"}
    count = draw(st.sampled_from([0, 1, 1, 2])) if possible else 0
    return {name: draw(st.sampled_from(sorted(possible))) for name in draw(st.permutations(ids))[:count]}


def suit(draw, general, kind, name, own, variants):
    """Change what was drawn for a project, in place, into what its kind asks for."""
    mine = [pair for pair in variants if pair[0] == name]
    if kind == "programmes":
        own[name] = _costly(draw, own[name])
        variants.update((pair, _costly(draw, variants[pair])) for pair in mine)
    elif kind == "flexible":
        free = _free(draw, general, own[name])
        if not mine:
            own[name] = free
        elif draw(st.booleans()):
            # One mode is flexible by itself, the others are ordinary; the project's total is not that of streams.
            variants[mine[0]] = free
        else:
            # The project is, and its last mode says otherwise.
            own[name] = free
            inherited = replace(free, cost=None, profile="", least=None, most=None)
            variants.update(dict.fromkeys(mine[:-1], inherited))
            variants[mine[-1]] = replace(variants[mine[-1]], stream=(), cost=draw(st.integers(0, 6)), profile="late")
    else:
        start = (general.decide_from or general.first_year) - draw(st.integers(1, 3))
        for pair in mine:
            variants[pair] = replace(variants[pair], earliest=start, latest=start, starts=(start,))
        cost = None if own[name].cost is None else min(own[name].cost, 6)
        own[name] = replace(own[name], cost=cost, earliest=start, latest=start, starts=(start,))


def _costly(draw, draft):
    """A draft with a few millions of cost."""
    if draft.stream:
        return replace(draft, stream=((0, draw(st.integers(1, 3))), *((k, min(a, 2)) for k, a in draft.stream[1:3])))
    return replace(draft, cost=draw(st.integers(1, 6)))


def _free(draw, general, draft):
    """A draft of which the plan decides the years, with bounds that leave a way to pay it."""
    total = draw(st.integers(0, 5))
    limits = [(low, high) for low in BOUNDS for high in BOUNDS if _can_be_kept(total, draft.duration, low, high)]
    least, most = draw(st.sampled_from(limits))
    return replace(draft, cost=total, profile="flexible", stream=(), least=least, most=most)


def _can_be_kept(total, duration, low, high):
    least, most = Fraction(low or 0), Fraction(1 if high is None else high)
    return least <= most and duration * floor(least * total) <= total <= duration * ceil(most * total)


def draw_begun(draw, own, done, began):
    """What is decided of projects that have begun: nothing where that says enough, a mode and a start, or to stop."""
    rows = []
    for name in began:
        mode = draw(st.sampled_from([mode for project, mode in done if project == name]))
        decision = draw(st.sampled_from([""] * 3 * (not mode) + ["in", "in", "in", "out"]))
        if decision == "out":
            rows.append(Commitment(project=name, decision="out"))
        elif decision == "in":
            start = draw(st.sampled_from([None, own[name].starts[0]]))
            rows.append(Commitment(project=name, decision="in", mode=mode, start=start))
            if start is not None and draw(st.booleans()):
                # The decision says when it began, so the window need not.
                own[name] = replace(own[name], earliest=None, latest=None)
    return tuple(rows)


def draw_paid(draw, tables, name):
    """What was paid for a project before anything is decided: at most the least that it costs."""
    now = tables.settings.decide_from or FIRST_YEAR
    totals = [row.cost for row in tables.projects if row.id == name]
    totals += [row.cost for row in tables.modes if row.project == name]
    left = min((total for total in totals if total is not None), default=4)
    keys = [(source.id, now - ago) for source in tables.sources for ago in (1, 2, 3)]
    rows = []
    for source, year in draw(st.lists(st.sampled_from(keys), max_size=3, unique=True)) if keys else []:
        amount = draw(st.integers(0, min(left, 3)))
        left -= amount
        rows.append(Paid(project=name, source=source, year=year, amount=amount))
    return rows


@st.composite
def drafts(draw, general, widest, *, explicit):
    """A stream of costs, and a window of starts that the borders of horizon and phases allow."""
    stream = ()
    duration = draw(st.integers(1, LONGEST))
    if explicit and draw(st.booleans()):
        amounts = draw(st.lists(small_costs, min_size=1, max_size=3))
        stream = tuple((offset, amount) for offset, amount in enumerate(amounts))
    span = max([duration, *(offset + 1 for offset, amount in stream if amount)])
    starts = _starts(general, span)
    if not starts:
        duration, stream, starts = 1, (), _starts(general, 1)
    first = draw(st.sampled_from(starts))
    window = [year for year in starts if first <= year < first + widest]
    last = draw(st.sampled_from(window))
    everywhere = len(starts) <= widest and draw(st.booleans())
    return Draft(
        duration,
        None if stream else draw(st.integers(0, 9)),
        draw(st.sampled_from(["", "front", "late"])),
        stream,
        None if everywhere else first,
        None if everywhere else last,
        tuple(starts if everywhere else [year for year in window if year <= last]),
    )


def _starts(general, span):
    """The years in which something of ``span`` years may start."""
    phases = [(phase.first, phase.last) for phase in general.phases]
    allowed = []
    for year in range(general.decide_from or general.first_year, general.last_year + 1):
        end = year + span - 1
        kept = general.may_cross_phase or any(first <= year and end <= last for first, last in phases)
        if kept and (general.may_run_over or end <= general.last_year):
            allowed.append(year)
    return allowed

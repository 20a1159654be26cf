"""The best plan of a tiny portfolio by trying everything: a reading of the tables made only for the tests.

It shares nothing with the compiler, the engines or the verifier, takes every rule at its word, and finds whole units by
trying every way to split every yearly cost.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import ceil, floor

from capalloc.allocation import Allocation, Choice, Payment
from capalloc.records import Project
from capalloc.selection import parse_selection
from capalloc.settings import Period
from capalloc.tables import Tables


@dataclass(frozen=True)
class Way:
    """One way to do a project, with what it costs by year and what it is worth, its class weight included."""

    project: Project
    mode: str
    start: int
    finish: int
    costs: dict[int, int]
    worth: Fraction

    @property
    def last(self) -> int:
        """The last year of work or payment."""
        return max(self.finish, max((year for year, amount in self.costs.items() if amount), default=0))


def best_by_enumeration(tables: Tables) -> tuple[Fraction, Allocation] | None:
    """Return the greatest value of any plan and one plan that has it, or ``None`` when no plan obeys the tables."""
    for value, choices in sorted(every_selection(tables), key=lambda found: found[0], reverse=True):
        payments = payments_of(tables, choices)
        if payments is not None:
            return value, Allocation(choices, payments)
    return None


def every_selection(tables: Tables) -> Iterator[tuple[Fraction, tuple[Choice, ...]]]:
    """Yield the value and the choices of every plan that obeys everything but the rules of money."""
    ways = [[None, *_allowed_ways(tables, project)] for project in tables.projects]
    for drawn in product(*ways):
        plan = [way for way in drawn if way is not None]
        if _obeys(tables, plan):
            choices = tuple(Choice(way.project.id, way.mode, way.start) for way in plan)
            yield sum((way.worth for way in plan), Fraction(0)), choices


def accepts(tables: Tables, choices: tuple[Choice, ...]) -> bool:
    """Return whether choices, one a project and each from the tables, obey everything but the rules of money."""
    plan = [_way(tables, _project(tables, choice.project), choice.mode, choice.start) for choice in choices]
    return all(_is_allowed(tables, way) for way in plan) and _obeys(tables, plan)


def payments_of(tables: Tables, choices: tuple[Choice, ...]) -> tuple[Payment, ...] | None:
    """Return payments that finance the choices in whole units, or ``None`` if there are none."""
    return _pay(tables, [_way(tables, _project(tables, c.project), c.mode, c.start) for c in choices])


def settles(tables: Tables, choices: tuple[Choice, ...], payments: dict[tuple[str, int, str], int]) -> bool:
    """Return whether payments by project, year and source are exactly one way to finance the choices."""
    plan = [_way(tables, _project(tables, c.project), c.mode, c.start) for c in choices]
    owed = {(way.project.id, year) for way in plan for year, amount in way.costs.items() if amount}
    if any((project, year) not in owed or amount < 0 for (project, year, _), amount in payments.items() if amount):
        return False

    def given_split(bill: Bill) -> list[dict[str, int]]:
        mine = {s: amount for (p, y, s), amount in payments.items() if (p, y) == (bill.project, bill.year) and amount}
        right = sum(mine.values()) == bill.amount and mine.keys() <= set(bill.payers)
        return [{source: mine.get(source, 0) for source in bill.payers}] if right else []

    return _pay(tables, plan, given_split) is not None


def _project(tables: Tables, name: str) -> Project:
    return next(project for project in tables.projects if project.id == name)


def _allowed_ways(tables: Tables, project: Project) -> list[Way]:
    modes = [row.mode for row in tables.modes if row.project == project.id] or [""]
    ways = [_way(tables, project, mode, year) for mode in modes for year in tables.settings.horizon]
    return [way for way in ways if _is_allowed(tables, way)]


def _cell(tables: Tables, project: Project, mode: str, name: str) -> object:
    """A cell of the mode's row, or of the project's where that is empty."""
    rows = [row for row in tables.modes if (row.project, row.mode) == (project.id, mode)]
    cells = [getattr(row, name) for row in rows] + [getattr(project, name)]
    return next((cell for cell in cells if cell not in (None, "")), None)


def _way(tables: Tables, project: Project, mode: str, start: int) -> Way:
    duration = _cell(tables, project, mode, "duration")
    finish = start + duration - 1
    costs = _costs(tables, project, mode, start, duration)
    return Way(project, mode, start, finish, costs, _worth(tables, project, mode, start, finish))


def _costs(tables: Tables, project: Project, mode: str, start: int, duration: int) -> dict[int, int]:
    rows = [row for row in tables.costs if (row.project, row.mode) == (project.id, mode)]
    if rows:
        return {start + row.offset: row.amount for row in rows}
    total, profile = _cell(tables, project, mode, "cost") or 0, _cell(tables, project, mode, "profile")
    shares = {row.offset: row.share for row in tables.profiles if (row.profile, row.duration) == (profile, duration)}
    if not profile:
        shares = {offset: Fraction(1, duration) for offset in range(duration)}

    def paid_by(offset: int) -> int:
        exact = total * sum(share for other, share in shares.items() if other <= offset)
        return floor(exact) + (exact - floor(exact) >= Fraction(1, 2))

    return {start + offset: paid_by(offset) - paid_by(offset - 1) for offset in shares}


def _worth(tables: Tables, project: Project, mode: str, start: int, finish: int) -> Fraction:
    objective, rate = tables.settings.objective, Fraction(tables.settings.discount_rate)
    factor = {year: (1 / (1 + rate)) ** (year - tables.settings.first_year) for year in range(start, finish + 10)}
    if objective.value_from == "benefits":
        rows = [row for row in tables.benefits if (row.project, row.mode) == (project.id, mode)]
        year = {"start": start, "completion": finish}
        exact = sum(row.amount * factor[year[row.from_] + row.offset] for row in rows)
    elif objective.value_from == "column":
        exact = _cell(tables, project, mode, "value") * factor[start if objective.at == "start" else finish]
    else:
        exact = sum(
            _points(tables, row.criterion, row.score)
            for row in tables.scores
            if (row.project, row.mode) == (project.id, mode)
        )
        exact *= factor[start if objective.at == "start" else finish]
        exact *= project.size if objective.value_from == "score_size" else 1
    rounded = Fraction(floor(exact * 10**6 + Fraction(1, 2)), 10**6)
    weights = objective.class_weights
    return rounded * (Fraction(weights[project.priority]) if weights else 1)


def _points(tables: Tables, name: str, score: Fraction) -> Fraction:
    row = next(row for row in tables.criteria if row.criterion == name)
    height = (score - row.low) / (row.high - row.low)
    return row.weight * (height if row.direction == "max" else 1 - height)


def _is_allowed(tables: Tables, way: Way) -> bool:
    """Whether a way keeps its window, the borders of horizon and phases, and what is committed."""
    general = tables.settings
    earliest = _cell(tables, way.project, way.mode, "earliest_start") or general.first_year
    latest = _cell(tables, way.project, way.mode, "latest_start") or general.last_year
    if not max(earliest, general.first_year) <= way.start <= min(latest, general.last_year):
        return False
    if not general.may_run_over and way.last > general.last_year:
        return False
    if general.phases and not general.may_cross_phase:
        holders = [p for p in general.phases if all(p.first <= y <= p.last for y in (way.start, way.finish, way.last))]
        if not holders:
            return False
    return all(
        row.decision == "in" and row.mode in ("", way.mode) and row.start in (None, way.start)
        for row in tables.committed
        if row.project == way.project.id
    )


def _obeys(tables: Tables, plan: list[Way]) -> bool:
    """Whether a plan has what must be in, and keeps dependencies, groups and resources."""
    funded = {way.project.id: way for way in plan}
    must = {project.id for project in tables.projects if project.mandatory}
    must |= {row.project for row in tables.committed if row.decision == "in"}
    if not must <= funded.keys():
        return False
    return _keeps_dependencies(tables, funded) and _keeps_groups(tables, funded) and _keeps_resources(tables, plan)


def _keeps_dependencies(tables: Tables, funded: dict[str, Way]) -> bool:
    for row in tables.dependencies:
        first, then = funded.get(row.first), funded.get(row.then)
        holds = {
            "together": (first is None) == (then is None),
            "excludes": first is None or then is None,
            "requires": then is None or first is not None,
            "finish_start": then is None or (first is not None and then.start > first.finish + row.lag),
            "start_start": then is None or (first is not None and then.start - first.start >= row.lag),
        }
        if not holds[row.kind]:
            return False
    return True


def _keeps_groups(tables: Tables, funded: dict[str, Way]) -> bool:
    for name in {row.group for row in tables.groups}:
        rows = [row for row in tables.groups if row.group == name]
        count = sum(row.project in funded for row in rows)
        kind, k = rows[0].kind, rows[0].k
        if not {
            "one_of": count <= 1,
            "exactly_one_of": count == 1,
            "at_least": count >= (k or 0),
            "at_most": count <= (k or 0),
        }[kind]:
            return False
    return True


def _keeps_resources(tables: Tables, plan: list[Way]) -> bool:
    for row in tables.capacities:
        used = sum(
            use.amount
            for way in plan
            for use in tables.uses
            if (use.project, use.mode, use.resource) == (way.project.id, way.mode, row.resource)
            and way.start + use.offset in tables.settings.period(row.period)
        )
        if used > row.amount:
            return False
    return True


@dataclass(frozen=True)
class Bill:
    """What a project owes in one year, who may pay it, and the bounds on what they pay.

    ``yearly`` bounds this bill, ``life`` all bills of the project so far; the least of a life counts once the bill is
    the ``last`` of its project.  A bound is (sources, least, most).
    """

    project: str
    year: int
    amount: int
    payers: tuple[str, ...]
    yearly: tuple[tuple[tuple[str, ...], int, int], ...]
    life: tuple[tuple[tuple[str, ...], int, int], ...]
    last: bool


def _bills(tables: Tables, way: Way) -> Iterator[Bill]:
    ids = {project.id for project in tables.projects}
    rows = [
        row
        for row in tables.shares
        if row.mode in ("", way.mode)
        and (row.project == way.project.id if row.project in ids else parse_selection(row.project).matches(way.project))
    ]
    let_in = {source for row in rows if row.max > 0 for source in row.source}
    payers = tuple(
        source.id
        for source in tables.sources
        if parse_selection(source.eligible).matches(way.project) and (source.side == "state" or source.id in let_in)
    )

    def bounds(per: str, cost: int) -> tuple[tuple[tuple[str, ...], int, int], ...]:
        return tuple((row.source, floor(row.min * cost), ceil(row.max * cost)) for row in rows if row.per == per)

    due = [(year, amount) for year, amount in sorted(way.costs.items()) if amount]
    life = bounds("life", sum(amount for _, amount in due))
    for number, (year, amount) in enumerate(due, start=1):
        yield Bill(way.project.id, year, amount, payers, bounds("year", amount), life, number == len(due))


Splitter = Callable[[Bill], Iterable[dict[str, int]]]


def _pay(tables: Tables, plan: list[Way], ways_to_split: Splitter | None = None) -> tuple[Payment, ...] | None:
    if not tables.sources:
        return ()
    bills = [bill for way in plan for bill in _bills(tables, way)]
    reserves = {source.id: source.reserve for source in tables.sources}
    ceilings, rooms = [], []
    for row in tables.envelopes:
        own = reserves[row.source[0]] if len(row.source) == 1 else 0
        reserve = own if row.reserve is None else row.reserve
        period = tables.settings.period(row.period)
        touched = sum(bill.amount for bill in bills if bill.year in period and set(bill.payers) & set(row.source))
        ceilings.append((row.source, period))
        # More room than could ever be used makes no difference, and leaves fewer states to remember.
        rooms.append(min(touched, floor(row.amount * (1 - reserve))))
    splits = _Search(tuple(bills), tuple(ceilings), ways_to_split or _all_splits).run(tuple(rooms))
    if splits is None:
        return None
    return tuple(
        Payment(bill.project, source, bill.year, amount)
        for bill, split in zip(bills, splits, strict=True)
        for source, amount in sorted(split.items())
        if amount
    )


class _Search:
    """Backtracking over the bills in order, remembering from which states no way led on."""

    def __init__(
        self, bills: tuple[Bill, ...], ceilings: tuple[tuple[tuple[str, ...], Period], ...], ways_to_split: Splitter
    ) -> None:
        self.bills = bills
        self.ceilings = ceilings
        self.ways_to_split = ways_to_split
        self.dead: set[tuple[object, ...]] = set()

    def run(
        self, rooms: tuple[int, ...], number: int = 0, before: tuple[tuple[str, int], ...] = ()
    ) -> list[dict[str, int]] | None:
        """Return a split of every bill from ``number`` on, given the room left and what was paid of this project."""
        if number == len(self.bills):
            return []
        state = (number, rooms, before)
        if state in self.dead:
            return None
        bill = self.bills[number]
        for split in self.ways_to_split(bill):
            paid = {source: split[source] + dict(before).get(source, 0) for source in bill.payers}
            left = tuple(
                room - sum(split.get(source, 0) for source in sources) if bill.year in period else room
                for room, (sources, period) in zip(rooms, self.ceilings, strict=True)
            )
            if min(left, default=0) < 0 or not _within(bill, split, paid):
                continue
            rest = self.run(left, number + 1, () if bill.last else tuple(paid.items()))
            if rest is not None:
                return [split, *rest]
        self.dead.add(state)
        return None


def _within(bill: Bill, split: dict[str, int], paid: dict[str, int]) -> bool:
    for sources, least, most in bill.yearly:
        if not least <= sum(split.get(source, 0) for source in sources) <= most:
            return False
    for sources, least, most in bill.life:
        total = sum(paid.get(source, 0) for source in sources)
        if total > most or (bill.last and total < least):
            return False
    return True


def _all_splits(bill: Bill) -> Iterator[dict[str, int]]:
    return _splits(bill.amount, bill.payers)


def _splits(amount: int, payers: tuple[str, ...]) -> Iterator[dict[str, int]]:
    """Every way to share a whole amount among the payers; none when nobody may pay."""
    if not payers:
        return
    if len(payers) == 1:
        yield {payers[0]: amount}
        return
    for part in range(amount + 1):
        for rest in _splits(amount - part, payers[1:]):
            yield {payers[0]: part, **rest}

"""Who pays what in a tiny plan, by trying every way to split every yearly cost into whole units.

What payments are charged for is made as small as can be, and everything that may be carried from phase to phase is
tried.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise, product
from math import ceil, floor

from brute_costs import first_open_year, paid_before
from brute_rules import Statement, Way, penalties, statements
from capalloc.allocation import Payment
from capalloc.records import Envelope, Project
from capalloc.selection import parse_selection
from capalloc.settings import Period
from capalloc.tables import Tables


@dataclass(frozen=True)
class Bill:
    """What a project owes in one year, from ``least`` to ``most``, who may pay it, and the bounds on what they pay.

    ``yearly`` bounds this bill, ``life`` all bills of the project so far; the least of a life, and that all of them
    come to ``total``, counts once the bill is the ``last`` of its project.  A bound is (sources, least, most).
    ``paid`` is what was paid already, by source: there is nothing left to decide.
    """

    project: str
    year: int
    least: int
    most: int
    payers: tuple[str, ...]
    yearly: tuple[tuple[tuple[str, ...], int, int], ...]
    life: tuple[tuple[tuple[str, ...], int, int], ...]
    total: int
    last: bool
    paid: dict[str, int] | None = None


def bills_of(tables: Tables, plan: list[Way]) -> list[Bill]:
    """Return what a plan owes, and what was paid for projects that it does not fund."""
    if not tables.sources:
        return []
    funded = {way.project.id for way in plan}
    bills = [bill for way in plan for bill in _bills(tables, way)]
    for project in tables.projects:
        facts = [] if project.id in funded else _facts(tables, project)
        total = sum(sum(amounts.values()) for _, amounts in facts)
        for number, (year, amounts) in enumerate(facts, start=1):
            last = number == len(facts)
            bills.append(Bill(project.id, year, 0, 0, tuple(amounts), (), (), total, last, amounts))
    return bills


def _facts(tables: Tables, project: Project) -> list[tuple[int, dict[str, int]]]:
    """What was paid for a project before anything is decided, year by year and source by source."""
    found: dict[int, dict[str, int]] = {}
    for (year, source), amount in sorted(paid_before(tables, project).items()):
        if amount:
            found.setdefault(year, {})[source] = amount
    return list(found.items())


def _bills(tables: Tables, way: Way) -> Iterator[Bill]:
    ids = {project.id for project in tables.projects}
    rows = [
        row
        for row in tables.shares
        if row.mode in ("", way.mode)
        and (row.project == way.project.id if row.project in ids else parse_selection(row.project).matches(way.project))
    ]
    let_in = {source for row in rows if row.max > 0 for source in row.source}
    # What allows nothing bars its sources from paying any more; it says nothing of what they have paid.
    barred = {source for row in rows if row.max == 0 for source in row.source}
    payers = tuple(
        source.id
        for source in tables.sources
        if parse_selection(source.eligible).matches(way.project)
        and (source.side == "state" or source.id in let_in)
        and source.id not in barred
    )

    def bounds(per: str, cost: int) -> tuple[tuple[tuple[str, ...], int, int], ...]:
        limits = [row for row in rows if row.per == per and row.max > 0]
        return tuple(
            (row.source, floor(row.min * cost), (floor if row.legal else ceil)(row.max * cost)) for row in limits
        )

    facts = dict(_facts(tables, way.project))
    due = _due(tables, way)
    years = sorted([*facts, *due])
    total = way.flexible[0] if way.flexible else sum(way.costs.values())
    life = bounds("life", total)
    for year in years:
        name, last = way.project.id, year == years[-1]
        if year in facts:
            yield Bill(name, year, 0, 0, tuple(facts[year]), (), life, total, last, facts[year])
            continue
        least, most = due[year]
        # Limits by year are not allowed where the plan decides what a year costs.
        yearly = () if way.flexible else bounds("year", least)
        yield Bill(name, year, least, most, payers, yearly, life, total, last)


def _due(tables: Tables, way: Way) -> dict[int, tuple[int, int]]:
    """The least and the most to be paid in each year that is open."""
    if way.flexible:
        return dict.fromkeys(range(way.start, way.finish + 1), way.flexible[1:])
    now = first_open_year(tables)
    return {year: (amount, amount) for year, amount in way.costs.items() if amount and year >= now}


Splitter = Callable[[Bill], Iterable[dict[str, int]]]


Charged = tuple[Fraction, ...]


def pay(
    tables: Tables, plan: list[Way], ways_to_split: Splitter | None = None
) -> tuple[Charged, tuple[Payment, ...]] | None:
    """Return the payments that are charged least, with what they are charged, or ``None`` when there are none."""
    made = [statement for statement in statements(tables, plan) if statement.about_payments]
    bills = bills_of(tables, plan)
    envelopes = [Room(tables, row, bills) for row in tables.envelopes]
    best: tuple[Charged, tuple[Payment, ...]] | None = None
    for rooms in _rooms(tables, envelopes):
        ceilings = tuple((room.row.source, room.period) for room in envelopes)
        search = _Search(tables, tuple(bills), ceilings, tuple(made), ways_to_split or _all_splits)
        found = search.run(rooms, tuple(statement.constant for statement in made))
        if found is not None and (best is None or found[0] < best[0]):
            best = found[0], tuple(_listed(bills, found[1]))
        if best is not None and not any(best[0]):
            break
    return best


def _listed(bills: list[Bill], splits: list[dict[str, int]]) -> Iterator[Payment]:
    for bill, split in zip(bills, splits, strict=True):
        for source, amount in sorted(split.items()):
            if amount:
                yield Payment(bill.project, source, bill.year, amount)


class Room:
    """An envelope, and how much of it the bills of a plan could use."""

    def __init__(self, tables: Tables, row: Envelope, bills: list[Bill]) -> None:
        own = [source for source in tables.sources if (source.id,) == row.source]

        def term(name: str, joined: int) -> Fraction:
            cells = [getattr(row, name)] + [getattr(source, name) for source in own] + [Fraction(joined)]
            return next(cell for cell in cells if cell is not None)

        self.row = row
        self.period = tables.settings.period(row.period)
        self.room = floor(row.amount * (1 - term("reserve", 0)) * term("disbursement", 1))
        self.may_pass_on = min(floor(row.amount * term("carry_cap", 0)), self.room)
        touching = [bill for bill in bills if bill.year in self.period and set(bill.payers) & set(row.source)]
        self.touched = sum(sum(bill.paid.values()) if bill.paid else bill.most for bill in touching)


def _rooms(tables: Tables, envelopes: list[Room]) -> Iterator[tuple[int, ...]]:
    """The room of every envelope, for everything that may be carried, nothing first."""
    names = [phase.name for phase in tables.settings.phases]
    links = [
        (giver, taker)
        for phase, following in pairwise(names)
        for giver, one in enumerate(envelopes)
        for taker, other in enumerate(envelopes)
        if (one.row.period, other.row.period) == (phase, following) and set(one.row.source) == set(other.row.source)
    ]
    # More than could ever be used or passed on by the one that takes makes no difference.
    useful = [max(0, envelopes[t].touched + envelopes[t].may_pass_on - envelopes[t].room) for _, t in links]
    most = [min(envelopes[giver].may_pass_on, use) for (giver, _), use in zip(links, useful, strict=True)]
    for carried in product(*(range(amount + 1) for amount in most)):
        rooms = [envelope.room for envelope in envelopes]
        for (giver, taker), amount in zip(links, carried, strict=True):
            rooms[giver] -= amount
            rooms[taker] += amount
        # More room than could ever be used makes no difference, and leaves fewer states to remember.
        yield tuple(min(room, envelope.touched) for room, envelope in zip(rooms, envelopes, strict=True))


class _Search:
    """Backtracking over the bills in order, remembering what is the least charged from each state on."""

    def __init__(
        self,
        tables: Tables,
        bills: tuple[Bill, ...],
        ceilings: tuple[tuple[tuple[str, ...], Period], ...],
        made: tuple[Statement, ...],
        ways_to_split: Splitter,
    ) -> None:
        self.tables, self.bills, self.ceilings, self.made = tables, bills, ceilings, made
        self.ways_to_split = ways_to_split
        self.known: dict[tuple[object, ...], tuple[Charged, list[dict[str, int]]] | None] = {}

    def run(
        self,
        rooms: tuple[int, ...],
        meters: tuple[Fraction, ...],
        number: int = 0,
        before: tuple[tuple[str, int], ...] = (),
    ) -> tuple[Charged, list[dict[str, int]]] | None:
        """Return the best split of every bill from ``number`` on, and what all payments are charged then.

        Given are the room left, where the rules stand, and what was paid of this project.
        """
        if number == len(self.bills):
            if any(made.is_broken(meter) for made, meter in zip(self.made, meters, strict=True)):
                return None
            return penalties(self.tables, self.made, meters), []
        state = (number, rooms, meters, before)
        if state not in self.known:
            self.known[state] = self._tried(rooms, meters, number, before)
        return self.known[state]

    def _tried(
        self, rooms: tuple[int, ...], meters: tuple[Fraction, ...], number: int, before: tuple[tuple[str, int], ...]
    ) -> tuple[Charged, list[dict[str, int]]] | None:
        bill, best = self.bills[number], None
        for split in self.ways_to_split(bill):
            paid = dict(before)
            for source, amount in split.items():
                paid[source] = paid.get(source, 0) + amount
            left = tuple(
                room - sum(split.get(source, 0) for source in sources) if bill.year in period else room
                for room, (sources, period) in zip(rooms, self.ceilings, strict=True)
            )
            if min(left, default=0) < 0 or not _within(bill, split, paid):
                continue
            moved = tuple(
                meter + sum(made.moved(bill.project, bill.year, source) * amount for source, amount in split.items())
                for made, meter in zip(self.made, meters, strict=True)
            )
            rest = self.run(left, moved, number + 1, () if bill.last else tuple(sorted(paid.items())))
            if rest is not None and (best is None or rest[0] < best[0]):
                best = rest[0], [split, *rest[1]]
                if not any(best[0]):
                    break
        return best


def _within(bill: Bill, split: dict[str, int], paid: dict[str, int]) -> bool:
    for sources, least, most in bill.yearly:
        if not least <= sum(split.get(source, 0) for source in sources) <= most:
            return False
    if bill.last and sum(paid.values()) != bill.total:
        return False
    for sources, least, most in bill.life:
        total = sum(paid.get(source, 0) for source in sources)
        if total > most or (bill.last and total < least):
            return False
    return True


def _all_splits(bill: Bill) -> Iterator[dict[str, int]]:
    if bill.paid is not None:
        yield dict(bill.paid)
        return
    for amount in range(bill.least, bill.most + 1):
        yield from _splits(amount, bill.payers)


def _splits(amount: int, payers: tuple[str, ...]) -> Iterator[dict[str, int]]:
    """Every way to share a whole amount among the payers; nobody pays nothing, and only that."""
    if not payers:
        if not amount:
            yield {}
        return
    if len(payers) == 1:
        yield {payers[0]: amount}
        return
    for part in range(amount + 1):
        for rest in _splits(amount - part, payers[1:]):
            yield {payers[0]: part, **rest}

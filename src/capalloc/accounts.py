"""Accounts: which costs may be paid together, and the columns and rows that say who pays them.

Yearly payments of every source for every project would be many columns that say little.  Two kinds of accounts lose
nothing:

* variants that the same sources may pay without limits, and that no rule about payments tells apart, share one
  *pooled* account.  Whatever the pool pays in whole
  units can be handed out to its projects in whole units, because rows of costs and columns of sources form a
  transportation problem;
* the years that no envelope of these sources and no yearly limit tells apart form one *cell*, for the same reason.

A variant that exactly one source may pay, without limits, needs no columns at all: its costs are entered in the
envelopes directly.

A flexible variant has an account of its own with a cell for every year in which it can be at work
(:mod:`capalloc.flexible`).  What was paid before the plan is in no account: it lessens the room of the envelopes and
moves the limits of shares.

Behind the payments follows one column for each envelope that may pass something on to the next phase
(:mod:`capalloc.ceilings`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from capalloc.ceilings import Carry, Ceiling, find_carries, find_ceilings
from capalloc.measures import read_rules
from capalloc.model import Floats, Ints, Truths
from capalloc.options import Options
from capalloc.payers import Limit, Payers
from capalloc.programmes import Scales, Spending
from capalloc.rows import RowBlock, RowWriter
from capalloc.tables import Tables


@dataclass(frozen=True, slots=True)
class Account:
    """Costs that are paid together: their variants, who may pay, and the cells of years.

    ``flexible`` says that the plan decides what is paid in each of the cells.
    """

    variants: tuple[int, ...]
    payers: Payers
    cells: tuple[tuple[int, ...], ...]
    flexible: bool = False

    @property
    def direct(self) -> bool:
        """Whether one source pays everything in its year, so that no column is needed."""
        return len(self.payers.sources) == 1 and not self.payers.limits and not self.flexible


@dataclass(frozen=True)
class Accounts:
    """All accounts with their columns, which follow the option columns of the model: payments, then what is carried.

    ``of_variant`` is the account of each variant (−1: costs nothing, or nobody may pay).  The k-th payment column is
    what source ``source[k]`` pays of account ``account[k]`` in cell ``cell[k]``; ``year[k]`` is the cell's first
    year.  The k-th carry column is what ``carries[k]`` moves.
    """

    items: tuple[Account, ...]
    ceilings: tuple[Ceiling, ...]
    carries: tuple[Carry, ...]
    of_variant: Ints
    account: Ints
    source: Ints
    cell: Ints
    year: Ints

    def __len__(self) -> int:
        return len(self.source)

    @property
    def columns(self) -> int:
        """How many columns of the model are about money: payments and what is carried."""
        return len(self) + len(self.carries)

    @cached_property
    def _column(self) -> Mapping[tuple[int, int, int], int]:
        keys = zip(self.account.tolist(), self.source.tolist(), self.cell.tolist(), strict=True)
        return {key: column for column, key in enumerate(keys)}

    def column_of(self, variant: int, source: int, year: int) -> int | None:
        """Return the payment column of a source for a variant in a year; ``None`` where it has none."""
        number = int(self.of_variant[variant])
        if number < 0:
            return None
        cell = next((c for c, years in enumerate(self.items[number].cells) if year in years), -1)
        return self._column.get((number, source, cell))


def open_accounts(tables: Tables, options: Options, payers: Sequence[Payers]) -> Accounts:
    """Return the accounts of all variants that the plan has to pay something for and that somebody may pay."""
    ceilings = tuple(find_ceilings(tables))
    pools: dict[tuple[tuple[int, ...], tuple[bool, ...]], list[int]] = defaultdict(list)
    items: list[Account] = []
    apart = tuple(distinctions(tables))
    spans = _Told((*ceilings, *apart))
    paid_years = _paid_years(options)
    for variant in sorted(paid_years.keys() | _bound_before(options, payers)):
        years = paid_years.get(variant, set())
        if options.variants[variant].leeway is not None:
            if payers[variant].sources:
                cells = tuple((year,) for year in sorted(years))
                items.append(Account((variant,), payers[variant], cells, flexible=True))
        elif payers[variant].limits:
            items.append(_account((variant,), payers[variant], years, spans))
        elif payers[variant].sources:
            named = tuple(options.variants[variant].project in distinction.projects for distinction in apart)
            pools[payers[variant].sources, named].append(variant)
    for (sources, _), members in pools.items():
        years = set().union(*(paid_years[variant] for variant in members))
        items.append(_account(tuple(members), Payers(sources, ()), years, spans))
    carries = tuple(find_carries(tables, ceilings))
    return _numbered(tuple(items), ceilings, carries, len(options.variants))


def _paid_years(options: Options) -> Mapping[int, set[int]]:
    """The years in which the plan pays for a variant: those of its costs, or of its work where it is flexible."""
    years: dict[int, set[int]] = defaultdict(set)
    option, year, _ = options.due_entries
    # A pair as one number: numpy tells numbers apart far faster than rows.
    least, most = int(year.min(initial=0)), int(year.max(initial=0))
    pairs = np.unique(options.variant[option] * (most - least + 1) + (year - least))
    variants, offsets = np.divmod(pairs, most - least + 1)
    for variant, paid in zip(variants.tolist(), (offsets + least).tolist(), strict=True):
        years[variant].add(paid)
    free = np.array([v.leeway is not None and v.leeway.total > 0 for v in options.variants], dtype=bool)
    for number in np.flatnonzero(free[options.variant]).tolist():
        years[int(options.variant[number])].update(range(options.start[number], options.finish[number] + 1))
    return years


def _bound_before(options: Options, payers: Sequence[Payers]) -> set[int]:
    """The variants whose shares hang on what was paid before the plan, even where nothing is left to pay."""
    taken = set(options.variant.tolist())
    begun = (number for number, variant in enumerate(options.variants) if variant.past is not None)
    return {number for number in begun if number in taken and payers[number].limits}


@dataclass(frozen=True, slots=True)
class Distinction:
    """What a rule about payments tells apart: some sources, some projects and some years."""

    sources: tuple[int, ...]
    projects: frozenset[int]
    years: range


Span: TypeAlias = Ceiling | Distinction


def distinctions(tables: Tables) -> Iterator[Distinction]:
    """Yield what the rules about payments tell apart, so that every account lies wholly inside or outside of each."""
    index = {source.id: number for number, source in enumerate(tables.sources)}
    for measure in (measure for rule in read_rules(tables) for measure, _ in rule.measures):
        if measure.kind == "paid":
            sources = tuple(index[name] for name in measure.names or index)
            years = range(measure.period.first, measure.period.last + 1)
            yield Distinction(sources, measure.projects(tables), years)


class _Told:
    """In which ceilings and distinctions a year lies, of those that say something about some sources."""

    def __init__(self, spans: Sequence[Span]) -> None:
        self._spans = spans
        self._known: dict[tuple[tuple[int, ...], int], tuple[bool, ...]] = {}

    def of(self, sources: tuple[int, ...], year: int) -> tuple[bool, ...]:
        if (sources, year) not in self._known:
            mine = set(sources)
            self._known[sources, year] = tuple(
                year in span.years for span in self._spans if not mine.isdisjoint(span.sources)
            )
        return self._known[sources, year]


def _account(variants: tuple[int, ...], payers: Payers, years: set[int], spans: _Told) -> Account:
    yearly = any(limit.yearly for limit in payers.limits)
    cells: dict[Any, list[int]] = defaultdict(list)
    for year in sorted(years):
        cells[year if yearly else spans.of(payers.sources, year)].append(year)
    return Account(variants, payers, tuple(tuple(cell) for cell in cells.values()))


def _numbered(
    items: tuple[Account, ...], ceilings: tuple[Ceiling, ...], carries: tuple[Carry, ...], variants: int
) -> Accounts:
    of_variant = np.full(variants, -1, dtype=np.int64)
    columns = []
    for number, item in enumerate(items):
        of_variant[list(item.variants)] = number
        if not item.direct:
            columns += [
                (number, source, cell, years[0])
                for cell, years in enumerate(item.cells)
                for source in item.payers.sources
            ]
    account, source, cell, year = np.array(columns, dtype=np.int64).reshape(-1, 4).T
    return Accounts(items, ceilings, carries, of_variant, account, source, cell, year)


def payable(options: Options, accounts: Accounts, scaled: Sequence[int] | Ints = ()) -> Truths:
    """Return which options leave nothing to pay, or have an account whose limits leave room for the whole cost.

    Parameters
    ----------
    scaled
        Options of which less than the whole may be done; the limits on them are left to the rows.
    """
    cost, due = options.cost, options.due
    option, _, amount = options.due_entries
    able: Truths = (accounts.of_variant[options.variant] >= 0) | (due == 0)
    by_parts = np.zeros(len(options), dtype=bool)
    by_parts[np.asarray(scaled, dtype=np.int64)] = True
    spans = _Spans(options)
    for item in accounts.items:
        for limit in item.payers.limits:
            chosen, entries = spans.of(item.variants[0])
            left = due[chosen]
            if limit.yearly:
                chosen, left, whole = option[entries], amount[entries], amount[entries]
            else:
                whole = cost[chosen]
            if not _covers(item.payers, limit):
                # Of no cost, and by no source, nothing is paid.
                chosen, left, whole = (part[(left == 0) | (not limit.sources)] for part in (chosen, left, whole))
                left = np.zeros_like(left)
            pairs = zip(left.tolist(), whole.tolist(), strict=True)
            wrong = [not limit.at_least(total) <= paid <= limit.at_most(total) for paid, total in pairs]
            able[chosen[np.array(wrong, dtype=bool) & ~by_parts[chosen]]] = False
    return able


class _Spans:
    """Where the options of each variant stand, and their entries among all that the plan has to pay."""

    def __init__(self, options: Options) -> None:
        self._option = np.searchsorted(options.variant, np.arange(len(options.variants) + 1))
        self._entry = np.searchsorted(options.due_entries[0], np.arange(len(options) + 1))

    def of(self, variant: int) -> tuple[Ints, slice]:
        first, last = self._option[variant], self._option[variant + 1]
        return np.arange(first, last), slice(self._entry[first], self._entry[last])


def _covers(payers: Payers, limit: Limit) -> bool:
    """Whether a limit is on all payers together, so that the balance decides it and a row would say nothing."""
    return len(limit.sources) == len(payers.sources)


def column_bounds(options: Options, accounts: Accounts) -> Floats:
    """Return the most that each column of money holds.

    A payment is at most the greatest cost of each variant in the cell, added up, or what a flexible project pays in a
    year at the most.
    """
    cells = _Cells(accounts)
    option, year, amount = options.due_entries
    entry = cells.of(options, accounts, option, year)
    option, entry, amount = option[entry >= 0], entry[entry >= 0], amount[entry >= 0]
    count = max(len(cells), 1)
    taken, place = np.unique(option * count + entry, return_inverse=True)
    spent = np.zeros(len(taken), dtype=np.int64)
    np.add.at(spent, place, amount)
    pairs, place = np.unique(options.variant[taken // count] * count + taken % count, return_inverse=True)
    greatest = np.zeros(len(pairs), dtype=np.int64)
    np.maximum.at(greatest, place, spent)
    whole = np.zeros(count, dtype=np.int64)
    np.add.at(whole, pairs % count, greatest)
    most = whole[: len(cells)].astype(np.float64)
    leeways = [options.variants[item.variants[0]].leeway for item in accounts.items]
    free = np.array([leeway.most if leeway else 0 for leeway in leeways], dtype=np.float64)
    paid: Floats = free[accounts.account]
    paid[cells.payments] = most[cells.of_payment]
    carried = np.array([carry.most for carry in accounts.carries], dtype=np.float64)
    return np.concatenate([paid, carried])


class _Cells:
    """All cells of the accounts that have payment columns and fixed yearly costs, in one row.

    ``payments`` are their payment columns, and ``of_payment`` the cell of each.
    """

    def __init__(self, accounts: Accounts) -> None:
        self.keys: list[tuple[int, int]] = []
        self._of_year: dict[tuple[int, int], int] = {}
        for number, item in enumerate(accounts.items):
            for cell, years in enumerate(() if item.direct or item.flexible else item.cells):
                self._of_year |= {(number, year): len(self.keys) for year in years}
                self.keys.append((number, cell))
        place = {key: number for number, key in enumerate(self.keys)}
        pairs = zip(accounts.account.tolist(), accounts.cell.tolist(), strict=True)
        every = np.array([place.get(pair, -1) for pair in pairs], dtype=np.int64)
        self.payments = np.flatnonzero(every >= 0)
        self.of_payment = every[self.payments]

    def __len__(self) -> int:
        return len(self.keys)

    def of(self, options: Options, accounts: Accounts, option: Ints, year: Ints) -> Ints:
        """Return the cell in which an option is paid in a year; −1 where no columns pay it."""
        return _looked_up(self._of_year, accounts.of_variant[options.variant[option]], year)


def account_rows(options: Options, accounts: Accounts, scales: Scales) -> Iterator[RowBlock]:
    """Return the rows of financing: balances, limits of shares on options of fixed cost, and envelopes."""
    spending = scales.spending(options.due_entries)
    if accounts.items:
        yield _balance_rows(options, accounts, spending)
        yield _limit_rows(options, accounts, scales)
    if accounts.ceilings:
        yield _envelope_rows(options, accounts, spending)


def _balance_rows(options: Options, accounts: Accounts, spending: Spending) -> RowBlock:
    """In every account and cell the sources pay exactly what is spent: sum of payments − sum of spending = 0."""
    cells = _Cells(accounts)
    cell = cells.of(options, accounts, spending.option, spending.year)
    column, amount, cell = spending.column[cell >= 0], spending.amount[cell >= 0], cell[cell >= 0]
    nothing = np.zeros(len(cells))
    return RowBlock(
        "balance",
        cells.keys,
        np.concatenate([cells.of_payment, cell]),
        np.concatenate([len(options) + cells.payments, column]),
        np.concatenate([np.ones(len(cells.payments)), -amount.astype(np.float64)]),
        nothing,
        nothing,
    )


def _looked_up(table: Mapping[tuple[int, int], int], first: Ints, second: Ints) -> Ints:
    """Look up pairs all at once; −1 where the table has none."""
    if not table:
        return np.full(len(first), -1, dtype=np.int64)
    keys = np.array(list(table), dtype=np.int64)
    low, high = keys[:, 1].min(), max(keys[:, 1].max(), second.max(initial=0))
    dense = np.full((keys[:, 0].max() + 1, high - low + 1), -1, dtype=np.int64)
    dense[keys[:, 0], keys[:, 1] - low] = list(table.values())
    inside = (first >= 0) & (first < len(dense)) & (second >= low)
    found: Ints = np.where(inside, dense[np.where(inside, first, 0), np.where(inside, second - low, 0)], -1)
    return found


def _limit_rows(options: Options, accounts: Accounts, scales: Scales) -> RowBlock:
    """What limited sources pay lies between floor(min·C) and ceil(max·C) of the cost C of the chosen option.

    What they paid before the plan, a number of its only option, is taken off both.
    """
    writer = RowWriter("share")
    option, year, amount = options.due_entries
    cost, spans = options.cost, _Spans(options)
    first_column = np.searchsorted(accounts.account, np.arange(len(accounts.items) + 1))
    sources = accounts.source.tolist()
    scaled = set(options.variant[scales.option].tolist())
    for number, item in enumerate(accounts.items):
        if not item.payers.limits or item.variants[0] in scaled:
            continue
        (variant,) = item.variants
        chosen, entries = spans.of(variant)
        columns = np.arange(first_column[number], first_column[number + 1])
        own = sources[first_column[number] : first_column[number + 1]]
        for limit in (limit for limit in item.payers.limits if not _covers(item.payers, limit)):
            paid = columns[np.array([source in limit.sources for source in own], dtype=bool)]
            if not limit.yearly:
                key = (limit.row, variant, None)
                _bound(writer, key, len(options) + paid, limit, chosen, cost[chosen].tolist())
                continue
            for cell, (paid_year,) in enumerate(item.cells):
                now = year[entries] == paid_year
                here = len(options) + paid[accounts.cell[paid] == cell]
                due = amount[entries][now].tolist()
                _bound(writer, (limit.row, variant, paid_year), here, limit, option[entries][now], due)
    return writer.block()


def _bound(
    writer: RowWriter, key: tuple[Any, ...], paid: Ints, limit: Limit, options: Ints, costs: Sequence[int]
) -> None:
    """Write 0 <= payments − floor(min·C)·x and payments − ceil(max·C)·x <= 0, as one row where the two are the same."""
    least = np.array([limit.at_least(cost) for cost in costs], dtype=np.float64)
    most = np.array([limit.at_most(cost) for cost in costs], dtype=np.float64)
    if np.array_equal(least, most):
        writer.add((*key, "exactly"), 0, 0, (paid, 1), (options, -least))
        return
    if (least > 0).any():
        writer.add((*key, "min"), 0, np.inf, (paid, 1), (options, -least))
    if limit.high < 1:
        writer.add((*key, "max"), -np.inf, 0, (paid, 1), (options, -most))


def _envelope_rows(options: Options, accounts: Accounts, spending: Spending) -> RowBlock:
    """What the sources of an envelope pay in its years, and what it passes on, is at most its room and what it gets.

    What they paid before the plan is taken off the room.
    """
    column, year, amount = spending.column, spending.year, spending.amount
    own = accounts.of_variant[options.variant[spending.option]]
    only_source = np.array([a.payers.sources[0] if a.direct else -1 for a in accounts.items] + [-1], dtype=np.int64)[
        own
    ]
    rows, columns, values = [], [], []
    for number, ceiling in enumerate(accounts.ceilings):
        years = (ceiling.years.start, ceiling.years.stop - 1)
        direct = np.isin(only_source, ceiling.sources) & (years[0] <= year) & (year <= years[1])
        paid = np.isin(accounts.source, ceiling.sources) & (years[0] <= accounts.year) & (accounts.year <= years[1])
        columns += [column[direct], len(options) + np.flatnonzero(paid)]
        values += [amount[direct].astype(np.float64), np.ones(int(paid.sum()))]
        rows.append(np.full(int(direct.sum() + paid.sum()), number, dtype=np.int64))
    first = len(options) + len(accounts)
    for number, carry in enumerate(accounts.carries):
        rows.append(np.array([carry.giver, carry.taker]))
        columns.append(np.array([first + number] * 2))
        values.append(np.array([1.0, -1.0]))
    room: Floats = np.array([ceiling.left for ceiling in accounts.ceilings], dtype=np.float64)
    return RowBlock(
        "envelope",
        [ceiling.key for ceiling in accounts.ceilings],
        np.concatenate(rows),
        np.concatenate(columns),
        np.concatenate(values),
        np.full(len(room), -np.inf),
        room,
    )

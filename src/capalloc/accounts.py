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
from itertools import chain
from typing import TypeAlias

import numpy as np

from capalloc.ceilings import Carry, Ceiling, find_carries, find_ceilings
from capalloc.measures import read_rules
from capalloc.model import Floats, Ints, Keys, Truths
from capalloc.options import Options, ranges
from capalloc.payers import Payers
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
    def cells(self) -> Cells:
        """The cells whose balance the payments keep."""
        return Cells(self)

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
    first, paying = _paying(options)
    for variant in np.flatnonzero(paying.any(axis=1) | _bound_before(options, payers)).tolist():
        own, theirs = options.variants[variant], payers[variant]
        if not theirs.limits and own.leeway is None:
            if theirs.sources:
                pools[theirs.sources, tuple(own.project in one.projects for one in apart)].append(variant)
            continue
        years = (first + np.flatnonzero(paying[variant])).tolist()
        if own.leeway is None:
            items.append(_account((variant,), theirs, years, spans))
        elif theirs.sources:
            items.append(Account((variant,), theirs, tuple((year,) for year in years), flexible=True))
    for (sources, _), members in pools.items():
        years = (first + np.flatnonzero(paying[members].any(axis=0))).tolist()
        items.append(_account(tuple(members), Payers(sources, ()), years, spans))
    carries = tuple(find_carries(tables, ceilings))
    return _numbered(tuple(items), ceilings, carries, len(options.variants))


def _paying(options: Options) -> tuple[int, Truths]:
    """Return a first year, and from it on in which years the plan pays for each variant.

    They are the years of its costs, or of its work where it is flexible.
    """
    option, year, _ = options.due_entries
    free = np.array([v.leeway is not None and v.leeway.total > 0 for v in options.variants], dtype=bool)
    flexible = np.flatnonzero(free[options.variant])
    at_work, work = ranges(options.start[flexible], (options.finish - options.start + 1)[flexible])
    variant, year = options.variant[np.concatenate([option, flexible[at_work]])], np.concatenate([year, work])
    first = int(year.min(initial=9999))
    paying = np.zeros((len(options.variants), int(year.max(initial=first)) - first + 1), dtype=bool)
    paying[variant, year - first] = True
    return first, paying


def _bound_before(options: Options, payers: Sequence[Payers]) -> Truths:
    """The variants whose shares hang on what was paid before the plan, even where nothing is left to pay."""
    bound = [v.past is not None and bool(own.limits) for v, own in zip(options.variants, payers, strict=True)]
    taken = np.bincount(options.variant, minlength=len(bound)) > 0
    found: Truths = taken & np.array(bound, dtype=bool)
    return found


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
        self._cells: dict[tuple[object, ...], tuple[tuple[int, ...], ...]] = {}

    def of(self, sources: tuple[int, ...], year: int) -> tuple[bool, ...]:
        if (sources, year) not in self._known:
            mine = set(sources)
            self._known[sources, year] = tuple(
                year in span.years for span in self._spans if not mine.isdisjoint(span.sources)
            )
        return self._known[sources, year]

    def cells(self, sources: tuple[int, ...], years: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
        if (sources, years) not in self._cells:
            cells: dict[tuple[bool, ...], list[int]] = defaultdict(list)
            for year in years:
                cells[self.of(sources, year)].append(year)
            self._cells[sources, years] = tuple(tuple(cell) for cell in cells.values())
        return self._cells[sources, years]


def _account(variants: tuple[int, ...], payers: Payers, years: Sequence[int], spans: _Told) -> Account:
    if any(limit.yearly for limit in payers.limits):
        return Account(variants, payers, tuple((year,) for year in years))
    return Account(variants, payers, spans.cells(payers.sources, tuple(years)))


def _numbered(
    items: tuple[Account, ...], ceilings: tuple[Ceiling, ...], carries: tuple[Carry, ...], variants: int
) -> Accounts:
    of_variant = np.full(variants, -1, dtype=np.int64)
    # Numbers by the thousand, and no tuples of them, which would keep the garbage collector busy.
    columns: tuple[list[int], ...] = ([], [], [], [])
    for number, item in enumerate(items):
        of_variant[list(item.variants)] = number
        payers = len(item.payers.sources)
        for cell, years in enumerate(() if item.direct else item.cells):
            parts = [number] * payers, item.payers.sources, [cell] * payers, [years[0]] * payers
            for column, part in zip(columns, parts, strict=True):
                column.extend(part)
    account, source, place, year = (np.array(column, dtype=np.int64) for column in columns)
    return Accounts(items, ceilings, carries, of_variant, account, source, place, year)


def column_bounds(options: Options, accounts: Accounts) -> Floats:
    """Return the most that each column of money holds.

    A payment is at most the greatest cost of each variant in the cell, added up, or what a flexible project pays in a
    year at the most.
    """
    cells = accounts.cells
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


class Cells:
    """All cells of the accounts that have payment columns and fixed yearly costs, one after the other.

    ``keys`` are their account and their place in it; ``payments`` are their payment columns, and ``of_payment`` the
    cell of each.
    """

    def __init__(self, accounts: Accounts) -> None:
        parts = [() if item.direct or item.flexible else item.cells for item in accounts.items]
        numbers = np.array([len(cells) for cells in parts], dtype=np.int64)
        own, place = ranges(np.zeros_like(numbers), numbers)
        self.keys = Keys(own, place)
        first = np.where(numbers > 0, np.cumsum(numbers) - numbers, -1)
        self.payments = np.flatnonzero(first[accounts.account] >= 0)
        self.of_payment = (first[accounts.account] + accounts.cell)[self.payments]
        listed = [years for cells in parts for years in cells]
        cell = np.repeat(np.arange(len(listed)), [len(years) for years in listed])
        year = np.fromiter(chain.from_iterable(listed), dtype=np.int64, count=len(cell))
        self._first = int(year.min(initial=9999))
        # Behind the last account and the last year stands what has no cell.
        self._table = np.full((len(parts) + 1, int(year.max(initial=self._first)) - self._first + 2), -1)
        self._table[own[cell], year - self._first] = cell

    def __len__(self) -> int:
        return len(self.keys)

    def of(self, options: Options, accounts: Accounts, option: Ints, year: Ints) -> Ints:
        """Return the cell in which an option is paid in a year; −1 where no columns pay it."""
        years = self._table.shape[1] - 1
        offset = year - self._first
        found: Ints = self._table[
            accounts.of_variant[options.variant[option]], np.where((offset >= 0) & (offset < years), offset, years)
        ]
        return found

"""Accounts: which costs may be paid together, and the columns and rows that say who pays them.

Yearly payments of every source for every project would be many columns that say little.  Two kinds of accounts lose
nothing:

* variants that the same sources may pay without limits share one *pooled* account.  Whatever the pool pays in whole
  units can be handed out to its projects in whole units, because rows of costs and columns of sources form a
  transportation problem;
* the years that no envelope of these sources and no yearly limit tells apart form one *cell*, for the same reason.

A variant that exactly one source may pay, without limits, needs no columns at all: its costs are entered in the
envelopes directly.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from capalloc.model import Floats, Ints, Truths
from capalloc.options import Options, Variant
from capalloc.payers import Limit, Payers
from capalloc.rows import RowBlock, RowWriter
from capalloc.tables import Tables


@dataclass(frozen=True, slots=True)
class Account:
    """Costs that are paid together: their variants, who may pay, and the cells of years."""

    variants: tuple[int, ...]
    payers: Payers
    cells: tuple[tuple[int, ...], ...]

    @property
    def direct(self) -> bool:
        """Whether one source pays everything, so that no column is needed."""
        return len(self.payers.sources) == 1 and not self.payers.limits


@dataclass(frozen=True, slots=True)
class Ceiling:
    """One envelope as the model sees it: its sources, years and room in whole million VND."""

    key: tuple[tuple[str, ...], str]
    sources: tuple[int, ...]
    years: range
    room: int


@dataclass(frozen=True)
class Accounts:
    """All accounts with their payment columns, which follow the option columns of the model.

    ``of_variant`` is the account of each variant (−1: costs nothing, or nobody may pay).  The k-th payment column is
    what source ``source[k]`` pays of account ``account[k]`` in cell ``cell[k]``; ``year[k]`` is the cell's first
    year.
    """

    items: tuple[Account, ...]
    ceilings: tuple[Ceiling, ...]
    of_variant: Ints
    account: Ints
    source: Ints
    cell: Ints
    year: Ints

    def __len__(self) -> int:
        return len(self.source)

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
    """Return the accounts of all variants that cost something and that somebody may pay."""
    ceilings = tuple(find_ceilings(tables))
    option, year, _ = options.cost_entries
    paid_years: dict[int, set[int]] = defaultdict(set)
    for variant, paid in np.unique(np.stack([options.variant[option], year]), axis=1).T.tolist():
        paid_years[variant].add(paid)
    pools: dict[tuple[int, ...], list[int]] = defaultdict(list)
    items: list[Account] = []
    for variant in sorted(paid_years):
        if payers[variant].limits:
            items.append(_account((variant,), payers[variant], paid_years[variant], ceilings))
        elif payers[variant].sources:
            pools[payers[variant].sources].append(variant)
    for sources, members in pools.items():
        years = set().union(*(paid_years[variant] for variant in members))
        items.append(_account(tuple(members), Payers(sources, ()), years, ceilings))
    return _numbered(tuple(items), ceilings, len(options.variants))


def find_ceilings(tables: Tables) -> Iterator[Ceiling]:
    """Return the room of every envelope: floor(amount × (1 − reserve)), over its years."""
    index = {source.id: number for number, source in enumerate(tables.sources)}
    for row in tables.envelopes:
        period = tables.settings.known_period(row.period)
        sources = tuple(index[source] for source in row.source)
        inherited = tables.sources[sources[0]].reserve if len(sources) == 1 else Fraction(0)
        room = row.amount * (1 - (inherited if row.reserve is None else row.reserve))
        yield Ceiling((row.source, row.period), sources, range(period.first, period.last + 1), int(room // 1))


def _account(variants: tuple[int, ...], payers: Payers, years: set[int], ceilings: Sequence[Ceiling]) -> Account:
    yearly = any(limit.yearly for limit in payers.limits)
    relevant = [c for c in ceilings if set(c.sources) & set(payers.sources)]
    cells: dict[Any, list[int]] = defaultdict(list)
    for year in sorted(years):
        cells[year if yearly else tuple(year in ceiling.years for ceiling in relevant)].append(year)
    return Account(variants, payers, tuple(tuple(cell) for cell in cells.values()))


def _numbered(items: tuple[Account, ...], ceilings: tuple[Ceiling, ...], variants: int) -> Accounts:
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
    return Accounts(items, ceilings, of_variant, account, source, cell, year)


def payable(options: Options, accounts: Accounts) -> Truths:
    """Return which options cost nothing, or have an account whose limits leave room for the whole cost."""
    able = [_can_be_paid(v, accounts, n) for v, n in zip(options.variants, accounts.of_variant.tolist(), strict=True)]
    allowed: Truths = np.array(able, dtype=bool)[options.variant]
    return allowed


def _can_be_paid(variant: Variant, accounts: Accounts, number: int) -> bool:
    if number < 0:
        return variant.cost == 0
    payers = accounts.items[number].payers
    whole = [limit for limit in payers.limits if _covers(payers, limit)]
    return all(
        limit.at_most(cost) >= cost for limit in whole for cost in (variant.costs if limit.yearly else (variant.cost,))
    )


def _covers(payers: Payers, limit: Limit) -> bool:
    """Whether a limit is on all payers together, so that the balance decides it and a row would say nothing."""
    return len(limit.sources) == len(payers.sources)


def payment_bounds(options: Options, accounts: Accounts) -> Floats:
    """Return what each payment column pays at the most: the greatest cost of each variant in the cell, added up."""
    most: dict[tuple[int, int], int] = defaultdict(int)
    starts: dict[int, list[int]] = defaultdict(list)
    for variant, year in zip(options.variant.tolist(), options.start.tolist(), strict=True):
        starts[variant].append(year)
    for number, item in enumerate(accounts.items):
        for cell, years in enumerate(() if item.direct else item.cells):
            most[number, cell] = sum(_greatest(options.variants[v], starts[v], years) for v in item.variants)
    cells = zip(accounts.account.tolist(), accounts.cell.tolist(), strict=True)
    return np.array([most[key] for key in cells], dtype=np.float64)


def _greatest(variant: Variant, starts: Sequence[int], years: tuple[int, ...]) -> int:
    """The greatest cost of a variant in some years, over its start years."""
    lasting = range(len(variant.costs))
    return max((sum(variant.costs[year - s] for year in years if year - s in lasting) for s in starts), default=0)


def account_rows(options: Options, accounts: Accounts) -> Iterator[RowBlock]:
    """Return the rows of financing: balances, limits of shares, and envelopes."""
    if accounts.items:
        yield _balance_rows(options, accounts)
        yield _limit_rows(options, accounts)
    if accounts.ceilings:
        yield _envelope_rows(options, accounts)


def _balance_rows(options: Options, accounts: Accounts) -> RowBlock:
    """In every account and cell the sources pay exactly the cost: sum of payments − sum of cost·x = 0."""
    row_of: dict[tuple[int, int], int] = {}
    year_row: dict[tuple[int, int], int] = {}
    for number, item in enumerate(accounts.items):
        for cell, years in enumerate(() if item.direct else item.cells):
            row_of[number, cell] = len(row_of)
            year_row |= {(number, year): row_of[number, cell] for year in years}
    option, year, amount = options.cost_entries
    own = accounts.of_variant[options.variant[option]]
    row = _looked_up(year_row, own, year)
    kept = row >= 0
    cells = zip(accounts.account.tolist(), accounts.cell.tolist(), strict=True)
    payment_row = np.array([row_of[key] for key in cells], dtype=np.int64)
    nothing = np.zeros(len(row_of))
    return RowBlock(
        "balance",
        list(row_of),
        np.concatenate([payment_row, row[kept]]),
        np.concatenate([len(options) + np.arange(len(accounts)), option[kept]]),
        np.concatenate([np.ones(len(accounts)), -amount[kept].astype(np.float64)]),
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


def _limit_rows(options: Options, accounts: Accounts) -> RowBlock:
    """What limited sources pay lies between floor(min·C) and ceil(max·C) of the cost C of the chosen option."""
    writer = RowWriter("share")
    option, year, amount = options.cost_entries
    first_option = np.searchsorted(options.variant, np.arange(len(options.variants) + 1))
    first_entry = np.searchsorted(option, np.arange(len(options) + 1))
    first_column = np.searchsorted(accounts.account, np.arange(len(accounts.items) + 1))
    for number, item in enumerate(accounts.items):
        if not item.payers.limits:
            continue
        (variant,) = item.variants
        chosen = np.arange(first_option[variant], first_option[variant + 1])
        columns = np.arange(first_column[number], first_column[number + 1])
        entries = slice(first_entry[chosen[0]], first_entry[chosen[-1] + 1])
        for limit in (limit for limit in item.payers.limits if not _covers(item.payers, limit)):
            paid = columns[np.isin(accounts.source[columns], limit.sources)]
            if not limit.yearly:
                cost = options.variants[variant].cost
                _bound(writer, (limit.row, variant, None), len(options) + paid, limit, chosen, [cost] * len(chosen))
                continue
            for cell, (paid_year,) in enumerate(item.cells):
                now = year[entries] == paid_year
                here = len(options) + paid[accounts.cell[paid] == cell]
                key = (limit.row, variant, paid_year)
                _bound(writer, key, here, limit, option[entries][now], amount[entries][now].tolist())
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
    if least.any():
        writer.add((*key, "min"), 0, np.inf, (paid, 1), (options, -least))
    if limit.high < 1:
        writer.add((*key, "max"), -np.inf, 0, (paid, 1), (options, -most))


def _envelope_rows(options: Options, accounts: Accounts) -> RowBlock:
    """What the sources of an envelope pay in its years is at most its room."""
    option, year, amount = options.cost_entries
    own = accounts.of_variant[options.variant[option]]
    only_source = np.array([a.payers.sources[0] if a.direct else -1 for a in accounts.items] + [-1], dtype=np.int64)[
        own
    ]
    rows, columns, values = [], [], []
    for number, ceiling in enumerate(accounts.ceilings):
        years = (ceiling.years.start, ceiling.years.stop - 1)
        direct = np.isin(only_source, ceiling.sources) & (years[0] <= year) & (year <= years[1])
        paid = np.isin(accounts.source, ceiling.sources) & (years[0] <= accounts.year) & (accounts.year <= years[1])
        columns += [option[direct], len(options) + np.flatnonzero(paid)]
        values += [amount[direct].astype(np.float64), np.ones(int(paid.sum()))]
        rows.append(np.full(int(direct.sum() + paid.sum()), number, dtype=np.int64))
    room: Floats = np.array([ceiling.room for ceiling in accounts.ceilings], dtype=np.float64)
    return RowBlock(
        "envelope",
        [ceiling.key for ceiling in accounts.ceilings],
        np.concatenate(rows),
        np.concatenate(columns),
        np.concatenate(values),
        np.full(len(room), -np.inf),
        room,
    )

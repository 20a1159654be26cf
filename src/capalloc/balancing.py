"""The rows between what is spent, what the sources pay, and what their envelopes hold."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from capalloc.accounts import Accounts
from capalloc.limiting import limit_rows
from capalloc.model import Floats
from capalloc.options import Options, within
from capalloc.programmes import Scales, Spending
from capalloc.rows import RowBlock

_YEARS = 10_000
"""More than there are years, so that a source and a year make one number."""


def account_rows(options: Options, accounts: Accounts, scales: Scales) -> Iterator[RowBlock]:
    """Return the rows of financing: balances, limits of shares on options of fixed cost, and envelopes."""
    spending = scales.spending(options.due_entries)
    if accounts.items:
        yield _balance_rows(options, accounts, spending)
        yield limit_rows(options, accounts, scales)
    if accounts.ceilings:
        yield _envelope_rows(options, accounts, spending)


def _balance_rows(options: Options, accounts: Accounts, spending: Spending) -> RowBlock:
    """In every account and cell the sources pay exactly what is spent: sum of payments − sum of spending = 0."""
    cells = accounts.cells
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


def _envelope_rows(options: Options, accounts: Accounts, spending: Spending) -> RowBlock:
    """What the sources of an envelope pay in its years, and what it passes on, is at most its room and what it gets.

    What they paid before the plan is taken off the room.
    """
    own = accounts.of_variant[options.variant[spending.option]]
    only_source = np.array([a.payers.sources[0] if a.direct else -1 for a in accounts.items] + [-1], dtype=np.int64)
    payer = np.concatenate([only_source[own], accounts.source])
    column = np.concatenate([spending.column, len(options) + np.arange(len(accounts))])
    year, amount = (
        np.concatenate([spending.year, accounts.year]),
        np.concatenate([spending.amount, np.ones(len(accounts))]),
    )
    parts = [(n, s, c.years.start, c.years.stop - 1) for n, c in enumerate(accounts.ceilings) for s in set(c.sources)]
    number, source, opens, ends = np.array(parts, dtype=np.int64).T
    part, entry = within(payer * _YEARS + year, source * _YEARS + opens, source * _YEARS + ends)
    rows, columns, values = [number[part]], [column[entry]], [amount[entry]]
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

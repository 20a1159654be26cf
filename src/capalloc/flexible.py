"""Flexible projects: the rows between their options and what the plan pays for them year by year.

With C the cost of a variant and f(y) what all sources pay for it in year y:

``balance``
    the sum of f over all years = C·x over its options;
``yearly``
    floor(year_min·C)·x <= f(y) <= ceil(year_max·C)·x, over the options that are at work in y; so nothing is paid
    before the start or after the finish.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from capalloc.accounts import Account, Accounts
from capalloc.costing import Leeway
from capalloc.model import Ints
from capalloc.options import Options
from capalloc.rows import RowBlock, RowWriter


def flexible_rows(options: Options, accounts: Accounts) -> Iterator[RowBlock]:
    """Yield the rows of all flexible variants."""
    balance, yearly = RowWriter("balance"), RowWriter("yearly")
    for number, item in enumerate(accounts.items):
        leeway = options.variants[item.variants[0]].leeway
        if leeway is None:
            continue
        own = np.flatnonzero(options.variant == item.variants[0])
        paid = np.flatnonzero(accounts.account == number)
        balance.add((number, None), 0, 0, (len(options) + paid, 1), (own, -leeway.total))
        _bound_years(yearly, options, (number, item, leeway), own, (len(options) + paid, accounts.cell[paid]))
    yield balance.block()
    yield yearly.block()


def _bound_years(
    writer: RowWriter, options: Options, account: tuple[int, Account, Leeway], own: Ints, paid: tuple[Ints, Ints]
) -> None:
    """Write the rows of one account.

    Parameters
    ----------
    paid
        Its payment columns, and the cell of each.
    """
    number, item, leeway = account
    columns, cells = paid
    for cell, (year,) in enumerate(item.cells):
        at_work = own[(options.start[own] <= year) & (year <= options.finish[own])]
        here = columns[cells == cell]
        if leeway.least == leeway.most:
            writer.add((number, year, "exactly"), 0, 0, (here, 1), (at_work, -leeway.most))
            continue
        if leeway.least:
            writer.add((number, year, "min"), 0, np.inf, (here, 1), (at_work, -leeway.least))
        # What is always at work cannot be paid more than its whole cost.
        if leeway.most < leeway.total or len(at_work) < len(own):
            writer.add((number, year, "max"), -np.inf, 0, (here, 1), (at_work, -leeway.most))

"""Limits on what some sources pay for a programme, whose cost the plan decides.

With whole payments p and a whole cost k, and a share of n / d,

    p >= floor(n·k / d)  exactly where  d·p >= n·k − (d − 1)   and
    p <= ceil(n·k / d)   exactly where  d·p <= n·k + (d − 1),

and p <= floor(n·k / d), for a cap of law, where d·p <= n·k.  These rows are exact for whole plans and leave room for
no less than them where fractions are allowed.

A share of many digits would make numbers that floats cannot hold.  Since k <= C, nothing changes when its place is
taken by the nearest share, below it for floor and above it for ceil, whose denominator is at most C.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np

from capalloc.accounts import Account, Accounts
from capalloc.model import Ints
from capalloc.options import Options
from capalloc.payers import Limit
from capalloc.programmes import Scales
from capalloc.rows import RowBlock, RowWriter

Terms: TypeAlias = tuple[tuple[Ints, Any], ...]


def scaled_share_rows(options: Options, accounts: Accounts, scales: Scales) -> RowBlock:
    """Return the rows of all limits on accounts of programmes."""
    writer = RowWriter("share")
    own = scales.spending(options.due_entries)
    scaled = np.isin(own.option, scales.option)
    variant = np.where(scaled, options.variant[own.option], -1)
    for number, item in enumerate(accounts.items if len(scales) else ()):
        mine = np.flatnonzero(variant == item.variants[0])
        if not len(mine) or not item.payers.limits:
            continue
        chosen = np.flatnonzero(options.variant == item.variants[0])
        most = int(options.cost[chosen].max())
        for limit in (_shortened(limit, most) for limit in item.payers.limits):
            for year, columns in _parts(number, item, accounts, limit):
                now = mine if year is None else mine[own.year[mine] == year]
                due: Terms = ((own.column[now], own.amount[now]),)
                key = (limit.row, item.variants[0], year)
                if len(limit.sources) == len(item.payers.sources):
                    _bound_whole(writer, key, limit, due, chosen)
                else:
                    _bound_part(writer, key, limit, len(options) + columns, due, chosen)
    return writer.block()


def _shortened(limit: Limit, most: int) -> Limit:
    """The limit with the shortest shares that say the same of all whole costs up to ``most``."""
    high = nearest_below(limit.high, most) if limit.legal else -nearest_below(-limit.high, most)
    return replace(limit, low=nearest_below(limit.low, most), high=high)


def nearest_below(share: Fraction, most: int) -> Fraction:
    """Return the greatest fraction not above ``share`` whose denominator is at most ``most``.

    Examples
    --------
    >>> nearest_below(Fraction("0.3333"), 30), nearest_below(Fraction("0.6667"), 30)
    (Fraction(9, 28), Fraction(2, 3))
    """
    near = share.limit_denominator(most)
    if near <= share:
        return near
    # No fraction lies between the nearest one, which is above, and the one before it in the order of all of them.
    top, bottom = near.numerator, near.denominator
    before = most - (most - pow(top, -1, bottom)) % bottom
    return Fraction(top * before - 1, bottom * before)


def _parts(number: int, item: Account, accounts: Accounts, limit: Limit) -> Iterator[tuple[int | None, Ints]]:
    """The year, or ``None`` for the whole life, and the payment columns that a limit adds up."""
    columns = np.flatnonzero((accounts.account == number) & np.isin(accounts.source, limit.sources))
    if not limit.yearly:
        yield None, columns
        return
    for cell, (year,) in enumerate(item.cells):
        yield year, columns[accounts.cell[columns] == cell]


def _bound_part(writer: RowWriter, key: tuple[Any, ...], limit: Limit, paid: Ints, due: Terms, chosen: Ints) -> None:
    """Bound what some of the payers pay by their shares of what is due."""
    if limit.low > 0:
        top, bottom = limit.low.numerator, limit.low.denominator
        terms = [(columns, -top * amount) for columns, amount in due]
        writer.add((*key, "min"), 0, np.inf, (paid, bottom), *terms, (chosen, bottom - 1))
    if limit.high < 1:
        top, bottom = limit.high.numerator, limit.high.denominator
        terms = [(columns, -top * amount) for columns, amount in due]
        spare = 0 if limit.legal else bottom - 1
        writer.add((*key, "max"), -np.inf, 0, (paid, bottom), *terms, (chosen, -spare))


def _bound_whole(writer: RowWriter, key: tuple[Any, ...], limit: Limit, due: Terms, chosen: Ints) -> None:
    """Of all payers together a maximum below 1 asks that what is due be small enough to be rounded up to.

    k <= ceil(n·k / d) exactly where k·(d − n) <= d − 1; rounded down, nothing is small enough.
    """
    if limit.high < 1:
        top, bottom = limit.high.numerator, limit.high.denominator
        spare = 0 if limit.legal else (bottom - 1) // (bottom - top)
        writer.add((*key, "max"), -np.inf, 0, *due, (chosen, -spare))

"""The limits on what some sources pay: which options they leave, and their rows.

All limits of all accounts are held at once against every cost they are about: the life cost of each option of the
account, or what the option costs in each year.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from capalloc.accounts import Accounts
from capalloc.model import Ints, Keys, Truths
from capalloc.options import Options, ranges
from capalloc.payers import Limit, shares_of
from capalloc.programmes import Scales
from capalloc.rows import RowBlock, RowWriter

_YEARS = 10_000
"""More than there are years, so that a bound and a year make one number."""


class _Bound(NamedTuple):
    """A limit on the only variant of an account; ``covers`` all its payers, so that the balance decides it."""

    account: int
    variant: int
    limit: Limit
    covers: bool


@dataclass(frozen=True, slots=True)
class _Held:
    """Every cost that bounds are held against: its bound, its option, its year (0 for the whole life), what is left.

    Between ``least`` and ``most`` of it is to be paid; these may be too long for 64 bits.
    """

    bound: Ints
    option: Ints
    year: Ints
    left: Ints
    least: Ints | npt.NDArray[np.object_]
    most: Ints | npt.NDArray[np.object_]


def _bounds(accounts: Accounts) -> list[_Bound]:
    return [
        _Bound(number, item.variants[0], limit, len(limit.sources) == len(item.payers.sources))
        for number, item in enumerate(accounts.items)
        for limit in item.payers.limits
    ]


def _hold(options: Options, bounds: Sequence[_Bound]) -> _Held:
    yearly = np.array([bound.limit.yearly for bound in bounds], dtype=bool)
    variant = np.array([bound.variant for bound in bounds], dtype=np.int64)
    owner, year, amount = options.due_entries
    whole, parts = np.flatnonzero(~yearly), np.flatnonzero(yearly)
    first, last = (np.searchsorted(options.variant, variant, side=side) for side in ("left", "right"))
    life, option = ranges(first[whole], (last - first)[whole])
    first, last = np.searchsorted(owner, first), np.searchsorted(owner, last)
    part, entry = ranges(first[parts], (last - first)[parts])
    bound = np.concatenate([whole[life], parts[part]])
    cost = np.concatenate([options.cost[option], amount[entry]])
    return _Held(
        bound,
        np.concatenate([option, owner[entry]]),
        np.concatenate([np.zeros_like(option), year[entry]]),
        np.concatenate([options.due[option], amount[entry]]),
        *shares_of([each.limit for each in bounds], bound, cost),
    )


def payable(options: Options, accounts: Accounts, scaled: Sequence[int] | Ints = ()) -> Truths:
    """Return which options leave nothing to pay, or have an account whose limits leave room for the whole cost.

    Parameters
    ----------
    scaled
        Options of which less than the whole may be done; the limits on them are left to the rows.
    """
    able: Truths = (accounts.of_variant[options.variant] >= 0) | (options.due == 0)
    bounds = _bounds(accounts)
    held = _hold(options, bounds)
    covers = np.array([each.covers for each in bounds], dtype=bool)[held.bound]
    nobody = np.array([not each.limit.sources for each in bounds], dtype=bool)[held.bound]
    # Of no cost, and by no source, nothing is paid.
    paid = np.where(covers, held.left, 0)
    known = covers | nobody | (held.left == 0)
    wrong = np.zeros(len(options), dtype=bool)
    wrong[held.option[known & ((paid < held.least) | (paid > held.most))]] = True
    wrong[np.asarray(scaled, dtype=np.int64)] = False
    return able & ~wrong


def limit_rows(options: Options, accounts: Accounts, scales: Scales) -> RowBlock:
    """What limited sources pay lies between floor(min·C) and ceil(max·C) of the cost C of the chosen option.

    What they paid before the plan, a number of its only option, is taken off both: 0 <= payments − least·x and
    payments − most·x <= 0, as one row where the two are the same.
    """
    scaled = set(options.variant[scales.option].tolist())
    bounds = [each for each in _bounds(accounts) if not each.covers and each.variant not in scaled]
    if not bounds:
        return RowWriter("share").block()
    held = _hold(options, bounds)
    codes, place = np.unique(held.bound * _YEARS + held.year, return_inverse=True)
    group, year = np.divmod(codes, _YEARS)
    capped = np.array([each.limit.high < 1 for each in bounds], dtype=bool)[group]
    exactly = np.bincount(place, held.least != held.most) == 0
    low = exactly | (np.bincount(place, held.least > 0) > 0)
    high = ~exactly & capped
    count = low.astype(np.int64) + high
    below = np.cumsum(count) - count
    above = below + low
    word = np.full(int(count.sum()), "max", dtype=object)
    word[below[low]] = np.where(exactly[low], "exactly", "min")
    own, paid = _paid(accounts, bounds, codes)
    entries: list[tuple[Truths, Ints, Ints, npt.NDArray[Any]]] = []
    for kept, rows, amount in ((low, below, held.least), (high, above, held.most)):
        entries.append((kept[place], rows[place], held.option, -amount))
        entries.append((kept[own], rows[own], len(options) + paid, np.ones(len(own))))
    row, column, value = (np.concatenate([entry[part][entry[0]] for entry in entries]) for part in (1, 2, 3))
    of = np.repeat(np.arange(len(codes)), count)
    statement = np.array([each.limit.row for each in bounds])[group[of]]
    years = year[of].astype(object)
    years[year[of] == 0] = None
    return RowBlock(
        "share",
        Keys(statement, np.array([each.variant for each in bounds])[group[of]], years, word),
        row,
        column,
        value.astype(np.float64),
        np.where(word == "max", -np.inf, 0.0),
        np.where(word == "min", np.inf, 0.0),
    )


def _paid(accounts: Accounts, bounds: Sequence[_Bound], codes: Ints) -> tuple[Ints, Ints]:
    """The payment columns that the bounds are on: of each the place of bound and year in ``codes``, and the column."""
    account = np.array([each.account for each in bounds], dtype=np.int64)
    first, last = (np.searchsorted(accounts.account, account, side=side) for side in ("left", "right"))
    bound, column = ranges(first, last - first)
    sources = max((source for each in accounts.items for source in each.payers.sources), default=-1) + 1
    named = np.zeros((len(bounds), sources), dtype=bool)
    for number, each in enumerate(bounds):
        named[number, list(each.limit.sources)] = True
    mine = named[bound, accounts.source[column]]
    bound, column = bound[mine], column[mine]
    yearly = np.array([each.limit.yearly for each in bounds], dtype=bool)[bound]
    return np.searchsorted(codes, bound * _YEARS + np.where(yearly, accounts.year[column], 0)), column

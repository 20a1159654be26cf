"""Programmes: how much of one is done, as columns and rows of the model, and exactly.

A funded programme has a whole amount k of its life cost C with ``least`` <= k <= C; its scale is k / C.  Of the sum c
that it costs by the end of a year, floor(k·c / C + 1/2) is paid.  For each of its options the model has

* an *amount* column z in [0, 1], the scale, which carries value, uses and contributions;
* a *sum* column S for each year of payment, what is paid by its end; the last sum is k.

The rows, with x the column of the option, keep every whole plan, so that what they bound is bounded for all plans:

``scale``
    C·z = k; ``least``·x <= k <= C·x; −x <= 2·c·z − 2·S <= x in every year but the last.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from capalloc.model import Block, Floats, Ints, Truths
from capalloc.options import Options
from capalloc.rows import RowBlock, RowWriter
from capalloc.tables import Tables


@dataclass(frozen=True, slots=True)
class Spending:
    """What the columns of the model spend: ``amount`` a unit of ``column`` in ``year``, on behalf of ``option``."""

    option: Ints
    column: Ints
    year: Ints
    amount: Ints


@dataclass(frozen=True)
class Scales:
    """The scaled options with their columns, from column ``first`` of the model on: amounts, then sums.

    ``option``, ``cost`` and ``least`` have one entry a scaled option; ``place``, ``year`` and ``reached`` one a sum:
    its scaled option, its year and what is paid by then at full scale.  The sums of an option follow one another.
    """

    first: int
    option: Ints
    cost: Ints
    least: Ints
    place: Ints
    year: Ints
    reached: Ints

    def __len__(self) -> int:
        return len(self.option) + len(self.place)

    @cached_property
    def amounts(self) -> Ints:
        """The amount column of each scaled option."""
        return self.first + np.arange(len(self.option))

    @cached_property
    def sums(self) -> Ints:
        """The column of each sum."""
        return self.first + len(self.option) + np.arange(len(self.place))

    @cached_property
    def ends(self) -> Ints:
        """The number of the last sum of each scaled option."""
        return np.searchsorted(self.place, np.arange(len(self.option)), side="right") - 1

    @property
    def totals(self) -> Ints:
        """The column of the whole amount k of each scaled option."""
        return self.sums[self.ends]

    @property
    def upper(self) -> Floats:
        """The most that each column holds."""
        return np.concatenate([np.ones(len(self.option)), self.reached.astype(np.float64)])

    def carriers(self, options: int) -> Ints:
        """Return, for each option, the column that its value and its uses are multiplied by."""
        columns = np.arange(options)
        columns[self.option] = self.amounts
        return columns

    def columns_of(self, options: Ints) -> Ints:
        """Return the columns of those of the options that are scaled."""
        mine = np.isin(self.option, options)
        return np.concatenate([self.amounts[mine], self.sums[mine[self.place]]])

    def holds(self, columns: Ints) -> Truths:
        """Return which columns are amounts, which no plan has in whole numbers."""
        inside: Truths = (columns >= self.first) & (columns < self.first + len(self.option))
        return inside

    def spending(self, entries: tuple[Ints, Ints, Ints]) -> Spending:
        """Return what is spent in each year: by an option that is taken, or between two sums of a scaled one.

        Parameters
        ----------
        entries
            The option, year and amount of what options cost, or of what of it is due.
        """
        option, year, amount = entries
        if not len(self):
            return Spending(option, option, year, amount)
        whole = ~np.isin(option, self.option)
        ones, opened = np.ones(len(self.place), dtype=np.int64), self.opened
        own = self.option[self.place]
        return Spending(
            np.concatenate([option[whole], own, own[~opened]]),
            np.concatenate([option[whole], self.sums, self.sums[~opened] - 1]),
            np.concatenate([year[whole], self.year, self.year[~opened]]),
            np.concatenate([amount[whole], ones, -ones[~opened]]),
        )

    @cached_property
    def opened(self) -> Truths:
        """Which sums are the first of their option."""
        first: Truths = np.diff(self.place, prepend=-1) > 0
        return first

    def sums_at(self, number: int, total: int) -> list[int]:
        """Return the sums of a scaled option when its whole amount is ``total``."""
        cost = int(self.cost[number])
        reached = self.reached[self.place == number].tolist()
        return [(2 * total * amount + cost) // (2 * cost) for amount in reached]

    def costs_at(self, number: int, total: int) -> dict[int, int]:
        """Return what a scaled option costs in each year when its whole amount is ``total``."""
        sums, years = self.sums_at(number, total), self.year[self.place == number].tolist()
        paid = zip(years, sums, [0, *sums[:-1]], strict=True)
        return {year: reached - before for year, reached, before in paid if reached > before}

    def write(self, x: Floats, number: int, total: int) -> None:
        """Enter a scaled option with its whole amount into a point."""
        x[self.amounts[number]] = total / int(self.cost[number])
        x[self.sums[self.place == number]] = self.sums_at(number, total)

    def totals_of(self, x: Floats) -> dict[int, int]:
        """Return the whole amount of each scaled option that a point takes, by the number of the option."""
        taken = np.flatnonzero(x[self.option] > 0.5).tolist()
        return {number: int(np.rint(x[self.totals[number]])) for number in taken}

    def blocks(self, tables: Tables, options: Options) -> Iterator[Block]:
        """Yield what the columns stand for."""
        names = _names(tables, options, self.option)
        yield Block("scale", names)
        years = zip(self.place.tolist(), self.year.tolist(), strict=True)
        yield Block("sum", [(*names[number], year) for number, year in years])


def _names(tables: Tables, options: Options, chosen: Ints) -> list[tuple[str, str, int]]:
    variants = [options.variants[number] for number in options.variant[chosen].tolist()]
    starts = options.start[chosen].tolist()
    return [(tables.projects[v.project].id, v.mode, start) for v, start in zip(variants, starts, strict=True)]


def open_scales(tables: Tables, options: Options, first: int) -> Scales:
    """Return the scaled options: those of programmes that cost something.

    Parameters
    ----------
    first
        The column of the model at which their columns begin.
    """
    programme = np.array([project.kind == "programme" for project in tables.projects], dtype=bool)
    option = np.flatnonzero(programme[options.project] & (options.cost > 0))
    cost = options.cost[option]
    shares = [tables.projects[number].min_scale or 1 for number in options.project[option].tolist()]
    least = [math.ceil(share * full) for share, full in zip(shares, cost.tolist(), strict=True)]
    owner, year, amount = options.cost_entries
    mine = np.isin(owner, option)
    place = np.searchsorted(option, owner[mine])
    before = np.cumsum(cost) - cost
    reached = np.cumsum(amount[mine]) - before[place]
    return Scales(first, option, cost, np.array(least, dtype=np.int64), place, year[mine], reached)


def scale_rows(tables: Tables, options: Options, scales: Scales) -> RowBlock:
    """Return the rows between scales, sums and options."""
    writer = RowWriter("scale")
    names = _names(tables, options, scales.option)
    for number, option in enumerate(scales.option.tolist()):
        taken, amount, total = (
            np.array([column]) for column in (option, scales.amounts[number], scales.totals[number])
        )
        cost, least = int(scales.cost[number]), int(scales.least[number])
        writer.add((*names[number], "total"), 0, 0, (amount, cost), (total, -1))
        writer.add((*names[number], "min"), 0, np.inf, (total, 1), (taken, -least))
        writer.add((*names[number], "max"), -np.inf, 0, (total, 1), (taken, -cost))
    for number, place in enumerate(scales.place.tolist()):
        if number == scales.ends[place]:
            continue
        key = (*names[place], int(scales.year[number]))
        terms = (scales.amounts[[place]], 2 * scales.reached[number]), (scales.sums[[number]], -2)
        writer.add((*key, "down"), -np.inf, 0, *terms, (scales.option[[place]], -1))
        writer.add((*key, "up"), 0, np.inf, *terms, (scales.option[[place]], 1))
    return writer.block()

"""Measures as sums over the columns of the model."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from capalloc.accounts import Accounts
from capalloc.history import payments_made
from capalloc.measures import Measure
from capalloc.model import Ints, Truths
from capalloc.options import Options
from capalloc.programmes import Scales
from capalloc.settings import VALUE_GRID
from capalloc.tables import Tables


@dataclass(frozen=True, slots=True)
class Sum:
    """``constant + unit · sum of values[k]·x[columns[k]]``; a column may come more than once.

    ``values`` are whole; they may be too long for 64 bits.
    """

    columns: Ints
    values: Ints
    unit: Fraction = Fraction(1)
    constant: Fraction = Fraction(0)


@dataclass(frozen=True)
class Ledger:
    """The columns of options and payments from which every measure is added up."""

    tables: Tables
    options: Options
    accounts: Accounts
    scales: Scales

    def sum_of(self, measure: Measure) -> Sum:
        """Return a measure as a sum over columns."""
        if measure.kind == "envelope":
            return self._envelope(measure)
        selected = self._selected(measure)
        if measure.kind == "paid":
            return self._paid(measure, selected)
        if measure.kind in ("cost", "tail"):
            return self._cost(measure, selected)
        amounts = {"value": self._value, "indicator": self._indicator, "resource": self._resource}
        if measure.kind in amounts:
            return amounts[measure.kind](measure, selected)
        inside = _COUNTS[measure.kind](self.options, measure.period.first, measure.period.last)
        columns = np.flatnonzero(selected & inside)
        return Sum(columns, np.ones(len(columns), dtype=np.int64))

    def _selected(self, measure: Measure) -> Truths:
        """Which options are of the selected projects."""
        mask = np.zeros(len(self.tables.projects), dtype=bool)
        mask[list(measure.projects(self.tables))] = True
        selected: Truths = mask[self.options.project]
        return selected

    def _cost(self, measure: Measure, selected: Truths) -> Sum:
        spent = self.scales.spending(self.options.cost_entries)
        first, last = measure.period.first, measure.period.last
        if measure.kind == "cost":
            inside = (first <= spent.year) & (spent.year <= last)
        else:
            inside = (spent.year > last) & (self.options.start[spent.option] <= last)
        kept = selected[spent.option] & inside
        columns, values = self._flexible_cost(measure, selected)
        return Sum(np.concatenate([spent.column[kept], columns]), np.concatenate([spent.amount[kept], values]))

    def _flexible_cost(self, measure: Measure, selected: Truths) -> tuple[Ints, Ints]:
        """What is paid for flexible projects.

        A project that starts after the period pays its whole cost after it, which is no tail of it and is taken off.
        """
        accounts, options, period = self.accounts, self.options, measure.period
        flexible = np.array([item.flexible for item in accounts.items], dtype=bool)[accounts.account]
        tail = measure.kind == "tail"
        inside = (
            accounts.year > period.last if tail else (period.first <= accounts.year) & (accounts.year <= period.last)
        )
        paid = np.flatnonzero(flexible & inside & self._selected_accounts(measure)[accounts.account])
        free = np.array([variant.leeway is not None for variant in options.variants], dtype=bool)
        later = np.flatnonzero(selected & free[options.variant] & (options.start > period.last) & tail)
        columns = np.concatenate([len(options) + paid, later])
        return columns, np.concatenate([np.ones(len(paid), dtype=np.int64), -options.cost[later]])

    def _selected_accounts(self, measure: Measure) -> Truths:
        """Which accounts pay for the selected projects; of others than flexible ones the first project tells."""
        projects, variants = measure.projects(self.tables), self.options.variants
        return np.array([variants[i.variants[0]].project in projects for i in self.accounts.items], dtype=bool)

    def _paid(self, measure: Measure, selected: Truths) -> Sum:
        """The payment columns of the sources, the costs that one of them alone may pay, and what they paid before."""
        accounts, options = self.accounts, self.options
        index = {source.id: number for number, source in enumerate(self.tables.sources)}
        sources = [index[name] for name in measure.names] or list(index.values())
        first, last = measure.period.first, measure.period.last
        spent = self.scales.spending(options.due_entries)
        payer = np.array([i.payers.sources[0] if i.direct else -1 for i in accounts.items] + [-1], dtype=np.int64)
        alone = np.isin(payer[accounts.of_variant[options.variant[spent.option]]], sources)
        kept = alone & selected[spent.option] & (first <= spent.year) & (spent.year <= last)
        # An account and a cell lie wholly inside a measure of payments or wholly outside.
        paid = np.isin(accounts.source, sources) & (first <= accounts.year) & (accounts.year <= last)
        paid &= self._selected_accounts(measure)[accounts.account]
        columns = len(options) + np.flatnonzero(paid)
        ones = np.ones(len(columns), dtype=np.int64)
        before, gone = self._paid_before(measure, {self.tables.sources[number].id for number in sources})
        return Sum(
            np.concatenate([spent.column[kept], columns, before]), np.concatenate([spent.amount[kept], ones, gone])
        )

    def _paid_before(self, measure: Measure, sources: Collection[str]) -> tuple[Ints, Ints]:
        """What sources paid before the plan for each project that goes on, as an amount of its only option."""
        options, projects = self.options, measure.projects(self.tables)
        begun = np.array([variant.past is not None for variant in options.variants], dtype=bool)[options.variant]
        option_of = {self.tables.projects[options.project[o]].id: o for o in np.flatnonzero(begun).tolist()}
        found = [
            (option_of[row.project], row.amount)
            for row in payments_made(self.tables)
            if row.source in sources and row.year in measure.period and row.project in option_of
        ]
        chosen = [(option, amount) for option, amount in found if int(options.project[option]) in projects]
        columns, values = np.array(chosen, dtype=np.int64).reshape(-1, 2).T
        return columns, values

    def _envelope(self, measure: Measure) -> Sum:
        """The amounts of the envelopes of exactly these sources whose period lies inside the period."""
        names, total = frozenset(measure.names), 0
        for row in self.tables.envelopes:
            years = self.tables.settings.known_period(row.period)
            if frozenset(row.source) == names and years.first in measure.period and years.last in measure.period:
                total += row.amount
        nothing = np.empty(0, dtype=np.int64)
        return Sum(nothing, nothing, constant=Fraction(total))

    def _value(self, measure: Measure, selected: Truths) -> Sum:
        objective = self.tables.settings.objective
        completed = objective.value_from != "benefits" and objective.at == "completion"
        year = self.options.finish if completed else self.options.start
        inside = (measure.period.first <= year) & (year <= measure.period.last)
        chosen = np.flatnonzero(selected & inside & (self.options.value != 0))
        return Sum(self._carriers[chosen], self.options.value[chosen], VALUE_GRID)

    def _indicator(self, measure: Measure, selected: Truths) -> Sum:
        rows = [row for row in self.tables.contributions if row.indicator == measure.names[0]]
        amounts: dict[tuple[str, str], dict[int, Fraction]] = {(r.project, r.mode): {0: r.amount} for r in rows}
        finish = self.options.finish
        inside = (measure.period.first <= finish) & (finish <= measure.period.last)
        chosen, _, values, unit = self._streams(amounts, selected & inside)
        return Sum(self._carriers[chosen], values, unit)

    def _resource(self, measure: Measure, selected: Truths) -> Sum:
        amounts: dict[tuple[str, str], dict[int, Fraction]] = defaultdict(dict)
        for row in self.tables.uses:
            if row.resource == measure.names[0]:
                amounts[row.project, row.mode][row.offset] = row.amount
        chosen, offsets, values, unit = self._streams(amounts, selected)
        year = self.options.start[chosen] + offsets
        inside = (measure.period.first <= year) & (year <= measure.period.last)
        return Sum(self._carriers[chosen[inside]], values[inside], unit)

    @cached_property
    def _carriers(self) -> Ints:
        """For each option, the column that its value, its uses and its contributions are multiplied by."""
        return self.scales.carriers(len(self.options))

    def _streams(
        self, amounts: Mapping[tuple[str, str], Mapping[int, Fraction]], selected: Truths
    ) -> tuple[Ints, Ints, Ints, Fraction]:
        """The option, offset and whole number of units of every amount of the selected options, and the unit."""
        unit = common_unit(amount for stream in amounts.values() for amount in stream.values())
        names = [(self.tables.projects[variant.project].id, variant.mode) for variant in self.options.variants]
        found = [
            (option, offset, int(amount / unit))
            for option in np.flatnonzero(selected).tolist()
            for offset, amount in amounts.get(names[self.options.variant[option]], {}).items()
            if amount
        ]
        places = np.array([entry[:2] for entry in found], dtype=np.int64).reshape(-1, 2)
        # Numbers of any length are added up exactly; only what the model holds in the end must be small.
        values = np.array([entry[2] for entry in found], dtype=object)
        return places[:, 0], places[:, 1], values, unit


_COUNTS: Mapping[str, Callable[[Options, int, int], Truths]] = {
    "starts": lambda options, first, last: (first <= options.start) & (options.start <= last),
    "completions": lambda options, first, last: (first <= options.finish) & (options.finish <= last),
    "active": lambda options, first, last: (options.start <= last) & (options.finish >= first),
}


def common_unit(amounts: Iterable[Fraction]) -> Fraction:
    """Return the greatest number of which all amounts are whole multiples; 1 when all are 0.

    Examples
    --------
    >>> common_unit([Fraction(3, 2), Fraction(-9, 4)]), common_unit([])
    (Fraction(3, 4), Fraction(1, 1))
    """
    given = [amount for amount in amounts if amount]
    whole = math.lcm(*(amount.denominator for amount in given))
    divisor = math.gcd(*(int(amount * whole) for amount in given))
    return Fraction(divisor or 1, whole)

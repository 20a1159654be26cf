"""Synergies, rules and targets: their rows, and the columns that say what synergies add and soft statements cost.

Every extra column is, for whole options and payments, the excess of a sum over a limit: ``max(0, sum − limit)``.

``synergy``
    of n projects: the number of those funded less n − 1, so 1 when all are.  Where it adds value, y <= F(i) for each
    of its projects; where it takes value away, y >= sum of F(i) − (n − 1);
``rule``
    sum <= limit, sum >= limit or sum = limit.  Soft: sum − over <= limit, sum + under >= limit, at a price;
``target``
    contributions of what is finished in time >= at_least − baseline; soft: + under.

The rows are scaled to whole numbers.  The limit of a hard row is drawn in to the next whole number, because whole
payments cannot come nearer; but not where the scale of a programme counts, which need not be whole.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from capalloc.accounts import Accounts
from capalloc.issues import InvalidInput, Place, error
from capalloc.measures import Measure, read_rules
from capalloc.model import Block, Floats, Ints
from capalloc.options import Options
from capalloc.programmes import Scales
from capalloc.records import Target
from capalloc.rows import EXACT, RowBlock, RowWriter
from capalloc.settings import Period
from capalloc.sums import Ledger, Sum, common_unit
from capalloc.tables import Tables

Exact: TypeAlias = npt.NDArray[np.int64] | npt.NDArray[np.object_]
"""A point in exact numbers: whole ones, and fractions where there are scales."""


@dataclass(frozen=True, slots=True)
class Extra:
    """One column: ``max(0, values @ x[columns] − limit)``, at most ``most``, each unit of it worth ``gain``.

    ``class_`` is the priority class that its row names, if any.
    """

    kind: str
    key: tuple[Any, ...]
    columns: Ints
    values: Ints
    limit: int
    most: int
    gain: Fraction
    class_: int | None

    @property
    def whole(self) -> bool:
        """Whether engines must take a whole number; what a soft statement lacks may be a fraction on the way."""
        return self.kind == "synergy"

    def amount(self, exact: Exact) -> Fraction:
        """Return what the column is at a point that stands for a plan."""
        total = sum((self.values * exact[self.columns]).tolist())
        return max(Fraction(0), Fraction(total) - self.limit)


@dataclass(frozen=True)
class Extras:
    """All extra columns, the last of the model, from column ``first`` on; and their rows."""

    first: int
    columns: tuple[Extra, ...]
    rows: tuple[RowBlock, ...]

    def __len__(self) -> int:
        return len(self.columns)

    def amounts(self, exact: Exact) -> list[Fraction]:
        """Return what every column is at a point that stands for a plan."""
        return [extra.amount(exact) for extra in self.columns]

    def blocks(self) -> Iterator[Block]:
        """Yield what the columns stand for."""
        for extra in self.columns:
            yield Block(extra.kind, [extra.key])


def open_extras(tables: Tables, options: Options, accounts: Accounts, scales: Scales, most: Floats) -> Extras:
    """Return the extra columns and rows of all synergies, rules and targets.

    Parameters
    ----------
    most
        The upper bound of every column before the extras, shape (n,).

    Raises
    ------
    InvalidInput
        When the numbers of a rule or a target are too far apart to be added up exactly.
    """
    writer = _Writer(Ledger(tables, options, accounts, scales), most)
    for synergy in tables.synergies:
        writer.synergy(synergy.id, synergy.projects, synergy.value, synergy.class_)
    for rule in read_rules(tables):
        row = rule.rule
        parts = [(writer.ledger.sum_of(measure), factor) for measure, factor in rule.measures]
        place = tables.place("rules", row, "amount")
        writer.statement("rule", (row.id,), parts, (row.sense, rule.limit), (row.price, row.class_), place)
    baselines = {indicator.id: indicator.baseline for indicator in tables.indicators}
    for target in tables.targets:
        part = (writer.ledger.sum_of(_finished(target)), Fraction(1))
        place = tables.place("targets", target, "at_least")
        missing = target.at_least - baselines.get(target.indicator, Fraction(0))
        key = (target.indicator, target.by_year)
        writer.statement("target", key, [part], (">=", missing), (target.price, None), place)
    return Extras(len(most), tuple(writer.extras), tuple(row.block() for row in writer.rows.values()))


def _finished(target: Target) -> Measure:
    """What all projects add that are finished by the end of the year, however early."""
    return Measure("indicator", (target.indicator,), "", Period("", 0, target.by_year))


class _Writer:
    """Writes rows and columns one statement at a time."""

    def __init__(self, ledger: Ledger, most: Floats) -> None:
        self.ledger = ledger
        self.first = len(most)
        # Of the options of a project one is taken; every column of money is its own.
        own = ledger.options.project
        money = len(ledger.tables.projects) + np.arange(len(most) - len(own))
        self.most = _Most(most, np.concatenate([own, money]))
        self.extras: list[Extra] = []
        self.rows = {kind: RowWriter(kind) for kind in ("synergy", "rule", "target")}
        self._index = {project.id: number for number, project in enumerate(ledger.tables.projects)}

    def _columns_of(self, project: str) -> Ints:
        number = self._index[project]
        return np.arange(*np.searchsorted(self.ledger.options.project, [number, number + 1]))

    def synergy(self, name: str, projects: Sequence[str], value: Fraction, class_: int | None) -> None:
        """Write what the projects are worth together."""
        if not value:
            return
        every = np.concatenate([self._columns_of(project) for project in projects])
        ones = np.ones(len(every), dtype=np.int64)
        own = self._extra("synergy", (name,), (every, ones), (len(projects) - 1, 1), value, class_)
        if value < 0:
            self.rows["synergy"].add((name, None), -np.inf, len(projects) - 1, (every, 1), (own, -1))
            return
        for project in projects:
            self.rows["synergy"].add((name, project), -np.inf, 0, (own, 1), (self._columns_of(project), -1))

    def statement(
        self,
        kind: str,
        key: tuple[Any, ...],
        parts: Sequence[tuple[Sum, Fraction]],
        comparison: tuple[str, Fraction],
        terms: tuple[Fraction | None, int | None],
        place: Place,
    ) -> None:
        """Write ``sum of factor·part (sense) limit``, hard without a price."""
        (sense, limit), (price, class_) = comparison, terms
        drawn_in = price is None and not any(self.ledger.scales.holds(part.columns).any() for part, _ in parts)
        try:
            row = _whole_row(parts, limit, self.most, drawn_in=drawn_in)
        except OverflowError:
            raise InvalidInput([error("rule-too-fine", place, name=" ".join(map(str, key)))]) from None
        below, above = sense in ("<=", "=="), sense in (">=", "==")
        slacks: list[tuple[Ints, Any]] = []
        if price is not None:
            gain = -price * row.unit
            # What a statement can miss by is bounded by what its columns can add up to.
            reach = row.highest - math.floor(row.limit), math.ceil(row.limit) - row.lowest
            whole = int(row.limit)
            if below:
                over = self._extra(f"{kind}-over", key, (row.columns, row.values), (whole, reach[0]), gain, class_)
                slacks.append((over, -1))
            if above:
                under = self._extra(f"{kind}-under", key, (row.columns, -row.values), (-whole, reach[1]), gain, class_)
                slacks.append((under, 1))
        lower = float(math.ceil(row.limit)) if above else -np.inf
        upper = float(math.floor(row.limit)) if below else np.inf
        self.rows[kind].add(key, lower, upper, (row.columns, row.values), *slacks)

    def _extra(
        self,
        kind: str,
        key: tuple[Any, ...],
        terms: tuple[Ints, Ints],
        reach: tuple[int, int],
        gain: Fraction,
        class_: int | None,
    ) -> Ints:
        """Add a column and return its place in the model."""
        place = self.first + len(self.extras)
        self.extras.append(Extra(kind, key, *terms, reach[0], max(0, reach[1]), gain, class_))
        return np.array([place])


@dataclass(frozen=True, slots=True)
class _WholeRow:
    """``unit · (values @ x[columns])`` compared with ``unit · limit``; the sum lies between ``lowest`` and ``highest``.

    ``limit`` is whole unless it is drawn in.
    """

    columns: Ints
    values: Ints
    limit: Fraction
    unit: Fraction
    lowest: int
    highest: int


@dataclass(frozen=True, slots=True)
class _Most:
    """How far a sum can go: each column holds at most ``bounds``, and of those with one ``owner`` only one is taken."""

    bounds: Floats
    owner: Ints

    def of(self, columns: Ints, values: Ints) -> tuple[int, int]:
        """Return the least and the most of ``values @ x[columns]``.

        Raises
        ------
        OverflowError
            When they do not fit into floats.
        """
        reach = values.astype(np.float64) * np.maximum(self.bounds[columns], 1.0)
        if np.abs(reach).max(initial=0.0) >= EXACT // 4:
            raise OverflowError
        places, owner = np.unique(self.owner[columns], return_inverse=True)
        exact = values.astype(np.int64) * self.bounds[columns].astype(np.int64)
        low, high = np.zeros(len(places), dtype=np.int64), np.zeros(len(places), dtype=np.int64)
        np.minimum.at(low, owner, exact)
        np.maximum.at(high, owner, exact)
        return sum(low.tolist()), sum(high.tolist())


def _whole_row(parts: Iterable[tuple[Sum, Fraction]], limit: Fraction, most: _Most, *, drawn_in: bool) -> _WholeRow:
    """Bring a sum and its limit to whole numbers; a limit that is drawn in to whole numbers later may stay a fraction.

    Raises
    ------
    OverflowError
        When they do not fit into floats.
    """
    parts = [(part, factor) for part, factor in parts if factor]
    limit -= sum((factor * part.constant for part, factor in parts), Fraction(0))
    parts = [(part, factor) for part, factor in parts if len(part.columns)]
    steps = [factor * part.unit for part, factor in parts]
    finest = common_unit([*steps, *(() if drawn_in else (limit,))])
    columns, values = _added(parts, [int(step / finest) for step in steps])
    shared = math.gcd(int(np.gcd.reduce(values)) if len(values) else 0, 0 if drawn_in else int(limit / finest)) or 1
    unit, values = finest * shared, values // shared
    limit /= unit
    low, high = most.of(columns, values)
    if drawn_in:
        # What no selection can reach need not be told apart.
        limit = min(max(limit, Fraction(low - 1)), Fraction(high + 1))
    if any(size >= EXACT // 4 for size in (-low, high, abs(limit))):
        raise OverflowError
    return _WholeRow(columns, values.astype(np.int64), limit, unit, low, high)


def _added(parts: Sequence[tuple[Sum, Fraction]], times: Sequence[int]) -> tuple[Ints, Ints]:
    """The columns of all parts, each once, and what all parts times their numbers give it, 0 left out."""
    if not parts:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    products = [part.values.astype(object) * number for (part, _), number in zip(parts, times, strict=True)]
    columns, place = np.unique(np.concatenate([part.columns for part, _ in parts]), return_inverse=True)
    totals = np.zeros(len(columns), dtype=object)
    np.add.at(totals, place, np.concatenate(products))
    kept = totals != 0
    return columns[kept], totals[kept]

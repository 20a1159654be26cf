"""From checked tables to an integer program in arrays, and the way back.

One column x[o] in {0, 1} stands for each option o (a project, a mode, a start year); payment columns follow (see
:mod:`capalloc.accounts`).  The rows, with F(i) the options of project i:

``choice``
    sum of x over F(i) <= 1, or = 1 where the project is mandatory, committed or has begun;
``dependency``
    see :mod:`capalloc.sequencing`;
``group``
    the sum over all members <= 1, = 1, >= k or <= k;
``resource``
    use in the period <= capacity;
``balance``, ``yearly``, ``share``, ``envelope``
    who pays (see :mod:`capalloc.accounts`, :mod:`capalloc.flexible`);
``scale``
    how much of a programme is done (see :mod:`capalloc.programmes`);
``synergy``, ``rule``, ``target``
    see :mod:`capalloc.extras`, whose columns are the last.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from capalloc.accounts import Accounts, column_bounds, open_accounts
from capalloc.allocation import Allocation, Choice
from capalloc.balancing import account_rows
from capalloc.ceilings import least_carried
from capalloc.classes import class_weights, option_classes
from capalloc.extras import Exact, Extras, open_extras
from capalloc.flexible import flexible_rows
from capalloc.history import due_projects
from capalloc.limiting import payable
from capalloc.model import Block, Floats, Ints, Keys, LinearModel
from capalloc.options import Options, expand, ranges, within
from capalloc.payers import find_payers
from capalloc.programmes import Scales, open_scales, scale_rows
from capalloc.records import Capacity, Membership
from capalloc.rows import EXACT, RowBlock, RowWriter, stack
from capalloc.scaled_shares import scaled_share_rows
from capalloc.sequencing import dependency_rows
from capalloc.settings import VALUE_GRID
from capalloc.sums import common_unit
from capalloc.tables import Tables


@dataclass(frozen=True)
class Compiled:
    """A portfolio as an integer program, with what is needed to come back.

    One unit of the model's objective is worth ``unit`` of the portfolio's.
    """

    tables: Tables
    options: Options
    accounts: Accounts
    scales: Scales
    extras: Extras
    model: LinearModel
    unit: Fraction

    @property
    def step(self) -> Fraction:
        """What the values of any two plans differ by, if they do, or a whole multiple of it; 0 where nothing is."""
        return self.unit if self.adds_up_whole(np.flatnonzero(self.model.objective)) else Fraction(0)

    def adds_up_whole(self, columns: Ints) -> bool:
        """Return whether these columns are whole numbers in every plan: none is a scale, or follows from one."""
        extra = (self.extras.columns[c - self.extras.first] for c in columns.tolist() if c >= self.extras.first)
        return not self.scales.holds(columns).any() and not any(self.scales.holds(e.columns).any() for e in extra)

    def value(self, x: Floats) -> Fraction:
        """Return exactly what the objective adds up to at a point that stands for a plan."""
        weights, taken, exact = class_weights(self.tables), self.taken(x), self.exact(x)
        scale = exact[self.scales.carriers(len(self.options))[taken]].tolist()
        sums: dict[int, Any] = dict.fromkeys(weights, 0)
        for number, value, part in zip(
            self.classes[taken].tolist(), self.options.value[taken].tolist(), scale, strict=True
        ):
            sums[number] += value * part
        gross = sum((weights[number] * total for number, total in sums.items()), Fraction(0)) * VALUE_GRID
        pairs = zip(self.extras.columns, exact[self.extras.first :].tolist(), strict=True)
        return gross + sum((extra.gain * amount for extra, amount in pairs), Fraction(0))

    def exact(self, x: Floats) -> Exact:
        """Return a point that stands for a plan in exact numbers: rounded, with exact scales and what follows."""
        whole: Exact = np.rint(x).astype(np.int64)
        if len(self.scales):
            whole = whole.astype(object)
            for number, total in self.scales.totals_of(x).items():
                whole[self.scales.amounts[number]] = Fraction(total, int(self.scales.cost[number]))
        amounts = self.extras.amounts(whole)
        whole[self.extras.first :] = amounts if len(self.scales) else [int(amount) for amount in amounts]
        return whole

    @cached_property
    def classes(self) -> Ints:
        """The priority class of each option."""
        return option_classes(self.tables, self.options)

    def choice(self, option: int, scale: Fraction = Fraction(1)) -> Choice:
        """Return the choice that an option stands for."""
        variant = self.options.variants[self.options.variant[option]]
        return Choice(self.tables.projects[variant.project].id, variant.mode, int(self.options.start[option]), scale)

    def taken(self, x: Floats) -> Ints:
        """Return the options that a point of the model takes."""
        return np.flatnonzero(x[: len(self.options)] > 0.5)

    def point(self, allocation: Allocation) -> Floats | None:
        """Return the point that stands for an allocation; ``None`` when it takes an option there is not."""
        number = self._numbers
        named = [(choice.project, choice.mode, choice.start) for choice in allocation.choices]
        if any(name not in number for name in named):
            return None
        x = np.zeros(len(self.model.objective))
        taken = [number[name] for name in named]
        x[taken] = 1
        if not self._write_scales(x, {o: c.scale for o, c in zip(taken, allocation.choices, strict=True)}):
            return None
        variant_of = {
            choice.project: int(self.options.variant[o]) for choice, o in zip(allocation.choices, taken, strict=True)
        }
        sources = {source.id: index for index, source in enumerate(self.tables.sources)}
        for payment in allocation.payments:
            if payment.year < self.options.open_from:
                continue
            column = self.accounts.column_of(variant_of[payment.project], sources[payment.source], payment.year)
            if column is not None:
                x[len(self.options) + column] += payment.amount
        first = len(self.options) + len(self.accounts)
        x[first : first + len(self.accounts.carries)] = self._carried(allocation)
        x[self.extras.first :] = [float(amount) for amount in self.extras.amounts(self.exact(x))]
        return x

    def _write_scales(self, x: Floats, scale_of: Mapping[int, Fraction]) -> bool:
        """Enter the scales of the options of a plan; false when they are no scales that its options can have."""
        scaled = {option: number for number, option in enumerate(self.scales.option.tolist())}
        for option, scale in scale_of.items():
            if option not in scaled:
                if scale != 1:
                    return False
                continue
            number = scaled[option]
            total = scale * int(self.scales.cost[number])
            if total.denominator != 1 or not self.scales.least[number] <= total <= self.scales.cost[number]:
                return False
            self.scales.write(x, number, int(total))
        return True

    @cached_property
    def _numbers(self) -> dict[tuple[Any, ...], int]:
        """The option of each project, mode and start year."""
        return {name: option for option, name in enumerate(_option_keys(self.tables, self.options))}

    def _carried(self, allocation: Allocation) -> list[int]:
        """The least that must be carried for the payments of an allocation, one entry a carry column."""
        ceilings = self.accounts.ceilings
        used = [
            sum(p.amount for p in allocation.payments if p.source in ceiling.key[0] and p.year in ceiling.years)
            for ceiling in ceilings
        ]
        return least_carried(ceilings, self.accounts.carries, used)


def compile_tables(tables: Tables) -> Compiled:
    """Compile checked tables.

    Raises
    ------
    OverflowError
        When a number is too large to be exact in the engine; checked tables have none.
    """
    options = expand(tables)
    accounts = open_accounts(tables, options, find_payers(tables, options.variants))
    scales = open_scales(tables, options, len(options) + accounts.columns)
    takes = payable(options, accounts, scales.option) if tables.sources else np.ones(len(options))
    most = np.concatenate([takes, column_bounds(options, accounts), scales.upper])
    extras = open_extras(tables, options, accounts, scales, most)
    blocks = [_choice_rows(tables, options), dependency_rows(tables, options), _group_rows(tables, options)]
    blocks += [*_resource_rows(tables, options, scales), *account_rows(options, accounts, scales)]
    blocks += [*flexible_rows(options, accounts), *extras.rows]
    blocks += [scale_rows(tables, options, scales), scaled_share_rows(options, accounts, scales)]
    columns = len(most) + len(extras)
    matrix, row_lower, row_upper, rows = stack([block for block in blocks if len(block.keys)], columns)
    objective, unit = _objective(tables, options, scales, extras)
    model = LinearModel(
        objective=objective,
        matrix=matrix,
        row_lower=row_lower,
        row_upper=row_upper,
        lower=np.zeros(columns),
        upper=np.concatenate([most, [float(extra.most) for extra in extras.columns]]),
        integer=np.concatenate([np.arange(len(most)) < len(options), [extra.whole for extra in extras.columns]]).astype(
            bool
        ),
        rows=rows,
        columns=(
            Block("option", _option_keys(tables, options)),
            Block("payment", _payment_keys(tables, accounts)),
            Block("carry", [accounts.ceilings[carry.giver].key for carry in accounts.carries]),
            *scales.blocks(tables, options),
            *extras.blocks(),
        ),
    )
    return Compiled(tables, options, accounts, scales, extras, model, unit)


def _option_keys(tables: Tables, options: Options) -> Keys:
    project = _objects([project.id for project in tables.projects])
    mode = _objects([variant.mode for variant in options.variants])
    return Keys(project[options.project], mode[options.variant], options.start)


def _payment_keys(tables: Tables, accounts: Accounts) -> Keys:
    ids = _objects([source.id for source in tables.sources])
    return Keys(accounts.account, ids[accounts.source], accounts.year)


def _objects(names: Sequence[str]) -> npt.NDArray[np.object_]:
    return np.array(names, dtype=object)


def _objective(tables: Tables, options: Options, scales: Scales, extras: Extras) -> tuple[Floats, Fraction]:
    """The gain of every column in whole units, and what one such unit is worth.

    An option, or its scale, is worth its value times the weight of its class; extra columns have their own gains; money
    has none.
    """
    weights = class_weights(tables)
    whole = math.lcm(*(weight.denominator for weight in weights.values()), 1)
    scaled = {number: int(weight * whole) for number, weight in weights.items()}
    classes, place = np.unique(option_classes(tables, options), return_inverse=True)
    worth = products(options.value, [scaled[number] for number in classes.tolist()], place)
    divisor = int(np.gcd.reduce(worth, initial=0))
    step = VALUE_GRID * Fraction(divisor, whole)
    gains = [extra.gain for extra in extras.columns]
    unit = common_unit([step, *gains])
    objective = np.zeros(extras.first + len(extras))
    objective[scales.carriers(len(options))] = products(worth // (divisor or 1), [int(step / unit)])
    objective[extras.first :] = [float(gain / unit) for gain in gains]
    return objective, unit


def products(
    numbers: Ints | npt.NDArray[np.object_], factors: Sequence[int], place: Ints | int = 0
) -> Ints | npt.NDArray[np.object_]:
    """Return ``numbers * factors[place]`` exactly: in whole numbers of any length where 64 bits may not hold them.

    Examples
    --------
    >>> products(np.array([3, 4]), [10**18, 1], np.array([0, 1])), products(np.array([3]), [5])
    (array([3000000000000000000, 4], dtype=object), array([15]))
    """
    largest = max(int(np.abs(numbers).max(initial=0)), 1) * max(map(abs, factors), default=0)
    kind = np.int64 if largest < 2**61 else object
    found: Ints | npt.NDArray[np.object_] = numbers.astype(kind) * np.array(factors, dtype=kind)[place]
    return found


def _spans(options: Options, projects: int) -> Ints:
    """Where the options of each project begin; options follow the order of projects."""
    return np.searchsorted(options.project, np.arange(projects + 1))


def _choice_rows(tables: Tables, options: Options) -> RowBlock:
    due = np.isin(np.arange(len(tables.projects)), sorted(due_projects(tables)))
    count = np.bincount(options.project, minlength=len(due))
    # A single option that need not be taken is bounded by its column already.
    needed = np.flatnonzero(due | (count > 1))
    row_of = np.full(len(due), -1, dtype=np.int64)
    row_of[needed] = np.arange(len(needed))
    row = row_of[options.project]
    column = np.flatnonzero(row >= 0)
    return RowBlock(
        "choice",
        Keys(_objects([tables.projects[project].id for project in needed.tolist()])),
        row[column],
        column,
        np.ones(len(column)),
        np.where(due[needed], 1.0, -np.inf),
        np.ones(len(needed)),
    )


def _group_rows(tables: Tables, options: Options) -> RowBlock:
    writer = RowWriter("group")
    spans = _spans(options, len(tables.projects))
    index = {project.id: number for number, project in enumerate(tables.projects)}
    members: dict[str, list[Membership]] = {}
    for row in tables.groups:
        members.setdefault(row.group, []).append(row)
    for name, rows in members.items():
        columns = np.concatenate([np.arange(spans[index[r.project]], spans[index[r.project] + 1]) for r in rows])
        k = rows[0].k or 0
        lower, upper = {
            "one_of": (-np.inf, 1.0),
            "exactly_one_of": (1.0, 1.0),
            "at_least": (float(k), np.inf),
            "at_most": (-np.inf, float(k)),
        }[rows[0].kind]
        writer.add((name,), lower, upper, (columns, 1))
    return writer.block()


class _Uses(NamedTuple):
    """The variant, the offset and the amount of every use of a resource."""

    variant: list[int]
    offset: list[int]
    amount: list[Fraction]


def _resource_rows(tables: Tables, options: Options, scales: Scales) -> Iterator[RowBlock]:
    """One row a capacity; the amounts of a resource are scaled together to whole numbers."""
    variant = {(tables.projects[v.project].id, v.mode): number for number, v in enumerate(options.variants)}
    uses = {resource.id: _Uses([], [], []) for resource in tables.resources}
    for use in tables.uses:
        own = uses[use.resource]
        own.variant.append(variant[use.project, use.mode])
        own.offset.append(use.offset)
        own.amount.append(use.amount)
    capacities: dict[str, list[Capacity]] = {}
    for row in tables.capacities:
        capacities.setdefault(row.resource, []).append(row)
    for resource in tables.resources:
        if resource.id in capacities:
            yield _capacity_rows(tables, options, scales, uses[resource.id], capacities[resource.id])


def _capacity_rows(
    tables: Tables,
    options: Options,
    scales: Scales,
    uses: _Uses,
    capacities: Sequence[Capacity],
) -> RowBlock:
    scale = math.lcm(*(amount.denominator for amount in uses.amount))
    if len(scales):
        # What whole options leave of a fine capacity a part of a programme may use.
        exact = math.lcm(scale, *(row.amount.denominator for row in capacities))
        scale = exact if exact * sum(uses.amount) < EXACT else scale
    rounded = math.ceil if len(scales) else math.floor
    used = np.array([amount.numerator * (scale // amount.denominator) for amount in uses.amount], dtype=np.int64)
    variant, offset = np.array(uses.variant, dtype=np.int64), np.array(uses.offset, dtype=np.int64)
    first, last = (np.searchsorted(options.variant, variant, side=side) for side in ("left", "right"))
    use, option = ranges(first, last - first)
    periods = [tables.settings.known_period(row.period) for row in capacities]
    opens, ends = (np.array([getattr(period, side) for period in periods]) for side in ("first", "last"))
    row, entry = within(options.start[option] + offset[use], opens, ends)
    return RowBlock(
        "resource",
        [(row.resource, row.period) for row in capacities],
        row,
        scales.carriers(len(options))[option[entry]],
        used[use[entry]].astype(np.float64),
        np.full(len(capacities), -np.inf),
        # The scaled uses of whole options add up to whole numbers, so that what a capacity has beyond one never counts,
        # nor what it has beyond all uses together.  With scales a capacity is whole already, or no longer told apart.
        np.array([float(min(rounded(row.amount * scale), int(used.sum()) + 1)) for row in capacities]),
    )

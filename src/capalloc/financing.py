"""Who pays what in whole units: the payments of a fixed selection of options.

The engine's payments are fractions.  For the options it took, the same rows are solved once more in whole numbers,
near the engine's point first, and with what is carried from phase to phase; what the accounts then pay is handed out to
projects and years.  A selection without whole-unit financing is infeasible, whatever the fractions say (contract,
Financing).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from types import MappingProxyType

import numpy as np

from capalloc.allocation import Allocation, Payment
from capalloc.compiling import Compiled
from capalloc.engines.highs import Highs
from capalloc.fitting import Fit, fit
from capalloc.history import payments_made
from capalloc.model import Floats, Ints, LinearModel, SolveOptions

_WHOLE = 1e-6
"""How far from a whole number an engine's payment may be and still stand for it."""

NOTHING_SCALED: Mapping[int, int] = MappingProxyType({})

_NEAR = 2.0
"""How far from the engine's fractions whole payments are looked for first: the rows can rarely need more."""


def finance(compiled: Compiled, x: Floats) -> Allocation | None:
    """Return the plan that takes the options of ``x``, paid in whole units; ``None`` when it cannot be paid.

    Parameters
    ----------
    x
        A point of the model, shape (n,); its options are kept, its payments only guide.
    """
    if len(compiled.scales):
        return fitted(compiled, x, fit(compiled, x))
    payments = whole_payments(compiled, x)
    if payments is None:
        return None
    taken = compiled.taken(x)
    choices = tuple(compiled.choice(option) for option in taken.tolist())
    return Allocation(choices, hand_out(compiled, taken, payments))


def fitted(compiled: Compiled, x: Floats, found: Fit) -> Allocation | None:
    """Return the plan that takes the options of ``x`` in the whole amounts of a fit; ``None`` when it holds none."""
    if found.payments is None:
        return None
    taken, scales = compiled.taken(x), compiled.scales
    totals = {int(scales.option[number]): Fraction(total) for number, total in found.totals.items()}
    costs = {option: int(cost) for option, cost in zip(scales.option.tolist(), scales.cost.tolist(), strict=True)}
    choices = [compiled.choice(o, totals[o] / costs[o] if o in totals else Fraction(1)) for o in taken.tolist()]
    return Allocation(tuple(choices), hand_out(compiled, taken, found.payments, found.totals))


def whole_payments(compiled: Compiled, x: Floats) -> Ints | None:
    """Return whole amounts for the payment columns with the options of ``x``, or ``None``.

    They satisfy every row that money enters; rows of options alone are as they are in ``x``.  What is carried is whole,
    too.  Where statements have a price, the amounts are those that lose least.
    """
    count, money = len(compiled.options), compiled.accounts.columns
    if not money:
        return np.empty(0, dtype=np.int64)
    fixed = _fixed(compiled.model, x, count, money)
    firm, priced = _residual(compiled.model, x, fixed, count, money)
    given = x[count : count + money]
    found = _whole(firm, priced, given)
    return None if found is None else found[: len(compiled.accounts)].astype(np.int64)


def _fixed(model: LinearModel, x: Floats, count: int, money: int) -> Floats:
    """The point with all that is decided before the money: options, and what else is whole."""
    kept = model.integer.copy()
    kept[count : count + money] = False
    return np.where(kept, np.round(x[: len(kept)]), 0.0)


def _residual(model: LinearModel, x: Floats, fixed: Floats, count: int, money: int) -> tuple[LinearModel, LinearModel]:
    """The rows on money that are left when the rest is decided: those that hold, and all with what breaking costs.

    The columns of the first model are those of money; behind them the second has those that measure a priced excess.
    """
    every = np.arange(len(fixed))
    paying = _rows_with(model, every[count : count + money])
    extra = every[count + money :][~model.integer[count + money :]]
    extra = extra[np.isin(extra, model.matrix[paying].indices)]
    own = np.concatenate([every[count : count + money], extra])
    # A row that holds a value counts what the money makes of priced excesses, and no money itself.
    touched = np.union1d(paying, _rows_with(model, extra))
    firm = np.setdiff1d(touched, _rows_with(model, extra))
    # What breaking other statements costs is decided too, in floats: without it a held value would seem to have room.
    others = np.setdiff1d(every[count + money :][~model.integer[count + money :]], extra)
    fixed = fixed.copy()
    fixed[others] = x[others]
    noise = abs(model.matrix[:, others]) @ np.maximum(1.0, np.abs(x[others])) * _WHOLE
    spent = model.matrix @ fixed
    whole = np.arange(len(own)) < money

    def part(rows: Ints, columns: Ints) -> LinearModel:
        return LinearModel(
            objective=model.objective[columns],
            matrix=model.matrix[rows][:, columns].tocsr(),
            row_lower=model.row_lower[rows] - spent[rows] - noise[rows],
            row_upper=model.row_upper[rows] - spent[rows] + noise[rows],
            lower=model.lower[columns],
            upper=model.upper[columns],
            integer=whole[: len(columns)],
        )

    return part(firm, own[:money]), part(touched, own)


def _rows_with(model: LinearModel, columns: Ints) -> Ints:
    return np.flatnonzero(np.diff(model.matrix[:, columns].tocsr().indptr))


def _whole(firm: LinearModel, priced: LinearModel, given: Floats) -> Floats | None:
    """Whole amounts of money near the given ones."""
    guess = np.round(given)
    free = len(firm.row_lower) == len(priced.row_lower)
    if (free or np.abs(guess - given).max(initial=0.0) < _WHOLE) and _satisfies(firm, guess):
        return guess
    base = np.floor(given)
    if not free:
        return _near(firm, priced, base, np.inf)
    for reach in (_NEAR, np.inf):
        found = _near(firm, firm, base, reach)
        if found is not None:
            return found
    return None


def _satisfies(model: LinearModel, x: Floats) -> bool:
    activity = model.matrix @ x
    inside = (model.row_lower <= activity) & (activity <= model.row_upper)
    return bool(inside.all() and (model.lower <= x).all() and (x <= model.upper).all())


def _near(firm: LinearModel, model: LinearModel, base: Floats, reach: float) -> Floats | None:
    """Solve for the distance from ``base``, so that the engine works with small numbers; money alone is answered."""
    money = len(base)
    origin = np.concatenate([np.maximum(base, model.lower[:money]), np.zeros(len(model.lower) - money)])
    moved = model.matrix @ origin
    shifted = replace(
        model,
        row_lower=model.row_lower - moved,
        row_upper=model.row_upper - moved,
        lower=np.where(model.integer, np.maximum(model.lower - origin, -reach), model.lower),
        upper=np.where(model.integer, np.minimum(model.upper - origin, reach), model.upper),
    )
    outcome = Highs().solve(shifted, SolveOptions(time_limit=None, gap=0.0, threads=1))
    if outcome.x is None:
        return None
    point: Floats = origin[:money] + np.round(outcome.x[:money])
    return point if _satisfies(firm, point) else None


def hand_out(
    compiled: Compiled, taken: Ints, payments: Ints, totals: Mapping[int, int] = NOTHING_SCALED
) -> tuple[Payment, ...]:
    """Hand out what the accounts pay to projects and years, in the order of project, year and source.

    What was paid before the plan is part of it.

    Parameters
    ----------
    totals
        The whole amounts of the scaled options among those taken, by the number of the option among the scaled.
    """
    if not compiled.tables.sources:
        return ()
    accounts, variants = compiled.accounts, compiled.options.variants
    supplies: dict[tuple[int, int], list[list[int]]] = defaultdict(list)
    for column, amount in enumerate(payments.tolist()):
        if amount:
            key = int(accounts.account[column]), int(accounts.cell[column])
            supplies[key].append([int(accounts.source[column]), amount])
    found: list[tuple[int, int, int, int]] = []
    for key, demands in _demands(compiled, taken, totals).items():
        item = accounts.items[key[0]]
        supply = [[item.payers.sources[0], sum(d[2] for d in demands)]] if item.direct else supplies[key]
        found += [
            (variants[variant].project, year, source, paid) for variant, year, source, paid in _fill(demands, supply)
        ]
    found += _paid_as_decided(compiled, payments)
    found += _paid_before(compiled)
    ids = [source.id for source in compiled.tables.sources]
    projects = compiled.tables.projects
    return tuple(
        Payment(projects[project].id, ids[source], year, paid) for project, year, source, paid in sorted(found)
    )


def _paid_as_decided(compiled: Compiled, payments: Ints) -> Iterator[tuple[int, int, int, int]]:
    """The project, year, source and amount of all that is paid for flexible projects."""
    accounts, variants = compiled.accounts, compiled.options.variants
    columns = zip(
        *(part.tolist() for part in (accounts.account, accounts.year, accounts.source, payments)), strict=True
    )
    for number, year, source, amount in columns:
        if amount and accounts.items[number].flexible:
            yield variants[accounts.items[number].variants[0]].project, year, source, amount


def _paid_before(compiled: Compiled) -> Iterator[tuple[int, int, int, int]]:
    """The project, year, source and amount of all that was paid before the plan."""
    tables = compiled.tables
    projects = {project.id: number for number, project in enumerate(tables.projects)}
    sources = {source.id: number for number, source in enumerate(tables.sources)}
    for row in payments_made(tables):
        yield projects[row.project], row.year, sources[row.source], row.amount


def _demands(
    compiled: Compiled, taken: Ints, totals: Mapping[int, int]
) -> Mapping[tuple[int, int], Sequence[tuple[int, int, int]]]:
    """The variant, year and amount of every cost of the taken options, by account and cell."""
    demands: dict[tuple[int, int], list[tuple[int, int, int]]] = defaultdict(list)
    cell_of = [
        {year: cell for cell, years in enumerate(item.cells) for year in years} for item in compiled.accounts.items
    ]
    entries, scales = compiled.options.due_entries, compiled.scales
    mine = np.isin(entries[0], np.setdiff1d(taken, scales.option))
    due = list(zip(*(part[mine].tolist() for part in entries), strict=True))
    for number, total in totals.items():
        due += [(int(scales.option[number]), *cost) for cost in scales.costs_at(number, total).items()]
    for option, year, amount in sorted(due):
        number = int(compiled.options.variant[option])
        account = int(compiled.accounts.of_variant[number])
        demands[account, cell_of[account][year]].append((number, year, amount))
    return demands


def _fill(demands: Sequence[tuple[int, int, int]], supply: list[list[int]]) -> Iterator[tuple[int, int, int, int]]:
    """Fill each demand in turn from the first source that has anything left (north-west corner rule)."""
    remaining = iter([source, amount] for source, amount in supply)
    source, left = next(remaining, (-1, 0))
    for variant, year, needed in demands:
        open_ = needed
        while open_ and source >= 0:
            paid = min(open_, left)
            yield variant, year, source, paid
            open_, left = open_ - paid, left - paid
            if not left:
                source, left = next(remaining, (-1, 0))

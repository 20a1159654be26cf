"""Who pays what in whole units: the payments of a fixed selection of options.

The engine's payments are fractions.  For the options it took, the same rows are solved once more in whole numbers,
near the engine's point first; what the accounts then pay is handed out to projects and years.  A selection without
whole-unit financing is infeasible, whatever the fractions say (contract, Financing).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from capalloc.allocation import Allocation, Payment
from capalloc.compiling import Compiled
from capalloc.engines.highs import Highs
from capalloc.model import Floats, Ints, LinearModel, SolveOptions

_NEAR = 2.0
"""How far from the engine's fractions whole payments are looked for first: the rows can rarely need more."""


def finance(compiled: Compiled, x: Floats) -> Allocation | None:
    """Return the plan that takes the options of ``x``, paid in whole units; ``None`` when it cannot be paid.

    Parameters
    ----------
    x
        A point of the model, shape (n,); its options are kept, its payments only guide.
    """
    payments = whole_payments(compiled, x)
    if payments is None:
        return None
    taken = compiled.taken(x)
    choices = tuple(compiled.choice(option) for option in taken.tolist())
    return Allocation(choices, hand_out(compiled, taken, payments))


def whole_payments(compiled: Compiled, x: Floats) -> Ints | None:
    """Return whole amounts for the payment columns with the options of ``x``, or ``None``.

    They satisfy every row that a payment column enters; rows of options alone are as they are in ``x``.
    """
    count = len(compiled.options)
    if not len(compiled.accounts):
        return np.empty(0, dtype=np.int64)
    residual = _residual(compiled, np.round(x[:count]))
    guess = np.round(x[count:])
    if _satisfies(residual, guess):
        return guess.astype(np.int64)
    base = np.floor(x[count:])
    for reach in (_NEAR, np.inf):
        found = _near(residual, base, reach)
        if found is not None:
            return found.astype(np.int64)
    return None


def _residual(compiled: Compiled, taken: Floats) -> LinearModel:
    """The rows on the payment columns that are left when the options are fixed."""
    model, count = compiled.model, len(taken)
    rows = np.flatnonzero(np.diff(model.matrix[:, count:].tocsr().indptr))
    kept = model.matrix[rows]
    fixed = kept[:, :count] @ taken
    return LinearModel(
        objective=np.zeros(len(model.objective) - count),
        matrix=kept[:, count:].tocsr(),
        row_lower=model.row_lower[rows] - fixed,
        row_upper=model.row_upper[rows] - fixed,
        lower=model.lower[count:],
        upper=model.upper[count:],
        integer=np.ones(len(model.objective) - count, dtype=bool),
    )


def _satisfies(model: LinearModel, x: Floats) -> bool:
    activity = model.matrix @ x
    inside = (model.row_lower <= activity) & (activity <= model.row_upper)
    return bool(inside.all() and (model.lower <= x).all() and (x <= model.upper).all())


def _near(model: LinearModel, base: Floats, reach: float) -> Floats | None:
    """Solve for the distance from ``base``, so that the engine works with small numbers."""
    moved = model.matrix @ base
    shifted = LinearModel(
        objective=model.objective,
        matrix=model.matrix,
        row_lower=model.row_lower - moved,
        row_upper=model.row_upper - moved,
        lower=np.maximum(model.lower - base, -reach),
        upper=np.minimum(model.upper - base, reach),
        integer=model.integer,
    )
    outcome = Highs().solve(shifted, SolveOptions(time_limit=None, gap=0.0, threads=1))
    return None if outcome.x is None else base + outcome.x


def hand_out(compiled: Compiled, taken: Ints, payments: Ints) -> tuple[Payment, ...]:
    """Hand out what the accounts pay to projects and years, in the order of project, year and source."""
    if not compiled.tables.sources:
        return ()
    accounts, variants = compiled.accounts, compiled.options.variants
    supplies: dict[tuple[int, int], list[list[int]]] = defaultdict(list)
    for column, amount in enumerate(payments.tolist()):
        if amount:
            key = int(accounts.account[column]), int(accounts.cell[column])
            supplies[key].append([int(accounts.source[column]), amount])
    found: list[tuple[int, int, int, int]] = []
    for key, demands in _demands(compiled, taken).items():
        item = accounts.items[key[0]]
        supply = [[item.payers.sources[0], sum(d[2] for d in demands)]] if item.direct else supplies[key]
        found += [
            (variants[variant].project, year, source, paid) for variant, year, source, paid in _fill(demands, supply)
        ]
    ids = [source.id for source in compiled.tables.sources]
    projects = compiled.tables.projects
    return tuple(
        Payment(projects[project].id, ids[source], year, paid) for project, year, source, paid in sorted(found)
    )


def _demands(compiled: Compiled, taken: Ints) -> Mapping[tuple[int, int], Sequence[tuple[int, int, int]]]:
    """The variant, year and amount of every cost of the taken options, by account and cell."""
    demands: dict[tuple[int, int], list[tuple[int, int, int]]] = defaultdict(list)
    cell_of = [
        {year: cell for cell, years in enumerate(item.cells) for year in years} for item in compiled.accounts.items
    ]
    for option in taken.tolist():
        number = int(compiled.options.variant[option])
        account, start = int(compiled.accounts.of_variant[number]), int(compiled.options.start[option])
        for offset, amount in enumerate(compiled.options.variants[number].costs):
            if amount:
                demands[account, cell_of[account][start + offset]].append((number, start + offset, amount))
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

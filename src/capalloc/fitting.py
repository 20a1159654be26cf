"""Programmes in whole units: the whole amounts, sums and payments of a fixed selection that are worth most.

The engine's amounts are fractions.  With the options fixed, an integer program over the sums of the programmes it took
(:mod:`capalloc.programmes`) and all payments finds the best whole plan of the selection, with the exact rounding

    2·k·c + C >= 2·C·S   and   2·k·c + C <= 2·C·S + 2·C − 1      for S = floor(k·c / C + 1/2)

in place of its relaxation, and with scales written as k / C.  It is solved near the engine's point first, in small
numbers; the relaxation of all of it, and where that promises more than is asked the program itself, says what no plan
of the selection passes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from threading import Event
from typing import TYPE_CHECKING

import numpy as np

from capalloc.compiling import Compiled
from capalloc.engines.highs import Highs
from capalloc.model import Floats, Ints, LinearModel, SolveOptions, Status, Truths
from capalloc.rows import EXACT

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_NOISE = 1e-9
"""Relative error of a bound that an engine computes in floats."""

_WHOLE = 1e-6
"""How far above the engine's amount the whole amount below it may lie."""

_NODES = 20_000
"""How far the program of one selection is searched; its bound is valid wherever that ends."""

_FREELY = SolveOptions(time_limit=None, gap=0.0, threads=1, node_limit=_NODES)

_SECONDS = 5.0
"""What is taken for a first whole plan even where no time is left."""

_PART = 1 / 8
"""The part of the asked gap that one selection may leave open."""


@dataclass(frozen=True, slots=True)
class Fit:
    """The best whole plan found of a selection, and what no plan of it passes, in units of the model's objective.

    ``payments`` is ``None`` where there is none; ``totals`` has the whole amount of each scaled option taken, by its
    number.
    """

    payments: Ints | None
    totals: Mapping[int, int]
    bound: float


def fit(
    compiled: Compiled,
    x: Floats,
    limits: SolveOptions | None = None,
    pinned: Mapping[int, int] | None = None,
    stop: Event | None = None,
) -> Fit:
    """Return the best whole plan with the options of a point.

    Parameters
    ----------
    limits
        The gap up to which the plan must be the best of its selection, and the time left to prove it; without them a
        plan near the point will do, not above its amounts if that can be, and nothing is proved.
    pinned
        Whole amounts of some scaled options, by their number, that are not to change.
    stop
        Once set, what is proved so far will do.
    """
    program = _Program(compiled, x, pinned or {})
    if limits is None:
        return program.answer(program.guided(), math.inf)
    first = program.whole(program.solve(program.near))
    worth = -math.inf if first is None else program.value(first)
    ceiling = max(program.ceiling(), worth)
    if ceiling == -math.inf:
        return Fit(None, {}, ceiling)
    allowed = max(_NOISE, limits.gap * _PART) * abs(ceiling) if math.isfinite(ceiling) else 0.0
    if first is not None and (ceiling - worth <= allowed or limits.time_limit == 0):
        return program.answer(first, ceiling)
    seconds = limits.time_limit if first is not None or limits.time_limit is None else max(limits.time_limit, _SECONDS)
    proving = SolveOptions(seconds, limits.gap * _PART, 1, node_limit=_NODES)
    bound, second = program.prove(first, proving, stop)
    best = max((p for p in (first, second) if p is not None), key=program.value, default=None)
    return program.answer(best, min(max(bound, worth), ceiling))


class _Program:
    """The integer program of one selection, counted from whole amounts near those of the point.

    Its columns are those of money, the sums of the programmes taken, and what measures a priced excess.
    """

    def __init__(self, compiled: Compiled, x: Floats, pinned: Mapping[int, int]) -> None:
        self.compiled, self.pinned = compiled, pinned
        self.taken = list(compiled.scales.totals_of(x))
        first, money = len(compiled.options), compiled.accounts.columns
        every = np.arange(len(compiled.model.objective))
        self.sums = np.flatnonzero(np.isin(compiled.scales.place, self.taken))
        extra = every[compiled.extras.first :]
        extra = extra[~compiled.model.integer[extra]]
        self.columns = np.concatenate([every[first : first + money], compiled.scales.sums[self.sums], extra])
        self.money, self.whole_columns = money, money + len(self.sums)
        self.fixed = np.where(compiled.model.integer, np.round(x), 0.0)
        self.constant = math.fsum((compiled.model.objective * self.fixed).tolist())
        self.near = 2.0 + 2.0 * len(self.taken)
        self.model = self._model()
        self.base = self._base(x)

    @cached_property
    def ends(self) -> list[int]:
        """Where the whole amount of each programme taken stands among the columns."""
        place = {int(number): self.money + position for position, number in enumerate(self.sums)}
        return [place[int(self.compiled.scales.ends[number])] for number in self.taken]

    def _model(self) -> LinearModel:
        from scipy.sparse import diags_array, vstack

        scales, model = self.compiled.scales, self.compiled.model
        amounts = scales.amounts[self.taken]
        rows = self._rows(np.concatenate([self.columns, amounts]))
        matrix = model.matrix[rows]
        spent = (model.matrix @ self.fixed)[rows]
        lower, upper = model.row_lower[rows] - spent, model.row_upper[rows] - spent
        own = matrix[:, self.columns].tocsr()
        times, scaled = self._scaled(own, matrix[:, amounts].tocsr(), lower, upper)
        rounding, low, high = self._rounding()
        objective = model.objective[self.columns].copy()
        objective[self.ends] += model.objective[amounts] / scales.cost[self.taken]
        least, most = model.lower[self.columns].copy(), model.upper[self.columns].copy()
        least[self.ends] = np.maximum(scales.least[self.taken], least[self.ends])
        for end, number in zip(self.ends, self.taken, strict=True):
            if number in self.pinned:
                least[end] = most[end] = self.pinned[number]
        return LinearModel(
            objective=objective,
            matrix=vstack([diags_array(times) @ own + scaled, rounding], format="csr"),
            row_lower=np.concatenate([lower * times, low]),
            row_upper=np.concatenate([upper * times, high]),
            lower=least,
            upper=most,
            integer=np.arange(len(self.columns)) < self.whole_columns,
        )

    def _rows(self, columns: Ints) -> Ints:
        """The rows in which any of the columns counts, but for those of the scales, which become exact."""
        model = self.compiled.model
        marks: Truths = np.concatenate([np.full(len(block.keys), block.kind != "scale") for block in model.rows])
        return np.flatnonzero(marks & (np.diff(model.matrix[:, columns].tocsr().indptr) > 0))

    def _scaled(self, own: csr_array, part: csr_array, lower: Floats, upper: Floats) -> tuple[Floats, csr_array]:
        """What makes each row whole when scales are written as k / C, if floats can hold that; and their entries."""
        from scipy.sparse import csr_array

        costs = [int(cost) for cost in self.compiled.scales.cost[self.taken]]
        reach = abs(own) @ self.compiled.model.upper[self.columns] + np.asarray(abs(part).sum(axis=1)).ravel()
        for bound in (lower, upper):
            reach = np.maximum(reach, np.where(np.isfinite(bound), np.abs(bound), 1.0))
        times = np.ones(len(lower))
        found: list[tuple[int, int, float]] = []
        for row in np.flatnonzero(np.diff(part.indptr)).tolist():
            entries = slice(part.indptr[row], part.indptr[row + 1])
            pairs = list(zip(part.indices[entries].tolist(), map(int, part.data[entries].tolist()), strict=True))
            whole = math.lcm(*(costs[number] // math.gcd(costs[number], value) for number, value in pairs))
            times[row] = whole if whole * reach[row] < EXACT else 1
            found += [(row, self.ends[n], float(Fraction(value * int(times[row]), costs[n]))) for n, value in pairs]
        rows, columns, values = zip(*found, strict=True) if found else ((), (), ())
        return times, csr_array((values, (rows, columns)), shape=own.shape, dtype=np.float64)

    def _rounding(self) -> tuple[csr_array, Floats, Floats]:
        """The rows of exact rounding: 2·C·S − 2·k·c from 1 − C to C, divided by what all of it is a multiple of."""
        from scipy.sparse import lil_array

        scales = self.compiled.scales
        end_of = dict(zip(self.taken, self.ends, strict=True))
        low, high, terms = [], [], []
        for position, number in enumerate(self.sums.tolist(), start=self.money):
            owner = int(scales.place[number])
            cost, reached = int(scales.cost[owner]), int(scales.reached[number])
            if position != end_of[owner]:
                shared = 2 * math.gcd(cost, reached)
                terms.append((position, 2 * cost // shared, end_of[owner], -2 * reached // shared))
                low.append(float(-((cost - 1) // shared)))
                high.append(float(cost // shared))
        matrix = lil_array((len(terms), len(self.columns)))
        for row, (position, own, end, other) in enumerate(terms):
            matrix[row, position], matrix[row, end] = own, other
        return matrix.tocsr(), np.array(low), np.array(high)

    def _base(self, x: Floats) -> Floats:
        """Whole amounts near a point, sums rounded as they must be."""
        base = np.clip(np.floor(x[self.columns] + _WHOLE), self.model.lower, self.model.upper)
        base[self.whole_columns :] = 0.0
        return self._rounded(base)

    def _rounded(self, point: Floats) -> Floats:
        """The point with the sums that follow from its whole amounts."""
        settled = point.copy()
        place, position = self.compiled.scales.place[self.sums], np.arange(self.money, self.whole_columns)
        for end, number in zip(self.ends, self.taken, strict=True):
            settled[position[place == number]] = self.compiled.scales.sums_at(number, round(float(point[end])))
        return settled

    def _around(self, base: Floats, room: float = math.inf) -> LinearModel:
        """The program counted from ``base``, no whole column further from it than ``room``."""
        moved = self.model.matrix @ base
        return replace(
            self.model,
            row_lower=self.model.row_lower - moved,
            row_upper=self.model.row_upper - moved,
            lower=np.where(self.model.integer, np.maximum(self.model.lower - base, -room), self.model.lower),
            upper=np.where(self.model.integer, np.minimum(self.model.upper - base, room), self.model.upper),
        )

    def solve(self, room: float, *, capped: bool = False) -> Floats | None:
        """Return the best whole point near the base that the engine finds; ``capped`` with no more of any programme."""
        around = self._around(self.base, room)
        if capped:
            around.upper[self.ends] = np.minimum(around.upper[self.ends], 0.0)
        found = Highs().solve(around, _FREELY).x
        return None if found is None else found + self.base

    def guided(self) -> Floats | None:
        """Return a whole point near the given one, with no more of any programme if that can be."""
        for room, capped in ((self.near, True), (self.near, False), (math.inf, False)):
            found = self.whole(self.solve(room, capped=capped))
            if found is not None:
                return found
        return None

    def ceiling(self) -> float:
        """Return what no plan passes when nothing need be whole; ``−inf`` where there is none at all."""
        around = self._around(self.base)
        loose = replace(around, integer=np.zeros_like(around.integer))
        outcome = Highs().solve(loose, _FREELY)
        return outcome.bound + self.constant + self._worth(self.base)

    def prove(
        self, start: Floats | None, options: SolveOptions, stop: Event | None = None
    ) -> tuple[float, Floats | None]:
        """Solve the whole program: what no plan passes, and the best whole point found."""
        around = self._around(self.base)
        before = self.constant + self._worth(self.base)
        if options.gap:
            around = _with_constant(around, before)
        given = None if start is None else np.append(start - self.base, [1.0] * bool(options.gap))
        outcome = Highs().solve(around, options, start=given, stop=stop)
        bound = outcome.bound if options.gap else outcome.bound + before
        if outcome.status is Status.INFEASIBLE or outcome.x is None:
            return bound, None
        return bound, self.whole(outcome.x[: len(self.base)] + self.base)

    def whole(self, point: Floats | None) -> Floats | None:
        """Return the point in whole units with exact sums, its payments found anew where it does not hold so."""
        if point is None:
            return None
        settled = self._rounded(np.where(self.model.integer, np.round(point), point))
        if self._holds(settled):
            return settled
        sums = slice(self.money, self.whole_columns)
        lower, upper = self.model.lower.copy(), self.model.upper.copy()
        lower[sums] = upper[sums] = settled[sums]
        if (lower[sums] < self.model.lower[sums]).any() or (upper[sums] > self.model.upper[sums]).any():
            return None
        base = np.where(self.model.integer, settled, 0.0)
        fixed = replace(self._around(base), lower=lower - base, upper=upper - base)
        found = Highs().solve(fixed, _FREELY).x
        if found is None:
            return None
        again = np.where(self.model.integer, np.round(found + base), found + base)
        return again if self._holds(again) else None

    def _holds(self, point: Floats) -> bool:
        """Whether a point keeps every row, those of whole numbers exactly and the others up to the noise of floats."""
        activity = self.model.matrix @ point
        noise = _NOISE * np.maximum(1.0, abs(self.model.matrix) @ np.abs(point))
        whole = (self.model.matrix != np.round(self.model.matrix)).sum(axis=1) == 0
        mixed = (self.model.matrix != 0) @ (~self.model.integer).astype(np.int64) > 0
        noise[whole & ~mixed] = 0.0
        inside = (self.model.row_lower - noise <= activity) & (activity <= self.model.row_upper + noise)
        bounds = (self.model.lower <= point) & (point <= self.model.upper)
        return bool(inside.all() and bounds.all())

    def _worth(self, point: Floats) -> float:
        return math.fsum((self.model.objective * point).tolist())

    def value(self, point: Floats) -> float:
        """Return what the model's objective adds up to at a point of the program."""
        return self.constant + self._worth(point)

    def answer(self, point: Floats | None, bound: float) -> Fit:
        """Return a point of the program as payments and whole amounts."""
        if point is None:
            return Fit(None, {}, bound)
        totals = {number: round(float(point[end])) for number, end in zip(self.taken, self.ends, strict=True)}
        return Fit(np.round(point[: len(self.compiled.accounts)]).astype(np.int64), totals, bound)


def _with_constant(model: LinearModel, amount: float) -> LinearModel:
    """The model with one more column that is always 1 and gains ``amount``, so that gaps are relative to all of it."""
    from scipy.sparse import csr_array

    rows, columns = model.matrix.shape
    parts = (model.matrix.data, model.matrix.indices, model.matrix.indptr)
    return replace(
        model,
        objective=np.append(model.objective, amount),
        matrix=csr_array(parts, shape=(rows, columns + 1)),
        lower=np.append(model.lower, 1.0),
        upper=np.append(model.upper, 1.0),
        integer=np.append(model.integer, False),
    )

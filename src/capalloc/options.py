"""Every way to do a project: its variants (one a mode) and its options (one a variant and start year)."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import chain
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from capalloc.costing import Costing, Leeway, whole_amounts
from capalloc.history import Past, find_past, first_open_year
from capalloc.issues import InvalidInput, error
from capalloc.model import Ints, Truths
from capalloc.records import Commitment, Criterion, Mode, Project
from capalloc.settings import VALUE_GRID, Settings
from capalloc.tables import Tables

LARGEST_VALUE = 10**18
"""The largest option value, in multiples of the grid, that is handled exactly."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One project in one mode: all that does not depend on the start year.

    ``costs`` are in whole million VND by offset from the start year plus ``lead``, at the prices of the tables.
    ``starts`` are the years that window and commitments leave.  ``worth`` is the exact value, which counts ``delay``
    years after the start: it is discounted to that year.

    With history, ``past`` holds what was paid in each year before the plan, from ``lead`` years after the start on
    (before it where negative), with which ``costs`` begin.  A flexible variant has a ``leeway`` instead of costs.
    """

    project: int
    mode: str
    duration: int
    costs: tuple[int, ...]
    starts: range
    worth: Fraction
    delay: int = 0
    leeway: Leeway | None = None
    past: tuple[int, ...] | None = None
    lead: int = 0

    @property
    def cost(self) -> int:
        """The cost over the whole life, at the prices of the tables."""
        return sum(self.costs) if self.leeway is None else self.leeway.total

    @property
    def span(self) -> int:
        """Years from the start to the last year of work or of payment, both included."""
        return max(self.duration, self.lead + _years(self.costs))


@dataclass(frozen=True)
class Options:
    """All options in the order of project, mode and start year.

    ``variant``, ``stream``, ``start`` and ``value`` have one entry an option; ``value`` counts multiples of
    :data:`~capalloc.settings.VALUE_GRID` before class weights.  ``variants`` lists also those that have no option.
    ``streams`` holds costs in million VND by offset from the start year (plus the variant's ``lead``), at the prices
    they are paid in; no two variants share one, and those of flexible variants are empty.  From ``open_from`` on the
    plan decides who pays.
    """

    variants: tuple[Variant, ...]
    streams: tuple[tuple[int, ...], ...]
    variant: Ints
    stream: Ints
    start: Ints
    value: Ints
    open_from: int

    def __len__(self) -> int:
        return len(self.variant)

    @cached_property
    def project(self) -> Ints:
        """The project of each option."""
        return np.array([v.project for v in self.variants], dtype=np.int64)[self.variant]

    @cached_property
    def finish(self) -> Ints:
        """The last year of work of each option."""
        return self.start + np.array([v.duration for v in self.variants], dtype=np.int64)[self.variant] - 1

    @cached_property
    def cost(self) -> Ints:
        """The cost of each option over its whole life."""
        totals: Ints = np.array([sum(stream) for stream in self.streams], dtype=np.int64)[self.stream]
        free = np.array([v.leeway.total if v.leeway else 0 for v in self.variants], dtype=np.int64)[self.variant]
        return totals + free

    @cached_property
    def due(self) -> Ints:
        """What of the cost of each option is left for the plan to pay."""
        option, year, amount = self.cost_entries
        gone = year < self.open_from
        paid: Ints = np.bincount(option[gone], amount[gone], minlength=len(self)).astype(np.int64)
        return self.cost - paid

    def costs(self, option: int) -> tuple[int, ...]:
        """Return the costs of an option by offset from its start year plus the ``lead`` of its variant."""
        return self.streams[self.stream[option]]

    @cached_property
    def cost_entries(self) -> tuple[Ints, Ints, Ints]:
        """The option, year and amount of each positive yearly cost, in the order of the options.

        Flexible options have none: what they cost in a year is what the plan pays in it.
        """
        lengths = np.array([len(stream) for stream in self.streams], dtype=np.int64)
        flat = np.fromiter(chain.from_iterable(self.streams), dtype=np.int64, count=int(lengths.sum()))
        option, offset, amount = spread(self.stream, lengths, flat)
        keep = amount > 0
        lead = np.array([v.lead for v in self.variants], dtype=np.int64)[self.variant]
        return option[keep], ((self.start + lead)[option] + offset)[keep], amount[keep]

    @cached_property
    def due_entries(self) -> tuple[Ints, Ints, Ints]:
        """Those of :attr:`cost_entries` that the plan has to pay."""
        option, year, amount = self.cost_entries
        open_ = year >= self.open_from
        return option[open_], year[open_], amount[open_]


def ranges(first: Ints, count: Ints) -> tuple[Ints, Ints]:
    """Return runs of ``count`` numbers that begin at ``first``, one after the other: of each its run, and the number.

    Examples
    --------
    >>> [part.tolist() for part in ranges(np.array([7, 2, 4]), np.array([2, 0, 3]))]
    [[0, 0, 2, 2, 2], [7, 8, 4, 5, 6]]
    """
    run = np.repeat(np.arange(len(count)), count)
    return run, np.arange(len(run)) - np.repeat(np.cumsum(count) - count - first, count)


def within(numbers: Ints, first: Ints, last: Ints) -> tuple[Ints, Ints]:
    """Return which numbers lie between each ``first`` and ``last``, both included: of each the pair, and its place.

    Examples
    --------
    >>> [part.tolist() for part in within(np.array([5, 3, 4]), np.array([4, 3]), np.array([5, 3]))]
    [[0, 0, 1], [2, 0, 1]]
    """
    order = np.argsort(numbers, kind="stable")
    begin, end = np.searchsorted(numbers[order], first), np.searchsorted(numbers[order], last, side="right")
    pair, place = ranges(begin, end - begin)
    return pair, order[place]


def spread(stream: Ints, lengths: Ints, flat: Ints) -> tuple[Ints, Ints, Ints]:
    """Give each option its stream: the option, the offset and the amount of each entry.

    Parameters
    ----------
    stream
        The number of the stream of each option.
    lengths
        The number of offsets of each stream.
    flat
        The streams, one after the other.
    """
    first = np.cumsum(lengths) - lengths
    option, place = ranges(first[stream], lengths[stream])
    return option, place - first[stream[option]], flat[place]


def expand(tables: Tables) -> Options:
    """Return every option the tables allow: mode and start year within window, horizon, phase and commitments.

    Raises
    ------
    InvalidInput
        When a value is too large to be told apart from its neighbours.
    """
    costing = Costing(tables)
    variants = tuple(_variants(tables, costing))
    first = np.array([v.starts.start for v in variants], dtype=np.int64)
    variant, start = ranges(first, np.array([len(v.starts) for v in variants], dtype=np.int64))
    streams, stream = _streams(tables, costing, variants, variant, start)
    duration = np.array([v.duration for v in variants], dtype=np.int64)
    # The trailing zero stands for the stream −1.
    paid = np.array([*map(_years, streams), 0], dtype=np.int64)
    inside = _inside(tables.settings, start, start + np.maximum(duration[variant], paid[stream]) - 1)
    # What has begun goes on, whatever border it passes.
    inside |= np.array([v.past is not None for v in variants], dtype=bool)[variant]
    keep = (stream >= 0) & inside
    variant, stream, start = variant[keep], stream[keep], start[keep]
    value = _values(tables.settings, variants, variant, start)
    return Options(variants, streams, variant, stream, start, value, first_open_year(tables.settings))


def _streams(
    tables: Tables, costing: Costing, variants: Sequence[Variant], variant: Ints, start: Ints
) -> tuple[tuple[tuple[int, ...], ...], Ints]:
    """The cost streams, and the one of each option: its variant's own, or with an index one for each start.

    The stream is −1 where the index says nothing about a year of payment.
    """
    if tables.settings.prices != "nominal":
        return tuple(v.costs for v in variants), variant
    ways = tuple(_ways(tables))
    exact = [() if v.leeway else _amounts(tables, costing, way) for way, v in zip(ways, variants, strict=True)]
    streams: list[tuple[int, ...]] = []
    stream = np.full(len(variant), -1, dtype=np.int64)
    for option, (number, year) in enumerate(zip(variant.tolist(), start.tolist(), strict=True)):
        own = variants[number]
        past = own.past or ()
        costs = costing.nominal(exact[number], year + own.lead + len(past), ways[number].project.price_year)
        if costs is not None:
            stream[option] = len(streams)
            streams.append((*past, *costs))
    return tuple(streams), stream


def _years(costs: Sequence[int]) -> int:
    """Years from the start to the last payment, both included."""
    years = len(costs)
    while years and not costs[years - 1]:
        years -= 1
    return years


def _inside(settings: Settings, start: Ints, end: Ints) -> Truths:
    """Which options stay inside the horizon, and inside one phase where projects may not cross."""
    kept: Truths = np.ones(len(start), dtype=bool) if settings.may_run_over else end <= settings.last_year
    if settings.may_cross_phase or not settings.phases:
        return kept
    inside = [(phase.first <= start) & (end <= phase.last) for phase in settings.phases]
    whole: Truths = kept & np.logical_or.reduce(inside)
    return whole


def _values(settings: Settings, variants: Sequence[Variant], variant: Ints, start: Ints) -> Ints:
    """The value of each option, discounted to the year it counts in and rounded once, in multiples of the grid."""
    year = start + np.array([v.delay for v in variants], dtype=np.int64)[variant]
    first = int(year.min(initial=settings.first_year))
    factors = [settings.discount(y) / VALUE_GRID for y in range(first, int(year.max(initial=first)) + 1)]
    rounded = round_products([v.worth for v in variants], factors, variant, year - first)
    largest = int(np.abs(rounded).max(initial=0))
    if largest > LARGEST_VALUE:
        raise InvalidInput([error("value-too-large", found=largest * VALUE_GRID, most=LARGEST_VALUE * VALUE_GRID)])
    return rounded.astype(np.int64)


def round_products(
    a: Sequence[Fraction], b: Sequence[Fraction], first: Ints, second: Ints
) -> Ints | npt.NDArray[np.object_]:
    """Return the products of ``a[first]`` and ``b[second]``, each rounded half up.

    Where floats leave no doubt about the result it is theirs; all others are worked out in whole numbers.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        near = np.array([_nearly(number) for number in a])[first] * np.array([_nearly(number) for number in b])[second]
        below = np.floor(near)
        above = near - below
        # Three roundings, each of one part in 2**53, move a product by less than a part in 2**51.
        sure = np.abs(above - 0.5) > np.abs(near) * 2.0**-50
    rounded = np.where(sure, below + (above > 0.5), 0).astype(np.int64)
    doubtful = np.flatnonzero(~sure)
    exact = [
        _round_product(a[i], b[j]) for i, j in zip(first[doubtful].tolist(), second[doubtful].tolist(), strict=True)
    ]
    if max(map(abs, exact), default=0) > LARGEST_VALUE:
        rounded = rounded.astype(object)
    rounded[doubtful] = exact
    return rounded


def _nearly(number: Fraction) -> float:
    """The nearest float; infinite where there is none."""
    try:
        return number.numerator / number.denominator
    except OverflowError:
        return math.inf


def _round_product(a: Fraction, b: Fraction) -> int:
    """Round a·b half up; plain integers, because reducing each product would cost more than the product."""
    top, bottom = a.numerator * b.numerator, a.denominator * b.denominator
    return (2 * top + bottom) // (2 * bottom)


class _Way(NamedTuple):
    """A project in a mode, and its past where it has one."""

    place: int
    project: Project
    mode: Mode | None
    duration: int
    past: Past | None


def _ways(tables: Tables) -> Iterator[_Way]:
    modes, past = modes_of(tables), find_past(tables)
    for index, project in enumerate(tables.projects):
        for mode in modes[project.id]:
            duration = project.duration if mode is None or mode.duration is None else mode.duration
            yield _Way(index, project, mode, duration, past.get(project.id))


def _variants(tables: Tables, costing: Costing) -> Iterator[Variant]:
    committed, worth = {row.project: row for row in tables.committed}, _Worth(tables)
    window = max(tables.settings.first_year, first_open_year(tables.settings)), tables.settings.last_year
    for way in _ways(tables):
        name = way.mode.mode if way.mode else ""
        leeway = costing.leeway(way.project, way.mode)
        value, delay = worth.of(way.project, way.mode, way.duration)
        if way.past is not None:
            yield _continued(tables, costing, way, way.past, (value, delay))
            continue
        costs = () if leeway else costing.costs(way.project, way.mode, way.duration)
        starts = _starts(window, way, committed.get(way.project.id))
        yield Variant(way.place, name, way.duration, costs, starts, value, delay, leeway)


def _continued(tables: Tables, costing: Costing, way: _Way, past: Past, worth: tuple[Fraction, int]) -> Variant:
    """The variant of a project that has begun: what was paid, and what is left."""
    name, opened = way.mode.mode if way.mode else "", first_open_year(tables.settings)
    first = min([past.start, *past.paid])
    before = tuple(past.paid.get(year, 0) for year in range(first, opened))
    leeway = costing.leeway(way.project, way.mode)
    costs = before if leeway else (*before, *whole_amounts(_amounts(tables, costing, way)))
    starts = range(past.start, past.start + (past.mode == name))
    lead = first - past.start
    return Variant(way.place, name, way.duration, costs, starts, *worth, leeway, before, lead)


def _amounts(tables: Tables, costing: Costing, way: _Way) -> Sequence[int | Fraction]:
    """The exact costs that are left to pay, at the prices of the tables."""
    if way.past is None:
        return costing.amounts(way.project, way.mode, way.duration)
    years, paid = (way.past.start, first_open_year(tables.settings)), sum(way.past.paid.values())
    return costing.remaining(way.project, way.mode, way.duration, years, paid)


def modes_of(tables: Tables) -> Mapping[str, Sequence[Mode | None]]:
    """Return the modes of every project; a project without any has the single entry ``None``."""
    listed: dict[str, list[Mode]] = defaultdict(list)
    for row in tables.modes:
        listed[row.project].append(row)
    alone: Sequence[None] = [None]
    return {project.id: listed.get(project.id, alone) for project in tables.projects}


def _starts(window: tuple[int, int], way: _Way, commitment: Commitment | None) -> range:
    """The start years left by window and commitment."""
    earliest, latest = way.project.earliest_start, way.project.latest_start
    if way.mode is not None:
        earliest = earliest if way.mode.earliest_start is None else way.mode.earliest_start
        latest = latest if way.mode.latest_start is None else way.mode.latest_start
    first, last = max(earliest or 0, window[0]), window[1] if latest is None else min(latest, window[1])
    if commitment is not None:
        if commitment.decision == "out" or (commitment.mode and commitment.mode != (way.mode.mode if way.mode else "")):
            return range(0)
        if commitment.start is not None:
            first, last = max(first, commitment.start), min(last, commitment.start)
    return range(first, last + 1)


class _Worth:
    """The exact value of a project in a mode, and how long after its start it counts (``value_from`` and ``at``)."""

    def __init__(self, tables: Tables) -> None:
        self.objective = tables.settings.objective
        self.discount = 1 / (1 + Fraction(tables.settings.discount_rate))
        self.late = self.objective.at == "completion"
        self.streams: dict[tuple[str, str], list[tuple[int, bool, Fraction]]] = defaultdict(list)
        for row in tables.benefits:
            self.streams[row.project, row.mode].append((row.offset, row.from_ == "completion", row.amount))
        self.scores = _scores(tables)

    def of(self, project: Project, mode: Mode | None, duration: int) -> tuple[Fraction, int]:
        name = mode.mode if mode else ""
        if self.objective.value_from == "benefits":
            return self._present_value(self.streams.get((project.id, name), ()), duration), 0
        return self._undiscounted(project, mode, name), duration - 1 if self.late else 0

    def _undiscounted(self, project: Project, mode: Mode | None, name: str) -> Fraction:
        if self.objective.value_from == "column":
            return (mode.value if mode and mode.value is not None else project.value) or Fraction(0)
        score = self.scores[project.id, name]
        return score * (project.size or 0) if self.objective.value_from == "score_size" else score

    def _present_value(self, stream: Iterable[tuple[int, bool, Fraction]], duration: int) -> Fraction:
        """The sum of a benefit stream discounted to its start year, over one common denominator."""
        entries = [(offset + (duration - 1 if completed else 0), amount) for offset, completed, amount in stream]
        last = max((offset for offset, _ in entries), default=0)
        whole = math.lcm(*(amount.denominator for _, amount in entries))
        top, bottom = self.discount.numerator, self.discount.denominator
        total = sum(
            amount.numerator * (whole // amount.denominator) * top**offset * bottom ** (last - offset)
            for offset, amount in entries
        )
        return Fraction(total, whole * bottom**last)


def _scores(tables: Tables) -> Mapping[tuple[str, str], Fraction]:
    """The weighted score of each project and mode that has any: sum of weight × place, over the sets in use."""
    objective = tables.settings.objective
    shares = {name: Fraction(weight) for name, weight in objective.sets.items()} or {objective.criteria: Fraction(1)}
    criteria = {row.criterion: row for row in tables.criteria if shares.get(row.set)}
    weights = {name: shares[row.set] * row.weight for name, row in criteria.items()}
    totals: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
    for row in tables.scores:
        if row.criterion in criteria:
            totals[row.project, row.mode] += weights[row.criterion] * _place(criteria[row.criterion], row.score)
    return totals


def _place(criterion: Criterion, score: Fraction) -> Fraction:
    """Where a score stands between the ends of its scale, from 0 (worst) to 1 (best)."""
    place = (score - criterion.low) / (criterion.high - criterion.low)
    return place if criterion.direction == "max" else 1 - place

"""Every way to do a project: its variants (one a mode) and its options (one a variant and start year)."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

import numpy as np

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

    ``amounts`` are the exact costs in million VND by offset from the start year, at the prices of the tables.
    ``starts`` are the years that window and commitments leave.  ``worth`` is the value of a start in ``first_year``,
    exact and before rounding; a start k years later is worth ``worth`` discounted k years more.

    With history, ``past`` holds what was paid in each year before the plan, from ``lead`` years after the start on
    (before it where negative), and ``amounts`` follow it.  A flexible variant has a ``leeway`` instead of amounts.
    """

    project: int
    mode: str
    duration: int
    amounts: tuple[int | Fraction, ...]
    starts: range
    worth: Fraction
    leeway: Leeway | None = None
    past: tuple[int, ...] | None = None
    lead: int = 0

    @property
    def costs(self) -> tuple[int, ...]:
        """The costs in whole million VND by offset from the start year plus ``lead``, at the prices of the tables."""
        return (*(self.past or ()), *whole_amounts(self.amounts))

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
        flat = np.array([amount for stream in self.streams for amount in stream], dtype=np.int64)
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
    own = lengths[stream]
    option = np.repeat(np.arange(len(stream)), own)
    offset = np.arange(len(option)) - np.repeat(np.cumsum(own) - own, own)
    first = (np.cumsum(lengths) - lengths)[stream]
    return option, offset, flat[np.repeat(first, own) + offset]


def expand(tables: Tables) -> Options:
    """Return every option the tables allow: mode and start year within window, horizon, phase and commitments.

    Raises
    ------
    InvalidInput
        When a value is too large to be told apart from its neighbours.
    """
    costing = Costing(tables)
    variants = tuple(_variants(tables, costing))
    lengths = [len(v.starts) for v in variants]
    variant = np.repeat(np.arange(len(variants), dtype=np.int64), lengths)
    start = np.array([year for v in variants for year in v.starts], dtype=np.int64)
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
    streams: list[tuple[int, ...]] = []
    stream = np.full(len(variant), -1, dtype=np.int64)
    for option, (number, year) in enumerate(zip(variant.tolist(), start.tolist(), strict=True)):
        own = variants[number]
        past = own.past or ()
        first = year + own.lead + len(past)
        costs = costing.nominal(own.amounts, first, tables.projects[own.project].price_year)
        if costs is not None:
            stream[option] = len(streams)
            streams.append((*past, *costs))
    return tuple(streams), stream


def _years(costs: Sequence[int]) -> int:
    """Years from the start to the last payment, both included."""
    return max((offset + 1 for offset, amount in enumerate(costs) if amount), default=0)


def _inside(settings: Settings, start: Ints, end: Ints) -> Truths:
    """Which options stay inside the horizon, and inside one phase where projects may not cross."""
    kept: Truths = np.ones(len(start), dtype=bool) if settings.may_run_over else end <= settings.last_year
    if settings.may_cross_phase or not settings.phases:
        return kept
    inside = [(phase.first <= start) & (end <= phase.last) for phase in settings.phases]
    whole: Truths = kept & np.logical_or.reduce(inside)
    return whole


def _values(settings: Settings, variants: Sequence[Variant], variant: Ints, start: Ints) -> Ints:
    """The value of each option, discounted to its start year and rounded once, in multiples of the grid."""
    factor = {year: settings.discount(year) / VALUE_GRID for year in sorted({int(y) for y in start})}
    rounded = [
        _round_product(variants[v].worth, factor[y]) for v, y in zip(variant.tolist(), start.tolist(), strict=True)
    ]
    largest = max(map(abs, rounded), default=0)
    if largest > LARGEST_VALUE:
        raise InvalidInput([error("value-too-large", found=largest * VALUE_GRID, most=LARGEST_VALUE * VALUE_GRID)])
    return np.array(rounded, dtype=np.int64)


def _round_product(a: Fraction, b: Fraction) -> int:
    """Round a·b half up; plain integers, because reducing each product would cost more than the product."""
    top, bottom = a.numerator * b.numerator, a.denominator * b.denominator
    return (2 * top + bottom) // (2 * bottom)


def _variants(tables: Tables, costing: Costing) -> Iterator[Variant]:
    modes, committed, past = modes_of(tables), {row.project: row for row in tables.committed}, find_past(tables)
    worth = _Worth(tables)
    for index, project in enumerate(tables.projects):
        commitment, known = committed.get(project.id), past.get(project.id)
        for mode in modes[project.id]:
            duration = _first_of(mode.duration if mode else None, project.duration)
            name = mode.mode if mode else ""
            starts = _starts(tables.settings, project, mode, commitment)
            if known is not None:
                starts = range(known.start, known.start + (known.mode == name))
            leeway = costing.leeway(project, mode)
            amounts = () if leeway else tuple(costing.amounts(project, mode, duration))
            variant = Variant(index, name, duration, amounts, starts, worth.of(project, mode, duration), leeway)
            yield variant if known is None else _continued(tables, costing, variant, mode, known)


def _continued(tables: Tables, costing: Costing, variant: Variant, mode: Mode | None, past: Past) -> Variant:
    """The variant of a project that has begun: what was paid, and what is left."""
    open_from = first_open_year(tables.settings)
    first = min([past.start, *past.paid])
    years, paid = (past.start, open_from), sum(past.paid.values())
    left = costing.remaining(tables.projects[variant.project], mode, variant.duration, years, paid)
    before = tuple(past.paid.get(year, 0) for year in range(first, open_from))
    return replace(variant, amounts=tuple(left), past=before, lead=first - past.start)


def modes_of(tables: Tables) -> Mapping[str, Sequence[Mode | None]]:
    """Return the modes of every project; a project without any has the single entry ``None``."""
    listed: dict[str, list[Mode | None]] = defaultdict(list)
    for row in tables.modes:
        listed[row.project].append(row)
    return {project.id: listed.get(project.id, [None]) for project in tables.projects}


def _starts(settings: Settings, project: Project, mode: Mode | None, commitment: Commitment | None) -> range:
    """The start years left by window and commitment."""
    earliest = _first_of(mode.earliest_start if mode else None, project.earliest_start, settings.first_year)
    latest = _first_of(mode.latest_start if mode else None, project.latest_start, settings.last_year)
    first, last = max(earliest, settings.first_year, first_open_year(settings)), min(latest, settings.last_year)
    if commitment is not None:
        if commitment.decision == "out" or (commitment.mode and commitment.mode != (mode.mode if mode else "")):
            return range(0)
        if commitment.start is not None:
            first, last = max(first, commitment.start), min(last, commitment.start)
    return range(first, last + 1)


def _first_of(*choices: int | None) -> int:
    """The first that is given; the last always is."""
    return next(choice for choice in choices if choice is not None)


class _Worth:
    """The exact value of a project in a mode for a start in the first year (design: ``value_from`` and ``at``)."""

    def __init__(self, tables: Tables) -> None:
        self.objective = tables.settings.objective
        self.discount = 1 / (1 + Fraction(tables.settings.discount_rate))
        self.streams: dict[tuple[str, str], list[tuple[int, bool, Fraction]]] = defaultdict(list)
        for row in tables.benefits:
            self.streams[row.project, row.mode].append((row.offset, row.from_ == "completion", row.amount))
        self.scores = _scores(tables)

    def of(self, project: Project, mode: Mode | None, duration: int) -> Fraction:
        name = mode.mode if mode else ""
        if self.objective.value_from == "benefits":
            return self._present_value(self.streams.get((project.id, name), ()), duration)
        value = self._undiscounted(project, mode, name)
        return value * self.discount ** (duration - 1) if self.objective.at == "completion" else value

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

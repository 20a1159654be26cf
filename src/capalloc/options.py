"""Every way to do a project: its variants (one a mode) and its options (one a variant and start year)."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import TypeVar

import numpy as np

from capalloc.issues import InvalidInput, error
from capalloc.model import Ints, Truths
from capalloc.money import round_half_up
from capalloc.records import Commitment, Criterion, Mode, Project
from capalloc.settings import VALUE_GRID, Settings
from capalloc.tables import Tables

T = TypeVar("T", int, Fraction)

LARGEST_VALUE = 10**18
"""The largest option value, in multiples of the grid, that is handled exactly."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One project in one mode: all that does not depend on the start year.

    ``costs`` holds million VND by offset from the start year.  ``worth`` is the value of a start in ``first_year``,
    exact and before rounding; a start k years later is worth ``worth`` discounted k years more.
    """

    project: int
    mode: str
    duration: int
    costs: tuple[int, ...]
    starts: range
    worth: Fraction

    @property
    def cost(self) -> int:
        """The cost over the whole life."""
        return sum(self.costs)

    @property
    def span(self) -> int:
        """Years from the start to the last year of work or of payment, both included."""
        paid = max((offset + 1 for offset, amount in enumerate(self.costs) if amount), default=0)
        return max(self.duration, paid)


@dataclass(frozen=True)
class Options:
    """All options in the order of project, mode and start year.

    ``variant``, ``start`` and ``value`` have one entry an option; ``value`` counts multiples of
    :data:`~capalloc.settings.VALUE_GRID` before class weights.  ``variants`` lists also those that have no option.
    """

    variants: tuple[Variant, ...]
    variant: Ints
    start: Ints
    value: Ints

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
    def cost_entries(self) -> tuple[Ints, Ints, Ints]:
        """The option, year and amount of each positive yearly cost, in the order of the options."""
        lengths = np.array([len(v.costs) for v in self.variants], dtype=np.int64)
        flat = np.array([amount for v in self.variants for amount in v.costs], dtype=np.int64)
        option, offset, amount = spread(self.variant, lengths, flat)
        keep = amount > 0
        return option[keep], (self.start[option] + offset)[keep], amount[keep]


def spread(variant: Ints, lengths: Ints, flat: Ints) -> tuple[Ints, Ints, Ints]:
    """Give each option the stream of its variant: the option, the offset and the amount of each entry.

    Parameters
    ----------
    variant
        The variant of each option.
    lengths
        The number of offsets of each variant's stream.
    flat
        The streams, variant after variant.
    """
    own = lengths[variant]
    option = np.repeat(np.arange(len(variant)), own)
    offset = np.arange(len(option)) - np.repeat(np.cumsum(own) - own, own)
    first = (np.cumsum(lengths) - lengths)[variant]
    return option, offset, flat[np.repeat(first, own) + offset]


def expand(tables: Tables) -> Options:
    """Return every option the tables allow: mode and start year within window, horizon, phase and commitments.

    Raises
    ------
    InvalidInput
        When a value is too large to be told apart from its neighbours.
    """
    variants = tuple(_variants(tables))
    lengths = [len(v.starts) for v in variants]
    variant = np.repeat(np.arange(len(variants), dtype=np.int64), lengths)
    start = np.array([year for v in variants for year in v.starts], dtype=np.int64)
    keep = _whole_phases(tables.settings, variants, variant, start)
    variant, start = variant[keep], start[keep]
    return Options(variants, variant, start, _values(tables.settings, variants, variant, start))


def _whole_phases(settings: Settings, variants: Sequence[Variant], variant: Ints, start: Ints) -> Truths:
    """Which options stay inside one phase; all of them where projects may cross."""
    if settings.may_cross_phase or not settings.phases:
        return np.ones(len(start), dtype=bool)
    end = start + np.array([v.span for v in variants], dtype=np.int64)[variant] - 1
    inside = [(phase.first <= start) & (end <= phase.last) for phase in settings.phases]
    whole: Truths = np.logical_or.reduce(inside)
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


def _variants(tables: Tables) -> Iterator[Variant]:
    modes, committed = modes_of(tables), {row.project: row for row in tables.committed}
    costs, worth = _Costs(tables), _Worth(tables)
    for index, project in enumerate(tables.projects):
        commitment = committed.get(project.id)
        for mode in modes[project.id]:
            duration = _first_of(mode.duration if mode else None, project.duration)
            stream = costs.of(project, mode, duration)
            name = mode.mode if mode else ""
            bare = Variant(index, name, duration, stream, range(0), worth.of(project, mode, duration))
            yield replace(bare, starts=_starts(tables.settings, project, mode, commitment, bare.span))


def modes_of(tables: Tables) -> Mapping[str, Sequence[Mode | None]]:
    """Return the modes of every project; a project without any has the single entry ``None``."""
    listed: dict[str, list[Mode | None]] = defaultdict(list)
    for row in tables.modes:
        listed[row.project].append(row)
    return {project.id: listed.get(project.id, [None]) for project in tables.projects}


def _starts(settings: Settings, project: Project, mode: Mode | None, commitment: Commitment | None, span: int) -> range:
    """The start years left by window, horizon and commitment."""
    earliest = _first_of(mode.earliest_start if mode else None, project.earliest_start, settings.first_year)
    latest = _first_of(mode.latest_start if mode else None, project.latest_start, settings.last_year)
    first, last = max(earliest, settings.first_year), min(latest, settings.last_year)
    if not settings.may_run_over:
        last = min(last, settings.last_year - span + 1)
    if commitment is not None:
        if commitment.decision == "out" or (commitment.mode and commitment.mode != (mode.mode if mode else "")):
            return range(0)
        if commitment.start is not None:
            first, last = max(first, commitment.start), min(last, commitment.start)
    return range(first, last + 1)


def _first_of(*choices: int | None) -> int:
    """The first that is given; the last always is."""
    return next(choice for choice in choices if choice is not None)


class _Costs:
    """The yearly costs of a project in a mode: its explicit stream, or its total spread over a profile."""

    def __init__(self, tables: Tables) -> None:
        self.explicit: dict[tuple[str, str], dict[int, int]] = defaultdict(dict)
        for row in tables.costs:
            self.explicit[row.project, row.mode][row.offset] = row.amount
        self.profiles: dict[tuple[str, int], dict[int, Fraction]] = defaultdict(dict)
        for share in tables.profiles:
            self.profiles[share.profile, share.duration][share.offset] = share.share

    def of(self, project: Project, mode: Mode | None, duration: int) -> tuple[int, ...]:
        stream = self.explicit.get((project.id, mode.mode if mode else ""))
        if stream is not None:
            return _dense(stream, 0)
        total = _first_of(mode.cost if mode else None, project.cost, 0)
        profile = (mode.profile if mode else "") or project.profile
        if profile:
            return _split(total, _dense(self.profiles[profile, duration], Fraction(0)))
        return _split(total, (Fraction(1, duration),) * duration)


def _dense(stream: Mapping[int, T], nothing: T) -> tuple[T, ...]:
    return tuple(stream.get(offset, nothing) for offset in range(max(stream, default=-1) + 1))


def _split(total: int, shares: Iterable[Fraction]) -> tuple[int, ...]:
    """Split a total by shares: cumulative amounts round half up, the yearly amounts are their differences."""
    amounts, paid, reached = [], 0, Fraction(0)
    for share in shares:
        reached += share
        cumulative = round_half_up(total * reached)
        amounts.append(cumulative - paid)
        paid = cumulative
    return tuple(amounts)


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
        later = duration - 1 if self.objective.at == "completion" else 0
        return self._undiscounted(project, mode, name) * self.discount**later

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
    """The weighted score of each project and mode that has any: sum of weight × place on the scale."""
    criteria = {row.criterion: row for row in tables.criteria}
    totals: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
    for row in tables.scores:
        totals[row.project, row.mode] += criteria[row.criterion].weight * _place(criteria[row.criterion], row.score)
    return totals


def _place(criterion: Criterion, score: Fraction) -> Fraction:
    """Where a score stands between the ends of its scale, from 0 (worst) to 1 (best)."""
    place = (score - criterion.low) / (criterion.high - criterion.low)
    return place if criterion.direction == "max" else 1 - place

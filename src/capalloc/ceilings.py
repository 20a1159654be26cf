"""Ceilings: the room of every envelope, and what may be carried from the envelope of a phase to that of the next."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from capalloc.history import payments_made
from capalloc.records import Envelope, Source
from capalloc.tables import Tables


@dataclass(frozen=True, slots=True)
class Ceiling:
    """One envelope as the model sees it: its sources, years and room in whole million VND.

    ``paid`` is what its sources paid in its years before the plan; all of the room but this is :attr:`left`.
    """

    key: tuple[tuple[str, ...], str]
    sources: tuple[int, ...]
    years: range
    room: int
    paid: int = 0

    @property
    def left(self) -> int:
        """What is left of the room; below 0 where more was paid."""
        return self.room - self.paid


@dataclass(frozen=True, slots=True)
class Carry:
    """What may move from one ceiling to another, by their numbers: at the most ``most`` million VND."""

    giver: int
    taker: int
    most: int


def find_ceilings(tables: Tables) -> Iterator[Ceiling]:
    """Return every envelope as a ceiling, in the order of `envelopes`."""
    index = {source.id: number for number, source in enumerate(tables.sources)}
    sources, made = _by_id(tables), payments_made(tables)
    for row in tables.envelopes:
        period = tables.settings.known_period(row.period)
        own = tuple(index[source] for source in row.source)
        paid = sum(entry.amount for entry in made if entry.source in row.source and entry.year in period)
        years = range(period.first, period.last + 1)
        yield Ceiling((row.source, row.period), own, years, _room(sources, row), paid)


def find_carries(tables: Tables, ceilings: Sequence[Ceiling]) -> Iterator[Carry]:
    """Return what each envelope of a phase may pass on, from the first phase to the last.

    The most is floor(carry_cap × amount), and never more than the room: money that was carried in is spent first and
    does not move again.
    """
    sources = _by_id(tables)
    phases = sorted(tables.settings.phases, key=lambda phase: phase.first)
    numbers = {(frozenset(row.source), row.period): number for number, row in enumerate(tables.envelopes)}
    for phase, following in pairwise(phases):
        for number, row in enumerate(tables.envelopes):
            taker = numbers.get((frozenset(row.source), following.name))
            cap = _term(sources, row, "carry_cap", Fraction(0))
            most = min(math.floor(cap * row.amount), ceilings[number].room)
            if row.period == phase.name and taker is not None and most > 0:
                yield Carry(number, taker, most)


def least_carried(ceilings: Sequence[Ceiling], carries: Sequence[Carry], used: Sequence[int]) -> list[int]:
    """Return the least that every carry must move when the ceilings are used so much, in the order of ``carries``."""
    missing = [amount - ceiling.room for amount, ceiling in zip(used, ceilings, strict=True)]
    moved = []
    for carry in reversed(carries):
        moved.append(max(0, missing[carry.taker]))
        missing[carry.giver] += moved[-1]
    return moved[::-1]


def room_of(tables: Tables, row: Envelope) -> int:
    """Return what can be spent of an envelope: floor(amount × (1 − reserve) × disbursement)."""
    return _room(_by_id(tables), row)


def reserve_of(tables: Tables, row: Envelope) -> int:
    """Return what is held back of an envelope: all but floor(amount × (1 − reserve))."""
    return row.amount - math.floor(row.amount * (1 - _term(_by_id(tables), row, "reserve", Fraction(0))))


def spent_part(tables: Tables, row: Envelope) -> Fraction:
    """Return what part of an envelope can be spent: (1 − reserve) × disbursement."""
    return _spent_part(_by_id(tables), row)


def carried_part(tables: Tables, row: Envelope) -> Fraction:
    """Return what part of an envelope may be passed on at the most."""
    return _term(_by_id(tables), row, "carry_cap", Fraction(0))


def _by_id(tables: Tables) -> Mapping[str, Source]:
    return {source.id: source for source in tables.sources}


def _room(sources: Mapping[str, Source], row: Envelope) -> int:
    return math.floor(row.amount * _spent_part(sources, row))


def _spent_part(sources: Mapping[str, Source], row: Envelope) -> Fraction:
    return (1 - _term(sources, row, "reserve", Fraction(0))) * _term(sources, row, "disbursement", Fraction(1))


def _term(sources: Mapping[str, Source], row: Envelope, name: str, joined: Fraction) -> Fraction:
    """A term of an envelope: its own, else that of its source; ``joined`` where several sources share it."""
    own: Fraction | None = getattr(row, name)
    if own is not None:
        return own
    inherited: Fraction = getattr(sources[row.source[0]], name) if len(row.source) == 1 else joined
    return inherited

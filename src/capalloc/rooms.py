"""What the envelopes of a plan hold, pay and carry over, counted for the verifier."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import pairwise
from math import floor

from capalloc.audit import EnvelopeAudit
from capalloc.bookkeeping import Books, period_of
from capalloc.issues import Issue, error
from capalloc.past import opening_year
from capalloc.records import Envelope
from capalloc.tables import Tables


def envelope_accounts(tables: Tables, books: Books) -> tuple[EnvelopeAudit, ...]:
    """Return what every envelope holds, keeps back, paid and carried, in the order of `envelopes`.

    What is carried is the least that the payments need, found backwards from the last phase, and never more than the
    envelope may pass on.
    """
    rows, terms = tables.envelopes, _Terms(tables)
    rooms = [terms.room(row) for row in rows]
    used = [
        sum(books.total.get((year, source), 0) for source in set(row.source) for year in period_of(tables, row.period))
        for row in rows
    ]
    carried_in, carried_out = [0] * len(rows), [0] * len(rows)
    for giver, taker in reversed(list(_links(tables))):
        needed = used[taker] + carried_out[taker] - rooms[taker]
        # Money that was carried in is spent first and does not move again, so no more than the own room moves.
        most = min(terms.carried(rows[giver]), rooms[giver])
        carried_out[giver] = carried_in[taker] = min(max(needed, 0), most)
    return tuple(
        EnvelopeAudit(
            row.source,
            row.period,
            row.amount,
            row.amount - terms.unreserved(row),
            rooms[number],
            used[number],
            carried_in[number],
            carried_out[number],
        )
        for number, row in enumerate(rows)
    )


class _Terms:
    """The terms of an envelope: its own, else those of its source where it has only one."""

    def __init__(self, tables: Tables) -> None:
        self._sources = {source.id: source for source in tables.sources}

    def unreserved(self, row: Envelope) -> int:
        return floor(row.amount * (1 - self._reserve(row)))

    def room(self, row: Envelope) -> int:
        return floor(row.amount * (1 - self._reserve(row)) * self._disbursement(row))

    def carried(self, row: Envelope) -> int:
        """The most that the row may pass on."""
        if row.carry_cap is not None:
            return floor(row.amount * row.carry_cap)
        return floor(row.amount * self._sources[row.source[0]].carry_cap) if len(row.source) == 1 else 0

    def _reserve(self, row: Envelope) -> Fraction:
        if row.reserve is not None:
            return row.reserve
        return self._sources[row.source[0]].reserve if len(row.source) == 1 else Fraction(0)

    def _disbursement(self, row: Envelope) -> Fraction:
        if row.disbursement is not None:
            return row.disbursement
        return self._sources[row.source[0]].disbursement if len(row.source) == 1 else Fraction(1)


def _links(tables: Tables) -> Iterator[tuple[int, int]]:
    """The numbers of the envelopes of the same sources in a phase and in the next, the earliest phases first."""
    phases = sorted(tables.settings.phases, key=lambda phase: phase.first)
    numbers = {(row.period, frozenset(row.source)): number for number, row in enumerate(tables.envelopes)}
    for phase, following in pairwise(phases):
        for (period, sources), number in numbers.items():
            if period == phase.name and (following.name, sources) in numbers:
                yield number, numbers[following.name, sources]


def broken_envelopes(tables: Tables, accounts: Iterable[EnvelopeAudit], books: Books) -> Iterator[Issue]:
    """Payments and what is carried out are at most the room of an envelope and what is carried in."""
    for row, account in zip(tables.envelopes, accounts, strict=True):
        if account.slack >= 0:
            continue
        where, source = tables.place("envelopes", row, "amount"), " + ".join(row.source)
        allowed = account.room + account.carried_in
        if account.used > allowed:
            excess = account.used - allowed
            project = _enough(tables, books, account, excess)
            code = "broken-envelope-carried" if account.carried_in else "broken-envelope"
            yield error(
                code if project else "broken-envelope-past",
                where,
                source=source,
                period=row.period,
                found=account.used,
                allowed=allowed,
                carried=account.carried_in,
                difference=excess,
                project=project,
            )
        if account.carried_out:
            left = max(0, allowed - account.used)
            yield error(
                "broken-carry",
                where,
                source=source,
                period=row.period,
                found=account.carried_out,
                allowed=left,
                difference=account.carried_out - left,
            )


def _enough(tables: Tables, books: Books, account: EnvelopeAudit, missing: int) -> str:
    """The project whose absence would mend the envelope at the least money; the greatest payment if none is enough.

    Only what the plan decides can be absent; the name is empty where that is nothing.
    """
    opening, years = opening_year(tables.settings), set(period_of(tables, account.period))
    paid = {
        project: sum(
            amount
            for (year, source), amount in lines.items()
            if year in years and year >= opening and source in account.source
        )
        for project, lines in books.by_project.items()
    }
    enough = [project for project, amount in paid.items() if amount >= missing]
    most = max(paid, key=paid.__getitem__)
    return min(enough, key=paid.__getitem__) if enough else most if paid[most] > 0 else ""

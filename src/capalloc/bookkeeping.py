"""The payments of a plan against the tables: whether they equal the costs, and whether payers and shares hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from reprlib import Repr
from typing import Any

from capalloc.allocation import Payment
from capalloc.issues import Issue, error
from capalloc.records import Share
from capalloc.recount import Counted
from capalloc.selection import parse_selection
from capalloc.settings import Period
from capalloc.tables import Tables

# An amount beyond this is a slip of the pen, and adding it up would drown every other finding.
_BEYOND = 10**18
_YEARS = Period("", 1, 9999)

Line = tuple[int, str]  # year and source
Funded = Mapping[str, Counted | None]  # None where a project is funded by an option that the tables do not have


@dataclass(frozen=True, slots=True)
class Books:
    """The payments by year and source in million VND, of each project and of all together.

    ``faults`` are the payments that cannot be entered, or not as they stand.
    """

    by_project: Mapping[str, Mapping[Line, int]]
    total: Mapping[Line, int]
    faults: Sequence[Issue]


def shown(found: Any) -> str:
    """Return whatever a plan holds as a short text, even a number of a million digits.

    Examples
    --------
    >>> shown("P1"), shown(Fraction(1, 2)), len(shown(10**5000)) < 60
    ('P1', '1/2', True)
    """
    if isinstance(found, int | Fraction) and max(abs(found.numerator), found.denominator) < 10**30:
        return str(found)
    # Only this part of reprlib survives numbers that are too long for Python to write.
    return found if isinstance(found, str) else Repr().repr_instance(found, 0)


def is_whole(found: Any) -> bool:
    """Return whether something is an integer and not a truth value."""
    return isinstance(found, int) and not isinstance(found, bool)


def keep_books(tables: Tables, payments: Iterable[Payment]) -> Books:
    """Enter every payment that names a project, a source, a year and a whole amount; the others are faults."""
    projects, sources = {row.id for row in tables.projects}, {row.id for row in tables.sources}
    by_project: dict[str, dict[Line, int]] = defaultdict(dict)
    total: dict[Line, int] = defaultdict(int)
    faults: list[Issue] = []
    for payment in payments:
        unreadable = list(_unreadable(payment, projects, sources))
        faults += unreadable
        if unreadable:
            continue
        project, source, year, amount = payment.project, payment.source, payment.year, payment.amount
        account = by_project[project]
        if (year, source) in account:
            faults.append(error("broken-payment-twice", project=project, source=source, year=year, found=amount))
        if amount < 0:
            faults.append(error("broken-payment-negative", project=project, source=source, year=year, found=amount))
        account[year, source] = account.get((year, source), 0) + amount
        total[year, source] += amount
    return Books(by_project, total, faults)


def _unreadable(payment: Payment, projects: Collection[str], sources: Collection[str]) -> Iterator[Issue]:
    # A plan read from a file or written by hand may hold anything.
    found: tuple[Any, ...] = (payment.project, payment.source, payment.year, payment.amount)
    project, source, year, amount = found
    sound = (
        isinstance(project, str) and project in projects,
        isinstance(source, str) and source in sources,
        is_whole(year) and year in _YEARS,
        is_whole(amount) and abs(amount) < _BEYOND,
    )
    if all(sound):
        return
    named = {"project": shown(project), "source": shown(source), "year": shown(year)}
    if not sound[0]:
        yield error("broken-payment-project", **named)
    if not sound[1]:
        yield error("broken-payment-source", **named)
    if not sound[2]:
        yield error("broken-payment-year", **named)
    if not sound[3]:
        yield error("broken-payment-amount", found=shown(amount), **named)


def broken_costs(tables: Tables, funded: Funded, books: Books) -> Iterator[Issue]:
    """Every funded project is paid exactly its cost each year, and no other project is paid anything."""
    for project, account in books.by_project.items():
        if project not in funded and any(account.values()):
            yield error("broken-payment-unfunded", project=project, found=sum(account.values()))
    for project, option in funded.items():
        if option is None or not tables.sources:
            continue
        paid: dict[int, int] = defaultdict(int)
        for (year, _), amount in books.by_project.get(project, {}).items():
            paid[year] += amount
        for year in sorted(option.costs.keys() | paid.keys()):
            found, due = paid.get(year, 0), option.costs.get(year, 0)
            if found < due:
                yield error(
                    "broken-cost-short", project=project, year=year, found=found, allowed=due, difference=due - found
                )
            elif found > due:
                yield error(
                    "broken-cost-over", project=project, year=year, found=found, allowed=due, difference=found - due
                )


class Payers:
    """Who may pay for a project, read from the sources and the `shares` rows."""

    def __init__(self, tables: Tables) -> None:
        ids = {project.id for project in tables.projects}
        self.sources = {source.id: (source, parse_selection(source.eligible)) for source in tables.sources}
        self._named: dict[str, list[Share]] = defaultdict(list)
        for row in tables.shares:
            if row.project in ids:
                self._named[row.project].append(row)
        self._selecting = [(row, parse_selection(row.project)) for row in tables.shares if row.project not in ids]

    def rows(self, option: Counted) -> list[Share]:
        """Return the `shares` rows that apply to a project in its mode."""
        rows = self._named.get(option.project.id, []) + [
            row for row, selection in self._selecting if selection.matches(option.project)
        ]
        return [row for row in rows if row.mode in ("", option.mode)]


def broken_payers(tables: Tables, funded: Funded, books: Books) -> Iterator[Issue]:
    """Every payer is eligible and, outside the state side, let in by a `shares` row; every share lies in its bounds."""
    payers = Payers(tables)
    for project, option in funded.items():
        if option is None:
            continue
        rows, account = payers.rows(option), books.by_project.get(project, {})
        invited = {source for row in rows for source in row.source}
        for name in dict.fromkeys(source for (_, source), amount in account.items() if amount):
            source, eligible = payers.sources[name]
            found = sum(amount for (_, payer), amount in account.items() if payer == name)
            if not eligible.matches(option.project):
                where = tables.place("sources", source, "eligible")
                yield error(
                    "broken-payer-ineligible", where, project=project, source=name, found=found, rule=source.eligible
                )
            elif source.side != "state" and name not in invited:
                yield error(
                    "broken-payer-uninvited", tables.place("sources", source), project=project, source=name, found=found
                )
        for row in rows:
            yield from _broken_share(tables, row, option, account)


def _broken_share(tables: Tables, row: Share, option: Counted, account: Mapping[Line, int]) -> Iterator[Issue]:
    """A share bounds whole units: from floor(min · cost) to ceil(max · cost), of the whole cost or of each year's."""
    bases = [(None, option.cost)] if row.per == "life" else sorted(option.costs.items())
    for year, cost in bases:
        found = sum(amount for (y, s), amount in account.items() if s in row.source and year in (None, y))
        least, most = floor(row.min * cost), ceil(row.max * cost)
        if least <= found <= most:
            continue
        over = found > most
        where = tables.place("shares", row, "max" if over else "min")
        arguments = {
            "project": option.project.id,
            "source": " + ".join(row.source),
            "year": year,
            "found": found,
            "allowed": most if over else least,
            "difference": found - most if over else least - found,
            "share": row.max if over else row.min,
        }
        if year is None:
            yield error("broken-share-over" if over else "broken-share-under", where, **arguments)
        else:
            yield error("broken-share-over-year" if over else "broken-share-under-year", where, **arguments)


def period_of(tables: Tables, text: str) -> Period:
    """Return the period that a cell of checked tables names.

    Raises
    ------
    ValueError
        When it names none, which only tables that were never checked do.
    """
    period = tables.settings.period(text)
    if period is None:
        raise ValueError(f"no period {text!r}")
    return period

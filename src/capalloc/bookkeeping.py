"""The payments of a plan against the tables: whether they equal the costs, and whether payers and shares hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, floor
from reprlib import Repr
from typing import Any

from capalloc.allocation import Payment
from capalloc.issues import Issue, error
from capalloc.past import opening_year
from capalloc.records import Share
from capalloc.recount import Counted, Spread
from capalloc.selection import parse_selection
from capalloc.settings import Period
from capalloc.tables import Tables, kept

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
        if not _is_plain(payment, projects, sources):
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


def _is_plain(payment: Payment, projects: Collection[str], sources: Collection[str]) -> bool:
    """Whether a payment is what nearly all are, seen at a glance: known names, and plain numbers within reach."""
    year, amount = payment.year, payment.amount
    return (
        type(payment.project) is type(payment.source) is str
        and type(year) is type(amount) is int
        and payment.project in projects
        and payment.source in sources
        and _YEARS.first <= year <= _YEARS.last
        and -_BEYOND < amount < _BEYOND
    )


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


def as_paid(option: Counted, books: Books) -> Counted:
    """Return an option with its cost by year known: what is paid, where the plan decides the yearly amounts."""
    if option.spread is None:
        return option
    return replace(
        option, costs={year: n for year, n in _by_year(books.by_project.get(option.project.id, {})).items() if n}
    )


def _by_year(account: Mapping[Line, int], opening: int = _YEARS.first) -> dict[int, int]:
    """What all sources pay in each year from an opening year on."""
    paid: dict[int, int] = defaultdict(int)
    for (year, _), amount in account.items():
        if year >= opening:
            paid[year] += amount
    return paid


def broken_past(tables: Tables, books: Books) -> Iterator[Issue]:
    """Before the year from which the plan decides, every payment is as it stands in `paid`, and there is no other."""
    opening = opening_year(tables.settings)
    facts: dict[tuple[str, Line], int] = defaultdict(int)
    for row in tables.paid:
        facts[row.project, (row.year, row.source)] += row.amount
    entered = {
        (project, line): amount
        for project, account in books.by_project.items()
        for line, amount in account.items()
        if line[0] < opening
    }
    places = {(row.project, (row.year, row.source)): row for row in tables.paid}
    for entry in sorted(facts.keys() | entered.keys()):
        found, allowed = entered.get(entry, 0), facts.get(entry, 0)
        if found != allowed:
            project, (year, source) = entry
            yield error(
                "broken-paid",
                tables.place("paid", places.get(entry), "amount"),
                project=project,
                source=source,
                year=year,
                found=found,
                allowed=allowed,
                difference=abs(found - allowed),
            )


def broken_costs(tables: Tables, funded: Funded, books: Books) -> Iterator[Issue]:
    """Every funded project is paid exactly its cost each year that the plan decides, and no other is paid anything."""
    opening = opening_year(tables.settings)
    paid = {project: _by_year(account, opening) for project, account in books.by_project.items()}
    for project, account in paid.items():
        if project not in funded and any(account.values()):
            yield error("broken-payment-unfunded", project=project, found=sum(account.values()))
    for project, option in funded.items():
        if option is None or not tables.sources:
            continue
        if option.spread:
            yield from _broken_spread(option, option.spread, paid.get(project, {}))
            continue
        due = {year: amount for year, amount in option.costs.items() if year >= opening}
        for year in sorted(due.keys() | paid.get(project, {}).keys()):
            amounts = paid.get(project, {}).get(year, 0), due.get(year, 0)
            yield from _missed(("broken-cost-short", "broken-cost-over"), amounts, project=project, year=year)


def _broken_spread(option: Counted, spread: Spread, paid: Mapping[int, int]) -> Iterator[Issue]:
    """Yearly amounts that the plan decides add up to the cost and lie in their bounds in every year of work."""
    named = {"project": option.project.id, "start": option.start, "finish": option.finish}
    if spread.total and not any(paid.values()):
        yield error("broken-spread-unpaid", allowed=spread.total, **named)
        return
    yield from _missed(("broken-spread-short", "broken-spread-over"), (sum(paid.values()), spread.total), **named)
    for year in sorted(paid.keys() | set(range(option.start, option.finish + 1))):
        found = paid.get(year, 0)
        if not option.start <= year <= option.finish:
            if found:
                yield error("broken-spread-outside", year=year, found=found, **named)
            continue
        bound = min(max(found, spread.least), spread.most)
        yield from _missed(("broken-spread-year-short", "broken-spread-year-over"), (found, bound), year=year, **named)


def _missed(codes: tuple[str, str], amounts: tuple[int, int], **named: Any) -> Iterator[Issue]:
    """Say that an amount is short of what it has to be, or over it."""
    found, allowed = amounts
    if found != allowed:
        code = codes[found > allowed]
        yield error(code, found=found, allowed=allowed, difference=abs(found - allowed), **named)


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
        self._rows: dict[tuple[str, str], list[Share]] = {}

    def rows(self, option: Counted) -> list[Share]:
        """Return the `shares` rows that apply to a project in its mode, looked for once."""
        key = (option.project.id, option.mode)
        if key not in self._rows:
            self._rows[key] = self._applying(option)
        return self._rows[key]

    def _applying(self, option: Counted) -> list[Share]:
        rows = self._named.get(option.project.id, []) + [
            row for row, selection in self._selecting if selection.matches(option.project)
        ]
        return [row for row in rows if row.mode in ("", option.mode)]


@kept("projects", "sources", "shares")
def payers_of(tables: Tables) -> Payers:
    """Return who may pay, read once for tables that share what says it."""
    return Payers(tables)


def broken_payers(tables: Tables, funded: Funded, books: Books) -> Iterator[Issue]:
    """Every payer is eligible and, outside the state side, let in by a `shares` row; every share lies in its bounds.

    Who paid before the plan is a fact that no row bars; a share of the life counts it.
    """
    payers, opening = payers_of(tables), opening_year(tables.settings)
    for project, option in funded.items():
        if option is None:
            continue
        rows, account = payers.rows(option), books.by_project.get(project, {})
        invited = {source for row in rows for source in row.source}
        ahead = {line: amount for line, amount in account.items() if line[0] >= opening}
        for name in dict.fromkeys(source for (_, source), amount in ahead.items() if amount):
            source, eligible = payers.sources[name]
            found = sum(amount for (_, payer), amount in ahead.items() if payer == name)
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
            # A row that allows nothing bars its sources from now on.
            yield from _broken_share(tables, row, option, account if row.max else ahead)


def _broken_share(tables: Tables, row: Share, option: Counted, account: Mapping[Line, int]) -> Iterator[Issue]:
    """A share bounds whole units: from floor(min · cost) to ceil(max · cost), of the whole cost or of each year's.

    What the law allows at most is never rounded up.
    """
    opening = opening_year(tables.settings)
    yearly = [(year, cost) for year, cost in sorted(option.costs.items()) if year >= opening]
    for year, cost in [(None, option.cost)] if row.per == "life" else yearly:
        found = sum(amount for (y, s), amount in account.items() if s in row.source and year in (None, y))
        least, most = floor(row.min * cost), (floor if row.legal else ceil)(row.max * cost)
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

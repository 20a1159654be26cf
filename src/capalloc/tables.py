"""The whole input of a portfolio as checked, frozen rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from operator import is_
from types import MappingProxyType
from typing import TypeVar

from capalloc.issues import Place
from capalloc.records import (
    Benefit,
    Capacity,
    Commitment,
    Contribution,
    Cost,
    Criterion,
    Dependency,
    Envelope,
    Indicator,
    Membership,
    Mode,
    Paid,
    PriceIndex,
    Priority,
    ProfileShare,
    Project,
    Resource,
    Row,
    Rule,
    Score,
    Share,
    Source,
    Synergy,
    Target,
    Use,
)
from capalloc.settings import Settings

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a table was read: its file (and sheet), and the heading the user gave to each column.

    In a workbook ``cells`` tells by the name of a column its letters and what stands above it, and ``header`` the row
    of the headings; for the settings it tells the address of each, and what stands beside it.
    """

    file: str = ""
    sheet: str = ""
    headings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    cells: Mapping[str, tuple[str, str]] = field(default_factory=lambda: MappingProxyType({}))
    header: int | None = None

    def place(self, row: int | None = None, column: str = "") -> Place:
        """Return the place of a cell, of a heading where no row is given, or of the whole."""
        letters, title = self.cells.get(column, ("", ""))
        number = self.header if row is None else row
        address = f"{letters}{'' if number is None else number}" if letters else ""
        return Place(self.file, self.sheet, row, column, address, title)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """The settings and the rows of every table, in the order of the input; a table that is absent is empty.

    ``origins`` tells, for each table that was given, where it came from.
    """

    settings: Settings
    projects: tuple[Project, ...] = ()
    modes: tuple[Mode, ...] = ()
    costs: tuple[Cost, ...] = ()
    benefits: tuple[Benefit, ...] = ()
    profiles: tuple[ProfileShare, ...] = ()
    price_index: tuple[PriceIndex, ...] = ()
    sources: tuple[Source, ...] = ()
    envelopes: tuple[Envelope, ...] = ()
    shares: tuple[Share, ...] = ()
    priorities: tuple[Priority, ...] = ()
    paid: tuple[Paid, ...] = ()
    committed: tuple[Commitment, ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    groups: tuple[Membership, ...] = ()
    criteria: tuple[Criterion, ...] = ()
    scores: tuple[Score, ...] = ()
    resources: tuple[Resource, ...] = ()
    uses: tuple[Use, ...] = ()
    capacities: tuple[Capacity, ...] = ()
    indicators: tuple[Indicator, ...] = ()
    contributions: tuple[Contribution, ...] = ()
    targets: tuple[Target, ...] = ()
    rules: tuple[Rule, ...] = ()
    synergies: tuple[Synergy, ...] = ()
    origins: Mapping[str, Origin] = field(default_factory=lambda: MappingProxyType({}))

    def rows(self, table: str) -> tuple[Row, ...]:
        """Return the rows of a table by its name."""
        rows: tuple[Row, ...] = getattr(self, table)
        return rows

    def place(self, table: str, row: Row | None = None, column: str = "") -> Place:
        """Return where a row (and one of its columns) stands in the user's input."""
        origin = self.origins.get(table, Origin(file=table))
        return origin.place(row.row if row else None, origin.headings.get(column, column))


def kept(*parts: str) -> Callable[[Callable[[Tables], T]], Callable[[Tables], T]]:
    """Keep the last answer of a function of tables for tables that share the named parts, which are all it reads."""

    def keeping(function: Callable[[Tables], T]) -> Callable[[Tables], T]:
        last: list[tuple[tuple[object, ...], T]] = []

        @wraps(function)
        def answer(tables: Tables) -> T:
            read = tuple(getattr(tables, name) for name in parts)
            known = last[0] if last else None
            if known is None or not all(map(is_, known[0], read)):
                known = (read, function(tables))
                last[:] = [known]
            return known[1]

        return answer

    return keeping

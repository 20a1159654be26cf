"""What the tables say of one option, counted anew for the verifier: its years, its yearly cost, its value and its uses.

Nothing here is shared with the compiler, so that a mistake in either shows as a disagreement between the two.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from math import floor
from typing import TypeVar

from capalloc.records import Benefit, Mode, Project
from capalloc.settings import VALUE_GRID
from capalloc.tables import Tables

_HALF = Fraction(1, 2)

K = TypeVar("K")
L = TypeVar("L")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Counted:
    """One option of a project: a mode and a start year, with all that follows from them.

    ``earliest`` and ``latest`` bound the start year.  ``costs`` holds million VND by year, without years that cost
    nothing.  ``value`` is discounted and on the grid, before class weights.
    """

    project: Project
    mode: str
    start: int
    finish: int
    earliest: int
    latest: int
    costs: Mapping[int, int]
    value: Fraction

    @property
    def cost(self) -> int:
        """The cost over its life, in million VND."""
        return sum(self.costs.values())

    @property
    def end(self) -> int:
        """The last year of work or of payment."""
        return max([self.finish, *self.costs])


class Recount:
    """The tables opened at the rows of each project and mode."""

    def __init__(self, tables: Tables) -> None:
        self.settings = tables.settings
        self.projects = {project.id: project for project in tables.projects}
        self._modes = _modes(tables)
        self._costs = _gathered((row.project, row.mode, (row.offset, row.amount)) for row in tables.costs)
        self._profiles = _gathered((row.profile, row.duration, (row.offset, row.share)) for row in tables.profiles)
        self._benefits = _gathered((row.project, row.mode, row) for row in tables.benefits)
        self._scores = _gathered((row.project, row.mode, (row.criterion, row.score)) for row in tables.scores)
        self._uses = _gathered((row.project, row.mode, (row.resource, row.offset, row.amount)) for row in tables.uses)
        self._criteria = {row.criterion: row for row in tables.criteria}
        self._growth = 1 + Fraction(tables.settings.discount_rate)
        self._factors: dict[int, Fraction] = {}
        self._parts: dict[tuple[str, int], Sequence[tuple[int, Fraction]]] = {}

    def modes(self, project: str) -> Sequence[str]:
        """Return the names of a project's modes; the empty name alone where it has none."""
        return list(self._modes.get(project, ("",)))

    def option(self, project: str, mode: str, start: int) -> Counted:
        """Return the figures of a project done in one of its modes from a start year."""
        own = self.projects[project]
        variant = self._modes[project][mode] if project in self._modes else Mode()
        duration = own.duration if variant.duration is None else variant.duration
        earliest = own.earliest_start if variant.earliest_start is None else variant.earliest_start
        latest = own.latest_start if variant.latest_start is None else variant.latest_start
        first_year, last_year = self.settings.first_year, self.settings.last_year
        finish = start + duration - 1
        return Counted(
            own,
            mode,
            start,
            finish,
            first_year if earliest is None else max(earliest, first_year),
            last_year if latest is None else min(latest, last_year),
            {start + offset: amount for offset, amount in self._stream(own, mode, variant, duration) if amount},
            self._value(own, mode, variant, (start, finish)),
        )

    def uses(self, option: Counted) -> Iterator[tuple[str, int, Fraction]]:
        """Yield the resource, year and amount of everything an option uses."""
        for resource, offset, amount in self._uses.get((option.project.id, option.mode), ()):
            yield resource, option.start + offset, amount

    def _stream(self, project: Project, mode: str, variant: Mode, duration: int) -> Iterable[tuple[int, int]]:
        """The cost by offset: the rows of `costs`, else the total cut at rounded cumulative amounts."""
        explicit = self._costs.get((project.id, mode))
        if explicit is not None:
            return explicit
        total = (project.cost if variant.cost is None else variant.cost) or 0
        profile = variant.profile or project.profile
        if (profile, duration) not in self._parts:
            even = [(offset, Fraction(1, duration)) for offset in range(duration)]
            self._parts[profile, duration] = _running(self._profiles[profile, duration] if profile else even)
        return _cut(total, self._parts[profile, duration])

    def _value(self, project: Project, mode: str, variant: Mode, years: tuple[int, int]) -> Fraction:
        objective = self.settings.objective
        if objective.value_from == "benefits":
            rows = self._benefits.get((project.id, mode), ())
            exact = sum((row.amount * self._factor(_year_of(row, years)) for row in rows), Fraction(0))
        else:
            when = years[0] if objective.at == "start" else years[1]
            exact = self._worth(project, mode, variant) * self._factor(when)
        return floor(exact / VALUE_GRID + _HALF) * VALUE_GRID

    def _worth(self, project: Project, mode: str, variant: Mode) -> Fraction:
        """The value before discounting, from the column or from the scores."""
        source = self.settings.objective.value_from
        if source == "column":
            return (project.value if variant.value is None else variant.value) or Fraction(0)
        score = sum((self._points(*entry) for entry in self._scores.get((project.id, mode), ())), Fraction(0))
        return score * (project.size or 0) if source == "score_size" else score

    def _points(self, criterion: str, score: Fraction) -> Fraction:
        row = self._criteria[criterion]
        best, worst = (row.high, row.low) if row.direction == "max" else (row.low, row.high)
        return row.weight * (score - worst) / (best - worst)

    def _factor(self, year: int) -> Fraction:
        if year not in self._factors:
            self._factors[year] = self._growth ** (self.settings.first_year - year)
        return self._factors[year]


def _modes(tables: Tables) -> dict[str, dict[str, Mode]]:
    modes: dict[str, dict[str, Mode]] = defaultdict(dict)
    for row in tables.modes:
        modes[row.project][row.mode] = row
    return dict(modes)


def _gathered(entries: Iterable[tuple[K, L, V]]) -> dict[tuple[K, L], list[V]]:
    groups: dict[tuple[K, L], list[V]] = {}
    for first, second, entry in entries:
        groups.setdefault((first, second), []).append(entry)
    return groups


def _running(shares: Iterable[tuple[int, Fraction]]) -> Sequence[tuple[int, Fraction]]:
    """Turn the share of each year into the part paid by its end."""
    ordered = sorted(shares)
    return list(zip((offset for offset, _ in ordered), accumulate(share for _, share in ordered), strict=True))


def _cut(total: int, parts: Iterable[tuple[int, Fraction]]) -> Iterator[tuple[int, int]]:
    """Cut a total so that what is paid by the end of each year is its exact part, rounded half up."""
    before = 0
    for offset, part in parts:
        # Whole numbers only: this runs for every year of every project.
        after = (2 * total * part.numerator + part.denominator) // (2 * part.denominator)
        yield offset, after - before
        before = after


def _year_of(benefit: Benefit, years: tuple[int, int]) -> int:
    start, finish = years
    return benefit.offset + (start if benefit.from_ == "start" else finish)

"""What the tables say of one option, counted anew for the verifier: its years, its yearly cost, its value and its uses.

Nothing here is shared with the compiler, so that a mistake in either shows as a disagreement between the two.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from itertools import accumulate
from math import ceil, floor
from typing import TypeVar

from capalloc.past import opening_year, read_pasts
from capalloc.records import Benefit, Mode, Project
from capalloc.settings import VALUE_GRID
from capalloc.tables import Tables

_HALF = Fraction(1, 2)

K = TypeVar("K")
L = TypeVar("L")
V = TypeVar("V")


_FLEXIBLE = "flexible"

_COUNTED = tuple(field.name for field in fields(Tables) if field.name not in ("envelopes", "capacities", "origins"))
_SCORED = ("settings", "criteria", "scores")


@dataclass(frozen=True, slots=True)
class Spread:
    """What a plan pays for an option whose yearly amounts it decides, in million VND.

    In all it is ``total``, and in each year of work from ``least`` to ``most``.
    """

    total: int
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Counted:
    """One option of a project: a mode and a start year, with all that follows from them.

    ``earliest`` and ``latest`` bound the start year, unless the project was ``begun`` before the plan.  ``costs`` holds
    million VND by year, at the prices of that year where prices are nominal, without years that cost nothing.  Where
    the plan decides the yearly amounts, ``spread`` bounds them, and ``costs`` is empty until the payments are known.
    ``value`` is discounted and on the grid, before class weights.  ``class_`` is the priority class by the phase of the
    start, ``None`` where there is none.  Cost and value are those at the ``scale``.
    """

    project: Project
    mode: str
    start: int
    finish: int
    earliest: int
    latest: int
    costs: Mapping[int, int]
    value: Fraction
    class_: int | None
    begun: bool = False
    spread: Spread | None = None
    scale: Fraction = Fraction(1)

    @property
    def cost(self) -> int:
        """The cost over its life, in million VND."""
        return self.spread.total if self.spread else sum(self.costs.values())

    @property
    def end(self) -> int:
        """The last year of work or of payment."""
        return self.finish if self.spread else max([self.finish, *self.costs])


_last: list[Recount] = []


def recount_of(tables: Tables) -> Recount:
    """Return the recount of tables: that of the last ones, where these share every part that is counted with them.

    What envelopes and capacities hold is no part of what an option costs, is worth or uses.
    """
    known = _last[0] if _last else None
    if known is not None and _share(known.tables, tables, _COUNTED):
        return known
    recount = Recount(tables, known)
    _last[:] = [recount]
    return recount


def _share(one: Tables, other: Tables, parts: Iterable[str]) -> bool:
    return all(getattr(one, name) is getattr(other, name) for name in parts)


class Recount:
    """The tables opened at the rows of each project and mode.

    Parameters
    ----------
    known
        The recount of other tables; scores that they share are not added up again.
    """

    def __init__(self, tables: Tables, known: Recount | None = None) -> None:
        self.tables = tables
        self.settings = tables.settings
        self.projects = {project.id: project for project in tables.projects}
        self.pasts = read_pasts(tables)
        self._opening = opening_year(tables.settings)
        self._modes = _modes(tables)
        self._costs = _gathered((row.project, row.mode, (row.offset, row.amount)) for row in tables.costs)
        self._profiles = _gathered((row.profile, row.duration, (row.offset, row.share)) for row in tables.profiles)
        self._benefits = _gathered((row.project, row.mode, row) for row in tables.benefits)
        self._scores = _gathered((row.project, row.mode, (row.criterion, row.score)) for row in tables.scores)
        self._uses = _gathered((row.project, row.mode, (row.resource, row.offset, row.amount)) for row in tables.uses)
        self._criteria = {row.criterion: row for row in tables.criteria}
        self._classes = {(row.project, row.mode, row.phase): row.class_ for row in tables.priorities}
        self._phases = {
            year: phase.name for phase in self.settings.phases for year in range(phase.first, phase.last + 1)
        }
        self._index = {row.year: row.index for row in tables.price_index}
        self._growth = 1 + Fraction(tables.settings.discount_rate)
        self._factors: dict[int, Fraction] = {}
        self._slopes: dict[str, tuple[Fraction, Fraction]] = {}
        self._parts: dict[tuple[str, int], Sequence[tuple[int, Fraction]]] = {}
        self._counted: dict[tuple[str, str, int], Counted] = {}
        shared = known is not None and _share(known.tables, tables, _SCORED)
        self.scored: dict[tuple[str, str], Fraction] = known.scored if known is not None and shared else {}

    def modes(self, project: str) -> Sequence[str]:
        """Return the names of a project's modes; the empty name alone where it has none."""
        return list(self._modes.get(project, ("",)))

    def option(self, project: str, mode: str, start: int) -> Counted:
        """Return the figures of a project done in one of its modes from a start year, counted once."""
        key = (project, mode, start)
        if key not in self._counted:
            self._counted[key] = self._count(*key)
        return self._counted[key]

    def _count(self, project: str, mode: str, start: int) -> Counted:
        own = self.projects[project]
        variant = self._variant(project, mode)
        duration = _duration(own, variant)
        earliest = own.earliest_start if variant.earliest_start is None else variant.earliest_start
        latest = own.latest_start if variant.latest_start is None else variant.latest_start
        first_year, last_year = self.settings.first_year, self.settings.last_year
        finish = start + duration - 1
        spread = _spread(own, variant)
        return Counted(
            own,
            mode,
            start,
            finish,
            first_year if earliest is None else max(earliest, first_year),
            last_year if latest is None else min(latest, last_year),
            {} if spread else self._yearly(own, mode, variant, start),
            self._value(own, mode, variant, (start, finish)),
            self._class(own, mode, start),
            project in self.pasts,
            spread,
        )

    def unpriced(self, project: str, mode: str, start: int) -> int | None:
        """Return the first year that an option needs a price index of and has none; ``None`` when it has all."""
        if self.settings.prices != "nominal":
            return None
        own, variant = self.projects[project], self._variant(project, mode)
        if _spread(own, variant):
            return None
        needed = [] if own.price_year is None else [own.price_year]
        needed += [year for year, due in self._dues(own, mode, variant, start) if due]
        return next((year for year in needed if not self._index.get(year)), None)

    def uses(self, option: Counted) -> Iterator[tuple[str, int, Fraction]]:
        """Yield the resource, year and amount of everything an option uses at its scale."""
        for resource, offset, amount in self._uses.get((option.project.id, option.mode), ()):
            yield resource, option.start + offset, amount * option.scale

    def _variant(self, project: str, mode: str) -> Mode:
        return self._modes[project][mode] if project in self._modes else Mode()

    def _yearly(self, project: Project, mode: str, variant: Mode, start: int) -> dict[int, int]:
        """The cost by year: what was paid before the plan, and what is due from then on."""
        past = self.pasts.get(project.id)
        if past is None and self.settings.prices != "nominal":
            due: Iterable[tuple[int, int]] = (
                (start + offset, amount) for offset, amount in self._stream(project, mode, variant)
            )
        else:
            due = self._rounded(project, self._dues(project, mode, variant, start))
        return {year: amount for year, amount in (*(past.paid.items() if past else ()), *due) if amount}

    def _rounded(self, project: Project, dues: Iterable[tuple[int, Fraction]]) -> Iterator[tuple[int, int]]:
        """What is due by year in whole units, at the prices of each year where prices are nominal."""
        ordered = sorted(dues)
        reached = accumulate(due * self._level(project, year) if due else due for year, due in ordered)
        return _differences(zip((year for year, _ in ordered), (floor(sum_ + _HALF) for sum_ in reached), strict=True))

    def _level(self, project: Project, year: int) -> Fraction:
        """The price level of a year against that of the prices in which the project's cost is written."""
        if self.settings.prices != "nominal":
            return Fraction(1)
        return self._index[year] / (1 if project.price_year is None else self._index[project.price_year])

    def _dues(self, project: Project, mode: str, variant: Mode, start: int) -> Iterable[tuple[int, Fraction]]:
        """What the plan has to pay by year, before index and rounding."""
        past = self.pasts.get(project.id)
        opening = self._opening if past else start
        explicit = self._costs.get((project.id, mode))
        if explicit is not None:
            dues = [(start + offset, Fraction(amount)) for offset, amount in explicit]
            return [(year, due) for year, due in dues if year >= opening]
        rest = Fraction(_total(project, variant) - (sum(past.paid.values()) if past else 0))
        shares = [(start + offset, share) for offset, share in self._shares(project, variant)]
        ahead = [(year, share) for year, share in shares if year >= opening]
        whole = sum(share for _, share in ahead)
        return [(year, rest * share / whole) for year, share in ahead] if whole else [(opening, rest)]

    def _stream(self, project: Project, mode: str, variant: Mode) -> Iterable[tuple[int, int]]:
        """The cost by offset: the rows of `costs`, else the total cut at rounded cumulative amounts."""
        explicit = self._costs.get((project.id, mode))
        if explicit is not None:
            return explicit
        key = (variant.profile or project.profile, _duration(project, variant))
        if key not in self._parts:
            self._parts[key] = _running(self._shares(project, variant))
        return _cut(_total(project, variant), self._parts[key])

    def _shares(self, project: Project, variant: Mode) -> Iterable[tuple[int, Fraction]]:
        profile, duration = variant.profile or project.profile, _duration(project, variant)
        if profile:
            return self._profiles[profile, duration]
        return [(offset, Fraction(1, duration)) for offset in range(duration)]

    def _class(self, project: Project, mode: str, start: int) -> int | None:
        phase = self._phases.get(start, "")
        own = self._classes.get((project.id, mode, phase))
        return own if own is not None else self._classes.get((project.id, "", phase), project.priority)

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
        key = (project.id, mode)
        if key not in self.scored:
            self.scored[key] = sum((self._points(*entry) for entry in self._scores.get(key, ())), Fraction(0))
        score = self.scored[key]
        return score * (project.size or 0) if source == "score_size" else score

    def _points(self, criterion: str, score: Fraction) -> Fraction:
        if criterion not in self._slopes:
            row, objective = self._criteria[criterion], self.settings.objective
            part = objective.sets.get(row.set, 0) if objective.sets else int(row.set == objective.criteria)
            best, worst = (row.high, row.low) if row.direction == "max" else (row.low, row.high)
            self._slopes[criterion] = (Fraction(part) * row.weight / (best - worst) if part else Fraction(0), worst)
        slope, worst = self._slopes[criterion]
        return slope * (score - worst) if slope else slope

    def _factor(self, year: int) -> Fraction:
        if year not in self._factors:
            self._factors[year] = self._growth ** (self.settings.first_year - year)
        return self._factors[year]


def _modes(tables: Tables) -> dict[str, dict[str, Mode]]:
    modes: dict[str, dict[str, Mode]] = defaultdict(dict)
    for row in tables.modes:
        modes[row.project][row.mode] = row
    return dict(modes)


def _duration(project: Project, variant: Mode) -> int:
    return project.duration if variant.duration is None else variant.duration


def _spread(project: Project, variant: Mode) -> Spread | None:
    """The bounds of the yearly amounts, where the plan decides them."""
    if (variant.profile or project.profile) != _FLEXIBLE:
        return None
    total = _total(project, variant)
    least = project.year_min if variant.year_min is None else variant.year_min
    most = project.year_max if variant.year_max is None else variant.year_max
    return Spread(total, floor((least or 0) * total), total if most is None else ceil(most * total))


def _total(project: Project, variant: Mode) -> int:
    return (project.cost if variant.cost is None else variant.cost) or 0


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
    # Whole numbers only: this runs for every year of every project.
    return _differences(
        (offset, (2 * total * part.numerator + part.denominator) // (2 * part.denominator)) for offset, part in parts
    )


def _differences(reached: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Turn what is paid by the end of each year into what is paid in it."""
    before = 0
    for offset, after in reached:
        yield offset, after - before
        before = after


def _year_of(benefit: Benefit, years: tuple[int, int]) -> int:
    start, finish = years
    return benefit.offset + (start if benefit.from_ == "start" else finish)

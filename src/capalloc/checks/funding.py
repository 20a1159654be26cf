"""Sources, envelopes, shares and resources: every year has its ceiling, and every project that must be paid can be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from capalloc.ceilings import find_carries, find_ceilings
from capalloc.checks.amounts import still_due
from capalloc.checks.past import histories
from capalloc.checks.timing import Way, must_be_funded, ways
from capalloc.costing import Costing
from capalloc.issues import Issue, error, warning
from capalloc.records import Envelope
from capalloc.selection import BadSelection, attribute_columns, parse_selection
from capalloc.tables import Tables


def check_shares(tables: Tables) -> Iterator[Issue]:
    """No share is to be at least more than it may be at most."""
    for row in tables.shares:
        if row.min > row.max:
            yield error("share-reversed", tables.place("shares", row, "min"), least=row.min, most=row.max)


def check_share_sums(tables: Tables) -> Iterator[Issue]:
    """Of no project more than the whole cost is asked from its sources."""
    sums: dict[tuple[str, str, str], Fraction] = defaultdict(Fraction)
    counted: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    told: set[int] = set()
    selected = Selected(tables)
    # Rows over one source first: of rows that overlap only the first ones may be added up.
    for number, row in sorted(enumerate(tables.shares), key=lambda item: len(item[1].source)):
        if not row.min:
            continue
        for project in sorted(selected(row.project)):
            key = (project, row.mode, row.per)
            if counted[key].isdisjoint(row.source):
                counted[key].update(row.source)
                sums[key] += row.min
                if sums[key] > 1 and number not in told:
                    told.add(number)
                    where = tables.place("shares", row, "min")
                    yield error("shares-over-one", where, project=project, found=sums[key])


class Selected:
    """The ids of the projects that a cell names: the one whose id it is, or all that it selects."""

    def __init__(self, tables: Tables) -> None:
        self.projects = tables.projects
        self.attributes = attribute_columns(tables.projects)
        self.found = {project.id: frozenset({project.id}) for project in tables.projects}

    def __call__(self, cell: str) -> frozenset[str]:
        """Return the ids; none where the cell cannot be read."""
        if cell not in self.found:
            self.found[cell] = self._matching(cell)
        return self.found[cell]

    def _matching(self, cell: str) -> frozenset[str]:
        try:
            selection = parse_selection(cell)
            selection.check(self.attributes)
        except BadSelection:
            return frozenset()
        return frozenset(project.id for project in self.projects if selection.matches(project))


class _Payers:
    """Which sources may pay for which projects."""

    def __init__(self, tables: Tables) -> None:
        selected = Selected(tables)
        everything = frozenset(project.id for project in tables.projects)
        self.eligible = {s.id: selected(s.eligible) if s.eligible else everything for s in tables.sources}
        self.shares = [(row, selected(row.project)) for row in tables.shares]
        self.named: Mapping[str, set[str]] = defaultdict(set)
        self.barred: Mapping[str, set[str]] = defaultdict(set)
        for row, projects in self.shares:
            for source in row.source:
                if row.max > 0:
                    self.named[source].update(projects)
                elif not row.mode:
                    self.barred[source].update(projects)
        self.may_pay = {
            s.id: (self.eligible[s.id] if s.side == "state" else self.eligible[s.id] & self.named[s.id])
            - self.barred[s.id]
            for s in tables.sources
        }


def check_payers(tables: Tables) -> Iterator[Issue]:
    """A project that must be funded has a source that may pay for it, and every source and row of shares has a use."""
    if not tables.sources:
        return
    payers = _Payers(tables)
    must = must_be_funded(tables)
    paid_for, settled = frozenset[str]().union(*payers.may_pay.values()), _settled(tables)
    costly = {row.project for row in tables.costs} | {mode.project for mode in tables.modes}
    for project in tables.projects:
        if project.id in must and project.id not in paid_for | settled and (project.cost or project.id in costly):
            yield error("no-payer", tables.place("projects", project, "id"), project=project.id)
    paying = {row.source for row in tables.paid}
    for source in tables.sources:
        if not payers.may_pay[source.id] and source.id not in paying:
            yield warning("unused-source", tables.place("sources", source, "id"), source=source.id)
    for row, projects in payers.shares:
        known = [source for source in row.source if source in payers.eligible]
        idle = [source for source in known if projects and projects.isdisjoint(payers.eligible[source])]
        if idle:
            where = tables.place("shares", row, "source")
            yield warning("ineligible-share", where, sources=", ".join(idle), project=row.project)


def _settled(tables: Tables) -> frozenset[str]:
    """The projects with a history for which nothing is left to pay."""
    costing, going_on = Costing(tables), (way for way in ways(tables) if way.goes_on)
    settled = (way.project.id for way in going_on if not still_due(tables, costing, way))
    return frozenset(settled) if histories(tables) else frozenset()


def check_paid_sources(tables: Tables) -> Iterator[Issue]:
    """What was paid was paid by a source that may pay for such projects; a doubt, for rules change."""
    payers = _Payers(tables)
    told: set[tuple[str, str]] = set()
    for row in tables.paid:
        barred = row.source in payers.may_pay and row.project not in payers.may_pay[row.source]
        if barred and (row.project, row.source) not in told:
            told.add((row.project, row.source))
            where = tables.place("paid", row, "source")
            yield warning("paid-by-barred", where, project=row.project, source=row.source)


def check_paid_rooms(tables: Tables) -> Iterator[Issue]:
    """No envelope was spent beyond its room and what the phase before may have passed on to it."""
    known = {source.id for source in tables.sources}
    rows = [row for row in tables.envelopes if tables.settings.period(row.period) and known.issuperset(row.source)]
    sound = replace(tables, envelopes=tuple(rows))
    ceilings = tuple(find_ceilings(sound))
    most = [ceiling.left for ceiling in ceilings]
    for carry in find_carries(sound, ceilings):
        most[carry.taker] += max(0, min(carry.most, most[carry.giver]))
    for row, ceiling, left in zip(rows, ceilings, most, strict=True):
        if left < 0:
            where = tables.place("envelopes", row, "amount")
            names = {"source": "+".join(row.source), "period": row.period}
            yield error("paid-over-envelope", where, **names, paid=ceiling.paid, room=ceiling.paid + left, over=-left)


def check_envelope_gaps(tables: Tables) -> Iterator[Issue]:
    """Every year of the horizon has an envelope for every source that is not unlimited."""
    settings = tables.settings
    covered: dict[str, set[int]] = defaultdict(set)
    for row in tables.envelopes:
        period = settings.period(row.period)
        for name in row.source:
            covered[name].update(period or ())
    for source in tables.sources:
        gaps = [year for year in settings.horizon if year not in covered[source.id]]
        if gaps and not source.unlimited:
            yield error("envelope-gap", tables.place("sources", source, "id"), source=source.id, years=written(gaps))


def check_same_period(tables: Tables) -> Iterator[Issue]:
    """No two envelopes of the same sources, and no two capacities of a resource, run over the same years."""
    firsts: dict[tuple[str, frozenset[str], int, int], int | None] = {}
    for table in ("envelopes", "capacities"):
        for row in tables.rows(table):
            owners = row.source if isinstance(row, Envelope) else (getattr(row, "resource", ""),)
            written_period: str = getattr(row, "period", "")
            period = tables.settings.period(written_period)
            if period is None:
                continue
            key = (table, frozenset(owners), period.first, period.last)
            if key in firsts:
                where = tables.place(table, row, "period")
                yield error("same-period", where, found=written_period, first=firsts[key])
            firsts.setdefault(key, row.row)


def check_capacity_gaps(tables: Tables) -> Iterator[Issue]:
    """Every year in which a resource can be used has a capacity."""
    settings = tables.settings
    covered: dict[str, set[int]] = defaultdict(set)
    for capacity in tables.capacities:
        covered[capacity.resource].update(settings.period(capacity.period) or ())
    possible = _years_of_use(tables, {(way.project.id, way.name): way for way in ways(tables)})
    for resource in tables.resources:
        gaps = sorted(year for year in possible.get(resource.id, ()) if year not in covered[resource.id])
        if gaps:
            where = tables.place("resources", resource, "id")
            yield error("capacity-gap", where, resource=resource.id, years=written(gaps))


def _years_of_use(tables: Tables, known: Mapping[tuple[str, str], Way]) -> Mapping[str, set[int]]:
    horizon = set(tables.settings.horizon)
    starts = {key: way.starts(tables.settings) for key, way in known.items()}
    possible: dict[str, set[int]] = defaultdict(set)
    for use in tables.uses:
        if use.amount:
            possible[use.resource].update(start + use.offset for start in starts.get((use.project, use.mode), ()))
    return {resource: years & horizon for resource, years in possible.items()}


def written(years: Sequence[int]) -> str:
    """Return years with runs drawn together.

    Examples
    --------
    >>> written([2021, 2022, 2023, 2026])
    '2021–2023, 2026'
    """
    runs: list[list[int]] = []
    for year in years:
        if runs and year == runs[-1][-1] + 1:
            runs[-1].append(year)
        else:
            runs.append([year])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs)

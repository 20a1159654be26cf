"""Time and logic: start windows, dependencies, groups, and what is already decided."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from capalloc.checks.past import Past, histories
from capalloc.costing import FLEXIBLE
from capalloc.history import first_open_year
from capalloc.issues import Issue, error, warning
from capalloc.records import Dependency, Membership, Mode, Project
from capalloc.settings import Settings
from capalloc.tables import Tables, kept

if TYPE_CHECKING:
    import networkx as nx

ORDERED_KINDS = ("requires", "finish_start", "start_start")
START_KINDS = ("finish_start", "start_start")


@dataclass(frozen=True, slots=True)
class Way:
    """A project in one of its modes (``None`` where it has none): its window and how long it lasts.

    ``span`` counts the years from the start to the last year of work or of payment.  A project with a ``past`` has one
    way at most, whatever its window.
    """

    project: Project
    mode: Mode | None
    earliest: int
    latest: int
    duration: int
    span: int
    past: Past | None = None

    @property
    def name(self) -> str:
        """The name of the mode; empty where the project has none."""
        return self.mode.mode if self.mode else ""

    @property
    def profile(self) -> str:
        """The profile of the mode, or of the project where the mode has none."""
        return (self.mode.profile if self.mode else "") or self.project.profile

    @property
    def goes_on(self) -> bool:
        """Whether this is the way in which a project with a history goes on."""
        return self.past is not None and self.past.is_known and self.past.mode == self.name

    @property
    def is_flexible(self) -> bool:
        """Whether the plan decides what is paid in which year."""
        return self.profile == FLEXIBLE

    @property
    def cost(self) -> int | None:
        """The total cost of the mode, or of the project where the mode has none."""
        return self.project.cost if self.mode is None or self.mode.cost is None else self.mode.cost

    def starts(self, settings: Settings) -> list[int]:
        """Return the start years inside window, decided years and, where projects may not cross a border, phase."""
        if self.past is not None:
            return [self.past.start] if self.goes_on and self.past.start is not None else []
        last = settings.last_year if settings.may_run_over else settings.last_year - self.span + 1
        years = range(max(self.earliest, first_open_year(settings)), min(self.latest, last) + 1)
        if settings.may_cross_phase or not settings.phases:
            return list(years)
        ends = ((year, year + self.span - 1) for year in years)
        return [start for start, end in ends if any(p.first <= start and end <= p.last for p in settings.phases)]


@kept("settings", "projects", "modes", "costs", "profiles", "committed", "paid")
def ways(tables: Tables) -> tuple[Way, ...]:
    """Return every project in each of its modes, in the order of the tables."""
    return tuple(_ways(tables))


def _ways(tables: Tables) -> Iterator[Way]:
    by_cost: dict[tuple[str, str], int] = {}
    for row in tables.costs:
        key = (row.project, row.mode)
        by_cost[key] = max(by_cost.get(key, -1), row.offset if row.amount else -1)
    by_profile: dict[tuple[str, int], int] = {}
    for share in tables.profiles:
        years = (share.profile, share.duration)
        by_profile[years] = max(by_profile.get(years, -1), share.offset if share.share else -1)
    modes: dict[str, list[Mode]] = defaultdict(list)
    for mode in tables.modes:
        modes[mode.project].append(mode)
    pasts = histories(tables)
    for project in tables.projects:
        alternatives: Sequence[Mode | None] = modes.get(project.id) or (None,)
        for own in alternatives:
            earliest, latest = _window(tables.settings, project, own or Mode())
            duration = (own.duration if own else None) or project.duration
            profile = (own.profile if own else "") or project.profile
            key = project.id, own.mode if own else ""
            last_paid = by_cost.get(key, by_profile.get((profile, duration), -1))
            span = max(duration, last_paid + 1)
            yield Way(project, own, earliest, latest, duration, span, pasts.get(project.id))


def _window(settings: Settings, project: Project, mode: Mode) -> tuple[int, int]:
    first, last = mode.earliest_start or project.earliest_start, mode.latest_start or project.latest_start
    decided = first_open_year(settings)
    # A window with one end outside the horizon is empty, not reversed.
    earliest = first or min(decided, last or decided)
    return earliest, last or max(settings.last_year, earliest)


def check_reversed(tables: Tables) -> Iterator[Issue]:
    """No window ends before it begins."""
    owners = {project.id: project for project in tables.projects}
    rows: list[tuple[str, Project | Mode]] = [("projects", project) for project in tables.projects]
    rows += [("modes", mode) for mode in tables.modes if mode.project in owners]
    for table, row in rows:
        owner = owners[row.project] if isinstance(row, Mode) else row
        earliest = row.earliest_start or owner.earliest_start
        latest = row.latest_start or owner.latest_start
        if (row.earliest_start or row.latest_start) and earliest and latest and earliest > latest:
            column = "latest_start" if row.latest_start else "earliest_start"
            yield error("window-reversed", tables.place(table, row, column), earliest=earliest, latest=latest)


def check_windows(tables: Tables) -> Iterator[Issue]:
    """Every project has a start inside window and horizon; an error where it must be funded."""
    settings, must = tables.settings, must_be_funded(tables)
    by_project: dict[str, list[Way]] = defaultdict(list)
    for way in ways(tables):
        by_project[way.project.id].append(way)
    for project, alternatives in by_project.items():
        if alternatives[0].past is not None:
            continue
        shut = [way for way in alternatives if not way.starts(settings) and way.earliest <= way.latest]
        tell = error if project in must and len(shut) == len(alternatives) else warning
        for way in shut:
            table, row = ("modes", way.mode) if way.mode else ("projects", way.project)
            years = {"earliest": way.earliest, "latest": way.latest, "span": way.span}
            horizon = {"first": first_open_year(settings), "last": settings.last_year}
            yield tell(
                "no-start", tables.place(table, row, _binding(way, settings)), project=project, **years, **horizon
            )


def _binding(way: Way, settings: Settings) -> str:
    """Return the column that leaves no start: the window where it misses the horizon, else the duration."""
    if way.earliest > settings.last_year:
        return "earliest_start"
    return "latest_start" if way.latest < first_open_year(settings) else "duration"


def must_be_funded(tables: Tables) -> frozenset[str]:
    """Return the projects that every plan funds: the mandatory ones, those committed in and those that go on."""
    committed = {row.project for row in tables.committed if row.decision == "in"}
    going_on = {name for name, past in histories(tables).items() if not past.stopped}
    return frozenset(committed | going_on | {project.id for project in tables.projects if project.mandatory})


def barred(tables: Tables) -> frozenset[str]:
    """Return the projects that no plan funds, because that was decided."""
    return frozenset(row.project for row in tables.committed if row.decision == "out")


def check_commitments(tables: Tables) -> Iterator[Issue]:
    """What is already decided agrees with itself and with the start windows."""
    starts: dict[tuple[str, str], set[int]] = defaultdict(set)
    for way in ways(tables):
        starts[way.project.id, way.name].update(way.starts(tables.settings))
        starts[way.project.id, ""].update(way.starts(tables.settings))
    mandatory = {project.id for project in tables.projects if project.mandatory}
    pasts, first = histories(tables), first_open_year(tables.settings)
    for row in tables.committed:
        if row.decision == "out":
            if row.project in mandatory:
                yield error("mandatory-out", tables.place("committed", row, "decision"), project=row.project)
            if row.mode or row.start is not None:
                column = "mode" if row.mode else "start"
                yield error("out-with-details", tables.place("committed", row, column), project=row.project)
        elif row.start is not None and row.start not in starts[row.project, row.mode]:
            where = tables.place("committed", row, "start")
            if row.start < first and row.project not in pasts:
                yield error("start-without-past", where, project=row.project, found=row.start, first=first)
                continue
            yield error("committed-start", where, project=row.project, found=row.start)


def check_dependencies(tables: Tables) -> Iterator[Issue]:
    """A dependency joins two projects, and has a lag only where it is about starts."""
    for row in tables.dependencies:
        if row.first == row.then:
            yield error("self-dependency", tables.place("dependencies", row, "then"), project=row.first)
        if row.lag and row.kind and row.kind not in START_KINDS:
            where = tables.place("dependencies", row, "lag")
            yield error("lag-without-start", where, kind=row.kind, known=", ".join(START_KINDS))


def check_cycles(tables: Tables) -> Iterator[Issue]:
    """No project waits for itself through others."""
    import networkx as nx

    graph = _order(tables)
    for knot in nx.strongly_connected_components(graph):
        if len(knot) > 1:
            inside = [row for row in _ordered_rows(tables) if row.first in knot and row.then in knot]
            arcs = nx.find_cycle(graph.subgraph(knot), inside[0].first)
            circle = " → ".join([arcs[0][0], *(then for _, then in arcs)])
            yield error("dependency-cycle", tables.place("dependencies", inside[0], "then"), circle=circle)


def _ordered_rows(tables: Tables) -> Iterator[Dependency]:
    return (row for row in tables.dependencies if row.kind in ORDERED_KINDS and row.first != row.then)


def _order(tables: Tables) -> nx.DiGraph:
    """Return the graph from each ``first`` to its ``then``."""
    import networkx as nx

    graph = nx.DiGraph()
    for row in _ordered_rows(tables):
        graph.add_edge(row.first, row.then)
    return graph


def check_chains(tables: Tables) -> Iterator[Issue]:
    """A project that must be funded can still start in time after all that it waits for."""
    import networkx as nx

    graph = _order(tables)
    if not graph or not nx.is_directed_acyclic_graph(graph):
        return
    windows = _widest_windows(tables)
    waits: dict[str, list[Dependency]] = defaultdict(list)
    for row in tables.dependencies:
        if row.kind in START_KINDS and row.first in windows:
            waits[row.then].append(row)
    soonest = {name: window[0] for name, window in windows.items()}
    for name in nx.topological_sort(graph.subgraph(windows)):
        for row in waits.get(name, ()):
            after = windows[row.first][2] if row.kind == "finish_start" else 0
            soonest[name] = max(soonest[name], soonest[row.first] + after + row.lag)
    must = must_be_funded(tables)
    for project in tables.projects:
        first, last, _ = windows[project.id]
        if project.id in must and first <= last < soonest[project.id]:
            where = tables.place("projects", project, "latest_start")
            yield error("chain-too-long", where, project=project.id, latest=last, soonest=soonest[project.id])


def _widest_windows(tables: Tables) -> Mapping[str, tuple[int, int, int]]:
    """Return the first and last start of each project over its modes, and its shortest duration."""
    found: dict[str, tuple[int, int, int]] = {}
    for way in ways(tables):
        if way.past is not None and way.past.is_known and not way.goes_on:
            continue
        years = way.starts(tables.settings) or [way.earliest, way.earliest - 1]
        first, last, duration = found.get(way.project.id, (years[0], years[-1], way.duration))
        found[way.project.id] = min(first, years[0]), max(last, years[-1]), min(duration, way.duration)
    return found


def check_decided_pairs(tables: Tables) -> Iterator[Issue]:
    """No dependency contradicts what must be funded and what is decided to be out."""
    must, out = must_be_funded(tables), barred(tables)
    for row in tables.dependencies:
        pair = {"first": row.first, "then": row.then}
        where = tables.place("dependencies", row, "then")
        if row.first == row.then:
            continue
        if row.kind == "excludes" and row.first in must and row.then in must:
            yield error("mandatory-excluded", where, **pair)
        needs = {(row.first, row.then)} if row.kind in ORDERED_KINDS else set()
        needs |= {(row.first, row.then), (row.then, row.first)} if row.kind == "together" else set()
        if any(needed in out and needing in must for needed, needing in needs):
            yield error("mandatory-needs-out", where, **pair)


def check_groups(tables: Tables) -> Iterator[Issue]:
    """All rows of a group agree on its kind and number."""
    for rows in _members(tables):
        yield from _group_issues(tables, rows)


def check_group_numbers(tables: Tables) -> Iterator[Issue]:
    """The number that a group asks for can be reached beside what is decided."""
    must, out = must_be_funded(tables), barred(tables)
    for rows in _members(tables):
        if not any(_group_issues(tables, rows)):
            yield from _group_number_issues(tables, rows, must, out)


def _members(tables: Tables) -> Iterable[Sequence[Membership]]:
    """Return the rows of each group."""
    members: dict[str, list[Membership]] = defaultdict(list)
    for row in tables.groups:
        members[row.group].append(row)
    return members.values()


def _group_issues(tables: Tables, rows: Sequence[Membership]) -> Iterator[Issue]:
    first = rows[0]
    for row in rows:
        where = tables.place("groups", row, "k")
        if row.kind != first.kind:
            place = tables.place("groups", row, "kind")
            yield error("group-differs", place, group=row.group, found=row.kind, expected=first.kind)
        elif row.k != first.k:
            expected = "—" if first.k is None else first.k
            yield error(
                "group-differs", where, group=row.group, found="—" if row.k is None else row.k, expected=expected
            )
        elif row is first and (row.k is None) == row.kind.startswith("at_"):
            yield error("group-needs-k" if row.k is None else "group-bars-k", where, group=row.group, kind=row.kind)


def _group_number_issues(
    tables: Tables, rows: Sequence[Membership], must: Iterable[str], out: Iterable[str]
) -> Iterator[Issue]:
    first = rows[0]
    where = tables.place("groups", first, "group")
    least = {"exactly_one_of": 1, "at_least": first.k or 0}.get(first.kind, 0)
    most = {"one_of": 1, "exactly_one_of": 1, "at_most": first.k or 0}.get(first.kind, len(rows))
    possible = [row.project for row in rows if row.project not in out]
    needed = [row.project for row in rows if row.project in must]
    if len(possible) < least:
        yield error("group-too-small", where, group=first.group, least=least, found=len(possible))
    if len(needed) > most:
        yield error("mandatory-group", where, group=first.group, most=most, projects=", ".join(needed))

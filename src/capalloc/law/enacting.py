"""From the tables a user gives to those in force: the statutory rules that are switched on become rows.

======================  ==============================================================================================
form                    what it puts in force
======================  ==============================================================================================
``order``               capital that comes before new starts: projects of those statuses are mandatory
``funding-years``       a start under which capital would run for more years than the group allows is barred
``ppp-least-size``      so is a start as a partnership that is too small
``ppp-state-share``     a `shares` row over the state's sources for each partnership
``reserve``             the share of an envelope held back, where the tables give none
``preparation-line``    the same, for the preparation of projects
``tail-cap``            a rule: tail <= share × envelopes of public investment capital
``fewer-projects``      a rule: projects at work <= (1 − share) × projects of the plan before
``completion-share``    a rule: completions >= share × projects at work
======================  ==============================================================================================

The law of public investment binds projects that capital of the public investment plan may pay; of partnerships, all.
Other forms ask for nothing that a plan could be given by rows; see :mod:`capalloc.law.compliance`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from capalloc.costing import Costing
from capalloc.issues import Issue, Issues, error, info
from capalloc.law.grouping import B_OR_C, Grouping
from capalloc.law.statutes import BILLION, Statute, statutes_of
from capalloc.money import round_half_up
from capalloc.options import modes_of
from capalloc.records import UNDER_WAY, Envelope, Mode, Project, Rule, Share
from capalloc.selection import parse_selection
from capalloc.tables import Tables, kept

PUBLIC_CAPITAL = "public_capital"
"""The attribute by which rows in force select the projects that public investment capital may pay."""


@dataclass
class Draft:
    """The tables on their way into force, and what is worth telling about them."""

    tables: Tables
    statutes: tuple[Statute, ...]
    barred: dict[tuple[str, str], dict[int, Statute]] = field(default_factory=lambda: defaultdict(dict))
    notes: list[Issue] = field(default_factory=list)


def enact(tables: Tables) -> tuple[Tables, Issues]:
    """Return checked tables with the statutory rules in force, and what they bar.

    An error says that a project which must be funded may not start in any year under the law.
    """
    statutes = statutes_of(tables.settings)
    if not statutes:
        return tables, Issues()
    draft = Draft(tables, statutes)
    for statute in statutes:
        if statute.in_force and statute.form in _FORMS:
            _FORMS[statute.form](draft, statute)
    draft.tables = replace(draft.tables, **_windows(draft))
    return draft.tables, Issues((*draft.notes, *_left_out(draft, tables)))


@kept("projects", "sources", "shares")
def bound_projects(tables: Tables) -> tuple[Project, ...]:
    """Return the projects that capital of the public investment plan may pay."""
    sources = [source for source in tables.sources if source.public_investment]
    selections = [(source, parse_selection(source.eligible)) for source in sources]
    named = _named(tables)
    return tuple(
        project
        for project in tables.projects
        if any(
            selection.matches(project) and _may_pay(source.id, source.side == "state", named.get(project.id, {}))
            for source, selection in selections
        )
    )


def _named(tables: Tables) -> Mapping[str, Mapping[str, bool]]:
    """Of each project: the sources that `shares` rows for every mode name, and whether they let them pay."""
    every = {project.id: project for project in tables.projects}
    named: dict[str, dict[str, bool]] = defaultdict(dict)
    for share in tables.shares:
        if share.mode and not share.max:
            continue
        if share.project in every:
            meant = [share.project]
        else:
            selection = parse_selection(share.project)
            meant = [name for name, project in every.items() if selection.matches(project)]
        for name in meant:
            for source in share.source:
                named[name][source] = named[name].get(source, True) and share.max > 0
    return named


def _may_pay(source: str, is_state: bool, named: Mapping[str, bool]) -> bool:
    return named.get(source, is_state)


def _order(draft: Draft, statute: Statute) -> None:
    """What comes before new starts is paid before them."""
    due = {project.id for project in bound_projects(draft.tables) if project.status in statute.parameters["tiers"]}
    out = {row.project for row in draft.tables.committed if row.decision == "out"}
    projects = tuple(
        replace(project, mandatory=True) if project.id in due - out else project for project in draft.tables.projects
    )
    draft.tables = replace(draft.tables, projects=projects)


def _funding_years(draft: Draft, statute: Statute) -> None:
    grouping = Grouping(draft.statutes, statute.regime)
    for project, mode, cost, years in _ways(draft.tables):
        most = years_allowed(statute, grouping.group(project, cost))
        if most is not None and years > most:
            _bar(draft, project, mode, statute)


def years_allowed(statute: Statute, group: str) -> Fraction | None:
    """Return the most years of capital for a group; ``None`` where the group sets none."""
    return statute.share("B" if group == B_OR_C else group) if group else None


def _least_size(draft: Draft, statute: Statute) -> None:
    for project, mode, cost, _ in _ways(draft.tables, everything=True):
        if mode in statute.parameters["modes"] and cost < least_size(statute, project):
            _bar(draft, project, mode, statute)


def least_size(statute: Statute, project: Project) -> Fraction:
    """Return the least a partnership must cost, in million VND."""
    least = statute.share("least") or Fraction(0)
    for name in ("disadvantaged", "transport"):
        chosen = statute.text(name)
        if chosen and parse_selection(chosen).matches(project):
            least = statute.share(f"{name}_least") or Fraction(0)
    return least * BILLION


def _ways(tables: Tables, *, everything: bool = False) -> Iterator[tuple[Project, str, int, int]]:
    """Each project and mode the law binds: its cost in million VND, and the years from its first capital to its last.

    Projects that were begun are left out: the law of new starts does not undo what was done.
    """
    bound = {project.id for project in (tables.projects if everything else bound_projects(tables))}
    past = {row.project for row in tables.paid} | {row.id for row in tables.projects if row.status in UNDER_WAY}
    costing, modes = Costing(tables), modes_of(tables)
    for project in tables.projects:
        if project.id not in bound - past:
            continue
        for mode in modes[project.id]:
            duration = (mode.duration if mode else None) or project.duration
            flexible = ((mode.profile if mode else "") or project.profile) == "flexible"
            total = (mode.cost if mode else None) or project.cost or 0
            amounts = [] if flexible else costing.amounts(project, mode, duration)
            paid = [offset for offset, amount in enumerate(amounts) if amount]
            years = duration if flexible else max(paid, default=-1) - min(paid, default=0) + 1
            yield (
                project,
                mode.mode if mode else "",
                total if flexible else round_half_up(Fraction(sum(amounts))),
                years,
            )


def _bar(draft: Draft, project: Project, mode: str, statute: Statute) -> None:
    for year in statute.period:
        draft.barred[project.id, mode].setdefault(year, statute)


def _windows(draft: Draft) -> dict[str, Any]:
    """The rows of projects and modes with the start years that the law leaves them."""
    tables = draft.tables
    every = {project.id: project for project in tables.projects}
    modes = [_narrowed(draft, row, every[row.project], row.mode) for row in tables.modes]
    own = {row.project for row in tables.modes}
    projects = [p if p.id in own else _narrowed(draft, p, p, "") for p in tables.projects]
    _tell_barred(draft)
    return {"projects": tuple(projects), "modes": tuple(modes)}


def _narrowed(draft: Draft, row: Any, project: Project, mode: str) -> Any:
    barred = draft.barred.get((project.id, mode))
    if not barred:
        return row
    first, last = _window(draft.tables, row, project)
    left = [year for year in range(first, last + 1) if year not in barred]
    if not left:
        # A window after the horizon leaves no start year.
        return replace(row, earliest_start=draft.tables.settings.last_year + 1, latest_start=None)
    return replace(row, earliest_start=left[0], latest_start=left[-1])


def _window(tables: Tables, row: Any, project: Project) -> tuple[int, int]:
    """The first and the last start year that the tables leave a project or one of its modes."""
    settings = tables.settings
    first = row.earliest_start or project.earliest_start or settings.first_year
    last = row.latest_start or project.latest_start or settings.last_year
    return max(first, settings.first_year), min(last, settings.last_year)


def _tell_barred(draft: Draft) -> None:
    """One note a rule that bars anything, with its projects."""
    found: dict[str, tuple[Statute, list[str]]] = {}
    for (project, mode), years in draft.barred.items():
        for statute in {id(s): s for s in years.values()}.values():
            found.setdefault(statute.name, (statute, []))[1].append(f"{project} ({mode})" if mode else project)
    for statute, names in found.values():
        draft.notes.append(
            info(
                "law-bars-starts",
                rule=statute.name,
                article=statute.reference,
                first=statute.period.first,
                last=statute.period.last,
                count=len(names),
                projects=", ".join(names[:12]) + (" …" if len(names) > 12 else ""),
            )
        )


def _left_out(draft: Draft, given: Tables) -> Iterator[Issue]:
    """An error for each project that must be funded and may not start in any year under the law."""
    committed = {row.project for row in given.committed if row.decision == "in"}
    due = {project.id for project in given.projects if project.mandatory or project.id in committed}
    modes = modes_of(given)
    for project in given.projects:
        ways = [(project.id, mode.mode if mode else "") for mode in modes[project.id]]
        if project.id in due and all(way in draft.barred for way in ways):
            first, last = _window(given, modes[project.id][0] or project, project)
            if all(set(range(first, last + 1)) <= set(draft.barred[way]) for way in ways):
                rules = {statute.name for way in ways for statute in draft.barred[way].values()}
                where = given.place("projects", project, "id")
                yield error("law-bars-project", where, project=project.id, rules=", ".join(sorted(rules)))


def _state_share(draft: Draft, statute: Statute) -> None:
    """The state's sources together pay at most a share of a partnership."""
    state = tuple(source.id for source in draft.tables.sources if source.side == "state")
    if not state:
        return
    shares = [
        Share(project=row.project, mode=row.mode, source=state, max=cap, legal=True, source_ref=statute.reference)
        for row, cap in _partnerships(draft.tables, statute)
    ]
    known = {(row.project, row.mode, frozenset(row.source), row.per): row for row in draft.tables.shares}
    for share in shares:
        key = (share.project, share.mode, frozenset(share.source), share.per)
        known[key] = replace(known[key], max=min(known[key].max, share.max), legal=True) if key in known else share
    draft.tables = replace(draft.tables, shares=tuple(known.values()))


def _partnerships(tables: Tables, statute: Statute) -> Iterator[tuple[Mode, Fraction]]:
    """The modes that are partnerships and can start in the years of the regime, with the cap of each."""
    projects = {project.id: project for project in tables.projects}
    for row in tables.modes:
        first, last = _window(tables, row, projects[row.project])
        if row.mode in statute.parameters["modes"] and first <= statute.period.last and statute.period.first <= last:
            yield row, state_cap(statute, projects[row.project])


def state_cap(statute: Statute, project: Project) -> Fraction:
    """Return the greatest share of a partnership that the state may pay."""
    wider = statute.text("wider")
    is_wider = bool(wider) and parse_selection(wider).matches(project)
    return statute.share("wider_share" if is_wider else "share") or Fraction(0)


def _reserve(draft: Draft, statute: Statute) -> None:
    """Envelopes of public investment capital hold back the share, where they say nothing themselves."""
    share = statute.share()
    if share is None:
        return
    plan = reserved_envelopes(draft.tables, statute)
    envelopes = [
        replace(row, reserve=share)
        if row in plan and row.reserve is None and not _own_reserve(draft.tables, row)
        else row
        for row in draft.tables.envelopes
    ]
    draft.tables = replace(draft.tables, envelopes=tuple(envelopes))


def plan_envelopes(tables: Tables, statute: Statute) -> tuple[Envelope, ...]:
    """Return the envelopes that make up the capital of the public investment plan in the years of a statute.

    For each source the envelope of the whole plan, else those of its parts; what else limits the same capital, such
    as the pace of its first years, is not more of it.  Joined sources count where none of them has its own.
    """
    public = {source.id for source in tables.sources if source.public_investment}
    rows: dict[frozenset[str], list[Envelope]] = defaultdict(list)
    for row in tables.envelopes:
        period = tables.settings.known_period(row.period)
        if set(row.source) <= public and period.first in statute.period and period.last in statute.period:
            rows[frozenset(row.source)].append(row)
    own = {source for sources in rows if len(sources) == 1 for source in sources}
    counted = [whole for sources, whole in rows.items() if len(sources) == 1 or not own & sources]
    return tuple(row for parts in counted for row in _whole(tables, statute, parts))


def _whole(tables: Tables, statute: Statute, rows: list[Envelope]) -> list[Envelope]:
    """The envelope of all the years of a statute where there is one, else all that lie inside them."""
    years = (statute.period.first, statute.period.last)
    periods = [tables.settings.known_period(row.period) for row in rows]
    return [row for row, own in zip(rows, periods, strict=True) if (own.first, own.last) == years] or rows


def reserved_envelopes(tables: Tables, statute: Statute) -> tuple[Envelope, ...]:
    """Return the envelopes that must hold back a share: of the sources the rule names, else of the whole plan."""
    named = set(statute.parameters["sources"])
    return tuple(row for row in plan_envelopes(tables, statute) if not named or set(row.source) <= named)


def _preparation(draft: Draft, statute: Statute) -> None:
    """The line for preparation is taken from the envelopes beside the reserve."""
    share = statute.share()
    if share is None:
        return
    plan = reserved_envelopes(draft.tables, statute)
    envelopes = [
        replace(row, reserve=min(Fraction(1), _own_reserve(draft.tables, row) + share)) if row in plan else row
        for row in draft.tables.envelopes
    ]
    draft.tables = replace(draft.tables, envelopes=tuple(envelopes))


def _own_reserve(tables: Tables, row: Envelope) -> Fraction:
    """The share an envelope holds back by its row, else by its only source."""
    if row.reserve is not None or len(row.source) > 1:
        return row.reserve or Fraction(0)
    return next(source.reserve for source in tables.sources if source.id == row.source[0])


def envelope_total(tables: Tables, statute: Statute) -> int:
    """Return the capital of the public investment plan in the years of a statute, in million VND."""
    return sum(row.amount for row in plan_envelopes(tables, statute))


def _tail_cap(draft: Draft, statute: Statute) -> None:
    share, total = statute.share(), envelope_total(draft.tables, statute)
    if share is not None and total:
        exempt = statute.text("exempt")
        but = f"not ({exempt})" if exempt else ""
        _rule(draft, statute, but, measure="tail", sense="<=", amount=share * total)


def _fewer(draft: Draft, statute: Statute) -> None:
    share, previous = statute.share(), statute.share("previous")
    if share is not None and previous is not None:
        _rule(draft, statute, measure="active", sense="<=", amount=(1 - share) * previous)


def _completions(draft: Draft, statute: Statute) -> None:
    share = statute.share()
    if share is not None:
        _rule(draft, statute, measure="completions", sense=">=", amount=share, share_of="active")


def _rule(draft: Draft, statute: Statute, but: str = "", **columns: Any) -> None:
    """Add a rule over the projects that the law binds; without any there is nothing to rule."""
    bound = {project.id for project in bound_projects(draft.tables)}
    if not bound:
        return
    projects = tuple(
        replace(project, attributes={**project.attributes, PUBLIC_CAPITAL: "yes" if project.id in bound else "no"})
        for project in draft.tables.projects
    )
    draft.tables = replace(draft.tables, projects=projects)
    public = "" if len(bound) == len(projects) else f'{PUBLIC_CAPITAL} == "yes"'
    rule = Rule(
        id=f"law/{statute.name}",
        selection=" and ".join(part for part in (public, but) if part),
        period=statute.period.name,
        legal_ref=statute.reference,
        waivable=statute.authority,
        **columns,
    )
    draft.tables = replace(draft.tables, rules=(*draft.tables.rules, rule))


_FORMS: Mapping[str, Callable[[Draft, Statute], None]] = {
    "order": _order,
    "funding-years": _funding_years,
    "ppp-least-size": _least_size,
    "ppp-state-share": _state_share,
    "reserve": _reserve,
    "preparation-line": _preparation,
    "tail-cap": _tail_cap,
    "fewer-projects": _fewer,
    "completion-share": _completions,
}

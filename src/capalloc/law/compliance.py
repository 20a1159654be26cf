"""How a plan stands to each statutory rule, judged anew from its choices and payments.

The rows that :mod:`capalloc.law.enacting` puts in force are not read here: what a rule asks is measured once more, so
that also a waived rule, or one that is off, shows what the plan makes of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import cached_property

from capalloc.allocation import Allocation
from capalloc.audit import Audit, ProjectAudit
from capalloc.law.enacting import (
    bound_projects,
    envelope_total,
    least_size,
    plan_envelopes,
    reserved_envelopes,
    state_cap,
    years_allowed,
)
from capalloc.law.grouping import GROUPS, Grouping
from capalloc.law.statutes import Statute, statutes_of
from capalloc.records import UNDER_WAY, Project
from capalloc.selection import parse_selection
from capalloc.tables import Tables


class Verdict(StrEnum):
    """How a rule ends: ``open`` is still to be met before the plan is adopted, ``off`` is not in force here."""

    PASSED = "passed"
    FAILED = "failed"
    WAIVED = "waived"
    OPEN = "open"
    OFF = "off"
    NOT_ASSESSED = "not_assessed"


@dataclass(frozen=True, slots=True)
class Measured:
    """What a rule measures in a plan: the number found, the one it is held against, and the projects that break it.

    ``unknown`` are projects about which the tables do not say enough.
    """

    found: Fraction | None = None
    limit: Fraction | None = None
    slack: Fraction | None = None
    breaking: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def met(self) -> bool:
        """Whether nothing breaks the rule."""
        return not self.breaking and (self.slack is None or self.slack >= 0)


@dataclass(frozen=True, slots=True)
class Finding:
    """One statutory rule and how the plan stands to it; ``measured`` is ``None`` where it cannot be assessed."""

    statute: Statute
    verdict: Verdict
    measured: Measured | None


def comply(tables: Tables, allocation: Allocation, audit: Audit) -> tuple[Finding, ...]:
    """Return how a plan stands to every statutory rule of the preset, in the order of the law."""
    judge = _Judge(tables, allocation, audit)
    return tuple(judge.finding(statute) for statute in statutes_of(tables.settings))


@dataclass(frozen=True)
class _Judge:
    tables: Tables
    allocation: Allocation
    audit: Audit

    def finding(self, statute: Statute) -> Finding:
        measure = _MEASURES.get(statute.form)
        measured = measure(self, statute) if measure else None
        return Finding(statute, _verdict(statute, measured), measured)

    @cached_property
    def bound(self) -> Mapping[str, Project]:
        """The projects that the law of public investment binds, by id."""
        return {project.id: project for project in bound_projects(self.tables)}

    @cached_property
    def funded(self) -> tuple[ProjectAudit, ...]:
        return tuple(row for row in self.audit.projects if row.project in self.bound)

    @cached_property
    def paid(self) -> Mapping[str, Mapping[int, int]]:
        """What all sources pay for each project, by year."""
        paid: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
        for payment in self.allocation.payments:
            if payment.amount:
                paid[payment.project][payment.year] += payment.amount
        return paid

    def new_starts(self, statute: Statute) -> Iterator[ProjectAudit]:
        """Funded projects that the law binds and that begin in the years of a statute."""
        for row in self.funded:
            if row.start in statute.period and self.bound[row.project].status not in UNDER_WAY:
                yield row

    def in_groups(self, row: ProjectAudit) -> bool:
        """Whether the law puts it in a group: projects are, programmes only where the tables name one."""
        project = self.bound[row.project]
        return project.kind != "programme" or bool(project.legal_group)

    def at_work(self, statute: Statute) -> int:
        """How many funded projects that the law binds are at work in the years of a statute."""
        period = statute.period
        return sum(row.start <= period.last and row.finish >= period.first for row in self.funded)

    def reserved(self, regime: str) -> Fraction:
        """The share that the reserve of a regime holds back."""
        rules = (own for own in statutes_of(self.tables.settings) if own.form == "reserve" and own.regime == regime)
        return sum((own.share() or Fraction(0) for own in rules if own.in_force), Fraction(0))

    def partnerships(self, statute: Statute) -> Iterator[tuple[ProjectAudit, Project]]:
        projects = {project.id: project for project in self.tables.projects}
        for row in self.audit.projects:
            if row.mode in statute.parameters["modes"] and row.start in statute.period:
                yield row, projects[row.project]


def _verdict(statute: Statute, measured: Measured | None) -> Verdict:
    if not statute.enabled:
        return Verdict.OFF
    if statute.waived:
        return Verdict.WAIVED
    if measured is None:
        return Verdict.NOT_ASSESSED
    if measured.met:
        return Verdict.NOT_ASSESSED if measured.unknown else Verdict.PASSED
    return Verdict.OPEN if statute.form == "policy" else Verdict.FAILED


def _order(judge: _Judge, statute: Statute) -> Measured | None:
    """No lower rank is funded while a higher one lacks its capital."""
    if not judge.bound:
        return None
    tiers = {status: number for number, status in enumerate(statute.parameters["tiers"])}
    funded = {row.project for row in judge.funded}
    rank = {name: tiers.get(project.status, len(tiers)) for name, project in judge.bound.items()}
    lowest = max((rank[row.project] for row in judge.funded if row.start <= statute.period.last), default=-1)
    due = [name for name in judge.bound if rank[name] < len(tiers)]
    left = tuple(name for name in due if name not in funded and rank[name] < lowest)
    met = Fraction(sum(name in funded for name in due))
    return Measured(met, Fraction(len(due)), None, left)


def _groups(judge: _Judge, statute: Statute) -> Measured | None:
    """How many of the new starts have a group; those that do not are named."""
    grouping = Grouping(statutes_of(judge.tables.settings), statute.regime)
    starts = {
        row.project: grouping.group(judge.bound[row.project], row.cost)
        for row in judge.new_starts(statute)
        if judge.in_groups(row)
    }
    unknown = tuple(name for name, group in starts.items() if not group)
    told = len(starts) - len(unknown)
    return Measured(Fraction(told), Fraction(len(starts)), None, (), unknown) if starts else None


def _funding_years(judge: _Judge, statute: Statute) -> Measured | None:
    """No new start is paid for in more years than its group allows; in few enough years the group does not matter."""
    if not judge.bound:
        return None
    grouping = Grouping(statutes_of(judge.tables.settings), statute.regime)
    least = min(years_allowed(statute, group) or Fraction(0) for group in GROUPS)
    longer, unknown = [], []
    for row in judge.new_starts(statute):
        years = judge.paid.get(row.project, {})
        run = max(years) - min(years) + 1 if years else 0
        if run <= least or not judge.in_groups(row):
            continue
        most = years_allowed(statute, grouping.group(judge.bound[row.project], row.cost))
        if most is None:
            unknown.append(row.project)
        elif run > most:
            longer.append(row.project)
    return Measured(Fraction(len(longer)), Fraction(0), None, tuple(longer), tuple(unknown))


def _fund_to_finish(judge: _Judge, _: Statute) -> Measured | None:
    """What begins is paid to the last unit."""
    if not judge.bound:
        return None
    short = [row.project for row in judge.funded if sum(judge.paid.get(row.project, {}).values()) != row.cost]
    return Measured(Fraction(len(short)), Fraction(0), None, tuple(short))


def _inherit(judge: _Judge, _: Statute) -> Measured | None:
    """Every project under way goes on."""
    under_way = [name for name, project in judge.bound.items() if project.status == "under_way"]
    if not under_way:
        return None
    funded = {row.project for row in judge.funded}
    left = tuple(name for name in under_way if name not in funded)
    return Measured(Fraction(len(under_way) - len(left)), Fraction(len(under_way)), None, left)


def _policy(judge: _Judge, statute: Statute) -> Measured | None:
    """New starts whose investment policy is not decided yet."""
    if not judge.bound:
        return None
    statuses = statute.parameters["statuses"]
    due = tuple(row.project for row in judge.new_starts(statute) if judge.bound[row.project].status not in statuses)
    return Measured(Fraction(len(due)), Fraction(0), None, due)


def _tail(judge: _Judge, statute: Statute) -> Measured | None:
    share, total = statute.share(), envelope_total(judge.tables, statute)
    if share is None or not total:
        return None
    last = statute.period.last
    exempt = parse_selection(statute.text("exempt")) if statute.text("exempt") else None
    begun = [
        row.project
        for row in judge.funded
        if row.start <= last and not (exempt and exempt.matches(judge.bound[row.project]))
    ]
    tail = sum(amount for name in begun for year, amount in judge.paid.get(name, {}).items() if year > last)
    return _at_most(Fraction(tail), share * total)


def _held_back(judge: _Judge, statute: Statute) -> Measured | None:
    """The least share that an envelope of public capital holds back, the line for preparation beside the reserve."""
    share = statute.share()
    asked = {(row.source, row.period) for row in reserved_envelopes(judge.tables, statute)}
    # The reserve alone: what will hardly be paid out in time is held back for nothing.
    shares = [
        Fraction(row.reserve, row.amount)
        for row in judge.audit.envelopes
        if (row.source, row.period) in asked and row.amount
    ]
    if share is None or not shares:
        return None
    if statute.form == "preparation-line":
        share += judge.reserved(statute.regime)
    return _at_least(min(shares), share)


def _fewer(judge: _Judge, statute: Statute) -> Measured | None:
    share, previous = statute.share(), statute.share("previous")
    if share is None or previous is None or not judge.bound:
        return None
    return _at_most(Fraction(judge.at_work(statute)), (1 - share) * previous)


def _completions(judge: _Judge, statute: Statute) -> Measured | None:
    share = statute.share()
    active = judge.at_work(statute)
    if share is None or not active:
        return None
    done = sum(row.finish in statute.period for row in judge.funded)
    return _at_least(Fraction(done, active), share)


def _allotment(judge: _Judge, statute: Statute) -> Measured | None:
    """The share of the plan's capital, without its reserve, that is given to projects."""
    share, plan = statute.share(), {(row.source, row.period) for row in plan_envelopes(judge.tables, statute)}
    total = sum(row.amount - row.reserve for row in judge.audit.envelopes if (row.source, row.period) in plan)
    if share is None or not total:
        return None
    sources = {name for names, _ in plan for name in names}
    payments = (p for p in judge.allocation.payments if p.source in sources and p.year in statute.period)
    return _at_least(Fraction(sum(p.amount for p in payments), total), share)


def _state_share(judge: _Judge, statute: Statute) -> Measured | None:
    state = {source.id for source in judge.tables.sources if source.side == "state"}
    by_state: dict[str, int] = defaultdict(int)
    for payment in judge.allocation.payments:
        by_state[payment.project] += payment.amount if payment.source in state else 0
    highest, breaking, seen = Fraction(0), [], False
    for row, project in judge.partnerships(statute):
        if not row.cost or not state:
            continue
        seen = True
        paid = by_state[row.project]
        highest = max(highest, Fraction(paid, row.cost))
        if paid > state_cap(statute, project) * row.cost:
            breaking.append(row.project)
    return Measured(highest, statute.share(), None, tuple(breaking)) if seen else None


def _least_size(judge: _Judge, statute: Statute) -> Measured | None:
    rows = list(judge.partnerships(statute))
    small = tuple(row.project for row, project in rows if row.cost < least_size(statute, project))
    return Measured(Fraction(len(small)), Fraction(0), None, small) if rows else None


def _at_most(found: Fraction, limit: Fraction) -> Measured:
    return Measured(found, limit, limit - found)


def _at_least(found: Fraction, limit: Fraction) -> Measured:
    return Measured(found, limit, found - limit)


_MEASURES: Mapping[str, Callable[[_Judge, Statute], Measured | None]] = {
    "order": _order,
    "groups": _groups,
    "funding-years": _funding_years,
    "fund-to-finish": _fund_to_finish,
    "inherit": _inherit,
    "policy": _policy,
    "tail-cap": _tail,
    "reserve": _held_back,
    "preparation-line": _held_back,
    "fewer-projects": _fewer,
    "completion-share": _completions,
    "allotment": _allotment,
    "ppp-state-share": _state_share,
    "ppp-least-size": _least_size,
}

"""What a council reads in a minute: a handful of numbers and sentences, each from the verified account of the plan."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from fractions import Fraction

from capalloc.allocation import Allocation
from capalloc.answer import Answer
from capalloc.audit import Audit
from capalloc.catalogue import say, write_number
from capalloc.drawing import MoneyUnit, money_unit
from capalloc.law.compliance import Verdict, comply
from capalloc.model import Status
from capalloc.report.pieces import Headline, percent, percent_down, percent_up
from capalloc.report.quality import cost_basis
from capalloc.reporting import base_costs, names_of, proof_lines
from capalloc.tables import Tables


def headlines(tables: Tables, answer: Answer, allocation: Allocation, audit: Audit) -> Iterator[Headline]:
    """Yield the numbers of the summary: projects, money, the state's part, and how good the plan is."""
    cost, asked = sum(row.cost for row in audit.projects), sum(base_costs(tables).values())
    unit = money_unit([cost])
    yield Headline(
        say("report.headline.projects"),
        write_number(len(audit.projects)),
        say("report.headline.projects-told", of=len(tables.projects)),
    )
    yield Headline(
        say("report.headline.cost", unit=unit.name),
        unit.short(cost),
        say("report.headline.cost-told", asked=unit.told(asked)),
    )
    sides = paid_by_side(tables, allocation)
    if sum(sides.values()):
        part = Fraction(sides["state"], sum(sides.values()))
        told = say("report.headline.state-told", state=unit.told(sides["state"]), others=unit.told(sides["non_state"]))
        yield Headline(say("report.headline.state"), percent(part), told)
    yield _proved(answer)


def _proved(answer: Answer) -> Headline:
    name = say("report.headline.gap")
    if answer.status is Status.OPTIMAL:
        return Headline(name, say("report.headline.best"), say("report.headline.best-told"))
    if not math.isfinite(answer.gap):
        return Headline(name, "–", say("report.headline.open-told"))
    gap = say("report.headline.at-most", gap=percent_up(max(answer.gap, 0.0)))
    return Headline(name, gap, say("report.headline.gap-told"))


def paid_by_side(tables: Tables, allocation: Allocation) -> dict[str, int]:
    """Return what sources of the state and others pay, in million VND."""
    side = {source.id: source.side for source in tables.sources}
    paid = {"state": 0, "non_state": 0}
    for payment in allocation.payments:
        paid[side[payment.source]] += payment.amount
    return paid


def summary_lines(tables: Tables, answer: Answer, allocation: Allocation, audit: Audit) -> Iterator[str]:
    """Yield the sentences of the summary."""
    cost = sum(row.cost for row in audit.projects)
    unit = money_unit([cost])
    yield from _money_lines(tables, audit, unit)
    yield from _year_lines(tables, audit)
    yield from _class_lines(tables, audit)
    yield from _law_lines(tables, allocation, audit)
    yield from _basis_lines(tables, audit, unit)
    yield " ".join(proof_lines(answer))


def _money_lines(tables: Tables, audit: Audit, unit: MoneyUnit) -> Iterator[str]:
    """What each phase or other period uses of its envelopes together, where no money is counted twice."""
    names = names_of(tables.sources)
    by_period: dict[str, list[str]] = defaultdict(list)
    for row in audit.envelopes:
        if not row.amount:
            continue
        name, part = " + ".join(names[source] for source in row.source), percent_down(Fraction(row.used, row.amount))
        numbers = {"used": unit.short(row.used), "amount": unit.short(row.amount), "part": part}
        by_period[row.period].append(say("report.summary.source", name=name, **numbers))
    phases = {phase.name for phase in tables.settings.phases}
    for period, parts in by_period.items():
        if period in phases:
            yield say("report.summary.phase", period=period, unit=unit.name, parts="; ".join(parts))


def _year_lines(tables: Tables, audit: Audit) -> Iterator[str]:
    begin, end = (Counter(getattr(row, name) for row in audit.projects) for name in ("start", "finish"))
    if not audit.projects:
        return
    first, last = (max(sorted(counts), key=lambda year: counts[year]) for counts in (begin, end))
    yield say("report.summary.years", start=first, starts=begin[first], finish=last, finishes=end[last])
    late = sum(row.finish > tables.settings.last_year for row in audit.projects)
    if late:
        yield say("report.summary.late", count=late, last=tables.settings.last_year)


def _class_lines(tables: Tables, audit: Audit) -> Iterator[str]:
    """How many projects of each class are funded, each counted in the class that the table of projects names."""
    every = Counter(project.priority for project in tables.projects)
    if set(every) == {None}:
        return
    taken = {row.project for row in audit.projects}
    funded = Counter(project.priority for project in tables.projects if project.id in taken)
    parts = [
        say("report.summary.class", number="–" if number is None else number, funded=funded[number], of=every[number])
        for number in sorted(every, key=lambda number: number or 10**9)
    ]
    yield say("report.summary.classes", parts="; ".join(parts))


def _law_lines(tables: Tables, allocation: Allocation, audit: Audit) -> Iterator[str]:
    if not tables.settings.statutory:
        return
    verdicts = Counter(row.verdict for row in comply(tables, allocation, audit))
    judged = verdicts[Verdict.PASSED] + verdicts[Verdict.FAILED]
    key = "report.summary.law" if not verdicts[Verdict.FAILED] else "report.summary.law-failed"
    yield say(key, passed=verdicts[Verdict.PASSED], of=judged, failed=verdicts[Verdict.FAILED])
    left = verdicts[Verdict.OPEN] + verdicts[Verdict.NOT_ASSESSED]
    if left:
        yield say("report.summary.law-open", count=left)


def _basis_lines(tables: Tables, audit: Audit, unit: MoneyUnit) -> Iterator[str]:
    """How much of the money rests on costs that are assumed, or whose ground is not told."""
    costs = {row.project: row.cost for row in audit.projects}
    funded = [project for project in tables.projects if project.id in costs]
    for basis in ("assumed", ""):
        own = [project for project in funded if cost_basis(project) == basis]
        if own and len(own) < len(funded):
            amount = unit.told(sum(costs[project.id] for project in own))
            key = "report.summary.assumed" if basis else "report.summary.unstated"
            yield say(key, count=len(own), of=len(funded), amount=amount)
        elif own:
            yield say("report.summary.all-assumed" if basis else "report.summary.all-unstated")

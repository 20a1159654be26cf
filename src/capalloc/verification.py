"""An independent reading of a plan against the tables, in whole numbers and exact fractions.

The verifier knows neither the compiler nor an engine: it recounts every option (:mod:`capalloc.recount`), adds up every
payment (:mod:`capalloc.bookkeeping`) and holds both against each rule of the tables.  Each ``broken_*`` function states
one rule in its docstring and yields what breaks it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction

from capalloc.allocation import Allocation, Choice
from capalloc.audit import Audit, ProjectAudit, ResourceAudit
from capalloc.bookkeeping import (
    Books,
    Funded,
    as_paid,
    broken_costs,
    broken_past,
    broken_payers,
    is_whole,
    keep_books,
    period_of,
    shown,
)
from capalloc.issues import Issue, Issues, error
from capalloc.past import Past, opening_year
from capalloc.records import Dependency, Membership
from capalloc.recount import Counted, Recount, recount_of
from capalloc.rooms import broken_envelopes, envelope_accounts
from capalloc.scales import at_scale, broken_scale
from capalloc.tables import Tables
from capalloc.tallies import (
    Tally,
    broken_rules,
    broken_targets,
    class_accounts,
    rule_accounts,
    synergies_of,
    target_accounts,
)


def verify(tables: Tables, allocation: Allocation) -> Audit:
    """Read a plan against the tables and return its account, with every rule it breaks.

    A plan may hold anything: what names no option of the tables is a violation and is left out of the account.

    Parameters
    ----------
    tables
        The checked tables of the portfolio.
    allocation
        A plan made by an engine or by hand.

    Raises
    ------
    ValueError
        When a cell of the tables names no period, which checked tables do not.
    """
    recount = recount_of(tables)
    books = keep_books(tables, allocation.payments)
    read = _Reading(tables, recount, allocation.choices, books)
    funded = read.funded
    options = [option for option in funded.values() if option is not None]
    envelopes, resources = envelope_accounts(tables, books), _resource_accounts(tables, recount, options)
    tally = Tally(tables, recount, options, books)
    rules, targets = rule_accounts(tally), target_accounts(tally)
    violations = [
        *read.faults,
        *(issue for rule in RULES for issue in rule(tables, funded)),
        *broken_continuations(tables, recount.pasts, funded),
        *_broken_resources(tables, resources),
        *broken_rules(tables, rules),
        *broken_targets(tables, targets),
        *books.faults,
        *broken_past(tables, books),
        *broken_costs(tables, funded, books),
        *broken_payers(tables, funded, books),
        *broken_envelopes(tables, envelopes, books),
    ]
    projects = tuple(_project_account(tables, option) for option in options)
    synergies = synergies_of(tables, funded)
    classes = class_accounts(tables, options, synergies, rules, targets)
    gross = sum((row.weighted_value for row in projects), Fraction(0))
    added = sum((row.value for row in synergies), Fraction(0))
    penalties = sum((rule.paid for rule in rules), Fraction(0)) + sum(target.paid for target in targets)
    ordered = tables.settings.objective.goal == "lexicographic" and classes
    return Audit(
        value=classes[-1].value if ordered else gross + added - penalties,
        gross=gross,
        synergies=added,
        penalties=penalties,
        projects=projects,
        envelopes=envelopes,
        resources=resources,
        rules=rules,
        targets=targets,
        classes=classes,
        violations=Issues(violations),
    )


class _Reading:
    """The choices by project, in the order of the tables, and those that are no option of the tables."""

    def __init__(self, tables: Tables, recount: Recount, choices: Iterable[Choice], books: Books) -> None:
        self.faults: list[Issue] = []
        found: dict[str, Counted | None] = {}
        for choice in choices:
            name: object = choice.project
            if not isinstance(name, str) or name not in recount.projects:
                self.faults.append(error("broken-unknown-project", project=shown(name)))
            elif name in found:
                self.faults.append(error("broken-chosen-twice", project=name))
            else:
                found[name] = self._read(tables, recount, choice, books)
        self.funded: Funded = {row.id: found[row.id] for row in tables.projects if row.id in found}

    def _read(self, tables: Tables, recount: Recount, choice: Choice, books: Books) -> Counted | None:
        faults = list(_misread(tables, recount, choice))
        self.faults += faults
        if faults:
            return None
        whole = recount.option(choice.project, choice.mode, choice.start)
        self.faults += broken_scale(tables, whole, choice.scale)
        return as_paid(at_scale(whole, choice.scale), books)


def _misread(tables: Tables, recount: Recount, choice: Choice) -> Iterator[Issue]:
    """What in the choice of a known project is no mode or no possible start year."""
    project, known, horizon = choice.project, recount.modes(choice.project), tables.settings.horizon
    if choice.mode not in known:
        yield error("broken-unknown-mode", project=project, found=shown(choice.mode), known=", ".join(known) or "—")
    past = recount.pasts.get(project)
    if past and past.start is not None:
        if not is_whole(choice.start) or choice.start != past.start:
            yield error("broken-start-past", project=project, found=shown(choice.start), allowed=past.start)
            return
    elif not is_whole(choice.start) or choice.start not in horizon:
        yield error(
            "broken-start-year", project=project, found=shown(choice.start), first=horizon.first, last=horizon.last
        )
        return
    if choice.mode in known and (missing := recount.unpriced(project, choice.mode, choice.start)) is not None:
        yield error("broken-price-index", project=project, year=choice.start, found=missing)


def _project_account(tables: Tables, option: Counted) -> ProjectAudit:
    """The account of a funded project; its class, where classes are weighed, weighs its value."""
    objective = tables.settings.objective
    weights = objective.class_weights if objective.goal == "weighted" else {}
    worth = option.value
    if weights and option.class_ is not None:
        worth *= Fraction(weights[option.class_])
    return ProjectAudit(
        option.project.id,
        option.mode,
        option.start,
        option.finish,
        option.scale,
        option.cost,
        option.value,
        worth,
        option.class_,
    )


def broken_starts(tables: Tables, funded: Funded) -> Iterator[Issue]:
    """A project that is not begun starts in its own window, and in no year that is decided already."""
    opening = opening_year(tables.settings)
    for project, option in funded.items():
        if option is None or option.begun:
            continue
        allowed = max(option.earliest, opening)
        if option.start < allowed:
            yield error(
                "broken-start-early" if option.earliest == allowed else "broken-start-decided",
                tables.place("projects", option.project),
                project=project,
                found=option.start,
                allowed=allowed,
                difference=allowed - option.start,
            )
        if option.start > option.latest:
            yield error(
                "broken-start-late",
                tables.place("projects", option.project),
                project=project,
                found=option.start,
                allowed=option.latest,
                difference=option.start - option.latest,
            )


def broken_borders(tables: Tables, funded: Funded) -> Iterator[Issue]:
    """Work and payment end by the last year, and in the phase of the start, where the settings bar passing them.

    Projects that were begun before the plan end when they end.
    """
    settings = tables.settings
    for project, option in funded.items():
        if option is None or option.begun:
            continue
        if not settings.may_run_over and option.end > settings.last_year:
            yield error(
                "broken-run-over",
                project=project,
                found=option.end,
                allowed=settings.last_year,
                difference=option.end - settings.last_year,
            )
        elif settings.phases and not settings.may_cross_phase:
            phases = [phase for phase in settings.phases if phase.first <= option.start <= phase.last]
            if not any(option.end <= phase.last for phase in phases):
                yield error("broken-phase", project=project, start=option.start, found=option.end)


def broken_commitments(tables: Tables, funded: Funded) -> Iterator[Issue]:
    """Mandatory and committed projects are funded, as decided; those that are out are not."""
    for project in tables.projects:
        if project.mandatory and project.id not in funded:
            yield error("broken-mandatory", tables.place("projects", project, "mandatory"), project=project.id)
    for row in tables.committed:
        where = tables.place("committed", row, "decision")
        option = funded.get(row.project)
        if row.decision == "out" and row.project in funded:
            yield error("broken-out", where, project=row.project)
        if row.decision == "in" and row.project not in funded:
            yield error("broken-in", where, project=row.project)
        if row.decision == "out" or option is None:
            continue
        if row.mode and option.mode != row.mode:
            where = tables.place("committed", row, "mode")
            yield error("broken-in-mode", where, project=row.project, found=option.mode, allowed=row.mode)
        if row.start is not None and option.start != row.start:
            yield error(
                "broken-in-start",
                tables.place("committed", row, "start"),
                project=row.project,
                found=option.start,
                allowed=row.start,
                difference=abs(option.start - row.start),
            )


def broken_continuations(tables: Tables, pasts: Mapping[str, Past], funded: Funded) -> Iterator[Issue]:
    """A project that was begun is carried on, unless `committed` stops it."""
    # A mandatory or committed project that is missing is told by its own row.
    told = {row.project for row in tables.committed} | {row.id for row in tables.projects if row.mandatory}
    for project in tables.projects:
        if project.id in pasts and project.id not in funded and project.id not in told:
            yield error("broken-continued", tables.place("projects", project), project=project.id)


def broken_dependencies(tables: Tables, funded: Funded) -> Iterator[Issue]:
    """What each row of `dependencies` says of the two projects it names."""
    for row in tables.dependencies:
        where = tables.place("dependencies", row)
        first, then = row.first in funded, row.then in funded
        if row.kind == "together" and first != then:
            present, absent = (row.first, row.then) if first else (row.then, row.first)
            yield error("broken-together", where, project=present, other=absent)
        elif row.kind == "excludes" and first and then:
            yield error("broken-excludes", where, project=row.then, other=row.first)
        elif row.kind in ("requires", "finish_start", "start_start") and then and not first:
            yield error("broken-requires", where, project=row.then, other=row.first)
        elif first and then:
            yield from _broken_order(tables, row, funded[row.first], funded[row.then])


def _broken_order(tables: Tables, row: Dependency, first: Counted | None, then: Counted | None) -> Iterator[Issue]:
    if first is None or then is None or row.kind not in ("finish_start", "start_start"):
        return
    allowed = row.lag + (first.finish + 1 if row.kind == "finish_start" else first.start)
    if then.start < allowed:
        yield error(
            "broken-order",
            tables.place("dependencies", row),
            project=row.then,
            other=row.first,
            found=then.start,
            allowed=allowed,
            difference=allowed - then.start,
        )


def broken_groups(tables: Tables, funded: Funded) -> Iterator[Issue]:
    """Of each group, as many projects are funded as its kind allows."""
    groups: dict[str, list[Membership]] = defaultdict(list)
    for row in tables.groups:
        groups[row.group].append(row)
    for name, rows in groups.items():
        chosen = [row.project for row in rows if row.project in funded]
        kind, k, where = rows[0].kind, rows[0].k or 0, tables.place("groups", rows[0])
        most = {"one_of": 1, "exactly_one_of": 1, "at_most": k}.get(kind, len(rows))
        least = {"exactly_one_of": 1, "at_least": k}.get(kind, 0)
        if len(chosen) > most:
            yield error(
                "broken-group-over",
                where,
                group=name,
                projects=", ".join(chosen),
                found=len(chosen),
                allowed=most,
                difference=len(chosen) - most,
            )
        if len(chosen) < least:
            yield error(
                "broken-group-under",
                where,
                group=name,
                projects=", ".join(row.project for row in rows if row.project not in funded),
                found=len(chosen),
                allowed=least,
                difference=least - len(chosen),
            )


RULES = (broken_starts, broken_borders, broken_commitments, broken_dependencies, broken_groups)


def _resource_accounts(tables: Tables, recount: Recount, options: Iterable[Counted]) -> tuple[ResourceAudit, ...]:
    """What each period has and uses of each resource, in the order of `capacities`."""
    used: Mapping[tuple[str, int], Fraction] = _used(recount, options)
    accounts = []
    for row in tables.capacities:
        years = period_of(tables, row.period)
        total = sum((used.get((row.resource, year), Fraction(0)) for year in years), Fraction(0))
        accounts.append(ResourceAudit(row.resource, row.period, row.amount, total))
    return tuple(accounts)


def _used(recount: Recount, options: Iterable[Counted]) -> dict[tuple[str, int], Fraction]:
    used: dict[tuple[str, int], Fraction] = defaultdict(Fraction)
    for option in options:
        for resource, year, amount in recount.uses(option):
            used[resource, year] += amount
    return used


def _broken_resources(tables: Tables, accounts: Iterable[ResourceAudit]) -> Iterator[Issue]:
    """What the funded projects use of a resource in a period is at most what the period has."""
    for row, account in zip(tables.capacities, accounts, strict=True):
        if account.slack < 0:
            yield error(
                "broken-resource",
                tables.place("capacities", row, "amount"),
                resource=row.resource,
                period=row.period,
                found=account.used,
                allowed=account.amount,
                difference=-account.slack,
            )

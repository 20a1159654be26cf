"""Portfolios and plans as text for people: sections of sentences and tables, drawn as plain text or as HTML."""

from __future__ import annotations

import html
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from capalloc.allocation import Allocation
from capalloc.answer import Answer
from capalloc.audit import Audit
from capalloc.catalogue import language, say, write_number, write_percent
from capalloc.ceilings import reserve_of, room_of
from capalloc.characters import dictionary_order
from capalloc.history import find_past, first_open_year, payments_made
from capalloc.law.compliance import comply
from capalloc.law.lawbook import Lawbook, demand, titled
from capalloc.leverage import TOTAL, leverage_of
from capalloc.model import Status, relative_gap
from capalloc.money import round_half_up
from capalloc.options import Variant, expand
from capalloc.payers import Payers, find_payers
from capalloc.records import RECORDS, Envelope, Project, Source
from capalloc.tables import Tables


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, sentences and a table, each of which may be empty; cells are text, ready to be read.

    The first ``labels`` columns of the table hold words, the others numbers, which stand to the right.
    """

    heading: str = ""
    lines: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    labels: int = 1


def as_text(sections: Iterable[Section]) -> str:
    """Return the sections as plain text, with a blank line between two."""
    return "\n\n".join("\n".join(_text_lines(section)) for section in sections)


def _text_lines(section: Section) -> Iterator[str]:
    if section.heading:
        yield section.heading
        yield "-" * len(section.heading)
    yield from section.lines
    if section.columns:
        # A name may run over several lines, a row of the table may not.
        table = [tuple(" ".join(cell.split()) for cell in row) for row in (section.columns, *section.rows)]
        widths = [max(len(row[i]) for row in table) for i in range(len(section.columns))]
        for row in table:
            cells = (
                cell.ljust(width) if i < section.labels else cell.rjust(width)
                for i, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            yield "  ".join(cells).rstrip()


def as_html(sections: Iterable[Section]) -> str:
    """Return the sections as HTML for a notebook; whatever the tables say is escaped."""
    return "<div>" + "".join(_html_parts(sections)) + "</div>"


def _html_parts(sections: Iterable[Section]) -> Iterator[str]:
    for section in sections:
        if section.heading:
            yield f"<h4>{html.escape(section.heading)}</h4>"
        yield from (f"<p>{html.escape(line)}</p>" for line in section.lines)
        if section.columns:
            yield "<table><thead>" + _html_row(section.columns, section.labels, "th") + "</thead><tbody>"
            yield from (_html_row(row, section.labels, "td") for row in section.rows)
            yield "</tbody></table>"


def _html_row(cells: Sequence[str], labels: int, tag: str) -> str:
    sides = ("left" if i < labels else "right" for i in range(len(cells)))
    parts = (
        f'<{tag} style="text-align: {side}">{html.escape(cell)}</{tag}>'
        for cell, side in zip(cells, sides, strict=True)
    )
    return f"<tr>{''.join(parts)}</tr>"


def describe_portfolio(tables: Tables) -> Iterator[Section]:
    """Yield what is in a portfolio: its years, projects, envelopes and the tables that bind them."""
    costs = base_costs(tables)
    yield Section(tables.settings.title or say("portfolio.untitled"), tuple(_portfolio_lines(tables, costs)))
    for title, group in _groupings(tables.projects):
        rows = _group_rows(tables.projects, group, costs)
        yield Section(say(f"portfolio.by.{title}"), (), _heads(title, "projects", "cost"), rows)
    if tables.envelopes:
        yield _demand_section(tables)
    if tables.settings.statutory:
        yield Section(say("law.title", preset=tables.settings.statutory), tuple(_law_lines(tables)))
    parts = [say(f"portfolio.table.{name}", count=len(tables.rows(name))) for name in _LISTED if tables.rows(name)]
    if parts:
        yield Section(say("portfolio.tables"), tuple(parts))


def _law_lines(tables: Tables) -> Iterator[str]:
    """Each rule on a line, its ground on the next, under the heading that says how it stands."""
    for number, (heading, rules) in enumerate(Lawbook(tables.settings).chapters()):
        yield from () if number == 0 else ("",)
        yield heading
        for rule in rules:
            yield f"  {rule.statute.name}: {demand(rule.statute)}"
            yield f"    {rule.ground}"


# The tables whose number of rows tells something about the portfolio.
_LISTED = tuple(name for name in RECORDS if name not in ("projects", "envelopes", "costs", "benefits", "profiles"))


def _portfolio_lines(tables: Tables, costs: Mapping[str, int]) -> Iterator[str]:
    settings = tables.settings
    yield say("portfolio.years", first=settings.first_year, last=settings.last_year)
    if settings.phases:
        yield say("portfolio.phases", phases=", ".join(f"{p.name} ({p.first}–{p.last})" for p in settings.phases))
    yield say("portfolio.prices", prices=price_basis(settings.prices), rate=settings.discount_rate)
    if not settings.discount_rate:
        yield say("portfolio.no-hurry")
    yield say(f"portfolio.value-from.{settings.objective.value_from}")
    if settings.objective.goal == "lexicographic":
        yield say("portfolio.ordered")
    yield say("portfolio.candidates", count=len(tables.projects), cost=sum(costs.values()))
    fixed = {row.project for row in tables.committed if row.decision == "in"}
    fixed |= {project.id for project in tables.projects if project.mandatory}
    if fixed:
        yield say("portfolio.fixed", count=len(fixed), cost=sum(costs[project] for project in fixed))
    yield from _history_lines(tables, costs)


def _history_lines(tables: Tables, costs: Mapping[str, int]) -> Iterator[str]:
    """What was begun and paid before the years that the plan decides."""
    first, paid = first_open_year(tables.settings), payments_made(tables)
    if paid:
        amount, payees = sum(row.amount for row in paid), {row.project for row in paid}
        yield say("portfolio.paid-before", first=first, amount=amount, count=len(payees))
    past = find_past(tables)
    if past:
        cost = sum(costs[project] for project in past)
        left = cost - sum(sum(known.paid.values()) for known in past.values())
        yield say("portfolio.going-on", first=first, count=len(past), cost=cost, left=left)


def base_costs(tables: Tables) -> Mapping[str, int]:
    """Return the cost of every project over its life, in million VND: in its first mode, or in the one it began in."""
    costs: dict[str, int] = {}
    for variant in expand(tables).variants:
        costs.setdefault(tables.projects[variant.project].id, variant.cost)
        if variant.past is not None and variant.starts:
            costs[tables.projects[variant.project].id] = variant.cost
    return costs


def _groupings(projects: Sequence[Project]) -> Iterator[tuple[str, Callable[[Project], str]]]:
    """The columns by which a list of projects can be told apart."""
    candidates: tuple[tuple[str, Callable[[Project], str]], ...] = (
        ("sector", lambda project: project.sector),
        ("class", lambda project: "" if project.priority is None else str(project.priority)),
        ("status", lambda project: say(f"status.{project.status}")),
    )
    for title, group in candidates:
        if len({group(project) for project in projects}) > 1:
            yield title, group


def _group_rows(
    projects: Sequence[Project], group: Callable[[Project], str], costs: Mapping[str, int]
) -> tuple[tuple[str, ...], ...]:
    counts = Counter(map(group, projects))
    totals: dict[str, int] = defaultdict(int)
    for project in projects:
        totals[group(project)] += costs[project.id]
    return tuple(
        (name or "–", write_number(counts[name]), write_number(totals[name]))
        for name in sorted(counts, key=dictionary_order)
    )


def _demand_section(tables: Tables) -> Section:
    """Every envelope beside the cost of all candidates that its sources may pay for."""
    names = names_of(tables.sources)
    variants = expand(tables).variants
    payable = tuple(zip(variants, find_payers(tables, variants), strict=True))
    amounts = [_demand(tables, row, payable) for row in tables.envelopes]
    shown = [name for name in amounts[0] if name not in _RARE or any(each[name] for each in amounts)]
    rows = tuple(
        (_source_name(row.source, names), row.period, *(write_number(each[name]) for name in shown))
        for row, each in zip(tables.envelopes, amounts, strict=True)
    )
    return Section(say("portfolio.envelopes"), (), _heads("source", "period", *shown), rows, labels=2)


def _demand(tables: Tables, row: Envelope, payable: Iterable[tuple[Variant, Payers]]) -> Mapping[str, int]:
    costs: dict[int, int] = {}
    for variant, payers in payable:
        if any(tables.sources[source].id in row.source for source in payers.sources):
            costs.setdefault(variant.project, variant.cost)
            if variant.past is not None and variant.starts:
                costs[variant.project] = variant.cost
    wanted = sum(costs.values())
    kept, room = reserve_of(tables, row), room_of(tables, row)
    undisbursed = row.amount - kept - room
    return {"amount": row.amount, "reserve": kept, "undisbursed": undisbursed, "room": room, "candidates": wanted}


# These columns are shown only where they say something.
_RARE = ("undisbursed", "carried_in", "carried_out")

ENVELOPE = ("amount", "reserve", "undisbursed", "room", "carried_in", "carried_out", "used", "slack")
"""The amounts of an envelope, in the order in which they are shown."""


def describe_plan(tables: Tables, answer: Answer) -> Iterator[Section]:
    """Yield what a plan holds and what is proved about it."""
    heading = tables.settings.title or say("portfolio.untitled")
    lines = [*proof_lines(answer), *(str(issue) for issue in answer.violations)]
    audit = answer.audit
    if audit is None or not answer.status.has_plan:
        yield Section(heading, tuple(lines))
        return
    lines += class_lines(answer)
    total = sum(row.cost for row in audit.projects)
    if audit.synergies or audit.penalties:
        numbers = {"gross": audit.gross, "synergies": audit.synergies, "penalties": audit.penalties}
        lines.append(say("plan.parts", **numbers))
    if tables.settings.objective.class_weights:
        lines.append(say("plan.weighted"))
    lines.append(say("plan.funded", count=len(audit.projects), of=len(tables.projects), cost=total))
    lines += _paid_lines(tables, audit)
    yield Section(heading, tuple(lines))
    if audit.envelopes:
        yield _envelope_section(tables, audit)
    if answer.allocation is not None and any(source.side != "state" for source in tables.sources):
        yield _leverage_section(tables, answer.allocation)
    if audit.resources:
        called = {row.id: row.name or row.id for row in tables.resources}
        rows = tuple(
            (called[row.resource], row.period, *map(write_number, (row.amount, row.used, row.slack)))
            for row in audit.resources
        )
        yield Section(
            say("plan.resources"), (), _heads("resource", "period", "amount", "used", "slack"), rows, labels=2
        )
    if any(project.kind == "programme" for project in tables.projects):
        yield _programme_section(tables, audit)
    yield from _statement_sections(audit)
    if answer.allocation is not None and tables.settings.statutory:
        yield _compliance_section(tables, answer.allocation, audit)
    for title, group in _groupings(tables.projects):
        yield Section(
            say(f"plan.by.{title}"), (), _heads(title, "funded", "of", "cost"), _funded_rows(tables, audit, group)
        )


def _paid_lines(tables: Tables, audit: Audit) -> Iterator[str]:
    """What was paid before the years that the plan decides, for what goes on and for what was stopped."""
    first, made = first_open_year(tables.settings), payments_made(tables)
    cost = {row.project: row.cost for row in audit.projects}
    paid = sum(row.amount for row in made if row.project in cost)
    stopped = sum(row.amount for row in made if row.project not in cost)
    if paid:
        yield say("plan.paid-before", first=first, amount=paid, left=sum(cost.values()) - paid)
    if stopped:
        yield say("plan.paid-stopped", first=first, amount=stopped)


def _leverage_section(tables: Tables, allocation: Allocation) -> Section:
    """How much money of others follows that of the state."""
    rows = tuple(
        (
            say("plan.all-years") if row.period == TOTAL else row.period,
            *map(write_number, (row.state, row.non_state)),
            "–" if row.ratio is None else write_number(Fraction(round_half_up(row.ratio * 1000), 1000)),
        )
        for row in leverage_of(tables, allocation)
    )
    return Section(say("plan.leverage"), (), _heads("period", "state", "non_state", "leverage"), rows)


def _programme_section(tables: Tables, audit: Audit) -> Section:
    """How much of each programme is funded."""
    funded, whole = {row.project: row for row in audit.projects}, base_costs(tables)
    programmes = [project for project in tables.projects if project.kind == "programme"]
    names, rows = names_of(programmes), []
    for project in programmes:
        row = funded.get(project.id)
        cost, scale = (row.cost, row.scale) if row else (0, Fraction(0))
        full = round_half_up(cost / scale) if scale else whole[project.id]
        rows.append((names[project.id], write_number(cost), write_number(full), write_percent(scale, 2)))
    return Section(say("plan.programmes"), (), _heads("programme", "funded", "whole", "scale"), tuple(rows))


def _compliance_section(tables: Tables, allocation: Allocation, audit: Audit) -> Section:
    """How the plan stands to each statutory rule."""
    rows = tuple(
        (
            titled(row.statute),
            say(f"law.verdict.{row.verdict}"),
            "" if row.measured is None or row.measured.found is None else write_number(row.measured.found),
            "" if row.measured is None or row.measured.limit is None else write_number(row.measured.limit),
        )
        for row in comply(tables, allocation, audit)
    )
    heads = _heads("statute", "verdict", "found", "limit")
    return Section(say("law.title", preset=tables.settings.statutory), (), heads, rows, labels=2)


_SIGNS = {"<=": "≤", ">=": "≥", "==": "="}


def _statement_sections(audit: Audit) -> Iterator[Section]:
    """What rules and targets ask for, what the plan does, what is left, and what it loses for missing soft ones."""
    if audit.rules:
        rows = tuple(
            (
                row.id,
                *map(write_number, (row.used,)),
                _SIGNS[row.sense],
                *map(write_number, (row.amount, row.slack, row.paid)),
            )
            for row in audit.rules
        )
        yield Section(say("plan.rules"), (), _heads("rule", "used", "sense", "limit", "slack", "paid"), rows)
    if audit.targets:
        targets = tuple(
            (row.indicator, str(row.by_year), *map(write_number, (row.at_least, row.reached, row.slack, row.paid)))
            for row in audit.targets
        )
        heads = _heads("indicator", "by_year", "at_least", "reached", "slack", "paid")
        yield Section(say("plan.targets"), (), heads, targets, labels=2)


def proof_lines(answer: Answer) -> Iterator[str]:
    """What is proved, as sentences; nothing is claimed that is not."""
    if not answer.status.has_plan or answer.value is None:
        yield say(f"plan.status.{answer.verdict}")
        if answer.status is Status.UNKNOWN:
            yield say(f"plan.stopped.{answer.stopped_by}")
        return
    value, gap = answer.value, relative_gap(float(answer.value), answer.bound)
    yield say(f"plan.status.{answer.status}", asked=Fraction(repr(answer.options.gap)))
    if answer.status is Status.FEASIBLE and answer.engine:
        yield say(f"plan.stopped.{answer.stopped_by}")
    if answer.classes:
        return
    if answer.status is Status.OPTIMAL:
        yield say("plan.value", value=shown_down(value))
    elif not math.isfinite(answer.bound):
        yield say("plan.value-alone", value=shown_down(value))
    elif not math.isfinite(gap):
        yield say("plan.value-bound", value=shown_down(value), bound=shown_up(answer.bound))
    else:
        room = max(Fraction(answer.bound) - value, Fraction(0))
        yield say(
            "plan.value-bound-gap",
            value=shown_down(value),
            bound=shown_up(answer.bound),
            gap=shown_up(max(gap, 0.0)),
            room=shown_up(room),
        )


def class_lines(answer: Answer) -> Iterator[str]:
    """What each class of an order reaches, and what it can get at most given the classes above."""
    for place, row in enumerate(answer.classes):
        value, first = shown_down(row.value), "" if place else "-first"
        if not math.isfinite(row.bound):
            yield say("plan.class-alone", number=row.class_, value=value)
        elif row.status is Status.OPTIMAL:
            yield say(f"plan.class-best{first}", number=row.class_, value=value)
        else:
            yield say(f"plan.class-bound{first}", number=row.class_, value=value, bound=shown_up(row.bound))


def shown_down(number: float | Fraction) -> Fraction:
    """Return a number with the digits that a reader is shown, never more than it is.

    From 10,000 on these are whole numbers, below six decimals.

    Examples
    --------
    >>> shown_down(12345.9), shown_down(Fraction(1, 8))
    (Fraction(12345, 1), Fraction(1, 8))
    """
    step = 1_000_000 if -10_000 < number < 10_000 else 1
    return Fraction(math.floor(Fraction(number) * step), step)


def shown_up(number: float | Fraction) -> Fraction:
    """Return a number with the digits that a reader is shown, never less than it is."""
    return -shown_down(-number)


def _envelope_section(tables: Tables, audit: Audit) -> Section:
    names, rows = names_of(tables.sources), audit.envelopes
    shown = [name for name in ENVELOPE if name not in _RARE or any(getattr(row, name) for row in rows)]
    cells = tuple(
        (_source_name(row.source, names), row.period, *(write_number(getattr(row, name)) for name in shown))
        for row in rows
    )
    return Section(say("plan.envelopes"), (), _heads("source", "period", *shown), cells, labels=2)


def _funded_rows(tables: Tables, audit: Audit, group: Callable[[Project], str]) -> tuple[tuple[str, ...], ...]:
    cost = {row.project: row.cost for row in audit.projects}
    every = Counter(map(group, tables.projects))
    funded = Counter(group(project) for project in tables.projects if project.id in cost)
    totals: dict[str, int] = defaultdict(int)
    for project in tables.projects:
        totals[group(project)] += cost.get(project.id, 0)
    return tuple(
        (name or "–", *map(write_number, (funded[name], every[name], totals[name])))
        for name in sorted(every, key=dictionary_order)
    )


def _heads(*names: str) -> tuple[str, ...]:
    return tuple(say(f"column.{name}") for name in names)


def price_basis(prices: str) -> str:
    """Return the basis of prices in words; one of the user's own stands for itself."""
    kind, _, year = prices.partition(" ")
    if kind == "constant" and year:
        return say("report.prices.constant", year=year)
    return say("report.prices.nominal") if kind == "nominal" else prices or say("portfolio.unstated")


def names_of(named: Sequence[Source | Project]) -> Mapping[str, str]:
    """Return what each source or project is called in the language in force, by its id, which is its last resort."""
    english = language() == "en"
    return {s.id: (s.name_en if english else s.name) or s.name or s.name_en or s.id for s in named}


def _source_name(sources: Sequence[str], names: Mapping[str, str]) -> str:
    return " + ".join(names[source] for source in sources)

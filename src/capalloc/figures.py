"""The figures of a plan: its envelopes, what is paid each year, what begins and ends, and what each class gets."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from capalloc.allocation import Allocation
from capalloc.audit import Audit
from capalloc.catalogue import say, write_number
from capalloc.drawing import (
    BLUE,
    FAINT,
    GREY,
    ORANGE,
    PALE,
    SHORT_LABELS,
    SKY,
    MoneyUnit,
    Spec,
    coloured,
    figure,
    hover,
    in_palette,
    money_unit,
    quantity,
    short_label,
)
from capalloc.reporting import base_costs, names_of
from capalloc.tables import Tables

_PARTS = {"used": BLUE, "carried_out": SKY, "slack": FAINT, "undisbursed": PALE, "reserve": GREY}
NAMELESS = "–"
"""What stands for a class, a sector or a place that the tables do not tell."""


def envelopes_figure(tables: Tables, audit: Audit) -> Spec:
    """Return what becomes of each envelope: used, carried out, left, not disbursed, held back."""
    unit = money_unit(row.amount for row in audit.envelopes)
    data = list(_envelope_parts(tables, audit, unit))
    words = {name: say(f"column.{name}") for name in _PARTS}
    shown = {words[name]: colour for name, colour in _PARTS.items() if any(row["part"] == words[name] for row in data)}
    # The names stand above the bars, where a narrow page has room for them.
    place = {"field": "envelope", "type": "nominal", "sort": None, "axis": None}
    bars = {
        "mark": {"type": "bar", "height": 17, "yOffset": 9},
        "encoding": {
            "x": quantity("shown", unit.name),
            "y": place,
            "color": coloured("part", None, shown),
            "order": {"field": "order", "type": "quantitative"},
            "tooltip": hover(envelope=say("word.envelope"), part=say("report.part"), told=say("column.amount")),
        },
    }
    label = {
        "mark": {"type": "text", "align": "left", "baseline": "bottom", "yOffset": -3, "fontSize": 12},
        "transform": [{"filter": "datum.order == 0"}],
        "encoding": {"x": {"value": 0}, "y": place, "text": {"field": "label"}},
    }
    title = say("report.figure.envelopes", unit=unit.name)
    return figure(title, data, say("report.figure.envelopes-told"), height={"step": 46}, layer=[bars, label])


def _envelope_parts(tables: Tables, audit: Audit, unit: MoneyUnit) -> Iterator[dict[str, Any]]:
    names = names_of(tables.sources)
    for row in audit.envelopes:
        label = f"{' + '.join(names[source] for source in row.source)}, {row.period}"
        for order, name in enumerate(_PARTS):
            amount = max(0, getattr(row, name))
            if amount or order == 0:
                yield {
                    "envelope": label,
                    "part": say(f"column.{name}"),
                    "order": order,
                    "amount": amount,
                    "shown": unit.of(amount),
                    "told": unit.told(amount),
                    "label": f"{label}: {unit.short(row.used)} / {unit.short(row.amount)}",
                }


def funding_figure(tables: Tables, allocation: Allocation) -> Spec:
    """Return what each source pays in each year."""
    paid: dict[tuple[int, str], int] = defaultdict(int)
    for payment in allocation.payments:
        paid[payment.year, payment.source] += payment.amount
    totals: dict[int, int] = defaultdict(int)
    for (year, _), amount in paid.items():
        totals[year] += amount
    unit, names = money_unit(totals.values()), names_of(tables.sources)
    years = _years(tables, totals)
    data = [
        {
            "year": str(year),
            "phase": _phase(tables, year),
            "source": names[source.id],
            "order": order,
            "amount": paid[year, source.id],
            "shown": unit.of(paid[year, source.id]),
            "told": unit.told(paid[year, source.id]),
            "total": unit.told(totals[year]),
            "end": unit.of(totals[year]),
            "label": unit.whole(totals[year]),
        }
        for year in years
        for order, source in enumerate(tables.sources)
    ]
    across = {"field": "year", "type": "ordinal", "title": None, "scale": {"paddingInner": 0.28}}
    told = {"year": "report.year", "phase": "report.phase", "source": "column.source", "told": "column.amount"}
    bars = {
        "mark": "bar",
        "encoding": {
            "x": across,
            "y": quantity("shown", unit.name),
            "color": coloured("source", None, in_palette(names.values())),
            "order": {"field": "order", "type": "quantitative"},
            "tooltip": hover(**{field: say(key) for field, key in told.items()}, total=say("report.total")),
        },
    }
    return figure(
        say("report.figure.funding", unit=unit.name),
        data,
        say("report.figure.funding-told"),
        height=280,
        layer=[bars, _on_top(across), *_phase_lines(tables, years)],
    )


def _on_top(across: Spec) -> Spec:
    """The total of each year above its bar."""
    return {
        "mark": {"type": "text", "dy": -7},
        "transform": [{"filter": "datum.order == 0"}],
        "encoding": {"x": across, "y": {"field": "end", "type": "quantitative"}, "text": {"field": "label"}},
    }


def _phase_lines(tables: Tables, years: Sequence[int]) -> Iterator[Spec]:
    """A thin line where a phase begins, but the first, with the name of the phase."""
    starts = [phase for phase in tables.settings.phases if phase.first in years]
    if len(starts) < 2:
        return
    data = [{"year": str(phase.first), "name": say("report.phase-named", name=phase.name)} for phase in starts]
    place = {"field": "year", "type": "ordinal", "bandPosition": 0}
    yield {
        "data": {"values": data},
        "mark": {"type": "rule", "strokeDash": [3, 3], "color": PALE, "xOffset": -6},
        "encoding": {"x": place},
    }
    yield {
        "data": {"values": data},
        "mark": {"type": "text", "align": "left", "dx": -1, "baseline": "top", "y": -14, "fontWeight": 600},
        "encoding": {"x": place, "text": {"field": "name"}},
    }


def years_figure(tables: Tables, audit: Audit) -> Spec:
    """Return how many projects begin and end in each year, and how many are under way."""
    begin = Counter(row.start for row in audit.projects)
    end = Counter(row.finish for row in audit.projects)
    years = _years(tables, [*begin, *end])
    words = {"starts": say("report.starts"), "finishes": say("report.finishes"), "active": say("report.active")}
    colours = {words["starts"]: BLUE, words["finishes"]: ORANGE}
    active = {year: sum(row.start <= year <= row.finish for row in audit.projects) for year in years}
    data = [
        {"year": str(year), "what": words[name], "kind": name, "count": count, "told": write_number(count)}
        for year in years
        for name, count in (("starts", begin[year]), ("finishes", end[year]), ("active", active[year]))
    ]
    across = {"field": "year", "type": "ordinal", "title": None, "scale": {"paddingInner": 0.25}}
    beside = {"field": "what", "sort": list(colours), "scale": {"domain": list(colours)}}
    up = quantity("count", say("report.figure.projects"), axis={"tickMinStep": 1})
    told = hover(year=say("report.year"), what=say("report.what"), told=say("report.figure.projects"))
    pair = [{"filter": "datum.kind != 'active'"}]
    bars = {
        "transform": pair,
        "mark": "bar",
        "encoding": {
            "x": across,
            "xOffset": beside,
            "y": up,
            "tooltip": told,
            "color": coloured("what", None, colours | {words["active"]: GREY}),
        },
    }
    counts = {
        "transform": [*pair, {"filter": "datum.count > 0"}],
        "mark": {"type": "text", "dy": -6},
        "encoding": {"x": across, "xOffset": beside, "y": up, "text": {"field": "told"}},
    }
    line = {
        "transform": [{"filter": "datum.kind == 'active'"}],
        "mark": {"type": "line", "point": {"filled": True, "size": 36}, "strokeWidth": 1.6},
        "encoding": {"x": across, "y": up, "color": {"field": "what", "type": "nominal"}, "tooltip": told},
    }
    title = say("report.figure.years")
    return figure(title, data, say("report.figure.years-told"), height=260, layer=[line, bars, counts])


def projects_figure(tables: Tables, audit: Audit) -> Spec:
    """Return when each funded project is at work, the earliest first."""
    names, rows = names_of(tables.projects), sorted(audit.projects, key=lambda row: (row.start, row.finish))
    unit = money_unit(row.cost for row in rows)
    classes = in_palette(_class(row.class_) for row in sorted(rows, key=lambda row: row.class_ or 10**9))
    data = [
        {
            "project": row.project,
            "name": names[row.project],
            "label": short_label(row.project, names[row.project]),
            "from": row.start - 0.5,
            "to": row.finish + 0.5,
            "years": f"{row.start}–{row.finish}",
            "class": _class(row.class_),
            "amount": row.cost,
            "told": unit.told(row.cost),
        }
        for row in rows
    ]
    scale = {"zero": False, "nice": False}
    axis = {"format": "d", "tickMinStep": 1, "orient": "top", "grid": False}
    told = {"name": "word.project", "years": "report.years", "class": "column.class", "told": "column.cost"}
    return figure(
        say("report.figure.schedule"),
        data,
        say("report.figure.schedule-told"),
        height={"step": 17},
        mark={"type": "bar", "height": {"band": 0.66}, "cornerRadius": 2},
        encoding={
            "x": {"field": "from", "type": "quantitative", "title": None, "scale": scale, "axis": axis},
            "x2": {"field": "to"},
            "y": {"field": "label", "type": "nominal", "title": None, "sort": None, "axis": SHORT_LABELS},
            "color": coloured("class", say("column.class"), classes),
            "tooltip": hover(**{field: say(key) for field, key in told.items()}),
        },
    )


def classes_figure(tables: Tables, audit: Audit) -> Spec:
    """Return what of the money that the projects of each class ask for is funded.

    A funded project counts in the class of the phase that it starts in, another one in its own.
    """
    funded, costs = {row.project: row for row in audit.projects}, base_costs(tables)
    amounts: dict[tuple[int | None, bool], int] = defaultdict(int)
    counts: Counter[tuple[int | None, bool]] = Counter()
    for project in tables.projects:
        row = funded.get(project.id)
        key = (row.class_, True) if row else (project.priority, False)
        amounts[key] += row.cost if row else costs[project.id]
        counts[key] += 1
    unit = money_unit(amounts.values())
    words = {True: say("report.funded"), False: say("report.not-funded")}
    order = sorted({number for number, _ in amounts}, key=lambda number: number or 10**9)
    data = [
        {
            "class": _class(number),
            "what": words[is_funded],
            "order": place,
            "count": counts[number, is_funded],
            "amount": amounts[number, is_funded],
            "shown": unit.of(amounts[number, is_funded]),
            "told": unit.told(amounts[number, is_funded]),
            "counted": write_number(counts[number, is_funded]),
        }
        for number in order
        for place, is_funded in enumerate((True, False))
    ]
    titles = {"class": "column.class", "what": "report.what", "told": "column.cost", "counted": "report.projects"}
    return figure(
        say("report.figure.classes", unit=unit.name),
        data,
        say("report.figure.classes-told"),
        height={"step": 40},
        mark={"type": "bar", "height": {"band": 0.6}},
        encoding={
            "x": quantity("shown", unit.name),
            "y": {"field": "class", "type": "nominal", "title": say("column.class"), "sort": None},
            "color": coloured("what", None, {words[True]: BLUE, words[False]: FAINT}),
            "order": {"field": "order", "type": "quantitative"},
            "tooltip": hover(**{field: say(key) for field, key in titles.items()}),
        },
    )


def _years(tables: Tables, also: Mapping[int, int] | Sequence[int]) -> list[int]:
    """The years of the plan, and those before and after them in which something happens."""
    settings = tables.settings
    return list(range(min([settings.first_year, *also]), max([settings.last_year, *also]) + 1))


def _phase(tables: Tables, year: int) -> str:
    return next((phase.name for phase in tables.settings.phases if phase.first <= year <= phase.last), NAMELESS)


def _class(number: int | None) -> str:
    return NAMELESS if number is None else str(number)

"""What passes from a phase to the next: money that is carried over, and the cost of projects that go on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from capalloc.checks.timing import Way, ways
from capalloc.issues import Issue, error, warning
from capalloc.law.statutes import statutes_of
from capalloc.records import Envelope
from capalloc.settings import PhaseSettings, Settings
from capalloc.tables import Tables


def check_carrying(tables: Tables) -> Iterator[Issue]:
    """Whatever may be carried has a phase to leave and an envelope of the same sources in the next to go to."""
    phases = sorted(tables.settings.phases, key=lambda phase: phase.first)
    for row in tables.envelopes:
        if row.carry_cap:
            fault = _fault(tables, phases, row)
            names = {"source": "+".join(row.source), "period": row.period}
            following = {"next": _next(phases, row.period), "known": ", ".join(p.name for p in phases[:-1]) or "—"}
            if fault:
                yield error(fault, tables.place("envelopes", row, "carry_cap"), **names, **following)
    for source in tables.sources:
        inheriting = [row for row in tables.envelopes if row.source == (source.id,) and row.carry_cap is None]
        if source.carry_cap and all(_fault(tables, phases, row) for row in inheriting):
            yield error("carry-unused", tables.place("sources", source, "carry_cap"), source=source.id)


def _fault(tables: Tables, phases: Sequence[PhaseSettings], row: Envelope) -> str:
    """Why nothing can be carried out of an envelope; empty when it can."""
    names = [phase.name for phase in phases]
    if row.period not in names:
        return "carry-from-years"
    if row.period == names[-1]:
        return "carry-from-last"
    following = _next(phases, row.period)
    takers = (other for other in tables.envelopes if set(other.source) == set(row.source))
    return "" if any(other.period == following for other in takers) else "carry-to-nothing"


def _next(phases: Sequence[PhaseSettings], period: str) -> str:
    names = [phase.name for phase in phases]
    place = names.index(period) + 1 if period in names else len(names)
    return names[place] if place < len(names) else "—"


def check_tails(tables: Tables) -> Iterator[Issue]:
    """Where projects may be paid for beyond the phase of their start, a rule limits what that leaves to pay."""
    settings = tables.settings
    limited = any(rule.enabled and rule.measure.strip() == "tail" and rule.sense != ">=" for rule in tables.rules)
    limited |= any(statute.in_force and statute.form == "tail-cap" for statute in statutes_of(settings))
    if limited or not (settings.may_cross_phase or settings.may_run_over):
        return
    # What has begun passes every border, whatever is allowed.
    passing = {way.project.id: way for way in ways(tables) if way.past is None and _passes(settings, way)}
    if passing:
        column = "may_run_over" if settings.may_run_over else "may_cross_phase"
        yield warning(
            "tail-unlimited", tables.place("settings", column=column), count=len(passing), project=next(iter(passing))
        )


def _passes(settings: Settings, way: Way) -> bool:
    """Whether a project can have years of work or payment after the phase, or the horizon, in which it starts."""
    ends = {year: phase.last for phase in settings.phases for year in range(phase.first, phase.last + 1)}
    return any(year + way.span - 1 > ends.get(year, settings.last_year) for year in way.starts(settings))

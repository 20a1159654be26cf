"""Before optimising: what can never be funded and why, and what mandatory projects already take of each envelope."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from capalloc.compiling import Compiled, compile_tables
from capalloc.elasticity import elastic
from capalloc.engines.highs import Highs
from capalloc.issues import Issue, Issues, error, info, warning
from capalloc.model import Floats, Ints, LinearModel, SolveOptions, Status
from capalloc.options import Options
from capalloc.records import Dependency
from capalloc.rows import RowWriter, with_rows
from capalloc.tables import Tables

_LIMITS = SolveOptions(time_limit=10.0, gap=1e-4, threads=1)

_FIRM = ("balance", "must")

_FLOAT_ERROR = 0.05
"""The rows hold whole numbers; a smaller excess may be the engine's own error."""


@dataclass(frozen=True, slots=True)
class Never:
    """Why a project can never be funded: the end of an issue code and the arguments of its text."""

    reason: str
    arguments: Mapping[str, Any]


def screen(tables: Tables) -> Issues:
    """Return what can never be funded, each with one reason, and the load of mandatory and committed projects.

    A project that is mandatory and can never be funded is an error, any other an info.  Only what a project meets on
    its own counts, and what it depends on: competition for money is for the plan to settle.
    """
    compiled = compile_tables(tables)
    never = find_never(compiled)
    due = _due(tables)
    issues = [_never_issue(tables, project, why, project in due) for project, why in sorted(never.items())]
    if due and not any(project in never for project in due):
        issues += _load_issues(compiled, sorted(due))
    return Issues(issues)


def screen_mandatory(tables: Tables) -> Issues:
    """Return an error for each mandatory or committed project that can never be funded."""
    due = _due(tables)
    if not due:
        return Issues()
    never = find_never(compile_tables(tables))
    return Issues(_never_issue(tables, project, never[project], True) for project in sorted(due & never.keys()))


def _due(tables: Tables) -> set[int]:
    committed = {row.project for row in tables.committed if row.decision == "in"}
    return {n for n, project in enumerate(tables.projects) if project.mandatory or project.id in committed}


def _never_issue(tables: Tables, project: int, why: Never, due: bool) -> Issue:
    row = tables.projects[project]
    column = "mandatory" if row.mandatory else "id"
    say_ = error if due else info
    return say_(f"never-{why.reason}", tables.place("projects", row, column), project=row.id, **why.arguments)


def find_never(compiled: Compiled) -> dict[int, Never]:
    """Return the projects that can never be funded, each with a single reason."""
    tables, options = compiled.tables, compiled.options
    never: dict[int, Never] = {}
    out = {row.project: row.reason for row in tables.committed if row.decision == "out"}
    able = set(options.project[compiled.model.upper[: len(options)] > 0].tolist())
    optional = set(options.project.tolist())
    for number, project in enumerate(tables.projects):
        if project.id in out:
            never[number] = Never("decided", {"why": out[project.id]})
        elif number not in optional:
            never[number] = _window(compiled, number)
        elif number not in able:
            never[number] = Never("payer", {})
    for number in _suspects(compiled):
        if number not in never:
            alone = _alone(compiled, number)
            never |= {number: alone} if alone else {}
    _spread_exclusions(tables, never)
    _spread_dependencies(tables, options, never)
    return never


def _window(compiled: Compiled, project: int) -> Never:
    variants = [variant for variant in compiled.options.variants if variant.project == project]
    years = min(variant.span for variant in variants)
    row, settings = compiled.tables.projects[project], compiled.tables.settings
    earliest = max(row.earliest_start or settings.first_year, settings.first_year)
    return Never("window", {"years": years, "earliest": earliest, "last": settings.last_year})


def _suspects(compiled: Compiled) -> list[int]:
    """Projects that might not fit alone: no option stays, with its whole cost and use, within every room."""
    model, options = compiled.model, compiled.options
    smallest = np.full(len(compiled.accounts.items) + 1, np.inf)
    for number, item in enumerate(compiled.accounts.items):
        rooms = [c.room for c in compiled.accounts.ceilings if set(c.sources) & set(item.payers.sources)]
        smallest[number] = min(rooms, default=np.inf)
        if any(limit.high < 1 or not limit.sources for limit in item.payers.limits):
            # Limits from above may not add up to the whole cost; limits on nobody cannot hold.
            smallest[number] = -1
    fits = (options.cost <= smallest[compiled.accounts.of_variant[options.variant]]) | (options.cost == 0)
    fits &= model.upper[: len(options)] > 0
    resources = _rows_of(model, ("resource",))
    if len(resources):
        use = model.matrix[resources][:, : len(options)].tocoo()
        fits[use.col[use.data > model.row_upper[resources][use.row]]] = False
    fine = np.zeros(len(compiled.tables.projects), dtype=bool)
    fine[options.project[fits]] = True
    return np.flatnonzero(~fine & np.isin(np.arange(len(fine)), options.project)).tolist()


def _rows_of(model: LinearModel, kinds: Sequence[str]) -> Ints:
    marks = [np.full(len(block.keys), block.kind in kinds) for block in model.rows]
    return np.flatnonzero(np.concatenate(marks)) if marks else np.empty(0, dtype=np.int64)


def _alone(compiled: Compiled, project: int) -> Never | None:
    """Fund one project and nothing else, breaking as little as possible; the row that breaks most is the reason."""
    model = _with_projects(compiled, [project], ("balance", "share", "envelope", "resource"))
    found = Highs().solve(elastic(model, _FIRM), _LIMITS)
    if found.x is None:
        return None
    x = found.x[: len(model.objective)]
    activity = model.matrix @ x
    excess = np.maximum(activity - model.row_upper, model.row_lower - activity)
    worst = int(np.argmax(excess))
    if excess[worst] <= _FLOAT_ERROR:
        return None
    first = len(compiled.options) + len(compiled.accounts)
    carries = slice(first, first + len(compiled.accounts.carries))
    passed_on = float((model.matrix[[worst]][:, carries] @ x[carries])[0])
    return _reason(compiled, model, worst, activity[worst], passed_on)


def _reason(compiled: Compiled, model: LinearModel, row: int, activity: float, passed_on: float) -> Never:
    origin = model.row_origin(row)
    if origin.kind == "envelope":
        sources, period = origin.key
        # What an envelope gets from the phase before adds to its room; what it passes on is not there.
        room = math.floor(model.row_upper[row] - passed_on + 1e-6)
        needed = math.ceil(activity - passed_on - 1e-6)
        return Never("envelope", {"source": "+".join(sources), "period": period, "needed": needed, "room": room})
    if origin.kind == "resource":
        resource, period = origin.key
        return Never("resource", {"resource": resource, "period": period})
    share = compiled.tables.shares[origin.key[0]]
    return Never("share", {"source": "+".join(share.source), "low": share.min, "high": share.max})


def _with_projects(compiled: Compiled, projects: Sequence[int], kinds: Sequence[str]) -> LinearModel:
    """The rows of some kinds, with exactly these projects funded and no others."""
    model, options = compiled.model, compiled.options
    rows = _rows_of(model, kinds)
    blocks = tuple(block for block in model.rows if block.kind in kinds)
    part = replace(
        model,
        matrix=model.matrix[rows],
        row_lower=model.row_lower[rows],
        row_upper=model.row_upper[rows],
        rows=blocks,
    )
    upper = model.upper.copy()
    upper[: len(options)] *= np.isin(options.project, projects)
    writer = RowWriter("must")
    for project in projects:
        writer.add((project,), 1, 1, (np.flatnonzero(options.project == project), 1))
    return with_rows(replace(part, upper=upper), writer.block())


def _spread_exclusions(tables: Tables, never: dict[int, Never]) -> None:
    """What excludes a mandatory or committed project, or shares a one_of with it, can never be funded."""
    index = {project.id: number for number, project in enumerate(tables.projects)}
    due = _due(tables)
    rivals = [(row.first, row.then) for row in tables.dependencies if row.kind == "excludes"]
    members: dict[str, list[str]] = {}
    for row in tables.groups:
        if row.kind in ("one_of", "exactly_one_of"):
            members.setdefault(row.group, []).append(row.project)
    rivals += [(a, b) for group in members.values() for a in group for b in group if a < b]
    for a, b in rivals:
        for one, other in ((a, b), (b, a)):
            if index[one] in due and index[other] not in due:
                never.setdefault(index[other], Never("excluded", {"other": one}))


def _spread_dependencies(tables: Tables, options: Options, never: dict[int, Never]) -> None:
    """What needs a project that can never be funded, or one that ends too late, can never be funded either."""
    index = {project.id: number for number, project in enumerate(tables.projects)}
    arcs = [(row, index[row.first], index[row.then]) for row in tables.dependencies if row.kind != "excludes"]
    arcs += [(row, then, first) for row, first, then in arcs if row.kind == "together"]
    order = _Order(tables, options)
    changed = True
    while changed:
        changed = False
        for row, first, then in arcs:
            if then in never:
                continue
            if first in never:
                never[then] = Never("first", {"first": tables.projects[first].id})
                changed = True
            elif row.kind in ("finish_start", "start_start"):
                moved, why = order.push(row, first, then)
                changed |= moved
                never |= {then: why} if why else {}


class _Order:
    """The earliest start of every project behind those it waits for."""

    def __init__(self, tables: Tables, options: Options) -> None:
        self.tables, self.options = tables, options
        self.spans = np.searchsorted(options.project, np.arange(len(tables.projects) + 1))
        self.earliest = np.full(len(tables.projects), -1, dtype=np.int64)

    def push(self, row: Dependency, first: int, then: int) -> tuple[bool, Never | None]:
        """Move the earliest start of ``then`` behind ``first``: whether it moved, and why there is no start left."""
        starts = self._of(first, self.options.start)
        ends = self._of(first, self.options.finish) + 1 if row.kind == "finish_start" else starts
        ready = int(ends[starts >= self.earliest[first]].min()) + row.lag
        last = int(self._of(then, self.options.start).max())
        if ready > last:
            return True, Never("order", {"first": self.tables.projects[first].id, "ready": ready, "last": last})
        moved = ready > int(self.earliest[then])
        self.earliest[then] = max(ready, int(self.earliest[then]))
        return moved, None

    def _of(self, project: int, years: Ints) -> Ints:
        own: Ints = years[self.spans[project] : self.spans[project + 1]]
        return own


def _load_issues(compiled: Compiled, due: Sequence[int]) -> Iterator[Issue]:
    """The least that mandatory and committed projects take of each envelope, or that they do not fit together."""
    kinds = ("balance", "share", "envelope", "resource", "dependency", "group")
    model = _with_projects(compiled, due, kinds)
    rows = _rows_of(model, ("envelope",))
    for row, ceiling in zip(rows.tolist(), compiled.accounts.ceilings, strict=True):
        outcome = Highs().solve(replace(model, objective=_draw(model, row)), _LIMITS)
        if outcome.status is Status.INFEASIBLE:
            yield warning("mandatory-together", count=len(due))
            return
        least = max(0, math.ceil(-outcome.bound - 1e-6))
        yield info(
            "mandatory-load",
            compiled.tables.place("envelopes", compiled.tables.envelopes[row - rows[0]], "amount"),
            source="+".join(ceiling.key[0]),
            period=ceiling.key[1],
            least=least,
            room=ceiling.room,
            left=ceiling.room - least,
        )


def _draw(model: LinearModel, row: int) -> Floats:
    """The objective whose greatest value is the least that is drawn from the envelope of a row."""
    draw: Floats = -model.matrix[[row]].toarray().ravel()
    return draw

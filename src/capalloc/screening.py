"""Before optimising: what can never be funded and why, and what mandatory projects already take of each envelope."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from capalloc.ceilings import Ceiling
from capalloc.compiling import Compiled, compile_tables
from capalloc.elasticity import elastic
from capalloc.engines.highs import Highs
from capalloc.history import due_projects, first_open_year
from capalloc.issues import Issue, Issues, error, info, warning
from capalloc.model import Block, Ints, LinearModel, SolveOptions, Status
from capalloc.options import Options
from capalloc.payers import Payers
from capalloc.records import Dependency, Mode
from capalloc.rows import RowWriter, with_rows
from capalloc.tables import Tables

_LIMITS = SolveOptions(time_limit=10.0, gap=0.0, threads=1)

_OWN_TERMS = ("choice", "dependency", "group", "resource", "balance", "yearly", "scale", "share", "envelope")
"""What mandatory projects meet among themselves; a rule may count on others."""

_FIRM = ("balance", "yearly", "scale", "must")

_FLOAT_ERROR = 0.05
"""The rows hold whole numbers; a smaller excess may be the engine's own error."""

_NOISE = 1e-9
"""Relative error of a bound that an engine computes in floats."""


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
    due = due_projects(tables)
    issues = [_never_issue(tables, project, why, project in due) for project, why in sorted(never.items())]
    if due and not any(project in never for project in due):
        issues += _load_issues(compiled, due)
    return Issues(issues)


def screen_mandatory(tables: Tables, compiled: Callable[[Tables], Compiled] = compile_tables) -> Issues:
    """Return an error for each mandatory or committed project that can never be funded."""
    due = due_projects(tables)
    if not due:
        return Issues()
    never = find_never(compiled(tables), _needed(tables, due))
    return Issues(_never_issue(tables, project, never[project], True) for project in sorted(due & never.keys()))


def _never_issue(tables: Tables, project: int, why: Never, due: bool) -> Issue:
    row = tables.projects[project]
    column = "mandatory" if row.mandatory else "id"
    say_ = error if due else info
    return say_(f"never-{why.reason}", tables.place("projects", row, column), project=row.id, **why.arguments)


def _needed(tables: Tables, due: Collection[int]) -> set[int]:
    """Some projects, what groups ask for, and all that these depend on: a plan may do without the rest."""
    index = {project.id: number for number, project in enumerate(tables.projects)}
    needed = {*due, *(index[row.project] for row in tables.groups if row.kind in ("exactly_one_of", "at_least"))}
    arcs = [(index[row.then], index[row.first]) for row in tables.dependencies if row.kind != "excludes"]
    arcs += [(index[row.first], index[row.then]) for row in tables.dependencies if row.kind == "together"]
    behind: dict[int, list[int]] = {}
    for project, other in arcs:
        behind.setdefault(project, []).append(other)
    open_ = list(needed)
    while open_:
        fresh = set(behind.get(open_.pop(), ())) - needed
        needed |= fresh
        open_ += fresh
    return needed


def find_never(compiled: Compiled, among: Collection[int] | None = None) -> dict[int, Never]:
    """Return the projects that can never be funded, each with a single reason.

    Parameters
    ----------
    among
        The projects that are judged on their own; every one when left out.
    """
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
            never[number] = _unpaid(compiled, number)
    judged = [n for n in _suspects(compiled, among) if n not in never]
    alone = _Alone(compiled)
    for number in judged:
        why = alone.reason(number)
        never |= {number: why} if why else {}
    _spread_exclusions(tables, never)
    _spread_dependencies(tables, options, never)
    return never


def _window(compiled: Compiled, project: int) -> Never:
    """The window lies before or after the years that the plan decides, or is too short for the work."""
    tables, settings = compiled.tables, compiled.tables.settings
    row, first, last = tables.projects[project], first_open_year(settings), settings.last_year
    modes = [mode for mode in tables.modes if mode.project == row.id] or [Mode()]
    latest = max(mode.latest_start or row.latest_start or last for mode in modes)
    earliest = min(mode.earliest_start or row.earliest_start or first for mode in modes)
    if latest < first:
        return Never("past", {"latest": latest, "first": first})
    if earliest > last:
        return Never("late", {"earliest": earliest, "last": last})
    years = min(variant.span for variant in compiled.options.variants if variant.project == project)
    return Never("window", {"years": years, "earliest": max(earliest, first), "last": last})


def _unpaid(compiled: Compiled, project: int) -> Never:
    """Nobody may pay, or those who may pay are not allowed to pay all of it."""
    options, accounts = compiled.options, compiled.accounts
    numbers = np.unique(accounts.of_variant[options.variant[options.project == project]])
    payers = [accounts.items[number].payers for number in numbers.tolist() if number >= 0]
    begun = any(variant.past is not None for variant in options.variants if variant.project == project)
    joint = [
        limit
        for payer in payers
        for limit in payer.limits
        # What was paid before the plan may alone decide a share.
        if begun or len(limit.sources) in (0, len(payer.sources))
    ]
    if not joint:
        return Never("payer", {})
    return _share_reason(compiled, min(joint, key=lambda limit: limit.high).row)


def _suspects(compiled: Compiled, among: Collection[int] | None) -> list[int]:
    """Projects, of some, that might not fit alone: no option surely stays, with all its cost and use, in every room."""
    model, options = compiled.model, compiled.options
    accounts = compiled.accounts
    count = len(compiled.tables.projects)
    asked = np.ones(count, dtype=bool) if among is None else np.isin(np.arange(count), sorted(among))
    sure, known = np.full(len(accounts.items) + 1, np.inf), dict[int, float]()
    for number in np.unique(accounts.of_variant[options.variant[asked[options.project]]]).tolist():
        if number >= 0:
            # Thousands of accounts have the very same payers.
            payers = accounts.items[number].payers
            if id(payers) not in known:
                known[id(payers)] = _sure_cost(payers, accounts.ceilings)
            sure[number] = known[id(payers)]
    fits = (options.due <= sure[accounts.of_variant[options.variant]]) | (options.due == 0)
    fits &= model.upper[: len(options)] > 0
    # How little of a programme would do is for its own rows to say.
    fits[compiled.scales.option] = False
    resources = _rows_of(model, ("resource",))
    if len(resources):
        use = model.matrix[resources][:, : len(options)].tocoo()
        fits[use.col[use.data > model.row_upper[resources][use.row]]] = False
    fine = np.zeros(count, dtype=bool)
    fine[options.project[fits]] = True
    return np.flatnonzero(~fine & asked & np.isin(np.arange(count), options.project)).tolist()


def _sure_cost(payers: Payers, ceilings: Sequence[Ceiling]) -> float:
    """The greatest cost that surely fits alone: every source pays the same part of it each year, as its limits allow.

    −1 when these parts keep not all limits, which other payments still may, and where some was paid before.
    """
    if any(limit.paid for limit in payers.limits):
        return -1.0
    low, high = dict.fromkeys(payers.sources, Fraction(0)), dict.fromkeys(payers.sources, Fraction(1))
    for limit in payers.limits:
        if len(limit.sources) == 1:
            (source,) = limit.sources
            low[source], high[source] = max(low[source], limit.low), min(high[source], limit.high)
    missing, spare = 1 - sum(low.values()), sum(high.values()) - sum(low.values())
    if not 0 <= missing <= spare:
        return -1.0
    step = missing / spare if spare else Fraction(0)
    part = {source: low[source] + (high[source] - low[source]) * step for source in payers.sources}
    if any(not limit.low <= sum(part[source] for source in limit.sources) <= limit.high for limit in payers.limits):
        return -1.0
    drawn = [(max(0, ceiling.left), sum(part.get(source, 0) for source in ceiling.sources)) for ceiling in ceilings]
    return min((float(room // portion) for room, portion in drawn if portion), default=np.inf)


def _rows_of(model: LinearModel, kinds: Sequence[str]) -> Ints:
    marks = [np.full(len(block.keys), block.kind in kinds) for block in model.rows]
    return np.flatnonzero(np.concatenate(marks)) if marks else np.empty(0, dtype=np.int64)


class _Alone:
    """One project funded and nothing else: its own options and payments, and the rows of money and resources."""

    def __init__(self, compiled: Compiled) -> None:
        self.compiled = compiled
        self.part = _Part(compiled, ("balance", "yearly", "scale", "share", "envelope", "resource"))

    def reason(self, project: int) -> Never | None:
        """Break as little as possible; the row that breaks most is the reason, and ``None`` says that none must."""
        model = self._model(project)
        found = Highs().solve(elastic(model, _FIRM), _LIMITS)
        if found.x is None or found.status is not Status.OPTIMAL:
            return None
        x = found.x[: len(model.objective)]
        activity = model.matrix @ x
        excess = np.maximum(activity - model.row_upper, model.row_lower - activity)
        worst = int(np.argmax(excess))
        if excess[worst] <= _FLOAT_ERROR:
            return None
        carries = slice(len(x) - len(self.compiled.accounts.carries), len(x))
        passed_on = float((model.matrix[[worst]][:, carries] @ x[carries])[0])
        return _reason(self.compiled, model, worst, activity[worst], passed_on)

    def _model(self, project: int) -> LinearModel:
        own = np.flatnonzero(self.compiled.options.project == project)
        writer = RowWriter("must")
        writer.add((project,), 1, 1, (np.arange(len(own)), 1))
        return with_rows(self.part.of(self.part.columns(own)), writer.block())


class _Part:
    """The rows of some kinds, and what is left of them when some options may be taken and no others."""

    def __init__(self, compiled: Compiled, kinds: Sequence[str]) -> None:
        self.compiled = compiled
        self.rows = _rows_of(compiled.model, kinds)
        self.matrix = compiled.model.matrix[self.rows].tocsc()

    def columns(self, own: Ints) -> Ints:
        """Return the columns of options, of what the plan pays for them, and of what is carried."""
        options, accounts = self.compiled.options, self.compiled.accounts
        paying = np.flatnonzero(np.isin(accounts.account, accounts.of_variant[options.variant[own]]))
        carrying = len(accounts) + np.arange(len(accounts.carries))
        scaling = self.compiled.scales.columns_of(own)
        return np.concatenate([own, len(options) + paying, scaling, len(options) + carrying])

    def of(self, columns: Ints) -> LinearModel:
        """Return the model of some columns, with the rows that hold any of them or hold without none."""
        whole, matrix = self.compiled.model, self.matrix[:, columns].tocsr()
        lower, upper = whole.row_lower[self.rows], whole.row_upper[self.rows]
        touched = np.flatnonzero((np.diff(matrix.indptr) > 0) | (lower > 0) | (upper < 0))
        rows = self.rows[touched]
        origins = [whole.row_origin(row) for row in rows.tolist()]
        return LinearModel(
            objective=np.zeros(len(columns)),
            matrix=matrix[touched],
            row_lower=whole.row_lower[rows],
            row_upper=whole.row_upper[rows],
            lower=whole.lower[columns],
            upper=whole.upper[columns],
            integer=whole.integer[columns],
            rows=tuple(Block(origin.kind, [origin.key]) for origin in origins),
        )


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
    return _share_reason(compiled, origin.key[0])


def _share_reason(compiled: Compiled, row: int) -> Never:
    share = compiled.tables.shares[row]
    return Never("share", {"source": "+".join(share.source), "low": share.min, "high": share.max})


def _spread_exclusions(tables: Tables, never: dict[int, Never]) -> None:
    """What excludes a mandatory or committed project, or shares a one_of with it, can never be funded."""
    index = {project.id: number for number, project in enumerate(tables.projects)}
    due = due_projects(tables)
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


def _load_issues(compiled: Compiled, due: Collection[int]) -> Iterator[Issue]:
    """The least that mandatory and committed projects take of each envelope, or that they do not fit together."""
    tables, options, part = compiled.tables, compiled.options, _Part(compiled, _OWN_TERMS)
    columns = part.columns(np.flatnonzero(np.isin(options.project, sorted(_needed(tables, due)))))
    model = part.of(columns)
    if Highs().solve(model, _LIMITS).status is Status.INFEASIBLE:
        yield warning("mandatory-together", count=len(due))
        return
    draws = -compiled.model.matrix[_rows_of(compiled.model, ("envelope",))].tocsc()[:, columns].toarray()
    for draw, envelope, ceiling in zip(draws, tables.envelopes, compiled.accounts.ceilings, strict=True):
        # The greatest value is what the envelope, at the least, spends or passes on of its own room.
        outcome = Highs().solve(replace(model, objective=draw), _LIMITS)
        least = ceiling.paid + _whole_at_least(-outcome.bound)
        yield info(
            "mandatory-load",
            tables.place("envelopes", envelope, "amount"),
            source="+".join(ceiling.key[0]),
            period=ceiling.key[1],
            least=least,
            room=ceiling.room,
            left=ceiling.room - least,
        )


def _whole_at_least(proved: float) -> int:
    """The whole amount that a proved least amount stands for; 0 where nothing is proved."""
    return max(0, math.ceil(proved - 1e-6 - _NOISE * proved)) if math.isfinite(proved) else 0

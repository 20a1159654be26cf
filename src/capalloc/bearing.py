"""The rows of robust envelopes: all of them for the engine, by more columns, and one by one for whole payments.

The engine is given every case that a plan must bear at once.  Whole payments are given the cases that a plan was found
not to bear, and then obey them as any other row.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from threading import Event
from typing import TypeAlias

import numpy as np

from capalloc.allocation import Allocation
from capalloc.ceilings import find_ceilings
from capalloc.compiling import Compiled
from capalloc.elasticity import firm_rows
from capalloc.engines.base import Engine
from capalloc.financing import finance
from capalloc.history import first_open_year
from capalloc.measures import Measure
from capalloc.model import Floats, Ints, LinearModel, Outcome, ProgressReport, SolveOptions
from capalloc.protection import GRAIN, NOISE, Shield, protections, still_paid
from capalloc.records import Rule
from capalloc.rows import RowWriter, with_rows
from capalloc.settings import Period
from capalloc.sums import Ledger
from capalloc.tables import Tables

# Million VND; an amount of sources without envelopes has no other limit than what projects cost.
_MORE_THAN_ANY = Fraction(10**13)


def told_apart(tables: Tables, shield: Shield) -> Tables:
    """The tables with a statement that always holds for each project, so that its payments are told apart."""
    taken = {rule.id for rule in tables.rules}
    rules = []
    for number in shield.projects.tolist():
        name = f"protected-{number}"
        while name in taken:
            name += "-"
        selection = _only(tables.projects[number].id)
        rules.append(Rule(id=name, measure="paid", selection=selection, sense="<=", amount=_MORE_THAN_ANY))
    return replace(tables, rules=(*tables.rules, *rules)) if tables.envelopes else tables


class Protected:
    """A compiled portfolio that gets a row for every case that a plan does not bear."""

    def __init__(self, compiled: Compiled, shield: Shield) -> None:
        self.compiled, self.shield = compiled, shield
        self.rows = np.flatnonzero(firm_rows(compiled.model, ("envelope",)))
        self.terms = list(_terms(compiled, shield))
        self.rooms = [ceiling.room for ceiling in find_ceilings(compiled.tables)]
        self.seen: set[tuple[int, str, bytes]] = set()

    def add(self, paid: Floats) -> bool:
        """Add rows for the worst cases of what a plan still pays, and return whether there were any new ones.

        Parameters
        ----------
        paid
            What is still paid of each envelope for each project, shape (envelopes, projects).
        """
        writer, model = RowWriter("protected"), self.compiled.model
        for number, row in enumerate(self.rows.tolist()):
            columns, values = _entries(model, row)
            for case in self.shield.worst(paid[number]):
                key = (number, case.demand, case.rises.tobytes())
                if key in self.seen:
                    continue
                self.seen.add(key)
                limit = case.parts * (model.row_upper[row] + float(case.allowed - 1) * self.rooms[number])
                rises = [(of, case.rises[p] * amounts) for p, of, amounts in self.terms[number] if case.rises[p]]
                writer.add((number, case.demand), -np.inf, limit, (columns, case.parts * values), *rises)
        if writer.keys:
            self.compiled = replace(self.compiled, model=with_rows(model, writer.block()))
        return bool(writer.keys)

    def paid_so(self, allocation: Allocation) -> Allocation | None:
        """Return the same choices with whole payments that bear what is asked; ``None`` where none are found.

        Every case that the payments do not bear becomes a row, and they are chosen again.
        """
        tables, point = self.shield.tables, self.compiled.point(allocation)
        held: Allocation | None = allocation
        while held is not None and point is not None:
            if all(row.slack >= -NOISE for row in protections(tables, held, self.shield)):
                return held
            if not self.add(still_paid(tables, held)):
                return None
            held = finance(self.compiled, point)
        return None

    def refuse(self, allocation: Allocation) -> None:
        """Cut off the options of an allocation that cannot be paid as is asked."""
        point = self.compiled.point(allocation)
        if point is None:
            raise ValueError("a plan takes the options of its model")
        taken, every = self.compiled.taken(point), np.arange(len(self.compiled.options))
        sign = np.full(len(every), -1.0)
        sign[taken] = 1.0
        writer = RowWriter("refused")
        writer.add((), -np.inf, len(taken) - 1, (every, sign))
        self.compiled = replace(self.compiled, model=with_rows(self.compiled.model, writer.block()))

    def bearing(self, model: LinearModel) -> LinearModel:
        """Return a model in which every case is borne, by more columns behind those of ``model``.

        Γ of an envelope: use + Γ·z + sum of q[j] <= room, z + q[j] >= rise[j] · payments of j (Bertsimas and Sim 2004).
        CVaR of an envelope, k the number of worst samples: use + η + sum of u[w] / k <= limit and
        η + u[w] >= sum of rise[w, j] · payments of j (Rockafellar and Uryasev 2000), η of either sign.
        """
        robust, writer, first = self.shield.robust, RowWriter("bearing"), len(model.objective)
        lower: list[float] = []
        for number, row in enumerate(self.rows.tolist()):
            own, terms = _entries(self.compiled.model, row), self.terms[number]
            limit = self.compiled.model.row_upper[row]
            if robust.gamma is not None:
                raised = [(of, self.shield.rises[p] * amounts) for p, of, amounts in terms if self.shield.rises[p] > 0]
                z = np.array([first + len(lower)])
                q = first + len(lower) + 1 + np.arange(len(raised))
                lower += [0.0] * (1 + len(raised))
                writer.add((number, "gamma"), -np.inf, limit, own, (z, robust.gamma), (q, 1))
                for column, (of, amounts) in zip(q.tolist(), raised, strict=True):
                    writer.add((number, column), 0, np.inf, (z, GRAIN), (np.array([column]), GRAIN), (of, -amounts))
            if robust.cvar is not None:
                eta, tail = np.array([first + len(lower)]), robust.tail
                u = first + len(lower) + 1 + np.arange(robust.scenarios)
                lower += [-np.inf] + [0.0] * robust.scenarios
                more = limit + float(robust.cvar) * self.rooms[number]
                whole = (own[0], tail * own[1])
                writer.add((number, "cvar"), -np.inf, tail * more, whole, (eta, tail), (u, 1))
                for sample, column in enumerate(u.tolist()):
                    rises = [(of, -float(self.shield.samples[sample, p]) * amounts) for p, of, amounts in terms]
                    writer.add((number, column), 0, np.inf, (eta, GRAIN), (np.array([column]), GRAIN), *rises)
        return with_rows(_widened(model, lower), writer.block())

    def completed(self, point: Floats) -> Floats:
        """Return a point with the least that the further columns of :meth:`bearing` may hold, in their order."""
        robust, shield, more = self.shield.robust, self.shield, list[float]()
        for terms in self.terms:
            paid = {p: float(amounts @ point[of]) / GRAIN for p, of, amounts in terms}
            if robust.gamma is not None:
                raised = [float(shield.rises[p]) * amount for p, amount in paid.items() if shield.rises[p] > 0]
                # What the first one that is not among the Γ greatest rises by.
                z = sorted([*raised, 0.0], reverse=True)[min(robust.gamma, len(raised))]
                more += [z, *(max(0.0, rise - z) for rise in raised)]
            if robust.cvar is not None:
                total = sum((shield.samples[:, p] * amount for p, amount in paid.items()), np.zeros(robust.scenarios))
                eta = float(np.sort(total)[-robust.tail])
                more += [eta, *np.maximum(total - eta, 0.0).tolist()]
        return np.concatenate([point, more])


def _entries(model: LinearModel, row: int) -> tuple[Ints, Floats]:
    own = model.matrix[[row]].tocoo()
    return own.coords[1].astype(np.int64), own.data


def _widened(model: LinearModel, lower: Sequence[float]) -> LinearModel:
    """The model with more columns, which are in no row yet."""
    from scipy.sparse import csr_array

    rows, columns = model.matrix.shape
    parts = (model.matrix.data, model.matrix.indices, model.matrix.indptr)
    return replace(
        model,
        objective=np.concatenate([model.objective, np.zeros(len(lower))]),
        matrix=csr_array(parts, shape=(rows, columns + len(lower))),
        lower=np.concatenate([model.lower, lower]),
        upper=np.concatenate([model.upper, np.full(len(lower), np.inf)]),
        integer=np.concatenate([model.integer, np.zeros(len(lower), dtype=bool)]),
        columns=(),
    )


class Bearing:
    """An engine that solves every model as one in which every case is borne."""

    def __init__(self, engine: Engine, protected: Protected) -> None:
        self.engine, self.protected = engine, protected
        self.name, self.features = engine.name, engine.features

    def solve(
        self,
        model: LinearModel,
        options: SolveOptions,
        *,
        start: Floats | None = None,
        progress: ProgressReport | None = None,
        stop: Event | None = None,
    ) -> Outcome:
        """Return the best point and the bound; a start has to bear every case."""
        wide = self.protected.bearing(model)
        point = None if start is None else self.protected.completed(start)
        outcome = self.engine.solve(wide, options, start=point, progress=progress, stop=stop)
        return outcome if outcome.x is None else replace(outcome, x=outcome.x[: len(model.objective)])


Term: TypeAlias = tuple[int, Ints, Floats]
"""A project with the columns of what is still paid for it, and their amounts."""


def _terms(compiled: Compiled, shield: Shield) -> Iterator[list[Term]]:
    """Yield for every envelope the terms of the projects whose costs may rise."""
    tables = compiled.tables
    ledger = Ledger(tables, compiled.options, compiled.accounts, compiled.scales)
    for row in tables.envelopes:
        period, terms = tables.settings.known_period(row.period), []
        open_ = Period("", max(period.first, first_open_year(tables.settings)), period.last)
        for number in shield.projects.tolist():
            selection = _only(tables.projects[number].id)
            total = ledger.sum_of(Measure("paid", row.source, selection, open_))
            if len(total.columns):
                terms.append((number, total.columns, total.values.astype(np.float64)))
        yield terms


def _only(project: str) -> str:
    return f"id == {json.dumps(project, ensure_ascii=False)}"

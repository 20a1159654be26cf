"""Why a project is not in a plan: the cheapest single ways in, each of them settled by solving again."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from capalloc.amending import with_cost_factors
from capalloc.amounts import enough_for_all, least_amount
from capalloc.answer import Answer
from capalloc.asking import (
    Bracket,
    Floor,
    Reply,
    ask,
    funded_by,
    halved,
    is_ordered,
    proved_bound,
    reached_by,
    values_of,
    with_decision,
)
from capalloc.budget import Budget
from capalloc.catalogue import say
from capalloc.conflict import Conflict, find_conflict
from capalloc.engines import engine_named
from capalloc.engines.base import Engine
from capalloc.framing import typed_frame
from capalloc.measures import Measure, read_rules
from capalloc.model import SolveOptions, Status
from capalloc.reporting import base_costs, shown_down, shown_up
from capalloc.solving import optimize
from capalloc.statements import (
    Statement,
    envelope_in_words,
    in_words,
    project_in_words,
    statements_of,
    without,
)
from capalloc.tables import Tables
from capalloc.telling import Told, enumerated

if TYPE_CHECKING:
    import pandas as pd

_BARS = ("rule", "target", "resource", "group", "dependency", "window", "share", "phases")

_PARTS = 4
"""Into how many parts the time for an interval is cut."""

_STEPS = 8
"""Into how many steps the cost of a project is cut, to come near the least cut at first."""


@dataclass(frozen=True, slots=True)
class Route:
    """One way in, all else as it is: ``envelope`` (more of it), ``cost`` (less of it) or ``statement`` (set aside).

    With ``working`` million VND there is a plan with the project that is worth at least what the plan is worth; with
    ``failing`` there is proved to be none (below 0: of no amount).  What lies between the two is not decided;
    ``working`` is ``None`` where nothing does, or nothing was found.  Of a statement set aside, both are ``None``.
    ``reached`` is ``None`` where nothing could be decided.  ``answer`` is the plan with the project.
    """

    kind: str
    statement: Statement | None
    reached: bool | None
    working: int | None = None
    failing: int | None = None
    answer: Answer | None = None

    @property
    def exact(self) -> bool:
        """Whether it is proved that one million VND less would not do."""
        return self.working is not None and self.failing == self.working - 1


@dataclass(frozen=True, slots=True, eq=False)
class WhyNot(Told):
    """What :meth:`Plan.why_not` answers about a project that the plan leaves out.

    Parameters
    ----------
    tables, project
        The tables of the plan, and the id of the project.
    answer
        The plan.
    forced
        The best plan found with the project in it, all else as it is.
    conflict
        Where no plan has the project: what stands against it.
    routes
        The ways in that were looked at.
    unasked
        How many rules and other statements there was no time for.
    """

    tables: Tables
    project: str
    answer: Answer
    forced: Answer
    conflict: Conflict | None = None
    routes: tuple[Route, ...] = ()
    unasked: int = 0

    @property
    def enters(self) -> tuple[str, ...]:
        """The other projects that the best plan found with the project funds, and the plan does not."""
        return tuple(sorted(funded_by(self.forced) - funded_by(self.answer) - {self.project}))

    @property
    def leaves(self) -> tuple[str, ...]:
        """The projects of the plan that the best plan found with the project does not fund."""
        return tuple(sorted(funded_by(self.answer) - funded_by(self.forced))) if self.forced.allocation else ()

    @property
    def extra_enough(self) -> Fraction | None:
        """A rise of the value of the project with which no plan without it is better than the best found with it."""
        bound = proved_bound(self.answer)
        if self.forced.value is None or bound is None or is_ordered(self.tables):
            return None
        return max(Fraction(0), bound - self.forced.value)

    @property
    def extra_too_little(self) -> Fraction | None:
        """With a rise of less than this every plan with the project is worth less than the plan; ``None``: unproved."""
        bound = proved_bound(self.forced)
        if self.answer.value is None or bound is None or is_ordered(self.tables):
            return None
        return max(Fraction(0), self.answer.value - bound)

    @property
    def is_tie(self) -> bool:
        """Whether a plan with the project was found that is worth at least as much as the plan."""
        return (
            self.forced.value is not None
            and not is_ordered(self.tables)
            and self.forced.value >= (self.answer.value or Fraction(0))
        )

    @property
    def is_behind(self) -> bool:
        """Whether it is proved that every plan with the project is worth less than the plan."""
        return bool(self.extra_too_little)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a way in: route, name, reached, working, failing, exact, law, enters, leaves.

        ``working`` and ``failing`` are in million VND.  Of the route ``value`` they are in units of the objective, and
        every rise of less than ``failing`` is too little.
        """
        rows: list[tuple[Any, ...]] = []
        if self.extra_enough is not None:
            little = self.extra_too_little
            low = None if little is None else float(little)
            high = float(self.extra_enough)
            changes = (", ".join(self.enters), ", ".join(self.leaves))
            rows.append(("value", self.project, True, high, low, low == high, False, *changes))
        for route in self.routes:
            name = in_words(self.tables, route.statement) if route.statement else self.project
            law = bool(route.statement and route.statement.law)
            numbers = (route.working, route.failing)
            rows.append((route.kind, name, route.reached, *numbers, route.exact, law, *self._changes(route.answer)))
        names = ("route", "name", "reached", "working", "failing", "exact", "law", "enters", "leaves")
        kinds = ("str", "str", "boolean", "Float64", "Float64", "bool", "bool", "str", "str")
        columns: list[list[Any]] = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in names]
        return typed_frame({n: (k, c) for n, k, c in zip(names, kinds, columns, strict=True)})

    def _changes(self, answer: Answer | None) -> tuple[str | None, str | None]:
        if answer is None or answer.allocation is None:
            return None, None
        now, before = funded_by(answer), funded_by(self.answer)
        return ", ".join(sorted(now - before - {self.project})), ", ".join(sorted(before - now))

    def statement(self) -> str:
        """Return why the project is not in the plan and what would bring it in, as one paragraph."""
        return " ".join(self._sentences())

    def _sentences(self) -> Iterator[str]:
        name = project_in_words(self.tables, self.project)
        decided = next((r for r in self.tables.committed if (r.project, r.decision) == (self.project, "out")), None)
        if decided is not None:
            yield say("why.not.decided", project=name, reason=decided.reason)
        if self.conflict is not None:
            yield say("why.not.impossible", project=name)
            yield self.conflict.statement()
            return
        if self.forced.value is None:
            yield say("why.not.unknown", project=name)
            return
        yield from self._value_sentences(name)
        closed = [route for route in self.routes if route.kind == "envelope" and route.working is None]
        for route in self.routes:
            if route not in closed:
                yield from self._route_sentences(route)
        if self.tables.settings.statutory and any(r.kind == "cost" and r.working is not None for r in self.routes):
            yield say("why.not.cost-group")
        yield from self._closed_sentences(closed)
        if self.unasked:
            yield say("why.not.unasked", count=self.unasked)

    def _value_sentences(self, name: str) -> Iterator[str]:
        if is_ordered(self.tables):
            yield say("why.not.ordered", project=name, leaves=enumerated(self.leaves))
            return
        if self.forced.value is None or self.answer.value is None:
            return
        numbers = {"value": shown_down(self.forced.value), "plan": shown_down(self.answer.value)}
        if self.is_tie:
            yield say("why.not.tie", project=name, **numbers)
            return
        yield say("why.not.forced", project=name, leaves=enumerated(self.leaves), **numbers)
        if self.extra_enough is not None:
            yield say("why.not.extra", extra=shown_up(self.extra_enough))
        if self.extra_too_little:
            yield say("why.not.extra-least", extra=shown_down(self.extra_too_little))
        elif not self.is_tie:
            yield say("why.not.extra-open")

    def _closed_sentences(self, routes: Sequence[Route]) -> Iterator[str]:
        """The envelopes of which no rise is known that lets the project in, in one sentence a reason."""
        for reached, key in ((True, "never"), (False, "open")):
            named = [r.statement for r in routes if (r.reached is not None) is reached and r.statement is not None]
            if named:
                names = "; ".join(envelope_in_words(self.tables, statement.key[0]) for statement in named)
                yield say(f"why.not.envelope-{key}", name=names)

    def _route_sentences(self, route: Route) -> Iterator[str]:
        if route.kind == "statement":
            if route.reached and route.statement is not None:
                key = "why.not.barred-by-law" if route.statement.law else "why.not.barred"
                yield say(key, name=in_words(self.tables, route.statement))
            return
        name = "" if route.statement is None else envelope_in_words(self.tables, route.statement.key[0])
        if route.working is None:
            yield say(f"why.not.{route.kind}-{'open' if route.reached is None else 'never'}", name=name)
        elif route.exact:
            yield say(f"why.not.{route.kind}", name=name, amount=route.working, less=route.failing)
        elif not route.failing or route.failing < 0:
            yield say(f"why.not.{route.kind}-enough", name=name, amount=route.working)
        else:
            yield say(f"why.not.{route.kind}-bracket", name=name, amount=route.working, less=route.failing)


def why_not(
    tables: Tables, answer: Answer, project: str, options: SolveOptions, engine: str, given: Tables | None = None
) -> WhyNot:
    """Return why a plan leaves a project out.

    Parameters
    ----------
    answer
        The plan; it has one, and the project is not in it.
    given
        The tables before statutory rules were put in force, where these changed them.
    """
    inside = with_decision(tables, project, "in")
    budget = Budget(replace(options, gap=0.0), 4)
    forced = optimize(inside, budget.next(), engine)
    if forced.status is Status.UNKNOWN:
        # Without a plan that has it there is nothing else to say.
        forced = optimize(inside, replace(options, gap=0.0, time_limit=budget.left), engine)
        if forced.status is Status.UNKNOWN:
            return WhyNot(tables, project, answer, forced)
    if forced.status is Status.INFEASIBLE:
        fixed = Statement("committed", (project,))
        conflict = find_conflict(inside, given, replace(options, time_limit=budget.left), engine_named(engine), fixed)
        return WhyNot(tables, project, answer, forced, conflict)
    if not math.isfinite(answer.bound) and not is_ordered(tables):
        best = optimize(tables, budget.next(), engine, start=answer.allocation)
        answer = replace(answer, bound=best.bound)
    found = WhyNot(tables, project, answer, forced)
    if found.is_tie or answer.audit is None:
        return found
    ways = _Ways(inside, project, values_of(tables, answer.audit), found.is_behind, engine_named(engine))
    spread = Budget(replace(options, time_limit=budget.left), len(tables.envelopes) + 2)
    routes = [*ways.envelopes(spread), *ways.cost(spread.next())]
    barring, unasked = ways.statements(statements_of(tables, given), spread.next())
    return replace(found, routes=(*routes, *barring), unasked=unasked)


class _Ways:
    """Looks for single ways in, in tables that have the project in every plan."""

    def __init__(self, tables: Tables, project: str, floor: Floor, is_behind: bool, engine: Engine) -> None:
        self.tables, self.project, self.floor, self.engine = tables, project, floor, engine
        # A cut of nothing is known not to do only where that is proved.
        self.failing = 0 if is_behind else -1

    def envelopes(self, budget: Budget) -> Iterator[Route]:
        """Yield how much more of each envelope would do."""
        for number, row in enumerate(self.tables.envelopes):
            if budget.spent:
                yield Route("envelope", Statement("envelope", (number,)), reached=None, failing=self.failing)
                continue
            most = enough_for_all(self.tables, number)
            found = least_amount(self.tables, number, self.floor, most, budget.next(), self.engine)
            yield self._route(Statement("envelope", (number,)), found, row.amount, most)

    def cost(self, options: SolveOptions) -> Iterator[Route]:
        """Yield how much less the project would have to cost, in all its years and modes in proportion."""
        whole = base_costs(self.tables)[self.project]
        if not whole:
            return

        def question(cut: int, limits: SolveOptions) -> Reply:
            cheaper = with_cost_factors(self.tables, {self.project: Fraction(whole - cut, whole)})
            return ask(cheaper, self.floor, limits, self.engine)

        budget = Budget(options, _PARTS)
        found = reached_by(question, self.failing, whole, max(1, whole // _STEPS), budget)
        if found.working is not None:
            found = halved(question, found, Budget(replace(options, time_limit=budget.left), _PARTS))
        if self._may_harm() and found.working != self.failing + 1:
            found = replace(found, failing=self.failing)
        yield self._route(None, found, 0, whole)

    def _may_harm(self) -> bool:
        """Whether to cost less may be worse: a rule asks for what the project, among others, costs."""
        place = [row.id for row in self.tables.projects].index(self.project)

        def concerns(measure: Measure) -> bool:
            return measure.kind in ("cost", "paid", "tail") and place in measure.projects(self.tables)

        return any(rule.tightened(concerns, rises=False) for rule in read_rules(self.tables))

    def statements(self, every: Sequence[Statement], options: SolveOptions) -> tuple[list[Route], int]:
        """Return the statements that bar the project on their own, and how many could not be judged."""
        own = [s for s in every if s.kind in _BARS and (s.kind != "window" or s.key == (self.project,))]
        own.sort(key=lambda statement: not self._names(statement))
        if not own:
            return [], 0
        budget = Budget(options, len(own) + 1)
        if ask(without(self.tables, own), self.floor, budget.next(), self.engine).reached is False:
            return [], 0
        routes, unasked = [], 0
        for statement in own:
            if budget.spent:
                unasked += 1
                continue
            reply = ask(without(self.tables, [statement]), self.floor, budget.next(), self.engine)
            unasked += reply.reached is None
            if reply.reached:
                routes.append(Route("statement", statement, reached=True, answer=reply.answer))
        return routes, unasked

    def _route(self, statement: Statement | None, found: Bracket, origin: int, most: int) -> Route:
        """A bracket of amounts as a way in, counted from what there is."""
        kind = "cost" if statement is None else statement.kind
        failing = max(found.failing - origin, self.failing)
        if found.working is None:
            return Route(kind, statement, False if found.failing >= most else None, failing=failing)
        return Route(kind, statement, True, found.working - origin, failing, found.answer)

    def _names(self, statement: Statement) -> bool:
        if statement.kind == "dependency":
            row = self.tables.dependencies[int(statement.key[0])]
            return self.project in (row.first, row.then)
        if statement.kind == "group":
            return any((row.group, row.project) == (statement.key[0], self.project) for row in self.tables.groups)
        return statement.kind == "window"

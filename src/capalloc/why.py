"""What a funded project is worth to a plan, and when it would fall out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from capalloc.amending import with_cost_factors
from capalloc.answer import Answer
from capalloc.asking import Bracket, Reply, ask, bracket, funded_by, is_ordered, proved_bound, values_of, with_decision
from capalloc.budget import Budget
from capalloc.catalogue import say
from capalloc.engines import engine_named
from capalloc.framing import typed_frame
from capalloc.history import due_projects
from capalloc.model import SolveOptions, Status
from capalloc.reporting import base_costs, shown_down, shown_up
from capalloc.solving import optimize
from capalloc.statements import project_in_words
from capalloc.tables import Tables
from capalloc.telling import Told, enumerated

if TYPE_CHECKING:
    import pandas as pd

_HALVINGS = 6
"""Into how many parts the time for halving an interval is cut."""

_TIMES = 10
"""Up to how many times its cost a project is looked at."""


@dataclass(frozen=True, slots=True, eq=False)
class Why(Told):
    """What :meth:`Plan.why` answers about a project that the plan funds.

    Parameters
    ----------
    tables, project
        The tables of the plan, and the id of the project.
    answer
        The plan.
    without
        The best plan found without the project, all else as it is.
    rise
        By how many million VND its cost may rise: at ``failing`` a plan with it is still worth at least the best plan
        found without it, at ``working`` none is.  ``None`` where that was not looked at.
    """

    tables: Tables
    project: str
    answer: Answer
    without: Answer
    rise: Bracket | None = None

    @property
    def must(self) -> bool:
        """Whether every plan has to fund the project."""
        ids = [row.id for row in self.tables.projects]
        return ids.index(self.project) in due_projects(self.tables)

    @property
    def loss_least(self) -> Fraction | None:
        """What the plan loses at the least without the project, as far as proved; below 0 where it could gain."""
        bound = proved_bound(self.without)
        if self.answer.value is None or bound is None or is_ordered(self.tables):
            return None
        return self.answer.value - bound

    @property
    def loss_most(self) -> Fraction | None:
        """What the plan loses at the most without the project: against the best plan found without it."""
        if self.answer.value is None or self.without.value is None or is_ordered(self.tables):
            return None
        return self.answer.value - self.without.value

    @property
    def falls_out(self) -> Fraction | None:
        """If its value falls by more than this, it is in no best plan; ``None``: nothing is proved."""
        bound = proved_bound(self.answer)
        if self.loss_most is None or self.answer.value is None or bound is None:
            return None
        return bound - self.answer.value + self.loss_most

    @property
    def enters(self) -> tuple[str, ...]:
        """The projects that come in its place in the best plan found without it."""
        return tuple(sorted(funded_by(self.without) - funded_by(self.answer)))

    @property
    def leaves(self) -> tuple[str, ...]:
        """The other projects that leave with it."""
        if self.without.allocation is None:
            return ()
        return tuple(sorted(funded_by(self.answer) - funded_by(self.without) - {self.project}))

    def to_frame(self) -> pd.DataFrame:
        """Return one row: project, must, loss_least, loss_most, falls_out, cost, rise_stays, rise_out, enters, leaves.

        Losses are in units of the objective, cost and rises in million VND.
        """

        def number(found: Fraction | None) -> float | None:
            return None if found is None else float(found)

        row: dict[str, tuple[str, Any]] = {
            "project": ("str", self.project),
            "must": ("bool", self.must),
            "loss_least": ("Float64", number(self.loss_least)),
            "loss_most": ("Float64", number(self.loss_most)),
            "falls_out": ("Float64", number(self.falls_out)),
            "cost": ("Int64", base_costs(self.tables)[self.project]),
            "rise_stays": ("Int64", self.rise.failing if self.rise else None),
            "rise_out": ("Int64", self.rise.working if self.rise else None),
            "enters": ("str", ", ".join(self.enters)),
            "leaves": ("str", ", ".join(self.leaves)),
        }
        return typed_frame({name: (kind, [cell]) for name, (kind, cell) in row.items()})

    def statement(self) -> str:
        """Return what the project is worth to the plan and when it would fall out, as one paragraph."""
        return " ".join(self._sentences())

    def _sentences(self) -> Iterator[str]:
        name = project_in_words(self.tables, self.project)
        if self.must:
            yield say("why.in.must", project=name)
        if self.without.status is Status.INFEASIBLE:
            yield say("why.in.needed", project=name)
            return
        if self.without.value is None:
            yield say("why.in.unknown", project=name)
            return
        changes = {"enters": enumerated(self.enters), "leaves": enumerated(self.leaves)}
        if is_ordered(self.tables):
            yield say("why.in.ordered", project=name, **changes)
        elif self.loss_most is not None:
            yield from self._loss_sentences(name, self.loss_most)
            yield say("why.in.instead", **changes)
        if self.falls_out is not None and not self.must:
            yield say("why.in.value", fall=shown_up(self.falls_out))
        if self.rise is not None:
            yield from self._rise_sentences(self.rise)

    def _loss_sentences(self, name: str, most: Fraction) -> Iterator[str]:
        least = self.loss_least
        if most < 0:
            yield say("why.in.gain", project=name, gain=shown_down(-most))
        elif least is None:
            yield say("why.in.loss-open", project=name, most=shown_up(most))
        elif shown_up(least) >= shown_down(most):
            yield say("why.in.loss", project=name, loss=shown_down(most))
        else:
            yield say(
                "why.in.loss-between", project=name, least=shown_down(max(least, Fraction(0))), most=shown_up(most)
            )

    def _rise_sentences(self, rise: Bracket) -> Iterator[str]:
        if rise.exact:
            yield say("why.in.rise", stays=rise.failing, out=rise.working)
        elif rise.working is None:
            yield say("why.in.rise-stays", stays=rise.failing)
        else:
            yield say("why.in.rise-between", stays=rise.failing, out=rise.working)


def why(tables: Tables, answer: Answer, project: str, options: SolveOptions, engine: str) -> Why:
    """Return what a project is worth to a plan that funds it."""
    budget = Budget(replace(options, gap=0.0), 2)
    left_out = optimize(with_decision(tables, project, "out"), budget.next(), engine)
    found = Why(tables, project, answer, left_out)
    cost = base_costs(tables)[project]
    if left_out.audit is None or answer.audit is None or not cost or found.must:
        return found
    inside, floor = with_decision(tables, project, "in"), values_of(tables, left_out.audit)
    solver = engine_named(engine)

    def question(rise: int, limits: SolveOptions) -> Reply:
        dearer = with_cost_factors(inside, {project: Fraction(cost + rise, cost)})
        reply = ask(dearer, floor, limits, solver)
        return replace(reply, reached=None if reply.reached is None else not reply.reached)

    stays = all(values_of(tables, answer.audit)[number] >= least for number, least in floor.items())
    if not stays:
        return found
    return replace(found, rise=bracket(question, 0, (_TIMES - 1) * cost, Budget(budget.next(), _HALVINGS)))

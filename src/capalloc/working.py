"""What a worker does, in whatever process or machine it is: parts of a set of scenarios, one scenario after another."""

from __future__ import annotations

import json
import os
import platform
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from capalloc.amending import Unplannable, put_in_force
from capalloc.catalogue import say, speaking
from capalloc.engines.own.memory import Memory, memory_of, memory_text
from capalloc.issues import CapallocError, InvalidInput
from capalloc.model import SolveOptions, Status
from capalloc.packing import unpack
from capalloc.plan import Plan
from capalloc.plantables import plan_columns
from capalloc.portfolio import Portfolio
from capalloc.runstore import Record, packed
from capalloc.series import Series
from capalloc.storing import Prints, plan_content, versions
from capalloc.tables import Tables

_LONGEST = 2_000


@dataclass(frozen=True, slots=True)
class Job:
    """What all workers of a run are told at first.

    Parameters
    ----------
    tables
        The packed tables of the base as they were given.
    options, engine
        The limits of each scenario.
    language
        Of reasons and sentences.
    """

    tables: str
    options: SolveOptions
    engine: str
    language: str


@dataclass(frozen=True, slots=True)
class Task:
    """A scenario to be run: its id and the changes that lead to it, step by step."""

    id: str
    steps: tuple[Mapping[str, Any], ...]


def portfolio_of(given: Tables) -> Portfolio:
    """Return the portfolio of tables as they were given.

    Raises
    ------
    InvalidInput
        When they are wrong.
    """
    in_force, found = put_in_force(given)
    return Portfolio(in_force, found, given=None if in_force is given else given)


def changed(base: Portfolio, steps: tuple[Mapping[str, Any], ...]) -> Portfolio:
    """Return the portfolio of a scenario.

    Raises
    ------
    InvalidInput
        When the changed tables are wrong.
    """
    # Changes of one mapping are made in its order, so that steps without a path in common are one.
    if sum(map(len, steps)) == len({path for step in steps for path in step}):
        steps = ({path: change for step in steps for path, change in step.items()},)
    for step in steps:
        base = base.with_changes(step) if step else base
    return base


class Workbench:
    """Runs scenarios of one portfolio; what it learns from one helps with those of the same part that follow."""

    def __init__(self, job: Job) -> None:
        self._job = job
        with speaking(job.language):
            self._base = portfolio_of(unpack(job.tables))
        self._prints = Prints()
        self._learned: Memory | None = None
        self._series = Series(job.engine)

    def learn(self, memory: bytes) -> None:
        """Begin every part from now on with what another bench remembered."""
        self._learned = memory_of(zlib.decompress(memory).decode()) if memory else None

    def memory(self) -> bytes:
        """Return what is remembered of the scenarios of this part, for other benches."""
        return zlib.compress(memory_text(self._series.memory).encode(), 1)

    def begin(self) -> None:
        """Begin a part: forget the one before, so that answers do not depend on who worked on which."""
        self._series = Series(self._job.engine, self._learned)

    def do(self, task: Task) -> Record:
        """Return what comes of a scenario; never fails."""
        clock = perf_counter()
        with speaking(self._job.language):
            try:
                return self._answered(task, clock)
            except Unplannable as wrong:
                facts: dict[str, Any] = {"status": str(Status.INFEASIBLE), "reason": _reason(wrong)}
                return _record(task, "done", clock, **facts)
            except CapallocError as wrong:
                return _record(task, "failed", clock, reason=_reason(wrong))
            except MemoryError:
                # What was remembered is let go of, so that the next scenario has all there is.
                self.begin()
                return _record(task, "failed", clock, reason=say("run.memory"))
            except Exception as fault:  # noqa: BLE001  # one scenario must not take the others with it
                reason = say("run.fault", kind=type(fault).__name__, text=str(fault))
                return _record(task, "failed", clock, reason=reason[:_LONGEST])

    def _answered(self, task: Task, clock: float) -> Record:
        limits = self._job.options
        plan = self._series.optimize(
            changed(self._base, task.steps),
            time_limit=limits.time_limit,
            gap=limits.gap,
            threads=limits.threads,
            seed=limits.seed,
            node_limit=limits.node_limit,
        )
        answer = plan.answer
        facts: dict[str, Any] = {
            "status": str(answer.status),
            "stopped_by": str(answer.stopped_by),
            "bound": answer.bound,
            "solving": answer.seconds,
            "nodes": answer.nodes,
        }
        if answer.allocation is not None and answer.audit is not None:
            portfolio = self._prints.of(plan.tables)
            content = plan_content(portfolio, plan.tables, answer, answer.allocation, answer.audit)
            facts |= {
                "value": str(answer.audit.value),
                "projects": len(answer.audit.projects),
                "cost": sum(row.cost for row in answer.audit.projects),
                "plan": packed(_written(content)),
                "tables": {name: _columns(plan, name) for name in plan.table_names},
                "fingerprint": portfolio,
            }
        return _record(task, "done", clock, **facts)


def _record(task: Task, state: str, clock: float, **facts: Any) -> Record:
    worker = f"{platform.node()}, {os.getpid()}"
    return Record(task.id, state, perf_counter() - clock, worker, versions=json.dumps(versions()), **facts)


def _reason(wrong: CapallocError) -> str:
    text = str(wrong.issues.errors) if isinstance(wrong, InvalidInput) else str(wrong)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 2]}…"


def _columns(plan: Plan, name: str) -> bytes:
    """A table of a plan as compressed columns, each with its type and its cells, empty ones as null."""
    return packed(_written(plan_columns(name, plan.tables, plan.answer)))


def _written(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))

"""The questions about numbers: what the plan owes to each, how it fares when they come otherwise, what is in always."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from capalloc.allocation import Allocation
from capalloc.arguments import expect, wrong_argument
from capalloc.core import CoreIndex, core_index
from capalloc.engines import engine_named
from capalloc.issues import InvalidInput, Issue, error
from capalloc.limits import amount_issues, part_issues, read_limits, whole_issues
from capalloc.model import ProgressReport, SolveOptions, Status
from capalloc.plan import Plan
from capalloc.progress import watching
from capalloc.protection import Robust
from capalloc.robust import robust_plan
from capalloc.solving import DEFAULT_ENGINE, optimize
from capalloc.stress import Dangers, Stress, stress
from capalloc.tables import Tables
from capalloc.tornado import Tornado, parameters_of, tornado


class Probed:
    """What can be asked of the numbers in a portfolio; every answer is found by solving again.

    ``time_limit`` is in seconds, for all runs of an answer together, and ``None`` stands for none.
    """

    __slots__ = ()

    tables: Tables
    given: Tables | None

    def tornado(
        self,
        parameters: Mapping[str, tuple[Any, Any]] | None = None,
        *,
        time_limit: float | None = 120.0,
        gap: float = 1e-4,
        threads: int = 2,
        seed: int = 0,
        engine: str = DEFAULT_ENGINE,
    ) -> Tornado:
        """Return how the best plan and its value change with one number at a time, low and high.

        Parameters
        ----------
        parameters
            Path to its changes to low and to high, as for :meth:`with_changes`; left out, every envelope a tenth less
            and more, all costs at ``cost_low`` and at ``cost_high``, the discount rate two points less and more, and
            each class weight a fifth less and more.
        time_limit, gap, threads, seed, engine
            As in :meth:`optimize`, the time for all runs together.

        Raises
        ------
        InvalidInput
            When a path matches nothing, a change cannot be made or leaves wrong tables, or a limit makes no sense.
        UnknownName
            When there is no such engine.
        """
        options = read_limits(time_limit, gap, threads, seed, None)
        engine_named(engine)
        if parameters is not None:
            expect("parameters", parameters, Mapping, "parameters")
            asked: list[Any] = list(parameters.values())
            for change in asked:
                if not isinstance(change, tuple | list) or len(change) != 2:
                    raise wrong_argument("parameters", change, "parameters")
        return tornado(self.tables, parameters_of(self._as_given, parameters), options, engine)

    def stress(  # noqa: PLR0913  # one argument a danger
        self,
        plan: Plan | None = None,
        runs: int = 1000,
        seed: int = 0,
        *,
        delays: Mapping[int, float] | None = None,
        private: tuple[float, float] = (1.0, 1.0),
        disbursement: tuple[float, float] = (1.0, 1.0),
        together: bool = False,
        replans: int = 0,
        time_limit: float | None = 60.0,
        gap: float = 1e-4,
        threads: int = 2,
        engine: str = DEFAULT_ENGINE,
    ) -> Stress:
        """Return how often each envelope holds when costs, years and money come otherwise than the plan has them.

        Costs are drawn from the triangle of ``cost_low``, ``cost`` and ``cost_high``; a project without these costs
        what it does.  What is paid after the horizon is in no envelope.

        Parameters
        ----------
        plan
            The plan that is kept through all runs; the best one found in half the time if left out.
        runs
            How many runs are drawn, at least 1.
        delays
            Years by which all payments of a project may come later, each with its chance.
        private, disbursement
            The least and the greatest part of the envelopes of others than the state, and of the state, that comes.
        together
            Whether the costs of all projects rise and fall together; else each is drawn for itself.
        replans
            How many of the runs are planned again, as if their costs and money, not their delays, had been known.
        seed, time_limit, gap, threads, engine
            As in :meth:`optimize`; the same seed draws the same runs.

        Raises
        ------
        InvalidInput
            When a number makes no sense, or the plan is none of this portfolio.
        UnknownName
            When there is no such engine.
        """
        options = read_limits(time_limit, gap, threads, seed, None)
        engine_named(engine)
        issues = [*whole_issues({"runs": runs}, 1), *whole_issues({"replans": replans}, 0)]
        issues += [*_span_issues("private", private), *_span_issues("disbursement", disbursement)]
        issues += _delay_issues(delays or {})
        if issues:
            raise InvalidInput(issues)
        limit = options.time_limit
        half = replace(options, time_limit=None if limit is None else limit / 2)
        answer = self._plan_of(plan, half, engine)
        if answer.allocation is None:
            raise InvalidInput([error("stress-without-plan", status=answer.status)])
        spans = (float(private[0]), float(private[1])), (float(disbursement[0]), float(disbursement[1]))
        dangers = Dangers(dict(delays or {}), *spans, together)
        given = self._as_given
        return stress(given, self.tables, answer.allocation, dangers, half, runs=runs, again=replans, engine=engine)

    def core_index(
        self,
        samples: int = 10,
        within: float = 0.01,
        *,
        time_limit: float | None = 120.0,
        gap: float = 1e-3,
        threads: int = 2,
        seed: int = 0,
        engine: str = DEFAULT_ENGINE,
    ) -> CoreIndex:
        """Return in what share of nearly best plans, drawn costs and drawn class weights each project is funded.

        Parameters
        ----------
        samples
            How many plans of each of the three kinds are sought, at least 1.
        within
            The part of the best value that a nearly best plan may lose.
        time_limit, gap, threads, seed, engine
            As in :meth:`optimize`, the time for all runs together.

        Raises
        ------
        InvalidInput
            When a number makes no sense.
        UnknownName
            When there is no such engine.
        """
        options = read_limits(time_limit, gap, threads, seed, None)
        engine_named(engine)
        if issues := [*whole_issues({"samples": samples}, 1), *part_issues("within", within)]:
            raise InvalidInput(issues)
        part = Fraction(repr(float(within)))
        return core_index(self._as_given, self.tables, options, samples=samples, within=part, engine=engine)

    @property
    def _as_given(self) -> Tables:
        return self.given or self.tables

    def _plan_of(self, plan: Plan | None, options: SolveOptions, engine: str) -> Any:
        if plan is None:
            return optimize(self.tables, options, engine)
        expect("plan", plan, Plan, "plan")
        if plan.tables is not self.tables:
            raise InvalidInput([error("stress-of-another")])
        return plan.answer

    def _robust_plan(
        self,
        robust: Robust,
        options: SolveOptions,
        engine: str,
        progress: bool | ProgressReport | None = None,
        start: Allocation | None = None,
    ) -> Plan:
        """The best robust plan; its bound is about all plans, what is proved of robust ones stands beside it."""
        with watching(progress) as report:
            found = robust_plan(self.tables, robust, options, engine_named(engine), start=start, progress=report)
        answer, bound = found.answer, found.plain.bound
        classes = tuple(replace(own, status=Status.FEASIBLE, bound=math.inf) for own in answer.classes)
        status = Status.UNKNOWN if answer.allocation is None else Status.FEASIBLE
        about_all = replace(answer, status=status, bound=math.inf if classes else bound, classes=classes)
        return Plan(self.tables, about_all, self.given, found)


def _span_issues(name: str, span: Any) -> list[Issue]:
    if not isinstance(span, tuple | list) or len(span) != 2:
        raise wrong_argument(name, span, "span")
    issues = part_issues(name, *span)
    return issues or ([] if span[0] <= span[1] else [error("span-turned", name=name, low=span[0], high=span[1])])


def _delay_issues(delays: Any) -> list[Issue]:
    expect("delays", delays, Mapping, "delays")
    issues = [issue for years in delays for issue in whole_issues({"delays": years}, 0)]
    issues += [issue for chance in delays.values() for issue in amount_issues("delays", chance)]
    return issues or part_issues("delays", sum(delays.values()))

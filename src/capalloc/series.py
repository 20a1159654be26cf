"""Many related portfolios, such as the steps of a sweep: each plan begins from what the ones before it proved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from capalloc.arguments import expect
from capalloc.chaining import Chain
from capalloc.engines.own.memory import Memory
from capalloc.limits import read_limits
from capalloc.model import ProgressReport
from capalloc.plan import Plan
from capalloc.portfolio import Portfolio
from capalloc.progress import expect_watcher, watched_answer

DEFAULT_ENGINE = "capalloc"


class Series:
    """Optimises related portfolios one after the other, in any order; the nearer to those before, the sooner.

    Every plan is verified on its own portfolio and every bound proved anew on its numbers: what is carried over saves
    time and decides nothing.

    Parameters
    ----------
    engine
        As in :meth:`Portfolio.optimize`; others than ``"capalloc"`` are only given the plan before as a start.
    memory
        What another series remembers, to begin with.

    Raises
    ------
    UnknownName
        When there is no such engine.
    """

    def __init__(self, engine: str = DEFAULT_ENGINE, memory: Memory | None = None) -> None:
        expect("engine", engine, str, "engine")
        self._chain = Chain(engine, memory)

    @property
    def memory(self) -> Memory | None:
        """What is remembered; it can be handed to another series."""
        return self._chain.memory

    def optimize(
        self,
        portfolio: Portfolio,
        *,
        time_limit: float | None = 60.0,
        gap: float = 1e-4,
        threads: int = 2,
        seed: int = 0,
        node_limit: int | None = None,
        progress: bool | ProgressReport | None = None,
    ) -> Plan:
        """Return the best plan of one portfolio; the arguments and errors are those of :meth:`Portfolio.optimize`.

        An error leaves the series as it was.
        """
        expect("portfolio", portfolio, Portfolio, "portfolio")
        expect_watcher(progress)
        options = read_limits(time_limit, gap, threads, seed, node_limit)
        compiled = portfolio.ground.compiled(portfolio.tables)
        answer = watched_answer(progress, lambda report: self._chain.solve(compiled, options, progress=report))
        return Plan(portfolio.tables, answer, portfolio.given)


def sweep(
    portfolio: Portfolio,
    changes: Iterable[Mapping[str, Any]],
    *,
    time_limit: float | None = 60.0,
    gap: float = 1e-4,
    threads: int = 2,
    seed: int = 0,
    engine: str = DEFAULT_ENGINE,
) -> Iterator[Plan]:
    """Yield the plan of a portfolio with each of many changes, one after the other, as soon as it is found.

    Each begins from the plans, bounds and bases of those before it, so that changes in the order of their size go
    fastest.  Every plan is verified and every bound proved for its own numbers, as by :meth:`Portfolio.optimize`.

    Parameters
    ----------
    changes
        Mappings as in :meth:`Portfolio.with_changes`, each made to ``portfolio`` itself.
    time_limit
        Seconds for each step, above 0; ``None`` for none.
    gap, threads, seed, engine
        As in :meth:`Portfolio.optimize`.

    Raises
    ------
    InvalidInput
        When an argument is of the wrong type or a limit makes no sense; and, when its turn comes, for a step whose
        changes cannot be made.
    UnknownName
        When there is no such engine.
    EngineFailed
        When the engine itself fails.

    Examples
    --------
    >>> import pandas as pd
    >>> projects = pd.DataFrame({"id": ["A", "B"], "cost": [30, 20], "value": [5, 4]})
    >>> sources = pd.DataFrame({"id": ["state"], "side": ["state"]})
    >>> envelopes = pd.DataFrame({"source": ["state"], "period": ["2026"], "amount": [50]})
    >>> settings = {"first_year": 2026, "last_year": 2026}
    >>> tables = {"projects": projects, "sources": sources, "envelopes": envelopes}
    >>> portfolio = Portfolio.from_tables(settings, tables)
    >>> amounts = [{"envelopes.state.2026.amount": amount} for amount in (50, 40, 20)]
    >>> [plan.value for plan in sweep(portfolio, amounts)]
    [9.0, 5.0, 4.0]
    """
    expect("portfolio", portfolio, Portfolio, "portfolio")
    expect("changes", changes, Iterable, "changes-in-order")
    read_limits(time_limit, gap, threads, seed, None)
    series = Series(engine)
    return (
        series.optimize(portfolio.with_changes(each), time_limit=time_limit, gap=gap, threads=threads, seed=seed)
        for each in changes
    )

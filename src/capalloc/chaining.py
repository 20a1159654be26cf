"""Tables solved one after the other, each from what was found and proved of the ones before it."""

from __future__ import annotations

from threading import Event

from capalloc.allocation import Allocation
from capalloc.answer import Answer
from capalloc.compiling import Compiled
from capalloc.engines import engine_named
from capalloc.engines.base import Engine
from capalloc.engines.own.memory import Memory
from capalloc.engines.own.remembering import Remembering
from capalloc.model import ProgressReport, SolveOptions
from capalloc.recompiling import recompiled
from capalloc.solving import solve_compiled
from capalloc.tables import Tables


class Chain:
    """Solves related tables in any order; the nearer to those before, the sooner.

    The own engine remembers plans, row multipliers and bases; of another engine the last plan is the start of the next
    run.  What is remembered is tried and proved anew on each table, so that nothing depends on how they are related.

    Parameters
    ----------
    engine
        The name of the engine.
    memory
        What another chain remembers, to begin with.

    Raises
    ------
    UnknownName
        When there is no such engine.
    """

    def __init__(self, engine: str, memory: Memory | None = None) -> None:
        self._engine: Engine = Remembering(memory) if engine == Remembering.name else engine_named(engine)
        self._last: Allocation | None = None
        self._compiled: Compiled | None = None

    @property
    def memory(self) -> Memory | None:
        """What the own engine remembers; ``None`` before its first run, and of another engine."""
        return self._engine.memory if isinstance(self._engine, Remembering) else None

    def answer(
        self,
        tables: Tables,
        options: SolveOptions,
        *,
        start: Allocation | None = None,
        progress: ProgressReport | None = None,
        stop: Event | None = None,
    ) -> Answer:
        """Return the best plan found within the limits; see :func:`capalloc.solving.optimize`."""
        self._compiled = recompiled(self._compiled, tables)
        return self.solve(self._compiled, options, start=start, progress=progress, stop=stop)

    def solve(
        self,
        compiled: Compiled,
        options: SolveOptions,
        *,
        start: Allocation | None = None,
        progress: ProgressReport | None = None,
        stop: Event | None = None,
    ) -> Answer:
        """Solve tables that are compiled already; see :meth:`answer`."""
        if start is None and not isinstance(self._engine, Remembering):
            start = self._last
        answer = solve_compiled(compiled, options, self._engine, start=start, progress=progress, stop=stop)
        self._last = answer.allocation or self._last
        return answer

"""The pipeline from tables to a verified plan: compile, then search for the whole objective or class after class."""

from __future__ import annotations

from threading import Event

from capalloc.allocation import Allocation
from capalloc.answer import Answer
from capalloc.classes import every_class
from capalloc.compiling import Compiled, compile_tables
from capalloc.engines import engine_named
from capalloc.engines.base import Engine
from capalloc.lexicographic import solve_in_order
from capalloc.model import ProgressReport, SolveOptions
from capalloc.searching import Aim, search
from capalloc.tables import Tables

DEFAULT_ENGINE = "capalloc"


def optimize(
    tables: Tables,
    options: SolveOptions | None = None,
    engine: str = DEFAULT_ENGINE,
    *,
    start: Allocation | None = None,
    progress: ProgressReport | None = None,
    stop: Event | None = None,
) -> Answer:
    """Return the best plan an engine finds within its limits, verified, and the bound it proved.

    Raises
    ------
    UnknownName
        When there is no such engine.
    EngineFailed
        When the engine itself fails.
    """
    options = options or SolveOptions()
    compiled = compile_tables(tables)
    return solve_compiled(compiled, options, engine_named(engine), start=start, progress=progress, stop=stop)


def solve_compiled(
    compiled: Compiled,
    options: SolveOptions,
    engine: Engine,
    *,
    start: Allocation | None = None,
    progress: ProgressReport | None = None,
    stop: Event | None = None,
) -> Answer:
    """Solve a compiled portfolio; see :func:`optimize`."""
    if compiled.tables.settings.objective.goal == "lexicographic" and every_class(compiled.tables):
        return solve_in_order(compiled, options, engine, start=start, progress=progress, stop=stop)
    return search(Aim(compiled, compiled.model), options, engine, start=start, progress=progress, stop=stop)

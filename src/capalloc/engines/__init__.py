"""Engines: several ways to solve the same :class:`~capalloc.model.LinearModel`. They know no domain."""

from __future__ import annotations

from collections.abc import Callable

from capalloc.engines.base import Engine
from capalloc.engines.enumeration import Enumeration
from capalloc.engines.highs import Highs
from capalloc.engines.own.engine import Capalloc
from capalloc.engines.pulp_bridge import PulpEngine, installed_solvers
from capalloc.issues import UnknownName

ENGINES: dict[str, Callable[[], Engine]] = {"highs": Highs, "capalloc": Capalloc, "enumeration": Enumeration}


def engine_named(name: str) -> Engine:
    """Return the engine of this name: ``capalloc``, ``highs``, ``enumeration``, or ``pulp:NAME`` for PuLP's solvers.

    Raises
    ------
    UnknownName
        When there is no such engine, or PuLP's solver is not installed.

    Examples
    --------
    >>> engine_named("highs").name
    'highs'
    """
    kind, _, solver = name.partition(":")
    if kind == "pulp" and solver:
        return PulpEngine(solver)
    if name not in ENGINES:
        raise UnknownName("engine", name, [*ENGINES, *(f"pulp:{known}" for known in installed_solvers())])
    return ENGINES[name]()

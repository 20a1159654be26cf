"""The engines that are compared, whether each is there, and how to get it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pkgutil import resolve_name

from capalloc.engines import engine_named
from capalloc.engines.base import Engine

INSTALL = "pip install 'capalloc[bench]'"


@dataclass(frozen=True, slots=True)
class Contender:
    """One engine of the comparison.

    Parameters
    ----------
    name
        As it is asked for and printed.
    make
        Makes the engine; fails where the package is missing.
    package
        What has to be installed.
    most
        How many columns, and how many rows, its licence allows; ``None`` for any number.
    """

    name: str
    make: Callable[[], Engine]
    package: str
    most: int | None = None

    @property
    def version(self) -> str | None:
        """The version of the package, ``None`` when it is not installed."""
        try:
            return version(self.package)
        except PackageNotFoundError:
            return None


def _peer(place: str) -> Engine:
    # Found by name when it is needed, because the packages of peers are not in every environment.
    made: Engine = resolve_name(f"benchmarks.peers.{place}")()
    return made


OWN = "capalloc"

CONTENDERS = {
    contender.name: contender
    for contender in (
        Contender(OWN, partial(engine_named, "capalloc"), "capalloc"),
        Contender("highs", partial(engine_named, "highs"), "highspy"),
        Contender("cbc", partial(engine_named, "pulp:CBC"), "pulp"),
        Contender("scip", partial(_peer, "scip:scip"), "pyscipopt"),
        Contender("cp-sat", partial(_peer, "cpsat:cp_sat"), "ortools"),
        Contender("gurobi", partial(_peer, "gurobi:gurobi"), "gurobipy", most=2_000),
    )
}

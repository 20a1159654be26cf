"""The narrow waist between domain and engines: an integer program in plain arrays, and what an engine answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Truths: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Origin:
    """The statement a row (or column) comes from: its kind, such as ``envelope``, and the key that names it."""

    kind: str
    key: tuple[Any, ...]


@dataclass(frozen=True, slots=True, init=False, eq=False)
class Keys(Sequence[tuple[Any, ...]]):
    """The keys of consecutive rows (or columns) as an array for each of their parts: tuples only when asked for.

    Examples
    --------
    >>> list(Keys(np.array([7, 8]), np.array(["a", None])))
    [(7, 'a'), (8, None)]
    """

    parts: tuple[npt.NDArray[Any], ...]

    def __init__(self, *parts: npt.NDArray[Any]) -> None:
        object.__setattr__(self, "parts", parts)

    def __len__(self) -> int:
        return len(self.parts[0])

    def __getitem__(self, index: Any) -> Any:
        return tuple(part.item(index) for part in self.parts)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Keys):
            return NotImplemented
        return len(self.parts) == len(other.parts) and all(map(np.array_equal, self.parts, other.parts))

    __hash__ = None  # type: ignore[assignment]  # arrays have none

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return zip(*(part.tolist() for part in self.parts), strict=True)


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive rows (or columns) of one kind; ``keys[i]`` names the i-th of them."""

    kind: str
    keys: Sequence[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class LinearModel:
    """Maximise ``objective @ x`` subject to ``row_lower <= matrix @ x <= row_upper`` and ``lower <= x <= upper``.

    Parameters
    ----------
    objective
        One entry a column, shape (n,).
    matrix
        Shape (m, n), compressed by rows.  Its entries and the finite row bounds are whole numbers below 2**53, so
        that the floats are exact.
    row_lower, row_upper
        Shape (m,); ``-inf`` and ``inf`` where a side is open.
    lower, upper
        Shape (n,).
    integer
        Shape (n,); true where a column must take a whole number.
    rows, columns
        The origins, block after block.
    """

    objective: Floats
    matrix: csr_array
    row_lower: Floats
    row_upper: Floats
    lower: Floats
    upper: Floats
    integer: Truths
    rows: tuple[Block, ...] = ()
    columns: tuple[Block, ...] = ()

    def row_origin(self, row: int) -> Origin:
        """Return the statement that row ``row`` comes from."""
        return _origin(self.rows, row)

    def column_origin(self, column: int) -> Origin:
        """Return what column ``column`` stands for."""
        return _origin(self.columns, column)


def _origin(blocks: tuple[Block, ...], index: int) -> Origin:
    for block in blocks:
        if index < len(block.keys):
            return Origin(block.kind, tuple(block.keys[index]))
        index -= len(block.keys)
    raise IndexError(index)


class Status(StrEnum):
    """What may be claimed about the answer."""

    OPTIMAL = "optimal"
    WITHIN_GAP = "within_gap"
    FEASIBLE = "feasible"
    INFEASIBLE = "infeasible"
    UNKNOWN = "unknown"

    @property
    def has_plan(self) -> bool:
        """Whether an answer is held."""
        return self in (Status.OPTIMAL, Status.WITHIN_GAP, Status.FEASIBLE)


class StoppedBy(StrEnum):
    """Why the engine ended."""

    PROOF = "proof"
    GAP = "gap"
    TIME_LIMIT = "time_limit"
    NODE_LIMIT = "node_limit"
    INTERRUPT = "interrupt"


@dataclass(frozen=True, slots=True)
class Progress:
    """One report of an engine at work; ``value`` is ``None`` before the first plan, all in the user's sense.

    Where classes come one after the other, ``class_`` is the one that is being maximised, and the numbers are its own.
    """

    seconds: float
    value: float | None
    bound: float
    gap: float
    nodes: int = 0
    class_: int | None = None


@dataclass(frozen=True, slots=True)
class SolveOptions:
    """The limits of one run.

    Parameters
    ----------
    time_limit
        Seconds, or ``None`` for none.
    gap
        Stop when (bound − value) / |value| is at most this.
    threads, seed, node_limit
        As the engine can; ``node_limit`` of ``None`` for none.
    """

    time_limit: float | None = 60.0
    gap: float = 1e-4
    threads: int = 2
    seed: int = 0
    node_limit: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an engine answers: the status, why it ended, the best point, and a proved upper bound on the objective.

    ``x`` is ``None`` exactly when no point is held; whole-numbered columns are exactly whole in it.  ``bound`` is
    ``inf`` where nothing is proved and ``-inf`` when the model is infeasible.
    """

    status: Status
    stopped_by: StoppedBy
    x: Floats | None
    bound: float
    nodes: int = 0
    seconds: float = 0.0
    details: dict[str, Any] = field(default_factory=dict)


ProgressReport: TypeAlias = Callable[[Progress], None]


def relative_gap(value: float | None, bound: float) -> float:
    """Return (bound − value) / |value|; 0 when equal, ``inf`` when there is no value or it is 0.

    Examples
    --------
    >>> relative_gap(100.0, 101.0), relative_gap(0.0, 0.0), relative_gap(0.0, 1.0)
    (0.01, 0.0, inf)
    """
    if value is None:
        return float("inf")
    if bound == value:
        return 0.0
    return (bound - value) / abs(value) if value else float("inf")

"""What is known of a model once it was solved, in the names of its rows and columns, for the models that follow.

Nothing in it is believed of another model: its points are tried there, and its multipliers and leaves prove there what
weak duality makes of them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from capalloc.model import Block, Floats, Ints, LinearModel

Marks: TypeAlias = npt.NDArray[np.int8]

MOST_POINTS = 8
MOST_MULTIPLIERS = 6

Number = TypeVar("Number", np.float64, np.int8)

_AT_LOWER, _BASIC = 0, 1


@dataclass(frozen=True, slots=True)
class Basis:
    """Where a simplex method ended: the status of each column and row, in HiGHS's numbers."""

    columns: Marks
    rows: Marks


@dataclass(frozen=True, slots=True)
class Memory:
    """What is known of a model.

    Parameters
    ----------
    rows, columns
        The origins of its rows and columns, by which they are found again in a model of another make.
    points
        Points that were good, the last one at first; each of shape (n,).
    multipliers
        Multipliers of the rows that proved bounds, likewise; each of shape (m,).
    basis
        Where its relaxation ended.
    """

    rows: tuple[Block, ...]
    columns: tuple[Block, ...]
    points: tuple[Floats, ...] = ()
    multipliers: tuple[Floats, ...] = ()
    basis: Basis | None = None

    def with_point(self, point: Floats) -> Memory:
        """Return this and one point more, the oldest forgotten where there are too many."""
        return replace(self, points=_first(point, self.points, MOST_POINTS))

    def with_relaxation(self, multipliers: Floats, basis: Basis | None) -> Memory:
        """Return this and what one more relaxation says."""
        return replace(self, multipliers=_first(multipliers, self.multipliers, MOST_MULTIPLIERS), basis=basis)

    def on(self, model: LinearModel) -> Memory:
        """Return what is known in the rows and columns of a model: 0, or at a bound, where they are new."""
        if self.rows == model.rows and self.columns == model.columns and self._fits(model):
            return self
        if not (model.rows and model.columns):
            return Memory(model.rows, model.columns)
        rows, columns = _places(self.rows, model.rows), _places(self.columns, model.columns)
        basis = self.basis
        if basis is not None:
            basis = Basis(_taken(basis.columns, columns, _AT_LOWER), _taken(basis.rows, rows, _BASIC))
        return Memory(
            model.rows,
            model.columns,
            tuple(_taken(point, columns, 0) for point in self.points),
            tuple(_taken(multipliers, rows, 0) for multipliers in self.multipliers),
            basis,
        )

    def _fits(self, model: LinearModel) -> bool:
        """Whether all that is known has the shape of a model; one without origins is known by nothing else."""
        shapes = [*((len(point), model.objective) for point in self.points)]
        shapes += [(len(multipliers), model.row_upper) for multipliers in self.multipliers]
        if self.basis is not None:
            shapes += [(len(self.basis.columns), model.objective), (len(self.basis.rows), model.row_upper)]
        return all(count == len(own) for count, own in shapes)


def memory_text(memory: Memory | None) -> str:
    """Return what is remembered as JSON, for another process; numbers keep every digit."""
    if memory is None:
        return "null"
    content = {
        "rows": [[block.kind, list(block.keys)] for block in memory.rows],
        "columns": [[block.kind, list(block.keys)] for block in memory.columns],
        "points": [point.tolist() for point in memory.points],
        "multipliers": [multipliers.tolist() for multipliers in memory.multipliers],
        "basis": memory.basis and [memory.basis.columns.tolist(), memory.basis.rows.tolist()],
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def memory_of(text: str) -> Memory | None:
    """Return what :func:`memory_text` wrote."""
    content = json.loads(text)
    if content is None:
        return None
    rows, columns = (
        tuple(Block(kind, list(map(_key, keys))) for kind, keys in content[n]) for n in ("rows", "columns")
    )
    points, multipliers = (tuple(map(_floats, content[name])) for name in ("points", "multipliers"))
    basis = content["basis"] and Basis(*(np.array(marks, dtype=np.int8) for marks in content["basis"]))
    return Memory(rows, columns, points, multipliers, basis)


def _floats(numbers: list[float]) -> Floats:
    return np.array(numbers, dtype=np.float64)


def _key(written: Any) -> Any:
    """A key as it was: JSON has lists in the place of tuples."""
    return tuple(map(_key, written)) if isinstance(written, list) else written


def _first(new: Floats, old: tuple[Floats, ...], most: int) -> tuple[Floats, ...]:
    return (new, *(one for one in old if not np.array_equal(one, new)))[:most]


def _places(known: Sequence[Block], asked: Sequence[Block]) -> Ints:
    """Where each of the rows (or columns) asked for stands among the known ones; −1 where it does not."""
    place = {name: number for number, name in enumerate(_names(known))}
    return np.array([place.get(name, -1) for name in _names(asked)], dtype=np.int64)


def _names(blocks: Sequence[Block]) -> list[tuple[str, object]]:
    return [(block.kind, tuple(key)) for block in blocks for key in block.keys]


def _taken(known: npt.NDArray[Number], places: Ints, otherwise: int) -> npt.NDArray[Number]:
    found: npt.NDArray[Number] = np.full(len(places), otherwise, dtype=known.dtype)
    found[places >= 0] = known[places[places >= 0]]
    return found

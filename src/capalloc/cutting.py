"""Cuts: rows that every whole point of a model keeps and its relaxation does not, each with where it comes from.

Rows of the model and earlier cuts are added up with multipliers, every column is counted from one of its bounds, and
what comes out is rounded (mixed-integer rounding: Nemhauser and Wolsey 1990).  :mod:`capalloc.combining` looks for
multipliers in floats; the cut itself is what :func:`capalloc.check_certificate.derived` makes of them in exact numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import frexp, lcm
from threading import Event
from typing import Any

import numpy as np

from capalloc.check_certificate import Program, Row, derived
from capalloc.combining import Combination, Vertex, combinations
from capalloc.effort import Effort
from capalloc.engines.base import Watch, watched_run
from capalloc.engines.scaling import scaling_of
from capalloc.model import Floats, LinearModel, SolveOptions
from capalloc.relaxing import relaxation_of, stated_groups

# A round takes so many cuts at most, that are no more alike than this, and looks at so many rows of the tableau.
_TAKEN = 40
_ALIKE = 0.95
_ROWS = 100

# Multipliers are simple fractions where they are this near to them, else have so many binary digits.
_DENOMINATOR = 10**6
_NEAR = 1e-12
_DIGITS = 50

# Rounding a cut's own numbers may cost it this part of its depth, or as much as brings them to this size.
_LOSS = 1e-3

_LARGEST = 2**45

# Rounds end when so many of them have lowered the bound by less than this part of what all have.
_PATIENCE = 5
_GAIN = 0.01


@dataclass(frozen=True, slots=True)
class Cut:
    """A cut: its derivation, as a certificate has it, and the row that follows."""

    derivation: dict[str, Any]
    row: Row


def separate(
    model: LinearModel,
    units: Floats,
    program: Program,
    rows: Sequence[Row],
    rounds: int,
    enough: float,
    effort: Effort,
) -> list[Cut]:
    """Return cuts that bind in the relaxation at the end, in the order in which they follow from rows and each other.

    Parameters
    ----------
    units
        Shape (m,): the unit in which each row of the model is counted.
    program, rows
        The same model in exact numbers, and its rows.
    rounds
        How often cuts are added at most.
    enough
        A bound that need not be lowered.
    effort
        What may be spent; no round begins without any left.

    Raises
    ------
    KeyboardInterrupt
        When the user stops it.
    """
    watch = Watch(SolveOptions(time_limit=None), Event())
    cuts = watched_run(lambda: _Separator(model, units, program, rows, effort).run(rounds, enough, watch), watch, None)
    if watch.stop.is_set():
        raise KeyboardInterrupt
    return cuts


class _Separator:
    """The relaxation with cuts; ``numbers`` says of each of its rows which one, or which cut after those, it is."""

    def __init__(
        self, model: LinearModel, units: Floats, program: Program, rows: Sequence[Row], effort: Effort
    ) -> None:
        from scipy.sparse import diags_array

        self.model, self.program, self.effort = model, program, effort
        self.scaling = scaling_of(model)
        self.solver = relaxation_of(model, self.scaling)
        self.groups = dict(stated_groups(model))
        self.own = len(rows)
        self.exact = list(rows)
        self.cuts: list[Cut] = []
        self.numbers = np.arange(self.own)
        self.matrix = (diags_array(units) @ model.matrix).tocsr()
        self.row_lower, self.row_upper = model.row_lower * units, model.row_upper * units
        self.factors = self.scaling.rows / units
        self.row_whole = np.array([_leaves_whole_room(row, program) for row in rows], dtype=bool)

    def run(self, rounds: int, enough: float, watch: Watch) -> list[Cut]:
        bounds: list[float] = []
        for _ in range(rounds):
            bound = self._bound()
            bounds.append(bound)
            if not enough < bound < np.inf or _slow(bounds) or self.effort.spent or watch.ended_by is not None:
                break
            self._keep(self._binding())
            new = [cut for found in self._chosen() if (cut := self._cut(found)) is not None]
            if not new:
                break
            for cut in new:
                self._add(cut)
        return self._needed() if self._bound() > -np.inf else self.cuts

    def _bound(self) -> float:
        """Solve the relaxation: its bound, ``-inf`` where it has no point, ``inf`` where HiGHS gives up."""
        self._solve()
        ending = self.solver.getModelStatus().name
        if ending != "kOptimal":
            return -np.inf if ending == "kInfeasible" else np.inf
        return -float(self.solver.getInfo().objective_function_value) / self.scaling.objective

    def _solve(self) -> None:
        self.solver.run()
        self.effort.spend(self.solver, self.matrix.nnz)

    def _binding(self) -> Any:
        return np.array([status.name != "kBasic" for status in self.solver.getBasis().row_status])

    def _keep(self, binding: Any) -> None:
        """Take the cuts that do not bind out of the relaxation."""
        kept = binding | (self.numbers < self.own)
        loose = np.flatnonzero(~kept).astype(np.int32)
        if loose.size:
            self.solver.deleteRows(len(loose), loose)
            self.numbers, self.matrix, self.factors = self.numbers[kept], self.matrix[kept], self.factors[kept]
            self.row_lower, self.row_upper = self.row_lower[kept], self.row_upper[kept]
            self.row_whole = self.row_whole[kept]
            self._solve()

    def _vertex(self) -> Vertex:
        solution, model = self.solver.getSolution(), self.model
        columns = np.array([status.name for status in self.solver.getBasis().col_status])
        x = np.array(solution.col_value) * self.scaling.columns
        return Vertex(
            matrix=self.matrix,
            row_lower=self.row_lower,
            row_upper=self.row_upper,
            row_whole=self.row_whole,
            lower=model.lower,
            upper=model.upper,
            whole=model.integer,
            counts=self.scaling.columns,
            x=x,
            prices=-np.array(solution.row_dual) * self.factors,
            binding=self._binding(),
            top=np.where(columns == "kBasic", x > (model.lower + model.upper) / 2, columns == "kUpper"),
        )

    def _tableau(self, vertex: Vertex) -> Iterator[Floats]:
        """Yield the multipliers that make the rows of the tableau in which something should be whole and is not."""
        basic = self.solver.getBasicVariables()[1].tolist()
        place = {column: number for number, column in enumerate(basic)}
        for column in vertex.fractional()[:_ROWS].tolist():
            if column in place:
                yield np.array(self.solver.getBasisInverseRow(place[column])[1]) * self.factors

    def _chosen(self) -> list[Combination]:
        """The deepest cuts that differ from one another."""
        vertex = self._vertex()
        self.x = vertex.x
        found = sorted(combinations(vertex, self._tableau(vertex), self.groups), key=lambda cut: -cut.depth)
        taken: list[Combination] = []
        for cut in found:
            if len(taken) < _TAKEN and all(abs(cut.entries @ other.entries) < _ALIKE for other in taken):
                taken.append(cut)
        return taken

    def _cut(self, found: Combination) -> Cut | None:
        """The cut in exact numbers that floats can hold, ``None`` where nothing is left of it in them."""
        multipliers, scale = _whole_multipliers(found.multipliers.tolist())
        pairs = zip(self.numbers[found.rows].tolist(), multipliers, strict=True)
        widths = (self.model.upper - self.model.lower)[found.entries != 0]
        unit = _LOSS * found.depth * found.size * float(scale) / (0.5 * float(widths.sum()) + 1.0)
        derivation = {
            "rows": [[row, number] for row, number in pairs if number],
            "scale": scale,
            "top": found.top.tolist(),
            "unit": max(1, int(unit)),
        }
        row = derived(derivation, self.exact, self.program)
        largest = max((abs(number) for number in (row.upper, *(entry for _, entry in row.entries))), default=0)
        if largest > _LARGEST:
            derivation["unit"] *= largest // _LARGEST + 1
            row = derived(derivation, self.exact, self.program)
        broken = sum(entry * self.x[column] for column, entry in row.entries) > row.upper
        return Cut(derivation, row) if row.entries and broken else None

    def _add(self, cut: Cut) -> None:
        from scipy.sparse import vstack

        line = line_of(cut.row, len(self.model.objective))
        counted = line.data * self.scaling.columns[line.indices]
        factor = 2.0 ** -int(np.frexp(np.abs(counted).max())[1])
        most = float(cut.row.upper)
        self.solver.addRow(-np.inf, most * factor, len(counted), line.indices.astype(np.int32), counted * factor)
        self.numbers = np.append(self.numbers, len(self.exact))
        self.exact.append(cut.row)
        self.cuts.append(cut)
        self.matrix = vstack([self.matrix, line], format="csr")
        self.factors = np.append(self.factors, factor)
        self.row_lower, self.row_upper = np.append(self.row_lower, -np.inf), np.append(self.row_upper, most)
        self.row_whole = np.append(self.row_whole, _leaves_whole_room(cut.row, self.program))

    def _needed(self) -> list[Cut]:
        """The cuts that bind and those that they follow from, with rows numbered anew."""
        wanted = {int(number) - self.own for number in self.numbers[self._binding()] if number >= self.own}
        for number in range(len(self.cuts) - 1, -1, -1):
            if number in wanted:
                rows = self.cuts[number].derivation["rows"]
                wanted.update(row - self.own for row, _ in rows if row >= self.own)
        place = {self.own + number: self.own + at for at, number in enumerate(sorted(wanted))}
        return [_renumbered(self.cuts[number], place) for number in sorted(wanted)]


def _whole_multipliers(multipliers: list[float]) -> tuple[list[int], int]:
    """Whole numbers and the scale of all: those of the fractions that the multipliers stand for, else of the floats."""
    simple = [Fraction(number).limit_denominator(_DENOMINATOR) for number in multipliers]
    scale = lcm(*(number.denominator for number in simple))
    near = all(abs(float(f) - m) <= _NEAR * abs(m) for f, m in zip(simple, multipliers, strict=True))
    if not near or scale > 2**_DIGITS:
        scale = 2 ** max(0, _DIGITS - frexp(max(map(abs, multipliers)))[1])
        simple = [Fraction(number) for number in multipliers]
    return [round(number * scale) for number in simple], scale


def line_of(row: Row, columns: int) -> Any:
    """Return the entries of a row as a matrix of one line."""
    from scipy.sparse import csr_array

    entries = sorted(row.entries)
    return csr_array(
        (np.array([float(entry) for _, entry in entries]), [column for column, _ in entries], [0, len(entries)]),
        shape=(1, columns),
    )


def _renumbered(cut: Cut, place: dict[int, int]) -> Cut:
    rows = [[place.get(row, row), times] for row, times in cut.derivation["rows"]]
    return replace(cut, derivation=cut.derivation | {"rows": rows})


def _leaves_whole_room(row: Row, program: Program) -> bool:
    side = row.lower if row.upper is None else row.upper
    return type(side) is int and all(program.whole[column] and type(entry) is int for column, entry in row.entries)


def _slow(bounds: list[float]) -> bool:
    return len(bounds) > _PATIENCE and bounds[-1 - _PATIENCE] - bounds[-1] < _GAIN * (bounds[0] - bounds[-1])

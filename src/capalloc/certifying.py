"""Certificates: all that a doubter needs to check a plan, and the bound beside it, without trusting who made them.

The model is written in exact numbers with the statement that each row comes from, so is the point that stands for the
plan, and so are the multipliers that prove the bound (see :mod:`capalloc.check_certificate`, which says what each part
means and reads it again).  They are rounded to few digits first: any multipliers prove something.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from capalloc.allocation import Allocation
from capalloc.answer import Answer
from capalloc.audit import Audit
from capalloc.catalogue import say
from capalloc.check_certificate import Refused, Row, check, digest, leaf_bound, program_in
from capalloc.classes import class_weights, every_class
from capalloc.compiling import Compiled, compile_tables
from capalloc.cutting import Cut, line_of, separate
from capalloc.effort import EFFORT, Effort
from capalloc.holding import Gains, gains_of
from capalloc.issues import EngineFailed
from capalloc.lexicographic import class_gains
from capalloc.model import Block, Floats, LinearModel
from capalloc.partition import Branch, Part, divide
from capalloc.storing import fingerprint
from capalloc.tables import Tables

LEAVES = 200
"""How many parts the points are divided into, unless told otherwise."""

ROUNDS = 20
"""How often cuts are looked for, unless told otherwise."""

# A part whose bound is this near to the plan's value needs no dividing.
_CLOSE = 1e-9

# Multipliers may cost the bound this part of itself when they are rounded.
_ROUNDING = 1e-10

# Cuts are looked for this often, or as often as asked; what proves most with this part of the leaves is taken.
_FEW_ROUNDS = 3
_RACE = 8

# How far the proof that a part has no point may move when it is rounded: tried one after the other.
_ERRORS = (1e-3, 1e-6, 1e-9, 1e-15)
_FINEST = 90


@dataclass(frozen=True, slots=True)
class Stake:
    """One value to bound: its gains, the values held meanwhile in units of theirs, and what the plan has.

    Without gains it is to be proved that there is no point.
    """

    class_: int | None
    gains: Gains | None
    held: tuple[tuple[Gains, Fraction], ...]
    value: Fraction | None


def certify(
    tables: Tables,
    answer: Answer,
    leaves: int,
    time_limit: float | None,
    rounds: int = ROUNDS,
    effort: Effort | None = None,
) -> dict[str, Any]:
    """Return the certificate of an answer: of its plan and its bound, or that there is none.

    Parameters
    ----------
    answer
        One with a plan that breaks nothing, or one that says that there is none.
    leaves
        How many parts the points are divided into at most, for each proof.
    time_limit
        Seconds for the partition of each proof; without one the same answer gives the same certificate.
    rounds
        How often cuts are looked for at most, for each proof.
    effort
        What all proofs together may spend: :data:`capalloc.effort.EFFORT` unless told otherwise.  It remembers whether
        a search ended for want of it.

    Raises
    ------
    EngineFailed
        When the certificate does not pass its own check.
    """
    compiled = compile_tables(tables)
    audit = answer.audit
    claims = {None: answer.bound} | {row.class_: row.bound for row in answer.classes}
    model = plain(model_section(compiled))
    provers = [_Prover(compiled, model, stake) for stake in stakes(compiled, audit)]
    whole = effort or Effort(EFFORT)
    proofs = []
    for done, prover in enumerate(provers):
        # What one proof leaves over is there for those after it.
        limits = Limits(leaves, time_limit, rounds, whole.part(1 / (len(provers) - done)))
        proofs.append(prover.proof(claims, limits))
    sections = {
        "head": {
            "title": tables.settings.title,
            "portfolio": fingerprint(tables),
            "status": str(answer.status),
            "engine": answer.engine,
        },
        "model": model,
        "plan": None if answer.allocation is None else plan_section(compiled, answer.allocation),
        "proofs": proofs,
    }
    sections = plain(sections)
    hashes = {name: digest(section) for name, section in sections.items()}
    certificate = {"format": "capalloc certificate", "version": 2, **sections, "hashes": hashes}
    try:
        check(certificate)
    except Refused as refusal:
        raise EngineFailed(say("error.certificate-fails", reason=refusal)) from None
    return certificate


def certificate_text(certificate: Mapping[str, Any]) -> str:
    """Return a certificate as the text of its file, one part a line."""
    parts = (f"{json.dumps(name)}: {json.dumps(part, ensure_ascii=False)}" for name, part in certificate.items())
    return "{\n" + ",\n".join(parts) + "\n}\n"


def plain(section: Any) -> Any:
    """Return a part of a certificate as it is read back from its file."""
    return json.loads(json.dumps(section, default=_plain))


def _plain(value: Any) -> Any:
    if isinstance(value, Fraction):
        return str(value)
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(type(value).__name__)


def stakes(compiled: Compiled, audit: Audit | None) -> list[Stake]:
    """Return the values that a certificate is about: the whole objective, or one a class; without a plan, none of it.

    Parameters
    ----------
    audit
        The account of the plan, ``None`` where there is none.
    """
    tables = compiled.tables
    if audit is None:
        return [Stake(None, None, (), None)]
    if tables.settings.objective.goal != "lexicographic" or not every_class(tables):
        return [Stake(None, _weighted(compiled), (), audit.value)]
    every = class_gains(compiled)
    values = {account.class_: account.value for account in audit.classes}
    held: list[tuple[Gains, Fraction]] = []
    found = []
    for gains in [gains for gains in every if any(gains.amounts)] or [every[-1]]:
        found.append(Stake(gains.number, gains, tuple(held), values[gains.number]))
        held.append((gains, values[gains.number] / gains.unit))
    return found


def stake_section(stake: Stake) -> dict[str, Any]:
    """Return what a proof is about: what follows from the tables and the plan alone."""
    return {
        "class": stake.class_,
        "unit": str(stake.gains.unit) if stake.gains else "1",
        "objective": _entries(stake.gains) if stake.gains else [],
        "held": [{"class": g.number, "entries": _entries(g), "lower": _written(least)} for g, least in stake.held],
        "value": None if stake.value is None else str(stake.value),
    }


def _weighted(compiled: Compiled) -> Gains:
    """The objective in whole units, exact also where floats are not."""
    weights = class_weights(compiled.tables)
    pairs = zip(compiled.options.value.tolist(), compiled.classes.tolist(), strict=True)
    worth = [value * weights[number] for value, number in pairs]
    extra = {compiled.extras.first + place: column.gain for place, column in enumerate(compiled.extras.columns)}
    return gains_of(0, compiled, (np.arange(len(worth)), worth), extra)


def model_section(compiled: Compiled) -> dict[str, Any]:
    """Return the compiled model in exact numbers, with the name of every column and the origin of every row."""
    model, matrix = compiled.model, compiled.model.matrix
    origins = list(_names(model.rows))
    rows = []
    for row, origin in enumerate(origins):
        inside = slice(matrix.indptr[row], matrix.indptr[row + 1])
        entries = zip(matrix.indices[inside].tolist(), map(_exact, matrix.data[inside].tolist()), strict=True)
        sides = {"lower": _side(model.row_lower[row]), "upper": _side(model.row_upper[row])}
        rows.append({"origin": origin, **sides, "entries": sorted(entries)})
    return {
        "columns": list(_names(model.columns)),
        "lower": [_exact(bound) for bound in model.lower.tolist()],
        "upper": [_exact(bound) for bound in model.upper.tolist()],
        "whole": model.integer.astype(int).tolist(),
        "rows": rows,
    }


def _names(blocks: Sequence[Block]) -> Iterator[list[Any]]:
    for block in blocks:
        for key in block.keys:
            yield [block.kind, *key]


def _exact(number: float) -> int | str:
    exact = Fraction(number)
    return exact.numerator if exact.denominator == 1 else str(exact)


def _side(bound: float) -> int | str | None:
    return _exact(bound) if math.isfinite(bound) else None


def plan_section(compiled: Compiled, allocation: Allocation) -> dict[str, Any]:
    """Return a plan as it is listed, and as the point of the model that stands for it.

    Raises
    ------
    ValueError
        When the plan takes an option that the model does not have.
    """
    point = compiled.point(allocation)
    if point is None:
        raise ValueError("the plan takes an option that the model does not have")
    exact = compiled.exact(point).tolist()
    return {
        "choices": [[c.project, c.mode, c.start, str(c.scale)] for c in allocation.choices],
        "payments": [[p.project, p.source, p.year, p.amount] for p in allocation.payments],
        "point": [[column, _written(amount)] for column, amount in enumerate(exact) if amount],
    }


def _written(amount: int | Fraction) -> int | str:
    return int(amount) if amount == int(amount) else str(amount)


def _entries(gains: Gains) -> list[list[int]]:
    return [[column, amount] for column, amount in enumerate(gains.amounts) if amount]


@dataclass(frozen=True, slots=True)
class Limits:
    """How far a proof is looked for: parts, seconds for each partition, rounds of cuts, and effort for all of it."""

    leaves: int
    time_limit: float | None
    rounds: int
    effort: Effort


class _Prover:
    """Proves what one value can be at most; where nothing is at stake, that there is no point."""

    def __init__(self, compiled: Compiled, model: dict[str, Any], stake: Stake) -> None:
        self.stake = stake
        floats, units = _floats(compiled.model, stake)
        self.program = program_in(model)
        held = plain(stake_section(stake))["held"]
        lowers = [Fraction(row["lower"]) for row in held]
        sides = [least.numerator if least.denominator == 1 else least for least in lowers]
        rows = [Row(row["entries"], side, None) for row, side in zip(held, sides, strict=True)]
        self.base = floats, units, [*self.program.rows, *rows]

    def proof(self, claims: Mapping[int | None, float], limits: Limits) -> dict[str, Any]:
        """Return the proof, with the bound that was claimed beside it."""
        stake, enough = self.stake, -math.inf
        if stake.value is not None and stake.gains is not None:
            value = float(stake.value / stake.gains.unit)
            enough = max(value + (0.5 if stake.gains.whole else 0.0), value + _CLOSE * abs(value))
        cuts = self._best_cuts(enough, limits)
        parts = divide(self._take(cuts), enough, limits.leaves, limits.effort, limits.time_limit)
        claimed = claims.get(stake.class_, math.inf)
        section = stake_section(stake) | {"bound": _side(claimed), "cuts": [cut.derivation for cut in cuts]}
        parents = {side: number for number, part in enumerate(parts) if part.split for side in part.sides}
        return section | {"nodes": [self._node(parts, parents, number) for number in range(len(parts))]}

    def _best_cuts(self, enough: float, limits: Limits) -> list[Cut]:
        """The cuts with which a few parts prove most: none, few or many.

        Many lower the bound of the whole and can make dividing worthless.
        """
        model, units, rows = self.base
        found: list[tuple[float, int, list[Cut]]] = []
        leaves = max(1, limits.leaves // _RACE)
        for number in sorted({0, min(_FEW_ROUNDS, limits.rounds), limits.rounds}):
            effort = limits.effort.part(1 / _RACE)
            cuts = separate(model, units, self.program, rows, number, enough, effort) if number else []
            parts = divide(self._take(cuts), enough, leaves, effort, limits.time_limit) if limits.rounds else []
            found.append((max((part.bound for part in parts if part.split is None), default=0.0), len(cuts), cuts))
        return min(found, key=lambda tried: tried[:2])[2]

    def _take(self, cuts: Sequence[Cut]) -> LinearModel:
        """Add cuts to the rows of the model, and return it."""
        from scipy.sparse import vstack

        model, units, rows = self.base
        self.rows = [*rows, *(cut.row for cut in cuts)]
        self.units = np.append(units, np.ones(len(cuts)))
        extended = replace(
            model,
            matrix=vstack([model.matrix, *(line_of(cut.row, len(model.objective)) for cut in cuts)], format="csr"),
            row_lower=np.append(model.row_lower, np.full(len(cuts), -np.inf)),
            row_upper=np.append(model.row_upper, [float(cut.row.upper) for cut in cuts]),
        )
        widest = np.maximum(np.abs(model.lower), np.abs(model.upper))
        self.reach = abs(extended.matrix) @ widest * self.units
        return extended

    def _node(self, parts: Sequence[Part], parents: Mapping[int, int], number: int) -> dict[str, Any]:
        part = parts[number]
        if part.split is not None:
            return {"split": list(part.split.columns), "at": part.split.at, "low": part.sides[0], "high": part.sides[1]}
        if not part.empty:
            return self._leaf(part.multipliers, part, _ROUNDING * max(1.0, abs(part.bound)))
        for error in _ERRORS:
            leaf = self._leaf(part.multipliers, part, error)
            if self._proves(leaf, part.path):
                return leaf
        # What bounds a part bounds what is in it, also where nothing is.
        above = parts[parents[number]].multipliers if number in parents else np.zeros(0)
        shorter = np.append(above, np.zeros(len(part.multipliers) - len(above)))
        return self._leaf(shorter, replace(part, empty=False), _ROUNDING)

    def _leaf(self, multipliers: Floats, part: Part, error: float) -> dict[str, Any]:
        """A leaf whose multipliers are rounded so far that its bound moves by no more than ``error``, if that is wide.

        An unknown bound is no measure of what may be lost.
        """
        count = len(self.units)
        exact = np.concatenate([multipliers[:count] / self.units, multipliers[count:]])
        widths = np.concatenate([self.reach, [float(len(branch.columns)) for branch in part.path]])
        moved = float(widths[exact != 0].sum())
        wanted = math.ceil(math.log2(moved / error)) if moved and math.isfinite(error) else 0
        digits = min(_FINEST, max(0, wanted))
        rows = [[row, round(Fraction(y) * 2**digits)] for row, y in enumerate(exact.tolist()) if y]
        return {"empty": part.empty, "scale": 2**digits, "rows": [pair for pair in rows if pair[1]]}

    def _proves(self, leaf: dict[str, Any], path: Sequence[Branch]) -> bool:
        branches = [
            Row([(column, 1) for column in b.columns], b.at + 1 if b.high else None, None if b.high else b.at)
            for b in path
        ]
        try:
            return leaf_bound(leaf, 0, {}, self.rows, branches, self.program) is None
        except Refused:
            return False


def _floats(model: LinearModel, stake: Stake) -> tuple[LinearModel, Floats]:
    """The model whose relaxations are solved, and the unit in which each of its rows is counted.

    Rows that hold a value are counted in a power of two.
    """
    from scipy.sparse import csr_array, vstack

    gains = stake.gains.amounts if stake.gains else [0] * len(model.objective)
    whole = replace(model, objective=np.array(gains, dtype=np.float64))
    units = [2.0 ** max(0, max(map(abs, held.amounts)).bit_length() - 20) for held, _ in stake.held]
    if units:
        rows = [
            np.array(held.amounts, dtype=np.float64) / unit for (held, _), unit in zip(stake.held, units, strict=True)
        ]
        least = [float(reached) / unit for (_, reached), unit in zip(stake.held, units, strict=True)]
        whole = replace(
            whole,
            matrix=vstack([model.matrix, csr_array(np.array(rows))], format="csr"),
            row_lower=np.append(model.row_lower, least),
            row_upper=np.append(model.row_upper, np.full(len(units), np.inf)),
        )
    return whole, np.append(np.ones(len(model.row_upper)), units)

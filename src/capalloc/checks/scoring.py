"""Scores: sets of criteria whose weights add up, scales with two ends, and a score wherever one counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from capalloc.checks.amounts import named, needs_costs, place_of
from capalloc.checks.timing import ways
from capalloc.issues import Issue, error, nearest, warning
from capalloc.reading import NONE
from capalloc.records import Criterion
from capalloc.tables import Tables

SCORED = ("score", "score_size")
"""The ways to find values that use criteria."""


def sets_in_use(tables: Tables) -> Mapping[str, Fraction]:
    """Return the weight of each set of criteria that the objective counts."""
    objective = tables.settings.objective
    given = {name: Fraction(weight) for name, weight in objective.sets.items()}
    return given or {objective.criteria: Fraction(1)}


def check_criteria(tables: Tables) -> Iterator[Issue]:
    """Every scale has two ends, and the weights of each set add to exactly 1."""
    for row in tables.criteria:
        if row.low >= row.high:
            yield error("bad-scale", tables.place("criteria", row, "high"), low=row.low, high=row.high)
    for name in dict.fromkeys(row.set for row in tables.criteria):
        total = sum((row.weight for row in tables.criteria if row.set == name), Fraction(0))
        if total != 1:
            where = tables.place("criteria", column="weight")
            yield error("weights-sum-of-set" if name else "weights-sum", where, found=total, set=name)


def check_sets(tables: Tables) -> Iterator[Issue]:
    """The objective names sets of criteria that there are, with weights that add to exactly 1."""
    objective = tables.settings.objective
    if objective.sets and objective.criteria:
        yield error("criteria-twice", tables.place("settings", column="objective.criteria"))
    if objective.value_from not in SCORED:
        for key, given in (("criteria", objective.criteria), ("sets", objective.sets)):
            if given:
                where = tables.place("settings", column=f"objective.{key}")
                yield warning("unused-sets", where, key=key, value_from=objective.value_from)
        return
    known = list(dict.fromkeys(row.set for row in tables.criteria))
    for name in sets_in_use(tables) if tables.criteria else ():
        if name not in known:
            where = tables.place("settings", column="objective.sets" if objective.sets else "objective.criteria")
            names = ", ".join(filter(None, known)) or NONE
            yield error("unknown-set", where, found=name, near=nearest(name, known) or NONE, known=names)
    total = sum(sets_in_use(tables).values(), Fraction(0))
    if total != 1:
        yield error("sets-sum", tables.place("settings", column="objective.sets"), found=total)


def check_score_range(tables: Tables) -> Iterator[Issue]:
    """Every score lies on the scale of its criterion."""
    criteria = {row.criterion: row for row in tables.criteria}
    for row in tables.scores:
        scale: Criterion | None = criteria.get(row.criterion)
        if scale is not None and scale.low < scale.high and not scale.low <= row.score <= scale.high:
            where = tables.place("scores", row, "score")
            yield error("score-outside", where, found=row.score, low=scale.low, high=scale.high)


def check_scores(tables: Tables) -> Iterator[Issue]:
    """Where values come from scores, every project has one on each criterion and, for score × size, a size."""
    value_from = tables.settings.objective.value_from
    if value_from not in SCORED:
        return
    if not tables.criteria:
        yield error("no-criteria", tables.place("settings", column="objective.value_from"))
        return
    given = {(row.project, row.mode, row.criterion) for row in tables.scores}
    counted = sets_in_use(tables)
    needed = [row.criterion for row in tables.criteria if counted.get(row.set)]
    for way in ways(tables):
        missing = [name for name in needed if (way.project.id, way.name, name) not in given]
        if missing:
            where = place_of(tables, way, "id" if way.mode is None else "mode")
            yield error("missing-score", where, criteria=", ".join(missing), **named(way))
    # A size left empty is the cost; where costs are needed, a missing one is told as such.
    sizes_needed = value_from == "score_size" and not needs_costs(tables)
    for project in tables.projects:
        if sizes_needed and project.size is None:
            yield error("missing-size", tables.place("projects", project, "size"), project=project.id)

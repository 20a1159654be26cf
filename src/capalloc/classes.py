"""The priority class of every option, and what the objective weighs it with."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from capalloc.model import Ints
from capalloc.options import Options
from capalloc.tables import Tables

NO_CLASS = 0
"""Stands for the class of an option whose project has none; classes count from 1."""


def option_classes(tables: Tables, options: Options) -> Ints:
    """Return the class of each option, :data:`NO_CLASS` where it has none.

    The row of `priorities` for its project, its mode and the phase of its start decides; else the row for the project
    and that phase without a mode; else the project's own ``priority``.
    """
    classes = np.array([project.priority or NO_CLASS for project in tables.projects], dtype=np.int64)[options.project]
    if not tables.priorities:
        return classes
    by_phase = {(row.project, row.mode, row.phase): row.class_ for row in tables.priorities}
    phase_of = {year: phase.name for phase in tables.settings.phases for year in range(phase.first, phase.last + 1)}
    names = [(tables.projects[variant.project].id, variant.mode) for variant in options.variants]
    pairs = zip(options.variant.tolist(), options.start.tolist(), classes.tolist(), strict=True)
    found = []
    for variant, year, own in pairs:
        (project, mode), phase = names[variant], phase_of.get(year, "")
        found.append(by_phase.get((project, mode, phase), by_phase.get((project, "", phase), own)))
    return np.array(found, dtype=np.int64)


def every_class(tables: Tables) -> tuple[int, ...]:
    """Return all classes that the tables name, the first first.

    What belongs to no class of its own, such as a target that is missed, belongs to the last of them.
    """
    named = {project.priority for project in tables.projects} | {row.class_ for row in tables.priorities}
    named |= {row.class_ for row in tables.synergies} | {row.class_ for row in tables.rules}
    return tuple(sorted(number for number in named if number is not None))


def class_weights(tables: Tables) -> dict[int, Fraction]:
    """Return the weight of each class; 1 for all where the settings name no weights, or the goal takes none."""
    objective = tables.settings.objective
    if objective.class_weights and objective.goal == "weighted":
        return {number: Fraction(weight) for number, weight in objective.class_weights.items()}
    return dict.fromkeys((NO_CLASS, *every_class(tables)), Fraction(1))

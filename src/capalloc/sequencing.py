"""The rows of dependencies between projects, with F(i) the sum of x over the options of project i.

requires: F(then) − F(first) <= 0.  finish_start, start_start: for each start year t of ``then``, the options of
``then`` that start by t less the options of ``first`` that allow a start by t are <= 0 (aggregated precedence;
Pritsker, Watters and Wolfe 1969).  together: F(then) − F(first) = 0.  excludes: F(then) + F(first) <= 1.
"""

from __future__ import annotations

import numpy as np

from capalloc.model import Ints, Keys, Truths
from capalloc.options import Options, ranges
from capalloc.rows import RowBlock
from capalloc.tables import Tables


def dependency_rows(tables: Tables, options: Options) -> RowBlock:
    """Return the rows of all dependencies; those of a kind without years have a single one, whatever the options."""
    kind = np.array([row.kind for row in tables.dependencies], dtype=object)
    ordered = (kind == "finish_start") | (kind == "start_start")
    then, first, come, freed, years = _times(tables, options, ordered)
    row = np.unique(np.concatenate([come, np.flatnonzero(~ordered) * years]))
    of = row // years
    by, ready = (np.searchsorted(times, row, side="right") for times in (come, freed))
    # With the same options of `first` behind it, the row of a later year implies this one.
    keep = (np.diff(of, append=-1) != 0) | (np.diff(ready, append=0) > 0)
    row, of, by, ready = row[keep], of[keep], by[keep], ready[keep]
    before, after = (np.searchsorted(times, of * years) for times in (come, freed))
    rows, place = ranges(before, by - before)
    behind, place_behind = ranges(after, ready - after)
    exclusive = kind[of] == "excludes"
    year = (row % years + _first(options)).astype(object)
    year[~ordered[of]] = None
    return RowBlock(
        "dependency",
        Keys(of, year),
        np.concatenate([rows, behind]),
        np.concatenate([then[place], first[place_behind]]),
        np.concatenate([np.ones(len(rows)), np.where(exclusive[behind], 1.0, -1.0)]),
        np.where(kind[of] == "together", 0.0, -np.inf),
        exclusive.astype(np.float64),
    )


def _times(tables: Tables, options: Options, ordered: Truths) -> tuple[Ints, Ints, Ints, Ints, int]:
    """The options of ``then`` and of ``first`` of all dependencies, and when they start and let the other start.

    These times are a dependency and a year in one number, of so many years each, and in ascending order; where no
    years count, all are the first.
    """
    index = {project.id: number for number, project in enumerate(tables.projects)}
    spans = np.searchsorted(options.project, np.arange(len(index) + 1))
    pairs = [(index[row.then], index[row.first], row.lag) for row in tables.dependencies]
    others, givers, lag = np.array(pairs, dtype=np.int64).reshape(-1, 3).T
    waits = np.array([row.kind == "finish_start" for row in tables.dependencies], dtype=bool)
    of_then, then = ranges(spans[others], np.diff(spans)[others])
    of_first, first = ranges(spans[givers], np.diff(spans)[givers])
    ends = np.where(waits[of_first], options.finish[first] + 1, options.start[first]) + lag[of_first]
    come = np.where(ordered[of_then], options.start[then] - _first(options), 0)
    freed = np.where(ordered[of_first], ends - _first(options), 0)
    years = int(max(come.max(initial=0), freed.max(initial=0))) + 1
    come, freed = of_then * years + come, of_first * years + freed
    by_come, by_freed = np.argsort(come, kind="stable"), np.argsort(freed, kind="stable")
    return then[by_come], first[by_freed], come[by_come], freed[by_freed], years


def _first(options: Options) -> int:
    """The first year in which any option starts."""
    return int(options.start.min(initial=9999))

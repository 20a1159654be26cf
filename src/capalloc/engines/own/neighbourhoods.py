"""Which options to set free around a point: each neighbourhood ranks them, and the first so many are freed.

Crossover frees what two good points do not share (Rothberg 2007), relaxation-induced neighbourhoods what a point and a
relaxation do not (Danna, Rothberg and Le Pape 2005); the others follow the rows that options share.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from capalloc.engines.own.problem import Problem
from capalloc.model import Floats, Ints, Truths

if TYPE_CHECKING:
    from scipy.sparse import csc_array, csr_array

# A row that ties fewer groups than this together is a link between projects; one with more is shared by many.
_FEW = 8

_FIRST = -1.0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """How the options of a problem hang together.

    Parameters
    ----------
    links
        Shape (groups, groups): which groups a row of few groups ties together.
    many
        The rows that many groups share.
    shared
        The same in the solver's counts, shape (shared rows, n).
    prices
        Shape (shared rows,): what room in them is worth in the root relaxation, and a little where it is worth nothing.
    owner
        Shape (n,): the group whose options alone ask for a column that is not a 0/1 one, as they do for payments of
        their project; −1 for other columns.
    """

    problem: Problem
    links: csr_array
    many: Ints
    shared: csc_array
    prices: Floats
    owner: Ints


def surroundings(problem: Problem, multipliers: Floats) -> Surroundings:
    """Return how the options hang together.

    Parameters
    ----------
    multipliers
        Of the rows in the root relaxation.
    """
    from scipy.sparse import csc_array, csr_array

    matrix, groups = problem.model.matrix, problem.groups
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    pairs = np.unique(rows * groups.count + groups.of[matrix.indices])
    row, group = np.divmod(pairs, groups.count)
    incidence = csr_array((np.ones(len(row)), (row, group)), shape=(matrix.shape[0], groups.count))
    count = np.diff(incidence.indptr)
    few = incidence[np.flatnonzero((count > 1) & (count < _FEW))]
    many = np.flatnonzero(count >= _FEW)
    # A row holds as much as its largest entries, so prices are compared by what those cost.
    shared = abs(problem.scaled.matrix[many])
    prices = np.abs(multipliers)[many] / problem.scaling.rows[many]
    prices += 0.01 * prices.max(initial=1e-9)
    return Surroundings(problem, csr_array(few.T @ few), many, csc_array(shared), prices, _owners(problem, rows))


def _owners(problem: Problem, rows: Ints) -> Ints:
    matrix, groups = problem.model.matrix, problem.groups
    columns = matrix.indices
    binary = groups.binary[columns]
    group = groups.of[columns]
    least, most = np.full(matrix.shape[0], groups.count), np.full(matrix.shape[0], -1)
    np.minimum.at(least, rows[binary], group[binary])
    np.maximum.at(most, rows[binary], group[binary])
    alone = np.where(least == most, most, -1)
    owner = np.full(problem.size, -1)
    np.maximum.at(owner, columns[~binary], alone[rows[~binary]])
    return owner


def around_gains(loss: Floats, rng: np.random.Generator, noise: float) -> Floats:
    """Rank options by how little they lose in a relaxation, blurred."""
    rank: Floats = (loss + 1e-3 * loss.mean()) * np.exp(rng.normal(0.0, noise, len(loss)))
    return rank


def crossover(problem: Problem, best: Floats, other: Floats, loss: Floats, rng: np.random.Generator) -> Floats:
    """Rank what two points do not share first, and then what loses little."""
    differ = problem.groups.binary & (best != other)
    return np.where(differ, _FIRST, around_gains(loss, rng, 0.5))


def window(around: Surroundings, best: Floats, loss: Floats, rng: np.random.Generator) -> Floats:
    """Rank options that use the same shared rows as one that the point takes, such as the same years."""
    problem = around.problem
    taken = np.flatnonzero(problem.groups.binary & (best > 0.5))
    if not len(taken) or not around.shared.shape[0]:
        return around_gains(loss, rng, 1.0)
    seed = rng.choice(taken)
    used = np.zeros(around.shared.shape[0])
    used[around.shared.indices[around.shared.indptr[seed] : around.shared.indptr[seed + 1]]] = 1.0
    whole = around.shared.T @ around.prices
    overlap = np.divide(around.shared.T @ (around.prices * used), whole, out=np.zeros_like(whole), where=whole > 0)
    rank: Floats = around_gains(loss, rng, 0.3) / (overlap**2 + 0.01)
    return rank


def component(around: Surroundings, loss: Floats, size: int, rng: np.random.Generator) -> Floats:
    """Rank the options of projects that links tie to a random one, nearest first, but not those that lose much."""
    groups = around.problem.groups
    limit = np.quantile(loss[groups.binary], 0.6)
    useful = groups.binary & (loss <= limit)
    number = np.bincount(groups.of[useful], minlength=groups.count)
    reached = np.zeros(groups.count, dtype=bool)
    place = np.full(groups.count, np.inf)
    found, step = 0, 0
    while found < size and (number[~reached] > 0).any():
        wave: Ints = np.array([rng.choice(np.flatnonzero(~reached & (number > 0)))])
        while len(wave) and found < size:
            rng.shuffle(wave)
            reached[wave] = True
            place[wave] = step + np.arange(len(wave))
            step += len(wave)
            found += int(number[wave].sum())
            ahead = np.unique(around.links[wave].indices)
            wave = ahead[~reached[ahead]]
    return np.where(useful, place[groups.of], np.inf)


def induced(problem: Problem, best: Floats, relaxed: Floats, loss: Floats, rng: np.random.Generator) -> Floats:
    """Rank what a point and a relaxation do not share first, and then what loses little."""
    differ = problem.groups.binary & (np.abs(best - relaxed) > 0.01)
    return np.where(differ, _FIRST * np.abs(best - relaxed), around_gains(loss, rng, 0.3))


def scattered(problem: Problem, loss: Floats, rng: np.random.Generator) -> Floats:
    """Rank the options of random projects first, and of each what loses little."""
    turn = rng.permutation(problem.groups.count)[problem.groups.of]
    limit = np.quantile(loss[problem.groups.binary], 0.5)
    return np.where(loss <= limit, turn, np.inf)


def loosened(around: Surroundings, best: Floats, free: Truths, others: int, rng: np.random.Generator) -> Truths:
    """Return what is to be set free with some options: their payments, and those of a few other projects taken.

    The others make room in a source by paying from another; thousands of payments would take longer than the options.
    """
    groups, owner = around.problem.groups, around.owner
    touched = np.zeros(groups.count, dtype=bool)
    touched[groups.of[free]] = True
    paying = np.unique(owner[(owner >= 0) & (best > 0)])
    touched[rng.permutation(paying)[:others]] = True
    loose: Truths = free | (~groups.binary & ((owner < 0) | touched[owner]))
    return loose


def freed(problem: Problem, best: Floats, rank: Floats, size: int) -> Truths:
    """Return the options to set free: the first in rank, and what the point takes of the same projects."""
    binary = np.flatnonzero(problem.groups.binary & np.isfinite(rank))
    size = min(size, len(binary))
    free = np.zeros(problem.size, dtype=bool)
    free[binary[np.argpartition(rank[binary], size - 1)[:size]] if size else binary] = True
    touched = np.zeros(problem.groups.count, dtype=bool)
    touched[problem.groups.of[free]] = True
    return free | (problem.groups.binary & (best > 0.5) & touched[problem.groups.of])

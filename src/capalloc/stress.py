"""A plan under stress: what happens to its envelopes when costs, delays and money come otherwise than planned.

Costs are drawn from the triangle of each project's interval, the projects apart from each other; delays and the parts
of the envelopes that come as their chances say.  The draws are a Latin hypercube (McKay, Beckman and Conover 1979),
made by SciPy.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from capalloc.allocation import Allocation
from capalloc.amending import Unplannable, put_in_force, with_cost_factors
from capalloc.asking import is_ordered
from capalloc.budget import Budget
from capalloc.catalogue import say, shown_part
from capalloc.ceilings import find_carries, find_ceilings
from capalloc.framing import typed_frame
from capalloc.history import first_open_year, payments_made
from capalloc.model import Floats, SolveOptions
from capalloc.reporting import base_costs, shown_down, shown_up
from capalloc.solving import DEFAULT_ENGINE, optimize
from capalloc.statements import sources_in_words
from capalloc.tables import Tables
from capalloc.telling import Told
from capalloc.tornado import base_cost

if TYPE_CHECKING:
    import pandas as pd

_NINETY_FIVE = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Dangers:
    """What may come otherwise than planned.

    Parameters
    ----------
    delays
        Years by which a project may be late, each with its chance; what is left is the chance of none.
    private, disbursement
        The least and the greatest part of the room of the envelopes of others than the state, and of the state, that
        comes; every part in between is as likely.
    together
        Whether the costs of all projects rise and fall together, as prices do; else each is drawn for itself.
    """

    delays: Mapping[int, float] = field(default_factory=dict)
    private: tuple[float, float] = (1.0, 1.0)
    disbursement: tuple[float, float] = (1.0, 1.0)
    together: bool = False


@dataclass(frozen=True, slots=True)
class Strain:
    """How one envelope fares: the chance that it holds, with its 95 % interval, and what is missing.

    ``overrun`` is expected over all runs and ``worst`` is what 95 % of the runs do not pass, in million VND.
    """

    source: tuple[str, ...]
    period: str
    room: int
    planned: int
    expected: float
    holds: float
    holds_low: float
    holds_high: float
    overrun: float
    worst: float


@dataclass(frozen=True, slots=True)
class Replanned:
    """The best plan found for one of the runs, had it been known: its value and bound."""

    run: int
    value: Fraction | None
    bound: float
    projects: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Stress(Told):
    """What :meth:`Portfolio.stress` answers: the fixed plan in every run, and some runs planned again."""

    tables: Tables
    runs: int
    strains: tuple[Strain, ...]
    all_hold: float
    replanned: tuple[Replanned, ...]
    varied: int
    projects: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return one row an envelope, amounts in million VND.

        The columns are source, period, room, planned, expected (use), holds (chance), holds_low and holds_high (its
        95 % interval), overrun (expected) and overrun_95 (passed in one run of twenty).
        """
        rows = self.strains
        numbers = ("expected", "holds", "holds_low", "holds_high", "overrun")
        return typed_frame(
            {
                "source": ("str", ["+".join(row.source) for row in rows]),
                "period": ("str", [row.period for row in rows]),
                "room": ("int64", [row.room for row in rows]),
                "planned": ("int64", [row.planned for row in rows]),
                **{name: ("float64", [getattr(row, name) for row in rows]) for name in numbers},
                "overrun_95": ("float64", [row.worst for row in rows]),
            }
        )

    def replans(self) -> pd.DataFrame:
        """Return one row a run that was planned again: run, value, bound, entered, left."""
        rows, plan = self.replanned, set(self.projects)
        return typed_frame(
            {
                "run": ("int64", [row.run for row in rows]),
                "value": ("Float64", [None if row.value is None else float(row.value) for row in rows]),
                "bound": ("float64", [row.bound for row in rows]),
                "entered": ("str", [", ".join(p for p in row.projects if p not in plan) for row in rows]),
                "left": ("str", [", ".join(p for p in self.projects if p not in set(row.projects)) for row in rows]),
            }
        )

    def statement(self) -> str:
        """Return the answer as one paragraph in the language in force."""
        parts = [say("sensitivity.stress.all", runs=self.runs, count=self.varied, chance=_percent(self.all_hold))]
        if self.strains:
            worst = min(self.strains, key=lambda row: row.holds)
            name = {"source": sources_in_words(self.tables, worst.source), "period": worst.period}
            range_ = {"low": _percent(worst.holds_low), "high": _percent(worst.holds_high)}
            parts.append(say("sensitivity.stress.weakest", **name, chance=_percent(worst.holds), **range_))
            parts.append(say("sensitivity.stress.overrun", overrun=round(worst.overrun), worst=round(worst.worst)))
        values = [row.value for row in self.replanned if row.value is not None]
        if values and is_ordered(self.tables):
            parts.append(say("sensitivity.stress.replanned-ordered", count=len(values)))
        elif values:
            least, most = shown_down(min(values)), shown_up(max(values))
            parts.append(say("sensitivity.stress.replanned", count=len(values), least=least, most=most))
        return " ".join(parts)


def _percent(chance: float) -> Fraction:
    return shown_part(chance, 1)


@dataclass(frozen=True, slots=True)
class Draws:
    """The runs, one row each: the factor on the cost of every project, its delay, and the part of money that comes."""

    factors: Floats
    delays: Floats
    private: Floats
    disbursement: Floats


def draw(tables: Tables, dangers: Dangers, runs: int, seed: int) -> Draws:
    """Draw the runs; the same seed gives the same ones.

    ``factors`` and ``delays`` have the shape (runs, projects), the others (runs,).
    """
    from scipy.stats import qmc

    count = len(tables.projects)
    cube = qmc.LatinHypercube(d=2 * count + 2, rng=seed).random(runs)
    shared = np.zeros(count, dtype=np.int64) if dangers.together else np.arange(count)
    ends = intervals(tables)
    factors = np.column_stack([_triangle(cube[:, shared[number]], *ends[number]) for number in range(count)])
    return Draws(
        factors,
        _delays(cube[:, count : 2 * count], dangers.delays),
        _between(cube[:, -2], dangers.private),
        _between(cube[:, -1], dangers.disbursement),
    )


def intervals(tables: Tables) -> list[tuple[float, float]]:
    """Return the least and the greatest factor on the cost of each project; (1, 1) where it has no interval."""
    costs = base_costs(tables)
    found = []
    for project in tables.projects:
        base = base_cost(project, costs)
        low, high = project.cost_low, project.cost_high
        found.append(
            (low / base if base and low is not None else 1.0, high / base if base and high is not None else 1.0)
        )
    return found


def _triangle(uniform: Floats, low: float, high: float) -> Floats:
    """Values of a triangular distribution with its peak at 1, by the inverse of its distribution function."""
    from scipy.stats import triang

    if low == high:
        return np.full(len(uniform), low)
    values: Floats = triang.ppf(uniform, (1.0 - low) / (high - low), loc=low, scale=high - low)
    return values


def _delays(uniform: Floats, chances: Mapping[int, float]) -> Floats:
    years = np.zeros(uniform.shape)
    above = 0.0
    for delay, chance in sorted(chances.items()):
        years[(uniform >= above) & (uniform < above + chance)] = delay
        above += chance
    return years


def _between(uniform: Floats, ends: tuple[float, float]) -> Floats:
    values: Floats = ends[0] + uniform * (ends[1] - ends[0])
    return values


def stress(
    given: Tables,
    in_force: Tables,
    allocation: Allocation,
    dangers: Dangers,
    options: SolveOptions,
    *,
    runs: int,
    again: int = 0,
    engine: str = DEFAULT_ENGINE,
) -> Stress:
    """Put a plan under stress, and plan the first few runs again as if they had been known.

    Parameters
    ----------
    options
        The limits of planning again, and the seed of the runs.
    again
        How many runs are planned again, with their costs and with the money that comes in them; without their delays.
    """
    drawn = draw(in_force, dangers, runs, options.seed)
    used = _uses(in_force, allocation, drawn)
    rooms = _rooms(in_force, drawn)
    missing = _missing(in_force, used, rooms)
    planned = _planned(in_force, allocation)
    strains = tuple(
        _strain(row.source, row.period, rooms_, planned_, used[:, number], missing[:, number])
        for number, (row, rooms_, planned_) in enumerate(
            zip(in_force.envelopes, [c.room for c in find_ceilings(in_force)], planned, strict=True)
        )
    )
    varied = sum(low != high for low, high in intervals(in_force))
    funded = tuple(choice.project for choice in allocation.choices)
    replans = _replan(given, drawn, again, Budget(options, max(again, 1)), engine)
    all_hold = float((missing <= 0).all(axis=1).mean()) if strains else 1.0
    return Stress(in_force, runs, strains, all_hold, replans, varied, funded)


def _uses(tables: Tables, allocation: Allocation, drawn: Draws) -> Floats:
    """What the sources of each envelope pay in its years, in every run; shape (runs, envelopes).

    What was paid before the plan stays; of a project that has begun all that its cost turns out different is paid in
    proportion to what is still due.
    """
    place = {project.id: number for number, project in enumerate(tables.projects)}
    first = first_open_year(tables.settings)
    done: dict[str, int] = {}
    for row in payments_made(tables):
        done[row.project] = done.get(row.project, 0) + row.amount
    due: dict[str, int] = {}
    for payment in allocation.payments:
        if payment.year >= first:
            due[payment.project] = due.get(payment.project, 0) + payment.amount
    used = np.zeros((len(drawn.private), len(tables.envelopes)))
    ceilings = list(find_ceilings(tables))
    for payment in allocation.payments:
        number = place[payment.project]
        if payment.year < first:
            paid, year = np.full(len(used), float(payment.amount)), np.full(len(used), float(payment.year))
        else:
            total = due[payment.project] + done.get(payment.project, 0)
            left = np.maximum(drawn.factors[:, number] * total - done.get(payment.project, 0), 0.0)
            paid = payment.amount * left / max(due[payment.project], 1)
            year = payment.year + drawn.delays[:, number]
        for column, (envelope, ceiling) in enumerate(zip(tables.envelopes, ceilings, strict=True)):
            if payment.source in envelope.source:
                used[:, column] += np.where((year >= ceiling.years.start) & (year < ceiling.years.stop), paid, 0.0)
    return used


def _planned(tables: Tables, allocation: Allocation) -> list[int]:
    return [
        sum(p.amount for p in allocation.payments if p.source in row.source and p.year in ceiling.years)
        for row, ceiling in zip(tables.envelopes, find_ceilings(tables), strict=True)
    ]


def _rooms(tables: Tables, drawn: Draws) -> Floats:
    """The room of each envelope in every run; an envelope of both sides shrinks by the worse of the two parts."""
    state = {source.id for source in tables.sources if source.side == "state"}
    columns = []
    for row, ceiling in zip(tables.envelopes, find_ceilings(tables), strict=True):
        part = np.ones(len(drawn.private))
        if state.intersection(row.source):
            part = np.minimum(part, drawn.disbursement)
        if set(row.source) - state:
            part = np.minimum(part, drawn.private)
        columns.append(ceiling.room * part)
    return np.column_stack(columns) if columns else np.zeros((len(drawn.private), 0))


def _missing(tables: Tables, used: Floats, rooms: Floats) -> Floats:
    """By how much each envelope is passed in every run, after all that can be carried; below 0 what is left."""
    ceilings = list(find_ceilings(tables))
    missing: Floats = used - rooms
    for carry in find_carries(tables, ceilings):
        spare = np.minimum(-missing[:, carry.giver], rooms[:, carry.giver])
        missing[:, carry.taker] -= np.clip(spare, 0.0, carry.most)
    # A sum of floats may pass a room that whole amounts just fill.
    missing[np.abs(missing) <= 1e-9 * np.maximum(rooms, 1.0)] = 0.0
    return missing


def _strain(source: tuple[str, ...], period: str, room: int, planned: int, used: Floats, missing: Floats) -> Strain:
    runs, overrun = len(used), np.maximum(missing, 0.0)
    holds = float((missing <= 0).mean())
    low, high = interval(holds, runs)
    worst = float(np.quantile(overrun, 0.95, method="higher"))
    return Strain(
        source, period, room, planned, float(used.mean()), holds, low, high, float(overrun.mean()), worst
    )  # fmt: skip


def interval(share: float, runs: int) -> tuple[float, float]:
    """Return the 95 % interval of a chance that was met in a share of the runs (Wilson 1927).

    It holds for runs drawn apart from each other; those of a Latin hypercube are spread more evenly.

    Examples
    --------
    >>> [round(end, 3) for end in interval(0.5, 100)]
    [0.404, 0.596]
    """
    z = _NINETY_FIVE**2 / runs
    middle, reach = share + z / 2, math.sqrt(z * (share * (1 - share) + z / 4))
    return max(0.0, (middle - reach) / (1 + z)), min(1.0, (middle + reach) / (1 + z))


def _replan(given: Tables, drawn: Draws, again: int, budget: Budget, engine: str) -> tuple[Replanned, ...]:
    found = []
    for run in range(min(again, len(drawn.private))):
        if budget.spent:
            break
        limits = budget.next()
        try:
            answer = optimize(sampled(given, drawn, run), limits, engine)
        except Unplannable:
            found.append(Replanned(run, None, -math.inf, ()))
            continue
        choices = answer.allocation.choices if answer.allocation else ()
        found.append(Replanned(run, answer.value, answer.bound, tuple(choice.project for choice in choices)))
    return tuple(found)


def sampled(given: Tables, drawn: Draws, run: int) -> Tables:
    """Return the tables with the costs and the money of one run, in force.

    Raises
    ------
    Unplannable
        When a project must be funded that never can be.
    """
    pairs = zip(given.projects, drawn.factors[run].tolist(), strict=True)
    factors = {project.id: Fraction(factor) for project, factor in pairs if factor != 1.0}
    tables = with_cost_factors(given, factors)
    parts = {"state": float(drawn.disbursement[run]), "non_state": float(drawn.private[run])}
    return put_in_force(_with_rooms(tables, parts))[0]


def _with_rooms(tables: Tables, parts: Mapping[str, float]) -> Tables:
    """Return the tables with only a part of each envelope paid out, by the side of who pays."""
    if all(part == 1.0 for part in parts.values()):
        return tables
    side = {source.id: source.side for source in tables.sources}
    own = {source.id: source.disbursement for source in tables.sources}

    def disbursed(sources: Sequence[str], row: Fraction | None) -> Fraction:
        before = row if row is not None else own[sources[0]] if len(sources) == 1 else Fraction(1)
        return before * min(Fraction(parts[side[source]]) for source in sources)

    rows = tuple(replace(row, disbursement=disbursed(row.source, row.disbursement)) for row in tables.envelopes)
    return replace(tables, envelopes=rows)

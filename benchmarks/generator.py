"""Portfolios made from a seed: the same seed gives the same tables on every machine and with every version of numpy."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.draw import Draw
from benchmarks.instances import Instance
from benchmarks.tight import tight_portfolio

Family: TypeAlias = Literal["phase", "yearly", "tight"]

FIRST_YEAR = 2021
PHASES = {"2021-2025": range(2021, 2026), "2026-2030": range(2026, 2031)}
YEARS = [year for phase in PHASES.values() for year in phase]

SECTORS = ("transport", "irrigation", "health", "education", "water")

# The part of the cost paid in each year of a project of 1, 2, … 5 years that is paid early; the late one is its mirror.
EARLY = ((1.0,), (0.6, 0.4), (0.5, 0.3, 0.2), (0.4, 0.3, 0.2, 0.1), (0.3, 0.25, 0.2, 0.15, 0.1))

# What each source may pay in ten years, in thousandths of what all candidates cost: together about two fifths.
SOURCES = {"local": 270, "central": 110, "private": 25}

DEPENDENCIES = ("finish_start", "finish_start", "start_start", "start_start", "requires", "excludes")


def generate(family: Family, projects: int, seed: int) -> Instance:
    """Return the settings and tables of a portfolio of ``projects`` candidates over the ten years 2021-2030.

    The local source pays for anything and holds a tenth back, the central one pays for two of the five sectors, the
    private one takes 20 to 60 % of what is shared with it.  There is a dependency for every two projects, two in three
    of a kind with a lag; one project in fifty, cheap and free of dependencies, is mandatory.

    Parameters
    ----------
    family
        ``"phase"``: an envelope a source and phase.  ``"yearly"``: one a source and year, and one a phase for the two
        state sources together, a twentieth below the sum of theirs.  ``"tight"``: other candidates, of eight
        departments whose years bind; see :mod:`benchmarks.tight`.
    projects
        How many candidates, 2 or more.
    seed
        0 or more.

    Raises
    ------
    ValueError
        When the family is unknown or there are fewer than two projects.

    Examples
    --------
    >>> settings, frames = generate("yearly", projects=4, seed=1)
    >>> settings["title"], len(frames["projects"]), len(frames["envelopes"])
    ('yearly-4-1', 4, 32)
    """
    if family not in ("phase", "yearly", "tight"):
        raise ValueError(f"There is no family {family!r}: ask for 'phase', 'yearly' or 'tight'")
    if projects < 2:
        raise ValueError(f"A portfolio of {projects} projects has no dependencies: ask for 2 or more")
    draw = Draw(np.random.PCG64(seed))
    if family == "tight":
        return tight_portfolio(draw, projects, title=f"tight-{projects}-{seed}")
    candidates = _candidates(draw, projects)
    dependencies = _dependencies(draw, candidates["id"].to_numpy())
    candidates["mandatory"] = _mandatory(candidates, dependencies)
    demand = int(candidates["cost"].sum())
    envelopes = _phase_envelopes(demand) if family == "phase" else _yearly_envelopes(draw, demand)
    frames = {
        "projects": candidates,
        "profiles": _profiles(),
        "sources": pd.DataFrame(
            {
                "id": list(SOURCES),
                "side": ["state", "state", "non_state"],
                "eligible": ["", 'sector in ["transport", "health"]', ""],
                "reserve": [0.1, 0.0, 0.0],
            }
        ),
        "envelopes": envelopes,
        "dependencies": dependencies,
    }
    if (candidates["shared"] == "yes").any():
        frames["shares"] = pd.DataFrame(
            {"project": ['shared == "yes"'], "source": ["private"], "min": [0.2], "max": [0.6]}
        )
    return _settings(f"{family}-{projects}-{seed}"), frames


def _settings(title: str) -> dict[str, Any]:
    return {
        "title": title,
        "first_year": YEARS[0],
        "last_year": YEARS[-1],
        "phases": [{"name": name, "first": years[0], "last": years[-1]} for name, years in PHASES.items()],
        "discount_rate": 0.05,
    }


def _candidates(draw: Draw, count: int) -> pd.DataFrame:
    # From 1 to 100 billion VND, the smaller ones more often; worth more or less what they cost.
    cost = draw.integers(1_000, 9_999, count) * 10 ** draw.integers(0, 1, count)
    return pd.DataFrame(
        {
            "id": [f"P{number:04}" for number in range(1, count + 1)],
            "sector": np.resize(SECTORS, count),
            "duration": draw.integers(1, len(EARLY), count),
            "earliest_start": FIRST_YEAR + draw.integers(0, 3, count),
            "cost": cost,
            "profile": draw.choices(("", "early", "late"), count),
            "value": cost * draw.integers(60, 140, count) // 100,
            "shared": np.where(draw.fractions(count) < 0.15, "yes", "no"),
        }
    )


def _dependencies(draw: Draw, ids: npt.NDArray[np.object_]) -> pd.DataFrame:
    count = len(ids) // 2
    # The first stands at most 20 places before the other, so that there is no cycle and chains grow long.
    then = draw.integers(1, len(ids) - 1, count)
    first = np.maximum(then - draw.integers(1, 20, count), 0)
    kind = draw.choices(DEPENDENCIES, count)
    has_lag = np.isin(kind, ["finish_start", "start_start"])
    lag = np.where(has_lag, draw.integers(0, 2, count), 0)
    frame = pd.DataFrame({"kind": kind, "first": ids[first], "then": ids[then], "lag": lag})
    return frame.drop_duplicates(["first", "then"], ignore_index=True)


def _mandatory(candidates: pd.DataFrame, dependencies: pd.DataFrame) -> npt.NDArray[np.bool_]:
    bound = candidates["id"].isin([*dependencies["first"], *dependencies["then"]])
    free = candidates[~bound & (candidates["shared"] == "no")]
    chosen = free.sort_values(["cost", "id"])["id"].head(len(candidates) // 50)
    return candidates["id"].isin(chosen).to_numpy()


def _profiles() -> pd.DataFrame:
    rows = [
        (profile, len(shares), offset, share)
        for early in EARLY
        for profile, shares in (("early", early), ("late", early[::-1]))
        for offset, share in enumerate(shares)
    ]
    return pd.DataFrame(rows, columns=["profile", "duration", "offset", "share"])


def _phase_envelopes(demand: int) -> pd.DataFrame:
    rows = [
        (source, phase, demand * weight // (1_000 * len(PHASES)))
        for source, weight in SOURCES.items()
        for phase in PHASES
    ]
    return pd.DataFrame(rows, columns=["source", "period", "amount"])


def _yearly_envelopes(draw: Draw, demand: int) -> pd.DataFrame:
    rows = []
    for source, weight in SOURCES.items():
        percents = draw.integers(80, 120, len(YEARS))
        for year, percent in zip(YEARS, percents, strict=True):
            rows.append((source, str(year), demand * weight * int(percent) // (100_000 * len(YEARS))))
    for phase, years in PHASES.items():
        state = sum(
            amount for source, year, amount in rows if source in ("local", "central") and year in map(str, years)
        )
        rows.append(("local+central", phase, state * 95 // 100))
    return pd.DataFrame(rows, columns=["source", "period", "amount"])

"""What is kept of a run: a small JSON file each, so that a comparison that stopped can go on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeAlias

FOLDER = Path(__file__).with_name("results")

MOMENTS = 60
"""How many moments of a run are kept."""

Moment: TypeAlias = tuple[float, float | None, float | None]


@dataclass(frozen=True, slots=True)
class Terms:
    """What all contenders are given alike: seconds, threads and the seed (the generator's and the engine's)."""

    time_limit: float
    threads: int
    seed: int

    @property
    def folder(self) -> str:
        """The folder of the runs that may be compared: same seconds, same threads."""
        return f"{self.time_limit:g}s-{self.threads}t"


@dataclass(frozen=True, slots=True)
class Record:
    """One run of one contender on one case.

    Parameters
    ----------
    status
        That of the plan; ``"unfit"`` where the model is larger than the licence allows, ``"failed"`` where the engine
        gave no answer.  ``remark`` then says more.
    value, bound
        In units of the portfolio; ``None`` where there is none.
    seconds
        Solving, paying and verifying; ``loading`` and ``compiling`` come on top.
    size
        Columns, rows and entries of the model.
    megabytes
        The most memory of the process and of those it started.
    curve
        Seconds, value and bound at moments of the run.
    wrong
        A sentence for everything that contradicts the verifier or what is published.
    """

    case: str
    contender: str
    version: str
    terms: Terms
    status: str
    remark: str = ""
    value: float | None = None
    bound: float | None = None
    seconds: float = 0.0
    loading: float = 0.0
    compiling: float = 0.0
    size: tuple[int, int, int] = (0, 0, 0)
    megabytes: int = 0
    curve: tuple[Moment, ...] = ()
    wrong: tuple[str, ...] = ()

    @property
    def proved(self) -> bool:
        """Whether the plan is proved to be the best."""
        return self.status == "optimal"


def path_of(folder: Path, case: str, contender: str, terms: Terms) -> Path:
    """Return where a run is kept."""
    return folder / terms.folder / f"{case.replace('/', '_')}--{contender}--{terms.seed}.json"


def keep(record: Record, path: Path) -> None:
    """Write a run, all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(asdict(record), ensure_ascii=False) + "\n", encoding="utf-8")
    unfinished.replace(path)


def read(path: Path) -> Record:
    """Return the run that was kept in a file."""
    held: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    held["terms"] = Terms(**held["terms"])
    for name in ("size", "wrong"):
        held[name] = tuple(held[name])
    held["curve"] = tuple((seconds, value, bound) for seconds, value, bound in held["curve"])
    return Record(**{field.name: held[field.name] for field in fields(Record)})


def read_all(folder: Path) -> Iterator[Record]:
    """Yield the runs kept in a folder, in the order of their names."""
    for path in sorted(folder.glob("*.json")):
        yield read(path)


def thinned(curve: list[Moment], most: int = MOMENTS) -> tuple[Moment, ...]:
    """Return at most ``most`` moments of a curve, the first and the last among them.

    Examples
    --------
    >>> thinned([(0.0, 1.0, None), (1.0, 2.0, None), (2.0, 3.0, None)], most=2)
    ((0.0, 1.0, None), (2.0, 3.0, None))
    """
    if len(curve) <= most:
        return tuple(curve)
    return tuple(curve[round(place * (len(curve) - 1) / (most - 1))] for place in range(most))

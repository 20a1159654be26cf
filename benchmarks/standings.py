"""What runs say together: distances to the best bound anyone proved, medians over seeds, and contradictions."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from statistics import median

from benchmarks.cases import CASES
from benchmarks.contenders import OWN
from benchmarks.judging import TOLERANCE, number
from benchmarks.records import Record

PUBLISHED = {case.name: case.answer for case in CASES if case.answer is not None}


@dataclass(frozen=True)
class Heat:
    """The runs of all contenders on one case with one seed."""

    case: str
    seed: int
    records: tuple[Record, ...]

    @property
    def best_bound(self) -> float:
        """The least bound that a contender proved or that is published; ``inf`` when there is none."""
        proved = [record.bound for record in self.records if record.bound is not None and record.status != "infeasible"]
        known = [float(PUBLISHED[self.case].bound)] if self.case in PUBLISHED else []
        return min(proved + known, default=math.inf)

    def distance(self, value: float | None) -> float:
        """Return how far a value lies below the best bound, as a part of that bound; ``inf`` without a value."""
        if value is None or not math.isfinite(self.best_bound):
            return math.inf
        return max(0.0, self.best_bound - value) / max(abs(self.best_bound), 1e-9)

    def contradictions(self) -> Iterator[str]:
        """Yield what a run found wrong with its plan, and every bound below a plan of another."""
        for record in self.records:
            yield from (f"{self.case}, seed {self.seed}, {record.contender}: {sentence}" for sentence in record.wrong)
        found = [(record.value, record.contender) for record in self.records if record.value is not None]
        if not found:
            return
        best, finder = max(found)
        slack = TOLERANCE * max(1.0, abs(best))
        for record in self.records:
            if record.status == "infeasible" or (record.bound is not None and record.bound < best - slack):
                yield (
                    f"{self.case}, seed {self.seed}, {record.contender}: claims that nothing exceeds "
                    f"{number(record.bound)}, but {finder} holds a verified plan of {number(best)}"
                )


@dataclass(frozen=True)
class Standing:
    """How one contender stands on one case, in medians over seeds."""

    records: tuple[Record, ...]
    distance: float

    @property
    def measured(self) -> bool:
        """Whether it ran at all: neither too large for it nor without an answer."""
        return not any(record.status in ("unfit", "failed") for record in self.records)

    @property
    def proved(self) -> bool:
        """Whether it proved the best plan with every seed."""
        return all(record.proved for record in self.records)

    @property
    def seconds(self) -> float:
        """The median of the seconds it took."""
        return median(record.seconds for record in self.records)

    @property
    def gap(self) -> float:
        """The median of what its own bound leaves open above its own plan, ``inf`` where it has none of the two."""
        return median(
            math.inf
            if record.value is None or record.bound is None
            else (record.bound - record.value) / max(abs(record.value), 1e-9)
            for record in self.records
        )

    @property
    def megabytes(self) -> float:
        """The median of its memory."""
        return median(record.megabytes for record in self.records)


def heats(records: Iterable[Record]) -> list[Heat]:
    """Return the runs put together by case, in the order of the registry, and seed."""
    together: dict[tuple[str, int], list[Record]] = defaultdict(list)
    for record in records:
        together[record.case, record.terms.seed].append(record)
    order = {case.name: place for place, case in enumerate(CASES)}
    keys = sorted(together, key=lambda key: (order.get(key[0], len(order)), key))
    return [Heat(case, seed, tuple(together[case, seed])) for case, seed in keys]


def standings(run: Iterable[Heat]) -> dict[str, dict[str, Standing]]:
    """Return how each contender stands on each case."""
    gathered: dict[str, dict[str, list[tuple[Record, float]]]] = defaultdict(lambda: defaultdict(list))
    for heat in run:
        for record in heat.records:
            gathered[heat.case][record.contender].append((record, heat.distance(record.value)))
    return {
        case: {
            name: Standing(tuple(record for record, _ in pairs), median(distance for _, distance in pairs))
            for name, pairs in sides.items()
        }
        for case, sides in gathered.items()
    }


def part_of_best_peer(sides: dict[str, Standing]) -> float | None:
    """Return our distance as a part of the best peer's; ``None`` without both, or when both are 0."""
    peers = [standing.distance for name, standing in sides.items() if name != OWN and standing.measured]
    if OWN not in sides or not sides[OWN].measured or not peers:
        return None
    own, best = sides[OWN].distance, min(peers)
    if not math.isfinite(best):
        return None
    return own / best if best else (None if not own else math.inf)

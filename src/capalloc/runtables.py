"""The tables of many plans, with the scenario before each row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from capalloc.arguments import expect
from capalloc.framing import typed_frame
from capalloc.issues import UnknownName
from capalloc.plantables import TABLES
from capalloc.runstore import Held, Reader

if TYPE_CHECKING:
    import pandas as pd

# So many scenarios are in memory at once when tables are written.
_BATCH = 200


@dataclass(frozen=True, slots=True, eq=False)
class RunTables:
    """Every table of a plan, with the column ``scenario`` before the others, read from the store when it is asked for.

    Parameters
    ----------
    path
        The store.
    held
        The scenarios in their order, each with the figures of its result.
    """

    path: Path
    held: tuple[Held, ...]

    @property
    def projects(self) -> pd.DataFrame:
        """As :attr:`Plan.projects`, with the column scenario."""
        return self.table("projects")

    @property
    def funding(self) -> pd.DataFrame:
        """As :attr:`Plan.funding`, with the column scenario."""
        return self.table("funding")

    @property
    def envelopes(self) -> pd.DataFrame:
        """As :attr:`Plan.envelopes`, with the column scenario."""
        return self.table("envelopes")

    @property
    def resources(self) -> pd.DataFrame:
        """As :attr:`Plan.resources`, with the column scenario."""
        return self.table("resources")

    @property
    def rules(self) -> pd.DataFrame:
        """As :attr:`Plan.rules`, with the column scenario."""
        return self.table("rules")

    @property
    def targets(self) -> pd.DataFrame:
        """As :attr:`Plan.targets`, with the column scenario."""
        return self.table("targets")

    @property
    def classes(self) -> pd.DataFrame:
        """As :attr:`Plan.classes`, with the column scenario."""
        return self.table("classes")

    @property
    def leverage(self) -> pd.DataFrame:
        """As :attr:`Plan.leverage`, with the column scenario."""
        return self.table("leverage")

    def compliance(self) -> pd.DataFrame:
        """As :meth:`Plan.compliance`, with the column scenario."""
        return self.table("compliance")

    @property
    def table_names(self) -> tuple[str, ...]:
        """The tables that any of the plans has."""
        with closing(Reader(self.path)) as store:
            found = store.table_names(own.id for own in self.held)
        return tuple(name for name in TABLES if name in found)

    def table(self, name: str) -> pd.DataFrame:
        """Return a table of all plans, the scenarios one below the other; empty when no plan has it.

        Raises
        ------
        UnknownName
            When plans have no such table.
        """
        import pandas as pd

        expect("name", name, str, "table")
        if name not in TABLES:
            raise UnknownName("table", name, TABLES)
        frames = list(self.frames(name, self.held))
        return pd.concat(frames, ignore_index=True) if frames else typed_frame({"scenario": ("str", [])})

    def frames(self, name: str, held: Iterable[Held]) -> Iterator[pd.DataFrame]:
        """Yield a table of some scenarios, one frame each."""
        with closing(Reader(self.path)) as store:
            for own in held:
                columns = store.table(own.id, name)
                if columns is not None:
                    frame = typed_frame({heading: (kind, cells) for heading, (kind, cells) in columns.items()})
                    frame.insert(0, "scenario", typed_frame({"scenario": ("str", [own.name] * len(frame))})["scenario"])
                    yield frame

    def batches(self, name: str) -> Iterator[pd.DataFrame]:
        """A table, many scenarios but not all at a time."""
        import pandas as pd

        for first in range(0, len(self.held), _BATCH):
            frames = list(self.frames(name, self.held[first : first + _BATCH]))
            if frames:
                yield pd.concat(frames, ignore_index=True)

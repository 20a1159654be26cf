"""The results of many scenarios as the user holds them: the tables of a plan, with the scenario before each row."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from fnmatch import fnmatchcase
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from capalloc.arguments import expect, path_given, wrong_argument
from capalloc.catalogue import say, write_number, write_percent
from capalloc.changes import Change
from capalloc.comparing import Comparison, compare
from capalloc.differing import Difference, difference
from capalloc.framing import typed_frame
from capalloc.issues import CapallocError, Place, UnknownName
from capalloc.model import relative_gap
from capalloc.packing import unpack
from capalloc.plan import Plan
from capalloc.portfolio import Portfolio
from capalloc.reporting import Section, as_html, as_text, shown_down
from capalloc.runshow import ShownRuns
from capalloc.runstore import Held, Reader
from capalloc.runtables import RunTables
from capalloc.scenarios import resolved
from capalloc.storing import fingerprint, read_plan_text
from capalloc.tables import Tables
from capalloc.working import changed, portfolio_of
from capalloc.writing import csv_of, replacing, write_atomically, writing_atomically

if TYPE_CHECKING:
    import pandas as pd

Which: TypeAlias = "str | Iterable[str] | pd.Series[bool] | Callable[[pd.DataFrame], pd.Series[bool]]"

WAITING = "waiting"
"""The status of a scenario that has not been run yet."""

FAILED = "failed"
"""The status of a scenario that could not be run; the reason stands beside it."""

# So many scenarios are shown, and so many cells of a column that change are told one by one.
_SHOWN, _CELLS = 40, 4


@dataclass(frozen=True, slots=True, eq=False)
class Runs(RunTables, ShownRuns):
    """What :func:`run` and :func:`load_runs` answer.

    Every table of a plan is a table here, with the column ``scenario`` before the others.  Tables are read from the
    store when they are asked for; only names and figures are held.

    Parameters
    ----------
    path
        The store.
    held
        The scenarios in their order, each with the figures of its result.
    interrupted
        Whether the run was interrupted; the scenarios that have no result are ``waiting``.
    """

    interrupted: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The scenarios, the base first."""
        return tuple(own.name for own in self.held)

    @property
    def complete(self) -> bool:
        """Whether every scenario has a result, failures too."""
        return all(own.row for own in self.held)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a scenario.

        The columns are scenario, extends, why, status, stopped_by, value, bound, gap, projects (how many are funded),
        cost, seconds, attempts and reason, and then one for each path that a scenario changes, with the change as it
        was written, the changes of the scenarios that it extends included.  ``status`` is that of a plan, or
        ``failed`` or ``waiting``; ``reason`` says why there is no plan where that is known.
        """
        rows = [own.row for own in self.held]
        values = [None if not row or row["value"] is None else float(Fraction(row["value"])) for row in rows]
        bounds = [row.get("bound") for row in rows]
        pairs = zip(values, bounds, strict=True)
        gaps = [None if value is None or bound is None else relative_gap(value, bound) for value, bound in pairs]
        columns: dict[str, tuple[str, Sequence[Any]]] = {
            "scenario": ("str", self.names),
            "extends": ("str", [own.extends for own in self.held]),
            "why": ("str", [own.why for own in self.held]),
            "status": ("str", [_status(own) for own in self.held]),
            "stopped_by": ("str", [row.get("stopped_by") for row in rows]),
            "value": ("Float64", values),
            "bound": ("Float64", bounds),
            "gap": ("Float64", gaps),
            "projects": ("Int64", [row.get("projects") for row in rows]),
            "cost": ("Int64", [row.get("cost") for row in rows]),
            "seconds": ("Float64", [row.get("seconds") for row in rows]),
            "attempts": ("Int64", [row.get("attempts") for row in rows]),
            "reason": ("str", [row.get("reason", "") for row in rows]),
        }
        return typed_frame(columns | self._written(columns))

    def _written(self, taken: Iterable[str]) -> dict[str, tuple[str, Sequence[Any]]]:
        """One column a path that is changed somewhere; changes of the same path follow each other with a comma."""
        said = [_joined(own.steps) for own in self.held]
        paths = dict.fromkeys(path for own in said for path in own)
        return {path: ("str", [own.get(path) for own in said]) for path in paths if path not in set(taken)}

    @property
    def all_planned(self) -> bool:
        """Whether every scenario has a plan."""
        return all(own.row and own.row["value"] is not None for own in self.held)

    def record(self) -> dict[str, Any]:
        """Return the scenarios with their figures as plain JSON; what is not known is null."""
        frame = self.to_frame()
        rows = json.loads(frame.to_json(orient="records", double_precision=15))
        return {"store": str(self.path), "interrupted": self.interrupted, "scenarios": rows}

    def portfolio(self, scenario: str) -> Portfolio:
        """Return the portfolio of a scenario, with all its changes made.

        Raises
        ------
        UnknownName
            When there is no such scenario.
        InvalidInput
            When the changes make tables that are wrong, which is then why the scenario failed.
        """
        return self._portfolio(self._own(scenario))

    def _portfolio(self, own: Held) -> Portfolio:
        return changed(self._base(own), own.steps)

    def _base(self, own: Held) -> Portfolio:
        with closing(Reader(self.path)) as store:
            content = store.portfolio(own.portfolio)
        base = portfolio_of(unpack(content, Place(str(self.path))))
        if fingerprint(base.tables) != own.portfolio:
            raise CapallocError(say("run.base-differs", path=self.path))
        return base

    def difference(self, scenario: str) -> tuple[Change, ...]:
        """Return the cells in which a scenario differs from the base in the end, with what they hold in both.

        Raises
        ------
        UnknownName
            When there is no such scenario.
        """
        return self._difference(self._own(scenario), {})

    def _difference(self, own: Held, given: dict[str, Tables]) -> tuple[Change, ...]:
        """The cells that differ; ``given`` keeps the tables of portfolios that were read already."""
        if own.portfolio not in given:
            with closing(Reader(self.path)) as store:
                given[own.portfolio] = unpack(store.portfolio(own.portfolio), Place(str(self.path)))
        return resolved(given[own.portfolio], own.steps).difference

    def told_differences(self) -> str:
        """Return what the first scenarios change in the end, as text; of many cells in a column the first."""
        given: dict[str, Tables] = {}
        lines = [say("run.difference.heading")]
        for own in self.held[:_SHOWN]:
            columns: dict[str, list[Change]] = {}
            for change in self._difference(own, given):
                table, _, rest = change.path.partition(".")
                columns.setdefault(f"{table}.*.{rest.rpartition('.')[2]}", []).append(change)
            for path, changes in columns.items():
                many = len(changes) > _CELLS
                told = [say("run.difference.many", path=path, count=len(changes), change=changes[0])]
                lines += [
                    say("run.difference.line", name=own.name, change=each) for each in (told if many else changes)
                ]
        return "\n".join(lines)

    def plans(self, scenario: str) -> Plan:
        """Return the plan of a scenario, verified again against the tables of the scenario.

        Raises
        ------
        UnknownName
            When there is no such scenario.
        CapallocError
            When it has no plan.
        """
        own = self._own(scenario)
        with closing(Reader(self.path)) as store:
            text = store.plan(own.id)
        if text is None:
            raise CapallocError(say("run.no-plan", name=own.name, status=_said(_status(own)), reason=_reason(own)))
        portfolio = self._portfolio(own)
        return Plan(portfolio.tables, read_plan_text(text, portfolio.tables, Place(str(self.path))), portfolio.given)

    def compare(self, *scenarios: str, **limits: Any) -> Comparison:
        """Return the plans of scenarios side by side, all judged by the tables of the first, as :func:`compare` does.

        Parameters
        ----------
        scenarios
            Their names; all that have a plan when none is named.
        limits
            ``time_limit``, ``gap``, ``threads``, ``seed`` and ``engine`` of :func:`compare`.
        """
        names = scenarios or tuple(own.name for own in self.held if own.row and own.row["value"] is not None)
        return compare({name: self.plans(name) for name in names}, **limits)

    def diff(self, scenario: str, other: str) -> Difference:
        """Return in what the plan of ``other`` differs from that of ``scenario``: projects, years, money and value."""
        return difference(self.plans(scenario), self.plans(other))

    def filter(self, which: Which) -> Runs:
        """Return some of the scenarios.

        Parameters
        ----------
        which
            A pattern of names with ``*`` and ``?``; names; a column of truths, one a row of :meth:`to_frame`; or a
            function that makes one of that frame.

        Raises
        ------
        UnknownName
            When a name or a pattern matches no scenario.
        InvalidInput
            When ``which`` is none of these.
        """
        import pandas as pd

        if isinstance(which, str):
            kept = {name for name in self.names if fnmatchcase(name, which)}
            if not kept:
                raise UnknownName("scenario", which, self.names)
            return self._only([name in kept for name in self.names])
        marks: list[Any] = list(which(self.to_frame()) if callable(which) else which)
        if all(isinstance(mark, str) for mark in marks):
            for name in marks:
                self._own(name)
            return self._only([name in set(marks) for name in self.names])
        if len(marks) != len(self.held):
            raise wrong_argument("which", which, "which")
        # Where a value is missing, a comparison with it is neither true nor false.
        return self._only([not pd.isna(mark) and bool(mark) for mark in marks])

    def _only(self, kept: Sequence[bool]) -> Runs:
        return Runs(self.path, tuple(own for own, keep in zip(self.held, kept, strict=True) if keep), self.interrupted)

    def group(self, by: str) -> pd.DataFrame:
        """Return one row a group of scenarios that have the same in a column of :meth:`to_frame`.

        The columns are that column, scenarios, plans (how many have one), value_least, value_mean, value_most,
        projects_least, projects_most and seconds.

        Raises
        ------
        UnknownName
            When there is no such column.
        """
        frame = self.to_frame()
        if by not in frame.columns:
            raise UnknownName("column", str(by), map(str, frame.columns))
        grouped = frame.groupby(by, sort=False, dropna=False)
        return grouped.agg(
            scenarios=("scenario", "size"),
            plans=("value", "count"),
            value_least=("value", "min"),
            value_mean=("value", "mean"),
            value_most=("value", "max"),
            projects_least=("projects", "min"),
            projects_most=("projects", "max"),
            seconds=("seconds", "sum"),
        ).reset_index()

    def to_parquet(self, folder: str | Path) -> list[Path]:
        """Write ``runs.parquet`` and a file for each table into a folder, which is made where it is missing.

        Few scenarios are in memory at a time.

        Raises
        ------
        CapallocError
            When the package ``pyarrow`` is not installed, or ``folder`` is no path.
        OSError
            When the folder cannot be written.
        """
        try:
            import pyarrow as pa
            from pyarrow import parquet
        except ImportError:
            raise CapallocError(say("run.no-parquet")) from None
        target = path_given("folder", folder)
        target.mkdir(parents=True, exist_ok=True)
        written = [target / "runs.parquet"]
        with replacing(written[0]) as part:
            self.to_frame().to_parquet(part, index=False)
        for name in self.table_names:
            written.append(target / f"{name}.parquet")
            tables = (pa.Table.from_pandas(frame, preserve_index=False) for frame in self.batches(name))
            first = next(tables)
            with replacing(written[-1]) as part, parquet.ParquetWriter(part, first.schema) as writer:
                writer.write_table(first)
                for table in tables:
                    writer.write_table(table.cast(first.schema))
        return written

    def to_csv(self, folder: str | Path) -> list[Path]:
        """Write ``runs.csv`` and a file for each table into a folder, in the form of :meth:`Plan.to_csv`.

        Raises
        ------
        CapallocError
            When ``folder`` is no path.
        OSError
            When the folder cannot be written.
        """
        target = path_given("folder", folder)
        target.mkdir(parents=True, exist_ok=True)
        written = [target / "runs.csv"]
        write_atomically(written[0], csv_of(self.to_frame()), encoding="utf-8-sig")
        for name in self.table_names:
            written.append(target / f"{name}.csv")
            with writing_atomically(written[-1], encoding="utf-8-sig") as file:
                for number, frame in enumerate(self.batches(name)):
                    file.write(csv_of(frame, header=number == 0))
        return written

    def summary(self) -> str:
        """Return how many scenarios there are and what came of them, as text in the language in force."""
        return as_text(self._sections())

    def _own(self, scenario: str) -> Held:
        expect("scenario", scenario, str, "scenario")
        for own in self.held:
            if own.name == scenario:
                return own
        raise UnknownName("scenario", scenario, self.names)

    def _sections(self) -> Iterator[Section]:
        counts = Counter(_status(own) for own in self.held)
        lines = [say("run.count", count=count, status=_said(status)) for status, count in counts.items()]
        heads = tuple(say(f"run.column.{name}") for name in ("scenario", "status", "value", "gap", "projects", "cost"))
        shown = [tuple(_shown(own)) for own in self.held[:_SHOWN]]
        if len(self.held) > _SHOWN:
            lines.append(say("run.more", shown=_SHOWN, count=len(self.held)))
        yield Section(say("run.heading", count=len(self.held), path=self.path.name), tuple(lines), heads, tuple(shown))
        failed = [own for own in self.held if _status(own) == FAILED][:_SHOWN]
        if failed:
            yield Section(say("run.failures"), tuple(f"{own.name}: {_reason(own)}" for own in failed))

    def __len__(self) -> int:
        return len(self.held)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __str__(self) -> str:
        return self.summary()

    def __repr__(self) -> str:
        return f"<Runs {self.path.name!r}: {len(self)} scenarios>"

    def _repr_html_(self) -> str:
        return as_html(self._sections())


def load_runs(path: str | Path) -> Runs:
    """Return the scenarios of a store, as the last run into it named them; a run may be writing it meanwhile.

    Raises
    ------
    InvalidInput
        When there is no such file, or it is no store of this version.
    CapallocError
        When it cannot be read.
    """
    target = path_given("path", path)
    with closing(Reader(target)) as store:
        return Runs(target, tuple(store.held()))


def _status(own: Held) -> str:
    if not own.row:
        return WAITING
    return FAILED if own.row["state"] == FAILED else str(own.row["status"])


def _said(status: str) -> str:
    return say(f"run.status.{status}")


def _reason(own: Held) -> str:
    return str(own.row.get("reason", "")).strip() or "–"


def _joined(steps: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Each path with its changes as written; of the steps of a line of scenarios in their order."""
    said: dict[str, list[str]] = {}
    for step in steps:
        for path, change in step.items():
            said.setdefault(path, []).append("" if change is None else str(change))
    return {path: ", ".join(changes) for path, changes in said.items()}


def _shown(own: Held) -> Iterator[str]:
    row = own.row
    value = Fraction(row["value"]) if row and row["value"] is not None else None
    yield own.name
    yield _said(_status(own))
    yield "–" if value is None else write_number(shown_down(value))
    gap = relative_gap(float(value), row["bound"]) if value is not None else None
    yield "–" if gap is None else write_percent(max(gap, 0.0), 3, "up") if math.isfinite(gap) else "∞"
    for name in ("projects", "cost"):
        yield "–" if not row or row[name] is None else write_number(row[name])

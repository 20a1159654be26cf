"""Many scenarios of one portfolio, run by many workers into one store that outlives whatever ends the run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from itertools import chain
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from capalloc.arguments import expect, path_given, wrong_argument
from capalloc.catalogue import language
from capalloc.clusters import Cluster
from capalloc.engines import engine_named
from capalloc.headway import Headway, RunProgress, describe_run
from capalloc.issues import Place
from capalloc.limits import read_limits
from capalloc.packing import pack
from capalloc.portfolio import Portfolio
from capalloc.progress import watching
from capalloc.runs import Runs
from capalloc.runstore import Reader, Record, Writer
from capalloc.scenariofile import Written, read_scenario_file, samples_of
from capalloc.scenarios import Scenario, in_neighbourhoods, resolve
from capalloc.series import DEFAULT_ENGINE
from capalloc.workforce import Workforce
from capalloc.working import Job, Task

if TYPE_CHECKING:
    import pandas as pd

ScenarioSet: TypeAlias = "str | Path | Mapping[str, Mapping[str, Any]] | pd.DataFrame"
RunReport: TypeAlias = Callable[[RunProgress], None]

_CLUSTER = re.compile(r"dask://([^/\s]+:\d+)")
_MOST_WORKERS = 256

# Few enough that a part is soon done, and enough that a scenario has neighbours before it.
_PARTS, _LARGEST_PART = 16, 25


class Crew(Protocol):
    """Whoever does the work: yields what comes of each scenario of some parts, in any order."""

    def learn(self, task: Task) -> Record:
        """Return what comes of a scenario, and begin every part of the runs that follow with what it teaches."""

    def run(self, parts: Sequence[Sequence[Task]]) -> Iterator[Record]:
        """Yield each record as soon as it is there."""


def run(  # noqa: PLR0913  # one argument a limit
    portfolio: Portfolio,
    scenarios: ScenarioSet,
    *,
    store: str | Path,
    workers: int | str = 2,
    time_limit: float | None = 60.0,
    gap: float = 1e-4,
    threads: int = 1,
    seed: int = 0,
    engine: str = DEFAULT_ENGINE,
    node_limit: int | None = None,
    again: bool = False,
    progress: bool | RunReport | None = None,
) -> Runs:
    """Return what comes of scenarios of a portfolio, each run once and kept in a store.

    The portfolio itself is the first scenario, ``base``.  What the store holds already is not run again: a run that
    was killed, or interrupted with Ctrl-C, goes on where it was when it is started once more.  A scenario that cannot
    be run is a row with its reason.  The same scenarios with other limits are other results.

    Parameters
    ----------
    portfolio
        The base; it counts also where ``scenarios`` is a file that names one.
    scenarios
        The path of a scenario file; scenario → changes, as in :meth:`Portfolio.with_changes`; or a frame with a
        scenario a row and a path a column, whose columns ``scenario`` and ``why`` name and explain, and whose empty
        cells change nothing.
    store
        The path of the store, an SQLite file on a disk of this machine, which is made where it is missing.
    workers
        How many processes on this machine, from 1; or ``"dask://host:port"``, the scheduler of a Dask cluster.
    time_limit, gap, threads, seed, engine, node_limit
        For each scenario, as in :meth:`Portfolio.optimize`.  Answers do not depend on how many workers there are,
        unless a limit of time ends a scenario.
    again
        Run once more what failed.
    progress
        ``True`` shows the run live; a callable gets each :class:`~capalloc.headway.RunProgress`.

    Raises
    ------
    InvalidInput
        When scenarios are wrong, everything at once, before anything is run; or an argument makes no sense.
    UnknownName
        When there is no such engine.
    CapallocError
        When the store cannot be written, another run is writing it, or no worker can be had.
    """
    expect("portfolio", portfolio, Portfolio, "portfolio")
    options = read_limits(time_limit, gap, threads, seed, node_limit)
    engine_named(engine)
    hire = _crew(workers)
    target = path_given("store", store)
    given = portfolio.given or portfolio.tables
    known = resolve(given, _written(scenarios), portfolio.fingerprint, options, engine)
    job = Job(pack(given), options, engine, language())
    with Writer(target) as writer, watching(progress, describe_run) as report:
        done = writer.set_out((portfolio.fingerprint, portfolio.title, job.tables), known, again)
        interrupted = _work(writer, hire, job, known, done, report)
    with closing(Reader(target)) as results:
        return Runs(target, tuple(results.held()), interrupted)


def _work(
    writer: Writer,
    hire: Callable[[Job], AbstractContextManager[Crew]],
    job: Job,
    scenarios: Sequence[Scenario],
    done: set[str],
    report: RunReport | None,
) -> bool:
    """Run what is not done, and return whether the user interrupted it."""
    names: dict[str, list[str]] = {}
    for scenario in scenarios:
        names.setdefault(scenario.id, []).append(scenario.name)
    headway = Headway(names)
    for id_, state, value in writer.summaries(done):
        headway.add(id_, state, value, fresh=False)
    if report is not None:
        report(headway.report())
    base, parts = scenarios[0], _parts(scenarios, done)
    try:
        if parts or base.id not in done:
            with hire(job) as crew:
                # A run that goes on asks the base once more, for what it teaches.
                for record in chain([crew.learn(Task(base.id, base.steps))], crew.run(parts)):
                    if record.id not in done:
                        writer.write(record)
                        headway.add(record.id, record.state, record.value)
                        if report is not None:
                            report(headway.report())
    except KeyboardInterrupt:
        return True
    return False


def _parts(scenarios: Sequence[Scenario], done: set[str]) -> list[list[Task]]:
    """All but the base in parts of neighbours, without what is done; the parts are the same for any workers."""
    _, *others = {scenario.id: scenario for scenario in scenarios}.values()
    size = min(_LARGEST_PART, max(1, -(-len(others) // _PARTS)))
    parts = [
        [Task(own.id, own.steps) for own in part if own.id not in done] for part in in_neighbourhoods(others, size)
    ]
    return [part for part in parts if part]


def _written(scenarios: ScenarioSet) -> Sequence[Written]:
    if isinstance(scenarios, str | Path):
        return read_scenario_file(Path(scenarios))[1]
    if hasattr(scenarios, "columns"):
        return list(samples_of(scenarios))
    if not isinstance(scenarios, Mapping):
        raise wrong_argument("scenarios", scenarios, "scenarios")
    return list(_of_mapping(scenarios))


def _of_mapping(scenarios: Mapping[str, Mapping[str, Any]]) -> Iterable[Written]:
    for name, changes in scenarios.items():
        expect(str(name), changes, Mapping, "changes")
        yield Written(str(name), changes, where=Place(str(name)))


def _crew(workers: int | str) -> Callable[[Job], AbstractContextManager[Crew]]:
    if isinstance(workers, str) and (cluster := _CLUSTER.fullmatch(workers.strip())):
        address = cluster[1]
        return lambda job: Cluster(job, address)
    if isinstance(workers, bool) or not isinstance(workers, Integral) or not 1 <= int(workers) <= _MOST_WORKERS:
        raise wrong_argument("workers", workers, "workers")
    count = int(workers)
    return lambda job: Workforce(job, count)

"""Scenarios on a Dask cluster: parts are its tasks, and what comes of them is written here, once each."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Self

from capalloc.catalogue import say
from capalloc.issues import CapallocError
from capalloc.runstore import Record
from capalloc.storing import versions
from capalloc.working import Job, Task, Workbench

_SECONDS_TO_CONNECT = 10.0

# Parts on their way at once, for each thread of the cluster: enough that none waits, few enough that little is held.
_AHEAD = 3


# Results must not depend on who made them.
_SAME_EVERYWHERE = ("capalloc", "highspy")


class ClusterFailed(CapallocError):
    """There is no cluster at the address, it went away, or it has other versions; what was written is kept."""


class Cluster:
    """A Dask cluster; used as a ``with`` block.

    Parameters
    ----------
    job
        What all workers are told at first.
    address
        ``host:port`` of the scheduler.
    """

    def __init__(self, job: Job, address: str) -> None:
        self._job, self._address = job, address
        self._client: Any = None
        self._memory = b""
        self._log = logging.getLogger("distributed")
        self._level = self._log.level

    def __enter__(self) -> Self:
        try:
            from distributed import Client
        except ImportError:
            raise ClusterFailed(say("cluster.missing")) from None
        # What goes wrong is told by the errors of this module, not by tracebacks between the lines of the progress.
        self._log.setLevel(logging.CRITICAL)
        try:
            connect: Any = Client
            self._client = connect(f"tcp://{self._address}", timeout=_SECONDS_TO_CONNECT, set_as_default=False)
        except (OSError, TimeoutError, ValueError) as failure:
            reason = str(failure).partition("\n")[0]
            raise ClusterFailed(say("cluster.unreachable", address=self._address, reason=reason)) from None
        try:
            self._agree(self._client)
        except BaseException:
            self._client.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._client is not None:
            self._client.close()
        self._log.setLevel(self._level)

    def _agree(self, client: Any) -> None:
        """Make sure that there are workers and that they have our versions."""
        own, found = versions(), client.run(versions)
        if not found:
            raise ClusterFailed(say("cluster.empty", address=self._address))
        for worker, theirs in found.items():
            names = [name for name in _SAME_EVERYWHERE if theirs.get(name) != own[name]]
            if names:
                told = ", ".join(f"{name} {theirs.get(name)} ≠ {own[name]}" for name in names)
                raise ClusterFailed(say("cluster.versions", worker=worker, versions=told))

    def learn(self, task: Task) -> Record:
        """Return what comes of a scenario, and have all workers begin with what it teaches; raises as :meth:`run`."""
        (record,) = self.run([[task]])
        return record

    def run(self, parts: Sequence[Sequence[Task]]) -> Iterator[Record]:
        """Yield what comes of each scenario as soon as its part is done.

        A part whose workers die again and again is sent once more in single scenarios, to find out which it is.

        Raises
        ------
        ClusterFailed
            When the cluster goes away.
        """
        from distributed import as_completed

        client = self._client
        if client is None or not parts:
            return
        job, memory = client.submit(_same, self._job), client.submit(_same, self._memory)
        completed: Any = as_completed
        waiting, finished = deque(map(list, parts)), completed(loop=client.loop)
        running: dict[Any, list[Task]] = {}

        def send() -> None:
            most = max(1, _AHEAD * self._threads(client))
            while waiting and len(running) < most:
                future = client.submit(do_part, job, memory, waiting[0], pure=False)
                running[future] = waiting.popleft()
                finished.add(future)

        send()
        for future in finished:
            part = running.pop(future)
            records = self._records(client, future, part)
            if records is None:
                waiting.extend([task] for task in part)
            else:
                yield from records
            send()

    def _threads(self, client: Any) -> int:
        """How many threads the cluster has at this moment."""
        try:
            return sum(client.nthreads().values())
        except (OSError, TimeoutError):
            raise ClusterFailed(say("cluster.lost", address=self._address)) from None

    def _records(self, client: Any, future: Any, part: list[Task]) -> list[Record] | None:
        """What came of a part; nothing when it must be tried in single scenarios."""
        try:
            records, memory = future.result()
        except Exception as fault:  # noqa: BLE001  # whatever goes wrong over there has a type of its own
            if client.status != "running" or future.cancelled():
                raise ClusterFailed(say("cluster.lost", address=self._address)) from None
            if len(part) > 1:
                return None
            reason = say("cluster.died", kind=type(fault).__name__)
            return [Record(part[0].id, "failed", 0.0, self._address, reason=reason, attempts=_ALLOWED_FAILURES)]
        self._memory = self._memory or memory
        return list(records)


_ALLOWED_FAILURES = 4
"""How many workers may die of a task before Dask gives it up, at its default of 3 ``allowed-failures``."""

# A worker of several threads works on one scenario at a time: what one teaches the next is kept for one thread.
_ONE_AT_A_TIME = threading.Lock()


def _same(content: Any) -> Any:
    return content


@lru_cache(maxsize=1)
def _bench(job: Job) -> Workbench:
    return Workbench(job)


def do_part(job: Job, memory: bytes, part: Sequence[Task]) -> tuple[list[Record], bytes]:
    """Return what comes of a part, and what it taught where nothing was known; this runs on a worker of the cluster."""
    with _ONE_AT_A_TIME:
        bench = _bench(job)
        bench.learn(memory)
        bench.begin()
        records = [bench.do(task) for task in part]
        return records, b"" if memory else bench.memory()

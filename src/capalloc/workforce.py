"""Worker processes on this machine, each driven by a thread; one that dies is replaced and its scenario tried again."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextvars import copy_context
from dataclasses import replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO, Any, Self

from capalloc.catalogue import say
from capalloc.issues import CapallocError
from capalloc.processes import apart
from capalloc.runstore import Record
from capalloc.serving import job_message, record_of
from capalloc.working import Job, Task

ATTEMPTS = 3
"""How often a scenario is tried whose worker dies."""

_TASKS_A_WORKER = 1_000
_COMMAND = "from capalloc.serving import serve; serve()"

# Reading, checking, paying and writing take time beside the engine, whose own limit is kept to the second.
_PATIENCE, _GRACE = 3.0, 120.0


class WorkerLost(CapallocError):
    """A worker process ended in the middle of its work, or could not begin."""


class Worker:
    """One worker process."""

    def __init__(self, job: Job) -> None:
        self.done = 0
        self.deadline: float | None = None
        self.late = False
        self.learned = b""
        self._limit = job.options.time_limit
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # it lives as long as the process
        self._process = _started(self._errors)
        try:
            self._exchange(job_message(job))
        except WorkerLost:
            self.close()
            raise

    def do(self, task: Task, *, first: bool) -> Record:
        """Return what comes of a scenario.

        Raises
        ------
        WorkerLost
            When the process ends before it answers.
        """
        self.done += 1
        limit = self._limit
        self.deadline = None if limit is None else time.monotonic() + _PATIENCE * limit + _GRACE
        answer = self._exchange({"id": task.id, "steps": task.steps, "first": first})
        self.deadline = None
        return record_of(answer)

    def learn(self, memory: bytes) -> None:
        """Have the parts from now on begin with what another worker remembered; as for :meth:`do`."""
        self._exchange({"memory": base64.b64encode(memory).decode()})
        self.learned = memory

    def memory(self) -> bytes:
        """Return what is remembered of the part just done; as for :meth:`do`."""
        return base64.b64decode(self._exchange({})["memory"])

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()

    def close(self) -> None:
        """End the process and let go of its streams."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            with contextlib.suppress(OSError):
                stream.close()  # type: ignore[union-attr]

    def _exchange(self, message: dict[str, Any]) -> dict[str, Any]:
        line = ""
        with contextlib.suppress(OSError):
            self._process.stdin.write(json.dumps(message, ensure_ascii=False) + "\n")  # type: ignore[union-attr]
            self._process.stdin.flush()  # type: ignore[union-attr]
            line = self._process.stdout.readline()  # type: ignore[union-attr]
        if not line.endswith("\n"):
            raise WorkerLost(self._why())
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _why(self) -> str:
        if self.late:
            return say("run.late", seconds=self._limit or 0)
        self._errors.seek(0)
        told = self._errors.read().decode(errors="replace").strip().rpartition("\n")[2]
        return say("run.worker-died", code=self._process.wait(), told=told or "–")


def _started(errors: IO[bytes]) -> subprocess.Popen[str]:
    home = str(Path(__file__).parents[1])
    paths = [home, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    # Workers share the processors already; libraries must not start more threads in each.
    alone = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return subprocess.Popen(  # noqa: S603  # our own command
        [sys.executable, "-c", _COMMAND],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        encoding="utf-8",
        env=os.environ | alone | {"PYTHONPATH": os.pathsep.join(paths), "PYTHONIOENCODING": "utf-8"},
        **apart(),
    )


class Workforce:
    """Some workers on this machine; used as a ``with`` block.

    Parameters
    ----------
    job
        What all are told at first.
    count
        How many, at least 1.
    """

    def __init__(self, job: Job, count: int) -> None:
        self._job, self._count = job, count
        self._workers: dict[int, Worker] = {}
        self._events: SimpleQueue[Record | WorkerLost | None] = SimpleQueue()
        self._waiting: deque[Sequence[Task]] = deque()
        self._stopping = False
        self._memory = b""
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping = True
        for worker in list(self._workers.values()):
            worker.kill()
        for thread in self._threads:
            # An interrupt may have come before it was started; one that starts yet ends at once.
            if thread.is_alive():
                thread.join()
        for worker in self._workers.values():
            worker.close()

    def learn(self, task: Task) -> Record:
        """Return what comes of a scenario, and have all workers begin with what it teaches; raises as :meth:`run`."""
        (record,) = self.run([[task]])
        if 0 in self._workers:
            with contextlib.suppress(WorkerLost):
                self._memory = self._workers[0].memory()
        return record

    def run(self, parts: Sequence[Sequence[Task]]) -> Iterator[Record]:
        """Yield what comes of each scenario as soon as it is known; parts are begun in their order.

        Raises
        ------
        WorkerLost
            When no worker can be started.
        """
        self._waiting.extend(parts)
        running = min(self._count, len(parts))
        # Each thread speaks the language of this one.
        contexts = [copy_context() for _ in range(running)]
        self._threads = [
            threading.Thread(target=context.run, args=(self._drive, number)) for number, context in enumerate(contexts)
        ]
        for thread in self._threads:
            thread.start()
        while running:
            self._dismiss_late()
            try:
                event = self._events.get(timeout=1.0)
            except Empty:
                continue
            if event is None:
                running -= 1
            elif isinstance(event, WorkerLost):
                raise event
            else:
                yield event

    def _dismiss_late(self) -> None:
        for worker in list(self._workers.values()):
            if worker.deadline is not None and time.monotonic() > worker.deadline:
                worker.late = True
                worker.kill()

    def _drive(self, number: int) -> None:
        """Have one worker do parts until none is left."""
        try:
            while not self._stopping and self._waiting:
                with contextlib.suppress(IndexError):  # another thread may have taken the last one
                    self._do_part(number, self._waiting.popleft())
        except WorkerLost as lost:
            self._events.put(lost)
        finally:
            self._events.put(None)

    def _do_part(self, number: int, part: Sequence[Task]) -> None:
        worker = self._workers.get(number)
        if worker is not None and worker.done >= _TASKS_A_WORKER:
            # A process that never ends would keep what little each scenario leaves behind.
            self._workers.pop(number).close()
        for place, task in enumerate(part):
            record = self._tried(number, task, first=place == 0)
            if self._stopping:
                return
            self._events.put(record)

    def _tried(self, number: int, task: Task, *, first: bool) -> Record:
        clock = time.monotonic()
        for attempt in range(1, ATTEMPTS + 1):
            worker = self._workers.get(number) or self._hired(number)
            try:
                if worker.learned is not self._memory:
                    worker.learn(self._memory)
                return replace(worker.do(task, first=first or worker.done == 0), attempts=attempt)
            except WorkerLost as lost:
                self._workers.pop(number).close()
                failed = Record(task.id, "failed", time.monotonic() - clock, "", reason=str(lost), attempts=attempt)
                if worker.late or self._stopping:
                    break
        return failed

    def _hired(self, number: int) -> Worker:
        for _ in range(ATTEMPTS - 1):
            with contextlib.suppress(WorkerLost):
                return self._workers.setdefault(number, Worker(self._job))
        return self._workers.setdefault(number, Worker(self._job))

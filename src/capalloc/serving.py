"""The process of a local worker: tasks in on standard input, records out on standard output, a line of JSON each.

It is started as a command of its own, not as a copy of the process that wants it, so that it works from a notebook,
from a script without a guard, and on Windows.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import asdict
from queue import SimpleQueue
from typing import Any, TextIO

from capalloc.model import SolveOptions
from capalloc.runstore import Record
from capalloc.working import Job, Task, Workbench


def serve() -> None:
    """Work until standard input ends; then this process ends at once, whatever it is doing."""
    answers = _own_output()
    lines = _lines_read(sys.stdin)
    bench = Workbench(_job(next(lines)))
    _say(answers, {})
    for message in lines:
        if "memory" in message:
            bench.learn(base64.b64decode(message["memory"]))
            _say(answers, {})
        elif "id" in message:
            if message["first"]:
                bench.begin()
            _say(answers, record_message(bench.do(Task(message["id"], tuple(message["steps"])))))
        else:
            _say(answers, {"memory": base64.b64encode(bench.memory()).decode()})


def _own_output() -> TextIO:
    """Take standard output for the answers alone: what solvers print goes to standard error."""
    output = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    os.dup2(2, 1)
    return output


def _lines_read(stream: TextIO) -> Iterator[dict[str, Any]]:
    """Yield messages; a thread of its own reads them, to notice the end of the driver even in the middle of work."""
    waiting: SimpleQueue[dict[str, Any]] = SimpleQueue()

    def read() -> None:
        for line in stream:
            waiting.put(json.loads(line))
        os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    while True:
        yield waiting.get()


def _say(answers: TextIO, message: dict[str, Any]) -> None:
    answers.write(json.dumps(message, ensure_ascii=False) + "\n")
    answers.flush()


def job_message(job: Job) -> dict[str, Any]:
    """Return what a worker is told at first."""
    return asdict(job)


def _job(message: dict[str, Any]) -> Job:
    return Job(**message | {"options": SolveOptions(**message["options"])})


def record_message(record: Record) -> dict[str, Any]:
    """Return a record as plain JSON; bytes are written in base 64."""
    plain = {name: getattr(record, name) for name in Record.__dataclass_fields__}
    plain["plan"] = None if record.plan is None else base64.b64encode(record.plan).decode()
    plain["tables"] = {name: base64.b64encode(content).decode() for name, content in record.tables.items()}
    return plain


def record_of(message: dict[str, Any]) -> Record:
    """Return the record that :func:`record_message` wrote."""
    plan = message["plan"]
    tables = {name: base64.b64decode(content) for name, content in message["tables"].items()}
    return Record(**message | {"plan": None if plan is None else base64.b64decode(plan), "tables": tables})

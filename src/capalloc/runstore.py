"""The store of scenario runs: one SQLite file, written by one run at a time, a scenario a transaction.

A result lies under the id of its scenario, which says everything that decides it; a result is written once and never
changed.  Names point to ids and are those of the last run.  Write-ahead logging keeps what is written whatever ends the
process, and lets others read meanwhile.
"""

from __future__ import annotations

import errno
import json
import os
import platform
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from capalloc.catalogue import say
from capalloc.issues import CapallocError, InvalidInput, Place, error
from capalloc.scenarios import Scenario

VERSION = 1
"""The version of the schema, which SQLite keeps as ``user_version``."""

_KIND = 0x63617061  # SQLite keeps it as ``application_id``: "capa" in ASCII
_BEGINNING = b"SQLite format 3\x00"
_SECONDS_TO_WAIT = 30.0

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE portfolio (fingerprint TEXT PRIMARY KEY, title TEXT NOT NULL, content BLOB NOT NULL);
CREATE TABLE result (
    id TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    status TEXT,
    stopped_by TEXT,
    value TEXT,
    bound REAL,
    projects INTEGER,
    cost INTEGER,
    seconds REAL NOT NULL,
    solving REAL,
    nodes INTEGER,
    attempts INTEGER NOT NULL,
    worker TEXT NOT NULL,
    ended TEXT NOT NULL,
    reason TEXT NOT NULL,
    fingerprint TEXT,
    versions TEXT NOT NULL,
    plan BLOB
);
CREATE TABLE result_table (
    id TEXT NOT NULL, name TEXT NOT NULL, content BLOB NOT NULL, PRIMARY KEY (id, name)
) WITHOUT ROWID;
CREATE TABLE scenario (
    position INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    id TEXT NOT NULL,
    portfolio TEXT NOT NULL,
    extends TEXT NOT NULL,
    why TEXT NOT NULL,
    steps TEXT NOT NULL
);
"""


class StoreFailed(CapallocError):
    """The store cannot be read or written; what was written before is kept."""


@dataclass(frozen=True, slots=True)
class Record:
    """What came of a scenario: a plan, the proof that there is none, or why the scenario failed.

    ``state`` is done or failed.  ``value`` is exact; ``bound`` is missing where none is proved.  ``seconds`` is all the
    time the scenario took, ``solving`` that of the engine.  ``plan`` is the text of the plan's file and ``tables`` its
    tables as JSON, both compressed.
    """

    id: str
    state: str
    seconds: float
    worker: str
    reason: str = ""
    status: str | None = None
    stopped_by: str | None = None
    value: str | None = None
    bound: float | None = None
    projects: int | None = None
    cost: int | None = None
    solving: float | None = None
    nodes: int | None = None
    attempts: int = 1
    fingerprint: str | None = None
    versions: str = "{}"
    plan: bytes | None = None
    tables: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Held:
    """A scenario of the last run with what there is of it: ``row`` is empty as long as it has not been run."""

    name: str
    id: str
    portfolio: str
    extends: str
    why: str
    steps: tuple[Mapping[str, Any], ...]
    row: Mapping[str, Any]


def packed(text: str) -> bytes:
    """Return a text compressed."""
    return zlib.compress(text.encode(), 1)


def unpacked(content: bytes) -> str:
    """Return a text that :func:`packed` compressed."""
    return zlib.decompress(content).decode()


@contextmanager
def _failing(path: Path) -> Iterator[None]:
    """Say what SQLite cannot do in the user's words."""
    try:
        yield
    except sqlite3.Error as failure:
        text = str(failure)
        kinds = {"full": "full", "readonly": "unwritable", "unable to open": "unwritable", "locked": "locked"}
        kinds |= {"not a database": "foreign", "malformed": "foreign", "disk I/O": "full"}
        kind = next((kind for words, kind in kinds.items() if words in text), "failed")
        raise StoreFailed(say(f"store.{kind}", path=path, reason=text)) from None


def is_store(path: Path) -> bool:
    """Return whether a path is an SQLite file, whatever it holds."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return file.read(len(_BEGINNING)) == _BEGINNING
    except OSError:
        return False


def _holds_something_else(path: Path) -> bool:
    """Whether a file is neither SQLite's nor an empty one, which would become a store."""
    with suppress(OSError):
        return path.stat().st_size > 0 and not is_store(path)
    return False


class Reader:
    """A store opened for reading, which may go on while a run writes.

    Raises
    ------
    InvalidInput
        When there is no such file, or it is no store of this version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_file():
            raise InvalidInput([error("store-missing", Place(str(path)))])
        with _failing(path):
            try:
                self._connection = self._opened("mode=ro")
            except sqlite3.OperationalError:
                # The log of a store in a folder nobody may write cannot be made; such a store does not change either.
                self._connection = self._opened("immutable=1")

    def _opened(self, how: str) -> sqlite3.Connection:
        connection = sqlite3.connect(f"{self.path.resolve().as_uri()}?{how}", uri=True, timeout=_SECONDS_TO_WAIT)
        try:
            _check_kind(connection, self.path)
        except BaseException:
            connection.close()
            raise
        connection.row_factory = sqlite3.Row
        return connection

    def meta(self, key: str) -> str:
        """Return a fact about the store; empty when it does not hold it."""
        with _failing(self.path):
            row = self._connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return "" if row is None else str(row["value"])

    def held(self) -> list[Held]:
        """Return the scenarios of the last run in their order, each with its result."""
        query = "SELECT s.name, s.id AS scenario, s.portfolio, s.extends, s.why, s.steps, r.* FROM scenario s"
        with _failing(self.path):
            rows = self._connection.execute(f"{query} LEFT JOIN result r ON r.id = s.id ORDER BY s.position").fetchall()
        own = ("name", "scenario", "portfolio", "extends", "why", "steps", "plan")
        return [
            Held(
                row["name"],
                row["scenario"],
                row["portfolio"],
                row["extends"],
                row["why"],
                tuple(json.loads(row["steps"])),
                {} if row["id"] is None else {name: row[name] for name in row.keys() if name not in own},  # noqa: SIM118
            )
            for row in rows
        ]

    def plan(self, id_: str) -> str | None:
        """Return the text of the file of a plan; ``None`` when there is none."""
        with _failing(self.path):
            row = self._connection.execute("SELECT plan FROM result WHERE id = ?", (id_,)).fetchone()
        return None if row is None or row["plan"] is None else unpacked(row["plan"])

    def table(self, id_: str, name: str) -> Any:
        """Return a table of a plan as columns of cells; ``None`` when the plan has no such table."""
        query = "SELECT content FROM result_table WHERE id = ? AND name = ?"
        with _failing(self.path):
            row = self._connection.execute(query, (id_, name)).fetchone()
        return None if row is None else json.loads(unpacked(row["content"]))

    def table_names(self, ids: Iterable[str]) -> set[str]:
        """Return the names of the tables that any of these results has."""
        wanted = set(ids)
        with _failing(self.path):
            rows = self._connection.execute("SELECT DISTINCT name, id FROM result_table").fetchall()
        return {row["name"] for row in rows if row["id"] in wanted}

    def portfolio(self, fingerprint: str) -> str:
        """Return the packed tables of a portfolio as they were given."""
        query = "SELECT content FROM portfolio WHERE fingerprint = ?"
        with _failing(self.path):
            row = self._connection.execute(query, (fingerprint,)).fetchone()
        return unpacked(row["content"])

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


class Writer:
    """A store that one run holds for writing; used as a ``with`` block.

    Raises
    ------
    StoreFailed
        When the file cannot be written, another run is writing it, or it is no store.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        guard = path.with_name(f"{path.name}.lock")
        try:
            is_folder, is_new = path.is_dir(), not guard.exists()
        except OSError as failure:
            raise StoreFailed(say("store.unwritable", path=path, reason=failure.strerror)) from None
        if is_folder:
            raise StoreFailed(say("store.unwritable", path=path, reason=os.strerror(errno.EISDIR)))
        self._lock = self._locked(guard)
        try:
            with _failing(path):
                self._connection = self._opened()
        except BaseException as failure:
            self._lock.close()
            # Nothing is left behind beside a file that is no store.  Beside any other, another run may hold the guard
            # by now, and a third would take a new one for its own.
            if is_new and (isinstance(failure, InvalidInput) or _holds_something_else(path)):
                guard.unlink(missing_ok=True)
            raise

    def _locked(self, guard: Path) -> sqlite3.Connection:
        """Hold a second file as long as this process lives: the system lets go of it however the process ends."""
        with _failing(self.path):
            lock = sqlite3.connect(guard, timeout=0.0, isolation_level=None)
            try:
                lock.execute("BEGIN EXCLUSIVE")
            except sqlite3.DatabaseError as failure:
                lock.close()
                if "locked" not in str(failure):
                    raise
                raise StoreFailed(say("store.busy", path=self.path, holder=self._holder())) from None
        return lock

    def _holder(self) -> str:
        with suppress(CapallocError), closing(Reader(self.path)) as reader:
            return reader.meta("writer")
        return "?"

    def _opened(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=_SECONDS_TO_WAIT, isolation_level=None)
        try:
            if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                _check_kind(connection, self.path)
            connection.execute("PRAGMA journal_mode = WAL")
            # With a log, this may lose the last scenarios when the power fails, and never breaks the file.
            connection.execute("PRAGMA synchronous = NORMAL")
            with _transaction(connection):
                if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                    for statement in _SCHEMA.split(";"):
                        connection.execute(statement)
                    connection.execute(f"PRAGMA application_id = {_KIND}")
                    connection.execute(f"PRAGMA user_version = {VERSION}")
                since = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
                holder = f"{platform.node()}, {os.getpid()}, {since}"
                connection.execute("INSERT OR REPLACE INTO meta VALUES ('writer', ?)", (holder,))
        except BaseException:
            connection.close()
            raise
        return connection

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # A full disk may keep the log from being folded in; the next opening does it.
        with suppress(sqlite3.Error):
            self._connection.close()
        self._lock.close()

    def set_out(self, portfolio: tuple[str, str, str], scenarios: Sequence[Scenario], again: bool) -> set[str]:
        """Write down what is to be run, and return the ids whose results are there already.

        Parameters
        ----------
        portfolio
            Its fingerprint, its title and its packed tables.
        again
            Whether what failed is taken away, to be run once more.
        """
        fingerprint, title, content = portfolio
        rows = [
            (number, own.name, own.id, fingerprint, own.extends, own.why, json.dumps(own.steps, ensure_ascii=False))
            for number, own in enumerate(scenarios)
        ]
        with _failing(self.path), _transaction(self._connection) as store:
            store.execute("INSERT OR IGNORE INTO portfolio VALUES (?, ?, ?)", (fingerprint, title, packed(content)))
            store.execute("DELETE FROM scenario")
            store.executemany("INSERT INTO scenario VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
            if again:
                store.execute("DELETE FROM result WHERE state = 'failed' AND id IN (SELECT id FROM scenario)")
            done = store.execute("SELECT id FROM result WHERE id IN (SELECT id FROM scenario)").fetchall()
        return {row[0] for row in done}

    def write(self, record: Record) -> None:
        """Write what came of a scenario, whole or not at all; a result that is there already stays."""
        names = [name for name in Record.__dataclass_fields__ if name != "tables"]
        values = [getattr(record, name) for name in names] + [datetime.now().astimezone().isoformat(timespec="seconds")]
        columns, marks = ", ".join([*names, "ended"]), ", ".join("?" * len(values))
        with _failing(self.path), _transaction(self._connection) as store:
            added = store.execute(f"INSERT OR IGNORE INTO result ({columns}) VALUES ({marks})", values)  # noqa: S608
            if added.rowcount:
                rows = [(record.id, name, content) for name, content in record.tables.items()]
                store.executemany("INSERT INTO result_table VALUES (?, ?, ?)", rows)

    def summaries(self, ids: Iterable[str]) -> Iterator[tuple[str, str, str | None]]:
        """Yield id, state and value of results that are there."""
        with _failing(self.path):
            for id_ in ids:
                yield self._connection.execute("SELECT id, state, value FROM result WHERE id = ?", (id_,)).fetchone()


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        # After an error on the disk SQLite may have rolled back already.
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


def _check_kind(connection: sqlite3.Connection, path: Path) -> None:
    kind = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if kind != _KIND:
        raise InvalidInput([error("store-foreign", Place(str(path)))])
    if version != VERSION:
        raise InvalidInput([error("store-version", Place(str(path)), found=version, own=VERSION)])

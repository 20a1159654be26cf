"""Plans kept as JSON files, each with the fingerprint of the portfolio it answers; and files written all or nothing."""

from __future__ import annotations

import hashlib
import json
import math
import platform
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from fractions import Fraction
from functools import cache
from importlib.metadata import version
from operator import attrgetter
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationError

from capalloc.allocation import Allocation, Choice, Payment
from capalloc.answer import Answer, ClassAnswer
from capalloc.audit import Audit
from capalloc.issues import InvalidInput, Issue, Issues, Place, error
from capalloc.model import SolveOptions, Status, StoppedBy, relative_gap
from capalloc.records import RECORDS, Row
from capalloc.tables import Tables
from capalloc.verification import verify
from capalloc.writing import write_atomically

# The places of a Row that say where it stood, not what it says.  A row that stood nowhere comes from the law, whose
# articles are named in the language of the run.
_NOT_CONTENT = ("row",)
_NOT_CONTENT_OF_LAW = (*_NOT_CONTENT, "source_ref", "legal_ref")

_DEFAULTS = {
    record: {field.name: getattr(plain, field.name) for field in fields(plain)}
    for record, plain in ((record, record()) for record in RECORDS.values())
}

# A bound is a float: it may fall short of the exact value by its last digits.
_FLOAT_NOISE = 1e-9

_VERSION: Literal[1] = 1
_STRICT = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def _read_exact(value: Any) -> Any:
    try:
        return Fraction(value) if isinstance(value, str) else value
    except ZeroDivisionError:
        raise ValueError(value) from None


Exact = Annotated[Fraction, BeforeValidator(_read_exact), PlainSerializer(str)]


class StoredChoice(BaseModel):
    """A funded project."""

    model_config = ConfigDict(**_STRICT, arbitrary_types_allowed=True)
    project: str
    mode: str = ""
    start: int
    scale: Exact = Fraction(1)


class StoredPayment(BaseModel):
    """What a source pays for a project in a year, in whole million VND."""

    model_config = _STRICT
    project: str
    source: str
    year: int
    amount: Annotated[int, Field(strict=True)]


class StoredOptions(BaseModel):
    """The limits of the run."""

    model_config = _STRICT
    time_limit: float | None
    gap: float
    threads: int
    seed: int
    node_limit: int | None


class StoredClass(BaseModel):
    """What was proved about a class; ``bound`` is null when nothing is."""

    model_config = ConfigDict(**_STRICT, populate_by_name=True)
    class_: Annotated[int, Field(alias="class")]
    bound: float | None
    status: Status


class StoredPlan(BaseModel):
    """The file of a plan.

    ``portfolio`` is the fingerprint of its tables, ``value`` is exact, and ``bound`` is null when none is proved.
    """

    model_config = ConfigDict(**_STRICT, arbitrary_types_allowed=True)
    format: Literal["capalloc plan"] = "capalloc plan"
    version: Literal[1] = _VERSION
    title: str
    portfolio: str
    status: Status
    stopped_by: StoppedBy
    value: Exact
    bound: float | None
    engine: str
    options: StoredOptions
    seconds: float
    nodes: int
    versions: dict[str, str]
    classes: tuple[StoredClass, ...] = ()
    choices: tuple[StoredChoice, ...]
    payments: tuple[StoredPayment, ...]


def fingerprint(tables: Tables) -> str:
    """Return the SHA-256 of what the tables say, in hexadecimal digits.

    Two portfolios with the same settings and the same rows in the same order have the same fingerprint, whatever
    files they were read from and however their numbers were written.  What is left at its default says nothing, so
    that a column or setting that a later version adds leaves the fingerprint of older portfolios as it was.
    """
    return Prints().of(tables)


class Prints:
    """Fingerprints of tables that have parts in common: what a part says is put into words once."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[object, str]] = {}

    def of(self, tables: Tables) -> str:
        """Return the fingerprint of tables; see :func:`fingerprint`."""
        names = sorted(["settings", *(name for name in RECORDS if tables.rows(name))])
        said = ",".join(f'"{name}":{self._said(name, getattr(tables, name))}' for name in names)
        return hashlib.sha256(f"{{{said}}}".encode()).hexdigest()

    def _said(self, name: str, part: Any) -> str:
        known, said = self._known.get(name, (None, ""))
        if known is not part:
            settings = name == "settings"
            said = _as_text(part.model_dump(mode="json", exclude_defaults=True) if settings else [*map(_content, part)])
            self._known[name] = (part, said)
        return said


def fingerprints(tables: Tables) -> dict[str, str]:
    """Return the SHA-256 of what each table that has rows says, in hexadecimal digits."""
    return {
        name: hashlib.sha256(_as_text([_content(row) for row in tables.rows(name)]).encode()).hexdigest()
        for name in RECORDS
        if tables.rows(name)
    }


def _as_text(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_plain)


def _content(row: Row) -> dict[str, Any]:
    kind: Any = type(row)
    names, plains, read = _reading(kind, row.row is None)
    held = zip(names, plains, read(row), strict=True)
    return {name: value for name, plain, value in held if value is not plain and value != plain}


@cache
def _reading(kind: Any, of_law: bool) -> tuple[tuple[str, ...], tuple[Any, ...], Callable[[Row], tuple[Any, ...]]]:
    """The columns of a row that count, what they hold where they say nothing, and what reads all of them at once."""
    left_out = _NOT_CONTENT_OF_LAW if of_law else _NOT_CONTENT
    names = tuple(name for name in _DEFAULTS[kind] if name not in left_out)
    return names, tuple(_DEFAULTS[kind][name] for name in names), attrgetter(*names)


def _plain(value: Any) -> Any:
    if isinstance(value, Fraction):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(type(value).__name__)


def write_plan(path: Path, tables: Tables, answer: Answer, allocation: Allocation, audit: Audit) -> None:
    """Write a plan with its value, bound and limits as a JSON file."""
    write_atomically(path, plan_text(tables, answer, allocation, audit) + "\n")


def plan_text(tables: Tables, answer: Answer, allocation: Allocation, audit: Audit) -> str:
    """Return a plan with its value, bound and limits as the JSON text that :func:`read_plan_text` reads back."""
    content = plan_content(fingerprint(tables), tables, answer, allocation, audit)
    return json.dumps(content, ensure_ascii=False, indent=1)


def plan_content(
    portfolio: str, tables: Tables, answer: Answer, allocation: Allocation, audit: Audit
) -> dict[str, Any]:
    """Return a plan as the JSON value of its file (see :class:`StoredPlan`), under the fingerprint of its tables."""
    limits = answer.options
    return {
        "format": "capalloc plan",
        "version": _VERSION,
        "title": tables.settings.title,
        "portfolio": portfolio,
        "status": str(answer.status),
        "stopped_by": str(answer.stopped_by),
        "value": str(audit.value),
        "bound": _stored(answer.bound),
        "engine": answer.engine,
        "options": {name: getattr(limits, name) for name in StoredOptions.model_fields},
        "seconds": answer.seconds,
        "nodes": answer.nodes,
        "versions": versions(),
        "classes": [{"class": c.class_, "bound": _stored(c.bound), "status": str(c.status)} for c in answer.classes],
        "choices": [
            {"project": c.project, "mode": c.mode, "start": c.start, "scale": str(c.scale)} for c in allocation.choices
        ],
        "payments": [
            {"project": p.project, "source": p.source, "year": p.year, "amount": p.amount} for p in allocation.payments
        ],
    }


def _stored(bound: float) -> float | None:
    return bound if math.isfinite(bound) else None


@cache
def versions() -> dict[str, str]:
    """Return the version of Python and of each package that has a part in a plan."""
    packages = ("capalloc", "highspy", "numpy", "scipy", "pulp")
    return {"python": platform.python_version()} | {name: version(name) for name in packages}


def read_plan(path: Path, tables: Tables) -> Answer:
    """Return the answer that a plan's file holds, verified again against the tables.

    Raises
    ------
    InvalidInput
        When the file is no plan, is a plan of other tables, breaks the tables, or claims what its content does not
        bear out.
    """
    place = Place(file=str(path))
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            # A device or a pipe may never come to an end.
            raise InvalidInput([error("no-file-behind", place)])
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as failure:
        raise InvalidInput([error("plan-unreadable", place, reason=_reason(failure))]) from None
    return read_plan_text(text, tables, place)


def read_plan_text(text: str, tables: Tables, place: Place) -> Answer:
    """Return the answer in the text of a plan, as :func:`read_plan` does; ``place`` is where it comes from."""
    stored = _parse(text, place)
    if stored.portfolio != fingerprint(tables):
        facts = {"title": stored.title, "own": tables.settings.title}
        made_by = {"wrote": stored.versions.get("capalloc", "?"), "own_version": versions()["capalloc"]}
        raise InvalidInput([error("plan-of-another", place, **facts, **made_by)])
    answer = _answer(stored, tables)
    issues = Issues(_claims(stored, answer, place))
    if issues:
        raise InvalidInput(issues)
    return answer


def _parse(text: str, place: Place) -> StoredPlan:
    try:
        return StoredPlan.model_validate_json(text)
    except ValidationError as failure:
        for fault in failure.errors():
            if fault["loc"] == ("version",) and fault["type"] == "literal_error":
                raise InvalidInput([error("plan-version", place, found=fault["input"], known=_VERSION)]) from None
        parts = sorted({".".join(map(str, fault["loc"])) for fault in failure.errors()})
        raise InvalidInput(error("plan-malformed", place, part=part or place.file) for part in parts) from None


def _reason(failure: Exception) -> str:
    return (failure.strerror if isinstance(failure, OSError) else None) or str(failure)


def _answer(stored: StoredPlan, tables: Tables) -> Answer:
    allocation = Allocation(
        tuple(Choice(c.project, c.mode, c.start, c.scale) for c in stored.choices),
        tuple(Payment(p.project, p.source, p.year, p.amount) for p in stored.payments),
    )
    audit = verify(tables, allocation)
    worth = {account.class_: account.value for account in audit.classes}
    return Answer(
        status=stored.status,
        stopped_by=stored.stopped_by,
        allocation=allocation,
        audit=audit,
        bound=math.inf if stored.bound is None else stored.bound,
        engine=stored.engine,
        options=SolveOptions(**stored.options.model_dump()),
        seconds=stored.seconds,
        nodes=stored.nodes,
        classes=tuple(
            ClassAnswer(c.class_, worth.get(c.class_, Fraction(0)), math.inf if c.bound is None else c.bound, c.status)
            for c in stored.classes
        ),
    )


def _claims(stored: StoredPlan, answer: Answer, place: Place) -> Iterator[Issue]:
    """What the file claims and its own content does not bear out."""
    if answer.audit is not None and answer.audit.violations:
        yield error("plan-breaks-tables", place, count=len(answer.audit.violations))
        yield from answer.audit.violations
        return
    if answer.value != stored.value:
        yield error("plan-value-differs", place, claimed=stored.value, found=answer.value)
        return
    listed = {row.class_ for row in answer.classes}
    if listed and answer.audit is not None and listed != {account.class_ for account in answer.audit.classes}:
        yield error("plan-malformed", place, part="classes")
        return
    allowed = {Status.OPTIMAL: _FLOAT_NOISE, Status.WITHIN_GAP: stored.options.gap, Status.FEASIBLE: math.inf}
    of_classes = [(row.value, row.bound, row.status) for row in answer.classes]
    for value, bound, status in ((stored.value, answer.bound, stored.status), *of_classes):
        gap = relative_gap(float(value), bound)
        if gap < -_FLOAT_NOISE or status not in allowed or gap > allowed[status]:
            yield error("plan-status-differs", place, status=status, value=value, bound=bound)

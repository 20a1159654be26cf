"""Issues found in the input, and the errors that carry them.

::

    CapallocError                 every error of the library
    ├── InvalidInput              the tables are wrong; carries all issues at once
    ├── UnknownName               an argument names a project, source, engine … that does not exist
    └── EngineFailed              an engine stopped for a reason of its own, not of the portfolio
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

from capalloc.catalogue import say

if TYPE_CHECKING:
    import pandas as pd


class Severity(StrEnum):
    """How much an issue matters: an ``error`` stops the work, a ``warning`` and an ``info`` do not."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the input something stands; parts that do not apply are empty.

    ``row`` is the row as the user sees it: in a file, row 1 holds the headings; in a DataFrame, the position from 0.
    ``column`` is the column by its name in the schema. In a workbook ``cell`` is the address of the cell, and ``title``
    what stands above it.
    """

    file: str = ""
    sheet: str = ""
    row: int | None = None
    column: str = ""
    cell: str = ""
    title: str = ""

    def __str__(self) -> str:
        parts = [self.file] if self.file else []
        if self.cell:
            parts += [say("place.cell", sheet=self.sheet, cell=self.cell)]
            parts += [say("place.column", column=self.title)] if self.title else []
            return ", ".join(parts)
        parts += [say("place.sheet", sheet=self.sheet)] if self.sheet else []
        parts += [say("place.row", row=self.row)] if self.row is not None else []
        parts += [say("place.column", column=self.column)] if self.column else []
        return ", ".join(parts)


NOWHERE = Place()


@dataclass(frozen=True, slots=True)
class Issue:
    """One finding about the input: a stable code, a place, and the arguments of its text.

    The texts are ``issue.CODE.message`` and ``issue.CODE.remedy`` of the catalogue.
    """

    severity: Severity
    code: str
    where: Place = NOWHERE
    arguments: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def message(self) -> str:
        """What was found, in the language in force."""
        return say(f"issue.{self.code}.message", **self.arguments)

    @property
    def remedy(self) -> str:
        """What to do about it, in the language in force."""
        return say(f"issue.{self.code}.remedy", **self.arguments)

    def __str__(self) -> str:
        where = f"{self.where}: " if str(self.where) else ""
        return f"{say(f'severity.{self.severity}')} [{self.code}] {where}{self.message} {self.remedy}".rstrip()


def error(code: str, where: Place = NOWHERE, /, **arguments: Any) -> Issue:
    """Return an issue that stops the work."""
    return Issue(Severity.ERROR, code, where, MappingProxyType(arguments))


def warning(code: str, where: Place = NOWHERE, /, **arguments: Any) -> Issue:
    """Return an issue that the user should look at."""
    return Issue(Severity.WARNING, code, where, MappingProxyType(arguments))


def info(code: str, where: Place = NOWHERE, /, **arguments: Any) -> Issue:
    """Return an issue that only tells."""
    return Issue(Severity.INFO, code, where, MappingProxyType(arguments))


class Issues(tuple[Issue, ...]):
    """All issues of one check, in the order of the input."""

    __slots__ = ()

    def __new__(cls, issues: Iterable[Issue] = ()) -> Self:
        """Gather issues."""
        return super().__new__(cls, tuple(issues))

    @property
    def errors(self) -> Issues:
        """Those that stop the work."""
        return Issues(issue for issue in self if issue.severity is Severity.ERROR)

    @property
    def warnings(self) -> Issues:
        """Those the user should look at."""
        return Issues(issue for issue in self if issue.severity is Severity.WARNING)

    def of(self, code: str) -> Issues:
        """Return the issues with this code."""
        return Issues(issue for issue in self if issue.code == code)

    def to_frame(self) -> pd.DataFrame:
        """Return one row an issue: severity, code, file, sheet, row, column, cell, message, remedy."""
        import pandas as pd

        columns = ["severity", "code", "file", "sheet", "row", "column", "cell", "message", "remedy"]
        return pd.DataFrame(list(_records(self)), columns=columns)

    def __str__(self) -> str:
        return "\n".join(str(issue) for issue in self) if self else say("issues.none")

    def _repr_html_(self) -> str:
        return str(self.to_frame().to_html(index=False, escape=True))


NO_ISSUES = Issues()


def _records(issues: Issues) -> Iterator[tuple[Any, ...]]:
    for issue in issues:
        place = issue.where
        yield (
            str(issue.severity),
            issue.code,
            place.file,
            place.sheet,
            place.row,
            place.column,
            place.cell,
            issue.message,
            issue.remedy,
        )


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the known name most like ``name``, or an empty text when none is near.

    Examples
    --------
    >>> nearest("enveloppe", ["envelopes", "sources"])
    'envelopes'
    """
    candidates = {option.casefold(): option for option in known}
    close = get_close_matches(name.casefold(), candidates, n=1, cutoff=0.6)
    return candidates[close[0]] if close else ""


class CapallocError(Exception):
    """Base of every error the library raises on purpose."""


class InvalidInput(CapallocError):
    """The input is wrong; ``issues`` holds everything that was found, all at once."""

    def __init__(self, issues: Iterable[Issue]) -> None:
        self.issues = Issues(issues)
        super().__init__(str(self.issues))


class UnknownName(CapallocError):
    """An argument names something that does not exist."""

    def __init__(self, kind: str, found: str, known: Iterable[str]) -> None:
        names = sorted(known)
        close = nearest(found, names)
        key = "error.unknown-name-near" if close else "error.unknown-name" if names else "error.unknown-name-alone"
        super().__init__(say(key, kind=say(f"word.{kind}"), found=found, near=close, known=", ".join(names[:12])))


class EngineFailed(CapallocError):
    """An engine stopped for a reason that lies in the engine, not in the portfolio."""

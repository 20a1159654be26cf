"""Scenario files: what a user writes down about scenarios, read strictly, with every fault at its line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import prod
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema
from pydantic_core import PydanticCustomError

from capalloc.arguments import shown
from capalloc.formats import newer_format
from capalloc.issues import InvalidInput, Issue, Issues, Place, error, nearest
from capalloc.rawtable import EMPTY, Unreadable, decoded, table_from_csv
from capalloc.reading import NONE

BASE = "base"
"""The scenario that changes nothing: the portfolio itself, the first of every set."""

_ABOUT = ("scenario", "why")
"""The columns of samples that change nothing."""

MOST_SCENARIOS = 1_000_000
"""The most scenarios of a grid: more are not meant, and would fill the memory before the first is run."""


def _change(value: Any) -> Any:
    if isinstance(value, dict):
        raise PydanticCustomError("path-unquoted", "path without quotes")
    if not isinstance(value, str | int | float):
        raise PydanticCustomError("no-change", "no change")
    return value


_CLOSED = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)
_CHANGE = {
    "type": ["string", "number", "boolean"],
    "description": 'A plain value, or "*1.05", "+100", "-100", "=-5"; an empty text empties the cell.',
}
Cell = Annotated[Any, BeforeValidator(_change), WithJsonSchema(_CHANGE)]
Several = Annotated[tuple[Cell, ...], Field(min_length=1, strict=False)]


class ScenarioEntry(BaseModel):
    """A scenario under its name: what it changes in the scenario that it extends."""

    model_config = _CLOSED
    extends: Annotated[str, Field(description="The scenario whose tables this one changes.")] = BASE
    why: Annotated[str, Field(description="What the scenario stands for, shown beside its results.")] = ""
    changes: Annotated[dict[str, Cell], Field(alias="set", description="Path to change; put paths in quotes.")] = {}


class GridEntry(BaseModel):
    """Every combination of the changes listed for each path, each a scenario that extends each of ``extends``."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)
    __pydantic_extra__: dict[str, Several]
    extends: Annotated[
        tuple[str, ...],
        BeforeValidator(lambda found: (found,) if isinstance(found, str) else found),
        WithJsonSchema({"type": ["string", "array"], "items": {"type": "string"}}),
    ] = Field((BASE,), strict=False, description="One scenario, or a list of them.")


class SamplesEntry(BaseModel):
    """A CSV file with a scenario a row and a path a column; the columns ``scenario`` and ``why`` name and explain."""

    model_config = _CLOSED
    file: Annotated[str, Field(description="Beside the scenario file, or a full path.")]
    extends: Annotated[str, Field(description="The scenario that every row changes.")] = BASE


class ScenarioFile(BaseModel):
    """Scenarios of one portfolio, for ``capalloc run`` and ``capalloc.run``."""

    model_config = _CLOSED
    base: Annotated[str, Field(description="The portfolio, beside the scenario file or as a full path.")]
    scenario: dict[str, ScenarioEntry] = {}
    grid: GridEntry | None = None
    samples: SamplesEntry | None = None
    format: Annotated[Literal[1], Field(description="The version of scenario files, for the day of another one.")] = 1


@dataclass(frozen=True, slots=True)
class Written:
    """A scenario as it is written down: its own changes only, and where each of them stands."""

    name: str
    changes: Mapping[str, Any]
    extends: str = BASE
    why: str = ""
    where: Place = field(default_factory=Place)
    places: Mapping[str, Place] = field(default_factory=lambda: MappingProxyType({}))

    def place(self, path: str) -> Place:
        """Return where a change stands."""
        return self.places.get(path, self.where)


def schema() -> dict[str, Any]:
    """Return the JSON Schema of scenario files, by which an editor completes and checks them."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | ScenarioFile.model_json_schema(by_alias=True)


def read_scenario_file(path: Path) -> tuple[Path, list[Written]]:
    """Return the path of the base portfolio and the scenarios of a file, a grid and samples as one scenario each.

    Raises
    ------
    InvalidInput
        With everything that is wrong with the file, each at its line.
    """
    data, issues = _bytes(path, Place(str(path)))
    text, found = decoded(data, path.name)
    if issues := issues + found:
        raise InvalidInput(issues)
    lines = _Lines(path.name, text)
    content = _parsed(text, path.name)
    if issue := newer_format("scenarios", content.get("format"), lines.place(("format",))):
        raise InvalidInput([issue])
    try:
        file = ScenarioFile.model_validate(content)
    except ValidationError as faults:
        raise InvalidInput(_issues(faults, lines)) from None
    folder = path.parent
    written = [
        Written(name, entry.changes, entry.extends, entry.why, *lines.places(("scenario", name), "set", entry.changes))
        for name, entry in file.scenario.items()
    ]
    if file.grid is not None:
        written += _grid(file.grid, lines)
    if file.samples is not None:
        written += _samples(folder / file.samples.file, file.samples.extends, lines.place(("samples", "file")))
    return folder / file.base, written


def _bytes(path: Path, where: Place) -> tuple[bytes, list[Issue]]:
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            # A device or a pipe may never come to an end.
            return b"", [error("no-file-behind", where)]
        return path.read_bytes(), []
    except OSError as failure:
        return b"", [error("scenarios-unreadable", where, file=path, reason=failure.strerror or str(failure))]


def _parsed(text: str, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as fault:
        found = re.fullmatch(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", str(fault), re.DOTALL)
        what, line, column = found.groups() if found else (str(fault), None, None)
        row = int(line) if line else text.count("\n") + 1
        raise InvalidInput([error("bad-toml", Place(file, row=row, column=column or ""), found=what)]) from None


class _Lines:
    """Which line of a TOML file each key stands on, as near as it can be told without parsing it again in full."""

    _HEADER = re.compile(r"\s*\[([^\[\]]+|[^\]]*\"[^\"]*\"[^\]]*)\]\s*(#.*)?")
    _KEY = re.compile(r"""\s*((?:"(?:[^"\\]|\\.)*"|'[^']*'|[^"'=#\[\]{}])+?)\s*=""")

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.lines: dict[tuple[str, ...], int] = {}
        table: tuple[str, ...] = ()
        for number, line in enumerate(text.splitlines(), start=1):
            if header := self._HEADER.fullmatch(line):
                table = self._keys(f"[{header[1]}]")
                self.lines.setdefault(table, number)
            elif key := self._KEY.match(line):
                self.lines.setdefault((*table, *self._keys(f"{key[1]} = 0")), number)

    @staticmethod
    def _keys(line: str) -> tuple[str, ...]:
        """The parts of the only key in a line of TOML; none where the line is no key after all."""
        try:
            tree: Any = tomllib.loads(line)
        except tomllib.TOMLDecodeError:
            return ()
        parts = []
        while isinstance(tree, dict) and tree:
            ((key, tree),) = tree.items()
            parts.append(key)
        return tuple(parts)

    def place(self, keys: Sequence[str]) -> Place:
        """Return the place of a key, of the first key inside it, or else of the nearest table around it."""
        own = tuple(keys)
        rows = [line for known, line in self.lines.items() if known[: len(own)] == own]
        around = [known for known in self.lines if known == own[: len(known)]]
        row = min(rows) if rows else self.lines[max(around, key=len)] if around else None
        return Place(self.file, row=row, column=".".join(keys))

    def places(self, table: tuple[str, ...], inner: str, paths: Mapping[str, Any]) -> tuple[Place, dict[str, Place]]:
        """Return the place of a scenario and of each of its changes."""
        within = (*table, inner) if inner else table
        found = {path: self.place((*within, path)) for path in paths}
        return self.place(table), {
            path: Place(at.file, row=at.row, column=".".join(within)) for path, at in found.items()
        }


def _grid(grid: GridEntry, lines: _Lines) -> Iterator[Written]:
    axes = grid.__pydantic_extra__
    where, places = lines.places(("grid",), "", axes)
    count = prod(map(len, axes.values())) * len(grid.extends)
    if count > MOST_SCENARIOS:
        raise InvalidInput([error("scenarios-too-many", where, count=count, most=MOST_SCENARIOS)])
    cells = list(product(*axes.values()))
    for parent in grid.extends:
        prefix = "grid" if parent == BASE else f"{parent}-grid"
        for number, cell in enumerate(cells, start=1):
            changes = dict(zip(axes, cell, strict=True))
            yield Written(numbered(prefix, number, len(cells)), changes, parent, "", where, places)


def numbered(prefix: str, number: int, of: int) -> str:
    """Return the name of one of many scenarios, so that names sort like numbers.

    Examples
    --------
    >>> numbered("grid", 7, 200)
    'grid-007'
    """
    return f"{prefix}-{number:0{len(str(of))}}"


def _samples(path: Path, extends: str, where: Place) -> Iterator[Written]:
    data, issues = _bytes(path, where)
    if issues:
        raise InvalidInput(issues)
    table, issues = table_from_csv("samples", path.name, data, _ABOUT)
    if table is None or issues:
        raise InvalidInput(issues)
    cells = [dict(zip(table.headings, line, strict=True)) for line in zip(*table.columns, strict=True)]
    faults = [
        error(cell.code, Place(path.name, row=row, column=column), found=cell.found)
        for row, line in zip(table.rows, cells, strict=True)
        for column, cell in line.items()
        if isinstance(cell, Unreadable)
    ]
    if faults:
        raise InvalidInput(faults)
    said = ({column: cell for column, cell in line.items() if cell != EMPTY} for line in cells)
    yield from _of_rows(zip(table.rows, said, strict=True), len(cells), extends, path.name)


def samples_of(frame: Any) -> Iterator[Written]:
    """Yield the scenario of each row of a frame; an empty cell changes nothing."""
    records = enumerate(frame.to_dict("records"))
    said = ((row, {str(column): cell for column, cell in line.items() if _is_filled(cell)}) for row, line in records)
    yield from _of_rows(said, len(frame), BASE, "")


def _of_rows(rows: Iterable[tuple[int, dict[str, Any]]], count: int, extends: str, file: str) -> Iterator[Written]:
    for number, (row, said) in enumerate(rows, start=1):
        changes = {path: cell for path, cell in said.items() if path not in _ABOUT}
        name = str(said.get("scenario", numbered("sample", number, count)))
        places = {path: Place(file, row=row, column=path) for path in changes}
        yield Written(name, changes, extends, str(said.get("why", "")), Place(file, row=row), places)


def _is_filled(cell: Any) -> bool:
    # NaN differs from itself, and pandas' NA from everything; neither is a change.
    return not (cell is None or (isinstance(cell, str) and not cell.strip()) or str(cell) in ("nan", "<NA>", "NaT"))


def _issues(faults: ValidationError, lines: _Lines) -> Issues:
    """Return what is wrong with a file, once a place: of a value that fits no allowed form, the first form tells."""
    found: dict[tuple[Place, str], Issue] = {}
    for fault in faults.errors(include_url=False):
        keys = tuple(str(part) for part in fault["loc"])
        issue = _issue(fault["type"], keys, fault["input"], lines)
        found.setdefault((issue.where, issue.code), issue)
    return Issues(sorted(found.values(), key=lambda issue: issue.where.row or 0))


_NEEDS = {
    "missing": "scenarios-key-missing",
    "path-unquoted": "scenarios-path-unquoted",
    "no-change": "scenarios-no-change",
    "tuple_type": "scenarios-grid-list",
    "too_short": "scenarios-grid-list",
    "string_type": "scenarios-not-a-text",
    "dict_type": "scenarios-not-a-table",
    "model_type": "scenarios-not-a-table",
}


def _issue(kind: str, keys: tuple[str, ...], found: Any, lines: _Lines) -> Issue:
    where, key = lines.place(keys), keys[-1]
    if kind == "extra_forbidden":
        known = _known(keys[:-1])
        return error("scenarios-unknown-key", where, key=key, near=nearest(key, known) or NONE, known=", ".join(known))
    if kind == "path-unquoted":
        return error("scenarios-path-unquoted", where, path=".".join((key, *_inner(found))))
    return error(_NEEDS.get(kind, "scenarios-bad-key"), where, key=key, found=shown(found))


def _inner(tree: Any) -> Iterator[str]:
    while isinstance(tree, dict) and tree:
        key, tree = next(iter(tree.items()))
        yield key


def _known(table: tuple[str, ...]) -> list[str]:
    models: dict[str, type[BaseModel]] = {"scenario": ScenarioEntry, "samples": SamplesEntry}
    model = models.get(table[0], ScenarioFile) if table else ScenarioFile
    return [known.alias or name for name, known in model.model_fields.items()]

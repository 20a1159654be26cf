"""From a folder of files, or a mapping and DataFrames, to the tables of a portfolio."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from capalloc.configuring import fallback_settings, settings_from_mapping, settings_from_toml
from capalloc.formats import NEWER
from capalloc.issues import Issue, Issues, Place, error, nearest
from capalloc.rawtable import RawTable, table_from_csv, table_from_frame
from capalloc.reading import NONE, read_table
from capalloc.records import RECORDS, Mode, Project
from capalloc.settings import Settings
from capalloc.tables import Origin, Tables

if TYPE_CHECKING:
    import pandas as pd

SETTINGS_FILE = "portfolio.toml"

# Other files that could hold a table; named like one, they were meant to be read.
_OTHER_TABLE_FILES = {".json", ".ods", ".parquet", ".tsv", ".txt", ".xls", ".xlsb", ".xlsm", ".xlsx"}
_UNIT_SETTINGS = {"money", "numbers", "rounding"}
_NO_SETTINGS = {
    "bad-toml",
    "folder-for-file",
    "no-file-behind",
    "no-settings",
    "no-settings-sheet",
    "not-utf8",
    "unreadable-file",
}
_UNIT_CODES = {"ambiguous-number", "fraction-of-a-million", "rounded"}


def read_folder(path: str | Path) -> tuple[Tables | None, Issues]:
    """Read a portfolio from a folder of ``portfolio.toml`` and one CSV file a table.

    Every file that ends in ``.csv`` must be named after a table, but for the samples of a scenario file in the folder;
    no other kind of table file may bear the name of a table.  Documents, other TOML files, folders and hidden files are
    no tables and are left alone.

    Parameters
    ----------
    path
        The folder, or the TOML file in it that holds the settings.

    Returns
    -------
    tuple
        The tables, or ``None`` when there is nothing at the path; and everything found wrong in files, settings,
        headings and cells. Tables returned beside an error are good for further checks only.
    """
    given = Path(path)
    if issue := _path_issue(given):
        return None, Issues([issue])
    folder = given if given.is_dir() else given.parent
    settings_file = given / SETTINGS_FILE if given.is_dir() else given
    if settings_file.is_file():
        data, issues = _content(settings_file)
        settings, found = (fallback_settings(), []) if issues else settings_from_toml(data, settings_file.name)
        issues += found
    elif issue := no_file_issue(settings_file):
        settings, issues = fallback_settings(), [issue]
    else:
        near = nearest(SETTINGS_FILE, [file.name for file in folder.iterdir() if file.is_file()]) or NONE
        settings, issues = (
            fallback_settings(),
            [error("no-settings", Place(SETTINGS_FILE), folder=str(folder), near=near)],
        )
    raws, file_issues = _raw_tables(folder)
    if "projects" not in raws:
        file_issues.append(error("no-projects", Place("projects.csv")))
    return assembled(settings, Origin(settings_file.name), issues, raws, file_issues)


def read_frames(settings: Mapping[str, Any], frames: Mapping[str, pd.DataFrame]) -> tuple[Tables | None, Issues]:
    """Read a portfolio from its settings and one DataFrame a table; rows are numbered from 0, an index is no column.

    Returns
    -------
    tuple
        The tables, and everything found wrong, as from :func:`read_folder`.
    """
    import pandas as pd

    known_settings, issues = settings_from_mapping(settings, "settings")
    raws: dict[str, RawTable | None] = {}
    other_issues: list[Issue] = []
    for name, frame in frames.items():
        if name not in RECORDS:
            other_issues.append(_unknown_table(str(name), str(name)))
        elif not isinstance(frame, pd.DataFrame):
            raws[name] = None
            other_issues.append(error("not-a-frame", Place(name), table=name, found=type(frame).__name__))
        else:
            raws[name], found = table_from_frame(name, frame)
            other_issues += found
    if "projects" not in frames:
        other_issues.append(error("no-projects", Place("projects")))
    return assembled(known_settings, Origin("settings"), issues, raws, other_issues)


def _path_issue(given: Path) -> Issue | None:
    if not given.exists() and not os.path.lexists(given):
        beside = [other.name for other in given.parent.iterdir()] if given.parent.is_dir() else []
        return error("no-such-path", Place(str(given)), path=str(given), near=nearest(given.name, beside) or NONE)
    if not given.is_dir() and not given.is_file():
        return no_file_issue(given)
    if not given.is_dir() and given.suffix.lower() != ".toml":
        return error("not-a-portfolio", Place(given.name), path=str(given))
    return None


def _raw_tables(folder: Path) -> tuple[dict[str, RawTable | None], list[Issue]]:
    raws: dict[str, RawTable | None] = {}
    issues: list[Issue] = []
    files = (file for file in folder.iterdir() if not file.name.startswith((".", "~")))
    for file in sorted(files, key=lambda file: file.name):
        name, kind = file.stem.lower(), file.suffix.lower()
        if not file.is_file():
            if kind == ".csv" and name in RECORDS and (issue := no_file_issue(file)):
                issues.append(issue)
                raws.setdefault(name, None)
            continue
        if kind in _OTHER_TABLE_FILES and name in RECORDS:
            issues.append(error("unread-file", Place(file.name), table=name))
        if kind != ".csv":
            continue
        if name not in RECORDS:
            if not _is_samples(file):
                issues.append(_unknown_table(file.name, file.stem))
        elif name in raws:
            issues.append(error("table-twice", Place(file.name), table=name))
        else:
            data, found = _content(file)
            raws[name] = None
            if not found:
                raws[name], found = table_from_csv(name, file.name, data)
            issues += found
    return raws, issues


def _is_samples(file: Path) -> bool:
    """Whether a scenario file of the same folder names a file as its samples."""
    for other in file.parent.glob("*.toml"):
        with suppress(OSError, ValueError, RecursionError):
            samples = tomllib.loads(other.read_text(encoding="utf-8")).get("samples")
            named = samples.get("file") if isinstance(samples, dict) else None
            if isinstance(named, str) and (file.parent / named).resolve() == file.resolve():
                return True
    return False


def no_file_issue(path: Path) -> Issue | None:
    """Return what stands in the place of a file that must be there, or nothing where there is nothing at all."""
    if path.is_dir():
        return error("folder-for-file", Place(path.name))
    return error("no-file-behind", Place(path.name)) if os.path.lexists(path) else None


def _content(file: Path) -> tuple[bytes, list[Issue]]:
    """Return the bytes of a file, or the issue that it cannot be opened."""
    try:
        return file.read_bytes(), []
    except OSError as failure:
        return b"", [error("unreadable-file", Place(file.name), reason=failure.strerror or failure)]


def _unknown_table(place: str, name: str) -> Issue:
    near = nearest(name, RECORDS) or NONE
    return error("unknown-table", Place(place), found=name, near=near, known=", ".join(RECORDS))


def assembled(
    settings: Settings,
    settings_origin: Origin,
    settings_issues: list[Issue],
    raws: Mapping[str, RawTable | None],
    file_issues: list[Issue],
) -> tuple[Tables, Issues]:
    """Return the tables that settings and raw tables make, and all issues with those of the cells."""
    if any(issue.code == NEWER for issue in settings_issues):
        return Tables(settings=settings), Issues(settings_issues)
    doubtful = any(issue.where.column in _UNIT_SETTINGS or issue.code in _NO_SETTINGS for issue in settings_issues)
    rows: dict[str, Any] = {}
    origins = {"settings": settings_origin}
    cell_issues: list[Issue] = []
    for name in RECORDS:
        raw = raws.get(name)
        if raw is not None:
            rows[name], origins[name], found = read_table(raw, settings)
            cell_issues += (issue for issue in found if not (doubtful and issue.code in _UNIT_CODES))
    tables = Tables(settings=settings, origins=MappingProxyType(origins), **rows)
    issues = Issues(chain(settings_issues, file_issues, cell_issues))
    return replace(tables, projects=tuple(_sized(tables))), issues


def _sized(tables: Tables) -> Iterator[Project]:
    """Yield the projects with their sizes; an empty one is the cost as first read, which later changes leave alone."""
    first_modes: dict[str, Mode] = {}
    for mode in tables.modes:
        first_modes.setdefault(mode.project, mode)
    streams: dict[tuple[str, str], int] = {}
    for row in tables.costs:
        streams[row.project, row.mode] = streams.get((row.project, row.mode), 0) + row.amount
    for project in tables.projects:
        if project.size is not None:
            yield project
            continue
        first = first_modes.get(project.id, Mode())
        known = (project.cost, first.cost, streams.get((project.id, first.mode)))
        yield replace(project, size=next((size for size in known if size is not None), None))

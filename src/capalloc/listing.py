"""Hand-made lists of projects, in any of the forms in which a user may write them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from numbers import Integral
from typing import TYPE_CHECKING, Any, TypeAlias

from capalloc.allocation import Allocation
from capalloc.arguments import shown, wrong_argument
from capalloc.configuring import fallback_settings
from capalloc.evaluation import Wish
from capalloc.issues import InvalidInput, Issue, Place, UnknownName, error
from capalloc.money import NumberFormat
from capalloc.rawtable import plain
from capalloc.reading import BadCell, reader_of
from capalloc.schema import Column, Kind
from capalloc.tables import Tables

if TYPE_CHECKING:
    import pandas as pd

Entry: TypeAlias = "str | tuple[str, str | None, int | None] | tuple[str, int]"
HandMade: TypeAlias = "Iterable[Entry] | Mapping[str, int | None] | pd.DataFrame"
"""Project ids; or (project, mode, start) with ``None`` for what is left open, or (project, start); or project → start
year; or a frame with the columns project and, if wanted, mode, start, scale and funded (rows that are not funded do not
count)."""


def read_list(tables: Tables, listed: HandMade, name: str = "listed") -> tuple[Wish, ...]:
    """Return what a hand-made list wishes, in the order of the portfolio's projects.

    Parameters
    ----------
    name
        What the user calls the list.

    Raises
    ------
    UnknownName
        When the list names a project or a mode that does not exist.
    InvalidInput
        When it is no list, a project is listed twice, a start is no year, or a scale no part of a whole.
    """
    order = {project.id: position for position, project in enumerate(tables.projects)}
    modes: dict[str, list[str]] = {}
    for row in tables.modes:
        modes.setdefault(row.project, []).append(row.mode)
    programmes = {project.id for project in tables.projects if project.kind == "programme"}
    wishes: dict[str, Wish] = {}
    issues: list[Issue] = []
    for project, mode, start, scale in _entries(listed, name):
        if not isinstance(project, str) or project not in order:
            raise UnknownName("project", str(project), order)
        if mode is not None and mode not in modes.get(project, [""]):
            raise UnknownName("mode", str(mode), modes.get(project, []))
        if project in wishes:
            issues.append(error("listed-twice", project=project))
        if start is not None and (not isinstance(start, int) or isinstance(start, bool)):
            issues.append(error("start-not-a-year", project=project, found=start))
        part = _part(scale)
        if part is None and scale is not None:
            issues.append(error("scale-not-a-part", project=project, found=shown(scale)))
        # Works are whole without being asked.
        wishes[project] = Wish(project, mode, start, None if part == 1 and project not in programmes else part)
    if issues:
        raise InvalidInput(issues)
    return tuple(sorted(wishes.values(), key=lambda wish: order[wish.project]))


def wishes_of(tables: Tables, allocation: Allocation) -> tuple[Wish, ...]:
    """Return what a plan, perhaps of another portfolio, wishes: its projects, modes, start years and scales.

    Raises
    ------
    UnknownName
        When these tables have no such project or mode.
    """
    scales = {choice.project: choice.scale for choice in allocation.choices}
    wishes = read_list(tables, [(choice.project, choice.mode, choice.start) for choice in allocation.choices])
    programmes = {project.id for project in tables.projects if project.kind == "programme"}
    return tuple(
        replace(wish, scale=scales[wish.project]) if wish.project in programmes or scales[wish.project] != 1 else wish
        for wish in wishes
    )


def _part(cell: Any) -> Fraction | None:
    """The scale that a cell holds; ``None`` where it is empty or holds none."""
    if cell is None:
        return None
    if isinstance(cell, Fraction):
        return cell if 0 < cell <= 1 else None
    read = reader_of("scale", Column(Kind.NUMBER), NumberFormat(), fallback_settings())
    try:
        part = Fraction(read(plain(cell)))
    except BadCell:
        return None
    return part if 0 < part <= 1 else None


def _entries(listed: Any, name: str) -> Iterator[tuple[Any, Any, Any, Any]]:
    if isinstance(listed, bytes) or not isinstance(listed, Iterable):
        raise wrong_argument(name, listed, "list")
    if hasattr(listed, "columns"):
        yield from _frame_entries(listed)
    elif isinstance(listed, Mapping):
        yield from ((project, None, _year(start), None) for project, start in listed.items())
    elif isinstance(listed, str):
        # A text is iterable too, but its letters are no projects.
        yield listed, None, None, None
    else:
        for entry in listed:
            parts = (entry,) if isinstance(entry, str) else tuple(entry) if isinstance(entry, Iterable) else ()
            if not 1 <= len(parts) <= 3:
                raise InvalidInput([error("list-entry", found=shown(entry))])
            if len(parts) == 2 and isinstance(_year(parts[1]), int):
                parts = (parts[0], None, parts[1])
            project, mode, start = (*parts, None, None)[:3]
            yield project, mode if _given(mode) else None, _year(start), None


def _frame_entries(frame: Any) -> Iterator[tuple[Any, Any, Any, Any]]:
    unknown = sorted(set(frame.columns) - _PLAN_COLUMNS)
    if unknown or "project" not in frame.columns:
        found = unknown[0] if unknown else ", ".join(map(str, frame.columns))
        raise UnknownName("column", str(found), ["project", "mode", "start", "scale", "funded"])
    for record in frame.to_dict("records"):
        if _is_funded(record.get("funded", True)):
            mode, scale = record.get("mode"), record.get("scale")
            start = _year(record.get("start"))
            yield record["project"], mode if _given(mode) else None, start, scale if _given(scale) else None


# A list may be the table of a plan, edited by hand; what the plan says besides is not part of the list.
_PLAN_COLUMNS = {
    *("project", "name", "funded", "mode", "start", "finish"),
    *("scale", "priority", "cost", "value", "weighted_value"),
}


def _is_funded(cell: Any) -> bool:
    read = reader_of("funded", Column(Kind.TRUTH), NumberFormat(), fallback_settings())
    try:
        return _given(cell) and bool(read(plain(cell)))
    except BadCell as fault:
        raise InvalidInput([error(fault.code, Place(column="funded"), found=cell)]) from None


def _given(cell: Any) -> bool:
    """Whether a cell holds something: not None, NaN, NA or the empty text."""
    import pandas as pd

    return not (cell is None or cell is pd.NA or cell == "" or cell != cell)  # noqa: PLR0124


def _year(cell: Any) -> Any:
    if not _given(cell):
        return None
    if isinstance(cell, Integral) and not isinstance(cell, bool):
        return int(cell)
    return int(cell) if isinstance(cell, float) and cell.is_integer() else cell

"""What is read of a sheet though nobody sees it: rows and columns that are hidden or filtered away."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from capalloc.excel.opening import Sheet
from capalloc.excel.scanning import letters_of
from capalloc.issues import Issue, Place, warning

_MOST_RUNS = 12
"""How many runs of hidden rows a message names; a filter may leave hundreds."""


def hidden_issues(sheet: Sheet, where: Place, rows: Iterable[int], columns: Iterable[int]) -> Iterator[Issue]:
    """Yield a warning for the hidden rows of a table, and one for its hidden columns; both are counted from 1."""
    hidden = sorted(sheet.scan.hidden_rows.intersection(rows))
    if hidden:
        runs = _runs(hidden)
        named = ", ".join(_written(str(first), str(last)) for first, last in runs[:_MOST_RUNS])
        more = ", …" if len(runs) > _MOST_RUNS else ""
        yield warning("hidden-rows", replace(where, cell=f"A{hidden[0]}"), count=len(hidden), rows=f"{named}{more}")
    unseen = sorted(n for n in columns if any(first <= n <= last for first, last in sheet.scan.hidden_columns))
    if unseen:
        named = ", ".join(_written(letters_of(first), letters_of(last)) for first, last in _runs(unseen))
        at = replace(where, cell=f"{letters_of(unseen[0])}1")
        yield warning("hidden-columns", at, count=len(unseen), columns=named)


def _runs(numbers: list[int]) -> list[tuple[int, int]]:
    """Return sorted numbers as runs without a gap.

    Examples
    --------
    >>> _runs([3, 5, 6, 7])
    [(3, 3), (5, 7)]
    """
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1] = runs[-1][0], number
        else:
            runs.append((number, number))
    return runs


def _written(first: str, last: str) -> str:
    return first if first == last else f"{first}-{last}"

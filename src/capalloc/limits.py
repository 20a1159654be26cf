"""The limits of a run as a user gives them: read into plain numbers, or refused all at once."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from numbers import Integral, Real
from typing import Any

from capalloc.arguments import shown
from capalloc.issues import InvalidInput, Issue, error
from capalloc.model import SolveOptions

_MOST = {
    # More than any machine has to give; an engine asked for tens of thousands would never get to work.
    "threads": 256,
    # HiGHS takes whole numbers of 32 bits, and CBC is given the seed + 1.
    "seed": 2**31 - 2,
    "node_limit": 2**31 - 1,
}


def read_limits(time_limit: Any, gap: Any, threads: Any, seed: Any, node_limit: Any) -> SolveOptions:
    """Return the limits as plain numbers of Python, whatever kind of number they were given as.

    Raises
    ------
    InvalidInput
        When a limit makes no sense; everything at once.
    """
    if issues := list(_issues(time_limit, gap, {"threads": threads, "seed": seed, "node_limit": node_limit})):
        raise InvalidInput(issues)
    return SolveOptions(
        None if time_limit is None else float(time_limit),
        float(gap),
        int(threads),
        int(seed),
        None if node_limit is None else int(node_limit),
    )


def _issues(time_limit: Any, gap: Any, wholes: dict[str, Any]) -> Iterator[Issue]:
    if time_limit is not None and not (_is_finite(time_limit) and time_limit > 0):
        yield error("limit-not-positive", name="time_limit", found=shown(time_limit))
    if not (_is_finite(gap) and gap >= 0):
        yield error("limit-negative", name="gap", found=shown(gap))
    for name, found in wholes.items():
        least = 0 if name == "seed" else 1
        if name == "node_limit" and found is None:
            continue
        if isinstance(found, bool) or not isinstance(found, Integral) or int(found) < least:
            yield error("limit-not-whole", name=name, found=shown(found), least=least)
        elif int(found) > _MOST[name]:
            yield error("limit-too-high", name=name, found=shown(found), most=_MOST[name])


def whole_issues(numbers: Mapping[str, Any], least: int) -> list[Issue]:
    """Return an issue for each argument, by its name, that is no whole number of at least so much."""
    return [
        error("limit-not-whole", name=name, found=shown(found), least=least)
        for name, found in numbers.items()
        if isinstance(found, bool) or not isinstance(found, Integral) or int(found) < least
    ]


def amount_issues(name: str, *found: Any) -> list[Issue]:
    """Return an issue for each number of an argument that is not finite or below 0."""
    return [
        error("limit-negative", name=name, found=shown(each)) for each in found if not (_is_finite(each) and each >= 0)
    ]


def part_issues(name: str, *found: Any) -> list[Issue]:
    """Return an issue for each number of an argument that is no part of a whole, from 0 to 1."""
    return [
        error("limit-not-a-part", name=name, found=shown(each))
        for each in found
        if not (_is_finite(each) and 0 <= each <= 1)
    ]


def _is_finite(found: Any) -> bool:
    """Whether it is a number that a float can hold."""
    if isinstance(found, bool) or not isinstance(found, Real):
        return False
    try:
        return math.isfinite(float(found))
    except OverflowError:
        return False

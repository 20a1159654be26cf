"""Arguments given from Python: what they must be, told in the user's words when they are something else."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from capalloc.catalogue import say
from capalloc.issues import InvalidInput, error

_LONGEST = 60


def expect(name: str, found: Any, kinds: type | tuple[type, ...], wanted: str) -> None:
    """Let an argument pass that is of one of the kinds.

    Parameters
    ----------
    name
        The argument, as the user writes it.
    wanted
        The key below ``argument`` of the text that says what it must be.

    Raises
    ------
    InvalidInput
        When it is of another kind.
    """
    if not isinstance(found, kinds):
        raise wrong_argument(name, found, wanted)


def wrong_argument(name: str, found: Any, wanted: str) -> InvalidInput:
    """Return the error that an argument is not what it must be."""
    expected = say(f"argument.{wanted}")
    kind = type(found).__name__
    return InvalidInput([error("wrong-argument", name=name, found=shown(found), type=kind, expected=expected)])


def path_given(name: str, found: Any) -> Path:
    """Return the path that an argument names.

    Raises
    ------
    InvalidInput
        When it is neither a text nor a path, or an empty text, which would stand for the folder one is in.
    """
    expect(name, found, (str, os.PathLike), "path")
    if found == "":
        raise wrong_argument(name, found, "path")
    return Path(found)


def shown(found: Any) -> str:
    """Return an argument as Python would write it, cut off where it is long.

    Examples
    --------
    >>> shown("60"), shown(10**100)
    ("'60'", '1000000000000000000000000000000000000000000000000000000000…')
    """
    try:
        text = repr(found)
    except ValueError:
        # Python refuses to write a whole number of many thousands of digits.
        text = type(found).__name__
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 2]}…"

"""Characters that nobody sees: two names that look the same must be the same."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

BREAKS = "\t\n\r\u2028\u2029"
"""What divides a text into lines and columns; names of things are one line, free text may be several."""

# Control and format characters, halves of characters, and separators of lines and paragraphs.
_INVISIBLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def invisible(text: str, allowed: str = "") -> Mapping[str, Any]:
    r"""Return which invisible character a text holds first and where, from 1; nothing when there is none.

    Examples
    --------
    >>> invisible("A\u200b1")
    {'point': 'U+200B ZERO WIDTH SPACE', 'position': 2}
    >>> invisible("two\nlines", BREAKS), invisible("Lai Châu")
    ({}, {})
    """
    if text.isprintable():
        return {}
    for position, letter in enumerate(text, start=1):
        if letter not in allowed and unicodedata.category(letter) in _INVISIBLE:
            return {"point": f"U+{ord(letter):04X} {unicodedata.name(letter, '')}".rstrip(), "position": position}
    return {}


def visible(text: str) -> str:
    r"""Return the text without its invisible characters.

    Examples
    --------
    >>> visible("A\u200b1")
    'A1'
    """
    return "".join(letter for letter in text if unicodedata.category(letter) not in _INVISIBLE).strip()

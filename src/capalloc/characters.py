"""Characters that nobody sees: two names that look the same must be the same."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

BREAKS = "\t\n\r\u2028\u2029"
"""What divides a text into lines and columns; names of things are one line, free text may be several."""

# Letters of other scripts, and dashes, that fonts draw like the letter beside them.
_TWINS = str.maketrans(
    "АВЕКМНОРСТУХІЈЅаеорсухіјѕΑΒΕΖΗΙΚΜΝΟΡΤΥΧοÐƉɖ‐‑‒–—−",
    "ABEKMHOPCTYXIJSaeopcyxijsABEZHIKMNOPTYXoĐĐđ------",
)
_DRAWN_ALIKE = ("<wide>", "<narrow>", "<noBreak>", "<font>")

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


def look(text: str) -> str:
    """Return a text as an eye takes it in: letters of other scripts, widths, dashes and blanks that are drawn alike.

    Examples
    --------
    >>> look("\u0410\u20131") == look("A-1") == look("\uff21-1")
    True
    >>> look("Đường 1") == "Đường 1"
    True
    """
    if text.isascii():
        return " ".join(text.split())
    drawn = "".join(
        unicodedata.normalize("NFKC", letter) if unicodedata.decomposition(letter).startswith(_DRAWN_ALIKE) else letter
        for letter in text
    )
    return re.sub(r"\s+", " ", drawn.translate(_TWINS)).strip()


def difference(text: str, other: str) -> Mapping[str, Any]:
    """Return the first letter of a text that differs from another one that looks the same, and where, from 1.

    Examples
    --------
    >>> difference("P\u04101", "PA1")
    {'point': 'U+0410 CYRILLIC CAPITAL LETTER A', 'position': 2}
    """
    place = next((n for n, pair in enumerate(zip(text, other, strict=False)) if pair[0] != pair[1]), len(other))
    letter = text[place : place + 1]
    return {"point": f"U+{ord(letter):04X} {unicodedata.name(letter, '')}" if letter else "", "position": place + 1}


def dictionary_order(word: str) -> tuple[str, str]:
    """Return what sorts words as a Vietnamese dictionary does: đ after d, accents only between words alike.

    Examples
    --------
    >>> sorted(["Đường", "Du lịch", "Ẩm", "An"], key=dictionary_order)
    ['Ẩm', 'An', 'Du lịch', 'Đường']
    """
    letters = unicodedata.normalize("NFD", word.casefold().replace("đ", "d\uffff"))
    return "".join(letter for letter in letters if not unicodedata.combining(letter)), word

"""The message catalogue: every text a user reads, in Vietnamese and in English.

The texts stand in the folders ``en`` and ``vi`` beside this file, one TOML file a topic, under the same keys.  Place
holders are named and may carry one of the formats ``money``, ``number`` or ``percent``, written in the form of the
language: ``{amount:money}`` reads ``1.234.567`` in Vietnamese and ``1,234,567`` in English.  ``{unit:unit}`` reads
``triệu đồng`` where the settings write ``million VND``.  Two words with a bar between them are a choice:
``{count:project|projects}`` reads ``project`` where the count is 1.
"""

from __future__ import annotations

import math
import os
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import Any, Literal

LANGUAGES = ("en", "vi")

_DIGITS = 400
_MOST_DECIMALS = 6

_language: ContextVar[str | None] = ContextVar("capalloc_language", default=None)


def language() -> str:
    """Return the language in force: the one set by :func:`speaking`, else ``CAPALLOC_LANG``, else English."""
    chosen = _language.get() or os.environ.get("CAPALLOC_LANG", "en")
    return chosen if chosen in LANGUAGES else "en"


@contextmanager
def speaking(lang: str | None) -> Iterator[None]:
    """Make ``lang`` the language of every text made inside the ``with`` block.

    Parameters
    ----------
    lang
        ``"vi"`` or ``"en"``; ``None`` leaves the language as it is.

    Raises
    ------
    ValueError
        When the language is not in the catalogue.
    """
    if lang is not None and lang not in LANGUAGES:
        raise ValueError(say("error.language", found=lang, known=", ".join(LANGUAGES)))
    token = _language.set(lang or _language.get())
    try:
        yield
    finally:
        _language.reset(token)


def say(key: str, /, **arguments: Any) -> str:
    """Return the text of ``key`` in the language in force, with its place holders filled.

    Raises
    ------
    KeyError
        When the catalogue has no such key.

    Examples
    --------
    >>> with speaking("vi"):
    ...     say("word.envelope")
    'hạn mức vốn'
    """
    lang = language()
    return _Formatter(lang).vformat(texts(lang)[key], (), arguments)


def has_text(key: str) -> bool:
    """Return whether the catalogue has the key."""
    return key in texts("en")


@cache
def texts(lang: str) -> Mapping[str, str]:
    """Return all texts of one language, flattened to dotted keys."""
    topics = sorted((file for file in files(__name__).joinpath(lang).iterdir()), key=lambda file: file.name)
    return {
        key: text for topic in topics for key, text in _flatten("", tomllib.loads(topic.read_text(encoding="utf-8")))
    }


def write_number(value: int | float | Decimal | Fraction, lang: str | None = None) -> str:
    """Return a number in the language's form, with at most six decimals.

    Examples
    --------
    >>> write_number(1234567, "vi"), write_number(Fraction(1, 8), "vi"), write_number(1234567, "en")
    ('1.234.567', '0,125', '1,234,567')
    """
    from babel.numbers import format_decimal

    with localcontext() as context:
        # With the usual 28 digits a longer number could not be rounded, and the fault would hide the message.
        context.prec = _DIGITS
        if isinstance(value, Fraction):
            value = Decimal(value.numerator) / Decimal(value.denominator)
        return format_decimal(value, format="#,##0.######", locale=lang or language())


def shown_part(
    part: float | Fraction, decimals: int = 6, toward: Literal["nearest", "down", "up"] = "nearest"
) -> Fraction:
    """Return a part of a whole as it is shown in percent: with so many decimals, or more where it takes more.

    What lies between nothing and all is never shown as 0% or 100%, so that no chance and no gap is rounded to
    certainty.  Gaps are shown ``"up"`` and what is used of an envelope ``"down"``, all else as the ``"nearest"``.

    Examples
    --------
    >>> float(shown_part(0.98765, 1)), float(shown_part(0.99996, 1)), float(shown_part(Fraction(1, 3), 2, "up"))
    (0.988, 0.99996, 0.3334)
    """
    exact = part if isinstance(part, Fraction) else Fraction(repr(float(part)))
    ends = (Fraction(0), Fraction(1))
    for places in range(decimals, max(decimals, _MOST_DECIMALS) + 1):
        grid = 100 * 10**places
        scaled = exact * grid
        whole = {"nearest": math.floor(scaled + Fraction(1, 2)), "down": math.floor(scaled), "up": math.ceil(scaled)}
        shown = Fraction(whole[toward], grid)
        if shown not in ends or exact in ends:
            return shown
    return shown + Fraction(1, grid) * (1 if exact > shown else -1)


def write_percent(
    part: float | Fraction, decimals: int = 6, toward: Literal["nearest", "down", "up"] = "nearest"
) -> str:
    """Return a part of a whole in percent, in the form of the language in force, rounded as by :func:`shown_part`.

    Examples
    --------
    >>> write_percent(0.99996, 1), write_percent(0.0027632, 3, "up")
    ('99.996%', '0.277%')
    """
    return f"{write_number(shown_part(part, decimals, toward) * 100)}%"


class _Formatter(Formatter):
    """Formats numbers in the form of one language."""

    def __init__(self, lang: str) -> None:
        self.lang = lang

    def convert_field(self, value: Any, conversion: Any) -> Any:
        # An exact number is shown as it was written, not as the type that holds it.
        is_exact = isinstance(value, Decimal | Fraction)
        return str(value) if conversion == "r" and is_exact else super().convert_field(value, conversion)

    def format_field(self, value: Any, format_spec: str) -> str:
        if format_spec in ("money", "number"):
            return write_number(value, self.lang)
        if format_spec == "percent":
            return f"{write_number(shown_part(value) * 100, self.lang)}%"
        if format_spec == "unit":
            return texts(self.lang).get(f"excel.word.{value}", str(value)).partition("|")[0]
        if "|" in format_spec:
            one, many = format_spec.split("|")
            return one if value == 1 else many
        return str(super().format_field(value, format_spec))


def _flatten(prefix: str, tree: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _flatten(f"{prefix}{key}.", value)
        else:
            yield f"{prefix}{key}", value

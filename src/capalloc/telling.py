"""What an answer about a plan owes its reader: a table, and one paragraph in the language in force."""

from __future__ import annotations

import html
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

from capalloc.catalogue import say

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 5


class Told(ABC):
    """An answer that is read as a table, as one paragraph, and in a notebook as both."""

    __slots__ = ()

    @abstractmethod
    def statement(self) -> str:
        """Return the answer as one paragraph in the language in force."""

    @abstractmethod
    def to_frame(self) -> pd.DataFrame:
        """Return the answer as a table."""

    def __str__(self) -> str:
        return self.statement()

    def _repr_html_(self) -> str:
        return f"<div><p>{html.escape(self.statement())}</p>{self.to_frame().to_html(index=False)}</div>"


def enumerated(names: Sequence[str]) -> str:
    """Return names as they stand in a sentence: the first few, and how many more there are."""
    if not names:
        return "–"
    shown = ", ".join(names[:_SHOWN])
    return shown if len(names) <= _SHOWN else say("sensitivity.more", names=shown, count=len(names) - _SHOWN)

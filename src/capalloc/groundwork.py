"""What was worked out about the tables of a portfolio, for portfolios whose tables differ from them in little."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from capalloc.changes import Edits
from capalloc.checking import Findings
from capalloc.compiling import Compiled
from capalloc.issues import Issues
from capalloc.law.enacting import enact
from capalloc.recompiling import differ_in_amounts, recompiled
from capalloc.tables import Tables


class Groundwork:
    """Remembers the last findings of each check, the rows in force and the compiled model.

    What has changed since is worked out anew: nothing depends on what a groundwork was used for before.

    Attributes
    ----------
    findings
        What each check found, and in which parts of the tables.
    edits
        What changes made of rows.
    """

    def __init__(self) -> None:
        self.findings = Findings()
        self.edits = Edits()
        self._given: Tables | None = None
        self._enacted: tuple[Tables, Tables, Issues] | None = None
        self._compiled: Compiled | None = None

    def shared(self, tables: Tables) -> Tables:
        """Return the same tables, with the parts that are those of the ones before as the very same objects."""
        known, self._given = self._given, tables
        if known is not None:
            pairs = {field.name: (getattr(known, field.name), getattr(tables, field.name)) for field in fields(Tables)}
            self._given = replace(tables, **{name: old for name, (old, new) in pairs.items() if _same(old, new)})
        return self._given

    def enacted(self, tables: Tables) -> tuple[Tables, Issues]:
        """Return checked tables with the statutory rules in force; see :func:`capalloc.law.enacting.enact`."""
        known = self._enacted
        if known is not None and differ_in_amounts(known[0], tables):
            # No statutory rule asks how much an envelope holds before it is in force.
            pairs = zip(known[1].envelopes, tables.envelopes, strict=True)
            rows = tuple(old if old.amount == new.amount else replace(old, amount=new.amount) for old, new in pairs)
            in_force = tables if known[1] is known[0] else replace(known[1], envelopes=rows)
            return in_force, known[2]
        in_force, told = enact(tables)
        self._enacted = (tables, in_force, told)
        return in_force, told

    def compiled(self, tables: Tables) -> Compiled:
        """Return the compiled model of tables in force."""
        self._compiled = recompiled(self._compiled, tables)
        return self._compiled

    def __reduce__(self) -> tuple[type[Groundwork], tuple[()]]:
        # What is remembered is large, and is there again after the first use.
        return Groundwork, ()


def _same(old: Any, new: Any) -> bool:
    """Whether two parts of tables say the same, at the same places."""
    if old is new or not isinstance(new, tuple) or not isinstance(old, tuple):
        return old is new
    return len(old) == len(new) and all(
        one is other or (one == other and one.row == other.row) for one, other in zip(old, new, strict=True)
    )

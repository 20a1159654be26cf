"""What was worked out about the tables of a portfolio, for portfolios whose tables differ from them in little."""

from __future__ import annotations

from dataclasses import replace

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
    """

    def __init__(self) -> None:
        self.findings = Findings()
        self._enacted: tuple[Tables, Tables, Issues] | None = None
        self._compiled: Compiled | None = None

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

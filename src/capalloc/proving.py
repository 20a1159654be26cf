"""What a doubter is given: the certificate of a plan, and the pack of all evidence."""

from __future__ import annotations

from dataclasses import replace
from datetime import date as day
from pathlib import Path
from typing import TYPE_CHECKING, Any

from capalloc.answer import Answer
from capalloc.arguments import path_given, wrong_argument
from capalloc.catalogue import LANGUAGES, say, speaking
from capalloc.certifying import LEAVES, ROUNDS, certificate_text, certify
from capalloc.confirming import Confirmation, confirmation
from capalloc.effort import EFFORT, Effort
from capalloc.evidence import CROSS_NODES, Evidence, pack_of
from capalloc.issues import CapallocError, InvalidInput, error
from capalloc.limits import read_limits, whole_issues
from capalloc.model import Status
from capalloc.robust import Robustness
from capalloc.tables import Tables
from capalloc.writing import write_atomically, write_bytes_atomically

if TYPE_CHECKING:
    import pandas as pd


class Proved:
    """A plan that can be checked without trusting who made it."""

    __slots__ = ()

    tables: Tables
    answer: Answer
    given: Tables | None
    robustness: Robustness | None

    def certificate(
        self,
        path: str | Path,
        *,
        leaves: int = LEAVES,
        rounds: int = ROUNDS,
        effort: int = EFFORT,
        time_limit: float | None = None,
    ) -> Confirmation:
        """Write a certificate of the plan and of a bound, and return what it confirms.

        The file holds the compiled model in exact numbers, the plan as a point of it, cuts with what they follow from,
        and a partition of all points whose parts each carry the multipliers that prove their bound.
        ``tools/check_certificate.py`` checks it with nothing but Python, ``capalloc verify`` against the tables
        besides.  The bound is proved anew and from scratch, so it may be better or worse than :attr:`bound`.  Where it
        was proved that there is no plan, so does the certificate as far as it gets.

        Parameters
        ----------
        leaves
            How many parts the points are divided into at most, for each proof; more give a better bound.
        rounds
            How often cuts are looked for at most, for each proof; with 0 there are none.
        effort
            How much work the search for cuts and parts is at most, for all proofs together: in simplex steps times
            entries of the model, counted in 10^9.  Where the search ends for want of it, the answer says so.
        time_limit
            Seconds for each partition, above 0; without one the same plan gives the same file.

        Raises
        ------
        InvalidInput
            When an argument makes no sense, the plan is a robust one, or a list that breaks something.
        CapallocError
            When there is no plan, and it was not proved that there is none.
        OSError
            When the file cannot be written.
        """
        target = path_given("path", path)
        options = read_limits(time_limit, 0.0, 1, 0, None)
        if issues := [*whole_issues({"leaves": leaves, "effort": effort}, 1), *whole_issues({"rounds": rounds}, 0)]:
            raise InvalidInput(issues)
        self._certifiable()
        whole = Effort(int(effort))
        certificate = certify(self.tables, self.answer, int(leaves), options.time_limit, int(rounds), whole)
        write_atomically(target, certificate_text(certificate))
        return replace(confirmation(certificate), ended_at=int(effort) if whole.ended else None)

    def evidence(
        self,
        path: str | Path,
        *,
        date: str | None = None,
        leaves: int = LEAVES,
        rounds: int = ROUNDS,
        effort: int = EFFORT,
        nodes: int = CROSS_NODES,
    ) -> Confirmation:
        """Write all evidence of the plan into one zip file, and return what its certificate confirms.

        In it are the inputs (as tables to read, and exact in ``inputs/portfolio.json``, which :func:`load` reads), the
        rules in words, the plan and its tables, the certificate with its checker, what two engines say of the same
        tables, the versions, the SHA-256 of every file, and the commands that check and repeat it.  The same plan
        gives the same bytes.

        Parameters
        ----------
        date
            A day to write on it, as YYYY-MM-DD; the clock is not asked.
        leaves, rounds, effort
            As for :meth:`certificate`.
        nodes
            After how many nodes each engine of the cross-check stops.

        Raises
        ------
        InvalidInput
            When an argument makes no sense, the plan is a robust one, or a list that breaks something.
        CapallocError
            When there is no plan.
        EngineFailed
            When an engine finds a plan that is worth more than another one proved possible.
        OSError
            When the file cannot be written.
        """
        target = path_given("path", path)
        wholes = {"leaves": leaves, "effort": effort, "nodes": nodes}
        if issues := [*whole_issues(wholes, 1), *whole_issues({"rounds": rounds}, 0)]:
            raise InvalidInput(issues)
        if date is not None:
            _expect_day(date)
        self._certifiable()
        frames = {name: self.table(name) for name in self.table_names}
        summaries = {}
        for lang in LANGUAGES:
            with speaking(lang):
                summaries[lang] = self.summary()
        found = Evidence(self.tables, self.given or self.tables, self.answer, frames, summaries, date or "")
        content, confirmed = pack_of(found, int(nodes), int(leaves), int(rounds), int(effort))
        write_bytes_atomically(target, content)
        return confirmed

    @property
    def table_names(self) -> tuple[str, ...]:
        """The tables that are written."""
        raise TypeError(type(self))

    def table(self, name: str) -> pd.DataFrame:
        """Return one of :attr:`table_names` by its name."""
        raise TypeError(type(self), name)

    def summary(self) -> str:
        """Return what the plan holds, as text in the language in force."""
        raise TypeError(type(self))

    def _certifiable(self) -> None:
        """Let pass what a certificate can be written of."""
        if self.robustness is not None:
            raise InvalidInput([error("robust-plan", question="certificate")])
        if self.answer.violations:
            raise InvalidInput([error("certificate-of-broken", count=len(self.answer.violations))])
        if self.answer.allocation is None and self.answer.status is not Status.INFEASIBLE:
            raise CapallocError(say("plan.none", status=say(f"plan.status.{self.answer.verdict}")))


def _expect_day(found: Any) -> None:
    try:
        whole = isinstance(found, str) and str(day.fromisoformat(found)) == found
    except ValueError:
        whole = False
    if not whole:
        raise wrong_argument("date", found, "day")

"""What a doubter is given: the certificate of a plan."""

from __future__ import annotations

from pathlib import Path

from capalloc.answer import Answer
from capalloc.arguments import path_given
from capalloc.catalogue import say
from capalloc.certifying import LEAVES, certify, write_certificate
from capalloc.confirming import Confirmation, confirmation
from capalloc.issues import CapallocError, InvalidInput, error
from capalloc.limits import read_limits, whole_issues
from capalloc.model import Status
from capalloc.robust import Robustness
from capalloc.tables import Tables


class Proved:
    """A plan that can be checked without trusting who made it."""

    __slots__ = ()

    tables: Tables
    answer: Answer
    robustness: Robustness | None

    def certificate(self, path: str | Path, *, leaves: int = LEAVES, time_limit: float | None = None) -> Confirmation:
        """Write a certificate of the plan and of a bound, and return what it confirms.

        The file holds the compiled model in exact numbers, the plan as a point of it, and a partition of all points
        whose parts each carry the multipliers that prove their bound.  ``tools/check_certificate.py`` checks it with
        nothing but Python, ``capalloc verify`` against the tables besides.  The bound is proved anew and from scratch,
        so it may be better or worse than :attr:`bound`.  Where it was proved that there is no plan, so does the
        certificate as far as it gets.

        Parameters
        ----------
        leaves
            How many parts the points are divided into at most, for each proof; more give a better bound.
        time_limit
            Seconds for each proof, above 0; without one the same plan gives the same file.

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
        if issues := whole_issues({"leaves": leaves}, 1):
            raise InvalidInput(issues)
        self._certifiable()
        certificate = certify(self.tables, self.answer, int(leaves), options.time_limit)
        write_certificate(target, certificate)
        return confirmation(certificate)

    def _certifiable(self) -> None:
        """Let pass what a certificate can be written of."""
        if self.robustness is not None:
            raise InvalidInput([error("robust-plan", question="certificate")])
        if self.answer.violations:
            raise InvalidInput([error("certificate-of-broken", count=len(self.answer.violations))])
        if self.answer.allocation is None and self.answer.status is not Status.INFEASIBLE:
            raise CapallocError(say("plan.none", status=say(f"plan.status.{self.answer.verdict}")))

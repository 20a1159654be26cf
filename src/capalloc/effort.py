"""How much work a search for proofs may do, as a count and not by the clock: the same on every machine."""

from __future__ import annotations

from typing import Any

EFFORT = 30
"""The effort of a certificate, unless told otherwise: about a minute of a machine of today."""

_UNIT = 10**9

# What there is to do for a relaxation beside its steps, in steps.
_FIXED = 100


class Effort:
    """Counts simplex steps, each as much as the model has entries; a whole unit is 10^9 of these.

    Parameters
    ----------
    most
        How many units may be spent; what is begun is brought to its end, so that it may be a little more.
    within
        An effort that this one is part of.
    """

    __slots__ = ("_left", "_within", "ended")

    def __init__(self, most: float, within: Effort | None = None) -> None:
        self._left, self._within = most * _UNIT, within
        self.ended = False

    def part(self, share: float) -> Effort:
        """Return an effort of so much of what is left of this one, which pays for it."""
        return Effort(share * max(0.0, self._left) / _UNIT, self)

    def spend(self, solver: Any, entries: int) -> None:
        """Count what the last run of HiGHS did on a model of so many entries."""
        self.pay((max(0, int(solver.getInfo().simplex_iteration_count)) + _FIXED) * entries)

    def pay(self, work: float) -> None:
        """Count work in steps times entries, also for what this effort is part of."""
        self._left -= work
        if self._within is not None:
            self._within.pay(work)

    @property
    def spent(self) -> bool:
        """Whether nothing is left; asking is how a search learns that it must end, which is remembered."""
        if self._left > 0:
            return False
        self.end()
        return True

    def end(self) -> None:
        """Remember that a search ended for want of this effort, also in what it is part of."""
        self.ended = True
        if self._within is not None:
            self._within.end()

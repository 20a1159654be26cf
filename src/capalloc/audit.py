"""What an independent reading of a plan finds: the account of every project, envelope and resource."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from capalloc.issues import Issues


@dataclass(frozen=True, slots=True)
class ProjectAudit:
    """A funded project: its years, its cost over its life in million VND, and its value.

    ``value`` is before class weights; ``weighted_value`` is what the project adds to the objective.
    """

    project: str
    mode: str
    start: int
    finish: int
    scale: Fraction
    cost: int
    value: Fraction
    weighted_value: Fraction


@dataclass(frozen=True, slots=True)
class EnvelopeAudit:
    """An envelope in million VND: ``room`` is the amount less the reserve, ``slack`` the room less what was used."""

    source: tuple[str, ...]
    period: str
    amount: int
    reserve: int
    room: int
    used: int

    @property
    def slack(self) -> int:
        """What is left of the room; negative when the envelope is exceeded."""
        return self.room - self.used


@dataclass(frozen=True, slots=True)
class ResourceAudit:
    """A resource in a period, in its own unit."""

    resource: str
    period: str
    amount: Fraction
    used: Fraction

    @property
    def slack(self) -> Fraction:
        """What is left; negative when more is used than there is."""
        return self.amount - self.used


@dataclass(frozen=True, slots=True)
class Audit:
    """The account of a plan; it obeys the tables exactly when ``violations`` is empty.

    ``value`` is what the objective adds up, class weights included.
    """

    value: Fraction
    projects: tuple[ProjectAudit, ...]
    envelopes: tuple[EnvelopeAudit, ...]
    resources: tuple[ResourceAudit, ...]
    violations: Issues

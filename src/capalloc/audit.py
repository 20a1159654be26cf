"""What an independent reading of a plan finds: the account of every project, envelope, resource, rule and target."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from capalloc.issues import Issues


@dataclass(frozen=True, slots=True)
class ProjectAudit:
    """A funded project: its years, its cost over its life in million VND, and its value.

    For a programme these are what is funded at its ``scale``: the cost is the scale times the cost of the whole.
    ``value`` is before class weights; ``weighted_value`` is what the project adds to the objective.  ``class_`` is its
    priority class, by the phase it starts in; ``None`` where the tables give it none.
    """

    project: str
    mode: str
    start: int
    finish: int
    scale: Fraction
    cost: int
    value: Fraction
    weighted_value: Fraction
    class_: int | None = None


@dataclass(frozen=True, slots=True)
class EnvelopeAudit:
    """An envelope in million VND.

    ``room`` is what of the amount the reserve leaves and is expected to be paid out; ``carried_in`` comes from the
    phase before and ``carried_out`` goes to the next: the least with which the plan fits.
    """

    source: tuple[str, ...]
    period: str
    amount: int
    reserve: int
    room: int
    used: int
    carried_in: int = 0
    carried_out: int = 0

    @property
    def undisbursed(self) -> int:
        """What is neither held back nor expected to be paid out."""
        return self.amount - self.reserve - self.room

    @property
    def slack(self) -> int:
        """What is left of the room and of what was carried in; negative when the envelope is exceeded."""
        return self.room + self.carried_in - self.carried_out - self.used


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
class RuleAudit:
    """A rule that is in force: ``used`` is its measure, ``amount`` the number it is held against (after `share_of`).

    Amounts of money are million VND.  ``violation`` is how far the measure misses, ``paid`` the violation times the
    price; a rule without a price is hard and nothing is paid for it.
    """

    id: str
    sense: str
    amount: Fraction
    used: Fraction
    violation: Fraction
    price: Fraction | None
    paid: Fraction

    @property
    def slack(self) -> Fraction:
        """What is left before the rule is missed; negative by as much as it is missed."""
        if self.sense == "==":
            return -self.violation
        return self.amount - self.used if self.sense == "<=" else self.used - self.amount

    @property
    def binding(self) -> bool:
        """Whether nothing is left."""
        return self.slack <= 0


@dataclass(frozen=True, slots=True)
class TargetAudit:
    """What an indicator reaches by the end of a year, its baseline included, and what was paid for the shortfall."""

    indicator: str
    by_year: int
    at_least: Fraction
    reached: Fraction
    shortfall: Fraction
    price: Fraction | None
    paid: Fraction

    @property
    def slack(self) -> Fraction:
        """What is reached beyond the target; negative by as much as is missing."""
        return self.reached - self.at_least


@dataclass(frozen=True, slots=True)
class ClassAudit:
    """What a priority class adds up, without weights: its options, its synergies, less its penalties."""

    class_: int
    value: Fraction


@dataclass(frozen=True, slots=True)
class Audit:
    """The account of a plan; it obeys the tables exactly when ``violations`` is empty.

    ``value`` is what the objective adds up: ``gross`` (the options, class weights included) and ``synergies`` less
    ``penalties`` (what soft rules and targets charge).  Where the goal is lexicographic it is the value of the last
    class alone, and ``gross`` carries no weights.  ``classes`` stand in ascending order.
    """

    value: Fraction
    gross: Fraction
    synergies: Fraction
    penalties: Fraction
    projects: tuple[ProjectAudit, ...]
    envelopes: tuple[EnvelopeAudit, ...]
    resources: tuple[ResourceAudit, ...]
    rules: tuple[RuleAudit, ...]
    targets: tuple[TargetAudit, ...]
    classes: tuple[ClassAudit, ...]
    violations: Issues

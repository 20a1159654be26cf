"""The rows of every table, one frozen record a table.

A field declared with :func:`~capalloc.schema.column` is a column of the table; its name is the heading.  Amounts of
money are whole million VND, shares and values exact rationals.  An empty ``mode`` stands for the only mode of a
project without `modes`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from types import MappingProxyType

from capalloc.schema import Kind, TableSchema, column, table_schema

PROJECT_KINDS = ("works", "programme")
STATUSES = ("proposed", "policy_decided", "decided", "under_way", "completed_unpaid", "arrears", "advance")
UNDER_WAY = ("under_way", "completed_unpaid", "arrears", "advance")
"""The statuses of projects that began before the plan decides, if their start is known to lie there."""

BASES = ("seed", "public", "unit-cost", "assumed")
SIDES = ("state", "non_state")
DEPENDENCY_KINDS = ("requires", "finish_start", "start_start", "together", "excludes")
GROUP_KINDS = ("one_of", "exactly_one_of", "at_least", "at_most")
MEASURES = ("starts", "completions", "active", "cost", "paid", "tail", "value", "envelope")
MONEY_MEASURES = ("cost", "paid", "tail", "envelope")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What every row carries: where it stands in its file or frame, and where its figures come from."""

    row: int | None = None
    basis: str = column(Kind.CHOICE, choices=BASES, default="")
    source_ref: str = column(Kind.TEXT, default="")
    note: str = column(Kind.TEXT, default="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Project(Row):
    """A candidate. ``attributes`` holds the columns that are not named here: numbers exact, the rest text."""

    id: str = column(Kind.ID, key=True, required=True, default="")
    name: str = column(Kind.TEXT, default="")
    name_en: str = column(Kind.TEXT, default="")
    sector: str = column(Kind.TEXT, default="")
    location: str = column(Kind.TEXT, default="")
    agency: str = column(Kind.TEXT, default="")
    legal_group: str = column(Kind.TEXT, default="")
    kind: str = column(Kind.CHOICE, choices=PROJECT_KINDS, default="works")
    status: str = column(Kind.CHOICE, choices=STATUSES, default="proposed")
    priority: int | None = column(Kind.INTEGER, least=1)
    mandatory: bool = column(Kind.TRUTH, default=False)
    earliest_start: int | None = column(Kind.YEAR)
    latest_start: int | None = column(Kind.YEAR)
    duration: int = column(Kind.INTEGER, least=1, default=1)
    cost: int | None = column(Kind.MONEY, least=0)
    cost_low: int | None = column(Kind.MONEY, least=0)
    cost_high: int | None = column(Kind.MONEY, least=0)
    size: int | None = column(Kind.MONEY, least=0)
    profile: str = column(Kind.ID, default="")
    price_year: int | None = column(Kind.YEAR)
    value: Fraction | None = column(Kind.NUMBER)
    min_scale: Fraction | None = column(Kind.FRACTION)
    year_min: Fraction | None = column(Kind.FRACTION)
    year_max: Fraction | None = column(Kind.FRACTION)
    attributes: Mapping[str, str | Fraction] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode(Row):
    """One variant of a project; an empty cell takes the project's."""

    project: str = column(Kind.ID, key=True, required=True, refers_to="projects", default="")
    mode: str = column(Kind.ID, key=True, required=True, default="")
    name: str = column(Kind.TEXT, default="")
    cost: int | None = column(Kind.MONEY, least=0)
    duration: int | None = column(Kind.INTEGER, least=1)
    profile: str = column(Kind.ID, default="")
    value: Fraction | None = column(Kind.NUMBER)
    earliest_start: int | None = column(Kind.YEAR)
    latest_start: int | None = column(Kind.YEAR)
    year_min: Fraction | None = column(Kind.FRACTION)
    year_max: Fraction | None = column(Kind.FRACTION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost(Row):
    """What a project costs in one year, counted from its start (offset 0)."""

    project: str = column(Kind.ID, key=True, required=True, refers_to="projects", default="")
    mode: str = column(Kind.ID, key=True, default="")
    offset: int = column(Kind.INTEGER, key=True, required=True, least=0, default=0)
    amount: int = column(Kind.MONEY, required=True, least=0, default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Benefit(Row):
    """What a project brings in one year, counted from its start or from its finish year (offset 0)."""

    project: str = column(Kind.ID, key=True, required=True, refers_to="projects", default="")
    mode: str = column(Kind.ID, key=True, default="")
    offset: int = column(Kind.INTEGER, key=True, required=True, least=0, default=0)
    amount: Fraction = column(Kind.NUMBER, required=True, default=Fraction(0))
    from_: str = column(Kind.CHOICE, choices=("start", "completion"), default="start")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileShare(Row):
    """The share of the cost paid in one year by a project with this profile and duration."""

    profile: str = column(Kind.ID, key=True, required=True, default="")
    duration: int = column(Kind.INTEGER, key=True, required=True, least=1, default=1)
    offset: int = column(Kind.INTEGER, key=True, required=True, least=0, default=0)
    share: Fraction = column(Kind.FRACTION, required=True, default=Fraction(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceIndex(Row):
    """The price level of a year."""

    year: int = column(Kind.YEAR, key=True, required=True, default=0)
    index: Fraction = column(Kind.NUMBER, required=True, least=0, default=Fraction(1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Source(Row):
    """Who pays. Only projects in the selection ``eligible`` may be paid from it; an empty one means all.

    ``disbursement`` is the share of its envelopes that is expected to be paid out.
    """

    id: str = column(Kind.ID, key=True, required=True, default="")
    name: str = column(Kind.TEXT, default="")
    name_en: str = column(Kind.TEXT, default="")
    side: str = column(Kind.CHOICE, choices=SIDES, required=True, default="state")
    public_investment: bool = column(Kind.TRUTH, default=False)
    eligible: str = column(Kind.SELECTION, default="")
    reserve: Fraction = column(Kind.FRACTION, default=Fraction(0))
    disbursement: Fraction = column(Kind.FRACTION, default=Fraction(1))
    carry_cap: Fraction = column(Kind.FRACTION, default=Fraction(0))
    unlimited: bool = column(Kind.TRUTH, default=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope(Row):
    """A ceiling on what one source, or several together, pays in a period.

    An empty ``reserve``, ``disbursement`` or ``carry_cap`` is that of the source.
    """

    source: tuple[str, ...] = column(Kind.IDS, key=True, required=True, refers_to="sources", default=())
    period: str = column(Kind.PERIOD, key=True, required=True, default="")
    amount: int = column(Kind.MONEY, required=True, least=0, default=0)
    reserve: Fraction | None = column(Kind.FRACTION)
    disbursement: Fraction | None = column(Kind.FRACTION)
    carry_cap: Fraction | None = column(Kind.FRACTION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share(Row):
    """Bounds on the part of a project's cost that a source, or several together, pay.

    The greatest whole amount is rounded up, except where ``max`` is a ``legal`` cap, which is never passed.
    """

    project: str = column(Kind.PROJECTS, key=True, required=True, refers_to="projects", default="")
    mode: str = column(Kind.ID, key=True, default="")
    source: tuple[str, ...] = column(Kind.IDS, key=True, required=True, refers_to="sources", default=())
    min: Fraction = column(Kind.FRACTION, default=Fraction(0))
    max: Fraction = column(Kind.FRACTION, default=Fraction(1))
    per: str = column(Kind.CHOICE, key=True, choices=("life", "year"), default="life")
    legal: bool = column(Kind.TRUTH, default=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Priority(Row):
    """The class of a project that starts in a phase."""

    project: str = column(Kind.ID, key=True, required=True, refers_to="projects", default="")
    mode: str = column(Kind.ID, key=True, default="")
    phase: str = column(Kind.PERIOD, key=True, required=True, default="")
    class_: int = column(Kind.INTEGER, required=True, least=1, default=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid(Row):
    """What a source paid for a project in a year before ``decide_from``."""

    project: str = column(Kind.ID, key=True, required=True, refers_to="projects", default="")
    source: str = column(Kind.ID, key=True, required=True, refers_to="sources", default="")
    year: int = column(Kind.YEAR, key=True, required=True, default=0)
    amount: int = column(Kind.MONEY, required=True, least=0, default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Commitment(Row):
    """A decision already taken: the project is in or out, perhaps in a given mode and start year."""

    project: str = column(Kind.ID, key=True, required=True, refers_to="projects", default="")
    decision: str = column(Kind.CHOICE, choices=("in", "out"), required=True, default="in")
    mode: str = column(Kind.ID, default="")
    start: int | None = column(Kind.YEAR)
    reason: str = column(Kind.TEXT, default="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency(Row):
    """What ``then`` owes to ``first``; see :mod:`capalloc.compiling` for the inequality of each kind."""

    kind: str = column(Kind.CHOICE, key=True, choices=DEPENDENCY_KINDS, required=True, default="requires")
    first: str = column(Kind.ID, key=True, required=True, refers_to="projects", default="")
    then: str = column(Kind.ID, key=True, required=True, refers_to="projects", default="")
    lag: int = column(Kind.INTEGER, least=0, default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership(Row):
    """A project's place in a group; ``kind`` and ``k`` are the same in all rows of the group."""

    group: str = column(Kind.ID, key=True, required=True, default="")
    project: str = column(Kind.ID, key=True, required=True, refers_to="projects", default="")
    kind: str = column(Kind.CHOICE, choices=GROUP_KINDS, required=True, default="one_of")
    k: int | None = column(Kind.INTEGER, least=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion(Row):
    """One criterion of the score, on the scale from ``low`` to ``high``; the weights of a set add to 1."""

    criterion: str = column(Kind.ID, key=True, required=True, default="")
    set: str = column(Kind.ID, default="")
    weight: Fraction = column(Kind.FRACTION, required=True, default=Fraction(0))
    direction: str = column(Kind.CHOICE, choices=("max", "min"), default="max")
    low: Fraction = column(Kind.NUMBER, default=Fraction(0))
    high: Fraction = column(Kind.NUMBER, default=Fraction(1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Score(Row):
    """A project's score on a criterion."""

    project: str = column(Kind.ID, key=True, required=True, refers_to="projects", default="")
    mode: str = column(Kind.ID, key=True, default="")
    criterion: str = column(Kind.ID, key=True, required=True, refers_to="criteria", default="")
    score: Fraction = column(Kind.NUMBER, required=True, default=Fraction(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource(Row):
    """Anything scarce that is not money."""

    id: str = column(Kind.ID, key=True, required=True, default="")
    name: str = column(Kind.TEXT, default="")
    unit: str = column(Kind.TEXT, default="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Use(Row):
    """What a project uses of a resource in one year, counted from its start."""

    project: str = column(Kind.ID, key=True, required=True, refers_to="projects", default="")
    mode: str = column(Kind.ID, key=True, default="")
    resource: str = column(Kind.ID, key=True, required=True, refers_to="resources", default="")
    offset: int = column(Kind.INTEGER, key=True, least=0, default=0)
    amount: Fraction = column(Kind.NUMBER, required=True, least=0, default=Fraction(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity(Row):
    """How much of a resource a period has."""

    resource: str = column(Kind.ID, key=True, required=True, refers_to="resources", default="")
    period: str = column(Kind.PERIOD, key=True, required=True, default="")
    amount: Fraction = column(Kind.NUMBER, required=True, least=0, default=Fraction(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator(Row):
    """A measured outcome, with its value before the plan."""

    id: str = column(Kind.ID, key=True, required=True, default="")
    name: str = column(Kind.TEXT, default="")
    unit: str = column(Kind.TEXT, default="")
    baseline: Fraction = column(Kind.NUMBER, default=Fraction(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution(Row):
    """What a completed project adds to an indicator."""

    project: str = column(Kind.ID, key=True, required=True, refers_to="projects", default="")
    mode: str = column(Kind.ID, key=True, default="")
    indicator: str = column(Kind.ID, key=True, required=True, refers_to="indicators", default="")
    amount: Fraction = column(Kind.NUMBER, required=True, default=Fraction(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Target(Row):
    """What an indicator must reach by the end of a year; with a price, missing it is charged instead of barred."""

    indicator: str = column(Kind.ID, key=True, required=True, refers_to="indicators", default="")
    by_year: int = column(Kind.YEAR, key=True, required=True, default=0)
    at_least: Fraction = column(Kind.NUMBER, required=True, default=Fraction(0))
    price: Fraction | None = column(Kind.NUMBER, least=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(Row):
    """A measure over a selection in a period, compared with a number or with a fraction of another measure.

    Where ``is_money``, ``amount`` is in million VND, whatever the unit of the files.
    """

    id: str = column(Kind.ID, key=True, required=True, default="")
    enabled: bool = column(Kind.TRUTH, default=True)
    measure: str = column(Kind.TEXT, required=True, default="")
    selection: str = column(Kind.SELECTION, default="")
    period: str = column(Kind.PERIOD, default="")
    sense: str = column(Kind.CHOICE, choices=("<=", ">=", "=="), required=True, default="<=")
    amount: Fraction = column(Kind.NUMBER, required=True, default=Fraction(0))
    share_of: str = column(Kind.TEXT, default="")
    price: Fraction | None = column(Kind.NUMBER, least=0)
    class_: int | None = column(Kind.INTEGER, least=1)
    legal_ref: str = column(Kind.TEXT, default="")
    waivable: str = column(Kind.TEXT, default="")

    @property
    def is_money(self) -> bool:
        """Whether ``amount`` is an amount of money: the measure is, and it is not compared with another one."""
        return not self.share_of.strip() and self.measure.partition(":")[0].strip() in MONEY_MEASURES


@dataclass(frozen=True, slots=True, kw_only=True)
class Synergy(Row):
    """Extra value when a whole set of projects is funded."""

    id: str = column(Kind.ID, key=True, required=True, default="")
    projects: tuple[str, ...] = column(Kind.IDS, required=True, refers_to="projects", default=())
    value: Fraction = column(Kind.NUMBER, required=True, default=Fraction(0))
    class_: int | None = column(Kind.INTEGER, least=1)


RECORDS: Mapping[str, type[Row]] = MappingProxyType(
    {
        "projects": Project,
        "modes": Mode,
        "costs": Cost,
        "benefits": Benefit,
        "profiles": ProfileShare,
        "price_index": PriceIndex,
        "sources": Source,
        "envelopes": Envelope,
        "shares": Share,
        "priorities": Priority,
        "paid": Paid,
        "committed": Commitment,
        "dependencies": Dependency,
        "groups": Membership,
        "criteria": Criterion,
        "scores": Score,
        "resources": Resource,
        "uses": Use,
        "capacities": Capacity,
        "indicators": Indicator,
        "contributions": Contribution,
        "targets": Target,
        "rules": Rule,
        "synergies": Synergy,
    }
)

SCHEMAS: Mapping[str, TableSchema] = MappingProxyType({name: table_schema(name, r) for name, r in RECORDS.items()})

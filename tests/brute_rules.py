"""What rules and targets say of a tiny plan: each one a number that choices fix and payments move."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from capalloc.records import Project
from capalloc.selection import parse_selection
from capalloc.tables import Tables


@dataclass(frozen=True)
class Way:
    """One way to do a project, with what it costs by year, what it is worth, and its class.

    ``flexible`` is the total, the least and the most a year where the plan decides what the years cost; ``scale`` the
    part of a programme, of which costs and worth are already.
    """

    project: Project
    mode: str
    start: int
    finish: int
    costs: dict[int, int]
    worth: Fraction
    class_: int | None
    scale: Fraction = Fraction(1)
    flexible: tuple[int, int, int] | None = None

    @property
    def last(self) -> int:
        """The last year of work or payment."""
        return max(self.finish, max((year for year, amount in self.costs.items() if amount), default=0))


@dataclass(frozen=True)
class Statement:
    """A rule or a target: measure less limit is ``constant``, and for each million paid so much more as ``moved``."""

    name: str
    sense: str
    price: Fraction | None
    class_: int | None
    constant: Fraction
    about_payments: bool
    moved: Callable[[str, int, str], Fraction]

    def miss(self, difference: Fraction) -> Fraction:
        """By how much a difference of measure and limit is on the wrong side."""
        wrong = {"<=": difference > 0, ">=": difference < 0, "==": True}[self.sense]
        return abs(difference) if wrong else Fraction(0)

    def is_broken(self, difference: Fraction) -> bool:
        """Whether it may not be missed and is."""
        return self.price is None and self.miss(difference) != 0


def classes_of(tables: Tables) -> list[int]:
    """Return all classes, the first first."""
    classes = [row.priority for row in tables.projects]
    for table in (tables.priorities, tables.rules, tables.synergies):
        classes += [row.class_ for row in table]
    return sorted({number for number in classes if number})


def class_of(tables: Tables, project: Project, mode: str, start: int) -> int | None:
    """Return the class of a project done in a mode from a year."""
    phases = [phase.name for phase in tables.settings.phases if phase.first <= start <= phase.last]
    for wanted in (mode, ""):
        for row in tables.priorities:
            if row.project == project.id and row.mode == wanted and row.phase in phases:
                return row.class_
    return project.priority


def penalties(tables: Tables, made: Sequence[Statement], differences: Sequence[Fraction]) -> tuple[Fraction, ...]:
    """Return what is charged: one number a class where classes are ordered, else one for all."""
    charges = [
        (statement.class_, statement.miss(difference) * (statement.price or 0))
        for statement, difference in zip(made, differences, strict=True)
    ]
    if tables.settings.objective.goal != "lexicographic":
        return (sum((charge for _, charge in charges), Fraction(0)),)
    classes = classes_of(tables)
    return tuple(
        sum((charge for own, charge in charges if (own or classes[-1]) == number), Fraction(0)) for number in classes
    )


def statements(tables: Tables, plan: list[Way]) -> list[Statement]:
    """Return what every rule in force and every target says of a plan."""
    return [*_rules(tables, plan), *_targets(tables, plan)]


def _targets(tables: Tables, plan: list[Way]) -> Iterator[Statement]:
    for row in tables.targets:
        baseline = sum(indicator.baseline for indicator in tables.indicators if indicator.id == row.indicator)
        done = [way for way in plan if way.finish <= row.by_year]
        reached = baseline + sum(_contribution(tables, way, row.indicator) for way in done)
        yield Statement("", ">=", row.price, None, reached - row.at_least, False, lambda *_: Fraction(0))


def _rules(tables: Tables, plan: list[Way]) -> Iterator[Statement]:
    for row in tables.rules:
        if not row.enabled:
            continue
        number, moved = _measure(tables, plan, row.measure, row.selection, row.period)
        if not row.share_of:
            about = _pays(plan, row.measure)
            yield Statement(row.id, row.sense, row.price, row.class_, number - row.amount, about, moved)
            continue
        cells = [cell.strip() for cell in row.share_of.split(";")] + ["", ""]
        measure, selection, period = cells[0] or row.measure, cells[1] or row.selection, cells[2] or row.period
        other, other_moved = _measure(tables, plan, measure, selection, period)
        about = _pays(plan, row.measure) or _pays(plan, measure)
        yield Statement(
            row.id,
            row.sense,
            row.price,
            row.class_,
            number - row.amount * other,
            about,
            _less(moved, row.amount, other_moved),
        )


Moved = Callable[[str, int, str], Fraction]


def _less(one: Moved, share: Fraction, other: Moved) -> Moved:
    return lambda *payment: one(*payment) - share * other(*payment)


def _pays(plan: list[Way], measure: str) -> bool:
    """Whether payments move a measure: of payments, or of costs that the plan decides."""
    return measure.startswith("paid") or (measure in ("cost", "tail") and any(way.flexible for way in plan))


def _measure(tables: Tables, plan: list[Way], text: str, selection: str, period: str) -> tuple[Fraction, Moved]:
    """What a measure comes to before anything is paid, and what each million paid adds to it."""
    general = tables.settings
    span = general.period(period) if period else general.horizon
    mine = [way for way in plan if parse_selection(selection).matches(way.project)]
    word, _, named = text.partition(":")
    names = named.split("+")
    if word == "paid":
        projects = {way.project.id for way in mine}
        payers = set(names) if named else {source.id for source in tables.sources}
        return Fraction(0), lambda project, year, source: Fraction(
            project in projects and source in payers and span.first <= year <= span.last
        )
    if word == "envelope":
        inside = [general.period(row.period) for row in tables.envelopes]
        held = sum(
            row.amount
            for row, years in zip(tables.envelopes, inside, strict=True)
            if sorted(row.source) == sorted(names) and span.first <= years.first and years.last <= span.last
        )
        return Fraction(held), lambda *_: Fraction(0)
    counted = Fraction(sum(_amounts(tables, mine, text, span.first, span.last)))
    free = {way.project.id: way.start for way in mine if way.flexible}
    if text == "cost":
        return counted, lambda project, year, _: Fraction(project in free and span.first <= year <= span.last)
    if text == "tail":
        return counted, lambda project, year, _: Fraction(project in free and free[project] <= span.last < year)
    return counted, lambda *_: Fraction(0)


def _amounts(tables: Tables, mine: list[Way], text: str, first: int, last: int) -> Iterable[Fraction | int]:
    """What each way adds to a measure other than of payments and envelopes."""
    objective = tables.settings.objective
    late = objective.at == "completion" and objective.value_from != "benefits"
    counted = {
        "starts": lambda way: first <= way.start <= last,
        "completions": lambda way: first <= way.finish <= last,
        "active": lambda way: any(first <= year <= last for year in range(way.start, way.finish + 1)),
    }
    if text in counted:
        return [int(counted[text](way)) for way in mine]
    if text in ("cost", "tail"):
        lines = [(way.start, year, amount) for way in mine for year, amount in way.costs.items()]
        inside = [amount for _, year, amount in lines if first <= year <= last]
        return inside if text == "cost" else [amount for start, year, amount in lines if start <= last < year]
    if text == "value":
        return [way.worth for way in mine if first <= (way.finish if late else way.start) <= last]
    name = text.rpartition(":")[2]
    if name in [row.id for row in tables.indicators]:
        return [_contribution(tables, way, name) for way in mine if first <= way.finish <= last]
    return [
        use.amount * way.scale
        for way in mine
        for use in tables.uses
        if (use.project, use.mode, use.resource) == (way.project.id, way.mode, name)
        and first <= way.start + use.offset <= last
    ]


def _contribution(tables: Tables, way: Way, indicator: str) -> Fraction:
    return sum(
        (
            row.amount * way.scale
            for row in tables.contributions
            if (row.project, row.mode, row.indicator) == (way.project.id, way.mode, indicator)
        ),
        Fraction(0),
    )

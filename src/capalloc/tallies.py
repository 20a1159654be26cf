"""What rules, targets and synergies measure in a plan, and what missing them costs, counted for the verifier."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from capalloc.audit import ClassAudit, RuleAudit, TargetAudit
from capalloc.bookkeeping import Books, Funded, period_of
from capalloc.issues import Issue, error
from capalloc.records import MEASURES, Rule, Synergy
from capalloc.recount import Counted, Recount
from capalloc.selection import parse_selection
from capalloc.settings import Period
from capalloc.tables import Tables

_OF_MONEY = ("cost", "paid", "tail", "envelope")
_WITH_NAMES = ("paid", "envelope", "indicator", "resource")
_SIGNS = {"<=": "≤", ">=": "≥", "==": "="}


@dataclass(frozen=True, slots=True)
class Measure:
    """What is measured: a kind, the sources, indicator or resource it names, over which projects and years."""

    kind: str
    names: tuple[str, ...]
    selection: str
    period: Period


class Tally:
    """The funded options and the payments of a plan, ready to be measured."""

    def __init__(self, tables: Tables, recount: Recount, options: Sequence[Counted], books: Books) -> None:
        self.tables = tables
        self._recount, self._options, self._books = recount, options, books
        self._contributions: dict[tuple[str, str, str], Fraction] = defaultdict(Fraction)
        for row in tables.contributions:
            self._contributions[row.project, row.mode, row.indicator] += row.amount
        self._kinds: Mapping[str, Callable[[Measure, Counted], Fraction | int]] = {
            "starts": lambda m, o: int(o.start in m.period),
            "completions": lambda m, o: int(o.finish in m.period),
            "active": lambda m, o: int(o.start <= m.period.last and m.period.first <= o.finish),
            "cost": lambda m, o: sum(n for year, n in o.costs.items() if year in m.period),
            "tail": lambda m, o: sum(n for year, n in o.costs.items() if o.start <= m.period.last < year),
            "value": self._value,
            "paid": self._paid,
            "indicator": self._indicator,
            "resource": self._resource,
        }

    def of(self, measure: Measure) -> Fraction:
        """Return what a measure comes to in the plan; money in million VND."""
        if measure.kind == "envelope":
            return Fraction(self._envelopes(measure))
        selection = parse_selection(measure.selection)
        chosen = (option for option in self._options if selection.matches(option.project))
        return sum((Fraction(self._share(measure, option)) for option in chosen), Fraction(0))

    def reached(self, indicator: str, by_year: int) -> Fraction:
        """Return an indicator's baseline with all that is completed by the end of a year."""
        baseline = next((row.baseline for row in self.tables.indicators if row.id == indicator), Fraction(0))
        return sum((self._adds(o, indicator) for o in self._options if o.finish <= by_year), baseline)

    def _share(self, measure: Measure, option: Counted) -> Fraction | int:
        """What one option adds to a measure."""
        return self._kinds[measure.kind](measure, option)

    def _value(self, measure: Measure, option: Counted) -> Fraction | int:
        objective = self.tables.settings.objective
        at_finish = objective.at == "completion" and objective.value_from != "benefits"
        return option.value if (option.finish if at_finish else option.start) in measure.period else 0

    def _indicator(self, measure: Measure, option: Counted) -> Fraction | int:
        return self._adds(option, measure.names[0]) if option.finish in measure.period else 0

    def _adds(self, option: Counted, indicator: str) -> Fraction:
        return self._contributions.get((option.project.id, option.mode, indicator), Fraction(0)) * option.scale

    def _resource(self, measure: Measure, option: Counted) -> Fraction | int:
        uses = self._recount.uses(option)
        return sum((n for name, year, n in uses if name in measure.names and year in measure.period), Fraction(0))

    def _paid(self, measure: Measure, option: Counted) -> int:
        account = self._books.by_project.get(option.project.id, {})
        return sum(n for (year, source), n in account.items() if year in measure.period and source in measure.names)

    def _envelopes(self, measure: Measure) -> int:
        """The amounts of the envelopes of exactly these sources whose years all lie in the period."""
        years = set(measure.period)
        return sum(
            row.amount
            for row in self.tables.envelopes
            if set(row.source) == set(measure.names) and years.issuperset(period_of(self.tables, row.period))
        )


def read_measure(tables: Tables, text: str, selection: str, period: str) -> Measure:
    """Return the measure that a cell of checked tables names, over the years of a period; an empty one is all years.

    Raises
    ------
    ValueError
        When it names none, which only tables that were never checked do.
    """
    years = period_of(tables, period) if period else tables.settings.horizon
    word, _, rest = (part.strip() for part in text.partition(":"))
    if word in _WITH_NAMES and rest:
        return Measure(word, tuple(name.strip() for name in rest.split("+")), selection, years)
    if text.strip() in MEASURES:
        return Measure(word, tuple(source.id for source in tables.sources), selection, years)
    if text.strip() in {row.id for row in tables.indicators}:
        return Measure("indicator", (text.strip(),), selection, years)
    if text.strip() in {row.id for row in tables.resources}:
        return Measure("resource", (text.strip(),), selection, years)
    raise ValueError(f"no measure {text!r}")


def rule_accounts(tally: Tally) -> tuple[RuleAudit, ...]:
    """Return what every rule in force measures and what it is held against, in the order of `rules`."""
    return tuple(_rule_account(tally, row) for row in _in_force(tally.tables))


def _in_force(tables: Tables) -> list[Rule]:
    return [row for row in tables.rules if row.enabled]


def _rule_account(tally: Tally, row: Rule) -> RuleAudit:
    used = tally.of(read_measure(tally.tables, row.measure, row.selection, row.period))
    # Amounts of money are million VND in the rows already.
    limit = row.amount * (tally.of(_other(tally.tables, row)) if row.share_of else 1)
    missed = {"<=": used - limit, ">=": limit - used, "==": abs(used - limit)}[row.sense]
    violation = max(missed, Fraction(0))
    return RuleAudit(row.id, row.sense, limit, used, violation, row.price, violation * (row.price or 0))


def _other(tables: Tables, row: Rule) -> Measure:
    """The measure that a rule is held against a share of; what its cell leaves out is that of the row."""
    text, *more = row.share_of.split(";", 1)
    # A selection may hold a semicolon, a measure and a period do not.
    selection, *last = more[0].rsplit(";", 1) if more else ("",)
    period = last[0] if last else ""
    return read_measure(
        tables, text.strip() or row.measure, selection.strip() or row.selection, period.strip() or row.period
    )


def target_accounts(tally: Tally) -> tuple[TargetAudit, ...]:
    """Return what every target reaches, in the order of `targets`."""
    accounts = []
    for row in tally.tables.targets:
        reached = tally.reached(row.indicator, row.by_year)
        shortfall = max(row.at_least - reached, Fraction(0))
        paid = shortfall * (row.price or 0)
        accounts.append(TargetAudit(row.indicator, row.by_year, row.at_least, reached, shortfall, row.price, paid))
    return tuple(accounts)


def synergies_of(tables: Tables, funded: Funded) -> list[Synergy]:
    """Return the rows of `synergies` all of whose projects are funded."""
    return [row for row in tables.synergies if all(project in funded for project in row.projects)]


def class_accounts(
    tables: Tables,
    options: Iterable[Counted],
    synergies: Iterable[Synergy],
    rules: Iterable[RuleAudit],
    targets: Iterable[TargetAudit],
) -> tuple[ClassAudit, ...]:
    """Return what every class adds up, of all classes that the tables name.

    What names no class of its own (a target never does) belongs to the last.
    """
    named = {row.priority for row in tables.projects} | {row.class_ for row in tables.priorities}
    named |= {row.class_ for row in tables.rules} | {row.class_ for row in tables.synergies}
    values = {number: Fraction(0) for number in sorted(number for number in named if number is not None)}
    if not values:
        return ()
    last = max(values)
    for option in options:
        if option.class_ is not None:
            values[option.class_] += option.value
    for synergy in synergies:
        values[synergy.class_ or last] += synergy.value
    for rule, account in zip(_in_force(tables), rules, strict=True):
        values[rule.class_ or last] -= account.paid
    values[last] -= sum(target.paid for target in targets)
    return tuple(ClassAudit(number, value) for number, value in values.items())


def broken_rules(tables: Tables, accounts: Iterable[RuleAudit]) -> Iterator[Issue]:
    """A rule without a price holds."""
    for row, account in zip(_in_force(tables), accounts, strict=True):
        if row.price is not None or not account.violation:
            continue
        kind = read_measure(tables, row.measure, row.selection, row.period).kind
        yield error(
            "broken-rule-money" if kind in _OF_MONEY else "broken-rule",
            tables.place("rules", row, "amount"),
            rule=row.id,
            measure=" · ".join(filter(None, (row.measure, row.selection, row.period))),
            sense=_SIGNS[row.sense],
            found=account.used,
            allowed=account.amount,
            difference=account.violation,
        )


def broken_targets(tables: Tables, accounts: Iterable[TargetAudit]) -> Iterator[Issue]:
    """A target without a price is reached."""
    for row, account in zip(tables.targets, accounts, strict=True):
        if row.price is None and account.shortfall:
            yield error(
                "broken-target",
                tables.place("targets", row, "at_least"),
                indicator=row.indicator,
                year=row.by_year,
                found=account.reached,
                allowed=account.at_least,
                difference=account.shortfall,
            )

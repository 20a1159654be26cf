"""The best plan of a tiny portfolio by trying everything: a reading of the tables made only for the tests.

It shares nothing with the compiler, the engines or the verifier, and takes every rule at its word.  What is due in
which year is read in :mod:`brute_costs`, who pays what is tried out in :mod:`brute_money`, what rules measure is in
:mod:`brute_rules`.
"""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import product
from math import floor

from brute_costs import begun, cell, costs_of, first_open_year, flexible_years, is_stopped, scales_of
from brute_money import Bill, bills_of, pay
from brute_rules import Way, class_of, classes_of, penalties, statements
from capalloc.allocation import Allocation, Choice, Payment
from capalloc.records import Project
from capalloc.tables import Tables


def best_by_enumeration(tables: Tables, listed: set[str] | None = None) -> tuple[Fraction, Allocation] | None:
    """Return the greatest value of any plan and one plan that has it, or ``None`` when no plan obeys the tables.

    Where the classes are ordered, the value is that of the last class.  With ``listed``, exactly these are funded.
    """
    best = _best(tables, listed)
    return None if best is None else (best[0][-1], best[1])


def best_lexicographic(tables: Tables) -> list[Fraction] | None:
    """Return the value of each class, the first made as great as can be, then the second, and so on."""
    best = _best(tables)
    return None if best is None else list(best[0])


def _best(tables: Tables, listed: set[str] | None = None) -> tuple[tuple[Fraction, ...], Allocation] | None:
    ways = [[None, *_allowed_ways(tables, project)] for project in tables.projects]
    if listed is not None:
        ways = [row[1:] if p.id in listed else row[:1] for p, row in zip(tables.projects, ways, strict=True)]
    plans = [[way for way in plan if way is not None] for plan in product(*ways)]
    ranked = [(_standing(tables, plan), plan) for plan in plans if _obeys(tables, plan)]
    # Payments can only be charged for, so that no plan ends above where its choices put it.
    ranked.sort(key=lambda entry: entry[0], reverse=True)
    best: tuple[tuple[Fraction, ...], Allocation] | None = None
    for standing, plan in ranked:
        if best is not None and best[0] >= standing:
            break
        paid = pay(tables, plan)
        if paid is None:
            continue
        charged, payments = paid
        reached = tuple(value - charge for value, charge in zip(standing, charged, strict=True))
        if best is None or reached > best[0]:
            best = reached, Allocation(_choices(plan), payments)
    return best


def _standing(tables: Tables, plan: list[Way]) -> tuple[Fraction, ...]:
    """What the choices alone are worth: one number a class where classes are ordered, else one for all."""
    fixed = [statement for statement in statements(tables, plan) if not statement.about_payments]
    charged = penalties(tables, fixed, [statement.constant for statement in fixed])
    together = {way.project.id for way in plan}
    synergies = [row for row in tables.synergies if together.issuperset(row.projects)]
    objective = tables.settings.objective
    if objective.goal != "lexicographic":
        weights = objective.class_weights
        gross = sum(way.worth * (Fraction(weights[way.class_]) if weights else 1) for way in plan)
        return (gross + sum((row.value for row in synergies), Fraction(0)) - charged[0],)
    classes = classes_of(tables)
    return tuple(
        sum((way.worth for way in plan if way.class_ == number), Fraction(0))
        + sum((row.value for row in synergies if (row.class_ or classes[-1]) == number), Fraction(0))
        - charge
        for number, charge in zip(classes, charged, strict=True)
    )


def every_selection(tables: Tables) -> Iterator[tuple[Fraction, tuple[Choice, ...]]]:
    """Yield what the choices alone are worth, and the choices, of every plan that obeys all but the rules of money."""
    ways = [[None, *_allowed_ways(tables, project)] for project in tables.projects]
    for drawn in product(*ways):
        plan = [way for way in drawn if way is not None]
        if _obeys(tables, plan):
            yield _standing(tables, plan)[-1], _choices(plan)


def front_by_enumeration(tables: Tables, sets: tuple[str, str]) -> list[tuple[Fraction, Fraction]]:
    """Return the values by two sets of criteria of every plan that none passes, the best of the first set first.

    No payment may be charged for, and no rule may measure values.
    """
    objective = tables.settings.objective

    def by_set(name: str) -> Tables:
        own = objective.model_copy(update={"criteria": name, "sets": {}})
        return replace(tables, settings=tables.settings.model_copy(update={"objective": own}))

    one, other = map(by_set, sets)
    reached = {
        (_standing(one, ways_of(one, choices))[0], _standing(other, ways_of(other, choices))[0])
        for _, choices in every_selection(tables)
        if payments_of(tables, choices) is not None
    }
    passed = {a for a in reached for b in reached if b != a and b[0] >= a[0] and b[1] >= a[1]}
    return sorted(reached - passed, reverse=True)


def _choices(plan: list[Way]) -> tuple[Choice, ...]:
    return tuple(Choice(way.project.id, way.mode, way.start, way.scale) for way in plan)


def accepts(tables: Tables, choices: tuple[Choice, ...]) -> bool:
    """Return whether choices, one a project and each from the tables, obey everything but the rules of money."""
    plan = ways_of(tables, choices)
    return all(_is_allowed(tables, way) for way in plan) and _obeys(tables, plan)


def payments_of(tables: Tables, choices: tuple[Choice, ...]) -> tuple[Payment, ...] | None:
    """Return payments that finance the choices in whole units, or ``None`` if there are none."""
    paid = pay(tables, ways_of(tables, choices))
    return None if paid is None else paid[1]


def differences(
    tables: Tables, choices: tuple[Choice, ...], payments: dict[tuple[str, int, str], int]
) -> list[Fraction]:
    """Return measure less limit of every rule in force and every target, once the choices are paid so."""
    plan = ways_of(tables, choices)
    return [
        made.constant + sum(made.moved(*payment) * amount for payment, amount in payments.items())
        for made in statements(tables, plan)
    ]


def worth(
    tables: Tables, choices: tuple[Choice, ...], payments: dict[tuple[str, int, str], int]
) -> tuple[Fraction, ...]:
    """Return what a plan is worth, allowed or not: one number a class where classes are ordered, else one for all."""
    plan = ways_of(tables, choices)
    made = statements(tables, plan)
    pairs = zip(made, differences(tables, choices, payments), strict=True)
    moved = [(statement, difference) for statement, difference in pairs if statement.about_payments]
    charged = penalties(tables, [statement for statement, _ in moved], [difference for _, difference in moved])
    return tuple(value - charge for value, charge in zip(_standing(tables, plan), charged, strict=True))


def ways_of(tables: Tables, choices: tuple[Choice, ...]) -> list[Way]:
    """Return what each choice costs and is worth, in the order of the choices."""
    return [_way(tables, _project(tables, c.project), c.mode, c.start, c.scale) for c in choices]


def settles(tables: Tables, choices: tuple[Choice, ...], payments: dict[tuple[str, int, str], int]) -> bool:
    """Return whether payments by project, year and source are exactly one way to finance the choices."""
    plan = ways_of(tables, choices)
    owed = {(bill.project, bill.year) for bill in bills_of(tables, plan)}
    if any((project, year) not in owed or amount < 0 for (project, year, _), amount in payments.items() if amount):
        return False

    def given_split(bill: Bill) -> list[dict[str, int]]:
        mine = {s: amount for (p, y, s), amount in payments.items() if (p, y) == (bill.project, bill.year) and amount}
        right = bill.least <= sum(mine.values()) <= bill.most and mine.keys() <= set(bill.payers)
        if bill.paid is not None:
            right = mine == bill.paid
        return [{source: mine.get(source, 0) for source in bill.payers}] if right else []

    return pay(tables, plan, given_split) is not None


def is_plan(tables: Tables, allocation: Allocation) -> bool:
    """Return whether choices, one a project and each of a mode there is, with their payments are a plan."""
    payments: dict[tuple[str, int, str], int] = {}
    for payment in allocation.payments:
        key = payment.project, payment.year, payment.source
        payments[key] = payments.get(key, 0) + payment.amount
    return accepts(tables, allocation.choices) and settles(tables, allocation.choices, payments)


def rules_of_money(tables: Tables, choices: tuple[Choice, ...]) -> set[str]:
    """Return the rules in force whose outcome depends on who pays how much in which year."""
    return {made.name for made in statements(tables, ways_of(tables, choices)) if made.about_payments}


def _project(tables: Tables, name: str) -> Project:
    return next(project for project in tables.projects if project.id == name)


def _allowed_ways(tables: Tables, project: Project) -> list[Way]:
    modes = [row.mode for row in tables.modes if row.project == project.id] or [""]
    done = [(mode, year) for mode in modes for year in tables.settings.horizon]
    history = begun(tables, project)
    if history is not None:
        done = [] if is_stopped(tables, project) else [history]
    ways = [
        _way(tables, project, mode, year, scale)
        for mode, year in done
        for scale in scales_of(tables, project, mode, year)
    ]
    return [way for way in ways if _is_allowed(tables, way)]


def _way(tables: Tables, project: Project, mode: str, start: int, scale: Fraction) -> Way:
    duration = cell(tables, project, mode, "duration")
    finish = start + duration - 1
    return Way(
        project,
        mode,
        start,
        finish,
        costs_of(tables, project, mode, start, scale),
        _worth(tables, project, mode, start, finish) * scale,
        class_of(tables, project, mode, start),
        scale,
        flexible_years(tables, project, mode),
    )


def _worth(tables: Tables, project: Project, mode: str, start: int, finish: int) -> Fraction:
    objective, rate = tables.settings.objective, Fraction(tables.settings.discount_rate)
    factor = {year: (1 / (1 + rate)) ** (year - tables.settings.first_year) for year in range(start, finish + 10)}
    if objective.value_from == "benefits":
        rows = [row for row in tables.benefits if (row.project, row.mode) == (project.id, mode)]
        year = {"start": start, "completion": finish}
        exact = sum(row.amount * factor[year[row.from_] + row.offset] for row in rows)
    elif objective.value_from == "column":
        exact = cell(tables, project, mode, "value") * factor[start if objective.at == "start" else finish]
    else:
        exact = sum(
            _points(tables, row.criterion, row.score)
            for row in tables.scores
            if (row.project, row.mode) == (project.id, mode)
        )
        exact *= factor[start if objective.at == "start" else finish]
        exact *= project.size if objective.value_from == "score_size" else 1
    return Fraction(floor(exact * 10**6 + Fraction(1, 2)), 10**6)


def _points(tables: Tables, name: str, score: Fraction) -> Fraction:
    row = next(row for row in tables.criteria if row.criterion == name)
    height = (score - row.low) / (row.high - row.low)
    objective = tables.settings.objective
    if row.set not in (objective.sets or [objective.criteria]):
        return Fraction(0)
    return Fraction(objective.sets.get(row.set, 1)) * row.weight * (height if row.direction == "max" else 1 - height)


def _is_allowed(tables: Tables, way: Way) -> bool:
    """Whether a way is what history says, or keeps its window, the borders of horizon and phases, and commitments."""
    if is_stopped(tables, way.project):
        return False
    history = begun(tables, way.project)
    if history is not None:
        return (way.mode, way.start, way.scale) == (*history, 1)
    return _keeps_borders(tables, way) and all(
        row.mode in ("", way.mode) and row.start in (None, way.start)
        for row in tables.committed
        if row.project == way.project.id
    )


def _keeps_borders(tables: Tables, way: Way) -> bool:
    general = tables.settings
    earliest = cell(tables, way.project, way.mode, "earliest_start") or general.first_year
    latest = cell(tables, way.project, way.mode, "latest_start") or general.last_year
    if not max(earliest, general.first_year, first_open_year(tables)) <= way.start <= min(latest, general.last_year):
        return False
    if way.scale not in scales_of(tables, way.project, way.mode, way.start):
        return False
    if not general.may_run_over and way.last > general.last_year:
        return False
    phases = [] if general.may_cross_phase else general.phases
    ends = (way.start, way.finish, way.last)
    return not phases or any(all(phase.first <= year <= phase.last for year in ends) for phase in phases)


def _obeys(tables: Tables, plan: list[Way]) -> bool:
    """Whether a plan has what must be in, and keeps dependencies, groups, resources, and rules not about payments."""
    funded = {way.project.id: way for way in plan}
    must = {project.id for project in tables.projects if project.mandatory}
    must |= {row.project for row in tables.committed if row.decision == "in"}
    must |= {p.id for p in tables.projects if begun(tables, p) is not None and not is_stopped(tables, p)}
    if not must <= funded.keys() or not _keeps_dependencies(tables, funded) or not _keeps_groups(tables, funded):
        return False
    if any(s.is_broken(s.constant) for s in statements(tables, plan) if not s.about_payments):
        return False
    return _keeps_resources(tables, plan)


def _keeps_dependencies(tables: Tables, funded: dict[str, Way]) -> bool:
    for row in tables.dependencies:
        first, then = funded.get(row.first), funded.get(row.then)
        holds = {
            "together": (first is None) == (then is None),
            "excludes": first is None or then is None,
            "requires": then is None or first is not None,
            "finish_start": then is None or (first is not None and then.start > first.finish + row.lag),
            "start_start": then is None or (first is not None and then.start - first.start >= row.lag),
        }
        if not holds[row.kind]:
            return False
    return True


def _keeps_groups(tables: Tables, funded: dict[str, Way]) -> bool:
    for name in {row.group for row in tables.groups}:
        rows = [row for row in tables.groups if row.group == name]
        count = sum(row.project in funded for row in rows)
        kind, k = rows[0].kind, rows[0].k
        if not {
            "one_of": count <= 1,
            "exactly_one_of": count == 1,
            "at_least": count >= (k or 0),
            "at_most": count <= (k or 0),
        }[kind]:
            return False
    return True


def _keeps_resources(tables: Tables, plan: list[Way]) -> bool:
    for row in tables.capacities:
        used = sum(
            use.amount * way.scale
            for way in plan
            for use in tables.uses
            if (use.project, use.mode, use.resource) == (way.project.id, way.mode, row.resource)
            and way.start + use.offset in tables.settings.period(row.period)
        )
        if used > row.amount:
            return False
    return True

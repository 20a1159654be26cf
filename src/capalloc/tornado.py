"""What the value of the best plan owes to each number: one number at a time, low and high, each solved again."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from capalloc.amending import Unplannable, amended, put_in_force, with_cost_factors
from capalloc.answer import Answer
from capalloc.budget import Budget
from capalloc.catalogue import say, write_number
from capalloc.chaining import Chain
from capalloc.framing import typed_frame
from capalloc.model import SolveOptions, Status
from capalloc.paths import row_path
from capalloc.records import SCHEMAS, Project
from capalloc.reporting import base_costs, shown_down, shown_up
from capalloc.solving import DEFAULT_ENGINE
from capalloc.tables import Tables
from capalloc.telling import Told, enumerated

if TYPE_CHECKING:
    import pandas as pd

COSTS = "projects.*.cost"
"""The name of the number that stands for the costs of all projects together."""

LOW, HIGH = "cost_low", "cost_high"

_NAMES = {COSTS: "costs", LOW: "low", HIGH: "high"}

_POINTS = Fraction(2, 100)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number that is varied: its path, what it is changed to, and how the changed tables are made."""

    path: str
    low: str
    high: str
    make: Callable[[str], Tables]


@dataclass(frozen=True, slots=True)
class Bar:
    """The best plan found with one number changed.

    ``least`` and ``most`` enclose how the value of the best plan changes, whatever the gaps of both runs leave open;
    ``change`` is the difference of the two plans that were found.  Where classes are ordered, all three are about
    ``class_``, the first class that is worth something else; nothing encloses its change unless it is proved what the
    classes above it are worth.
    """

    path: str
    side: str
    setting: str
    status: Status
    value: Fraction | None
    bound: float
    change: Fraction | None
    least: float
    most: float
    entered: tuple[str, ...]
    left: tuple[str, ...]
    class_: int | None = None

    @property
    def direction(self) -> str:
        """What is proved of the value: rises, falls, same, or open."""
        if self.least >= 0 and self.most <= 0:
            return "same"
        return "rises" if self.least > 0 else "falls" if self.most < 0 else "open"


@dataclass(frozen=True, slots=True, eq=False)
class Tornado(Told):
    """What :meth:`Portfolio.tornado` answers: the bars, the numbers that move the value most at first."""

    base: Answer
    bars: tuple[Bar, ...]
    left_out: int = 0

    def to_frame(self) -> pd.DataFrame:
        """Return one row a number and side.

        The columns are parameter, side, setting, status, value, bound, change, change_least, change_most, direction,
        entered and left.  ``change_least`` and ``change_most`` enclose the change of the best plan's value.  Where
        classes are ordered, a column ``class`` has the first that changes, which these three are about; value and bound
        are those of the last class.
        """
        rows = self.bars
        classes = {"class": ("Int64", [row.class_ for row in rows])} if self.base.classes else {}
        return typed_frame(
            {
                "parameter": ("str", [row.path for row in rows]),
                "side": ("str", [row.side for row in rows]),
                "setting": ("str", [row.setting for row in rows]),
                "status": ("str", [str(row.status) for row in rows]),
                "value": ("Float64", [None if row.value is None else float(row.value) for row in rows]),
                "bound": ("float64", [row.bound for row in rows]),
                "change": ("Float64", [None if row.change is None else float(row.change) for row in rows]),
                "change_least": ("float64", [row.least for row in rows]),
                "change_most": ("float64", [row.most for row in rows]),
                "direction": ("str", [row.direction for row in rows]),
                "entered": ("str", [", ".join(row.entered) for row in rows]),
                "left": ("str", [", ".join(row.left) for row in rows]),
                **classes,
            }
        )

    def statement(self) -> str:
        """Return the answer as one paragraph in the language in force."""
        numbers = len({row.path for row in self.bars})
        parts = [say("sensitivity.tornado.varied", count=numbers)]
        held = [row for row in self.bars if row.change is not None]
        if held:
            top = max(held, key=_size)
            change = top.change or Fraction(0)
            told = write_number(shown_down(change))
            told = told if top.class_ is None else say("why.class-gain", number=top.class_, gain=told)
            words = {"path": _in_words(top.path), "setting": _in_words(top.setting), "change": told}
            parts.append(say("sensitivity.tornado.most", **words, entered=len(top.entered), left=len(top.left)))
            if top.direction == "open":
                parts.append(say("sensitivity.tornado.open"))
            elif change and math.isfinite(top.least) and math.isfinite(top.most):
                within = {"least": shown_down(top.least), "most": shown_up(top.most)}
                parts.append(say("sensitivity.tornado.proved", **within))
        none = [
            f"{_in_words(row.path)} {_in_words(row.setting)}" for row in self.bars if row.status is Status.INFEASIBLE
        ]
        if none:
            parts.append(say("sensitivity.tornado.none", names=enumerated(none)))
        open_ = sum(row.value is None and row.status is not Status.INFEASIBLE for row in self.bars)
        if open_:
            parts.append(say("sensitivity.tornado.unknown", count=open_))
        if self.left_out:
            parts.append(say("sensitivity.cut-short", count=self.left_out))
        return " ".join(parts)


def _in_words(name: str) -> str:
    """What stands for all costs, and their ends, in words; a path and a change of it as they are written."""
    return say(f"sensitivity.tornado.name.{_NAMES[name]}") if name in _NAMES else name


def _size(bar: Bar) -> tuple[float, Fraction]:
    """What the bars are ranked by: a change of an earlier class before one of a later, then how much it is."""
    size = abs(bar.change) if bar.change is not None else Fraction(-1)
    return (-bar.class_ if bar.class_ is not None and size > 0 else -math.inf, size)


def parameters_of(given: Tables, asked: Mapping[str, tuple[Any, Any]] | None) -> tuple[Parameter, ...]:
    """Return the numbers to vary: those asked for, each with its changes to low and high, or the usual ones.

    The usual ones are every envelope that holds money by a tenth either way, all costs at the ends of their intervals,
    the discount rate by two points, and each class weight by a fifth.
    """
    if asked is not None:
        return tuple(_by_path(given, path, low, high) for path, (low, high) in asked.items())
    return tuple(_usual(given))


def _by_path(given: Tables, path: str, low: Any, high: Any) -> Parameter:
    settings = {"low": low, "high": high}
    return Parameter(path, str(low), str(high), lambda side: amended(given, {path: settings[side]}))


def _usual(given: Tables) -> Iterator[Parameter]:
    for row in (row for row in given.envelopes if row.amount):
        yield _by_path(given, row_path(SCHEMAS["envelopes"], row, "amount"), "*0.9", "*1.1")
    ends = {LOW: cost_factors(given, LOW), HIGH: cost_factors(given, HIGH)}
    if any(ends.values()):
        yield Parameter(
            COSTS,
            LOW,
            HIGH,
            lambda side: put_in_force(with_cost_factors(given, ends[LOW if side == "low" else HIGH]))[0],
        )
    rate = Fraction(given.settings.discount_rate)
    if rate:
        low, high = max(rate - _POINTS, Fraction(0)), rate + _POINTS
        yield _by_path(given, "settings.discount_rate", str(float(low)), str(float(high)))
    for number in given.settings.objective.class_weights:
        yield _by_path(given, f"settings.objective.class_weights.{number}", "*0.8", "*1.2")


def cost_factors(tables: Tables, end: str) -> dict[str, Fraction]:
    """Return what the costs of projects with an interval are multiplied by to reach one end of it."""
    costs = base_costs(tables)
    found = {}
    for project in tables.projects:
        base, bound = base_cost(project, costs), getattr(project, end)
        if base and bound is not None and bound != base:
            found[project.id] = Fraction(bound, base)
    return found


def base_cost(project: Project, costs: Mapping[str, int]) -> int:
    """Return the cost that an interval of a project is about: its own, else that of its first way."""
    return project.cost if project.cost is not None else costs[project.id]


def tornado(
    in_force: Tables,
    parameters: tuple[Parameter, ...],
    options: SolveOptions,
    engine: str = DEFAULT_ENGINE,
    base: Answer | None = None,
) -> Tornado:
    """Solve the portfolio with each number low and high, and once as it is.

    Parameters
    ----------
    in_force
        The tables with the statutory rules in force.
    parameters
        As :func:`parameters_of` makes them.
    base
        The plan of the portfolio as it is, if it is known.
    """
    budget = Budget(options, 1 + 2 * len(parameters))
    chain = Chain(engine)
    if base is None or base.value is None:
        base = chain.answer(in_force, budget.next())
    bars, left_out = [], 0
    for parameter in parameters:
        for side in ("low", "high"):
            if budget.spent:
                left_out += 1
                continue
            bars.append(_bar(parameter, side, base, budget.next(), chain))
    moves = {path: max(_size(bar) for bar in bars if bar.path == path) for path in {bar.path for bar in bars}}
    bars.sort(key=lambda bar: moves[bar.path], reverse=True)
    return Tornado(base, tuple(bars), left_out)


def _bar(parameter: Parameter, side: str, base: Answer, options: SolveOptions, chain: Chain) -> Bar:
    setting = parameter.low if side == "low" else parameter.high
    try:
        tables = parameter.make(side)
    except Unplannable:
        return Bar(
            parameter.path, side, setting, Status.INFEASIBLE, None, -math.inf, None, -math.inf, -math.inf, (), ()
        )
    answer = chain.answer(tables, options, start=base.allocation)
    if answer.value is None or base.value is None:
        most = answer.bound - float(base.value) if base.value is not None else math.inf
        return Bar(
            parameter.path, side, setting, answer.status, answer.value, answer.bound, None, -math.inf, most, (), ()
        )
    before, after = funded(base), funded(answer)
    class_, change, least, most = change_of(base, answer)
    return Bar(
        parameter.path,
        side,
        setting,
        answer.status,
        answer.value,
        answer.bound,
        change,
        least,
        most,
        tuple(project for project in after if project not in before),
        tuple(project for project in before if project not in after),
        class_,
    )


def change_of(base: Answer, answer: Answer) -> tuple[int | None, Fraction, float, float]:
    """Return the class that changes, by how much between two plans, and what encloses the change of the best value.

    The class is ``None`` where classes are not ordered.
    """
    was = {row.class_: row for row in base.classes}
    pairs = [(was[row.class_], row) for row in answer.classes if row.class_ in was]
    if not pairs:
        now, before = answer.value or Fraction(0), base.value or Fraction(0)
        return None, now - before, float(now) - base.bound, answer.bound - float(before)
    place = next((n for n, (before, now) in enumerate(pairs) if now.value != before.value), len(pairs) - 1)
    own, now_ = pairs[place]
    change = now_.value - own.value
    if any(row.status is not Status.OPTIMAL for pair in pairs[:place] for row in pair):
        return own.class_, change, -math.inf, math.inf
    return own.class_, change, float(now_.value) - own.bound, now_.bound - float(own.value)


def funded(answer: Answer) -> tuple[str, ...]:
    """Return the projects that a plan funds, in their order; none where there is no plan."""
    return () if answer.allocation is None else tuple(choice.project for choice in answer.allocation.choices)

"""What a portfolio owes to its numbers, gathered: every question asked in turn, each with its part of the time."""

from __future__ import annotations

import html
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from capalloc.alternatives import alternatives
from capalloc.answer import Answer
from capalloc.arguments import path_given, wrong_argument
from capalloc.asking import is_ordered
from capalloc.catalogue import say
from capalloc.core import core_index
from capalloc.engines import engine_named
from capalloc.explaining import FACTORS, Explained
from capalloc.frontier import frontier
from capalloc.issues import CapallocError, InvalidInput
from capalloc.limits import read_limits
from capalloc.model import SolveOptions
from capalloc.money import round_half_up
from capalloc.plan import Plan
from capalloc.plotting import SensitivityPlots, known_language
from capalloc.probing import Probed
from capalloc.protection import Robust
from capalloc.records import Envelope
from capalloc.report.answer_chapters import about_in_words
from capalloc.report.documents import write_report
from capalloc.robust import robust_plan
from capalloc.solving import DEFAULT_ENGINE, optimize
from capalloc.steps import envelope_steps
from capalloc.stress import intervals
from capalloc.tables import Tables
from capalloc.telling import Told
from capalloc.tornado import parameters_of, tornado
from capalloc.writing import csv_of, write_atomically

if TYPE_CHECKING:
    import pandas as pd

Asked = Callable[[float | None], Told]
"""A question, to be answered within so many seconds."""

Known = tuple[Answer, SolveOptions, str]
"""The plan, the limits and the engine of the report."""

_WHY_NOT = 3
_STEPS = 200
_MOST_STEPS = 3
_ALTERNATIVES, _SAMPLES, _WITHIN = 10, 10, Fraction(1, 100)
_REPLANS = 3
_GAMMA = 5
_NEARBY = (0.9, 1.0, 1.1)
_DELAYS = {1: 0.15, 2: 0.05}
_PRIVATE, _DISBURSEMENT = (0.8, 1.0), (0.9, 1.0)


@dataclass(frozen=True, slots=True)
class Part:
    """One question of the report: its name, the seconds it took, and the answer, or why there is none."""

    name: str
    seconds: float
    answer: Told | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PartReport:
    """How far the report is: the part that begins now, its number, how many there are, and the seconds so far."""

    name: str
    number: int
    of: int
    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class SensitivityReport:
    """What :meth:`Portfolio.sensitivity_report` answers: the plan, and one part for each question.

    Parameters
    ----------
    tables
        The portfolio's tables.
    plan
        The plan that the questions are about; without one, only what conflicts is asked.
    parts
        The answers in the order in which they were asked.
    seconds
        How long all of it took.
    """

    tables: Tables
    plan: Plan
    parts: tuple[Part, ...]
    seconds: float

    def __getitem__(self, name: str) -> Told:
        """Return the answer of a part.

        Raises
        ------
        KeyError
            When there is no such part, or it has no answer.
        """
        return next(part.answer for part in self.parts if part.name == name and part.answer is not None)

    @property
    def frames(self) -> dict[str, pd.DataFrame]:
        """The table of each part that has an answer, by its name."""
        return {part.name: part.answer.to_frame() for part in self.parts if part.answer is not None}

    @property
    def statements(self) -> dict[str, str]:
        """The paragraph of each part by its name, in the language in force; for one without an answer, why not."""
        return {part.name: str(part.answer) if part.answer is not None else part.reason for part in self.parts}

    @property
    def plot(self) -> SensitivityPlots:
        """The charts of the report: ``plot.tornado()``, ``plot.frontier()``, ``plot.steps()`` and ``plot.core()``."""
        answers = {part.name: part.answer for part in self.parts if part.answer is not None}
        return SensitivityPlots(self.tables, self.plan.value or 0.0, answers)

    def report(self, path: str | Path, lang: str | None = None) -> None:
        """Write the plan and all answers as one HTML file, as :meth:`Plan.report` does; without a plan, what conflicts.

        Raises
        ------
        CapallocError
            When ``path`` is no path, or there is no such language.
        OSError
            When the file cannot be written.
        """
        target, opens = path_given("path", path), known_language(lang)
        parts = {part.name: part.reason if part.answer is None else part.answer for part in self.parts}
        write_report(target, self.tables, self.plan.answer, opens, parts)

    def summary(self) -> str:
        """Return the plan's proof and all paragraphs, as text in the language in force."""
        return "\n\n".join(self._paragraphs())

    def _paragraphs(self) -> Iterator[str]:
        yield say("sensitivity.title", title=self.tables.settings.title or say("portfolio.untitled"))
        yield self.plan.summary().split("\n\n")[0].partition("\n")[2].partition("\n")[2]
        for name, statement in self.statements.items():
            yield f"{self.title(name)}\n{statement}"

    def save(self, folder: str | Path) -> list[Path]:
        """Write the paragraphs as text, the tables as CSV files and all of it as JSON, and return the paths.

        Raises
        ------
        InvalidInput
            When ``folder`` is no path.
        OSError
            When the folder cannot be written.
        """
        target = path_given("folder", folder)
        target.mkdir(parents=True, exist_ok=True)
        written = [target / "sensitivity.txt", target / "sensitivity.json"]
        write_atomically(written[0], self.summary() + "\n")
        write_atomically(written[1], json.dumps(self.record(), ensure_ascii=False, indent=1, allow_nan=False) + "\n")
        for name, frame in self.frames.items():
            written.append(target / f"{name.replace(':', '-').replace(' ', '-')}.csv")
            write_atomically(written[-1], csv_of(frame), encoding="utf-8-sig")
        return written

    def title(self, name: str) -> str:
        """Return what a part is called in the language in force, its envelopes and projects by their names."""
        kind, _, about = name.partition(":")
        return say(f"sensitivity.part.{kind}", about=about_in_words(self.tables, kind, about))

    def record(self) -> dict[str, Any]:
        """Return the report as plain JSON data; what does not apply or is not known is ``None``."""
        bound = self.plan.bound
        parts = [
            {
                "name": part.name,
                "seconds": part.seconds,
                "statement": self.statements[part.name],
                "table": None if part.answer is None else _records(part.answer.to_frame()),
            }
            for part in self.parts
        ]
        return {
            "title": self.tables.settings.title,
            "status": str(self.plan.status),
            "value": self.plan.value,
            "bound": bound if math.isfinite(bound) else None,
            "seconds": self.seconds,
            "parts": parts,
        }

    def __str__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        parts = (f"<h4>{html.escape(self.title(n))}</h4><p>{html.escape(s)}</p>" for n, s in self.statements.items())
        return f"<div>{''.join(parts)}</div>"


def _records(frame: pd.DataFrame) -> Any:
    return json.loads(frame.to_json(orient="records", double_precision=15))


def part_title(name: str) -> str:
    """Return what a part is called in the language in force."""
    kind, _, about = name.partition(":")
    return say(f"sensitivity.part.{kind}", about=about)


class Questioned(Explained, Probed):
    """All that can be asked of a portfolio beyond its best plan, one by one or gathered in a report."""

    __slots__ = ()

    def sensitivity_report(
        self,
        time_limit: float | None = 280.0,
        *,
        gap: float = 1e-3,
        threads: int = 2,
        seed: int = 0,
        engine: str = DEFAULT_ENGINE,
        progress: Callable[[PartReport], None] | None = None,
    ) -> SensitivityReport:
        """Return the answers to every question about the numbers of the portfolio, gathered.

        They are: the numbers one at a time, the plan under stress (delays of a year for 15 % and of two for 5 % of the
        projects, 80 to 100 % of the money of others, 90 to 100 % of that of the state), the plan in whose envelopes any
        five projects may cost the most, the projects that are in always, plans that lose little, the steps and the best
        split of the envelopes that hold money, two of them varied together, and why the most valuable rejected projects
        are out.  Without a plan, only what conflicts is asked.  A plan for changed tables and a comparison need
        something of the user's and are no part of it: see :meth:`Plan.replan` and :func:`compare`.

        Parameters
        ----------
        time_limit
            Seconds for all of it, above 0; ``None`` for none.
        gap, threads, seed, engine
            As in :meth:`optimize`, for every run.
        progress
            Called when a part begins.

        Raises
        ------
        InvalidInput
            When a limit makes no sense.
        UnknownName
            When there is no such engine.
        """
        options, clock = read_limits(time_limit, gap, threads, seed, None), perf_counter()
        if progress is not None and not callable(progress):
            raise wrong_argument("progress", progress, "part-progress")
        engine_named(engine)
        limit = options.time_limit
        first = None if limit is None else limit / 8
        answer = optimize(self.tables, replace(options, time_limit=first), engine)
        plan = Plan(self.tables, answer, self.given)
        rest = replace(options, time_limit=None if limit is None else max(0.1, limit - (perf_counter() - clock)))
        parts = tuple(_asked(self._questions(plan, rest, engine), rest.time_limit, progress))
        return SensitivityReport(self.tables, plan, parts, perf_counter() - clock)

    def _questions(self, plan: Plan, options: SolveOptions, engine: str) -> Iterator[tuple[str, float, Asked]]:
        """Yield the name, the weight and the run of every part that the portfolio has something to say about."""
        run: dict[str, Any] = {"threads": options.threads, "seed": options.seed, "engine": engine}
        tables, known = self.tables, (plan.answer, options, engine)
        if plan.answer.allocation is None:
            yield "conflict", 1.0, lambda limit: self.conflict(time_limit=limit, **run)
            return
        yield "tornado", 3.0, _tornado(tables, self._as_given, known)
        if tables.envelopes:
            yield "stress", 1.5, lambda limit: self.stress(
                plan, delays=_DELAYS, private=_PRIVATE, disbursement=_DISBURSEMENT, replans=_REPLANS,
                time_limit=limit, gap=options.gap, **run,
            )  # fmt: skip
            if any(high > 1.0 for _, high in intervals(tables)):
                yield "robust", 2.0, _robust(tables, known)
        yield "core", 3.0, _core(tables, self._as_given, known)
        yield "alternatives", 1.0, _alternatives(tables, known)
        yield from self._about_envelopes(known)
        for project in _rejected(tables, plan.answer):
            yield f"why-not:{project}", 3.0, _why_not(plan, project, run)

    def _about_envelopes(self, known: Known) -> Iterator[tuple[str, float, Asked]]:
        answer = known[0]
        # Steps by less than this are below what the time of one part can tell apart.
        gain = Fraction(0) if is_ordered(self.tables) else abs(answer.value or Fraction(0)) / _STEPS
        # Of an envelope without money neither a tenth more nor a multiple is anything else.
        rows = [row for row in self.tables.envelopes if row.amount]
        for source in dict.fromkeys("+".join(row.source) for row in rows):
            own = [row for row in rows if "+".join(row.source) == source]
            for row in own:
                yield f"steps:{source} {row.period}", 2.0, _steps(self.tables, row, gain, known)
            yield f"frontier:{source} {own[-1].period}", 1.0, _frontier(self.tables, own[-1:], FACTORS, known)
            if len(own) > 1:
                yield f"rephase:{source}", 0.5, self._rephase(source, known)
        if pair := _two_sources(self.tables):
            name = " + ".join(f"{'+'.join(row.source)} {row.period}" for row in pair)
            yield f"frontier:{name}", 1.5, _frontier(self.tables, pair, _NEARBY, known)

    def _rephase(self, source: str, known: Known) -> Asked:
        answer, options, engine = known

        def ask(limit: float | None) -> Told:
            return self._rephased(source, None, replace(options, time_limit=limit), engine, known=answer)

        return ask


def _tornado(tables: Tables, given: Tables, known: Known) -> Asked:
    answer, options, engine = known

    def ask(limit: float | None) -> Told:
        limits = replace(options, time_limit=limit)
        return tornado(tables, parameters_of(given, None), limits, engine, base=answer)

    return ask


def _core(tables: Tables, given: Tables, known: Known) -> Asked:
    answer, options, engine = known

    def ask(limit: float | None) -> Told:
        limits = replace(options, time_limit=limit)
        start = answer.allocation
        return core_index(given, tables, limits, samples=_SAMPLES, within=_WITHIN, engine=engine, start=start)

    return ask


def _alternatives(tables: Tables, known: Known) -> Asked:
    answer, options, engine = known

    def ask(limit: float | None) -> Told:
        limits = replace(options, time_limit=limit)
        return alternatives(tables, _ALTERNATIVES, _WITHIN, limits, engine, start=answer.allocation)

    return ask


def _steps(tables: Tables, row: Envelope, gain: Fraction, known: Known) -> Asked:
    """The steps up to a tenth more of an envelope, from the plan on."""
    answer, options, engine = known
    span = (row.amount, row.amount + round_half_up(Fraction(row.amount, 10)))
    number = tables.envelopes.index(row)

    def ask(limit: float | None) -> Told:
        limits = replace(options, time_limit=limit)
        return envelope_steps(tables, number, span, _MOST_STEPS, gain, limits, engine, start=answer)

    return ask


def _frontier(tables: Tables, rows: Sequence[Envelope], factors: Sequence[float], known: Known) -> Asked:
    """The best plans at multiples of the amounts of one or two envelopes, begun from the plan."""
    answer, options, engine = known
    numbers = [tables.envelopes.index(row) for row in rows]
    points = [Fraction(repr(factor)) for factor in factors]

    def ask(limit: float | None) -> Told:
        limits = replace(options, time_limit=limit)
        return frontier(tables, numbers, points, limits, engine, start=answer.allocation)

    return ask


def _two_sources(tables: Tables) -> tuple[Envelope, Envelope] | None:
    """The largest envelope that has another of the same period beside it, and the largest of these."""
    largest = sorted((row for row in tables.envelopes if row.amount), key=lambda row: -row.amount)
    for row in largest:
        other = next((own for own in largest if own.period == row.period and own is not row), None)
        if other is not None:
            return row, other
    return None


def _robust(tables: Tables, known: Known) -> Asked:
    answer, options, engine = known

    def ask(limit: float | None) -> Told:
        limits = replace(options, time_limit=limit)
        return robust_plan(tables, Robust(gamma=_GAMMA), limits, engine_named(engine), plain=answer)

    return ask


def _why_not(plan: Plan, project: str, run: Mapping[str, Any]) -> Asked:
    return lambda limit: plan.why_not(project, time_limit=limit, **run)


def _rejected(tables: Tables, answer: Answer) -> list[str]:
    """The rejected projects of the first classes, those of the largest size first."""
    funded = {choice.project for choice in answer.allocation.choices} if answer.allocation else set()
    out = {row.project for row in tables.committed if row.decision == "out"}
    rejected = [project for project in tables.projects if project.id not in funded | out]
    rejected.sort(key=lambda project: (project.priority or math.inf, -(project.size or project.cost or 0)))
    return [project.id for project in rejected[:_WHY_NOT]]


def _asked(
    questions: Iterator[tuple[str, float, Asked]],
    time_limit: float | None,
    progress: Callable[[PartReport], None] | None,
) -> Iterator[Part]:
    """Ask in turn; each part has its weight of what is left, so that what one does not use the others get."""
    waiting, clock = list(questions), perf_counter()
    count = len(waiting)
    for number in range(count):
        name, weight, ask = waiting[number]
        spent = perf_counter() - clock
        if progress is not None:
            progress(PartReport(name, number + 1, count, spent))
        left = None if time_limit is None else max(0.1, time_limit - spent)
        part = sum(other for _, other, _ in waiting[number:])
        begun = perf_counter()
        try:
            answer, reason = ask(None if left is None else left * weight / part), ""
        except InvalidInput as refused:
            answer, reason = None, " ".join(issue.message for issue in refused.issues.errors)
        except CapallocError as failed:
            answer, reason = None, str(failed)
        yield Part(name, perf_counter() - begun, answer, reason)

"""The questions about why: what conflicts, what the next money buys, which other plans lose little."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from capalloc.alternatives import Alternatives, alternatives
from capalloc.amounts import envelope_named
from capalloc.answer import Answer
from capalloc.arguments import expect, wrong_argument
from capalloc.asking import is_ordered
from capalloc.conflict import Conflict, find_conflict
from capalloc.engines import engine_named
from capalloc.frontier import Frontier, Rephasing, frontier, rephase
from capalloc.issues import InvalidInput, Issue, UnknownName, error
from capalloc.limits import amount_issues, read_limits, whole_issues
from capalloc.model import SolveOptions
from capalloc.money import round_half_up
from capalloc.solving import DEFAULT_ENGINE
from capalloc.steps import EnvelopeSteps, envelope_steps
from capalloc.tables import Tables

FACTORS = (0.8, 0.9, 1.0, 1.1, 1.2)


class Explained:
    """What can be asked of a portfolio beyond its best plan; every answer is found by solving again.

    The engine is the default one where none is named; ``time_limit`` is in seconds, for all runs of an answer together,
    and ``None`` stands for none.
    """

    __slots__ = ()

    tables: Tables
    given: Tables | None

    def conflict(
        self, *, time_limit: float | None = 60.0, threads: int = 2, seed: int = 0, engine: str = DEFAULT_ENGINE
    ) -> Conflict:
        """Return a minimal set of statements that leave no plan, and what would mend it at the least money.

        Raises
        ------
        InvalidInput
            When a limit makes no sense.
        UnknownName
            When there is no such engine.
        """
        options = read_limits(time_limit, 0.0, threads, seed, None)
        return find_conflict(self.tables, self.given, options, engine_named(engine))

    def envelope_steps(  # noqa: PLR0913  # one argument a limit
        self,
        source: str,
        period: str,
        low: int | None = None,
        high: int | None = None,
        *,
        most: int = 20,
        gain: float = 0.0,
        time_limit: float | None = 60.0,
        threads: int = 2,
        seed: int = 0,
        engine: str = DEFAULT_ENGINE,
    ) -> EnvelopeSteps:
        """Return the value of the best plan as a step function of the amount of one envelope.

        Parameters
        ----------
        source, period
            The envelope; several sources are joined by ``+``.
        low, high
            The amounts to begin and to end with, in million VND; what the tables say and a tenth more if left out.
        most
            How many steps to look for, at least 1.
        gain
            A rise of the value by less than this is no step; 0 for every rise.  Where classes are ordered, a step is a
            rise of a class while those above it keep what they have.

        Raises
        ------
        InvalidInput
            When a number makes no sense.
        UnknownName
            When there is no such envelope or engine.
        """
        options = read_limits(time_limit, 0.0, threads, seed, None)
        number = self._envelope(source, period)
        own = self.tables.envelopes[number].amount
        low = own if low is None else low
        issues = [
            *whole_issues({"low": low} | ({} if high is None else {"high": high}), 0),
            *whole_issues({"most": most}, 1),
            *amount_issues("gain", gain),
        ]
        self._refuse(issues)
        high = max(low, round_half_up(Fraction(own * 11, 10))) if high is None else high
        if high < low:
            issues.append(error("why-span", low=low, high=high))
        self._refuse(issues)
        step = Fraction(repr(float(gain)))
        return envelope_steps(self.tables, number, (int(low), int(high)), int(most), step, options, engine)

    def frontier(  # noqa: PLR0913  # one argument a limit
        self,
        source: str,
        period: str,
        points: Sequence[float] = FACTORS,
        *,
        beside: tuple[str, str] | None = None,
        time_limit: float | None = 60.0,
        gap: float = 1e-4,
        threads: int = 2,
        seed: int = 0,
        engine: str = DEFAULT_ENGINE,
    ) -> Frontier:
        """Return the best plans at some multiples of the amount of an envelope, or of two in all combinations.

        Parameters
        ----------
        source, period
            The envelope; several sources are joined by ``+``.
        points
            The multiples of its amount; amounts round half up to whole million VND.
        beside
            Source and period of a second envelope.
        gap
            As in :meth:`optimize`, for each point.

        Raises
        ------
        InvalidInput
            When a number makes no sense.
        UnknownName
            When there is no such envelope or engine.
        """
        options = read_limits(time_limit, gap, threads, seed, None)
        _expect_points(points, beside)
        numbers = [self._envelope(source, period), *([] if beside is None else [self._envelope(*beside)])]
        if len(set(numbers)) < len(numbers):
            raise wrong_argument("beside", beside, "beside")
        self._refuse(amount_issues("points", *points))
        engine_named(engine)
        return frontier(self.tables, numbers, [Fraction(repr(float(point))) for point in points], options, engine)

    def rephase(
        self,
        source: str,
        *,
        most: int | None = None,
        time_limit: float | None = 60.0,
        gap: float = 1e-4,
        threads: int = 2,
        seed: int = 0,
        engine: str = DEFAULT_ENGINE,
    ) -> Rephasing:
        """Return the best split, between its phases or years, of what the envelopes of a source hold together.

        Envelopes of the same source whose periods overlap are left as they are but for those of phases, or of years
        where the source has none of phases.

        Parameters
        ----------
        source
            The source; several are joined by ``+``.
        most
            How much may move in all, in million VND; ``None`` for any amount.
        time_limit, gap, threads, seed, engine
            As in :meth:`optimize`, the time for all runs.

        Raises
        ------
        InvalidInput
            When classes are ordered, the source has no two envelopes to split between, or a limit makes no sense.
        UnknownName
            When no envelope has this source, or there is no such engine.
        """
        options = read_limits(time_limit, gap, threads, seed, None)
        expect("source", source, str, "source")
        issues = [] if most is None else whole_issues({"most": most}, 0)
        engine_named(engine)
        return self._rephased(source, most, options, engine, issues=issues)

    def _rephased(
        self,
        source: str,
        most: int | None,
        options: SolveOptions,
        engine: str,
        *,
        known: Answer | None = None,
        issues: Sequence[Issue] = (),
    ) -> Rephasing:
        """The best split; ``known`` is the best plan of the amounts as they are, ``issues`` what is wrong already."""
        names = frozenset(part.strip() for part in source.split("+"))
        own = [n for n, row in enumerate(self.tables.envelopes) if frozenset(row.source) == names]
        if not own:
            raise UnknownName("envelope", source, {"+".join(row.source) for row in self.tables.envelopes})
        phases = {phase.name for phase in self.tables.settings.phases}
        of_phases = [n for n in own if self.tables.envelopes[n].period in phases]
        of_years = [n for n in own if self.tables.envelopes[n].period.isdecimal()]
        chosen = of_phases if len(of_phases) > 1 else of_years
        found = [] if len(chosen) > 1 else [error("why-one-period", source=source)]
        where = self.tables.place("settings", column="objective")
        found += [error("why-ordered", where)] if is_ordered(self.tables) else []
        self._refuse([*found, *issues])
        return rephase(self.tables, chosen, None if most is None else int(most), options, engine, known=known)

    def alternatives(
        self,
        n: int = 10,
        within: float = 0.01,
        *,
        time_limit: float | None = 60.0,
        gap: float = 0.0,
        threads: int = 2,
        seed: int = 0,
        engine: str = DEFAULT_ENGINE,
    ) -> Alternatives:
        """Return plans that fund different projects and lose little, best first.

        Parameters
        ----------
        n
            How many plans at the most, the best one counted.
        within
            The part of the best value that a plan may lose; where classes are ordered, that each of them may lose.
        gap
            As in :meth:`optimize`, for each plan; above 0, one may come before another that is a little better.

        Raises
        ------
        InvalidInput
            When a number makes no sense.
        UnknownName
            When there is no such engine.
        """
        options = read_limits(time_limit, gap, threads, seed, None)
        self._refuse([*whole_issues({"n": n}, 1), *amount_issues("within", within)])
        engine_named(engine)
        return alternatives(self.tables, int(n), Fraction(repr(float(within))), options, engine)

    def _envelope(self, source: str, period: str) -> int:
        expect("source", source, str, "source")
        expect("period", period, str, "period")
        number = envelope_named(self.tables, source, period)
        if number is None:
            known = {f"{'+'.join(row.source)} {row.period}" for row in self.tables.envelopes}
            raise UnknownName("envelope", f"{source} {period}", known)
        return number

    def _refuse(self, issues: Sequence[Issue]) -> None:
        if issues:
            raise InvalidInput(issues)


def _expect_points(points: Any, beside: Any) -> None:
    """Let multiples, one or more, and a second envelope pass."""
    if isinstance(points, str) or not isinstance(points, Sequence) or not points:
        raise wrong_argument("points", points, "points")
    if beside is not None and not (isinstance(beside, tuple | list) and len(beside) == 2):
        raise wrong_argument("beside", beside, "beside")

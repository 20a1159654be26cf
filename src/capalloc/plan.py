"""The plan a user holds: what is funded, when, by whom, with its proof."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from capalloc.allocation import Allocation
from capalloc.answer import Answer, alone
from capalloc.arguments import path_given
from capalloc.audit import Audit
from capalloc.catalogue import say
from capalloc.classes import every_class
from capalloc.defending import Defended
from capalloc.framing import typed_frame
from capalloc.issues import CapallocError, Issues
from capalloc.limits import read_limits
from capalloc.model import Status, StoppedBy, relative_gap
from capalloc.plantables import TABLES, plan_columns
from capalloc.proving import Proved
from capalloc.replan import Revision, changed_tables, replan
from capalloc.reporting import Section, as_html, as_text, describe_plan
from capalloc.robust import Robustness
from capalloc.showing import Shown
from capalloc.solving import DEFAULT_ENGINE
from capalloc.storing import write_plan
from capalloc.tables import Tables
from capalloc.verification import verify
from capalloc.writing import csv_of, write_atomically

if TYPE_CHECKING:
    import pandas as pd

_WHERE_GIVEN = ("rules", "targets")


@dataclass(frozen=True, slots=True, eq=False)
class Plan(Shown, Defended, Proved):
    """What :meth:`Portfolio.optimize` and :meth:`Portfolio.evaluate` answer.

    Money is in whole million VND.  The tables are made from the independent verification of the plan, so that their
    sums are those of the tables of the portfolio.  They are ``None`` exactly when there is no plan.

    Parameters
    ----------
    tables
        The portfolio's tables.
    answer
        What was found and proved.
    given
        The tables as they were given, where statutory rules changed them.
    robustness
        What is proved of plans that bear what was asked, where ``robust`` was given.
    """

    tables: Tables
    answer: Answer
    given: Tables | None = None
    robustness: Robustness | None = None

    @property
    def status(self) -> Status:
        """What may be claimed: optimal, within_gap, feasible, infeasible or unknown."""
        return self.answer.status

    @property
    def stopped_by(self) -> StoppedBy:
        """Why the run ended: proof, gap, time_limit, node_limit or interrupt."""
        return self.answer.stopped_by

    @property
    def value(self) -> float | None:
        """What the objective adds up, class weights included; ``None`` when there is no plan.

        With a lexicographic goal, value, bound and gap are those of the last class; see :attr:`classes`.
        """
        return None if self.answer.value is None else float(self.answer.value)

    @property
    def bound(self) -> float:
        """A proved upper bound on the value of every plan.

        It is ``inf`` where none is proved and ``-inf`` where it is proved that there is no plan.
        """
        return self.answer.bound

    @property
    def gap(self) -> float:
        """(bound − value) / |value|; 0 when equal, ``inf`` when there is no value or it is 0."""
        return relative_gap(self.value, self.bound)

    @property
    def canonical(self) -> bool:
        """Whether it is proved to be the first of all best plans, as ``tie_break`` asks."""
        return self.answer.canonical

    @property
    def violations(self) -> Issues:
        """What a hand-made list breaks; empty for every plan."""
        return self.answer.violations

    @property
    def projects(self) -> pd.DataFrame | None:
        """One row a project of the portfolio.

        The columns are project, name, funded, mode, start, finish, scale, priority, cost, value and weighted_value.
        ``priority`` is the class in which a funded project counts, by the phase of its start.  ``scale`` is the part of
        a programme that is funded, and 1 for works; cost and values are those of this part.  ``cost`` is over the
        project's life in million VND, with what was paid before the plan; ``value`` is before class weights,
        ``weighted_value`` times the weight of the project's class: with synergies and less penalties, its sum is the
        value of the plan.  What does not apply is missing.
        """
        return self._frame("projects")

    @property
    def funding(self) -> pd.DataFrame | None:
        """What each source pays for each project in each year, in whole million VND: project, source, year, amount.

        What was paid before the plan is part of it, also for projects that were stopped.
        """
        return self._frame("funding")

    @property
    def envelopes(self) -> pd.DataFrame | None:
        """Each envelope in million VND.

        The columns are source, period, amount, reserve, undisbursed, room, carried_in, carried_out, used and slack:
        amount − reserve − undisbursed = room, and room + carried_in − carried_out − used = slack.
        """
        return self._frame("envelopes")

    @property
    def resources(self) -> pd.DataFrame | None:
        """Each resource in its own unit: resource, period, amount, used, slack."""
        return self._frame("resources")

    @property
    def classes(self) -> pd.DataFrame | None:
        """Each priority class: class, value, bound, gap, status.

        ``value`` adds up the options, synergies and penalties of the class, without weights.  With a lexicographic
        goal, ``bound`` is the most that the class can reach when the classes above it keep what they have, and
        ``status`` what is proved about it; otherwise bound, gap and status are missing.
        """
        return self._frame("classes")

    @property
    def leverage(self) -> pd.DataFrame | None:
        """Money of others that follows money of the state: period, state, non_state, leverage.

        One row a phase and a last one, ``total``, for all years.  Amounts are in million VND; ``leverage`` is
        non_state / state, missing where the state pays nothing.
        """
        return self._frame("leverage")

    @property
    def rules(self) -> pd.DataFrame | None:
        """Each rule in force: rule, sentence, sense, limit, used, slack, binding, violation, price, paid.

        ``used`` is what the rule measures and ``limit`` what it is held against; money is in million VND.  ``binding``
        says that nothing is left.  ``paid`` is what the value of the plan loses for the violation of a soft rule;
        ``price`` is missing where the rule is hard.  The sentences are in the language in force.
        """
        return self._frame("rules")

    @property
    def targets(self) -> pd.DataFrame | None:
        """Each target: indicator, by_year, at_least, reached, slack, shortfall, price, paid; as for :attr:`rules`."""
        return self._frame("targets")

    def compliance(self) -> pd.DataFrame:
        """Return how the plan stands to each statutory rule of the preset, judged from its choices and payments.

        The columns are rule, statement, verdict, found, limit, slack, breaking, unknown, article, reliability and
        waiver.  ``verdict`` is passed, failed, waived, open (still to be met before the plan is adopted), off (not in
        force here) or not_assessed.  ``found`` is what the plan makes of the rule and ``limit`` what it is held
        against, money in million VND; ``breaking`` names the projects that break it, ``unknown`` those about which the
        tables do not say enough.  Statements and articles are in the language in force.

        Raises
        ------
        CapallocError
            When there is no plan.
        """
        self._held()
        return typed_frame(plan_columns("compliance", self.tables, self.answer) or {})

    @property
    def table_names(self) -> tuple[str, ...]:
        """The tables that are shown and written: all, but some only where the portfolio asks for them."""
        left_out = {name for name in _WHERE_GIVEN if not self.tables.rows(name)}
        left_out |= set() if self.tables.settings.statutory else {"compliance"}
        left_out |= set() if every_class(self.tables) else {"classes"}
        left_out |= set() if any(source.side != "state" for source in self.tables.sources) else {"leverage"}
        return tuple(name for name in TABLES if name not in left_out)

    def table(self, name: str) -> pd.DataFrame:
        """Return one of :attr:`table_names` by its name.

        Raises
        ------
        CapallocError
            When there is no plan.
        """
        self._held()
        held = getattr(self, name)
        frame: pd.DataFrame = held() if callable(held) else held
        return frame

    def _frame(self, name: str) -> pd.DataFrame | None:
        columns = plan_columns(name, self.tables, self.answer)
        return None if columns is None else typed_frame(columns)

    def verify(self) -> Audit:
        """Read the tables again against the plan, in exact integers, with no code of the compiler and the engine.

        Raises
        ------
        CapallocError
            When there is no plan.
        """
        return verify(self.tables, self._held()[0])

    def replan(  # one argument a limit
        self,
        changes: Mapping[str, Any],
        max_changes: int | None = None,
        *,
        since: int | None = None,
        time_limit: float | None = 60.0,
        gap: float = 1e-4,
        threads: int = 2,
        seed: int = 0,
        engine: str = DEFAULT_ENGINE,
    ) -> Revision[Plan]:
        """Return the plan of changed tables that changes the fewest projects of this one, and is then worth most.

        A project changes when it enters, leaves, or takes another mode or start year; how much of a programme is done
        and who pays may change freely.  Commitments and what has begun hold as the changed tables have them.

        Parameters
        ----------
        changes
            As for :meth:`Portfolio.with_changes`.
        max_changes
            Seek the most value within so many changes, instead of within the fewest.
        since
            The first year in which decisions are open: what this plan starts before it stays.
        time_limit, gap, threads, seed, engine
            As in :meth:`Portfolio.optimize`, the time for both runs.

        Raises
        ------
        CapallocError
            When there is no plan.
        InvalidInput
            When a change cannot be made, the changed tables are wrong, a number makes no sense, or the plan is a robust
            one.
        UnknownName
            When there is no such engine.
        """
        self._held()
        self._not_robust("replan")
        options = read_limits(time_limit, gap, threads, seed, None)
        given, tables = changed_tables(self.given or self.tables, changes, max_changes, since)
        revised = replan(tables, self.answer, options, max_changes=max_changes, since=since, engine=engine)
        return Revision(Plan(tables, alone(revised.answer), given), tables, revised)

    def summary(self) -> str:
        """Return what the plan holds and what is proved, as text in the language in force."""
        return as_text(self._sections())

    def to_csv(self, folder: str | Path) -> list[Path]:
        """Write the tables as CSV files into a folder, which is made where it is missing, and return their paths.

        The files are UTF-8 with the mark by which spreadsheet programs know it; each is written all or nothing.  A text
        that a spreadsheet program would take for a formula gets an apostrophe before it.

        Raises
        ------
        CapallocError
            When there is no plan, or ``folder`` is no path.
        OSError
            When the folder cannot be written.
        """
        self._held()
        target = path_given("folder", folder)
        target.mkdir(parents=True, exist_ok=True)
        for name in self.table_names:
            write_atomically(target / f"{name}.csv", csv_of(self.table(name)), encoding="utf-8-sig")
        return [target / f"{name}.csv" for name in self.table_names]

    def save(self, path: str | Path) -> None:
        """Write the plan with its value, bound, limits and versions as a JSON file that :func:`load_plan` reads back.

        Raises
        ------
        CapallocError
            When there is no plan, or ``path`` is no path.
        OSError
            When the file cannot be written.
        """
        write_plan(path_given("path", path), self.tables, self.answer, *self._held())

    def _held(self) -> tuple[Allocation, Audit]:
        if self.answer.allocation is None or self.answer.audit is None:
            raise CapallocError(say("plan.none", status=say(f"plan.status.{self.answer.verdict}")))
        return self.answer.allocation, self.answer.audit

    def _sections(self) -> Iterable[Section]:
        return describe_plan(self.tables, self.answer)

    def __str__(self) -> str:
        return self.summary()

    def __repr__(self) -> str:
        return f"<Plan {self.status}: value {self.value}, bound {self.bound}>"

    def _repr_html_(self) -> str:
        return as_html(self._sections())

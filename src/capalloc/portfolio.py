"""The portfolio a user holds: the question, with everything that can be asked of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from capalloc.allocation import Allocation
from capalloc.amending import put_in_force
from capalloc.answer import Answer, alone
from capalloc.arguments import expect, path_given
from capalloc.canonical import first_of_equals
from capalloc.changes import Change, apply_changes
from capalloc.engines import engine_named
from capalloc.evaluation import evaluate
from capalloc.excel.workbook import is_workbook, read_workbook
from capalloc.exporting import from_problem, to_problem, write_model
from capalloc.formats import NEWER
from capalloc.framing import row_cells, table_frame
from capalloc.front import ParetoFront
from capalloc.groundwork import Groundwork
from capalloc.issues import NO_ISSUES, InvalidInput, Issues, Place, UnknownName, error
from capalloc.law.lawbook import Lawbook
from capalloc.limits import read_limits
from capalloc.listing import HandMade, read_list, wishes_of
from capalloc.loading import read_folder, read_frames
from capalloc.model import ProgressReport, SolveOptions
from capalloc.packing import unpack
from capalloc.pareto import check_front, front_of, tables_for
from capalloc.plan import Plan
from capalloc.progress import expect_watcher, watched_answer
from capalloc.records import RECORDS, SCHEMAS
from capalloc.reporting import as_html, as_text, describe_portfolio
from capalloc.robust import read_robust
from capalloc.rulebook import Rulebook
from capalloc.screening import screen
from capalloc.sensitivity import Questioned
from capalloc.settings import Settings
from capalloc.solving import DEFAULT_ENGINE, solve_compiled
from capalloc.storing import fingerprint, read_plan
from capalloc.tables import Tables

if TYPE_CHECKING:
    import networkx as nx
    import pandas as pd
    import pulp


@dataclass(frozen=True, slots=True, eq=False)
class Portfolio(Questioned):
    """Candidate projects with the sources, envelopes and rules that bind them.

    :func:`load` and :meth:`from_tables` make one.  A portfolio never changes; :meth:`with_changes` makes another.  Two
    portfolios are equal when their tables say the same.  Money is in whole million VND.

    Parameters
    ----------
    tables
        The settings and the rows of every table, with the statutory rules of the preset in force.
    findings
        The warnings and notes of reading and checking the tables.
    changes
        What :meth:`with_changes` changed, one entry a cell.
    given
        The tables as they were given, where statutory rules changed them.
    ground
        What was worked out about the tables, for the portfolios that :meth:`with_changes` makes.
    """

    tables: Tables
    findings: Issues = NO_ISSUES
    changes: tuple[Change, ...] = ()
    given: Tables | None = None
    ground: Groundwork = field(default_factory=Groundwork, repr=False)

    @staticmethod
    def from_tables(settings: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> Portfolio:
        """Return the portfolio that a dict of settings and DataFrames by table name hold.

        Parameters
        ----------
        settings
            The keys of ``portfolio.toml``.
        tables
            At least ``"projects"``; the columns are those of the CSV files.

        Raises
        ------
        InvalidInput
            With everything that is wrong, all at once.
        """
        expect("settings", settings, Mapping, "settings")
        expect("tables", tables, Mapping, "tables")
        return _checked(*read_frames(settings, tables))

    @property
    def settings(self) -> Settings:
        """What is said once for the whole portfolio."""
        return self.tables.settings

    @property
    def title(self) -> str:
        """The title, which may be empty."""
        return self.tables.settings.title

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of what the tables say, in hexadecimal digits; equal portfolios have equal fingerprints."""
        return fingerprint(self.tables)

    @property
    def rules(self) -> Rulebook:
        """The rules by their ids; ``print(portfolio.rules["equity-floor"])`` says one as a sentence."""
        return Rulebook(self.tables)

    @property
    def law(self) -> Lawbook:
        """The statutory rules of the preset by their names, as sentences; empty without a preset."""
        return Lawbook(self.tables.settings)

    def check(self) -> Issues:
        """Return what the user should know before optimising.

        These are the warnings and notes of reading and checking the tables, which projects can never be funded and why,
        and how much of each envelope mandatory and committed projects take.  Tables that are wrong, or that ask for a
        project that can never be funded, do not become a portfolio.
        """
        return Issues((*self.findings, *screen(self.tables)))

    def with_changes(self, changes: Mapping[str, Any]) -> Portfolio:
        """Return the portfolio with some cells or settings changed, checked again.

        Parameters
        ----------
        changes
            Path to change.  A path is ``table.key[.key…].column`` in the order of the key columns, or
            ``settings.name``; a part with dots or spaces is quoted, and ``*`` and ``?`` match within a part.  See
            :mod:`capalloc.changes` for the changes: a plain value, or text such as ``"*1.05"``, ``"+100"``,
            ``"-100"``.

        Raises
        ------
        InvalidInput
            When a path matches nothing, a change cannot be made, or the changed portfolio is wrong; everything at once.

        Examples
        --------
        >>> import pandas as pd
        >>> projects = pd.DataFrame({"id": ["A"], "cost": [1001], "value": [5]})
        >>> portfolio = Portfolio.from_tables({"first_year": 2026, "last_year": 2030}, {"projects": projects})
        >>> dearer = portfolio.with_changes({"projects.A.cost": "*1.05"})
        >>> print(dearer.changes[0])
        projects.A.cost: 1,001 → 1,051 (rounded from 1,051.05)
        """
        expect("changes", changes, Mapping, "changes")
        tables, made, notes = apply_changes(self.given or self.tables, changes, self.ground.edits)
        return _checked(self.ground.shared(tables), notes, (*self.changes, *made), self.ground)

    def optimize(  # noqa: PLR0913  # one argument a limit
        self,
        *,
        time_limit: float | None = 60.0,
        gap: float = 1e-4,
        threads: int = 2,
        seed: int = 0,
        engine: str = DEFAULT_ENGINE,
        node_limit: int | None = None,
        start: Plan | HandMade | None = None,
        progress: bool | ProgressReport | None = None,
        robust: Mapping[str, Any] | None = None,
        tie_break: bool = False,
    ) -> Plan:
        """Return the best plan found within the limits, verified, with the bound that was proved.

        No plan is an answer, not an error: ``plan.projects`` is then ``None`` and ``plan.status`` says why.

        Parameters
        ----------
        time_limit
            Seconds, above 0; ``None`` for none.
        gap
            Stop when (bound − value) / |value| is proved to be at most this; 0 or more.
        threads, seed
            Handed to the engine; ``threads`` from 1 to 256, ``seed`` from 0 to 2³¹ − 2.
        engine
            ``"capalloc"``, ``"highs"``, ``"pulp:NAME"`` for a solver that PuLP drives, or ``"enumeration"`` for tiny
            portfolios.
        node_limit
            Branch-and-bound nodes, from 1 to 2³¹ − 1; ``None`` for none.
        start
            A plan, or a list as in :meth:`evaluate`, to start from.
        progress
            ``True`` shows the run live; a callable gets each :class:`~capalloc.model.Progress`, the plan's at last.
        robust
            What envelopes must bear, as in :class:`~capalloc.robust.Robust`: ``{"gamma": 5}`` that any 5 projects of an
            envelope cost ``cost_high``, ``{"cvar": 0.02}`` that in the worst tenth of drawn costs an envelope is passed
            by 2 % of its room on average.  ``plan.robustness`` then says what is proved of such plans, and the price.
            ``progress`` tells of both runs, the plain one first; a ``start`` has to bear the demand.
        tie_break
            Choose the first of all best plans in the order of the tables: the first project takes the first mode, and
            in it the first start year, that it has in any of them, and is left out only where all of them do without
            it; then the second project, and so on.  ``gap`` is then 0.  ``plan.canonical`` says whether it is proved
            within the limits; with ``robust`` it is refused.

        Raises
        ------
        InvalidInput
            When an argument is of the wrong type, a limit makes no sense, or ``start`` is no plan of this portfolio, or
            does not bear what ``robust`` asks.
        UnknownName
            When there is no such engine, or ``start`` names a project that does not exist.
        EngineFailed
            When the engine itself fails.
        """
        options = read_limits(time_limit, gap, threads, seed, node_limit)
        expect("engine", engine, str, "engine")
        engine_named(engine)
        expect_watcher(progress)
        if robust is not None:
            asked = read_robust(robust)
            if tie_break:
                raise InvalidInput([error("robust-tie-break")])
            begin = None if start is None else self._start(start)
            return self._robust_plan(asked, options, engine, progress, begin)
        first = None if start is None else self._start(start)
        compiled, solver = self.ground.compiled(self.tables), engine_named(engine)
        limits = replace(options, gap=0.0) if tie_break else options

        def solve(report: ProgressReport | None) -> Answer:
            best = solve_compiled(compiled, limits, solver, start=first, progress=report)
            return first_of_equals(compiled, best, _rest(limits, best.seconds), solver) if tie_break else best

        return Plan(self.tables, watched_answer(progress, solve), self.given)

    def _start(self, start: Plan | HandMade) -> Allocation:
        if isinstance(start, Plan):
            if start.answer.allocation is None:
                raise InvalidInput([error("start-without-plan", status=start.status)])
            if start.tables is self.tables:
                return start.answer.allocation
            wishes = wishes_of(self.tables, start.answer.allocation)
        else:
            wishes = read_list(self.tables, start, "start")
        answer = evaluate(self.tables, wishes)
        if answer.allocation is None:
            raise InvalidInput([error("start-infeasible", count=len(answer.violations)), *answer.violations])
        return answer.allocation

    def evaluate(self, listed: Plan | HandMade) -> Plan:
        """Return a hand-made list judged like a plan: exactly its projects are funded.

        Modes, start years and scales that the list leaves open, and who pays, are chosen as well as can be.  A list
        that cannot be carried out gives a plan with the status ``infeasible`` whose ``violations`` say what it breaks.

        Parameters
        ----------
        listed
            Project ids; (project, mode, start) with ``None`` for what is left open, or (project, start); project →
            start year; a frame with the column project and, if wanted, mode, start and funded, such as
            ``plan.projects`` edited by hand; or a plan, whose projects, modes and start years are judged.

        Raises
        ------
        UnknownName
            When the list names a project, mode or column that does not exist.
        InvalidInput
            When it is no list, a project is listed twice, a start is no year, a scale is no part of a whole, or the
            plan holds no projects.
        """
        if isinstance(listed, Plan):
            if listed.answer.allocation is None:
                raise InvalidInput([error("list-without-plan", status=listed.status)])
            wishes = wishes_of(self.tables, listed.answer.allocation)
        else:
            wishes = read_list(self.tables, listed)
        # The bound holds for plans of these projects only; about all plans nothing is proved.
        return Plan(self.tables, alone(evaluate(self.tables, wishes)), self.given)

    def pareto(
        self,
        first: str,
        second: str,
        *,
        resolution: float = 0.0,
        most: int | None = None,
        time_limit: float | None = 600.0,
        threads: int = 2,
        seed: int = 0,
        engine: str = DEFAULT_ENGINE,
    ) -> ParetoFront:
        """Return all that can be had of one set of criteria for what is given up of another, exactly.

        Each point is a plan that no plan passes in one of the two values without falling behind in the other.  A value
        is what ``plan.value`` would be with that set of criteria alone as the objective; the rules stay as they are.
        No point is missed, also none that no weights of the two sets would find.

        Parameters
        ----------
        first, second
            Two sets of criteria.
        resolution
            Points closer than this in ``second`` count as one; 0 for the finest step of values.
        most
            Stop after this many points, at least 1; ``None`` for all.
        time_limit
            Seconds for all points, above 0; ``None`` for none.  What is found by then is exact, and not ``complete``.
        threads, seed, engine
            As in :meth:`optimize`.

        Raises
        ------
        InvalidInput
            When the objective does not take values from scores or orders classes, a score is missing, or a limit makes
            no sense.
        UnknownName
            When there is no such set or engine.
        EngineFailed
            When the engine itself fails.
        """
        options = read_limits(time_limit, 0.0, threads, seed, None)
        issues = Issues(check_front(self.tables, first, second, resolution, most))
        if issues:
            raise InvalidInput(issues)
        known = {row.set for row in self.tables.criteria}
        for name in (first, second):
            if name not in known:
                raise UnknownName("set", name, known)
            _checked(tables_for(self.tables, name), NO_ISSUES)
        step = Fraction(repr(float(resolution)))
        found = front_of(self.tables, (first, second), options, engine_named(engine), resolution=step, most=most)
        return ParetoFront(self.tables, first, second, found)

    def to_pulp(self) -> pulp.LpProblem:
        """Return the model as a ``pulp.LpProblem`` with readable names, to add to by hand.

        It maximises the value of the plan; with a lexicographic goal, that of all classes together.
        ``fund_P003_2026`` is 1 when P003 starts in 2026; ``pay_…`` is what a source pays, where more than one may.
        """
        return to_problem(self.tables)

    def write_mps(self, path: str | Path) -> None:
        """Write the model as a free MPS file with readable names, for any solver; it minimises the value negated.

        Raises
        ------
        InvalidInput
            When ``path`` is no path.
        OSError
            When the file cannot be written.
        """
        write_model(self.tables, path_given("path", path))

    def plan_from_pulp(self, problem: pulp.LpProblem) -> Plan:
        """Return the plan that a solved ``pulp.LpProblem`` made by :meth:`to_pulp` holds, verified like any other.

        Nothing is claimed about other plans, because the problem may have been changed by hand; what in it the tables
        do not allow is told as for :meth:`evaluate`.

        Raises
        ------
        InvalidInput
            When ``problem`` is none, or holds no solution of this portfolio.
        """
        return Plan(self.tables, from_problem(self.tables, problem), self.given)

    def graph(self) -> nx.DiGraph:
        """Return the dependencies as a graph, an edge from ``first`` to ``then``.

        A node is a project id with the columns of `projects` as attributes.  An edge has ``kind`` and ``lag``; where
        a pair has several dependencies, the kinds are joined by ``+`` and the lag is the longest.  The edges of
        ``together`` and ``excludes``, which have no direction, stand as they are written.
        """
        import networkx as nx

        graph = nx.DiGraph(title=self.title)
        for project in self.tables.projects:
            graph.add_node(project.id, **row_cells("projects", project))
        for row in self.tables.dependencies:
            kind, lag = row.kind, row.lag
            if graph.has_edge(row.first, row.then):
                edge = graph.edges[row.first, row.then]
                kind, lag = f"{edge['kind']}+{kind}", max(edge["lag"], lag)
            graph.add_edge(row.first, row.then, kind=kind, lag=lag)
        return graph

    def __getitem__(self, table: str) -> pd.DataFrame:
        """Return a table as a DataFrame, money in whole million VND; a table that was not given is empty.

        Raises
        ------
        UnknownName
            When the schema has no such table.
        InvalidInput
            When ``table`` is no text.
        """
        expect("table", table, str, "table")
        if table not in SCHEMAS:
            raise UnknownName("table", table, SCHEMAS)
        return table_frame(self.given or self.tables, table)

    def to_frames(self) -> dict[str, pd.DataFrame]:
        """Return every table that has rows as a DataFrame, by its name, money in whole million VND."""
        given = self.given or self.tables
        return {name: table_frame(given, name) for name in RECORDS if given.rows(name)}

    def summary(self) -> str:
        """Return what is in the portfolio, as text in the language in force."""
        return as_text(describe_portfolio(self.tables))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Portfolio) and self.fingerprint == other.fingerprint

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __str__(self) -> str:
        return self.summary()

    def __repr__(self) -> str:
        return f"<Portfolio {self.title!r}: {len(self.tables.projects)} projects>"

    def _repr_html_(self) -> str:
        return as_html(describe_portfolio(self.tables))


def _rest(options: SolveOptions, spent: float) -> SolveOptions:
    """The limits less the seconds that were spent."""
    left = None if options.time_limit is None else max(0.0, options.time_limit - spent)
    return replace(options, time_limit=left)


def _checked(
    tables: Tables | None, read: Issues, changes: tuple[Change, ...] = (), ground: Groundwork | None = None
) -> Portfolio:
    """Make a portfolio of tables that have no error, or raise everything that was found."""
    if tables is None or any(issue.code == NEWER for issue in read):
        raise InvalidInput(read)
    ground = ground or Groundwork()
    in_force, found = put_in_force(tables, read, ground)
    return Portfolio(in_force, found, changes, None if in_force is tables else tables, ground)


def load(path: str | Path) -> Portfolio:
    """Return the portfolio in a folder of ``portfolio.toml`` and CSV files, or in a workbook with one sheet a table.

    The path of the TOML file does as well, and so does the ``inputs/portfolio.json`` of a pack of evidence.

    Raises
    ------
    InvalidInput
        With everything that is wrong, all at once, each at its file, row and column, or at its sheet and cell.
    """
    given = path_given("path", path)
    try:
        if given.suffix == ".json" and given.is_file():
            return _packed(given)
        return _checked(*(read_workbook(given) if is_workbook(given) else read_folder(given)))
    except OSError as failure:
        # A folder that may not be opened, a name longer than any.
        reason = failure.strerror or failure
        raise InvalidInput([error("unreadable-file", Place(given.name), reason=reason)]) from None


def _packed(path: Path) -> Portfolio:
    """Return the portfolio in a file of packed tables, which may have been changed by hand."""
    try:
        return _checked(unpack(path.read_text(encoding="utf-8"), Place(path.name)), NO_ISSUES)
    except InvalidInput:
        raise
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError):
        raise InvalidInput([error("not-a-portfolio", Place(path.name), path=str(path))]) from None


def load_plan(path: str | Path, portfolio: Portfolio) -> Plan:
    """Return the plan that :meth:`Plan.save` wrote, verified again against the portfolio.

    Value, payments and every statement of the tables are checked afresh; the bound is the engine's word.

    Raises
    ------
    InvalidInput
        When the file is no plan, is a plan of another portfolio, or was changed after it was written.
    """
    expect("portfolio", portfolio, Portfolio, "portfolio")
    return Plan(portfolio.tables, read_plan(path_given("path", path), portfolio.tables), portfolio.given)

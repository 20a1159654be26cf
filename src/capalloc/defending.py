"""The questions that a plan answers about one of its projects, or of those that it leaves out."""

from __future__ import annotations

from capalloc.allocation import Allocation
from capalloc.answer import Answer
from capalloc.arguments import expect
from capalloc.audit import Audit
from capalloc.engines import engine_named
from capalloc.issues import InvalidInput, UnknownName, error
from capalloc.limits import read_limits
from capalloc.robust import Robustness
from capalloc.solving import DEFAULT_ENGINE
from capalloc.tables import Tables
from capalloc.why import Why, why
from capalloc.whynot import WhyNot, why_not


class Defended:
    """What can be asked of a plan about a project; every answer is found by solving again."""

    __slots__ = ()

    tables: Tables
    answer: Answer
    given: Tables | None
    robustness: Robustness | None

    def funds(self, project: str) -> bool:
        """Return whether the plan funds a project, whose id must be one of the portfolio's."""
        expect("project", project, str, "project")
        allocation, _ = self._held()
        known = [row.id for row in self.tables.projects]
        if project not in known:
            raise UnknownName("project", project, known)
        return any(choice.project == project for choice in allocation.choices)

    def why_not(
        self,
        project: str,
        *,
        time_limit: float | None = 60.0,
        threads: int = 2,
        seed: int = 0,
        engine: str = DEFAULT_ENGINE,
    ) -> WhyNot:
        """Return why the plan leaves a project out, and the cheapest single ways in, each settled by solving again.

        Parameters
        ----------
        project
            The id of a project that the plan does not fund.
        time_limit
            Seconds for all runs together; ``None`` for none.  What is not decided by then is said to be open.
        threads, seed, engine
            As in :meth:`Portfolio.optimize`.

        Raises
        ------
        CapallocError
            When there is no plan.
        InvalidInput
            When the plan funds the project or is a robust one, or a limit makes no sense.
        UnknownName
            When there is no such project or engine.
        """
        options = read_limits(time_limit, 0.0, threads, seed, None)
        self._not_robust("why_not")
        if self.funds(project):
            raise InvalidInput([error("why-funded", project=project)])
        engine_named(engine)
        return why_not(self.tables, self.answer, project, options, engine, self.given)

    def why(
        self,
        project: str,
        *,
        time_limit: float | None = 60.0,
        threads: int = 2,
        seed: int = 0,
        engine: str = DEFAULT_ENGINE,
    ) -> Why:
        """Return what a funded project is worth to the plan, and when it would fall out; as for :meth:`why_not`.

        Raises
        ------
        CapallocError
            When there is no plan.
        InvalidInput
            When the plan does not fund the project or is a robust one, or a limit makes no sense.
        UnknownName
            When there is no such project or engine.
        """
        options = read_limits(time_limit, 0.0, threads, seed, None)
        self._not_robust("why")
        if not self.funds(project):
            raise InvalidInput([error("why-not-funded", project=project)])
        engine_named(engine)
        return why(self.tables, self.answer, project, options, engine)

    def _not_robust(self, question: str) -> None:
        """Refuse a question that is solved again without the demand that a robust plan bears."""
        if self.robustness is not None:
            raise InvalidInput([error("robust-plan", question=question)])

    def _held(self) -> tuple[Allocation, Audit]:
        """The payments and the account of the plan."""
        raise TypeError(type(self))

"""A plan as pictures and pages: the charts of a plan and its report."""

from __future__ import annotations

from capalloc.answer import Answer
from capalloc.catalogue import say
from capalloc.issues import CapallocError
from capalloc.plotting import PlanPlots
from capalloc.tables import Tables


class Shown:
    """What can be shown of a plan beyond its tables."""

    __slots__ = ()

    tables: Tables
    answer: Answer

    @property
    def plot(self) -> PlanPlots:
        """The charts of the plan: ``plot.envelopes()``, ``plot.funding()``, ``plot.schedule()``, ``plot.classes()``.

        Raises
        ------
        CapallocError
            When there is no plan.
        """
        if self.answer.allocation is None or self.answer.audit is None:
            raise CapallocError(say("plan.none", status=say(f"plan.status.{self.answer.verdict}")))
        return PlanPlots(self.tables, self.answer.allocation, self.answer.audit)

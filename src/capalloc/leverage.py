"""How much money of others follows the money of the state."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from capalloc.allocation import Allocation, Payment
from capalloc.tables import Tables

TOTAL = "total"
"""The period that stands for all years, also those after the last."""


@dataclass(frozen=True, slots=True)
class Leverage:
    """What sources of the state and others pay in a period, in million VND."""

    period: str
    state: int
    non_state: int

    @property
    def ratio(self) -> Fraction | None:
        """Money of others for each unit of the state; ``None`` where the state pays nothing."""
        return Fraction(self.non_state, self.state) if self.state else None


def leverage_of(tables: Tables, allocation: Allocation) -> tuple[Leverage, ...]:
    """Return the leverage of each phase, and of all years at last."""
    return tuple(_leverages(tables, allocation.payments))


def _leverages(tables: Tables, payments: tuple[Payment, ...]) -> Iterator[Leverage]:
    state = {source.id for source in tables.sources if source.side == "state"}

    def over(name: str, own: list[Payment]) -> Leverage:
        total = sum(payment.amount for payment in own)
        paid = sum(payment.amount for payment in own if payment.source in state)
        return Leverage(name, paid, total - paid)

    for phase in tables.settings.phases:
        yield over(phase.name, [payment for payment in payments if phase.first <= payment.year <= phase.last])
    yield over(TOTAL, list(payments))

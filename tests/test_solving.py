"""From tables to a verified plan: every engine against the referee, and what is claimed of bounds and limits."""

import pytest
from hypothesis import given, note

from brute import best_by_enumeration, best_lexicographic
from capalloc.model import SolveOptions, Status
from capalloc.solving import optimize
from strategies import carrying_portfolios, portfolios

EXACT = SolveOptions(time_limit=60, gap=0.0, threads=1)


@pytest.mark.parametrize("engine", ["highs", "enumeration", "pulp:CBC"])
@given(tables=portfolios() | carrying_portfolios())
def test_every_engine_finds_the_value_that_enumeration_finds(engine, tables):
    """On small portfolios that mix all features, every engine agrees with trying everything."""
    best = best_by_enumeration(tables)
    answer = optimize(tables, EXACT, engine)
    note(f"{answer}\n{best}")
    if best is None:
        assert answer.status is Status.INFEASIBLE
        assert answer.allocation is None
    else:
        assert answer.status is Status.OPTIMAL
        assert answer.value == best[0]
        if tables.settings.objective.goal == "lexicographic":
            assert [account.value for account in answer.audit.classes] == best_lexicographic(tables)
        assert answer.bound == float(best[0])

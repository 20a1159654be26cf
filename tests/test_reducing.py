"""The part of a model in which a plan of some value must lie: nothing that is worth so much is lost."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from brute import best_by_enumeration
from building import project, tables
from capalloc.compiling import compile_tables
from capalloc.engines.highs import Highs
from capalloc.model import SolveOptions
from capalloc.records import Envelope, Source
from capalloc.reducing import reduced
from strategies import cases, portfolios

EXACT = SolveOptions(time_limit=60, gap=0.0, threads=1)
PLAIN = frozenset({"carry", "disbursement", "rules", "targets", "synergies"})


def test_what_loses_too_much_is_held():
    """Of 12, A, B, C and D cost 5 each and are worth 50, 40, 10 and 5.

    In fractions 12 buys A, B and two fifths of C, worth 94; one more buys 2.  D in a plan loses 10 − 5, and one without
    A or B loses 40 or 30: a plan of 90 has A and B and no D.
    """
    worths = (("A", 50), ("B", 40), ("C", 10), ("D", 5))
    rows = [project(name, 5, value=Fraction(worth), latest_start=2021) for name, worth in worths]
    money = Envelope(source=("state",), period="2021:2024", amount=12)
    compiled = compile_tables(tables(*rows, sources=(Source(id="state"),), envelopes=(money,)))
    kept = reduced(compiled.model, float(90 / compiled.unit), EXACT)
    assert (kept.lower.tolist(), kept.upper.tolist()) == ([1, 1, 0, 0], [1, 1, 1, 0])
    assert reduced(compiled.model, float(95 / compiled.unit), EXACT) is None
    assert reduced(compiled.model, float(50 / compiled.unit), EXACT).upper.tolist() == [1, 1, 1, 1]


@cases(30)
@given(data=st.data())
def test_the_best_plan_is_never_lost(data):
    """Whatever the portfolio: what is left has the value that trying everything finds, and a little more is refused."""
    drawn = data.draw(portfolios(with_sources=True, features=PLAIN))
    found, compiled = best_by_enumeration(drawn), compile_tables(drawn)
    if found is None:
        return
    least = float(found[0] / compiled.unit)
    kept = reduced(compiled.model, least, EXACT)
    assert kept is not None
    outcome = Highs().solve(kept, EXACT)
    assert outcome.bound >= least - 1e-6 * max(1.0, abs(least))

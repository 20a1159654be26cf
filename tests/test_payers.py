"""Payers: which sources may pay for a project, and which rows of shares bind them."""

from fractions import Fraction

import numpy as np
import pytest

from building import project, tables
from capalloc.options import expand
from capalloc.payers import Limit, find_payers, shares_of
from capalloc.records import Mode, Share, Source

HALF, THIRD = Fraction(1, 2), Fraction(1, 3)

LOCAL = Source(id="local")
CENTRAL = Source(id="central", eligible='sector == "road"')
PRIVATE = Source(id="private", side="non_state")
LENDER = Source(id="lender", side="non_state")
SOURCES = (LOCAL, CENTRAL, PRIVATE, LENDER)  # 0, 1, 2, 3


def share(source, low=0, high=1, project="P", **more):
    """Return a row of shares of one source, or of several joined by +."""
    return Share(project=project, source=tuple(source.split("+")), min=Fraction(low), max=Fraction(high), **more)


def payers(*rows, sources=SOURCES):
    """Return the payers of the road P, the school Q, and the modes a and b of the school R."""
    given = tables(
        project("P", 1, sector="road"),
        project("Q", 1, sector="school"),
        project("R", 1, sector="school"),
        modes=(Mode(project="R", mode="a"), Mode(project="R", mode="b")),
        sources=sources,
        shares=rows,
    )
    return find_payers(given, expand(given).variants)


def who(*rows):
    """Return the sources that may pay for P, Q, R in mode a and R in mode b."""
    return [found.sources for found in payers(*rows)]


def limits(*rows):
    """Return the limits of P."""
    return payers(*rows)[0].limits


def test_state_sources_pay_for_what_they_are_eligible_for():
    """Without rows of shares: the local one for everything, the central one for roads, the others for nothing."""
    assert who() == [(0, 1), (0,), (0,), (0,)]
    assert all(found.limits == () for found in payers())


def test_without_sources_nobody_pays():
    """There is nothing to say who."""
    assert [found.sources for found in payers(sources=())] == [(), (), (), ()]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (share("private", high=HALF), [(0, 1, 2), (0,), (0,), (0,)]),
        (share("private", project='sector == "school"'), [(0, 1), (0, 2), (0, 2), (0, 2)]),
        (share("private", project="R"), [(0, 1), (0,), (0, 2), (0, 2)]),
        (share("private", project="R", mode="b"), [(0, 1), (0,), (0,), (0, 2)]),
        (share("private", project="R", mode="b", per="year"), [(0, 1), (0,), (0,), (0, 2)]),
        (share("lender+private"), [(0, 1, 2, 3), (0,), (0,), (0,)]),
        (share("private", high=0), [(0, 1), (0,), (0,), (0,)]),
    ],
)
def test_another_source_pays_where_a_row_lets_it(row, expected):
    """Named alone or with others, for a project, a selection or a mode, of the life or of each year, above nothing."""
    assert who(row) == expected


def test_a_row_names_a_project_before_it_is_read_as_a_selection():
    """Even one whose id looks like an expression."""
    given = tables(
        project("priority <= 2", 1, priority=3), project("B", 1, priority=1), sources=SOURCES,
        shares=(share("private", project="priority <= 2"),),
    )  # fmt: skip
    assert [found.sources for found in find_payers(given, expand(given).variants)] == [(0, 2), (0,)]


def test_a_source_that_is_to_pay_nothing_does_not_pay():
    """A greatest share of 0 bars a state source too, and each of those it names, whatever other rows say."""
    assert who(share("local", high=0))[0] == (1,)
    assert who(share("private+local", high=0), share("private", high=HALF), share("lender"))[0] == (1, 3)
    assert limits(share("local", high=0)) == ()


def test_no_row_lets_a_source_pay_for_what_it_is_not_eligible_for():
    """The central source pays for no school, though a row names it."""
    assert who(share("central", HALF, project="Q"))[1] == (0,)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        # Between nothing and all is no limit.
        ([share("private")], ()),
        ([share("private", HALF)], (Limit((2,), HALF, Fraction(1), False, 0),)),
        ([share("private", high=HALF)], (Limit((2,), Fraction(0), HALF, False, 0),)),
        ([share("private", THIRD, HALF, per="year")], (Limit((2,), THIRD, HALF, True, 0),)),
        ([share("lender"), share("lender+private", THIRD)], (Limit((3, 2), THIRD, Fraction(1), False, 1),)),
        # All payers together pay all, so that at least a part is no limit; at most a part is one.
        ([share("local+central", HALF)], ()),
        ([share("local+central", HALF, per="year")], ()),
        ([share("local+central", high=HALF)], (Limit((0, 1), Fraction(0), HALF, False, 0),)),
        ([share("local+central", HALF, HALF)], (Limit((0, 1), HALF, HALF, False, 0),)),
    ],
)
def test_a_limit_says_what_payers_pay_together(rows, expected):
    """Its sources in the order of the row, and the place of the row in its table."""
    assert limits(*rows) == expected


def test_limits_come_in_the_order_of_their_rows_and_bind_only_their_projects():
    """Rows of another project or mode are skipped, a selection holds for each that matches."""
    rows = (
        share("local", high=HALF, project='sector == "school"'),
        share("private", HALF, project="P"),
        share("private", THIRD, project="R", mode="b"),
        share("local", THIRD, project="R"),
    )
    found = [[limit.row for limit in one.limits] for one in payers(*rows)]
    # In mode a of R the local source pays alone, and so at least a third.
    assert found == [[1], [0], [0], [0, 2, 3]]


def test_sources_that_may_not_pay_drop_out_of_a_limit():
    """Of the central and the private source only the private one may pay for a school."""
    found = payers(share("central+private", THIRD, HALF, project="Q"))[1]
    assert (found.sources, found.limits) == ((0, 2), (Limit((2,), THIRD, HALF, False, 0),))


def test_a_least_share_that_nobody_may_pay_stays_a_limit():
    """It bars the project unless it rounds down to nothing; a greatest share of nobody says nothing."""
    assert payers(share("central", THIRD, HALF, project="Q"))[1].limits == (Limit((), THIRD, HALF, False, 0),)
    assert payers(share("central", 0, HALF, project="Q"))[1].limits == ()


@pytest.mark.parametrize(
    ("low", "high", "cost", "least", "most"),
    [(THIRD, HALF, 7, 2, 4), (THIRD, HALF, 6, 2, 3), (THIRD, HALF, 1, 0, 1), (0, 1, 5, 0, 5), (HALF, HALF, 3, 1, 2)],
)
def test_bounds_in_whole_units_give_way(low, high, cost, least, most):
    """The least is rounded down and the most up, so that a whole amount always lies between."""
    limit = Limit((0,), Fraction(low), Fraction(high), False, 0)
    found = shares_of([limit], np.array([0]), np.array([cost]))
    assert [part.tolist() for part in found] == [[least], [most]]


def test_shares_of_many_digits_are_taken_exactly():
    """Beyond 64 bits as within them; what was paid is taken off, and a cap of law is rounded down."""
    low, high = Fraction(10**30 - 1, 3 * 10**30), Fraction(2 * 10**30 + 1, 3 * 10**30)
    limits = [Limit((0,), low, high, False, 0), Limit((0,), low, high, False, 1, paid=5, legal=True)]
    least, most = shares_of(limits, np.array([0, 1, 0]), np.array([3 * 10**12, 3 * 10**12, 1]))
    # A third less a little of 3·10^12 is not quite 10^12; two thirds and a little are beyond 2·10^12.
    assert least.tolist() == [10**12 - 1, 10**12 - 6, 0]
    assert most.tolist() == [2 * 10**12 + 1, 2 * 10**12 - 5, 1]


@pytest.mark.parametrize(("legal", "most"), [(False, 2), (True, 1)])
def test_half_of_3_is_2_at_most_and_1_where_the_law_says_it(legal, most):
    """What the law allows at most is never rounded up."""
    held = shares_of(limits(share("local", high=HALF, legal=legal)), np.array([0]), np.array([3]))
    assert [found.tolist() for found in held] == [[0], [most]]

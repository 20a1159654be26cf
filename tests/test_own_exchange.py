"""Changes of a known point: what comes of them holds and is worth no less; and proofs begun anew on what is left."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from capalloc.engines.own import exchange, prover
from capalloc.engines.own.exchange import exchanged
from capalloc.engines.own.problem import problem_of
from capalloc.engines.own.prover import prove
from capalloc.engines.own.restricted import search_among
from capalloc.engines.points import holds, value_of
from small_models import INF, model_of
from test_own_engine import LONG, board_of
from test_own_presolve import models


@pytest.mark.parametrize("many", [1, 8])
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(model=models(), data=st.data())
def test_a_point_that_holds_is_never_lost_nor_made_worse(monkeypatch, many, model, data):
    """Whatever rows are looked at together; and what a broken point becomes holds, where it becomes anything."""
    monkeypatch.setattr(exchange, "_MANY", many)
    rows = len(model.row_upper)
    prices = np.array(data.draw(st.lists(st.integers(0, 3), min_size=rows, max_size=rows)), dtype=float)
    start = np.array([data.draw(st.integers(0, int(most))) for most in model.upper], dtype=float)
    found = exchanged(problem_of(model), start, np.inf, prices, 2)
    if holds(model, start):
        assert found is not None
        assert value_of(model, found) >= value_of(model, start)
    assert found is None or holds(model, found)


def test_a_change_that_gains_most_and_breaks_a_row_gives_way_to_the_next():
    """The second is worth most beside the first, but finds no room; the third asks for none."""
    model = model_of([5, 4, 3], [([2, 1, 0], -INF, 2)])
    found = exchanged(problem_of(model), np.array([1.0, 0, 0]), np.inf, np.zeros(1))
    assert found.tolist() == [1, 0, 1]


def test_where_combining_would_take_long_single_changes_are_made(monkeypatch):
    """One of ten fills the room; the two that are worth more together are not looked for."""
    monkeypatch.setattr(exchange, "_SMALL", 0)
    model = model_of([10, 6, 6, *[11] * 7], [([4, 2, 2, *[4] * 7], -INF, 4)])
    found = exchanged(problem_of(model), np.zeros(10), np.inf, np.ones(1))
    assert model.objective @ found == 11


class Again:
    """A proof that ends at once, to be begun anew on what is left."""

    def __init__(self, *_):
        self.again = True

    def closed(self):
        """Nothing is proved."""
        return False


def proved_anew(monkeypatch, model, gains):
    """Return whether a proof ends that is begun anew with these gains of the root, and its board."""
    monkeypatch.setattr(prover, "Proof", Again)
    board = board_of(model)
    board.offer(np.zeros(2))
    board.root = (1.0, np.array(gains))
    return prove(board, None, lambda: False, lambda: False), board


def test_a_proof_is_over_where_nothing_is_left_that_is_better(monkeypatch):
    """Both must be taken in anything better, and both together do not fit: what is known is the best."""
    over, board = proved_anew(monkeypatch, model_of([1, 1], [([1, 1], -INF, 1)]), [9.0, 9.0])
    assert (over, board.bound, board.best.tolist()) == (True, 0, [0, 0])


def test_the_last_point_that_is_left_is_taken(monkeypatch):
    """Only the first may be taken in anything better, and must be: that is the best point."""
    over, board = proved_anew(monkeypatch, model_of([1, -1], [([1, 1], -INF, 2)]), [9.0, -9.0])
    assert (over, board.bound, board.best.tolist()) == (True, 1, [1, 0])


def test_what_is_fixed_takes_its_room_in_a_restricted_search():
    """The first must be taken and leaves 1 of 3: room for one of the two others; and the search is counted."""
    board = board_of(model_of([1, 2, 1], [([2, 1, 1], -INF, 3)], lower=[1, 0, 0]))
    found = search_among(board, np.array([1.0, 0, 0]), np.array([True, True, True]), LONG)
    assert found.point.tolist() == [1, 1, 0]
    assert board.nodes >= 1

"""What may fit is told for all options at once, and never leaves out one that does."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from capalloc.engines.own import fitting
from capalloc.engines.own.fitting import Fitting

ASKS = st.lists(st.lists(st.integers(-2, 4), min_size=5, max_size=5), min_size=1, max_size=20)


def fitting_of(asks, columns=range(5)):
    """Return what says which of some options fit."""
    return Fitting(csr_array(np.array(asks, dtype=float)), np.array(list(columns)))


def exactly(asks, room, columns=range(5)):
    """Return the options that ask no row for more than it has, among those that ask it for anything."""
    return [c for c in columns if all(row[c] <= 0 or row[c] <= left for row, left in zip(asks, room, strict=True))]


@given(ASKS, st.lists(st.lists(st.integers(-1, 5), min_size=20, max_size=20), min_size=1, max_size=4), st.booleans())
def test_what_fits_is_what_asks_no_row_for_more_than_it_has(asks, rooms, kept):
    """After every change of rooms, and again after it was undone."""
    told, before = fitting_of(asks), [float(room) for room in rooms[0][: len(asks)]]
    told.open(before)
    assert told.among(0b11111) == exactly(asks, before)
    for changed in rooms[1:]:
        room = [float(part) for part in changed[: len(asks)]]
        told.change(range(len(asks)), room)
        assert told.among(0b11111) == exactly(asks, room)
        if kept:
            told.keep()
            before = room
        else:
            told.go_back()
            assert told.among(0b11111) == exactly(asks, before)


def test_only_the_options_named_are_told():
    """An option outside of those looked at never fits; of the others, those whose bits are given."""
    told = fitting_of([[1, 1, 1, 2, 1]], [1, 3, 4])
    told.open([1.0])
    assert told.among(0b111) == [1, 4]
    assert told.among(0b110) == [4]


def test_coarser_stretches_leave_out_nothing_that_fits(monkeypatch):
    """Where bytes are few, some options that do not fit are told too, and all that do."""
    monkeypatch.setattr(fitting, "_BYTES", 1)
    asks = [[1, 2, 3, 4, 5]]
    told = fitting_of(asks)
    for room in range(7):
        told.open([float(room)])
        assert set(exactly(asks, [room])) <= set(told.among(0b11111))

"""Paths to cells."""

import pytest

from capalloc.paths import BadPath, CellPath, join_path, split_path
from sample import sample


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("projects.A.cost", ("projects", "A", "cost")),
        ('rules."no. 5".amount', ("rules", "no. 5", "amount")),
        ("rules.'no. 5'.amount", ("rules", "no. 5", "amount")),
        ("""shares.'sector == "road"'.state.max""", ("shares", 'sector == "road"', "state", "max")),
        (r'rules."say \"no\"".amount', ("rules", 'say "no"', "amount")),
        (" projects . A . cost ", ("projects", "A", "cost")),
        ("costs.A..0.amount", ("costs", "A", "", "0", "amount")),
    ],
)
def test_a_path_splits_at_the_dots_outside_quotes(path, parts):
    """A quoted part keeps its dots, spaces and inner quotes."""
    assert split_path(path) == parts
    assert split_path(join_path(parts)) == parts


@pytest.mark.parametrize("path", ['projects."A.cost', 'projects."A"B.cost', "projects.'A.cost"])
def test_an_open_quote_is_no_path(path):
    """A quote must be closed and followed by a dot."""
    with pytest.raises(BadPath, match="path-malformed"):
        split_path(path)


def rows(portfolio, table, *keys):
    """Return the positions that a path into the table matches."""
    return list(CellPath(table, keys, "amount").rows(portfolio.tables))


@pytest.mark.parametrize(
    ("key", "positions"),
    [("A", [0]), ("?", [0, 1, 2]), ("*", [0, 1, 2]), ("a", []), ("A?", []), ("[AB]", []), ("", [])],
)
def test_wildcards_match_within_a_part_and_capitals_count(key, positions):
    """Only ``*`` and ``?`` are wild."""
    assert rows(sample(), "projects", key) == positions


def test_joined_sources_are_a_set():
    """``oda+state`` names the row that is written ``state+oda``."""
    joined = {"source": ["state", "oda", "state+oda"], "period": ["2026-2030"] * 3, "amount": [1600, 100, 1650]}
    portfolio = sample(envelopes=joined)
    assert rows(portfolio, "envelopes", "oda+state", "2026-2030") == [2]
    assert rows(portfolio, "envelopes", "state", "2026-2030") == [0]


def test_a_key_column_left_out_stands_for_its_default():
    """``mode`` and ``offset`` may be left out where the row has none of its own."""
    uses = {"project": ["A", "A", "B"], "resource": ["land"] * 3, "offset": [0, 1, 0], "amount": [1, 2, 2]}
    portfolio = sample(uses=uses)
    assert rows(portfolio, "uses", "A", "land") == [0]
    assert rows(portfolio, "uses", "A", "land", "1") == [1]
    assert rows(portfolio, "uses", "*", "", "land", "*") == [0, 1, 2]

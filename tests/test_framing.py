"""Tables as DataFrames."""

from capalloc import Portfolio
from sample import COLUMNS, SETTINGS, sample


def test_frames_read_back_as_the_same_portfolio():
    """What a portfolio gives out, it takes in again."""
    projects = COLUMNS["projects"] | {"people": [10, None, 30.5], "commune": ["X", "Y", None]}
    portfolio = sample(projects=projects)
    assert Portfolio.from_tables(SETTINGS, portfolio.to_frames()) == portfolio


def test_whole_numbers_stay_whole_where_some_are_missing():
    """An empty cell does not turn a column of money into floats."""
    projects = COLUMNS["projects"] | {"cost_high": [2000, None, None]}
    high = sample(projects=projects)["projects"]["cost_high"]
    assert str(high.dtype) == "Int64"
    assert high[0] == 2000
    assert high.isna().tolist() == [False, True, True]


def test_money_in_frames_is_in_million_vnd():
    """Whatever the unit of the files."""
    assert sample({"money": "billion VND"})["envelopes"]["amount"].tolist() == [1_600_000, 100_000]


def test_columns_that_say_nothing_are_left_out():
    """A frame has the key, what must be there, and the columns with something in them."""
    assert list(sample()["dependencies"].columns) == ["kind", "first", "then"]

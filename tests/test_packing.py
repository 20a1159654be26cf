"""Tables packed into text and back."""

from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

import capalloc as ca
from capalloc.packing import pack, unpack
from sample import sample

SCENARIOS = Path(__file__).parents[1] / "scenarios"


@pytest.mark.parametrize("name", ["lai-chau", "northern-midlands", "tuyen-quang"])
def test_tables_come_back_as_they_were(name):
    """Every row, setting and place of a real portfolio, exactly."""
    portfolio = ca.load(SCENARIOS / name)
    tables = portfolio.given or portfolio.tables
    again = unpack(pack(tables))
    assert again == tables


def test_exact_numbers_stay_exact():
    """A third stays a third, a decimal setting a decimal, and attributes keep their kinds."""
    columns = {"id": ["A"], "cost": [3], "value": [Fraction(1, 3)], "length": [2.5], "area": ["Lai Châu"]}
    alone = dict.fromkeys(("sources", "envelopes", "dependencies", "resources", "uses", "capacities"))
    tables = sample({"discount_rate": 0.05}, projects=columns, **alone).tables
    again = unpack(pack(tables))
    assert again.projects[0].value == Fraction(1, 3)
    assert again.settings.discount_rate == Decimal("0.05")
    assert again.projects[0].attributes == {"length": Fraction(5, 2), "area": "Lai Châu"}

"""The scenarios that come with the library."""

from pathlib import Path

import pytest

import capalloc

LAI_CHAU = Path(__file__).parents[1] / "scenarios" / "lai-chau"


@pytest.fixture(scope="module")
def lai_chau():
    """Return Lai Châu 2021–2030."""
    return capalloc.load(LAI_CHAU)


def test_lai_chau_loads_with_nothing_but_its_open_tail(lai_chau):
    """No limit on what is left to pay after a phase is in the document; two rules are off; nothing else is found."""
    assert [issue.code for issue in lai_chau.findings] == ["tail-unlimited", "rule-off", "rule-off"]
    assert len(lai_chau.tables.projects) == 214


@pytest.mark.parametrize("readme", ["README.md", "README.vi.md"])
def test_sectors_of_lai_chau_are_the_vietnamese_ones_of_its_documents(lai_chau, readme):
    """A Vietnamese summary shows no codes, and whoever writes a selection finds the names."""
    text = (LAI_CHAU / readme).read_text(encoding="utf-8")
    sectors = {project.sector for project in lai_chau.tables.projects}
    assert len(sectors) == 22
    assert {sector for sector in sectors if sector not in text} == set()
    assert {sector for sector in sectors if sector == sector.lower()} == set()

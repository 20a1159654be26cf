"""Portfolios and plans as text and HTML."""

from fractions import Fraction

import pytest

from capalloc.catalogue import speaking
from capalloc.reporting import Section, as_html, as_text, shown_down, shown_up
from sample import COLUMNS, sample

TABLE = Section("Roads", ("Two of them.",), ("name", "cost"), (("A", "1,001"), ("Long name", "5")))


def test_text_tables_align_words_left_and_numbers_right():
    """A column is as wide as its longest cell."""
    assert as_text([TABLE, Section(lines=("End.",))]) == (
        "Roads\n-----\nTwo of them.\nname        cost\nA          1,001\nLong name      5\n\nEnd."
    )


def test_html_escapes_what_the_tables_say():
    """A name with markup stays text."""
    shown = as_html([Section("<b>", ("<i>",), ("<u>",), (("<s>",),))])
    assert [tag for tag in ("<b>", "<i>", "<u>", "<s>") if tag in shown] == []
    assert "<h4>&lt;b&gt;</h4><p>&lt;i&gt;</p>" in shown


@pytest.mark.parametrize(
    ("number", "down", "up"),
    [
        (123456.2, 123456, 123457),
        (-123456.2, -123457, -123456),
        (Fraction(1, 3), Fraction(333333, 1000000), Fraction(333334, 1000000)),
        (16.0, 16, 16),
    ],
)
def test_what_is_shown_never_claims_too_much(number, down, up):
    """A value is shown rounded down and a bound rounded up."""
    assert (shown_down(number), shown_up(number)) == (down, up)


def test_a_portfolio_says_what_is_in_it():
    """Years, prices, totals, groupings, envelopes beside what is asked of them, and the tables that bind."""
    projects = COLUMNS["projects"] | {"mandatory": [True, False, False], "status": ["decided", "", ""]}
    text = str(sample({"discount_rate": 0.05, "prices": "constant 2025"}, projects=projects))
    lines = text.splitlines()
    assert lines[0] == "Ba dự án"
    assert "Years 2026 to 2030; money in million VND." in lines
    assert "Prices: constant 2025; discount rate 5%." in lines
    assert "Projects: 3, with a cost of 2,301 million VND over their life (each in its first mode)." in lines
    assert "Mandatory or committed: 1 of them, with a cost of 1,001 million VND." in lines
    cells = [line.split() for line in lines]
    assert ["road", "2", "1,801"] in cells
    assert ["2", "2", "1,300"] in cells
    assert ["decided", "1", "1,001"] in cells
    assert ["Ngân", "sách", "2026-2030", "1,600", "80", "1,520", "2,301"] in cells
    assert ["Vốn", "ODA", "2026-2030", "100", "0", "100", "1,801"] in cells
    assert "dependencies: 1" in lines


def test_a_portfolio_speaks_vietnamese():
    """The same text in the other language, numbers too."""
    with speaking("vi"):
        text = sample().summary()
    assert "3 dự án đề xuất, tổng chi phí 2.301 triệu đồng" in text
    assert "nguồn vốn" in text


def test_sources_are_called_by_their_name_in_the_language():
    """English takes ``name_en`` where there is one, Vietnamese ``name``."""
    sources = COLUMNS["sources"] | {"name_en": ["State budget", ""]}
    portfolio = sample(sources=sources)
    assert "State budget" in portfolio.summary()
    assert "Vốn ODA" in portfolio.summary()
    with speaking("vi"):
        assert "Ngân sách" in portfolio.summary()


def test_joined_sources_are_shown_together():
    """An envelope over two sources names both, without a reserve of its own."""
    envelopes = {"source": ["state+oda"], "period": ["2026-2030"], "amount": [1600]}
    cells = [line.split() for line in sample(envelopes=envelopes).summary().splitlines()]
    assert ["Ngân", "sách", "+", "Vốn", "ODA", "2026-2030", "1,600", "0", "1,600", "2,301"] in cells


def test_a_name_of_several_lines_stays_in_its_row():
    """The table keeps its shape."""
    assert as_text([Section("", (), ("name", "cost"), (("Long\n\tname", "5"),))]) == "name       cost\nLong name     5"

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


def test_prices_are_said_in_the_language_and_what_no_discount_rate_means():
    """A price basis that the settings know is put into words; without a rate nothing is won by an early start."""
    with speaking("vi"):
        lines = str(sample({"prices": "constant 2025"})).splitlines()
    assert "Mặt bằng giá: giá cố định năm 2025; tỷ lệ chiết khấu 0%." in lines
    assert any(line.startswith("Không chiết khấu thì giá trị ở mọi năm được tính như nhau") for line in lines)
    assert "nothing makes an early start better" not in str(sample({"discount_rate": 0.05}))


def test_groups_stand_in_the_order_of_a_dictionary():
    """Đô thị comes after Công thương and before Y tế, as a Vietnamese reader looks for it."""
    sectors = {"projects": COLUMNS["projects"] | {"sector": ["Y tế", "Đô thị", "Công thương"]}}
    text = str(sample(**sectors, sources=COLUMNS["sources"] | {"eligible": ["", ""]}))
    assert text.index("Công thương") < text.index("Đô thị") < text.index("Y tế")


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


def with_history(**changed):
    """Return a portfolio that decides from 2028 on: A goes on, B was stopped, C is new."""
    projects = {
        "id": ["A", "B", "C"],
        "status": ["under_way", "under_way", "proposed"],
        "earliest_start": [2025, 2026, None],
        "latest_start": [2025, 2026, None],
        "duration": [4, 2, 1],
        "cost": [1001, 500, 800],
        "value": [10, 6, 7],
    }
    return sample(
        {"decide_from": 2028},
        projects=projects,
        sources={"id": ["state"], "side": ["state"]},
        envelopes={"source": ["state"], "period": ["2026-2030"], "amount": [2000]},
        committed={"project": ["B"], "decision": ["out"]},
        paid={
            "project": ["A", "A", "B"],
            "source": ["state"] * 3,
            "year": [2025, 2027, 2026],
            "amount": [300, 200, 50],
        },
        **dict.fromkeys(("dependencies", "resources", "uses", "capacities")),
        **changed,
    )


def test_a_portfolio_and_its_plan_say_what_was_paid_before():
    """300 + 200 for A and 50 for B, which was stopped; 501 of A's 1,001 are left, and C costs 800 more."""
    portfolio = with_history()
    lines = portfolio.summary().splitlines()
    assert "Paid before 2028: 550 million VND (number of projects: 2); the plan decides from 2028 on." in lines
    begun = "Projects begun before 2028 that go on: 1, with a cost of 1,001 million VND, of which 501 are left to pay."
    assert begun in lines
    lines = portfolio.optimize().summary().splitlines()
    assert "Funded: 2 of 3 projects, 1,801 million VND over their life." in lines
    assert "Of it, 500 million VND were paid before 2028; 1,301 are left to pay." in lines
    assert "Besides, 50 million VND were paid before 2028 for projects that were stopped." in lines
    with speaking("vi"):
        assert "đã chi trước năm 2028: 500 triệu đồng" in portfolio.optimize().summary()


def test_without_history_nothing_is_said_of_it():
    """Neither of the portfolio nor of the plan."""
    texts = [sample().summary(), sample().optimize().summary()]
    assert [text for text in texts if "before 20" in text] == []


def test_an_envelope_stands_beside_what_its_sources_may_really_pay_for():
    """The investor may only pay for A, and only in the mode that costs 1,500; the state for A at 1,001 and for B."""
    portfolio = sample(
        sources={"id": ["state", "investor"], "side": ["state", "non_state"]},
        envelopes={"source": ["state", "investor"], "period": ["2026-2030"] * 2, "amount": [2000, 900]},
        modes={"project": ["A", "A"], "mode": ["public", "ppp"], "cost": [1001, 1500]},
        shares={"project": ["A"], "mode": ["ppp"], "source": ["investor"], "min": [0.5], "max": [0.6]},
        uses=None,
        resources=None,
        capacities=None,
    )
    costs = portfolio.to_frames()["projects"]["cost"].tolist()
    shown = {
        line.split()[0]: line.split()[-1]
        for line in portfolio.summary().splitlines()
        if line.startswith(("state ", "investor "))
    }
    assert shown == {"state": f"{1001 + sum(costs[1:]):,}", "investor": "1,500"}

"""The charts of a sensitivity report: each holds the numbers of the table of its part."""

import pytest

from capalloc import UnknownName
from capalloc.drawing import short_label
from few import few
from test_plotting import rows

# C needs the money of A or that of B; what else there is to buy costs 100 more each.
CANDIDATES = {
    "A": {"cost": 500, "cost_high": 700, "value": 10},
    "B": {"cost": 500, "cost_high": 500, "value": 9},
    "C": {"name": "Cầu C", "cost": 400, "value": 6},
}


@pytest.fixture(scope="module")
def report():
    """The report of three projects of which two fit."""
    return few(CANDIDATES, 1000).sensitivity_report(time_limit=None)


def test_the_tornado_shows_every_change_of_its_table(report):
    """Bars are changes over the value of the plan, those that move it most at the top."""
    table, bars = report["tornado"].to_frame(), rows(report.plot.tornado())
    assert [bar["change"] for bar in bars] == table["change"].dropna().tolist()
    assert [bar["shown"] for bar in bars] == [change / report.plan.value for change in table["change"].dropna()]
    sizes = [max(abs(bar["change"]) for bar in bars if bar["parameter"] == own["parameter"]) for own in bars]
    assert sizes == sorted(sizes, reverse=True)
    assert min(sizes) < max(sizes)


def test_numbers_are_called_by_what_they_are(report):
    """No path of a table stands in a chart of the usual numbers."""
    assert {bar["parameter"] for bar in rows(report.plot.tornado())} == {
        "Envelope of state, P",
        "Costs of all projects",
    }
    vietnamese = {bar["parameter"] for bar in rows(report.plot.tornado(lang="vi"))}
    assert vietnamese == {"Hạn mức state, P", "Chi phí của tất cả dự án"}


def test_the_frontier_shows_value_and_bound_of_every_amount(report):
    """Each point is an amount of the envelope."""
    table, points = report["frontier:state P"].to_frame(), rows(report.plot.frontier())
    for kind in ("value", "bound"):
        assert [point["value"] for point in points if point["kind"] == kind] == table[kind].tolist()
    assert [point["amount"] for point in points if point["kind"] == "value"] == [800, 900, 1000, 1100, 1200]


def test_steps_show_where_each_begins(report):
    """The points stand at the amounts of the table, with what enters there."""
    table, points = report["steps:state P"].to_frame(), rows(report.plot.steps("state P"))
    assert [(point["amount"], point["value"]) for point in points] == list(
        zip(table["amount"], table["value"], strict=True)
    )


def test_the_core_shows_the_undecided_projects(report):
    """Projects that all or none of the plans fund are not among them."""
    table = report["core"].to_frame()
    undecided = table[table["verdict"] == "borderline"]
    assert {bar["project"] for bar in rows(report.plot.core())} == set(undecided["project"])
    assert len(undecided) > 0
    assert all(0 < bar["index"] < 1 for bar in rows(report.plot.core()))


def test_charts_of_a_report_are_written_as_pictures(report, tmp_path):
    """Each of the four comes out as SVG, in Vietnamese."""
    for name in ("tornado", "frontier", "steps", "core"):
        getattr(report.plot, name)(lang="vi").save(tmp_path / f"{name}.svg")
    assert "Giá trị thay đổi theo từng số liệu" in (tmp_path / "tornado.svg").read_text(encoding="utf-8")
    assert len(list(tmp_path.iterdir())) == 4


def test_a_part_that_the_report_does_not_have_is_told(report):
    """The error names the part that is near."""
    with pytest.raises(UnknownName, match=r"part 'steps:state Q'\. Did you mean 'steps:state P'"):
        report.plot.steps("state Q")


def test_long_names_are_cut_to_one_line():
    """A label keeps the id whole, and says that it was cut."""
    label = short_label("LC-001", "Tuyến nối\nLai Châu với cao tốc Nội Bài - Lào Cai")
    assert label == "LC-001  Tuyến nối Lai Châu với cao tốc Nội Bà…"

"""The charts of a plan: their data are the plan's own numbers, and they are written without a browser."""

import json

import pytest

from capalloc import CapallocError, UnknownName
from capalloc.catalogue import speaking
from few import few
from sample import sample

CANDIDATES = {
    "A": {"name": "Đường A", "cost": 12_000, "value": 9, "priority": 1},
    "B": {"name": "Trường B", "cost": 5_000, "value": 5, "priority": 2},
    "C": {"cost": 9_000, "value": 1, "priority": 2},
}


@pytest.fixture(scope="module")
def plan():
    """The plan of three projects of which the first two fit."""
    return few(CANDIDATES, 17_500).optimize()


def rows(chart):
    """Return the data of a chart."""
    spec = chart.to_dict()
    return spec["datasets"][spec["data"]["name"]]


def amounts(chart, **fields):
    """Return the sum of the amounts of the rows that carry these fields."""
    return sum(row["amount"] for row in rows(chart) if fields.items() <= row.items())


def test_the_parts_of_an_envelope_add_up_to_its_amount(plan):
    """Used, left, held back, not disbursed and carried out make the whole envelope and what was carried in."""
    (row,) = plan.envelopes.to_dict("records")
    chart = plan.plot.envelopes()
    assert amounts(chart) == row["amount"] + row["carried_in"]
    assert amounts(chart, part="used") == row["used"] == 17_000
    assert amounts(chart, part="left") == row["slack"] == 500


def test_what_is_held_back_is_a_part_of_its_own():
    """A reserve of 5% of 1,600 is a part of 80 of the bar."""
    chart = sample().optimize().plot.envelopes()
    assert amounts(chart, envelope="Ngân sách, 2026-2030", part="reserve") == 80
    assert amounts(chart, envelope="Ngân sách, 2026-2030") == 1600


def test_the_funding_chart_adds_up_to_the_funding_table():
    """Each bar of a year and a source is what the source pays in the year."""
    plan = sample().optimize()
    chart = plan.plot.funding()
    names = {"state": "Ngân sách", "oda": "Vốn ODA"}
    for (source, year), own in plan.funding.groupby(["source", "year"]):
        assert amounts(chart, source=names[source], year=str(year)) == own["amount"].sum()
    assert amounts(chart) == plan.funding["amount"].sum() == 1501


def test_each_year_counts_what_begins_ends_and_is_under_way():
    """A takes two years from 2026 and B one, so both begin in 2026 and one ends in each year."""
    counts = {(row["year"], row["kind"]): row["count"] for row in rows(sample().optimize().plot.schedule())}
    assert [counts["2026", kind] for kind in ("starts", "finishes", "active")] == [2, 1, 2]
    assert [counts["2027", kind] for kind in ("starts", "finishes", "active")] == [0, 1, 1]
    assert {year for year, _ in counts} == {"2026", "2027", "2028", "2029", "2030"}


def test_the_schedule_by_project_shows_each_funded_project_once():
    """A bar covers its years whole, from the middle before to the middle after."""
    bars = rows(sample().optimize().plot.schedule("project"))
    assert [(bar["project"], bar["from"], bar["to"]) for bar in bars] == [("B", 2025.5, 2026.5), ("A", 2025.5, 2027.5)]


def test_classes_show_the_cost_of_every_candidate(plan):
    """Class 2 asks for 14,000, of which 5,000 are funded."""
    chart = plan.plot.classes()
    assert amounts(chart, **{"class": "2", "what": "funded"}) == 5_000
    assert amounts(chart, **{"class": "2", "what": "not funded"}) == 9_000
    assert amounts(chart) == 26_000


def test_large_amounts_are_shown_in_billions_and_small_ones_in_millions(plan):
    """The unit stands in the title, and the data are in it."""
    assert plan.plot.classes().to_dict()["title"].endswith("(billion VND)")
    assert [row["shown"] for row in rows(plan.plot.envelopes())] == [17.0, 0.5]
    assert sample().optimize().plot.envelopes().to_dict()["title"].endswith("(million VND)")


def test_a_chart_speaks_vietnamese_with_vietnamese_numbers(plan):
    """Titles, tooltips and the numbers along the axes are in the form of the language, whatever is in force."""
    with speaking("en"):
        spec = plan.plot.classes(lang="vi").to_dict()
    assert spec["title"] == "Dự án đề xuất theo thứ tự ưu tiên: được và chưa được bố trí vốn (đơn vị: tỷ đồng)"
    assert spec["config"]["locale"]["number"]["decimal"] == ","
    assert "12 tỷ đồng" in json.dumps(spec, ensure_ascii=False)


@pytest.mark.parametrize("kind", ["envelopes", "funding", "schedule", "classes"])
def test_charts_are_written_as_pictures(plan, tmp_path, kind):
    """PNG and SVG come out without a browser; the picture holds the Vietnamese words whole."""
    chart = getattr(plan.plot, kind)(lang="vi")
    chart.save(tmp_path / "chart.png")
    chart.save(tmp_path / "chart.svg")
    assert (tmp_path / "chart.png").read_bytes().startswith(b"\x89PNG\r\n")
    svg = (tmp_path / "chart.svg").read_text(encoding="utf-8")
    assert chart.to_dict()["title"] in svg


def test_an_axis_writes_thousands_with_points_in_vietnamese(tmp_path):
    """1.600 triệu đồng reads so on the axis, not 1,600."""
    chart = sample().optimize().plot.envelopes(lang="vi")
    chart.save(tmp_path / "chart.svg")
    svg = (tmp_path / "chart.svg").read_text(encoding="utf-8")
    assert ">1.000<" in svg
    assert ">1,000<" not in svg


def test_every_chart_says_what_it_shows_to_those_who_do_not_see_it(plan):
    """The description is a text of its own."""
    charts = [plan.plot.envelopes(), plan.plot.funding(), plan.plot.schedule(), plan.plot.schedule("project")]
    assert all(len(chart.to_dict()["description"]) > 40 for chart in charts)


def test_without_a_plan_there_is_nothing_to_draw():
    """The error says that there is no plan and why."""
    must = {"cost": 10, "value": 1, "mandatory": True}
    plan = few({"A": must, "B": must}, 15).optimize()
    with pytest.raises(CapallocError, match="no plan"):
        _ = plan.plot


def test_unknown_names_are_told(plan):
    """A language or a way to look that does not exist is an error that names those that do."""
    with pytest.raises(UnknownName, match=r"language 'fr'\. Known: en, vi"):
        plan.plot.classes(lang="fr")
    with pytest.raises(UnknownName, match=r"view 'years'\. Did you mean 'year'"):
        plan.plot.schedule("years")

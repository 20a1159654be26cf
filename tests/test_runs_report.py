"""The charts and the report of many scenarios: side by side, what hangs on them, and each to be chosen."""

import json

import pytest

from capalloc import UnknownName, run
from few import few
from pages import Page, Reader
from test_plotting import rows

PROJECTS = {
    "A": {"name": "Đường A", "cost": 60_000, "value": 9},
    "B": {"name": "Trường B", "cost": 50_000, "value": 5},
    "C": {"name": "Cầu C", "cost": 40_000, "value": 4, "mandatory": True},
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """C and A with 100,000 million VND, C alone with 50,000, all with 150,000, and no plan with 10,000."""
    amounts = {"less": 50_000, "more": 150_000, "none": 10_000}
    changes = {name: {"envelopes.state.P.amount": amount} for name, amount in amounts.items()}
    store = tmp_path_factory.mktemp("runs") / "runs.sqlite"
    return run(few(PROJECTS, 100_000, {"title": "Ba dự án"}), changes, store=store, workers=1)


@pytest.fixture(scope="module")
def written(runs, tmp_path_factory):
    """The path of the report, opened in Vietnamese."""
    path = tmp_path_factory.mktemp("report") / "runs.html"
    runs.report(path, lang="vi")
    return path


def test_values_are_shown_beside_the_first(runs):
    """13 of the base is what 4 and 18 are compared with; a scenario without a plan has no bar."""
    bars = {bar["scenario"]: bar["shown"] for bar in rows(runs.plot.values())}
    assert bars == {"base": 0, "less": (4 - 13) / 13, "more": (18 - 13) / 13}


def test_projects_that_hang_on_the_scenario_are_shown(runs):
    """C is in every plan and is not among them."""
    cells = {(cell["project"], cell["scenario"]): cell["what"] for cell in rows(runs.plot.projects())}
    assert {project for project, _ in cells} == {"A", "B"}
    assert [cells["A", name] for name in ("base", "less", "more")] == ["funded", "not funded", "funded"]
    assert [cells["B", name] for name in ("base", "less", "more")] == ["not funded", "not funded", "funded"]


def test_charts_of_scenarios_are_written_as_pictures(runs, tmp_path):
    """Both come out in Vietnamese, and an unknown language is told."""
    runs.plot.values(lang="vi").save(tmp_path / "values.svg")
    runs.plot.projects(lang="vi").save(tmp_path / "projects.png")
    assert "so với kịch bản đầu tiên" in (tmp_path / "values.svg").read_text(encoding="utf-8")
    with pytest.raises(UnknownName, match="fr"):
        runs.plot.values(lang="fr")


def test_the_tables_of_the_report_are_those_of_the_runs(runs, written):
    """Every scenario has a row with its figures, and its reason where it has no plan."""
    page = Page(written.read_text(encoding="utf-8"))
    table = {row[0].partition("|")[0]: row for row in page.table("Scenarios (cost in billion VND)")}
    frame = runs.to_frame().set_index("scenario")
    assert list(table) == list(frame.index) == ["base", "less", "more", "none"]
    assert [table[name][4] for name in ("base", "less", "more")] == ["2", "1", "3"]
    assert table["more"][5] == "150"
    assert table["none"][2:] == ["–", "–", "–", "–"]
    assert frame.loc["none", "reason"].split(":")[0] in table["none"][0]


def test_each_scenario_has_its_plan_in_the_page(written):
    """The first that can be chosen is the base; what is funded in each stands in a table of its own."""
    text = written.read_text(encoding="utf-8")
    assert text.count('<section class="option">') == 6
    spec = json.loads(text.split('<script type="application/json" class="spec">')[1].split("</script>")[0])
    assert spec["$schema"].startswith("https://vega.github.io/schema/vega/")


@pytest.mark.browser
def test_the_scenario_is_switched_in_both_languages(browser, written):
    """One scenario is seen at a time; the other language shows the same one."""
    reader = Reader(browser, written)
    option = ".edition:not([hidden]) .option:visible h3"
    assert reader.page.locator(option).all_inner_texts() == ["base"]
    reader.page.select_option(".edition:not([hidden]) .choice select", label="more")
    assert reader.page.locator(option).all_inner_texts() == ["more"]
    shown = reader.page.locator(".edition:not([hidden]) .option:visible tbody th").all_inner_texts()
    reader.page.click(".edition:not([hidden]) [data-language=en]")
    assert reader.page.locator(option).all_inner_texts() == ["more"]
    reader.context.close()
    assert shown == ["A", "B", "C"]
    assert reader.said == []
    assert reader.asked == [written.as_uri()]

"""The report of a plan says what the plan holds, in both languages, and nothing in it comes from outside."""

import re

import pytest

from capalloc import CapallocError, InvalidInput, UnknownName
from capalloc.catalogue import texts, write_number
from capalloc.report.answer_chapters import ORDER
from few import few
from pages import Page
from sample import sample

HOSTILE = "<script>alert('Đường')</script> & \"B\""

# A is decided to be out, D needs B, and of E and F one alone may be funded; G asks for more than there is.
PROJECTS = {
    "A": {"name": "Đường A", "sector": "Đường bộ", "location": "Sìn Hồ", "cost": 40_000, "value": 9, "priority": 1},
    "B": {"name": "Trường B", "sector": "Giáo dục", "location": "Phong Thổ", "cost": 90_000, "value": 1, "priority": 2},
    "C": {"name": HOSTILE, "sector": "Đường bộ", "location": "Phong Thổ", "cost": 65_500, "value": 8, "priority": 1},
    "D": {"name": "Ký túc xá", "sector": "Giáo dục", "location": "Sìn Hồ", "cost": 5_000, "value": 1, "priority": 2},
    "E": {"name": "Cầu E", "sector": "Đường bộ", "location": "Sìn Hồ", "cost": 30_000, "value": 7, "priority": 2},
    "F": {"name": "Cầu F", "sector": "Đường bộ", "location": "Sìn Hồ", "cost": 25_000, "value": 2, "priority": 2},
    "G": {"name": "Sân bay", "sector": "Hàng không", "location": "Sìn Hồ", "cost": 900_000, "value": 99, "priority": 3},
}
BASES = {"A": "public", "B": "assumed", "C": "assumed", "D": "unit-cost", "E": "public", "F": "", "G": "assumed"}


def candidates():
    """Return the portfolio of the seven projects, of which C and E are the best plan of 100,000 million VND."""
    projects = {name: columns | {"basis": BASES[name]} for name, columns in PROJECTS.items()}
    return few(
        projects,
        100_000,
        {"title": "Bảy dự án"},
        dependencies={"kind": ["requires"], "first": ["B"], "then": ["D"]},
        groups={"group": ["cau", "cau"], "project": ["E", "F"], "kind": ["one_of", "one_of"]},
        committed={"project": ["A"], "decision": ["out"], "reason": ["Chưa có mặt bằng."]},
    )


@pytest.fixture(scope="module")
def plan():
    """The best plan of the seven projects."""
    return candidates().optimize()


@pytest.fixture(scope="module")
def text(plan, tmp_path_factory):
    """The report of the plan as it is written, opened in Vietnamese."""
    path = tmp_path_factory.mktemp("report") / "plan.html"
    plan.report(path, lang="vi")
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(text):
    """The tables of the report."""
    return Page(text)


def test_the_project_table_says_what_the_plan_says(plan, page):
    """Every candidate has a row; years stand where it is funded, and costs are in billion VND, exactly."""
    rows = {row[0]: row for row in page.table("All candidates")}
    assert list(rows) == list(PROJECTS)
    for own in plan.projects.to_dict("records"):
        years = [str(own["start"]), str(own["finish"])] if own["funded"] else ["–", "–"]
        cost = own["cost"] if own["funded"] else PROJECTS[own["project"]]["cost"]
        assert rows[own["project"]][2:4] == years
        assert rows[own["project"]][7] == f"{cost / 1000:,.1f}"


def test_the_money_of_the_years_adds_up_to_the_plan(plan, page):
    """The last row and column of the table of years are the sums of what the sources pay."""
    *years, total = page.table("Paid by year and source")
    assert sum(float(row[-1]) for row in years) == float(total[-1]) == plan.funding["amount"].sum() / 1000


def test_places_and_sectors_add_up_to_the_whole_plan(plan, page):
    """Both tables end with all candidates, what they ask for and what they get."""
    cost = plan.projects["cost"].sum()
    asked = sum(columns["cost"] for columns in PROJECTS.values())
    for beginning in ("Candidates and funded projects by place", "Candidates and funded projects by sector"):
        total = page.table(beginning)[-1]
        assert total[:4] == ["Sum", "2 of 7", f"{asked / 1000:,.1f}", f"{cost / 1000:,.1f}"]


def test_a_dictionary_orders_the_sectors(page):
    """Đường bộ stands after the sectors that begin with D would, and before Giáo dục, in Vietnamese."""
    rows = page.table("Dự án đề xuất và được bố trí vốn theo lĩnh vực", lang="vi")
    assert [row[0] for row in rows] == ["Đường bộ", "Giáo dục", "Hàng không", "Tổng cộng"]


def test_every_project_without_money_has_a_reason(page):
    """What is certain is said: a decision, a need, a group, or that it can never be paid; else others were chosen."""
    reasons = {row[0]: row[-1] for row in page.table("Projects without money and why")}
    assert list(reasons) == ["A", "B", "D", "F", "G"]
    assert reasons["A"] == "Decided not to be in the plan. Chưa có mặt bằng."
    assert reasons["B"] == "Other projects were chosen for the same money."
    assert reasons["D"] == "It depends on B, which gets no money."
    assert reasons["F"] == "One of a group of which only one may be funded; E is."
    assert reasons["G"].startswith("Project G can never be funded: even alone it needs 900,000 million VND")


def test_what_is_assumed_is_said_wherever_a_cost_stands(page):
    """The ground of each cost stands beside it, and the chapter on the data counts them."""
    grounds = {row[0]: row[-1] for row in page.table("All candidates")}
    assert [grounds[name] for name in "ADF"] == ["published figure", "by unit costs", "not stated"]
    counts = {row[0]: row[1:] for row in page.table("What the costs rest on")}
    assert counts["assumed"] == ["3", "1,055.5", "1", "65.5"]
    assert counts["published figure"] == ["2", "70.0", "1", "30.0"]


def test_the_summary_warns_of_assumptions(text):
    """A council reads in the first minute how much money rests on assumed costs."""
    assert "the costs of 1 of the 2 funded projects, 65.5 billion VND in all, are assumptions" in text
    assert "chi phí của 1 trong số 2 dự án được bố trí vốn, tổng cộng 65,5 tỷ đồng, là giả định" in text


def test_the_proof_says_status_versions_and_hashes(plan, page):
    """Status, value, engine, versions and the fingerprint of the tables stand in it."""
    facts = {row[0]: row[1] for row in page.table("How the plan was found")}
    assert facts["status"] == "optimal"
    assert facts["why the run ended"] == "The proof was complete."
    assert facts["value of the plan"] == write_number(plan.answer.value) == "15"
    assert "highspy" in facts["versions"]
    assert facts["SHA-256 of all tables and settings"] == candidates().fingerprint
    digests = [row[2] for row in page.table("Tables that the plan was made from")]
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in digests)
    assert len(set(digests)) == len(digests) == 6


def test_what_the_tables_say_is_never_part_of_the_page(text, page):
    """Script and marks in a name are shown as they are: in tables, in the data of charts and in pictures."""
    assert "<script>alert" not in text
    assert {row[0]: row[1] for row in page.table("All candidates")}["C"].startswith(HOSTILE)


def test_the_page_asks_for_nothing(page):
    """Every address is a place in the page itself, or empty."""
    assert {address for address in page.addresses if not address.startswith("#")} == {"data:,"}


def test_the_page_opens_in_the_language_asked_for(plan, text, tmp_path):
    """The other language is there and hidden."""
    assert '<html lang="vi">' in text
    assert '<div class="edition" lang="vi">' in text
    assert '<div class="edition" lang="en" hidden>' in text
    plan.report(tmp_path / "plan.html", lang="en")
    assert '<div class="edition" lang="vi" hidden>' in (tmp_path / "plan.html").read_text(encoding="utf-8")


def test_the_same_plan_gives_the_same_report(plan, text, tmp_path):
    """No date and nothing of the machine is in it but versions."""
    plan.report(tmp_path / "again.html", lang="vi")
    assert (tmp_path / "again.html").read_text(encoding="utf-8") == text


def test_answers_that_are_given_become_chapters(plan, tmp_path):
    """A why-not answer stands in the report under the name of its project."""
    answer = plan.why_not("B")
    plan.report(tmp_path / "plan.html", lang="en", answers={"why-not:B": answer})
    text = (tmp_path / "plan.html").read_text(encoding="utf-8")
    assert "Why B (Trường B) is not funded" in text or "B (Trường B)" in text
    assert str(answer).split(".")[0].replace("&", "&amp;") in text


def test_every_kind_of_answer_has_its_place():
    """What a sensitivity report may hold, its page can show."""
    parts = {key.removeprefix("sensitivity.part.") for key in texts("en") if key.startswith("sensitivity.part.")}
    assert parts == set(ORDER)


def test_a_plan_without_sources_has_a_report(tmp_path):
    """Costs that are reported and not financed make a report without envelopes and payments."""
    plan = sample(sources=None, envelopes=None).optimize()
    plan.report(tmp_path / "plan.html", lang="en")
    page = Page((tmp_path / "plan.html").read_text(encoding="utf-8"))
    assert not [caption for _, caption in page.tables if caption.startswith(("Envelopes", "Paid by year"))]
    assert [row[0] for row in page.table("All candidates")] == ["A", "B", "C"]


@pytest.mark.parametrize(("argument", "error", "message"), [
    ({"lang": "fr"}, UnknownName, "language 'fr'"),
    ({"answers": {"steep:state": "x"}}, UnknownName, "part 'steep:state'. Did you mean 'steps'"),
    ({"answers": {"why-not:B": "never"}}, InvalidInput, "never"),
    ({"answers": ["B"]}, InvalidInput, "answers"),
])  # fmt: skip
def test_wrong_arguments_are_told(plan, tmp_path, argument, error, message):
    """What is wrong is named, and nothing is written."""
    with pytest.raises(error, match=re.escape(message)):
        plan.report(tmp_path / "plan.html", **argument)
    assert list(tmp_path.iterdir()) == []


def test_without_a_plan_there_is_no_report(tmp_path):
    """The error says that there is no plan and why."""
    must = {"cost": 10, "value": 1, "mandatory": True}
    with pytest.raises(CapallocError, match="no plan"):
        few({"A": must, "B": must}, 15).optimize().report(tmp_path / "plan.html")


def test_a_sensitivity_report_without_a_plan_says_what_conflicts(tmp_path):
    """The page has the conflict and the proof alone."""
    must = {"cost": 10, "value": 1, "mandatory": True}
    report = few({"A": must, "B": must}, 15).sensitivity_report(time_limit=None)
    report.report(tmp_path / "none.html", lang="en")
    text = (tmp_path / "none.html").read_text(encoding="utf-8")
    assert "Infeasible" in text
    assert "All candidates" not in text
    conflict = Page(text).table("What stands in the way of any plan")
    assert {row[0] for row in conflict} == {
        "A is mandatory",
        "B is mandatory",
        "the envelope of state for P (15 million VND)",
    }


def test_resources_and_sources_have_their_tables(tmp_path):
    """The land that the sample uses stands among the resources, and both sources among the envelopes."""
    sample().optimize().report(tmp_path / "plan.html", lang="en")
    page = Page((tmp_path / "plan.html").read_text(encoding="utf-8"))
    assert page.table("Resources") == [["land|ha", "2026-2030", "6", "5.5", "0.5"]]
    assert [row[0] for row in page.table("Envelopes and their use (million VND)")] == ["Ngân sách", "Vốn ODA"]

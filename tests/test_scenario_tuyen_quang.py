"""Tuyên Quang 2026–2030: every line, number and deadline of the resolution, and what its plan is."""

import pytest

import capalloc
from documents import SCENARIOS, expected_of, names_only, readings_of, stands_as

FOLDER = SCENARIOS / "tuyen-quang"
EXPECTED = expected_of(FOLDER)
READINGS = readings_of(FOLDER)


@pytest.fixture(scope="module")
def portfolio():
    """Return the portfolio as its tables say."""
    return capalloc.load(FOLDER)


@pytest.fixture(scope="module")
def plan(portfolio):
    """Return a plan proved within 0.01 %."""
    return portfolio.optimize(time_limit=60, gap=1e-4)


def lines(portfolio):
    """Return how many rows each line of the resolution has; rows that are no line of it are left out."""
    frame = portfolio["projects"]
    stated = frame[frame["basis"] != "assumed"]["line"].astype(int)
    return stated.value_counts().to_dict()


def test_the_tables_have_no_error_and_no_warning(portfolio):
    """Nothing in the tables needs an excuse."""
    assert [issue for issue in portfolio.findings if issue.severity != "info"] == []


def test_every_line_of_the_resolution_is_a_row(portfolio):
    """The 68 lines are all there, once but for homes, schools and the two lines that read in two ways."""
    found = lines(portfolio)
    assert sorted(found) == list(range(1, 69))
    assert {line: rows for line, rows in found.items() if rows > 1} == {26: 8, 33: 2, 35: 2, 55: 17}


@pytest.mark.parametrize(
    ("project", "words"),
    [
        ("TQ-001", "đoạn từ xã Tân Quang đến Cửa khẩu quốc tế Thanh Thủy"),
        ("TQ-012", "ĐT.182B"),
        ("TQ-029", "Trung tâm An ninh mạng"),
        ("TQ-051", "Đại hội đại biểu toàn quốc lần thứ II của Đảng"),
        ("TQ-068", "Rà phá bom mìn vật nổ"),
    ],
)
def test_lines_keep_the_words_of_the_resolution(portfolio, project, words):
    """Whoever searches for the words of the text finds its row."""
    names = {row.id: row.name for row in portfolio.tables.projects}
    assert words in names[project]


def test_every_number_of_the_resolution_is_reached_in_time(portfolio, plan):
    """Seventeen schools by 2027; four parks, eight clusters, 3,000 homes, 277.7 km, complete coverage by 2030."""
    targets = plan.targets.set_index("indicator")
    assert int(targets.loc["schools", "by_year"]) == 2027
    asked = {"schools": 17, "new-parks": 4, "clusters": 8, "homes": 3000, "border-km": 277.7, "classrooms": 100}
    assert {name: float(targets.loc[name, "at_least"]) for name in asked} == asked
    assert (targets["reached"].astype(float) >= targets["at_least"].astype(float)).all()
    assert not [row for row in portfolio.tables.targets if row.price is not None]


def test_parks_come_with_their_homes_and_roads(portfolio, plan):
    """Each funded park has its worker housing, and its road starts no later than itself."""
    chosen = plan.projects[plan.projects["funded"]].set_index("project")["start"].to_dict()
    needs = [row for row in portfolio.tables.dependencies if row.kind in {"requires", "start_start"}]
    funded = [row for row in needs if row.then in chosen]
    assert len(funded) >= 9
    assert all(row.first in chosen for row in funded)
    assert all(chosen[row.first] <= chosen[row.then] for row in funded if row.kind == "start_start")


def test_the_plan_is_the_expected_one(plan):
    """The value lies between what was proved before and what is proved now, and the decisions shown hold."""
    stands_as(plan, EXPECTED)


@pytest.mark.parametrize("reading", sorted(READINGS))
def test_every_reading_of_the_text_can_be_asked(portfolio, reading):
    """The other readings change the tables without an error."""
    changed = portfolio.with_changes(READINGS[reading]["set"])
    assert changed.changes


@pytest.mark.parametrize("readme", ["README.md", "README.vi.md"])
def test_the_readme_names_what_there_is(portfolio, readme):
    """Every id in the description is a row."""
    names_only(FOLDER, readme, r"TQ-(?:X?\d+)(?:-[R\d]+)?", [row.id for row in portfolio.tables.projects])


def test_the_law_is_kept_as_the_readme_says(plan):
    """No rule fails; what is from memory is off, and two wait for a figure."""
    verdicts = plan.compliance().set_index("rule").verdict
    found = {name: set(verdicts.index[verdicts == name]) for name in ("failed", "open", "passed")}
    assert found == {
        "failed": set(),
        "open": set(),
        "passed": {
            "priority-order/2026-2030",
            "groups/2026-2030",
            "reserve/2026-2030",
            "disbursement/2026-2030",
            "ppp-state-share/2026-2030",
            "local-share/2026-2030",
        },
    }

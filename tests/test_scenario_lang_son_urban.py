"""Lạng Sơn's towns 2023–2030: every line, number and deadline of plan 122, and what its plan is."""

import pytest

import capalloc
from documents import SCENARIOS, expected_of, names_only, readings_of, stands_as

FOLDER = SCENARIOS / "lang-son-urban"
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


def test_the_tables_have_no_error_and_no_warning(portfolio):
    """Nothing in the tables needs an excuse."""
    assert [issue for issue in portfolio.findings if issue.severity != "info"] == []


def test_every_line_of_the_plan_is_a_row(portfolio):
    """All lines are there, once but for the 12 towns, the 12 kinds of plans and the 4 administrative schemes."""
    found = portfolio["projects"]["line"].astype(int).value_counts().to_dict()
    assert sorted(found) == list(range(1, 46))
    assert {line: rows for line, rows in found.items() if rows > 1} == {38: 12, 40: 12, 41: 4}


@pytest.mark.parametrize(
    ("project", "words"),
    [
        ("LSU-002", "Nam Nguyễn Đình Chiểu"),
        ("LSU-020", "Hữu Nghị - Chi Lăng theo hình thức BOT"),
        ("LSU-024", "Nút giao đường cao tốc vào Khu công nghiệp Hữu Lũng"),
        ("LSU-036", "Ngả Hai"),
        ("LSU-038-12", "Nông trường Thái Bình"),
        ("LSU-040-05", "khoảng 162 xã (90%)"),
    ],
)
def test_lines_keep_the_words_of_the_plan(portfolio, project, words):
    """Whoever searches for the words of the text finds its row."""
    names = {row.id: row.name for row in portfolio.tables.projects}
    assert words in names[project]


def test_every_number_of_the_plan_is_reached_in_time(portfolio, plan):
    """The provincial plan in 2023, the marks of 2025 and those of 2030, none of them for a price."""
    reached = plan.targets.set_index(["indicator", "by_year"])["reached"].astype(float).to_dict()
    asked = {(row.indicator, row.by_year): float(row.at_least) for row in portfolio.tables.targets}
    assert asked["provincial-plan", 2023] == 1
    assert asked["class-five-debts", 2025] == 12
    assert asked["commune-plans", 2025] == 162
    assert (asked["class-four", 2030], asked["new-class-five", 2030]) == (3, 4)
    assert all(reached[key] >= least for key, least in asked.items())
    assert [row.indicator for row in portfolio.tables.targets if row.price is not None] == []


def test_what_comes_first_is_finished_first(portfolio, plan):
    """Planning before works, resettlement before clusters and the interchange before the park."""
    years = plan.projects[plan.projects["funded"]].set_index("project")[["start", "finish"]].to_dict("index")
    order = {(row.first, row.then) for row in portfolio.tables.dependencies if row.kind == "finish_start"}
    assert {("LSU-012", "LSU-010"), ("LSU-012", "LSU-011"), ("LSU-024", "LSU-009"), ("LSU-040-02", "LSU-030")} <= order
    funded = [(first, then) for first, then in order if then in years]
    assert len(funded) >= 20
    assert all(years[first]["finish"] < years[then]["start"] for first, then in funded)


def test_the_plan_is_the_expected_one(plan):
    """The value lies between what was proved before and what is proved now, and the decisions shown hold."""
    stands_as(plan, EXPECTED)


@pytest.mark.parametrize("reading", sorted(READINGS))
def test_every_other_case_can_be_asked(portfolio, reading):
    """The cases of the description change the tables without an error."""
    changed = portfolio.with_changes(READINGS[reading]["set"])
    assert changed.changes


@pytest.mark.parametrize("readme", ["README.md", "README.vi.md"])
def test_the_readme_names_what_there_is(portfolio, readme):
    """Every id in the description is a row."""
    names_only(FOLDER, readme, r"LSU-\d+(?:-\d+)?", [row.id for row in portfolio.tables.projects])


def test_the_law_is_kept_as_the_readme_says(plan):
    """No rule fails; policies are still to be decided, and groups of classes 3 and 4 are not known before 2026."""
    verdicts = plan.compliance().set_index("rule").verdict
    found = {name: set(verdicts.index[verdicts == name]) for name in ("failed", "open", "passed")}
    assert found == {
        "failed": set(),
        "open": {"investment-policy/2021-2025"},
        "passed": {
            "priority-order/2021-2025",
            "fund-to-finish/2021-2025",
            "inherit/2021-2025",
            "completion-share/2021-2025",
            "disbursement/2021-2025",
            "ppp-state-share/2021-2025",
            "ppp-least-size/2021-2025",
            "priority-order/2026-2030",
            "reserve/2026-2030",
            "disbursement/2026-2030",
            "local-share/2026-2030",
        },
    }

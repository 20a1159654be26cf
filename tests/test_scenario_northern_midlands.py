"""The northern midlands and mountains 2021–2030: every line of the document, its deadlines, and what its plan is."""

import re
from collections import Counter

import pytest

import capalloc
from documents import SCENARIOS, expected_of, readings_of, stands_as

FOLDER = SCENARIOS / "northern-midlands"
EXPECTED = expected_of(FOLDER)
READINGS = readings_of(FOLDER)
LATER_NAMES = {
    "Hà Giang": "Tuyên Quang",
    "Yên Bái": "Lào Cai",
    "Bắc Kạn": "Thái Nguyên",
    "Hòa Bình": "Phú Thọ",
    "Bắc Giang": "Bắc Ninh",
}


@pytest.fixture(scope="module")
def portfolio():
    """Return the portfolio as its tables say."""
    return capalloc.load(FOLDER)


@pytest.fixture(scope="module")
def plan(portfolio):
    """Return a plan proved within 0.1 %, which is what the lists of `expected.toml` need."""
    return portfolio.optimize(time_limit=60, gap=1e-3)


@pytest.fixture(scope="module")
def rows(portfolio):
    """Return the rows of `projects`, by id."""
    return portfolio["projects"].set_index("id")


def test_the_tables_have_no_error_and_no_warning(portfolio):
    """Nothing in the tables needs an excuse."""
    assert [issue for issue in portfolio.findings if issue.severity != "info"] == []


def test_every_line_of_the_document_is_a_row(rows):
    """The 71 lines are all there: 38 of transport, 9 of the border economy, 6 of people, 18 of water and forest."""
    assert list(rows.index) == [f"NM-{number:03d}" for number in range(1, 72)]
    sections = Counter(re.search(r"mục (II\.1\.[abcd])", text).group(1) for text in rows["source_ref"])
    assert sections == {"II.1.a": 38, "II.1.b": 9, "II.1.c": 6, "II.1.d": 18}
    assert Counter(rows["phase"].fillna("")) == {"2021-2025": 25, "2026-2030": 12, "2021-2025; 2026-2030": 2, "": 32}


@pytest.mark.parametrize(
    ("project", "words"),
    [
        ("NM-005", "Tuyến nối Lai Châu với cao tốc Nội Bài - Lào Cai"),
        ("NM-016", "Quốc lộ 32C"),
        ("NM-029", "Đèo Hùng - Chợ Bến"),
        ("NM-047", "U Ma Tu Khoàng"),
        ("NM-062", "từ hồ Cẩm Sơn sang hồ Khuôn Thần"),
        ("NM-070", "Chương trình hỗ trợ phát triển thị trường lao động đến năm 2030"),
    ],
)
def test_lines_keep_the_words_of_the_document(rows, project, words):
    """Whoever searches for the words of the text finds its row."""
    assert words in rows.loc[project, "name"]


def test_provinces_are_given_before_and_after_the_mergers(rows):
    """The second column follows from the first, and three lines no longer join two provinces."""
    for before, after in zip(rows["province_source"], rows["province_current"], strict=True):
        assert after.split("; ") == list(dict.fromkeys(LATER_NAMES.get(name, name) for name in before.split("; ")))
    joined = rows["inter_provincial_source"].map(str) + rows["inter_provincial_current"].map(str)
    assert list(rows.index[joined == "truefalse"]) == ["NM-004", "NM-029", "NM-032"]


def test_inter_regional_links_come_first_and_social_infrastructure_second(rows):
    """Class 1 is transport, water and disaster prevention; class 2 education and labour; three zones lead the rest."""
    sectors = rows.groupby(rows["priority"].astype(int))["sector"].agg(set)
    assert sectors[1] == {
        "Đường bộ cao tốc",
        "Đường bộ",
        "Hàng không",
        "Đường sắt",
        "Đường thủy nội địa",
        "Logistics",
        "Thủy lợi, cấp nước",
        "Phòng, chống thiên tai",
    }
    assert sectors[2] == {"Giáo dục và đào tạo", "Lao động"}
    assert list(rows.index[rows["border_zone"] == "priority"]) == ["NM-040", "NM-041", "NM-043"]


def test_every_deadline_of_the_document_is_asked_and_kept(plan):
    """Five expressways by 2025 and five more by 2030, three zones first, and the programme to 2030."""
    targets = plan.targets.set_index("indicator")
    hard = targets[targets["price"].isna()]
    assert {name: (int(row["by_year"]), int(row["at_least"])) for name, row in hard.iterrows()} == {
        "expressways-2021-2025": (2025, 5),
        "expressways-2026-2030": (2030, 5),
        "priority-zones": (2030, 3),
        "labour-programme": (2030, 1),
    }
    assert (hard["slack"] >= 0).all()
    assert set(targets.index) - set(hard.index) == {"border-zones", "border-gates"}


def test_the_three_zones_start_no_later_than_the_other_two(portfolio, plan):
    """The two zones that the text does not put first wait for the three that it does, which are always funded."""
    first, others = ("NM-040", "NM-041", "NM-043"), ("NM-039", "NM-042")
    order = {(row.first, row.then) for row in portfolio.tables.dependencies if row.kind == "start_start"}
    assert {(zone, other) for zone in first for other in others} <= order
    starts = plan.projects[plan.projects["funded"]].set_index("project")["start"]
    assert all(starts[zone] <= starts[other] for zone in first for other in others if other in starts)


def test_railways_of_the_ministry_cost_the_region_only_their_clearance(plan):
    """The ministry pays for the railway but for 2 %, and it adds no value of its own."""
    paid = plan.funding[plan.funding["project"] == "NM-036"].groupby("source")["amount"].sum()
    assert paid.to_dict() == {"ministry": 199_166_380, "provincial": 4_064_620}
    assert float(plan.projects.set_index("project").loc["NM-036", "value"]) == 0


def test_the_plan_is_the_expected_one(plan):
    """The value lies between what was proved before and what is proved now, and the decisions shown hold."""
    stands_as(plan, EXPECTED)


@pytest.mark.parametrize("reading", sorted(READINGS))
def test_every_reading_of_the_text_can_be_asked(portfolio, reading):
    """The other readings, with and without the railways, change the tables without an error."""
    assert portfolio.with_changes(READINGS[reading]["set"]).changes


@pytest.mark.parametrize("readme", ["README.md", "README.vi.md"])
def test_the_readme_names_what_there_is(rows, readme):
    """Every id in the description is a row, and every reading is named."""
    text = (FOLDER / readme).read_text(encoding="utf-8")
    named = set(re.findall(r"NM-\d{3}", text))
    assert named
    assert named <= set(rows.index)
    assert {reading for reading in READINGS if reading not in text} == set()


def test_the_law_is_kept_as_the_readme_says(plan):
    """No rule fails; policies are still to be decided, and the groups of bundles are not known."""
    verdicts = plan.compliance().set_index("rule").verdict
    found = {name: set(verdicts.index[verdicts == name]) for name in ("failed", "open", "passed")}
    assert found == {
        "failed": set(),
        "open": {"investment-policy/2021-2025"},
        "passed": {
            "priority-order/2021-2025",
            "fund-to-finish/2021-2025",
            "disbursement/2021-2025",
            "ppp-state-share/2021-2025",
            "ppp-least-size/2021-2025",
            "priority-order/2026-2030",
            "reserve/2026-2030",
            "disbursement/2026-2030",
            "ppp-state-share/2026-2030",
            "local-share/2026-2030",
        },
    }

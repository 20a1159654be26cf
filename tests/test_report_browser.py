"""The report in a real browser: it asks for nothing, answers to its reader, and everybody can read it."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe

from few import few
from pages import Reader

pytestmark = pytest.mark.browser

MALICE = "<img src=x onerror=alert(1)><script>alert(2)</script>"

PROJECTS = {
    "P1": {"name": "Đường Sìn Hồ", "sector": "Đường bộ", "location": "Sìn Hồ", "cost": 20_500, "value": 30},
    "P2": {"name": MALICE, "sector": "Y tế", "location": "Tam Đường", "cost": 12_000, "value": 20, "priority": 1},
    "P3": {"name": "Trường Phong Thổ", "sector": "Giáo dục", "location": "Phong Thổ", "cost": 9_000, "value": 2},
    "P10": {"name": "Cầu Nậm Nhùn", "sector": "Đường bộ", "location": "Sìn Hồ", "cost": 100_000, "value": 3},
}  # fmt: skip


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The path of a report with every kind of chapter, opened in Vietnamese."""
    projects = {
        name: {"priority": 2, "duration": 2, "basis": "assumed", "cost_high": 1.5 * columns["cost"]} | columns
        for name, columns in PROJECTS.items()
    }
    portfolio = few(
        projects,
        35_000,
        {"title": "Kế hoạch thử", "prices": "constant 2025", "statutory": "vn-2021-2030"},
        resources={"id": ["land"], "name": ["Đất"], "unit": ["ha"]},
        uses={"project": ["P1"], "resource": ["land"], "amount": [3]},
        capacities={"resource": ["land"], "period": ["P"], "amount": [6]},
        rules={
            "id": ["roads"],
            "measure": ["starts"],
            "selection": ['sector == "Đường bộ"'],
            "sense": ["<="],
            "amount": [1],
        },
    )  # fmt: skip
    path = tmp_path_factory.mktemp("browser") / "plan.html"
    answers = {
        "core": portfolio.core_index(samples=3),
        "frontier:state P": portfolio.frontier("state", "P", points=[0.9, 1.1]),
        "steps:state P": portfolio.envelope_steps("state", "P", most=2),
        "tornado": portfolio.tornado({"envelopes.state.P.amount": ("*0.9", "*1.1")}),
    }
    portfolio.optimize().report(path, lang="vi", answers=answers)
    return path


@pytest.fixture(scope="module")
def shared(browser, report):
    """One page for all tests that leave it as it was."""
    reader = Reader(browser, report)
    yield reader
    reader.context.close()


@pytest.fixture
def reader(shared):
    """The shared page in Vietnamese with every project shown."""
    shared.page.evaluate("document.querySelectorAll('form').forEach(form => form.reset())")
    if shared.page.locator("html").get_attribute("lang") != "vi":
        shared.page.click(".edition:not([hidden]) [data-language=vi]")
    shared.page.wait_for_function("!document.querySelector('.sought tr[hidden]')")
    return shared


def test_the_page_asks_for_nothing_and_has_nothing_to_complain_about(reader, report):
    """The file is all that is read, and no script of it or of a name goes wrong or runs."""
    reader.page.click(".edition:not([hidden]) [data-language=en]")
    reader.wait()
    assert [url for url in reader.asked if not url.startswith("data:")] == [report.as_uri()]
    assert reader.said == []


def test_the_language_is_switched_in_place(reader):
    """Everything is in the other language at once: words, title, and numbers in their form."""
    assert reader.page.locator("html").get_attribute("lang") == "vi"
    assert reader.page.get_by_role("heading", name="Danh mục dự án").is_visible()
    assert reader.page.locator(".edition:not([hidden]) tr:has-text('P1') >> text=20,5").first.is_visible()
    reader.page.click(".edition:not([hidden]) [data-language=en]")
    assert reader.page.locator("html").get_attribute("lang") == "en"
    assert reader.page.get_by_role("heading", name="Projects", exact=True).is_visible()
    assert not reader.page.get_by_role("heading", name="Danh mục dự án").is_visible()
    assert reader.page.locator(".edition:not([hidden]) tr:has-text('P1') >> text=20.5").first.is_visible()


def test_projects_are_found_by_words_without_accents(reader):
    """Who types “duong sin ho” finds Đường Sìn Hồ; how many and how much is told."""
    reader.page.fill(".edition:not([hidden]) input[type=search]", "duong sin ho")
    assert reader.ids() == ["P1", "P10"]
    reader.page.fill(".edition:not([hidden]) input[type=search]", "trường")
    assert reader.ids() == ["P3"]
    assert reader.found() == "1/4 dự án, tổng cộng 9 tỷ đồng"


def test_projects_are_chosen_by_what_they_have_in_common(reader):
    """Choices work together, and one button takes them all back."""
    reader.page.select_option(".edition:not([hidden]) [data-facet=sector]", "Đường bộ")
    assert reader.ids() == ["P1", "P10"]
    reader.page.select_option(".edition:not([hidden]) [data-facet=result]", "được bố trí vốn")
    assert reader.ids() == ["P1"]
    assert reader.found() == "1/4 dự án, tổng cộng 20,5 tỷ đồng"
    reader.page.click(".edition:not([hidden]) button[type=reset]")
    reader.page.wait_for_function("!document.querySelector('.sought tr[hidden]')")
    assert len(reader.ids()) == 4


def test_a_heading_sorts_up_and_down(reader):
    """Costs are sorted as numbers and ids as people count, and the heading says which way."""
    sought = reader.page.locator(".edition:not([hidden]) .sought")
    heading = sought.locator("th", has_text=re.compile("^Chi phí"))
    heading.get_by_role("button").click()
    assert reader.ids() == ["P3", "P2", "P1", "P10"]
    assert heading.get_attribute("aria-sort") == "ascending"
    heading.get_by_role("button").click()
    assert reader.ids() == ["P10", "P1", "P2", "P3"]
    assert heading.get_attribute("aria-sort") == "descending"
    sought.locator("th", has_text="Mã").get_by_role("button").click()
    assert reader.ids() == ["P1", "P2", "P3", "P10"]
    assert heading.get_attribute("aria-sort") == "none"


def test_the_keyboard_is_enough(reader):
    """The first stop leads past the head to the summary, and a heading sorts with the space bar."""
    reader.page.evaluate("document.activeElement.blur(); window.scrollTo(0, 0)")
    reader.page.reload()
    reader.page.keyboard.press("Tab")
    assert reader.page.evaluate("document.activeElement.className") == "skip"
    heading = reader.page.locator(".edition:not([hidden]) .sought th", has_text=re.compile("^Chi phí"))
    heading.get_by_role("button").focus()
    reader.page.keyboard.press("Space")
    assert reader.ids() == ["P3", "P2", "P1", "P10"]


def test_a_bar_tells_its_number_where_the_pointer_stands(reader):
    """What hovers is text in the language, with its unit."""
    bar = reader.page.locator("#vi-envelopes .chart .mark-rect path").first
    bar.scroll_into_view_if_needed()
    bar.hover(force=True)
    told = reader.page.locator("#hover")
    assert told.is_visible()
    assert "32,5 tỷ đồng" in told.inner_text()


def test_names_stay_text(reader):
    """The name that is a script stands in the table as it is written."""
    assert reader.page.locator(".edition:not([hidden]) .sought td", has_text=MALICE).count() == 1
    assert reader.page.locator("img").count() == 0


@pytest.mark.parametrize(
    ("lang", "width", "scheme"),
    [("vi", 1280, "light"), ("en", 1280, "dark"), ("vi", 390, "dark"), ("en", 390, "light")],
)
def test_everybody_can_read_it(reader, lang, width, scheme):
    """Axe finds no fault of access, with everything unfolded, on a screen and on a phone, by day and by night."""
    reader.page.set_viewport_size({"width": width, "height": 900})
    reader.page.emulate_media(color_scheme=scheme)
    reader.page.click(f".edition:not([hidden]) [data-language={lang}]")
    folded = "document.querySelectorAll('details').forEach(part => { part.open = %s; })"
    reader.page.evaluate(folded % "true")
    faults = Axe().run(reader.page).response["violations"]
    reader.page.evaluate(folded % "false")
    reader.page.set_viewport_size({"width": 1280, "height": 900})
    reader.page.emulate_media(color_scheme="light")
    assert {fault["id"]: [node["html"][:200] for node in fault["nodes"][:3]] for fault in faults} == {}


def test_a_phone_shows_the_page_in_its_width(browser, report):
    """Nothing is wider than the screen but what scrolls by itself."""
    reader = Reader(browser, report, viewport={"width": 390, "height": 844})
    wide = reader.page.evaluate("document.documentElement.scrollWidth")
    hidden = reader.page.locator(".edition:not([hidden]) .sought thead th:visible").all_inner_texts()
    reader.context.close()
    assert wide == 390
    assert len(hidden) == 5


def test_print_unfolds_everything_and_drops_the_controls(reader):
    """What is folded is printed too, and afterwards folded again."""
    folded = reader.page.locator(".edition:not([hidden]) details:not([open])")
    before = folded.count()
    assert before > 0
    reader.page.emulate_media(media="print")
    reader.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert folded.count() == 0
    assert not reader.page.locator(".edition:not([hidden]) .choose").is_visible()
    # Chromium repeats the head of a table on every sheet only where no control in it has a box of its own.
    button = reader.page.locator(".edition:not([hidden]) thead button").first
    assert button.evaluate("button => getComputedStyle(button).display") == "contents"
    assert reader.page.pdf(prefer_css_page_size=True).startswith(b"%PDF")
    reader.page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    reader.page.emulate_media(media="screen")
    assert folded.count() == before


def test_without_scripts_the_report_is_whole(browser, report):
    """A reader that runs no scripts sees the language asked for, every table, and pictures of the charts."""
    reader = Reader(browser, report, java_script_enabled=False)
    assert reader.page.locator(".edition:not([hidden]) .chart svg").count() > 4
    assert reader.page.get_by_role("heading", name="Mức độ chứng minh").is_visible()
    assert not reader.page.locator(".edition[lang=en]").is_visible()
    assert not reader.page.locator(".edition:not([hidden]) .choose").is_visible()
    reader.context.close()

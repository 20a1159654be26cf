"""A plan becomes a workbook whose sums an auditor can trace, and which is read back as the same portfolio."""

import csv
import re
import subprocess
import zipfile

import pytest
from python_calamine import load_workbook

import apps
import capalloc
from capalloc.catalogue import LANGUAGES, speaking
from capalloc.excel.naming import sheet_title
from capalloc.excel.scanning import letters_of
from sample import COLUMNS, sample

NAMES = ["=cmd|' /C calc'!A0", "+Trường B", "@Cầu C"]

DEAR = COLUMNS["projects"] | {"mandatory": [True, False, True]}


@pytest.fixture(scope="module")
def plan():
    """Return a plan of projects whose names begin like formulas."""
    shown = {"id": ["A", "B", "C"], "name": NAMES, "sector": ["road", "school", "road"], "priority": [1, 2, 2]}
    numbers = {"latest_start": [2026] * 3, "duration": [2, 1, 1], "cost": [1001, 500, 800], "value": [10, 6, 7]}
    rules = {"id": ["few"], "measure": ["starts"], "sense": ["<="], "amount": [2]}
    return sample({"statutory": "vn-2026-2030"}, projects=shown | numbers, rules=rules, basis=None).optimize()


@pytest.fixture(scope="module")
def books(plan, tmp_path_factory):
    """Return the plan's workbook in each language."""
    folder = tmp_path_factory.mktemp("books")
    for lang in LANGUAGES:
        plan.to_excel(folder / f"{lang}.xlsx", lang=lang)
    return {lang: folder / f"{lang}.xlsx" for lang in LANGUAGES}


def lines_of(path, lang, name):
    """Return the cells of a sheet by what it is called in the program."""
    with speaking(lang):
        title = sheet_title(name)
    return load_workbook(str(path)).get_sheet_by_name(title).to_python(skip_empty_area=False)


def formulas_of(path):
    """Return the formulas of a workbook with the values saved beside them, by part and address."""
    found = {}
    with zipfile.ZipFile(path) as book:
        for part in book.namelist():
            if part.startswith("xl/worksheets/sheet"):
                cells = re.findall(r'<c r="([A-Z]+\d+)"[^>]*><f>(.*?)</f><v>(.*?)</v>', book.read(part).decode())
                found |= {(part, address): (formula, float(value)) for address, formula, value in cells}
    return found


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_workbook_is_read_back_as_the_portfolio_and_gives_the_plan_again(plan, books, lang):
    """Round trip: equal tables, and the same plan."""
    again = capalloc.load(books[lang])
    assert again.fingerprint == sample_of(plan).fingerprint
    second = again.optimize()
    assert (second.value, second.status) == (plan.value, plan.status)
    assert second.projects.equals(plan.projects)
    assert second.funding.equals(plan.funding)


def sample_of(plan):
    """Return the portfolio of a plan."""
    return capalloc.Portfolio(plan.tables, given=plan.given)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_totals_are_formulas_with_the_values_of_the_plan(plan, books, lang):
    """The total of projects, of years and of envelopes; no sum is typed."""
    total = int(plan.funding["amount"].sum())
    projects, years = lines_of(books[lang], lang, "projects-funded"), lines_of(books[lang], lang, "years")
    assert [row[9] for row in projects if row[2] in ("TOTAL", "TỔNG SỐ")] == [total]
    assert [row[5] for row in years if row[2] in ("TOTAL", "TỔNG SỐ")] == [total]
    envelopes = lines_of(books[lang], lang, "envelopes-used")[7:9]
    assert [row[8] for row in envelopes] == plan.envelopes["used"].tolist()
    assert [row[9] for row in envelopes] == plan.envelopes["slack"].tolist()
    sums = [formula for formula, _ in formulas_of(books[lang]).values()]
    assert len([formula for formula in sums if formula.startswith("SUM(")]) > 10
    assert any("SUMPRODUCT(EXACT(" in formula for formula in sums)


def test_an_annex_looks_like_a_budget_annex(books):
    """Number, unit, numbered columns, sectors as I and II, and headings on every printed page."""
    lines = lines_of(books["vi"], "vi", "projects-funded")
    texts = [cell for line in lines for cell in line if isinstance(cell, str)]
    assert {"Biểu 1", "Đơn vị: triệu đồng", "TỔNG SỐ", "I", "II", "(1)", "Danh mục dự án"} <= set(texts)
    with zipfile.ZipFile(books["vi"]) as book:
        names = book.read("xl/workbook.xml").decode()
        assert names.count("_xlnm.Print_Titles") >= 8
        assert names.count("_xlnm.Print_Area") >= 8
        pages = [book.read(f"xl/worksheets/sheet{number}.xml").decode() for number in (1, 2)]
        assert ['fitToHeight="0"' in page for page in pages] == [False, True]  # the summary and its chart on one page
        assert len([part for part in book.namelist() if part.startswith("xl/charts/chart")]) == 2


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_name_becomes_a_formula(books, lang):
    """What begins with = + - @ in the tables is text on every sheet."""
    formulas = [formula for formula, _ in formulas_of(books[lang]).values()]
    assert not [formula for formula in formulas if "cmd" in formula or "calc" in formula]
    assert NAMES[0] in [row[2] for row in lines_of(books[lang], lang, "years")]


def test_there_is_a_reason_for_every_project_without_money(plan, books):
    """And what is assumed, what the law says, and the rule in words are told."""
    assert [row[1] for row in lines_of(books["en"], "en", "unfunded")[8:]] == ["C"]
    assert all(row[7] for row in lines_of(books["en"], "en", "unfunded")[8:])
    assert len(lines_of(books["vi"], "vi", "compliance")) == 7 + len(plan.compliance())
    assert any("not stated" in row for row in lines_of(books["en"], "en", "grounds"))


def test_without_a_plan_there_is_no_workbook(tmp_path):
    """As for every other form of a plan."""
    plan = sample(projects=DEAR)
    answer = plan.optimize()
    with pytest.raises(capalloc.CapallocError, match="no plan"):
        answer.to_excel(tmp_path / "plan.xlsx")
    assert list(tmp_path.iterdir()) == []


def value_of(shown):
    """Return a number as LibreOffice shows it, which may be in percent."""
    return float(shown.removesuffix("%")) / (100 if shown.endswith("%") else 1)


@pytest.mark.office
def test_a_real_office_program_computes_the_same_values(plan, books, tmp_path):
    """With all saved values taken away, LibreOffice comes to every one of them again."""
    soffice = apps.found("office")
    expected = formulas_of(books["vi"])
    bare = tmp_path / "bare.xlsx"
    with zipfile.ZipFile(books["vi"]) as old, zipfile.ZipFile(bare, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            content = old.read(part)
            if part.startswith("xl/worksheets/sheet"):
                content = re.sub(rb"</f><v>.*?</v>", b"</f>", content)
            new.writestr(part, content)
    command = [soffice, f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}", "--headless", "--convert-to"]
    command += [
        "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false,false,false,false,-1",
        "--outdir",
        str(tmp_path),
    ]
    subprocess.run([*command, str(bare)], check=True, capture_output=True, timeout=180)
    titles = load_workbook(str(books["vi"])).sheet_names
    for number, title in enumerate(titles, start=1):
        own = {
            address: value for (part, address), (_, value) in expected.items() if part.endswith(f"/sheet{number}.xml")
        }
        if own:
            with (tmp_path / f"bare-{title}.csv").open(encoding="utf-8", newline="") as file:
                lines = list(csv.reader(file))
            computed = {
                f"{letters_of(c)}{r}": cell for r, line in enumerate(lines, 1) for c, cell in enumerate(line, 1)
            }
            assert {a: pytest.approx(v) for a, v in own.items()} == {a: value_of(computed[a]) for a in own}
    assert sum(len(part) > 0 for part, _ in expected) > 40

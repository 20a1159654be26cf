"""The documentation site: it builds without a broken link, shows what the code does, and fetches nothing."""

import re
import subprocess
import sys

import pytest

from capalloc.records import SCHEMAS
from docs.making.mathematics import on_page_content
from docs.making.pages import DOCS, ROOT, pages, rerun
from docs.making.tables import PAGES, described, words


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Return the folder of the site, built with every warning an error."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return folder


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(DOCS).as_posix())
def test_a_page_shows_what_its_examples_print(page):
    """Every example runs, and what stands below it is what it prints; `python -m docs.making` renews it."""
    assert rerun(page) == page.read_text(encoding="utf-8")


@pytest.mark.parametrize("language", PAGES)
def test_the_tables_are_described_as_they_are_read(language):
    """The page of the tables is that of the schema in force; `python -m docs.making` renews it."""
    assert PAGES[language].read_text(encoding="utf-8") == described(language)


def test_no_meaning_is_left_over():
    """Every meaning of a column is that of a column that exists, and none is given twice."""
    meanings = words()
    common = set(meanings["any"])
    assert set(meanings) - {"any"} == set(SCHEMAS)
    assert common <= {name for schema in SCHEMAS.values() for name in schema.columns}
    for table, schema in SCHEMAS.items():
        assert set(meanings[table]) - {"_"} <= set(schema.columns)
        assert all(len(texts) == 2 and all(texts) for texts in meanings[table].values())


def test_every_page_is_built(site):
    """No page is left out, and what makes the pages is no page."""
    written = {page.relative_to(DOCS).with_suffix(".html") for page in DOCS.rglob("*.md")}
    built = {page.relative_to(site) for page in site.rglob("*.html")}
    assert written <= built
    assert not (site / "making").exists()


def test_nothing_is_fetched_from_outside(site):
    """Scripts, styles, fonts and pictures of every page lie beside it."""
    fetched = re.compile(
        r'<(?:script|img|iframe)[^>]* src="(?:https?:)?//|<link[^>]* rel="(?:stylesheet|preconnect)"[^>]*//'
    )
    assert [page.name for page in site.rglob("*.html") if fetched.search(page.read_text(encoding="utf-8"))] == []


def test_formulas_are_drawn_without_a_script(site):
    """The page of the mathematics holds MathML, and no formula is left as it was written."""
    text = (site / "model.html").read_text(encoding="utf-8")
    assert text.count("<math") > 20
    assert "arithmatex" not in text


def test_a_formula_becomes_mathml():
    """A formula in a line and one of its own."""
    told = on_page_content(
        'a <span class="arithmatex">\\(x \\le 1\\)</span> and <div class="arithmatex">\\[ y \\]</div>'
    )
    assert told.count("<math") == 2
    assert 'display="block"' in told


def test_the_reference_holds_every_public_name(site):
    """What can be imported from the package is described, with the methods of its classes."""
    import capalloc

    text = (site / "reference.html").read_text(encoding="utf-8")
    names = [name for name in capalloc.__all__ if name != "__version__"]
    assert [name for name in names if f'id="capalloc.{name}"' not in text] == []
    assert 'id="capalloc.Plan.why_not"' in text

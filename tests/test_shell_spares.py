"""No command writes over what it reads: the tables of a portfolio, its workbook, a plan, a store or a scenario file."""

import pytest

from capalloc.catalogue import speaking
from capalloc.shell import obeyed
from sample import sample, write_sample

SCENARIOS = 'base = "sample"\n[scenario.low.set]\n"envelopes.state.2026-2030.amount" = "*0.9"\n'

LINES = [
    "optimize sample --certificate sample/projects.csv",
    "optimize sample --evidence sample/portfolio.toml",
    "optimize other/portfolio.toml --certificate sample/envelopes.csv",
    "optimize sample --certificate proof --evidence ./proof",
    "report sample --out sample/sources.csv",
    "report sample --plan plan.json --out plan.json",
    "run set.toml --store set.toml",
    "run set.toml --store sample/projects.csv",
]


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Two portfolios, a plan and a set of scenarios in the folder one is in; what the files hold."""
    for name in ("sample", "other"):
        write_sample(tmp_path / name)
    sample().evaluate(["A"]).save(tmp_path / "plan.json")
    (tmp_path / "set.toml").write_text(SCENARIOS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return lambda: {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize(("lang", "words"), [("en", "would be lost"), ("vi", "làm mất nội dung")])
def test_what_is_read_is_never_written_over(line, lang, words, files, capsys):
    """Refused before any work with exit code 2, and every file is what it was."""
    before = files()
    with speaking(lang):
        assert obeyed(line.split()) == 2
    assert words in capsys.readouterr().err
    assert files() == before


def test_a_plan_to_report_goes_with_nothing_that_would_find_another(files, capsys):
    """--sensitivity asks about a plan of its own: one that is named is not passed over."""
    before = files()
    assert obeyed(["report", "sample", "--plan", "plan.json", "--sensitivity", "--out", "page.html"]) == 2
    assert "does not go together with --sensitivity" in capsys.readouterr().err
    assert files() == before

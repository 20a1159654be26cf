"""``capalloc report`` as a user runs it."""

import re

from sample import write_sample
from test_shell import make_infeasible, run


def test_the_report_of_the_best_plan_is_written(tmp_path):
    """The page opens in the language of the command, in a folder that is made for it."""
    folder, page = write_sample(tmp_path / "in"), tmp_path / "out" / "plan.html"
    done = run("report", folder, "--out", page, "--lang", "vi", "--quiet")
    assert done.returncode == 0
    assert done.stdout == ""
    assert done.stderr == f"Đã ghi vào {page}.\n"
    assert '<html lang="vi">' in page.read_text(encoding="utf-8")


def test_the_report_of_a_plan_that_was_saved(tmp_path):
    """With --plan nothing is optimised again, and the page tells of that plan's run."""
    folder = write_sample(tmp_path / "in")
    assert run("optimize", folder, "--out", tmp_path / "out", "--seed", 7, "--quiet").returncode == 0
    page = tmp_path / "plan.html"
    assert run("report", folder, "--plan", tmp_path / "out" / "plan.json", "--out", page).returncode == 0
    assert re.search(r">seed</th>\s*<td[^>]*>7</td>", page.read_text(encoding="utf-8"))


def test_the_report_with_answers_has_their_chapter(tmp_path):
    """With --sensitivity every question is asked, and told as it begins."""
    page = tmp_path / "plan.html"
    done = run("report", write_sample(tmp_path / "in"), "--sensitivity", "--time-limit", 20, "--out", page)
    assert done.returncode == 0
    assert "1/" in done.stderr
    assert 'id="en-answers"' in page.read_text(encoding="utf-8")


def test_the_report_of_a_store_of_scenarios(tmp_path):
    """A store is told from a portfolio by what it holds, and its scenarios stand in one page."""
    write_sample(tmp_path / "in")
    scenarios = '[scenario.less.set]\n"envelopes.state.2026-2030.amount" = "*0.9"\n'
    (tmp_path / "what-if.toml").write_text(f'base = "in"\n{scenarios}', encoding="utf-8")
    store, page = tmp_path / "runs.sqlite", tmp_path / "runs.html"
    assert run("run", tmp_path / "what-if.toml", "--store", store, "--workers", 1, "--quiet").returncode == 0
    assert run("report", store, "--out", page).returncode == 0
    assert "2 of 2 scenarios have a plan" in page.read_text(encoding="utf-8")


def test_without_a_plan_no_report_is_written(tmp_path):
    """The exit code is that of no plan, and the reason is told."""
    folder = write_sample(tmp_path / "in")
    make_infeasible(folder)
    done = run("report", folder, "--out", tmp_path / "plan.html", "--quiet")
    assert done.returncode == 1
    assert "Infeasible" in done.stdout
    assert "was not written" in done.stderr
    assert not (tmp_path / "plan.html").exists()


def test_a_page_that_cannot_be_written_is_told(tmp_path):
    """Where a file stands in the way the message names the page and no traceback follows."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    done = run("report", write_sample(tmp_path / "in"), "--out", tmp_path / "file" / "plan.html", "--quiet")
    assert done.returncode == 2
    assert done.stderr.startswith(f"The file {tmp_path / 'file' / 'plan.html'} cannot be written: ")

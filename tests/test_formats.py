"""Files that were kept: those of the first version of each format are read as on their first day.

The folder ``formats/1`` holds one of each, written when that version was settled.  They are never written again: a
change that cannot read them needs a new version of the format and a way from the old one.
"""

import json
import re
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from contextlib import closing
from fractions import Fraction
from hashlib import sha256
from pathlib import Path

import psutil
import pytest

import capalloc
from capalloc import InvalidInput, Status
from capalloc.catalogue import speaking
from capalloc.certifying import certify
from capalloc.confirming import confirm
from capalloc.formats import FORMATS
from capalloc.scenariofile import read_scenario_file
from capalloc.stack import stack
from sample import SETTINGS, frames, sample

KEPT = Path(__file__).parent / "formats" / "1"
CHECKER = Path(__file__).parents[1] / "tools" / "check_certificate.py"
FINGERPRINT = "07d761ba88433581d64da6862defbdc8cb465ef3027977baa2df7c5b3ffa992c"


@pytest.fixture(scope="session")
def kept(tmp_path_factory):
    """Return a copy of the kept files, since SQLite writes beside a store that it reads."""
    folder = tmp_path_factory.mktemp("kept") / "1"
    shutil.copytree(KEPT, folder)
    with zipfile.ZipFile(folder / "pack.zip") as pack:
        pack.extractall(folder / "pack")
    return folder


@pytest.fixture(scope="session")
def portfolio(kept):
    """Return the portfolio of the kept folder."""
    return capalloc.load(kept / "portfolio")


@pytest.mark.parametrize("name", ["portfolio", "plan.xlsx", "pack/inputs/portfolio.json"])
def test_a_portfolio_says_what_it_said(kept, name):
    """The folder, the workbook and the exact file of a pack have the fingerprint they had."""
    found = capalloc.load(kept / name)
    assert found.fingerprint == FINGERPRINT
    assert (len(found["projects"]), found.tables.settings.discount_rate * 100) == (3, 5)


@pytest.mark.parametrize("name", ["plan.json", "pack/plan/plan.json"])
def test_a_plan_says_what_it_said(kept, portfolio, name):
    """Projects, years, payments, exact value, bound and status are those of the day it was saved."""
    plan = capalloc.load_plan(kept / name, portfolio)
    assert (plan.status, plan.answer.value, plan.bound) == (Status.OPTIMAL, Fraction(31, 2), 15.5)
    assert plan.projects["funded"].tolist() == [True, True, False]
    assert plan.funding["amount"].sum() == 1501
    assert plan.answer.options.gap == 0


def test_a_scenario_file_says_what_it_said(kept):
    """The same names, parents and changes."""
    base, written = read_scenario_file(kept / "scenarios.toml")
    assert base == kept / "portfolio"
    assert {own.name: (own.extends, dict(own.changes)) for own in written} == {
        "low": ("base", {"envelopes.state.2026-2030.amount": "*0.5"}),
        "low-grid-1": ("low", {"projects.*.cost": "*0.9"}),
        "low-grid-2": ("low", {"projects.*.cost": "*1.1"}),
    }


def test_a_store_says_what_it_said(kept):
    """The scenarios, their values and their plans, each verified again on its own tables."""
    runs = capalloc.load_runs(kept / "runs.sqlite")
    table = runs.to_frame()
    assert table["scenario"].tolist() == ["base", "low", "low-grid-1", "low-grid-2"]
    assert table["value"].tolist() == [15.5, 6, 6, 6]
    assert table["cost"].tolist() == [1501, 500, 450, 550]
    assert runs.portfolio("base").fingerprint == FINGERPRINT
    assert runs.plans("low-grid-1").projects["funded"].tolist() == [False, True, False]


def test_a_certificate_confirms_what_it_confirmed(kept, portfolio):
    """Its proof holds, and is about the tables that it was about."""
    (proof,) = confirm(kept / "plan.cert.json", portfolio.tables).proofs
    assert (proof.value, proof.bound) == (Fraction(31, 2), Fraction(2135383939935, 137438953472))


def test_a_pack_of_evidence_is_whole(kept):
    """Every file has the SHA-256 that is written in the pack, and the pack says of which formats its files are."""
    lines = (kept / "pack" / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    assert len(lines) > 10
    for digest, name in (line.split("  ") for line in lines):
        assert sha256((kept / "pack" / name).read_bytes()).hexdigest() == digest
    said = json.loads((kept / "pack" / "versions.json").read_text(encoding="utf-8"))
    assert said["formats"] == dict.fromkeys(("portfolio", "scenarios", "plan", "store", "evidence"), 1)


def test_what_is_written_today_has_the_version_of_today(tmp_path):
    """Each file says its version itself, and the shell says all of them."""
    portfolio = sample()
    plan = portfolio.optimize(engine="highs")
    plan.save(tmp_path / "plan.json")
    assert json.loads((tmp_path / "plan.json").read_text(encoding="utf-8"))["version"] == FORMATS["plan"]
    assert certify(portfolio.tables, plan.answer, 1, None)["version"] == FORMATS["certificate"]
    assert stack()["formats"].items() >= FORMATS.items()


@pytest.mark.parametrize("found", [0, -1, "2", 1.5])
def test_a_version_that_never_was_is_wrong(found):
    """Only a later version may be right; what is none is an error like any other setting."""
    with pytest.raises(InvalidInput, match=r"\[setting-choice\].*format"):
        sample({"format": found})


def changed(folder, name, old, new):
    """Change the text of a file."""
    text = (folder / name).read_text(encoding="utf-8")
    assert text.count(old) == 1
    (folder / name).write_text(text.replace(old, new), encoding="utf-8")
    return folder


def test_a_later_portfolio_is_refused_in_one_sentence(tmp_path):
    """What a later version added is not listed as faults; the sentence says what to do."""
    folder = shutil.copytree(KEPT / "portfolio", tmp_path / "later")
    changed(folder, "portfolio.toml", "format = 1", 'format = 2\nhorizon = "moving"')
    changed(folder, "projects.csv", "id,", "uid,")
    with pytest.raises(InvalidInput, match=r"version 2 of its format; this capalloc reads versions up to 1") as refused:
        capalloc.load(folder)
    (issue,) = refused.value.issues
    assert (issue.code, str(issue.where)) == ("newer-format", "portfolio.toml, column format")
    assert "pip install --upgrade capalloc" in issue.remedy


def test_a_later_packed_portfolio_is_refused(tmp_path, kept):
    """The exact file of a pack says its version as well."""
    shutil.copy(kept / "pack" / "inputs" / "portfolio.json", tmp_path)
    changed(tmp_path, "portfolio.json", '"version":1', '"version":2')
    with pytest.raises(InvalidInput, match=r"\[newer-format\].*version 2"):
        capalloc.load(tmp_path / "portfolio.json")


def raised(folder, name):
    """Say of a kept file that it is of the version after the last that there is; return its path."""
    path = folder / name
    if path.suffix == ".sqlite":
        with closing(sqlite3.connect(path)) as store:
            store.execute(f"PRAGMA user_version = {FORMATS['store'] + 1}")
        return path
    text, later = path.read_text(encoding="utf-8"), FORMATS["certificate" if "cert" in name else "plan"] + 1
    path.write_text(re.sub(r'("version": ?)\d', rf"\g<1>{later}", text, count=1), encoding="utf-8")
    return path


def test_a_store_that_is_refused_is_closed(kept, tmp_path):
    """What is not read is not held open: on Windows nobody could move or delete it."""
    path = raised(shutil.copytree(kept, tmp_path / "later"), "runs.sqlite")
    with pytest.raises(InvalidInput) as refused:
        capalloc.load_runs(path)
    assert refused.value.issues[0].code == "store-version"
    assert path not in {Path(file.path) for file in psutil.Process().open_files()}


READERS = {
    "plan.json": capalloc.load_plan,
    "plan.cert.json": lambda path, portfolio: confirm(path, portfolio.tables),
    "pack/plan/plan.json": capalloc.load_plan,
    "pack/plan.cert.json": lambda path, portfolio: confirm(path, portfolio.tables),
    "pack/inputs/portfolio.json": lambda path, _: capalloc.load(path),
    "runs.sqlite": lambda path, _: capalloc.load_runs(path),
}


@pytest.mark.parametrize("lang", ["en", "vi"])
@pytest.mark.parametrize("name", READERS)
def test_a_later_file_is_refused_with_the_way_out(name, lang, kept, portfolio, tmp_path):
    """One sentence names the file, its version and what is read; the remedy is to update, in the language in force."""
    folder = shutil.copytree(kept, tmp_path / "later")
    path = raised(folder, name)
    with speaking(lang):
        with pytest.raises(InvalidInput) as refused:
            READERS[name](path, portfolio)
        (issue,) = refused.value.issues
        assert path.name in str(issue.where)
        assert re.search(r"version \d.* version" if lang == "en" else r"phiên bản \d.* phiên bản", issue.message)
        assert "pip install --upgrade capalloc" in issue.remedy
        assert ("Update" if lang == "en" else "Hãy cập nhật") in issue.remedy


def test_the_checker_alone_says_the_way_out_too(tmp_path):
    """It has no catalogue: in English, with the exit code of what cannot be read."""
    shutil.copy(KEPT / "plan.cert.json", tmp_path)
    command = [sys.executable, "-I", str(CHECKER), str(raised(tmp_path, "plan.cert.json"))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("REFUSED: The certificate is of version 3, and this checker reads 1 and 2")
    assert "pip install --upgrade capalloc" in done.stderr


def test_a_later_scenario_file_is_refused(tmp_path):
    """Its line is named, and nothing else in it is judged."""
    shutil.copy(KEPT / "scenarios.toml", tmp_path)
    changed(tmp_path, "scenarios.toml", "format = 1", 'format = 2\nseeds = "new"')
    with pytest.raises(InvalidInput, match=r"scenarios.toml.*row 1.*version 2") as refused:
        read_scenario_file(tmp_path / "scenarios.toml")
    assert [issue.code for issue in refused.value.issues] == ["newer-format"]


def test_what_a_column_leaves_unsaid_is_not_in_the_fingerprint():
    """So a column that a later version adds, empty in all files of today, changes no fingerprint."""
    silent = frames()
    silent["projects"] = silent["projects"].assign(name_en="", cost_low=None, min_scale=None, mandatory=False)
    assert capalloc.Portfolio.from_tables(SETTINGS, silent).fingerprint == sample().fingerprint

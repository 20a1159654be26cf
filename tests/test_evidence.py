"""The pack of evidence: complete, checkable on its own, and the same bytes for the same plan."""

import hashlib
import json
import subprocess
import sys
import zipfile

import pytest

import capalloc
from capalloc import CapallocError, EngineFailed, InvalidInput
from capalloc.confirming import confirm
from capalloc.evidence import _agree
from few import few
from sample import sample

PORTFOLIO = sample()


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    """Return the folder into which the pack of the sample's best plan was unpacked."""
    folder = tmp_path_factory.mktemp("pack")
    PORTFOLIO.optimize(threads=1).evidence(folder / "pack.zip", date="2026-11-22")
    with zipfile.ZipFile(folder / "pack.zip") as archive:
        archive.extractall(folder)
    return folder


def test_everything_that_an_auditor_asks_for_is_in_it(pack):
    """Inputs, rules, plan, certificate with its checker, cross-check, versions, hashes and how to repeat it."""
    with zipfile.ZipFile(pack / "pack.zip") as archive:
        names = set(archive.namelist())
    assert {"inputs/portfolio.json", "inputs/projects.csv", "plan/plan.json", "plan/projects.csv"} <= names
    assert {"plan.cert.json", "check_certificate.py", "cross-check.json", "versions.json", "SHA256SUMS"} <= names
    assert {f"{name}.{lang}.txt" for name in ("README", "rules", "summary") for lang in ("en", "vi")} <= names


def test_every_other_file_is_named_with_its_hash(pack):
    """The list can be checked by the usual tool for it."""
    lines = (pack / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    sums = dict(reversed(line.split("  ")) for line in lines)
    assert sums == {name: hashlib.sha256((pack / name).read_bytes()).hexdigest() for name in sums}
    with zipfile.ZipFile(pack / "pack.zip") as archive:
        assert set(archive.namelist()) == sums.keys() | {"SHA256SUMS"}


def test_the_pack_checks_itself_with_nothing_but_python(pack):
    """The checker in it confirms the certificate in it."""
    command = [sys.executable, "-I", "-S", str(pack / "check_certificate.py"), str(pack / "plan.cert.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "no plan is worth more than 16.0: confirmed" in done.stdout


def test_the_inputs_are_the_portfolio_and_the_plan_is_verified_on_them(pack):
    """What was packed is loaded again with the same fingerprint; certificate and plan hold on it."""
    again = capalloc.load(pack / "inputs" / "portfolio.json")
    assert again.fingerprint == PORTFOLIO.fingerprint
    assert confirm(pack / "plan.cert.json", again.tables).holds
    assert capalloc.load_plan(pack / "plan" / "plan.json", again).value == 16


def test_the_readme_says_how_to_check_and_repeat_in_both_languages(pack):
    """The commands are those that were run, the day is the one that was given."""
    for lang, word in (("en", "Date: 2026-11-22"), ("vi", "Ngày: 2026-11-22")):
        text = (pack / f"README.{lang}.txt").read_text(encoding="utf-8")
        assert word in text
        assert "capalloc verify plan.cert.json inputs/portfolio.json" in text
        assert "--gap 0.0001 --threads 1 --seed 0 --engine capalloc --time-limit 60.0 --out again" in text
        assert "Ba dự án" in text


def test_two_engines_are_held_against_the_plan(pack):
    """Both find the same value and prove no less."""
    found = json.loads((pack / "cross-check.json").read_text(encoding="utf-8"))
    assert found["values"] == {"plan": "16", "highs": "16", "capalloc": "16"}
    assert found["bounds"] == {"plan": 16, "certificate": 16, "highs": 16, "capalloc": 16}


def test_a_value_above_another_bound_is_no_evidence():
    """An engine that proves less than another finds is at fault, and the pack is not written."""
    with pytest.raises(EngineFailed, match="more than the 9 that capalloc proved possible"):
        _agree({"highs": 10.0}, {"capalloc": 9.0})


def test_the_same_plan_gives_the_same_bytes(tmp_path):
    """Whenever and however long it was looked for: seconds are left out."""
    for name in ("one.zip", "other.zip"):
        PORTFOLIO.optimize(threads=1).evidence(tmp_path / name)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "other.zip").read_bytes()


def test_rules_of_the_law_are_said_in_words_and_enacted_again(tmp_path):
    """The inputs are the tables as given; loading them puts the law in force as before."""
    portfolio = few(
        {"A": {"cost": 7, "value": 3, "latest_start": 2026}, "B": {"cost": 5, "value": 2, "latest_start": 2026}},
        10,
        rules={"id": ["few"], "measure": ["starts"], "sense": ["<="], "amount": [1]},
    )
    portfolio.optimize(threads=1).evidence(tmp_path / "pack.zip")
    with zipfile.ZipFile(tmp_path / "pack.zip") as archive:
        assert "few: " in archive.read("rules.en.txt").decode()
        (tmp_path / "portfolio.json").write_bytes(archive.read("inputs/portfolio.json"))
    assert capalloc.load(tmp_path / "portfolio.json").fingerprint == portfolio.fingerprint


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"settings": 1, "tables": {}, "origins": {}}', "[" * 100_000])
def test_a_file_that_holds_no_packed_tables_is_no_portfolio(text, tmp_path):
    """The answer is a sentence, not a traceback."""
    (tmp_path / "portfolio.json").write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInput, match="is not a portfolio"):
        capalloc.load(tmp_path / "portfolio.json")


def test_what_is_no_evidence_is_refused_before_anything_is_written(tmp_path):
    """A day that is none, a number below 1, and a portfolio without a plan."""
    plan = PORTFOLIO.optimize(threads=1)
    with pytest.raises(InvalidInput, match="a day as YYYY-MM-DD"):
        plan.evidence(tmp_path / "pack.zip", date="yesterday")
    with pytest.raises(InvalidInput, match="nodes"):
        plan.evidence(tmp_path / "pack.zip", nodes=0)
    groups = {"group": ["two"] * 2, "project": list("AB"), "kind": ["at_least"] * 2, "k": [2] * 2}
    costs = {name: {"cost": 6, "value": 1, "latest_start": 2026} for name in "AB"}
    with pytest.raises(CapallocError, match="no plan"):
        few(costs, 10, groups=groups).optimize().evidence(tmp_path / "pack.zip")
    assert list(tmp_path.iterdir()) == []

"""``capalloc verify``: a certificate, or a plan, against the tables that it is about."""

import json

import pandas as pd
import pytest

import capalloc
from capalloc.check_certificate import digest
from sample import write_sample
from test_shell import run


@pytest.fixture
def folder(tmp_path):
    """Return the sample as a folder, with its plan and its certificate beside it."""
    folder = write_sample(tmp_path / "sample")
    plan = capalloc.load(folder).optimize(threads=1)
    plan.save(tmp_path / "plan.json")
    plan.certificate(tmp_path / "plan.cert.json")
    return folder


def test_a_certificate_is_checked_against_the_tables(folder):
    """Exit code 0, and what was confirmed on standard output."""
    done = run("verify", folder.parent / "plan.cert.json", folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Its model is what the tables say, number by number" in done.stdout
    assert "the plan is worth 16, and no plan is worth more than 16" in done.stdout
    assert "Gap confirmed: 0%." in done.stdout


def test_what_was_confirmed_is_said_in_vietnamese(folder):
    """The same in the other language, for tables that were certified in the first."""
    done = run("verify", folder.parent / "plan.cert.json", folder, "--lang", "vi")
    assert done.returncode == 0
    assert "kế hoạch có giá trị 16, và không kế hoạch nào có giá trị quá 16" in done.stdout


def test_json_stands_alone_on_standard_output(folder):
    """Exact numbers are texts in it."""
    done = run("verify", folder.parent / "plan.cert.json", folder, "--json")
    answer = json.loads(done.stdout)
    assert (answer["holds"], answer["from_tables"]) == (True, True)
    assert answer["proofs"] == [{"class": None, "value": "16", "bound": "16", "claimed": "16", "leaves": 1}]


def test_a_plan_is_verified_too(folder):
    """Of a plan.json the value is found again, and the bound is said to be the engine's word."""
    done = run("verify", folder.parent / "plan.json", folder)
    assert done.returncode == 0
    assert "its bound is the engine's word" in done.stdout


def test_other_tables_are_told_apart(folder):
    """Exit code 2, and which portfolio is meant."""
    projects = pd.read_csv(folder / "projects.csv")
    projects.loc[0, "cost"] = 900
    projects.to_csv(folder / "projects.csv", index=False)
    done = run("verify", folder.parent / "plan.cert.json", folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert "certificate-of-another" in done.stderr


def test_a_forged_model_is_refused_though_it_holds_in_itself(folder):
    """Another envelope in the model, with hashes to match: the tables say otherwise."""
    path = folder.parent / "plan.cert.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    next(row for row in content["model"]["rows"] if row["origin"][0] == "envelope")["upper"] += 1
    content["hashes"]["model"] = digest(content["model"])
    path.write_text(json.dumps(content), encoding="utf-8")
    done = run("verify", path, folder, "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["issues"][0]["code"] == "certificate-differs"


def test_a_changed_digit_is_refused(folder):
    """The message says which part was changed."""
    path = folder.parent / "plan.cert.json"
    path.write_text(path.read_text(encoding="utf-8").replace("1001", "1011"), encoding="utf-8")
    done = run("verify", path, folder)
    assert done.returncode == 2
    assert "its part model is not the one that was written" in done.stderr

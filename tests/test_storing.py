"""Plans kept in files."""

import json
import math
import os
from fractions import Fraction

import pytest

import capalloc
from capalloc import InvalidInput, Status, load_plan
from capalloc.storing import Prints, fingerprint, write_atomically
from sample import COLUMNS, sample, write_sample

PORTFOLIO = sample()


@pytest.fixture
def path(tmp_path):
    """Return the path of the sample's best plan."""
    PORTFOLIO.optimize(seed=7).save(tmp_path / "plan.json")
    return tmp_path / "plan.json"


def edited(path, **changes):
    """Change parts of a plan's file, named by their path in it with two underscores for each step."""
    content = json.loads(path.read_text(encoding="utf-8"))
    for name, value in changes.items():
        *outer, last = (int(part) if part.isdecimal() else part for part in name.split("__"))
        place = content
        for part in outer:
            place = place[part]
        place[last] = value
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_a_plan_comes_back_as_it_was(path):
    """Status, value, bound, limits, choices and payments survive the file."""
    plan = load_plan(path, PORTFOLIO)
    assert (plan.status, plan.value, plan.bound) == (Status.OPTIMAL, 16, 16)
    assert plan.answer.options.seed == 7
    assert plan.funding["amount"].sum() == 1501
    assert plan.projects.equals(PORTFOLIO.optimize().projects)


def test_the_file_says_how_the_plan_was_made(path):
    """Format, versions, fingerprint and exact value are in it for whoever reads it later."""
    content = json.loads(path.read_text(encoding="utf-8"))
    assert (content["format"], content["version"]) == ("capalloc plan", 1)
    assert content["portfolio"] == PORTFOLIO.fingerprint
    assert content["value"] == "16"
    assert content["versions"]["capalloc"] == capalloc.__version__
    assert {"python", "highspy"} <= content["versions"].keys()
    assert content["title"] == "Ba dự án"


def test_a_value_with_a_fraction_stays_exact(tmp_path):
    """The value in the file is a fraction, not a float."""
    portfolio = PORTFOLIO.with_changes({"settings.discount_rate": 0.07})
    plan = portfolio.optimize()
    plan.save(tmp_path / "plan.json")
    content = json.loads((tmp_path / "plan.json").read_text(encoding="utf-8"))
    assert Fraction(content["value"]) == plan.answer.value == load_plan(tmp_path / "plan.json", portfolio).answer.value


def test_a_plan_without_a_bound_comes_back_without_one(tmp_path):
    """A hand-made list has no bound, which the file says as null."""
    PORTFOLIO.evaluate(["B"]).save(tmp_path / "plan.json")
    plan = load_plan(tmp_path / "plan.json", PORTFOLIO)
    assert (plan.status, plan.value, plan.bound) == (Status.FEASIBLE, 6, math.inf)


def test_a_plan_of_another_portfolio_is_refused(path):
    """One million more in an envelope makes another portfolio."""
    other = PORTFOLIO.with_changes({"envelopes.state.2026-2030.amount": "+1", "settings.title": "Khác"})
    with pytest.raises(InvalidInput, match=r"\[plan-of-another\].*'Ba dự án'.*'Khác'"):
        load_plan(path, other)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"payments__0__amount": 500}, r"\[plan-breaks-tables\](.|\n)*\[broken-cost-"),
        ({"choices__0__start": 2027}, r"\[plan-breaks-tables\](.|\n)*\[broken-start-late\]"),
        ({"choices__0__project": "Z"}, r"\[plan-breaks-tables\](.|\n)*\[broken-unknown-project\]"),
        ({"value": "17"}, r"\[plan-value-differs\].*claims the value 17.*worth 16"),
        ({"bound": 15.0}, r"\[plan-status-differs\].*bound 15"),
        ({"bound": 17.0}, r"\[plan-status-differs\].*status optimal"),
        ({"bound": None}, r"\[plan-status-differs\].*status optimal"),
        ({"status": "infeasible"}, r"\[plan-status-differs\].*status infeasible"),
        ({"bound": "NaN"}, r"\[plan-malformed\].*bound"),
        ({"status": "best"}, r"\[plan-malformed\].*status"),
        ({"value": "1/0"}, r"\[plan-malformed\].*value"),
        ({"payments__0__amount": 500.5}, r"\[plan-malformed\].*payments\.0\.amount"),
        ({"payments__0__amount": "501"}, r"\[plan-malformed\].*payments\.0\.amount"),
        ({"version": 2}, r"\[plan-version\].*version 2.*reads version 1"),
        ({"extra": 1}, r"\[plan-malformed\].*extra"),
    ],
)
def test_a_file_that_was_tampered_with_is_refused(path, changes, message):
    """A plan is verified again when it is read, and its claims are held against its content."""
    with pytest.raises(InvalidInput, match=message):
        load_plan(edited(path, **changes), PORTFOLIO)


def test_what_is_no_plan_is_refused(tmp_path):
    """A missing file, a folder and other texts are told apart from a plan without a traceback of the parser."""
    with pytest.raises(InvalidInput, match=r"\[plan-unreadable\].*No such file"):
        load_plan(tmp_path / "none.json", PORTFOLIO)
    with pytest.raises(InvalidInput, match=r"\[plan-unreadable\]"):
        load_plan(tmp_path, PORTFOLIO)
    with pytest.raises(InvalidInput, match=r"\[no-file-behind\]"):
        load_plan(os.devnull, PORTFOLIO)
    (tmp_path / "text.json").write_text("plan", encoding="utf-8")
    with pytest.raises(InvalidInput, match=r"\[plan-malformed\].*text\.json"):
        load_plan(tmp_path / "text.json", PORTFOLIO)
    (tmp_path / "latin.json").write_bytes(b"\xe9")
    with pytest.raises(InvalidInput, match=r"\[plan-unreadable\]"):
        load_plan(tmp_path / "latin.json", PORTFOLIO)


def test_the_fingerprint_is_that_of_the_content(tmp_path):
    """Files and frames that say the same have the same fingerprint, however they write their numbers."""
    folder = write_sample(tmp_path / "sample")
    assert capalloc.load(folder).fingerprint == PORTFOLIO.fingerprint
    (folder / "envelopes.csv").write_text(
        "source;period;amount\nstate;2026-2030;1.600,0\noda;2026-2030;100,0\n", encoding="utf-8"
    )
    assert capalloc.load(folder).fingerprint == PORTFOLIO.fingerprint
    assert len(PORTFOLIO.fingerprint) == 64


@pytest.mark.parametrize("column", ["name", "cost", "value", "note"])
def test_every_cell_counts_in_the_fingerprint(column):
    """Another name is another portfolio, as is another cost."""
    projects = COLUMNS["projects"] | {"note": ["", "", ""]}
    projects |= {column: [*projects[column][:2], "1"]}
    assert sample(projects=projects).fingerprint != PORTFOLIO.fingerprint


def test_a_file_is_written_all_or_nothing(tmp_path):
    """A write that fails leaves the old file whole and nothing beside it."""
    target = tmp_path / "plan.json"
    write_atomically(target, "old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(target, "mới", encoding="ascii")
    assert target.read_text(encoding="utf-8") == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["plan.json"]


def test_what_is_proved_of_each_class_comes_back(tmp_path):
    """A council may be shown the bounds of the classes long after the run."""
    ordered = sample({"objective": {"goal": "lexicographic"}})
    plan = ordered.optimize()
    plan.save(tmp_path / "plan.json")
    assert load_plan(tmp_path / "plan.json", ordered).classes.equals(plan.classes)
    content = json.loads((tmp_path / "plan.json").read_text(encoding="utf-8"))
    assert content["classes"] == [
        {"class": 1, "bound": 10.0, "status": "optimal"},
        {"class": 2, "bound": 6.0, "status": "optimal"},
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"classes__0__bound": 9.0}, "claims the status optimal"),
        ({"classes__0__bound": 11.0}, "claims the status optimal"),
        ({"classes__1__class": 3}, "classes is missing, unknown or not what stands there"),
    ],
)
def test_a_claim_about_a_class_that_the_tables_do_not_bear_out_is_refused(tmp_path, changes, message):
    """A bound below what the class has, an optimum below its bound, or a class that there is not."""
    ordered = sample({"objective": {"goal": "lexicographic"}})
    ordered.optimize().save(tmp_path / "plan.json")
    with pytest.raises(InvalidInput, match=message):
        load_plan(edited(tmp_path / "plan.json", **changes), ordered)


def test_fingerprints_of_tables_that_share_parts_are_those_of_each_alone():
    """What was put into words for one portfolio is not taken for what another says."""
    base, prints = PORTFOLIO, Prints()
    changes = [{"projects.A.cost": "+1"}, {"projects.A.cost": "+2"}, {"settings.title": "x"}, {"projects.A.cost": "+1"}]
    for made in (base, *map(base.with_changes, changes), base):
        assert prints.of(made.tables) == fingerprint(made.tables)

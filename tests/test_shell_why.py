"""``capalloc why-not``, run for real: what is asked, what is printed, and how it ends."""

import json

import pytest

from sample import write_sample
from test_shell import make_infeasible, run


@pytest.fixture
def folder(tmp_path):
    """Return the sample as a folder of files."""
    return write_sample(tmp_path / "sample")


def test_a_project_that_is_left_out_is_explained(folder):
    """C needs 717 million more of the state; the paragraph is all there is on standard output."""
    done = run("why-not", folder, "C", "--threads", 1)
    assert done.returncode == 0
    assert done.stdout.startswith("With C (Cầu C) in it, the best plan found is worth 13 instead of 16")
    assert "717 million VND more" in done.stdout


def test_a_funded_project_is_told_what_it_is_worth(folder):
    """A is in the plan: the question turns into what is lost without it."""
    done = run("why-not", folder, "A", "--threads", 1, "--lang", "vi")
    assert done.returncode == 0
    assert done.stdout.startswith("Nếu bỏ A (Đường A), kế hoạch giảm giá trị 3")


def test_a_plan_that_was_written_can_be_asked_about(folder, tmp_path):
    """The plan of `optimize --out` is read back and not looked for again."""
    run("optimize", folder, "--out", tmp_path / "out", "--threads", 1)
    done = run("why-not", folder, "C", "--plan", tmp_path / "out" / "plan.json", "--threads", 1, "--json")
    record = json.loads(done.stdout)
    assert (record["project"], record["funded"]) == ("C", False)
    assert [row["route"] for row in record["answers"]] == ["value", "envelope", "envelope", "cost"]
    assert record["statement"].startswith("With C (Cầu C) in it")


def test_a_project_that_does_not_exist_is_wrong_input(folder):
    """Exit code 2, and the nearest name."""
    done = run("why-not", folder, "CC", "--threads", 1)
    assert done.returncode == 2
    assert "There is no project 'CC'. Did you mean 'C'?" in done.stderr


def test_without_a_plan_there_is_nothing_to_explain(folder):
    """Exit code 1, as in `optimize`, and what is known of the plan."""
    make_infeasible(folder)
    done = run("why-not", folder, "B", "--threads", 1)
    assert done.returncode == 1
    assert "Infeasible" in done.stdout
    assert json.loads(run("why-not", folder, "B", "--threads", 1, "--json").stdout)["status"] == "infeasible"

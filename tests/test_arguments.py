"""Arguments of the wrong type: named, shown, and told what they must be."""

import pytest

import capalloc
from capalloc import InvalidInput, Portfolio
from capalloc.arguments import shown
from capalloc.catalogue import speaking
from sample import SETTINGS, frames, sample


@pytest.fixture(scope="module")
def portfolio():
    """Return the sample."""
    return sample()


@pytest.fixture(scope="module")
def plan(portfolio):
    """Return its best plan."""
    return portfolio.optimize()


WRONG = [
    (lambda own, _: own.evaluate(None), "listed", "None", "project ids"),
    (lambda own, _: own.evaluate(5), "listed", "5", "project ids"),
    (lambda own, _: own.evaluate(b"A"), "listed", "b'A'", "project ids"),
    (lambda own, _: own.evaluate(own), "listed", "<Portfolio 'Ba dự án': 3 projects>", "project ids"),
    (lambda own, _: own.optimize(engine=5), "engine", "5", "the name of an engine"),
    (lambda own, _: own.optimize(engine=None), "engine", "None", "the name of an engine"),
    (lambda own, _: own.optimize(start=5), "start", "5", "project ids"),
    (lambda own, _: own.optimize(progress=5), "progress", "5", "True, False, None or a function"),
    (lambda own, _: own.with_changes("x"), "changes", "'x'", "a dict from path to change"),
    (lambda own, _: own.with_changes(None), "changes", "None", "a dict from path to change"),
    (lambda *_: Portfolio.from_tables(SETTINGS, None), "tables", "None", "a dict from the name of a table"),
    (lambda *_: Portfolio.from_tables(SETTINGS, []), "tables", "[]", "a dict from the name of a table"),
    (lambda *_: Portfolio.from_tables(5, frames()), "settings", "5", "a dict of settings"),
    (lambda own, _: own.plan_from_pulp(5), "problem", "5", "a pulp.LpProblem"),
    (lambda own, _: own.write_mps(5), "path", "5", "a path"),
    (lambda own, _: own[5], "table", "5", "the name of a table"),
    (lambda *_: capalloc.load(None), "path", "None", "a path"),
    (lambda own, _: capalloc.load_plan(5, own), "path", "5", "a path"),
    (lambda *_: capalloc.load_plan("plan.json", 5), "portfolio", "5", "a Portfolio"),
    (lambda _, plan: plan.save(5), "path", "5", "a path"),
    (lambda _, plan: plan.to_csv(None), "folder", "None", "a path"),
]


@pytest.mark.parametrize(("call", "name", "found", "expected"), WRONG)
def test_an_argument_of_the_wrong_type_is_told(portfolio, plan, call, name, found, expected):
    """The error names the argument, what was found and what is expected, in both languages."""
    with pytest.raises(InvalidInput) as wrong:
        call(portfolio, plan)
    (issue,) = wrong.value.issues
    assert issue.code == "wrong-argument"
    assert issue.message.startswith(f"{name} is {found}, of the type ")
    assert issue.remedy.startswith(f"Give {expected}")
    with speaking("vi"), pytest.raises(InvalidInput, match=r"LỖI.*Hãy đưa vào"):
        call(portfolio, plan)


def test_a_path_of_a_change_is_a_text(portfolio):
    """A number names no cell; the other changes are judged all the same."""
    with pytest.raises(InvalidInput, match=r"(?s)path-malformed.*The path 5 cannot be read.*path-unknown-table"):
        portfolio.with_changes({5: 1, "project.A.cost": 1})


def test_what_was_given_is_shown_short_and_in_one_line():
    """A frame or a long number does not fill the screen."""
    assert shown(frames()["projects"]).count("\n") == 0
    assert len(shown(frames()["projects"])) <= 60

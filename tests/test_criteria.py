"""Sets of criteria: one is chosen, or several are weighed; scores outside them do not count."""

from fractions import Fraction

import pytest

from building import project, tables
from capalloc.model import SolveOptions
from capalloc.options import expand
from capalloc.records import Criterion, Score
from capalloc.settings import VALUE_GRID
from capalloc.solving import optimize

CRITERIA = (
    Criterion(criterion="jobs", set="growth", weight=Fraction(3, 4), high=Fraction(10)),
    Criterion(criterion="income", set="growth", weight=Fraction(1, 4), high=Fraction(10)),
    Criterion(criterion="poor", set="equity", weight=Fraction(1), direction="min", high=Fraction(10)),
    Criterion(criterion="speed", weight=Fraction(1), high=Fraction(10)),
)
SCORES = tuple(
    Score(project="A", criterion=name, score=Fraction(score))
    for name, score in {"jobs": 8, "income": 4, "poor": 3, "speed": 9}.items()
)


def value_of(**objective):
    """Return the value of A as the options have it, after the verifier agreed."""
    given = tables(
        project("A", latest_start=2021), criteria=CRITERIA, scores=SCORES, objective={"value_from": "score"} | objective
    )
    answer = optimize(given, SolveOptions(gap=0.0, threads=1), "enumeration")
    assert answer.value == expand(given).value[0] * VALUE_GRID
    return answer.value


@pytest.mark.parametrize(
    ("objective", "value"),
    [
        # 3/4 of 0.8 and 1/4 of 0.4.
        ({"criteria": "growth"}, Fraction(7, 10)),
        ({"criteria": "equity"}, Fraction(7, 10)),
        ({}, Fraction(9, 10)),
        ({"sets": {"growth": 0.5, "": 0.5}}, Fraction(8, 10)),
        ({"sets": {"growth": 0, "": 1}}, Fraction(9, 10)),
    ],
)
def test_the_objective_says_which_sets_count_and_how_much(objective, value):
    """One set by its name, several by their weights, and without either the criteria of no set."""
    assert value_of(**objective) == value

"""Scenarios resolved against the portfolio that they change."""

from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from capalloc import InvalidInput
from capalloc.issues import Place
from capalloc.model import SolveOptions
from capalloc.scenariofile import Written
from capalloc.scenarios import in_neighbourhoods, resolve, resolved
from sample import sample

AMOUNT = "envelopes.state.2026-2030.amount"


def resolve_all(*written, options=SolveOptions(), fingerprint="F"):  # noqa: B008  # frozen
    """Return the scenarios by name."""
    found = resolve(sample().tables, written, fingerprint, options, "highs")
    return {scenario.name: scenario for scenario in found}


def wrong(*written):
    """Return what is said about scenarios that are wrong."""
    with pytest.raises(InvalidInput) as fault:
        resolve_all(*written)
    return fault.value.issues


def test_the_base_is_always_the_first():
    """It changes nothing."""
    found = resolve_all(Written("low", {AMOUNT: "*0.9"}))
    assert list(found) == ["base", "low"]
    assert found["base"].steps == ()


def test_a_scenario_changes_what_its_parent_left():
    """A tenth off, and a tenth off that: 1,600 → 1,440 → 1,296; parents may be written after their children."""
    found = resolve_all(Written("lower", {AMOUNT: "*0.9"}, "low"), Written("low", {AMOUNT: "*0.9"}))
    (change,) = resolved(sample().tables, found["lower"].steps).difference
    assert (change.path, change.before, change.after) == (AMOUNT, 1600, 1296)


def test_the_difference_is_what_is_different_in_the_end():
    """A change and its reverse leave nothing to tell."""
    steps = ({AMOUNT: "*0.5", "projects.A.cost": "+9"}, {AMOUNT: "*2"})
    assert [change.path for change in resolved(sample().tables, steps).difference] == ["projects.A.cost"]


def test_the_same_content_has_the_same_id():
    """However it is written: by wildcard or by name, as a factor or as an amount, in one step or in two."""
    found = resolve_all(
        Written("factor", {AMOUNT: "*0.9"}),
        Written("amount", {"envelopes.stat?.2026-2030.amount": 1440}),
        Written("child", {AMOUNT: "-60"}, "half"),
        Written("half", {AMOUNT: 1500}),
        Written("idle", {AMOUNT: "*1.0"}),
    )
    assert found["factor"].id == found["amount"].id == found["child"].id != found["half"].id
    assert found["idle"].id == found["base"].id


def test_other_tables_or_limits_are_other_results():
    """The id says everything that decides a result."""
    low = Written("low", {AMOUNT: "*0.9"})
    ids = {
        resolve_all(low)["low"].id,
        resolve_all(low, fingerprint="G")["low"].id,
        resolve_all(low, options=SolveOptions(gap=0.01))["low"].id,
        resolve_all(low, options=SolveOptions(seed=1))["low"].id,
    }
    assert len(ids) == 4


def test_every_wrong_change_is_told_at_its_place():
    """With the nearest path that there is."""
    place = {AMOUNT[:-1]: Place("scenarios.toml", row=7, column="scenario.low.set")}
    issues = wrong(
        Written("low", {AMOUNT[:-1]: "*0.9"}, places=place),
        Written("dear", {"projects.Z*.cost": "*2"}, where=Place("scenarios.toml", row=9)),
        Written("odd", {"projects.A.cost": "*much"}, where=Place("scenarios.toml", row=11)),
    )
    assert [issue.where.row for issue in issues] == [7, 9, 11]
    assert "scenarios.toml, row 7, column scenario.low.set" in str(issues)
    assert "Did you mean: amount?" in str(issues)


def test_a_wrong_value_of_a_grid_is_told_once():
    """Not once for each of the scenarios that take it."""
    place = {"projects.A.price": Place("scenarios.toml", row=3)}
    entries = [Written(f"grid-{n}", {"projects.A.price": "*2", AMOUNT: n}, places=place) for n in range(5)]
    assert len(wrong(*entries)) == 1


def test_changes_are_kept_to_the_last_digit():
    """Numbers of numpy and decimals are what they say; a third, which has no end, is refused."""
    exact = resolve_all(Written("a", {AMOUNT: np.int64(900)}), Written("b", {"projects.A.value": Decimal("0.1")}))
    assert [exact[name].steps[0] for name in ("a", "b")] == [{AMOUNT: 900}, {"projects.A.value": 0.1}]
    assert "1/3 is no change of a cell" in str(wrong(Written("c", {"projects.A.value": Fraction(1, 3)})))


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ([Written("a", {}, "b"), Written("b", {}, "a")], "Scenario a extends itself: a → b → a."),
        ([Written("a", {}, "a")], "Scenario a extends itself: a → a."),
        ([Written("low", {}), Written("lower", {}, "lwo")], "extends 'lwo', which there is not. Did you mean: low?"),
        ([Written("low", {}), Written("low", {})], "Two scenarios are called 'low'."),
        ([Written("base", {})], "No scenario may be called base"),
        ([Written(" ", {})], "is no name of a scenario"),
        ([Written("lo\u200bw", {})], "is no name of a scenario"),  # what nobody sees would make two of one
    ],
)
def test_names_and_parents_must_make_sense(written, message):
    """No circle, no unknown parent, no name twice, and base is taken."""
    assert message in str(wrong(*written))


def test_neighbours_lie_side_by_side():
    """A grid is walked back and forth, so that each step changes one value by one place."""
    amounts, costs = ("*0.8", "*0.9", "*1.1"), ("*0.9", "*1.1", "*1.2")
    grid = [Written(f"{a} {c}", {AMOUNT: a, "projects.A.cost": c}) for a in amounts for c in costs]
    _, *scenarios = resolve_all(*reversed(grid)).values()
    parts = in_neighbourhoods(scenarios, 4)
    assert [len(part) for part in parts] == [4, 4, 1]
    walk = [own.name.split() for part in parts for own in part]
    assert all(sum(old != new for old, new in zip(*pair, strict=True)) == 1 for pair in pairwise(walk))


def test_amounts_of_envelopes_are_walked_through_fastest():
    """All that differ in nothing else are run one after the other, whatever order they are written in."""
    grid = [Written(f"{a} {c}", {AMOUNT: a, "projects.A.cost": c}) for a in ("*0.8", "*0.9") for c in ("*0.9", "*1.1")]
    _, *scenarios = resolve_all(*grid).values()
    (part,) = in_neighbourhoods(scenarios, 4)
    assert [own.name.split()[1] for own in part] == ["*0.9", "*0.9", "*1.1", "*1.1"]


def test_one_column_of_many_cells_is_one_direction():
    """All costs by a tenth lie between all costs as they are and all costs by a fifth."""
    found = resolve_all(Written("ten", {"projects.*.cost": "*1.1"}), Written("five", {"projects.*.cost": "*1.05"}))
    assert set(found["ten"].position) == set(found["five"].position)

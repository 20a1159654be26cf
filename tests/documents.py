"""What the tests of all scenarios share: where a scenario stands, what is expected of its plan, and what it names."""

import re
import tomllib
from pathlib import Path

SCENARIOS = Path(__file__).parents[1] / "scenarios"


def expected_of(folder):
    """Return the value, bound and decisions that were shown for the plan of a scenario."""
    return tomllib.loads((folder / "expected.toml").read_text(encoding="utf-8"))["plan"]


def readings_of(folder):
    """Return the other readings of a document, as changes by path."""
    return tomllib.loads((folder / "readings.toml").read_text(encoding="utf-8"))["scenario"]


def stands_as(plan, expected):
    """Assert that the value lies between the proofs of then and now, and that the decisions shown hold."""
    assert float(plan.gap) <= 1e-3
    assert float(plan.value) <= expected["bound"]
    assert float(plan.bound) >= expected["value"]
    funded = set(plan.projects[plan.projects["funded"]]["project"])
    assert set(expected["always"]) <= funded
    assert funded.isdisjoint(expected["never"])


def names_only(folder, readme, pattern, ids):
    """Assert that a description names ids of this pattern, and none that is no row."""
    named = set(re.findall(pattern, (folder / readme).read_text(encoding="utf-8")))
    assert named
    assert named <= set(ids)

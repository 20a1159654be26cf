"""The benchmark of throughput, on a sweep small enough for the tests."""

from benchmarks.throughput import Speed, contradictions, main, sweep


def test_the_sweep_is_a_grid_of_money_and_costs():
    """Two hundred scenarios by default, from tight to ample."""
    scenarios = sweep(20, 10)
    assert len(scenarios) == 200
    assert scenarios["*0.8500 *1.1000"] == {"envelopes.*.*.amount": "*0.8500", "projects.*.cost": "*1.1000"}


def test_every_method_answers_the_same(capsys):
    """A sweep of four over 12 projects: nothing contradicts, and a line is printed for each method."""
    assert main(["12", "--envelopes", "2", "--costs", "2", "--every", "2", "--workers", "1"]) == 0
    printed = capsys.readouterr().out
    assert "WRONG" not in printed
    assert [line.split()[0] for line in printed.splitlines()] == ["portfolio", "phase-12", "phase-12", "phase-12"]


def test_a_value_above_a_bound_is_a_contradiction():
    """Whatever the method."""
    right, wrong = Speed("a", 1, 1.0, 1.0, {"low": (9.0, 10.0)}), Speed("b", 1, 1.0, 1.0, {"low": (11.0, 12.0)})
    assert list(contradictions([right, wrong])) == ["low: b reaches 11.00, a proves at most 10.00"]

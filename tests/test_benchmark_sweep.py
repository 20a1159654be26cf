"""The command that holds a sweep against cold runs, on portfolios small enough for the ordinary tests."""

from dataclasses import replace
from pathlib import Path

from benchmarks import sweep
from benchmarks.cases import select


def test_a_sweep_is_held_against_cold_runs(capsys):
    """The command sweeps a tiny portfolio, finds no claim refuted, and says how much faster it was."""
    assert sweep.main(["generated/phase-100", "--steps", "3", "--every", "2", "--gap", "0.01"]) == 0
    (line,) = [row for row in capsys.readouterr().out.splitlines() if row.startswith("generated")]
    assert line.split()[:2] == ["generated/phase-100", "3"]
    assert line.split()[5] == line.split()[7] == "2"


def test_a_sweep_of_nothing_is_refused(capsys):
    """A case that there is not is told with those that there are."""
    assert sweep.main(["generated/none"]) == 2
    assert "generated/yearly-1000" in capsys.readouterr().err


def test_a_sweep_tells_a_bound_that_a_plan_refutes():
    """A claim below what another run found is a contradiction, whichever run made it."""
    portfolio = select(["generated/phase-100"])[0].portfolio(Path())
    (step,) = sweep.swept(portfolio, sweep.steps_of(portfolio, 1), sweep.parser().parse_args(["--gap", "0.05"]))
    low = replace(step, plan=replace(step.plan, answer=replace(step.plan.answer, bound=step.plan.value * 0.9)))
    assert len(list(sweep.contradictions(low, step))) == 1
    assert not list(sweep.contradictions(step, step))

"""The table of how time and memory grow with the number of projects."""

from benchmarks.growth import STAGES, main, measure


def test_every_stage_of_a_portfolio_is_measured():
    """A portfolio of 20 projects is loaded, solved to the gap and tabulated, and nothing is left unmeasured."""
    found = measure("phase", 20, time_limit=60.0, gap=0.05, threads=1)
    assert tuple(found.seconds) == STAGES
    assert all(passed >= 0 and worked >= 0 for passed, worked in found.seconds.values())
    assert found.value <= found.bound
    assert found.gap <= 0.05
    assert found.memory > 0


def test_the_command_prints_a_row_for_each_size(capsys):
    """Each size is measured in a process of its own, so that its memory is its own."""
    assert main(["20", "10", "--family", "yearly", "--gap", "0.1", "--threads", "1"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert len({row.count("|") for row in rows}) == 1
    assert [row.split(" | ")[1] for row in rows[2:]] == ["20", "10"]

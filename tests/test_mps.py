"""A model written as an MPS file is the same model to whoever reads it."""

import subprocess

import highspy
import pulp
import pytest

from capalloc.engines import engine_named
from capalloc.engines.mps import mps_text
from capalloc.issues import EngineFailed
from capalloc.model import SolveOptions
from small_models import financed_model, model_of

LABELS = ["Cầu Nậm Na", "Trường học", "state → P1", "state → P2", "loan → P1", "loan → P2"]
ROWS = ["trả P1", "trả P2", "hạn mức 1", "hạn mức 2"]


@pytest.fixture
def written(tmp_path):
    """The financed model as a file."""
    path = tmp_path / "plan.mps"
    path.write_text(mps_text(financed_model(), LABELS, ROWS), encoding="utf-8")
    return path


def test_highs_reads_the_same_value(written):
    """HiGHS minimises the negated value, and has the names."""
    reader = highspy.Highs()
    reader.silent()
    assert reader.readModel(str(written)) == highspy.HighsStatus.kOk
    reader.run()

    best = engine_named("highs").solve(financed_model(), SolveOptions(gap=0)).bound
    assert reader.getInfo().objective_function_value == -best
    assert reader.getLp().col_names_[:3] == ["Cầu_Nậm_Na", "Trường_học", "state_P1"]


def test_cbc_reads_the_same_value(written, tmp_path):
    """CBC, which knows no word for a maximisation in the file, finds the same best plan."""
    solution = tmp_path / "plan.sol"
    cbc = pulp.PULP_CBC_CMD(msg=False, _skip_v4_deprecation=True).path
    subprocess.run([cbc, str(written), "-solve", "-solution", str(solution)], check=True, capture_output=True)
    assert solution.read_text(encoding="utf-8").startswith("Optimal - objective value -10.0")


def test_the_file_says_its_sense(written):
    """The first line is for people."""
    assert written.read_text(encoding="utf-8").startswith("* Minimise: the objective row is the value negated.\n")


def test_what_is_not_a_number_is_not_written():
    """A file with a NaN would be read as something else."""
    with pytest.raises(EngineFailed, match="not finite"):
        mps_text(model_of([float("nan")]), ["x"], [])

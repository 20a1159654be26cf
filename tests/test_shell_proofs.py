"""``capalloc optimize --certificate --evidence``: what is proved of a plan, written where it is found."""

import json
import zipfile

from capalloc.confirming import confirm
from sample import sample, write_sample
from test_shell import make_infeasible, run


def test_a_plan_is_certified_where_it_is_found(tmp_path):
    """Both files hold, what they confirm is told on standard error, and JSON stands alone on standard output."""
    folder = write_sample(tmp_path / "sample")
    proof, pack = tmp_path / "deep" / "plan.cert.json", tmp_path / "pack.zip"
    done = run("optimize", folder, "--json", "--certificate", proof, "--evidence", pack)
    assert (done.returncode, json.loads(done.stdout)["value"]) == (0, 16)
    assert f"Written to {proof}." in done.stderr
    assert "no plan is worth more than 16" in done.stderr
    assert confirm(proof, sample().tables).proofs[0].bound == 16
    with zipfile.ZipFile(pack) as archive:
        assert {"plan.cert.json", "SHA256SUMS"} <= set(archive.namelist())


def test_that_there_is_no_plan_is_certified_and_has_no_evidence(tmp_path):
    """Exit code 1 as without; the certificate says that there is none, and no pack is written."""
    folder = write_sample(tmp_path / "sample")
    make_infeasible(folder)
    proof, pack = tmp_path / "none.cert.json", tmp_path / "pack.zip"
    done = run("optimize", folder, "--lang", "vi", "--certificate", proof, "--evidence", pack)
    assert done.returncode == 1
    assert f"Đã ghi vào {proof}." in done.stderr
    assert "Không có kế hoạch nào nên không ghi" in done.stderr
    assert json.loads(proof.read_text(encoding="utf-8"))["plan"] is None
    assert not pack.exists()


def test_a_certificate_that_cannot_be_written_is_told_after_the_plan(tmp_path):
    """The plan is printed all the same; exit code 2 and no traceback."""
    folder = write_sample(tmp_path / "sample")
    (tmp_path / "taken").mkdir()
    done = run("optimize", folder, "--quiet", "--certificate", tmp_path / "taken")
    assert done.returncode == 2
    assert "Optimal: no better plan exists." in done.stdout
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr

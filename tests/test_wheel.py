"""The wheel: the same bytes each time, and everything in it that the package needs away from its sources."""

import json
import os
import re
import runpy
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "capalloc"


def built(folder):
    """Build the wheel into a folder and return it."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    environment = os.environ | {"SOURCE_DATE_EPOCH": "1767225600"}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Return the wheel."""
    return built(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def unpacked(wheel):
    """Return the folder that an installation of the wheel would put on the path."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(wheel.parent / "site")
    return wheel.parent / "site"


def shell(unpacked, *arguments):
    """Run the shell of the wheel, with none of the sources on the path, and return what it says."""
    code = "import sys; from capalloc.shell import main; sys.argv[0] = 'capalloc'; main()"
    environment = os.environ | {"PYTHONPATH": str(unpacked), "CAPALLOC_LANG": "en"}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    run = subprocess.run(command, cwd=unpacked.parent, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_two_builds_give_the_same_bytes(wheel, tmp_path):
    """Anyone can build the wheel of a commit and compare it with the one that is handed out."""
    assert built(tmp_path).read_bytes() == wheel.read_bytes()


def test_the_wheel_holds_the_package_and_nothing_else(unpacked):
    """Every file of the package, texts and statutes among them, and beside it only what describes the wheel."""
    held = {file.relative_to(unpacked).as_posix() for file in unpacked.rglob("*") if file.is_file()}
    own = {
        file.relative_to(SOURCE.parent).as_posix()
        for file in SOURCE.rglob("*")
        if file.is_file() and file.suffix != ".pyc"
    }
    assert {name for name in held if ".dist-info/" not in name} == own
    assert {"capalloc/catalogue/vi/shell.toml", "capalloc/law/vn-2026-2030.toml", "capalloc/py.typed"} <= own


def test_the_wheel_works_away_from_its_sources(unpacked):
    """Templates, checks and plans need nothing that is not in it."""
    shell(unpacked, "new", "mine", "--example")
    shell(unpacked, "new", "mine.xlsx", "--example", "--lang", "vi")
    assert json.loads(shell(unpacked, "optimize", "mine.xlsx", "--engine", "highs", "--json"))["status"] == "optimal"


def test_the_shell_names_the_whole_stack(unpacked):
    """Every package that users have, Python, SQLite, the system and the formats of files."""
    said = json.loads(shell(unpacked, "--version", "--json"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {re.split(r"[<>=]", line)[0] for line in project["dependencies"]} <= said.keys()
    assert {"python", "capalloc", "sqlite", "system", "formats"} <= said.keys()
    assert not {"mypy", "mkdocs-material"} & said.keys()


def test_every_dependency_names_a_lowest_version_that_can_be_tried():
    """What `make lowest` installs, and the exact versions of the ordinary tests, are versions that are allowed."""
    lowest = runpy.run_path(str(ROOT / "tools" / "needed.py"))["lowest"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    exact = [line for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines() if "==" in line]
    used = {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in exact)}
    for line in project["dependencies"]:
        needed = Requirement(line)
        assert needed.specifier.contains(lowest(line).partition("==")[2])
        assert needed.specifier.contains(used[canonicalize_name(needed.name)])

"""Files are written whole or not at all, whatever gets in the way, and nothing in them is a formula."""

import os
import signal
import subprocess
import sys
import textwrap
from itertools import pairwise

import pandas as pd
import pytest

import capalloc
from capalloc.writing import csv_of, replacing, write_atomically, writing_atomically
from sample import sample

# A process whose files cannot grow beyond 2,000 bytes: what it meets is what a full disk answers.
NARROW = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
"""


def ran(code, *arguments, **more):
    """Return the end of a Python process that runs this code."""
    command = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False, **more)


def held(folder):
    """Return the files of a folder with what they hold."""
    return {file.name: file.read_text(encoding="utf-8") for file in folder.iterdir()}


def test_a_file_takes_its_name_when_it_is_whole(tmp_path):
    """Until then the old one is there under it; afterwards nothing else is."""
    path = tmp_path / "plan.json"
    write_atomically(path, "old")
    with writing_atomically(path) as file:
        file.write("new")
        file.flush()
        assert path.read_text(encoding="utf-8") == "old"
    assert held(tmp_path) == {"plan.json": "new"}


def test_an_error_leaves_the_old_file(tmp_path):
    """What was written until then is taken away."""
    write_atomically(tmp_path / "plan.json", "old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(tmp_path / "plan.json", "half \udcff")
    assert held(tmp_path) == {"plan.json": "old"}


def test_a_file_marked_read_only_is_left_alone(tmp_path):
    """Its folder may be written, and a new file could take its name; nobody asked for that."""
    path = tmp_path / "plan.json"
    write_atomically(path, "approved")
    path.chmod(0o444)
    with pytest.raises(PermissionError, match=r"plan\.json"):
        write_atomically(path, "other")
    assert held(tmp_path) == {"plan.json": "approved"}


def test_a_folder_is_no_file(tmp_path):
    """It is told before anything is written."""
    with pytest.raises(IsADirectoryError), replacing(tmp_path) as part:
        part.write_text("never", encoding="utf-8")
    assert list(tmp_path.parent.glob(".*.part")) == []


def test_a_killed_process_leaves_the_old_file(tmp_path):
    """The kill comes in the middle of writing, and nothing can be tidied up; the hidden rest harms no reader."""
    write_atomically(tmp_path / "plan.json", "old")
    code = """
    import os, signal, sys
    from pathlib import Path
    from capalloc.writing import writing_atomically
    with writing_atomically(Path(sys.argv[1])) as file:
        file.write("half")
        file.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    """
    assert ran(code, tmp_path / "plan.json").returncode == -signal.SIGKILL
    found = held(tmp_path)
    assert found.pop("plan.json") == "old"
    assert [name.startswith(".") and name.endswith(".part") for name in found] == [True]


@pytest.mark.parametrize(
    "call", ["plan.save(folder / 'plan.json')", "plan.to_csv(folder)", "plan.report(folder / 'a')"]
)
def test_a_full_disk_leaves_the_old_files(tmp_path, call):
    """The system's own word for it is raised, and each file is the old one or a whole new one."""
    plan = sample().optimize(gap=0)
    for name in ("a", "plan.json", *(f"{table}.csv" for table in plan.table_names)):
        (tmp_path / name).write_text("old", encoding="utf-8")
    code = f"""
    import sys
    from pathlib import Path
    sys.path.insert(0, sys.argv[2])
    from sample import sample
    folder, plan = Path(sys.argv[1]), sample().optimize(gap=0)
    {NARROW.replace(chr(10), chr(10) + "    ").replace("2000", "200")}
    try:
        {call}
    except OSError as failure:
        print(failure.errno)
    """
    done = ran(code, tmp_path, os.path.dirname(__file__))  # noqa: PTH120  # as an argument
    assert (done.stdout, done.stderr) == ("27\n", "")  # EFBIG
    assert not [name for name in held(tmp_path) if name.startswith(".")]
    assert all(text == "old" or text.endswith("\n") for text in held(tmp_path).values())
    assert "old" in held(tmp_path).values()


@pytest.mark.parametrize(("lang", "words"), [("en", "cannot"), ("vi", "Không")])
def test_the_shell_says_that_the_disk_is_full(tmp_path, lang, words):
    """In the user's words, with the folder; no traceback, and no half of a file."""
    folder = tmp_path / "portfolio"
    folder.mkdir()
    (folder / "portfolio.toml").write_text("first_year = 2024\nlast_year = 2030\n", encoding="utf-8")
    rows = "".join(f"P{number},Đường {number},5,1\n" for number in range(200))
    (folder / "projects.csv").write_text(f"id,name,cost,value\n{rows}", encoding="utf-8")
    code = f"{NARROW}\nfrom capalloc.shell import main\nmain()"
    out = tmp_path / "out"
    done = ran(code, "optimize", folder, "--quiet", "--lang", lang, "--out", out)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert words in done.stderr.splitlines()[-1]
    assert str(out) in done.stderr
    assert not (out / "plan.json").exists()
    assert [file.name for file in out.iterdir() if file.stat().st_size == 2000] == []


FORMULAS = ["=1+1", "+A1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://x")', "-cmd|' /C calc'!A0"]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_text_that_begins_like_a_formula_is_written_as_text(text):
    """The apostrophe before it is how a spreadsheet program is told so."""
    assert pd.read_csv(pd.io.common.StringIO(csv_of(pd.DataFrame({"name": ["a", text]}))))["name"][1] == f"'{text}"


@pytest.mark.parametrize("text", ["-5", "+100", "-1/3", "-12.5%", "-1,5", "-", "a=b", "1-2", "", "*0.9"])
def test_numbers_and_other_texts_are_written_as_they_are(text):
    """What no spreadsheet program computes is not touched."""
    frame = pd.DataFrame({"name": ["a", text], "amount": [-1, 2]})
    assert csv_of(frame) == frame.to_csv(index=False, lineterminator="\r\n")


def test_the_names_of_a_plan_are_no_formulas_in_its_files(tmp_path):
    """What someone typed into the name of a project runs nowhere."""
    settings = {"first_year": 2024, "last_year": 2030}
    projects = pd.DataFrame({"id": ["=A1"], "name": ['=HYPERLINK("http://example.org")'], "cost": [5], "value": [1]})
    plan = capalloc.Portfolio.from_tables(settings, {"projects": projects}).optimize()
    plan.to_csv(tmp_path)
    written = pd.read_csv(tmp_path / "projects.csv")
    assert written[["project", "name"]].to_numpy().tolist() == [["'=A1", "'" + projects["name"][0]]]
    assert plan.projects["project"].tolist() == ["=A1"]


def test_columns_of_a_frame_keep_their_numbers_beside_a_formula():
    """Money and missing cells are written as without it."""
    frame = pd.DataFrame(
        {"name": ["=1", None], "amount": pd.array([10**15, None], dtype="Int64"), "share": [0.1, None]}
    )
    lines = csv_of(frame).split("\r\n")
    plain = frame.drop(columns="name").to_csv(index=False, lineterminator="\r\n").split("\r\n")
    assert [line.partition(",")[2] for line in lines[:3]] == plain[:3]
    assert all(first.count(",") == 2 for first, _ in pairwise(lines))

"""Command lines that cannot be read, and the help: both in the language asked for."""

import subprocess
import sys

import pytest
import typer

from capalloc.catalogue import speaking
from capalloc.console import INTERRUPTED, WRONG_INPUT
from capalloc.shell import obeyed

WRONG = [
    (["optimise", "x"], "There is no command 'optimise'. Did you mean 'optimize'?", "Có phải ý bạn là 'optimize'?"),
    (["optimize"], "PATH is missing: The folder of the portfolio", "Thiếu PATH: Thư mục của danh mục"),
    (["optimize", "x", "--tim", "3"], "no option '--tim'. Did you mean '--time-limit'?", "ý bạn là '--time-limit'?"),
    (["optimize", "x", "--time-limit=abc"], "--time-limit cannot be 'abc'.", "--time-limit không thể là 'abc'."),
    (["check", "x", "y", "z"], "More is given than the command takes: y z", "Lệnh không nhận thêm: y z"),
    (["--lang", "vi", "optimize", "x"], "--lang is written after the command.", "--lang phải viết sau tên lệnh."),
    (["optimize", "x", "--gap"], "The option --gap is given", "Tùy chọn --gap được ghi"),
]


@pytest.mark.parametrize(("arguments", "english", "vietnamese"), WRONG, ids=lambda part: str(part)[:30])
def test_a_command_line_that_cannot_be_read_is_told_in_both_languages(arguments, english, vietnamese, capsys):
    """What is wrong, the nearest name, and where the help is; the exit code is that of wrong input."""
    for lang, expected, help_line in (("en", english, "What it takes: capalloc"), ("vi", vietnamese, "Xem cách dùng:")):
        with speaking(lang):
            assert obeyed(arguments) == WRONG_INPUT
        told = capsys.readouterr()
        assert (told.out, expected in told.err) == ("", True)
        assert told.err.splitlines()[-1].startswith(help_line)


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["report", "--help"], ["diff", "--help"]])
def test_the_help_is_in_one_language(arguments, capsys):
    """Headings, the line of usage and the option --help are Vietnamese where the texts are."""
    with speaking("vi"):
        assert obeyed(arguments) == 0
    told = capsys.readouterr().out
    assert "Cách dùng: capalloc" in told
    assert "Hiện hướng dẫn này rồi thoát." in told
    assert not [word for word in ("Usage", "Options", "Arguments", "default", "required", "Show") if word in told]


def test_an_option_is_explained_by_what_it_does_there(capsys):
    """What --out writes is another thing for scenarios than for one plan."""
    with speaking("en"):
        for command, words in (("run", "tables of all plans"), ("optimize", "summary.txt")):
            obeyed([command, "--help"])
            assert words in " ".join(capsys.readouterr().out.replace("│", " ").split())


def test_no_command_at_all_shows_the_help(capsys):
    """Nothing was asked for, which is wrong input, and what may be asked is shown."""
    with speaking("vi"):
        assert obeyed([]) == WRONG_INPUT
    assert "optimize" in capsys.readouterr().out


def test_ctrl_c_before_a_command_has_begun_ends_without_a_traceback(monkeypatch):
    """The command line is still being read, so that no command can answer."""

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(typer.core.TyperGroup, "parse_args", interrupt)
    assert obeyed(["check", "."]) == INTERRUPTED


def test_the_package_runs_as_a_module():
    """Where the command is not on the path, as on many office machines."""
    done = subprocess.run([sys.executable, "-m", "capalloc", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("capalloc ")

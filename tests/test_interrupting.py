"""Ctrl-C on the command line, at moments where it would get lost or be taken for another fault."""

import subprocess
import sys
import threading

import pytest

from capalloc.interrupting import finishing
from capalloc.model import SolveOptions
from capalloc.packing import pack
from capalloc.workforce import Workforce
from capalloc.working import Job, Task
from sample import sample

BEFORE = """
import os, signal, sys, weakref
from capalloc.interrupting import finishing, heeding
signal.signal(signal.SIGINT, signal.default_int_handler)
press = lambda *_: signal.raise_signal(signal.SIGINT)
"""


def ended(code):
    """Return how a program ends that begins like the command line and then does this."""
    return subprocess.run([sys.executable, "-c", BEFORE + code], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "work",
    [
        "press()",
        # A compiled module that is being imported makes an error of its own of it.
        "try: press()\n    except KeyboardInterrupt: raise ImportError('numpy.core.multiarray failed to import')",
        # What made an answer of it all the same was still interrupted.
        "try: press()\n    except KeyboardInterrupt: return 0",
    ],
)
def test_whatever_becomes_of_an_interrupt_the_exit_code_is_130(work):
    """And nothing is shown that the user did not ask for."""
    done = ended(f"def work():\n    {work}\nsys.exit(heeding(work))")
    assert (done.returncode, done.stderr) == (130, "")


def test_an_interrupt_that_python_drops_comes_again():
    """In a finaliser or in the middle of an import Python would only tell that it ignored it."""
    dropped = "class Own: pass\ndef work():\n    own = Own(); kept = weakref.ref(own, press); del own\n"
    done = ended(f"{dropped}    import time; time.sleep(30)\n    return 0\nsys.exit(heeding(work))")
    assert (done.returncode, done.stderr) == (130, "")


def test_an_interrupt_at_the_end_of_the_program_shows_no_traceback():
    """Python cleans up after the last line, and would tell of every call that is interrupted there."""
    done = ended("import atexit\natexit.register(press)\nsys.exit(heeding(lambda: 0))")
    assert (done.returncode, done.stderr) == (130, "")


def test_a_fault_without_an_interrupt_is_shown_as_before():
    """Only an interrupt is answered with its exit code."""
    done = ended("sys.exit(heeding(lambda: 1 // 0))")
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr


def test_files_that_belong_together_are_finished_first():
    """A first interrupt waits until they are written, a second one does not."""
    block = "    with finishing():\n        press(); print('one')\n        {}print('other')\n"
    files = f"def work():\n{block}    print('after')\n"
    once = ended(files.format("") + "sys.exit(heeding(work))")
    assert (once.returncode, once.stdout.split()) == (130, ["one", "other"])
    twice = ended(files.format("press(); ") + "sys.exit(heeding(work))")
    assert (twice.returncode, twice.stdout.split()) == (130, ["one"])


def test_what_is_started_with_interrupts_ignored_goes_on_to_ignore_them():
    """A shell starts so what runs in the background: Ctrl-C is meant for what stands before the user."""
    done = ended("signal.signal(signal.SIGINT, signal.SIG_IGN)\nsys.exit(heeding(lambda: press() or 0))")
    assert done.returncode == 0


def test_nothing_waits_without_an_interrupt():
    """The block is left as it was entered."""
    with finishing():
        done = True
    assert done


def test_an_interrupt_while_workers_are_started_is_an_interrupt(monkeypatch):
    """Before a thread has started nobody can wait for it; that was told in the place of the interrupt."""

    def interrupted(_):
        raise KeyboardInterrupt

    job = Job(pack(sample().tables), SolveOptions(time_limit=5.0), "capalloc", "en")
    monkeypatch.setattr(threading.Thread, "start", interrupted)
    with pytest.raises(KeyboardInterrupt), Workforce(job, 2) as crew:
        list(crew.run([[Task("base", ())]]))

"""Threads that solve, and how a program that ends while they are at work waits for them.

A thread that comes back from a solver while the interpreter shuts down is ended by CPython there and then; C++ takes
that for an exception nobody catches, and aborts the whole process.  So the program's end is a stop sign, too.
"""

from __future__ import annotations

import atexit
import os
import sys
import time
from collections.abc import Callable
from contextvars import copy_context
from threading import Event, Thread
from weakref import WeakKeyDictionary

# How long the end of the program waits for a solver to look up.  One that does not by then is in a presolve that never
# ends (ERGO-Code/HiGHS#2226), and does not come back either.
PATIENCE = 10.0

# What a shell reports of a program that was ended by Ctrl-C.
_INTERRUPTED = 130

_at_work: WeakKeyDictionary[Thread, Event] = WeakKeyDictionary()


def launch(work: Callable[[], None], stop: Event, name: str) -> Event:
    """Run ``work`` in a thread of its own and return what is set when it has ended.

    The texts it makes are in the language of the caller.

    Parameters
    ----------
    stop
        Set at the end of the program; ``work`` should end soon after.
    """
    done = Event()

    def run() -> None:
        try:
            work()
        finally:
            done.set()

    # The language of the texts belongs to a context, which a new thread does not have of itself.
    thread = Thread(target=copy_context().run, args=(run,), name=name, daemon=True)
    _at_work[thread] = stop
    thread.start()
    return done


@atexit.register
def _wait_for_all() -> None:
    """Stop what is at work and wait for it; a Ctrl-C meanwhile ends the program without more ado."""
    end = time.monotonic() + PATIENCE
    try:
        while time.monotonic() < end and (alive := [thread for thread in list(_at_work) if thread.is_alive()]):
            for thread in alive:
                _at_work[thread].set()
                thread.join(0.05)
    except KeyboardInterrupt:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(_INTERRUPTED)

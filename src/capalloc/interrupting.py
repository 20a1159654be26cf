"""Ctrl-C on the command line: the answer is exit code 130 whenever it comes, without a traceback or half a result."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Timer
from typing import Any

INTERRUPTED = 130

# Long enough for the call that lost an interrupt to be over, and too short to be noticed.
_SOON = 0.05


class _Listener:
    """Hears Ctrl-C, and remembers that it did, in case that what it raises is lost or taken for another fault."""

    def __init__(self) -> None:
        self.pressed = False
        self.holding = False
        self.waiting = False

    def __call__(self, *_: object) -> None:
        self.pressed = True
        if self.holding and not self.waiting:
            self.waiting = True
        else:
            raise KeyboardInterrupt

    def find(self, lost: Any) -> None:
        """Press once more where Python dropped the interrupt, which came while it cleaned up or in an import."""
        if not issubclass(lost.exc_type, KeyboardInterrupt):
            sys.__unraisablehook__(lost)
            return
        again = Timer(_SOON, signal.raise_signal, [signal.SIGINT])
        again.daemon = True
        again.start()


_listener = _Listener()


def heeding(work: Callable[[], int]) -> int:
    """Return the exit code of a program's work: 130 once Ctrl-C was pressed, whatever the work made of it.

    The program is to end after it: from then on Ctrl-C ends it at once.  One that was started with Ctrl-C ignored, as
    shells start what runs in the background, goes on to ignore it.

    Raises
    ------
    BaseException
        Whatever the work raises without an interrupt.
    """
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        return work()
    signal.signal(signal.SIGINT, _listener)
    sys.unraisablehook = _listener.find
    try:
        try:
            code = work()
        finally:
            signal.signal(signal.SIGINT, _leave)
    except BaseException:
        # An import in C turns an interrupt into an error of its own.
        if not _listener.pressed:
            raise
    return INTERRUPTED if _listener.pressed else code


def _leave(*_: object) -> None:
    # All is written and told; what Python does at its end would show a traceback.
    os._exit(INTERRUPTED)


@contextmanager
def finishing() -> Iterator[None]:
    """Let a first Ctrl-C wait until the ``with`` block is done, and raise it then; a second one does not wait.

    Files that belong together are so written all, or not at all.

    Raises
    ------
    KeyboardInterrupt
        At the end, where Ctrl-C was pressed.
    """
    _listener.holding, _listener.waiting = True, False
    try:
        yield
    finally:
        _listener.holding = False
    if _listener.waiting:
        raise KeyboardInterrupt

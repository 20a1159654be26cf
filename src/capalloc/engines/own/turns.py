"""Whose turn it is among searches that share a few threads."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Condition


class Turns:
    """Lets no more searches work at once than there are threads, each by its share of the time.

    A search that has used less of its share goes before one that has used more.  A share counts for the time
    worked while it holds, so that a search whose share changes neither makes up for the past nor pays for it.

    Parameters
    ----------
    shares
        By the name of each search; may be changed at any time.
    clock
        Seconds that the calling thread has worked; a busy machine then takes from all searches alike.
    """

    def __init__(self, threads: int, shares: dict[str, float], clock: Callable[[], float] = time.thread_time) -> None:
        self.shares = shares
        self._clock = clock
        self._spent: dict[str, float] = {}
        self._waiting: set[str] = set()
        self._since: dict[str, float] = {}
        self._free = threads
        self._change = Condition()

    def begin(self, name: str) -> None:
        """Wait for a turn."""
        with self._change:
            # Who comes late begins level with the others instead of catching up.
            self._spent.setdefault(name, min(self._spent.values(), default=0.0))
            self._waiting.add(name)
            while not (self._free and self._first() == name):
                self._change.wait(1.0)
            self._waiting.remove(name)
            self._free -= 1
            self._since[name] = self._clock()

    def end(self, name: str) -> None:
        """Give the turn back."""
        with self._change:
            self._charge(name)
            del self._since[name]
            self._free += 1
            self._change.notify_all()

    def let_others(self, name: str, after: float) -> None:
        """Let another search go first where one has more right to, after that many seconds of work."""
        with self._change:
            if self._clock() - self._since[name] < after:
                return
            self._charge(name)
            if not self._waiting or self._free or self._spent[self._first()] >= self._spent[name]:
                return
        self.end(name)
        self.begin(name)

    def _charge(self, name: str) -> None:
        now = self._clock()
        self._spent[name] += (now - self._since[name]) / max(self.shares[name], 1e-9)
        self._since[name] = now

    def _first(self) -> str:
        return min(sorted(self._waiting), key=self._spent.__getitem__)

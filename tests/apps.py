"""Programs that some tests drive and that no package index has: where they are, and what is told where they are not."""

import os
import shutil
from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class App:
    """A program: the names it goes by, the Debian package that brings it, and what its tests look at."""

    names: tuple[str, ...]
    package: str
    about: str

    @property
    def path(self):
        """Where the program stands; ``None`` where it is missing."""
        return next(filter(None, map(shutil.which, self.names)), None)


APPS = {
    "browser": App(("chromium", "chromium-browser", "google-chrome"), "chromium", "the report in a real browser"),
    "office": App(("soffice", "libreoffice"), "libreoffice-calc", "the workbook in a real LibreOffice"),
}
"""Each by the mark that its tests carry."""

REQUIRED = os.environ.get("CAPALLOC_REQUIRE_APPS") == "1"
"""Whether a missing program is a failure."""


def left_out(items):
    """Return the marks of programs that are missing, each with the tests that it takes along."""
    missing = {mark for mark, app in APPS.items() if app.path is None}
    found = {mark: [item for item in items if item.get_closest_marker(mark)] for mark in sorted(missing)}
    return {mark: own for mark, own in found.items() if own}


def summary(counts):
    """Yield a line for each program that is missing, with how to get it."""
    for mark, count in counts.items():
        app = APPS[mark]
        yield f"{count} tests of {app.about} are left out: no {app.names[0]} (on Debian: apt install {app.package})"


def found(mark):
    """Return where a program stands, for the tests that carry its mark."""
    path = APPS[mark].path
    if path is None:
        pytest.fail(f"{APPS[mark].names[0]} is missing: apt install {APPS[mark].package}")
    return path

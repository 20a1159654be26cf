"""What this installation is made of: what to say first about a fault, and what to keep beside a plan."""

from __future__ import annotations

import platform
import re
import sqlite3
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Any

from capalloc.formats import FORMATS
from capalloc.storing import versions

# What users may have beside the packages that are always there; the other extras are for developers.
_EXTRAS = ("cluster", "parquet")


def stack() -> dict[str, Any]:
    """Return the versions of Python, of each package that capalloc uses, of SQLite, the system, and of file formats.

    Packages of an extra that is not installed are left out.

    Examples
    --------
    >>> stack()["formats"]["plan"]
    1
    """
    packages = dict(_packages())
    return {**versions(), **packages, "sqlite": sqlite3.sqlite_version, "system": platform.platform()} | {
        "formats": dict(FORMATS)
    }


def _packages() -> Iterator[tuple[str, str]]:
    """Each package that the metadata of the installation asks for, with the version that is there."""
    for line in sorted(requires("capalloc") or ()):
        name, extra = re.split(r"[^\w.-]", line, maxsplit=1)[0], re.search(r"extra == .(\w+)", line)
        if extra is None or extra[1] in _EXTRAS:
            try:
                yield name, version(name)
            except PackageNotFoundError:
                continue

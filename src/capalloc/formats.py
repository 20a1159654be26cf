"""The formats of files that people keep, each with the version that is written and the last that can be read."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from capalloc.issues import Issue, Place, error

FORMATS: Mapping[str, int] = MappingProxyType(
    {"portfolio": 1, "scenarios": 1, "plan": 1, "store": 1, "certificate": 2, "evidence": 1}
)
"""Format to its version, which changes only where an older capalloc would read a file wrongly or not at all."""

NEWER = "newer-format"
"""The code of the issue that a file is of a later version: where it stands, it stands alone."""


def newer_format(kind: str, found: Any, where: Place) -> Issue | None:
    """Return the issue that a file says it is of a version that came after this one; ``None`` where it does not.

    Nothing else in such a file can be judged: what looks like a fault may be what the later version added.
    """
    known = FORMATS[kind]
    if not isinstance(found, int) or isinstance(found, bool) or found <= known:
        return None
    return error(NEWER, where, found=found, known=known)

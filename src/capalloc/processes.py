"""How other programs are started beside this one."""

from __future__ import annotations

import os
from typing import Any

# What Windows calls CREATE_NEW_PROCESS_GROUP; the standard library has the name there only.
_NEW_GROUP = 0x200


def apart(system: str = os.name) -> dict[str, Any]:
    """Return the arguments of ``Popen`` by which a program does not get the Ctrl-C that is meant for this one.

    Examples
    --------
    >>> apart("posix"), apart("nt")
    ({'start_new_session': True}, {'creationflags': 512})
    """
    return {"creationflags": _NEW_GROUP} if system == "nt" else {"start_new_session": True}

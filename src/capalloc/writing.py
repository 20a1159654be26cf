"""Files written all or nothing: the one place from which the package writes what it was asked to write.

What is written goes into a hidden file beside the target, which takes the target's name when it is whole and on the
disk.  Whatever ends the writing, whether an error, a full disk or a killed process, the target is then what it was.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    import pandas as pd

# A spreadsheet program that opens a CSV file takes what begins like this for a formula, unless it is a plain number.
_FORMULA = re.compile(r"(?![+-][\d.,]+(/\d+)?%?$)[=+\-@\t\r].")


def write_atomically(path: Path, text: str, encoding: str = "utf-8") -> None:
    """Write a text file all or nothing: a reader never finds half of it.

    Raises
    ------
    OSError
        As for :func:`replacing`.
    """
    with writing_atomically(path, encoding) as file:
        file.write(text)


def write_bytes_atomically(path: Path, content: bytes) -> None:
    """Write a file all or nothing, as :func:`write_atomically` does.

    Raises
    ------
    OSError
        As for :func:`replacing`.
    """
    with replacing(path) as part:
        part.write_bytes(content)


@contextmanager
def writing_atomically(path: Path, encoding: str = "utf-8") -> Iterator[TextIO]:
    """Give a text file to write that takes its name when the ``with`` block ends well, and is gone when it does not.

    Raises
    ------
    OSError
        As for :func:`replacing`.
    """
    with replacing(path) as part, part.open("w", encoding=encoding, newline="") as file:
        yield file


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give the path of a file to write that takes the place of ``path`` when the ``with`` block ends well.

    Raises
    ------
    OSError
        When ``path`` is a folder or a file marked as read-only, or the disk cannot take the file; what ``path`` held
        before is then still there.
    """
    _refuse_protected(path)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        _onto_disk(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def csv_of(frame: pd.DataFrame, *, header: bool = True) -> str:
    """Return a table as CSV text in which nothing is a formula: a text that begins like one gets an apostrophe before.

    The apostrophe is what one types in a spreadsheet program to say that a cell is text.  Numbers stay as they are.
    """
    import pandas as pd

    inert = frame.copy(deep=False)
    for name in frame.columns[[column.kind not in "biuf" for column in frame.dtypes]]:
        cells = [f"'{cell}" if _begins_formula(cell) else cell for cell in frame[name]]
        # Only where something changed: pandas would write other cells of a remade column in other words.
        if any(map(_begins_formula, frame[name])):
            inert[name] = pd.Series(cells, index=frame.index, dtype=object)
    return str(inert.to_csv(index=False, lineterminator="\r\n", header=header))


def _begins_formula(cell: Any) -> bool:
    return isinstance(cell, str) and _FORMULA.match(cell) is not None


def _refuse_protected(path: Path) -> None:
    """A new name may replace a file that nobody may write; who marked it so does not want that."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if path.exists() and not path.stat().st_mode & stat.S_IWUSR:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))


def _onto_disk(part: Path) -> None:
    """Wait until the disk has the file: a name that survives a power cut would else stand for an empty one."""
    with part.open("rb+") as file:
        os.fsync(file.fileno())

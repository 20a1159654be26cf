"""Models in the MPS format, for any other solver."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from capalloc.catalogue import say
from capalloc.engines.highs import program_of
from capalloc.engines.naming import readable_names
from capalloc.engines.points import refuse_bad_numbers
from capalloc.engines.scaling import tidied
from capalloc.issues import EngineFailed
from capalloc.model import LinearModel


def mps_text(model: LinearModel, columns: Sequence[str], rows: Sequence[str]) -> str:
    """Return the model in the MPS format, as a minimisation of the negated value.

    The format's own word for a maximisation is passed over by some readers, CBC among them, which would then look for
    the worst plan.  Numbers have fifteen digits.

    Parameters
    ----------
    columns, rows
        One label a column and a row; names are made of them by :func:`~capalloc.engines.naming.readable_names`.

    Raises
    ------
    EngineFailed
        When HiGHS, which writes the format, refuses the numbers.
    """
    import highspy

    refuse_bad_numbers(model)
    program = program_of(replace(model, matrix=tidied(model.matrix)))
    program.model_name_ = "minus_value"
    program.col_names_, program.row_names_ = readable_names(columns), readable_names(rows)
    writer = highspy.Highs()  # type: ignore[no-untyped-call]  # highspy leaves it untyped
    writer.silent()
    with tempfile.TemporaryDirectory(prefix="capalloc-") as folder:
        # HiGHS chooses the format by the ending of the name.
        written = Path(folder) / "model.mps"
        passed = writer.passModel(program)
        if passed != highspy.HighsStatus.kOk or writer.writeModel(str(written)) != highspy.HighsStatus.kOk:
            raise EngineFailed(say("engine.numbers-refused", engine="HiGHS"))
        text = written.read_text(encoding="utf-8")
    return f"* Minimise: the objective row is the value negated.\n{text}"

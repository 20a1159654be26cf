"""One run of CBC as a process: started, watched, asked to stop with its best point, and its log read for the bound."""

from __future__ import annotations

import math
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from capalloc.engines.base import Watch
from capalloc.engines.highs import TOLERANCE
from capalloc.model import SolveOptions, StoppedBy
from capalloc.processes import apart

_SECONDS_BETWEEN_LOOKS = 0.05

# CBC looks at its clock now and then, and after a stop it still has to restore the model and write its point.
_GRACE = 3.0
_LAST_GRACE = 15.0

_NO_VALUE = 1e14

# CBC prints eight digits.
_PRINTED = 1e-7

_RESULTS = {
    "Stopped on time limit": StoppedBy.TIME_LIMIT,
    "Stopped on node limit": StoppedBy.NODE_LIMIT,
    "User ctrl-c": StoppedBy.INTERRUPT,
    "Optimal solution found (within gap tolerance)": StoppedBy.GAP,
    "Optimal solution found": StoppedBy.PROOF,
}


def cbc_options(options: SolveOptions, left: float, *, careful: bool) -> list[str]:
    """Return the words on CBC's command line that set the limits of a run.

    Parameters
    ----------
    left
        Seconds left; ``inf`` for no limit.
    careful
        Leave presolve and preprocessing out.
    """
    # CBC measures the gap against the bound, we against the value; and to it a seed of 0 means the time of day.
    gap = options.gap / (1 + options.gap)
    words: dict[str, object] = {"ratio": gap, "randomCbcSeed": options.seed + 1, "timeMode": "elapsed"}
    words |= {"primalTolerance": TOLERANCE, "integerTolerance": TOLERANCE}
    if math.isfinite(left):
        words["sec"] = left
    if options.threads > 1:
        words["threads"] = options.threads
    if options.node_limit is not None:
        words["maxNodes"] = options.node_limit
    if careful:
        words |= {"presolve": "off", "preprocess": "off"}
    return [part for name, value in words.items() for part in (f"-{name}", str(value))]


def run_cbc(command: Sequence[str], log: Path, watch: Watch, tell: Callable[[str], None]) -> str:
    """Run CBC to its end, or until the watch says so, and return its log.

    Parameters
    ----------
    command
        The program and its arguments.
    log
        Where all it prints goes.
    tell
        Given each new line of the log.
    """
    with log.open("wb") as output, log.open(encoding="utf-8", errors="replace") as lines:
        # Apart, so that a Ctrl-C on the terminal reaches only us and we can stop CBC gently.
        process = subprocess.Popen(  # noqa: S603  # the solver that PuLP brings, on files we wrote
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, **apart()
        )
        try:
            _accompany(process, watch, lines, tell)
        finally:
            process.kill()
            process.wait()
    return log.read_text(encoding="utf-8", errors="replace")


def _accompany(
    process: subprocess.Popen[bytes], watch: Watch, lines: Iterable[str], tell: Callable[[str], None]
) -> None:
    ended_at: float | None = None
    asked = False
    while process.poll() is None:
        time.sleep(_SECONDS_BETWEEN_LOOKS)
        for line in lines:
            tell(line)
        if watch.ended_by is None:
            continue
        ended_at = ended_at or time.monotonic()
        late = time.monotonic() - ended_at
        if not asked and (watch.stop.is_set() or late > _GRACE):
            _ask_to_stop(process)
            asked = True
        if late > _LAST_GRACE:
            return


def _ask_to_stop(process: subprocess.Popen[bytes]) -> None:
    if os.name == "posix":
        process.send_signal(signal.SIGINT)
    else:
        process.terminate()


def ending_in(log: str) -> StoppedBy | None:
    """Return why CBC ended, as the last result in its log says; ``None`` when it says none that is known.

    Examples
    --------
    >>> ending_in("Result - Stopped on time limit")
    <StoppedBy.TIME_LIMIT: 'time_limit'>
    """
    results = re.findall(r"^Result - (.+)$", log, re.MULTILINE)
    said = results[-1] if results else ""
    return next((ending for words, ending in _RESULTS.items() if said.startswith(words)), None)


def lower_bound_in(log: str) -> float:
    """Return a bound that no point of CBC's minimisation lies below, moved down by what printing may have rounded.

    Examples
    --------
    >>> lower_bound_in("Lower bound:                    -1000.000"), lower_bound_in("")
    (-1000.0001, -inf)
    """
    # Where preprocessing is in doubt, all that rests on it is; the first linear program came before it.
    pattern = r"^Continuous objective value is (\S+)" if preprocessing_doubted_in(log) else r"^Lower bound:\s+(\S+)"
    found = re.findall(pattern, log, re.MULTILINE)
    try:
        bound = float(found[-1])
    except (IndexError, ValueError):
        return float("-inf")
    return bound - _PRINTED * abs(bound)


def says_infeasible(log: str) -> bool:
    """Return whether the log says that no point exists.

    Examples
    --------
    >>> says_infeasible("Problem is infeasible - tightenPrimalBounds!")
    True
    """
    return bool(re.search(r"^(Problem is infeasible|Result - .*infeasible)", log, re.MULTILINE))


def preprocessing_doubted_in(log: str) -> bool:
    """Return whether CBC found its own point to have another value after preprocessing was undone.

    Version 2.10.3 can lose the best point in preprocessing and call another optimal; this line of its log is the sign.

    Examples
    --------
    >>> preprocessing_doubted_in("Cgl0014I Postprocessing changed objective from 6 to -3 - possible tolerance issue")
    True
    """
    changes = re.findall(r"Postprocessing changed objective from (\S+) to", log)
    # A value beyond this stands for no point at all, when a limit came first.
    return any(abs(float(value)) < _NO_VALUE for value in changes)


def news_in(line: str) -> tuple[float | None, float | None]:
    """Return the value of a new point and the bound that one line of the log tells, each ``None`` when it does not.

    Examples
    --------
    >>> news_in("Cbc0012I Integer solution of -29039.5 found by DiveCoefficient after 0 iterations")
    (-29039.5, None)
    """
    value = re.search(r"Integer solution of (\S+) found", line)
    bound = re.search(r"best possible (-?[\d.]+(?:e[+-]?\d+)?)", line)
    return (float(value[1]) if value else None), (float(bound[1]) if bound else None)

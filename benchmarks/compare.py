"""Compare engines under the same time and threads, over seeds, and write it into ``RESULTS.md``.

``python -m benchmarks.compare`` runs the standard set.  Runs that are kept in ``benchmarks/results`` are not repeated,
so a comparison that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from time import perf_counter

from benchmarks.cases import Case, select
from benchmarks.chart import draw
from benchmarks.contenders import CONTENDERS, Contender
from benchmarks.page import PAGE, comparison, replace_part
from benchmarks.records import FOLDER, Record, Terms, keep, path_of, read, read_all
from benchmarks.standings import heats

STANDARD = {
    **dict.fromkeys(
        ("generated/tight-300", "generated/tight-1000", "generated/yearly-300", "generated/yearly-1000"), 3
    ),
    **dict.fromkeys(("generated/tight-3000", "generated/yearly-3000", "generated/phase-1000", "ppssp/PI_1"), 1),
    **dict.fromkeys(("mkp/5.100-00", "mmkp/I01", "mmkp/I02", "nrp/nrp1-30", "nrp/nrp-e1-30", "scenarios/*"), 1),
}
"""The cases that are compared when none is asked for, and over how many seeds: about 100 runs."""

# Loading and compiling, and what a solver needs to heed its limit.  A process that has not ended then never will.
GRACE = 900.0


@dataclass(frozen=True, slots=True)
class Run:
    """One run to make."""

    case: Case
    contender: Contender
    terms: Terms


def wanted(options: argparse.Namespace) -> Iterator[Run]:
    """Yield the runs asked for: seed after seed, all contenders of a case in turn.

    Raises
    ------
    ValueError
        When a pattern matches no case, or there is no such contender.
    """
    unknown = sorted(set(options.engines) - set(CONTENDERS))
    if unknown:
        raise ValueError(f"There is no contender {', '.join(unknown)}; there are {', '.join(CONTENDERS)}")
    patterns = dict.fromkeys(options.patterns, options.seeds or 3) if options.patterns else STANDARD
    seeds = {case.name: min(times, options.seeds or times) for one, times in patterns.items() for case in select([one])}
    cases = [case for case in select(list(patterns)) if _readable(case, options.instances)]
    for seed in range(1, max(seeds.values()) + 1):
        for case in cases:
            for name in options.engines:
                if CONTENDERS[name].version and seed <= seeds[case.name]:
                    yield Run(case, CONTENDERS[name], Terms(options.time_limit, options.threads, seed))


def _readable(case: Case, folder: Path | None) -> bool:
    if not case.file or (folder is not None and (folder / case.file).is_file()):
        return True
    print(
        f"{case.name} is left out: {'--instances was not given' if folder is None else f'{folder} lacks {case.file}'}"
    )
    return False


class Field:
    """The processes of the runs under way, so that all of them end with the comparison."""

    def __init__(self) -> None:
        self._under_way: set[subprocess.Popen[str]] = set()

    def run(self, command: list[str], seconds: float) -> str:
        """Run a command to its end and return the last line of its complaints; one that hangs is ended."""
        # A session of its own, so that what the run starts itself ends with it.
        process = subprocess.Popen(  # noqa: S603  # our own command, and no shell reads it
            command, cwd=Path(__file__).parents[1], start_new_session=True, stderr=subprocess.PIPE, text=True
        )
        self._under_way.add(process)
        try:
            return process.communicate(timeout=seconds)[1].strip().rpartition("\n")[2]
        except subprocess.TimeoutExpired:
            return "did not end, and was ended"
        finally:
            self._end(process)

    def clear(self) -> None:
        """End all runs."""
        for process in list(self._under_way):
            self._end(process)

    def _end(self, process: subprocess.Popen[str]) -> None:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL) if hasattr(os, "killpg") else process.kill()
            process.wait()
        self._under_way.discard(process)


def carry_out(run: Run, options: argparse.Namespace, cores: list[int], field: Field) -> Record:
    """Make a run in a process of its own on some processors, and return what it kept."""
    terms, path = run.terms, path_of(options.results, run.case.name, run.contender.name, run.terms)
    words = [run.case.name, run.contender.name, "--results", options.results, "--time-limit", terms.time_limit]
    words += ["--threads", terms.threads, "--seed", terms.seed, "--instances", options.instances or Path()]
    command = [sys.executable, "-m", "benchmarks.measuring", *map(str, words), "--cores", *map(str, cores)]
    remark = field.run(command, 2 * terms.time_limit + GRACE)
    if not path.is_file():
        keep(Record(run.case.name, run.contender.name, run.contender.version or "", terms, "failed", remark), path)
    return read(path)


def carry_out_all(runs: list[Run], options: argparse.Namespace) -> None:
    """Make the runs, as many at a time as there are ``--jobs``, each on processors of its own."""
    free: SimpleQueue[list[int]] = SimpleQueue()
    for cores in _shares(options.jobs, options.threads):
        free.put(cores)

    field = Field()

    def make(run: Run) -> None:
        cores = free.get()
        try:
            record = carry_out(run, options, cores, field)
        finally:
            free.put(cores)
        value = "-" if record.value is None else f"{record.value:,.2f}"
        print(f"{record.case:<24} seed {record.terms.seed} {record.contender:<9} {record.status:<10} {value:>18} "
              f"{record.seconds:8.1f} s  {record.remark}", flush=True)  # fmt: skip

    with ThreadPoolExecutor(options.jobs) as pool:
        try:
            list(pool.map(make, runs))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            field.clear()
            raise


def _shares(jobs: int, threads: int) -> list[list[int]]:
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))
    if jobs * threads > len(cores):
        raise ValueError(f"{jobs} runs of {threads} threads at a time need {jobs * threads} processors of {len(cores)}")
    return [cores[job * threads : (job + 1) * threads] for job in range(jobs)]


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return 0 when nothing contradicts anything, 1 when something does, 2 when nothing ran."""
    given = sys.argv[1:] if arguments is None else arguments
    options = options_of(given)
    try:
        runs = list(wanted(options))
        _shares(options.jobs, options.threads)
    except ValueError as problem:
        print(problem, file=sys.stderr)
        return 2
    new = [run for run in runs if not path_of(options.results, run.case.name, run.contender.name, run.terms).is_file()]
    most = len(new) * (options.time_limit + 5) / options.jobs / 60
    print(
        f"{len(runs)} runs, of which {len(runs) - len(new)} are kept; the others take at most about {most:.0f} minutes."
    )
    began = perf_counter()
    carry_out_all(new, options)
    print(f"{len(new)} runs took {(perf_counter() - began) / 60:.1f} minutes.")
    return write(options, given)


def write(options: argparse.Namespace, given: list[str]) -> int:
    """Write table and chart of all runs that are kept for these terms."""
    terms = Terms(options.time_limit, options.threads, 0)
    run = heats(read_all(options.results / terms.folder))
    if not run:
        print("No run is kept, so nothing is written.", file=sys.stderr)
        return 2
    picture = options.page.with_name(f"{options.page.stem.lower()}-{terms.folder}.svg")
    draw(run, picture)
    command = shlex.join(["python", "-m", "benchmarks.compare", *_without_places(given)])
    machine = (
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, {os.cpu_count()} processors."
    )
    replace_part(options.page, f"comparison {terms.folder}", comparison(run, terms, command, machine, picture.name))
    wrong = [sentence for heat in run for sentence in heat.contradictions()]
    print("\n".join([*(f"WRONG: {sentence}" for sentence in wrong), f"Written: {options.page}"]))
    return 1 if wrong else 0


def _without_places(given: list[str]) -> list[str]:
    """Where instances lie on this machine is of no use to whoever repeats the command."""
    hidden = [place + 1 for place, word in enumerate(given) if word in ("--instances", "--results", "--page")]
    return ["DIR" if place in hidden else word for place, word in enumerate(given)]


def options_of(given: list[str]) -> argparse.Namespace:
    """Read the words of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare", description=__doc__)
    parser.add_argument("patterns", nargs="*", help="cases, such as 'generated/tight-*' (default: the standard set)")
    parser.add_argument("--engines", nargs="+", default=list(CONTENDERS), help="default: %(default)s")
    parser.add_argument(
        "--seeds", type=int, help="at most so many seeds a case (default: 3, in the standard set 1 or 3)"
    )
    parser.add_argument("--time-limit", type=float, default=60.0, help="seconds a run (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="threads a run (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time (default: %(default)s)")
    parser.add_argument("--instances", type=Path, help="folder of the public instances; see benchmarks/README.md")
    parser.add_argument(
        "--results", type=Path, default=FOLDER, help="where runs are kept (default: benchmarks/results)"
    )
    parser.add_argument("--page", type=Path, default=PAGE, help="default: benchmarks/RESULTS.md")
    return parser.parse_args(given)


if __name__ == "__main__":
    sys.exit(main())

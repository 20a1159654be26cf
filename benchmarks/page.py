"""``RESULTS.md``: what was measured, each part beside the command that measures it again."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks.contenders import CONTENDERS, INSTALL, Contender
from benchmarks.records import Terms
from benchmarks.standings import Heat, Standing, part_of_best_peer, standings

PAGE = Path(__file__).with_name("RESULTS.md")

HEAD = "# Results\n\nEach part is written by the command that stands above its figures.\n"


CONDITIONS = (
    "Every run has a process and processors of its own and the same model; the seconds are those of solving, paying in "
    "whole units and verifying, without loading and compiling. Every plan was verified once more after its run. "
    "Medians over seeds; a seed is that of the generator and of the engine."
)

DISTANCES = (
    "*Proved* says after how many seconds the plan was proved to be the best. The last column is the distance of "
    "`capalloc` as a part of the best peer's."
)


def replace_part(page: Path, name: str, text: str) -> None:
    """Write one part of the page and leave the others; make the page where there is none."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    whole = page.read_text(encoding="utf-8") if page.is_file() else HEAD
    part = f"{begin}\n\n{text.strip()}\n\n{end}"
    if begin in whole and end in whole:
        before, _, rest = whole.partition(begin)
        whole = before + part + rest.partition(end)[2]
    else:
        whole = f"{whole.rstrip()}\n\n{part}\n"
    page.write_text(whole, encoding="utf-8")


def comparison(heats: list[Heat], terms: Terms, command: str, machine: str, picture: str) -> str:
    """Return the part on the comparison: distances, proofs, sizes, who is absent, and what contradicts itself.

    Parameters
    ----------
    picture
        The name of the chart beside the page.
    """
    by_case = standings(heats)
    names = [name for name in CONTENDERS if any(name in sides for sides in by_case.values())]
    parts = [
        f"## Engines, {terms.time_limit:g} seconds, {terms.threads} thread{'s' * (terms.threads > 1)}",
        f"```\n{command}\n```",
        f"{machine} {CONDITIONS} {_contenders()}",
        "### How far the plan lies below the best bound anyone proved",
        DISTANCES,
        table(["case", "seeds", *names, "of best peer's"], _distances(by_case, names)),
        "### What each proved by itself: its own bound above its own plan",
        table(["case", *names], _gaps(by_case, names)),
        f"### Value and bound over time\n\n![Value and bound over time]({picture})",
        "### Models and memory",
        table(
            ["case", "columns", "rows", "entries", "load s", "compile s", *_megabytes(names)], _sizes(by_case, names)
        ),
        _remarks(heats),
        _contradictions(heats),
    ]
    return "\n\n".join(part for part in parts if part)


def _contenders() -> str:
    there = [f"{one.name} ({one.package} {one.version})" for one in CONTENDERS.values() if one.version]
    gone = [one for one in CONTENDERS.values() if not one.version]
    return f"Compared: {', '.join(there)}.{' ' * bool(gone)}{' '.join(_absent(one) for one in gone)}"


def _absent(contender: Contender) -> str:
    return f"**Absent: {contender.name}**, because {contender.package} is not installed (`{INSTALL}`)."


def _distances(by_case: dict[str, dict[str, Standing]], names: list[str]) -> Iterator[list[str]]:
    for case, sides in by_case.items():
        part = part_of_best_peer(sides)
        seeds = max(len(standing.records) for standing in sides.values())
        cells = [_cell(name, sides.get(name), proved=True) for name in names]
        ours = "" if part is None else "a peer is at it" if math.isinf(part) else f"{part:.2f}"
        yield [case, str(seeds), *cells, ours]


def _gaps(by_case: dict[str, dict[str, Standing]], names: list[str]) -> Iterator[list[str]]:
    for case, sides in by_case.items():
        yield [case, *(_cell(name, sides.get(name), proved=False) for name in names)]


def _cell(name: str, standing: Standing | None, *, proved: bool) -> str:
    if standing is None:
        return "not run" if CONTENDERS[name].version else "absent"
    if not standing.measured:
        return " and ".join(sorted({record.status for record in standing.records} & {"unfit", "failed"}))
    if standing.proved:
        return f"proved {standing.seconds:.1f} s" if proved else "0"
    amount = standing.distance if proved else standing.gap
    if math.isinf(amount):
        return "no plan" if all(record.value is None for record in standing.records) else "no bound"
    return percent(amount)


def percent(part: float) -> str:
    """Return a part in percent, with more digits the smaller it is.

    Examples
    --------
    >>> percent(0.0123), percent(0.000123), percent(1e-9)
    ('1.23%', '0.0123%', '<0.0001%')
    """
    if 0 < part < 1e-6:
        return "<0.0001%"
    return f"{part:.4%}" if part < 0.001 else f"{part:.2%}"


def _sizes(by_case: dict[str, dict[str, Standing]], names: list[str]) -> Iterator[list[str]]:
    for case, sides in by_case.items():
        first = next(iter(sides.values())).records[0]
        size = [f"{amount:,}" for amount in first.size]
        memory = [f"{sides[name].megabytes:.0f}" if name in sides else "" for name in names]
        yield [case, *size, f"{first.loading:.1f}", f"{first.compiling:.1f}", *memory]


def _megabytes(names: list[str]) -> list[str]:
    return [f"{name} MB" for name in names]


def _remarks(heats: list[Heat]) -> str:
    said = sorted(
        {f"- {one.case}, {one.contender}: {one.remark}" for heat in heats for one in heat.records if one.remark}
    )
    return "### Runs without an answer\n\n" + "\n".join(said) if said else ""


def _contradictions(heats: list[Heat]) -> str:
    wrong = [f"- **WRONG** {sentence}" for heat in heats for sentence in heat.contradictions()]
    if wrong:
        return "### Contradictions\n\n" + "\n".join(wrong)
    return "No plan broke a statement, and no bound lies below a plan of anyone or below what is published."


def table(headings: list[str], rows: Iterable[list[str]]) -> str:
    """Return a table of the page."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)

"""Scenarios resolved: what each changes in the end, under an id that is a digest of all that decides its result."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from itertools import chain
from typing import Any

from capalloc.changes import Change, Edits, apply_changes
from capalloc.characters import difference, invisible, look
from capalloc.issues import InvalidInput, Issue, Issues, Place, error, nearest
from capalloc.model import SolveOptions
from capalloc.rawtable import plain, tidy
from capalloc.scenariofile import BASE, Written
from capalloc.tables import Tables

_FORMAT = 1

# Of so many cells in a column each counts for itself where scenarios are arranged.
_FEW = 8


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario that is ready to be run.

    Parameters
    ----------
    name, extends, why
        As written.
    steps
        The changes of the scenarios that it extends, the furthest first, and then its own; each step applies to what
        the ones before it left.
    id
        SHA-256 of the portfolio, of every cell that ends up different, and of the limits of the run: the same content
        has the same id, however it was written.
    position
        Where the scenario lies among others, by path: the factor by which the sum of the cells changes, or their sum.
    """

    name: str
    extends: str
    why: str
    steps: tuple[Mapping[str, Any], ...]
    id: str
    position: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Resolved:
    """Tables after some steps, and each cell that was touched on the way, with what it held at first and holds now."""

    tables: Tables
    steps: tuple[Mapping[str, Any], ...] = ()
    cells: Mapping[str, Change] = field(default_factory=dict)

    def after(self, changes: Mapping[str, Any], edits: Edits | None = None) -> Resolved:
        """Return what a further step makes of the tables; ``edits`` is what is remembered of other steps.

        Raises
        ------
        InvalidInput
            When a change cannot be made.
        """
        tables, made, _ = apply_changes(self.tables, changes, edits)
        cells = dict(self.cells)
        for change in made:
            known = cells.get(change.path)
            cells[change.path] = change if known is None else replace(change, before=known.before)
        return Resolved(tables, (*self.steps, changes), cells)

    @property
    def difference(self) -> tuple[Change, ...]:
        """The cells that are not what they were."""
        return tuple(change for change in self.cells.values() if change.before != change.after)


def resolved(given: Tables, steps: Iterable[Mapping[str, Any]]) -> Resolved:
    """Return what steps, one after the other, make of tables as they were given."""
    now = Resolved(given)
    for changes in steps:
        now = now.after(changes)
    return now


def resolve(
    given: Tables, written: Sequence[Written], fingerprint: str, options: SolveOptions, engine: str
) -> tuple[Scenario, ...]:
    """Return the base and the scenarios that are written down, in their order, each made from the one it extends.

    Parameters
    ----------
    given
        The tables of the base as they were given.
    fingerprint
        That of the base portfolio, with the rules that are in force.

    Raises
    ------
    InvalidInput
        When a name is taken twice, extends nothing known or itself, or a change cannot be made; everything at once.
    """
    issues, failed = [*_name_issues(written)], set[str]()
    for issue in _kin_issues(written):
        issues.append(issue)
        failed.add(str(issue.arguments["name"]))
    seal = json.dumps([_FORMAT, fingerprint, asdict(options), engine])
    parents = {entry.extends for entry in written}
    tables = {BASE: Resolved(given)}
    scenarios = {BASE: _scenario(Written(BASE, {}, ""), tables[BASE], seal)}
    found: dict[tuple[Any, ...], Issue] = {}
    edits = Edits()
    for entry in _in_order([entry for entry in written if entry.name not in failed]):
        if entry.extends in failed:
            failed.add(entry.name)
            continue
        try:
            own = tables[entry.extends].after(_plain(entry.changes), edits) if entry.changes else tables[entry.extends]
        except InvalidInput as fault:
            failed.add(entry.name)
            # A value of a grid stands once in the file, however many scenarios take it.
            found |= {(placed.where, placed.code, placed.message): placed for placed in _placed(fault.issues, entry)}
            continue
        scenarios[entry.name] = _scenario(entry, own, seal)
        if entry.name in parents:
            tables[entry.name] = own
    if issues or found:
        raise InvalidInput([*issues, *found.values()])
    return (scenarios[BASE], *(scenarios[entry.name] for entry in written))


def _plain(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Changes as JSON can hold them, without the wrappers of numpy and exact to the last digit.

    Raises
    ------
    InvalidInput
        When a number has no end, as a third.
    """
    plains = {path: None if change is None else plain(change) for path, change in changes.items()}
    for path, change in plains.items():
        if isinstance(change, Decimal | Fraction):
            plains[path] = float(change)
            if Fraction(repr(plains[path])) != Fraction(change):
                raise InvalidInput([error("scenarios-no-change", Place(file=path), found=str(change))])
    return plains


def _placed(issues: Issues, entry: Written) -> Iterable[Issue]:
    """Issues of changes, whose places are their paths, at the places where the changes are written."""
    for issue in issues.errors:
        yield replace(issue, where=entry.place(issue.where.file))


def _name_issues(written: Sequence[Written]) -> Iterable[Issue]:
    seen, looks = {BASE}, dict[str, str]()
    for entry in written:
        twin = looks.setdefault(look(tidy(entry.name)), entry.name)
        if not entry.name.strip() or invisible(entry.name):
            yield error("scenarios-bad-name", entry.where, name=entry.name)
        elif entry.name in seen:
            code = "scenarios-base-taken" if entry.name == BASE else "scenarios-name-twice"
            yield error(code, entry.where, name=entry.name)
        elif twin != entry.name:
            yield error("look-alike-id", entry.where, found=entry.name, other=twin, **difference(entry.name, twin))
        seen.add(entry.name)


def _kin_issues(written: Sequence[Written]) -> Iterable[Issue]:
    parent = {entry.name: entry.extends for entry in written}
    for entry in written:
        if entry.extends != BASE and entry.extends not in parent:
            names = [BASE, *parent]
            near = nearest(entry.extends, names) or ", ".join(names[:8])
            yield error("scenarios-unknown-parent", entry.where, name=entry.name, found=entry.extends, near=near)
            continue
        line, now = [entry.name], entry.extends
        while now in parent and now not in line:
            line.append(now)
            now = parent[now]
        if now == entry.name:
            yield error("scenarios-circle", entry.where, name=entry.name, line=" → ".join([*line, now]))


def _in_order(written: Sequence[Written]) -> Iterable[Written]:
    """Parents before their children, otherwise as written."""
    parent = {entry.name: entry.extends for entry in written}

    def generation(entry: Written) -> int:
        count, now = 0, entry.name
        while now in parent:
            count, now = count + 1, parent[now]
        return count

    return sorted(written, key=generation)


def _scenario(entry: Written, own: Resolved, seal: str) -> Scenario:
    content = sorted((change.path, _canonical(change.after)) for change in own.difference)
    digest = hashlib.sha256(json.dumps([seal, content], ensure_ascii=False).encode()).hexdigest()
    return Scenario(entry.name, entry.extends, entry.why, own.steps, digest, _position(own))


def _canonical(value: Any) -> Any:
    if isinstance(value, tuple):
        return [str(part) for part in value]
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def _position(own: Resolved) -> Mapping[str, float]:
    """What the cells that changed hold, in proportion to what they held; the many cells of one column as their sum."""
    columns = Counter(_column(change.path) for change in own.difference)
    sums: dict[str, list[float]] = {}
    for change in own.difference:
        column = _column(change.path)
        total = sums.setdefault(column if columns[column] > _FEW else change.path, [0.0, 0.0])
        for place, value in enumerate((change.before, change.after)):
            total[place] += float(value) if isinstance(value, int | Decimal | Fraction) else 0.0
    return {path: after / before if before else after for path, (before, after) in sums.items()}


def _column(path: str) -> str:
    return f"{path.partition('.')[0]}.{path.rpartition('.')[2]}"


def in_neighbourhoods(scenarios: Sequence[Scenario], size: int) -> list[list[Scenario]]:
    """Return the scenarios in parts of ``size``, so arranged that each lies near the one before it.

    Scenarios that change the same cells stand together, and walk through their values back and forth as one mows a
    lawn, amounts of envelopes the fastest: between two that differ in nothing else most work is spared.  How many
    workers there are plays no part.
    """
    families: dict[tuple[str, ...], list[Scenario]] = {}
    for scenario in scenarios:
        families.setdefault(tuple(sorted(scenario.position)), []).append(scenario)
    walks = (_mown(family, sorted(paths, key=_pace)) for paths, family in sorted(families.items()))
    row = list(chain.from_iterable(walks))
    return [row[first : first + size] for first in range(0, len(row), size)]


def _pace(path: str) -> tuple[bool, str]:
    """The order in which paths are walked through, the slowest first."""
    return path.startswith("envelopes."), path


def _mown(scenarios: Sequence[Scenario], paths: Sequence[str]) -> list[Scenario]:
    if not paths:
        return list(scenarios)
    first, *rest = paths
    strips: dict[float, list[Scenario]] = {}
    for scenario in scenarios:
        strips.setdefault(scenario.position[first], []).append(scenario)
    walk = [_mown(strip, rest) for _, strip in sorted(strips.items())]
    return list(chain.from_iterable(strip if number % 2 == 0 else strip[::-1] for number, strip in enumerate(walk)))

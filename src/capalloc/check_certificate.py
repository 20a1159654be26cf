"""Check a certificate of a plan in exact arithmetic: ``python3 check_certificate.py plan.cert.json``.

This file stands alone: it needs nothing but Python, trusts no solver, and is short enough to be read.  A certificate
holds an integer program (columns with bounds, rows), a point of it that stands for a plan, and proofs.  Checked are:

1. the *hashes*: each part of the file is what its SHA-256 says;
2. the *plan*: the point keeps every bound and row, is whole where it must be, stands for the choices listed, and is
   worth what is claimed, without rounding;
3. the *cuts* of a proof: rows that follow from those before them by rounding, each derived again (``derived``);
4. the *bound*: a tree divides all points (the sum of some whole columns is at most k, or at least k + 1).  At each of
   its leaves multipliers y, one a row or cut, prove a bound: row i says a_i @ x <= b_i, so for every point
   c @ x <= sum of y_i·b_i + the most that (c − sum of y_i·a_i) @ x reaches between the bounds of the columns.  That
   holds for any y of the right sign, however found.  A leaf marked *empty* proves in the same way, with c = 0, that
   0 <= something negative: it has no point.  The bound of the tree is that of its worst leaf.

Ordered classes have one proof each, with rows that hold the classes above at what the plan has.  Not checked, since
they are not in the file: that the program says what the tables of the portfolio say (``capalloc verify`` does), and
that these tables are true.  The hashes show an accident, not a forger, who has another program, plan or proof to show.
Exit codes: 0 the certificate holds, 1 it does not, 2 it cannot be read.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from math import floor
from pathlib import Path
from typing import Any, NamedTuple

LARGEST_FILE = 2**29
NUMBER = re.compile(r"-?[0-9]{1,400}(/[1-9][0-9]{0,399})?", re.ASCII)
SECTIONS = ("head", "model", "plan", "proofs")

MESSAGES = {
    "unreadable": "The file cannot be read: {reason}.",
    "version": "The certificate is of version {found}, and this checker reads 1 and 2: use the checker that came with "
    "it, or update capalloc (pip install --upgrade capalloc).",
    "shape": "The file is no certificate of version 1 or 2: {part} is not as it should be.",
    "hash": "The {part} is not the one that was written: its SHA-256 differs.",
    "bounds": "The plan takes {found} of column {column} {name}: it may be from {lower} to {upper}, or must be whole.",
    "row": "The plan breaks row {row} {name}: it adds up to {found}, and may lie between {lower} and {upper}.",
    "choices": "The choices listed are not those that the plan's point stands for.",
    "held": "What the proof of class {name} holds is not what the plan has in the classes above it.",
    "value": "The plan is worth {found}, not {claimed} as claimed.",
    "open-side": "Leaf {leaf} counts on a side of row {row} that is open.",
    "split": "Node {leaf} divides columns that need not be whole.",
    "tree": "The tree of a proof does not divide all points: node {leaf} is missing, is no node or is met twice.",
    "not-empty": "Leaf {leaf} is said to hold no point, and its multipliers do not prove it.",
}


class Refused(Exception):
    """The certificate does not hold (``code`` and its facts), or cannot be read."""

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(MESSAGES[code].format(**facts))
        self.code, self.facts = code, facts


class Row(NamedTuple):
    """``lower <= sum of entry·x[column] <= upper``; a side that is open is ``None``."""

    entries: Sequence[tuple[int, Any]]
    lower: Any
    upper: Any


class Program(NamedTuple):
    """The integer program: bounds of columns, which of them are whole, rows, and the part of the file, with names."""

    lower: list[Any]
    upper: list[Any]
    whole: list[bool]
    rows: list[Row]
    model: Any


class Confirmed(NamedTuple):
    """What one proof confirms: ``bound`` is ``None`` where it proves that there is no plan at all."""

    class_: int | None
    value: Fraction | None
    bound: Fraction | None
    claimed: Fraction | None
    leaves: int


def read(path: Path) -> dict[str, Any]:
    """Return the certificate in a file; raise :class:`Refused` where it holds none."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
        # Numbers with a point, and what is no number, become texts, which are refused where a number must stand.
        found = json.loads(data.decode("utf-8"), object_pairs_hook=_once, parse_float=str, parse_constant=str)
    except (OSError, ValueError, RecursionError) as failure:
        raise Refused("unreadable", reason=failure) from None
    if len(data) > LARGEST_FILE or type(found) is not dict or found.get("format") != "capalloc certificate":
        raise Refused("shape", part="its format")
    version = found.get("version")
    if type(version) is int and version > 2:
        raise Refused("version", found=version)
    # A proof of version 1 has no cuts.
    if type(version) is not int or version < 1 or set(found) != {"format", "version", "hashes", *SECTIONS}:
        raise Refused("shape", part="the list of its parts")
    return found


def check(certificate: dict[str, Any]) -> list[Confirmed]:
    """Return what each proof of a certificate confirms; raise :class:`Refused` where it does not hold."""
    try:
        for part in SECTIONS:
            if certificate["hashes"][part] != digest(certificate[part]):
                raise Refused("hash", part=part)
        program = program_in(certificate["model"])
        point = None if certificate["plan"] is None else _point(certificate["plan"], program)
        above: list[Row] = []
        proofs = [_confirm(proof, program, point, above) for proof in certificate["proofs"]]
        classes: list[Any] = [proof.class_ for proof in proofs]
        as_dated = {"cuts" in proof for proof in certificate["proofs"]} == {certificate["version"] == 2}
        if as_dated and classes == sorted(set(classes)) and "".join(told(certificate, proofs)):  # what is told is there
            return proofs
    except (TypeError, LookupError, ArithmeticError, ValueError, AttributeError, RecursionError) as failure:
        raise Refused("shape", part=f"a part of it ({type(failure).__name__}: {str(failure)[:80]})") from None
    raise Refused("shape", part="the list of its proofs")


def digest(section: Any) -> str:
    """Return the SHA-256 of a part, whatever the white space in the file."""
    return hashlib.sha256(json.dumps(section, sort_keys=True).encode()).hexdigest()


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a name stands twice in it")
    return dict(pairs)


def _number(given: Any) -> Any:
    """An exact number: a whole one, or the text of a whole one or of a fraction; whole ones are kept as such."""
    if type(given) is int:
        return given
    if type(given) is not str or not NUMBER.fullmatch(given):
        raise ValueError(f"{given!r:.40} is no exact number")
    return Fraction(given) if "/" in given else int(given)


def _row(entries: Any, lower: Any, upper: Any, size: int) -> Row:
    pairs = [(column, _number(entry)) for column, entry in entries]
    columns = [column for column, _ in pairs]
    if any(type(c) is not int or not 0 <= c < size for c in columns) or len(set(columns)) != len(columns):
        raise ValueError("an entry names a column that there is not, or one twice")
    return Row(pairs, None if lower is None else _number(lower), None if upper is None else _number(upper))


def program_in(model: Any) -> Program:
    """Return the integer program in the part ``model`` of a certificate."""
    lower, upper, whole = ([_number(n) for n in model[name]] for name in ("lower", "upper", "whole"))
    if not len(lower) == len(upper) == len(whole) == len(model["columns"]):
        raise ValueError("the lists of columns differ in length")
    rows = [_row(row["entries"], row["lower"], row["upper"], len(whole)) for row in model["rows"]]
    return Program(lower, upper, [bool(flag) for flag in whole], rows, model)


def _point(plan: Any, program: Program) -> dict[int, Any]:
    """The plan's point, once it is found to keep the program and to stand for the choices."""
    names = program.model["columns"]
    point = dict(_row(plan["point"], None, None, len(names)).entries)
    for column, name in enumerate(names):
        found, lower, upper = point.get(column, 0), program.lower[column], program.upper[column]
        if not lower <= found <= upper or (program.whole[column] and found != floor(found)):
            raise Refused("bounds", column=column, name=name, found=found, lower=lower, upper=upper)
    for number, (entries, lower, upper) in enumerate(program.rows):
        found = _total(entries, point)
        if (lower is not None and found < lower) or (upper is not None and found > upper):
            name = program.model["rows"][number]["origin"]
            raise Refused("row", row=number, name=name, found=found, lower=lower, upper=upper)
    taken = [name[1:] for column, name in enumerate(names) if name[0] == "option" and point.get(column)]
    if sorted(taken) != sorted(choice[:3] for choice in plan["choices"]):
        raise Refused("choices")
    return point


def _total(entries: Sequence[tuple[int, Any]], point: Any) -> Any:
    return sum(entry * point[column] for column, entry in entries if column in point)


def _confirm(proof: Any, program: Program, point: Any, above: list[Row]) -> Confirmed:
    """What a proof confirms while the classes above it keep what they have; its own row is added to theirs."""
    size, unit = len(program.upper), abs(Fraction(_number(proof["unit"])))
    if proof["class"] is not None and type(proof["class"]) is not int:
        raise ValueError("a class is no number")
    objective, value, claimed = _row(proof["objective"], proof["value"], proof["bound"], size)
    held = [_row(row["entries"], row["lower"], None, size) for row in proof["held"]]
    if held != above:
        raise Refused("held", name=proof["class"])
    total = None if point is None else _total(objective, point)
    if (worth := None if total is None else total * unit) != value:
        raise Refused("value", found=worth, claimed=value)
    above.append(Row(objective, total, None))
    rows = [*program.rows, *held]
    for cut in proof.get("cuts", ()):
        rows.append(derived(cut, rows, program))
    bounds = [b for b in _leaf_bounds(proof["nodes"], dict(objective), rows, program) if b is not None]
    most = max(bounds, default=None)
    if most is not None and all(program.whole[c] and type(gain) is int for c, gain in objective):
        most = Fraction(floor(most))  # every plan is worth a whole number of units
    bound, claim = None if most is None else most * unit, None if claimed is None else Fraction(claimed)
    return Confirmed(proof["class"], worth, bound, claim, sum("split" not in node for node in proof["nodes"]))


def derived(cut: Any, rows: Sequence[Row], program: Program) -> Row:
    """Return the row that a cut's derivation proves for every point with whole columns (mixed-integer rounding).

    Rows times multipliers are added up.  A room t = side - own @ x is what a row leaves, or how far a column is from a
    bound of it; it is never negative.  Of columns as many rooms are taken as let all x cancel out: then the rooms times
    their multipliers add up to total = sum of multipliers times sides.  With f the fraction of b = total / scale, and
    G(a) = floor(a) + max(0, fraction of a - f)/(1 - f) where t is whole, G(a) = min(a, 0)/(1 - f) where it is not, the
    rooms times their G add up to floor(b) at most.  Below, everything is times scale and times (1 - f), so that numbers
    stay whole; then each t is written as what it is, and entries are rounded to multiples of unit, at the cost of the
    room.
    """
    scale, unit, top = _number(cut["scale"]), _number(cut["unit"]), set(cut["top"])
    if scale <= 0 or unit <= 0:
        raise ValueError("a scale is not positive")
    rooms = []
    for place, given in cut["rows"]:
        own, lower, upper = rows[place]
        sign, side = (-1, lower) if upper is None else (1, upper)
        rooms.append((sign * _number(given), [(column, sign * entry) for column, entry in own], sign * side))
    for column, times in _sums((times, own) for times, own, _ in rooms).items():
        if column in top:
            rooms.append((-times, [(column, 1)], program.upper[column]))
        else:
            rooms.append((times, [(column, -1)], -program.lower[column]))
    total = sum(times * side for times, _, side in rooms)
    fraction = total % scale
    most, kept = total // scale * (scale - fraction), []
    for times, own, side in rooms:
        whole = type(side) is int and all(program.whole[column] and type(entry) is int for column, entry in own)
        least = times // scale * (scale - fraction) + max(0, times % scale - fraction) if whole else min(times, 0)
        most -= least * side
        kept.append((-least, own))
    entries = _sums(kept)
    near = {column: (2 * entry + unit) // (2 * unit) for column, entry in entries.items()}
    for column, entry in entries.items():
        excess = near[column] * unit - entry
        most += excess * (program.upper[column] if excess > 0 else program.lower[column])
    pairs = [(column, entry) for column, entry in near.items() if entry]
    return Row(pairs, None, most // unit if all(program.whole[column] for column, _ in pairs) else -(-most // unit))


def _sums(terms: Iterable[tuple[Any, Sequence[tuple[int, Any]]]]) -> dict[int, Any]:
    """Rows times their multipliers, added up: the coefficient of each column."""
    sums: dict[int, Any] = defaultdict(int)
    for times, entries in terms:
        for column, entry in entries:
            sums[column] += times * entry
    return sums


def _leaf_bounds(nodes: Any, gains: dict[int, Any], rows: list[Row], program: Program) -> Iterator[Fraction | None]:
    """Walk through the tree and yield the bound of each leaf, ``None`` where it has no point."""
    met: set[int] = set()
    waiting: list[tuple[int, list[Row]]] = [(0, [])]
    while waiting:
        number, path = waiting.pop()
        if type(number) is not int or not 0 <= number < len(nodes) or number in met:
            raise Refused("tree", leaf=number)
        met.add(number)
        node = nodes[number]
        if "split" not in node:
            yield leaf_bound(node, number, gains, rows, path, program)
            continue
        at, pairs = node["at"], [[column, 1] for column in node["split"]]
        entries = _row(pairs, None, None, len(program.whole)).entries
        if type(at) is not int or not all(program.whole[column] for column, _ in entries):
            raise Refused("split", leaf=number)
        waiting.append((node["low"], [*path, Row(entries, None, at)]))
        waiting.append((node["high"], [*path, Row(entries, at + 1, None)]))
    if len(met) != len(nodes):
        raise Refused("tree", leaf=min(set(range(len(nodes))) - met))


def leaf_bound(
    node: Any, number: int, gains: dict[int, Any], rows: list[Row], path: list[Row], program: Program
) -> Fraction | None:
    """Return what the multipliers of a leaf prove of its points, ``None`` where there are none."""
    lower, upper = list(program.lower), list(program.upper)
    for entries, least, most in path:  # what a branch leaves to each of its columns
        low, high = sum(lower[c] for c, _ in entries), sum(upper[c] for c, _ in entries)
        for c, _ in entries:
            own = lower[c], upper[c]
            lower[c] = own[0] if least is None else max(own[0], least - high + own[1])
            upper[c] = own[1] if most is None else min(own[1], most - low + own[0])
            if lower[c] > upper[c]:
                return None
    total, terms, known = 0, [], [*rows, *path]
    for place, given in node["rows"]:
        times, row = _number(given), known[place]
        side = row.upper if times > 0 else row.lower
        if side is None or place < 0:
            raise Refused("open-side", leaf=number, row=place)
        total += times * side
        terms.append((-times, row.entries))
    scale = _number(node["scale"])
    if scale <= 0:
        raise ValueError("a scale is not positive")
    for column, gain in _sums([*terms, (0 if node["empty"] else scale, list(gains.items()))]).items():
        total += gain * (upper[column] if gain > 0 else lower[column])
    if node["empty"] and total >= 0:
        raise Refused("not-empty", leaf=number)
    return None if node["empty"] else Fraction(total) / scale


def told(certificate: dict[str, Any], proofs: list[Confirmed]) -> Iterator[str]:
    """Yield in words what was confirmed."""
    head = certificate["head"]
    yield f"{head['title']!a}: portfolio {head['portfolio']!a}, model {certificate['hashes']['model']}"
    for class_, value, bound, claimed, leaves in proofs:
        name = "" if class_ is None else f"class {class_}: "
        if value is None:
            yield f"no plan exists: {'confirmed' if bound is None else 'NOT confirmed'}, {leaves} leaves"
            continue
        most = value if bound is None else bound
        yield f"{name}the plan keeps every row and is worth {float(value)!r}: confirmed"
        yield f"{name}no plan is worth more than {float(most)!r}: confirmed, {leaves} leaves"
        gaps = [100 * float((b - value) / abs(value)) if b is not None and value else None for b in (most, claimed)]
        yield f"{name}gap confirmed {gaps[0]} %, gap claimed {gaps[1]} %"


def main(arguments: list[str]) -> int:
    """Check the certificate that the command line names."""
    if len(arguments) != 1:
        sys.stderr.write("usage: check_certificate.py plan.cert.json\n")
        return 2
    try:
        certificate = read(Path(arguments[0]))
        proofs = check(certificate)
        sys.stdout.write("\n".join(told(certificate, proofs)) + "\n")
    except Refused as refusal:
        sys.stderr.write(f"REFUSED: {refusal}\n".encode("ascii", "backslashreplace").decode())
        return 2 if refusal.code in ("unreadable", "version", "shape") else 1
    return 1 if any(proof.value is None and proof.bound is not None for proof in proofs) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

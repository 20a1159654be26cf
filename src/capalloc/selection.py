"""Selections: small expressions over the columns of `projects`, parsed and never evaluated.

A selection compares columns with texts, numbers, ``True`` and ``False`` by ``== != < <= > >=``, ``in [...]`` and
``not in [...]``, joined by ``and``, ``or``, ``not`` and parentheses. A column of true or false may stand alone.
Amounts of money are compared in million VND whatever the unit of the files. An empty number equals nothing and is
neither more nor less than anything.
"""

from __future__ import annotations

import ast
import operator
import re
import unicodedata
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from typing import Any

from capalloc.catalogue import say
from capalloc.issues import nearest
from capalloc.records import SCHEMAS, Project
from capalloc.schema import Kind, field_name

LONGEST = 20_000
"""The most characters that a selection may have."""

Value = str | bool | Fraction
Test = Callable[[Project], Any]


class Holds(StrEnum):
    """What the cells of a column hold, as far as a comparison minds."""

    TEXT = "text"
    NUMBER = "number"
    TRUTH = "truth"


_HOLDS = {
    Kind.ID: Holds.TEXT,
    Kind.TEXT: Holds.TEXT,
    Kind.CHOICE: Holds.TEXT,
    Kind.INTEGER: Holds.NUMBER,
    Kind.YEAR: Holds.NUMBER,
    Kind.MONEY: Holds.NUMBER,
    Kind.NUMBER: Holds.NUMBER,
    Kind.FRACTION: Holds.NUMBER,
    Kind.TRUTH: Holds.TRUTH,
}

PROJECT_COLUMNS: Mapping[str, Holds] = {
    name: _HOLDS[column.kind]
    for name, column in SCHEMAS["projects"].columns.items()
    if name not in ("source_ref", "note")
}
"""The columns of every portfolio that a selection may name; a portfolio's own attributes come besides."""

_COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_LOOKS_LIKE_ONE = re.compile(r"[=<>!]|\b(in|not|and|or)\b")


class BadSelection(ValueError):
    """A text is no selection, or not one over these columns; ``code`` and ``arguments`` are those of its issue."""

    def __init__(self, code: str, **arguments: Any) -> None:
        self.code = code
        self.arguments = arguments
        super().__init__(say(f"issue.{code}.message", **arguments))


@dataclass(frozen=True, slots=True)
class Selection:
    """A parsed selection: the columns it names, in order, and a test of one project."""

    text: str
    columns: tuple[str, ...]
    test: Test = field(repr=False)
    comparisons: tuple[tuple[str, tuple[str | Holds, ...], bool], ...] = field(repr=False)

    def matches(self, project: Project) -> bool:
        """Return whether the project is selected."""
        return bool(self.test(project))

    def check(self, attributes: Mapping[str, Holds]) -> None:
        """Compare the columns named, and what they are compared with, with the columns that there are.

        Parameters
        ----------
        attributes
            The columns of the portfolio's `projects` that are its own, and what they hold.

        Raises
        ------
        BadSelection
            ``unknown-column-in-selection``, ``bad-comparison`` or ``bad-order`` at the first fault.
        """
        known = {**PROJECT_COLUMNS, **attributes}
        for name in self.columns:
            if name not in known:
                raise BadSelection(
                    "unknown-column-in-selection", found=name, near=nearest(name, known) or "—", text=self.text
                )
        for piece, operands, ordered in self.comparisons:
            kinds = {operand if isinstance(operand, Holds) else known[operand] for operand in operands}
            if len(kinds) > 1:
                raise BadSelection("bad-comparison", piece=piece, text=self.text)
            if ordered and kinds != {Holds.NUMBER}:
                raise BadSelection("bad-order", piece=piece, text=self.text)


def looks_like_selection(cell: str) -> bool:
    """Return whether a cell that may hold an id or a selection seems to be meant as a selection.

    Examples
    --------
    >>> looks_like_selection('sector == "road"'), looks_like_selection("LC-003")
    (True, False)
    """
    return _LOOKS_LIKE_ONE.search(cell) is not None


@lru_cache(maxsize=4096)
def parse_selection(text: str) -> Selection:
    """Return the selection that a text says; an empty text selects every project.

    Raises
    ------
    BadSelection
        ``bad-selection`` with the piece that has no meaning here, or ``long-selection``.

    Examples
    --------
    >>> selection = parse_selection('sector == "road" and priority <= 2')
    >>> selection.columns
    ('sector', 'priority')
    >>> selection.matches(Project(id="A", sector="road", priority=1))
    True
    """
    text = unicodedata.normalize("NFC", text.strip())
    if not text:
        return Selection("", (), lambda _: True, ())
    if len(text) > LONGEST:
        raise BadSelection("long-selection", length=len(text), most=LONGEST)
    try:
        with warnings.catch_warnings():
            # A doubtful escape such as "\d" would else pass with a warning on the user's screen.
            warnings.simplefilter("error")
            tree = ast.parse(text, mode="eval")
        parser = _Parser(text)
        test = parser.truth(tree.body)
    except BadSelection:
        raise
    except SyntaxError as fault:
        raise BadSelection("bad-selection", piece=_around(text, fault), text=_short(text)) from None
    except (ValueError, RecursionError, MemoryError):
        raise BadSelection("bad-selection", piece=_short(text), text=_short(text)) from None
    return Selection(text, tuple(dict.fromkeys(parser.columns)), test, tuple(parser.comparisons))


class _Parser:
    """Turns the syntax tree of one text into a test, and refuses every node that a selection does not have."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.columns: list[str] = []
        self.comparisons: list[tuple[str, tuple[str | Holds, ...], bool]] = []

    def truth(self, node: ast.expr) -> Test:
        if isinstance(node, ast.BoolOp):
            parts = [self.truth(value) for value in node.values]
            quantifier = all if isinstance(node.op, ast.And) else any
            return lambda project: quantifier(part(project) for part in parts)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            inner = self.truth(node.operand)
            return lambda project: not inner(project)
        if isinstance(node, ast.Compare):
            return self.comparison(node)
        if isinstance(node, ast.Name) or (isinstance(node, ast.Constant) and isinstance(node.value, bool)):
            get, operand = self.operand(node)
            self.comparisons.append((self.piece(node), (operand, Holds.TRUTH), False))
            return get
        raise self.refused(node)

    def comparison(self, node: ast.Compare) -> Test:
        nodes = [node.left, *node.comparators]
        pairs = zip(nodes, node.ops, nodes[1:], strict=False)
        tests = [self.pair(left, comparison, right, self.piece(node)) for left, comparison, right in pairs]
        return tests[0] if len(tests) == 1 else lambda project: all(test(project) for test in tests)

    def pair(self, left: ast.expr, comparison: ast.cmpop, right: ast.expr, piece: str) -> Test:
        get, operand = self.operand(left)
        if isinstance(comparison, ast.In | ast.NotIn):
            values, kinds = self.members(right)
            self.comparisons.append((piece, (operand, *kinds), False))
            inside = isinstance(comparison, ast.In)
            return lambda project: (get(project) in values) is inside
        compare = _COMPARISONS.get(type(comparison))
        if compare is None:
            raise BadSelection("bad-selection", piece=piece, text=_short(self.text))
        other, other_operand = self.operand(right)
        ordered = not isinstance(comparison, ast.Eq | ast.NotEq)
        self.comparisons.append((piece, (operand, other_operand), ordered))
        return _ordered(compare, get, other) if ordered else lambda project: compare(get(project), other(project))

    def members(self, node: ast.expr) -> tuple[frozenset[Value], tuple[Holds, ...]]:
        if not isinstance(node, ast.List | ast.Tuple):
            raise self.refused(node)
        values = [self.literal(element) for element in node.elts]
        return frozenset(values), tuple(dict.fromkeys(_holds(value) for value in values))

    def operand(self, node: ast.expr) -> tuple[Test, str | Holds]:
        if isinstance(node, ast.Name):
            self.columns.append(node.id)
            return _getter(node.id), node.id
        value = self.literal(node)
        return lambda _: value, _holds(value)

    def literal(self, node: ast.expr) -> Value:
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            value = self.literal(node.operand)
            if isinstance(value, Fraction):
                return -value if isinstance(node.op, ast.USub) else value
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str | bool):
                return node.value
            if isinstance(node.value, int):
                return Fraction(node.value)
            if isinstance(node.value, float) and len(self.piece(node)) <= 40 and "e" not in self.piece(node).lower():
                # The digits as written: the parser has already rounded them to a float.
                return Fraction(self.piece(node))
        raise self.refused(node)

    def piece(self, node: ast.expr) -> str:
        return ast.get_source_segment(self.text, node) or self.text

    def refused(self, node: ast.expr) -> BadSelection:
        return BadSelection("bad-selection", piece=_short(self.piece(node)), text=_short(self.text))


def _getter(name: str) -> Test:
    if name not in PROJECT_COLUMNS:
        return lambda project: project.attributes.get(name)
    return operator.attrgetter(field_name(name))


def _ordered(compare: Callable[[Any, Any], bool], left: Test, right: Test) -> Test:
    def test(project: Project) -> bool:
        a, b = left(project), right(project)
        return a is not None and b is not None and compare(a, b)

    return test


def _holds(value: Value) -> Holds:
    if isinstance(value, bool):
        return Holds.TRUTH
    return Holds.TEXT if isinstance(value, str) else Holds.NUMBER


def _short(text: str) -> str:
    return text if len(text) <= 120 else f"{text[:117]}..."


def _around(text: str, fault: SyntaxError) -> str:
    start = max((fault.offset or 1) - 1, 0)
    rest = text[start : start + 40].strip() if (fault.lineno or 1) == 1 else ""
    return rest or _short(text)


def attribute_columns(projects: Iterable[Project]) -> Mapping[str, Holds]:
    """Return the columns of their own that the projects have, and what each holds."""
    found: dict[str, Holds] = {}
    for name, value in _attributes(projects):
        found.setdefault(name, _holds(value))
    return found


def _attributes(projects: Iterable[Project]) -> Iterator[tuple[str, str | Fraction]]:
    for project in projects:
        yield from project.attributes.items()

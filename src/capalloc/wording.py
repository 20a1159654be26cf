"""Selections and periods in words, as they stand in the sentence of a rule; a selection is parsed, never evaluated."""

from __future__ import annotations

import ast
from fractions import Fraction

from capalloc.catalogue import has_text, say, write_number
from capalloc.settings import Period, Settings

_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "is",
    ast.NotEq: "is-not",
    ast.Lt: "below",
    ast.LtE: "at-most",
    ast.Gt: "above",
    ast.GtE: "at-least",
    ast.In: "among",
    ast.NotIn: "not-among",
}

_TURNED: dict[type[ast.cmpop], type[ast.cmpop]] = {ast.Lt: ast.Gt, ast.LtE: ast.GtE, ast.Gt: ast.Lt, ast.GtE: ast.LtE}


def selection_in_words(text: str) -> str:
    """Return which projects a checked selection selects, in the language in force; empty where it selects all.

    Examples
    --------
    >>> selection_in_words('sector == "road" and (priority <= 2 or mandatory)')
    'sector “road” and (class at most 2 or mandatory status)'
    """
    tree = ast.parse(text.strip() or "True", mode="eval").body
    return "" if isinstance(tree, ast.Constant) and tree.value is True else _truth(tree)


def period_in_words(settings: Settings, period: Period) -> str:
    """Return a period in the language in force: a phase by its name, a year, or a run of years."""
    if period.name and period.name in {phase.name for phase in settings.phases}:
        return say("rule.period.phase", name=period.name)
    if period.first == period.last:
        return say("rule.period.year", year=period.first)
    key = "run" if period.name else "horizon"
    return say(f"rule.period.{key}", first=period.first, last=period.last)


def _truth(node: ast.expr) -> str:
    if isinstance(node, ast.BoolOp):
        word = say("rule.and" if isinstance(node.op, ast.And) else "rule.or")
        return f" {word} ".join(
            f"({_truth(part)})" if isinstance(part, ast.BoolOp) else _truth(part) for part in node.values
        )
    if isinstance(node, ast.UnaryOp):
        bare = isinstance(node.operand, ast.Name)
        return say("rule.lacks" if bare else "rule.not", what=_truth(node.operand))
    if isinstance(node, ast.Compare):
        places = zip([node.left, *node.comparators], node.ops, node.comparators, strict=False)
        return f" {say('rule.and')} ".join(_compared(left, how, right) for left, how, right in places)
    if isinstance(node, ast.Constant):
        return say("rule.yes" if node.value else "rule.no")
    return _operand(node, "")


def _compared(left: ast.expr, how: ast.cmpop, right: ast.expr) -> str:
    if isinstance(right, ast.Name) and not isinstance(left, ast.Name):
        left, how, right = right, _TURNED.get(type(how), type(how))(), left
    about = next((node.id for node in (left, right) if isinstance(node, ast.Name)), "")
    many = right.elts if isinstance(right, ast.List | ast.Tuple) else [right]
    if isinstance(right, ast.Constant) and right.value == "" and isinstance(how, ast.Eq | ast.NotEq):
        return say(
            "rule.compare.empty" if isinstance(how, ast.Eq) else "rule.compare.filled", left=_operand(left, about)
        )
    words = ", ".join(_operand(node, about) for node in many)
    return say(f"rule.compare.{_COMPARISONS[type(how)]}", left=_operand(left, about), right=words)


def _operand(node: ast.expr, about: str) -> str:
    """A column or a value in words; texts of a closed vocabulary are said, others quoted."""
    if isinstance(node, ast.Name):
        return say(f"rule.column.{node.id}") if has_text(f"rule.column.{node.id}") else node.id
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        return say("rule.yes" if node.value else "rule.no")
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        key = {"status": f"status.{node.value}", "kind": f"kind.{node.value}"}.get(about, "")
        return f"“{say(key) if has_text(key) else node.value}”"
    return write_number(Fraction(ast.unparse(node).replace(" ", "")))

"""Rules as sentences, with their numbers, in the language in force."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from capalloc.catalogue import language, say
from capalloc.issues import UnknownName
from capalloc.measures import Measure, Statement, read_rule
from capalloc.records import Indicator, Resource, Rule
from capalloc.tables import Tables
from capalloc.wording import period_in_words, selection_in_words

_COUNTS = ("starts", "completions", "active")


@dataclass(frozen=True, slots=True, eq=False)
class Rulebook(Mapping[str, "RuleText"]):
    """The rules of a portfolio by their ids; printed, each is a sentence."""

    tables: Tables

    def __getitem__(self, name: str) -> RuleText:
        """Return a rule.

        Raises
        ------
        UnknownName
            When no rule has this id.
        """
        for rule in self.tables.rules:
            if rule.id == name:
                return RuleText(self.tables, rule)
        raise UnknownName("rule", name, list(self))

    def __iter__(self) -> Iterator[str]:
        return (rule.id for rule in self.tables.rules)

    def __len__(self) -> int:
        return len(self.tables.rules)

    def __str__(self) -> str:
        return "\n".join(f"{name}: {self[name]}" for name in self)

    def __repr__(self) -> str:
        return f"<Rulebook: {len(self)} rules>"


@dataclass(frozen=True, slots=True)
class RuleText:
    """One rule: ``str`` says it as a sentence, ``rule`` is its row."""

    tables: Tables
    rule: Rule

    def __str__(self) -> str:
        statement = read_rule(self.tables, self.rule)
        words = _Words(self.tables)
        parts = [words.demand(statement)]
        if self.rule.price is not None:
            parts.append(say("rule.soft", unit=words.unit(statement.measure), price=self.rule.price))
        if self.rule.legal_ref:
            parts.append(say("rule.law", reference=self.rule.legal_ref))
        if not self.rule.enabled:
            parts.append(say("rule.off"))
        return " ".join(parts)

    def __repr__(self) -> str:
        return f"<Rule {self.rule.id}: {self}>"


class _Words:
    """Says measures and numbers with the names of the tables."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables

    def demand(self, statement: Statement) -> str:
        """The measure, the sense and the limit as one sentence."""
        amount = Fraction(statement.rule.amount)
        if statement.share_of is None:
            limit = self.amount(statement.measure, amount)
        else:
            limit = say("rule.share", share=amount, what=self.measure(statement.share_of))
        sentence = say(f"rule.sense.{_SENSES[statement.rule.sense]}", what=self.measure(statement.measure), limit=limit)
        return sentence[:1].upper() + sentence[1:]

    def measure(self, measure: Measure) -> str:
        """What is added up, over which projects and years."""
        selected = selection_in_words(measure.selection)
        key = measure.kind
        if key == "paid" and measure.names:
            key = "paid-by"
        return say(
            f"rule.measure.{key}",
            projects=say("rule.selected", what=selected) if selected else "",
            when=period_in_words(self.tables.settings, measure.period),
            name=self.names(measure),
        )

    def names(self, measure: Measure) -> str:
        """What sources, the indicator or the resource are called; their ids where they have no name."""
        table = {"indicator": "indicators", "resource": "resources"}.get(measure.kind, "sources")
        known = {getattr(row, "id", ""): called(row) for row in self.tables.rows(table)}
        return " + ".join(known.get(name, name) for name in measure.names)

    def amount(self, measure: Measure, amount: Fraction) -> str:
        """A number with what it counts."""
        if measure.is_money:
            return say("rule.money", amount=amount)
        unit = self._own_unit(measure)
        return say("rule.amount-of", amount=amount, unit=unit) if unit else say("rule.amount", amount=amount)

    def unit(self, measure: Measure) -> str:
        """What one unit of a measure is called."""
        if measure.is_money:
            return say("rule.unit.money")
        if measure.kind in _COUNTS:
            return say("rule.unit.count")
        return self._own_unit(measure) or say("rule.unit.other")

    def _own_unit(self, measure: Measure) -> str:
        rows: dict[str, Sequence[Indicator | Resource]] = {
            "indicator": self.tables.indicators,
            "resource": self.tables.resources,
        }
        return next((row.unit for row in rows.get(measure.kind, ()) if row.id in measure.names), "")


_SENSES = {"<=": "at-most", ">=": "at-least", "==": "exactly"}


def called(row: object) -> str:
    """Return the name of a row in the language in force, else any name, else its id."""
    name, english = getattr(row, "name", ""), getattr(row, "name_en", "")
    first, second = (english, name) if language() == "en" else (name, english)
    return first or second or str(getattr(row, "id", ""))

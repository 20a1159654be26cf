"""The statutory rules of a portfolio as sentences, with their figures, articles and reliability."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from capalloc.catalogue import has_text, say, write_number
from capalloc.issues import UnknownName
from capalloc.law.statutes import Statute, is_given, statutes_of
from capalloc.settings import Settings


@dataclass(frozen=True, slots=True, eq=False)
class Lawbook(Mapping[str, "StatuteText"]):
    """The statutory rules of a portfolio by name, such as ``tail-cap/2021-2025``; printed, each is a sentence."""

    settings: Settings

    def __getitem__(self, name: str) -> StatuteText:
        """Return a rule.

        Raises
        ------
        UnknownName
            When the preset has no rule of this name.
        """
        for statute in statutes_of(self.settings):
            if statute.name == name:
                return StatuteText(statute)
        raise UnknownName("statute", name, list(self))

    def __iter__(self) -> Iterator[str]:
        return (statute.name for statute in statutes_of(self.settings))

    def __len__(self) -> int:
        return len(statutes_of(self.settings))

    def __str__(self) -> str:
        return "\n".join(f"{name}: {self[name]}" for name in self)

    def chapters(self) -> Iterator[tuple[str, tuple[StatuteText, ...]]]:
        """Yield headings with their rules: in force law by law, waiting for a figure, waived, off, and mere notes."""
        rules = tuple(self.values())
        for regime in dict.fromkeys(rule.statute.regime for rule in rules):
            own = tuple(rule for rule in rules if rule.statute.regime == regime and rule.chapter == "in-force")
            if own:
                period = own[0].statute.period
                yield say("law.chapter.in-force", first=period.first, last=period.last), own
        for chapter in ("waits", "waived", "off", "note"):
            own = tuple(rule for rule in rules if rule.chapter == chapter)
            if own:
                yield say(f"law.chapter.{chapter}"), own

    def __repr__(self) -> str:
        return f"<Lawbook {self.settings.statutory!r}: {len(self)} rules>"


_NEEDED = ("share", "previous", "b", "wider")
"""Figures without which a rule is said in other words."""


@dataclass(frozen=True, slots=True)
class StatuteText:
    """One statutory rule: ``str`` says it as a sentence, ``statute`` is the rule itself."""

    statute: Statute

    def __str__(self) -> str:
        off = [] if self.statute.enabled else [say("law.off")]
        return " ".join((demand(self.statute), self.ground, *off))

    @property
    def ground(self) -> str:
        """Its article, how reliable it is, and who may waive it or what did."""
        statute = self.statute
        parts = [say("law.article", article=statute.reference), say(f"law.reliability.{statute.reliability}")]
        if statute.waived:
            parts.append(say("law.waived", decision=statute.waived))
        elif statute.authority:
            parts.append(say("law.waivable", authority=statute.authority))
        return " ".join(parts)

    @property
    def chapter(self) -> str:
        """Under which heading it stands: ``note``, ``waived``, ``off``, ``waits`` or ``in-force``."""
        statute = self.statute
        if statute.form == "note":
            return "note"
        if statute.enabled and statute.waived:
            return "waived"
        if not statute.enabled:
            return "off"
        return "waits" if statute.waits else "in-force"

    def __repr__(self) -> str:
        return f"<Statute {self.statute.name}: {self}>"


def titled(statute: Statute) -> str:
    """Return what a rule is called, and the years of its law, in the language in force."""
    return say("law.titled", name=say(f"law.name.{statute.id}"), years=statute.name.rpartition("/")[2])


def demand(statute: Statute) -> str:
    """Return what a rule asks, with its figures, in the language in force."""
    figures = {name: _written(value) for name, value in statute.parameters.items()}
    missing = any(value in (None, "") for name, value in figures.items() if name in _NEEDED)
    key = f"law.rule.{statute.id}"
    if missing and has_text(f"{key}-unset"):
        key = f"{key}-unset"
    said = [say(key, first=statute.period.first, last=statute.period.last, **figures)]
    if statute.parameters.get("sources"):
        said.append(say("law.only", sources=", ".join(statute.parameters["sources"])))
    if statute.text("exempt"):
        said.append(say("law.but", selection=statute.text("exempt")))
    return " ".join(said)


def _written(value: Any) -> Any:
    """A figure as the catalogue takes it; a list in words, ``None`` where the law gives no figure."""
    if not is_given(value):
        return None
    if isinstance(value, list | tuple):
        return "; ".join(say(f"law.tier.{part}") if has_text(f"law.tier.{part}") else str(part) for part in value)
    if isinstance(value, Mapping):
        entries = ((name, amount) for name, amount in value.items() if amount != "")
        return "; ".join(
            say("law.by-class", name=name, amount=write_number(amount) if not isinstance(amount, str) else amount)
            for name, amount in entries
        )
    return value

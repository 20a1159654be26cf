"""Named presets of statutory rules, read from data, with what a portfolio overrides.

A *regime* is the law of one medium-term plan; a *preset* is one regime or several in a row.  Each rule carries its
article, how reliable its figures are, whether it can be waived and by whom.  Rules whose figures rest on memory alone
are off until a portfolio puts them in force.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from functools import cache
from importlib.resources import files
from math import isnan
from types import MappingProxyType
from typing import Any

from capalloc.catalogue import language
from capalloc.issues import Issue, error, nearest
from capalloc.money import MILLIONS
from capalloc.settings import Period, Settings

PRESETS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "vn-2021-2025": ("vn-2021-2025",),
        "vn-2026-2030": ("vn-2026-2030",),
        "vn-2021-2030": ("vn-2021-2025", "vn-2026-2030"),
    }
)
"""The regimes of each preset, in the order of their years."""

RELIABILITIES = ("found", "low", "memory")
"""Read in a source; read in a source of low reliability; from memory alone, not verified."""

BILLION = int(MILLIONS["billion VND"])
"""Million VND in a billion, the unit in which the law writes amounts."""

_ALWAYS = {"enabled": True, "waived": ""}


@dataclass(frozen=True, slots=True)
class Statute:
    """One rule of law for the years of one regime that a portfolio plans.

    ``form`` says what kind of statement it is (see :mod:`capalloc.law.enacting` and :mod:`capalloc.law.compliance`).
    ``waived`` is the decision that sets the rule aside, empty where none does.  ``period`` runs over the years of the
    regime inside the horizon; its name is that of a phase where the two are the same.
    """

    id: str
    regime: str
    form: str
    article: Mapping[str, str]
    reliability: str
    waivable_by: Mapping[str, str]
    period: Period
    enabled: bool
    waived: str = ""
    parameters: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def name(self) -> str:
        """The id with the years of the regime, which tells it apart from the same rule of another law."""
        return f"{self.id}/{self.regime.removeprefix('vn-')}"

    @property
    def in_force(self) -> bool:
        """Whether the plan must obey the rule."""
        return self.enabled and not self.waived

    @property
    def waits(self) -> bool:
        """Whether it asks for nothing before a portfolio gives a figure that the law does not."""
        return any(not is_given(value) for value in self.parameters.values())

    @property
    def reference(self) -> str:
        """The article, in the language in force."""
        return self.article[language()]

    @property
    def authority(self) -> str:
        """Who may waive the rule, in the language in force; empty where nobody may."""
        return self.waivable_by.get(language(), "")

    def share(self, name: str = "share") -> Fraction | None:
        """Return a parameter that is a number; ``None`` where no figure is given."""
        value = self.parameters.get(name)
        return None if value is None or not is_given(value) else Fraction(value)

    def text(self, name: str) -> str:
        """Return a parameter that is a text."""
        return str(self.parameters.get(name, ""))


def is_given(value: Any) -> bool:
    """Return whether the law gives a figure; where it gives none, the data hold ``nan``."""
    return not (isinstance(value, Decimal | float) and isnan(value))


@cache
def regime(name: str) -> Mapping[str, Any]:
    """Return the data of a regime: its years and its rules."""
    text = files("capalloc.law").joinpath(f"{name}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text, parse_float=Decimal)


def statutes_of(settings: Settings) -> tuple[Statute, ...]:
    """Return the statutory rules of a portfolio with its overrides, those that are off or waived included.

    The settings are checked (see :func:`faults_of`); without a preset there are none.
    """
    return tuple(_statutes(settings))


def _statutes(settings: Settings) -> Iterator[Statute]:
    for name in PRESETS.get(settings.statutory, ()):
        data = regime(name)
        first, last = max(data["first"], settings.first_year), min(data["last"], settings.last_year)
        if first > last:
            continue
        period = _period(settings, first, last)
        for rule in data["rule"]:
            statute = Statute(
                id=rule["id"],
                regime=name,
                form=rule["form"],
                article=rule["article"],
                reliability=rule["reliability"],
                waivable_by=rule.get("waivable_by", {}),
                period=period,
                enabled=rule.get("enabled", rule["reliability"] != "memory"),
                parameters=rule.get("parameters", {}),
            )
            yield _overridden(statute, settings.law)


def _period(settings: Settings, first: int, last: int) -> Period:
    """The years as the portfolio names them: a phase where one has just these years."""
    names = (phase.name for phase in settings.phases if (phase.first, phase.last) == (first, last))
    return Period(next(names, f"{first}:{last}"), first, last)


def _overridden(statute: Statute, given: Mapping[str, Mapping[str, Any]]) -> Statute:
    for changes in (given.get(statute.id, {}), given.get(statute.regime, {}).get(statute.id, {})):
        own = {name: value for name, value in changes.items() if name not in _ALWAYS}
        statute = replace(
            statute,
            enabled=changes.get("enabled", statute.enabled),
            waived=changes.get("waived", statute.waived),
            parameters={**statute.parameters, **own},
        )
    return statute


def with_figure(settings: Settings, path: tuple[str, ...]) -> dict[str, Any]:
    """Return the overrides of the settings, with the figure at a path written out where it is the preset's own."""
    given: dict[str, Any] = {name: dict(own) for name, own in settings.law.items()}
    for statute in statutes_of(settings):
        figures = {"enabled": statute.enabled, "waived": statute.waived, **statute.parameters}
        for place in ((statute.id,), (statute.regime, statute.id)):
            if path[:-1] == place and path[-1] in figures:
                own = given
                for part in place:
                    own = own.setdefault(part, {})
                own.setdefault(path[-1], figures[path[-1]])
    return given


def faults_of(settings: Settings) -> Iterator[tuple[str, Issue]]:
    """Yield what is wrong with the preset and with each override, and under which key of the settings."""
    if not settings.statutory:
        if settings.law:
            yield "law", error("law-without-preset", known=", ".join(PRESETS))
        return
    if settings.statutory not in PRESETS:
        near = nearest(settings.statutory, PRESETS) or "—"
        yield "statutory", error("unknown-preset", found=settings.statutory, near=near, known=", ".join(PRESETS))
        return
    names = PRESETS[settings.statutory]
    yield from _years(settings, names)
    rules = {name: {rule["id"]: rule for rule in regime(name)["rule"]} for name in names}
    every = {name: rule for own in rules.values() for name, rule in own.items()}
    for key, changes in settings.law.items():
        if key in rules:
            for inner, own in changes.items():
                yield from _override(f"law.{key}.{inner}", inner, own, rules[key])
        else:
            yield from _override(f"law.{key}", key, changes, every)


def _years(settings: Settings, names: tuple[str, ...]) -> Iterator[tuple[str, Issue]]:
    """No phase lies on both sides of a change of law, and the preset says something about some year."""
    spans = [(regime(name)["first"], regime(name)["last"]) for name in names]
    for number, phase in enumerate(settings.phases):
        touched = [span for span in spans if phase.first <= span[1] and span[0] <= phase.last]
        if touched and not (touched[0][0] <= phase.first and phase.last <= touched[0][1]):
            first, last = touched[0]
            yield f"phases[{number}]", error("law-phase", phase=phase.name, first=first, last=last)
    if not any(first <= settings.last_year and settings.first_year <= last for first, last in spans):
        yield "statutory", error("law-other-years", preset=settings.statutory, first=spans[0][0], last=spans[-1][1])


def _override(where: str, name: str, changes: Any, rules: Mapping[str, Any]) -> Iterator[tuple[str, Issue]]:
    if name not in rules:
        known = (*rules, *PRESETS)
        yield where, error("unknown-statute", found=name, near=nearest(name, known) or "—", known=", ".join(rules))
        return
    if not isinstance(changes, Mapping):
        yield where, error("law-not-a-table", rule=name, found=changes)
        return
    rule = rules[name]
    figures = {**_ALWAYS, **rule.get("parameters", {})}
    for key, value in changes.items():
        if key not in figures:
            near, all_of = nearest(key, figures) or "—", ", ".join(figures)
            yield f"{where}.{key}", error("unknown-parameter", found=key, rule=name, near=near, known=all_of)
        elif not _alike(value, figures[key]):
            yield f"{where}.{key}", error("law-bad-value", found=value, rule=name, example=_example(figures[key]))
        elif key == "waived" and value and not rule.get("waivable_by"):
            yield f"{where}.{key}", error("law-not-waivable", rule=name, article=rule["article"][language()])


def _example(figure: Any) -> Any:
    return figure if is_given(figure) else 0


def _alike(value: Any, example: Any) -> bool:
    """Whether an override is of the kind of the figure it replaces; an empty figure takes a number."""
    if isinstance(example, bool):
        return isinstance(value, bool)
    if isinstance(example, int | Decimal):
        return isinstance(value, int | float | Decimal) and not isinstance(value, bool) and value >= 0
    if isinstance(example, list):
        return isinstance(value, list | tuple) and all(isinstance(part, str) for part in value)
    if isinstance(example, dict):
        return isinstance(value, Mapping) and all(_alike(own, "") or _alike(own, 0) for own in value.values())
    return isinstance(value, str)

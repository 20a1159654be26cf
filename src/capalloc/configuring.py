"""From a mapping or a TOML file to the settings, with every fault said in the user's words."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from capalloc.characters import BREAKS, invisible
from capalloc.formats import newer_format
from capalloc.issues import Issue, Place, error, nearest
from capalloc.rawtable import decoded, plain
from capalloc.reading import FIRST_YEAR, LAST_YEAR, NONE
from capalloc.settings import ObjectiveSettings, PhaseSettings, Settings

_MODELS: Mapping[str, type[BaseModel]] = {"objective": ObjectiveSettings, "phases": PhaseSettings}
_NEEDS = (
    (("missing",), "missing-setting"),
    (("int_",), "setting-not-whole"),
    (("decimal_", "finite_number"), "setting-not-a-number"),
    (("bool_",), "setting-not-a-truth"),
    (("string_type",), "setting-not-a-text"),
    (("string_too_short",), "setting-empty"),
    (("tuple_", "list_"), "setting-not-a-list"),
    (("dict_", "model_", "mapping_"), "setting-not-a-table"),
)
_BOUNDS = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
_YEAR_LIKE = re.compile(r"\d+\s*(:\s*\d+)?")
_HIGHEST_RATE = 1
_LARGEST_EXPONENT = 15


def settings_from_toml(data: bytes, file: str) -> tuple[Settings, list[Issue]]:
    """Return the settings in a TOML file, as :func:`settings_from_mapping` does."""
    text, issues = decoded(data, file)
    if issues:
        return fallback_settings(), issues
    try:
        return settings_from_mapping(tomllib.loads(text, parse_float=Decimal), file)
    except tomllib.TOMLDecodeError as fault:
        found = re.fullmatch(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", str(fault), re.DOTALL)
        what, line, column = found.groups() if found else (str(fault), None, None)
        row = int(line) if line else text.count("\n") + 1
        return fallback_settings(), [error("bad-toml", Place(file, row=row, column=column or ""), found=what)]
    except (RecursionError, ValueError) as fault:
        return fallback_settings(), [error("bad-toml", Place(file), found=str(fault))]


def settings_from_mapping(given: Mapping[str, Any], file: str) -> tuple[Settings, list[Issue]]:
    """Return the settings that a mapping says, and everything that is wrong with it.

    With issues, the settings returned leave the faulty keys at their defaults, and unknown years at the widest
    horizon, for the tables to be read and faults in them to be reported at the same time.
    """
    known = _pure(given)
    if issue := newer_format("portfolio", known.get("format"), Place(file, column="format")):
        return fallback_settings(), [issue]
    settings, issues = _validated(known, file)
    issues += _phase_issues(settings, file)
    issues += _range_issues(settings, file)
    if settings.decide_from is not None and settings.decide_from not in settings.horizon:
        settings = settings.model_copy(update={"decide_from": None})
    return settings, issues


def _pure(value: Any) -> Any:
    """Return nested mappings and lists of plain values, whatever numpy or pandas wrapped them in."""
    if isinstance(value, Mapping):
        return {plain(key): _pure(inner) for key, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_pure(inner) for inner in value]
    return value if value is None else plain(value)


def _validated(given: dict[str, Any], file: str) -> tuple[Settings, list[Issue]]:
    try:
        return Settings.model_validate(given), []
    except ValidationError as faults:
        found = faults.errors(include_url=False)
    issues = [_issue(fault, file) for fault in found]
    sound = given
    for fault in found:
        sound = _without(sound, fault["loc"])
    try:
        return Settings.model_validate(sound), issues
    except ValidationError:
        # Only the two years have no default.
        years = {"first_year": FIRST_YEAR, "last_year": LAST_YEAR, "phases": ()}
        return Settings.model_validate(sound | years), issues


def _without(tree: Any, path: tuple[int | str, ...]) -> Any:
    """Return a copy of the mapping without the key at fault; without all phases when one of them is at fault."""
    key, *rest = path
    if not isinstance(tree, dict):
        return {}
    known = {str(inner): inner for inner in tree}
    if rest and key != "phases" and isinstance(tree.get(key), dict):
        return tree | {key: _without(tree[key], tuple(rest))}
    return {inner: value for inner, value in tree.items() if inner != known.get(str(key), key)}


def _issue(fault: Any, file: str) -> Issue:
    path = tuple(part for part in fault["loc"] if part != "[key]")
    where = Place(file, column=_written(path))
    key, found, kind = str(path[-1]), fault["input"], fault["type"]
    if kind == "extra_forbidden":
        known = _known_keys(path)
        return error("unknown-setting", where, found=key, near=nearest(key, known) or NONE, known=", ".join(known))
    if kind == "literal_error":
        known = _choices(path)
        near = nearest(str(found), known) or NONE
        return error("setting-choice", where, found=str(found), near=near, known=", ".join(filter(None, known)))
    for bound, sign in _BOUNDS.items():
        if bound in fault.get("ctx", {}):
            return error("setting-out-of-range", where, found=found, sign=sign, limit=fault["ctx"][bound])
    for openings, code in _NEEDS:
        if kind.startswith(openings):
            return error(code, where, key=key, found=found)
    return error("bad-setting", where, key=key, found=found)


def _written(path: tuple[int | str, ...]) -> str:
    first, *rest = path
    if first == "phases" and rest:
        first, *rest = f"phases[{rest[0]}]", *rest[1:]
    return ".".join(str(part) for part in (first, *rest))


def _model_at(path: tuple[int | str, ...]) -> type[BaseModel]:
    return _MODELS[str(path[0])] if len(path) > 1 else Settings


def _known_keys(path: tuple[int | str, ...]) -> list[str]:
    return list(_model_at(path).model_fields)


def _choices(path: tuple[int | str, ...]) -> list[str]:
    return [str(choice) for choice in get_args(_model_at(path).model_fields[str(path[-1])].annotation)]


def _phase_issues(settings: Settings, file: str) -> Iterator[Issue]:
    first, last = settings.first_year, settings.last_year
    if last < first:
        yield error("years-reversed", Place(file, column="last_year"), first=first, last=last)
        return
    due = first
    names: set[str] = set()
    for position, phase in enumerate(settings.phases):
        where = Place(file, column=f"phases[{position}]")
        yield from _phase_name_issues(phase, where)
        if phase.name in names:
            yield error("phase-twice", where, name=phase.name)
        names.add(phase.name)
        if phase.last < phase.first:
            yield error("phase-reversed", where, name=phase.name, first=phase.first, last=phase.last)
        if phase.first < first or phase.last > last:
            yield error("phase-outside", where, name=phase.name, first=first, last=last)
        if phase.first != due and phase.first >= first:
            code = "phase-gap" if phase.first > due else "phase-overlap"
            yield error(code, where, name=phase.name, found=phase.first, expected=due)
        due = max(due, phase.last + 1)
    if settings.phases and due <= last and all(phase.first <= phase.last <= last for phase in settings.phases):
        where = Place(file, column=f"phases[{len(settings.phases) - 1}]")
        yield error("phases-end-early", where, name=settings.phases[-1].name, found=due - 1, last=last)


def _phase_name_issues(phase: PhaseSettings, where: Place) -> Iterator[Issue]:
    if hidden := invisible(phase.name):
        yield error("invisible-character", where, found=phase.name, **hidden)
    if sign := next((sign for sign in "*?" if sign in phase.name), ""):
        yield error("wildcard-in-id", where, found=phase.name, sign=sign)
    if _YEAR_LIKE.fullmatch(phase.name) and not _says_its_years(phase):
        yield error("phase-named-like-years", where, name=phase.name, first=phase.first, last=phase.last)


def _says_its_years(phase: PhaseSettings) -> bool:
    start, _, end = phase.name.partition(":")
    return (int(start), int(end or start)) == (phase.first, phase.last)


def _range_issues(settings: Settings, file: str) -> Iterator[Issue]:
    for name in ("title", "prices", "statutory"):
        if hidden := invisible(getattr(settings, name), BREAKS):
            yield error("invisible-character", Place(file, column=name), found=getattr(settings, name), **hidden)
    if settings.discount_rate > _HIGHEST_RATE:
        where = Place(file, column="discount_rate")
        yield error("setting-out-of-range", where, found=settings.discount_rate, sign="<=", limit=_HIGHEST_RATE)
    if settings.discount_rate and settings.discount_rate.adjusted() < -_LARGEST_EXPONENT:
        where = Place(file, column="discount_rate")
        yield error("setting-not-a-number", where, key="discount_rate", found=settings.discount_rate)
    for key, weight in settings.objective.class_weights.items():
        where = Place(file, column=f"objective.class_weights.{key}")
        if key < 1:
            yield error("setting-out-of-range", where, found=key, sign=">=", limit=1)
        if weight and abs(weight.adjusted()) > _LARGEST_EXPONENT:
            yield error("setting-out-of-range", where, found=weight, sign="<=", limit=10**_LARGEST_EXPONENT)
    if settings.decide_from is not None and settings.decide_from not in settings.horizon:
        where = Place(file, column="decide_from")
        limits = {"first": settings.first_year, "last": settings.last_year}
        yield error("year-outside", where, found=settings.decide_from, **limits)


def fallback_settings() -> Settings:
    """Return settings to read the tables with when there are no others: the widest horizon, and nothing else said."""
    return Settings(first_year=FIRST_YEAR, last_year=LAST_YEAR)

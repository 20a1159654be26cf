"""What a certificate confirms, on its own and against the tables that it is about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from capalloc.allocation import Allocation, Choice, Payment
from capalloc.catalogue import say, shown_part
from capalloc.certifying import model_section, plain, plan_section, stake_section, stakes
from capalloc.check_certificate import Confirmed, Refused, check, read
from capalloc.compiling import compile_tables
from capalloc.formats import FORMATS, NEWER
from capalloc.issues import InvalidInput, Issue, Place, error
from capalloc.model import relative_gap
from capalloc.storing import fingerprint
from capalloc.tables import Tables
from capalloc.verification import verify


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What was confirmed in exact arithmetic, without trusting who made the certificate.

    Parameters
    ----------
    title, portfolio
        The title of the portfolio, and the fingerprint of its tables.
    model
        The SHA-256 of the model that the proofs are about.
    proofs
        One for the objective, or one a class: value, bound confirmed and bound claimed.  Without a plan value and
        bound are ``None`` where it is confirmed that there is none.
    from_tables
        Whether the model was made again from the tables, and the plan verified on them.
    ended_at
        The effort at which the search for the proofs ended, with more left to try; ``None`` where it did not, or
        where a certificate is read that was written before.
    """

    title: str
    portfolio: str
    model: str
    proofs: tuple[Confirmed, ...]
    from_tables: bool
    ended_at: int | None = None

    @property
    def holds(self) -> bool:
        """Whether there is a plan that was checked, or it is confirmed that there is none."""
        return all(proof.value is not None or proof.bound is None for proof in self.proofs)

    @property
    def gap(self) -> float:
        """The gap confirmed, (bound − value) / |value|, of the whole objective or of the last class."""
        return gap_of(self.proofs[-1])

    def summary(self) -> str:
        """Return in words what was confirmed."""
        return "\n".join(self._sentences())

    def _sentences(self) -> Iterator[str]:
        yield say("certificate.about", title=self.title, portfolio=self.portfolio)
        yield say("certificate.from-tables" if self.from_tables else "certificate.alone")
        for proof in self.proofs:
            if proof.value is None:
                yield say("certificate.none" if proof.bound is None else "certificate.none-open", leaves=proof.leaves)
                continue
            bound = proof.value if proof.bound is None else proof.bound
            facts = {"value": proof.value, "bound": bound, "leaves": proof.leaves, "room": bound - proof.value}
            if proof.class_ is None:
                yield say("certificate.proved", **facts)
            else:
                yield say("certificate.proved-class", number=proof.class_, **facts)
            if proof.value:
                yield say("certificate.gap", gap=shown_part((bound - proof.value) / abs(proof.value), toward="up"))
            if proof.claimed is not None and proof.value:
                yield say(
                    "certificate.claimed", gap=shown_part((proof.claimed - proof.value) / abs(proof.value), toward="up")
                )

        if self.ended_at is not None:
            yield say("certificate.ended", effort=self.ended_at)

    def record(self) -> dict[str, Any]:
        """Return the confirmation as plain JSON; exact numbers are texts."""
        return {
            "title": self.title,
            "portfolio": self.portfolio,
            "model": self.model,
            "from_tables": self.from_tables,
            "holds": self.holds,
            "ended_at": self.ended_at,
            "proofs": [
                {
                    "class": proof.class_,
                    "value": _text(proof.value),
                    "bound": _text(proof.bound),
                    "claimed": _text(proof.claimed),
                    "leaves": proof.leaves,
                }
                for proof in self.proofs
            ],
        }

    def __str__(self) -> str:
        return self.summary()


def gap_of(proof: Confirmed) -> float:
    """Return the gap that a proof confirms: infinite without a plan, or where the value is 0."""
    if proof.value is None:
        return float("inf")
    bound = proof.value if proof.bound is None else proof.bound
    return relative_gap(float(proof.value), float(bound)) if bound != proof.value else 0.0


def _text(number: Fraction | None) -> str | None:
    return None if number is None else str(number)


def confirmation(certificate: dict[str, Any], *, from_tables: bool = False) -> Confirmation:
    """Return what a certificate confirms.

    Raises
    ------
    Refused
        When it does not hold.
    """
    proofs, head = tuple(check(certificate)), certificate["head"]
    return Confirmation(head["title"], head["portfolio"], certificate["hashes"]["model"], proofs, from_tables)


def is_certificate(path: Path) -> bool:
    """Return whether a file begins like a certificate; one that cannot be read does not."""
    try:
        # A pipe would be waited for.
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return b'"capalloc certificate"' in file.read(200)
    except OSError:
        return False


def confirm(path: Path, tables: Tables) -> Confirmation:
    """Return what the certificate in a file confirms about tables.

    The model is compiled again and compared number by number, the plan verified on the tables as any other is.

    Raises
    ------
    InvalidInput
        When the file is no certificate, does not hold, or is about other tables, or its plan breaks them.
    """
    place = Place(file=str(path))
    try:
        certificate = read(path)
        found = confirmation(certificate, from_tables=True)
    except Refused as refusal:
        raise InvalidInput([_refusal(refusal, place)]) from None
    issues = list(_differences(certificate, tables, place))
    if issues:
        raise InvalidInput(issues)
    return found


def _refusal(refusal: Refused, place: Place) -> Issue:
    if refusal.code == "version":
        return error(NEWER, place, known=FORMATS["certificate"], **refusal.facts)
    if refusal.code == "unreadable":
        return error("certificate-unreadable", place, **refusal.facts)
    if refusal.code == "shape":
        return error("certificate-malformed", place, **refusal.facts)
    reason = say(f"certificate.refusal.{refusal.code}", **refusal.facts)
    return error("certificate-refused", place, reason=reason)


def _differences(certificate: dict[str, Any], tables: Tables, place: Place) -> Iterator[Issue]:
    """What in a certificate that holds is not what the tables say."""
    if certificate["head"]["portfolio"] != fingerprint(tables):
        title = str(certificate["head"]["title"])
        yield error("certificate-of-another", place, title=title, own=tables.settings.title)
        return
    compiled = compile_tables(tables)
    if plain(model_section(compiled)) != certificate["model"]:
        yield error("certificate-differs", place, part="model")
        return
    audit = None
    if certificate["plan"] is not None:
        try:
            allocation = _allocation(certificate["plan"])
        except (TypeError, ValueError, ZeroDivisionError):
            yield error("certificate-malformed", place, part="plan")
            return
        audit = verify(tables, allocation)
        if audit.violations:
            yield error("certificate-breaks-tables", place, count=len(audit.violations))
            yield from audit.violations
            return
        if plain(plan_section(compiled, allocation)) != certificate["plan"]:
            yield error("certificate-differs", place, part="plan")
            return
    about = [{name: proof[name] for name in _ABOUT} for proof in certificate["proofs"]]
    if about != plain([stake_section(stake) for stake in stakes(compiled, audit)]):
        yield error("certificate-differs", place, part="proofs")


_ABOUT = ("class", "unit", "objective", "held", "value")


def _allocation(plan: dict[str, Any]) -> Allocation:
    """The plan as it is listed.

    Raises
    ------
    TypeError, ValueError, ZeroDivisionError
        When it is none.
    """
    choices, payments = [tuple(row) for row in plan["choices"]], [tuple(row) for row in plan["payments"]]
    kinds = [(str, str, int, str)] * len(choices) + [(str, str, int, int)] * len(payments)
    if kinds != [tuple(map(type, row)) for row in (*choices, *payments)]:
        raise TypeError
    return Allocation(
        tuple(Choice(project, mode, start, Fraction(scale)) for project, mode, start, scale in choices),
        tuple(Payment(*row) for row in payments),
    )

"""The evidence of a plan in one file, for an auditor: the same plan gives the same bytes.

Everything in it is made from the tables and the plan; no clock, no name of the machine and no chance goes in.  What is
solved again is limited by nodes and not by time.
"""

from __future__ import annotations

import hashlib
import json
import math
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from io import BytesIO
from typing import TYPE_CHECKING, Any

from capalloc.answer import NOISE, Answer
from capalloc.catalogue import LANGUAGES, say, speaking
from capalloc.certifying import ROUNDS, certificate_text, certify
from capalloc.confirming import Confirmation, confirmation
from capalloc.effort import EFFORT, Effort
from capalloc.formats import FORMATS
from capalloc.framing import table_frame
from capalloc.issues import CapallocError, EngineFailed
from capalloc.model import SolveOptions
from capalloc.packing import pack
from capalloc.records import RECORDS
from capalloc.rulebook import Rulebook
from capalloc.solving import optimize
from capalloc.storing import plan_text, versions
from capalloc.tables import Tables

if TYPE_CHECKING:
    import pandas as pd

CROSS_NODES = 20
"""After how many nodes the engines of the cross-check stop, unless told otherwise."""

# The earliest time that a zip file can hold; a file needs one, and the clock would make each pack another.
_NO_TIME = (1980, 1, 1, 0, 0, 0)

_ENGINES = ("highs", "capalloc")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What goes into a pack.

    Parameters
    ----------
    given
        The tables as they were given, before statutory rules changed them.
    frames
        The tables of the plan by name.
    summaries
        Language to the summary of the plan.
    date
        The day to write on it, empty for none.
    """

    tables: Tables
    given: Tables
    answer: Answer
    frames: Mapping[str, pd.DataFrame]
    summaries: Mapping[str, str]
    date: str = ""


def pack_of(
    evidence: Evidence, nodes: int, leaves: int, rounds: int = ROUNDS, most: int = EFFORT
) -> tuple[bytes, Confirmation]:
    """Return the bytes of the pack, and what its certificate confirms.

    Parameters
    ----------
    nodes
        After how many nodes each engine of the cross-check stops.
    leaves, rounds, most
        How far the certificate is looked for, as for :func:`capalloc.certifying.certify`.

    Raises
    ------
    EngineFailed
        When the engines of the cross-check contradict one another or the plan.
    """
    effort = Effort(most)
    certificate = certify(evidence.tables, evidence.answer, leaves, None, rounds, effort)
    confirmed = replace(confirmation(certificate), ended_at=most if effort.ended else None)
    contents = {name: text.encode() for name, text in _texts(evidence, confirmed, nodes)}
    contents["plan.cert.json"] = certificate_text(certificate).encode()
    contents["check_certificate.py"] = files("capalloc").joinpath("check_certificate.py").read_bytes()
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(contents.items())}
    contents["SHA256SUMS"] = "".join(f"{digest}  {name}\n" for name, digest in sums.items()).encode()
    return _zipped(contents), confirmed


def _texts(evidence: Evidence, confirmed: Confirmation, nodes: int) -> Iterator[tuple[str, str]]:
    tables, answer = evidence.tables, evidence.answer
    if answer.allocation is None or answer.audit is None:
        raise CapallocError(say("plan.none", status=say(f"plan.status.{answer.verdict}")))
    yield "inputs/portfolio.json", pack(evidence.given) + "\n"
    for name in RECORDS:
        if evidence.given.rows(name):
            yield f"inputs/{name}.csv", _csv(table_frame(evidence.given, name))
    for name, frame in evidence.frames.items():
        yield f"plan/{name}.csv", _csv(frame)
    yield "plan/plan.json", plan_text(tables, replace(answer, seconds=0.0), answer.allocation, answer.audit) + "\n"
    yield "cross-check.json", _json(_cross_check(evidence, confirmed, nodes))
    yield "versions.json", _json({**versions(), "formats": dict(FORMATS)})
    for lang in LANGUAGES:
        with speaking(lang):
            yield f"rules.{lang}.txt", f"{Rulebook(tables)}\n" if tables.rules else say("evidence.no-rules") + "\n"
            yield f"summary.{lang}.txt", f"{evidence.summaries[lang]}\n\n{confirmed}\n"
            yield f"README.{lang}.txt", _readme(evidence)


def _csv(frame: pd.DataFrame) -> str:
    return "\ufeff" + frame.to_csv(index=False, lineterminator="\r\n")


def _json(record: Mapping[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False) + "\n"


def _readme(evidence: Evidence) -> str:
    limits = evidence.answer.options
    given = {"gap": limits.gap, "threads": limits.threads, "seed": limits.seed, "engine": evidence.answer.engine}
    given |= {"time-limit": limits.time_limit, "node-limit": limits.node_limit}
    asked = " ".join(f"--{name} {value}" for name, value in given.items() if value is not None)
    title = evidence.tables.settings.title or say("portfolio.untitled")
    dated = say("evidence.dated", date=evidence.date) if evidence.date else ""
    return say("evidence.readme", title=title, dated=dated, options=asked) + "\n"


def _cross_check(evidence: Evidence, confirmed: Confirmation, nodes: int) -> dict[str, Any]:
    """What each engine finds and proves in so many nodes; no value may pass a bound that another proved.

    Raises
    ------
    EngineFailed
        When one does.
    """
    answer = evidence.answer
    limits = SolveOptions(time_limit=None, gap=answer.options.gap, threads=1, seed=0, node_limit=nodes)
    runs = {name: optimize(evidence.tables, limits, name) for name in _ENGINES}
    proofs = confirmed.proofs
    certified = min((float(p.bound) for p in proofs[-1:] if p.bound is not None), default=math.inf)
    bounds = {"plan": answer.bound, "certificate": certified} | {name: run.bound for name, run in runs.items()}
    values = {"plan": answer.value} | {name: run.value for name, run in runs.items()}
    # With ordered classes the last is bounded for what the plan reached before it, which differs from run to run.
    if not answer.classes:
        _agree({name: float(value) for name, value in values.items() if value is not None}, bounds)
    return {
        "node_limit": nodes,
        "values": {name: None if value is None else str(value) for name, value in values.items()},
        "bounds": {name: bound if math.isfinite(bound) else None for name, bound in bounds.items()},
        "statuses": {name: str(run.status) for name, run in runs.items()},
        "compared": not answer.classes,
    }


def _agree(values: Mapping[str, float], bounds: Mapping[str, float]) -> None:
    for name, value in values.items():
        for other, bound in bounds.items():
            if value > bound + NOISE * max(abs(value), abs(bound), 1.0):
                raise EngineFailed(say("error.engines-disagree", one=name, value=value, other=other, bound=bound))


def _zipped(contents: Mapping[str, bytes]) -> bytes:
    """Files in the order of their names, each with the same time and rights."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in sorted(contents):
            entry = zipfile.ZipInfo(name, _NO_TIME)
            entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
            archive.writestr(entry, contents[name], compresslevel=6)
    return buffer.getvalue()

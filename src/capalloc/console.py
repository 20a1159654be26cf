"""What all commands share: errors as messages and exit codes, folders that are written whole, JSON on its stream."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import typer

from capalloc.catalogue import LANGUAGES, say
from capalloc.excel.marking import write_marked
from capalloc.excel.workbook import is_workbook
from capalloc.interrupting import INTERRUPTED, finishing
from capalloc.issues import CapallocError, EngineFailed, InvalidInput, Issues
from capalloc.loading import SETTINGS_FILE
from capalloc.model import Status
from capalloc.plan import Plan
from capalloc.plantables import TABLES
from capalloc.portfolio import Portfolio
from capalloc.writing import write_atomically

NO_PLAN, WRONG_INPUT = 1, 2


@contextmanager
def answering(as_json: bool, lang: str | None) -> Iterator[None]:
    """Turn the errors of the library into messages and exit codes."""
    if lang is not None and lang not in LANGUAGES:
        tell(say("error.language", found=lang, known=", ".join(LANGUAGES)))
        raise typer.Exit(WRONG_INPUT)
    try:
        yield
    except InvalidInput as wrong:
        if as_json:
            print_json({"issues": issue_records(wrong.issues)})
        else:
            report_issues(wrong.issues)
            tell(say("shell.errors", count=len(wrong.issues.errors)))
        raise typer.Exit(WRONG_INPUT) from None
    except CapallocError as wrong:
        if as_json:
            print_json({"error": str(wrong)})
        tell(str(wrong))
        raise typer.Exit(NO_PLAN if isinstance(wrong, EngineFailed) else WRONG_INPUT) from None
    except OSError as failure:
        tell(say("shell.system", file=failure.filename or "–", reason=failure.strerror or failure))
        raise typer.Exit(WRONG_INPUT) from None
    except MemoryError:
        tell(say("shell.memory"))
        raise typer.Exit(NO_PLAN) from None
    except KeyboardInterrupt:
        tell(say("shell.interrupted"))
        raise typer.Exit(INTERRUPTED) from None


def report_issues(issues: Issues) -> None:
    """Tell issues on standard error."""
    for issue in issues:
        tell(str(issue))


def tell(text: str) -> None:
    """Write a line to standard error."""
    typer.echo(text, err=True)


@contextmanager
def prepared(folder: Path | None, portfolio: Path) -> Iterator[None]:
    """Make the folder before any work; where nothing comes of the work, take away again what was made for it."""
    if folder is None:
        yield
        return
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        _prepare(folder, portfolio)
        yield
    except BaseException:
        for path in made:
            with suppress(OSError):
                path.rmdir()
        raise


def _prepare(folder: Path, portfolio: Path) -> None:
    """Make sure that the plan can be written and would not overwrite a portfolio.

    Raises
    ------
    UnwritableFolder
        When it cannot, or would.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            write_atomically(folder / ".capalloc", "")
        finally:
            (folder / ".capalloc").unlink(missing_ok=True)
    read_from = portfolio if portfolio.is_dir() else portfolio.parent
    if folder.resolve() == read_from.resolve() or (folder / SETTINGS_FILE).exists():
        raise UnwritableFolder(say("shell.holds-portfolio", folder=folder))


@contextmanager
def marking(path: Path, target: Path | None) -> Iterator[None]:
    """Write a copy of a workbook with what is found wrong in it, where one is asked for.

    Raises
    ------
    CapallocError
        When the portfolio is no workbook, or the copy would overwrite it.
    """
    if target is not None and (not is_workbook(path) or target.resolve() == path.resolve()):
        raise CapallocError(
            say("shell.mark-needs-workbook" if not is_workbook(path) else "shell.mark-itself", path=path)
        )
    try:
        yield
    except InvalidInput as wrong:
        if target is not None and any(issue.where.sheet for issue in wrong.issues):
            write_mark(path, target, wrong.issues)
        raise


def write_mark(path: Path, target: Path, issues: Issues) -> None:
    """Write a copy of a workbook with its issues on it, and tell where it is."""
    with writing_file(target):
        tell(say("shell.marked", count=write_marked(path, target, issues), file=target))


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn what the system says about a folder into a message, and let Ctrl-C wait until all is written."""
    try:
        with finishing():
            yield
    except OSError as failure:
        raise UnwritableFolder(say("shell.unwritable", folder=folder, reason=failure.strerror or failure)) from None


@contextmanager
def writing_file(file: Path) -> Iterator[None]:
    """Tell in the user's words why a file cannot be written; the folder it stands in is made where it is missing.

    Raises
    ------
    UnwritableFolder
        When it cannot.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as failure:
        raise UnwritableFolder(say("shell.unwritable-file", file=file, reason=failure.strerror or failure)) from None


def spare(read: Iterable[Path | None], *targets: Path | None) -> None:
    """Make sure that no file to be written is one that is read, a table of a portfolio, or another one's.

    Raises
    ------
    UnwritableFolder
        When one is.
    """
    taken = {path.resolve() for path in read if path is not None}
    for target in targets:
        if target is None:
            continue
        among_tables = target.suffix.lower() in (".csv", ".toml") and (target.parent / SETTINGS_FILE).exists()
        if target.resolve() in taken or (among_tables and target.exists()):
            raise UnwritableFolder(say("shell.would-overwrite", file=target))
        taken.add(target.resolve())


class UnwritableFolder(CapallocError):
    """The folder asked for cannot take the plan."""


def tell_tie(plan: Plan) -> None:
    """Tell whether a plan is proved to be the first of all that are as good."""
    if plan.status.has_plan:
        tell(say("shell.first-of-equals" if plan.canonical else "shell.not-first-of-equals"))


def write_files(plan: Plan, folder: Path) -> None:
    """Write the plan, and take away the files of an earlier one that would pass for its own."""
    write_atomically(folder / "summary.txt", plan.summary() + "\n")
    written: set[str] = set()
    if plan.status.has_plan:
        written = {path.name for path in plan.to_csv(folder)} | {"plan.json"}
    if (folder / "plan.json").exists():
        for name in {"plan.json", *(f"{table}.csv" for table in TABLES)} - written:
            (folder / name).unlink(missing_ok=True)
    if plan.status.has_plan:
        plan.save(folder / "plan.json")


def write_book(plan: Plan, folder: Path, *, wanted: bool) -> None:
    """Write the plan as a workbook too where it is wanted; one of an earlier plan would pass for this one's."""
    book = folder / "plan.xlsx"
    if wanted and plan.status.has_plan:
        plan.to_excel(book)
    else:
        book.unlink(missing_ok=True)


def write_proofs(plan: Plan, certificate: Path | None, evidence: Path | None) -> None:
    """Write the certificate and the evidence of a plan where they are wanted, and tell what is confirmed."""
    for file, write, there in (
        (certificate, plan.certificate, plan.status.has_plan or plan.status is Status.INFEASIBLE),
        (evidence, plan.evidence, plan.status.has_plan),
    ):
        if file is None:
            continue
        if not there:
            tell(say("shell.nothing-to-report", folder=file))
            continue
        with writing_file(file):
            found = write(file)
        tell(say("shell.proved", file=file, summary=found.summary()))


def print_json(record: Mapping[str, Any]) -> None:
    """Print a record as the JSON document that stands alone on standard output."""
    typer.echo(json.dumps(record, ensure_ascii=False, indent=1, allow_nan=False))


def portfolio_record(portfolio: Portfolio) -> dict[str, Any]:
    """Return what names a portfolio, as plain JSON."""
    return {
        "title": portfolio.title,
        "fingerprint": portfolio.fingerprint,
        "projects": len(portfolio.tables.projects),
    }


def issue_records(issues: Issues) -> list[dict[str, Any]]:
    """Return issues as plain JSON."""
    return [
        {
            "severity": issue.severity,
            "code": issue.code,
            "file": issue.where.file,
            "sheet": issue.where.sheet,
            "row": issue.where.row,
            "column": issue.where.column,
            "cell": issue.where.cell,
            "message": issue.message,
            "remedy": issue.remedy,
        }
        for issue in issues
    ]


def plan_record(portfolio: Portfolio, plan: Plan) -> dict[str, Any]:
    """Return a plan as plain JSON; what does not apply or is not known is null."""
    record: dict[str, Any] = {
        "portfolio": portfolio_record(portfolio),
        "status": plan.status,
        "stopped_by": plan.stopped_by,
        "value": plan.value,
        "bound": _finite(plan.bound),
        "gap": _finite(plan.gap),
        "canonical": plan.canonical,
        "engine": plan.answer.engine,
        "seconds": plan.answer.seconds,
        "issues": issue_records(portfolio.findings),
    }
    for name in plan.table_names:
        table = plan.table(name) if plan.status.has_plan else None
        record[name] = None if table is None else json.loads(table.to_json(orient="records", double_precision=15))
    return record


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None

"""The command line: ``capalloc check`` and ``capalloc optimize``; arguments, streams and exit codes only.

Exit codes: 0 a plan was found (``check``: no errors), 1 no plan was found or the engine failed, 2 the input or the
command line is wrong, 130 interrupted (the best plan so far is written all the same).
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import typer

from capalloc.catalogue import LANGUAGES, say, speaking
from capalloc.issues import CapallocError, EngineFailed, InvalidInput, Issues
from capalloc.loading import SETTINGS_FILE
from capalloc.model import Status, StoppedBy
from capalloc.plan import TABLES, Plan
from capalloc.portfolio import Portfolio, load, load_plan
from capalloc.sensitivity import PartReport, part_title
from capalloc.solving import DEFAULT_ENGINE
from capalloc.storing import write_atomically

NO_PLAN, WRONG_INPUT, INTERRUPTED = 1, 2, 130

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)

PortfolioPath = Annotated[Path, typer.Argument(metavar="PATH", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json")]
Language = Annotated[str | None, typer.Option("--lang", metavar="en|vi", show_default=False)]


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        # A pipe or an old console may not be able to say Vietnamese; UTF-8 always can.
        stream.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    with speaking(_language_of(sys.argv[1:], os.environ)):
        command = typer.main.get_command(app)
        _explain(command)
        command()


def _language_of(arguments: list[str], environment: Mapping[str, str]) -> str:
    """The language asked for by ``--lang``, else by ``CAPALLOC_LANG``, else by the locale; else English."""
    asked = [after for option, after in pairwise(arguments) if option == "--lang"]
    asked += [option.removeprefix("--lang=") for option in arguments if option.startswith("--lang=")]
    asked += [environment.get("CAPALLOC_LANG", "")]
    locales = [environment.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG")]
    asked += ["vi"] if next(filter(None, locales), "").startswith("vi") else []
    return next((lang for lang in asked if lang in LANGUAGES), "en")


def _explain(command: Any) -> None:
    """Give a command, its options and its subcommands their help texts in the language in force."""
    command.help = say(f"shell.command.{command.name or 'capalloc'}")
    for parameter in command.params:
        if parameter.name != "help":
            parameter.help = say(f"shell.option.{parameter.name}")
    for subcommand in getattr(command, "commands", {}).values():
        _explain(subcommand)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"capalloc {version('capalloc')}")
        raise typer.Exit


@app.callback()
def _common(
    show: Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True)] = False,
) -> None: ...


@app.command()
def check(path: PortfolioPath, as_json: AsJson = False, lang: Language = None) -> None:
    """Read and check a portfolio."""
    with _answering(as_json, lang):
        portfolio = load(path)
        issues = portfolio.check()
        if as_json:
            _print_json({"portfolio": _portfolio_record(portfolio), "issues": _issue_records(issues)})
        else:
            typer.echo(portfolio.summary())
            typer.echo()
            typer.echo(str(issues))


@app.command()
def optimize(
    path: PortfolioPath,
    *,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", show_default=False)] = None,
    as_json: AsJson = False,
    time_limit: Annotated[float, typer.Option(metavar="SECONDS")] = 60.0,
    gap: Annotated[float, typer.Option(metavar="NUMBER")] = 1e-4,
    engine: Annotated[str, typer.Option(metavar="NAME")] = DEFAULT_ENGINE,
    threads: Annotated[int, typer.Option(metavar="NUMBER")] = 2,
    seed: Annotated[int, typer.Option(metavar="NUMBER")] = 0,
    node_limit: Annotated[int | None, typer.Option(metavar="NUMBER", show_default=False)] = None,
    quiet: Annotated[bool, typer.Option("--quiet")] = False,
    lang: Language = None,
) -> None:
    """Find the best plan of a portfolio."""
    with _answering(as_json, lang):
        portfolio = load(path)
        if not quiet:
            _report_issues(portfolio.findings)
        with _prepared(out, path):
            plan = portfolio.optimize(
                time_limit=time_limit,
                gap=gap,
                threads=threads,
                seed=seed,
                engine=engine,
                node_limit=node_limit,
                progress=not quiet,
            )
            if plan.status is Status.INFEASIBLE and not quiet:
                found = portfolio.check()[len(portfolio.findings) :]
                _report_issues(Issues(found).warnings)
            if out is not None:
                with _writing(out):
                    _write(plan, out)
        if as_json:
            _print_json(_plan_record(portfolio, plan))
        else:
            typer.echo(plan.summary())
        if out is not None:
            _tell(say("shell.written" if plan.status.has_plan else "shell.written-none", folder=out))
    if plan.stopped_by is StoppedBy.INTERRUPT:
        raise typer.Exit(INTERRUPTED)
    raise typer.Exit(0 if plan.status.has_plan else NO_PLAN)


@app.command()
def sensitivity(  # one argument an option
    path: PortfolioPath,
    *,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", show_default=False)] = None,
    as_json: AsJson = False,
    time_limit: Annotated[float, typer.Option(metavar="SECONDS")] = 280.0,
    gap: Annotated[float, typer.Option(metavar="NUMBER")] = 1e-3,
    engine: Annotated[str, typer.Option(metavar="NAME")] = DEFAULT_ENGINE,
    threads: Annotated[int, typer.Option(metavar="NUMBER")] = 2,
    seed: Annotated[int, typer.Option(metavar="NUMBER")] = 0,
    quiet: Annotated[bool, typer.Option("--quiet")] = False,
    lang: Language = None,
) -> None:
    """Say what the plan of a portfolio owes to its numbers."""
    with _answering(as_json, lang):
        portfolio = load(path)
        with _prepared(out, path):
            report = portfolio.sensitivity_report(
                time_limit, gap=gap, threads=threads, seed=seed, engine=engine, progress=None if quiet else _tell_part
            )
            if out is not None:
                with _writing(out):
                    report.save(out)
        if as_json:
            _print_json({"portfolio": _portfolio_record(portfolio)} | report.record())
        else:
            typer.echo(report.summary())
        if out is not None:
            _tell(say("shell.written", folder=out))
    raise typer.Exit(0 if report.plan.status.has_plan else NO_PLAN)


def _tell_part(part: PartReport) -> None:
    words = {"number": part.number, "of": part.of, "title": part_title(part.name), "seconds": round(part.seconds)}
    _tell(say("sensitivity.progress.part", **words))


@app.command(name="why-not")
def why_not(  # one argument an option
    path: PortfolioPath,
    project: Annotated[str, typer.Argument(metavar="PROJECT", show_default=False)],
    *,
    plan_file: Annotated[Path | None, typer.Option("--plan", metavar="FILE", show_default=False)] = None,
    as_json: AsJson = False,
    time_limit: Annotated[float, typer.Option(metavar="SECONDS")] = 60.0,
    engine: Annotated[str, typer.Option(metavar="NAME")] = DEFAULT_ENGINE,
    threads: Annotated[int, typer.Option(metavar="NUMBER")] = 2,
    seed: Annotated[int, typer.Option(metavar="NUMBER")] = 0,
    lang: Language = None,
) -> None:
    """Say why a project is in the best plan or not, and what would change that."""
    with _answering(as_json, lang):
        portfolio = load(path)
        limits: dict[str, Any] = {"time_limit": time_limit, "engine": engine, "threads": threads, "seed": seed}
        plan = portfolio.optimize(**limits) if plan_file is None else load_plan(plan_file, portfolio)
        if not plan.status.has_plan:
            if as_json:
                _print_json(_plan_record(portfolio, plan))
            else:
                typer.echo(plan.summary())
            raise typer.Exit(NO_PLAN)
        answer = plan.why(project, **limits) if plan.funds(project) else plan.why_not(project, **limits)
        if as_json:
            rows = json.loads(answer.to_frame().to_json(orient="records", double_precision=15))
            record = {"portfolio": _portfolio_record(portfolio), "project": project, "funded": plan.funds(project)}
            _print_json(record | {"statement": str(answer), "answers": rows})
        else:
            typer.echo(str(answer))


@contextmanager
def _answering(as_json: bool, lang: str | None) -> Iterator[None]:
    """Turn the errors of the library into messages and exit codes."""
    if lang is not None and lang not in LANGUAGES:
        _tell(say("error.language", found=lang, known=", ".join(LANGUAGES)))
        raise typer.Exit(WRONG_INPUT)
    try:
        yield
    except InvalidInput as wrong:
        if as_json:
            _print_json({"issues": _issue_records(wrong.issues)})
        else:
            _report_issues(wrong.issues)
            _tell(say("shell.errors", count=len(wrong.issues.errors)))
        raise typer.Exit(WRONG_INPUT) from None
    except CapallocError as wrong:
        if as_json:
            _print_json({"error": str(wrong)})
        _tell(str(wrong))
        raise typer.Exit(NO_PLAN if isinstance(wrong, EngineFailed) else WRONG_INPUT) from None
    except KeyboardInterrupt:
        _tell(say("shell.interrupted"))
        raise typer.Exit(INTERRUPTED) from None


def _report_issues(issues: Issues) -> None:
    for issue in issues:
        _tell(str(issue))


def _tell(text: str) -> None:
    typer.echo(text, err=True)


@contextmanager
def _prepared(folder: Path | None, portfolio: Path) -> Iterator[None]:
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
    with _writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / ".capalloc", "")
        (folder / ".capalloc").unlink()
    read_from = portfolio if portfolio.is_dir() else portfolio.parent
    if folder.resolve() == read_from.resolve() or (folder / SETTINGS_FILE).exists():
        raise UnwritableFolder(say("shell.holds-portfolio", folder=folder))


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as failure:
        raise UnwritableFolder(say("shell.unwritable", folder=folder, reason=failure.strerror or failure)) from None


class UnwritableFolder(CapallocError):
    """The folder asked for cannot take the plan."""


def _write(plan: Plan, folder: Path) -> None:
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


def _print_json(record: Mapping[str, Any]) -> None:
    typer.echo(json.dumps(record, ensure_ascii=False, indent=1, allow_nan=False))


def _portfolio_record(portfolio: Portfolio) -> dict[str, Any]:
    return {
        "title": portfolio.title,
        "fingerprint": portfolio.fingerprint,
        "projects": len(portfolio.tables.projects),
    }


def _issue_records(issues: Issues) -> list[dict[str, Any]]:
    return [
        {
            "severity": issue.severity,
            "code": issue.code,
            "file": issue.where.file,
            "sheet": issue.where.sheet,
            "row": issue.where.row,
            "column": issue.where.column,
            "message": issue.message,
            "remedy": issue.remedy,
        }
        for issue in issues
    ]


def _plan_record(portfolio: Portfolio, plan: Plan) -> dict[str, Any]:
    """The plan as plain JSON; what does not apply or is not known is null."""
    record: dict[str, Any] = {
        "portfolio": _portfolio_record(portfolio),
        "status": plan.status,
        "stopped_by": plan.stopped_by,
        "value": plan.value,
        "bound": _finite(plan.bound),
        "gap": _finite(plan.gap),
        "engine": plan.answer.engine,
        "seconds": plan.answer.seconds,
        "issues": _issue_records(portfolio.findings),
    }
    for name in plan.table_names:
        table = plan.table(name) if plan.status.has_plan else None
        record[name] = None if table is None else json.loads(table.to_json(orient="records", double_precision=15))
    return record


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None

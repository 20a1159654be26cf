"""The command line: arguments, streams and exit codes only.

Exit codes: 0 a plan was found (``check``: no errors), 1 no plan was found or the engine failed, 2 the input or the
command line is wrong, 130 interrupted (the best plan so far is written all the same).
"""

from __future__ import annotations

import json
import locale
import os
import shlex
import sys
from collections.abc import Mapping
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import typer

from capalloc.catalogue import LANGUAGES, language, say, speaking
from capalloc.commandline import explain, head_help, refusal
from capalloc.confirming import confirm, is_certificate
from capalloc.console import (
    NO_PLAN,
    WRONG_INPUT,
    answering,
    issue_records,
    marking,
    plan_record,
    portfolio_record,
    prepared,
    print_json,
    report_issues,
    spare,
    tell,
    tell_tie,
    write_book,
    write_files,
    write_mark,
    write_proofs,
    writing,
    writing_file,
)
from capalloc.differing import difference
from capalloc.excel.templates import write_folder, write_template
from capalloc.excel.workbook import is_workbook
from capalloc.interrupting import INTERRUPTED, heeding
from capalloc.issues import CapallocError, Issues
from capalloc.model import Status, StoppedBy
from capalloc.portfolio import load, load_plan
from capalloc.running import run as run_scenarios
from capalloc.runs import load_runs
from capalloc.runstore import is_store
from capalloc.scenariofile import read_scenario_file, schema
from capalloc.sensitivity import PartReport, part_title
from capalloc.series import DEFAULT_ENGINE as SERIES_ENGINE
from capalloc.solving import DEFAULT_ENGINE
from capalloc.stack import stack

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

PortfolioPath = Annotated[Path, typer.Argument(readable=False, metavar="PATH", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json")]
Language = Annotated[str | None, typer.Option("--lang", metavar="en|vi", show_default=False)]


def main() -> None:
    """Run the command line."""
    sys.exit(heeding(_begun))


def _begun() -> int:
    for stream in (sys.stdout, sys.stderr):
        # A pipe or an old console may not be able to say Vietnamese; UTF-8 always can.
        stream.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    with speaking(language_of(sys.argv[1:], os.environ, locale.getlocale()[0] or "")):
        return obeyed(sys.argv[1:])


def obeyed(arguments: list[str]) -> int:
    """Carry out a command line, or say in the language in force why it cannot be read; return the exit code."""
    if any(not argument or (argument.startswith("--") and argument.endswith("=")) for argument in arguments):
        # An empty path would stand for the folder one is in.
        tell(say("shell.usage.empty", line=shlex.join(arguments)))
        return WRONG_INPUT
    command = typer.main.get_command(app)
    explain(command)
    if not arguments or "--help" in arguments:
        head_help()
    try:
        return command.main(arguments, prog_name="capalloc", standalone_mode=False) or 0
    except typer.Abort:
        return INTERRUPTED
    except Exception as fault:
        # The class is another one in every version of Typer.
        if not (hasattr(fault, "ctx") and hasattr(fault, "format_message")):
            raise
        tell(refusal(fault, arguments))
        return WRONG_INPUT


def language_of(arguments: list[str], environment: Mapping[str, str], system: str = "") -> str:
    """Return the language asked for by ``--lang``, else by ``CAPALLOC_LANG``, else by the locale; else English.

    ``system`` is the locale that the system tells where no variable does: ``Vietnamese_Vietnam`` on Windows.
    """
    asked = [after for option, after in pairwise(arguments) if option == "--lang"]
    asked += [option.removeprefix("--lang=") for option in arguments if option.startswith("--lang=")]
    asked += [environment.get("CAPALLOC_LANG", "")]
    locales = [environment.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG")]
    asked += ["vi"] if next(filter(None, [*locales, system]), "").lower().startswith("vi") else []
    return next((lang for lang in asked if lang in LANGUAGES), "en")


@app.callback(invoke_without_command=True)
def _common(
    context: typer.Context,
    *,
    show: Annotated[bool, typer.Option("--version")] = False,
    as_json: AsJson = False,
) -> None:
    if show and as_json:
        print_json(stack())
    elif show:
        typer.echo(f"capalloc {version('capalloc')}")
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(WRONG_INPUT)
    else:
        return
    raise typer.Exit


@app.command()
def new(
    new_path: Annotated[Path, typer.Argument(readable=False, metavar="PATH", show_default=False)],
    *,
    example: Annotated[bool, typer.Option("--example")] = False,
    lang: Language = None,
) -> None:
    """Write a portfolio to fill in."""
    with answering(False, lang), writing_file(new_path):
        write = write_template if is_workbook(new_path) else write_folder
        write(new_path, example=example)
        tell(say("shell.created", path=new_path))


@app.command()
def check(
    path: PortfolioPath,
    *,
    mark: Annotated[Path | None, typer.Option("--mark", readable=False, metavar="FILE", show_default=False)] = None,
    as_json: AsJson = False,
    lang: Language = None,
) -> None:
    """Read and check a portfolio."""
    with answering(as_json, lang), marking(path, mark):
        portfolio = load(path)
        issues = portfolio.check()
        if mark is not None:
            write_mark(path, mark, issues)
        if as_json:
            print_json({"portfolio": portfolio_record(portfolio), "issues": issue_records(issues)})
        else:
            typer.echo(portfolio.summary())
            typer.echo()
            typer.echo(str(issues))


@app.command()
def optimize(
    path: PortfolioPath,
    *,
    out: Annotated[Path | None, typer.Option("--out", readable=False, metavar="DIR", show_default=False)] = None,
    as_json: AsJson = False,
    time_limit: Annotated[float, typer.Option(metavar="SECONDS")] = 60.0,
    gap: Annotated[float, typer.Option(metavar="NUMBER")] = 1e-4,
    engine: Annotated[str, typer.Option(metavar="NAME")] = DEFAULT_ENGINE,
    threads: Annotated[int, typer.Option(metavar="NUMBER")] = 2,
    seed: Annotated[int, typer.Option(metavar="NUMBER")] = 0,
    node_limit: Annotated[int | None, typer.Option(metavar="NUMBER", show_default=False)] = None,
    tie_break: Annotated[bool, typer.Option("--tie-break")] = False,
    excel: Annotated[bool, typer.Option("--excel")] = False,
    certificate: Annotated[Path | None, typer.Option("--certificate", metavar="FILE", show_default=False)] = None,
    evidence: Annotated[Path | None, typer.Option("--evidence", metavar="FILE.zip", show_default=False)] = None,
    quiet: Annotated[bool, typer.Option("--quiet")] = False,
    lang: Language = None,
) -> None:
    """Find the best plan of a portfolio."""
    with answering(as_json, lang):
        if excel and out is None:
            raise CapallocError(say("shell.excel-needs-out"))
        spare([path], certificate, evidence)
        portfolio = load(path)
        if not quiet:
            report_issues(portfolio.findings)
        with prepared(out, path):
            plan = portfolio.optimize(
                time_limit=time_limit,
                gap=gap,
                threads=threads,
                seed=seed,
                engine=engine,
                node_limit=node_limit,
                tie_break=tie_break,
                progress=not quiet,
            )
            if plan.status is Status.INFEASIBLE and not quiet:
                found = portfolio.check()[len(portfolio.findings) :]
                report_issues(Issues(found).warnings)
            if out is not None:
                with writing(out):
                    write_files(plan, out)
                    write_book(plan, out, wanted=excel)
        if as_json:
            print_json(plan_record(portfolio, plan))
        else:
            typer.echo(plan.summary())
        if out is not None:
            tell(say("shell.written" if plan.status.has_plan else "shell.written-none", folder=out))
        if tie_break:
            tell_tie(plan)
        write_proofs(plan, certificate, evidence)
    if plan.stopped_by is StoppedBy.INTERRUPT:
        raise typer.Exit(INTERRUPTED)
    raise typer.Exit(0 if plan.status.has_plan else NO_PLAN)


@app.command()
def sensitivity(  # one argument an option
    path: PortfolioPath,
    *,
    out: Annotated[Path | None, typer.Option("--out", readable=False, metavar="DIR", show_default=False)] = None,
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
    with answering(as_json, lang):
        portfolio = load(path)
        with prepared(out, path):
            report = portfolio.sensitivity_report(
                time_limit, gap=gap, threads=threads, seed=seed, engine=engine, progress=None if quiet else _tell_part
            )
            if out is not None:
                with writing(out):
                    report.save(out)
        if as_json:
            print_json({"portfolio": portfolio_record(portfolio)} | report.record())
        else:
            typer.echo(report.summary())
        if out is not None:
            tell(say("shell.written", folder=out))
    raise typer.Exit(0 if report.plan.status.has_plan else NO_PLAN)


def _tell_part(part: PartReport) -> None:
    words = {"number": part.number, "of": part.of, "title": part_title(part.name), "seconds": round(part.seconds)}
    tell(say("sensitivity.progress.part", **words))


@app.command(name="why-not")
def why_not(  # one argument an option
    path: PortfolioPath,
    project: Annotated[str, typer.Argument(metavar="PROJECT", show_default=False)],
    *,
    plan_file: Annotated[
        Path | None, typer.Option("--plan", readable=False, metavar="FILE", show_default=False)
    ] = None,
    as_json: AsJson = False,
    time_limit: Annotated[float, typer.Option(metavar="SECONDS")] = 60.0,
    engine: Annotated[str, typer.Option(metavar="NAME")] = DEFAULT_ENGINE,
    threads: Annotated[int, typer.Option(metavar="NUMBER")] = 2,
    seed: Annotated[int, typer.Option(metavar="NUMBER")] = 0,
    lang: Language = None,
) -> None:
    """Say why a project is in the best plan or not, and what would change that."""
    with answering(as_json, lang):
        portfolio = load(path)
        limits: dict[str, Any] = {"time_limit": time_limit, "engine": engine, "threads": threads, "seed": seed}
        plan = portfolio.optimize(**limits) if plan_file is None else load_plan(plan_file, portfolio)
        if not plan.status.has_plan:
            if as_json:
                print_json(plan_record(portfolio, plan))
            else:
                typer.echo(plan.summary())
            raise typer.Exit(NO_PLAN)
        answer = plan.why(project, **limits) if plan.funds(project) else plan.why_not(project, **limits)
        if as_json:
            rows = json.loads(answer.to_frame().to_json(orient="records", double_precision=15))
            record = {"portfolio": portfolio_record(portfolio), "project": project, "funded": plan.funds(project)}
            print_json(record | {"statement": str(answer), "answers": rows})
        else:
            typer.echo(str(answer))


@app.command()
def run(  # one argument an option
    file: Annotated[Path, typer.Argument(readable=False, metavar="FILE", show_default=False)],
    *,
    store: Annotated[Path | None, typer.Option("--store", readable=False, metavar="FILE", show_default=False)] = None,
    workers: Annotated[str, typer.Option(metavar="NUMBER|dask://HOST:PORT")] = "2",
    time_limit: Annotated[float, typer.Option(metavar="SECONDS")] = 60.0,
    gap: Annotated[float, typer.Option(metavar="NUMBER")] = 1e-4,
    engine: Annotated[str, typer.Option(metavar="NAME")] = SERIES_ENGINE,
    threads: Annotated[int, typer.Option(metavar="NUMBER")] = 1,
    seed: Annotated[int, typer.Option(metavar="NUMBER")] = 0,
    again: Annotated[bool, typer.Option("--again")] = False,
    out: Annotated[Path | None, typer.Option("--out", readable=False, metavar="DIR", show_default=False)] = None,
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("--quiet")] = False,
    lang: Language = None,
) -> None:
    """Run the scenarios of a file."""
    with answering(as_json, lang):
        store = Path(f"{file.stem}.sqlite") if store is None else store
        base, _ = read_scenario_file(file)
        spare([file, base], store)
        portfolio = load(base)
        with prepared(out, base):
            runs = run_scenarios(
                portfolio,
                file,
                store=store,
                workers=int(workers) if workers.isdecimal() else workers,
                time_limit=time_limit,
                gap=gap,
                engine=engine,
                threads=threads,
                seed=seed,
                again=again,
                progress=not quiet,
            )
            if out is not None:
                with writing(out):
                    runs.to_csv(out)
        if not quiet:
            tell(runs.told_differences())
        if as_json:
            print_json({"portfolio": portfolio_record(portfolio)} | runs.record())
        else:
            typer.echo(runs.summary())
        tell(say("shell.stored", store=runs.path))
    if runs.interrupted:
        raise typer.Exit(INTERRUPTED)
    raise typer.Exit(0 if runs.all_planned else NO_PLAN)


@app.command()
def diff(  # one argument an option
    path: Annotated[Path, typer.Argument(readable=False, metavar="STORE|PORTFOLIO", show_default=False)],
    one: Annotated[str, typer.Argument(metavar="SCENARIO|PLAN", show_default=False)],
    other: Annotated[str, typer.Argument(metavar="SCENARIO|PLAN", show_default=False)],
    *,
    as_json: AsJson = False,
    lang: Language = None,
) -> None:
    """Say in what one plan differs from another."""
    with answering(as_json, lang):
        if is_store(path):
            found = load_runs(path).diff(one, other)
        else:
            portfolio = load(path)
            found = difference(load_plan(one, portfolio), load_plan(other, portfolio))
        if as_json:
            print_json(found.record())
        else:
            typer.echo(found.statement())
            typer.echo()
            typer.echo(found.to_text())


@app.command()
def report(  # one argument an option
    path: PortfolioPath,
    *,
    out_file: Annotated[Path, typer.Option("--out", readable=False, metavar="FILE")] = Path("plan.html"),
    plan_file: Annotated[
        Path | None, typer.Option("--plan", readable=False, metavar="FILE", show_default=False)
    ] = None,
    with_answers: Annotated[bool, typer.Option("--sensitivity")] = False,
    time_limit: Annotated[float, typer.Option(metavar="SECONDS")] = 60.0,
    gap: Annotated[float, typer.Option(metavar="NUMBER")] = 1e-4,
    engine: Annotated[str, typer.Option(metavar="NAME")] = DEFAULT_ENGINE,
    threads: Annotated[int, typer.Option(metavar="NUMBER")] = 2,
    seed: Annotated[int, typer.Option(metavar="NUMBER")] = 0,
    quiet: Annotated[bool, typer.Option("--quiet")] = False,
    lang: Language = None,
) -> None:
    """Write a plan as one HTML page."""
    with answering(False, lang):
        if plan_file is not None and (with_answers or is_store(path)):
            raise CapallocError(say("shell.plan-alone"))
        spare([path, plan_file], out_file)
        limits: dict[str, Any] = {"gap": gap, "threads": threads, "seed": seed, "engine": engine}
        with writing_file(out_file):
            planned, written = _reported(
                path, plan_file, with_answers, out_file, {"time_limit": time_limit} | limits, quiet
            )
        tell(say("shell.written" if written else "shell.nothing-to-report", folder=out_file))
    raise typer.Exit(0 if planned else NO_PLAN)


def _reported(
    path: Path, plan_file: Path | None, with_answers: bool, out: Path, limits: Mapping[str, Any], quiet: bool
) -> tuple[bool, bool]:
    """Write the report of a portfolio's plan, or of a store's scenarios; whether there are plans, and a page."""
    if is_store(path):
        runs = load_runs(path)
        runs.report(out, language())
        return runs.all_planned, True
    portfolio = load(path)
    if with_answers:
        asked = portfolio.sensitivity_report(**limits, progress=None if quiet else _tell_part)
        asked.report(out, language())
        return asked.plan.status.has_plan, True
    plan = load_plan(plan_file, portfolio) if plan_file else portfolio.optimize(**limits, progress=not quiet)
    if not plan.status.has_plan:
        typer.echo(plan.summary())
        return False, False
    plan.report(out, language())
    return True, True


@app.command()
def verify(
    proof: Annotated[Path, typer.Argument(readable=False, metavar="FILE", show_default=False)],
    path: PortfolioPath,
    *,
    as_json: AsJson = False,
    lang: Language = None,
) -> None:
    """Check a certificate or a plan against its portfolio."""
    with answering(as_json, lang):
        portfolio = load(path)
        holds = True
        if is_certificate(proof):
            found = confirm(proof, portfolio.tables)
            record, text, holds = found.record(), found.summary(), found.holds
        else:
            plan = load_plan(proof, portfolio)
            record, text = plan_record(portfolio, plan), f"{say('shell.verified')}\n\n{plan.summary()}"
        if as_json:
            print_json(record)
        else:
            typer.echo(text)
    raise typer.Exit(0 if holds else NO_PLAN)


@app.command(name="schema")
def print_schema() -> None:
    """Print the JSON Schema of scenario files."""
    typer.echo(json.dumps(schema(), indent=2, ensure_ascii=False))

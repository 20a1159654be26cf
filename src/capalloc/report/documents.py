"""What the report of a plan and that of its sensitivity hold, and in which order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from capalloc.answer import Answer
from capalloc.catalogue import say
from capalloc.report.answer_chapters import Answers, answers_chapter
from capalloc.report.page import Edition, write_page
from capalloc.report.pieces import Chapter
from capalloc.report.plan_chapters import Planned, plan_chapters
from capalloc.report.project_chapters import projects_chapter, unfunded_chapter
from capalloc.report.proof_chapters import compliance_chapter, proof_chapter, rules_chapter
from capalloc.report.quality import quality_chapter
from capalloc.report.summary import headlines, summary_lines
from capalloc.reporting import price_basis, proof_lines
from capalloc.tables import Tables


def write_report(path: Path, tables: Tables, answer: Answer, lang: str | None, answers: Answers | None = None) -> None:
    """Write the report of a plan, and of what was asked about it, as one HTML file.

    Parameters
    ----------
    lang
        The language in which it opens; it holds both.
    answers
        What was asked beyond the plan, by the names of the parts of a sensitivity report.
    """
    write_page(path, lambda: edition(tables, answer, answers or {}), lang)


def edition(tables: Tables, answer: Answer, answers: Answers) -> Edition:
    """Return the report in the language in force."""
    title = tables.settings.title or say("portfolio.untitled")
    under = tuple(_under(tables))
    asked = answers_chapter(tables, float(answer.value or 0), answers)
    if answer.allocation is None or answer.audit is None or not answer.status.has_plan:
        chapters = (*((asked,) if asked else ()), proof_chapter(tables, answer))
        return Edition(title, under, (), tuple(proof_lines(answer)), chapters)
    planned = Planned(tables, answer.allocation, answer.audit)
    return Edition(
        title,
        under,
        tuple(headlines(tables, answer, planned.allocation, planned.audit)),
        tuple(summary_lines(tables, answer, planned.allocation, planned.audit)),
        tuple(_chapters(planned, answer, asked)),
    )


def _under(tables: Tables) -> Iterator[str]:
    settings = tables.settings
    phases = ", ".join(phase.name for phase in settings.phases)
    years = f"{settings.first_year}–{settings.last_year}"
    several = len(settings.phases) > 1
    yield say("report.under.phases", years=years, phases=phases) if several else say("report.under.years", years=years)
    yield say("portfolio.prices", prices=price_basis(settings.prices), rate=settings.discount_rate)


def _chapters(planned: Planned, answer: Answer, asked: Chapter | None) -> Iterator[Chapter]:
    yield from plan_chapters(planned)
    yield projects_chapter(planned)
    optional: Mapping[str, Chapter | None] = {
        "unfunded": unfunded_chapter(planned),
        "answers": asked,
        "compliance": compliance_chapter(planned),
        "rules": rules_chapter(planned),
    }
    yield from (chapter for chapter in optional.values() if chapter is not None)
    yield quality_chapter(planned.tables, planned.audit)
    yield proof_chapter(planned.tables, answer)

"""A plan as a workbook: the annexes of the plan, then the tables that it was made from, ready to be read again."""

from __future__ import annotations

from pathlib import Path

from capalloc.allocation import Allocation
from capalloc.answer import Answer
from capalloc.audit import Audit
from capalloc.catalogue import say
from capalloc.excel.inputs import Inputs
from capalloc.excel.money_annexes import write_envelopes, write_ledger, write_projects
from capalloc.excel.naming import sheet_title
from capalloc.excel.other_annexes import (
    write_compliance,
    write_grounds,
    write_outcomes,
    write_summary,
    write_unfunded,
)
from capalloc.excel.styles import Styles, writing_book
from capalloc.report.plan_chapters import Planned
from capalloc.tables import Tables

_ALWAYS = ("summary", "projects-funded", "years", "envelopes-used", "outcomes", "compliance", "unfunded", "grounds")


def write_plan_book(path: Path, tables: Tables, given: Tables, answer: Answer, held: tuple[Allocation, Audit]) -> None:
    """Write a plan in the language in force.

    Parameters
    ----------
    given
        The tables before statutory rules were put in force, which are written to be read again.

    Raises
    ------
    InvalidInput
        When a number or a text of the tables does not fit into a cell.
    OSError
        When the file cannot be written.
    """
    planned = Planned(tables, *held)
    settings = tables.settings
    title = settings.title or say("portfolio.untitled")
    under = say("excel.plan.under", title=title, first=settings.first_year, last=settings.last_year)
    with writing_book(path) as book:
        styles = Styles(book)
        for name in _ALWAYS:
            if name != "compliance" or settings.statutory:
                book.add_worksheet(sheet_title(name))
        ledger = write_ledger(book, styles, planned, under)
        write_summary(book, styles, planned, answer, ledger, under)
        write_projects(book, styles, planned, ledger, under)
        write_envelopes(book, styles, planned, ledger, under)
        write_outcomes(book, styles, planned, under)
        if settings.statutory:
            write_compliance(book, styles, planned, under)
        write_unfunded(book, styles, planned, under)
        write_grounds(book, styles, planned, under)
        Inputs(book, styles, given).write()

"""A copy of a workbook in which every faulty cell is coloured and carries what is wrong with it."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

from capalloc.catalogue import say
from capalloc.excel.scanning import letters_of
from capalloc.issues import Issue, Issues, Severity
from capalloc.writing import replacing

_COLOURS = {Severity.ERROR: "FFFFC7CE", Severity.WARNING: "FFFFEB9C", Severity.INFO: "FFDDEBF7"}
_ORDER = (Severity.ERROR, Severity.WARNING, Severity.INFO)
_LONGEST_COMMENT = 2_000


def write_marked(source: Path, target: Path, issues: Issues) -> int:
    """Write a copy of a workbook with its issues on it, and return how many cells were marked.

    The copy keeps values, formulas, formats and widths.  A first sheet lists all issues, with a link to each cell.

    Parameters
    ----------
    source
        A workbook that was read; of one that could not be opened there is nothing to mark.

    Raises
    ------
    OSError
        When the copy cannot be written.
    """
    from openpyxl import load_workbook
    from openpyxl.comments import Comment
    from openpyxl.styles import PatternFill

    book = load_workbook(source)
    by_cell: dict[tuple[str, str], list[Issue]] = defaultdict(list)
    for issue in issues:
        if issue.where.cell and issue.where.sheet in book.sheetnames:
            by_cell[issue.where.sheet, issue.where.cell].append(issue)
    for (title, address), own in by_cell.items():
        cell = _first_of_merged(book[title], address)
        worst = min((issue.severity for issue in own), key=_ORDER.index)
        cell.fill = PatternFill("solid", start_color=_COLOURS[worst], end_color=_COLOURS[worst])
        told = "\n".join(f"{issue.message} {issue.remedy}" for issue in own)[:_LONGEST_COMMENT]
        kept = f"{cell.comment.text}\n\n" if cell.comment else ""
        cell.comment = Comment(kept + told, say("excel.mark.author"), height=160, width=360)
    _list(book, issues)
    with replacing(target) as part:
        book.save(part)
    return len(by_cell)


def _first_of_merged(sheet: Any, address: str) -> Any:
    """The cell at an address, or the one that stands for it where it is merged with others."""
    cell = sheet[address]
    for extent in sheet.merged_cells.ranges:
        if cell.coordinate in extent:
            return sheet.cell(extent.min_row, extent.min_col)
    return cell


def _list(book: Any, issues: Issues) -> None:
    from openpyxl.styles import Alignment, Font

    sheet = book.create_sheet(_free_title(book), 0)
    titles = ("severity", "place", "message", "remedy")
    for number, (name, width) in enumerate(zip(titles, (14, 34, 70, 70), strict=True), start=1):
        cell = sheet.cell(1, number, say(f"excel.mark.{name}"))
        cell.font = Font(bold=True)
        sheet.column_dimensions[letters_of(number)].width = width
    for row, issue in enumerate(issues, start=2):
        texts = (say(f"severity.{issue.severity}"), str(issue.where), issue.message, issue.remedy)
        for number, text in enumerate(texts, start=1):
            cell = sheet.cell(row, number)
            # What the tables hold may stand in a message; it is text, whatever it begins with.
            cell.value, cell.data_type = text, "s"
            cell.alignment = Alignment(wrap_text=True, vertical="top")
        if issue.where.cell and issue.where.sheet in book.sheetnames:
            quoted = issue.where.sheet.replace("'", "''")
            sheet.cell(row, 2).hyperlink = f"#'{quoted}'!{issue.where.cell}"
    sheet.freeze_panes = "A2"
    book.active = 0


def _free_title(book: Any) -> str:
    title, number = say("excel.mark.title"), 1
    while title in book.sheetnames:
        number += 1
        title = f"{say('excel.mark.title')} {number}"
    return title

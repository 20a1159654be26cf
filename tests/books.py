"""Workbooks made for tests: sheets as lists of lines, written cell by cell as people leave them behind."""

import datetime as dt

import xlsxwriter

SETTINGS = [["first_year", 2026], ["last_year", 2030], ["phases", "2026-2030", 2026, 2030]]
PROJECTS = [["id", "name", "cost", "value"], ["A", "Đường A", 500, 3], ["B", "Cầu B", 700, 4]]


def write_book(path, *, settings=SETTINGS, projects=PROJECTS, look=None, **sheets):
    """Write a workbook and return its path; sheets are given by title, ``None`` leaves one out.

    A cell that is a dict holds what xlsxwriter writes it with: ``formula`` and ``value``, or ``number`` and ``format``.
    ``look`` may do more to the book and its sheets by their titles.
    """
    book = xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "default_date_format": "dd/mm/yyyy"})
    made = {}
    for title, lines in ({"settings": settings, "projects": projects} | sheets).items():
        if lines is not None:
            made[title] = sheet = book.add_worksheet(title)
            for row, line in enumerate(lines):
                for column, cell in enumerate(line):
                    put(book, sheet, (row, column), cell)
    if look:
        look(book, made)
    book.close()
    return path


def put(book, sheet, place, cell):
    """Write one cell."""
    if isinstance(cell, dict):
        style = book.add_format({"num_format": cell["format"]}) if "format" in cell else None
        if "formula" in cell:
            sheet.write_formula(*place, cell["formula"], style, cell["value"])
        else:
            sheet.write_number(*place, cell["number"], style)
    elif isinstance(cell, dt.date):
        sheet.write_datetime(*place, cell)
    elif cell is not None:
        sheet.write(*place, cell)

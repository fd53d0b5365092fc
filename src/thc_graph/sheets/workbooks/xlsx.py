"""Workbooks as .xlsx (Office Open XML), with named lists and checks as one types."""

import io
from collections.abc import Sequence
from datetime import date
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from thc_graph.sheets.columns.layout import LISTS, README
from thc_graph.sheets.columns.template import Column, Kind
from thc_graph.sheets.workbooks.pages import (
    Page,
    bounds,
    lists,
    properties,
    readme,
    value,
    width,
)

_TITLE, _PROMPT = 32, 255  # characters that Excel shows


def as_xlsx(pages: Sequence[Page], source: str) -> bytes:
    """Return a workbook: how to fill it, a sheet a page, the lists."""
    out = io.BytesIO()
    book = Workbook(out, {"strings_to_formulas": False, "strings_to_urls": False})
    formats = {
        "heading": book.add_format({"bold": True, "text_wrap": True, "valign": "top",
                                    "bg_color": "#DDE6F0", "num_format": "@"}),
        "example": book.add_format({"italic": True, "font_color": "#7F7F7F", "num_format": "@"}),
        "text": book.add_format({"num_format": "@", "valign": "top", "text_wrap": True}),
        "date": book.add_format({"num_format": "dd/mm/yyyy", "valign": "top", "align": "left"}),
        "number": book.add_format({"valign": "top"}),
    }  # fmt: skip
    notice = book.add_worksheet(README)
    _write_rows(notice, list(readme(pages)))
    sheets = [book.add_worksheet(page.name) for page in pages]
    for page, sheet in zip(pages, sheets, strict=True):
        _write_page(sheet, page, formats)
    sheets[0].activate()
    _write_lists(book, pages)
    for name, text in properties(pages, source).items():
        book.set_custom_property(name, text, "text")
    book.close()
    return out.getvalue()


def _write_rows(sheet: Worksheet, rows: list[list[str]]) -> None:
    sheet.set_column(0, 1, 30)
    sheet.set_column(2, 3, 60)
    for line, cells in enumerate(rows):
        for place, text in enumerate(cells):
            sheet.write_string(line, place, text)


def _write_page(sheet: Worksheet, page: Page, formats: dict[str, Format]) -> None:
    sheet.freeze_panes(1, 1)
    for place, column in enumerate(page.columns):
        form = formats["number" if column.kind is Kind.NUMBER else "text"]
        sheet.set_column(place, place, width(column, page.rows, place), form)
        sheet.data_validation(1, place, page.height, place, _check(column))
    for place, text in enumerate(page.headings):
        sheet.write_string(0, place, text, formats["heading"])
    for place, text in enumerate(page.example):
        sheet.write_string(1, place, text, formats["example"])
    for line, row in enumerate(page.rows, start=1):
        for place, (column, text) in enumerate(zip(page.columns, row, strict=True)):
            if text:
                _write(sheet, line, place, value(text, column.kind), formats)


def _write(
    sheet: Worksheet, line: int, place: int, said: str | float | date, formats: dict[str, Format]
) -> None:
    if isinstance(said, date):
        sheet.write_datetime(line, place, said, formats["date"])
    elif isinstance(said, float):
        sheet.write_number(line, place, said, formats["number"])
    else:
        sheet.write_string(line, place, said, formats["text"])


def _check(column: Column) -> dict[str, Any]:
    """Return how a cell is checked as it is typed: advice, since the import reads more."""
    prompt = {
        "input_title": column.name[:_TITLE],
        "input_message": column.help.fr[:_PROMPT],
        "error_type": "information" if column.is_multiple else "warning",
    }
    limits = bounds(column.shape)
    if column.choices:
        return {"validate": "list", "source": f"={column.list_name}", **prompt}
    if column.kind is Kind.NUMBER and limits:
        low, high = limits
        between = {"criteria": "between", "minimum": low, "maximum": high}
        return {"validate": "decimal", **between, **prompt}
    if column.kind is Kind.DATE:  # a month or a year alone is a text, and welcome
        since = {"criteria": ">=", "value": date(1900, 1, 1)}
        return {"validate": "date", **since, **prompt, "error_type": "information"}
    return {"validate": "any", **prompt}


def _write_lists(book: Workbook, pages: Sequence[Page]) -> None:
    sheet = book.add_worksheet(LISTS)
    for place, (name, members) in enumerate(lists(pages).items()):
        sheet.set_column(place, place, 30)
        sheet.write_string(0, place, name)
        for line, text in enumerate(members, start=1):
            sheet.write_string(line, place, text)
        letter = xl_col_to_name(place)
        book.define_name(name, f"={LISTS}!${letter}$2:${letter}${len(members) + 1}")

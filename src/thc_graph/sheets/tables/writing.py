"""Workbooks: a table written as CSV, XLSX or ODS.

A cell that a spreadsheet would run as a formula is honest text everywhere: XLSX and ODS
type it as a string; CSV, which has no types, puts an apostrophe before it (OWASP, CSV
injection), as spreadsheets do themselves to mark text.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import xlsxwriter
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import P

from thc_graph.sheets.tables.escaping import guarded

Cell = str | float

MAX_CELL: Final = 32_767  # characters a spreadsheet shows of a cell (ECMA-376, part 1)
_UNWRITABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # XML 1.0, section 2.2


def to_csv(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """Return CSV (RFC 4180) in UTF-8 with a mark, so that spreadsheets read the accents."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([_harmless(each) for each in columns])
    writer.writerows([_harmless(each) for each in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def _harmless(cell: Cell) -> str:
    return guarded(cell if isinstance(cell, str) else _number(cell))


def to_xlsx(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """Return an Office Open XML workbook of one sheet, its heading frozen."""
    content = io.BytesIO()
    plain = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(content, {"in_memory": True, **plain}) as book:
        sheet = book.add_worksheet("Liste")
        sheet.freeze_panes(1, 1)
        sheet.write_row(0, 0, columns, book.add_format({"bold": True}))
        for line, row in enumerate(rows, start=1):
            for column, cell in enumerate(row):
                if isinstance(cell, str):
                    sheet.write_string(line, column, _shown(cell))
                else:
                    sheet.write_number(line, column, cell)
    return content.getvalue()


def to_ods(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """Return an OpenDocument workbook of one sheet."""
    book = OpenDocumentSpreadsheet()
    sheet = Table(name="Liste")
    for row in (columns, *rows):
        line = TableRow()
        for cell in row:
            line.addElement(_ods_cell(cell))
        sheet.addElement(line)
    book.spreadsheet.addElement(sheet)
    content = io.BytesIO()
    book.write(content)
    return content.getvalue()


def _ods_cell(cell: Cell) -> TableCell:
    if isinstance(cell, str):
        found = TableCell(valuetype="string")
        found.addElement(P(text=_shown(cell)))
        return found
    found = TableCell(valuetype="float", value=_number(cell))
    found.addElement(P(text=_number(cell)))
    return found


def _shown(text: str) -> str:
    return _UNWRITABLE.sub("\ufffd", text)[:MAX_CELL]


def _number(cell: float) -> str:
    return str(int(cell)) if cell == int(cell) else repr(cell)


WRITERS: Final[dict[str, Callable[[Sequence[str], Iterable[Sequence[Cell]]], bytes]]] = {
    "csv": to_csv,
    "xlsx": to_xlsx,
    "ods": to_ods,
}

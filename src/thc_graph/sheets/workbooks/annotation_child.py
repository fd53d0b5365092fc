"""The child that annotates: a workbook a stranger made, with no network and under limits.

Started as `python -I -S annotation_child.py PATHS OPTIONS`: PATHS is the JSON of `sys.path`,
OPTIONS a JSON object (parent, memory). The plan that `annotating` makes comes as JSON on
stdin; the workbook goes out on stdout, and no file is ever written. It ends with LOST
where the workbook would lose its lists of choices.
"""

import json
import resource
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO
from typing import Any, Final

if __name__ == "__main__":
    sys.path[:] = json.loads(sys.argv[1])

from openpyxl import Workbook, load_workbook
from openpyxl.cell import Cell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from thc_graph.processes.walls import cut_network, depend_on

LOST: Final = 4
AUTHOR: Final = "thc-graph"  # of our comments: an earlier report's are taken away
MOST: Final = 32_000  # characters of a cell
WIDTHS: Final = {"A": 24, "B": 24, "C": 16, "D": 32, "E": 90}
FILLS: Final = {
    "error": PatternFill("solid", fgColor="FFF9D6D2"),  # soft red
    "warning": PatternFill("solid", fgColor="FFFFF2C2"),  # yellow
    "note": PatternFill(),
}
BOLD: Final = Font(bold=True)
WRAPPED: Final = Alignment(wrap_text=True, vertical="top")


def annotated(plan: Mapping[str, Any]) -> Workbook | None:
    """Return the workbook of a plan, None where it would lose its lists of choices."""
    book = _kept(plan["file"]) if plan["file"] else _fresh(plan["pages"])
    if book is None:
        return None
    title = plan["title"]
    if title in book.sheetnames:
        del book[title]
    for page in plan["pages"]:
        sheet = book[page["title"]]
        if plan["file"]:
            _clean(sheet)
        for mark in page["marks"]:
            _mark(sheet, **mark)
        _report(sheet, title, page["header"], page["reports"])
    _front(book.create_sheet(title, 0), plan["front"])
    book.active = 0
    for each in book.worksheets[1:]:
        each.sheet_view.tabSelected = False
    return book


def _kept(file: str) -> Workbook | None:
    with warnings.catch_warnings(record=True) as lost:
        warnings.simplefilter("always")
        book = load_workbook(file)
    return None if any("Data Validation" in str(each.message) for each in lost) else book


def _fresh(pages: Iterable[Mapping[str, Any]]) -> Workbook:
    book = Workbook()
    book.remove(book.worksheets[0])
    for page in pages:
        sheet = book.create_sheet(page["title"])
        for line, cells in page["rows"]:
            for column, text in enumerate(cells, start=1):
                if text:
                    _write(sheet, line, column, text)
        for square in sheet[page["header"]]:
            square.font = BOLD
    return book


def _write(sheet: Worksheet, line: int, column: int, text: str) -> Cell:
    """Write a text as text: a code keeps its zeros, and nothing becomes a formula."""
    square = sheet.cell(line, column)
    assert isinstance(square, Cell)
    square.value = text[:MOST]
    square.data_type = "s"
    square.number_format = "@"
    return square


def _clean(sheet: Worksheet) -> None:
    """Take away what an earlier report left."""
    for square in _squares(sheet):
        if square.comment is not None and square.comment.author == AUTHOR:
            square.comment = None
            square.fill = PatternFill()


def _squares(sheet: Worksheet) -> Iterator[Cell]:
    yield from (square for row in sheet.iter_rows() for square in row if isinstance(square, Cell))


def _mark(sheet: Worksheet, line: int, column: int, severity: str, text: str) -> None:
    square = sheet.cell(line, column)
    if isinstance(square, Cell):  # else within merged cells: the last column says it
        said = f"{square.comment.text}\n{text}" if square.comment else text
        lines = sum(len(each) // 40 + 1 for each in said.splitlines())
        square.comment = Comment(said, AUTHOR, height=20 * lines + 20, width=320)
        square.fill = FILLS[severity]


def _report(
    sheet: Worksheet, title: str, header: int, reports: Iterable[Mapping[str, Any]]
) -> None:
    """Say each row's faults in words, in a last column; an earlier one is written over."""
    named = {square.value: square.column for square in _squares(sheet) if square.row == header}
    filled = (column for name, column in named.items() if name is not None)
    column = named.get(title) or max(filled, default=0) + 1
    for line in range(header, sheet.max_row + 1 if title in named else header):
        square = sheet.cell(line, column)
        square.value, square.fill = None, PatternFill()
    told = list(reports)
    if told:
        _write(sheet, header, column, title).font = BOLD
        sheet.column_dimensions[get_column_letter(column)].width = 60
    for each in told:
        square = _write(sheet, each["line"], column, each["text"])
        square.alignment, square.fill = WRAPPED, FILLS[each["severity"]]


def _front(sheet: Worksheet, front: Mapping[str, Any]) -> None:
    """List everything, each cell a link to where it stands."""
    for line, text in enumerate(front["lines"], start=1):
        _write(sheet, line, 1, text).font = BOLD
    head = len(front["lines"]) + 2
    for column, text in enumerate(front["headings"], start=1):
        _write(sheet, head, column, text).font = BOLD
    sheet.freeze_panes = f"A{head + 1}"
    for line, row in enumerate(front["rows"], start=head + 1):
        _list(sheet, line, row)
    apart = head + len(front["rows"]) + 2
    if front["others"]:
        _write(sheet, apart, 1, front["elsewhere"]).font = BOLD
    for line, row in enumerate(front["others"], start=apart + 1):
        _list(sheet, line, row)
    for letter, width in WIDTHS.items():
        sheet.column_dimensions[letter].width = width
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.page_setup.orientation, sheet.page_setup.fitToHeight = "landscape", 0  # as wide as a page


def _list(sheet: Worksheet, line: int, row: Mapping[str, Any]) -> None:
    for column, text in enumerate(row["cells"], start=1):
        _write(sheet, line, column, text).alignment = WRAPPED
    sheet.cell(line, 3).fill = FILLS[row["severity"]]
    if row["link"]:
        place = sheet.cell(line, 1)
        assert isinstance(place, Cell)
        place.hyperlink = Hyperlink(ref=place.coordinate, location=row["link"])
        place.font = Font(color="FF1A4F8B", underline="single")


def main() -> None:
    options = json.loads(sys.argv[2])
    depend_on(options["parent"])
    cut_network()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (options["memory"], options["memory"]))
    book = annotated(json.load(sys.stdin))
    if book is None:
        sys.exit(LOST)
    content = BytesIO()
    book.save(content)
    sys.stdout.buffer.write(content.getvalue())


if __name__ == "__main__":
    main()

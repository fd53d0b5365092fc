"""Annotating: the workbook given back, each fault in its cell, ready to be corrected and loaded.

A colour, a comment and a text column at the end of the row all say the same, for people
on phones and with screen readers; a first sheet lists everything with links. A .xlsx is
annotated in place, so that its formats and lists survive; any other file, or a workbook
whose lists would be lost, is written afresh, each row on the line where it was read.
"""

import re
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from openpyxl import Workbook, load_workbook
from openpyxl.cell import Cell as Square
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.worksheet.worksheet import Worksheet

from thc_graph.sheets.importing import Line, Part
from thc_graph.sheets.problems import Cell, Problem, Severity, letters, message

TITLE = "Rapport"  # in every language: the reader leaves out a sheet and a column of this name
AUTHOR = "thc-graph"
LONGEST = 31  # characters of a sheet's name
MOST = 32_000  # characters of a cell
FILLS = {
    Severity.ERROR: PatternFill("solid", fgColor="F9D6D2"),  # soft red
    Severity.WARNING: PatternFill("solid", fgColor="FFF2C2"),  # yellow
}
_FORBIDDEN = re.compile(r"[\[\]:*?/\\]")


@dataclass
class _Page:
    """One sheet to annotate: where a line that was read now stands."""

    sheet: Worksheet
    header: int
    lines: Mapping[int, int] | None = None  # None: each on its own line
    notes: dict[int, list[Problem]] = field(default_factory=lambda: defaultdict(list))

    def line(self, read: int) -> int | None:
        return read if self.lines is None else self.lines.get(read)


def annotate(
    parts: Sequence[Part],
    problems: Iterable[Problem],
    refused: frozenset[Line],
    path: Path,
    language: str,
) -> None:
    """Write the annotated workbook at `path`; with refused rows, those alone.

    Raises:
        OSError: The file cannot be written.
    """
    shown = [each for each in parts if not each.declared]
    book, pages = _opened(shown, refused)
    told = list(problems)
    for each in told:
        _mark(each, pages, language)
    for page in {id(page): page for page in pages.values()}.values():
        _column(page, language)
    _front(book, told, pages, language)
    book.save(path)


# The workbook to write in

Pages = dict[tuple[str, str], _Page]  # by file and sheet


def _opened(parts: Sequence[Part], refused: frozenset[Line]) -> tuple[Workbook, Pages]:
    paths = {each.input.path for each in parts}
    if not refused and len(paths) == 1:
        book = _kept(paths.pop())
        if book is not None:
            return book, _cleaned(book, parts)
    return _fresh(parts, refused)


def _kept(path: Path) -> Workbook | None:
    """Open a .xlsx with all it holds; None where it is none, or would lose its lists."""
    if path.suffix.casefold() != ".xlsx":
        return None
    with warnings.catch_warnings(record=True) as lost:
        warnings.simplefilter("always")
        book = load_workbook(path)
    if any("Data Validation" in str(each.message) for each in lost):
        return None
    return book


def _cleaned(book: Workbook, parts: Sequence[Part]) -> Pages:
    """Return the sheets that were read, without what an earlier report left in them."""
    if TITLE in book.sheetnames:
        del book[TITLE]
    pages: Pages = {}
    for each in parts:
        sheet = book[each.table.name]
        for square in _squares(sheet):
            if square.comment is not None and square.comment.author == AUTHOR:
                square.comment = None
                square.fill = PatternFill()
        pages[each.table.file, each.table.name] = _Page(sheet, each.header)
    return pages


def _squares(sheet: Worksheet) -> Iterator[Square]:
    yield from (square for row in sheet.iter_rows() for square in row if isinstance(square, Square))


def _fresh(parts: Sequence[Part], refused: frozenset[Line]) -> tuple[Workbook, Pages]:
    book = Workbook()
    book.remove(book.worksheets[0])
    pages: Pages = {}
    for each in parts:
        file, name = each.table.file, each.table.name
        rows = {line for *place, line in refused if place == [file, name]}
        if refused and not rows:
            continue
        sheet = book.create_sheet(_title(name or Path(file).stem, book))
        kept = [
            r for r in each.table.rows if not refused or r.line <= each.header or r.line in rows
        ]
        lines = {r.line: n for n, r in enumerate(kept, start=1)} if refused else None
        page = _Page(sheet, (lines or {}).get(each.header, each.header), lines)
        for row in kept:
            _copy(sheet, page.line(row.line) or row.line, row.cells)
        for square in sheet[page.header] if page.header else ():
            square.font = Font(bold=True)
        pages[file, name] = page
    return book, pages


def _copy(sheet: Worksheet, line: int, cells: Iterable[str]) -> None:
    for number, text in enumerate(cells, start=1):
        if text:
            _write(sheet, line, number, text)


def _write(sheet: Worksheet, line: int, column: int, text: str) -> Square:
    """Write a text as text: a code keeps its zeros, and nothing becomes a formula."""
    square = sheet.cell(line, column)
    assert isinstance(square, Square)
    square.value = text[:MOST]
    square.data_type = "s"
    square.number_format = "@"
    return square


def _title(name: str, book: Workbook) -> str:
    plain = _FORBIDDEN.sub(" ", name)[:LONGEST] or "Feuille"
    taken, number, title = set(book.sheetnames), 2, plain
    while title in taken or title == TITLE:
        title = f"{plain[: LONGEST - 3]} {number}"
        number += 1
    return title


# What is said in it


def _page(cell: Cell, pages: Pages) -> tuple[_Page, int] | None:
    page = pages.get((cell.file, cell.sheet))
    line = page.line(cell.line) if page and cell.line else None
    return (page, line) if page and line else None


def _mark(problem: Problem, pages: Pages, language: str) -> None:
    """Colour the cell and comment it; what was right, or mended, is left as it is."""
    found = _page(problem.cell, pages)
    if found is None or problem.severity is Severity.NOTE:
        return
    page, line = found
    page.notes[line].append(problem)
    if problem.cell.column is None:
        return
    square = page.sheet.cell(line, problem.cell.column)
    if not isinstance(square, Square):  # inside merged cells
        return
    before = square.comment.text + "\n" if square.comment else ""
    _comment(square, before + problem.message.in_(language))
    errors = any(
        each.severity is Severity.ERROR and each.cell.column == problem.cell.column
        for each in page.notes[line]
    )
    square.fill = FILLS[Severity.ERROR if errors else Severity.WARNING]


def _comment(square: Square, text: str) -> None:
    lines = sum(len(line) // 40 + 1 for line in text.splitlines())
    square.comment = Comment(text, AUTHOR, height=20 * lines + 20, width=320)


def _column(page: _Page, language: str) -> None:
    """Say each row's faults in words, in a last column."""
    sheet, header = page.sheet, max(page.header, 1)
    names = {sq.value: sq.column for sq in sheet[header] if isinstance(sq, Square)}
    column = names.get(TITLE) or max(names.values(), default=0) + 1
    for row in range(header + 1, sheet.max_row + 1):
        sheet.cell(row, column).value = None
        sheet.cell(row, column).fill = PatternFill()
    if not page.notes:
        return
    _write(sheet, header, column, TITLE).font = Font(bold=True)
    for line, found in page.notes.items():
        text = "\n".join(f"{_heading(each)}{each.message.in_(language)}" for each in found)
        square = _write(sheet, line, column, text)
        square.alignment = Alignment(wrap_text=True, vertical="top")
        square.fill = FILLS[max(found, key=lambda each: each.severity is Severity.ERROR).severity]
    sheet.column_dimensions[letters(column)].width = 60


def _heading(problem: Problem) -> str:
    return f"{problem.cell.heading} : " if problem.cell.heading else ""


def _front(book: Workbook, problems: Sequence[Problem], pages: Pages, language: str) -> None:
    """List everything in a first sheet, each cell a link to where it stands."""
    front = book.create_sheet(TITLE, 0)
    counts = {f"{s}s": sum(p.severity is s for p in problems) for s in Severity}
    _write(front, 1, 1, message("report-counts", **counts).in_(language)).font = Font(bold=True)
    _write(front, 2, 1, message("report-help").in_(language))
    names = ("cell", "column", "severity", "read", "message")
    for column, name in enumerate(names, start=1):
        text = message(f"heading-{name}").in_(language)
        _write(front, 4, column, text).font = Font(bold=True)
    inside = [each for each in problems if each.cell.line]
    outside = [each for each in problems if not each.cell.line]
    line = 5
    for each in sorted(inside, key=_order):
        _list(front, line, each, pages, language)
        line += 1
    if outside:
        _write(front, line + 1, 1, message("elsewhere").in_(language)).font = Font(bold=True)
        for number, each in enumerate(sorted(outside, key=_order), start=line + 2):
            _list(front, number, each, pages, language)
    for letter, width in zip("ABCDE", (24, 24, 16, 32, 90), strict=True):
        front.column_dimensions[letter].width = width
    front.freeze_panes = "A5"
    book.active = 0


def _order(problem: Problem) -> tuple[bool, str, str, int, int]:
    cell = problem.cell
    rank = list(Severity)[::-1].index(problem.severity)
    return bool(rank), cell.file, cell.sheet, cell.line, cell.column or 0


def _list(front: Worksheet, line: int, problem: Problem, pages: Pages, language: str) -> None:
    cell, found = problem.cell, _page(problem.cell, pages)
    severity = message(f"severity-{problem.severity}").in_(language)
    said = (cell.heading, severity, problem.read, problem.message.in_(language))
    place = _write(front, line, 1, cell.in_(language))
    if found is not None:
        page, at = found
        square = page.sheet.cell(at, cell.column or 1).coordinate
        title = page.sheet.title.replace("'", "''")
        _write(front, line, 1, f"{page.sheet.title}!{square if cell.column else at}")
        place.hyperlink = f"#'{title}'!{square}"
        place.font = Font(color="1A4F8B", underline="single")
    for column, text in enumerate(said, start=2):
        _write(front, line, column, text).alignment = Alignment(wrap_text=True, vertical="top")
    if problem.severity in FILLS:
        front.cell(line, 3).fill = FILLS[problem.severity]

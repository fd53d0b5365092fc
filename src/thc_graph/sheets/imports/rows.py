"""Rows: which lines of a table are entities, and which are there for the eye.

Every line left out is told; nothing is left out because it looks odd.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from thc_graph.names.words import folded, heading
from thc_graph.sheets.cells import cleaning
from thc_graph.sheets.columns.layout import Layout
from thc_graph.sheets.problems import Problem, Severity, message
from thc_graph.sheets.tables.reading import Row, Table

EXAMPLE: Final = "exemple :"  # how the first cell of a template's grey row opens
_TOTAL: Final = re.compile(r"(?:sous |grand )?tota(?:l|ux)(?: generaux| general)?")


def entities(table: Table, layout: Layout, problems: list[Problem]) -> Iterator[Row]:
    """Yield the rows that describe something, their cells cleaned; tell the others."""
    header = tuple(heading(cell) for cell in layout.header)
    for row in layout.rows:
        if not any(row.cells):
            continue
        if (code := _idle(row, header)) is not None:
            problems.append(_told(table, row, code, next(filter(None, row.cells))))
        else:
            yield _cleaned(table, layout, row, problems)


def _idle(row: Row, header: tuple[str, ...]) -> str | None:
    """Return the message's code for a row that is an example, a total or the headings again."""
    first = next((cell for cell in row.cells if cell), "")
    if first[:12].casefold().replace("\u00a0", " ").startswith(EXAMPLE):
        return "example-row"
    if len(first) < 20 and _TOTAL.fullmatch(folded(first)):  # noqa: PLR2004 - « sous-total général »
        return "total-row"
    if heading(first) in header:
        filled = [(heading(cell), place) for place, cell in enumerate(row.cells) if cell]
        if len(filled) > 1 and all(header[p : p + 1] == (cell,) for cell, p in filled):
            return "repeated-header"
    return None


def _cleaned(table: Table, layout: Layout, row: Row, problems: list[Problem]) -> Row:
    if all(map(str.isascii, row.cells)):
        return row
    cells = list(row.cells)
    for place, cell in enumerate(cells):
        cells[place], remarks = cleaning.clean(cell)
        for remark in remarks if place in layout.used else ():
            where = table.cell(row.line, place + 1, layout.heading(place))
            text = message(remark.code, read=cell, **remark.facts)
            problems.append(Problem(where, remark.severity, cell, text, remark.code))
    return Row(row.line, tuple(cells))


def _told(table: Table, row: Row, code: str, read: str) -> Problem:
    return Problem(table.cell(row.line), Severity.NOTE, read, message(code, read=read), code)


def titles(table: Table, layout: Layout) -> Iterable[Problem]:
    """Tell the rows above the headings that were skipped."""
    for row in table.rows[: layout.place]:
        yield _told(table, row, "title-row", next((c for c in row.cells if c), ""))

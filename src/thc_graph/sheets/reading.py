"""Reading CSV files as coordinators make them: separators, encodings, title rows."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from thc_graph.errors import SheetError
from thc_graph.sheets.problems import message

MAX_BYTES = 50_000_000
MAX_ROWS = 200_000


@dataclass(frozen=True)
class Row:
    """One line of a sheet: `line` is the number a person sees; `cells` are as typed, trimmed."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A file's rows, headings still among them; blank rows are left out."""

    name: str
    rows: tuple[Row, ...]


def read_table(path: Path) -> Table:
    """Read a CSV file separated by comma, semicolon or tab, in UTF-8 or Windows-1252.

    Raises:
        SheetError: The file is not a table, or is over a limit.
        OSError: The file cannot be opened.
    """
    if path.stat().st_size > MAX_BYTES:
        raise _error(path, "too-large", limit="50 Mo")
    text = _decoded(path, path.read_bytes())
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text))
    rows = tuple(_rows(reader))
    if len(rows) > MAX_ROWS:
        raise _error(path, "too-large", limit=f"{MAX_ROWS} lignes")
    return Table(path.name, rows)


def _rows(reader: Iterable[list[str]]) -> list[Row]:
    """Number rows as a spreadsheet does: a cell with line breaks is one row."""
    numbered = enumerate(reader, start=1)
    return [
        Row(line, tuple(cell.strip() for cell in cells)) for line, cells in numbered if any(cells)
    ]


def _decoded(path: Path, content: bytes) -> str:
    if b"\0" in content:
        raise _error(path, "binary")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    try:
        return content.decode("cp1252")
    except UnicodeDecodeError as fault:
        raise _error(path, "not-text", offset=fault.start) from fault


def _separator(text: str) -> str:
    """Return the separator that stands most often in the first lines."""
    head = text[:10_000]
    return max(",;\t", key=head.count)


def _error(path: Path, code: str, **facts: object) -> SheetError:
    return SheetError(path.name, message(code, **facts).fr)

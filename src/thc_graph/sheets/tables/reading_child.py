"""The child: one file a stranger made, read into rows, with no network and under limits.

Started as `python -I -S reading_child.py PATHS OPTIONS`: PATHS is the JSON of `sys.path`,
OPTIONS a JSON object (file, parent, limits). It writes one JSON value a line: an
object {"sheet": name, …} opens a sheet, an array is a row (its number, then its
cells as text), an object {"note": code, …} is to be told, {"refused": code, …}
ends a file that is not read, {"end": true} one that is read whole.
"""

import csv
import json
import re
import resource
import sys
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, time, timedelta
from decimal import Decimal
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any, Final

if __name__ == "__main__":
    sys.path[:] = json.loads(sys.argv[1])

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetVisibleEnum,
)

from thc_graph.processes.walls import cut_network, depend_on

ZIP: Final = b"PK\x03\x04"
OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_QUOTED: Final = re.compile(r'"(?:[^"]|"")*"')
_HEAD: Final = 100_000  # characters that show which separator a CSV file has
_BLOCK: Final = 1 << 20
_DTD: Final = tuple(mark.encode(code) for mark in ("<!DOCTYPE", "<!ENTITY")
                    for code in ("ascii", "utf-16-le", "utf-16-be"))  # fmt: skip
_BREAK: Final = re.compile(r"\r\n?")
_HIDDEN: Final = re.compile(rb"<row [^>]*\bhidden=\"(?:1|true)\"")
_TOLD: Final = (b"<f>", b"<f ", b"<f/", b't="e"')

Place = tuple[int, int]


class RefusedError(Exception):
    """The file is not read; `code` names the message."""

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code)
        self.code, self.facts = code, facts


def read(path: Path, limits: Mapping[str, int]) -> Iterator[Any]:
    """Yield what a file holds, as the lines of the protocol.

    Raises:
        RefusedError: It is not a table, or is past a limit.
    """
    content = path.read_bytes()
    if content.startswith((ZIP, OLE)):
        yield from _workbook(content, limits)
    else:
        yield from _csv(content, limits)
    yield {"end": True}


# CSV


def _csv(content: bytes, limits: Mapping[str, int]) -> Iterator[Any]:
    text, encoding = decoded(content)
    yield {"sheet": ""}
    if encoding != "utf-8":
        yield {"note": "windows-1252"}
    csv.field_size_limit(len(text) + 1)
    rows = csv.reader(StringIO(text, newline=""), delimiter=separator(text))
    try:
        yield from _within(enumerate(rows, start=1), limits)
    except csv.Error as fault:
        raise RefusedError("bad-csv", line=rows.line_num, reason=str(fault)) from fault


def decoded(content: bytes) -> tuple[str, str]:
    """Return the text of a CSV file and its encoding: UTF-8, or else Windows-1252."""
    if b"\0" in content:
        raise RefusedError("binary")
    try:
        return content.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError:
        pass
    try:
        return content.decode("cp1252"), "cp1252"
    except UnicodeDecodeError as fault:
        raise RefusedError("not-text", offset=fault.start) from fault


def separator(text: str) -> str:
    """Return the separator by which most of the first lines have the same number of cells."""
    lines = _QUOTED.sub("", text[:_HEAD]).splitlines()[:50]

    def evenness(mark: str) -> tuple[int, int]:
        counts = Counter(line.count(mark) for line in lines)
        counts.pop(0, None)
        number, often = max(counts.items(), key=lambda pair: (pair[1], pair[0]), default=(0, 0))
        return often, number

    return max(",;\t", key=evenness)


def _within(rows: Iterable[tuple[int, list[str]]], limits: Mapping[str, int]) -> Iterator[Any]:
    """Yield the rows that are not blank, numbered as a spreadsheet numbers them."""
    for line, cells in rows:
        if len(cells) > limits["columns"]:
            raise RefusedError("too-many-columns", limit=limits["columns"])
        if line > limits["rows"]:
            raise RefusedError("too-many-rows", limit=limits["rows"])
        if any(cells):
            yield [line, *(_BREAK.sub("\n", cell).strip() for cell in cells)]


# Workbooks


def _workbook(content: bytes, limits: Mapping[str, int]) -> Iterator[Any]:
    parts = _parts(content, limits) if content.startswith(ZIP) else _Parts()
    try:
        with CalamineWorkbook.from_filelike(BytesIO(content)) as book:
            marks = _marks(content) if parts.is_xlsx and parts.told else {}
            for sheet in book.sheets_metadata:
                yield {"sheet": sheet.name}
                if sheet.visible != SheetVisibleEnum.Visible:
                    yield {"note": "hidden-sheet"}
                if not parts.is_xlsx:
                    yield {"note": "not-looked-for"}
                yield from _sheet(book.get_sheet_by_name(sheet.name), marks, limits)
    except PasswordError as fault:
        raise RefusedError("password") from fault
    except CalamineError as fault:
        raise RefusedError("not-a-workbook") from fault


class _Parts:
    """What the parts of a zipped workbook show before it is opened."""

    is_xlsx = False
    told = False  # formulas, errors, hidden rows or comments are to be looked for


def _parts(content: bytes, limits: Mapping[str, int]) -> _Parts:
    """Look through a workbook's parts, counting the bytes that really come out of it."""
    found, size = _Parts(), 0
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            for name in archive.namelist():
                found.is_xlsx |= name == "xl/workbook.xml"
                found.told |= "comments" in name
                is_sheet = name.startswith("xl/worksheets/")
                for block in _blocks(archive, name):
                    size += len(block)
                    if size > limits["ratio"] * len(content):
                        raise RefusedError("unzip-ratio", limit=limits["ratio"])
                    if any(mark in block for mark in _DTD):
                        raise RefusedError("dtd")
                    if is_sheet and not found.told:
                        found.told = any(m in block for m in _TOLD) or bool(_HIDDEN.search(block))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as fault:
        raise RefusedError("not-a-workbook") from fault
    return found


def _blocks(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    """Yield a part in blocks, each with the end of the one before: nothing hides between two."""
    end = b""
    with archive.open(name) as part:
        while block := part.read(_BLOCK):
            yield end + block
            end = block[-100:]


class _Marks:
    """What openpyxl sees of a sheet and calamine does not."""

    def __init__(self) -> None:
        self.texts: dict[Place, str] = {}  # formulas and error values
        self.comments: list[tuple[Place, str]] = []
        self.hidden: list[int] = []


def _marks(content: bytes) -> dict[str, _Marks]:
    from openpyxl import load_workbook  # noqa: PLC0415 - slow to import, seldom needed

    book = load_workbook(BytesIO(content), keep_links=False)
    found: dict[str, _Marks] = {}
    for sheet in book.worksheets:
        marks = found[sheet.title] = _Marks()
        marks.hidden = sorted(line for line, row in sheet.row_dimensions.items() if row.hidden)
        for line, row in enumerate(sheet.iter_rows(), start=1):
            for column, cell in enumerate(row, start=1):
                place = line, column
                if cell.data_type == "f":
                    value = getattr(cell.value, "text", cell.value)
                    marks.texts[place] = f"={str(value or '').removeprefix('=')}"
                elif cell.data_type == "e":
                    marks.texts[place] = str(cell.value)
                if cell.comment is not None:
                    marks.comments.append((place, cell.comment.text.strip()))
    return found


def _sheet(
    sheet: CalamineSheet, marks: Mapping[str, _Marks], limits: Mapping[str, int]
) -> Iterator[Any]:
    if sheet.total_width > limits["columns"]:
        raise RefusedError("too-many-columns", limit=limits["columns"])
    if sheet.total_height > limits["rows"]:
        raise RefusedError("too-many-rows", limit=limits["rows"])
    own = marks.get(sheet.name, _Marks())
    for line in own.hidden:
        yield {"note": "hidden-row", "line": line}
    for (line, column), text in own.comments:
        yield {"note": "comment", "line": line, "column": column, "read": text}
    rows = sheet.to_python(skip_empty_area=False)
    numbered = ((n, [_text(cell) for cell in cells]) for n, cells in enumerate(rows, start=1))
    yield from _within(_marked(numbered, own.texts), limits)


def _marked(
    rows: Iterator[tuple[int, list[str]]], texts: Mapping[Place, str]
) -> Iterator[tuple[int, list[str]]]:
    by_line: dict[int, list[tuple[int, str]]] = {}
    for (line, column), text in texts.items():
        by_line.setdefault(line, []).append((column, text))
    for line, cells in rows:
        for column, text in by_line.get(line, ()):
            cells.extend([""] * (column - len(cells)))
            cells[column - 1] = text
        yield line, cells


def _text(value: Any) -> str:
    """Return a cell as a person types it: dates in ISO 8601, numbers without an exponent."""
    if isinstance(value, bool):
        return "oui" if value else "non"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else format(Decimal(repr(value)), "f")
    if isinstance(value, datetime):
        midnight = value.time() == time()
        return value.date().isoformat() if midnight else value.isoformat(timespec="minutes")
    if isinstance(value, time):
        return value.isoformat(timespec="minutes")
    if isinstance(value, timedelta):
        minutes = int(value.total_seconds()) // 60
        return f"{minutes // 60:02}:{minutes % 60:02}"
    return str(value)


def main() -> None:
    options = json.loads(sys.argv[2])
    limits = options["limits"]
    depend_on(options["parent"])
    cut_network()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (limits["memory"], limits["memory"]))
    out = sys.stdout
    dump = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    try:
        for each in read(Path(options["file"]), limits):
            out.write(dump(each) + "\n")
    except RefusedError as refused:
        out.write(dump({"refused": refused.code, **refused.facts}) + "\n")
    except MemoryError:
        out.write(dump({"refused": "too-much-memory"}) + "\n")
    out.flush()


if __name__ == "__main__":
    main()

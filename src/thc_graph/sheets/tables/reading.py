"""Reading: a file as tables, in a child process that a bad file can only kill.

CSV files as coordinators make them, and the workbooks of every office (.xlsx,
.xls, .ods). What a file is, its first bytes say, not its name.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from thc_graph.errors import SheetError
from thc_graph.sheets.problems import Cell, Problem, Severity, message

LIMITS: Final = {
    "seconds": 60,
    "bytes": 50_000_000,
    "columns": 10_000,
    "rows": 200_000,
    "ratio": 100,  # bytes that come out of a zipped workbook, for one that goes in
    "memory": 2 * 1024**3,
    "answer": 256_000_000,  # bytes of text: a small workbook may repeat one text without end
}
_READER: Final = Path(__file__).with_name("reading_child.py")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a sheet: `line` is the number a person sees; `cells` are as typed, trimmed."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A sheet's rows, headings still among them; blank rows are left out.

    `name` is the sheet's in its workbook, "" for a CSV file; `notes` is what there
    is to say of how it was read (encoding, hidden rows, comments).
    """

    file: str
    name: str
    rows: tuple[Row, ...]
    notes: tuple[Problem, ...] = ()

    def cell(self, line: int, column: int | None = None, heading: str = "") -> Cell:
        """Return a place in this table; `line` and `column` count from 1."""
        return Cell(self.file, line, column, heading, self.name)


def read_tables(path: Path, limits: Mapping[str, int] = LIMITS) -> tuple[Table, ...]:
    """Read a CSV file (comma, semicolon or tab; UTF-8 or Windows-1252) or a workbook.

    Raises:
        SheetError: The file holds no table, or is past a limit, which it names.
        OSError: The file cannot be opened.
    """
    if path.stat().st_size > limits["bytes"]:
        raise _error(path, "too-large", limit=f"{limits['bytes'] // 1_000_000} Mo")
    with path.open("rb"):
        pass  # a file that cannot be opened is no fault of what it holds
    return tuple(_tables(path, _lines(path, limits)))


def _tables(path: Path, lines: Iterator[Any]) -> Iterator[Table]:
    table: Table | None = None
    rows: list[Row] = []
    notes: list[Problem] = []
    for line in lines:
        if isinstance(line, list):
            rows.append(Row(line[0], tuple(line[1:])))
        elif "note" in line and table is not None:
            notes.append(_note(table, **line))
        elif "refused" in line:
            raise _error(path, line.pop("refused"), **line)
        else:
            if table is not None:
                yield replace(table, rows=tuple(rows), notes=tuple(notes))
            if "end" in line:
                return
            table = Table(path.name, line["sheet"], ())
            rows, notes = [], []
    raise _error(path, "crashed")


def _lines(path: Path, limits: Mapping[str, int]) -> Iterator[Any]:
    """Yield what the child says; at the time limit it is killed, and the file refused."""
    options = {"file": str(path.resolve()), "parent": os.getpid(), "limits": dict(limits)}
    command = [sys.executable, "-I", "-S", str(_READER), json.dumps(sys.path), json.dumps(options)]
    with subprocess.Popen(  # noqa: S603 - our own interpreter and module
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"PYTHONUTF8": "1"},
    ) as child:
        timer = threading.Timer(limits["seconds"], child.kill)
        timer.start()
        try:
            yield from _whole_lines(path, child, limits["answer"])
        finally:
            timer.cancel()
            child.kill()
    match -child.returncode:
        case signal.SIGKILL:
            raise _error(path, "too-slow", limit=limits["seconds"])
        case signal.SIGABRT:  # how the library ends when it gets no more memory
            raise _error(path, "too-much-memory")


def _whole_lines(path: Path, child: subprocess.Popen[bytes], most: int) -> Iterator[Any]:
    assert child.stdout is not None
    size = 0
    for line in child.stdout:
        size += len(line)
        if size > most:
            raise _error(path, "too-much-text", limit=most // 1_000_000)
        if line.endswith(b"\n"):
            yield json.loads(line)
    child.wait()


def _note(table: Table, **said: Any) -> Problem:
    code, read = said.pop("note"), said.pop("read", "")
    cell = table.cell(said.pop("line", 1), said.pop("column", None))
    return Problem(cell, Severity.NOTE, read, message(code, read=read, **said), code)


def _error(path: Path, code: str, **facts: object) -> SheetError:
    return SheetError(path.name, message(code, **facts).fr)
